//! Inclusion and consistency proofs (RFC 6962, section 2.1; verified as RFC 9162, sections 2.1.3
//! and 2.1.4): built from stored hashes, checked with nothing but two roots.

use crate::limits;
use crate::log::{EMPTY_ROOT, Hash, node_hash};
use crate::store::{self, ReadError, Reader};

/// Why a proof shows nothing.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum ProofError {
    /// The index or size asked about is outside the tree.
    #[error("the proof speaks of an entry or a size that the tree does not have")]
    OutOfRange,
    /// Too few or too many hashes for these sizes.
    #[error("the proof has the wrong number of hashes")]
    WrongLength,
    /// The hashes do not lead to the root.
    #[error("the proof does not lead to the root")]
    WrongRoot,
}

/// Hashes that show that entry `index` is in the tree of `size` entries.
/// `None` if the log does not hold that many entries or `index` is not among them.
///
/// # Errors
/// [`ReadError`] if the store cannot say.
pub fn inclusion(
    organization: &str,
    index: u64,
    size: u64,
    reader: &dyn Reader,
) -> Result<Option<Vec<Hash>>, ReadError> {
    if index >= size || size > limits::LOG_SIZE {
        return Ok(None);
    }
    let tree = Tree { organization, reader };
    let mut proof = Vec::new();
    let (mut start, mut end) = (0, size);
    while end - start > 1 {
        let split = start + split(end - start);
        let sibling = if index < split { (split, end) } else { (start, split) };
        let Some(hash) = tree.range_hash(sibling.0, sibling.1)? else {
            return Ok(None);
        };
        proof.push(hash);
        if index < split {
            end = split;
        } else {
            start = split;
        }
    }
    proof.reverse();
    Ok(Some(proof))
}

/// Hashes that show that the tree of `second` entries extends the tree of `first`.
/// `None` if the log does not hold `second` entries or `first` is greater. Empty if `first` is 0
/// or equals `second`.
///
/// # Errors
/// [`ReadError`] if the store cannot say.
pub fn consistency(
    organization: &str,
    first: u64,
    second: u64,
    reader: &dyn Reader,
) -> Result<Option<Vec<Hash>>, ReadError> {
    if first > second || second > limits::LOG_SIZE {
        return Ok(None);
    }
    let tree = Tree { organization, reader };
    let mut proof = Vec::new();
    if first == 0 || first == second {
        return Ok(Some(proof));
    }
    let (mut start, mut end) = (0, second);
    // The old tree is a complete subtree of the new one exactly if the walk ends at its start.
    while end > first {
        let split = start + split(end - start);
        let sibling = if first <= split { (split, end) } else { (start, split) };
        let Some(hash) = tree.range_hash(sibling.0, sibling.1)? else {
            return Ok(None);
        };
        proof.push(hash);
        if first <= split {
            end = split;
        } else {
            start = split;
        }
    }
    if start > 0 {
        let Some(hash) = tree.range_hash(start, end)? else {
            return Ok(None);
        };
        proof.push(hash);
    }
    proof.reverse();
    Ok(Some(proof))
}

/// Root of the tree over the first `size` entries; `None` if the log holds fewer.
///
/// # Errors
/// [`ReadError`] if the store cannot say.
pub fn root(organization: &str, size: u64, reader: &dyn Reader) -> Result<Option<Hash>, ReadError> {
    match size {
        0 => Ok(Some(EMPTY_ROOT)),
        1..=limits::LOG_SIZE => Tree { organization, reader }.range_hash(0, size),
        _ => Ok(None),
    }
}

/// Checks that the leaf hashed to `leaf` is entry `index` of the tree with `size` entries and
/// this `root` (RFC 9162, section 2.1.3.2).
///
/// # Errors
/// [`ProofError`] if the proof does not show it.
pub fn verify_inclusion(leaf: &Hash, index: u64, size: u64, proof: &[Hash], root: &Hash) -> Result<(), ProofError> {
    if index >= size {
        return Err(ProofError::OutOfRange);
    }
    let (mut node, mut last) = (index, size - 1);
    let mut hash = *leaf;
    for sibling in proof {
        if last == 0 {
            return Err(ProofError::WrongLength);
        }
        if node & 1 == 1 || node == last {
            hash = node_hash(sibling, &hash);
            while node & 1 == 0 && node != 0 {
                node >>= 1;
                last >>= 1;
            }
        } else {
            hash = node_hash(&hash, sibling);
        }
        node >>= 1;
        last >>= 1;
    }
    if last != 0 {
        return Err(ProofError::WrongLength);
    }
    if hash == *root {
        Ok(())
    } else {
        Err(ProofError::WrongRoot)
    }
}

