#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod altered;
mod made;

use syndic_vc::decision::Outcome;
use syndic_vc::json::Value;

use super::*;
use crate::example::{at, did};
use crate::store;
use made::{Once, World, chain};

fn verified(bundle: &Bundle, seconds: i64) -> Result<Shown, BundleError> {
    // As it is found in a file.
    let read = Bundle::parse(&bundle.to_bytes()).unwrap();
    assert_eq!(&read, bundle);
    read.verify(&chain(), at(seconds))
}

fn refused_with(bundle: &Bundle, code: &str) {
    assert_eq!(bundle.outcome, Outcome::Deny);
    assert_eq!(question::codes(&bundle.decision), [code]);
}

#[test]
fn a_yes_is_shown_with_the_charter_alone() {
    let world = World::new();
    let bundle = world.bundle(world.credential(7)).unwrap();
    assert_eq!(bundle.outcome, Outcome::Allow, "{:?}", bundle.decision);
    let whose: Vec<&Did> = bundle.logs.iter().map(|log| &log.organization).collect();
    let (issuer, verifier) = (did(1), did(2));
    assert!(whose.contains(&&issuer) && whose.contains(&&verifier), "{whose:?}");
    let shown = verified(&bundle, 100).unwrap();
    assert_eq!((shown.outcome, shown.decision), (Outcome::Allow, bundle.decision));
}

#[test]
fn a_no_is_shown_as_well() {
    let mut world = World::new();
    world.revoke(7);
    let revoked = world.bundle(world.credential(7)).unwrap();
    refused_with(&revoked, "revoked");
    assert_eq!(verified(&revoked, 100).unwrap().outcome, Outcome::Deny);
    // The bits beside it are clear.
    let twin = world.bundle(world.credential(8)).unwrap();
    assert_eq!(verified(&twin, 100).unwrap().outcome, Outcome::Allow);
}

#[test]
fn it_does_not_hold_when_its_knowledge_is_too_old() {
    let world = World::new();
    let bundle = world.bundle(world.credential(7)).unwrap();
    // The head is of second 90, the cosignature of 95, the charter lets them be 300 seconds old.
    assert_eq!(verified(&bundle, 390).unwrap().outcome, Outcome::Allow);
    let later = verified(&bundle, 391).unwrap_err();
    assert!(matches!(later, BundleError::OtherTime { .. }), "{later:?}");
}

#[test]
fn a_log_that_few_have_seen_convinces_nobody() {
    let mut world = World::new();
    world.store.write(&[store::Write {
        key: store::cosignature(did(1).as_str(), did(3).as_str()),
        value: None,
    }]);
    let bundle = world.bundle(world.credential(7)).unwrap();
    refused_with(&bundle, "not-witnessed");
    assert_eq!(verified(&bundle, 100).unwrap().outcome, Outcome::Deny);
}

#[test]
fn an_action_carries_what_became_of_its_nonce() {
    let world = World::new();
    let once = Once::default();
    let asked = world.action(7);
    let bundle = world.bundle_with(asked.clone(), &once).unwrap();
    assert_eq!(
        (bundle.outcome, bundle.single_use),
        (Outcome::Allow, Some(SingleUse::Accepted))
    );
    assert_eq!(verified(&bundle, 100).unwrap().outcome, Outcome::Allow);
    let again = world.bundle_with(asked, &once).unwrap();
    assert_eq!(
        (again.outcome, again.single_use),
        (Outcome::Deny, Some(SingleUse::Used))
    );
    assert_eq!(verified(&again, 100).unwrap().outcome, Outcome::Deny);
    // Who leaves out what became of it shows nothing.
    let silent = Bundle {
        single_use: None,
        ..bundle
    };
    assert!(matches!(verified(&silent, 100), Err(BundleError::OtherDecision(_))));
}

#[test]
fn keys_that_were_rotated_are_carried_along() {
    let mut world = World::new();
    world.rotate(1);
    world.rotate(3);
    world.sign_all();
    let bundle = world.bundle(world.credential(7)).unwrap();
    assert_eq!(bundle.outcome, Outcome::Allow, "{:?}", bundle.decision);
    assert_eq!(bundle.keys.len(), 2);
    assert_eq!(verified(&bundle, 100).unwrap().outcome, Outcome::Allow);
    // Without the witness's rotation nobody knows its key.
    let mut bare = bundle;
    bare.keys.retain(|keys| keys.organization != did(3));
    assert!(matches!(verified(&bare, 100), Err(BundleError::Log { .. })));
}

