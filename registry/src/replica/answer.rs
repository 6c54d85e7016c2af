//! Answering: heads and entries as they are in the store, to members only.

use std::collections::BTreeMap;

use super::exchange::seconds;
use super::forks::Mark;
use super::witness;
use super::{Effect, Misbehaviour, Replica, Step};
use crate::fork::Fork;
use crate::limits;
use crate::log::LogState;
use crate::message::{Answer, Ask, Cosigned, Piece, Refusal, Standpoint};
use crate::store::ReadError;

impl Replica {
    pub(super) fn asked(&mut self, from: &str, token: u64, bytes: &[u8], step: &mut Step<'_>) {
        let answer = self.answer(from, bytes, step);
        step.push(Effect::SendResponse {
            token,
            bytes: answer.encode(),
        });
    }

    fn answer(&mut self, from: &str, bytes: &[u8], step: &mut Step<'_>) -> Answer {
        if !self.peers.is_member(from) {
            step.penalize(from, Misbehaviour::NotMember);
            return Answer::Refused {
                id: 0,
                why: Refusal::NotMember,
            };
        }
        let ask = match Ask::decode(bytes) {
            Ok(ask) => ask,
            Err(error) => {
                if !error.is_other_version() {
                    step.penalize(from, error);
                }
                return Answer::Refused {
                    id: 0,
                    why: Refusal::Malformed,
                };
            }
        };
        if !self.peers.may_ask(from, step.now) {
            return Answer::Refused {
                id: ask.id(),
                why: Refusal::Busy,
            };
        }
        match ask {
            Ask::Charters { id, from } => self.charters_from(id, from, step),
            Ask::Compare {
                id,
                charter,
                logs,
                only,
            } => {
                let answer = self.newer(id, from, &logs, only, step);
                self.compare_chains(from, &charter, step);
                self.compare_where_behind(from, &logs, step);
                self.look_into_forks(from, &logs, step);
                answer
            }
            Ask::Reconcile { id, message } => self.reconciled(id, from, &message, step),
            Ask::Probe {
                id,
                organization,
                sizes,
            } => self.roots(id, &organization, &sizes, step),
            Ask::Salvage { id, organization, have } => self.salvaged(id, &organization, have, step),
            Ask::Pull { id, organization, from } => {
                let piece = self.piece(id, &organization, from, step);
                match step.read(piece) {
                    Some(Some(piece)) => Answer::Piece(piece),
                    Some(None) => Answer::Refused {
                        id,
                        why: Refusal::NothingNew,
                    },
                    None => Answer::Refused {
                        id,
                        why: Refusal::Unavailable,
                    },
                }
            }
        }
    }

