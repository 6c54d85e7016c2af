//! Charter versions: heard, checked, stored, and only then acted on. From then on the new members have logs here, those who
//! were removed speak no longer, and keys and peer ids are those of the new cards.
//!
//! Who knows another version than this program is never blamed for what follows from it.

use std::collections::BTreeSet;

use syndic_vc::did::Did;

use super::peers::Question;
use super::track::{Track, Waiting};
use super::{Effect, PublishError, Replica, Step, Verdict};
use crate::charter::{ChainError, Charter, CharterChain, SignedCharter, Taken};
use crate::cosignature;
use crate::limits;
use crate::message::{Answer, Ask, Broadcast, ChainPoint, Refusal};
use crate::store::{self, Batch, ReadError};

/// The chain, and what of it is under way to the disk.
pub(super) struct Charters {
    /// What the store holds, and what is acted on.
    chain: CharterChain,
    /// All valid versions that were heard.
    heard: CharterChain,
    flight: Option<Flight>,
    /// Publications of versions that are to be stored with the next batch.
    tickets: Vec<u64>,
}

struct Flight {
    batch: u64,
    chain: CharterChain,
    tickets: Vec<u64>,
}

impl Charters {
    pub(super) fn new(chain: CharterChain) -> Self {
        Self {
            heard: chain.clone(),
            chain,
            flight: None,
            tickets: Vec::new(),
        }
    }
}

impl Replica {
    /// The charters that are acted on.
    #[must_use]
    pub fn chain(&self) -> &CharterChain {
        &self.charters.chain
    }

    /// Where the own chain ends.
    pub(super) fn chain_point(&self) -> ChainPoint {
        let chain = &self.charters.chain;
        ChainPoint {
            version: chain.current().version(),
            hash: chain.current().hash().to_owned(),
            conflict: chain.conflict().is_some(),
        }
    }

    fn hear(&mut self, signed: &SignedCharter) -> Result<Taken, ChainError> {
        self.charters.heard.take(signed)
    }

    /// The own operator has a version that enough members have signed.
    pub(super) fn publish_charter(&mut self, ticket: u64, signed: &SignedCharter, step: &mut Step<'_>) {
        let refused = match self.hear(signed) {
            Ok(Taken::New | Taken::Conflict) => {
                self.charters.tickets.push(ticket);
                return self.store_charters(step);
            }
            Ok(Taken::Known) => PublishError::CharterKnown,
            Ok(Taken::Unconnected) => PublishError::Charter(ChainError::Order {
                before: self.charters.heard.current().version(),
                found: signed.version(),
            }),
            Err(error) => PublishError::Charter(error),
        };
        step.refuse([ticket], &refused);
    }

    pub(super) fn told_of_charter(&mut self, from: &str, token: u64, bytes: &[u8], step: &mut Step<'_>) {
        if !self.may_check(from, step) {
            return step.verdict(token, Verdict::Ignore);
        }
        let taken = SignedCharter::parse(bytes)
            .map_err(ChainError::from)
            .and_then(|signed| self.hear(&signed));
        match taken {
            Ok(Taken::New | Taken::Conflict) => step.verdict(token, Verdict::Accept),
            Ok(Taken::Known) | Err(ChainError::TooLong) => step.verdict(token, Verdict::Ignore),
            Ok(Taken::Unconnected) => {
                step.verdict(token, Verdict::Ignore);
                let next = self.charters.heard.current().version() + 1;
                self.ask_charters(from, next, step);
            }
            Err(error) => return step.reject(token, from, error),
        }
        self.store_charters(step);
    }

    /// A peer has said where its chain ends: asks for what is missing here, or lets it ask.
    pub(super) fn compare_chains(&mut self, peer: &str, theirs: &ChainPoint, step: &mut Step<'_>) {
        let ours = self.chain_point();
        let heard = self.charters.heard.current().version();
        if *theirs == ours {
            return;
        }
        if theirs.conflict {
            if !ours.conflict || theirs.version < ours.version {
                self.ask_charters(peer, theirs.version + 1, step);
            }
        } else if ours.conflict {
            // It learns of the two from us, once it has seen that we know more.
            self.compare_back(peer, step);
        } else if theirs.version > heard {
            self.ask_charters(peer, heard + 1, step);
        } else if theirs.version < ours.version {
            self.compare_back(peer, step);
        } else if theirs.version == ours.version {
            self.ask_charters(peer, 2, step);
        }
    }

