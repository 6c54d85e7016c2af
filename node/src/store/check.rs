//! Comparing everything that is there with what was written.
//!
//! A record proves itself when it is read: its checksum covers key and value. That a record is
//! *missing*, or came back from the dead, shows only in the sum over all of them, and that takes
//! reading all of them. A small store is read whole before it is opened. Reading a large one would
//! keep the node from starting, for 0.7 s with every 100,000 records (decision 2), so it is read
//! behind its back, a page at a time, while it is in use; if the sum does not come out, the store
//! refuses everything from then on.
//!
//! While the reading is under way, the writer corrects the sum for what it changes behind the
//! reader, so that at the end the two agree whatever was written meanwhile.

use std::sync::{Arc, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::commit::{Backend, Shared};
use super::folder::Folder;
use super::record::{self, Totals};
use super::{Content, OpenError, StoreError, limits};

/// How far the reading is, and what it must come to.
#[derive(Debug, Default)]
pub(super) struct Progress {
    /// What the records must come to now.
    totals: Totals,
    /// What those before `next` come to; `None` when nothing is being read.
    found: Option<Totals>,
    /// The first key that was not read yet.
    next: Vec<u8>,
}

/// A record that a commit changes: its key, and its checksums before and after.
pub(super) type Change = (Vec<u8>, Option<u64>, Option<u64>);

impl Progress {
    /// Everything was compared already.
    pub(super) fn done(totals: Totals) -> Self {
        Self {
            totals,
            found: None,
            next: Vec::new(),
        }
    }

    /// Everything is still to be compared.
    pub(super) fn begin(totals: Totals) -> Self {
        Self {
            totals,
            found: Some(Totals::default()),
            next: record::engine_key(b""),
        }
    }

    pub(super) fn is_under_way(&self) -> bool {
        self.found.is_some()
    }

    /// A commit is durable: what it changed behind the reader is corrected.
    pub(super) fn committed(&mut self, totals: Totals, changes: &[Change]) {
        self.totals = totals;
        let Some(found) = &mut self.found else {
            return;
        };
        for (_, old, new) in changes.iter().filter(|(key, _, _)| *key < self.next) {
            if let Some(old) = old {
                found.subtract(*old);
            }
            if let Some(new) = new {
                found.add(*new);
            }
        }
    }

    fn content(&self) -> Content {
        match &self.found {
            None => Content::Checked,
            Some(found) => Content::Checking {
                done: found.records,
                of: self.totals.records,
            },
        }
    }
}

/// What was written last, with the count of acknowledged commits compared.
pub(super) fn stored_totals<B: Backend>(backend: &B, folder: &Folder) -> Result<Totals, OpenError> {
    let damaged = |problem: String| folder.damaged("content", problem);
    let stored = backend
        .get(record::TOTALS_KEY)
        .map_err(|error| damaged(error.to_string()))?;
    let totals = match stored {
        Some(stored) => Totals::decode(&stored).map_err(|error| damaged(error.to_string()))?,
        None if folder.is_new() => Totals::default(),
        None => return Err(damaged("the totals are missing".to_owned())),
    };
    let acknowledged = folder.acknowledged();
    if acknowledged > totals.commits {
        return Err(damaged(format!(
            "{acknowledged} commits were acknowledged and only {} are there",
            totals.commits
        )));
    }
    Ok(totals)
}

/// Reads every record at once, and compares with what was written last.
pub(super) fn check_now<B: Backend>(backend: &B, folder: &Folder, totals: Totals) -> Result<(), OpenError> {
    let damaged = |problem: String| folder.damaged("content", problem);
    let mut found = Totals::default();
    let mut first_bad = None;
    backend
        .range(&record::engine_key(b""), &record::engine_end(), &mut |key, stored| {
            match record::decode(key, stored) {
                Ok((_, check)) => found.add(check),
                Err(error) => first_bad = Some(error),
            }
            first_bad.is_none()
        })
        .map_err(|error| damaged(error.to_string()))?;
    if let Some(StoreError::Corrupted { place, problem }) = first_bad {
        return Err(folder.damaged(&place, problem));
    }
    compare(found, totals).map_err(damaged)
}

fn compare(found: Totals, totals: Totals) -> Result<(), String> {
    if (found.records, found.sum) == (totals.records, totals.sum) {
        return Ok(());
    }
    Err(format!(
        "{} records were written and {} are there, or some are older than what was written",
        totals.records, found.records
    ))
}

impl<B: Backend> Shared<B> {
    pub(super) fn progress(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn content(&self) -> Content {
        match self.damage.get() {
            Some(error) => Content::Damaged(error.to_string()),
            None => self.progress().content(),
        }
    }

    /// Reads everything, half of the time, until done or stopped.
    pub(super) fn check_in_background(self: &Arc<Self>) {
        while !self.is_closing() {
            let begun = Instant::now();
            match self.check_page() {
                Ok(true) => {}
                Ok(false) => {
                    tracing::info!("the whole content of the store was compared with what was written: it is intact");
                    return;
                }
                Err(error) => {
                    tracing::error!(%error, "the store is damaged; it answers nothing any more");
                    *self.refusal() = Some(error.to_string());
                    // Only this thread sets it.
                    let _ = self.damage.set(error);
                    return;
                }
            }
            std::thread::sleep(begun.elapsed().min(LONGEST_PAUSE));
        }
    }

    /// Reads the next page; says whether there is more.
    pub(super) fn check_page(&self) -> Result<bool, StoreError> {
        let mut progress = self.progress();
        let Some(mut found) = progress.found else {
            return Ok(false);
        };
        // What a commit under way has changed already counts as it was before: see `committed`.
        let hidden = self.hidden.read().unwrap_or_else(PoisonError::into_inner);
        let mut page = Vec::with_capacity(limits::CHECKED_AT_ONCE);
        let end = record::engine_end();
        self.backend
            .range(&progress.next, &end, &mut |key, stored| {
                page.push((key.to_vec(), stored.to_vec()));
                page.len() < limits::CHECKED_AT_ONCE
            })
            .map_err(|error| error.at(&progress.next))?;
        let next = match page.last() {
            Some((key, _)) if page.len() == limits::CHECKED_AT_ONCE => Some([key.as_slice(), &[0]].concat()),
            _ => None,
        };
        let upto = next.as_ref().unwrap_or(&end);
        let shown = page.iter().filter(|(key, _)| !hidden.contains_key(key));
        let before = hidden
            .range::<Vec<u8>, _>(&progress.next..upto)
            .filter_map(|(key, stored)| Some((key, stored.as_ref()?)));
        for (key, stored) in shown.map(|(key, stored)| (key, stored)).chain(before) {
            found.add(record::decode(key, stored)?.1);
        }
        drop(hidden);
        if let Some(next) = next {
            progress.next = next;
            progress.found = Some(found);
            return Ok(true);
        }
        compare(found, progress.totals).map_err(|problem| StoreError::Corrupted {
            place: "content".to_owned(),
            problem,
        })?;
        progress.found = None;
        progress.next = Vec::new();
        Ok(false)
    }
}

/// The reader never rests longer than this, however slow the disk.
const LONGEST_PAUSE: Duration = Duration::from_millis(50);
