//! The nodes of other members: who is connected, what they were asked, how much work they may
//! still cause.

use std::collections::{BTreeMap, BTreeSet};

use syndic_vc::did::Did;
use syndic_vc::time::Timestamp;

use super::Peer;
use super::rng::Rng;
use crate::limits;

/// All peer ids on the members' cards. The table grows by charters only.
#[derive(Debug)]
pub(super) struct Peers {
    table: BTreeMap<Peer, Member>,
    next_ask: u64,
}

#[derive(Debug)]
struct Member {
    /// `None` for who speaks for no member, which is followed all the same.
    organization: Option<Did>,
    /// Not a peer of a card, but files that are read as one.
    followed: bool,
    connected: bool,
    asked: BTreeMap<u64, Asked>,
    checks: Budget,
    asks: Budget,
    back: Budget,
    /// Not asked for entries before this: it left a question unanswered or answered it badly.
    rests_until: Option<Timestamp>,
    /// Not asked for entries in this second: it said that it has been asked enough.
    busy_at: Option<Timestamp>,
}

/// A question that is not answered yet.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Asked {
    pub(super) what: Question,
    at: Timestamp,
}

#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Question {
    Compare,
    /// So often asked of the same peer in a row, and what was found until now.
    Reconcile {
        rounds: usize,
        found: BTreeSet<Did>,
    },
    Pull {
        organization: Did,
        from: u64,
    },
    Probe {
        organization: Did,
        sizes: Vec<u64>,
    },
    Salvage {
        organization: Did,
    },
    Charters {
        from: u32,
    },
}

impl Peers {
    /// Questions are numbered from `first_ask` on. Another number in each life of a node, for an answer to what a former one
    /// asked must not be taken for an answer to what this one asks.
    pub(super) fn new(peers: impl Iterator<Item = (Peer, Did)>, first_ask: u64) -> Self {
        Self {
            table: peers
                .map(|(peer, organization)| (peer, Member::new(Some(organization))))
                .collect(),
            next_ask: first_ask,
        }
    }

    /// The peer ids of a new charter: gives back what was asked of those that are on no card any more.
    pub(super) fn replace(&mut self, peers: BTreeMap<Peer, Did>) -> Vec<Question> {
        let mut questions = Vec::new();
        self.table.retain(|peer, member| {
            if member.followed {
                let is_member = peers.values().any(|did| Some(did) == member.organization.as_ref());
                member.organization.take_if(|_| !is_member);
                return true;
            }
            let stays = peers.get(peer) == member.organization.as_ref();
            if !stays {
                let asked = std::mem::take(&mut member.asked);
                questions.extend(asked.into_values().map(|asked| asked.what));
            }
            stays
        });
        for (peer, organization) in peers {
            self.table
                .entry(peer)
                .or_insert_with(|| Member::new(Some(organization)));
        }
        questions
    }

    pub(super) fn connected_peers(&self) -> Vec<Peer> {
        let connected = self.table.iter().filter(|(_, member)| member.connected);
        connected.map(|(peer, _)| peer.clone()).collect()
    }

    pub(super) fn is_member(&self, peer: &str) -> bool {
        self.table.contains_key(peer)
    }

    /// Whose node it is.
    pub(super) fn organization(&self, peer: &str) -> Option<&Did> {
        self.table.get(peer)?.organization.as_ref()
    }

    /// Reads files as if a peer of this name answered.
    pub(super) fn follow(&mut self, peer: Peer, organization: Option<Did>) {
        let mut member = Member::new(None);
        member.organization = organization;
        member.followed = true;
        self.table.entry(peer).or_insert(member);
    }

    pub(super) fn connected(&mut self, peer: &str) {
        if let Some(member) = self.table.get_mut(peer) {
            member.connected = true;
            member.rests_until = None;
        }
    }

    /// Forgets the connection, and gives back what was asked over it.
    pub(super) fn disconnected(&mut self, peer: &str) -> Vec<Question> {
        if let Some(member) = self.table.get_mut(peer) {
            member.connected = false;
        }
        self.failed(peer)
    }

    /// All that was asked of the peer will not be answered.
    pub(super) fn failed(&mut self, peer: &str) -> Vec<Question> {
        let Some(member) = self.table.get_mut(peer) else {
            return Vec::new();
        };
        std::mem::take(&mut member.asked)
            .into_values()
            .map(|asked| asked.what)
            .collect()
    }

    /// Whether one more check of a signature may be done on the peer's account.
    pub(super) fn may_check(&mut self, peer: &str, now: Timestamp) -> bool {
        self.table.get_mut(peer).is_some_and(|member| member.checks.spend(now))
    }

