//! How results and errors of DID Resolution are written.

use axum::http::StatusCode;
use axum::response::Response;
use syndic_vc::dereference::DereferenceError;
use syndic_vc::json::{Object, Value};
use syndic_vc::object;

use super::accept::Form;
use crate::api::answer::with_type;
use crate::records::encode;
use crate::resolution::{ResolutionError, Resolved};

const UNIVERSAL_CONTEXT: &str = "https://w3id.org/did-resolution/v1";

/// Why there is no document, as the standard names it.
#[derive(Debug)]
pub(super) struct Failure {
    status: StatusCode,
    /// The last part of the error's URL.
    name: &'static str,
    /// The same in the Universal Resolver's form.
    word: &'static str,
    title: &'static str,
    detail: String,
    deactivated: bool,
}

impl Failure {
    fn new(status: StatusCode, names: (&'static str, &'static str), title: &'static str, detail: &str) -> Self {
        Self {
            status,
            name: names.0,
            word: names.1,
            title,
            detail: detail.to_owned(),
            deactivated: false,
        }
    }

    /// 406
    pub(super) fn not_acceptable() -> Self {
        let detail = "ask for application/did-resolution, application/did, application/did+json, \
                      application/did+ld+json or application/did-url-dereferencing";
        let names = ("REPRESENTATION_NOT_SUPPORTED", "representationNotSupported");
        Self::new(StatusCode::NOT_ACCEPTABLE, names, "no such form", detail)
    }

    /// 400 for a text that is no DID, or no DID URL.
    pub(super) fn invalid(url: bool, detail: &str) -> Self {
        let (names, title) = if url {
            (("INVALID_DID_URL", "invalidDidUrl"), "not a DID URL")
        } else {
            (("INVALID_DID", "invalidDid"), "not a DID")
        };
        Self::new(StatusCode::BAD_REQUEST, names, title, detail)
    }

    /// 400 for options that cannot be carried out.
    pub(super) fn invalid_options(detail: &str) -> Self {
        let names = ("INVALID_OPTIONS", "invalidOptions");
        Self::new(StatusCode::BAD_REQUEST, names, "options that mean nothing", detail)
    }

    fn not_found(title: &'static str, detail: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, ("NOT_FOUND", "notFound"), title, detail)
    }

    fn feature(detail: &str) -> Self {
        let names = ("FEATURE_NOT_SUPPORTED", "featureNotSupported");
        Self::new(StatusCode::NOT_IMPLEMENTED, names, "not done here", detail)
    }

    /// The answer. The bare document has no place for an error, so the resolution result stands in for it.
    pub(super) fn respond(&self, form: Form) -> Response {
        let error = object! {
            "type": format!("https://www.w3.org/ns/did#{}", self.name),
            "title": self.title,
            "detail": self.detail.as_str(),
        };
        let mut metadata = Object::new();
        if self.deactivated {
            metadata.insert("deactivated", true);
        }
        let metadata = Value::Object(metadata);
        match form {
            Form::Dereferencing => write(
                self.status,
                form,
                &object! {
                    "dereferencingMetadata": object! { "error": error },
                    "contentStream": Value::Null,
                    "contentMetadata": metadata,
                },
            ),
            Form::Universal => {
                let about = object! { "error": self.word, "errorMessage": self.detail.as_str() };
                write(self.status, form, &result(form, Value::Null, metadata, about))
            }
            form => {
                let form = if form == Form::Json { form } else { Form::Resolution };
                let about = object! { "error": error };
                write(self.status, form, &result(form, Value::Null, metadata, about))
            }
        }
    }
}

/// 200 with a whole document.
pub(super) fn document(form: Form, document: &Value, resolved: &Resolved) -> Response {
    let metadata = Value::Object(resolved.metadata.clone());
    let value = match form {
        Form::Document(_) => document.clone(),
        Form::Dereferencing => content(document, metadata),
        form => {
            let about = object! { "contentType": "application/did" };
            result(form, document.clone(), metadata, about)
        }
    };
    write(StatusCode::OK, form, &value)
}

/// 200 with a part of a document.
pub(super) fn part(form: Form, part: &Value) -> Response {
    let value = match form {
        Form::Document(_) => part.clone(),
        _ => content(part, object! {}),
    };
    write(StatusCode::OK, form, &value)
}

/// 410: there was a document, and its subject has ended it.
pub(super) fn deactivated(form: Form, resolved: &Resolved) -> Response {
    let mut metadata = resolved.metadata.clone();
    metadata.insert("deactivated", true);
    let metadata = Value::Object(metadata);
    let value = match form {
        Form::Dereferencing => object! {
            "dereferencingMetadata": object! {},
            "contentStream": Value::Null,
            "contentMetadata": metadata,
        },
        form => result(form, Value::Null, metadata, object! {}),
    };
    let form = if matches!(form, Form::Document(_)) {
        Form::Resolution
    } else {
        form
    };
    write(StatusCode::GONE, form, &value)
}

fn content(content: &Value, metadata: Value) -> Value {
    object! {
        "dereferencingMetadata": object! { "contentType": "application/did" },
        "contentStream": content.clone(),
        "contentMetadata": metadata,
    }
}

fn result(form: Form, document: Value, metadata: Value, about: Value) -> Value {
    let mut result = Object::new();
    if form == Form::Universal {
        result.insert("@context", UNIVERSAL_CONTEXT);
    }
    result.insert("didDocument", document);
    result.insert("didDocumentMetadata", metadata);
    result.insert("didResolutionMetadata", about);
    Value::Object(result)
}

fn write(status: StatusCode, form: Form, value: &Value) -> Response {
    with_type(status, form.media_type(), encode(value))
}

/// Whose fault it is decides the status: what the caller wrote is never a 5xx, except that the standard has 501 for
/// methods and features that are not here. What another host serves, or this node's store holds, is not the caller's
/// doing.
impl From<&ResolutionError> for Failure {
    fn from(error: &ResolutionError) -> Self {
        let detail = error.to_string();
        let broken = |names, title| Self::new(StatusCode::INTERNAL_SERVER_ERROR, names, title, &detail);
        match error {
            ResolutionError::Invalid(_) => Self::invalid(false, &detail),
            ResolutionError::Method(_) => {
                let names = ("METHOD_NOT_SUPPORTED", "methodNotSupported");
                Self::new(StatusCode::NOT_IMPLEMENTED, names, "unknown DID method", &detail)
            }
            ResolutionError::NotFound(_) => Self::not_found("no such DID", &detail),
            ResolutionError::Versions(_) => Self::feature(&detail),
            ResolutionError::Deactivated => Self {
                deactivated: true,
                ..Self::new(
                    StatusCode::GONE,
                    ("DEACTIVATED", "deactivated"),
                    "ended by its subject",
                    &detail,
                )
            },
            ResolutionError::Document(_) => broken(("INVALID_DID_DOCUMENT", "invalidDidDocument"), "not its document"),
            ResolutionError::Unavailable(_) => broken(("INTERNAL_ERROR", "internalError"), "cannot be told now"),
        }
    }
}

impl From<&DereferenceError> for Failure {
    fn from(error: &DereferenceError) -> Self {
        let detail = error.to_string();
        match error {
            DereferenceError::NoSuchPart(_) | DereferenceError::NoSuchService(_) => {
                Self::not_found("no such part of the document", &detail)
            }
            DereferenceError::Reference(_) => Self::invalid_options(&detail),
            _ => Self::feature(&detail),
        }
    }
}
