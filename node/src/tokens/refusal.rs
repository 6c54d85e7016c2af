//! How the OAuth doors say no (RFC 6749 section 5.2): `{"error", "error_description"}`, and the decision where one fell.

use axum::http::header::WWW_AUTHENTICATE;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use syndic_vc::decision::Decision;
use syndic_vc::denial::Denied;
use syndic_vc::json::{Object, Value};

use crate::api::answer;
use crate::http::problem::Problem;
use crate::http::strict_form::FormError;

/// Why a request at an OAuth door was refused.
#[derive(Debug)]
pub enum OAuthError {
    /// `invalid_request`: a parameter is missing, comes twice or cannot be read.
    Request(String),
    /// `unsupported_grant_type`.
    GrantType,
    /// `invalid_client`: a service did not show that it is one.
    Client,
    /// `invalid_grant`: the presentation was refused.
    Grant(Box<Denied>),
    /// `invalid_dpop_proof` (RFC 9449 section 5).
    Dpop(String),
    /// `invalid_target` (RFC 8707 section 2): no tokens are made for this service.
    Target(String),
    /// `invalid_scope`: more than was granted, or not understood.
    Scope(String),
    /// `invalid_authorization_details` (RFC 9396 section 5): the same.
    Details(String),
    /// The node cannot answer now; no fault of the request.
    Node(Box<Problem>),
}

/// `error`, `error_description`, and the refusal of a presentation.
type Parts = (&'static str, String, Option<Box<Denied>>);

impl OAuthError {
    /// What its body is made of; a problem document where it is no OAuth error.
    fn parts(self) -> Result<Parts, Box<Problem>> {
        Ok(match self {
            Self::Request(text) => ("invalid_request", text, None),
            Self::GrantType => {
                let text = format!("the one grant_type here is {}", super::grant::GRANT_TYPE);
                ("unsupported_grant_type", text, None)
            }
            Self::Client => (
                "invalid_client",
                "ask as a service of [[tokens.services]], by HTTP Basic".to_owned(),
                None,
            ),
            Self::Grant(denied) => ("invalid_grant", denied.first().to_string(), Some(denied)),
            Self::Dpop(text) => ("invalid_dpop_proof", text, None),
            Self::Target(text) => ("invalid_target", text, None),
            Self::Scope(text) => ("invalid_scope", text, None),
            Self::Details(text) => ("invalid_authorization_details", text, None),
            Self::Node(problem) => return Err(problem),
        })
    }
}

impl From<FormError> for OAuthError {
    fn from(error: FormError) -> Self {
        Self::Request(error.to_string())
    }
}

impl<P: Into<Problem>> From<P> for OAuthError {
    fn from(problem: P) -> Self {
        Self::Node(Box::new(problem.into()))
    }
}

/// The characters that a description may have (RFC 6749 section 5.2); others become the nearest or a question mark.
fn description(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '"' | '\\' => '\'',
            ' '..='~' => c,
            _ => '?',
        })
        .collect()
}

impl IntoResponse for OAuthError {
    fn into_response(self) -> Response {
        let (error, text, denied) = match self.parts() {
            Ok(parts) => parts,
            Err(problem) => return problem.into_response(),
        };
        let mut body = Object::new();
        body.insert("error", error);
        body.insert("error_description", description(&text));
        if let Some(denied) = &denied {
            body.insert("code", denied.code().as_str());
            body.insert("decision", Decision::refused(denied).to_object());
        }
        let status = match error {
            "invalid_client" => StatusCode::UNAUTHORIZED,
            _ => StatusCode::BAD_REQUEST,
        };
        let mut response = answer::json(status, &Value::from(body));
        if status == StatusCode::UNAUTHORIZED {
            let basic = HeaderValue::from_static("Basic realm=\"introspection\", charset=\"UTF-8\"");
            response.headers_mut().insert(WWW_AUTHENTICATE, basic);
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::description;

    #[test]
    fn descriptions_have_plain_characters_only() {
        assert_eq!(description("it is \"\u{e9}\\\u{7}\" ~!"), "it is '?'?' ~!");
    }
}
