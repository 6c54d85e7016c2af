//! `rate` and `budget`: what is added to which counter, and that nothing is added by halves.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod world;

use proptest::prelude::*;
use syndic_vc::action::ActionDraft;
use syndic_vc::constraint::{Budget, Charge, Constraint, Decimal, Period, Rate};
use syndic_vc::decision::{Decision, Verified};
use syndic_vc::denial::{DenialCode, Denied};
use syndic_vc::json::Value;
use syndic_vc::time::Timestamp;
use syndic_vc::trust::{Counted, Tally};
use syndic_vc::verify::{self, ActionRequest, AllowedAction};
use world::*;

fn budget(limit: &str, period: Period) -> Constraint {
    Constraint::Budget(Budget {
        parameter: "amount".into(),
        limit: Decimal::parse(limit).unwrap(),
        unit: None,
        period,
    })
}

fn rate(limit: u32, period: Period) -> Constraint {
    Constraint::Rate(Rate { limit, period })
}

fn under(constraint: Vec<Constraint>) -> Value {
    let mut draft = draft();
    draft.capability = vec![capability("call", "api/*", "", constraint)];
    sign(&draft)
}

/// The n-th action of the agent, spending this amount at this time.
fn act(credential: &Value, once: &Once, number: usize, amount: &str, at: Timestamp) -> Result<AllowedAction, Denied> {
    let parameters = format!("{{\"amount\":\"{amount}\"}}");
    let draft = ActionDraft {
        nonce: format!("{NONCE}{number:04}"),
        created: at,
        expires: at.checked_add_seconds(60).unwrap(),
        ..action_draft(credential, "call", "api/orders", "", &parameters)
    };
    let mut known = Known::new();
    known.heard.insert(north().did, at);
    let document = envelope(sign_action(draft), credential.clone());
    let request = ActionRequest { audience: &south().did };
    verify::action(&text(&document), &request, &policy(), &known, once, at)
}

#[test]
fn a_budget_that_allows_two_allows_two_and_the_next_day_two_more() {
    let (credential, once) = (under(vec![budget("10", Period::Day)]), Once::new());
    let mut allowed = Vec::new();
    for number in 0..10 {
        let at = after(i64::try_from(number).unwrap() * 2 * 3_600); // noon to six in the morning
        match act(&credential, &once, number, "5.00", at) {
            Ok(_) => allowed.push(number),
            Err(denied) => assert_eq!(denied.code(), DenialCode::BudgetExceeded),
        }
    }
    assert_eq!(allowed, [0, 1, 6, 7], "midnight is before the action of number 6");
}

#[test]
fn what_is_refused_spends_nothing() {
    let credential = under(vec![rate(2, Period::Day), budget("10", Period::Day)]);
    let once = Once::new();
    let code = |outcome: Result<AllowedAction, Denied>| outcome.err().map(|denied| denied.code());
    assert_eq!(
        code(act(&credential, &once, 0, "10.01", now())),
        Some(DenialCode::BudgetExceeded)
    );
    assert!(once.counters.borrow().is_empty() && once.nonces.borrow().is_empty());
    // The same action may come again, since its nonce is not used up: for less.
    assert_eq!(code(act(&credential, &once, 0, "9", now())), None);
    let before = once.counters.borrow().clone();
    assert_eq!(before.len(), 2);
    assert_eq!(
        code(act(&credential, &once, 0, "1", now())),
        Some(DenialCode::ActionReplayed)
    );
    assert_eq!(
        code(act(&credential, &once, 1, "2", now())),
        Some(DenialCode::BudgetExceeded)
    );
    assert_eq!(
        code(act(&credential, &once, 1, "-2", now())),
        Some(DenialCode::ParameterMalformed)
    );
    assert_eq!(*once.counters.borrow(), before);
    assert_eq!(code(act(&credential, &once, 2, "1", now())), None);
    assert_eq!(
        code(act(&credential, &once, 3, "0", now())),
        Some(DenialCode::RateExceeded)
    );
}

