//! Why something was refused: a closed list of codes, and the refusal itself.
//!
//! A code is for machines and never changes its meaning; the message beside it is for
//! people and says what to do next. `specs/02-credentials.md` holds the same list, and a
//! test keeps the two equal.

use std::fmt;

use crate::decision::Findings;
use crate::json::members::MemberError;

/// Where problem types live: `PROBLEM_BASE` followed by the code.
pub const PROBLEM_BASE: &str = "https://syndic.example/problems/";

macro_rules! denial_codes {
    ($($name:ident $code:literal $meaning:literal)*) => {
        /// Why something was refused. Closed: a new reason is a new code, and an old code
        /// never changes its meaning.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum DenialCode {
            $(#[doc = $meaning] $name,)*
        }

        impl DenialCode {
            /// Every code, in the order in which verification can meet them.
            pub const ALL: &'static [DenialCode] = &[$(DenialCode::$name),*];

            /// The stable name, in kebab case.
            pub fn as_str(self) -> &'static str {
                match self { $(DenialCode::$name => $code),* }
            }

            /// One sentence: what this code says.
            pub fn meaning(self) -> &'static str {
                match self { $(DenialCode::$name => $meaning),* }
            }

            /// The HTTP problem type (RFC 9457) of this code.
            pub fn problem_type(self) -> &'static str {
                match self {
                    $(DenialCode::$name => concat!("https://syndic.example/problems/", $code)),*
                }
            }
        }
    };
}

