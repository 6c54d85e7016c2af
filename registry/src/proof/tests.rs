#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use proptest::prelude::*;

use super::*;
use crate::log::{Frontier, append, leaf_hash};
use crate::naive;
use crate::store::MemoryStore;

const ORGANIZATION: &str = "did:key:z6MkTest";

fn stored(entries: &[Vec<u8>]) -> MemoryStore {
    let mut store = MemoryStore::default();
    let mut frontier = Frontier::default();
    for piece in entries.chunks(256) {
        let (after, writes) = append(ORGANIZATION, &frontier, piece).unwrap();
        store.write(&writes);
        frontier = after;
    }
    store
}

#[test]
fn inclusion_is_as_defined_for_every_entry_of_every_size_to_100_and_some_to_300() {
    let entries = naive::entries(300);
    let store = stored(&entries);
    for size in (0..=100).chain([127, 128, 129, 254, 255, 256, 257, 258, 299, 300]) {
        let tree = &entries[..size];
        let root = naive::root(tree);
        assert_eq!(super::root(ORGANIZATION, size as u64, &store).unwrap(), Some(root));
        for (index, entry) in tree.iter().enumerate() {
            let proof = inclusion(ORGANIZATION, index as u64, size as u64, &store)
                .unwrap()
                .unwrap();
            assert_eq!(proof, naive::inclusion(index, tree), "{index} of {size}");
            let leaf = leaf_hash(entry);
            verify_inclusion(&leaf, index as u64, size as u64, &proof, &root).unwrap();
        }
        assert_eq!(inclusion(ORGANIZATION, size as u64, size as u64, &store).unwrap(), None);
    }
    assert_eq!(inclusion(ORGANIZATION, 0, 301, &store).unwrap(), None);
    assert_eq!(super::root(ORGANIZATION, 301, &store).unwrap(), None);
}

#[test]
fn consistency_is_as_defined_for_every_pair_to_100_and_some_to_300() {
    let entries = naive::entries(300);
    let store = stored(&entries);
    let roots: Vec<Hash> = (0..=300).map(|size| naive::root(&entries[..size])).collect();
    for second in (0..=100_usize).chain([128, 129, 255, 256, 257, 300]) {
        for first in 0..=second {
            let (from, to) = (first as u64, second as u64);
            let proof = consistency(ORGANIZATION, from, to, &store).unwrap().unwrap();
            if first > 0 {
                assert_eq!(proof, naive::consistency(first, &entries[..second]), "{first} {second}");
            }
            verify_consistency(from, &roots[first], to, &roots[second], &proof).unwrap();
            if first > 0 {
                let other = &roots[first - 1];
                assert!(verify_consistency(from, other, to, &roots[second], &proof).is_err());
                assert!(verify_consistency(from, &roots[first], to, other, &proof).is_err());
            }
        }
        let to = second as u64;
        assert_eq!(consistency(ORGANIZATION, to + 1, to, &store).unwrap(), None);
    }
    assert_eq!(consistency(ORGANIZATION, 1, 301, &store).unwrap(), None);
}

/// Three tile levels, against roots that the frontier computed on the way.
#[test]
fn proofs_hold_across_tile_levels() {
    let entries = naive::entries(66_000);
    let store = stored(&entries);
    let mut frontier = Frontier::default();
    let mut roots = vec![frontier.root()];
    for entry in &entries {
        frontier.append(leaf_hash(entry));
        roots.push(frontier.root());
    }
    let mut pairs = vec![
        (1, 65_536),
        (65_535, 65_536),
        (65_536, 65_537),
        (65_536, 66_000),
        (256, 65_792),
    ];
    // Steps that share no factor with the size visit it evenly.
    pairs.extend((0..300).map(|n| {
        let second = 2 + n * 7_919 % 65_998;
        (1 + n * 104_729 % second, second)
    }));
    for (first, second) in pairs {
        let (from, to) = (first as u64, second as u64);
        let proof = consistency(ORGANIZATION, from, to, &store).unwrap().unwrap();
        assert!(proof.len() <= crate::limits::PROOF_HASHES);
        verify_consistency(from, &roots[first], to, &roots[second], &proof).unwrap();
        let proof = inclusion(ORGANIZATION, from - 1, to, &store).unwrap().unwrap();
        let leaf = leaf_hash(&entries[first - 1]);
        verify_inclusion(&leaf, from - 1, to, &proof, &roots[second]).unwrap();
    }
}

