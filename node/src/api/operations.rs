//! Health, readiness, status, and the context document.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use syndic_registry::head::Head;
use syndic_vc::json::Value;
use syndic_vc::object;

use crate::api::{answer, charters, registry, schema};
use crate::http::problem::Problem;
use crate::node::Node;
use crate::store::Content;
use crate::{agents, clock, credentials, metrics};

/// Heartbeats that may be late before the node calls itself not ready: its own word is getting old.
const LATE_HEARTBEATS: i64 = 3;

/// The JSON-LD context of capability credentials; it never changes under this name.
const CONTEXT: &str = include_str!("../../../specs/capability-v1.jsonld");

/// The text form of figures that Prometheus and others read.
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// `GET /healthz`
#[utoipa::path(
    get,
    path = "/healthz",
    tag = "operations",
    responses((status = 200, description = "the process answers", body = schema::Document), schema::Refused),
)]
pub async fn healthz() -> Response {
    answer::json(StatusCode::OK, &object! { "status": "ok" })
}

/// `GET /readyz`
///
/// # Errors
/// 503 that says what is missing.
#[utoipa::path(
    get,
    path = "/readyz",
    tag = "operations",
    responses((status = 200, description = "the node can do its work", body = schema::Document), schema::Refused),
)]
pub async fn readyz(State(node): State<Arc<Node>>) -> Result<Response, Problem> {
    check_ready(&node)?;
    let warnings = charters::warnings(&node);
    let body = if warnings.is_empty() {
        object! { "status": "ready" }
    } else {
        object! { "status": "ready", "warnings": warnings }
    };
    Ok(answer::json(StatusCode::OK, &body))
}

fn check_ready(node: &Node) -> Result<(), Problem> {
    if let Content::Damaged(why) = node.store.content() {
        return Err(Problem::unavailable(why));
    }
    if let Some(version) = node.charter().removed_by(node.organization.as_str()) {
        return Err(Problem::unavailable(format!(
            "charter version {version} has removed this organization from the consortium"
        )));
    }
    let head = node.view().log(node.organization.as_str())?.head;
    let head = head.ok_or_else(|| Problem::unavailable("the node's own log has no signed head yet".to_owned()))?;
    let age = clock::now().seconds_since(head.time());
    let limit = i64::from(node.config.trust.heartbeat_seconds) * LATE_HEARTBEATS;
    if age > limit {
        return Err(Problem::unavailable(format!(
            "the node's own head was signed {age} s ago, more than {limit} s; is the store refusing writes?"
        )));
    }
    Ok(())
}

/// `GET /status`
///
/// # Errors
/// 503 if the store cannot be read.
#[utoipa::path(
    get,
    path = "/status",
    tag = "operations",
    responses((status = 200, description = "what the node is and knows", body = schema::Document), schema::Refused, schema::AdminRefused),
    security(("admin_token" = [])),
)]
pub async fn status(State(node): State<Arc<Node>>) -> Result<Response, Problem> {
    let view = node.view();
    let head = view.log(node.organization.as_str())?.head;
    let connected: Vec<Value> = node.engine.connected().iter().map(|id| id.as_str().into()).collect();
    let listen: Vec<Value> = node
        .peer_addresses
        .iter()
        .map(|address| address.as_str().into())
        .collect();
    let agents = agents::list(&node)?.len();
    let credentials = credentials::count(&node)?;
    let body = object! {
        "organization": object! { "did": node.organization.as_str(), "name": node.config.organization.name.as_str() },
        "consortium": object! {
            "id": node.consortium.as_str(),
            "name": node.charter().name(),
            "members": number(node.charter().members().len() as u64),
            "maxStaleness": i64::from(node.charter().rules().max_staleness),
            "charterVersion": i64::from(node.charter().version()),
            "charterHash": node.charter().hash(),
            "charterConflict": node.chain().conflict().is_some(),
        },
        "warnings": charters::warnings(&node),
        "version": env!("CARGO_PKG_VERSION"),
        "ready": check_ready(&node).is_ok(),
        "store": store_content(&node.store.content()),
        "publicUrl": node.config.http.public_url.as_str(),
        "peer": object! { "id": node.peer_id.as_str(), "listen": listen, "connected": connected },
        "log": object! {
            "size": number(head.as_ref().map_or(0, Head::size)),
            "root": head.as_ref().map_or(Value::Null, |head| registry::hash(head.root())),
        },
        "agents": number(agents as u64),
        "credentials": number(credentials),
        "organizations": registry::organizations(&node)?,
    };
    Ok(answer::json(StatusCode::OK, &body))
}

/// `GET /metrics`: OpenMetrics text for a monitoring system.
///
/// # Errors
/// 503 if the store cannot be read.
#[utoipa::path(
    get,
    path = "/metrics",
    tag = "operations",
    responses((status = 200, description = "figures in the OpenMetrics text form", body = String, content_type = "application/openmetrics-text"), schema::Refused, schema::AdminRefused),
    security(("admin_token" = [])),
)]
pub async fn metrics(State(node): State<Arc<Node>>) -> Result<Response, Problem> {
    let text = metrics::text(&node)?;
    Ok(answer::with_type(StatusCode::OK, OPEN_METRICS, text.into_bytes()))
}

/// How much of what was written has been compared with what is there since the node started.
fn store_content(content: &Content) -> Value {
    match content {
        Content::Checked => object! { "compared": "all" },
        Content::Checking { done, of } => {
            object! { "compared": "in progress", "records": number(*done), "of": number(*of) }
        }
        Content::Damaged(why) => object! { "compared": "damaged", "why": why.as_str() },
    }
}

/// A count. Nothing here is counted beyond 2^53.
#[must_use]
pub fn number(count: u64) -> Value {
    i64::try_from(count).unwrap_or(i64::MAX).into()
}

/// `GET /ns/capability/v1`: what the terms of capability credentials mean, for JSON-LD processors.
#[utoipa::path(
    get,
    path = "/ns/capability/v1",
    tag = "resolution",
    responses((status = 200, description = "the JSON-LD context", body = schema::Document, content_type = "application/ld+json"), schema::Refused),
)]
pub async fn capability_context() -> Response {
    answer::with_type(StatusCode::OK, "application/ld+json", CONTEXT.as_bytes().to_vec())
}
