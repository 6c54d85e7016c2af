//! What this crate keeps in the node's ordered key-value store, and how it reads it back.
//!
//! The node and the simulator give a [`Reader`] and carry out [`Batch`]es; nothing here touches a
//! disk. All keys begin with `r/`. An organization is named by its DID followed by a zero byte (a
//! DID has none), so that the keys of one organization are one range:
//!
//! | key | value |
//! |---|---|
//! | `r/c` version (u32) | a charter in canonical JSON; from version 2 on with its signatures |
//! | `r/d` version (u32) | two charters of that version, which contradict each other |
//! | `r/l` DID | state of a log: frontier, newest head that the entries cover ([`crate::log::LogState`]) |
//! | `r/e` DID 0 index (u64) | leaf hash (32 bytes), then the entry |
//! | `r/h` DID 0 level (u8) index (u64) | hash of 256^level entries, level >= 1 |
//! | `r/p` DID | a head that promises more than is stored, in the middle of a catch-up ([`crate::replica`]) |
//! | `r/k` DID 0 size (u64) | the rotation since which another key signs heads ([`crate::log_keys`]) |
//! | `r/f` DID | evidence of a fork: two signed heads |
//! | `r/w` DID 0 witness's DID | the newest cosignature of that witness ([`crate::cosignature`]) |
//! | `r/s` DID 0 index (u64) leaf hash | what is honoured of a frozen log ([`crate::fork::Record`]) |
//! | `r/v` DID 0 kind ... | facts folded from that log ([`crate::fact`]) |
//! | `r/x` kind ... 0 DID | the same facts, found by subject instead of by organization |
//!
//! Integers are big-endian, so that byte order is number order. Level 0 of the tree is the first
//! 32 bytes of every entry row: an entry that rotted on disk is caught when it is read.

use crate::charter::MemberCard;
use crate::limits;
use crate::log_keys::{LogKeys, Rotation};

/// Something that can be read as it was after some batch, whole.
pub trait Reader {
    /// The value under a key, or `None`.
    ///
    /// # Errors
    /// [`ReadError`] if the store cannot say.
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, ReadError>;

    /// At most `limit` rows with `from <= key < to`, in ascending order of keys.
    ///
    /// # Errors
    /// [`ReadError`] if the store cannot say.
    fn range(&self, from: &[u8], to: &[u8], limit: usize) -> Result<Vec<Row>, ReadError>;
}

/// A key and its value.
pub type Row = (Vec<u8>, Vec<u8>);

/// The store could not be read, or holds what this crate never wrote. The caller answers
/// "unavailable", never "allowed".
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum ReadError {
    /// The engine failed.
    #[error("the store cannot be read: {0}")]
    Engine(String),
    /// A row does not decode: the store is damaged. Restore a backup or rebuild from peers.
    #[error("the store is damaged at {place}: {what}; restore the data folder from a backup")]
    Damaged {
        /// Which row.
        place: String,
        /// What is wrong with it.
        what: &'static str,
    },
}

impl ReadError {
    pub(crate) fn damaged(place: impl Into<String>, what: &'static str) -> Self {
        Self::Damaged {
            place: place.into(),
            what,
        }
    }
}

/// One row to be written, or removed if `value` is `None`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Write {
    /// The key, beginning with `r/`.
    pub key: Vec<u8>,
    /// The new value, or `None` to remove the row.
    pub value: Option<Vec<u8>>,
}

impl Write {
    /// A row to be put.
    #[must_use]
    pub fn put(key: Vec<u8>, value: Vec<u8>) -> Self {
        Self {
            key,
            value: Some(value),
        }
    }
}

/// A batch applies only if the key holds exactly this: one writer per log, also across replicas
/// of one organization that share a database.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Expectation {
    /// The key that is looked at.
    pub key: Vec<u8>,
    /// What it must hold; `None`: it must be absent.
    pub value: Option<Vec<u8>>,
}

/// Writes that become durable together or not at all, and only if every expectation holds.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Batch {
    /// Rows to write, in order; of two writes to one key the later counts.
    pub writes: Vec<Write>,
    /// What must be true before.
    pub expectations: Vec<Expectation>,
}

/// Key of a charter version.
#[must_use]
pub fn charter(version: u32) -> Vec<u8> {
    let mut key = b"r/c".to_vec();
    key.extend_from_slice(&version.to_be_bytes());
    key
}

/// Key of two charters of one version that contradict each other.
#[must_use]
pub fn charter_conflict(version: u32) -> Vec<u8> {
    let mut key = b"r/d".to_vec();
    key.extend_from_slice(&version.to_be_bytes());
    key
}

/// Key of the state of an organization's log.
#[must_use]
pub fn log_state(organization: &str) -> Vec<u8> {
    scoped(b"r/l", organization, 0)
}

/// Key of the evidence that an organization told two stories.
#[must_use]
pub fn evidence(organization: &str) -> Vec<u8> {
    scoped(b"r/f", organization, 0)
}

/// Key of the rotation since which another key signs the heads of an organization's log.
#[must_use]
pub fn log_key(organization: &str, from: u64) -> Vec<u8> {
    let mut key = scoped(b"r/k", organization, 9);
    key.push(0);
    key.extend_from_slice(&from.to_be_bytes());
    key
}

