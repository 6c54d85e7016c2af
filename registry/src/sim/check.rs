//! What must hold at every step. Nothing here trusts the machines: roots are recomputed the naive
//! way, entries compared with what their organization has on its own disk.

use std::collections::{BTreeMap, BTreeSet};

use syndic_vc::time::Timestamp;

use super::node::{Machine, Node};
use crate::charter::Charter;
use crate::cosignature::{self, Cosignature};
use crate::fold;
use crate::fork::{self, Fork, Record};
use crate::head::{self, Head};
use crate::limits;
use crate::log::{self, EMPTY_ROOT, Hash, LogState, leaf_hash, node_hash};
use crate::message::{Answer, Broadcast, Cosigned};
use crate::replica::Misbehaviour;
use crate::statement::Statement;
use crate::store::{self, Batch, MemoryStore, Reader, Write};

/// What was seen so far.
#[derive(Default)]
pub(super) struct Check {
    /// What is being published, by ticket: the node and the bytes of the statements.
    pub(super) asked: BTreeMap<u64, (usize, Vec<Vec<u8>>)>,
    /// Log keys being replaced, by ticket.
    pub(super) rotating: BTreeMap<u64, usize>,
    /// Charter versions that are being published, by ticket: the node, and which of the course.
    pub(super) chartering: BTreeMap<u64, (usize, usize)>,
    /// Acknowledged entries: node, index, bytes.
    pub(super) acknowledged: Vec<(usize, u64, Vec<u8>)>,
    /// Roots of all heads of honest members that were ever sent by anybody honest.
    heads: BTreeMap<(usize, u64), Hash>,
    /// Roots that honest members cosigned: witness, log, size.
    cosigned: BTreeMap<(usize, usize, u64), Hash>,
    consortium: String,
    /// False signatures of a peer that a member has checked lately: since when, and how many.
    looked_at: BTreeMap<(usize, String), (u64, i64)>,
    /// Notes whose signatures were checked here.
    verified: BTreeSet<String>,
}

type Checked = Result<(), String>;

fn read<T>(result: Result<T, store::ReadError>) -> Result<T, String> {
    result.map_err(|error| format!("a disk cannot be read: {error}"))
}

impl Check {
    pub(super) fn new(consortium: String) -> Self {
        Self {
            consortium,
            ..Self::default()
        }
    }

    /// Before a batch is applied to an honest member's disk.
    pub(super) fn before(&self, nodes: &[Node], node: usize, disk: &MemoryStore, batch: &Batch) -> Checked {
        for write in &batch.writes {
            match write.key.get(..3) {
                Some(b"r/e") => entry_is_true(nodes, node, disk, write)?,
                Some(b"r/w") => cosignature_is_true(nodes, self.consortium.as_str(), disk, write)?,
                Some(b"r/l" | b"r/p" | b"r/h" | b"r/v" | b"r/x") => {}
                Some(b"r/k") => rotation_is_true(nodes, node, write)?,
                Some(b"r/s") => record_is_true(nodes, write)?,
                Some(b"r/c" | b"r/d") => {}
                Some(b"r/f") => evidence_is_fair(nodes, write)?,
                _ => return Err(format!("a batch writes {:?}", write.key)),
            }
        }
        Ok(())
    }

