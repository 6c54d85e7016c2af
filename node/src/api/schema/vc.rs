//! The shapes of the VC API: issuing, status, verifying.

use serde::Serialize;
use utoipa::ToSchema;

use super::Document;

/// A credential to be signed.
#[derive(Debug, Serialize, ToSchema)]
pub struct IssueShape {
    /// The credential, unsigned (VCDM 2.0 or 1.1).
    pub credential: Document,
    /// Options; those that are not known are ignored.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub options: Option<IssueOptions>,
}

/// Options of issuing.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct IssueOptions {
    /// The status entries that the credential is to get: `revocation`, `suspension`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status_purposes: Option<Vec<String>>,
}

/// A signed credential.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct IssuedShape {
    /// The credential with its proof, or the object that stands for it in an envelope.
    pub verifiable_credential: Document,
}

/// A capability credential for an agent.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CapabilityShape {
    /// What the agent may do.
    pub capability: Vec<Document>,
    /// Whether it may delegate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delegation: Option<Document>,
    /// RFC 3339; now if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub valid_from: Option<String>,
    /// RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub valid_until: Option<String>,
    /// In place of `validUntil`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub valid_for_seconds: Option<u32>,
    /// The issuing instance; the first one of the organization if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instance: Option<String>,
}

/// One line of the list of credentials.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CredentialLine {
    /// Its id.
    pub id: String,
    /// The subject, if it has an id.
    pub agent: Option<String>,
    /// When it was issued.
    pub issued: String,
    /// Until when it is valid.
    pub valid_until: Option<String>,
    /// `valid`, `revoked`, `suspended`, `expired` or `unknown`.
    pub status: String,
}

/// The credentials that were issued here.
#[derive(Debug, Serialize, ToSchema)]
pub struct CredentialList {
    /// One line each.
    pub credentials: Vec<CredentialLine>,
}

/// An issued credential and its status.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CredentialShown {
    /// The credential as it was signed.
    pub verifiable_credential: Document,
    /// `valid`, `revoked`, `suspended`, `expired` or `unknown`.
    pub status: String,
}

/// A status to be set, or a suspension to be lifted.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct StatusChangeShape {
    /// The credential.
    pub credential_id: String,
    /// Which of its entries.
    pub credential_status: StatusNamed,
    /// True sets; false lifts a suspension. A revocation is never taken back.
    pub status: bool,
}

/// An entry by its purpose.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct StatusNamed {
    /// `BitstringStatusListEntry`.
    #[serde(rename = "type")]
    pub kind: String,
    /// `revocation` or `suspension`.
    pub status_purpose: String,
}

/// A status that was set.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct StatusChanged {
    /// The credential.
    pub credential_id: String,
    /// What it is now.
    pub status: String,
    /// Where the statement stands; null if nothing had to be said.
    pub statement: Option<Document>,
    /// When it was durable.
    pub acknowledged: String,
}

/// One issuing instance.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct InstanceShape {
    /// Its name.
    pub name: String,
    /// How it signs.
    pub suite: String,
    /// `ed25519`, `p256` or `p384`.
    pub key: String,
    /// The issuer of what it signs.
    pub did: String,
    /// The key as proofs name it.
    pub verification_method: String,
    /// The purposes of the status entries that it adds.
    pub status: Vec<String>,
    /// Where it is asked to sign.
    pub path: String,
}

/// The issuing instances, the one that answers at `/credentials/issue` first.
#[derive(Debug, Serialize, ToSchema)]
pub struct InstanceList {
    /// One row each.
    pub issuers: Vec<InstanceShape>,
}

/// A credential to be verified.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CredentialQuestion {
    /// The credential, or the object that stands for it in an envelope.
    pub verifiable_credential: Document,
    /// Ignored: all that is checked is always checked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub options: Option<Document>,
}

/// A presentation to be verified.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PresentationQuestion {
    /// The presentation, or the object that stands for it in an envelope.
    pub verifiable_presentation: Document,
    /// The challenge that was handed out.
    pub options: PresentationOptions,
}

/// What a presentation must answer.
#[derive(Debug, Serialize, ToSchema)]
pub struct PresentationOptions {
    /// The challenge that was handed out.
    pub challenge: String,
    /// This organization's DID.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub domain: Option<String>,
}

/// What a challenge is wanted for.
#[derive(Debug, Serialize, ToSchema)]
pub struct ChallengeRequest {
    /// The thumbprint of a DPoP key (RFC 7638): whoever presents with this challenge gets a token for that key only.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(pattern = "^[A-Za-z0-9_-]{43}$")]
    pub dpop_jkt: Option<String>,
}

/// A challenge.
#[derive(Debug, Serialize, ToSchema)]
pub struct ChallengeShape {
    /// To be signed.
    pub challenge: String,
    /// To be signed too.
    pub domain: String,
    /// Until when.
    pub expires: String,
}

/// The proofs of a document hold, and nothing else was checked. Permits nothing.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ProofReport {
    /// Always true.
    pub verified: bool,
    /// Always `none`.
    pub permission: String,
    /// What was checked.
    pub checked: Vec<String>,
    /// What was not.
    pub not_checked: Vec<String>,
    /// The keys that signed, in the order of the proofs.
    pub verification_methods: Vec<String>,
}

/// Claims to be signed as an SD-JWT.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SdJwtClaims {
    /// The type of the credential.
    pub vct: String,
    /// The claims.
    pub claims: Document,
    /// JSON Pointers to the claims that the holder may withhold.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disclosable: Option<Vec<String>>,
    /// The DID whose key must show it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub holder: Option<String>,
    /// RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub valid_from: Option<String>,
    /// RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub valid_until: Option<String>,
}

/// A signed SD-JWT with all its disclosures.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SdJwtIssued {
    /// For the holder.
    pub sd_jwt: String,
}

/// An SD-JWT to be verified.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SdJwtQuestion {
    /// The token, its disclosures, and the key binding if one was asked for.
    pub sd_jwt: String,
    /// The challenge that was handed out, if the holder is to show itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub options: Option<PresentationOptions>,
}

/// An SD-JWT that holds.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SdJwtVerified {
    /// Always true.
    pub verified: bool,
    /// Who issued it.
    pub issuer: String,
    /// Its type.
    pub vct: String,
    /// The claims that were shown.
    pub claims: Document,
    /// The key that showed it; null if that was not asked for.
    pub holder_key: Option<Document>,
    /// The decision.
    pub decision: super::DecisionShape,
}