/// Our proofs, checked by an implementation that shares nothing with ours.
#[test]
fn an_independent_implementation_accepts_the_proofs() {
    let other = |hash: &Hash| tlog_tiles::Hash(*hash);
    let entries = naive::entries(700);
    let store = stored(&entries);
    for n in 0..400_u64 {
        let second = 1 + n * 7_919 % 700;
        let first = 1 + n * 104_729 % second;
        let roots = [first, second].map(|size| root(ORGANIZATION, size, &store).unwrap().unwrap());
        let [old, new] = roots.each_ref().map(other);
        let proof = consistency(ORGANIZATION, first, second, &store).unwrap().unwrap();
        let proof = proof.iter().map(other).collect();
        tlog_tiles::check_tree(&proof, second, new, first, old).unwrap();
        let index = first - 1;
        let proof = inclusion(ORGANIZATION, index, second, &store).unwrap().unwrap();
        let proof = proof.iter().map(other).collect();
        let leaf = other(&leaf_hash(&entries[index as usize]));
        tlog_tiles::check_record(&proof, second, new, index, leaf).unwrap();
    }
}

/// Any change of a proof, of the leaf, of the index or of a root is noticed.
fn changed(proof: &[Hash], at: usize, bit: usize) -> Vec<Vec<Hash>> {
    let mut all = Vec::new();
    let mut longer = proof.to_vec();
    longer.insert(at % (proof.len() + 1), [7; 32]);
    all.push(longer);
    if !proof.is_empty() {
        let at = at % proof.len();
        let mut flipped = proof.to_vec();
        flipped[at][bit / 8 % 32] ^= 1 << (bit % 8);
        all.push(flipped);
        let mut shorter = proof.to_vec();
        shorter.remove(at);
        all.push(shorter);
        let mut doubled = proof.to_vec();
        doubled.insert(at, proof[at]);
        all.push(doubled);
    }
    if proof.len() > 1 {
        let mut swapped = proof.to_vec();
        swapped.swap(at % proof.len(), (at + 1) % proof.len());
        all.push(swapped);
    }
    all
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn a_changed_proof_proves_nothing(size in 1_usize..200, first in any::<usize>(), at in any::<usize>(), bit in 0_usize..256) {
        let entries = naive::entries(size);
        let root = naive::root(&entries);
        let index = first % size;
        let (leaf, n) = (leaf_hash(&entries[index]), size as u64);
        let proof = naive::inclusion(index, &entries);
        for changed in changed(&proof, at, bit) {
            prop_assert!(verify_inclusion(&leaf, index as u64, n, &changed, &root).is_err());
        }
        for other in 0..size {
            let holds = verify_inclusion(&leaf, other as u64, n, &proof, &root).is_ok();
            prop_assert_eq!(holds, other == index);
        }
        let first = 1 + first % size;
        let old = naive::root(&entries[..first]);
        let proof = naive::consistency(first, &entries);
        for changed in changed(&proof, at, bit) {
            prop_assert!(verify_consistency(first as u64, &old, n, &root, &changed).is_err());
        }
    }

    #[test]
    fn nothing_breaks_the_verifiers(
        index in any::<u64>(), size in any::<u64>(), small in 0_u64..70,
        proof in proptest::collection::vec(any::<Hash>(), 0..70), root in any::<Hash>(),
    ) {
        prop_assert!(verify_inclusion(&root, index, size, &proof, &root).is_err() || size == 1);
        let _ = verify_inclusion(&root, small, size, &proof, &root);
        let _ = verify_consistency(index, &root, size, &root, &proof);
        let _ = verify_consistency(small, &root, size, &root, &proof);
        let _ = verify_consistency(small, &root, u64::MAX, &root, &proof);
    }
}

#[test]
fn the_empty_tree_is_extended_by_every_tree_and_extends_none() {
    let one = leaf_hash(b"one");
    assert_eq!(verify_consistency(0, &EMPTY_ROOT, 1, &one, &[]), Ok(()));
    assert_eq!(verify_consistency(0, &EMPTY_ROOT, 0, &EMPTY_ROOT, &[]), Ok(()));
    assert_eq!(verify_consistency(0, &one, 1, &one, &[]), Err(ProofError::WrongRoot));
    assert_eq!(
        verify_consistency(0, &EMPTY_ROOT, 0, &one, &[]),
        Err(ProofError::WrongRoot)
    );
    assert_eq!(
        verify_consistency(0, &EMPTY_ROOT, 1, &one, &[one]),
        Err(ProofError::WrongLength)
    );
    assert_eq!(
        verify_consistency(1, &one, 0, &EMPTY_ROOT, &[]),
        Err(ProofError::OutOfRange)
    );
    assert_eq!(verify_consistency(1, &one, 2, &one, &[]), Err(ProofError::WrongLength));
    assert_eq!(verify_inclusion(&one, 0, 0, &[], &one), Err(ProofError::OutOfRange));
}
