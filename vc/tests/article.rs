//! The source article's agent, and what it may and may not do: a table for people.
//!
//! ```text
//! Agent: CustomerSupportAgent-v2.3
//! Capabilities: read:customer_records (scope: assigned_tickets_only), write:ticket_updates (scope: own_tickets),
//!               call:billing_api (scope: refund_under_100), escalate:to_human (scope: always)
//! Constraints:  max_refund_amount: $100, require_approval_for: account_closure, operating_hours: 24/7
//! ```
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod world;

use syndic_vc::capability::Capability;
use syndic_vc::constraint::{Approval, Constraint, Hours};
use syndic_vc::decision::Decision;
use syndic_vc::verify::{self, ActionRequest};
use world::*;

/// action | resource | scope | parameters | decision | first code
const TABLE: &str = r#"
read     | customer_records | assigned_tickets_only | {}                                              | allow            |
read     | customer_records | assigned_tickets_only | {"ticket":"T-1001"}                             | allow            |
read     | customer_records | assigned_tickets_only | {"limit":25,"export":false}                     | allow            |
read     | customer_records | own_tickets           | {}                                              | deny             | capability-not-granted
read     | customer_records |                       | {}                                              | deny             | capability-not-granted
read     | customer_records | Assigned_tickets_only | {}                                              | deny             | capability-not-granted
read     | customer_records/42 | assigned_tickets_only | {}                                           | deny             | capability-not-granted
read     | customer_record  | assigned_tickets_only | {}                                              | deny             | capability-not-granted
read     | billing_api      | refund_under_100      | {"amount":{"value":"1","unit":"USD"}}           | deny             | capability-not-granted
read     | ticket_updates   | own_tickets           | {"operation":"reply"}                           | deny             | capability-not-granted
write    | customer_records | assigned_tickets_only | {}                                              | deny             | capability-not-granted
delete   | customer_records | assigned_tickets_only | {}                                              | deny             | capability-not-granted
write    | ticket_updates   | own_tickets           | {"operation":"reply"}                           | allow            |
write    | ticket_updates   | own_tickets           | {"operation":"close_ticket"}                    | allow            |
write    | ticket_updates   | own_tickets           | {"operation":"account_closure"}                 | approvalRequired | approval-required
write    | ticket_updates   | own_tickets           | {"operation":"account_closure","note":"asked"}  | approvalRequired | approval-required
write    | ticket_updates   | own_tickets           | {"operation":"Account_closure"}                 | allow            |
write    | ticket_updates   | own_tickets           | {}                                              | deny             | parameter-missing
write    | ticket_updates   | own_tickets           | {"operations":"account_closure"}                | deny             | parameter-missing
write    | ticket_updates   | own_tickets           | {"operation":{"value":"1","unit":"closure"}}    | deny             | unit-mismatch
write    | ticket_updates   | all_tickets           | {"operation":"reply"}                           | deny             | capability-not-granted
write    | ticket_updates   |                       | {"operation":"reply"}                           | deny             | capability-not-granted
call     | billing_api      | refund_under_100      | {"amount":{"value":"49.99","unit":"USD"}}       | allow            |
call     | billing_api      | refund_under_100      | {"amount":{"value":"0","unit":"USD"}}           | allow            |
call     | billing_api      | refund_under_100      | {"amount":{"value":"99.999999","unit":"USD"}}   | allow            |
call     | billing_api      | refund_under_100      | {"amount":{"value":"100","unit":"USD"}}         | allow            |
call     | billing_api      | refund_under_100      | {"amount":{"value":"100.00","unit":"USD"}}      | allow            |
call     | billing_api      | refund_under_100      | {"amount":{"value":100,"unit":"USD"}}           | allow            |
call     | billing_api      | refund_under_100      | {"amount":{"value":"100.01","unit":"USD"}}      | deny             | value-out-of-range
call     | billing_api      | refund_under_100      | {"amount":{"value":"100.0000000000000000000000000000000001","unit":"USD"}} | deny | value-out-of-range
call     | billing_api      | refund_under_100      | {"amount":{"value":101,"unit":"USD"}}           | deny             | value-out-of-range
call     | billing_api      | refund_under_100      | {"amount":{"value":"99999999999999999999999999999999999999","unit":"USD"}} | deny | value-out-of-range
call     | billing_api      | refund_under_100      | {"amount":{"value":"49.99","unit":"EUR"}}       | deny             | unit-mismatch
call     | billing_api      | refund_under_100      | {"amount":{"value":"49.99","unit":"usd"}}       | deny             | unit-mismatch
call     | billing_api      | refund_under_100      | {"amount":"49.99"}                              | deny             | unit-mismatch
call     | billing_api      | refund_under_100      | {"amount":49}                                   | deny             | unit-mismatch
call     | billing_api      | refund_under_100      | {"amount":"fifty dollars"}                      | deny             | parameter-malformed
call     | billing_api      | refund_under_100      | {"amount":"1e1"}                                | deny             | parameter-malformed
call     | billing_api      | refund_under_100      | {"amount":true}                                 | deny             | parameter-malformed
call     | billing_api      | refund_under_100      | {}                                              | deny             | parameter-missing
call     | billing_api      | refund_under_100      | {"Amount":{"value":"1","unit":"USD"}}           | deny             | parameter-missing
call     | billing_api      | refund_under_1000     | {"amount":{"value":"49.99","unit":"USD"}}       | deny             | capability-not-granted
call     | billing_api      |                       | {"amount":{"value":"49.99","unit":"USD"}}       | deny             | capability-not-granted
call     | billing_api/refunds | refund_under_100   | {"amount":{"value":"49.99","unit":"USD"}}       | deny             | capability-not-granted
call     | payments_api     | refund_under_100      | {"amount":{"value":"49.99","unit":"USD"}}       | deny             | capability-not-granted
escalate | to_human         | always                | {}                                              | allow            |
escalate | to_human         | always                | {"reason":"angry customer"}                     | allow            |
escalate | to_human         | sometimes             | {}                                              | deny             | capability-not-granted
escalate | to_robot         | always                | {}                                              | deny             | capability-not-granted
"#;

