//! Broadcasts: a new head with its newest entries, or the proof of a fork.

use syndic_vc::did::Did;

use super::batch;
use super::forks::Mark;
use super::track::{Cargo, Flight, Held, Waiting, is_from_the_future};
use super::{Effect, Misbehaviour, Peer, Replica, Step, Verdict};
use crate::fold;
use crate::fork::{self, Fork};
use crate::head::{Head, HeadError};
use crate::log::{self, Frontier, LogState};
use crate::message::{Broadcast, News};
use crate::statement::Statement;
use crate::store::Write;

impl Replica {
    pub(super) fn announced(&mut self, from: Peer, token: u64, bytes: &[u8], step: &mut Step<'_>) {
        self.counts.broadcasts += 1;
        if !self.peers.is_member(&from) {
            step.reject(token, &from, Misbehaviour::NotMember);
            return;
        }
        match Broadcast::decode(bytes) {
            Ok(Broadcast::News(news)) => self.news(from, token, news, step),
            Ok(Broadcast::Fork(fork)) => self.told_of_fork(&from, token, fork, step),
            Ok(Broadcast::Charter(signed)) => self.told_of_charter(&from, token, &signed, step),
            Ok(Broadcast::Cosigned(cosigned)) => self.told_of_cosignatures(&from, token, cosigned, step),
            // From a newer program: no reason to blame anybody.
            Err(error) if error.is_other_version() => {
                step.verdict(token, Verdict::Ignore);
            }
            Err(error) => step.reject(token, &from, error),
        }
    }

    fn news(&mut self, from: Peer, token: u64, news: News, step: &mut Step<'_>) {
        let Some(organization) = self.organization_of(&news.note) else {
            if self.is_of_consortium(&news.note) {
                step.verdict(token, Verdict::Ignore);
                return self.compare_back(&from, step);
            }
            step.reject(token, &from, Misbehaviour::WrongLog);
            return;
        };
        let Some(track) = self.tracks.get(&organization) else {
            return;
        };
        if track.is_closed() || track.has_note(&news.note) {
            step.verdict(token, Verdict::Ignore);
        } else if track.flight.is_some() {
            self.wait(&organization, Waiting::News { from, token, news }, step);
        } else {
            self.take_news(&organization, &from, token, news, step);
        }
    }

    /// Whether a note claims to be of some log of this consortium: perhaps of somebody whom a charter that is not known
    /// here has admitted, or removed.
    pub(super) fn is_of_consortium(&self, note: &str) -> bool {
        fork::organization_of(self.charter.id(), note).is_some_and(|did| Did::parse(did).is_ok())
    }

    /// The member whose log a note claims to speak of.
    pub(super) fn organization_of(&self, note: &str) -> Option<Did> {
        let name = fork::organization_of(self.charter.id(), note)?;
        self.tracks
            .get_key_value(name)
            .map(|(organization, _)| organization.clone())
    }

    /// Takes a new head in, if no batch of its log is in flight.
    pub(super) fn take_news(&mut self, organization: &Did, from: &str, token: u64, news: News, step: &mut Step<'_>) {
        let Some(track) = self.tracks.get_mut(organization) else {
            return;
        };
        if track.is_closed() || track.has_note(&news.note) {
            step.verdict(token, Verdict::Ignore);
            return;
        }
        if !track.news.has_some(step.now) {
            // Whoever handed it on is not to blame. What is missing is pulled, when it is the log's turn.
            step.verdict(token, Verdict::Ignore);
            return;
        }
        if !self.may_check(from, step) {
            step.verdict(token, Verdict::Ignore);
            return;
        }
        let head = match self.verify(organization, &news.note, &news.entries, from, step) {
            Ok(head) => head,
            Err(HeadError::OtherKey) => {
                // Perhaps the key was rotated: whoever knows the rotation tells it when heads are compared.
                step.verdict(token, Verdict::Ignore);
                return self.compare_back(from, step);
            }
            Err(error) => return step.reject(token, from, error),
        };
        let Some(track) = self.tracks.get_mut(organization).filter(|track| !track.is_closed()) else {
            return step.verdict(token, Verdict::Ignore);
        };
        if news.from + news.entries.len() as u64 != head.size() {
            let why = Misbehaviour::Inconsistent("entries that do not end at their head");
            return step.reject(token, from, why);
        }
        if is_from_the_future(&head, step.now) {
            return step.verdict(token, Verdict::Ignore);
        }
        let size = track.size();
        if head.size() <= size {
            let new = self.take_head(organization, head, step);
            return self.hand_on(organization, token, new, step);
        }
        let Some(known) = size.checked_sub(news.from) else {
            // Entries between ours and these are missing: the one who has these has them all.
            track.remember(head, from, false);
            step.verdict(token, Verdict::Ignore);
            return self.pull(organization, from);
        };
        self.append_news(
            organization,
            from,
            token,
            head,
            news.entries.get(known as usize..),
            step,
        );
    }

    /// Appends entries that begin where the log ends and lead to `head`.
    fn append_news(
        &mut self,
        organization: &Did,
        from: &str,
        token: u64,
        head: Head,
        entries: Option<&[Vec<u8>]>,
        step: &mut Step<'_>,
    ) {
        let Some(track) = self.tracks.get_mut(organization) else {
            return;
        };
        let entries = entries.unwrap_or_default();
        let grown = log::append(organization.as_str(), &track.held.log.frontier, entries);
        let Ok((frontier, writes)) = grown else {
            return step.verdict(token, Verdict::Ignore);
        };
        if frontier.root() != *head.root() {
            // Either these are not the log's entries, or there are two logs. What is pulled now
            // tells which; until then nobody is blamed.
            track.remember(head, from, true);
            step.verdict(token, Verdict::Ignore);
            return self.pull(organization, from);
        }
        let taken = self.take_entries(organization, entries, (frontier, writes), head, Vec::new(), step);
        self.hand_on(organization, token, taken, step);
    }

