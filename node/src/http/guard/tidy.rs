//! The last touch on an answer: an error that is not JSON yet becomes a problem document.

use axum::body::{Body, to_bytes};
use axum::http::header::{ALLOW, CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse, Response};

use super::super::limits::MAX_DETAIL;
use super::super::problem::Problem;

/// `response` in the form in which it may leave.
pub(super) async fn tidied(response: Response, method: &Method) -> Response {
    if method == Method::OPTIONS && response.status() == StatusCode::METHOD_NOT_ALLOWED {
        return options(response);
    }
    let status = response.status();
    let error = status.is_client_error() || status.is_server_error();
    if !error || is_json(response.headers()) {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    parts.headers.remove(CONTENT_LENGTH);
    parts.headers.remove(CONTENT_TYPE);
    let text = to_bytes(body, MAX_DETAIL).await.unwrap_or_default();
    let text = String::from_utf8_lossy(&text).into_owned();
    let mut tidy = problem(status, &parts.headers, text).into_response();
    for (name, value) in &parts.headers {
        tidy.headers_mut().append(name, value.clone());
    }
    tidy
}

/// The answer to a question for methods: those of the resource. No CORS headers, so browsers ask
/// in vain for other sites.
fn options(response: Response) -> Response {
    let allow = response
        .headers()
        .get(ALLOW)
        .and_then(|allow| allow.to_str().ok())
        .map_or_else(|| "OPTIONS".to_owned(), |allow| format!("{allow},OPTIONS"));
    let mut answer = Response::new(Body::empty());
    *answer.status_mut() = StatusCode::NO_CONTENT;
    if let Ok(allow) = HeaderValue::from_str(&allow) {
        answer.headers_mut().insert(ALLOW, allow);
    }
    answer
}

fn is_json(headers: &HeaderMap) -> bool {
    headers
        .get(CONTENT_TYPE)
        .and_then(|kind| kind.to_str().ok())
        .and_then(|kind| kind.split(';').next())
        // DID Resolution tells its errors in a form of its own, which is JSON by another name.
        .map(str::trim_end)
        .is_some_and(|essence| essence.ends_with("json") || essence.starts_with("application/did-"))
}

fn problem(status: StatusCode, headers: &HeaderMap, text: String) -> Problem {
    let or = |usual: &str| {
        if text.is_empty() {
            usual.to_owned()
        } else {
            text.clone()
        }
    };
    match status {
        StatusCode::METHOD_NOT_ALLOWED => {
            let allow = headers.get(ALLOW).and_then(|allow| allow.to_str().ok());
            let mut problem = Problem::method_not_allowed(allow.unwrap_or("other methods"));
            // The response's own header is put back with the others.
            problem.headers.remove(ALLOW);
            problem
        }
        StatusCode::NOT_FOUND => Problem::not_found(or("there is nothing at this path")),
        // What an unexpected failure says of itself is for the log only.
        StatusCode::INTERNAL_SERVER_ERROR => Problem::internal(),
        _ => {
            let reason = status.canonical_reason().unwrap_or("error");
            let slug = reason.to_ascii_lowercase().replace(' ', "-");
            Problem::new(status, &slug, or(reason))
        }
    }
}
