//! The doors at which strangers ask "may this be acted on?".

use std::sync::Arc;

use axum::body::HttpBody as _;
use axum::extract::{FromRequest as _, Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use syndic_vc::decision::{Decision, Verified};
use syndic_vc::denial::Denied;
use syndic_vc::json::Value;
use syndic_vc::{object, verify};

use crate::api::answer;
use crate::clock;
use crate::http::problem::Problem;
use crate::http::strict_json::StrictJson;
use crate::knowledge;
use crate::node::Node;

/// `POST /challenges`; a body says nothing, but one that is there must be JSON.
///
/// # Errors
/// 400, 413 or 415 for a body that is none, 503 if the random source failed.
pub async fn challenge(State(node): State<Arc<Node>>, request: Request) -> Result<Response, Problem> {
    if !request.body().is_end_stream() {
        StrictJson::from_request(request, &()).await?;
    }
    let (challenge, expires) = node.one_time.challenge(clock::now())?;
    let body = object! {
        "challenge": challenge,
        "domain": node.organization.as_str(),
        "expires": expires.to_string(),
    };
    Ok(answer::json(StatusCode::OK, &body))
}

/// `POST /credentials/verify`
///
/// # Errors
/// 400 with the decision if it is refused.
pub async fn credential(State(node): State<Arc<Node>>, StrictJson(body, _): StrictJson) -> Result<Response, Problem> {
    let credential = member(body, "verifiableCredential")?;
    off_the_async_threads(move || {
        let known = knowledge::gather(&node, &credential);
        respond(&verify::credential_value(
            credential,
            &node.policy(),
            &known,
            clock::now(),
        ))
    })
    .await
}

/// `POST /presentations/verify`
///
/// # Errors
/// 400 with the decision if it is refused.
pub async fn presentation(State(node): State<Arc<Node>>, StrictJson(body, _): StrictJson) -> Result<Response, Problem> {
    let options = body.get("options").cloned().unwrap_or(Value::Null);
    let challenge = answer::text(&options, "challenge")
        .map_err(|problem| answer::within("/options", problem))?
        .to_owned();
    let domain =
        match answer::optional_text(&options, "domain").map_err(|problem| answer::within("/options", problem))? {
            Some(domain) => domain.to_owned(),
            None => node.organization.as_str().to_owned(),
        };
    if domain != node.organization.as_str() {
        return Err(Problem::bad_request(format!(
            "/options/domain: this verifier's domain is {}; a presentation made for another is not for it to judge",
            node.organization.as_str()
        )));
    }
    let presentation = member(body, "verifiablePresentation")?;
    off_the_async_threads(move || {
        let known = knowledge::gather(&node, &presentation);
        let request = verify::PresentationRequest {
            challenge: &challenge,
            domain: &domain,
        };
        let verdict = verify::presentation_value(
            presentation,
            &request,
            &node.policy(),
            &known,
            &node.one_time,
            clock::now(),
        );
        respond(&verdict)
    })
    .await
}

/// `POST /actions/verify`
///
/// # Errors
/// 400 with the decision if it is refused.
pub async fn action(State(node): State<Arc<Node>>, StrictJson(body, _): StrictJson) -> Result<Response, Problem> {
    off_the_async_threads(move || {
        let known = knowledge::gather(&node, &body);
        let request = verify::ActionRequest {
            audience: &node.organization,
        };
        let verdict = verify::action_value(body, &request, &node.policy(), &known, &node.one_time, clock::now());
        respond(&verdict)
    })
    .await
}

fn member(body: Value, name: &str) -> Result<Value, Problem> {
    let Value::Object(mut members) = body else {
        return Err(Problem::bad_request("the body must be a JSON object".to_owned()));
    };
    members
        .remove(name)
        .ok_or_else(|| Problem::bad_request(format!("/{name}: is missing; put the document there")))
}

/// Verification reads the store and may wait for one fsync.
async fn off_the_async_threads(work: impl FnOnce() -> Response + Send + 'static) -> Result<Response, Problem> {
    match tokio::task::spawn_blocking(work).await {
        Ok(response) => Ok(response),
        Err(error) => {
            tracing::error!(%error, "a verification did not end");
            Err(Problem::internal())
        }
    }
}

/// A yes is a 200; everything else is a 400 that holds the same decision (decision record 5).
fn respond<T: Verified>(verdict: &Result<T, Denied>) -> Response {
    let decision = Decision::of(verdict);
    match verdict {
        Ok(_) => {
            let body = object! { "verified": true, "decision": Value::Object(decision.to_object()) };
            answer::json(StatusCode::OK, &body)
        }
        Err(denied) => refusal(denied, &decision),
    }
}

fn refusal(denied: &Denied, decision: &Decision<'_>) -> Response {
    let details: Vec<serde_json::Value> = denied
        .reasons()
        .map(|reason| {
            serde_json::json!({
                "type": reason.code.problem_type(),
                "title": reason.code.as_str(),
                "detail": reason.message,
                "at": reason.at,
            })
        })
        .collect();
    let first = denied.first();
    Problem::new(StatusCode::BAD_REQUEST, first.code.as_str(), first.message.clone())
        .titled(first.code.as_str())
        .with("verified", false)
        .with("problemDetails", details)
        .with("decision", serde_json::json!(decision))
        .into_response()
}
