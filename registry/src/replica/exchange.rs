//! Asking: heads are compared with a few peers now and then, so that nothing depends on
//! broadcasts arriving.

use std::collections::BTreeSet;

use syndic_vc::did::Did;

use super::forks::Mark;
use super::peers::Question;
use super::track::{Track, Waiting, is_from_the_future};
use super::{Effect, Misbehaviour, Replica, Step};
use crate::fork::Fork;
use crate::head::{Head, HeadError};
use crate::limits;
use crate::message::{Answer, Ask, Refusal, Standpoint};
use crate::reconcile::Lasting;

impl Replica {
    pub(super) fn connected(&mut self, peer: &str, step: &mut Step<'_>) {
        if !self.peers.is_member(peer) {
            return step.penalize(peer, Misbehaviour::NotMember);
        }
        self.peers.connected(peer);
        self.compare(peer, step);
    }

    /// Asks a peer for heads newer than the own ones; of these logs, or of all.
    pub(super) fn compare_heads(&mut self, peer: &str, logs: Option<&BTreeSet<Did>>, step: &mut Step<'_>) {
        let Some(id) = self.peers.ask(peer, Question::Compare, step.now) else {
            return;
        };
        let mut bytes = 0;
        let listed = self
            .tracks
            .iter()
            .filter(|(organization, track)| track.is_shown() && logs.is_none_or(|logs| logs.contains(*organization)))
            .map(|(organization, track)| standpoint(organization, track))
            .take_while(|log| {
                bytes += log.organization.len() + Standpoint::MOST_BYTES;
                // What is left out of all is answered as if nothing were known of it.
                bytes <= limits::ASK_BYTES - 256
            })
            .collect();
        let charter = self.chain_point();
        let ask = Ask::Compare {
            id,
            charter,
            logs: listed,
            only: logs.is_some(),
        };
        step.push(Effect::SendRequest {
            to: peer.to_owned(),
            bytes: ask.encode(),
        });
    }

    /// Asks a peer that has something new, but not over and over: there are things that one node
    /// has and another cannot take.
    pub(super) fn compare_back(&mut self, peer: &str, step: &mut Step<'_>) {
        if self.peers.may_compare_back(peer, step.now) {
            self.compare(peer, step);
        }
    }

    /// Gives up what was asked too long ago.
    pub(super) fn expire(&mut self, step: &mut Step<'_>) {
        for (peer, question) in self.peers.overdue(step.now) {
            self.peers.rest(&peer, step.now);
            self.give_up([question]);
        }
    }

    /// These will not be answered; what is still missing is found at the next comparison.
    pub(super) fn give_up(&mut self, questions: impl IntoIterator<Item = Question>) {
        for question in questions {
            if let Question::Pull { organization, .. } = question
                && let Some(track) = self.tracks.get_mut(&organization)
            {
                track.pulling = false;
            }
        }
    }

