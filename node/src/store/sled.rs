//! The sled engine, made durable.
//!
//! sled's own `flush` asks the kernel to start writing and does not wait for the disk: in
//! simulated power cuts it lost acknowledged data nearly every time. So every commit ends with a
//! synchronization of each of its files. And sled puts pages above a quarter of a segment into
//! files of their own, which it removes before the log says what replaced them: in the same
//! simulation that lost a record in 2 of 100 cuts. So no page gets that large: long values are
//! cut into pieces (`store/pieces.rs`), and segments are larger than sled's default. See
//! `specs/decisions/0002-sled-and-durability.md` for the figures.

use std::io;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::commit::{Backend, BackendError, Writes, guarded};
use super::sync_set::SyncSet;
use super::{OpenError, folder, limits, pieces};

/// sled's log is overwritten in place; its other files are written once or only grow.
const REWRITTEN: &[&str] = &[folder::SLED_LOG];

/// sled's unit of allocation; a page of up to a quarter of it stays in the log. The largest pages
/// are inner nodes of 256 keys: they may have 4 KiB each on average.
const SEGMENT_BYTES: usize = 4 << 20;

/// Between two attempts to open a database that is still being closed.
const LOCK_PAUSE: Duration = Duration::from_millis(20);

/// An open sled database.
pub(super) struct Sled {
    db: ::sled::Db,
    files: Mutex<SyncSet>,
}

impl Sled {
    /// Opens or creates the database in `dir`.
    pub(super) fn open(dir: &Path) -> Result<Self, OpenError> {
        let io = |source| OpenError::Io {
            path: dir.to_path_buf(),
            source,
        };
        remove_unfinished_snapshots(dir).map_err(io)?;
        let db = open_when_free(dir)?;
        let mut files = SyncSet::new(&[dir.join(folder::SLED_BLOBS), dir.to_path_buf()]).map_err(io)?;
        // Recovery has rewritten the end of the log and the snapshot.
        files.sync(REWRITTEN).map_err(io)?;
        Ok(Self {
            db,
            files: Mutex::new(files),
        })
    }
}

impl Backend for Sled {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, BackendError> {
        guarded(|| match self.db.get(key).map_err(from_sled)? {
            Some(head) => self.whole(key, &head).map(Some),
            None => Ok(None),
        })
    }

    fn range(&self, from: &[u8], to: &[u8], visit: &mut dyn FnMut(&[u8], &[u8]) -> bool) -> Result<(), BackendError> {
        guarded(|| {
            for pair in self.db.range(from..to) {
                let (key, head) = pair.map_err(from_sled)?;
                if !visit(&key, &self.whole(&key, &head)?) {
                    break;
                }
            }
            Ok(())
        })
    }

    fn commit(&self, writes: &Writes) -> Result<(), BackendError> {
        guarded(|| {
            let mut batch = ::sled::Batch::default();
            for (key, value) in writes {
                let old = self.db.get(key).map_err(from_sled)?;
                let old_pieces = old.map_or(0, |head| pieces::count(&head));
                let mut new_pieces = 0;
                match value {
                    Some(value) => {
                        let (head, rest) = pieces::cut(value);
                        batch.insert(key.as_slice(), head);
                        for piece in rest {
                            batch.insert(pieces::key(key, new_pieces), piece);
                            new_pieces += 1;
                        }
                    }
                    None => batch.remove(key.as_slice()),
                }
                for gone in new_pieces..old_pieces {
                    batch.remove(pieces::key(key, gone));
                }
            }
            self.db.apply_batch(batch).map_err(from_sled)?;
            self.db.flush().map_err(from_sled)?;
            Ok(())
        })?;
        let mut files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        files
            .sync(REWRITTEN)
            .map_err(|error| BackendError::Io(error.to_string()))
    }
}

impl Sled {
    /// The whole value, from its first piece.
    fn whole(&self, key: &[u8], head: &[u8]) -> Result<Vec<u8>, BackendError> {
        let mut value = pieces::first(head)?.to_vec();
        for number in 0..pieces::count(head) {
            let piece = self.db.get(pieces::key(key, number)).map_err(from_sled)?;
            value.extend_from_slice(&piece.ok_or_else(pieces::missing)?);
        }
        Ok(value)
    }
}

/// A snapshot whose writing was cut short is not complete, yet sled would take it for the newest.
fn remove_unfinished_snapshots(dir: &Path) -> io::Result<()> {
    for entry in dir.read_dir()? {
        let entry = entry?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name.starts_with("snap.") && name.ends_with(".generating") {
            std::fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

fn from_sled(error: ::sled::Error) -> BackendError {
    match error {
        ::sled::Error::Corruption { .. } => BackendError::Corrupted(error.to_string()),
        other => BackendError::Io(other.to_string()),
    }
}

/// sled lets go of its lock some time after the database was dropped: its own threads still hold it.
fn open_when_free(dir: &Path) -> Result<::sled::Db, OpenError> {
    let started = Instant::now();
    loop {
        let opened = guarded(|| {
            ::sled::Config::new()
                .path(dir)
                .segment_size(SEGMENT_BYTES)
                .cache_capacity(limits::CACHE_BYTES as u64)
                // Every commit flushes; a second flusher would only make timing less predictable.
                .flush_every_ms(None)
                .open()
                .map_err(from_sled)
        });
        match opened.map_err(|error| open_error(dir, error)) {
            Err(OpenError::InUse { .. }) if started.elapsed() < limits::LOCK_PATIENCE => thread::sleep(LOCK_PAUSE),
            other => return other,
        }
    }
}

fn open_error(dir: &Path, error: BackendError) -> OpenError {
    let dir = dir.to_path_buf();
    match error {
        BackendError::Io(problem) if problem.contains("could not acquire lock") => OpenError::InUse { dir, problem },
        BackendError::Io(problem) => OpenError::Io {
            path: dir,
            source: io::Error::other(problem),
        },
        BackendError::Corrupted(problem) => OpenError::Corrupted {
            dir,
            file: "sled's files".to_owned(),
            problem,
        },
    }
}
