//! What every engine shares: conditional batches, one disk synchronization for many of them, and
//! the refusal after a failure.
//!
//! One thread carries out all writes. It takes what has queued up, checks the batches one after
//! the other (each sees the writes of those before it), and commits them together. Until the
//! engine says that the commit is on disk, readers go on seeing the values from before it: an
//! engine that shows a write early would let an entry be sent that a power cut takes back. When a
//! commit fails they see the old values from then on, and nothing further is written: after a
//! failed synchronization nobody knows what the disk holds.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, RwLock};
use std::thread::JoinHandle;

use super::check::{self, Change, Progress};
use super::folder::Folder;
use super::record::{self, Totals};
use super::{ApplyError, Batch, Content, OpenError, Pair, Store, StoreError, limits};

/// Writes of one commit, in the engine's own keys and stored form.
pub(super) type Writes = BTreeMap<Vec<u8>, Option<Vec<u8>>>;

/// What an engine must do.
pub(super) trait Backend: Send + Sync + 'static {
    /// The stored form of a record.
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, BackendError>;

    /// Visits the records with `from <= key < to` in ascending order until `visit` says false.
    fn range(&self, from: &[u8], to: &[u8], visit: &mut dyn FnMut(&[u8], &[u8]) -> bool) -> Result<(), BackendError>;

    /// Writes all or nothing, and returns `Ok` only when it survives a power cut. It is never
    /// called again after an error, and never twice at once.
    fn commit(&self, writes: &Writes) -> Result<(), BackendError>;
}

/// Why an engine failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum BackendError {
    #[error("{0}")]
    Corrupted(String),
    #[error("{0}")]
    Io(String),
}

impl BackendError {
    pub(super) fn at(self, key: &[u8]) -> StoreError {
        match self {
            Self::Corrupted(problem) => StoreError::Corrupted {
                place: record::show_key(record::caller_key(key)),
                problem,
            },
            Self::Io(problem) => StoreError::Io(problem),
        }
    }
}

/// Runs the engine's code; a panic in it (some engines answer damage that way) becomes an error.
pub(super) fn guarded<T>(work: impl FnOnce() -> Result<T, BackendError>) -> Result<T, BackendError> {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(work)).unwrap_or_else(|_| {
        Err(BackendError::Corrupted(
            "the storage engine stopped in the middle of its work".to_owned(),
        ))
    })
}

/// A [`Store`] over an engine.
pub(super) struct Committed<B: Backend> {
    shared: Arc<Shared<B>>,
    /// Taken on drop, which ends the thread.
    queue: Option<SyncSender<Job>>,
    writer: Option<JoinHandle<()>>,
    /// Reads everything once, where opening did not.
    checker: Option<JoinHandle<()>>,
}

/// What readers, the writer and the checker share.
pub(super) struct Shared<B> {
    pub(super) backend: B,
    folder: Folder,
    /// Stored form, before the commit that is under way, of the records it touches.
    pub(super) hidden: RwLock<BTreeMap<Vec<u8>, Option<Vec<u8>>>>,
    /// Why writes are refused for good.
    refusal: Mutex<Option<String>>,
    /// How much of the content has been compared with what was written. Locked before `hidden`.
    pub(super) progress: Mutex<Progress>,
    /// What the comparison found; nothing is read out any more.
    pub(super) damage: OnceLock<StoreError>,
    closing: AtomicBool,
}

struct Job {
    batch: Batch,
    answer: SyncSender<Outcome>,
}

/// What the caller of `apply` gets.
type Outcome = Result<(), ApplyError>;

