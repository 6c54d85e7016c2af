//! The connections to each peer, and which of two is one too many.

use std::collections::BTreeMap;
use std::time::Instant;

use libp2p::PeerId;
use libp2p::swarm::ConnectionId;

use super::limits::HANDOVER;

/// One connection.
#[derive(Debug, Clone, Copy)]
pub(super) struct Link {
    pub(super) id: ConnectionId,
    /// This side dialed.
    pub(super) dialed: bool,
    pub(super) since: Instant,
}

/// What to do after a connection was made.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Surplus {
    /// It is the only one.
    None,
    /// Both sides dialed at once: close this one, in a moment.
    Close(ConnectionId),
    /// The peer no longer knows of the first: close all and begin anew, because gossip introduces
    /// itself on a first connection only.
    Restart,
}

/// All connections.
pub(super) struct Links {
    me: PeerId,
    peers: BTreeMap<PeerId, Vec<Link>>,
}

impl Links {
    pub(super) fn new(me: PeerId) -> Self {
        Self {
            me,
            peers: BTreeMap::new(),
        }
    }

    /// Notes a new connection. Both ends come to the same answer: of two connections dialed at
    /// once, the one dialed by the lesser peer id stays.
    pub(super) fn opened(&mut self, peer: PeerId, link: Link) -> Surplus {
        let links = self.peers.entry(peer).or_default();
        let before = links.first().copied();
        links.push(link);
        let Some(first) = before else {
            return Surplus::None;
        };
        let together = link.since.saturating_duration_since(first.since) < HANDOVER;
        if !together || first.dialed == link.dialed {
            return Surplus::Restart;
        }
        let keep_mine = self.me < peer;
        let surplus = if first.dialed == keep_mine {
            link
        } else {
            first
        };
        Surplus::Close(surplus.id)
    }

    /// Notes that a connection is gone; true if it was the peer's last.
    pub(super) fn closed(&mut self, peer: &PeerId, id: ConnectionId) -> bool {
        let Some(links) = self.peers.get_mut(peer) else {
            return false;
        };
        links.retain(|link| link.id != id);
        let last = links.is_empty();
        if last {
            self.peers.remove(peer);
        }
        last
    }

    /// Whether the peer has a connection.
    pub(super) fn contains(&self, peer: &PeerId) -> bool {
        self.peers.contains_key(peer)
    }

    /// Whether the peer has more than one connection.
    pub(super) fn has_surplus(&self, peer: &PeerId) -> bool {
        self.peers.get(peer).is_some_and(|links| links.len() > 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn link(id: usize, dialed: bool, since: Instant) -> Link {
        Link {
            id: ConnectionId::new_unchecked(id),
            dialed,
            since,
        }
    }

    fn two() -> (PeerId, PeerId) {
        let (a, b) = (PeerId::random(), PeerId::random());
        if a < b { (a, b) } else { (b, a) }
    }

    #[test]
    fn both_ends_close_the_same_connection() {
        let (low, high) = two();
        let now = Instant::now();
        // Connection 1 was dialed by low, connection 2 by high; the ends may see them in any order.
        for order in [[1, 2], [2, 1]] {
            let (mut at_low, mut at_high) = (Links::new(low), Links::new(high));
            let mut last = (Surplus::None, Surplus::None);
            for id in order {
                last.0 = at_low.opened(high, link(id, id == 1, now));
                last.1 = at_high.opened(low, link(id, id == 2, now));
            }
            let surplus = Surplus::Close(ConnectionId::new_unchecked(2));
            assert_eq!(last.0, surplus);
            assert_eq!(last.1, surplus);
        }
    }

    #[test]
    fn a_connection_long_after_the_first_starts_anew() {
        let (low, high) = two();
        let now = Instant::now();
        let mut links = Links::new(low);
        assert_eq!(links.opened(high, link(1, true, now)), Surplus::None);
        let late = link(2, false, now + HANDOVER);
        assert_eq!(links.opened(high, late), Surplus::Restart);
    }

    #[test]
    fn a_peer_that_dials_twice_has_lost_the_first() {
        let (low, high) = two();
        let now = Instant::now();
        let mut links = Links::new(low);
        links.opened(high, link(1, false, now));
        assert_eq!(links.opened(high, link(2, false, now)), Surplus::Restart);
    }

    #[test]
    fn the_last_to_close_is_told() {
        let (low, high) = two();
        let now = Instant::now();
        let mut links = Links::new(low);
        links.opened(high, link(1, true, now));
        links.opened(high, link(2, false, now));
        assert!(links.has_surplus(&high));
        assert!(!links.closed(&high, ConnectionId::new_unchecked(2)));
        assert!(links.contains(&high) && !links.has_surplus(&high));
        assert!(links.closed(&high, ConnectionId::new_unchecked(1)));
        assert!(!links.contains(&high));
        assert!(!links.closed(&high, ConnectionId::new_unchecked(1)));
    }
}
