//! Who told two stories, and the proof of it; for everybody.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use syndic_registry::fork::Fork;
use syndic_vc::json::Value;
use syndic_vc::object;

use crate::api::operations::number;
use crate::api::{answer, schema};
use crate::http::problem::Problem;
use crate::node::Node;

/// `GET /forks`
///
/// # Errors
/// 503 if the store cannot be read.
#[utoipa::path(
    get,
    path = "/forks",
    tag = "registry",
    responses((status = 200, description = "organizations caught telling two stories", body = schema::Document), schema::Refused),
)]
pub async fn list(State(node): State<Arc<Node>>) -> Result<Response, Problem> {
    let view = node.view();
    let mut forks = Vec::new();
    let charter = node.charter();
    let members = charter.members().iter().map(|member| (member.did(), member.name()));
    // What was proven of an organization stays so once it has been removed for it.
    for (did, name) in members.chain(charter.removed().map(|did| (did, "removed"))) {
        let Some(fork) = view.fork(did.as_str())? else {
            continue;
        };
        forks.push(object! {
            "organization": did.as_str(),
            "name": name,
            "at": number(fork.at),
            "commonPrefix": fork.common_prefix().map_or(Value::Null, number),
        });
    }
    Ok(answer::json(StatusCode::OK, &object! { "forks": forks }))
}

/// `GET /forks/{organization}`
///
/// # Errors
/// 404 if there is no proof against it, 503 if the store cannot be read.
#[utoipa::path(
    get,
    path = "/forks/{organization}",
    tag = "registry",
    params(("organization" = String, Path, description = "the member's DID")),
    responses((status = 200, description = "the proof as a file, which convinces whoever has the charter", body = schema::Document), schema::Refused),
)]
pub async fn proof(State(node): State<Arc<Node>>, Path(organization): Path<String>) -> Result<Response, Problem> {
    let none = || Problem::not_found(format!("there is no proof that {organization:?} told two stories"));
    let charter = node.charter();
    if charter.member(&organization).is_none() && charter.removed_by(&organization).is_none() {
        return Err(none());
    }
    let fork: Fork = node.view().fork(&organization)?.ok_or_else(none)?;
    // What was stored was verified; a proof that no longer holds is a damaged store.
    let file = fork
        .verify_by_chain(node.chain())
        .and_then(|(by, _)| fork.to_file(&by))
        .map_err(|error| Problem::unavailable(format!("the stored proof does not hold: {error}")))?;
    Ok(answer::with_type(StatusCode::OK, "application/json", file))
}
