//! Logs in a bundle: each whole, from its first entry to its head, so that what it does not say was not said.

use std::collections::{BTreeMap, BTreeSet};

use syndic_vc::did::Did;

use super::BundleError;
use crate::charter::{Charter, MemberCard};
use crate::cosignature::{self, Cosignature};
use crate::fold;
use crate::fork::{Fork, Record, bare};
use crate::head::{self, Head, HeadError};
use crate::limits;
use crate::log::{self, AppendError, Frontier, Hash, LogState};
use crate::log_keys::{LogKeys, Rotation};
use crate::statement::{Content, Statement, StatementError};
use crate::store::{self, MemoryStore, ReadError, Reader, Write};

/// The log of one organization.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct BundledLog {
    /// Whose.
    pub organization: Did,
    /// The head, a signed note; `None` if nothing was known of the log.
    pub checkpoint: Option<String>,
    /// All entries that the head covers.
    pub entries: Vec<Vec<u8>>,
    /// The newest cosignature of each other member, each of a head that this log extends; as stored.
    pub cosignatures: Vec<Vec<u8>>,
    /// The proof that the organization told two stories, if it is frozen; as stored.
    pub fork: Option<Vec<u8>>,
    /// What is honoured of any of its stories, if it is frozen; as stored.
    pub salvaged: Vec<Vec<u8>>,
}

/// The keys of one log, or of one witness, that came after the one of its card.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct BundledKeys {
    /// Whose.
    pub organization: Did,
    /// The rotations, in order; at least one.
    pub rotations: Vec<Rotation>,
}

