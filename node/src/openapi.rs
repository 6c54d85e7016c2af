//! The description of the HTTP interface (OpenAPI 3.1), made from the routes themselves: a route that is not described
//! cannot be reached, and what is described is what is routed.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::get;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{ComponentsBuilder, Info, License, OpenApi};
use utoipa_axum::router::OpenApiRouter;

use crate::api::{answer, schema};
use crate::node::Node;

/// The path at which each listener describes itself.
pub const PATH: &str = "/openapi.json";

/// The routes of a listener, and beside them the description of them.
pub fn described(routes: OpenApiRouter<Arc<Node>>, node: Arc<Node>, listener: &'static str) -> Router {
    let (router, document) = routes.split_for_parts();
    // What is written here is made of strings and numbers, so that writing it cannot fail.
    let text: Arc<[u8]> = describe(document, listener)
        .to_json()
        .unwrap_or_default()
        .into_bytes()
        .into();
    router
        .with_state(node)
        .merge(Router::new().route(PATH, get(serve)).with_state(text))
}

/// Finishes the document that the routes made.
#[must_use]
pub fn describe(mut document: OpenApi, listener: &str) -> OpenApi {
    let mut info = Info::new(
        format!("Syndic, {listener} listener"),
        env!("CARGO_PKG_VERSION").to_owned(),
    );
    info.description = Some(
        "DIDs, capability credentials and the trust registry of a consortium. Every error is an RFC 9457 problem \
         document; a refusal is never a 2xx."
            .to_owned(),
    );
    let mut license = License::new("Apache-2.0");
    license.identifier = Some("Apache-2.0".to_owned());
    info.license = Some(license);
    document.info = info;
    let components = document.components.get_or_insert_with(Default::default);
    // The answers that several operations share are named by them, and described here.
    let shared = ComponentsBuilder::new()
        .schema_from::<schema::Allowed>()
        .schema_from::<schema::AsOfShape>()
        .schema_from::<schema::DecisionShape>()
        .schema_from::<schema::Denial>()
        .schema_from::<schema::Document>()
        .schema_from::<schema::ProblemDocument>()
        .schema_from::<schema::ReasonShape>()
        .build();
    components.schemas.extend(shared.schemas);
    if listener == ADMIN {
        let shown = ComponentsBuilder::new()
            .schema_from::<schema::decisions::AllowedWithBundle>()
            .schema_from::<schema::decisions::DeniedWithBundle>()
            .build();
        components.schemas.extend(shown.schemas);
        components.security_schemes.insert(
            "admin_token".to_owned(),
            SecurityScheme::Http(HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build()).into(),
        );
    }
    document
}

/// The name of the listener for strangers.
pub const PUBLIC: &str = "public";
/// The name of the listener for the organization's own people.
pub const ADMIN: &str = "admin";

/// `GET /openapi.json`
async fn serve(State(text): State<Arc<[u8]>>) -> Response {
    answer::with_type(StatusCode::OK, "application/json", text.to_vec())
}