#[test]
fn the_articles_agent_does_what_the_article_says() {
    let credential = credential();
    let mut rows = 0;
    for row in TABLE.lines().filter(|line| !line.is_empty()) {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        let [action, resource, scope, parameters, decision, code] = cells[..] else {
            panic!("{row}")
        };
        let draft = action_draft(&credential, action, resource, scope, parameters);
        let document = envelope(sign_action(draft), credential.clone());
        let request = ActionRequest { audience: &south().did };
        let outcome = verify::action(
            &text(&document),
            &request,
            &policy(),
            &Known::new(),
            &Once::new(),
            now(),
        );
        let first = outcome.as_ref().err().map_or("", |denied| denied.code().as_str());
        assert_eq!(
            (Decision::of(&outcome).outcome().as_str(), first),
            (decision, code),
            "{row}\n{outcome:?}"
        );
        rows += 1;
    }
    assert!(rows >= 40, "only {rows} rows");
}

/// An agent with one capability, acting on it.
fn decide(granted: Vec<Capability>, parameters: &str, at: &str) -> (String, String, String) {
    let mut draft = draft();
    draft.capability = granted;
    draft.valid_from = world::at(at).checked_add_seconds(-60).unwrap();
    draft.valid_until = world::at(at).checked_add_seconds(3_600).unwrap();
    let credential = sign(&draft);
    let mut action = action_draft(&credential, "call", "api/orders/7", "", parameters);
    action.created = world::at(at);
    action.expires = world::at(at).checked_add_seconds(300).unwrap();
    let document = envelope(sign_action(action), credential.clone());
    let mut known = Known::new();
    known.heard.insert(north().did, world::at(at));
    let request = ActionRequest { audience: &south().did };
    let outcome = verify::action(
        &text(&document),
        &request,
        &policy(),
        &known,
        &Once::new(),
        world::at(at),
    );
    let first = outcome.as_ref().err().map(|denied| denied.first().clone());
    (
        Decision::of(&outcome).outcome().as_str().to_owned(),
        first.as_ref().map_or(String::new(), |reason| reason.code.to_string()),
        first.map_or(String::new(), |reason| reason.at),
    )
}

fn one(constraint: Constraint) -> Vec<Capability> {
    vec![capability("call", "api/*", "", vec![constraint])]
}

fn is(outcome: (String, String, String), decision: &str, code: &str, at: &str) {
    assert_eq!(
        (outcome.0.as_str(), outcome.1.as_str(), outcome.2.as_str()),
        (decision, code, at)
    );
}

