//! Vectors of actions.

use std::collections::BTreeMap;

use syndic_vc::capability::Capability;
use syndic_vc::constraint::{Budget, Constraint, Decimal, Hours, Period, Prefix, PurposeOfUse, Rate};
use syndic_vc::document::Purpose;
use syndic_vc::json::Value;
use syndic_vc::time::Timestamp;
use syndic_vc::trust::Tally;
use syndic_vc::verify::{self, ActionRequest};

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
    under_for(constraint, parameters, None)
}

/// The same for a purpose.
fn under_for(constraint: Constraint, parameters: &str, purpose: Option<PurposeOfUse>) -> Value {
    let mut draft = draft();
    let granted: Capability = capability("call", "api/*", "", vec![constraint]);
    draft.capability = vec![granted];
    let credential = sign(&draft);
    let mut action = action_draft(&credential, "call", "api/orders", "", parameters);
    action.purpose = purpose;
    envelope(sign_action(action), credential)
}

/// What the verifier's counters show once an action was allowed at this time.
fn counters_after(document: &Value, at: Timestamp) -> BTreeMap<String, Tally> {
    let (mut known, once) = (Known::new(), Once::new());
    known.heard.insert(north().did, at);
    let request = ActionRequest { audience: &south().did };
    verify::action(&text(document), &request, &policy(), &known, &once, at).unwrap();
    once.counters.into_inner()
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
    all.extend(lists());
    all.extend(purposes());
    all.extend(counted());
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

fn lists() -> Vec<Vector> {
    let ward = "/action/parameters/ward";
    let tags = "/action/parameters/tags";
    let path = "/action/parameters/path";
    let excluded = || Constraint::NotOneOf {
        parameter: "ward".into(),
        values: vec!["intensive-care".into(), 7.into()],
    };
    let contains = || Constraint::Contains {
        parameter: "tags".into(),
        values: vec!["audited".into(), "masked".into()],
    };
    let subset = || Constraint::Subset {
        parameter: "tags".into(),
        values: vec!["audited".into(), "masked".into(), "urgent".into()],
    };
    let below = || Constraint::Prefix(Prefix::new("path", "tickets/").unwrap());
    let path_of = |value: &str| format!("{{\"path\":\"{value}\"}}");
    vec![
        vector("allow-a-value-not-excluded", under(excluded(), r#"{"ward":"7"}"#)),
        vector(
            "deny-an-excluded-value",
            under(excluded(), r#"{"ward":"intensive-care"}"#),
        )
        .denied("value-excluded", ward),
        vector("deny-exclusion-without-the-value", under(excluded(), "{}")).denied("parameter-missing", ward),
        vector(
            "deny-a-list-where-one-value-is-limited",
            under(excluded(), r#"{"ward":["a"]}"#),
        )
        .denied("parameter-malformed", ward),
        vector(
            "allow-a-list-with-all-that-it-needs",
            under(contains(), r#"{"tags":["masked","other","audited"]}"#),
        ),
        vector(
            "deny-a-list-that-lacks-a-value",
            under(contains(), r#"{"tags":["masked"]}"#),
        )
        .denied("value-lacking", tags),
        vector(
            "deny-one-value-where-a-list-is-limited",
            under(contains(), r#"{"tags":"audited masked"}"#),
        )
        .denied("parameter-malformed", tags),
        vector("allow-a-subset", under(subset(), r#"{"tags":["urgent","urgent"]}"#)),
        vector("allow-the-empty-subset", under(subset(), r#"{"tags":[]}"#)),
        vector(
            "deny-a-list-with-a-value-too-many",
            under(subset(), r#"{"tags":["urgent","raw"]}"#),
        )
        .denied("value-not-subset", tags),
        vector("deny-a-list-in-a-list", {
            resigned(&["parameters", "ticket"], syndic_vc::json::parse(b"[[1]]").unwrap())
        })
        .denied("parameter-malformed", "/action/parameters/ticket/0"),
        vector(
            "allow-a-path-below-the-prefix",
            under(below(), &path_of("tickets/42/notes.txt")),
        ),
        vector("deny-a-path-beside-the-prefix", under(below(), &path_of("tickets2/42")))
            .denied("value-prefix-wrong", path),
        vector(
            "deny-a-path-out-of-the-prefix",
            under(below(), &path_of("tickets/../secrets")),
        )
        .denied("value-prefix-wrong", path),
        vector(
            "deny-a-path-with-percent-encoding",
            under(below(), &path_of("tickets/%2e%2e/secrets")),
        )
        .denied("value-prefix-wrong", path),
        vector(
            "deny-a-path-with-backslashes",
            under(below(), &path_of("tickets/..\\\\secrets")),
        )
        .denied("value-prefix-wrong", path),
        vector("deny-a-number-where-text-has-a-prefix", under(below(), r#"{"path":7}"#))
            .denied("parameter-malformed", path),
    ]
}

fn purposes() -> Vec<Vector> {
    let care = || Constraint::Purpose {
        allowed: vec![PurposeOfUse::Treatment, PurposeOfUse::EmergencyTreatment],
    };
    vec![
        vector(
            "allow-for-an-allowed-purpose",
            under_for(care(), "{}", Some(PurposeOfUse::Treatment)),
        ),
        vector(
            "deny-for-another-purpose",
            under_for(care(), "{}", Some(PurposeOfUse::Marketing)),
        )
        .denied("purpose-not-allowed", "/action/purpose"),
        vector("deny-for-no-purpose", under(care(), "{}")).denied("purpose-not-allowed", "/action/purpose"),
        vector("deny-for-a-purpose-nobody-knows", resigned(&["purpose"], "fun"))
            .denied("document-malformed", "/action/purpose"),
    ]
}

fn counted() -> Vec<Vector> {
    let first = "/credential/credentialSubject/capability/0/constraint/0";
    let amount = "/action/parameters/amount";
    let rate = |limit, period| Constraint::Rate(Rate { limit, period });
    let budget = |limit: &str, period| {
        Constraint::Budget(Budget {
            parameter: "amount".into(),
            limit: Decimal::parse(limit).unwrap(),
            unit: Some("USD".into()),
            period,
        })
    };
    let usd = |amount: &str| format!("{{\"amount\":{{\"value\":\"{amount}\",\"unit\":\"USD\"}}}}");
    let once_a_day = under(rate(1, Period::Day), "{}");
    let twice_a_day = under(rate(2, Period::Day), "{}");
    let half = under(budget("100.00", Period::Month), &usd("50.00"));
    let more_than_half = under(budget("100.00", Period::Month), &usd("50.01"));
    let after = |document: &Value, at| {
        let counters = counters_after(document, at);
        move |once: &mut Once| once.counters = counters.into()
    };
    vec![
        vector("allow-the-second-of-two-a-day", twice_a_day.clone()).once(after(&twice_a_day, now())),
        vector("deny-the-second-of-one-a-day", once_a_day.clone())
            .once(after(&once_a_day, now()))
            .denied("rate-exceeded", first),
        vector("allow-once-a-minute-in-the-next-minute", {
            under(rate(1, Period::Minute), "{}")
        })
        .once(after(&under(rate(1, Period::Minute), "{}"), at("2026-11-24T11:59:59Z"))),
        vector("deny-once-a-minute-though-the-clock-was-set-back", {
            under(rate(1, Period::Minute), "{}")
        })
        .once(after(&under(rate(1, Period::Minute), "{}"), at("2026-11-24T12:01:00Z")))
        .denied("rate-exceeded", first),
        vector("allow-up-to-the-budget", half.clone()).once(after(&half, now())),
        vector("deny-a-cent-beyond-the-budget", more_than_half.clone())
            .once(after(&more_than_half, now()))
            .denied("budget-exceeded", first),
        vector(
            "deny-more-than-the-budget-at-once",
            under(budget("49.99", Period::Day), &usd("50")),
        )
        .denied("budget-exceeded", first),
        vector("deny-a-budget-in-another-currency", {
            under(budget("100", Period::Day), r#"{"amount":{"value":"1","unit":"EUR"}}"#)
        })
        .denied("unit-mismatch", amount),
        vector(
            "deny-an-amount-that-fills-the-budget-up-again",
            under(budget("100", Period::Day), &usd("-1")),
        )
        .denied("parameter-malformed", amount),
        vector(
            "deny-an-amount-too-fine-to-count",
            under(budget("100", Period::Day), &usd("0.0000000000000000001")),
        )
        .denied("parameter-malformed", amount),
        vector(
            "deny-a-used-nonce-though-the-budget-is-spent-too",
            more_than_half.clone(),
        )
        .once(after(&more_than_half, now()))
        .once(|once| {
            once.nonces.borrow_mut().insert(format!("{} {NONCE}", agent().did));
        })
        .denied("action-replayed", "/action/nonce"),
    ]
}
