//! DID Resolution over HTTP (W3C DID Resolution, HTTP binding).

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use syndic_vc::did::Did;
use syndic_vc::json::Value;
use syndic_vc::object;
use syndic_vc::resolve::ResolveError;
use syndic_vc::trust::Knowledge;

use crate::api::answer;
use crate::node::Node;

const RESOLUTION: &str = "application/did-resolution";
const DOCUMENT_TYPES: [&str; 3] = ["application/did", "application/did+json", "application/did+ld+json"];

/// The forms an answer may take.
enum Form {
    Result,
    Document(&'static str),
}

/// `GET /1.0/identifiers/{did}`
pub async fn resolve(State(node): State<Arc<Node>>, Path(text): Path<String>, headers: HeaderMap) -> Response {
    let Some(form) = form_of(&headers) else {
        return failure(
            StatusCode::NOT_ACCEPTABLE,
            "REPRESENTATION_NOT_SUPPORTED",
            "no such form",
            &format!("ask for {RESOLUTION} or one of {}", DOCUMENT_TYPES.join(", ")),
        );
    };
    let did = match Did::parse(&text) {
        Ok(did) => did,
        Err(error) => {
            return failure(StatusCode::BAD_REQUEST, "INVALID_DID", "not a DID", &error.to_string());
        }
    };
    match node.view().document(&did) {
        Ok(document) => success(&form, document.to_json()),
        Err(error) => refused(&error),
    }
}

/// The first form in the order of the `Accept` header that is known. Weights are not looked at: no client of this
/// interface sends several forms it can really use.
fn form_of(headers: &HeaderMap) -> Option<Form> {
    let Some(accept) = headers.get(header::ACCEPT) else {
        return Some(Form::Result);
    };
    let accept = accept.to_str().ok()?;
    accept.split(',').find_map(|range| {
        let media_type = range.split(';').next().unwrap_or_default().trim();
        match media_type {
            RESOLUTION | "*/*" | "application/*" | "application/json" => Some(Form::Result),
            other => DOCUMENT_TYPES
                .iter()
                .find(|known| **known == other)
                .map(|known| Form::Document(known)),
        }
    })
}

fn success(form: &Form, document: Value) -> Response {
    match form {
        Form::Document(media_type) => answer::with_type(StatusCode::OK, media_type, crate::records::encode(&document)),
        Form::Result => {
            let result = object! {
                "didDocument": document,
                "didDocumentMetadata": object! {},
                "didResolutionMetadata": object! { "contentType": "application/did" },
            };
            answer::with_type(StatusCode::OK, RESOLUTION, crate::records::encode(&result))
        }
    }
}

fn refused(error: &ResolveError) -> Response {
    let (status, name, title) = match error {
        ResolveError::MethodUnsupported(_) => (
            StatusCode::NOT_IMPLEMENTED,
            "METHOD_NOT_SUPPORTED",
            "unknown DID method",
        ),
        ResolveError::NotFound => (StatusCode::NOT_FOUND, "NOT_FOUND", "no such DID"),
        ResolveError::Deactivated => (StatusCode::GONE, "DEACTIVATED", "ended by its subject"),
        ResolveError::Unavailable(_) => (StatusCode::SERVICE_UNAVAILABLE, "INTERNAL_ERROR", "cannot be told now"),
        _ => (StatusCode::BAD_REQUEST, "INVALID_DID", "not a usable DID"),
    };
    failure(status, name, title, &error.to_string())
}

fn failure(status: StatusCode, name: &str, title: &str, detail: &str) -> Response {
    let result = object! {
        "didDocument": Value::Null,
        "didDocumentMetadata": object! {},
        "didResolutionMetadata": object! {
            "error": object! {
                "type": format!("https://www.w3.org/ns/did#{name}"),
                "title": title,
                "detail": detail,
            },
        },
    };
    answer::with_type(status, RESOLUTION, crate::records::encode(&result))
}
