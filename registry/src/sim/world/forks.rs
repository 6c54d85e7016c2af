//! What must be true of the log of a member that told two stories, once all is well again: nobody can see from what a node
//! holds which story it heard first.

use super::{Done, World};
use crate::fork::Fork;
use crate::fork::salvage::{Salvage, restriction};
use crate::head::Head;
use crate::log::{self, LogState};
use crate::statement::Statement;
use crate::store::MemoryStore;

fn read<T>(result: Result<T, crate::store::ReadError>) -> Result<T, String> {
    result.map_err(|error| error.to_string())
}

impl World {
    /// What honest members that all hold a proof do not agree about; empty if they do.
    pub(super) fn fork_difference(&self, name: &str) -> Result<String, String> {
        let mut first: Option<(usize, Fork, Salvage)> = None;
        for (at, _) in self.lasting() {
            let disk = self.disk(at, 0)?;
            let Some(fork) = read(Fork::stored(name, disk))? else {
                return Ok(String::new());
            };
            let salvage = read(Salvage::stored(name, disk))?;
            match &first {
                None => first = Some((at, fork, salvage)),
                Some((other, proof, theirs)) => {
                    if (proof.at, proof.common_prefix()) != (fork.at, fork.common_prefix()) {
                        return Ok(format!(
                            "for {other} the stories of {name} part at {} ({:?}), for {at} at {} ({:?})",
                            proof.at,
                            proof.common_prefix(),
                            fork.at,
                            fork.common_prefix()
                        ));
                    }
                    if *proof != fork {
                        return Ok(format!("{other} and {at} hold different proofs of the fork of {name}"));
                    }
                    if *theirs != salvage {
                        let (ours, theirs) = (salvage.names().count(), theirs.names().count());
                        return Ok(format!(
                            "{other} honours {theirs} records of {name}, {at} honours {ours}"
                        ));
                    }
                }
            }
        }
        Ok(String::new())
    }

    /// What an honest member knows of a fork and another does not honour yet: where their own branches part, and what is
    /// taken back in them. Empty if there is nothing.
    pub(super) fn unsettled(&self, name: &str) -> Result<String, String> {
        let mut branches = Vec::new();
        for (at, _) in self.lasting() {
            let disk = self.disk(at, 0)?;
            let covered = read(LogState::read(name, disk))?.head.as_ref().map_or(0, Head::size);
            let mut branch = entries(disk, name)?;
            branch.truncate(covered as usize);
            branches.push((at, branch));
        }
        for (at, _) in self.lasting() {
            let disk = self.disk(at, 0)?;
            let Some(fork) = read(Fork::stored(name, disk))? else {
                continue;
            };
            let shared = fork.at.saturating_sub(1) as usize;
            for (one, left) in &branches {
                for (other, right) in &branches {
                    let same = common(left, right);
                    if same < left.len().min(right.len()) && same < shared {
                        return Ok(format!("{one} and {other} part at {same}, and {at} says at {shared}"));
                    }
                }
            }
            let salvage = read(Salvage::stored(name, disk))?;
            for (holder, branch) in &branches {
                for (index, entry) in branch.iter().enumerate().skip(shared) {
                    let statement = Statement::parse(entry).map_err(|error| error.to_string())?;
                    let named = (index as u64, log::leaf_hash(entry));
                    if restriction(&statement).is_some() && !salvage.names().any(|name| *name == named) {
                        return Ok(format!("{holder} holds entry {index}, and {at} does not honour it"));
                    }
                }
            }
        }
        Ok(String::new())
    }

    /// That nobody says that the stories part earlier than they do.
    pub(super) fn forks_are_true(&mut self) -> Done {
        let (mut parted, mut salvaged) = (0, 0);
        for of in self.nodes.iter().filter(|of| of.hostile && of.machines.len() > 1) {
            let name = of.did.as_str();
            let one = entries(&of.machines.first().ok_or("no disk")?.disk, name)?;
            let other = entries(&of.machines.get(1).ok_or("no disk")?.disk, name)?;
            let truth = common(&one, &other);
            for (at, _) in self.lasting() {
                let fork = read(Fork::stored(name, self.disk(at, 0)?))?;
                parted += u64::from(fork.as_ref().is_some_and(|fork| fork.common.is_some()));
                salvaged += read(Salvage::stored(name, self.disk(at, 0)?))?.names().count() as u64;
                let shared = fork.map_or(truth, |fork| fork.at.saturating_sub(1) as usize);
                if shared < truth {
                    return Err(format!(
                        "{at} says the stories share {shared} entries, and they share {truth}"
                    ));
                }
            }
        }
        self.figures.parted += parted;
        self.figures.salvaged += salvaged;
        Ok(())
    }

    /// Whether every honest member holds a proof against this one.
    pub(super) fn all_frozen(&self, name: &str) -> Result<bool, String> {
        for (at, _) in self.lasting() {
            if read(Fork::stored(name, self.disk(at, 0)?))?.is_none() {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

fn entries(disk: &MemoryStore, name: &str) -> Result<Vec<Vec<u8>>, String> {
    let size = read(LogState::read(name, disk))?.frontier.size();
    read(log::read_entries(name, 0, size, usize::MAX, disk))
}

fn common(left: &[Vec<u8>], right: &[Vec<u8>]) -> usize {
    left.iter().zip(right).take_while(|(left, right)| left == right).count()
}
