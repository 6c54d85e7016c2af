//! The replication machine: how statements get into logs, and how logs travel.
//!
//! Pure: an event, the time and a reader of the store go in, effects come out. It has no clock,
//! no socket and no disk, and from one seed it always does the same. The node (or the simulator)
//! carries the effects out, in order. What must stay true whatever happens, crashes included:
//!
//! - **Durable before sent.** Heads and entries leave only as they were read back from the store,
//!   after it said that they are stored.
//! - **One batch in flight per log**, and each names the state that it extends: a log has one writer.
//! - **Nothing is stored unverified.** A head needs the log key's signatures, entries need a head,
//!   each entry must be a canonical statement.
//! - **Bounded.** Every queue, message, and everything that a peer can cause has a bound.
//!
//! `specs/04-replication.md` describes it all.

mod answer;
mod batch;
mod charters;
mod counts;
mod exchange;
mod forks;
mod keys;
mod narrow;
mod news;
mod own;
mod peers;
mod piece;
mod queue;
mod restore;
pub(crate) mod rng;
mod settle;
mod track;
mod witness;

use std::collections::BTreeMap;
use std::sync::Arc;

use syndic_vc::did::Did;
use syndic_vc::key::Signer;
use syndic_vc::time::Timestamp;

use crate::charter::{ChainError, Charter, CharterChain, SignedCharter};
use crate::cosignature::{self, CosignatureError};
use crate::fork::{Fork, ForkError};
use crate::head::HeadError;
use crate::limits;
use crate::log_keys::RotationError;
use crate::message::MessageError;
use crate::statement::{Statement, StatementError};
use crate::store::{Batch, ReadError, Reader};
pub use counts::Counts;
pub use keys::NewLogKey;
use own::Own;
use peers::Peers;
use queue::Queue;
use rng::Rng;
use track::Track;

/// The text form of a libp2p peer id.
pub type Peer = String;

/// What a replica is made from.
pub struct Config {
    /// Who is in, by all versions that are stored.
    pub charter: CharterChain,
    /// The own organization; `None` for a node that only follows.
    pub me: Option<Me>,
    /// Seconds after which the own head is signed anew though nothing was added.
    pub heartbeat_seconds: u32,
    /// Seconds between two rounds of comparing heads with peers.
    pub compare_seconds: u32,
    /// Sign after a start without asking others first. If the store is an old copy, that tells two stories.
    pub sign_alone: bool,
    /// The own log was begun before, even if nothing of it is stored here: the store was lost.
    pub published_before: bool,
    /// Seed of the choice of peers, and of the numbers of questions: another one in each life of a node.
    pub seed: u64,
}

/// The own organization.
#[derive(Clone)]
pub struct Me {
    /// Its DID.
    pub organization: Did,
    /// The key that signs its heads: the one on its card, until it is rotated.
    pub log_key: Arc<dyn Signer>,
    /// Further keys at hand: one of them signs if the log key was rotated, and the machine did not hear that it is
    /// stored.
    pub other_keys: Vec<Arc<dyn Signer>>,
}