    fn ask_charters(&mut self, peer: &str, from: u32, step: &mut Step<'_>) {
        if let Some(id) = self.peers.ask(peer, Question::Charters { from }, step.now) {
            step.push(Effect::SendRequest {
                to: peer.to_owned(),
                bytes: Ask::Charters { id, from }.encode(),
            });
        }
    }

    /// The versions from one on, as they are stored, as many as fit; after the last one the two that contradict each other.
    pub(super) fn charters_from(&self, id: u64, from: u32, step: &mut Step<'_>) -> Answer {
        let read = self.read_charters(id, from, step);
        match step.read(read) {
            Some(versions) => Answer::Charters { id, versions },
            None => Answer::Refused {
                id,
                why: Refusal::Unavailable,
            },
        }
    }

    fn read_charters(&self, id: u64, from: u32, step: &Step<'_>) -> Result<Vec<Vec<u8>>, ReadError> {
        let chain = &self.charters.chain;
        let (mut versions, mut room) = (Vec::new(), limits::SIGNED_CHARTER_BYTES);
        let mut fits = |bytes: Vec<u8>| match room.checked_sub(bytes.len()) {
            Some(left) if versions.len() < limits::CHARTERS_AT_ONCE => {
                room = left;
                versions.push(bytes);
                true
            }
            _ => false,
        };
        for version in from.max(2)..=chain.current().version() {
            let stored = step.reader.get(&store::charter(version))?;
            if !stored.is_some_and(&mut fits) {
                return Ok(versions);
            }
        }
        if let Some(conflict) = chain.conflict().filter(|conflict| from <= conflict.version()) {
            // If both do not fit, each comes first in turn.
            let mut two = conflict.versions().map(SignedCharter::to_bytes);
            if id % 2 == 1 {
                two.reverse();
            }
            two.into_iter().all(fits);
        }
        Ok(versions)
    }

    pub(super) fn take_charters(&mut self, peer: &str, from: u32, versions: &[Vec<u8>], step: &mut Step<'_>) {
        let (mut news, mut last) = (false, from);
        for bytes in versions {
            let signed = match SignedCharter::parse(bytes) {
                Ok(signed) => signed,
                Err(error) => {
                    self.blame(peer, ChainError::from(error).into(), step);
                    break;
                }
            };
            last = last.max(signed.version());
            match self.hear(&signed) {
                Ok(Taken::New | Taken::Conflict) => news = true,
                Ok(Taken::Known) | Err(ChainError::TooLong) => {}
                Ok(Taken::Unconnected) => {
                    // The chains part further down.
                    if from > 2 {
                        self.ask_charters(peer, 2, step);
                    }
                    break;
                }
                Err(error) => {
                    self.blame(peer, error.into(), step);
                    break;
                }
            }
        }
        if news && self.charters.heard.conflict().is_none() {
            self.ask_charters(peer, last + 1, step);
        }
        self.store_charters(step);
    }

    /// Stores what was heard, unless something is being stored already.
    pub(super) fn store_charters(&mut self, step: &mut Step<'_>) {
        let charters = &mut self.charters;
        if charters.flight.is_some() {
            return;
        }
        let (writes, expectations) = charters.heard.writes_since(&charters.chain);
        if writes.is_empty() {
            let tickets = std::mem::take(&mut charters.tickets);
            return step.acknowledge(&tickets, charters.chain.current());
        }
        let batch = self.next_batch;
        self.next_batch += 1;
        charters.flight = Some(Flight {
            batch,
            chain: charters.heard.clone(),
            tickets: std::mem::take(&mut charters.tickets),
        });
        step.push(Effect::Persist {
            batch,
            content: Batch { writes, expectations },
            tickets: Vec::new(),
        });
    }

    /// Whether the batch held charters, which are durable now.
    pub(super) fn charters_stored(&mut self, batch: u64, step: &mut Step<'_>) -> bool {
        let Some(flight) = self.charters.flight.take_if(|flight| flight.batch == batch) else {
            return false;
        };
        step.acknowledge(&flight.tickets, flight.chain.current());
        self.adopt(flight.chain, step);
        self.store_charters(step);
        true
    }

