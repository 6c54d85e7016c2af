//! What verification must be told by the world, and cannot know by itself.
//!
//! The registry's view answers [`Knowledge`], the node's store answers [`OneTime`]. Both
//! answer from what they hold; nobody fetches anything while a verification runs. Every
//! answer has a way to say "I cannot tell", and verification reads that as a refusal.

use std::sync::Arc;

use crate::constraint::Charge;
use crate::did::Did;
use crate::document::DidDocument;
use crate::key::PublicKey;
use crate::resolve::ResolveError;
use crate::status::StatusPurpose;
use crate::time::Timestamp;

/// What is known about identities, issuers and credentials.
pub trait Knowledge {
    /// The DID document of `did`, as it stands now.
    ///
    /// # Errors
    /// Says whether the DID cannot be resolved at all, or only not now.
    fn document(&self, did: &Did) -> Result<Arc<DidDocument>, ResolveError>;

    /// Is `issuer` authorized by `authority` (a DID or the id of a consortium) to grant
    /// `action` on `resource` at `at`?
    fn standing(&self, authority: &str, issuer: &Did, action: &str, resource: &str, at: Timestamp) -> Standing;

    /// The bit at `index` of the status list `list`, which must be the issuer's own.
    fn status(&self, issuer: &Did, list: &str, purpose: StatusPurpose, index: u64) -> StatusBit;

    /// What is known about `did` as an agent, for the moment `at`.
    fn agent(&self, did: &Did, at: Timestamp) -> AgentStanding;

    /// Whether what a key of `issuer` signed still counts. `method` is the name under which the issuer's document lists
    /// the key; `digest` gives that of the secured document: the multihash text of its canonical bytes, or of the bytes of
    /// the token.
    fn key_standing(&self, issuer: &Did, method: &str, key: &PublicKey, digest: &dyn Fn() -> String) -> KeyStanding;

    /// How old the knowledge about `issuer` is; `None`: nothing is known about it.
    fn freshness(&self, issuer: &Did) -> Option<Freshness>;

    /// How many statements of the issuer's log, from the first on, an answer on this status list rests on: all up to
    /// the one that created it. Witnesses must have seen these. Who knows no logs says 0.
    fn grounds(&self, issuer: &Did, list: &str) -> u64 {
        let _ = (issuer, list);
        0
    }
}

/// An issuer's standing for one action on one resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Authorized; `by` names who authorizes it.
    Authorized {
        /// The DID of the organization, or the id of the consortium, that authorizes.
        by: String,
    },
    /// Known, and not authorized for this.
    NotAuthorized,
    /// Not known at all.
    IssuerUnknown,
    /// Was a member, and the charter has removed it: its word counts no longer.
    IssuerRemoved,
    /// Known to have told two stories; its word counts for nothing until that is settled.
    IssuerFrozen,
    /// Cannot be told now, and why.
    Unavailable(String),
}

/// Whether what a key signed counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyStanding {
    /// Nobody says otherwise, or what was signed is known to be older than the compromise.
    Good,
    /// The key's owner declared it compromised, and what was signed is not known to be older, whatever date it carries.
    Compromised {
        /// When that was declared.
        at: Timestamp,
    },
    /// Cannot be told now, and why.
    Unavailable(String),
}

/// One entry of a status list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StatusBit {
    /// Not set: not revoked, not suspended.
    Clear,
    /// Set: revoked or suspended, by the list's purpose.
    Set,
    /// Cannot be told, and why: unknown list, index outside it, another issuer's list.
    Unknown(String),
}

/// What is known about an agent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AgentStanding {
    /// No organization has registered it. Not by itself a refusal: the issuer vouches.
    Unknown,
    /// Registered and in service.
    Active {
        /// The human or organization answering for the agent: a DID or URL.
        owner: String,
        /// The organization that registered it.
        organization: Did,
    },
    /// Not to act for now.
    Suspended {
        /// Since when.
        at: Timestamp,
    },
    /// Taken out of service.
    Retired {
        /// Since when.
        at: Timestamp,
    },
    /// Cannot be told now, and why.
    Unavailable(String),
}

/// How old the knowledge about one issuer is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Freshness {
    /// The organization whose log speaks for the issuer.
    pub organization: Did,
    /// How many statements of that log are known.
    pub head_size: u64,
    /// The newest time at which the organization vouched for that log's head.
    pub time: Timestamp,
    /// Whether it is the log of the one who asks, who knows it at first hand and needs no witness.
    pub own: bool,
    /// How many could have cosigned: the members beside the organization and the one who asks.
    pub others: u32,
    /// Those of them that cosigned a head of the log as it is known here, one each.
    pub witnesses: Vec<Witness>,
}

/// The newest word of one witness.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Witness {
    /// How many statements the head covers that it cosigned.
    pub size: u64,
    /// When it did, by its own clock.
    pub time: Timestamp,
}

/// What is asked of witnesses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// How many of them.
    pub witnesses: u32,
    /// The statements, from the first on, that they must have seen.
    pub entries: u64,
    /// The earliest and the latest time at which a cosignature counts.
    pub between: (Timestamp, Timestamp),
}

