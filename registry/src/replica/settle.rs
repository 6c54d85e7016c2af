//! After the store has spoken: what is held now, what waited for it, and what it proves.

use syndic_vc::did::Did;

use super::forks::Mark;
use super::track::{Cargo, Doubt, Flight, Waiting};
use super::{Effect, Misbehaviour, Replica, Step, Verdict};
use crate::fork::{Branch, Fork};
use crate::head::Head;
use crate::limits;
use crate::message::Broadcast;
use crate::proof;
use crate::store::{self, Batch, ReadError, Reader, Write};

impl Replica {
    /// Sends a batch off. The track knows of it already, under the number `next_batch`.
    pub(super) fn fly(&mut self, organization: Did, mut content: Batch, tickets: Vec<u64>, step: &mut Step<'_>) {
        let batch = self.next_batch;
        self.next_batch += 1;
        // Rotations go with whatever is stored next: no head is durable without the rotation that it needs. But not with
        // cosignatures, which fly beside it: one of the two may be stored without the other.
        if let Some(track) = self.tracks.get_mut(&organization) {
            let (rows, keys) = (track.key_rows(), track.keys.rotations().len());
            if let Some(flight) = track.flight.as_mut().filter(|flight| flight.batch == batch) {
                content.writes.extend(rows);
                flight.keys = keys;
            }
        }
        self.flights.insert(batch, organization);
        step.push(Effect::Persist {
            batch,
            content,
            tickets,
        });
    }

    /// The batch that has come down, and whose log it belongs to.
    fn land(&mut self, batch: u64) -> Option<(Did, Flight)> {
        let organization = self.flights.remove(&batch)?;
        let track = self.tracks.get_mut(&organization)?;
        let flight = track.flight.take_if(|flight| flight.batch == batch)?;
        Some((organization, flight))
    }

    pub(super) fn stored(&mut self, batch: u64, step: &mut Step<'_>) {
        if self.cosignatures_stored(batch, step) || self.charters_stored(batch, step) {
            return;
        }
        let Some((organization, flight)) = self.land(batch) else {
            return;
        };
        let Some(track) = self.tracks.get_mut(&organization) else {
            return;
        };
        track.keys_are_stored(flight.keys);
        match flight.cargo {
            Cargo::Own { next, publications } => {
                track.known = track.known.max(next.log.frontier.size());
                track.held = next;
                self.own_stored(publications, step);
                self.witness(&organization, step);
            }
            Cargo::Received { next } => {
                track.held = next;
                // A rotation may have come while the batch was under way.
                track.check_keys();
                self.settle_doubt(&organization, step);
                self.witness(&organization, step);
            }
            Cargo::Evidence(fork) => {
                step.push(Effect::Announce(Broadcast::Fork(fork.clone()).encode()));
                let place = Mark::of(&fork).place();
                if track.told != Some(place) {
                    track.told = Some(place);
                    step.push(Effect::Evidence {
                        organization: organization.clone(),
                        fork,
                    });
                }
            }
            Cargo::Keys | Cargo::Salvage => {}
        }
        self.go_on(&organization, step);
    }

    pub(super) fn store_failed(&mut self, batch: u64, step: &mut Step<'_>) {
        if self.cosignatures_failed(batch, step) || self.charters_failed(batch, step) {
            return;
        }
        let Some((organization, flight)) = self.land(batch) else {
            return;
        };
        let Some(track) = self.tracks.get_mut(&organization) else {
            return;
        };
        let reloaded = track.reload(step.reader);
        match flight.cargo {
            Cargo::Own { publications, .. } => {
                let tickets = publications.into_iter().map(|publication| publication.ticket);
                step.refuse(tickets, &super::PublishError::StoreFailed);
            }
            Cargo::Received { .. } | Cargo::Keys | Cargo::Salvage => {}
            // Tried again at the next tick.
            Cargo::Evidence(fork) => drop(track.evidence.get_or_insert(fork)),
        }
        step.read(reloaded);
        self.let_wait(&organization, step);
    }

    /// Once a second: what the store refused before may be possible now.
    pub(super) fn repair(&mut self, step: &mut Step<'_>) {
        let broken: Vec<Did> = self
            .tracks
            .iter()
            .filter(|(_, track)| track.lost || track.evidence.is_some() || track.has_unsaved_keys())
            .map(|(organization, _)| organization.clone())
            .collect();
        for organization in broken {
            let Some(track) = self.tracks.get_mut(&organization) else {
                continue;
            };
            if track.lost {
                let reloaded = track.reload(step.reader);
                step.read(reloaded);
            }
            self.go_on(&organization, step);
        }
    }

    /// Stores the evidence if there is some, and else takes what waited.
    fn go_on(&mut self, organization: &Did, step: &mut Step<'_>) {
        let Some(track) = self.tracks.get_mut(organization) else {
            return;
        };
        if track.flight.is_none()
            && let Some(fork) = track.evidence.take()
        {
            let key = store::evidence(organization.as_str());
            let writes = vec![Write::put(key, fork.encode())];
            let batch = self.next_batch;
            track.flight = Some(Flight {
                batch,
                cargo: Cargo::Evidence(fork),
                keys: 0,
            });
            let content = Batch {
                writes,
                expectations: Vec::new(),
            };
            self.fly(organization.clone(), content, Vec::new(), step);
        }
        self.let_wait(organization, step);
        self.save_keys_of(organization, step);
    }

