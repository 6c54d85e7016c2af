//! What a replica knows of one log, and what is under way about it.

use std::collections::{BTreeSet, VecDeque};

use syndic_vc::key::PublicKey;
use syndic_vc::time::Timestamp;

use super::Peer;
use super::forks::Mark;
use super::peers::Budget;
use super::witness::Witnesses;
use crate::charter::MemberCard;
use crate::fork::Fork;
use crate::fork::salvage::Salvage;
use crate::head::{self, Head, HeadError};
use crate::limits;
use crate::log::{Hash, LogState};
use crate::log_keys::{LogKeys, Rotation};
use crate::message::codec::{Decoder, Encoder};
use crate::message::{self, News, Piece};
use crate::store::{self, ReadError, Reader, Write};

/// One log.
pub(super) struct Track {
    origin: String,
    organization: String,
    pub(super) keys: LogKeys,
    /// How many rotations the store holds.
    keys_stored: usize,
    /// Entries were taken from a key that had been replaced: what is held is not the organization's word.
    pub(super) disowned: bool,
    /// What the store holds.
    pub(super) held: Held,
    /// Whether the store holds evidence against the organization, or is about to.
    pub(super) frozen: bool,
    /// What is known of where its stories part; present exactly if it is frozen.
    pub(super) mark: Option<Mark>,
    /// The place of the proof that was told of last.
    pub(super) told: Option<(u64, bool)>,
    /// How often a proof may still take the place of one that says the same.
    pub(super) proofs: Budget,
    /// What is honoured of its stories all the same.
    pub(super) salvage: Salvage,
    /// How far the own branch was looked through for that, after what the stories share.
    pub(super) scanned: u64,
    /// Roots of branches that were compared with the own one.
    pub(super) probed: BTreeSet<Hash>,
    /// Evidence that the store does not hold yet.
    pub(super) evidence: Option<Fork>,
    /// The one batch that is being stored.
    pub(super) flight: Option<Flight>,
    /// What came in meanwhile.
    pub(super) waiting: VecDeque<Waiting>,
    /// Bytes of that.
    pub(super) waiting_bytes: usize,
    /// Broadcasts that may still be taken and handed on.
    pub(super) news: Budget,
    /// Whether entries are being pulled.
    pub(super) pulling: bool,
    /// A valid head that is further than the entries, to be checked once they are there.
    pub(super) doubt: Option<Doubt>,
    /// Size of the largest valid head ever seen.
    pub(super) known: u64,
    /// An entry that is no statement: the log is followed up to there.
    pub(super) unreadable: bool,
    /// The charter has removed the organization: it speaks no longer, and what it said stays as it is.
    pub(super) removed: bool,
    /// The store could not be read after it failed: nothing is known until it can.
    pub(super) lost: bool,
    /// Who cosigned it.
    pub(super) witnesses: Witnesses,
    /// The head that was checked last, and the newest key then: it comes again with the entries that it covers.
    checked: Option<(PublicKey, Head)>,
    /// How many signatures of heads were checked.
    pub(super) head_checks: u64,
}

/// State of a log in the store.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Held {
    pub(super) log: LogState,
    /// Present exactly if there are entries beyond the head.
    pub(super) promise: Option<Promise>,
}

/// A head that is further than the entries, and proof that they are its beginning: what vouches
/// for entries in the middle of a long catch-up.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Promise {
    pub(super) head: Head,
    /// From the size of the frontier to that of the head.
    pub(super) proof: Vec<Hash>,
}

/// A batch that is being stored.
pub(super) struct Flight {
    pub(super) batch: u64,
    pub(super) cargo: Cargo,
    /// How many rotations the store holds once the batch is there.
    pub(super) keys: usize,
}

pub(super) enum Cargo {
    /// Entries or a head of the own log.
    Own { next: Held, publications: Vec<Publication> },
    /// Entries or a head of another log, or of the own log as peers had it.
    Received { next: Held },
    /// Evidence against the organization.
    Evidence(Fork),
    /// Rotations of the log's key alone.
    Keys,
    /// What is honoured of its stories.
    Salvage,
}

/// A publication in a batch that is being stored.
pub(super) struct Publication {
    pub(super) ticket: u64,
    pub(super) first: u64,
    pub(super) count: usize,
}

/// A message that waits for the batch before it.
pub(super) enum Waiting {
    News { from: Peer, token: u64, news: News },
    Piece { from: Peer, asked: u64, piece: Piece },
}

/// A valid head not yet compared with the entries up to it.
pub(super) struct Doubt {
    pub(super) head: Head,
    pub(super) peer: Peer,
    /// The peer sent entries with it that do not lead to it: it either tells of a fork, or lies.
    pub(super) accused: bool,
}