impl<B: Backend> Committed<B> {
    /// Compares the content with the totals, at once if it is small, and starts the writer.
    pub(super) fn start(backend: B, folder: Folder) -> Result<Self, OpenError> {
        let totals = check::stored_totals(&backend, &folder)?;
        let progress = if totals.records <= folder.checked_at_opening() {
            check::check_now(&backend, &folder, totals)?;
            Progress::done(totals)
        } else {
            Progress::begin(totals)
        };
        let unchecked = progress.is_under_way();
        if folder.is_new() {
            // The first commit proves that the folder can be written at all, and gives the totals.
            let mut writes = Writes::new();
            writes.insert(record::TOTALS_KEY.to_vec(), Some(totals.encode()));
            backend
                .commit(&writes)
                .map_err(|error| folder.damaged("first commit", error.to_string()))?;
            folder.mark_ready()?;
        }
        folder.take_ballast();
        folder.restrict()?;
        let shared = Arc::new(Shared {
            backend,
            folder,
            hidden: RwLock::default(),
            refusal: Mutex::default(),
            progress: Mutex::new(progress),
            damage: OnceLock::new(),
            closing: AtomicBool::new(false),
        });
        let (queue, jobs) = sync_channel(limits::MAX_QUEUED_BATCHES);
        let writer = std::thread::Builder::new()
            .name("syndic-store".to_owned())
            .spawn({
                let shared = Arc::clone(&shared);
                move || Writer { shared, totals }.run(&jobs)
            })
            .map_err(|source| shared.folder.io(source))?;
        let checker = if unchecked {
            let for_checker = Arc::clone(&shared);
            let checker = std::thread::Builder::new()
                .name("syndic-check".to_owned())
                .spawn(move || for_checker.check_in_background())
                .map_err(|source| shared.folder.io(source))?;
            Some(checker)
        } else {
            None
        };
        Ok(Self {
            shared,
            queue: Some(queue),
            writer: Some(writer),
            checker,
        })
    }
}

impl<B: Backend> Drop for Committed<B> {
    fn drop(&mut self) {
        self.queue = None;
        self.shared.closing.store(true, Ordering::Relaxed);
        for thread in [self.writer.take(), self.checker.take()].into_iter().flatten() {
            // A thread that panicked has said so; there is nobody left to tell.
            let _ = thread.join();
        }
    }
}

impl<B: Backend> Store for Committed<B> {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.shared.intact()?;
        let key = record::engine_key(key);
        // Held while the engine is asked, so that the writer cannot finish in between.
        let hidden = self.shared.hidden.read().unwrap_or_else(PoisonError::into_inner);
        let stored = match hidden.get(&key) {
            Some(before) => before.clone(),
            None => self.shared.backend.get(&key).map_err(|error| error.at(&key))?,
        };
        stored.map(|stored| unpack(&key, &stored)).transpose()
    }

    fn range(&self, from: &[u8], to: &[u8], limit: usize) -> Result<Vec<Pair>, StoreError> {
        self.shared.intact()?;
        let from = record::engine_key(from);
        let to = if to.is_empty() {
            record::engine_end()
        } else {
            record::engine_key(to)
        };
        if limit == 0 || from >= to {
            return Ok(Vec::new());
        }
        let hidden = self.shared.hidden.read().unwrap_or_else(PoisonError::into_inner);
        let mut found: Vec<Pair> = Vec::new();
        self.shared
            .backend
            .range(&from, &to, &mut |key, stored| {
                if !hidden.contains_key(key) {
                    found.push((key.to_vec(), stored.to_vec()));
                }
                found.len() < limit
            })
            .map_err(|error| error.at(&from))?;
        let bounds = (Bound::Included(from), Bound::Excluded(to));
        let before = hidden.range::<Vec<u8>, _>(bounds);
        found.extend(before.filter_map(|(key, stored)| Some((key.clone(), stored.clone()?))));
        drop(hidden);
        found.sort_unstable();
        found.truncate(limit);
        found
            .into_iter()
            .map(|(key, stored)| Ok((record::caller_key(&key).to_vec(), unpack(&key, &stored)?)))
            .collect()
    }

    fn apply(&self, batch: Batch) -> Result<(), ApplyError> {
        check_sizes(&batch)?;
        let gone = || ApplyError::ReadOnly("the writing thread has ended".to_owned());
        let (answer, receiver) = sync_channel(1);
        let queue = self.queue.as_ref().ok_or_else(gone)?;
        queue.send(Job { batch, answer }).map_err(|_| gone())?;
        match receiver.recv_timeout(limits::APPLY_PATIENCE) {
            Ok(outcome) => outcome,
            Err(RecvTimeoutError::Disconnected) => Err(gone()),
            Err(RecvTimeoutError::Timeout) => Err(ApplyError::Failed(format!(
                "no answer from the disk in {} seconds; the outcome is unknown",
                limits::APPLY_PATIENCE.as_secs()
            ))),
        }
    }

    fn writable(&self) -> Result<(), ApplyError> {
        self.shared.writable()
    }

    fn content(&self) -> Content {
        self.shared.content()
    }
}

