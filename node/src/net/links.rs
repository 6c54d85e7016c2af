//! The connections to each peer: there should be one.

use std::collections::{BTreeMap, BTreeSet};

use libp2p::PeerId;
use libp2p::swarm::ConnectionId;

/// All connections.
#[derive(Default)]
pub(super) struct Links(BTreeMap<PeerId, BTreeSet<ConnectionId>>);

/// What a new connection is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Opened {
    /// The only one to its peer.
    First,
    /// One too many: both sides dialed at once, or the peer lost the other one. All of them must
    /// go. Gossip introduces itself on a peer's first connection only, so a peer that lost that
    /// one would never hear of us; and of two connections it serves one and leaves the other
    /// asleep, so the one that stays may be the one that sleeps.
    Surplus,
}

impl Links {
    /// Notes a new connection.
    pub(super) fn opened(&mut self, peer: PeerId, id: ConnectionId) -> Opened {
        let links = self.0.entry(peer).or_default();
        links.insert(id);
        if links.len() == 1 {
            Opened::First
        } else {
            Opened::Surplus
        }
    }

    /// Notes that a connection is gone; true if it was the peer's last.
    pub(super) fn closed(&mut self, peer: &PeerId, id: ConnectionId) -> bool {
        let Some(links) = self.0.get_mut(peer) else {
            return false;
        };
        links.remove(&id);
        let last = links.is_empty();
        if last {
            self.0.remove(peer);
        }
        last
    }

    /// Whether the peer has a connection.
    pub(super) fn contains(&self, peer: &PeerId) -> bool {
        self.0.contains_key(peer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_to_open_and_the_last_to_close_are_told() {
        let (a, b) = (PeerId::random(), PeerId::random());
        let [one, two, three] = [1, 2, 3].map(ConnectionId::new_unchecked);
        let mut links = Links::default();
        assert_eq!(links.opened(a, one), Opened::First);
        assert_eq!(links.opened(b, two), Opened::First);
        assert_eq!(links.opened(a, three), Opened::Surplus);
        assert!(!links.closed(&a, one));
        assert!(links.contains(&a));
        assert!(links.closed(&a, three));
        assert!(!links.contains(&a) && links.contains(&b));
        assert!(!links.closed(&a, three));
    }
}
