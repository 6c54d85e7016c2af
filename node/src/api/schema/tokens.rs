//! The shapes of the OAuth doors.

use serde::Serialize;
use utoipa::{IntoResponses, ToSchema};

use super::{Document, ProblemDocument};

/// A presentation to be exchanged for a token (RFC 8693 section 2.1).
#[derive(Debug, Serialize, ToSchema)]
pub struct TokenRequest {
    /// `urn:ietf:params:oauth:grant-type:token-exchange`
    pub grant_type: String,
    /// A presentation: JSON, a `vp+jwt`, or JSON in base64url.
    pub subject_token: String,
    /// `urn:syndic:token-type:presentation`
    pub subject_token_type: String,
    /// The challenge that the presentation answers.
    pub challenge: String,
    /// The service, if `resource` does not name it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub audience: Option<String>,
    /// The service, if `audience` does not name it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource: Option<String>,
    /// Asks for less: values `action:resource`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// Asks for less: an array of items of type `syndic_capability` (RFC 9396), as JSON text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authorization_details: Option<String>,
    /// The holder's DID.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
    /// What the token is for: a name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub task_id: Option<String>,
    /// What the token is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub task_purpose: Option<String>,
}

/// A token (RFC 8693 section 2.2.1).
#[derive(Debug, Serialize, ToSchema)]
pub struct TokenAnswer {
    /// The token, a JWT.
    pub access_token: String,
    /// `urn:ietf:params:oauth:token-type:access_token`
    pub issued_token_type: String,
    /// `DPoP`
    pub token_type: String,
    /// For how many seconds it lives.
    pub expires_in: i64,
    /// What it grants.
    pub authorization_details: Vec<Document>,
    /// What was asked for, if by scope.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
}

/// A question about a token (RFC 7662 section 2.1).
#[derive(Debug, Serialize, ToSchema)]
pub struct IntrospectionRequest {
    /// The token.
    pub token: String,
    /// Not looked at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_type_hint: Option<String>,
    /// The DPoP proof that came with it; together with the two below.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dpop_proof: Option<String>,
    /// The method of the request that it came with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dpop_method: Option<String>,
    /// The URL of that request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dpop_url: Option<String>,
}

/// Whether a token holds; if it does, with all its claims.
#[derive(Debug, Serialize, ToSchema)]
pub struct IntrospectionAnswer {
    /// Whether it holds now, for the service that asks.
    pub active: bool,
    /// On the admin listener: why not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// `DPoP`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_type: Option<String>,
}

/// A token to be ended (RFC 7009 section 2.1).
#[derive(Debug, Serialize, ToSchema)]
pub struct RevocationRequest {
    /// The token.
    pub token: String,
    /// Not looked at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_type_hint: Option<String>,
}

/// A JSON Web Key Set.
#[derive(Debug, Serialize, ToSchema)]
pub struct KeySet {
    /// The keys.
    pub keys: Vec<Document>,
}

/// An OAuth error (RFC 6749 section 5.2).
#[derive(Debug, Serialize, ToSchema)]
pub struct OAuthErrorShape {
    /// `invalid_request`, `invalid_grant`, `invalid_dpop_proof`, ...
    pub error: String,
    /// What was wrong this time.
    pub error_description: String,
    /// The code of the first reason, if a presentation was refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// The decision, if a presentation was refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decision: Option<Document>,
}

/// How a request at an OAuth door can be refused.
#[derive(Debug, IntoResponses)]
pub enum OAuthRefused {
    /// The request is malformed or refused.
    #[response(status = 400)]
    Refused(OAuthErrorShape),
    /// A page of another origin asked.
    #[response(status = 403, content_type = "application/problem+json")]
    Origin(ProblemDocument),
    /// The request did not arrive in time.
    #[response(status = 408, content_type = "application/problem+json")]
    Slow(ProblemDocument),
    /// The body is larger than 1 MiB.
    #[response(status = 413, content_type = "application/problem+json")]
    Large(ProblemDocument),
    /// The body is no form.
    #[response(status = 415, content_type = "application/problem+json")]
    MediaType(ProblemDocument),
    /// The request names a host that this listener does not answer for.
    #[response(status = 421, content_type = "application/problem+json")]
    Host(ProblemDocument),
    /// More requests than this listener answers from one address.
    #[response(status = 429, content_type = "application/problem+json")]
    Rate(ProblemDocument),
    /// Not now: the store does not answer, or the node is overloaded.
    #[response(status = 503, content_type = "application/problem+json")]
    Unavailable(ProblemDocument),
}