/// Why a log in a bundle does not hold.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum LogError {
    /// It is of no member of the charter.
    #[error("it is of no member of this charter")]
    Stranger,
    /// The head is not validly signed.
    #[error(transparent)]
    Head(#[from] HeadError),
    /// The head has lines that nothing is checked of.
    #[error("the head has other lines than those of its log's key")]
    Lines,
    /// The entries are not those that were signed.
    #[error("the entries are not those that the head covers")]
    Root,
    /// An entry is no statement.
    #[error("an entry is no statement: {0}")]
    Statement(#[from] StatementError),
    /// The entries pass a bound.
    #[error(transparent)]
    Append(#[from] AppendError),
    /// A cosignature does not hold, or is of another story.
    #[error("a cosignature does not hold, or is of another story")]
    Cosignature,
    /// The proof of a fork is none of this organization.
    #[error("the proof of a fork is none of this organization")]
    Fork,
    /// What is said to be honoured of a frozen log is not proven, or nothing to be honoured.
    #[error("a record of a frozen log is not proven, or takes nothing back")]
    Salvage,
}

/// The rotations of the log keys of all members that made some.
pub(super) fn collect_keys(charter: &Charter, reader: &dyn Reader) -> Result<Vec<BundledKeys>, BundleError> {
    let mut all = Vec::new();
    for card in ascending(charter) {
        let keys = store::log_keys(charter.id(), card, reader)?;
        if !keys.rotations().is_empty() {
            all.push(BundledKeys {
                organization: card.did().clone(),
                rotations: keys.rotations().to_vec(),
            });
        }
    }
    Ok(all)
}

fn ascending(charter: &Charter) -> Vec<&MemberCard> {
    let mut cards: Vec<&MemberCard> = charter.members().iter().collect();
    cards.sort_by_key(|card| card.did());
    cards
}

/// The keys of a member's log: that of its card, and those that the bundle tells of.
fn keys_of(charter: &Charter, card: &MemberCard, bundled: &[BundledKeys]) -> Result<LogKeys, BundleError> {
    let mut keys = LogKeys::new(charter.id(), card);
    let own = bundled.iter().filter(|one| one.organization == *card.did());
    for rotation in own.flat_map(|one| &one.rotations) {
        if keys.learn(rotation) != Ok(true) {
            return Err(BundleError::Keys(card.did().as_str().to_owned()));
        }
    }
    Ok(keys)
}

/// Reads the logs of these organizations, as far as their heads cover them.
pub(super) fn collect(
    charter: &Charter,
    organizations: &BTreeSet<Did>,
    bundled: &[BundledKeys],
    reader: &dyn Reader,
) -> Result<Vec<BundledLog>, BundleError> {
    let mut room = limits::BUNDLE_BYTES;
    let mut logs = Vec::new();
    for organization in organizations {
        let name = organization.as_str();
        let head = LogState::read(name, reader)?.head;
        let size = head.as_ref().map_or(0, Head::size);
        // Each entry takes at least two bytes, so a log that is too long is not even begun.
        if size > room as u64 {
            return Err(BundleError::TooLarge);
        }
        let entries = log::read_entries(name, 0, size, room, reader)?;
        if entries.len() as u64 != size {
            return Err(BundleError::TooLarge);
        }
        let fork = reader.get(&store::evidence(name))?;
        let salvaged = if fork.is_some() {
            salvaged(name, reader)?
        } else {
            Vec::new()
        };
        let bytes: usize = entries.iter().chain(&salvaged).chain(&fork).map(Vec::len).sum();
        room = room.checked_sub(bytes).ok_or(BundleError::TooLarge)?;
        // Those of longer heads are of entries that the bundle does not hold, and a key that was replaced convinces nobody.
        let mut cosignatures = Vec::new();
        for one in cosignature::stored(name, reader)? {
            let Some(card) = charter.member(one.witness.as_str()) else {
                continue;
            };
            let keys = keys_of(charter, card, bundled)?;
            let holds = one.verify(charter.id(), name, keys.newest()).is_ok();
            if holds && (1..=size).contains(&one.size) {
                cosignatures.push(one.encode());
            }
        }
        // Without lines of others, which are not checked and could be changed.
        let origin = head::origin(charter.id(), name);
        let checkpoint = match (head, charter.member(name)) {
            (Some(head), Some(card)) => Some(bare(head.note(), &origin, &keys_of(charter, card, bundled)?)),
            _ => None,
        };
        logs.push(BundledLog {
            organization: organization.clone(),
            checkpoint,
            entries,
            cosignatures,
            fork,
            salvaged,
        });
    }
    Ok(logs)
}

fn salvaged(organization: &str, reader: &dyn Reader) -> Result<Vec<Vec<u8>>, ReadError> {
    let prefix = store::salvaged_all(organization);
    // Their bytes are bounded where they are taken in.
    let rows = reader.range(&prefix, &store::after(&prefix), limits::SALVAGE_RECORDS)?;
    Ok(rows.into_iter().map(|(_, record)| record).collect())
}

/// Checks logs and folds them, as a node does that hears them.
pub(super) fn store_of(
    charter: &Charter,
    bundled: &[BundledKeys],
    logs: &[BundledLog],
) -> Result<MemoryStore, BundleError> {
    let mut store = MemoryStore::default();
    if let Some(stranger) = bundled
        .iter()
        .find(|one| charter.member(one.organization.as_str()).is_none())
    {
        return Err(BundleError::Keys(stranger.organization.as_str().to_owned()));
    }
    let mut witnesses = BTreeMap::new();
    for card in charter.members() {
        let keys = keys_of(charter, card, bundled)?;
        witnesses.insert(card.did().as_str(), keys);
    }
    for one in logs {
        one.fold_into(charter, &witnesses, &mut store)
            .map_err(|trouble| match trouble {
                Trouble::Log(why) => BundleError::Log {
                    organization: one.organization.as_str().to_owned(),
                    why,
                },
                Trouble::Read(error) => BundleError::Read(error),
            })?;
    }
    Ok(store)
}

/// The log keys of all members, by DID.
type Keys<'c> = BTreeMap<&'c str, LogKeys>;

enum Trouble {
    Log(LogError),
    Read(ReadError),
}

impl<E: Into<LogError>> From<E> for Trouble {
    fn from(error: E) -> Self {
        Self::Log(error.into())
    }
}

impl BundledLog {
    fn fold_into(&self, charter: &Charter, keys: &Keys<'_>, store: &mut MemoryStore) -> Result<(), Trouble> {
        let name = self.organization.as_str();
        let mut own = keys.get(name).ok_or(LogError::Stranger)?.clone();
        let origin = head::origin(charter.id(), name);
        let cosignatures = self.cosignatures(charter, keys)?;
        let mut frontier = Frontier::default();
        for piece in self.entries.chunks(limits::APPEND_STATEMENTS) {
            let first = frontier.size();
            let statements = piece
                .iter()
                .map(|entry| Statement::parse(entry))
                .collect::<Result<Vec<_>, _>>()?;
            for statement in &statements {
                if let Content::LogKeyRotated(rotation) = &statement.content {
                    // One that does not count changes no key: then the head must be signed by the former one.
                    let _taken = own.learn(rotation);
                }
            }
            let facts = fold::fold(name, first, &statements, store).map_err(Trouble::Read)?;
            let (after, rows) = log::append(name, &frontier, piece)?;
            same_story(&cosignatures, &frontier, piece)?;
            store.write(&rows);
            store.write(&facts);
            frontier = after;
        }
        let head = match &self.checkpoint {
            Some(note) => {
                let head = own.verify(note, &origin)?;
                if bare(note, &origin, &own) != *note {
                    return Err(LogError::Lines.into());
                }
                Some(head)
            }
            None => None,
        };
        let signed = head
            .as_ref()
            .map_or((0, log::EMPTY_ROOT), |head| (head.size(), *head.root()));
        if signed != (frontier.size(), frontier.root()) {
            return Err(LogError::Root.into());
        }
        if cosignatures.iter().any(|one| one.size > frontier.size()) {
            return Err(LogError::Cosignature.into());
        }
        let state = LogState { frontier, head };
        if state.head.is_some() {
            store.write(&[Write::put(store::log_state(name), state.encode())]);
        }
        for one in &cosignatures {
            let key = store::cosignature(name, one.witness.as_str());
            store.write(&[Write::put(key, one.encode())]);
        }
        match &self.fork {
            Some(proof) => self.freeze(proof, charter, own, &origin, store),
            None if self.salvaged.is_empty() => Ok(()),
            None => Err(LogError::Salvage.into()),
        }
    }

    /// Takes in that two stories were told, and what either of them takes back.
    fn freeze(
        &self,
        proof: &[u8],
        charter: &Charter,
        mut keys: LogKeys,
        origin: &str,
        store: &mut MemoryStore,
    ) -> Result<(), Trouble> {
        let name = self.organization.as_str();
        let fork = Fork::decode(proof).map_err(|_| LogError::Fork)?;
        if fork.verify_knowing(charter, &keys).as_ref() != Ok(&self.organization) {
            return Err(LogError::Fork.into());
        }
        for rotation in &fork.rotations {
            let _known = keys.learn(rotation);
        }
        store.write(&[Write::put(store::evidence(name), proof.to_vec())]);
        let mut last = None;
        for bytes in &self.salvaged {
            let record = Record::decode(bytes).map_err(|_| LogError::Salvage)?;
            // Ascending, so that none stands twice.
            if last.as_ref().is_some_and(|last| *last >= record.name()) {
                return Err(LogError::Salvage.into());
            }
            last = Some(record.name());
            let head = keys.verify(&record.note, origin)?;
            let statement = record.verify(&head).map_err(|_| LogError::Salvage)?;
            let facts = fold::fold(name, record.index, &[statement], store).map_err(Trouble::Read)?;
            store.write(&facts);
            store.write(&[Write::put(store::salvaged(name, &record.name()), bytes.clone())]);
        }
        Ok(())
    }

    /// The cosignatures, each made by the newest key of the member that it names.
    fn cosignatures(&self, charter: &Charter, keys: &Keys<'_>) -> Result<Vec<Cosignature>, LogError> {
        let mut read: Vec<Cosignature> = Vec::new();
        for bytes in &self.cosignatures {
            let one = Cosignature::decode(bytes).ok_or(LogError::Cosignature)?;
            let of = keys.get(one.witness.as_str()).ok_or(LogError::Cosignature)?;
            one.verify(charter.id(), self.organization.as_str(), of.newest())
                .map_err(|_| LogError::Cosignature)?;
            // Ascending, so that none stands twice; of no head that is empty.
            if one.size == 0 || read.last().is_some_and(|last| last.witness >= one.witness) {
                return Err(LogError::Cosignature);
            }
            read.push(one);
        }
        Ok(read)
    }
}

/// Whether cosignatures of sizes within this piece name the roots that the log has there.
fn same_story(cosignatures: &[Cosignature], before: &Frontier, piece: &[Vec<u8>]) -> Result<(), LogError> {
    let mut frontier = before.clone();
    for entry in piece {
        frontier.append(log::leaf_hash(entry));
        let size = frontier.size();
        let mut roots = cosignatures
            .iter()
            .filter(|one| one.size == size)
            .map(|one| one.root)
            .peekable();
        if roots.peek().is_some() {
            let root: Hash = frontier.root();
            if roots.any(|named| named != root) {
                return Err(LogError::Cosignature);
            }
        }
    }
    Ok(())
}