    /// Hands a broadcast on that was taken, at the expense of the log that it speaks of.
    fn hand_on(&mut self, organization: &Did, token: u64, taken: bool, step: &mut Step<'_>) {
        let track = self.tracks.get_mut(organization).filter(|_| taken);
        let taken = track.is_some_and(|track| track.news.spend(step.now));
        step.verdict(token, if taken { Verdict::Accept } else { Verdict::Ignore });
    }

    /// Stores entries that are known to be the log's, with what follows from them. False if one
    /// of them is no statement, or the store cannot be read.
    pub(super) fn take_entries(
        &mut self,
        organization: &Did,
        entries: &[Vec<u8>],
        (frontier, mut writes): (Frontier, Vec<Write>),
        head: Head,
        proof: Vec<log::Hash>,
        step: &mut Step<'_>,
    ) -> bool {
        let first = frontier.size() - entries.len() as u64;
        let mut statements = Vec::with_capacity(entries.len());
        for (index, entry) in (first..).zip(entries) {
            match Statement::parse(entry) {
                Ok(statement) => statements.push(statement),
                Err(why) => {
                    self.stop_at(organization, index, why, step);
                    return false;
                }
            }
        }
        let facts = fold::fold(organization.as_str(), first, &statements, step.reader);
        let Some(facts) = step.read(facts) else {
            return false;
        };
        writes.extend(facts);
        let Some(track) = self.tracks.get_mut(organization) else {
            return false;
        };
        let next = batch::grown(&track.held, frontier, head, proof);
        self.counts.statements_taken += entries.len() as u64;
        self.persist_received(organization, next, writes, step);
        true
    }

    pub(super) fn persist_received(&mut self, organization: &Did, next: Held, writes: Vec<Write>, step: &mut Step<'_>) {
        let Some(track) = self.tracks.get_mut(organization) else {
            return;
        };
        // A promise that is replaced was signed all the same: it is held against what comes.
        if next.promise != track.held.promise
            && let Some(old) = track.held.promise.clone()
            && next.promise.as_ref().is_none_or(|new| new.head != old.head)
        {
            track.remember(old.head, "", false);
        }
        let content = batch::step(organization.as_str(), &track.held, &next, writes);
        let batch = self.next_batch;
        track.flight = Some(Flight {
            batch,
            cargo: Cargo::Received { next },
            keys: 0,
        });
        self.fly(organization.clone(), content, Vec::new(), step);
    }

    /// Takes a valid head of entries that are all stored. Says whether it told anything new.
    pub(super) fn take_head(&mut self, organization: &Did, head: Head, step: &mut Step<'_>) -> bool {
        let Some(track) = self.tracks.get_mut(organization) else {
            return false;
        };
        let log = &track.held.log;
        let covered = log.head.as_ref().map_or(0, Head::size);
        if head.size() == track.size() && *head.root() == log.frontier.root() {
            if !track.held.is_older_than(&head) {
                return false;
            }
            let log = LogState {
                frontier: log.frontier.clone(),
                head: Some(head),
            };
            self.persist_received(organization, Held { log, promise: None }, Vec::new(), step);
            return true;
        }
        if head.size() > covered {
            // In the middle of a catch-up: wait until there is a head to hold against it.
            track.remember(head, "", false);
            return false;
        }
        let fork = self.contradiction(organization, &head, step.reader);
        if let Some(Some(fork)) = step.read(fork) {
            self.freeze(organization, fork, step);
        }
        false
    }

    fn told_of_fork(&mut self, from: &str, token: u64, fork: Fork, step: &mut Step<'_>) {
        let organization = self.organization_of(&fork.one.note);
        let track = organization.as_ref().and_then(|name| self.tracks.get(name));
        let Some((organization, track)) = organization.as_ref().zip(track) else {
            if self.is_of_consortium(&fork.one.note) {
                return step.verdict(token, Verdict::Ignore);
            }
            return step.reject(token, from, Misbehaviour::WrongLog);
        };
        if track.mark.is_some_and(|known| known <= Mark::of(&fork)) {
            return step.verdict(token, Verdict::Ignore);
        }
        let may = self.may_check(from, step);
        let Some(track) = self.tracks.get(organization).filter(|_| may) else {
            return step.verdict(token, Verdict::Ignore);
        };
        match fork.verify_knowing(&self.charter, &track.keys) {
            Ok(_) => {
                let taken = self.freeze(organization, fork, step);
                step.verdict(token, if taken { Verdict::Accept } else { Verdict::Ignore });
            }
            Err(error) if error.is_false() => step.reject(token, from, error),
            Err(_) => step.verdict(token, Verdict::Ignore),
        }
    }

    fn stop_at(&mut self, organization: &Did, index: u64, why: crate::statement::StatementError, step: &mut Step<'_>) {
        let Some(track) = self.tracks.get_mut(organization) else {
            return;
        };
        if !track.unreadable {
            track.unreadable = true;
            let organization = organization.clone();
            step.push(Effect::Unreadable {
                organization,
                index,
                why,
            });
        }
    }
}

impl Step<'_> {
    pub(super) fn reject(&mut self, token: u64, from: &str, why: impl Into<Misbehaviour>) {
        self.verdict(token, Verdict::Reject);
        self.penalize(from, why);
    }
}