    /// After a batch was applied to an honest member's disk.
    pub(super) fn after(
        &mut self,
        nodes: &[Node],
        charter: &Charter,
        before: &LogState,
        organization: usize,
        latest: Timestamp,
        disk: &MemoryStore,
    ) -> Checked {
        let Some(owner) = nodes.get(organization) else {
            return Ok(());
        };
        let name = owner.did.as_str();
        let state = read(LogState::read(name, disk))?;
        let size = state.frontier.size();
        if size < before.frontier.size() {
            return Err(format!("the log of {} shrank", owner.peer));
        }
        let rows = read(disk.range(&store::entry(name, 0), &store::entry(name, u64::MAX), usize::MAX))?;
        let leaves: Vec<Hash> = rows
            .iter()
            .filter_map(|(_, row)| row.split_first_chunk::<32>())
            .map(|(leaf, _)| *leaf)
            .collect();
        if leaves.len() as u64 != size {
            return Err(format!("{size} entries are said to be there, {} are", leaves.len()));
        }
        if naive_root(&leaves) != state.frontier.root() {
            return Err("the right edge does not lead to the root of the entries".to_owned());
        }
        let Some(head) = &state.head else {
            return Ok(());
        };
        if head.time() > latest {
            return Err(format!("a head of {} is stored that is from the future", owner.peer));
        }
        self.is_signed(charter, owner, head, disk)?;
        let covered = leaves.get(..head.size() as usize).map(naive_root);
        if covered != Some(*head.root()) {
            return Err(format!(
                "the stored head of {} does not sign the stored entries",
                owner.peer
            ));
        }
        let Some(old) = &before.head else {
            return Ok(());
        };
        let longer = old.size() < head.size();
        // A longer head may have an earlier time, and is no worse for that: a liar signs it so, and so does one that was
        // restored from a backup, does not know its last heartbeats any more, and has a clock that is set wrong now.
        let excused = owner.hostile || owner.was_restored();
        let older = old.time() > head.time() && !(excused && longer);
        if old.size() > head.size() || older {
            return Err(format!("the head of {} became older", owner.peer));
        }
        Ok(())
    }

    fn is_signed(&mut self, charter: &Charter, owner: &Node, head: &Head, disk: &MemoryStore) -> Checked {
        if self.verified.contains(head.note()) {
            return Ok(());
        }
        let origin = head::origin(charter.id(), owner.did.as_str());
        let keys = owner.known_keys(charter, disk).ok_or("log keys cannot be read")?;
        match Head::verify(head.note(), &origin, keys.at(head.size())) {
            Ok(again) if again == *head => {
                self.verified.insert(head.note().to_owned());
                Ok(())
            }
            other => Err(format!("a stored head of {} does not verify: {other:?}", owner.peer)),
        }
    }

    /// Before an honest member broadcasts.
    pub(super) fn broadcast(&mut self, nodes: &[Node], charter: &Charter, disk: &MemoryStore, bytes: &[u8]) -> Checked {
        if bytes.len() > crate::limits::BROADCAST_BYTES {
            return Err("a broadcast is longer than others take".to_owned());
        }
        match Broadcast::decode(bytes) {
            Ok(Broadcast::News(news)) => {
                let owner = self.head_is_stored(nodes, charter, disk, &news.note)?;
                entries_are_stored(nodes, owner, disk, news.from, &news.entries)
            }
            Ok(Broadcast::Fork(fork)) => fork_is_stored(nodes, charter, disk, &fork),
            Ok(Broadcast::Charter(signed)) => charter_is_stored(disk, &signed),
            Ok(Broadcast::Cosigned(cosigned)) => self.cosignatures_are_stored(nodes, disk, &cosigned),
            Err(error) => Err(format!("an honest broadcast is {error}")),
        }
    }

