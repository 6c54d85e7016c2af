//! DID Resolution and DID URL dereferencing over HTTP (W3C DID Resolution, HTTP binding).

mod accept;
mod answer;
mod asked;

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use syndic_vc::dereference::{DereferenceError, Target, dereference};

use accept::Form;
use answer::Failure;
use asked::Asked;

use crate::api::schema;
use crate::hosted;
use crate::http::problem::Problem;
use crate::node::Node;
use crate::resolution::{self, Resolved};

/// Where the resource lies.
const PREFIX: &str = "/1.0/identifiers/";

/// `GET /1.0/identifiers/{did}`: a DID or a DID URL, raw or percent-encoded.
#[utoipa::path(
    get,
    path = "/1.0/identifiers/{did}",
    tag = "identities",
    params(
        ("did" = String, Path, description = "a DID or DID URL, as it is or percent-encoded"),
        ("versionId" = Option<String>, Query, description = "the version of this name"),
        ("versionTime" = Option<String>, Query, description = "the version in force at this time, in UTC"),
        ("versionNumber" = Option<String>, Query, description = "the version of this number"),
        ("service" = Option<String>, Query, description = "the fragment of a service's id"),
        ("relativeRef" = Option<String>, Query, description = "a reference within the service"),
    ),
    responses(
        (status = 200, description = "the result in the form that `Accept` asks for", content(
            (schema::Document = "application/did-resolution"),
            (schema::Document = "application/did"),
            (schema::Document = "application/did+json"),
            (schema::Document = "application/did+ld+json"),
            (schema::Document = "application/did-url-dereferencing"),
            (schema::Document = "application/ld+json"),
            (schema::Document = "application/json"),
        )),
        (status = 303, description = "the address of a service"),
        (status = "4XX", description = "the result with its error", content(
            (schema::Document = "application/did-resolution"),
            (schema::Document = "application/did-url-dereferencing"),
            (schema::Document = "application/ld+json"),
            (schema::Document = "application/json"),
            (schema::Document = "application/problem+json"),
        )),
        (status = "5XX", description = "the result with its error", content(
            (schema::Document = "application/did-resolution"),
            (schema::Document = "application/did-url-dereferencing"),
            (schema::Document = "application/ld+json"),
            (schema::Document = "application/json"),
            (schema::Document = "application/problem+json"),
        )),
    ),
)]
pub async fn resolve(State(node): State<Arc<Node>>, uri: Uri, headers: HeaderMap) -> Response {
    let Some(form) = accept::form_of(&headers) else {
        return Failure::not_acceptable().respond(Form::Resolution);
    };
    let text = uri.path().strip_prefix(PREFIX).unwrap_or_default();
    let asked = match Asked::read(text, uri.query(), form) {
        Ok(asked) => asked,
        Err(failure) => return failure.respond(form),
    };
    let form = asked.form;
    let did = asked.url.did().clone();
    let version = asked.parameters.version.clone();
    // Documents are read from the store, and some are fetched.
    let resolving = tokio::task::spawn_blocking(move || resolution::resolve(&node, &did, version.as_ref()));
    match resolving.await {
        Ok(Ok(resolved)) => found(&asked, &resolved),
        Ok(Err(error)) => Failure::from(&error).respond(form),
        Err(error) => {
            tracing::error!(%error, "a resolution did not end");
            Problem::internal().into_response()
        }
    }
}

/// `GET /.well-known/did.json`: the organization's own `did:web`.
///
/// # Errors
/// 404 if it has none.
#[utoipa::path(
    get,
    path = "/.well-known/did.json",
    tag = "identities",
    responses((status = 200, description = "the organization's did:web", body = schema::Document), schema::Refused),
)]
pub async fn own_document(State(node): State<Arc<Node>>) -> Result<Response, Problem> {
    let document = hosted::document(&node).ok_or_else(|| {
        Problem::not_found("this organization has no did:web: its public URL is not an https URL of a whole host")
    })?;
    Ok(crate::api::answer::json(StatusCode::OK, &document.to_json()))
}

fn found(asked: &Asked, resolved: &Resolved) -> Response {
    let form = asked.form;
    if resolved.deactivated {
        return answer::deactivated(form, resolved);
    }
    match dereference(&resolved.document, &asked.url, &asked.parameters) {
        Ok(Target::Document(document)) => answer::document(form, document, resolved),
        Ok(Target::Part(part)) => answer::part(form, part),
        Ok(Target::Address(address)) => see_other(&address),
        Err(error) => Failure::from(&error).respond(form),
    }
}

/// The address of a service, which only the DID's document can have named.
fn see_other(address: &str) -> Response {
    // An address of other characters than a header may carry was refused before.
    let Ok(location) = HeaderValue::from_str(address) else {
        return Failure::from(&DereferenceError::Path).respond(Form::Dereferencing);
    };
    let mut response = StatusCode::SEE_OTHER.into_response();
    response.headers_mut().insert(header::LOCATION, location);
    response
}
