//! Whether all is well again, and what must be true then.

use super::super::check;
use super::super::node::Node;
use super::{Done, World};
use crate::fork::Fork;
use crate::head::Head;
use crate::log::LogState;
use crate::store::{self, Reader};
use crate::view::View;

impl World {
    /// Whether all honest members hold the same, and nobody waits for an answer.
    pub(super) fn has_healed(&self) -> Result<bool, String> {
        let waits = self
            .check
            .asked
            .values()
            .any(|(node, _)| self.nodes.get(*node).is_some_and(|n| !n.hostile));
        let rotates = self
            .check
            .rotating
            .values()
            .any(|node| self.nodes.get(*node).is_some_and(|n| !n.hostile));
        Ok(!waits && !rotates && self.difference()?.is_empty())
    }

    pub(super) fn honest(&self) -> impl Iterator<Item = (usize, &Node)> {
        self.nodes.iter().enumerate().filter(|(_, node)| !node.hostile)
    }

    /// What honest members do not agree about; empty if they do.
    pub(super) fn difference(&self) -> Result<String, String> {
        for (owner, of) in self.nodes.iter().enumerate() {
            let name = of.did.as_str();
            let mut states = Vec::new();
            let mut frozen = 0;
            for (at, _) in self.honest() {
                let disk = self.disk(at, 0)?;
                states.push((at, LogState::read(name, disk).map_err(|error| error.to_string())?));
                let evidence = disk.get(&store::evidence(name)).map_err(|error| error.to_string())?;
                frozen += usize::from(evidence.is_some());
            }
            if of.hostile && frozen == states.len() {
                for difference in [self.fork_difference(name)?, self.unsettled(name)?] {
                    if !difference.is_empty() {
                        return Ok(difference);
                    }
                }
                continue;
            }
            if of.hostile && self.garbage {
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
            let Some((first, expected)) = states.iter().find(|(at, _)| *at == owner).or(states.first()) else {
                continue;
            };
            let expected_rows = check::rows_of(self.disk(*first, 0)?, name);
            for (at, state) in &states {
                if state.frontier != expected.frontier {
                    let (has, should) = (state.frontier.size(), expected.frontier.size());
                    return Ok(format!("{at} has {has} entries of {owner}, and {first} has {should}"));
                }
                let witnesses = check::honest_witnesses(&self.nodes, self.disk(*at, 0)?, name, state.frontier.size())?;
                let wanted = self.charter.rules().witnesses as usize;
                let expected = wanted.min(states.len() - usize::from(!of.hostile));
                if !of.hostile && witnesses < expected {
                    return Ok(format!(
                        "{at} knows of {witnesses} honest witnesses of {owner}, of {expected}"
                    ));
                }
                if check::rows_of(self.disk(*at, 0)?, name) != expected_rows {
                    return Ok(format!("{at} and {first} differ about {owner}"));
                }
            }
        }
        Ok(String::new())
    }

    pub(super) fn last_look(&mut self) -> Done {
        for (at, node) in self.honest() {
            self.check.nothing_is_lost(&self.nodes, at)?;
            let disk = self.disk(at, 0)?;
            for of in &self.nodes {
                // Of a frozen log, what the other story takes back counts, too.
                if !self.all_frozen(of.did.as_str())? {
                    check::facts_follow(disk, of.did.as_str())?;
                }
                let evidence = disk.get(&store::evidence(of.did.as_str()));
                if let Some(bytes) = evidence.map_err(|error| error.to_string())? {
                    let fork = Fork::decode(&bytes).map_err(|error| error.to_string())?;
                    fork.verify(&self.charter)
                        .map_err(|error| format!("{}: {error}", node.peer))?;
                }
            }
        }
        self.forks_are_true()?;
        self.digests()
    }

    /// The digests that operators compare are equal, too: also where somebody told two stories.
    pub(super) fn digests(&self) -> Done {
        let mut digests = Vec::new();
        for (at, _) in self.honest() {
            for of in self.nodes.iter().filter(|of| of.hostile) {
                let state = LogState::read(of.did.as_str(), self.disk(at, 0)?);
                let partial = is_partial(&state.map_err(|error| error.to_string())?);
                if self.garbage || (partial && !self.all_frozen(of.did.as_str())?) {
                    return Ok(());
                }
            }
        }
        for (at, _) in self.honest() {
            let view = View::new(&self.charter, self.disk(at, 0)?);
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
    state.head.as_ref().map_or(0, Head::size) != state.frontier.size()
}