    /// Before an honest member answers.
    pub(super) fn answer(&mut self, nodes: &[Node], charter: &Charter, disk: &MemoryStore, bytes: &[u8]) -> Checked {
        match Answer::decode(bytes) {
            Ok(Answer::Heads {
                notes, forks, cosigned, ..
            }) => {
                for cosigned in &cosigned {
                    self.cosignatures_are_stored(nodes, disk, cosigned)?;
                }
                for note in notes {
                    self.head_is_stored(nodes, charter, disk, &note)?;
                }
                forks
                    .iter()
                    .try_for_each(|fork| fork_is_stored(nodes, charter, disk, fork))
            }
            Ok(Answer::Piece(piece)) => {
                let owner = self.head_is_stored(nodes, charter, disk, &piece.note)?;
                entries_are_stored(nodes, owner, disk, piece.from, &piece.entries)
            }
            Ok(Answer::Roots(roots)) => {
                let owner = self.head_is_stored(nodes, charter, disk, &roots.note)?;
                let name = nodes.get(owner).map_or("", |node| node.did.as_str());
                let rows = read(disk.range(&store::entry(name, 0), &store::entry(name, u64::MAX), usize::MAX))?;
                let leaves: Vec<Hash> = rows
                    .iter()
                    .filter_map(|(_, row)| row.split_first_chunk::<32>())
                    .map(|(leaf, _)| *leaf)
                    .collect();
                let known: BTreeSet<Hash> = (0..=leaves.len())
                    .map(|size| naive_root(leaves.get(..size).unwrap_or_default()))
                    .collect();
                match roots.roots.iter().all(|(root, _)| known.contains(root)) {
                    true => Ok(()),
                    false => Err("a root is sent that is not that of the sender's entries".to_owned()),
                }
            }
            Ok(Answer::Salvaged { records, .. }) => {
                for record in records {
                    let owner = owner_of(nodes, charter, &record.note).ok_or("a record of nobody is sent")?;
                    let name = nodes.get(owner).map_or("", |node| node.did.as_str());
                    let key = store::salvaged(name, &record.name());
                    if read(disk.get(&key))? != Some(record.encode()) {
                        return Err("a record is sent that is not on the sender's disk".to_owned());
                    }
                }
                Ok(())
            }
            Ok(Answer::Charters { versions, .. }) => {
                versions.iter().try_for_each(|signed| charter_is_stored(disk, signed))
            }
            Ok(Answer::Refused { .. } | Answer::Reconciled { .. }) => Ok(()),
            Err(error) => Err(format!("an honest answer is {error}")),
        }
    }

    /// What is sent is on the sender's disk, and no honest member cosigned two roots of one size.
    fn cosignatures_are_stored(&mut self, nodes: &[Node], disk: &MemoryStore, cosigned: &Cosigned) -> Checked {
        let name = cosigned.organization.as_str();
        let of = nodes.iter().position(|node| node.did.as_str() == name);
        let of = of.ok_or("a cosignature of nobody's log is sent")?;
        for line in &cosigned.lines {
            let stored = read(Cosignature::of(name, line.witness.as_str(), disk))?;
            if stored.as_ref() != Some(line) {
                return Err("a cosignature is sent that is not on the sender's disk".to_owned());
            }
            let Some(by) = nodes.iter().position(|node| node.did == line.witness && !node.hostile) else {
                continue;
            };
            let root = *self.cosigned.entry((by, of, line.size)).or_insert(line.root);
            if root != line.root {
                return Err(format!("member {by} cosigned two roots of size {} of {of}", line.size));
            }
        }
        Ok(())
    }

    /// That nobody makes a member check more signatures than it may.
    pub(super) fn signatures(&mut self, node: usize, peer: &str, why: &Misbehaviour, at: u64) -> Checked {
        if !matches!(why, Misbehaviour::Head(_)) {
            return Ok(());
        }
        let (since, count) = self.looked_at.entry((node, peer.to_owned())).or_default();
        if at >= *since + 1_000 {
            (*since, *count) = (at, 0);
        }
        *count += 1;
        // The part of a second before and the one after count as whole ones.
        match *count > limits::CHECKS_BURST + 2 * limits::CHECKS_PER_SECOND {
            false => Ok(()),
            true => Err(format!("{peer} made {node} check {count} false signatures in a second")),
        }
    }

    /// A clock was set, or a machine started: it counts anew.
    pub(super) fn counts_anew(&mut self, node: usize) {
        self.looked_at.retain(|(of, _), _| *of != node);
    }

