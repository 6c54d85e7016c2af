//! Vectors of actions.

use syndic_vc::capability::Capability;
use syndic_vc::constraint::{Constraint, Hours};
use syndic_vc::document::Purpose;
use syndic_vc::json::Value;

use super::*;

fn vector(name: &'static str, input: Value) -> Vector {
    Vector::new("action", name, input)
}

/// The article's agent asks for a refund with these parameters.
fn refund_of(parameters: &str) -> Value {
    let credential = credential();
    let draft = action_draft(&credential, "call", "billing_api", "refund_under_100", parameters);
    envelope(sign_action(draft), credential)
}

/// An agent with this one capability, `call` on `api/*`, acts with these parameters.
fn under(constraint: Constraint, parameters: &str) -> Value {
    let mut draft = draft();
    let granted: Capability = capability("call", "api/*", "", vec![constraint]);
    draft.capability = vec![granted];
    let credential = sign(&draft);
    envelope(
        sign_action(action_draft(&credential, "call", "api/orders", "", parameters)),
        credential,
    )
}

/// The refund with members of the action changed before it was signed.
fn resigned(path: &[&str], value: impl Into<Value>) -> Value {
    let refund = refund();
    let mut action = refund.get("action").unwrap().clone();
    take(&mut action, "proof");
    set(&mut action, path, value);
    let signed = sign_raw(action, Purpose::CapabilityInvocation, &agent());
    envelope(signed, refund.get("credential").unwrap().clone())
}

pub(super) fn all() -> Vec<Vector> {
    let mut all = capabilities();
    all.extend(windows());
    all.extend(bindings());
    all.extend(constraints());
    all
}

fn capabilities() -> Vec<Vector> {
    let credential = credential();
    let write = |operation: &str| {
        let parameters = format!("{{\"operation\":\"{operation}\"}}");
        let draft = action_draft(&credential, "write", "ticket_updates", "own_tickets", &parameters);
        envelope(sign_action(draft), credential.clone())
    };
    let read = |resource: &str, scope: &str| {
        let draft = action_draft(&credential, "read", resource, scope, "{}");
        envelope(sign_action(draft), credential.clone())
    };
    vec![
        vector("allow-refund", refund()),
        vector(
            "allow-read-of-assigned-tickets",
            read("customer_records", "assigned_tickets_only"),
        ),
        vector("allow-ticket-reply", write("reply")),
        vector("allow-standing-for-this-action-only", refund()).known(|known| {
            known
                .authorized
                .insert(north().did, vec![("call".into(), pattern("billing_api"))]);
        }),
        vector("approval-account-closure", write("account_closure"))
            .pending("/credential/credentialSubject/capability/1/constraint/0"),
        vector("deny-account-closure-on-stale-knowledge", write("account_closure"))
            .known(|known| {
                known.heard.insert(north().did, after(-301));
            })
            .denied("knowledge-stale", "/credential/issuer"),
        vector("deny-scope-not-granted", read("customer_records", "all_tickets"))
            .denied("capability-not-granted", "/action/scope"),
        vector("deny-scope-left-out", read("customer_records", "")).denied("capability-not-granted", "/action/scope"),
        vector(
            "deny-resource-below-the-one-granted",
            read("customer_records/42", "assigned_tickets_only"),
        )
        .denied("capability-not-granted", "/action/resource"),
        vector("deny-issuer-not-authorized-for-this-action", refund())
            .known(|known| {
                known
                    .authorized
                    .insert(north().did, vec![("read".into(), pattern("*"))]);
            })
            .denied("issuer-not-authorized", "/credential/credentialSubject/capability/2"),
        vector("deny-revoked-credential", refund())
            .known(|known| {
                known.set.insert((LIST.into(), INDEX));
            })
            .denied("revoked", "/credential/credentialStatus"),
    ]
}

fn windows() -> Vec<Vector> {
    let time = |seconds: i64| after(seconds).to_string();
    vec![
        vector("deny-window-closed", {
            let credential = credential();
            let mut draft = action_draft(&credential, "escalate", "to_human", "always", "{}");
            (draft.created, draft.expires) = (after(-300), now());
            envelope(sign_action(draft), credential)
        })
        .denied("action-window", "/action/expires"),
        vector("deny-window-of-16-minutes", resigned(&["expires"], time(899)))
            .denied("action-window", "/action/expires"),
        vector("deny-window-backwards", resigned(&["expires"], time(-3))).denied("action-window", "/action/expires"),
        vector("deny-action-from-the-future", resigned(&["created"], time(61)))
            .denied("action-window", "/action/created"),
        vector("deny-nonce-used", refund())
            .once(|once| {
                once.nonces.borrow_mut().insert(format!("{} {NONCE}", agent().did));
            })
            .denied("action-replayed", "/action/nonce"),
        vector("allow-nonce-used-by-another-agent", refund()).once(|once| {
            once.nonces.borrow_mut().insert(format!("{} {NONCE}", stranger().did));
        }),
        vector("deny-nonce-too-short", resigned(&["nonce"], "c2hvcnQ")).denied("document-malformed", "/action/nonce"),
    ]
}