impl Track {
    pub(super) fn load(
        consortium: &str,
        card: &MemberCard,
        appointed: bool,
        reader: &dyn Reader,
    ) -> Result<Self, ReadError> {
        let organization = card.did().as_str();
        let held = Held::read(organization, reader)?;
        let keys = store::log_keys(consortium, card, reader)?;
        let fork = Fork::stored(organization, reader)?;
        let salvage = match fork {
            Some(_) => Salvage::stored(organization, reader)?,
            None => Salvage::default(),
        };
        let mut track = Self {
            mark: fork.as_ref().map(Mark::of),
            told: fork.as_ref().map(|fork| Mark::of(fork).place()),
            proofs: Budget::new(limits::PROOFS_BURST, limits::PROOFS_PER_SECOND),
            salvage,
            scanned: 0,
            probed: BTreeSet::new(),
            origin: head::origin(consortium, organization),
            keys_stored: keys.rotations().len(),
            keys,
            disowned: false,
            organization: organization.to_owned(),
            known: held.known(),
            held,
            frozen: fork.is_some(),
            evidence: None,
            flight: None,
            waiting: VecDeque::new(),
            waiting_bytes: 0,
            news: Budget::new(limits::NEWS_BURST, limits::NEWS_PER_SECOND),
            pulling: false,
            doubt: None,
            unreadable: false,
            lost: false,
            removed: false,
            witnesses: Witnesses::load(organization, appointed, reader)?,
            checked: None,
            head_checks: 0,
        };
        track.check_keys();
        Ok(track)
    }

    /// A charter has given the organization another card: its keys are those of that one.
    pub(super) fn take_card(
        &mut self,
        consortium: &str,
        card: &MemberCard,
        reader: &dyn Reader,
    ) -> Result<(), ReadError> {
        self.keys = LogKeys::new(consortium, card);
        self.keys_stored = 0;
        self.disowned = false;
        self.keys = store::log_keys(consortium, card, reader)?;
        self.keys_stored = self.keys.rotations().len();
        self.check_keys();
        Ok(())
    }

    /// The rotations that the store holds.
    pub(super) fn stored_rotations(&self) -> &[Rotation] {
        self.keys.rotations().get(..self.keys_stored).unwrap_or_default()
    }

    pub(super) fn has_unsaved_keys(&self) -> bool {
        self.keys_stored < self.keys.rotations().len()
    }

    /// Rows for the rotations that the store does not hold yet.
    pub(super) fn key_rows(&self) -> Vec<Write> {
        let unsaved = self.keys.rotations().iter().skip(self.keys_stored);
        unsaved
            .map(|rotation| Write::put(store::log_key(&self.organization, rotation.from), rotation.encode()))
            .collect()
    }

    pub(super) fn keys_are_stored(&mut self, keys: usize) {
        self.keys_stored = self.keys_stored.max(keys).min(self.keys.rotations().len());
    }

    /// Whether the heads that are held were signed by the keys that are known by now.
    pub(super) fn check_keys(&mut self) {
        if self.keys.rotations().is_empty() {
            return;
        }
        let keys = &self.keys;
        self.disowned |= self
            .held
            .heads()
            .any(|head| !head.is_labelled_with(keys.at(head.size())));
    }

    /// Back to what the store holds.
    pub(super) fn reload(&mut self, reader: &dyn Reader) -> Result<(), ReadError> {
        self.lost = true;
        self.held = Held::read(&self.organization, reader)?;
        if let Some(fork) = Fork::stored(&self.organization, reader)? {
            self.frozen = true;
            // Better evidence may be waiting to be stored.
            self.mark = self.mark.into_iter().chain([Mark::of(&fork)]).min();
        }
        if self.frozen {
            self.salvage = Salvage::stored(&self.organization, reader)?;
            self.scanned = 0;
        }
        self.known = self.known.max(self.held.known());
        self.witnesses.reload(&self.organization, reader)?;
        self.keys.forget();
        store::read_log_keys(&self.organization, &mut self.keys, reader)?;
        self.keys_stored = self.keys.rotations().len();
        self.check_keys();
        self.lost = false;
        Ok(())
    }

    pub(super) fn origin(&self) -> &str {
        &self.origin
    }

    /// Number of entries that are stored.
    pub(super) fn size(&self) -> u64 {
        self.held.log.frontier.size()
    }

    /// The mark, if this is a moment to honour something: all that the stories share is here, and nothing under way.
    pub(super) fn may_salvage(&self) -> Option<Mark> {
        self.mark
            .filter(|mark| !self.lost && self.flight.is_none() && self.size() >= mark.common())
    }

    /// Whether entries may still be taken: of a frozen log those that its stories share.
    pub(super) fn is_full(&self) -> bool {
        self.lost || self.disowned || self.mark.is_some_and(|mark| self.size() >= mark.common())
    }

    /// Whether entries may be asked for.
    pub(super) fn may_be_pulled(&self) -> bool {
        !self.is_full() && !self.unreadable
    }

    /// Remembers that a branch was compared.
    pub(super) fn has_probed(&mut self, root: Hash) {
        if self.probed.len() >= limits::PROBED_BRANCHES {
            self.probed.clear();
        }
        self.probed.insert(root);
    }

