#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::example::{at, card, charter, did, key};
use crate::head;

fn origin() -> String {
    head::origin(charter().id(), did(1).as_str())
}

fn keys() -> LogKeys {
    LogKeys::new(charter().id(), charter().member(did(1).as_str()).unwrap())
}

fn root() -> syndic_vc::key::SecretKey {
    key(11)
}

/// A rotation of organization 1 to the key with the seed `n`; the one after it has `n + 1`.
fn to(keys: &LogKeys, n: u8, from: u64) -> Rotation {
    Rotation::sign(keys, key(n).public_key(), from, key(n + 1).public_key(), &root()).unwrap()
}

#[test]
fn each_size_has_its_key() {
    let mut keys = keys();
    let first = to(&keys, 101, 5);
    assert_eq!(keys.learn(&first), Ok(true));
    let second = to(&keys, 102, 9);
    assert_eq!(keys.learn(&second), Ok(true));
    assert_eq!(keys.learn(&first), Ok(false));
    let of = [(0, 12), (4, 12), (5, 101), (8, 101), (9, 102), (1 << 40, 102)];
    for (size, seed) in of {
        assert_eq!(keys.at(size), key(seed).public_key(), "{size}");
        for other in [12, 101, 102] {
            let head = head::Head::sign(&origin(), size, &[7; 32], &key(other), at(0)).unwrap();
            let checked = keys.verify(head.note(), &origin()).map(|head| head.size());
            let expected = if other == seed {
                Ok(size)
            } else {
                Err(HeadError::OtherKey)
            };
            assert_eq!(checked, expected, "a head of {size} entries by the key {other}");
        }
    }
    assert_eq!(keys.promised(), Some(commitment(key(103).public_key()).as_str()));
}

#[test]
fn a_rotation_proves_itself_or_is_not_taken() {
    let start = keys();
    let good = to(&start, 101, 5);
    assert_eq!(start.clone().learn(&good), Ok(true));
    let taken = |change: &dyn Fn(&mut Rotation)| {
        let mut rotation = good.clone();
        change(&mut rotation);
        start.clone().learn(&rotation)
    };
    assert_eq!(taken(&|r| r.from = 6), Err(RotationError::Proof));
    assert_eq!(
        taken(&|r| r.key = key(55).public_key().clone()),
        Err(RotationError::Proof)
    );
    assert_eq!(
        taken(&|r| r.next = commitment(key(55).public_key())),
        Err(RotationError::Proof)
    );
    assert_eq!(
        taken(&|r| r.previous = key(55).public_key().clone()),
        Err(RotationError::Unconnected)
    );
    assert_eq!(taken(&|r| r.key = r.previous.clone()), Err(RotationError::Order));
    // Not by the log key itself, nor by another member's root key, nor for another organization or consortium.
    for (signer, consortium, organization) in [
        (key(12), charter().id().to_owned(), did(1)),
        (key(21), charter().id().to_owned(), did(1)),
        (root(), "zQmOther".to_owned(), did(1)),
        (root(), charter().id().to_owned(), did(2)),
    ] {
        let mut rotation = good.clone();
        let signature = signer.sign(&rotation.signed_bytes(&consortium, &organization)).unwrap();
        rotation.proof = multibase::encode(multibase::Base::Base58Btc, signature.as_bytes());
        assert_eq!(start.clone().learn(&rotation), Err(RotationError::Proof));
    }
}

#[test]
fn the_next_key_is_the_promised_one() {
    let mut keys = keys();
    keys.learn(&to(&keys, 101, 5)).unwrap();
    // The root key itself was stolen: without the key that was promised it rotates nothing.
    assert_eq!(keys.clone().learn(&to(&keys, 150, 9)), Err(RotationError::Commitment));
    assert_eq!(keys.clone().learn(&to(&keys, 102, 9)), Ok(true));

    let next = Some(commitment(key(101).public_key()));
    let promising = MemberCard::sign_promising(
        &did(1),
        "Hospital 1",
        (key(12).public_key(), next.clone()),
        &[],
        &charter::Endpoints::default(),
        &root(),
    )
    .unwrap();
    assert_eq!(promising.next_log_key(), next.as_deref());
    assert_eq!(card(1).next_log_key(), None);
    let keys = LogKeys::new(charter().id(), &promising);
    assert_eq!(keys.clone().learn(&to(&keys, 102, 5)), Err(RotationError::Commitment));
    assert_eq!(keys.clone().learn(&to(&keys, 101, 5)), Ok(true));
}

