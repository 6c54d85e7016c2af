//! Issuing, listing and revoking credentials; the status lists that strangers fetch.

use std::sync::Arc;

use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use syndic_vc::json::Value;
use syndic_vc::object;

use crate::api::{answer, registry};
use crate::credentials::{self, CredentialError, Grant};
use crate::http::problem::Problem;
use crate::http::strict_json::StrictJson;
use crate::node::Node;
use crate::status_lists::ServeError;
use crate::{agents, clock};

/// `POST /credentials/issue` (W3C VC API)
///
/// # Errors
/// 400 that names the member at fault, 409 if the id is taken, 503 if it could not be made durable.
pub async fn issue(State(node): State<Arc<Node>>, StrictJson(body, _): StrictJson) -> Result<Response, Problem> {
    let credential = body
        .get("credential")
        .cloned()
        .ok_or_else(|| Problem::bad_request("/credential: is missing; put the credential to sign there".to_owned()))?;
    if body.get("options").is_some_and(|options| options.as_object().is_none()) {
        return Err(Problem::bad_request("/options: must be an object".to_owned()));
    }
    let issued = credentials::issue(&node, credential, clock::now()).await?;
    Ok(answer::json(
        StatusCode::CREATED,
        &object! { "verifiableCredential": issued.document },
    ))
}

/// `POST /agents/{agent}/credentials`
///
/// # Errors
/// As for `/credentials/issue`.
pub async fn issue_to_agent(
    State(node): State<Arc<Node>>,
    Path(agent): Path<String>,
    StrictJson(body, _): StrictJson,
) -> Result<Response, Problem> {
    answer::only(
        &body,
        &["capability", "delegation", "validFrom", "validUntil", "validForSeconds"],
    )?;
    let capability = body
        .get("capability")
        .cloned()
        .ok_or_else(|| Problem::bad_request("/capability: is missing; give an array of capabilities".to_owned()))?;
    let now = clock::now();
    let valid_from = answer::optional_time(&body, "validFrom")?;
    let mut valid_until = answer::optional_time(&body, "validUntil")?;
    if let Some(value) = body.get("validForSeconds") {
        if valid_until.is_some() {
            return Err(Problem::bad_request(
                "/validForSeconds: give either this or validUntil".to_owned(),
            ));
        }
        let until = value
            .as_i64()
            .filter(|seconds| *seconds > 0)
            .and_then(|seconds| valid_from.unwrap_or(now).checked_add_seconds(seconds));
        valid_until =
            Some(until.ok_or_else(|| Problem::bad_request("/validForSeconds: must be a positive integer".to_owned()))?);
    }
    let grant = Grant {
        capability,
        delegation: body.get("delegation").cloned(),
        valid_from,
        valid_until,
    };
    let issued = credentials::issue_to_agent(&node, &agent, grant, now).await?;
    Ok(answer::json(
        StatusCode::CREATED,
        &object! { "verifiableCredential": issued.document },
    ))
}

/// Which credentials are listed.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListQuery {
    /// Only those of this agent, by DID or name.
    pub agent: Option<String>,
}

/// `GET /credentials`
///
/// # Errors
/// 404 for an unknown agent, 503 if the store cannot be read.
pub async fn list(State(node): State<Arc<Node>>, Query(query): Query<ListQuery>) -> Result<Response, Problem> {
    let found = match query.agent {
        Some(agent) => credentials::held_by(&node, &agents::find(&node, &agent)?.did)?,
        None => credentials::list(&node)?,
    };
    let now = clock::now();
    let rows: Vec<Value> = found.iter().map(|issued| issued.to_json(&node, now)).collect();
    Ok(answer::json(StatusCode::OK, &object! { "credentials": rows }))
}

/// `GET /credentials/{id}`
///
/// # Errors
/// 404 if it was not issued here.
pub async fn show(State(node): State<Arc<Node>>, Path(id): Path<String>) -> Result<Response, Problem> {
    let issued = credentials::find(&node, &id)?;
    let status = issued.status(&node, clock::now());
    Ok(answer::json(
        StatusCode::OK,
        &object! { "verifiableCredential": issued.document, "status": status },
    ))
}

/// `POST /credentials/status` (W3C VC API)
///
/// # Errors
/// 400 that names the member at fault, 404 for an unknown credential, 503 if it could not be made durable.
pub async fn set_status(State(node): State<Arc<Node>>, StrictJson(body, _): StrictJson) -> Result<Response, Problem> {
    let id = answer::text(&body, "credentialId")?;
    let status = body
        .get("credentialStatus")
        .ok_or_else(|| Problem::bad_request("/credentialStatus: is missing; give {type, statusPurpose}".to_owned()))?;
    let within = |problem| answer::within("/credentialStatus", problem);
    if answer::text(status, "type").map_err(within)? != "BitstringStatusListEntry" {
        return Err(Problem::bad_request(
            "/credentialStatus/type: must be BitstringStatusListEntry".to_owned(),
        ));
    }
    if answer::text(status, "statusPurpose").map_err(within)? != "revocation" {
        return Err(Problem::bad_request(
            "/credentialStatus/statusPurpose: this node sets revocation only".to_owned(),
        ));
    }
    if body.get("status").and_then(Value::as_bool) != Some(true) {
        return Err(Problem::bad_request(
            "/status: must be true; a revocation is never taken back".to_owned(),
        ));
    }
    let receipt = credentials::revoke(&node, id, clock::now()).await?;
    let answer = object! {
        "credentialId": id,
        "status": "revoked",
        "statement": receipt.map_or(Value::Null, |receipt| registry::place(&node, receipt)),
        "acknowledged": clock::now().to_string(),
    };
    Ok(answer::json(StatusCode::OK, &answer))
}

/// `GET /status-lists/{name}`
///
/// # Errors
/// 404 for a list that this organization never made.
pub async fn status_list(State(node): State<Arc<Node>>, Path(name): Path<String>) -> Result<Response, Problem> {
    match node.signed_lists.serve(&node, &name, clock::now()) {
        Ok(text) => Ok(answer::with_type(StatusCode::OK, "application/json", text.to_vec())),
        Err(error @ ServeError::Unknown(_)) => Err(Problem::not_found(error.to_string())),
        Err(error) => Err(Problem::unavailable(error.to_string())),
    }
}

impl From<Box<CredentialError>> for Problem {
    fn from(error: Box<CredentialError>) -> Self {
        (*error).into()
    }
}
