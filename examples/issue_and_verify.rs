//! Issues a capability credential, verifies it, and shows the three ways in which it stops being good: changed by one
//! digit, expired, revoked.
//!
//!     cargo run -p syndic-examples --example issue_and_verify

use std::io::Write;

use syndic_examples::Memory;
use syndic_vc::capability::Capability;
use syndic_vc::credential::{CapabilityCredentialDraft, Owner};
use syndic_vc::decision::{Decision, Outcome};
use syndic_vc::did::Did;
use syndic_vc::json::members::Path;
use syndic_vc::key::SecretKey;
use syndic_vc::status::{StatusEntry, StatusPurpose};
use syndic_vc::time::Timestamp;
use syndic_vc::verify::{self, Policy};
use syndic_vc::{canonical, did_key, object};
use zeroize::Zeroizing;

const LIST: &str = "https://st-mary.example/status-lists/1";
const INDEX: u64 = 94_567;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // Keys of an example. A node draws them from the system and seals them into a file.
    let issuer_key = SecretKey::from_seed(Zeroizing::new([1; 32]));
    let agent_key = SecretKey::from_seed(Zeroizing::new([2; 32]));
    let (issuer, agent) = (
        did_key::for_key(issuer_key.public_key()),
        did_key::for_key(agent_key.public_key()),
    );
    let monday = Timestamp::parse("2026-06-01T08:00:00Z")?;

    let refund = object! {
        "action": "call",
        "resource": "billing_api",
        "constraint": vec![
            object! { "type": "range", "parameter": "amount", "maximum": "100.00", "unit": "USD" },
        ],
    };
    let draft = CapabilityCredentialDraft {
        id: "urn:uuid:6f1c0f8e-2f1d-4c61-9a55-0a4d1c1e7b52".to_owned(),
        issuer: issuer.clone(),
        valid_from: monday,
        valid_until: Timestamp::parse("2026-06-02T08:00:00Z")?,
        status: vec![StatusEntry {
            purpose: StatusPurpose::Revocation,
            list: LIST.to_owned(),
            index: INDEX,
        }],
        agent,
        agent_name: "CustomerSupportAgent-v2.3".to_owned(),
        owner: Owner {
            id: "https://st-mary.example/staff/4711".to_owned(),
            name: Some("Dana Reyes".to_owned()),
        },
        capability: vec![Capability::read(&refund, &Path::ROOT).map_err(|reason| reason.to_string())?],
        max_depth: 0,
    };
    let credential = draft.sign(&verification_method(&issuer), monday, &issuer_key)?;
    let text = String::from_utf8(canonical::to_bytes(&credential))?;

    let knowledge = Memory {
        trusted: [issuer].into(),
        revoked: [].into(),
        as_of: monday,
    };
    show("as issued", &text, &knowledge, monday, Outcome::Allow)?;
    show(
        "with a higher limit",
        &text.replace("100.00", "900.00"),
        &knowledge,
        monday,
        Outcome::Deny,
    )?;
    let tuesday = Timestamp::parse("2026-06-02T08:00:01Z")?;
    show(
        "a day later",
        &text,
        &Memory {
            as_of: tuesday,
            ..knowledge.clone()
        },
        tuesday,
        Outcome::Deny,
    )?;
    let revoked = Memory {
        revoked: [(LIST.to_owned(), INDEX)].into(),
        ..knowledge
    };
    show("after its revocation", &text, &revoked, monday, Outcome::Deny)
}

/// The one verification method of a did:key is its key.
fn verification_method(did: &Did) -> String {
    let key = did.as_str().rsplit(':').next().unwrap_or_default();
    format!("{did}#{key}")
}

fn show(
    what: &str,
    text: &str,
    knowledge: &Memory,
    now: Timestamp,
    expected: Outcome,
) -> Result<(), Box<dyn std::error::Error>> {
    let policy = Policy {
        authority: "me".to_owned(),
        max_staleness_seconds: 300,
        clock_skew_seconds: 30,
    };
    let outcome = verify::credential(text.as_bytes(), &policy, knowledge, now);
    let decision = Decision::of(&outcome);
    let mut out = std::io::stdout().lock();
    writeln!(out, "{what:<22} {}", decision.outcome().as_str())?;
    if let Err(denied) = &outcome {
        writeln!(out, "    {denied}")?;
    }
    if decision.outcome() == expected {
        Ok(())
    } else {
        Err("this should have come out otherwise".into())
    }
}