impl<B> Shared<B> {
    pub(super) fn is_closing(&self) -> bool {
        self.closing.load(Ordering::Relaxed)
    }

    fn intact(&self) -> Result<(), StoreError> {
        self.damage.get().map_or(Ok(()), |damage| Err(damage.clone()))
    }

    pub(super) fn refusal(&self) -> MutexGuard<'_, Option<String>> {
        self.refusal.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn writable(&self) -> Result<(), ApplyError> {
        if let Some(why) = self.refusal().as_ref() {
            return Err(ApplyError::ReadOnly(why.clone()));
        }
        self.folder.check_free_space()
    }
}

fn unpack(key: &[u8], stored: &[u8]) -> Result<Vec<u8>, StoreError> {
    record::decode(key, stored).map(|(value, _)| value.to_vec())
}

fn check_sizes(batch: &Batch) -> Result<(), ApplyError> {
    let check = |what, actual, limit| {
        if actual > limit {
            return Err(ApplyError::TooLarge { what, actual, limit });
        }
        Ok(())
    };
    let mut total = 0_usize;
    for (key, value) in batch.writes.iter().chain(&batch.expectations) {
        let size = value.as_ref().map_or(0, Vec::len);
        check("a key", key.len(), limits::MAX_KEY_BYTES)?;
        check("a value", size, limits::MAX_VALUE_BYTES)?;
        total = total.saturating_add(key.len()).saturating_add(size);
    }
    check("the batch", total, limits::MAX_BATCH_BYTES)
}

/// The one thread that writes.
struct Writer<B: Backend> {
    shared: Arc<Shared<B>>,
    totals: Totals,
}

/// The batches of one commit, as far as they have been checked.
#[derive(Default)]
struct Group {
    /// What the group writes, in plain values.
    writes: BTreeMap<Vec<u8>, Option<Vec<u8>>>,
    /// The stored form before the group of every record it read or writes.
    before: BTreeMap<Vec<u8>, Option<Vec<u8>>>,
    answers: Vec<(SyncSender<Outcome>, Outcome)>,
    bytes: usize,
}

impl<B: Backend> Writer<B> {
    fn run(mut self, jobs: &Receiver<Job>) {
        while let Ok(first) = jobs.recv() {
            let mut group = Group::default();
            self.admit(&mut group, first);
            while group.answers.len() < limits::MAX_GROUP_BATCHES
                && group.bytes < limits::MAX_GROUP_BYTES
                && let Ok(next) = jobs.try_recv()
            {
                self.admit(&mut group, next);
            }
            self.finish(group);
        }
        self.shared.folder.close(self.totals.commits);
    }

    /// Checks one batch against the state that those before it leave, and adds its writes.
    fn admit(&self, group: &mut Group, job: Job) {
        let Job { batch, answer } = job;
        let verdict = self.shared.writable().and_then(|()| self.check(group, &batch));
        if verdict.is_ok() {
            for (key, value) in batch.writes {
                group.bytes += key.len() + value.as_ref().map_or(0, Vec::len);
                group.writes.insert(record::engine_key(&key), value);
            }
        }
        group.answers.push((answer, verdict));
    }