    /// Whether nothing can be taken in for good.
    pub(super) fn is_closed(&self) -> bool {
        self.frozen || self.lost || self.disowned || self.removed
    }

    /// Whether this very note is stored or being stored: nothing is to be learned from it.
    pub(super) fn has_note(&self, note: &str) -> bool {
        let next = match &self.flight {
            Some(Flight {
                cargo: Cargo::Own { next, .. } | Cargo::Received { next },
                ..
            }) => next.log.head.as_ref(),
            _ => None,
        };
        [self.held.log.head.as_ref(), next]
            .into_iter()
            .flatten()
            .any(|head| head.note() == note)
    }

    /// Checks a note, unless it is one that was checked before.
    pub(super) fn verify(&mut self, note: &str) -> Result<Head, HeadError> {
        let newest = self.keys.newest().clone();
        let known = {
            let checked = self.checked.iter().filter(|(key, _)| *key == newest);
            let mut seen = self.held.heads().chain(checked.map(|(_, head)| head));
            seen.find(|head| head.note() == note).cloned()
        };
        let head = match known {
            Some(head) => head,
            None => {
                self.head_checks += 1;
                let head = self.keys.verify(note, &self.origin)?;
                self.checked = Some((newest, head.clone()));
                head
            }
        };
        self.known = self.known.max(head.size());
        Ok(head)
    }

    /// Keeps a valid head in mind until the entries are there. The first one stays, unless the
    /// new one can convict a liar.
    pub(super) fn remember(&mut self, head: Head, peer: &str, accused: bool) {
        if self.doubt.as_ref().is_none_or(|old| accused && !old.accused) {
            self.doubt = Some(Doubt {
                head,
                peer: peer.to_owned(),
                accused,
            });
        }
    }
}

impl Held {
    pub(super) fn read(organization: &str, reader: &dyn Reader) -> Result<Self, ReadError> {
        let log = LogState::read(organization, reader)?;
        let promise = Promise::read(organization, reader)?;
        let size = log.frontier.size();
        let damaged = |what| ReadError::Damaged {
            place: format!("the log of {organization}"),
            what,
        };
        let covered = log.head.as_ref().map_or(0, Head::size);
        match &promise {
            None if covered != size => return Err(damaged("there are entries beyond its head")),
            Some(promise) if covered >= size || promise.head.size() <= size => {
                return Err(damaged("its head and the promised head do not fit its entries"));
            }
            _ => {}
        }
        let root_fits = log.head.as_ref().is_none_or(|head| *head.root() == log.frontier.root());
        if covered == size && !root_fits {
            return Err(damaged("its right edge does not lead to its head"));
        }
        Ok(Self { log, promise })
    }

    fn heads(&self) -> impl Iterator<Item = &Head> {
        let promised = self.promise.as_ref().map(|promise| &promise.head);
        self.log.head.iter().chain(promised)
    }

    fn known(&self) -> u64 {
        self.heads().map(Head::size).max().unwrap_or(0)
    }

    /// Whether a head of stored entries tells more than the one that is held.
    pub(super) fn is_older_than(&self, head: &Head) -> bool {
        self.log
            .head
            .as_ref()
            .is_none_or(|held| (held.size(), held.time()) < (head.size(), head.time()))
    }
}

impl Promise {
    /// Where a promise is stored; beside the state of the log, in the same batch.
    pub(super) fn key(organization: &str) -> Vec<u8> {
        [b"r/p".as_slice(), organization.as_bytes()].concat()
    }

    pub(super) fn encode(&self) -> Vec<u8> {
        let mut out = Encoder::default();
        out.hashes(&self.proof);
        out.run(&self.head.encode());
        out.finish()
    }

    fn read(organization: &str, reader: &dyn Reader) -> Result<Option<Self>, ReadError> {
        let Some(bytes) = reader.get(&Self::key(organization))? else {
            return Ok(None);
        };
        Self::decode(&bytes).map(Some).ok_or_else(|| ReadError::Damaged {
            place: format!("the log of {organization}"),
            what: "the promised head",
        })
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let mut from = Decoder::new(bytes);
        let proof = message::hashes(&mut from).ok()?;
        let head = Head::decode(from.run("bytes in a head", 8 + limits::NOTE_BYTES).ok()?)?;
        from.finish().ok()?;
        Some(Self { head, proof })
    }
}

/// Whether a head was signed further in the future than clocks may differ.
pub(super) fn is_from_the_future(head: &Head, now: Timestamp) -> bool {
    head.time().seconds_since(now) > limits::FUTURE_SECONDS
}

impl Waiting {
    /// What it takes in memory, about.
    pub(super) fn bytes(&self) -> usize {
        let (note, entries) = match self {
            Self::News { news, .. } => (&news.note, &news.entries),
            Self::Piece { piece, .. } => (&piece.note, &piece.entries),
        };
        note.len()
            + entries
                .iter()
                .map(|entry| entry.len() + size_of::<Vec<u8>>())
                .sum::<usize>()
    }
}
