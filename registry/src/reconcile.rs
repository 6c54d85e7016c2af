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
use syndic_vc::did::Did;

use crate::limits;
use crate::log::Hash;
use crate::message::codec::Encoder;
use crate::message::{Parting, Standpoint};

const CONTEXT: &[u8] = b"syndic/reconcile/v1\n";

/// What a node holds of each log, ready to be held against what another one holds.
pub struct Set {
    items: NegentropyStorageVector,
    logs: BTreeMap<Hash, String>,
}

/// What is held of a log but for what changes all the time.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Lasting {
    pub(crate) size: u64,
    pub(crate) root: Hash,
    pub(crate) fork: Option<Parting>,
    pub(crate) rotations: u16,
}

/// A node's set, kept from one question to the next: with 1,000 logs, hashing what did not change would be most of the work
/// of a node at rest.
#[derive(Default)]
pub(crate) struct Kept {
    logs: Vec<(Did, Lasting, Item)>,
    set: Option<Set>,
}

/// A log in the set.
#[derive(Clone, Copy)]
struct Item {
    place: u64,
    id: Hash,
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
        Self::of(logs.into_iter().map(|log| (Item::of(&log), log.organization)))
    }

    fn of(logs: impl IntoIterator<Item = (Item, String)>) -> Self {
        let mut set = Self {
            items: NegentropyStorageVector::new(),
            logs: BTreeMap::new(),
        };
        for (item, organization) in logs {
            // Fails only once the set is sealed.
            _ = set.items.insert(item.place, Id::from_byte_array(item.id));
            set.logs.insert(item.id, organization);
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

impl Kept {
    /// The set of a node that is so far in these logs, in the order of their organizations.
    pub(crate) fn update<'l>(&mut self, logs: impl Iterator<Item = (&'l Did, Lasting)>) -> &Set {
        let mut old = std::mem::take(&mut self.logs).into_iter().peekable();
        let mut same = true;
        for (organization, lasting) in logs {
            while old.next_if(|(before, ..)| before < organization).is_some() {
                same = false;
            }
            let known = old.next_if(|(before, ..)| before == organization);
            let kept = known.filter(|(_, before, _)| *before == lasting).unwrap_or_else(|| {
                same = false;
                let item = Item::of(&lasting.standpoint(organization));
                (organization.clone(), lasting, item)
            });
            self.logs.push(kept);
        }
        same &= old.next().is_none();
        let before = self.set.take().filter(|_| same);
        let logs = self.logs.iter();
        self.set
            .insert(before.unwrap_or_else(|| Set::of(logs.map(|(name, _, item)| (*item, name.as_str().to_owned())))))
    }
}

impl Lasting {
    fn standpoint(&self, organization: &Did) -> Standpoint {
        Standpoint {
            organization: organization.as_str().to_owned(),
            size: self.size,
            root: self.root,
            time: 0,
            fork: self.fork.clone(),
            cosigned: 0,
            rotations: self.rotations,
        }
    }
}

impl Item {
    fn of(log: &Standpoint) -> Self {
        // Items of one log stand side by side, whatever is held of it: so one range differs where one log does.
        let [a, b, c, d, ..] = hash(&[log.organization.as_bytes()]);
        let mut out = Encoder::default();
        let lasting = Standpoint {
            time: 0,
            cosigned: 0,
            ..log.clone()
        };
        lasting.write(&mut out);
        Self {
            place: u64::from(u32::from_be_bytes([a, b, c, d])),
            id: hash(&[CONTEXT, &out.finish()]),
        }
    }
}

/// Of other versions an answer would say that there is no difference.
fn check_version(message: &[u8]) -> Result<(), NotReconciling> {
    let ours = message.first().is_some_and(|byte| u64::from(*byte) == PROTOCOL_VERSION);
    ours.then_some(()).ok_or(NotReconciling)
}

fn hash(parts: &[&[u8]]) -> Hash {
    let mut hash = Sha256::new();
    parts.iter().for_each(|part| hash.update(part));
    hash.finalize().into()
}

#[cfg(test)]
mod tests;