    /// Whether the batch held charters: it may be there all the same, and otherwise is tried again at the next tick.
    pub(super) fn charters_failed(&mut self, batch: u64, step: &mut Step<'_>) -> bool {
        let Some(flight) = self.charters.flight.take_if(|flight| flight.batch == batch) else {
            return false;
        };
        self.charters.tickets.extend(flight.tickets);
        let stored = CharterChain::stored(step.reader);
        if let Some(Some(chain)) = step.read(stored)
            && chain != self.charters.chain
        {
            self.adopt(chain, step);
        }
        true
    }

    /// Acts on a chain that is stored.
    fn adopt(&mut self, chain: CharterChain, step: &mut Step<'_>) {
        let before = std::mem::replace(&mut self.charters.chain, chain.clone());
        let large = self.announce_charters(&before, step);
        self.charter = chain.current().clone();
        let ids = self.charter.members().iter().flat_map(|card| {
            let ids = card.peer_ids().iter();
            ids.map(|id| (id.clone(), card.did().clone()))
        });
        let questions = self.peers.replace(ids.collect());
        self.give_up(questions);
        self.retrack(before.current(), step);
        step.push(Effect::Charter(Box::new(chain)));
        if large {
            for peer in self.peers.connected_peers() {
                self.compare(&peer, step);
            }
        }
        self.publish_next(step);
    }

    /// Tells the others what is new; says whether something is too long for a broadcast.
    fn announce_charters(&self, before: &CharterChain, step: &mut Step<'_>) -> bool {
        let chain = &self.charters.chain;
        let mut news: Vec<Vec<u8>> = Vec::new();
        for version in 2..=chain.current().version() {
            if chain.signed(version) != before.signed(version) {
                news.extend(chain.signed(version).map(<[u8]>::to_vec));
            }
        }
        if chain.conflict() != before.conflict()
            && let Some(conflict) = chain.conflict()
        {
            news.extend(conflict.versions().map(SignedCharter::to_bytes));
        }
        let mut large = false;
        for bytes in news {
            let broadcast = Broadcast::Charter(bytes).encode();
            if broadcast.len() <= limits::BROADCAST_BYTES {
                step.push(Effect::Announce(broadcast));
            } else {
                large = true;
            }
        }
        large
    }

    /// One track for each member: new ones begin, those of who is gone are closed, keys are those of the cards.
    fn retrack(&mut self, before: &Charter, step: &mut Step<'_>) {
        let me = self.own.as_ref().map(|own| own.me.organization.clone());
        let charter = self.charter.clone();
        for card in charter.members() {
            let appointed = me
                .as_ref()
                .is_some_and(|me| cosignature::is_appointed(&charter, card.did().as_str(), me.as_str()));
            let same = before.member(card.did().as_str()) == Some(card);
            if let Some(track) = self.tracks.get_mut(card.did()) {
                track.removed = false;
                track.witnesses.appoint(appointed);
                if !same {
                    let read = track.take_card(charter.id(), card, step.reader);
                    step.read(read);
                }
            } else {
                let loaded = Track::load(charter.id(), card, appointed, step.reader);
                if let Some(track) = step.read(loaded) {
                    self.tracks.insert(card.did().clone(), track);
                }
            }
        }
        if let Some(own) = &mut self.own
            && let Some(track) = self.tracks.get(&own.me.organization)
        {
            own.use_key(track.keys.newest());
        }
        let gone: BTreeSet<Did> = self
            .tracks
            .keys()
            .filter(|did| charter.member(did.as_str()).is_none())
            .cloned()
            .collect();
        for did in gone {
            let Some(track) = self.tracks.get_mut(&did) else {
                continue;
            };
            track.removed = true;
            track.doubt = None;
            for message in std::mem::take(&mut track.waiting) {
                self.waiting_bytes = self.waiting_bytes.saturating_sub(message.bytes());
                if let Waiting::News { token, .. } = message {
                    step.verdict(token, Verdict::Ignore);
                }
            }
        }
    }

    /// Members whose track could not be read when they were admitted, and charters that could not be stored.
    pub(super) fn repair_charters(&mut self, step: &mut Step<'_>) {
        let charter = &self.charter;
        if charter
            .members()
            .iter()
            .any(|card| !self.tracks.contains_key(card.did()))
        {
            let before = charter.clone();
            self.retrack(&before, step);
        }
        self.store_charters(step);
    }
}

impl Step<'_> {
    fn acknowledge(&mut self, tickets: &[u64], charter: &Charter) {
        for ticket in tickets {
            self.push(Effect::Acknowledge {
                ticket: *ticket,
                first: u64::from(charter.version()),
                count: 1,
            });
        }
    }
}
