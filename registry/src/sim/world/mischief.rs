//! What the liar does of its own accord.

use super::super::forge;
use super::super::hostile::Liar;
use super::super::node::Machine;
use super::{Done, Happening, What, World};

impl World {
    pub(super) fn liar(&self) -> Option<usize> {
        self.nodes.iter().position(|node| node.hostile && node.is_up())
    }

    pub(super) fn mischief(&mut self) -> Done {
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
            let broadcast = self
                .liar
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

    pub(super) fn flood(&mut self) -> Done {
        for _ in 0..120 {
            self.mischief()?;
        }
        Ok(())
    }

    /// From now on the liar tells two stories.
    pub(super) fn fork(&mut self) -> Done {
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
        for _ in 0..6 {
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

    pub(super) fn sign_garbage(&mut self) -> Done {
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
        let Some((disk, news)) = forge::garbage(&self.charter, node, &machine.disk, now) else {
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
}
