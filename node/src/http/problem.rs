//! Problem documents (RFC 9457): the one form of every error.

use std::time::Duration;

use axum::body::Body;
use axum::http::header::{ALLOW, CONNECTION, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value};
use syndic_vc::denial::PROBLEM_BASE;

/// The content type of a problem document.
pub const CONTENT_TYPE_PROBLEM: &str = "application/problem+json";

/// An error as the caller sees it.
#[derive(Debug, Clone)]
pub struct Problem {
    /// The HTTP status, repeated in the document.
    pub status: StatusCode,
    /// A URL that names the kind of problem; stable.
    pub type_: String,
    /// The kind in a few words; the same for every problem of the kind.
    pub title: String,
    /// What was wrong this time, and what to do.
    pub detail: String,
    /// Further members; they cannot replace those above.
    pub members: Map<String, Value>,
    /// Headers of the answer.
    pub headers: Box<HeaderMap>,
}

impl Problem {
    /// A problem of the kind `slug` (lower case and hyphens), whose title is the status's usual
    /// text.
    #[must_use]
    pub fn new(status: StatusCode, slug: &str, detail: impl Into<String>) -> Self {
        Self {
            status,
            type_: format!("{PROBLEM_BASE}{slug}"),
            title: status.canonical_reason().unwrap_or("Error").to_owned(),
            detail: detail.into(),
            members: Map::new(),
            headers: Box::default(),
        }
    }

    /// Another title.
    #[must_use]
    pub fn titled(mut self, title: impl Into<String>) -> Self {
        self.title = title.into();
        self
    }

    /// The URL of the thing the problem is about.
    #[must_use]
    pub fn about(self, instance: impl Into<String>) -> Self {
        self.with("instance", instance.into())
    }

    /// One more member.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.members.insert(name.to_owned(), value.into());
        self
    }

    /// One more header; one that cannot be written is left out.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.insert(name, value);
        }
        self
    }

    /// The connection is closed after the answer, because what follows on it is not understood.
    #[must_use]
    pub fn closing(self) -> Self {
        self.header(CONNECTION, "close")
    }

    /// 400: the request cannot be understood.
    #[must_use]
    pub fn bad_request(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "bad-request", detail)
    }

    /// 401: no token, or a wrong one.
    #[must_use]
    pub fn unauthorized(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "unauthorized", detail).header(WWW_AUTHENTICATE, "Bearer")
    }

    /// 403: understood and refused.
    #[must_use]
    pub fn forbidden(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "forbidden", detail)
    }

    /// 404: there is no such thing.
    #[must_use]
    pub fn not_found(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not-found", detail)
    }

    /// 405: not with this method. `allow` lists those that are possible.
    #[must_use]
    pub fn method_not_allowed(allow: &str) -> Self {
        let detail = format!("this resource answers to {allow} only");
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "method-not-allowed", detail).header(ALLOW, allow)
    }

    /// 408: the request did not arrive in time.
    #[must_use]
    pub fn too_slow(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::REQUEST_TIMEOUT, "request-timeout", detail).closing()
    }

    /// 413: the body has more than `limit` bytes.
    #[must_use]
    pub fn too_large(limit: u64) -> Self {
        let detail = format!("the body is larger than {limit} bytes; send less");
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "too-large", detail)
            .with("limit", limit)
            .closing()
    }

    /// 415: the body is of a kind that is not read.
    #[must_use]
    pub fn unsupported_media_type(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported-media-type", detail)
    }

    /// 421: this server does not answer for the name it was called by.
    #[must_use]
    pub fn misdirected(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::MISDIRECTED_REQUEST, "misdirected", detail)
    }

    /// 429: come back after `wait`.
    #[must_use]
    pub fn too_many_requests(detail: impl Into<String>, wait: Duration) -> Self {
        Self::new(StatusCode::TOO_MANY_REQUESTS, "too-many-requests", detail).retry_after(wait)
    }

    /// 500: a fault of this program; the cause is in its log and not in the answer.
    #[must_use]
    pub fn internal() -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal",
            "the node failed at this request; its log says more",
        )
    }

    /// 503: not now; try again.
    #[must_use]
    pub fn unavailable(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", detail).retry_after(Duration::from_secs(1))
    }

    fn retry_after(self, wait: Duration) -> Self {
        let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
        self.header(RETRY_AFTER, &seconds.max(1).to_string())
    }

    /// The document.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let mut document = self.members.clone();
        document.insert("type".into(), self.type_.clone().into());
        document.insert("title".into(), self.title.clone().into());
        document.insert("status".into(), self.status.as_u16().into());
        document.insert("detail".into(), self.detail.clone().into());
        Value::Object(document)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = Response::new(Body::from(self.to_json().to_string()));
        *response.status_mut() = self.status;
        *response.headers_mut() = *self.headers;
        let problem = HeaderValue::from_static(CONTENT_TYPE_PROBLEM);
        response.headers_mut().insert(CONTENT_TYPE, problem);
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_document_has_its_members_and_extras_cannot_replace_them() {
        let problem = Problem::bad_request("no").with("status", 200).with("offset", 7);
        let expected = serde_json::json!({
            "type": "https://syndic.example/problems/bad-request",
            "title": "Bad Request",
            "status": 400,
            "detail": "no",
            "offset": 7,
        });
        assert_eq!(problem.to_json(), expected);
    }

    #[test]
    fn waits_are_whole_seconds_rounded_up() {
        for (wait, header) in [(0, "1"), (1, "1"), (1000, "1"), (1001, "2")] {
            let problem = Problem::too_many_requests("slow down", Duration::from_millis(wait));
            let expected = HeaderValue::from_static(header);
            assert_eq!(problem.headers.get(RETRY_AFTER), Some(&expected));
        }
    }
}
