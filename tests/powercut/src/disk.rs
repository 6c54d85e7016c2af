//! A disk with a volatile cache, as a file system on it would leave it after a power cut.
//!
//! What was written is in `current`; what survives for certain is in `durable`. `fsync` of a file
//! makes its bytes and length durable, and nothing else: not its name. `fsync` of a folder makes
//! its entries durable. At a cut, of everything else any part may or may not have reached the disk:
//! of the bytes each sector on its own, of the length any that it had since (and on the way of a
//! write that made the file longer any whole sector), of the names either the first so many changes
//! in order (as a journal would have it) or any of them.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};

use crate::random::Random;

/// A disk writes a sector whole or not at all.
pub const SECTOR: usize = 512;

/// The number of the root folder.
pub const ROOT: u64 = 1;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    NotFound,
    Exists,
    NotADirectory,
    NotEmpty,
    Full,
    Io,
}

#[derive(Debug, Clone)]
pub enum Node {
    File(Content),
    Folder {
        durable: BTreeMap<OsString, u64>,
        current: BTreeMap<OsString, u64>,
    },
}

#[derive(Debug, Clone, Default)]
pub struct Content {
    pub current: Vec<u8>,
    durable: Vec<u8>,
    /// Sectors that may differ between the two.
    dirty: BTreeSet<usize>,
    /// Changes of the length since the last synchronization.
    lengths: Vec<Length>,
}

#[derive(Debug, Clone, Copy)]
struct Length {
    from: usize,
    to: usize,
    /// Set at once, or grown into by a write.
    at_once: bool,
}

/// A change of names that no `fsync` has made durable.
#[derive(Debug, Clone)]
enum Change {
    Link {
        folder: u64,
        name: OsString,
        node: u64,
    },
    Unlink {
        folder: u64,
        name: OsString,
    },
    Rename {
        from: (u64, OsString),
        to: (u64, OsString),
        node: u64,
    },
}

impl Change {
    fn concerns(&self, wanted: u64) -> bool {
        match self {
            Self::Link { folder, .. } | Self::Unlink { folder, .. } => *folder == wanted,
            Self::Rename { from, to, .. } => from.0 == wanted || to.0 == wanted,
        }
    }
}

/// What goes wrong on purpose, short of a cut.
#[derive(Debug, Clone, Copy, Default)]
pub struct Faults {
    /// Synchronizations from this number on fail, so many times.
    pub sync_error: Option<(u64, u64)>,
    /// Writes from this number on fail, so many times.
    pub write_error: Option<(u64, u64)>,
    /// Bytes that fit.
    pub capacity: Option<u64>,
}

/// The disk.
#[derive(Debug, Clone)]
pub struct Disk {
    nodes: BTreeMap<u64, Node>,
    next: u64,
    changes: Vec<Change>,
    /// Off: every operation fails.
    pub off: bool,
    /// Goes off just before this synchronization.
    pub off_at_sync: Option<u64>,
    pub syncs: u64,
    pub writes: u64,
    /// Writes that failed on purpose.
    pub write_failures: u64,
    pub faults: Faults,
}

impl Default for Disk {
    fn default() -> Self {
        let root = Node::Folder {
            durable: BTreeMap::new(),
            current: BTreeMap::new(),
        };
        Self {
            nodes: BTreeMap::from([(ROOT, root)]),
            next: ROOT + 1,
            changes: Vec::new(),
            off: false,
            off_at_sync: None,
            syncs: 0,
            writes: 0,
            write_failures: 0,
            faults: Faults::default(),
        }
    }
}

type Outcome<T> = Result<T, Failure>;

impl Disk {
    fn power(&self) -> Outcome<()> {
        if self.off { Err(Failure::Io) } else { Ok(()) }
    }

    pub fn node(&self, number: u64) -> Outcome<&Node> {
        self.power()?;
        // A number from before a cut: whoever holds it is dead by now.
        self.nodes.get(&number).ok_or(Failure::Io)
    }

