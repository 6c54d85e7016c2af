//! Members: keys, disks, and machines that come and go.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use syndic_vc::did::Did;
use syndic_vc::did_key;
use syndic_vc::key::{SecretKey, Signer};
use syndic_vc::time::Timestamp;

use super::course::Course;
use super::hostile::Liar;
use super::plan::{Lies, Plan};
use crate::charter::{Charter, CharterChain, Endpoints, MemberCard};
use crate::log::Hash;
use crate::log_keys::{self, LogKeys};
use crate::replica::rng::Rng;
use crate::replica::{Config, LoadError, Me, Replica};
use crate::store::{self, Batch, MemoryStore, Reader};

/// 2027-01-15T08:00:00Z: when every run begins.
pub(super) const BEGINNING: i64 = 1_800_000_000_000;

/// Log keys of a member; the last is promised and never used.
const LOG_KEYS: usize = 6;

/// One member.
pub(super) struct Node {
    pub(super) did: Did,
    pub(super) peer: String,
    /// Its log keys, in the order in which they are used.
    pub(super) keys: Vec<Arc<SecretKey>>,
    pub(super) root: Arc<SecretKey>,
    pub(super) hostile: bool,
    /// What it does if it is.
    pub(super) lies: Option<Lies>,
    pub(super) liar: Liar,
    /// Its log holds what is no statement.
    pub(super) garbage: bool,
    /// Milliseconds by which its clock is wrong.
    pub(super) skew: i64,
    /// One; of a hostile member that tells two stories, one for each.
    pub(super) machines: Vec<Machine>,
    /// Broadcasts seen, as gossip remembers them.
    pub(super) seen: BTreeSet<Hash>,
    /// The members that it was told it is connected to.
    pub(super) links: BTreeSet<usize>,
    pub(super) published: u64,
    /// A copy of its disk, to be restored.
    pub(super) backup: Option<MemoryStore>,
    /// How many entries its own log had when an older copy was restored.
    pub(super) needs: u64,
}

/// A disk, and the machine that runs on it.
pub(super) struct Machine {
    pub(super) disk: MemoryStore,
    pub(super) replica: Option<Replica>,
    /// How often it was started.
    pub(super) life: u64,
    /// Batches on their way to the disk.
    pub(super) writing: BTreeMap<u64, Batch>,
    /// Disks that were replaced by older copies.
    pub(super) former: Vec<MemoryStore>,
}

impl Node {
    /// The time on its clock.
    pub(super) fn now(&self, at: u64) -> Result<Timestamp, String> {
        Timestamp::from_unix_millis(BEGINNING + at.cast_signed() + self.skew).map_err(|error| error.to_string())
    }

    /// Whether an older copy ever took the place of its disk.
    pub(super) fn was_restored(&self) -> bool {
        self.machines.iter().any(|machine| !machine.former.is_empty())
    }

    /// Starts a machine from its disk.
    pub(super) fn start(&mut self, machine: usize, seed: u64) -> Result<(), String> {
        let Some(first) = self.keys.first() else {
            return Err("no log key".to_owned());
        };
        let me = Me {
            organization: self.did.clone(),
            log_key: first.clone(),
            other_keys: self
                .keys
                .iter()
                .skip(1)
                .map(|key| key.clone() as Arc<dyn Signer>)
                .collect(),
        };
        let Some(machine) = self.machines.get_mut(machine) else {
            return Err("no such machine".to_owned());
        };
        let config = Config {
            charter: CharterChain::stored(&machine.disk)
                .map_err(|error| error.to_string())?
                .ok_or("no charter")?,
            me: Some(me),
            heartbeat_seconds: 15,
            compare_seconds: 3,
            sign_alone: false,
            // The note beside the keys: no backup takes it back.
            published_before: self.published > 0,
            seed,
        };
        let mut replica =
            Replica::load(config, &machine.disk).map_err(|error: LoadError| format!("it does not start: {error}"))?;
        // Some narrow down which logs differ, as one does who has many.
        if seed % 2 == 1 {
            replica.list_at_most(1);
        }
        machine.replica = Some(replica);
        machine.life += 1;
        Ok(())
    }

