//! The HTTP interface (specs, document 5): one file a resource, two routers.

pub mod agents;
pub mod answer;
pub mod credentials;
pub mod logs;
pub mod operations;
pub mod registry;
pub mod resolution;
pub mod trqp;
pub mod verification;

use std::sync::Arc;

use axum::Router;
use axum::routing::{get, post};

use crate::http::guard::{Bearer, Guard, Rate};
use crate::keys::TokenHash;
use crate::node::Node;

fn open_routes() -> Router<Arc<Node>> {
    Router::new()
        .route("/healthz", get(operations::healthz))
        .route("/readyz", get(operations::readyz))
        .route("/1.0/identifiers/{*did}", get(resolution::resolve))
        .route("/challenges", post(verification::challenge))
        .route("/credentials/verify", post(verification::credential))
        .route("/presentations/verify", post(verification::presentation))
        .route("/actions/verify", post(verification::action))
        .route("/status-lists/{name}", get(credentials::status_list))
        .route("/authorization", post(trqp::authorization))
        .route("/recognition", post(trqp::recognition))
        .route("/charter", get(logs::charter))
        .route("/logs/{organization}/{*path}", get(logs::file))
        .route("/ns/capability/v1", get(operations::capability_context))
}

/// What a stranger may ask.
pub fn public(node: Arc<Node>, behind_proxy: bool) -> Router {
    let per_second = node.config.http.requests_per_second;
    let guard = Guard {
        names: node.config.http.allowed_hosts.clone(),
        rate: Some(Rate {
            per_second,
            burst: per_second.saturating_mul(2),
        }),
        behind_proxy,
        ..Guard::public()
    };
    guard.protect(open_routes().with_state(node))
}

/// What the organization's own people and programs do.
pub fn admin(node: Arc<Node>, token: TokenHash, behind_proxy: bool) -> Router {
    let bearer = Bearer::new(move |presented, _extensions| token.matches(presented));
    let guard = Guard {
        names: node.config.http.allowed_hosts.clone(),
        behind_proxy,
        ..Guard::admin(bearer)
    };
    guard.protect(admin_routes().with_state(node))
}

fn admin_routes() -> Router<Arc<Node>> {
    open_routes()
        .route("/status", get(operations::status))
        .route("/agents", post(agents::create).get(agents::list))
        .route("/agents/{agent}", get(agents::show))
        .route("/agents/{agent}/retire", post(agents::retire))
        .route("/agents/{agent}/credentials", post(credentials::issue_to_agent))
        .route("/agents/{agent}/presentations", post(agents::present))
        .route("/agents/{agent}/actions", post(agents::sign_action))
        .route("/credentials", get(credentials::list))
        .route("/credentials/issue", post(credentials::issue))
        .route("/credentials/status", post(credentials::set_status))
        .route("/credentials/{id}", get(credentials::show))
        .route("/registry/authorize", post(registry::authorize))
        .route("/registry/withdraw", post(registry::withdraw))
        .route("/registry/recognize", post(registry::recognize))
        .route("/registry/withdraw-recognition", post(registry::withdraw_recognition))
        .route("/registry/members", get(registry::members))
        .route("/registry/digest", get(registry::digest))
}
