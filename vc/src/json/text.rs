//! Strings of a document. The words of Syndic's own formats cost no allocation: most strings of a
//! credential are such words, and reading one is a fraction of the price of allocating it.

use std::fmt;
use std::ops::Deref;

/// A string of a JSON document. Reads like a `&str`; a copy of its own is `String::from(text)`.
#[derive(Clone)]
pub struct Text(Form);

/// Which form a string has is not visible: both mean the same.
#[derive(Clone)]
enum Form {
    Known(&'static str),
    Other(Box<str>),
}

impl Text {
    /// The name of a member.
    pub(super) fn name(text: &str) -> Self {
        Self(known_name(text).map_or_else(|| Form::Other(text.into()), Form::Known))
    }

    /// The value of a member, or an item of an array.
    pub(super) fn value(text: &str) -> Self {
        Self(known_value(text).map_or_else(|| Form::Other(text.into()), Form::Known))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match &self.0 {
            Form::Known(text) => text,
            Form::Other(text) => text,
        }
    }
}

impl Deref for Text {
    type Target = str;

    fn deref(&self) -> &str {
        self.as_str()
    }
}

impl AsRef<str> for Text {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl PartialEq for Text {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for Text {}

impl PartialEq<str> for Text {
    fn eq(&self, other: &str) -> bool {
        self.as_str() == other
    }
}

impl PartialEq<&str> for Text {
    fn eq(&self, other: &&str) -> bool {
        self.as_str() == *other
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self)
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self::value(text)
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        Self(Form::Other(text.into()))
    }
}

impl From<Text> for String {
    fn from(text: Text) -> Self {
        match text.0 {
            Form::Known(text) => text.to_owned(),
            Form::Other(text) => text.into(),
        }
    }
}

impl From<&Text> for String {
    fn from(text: &Text) -> Self {
        text.as_str().to_owned()
    }
}

macro_rules! known {
    ($function:ident: $($word:literal)*) => {
        /// The one copy of a frequent word. A word that is missing here works the same, only
        /// slower.
        fn $function(text: &str) -> Option<&'static str> {
            match text {
                $($word => Some($word),)*
                _ => None,
            }
        }
    };
}

known! {
    known_name:
    "@context" "action" "agent" "allowed" "alsoKnownAs" "approver" "assertionMethod" "at"
    "audience" "authentication" "authority" "capability" "capabilityDelegation"
    "capabilityInvocation" "challenge" "cleared" "constraint" "controller" "created"
    "credential" "credentialStatus" "credentialSubject" "cryptosuite" "days" "delegation"
    "digest" "domain" "encodedList" "entity" "expires" "from" "holder" "hours" "id" "issuer"
    "keyAgreement" "kind" "length" "list" "maxDepth" "maximum" "minimum" "name" "nonce" "owner"
    "parameter" "parameters" "presentation" "proof" "proofPurpose" "proofValue"
    "publicKeyMultibase" "purpose" "resource" "scope" "service" "serviceEndpoint" "set"
    "statusListCredential" "statusListIndex" "statusPurpose" "timeZone" "to" "ttl" "type" "unit"
    "validFrom" "validUntil" "value" "values" "verifiableCredential" "verificationMethod"
}

known! {
    known_value:
    "00:00" "24:00" "AgentCapabilityCredential" "BitstringStatusListEntry" "DataIntegrityProof" "Multikey"
    "UTC" "VerifiableCredential" "VerifiablePresentation" "approval" "assertionMethod" "audience"
    "authentication" "call" "capabilityInvocation" "ecdsa-jcs-2019" "ecdsa-rdfc-2019" "eddsa-jcs-2022"
    "eddsa-rdfc-2022" "exact" "fri" "hours" "https://www.w3.org/ns/credentials/v2" "message" "mon" "oneOf"
    "range" "read" "revocation" "sat" "sun" "suspension" "thu" "tue" "wed" "write"
}
