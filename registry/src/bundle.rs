//! Decision bundles: a decision with everything it rests on, so that a stranger can come to it again with the charter and
//! no node, no network and no memory (specs, document 9).
//!
//! A bundle holds what was asked, who judged by which policy, when, and the whole log of each organization whose word
//! was used, from its first entry to its head: what a complete log does not say was not said, so "not revoked" can be
//! shown, too. [`decide`] comes to its decision from the contents of the bundle alone, by the same function that every
//! other verification calls; [`Bundle::verify`] does the same again.

mod document;
mod logs;
mod question;
mod single_use;

use std::cell::RefCell;
use std::collections::BTreeSet;

use syndic_vc::canonical;
use syndic_vc::decision::Outcome;
use syndic_vc::did::Did;
use syndic_vc::json::members::MemberError;
use syndic_vc::json::{self, JsonError, Object, Value};
use syndic_vc::time::Timestamp;
use syndic_vc::trust::OneTime;
use syndic_vc::verify::Policy;

use crate::charter::{Charter, CharterChain};
use crate::limits;
use crate::store::{MemoryStore, ReadError, Reader, Row};
use crate::view::View;

pub use logs::{BundledKeys, BundledLog, LogError};
pub use question::Question;
pub use single_use::SingleUse;

/// Who judges, and how strictly.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Verifier {
    /// The organization; actions must be addressed to it.
    pub organization: Did,
    /// Its policy.
    pub policy: Policy,
}

/// A decision and what it rests on.
#[derive(Clone, Debug, PartialEq)]
pub struct Bundle {
    /// The consortium's id.
    pub consortium: String,
    /// The version of the charter that it was decided under, and its hash.
    pub charter: (u32, String),
    /// When it was decided, in whole seconds.
    pub time: Timestamp,
    /// Who decided.
    pub verifier: Verifier,
    /// What was asked, with what was presented.
    pub question: Question,
    /// What became of the challenge or nonce; `None` if the decision fell before one was looked at.
    pub single_use: Option<SingleUse>,
    /// The keys of logs and of witnesses that came after those of their cards, ascending by organization.
    pub keys: Vec<BundledKeys>,
    /// The logs that were used, ascending by organization.
    pub logs: Vec<BundledLog>,
    /// The decision, as verification shows it.
    pub decision: Object,
    /// The decision in a word.
    pub outcome: Outcome,
}

