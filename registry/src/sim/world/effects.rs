//! What a machine decides is carried out, checked first.

use super::{Done, Happening, World};
use crate::limits;
use crate::log::LogState;
use crate::replica::{Effect, Event, Misbehaviour};
use crate::store::{self, Batch};

impl World {
    pub(super) fn carry_out(&mut self, at: usize, machine: usize, effect: Effect) -> Done {
        let Some(hostile) = self.nodes.get(at).map(|node| node.hostile) else {
            return Ok(());
        };
        match effect {
            Effect::Persist { batch, content, .. } => self.persist(at, machine, batch, content),
            Effect::Charter(chain) => {
                let conflict = !hostile && chain.conflict().is_some();
                self.figures.conflicts += u64::from(conflict);
                self.look_around();
                Ok(())
            }
            Effect::Acknowledge { ticket, .. } if self.check.chartering.contains_key(&ticket) => {
                match self.check.chartering.remove(&ticket) {
                    Some((_, number)) => self.charter_is_out(number),
                    None => Ok(()),
                }
            }
            Effect::Acknowledge { ticket, first, count } => {
                self.figures.acknowledged += count as u64;
                self.figures.rotations += u64::from(self.check.rotating.contains_key(&ticket));
                if hostile {
                    self.check.asked.remove(&ticket);
                    self.check.rotating.remove(&ticket);
                    return Ok(());
                }
                self.check.acknowledge(at, ticket, first, count)?;
                self.has_said(at, first + count as u64)?;
                self.check.nothing_is_lost(&self.nodes, at)
            }
            Effect::Refuse { ticket, .. } => {
                self.figures.refused += 1;
                // It is being stored already, since others published it too.
                if let Some((_, number)) = self.check.chartering.remove(&ticket) {
                    self.soon(2_000, Happening::Charter(number));
                    return Ok(());
                }
                if self.check.rotating.remove(&ticket).is_some() {
                    return Ok(());
                }
                match self.check.asked.remove(&ticket) {
                    Some(_) => Ok(()),
                    None => Err(format!("ticket {ticket} is refused, and was not open")),
                }
            }
            Effect::Announce(bytes) => self.announce(at, machine, hostile, bytes),
            Effect::Verdict { token, verdict } => self.verdict(at, machine, token, verdict),
            Effect::SendRequest { to, bytes } => self.send_request(at, machine, hostile, &to, bytes),
            Effect::SendResponse { token, bytes } => self.send_response(at, machine, hostile, token, bytes),
            Effect::Evidence { organization, .. } => self.evidence(at, organization.as_str()),
            Effect::Unreadable { organization, .. } => {
                self.figures.unreadable += 1;
                match self.nodes.iter().find(|node| node.did == organization) {
                    Some(node) if node.garbage => Ok(()),
                    _ => Err("an honest log is called unreadable".to_owned()),
                }
            }
            Effect::Unavailable(error) => Err(format!("a disk cannot be read: {error}")),
            Effect::Penalize { peer, why } if !hostile => self.penalize(at, &peer, &why),
            Effect::Penalize { .. } => Ok(()),
        }
    }

    pub(super) fn penalize(&mut self, at: usize, peer: &str, why: &Misbehaviour) -> Done {
        self.check.signatures(at, peer, why, self.at)?;
        let honest = self
            .peers
            .get(peer)
            .and_then(|at| self.nodes.get(*at))
            .is_some_and(|node| !node.hostile);
        if honest {
            return Err(format!("the honest {peer} is blamed: {why}"));
        }
        self.figures.penalties += 1;
        let news = *why == Misbehaviour::TamperedNews;
        self.figures.tampering += u64::from(news || *why == Misbehaviour::Tampered);
        self.figures.convicted += u64::from(news);
        self.figures.beginnings += u64::from(*why == Misbehaviour::FalseBeginning);
        Ok(())
    }

    pub(super) fn evidence(&mut self, at: usize, accused: &str) -> Done {
        match self.nodes.iter().find(|node| node.did.as_str() == accused) {
            Some(node) if node.hostile && node.machines.len() > 1 => {
                let honest = self.nodes.get(at).is_some_and(|node| !node.hostile);
                self.figures.forks += u64::from(honest);
                Ok(())
            }
            _ => Err(format!("{accused} is accused of a fork that it never made")),
        }
    }

    pub(super) fn persist(&mut self, at: usize, machine: usize, batch: u64, content: Batch) -> Done {
        let long = 1 + self.rng.below(self.plan.disk);
        let Some(m) = self.nodes.get_mut(at).and_then(|node| node.machines.get_mut(machine)) else {
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

    pub(super) fn written(&mut self, at: usize, machine: usize, life: u64, batch: u64) -> Done {
        let Some(m) = self.nodes.get_mut(at).and_then(|node| node.machines.get_mut(machine)) else {
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
    pub(super) fn apply(&mut self, at: usize, machine: usize, batch: &Batch) -> Result<bool, String> {
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
        // The clock may have been set back since the head was taken.
        let seconds = limits::FUTURE_SECONDS + 2 * self.plan.skew.cast_signed() + 1;
        let latest = node
            .now(self.at)?
            .checked_add_seconds(seconds)
            .ok_or("the end of time")?;
        for (number, before) in touched {
            let Some(m) = self.nodes.get(at).and_then(|node| node.machines.get(machine)) else {
                break;
            };
            self.check
                .after(&self.nodes, &self.charter, &before, number, latest, &m.disk)?;
        }
        Ok(applied)
    }
}
