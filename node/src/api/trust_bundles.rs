//! Trust bundles: whose keys an organization says are to be believed in a domain, as SPIFFE or JSON Web Key Set.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use syndic_registry::statement::{BundleFormat, Content, TrustBundle};
use syndic_vc::json::Value;

use crate::api::{answer, registry, schema};
use crate::http::problem::Problem;
use crate::http::strict_json::StrictJson;
use crate::node::Node;

/// `POST /trust-bundles`
///
/// # Errors
/// 400 that names the member at fault, 503 if it could not be made durable.
#[utoipa::path(
    post,
    path = "/trust-bundles",
    tag = "registry",
    request_body = schema::keys::NewTrustBundle,
    responses((status = 200, description = "published, durable", body = schema::Published), schema::Refused, schema::AdminRefused),
    security(("admin_token" = [])),
)]
pub async fn publish(State(node): State<Arc<Node>>, StrictJson(body, _): StrictJson) -> Result<Response, Problem> {
    answer::only(&body, &["domain", "format", "bundle"])?;
    let format = match answer::text(&body, "format")? {
        "spiffe" => BundleFormat::Spiffe,
        "jwks" => BundleFormat::Jwks,
        _ => return Err(Problem::bad_request("/format: must be \"spiffe\" or \"jwks\"")),
    };
    let Some(Value::Object(bundle)) = body.get("bundle") else {
        return Err(Problem::bad_request("/bundle: must be an object with keys"));
    };
    let bundle = TrustBundle {
        domain: answer::text(&body, "domain")?.to_owned(),
        format,
        bundle: bundle.clone(),
    };
    registry::publish(&node, Content::TrustBundle(bundle)).await
}

/// `GET /trust-bundles/{organization}/{domain}`
///
/// # Errors
/// 404 if the organization published none for that domain or told two stories, 503 if the store cannot be read.
#[utoipa::path(
    get,
    path = "/trust-bundles/{organization}/{domain}",
    tag = "registry",
    params(
        ("organization" = String, Path, description = "the member's DID"),
        ("domain" = String, Path, description = "the domain, each character of it that is special in a path escaped"),
    ),
    responses((status = 200, description = "the newest bundle, as it was published", body = schema::Document), schema::Refused),
)]
pub async fn show(
    State(node): State<Arc<Node>>,
    Path((organization, domain)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let none = || Problem::not_found(format!("no bundle of {organization:?} for {domain:?} is known here"));
    let member = node.charter().member(&organization).ok_or_else(none)?;
    let bundle = node.view().trust_bundle(member.did().as_str(), &domain)?;
    let bundle = bundle.ok_or_else(none)?.bundle;
    Ok(answer::json(StatusCode::OK, &Value::Object(bundle)))
}
