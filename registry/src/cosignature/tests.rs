#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use super::*;
use crate::example::{at, charter, did, founding, key};
use crate::store::MemoryStore;

fn cosigned(witness: u8, size: u64, root: Hash, second: i64) -> Cosignature {
    let (consortium, log) = (charter().id(), did(1));
    let signer = key(10 * witness + 2);
    Cosignature::sign(
        consortium,
        log.as_str(),
        (size, &root),
        &did(witness),
        &signer,
        at(second),
    )
    .unwrap()
}

fn log_key(number: u8) -> PublicKey {
    key(10 * number + 2).public_key().clone()
}

fn verify(cosignature: &Cosignature, log: u8, by: u8) -> Result<(), CosignatureError> {
    cosignature.verify(charter().id(), did(log).as_str(), &log_key(by))
}

#[test]
fn a_cosignature_holds_for_its_log_head_time_and_witness_only() {
    let good = cosigned(2, 7, [3; 32], 50);
    assert_eq!(verify(&good, 1, 2), Ok(()));
    assert_eq!(verify(&good, 3, 2), Err(CosignatureError::Invalid));
    assert_eq!(verify(&good, 2, 2), Err(CosignatureError::Own));
    assert_eq!(verify(&good, 1, 3), Err(CosignatureError::UnknownKey));
    assert_eq!(
        good.verify("zQmOther", did(1).as_str(), &log_key(2)),
        Err(CosignatureError::UnknownKey)
    );
    let bent = |bend: &dyn Fn(&mut Cosignature)| {
        let mut other = good.clone();
        bend(&mut other);
        verify(&other, 1, 2)
    };
    assert_eq!(bent(&|c| c.size += 1), Err(CosignatureError::Invalid));
    assert_eq!(bent(&|c| c.root[0] ^= 1), Err(CosignatureError::Invalid));
    assert_eq!(bent(&|c| c.time = at(51)), Err(CosignatureError::Invalid));
    assert_eq!(bent(&|c| c.signature[9] ^= 1), Err(CosignatureError::Invalid));
    assert_eq!(bent(&|c| c.key_id[0] ^= 1), Err(CosignatureError::UnknownKey));
    // Another's in its name.
    assert_eq!(bent(&|c| c.witness = did(3)), Err(CosignatureError::UnknownKey));
}

#[test]
fn lines_stand_in_the_note_and_are_found_again() {
    let origin = head::origin(charter().id(), did(1).as_str());
    let head = Head::sign(&origin, 7, &[3; 32], &key(12), at(40)).unwrap();
    let true_ones = [cosigned(2, 7, [3; 32], 50), cosigned(3, 7, [3; 32], 51)];
    let others = [cosigned(2, 6, [3; 32], 52), cosigned(3, 7, [4; 32], 53)];
    let note = with_lines(charter().id(), &head, true_ones.iter().chain(&others));
    assert_eq!(note.lines().count(), head.note().lines().count() + 2);
    // The note is still the head, for who knows nothing of witnesses.
    let again = Head::verify(&note, &origin, &log_key(1)).unwrap();
    assert_eq!((again.size(), again.root()), (7, &[3; 32]));
    let find = |note: &str| in_note(charter(), did(1).as_str(), note, |card| card.log_key().clone());
    let mut found = find(&note);
    found.sort_by_key(|cosignature| cosignature.time);
    assert_eq!(found, true_ones);
    // One changed line counts no more; the other one does.
    let mut bent = true_ones[0].clone();
    bent.signature[0] ^= 1;
    assert_eq!(
        find(&with_lines(charter().id(), &head, [&bent, &true_ones[1]])),
        [true_ones[1].clone()]
    );
    assert_eq!(
        in_note(charter(), did(2).as_str(), &note, |card| card.log_key().clone()),
        []
    );
}

#[test]
fn rows_are_read_back_by_log_and_by_witness() {
    let mut store = MemoryStore::default();
    let all = [cosigned(2, 7, [3; 32], 50), cosigned(3, 9, [4; 32], 51)];
    for one in &all {
        let key = store::cosignature(did(1).as_str(), one.witness.as_str());
        store.write(&[store::Write::put(key, one.encode())]);
    }
    let mut read = stored(did(1).as_str(), &store).unwrap();
    read.sort_by_key(|cosignature| cosignature.time);
    assert_eq!(read, all);
    assert_eq!(
        Cosignature::of(did(1).as_str(), did(3).as_str(), &store).unwrap(),
        Some(all[1].clone())
    );
    assert_eq!(stored(did(2).as_str(), &store).unwrap(), []);
    let key = store::cosignature(did(1).as_str(), did(2).as_str());
    store.write(&[store::Write::put(key, vec![1, 2, 3])]);
    assert!(stored(did(1).as_str(), &store).is_err());
}

#[test]
fn each_log_has_two_spare_witnesses_and_all_members_get_their_share() {
    let charter = Charter::found(&founding(9)).unwrap();
    let mut logs = std::collections::BTreeMap::new();
    for log in 1..=9 {
        let witnesses = appointed(&charter, did(log).as_str());
        assert_eq!(witnesses.len(), 3);
        assert!(witnesses.iter().all(|card| *card.did() != did(log)));
        // Who asks for itself comes to the same, without ranking all; a stranger is none.
        for member in 1..=10 {
            let named = witnesses.iter().any(|card| *card.did() == did(member));
            assert_eq!(is_appointed(&charter, did(log).as_str(), did(member).as_str()), named);
        }
        for card in witnesses {
            *logs.entry(card.did().clone()).or_insert(0) += 1;
        }
    }
    assert!(logs.values().all(|count| *count <= 6) && logs.len() > 6, "{logs:?}");
    assert_eq!(
        appointed(&Charter::found(&founding(3)).unwrap(), did(1).as_str()).len(),
        2
    );
}