#[test]
fn a_frozen_organization_is_shown_to_be_frozen() {
    let mut world = World::new();
    world.fork(9);
    let bundle = world.bundle(world.credential(7)).unwrap();
    refused_with(&bundle, "issuer-frozen");
    let log = bundle.logs.iter().find(|log| log.organization == did(1)).unwrap();
    assert!(log.fork.is_some() && log.salvaged.len() == 1);
    assert_eq!(verified(&bundle, 100).unwrap().outcome, Outcome::Deny);
    // What the other story revoked is revoked.
    let revoked = world.bundle(world.credential(9)).unwrap();
    refused_with(&revoked, "revoked");
    assert_eq!(verified(&revoked, 100).unwrap().outcome, Outcome::Deny);
    let mut hidden = revoked;
    hidden.logs.iter_mut().for_each(|log| log.salvaged.clear());
    assert!(matches!(verified(&hidden, 100), Err(BundleError::OtherDecision(_))));
}

#[test]
fn a_verifier_judges_at_least_as_strictly_as_the_charter_asks() {
    let world = World::new();
    let good = world.bundle(world.credential(7)).unwrap();
    let altered = |change: fn(&mut Verifier)| {
        let mut bundle = good.clone();
        change(&mut bundle.verifier);
        verified(&bundle, 100)
    };
    assert_eq!(
        altered(|verifier| verifier.policy.max_staleness_seconds = 299)
            .unwrap()
            .outcome,
        Outcome::Allow
    );
    let lax: [fn(&mut Verifier); 5] = [
        |verifier| verifier.policy.max_staleness_seconds = 301,
        |verifier| verifier.policy.witnesses = 0,
        |verifier| verifier.policy.clock_skew_seconds = 31,
        |verifier| verifier.policy.authority = did(1).as_str().to_owned(),
        |verifier| verifier.organization = did(9),
    ];
    for change in lax {
        assert!(matches!(altered(change), Err(BundleError::Verifier)));
    }
}

#[test]
fn what_no_bundle_can_hold_is_refused_and_uses_nothing_up() {
    let mut world = World::new();
    world.pad(limits::BUNDLE_BYTES);
    let once = Once::default();
    let asked = world.action(7);
    let refused = world.bundle_with(asked, &once);
    assert!(matches!(refused, Err(BundleError::TooLarge)), "{refused:?}");
    assert!(once.is_unused());
}

#[test]
fn other_charters_say_nothing_of_it() {
    let world = World::new();
    let bundle = world.bundle(world.credential(7)).unwrap();
    let other = CharterChain::new(crate::charter::Charter::found(&crate::example::founding(2)).unwrap()).unwrap();
    let refused = bundle.verify(&other, at(100));
    assert!(matches!(refused, Err(BundleError::OtherConsortium(_))));
    let later = Bundle {
        charter: (2, bundle.charter.1.clone()),
        ..bundle
    };
    assert!(matches!(verified(&later, 100), Err(BundleError::UnknownCharter(2))));
}

#[test]
fn an_old_charter_counts_until_the_next_one_was_written() {
    let world = World::new();
    let bundle = world.bundle(world.credential(7)).unwrap();
    let chain = made::chain_of_two(200);
    assert_eq!(bundle.verify(&chain, at(199)).unwrap().outcome, Outcome::Allow);
    let late = bundle.verify(&chain, at(200));
    assert!(matches!(late, Err(BundleError::OldCharter(1))), "{late:?}");
}

#[test]
fn options_of_a_request_change_nothing() {
    let world = World::new();
    let Question::Credential(credential) = world.credential(7) else {
        panic!()
    };
    let body = syndic_vc::object! {
        "verifiableCredential": credential.clone(),
        "options": syndic_vc::object! { "checks": vec!["proof"] },
    };
    assert_eq!(Question::read(&body, "x").unwrap(), Question::Credential(credential));
    for body in [syndic_vc::object! {}, Value::from("x")] {
        assert!(Question::read(&body, "x").is_err());
    }
}