/// Checks that the tree (`second`, `second_root`) extends the tree (`first`, `first_root`)
/// (RFC 9162, section 2.1.4.2). The empty tree is extended by every tree, with an empty proof.
///
/// # Errors
/// [`ProofError`] if the proof does not show it.
pub fn verify_consistency(
    first: u64,
    first_root: &Hash,
    second: u64,
    second_root: &Hash,
    proof: &[Hash],
) -> Result<(), ProofError> {
    if first > second {
        return Err(ProofError::OutOfRange);
    }
    if first == second || first == 0 {
        if !proof.is_empty() {
            return Err(ProofError::WrongLength);
        }
        let expected = if first == 0 { &EMPTY_ROOT } else { second_root };
        let empty_second = second != 0 || *second_root == EMPTY_ROOT;
        let holds = first_root == expected && empty_second;
        return if holds { Ok(()) } else { Err(ProofError::WrongRoot) };
    }
    // A power of two is itself the first hash of the path.
    let implied = first.is_power_of_two().then_some(first_root);
    let mut path = implied.into_iter().chain(proof);
    let Some(start) = path.next() else {
        return Err(ProofError::WrongLength);
    };
    let (mut node, mut last) = (first - 1, second - 1);
    while node & 1 == 1 {
        node >>= 1;
        last >>= 1;
    }
    let (mut old, mut new) = (*start, *start);
    for sibling in path {
        if last == 0 {
            return Err(ProofError::WrongLength);
        }
        if node & 1 == 1 || node == last {
            old = node_hash(sibling, &old);
            new = node_hash(sibling, &new);
            while node & 1 == 0 && node != 0 {
                node >>= 1;
                last >>= 1;
            }
        } else {
            new = node_hash(&new, sibling);
        }
        node >>= 1;
        last >>= 1;
    }
    if last != 0 {
        return Err(ProofError::WrongLength);
    }
    if old == *first_root && new == *second_root {
        Ok(())
    } else {
        Err(ProofError::WrongRoot)
    }
}

/// Largest power of two smaller than `count`, which is at least 2.
fn split(count: u64) -> u64 {
    1 << (63 - (count - 1).leading_zeros())
}

/// Hashes of stored subtrees: tile levels are read, the seven levels between two of them computed.
struct Tree<'a> {
    organization: &'a str,
    reader: &'a dyn Reader,
}

impl Tree<'_> {
    /// Merkle tree hash of entries `start..end`, where `start` is a multiple of every power of
    /// two up to the size of the range: each range met in the definition of the proofs is so.
    /// `None` if some of them are not stored.
    fn range_hash(&self, start: u64, end: u64) -> Result<Option<Hash>, ReadError> {
        let mut parts = Vec::new();
        let mut from = start;
        while from < end {
            // The largest complete subtree that begins here.
            let height = 63 - (end - from).leading_zeros();
            let Some(hash) = self.subtree(height, from >> height)? else {
                return Ok(None);
            };
            parts.push(hash);
            from += 1 << height;
        }
        Ok(parts.into_iter().rev().reduce(|right, left| node_hash(&left, &right)))
    }

    /// Hash over entries `index << height` to `(index + 1) << height`.
    fn subtree(&self, height: u32, index: u64) -> Result<Option<Hash>, ReadError> {
        // Heights are below 64, so the level is below 8.
        let level = (height / 8) as u8;
        let width = 1_u64 << (height % 8);
        let first = index * width;
        let Some(mut hashes) = hashes(self.organization, level, first, width, self.reader)? else {
            return Ok(None);
        };
        while hashes.len() > 1 {
            hashes = hashes
                .chunks_exact(2)
                .filter_map(|pair| match pair {
                    [left, right] => Some(node_hash(left, right)),
                    _ => None,
                })
                .collect();
        }
        Ok(hashes.first().copied())
    }
}

/// The hashes `first..first + count` of a tile level, at most 256 of them; `None` unless all are
/// stored.
pub(crate) fn hashes(
    organization: &str,
    level: u8,
    first: u64,
    count: u64,
    reader: &dyn Reader,
) -> Result<Option<Vec<Hash>>, ReadError> {
    let key = |index| match level {
        0 => store::entry(organization, index),
        _ => store::hash(organization, level, index),
    };
    let rows = reader.range(&key(first), &key(first + count), count as usize)?;
    if rows.len() as u64 != count {
        return Ok(None);
    }
    rows.iter()
        .map(|(_, value)| match value.split_first_chunk::<32>() {
            Some((hash, rest)) if level == 0 || rest.is_empty() => Ok(*hash),
            _ => Err(ReadError::damaged(
                format!("hash {first} of level {level} of {organization}"),
                "a hash has the wrong length",
            )),
        })
        .collect::<Result<Vec<Hash>, ReadError>>()
        .map(Some)
}

#[cfg(test)]
mod tests;