denial_codes! {
    JsonInvalid "json-invalid" "The text is not JSON as the strict reader accepts it."
    DocumentTooLarge "document-too-large" "The document, or a list in it, is larger than the stated bound."
    DocumentMalformed "document-malformed" "A member is missing, of the wrong kind, or not known here."
    ContextUnknown "context-unknown" "A JSON-LD context is missing, in the wrong place, or not one of the known ones."
    LinkedDataUnsafe "linked-data-unsafe" "A member is not defined by the document's contexts, or JSON-LD would read it another way."
    LinkedDataTooComplex "linked-data-too-complex" "To canonicalize the document as RDF takes more work than is done here."
    ConstraintUnknown "constraint-unknown" "A capability carries a constraint of a type that is not in the vocabulary."
    EnvelopeMalformed "envelope-malformed" "A JWS, SD-JWT or `data:` URL is not exactly in the form that its standard prescribes."
    EnvelopeTypeWrong "envelope-type-wrong" "The `typ` or `cty` of a JWS is not the one that is needed here."
    ClaimsDisagree "claims-disagree" "A JWT claim says something else than the document beside it."
    DisclosureInvalid "disclosure-invalid" "A disclosure is malformed, doubled, referred to by nothing, or would overwrite a claim."
    ProofMissing "proof-missing" "The document carries no proof."
    ProofUnsupported "proof-unsupported" "The proof is of a kind, suite or number that is not verified here."
    ProofMalformed "proof-malformed" "A member of the proof is missing, of the wrong kind, or not known here."
    RequestUnsigned "request-unsigned" "The request carries no signature of an action."
    RequestComponentMissing "request-component-missing" "A part of the request that must be signed is not signed, or a signed one is not there."
    ContentDigestMismatch "content-digest-mismatch" "The content of the request is not the one whose digest was signed."
    ProofChainBroken "proof-chain-broken" "A previous proof that the proof builds on is not there, or proofs build on each other in a circle."
    ProofPurposeWrong "proof-purpose-wrong" "The proof was made for another purpose than this kind of document needs."
    ProofFromTheFuture "proof-from-the-future" "The proof says it was created later than now, beyond the tolerated clock skew."
    ProofExpired "proof-expired" "The proof's own `expires` has passed."
    VerificationMethodForeign "verification-method-foreign" "The key that signed does not belong to the one who is said to have signed."
    VerificationMethodUnresolved "verification-method-unresolved" "The signer's DID does not resolve to a document."
    VerificationMethodUnknown "verification-method-unknown" "The signer's DID document has no such verification method, or one of a key type that is not verified here."
    VerificationMethodUnauthorized "verification-method-unauthorized" "The signer's DID document does not list the method for this purpose."
    VerificationMethodUnsuitable "verification-method-unsuitable" "The key that signed is of another kind than the proof's suite uses."
    SignatureInvalid "signature-invalid" "The signature does not fit these bytes and this key."
    KeyCompromised "key-compromised" "The key that signed is compromised, and nothing shows that the document is older than that."
    NotYetValid "not-yet-valid" "The credential's `validFrom` lies in the future."
    Expired "expired" "The credential's `validUntil` has passed."
    ValidityTooLong "validity-too-long" "The credential is valid for longer than the stated bound."
    StatusMissing "status-missing" "The credential has no entry in a revocation list."
    StatusUnknown "status-unknown" "The status cannot be told from what is known here, so the credential counts as revoked."
    Revoked "revoked" "The issuer has revoked the credential."
    Suspended "suspended" "The issuer has suspended the credential."
    AgentSuspended "agent-suspended" "The agent has been suspended by its organization."
    AgentRetired "agent-retired" "The agent has been retired by its organization."
    IssuerUnknown "issuer-unknown" "Nothing is known here about the issuer."
    IssuerRemoved "issuer-removed" "The charter has removed the issuer's organization from the consortium."
    IssuerFrozen "issuer-frozen" "The issuer's organization told two stories and is frozen."
    IssuerNotAuthorized "issuer-not-authorized" "The issuer is not authorized to grant this action on this resource."
    HolderMismatch "holder-mismatch" "The credential was issued to somebody else than the one who uses it."
    KeyBindingMissing "key-binding-missing" "The holder of an SD-JWT must show that it has the key, and did not."
    KeyBindingInvalid "key-binding-invalid" "The key binding of an SD-JWT is malformed, too old, or not made over what was shown."
    ChallengeMismatch "challenge-mismatch" "The proof answers another challenge than the one asked."
    DomainMismatch "domain-mismatch" "The proof was made for another verifier."
    ChallengeUnknown "challenge-unknown" "The challenge was not issued here."
    ChallengeUsed "challenge-used" "The challenge has been used."
    ChallengeExpired "challenge-expired" "The challenge has expired."
    ActionWindow "action-window" "The action's time window is not open now, or is too long."
    AudienceMismatch "audience-mismatch" "The action is addressed to another verifier."
    CapabilityMismatch "capability-mismatch" "The action names another credential than the one enclosed, by id or by digest."
    CapabilityNotGranted "capability-not-granted" "No capability of the credential covers this action, resource and scope."
    ChainTooLong "chain-too-long" "The capability has been handed on more often than is allowed at all."
    ChainBroken "chain-broken" "A credential of the chain does not follow from the next one, or that is not enclosed."
    DelegationNotAllowed "delegation-not-allowed" "The credential may not be handed on, or not so many times."
    OwnerChanged "owner-changed" "A delegated credential names another owner than the one it was handed on from."
    DelegationWider "delegation-wider" "A delegated credential grants more, or for longer, than the one it was handed on from."
    ParameterMissing "parameter-missing" "A constraint limits a parameter that the action does not have."
    ParameterMalformed "parameter-malformed" "A parameter is neither a plain value nor an amount in a unit, or not of the kind its constraint compares."
    UnitMismatch "unit-mismatch" "The parameter's unit is not the constraint's unit."
    ValueNotExact "value-not-exact" "The parameter is not the one value allowed."
    ValueOutOfRange "value-out-of-range" "The parameter is below the minimum or above the maximum."
    ValueNotListed "value-not-listed" "The parameter is not one of the values allowed."
    ValueExcluded "value-excluded" "The parameter is one of the values excluded."
    ValueLacking "value-lacking" "The list in the parameter lacks a value that it must have."
    ValueNotSubset "value-not-subset" "The list in the parameter has a value that is not allowed."
    ValuePrefixWrong "value-prefix-wrong" "The parameter does not begin as it must, or leads out of there again."
    PurposeNotAllowed "purpose-not-allowed" "The action is for a purpose that is not allowed, or for none."
    OutsideHours "outside-hours" "The capability may not be used on this day or at this time of day."
    AudienceNotAllowed "audience-not-allowed" "The capability may not be used at this verifier."
    ApprovalRequired "approval-required" "Everything holds, except that somebody must approve."
    KnowledgeStale "knowledge-stale" "What is known about the issuer is older than the verifier allows."
    NotWitnessed "not-witnessed" "Too few other members have lately cosigned what is known about the issuer."
    RateExceeded "rate-exceeded" "The capability has been used as often as it may be in this period."
    BudgetExceeded "budget-exceeded" "The capability has been used for as much as it may be in this period."
    ActionReplayed "action-replayed" "The action's nonce has been used."
    KnowledgeUnavailable "knowledge-unavailable" "Something that must be asked could not be asked now; trying again may help."
}

