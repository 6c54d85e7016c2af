//! Who may be here, when to dial them, and how often they broke a rule.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use libp2p::multiaddr::Protocol;
use libp2p::{Multiaddr, PeerId};

use super::limits::{
    BLOCK_TIME, DIAL_STAGGER, MAX_ADDRESSES, PENALTIES_BEFORE_BLOCK, PENALTY_MEMORY, REDIAL_FIRST, REDIAL_MAX, STABLE,
};
use super::socket_address;

/// The members and what this node does about each.
pub(super) struct Members {
    me: PeerId,
    known: BTreeMap<PeerId, Member>,
    /// Fraction of the full pause, 0 to 255: so that nodes that lost each other at one moment do
    /// not dial at one moment.
    jitter: fn() -> u8,
}

struct Member {
    addresses: Vec<Multiaddr>,
    dial: Dial,
    attempts: u32,
    penalties: Vec<Instant>,
    blocked_until: Option<Instant>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Dial {
    At(Instant),
    UnderWay,
    Connected { since: Instant },
}

/// What changed with a new list of members.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Change {
    pub(super) joined: Vec<PeerId>,
    pub(super) left: Vec<PeerId>,
}

/// What a penalty means.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Penalty {
    /// Not a member: nothing to do.
    Unknown,
    /// This many remembered penalties.
    Counted(u32),
    /// Too many: keep it out.
    Blocked,
}

impl Members {
    pub(super) fn new(me: PeerId, jitter: fn() -> u8) -> Self {
        Self {
            me,
            known: BTreeMap::new(),
            jitter,
        }
    }

    /// Replaces the list. Connections, penalties and blocks of those who stay are kept.
    pub(super) fn replace(&mut self, list: BTreeMap<String, Vec<String>>, now: Instant) -> Change {
        let mut change = Change::default();
        let mut named = BTreeSet::new();
        for (text, addresses) in list {
            let Ok(peer) = text.parse::<PeerId>() else {
                tracing::warn!(peer = %text, "a member's peer id cannot be read; it is skipped");
                continue;
            };
            if peer == self.me || !named.insert(peer) {
                continue;
            }
            let addresses = usable(&peer, &addresses);
            let at = now + self.stagger(&peer);
            match self.known.get_mut(&peer) {
                Some(member) => member.move_to(addresses, at),
                None => {
                    self.known.insert(peer, Member::new(addresses, at));
                    change.joined.push(peer);
                }
            }
        }
        change.left = self
            .known
            .keys()
            .filter(|peer| !named.contains(*peer))
            .copied()
            .collect();
        for peer in &change.left {
            self.known.remove(peer);
        }
        change
    }

    /// The peers to dial now. Each must be reported as connected or failed before it is due again.
    pub(super) fn due(&mut self, now: Instant) -> Vec<(PeerId, Vec<Multiaddr>)> {
        let mut due = Vec::new();
        for (peer, member) in &mut self.known {
            if member.due_at().is_some_and(|at| at <= now) {
                member.dial = Dial::UnderWay;
                due.push((*peer, member.addresses.clone()));
            }
        }
        due
    }

    /// When [`Members::due`] has something next.
    pub(super) fn next_due(&self) -> Option<Instant> {
        self.known.values().filter_map(Member::due_at).min()
    }

    /// The peer is connected, whoever dialed.
    pub(super) fn connected(&mut self, peer: &PeerId, now: Instant) {
        if let Some(member) = self.known.get_mut(peer)
            && !matches!(member.dial, Dial::Connected { .. })
        {
            member.dial = Dial::Connected { since: now };
        }
    }

    /// The peer's last connection is gone. A connection that did not last counts as a failed dial:
    /// a peer that does not know us accepts and hangs up, and must not be dialed ten times a
    /// second.
    pub(super) fn disconnected(&mut self, peer: &PeerId, now: Instant) {
        if let Some(member) = self.known.get_mut(peer)
            && let Dial::Connected { since } = member.dial
            && now.saturating_duration_since(since) >= STABLE
        {
            member.attempts = 0;
        }
        self.schedule(peer, now);
    }

    /// A dial of ours came to nothing.
    pub(super) fn failed(&mut self, peer: &PeerId, now: Instant) {
        if self.known.get(peer).is_some_and(|member| member.dial == Dial::UnderWay) {
            self.schedule(peer, now);
        }
    }

    fn schedule(&mut self, peer: &PeerId, now: Instant) {
        let jitter = (self.jitter)();
        let stagger = self.stagger(peer);
        if let Some(member) = self.known.get_mut(peer) {
            member.dial = Dial::At(now + stagger + pause(member.attempts, jitter));
            member.attempts = member.attempts.saturating_add(1);
        }
    }

    fn stagger(&self, peer: &PeerId) -> Duration {
        if self.me < *peer { Duration::ZERO } else { DIAL_STAGGER }
    }