    /// Whether one more question of the peer is answered.
    pub(super) fn may_ask(&mut self, peer: &str, now: Timestamp) -> bool {
        self.table.get_mut(peer).is_some_and(|member| member.asks.spend(now))
    }

    /// Whether a question of the peer may be answered with a question: once a second.
    pub(super) fn may_compare_back(&mut self, peer: &str, now: Timestamp) -> bool {
        self.table.get_mut(peer).is_some_and(|member| member.back.spend(now))
    }

    /// Does not ask the peer for entries for a while.
    pub(super) fn rest(&mut self, peer: &str, now: Timestamp) {
        if let Some(member) = self.table.get_mut(peer) {
            member.rests_until = now.checked_add_seconds(limits::REST_SECONDS);
        }
    }

    /// Asks the peer for no more entries in this second.
    pub(super) fn is_busy(&mut self, peer: &str, now: Timestamp) {
        if let Some(member) = self.table.get_mut(peer) {
            member.busy_at = Some(now);
        }
    }

    /// Whether the peer is one to ask for entries, now or a little later.
    pub(super) fn may_be_pulled_from(&self, peer: &str, now: Timestamp) -> bool {
        self.table
            .get(peer)
            .is_some_and(|member| member.connected && !member.rests(now))
    }

    /// Whether the peer may be asked for entries right now.
    pub(super) fn has_room(&self, peer: &str, now: Timestamp) -> bool {
        self.table.get(peer).is_some_and(|member| member.has_room(now))
    }

    /// Notes a question to the peer and gives its id; `None` if the peer is not connected, has
    /// enough to answer already, or is the wrong one to ask now.
    pub(super) fn ask(&mut self, peer: &str, what: Question, now: Timestamp) -> Option<u64> {
        let member = self.table.get_mut(peer)?;
        let pull = matches!(what, Question::Pull { .. });
        let resting = pull && member.rests(now);
        let full = if pull {
            !member.has_room(now)
        } else {
            member.asked.len() >= limits::ASKS_PER_PEER
        };
        let twice = member.asked.values().any(|asked| asked.what.is_one_with(&what));
        if !member.connected || resting || full || twice {
            return None;
        }
        let id = self.next_ask;
        self.next_ask = self.next_ask.wrapping_add(1);
        member.asked.insert(id, Asked { what, at: now });
        Some(id)
    }

    /// The question that is answered by this id, if it was asked of this peer and is still open.
    pub(super) fn answered(&mut self, peer: &str, id: u64) -> Option<Question> {
        Some(self.table.get_mut(peer)?.asked.remove(&id)?.what)
    }

    /// Questions that waited too long, with the peers that did not answer. A clock that was set
    /// back counts as too long: better asked twice than never.
    pub(super) fn overdue(&mut self, now: Timestamp) -> Vec<(Peer, Question)> {
        let mut overdue = Vec::new();
        for (peer, member) in &mut self.table {
            member.asked.retain(|_, asked| {
                let open = (0..limits::ASK_SECONDS).contains(&now.seconds_since(asked.at));
                if !open {
                    overdue.push((peer.clone(), asked.what.clone()));
                }
                open
            });
        }
        overdue
    }

    /// Some of the connected peers, none twice.
    pub(super) fn sample(&self, count: usize, rng: &mut Rng) -> Vec<Peer> {
        let mut all: Vec<&Peer> = self
            .table
            .iter()
            .filter(|(_, m)| m.connected)
            .map(|(peer, _)| peer)
            .collect();
        let mut some = Vec::new();
        while some.len() < count && !all.is_empty() {
            let at = rng.below(all.len() as u64) as usize;
            some.push(all.swap_remove(at).clone());
        }
        some
    }
}

impl Question {
    /// Whether one of them is enough at a time.
    fn is_one_with(&self, other: &Self) -> bool {
        let compares = |question: &Self| matches!(question, Self::Compare | Self::Reconcile { .. });
        self == other || (compares(self) && compares(other))
    }
}

impl Member {
    fn rests(&self, now: Timestamp) -> bool {
        self.rests_until.is_some_and(|until| now < until)
    }

    /// Pulls leave one question free, so that heads are compared in the middle of a long catch-up, too.
    fn has_room(&self, now: Timestamp) -> bool {
        let busy = self.busy_at.is_some_and(|at| now.seconds_since(at) == 0);
        !busy && self.asked.len() + 1 < limits::ASKS_PER_PEER
    }

