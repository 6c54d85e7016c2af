//! Time, network and disks, and what the seed does to them.

mod charters;
mod effects;
mod end;
mod forks;
mod machines;
mod mischief;
mod network;
mod restore;
mod stale;

use std::collections::BTreeMap;

use super::check::Check;
use super::course::Course;
use super::node::{self, Node};
use super::plan::Plan;
use super::{Figures, Kind, Violation};
use crate::charter::Charter;
use crate::replica::Event;
use crate::replica::rng::Rng;

/// Peer id of somebody who is on no member's card.
const STRANGER: &str = "12D3KooWStrangerStrangerStrangerStrangerStranger";

/// One run.
pub(super) struct World {
    rng: Rng,
    plan: Plan,
    /// Names everybody who is ever a member.
    charter: Charter,
    course: Course,
    nodes: Vec<Node>,
    peers: BTreeMap<String, usize>,
    /// On which side of a split each member is.
    sides: Vec<u64>,
    faults: bool,
    at: u64,
    sequence: u64,
    schedule: BTreeMap<(u64, u64), Happening>,
    tokens: BTreeMap<u64, Token>,
    next_token: u64,
    check: Check,
    /// How much each honest member had said when.
    said: Vec<Vec<(u64, u64)>>,
    figures: Figures,
    trace: Option<Vec<String>>,
}

enum Happening {
    Tick(usize),
    Publish {
        node: usize,
        statements: u64,
    },
    Arrive(Parcel),
    Written {
        node: usize,
        machine: usize,
        life: u64,
        batch: u64,
    },
    Start(usize),
    /// The node looks whether it is connected to the other.
    Look {
        node: usize,
        other: usize,
    },
    /// Somebody sets a clock, forwards or back.
    Clock(usize),
    Split,
    Join,
    Rotate(usize),
    /// A charter version is published, by its place in the course.
    Charter(usize),
    /// A liar does something of its own accord.
    Mischief(usize),
    Flood(usize),
    Fork(usize),
    Garbage(usize),
    /// A member is cut off from all but a liar, or no longer.
    CutOff,
    BackUp(usize),
    Restore(usize),
    EndOfFaults,
}

/// Something on the wire; from a stranger if `from` is `None`.
struct Parcel {
    from: Option<usize>,
    to: usize,
    machine: usize,
    what: What,
}

#[derive(Clone)]
enum What {
    Broadcast(Vec<u8>),
    /// A question, and which of the asker's machines asks. Its answer may reach a later life of it.
    Ask(usize, Vec<u8>),
    Answer(Vec<u8>),
    Failed,
}

enum Token {
    Broadcast { from: Option<usize>, bytes: Vec<u8> },
    Ask { from: Option<usize>, machine: usize },
}

type Done = Result<(), String>;

impl World {
    pub(super) fn run(kind: Kind, seed: u64, traced: bool) -> Result<(Figures, Vec<String>), Box<Violation>> {
        let mut rng = Rng::new(seed);
        let plan = Plan::new(kind, &mut rng);
        let fail = |at, what, trace: Option<Vec<String>>| {
            Box::new(Violation {
                kind,
                seed,
                at,
                what,
                trace: trace.unwrap_or_default(),
            })
        };
        let (nodes, course) = node::found(&plan, &mut rng).map_err(|what| fail(0, what, None))?;
        let charter = course.all.clone();
        let consortium = charter.id().to_owned();
        let mut world = Self {
            peers: nodes
                .iter()
                .enumerate()
                .map(|(at, node)| (node.peer.clone(), at))
                .collect(),
            sides: vec![0; nodes.len()],
            figures: Figures {
                members: nodes.len() as u64,
                liars: plan.liars.len() as u64,
                ..Figures::default()
            },
            trace: traced.then(|| vec![format!("{plan:?}")]),
            rng,
            plan,
            charter,
            course,
            nodes,
            faults: true,
            at: 0,
            sequence: 0,
            schedule: BTreeMap::new(),
            tokens: BTreeMap::new(),
            next_token: 1,
            check: Check::new(consortium),
            said: Vec::new(),
        };
        let result = world.live();
        world.figures.lies = world.nodes.iter().map(|node| node.liar.lies).sum();
        match result {
            Ok(()) => Ok((world.figures, world.trace.unwrap_or_default())),
            Err(what) => Err(fail(world.at, what, world.trace)),
        }
    }

    fn live(&mut self) -> Done {
        self.set_up();
        let mut looked = 0;
        while let Some(((at, _), happening)) = self.schedule.pop_first() {
            if at > self.plan.ends {
                break;
            }
            self.at = at;
            self.happen(happening)?;
            if !self.faults && self.at >= looked + 1_000 {
                looked = self.at;
                if self.has_healed()? {
                    self.figures.healed_after = self.at - self.plan.faults_until;
                    return self.last_look();
                }
            }
        }
        let patience = (self.plan.ends - self.plan.faults_until) / 1_000;
        Err(format!("{patience} s after all faults ended, {}", self.difference()?))
    }