    fn head_is_stored(
        &mut self,
        nodes: &[Node],
        charter: &Charter,
        disk: &MemoryStore,
        note: &str,
    ) -> Result<usize, String> {
        let owner = owner_of(nodes, charter, note).ok_or("a head of nobody is sent")?;
        let Some(node) = nodes.get(owner) else {
            return Ok(owner);
        };
        let state = read(LogState::read(node.did.as_str(), disk))?;
        let Some(head) = state.head.filter(|head| head.note() == note) else {
            return Err(format!(
                "a head of {} is sent that is not on the sender's disk",
                node.peer
            ));
        };
        if !node.hostile {
            let root = self.heads.entry((owner, head.size())).or_insert(*head.root());
            if root != head.root() {
                return Err(format!("{} signed two heads of size {}", node.peer, head.size()));
            }
        }
        Ok(owner)
    }

    /// When a publication is acknowledged.
    pub(super) fn acknowledge(&mut self, node: usize, ticket: u64, first: u64, count: usize) -> Checked {
        if self.rotating.remove(&ticket) == Some(node) && count == 1 {
            return Ok(());
        }
        match self.asked.remove(&ticket) {
            Some((asker, entries)) if asker == node && entries.len() == count => {
                self.acknowledged
                    .extend((first..).zip(entries).map(|(index, entry)| (node, index, entry)));
                Ok(())
            }
            _ => Err(format!("ticket {ticket} is acknowledged, and was not open")),
        }
    }

    /// That all that `node` acknowledged is on its disk; unless that is an older copy, and the node still fetches the rest.
    pub(super) fn nothing_is_lost(&self, nodes: &[Node], node: usize) -> Checked {
        let Some((owner, disk)) = nodes.get(node).and_then(|n| Some((n, &n.machines.first()?.disk))) else {
            return Ok(());
        };
        if read(LogState::read(owner.did.as_str(), disk))?.frontier.size() < owner.needs {
            return Ok(());
        }
        for (_, index, entry) in self.acknowledged.iter().filter(|(of, ..)| *of == node) {
            let stored = read(log::read_entry(owner.did.as_str(), *index, disk))?;
            if stored.as_ref() != Some(entry) {
                return Err(format!(
                    "entry {index} of {} was acknowledged and is not there",
                    owner.peer
                ));
            }
        }
        Ok(())
    }
}

/// An entry written is new, whole, and what its organization itself has on disk.
fn entry_is_true(nodes: &[Node], node: usize, disk: &MemoryStore, write: &Write) -> Checked {
    let key = write.key.get(3..).unwrap_or_default();
    let name = key.split(|b| *b == 0).next().unwrap_or_default();
    let owner = nodes.iter().position(|n| n.did.as_str().as_bytes() == name);
    let owner = owner.ok_or("an entry of nobody is stored")?;
    let value = write.value.as_ref().ok_or("an entry is removed")?;
    if read(disk.get(&write.key))?.is_some_and(|old| old != *value) {
        return Err("an entry is replaced by another".to_owned());
    }
    let (leaf, entry) = value.split_first_chunk::<32>().ok_or("an entry without a hash")?;
    if leaf_hash(entry) != *leaf || Statement::parse(entry).is_err() {
        return Err("an entry is stored that is no statement, or has another's hash".to_owned());
    }
    if owner == node {
        return Ok(());
    }
    let holds = |machine: &Machine| machine.ever_had(&write.key, Some(value));
    if nodes.get(owner).is_some_and(|n| n.machines.iter().any(holds)) {
        return Ok(());
    }
    Err(format!("an entry is stored that node {owner} never had on its disk"))
}