/// What happens to a replica.
#[derive(Clone, Debug)]
pub enum Event {
    /// Time has passed. At least once a second, or heartbeats and rounds come late.
    Tick,
    /// A connection to this peer was made.
    Connected(Peer),
    /// The last connection to this peer is gone.
    Disconnected(Peer),
    /// A broadcast arrived.
    Announced {
        /// Who handed it on; not necessarily who made it.
        from: Peer,
        /// Names it in the [`Effect::Verdict`].
        token: u64,
        /// The message.
        bytes: Vec<u8>,
    },
    /// A question arrived.
    Request {
        /// Who asks.
        from: Peer,
        /// Names it in the [`Effect::SendResponse`], which always follows at once.
        token: u64,
        /// The message.
        bytes: Vec<u8>,
    },
    /// An answer arrived.
    Response {
        /// Who answers.
        from: Peer,
        /// The message.
        bytes: Vec<u8>,
    },
    /// What was asked of this peer will not be answered.
    RequestFailed {
        /// Who was asked.
        peer: Peer,
    },
    /// The own organization says something.
    Publish {
        /// Names it in [`Effect::Acknowledge`] or [`Effect::Refuse`], one of which follows.
        ticket: u64,
        /// What it says, all in one batch.
        statements: Vec<Statement>,
    },
    /// The own log key is to be replaced. Answered like a publication of one statement.
    Rotate {
        /// Names it in [`Effect::Acknowledge`] or [`Effect::Refuse`], one of which follows.
        ticket: u64,
        /// By which key.
        new: NewLogKey,
    },
    /// The own operator has a charter version that enough members have signed. Answered like a publication.
    Charter {
        /// Names it in [`Effect::Acknowledge`] or [`Effect::Refuse`], one of which follows.
        ticket: u64,
        /// The version.
        signed: SignedCharter,
    },
    /// A batch is durable.
    Stored {
        /// That of the [`Effect::Persist`].
        batch: u64,
    },
    /// A batch was not stored: an expectation did not hold, or the disk failed. From now on the
    /// reader must show what is durable, and nothing else.
    StoreFailed {
        /// That of the [`Effect::Persist`].
        batch: u64,
    },
}

/// What is to be done, in this order.
#[derive(Clone, Debug, Eq, PartialEq)]
#[expect(
    clippy::large_enum_variant,
    reason = "proofs of forks are rare, and never kept in numbers"
)]
pub enum Effect {
    /// Make this durable, all or nothing and only if its expectations hold; then say
    /// [`Event::Stored`] or [`Event::StoreFailed`].
    Persist {
        /// Names it.
        batch: u64,
        /// What to write.
        content: Batch,
        /// The publications that it contains.
        tickets: Vec<u64>,
    },
    /// A publication is durable: it may be acknowledged.
    Acknowledge {
        /// That of the [`Event::Publish`].
        ticket: u64,
        /// Index of its first statement in the log.
        first: u64,
        /// Number of its statements.
        count: usize,
    },
    /// A publication is not made.
    Refuse {
        /// That of the [`Event::Publish`].
        ticket: u64,
        /// Why not.
        why: PublishError,
    },
    /// Broadcast this to all members.
    Announce(Vec<u8>),
    /// What to do with a broadcast that arrived.
    Verdict {
        /// That of the [`Event::Announced`].
        token: u64,
        /// Whether to hand it on.
        verdict: Verdict,
    },
    /// Ask a peer.
    SendRequest {
        /// Whom.
        to: Peer,
        /// The question.
        bytes: Vec<u8>,
    },
    /// Answer a question.
    SendResponse {
        /// That of the [`Event::Request`].
        token: u64,
        /// The answer.
        bytes: Vec<u8>,
    },
    /// An organization told two stories; the proof is stored, and the organization frozen.
    Evidence {
        /// Which one.
        organization: Did,
        /// The proof.
        fork: Fork,
    },
    /// A log is not followed further: it says what this program cannot read.
    Unreadable {
        /// Whose log.
        organization: Did,
        /// Index of the entry.
        index: u64,
        /// What is wrong with it.
        why: StatementError,
    },
    /// Another charter is in force, and stored: these are the members now, and theirs the peers. Or two versions were
    /// found that contradict each other: [`CharterChain::conflict`].
    Charter(Box<CharterChain>),
    /// The store does not say what it should; what needed it was left out.
    Unavailable(ReadError),
    /// A peer did what no honest node does.
    Penalize {
        /// Who.
        peer: Peer,
        /// What.
        why: Misbehaviour,
    },
}

/// What to do with a broadcast.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Verdict {
    /// True and new: hand it on.
    Accept,
    /// Old, or not to be judged here: drop it, blame nobody.
    Ignore,
    /// False: drop it, whoever handed it on should have.
    Reject,
}

