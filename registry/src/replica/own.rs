//! The own log: publications in, acknowledgements out once they are durable, heartbeats.

use std::collections::VecDeque;
use std::sync::Arc;

use syndic_vc::key::{PublicKey, Signer};

use syndic_vc::time::Timestamp;

use super::batch;
use super::restore;
use super::track::{Cargo, Flight, Held, Publication};
use super::{Effect, Me, NewLogKey, PublishError, Replica, Step};
use crate::fold;
use crate::head::Head;
use crate::limits;
use crate::log::{self, LogState};
use crate::log_keys::Rotation;
use crate::message::{Broadcast, News};
use crate::statement::{Content, Statement};
use crate::store::Write;

/// The own organization and what it has still to say.
pub(super) struct Own {
    pub(super) me: Me,
    queue: VecDeque<Queued>,
    queued_bytes: usize,
}

struct Queued {
    ticket: u64,
    since: Timestamp,
    statements: Vec<Statement>,
    entries: Vec<Vec<u8>>,
    bytes: usize,
    /// Not a publication: the log key is to be replaced. The statement says its own index, so it is made when it is said.
    rotation: Option<NewLogKey>,
}

impl Own {
    pub(super) const fn new(me: Me) -> Self {
        Self {
            me,
            queue: VecDeque::new(),
            queued_bytes: 0,
        }
    }

    /// The key at hand that has this public part.
    pub(super) fn signer(&self, key: &PublicKey) -> Option<&Arc<dyn Signer>> {
        std::iter::once(&self.me.log_key)
            .chain(&self.me.other_keys)
            .find(|signer| signer.public_key() == key)
    }

    /// From now on this is the log key, if it is at hand; the former one is kept until the node stops.
    pub(super) fn use_key(&mut self, key: &PublicKey) {
        if let Some(at) = self.me.other_keys.iter().position(|signer| signer.public_key() == key)
            && let Some(signer) = self.me.other_keys.get_mut(at)
        {
            std::mem::swap(&mut self.me.log_key, signer);
        }
    }

    fn push(&mut self, publication: Queued) -> Result<(), PublishError> {
        let bytes = self.queued_bytes.saturating_add(publication.bytes);
        if self.queue.len() >= limits::PUBLICATIONS || bytes > limits::PUBLICATION_BYTES {
            return Err(PublishError::Busy);
        }
        self.queued_bytes = bytes;
        self.queue.push_back(publication);
        Ok(())
    }

    /// Takes out what has waited too long, and gives the tickets.
    pub(super) fn take_late(&mut self, now: Timestamp) -> Vec<u64> {
        let (mut late, mut bytes) = (Vec::new(), 0);
        self.queue.retain(|queued| {
            let stays = !restore::is_late(queued.since, now);
            if !stays {
                late.push(queued.ticket);
                bytes += queued.bytes;
            }
            stays
        });
        self.queued_bytes -= bytes;
        late
    }

    /// As many publications, in order, as fit one batch.
    fn next_group(&mut self) -> Vec<Queued> {
        let (mut group, mut statements, mut bytes) = (Vec::new(), 0, 0);
        if let Some(rotation) = self.queue.pop_front_if(|next| next.rotation.is_some()) {
            return vec![rotation];
        }
        while let Some(next) = self.queue.pop_front_if(|next| {
            statements += next.entries.len();
            bytes += next.bytes;
            next.rotation.is_none() && statements <= limits::APPEND_STATEMENTS && bytes <= limits::BATCH_BYTES
        }) {
            self.queued_bytes -= next.bytes;
            group.push(next);
        }
        group
    }
}

impl Queued {
    fn new(ticket: u64, statements: &[Statement], since: Timestamp) -> Result<Self, PublishError> {
        if statements.is_empty() || statements.len() > limits::APPEND_STATEMENTS {
            return Err(PublishError::Size);
        }
        let entries = statements
            .iter()
            .enumerate()
            .map(|(at, s)| s.to_bytes().map_err(|why| PublishError::Statement(at, why)))
            .collect::<Result<Vec<_>, _>>()?;
        let bytes = entries.iter().map(Vec::len).sum();
        if bytes > limits::BATCH_BYTES {
            return Err(PublishError::Size);
        }
        Ok(Self {
            ticket,
            since,
            statements: statements.to_vec(),
            entries,
            bytes,
            rotation: None,
        })
    }
}

