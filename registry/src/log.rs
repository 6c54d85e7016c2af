//! The log of one organization: an append-only Merkle tree over statements (RFC 6962, section 2),
//! of which a node keeps every entry and the right edge.
//!
//! One signature covers everything up to a head, so catching up costs hashes: append the leaves
//! to the [`Frontier`], recompute the root, compare. Nothing here looks into an entry.

use sha2::{Digest, Sha256};

use crate::head::Head;
use crate::limits;
use crate::store::{self, ReadError, Reader, Write};

/// A SHA-256 hash of a leaf, a node or a tree.
pub type Hash = [u8; 32];

/// Root of the empty tree: the hash of nothing (RFC 6962, section 2.1).
pub const EMPTY_ROOT: Hash = [
    0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14, 0x9a, 0xfb, 0xf4, 0xc8, 0x99, 0x6f, 0xb9, 0x24, 0x27, 0xae, 0x41,
    0xe4, 0x64, 0x9b, 0x93, 0x4c, 0xa4, 0x95, 0x99, 0x1b, 0x78, 0x52, 0xb8, 0x55,
];

/// Hash of a leaf: SHA-256(0x00, entry).
#[must_use]
pub fn leaf_hash(entry: &[u8]) -> Hash {
    let mut hasher = Sha256::new();
    hasher.update([0x00]);
    hasher.update(entry);
    hasher.finalize().into()
}

/// Hash of an inner node: SHA-256(0x01, left, right).
#[must_use]
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    let mut hasher = Sha256::new();
    hasher.update([0x01]);
    hasher.update(left);
    hasher.update(right);
    hasher.finalize().into()
}

/// The right edge of a tree: its size, and the roots of the complete subtrees that make it up,
/// the largest first. Enough to append and to know the root; at most 64 hashes.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Frontier {
    size: u64,
    peaks: Vec<Hash>,
}

impl Frontier {
    /// Number of leaves.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Appends a leaf, given by its hash.
    pub fn append(&mut self, leaf: Hash) {
        self.append_noting(leaf, &mut |_, _, _| {});
    }

    /// Appends leaves in order, given by their hashes.
    pub fn append_many(&mut self, leaves: &[Hash]) {
        for leaf in leaves {
            self.append(*leaf);
        }
    }

    /// Appends a leaf and calls `note(height, index, hash)` for every subtree that it completes:
    /// the one over leaves `index << height` to `(index + 1) << height`, the leaf itself
    /// included as height 0.
    pub(crate) fn append_noting(&mut self, leaf: Hash, note: &mut dyn FnMut(u32, u64, &Hash)) {
        let mut hash = leaf;
        let mut index = self.size;
        let mut height = 0;
        note(height, index, &hash);
        // A one bit in the size is a complete subtree waiting for its right sibling.
        while index & 1 == 1 {
            let Some(left) = self.peaks.pop() else { break };
            hash = node_hash(&left, &hash);
            index >>= 1;
            height += 1;
            note(height, index, &hash);
        }
        self.peaks.push(hash);
        self.size += 1;
    }

    /// Root of the tree (RFC 6962, section 2.1).
    #[must_use]
    pub fn root(&self) -> Hash {
        self.peaks
            .iter()
            .rev()
            .copied()
            .reduce(|right, left| node_hash(&left, &right))
            .unwrap_or(EMPTY_ROOT)
    }

    /// The frontier as bytes: size (u64, big-endian), then the peaks.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(8 + 32 * self.peaks.len());
        bytes.extend_from_slice(&self.size.to_be_bytes());
        for peak in &self.peaks {
            bytes.extend_from_slice(peak);
        }
        bytes
    }

    /// Reads what [`Frontier::encode`] wrote, and says how many bytes it took. `None` if the
    /// bytes are too few.
    #[must_use]
    pub fn decode(bytes: &[u8]) -> Option<(Self, usize)> {
        let (size, mut rest) = bytes.split_first_chunk::<8>()?;
        let size = u64::from_be_bytes(*size);
        if size > limits::LOG_SIZE {
            return None;
        }
        let mut peaks = Vec::new();
        for _ in 0..size.count_ones() {
            let (peak, more) = rest.split_first_chunk::<32>()?;
            peaks.push(*peak);
            rest = more;
        }
        Some((Self { size, peaks }, bytes.len() - rest.len()))
    }
}

/// What is stored of one log beside its entries, under [`store::log_state`].
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct LogState {
    /// The right edge of all entries stored.
    pub frontier: Frontier,
    /// The newest head whose entries are all stored. Its size is at most the frontier's: in the
    /// middle of a long catch-up it is less.
    pub head: Option<Head>,
}

impl LogState {
    /// State of the organization's log; of one never heard of, the empty state.
    ///
    /// # Errors
    /// [`ReadError`] if the store cannot say.
    pub fn read(organization: &str, reader: &dyn Reader) -> Result<Self, ReadError> {
        match reader.get(&store::log_state(organization))? {
            None => Ok(Self::default()),
            Some(bytes) => Self::decode(&bytes)
                .ok_or_else(|| ReadError::damaged(format!("the log of {organization}"), "the state of the log")),
        }
    }