fn bindings() -> Vec<Vector> {
    let refund = refund();
    let mut other = draft();
    other.agent_name = "CustomerSupportAgent-v2.4".into();
    let mut named = other.clone();
    named.id = "urn:uuid:4a8e2f60-1c7d-4d38-b5e9-6f0a3b2c1d8e".into();
    vec![
        vector(
            "deny-addressed-to-another-verifier",
            resigned(&["audience"], north().did.as_str()),
        )
        .denied("audience-mismatch", "/action/audience"),
        vector("deny-credential-of-another-agent", {
            let mut action = refund.get("action").unwrap().clone();
            take(&mut action, "proof");
            set(&mut action, &["agent"], stranger().did.as_str());
            let signed = sign_raw(action, Purpose::CapabilityInvocation, &stranger());
            envelope(signed, refund.get("credential").unwrap().clone())
        })
        .denied("holder-mismatch", "/action/agent"),
        vector("deny-signed-by-another-agent", {
            let mut action = refund.get("action").unwrap().clone();
            take(&mut action, "proof");
            let signed = sign_raw(action, Purpose::CapabilityInvocation, &stranger());
            envelope(signed, refund.get("credential").unwrap().clone())
        })
        .denied("verification-method-foreign", "/action/proof/verificationMethod"),
        vector("deny-signed-for-authentication", {
            let mut action = refund.get("action").unwrap().clone();
            take(&mut action, "proof");
            let signed = sign_raw(action, Purpose::Authentication, &agent());
            envelope(signed, refund.get("credential").unwrap().clone())
        })
        .denied("proof-purpose-wrong", "/action/proof/proofPurpose"),
        vector(
            "deny-another-credential-enclosed",
            changed(refund.clone(), &["credential"], sign(&named)),
        )
        .denied("capability-mismatch", "/action/capability/id"),
        vector(
            "deny-another-credential-under-the-same-id",
            changed(refund.clone(), &["credential"], sign(&other)),
        )
        .denied("capability-mismatch", "/action/capability/digest"),
        vector("deny-amount-changed-after-signing", {
            changed(refund.clone(), &["action", "parameters", "amount", "value"], "99.99")
        })
        .denied("signature-invalid", "/action/proof/proofValue"),
        vector("deny-action-with-unknown-member", resigned(&["urgent"], true))
            .denied("document-malformed", "/action/urgent"),
        vector(
            "deny-envelope-with-unknown-member",
            changed(refund.clone(), &["note"], "please"),
        )
        .denied("document-malformed", "/note"),
        vector("deny-no-credential", {
            let mut lonely = refund;
            take(&mut lonely, "credential");
            lonely
        })
        .denied("document-malformed", "/credential"),
    ]
}

fn constraints() -> Vec<Vector> {
    let amount = "/action/parameters/amount";
    let first = "/credential/credentialSubject/capability/0/constraint/0";
    let ward = |value: &str| format!("{{\"ward\":\"{value}\"}}");
    let exact = || Constraint::Exact {
        parameter: "ward".into(),
        value: "north".into(),
    };
    let listed = || Constraint::OneOf {
        parameter: "ward".into(),
        values: vec!["north".into(), "west".into()],
    };
    let nights = Hours::new(&["mon", "tue"], "22:00", "06:00", "Europe/Lisbon").unwrap();
    vec![
        vector(
            "allow-refund-of-exactly-the-limit",
            refund_of(r#"{"amount":{"value":"100.00","unit":"USD"}}"#),
        ),
        vector(
            "deny-refund-of-a-cent-more",
            refund_of(r#"{"amount":{"value":"100.01","unit":"USD"}}"#),
        )
        .denied("value-out-of-range", amount),
        vector(
            "deny-refund-in-another-currency",
            refund_of(r#"{"amount":{"value":"49.99","unit":"EUR"}}"#),
        )
        .denied("unit-mismatch", amount),
        vector("deny-refund-without-a-currency", refund_of(r#"{"amount":"49.99"}"#)).denied("unit-mismatch", amount),
        vector("deny-refund-without-an-amount", refund_of("{}")).denied("parameter-missing", amount),
        vector("deny-refund-of-some-words", refund_of(r#"{"amount":"fifty dollars"}"#))
            .denied("parameter-malformed", amount),
        vector("deny-refund-of-a-binary-fraction", {
            resigned(&["parameters", "amount"], syndic_vc::json::parse(b"49.99").unwrap())
        })
        .denied("parameter-malformed", amount),
        vector("allow-the-exact-value", under(exact(), &ward("north"))),
        vector("deny-another-than-the-exact-value", under(exact(), &ward("North")))
            .denied("value-not-exact", "/action/parameters/ward"),
        vector("allow-a-listed-value", under(listed(), &ward("west"))),
        vector("deny-a-value-not-listed", under(listed(), &ward("east")))
            .denied("value-not-listed", "/action/parameters/ward"),
        vector("deny-outside-hours", under(Constraint::Hours(nights), "{}")).denied("outside-hours", first),
        vector("deny-verifier-not-in-the-audience", {
            under(
                Constraint::Audience {
                    allowed: vec![north().did],
                },
                "{}",
            )
        })
        .denied("audience-not-allowed", first),
    ]
}