    const fn new(organization: Option<Did>) -> Self {
        Self {
            organization,
            followed: false,
            connected: false,
            asked: BTreeMap::new(),
            checks: Budget::new(limits::CHECKS_BURST, limits::CHECKS_PER_SECOND),
            asks: Budget::new(limits::ASKS_BURST, limits::ASKS_PER_SECOND),
            back: Budget::new(1, 1),
            rests_until: None,
            busy_at: None,
        }
    }
}

/// So many at once, and so many more each second.
#[derive(Debug)]
pub(super) struct Budget {
    burst: i64,
    per_second: i64,
    left: i64,
    filled: Option<Timestamp>,
}

impl Budget {
    pub(super) const fn new(burst: i64, per_second: i64) -> Self {
        Self {
            burst,
            per_second,
            left: burst,
            filled: None,
        }
    }

    /// Takes one, if there is one.
    pub(super) fn spend(&mut self, now: Timestamp) -> bool {
        let may = self.has_some(now);
        self.left -= i64::from(may);
        may
    }

    /// Whether there is one.
    pub(super) fn has_some(&mut self, now: Timestamp) -> bool {
        let seconds = self.filled.map_or(0, |filled| now.seconds_since(filled));
        if seconds > 0 {
            let more = seconds.saturating_mul(self.per_second);
            self.left = self.left.saturating_add(more).min(self.burst);
        }
        // Credit comes in whole seconds: between them the time of the last one stays.
        if self.filled.is_none() || seconds != 0 {
            self.filled = Some(now);
        }
        self.left > 0
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_unix_seconds(seconds).unwrap()
    }

    fn peers() -> Peers {
        let mut peers = Peers::new(
            ["a", "b", "c"]
                .into_iter()
                .map(|peer| (peer.to_owned(), Did::parse("did:x:y").unwrap())),
            u64::MAX,
        );
        for peer in ["a", "b", "c"] {
            peers.connected(peer);
        }
        peers
    }

    #[test]
    fn a_budget_is_a_burst_and_a_rate() {
        let mut budget = Budget::new(3, 2);
        let spent = |budget: &mut Budget, now| (0..10).filter(|_| budget.spend(now)).count();
        assert_eq!(spent(&mut budget, at(100)), 3);
        assert_eq!(spent(&mut budget, at(101)), 2);
        assert_eq!(spent(&mut budget, at(200)), 3);
        // A clock set back gives nothing, and does not stop the budget for ever.
        assert_eq!(spent(&mut budget, at(50)), 0);
        assert_eq!(spent(&mut budget, at(51)), 2);
    }

    #[test]
    fn a_peer_is_asked_so_much_at_a_time() {
        let mut peers = peers();
        let pull = |n| Question::Pull {
            organization: Did::parse("did:x:y").unwrap(),
            from: n,
        };
        let asked = (0..10).filter(|n| peers.ask("a", pull(*n), at(0)).is_some()).count();
        assert_eq!(asked, limits::ASKS_PER_PEER - 1);
        assert!(peers.ask("a", Question::Compare, at(0)).is_some());
        assert!(peers.ask("a", pull(99), at(0)).is_none());
        assert!(peers.ask("stranger", Question::Compare, at(0)).is_none());
        assert_eq!(peers.overdue(at(limits::ASK_SECONDS - 1)).len(), 0);
        assert_eq!(peers.overdue(at(limits::ASK_SECONDS)).len(), limits::ASKS_PER_PEER);
    }

    #[test]
    fn an_answer_counts_once_and_only_from_who_was_asked() {
        let mut peers = peers();
        let id = peers.ask("a", Question::Compare, at(0)).unwrap();
        assert_eq!(peers.ask("a", Question::Compare, at(0)), None);
        assert_eq!(peers.answered("b", id), None);
        assert_eq!(peers.answered("a", id), Some(Question::Compare));
        assert_eq!(peers.answered("a", id), None);
    }

    #[test]
    fn who_rests_is_not_pulled_from() {
        let mut peers = peers();
        peers.rest("a", at(0));
        let pull = Question::Pull {
            organization: Did::parse("did:x:y").unwrap(),
            from: 0,
        };
        assert_eq!(peers.ask("a", pull.clone(), at(1)), None);
        assert!(peers.ask("a", Question::Compare, at(1)).is_some());
        assert!(peers.ask("a", pull, at(limits::REST_SECONDS)).is_some());
    }

    #[test]
    fn a_sample_has_no_peer_twice() {
        let mut rng = Rng::new(7);
        let mut peers = peers();
        let mut all = peers.sample(5, &mut rng);
        all.sort();
        assert_eq!(all, ["a", "b", "c"]);
        peers.disconnected("b");
        assert_eq!(peers.sample(5, &mut rng).len(), 2);
    }
}
