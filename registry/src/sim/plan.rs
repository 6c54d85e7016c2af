//! What a seed makes of a run: how many members, how bad the network, what the liar does.

use super::Kind;
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
    /// Longest time in milliseconds until a batch is stored.
    pub(super) disk: u64,
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
    /// How often a disk is replaced by an older copy of itself.
    pub(super) restores: u64,
    /// Of 100 messages, how many the network keeps and delivers again much later.
    pub(super) replays: u64,
    /// Seconds after which a decision may not rest on what was heard.
    pub(super) max_staleness: u32,
    /// One for each member that lies: the last ones.
    pub(super) liars: Vec<Lies>,
    /// A member that nobody hears but through the first liar.
    pub(super) cut_off: Option<CutOff>,
}

/// A member whose only way to the others, for a while, is a liar that hides its revocations and heartbeats.
#[derive(Clone, Copy, Debug)]
pub(super) struct CutOff {
    pub(super) victim: usize,
    pub(super) from: u64,
    pub(super) until: u64,
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
#[derive(Clone, Copy, Debug)]
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
    /// Charter versions that too few have signed, or that follow nothing.
    pub(super) charter: u64,
    /// Replaces its log key by another than it promised.
    pub(super) rotate: u64,
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
    pub(super) fn new(kind: Kind, rng: &mut Rng) -> Self {
        let honest = kind == Kind::Honest;
        let several = !honest && rng.chance(35);
        let members = if several { 6 } else { 3 } + rng.below(5) as usize;
        let liars = match (honest, several) {
            (true, _) => 0,
            (_, true) => 1 + rng.below(members as u64 / 3) as usize,
            _ => usize::from(rng.chance(77)),
        };
        let faults_until = 20_000 + rng.below(50_000);
        let mild = rng.chance(25);
        let hides = liars > 0 && rng.chance(15);
        // While a batch is on its way, much can come in; and it may never arrive.
        let slow_disk = rng.chance(20);
        Self {
            members,
            faults_until,
            ends: faults_until + 120_000,
            loss: if mild { 0 } else { rng.below(31) },
            doubling: rng.below(21),
            delay: 2 + rng.below(400),
            crash: if mild { 0 } else { rng.below(16) },
            store_failure: rng.below(if slow_disk { 40 } else { 6 }),
            disk: 60 + if slow_disk { rng.below(1_500) } else { 0 },
            partitions: rng.below(6),
            publications: 2 + rng.below(14),
            burst: rng.chance(15).then(|| 260 + rng.below(500)),
            rotations: if slow_disk || rng.chance(50) { rng.below(5) } else { 0 },
            changes: Changes::new(members, rng),
            // Clocks that differ more than knowledge may be old would hide how old it is.
            skew: rng.below(if hides { 3 } else { 25 }),
            clock_steps: rng.below(6),
            // Who was restored must be told by whoever answers first: a liar need not. So nobody lies then.
            restores: if honest { rng.below(5) } else { 0 },
            replays: if honest { rng.below(4) } else { 0 },
            max_staleness: if hides || rng.chance(30) {
                16 + rng.below(15) as u32
            } else {
                300
            },
            liars: (0..liars).map(|_| Lies::new(rng, faults_until)).collect(),
            cut_off: hides.then(|| CutOff {
                // Not the newcomer, nor a liar.
                victim: 1 + rng.below((members - liars - 1) as u64) as usize,
                from: faults_until / 4,
                until: faults_until + 40_000,
            }),
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
            charter: some(rng, 10),
            rotate: some(rng, 10),
            flood: rng.chance(3),
            fork_at: rng.chance(45).then(|| rng.below(faults_until)),
            garbage: rng.chance(8),
            future: rng.chance(20),
            stranger: rng.chance(30),
        }
    }
}
