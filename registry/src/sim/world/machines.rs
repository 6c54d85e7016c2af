//! Machines: they take events, crash, and start again from their disks.

use super::super::node::{self, Machine, Node};
use super::super::{say, trace};
use super::{Done, Happening, World};
use crate::replica::{Event, NewLogKey};

impl World {
    pub(super) fn feed_all(&mut self, node: usize, event: &Event) -> Done {
        let machines = self.nodes.get(node).map_or(0, |node| node.machines.len());
        (0..machines).try_for_each(|machine| self.feed(node, machine, event.clone()))
    }

    pub(super) fn feed(&mut self, at: usize, machine: usize, event: Event) -> Done {
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

    pub(super) fn start(&mut self, at: usize) -> Done {
        self.note(|| format!("{at} starts"));
        self.check.counts_anew(at);
        let seeds = [self.rng.next(), self.rng.next()];
        let Some(node) = self.nodes.get_mut(at) else {
            return Ok(());
        };
        for (machine, seed) in (0..node.machines.len()).zip(seeds) {
            node.start(machine, seed)?;
        }
        node.links.clear();
        if !node.hostile {
            self.check.nothing_is_lost(&self.nodes, at)?;
        }
        self.look_around();
        Ok(())
    }

    pub(super) fn crash(&mut self, at: usize) -> Done {
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
        self.check.rotating.retain(|_, node| *node != at);
        let mut open = Vec::new();
        self.check.chartering.retain(|_, (node, number)| {
            if *node == at {
                open.push(*number);
            }
            *node != at
        });
        for number in open {
            self.soon(2_000, Happening::Charter(number));
        }
        self.soon(15_000, Happening::Start(at));
        self.look_around();
        Ok(())
    }

    pub(super) fn is_linked(&self, a: usize, b: usize) -> bool {
        let up = |n| self.nodes.get(n).is_some_and(Node::is_up);
        a != b
            && up(a)
            && up(b)
            && self.sides.get(a) == self.sides.get(b)
            && self.reaches(a, b)
            && self.admits(a, b)
            && self.admits(b, a)
    }

    pub(super) fn look_around(&mut self) {
        for node in 0..self.nodes.len() {
            for other in 0..self.nodes.len() {
                if node != other {
                    self.soon(50, Happening::Look { node, other });
                }
            }
        }
    }

    pub(super) fn look(&mut self, at: usize, other: usize) -> Done {
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

    pub(super) fn publish(&mut self, at: usize, count: u64) -> Done {
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
        // A liar adds to one of its stories at a time, so that they differ in length and age.
        let machine = self.rng.below(node.machines.len() as u64) as usize;
        let mut statements = Vec::new();
        for _ in 0..count {
            node.published += 1;
            let number = node.published;
            statements.push(say::something(&mut self.rng, &members, &node.peer, number, now));
        }
        let entries = statements.iter().map(|statement| statement.to_bytes());
        let entries = entries
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| error.to_string())?;
        let ticket = self.token();
        self.check.asked.insert(ticket, (at, entries));
        self.feed(at, machine, Event::Publish { ticket, statements })
    }

    /// The member replaces its log key. Of a liar that tells two stories one key signs both.
    pub(super) fn rotate(&mut self, at: usize) -> Done {
        let Some(node) = self.nodes.get(at) else {
            return Ok(());
        };
        let [
            Machine {
                replica: Some(replica), ..
            },
        ] = node.machines.as_slice()
        else {
            return Ok(());
        };
        let used = replica.rotations(&node.did).len();
        let Some([key, next]) = node.keys.get(used + 1..used + 3) else {
            return Ok(());
        };
        let new = NewLogKey {
            key: key.clone(),
            next: next.public_key().clone(),
            root: node.root.clone(),
        };
        if let Some(node) = self.nodes.get_mut(at) {
            node.published += 1;
        }
        let ticket = self.token();
        self.check.rotating.insert(ticket, at);
        self.feed(at, 0, Event::Rotate { ticket, new })
    }

    pub(super) fn token(&mut self) -> u64 {
        self.next_token += 1;
        self.next_token
    }

    /// Within what clocks may differ; a liar's also far into the future.
    pub(super) fn set_clock(&mut self, at: usize) {
        self.check.counts_anew(at);
        let far = self
            .nodes
            .get(at)
            .and_then(|node| node.lies)
            .is_some_and(|lies| lies.future);
        let Some(node) = self.nodes.get_mut(at) else { return };
        node.skew = node::skew(self.plan.skew, &mut self.rng);
        if node.hostile && far {
            node.skew += 100_000 + self.rng.below(300_000).cast_signed();
        }
        let skew = node.skew;
        self.note(|| format!("the clock of {at} is {skew} ms wrong"));
    }
}
