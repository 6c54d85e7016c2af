//! Member names. The names of Syndic's own formats cost no allocation: half of all strings in a
//! credential are names, and reading one is half the price of allocating them.

use std::fmt;
use std::ops::Deref;

/// A member name. Which form it has is not visible.
#[derive(Clone)]
pub(super) enum Name {
    Known(&'static str),
    Other(Box<str>),
}

impl Name {
    pub(super) const EMPTY: Self = Self::Known("");

    pub(super) fn new(text: &str) -> Self {
        known(text).map_or_else(|| Self::Other(text.into()), Self::Known)
    }
}

impl Deref for Name {
    type Target = str;

    fn deref(&self) -> &str {
        match self {
            Self::Known(text) => text,
            Self::Other(text) => text,
        }
    }
}

impl PartialEq for Name {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Eq for Name {}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
}

impl From<Name> for String {
    fn from(name: Name) -> Self {
        match name {
            Name::Known(text) => text.to_owned(),
            Name::Other(text) => text.into(),
        }
    }
}

macro_rules! known {
    ($($name:literal)*) => {
        /// The one copy of a frequent name. A name that is missing here works the same, only
        /// slower.
        fn known(text: &str) -> Option<&'static str> {
            match text {
                $($name => Some($name),)*
                _ => None,
            }
        }
    };
}

known! {
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
