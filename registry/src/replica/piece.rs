//! Pulling: entries that are missing are asked for piece by piece, from whoever has them. What
//! was stored of one piece need not be asked for again, after a restart and from another peer.

use syndic_vc::did::Did;

use super::peers::Question;
use super::track::is_from_the_future;
use super::{Effect, Misbehaviour, Replica, Step};
use crate::fork::{Branch, Fork};
use crate::head::{Head, HeadError};
use crate::log::{self, Frontier};
use crate::message::{Ask, Piece};
use crate::proof;
use crate::store::Write;

impl Replica {
    /// Asks a peer for the entries that follow those that are stored.
    pub(super) fn pull(&mut self, organization: &Did, peer: &str) {
        let from = self.tracks.get(organization).map_or(0, super::track::Track::size);
        self.queue_pull(organization, peer, from);
    }

    /// Notes that entries from there on are to be asked for, when it is the log's turn.
    fn queue_pull(&mut self, organization: &Did, peer: &str, from: u64) {
        let track = self.tracks.get(organization);
        if track.is_some_and(|track| !track.pulling && track.may_be_pulled()) {
            self.queue.add(organization, peer, from);
        }
    }

    /// Asks for entries from there on; says whether it did.
    pub(super) fn pull_from(&mut self, organization: &Did, peer: &str, from: u64, step: &mut Step<'_>) -> bool {
        let Some(track) = self.tracks.get_mut(organization) else {
            return false;
        };
        if track.pulling || !track.may_be_pulled() {
            return false;
        }
        // Others may have brought some meanwhile.
        let from = from.max(track.size());
        let question = Question::Pull {
            organization: organization.clone(),
            from,
        };
        let Some(id) = self.peers.ask(peer, question, step.now) else {
            return false;
        };
        track.pulling = true;
        let ask = Ask::Pull {
            id,
            organization: organization.as_str().to_owned(),
            from,
        };
        step.push(Effect::SendRequest {
            to: peer.to_owned(),
            bytes: ask.encode(),
        });
        true
    }

    /// Takes a piece in, if no batch of its log is in flight. `asked` is where it should begin.
    pub(super) fn take_piece(&mut self, organization: &Did, from: &str, asked: u64, piece: Piece, step: &mut Step<'_>) {
        let Some(track) = self.tracks.get(organization) else {
            return;
        };
        let frozen = track.mark.is_some();
        if track.is_full() || track.size() < asked || (frozen && track.flight.is_some()) {
            // The store failed meanwhile, and what this piece follows is gone.
            return;
        }
        let checked = match self.verify(organization, &piece.note, &piece.entries, from, step) {
            Ok(head) => check_ends(asked, &piece, &head).map(|()| head),
            Err(HeadError::OtherKey) => return self.compare_back(from, step),
            Err(error) => Err(error.into()),
        };
        let head = match checked {
            Ok(head) => head,
            Err(why) => return self.blame(from, why, step),
        };
        let Some(track) = self.tracks.get(organization).filter(|track| !track.is_full()) else {
            return;
        };
        if is_from_the_future(&head, step.now) {
            return;
        }
        let size = track.size();
        let end = piece.from + piece.entries.len() as u64;
        if track.mark.is_some_and(|mark| end > mark.common()) {
            // The peer does not know yet how little the stories share.
            return;
        }
        if head.size() <= size {
            if !frozen {
                self.take_head(organization, head, step);
            }
            return;
        }
        if end <= size {
            // Others were faster with these entries.
            return self.pull(organization, from);
        }
        if piece.from == size && piece.start_root != track.held.log.frontier.root() {
            return self.prove_fork(organization, &piece, step);
        }
        let fresh = piece.entries.get((size - piece.from) as usize..).unwrap_or_default();
        let Some(grown) = self.append_piece(organization, fresh, &head, &piece.end_proof) else {
            // The beginning agrees with our log if it was compared with it: then the entries are
            // not the log's. Otherwise they are asked for again, from where our log ends.
            return if piece.from == size {
                self.blame(from, Misbehaviour::Tampered, step);
            } else {
                self.pull(organization, from);
            };
        };
        let more = end < head.size();
        let taken = self.take_entries(organization, fresh, grown, head, piece.end_proof, step);
        if taken && more {
            self.queue_pull(organization, from, end);
        }
    }

    /// The log with these entries, if they lead to the head.
    fn append_piece(
        &self,
        organization: &Did,
        entries: &[Vec<u8>],
        head: &Head,
        end_proof: &[log::Hash],
    ) -> Option<(Frontier, Vec<Write>)> {
        let track = self.tracks.get(organization)?;
        let frontier = &track.held.log.frontier;
        let (frontier, writes) = log::append(organization.as_str(), frontier, entries).ok()?;
        let (end, root) = (frontier.size(), frontier.root());
        proof::verify_consistency(end, &root, head.size(), head.root(), end_proof).ok()?;
        Some((frontier, writes))
    }

    /// The head of a piece does not extend the own entries, and proves it: so two signed heads do
    /// not agree about them.
    fn prove_fork(&mut self, organization: &Did, piece: &Piece, step: &mut Step<'_>) {
        let Some(track) = self.tracks.get(organization) else {
            return;
        };
        let log = &track.held.log;
        let (note, proof) = match (&track.held.promise, &log.head) {
            (Some(promise), _) => (promise.head.note(), promise.proof.clone()),
            (None, Some(head)) => (head.note(), Vec::new()),
            (None, None) => return,
        };
        let one = Branch {
            note: note.to_owned(),
            root: log.frontier.root(),
            proof,
        };
        let other = Branch {
            note: piece.note.clone(),
            root: piece.start_root,
            proof: piece.start_proof.clone(),
        };
        let rotations = track.keys.rotations().to_vec();
        self.freeze(
            organization,
            Fork {
                at: piece.from,
                one,
                other,
                common: None,
                rotations,
            },
            step,
        );
    }

    /// A peer answered what no honest node answers.
    pub(super) fn blame(&mut self, peer: &str, why: Misbehaviour, step: &mut Step<'_>) {
        self.peers.rest(peer, step.now);
        step.penalize(peer, why);
    }
}

/// Whether the piece is the one that was asked for, and its beginning is proven.
fn check_ends(asked: u64, piece: &Piece, head: &Head) -> Result<(), Misbehaviour> {
    let end = piece.from + piece.entries.len() as u64;
    if piece.from != asked {
        return Err(Misbehaviour::Inconsistent("entries from another place than asked"));
    }
    if end > head.size() || (piece.entries.is_empty() && end < head.size()) {
        return Err(Misbehaviour::Inconsistent("entries that do not fit their head"));
    }
    let (size, root) = (head.size(), head.root());
    proof::verify_consistency(piece.from, &piece.start_root, size, root, &piece.start_proof)
        .map_err(|_| Misbehaviour::FalseBeginning)
}
