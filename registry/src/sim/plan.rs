//! What a seed makes of a run: how many members, how bad the network, what the liar does.

use crate::replica::rng::Rng;

/// The shape of one run.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    pub(super) members: usize,
    /// Milliseconds until all faults end.
    pub(super) faults_until: u64,
    /// Milliseconds until everything must have healed.
    pub(super) ends: u64,
    pub(super) loss: u64,
    pub(super) doubling: u64,
    /// Longest delay of a message in milliseconds.
    pub(super) delay: u64,
    /// Of 1,000 effects, before how many the machine crashes.
    pub(super) crash: u64,
    pub(super) store_failure: u64,
    pub(super) partitions: u64,
    /// Publications for each member.
    pub(super) publications: u64,
    /// One member that says much at once while another is away.
    pub(super) burst: Option<u64>,
    /// Most times that a member replaces its log key.
    pub(super) rotations: u64,
    pub(super) changes: Changes,
    /// Seconds by which clocks may be wrong.
    pub(super) skew: u64,
    /// How often a clock is set.
    pub(super) clock_steps: u64,
    pub(super) lies: Option<Lies>,
}

/// How the charter changes.
#[derive(Clone, Debug)]
pub(super) struct Changes {
    /// A member is admitted.
    pub(super) any: bool,
    /// Then one is removed.
    pub(super) removal: bool,
    /// At the same time, another one, by a version that contradicts the former.
    pub(super) conflict: bool,
}

/// What the hostile member does, each in percent of the occasions.
#[derive(Clone, Debug)]
pub(super) struct Lies {
    pub(super) corrupt: u64,
    pub(super) tamper: u64,
    pub(super) silent: u64,
    pub(super) replay: u64,
    pub(super) forge: u64,
    pub(super) ask: u64,
    pub(super) accuse: u64,
    /// Cosigns what is not there, and in the name of others.
    pub(super) cosign: u64,
    pub(super) oversize: u64,
    pub(super) flood: bool,
    /// Tells two stories from this millisecond on.
    pub(super) fork_at: Option<u64>,
    /// Signs what is no statement.
    pub(super) garbage: bool,
    /// Signs heads of times to come.
    pub(super) future: bool,
    /// Somebody who is no member talks, too.
    pub(super) stranger: bool,
}

impl Plan {
    pub(super) fn new(rng: &mut Rng) -> Self {
        let members = 3 + rng.below(5) as usize;
        let faults_until = 20_000 + rng.below(50_000);
        let mild = rng.chance(25);
        Self {
            members,
            faults_until,
            ends: faults_until + 120_000,
            loss: if mild { 0 } else { rng.below(31) },
            doubling: rng.below(21),
            delay: 2 + rng.below(400),
            crash: if mild { 0 } else { rng.below(16) },
            store_failure: rng.below(6),
            partitions: rng.below(6),
            publications: 2 + rng.below(14),
            burst: rng.chance(15).then(|| 260 + rng.below(500)),
            rotations: if rng.chance(50) { rng.below(5) } else { 0 },
            changes: Changes::new(members, rng),
            skew: rng.below(25),
            clock_steps: rng.below(6),
            lies: rng.chance(85).then(|| Lies::new(rng, faults_until)),
        }
    }
}

impl Changes {
    fn new(members: usize, rng: &mut Rng) -> Self {
        let any = members > 3 && rng.chance(40);
        let removal = any && rng.chance(60);
        Self {
            any,
            removal,
            conflict: removal && rng.chance(35),
        }
    }
}

impl Lies {
    fn new(rng: &mut Rng, faults_until: u64) -> Self {
        let some = |rng: &mut Rng, most: u64| {
            if rng.chance(60) { rng.below(most + 1) } else { 0 }
        };
        Self {
            corrupt: some(rng, 20),
            tamper: some(rng, 50),
            silent: some(rng, 60),
            replay: some(rng, 40),
            forge: some(rng, 40),
            ask: some(rng, 40),
            accuse: some(rng, 20),
            cosign: some(rng, 40),
            oversize: some(rng, 5),
            flood: rng.chance(3),
            fork_at: rng.chance(45).then(|| rng.below(faults_until)),
            garbage: rng.chance(8),
            future: rng.chance(20),
            stranger: rng.chance(30),
        }
    }
}
