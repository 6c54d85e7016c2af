//! The node's ordered key-value store.
//!
//! Everything a node must not forget goes through [`Store::apply`]: an atomic, conditional batch
//! that is on disk when the call returns. What is not yet on disk is never read back either, so
//! whoever reads an entry here may send it: it cannot disappear again.
//!
//! Two engines carry it, chosen at the first start and recorded in the folder: redb (the
//! default) and sled. `specs/decisions/0002-sled-and-durability.md` says why, with figures. The engines
//! only read and commit; expectations, grouping of concurrent batches, checksums and the refusal
//! after a failure are written once, in `store/commit.rs`, for all of them.

mod check;
mod commit;
mod folder;
pub mod limits;
pub mod memory;
mod pieces;
mod record;
mod redb;
mod salvage;
mod sled;
mod sync_set;

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;

/// A key with its value, as [`Store::range`] hands them out.
pub type Pair = (Vec<u8>, Vec<u8>);

/// An ordered map from bytes to bytes with atomic, durable, conditional batches.
///
/// All calls block; from asynchronous code they belong on a blocking thread. Many threads calling
/// [`Store::apply`] at once share one synchronization of the disk.
pub trait Store: Send + Sync {
    /// The value of `key`, or `None` when there is none.
    ///
    /// # Errors
    /// [`StoreError`] when the value on disk fails its checksum or cannot be read.
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError>;

    /// At most `limit` pairs with `from <= key < to`, in ascending byte order of their keys. An
    /// empty `to` means "to the end". To go on, ask again from the last key with a zero byte added.
    ///
    /// # Errors
    /// [`StoreError`] when any of the values fails its checksum or cannot be read.
    fn range(&self, from: &[u8], to: &[u8], limit: usize) -> Result<Vec<Pair>, StoreError>;

    /// Carries out the whole batch, or nothing of it. When this returns `Ok`, it is on disk.
    ///
    /// # Errors
    /// [`ApplyError::Expectation`] and [`ApplyError::Full`] leave the store usable. After
    /// [`ApplyError::Failed`] with [`ApplyError::ReadOnly`] following it, the outcome of that one
    /// batch is decided by the next opening; it is never visible to readers before.
    fn apply(&self, batch: Batch) -> Result<(), ApplyError>;

    /// Whether a write would be accepted at this moment, for readiness checks.
    ///
    /// # Errors
    /// [`ApplyError::Full`] or [`ApplyError::ReadOnly`], as a write would get them.
    fn writable(&self) -> Result<(), ApplyError>;

    /// Whether everything that was written has been found to be there. Opening compares all of a
    /// small store; a large one is compared while it is in use.
    fn content(&self) -> Content;
}

/// How much of what was written has been compared with what is there since the store was opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// All of it, and nothing is missing.
    Checked,
    /// Not all of it yet. Each record that is read still proves itself.
    Checking {
        /// Records compared.
        done: u64,
        /// Records there should be.
        of: u64,
    },
    /// Something is missing or altered; nothing is read out or written any more.
    Damaged(String),
}

/// Writes that belong together, and what must hold for them to happen.
///
/// Expectations are checked against the state before this batch. A later write to the same key
/// replaces an earlier one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Batch {
    /// Keys with their new values; `None` removes the key.
    pub writes: Vec<(Vec<u8>, Option<Vec<u8>>)>,
    /// Keys with the exact values they must have; `None` means that the key must be absent.
    pub expectations: Vec<(Vec<u8>, Option<Vec<u8>>)>,
}

impl Batch {
    /// A batch that writes nothing and expects nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds: `key` gets `value`.
    #[must_use]
    pub fn put(mut self, key: impl Into<Vec<u8>>, value: impl Into<Vec<u8>>) -> Self {
        self.writes.push((key.into(), Some(value.into())));
        self
    }

    /// Adds: `key` is removed; it need not exist.
    #[must_use]
    pub fn remove(mut self, key: impl Into<Vec<u8>>) -> Self {
        self.writes.push((key.into(), None));
        self
    }

    /// Adds: only if `key` has exactly `value` now (`None`: only if it is absent).
    #[must_use]
    pub fn expect(mut self, key: impl Into<Vec<u8>>, value: Option<Vec<u8>>) -> Self {
        self.expectations.push((key.into(), value));
        self
    }
}

/// Which engine keeps the data. Recorded in the folder at the first start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Engine {
    /// sled 0.34, made durable by synchronizing every file of its folder before answering.
    Sled,
    /// redb 4, the default (decision 2 says why).
    #[default]
    Redb,
}

impl Engine {
    /// The name used in configuration and in the folder's marker.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sled => "sled",
            Self::Redb => "redb",
        }
    }
}

impl fmt::Display for Engine {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl FromStr for Engine {
    type Err = UnknownEngine;

    fn from_str(name: &str) -> Result<Self, UnknownEngine> {
        match name {
            "sled" => Ok(Self::Sled),
            "redb" => Ok(Self::Redb),
            other => Err(UnknownEngine(other.to_owned())),
        }
    }
}

/// A name that is no engine's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown storage engine '{0}': use \"sled\" or \"redb\"")]
pub struct UnknownEngine(pub String);

/// How to open a store. [`open`] uses the defaults.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// The engine the caller wants; it must be the one recorded in the folder.
    pub engine: Engine,
    /// Writes are refused while the disk has fewer free bytes than this.
    pub min_free_bytes: u64,
    /// A store of at most this many records is read whole before it is opened.
    pub checked_at_opening: u64,
}