    /// The key that signs a head of this size, as far as a disk knows.
    pub(super) fn signer(&self, charter: &Charter, disk: &MemoryStore, size: u64) -> Option<&SecretKey> {
        let keys = self.known_keys(charter, disk)?;
        let key = keys.at(size);
        self.keys
            .iter()
            .find(|signer| signer.public_key() == key)
            .map(AsRef::as_ref)
    }

    /// What a disk knows of its log keys.
    pub(super) fn known_keys(&self, charter: &Charter, disk: &MemoryStore) -> Option<LogKeys> {
        store::log_keys(charter.id(), charter.member(self.did.as_str())?, disk).ok()
    }

    pub(super) fn is_up(&self) -> bool {
        self.machines.iter().any(|machine| machine.replica.is_some())
    }
}

/// The members of a run and their charter. The last ones lie, if some do.
pub(super) fn found(plan: &Plan, rng: &mut Rng) -> Result<(Vec<Node>, Course), String> {
    let (members, skew) = (plan.members, plan.skew);
    let text = |error: &dyn std::fmt::Display| error.to_string();
    let (mut nodes, mut cards) = (Vec::new(), Vec::new());
    for number in 0..members {
        let (issuing, root) = (key(rng), key(rng));
        let keys: Vec<_> = (0..LOG_KEYS).map(|_| Arc::new(key(rng))).collect();
        let [log, next, ..] = keys.as_slice() else {
            return Err("no log keys".to_owned());
        };
        let promise = rng.chance(50).then(|| log_keys::commitment(next.public_key()));
        let did = did_key::for_key(issuing.public_key());
        let lies = (number + plan.liars.len()).checked_sub(members);
        let lies = lies.and_then(|at| plan.liars.get(at)).copied();
        let letter = char::from(b'a' + u8::try_from(number).unwrap_or(0));
        let peer = format!("12D3KooW{}", letter.to_string().repeat(44));
        let name = format!("Member {letter}");
        let peers = [peer.clone()];
        let endpoints = Endpoints::default();
        let log = (log.public_key(), promise);
        let card = MemberCard::sign_promising(&did, &name, log, &peers, &endpoints, &root);
        cards.push(card.map_err(|error| text(&error))?);
        nodes.push(Node {
            did,
            peer,
            keys,
            root: Arc::new(root),
            hostile: lies.is_some(),
            lies,
            liar: Liar::default(),
            garbage: false,
            skew: self::skew(skew, rng),
            machines: vec![Machine::new(MemoryStore::default())],
            seen: BTreeSet::new(),
            links: BTreeSet::new(),
            published: 0,
            backup: None,
            needs: 0,
        });
    }
    let created = Timestamp::from_unix_millis(BEGINNING).map_err(|error| text(&error))?;
    let course = Course::new(plan, &nodes, &cards, created, rng)?;
    for node in nodes.iter_mut().skip(usize::from(course.newcomer)) {
        for machine in &mut node.machines {
            machine.disk.write(&course.first.rows());
        }
        // All data lost, and nothing but the charter left.
        node.backup = node.machines.first().map(|machine| machine.disk.clone());
    }
    Ok((nodes, course))
}

impl Machine {
    pub(super) const fn new(disk: MemoryStore) -> Self {
        Self {
            disk,
            replica: None,
            life: 0,
            writing: BTreeMap::new(),
            former: Vec::new(),
        }
    }

    /// Whether its disk has such a row, or had it before an older copy was restored.
    pub(super) fn ever_had(&self, key: &[u8], value: Option<&Vec<u8>>) -> bool {
        let mut disks = self.former.iter().chain([&self.disk]);
        disks.any(|disk| disk.get(key).ok().flatten().as_ref() == value)
    }
}

pub(super) fn key(rng: &mut Rng) -> SecretKey {
    let mut seed = [0_u8; 32];
    for eight in seed.chunks_exact_mut(8) {
        eight.copy_from_slice(&rng.next().to_be_bytes());
    }
    SecretKey::from_seed(seed.into())
}

/// By how many milliseconds a clock is wrong that may be wrong by so many seconds.
pub(super) fn skew(seconds: u64, rng: &mut Rng) -> i64 {
    let most = (seconds * 1_000).cast_signed();
    rng.below(2 * seconds * 1_000 + 1).cast_signed() - most
}