/// A cosignature written is its witness's, and over the root of the entries on this very disk.
fn cosignature_is_true(nodes: &[Node], consortium: &str, disk: &MemoryStore, write: &Write) -> Checked {
    let key = write.key.get(3..).unwrap_or_default();
    let name = key.split(|b| *b == 0).next().unwrap_or_default();
    let of = nodes.iter().find(|node| node.did.as_str().as_bytes() == name);
    let of = of.ok_or("a cosignature of nobody's log is stored")?.did.as_str();
    let mut fresh = MemoryStore::default();
    fresh.write(std::slice::from_ref(write));
    let rows = read(cosignature::stored(of, &fresh))?;
    let row = rows.first().ok_or("a cosignature is removed")?;
    let witness = nodes.iter().find(|node| node.did == row.witness);
    let witness = witness.ok_or("a stranger's cosignature is stored")?;
    let by = |key: &std::sync::Arc<syndic_vc::key::SecretKey>| row.verify(consortium, of, key.public_key()).is_ok();
    if !witness.keys.iter().any(by) {
        return Err("a false cosignature is stored".to_owned());
    }
    let rows = read(disk.range(&store::entry(of, 0), &store::entry(of, row.size), usize::MAX))?;
    let leaves: Vec<Hash> = rows
        .iter()
        .filter_map(|(_, row)| row.first_chunk::<32>().copied())
        .collect();
    if leaves.len() as u64 != row.size || naive_root(&leaves) != row.root {
        return Err("a cosignature is stored that is not of the stored entries".to_owned());
    }
    Ok(())
}

/// How many honest members cosigned the whole of a log, as far as a disk knows.
pub(super) fn honest_witnesses(nodes: &[Node], disk: &MemoryStore, name: &str, size: u64) -> Result<usize, String> {
    let rows = read(cosignature::stored(name, disk))?;
    let honest = |row: &&Cosignature| nodes.iter().any(|node| node.did == row.witness && !node.hostile);
    Ok(rows.iter().filter(honest).filter(|row| row.size == size).count())
}

/// A rotation is stored as its organization has it on its own disk.
fn rotation_is_true(nodes: &[Node], node: usize, write: &Write) -> Checked {
    let key = write.key.get(3..).unwrap_or_default();
    let owner = nodes.iter().position(|n| key.starts_with(n.did.as_str().as_bytes()));
    let owner = owner.ok_or("a rotation of nobody is stored")?;
    let holds = |machine: &Machine| machine.ever_had(&write.key, write.value.as_ref());
    if owner == node || nodes.get(owner).is_some_and(|n| n.machines.iter().any(holds)) {
        return Ok(());
    }
    Err(format!("a rotation is stored that node {owner} never had on its disk"))
}

/// A record is of a member that told two stories, and one of its stories says it.
fn record_is_true(nodes: &[Node], write: &Write) -> Checked {
    let key = write.key.get(3..).unwrap_or_default();
    let name = key.split(|b| *b == 0).next().unwrap_or_default();
    let owner = nodes.iter().find(|n| n.did.as_str().as_bytes() == name);
    let owner = owner.filter(|node| node.hostile && node.machines.len() > 1);
    let owner = owner.ok_or("something is salvaged of an honest log")?;
    let Some(value) = &write.value else { return Ok(()) };
    let record = Record::decode(value).map_err(|error| error.to_string())?;
    let row = store::entry(owner.did.as_str(), record.index);
    let holds = |machine: &Machine| {
        let entry = machine.disk.get(&row).ok().flatten();
        entry.is_some_and(|entry| entry.get(32..) == Some(record.entry.as_slice()))
    };
    match owner.machines.iter().any(holds) {
        true => Ok(()),
        false => Err("a record is salvaged that no story tells".to_owned()),
    }
}

/// Evidence is against the hostile member only.
fn evidence_is_fair(nodes: &[Node], write: &Write) -> Checked {
    let name = write.key.get(3..).unwrap_or_default();
    match nodes.iter().find(|n| n.did.as_str().as_bytes() == name) {
        Some(node) if node.hostile && node.machines.len() > 1 => Ok(()),
        _ => Err("an honest member is accused of a fork".to_owned()),
    }
}

fn entries_are_stored(nodes: &[Node], owner: usize, disk: &MemoryStore, from: u64, entries: &[Vec<u8>]) -> Checked {
    let Some(node) = nodes.get(owner) else {
        return Ok(());
    };
    for (index, entry) in (from..).zip(entries) {
        if read(log::read_entry(node.did.as_str(), index, disk))?.as_ref() != Some(entry) {
            return Err(format!(
                "entry {index} of {} is sent and not on the sender's disk",
                node.peer
            ));
        }
    }
    Ok(())
}