impl Replica {
    /// Replaces the own log key.
    pub(super) fn rotate(&mut self, ticket: u64, new: NewLogKey, step: &mut Step<'_>) {
        let queued = Queued {
            ticket,
            statements: Vec::new(),
            entries: Vec::new(),
            bytes: 0,
            since: step.now,
            rotation: Some(new),
        };
        let queued = self
            .own
            .as_mut()
            .map_or(Err(PublishError::NoOrganization), |own| own.push(queued));
        match queued {
            Ok(()) => self.publish_next(step),
            Err(why) => step.push(Effect::Refuse { ticket, why }),
        }
    }

    /// The statement that replaces the own log key, as the next one of the log.
    fn say_rotation(&mut self, queued: &mut Queued, step: &Step<'_>) -> Result<(), PublishError> {
        let Some((new, own)) = queued.rotation.take().zip(self.own.as_mut()) else {
            return Ok(());
        };
        let Some(track) = self.tracks.get_mut(&own.me.organization) else {
            return Ok(());
        };
        let from = track.size() + 1;
        let rotation = Rotation::sign(&track.keys, new.key.public_key(), from, &new.next, &*new.root)
            .map_err(|why| PublishError::Sign(why.to_string()))?;
        let last = track.held.log.head.as_ref().map(Head::time);
        let statement = Statement {
            at: last.map_or(step.now, |last| last.max(step.now)),
            content: Content::LogKeyRotated(Box::new(rotation.clone())),
        };
        let entry = statement.to_bytes().map_err(|why| PublishError::Statement(0, why))?;
        // If the batch fails, the keys are read again from the store.
        track.keys.learn(&rotation)?;
        own.me.other_keys.push(new.key);
        queued.statements.push(statement);
        queued.entries.push(entry);
        Ok(())
    }

    pub(super) fn publish(&mut self, ticket: u64, statements: &[Statement], step: &mut Step<'_>) {
        let queued = match &mut self.own {
            None => Err(PublishError::NoOrganization),
            Some(own) => Queued::new(ticket, statements, step.now).and_then(|queued| own.push(queued)),
        };
        match queued {
            Ok(()) => self.publish_next(step),
            Err(why) => step.push(Effect::Refuse { ticket, why }),
        }
    }

    /// Starts to store what waits to be published, unless something is being stored already.
    pub(super) fn publish_next(&mut self, step: &mut Step<'_>) {
        loop {
            let refusal = self.publishing_refused();
            let Some(own) = &mut self.own else { return };
            let Some(track) = self.tracks.get(&own.me.organization) else {
                return;
            };
            if track.flight.is_some() || own.queue.is_empty() {
                return;
            }
            if refusal == Some(PublishError::Unsettled) {
                return;
            }
            if let Some(why) = refusal {
                own.queued_bytes = 0;
                step.refuse(own.queue.drain(..).map(|queued| queued.ticket), &why);
                return;
            }
            let mut group = own.next_group();
            let tickets: Vec<u64> = group.iter().map(|queued| queued.ticket).collect();
            let said = group.iter_mut().try_for_each(|queued| self.say_rotation(queued, step));
            if let Err(why) = said.and_then(|()| self.append_own(group, step)) {
                self.reload_own_keys(step);
                step.refuse(tickets, &why);
            }
        }
    }

    /// Why nothing may be added to the own log now, if so.
    fn publishing_refused(&self) -> Option<PublishError> {
        let track = self.tracks.get(&self.own.as_ref()?.me.organization)?;
        let (held, known) = (track.size(), track.known);
        if track.removed {
            Some(PublishError::Removed)
        } else if track.frozen {
            Some(PublishError::Frozen)
        } else if track.disowned {
            Some(PublishError::Disowned)
        } else if track.lost {
            Some(PublishError::StoreFailed)
        } else if known > held {
            Some(PublishError::Behind { known, held })
        } else if !self.settled {
            Some(PublishError::Unsettled)
        } else {
            None
        }
    }

    fn append_own(&mut self, group: Vec<Queued>, step: &mut Step<'_>) -> Result<(), PublishError> {
        let Some(own) = &self.own else { return Ok(()) };
        let Some(track) = self.tracks.get(&own.me.organization) else {
            return Ok(());
        };
        let organization = own.me.organization.as_str();
        let (mut first, mut publications) = (track.size(), Vec::with_capacity(group.len()));
        let (mut entries, mut statements) = (Vec::new(), Vec::new());
        let start = first;
        for queued in group {
            let count = queued.entries.len();
            publications.push(Publication {
                ticket: queued.ticket,
                first,
                count,
            });
            first += count as u64;
            entries.extend(queued.entries);
            statements.extend(queued.statements);
        }
        let (frontier, mut writes) =
            log::append(organization, &track.held.log.frontier, &entries).map_err(|_| PublishError::Full)?;
        writes.extend(fold::fold(organization, start, &statements, step.reader)?);
        let last = track.held.log.head.as_ref().map(Head::time);
        let time = last.map_or(step.now, |last| last.max(step.now));
        let (size, root) = (frontier.size(), frontier.root());
        let signer = own.signer(track.keys.at(size)).ok_or(PublishError::NoKey)?;
        let head = Head::sign(track.origin(), size, &root, &**signer, time)
            .map_err(|why| PublishError::Sign(why.to_string()))?;
        let next = batch::grown(&track.held, frontier, head, Vec::new());
        self.persist_own(next, publications, writes, step);
        Ok(())
    }