/// Who else has seen what a decision rests on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Witnessed {
    /// How many members cosigned, lately, a head that covers what was used.
    pub by: u32,
    /// How many could have.
    pub of: u32,
    /// How many statements those that are needed have all seen; 0 if there are none.
    pub size: u64,
    /// Since when those that are needed have all cosigned; `None` if there are none.
    pub time: Option<Timestamp>,
    /// Whether it is enough.
    pub enough: bool,
}

impl Freshness {
    /// Counts the witnesses that do for what is wanted. As many of them as are needed, the latest, give size and time.
    /// Where fewer members could cosign than are wanted, all of them must: an organization that asks is one of those
    /// that a charter counts, and has seen the log itself.
    #[must_use]
    pub fn witnessed(&self, wanted: &Wanted) -> Witnessed {
        let (from, to) = wanted.between;
        let counts = |one: &&Witness| one.size >= wanted.entries && from <= one.time && one.time <= to;
        let mut counted: Vec<&Witness> = self.witnesses.iter().filter(counts).collect();
        counted.sort_by_key(|one| std::cmp::Reverse((one.time, one.size)));
        let by = u32::try_from(counted.len()).unwrap_or(u32::MAX);
        let needed = wanted.witnesses.min(self.others);
        let latest = counted.iter().take(needed.max(1) as usize);
        Witnessed {
            by,
            of: self.others,
            size: latest.clone().map(|one| one.size).min().unwrap_or(0),
            time: latest.map(|one| one.time).min(),
            enough: self.own || by >= needed,
        }
    }
}

/// Values that may be used once. An implementation makes the use durable *before* it
/// answers `Ok`, so that a crash never makes a value usable again.
pub trait OneTime {
    /// Uses `value` up.
    ///
    /// A challenge must have been issued here before, and ends when the store says it does;
    /// `expires` says nothing then. An action nonce is new by nature: the first use succeeds, and
    /// the value is remembered until `expires` at least.
    ///
    /// # Errors
    /// Says why the value may not be used; any error is a refusal.
    fn spend(&self, kind: OneTimeKind, value: &str, now: Timestamp, expires: Timestamp) -> Result<(), SpendError>;

    /// Uses `value` up and adds to all counters, or does nothing of it: one atomic step, durable
    /// before it answers, whatever else is spent meanwhile. `value` is looked at first.
    ///
    /// # Errors
    /// As [`Self::spend`], and [`SpendError::Exceeded`] if a counter would pass its limit. A store that counts
    /// nothing refuses.
    fn spend_counted(
        &self,
        kind: OneTimeKind,
        value: &str,
        counted: &[Counted],
        now: Timestamp,
        expires: Timestamp,
    ) -> Result<(), SpendError> {
        if counted.is_empty() {
            return self.spend(kind, value, now, expires);
        }
        Err(SpendError::Unavailable("nothing is counted here".to_owned()))
    }
}

/// What an action adds to one counter of the verifier.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counted {
    /// Names the counter: the digest of the credential without its proof, and which constraint of
    /// which capability it is. Not the digest as signed: whoever holds a credential can change some
    /// proofs without breaking them, and would begin to count anew.
    pub counter: String,
    /// What is added, in which window, and up to which limit.
    pub charge: Charge,
    /// When the credential ends, and with it the need to know the counter.
    pub until: Timestamp,
}

/// What a counter shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tally {
    /// When the window began that it counts in.
    pub from: Timestamp,
    /// The sum of what was added since.
    pub sum: u128,
}

impl Counted {
    /// What the counter shows after this, if it shows `held` now; `None` if it would pass the limit.
    ///
    /// A counter never goes back to an earlier window: when the clock is set back, counting goes on
    /// in the latest window there was, so nothing that was spent comes back.
    #[must_use]
    pub fn added_to(&self, held: Option<Tally>) -> Option<Tally> {
        let begun = held.filter(|held| held.from >= self.charge.from);
        let tally = begun.unwrap_or(Tally {
            from: self.charge.from,
            sum: 0,
        });
        let sum = tally.sum.checked_add(self.charge.amount)?;
        (sum <= self.charge.limit).then_some(Tally { sum, ..tally })
    }
}

/// The kinds of single-use value; one value may exist once in each kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OneTimeKind {
    /// A challenge that this verifier handed out.
    Challenge,
    /// The nonce of a signed action, prefixed by the agent's DID and a space.
    ActionNonce,
}

/// Why a single-use value may not be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SpendError {
    /// Never issued here.
    #[error("it was not issued here: ask for a new one")]
    Unknown,
    /// Used before.
    #[error("it has been used: ask for a new one")]
    Used,
    /// Too old.
    #[error("it has expired: ask for a new one")]
    Expired,
    /// This one of the counters (from 0) would pass its limit.
    #[error("counter {0} would pass its limit: ask for less, or wait for the next period")]
    Exceeded(usize),
    /// The store cannot say now (full, failing, shutting down).
    #[error("the store of single-use values cannot answer: {0}")]
    Unavailable(String),
}
