//! Whose entries are pulled next: one piece of each log in turn, whoever has waited longest first, so that no log, however
//! long or however fast it grows, keeps others waiting for more than one piece of it.

use std::collections::{BTreeMap, BTreeSet};

use syndic_vc::did::Did;

use super::{Peer, Replica, Step};
use crate::limits;

/// Logs that somebody has more of, until there is room to ask for it.
#[derive(Debug, Default)]
pub(super) struct Queue {
    wanted: BTreeMap<Did, Wanted>,
    /// The same by whom to ask, in the order of their turns.
    lines: BTreeMap<Peer, BTreeSet<(u64, Did)>>,
    /// When each log had its last turn. As long as the charter.
    turns: BTreeMap<Did, u64>,
    turn: u64,
}

#[derive(Debug)]
struct Wanted {
    peer: Peer,
    from: u64,
    turn: u64,
}

impl Queue {
    /// Notes that this peer has entries of the log from there on. Who said so last is asked.
    pub(super) fn add(&mut self, organization: &Did, peer: &str, from: u64) {
        self.remove(organization);
        let turn = self.turns.get(organization).copied().unwrap_or(0);
        let line = self.lines.entry(peer.to_owned()).or_default();
        line.insert((turn, organization.clone()));
        let peer = peer.to_owned();
        self.wanted.insert(organization.clone(), Wanted { peer, from, turn });
    }

    fn remove(&mut self, organization: &Did) -> Option<Wanted> {
        let wanted = self.wanted.remove(organization)?;
        if let Some(line) = self.lines.get_mut(&wanted.peer) {
            line.remove(&(wanted.turn, organization.clone()));
            if line.is_empty() {
                self.lines.remove(&wanted.peer);
            }
        }
        Some(wanted)
    }

    /// The log whose turn it is among those whose peer may be asked.
    fn next(&mut self, may: impl Fn(&str) -> bool) -> Option<(Did, Wanted)> {
        let heads = self.lines.iter().filter(|(peer, _)| may(peer));
        let (_, organization) = heads.filter_map(|(_, line)| line.first()).min()?;
        let organization = organization.clone();
        let wanted = self.remove(&organization)?;
        self.turn += 1;
        self.turns.insert(organization.clone(), self.turn);
        Some((organization, wanted))
    }

    /// Gives up on peers that cannot be asked: somebody else will say that there is more.
    fn keep(&mut self, at_hand: impl Fn(&str) -> bool) {
        let gone: Vec<Peer> = self.lines.keys().filter(|peer| !at_hand(peer)).cloned().collect();
        for (_, organization) in gone.iter().filter_map(|peer| self.lines.remove(peer)).flatten() {
            self.wanted.remove(&organization);
        }
    }
}

impl Replica {
    /// Asks for entries as far as there is room.
    pub(super) fn pull_next(&mut self, step: &mut Step<'_>) {
        if self.queue.lines.is_empty() {
            return;
        }
        let peers = &self.peers;
        self.queue.keep(|peer| peers.may_be_pulled_from(peer, step.now));
        let mut pulls = self.tracks.values().filter(|track| track.pulling).count();
        while pulls < limits::PULLS {
            let peers = &self.peers;
            let Some((organization, wanted)) = self.queue.next(|peer| peers.has_room(peer, step.now)) else {
                return;
            };
            pulls += usize::from(self.pull_from(&organization, &wanted.peer, wanted.from, step));
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn log(name: &str) -> Did {
        Did::parse(&format!("did:x:{name}")).unwrap()
    }

    #[test]
    fn logs_take_turns() {
        let mut queue = Queue::default();
        for name in ["a", "b", "c"] {
            queue.add(&log(name), "peer", 0);
        }
        let mut order = Vec::new();
        for _ in 0..6 {
            let (organization, wanted) = queue.next(|_| true).unwrap();
            // There is always more of each.
            queue.add(&organization, "peer", wanted.from + 1);
            order.push(organization);
        }
        assert_eq!(order, ["a", "b", "c", "a", "b", "c"].map(log));
        // Who comes new does not wait behind those.
        queue.add(&log("z"), "peer", 0);
        assert_eq!(queue.next(|_| true).unwrap().0, log("z"));
    }

    #[test]
    fn who_cannot_be_asked_holds_up_nobody_else() {
        let mut queue = Queue::default();
        queue.add(&log("a"), "full", 0);
        queue.add(&log("b"), "free", 0);
        assert_eq!(queue.next(|peer| peer == "free").unwrap().0, log("b"));
        assert!(queue.next(|peer| peer == "free").is_none());
        // The same log from somebody else.
        queue.add(&log("a"), "free", 5);
        let (organization, wanted) = queue.next(|peer| peer == "free").unwrap();
        assert_eq!((organization, wanted.from), (log("a"), 5));
        queue.add(&log("a"), "gone", 0);
        queue.keep(|peer| peer != "gone");
        assert!(queue.wanted.is_empty() && queue.lines.is_empty());
    }
}