    pub(super) fn answered(&mut self, from: &str, bytes: &[u8], step: &mut Step<'_>) {
        if !self.peers.is_member(from) {
            return step.penalize(from, Misbehaviour::NotMember);
        }
        let answer = match Answer::decode(bytes) {
            Ok(answer) => answer,
            Err(error) => {
                let questions = self.peers.failed(from);
                self.give_up(questions);
                if !error.is_other_version() {
                    self.blame(from, error.into(), step);
                }
                return;
            }
        };
        // Too late, or twice, or never asked for: nothing is done for it.
        let Some(question) = self.peers.answered(from, answer.id()) else {
            return;
        };
        self.give_up([question.clone()]);
        match (question, answer) {
            (
                Question::Compare,
                Answer::Heads {
                    rotations,
                    notes,
                    forks,
                    cosigned,
                    ..
                },
            ) => {
                if self.take_rotations(from, &rotations, step) {
                    self.take_heads(from, &notes, forks, step);
                }
                self.save_keys(step);
                self.settle(from, step);
                self.take_cosigned(from, cosigned, step);
            }
            (
                Question::Pull {
                    organization,
                    from: asked,
                },
                Answer::Piece(piece),
            ) => {
                let Some(track) = self.tracks.get(&organization) else {
                    return;
                };
                if track.flight.is_some() && !track.frozen {
                    let waiting = Waiting::Piece {
                        from: from.to_owned(),
                        asked,
                        piece,
                    };
                    self.wait(&organization, waiting, step);
                } else {
                    self.take_piece(&organization, from, asked, piece, step);
                }
            }
            (Question::Reconcile { rounds, found }, Answer::Reconciled { message, .. }) => {
                self.take_reconciled(from, rounds, found, &message, step);
            }
            (Question::Probe { organization, sizes }, Answer::Roots(roots)) => {
                self.take_roots(&organization, from, &sizes, &roots, step);
            }
            (Question::Salvage { organization }, Answer::Salvaged { records, .. }) => {
                self.take_salvaged(&organization, from, records, step);
            }
            (Question::Charters { from: first }, Answer::Charters { versions, .. }) => {
                self.take_charters(from, first, &versions, step);
            }
            (Question::Pull { organization, .. }, Answer::Refused { why: Refusal::Busy, .. }) => {
                self.peers.is_busy(from, step.now);
                self.pull(&organization, from);
            }
            // It finds fault with what is none, or does not know how, as files do not: a list it will understand.
            (
                Question::Reconcile { .. },
                Answer::Refused {
                    why: Refusal::Malformed | Refusal::NothingNew,
                    ..
                },
            ) => self.compare_heads(from, None, step),
            (_, Answer::Refused { .. }) => {}
            _ => self.blame(from, Misbehaviour::Inconsistent("an answer to something else"), step),
        }
    }

    fn take_heads(&mut self, from: &str, notes: &[String], forks: Vec<Fork>, step: &mut Step<'_>) {
        for fork in forks {
            let organization = self.organization_of(&fork.one.note);
            let track = organization.as_ref().and_then(|name| self.tracks.get(name));
            let known = track.and_then(|track| track.mark);
            if known.is_some_and(|known| known <= Mark::of(&fork)) {
                continue;
            }
            let Some(track) = track else {
                if self.is_of_consortium(&fork.one.note) {
                    continue;
                }
                return self.blame(from, Misbehaviour::WrongLog, step);
            };
            match fork.verify_knowing(&self.charter, &track.keys) {
                Ok(organization) => {
                    self.freeze(&organization, fork, step);
                }
                Err(error) if error.is_false() => return self.blame(from, error.into(), step),
                Err(_) => {}
            }
        }
        for note in notes {
            let Some(organization) = self.organization_of(note) else {
                if self.is_of_consortium(note) {
                    continue;
                }
                return self.blame(from, Misbehaviour::WrongLog, step);
            };
            let Some(track) = self.tracks.get_mut(&organization) else {
                continue;
            };
            if track.is_closed() || track.has_note(note) {
                continue;
            }
            let head = match track.verify(note) {
                Ok(head) => head,
                // The rotations that the sender knows have come first: it is behind, and nobody is to blame.
                Err(HeadError::OtherKey) => continue,
                Err(error) => return self.blame(from, error.into(), step),
            };
            if is_from_the_future(&head, step.now) {
                continue;
            }
            if head.size() > track.size() {
                self.pull(&organization, from);
            } else if track.flight.is_none() {
                self.take_head(&organization, head, step);
            }
        }
    }
}

/// How far this node is in a log.
fn standpoint(organization: &Did, track: &Track) -> Standpoint {
    let Lasting {
        size,
        root,
        fork,
        rotations,
    } = track.lasting();
    Standpoint {
        organization: organization.as_str().to_owned(),
        size,
        root,
        time: track.held.log.head.as_ref().map_or(0, seconds),
        fork,
        cosigned: if track.frozen { 0 } else { track.witnesses.fingerprint() },
        rotations,
    }
}

/// Time of a head as it stands in a [`Standpoint`].
pub(super) fn seconds(head: &Head) -> u64 {
    u64::try_from(head.time().unix_seconds()).unwrap_or(0)
}
