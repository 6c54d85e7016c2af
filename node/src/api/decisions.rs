//! Decisions that can be shown to others: with all that they rest on.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use syndic_registry::bundle::{self, Bundle, BundleError, Question, Verifier};
use syndic_vc::decision::Outcome;
use syndic_vc::denial::DenialCode;
use syndic_vc::json::Value;
use syndic_vc::object;

use crate::api::verification::{not_verified, off_the_async_threads};
use crate::api::{answer, problem_types, schema};
use crate::clock;
use crate::http::problem::Problem;
use crate::http::strict_json::StrictJson;
use crate::knowledge;
use crate::node::Node;

/// `POST /decisions`: decides as the verification endpoints do, and adds the bundle that shows it (document 9).
///
/// # Errors
/// 400 with the decision and its bundle if it is refused; 422 if no bundle can hold what it rests on; 503 if the store
/// cannot say, or the logs changed faster than they could be read.
#[utoipa::path(
    post,
    path = "/decisions",
    tag = "verification",
    request_body = schema::decisions::Asked,
    responses(schema::Refused, schema::decisions::Shown),
)]
pub async fn decide(State(node): State<Arc<Node>>, body: Result<StrictJson, Problem>) -> Result<Response, Problem> {
    let StrictJson(body, _) = body.map_err(not_verified)?;
    let own = node.organization.as_str();
    let question = Question::read(&body, own).map_err(|error| not_verified(Problem::bad_request(error.to_string())))?;
    if let Question::Presentation { domain, .. } = &question
        && domain != own
    {
        return Err(not_verified(Problem::bad_request(format!(
            "/options/domain: this verifier's domain is {own}; a presentation made for another is not for it to judge"
        ))));
    }
    off_the_async_threads(move || match made(&node, question) {
        Ok(bundle) => respond(&bundle),
        Err(problem) => problem.into_response(),
    })
    .await
}

fn made(node: &Node, question: Question) -> Result<Bundle, Problem> {
    let known = knowledge::gather(node, question.document());
    if let Some(named) = known.learned().next() {
        return Err(impossible(
            "bundle-outside-knowledge",
            format!(
                "the decision would rest on what another host said of {named}, which no log proves; \
                 a bundle holds what the members' logs say, so ask a verification endpoint instead"
            ),
        ));
    }
    let verifier = Verifier {
        organization: node.organization.clone(),
        policy: node.policy(),
    };
    let charter = node.charter();
    bundle::decide(question, verifier, clock::now(), charter, node.reader(), &node.one_time).map_err(refused)
}

fn refused(error: BundleError) -> Problem {
    match error {
        BundleError::TooLarge => impossible("bundle-too-large", error.to_string()),
        BundleError::Read(error) => error.into(),
        BundleError::Moving | BundleError::SingleUse(_) => Problem::unavailable(error.to_string()),
        error => {
            // What the node holds was checked when it was taken in.
            tracing::error!(%error, "a decision bundle could not be made of what is stored");
            Problem::internal()
        }
    }
}

fn impossible(code: &str, why: String) -> Problem {
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, code, why).titled("No bundle can hold this decision")
}

fn respond(bundle: &Bundle) -> Response {
    if bundle.outcome == Outcome::Allow {
        let body = object! {
            "verified": true,
            "decision": Value::Object(bundle.decision.clone()),
            "bundle": bundle.to_value(),
        };
        return answer::json(StatusCode::OK, &body);
    }
    let reasons = bundle.decision.get("reasons").and_then(Value::as_array);
    let reasons = reasons.unwrap_or_default();
    let part = |reason: &Value, name| {
        let text = reason.get(name).and_then(Value::as_str);
        text.unwrap_or_default().to_owned()
    };
    let details: Vec<serde_json::Value> = reasons
        .iter()
        .map(|reason| {
            let code = part(reason, "code");
            serde_json::json!({
                "type": DenialCode::named(&code).map(problem_types::of),
                "title": code,
                "detail": part(reason, "message"),
                "code": code,
                "at": part(reason, "at"),
            })
        })
        .collect();
    let first = |name| reasons.first().map(|reason| part(reason, name)).unwrap_or_default();
    Problem::new(StatusCode::BAD_REQUEST, &first("code"), first("message"))
        .titled(first("code"))
        .with("verified", false)
        .with("problemDetails", details)
        .with("decision", serde_json::json!(bundle.decision))
        .with("bundle", serde_json::json!(bundle.to_value()))
        .into_response()
}