    fn check(&self, group: &mut Group, batch: &Batch) -> Result<(), ApplyError> {
        let unreadable = |error: StoreError| ApplyError::Failed(error.to_string());
        for (key, expected) in &batch.expectations {
            let engine_key = record::engine_key(key);
            let now = match group.writes.get(&engine_key) {
                Some(value) => value.clone(),
                None => match self.before(group, &engine_key).map_err(unreadable)? {
                    Some(stored) => Some(unpack(&engine_key, stored).map_err(unreadable)?),
                    None => None,
                },
            };
            if now != *expected {
                return Err(ApplyError::Expectation { key: key.clone() });
            }
        }
        // The totals need the checksum that each write replaces; learn now if it is unreadable,
        // while only this batch has to fail.
        for (key, _) in &batch.writes {
            let engine_key = record::engine_key(key);
            if let Some(stored) = self.before(group, &engine_key).map_err(unreadable)? {
                record::decode(&engine_key, stored).map_err(unreadable)?;
            }
        }
        Ok(())
    }

    /// The stored form of a record before the group.
    fn before<'a>(&self, group: &'a mut Group, engine_key: &[u8]) -> Result<Option<&'a Vec<u8>>, StoreError> {
        if !group.before.contains_key(engine_key) {
            let stored = self
                .shared
                .backend
                .get(engine_key)
                .map_err(|error| error.at(engine_key))?;
            group.before.insert(engine_key.to_vec(), stored);
        }
        Ok(group.before.get(engine_key).and_then(Option::as_ref))
    }

    /// Commits the group and answers its callers.
    ///
    /// Refused batches are answered after the commit too: what they were refused for may be a
    /// write of this very group.
    fn finish(&mut self, mut group: Group) {
        let outcome = self.commit(&mut group).map_err(|error| {
            let why = error.to_string();
            *self.shared.refusal() = Some(why.clone());
            ApplyError::Failed(why)
        });
        for (answer, verdict) in group.answers {
            // A caller that lost patience has gone; nobody else waits for this answer.
            let _ = answer.send(outcome.clone().and(verdict));
        }
    }

    fn commit(&mut self, group: &mut Group) -> Result<(), BackendError> {
        let mut writes = Writes::new();
        let mut before = BTreeMap::new();
        let mut changes: Vec<Change> = Vec::new();
        let unchecked = self.shared.progress().is_under_way();
        let mut totals = self.totals;
        for (key, value) in std::mem::take(&mut group.writes) {
            let old = group.before.remove(&key).flatten();
            let new = value.map(|value| record::encode(&key, &value));
            if old.as_ref() == new.as_ref().map(|(stored, _)| stored) {
                continue;
            }
            let mut old_check = None;
            if let Some(stored) = &old {
                let (_, check) =
                    record::decode(&key, stored).map_err(|error| BackendError::Corrupted(error.to_string()))?;
                totals.subtract(check);
                old_check = Some(check);
            }
            let new_check = new.as_ref().map(|(_, check)| *check);
            if let Some(check) = new_check {
                totals.add(check);
            }
            if unchecked {
                changes.push((key.clone(), old_check, new_check));
            }
            before.insert(key.clone(), old);
            writes.insert(key, new.map(|(stored, _)| stored));
        }
        if writes.is_empty() {
            return Ok(());
        }
        totals.commits = totals.commits.wrapping_add(1);
        writes.insert(record::TOTALS_KEY.to_vec(), Some(totals.encode()));
        self.hide(before);
        self.shared.backend.commit(&writes)?;
        // From here on the data is safe; a failure to note it weakens only a later check.
        self.shared.folder.note_acknowledged(totals.commits);
        {
            let mut progress = self.shared.progress();
            progress.committed(totals, &changes);
            self.hide(BTreeMap::new());
        }
        self.totals = totals;
        Ok(())
    }

    fn hide(&self, records: BTreeMap<Vec<u8>, Option<Vec<u8>>>) {
        *self.shared.hidden.write().unwrap_or_else(PoisonError::into_inner) = records;
    }
}

#[cfg(test)]
mod tests;
