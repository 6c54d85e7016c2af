//! After a fork is proven: where the two stories part is looked for together with those who believed the other one, and
//! whatever either story takes back is collected, so that all honest nodes end with the same.

use std::collections::BTreeSet;

use syndic_vc::did::Did;

use super::peers::Question;
use super::track::{Cargo, Flight, Track};
use super::{Effect, Misbehaviour, Replica, Step};
use crate::fold::Fold;
use crate::fork::salvage::Name;
use crate::fork::{self, Branch, Common, Fork, Record};
use crate::head::{Head, HeadError};
use crate::limits;
use crate::log::{self, EMPTY_ROOT, Hash, LogState};
use crate::log_keys::LogKeys;
use crate::message::{Answer, Ask, Parting, Refusal, Roots, Standpoint};
use crate::proof;
use crate::reconcile::Lasting;
use crate::statement::Statement;
use crate::store::{self, Batch, Expectation, ReadError, Write};

/// How much a proof says about where two stories part; the lesser says more.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct Mark {
    /// The number of entries about which they disagree.
    pub(super) at: u64,
    /// It is not proven that they agree about one less.
    uncertain: bool,
    /// [`Fork::digest`]: of proofs that say the same one is held, by all the same.
    proof: Hash,
}

impl Mark {
    pub(super) fn of(fork: &Fork) -> Self {
        Self {
            at: fork.at,
            uncertain: fork.common_prefix().is_none(),
            proof: fork.digest(),
        }
    }

    pub(super) fn said(parting: &Parting) -> Self {
        Self {
            at: parting.at,
            uncertain: !parting.certain,
            proof: parting.proof,
        }
    }

    /// What it says of the place where the stories part.
    pub(super) fn place(self) -> (u64, bool) {
        (self.at, self.uncertain)
    }

    /// The entries that all stories share, as far as is known: more is neither taken nor given.
    pub(super) fn common(self) -> u64 {
        self.at.saturating_sub(1)
    }
}

/// What a head implies at some size: the root, and the consistency proof from it.
type Implied = (Hash, Vec<Hash>);

/// The records of one batch, and what is to be honoured of each.
type Honoured = Vec<(Record, Statement)>;

impl Track {
    /// Whether others are told how far this node is in the log.
    pub(super) fn is_shown(&self) -> bool {
        !self.lost && !self.removed
    }

    /// How far this node is in the log, but for what changes all the time.
    pub(super) fn lasting(&self) -> Lasting {
        let head = self.held.log.head.as_ref();
        Lasting {
            size: head.map_or(0, Head::size),
            root: head.map_or(EMPTY_ROOT, |head| *head.root()),
            fork: self.parting(),
            // What is not stored yet is told again; the bound is far below 2^16.
            rotations: self.stored_rotations().len() as u16,
        }
    }

    /// What is said of the log's fork when heads are compared.
    fn parting(&self) -> Option<Parting> {
        let mark = self.mark?;
        Some(Parting {
            at: mark.at,
            certain: !mark.uncertain,
            proof: mark.proof,
            salvaged: self.salvage.digest(),
        })
    }
}

impl Replica {
    /// Asks who compares about frozen logs: for entries that all stories share, for where the stories part, and for what
    /// it honours.
    pub(super) fn look_into_forks(&mut self, peer: &str, theirs: &[Standpoint], step: &mut Step<'_>) {
        for them in theirs {
            let Some(parting) = &them.fork else { continue };
            let Some((organization, track)) = self.tracks.get_key_value(them.organization.as_str()) else {
                continue;
            };
            let Some(mark) = track.mark.filter(|_| !track.lost) else {
                continue;
            };
            let organization = organization.clone();
            if track.size() < mark.common() {
                if them.size > track.size() {
                    self.pull(&organization, peer);
                }
            } else if parting.at == mark.at && parting.salvaged != track.salvage.digest() {
                self.ask_salvage(&organization, peer, step);
            }
            self.probe(&organization, peer, them, step);
        }
    }

    fn ask_salvage(&mut self, organization: &Did, peer: &str, step: &mut Step<'_>) {
        let question = Question::Salvage {
            organization: organization.clone(),
        };
        let Some(id) = self.peers.ask(peer, question, step.now) else {
            return;
        };
        let Some(track) = self.tracks.get(organization) else {
            return;
        };
        let ask = Ask::Salvage {
            id,
            organization: organization.as_str().to_owned(),
            have: track.salvage.names().map(half).collect(),
        };
        step.push(Effect::SendRequest {
            to: peer.to_owned(),
            bytes: ask.encode(),
        });
    }

