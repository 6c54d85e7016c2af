//! What waits for the owner's word, bounded in all and per peer.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use libp2p::PeerId;

/// How much may wait.
#[derive(Debug, Clone, Copy)]
pub(super) struct Caps {
    pub(super) count: usize,
    pub(super) count_per_peer: usize,
    pub(super) bytes: usize,
    pub(super) bytes_per_peer: usize,
}

/// Things that wait, by token. Tokens must be given in ascending order.
pub(super) struct Waiting<T> {
    caps: Caps,
    entries: BTreeMap<u64, Entry<T>>,
    peers: BTreeMap<PeerId, Load>,
    bytes: usize,
}

struct Entry<T> {
    peer: PeerId,
    bytes: usize,
    since: Instant,
    thing: T,
}

#[derive(Default)]
struct Load {
    count: usize,
    bytes: usize,
}

impl<T> Waiting<T> {
    pub(super) fn new(caps: Caps) -> Self {
        Self {
            caps,
            entries: BTreeMap::new(),
            peers: BTreeMap::new(),
            bytes: 0,
        }
    }

    /// Keeps `thing` under `token`, or gives it back if its peer, or all peers, have too much here.
    pub(super) fn admit(&mut self, token: u64, peer: PeerId, bytes: usize, thing: T, now: Instant) -> Result<(), T> {
        let (count, peer_bytes) = self.load_of(&peer);
        let fits = self.entries.len() < self.caps.count
            && self.bytes.saturating_add(bytes) <= self.caps.bytes
            && count < self.caps.count_per_peer
            && peer_bytes.saturating_add(bytes) <= self.caps.bytes_per_peer;
        if !fits {
            return Err(thing);
        }
        let load = self.peers.entry(peer).or_default();
        load.count += 1;
        load.bytes += bytes;
        self.bytes += bytes;
        let entry = Entry {
            peer,
            bytes,
            since: now,
            thing,
        };
        self.entries.insert(token, entry);
        Ok(())
    }

    /// Takes what waits under `token`.
    pub(super) fn take(&mut self, token: u64) -> Option<(PeerId, T)> {
        let entry = self.entries.remove(&token)?;
        self.bytes = self.bytes.saturating_sub(entry.bytes);
        if let Some(load) = self.peers.get_mut(&entry.peer) {
            load.count = load.count.saturating_sub(1);
            load.bytes = load.bytes.saturating_sub(entry.bytes);
            if load.count == 0 {
                self.peers.remove(&entry.peer);
            }
        }
        Some((entry.peer, entry.thing))
    }

    /// Takes what has waited for `age` or longer.
    pub(super) fn expire(&mut self, now: Instant, age: Duration) -> Vec<(PeerId, T)> {
        let old = |entry: &Entry<T>| now.saturating_duration_since(entry.since) >= age;
        let tokens: Vec<u64> = self
            .entries
            .iter()
            .take_while(|(_, entry)| old(entry))
            .map(|(token, _)| *token)
            .collect();
        tokens.into_iter().filter_map(|token| self.take(token)).collect()
    }

    fn load_of(&self, peer: &PeerId) -> (usize, usize) {
        self.peers.get(peer).map_or((0, 0), |load| (load.count, load.bytes))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const CAPS: Caps = Caps {
        count: 4,
        count_per_peer: 3,
        bytes: 100,
        bytes_per_peer: 60,
    };

    #[test]
    fn one_peer_leaves_room_for_the_others() {
        let (a, b, now) = (PeerId::random(), PeerId::random(), Instant::now());
        let mut waiting = Waiting::new(CAPS);
        for token in 0..3 {
            waiting.admit(token, a, 10, "a", now).unwrap();
        }
        assert_eq!(waiting.admit(3, a, 10, "a", now), Err("a"));
        waiting.admit(4, b, 10, "b", now).unwrap();
        assert_eq!(waiting.admit(5, b, 10, "b", now), Err("b"), "all are full");
        assert_eq!(waiting.take(1), Some((a, "a")));
        assert_eq!(waiting.take(1), None);
        waiting.admit(6, b, 10, "b", now).unwrap();
    }

    #[test]
    fn bytes_count_too_and_come_back() {
        let (a, b, now) = (PeerId::random(), PeerId::random(), Instant::now());
        let mut waiting = Waiting::new(CAPS);
        waiting.admit(0, a, 60, (), now).unwrap();
        assert!(waiting.admit(1, a, 1, (), now).is_err());
        assert!(waiting.admit(2, b, 41, (), now).is_err());
        waiting.admit(3, b, 40, (), now).unwrap();
        waiting.take(0).unwrap();
        waiting.admit(4, a, 60, (), now).unwrap();
        assert!(waiting.admit(5, a, usize::MAX, (), now).is_err());
    }

    #[test]
    fn the_old_expire_and_the_young_stay() {
        let (a, start) = (PeerId::random(), Instant::now());
        let mut waiting = Waiting::new(CAPS);
        waiting.admit(0, a, 1, 0, start).unwrap();
        let later = start + Duration::from_secs(5);
        waiting.admit(1, a, 1, 1, later).unwrap();
        assert!(waiting.expire(later, Duration::from_secs(6)).is_empty());
        let gone = waiting.expire(later, Duration::from_secs(5));
        assert_eq!(gone, [(a, 0)]);
        assert_eq!(waiting.take(1), Some((a, 1)));
    }
}
