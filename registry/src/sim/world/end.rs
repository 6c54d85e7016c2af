//! Whether all is well again, and what must be true then.

use super::super::check;
use super::super::node::Node;
use super::{Done, World};
use crate::charter::{CharterChain, MemberCard};
use crate::cosignature;
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
            .any(|(node, _)| self.lasting().any(|(at, _)| at == *node));
        let rotates = self
            .check
            .rotating
            .values()
            .any(|node| self.lasting().any(|(at, _)| at == *node));
        let published = self.course.published >= self.course.versions.len();
        Ok(published && !waits && !rotates && self.difference()?.is_empty())
    }

    pub(super) fn honest(&self) -> impl Iterator<Item = (usize, &Node)> {
        self.nodes.iter().enumerate().filter(|(_, node)| !node.hostile)
    }

    /// Those of them that are members in the end.
    pub(super) fn lasting(&self) -> impl Iterator<Item = (usize, &Node)> {
        self.honest().filter(|(at, _)| Some(*at) != self.course.removed)
    }

    /// What honest members do not agree about; empty if they do.
    pub(super) fn difference(&self) -> Result<String, String> {
        for (at, _) in self.lasting() {
            let chain = CharterChain::stored(self.disk(at, 0)?).map_err(|error| error.to_string())?;
            let end = chain.as_ref().map(|chain| (chain.current().hash(), chain.conflict()));
            if end.map(|(hash, conflict)| (hash, conflict.is_some()))
                != Some((self.course.last.current().hash(), self.course.last.conflict().is_some()))
            {
                return Ok(format!("{at} holds another chain of charters"));
            }
        }
        for (owner, of) in self.nodes.iter().enumerate() {
            if Some(owner) == self.course.removed {
                continue;
            }
            let name = of.did.as_str();
            let mut states = Vec::new();
            let mut frozen = 0;
            for (at, _) in self.lasting() {
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
            if of.garbage {
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
                let appointed = cosignature::appointed(self.course.last.current(), name);
                let honest = |card: &&&MemberCard| self.lasting().any(|(_, node)| node.did == *card.did());
                let expected = wanted.min(appointed.iter().filter(honest).count());
                if !of.hostile && witnesses < expected {
                    return Ok(format!(
                        "{at} knows of {witnesses} honest witnesses of {owner}, of {expected}"
                    ));
                }
                let rows = check::rows_of(self.disk(*at, 0)?, name);
                if rows != expected_rows {
                    let differs = |(key, _): &&(&[u8], &[u8])| String::from_utf8_lossy(key).into_owned();
                    let here = rows.iter().find(|row| !expected_rows.contains(row));
                    let there = expected_rows.iter().find(|row| !rows.contains(row));
                    let row = here.or(there).as_ref().map(differs);
                    return Ok(format!("{at} and {first} differ about {owner}: {row:?}"));
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
                let evidence = disk.get(&store::evidence(of.did.as_str()));
                let evidence = evidence.map_err(|error| error.to_string())?;
                // Of a frozen log, what the other story takes back counts, too. Who heard first that the charter has
                // removed somebody, takes no proof any more that it forked.
                if evidence.is_none() {
                    check::facts_follow(disk, of.did.as_str())?;
                }
                if let Some(bytes) = evidence {
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
        for (at, _) in self.lasting() {
            for of in self.nodes.iter().filter(|of| of.hostile) {
                let state = LogState::read(of.did.as_str(), self.disk(at, 0)?);
                let partial = is_partial(&state.map_err(|error| error.to_string())?);
                if of.garbage || (partial && !self.all_frozen(of.did.as_str())?) {
                    return Ok(());
                }
            }
        }
        for (at, _) in self.lasting() {
            let view = View::new(self.course.last.current(), self.disk(at, 0)?);
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