    /// The state as bytes: frontier, then the signed note of the head (nothing if there is none).
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = self.frontier.encode();
        if let Some(head) = &self.head {
            bytes.extend_from_slice(&head.encode());
        }
        bytes
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let (frontier, taken) = Frontier::decode(bytes)?;
        let rest = bytes.get(taken..)?;
        let head = if rest.is_empty() {
            None
        } else {
            Some(Head::decode(rest)?)
        };
        Some(Self { frontier, head })
    }
}

/// Why entries were not appended. Nothing was changed.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum AppendError {
    /// An entry is longer than [`limits::STATEMENT_BYTES`].
    #[error("entry {0} of the batch is longer than {max} bytes; split what it says", max = limits::STATEMENT_BYTES)]
    TooLong(usize),
    /// More entries than [`limits::APPEND_STATEMENTS`] at once.
    #[error("more than {max} entries in one batch; append them in several", max = limits::APPEND_STATEMENTS)]
    TooMany,
    /// The log has reached [`limits::LOG_SIZE`].
    #[error("the log is full")]
    Full,
}

/// Appends entries: the frontier after them, and the rows to write. Pure; whoever persists the
/// rows also persists the [`LogState`], in the same batch.
///
/// # Errors
/// [`AppendError`] if a bound is passed.
pub fn append(
    organization: &str,
    frontier: &Frontier,
    entries: &[impl AsRef<[u8]>],
) -> Result<(Frontier, Vec<Write>), AppendError> {
    if entries.len() > limits::APPEND_STATEMENTS {
        return Err(AppendError::TooMany);
    }
    if frontier.size + entries.len() as u64 > limits::LOG_SIZE {
        return Err(AppendError::Full);
    }
    if let Some(at) = entries.iter().position(|e| e.as_ref().len() > limits::STATEMENT_BYTES) {
        return Err(AppendError::TooLong(at));
    }
    let mut after = frontier.clone();
    let mut writes = Vec::with_capacity(entries.len() + 2);
    for entry in entries {
        let entry = entry.as_ref();
        let leaf = leaf_hash(entry);
        let mut value = Vec::with_capacity(32 + entry.len());
        value.extend_from_slice(&leaf);
        value.extend_from_slice(entry);
        writes.push(Write::put(store::entry(organization, after.size), value));
        after.append_noting(leaf, &mut |height, index, hash| {
            if height > 0 && height % 8 == 0 {
                // Heights are below 64, so the level is below 8.
                let key = store::hash(organization, (height / 8) as u8, index);
                writes.push(Write::put(key, hash.to_vec()));
            }
        });
    }
    Ok((after, writes))
}

/// One entry, checked against the leaf hash beside it; `None` if the log has no such entry.
///
/// # Errors
/// [`ReadError::Damaged`] if the entry is not what was written.
pub fn read_entry(organization: &str, index: u64, reader: &dyn Reader) -> Result<Option<Vec<u8>>, ReadError> {
    reader
        .get(&store::entry(organization, index))?
        .map(|row| checked_entry(organization, index, &row).map(<[u8]>::to_vec))
        .transpose()
}

/// Entries `from..to`, or fewer: those that are stored, and no more than fit `max_bytes` (but the
/// first always). Each is checked against the leaf hash beside it.
///
/// # Errors
/// [`ReadError::Damaged`] if an entry is not what was written or one is missing between two.
pub fn read_entries(
    organization: &str,
    from: u64,
    to: u64,
    max_bytes: usize,
    reader: &dyn Reader,
) -> Result<Vec<Vec<u8>>, ReadError> {
    let mut entries: Vec<Vec<u8>> = Vec::new();
    let mut bytes = 0_usize;
    let mut next = from;
    while next < to {
        let ahead = (to - next).min(ENTRIES_READ_AHEAD);
        let rows = reader.range(
            &store::entry(organization, next),
            &store::entry(organization, next + ahead),
            ahead as usize,
        )?;
        if rows.is_empty() {
            break;
        }
        for (key, row) in &rows {
            if *key != store::entry(organization, next) {
                return Err(damaged_entry(organization, next, "an entry is missing"));
            }
            let entry = checked_entry(organization, next, row)?;
            bytes = bytes.saturating_add(entry.len());
            if bytes > max_bytes && !entries.is_empty() {
                return Ok(entries);
            }
            entries.push(entry.to_vec());
            next += 1;
        }
    }
    Ok(entries)
}

/// Rows fetched at once while reading entries, so that a bound on bytes also bounds what is read
/// beyond it: 32 entries of 32 KiB are 1 MiB.
const ENTRIES_READ_AHEAD: u64 = 32;

fn checked_entry<'r>(organization: &str, index: u64, row: &'r [u8]) -> Result<&'r [u8], ReadError> {
    let (leaf, entry) = row
        .split_first_chunk::<32>()
        .ok_or_else(|| damaged_entry(organization, index, "the row is too short"))?;
    if leaf_hash(entry) != *leaf {
        return Err(damaged_entry(organization, index, "the entry does not match its hash"));
    }
    Ok(entry)
}

fn damaged_entry(organization: &str, index: u64, what: &'static str) -> ReadError {
    ReadError::damaged(format!("entry {index} of {organization}"), what)
}

#[cfg(test)]
mod tests;
