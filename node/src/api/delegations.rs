//! Agents hand on what they may do.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use syndic_vc::capability::Capability;
use syndic_vc::json::Value;
use syndic_vc::json::members;
use syndic_vc::object;

use crate::api::{answer, schema};
use crate::clock;
use crate::credentials::{self, Delegation};
use crate::http::problem::Problem;
use crate::http::strict_json::StrictJson;
use crate::node::Node;
use crate::wallet;

/// `POST /agents/{agent}/delegations`
///
/// # Errors
/// 400 that names the member at fault, or the denial of what says more than the credential above it; 404 for an unknown
/// agent or credential; 409 if an agent is not in service.
#[utoipa::path(
    post,
    path = "/agents/{agent}/delegations",
    tag = "agents",
    params(("agent" = String, Path, description = "the DID or name of the agent that hands on")),
    request_body = schema::NewDelegation,
    responses((status = 201, description = "signed by the agent, and stored", body = schema::Delegated), schema::Refused, schema::AdminRefused),
    security(("admin_token" = [])),
)]
pub async fn delegate(
    State(node): State<Arc<Node>>,
    Path(agent): Path<String>,
    StrictJson(body, _): StrictJson,
) -> Result<Response, Problem> {
    answer::only(
        &body,
        &[
            "credential",
            "chain",
            "to",
            "name",
            "capability",
            "delegation",
            "maxDepth",
            "validForSeconds",
        ],
    )?;
    let given = body.get("credential").ok_or_else(|| {
        Problem::bad_request("/credential: is missing; give the id or the credential that is handed on".to_owned())
    })?;
    let parent = wallet::credential_of(&node, given, "/credential")?;
    let above = match body.get("chain") {
        None => &[],
        Some(Value::Array(above)) => above.as_slice(),
        Some(_) => {
            return Err(Problem::bad_request(
                "/chain: must be an array of credentials".to_owned(),
            ));
        }
    };
    let now = clock::now();
    let valid_until = match body.get("validForSeconds") {
        None => None,
        Some(value) => {
            let until = value.as_i64().filter(|seconds| *seconds > 0);
            let until = until.and_then(|seconds| now.checked_add_seconds(seconds));
            Some(until.ok_or_else(|| Problem::bad_request("/validForSeconds: must be a positive integer".to_owned()))?)
        }
    };
    let asked = Delegation {
        to: answer::did(&body, "to")?,
        name: answer::optional_text(&body, "name")?.map(str::to_owned),
        capability: capabilities(&body)?,
        max_depth: max_depth(&body)?,
        valid_until,
        parent: parent.clone(),
    };
    let issued = credentials::delegate(&node, &agent, asked, now).await?;
    let chain: Vec<Value> = std::iter::once(parent).chain(above.iter().cloned()).collect();
    Ok(answer::json(
        StatusCode::CREATED,
        &object! { "verifiableCredential": issued.document, "chain": chain },
    ))
}

/// `maxDepth`, or the `delegation` object of a capability file.
fn max_depth(body: &Value) -> Result<u8, Problem> {
    let asked = body.get("maxDepth").filter(|depth| depth.as_i64() != Some(0));
    let Some(depth) = asked.or_else(|| body.get("delegation")?.get("maxDepth")) else {
        return Ok(0);
    };
    depth
        .as_i64()
        .and_then(|depth| u8::try_from(depth).ok())
        .ok_or_else(|| Problem::bad_request("/maxDepth: must be 0 to 8".to_owned()))
}

fn capabilities(body: &Value) -> Result<Option<Vec<Capability>>, Problem> {
    let Some(given) = body.get("capability") else {
        return Ok(None);
    };
    let Some(given) = given.as_array().filter(|given| !given.is_empty()) else {
        return Err(Problem::bad_request(
            "/capability: must be an array of capabilities".to_owned(),
        ));
    };
    let at = members::Path::ROOT.member("capability");
    let read = |(index, one): (usize, &Value)| Capability::read(one, &at.item(index));
    let read: Result<Vec<Capability>, _> = given.iter().enumerate().map(read).collect();
    read.map(Some)
        .map_err(|reason| Problem::bad_request(format!("{}: {}", reason.at, reason.message)))
}