#[test]
fn no_key_comes_back_and_no_rotation_goes_back() {
    let mut keys = keys();
    keys.learn(&to(&keys, 101, 5)).unwrap();
    for from in [1, 5] {
        assert_eq!(
            keys.clone().learn(&to(&keys, 102, from)),
            Err(RotationError::Order),
            "{from}"
        );
    }
    let back = Rotation::sign(&keys, key(12).public_key(), 9, key(13).public_key(), &root()).unwrap();
    assert_eq!(keys.learn(&back), Err(RotationError::Order));
}

#[test]
fn two_successors_of_one_key_are_told_apart_from_a_gap() {
    let mut keys = keys();
    let one = to(&keys, 101, 5);
    let other = to(&keys, 110, 6);
    let mut ahead = keys.clone();
    ahead.learn(&one).unwrap();
    let later = to(&ahead, 102, 9);
    // The one before it is missing.
    assert_eq!(keys.learn(&later), Err(RotationError::Unconnected));
    keys.learn(&one).unwrap();
    assert_eq!(keys.learn(&other), Err(RotationError::Contradiction));
    assert_eq!(keys.learn(&later), Ok(true));
    assert_eq!(keys.learn(&other), Err(RotationError::Contradiction));
}

#[test]
fn rotations_are_bounded() {
    let mut keys = keys();
    for n in 0..limits::LOG_KEYS as u8 {
        assert_eq!(keys.learn(&to(&keys, 101 + n, 5 + u64::from(n))), Ok(true));
    }
    assert_eq!(keys.learn(&to(&keys, 200, 1_000)), Err(RotationError::TooMany));
    let longest = keys.rotations().iter().map(|rotation| rotation.encode().len()).max();
    assert!(longest < Some(limits::ROTATION_BYTES), "{longest:?}");
}

#[test]
fn commitments_have_one_text() {
    let good = commitment(key(1).public_key());
    assert!(is_commitment(&good));
    let upper = multibase::encode(multibase::Base::Base16Lower, [0x12; 34]);
    let sha512 = multibase::encode(multibase::Base::Base58Btc, [[0x13, 0x20].as_slice(), &[0; 32]].concat());
    let short = multibase::encode(multibase::Base::Base58Btc, [[0x12, 0x20].as_slice(), &[0; 31]].concat());
    for bad in [
        "",
        "z",
        "Qm",
        &good[1..],
        &upper,
        &sha512,
        &short,
        &format!("{good}1"),
        &"z1".repeat(5_000),
    ] {
        assert!(!is_commitment(bad), "{bad}");
    }
}

proptest! {
    /// In any order and with anything between them, the same rotations lead to the same keys, as often as they are told.
    #[test]
    fn the_order_of_hearing_does_not_matter(order in vec(0_usize..6, 0..40)) {
        let mut whole = keys();
        for n in 0..6_u8 {
            whole.learn(&to(&whole, 101 + n, 10 * u64::from(n) + 3)).unwrap();
        }
        let told = whole.rotations().to_vec();
        let mut keys = keys();
        for at in order {
            let before = keys.rotations().len();
            let heard = keys.learn(&told[at]);
            // Naively: the next one is taken, those before it are known, those after it do not connect.
            let expected = match at.cmp(&before) {
                std::cmp::Ordering::Less => Ok(false),
                std::cmp::Ordering::Equal => Ok(true),
                std::cmp::Ordering::Greater => Err(RotationError::Unconnected),
            };
            prop_assert_eq!(heard, expected);
            for size in 0..70 {
                let mut known = told.iter().take(keys.rotations().len()).filter(|rotation| rotation.from <= size);
                let first = key(12);
                let naive = known.next_back().map_or(first.public_key(), |rotation| &rotation.key);
                prop_assert_eq!(keys.at(size), naive);
            }
        }
        for rotation in &told {
            let _ = keys.learn(rotation);
        }
        prop_assert_eq!(keys, whole);
    }

    #[test]
    fn what_is_written_is_read_back(from in 1..=limits::LOG_SIZE, n in 100_u8..200) {
        let rotation = to(&keys(), n, from);
        prop_assert_eq!(Rotation::decode(&rotation.encode()), Some(rotation.clone()));
        prop_assert_eq!(Rotation::from_value(&rotation.to_value(), ""), Ok(rotation));
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in vec(any::<u8>(), 0..700)) {
        if let Some(rotation) = Rotation::decode(&bytes) {
            prop_assert_eq!(rotation.encode(), bytes);
        }
    }
}