    /// Counts a broken rule.
    pub(super) fn penalize(&mut self, peer: &PeerId, now: Instant) -> Penalty {
        let Some(member) = self.known.get_mut(peer) else {
            return Penalty::Unknown;
        };
        member.forget_penalties(now);
        member.penalties.push(now);
        let count = u32::try_from(member.penalties.len()).unwrap_or(u32::MAX);
        if count < PENALTIES_BEFORE_BLOCK {
            return Penalty::Counted(count);
        }
        member.blocked_until = Some(now + BLOCK_TIME);
        Penalty::Blocked
    }

    /// The remembered penalties of a peer.
    pub(super) fn penalties(&mut self, peer: &PeerId, now: Instant) -> u32 {
        self.known.get_mut(peer).map_or(0, |member| {
            member.forget_penalties(now);
            u32::try_from(member.penalties.len()).unwrap_or(u32::MAX)
        })
    }

    /// Whose block has ended.
    pub(super) fn unblock(&mut self, now: Instant) -> Vec<PeerId> {
        let mut free = Vec::new();
        for (peer, member) in &mut self.known {
            if member.blocked_until.is_some_and(|until| until <= now) {
                member.blocked_until = None;
                member.penalties.clear();
                member.attempts = 0;
                member.dial = Dial::At(now);
                free.push(*peer);
            }
        }
        free
    }

    /// Whether the peer is a member.
    pub(super) fn contains(&self, peer: &PeerId) -> bool {
        self.known.contains_key(peer)
    }
}

impl Member {
    fn new(addresses: Vec<Multiaddr>, at: Instant) -> Self {
        Self {
            addresses,
            dial: Dial::At(at),
            attempts: 0,
            penalties: Vec::new(),
            blocked_until: None,
        }
    }

    fn move_to(&mut self, addresses: Vec<Multiaddr>, at: Instant) {
        if self.addresses != addresses {
            self.addresses = addresses;
            if let Dial::At(_) = self.dial {
                self.attempts = 0;
                self.dial = Dial::At(at);
            }
        }
    }

    fn due_at(&self) -> Option<Instant> {
        match self.dial {
            Dial::At(at) if !self.addresses.is_empty() && self.blocked_until.is_none() => Some(at),
            _ => None,
        }
    }

    fn forget_penalties(&mut self, now: Instant) {
        self.penalties
            .retain(|at| now.saturating_duration_since(*at) < PENALTY_MEMORY);
    }
}

/// The addresses this build can dial, without a trailing `/p2p/<this peer>`.
fn usable(peer: &PeerId, texts: &[String]) -> Vec<Multiaddr> {
    let mut addresses = Vec::new();
    for text in texts.iter().take(MAX_ADDRESSES) {
        match dialable(peer, text) {
            Some(address) => addresses.push(address),
            None => tracing::warn!(
                %peer, address = %text,
                "a member's address is not /ip4/…/tcp/… or /ip6/…/tcp/…; it is skipped"
            ),
        }
    }
    addresses
}

fn dialable(peer: &PeerId, text: &str) -> Option<Multiaddr> {
    let mut address: Multiaddr = text.parse().ok()?;
    if let Some(Protocol::P2p(named)) = address.iter().last() {
        if named != *peer {
            return None;
        }
        address.pop();
    }
    let target = socket_address(&address)?;
    (target.port() != 0 && !target.ip().is_unspecified()).then_some(address)
}