#[test]
fn a_counter_is_of_what_the_credential_says_and_not_of_its_proofs() {
    let once = Once::new();
    let mut draft = draft();
    draft.capability = vec![capability("call", "api/*", "", vec![rate(1, Period::Day)])];
    let first = draft.sign(&north().method(), after(-3_600), north().signer()).unwrap();
    let again = draft.sign(&north().method(), after(-1_800), north().signer()).unwrap();
    assert_ne!(first, again, "another proof");
    assert!(act(&first, &once, 0, "1", now()).is_ok());
    assert_eq!(
        act(&again, &once, 1, "1", now()).unwrap_err().code(),
        DenialCode::RateExceeded
    );
    // Another credential has its own counter.
    draft.id = "urn:uuid:4a8e2f60-1c7d-4d38-b5e9-6f0a3b2c1d8e".into();
    assert!(act(&sign(&draft), &once, 2, "1", now()).is_ok());
}

#[test]
fn a_decision_says_that_it_counted_for_itself_only() {
    let at = "/credential/credentialSubject/capability/0/constraint/1";
    let credential = under(vec![budget("10", Period::Day), rate(2, Period::Day)]);
    let allowed = act(&credential, &Once::new(), 0, "1", now());
    let shown = serde_json::to_value(Decision::of(&allowed)).unwrap();
    assert_eq!(shown["notes"][1]["code"], "counted-here-only");
    assert_eq!(shown["notes"][1]["at"], at);
    assert_eq!(allowed.unwrap().findings().counted_here.len(), 2);
    // Where nothing is counted, nothing is said.
    let plain = act(&under(Vec::new()), &Once::new(), 0, "1", now());
    assert!(
        serde_json::to_value(Decision::of(&plain))
            .unwrap()
            .get("notes")
            .is_none()
    );
}

#[test]
fn a_store_that_counts_nothing_refuses() {
    struct Nonces;
    impl syndic_vc::trust::OneTime for Nonces {
        fn spend(
            &self,
            _: syndic_vc::trust::OneTimeKind,
            _: &str,
            _: Timestamp,
            _: Timestamp,
        ) -> Result<(), syndic_vc::trust::SpendError> {
            Ok(())
        }
    }
    let decide = |credential: &Value| {
        let draft = action_draft(credential, "call", "api/orders", "", "{}");
        let document = envelope(sign_action(draft), credential.clone());
        let request = ActionRequest { audience: &south().did };
        let outcome = verify::action(&text(&document), &request, &policy(), &Known::new(), &Nonces, now());
        outcome.err().map(|denied| denied.code())
    };
    assert_eq!(
        decide(&under(vec![rate(5, Period::Day)])),
        Some(DenialCode::KnowledgeUnavailable)
    );
    assert_eq!(decide(&under(Vec::new())), None);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(5_000))]

    /// Whatever the clock does, no window takes more than the limit, and none is begun that is not later than all others.
    #[test]
    fn no_window_takes_more_than_the_limit(
        limit in 1_u128..20,
        uses in proptest::collection::vec((0_i64..600, 0_u128..8), 1..60),
    ) {
        let mut held: Option<Tally> = None;
        let mut windows: Vec<(Timestamp, Vec<u128>)> = Vec::new();
        for (second, amount) in uses {
            let at = Timestamp::from_unix_seconds(1_800_000_000 + second).unwrap();
            let from = Period::Minute.start(at);
            let one = Counted { counter: "c".into(), charge: Charge { from, amount, limit }, until: at };
            let is_later = windows.iter().all(|(begun, _)| *begun < from);
            let spent: u128 = if is_later { 0 } else { windows.last().unwrap().1.iter().sum() };
            let tally = one.added_to(held);
            prop_assert_eq!(tally.is_some(), spent + amount <= limit);
            if tally.is_some() {
                held = tally;
                if is_later {
                    windows.push((from, Vec::new()));
                }
                windows.last_mut().unwrap().1.push(amount);
            }
        }
    }
}
