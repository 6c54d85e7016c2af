//! Charter versions are published by somebody who has the one before, and the newcomer starts once it is admitted.

use super::{Done, Happening, World};
use crate::charter::{CharterChain, Taken};
use crate::replica::{Event, Replica};

impl World {
    /// The chain that a member's machine acts on, if it runs.
    fn chain_of(&self, at: usize) -> Option<&CharterChain> {
        let machine = self.nodes.get(at)?.machines.first()?;
        machine.replica.as_ref().map(Replica::chain)
    }

    /// Whether a member takes messages from another, as its allow-list says.
    pub(super) fn admits(&self, at: usize, other: usize) -> bool {
        let Some((node, other)) = self.nodes.get(at).zip(self.nodes.get(other)) else {
            return false;
        };
        let machines = node.machines.iter().filter_map(|machine| machine.replica.as_ref());
        machines
            .map(Replica::chain)
            .all(|chain| chain.current().member(other.did.as_str()).is_some())
    }

    pub(super) fn publish_charter(&mut self, number: usize) -> Done {
        let Some(signed) = self.course.versions.get(number).cloned() else {
            return Ok(());
        };
        // What a crash left open may have been stored all the same.
        let known = |chain: &CharterChain| matches!(chain.clone().take(&signed), Ok(Taken::Known));
        if self.honest().any(|(at, _)| self.chain_of(at).is_some_and(known)) {
            return self.charter_is_out(number);
        }
        let able: Vec<usize> = self
            .honest()
            .map(|(at, _)| at)
            // Nobody listens to who was removed.
            .filter(|at| self.honest().all(|(other, _)| self.admits(other, *at)))
            // Who alone holds one of two contradicting versions and is removed by the other has nobody whom it could tell: a
            // limit of the protocol (document 3, 3.1.1).
            .filter(|at| !self.course.contested.contains(&(number, *at)))
            .filter(|at| {
                let taken = self.chain_of(*at).map(|chain| chain.clone().take(&signed));
                matches!(taken, Some(Ok(Taken::New | Taken::Conflict)))
            })
            .collect();
        let Some(at) = self.rng.pick(&able).copied() else {
            self.soon(2_000, Happening::Charter(number));
            return Ok(());
        };
        let ticket = self.token();
        self.check.chartering.insert(ticket, (at, number));
        self.feed(at, 0, Event::Charter { ticket, signed })
    }

    /// Somebody has stored the version.
    pub(super) fn charter_is_out(&mut self, number: usize) -> Done {
        self.figures.charters += 1;
        self.course.published += 1;
        if number == 0
            && self.course.newcomer
            && let Some(signed) = self.course.versions.first()
        {
            // The invitation.
            let mut chain = self.course.first.clone();
            chain.take(signed).map_err(|error| error.to_string())?;
            if let Some(machine) = self.nodes.first_mut().and_then(|node| node.machines.first_mut()) {
                machine.disk.write(&chain.rows());
            }
            self.soon(5_000, Happening::Start(0));
        }
        let (at, next) = (self.rng.below(15_000), number + 1);
        self.schedule(self.at + at, Happening::Charter(next));
        Ok(())
    }

    /// Whether the member may run yet.
    pub(super) fn is_invited(&self, at: usize) -> bool {
        at != 0 || !self.course.newcomer || self.course.published > 0
    }
}
