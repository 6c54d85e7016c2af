#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::log::EMPTY_ROOT;

fn log(number: u64, size: u64) -> Standpoint {
    Standpoint {
        organization: format!("did:example:{number}"),
        size,
        root: EMPTY_ROOT,
        time: number,
        fork: None,
        cosigned: number,
        rotations: 0,
    }
}

/// The organizations whose logs differ as one of the two finds out, the messages that it took, and their bytes.
fn reconcile(one: &Set, other: &Set) -> (BTreeSet<String>, usize, usize) {
    let (mut found, mut rounds, mut bytes) = (BTreeSet::new(), 0, 0);
    let mut next = Some(one.ask().unwrap());
    while let Some(message) = next {
        let answer = other.answer(&message).unwrap();
        assert!(message.len() <= limits::RECONCILE_BYTES && answer.len() <= limits::RECONCILE_BYTES);
        rounds += 1;
        bytes += message.len() + answer.len();
        let (some, more) = one.take(&answer).unwrap();
        found.extend(some.into_iter().map(ToOwned::to_owned));
        next = more;
    }
    (found, rounds, bytes)
}

fn names(numbers: &[u64]) -> BTreeSet<String> {
    numbers.iter().map(|number| log(*number, 0).organization).collect()
}

#[test]
fn one_changed_log_among_ten_thousand_is_found_in_few_bytes() {
    let one = Set::new((0..10_000).map(|number| log(number, 7)));
    let other = Set::new((0..10_000).map(|number| log(number, 7 + u64::from(number == 4_711))));
    let (found, rounds, bytes) = reconcile(&one, &other);
    assert_eq!(found, names(&[4_711]));
    assert!(rounds <= 4 && bytes < 4_096, "{rounds} rounds, {bytes} bytes");
    // Equal sets are told apart from that by one message.
    assert_eq!(reconcile(&one, &one).1, 1);
}

#[test]
fn neither_times_nor_cosignatures_make_a_difference_and_all_else_does() {
    let base = log(1, 3);
    let set = |log: &Standpoint| Set::new([log.clone()]);
    let differs = |change: &dyn Fn(&mut Standpoint)| {
        let mut changed = base.clone();
        change(&mut changed);
        !reconcile(&set(&base), &set(&changed)).0.is_empty()
    };
    assert!(!differs(&|log| log.time += 1));
    assert!(!differs(&|log| log.cosigned += 1));
    assert!(differs(&|log| log.size += 1));
    assert!(differs(&|log| log.root = [9; 32]));
    assert!(differs(&|log| log.rotations += 1));
    assert!(differs(&|log| {
        log.fork = Some(crate::message::Parting {
            at: 1,
            certain: true,
            proof: [0; 32],
            salvaged: [0; 32],
        });
    }));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(miri) { 4 } else { 64 }))]

    #[test]
    fn exactly_what_differs_is_found(
        logs in 0_u64..3_000,
        changed in prop::collection::btree_set(0_u64..3_000, 0..200),
        missing in prop::collection::btree_set(0_u64..3_000, 0..50),
    ) {
        let one = Set::new((0..logs).map(|number| log(number, 7)));
        let there = (0..logs).filter(|number| !missing.contains(number));
        let other = Set::new(there.map(|number| log(number, 7 + u64::from(changed.contains(&number)))));
        let (found, rounds, _) = reconcile(&one, &other);
        let differs = (0..logs).filter(|number| changed.contains(number) || missing.contains(number));
        prop_assert_eq!(found, names(&differs.collect::<Vec<_>>()));
        prop_assert!(rounds <= limits::RECONCILE_ROUNDS);
    }

    /// Whatever comes: no panic, a bounded answer, and nothing found that is not one's own.
    #[test]
    fn noise_is_survived(bytes in prop::collection::vec(any::<u8>(), 0..400), at in any::<prop::sample::Index>(), what in any::<u8>()) {
        let one = Set::new((0..300).map(|number| log(number, 7)));
        let other = Set::new((0..300).map(|number| log(number, number % 9)));
        let mut messages = vec![bytes.clone(), [&[0x61], bytes.as_slice()].concat()];
        // True messages with one byte changed, and cut off.
        let ask = one.ask().unwrap();
        for message in [other.answer(&ask).unwrap(), ask] {
            prop_assert!(other.answer(&message).is_ok(), "as it is, it is taken");
            let at = at.index(message.len());
            let mut bent = message.clone();
            bent[at] ^= what;
            messages.extend([bent, message[..at].to_vec()]);
        }
        for message in messages {
            if let Ok(answer) = other.answer(&message) {
                prop_assert!(answer.len() <= limits::RECONCILE_BYTES);
            }
            if let Ok((_, Some(next))) = one.take(&message) {
                prop_assert!(next.len() <= limits::RECONCILE_BYTES);
            }
        }
    }
}

#[test]
fn a_message_that_promises_more_than_it_holds_is_refused() {
    let set = Set::new((0..100).map(|number| log(number, 7)));
    // Everything in one range, a list of 2^34 items, and none of them.
    let message = [0x61, 0, 0, 2, 0xc0, 0x80, 0x80, 0x80, 0];
    assert_eq!(set.answer(&message), Err(NotReconciling));
    assert_eq!(set.take(&message), Err(NotReconciling));
    // The same with a list of none, which is true of an empty set.
    let message = [0x61, 0, 0, 2, 0];
    assert!(set.answer(&message).is_ok());
    assert_eq!(set.take(&message).unwrap().0.len(), 100);
    // Nothing, and another version.
    for message in [&[] as &[u8], &[0x60, 0, 0, 2, 0]] {
        assert_eq!(set.answer(message), Err(NotReconciling));
        assert_eq!(set.take(message), Err(NotReconciling));
    }
}

#[test]
fn a_kept_set_is_that_of_what_is_held_now() {
    let log = |number: u64, size: u64| {
        let did = Did::parse(&format!("did:example:{number:03}")).unwrap();
        let lasting = Lasting {
            size,
            root: [number as u8; 32],
            fork: None,
            rotations: 0,
        };
        (did, lasting)
    };
    let mut kept = Kept::default();
    let all = |sizes: &[(u64, u64)]| -> Vec<(Did, Lasting)> { sizes.iter().map(|(n, size)| log(*n, *size)).collect() };
    for now in [
        all(&[(1, 1), (3, 1), (5, 1)]),
        // The same, one that grew, new ones at all ends, some that are gone, others in their place, none.
        all(&[(1, 1), (3, 1), (5, 1)]),
        all(&[(1, 1), (3, 2), (5, 1)]),
        all(&[(0, 7), (1, 1), (2, 7), (3, 2), (5, 1), (6, 7)]),
        all(&[(1, 1), (2, 7), (5, 1)]),
        all(&[(2, 7), (3, 2), (4, 4)]),
        all(&[]),
        all(&[(9, 9)]),
    ] {
        let fresh = Set::new(now.iter().map(|(did, lasting)| lasting.standpoint(did)));
        let set = kept.update(now.iter().map(|(did, lasting)| (did, lasting.clone())));
        assert_eq!(set.ask(), fresh.ask());
        assert_eq!(set.logs, fresh.logs);
    }
}
