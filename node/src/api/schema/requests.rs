//! The shapes of signed HTTP requests (document 11 of the specifications).

use serde::Serialize;
use utoipa::ToSchema;

use super::Document;

/// What an agent does, in either of two forms: a signed action with the credential it is done under, or a signed HTTP
/// request with what it means.
#[derive(Debug, Serialize, ToSchema)]
pub struct Invocation {
    /// A signed action.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub action: Option<Document>,
    /// The credential that the action is done under.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub credential: Option<Document>,
    /// The credentials that one was handed on from: its parent first, the root last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chain: Option<Vec<Document>>,
    /// A signed request, as the service got it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request: Option<ReceivedRequest>,
    /// What the request means: `action`, `resource`, `scope`, `parameters`, `purpose` as in an action.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub meaning: Option<Document>,
}

/// A request as a service got it.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReceivedRequest {
    /// The method.
    pub method: String,
    /// The absolute URI, as the service is called from outside.
    pub target: String,
    /// Name and value of each field line.
    pub fields: Vec<[String; 2]>,
    /// The content, in base64url without padding.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
    /// In its place its SHA-256, in base64url without padding.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content_sha256: Option<String>,
}

/// A request that an agent is about to send.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct NewRequest {
    /// The id of the credential that allows it, or the credential.
    pub credential: serde_json::Value,
    /// The credentials that it was handed on from, nearest first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chain: Option<Vec<Document>>,
    /// The method.
    pub method: String,
    /// The absolute URI.
    pub target: String,
    /// The content, in base64url without padding.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
    /// How long the request may be sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_in_seconds: Option<i64>,
}

/// The fields that the request needs beside its own.
#[derive(Debug, Serialize, ToSchema)]
pub struct RequestFields {
    /// Name and value of each.
    pub fields: Vec<[String; 2]>,
}