    /// Heads newer than the asker's, longer logs first, and forks that it does not know of. The asker's own log counts as
    /// asked about always.
    fn newer(&self, id: u64, asker: &str, theirs: &[Standpoint], only: bool, step: &mut Step<'_>) -> Answer {
        let own = self.peers.organization(asker);
        let unavailable = Answer::Refused {
            id,
            why: Refusal::Unavailable,
        };
        // What is not said of the asker's own log would read as "there is no more of it".
        if own.and_then(|own| self.tracks.get(own)).is_some_and(|track| track.lost) {
            return unavailable;
        }
        let theirs: BTreeMap<&str, &Standpoint> = theirs.iter().map(|log| (log.organization.as_str(), log)).collect();
        let (mut longer, mut fresher, mut frozen) = (Vec::new(), Vec::new(), Vec::new());
        for (organization, track) in &self.tracks {
            let them = theirs.get(organization.as_str()).copied();
            if only && them.is_none() && Some(organization) != own {
                continue;
            }
            if track.removed {
                continue;
            }
            if track.frozen {
                let known = them.and_then(|them| them.fork.as_ref()).map(Mark::said);
                if track.mark.is_some_and(|mark| known.is_none_or(|known| mark < known)) {
                    frozen.push(organization);
                }
                continue;
            }
            let Some(head) = track.held.log.head.as_ref().filter(|_| !track.is_closed()) else {
                continue;
            };
            match them {
                Some(them) if them.fork.is_some() || them.size > head.size() => {}
                Some(them) if them.size == head.size() => {
                    if them.root != *head.root() || seconds(head) > them.time {
                        fresher.push(organization);
                    }
                }
                _ => longer.push(organization),
            }
        }
        longer.extend(fresher);
        // A node that was restored from a backup learns first what it has said itself.
        longer.sort_by_key(|organization| Some(*organization) != own);
        let (mut notes, mut forks, mut room) = (Vec::new(), Vec::new(), limits::HEADS_BYTES);
        let unasked = if only { usize::MAX } else { 0 };
        let knows = |name: &str| theirs.get(name).map_or(unasked, |them| usize::from(them.rotations));
        let rotations = self.unknown_rotations(knows, &mut room);
        for organization in frozen {
            let Some(Some(fork)) = step.read(Fork::stored(organization.as_str(), step.reader)) else {
                continue;
            };
            let Some(left) = room.checked_sub(fork.encode().len()) else {
                break;
            };
            room = left;
            forks.push(fork);
        }
        for organization in longer {
            let state = LogState::read(organization.as_str(), step.reader);
            let Some(head) = step.read(state).and_then(|state| state.head) else {
                if Some(organization) == own {
                    return unavailable;
                }
                continue;
            };
            let Some(left) = room.checked_sub(head.note().len() + 2) else {
                break;
            };
            room = left;
            notes.push(head.note().to_owned());
        }
        let cosigned = self.cosigned(&theirs, only, room, step);
        Answer::Heads {
            id,
            rotations,
            notes,
            forks,
            cosigned,
        }
    }

    /// The cosignatures of those logs of which the asker holds others.
    fn cosigned(
        &self,
        theirs: &BTreeMap<&str, &Standpoint>,
        only: bool,
        mut room: usize,
        step: &mut Step<'_>,
    ) -> Vec<Cosigned> {
        let mut all = Vec::new();
        for (organization, track) in &self.tracks {
            let them = theirs.get(organization.as_str());
            if only && them.is_none() {
                continue;
            }
            let ours = track.witnesses.fingerprint();
            let equal = them.map_or(0, |them| them.cosigned) == ours;
            if ours == 0 || equal || track.is_closed() || them.is_some_and(|them| them.fork.is_some()) {
                continue;
            }
            let read = witness::sent(organization, step.reader);
            for cosigned in step.read(read).unwrap_or_default() {
                let Some(left) = room.checked_sub(cosigned.bytes()) else {
                    return all;
                };
                room = left;
                all.push(cosigned);
            }
        }
        all
    }

    /// Whether the asker has something of a log that is missing here.
    pub(super) fn is_behind(&self, them: &Standpoint) -> bool {
        self.tracks.get(them.organization.as_str()).is_some_and(|track| {
            let ours = track.held.log.head.as_ref();
            let ours = ours.map_or((0, 0), |head| (head.size(), seconds(head)));
            let knows = usize::from(them.rotations) > track.keys.rotations().len();
            let parting = them.fork.as_ref().map(Mark::said);
            let knows_more = parting.is_some_and(|theirs| track.mark.is_none_or(|ours| theirs < ours));
            let is_ahead = !track.is_closed() && (knows || (them.size, them.time) > ours);
            !track.lost && !track.unreadable && (knows_more || is_ahead)
        })
    }

    fn piece(&self, id: u64, organization: &str, from: u64, step: &Step<'_>) -> Result<Option<Piece>, ReadError> {
        let Some((name, track)) = self.tracks.get_key_value(organization) else {
            return Ok(None);
        };
        let most = track.mark.map_or(u64::MAX, Mark::common);
        if track.lost || track.disowned || from >= most {
            return Ok(None);
        }
        let name = name.as_str();
        let Some(head) = LogState::read(name, step.reader)?.head else {
            return Ok(None);
        };
        crate::served::piece(id, (name, head.note(), head.size()), (from, most), step.reader)
    }
}