#[test]
fn every_constraint_decides_and_says_where() {
    let exact = || {
        one(Constraint::Exact {
            parameter: "ward".into(),
            value: "north".into(),
        })
    };
    is(decide(exact(), r#"{"ward":"north"}"#, NOW), "allow", "", "");
    is(
        decide(exact(), r#"{"ward":"south"}"#, NOW),
        "deny",
        "value-not-exact",
        "/action/parameters/ward",
    );
    let three = || {
        one(Constraint::Exact {
            parameter: "level".into(),
            value: 3.into(),
        })
    };
    is(decide(three(), r#"{"level":3}"#, NOW), "allow", "", "");
    is(
        decide(three(), r#"{"level":"3"}"#, NOW),
        "deny",
        "value-not-exact",
        "/action/parameters/level",
    );
    let listed = || {
        one(Constraint::OneOf {
            parameter: "ward".into(),
            values: vec!["a".into(), 7.into(), true.into()],
        })
    };
    is(decide(listed(), r#"{"ward":7}"#, NOW), "allow", "", "");
    is(
        decide(listed(), r#"{"ward":"7"}"#, NOW),
        "deny",
        "value-not-listed",
        "/action/parameters/ward",
    );
    is(
        decide(listed(), r#"{"ward":false}"#, NOW),
        "deny",
        "value-not-listed",
        "/action/parameters/ward",
    );
    let plain = || one(range("count", Some("-1.5"), Some("10"), None));
    is(decide(plain(), r#"{"count":10}"#, NOW), "allow", "", "");
    is(decide(plain(), r#"{"count":"-1.50"}"#, NOW), "allow", "", "");
    is(
        decide(plain(), r#"{"count":"-1.51"}"#, NOW),
        "deny",
        "value-out-of-range",
        "/action/parameters/count",
    );
    is(
        decide(plain(), r#"{"count":{"value":"1","unit":"mg"}}"#, NOW),
        "deny",
        "unit-mismatch",
        "/action/parameters/count",
    );
    let here = || {
        one(Constraint::Audience {
            allowed: vec![north().did, south().did],
        })
    };
    is(decide(here(), "{}", NOW), "allow", "", "");
    let elsewhere = || {
        one(Constraint::Audience {
            allowed: vec![north().did],
        })
    };
    let first_constraint = "/credential/credentialSubject/capability/0/constraint/0";
    is(
        decide(elsewhere(), "{}", NOW),
        "deny",
        "audience-not-allowed",
        first_constraint,
    );
    let always = || {
        one(Constraint::Approval(Approval {
            approver: owner().id,
            when: None,
        }))
    };
    is(
        decide(always(), "{}", NOW),
        "approvalRequired",
        "approval-required",
        first_constraint,
    );
    let nights = || {
        one(Constraint::Hours(
            Hours::new(&["mon", "tue"], "22:00", "06:00", "Europe/Lisbon").unwrap(),
        ))
    };
    is(decide(nights(), "{}", "2026-11-24T22:00:00Z"), "allow", "", "");
    is(decide(nights(), "{}", "2026-11-25T05:59:59Z"), "allow", "", "");
    is(
        decide(nights(), "{}", "2026-11-25T22:00:00Z"),
        "deny",
        "outside-hours",
        first_constraint,
    );
    is(decide(nights(), "{}", NOW), "deny", "outside-hours", first_constraint);
}

#[test]
fn one_capability_is_enough_and_the_nearest_explains() {
    let small = capability("call", "api/*", "", vec![range("amount", None, Some("10"), None)]);
    let large = capability(
        "call",
        "api/orders/*",
        "",
        vec![
            range("amount", None, Some("100"), None),
            Constraint::Approval(Approval {
                approver: owner().id,
                when: None,
            }),
        ],
    );
    let both = || vec![small.clone(), large.clone()];
    is(decide(both(), r#"{"amount":5}"#, NOW), "allow", "", "");
    // Beyond the first, within the second but for approval: approval is what is lacking.
    is(
        decide(both(), r#"{"amount":50}"#, NOW),
        "approvalRequired",
        "approval-required",
        "/credential/credentialSubject/capability/1/constraint/1",
    );
    // Beyond both: the first has fewer reasons.
    is(
        decide(both(), r#"{"amount":500}"#, NOW),
        "deny",
        "value-out-of-range",
        "/action/parameters/amount",
    );
    // Approval never makes up for another reason.
    is(
        decide(vec![large.clone()], r#"{"amount":500}"#, NOW),
        "deny",
        "value-out-of-range",
        "/action/parameters/amount",
    );
}

#[test]
fn a_decision_is_shown_whole() {
    let request = ActionRequest { audience: &south().did };
    let document = refund();
    let outcome = verify::action(
        &text(&document),
        &request,
        &policy(),
        &Known::new(),
        &Once::new(),
        now(),
    );
    let shown = serde_json::to_value(Decision::of(&outcome)).unwrap();
    let north = north().did.to_string();
    assert_eq!(
        shown,
        serde_json::json!({
            "decision": "allow",
            "reasons": [],
            "subject": agent().did.as_str(),
            "owner": {"id": "https://north.example/people/ana-lima", "name": "Ana Lima"},
            "chain": [CREDENTIAL_ID],
            "asOf": [{"issuer": north, "head": 17, "time": "2026-11-24T11:59:55Z",
                "witnessed": {"by": 2, "of": 3, "size": 17, "time": "2026-11-24T11:59:57Z"}}],
            "checked": ["syntax", "proof", "validity", "status", "agent", "holder", "standing", "constraints",
                "freshness", "single-use"],
        })
    );
    let allowed = outcome.unwrap();
    assert_eq!(*allowed.document(), document);
    assert_eq!(allowed.capability().to_string(), "call:billing_api (refund_under_100)");

    let forged = r#"{"action": {}, "credential": {}}"#;
    let outcome = verify::action(
        forged.as_bytes(),
        &request,
        &policy(),
        &Known::new(),
        &Once::new(),
        now(),
    );
    let shown = serde_json::to_value(Decision::of(&outcome)).unwrap();
    assert_eq!(shown["decision"], "deny");
    assert_eq!(
        shown["subject"],
        serde_json::Value::Null,
        "nothing is said about a subject that only claims"
    );
    assert_eq!(shown["reasons"][0]["code"], "document-malformed");
}
