//! New charter versions: signing a proposal, and publishing one that enough members have signed.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use syndic_registry::charter::{CharterError, SignedCharter};
use syndic_vc::json::Value;
use syndic_vc::object;

use crate::api::operations::number;
use crate::api::{answer, schema};
use crate::charters::{self, SignCharterError};
use crate::http::problem::Problem;
use crate::http::strict_json::StrictJson;
use crate::node::Node;

/// `POST /charter`
///
/// # Errors
/// 400 for what is no charter version, 409 if it does not follow the one in force, 503 if it could not be made durable.
#[utoipa::path(
    post,
    path = "/charter",
    tag = "registry",
    request_body = schema::Document,
    responses((status = 200, description = "in force here, durable, and on its way to the others", body = schema::Document), schema::Refused, schema::AdminRefused),
    security(("admin_token" = [])),
)]
pub async fn publish(State(node): State<Arc<Node>>, StrictJson(body, _): StrictJson) -> Result<Response, Problem> {
    let signed = read(&body)?;
    // Said before it is tried, so that whoever asks hears the reason and not only the refusal.
    node.chain().check(&signed).map_err(|error| conflict(&error))?;
    let hash = signed.hash().to_owned();
    let receipt = node.engine.publish_charter(signed).await?;
    let body = object! {
        "consortiumId": node.consortium.as_str(),
        "version": number(receipt.first),
        "hash": hash.as_str(),
        "warnings": warnings(&node),
    };
    Ok(answer::json(StatusCode::OK, &body))
}

/// `POST /charter/signatures`
///
/// # Errors
/// 400 for what is no proposal, 409 if it does not follow the charter in force or another one was signed.
#[utoipa::path(
    post,
    path = "/charter/signatures",
    tag = "registry",
    request_body = schema::Document,
    responses((status = 200, description = "the proposal with this organization's signature", body = schema::Document), schema::Refused, schema::AdminRefused),
    security(("admin_token" = [])),
)]
pub async fn sign(State(node): State<Arc<Node>>, StrictJson(body, _): StrictJson) -> Result<Response, Problem> {
    answer::only(&body, &["proposal", "again"])?;
    let proposal = body
        .get("proposal")
        .ok_or_else(|| Problem::bad_request("/proposal: is missing; give the proposal".to_owned()))?;
    let again = match body.get("again") {
        None => false,
        Some(again) => again
            .as_bool()
            .ok_or_else(|| Problem::bad_request("/again: must be true or false".to_owned()))?,
    };
    let mut proposal = read(proposal)?;
    charters::may_sign(node.chain(), &proposal, &node.organization)?;
    let signing = node.clone();
    let signed = tokio::task::spawn_blocking(move || {
        let root = signing.keys.root_signer();
        charters::sign(
            &mut proposal,
            &signing.organization,
            root,
            signing.store.as_ref(),
            again,
        )
        .map(|()| proposal)
    });
    let signed = signed
        .await
        .map_err(|error| Problem::unavailable(error.to_string()))??;
    Ok(answer::json(StatusCode::OK, &signed.to_value()))
}

/// What is wrong with the charter, for people.
pub fn warnings(node: &Node) -> Vec<Value> {
    let warnings = charters::warnings(node.chain(), &node.organization);
    warnings.iter().map(|warning| warning.as_str().into()).collect()
}

fn read(body: &Value) -> Result<SignedCharter, Problem> {
    SignedCharter::from_value(body).map_err(|error| Problem::bad_request(error.to_string()))
}

fn conflict(error: &impl std::fmt::Display) -> Problem {
    Problem::new(StatusCode::CONFLICT, "conflict", error.to_string())
}

impl From<CharterError> for Problem {
    fn from(error: CharterError) -> Self {
        Self::bad_request(error.to_string())
    }
}

impl From<SignCharterError> for Problem {
    fn from(error: SignCharterError) -> Self {
        match error {
            SignCharterError::Record(error) => error.into(),
            SignCharterError::Apply(error) => error.into(),
            other => conflict(&other),
        }
    }
}