    fn set_up(&mut self) {
        let until = self.plan.faults_until;
        for node in 0..self.nodes.len() {
            self.schedule(0, Happening::Start(node));
            let first = self.rng.below(1_000);
            self.schedule(first, Happening::Tick(node));
            for _ in 0..self.rng.below(self.plan.publications + 1) {
                let (at, statements) = (self.rng.below(until), 1 + self.rng.below(3));
                self.schedule(at, Happening::Publish { node, statements });
            }
            for _ in 0..self.rng.below(self.plan.rotations + 1) {
                let at = self.rng.below(until);
                self.schedule(at, Happening::Rotate(node));
            }
        }
        let at = self.rng.below(until);
        self.schedule(at, Happening::Charter(0));
        for _ in 0..self.plan.clock_steps {
            let (at, node) = (self.rng.below(until), self.rng.below(self.nodes.len() as u64));
            self.schedule(at, Happening::Clock(node as usize));
        }
        for _ in 0..self.plan.partitions {
            let (at, long) = (self.rng.below(until), 2_000 + self.rng.below(20_000));
            self.schedule(at, Happening::Split);
            self.schedule(at + long, Happening::Join);
        }
        if let Some(mut left) = self.plan.burst {
            let node = self.rng.below(self.nodes.len() as u64) as usize;
            let at = self.rng.below(until / 2);
            self.schedule(at, Happening::Split);
            while left > 0 {
                let statements = left.min(1 + self.rng.below(200));
                self.schedule(at, Happening::Publish { node, statements });
                left -= statements;
            }
            self.schedule(at + 5_000, Happening::Join);
        }
        for _ in 0..self.plan.restores {
            let node = self.rng.below(self.nodes.len() as u64) as usize;
            let (first, later) = (self.rng.below(until), self.rng.below(until));
            self.schedule(first, Happening::BackUp(node));
            self.schedule(later, Happening::Restore(node));
        }
        if let Some(cut) = self.plan.cut_off {
            self.schedule(cut.from, Happening::CutOff);
            self.schedule(cut.until, Happening::CutOff);
            for _ in 0..6 {
                let at = self.rng.below(cut.until);
                let publication = Happening::Publish {
                    node: cut.victim,
                    statements: 1,
                };
                self.schedule(at, publication);
            }
        }
        for liar in 0..self.nodes.len() {
            let Some(lies) = self.nodes.get(liar).and_then(|node| node.lies) else {
                continue;
            };
            for _ in 0..60 {
                let at = self.rng.below(self.plan.faults_until + 20_000);
                self.schedule(at, Happening::Mischief(liar));
            }
            if lies.flood {
                let at = self.rng.below(until);
                self.schedule(at, Happening::Flood(liar));
            }
            if let Some(at) = lies.fork_at {
                self.schedule(at, Happening::Fork(liar));
            } else if lies.garbage {
                let at = self.rng.below(until);
                self.schedule(at, Happening::Garbage(liar));
            }
        }
        self.schedule(until, Happening::EndOfFaults);
    }

    fn schedule(&mut self, at: u64, happening: Happening) {
        self.sequence += 1;
        self.schedule.insert((at, self.sequence), happening);
    }

    fn soon(&mut self, within: u64, happening: Happening) {
        let at = self.at + 1 + self.rng.below(within);
        self.schedule(at, happening);
    }

    fn note(&mut self, line: impl FnOnce() -> String) {
        let at = self.at;
        if let Some(trace) = &mut self.trace {
            trace.push(format!("{at:>7} {}", line()));
        }
    }

    fn happen(&mut self, happening: Happening) -> Done {
        match happening {
            Happening::Tick(node) => {
                self.schedule(self.at + 1_000, Happening::Tick(node));
                self.decide(node)?;
                self.feed_all(node, &Event::Tick)
            }
            Happening::Publish { node, statements } => self.publish(node, statements),
            Happening::Arrive(parcel) => self.arrive(parcel),
            Happening::Written {
                node,
                machine,
                life,
                batch,
            } => self.written(node, machine, life, batch),
            Happening::Start(node) if !self.is_invited(node) => Ok(()),
            Happening::Start(node) => match self.nodes.get(node).is_some_and(Node::is_up) {
                true => Ok(()),
                false => self.start(node),
            },
            Happening::Look { node, other } => self.look(node, other),
            Happening::Clock(node) => {
                self.set_clock(node);
                Ok(())
            }
            Happening::Split => {
                self.figures.partitions += 1;
                self.sides = self.nodes.iter().map(|_| self.rng.below(2)).collect();
                let sides = self.sides.clone();
                self.note(|| format!("the network splits: {sides:?}"));
                self.look_around();
                Ok(())
            }
            Happening::Join => {
                self.sides.fill(0);
                self.note(|| "the network is whole".to_owned());
                self.look_around();
                Ok(())
            }
            Happening::Rotate(node) => self.rotate(node),
            Happening::Charter(number) => self.publish_charter(number),
            Happening::Mischief(liar) => self.mischief(liar),
            Happening::Flood(liar) => self.flood(liar),
            Happening::Fork(liar) => self.fork(liar),
            Happening::Garbage(liar) => self.sign_garbage(liar),
            Happening::CutOff => {
                self.look_around();
                Ok(())
            }
            Happening::BackUp(node) => {
                self.back_up(node);
                Ok(())
            }
            Happening::Restore(node) => self.restore(node),
            Happening::EndOfFaults => {
                self.faults = false;
                self.note(|| "all faults end".to_owned());
                for node in 0..self.nodes.len() {
                    if self.is_invited(node) && self.nodes.get(node).is_some_and(|node| !node.is_up()) {
                        self.start(node)?;
                    }
                }
                self.happen(Happening::Join)
            }
        }
    }
}
