//! DID documents: the keys a DID stands for, and what each key is for (DID Core 1.0 section 5).

use crate::did::{Did, DidUrl};
use crate::json::Value;
use crate::key::PublicKey;

mod reader;
mod writer;

pub use reader::DocumentError;

/// What a DID stands for, as far as verification needs it. Members of a document that are not named
/// here are not kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DidDocument {
    /// The DID itself.
    pub id: Did,
    /// Who else may change the document.
    pub controller: Vec<Did>,
    /// Other names of the same subject.
    pub also_known_as: Vec<String>,
    /// All keys. A key may be used only for the relationships that name it.
    pub verification_method: Vec<VerificationMethod>,
    /// Keys that prove control of the DID, as in a presentation.
    pub authentication: Vec<DidUrl>,
    /// Keys that sign credentials.
    pub assertion_method: Vec<DidUrl>,
    /// Keys that sign actions.
    pub capability_invocation: Vec<DidUrl>,
    /// Keys that delegate.
    pub capability_delegation: Vec<DidUrl>,
    /// Keys to encrypt to.
    pub key_agreement: Vec<DidUrl>,
    /// Where the subject can be reached.
    pub service: Vec<Service>,
}

/// One key of a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerificationMethod {
    /// Its name, which proofs refer to.
    pub id: DidUrl,
    /// Who holds the secret half.
    pub controller: Did,
    /// The key.
    pub key: MultikeyValue,
}

/// The key material of a verification method.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MultikeyValue {
    /// A key that verifies signatures here, written as a `Multikey`.
    Multikey(PublicKey),
    /// The same kind of key, written as a `JsonWebKey`; the text is kept as it stands.
    Jwk(PublicKey, Value),
    /// Another kind of key, as its multibase text.
    Other(String),
    /// A verification method of another type, as it stands. It is kept so that the document can be
    /// shown, and it verifies nothing.
    Unsupported(Value),
}

impl MultikeyValue {
    /// The key, if it can verify signatures here.
    #[must_use]
    pub const fn public_key(&self) -> Option<&PublicKey> {
        match self {
            Self::Multikey(key) | Self::Jwk(key, _) => Some(key),
            Self::Other(_) | Self::Unsupported(_) => None,
        }
    }
}

/// A service (DID Core 1.0 section 5.4).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Service {
    /// Its name, a URI.
    pub id: String,
    /// Its types; at least one.
    pub kind: Vec<String>,
    /// Where it is: a URI, an object, or an array of these.
    pub endpoint: Value,
}

/// What a key may be used for (DID Core 1.0 section 5.3; the `proofPurpose` of a proof).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Purpose {
    /// To sign credentials.
    AssertionMethod,
    /// To prove control of the DID.
    Authentication,
    /// To sign actions.
    CapabilityInvocation,
    /// To delegate.
    CapabilityDelegation,
    /// To be encrypted to.
    KeyAgreement,
}

impl Purpose {
    /// All purposes.
    pub const ALL: [Self; 5] = [
        Self::AssertionMethod,
        Self::Authentication,
        Self::CapabilityInvocation,
        Self::CapabilityDelegation,
        Self::KeyAgreement,
    ];

    /// The name in documents and proofs: `assertionMethod`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AssertionMethod => "assertionMethod",
            Self::Authentication => "authentication",
            Self::CapabilityInvocation => "capabilityInvocation",
            Self::CapabilityDelegation => "capabilityDelegation",
            Self::KeyAgreement => "keyAgreement",
        }
    }

    /// The purpose of that name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|purpose| purpose.as_str() == name)
    }
}

/// The document has no such key for this purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MethodError {
    /// No verification method of that name.
    #[error("the DID document has no such verification method")]
    Unknown,
    /// The verification method exists, but not for this purpose.
    #[error("the DID document does not authorize this verification method for this purpose")]
    Unauthorized,
}

impl DidDocument {
    /// A document that names nothing but its DID.
    #[must_use]
    pub const fn new(id: Did) -> Self {
        Self {
            id,
            controller: Vec::new(),
            also_known_as: Vec::new(),
            verification_method: Vec::new(),
            authentication: Vec::new(),
            assertion_method: Vec::new(),
            capability_invocation: Vec::new(),
            capability_delegation: Vec::new(),
            key_agreement: Vec::new(),
            service: Vec::new(),
        }
    }

    /// The names of the keys for a purpose.
    #[must_use]
    pub fn relationship(&self, purpose: Purpose) -> &[DidUrl] {
        match purpose {
            Purpose::AssertionMethod => &self.assertion_method,
            Purpose::Authentication => &self.authentication,
            Purpose::CapabilityInvocation => &self.capability_invocation,
            Purpose::CapabilityDelegation => &self.capability_delegation,
            Purpose::KeyAgreement => &self.key_agreement,
        }
    }

    fn relationship_mut(&mut self, purpose: Purpose) -> &mut Vec<DidUrl> {
        match purpose {
            Purpose::AssertionMethod => &mut self.assertion_method,
            Purpose::Authentication => &mut self.authentication,
            Purpose::CapabilityInvocation => &mut self.capability_invocation,
            Purpose::CapabilityDelegation => &mut self.capability_delegation,
            Purpose::KeyAgreement => &mut self.key_agreement,
        }
    }

    /// The verification method of that name, if the document authorizes it for the purpose.
    ///
    /// # Errors
    /// [`MethodError`]: there is none, or it is not for that.
    pub fn method_for(&self, id: &str, purpose: Purpose) -> Result<&VerificationMethod, MethodError> {
        let method = self
            .verification_method
            .iter()
            .find(|method| method.id.as_str() == id)
            .ok_or(MethodError::Unknown)?;
        if self.relationship(purpose).contains(&method.id) {
            Ok(method)
        } else {
            Err(MethodError::Unauthorized)
        }
    }
}

#[cfg(test)]
mod tests;
