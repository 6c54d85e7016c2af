//! A store in memory that can be told to fail: for tests and simulations, never for a node's data.
//!
//! It runs the same code as the engines above the disk, so what is tested with it is how a failing
//! disk is answered. A [`Disk`] outlives the stores opened on it: dropping a store and opening
//! another is a restart, and only what was durable is still there.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use super::commit::{Backend, BackendError, Committed, Writes};
use super::folder::Folder;
use super::{OpenError, Store};

/// The disk under a store in memory.
#[derive(Debug, Default)]
pub struct Disk {
    state: Mutex<State>,
    released: Condvar,
}

#[derive(Debug, Default)]
struct State {
    durable: BTreeMap<Vec<u8>, Vec<u8>>,
    /// What an engine shows that does not wait for the disk.
    applied: BTreeMap<Vec<u8>, Vec<u8>>,
    commits: u64,
    fail_at: Option<u64>,
    held: bool,
}

impl Disk {
    /// An empty disk without faults.
    pub fn new() -> Arc<Self> {
        Arc::default()
    }

    /// Opens a store on what is durable.
    ///
    /// # Errors
    /// [`OpenError`] as for the real engines; it cannot happen unless memory was damaged.
    pub fn open(self: &Arc<Self>) -> Result<Arc<dyn Store>, OpenError> {
        self.open_checking(u64::MAX)
    }

    /// [`Disk::open`], with more records than these compared while the store is in use.
    ///
    /// # Errors
    /// As [`Disk::open`].
    pub fn open_checking(self: &Arc<Self>, checked_at_opening: u64) -> Result<Arc<dyn Store>, OpenError> {
        Ok(Arc::new(self.committed(checked_at_opening)?))
    }

    pub(super) fn committed(self: &Arc<Self>, checked_at_opening: u64) -> Result<Committed<Memory>, OpenError> {
        let is_new = {
            let mut state = self.state();
            state.applied = state.durable.clone();
            state.durable.is_empty()
        };
        let backend = Memory { disk: Arc::clone(self) };
        Committed::start(backend, Folder::in_memory(is_new, 0, checked_at_opening))
    }

    /// Lets the next `commits` commits succeed and fails the one after; what it wrote may be seen
    /// by the engine, but is gone after a restart.
    pub fn fail_after(&self, commits: u64) {
        let mut state = self.state();
        state.fail_at = Some(state.commits + commits);
    }

    /// No commit fails any more.
    pub fn repair(&self) {
        self.state().fail_at = None;
    }

    /// Commits wait, between being applied and being durable, until [`Disk::release`].
    pub fn hold(&self) {
        self.state().held = true;
    }

    /// Ends [`Disk::hold`].
    pub fn release(&self) {
        self.state().held = false;
        self.released.notify_all();
    }

    /// Takes a record away behind the engine's back, as a disk that rots does. The key is the caller's.
    pub fn lose(&self, key: &[u8]) {
        self.state().durable.remove(&super::record::engine_key(key));
    }

    /// How many commits have become durable: fewer than batches, when these were grouped.
    pub fn commits(&self) -> u64 {
        self.state().commits
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The engine over a [`Disk`].
pub(super) struct Memory {
    disk: Arc<Disk>,
}

impl Backend for Memory {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, BackendError> {
        Ok(self.disk.state().applied.get(key).cloned())
    }

    fn range(&self, from: &[u8], to: &[u8], visit: &mut dyn FnMut(&[u8], &[u8]) -> bool) -> Result<(), BackendError> {
        let bounds = (Bound::Included(from), Bound::Excluded(to));
        for (key, value) in self.disk.state().applied.range::<[u8], _>(bounds) {
            if !visit(key, value) {
                break;
            }
        }
        Ok(())
    }

    fn commit(&self, writes: &Writes) -> Result<(), BackendError> {
        let mut state = self.disk.state();
        write(&mut state.applied, writes);
        while state.held {
            state = self.disk.released.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        if state.fail_at.is_some_and(|at| state.commits >= at) {
            return Err(BackendError::Io("the disk failed, as the test wanted".to_owned()));
        }
        write(&mut state.durable, writes);
        state.commits += 1;
        Ok(())
    }
}

fn write(map: &mut BTreeMap<Vec<u8>, Vec<u8>>, writes: &Writes) {
    for (key, value) in writes {
        match value {
            Some(value) => map.insert(key.clone(), value.clone()),
            None => map.remove(key),
        };
    }
}