/// The keys of a member's log: that of its card, and what the store knows of rotations since.
///
/// # Errors
/// [`ReadError`] if the store cannot say.
pub fn log_keys(consortium: &str, card: &MemberCard, reader: &dyn Reader) -> Result<LogKeys, ReadError> {
    let mut keys = LogKeys::new(consortium, card);
    read_log_keys(card.did().as_str(), &mut keys, reader)?;
    Ok(keys)
}

/// Takes the rotations in the store. Those of a card that a later charter has replaced do not connect, and are left out.
pub(crate) fn read_log_keys(organization: &str, keys: &mut LogKeys, reader: &dyn Reader) -> Result<(), ReadError> {
    let (from, to) = (log_key(organization, 0), log_key(organization, u64::MAX));
    // A member has a card or two in its life.
    for (_, row) in reader.range(&from, &to, 16 * limits::LOG_KEYS)? {
        let rotation = Rotation::decode(&row);
        let damaged = || ReadError::damaged(format!("the log keys of {organization}"), "a rotation does not decode");
        let _ = keys.learn(&rotation.ok_or_else(damaged)?);
    }
    Ok(())
}

/// Key of an entry of an organization's log.
#[must_use]
pub fn entry(organization: &str, index: u64) -> Vec<u8> {
    let mut key = scoped(b"r/e", organization, 9);
    key.push(0);
    key.extend_from_slice(&index.to_be_bytes());
    key
}

/// Key of the hash over 256^level entries of an organization's log; `level` is at least 1.
#[must_use]
pub fn hash(organization: &str, level: u8, index: u64) -> Vec<u8> {
    let mut key = scoped(b"r/h", organization, 10);
    key.push(0);
    key.push(level);
    key.extend_from_slice(&index.to_be_bytes());
    key
}

/// Key of the newest cosignature by `witness` of a head of an organization's log.
#[must_use]
pub fn cosignature(organization: &str, witness: &str) -> Vec<u8> {
    let mut key = cosignatures(organization);
    key.extend_from_slice(witness.as_bytes());
    key
}

/// Prefix of all cosignatures of an organization's log.
#[must_use]
pub(crate) fn cosignatures(organization: &str) -> Vec<u8> {
    let mut key = scoped(b"r/w", organization, 64);
    key.push(0);
    key
}

/// Key of a record that is honoured of an organization's frozen log, by index and hash of the entry.
#[must_use]
pub fn salvaged(organization: &str, (index, leaf): &(u64, [u8; 32])) -> Vec<u8> {
    let mut key = salvaged_all(organization);
    key.extend_from_slice(&index.to_be_bytes());
    key.extend_from_slice(leaf);
    key
}

/// Prefix of all records that are honoured of an organization's frozen log.
#[must_use]
pub(crate) fn salvaged_all(organization: &str) -> Vec<u8> {
    let mut key = scoped(b"r/s", organization, 41);
    key.push(0);
    key
}

/// Prefix of all facts folded from an organization's log.
#[must_use]
pub(crate) fn facts(organization: &str) -> Vec<u8> {
    let mut key = scoped(b"r/v", organization, 96);
    key.push(0);
    key
}

/// First key after all keys that begin with `prefix`; for the end of a range.
#[must_use]
pub(crate) fn after(prefix: &[u8]) -> Vec<u8> {
    let mut end = prefix.to_vec();
    while let Some(last) = end.pop() {
        if last < u8::MAX {
            end.push(last + 1);
            return end;
        }
    }
    // Only a prefix of 0xff bytes has no successor; ours begin with `r`.
    vec![u8::MAX]
}

fn scoped(kind: &[u8; 3], organization: &str, room: usize) -> Vec<u8> {
    let mut key = Vec::with_capacity(kind.len() + organization.len() + room);
    key.extend_from_slice(kind);
    key.extend_from_slice(organization.as_bytes());
    key
}

/// A store in memory, for tests, the simulator and offline tools.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct MemoryStore {
    rows: std::collections::BTreeMap<Vec<u8>, Vec<u8>>,
}

impl MemoryStore {
    /// Applies a batch if its expectations hold; says whether it did.
    pub fn apply(&mut self, batch: &Batch) -> bool {
        let holds = batch
            .expectations
            .iter()
            .all(|e| self.rows.get(&e.key) == e.value.as_ref());
        if holds {
            self.write(&batch.writes);
        }
        holds
    }

    /// Writes rows without asking.
    pub fn write(&mut self, writes: &[Write]) {
        for write in writes {
            match &write.value {
                Some(value) => drop(self.rows.insert(write.key.clone(), value.clone())),
                None => drop(self.rows.remove(&write.key)),
            }
        }
    }

    /// All rows, in order.
    pub fn rows(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.rows.iter().map(|(k, v)| (k.as_slice(), v.as_slice()))
    }
}

impl Reader for MemoryStore {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, ReadError> {
        Ok(self.rows.get(key).cloned())
    }

    fn range(&self, from: &[u8], to: &[u8], limit: usize) -> Result<Vec<Row>, ReadError> {
        if from >= to {
            return Ok(Vec::new());
        }
        let range = self
            .rows
            .range::<[u8], _>((std::ops::Bound::Included(from), std::ops::Bound::Excluded(to)));
        Ok(range.take(limit).map(|(k, v)| (k.clone(), v.clone())).collect())
    }
}