    /// Begins to look for where the own branch and the peer's part, unless that is known.
    fn probe(&mut self, organization: &Did, peer: &str, them: &Standpoint, step: &mut Step<'_>) {
        let Some(track) = self.tracks.get_mut(organization) else {
            return;
        };
        let Some(ours) = track.held.log.head.as_ref().filter(|head| head.size() > 0) else {
            return;
        };
        if them.size == 0 || track.probed.contains(&them.root) {
            return;
        }
        let most = ours.size().min(them.size);
        let root = proof::root(organization.as_str(), them.size, step.reader);
        if them.size <= ours.size() && step.read(root).flatten() == Some(them.root) {
            // The beginning of the own branch.
            track.has_probed(them.root);
            return;
        }
        self.ask_roots(organization, peer, spread(0, most), step);
    }

    fn ask_roots(&mut self, organization: &Did, peer: &str, sizes: Vec<u64>, step: &mut Step<'_>) {
        let question = Question::Probe {
            organization: organization.clone(),
            sizes: sizes.clone(),
        };
        let Some(id) = self.peers.ask(peer, question, step.now) else {
            return;
        };
        let ask = Ask::Probe {
            id,
            organization: organization.as_str().to_owned(),
            sizes,
        };
        step.push(Effect::SendRequest {
            to: peer.to_owned(),
            bytes: ask.encode(),
        });
    }

    /// The roots of the own branch of a frozen log.
    pub(super) fn roots(&self, id: u64, organization: &str, sizes: &[u64], step: &mut Step<'_>) -> Answer {
        let frozen = self
            .tracks
            .get(organization)
            .is_some_and(|track| track.frozen && !track.lost);
        let roots = if frozen {
            read_roots(id, organization, sizes, step)
        } else {
            Ok(None)
        };
        let why = match step.read(roots) {
            Some(Some(roots)) => return Answer::Roots(roots),
            Some(None) => Refusal::NothingNew,
            None => Refusal::Unavailable,
        };
        Answer::Refused { id, why }
    }

    /// Compares roots of another branch with those of the own one.
    pub(super) fn take_roots(
        &mut self,
        organization: &Did,
        peer: &str,
        sizes: &[u64],
        roots: &Roots,
        step: &mut Step<'_>,
    ) {
        let Some(track) = self.tracks.get_mut(organization) else {
            return;
        };
        if !track.frozen || track.lost {
            return;
        }
        let theirs = match track.verify(&roots.note) {
            Ok(head) => head,
            // Signed by a key that is not known here yet: it will be.
            Err(HeadError::OtherKey) => return,
            Err(error) => return self.blame(peer, error.into(), step),
        };
        let proven = sizes.len() == roots.roots.len()
            && sizes.iter().zip(&roots.roots).all(|(size, (root, proof))| {
                proof::verify_consistency(*size, root, theirs.size(), theirs.root(), proof).is_ok()
            });
        if !proven {
            return self.blame(
                peer,
                Misbehaviour::Inconsistent("roots that do not lead to their head"),
                step,
            );
        }
        let Some(ours) = track.held.log.head.clone() else {
            return;
        };
        let name = organization.as_str();
        let mut parts = None;
        for (at, (size, (root, _))) in sizes.iter().zip(&roots.roots).enumerate() {
            let Some(own) = step.read(proof::root(name, *size, step.reader)) else {
                return;
            };
            if own != Some(*root) {
                parts = Some(at);
                break;
            }
        }
        let Some(track) = self.tracks.get_mut(organization) else {
            return;
        };
        let Some(at) = parts else {
            // One is the beginning of the other.
            track.has_probed(*theirs.root());
            return;
        };
        let before = at
            .checked_sub(1)
            .and_then(|at| Some((*sizes.get(at)?, roots.roots.get(at)?)));
        let (Some((lo, agreed)), Some(hi), Some(parted)) = (before, sizes.get(at), roots.roots.get(at)) else {
            // Nobody disagrees about nothing.
            return;
        };
        if lo + 1 < *hi {
            return self.ask_roots(organization, peer, spread(lo, *hi), step);
        }
        track.has_probed(*theirs.root());
        let keys = track.keys.clone();
        let fork = parted_at(name, *hi, &ours, (&theirs, agreed, parted), &keys, step);
        if let Some(Some(fork)) = step.read(fork) {
            self.freeze(organization, fork, step);
        }
    }

