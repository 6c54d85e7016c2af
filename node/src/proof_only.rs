//! Looking at proofs and at nothing else: what the proof-only door and `syndic vc verify --proof-only` answer.
//!
//! Not whose proof it is, not whether the credential is in force, not whether anybody trusts its issuer. The answer
//! names all that was left out, permits nothing, and has no decision in it that a program could take for one.

use std::sync::Arc;

use syndic_vc::denial::Denied;
use syndic_vc::did::Did;
use syndic_vc::document::DidDocument;
use syndic_vc::json::Value;
use syndic_vc::key::PublicKey;
use syndic_vc::object;
use syndic_vc::resolve::{self, ResolveError};
use syndic_vc::status::StatusPurpose;
use syndic_vc::time::Timestamp;
use syndic_vc::trust::{AgentStanding, Freshness, KeyStanding, Knowledge, Standing, StatusBit};
use syndic_vc::verify::{self, Policy, ProofChecked};

use crate::node::CLOCK_SKEW_SECONDS;

/// What is left out.
pub const NOT_CHECKED: [&str; 6] = ["issuerKey", "validity", "status", "agent", "standing", "freshness"];

/// The answer about a document whose proofs hold.
#[must_use]
pub fn report(checked: &ProofChecked) -> Value {
    let names = |names: &[&str]| names.iter().map(|name| Value::from(*name)).collect::<Vec<_>>();
    let steps: Vec<&str> = checked.findings().checked.iter().map(|step| step.as_str()).collect();
    let methods: Vec<&str> = checked.verification_methods().iter().map(String::as_str).collect();
    object! {
        "verified": true,
        "permission": "none",
        "checked": names(&steps),
        "notChecked": names(&NOT_CHECKED),
        "verificationMethods": names(&methods),
    }
}

/// Checks the proofs of a document whose signers' DIDs are their own documents, with nothing but the document.
///
/// # Errors
/// What is wrong with the proof.
pub fn offline(document: Value, now: Timestamp) -> Result<ProofChecked, Denied> {
    let policy = Policy {
        authority: String::new(),
        max_staleness_seconds: 0,
        witnesses: 0,
        clock_skew_seconds: CLOCK_SKEW_SECONDS,
    };
    verify::proof_only_value(document, &policy, &SelfDescribed, now)
}

/// Knows the documents of `did:key` and `did:jwk`, and nothing about anybody.
struct SelfDescribed;

const NO_NODE: &str = "no node was asked";

impl Knowledge for SelfDescribed {
    fn document(&self, did: &Did) -> Result<Arc<DidDocument>, ResolveError> {
        resolve::self_described(did).map(Arc::new)
    }

    fn standing(&self, _: &str, _: &Did, _: &str, _: &str, _: Timestamp) -> Standing {
        Standing::Unavailable(NO_NODE.to_owned())
    }

    fn status(&self, _: &Did, _: &str, _: StatusPurpose, _: u64) -> StatusBit {
        StatusBit::Unknown(NO_NODE.to_owned())
    }

    fn agent(&self, _: &Did, _: Timestamp) -> AgentStanding {
        AgentStanding::Unavailable(NO_NODE.to_owned())
    }

    fn key_standing(&self, _: &Did, _: &str, _: &PublicKey, _: &dyn Fn() -> String) -> KeyStanding {
        KeyStanding::Good
    }

    fn freshness(&self, _: &Did) -> Option<Freshness> {
        None
    }
}
