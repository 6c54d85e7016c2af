//! Time, network and disks, and what the seed does to them.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

use super::check::{self, Check};
use super::hostile::{self, Liar};
use super::node::{self, Machine, Node};
use super::plan::Plan;
use super::trace;
use super::{Figures, Violation, say};
use crate::charter::Charter;
use crate::fork::Fork;
use crate::log::LogState;
use crate::message::{Answer, Refusal};
use crate::replica::rng::Rng;
use crate::replica::{Effect, Event, Misbehaviour, Verdict};
use crate::store::{self, Batch, Reader};

/// Peer id of somebody who is on no member's card.
const STRANGER: &str = "12D3KooWStrangerStrangerStrangerStrangerStranger";

/// One run.
pub(super) struct World {
    rng: Rng,
    plan: Plan,
    charter: Charter,
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
    liar: Liar,
    /// The liar's log holds what is no statement.
    garbage: bool,
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
    Split,
    Join,
    Mischief,
    Flood,
    Fork,
    Garbage,
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
    /// A question, and which of the asker's machines asks.
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
    pub(super) fn run(seed: u64, traced: bool) -> Result<(Figures, Vec<String>), Box<Violation>> {
        let mut rng = Rng::new(seed);
        let plan = Plan::new(&mut rng);
        let fail = |at, what, trace: Option<Vec<String>>| {
            Box::new(Violation {
                seed,
                at,
                what,
                trace: trace.unwrap_or_default(),
            })
        };
        let (nodes, charter) = node::found(plan.members, plan.lies.is_some(), plan.skew, &mut rng)
            .map_err(|what| fail(0, what, None))?;
        let mut world = Self {
            peers: nodes
                .iter()
                .enumerate()
                .map(|(at, node)| (node.peer.clone(), at))
                .collect(),
            sides: vec![0; nodes.len()],
            figures: Figures {
                members: nodes.len() as u64,
                ..Figures::default()
            },
            trace: traced.then(|| vec![format!("{plan:?}")]),
            rng,
            plan,
            charter,
            nodes,
            faults: true,
            at: 0,
            sequence: 0,
            schedule: BTreeMap::new(),
            tokens: BTreeMap::new(),
            next_token: 1,
            check: Check::default(),
            liar: Liar::default(),
            garbage: false,
        };
        let result = world.live();
        world.figures.lies = world.liar.lies;
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
        Err(format!(
            "{patience} s after all faults ended, {}",
            self.difference()?
        ))
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
        if let Some(lies) = self.plan.lies.clone() {
            for _ in 0..60 {
                let at = self.rng.below(self.plan.faults_until + 20_000);
                self.schedule(at, Happening::Mischief);
            }
            if lies.flood {
                let at = self.rng.below(until);
                self.schedule(at, Happening::Flood);
            }
            if let Some(at) = lies.fork_at {
                self.schedule(at, Happening::Fork);
            } else if lies.garbage {
                let at = self.rng.below(until);
                self.schedule(at, Happening::Garbage);
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
            Happening::Start(node) => match self.nodes.get(node).is_some_and(Node::is_up) {
                true => Ok(()),
                false => self.start(node),
            },
            Happening::Look { node, other } => self.look(node, other),
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
            Happening::Mischief => self.mischief(),
            Happening::Flood => self.flood(),
            Happening::Fork => self.fork(),
            Happening::Garbage => self.sign_garbage(),
            Happening::EndOfFaults => {
                self.faults = false;
                self.note(|| "all faults end".to_owned());
                for node in 0..self.nodes.len() {
                    if self.nodes.get(node).is_some_and(|node| !node.is_up()) {
                        self.start(node)?;
                    }
                }
                self.happen(Happening::Join)
            }
        }
    }

    // Machines.

    fn feed_all(&mut self, node: usize, event: &Event) -> Done {
        let machines = self.nodes.get(node).map_or(0, |node| node.machines.len());
        (0..machines).try_for_each(|machine| self.feed(node, machine, event.clone()))
    }

    fn feed(&mut self, at: usize, machine: usize, event: Event) -> Done {
        let Some(node) = self.nodes.get_mut(at) else {
            return Ok(());
        };
        let now = node.now(self.at)?;
        let Some(Machine {
            disk,
            replica: Some(replica),
            ..
        }) = node.machines.get_mut(machine)
        else {
            return Ok(());
        };
        let line = self.trace.is_some().then(|| trace::event(&event));
        let effects = replica.handle(event, now, disk);
        self.figures.events += 1;
        if let Some(line) = line.filter(|line| line != "tick" || !effects.is_empty()) {
            self.note(|| format!("{at}.{machine} {line}"));
        }
        for effect in effects {
            if self.faults && self.rng.below(1_000) < self.plan.crash {
                return self.crash(at);
            }
            if self.trace.is_some() {
                self.note(|| format!("{at}.{machine}   -> {}", trace::effect(&effect)));
            }
            self.carry_out(at, machine, effect)?;
        }
        Ok(())
    }

    fn start(&mut self, at: usize) -> Done {
        self.note(|| format!("{at} starts"));
        let seeds = [self.rng.next(), self.rng.next()];
        let Some(node) = self.nodes.get_mut(at) else {
            return Ok(());
        };
        for (machine, seed) in (0..node.machines.len()).zip(seeds) {
            node.start(machine, &self.charter, seed)?;
        }
        node.links.clear();
        if !node.hostile {
            self.check.nothing_is_lost(&self.nodes, at)?;
        }
        self.look_around();
        Ok(())
    }

    fn crash(&mut self, at: usize) -> Done {
        self.note(|| format!("{at} crashes"));
        self.figures.crashes += 1;
        let Some(node) = self.nodes.get_mut(at) else {
            return Ok(());
        };
        node.seen.clear();
        let mut writing = Vec::new();
        for (number, machine) in node.machines.iter_mut().enumerate() {
            machine.replica = None;
            let batches = std::mem::take(&mut machine.writing);
            writing.extend(batches.into_values().map(|batch| (number, batch)));
        }
        for (machine, batch) in writing {
            // Whole or not at all: the store promises as much.
            if self.rng.chance(50) {
                self.apply(at, machine, &batch)?;
            }
        }
        self.check.asked.retain(|_, (node, _)| *node != at);
        self.soon(15_000, Happening::Start(at));
        self.look_around();
        Ok(())
    }

    fn is_linked(&self, a: usize, b: usize) -> bool {
        let up = |n| self.nodes.get(n).is_some_and(Node::is_up);
        a != b && up(a) && up(b) && self.sides.get(a) == self.sides.get(b)
    }

    fn look_around(&mut self) {
        for node in 0..self.nodes.len() {
            for other in 0..self.nodes.len() {
                if node != other {
                    self.soon(50, Happening::Look { node, other });
                }
            }
        }
    }

    fn look(&mut self, at: usize, other: usize) -> Done {
        let linked = self.is_linked(at, other);
        let Some(peer) = self.nodes.get(other).map(|node| node.peer.clone()) else {
            return Ok(());
        };
        let Some(node) = self.nodes.get_mut(at).filter(|node| node.is_up()) else {
            return Ok(());
        };
        match (linked, node.links.contains(&other)) {
            (true, false) => {
                node.links.insert(other);
                self.feed_all(at, &Event::Connected(peer))
            }
            (false, true) => {
                node.links.remove(&other);
                self.feed_all(at, &Event::Disconnected(peer))
            }
            _ => Ok(()),
        }
    }

    fn publish(&mut self, at: usize, count: u64) -> Done {
        let members: Vec<_> = self.nodes.iter().map(|node| node.did.clone()).collect();
        let Some(node) = self.nodes.get_mut(at) else {
            return Ok(());
        };
        if !node.is_up() {
            self.soon(
                5_000,
                Happening::Publish {
                    node: at,
                    statements: count,
                },
            );
            return Ok(());
        }
        let now = node.now(self.at)?;
        // The stories of a liar differ in what each tells.
        for machine in 0..node.machines.len() {
            let Some(node) = self.nodes.get_mut(at) else {
                return Ok(());
            };
            let mut statements = Vec::new();
            for _ in 0..count {
                node.published += 1;
                let number = node.published;
                statements.push(say::something(
                    &mut self.rng,
                    &members,
                    &node.peer,
                    number,
                    now,
                ));
            }
            let entries = statements.iter().map(|statement| statement.to_bytes());
            let entries = entries
                .collect::<Result<Vec<_>, _>>()
                .map_err(|error| error.to_string())?;
            let ticket = self.token();
            self.check.asked.insert(ticket, (at, entries));
            self.feed(at, machine, Event::Publish { ticket, statements })?;
        }
        Ok(())
    }

    fn token(&mut self) -> u64 {
        self.next_token += 1;
        self.next_token
    }

    // Effects.

    fn carry_out(&mut self, at: usize, machine: usize, effect: Effect) -> Done {
        let Some(hostile) = self.nodes.get(at).map(|node| node.hostile) else {
            return Ok(());
        };
        match effect {
            Effect::Persist { batch, content, .. } => self.persist(at, machine, batch, content),
            Effect::Acknowledge {
                ticket,
                first,
                count,
            } => {
                self.figures.acknowledged += count as u64;
                if hostile {
                    self.check.asked.remove(&ticket);
                    return Ok(());
                }
                self.check.acknowledge(at, ticket, first, count)?;
                self.check.nothing_is_lost(&self.nodes, at)
            }
            Effect::Refuse { ticket, .. } => {
                self.figures.refused += 1;
                match self.check.asked.remove(&ticket) {
                    Some(_) => Ok(()),
                    None => Err(format!("ticket {ticket} is refused, and was not open")),
                }
            }
            Effect::Announce(bytes) => self.announce(at, machine, hostile, bytes),
            Effect::Verdict { token, verdict } => self.verdict(at, machine, token, verdict),
            Effect::SendRequest { to, bytes } => {
                self.send_request(at, machine, hostile, &to, bytes)
            }
            Effect::SendResponse { token, bytes } => {
                self.send_response(at, machine, hostile, token, bytes)
            }
            Effect::Evidence { organization, .. } => self.evidence(at, organization.as_str()),
            Effect::Unreadable { organization, .. } => {
                self.figures.unreadable += 1;
                match self.nodes.iter().find(|node| node.did == organization) {
                    Some(node) if node.hostile && self.garbage => Ok(()),
                    _ => Err("an honest log is called unreadable".to_owned()),
                }
            }
            Effect::Unavailable(error) => Err(format!("a disk cannot be read: {error}")),
            Effect::Penalize { peer, why } if !hostile => self.penalize(&peer, &why),
            Effect::Penalize { .. } => Ok(()),
        }
    }

    fn penalize(&mut self, peer: &str, why: &Misbehaviour) -> Done {
        let honest = self
            .peers
            .get(peer)
            .and_then(|at| self.nodes.get(*at))
            .is_some_and(|node| !node.hostile);
        if honest {
            return Err(format!("the honest {peer} is blamed: {why}"));
        }
        self.figures.penalties += 1;
        self.figures.tampering += u64::from(*why == Misbehaviour::Tampered);
        Ok(())
    }

    fn evidence(&mut self, at: usize, accused: &str) -> Done {
        match self.nodes.iter().find(|node| node.did.as_str() == accused) {
            Some(node) if node.hostile && node.machines.len() > 1 => {
                let honest = self.nodes.get(at).is_some_and(|node| !node.hostile);
                self.figures.forks += u64::from(honest);
                Ok(())
            }
            _ => Err(format!("{accused} is accused of a fork that it never made")),
        }
    }

    fn persist(&mut self, at: usize, machine: usize, batch: u64, content: Batch) -> Done {
        let long = 1 + self.rng.below(60);
        let Some(m) = self
            .nodes
            .get_mut(at)
            .and_then(|node| node.machines.get_mut(machine))
        else {
            return Ok(());
        };
        let twice = content.expectations.iter().any(|one| {
            m.writing
                .values()
                .flat_map(|batch| &batch.expectations)
                .any(|other| one.key == other.key)
        });
        if twice {
            return Err("two batches of one log are in flight".to_owned());
        }
        m.writing.insert(batch, content);
        let life = m.life;
        self.schedule(
            self.at + long,
            Happening::Written {
                node: at,
                machine,
                life,
                batch,
            },
        );
        Ok(())
    }

    fn written(&mut self, at: usize, machine: usize, life: u64, batch: u64) -> Done {
        let Some(m) = self
            .nodes
            .get_mut(at)
            .and_then(|node| node.machines.get_mut(machine))
        else {
            return Ok(());
        };
        if m.life != life {
            return Ok(());
        }
        let Some(content) = m.writing.remove(&batch) else {
            return Ok(());
        };
        if self.faults && self.rng.chance(self.plan.store_failure) {
            self.figures.failed += 1;
            // The disk may have it all the same.
            if self.rng.chance(30) {
                self.apply(at, machine, &content)?;
            }
            return self.feed(at, machine, Event::StoreFailed { batch });
        }
        if !self.apply(at, machine, &content)? {
            return Err("a batch does not extend what is stored".to_owned());
        }
        self.figures.stored += 1;
        self.feed(at, machine, Event::Stored { batch })
    }

    /// Writes a batch, checked; says whether its expectations held.
    fn apply(&mut self, at: usize, machine: usize, batch: &Batch) -> Result<bool, String> {
        let Some(node) = self.nodes.get(at) else {
            return Ok(false);
        };
        let Some(disk) = node.machines.get(machine).map(|m| &m.disk) else {
            return Ok(false);
        };
        let mut touched = Vec::new();
        if !node.hostile {
            self.check.before(&self.nodes, at, disk, batch)?;
            for (number, owner) in self.nodes.iter().enumerate() {
                let key = store::log_state(owner.did.as_str());
                if batch.writes.iter().any(|write| write.key == key) {
                    let state = LogState::read(owner.did.as_str(), disk);
                    touched.push((number, state.map_err(|error| error.to_string())?));
                }
            }
        }
        let Some(node) = self.nodes.get_mut(at) else {
            return Ok(false);
        };
        let Some(m) = node.machines.get_mut(machine) else {
            return Ok(false);
        };
        let applied = m.disk.apply(batch);
        for (number, before) in touched {
            let Some(m) = self
                .nodes
                .get(at)
                .and_then(|node| node.machines.get(machine))
            else {
                break;
            };
            self.check
                .after(&self.nodes, &self.charter, &before, number, &m.disk)?;
        }
        Ok(applied)
    }

    // The network.

    fn disk(&self, at: usize, machine: usize) -> Result<&store::MemoryStore, String> {
        let machine = self
            .nodes
            .get(at)
            .and_then(|node| node.machines.get(machine));
        machine
            .map(|machine| &machine.disk)
            .ok_or_else(|| "no such disk".to_owned())
    }

    fn announce(&mut self, at: usize, machine: usize, hostile: bool, bytes: Vec<u8>) -> Done {
        if !hostile {
            let disk = &self
                .nodes
                .get(at)
                .and_then(|n| n.machines.get(machine))
                .ok_or("no disk")?
                .disk;
            self.check
                .broadcast(&self.nodes, &self.charter, disk, &bytes)?;
        }
        // Not to all at once, so that some hear it from others.
        self.gossip(at, machine, None, 70, bytes);
        Ok(())
    }

    fn gossip(
        &mut self,
        at: usize,
        machine: usize,
        but: Option<usize>,
        percent: u64,
        bytes: Vec<u8>,
    ) {
        for to in 0..self.nodes.len() {
            if to == at
                || Some(to) == but
                || !self.rng.chance(percent)
                || !self.tells(at, machine, to)
            {
                continue;
            }
            let Some(bytes) = self.bent(at, bytes.clone(), true) else {
                continue;
            };
            self.send(Some(at), to, What::Broadcast(bytes));
        }
    }

    /// Whether this machine talks to that member: a liar tells each story to its own half, with
    /// an occasional slip.
    fn tells(&mut self, at: usize, machine: usize, to: usize) -> bool {
        let stories = self.nodes.get(at).map_or(1, |node| node.machines.len());
        stories < 2 || to % 2 == machine || self.rng.chance(5)
    }

    fn bent(&mut self, at: usize, bytes: Vec<u8>, broadcast: bool) -> Option<Vec<u8>> {
        let node = self.nodes.get(at).filter(|node| node.hostile);
        let (Some(node), Some(lies)) = (node, &self.plan.lies) else {
            return Some(bytes);
        };
        if broadcast {
            return self.liar.bend_broadcast(&mut self.rng, lies, bytes);
        }
        let world = (
            &self.charter,
            self.nodes.as_slice(),
            node.now(self.at).ok()?,
        );
        self.liar.bend_answer(&mut self.rng, lies, world, bytes)
    }

    fn bent_ask(&mut self, to: usize, bytes: Vec<u8>) -> Vec<u8> {
        match &self.plan.lies {
            Some(lies) if self.nodes.get(to).is_some_and(|node| node.hostile) => {
                self.liar.bend_ask(&mut self.rng, lies, &self.nodes, bytes)
            }
            _ => bytes,
        }
    }

    fn send_request(
        &mut self,
        at: usize,
        machine: usize,
        hostile: bool,
        to: &str,
        bytes: Vec<u8>,
    ) -> Done {
        if bytes.len() > crate::limits::ASK_BYTES {
            return Err("a question is longer than others take".to_owned());
        }
        let to = *self.peers.get(to).ok_or("a stranger is asked")?;
        if !hostile || self.tells(at, machine, to) {
            self.send(Some(at), to, What::Ask(machine, bytes));
        }
        Ok(())
    }

    fn send_response(
        &mut self,
        at: usize,
        machine: usize,
        hostile: bool,
        token: u64,
        bytes: Vec<u8>,
    ) -> Done {
        let Some(Token::Ask {
            from,
            machine: asker,
        }) = self.tokens.remove(&token)
        else {
            return Err("a question is answered twice, or was none".to_owned());
        };
        let Some(from) = from else {
            return match Answer::decode(&bytes) {
                Ok(Answer::Refused {
                    why: Refusal::NotMember,
                    ..
                }) => Ok(()),
                _ if hostile => Ok(()),
                _ => Err("a stranger got an answer".to_owned()),
            };
        };
        if !hostile {
            let disk = &self
                .nodes
                .get(at)
                .and_then(|n| n.machines.get(machine))
                .ok_or("no disk")?
                .disk;
            self.check
                .answer(&self.nodes, &self.charter, disk, &bytes)?;
            self.figures.pieces +=
                u64::from(matches!(Answer::decode(&bytes), Ok(Answer::Piece(_))));
        }
        if let Some(bytes) = self.bent(at, bytes, false) {
            self.send_to(Some(at), from, asker, What::Answer(bytes));
        }
        Ok(())
    }

    fn verdict(&mut self, at: usize, machine: usize, token: u64, verdict: Verdict) -> Done {
        let Some(Token::Broadcast { from, bytes }) = self.tokens.remove(&token) else {
            return Err("a broadcast is judged twice, or was none".to_owned());
        };
        let hostile = self.nodes.get(at).is_some_and(|node| node.hostile);
        let sender = from.and_then(|from| self.nodes.get(from));
        match verdict {
            Verdict::Accept if sender.is_none() => Err("a stranger is believed".to_owned()),
            Verdict::Accept => {
                self.gossip(at, machine, from, 100, bytes);
                Ok(())
            }
            Verdict::Reject if !hostile && sender.is_some_and(|sender| !sender.hostile) => {
                Err("a broadcast that an honest member handed on is called false".to_owned())
            }
            _ => Ok(()),
        }
    }

    fn send(&mut self, from: Option<usize>, to: usize, what: What) {
        let stories = self.nodes.get(to).map_or(1, |node| node.machines.len());
        let machine = from.map_or(0, |from| from % stories.max(1));
        self.send_to(from, to, machine, what);
    }

    fn send_to(&mut self, from: Option<usize>, to: usize, machine: usize, what: What) {
        let (loss, doubling) = if self.faults {
            (self.plan.loss, self.plan.doubling)
        } else {
            (0, 0)
        };
        if self.rng.chance(loss) {
            self.figures.lost += 1;
            return self.tell_of_loss(from, to, &what);
        }
        let copies = 1 + u64::from(self.rng.chance(doubling));
        self.figures.doubled += copies - 1;
        for _ in 0..copies {
            let what = what.clone();
            self.soon(
                self.plan.delay,
                Happening::Arrive(Parcel {
                    from,
                    to,
                    machine,
                    what,
                }),
            );
        }
    }

    /// Who asked learns of a lost question or answer; sometimes.
    fn tell_of_loss(&mut self, from: Option<usize>, to: usize, what: &What) {
        let (asker, asked) = match what {
            What::Ask(machine, _) => (from.map(|from| (from, *machine)), Some(to)),
            What::Answer(_) => (Some((to, 0)), from),
            What::Broadcast(_) | What::Failed => return,
        };
        if let Some((to, machine)) = asker
            && self.rng.chance(50)
        {
            let parcel = Parcel {
                from: asked,
                to,
                machine,
                what: What::Failed,
            };
            self.soon(2_000, Happening::Arrive(parcel));
        }
    }

    fn arrive(&mut self, parcel: Parcel) -> Done {
        let Parcel {
            from,
            to,
            machine,
            what,
        } = parcel;
        if from.is_some_and(|from| !self.is_linked(from, to)) && !matches!(what, What::Failed) {
            self.figures.lost += 1;
            self.tell_of_loss(from, to, &what);
            return Ok(());
        }
        let peer = match from {
            Some(from) => self.nodes.get(from).map(|node| node.peer.clone()),
            None => Some(STRANGER.to_owned()),
        };
        let Some(peer) = peer else { return Ok(()) };
        let token = self.token();
        match what {
            What::Broadcast(bytes) => {
                let digest = Sha256::digest(&bytes).into();
                let forgets = self.rng.chance(10);
                let Some(node) = self.nodes.get_mut(to) else {
                    return Ok(());
                };
                if !node.seen.insert(digest) && !forgets {
                    return Ok(());
                }
                self.tokens.insert(
                    token,
                    Token::Broadcast {
                        from,
                        bytes: bytes.clone(),
                    },
                );
                self.feed(
                    to,
                    machine,
                    Event::Announced {
                        from: peer,
                        token,
                        bytes,
                    },
                )
            }
            What::Ask(asker, bytes) => {
                let bytes = self.bent_ask(to, bytes);
                self.tokens.insert(
                    token,
                    Token::Ask {
                        from,
                        machine: asker,
                    },
                );
                self.feed(
                    to,
                    machine,
                    Event::Request {
                        from: peer,
                        token,
                        bytes,
                    },
                )
            }
            What::Answer(bytes) => self.feed(to, machine, Event::Response { from: peer, bytes }),
            What::Failed => self.feed(to, machine, Event::RequestFailed { peer }),
        }
    }

    // The liar.

    fn liar(&self) -> Option<usize> {
        self.nodes
            .iter()
            .position(|node| node.hostile && node.is_up())
    }

    fn mischief(&mut self) -> Done {
        let (Some(liar), Some(lies)) = (self.liar(), self.plan.lies.clone()) else {
            return Ok(());
        };
        let now = self
            .nodes
            .get(liar)
            .map_or(Err("no liar".to_owned()), |node| node.now(self.at))?;
        for to in 0..self.nodes.len() {
            if to == liar {
                continue;
            }
            let broadcast =
                self.liar
                    .invent_broadcast(&mut self.rng, &lies, &self.charter, &self.nodes, now);
            let from = if lies.stranger && self.rng.chance(30) {
                None
            } else {
                Some(liar)
            };
            if let Some(bytes) = broadcast {
                self.send(from, to, What::Broadcast(bytes));
            }
            if self.rng.chance(lies.ask) {
                self.liar.lies += 1;
                let bytes = Liar::invent_ask(&mut self.rng, &self.nodes);
                self.send(from, to, What::Ask(0, bytes));
            }
        }
        Ok(())
    }

    fn flood(&mut self) -> Done {
        for _ in 0..120 {
            self.mischief()?;
        }
        Ok(())
    }

    /// From now on the liar tells two stories.
    fn fork(&mut self) -> Done {
        let Some(liar) = self.liar() else {
            return Ok(());
        };
        let Some(node) = self.nodes.get_mut(liar) else {
            return Ok(());
        };
        let Some(first) = node.machines.first_mut() else {
            return Ok(());
        };
        first.writing.clear();
        let other = Machine::new(first.disk.clone());
        node.machines.push(other);
        node.seen.clear();
        self.note(|| format!("{liar} begins a second story"));
        self.start(liar)?;
        for _ in 0..3 {
            self.soon(
                10_000,
                Happening::Publish {
                    node: liar,
                    statements: 1,
                },
            );
        }
        Ok(())
    }

    fn sign_garbage(&mut self) -> Done {
        let Some(liar) = self.liar() else {
            return Ok(());
        };
        let Some(node) = self.nodes.get_mut(liar) else {
            return Ok(());
        };
        let now = node.now(self.at)?;
        let Some(machine) = node.machines.first() else {
            return Ok(());
        };
        let Some((disk, news)) = hostile::garbage(&self.charter, node, &machine.disk, now) else {
            return Ok(());
        };
        if let Some(machine) = node.machines.first_mut() {
            machine.disk = disk;
            machine.writing.clear();
        }
        self.garbage = true;
        self.start(liar)?;
        for to in 0..self.nodes.len() {
            if to != liar {
                self.send(Some(liar), to, What::Broadcast(news.clone()));
            }
        }
        Ok(())
    }

    // The end.

    /// Whether all honest members hold the same, and nobody waits for an answer.
    fn has_healed(&self) -> Result<bool, String> {
        let waits = self
            .check
            .asked
            .values()
            .any(|(node, _)| self.nodes.get(*node).is_some_and(|n| !n.hostile));
        Ok(!waits && self.difference()?.is_empty())
    }

    fn honest(&self) -> impl Iterator<Item = (usize, &Node)> {
        self.nodes
            .iter()
            .enumerate()
            .filter(|(_, node)| !node.hostile)
    }

    /// What honest members do not agree about; empty if they do.
    fn difference(&self) -> Result<String, String> {
        for (owner, of) in self.nodes.iter().enumerate() {
            let name = of.did.as_str();
            let mut states = Vec::new();
            let mut frozen = 0;
            for (at, _) in self.honest() {
                let disk = self.disk(at, 0)?;
                states.push((
                    at,
                    LogState::read(name, disk).map_err(|error| error.to_string())?,
                ));
                let evidence = disk
                    .get(&store::evidence(name))
                    .map_err(|error| error.to_string())?;
                frozen += usize::from(evidence.is_some());
            }
            if of.hostile && (frozen == states.len() || self.garbage) {
                continue;
            }
            if frozen > 0 {
                return Ok(format!(
                    "{frozen} members of {} hold the proof of the fork",
                    states.len()
                ));
            }
            // Entries in the middle of a catch-up can be had from their owner only, which lies.
            if of.hostile && states.iter().any(|(_, state)| is_partial(state)) {
                continue;
            }
            let Some((first, expected)) = states
                .iter()
                .find(|(at, _)| *at == owner)
                .or(states.first())
            else {
                continue;
            };
            let expected_rows = check::rows_of(self.disk(*first, 0)?, name);
            for (at, state) in &states {
                if state.frontier != expected.frontier {
                    let (has, should) = (state.frontier.size(), expected.frontier.size());
                    return Ok(format!(
                        "{at} has {has} entries of {owner}, and {first} has {should}"
                    ));
                }
                if check::rows_of(self.disk(*at, 0)?, name) != expected_rows {
                    return Ok(format!("{at} and {first} differ about {owner}"));
                }
            }
        }
        Ok(String::new())
    }

    fn last_look(&self) -> Done {
        for (at, node) in self.honest() {
            self.check.nothing_is_lost(&self.nodes, at)?;
            let disk = self.disk(at, 0)?;
            for of in &self.nodes {
                check::facts_follow(disk, of.did.as_str())?;
                let evidence = disk.get(&store::evidence(of.did.as_str()));
                if let Some(bytes) = evidence.map_err(|error| error.to_string())? {
                    let fork = Fork::decode(&bytes).map_err(|error| error.to_string())?;
                    fork.verify(&self.charter)
                        .map_err(|error| format!("{}: {error}", node.peer))?;
                }
            }
        }
        self.digests()
    }

    /// Where nobody told two stories, the digests that operators compare are equal, too.
    fn digests(&self) -> Done {
        let mut digests = Vec::new();
        for (at, _) in self.honest() {
            for of in self.nodes.iter().filter(|of| of.hostile) {
                let state = LogState::read(of.did.as_str(), self.disk(at, 0)?);
                let partial = is_partial(&state.map_err(|error| error.to_string())?);
                if self.garbage || self.figures.forks > 0 || partial {
                    return Ok(());
                }
            }
        }
        for (at, _) in self.honest() {
            let view = crate::view::View::new(&self.charter, self.disk(at, 0)?);
            digests.push(view.digest().map_err(|error| error.to_string())?);
        }
        digests.dedup();
        if digests.len() < 2 {
            Ok(())
        } else {
            Err("the digests differ".to_owned())
        }
    }
}

/// Whether there are entries beyond the newest head.
fn is_partial(state: &LogState) -> bool {
    state.head.as_ref().map_or(0, crate::head::Head::size) != state.frontier.size()
}
