//! What is known of an issuer counts only while others have seen it, too; by a clock that the tests set.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
#![allow(dead_code, reason = "the world is shared")]

#[path = "world/mod.rs"]
mod world;

use syndic_vc::decision::Verified;
use syndic_vc::denial::DenialCode;
use syndic_vc::time::Timestamp;
use syndic_vc::trust::Witness;
use syndic_vc::verify::{self, Policy};
use world::{Known, after, credential, north, now, policy, text};

fn asking_for(witnesses: u32) -> Policy {
    Policy { witnesses, ..policy() }
}

fn seen(all: &[(u64, i64)]) -> Vec<Witness> {
    let one = |&(size, seconds)| Witness {
        size,
        time: after(seconds),
    };
    all.iter().map(one).collect()
}

fn decide(known: &Known, witnesses: u32, at: Timestamp) -> Result<(), DenialCode> {
    let text = text(&credential());
    let outcome = verify::credential(&text, &asking_for(witnesses), known, at);
    outcome.map(drop).map_err(|denied| denied.code())
}

#[test]
fn as_many_as_are_asked_for_must_have_cosigned() {
    let mut known = Known::new();
    for (witnesses, enough) in [(0, 0), (1, 1), (2, 2), (3, 3)] {
        for count in 0..=3 {
            known.witnesses = seen(&vec![(17, -3); count]);
            let expected = if count >= enough {
                Ok(())
            } else {
                Err(DenialCode::NotWitnessed)
            };
            assert_eq!(decide(&known, witnesses, now()), expected, "{count} of {witnesses}");
        }
    }
    // More than there are others: all of them.
    known.witnesses = seen(&[(17, -3); 3]);
    assert_eq!(decide(&known, 9, now()), Ok(()));
    known.witnesses.pop();
    assert_eq!(decide(&known, 9, now()), Err(DenialCode::NotWitnessed));
    // The own log needs nobody.
    known.own = true;
    known.witnesses.clear();
    assert_eq!(decide(&known, 3, now()), Ok(()));
}

#[test]
fn a_cosignature_counts_for_the_staleness_of_the_policy_and_for_what_it_covers() {
    let mut known = Known::new();
    known.grounds = 12;
    for (size, seconds, counts) in [
        (17, -300, true),
        (17, -301, false),
        (12, -3, true),
        (11, -3, false),
        // A witness whose clock runs ahead, and one from the future.
        (17, 60, true),
        (17, 61, false),
        (12, -30, true),
    ] {
        known.witnesses = seen(&[(size, seconds), (17, -4)]);
        let expected = if counts { Ok(()) } else { Err(DenialCode::NotWitnessed) };
        assert_eq!(decide(&known, 2, now()), expected, "{size} {seconds}");
    }
}

#[test]
fn who_is_cut_off_from_witnesses_fails_closed_and_says_which_way() {
    let mut known = Known::new();
    known.heard.insert(north().did, after(0));
    known.witnesses = seen(&[(17, 0), (17, 20)]);
    // The issuer goes on, the witnesses are lost one by one.
    let at = |seconds: i64| after(seconds);
    for second in (0..=400).step_by(10) {
        known.heard.insert(north().did, after(second));
        let expected = if second <= 300 {
            Ok(())
        } else {
            Err(DenialCode::NotWitnessed)
        };
        assert_eq!(decide(&known, 2, at(second)), expected, "{second}");
        let expected = if second <= 320 {
            Ok(())
        } else {
            Err(DenialCode::NotWitnessed)
        };
        assert_eq!(decide(&known, 1, at(second)), expected, "{second}");
    }
    // The issuer is silent: that comes first, and is another code.
    known.heard.insert(north().did, after(0));
    known.witnesses = seen(&[(17, 299), (17, 299)]);
    assert_eq!(decide(&known, 2, at(300)), Ok(()));
    assert_eq!(decide(&known, 2, at(301)), Err(DenialCode::KnowledgeStale));
    // After a sleep all is old, until it is heard anew.
    known.witnesses = seen(&[(17, 0), (17, 0)]);
    assert_eq!(decide(&known, 2, at(30_000)), Err(DenialCode::KnowledgeStale));
    known.heard.insert(north().did, after(30_001));
    assert_eq!(decide(&known, 2, at(30_002)), Err(DenialCode::NotWitnessed));
    known.witnesses = seen(&[(17, 30_001), (17, 30_001)]);
    assert_eq!(decide(&known, 2, at(30_002)), Ok(()));
    // Clocks that differ by 30 s do no harm, to one side or the other.
    for skew in [-30, 30] {
        known.witnesses = seen(&[(17, 30_001 + skew), (17, 30_001)]);
        assert_eq!(decide(&known, 2, at(30_002)), Ok(()));
    }
}

#[test]
fn a_fresh_revocation_refuses_before_anybody_has_cosigned_it() {
    let mut known = Known::new();
    known.witnesses = seen(&[(16, -3), (16, -3)]);
    assert_eq!(decide(&known, 2, now()), Ok(()));
    known.set.insert((world::LIST.to_owned(), world::INDEX));
    assert_eq!(decide(&known, 2, now()), Err(DenialCode::Revoked));
}

#[test]
fn the_decision_says_who_has_seen_what() {
    let mut known = Known::new();
    known.witnesses = seen(&[(17, -10), (15, -3), (2, -1), (17, -4_000)]);
    let text = text(&credential());
    let verified = verify::credential(&text, &asking_for(2), &known, now()).unwrap();
    let seen = verified.findings().as_of[0].witnessed;
    assert_eq!((seen.by, seen.of, seen.size, seen.time), (2, 3, 15, Some(after(-10))));
}