fn fork_is_stored(nodes: &[Node], charter: &Charter, disk: &MemoryStore, fork: &Fork) -> Checked {
    let accused = fork
        .verify(charter)
        .map_err(|error| format!("evidence that is none: {error}"))?;
    let stored = read(disk.get(&store::evidence(accused.as_str())))?;
    if stored != Some(fork.encode()) {
        return Err("evidence is sent that is not on the sender's disk".to_owned());
    }
    match nodes.iter().find(|node| node.did == accused) {
        Some(node) if node.hostile => Ok(()),
        _ => Err("an honest member is accused of a fork".to_owned()),
    }
}

/// A charter version that is sent is on the sender's disk, alone or as one of two that contradict each other.
fn charter_is_stored(disk: &MemoryStore, signed: &[u8]) -> Checked {
    let held = |key: &[u8], value: &[u8]| match key.get(..3) {
        Some(b"r/c") => value == signed,
        Some(b"r/d") => value.windows(signed.len()).any(|part| part == signed),
        _ => false,
    };
    if disk.rows().any(|(key, value)| held(key, value)) {
        return Ok(());
    }
    Err("a charter is sent that is not on the sender's disk".to_owned())
}

/// Whose log a note speaks of.
pub(super) fn owner_of(nodes: &[Node], charter: &Charter, note: &str) -> Option<usize> {
    let name = fork::organization_of(charter.id(), note)?;
    nodes.iter().position(|node| node.did.as_str() == name)
}

/// Root of a tree as RFC 6962, section 2.1 defines it.
pub(super) fn naive_root(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => EMPTY_ROOT,
        [leaf] => *leaf,
        _ => {
            let (left, right) = leaves.split_at(leaves.len().next_power_of_two() / 2);
            node_hash(&naive_root(left), &naive_root(right))
        }
    }
}

/// All rows of one organization but the head, which grows older by itself.
pub(super) fn rows_of<'d>(disk: &'d MemoryStore, name: &str) -> Vec<(&'d [u8], &'d [u8])> {
    let of = |key: &[u8]| {
        let rest = key.get(3..).unwrap_or_default();
        matches!(key.get(..3), Some(b"r/e" | b"r/h" | b"r/k" | b"r/v")) && rest.starts_with(name.as_bytes())
    };
    disk.rows().filter(|(key, _)| of(key)).collect()
}

/// That the facts on a disk are what its entries come to when they are folded at once.
pub(super) fn facts_follow(disk: &MemoryStore, name: &str) -> Checked {
    let size = read(LogState::read(name, disk))?.frontier.size();
    let entries = read(log::read_entries(name, 0, size, usize::MAX, disk))?;
    let statements = entries
        .iter()
        .map(|entry| Statement::parse(entry))
        .collect::<Result<Vec<_>, _>>();
    let statements = statements.map_err(|error| error.to_string())?;
    let mut fresh = MemoryStore::default();
    let writes = read(fold::fold(name, 0, &statements, &fresh))?;
    fresh.write(&writes);
    let facts = |disk: &MemoryStore| -> Vec<(Vec<u8>, Vec<u8>)> {
        let is_fact = |key: &[u8]| match key.get(..3) {
            Some(b"r/v") => key.get(3..).is_some_and(|key| key.starts_with(name.as_bytes())),
            Some(b"r/x") => key.ends_with(name.as_bytes()),
            _ => false,
        };
        disk.rows()
            .filter(|(key, _)| is_fact(key))
            .map(|(k, v)| (k.to_vec(), v.to_vec()))
            .collect()
    };
    let (expected, stored) = (facts(&fresh), facts(disk));
    if expected == stored {
        return Ok(());
    }
    let row = stored.iter().find(|row| !expected.contains(row));
    let row = row.or_else(|| expected.iter().find(|row| !stored.contains(row)));
    let row = row.map(|(key, value)| (String::from_utf8_lossy(key).into_owned(), value));
    Err(format!(
        "the facts of {name} are not what its {size} statements come to: {row:?}"
    ))
}