/// The pause after `attempts` dials: doubled each time up to the longest, of which between half
/// and all is waited.
fn pause(attempts: u32, jitter: u8) -> Duration {
    let full = REDIAL_FIRST
        .saturating_mul(1u32.checked_shl(attempts.min(16)).unwrap_or(u32::MAX))
        .min(REDIAL_MAX);
    let half = full / 2;
    half + half * u32::from(jitter) / 255
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;

    const ADDRESS: &str = "/ip4/127.0.0.1/tcp/4001";

    fn list(entries: &[(PeerId, &[&str])]) -> BTreeMap<String, Vec<String>> {
        let texts = |list: &[&str]| list.iter().map(|&text| text.to_owned()).collect();
        entries
            .iter()
            .map(|(peer, addresses)| (peer.to_base58(), texts(addresses)))
            .collect()
    }

    fn members() -> Members {
        // The least of some, so that greater ones are quickly found.
        let me = [0; 8].map(|_| PeerId::random()).into_iter().min().unwrap();
        Members::new(me, || 255)
    }

    /// A peer that waits for this one to dial.
    fn greater(members: &Members) -> PeerId {
        std::iter::repeat_with(PeerId::random)
            .find(|peer| *peer > members.me)
            .unwrap()
    }

    #[test]
    fn pauses_double_up_to_the_longest() {
        let pauses: Vec<u128> = (0..12).map(|n| pause(n, 255).as_millis()).collect();
        assert_eq!(pauses[..4], [100, 200, 400, 800]);
        assert_eq!(pauses[11], 30_000);
        for attempt in 0..40 {
            let (least, most) = (pause(attempt, 0), pause(attempt, 255));
            assert_eq!(least * 2, most);
            assert!(most <= REDIAL_MAX);
        }
    }

    #[test]
    fn a_dial_is_due_once_until_its_outcome() {
        let (mut members, now) = (members(), Instant::now());
        let peer = greater(&members);
        members.replace(list(&[(peer, &[ADDRESS])]), now);
        assert_eq!(members.due(now).len(), 1);
        assert!(members.due(now).is_empty() && members.next_due().is_none());
        members.failed(&peer, now);
        assert_eq!(members.next_due(), Some(now + REDIAL_FIRST));
        assert_eq!(members.due(now + REDIAL_FIRST).len(), 1);
        members.connected(&peer, now);
        members.failed(&peer, now);
        assert!(members.next_due().is_none(), "connected meanwhile");
        members.disconnected(&peer, now + STABLE);
        assert_eq!(members.next_due(), Some(now + STABLE + REDIAL_FIRST));
    }

    #[test]
    fn a_peer_that_hangs_up_at_once_is_dialed_ever_more_seldom() {
        let (mut members, start) = (members(), Instant::now());
        let peer = greater(&members);
        members.replace(list(&[(peer, &[ADDRESS])]), start);
        let mut now = start;
        let mut dials = 0;
        while now < start + Duration::from_secs(60) {
            dials += members.due(now).len();
            members.connected(&peer, now);
            members.disconnected(&peer, now);
            now = members.next_due().unwrap();
        }
        assert!(dials <= 11, "{dials} dials in a minute");
    }

    #[test]
    fn of_two_the_one_with_the_greater_id_dials_later() {
        let now = Instant::now();
        let mut low = members();
        let mut high = Members::new(greater(&low), || 255);
        low.replace(list(&[(high.me, &[ADDRESS])]), now);
        high.replace(list(&[(low.me, &[ADDRESS])]), now);
        let (me, peer) = (low.me, high.me);
        assert_eq!(low.next_due(), Some(now));
        assert_eq!(high.next_due(), Some(now + DIAL_STAGGER));
        low.connected(&peer, now);
        high.connected(&me, now);
        low.disconnected(&peer, now);
        high.disconnected(&me, now);
        assert_eq!(low.next_due(), Some(now + REDIAL_FIRST));
        assert_eq!(high.next_due(), Some(now + REDIAL_FIRST + DIAL_STAGGER));
    }

    #[test]
    fn a_member_without_an_address_is_never_dialed() {
        let (mut members, now) = (members(), Instant::now());
        let peer = greater(&members);
        let change = members.replace(list(&[(peer, &[])]), now);
        assert_eq!(change.joined, [peer]);
        assert!(members.next_due().is_none());
    }

    #[test]
    fn strange_entries_are_skipped() {
        let (mut members, now) = (members(), Instant::now());
        let peer = greater(&members);
        let other = PeerId::random();
        let mine = format!("{ADDRESS}/p2p/{peer}");
        let theirs = format!("{ADDRESS}/p2p/{other}");
        let addresses = [
            "/dns4/example.org/tcp/1",
            "nonsense",
            "/ip4/127.0.0.1/udp/1",
            "/ip4/127.0.0.1/tcp/0",
            "/ip4/0.0.0.0/tcp/9",
            &theirs,
            &mine,
        ];
        let mut list = list(&[(peer, &addresses), (members.me, &[ADDRESS])]);
        list.insert("not a peer".into(), vec![]);
        members.replace(list, now);
        assert_eq!(members.known.len(), 1);
        let due = members.due(now);
        assert_eq!(due, [(peer, vec![ADDRESS.parse().unwrap()])]);
    }

    #[test]
    fn a_new_list_keeps_those_who_stay() {
        let (mut members, now) = (members(), Instant::now());
        let [a, b, c] = [0; 3].map(|_| greater(&members));
        members.replace(list(&[(a, &[ADDRESS]), (b, &[ADDRESS])]), now);
        members.connected(&a, now);
        let change = members.replace(list(&[(a, &[ADDRESS]), (c, &[ADDRESS])]), now);
        assert_eq!((change.joined, change.left), (vec![c], vec![b]));
        assert_eq!(members.due(now).len(), 1, "a is connected");
        members.disconnected(&a, now);
        let moved = "/ip4/127.0.0.1/tcp/4002";
        members.replace(list(&[(a, &[moved])]), now);
        assert_eq!(members.due(now), [(a, vec![moved.parse().unwrap()])]);
    }

    #[test]
    fn penalties_block_and_are_forgotten() {
        let (mut members, now) = (members(), Instant::now());
        let peer = greater(&members);
        assert_eq!(members.penalize(&peer, now), Penalty::Unknown);
        members.replace(list(&[(peer, &[ADDRESS])]), now);
        assert_eq!(members.penalize(&peer, now), Penalty::Counted(1));
        let later = now + PENALTY_MEMORY;
        assert_eq!(members.penalties(&peer, later), 0);
        assert_eq!(members.penalize(&peer, later), Penalty::Counted(1));
        assert_eq!(members.penalize(&peer, later), Penalty::Counted(2));
        assert_eq!(members.penalize(&peer, later), Penalty::Blocked);
        assert!(members.due(later + REDIAL_MAX).is_empty());
        assert!(members.unblock(later).is_empty());
        let free = later + BLOCK_TIME;
        assert_eq!(members.unblock(free), [peer]);
        assert_eq!(members.due(free).len(), 1);
        assert_eq!(members.penalties(&peer, free), 0);
    }
}
