//! Turning results into responses, and requests' members into values, the same way everywhere.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use syndic_vc::did::Did;
use syndic_vc::json::Value;
use syndic_vc::proof::IssueError;
use syndic_vc::time::Timestamp;

use crate::agents::AgentError;
use crate::credentials::CredentialError;
use crate::engine::PublishError;
use crate::http::problem::Problem;
use crate::instances::InstanceError;
use crate::records::{self, RecordError};
use crate::store::{ApplyError, StoreError};

/// A JSON answer.
#[must_use]
pub fn json(status: StatusCode, value: &Value) -> Response {
    with_type(status, "application/json", records::encode(value))
}

/// An answer of a given media type.
#[must_use]
pub fn with_type(status: StatusCode, media_type: &'static str, body: Vec<u8>) -> Response {
    let mut response = (status, body).into_response();
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    response
}

/// The same answer, which may be used again for so many seconds.
#[must_use]
pub fn cached(mut response: Response, seconds: u32) -> Response {
    if let Ok(value) = HeaderValue::from_str(&format!("max-age={seconds}")) {
        response.headers_mut().insert(header::CACHE_CONTROL, value);
    }
    response
}

/// A member of the body that must be text and not empty.
///
/// # Errors
/// A 400 problem that names the member.
pub fn text<'a>(body: &'a Value, member: &str) -> Result<&'a str, Problem> {
    match body.get(member) {
        None => Err(Problem::bad_request(format!("/{member}: is missing; give a text"))),
        Some(Value::String(text)) if !text.is_empty() => Ok(text),
        Some(_) => Err(Problem::bad_request(format!(
            "/{member}: must be a text that is not empty"
        ))),
    }
}

/// A member that may be absent, and is text otherwise.
///
/// # Errors
/// A 400 problem that names the member.
pub fn optional_text<'a>(body: &'a Value, member: &str) -> Result<Option<&'a str>, Problem> {
    if body.get(member).is_none() {
        Ok(None)
    } else {
        text(body, member).map(Some)
    }
}

/// A member that is a DID.
///
/// # Errors
/// A 400 problem that names the member.
pub fn did(body: &Value, member: &str) -> Result<Did, Problem> {
    Did::parse(text(body, member)?).map_err(|error| Problem::bad_request(format!("/{member}: {error}")))
}

/// A member that may be absent, and is an RFC 3339 time otherwise.
///
/// # Errors
/// A 400 problem that names the member.
pub fn optional_time(body: &Value, member: &str) -> Result<Option<Timestamp>, Problem> {
    optional_text(body, member)?
        .map(|text| Timestamp::parse(text).map_err(|error| Problem::bad_request(format!("/{member}: {error}"))))
        .transpose()
}

/// Refuses a body that is no object or has members nobody asked for: a misspelt limit must not be silently ignored.
///
/// # Errors
/// A 400 problem that names the member.
pub fn only(body: &Value, known: &[&str]) -> Result<(), Problem> {
    let Value::Object(members) = body else {
        return Err(Problem::bad_request("the body must be a JSON object".to_owned()));
    };
    for (name, _) in members.iter() {
        if !known.contains(&name) {
            return Err(Problem::bad_request(format!(
                "/{name}: is not known here; known are {}",
                known.join(", ")
            )));
        }
    }
    Ok(())
}

/// The same problem, its JSON Pointer moved below `parent`.
#[must_use]
pub fn within(parent: &str, mut problem: Problem) -> Problem {
    if problem.detail.starts_with('/') {
        problem.detail.insert_str(0, parent);
    }
    problem
}

/// 409: the request does not fit what is there.
fn conflict(detail: String) -> Problem {
    Problem::new(StatusCode::CONFLICT, "conflict", detail)
}

fn store_failed(error: &dyn std::fmt::Display) -> Problem {
    tracing::error!(%error, "the store failed");
    Problem::unavailable(format!("the node's store cannot do this now: {error}"))
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        store_failed(&error)
    }
}

impl From<ApplyError> for Problem {
    fn from(error: ApplyError) -> Self {
        store_failed(&error)
    }
}

impl From<RecordError> for Problem {
    fn from(error: RecordError) -> Self {
        store_failed(&error)
    }
}

impl From<syndic_registry::store::ReadError> for Problem {
    fn from(error: syndic_registry::store::ReadError) -> Self {
        store_failed(&error)
    }
}

impl From<PublishError> for Problem {
    fn from(error: PublishError) -> Self {
        store_failed(&error)
    }
}

impl From<crate::keys::RandomError> for Problem {
    fn from(error: crate::keys::RandomError) -> Self {
        store_failed(&error)
    }
}

impl From<AgentError> for Problem {
    fn from(error: AgentError) -> Self {
        match error {
            AgentError::Invalid { .. } | AgentError::KeyElsewhere(_) => Self::bad_request(error.to_string()),
            AgentError::Taken(_) | AgentError::Retired(_) | AgentError::Suspended(_) | AgentError::Succeeded(_) => {
                conflict(error.to_string())
            }
            AgentError::Unknown(_) => Self::not_found(error.to_string()),
            AgentError::Credential(inner) => (*inner).into(),
            AgentError::Random(inner) => inner.into(),
            AgentError::Record(inner) => inner.into(),
            AgentError::Publish(inner) => inner.into(),
        }
    }
}

impl From<CredentialError> for Problem {
    fn from(error: CredentialError) -> Self {
        match error {
            CredentialError::Refused(ref reason) | CredentialError::Agents(IssueError::Refused(ref reason)) => {
                let code = reason.code.as_str();
                Self::bad_request(error.to_string()).with("code", code)
            }
            CredentialError::Invalid { .. } => Self::bad_request(error.to_string()),
            CredentialError::Agents(IssueError::Sign(inner)) | CredentialError::Sign(inner) => store_failed(&inner),
            CredentialError::Unknown(_) => Self::not_found(error.to_string()),
            CredentialError::Taken(_) => conflict(error.to_string()),
            CredentialError::Agent(inner) => inner.into(),
            CredentialError::Instance(error @ (InstanceError::Unknown(_) | InstanceError::None)) => {
                Self::not_found(error.to_string())
            }
            CredentialError::Instance(inner) => store_failed(&inner),
            CredentialError::StatusList(inner) => store_failed(&inner),
            CredentialError::Random(inner) => inner.into(),
            CredentialError::Record(inner) => inner.into(),
            CredentialError::Store(inner) => inner.into(),
            CredentialError::Publish(inner) => inner.into(),
        }
    }
}
