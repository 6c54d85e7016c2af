//! A whole consortium in one thread, driven by a seed: members with disks that crash, a network
//! that loses, doubles, reorders and splits, and a member that lies.
//!
//! One seed always gives the same run. What must hold is checked at every step; see
//! `specs/04-replication.md` for what a run covers and what it does not.

mod check;
mod course;
mod forge;
mod hostile;
mod node;
mod plan;
mod say;
pub mod spread;
mod trace;
mod world;

use std::fmt;

/// Who is in a run.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kind {
    /// In most seeds somebody lies, in some several do.
    Ordinary,
    /// Nobody lies. In exchange disks are replaced by older copies, and the network repeats what it carried before.
    Honest,
}

/// What happened in a run, in numbers: a simulator that no longer does what it should shows here.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Figures {
    /// Members, the hostile one included.
    pub members: u64,
    /// Events that machines took.
    pub events: u64,
    /// Statements acknowledged.
    pub acknowledged: u64,
    /// Log keys replaced.
    pub rotations: u64,
    /// Charter versions published.
    pub charters: u64,
    /// Runs in which two of them contradicted each other.
    pub conflicts: u64,
    /// Publications refused.
    pub refused: u64,
    /// Batches stored.
    pub stored: u64,
    /// Batches that the store refused or reported as failed.
    pub failed: u64,
    /// Crashes.
    pub crashes: u64,
    /// Splits of the network.
    pub partitions: u64,
    /// Messages that did not arrive.
    pub lost: u64,
    /// Messages that arrived twice.
    pub doubled: u64,
    /// Disks that were replaced by older copies.
    pub restored: u64,
    /// Messages that the network delivered again much later.
    pub replayed: u64,
    /// Members that lie.
    pub liars: u64,
    /// Decisions about an issuer that may be made.
    pub fresh: u64,
    /// Decisions that are refused, since what is known is too old.
    pub stale: u64,
    /// Of these, about members that are cut off from all but a liar.
    pub hidden: u64,
    /// Messages that hostile members sent and no honest one would have.
    pub lies: u64,
    /// Penalties given to the hostile member or a stranger.
    pub penalties: u64,
    /// Of these, for entries that their head does not sign.
    pub tampering: u64,
    /// Of these, for what came in with a head ahead of the log, which showed only later that it was false.
    pub convicted: u64,
    /// Of these, for pieces whose beginning their own head does not prove.
    pub beginnings: u64,
    /// Answers with entries that were stored.
    pub pieces: u64,
    /// Answers on which logs differ.
    pub narrowed: u64,
    /// Proofs of a fork stored by honest members.
    pub forks: u64,
    /// Proofs at the end that say for certain where the stories part, beyond the first entry.
    pub parted: u64,
    /// Records of frozen logs at the end.
    pub salvaged: u64,
    /// Logs given up because they hold what is no statement.
    pub unreadable: u64,
    /// Milliseconds from the end of all faults until all honest members held the same.
    pub healed_after: u64,
}

impl Figures {
    /// Adds the figures of another run; the time to heal is the longest of all.
    pub fn add(&mut self, other: &Self) {
        self.members += other.members;
        self.events += other.events;
        self.acknowledged += other.acknowledged;
        self.rotations += other.rotations;
        self.charters += other.charters;
        self.conflicts += other.conflicts;
        self.refused += other.refused;
        self.stored += other.stored;
        self.failed += other.failed;
        self.crashes += other.crashes;
        self.partitions += other.partitions;
        self.lost += other.lost;
        self.doubled += other.doubled;
        self.restored += other.restored;
        self.replayed += other.replayed;
        self.liars += other.liars;
        self.fresh += other.fresh;
        self.stale += other.stale;
        self.hidden += other.hidden;
        self.lies += other.lies;
        self.penalties += other.penalties;
        self.tampering += other.tampering;
        self.convicted += other.convicted;
        self.beginnings += other.beginnings;
        self.pieces += other.pieces;
        self.narrowed += other.narrowed;
        self.forks += other.forks;
        self.parted += other.parted;
        self.salvaged += other.salvaged;
        self.unreadable += other.unreadable;
        self.healed_after = self.healed_after.max(other.healed_after);
    }
}

/// Something happened that must never happen.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Violation {
    /// Of which runs.
    pub kind: Kind,
    /// The seed of the run.
    pub seed: u64,
    /// Milliseconds since its beginning.
    pub at: u64,
    /// What happened.
    pub what: String,
    /// What went before, if it was asked for.
    pub trace: Vec<String>,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self.kind {
            Kind::Ordinary => "SYNDIC_SEED",
            Kind::Honest => "SYNDIC_HONEST_SEED",
        };
        write!(
            f,
            "seed {seed}, after {at} ms: {what}\nreplay: {name}={seed} cargo test -p \
             syndic-registry --test simulation -- --nocapture",
            seed = self.seed,
            at = self.at,
            what = self.what
        )
    }
}

impl std::error::Error for Violation {}

/// A run and, if asked for, a line for each thing that happened in it.
///
/// # Errors
/// [`Violation`] names the first thing that must not happen.
pub fn run(kind: Kind, seed: u64, traced: bool) -> Result<(Figures, Vec<String>), Box<Violation>> {
    world::World::run(kind, seed, traced)
}