impl DenialCode {
    /// The code with this stable name.
    pub fn named(name: &str) -> Option<DenialCode> {
        DenialCode::ALL.iter().copied().find(|code| code.as_str() == name)
    }
}

impl fmt::Display for DenialCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One reason for a refusal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    /// The stable code.
    pub code: DenialCode,
    /// For people: what is wrong and what to do.
    pub message: String,
    /// JSON Pointer (RFC 6901) to the member at fault in the text that was given;
    /// empty: the whole text, or nothing in it.
    pub at: String,
}

impl Reason {
    /// A reason.
    pub fn new(code: DenialCode, at: impl Into<String>, message: impl Into<String>) -> Reason {
        Reason {
            code,
            message: message.into(),
            at: at.into(),
        }
    }
}

impl From<MemberError> for Reason {
    fn from(error: MemberError) -> Reason {
        let message = format!("expected {}", error.expected);
        Reason::new(DenialCode::DocumentMalformed, error.path, message)
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.at.is_empty() {
            write!(f, "{}: {}", self.code, self.message)
        } else {
            write!(f, "{} at {}: {}", self.code, self.at, self.message)
        }
    }
}

/// What the refusal means for the one who asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefusalKind {
    /// No.
    Deny,
    /// Not yet: everything holds but an approval that is named in the reasons.
    ApprovalRequired,
}

/// A refusal: at least one reason, and what had been established when it fell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Denied(Box<Refusal>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Refusal {
    kind: RefusalKind,
    first: Reason,
    more: Vec<Reason>,
    findings: Findings,
}

impl Denied {
    /// A refusal for one reason.
    pub fn new(reason: Reason, findings: Findings) -> Denied {
        Denied(Box::new(Refusal {
            kind: RefusalKind::Deny,
            first: reason,
            more: Vec::new(),
            findings,
        }))
    }

    /// The same, with further reasons after the first.
    pub(crate) fn with_more(mut self, more: Vec<Reason>) -> Denied {
        self.0.more.extend(more);
        self
    }

    /// The same, as "not without approval".
    pub(crate) fn pending_approval(mut self) -> Denied {
        self.0.kind = RefusalKind::ApprovalRequired;
        self
    }

    /// Plain refusal, or only an approval is lacking.
    pub fn kind(&self) -> RefusalKind {
        self.0.kind
    }

    /// The code of the first reason: the one to act on.
    pub fn code(&self) -> DenialCode {
        self.0.first.code
    }

    /// The first reason.
    pub fn first(&self) -> &Reason {
        &self.0.first
    }

    /// All reasons, the first to act on first. Never empty.
    pub fn reasons(&self) -> impl Iterator<Item = &Reason> {
        std::iter::once(&self.0.first).chain(&self.0.more)
    }

    /// What had been established before the refusal.
    pub fn findings(&self) -> &Findings {
        &self.0.findings
    }
}

impl fmt::Display for Denied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind() {
            RefusalKind::Deny => f.write_str("denied: ")?,
            RefusalKind::ApprovalRequired => f.write_str("approval required: ")?,
        }
        for (index, reason) in self.reasons().enumerate() {
            if index > 0 {
                f.write_str("; ")?;
            }
            write!(f, "{reason}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Denied {}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn codes_are_kebab_case_unique_and_found_by_name() {
        let mut seen = std::collections::BTreeSet::new();
        for &code in DenialCode::ALL {
            let name = code.as_str();
            assert!(seen.insert(name), "{name} twice");
            assert!(name.bytes().all(|b| b.is_ascii_lowercase() || b == b'-'));
            assert_eq!(DenialCode::named(name), Some(code));
            assert_eq!(code.problem_type(), format!("{PROBLEM_BASE}{name}"));
        }
        assert_eq!(DenialCode::named("no-such-code"), None);
    }

    #[test]
    fn a_refusal_reads_as_a_sentence() {
        let denied = Denied::new(
            Reason::new(DenialCode::Expired, "/validUntil", "issue it again"),
            Findings::default(),
        );
        assert_eq!(denied.to_string(), "denied: expired at /validUntil: issue it again");
    }
}
