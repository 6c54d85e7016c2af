//! The HTTP interface (specs, document 5): one file a resource, two routers.

pub mod agents;
pub mod answer;
pub mod charters;
pub mod credentials;
pub mod decisions;
pub mod delegations;
pub mod forks;
pub mod keys;
pub mod logs;
pub mod operations;
mod problem_types;
pub mod registry;
pub mod resolution;
pub mod schema;
pub mod sd_jwt;
pub mod tokens;
pub mod trqp;
pub mod trust_bundles;
pub mod verification;
pub mod webvh;

use std::sync::Arc;

use axum::Router;
use axum::routing::get;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::http::guard::{Bearer, Guard, Rate};
use crate::keys::TokenHash;
use crate::node::Node;
use crate::openapi;

/// Every route is described: `routes!` routes what is described, and the three paths with a wildcard, which OpenAPI
/// writes in another way, are described first.
fn open_routes() -> OpenApiRouter<Arc<Node>> {
    let wildcards = OpenApiRouter::<Arc<Node>>::new()
        .routes(routes!(logs::file))
        .routes(routes!(resolution::resolve))
        .into_openapi();
    OpenApiRouter::with_openapi(wildcards)
        .routes(routes!(operations::healthz))
        .routes(routes!(operations::readyz))
        .route("/1.0/identifiers/{*did}", get(resolution::resolve))
        .routes(routes!(resolution::own_document))
        .routes(routes!(webvh::resolve_log))
        .routes(routes!(webvh::file))
        .routes(routes!(webvh::well_known))
        .routes(routes!(verification::challenge))
        .routes(routes!(verification::credential))
        .routes(routes!(verification::presentation))
        .routes(routes!(verification::proofs_alone))
        .routes(routes!(verification::action))
        .routes(routes!(sd_jwt::verify))
        .routes(routes!(tokens::token))
        .routes(routes!(tokens::introspect))
        .routes(routes!(tokens::revoke))
        .routes(routes!(tokens::jwks))
        .routes(routes!(tokens::server))
        .routes(routes!(tokens::provider))
        .routes(routes!(credentials::status_list))
        .routes(routes!(trqp::authorization))
        .routes(routes!(trqp::recognition))
        .routes(routes!(logs::charter))
        .routes(routes!(forks::list))
        .routes(routes!(forks::proof))
        .routes(routes!(trust_bundles::show))
        .route("/logs/{organization}/{*path}", get(logs::file))
        .routes(routes!(operations::capability_context))
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
    guard.protect(openapi::described(open_routes(), node, openapi::PUBLIC))
}

/// What the organization's own people and programs do.
pub fn admin(node: Arc<Node>, token: TokenHash, behind_proxy: bool) -> Router {
    let bearer = Bearer::new(move |presented, extensions| {
        let good = token.matches(presented);
        if good {
            extensions.insert(tokens::Operator);
        }
        good
    });
    let guard = Guard {
        names: node.config.http.allowed_hosts.clone(),
        behind_proxy,
        ..Guard::admin(bearer)
    };
    guard.protect(openapi::described(admin_routes(), node, openapi::ADMIN))
}

fn admin_routes() -> OpenApiRouter<Arc<Node>> {
    open_routes()
        .routes(routes!(operations::status))
        .routes(routes!(charters::publish))
        .routes(routes!(charters::sign))
        .routes(routes!(decisions::decide))
        .routes(routes!(operations::metrics))
        .routes(routes!(agents::create, agents::list))
        .routes(routes!(agents::show))
        .routes(routes!(agents::retire))
        .routes(routes!(agents::suspend))
        .routes(routes!(agents::resume))
        .routes(routes!(agents::succeed))
        .routes(routes!(credentials::issue_to_agent))
        .routes(routes!(agents::present))
        .routes(routes!(agents::sign_action))
        .routes(routes!(delegations::delegate))
        .routes(routes!(agents::sign_request))
        .routes(routes!(webvh::create, webvh::list))
        .routes(routes!(webvh::rotate))
        .routes(routes!(webvh::update))
        .routes(routes!(webvh::deactivate))
        .routes(routes!(credentials::list))
        .routes(routes!(credentials::issue))
        .routes(routes!(credentials::issuers))
        .routes(routes!(credentials::issue_by_instance))
        .routes(routes!(credentials::set_status))
        .routes(routes!(credentials::show))
        .routes(routes!(sd_jwt::issue))
        .routes(routes!(registry::authorize))
        .routes(routes!(registry::withdraw))
        .routes(routes!(registry::recognize))
        .routes(routes!(registry::withdraw_recognition))
        .routes(routes!(registry::members))
        .routes(routes!(registry::digest))
        .routes(routes!(keys::list))
        .routes(routes!(keys::rotate_log))
        .routes(routes!(keys::compromised))
        .routes(routes!(trust_bundles::publish))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

    use std::collections::BTreeSet;

    use serde_json::Value;

    use super::{admin_routes, open_routes, openapi};

    fn references<'a>(value: &'a Value, found: &mut BTreeSet<&'a str>) {
        match value {
            Value::Object(members) => {
                if let Some(Value::String(reference)) = members.get("$ref") {
                    found.insert(reference);
                }
                members.values().for_each(|member| references(member, found));
            }
            Value::Array(items) => items.iter().for_each(|item| references(item, found)),
            _ => {}
        }
    }

    #[test]
    fn what_the_description_names_it_describes() {
        for (routes, listener, least) in [
            (open_routes(), openapi::PUBLIC, 15),
            (admin_routes(), openapi::ADMIN, 35),
        ] {
            let document = openapi::describe(routes.into_openapi(), listener);
            let document: Value = serde_json::from_str(&document.to_json().unwrap()).unwrap();
            assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
            assert!(document["paths"].as_object().unwrap().len() >= least);
            let mut found = BTreeSet::new();
            references(&document, &mut found);
            assert!(!found.is_empty());
            for reference in found {
                let pointer = reference.strip_prefix('#').unwrap();
                assert!(document.pointer(pointer).is_some(), "{listener}: {reference}");
            }
        }
    }

    /// `routes!` routes what is described; what goes around it must be described by hand, and is counted here.
    #[test]
    fn only_paths_with_a_wildcard_go_around_the_description() {
        let source = include_str!("api.rs");
        let around: Vec<&str> = source
            .lines()
            .filter(|line| line.trim().starts_with(".route("))
            .collect();
        assert!(around.iter().all(|line| line.contains("{*")), "{around:#?}");
        assert_eq!(around.len(), 2);
    }
}
