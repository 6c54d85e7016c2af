//! Backups: a disk is copied, and later an older copy takes its place.

use super::{Done, World};
use crate::charter::CharterChain;
use crate::head::Head;
use crate::log::LogState;
use crate::store::ReadError;

fn read<T>(result: Result<T, ReadError>) -> Result<T, String> {
    result.map_err(|error| error.to_string())
}

impl World {
    pub(super) fn back_up(&mut self, at: usize) {
        if let Some(node) = self.nodes.get_mut(at)
            && node.backup.is_some()
        {
            node.backup = node.machines.first().map(|machine| machine.disk.clone());
        }
    }

    /// A member is stopped, and starts again from its backup.
    pub(super) fn restore(&mut self, at: usize) -> Done {
        if !self.faults || !self.may_be_restored(at)? {
            return Ok(());
        }
        self.crash(at)?;
        // What was under way may have reached the disk, and nobody else.
        if !self.may_be_restored(at)? {
            return Ok(());
        }
        let held = self.own_size(at)?;
        let Some(node) = self.nodes.get_mut(at) else {
            return Ok(());
        };
        let (Some(backup), Some(machine)) = (node.backup.clone(), node.machines.first_mut()) else {
            return Ok(());
        };
        let lost = std::mem::replace(&mut machine.disk, backup);
        machine.former.push(lost);
        node.needs = held;
        self.figures.restored += 1;
        self.note(|| format!("{at} is restored from a backup, and needs {held} entries"));
        Ok(())
    }

    fn own_size(&self, at: usize) -> Result<u64, String> {
        let name = self.nodes.get(at).map_or("", |node| node.did.as_str());
        Ok(read(LogState::read(name, self.disk(at, 0)?))?.frontier.size())
    }

    /// Whether it has all again that it had when it was restored.
    pub(super) fn is_recovered(&self, at: usize) -> Result<bool, String> {
        let needs = self.nodes.get(at).map_or(0, |node| node.needs);
        Ok(self.own_size(at)? >= needs)
    }

    /// What a member said and nobody else holds, no question to others can bring back. So only who is known to all is
    /// restored, and one at a time.
    fn may_be_restored(&self, at: usize) -> Result<bool, String> {
        let Some(node) = self.nodes.get(at).filter(|node| node.backup.is_some()) else {
            return Ok(false);
        };
        let (held, own) = (self.own_size(at)?, self.chain_on(at)?);
        for (other, _) in self.honest() {
            let copy = read(LogState::read(node.did.as_str(), self.disk(other, 0)?))?;
            let covered = copy.head.as_ref().map_or(0, Head::size);
            if !self.is_recovered(other)? || covered < held {
                return Ok(false);
            }
        }
        for (other, _) in self.lasting() {
            if self.chain_on(other)? < own {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// How far the charters on a disk go.
    fn chain_on(&self, at: usize) -> Result<(u32, bool), String> {
        let chain = CharterChain::stored(self.disk(at, 0)?).map_err(|error| error.to_string())?;
        Ok(chain.map_or((0, false), |chain| {
            (chain.current().version(), chain.conflict().is_some())
        }))
    }
}