impl Options {
    /// The given engine, and [`limits::MIN_FREE_BYTES`].
    pub fn new(engine: Engine) -> Self {
        Self {
            engine,
            min_free_bytes: limits::MIN_FREE_BYTES,
            checked_at_opening: limits::CHECKED_AT_OPENING,
        }
    }
}

/// Opens the store in `dir`, creating it (mode 0700) when there is none.
///
/// The whole content is read once and compared with its checksums, so that what has rotted or
/// vanished is known now and not on the day it is needed: before this returns if there is little,
/// else while the store is in use ([`Store::content`]). The caller holds the data folder's lock.
///
/// # Errors
/// [`OpenError`]; each says what to do.
pub fn open(dir: &Path, engine: Engine) -> Result<Arc<dyn Store>, OpenError> {
    open_with(dir, &Options::new(engine))
}

/// [`open`] with explicit options.
///
/// # Errors
/// [`OpenError`]; each says what to do.
pub fn open_with(dir: &Path, options: &Options) -> Result<Arc<dyn Store>, OpenError> {
    let folder = folder::Folder::prepare(dir, options)?;
    Ok(match options.engine {
        Engine::Sled => {
            let backend = sled::Sled::open(folder.path())?;
            Arc::new(commit::Committed::start(backend, folder)?)
        }
        Engine::Redb => {
            let backend = redb::Redb::open(&folder)?;
            Arc::new(commit::Committed::start(backend, folder)?)
        }
    })
}

/// Reads what still proves itself in a store that may be damaged, from `from` up to `to`, and gives it to `each`; says how
/// many records did not. Unlike a store that is opened it is read even if something is missing.
///
/// # Errors
/// [`OpenError`]: nothing can be read, or nothing further.
pub fn salvage(
    dir: &Path,
    engine: Engine,
    (from, to): (&[u8], &[u8]),
    each: &mut dyn FnMut(&[u8], &[u8]),
) -> Result<u64, OpenError> {
    let folder = folder::Folder::prepare(dir, &Options::new(engine))?;
    match engine {
        Engine::Sled => salvage::read(&sled::Sled::open(folder.path())?, &folder, (from, to), each),
        Engine::Redb => salvage::read(&redb::Redb::open(&folder)?, &folder, (from, to), each),
    }
}

/// Why something could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// What is on disk is not what was written. It is not handed out.
    #[error(
        "the store is damaged at {place}: {problem}. Stop the node, keep the folder, and restore \
         it from a backup"
    )]
    Corrupted {
        /// The key or file.
        place: String,
        /// What does not fit.
        problem: String,
    },
    /// The disk or the engine did not answer.
    #[error("the store cannot be read: {0}")]
    Io(String),
}

/// Why a batch was not carried out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ApplyError {
    /// A key did not have the expected value; nothing was written. Read again and decide anew.
    #[error("the value of {} is not the expected one", record::show_key(key))]
    Expectation {
        /// The first key whose value differs.
        key: Vec<u8>,
    },
    /// The disk is nearly full. Writes are accepted again as soon as there is room.
    #[error(
        "the disk has {free} bytes left and {needed} are kept in reserve: free some space; \
         reading goes on, writing resumes by itself"
    )]
    Full {
        /// Bytes free for this process.
        free: u64,
        /// Bytes that must stay free.
        needed: u64,
    },
    /// An earlier write failed; nothing is accepted until the store is opened again.
    #[error(
        "the store accepts no writes since an earlier one failed ({0}): see to the disk and \
         restart the node; reading goes on"
    )]
    ReadOnly(String),
    /// A key, a value or the batch exceeds its limit in [`limits`]; nothing was written.
    #[error("{what} has {actual} bytes, {limit} are allowed")]
    TooLarge {
        /// "a key", "a value" or "the batch".
        what: &'static str,
        /// Its size in bytes.
        actual: usize,
        /// The limit in bytes.
        limit: usize,
    },
    /// This write failed, or it is unknown whether it happened: never answer as if it had.
    #[error("the write failed: {0}")]
    Failed(String),
}

/// Why a store could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The folder belongs to the other engine.
    #[error(
        "{dir} was made with the storage engine {found}, not {asked}: set [store] engine = \
         \"{found}\""
    )]
    OtherEngine {
        /// The store's folder.
        dir: PathBuf,
        /// The engine recorded there.
        found: String,
        /// The engine asked for.
        asked: Engine,
    },
    /// A newer version of this program wrote the folder.
    #[error(
        "{dir} has storage format {found}, this program knows up to {known}: use the newer \
         program, or restore a backup made by this one"
    )]
    NewerFormat {
        /// The store's folder.
        dir: PathBuf,
        /// The format recorded there.
        found: u32,
        /// The newest format this program reads.
        known: u32,
    },
    /// The folder holds files that are not a store's.
    #[error("{path} is not part of a store: choose another folder")]
    Foreign {
        /// The first such file.
        path: PathBuf,
    },
    /// Another process, or another part of this one, has it open.
    #[error("{dir} is open elsewhere: stop that process first ({problem})")]
    InUse {
        /// The store's folder.
        dir: PathBuf,
        /// The engine's words.
        problem: String,
    },
    /// What is on disk is not what was written, or not all of it.
    #[error(
        "the store in {dir} is damaged ({file}): {problem}. Keep the folder, and restore \
         it from a backup"
    )]
    Corrupted {
        /// The store's folder.
        dir: PathBuf,
        /// The file or record concerned.
        file: String,
        /// What does not fit.
        problem: String,
    },
    /// The operating system refused.
    #[error("{path}: {source}")]
    Io {
        /// What was being opened, written or synchronized.
        path: PathBuf,
        /// The reason.
        source: std::io::Error,
    },
}