/// Why there is no bundle, or why one does not hold.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    /// The store could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// It would be, or is, too large.
    #[error("the bundle is larger than {max} bytes: the logs that the decision rests on are too long for one", max = limits::BUNDLE_BYTES)]
    TooLarge,
    /// The store of single-use values could not say.
    #[error("what became of the single-use value cannot be told: {0}")]
    SingleUse(String),
    /// What is known changed faster than it could be read.
    #[error("the logs changed while they were read; ask again")]
    Moving,
    /// Not JSON as the strict reader takes it.
    #[error("the bundle is not a readable JSON document: {0}")]
    Json(#[from] JsonError),
    /// Not the canonical form of what it says.
    #[error("the bundle is not in canonical form (RFC 8785)")]
    NotCanonical,
    /// The digest at its end is that of other contents.
    #[error("the bundle was changed: its digest is that of other contents")]
    Digest,
    /// A member is missing, unknown, of the wrong kind or out of bounds.
    #[error("the bundle cannot be read: {0}")]
    Member(#[from] MemberError),
    /// It is of another consortium.
    #[error("the bundle is of the consortium {0}, not of this charter's")]
    OtherConsortium(String),
    /// It was decided under a version of the charter that is not in this file.
    #[error("the bundle is of version {0} of the charter, which is not in this file; get the newest charter")]
    UnknownCharter(u32),
    /// Another version of the charter held by then.
    #[error("the bundle is of version {0} of the charter, which another one had replaced at that time")]
    OldCharter(u32),
    /// It was judged by who is no member, or less strictly than the charter asks.
    #[error("the verifier of the bundle is no member, or judged less strictly than the charter asks")]
    Verifier,
    /// A log in it does not hold.
    #[error("the log of {organization} in the bundle does not hold: {why}")]
    Log {
        /// Whose.
        organization: String,
        /// What is wrong.
        why: LogError,
    },
    /// Rotations of a member's log key do not hold.
    #[error("the rotations of the log key of {0} in the bundle do not hold")]
    Keys(String),
    /// The same function comes to another decision at the time of the bundle.
    #[error("the decision in the bundle does not follow from it; what follows is \"{0}\"")]
    OtherDecision(String),
    /// It held when it was made, and does not at the time that was asked about.
    #[error("the decision held at {made} and does not at {at}: then it is \"{decision}\"")]
    OtherTime {
        /// When it was made.
        made: Timestamp,
        /// When it was to hold.
        at: Timestamp,
        /// What is decided then, with the first reason.
        decision: String,
    },
}

/// What a bundle that holds shows.
#[derive(Clone, Debug, PartialEq)]
pub struct Shown {
    /// The decision in a word.
    pub outcome: Outcome,
    /// The decision.
    pub decision: Object,
}

/// Decides, and bundles the decision with what it rests on. The single-use value is used up in `one_time`.
///
/// # Errors
/// [`BundleError`]; nothing is used up unless it says that the single-use value's fate is not known, or that the bundle
/// is too large by a hair.
pub fn decide(
    question: Question,
    verifier: Verifier,
    time: Timestamp,
    charter: &Charter,
    reader: &dyn Reader,
    one_time: &dyn OneTime,
) -> Result<Bundle, BundleError> {
    let time = Timestamp::from_unix_seconds(time.unix_seconds()).unwrap_or(time);
    // As it will be read again: a number may be spelled in several ways.
    let body = json::parse(&canonical::to_bytes(&question.to_value()))?;
    let question = Question::read(&body, verifier.organization.as_str())?;
    // First without using anything up, to see whose word is used.
    let rehearsal = single_use::Replay::of(Some(SingleUse::Accepted));
    let mut used = BTreeSet::new();
    for _ in 0..limits::BUNDLE_ATTEMPTS {
        let (live, asked) = traced(&question, &verifier, charter, reader, &rehearsal, time);
        used.extend(asked);
        let keys = logs::collect_keys(charter, reader)?;
        let logs = logs::collect(charter, &used, &keys, reader)?;
        let store = logs::store_of(charter, &keys, &logs)?;
        let (again, asked) = traced(&question, &verifier, charter, &store, &rehearsal, time);
        // What is half heard, or was heard meanwhile, must not make a bundle that says less than is known.
        if !asked.is_subset(&used) || again.decision != live.decision {
            continue;
        }
        let recorder = single_use::Recorder::new(one_time);
        let view = View::new(charter, &store).seen_by(&verifier.organization);
        // A bundle that could not be handed out must not use anything up; the decision itself changes its size little.
        let draft = Bundle {
            consortium: charter.id().to_owned(),
            charter: (charter.version(), charter.hash().to_owned()),
            time,
            single_use: None,
            keys,
            logs,
            decision: again.decision,
            outcome: again.outcome,
            verifier: verifier.clone(),
            question: question.clone(),
        };
        draft.fits()?;
        let decided = question.decide(&verifier, &view, &recorder, time);
        let bundle = Bundle {
            single_use: recorder.outcome().map_err(BundleError::SingleUse)?,
            decision: decided.decision,
            outcome: decided.outcome,
            ..draft
        };
        bundle.fits()?;
        return Ok(bundle);
    }
    Err(BundleError::Moving)
}

/// The decision from what a reader holds, and of which organizations something was asked.
fn traced(
    question: &Question,
    verifier: &Verifier,
    charter: &Charter,
    reader: &dyn Reader,
    one_time: &dyn OneTime,
    time: Timestamp,
) -> (question::Decided, BTreeSet<Did>) {
    let traced = Traced::new(charter, reader);
    let view = View::new(charter, &traced).seen_by(&verifier.organization);
    let decided = question.decide(verifier, &view, one_time, time);
    (decided, traced.organizations.into_inner())
}

impl Bundle {
    fn fits(&self) -> Result<(), BundleError> {
        if self.to_bytes().len() > limits::BUNDLE_BYTES {
            return Err(BundleError::TooLarge);
        }
        Ok(())
    }

    /// Decides again, from the bundle and the charter alone: the same at the time of the bundle, and the same as of `at`.
    ///
    /// # Errors
    /// [`BundleError`] if anything in it does not hold, or another decision follows from it.
    pub fn verify(&self, chain: &CharterChain, at: Timestamp) -> Result<Shown, BundleError> {
        if self.consortium != chain.id() {
            return Err(BundleError::OtherConsortium(self.consortium.clone()));
        }
        let (version, hash) = &self.charter;
        let unknown = || BundleError::UnknownCharter(*version);
        let charter = chain.at(*version).map_err(|_| unknown())?;
        if charter.hash() != hash {
            return Err(unknown());
        }
        // Who was removed signs on: what such a member bundles counts until its removal was written, and no longer.
        let next = version.checked_add(1).and_then(|next| chain.at(next).ok());
        if next.is_some_and(|next| next.created() <= at || next.created() <= self.time) {
            return Err(BundleError::OldCharter(*version));
        }
        self.verify_under(&charter, at)
    }

    fn verify_under(&self, charter: &Charter, at: Timestamp) -> Result<Shown, BundleError> {
        let Verifier { organization, policy } = &self.verifier;
        let own = policy.authority == organization.as_str() || policy.authority == charter.id();
        let strict = policy.max_staleness_seconds <= charter.rules().max_staleness
            && policy.witnesses >= charter.rules().witnesses
            && policy.clock_skew_seconds <= limits::SKEW_SECONDS;
        if charter.member(organization.as_str()).is_none() || !own || !strict {
            return Err(BundleError::Verifier);
        }
        let store: MemoryStore = logs::store_of(charter, &self.keys, &self.logs)?;
        let replay = single_use::Replay::of(self.single_use);
        let (made, asked) = traced(&self.question, &self.verifier, charter, &store, &replay, self.time);
        let spent = replay.was_asked() == self.single_use.is_some();
        // A log that is not used proves nothing, and one that is used must be there, be it empty.
        let whole = asked.iter().eq(self.logs.iter().map(|log| &log.organization));
        if made.decision != self.decision || !spent || !whole {
            return Err(BundleError::OtherDecision(made.summary()));
        }
        let shown = if at == self.time {
            made
        } else {
            let view = View::new(charter, &store).seen_by(organization);
            self.question.decide(&self.verifier, &view, &replay, at)
        };
        if shown.outcome != self.outcome || shown.codes() != question::codes(&self.decision) {
            return Err(BundleError::OtherTime {
                made: self.time,
                at,
                decision: shown.summary(),
            });
        }
        Ok(Shown {
            outcome: shown.outcome,
            decision: shown.decision,
        })
    }

    /// The whole as JSON, its digest included.
    #[must_use]
    pub fn to_value(&self) -> Value {
        document::write(self)
    }

    /// The file: canonical bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        syndic_vc::canonical::to_bytes(&self.to_value())
    }

    /// Reads a file. Nothing in it is believed before [`Bundle::verify`].
    ///
    /// # Errors
    /// [`BundleError`] if it is none, or was changed by accident.
    pub fn parse(bytes: &[u8]) -> Result<Self, BundleError> {
        document::read(bytes)
    }
}

