//! Which of many logs two nodes do not agree about, without naming them all: range-based set reconciliation (A. Meyer,
//! "Range-Based Set Reconciliation", 2023) in the form of negentropy, version 1.
//!
//! The set of a node has one item for each log: what it holds of it, hashed. Nodes tell each other fingerprints of ranges
//! of items, and split those that differ, until the items themselves are few. What is found is *that* a log differs; what
//! is newer is then told by comparing those logs ([`crate::message::Ask::Compare`]). Whoever answers keeps nothing between
//! two messages. A liar can hide differences or invent them, no more: nothing is believed that comes out of it.

use std::collections::BTreeMap;

use negentropy::{Id, Negentropy, NegentropyStorageVector, PROTOCOL_VERSION};
use sha2::{Digest, Sha256};

use crate::limits;
use crate::message::Standpoint;
use crate::message::codec::Encoder;

const CONTEXT: &[u8] = b"syndic/reconcile/v1\n";

/// What a node holds of each log, ready to be held against what another one holds.
pub struct Set {
    items: NegentropyStorageVector,
    logs: BTreeMap<[u8; 32], String>,
}

/// The bytes are no message of a reconciliation.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("not a message of a reconciliation")]
pub struct NotReconciling;

impl Set {
    /// The set of a node that is so far. The time of a head and cosignatures are left out: they change all the time. An item
    /// is the SHA-256 of `syndic/reconcile/v1`, a line feed and the standpoint as it stands in a `Compare`, with 0 for both.
    #[must_use]
    pub fn new(logs: impl IntoIterator<Item = Standpoint>) -> Self {
        let mut set = Self {
            items: NegentropyStorageVector::new(),
            logs: BTreeMap::new(),
        };
        for log in logs {
            // Items of one log stand side by side, whatever is held of it: so one range differs where one log does.
            let [a, b, c, d, ..] = hash(&[log.organization.as_bytes()]);
            let id = item(&log);
            // Fails only once the set is sealed.
            _ = set
                .items
                .insert(u64::from(u32::from_be_bytes([a, b, c, d])), Id::from_byte_array(id));
            set.logs.insert(id, log.organization);
        }
        _ = set.items.seal();
        set
    }

    fn reconciling(&self) -> Result<Negentropy<'_, NegentropyStorageVector>, NotReconciling> {
        Negentropy::borrowed(&self.items, limits::RECONCILE_BYTES as u64).map_err(|_| NotReconciling)
    }

    /// The first message of who wants to know.
    ///
    /// # Errors
    /// Never, as far as is known.
    pub fn ask(&self) -> Result<Vec<u8>, NotReconciling> {
        self.reconciling()?.initiate().map_err(|_| NotReconciling)
    }

    /// The answer to a message.
    ///
    /// # Errors
    /// [`NotReconciling`] if it is none.
    pub fn answer(&self, message: &[u8]) -> Result<Vec<u8>, NotReconciling> {
        check_version(message)?;
        self.reconciling()?.reconcile(message).map_err(|_| NotReconciling)
    }

    /// Takes an answer: the organizations whose logs are found to differ, as far as they are in this set, and the next
    /// message; `None` if that was all.
    ///
    /// # Errors
    /// [`NotReconciling`] if it is no answer.
    pub fn take(&self, answer: &[u8]) -> Result<(Vec<&str>, Option<Vec<u8>>), NotReconciling> {
        check_version(answer)?;
        let mut reconciling = self.reconciling()?;
        reconciling.set_initiator();
        let (mut here, mut there) = (Vec::new(), Vec::new());
        let next = reconciling
            .reconcile_with_ids(answer, &mut here, &mut there)
            .map_err(|_| NotReconciling)?;
        // What only the other has is of a log that is here in another state, or of none that is known here.
        let found = here.iter().filter_map(|id| self.logs.get(id.as_bytes()));
        Ok((found.map(String::as_str).collect(), next))
    }
}

/// Of other versions an answer would say that there is no difference.
fn check_version(message: &[u8]) -> Result<(), NotReconciling> {
    let ours = message.first().is_some_and(|byte| u64::from(*byte) == PROTOCOL_VERSION);
    ours.then_some(()).ok_or(NotReconciling)
}

fn item(log: &Standpoint) -> [u8; 32] {
    let mut out = Encoder::default();
    let lasting = Standpoint {
        time: 0,
        cosigned: 0,
        ..log.clone()
    };
    lasting.write(&mut out);
    hash(&[CONTEXT, &out.finish()])
}

fn hash(parts: &[&[u8]]) -> [u8; 32] {
    let mut hash = Sha256::new();
    parts.iter().for_each(|part| hash.update(part));
    hash.finalize().into()
}

#[cfg(test)]
mod tests;