    /// Records that the asker does not have.
    pub(super) fn salvaged(&self, id: u64, organization: &str, have: Vec<[u8; 16]>, step: &mut Step<'_>) -> Answer {
        let Some(track) = self
            .tracks
            .get(organization)
            .filter(|track| track.frozen && !track.lost)
        else {
            let why = Refusal::NothingNew;
            return Answer::Refused { id, why };
        };
        let have: BTreeSet<[u8; 16]> = have.into_iter().collect();
        let (mut records, mut bytes) = (Vec::new(), 0);
        for name in track.salvage.names().filter(|name| !have.contains(&half(name))) {
            let row = step.reader.get(&store::salvaged(organization, name));
            let Some(row) = step.read(row) else {
                let why = Refusal::Unavailable;
                return Answer::Refused { id, why };
            };
            // What is not stored yet is not sent.
            let Some(record) = row.as_deref().and_then(|row| Record::decode(row).ok()) else {
                continue;
            };
            bytes += row.map_or(0, |row| row.len());
            if bytes > limits::PIECE_BYTES {
                break;
            }
            records.push(record);
        }
        Answer::Salvaged { id, records }
    }

    /// Takes records of another branch in, each checked by itself.
    pub(super) fn take_salvaged(&mut self, organization: &Did, peer: &str, records: Vec<Record>, step: &mut Step<'_>) {
        let Some(track) = self.tracks.get_mut(organization) else {
            return;
        };
        let Some(mark) = track.may_salvage() else { return };
        let (mut honoured, mut bytes) = (Honoured::new(), 0);
        let mut last: Option<Head> = None;
        for record in records {
            // What all stories share is not salvaged but pulled.
            if record.index < mark.common() || !track.salvage.wants(&record.name(), record.entry.len()) {
                continue;
            }
            let head = match last.take_if(|head| head.note() == record.note) {
                Some(head) => head,
                None => match track.verify(&record.note) {
                    Ok(head) => head,
                    Err(HeadError::OtherKey) => continue,
                    Err(error) => return self.blame(peer, error.into(), step),
                },
            };
            let Ok(statement) = record.verify(&head) else {
                return self.blame(peer, Misbehaviour::Inconsistent("a record that proves nothing"), step);
            };
            bytes += record.entry.len() + limits::SALVAGE_OVERHEAD;
            if bytes > limits::SALVAGE_BATCH_BYTES && !honoured.is_empty() {
                break;
            }
            let note = fork::bare(head.note(), track.origin(), &track.keys);
            honoured.push((Record { note, ..record }, statement));
            last = Some(head);
        }
        self.persist_salvage(organization, honoured, step);
    }

    /// Looks through the own branches of frozen logs for what must be honoured, a part at each tick.
    pub(super) fn salvage_own(&mut self, step: &mut Step<'_>) {
        let frozen = self.tracks.iter().filter(|(_, track)| track.mark.is_some());
        let frozen: Vec<Did> = frozen.map(|(organization, _)| organization.clone()).collect();
        for organization in frozen {
            let Some(track) = self.tracks.get(&organization) else {
                continue;
            };
            let Some(mark) = track.may_salvage() else { continue };
            let from = track.scanned.max(mark.common());
            let size = track.held.log.head.as_ref().map_or(0, Head::size);
            if from >= size {
                continue;
            }
            let found = self.scan(&organization, from, size.min(from + limits::SALVAGE_SCAN), step);
            let Some((honoured, to)) = step.read(found) else {
                continue;
            };
            if let Some(track) = self.tracks.get_mut(&organization) {
                track.scanned = to;
            }
            self.persist_salvage(&organization, honoured, step);
        }
    }

    /// Records of the own branch from one index on, and how far it was looked.
    fn scan(&self, organization: &Did, from: u64, to: u64, step: &Step<'_>) -> Result<(Honoured, u64), ReadError> {
        let name = organization.as_str();
        let (mut honoured, mut end) = (Honoured::new(), from);
        let Some(track) = self.tracks.get(organization) else {
            return Ok((honoured, to));
        };
        let Some(head) = LogState::read(name, step.reader)?.head else {
            return Ok((honoured, to));
        };
        let note = fork::bare(head.note(), track.origin(), &track.keys);
        let entries = log::read_entries(name, from, to, limits::SALVAGE_BATCH_BYTES, step.reader)?;
        for (index, entry) in (from..).zip(entries) {
            end = index + 1;
            let wanted = Statement::parse(&entry)
                .ok()
                .and_then(|statement| fork::salvage::restriction(&statement));
            let Some(statement) = wanted else { continue };
            if !track.salvage.wants(&(index, log::leaf_hash(&entry)), entry.len()) {
                continue;
            }
            if let Some(proof) = proof::inclusion(name, index, head.size(), step.reader)? {
                let note = note.clone();
                let record = Record {
                    index,
                    entry,
                    note,
                    proof,
                };
                honoured.push((record, statement));
            }
        }
        Ok((honoured, end))
    }