    pub fn entries(&self, folder: u64) -> Outcome<&BTreeMap<OsString, u64>> {
        match self.node(folder)? {
            Node::Folder { current, .. } => Ok(current),
            Node::File(_) => Err(Failure::NotADirectory),
        }
    }

    fn entries_mut(&mut self, folder: u64) -> Outcome<&mut BTreeMap<OsString, u64>> {
        match self.nodes.get_mut(&folder) {
            Some(Node::Folder { current, .. }) => Ok(current),
            _ => Err(Failure::NotADirectory),
        }
    }

    pub fn content(&mut self, file: u64) -> Outcome<&mut Content> {
        self.power()?;
        match self.nodes.get_mut(&file) {
            Some(Node::File(content)) => Ok(content),
            _ => Err(Failure::Io),
        }
    }

    pub fn look_up(&self, folder: u64, name: &OsStr) -> Outcome<u64> {
        self.entries(folder)?.get(name).copied().ok_or(Failure::NotFound)
    }

    pub fn create(&mut self, folder: u64, name: &OsStr, is_folder: bool) -> Outcome<u64> {
        if self.look_up(folder, name).is_ok() {
            return Err(Failure::Exists);
        }
        self.power()?;
        let node = self.next;
        self.next += 1;
        self.entries_mut(folder)?.insert(name.to_owned(), node);
        let content = if is_folder {
            Node::Folder {
                durable: BTreeMap::new(),
                current: BTreeMap::new(),
            }
        } else {
            Node::File(Content::default())
        };
        self.nodes.insert(node, content);
        self.changes.push(Change::Link {
            folder,
            name: name.to_owned(),
            node,
        });
        Ok(node)
    }

    pub fn remove(&mut self, folder: u64, name: &OsStr) -> Outcome<()> {
        let node = self.look_up(folder, name)?;
        if matches!(self.node(node)?, Node::Folder { current, .. } if !current.is_empty()) {
            return Err(Failure::NotEmpty);
        }
        self.entries_mut(folder)?.remove(name);
        self.changes.push(Change::Unlink {
            folder,
            name: name.to_owned(),
        });
        Ok(())
    }

    pub fn rename(&mut self, from: (u64, &OsStr), to: (u64, &OsStr)) -> Outcome<()> {
        let node = self.look_up(from.0, from.1)?;
        self.entries_mut(from.0)?.remove(from.1);
        self.entries_mut(to.0)?.insert(to.1.to_owned(), node);
        let (from, to) = ((from.0, from.1.to_owned()), (to.0, to.1.to_owned()));
        self.changes.push(Change::Rename { from, to, node });
        Ok(())
    }

    pub fn used(&self) -> u64 {
        let size = |node: &Node| match node {
            Node::File(content) => content.current.len() as u64,
            Node::Folder { .. } => 0,
        };
        self.nodes.values().map(size).sum()
    }

    fn room(&mut self, more: u64) -> Outcome<()> {
        match self.faults.capacity {
            Some(capacity) if more > 0 && self.used() + more > capacity => {
                self.write_failures += 1;
                Err(Failure::Full)
            }
            _ => Ok(()),
        }
    }

    pub fn write(&mut self, file: u64, offset: usize, data: &[u8]) -> Outcome<()> {
        self.power()?;
        self.writes += 1;
        if fails(&mut self.faults.write_error, self.writes) {
            self.write_failures += 1;
            return Err(Failure::Io);
        }
        let length = self.content(file)?.current.len();
        let end = offset + data.len();
        self.room(end.saturating_sub(length) as u64)?;
        let content = self.content(file)?;
        if end > length {
            content.resize(end, false);
        }
        content.current[offset..end].copy_from_slice(data);
        content.touch(offset, end);
        Ok(())
    }

    pub fn resize(&mut self, file: u64, length: usize) -> Outcome<()> {
        let old = self.content(file)?.current.len();
        self.room(length.saturating_sub(old) as u64)?;
        self.content(file)?.resize(length, true);
        Ok(())
    }

