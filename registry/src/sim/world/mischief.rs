//! What the liar does of its own accord.

use super::super::forge::{self, Scene};
use super::super::hostile::Liar;
use super::super::node::Machine;
use super::super::plan::Lies;
use super::{Done, Happening, What, World};
use crate::replica::rng::Rng;

impl World {
    /// What a liar does, if it is up.
    fn lies_of(&self, liar: usize) -> Option<Lies> {
        self.nodes.get(liar).filter(|node| node.is_up())?.lies
    }

    pub(super) fn mischief(&mut self, liar: usize) -> Done {
        let Some(lies) = self.lies_of(liar) else {
            return Ok(());
        };
        for to in 0..self.nodes.len() {
            if to == liar {
                continue;
            }
            let broadcast = self.with_liar(liar, |memory, rng, scene| memory.invent_broadcast(rng, &lies, scene))?;
            let from = if lies.stranger && self.rng.chance(30) {
                None
            } else {
                Some(liar)
            };
            if let Some(bytes) = broadcast {
                self.send(from, to, What::Broadcast(bytes));
            }
            if self.rng.chance(lies.ask) {
                if let Some(node) = self.nodes.get_mut(liar) {
                    node.liar.lies += 1;
                }
                let bytes = Liar::invent_ask(&mut self.rng, &self.nodes);
                self.send(from, to, What::Ask(0, bytes));
            }
        }
        Ok(())
    }

    /// The liar's memory beside all that it looks at.
    pub(super) fn with_liar<T>(
        &mut self,
        liar: usize,
        lie: impl FnOnce(&mut Liar, &mut Rng, &Scene<'_>) -> T,
    ) -> Result<T, String> {
        let node = self.nodes.get_mut(liar).ok_or("no liar")?;
        let now = node.now(self.at)?;
        let mut memory = std::mem::take(&mut node.liar);
        let scene = Scene {
            charter: &self.charter,
            nodes: &self.nodes,
            now,
            liar,
        };
        let result = lie(&mut memory, &mut self.rng, &scene);
        if let Some(node) = self.nodes.get_mut(liar) {
            node.liar = memory;
        }
        Ok(result)
    }

    pub(super) fn flood(&mut self, liar: usize) -> Done {
        for _ in 0..20 {
            self.mischief(liar)?;
        }
        if self.lies_of(liar).is_none() {
            return Ok(());
        }
        let to = self.rng.below(self.nodes.len() as u64) as usize;
        for bytes in self.with_liar(liar, |memory, rng, scene| memory.flood(rng, scene))? {
            if to != liar {
                self.send(Some(liar), to, What::Broadcast(bytes));
            }
        }
        Ok(())
    }

    /// From now on the liar tells two stories.
    pub(super) fn fork(&mut self, liar: usize) -> Done {
        if self.lies_of(liar).is_none() {
            return Ok(());
        }
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

    pub(super) fn sign_garbage(&mut self, liar: usize) -> Done {
        if self.lies_of(liar).is_none() {
            return Ok(());
        }
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
        node.garbage = true;
        self.start(liar)?;
        for to in 0..self.nodes.len() {
            if to != liar {
                self.send(Some(liar), to, What::Broadcast(news.clone()));
            }
        }
        Ok(())
    }
}