    /// Stores rotations that nothing else will take along.
    pub(super) fn save_keys(&mut self, step: &mut Step<'_>) {
        let unsaved: Vec<Did> = self
            .tracks
            .iter()
            .filter(|(_, track)| track.has_unsaved_keys())
            .map(|(organization, _)| organization.clone())
            .collect();
        for organization in unsaved {
            self.save_keys_of(&organization, step);
        }
    }

    fn save_keys_of(&mut self, organization: &Did, step: &mut Step<'_>) {
        let Some(track) = self.tracks.get_mut(organization) else {
            return;
        };
        if track.flight.is_none() && !track.lost && track.has_unsaved_keys() {
            track.flight = Some(Flight {
                batch: self.next_batch,
                cargo: Cargo::Keys,
                keys: 0,
            });
            self.fly(organization.clone(), Batch::default(), Vec::new(), step);
        }
    }

    /// Takes messages that waited, until one of them leads to a batch.
    fn let_wait(&mut self, organization: &Did, step: &mut Step<'_>) {
        while let Some(track) = self.tracks.get_mut(organization) {
            if track.flight.is_some() && !track.frozen {
                break;
            }
            let Some(message) = track.waiting.pop_front() else {
                break;
            };
            self.waiting_bytes = self.waiting_bytes.saturating_sub(message.bytes());
            track.waiting_bytes = track.waiting_bytes.saturating_sub(message.bytes());
            match message {
                Waiting::News { from, token, news } => {
                    self.take_news(organization, &from, token, news, step);
                }
                Waiting::Piece { from, asked, piece } => {
                    self.take_piece(organization, &from, asked, piece, step);
                }
            }
        }
        if self
            .own
            .as_ref()
            .is_some_and(|own| own.me.organization == *organization)
        {
            self.publish_next(step);
        }
    }

    /// Lets a message wait, if there is room.
    pub(super) fn wait(&mut self, organization: &Did, message: Waiting, step: &mut Step<'_>) {
        let more = message.bytes();
        let bytes = self.waiting_bytes.saturating_add(more);
        let Some(track) = self.tracks.get_mut(organization) else {
            return;
        };
        let share = track.waiting_bytes.saturating_add(more);
        let many = track.waiting.len() >= limits::WAITING_MESSAGES || share > limits::WAITING_BYTES_OF_ONE;
        if !many && bytes <= limits::WAITING_BYTES {
            self.waiting_bytes = bytes;
            track.waiting_bytes = share;
            track.waiting.push_back(message);
        } else if let Waiting::News { token, .. } = message {
            step.verdict(token, Verdict::Ignore);
        }
    }

    /// Compares the head that was ahead of the entries with what has come in since.
    fn settle_doubt(&mut self, organization: &Did, step: &mut Step<'_>) {
        let Some(track) = self.tracks.get_mut(organization) else {
            return;
        };
        let covered = track.held.log.head.as_ref().map_or(0, Head::size);
        let Some(doubt) = track.doubt.take_if(|doubt| doubt.head.size() <= covered) else {
            return;
        };
        let Doubt { head, peer, accused } = doubt;
        let fork = self.contradiction(organization, &head, step.reader);
        match step.read(fork) {
            Some(Some(fork)) => {
                self.freeze(organization, fork, step);
            }
            // The head is true, so the entries sent with it were not.
            Some(None) if accused => step.penalize(&peer, Misbehaviour::TamperedNews),
            _ => {}
        }
    }

    /// Whether a valid head, of no more entries than the held one, contradicts it.
    pub(super) fn contradiction(
        &self,
        organization: &Did,
        theirs: &Head,
        reader: &dyn Reader,
    ) -> Result<Option<Fork>, ReadError> {
        let Some(track) = self.tracks.get(organization) else {
            return Ok(None);
        };
        let Some(ours) = &track.held.log.head else {
            return Ok(None);
        };
        let (name, at) = (organization.as_str(), theirs.size());
        let root = if at == ours.size() {
            Some(*ours.root())
        } else {
            proof::root(name, at, reader)?
        };
        let Some(root) = root.filter(|root| root != theirs.root()) else {
            return Ok(None);
        };
        let Some(proof) = proof::consistency(name, at, ours.size(), reader)? else {
            return Ok(None);
        };
        Ok(Some(Fork {
            at,
            rotations: track.keys.rotations().to_vec(),
            one: Branch {
                note: ours.note().to_owned(),
                root,
                proof,
            },
            other: Branch {
                note: theirs.note().to_owned(),
                root: *theirs.root(),
                proof: Vec::new(),
            },
            common: None,
        }))
    }

    /// Freezes an organization that told two stories, at once, and stores the proof; also if one is held that says less.
    /// What does not convince a stranger freezes nobody.
    /// Whether it was taken.
    pub(super) fn freeze(&mut self, organization: &Did, fork: Fork, step: &mut Step<'_>) -> bool {
        let Some(track) = self.tracks.get_mut(organization) else {
            return false;
        };
        let Ok((fork, accused)) = fork.settled(&self.charter, &track.keys) else {
            return false;
        };
        let mark = Mark::of(&fork);
        if track.mark.is_some_and(|known| known <= mark) || accused != *organization {
            return false;
        }
        if track.mark.is_none_or(|known| known.place() != mark.place()) {
            track.scanned = 0;
            track.probed.clear();
        } else if !track.proofs.spend(step.now) {
            // Who forked can sign ever more heads, and find among them proofs with ever lesser digests.
            return false;
        }
        track.frozen = true;
        track.mark = Some(mark);
        track.evidence = Some(fork);
        track.doubt = None;
        self.go_on(organization, step);
        true
    }
}