    pub fn sync(&mut self, number: u64) -> Outcome<()> {
        self.syncs += 1;
        if self.off_at_sync.is_some_and(|at| self.syncs >= at) {
            self.off = true;
        }
        self.power()?;
        if fails(&mut self.faults.sync_error, self.syncs) {
            // As Linux does: the cache is thought clean now, though nothing reached the disk.
            return Err(Failure::Io);
        }
        match self.nodes.get_mut(&number) {
            Some(Node::File(content)) => content.sync(),
            Some(Node::Folder { .. }) => {
                let changes = std::mem::take(&mut self.changes);
                let (mine, others) = changes.into_iter().partition(|change| change.concerns(number));
                self.changes = others;
                self.make_durable(mine);
            }
            None => return Err(Failure::Io),
        }
        Ok(())
    }

    fn make_durable(&mut self, changes: Vec<Change>) {
        for change in changes {
            match change {
                Change::Link { folder, name, node } => {
                    self.durable(folder).insert(name, node);
                }
                Change::Unlink { folder, name } => {
                    self.durable(folder).remove(&name);
                }
                Change::Rename { from, to, node } => {
                    if self.durable(from.0).get(&from.1) == Some(&node) {
                        self.durable(from.0).remove(&from.1);
                    }
                    self.durable(to.0).insert(to.1, node);
                }
            }
        }
    }

    fn durable(&mut self, folder: u64) -> &mut BTreeMap<OsString, u64> {
        match self.nodes.get_mut(&folder) {
            Some(Node::Folder { durable, .. }) => durable,
            _ => unreachable!("changes are recorded for folders only"),
        }
    }

    /// The disk as it is found when the power comes back. Node numbers are new, but for the root.
    pub fn survivors(&self, random: &mut Random) -> Self {
        let mut left = self.clone();
        let changes = std::mem::take(&mut left.changes);
        let survive = if random.chance(50) {
            let kept = random.below(changes.len() as u64 + 1) as usize;
            changes.into_iter().take(kept).collect()
        } else {
            let percent = [0, 50, 100][random.below(3) as usize];
            changes.into_iter().filter(|_| random.chance(percent)).collect()
        };
        left.make_durable(survive);
        let percent = [0, 10, 50, 90, 100][random.below(5) as usize];
        let mut fresh = Self {
            next: self.next,
            ..Self::default()
        };
        left.copy_durable(ROOT, ROOT, &mut fresh, percent, random);
        fresh
    }

    fn copy_durable(&self, from: u64, to: u64, fresh: &mut Self, percent: u64, random: &mut Random) {
        match &self.nodes[&from] {
            Node::File(content) => {
                let left = content.survivor(percent, random);
                let left = Content {
                    durable: left.clone(),
                    current: left,
                    ..Content::default()
                };
                fresh.nodes.insert(to, Node::File(left));
            }
            Node::Folder { durable, .. } => {
                let mut entries = BTreeMap::new();
                for (name, node) in durable {
                    fresh.next += 1;
                    let number = fresh.next;
                    entries.insert(name.clone(), number);
                    self.copy_durable(*node, number, fresh, percent, random);
                }
                let folder = Node::Folder {
                    durable: entries.clone(),
                    current: entries,
                };
                fresh.nodes.insert(to, folder);
                fresh.next += 1;
            }
        }
    }
}

fn fails(fault: &mut Option<(u64, u64)>, number: u64) -> bool {
    match fault {
        Some((from, times)) if number >= *from && *times > 0 => {
            *times -= 1;
            true
        }
        _ => false,
    }
}

impl Content {
    fn touch(&mut self, from: usize, to: usize) {
        self.dirty.extend(from / SECTOR..to.div_ceil(SECTOR));
    }

    fn resize(&mut self, length: usize, at_once: bool) {
        let old = self.current.len();
        self.lengths.push(Length {
            from: old,
            to: length,
            at_once,
        });
        self.current.resize(length, 0);
        self.touch(old.min(length), old.max(length));
    }

    fn sync(&mut self) {
        self.lengths.clear();
        self.durable.resize(self.current.len(), 0);
        for sector in std::mem::take(&mut self.dirty) {
            let from = (sector * SECTOR).min(self.current.len());
            let to = (from + SECTOR).min(self.current.len());
            self.durable[from..to].copy_from_slice(&self.current[from..to]);
        }
    }