/// What no honest node does.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Misbehaviour {
    /// Its peer id is on no member's card.
    #[error("the peer is no member's")]
    NotMember,
    /// It sent what is not a message.
    #[error(transparent)]
    Malformed(#[from] MessageError),
    /// It sent a head of a log that is not of this consortium.
    #[error("a head of no log of this consortium")]
    WrongLog,
    /// It sent a head that its log key did not sign.
    #[error(transparent)]
    Head(#[from] HeadError),
    /// It sent a rotation of a log key that does not hold.
    #[error(transparent)]
    Rotation(#[from] RotationError),
    /// It sent a charter version that does not follow the one that it names.
    #[error(transparent)]
    Charter(#[from] ChainError),
    /// It sent a fork that proves nothing.
    #[error(transparent)]
    Fork(#[from] ForkError),
    /// It sent a cosignature that its witness did not make.
    #[error(transparent)]
    Cosignature(#[from] CosignatureError),
    /// The parts of a message do not fit each other, or not what was asked.
    #[error("{0}")]
    Inconsistent(&'static str),
    /// It sent entries that are not those which the head signs.
    #[error("entries that the head does not sign")]
    Tampered,
    /// It sent entries with a head ahead of the log, and now that others have brought the log, the head signs other ones.
    #[error("entries sent with a head that signs other ones")]
    TamperedNews,
    /// It sent entries whose head does not prove what goes before them.
    #[error("a beginning that does not lead to its head")]
    FalseBeginning,
    /// It causes more work than a member may.
    #[error("more messages than a member may send")]
    Flood,
}

/// Why something is not published; for whoever asked for it.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum PublishError {
    /// The node has no organization of its own.
    #[error("this node follows only; it has no log of its own to publish in")]
    NoOrganization,
    /// No statements, or too many.
    #[error("a publication has 1 to {max} statements of {bytes} bytes in all", max = limits::APPEND_STATEMENTS, bytes = limits::BATCH_BYTES)]
    Size,
    /// Others would refuse a statement.
    #[error("statement {0} would be refused by others: {1}")]
    Statement(usize, StatementError),
    /// Too much is waiting for the disk.
    #[error("too many publications are waiting to be stored; try again in a second")]
    Busy,
    /// The log key did not sign, and why.
    #[error("the head of the log was not signed: {0}")]
    Sign(String),
    /// The store cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The store did not confirm. Look whether it was published before trying again.
    #[error("the store did not confirm; look whether it is in the log before trying again")]
    StoreFailed,
    /// Peers hold more of the own log than this node: to go on would tell two stories.
    #[error(
        "peers hold {known} entries of this organization's log and this node only {held}; it catches up first: try again later"
    )]
    Behind {
        /// Entries in a head that the own key signed.
        known: u64,
        /// Entries in the own store.
        held: u64,
    },
    /// Nobody has answered since the start: the store may be an old copy.
    #[error(
        "no other member has answered since this node started, and its store may be an old copy: it signs nothing before \
         one has; connect it to a member, or set [node] sign_alone = true if no other copy of this node ever ran"
    )]
    Unsettled,
    /// The new log key is not the next one.
    #[error("the log key is not rotated: {0}")]
    Rotation(#[from] RotationError),
    /// The log key was rotated, and the new one is not at hand.
    #[error("the log key in force is not in this keystore; open the keystore that has it")]
    NoKey,
    /// The log was written on with a key that had been replaced.
    #[error("this log was written on with a log key that had been replaced; rebuild it from the other members")]
    Disowned,
    /// The own organization is frozen: it told two stories.
    #[error("this organization's log is frozen: two heads that contradict each other carry its signature")]
    Frozen,
    /// The charter has removed the own organization.
    #[error("the charter has removed this organization from the consortium; its log is closed")]
    Removed,
    /// The charter version does not follow.
    #[error(transparent)]
    Charter(#[from] ChainError),
    /// The charter version is in force already, or comes after two that contradict each other.
    #[error("this version is known already, or comes after two versions that contradict each other")]
    CharterKnown,
    /// The log is full.
    #[error("the log is full")]
    Full,
}

/// Why a replica does not start.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum LoadError {
    /// The store cannot be read or is damaged.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The own organization is not in the charter.
    #[error("{0} is not a member of this consortium; check the charter and the organization's DID")]
    NotMember(Did),
    /// No key at hand is the log key in force.
    #[error("the log key at hand is not the one in force for {0}; open the keystore that belongs to the organization")]
    WrongKey(Did),
}

/// The replication machine of one node.
pub struct Replica {
    /// The one in force; the newest of the chain.
    charter: Charter,
    charters: charters::Charters,
    own: Option<Own>,
    heartbeat_seconds: i64,
    compare_seconds: i64,
    rng: Rng,
    /// One for each member, whether or not anything is known of its log.
    tracks: BTreeMap<Did, Track>,
    peers: Peers,
    queue: Queue,
    narrowing: narrow::Narrowing,
    /// Whether somebody has answered since the start, or nobody need.
    settled: bool,
    /// Batches in flight, by number, and whose log they belong to.
    flights: BTreeMap<u64, Did>,
    next_batch: u64,
    waiting_bytes: usize,
    counts: Counts,
    compared: Option<Timestamp>,
}

/// One call of [`Replica::handle`]: what it sees, and what it decides.
struct Step<'a> {
    now: Timestamp,
    reader: &'a dyn Reader,
    effects: Vec<Effect>,
}

impl Replica {
    /// Starts from what is stored: reads a few small rows for each member, and no entry.
    ///
    /// # Errors
    /// [`LoadError`] says what does not fit.
    pub fn load(config: Config, reader: &dyn Reader) -> Result<Self, LoadError> {
        let chain = config.charter.clone();
        let charter = chain.current().clone();
        let mut tracks = BTreeMap::new();
        for card in charter.members() {
            let appointed = config
                .me
                .as_ref()
                .is_some_and(|me| cosignature::is_appointed(&charter, card.did().as_str(), me.organization.as_str()));
            let track = Track::load(charter.id(), card, appointed, reader)?;
            tracks.insert(card.did().clone(), track);
        }
        if let Some(me) = &config.me
            && let Some(removed) = charter.removed_by(me.organization.as_str())
            && let Ok(before) = chain.at(removed.saturating_sub(1))
            && let Some(card) = before.member(me.organization.as_str())
        {
            // Who was removed keeps its own log, and is told so.
            let mut track = Track::load(charter.id(), card, false, reader)?;
            track.removed = true;
            tracks.insert(card.did().clone(), track);
        }
        let settled = !restore::must_ask(&config, &tracks);
        let mut own = config.me.map(Own::new);
        if let Some(own) = &mut own {
            let Some(track) = tracks.get(&own.me.organization) else {
                return Err(LoadError::NotMember(own.me.organization.clone()));
            };
            if own.signer(track.keys.newest()).is_none() {
                return Err(LoadError::WrongKey(own.me.organization.clone()));
            }
            own.use_key(track.keys.newest());
        }
        let ids = charter.members().iter().flat_map(|card| {
            let ids = card.peer_ids().iter();
            ids.map(|id| (id.clone(), card.did().clone()))
        });
        Ok(Self {
            // Not from the generator that chooses peers: of equal seeds the choices stay the same.
            peers: Peers::new(ids, Rng::new(!config.seed).next()),
            queue: Queue::default(),
            narrowing: narrow::Narrowing::default(),
            settled,
            tracks,
            own,
            heartbeat_seconds: i64::from(config.heartbeat_seconds),
            compare_seconds: i64::from(config.compare_seconds),
            rng: Rng::new(config.seed),
            flights: BTreeMap::new(),
            next_batch: 1,
            waiting_bytes: 0,
            counts: Counts::default(),
            compared: None,
            charters: charters::Charters::new(chain),
            charter,
        })
    }

    /// Reads files as if a peer of this name answered ([`crate::served::Served`]). Only one that is known to be of another
    /// member counts as one that has answered after a start.
    pub fn follow(&mut self, name: Peer, organization: Option<Did>) {
        self.peers.follow(name, organization);
    }

    /// How far each log is here that is followed further: its organization, entries held, and entries in the largest valid
    /// head that was seen.
    pub fn reach(&self) -> impl Iterator<Item = (&Did, u64, u64)> {
        let followed = |track: &Track| !track.is_closed() && !track.unreadable;
        let tracks = self.tracks.iter().filter(move |(_, track)| followed(track));
        tracks.map(|(organization, track)| {
            // Entries beyond their head are not shown to anybody yet.
            let held = track.held.log.head.as_ref().map_or(0, crate::head::Head::size);
            (organization, held, track.known.max(track.size()))
        })
    }

    /// Takes one event, and says what is to be done. `reader` shows the store as it is now.
    pub fn handle(&mut self, event: Event, now: Timestamp, reader: &dyn Reader) -> Vec<Effect> {
        let mut step = Step {
            now,
            reader,
            effects: Vec::new(),
        };
        match event {
            Event::Tick => self.tick(&mut step),
            Event::Connected(peer) => self.connected(&peer, &mut step),
            Event::Disconnected(peer) => {
                let questions = self.peers.disconnected(&peer);
                self.give_up(questions);
            }
            Event::Announced { from, token, bytes } => {
                self.announced(from, token, &bytes, &mut step);
            }
            Event::Request { from, token, bytes } => self.asked(&from, token, &bytes, &mut step),
            Event::Response { from, bytes } => self.answered(&from, &bytes, &mut step),
            Event::RequestFailed { peer } => {
                self.peers.rest(&peer, now);
                let questions = self.peers.failed(&peer);
                self.give_up(questions);
            }
            Event::Publish { ticket, statements } => self.publish(ticket, &statements, &mut step),
            Event::Rotate { ticket, new } => self.rotate(ticket, new, &mut step),
            Event::Charter { ticket, signed } => self.publish_charter(ticket, &signed, &mut step),
            Event::Stored { batch } => self.stored(batch, &mut step),
            Event::StoreFailed { batch } => self.store_failed(batch, &mut step),
        }
        self.pull_next(&mut step);
        step.effects
    }

    fn tick(&mut self, step: &mut Step<'_>) {
        self.expire(step);
        self.refuse_unsettled(step);
        self.repair(step);
        self.repair_charters(step);
        self.heartbeat(step);
        self.witness_all(step);
        self.salvage_own(step);
        let due = self.compared.is_none_or(|at| {
            let passed = step.now.seconds_since(at);
            passed < 0 || passed >= self.compare_seconds
        });
        if due {
            self.compared = Some(step.now);
            self.counts.rounds += 1;
            for peer in self.peers.sample(limits::COMPARE_PEERS, &mut self.rng) {
                self.compare(&peer, step);
            }
        }
    }

    /// Whether one more check of a signature may be done on the peer's account. Who has used it up floods, and is blamed.
    /// Who has none is no member any more: a charter came between its message and its turn, and nobody is to blame.
    fn may_check(&mut self, from: &str, step: &mut Step<'_>) -> bool {
        let may = self.peers.may_check(from, step.now);
        if !may && self.peers.is_member(from) {
            step.penalize(from, Misbehaviour::Flood);
        }
        may
    }
}

impl Step<'_> {
    fn push(&mut self, effect: Effect) {
        self.effects.push(effect);
    }

    fn verdict(&mut self, token: u64, verdict: Verdict) {
        self.push(Effect::Verdict { token, verdict });
    }

    fn penalize(&mut self, peer: &str, why: impl Into<Misbehaviour>) {
        self.push(Effect::Penalize {
            peer: peer.to_owned(),
            why: why.into(),
        });
    }

    /// The value, or a note that the store could not be read.
    fn read<T>(&mut self, result: Result<T, ReadError>) -> Option<T> {
        result.map_err(|error| self.push(Effect::Unavailable(error))).ok()
    }
}

#[cfg(test)]
mod tests;