    /// Stores records, and with them what they take back.
    fn persist_salvage(&mut self, organization: &Did, honoured: Honoured, step: &mut Step<'_>) {
        if honoured.is_empty() {
            return;
        }
        let name = organization.as_str();
        let mut fold = Fold::new(name, step.reader);
        for (record, statement) in &honoured {
            let applied = fold.apply(record.index, statement);
            if step.read(applied).is_none() {
                return;
            }
        }
        let mut writes = fold.finish();
        let Some(track) = self.tracks.get_mut(organization) else {
            return;
        };
        let mut dropped = Vec::new();
        for (record, _) in &honoured {
            let key = store::salvaged(name, &record.name());
            writes.push(Write::put(key, record.encode()));
            dropped.extend(track.salvage.insert(record.name(), record.entry.len()));
        }
        writes.extend(dropped.iter().map(|name| Write {
            key: store::salvaged(organization.as_str(), name),
            value: None,
        }));
        let held = &track.held.log;
        let content = Batch {
            writes,
            expectations: vec![Expectation {
                key: store::log_state(name),
                value: (*held != LogState::default()).then(|| held.encode()),
            }],
        };
        track.flight = Some(Flight {
            batch: self.next_batch,
            cargo: Cargo::Salvage,
            keys: 0,
        });
        self.fly(organization.clone(), content, Vec::new(), step);
    }
}

fn read_roots(id: u64, organization: &str, sizes: &[u64], step: &Step<'_>) -> Result<Option<Roots>, ReadError> {
    let Some(head) = LogState::read(organization, step.reader)?.head else {
        return Ok(None);
    };
    let mut roots = Vec::with_capacity(sizes.len());
    for size in sizes {
        if *size > head.size() {
            return Ok(None);
        }
        let root = proof::root(organization, *size, step.reader)?;
        let proof = proof::consistency(organization, *size, head.size(), step.reader)?;
        let Some(both) = root.zip(proof) else { return Ok(None) };
        roots.push(both);
    }
    let note = head.note().to_owned();
    Ok(Some(Roots { id, note, roots }))
}

/// The proof that the own branch and another one part at exactly this size. Of the other one: its head, and what it
/// implies at one entry less and here.
fn parted_at(
    organization: &str,
    at: u64,
    ours: &Head,
    (theirs, agreed, parted): (&Head, &Implied, &Implied),
    keys: &LogKeys,
    step: &Step<'_>,
) -> Result<Option<Fork>, ReadError> {
    let implied = |size| -> Result<Option<Implied>, ReadError> {
        let root = proof::root(organization, size, step.reader)?;
        let proof = proof::consistency(organization, size, ours.size(), step.reader)?;
        Ok(root.zip(proof))
    };
    let (Some((root, proof)), Some((common, one))) = (implied(at)?, implied(at - 1)?) else {
        return Ok(None);
    };
    let branch = |head: &Head, (root, proof): Implied| Branch {
        note: head.note().to_owned(),
        root,
        proof,
    };
    let (other, rotations) = (agreed.1.clone(), keys.rotations().to_vec());
    Ok(Some(Fork {
        at,
        one: branch(ours, (root, proof)),
        other: branch(theirs, parted.clone()),
        common: (at > 1).then_some(Common {
            root: common,
            one,
            other,
        }),
        rotations,
    }))
}

/// At most 16 sizes from one to the other, both included; all of them if there are no more.
fn spread(lo: u64, hi: u64) -> Vec<u64> {
    let parts = (hi - lo).min(limits::PROBE_SIZES as u64 - 1);
    (0..=parts)
        .map(|part| (part * (hi - lo)).checked_div(parts).map_or(hi, |step| lo + step))
        .collect()
}

/// What a record is called in a question: the first half of its hash, and its index. Two stories may say the same in two
/// places, and both count.
fn half((index, leaf): &Name) -> [u8; 16] {
    let half = leaf.first_chunk::<16>().copied().unwrap_or_default();
    (u128::from_be_bytes(half) ^ u128::from(*index)).to_be_bytes()
}
