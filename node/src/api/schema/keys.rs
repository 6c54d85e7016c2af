//! Keys of the organization, and trust bundles.

use serde::Serialize;
use utoipa::ToSchema;

use super::{Document, Place};

/// The organization's public keys.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Keys {
    /// What signs credentials.
    pub credential_key: CredentialKey,
    /// What answers for the others (multikey).
    pub root_key: String,
    /// What signs the heads of the log now (multikey).
    pub log_key: String,
    /// What the next log key must hash to, if that was promised.
    pub next_log_key: Option<String>,
    /// How the log key changed under the present card.
    pub rotations: Vec<RotationShape>,
}

/// The key that signs credentials.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CredentialKey {
    /// The key (multikey).
    pub key: String,
    /// Its name in the organization's DID document.
    pub verification_method: String,
}

/// One change of the log key.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RotationShape {
    /// The key that was replaced (multikey).
    pub previous: String,
    /// The key that took its place (multikey).
    pub log_key: String,
    /// The smallest size of a head that it signs.
    pub from: u64,
}

/// The log key has changed.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Rotated {
    /// The key that was replaced (multikey).
    pub previous: String,
    /// The key that took its place (multikey).
    pub log_key: String,
    /// The smallest size of a head that it signs.
    pub from: u64,
    /// Where the statement stands.
    pub statement: Place,
}

/// A key that is compromised.
#[derive(Debug, Serialize, ToSchema)]
pub struct CompromisedShape {
    /// A verification method (a DID URL with a fragment) or a multikey.
    #[schema(min_length = 1)]
    pub key: String,
    /// Since when, as far as that is known, in whole seconds; for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
}

/// What the key signed counts no longer, unless it was anchored before.
#[derive(Debug, Serialize, ToSchema)]
pub struct Compromised {
    /// Where the first statement that says so stands.
    pub statement: Place,
    /// Whether one of the organization's present keys has this name.
    pub known: bool,
}

/// A trust bundle to be published.
#[derive(Debug, Serialize, ToSchema)]
pub struct NewTrustBundle {
    /// Whose keys they are: a SPIFFE trust domain or another URI.
    #[schema(min_length = 1)]
    pub domain: String,
    /// `spiffe` or `jwks`.
    pub format: String,
    /// A SPIFFE bundle or JSON Web Key Set with at most 64 keys.
    pub bundle: Document,
}
