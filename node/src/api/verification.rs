//! The doors at which strangers ask "may this be acted on?".

use std::sync::Arc;

use axum::body::HttpBody as _;
use axum::extract::{FromRequest as _, Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use multibase::Base;
use syndic_vc::decision::{Decision, Verified};
use syndic_vc::denial::Denied;
use syndic_vc::json::Value;
use syndic_vc::{object, verify};

use crate::api::{answer, problem_types, schema};
use crate::clock;
use crate::http::problem::Problem;
use crate::http::strict_json::StrictJson;
use crate::knowledge;
use crate::node::Node;
use crate::one_time::KeyThumbprint;
use crate::proof_only;

/// `POST /challenges`; a body may say which key a token is wanted for, and one that is there must be JSON.
///
/// # Errors
/// 400, 413 or 415 for a body that is none or names no key, 503 if the random source failed.
#[utoipa::path(
    post,
    path = "/challenges",
    tag = "verification",
    request_body(content = Option<schema::vc::ChallengeRequest>),
    responses((status = 200, description = "single use", body = schema::vc::ChallengeShape), schema::Refused),
)]
pub async fn challenge(State(node): State<Arc<Node>>, request: Request) -> Result<Response, Problem> {
    let mut key = None;
    if !request.body().is_end_stream() {
        let StrictJson(body, _) = StrictJson::from_request(request, &()).await?;
        key = answer::optional_text(&body, "dpop_jkt")?.map(thumbprint).transpose()?;
    }
    let (challenge, expires) = node.one_time.challenge(clock::now(), key.as_ref())?;
    let body = object! {
        "challenge": challenge,
        "domain": node.organization.as_str(),
        "expires": expires.to_string(),
    };
    Ok(answer::json(StatusCode::OK, &body))
}

fn thumbprint(text: &str) -> Result<KeyThumbprint, Problem> {
    let bytes = Base::Base64Url
        .decode(text)
        .ok()
        .filter(|bytes| Base::Base64Url.encode(bytes) == text);
    bytes
        .and_then(|bytes| bytes.try_into().ok())
        .ok_or_else(|| Problem::bad_request("/dpop_jkt: must be the thumbprint of a key: 43 characters of base64url"))
}

/// `POST /credentials/verify` (W3C VC API). `options.checks` is not read: all that is checked here is always checked.
///
/// # Errors
/// 400 with the decision if it is refused.
#[utoipa::path(
    post,
    path = "/credentials/verify",
    tag = "verification",
    request_body = schema::vc::CredentialQuestion,
    responses(schema::Refused, schema::Verdict),
)]
pub async fn credential(State(node): State<Arc<Node>>, body: Result<StrictJson, Problem>) -> Result<Response, Problem> {
    let credential = asked(body, "verifiableCredential")?.0;
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

/// `POST /presentations/verify` (W3C VC API)
///
/// # Errors
/// 400 with the decision if it is refused.
#[utoipa::path(
    post,
    path = "/presentations/verify",
    tag = "verification",
    request_body = schema::vc::PresentationQuestion,
    responses(schema::Refused, schema::Verdict),
)]
pub async fn presentation(
    State(node): State<Arc<Node>>,
    body: Result<StrictJson, Problem>,
) -> Result<Response, Problem> {
    let (presentation, options) = asked(body, "verifiablePresentation")?;
    let (challenge, domain) = challenge_and_domain(&options, &node).map_err(not_verified)?;
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

pub(super) fn challenge_and_domain(options: &Value, node: &Node) -> Result<(String, String), Problem> {
    let within = |problem| answer::within("/options", problem);
    let challenge = answer::text(options, "challenge").map_err(within)?;
    let own = node.organization.as_str();
    let domain = answer::optional_text(options, "domain").map_err(within)?.unwrap_or(own);
    if domain != own {
        return Err(Problem::bad_request(format!(
            "/options/domain: this verifier's domain is {own}; a presentation made for another is not for it to judge"
        )));
    }
    Ok((challenge.to_owned(), domain.to_owned()))
}

/// `POST /verifiers/proof-only/credentials/verify`: the proofs of a credential, and not whose proofs they are. For test
/// vectors and strange documents; off unless configured, and its answer permits nothing.
///
/// # Errors
/// 404 if it is off, 400 with the reasons if the proof does not hold.
#[utoipa::path(
    post,
    path = "/verifiers/proof-only/credentials/verify",
    tag = "verification",
    request_body = schema::vc::CredentialQuestion,
    responses(schema::Refused, (status = 200, description = "the proofs hold", body = schema::vc::ProofReport), (status = 400, description = "they do not", body = schema::Denial, content_type = "application/problem+json")),
)]
pub async fn proofs_alone(
    State(node): State<Arc<Node>>,
    body: Result<StrictJson, Problem>,
) -> Result<Response, Problem> {
    if !node.config.verifiers.proof_only {
        return Err(Problem::not_found(
            "this door is closed; [verifiers] proof_only = true in config.toml opens it",
        ));
    }
    let credential = asked(body, "verifiableCredential")?.0;
    off_the_async_threads(move || {
        let verdict = verify::proof_only_value(credential, &node.policy(), &node.view(), clock::now());
        match verdict {
            Ok(checked) => answer::json(StatusCode::OK, &proof_only::report(&checked)),
            Err(denied) => refusal(&denied)
                .with("notChecked", proof_only::NOT_CHECKED.to_vec())
                .into_response(),
        }
    })
    .await
}

