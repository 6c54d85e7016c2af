//! Comparing heads where there are many logs: first it is narrowed down which of them differ ([`crate::reconcile`]), then
//! those are compared, and with them some that do not differ, but may have newer heads or cosignatures.

use std::collections::BTreeSet;
use std::ops::Bound;

use syndic_vc::did::Did;

use super::peers::Question;
use super::{Effect, Misbehaviour, Replica, Step};
use crate::limits;
use crate::message::{Answer, Ask, Refusal, Standpoint};
use crate::reconcile::{Kept, Set};

/// When it is narrowed down, and whose turn it is.
pub(super) struct Narrowing {
    /// Up to so many logs are listed.
    listed: usize,
    /// The own side of it.
    kept: Kept,
    /// Of those whose heads are old.
    stale: Turn,
    /// Of all.
    any: Turn,
}

/// Logs take turns.
#[derive(Debug)]
struct Turn {
    /// So many at a time.
    most: usize,
    last: Option<Did>,
}

impl Default for Narrowing {
    fn default() -> Self {
        Self {
            listed: limits::LISTED_LOGS,
            kept: Kept::default(),
            stale: Turn::of(limits::STALE_LOGS),
            any: Turn::of(limits::TURN_LOGS),
        }
    }
}

impl Turn {
    const fn of(most: usize) -> Self {
        Self { most, last: None }
    }
}

impl Replica {
    /// Asks a peer for heads newer than the own ones. Where there are many logs, it is found out first which of them differ.
    pub(super) fn compare(&mut self, peer: &str, step: &mut Step<'_>) {
        if !self.has_many_logs() {
            return self.compare_heads(peer, None, step);
        }
        match self.set().ask() {
            Ok(message) => self.reconcile(peer, 1, BTreeSet::new(), message, step),
            Err(_) => self.compare_heads(peer, None, step),
        }
    }

    fn has_many_logs(&self) -> bool {
        self.tracks.len() > self.narrowing.listed
    }

    fn set(&mut self) -> &Set {
        let logs = self.tracks.iter().filter(|(_, track)| track.is_shown());
        let logs = logs.map(|(organization, track)| (organization, track.lasting()));
        self.narrowing.kept.update(logs)
    }

    fn reconcile(&mut self, peer: &str, rounds: usize, found: BTreeSet<Did>, message: Vec<u8>, step: &mut Step<'_>) {
        let question = Question::Reconcile { rounds, found };
        let Some(id) = self.peers.ask(peer, question, step.now) else {
            return;
        };
        step.push(Effect::SendRequest {
            to: peer.to_owned(),
            bytes: Ask::Reconcile { id, message }.encode(),
        });
    }

    /// Goes on narrowing down, or compares what was found.
    pub(super) fn take_reconciled(
        &mut self,
        from: &str,
        rounds: usize,
        mut found: BTreeSet<Did>,
        message: &[u8],
        step: &mut Step<'_>,
    ) {
        let Ok((some, next)) = self.set().take(message) else {
            return self.blame(
                from,
                Misbehaviour::Inconsistent("an answer that reconciles nothing"),
                step,
            );
        };
        found.extend(some.into_iter().filter_map(|name| Did::parse(name).ok()));
        match next {
            None => self.compare_found(from, found, step),
            Some(message) if rounds < limits::RECONCILE_ROUNDS => {
                self.reconcile(from, rounds + 1, found, message, step);
            }
            // It comes to no end. That proves nothing: both may have grown in the meantime.
            Some(_) => self.compare_heads(from, None, step),
        }
    }

    /// Compares the logs that differ, the own one, and some in turn.
    fn compare_found(&mut self, peer: &str, mut logs: BTreeSet<Did>, step: &mut Step<'_>) {
        let late = self.heartbeat_seconds.saturating_mul(2);
        let is_stale = |organization: &Did| {
            let track = self.tracks.get(organization);
            let head = track.and_then(|track| track.held.log.head.as_ref());
            head.is_some_and(|head| step.now.seconds_since(head.time()) > late)
        };
        let stale = self.after(&self.narrowing.stale, is_stale);
        let any = self.after(&self.narrowing.any, |_| true);
        self.narrowing.stale.last = stale.last().cloned();
        self.narrowing.any.last = any.last().cloned();
        logs.extend(stale.into_iter().chain(any));
        // Whoever answers says whether it has more of the asker's own log, and thereby settles it.
        logs.extend(self.own.as_ref().map(|own| own.me.organization.clone()));
        self.compare_heads(peer, Some(&logs), step);
    }

    /// The logs whose turn it is.
    fn after(&self, turn: &Turn, which: impl Fn(&Did) -> bool) -> Vec<Did> {
        let last = turn.last.as_ref();
        let begin = last.map_or(Bound::Unbounded, Bound::Excluded);
        let end = last.map_or(Bound::Unbounded, Bound::Included);
        let rest = self.tracks.range::<Did, _>((begin, Bound::Unbounded));
        let first = self.tracks.range::<Did, _>((Bound::Unbounded, end));
        let circle = rest.chain(first.filter(|_| last.is_some()));
        let some = circle.map(|(organization, _)| organization);
        let some = some.filter(|organization| which(organization));
        some.take(turn.most).cloned().collect()
    }

    /// Answers a question about which logs differ.
    pub(super) fn reconciled(&mut self, id: u64, from: &str, message: &[u8], step: &mut Step<'_>) -> Answer {
        if let Ok(message) = self.set().answer(message) {
            return Answer::Reconciled { id, message };
        }
        step.penalize(from, Misbehaviour::Inconsistent("a question that reconciles nothing"));
        Answer::Refused {
            id,
            why: Refusal::Malformed,
        }
    }

    /// Asks back about what the asker has and this node has not, but not over and over: there are things that one node has
    /// and another cannot take.
    pub(super) fn compare_where_behind(&mut self, from: &str, theirs: &[Standpoint], step: &mut Step<'_>) {
        let behind = theirs.iter().filter(|them| self.is_behind(them));
        let behind = behind.filter_map(|them| self.tracks.get_key_value(them.organization.as_str()));
        let behind: BTreeSet<Did> = behind.map(|(organization, _)| organization.clone()).collect();
        if behind.is_empty() || !self.peers.may_compare_back(from, step.now) {
            return;
        }
        if self.has_many_logs() {
            self.compare_found(from, behind, step);
        } else {
            self.compare_heads(from, None, step);
        }
    }

    /// Lets the machine narrow down which logs differ though they are few, and compare one of each kind in turn.
    #[cfg(any(test, feature = "sim"))]
    pub(crate) fn list_at_most(&mut self, logs: usize) {
        self.narrowing = Narrowing {
            listed: logs,
            kept: Kept::default(),
            stale: Turn::of(1),
            any: Turn::of(1),
        };
    }
}