    fn persist_own(&mut self, next: Held, publications: Vec<Publication>, writes: Vec<Write>, step: &mut Step<'_>) {
        let Some(own) = &self.own else { return };
        let organization = own.me.organization.clone();
        let Some(track) = self.tracks.get_mut(&organization) else {
            return;
        };
        let tickets = publications.iter().map(|publication| publication.ticket).collect();
        let content = batch::step(organization.as_str(), &track.held, &next, writes);
        let batch = self.next_batch;
        track.flight = Some(Flight {
            batch,
            cargo: Cargo::Own { next, publications },
            keys: 0,
        });
        self.fly(organization, content, tickets, step);
    }

    /// Signs the own head anew if it is old, so that others know that it is still the newest.
    pub(super) fn heartbeat(&mut self, step: &mut Step<'_>) {
        let Some(own) = &self.own else { return };
        let Some(track) = self.tracks.get(&own.me.organization) else {
            return;
        };
        if track.flight.is_some() || track.is_closed() || track.known > track.size() || !self.settled {
            return;
        }
        let last = track.held.log.head.as_ref();
        let due = last.is_none_or(|head| {
            // A clock that was set back makes nothing younger: no head until it has caught up.
            step.now.seconds_since(head.time()) >= self.heartbeat_seconds.max(1)
        });
        if !due {
            return;
        }
        let frontier = track.held.log.frontier.clone();
        let (size, root) = (frontier.size(), frontier.root());
        // A key that is out of reach now may be back at the next tick; the head just grows old.
        let Some(signer) = own.signer(track.keys.at(size)) else {
            return;
        };
        if let Ok(head) = Head::sign(track.origin(), size, &root, &**signer, step.now) {
            let next = Held {
                log: LogState {
                    frontier,
                    head: Some(head),
                },
                promise: None,
            };
            self.persist_own(next, Vec::new(), Vec::new(), step);
        }
    }

    /// A rotation that was not said after all is no rotation.
    fn reload_own_keys(&mut self, step: &mut Step<'_>) {
        let Some(own) = &self.own else { return };
        let Some(track) = self.tracks.get_mut(&own.me.organization) else {
            return;
        };
        if track.has_unsaved_keys() {
            let reloaded = track.reload(step.reader);
            step.read(reloaded);
        }
    }

    /// Own entries are durable: acknowledges them, and tells the others what the store now says.
    pub(super) fn own_stored(&mut self, publications: Vec<Publication>, step: &mut Step<'_>) {
        let mut appended = 0;
        for Publication { ticket, first, count } in publications {
            step.push(Effect::Acknowledge { ticket, first, count });
            appended += count as u64;
        }
        let Some(own) = &mut self.own else { return };
        if let Some(track) = self.tracks.get(&own.me.organization) {
            own.use_key(track.keys.newest());
        }
        let organization = own.me.organization.as_str();
        let state = LogState::read(organization, step.reader);
        let Some(head) = step.read(state).and_then(|state| state.head) else {
            return;
        };
        let from = head.size().saturating_sub(appended);
        let room = limits::BROADCAST_BYTES.saturating_sub(head.note().len() + 2 * limits::APPEND_STATEMENTS + 64);
        let read = log::read_entries(organization, from, head.size(), room, step.reader);
        let Some(mut entries) = step.read(read) else {
            return;
        };
        let mut from = from;
        let whole = entries.iter().map(Vec::len).sum::<usize>() <= room;
        if !whole || entries.len() as u64 != appended {
            // Too much for a broadcast: the head alone makes the others pull.
            entries.clear();
            from = head.size();
        }
        let news = News {
            note: head.note().to_owned(),
            from,
            entries,
        };
        step.push(Effect::Announce(Broadcast::News(news).encode()));
    }
}

impl Step<'_> {
    pub(super) fn refuse(&mut self, tickets: impl IntoIterator<Item = u64>, why: &PublishError) {
        for ticket in tickets {
            self.push(Effect::Refuse {
                ticket,
                why: why.clone(),
            });
        }
    }
}