/// `POST /actions/verify`: a signed action with its credential, or a signed HTTP request and what it means.
///
/// # Errors
/// 400 with the decision if it is refused.
#[utoipa::path(
    post,
    path = "/actions/verify",
    tag = "verification",
    request_body = schema::requests::Invocation,
    responses(schema::Refused, schema::Verdict),
)]
pub async fn action(State(node): State<Arc<Node>>, StrictJson(body, _): StrictJson) -> Result<Response, Problem> {
    off_the_async_threads(move || {
        if body.get("request").is_some() {
            return respond(&signed_request(&node, body));
        }
        let known = knowledge::gather(&node, &body);
        let request = verify::ActionRequest {
            audience: &node.organization,
        };
        let verdict = verify::action_value(body, &request, &node.policy(), &known, &node.one_time, clock::now());
        respond(&verdict)
    })
    .await
}

fn signed_request(node: &Node, body: Value) -> Result<verify::AllowedAction, Denied> {
    let enclosed = verify::enclosed_in_request(&body).unwrap_or_else(|| object! {});
    let known = knowledge::gather(node, &enclosed);
    let request = verify::ActionRequest {
        audience: &node.organization,
    };
    verify::http_request_value(body, &request, &node.policy(), &known, &node.one_time, clock::now())
}

/// The document to be verified, and the options.
fn asked(body: Result<StrictJson, Problem>, name: &str) -> Result<(Value, Value), Problem> {
    let StrictJson(body, _) = body.map_err(not_verified)?;
    member(body, name).map_err(not_verified)
}

fn member(body: Value, name: &str) -> Result<(Value, Value), Problem> {
    let Value::Object(mut members) = body else {
        return Err(Problem::bad_request("the body must be a JSON object".to_owned()));
    };
    let options = members.remove("options").unwrap_or_else(|| object! {});
    if options.as_object().is_none() {
        return Err(Problem::bad_request("/options: must be an object".to_owned()));
    }
    let document = members
        .remove(name)
        .ok_or_else(|| Problem::bad_request(format!("/{name}: is missing; put the document there")))?;
    if document.as_object().is_none() {
        return Err(Problem::bad_request(format!(
            "/{name}: must be an object, not {}",
            document.kind()
        )));
    }
    Ok((document, options))
}

/// A request that cannot be judged is answered as the VC API answers failures: whoever reads `verified` alone is safe.
pub(super) fn not_verified(problem: Problem) -> Problem {
    let json = problem.type_.ends_with("/json-invalid");
    let kind = if json {
        problem_types::PARSING_ERROR
    } else {
        problem_types::MALFORMED_VALUE_ERROR
    };
    let details = serde_json::json!([{ "type": kind, "title": problem.title, "detail": problem.detail }]);
    problem.with("verified", false).with("problemDetails", details)
}

/// Verification reads the store and may wait for one fsync.
pub(super) async fn off_the_async_threads(
    work: impl FnOnce() -> Response + Send + 'static,
) -> Result<Response, Problem> {
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
        Err(denied) => refused(denied, &decision),
    }
}

/// A refusal with its decision.
pub(super) fn refused(denied: &Denied, decision: &Decision<'_>) -> Response {
    refusal(denied)
        .with("decision", serde_json::json!(decision))
        .into_response()
}

fn refusal(denied: &Denied) -> Problem {
    let details: Vec<serde_json::Value> = denied
        .reasons()
        .map(|reason| {
            serde_json::json!({
                "type": problem_types::of(reason.code),
                "title": reason.code.as_str(),
                "detail": reason.message,
                "code": reason.code.as_str(),
                "at": reason.at,
            })
        })
        .collect();
    let first = denied.first();
    Problem::new(StatusCode::BAD_REQUEST, first.code.as_str(), first.message.clone())
        .titled(first.code.as_str())
        .with("verified", false)
        .with("problemDetails", details)
}
