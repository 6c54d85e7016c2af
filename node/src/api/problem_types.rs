//! The problem types of the W3C documents, for those of our codes that they have a word for.
//!
//! A verifier written to the standards finds the type that it knows in `problemDetails[].type`; the code beside it is
//! finer and is the one to act on.

use syndic_vc::denial::DenialCode;

/// Verifiable Credentials Data Model 2.0, section 7.1.
const DATA_MODEL: [&str; 3] = [
    "https://www.w3.org/TR/vc-data-model#PARSING_ERROR",
    "https://www.w3.org/TR/vc-data-model#MALFORMED_VALUE_ERROR",
    "https://www.w3.org/TR/vc-data-model#RANGE_ERROR",
];
/// Verifiable Credential Data Integrity 1.0, section 4.7.
const DATA_INTEGRITY: [&str; 4] = [
    "https://w3id.org/security#PROOF_VERIFICATION_ERROR",
    "https://w3id.org/security#PROOF_TRANSFORMATION_ERROR",
    "https://w3id.org/security#INVALID_DOMAIN_ERROR",
    "https://w3id.org/security#INVALID_CHALLENGE_ERROR",
];
/// Bitstring Status List 1.0, section 3.4.
const STATUS_RETRIEVAL_ERROR: &str = "https://www.w3.org/ns/credentials/status-list#STATUS_RETRIEVAL_ERROR";

/// The type of a request that is no JSON document.
pub(super) const PARSING_ERROR: &str = DATA_MODEL[0];
/// The type of a request with a member that is missing or of the wrong kind.
pub(super) const MALFORMED_VALUE_ERROR: &str = DATA_MODEL[1];

/// The W3C problem type of a code, or our own where there is none: revoked, suspended, no standing and the like are
/// judgements that the W3C documents leave to the verifier.
#[must_use]
pub(super) fn of(code: DenialCode) -> &'static str {
    let [parsing, malformed, range] = DATA_MODEL;
    let [proof, transformation, domain, challenge] = DATA_INTEGRITY;
    match code {
        DenialCode::JsonInvalid => parsing,
        DenialCode::DocumentMalformed
        | DenialCode::ContextUnknown
        | DenialCode::ConstraintUnknown
        | DenialCode::ClaimsDisagree => malformed,
        DenialCode::DocumentTooLarge | DenialCode::NotYetValid | DenialCode::Expired | DenialCode::ValidityTooLong => {
            range
        }
        DenialCode::ProofMissing
        | DenialCode::ProofUnsupported
        | DenialCode::ProofMalformed
        | DenialCode::ProofPurposeWrong
        | DenialCode::ProofFromTheFuture
        | DenialCode::ProofExpired
        | DenialCode::VerificationMethodForeign
        | DenialCode::VerificationMethodUnresolved
        | DenialCode::VerificationMethodUnknown
        | DenialCode::VerificationMethodUnauthorized
        | DenialCode::VerificationMethodUnsuitable
        | DenialCode::ProofChainBroken
        | DenialCode::EnvelopeMalformed
        | DenialCode::EnvelopeTypeWrong
        | DenialCode::DisclosureInvalid
        | DenialCode::KeyBindingMissing
        | DenialCode::KeyBindingInvalid
        | DenialCode::SignatureInvalid => proof,
        DenialCode::LinkedDataUnsafe | DenialCode::LinkedDataTooComplex => transformation,
        DenialCode::DomainMismatch => domain,
        DenialCode::ChallengeMismatch
        | DenialCode::ChallengeUnknown
        | DenialCode::ChallengeUsed
        | DenialCode::ChallengeExpired => challenge,
        DenialCode::StatusUnknown => STATUS_RETRIEVAL_ERROR,
        other => other.problem_type(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::panic)]
    use super::*;

    #[test]
    fn whatever_is_wrong_with_a_proof_has_the_type_of_data_integrity() {
        for code in DenialCode::ALL {
            let about_a_proof = [
                "proof-",
                "verification-method-",
                "signature-",
                "envelope-",
                "disclosure-",
                "key-binding-",
            ]
            .iter()
            .any(|prefix| code.as_str().starts_with(prefix));
            assert_eq!(of(*code) == DATA_INTEGRITY[0], about_a_proof, "{code}");
        }
    }
}
