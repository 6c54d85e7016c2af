//! Issues a capability credential, verifies it, and shows the three ways in which it stops being good: changed by one
//! digit, expired, revoked.
//!
//!     cargo run -p syndic-examples --example issue_and_verify

use std::io::Write;

use syndic_examples::Memory;
use syndic_vc::capability::Capability;
use syndic_vc::credential::{CapabilityCredentialDraft, Owner};
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
    // A key of an example. A node draws it from the system and seals it into a file.
    let key = SecretKey::from_seed(Zeroizing::new([1; 32]));
    let issuer = did_key::for_key(key.public_key());
    let monday = Timestamp::parse("2026-06-01T08:00:00Z")?;
    let tuesday = Timestamp::parse("2026-06-02T08:00:00Z")?;

    let draft = draft(&issuer, monday, tuesday)?;
    // The one verification method of a did:key is its key.
    let method = format!("{issuer}#{}", issuer.as_str().trim_start_matches("did:key:"));
    let credential = draft.sign(&method, monday, &key)?;
    let text = String::from_utf8(canonical::to_bytes(&credential))?;

    let known = Memory {
        trusted: [issuer].into(),
        revoked: [].into(),
        as_of: monday,
    };
    let known_later = Memory {
        as_of: tuesday,
        ..known.clone()
    };
    let known_revoked = Memory {
        revoked: [(LIST.to_owned(), INDEX)].into(),
        ..known.clone()
    };
    show("as issued", &text, &known)?;
    show("with a higher limit", &text.replace("100.00", "900.00"), &known)?;
    show("a day later", &text, &known_later)?;
    show("after its revocation", &text, &known_revoked)?;
    Ok(())
}

/// What the agent may do: refund up to 100 USD.
fn draft(issuer: &Did, from: Timestamp, until: Timestamp) -> Result<CapabilityCredentialDraft, String> {
    let limit = object! { "type": "range", "parameter": "amount", "maximum": "100.00", "unit": "USD" };
    let refund = object! { "action": "call", "resource": "billing_api", "constraint": vec![limit] };
    let revocation = StatusEntry {
        purpose: StatusPurpose::Revocation,
        list: LIST.to_owned(),
        index: INDEX,
    };
    let agent = SecretKey::from_seed(Zeroizing::new([2; 32]));
    Ok(CapabilityCredentialDraft {
        id: "urn:uuid:6f1c0f8e-2f1d-4c61-9a55-0a4d1c1e7b52".to_owned(),
        issuer: issuer.clone(),
        valid_from: from,
        valid_until: until,
        status: vec![revocation],
        agent: did_key::for_key(agent.public_key()),
        agent_name: "CustomerSupportAgent-v2.3".to_owned(),
        owner: Owner {
            id: "https://st-mary.example/staff/4711".to_owned(),
            name: None,
        },
        capability: vec![Capability::read(&refund, &Path::ROOT).map_err(|reason| reason.to_string())?],
        max_depth: 0,
        delegated_from: None,
    })
}

/// Verifies at the moment at which the knowledge is true.
fn show(what: &str, text: &str, known: &Memory) -> std::io::Result<()> {
    let policy = Policy {
        authority: "me".to_owned(),
        max_staleness_seconds: 300,
        witnesses: 0,
        clock_skew_seconds: 30,
    };
    let mut out = std::io::stdout().lock();
    match verify::credential(text.as_bytes(), &policy, known, known.as_of) {
        Ok(verified) => writeln!(out, "{what:<22} allowed: {} capability", verified.capabilities().len()),
        Err(denied) => writeln!(out, "{what:<22} {denied}"),
    }
}
