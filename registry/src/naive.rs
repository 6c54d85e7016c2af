//! The tree and its proofs as RFC 6962, section 2.1, defines them: recursively, from the leaves.
//! Tests compare the fast path with this.

use crate::log::{EMPTY_ROOT, Hash, leaf_hash, node_hash};

/// Largest power of two smaller than `count`.
fn k(count: usize) -> usize {
    let mut k = 1;
    while k * 2 < count {
        k *= 2;
    }
    k
}

/// MTH(D): the root over the entries.
pub(crate) fn root(entries: &[Vec<u8>]) -> Hash {
    match entries {
        [] => EMPTY_ROOT,
        [one] => leaf_hash(one),
        _ => {
            let (left, right) = entries.split_at(k(entries.len()));
            node_hash(&root(left), &root(right))
        }
    }
}

/// PATH(m, D): the inclusion proof of entry `m`.
pub(crate) fn inclusion(m: usize, entries: &[Vec<u8>]) -> Vec<Hash> {
    if entries.len() <= 1 {
        return Vec::new();
    }
    let k = k(entries.len());
    let (left, right) = entries.split_at(k);
    let (mut path, sibling) = if m < k {
        (inclusion(m, left), root(right))
    } else {
        (inclusion(m - k, right), root(left))
    };
    path.push(sibling);
    path
}

/// PROOF(m, D): the consistency proof from the first `m` entries.
pub(crate) fn consistency(m: usize, entries: &[Vec<u8>]) -> Vec<Hash> {
    subproof(m, entries, true)
}

fn subproof(m: usize, entries: &[Vec<u8>], whole: bool) -> Vec<Hash> {
    if m == entries.len() {
        return if whole { Vec::new() } else { vec![root(entries)] };
    }
    let k = k(entries.len());
    let (left, right) = entries.split_at(k);
    let (mut proof, sibling) = if m <= k {
        (subproof(m, left, whole), root(right))
    } else {
        (subproof(m - k, right, false), root(left))
    };
    proof.push(sibling);
    proof
}

/// Entries that differ from each other.
pub(crate) fn entries(count: usize) -> Vec<Vec<u8>> {
    (0..count).map(|n| format!("entry {n}").into_bytes()).collect()
}