    fn survivor(&self, percent: u64, random: &mut Random) -> Vec<u8> {
        let length = match random.below(self.lengths.len() as u64 + 1) {
            0 => self.durable.len(),
            number => {
                let Length { from, to, at_once } = self.lengths[number as usize - 1];
                if at_once || random.chance(50) {
                    to
                } else {
                    let sectors = random.below(((to - from) / SECTOR) as u64 + 1) as usize;
                    ((from / SECTOR + sectors) * SECTOR).clamp(from, to)
                }
            }
        };
        let longest = self.lengths.iter().map(|length| length.to).max().unwrap_or(0);
        let high = longest.max(self.durable.len()).max(self.current.len());
        let mut left = self.durable.clone();
        left.resize(high, 0);
        for sector in &self.dirty {
            if random.chance(percent) {
                let from = (sector * SECTOR).min(high);
                let to = (from + SECTOR).min(high);
                let end = to.min(self.current.len()).max(from.min(self.current.len()));
                let start = from.min(end);
                left[start..end].copy_from_slice(&self.current[start..end]);
                left[end.max(from)..to].fill(0);
            }
        }
        left.truncate(length);
        left
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> &OsStr {
        OsStr::new(text)
    }

    fn read(disk: &mut Disk, text: &str) -> Option<Vec<u8>> {
        let node = disk.look_up(ROOT, name(text)).ok()?;
        Some(disk.content(node).ok()?.current.clone())
    }

    #[test]
    fn synchronized_bytes_and_names_survive_every_cut() {
        for seed in 0..500 {
            let mut disk = Disk::default();
            let file = disk.create(ROOT, name("a"), false).unwrap();
            disk.write(file, 0, &[7; 2000]).unwrap();
            disk.sync(file).unwrap();
            disk.sync(ROOT).unwrap();
            disk.write(file, 2000, &[8; 2000]).unwrap();
            let mut left = disk.survivors(&mut Random::new(seed));
            let bytes = read(&mut left, "a").unwrap();
            assert!(bytes.len() >= 2000 && bytes[..2000].iter().all(|byte| *byte == 7));
        }
    }

    #[test]
    fn what_was_not_synchronized_is_sometimes_lost_kept_and_torn() {
        let (mut lost, mut kept, mut torn, mut nameless) = (0, 0, 0, 0);
        for seed in 0..500 {
            let mut disk = Disk::default();
            let file = disk.create(ROOT, name("a"), false).unwrap();
            disk.sync(ROOT).unwrap();
            disk.write(file, 0, &[7; 4096]).unwrap();
            disk.create(ROOT, name("b"), false).unwrap();
            let mut left = disk.survivors(&mut Random::new(seed));
            let bytes = read(&mut left, "a").unwrap();
            match bytes.iter().filter(|byte| **byte == 7).count() {
                0 => lost += 1,
                4096 => kept += 1,
                some => {
                    assert_eq!(some % SECTOR, 0);
                    torn += 1;
                }
            }
            nameless += u32::from(read(&mut left, "b").is_none());
        }
        assert!(
            lost > 25 && kept > 25 && torn > 25 && nameless > 25,
            "{lost} {kept} {torn} {nameless}"
        );
    }

    #[test]
    fn a_rename_is_atomic() {
        for seed in 0..500 {
            let mut disk = Disk::default();
            for (text, byte) in [("old", 1), ("new", 2)] {
                let file = disk.create(ROOT, name(text), false).unwrap();
                disk.write(file, 0, &[byte]).unwrap();
                disk.sync(file).unwrap();
            }
            disk.sync(ROOT).unwrap();
            disk.rename((ROOT, name("new")), (ROOT, name("old"))).unwrap();
            let mut left = disk.survivors(&mut Random::new(seed));
            let both = (read(&mut left, "old"), read(&mut left, "new"));
            assert!(
                both == (Some(vec![1]), Some(vec![2])) || both == (Some(vec![2]), None),
                "{both:?}"
            );
        }
    }
}