/// A reader that notes of which organizations something was asked.
struct Traced<'a> {
    charter: &'a Charter,
    reader: &'a dyn Reader,
    organizations: RefCell<BTreeSet<Did>>,
}

impl<'a> Traced<'a> {
    fn new(charter: &'a Charter, reader: &'a dyn Reader) -> Self {
        Self {
            charter,
            reader,
            organizations: RefCell::default(),
        }
    }

    /// Facts found by their subject name the organization at the end of the key, all other rows after their kind.
    fn note(&self, key: &[u8]) {
        let named = match key.split_first_chunk::<3>() {
            Some((b"r/x", rest)) => rest.rsplit(|byte| *byte == 0).next(),
            Some((_, rest)) => rest.split(|byte| *byte == 0).next(),
            None => None,
        };
        let member = named
            .and_then(|did| std::str::from_utf8(did).ok())
            .and_then(|did| self.charter.member(did));
        if let Some(member) = member {
            self.organizations.borrow_mut().insert(member.did().clone());
        }
    }
}

impl Reader for Traced<'_> {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, ReadError> {
        self.note(key);
        self.reader.get(key)
    }

    fn range(&self, from: &[u8], to: &[u8], limit: usize) -> Result<Vec<Row>, ReadError> {
        self.note(from);
        let rows = self.reader.range(from, to, limit)?;
        for (key, _) in &rows {
            self.note(key);
        }
        Ok(rows)
    }
}

#[cfg(test)]
mod tests;
