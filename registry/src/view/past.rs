//! What the logs said up to some time.
//!
//! Answered from facts that keep their history: every word on a right, every word on a suspension, when an agent was
//! registered and retired. What keeps none is refused, never guessed: the state of today may be the opposite. When
//! something was said is told by the clock of who said it; and members are those of the present charter, none of them
//! frozen.

use syndic_vc::did::Did;
use syndic_vc::status::StatusPurpose;
use syndic_vc::time::Timestamp;
use syndic_vc::trust::{AgentStanding, StatusBit};

use super::{Answer, Authority, Question, View, Voucher, covering};
use crate::fact::{self, Agent, Fact, RightFact, RightKind, Suspension};
use crate::limits;
use crate::statement::Right;
use crate::store::{self, ReadError};

/// A view as of a past time.
#[derive(Clone, Copy)]
pub struct Past<'a> {
    view: View<'a>,
    time: Timestamp,
}

/// Why a question about the past has no answer.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum PastError {
    /// The store cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// How it was then is not kept.
    #[error("{0} of an earlier time is not kept here; ask for now, or read the log of the organization")]
    NotKept(&'static str),
    /// Too much was said.
    #[error("more than {max} statements would have to be looked through; read the log of the organization", max = limits::PAST_WORDS)]
    TooMuch,
}

/// A word that was said at some time.
trait Said: Fact {
    fn at(&self) -> Timestamp;
}

impl Said for RightFact {
    fn at(&self) -> Timestamp {
        self.at
    }
}

impl Said for Suspension {
    fn at(&self) -> Timestamp {
        self.at
    }
}

impl<'a> View<'a> {
    /// What the logs said up to a time, that time included.
    #[must_use]
    pub fn at(self, time: Timestamp) -> Past<'a> {
        Past { view: self, time }
    }
}

impl Past<'_> {
    /// Whether an authority authorized what is asked, as far as it was said by then.
    ///
    /// # Errors
    /// [`PastError`] if that cannot be told.
    pub fn authorization(&self, authority: Authority<'_>, question: &Question<'_>) -> Result<Answer, PastError> {
        self.answer(RightKind::Authorization, authority, question)
    }

    /// Whether an authority recognized what is asked, as far as it was said by then.
    ///
    /// # Errors
    /// [`PastError`] if that cannot be told.
    pub fn recognition(&self, authority: Authority<'_>, question: &Question<'_>) -> Result<Answer, PastError> {
        self.answer(RightKind::Recognition, authority, question)
    }

    fn answer(&self, kind: RightKind, authority: Authority<'_>, question: &Question<'_>) -> Result<Answer, PastError> {
        let charter = self.view.charter;
        let (members, enough) = match authority {
            Authority::Member(member) => (vec![member.did()], 1),
            Authority::Consortium => {
                let enough = charter.rules().endorsements as usize;
                (self.endorsers(kind, question)?, enough)
            }
        };
        let mut words = 0;
        let mut vouchers = Vec::new();
        for member in members {
            if !self.view.is_frozen(member.as_str())? {
                vouchers.extend(self.voucher(kind, member, question, &mut words)?);
            }
        }
        Ok(Answer {
            granted: vouchers.len() >= enough,
            vouchers,
        })
    }

    /// Members that ever said something that may vouch for the question. Nobody vouches for itself.
    fn endorsers(&self, kind: RightKind, question: &Question<'_>) -> Result<Vec<&Did>, PastError> {
        let mut found = std::collections::BTreeSet::new();
        for resource in covering(question.resource) {
            let prefix = fact::right_index_key(kind, question.subject, question.action, &resource, None);
            let (from, to) = (prefix.as_slice(), store::after(&prefix));
            for (key, _) in self.view.reader.range(from, &to, limits::CHARTER_MEMBERS)? {
                let did = key.get(prefix.len()..).and_then(|did| std::str::from_utf8(did).ok());
                let member = did.and_then(|did| self.view.charter.member(did));
                found.extend(
                    member
                        .map(|card| card.did())
                        .filter(|did| did.as_str() != question.subject),
                );
            }
        }
        Ok(found.into_iter().collect())
    }

    fn voucher(
        &self,
        kind: RightKind,
        member: &Did,
        question: &Question<'_>,
        words: &mut usize,
    ) -> Result<Option<Voucher>, PastError> {
        for resource in covering(question.resource) {
            let right = Right {
                subject: question.subject.to_owned(),
                action: question.action.to_owned(),
                resource,
            };
            let first = fact::right_history_key(member.as_str(), kind, &right, 0);
            let word = self.latest::<RightFact>(&first, words)?;
            if let Some(word) = word.filter(|word| word.grants_at(question.at)) {
                return Ok(Some(Voucher {
                    organization: member.clone(),
                    index: word.index,
                }));
            }
        }
        Ok(None)
    }

    /// The last word of a history that was said by then. `first` is the key of the word with index 0.
    fn latest<F: Said>(&self, first: &[u8], words: &mut usize) -> Result<Option<F>, PastError> {
        let mut from = first.to_vec();
        // An index has eight bytes.
        let to = store::after(first.split_last_chunk::<8>().map_or(first, |(prefix, _)| prefix));
        let mut latest = None;
        loop {
            let rows = self.view.reader.range(&from, &to, limits::ROWS_AT_ONCE)?;
            let Some((last, _)) = rows.last() else {
                return Ok(latest);
            };
            from = [last.as_slice(), &[0]].concat();
            *words += rows.len();
            if *words > limits::PAST_WORDS {
                return Err(PastError::TooMuch);
            }
            for (key, value) in &rows {
                let word: F = fact::decoded(key, value)?;
                if word.at() <= self.time {
                    latest = Some(word);
                }
            }
        }
    }

    /// Whether an agent was in service, as far as it was said by then.
    ///
    /// # Errors
    /// [`PastError::NotKept`] if it was registered again since: when that was done first is not kept.
    pub fn agent(&self, agent: &str) -> Result<AgentStanding, PastError> {
        let mut registrations = self.view.registrations(agent)?;
        registrations.sort_by(|(a, left), (b, right)| left.at.cmp(&right.at).then_with(|| a.cmp(b)));
        // Not even the others answer: who registered it first names its owner.
        if registrations.iter().any(|(_, registered)| registered.at > self.time) {
            return Err(PastError::NotKept("the registration of this agent"));
        }
        let (mut retired, mut suspended) = (None, None);
        for (organization, registered) in registrations {
            let organization_name = organization.as_str();
            if let Some(since) = self.ended(organization_name, agent, &registered)? {
                retired = retired.max(Some(since));
                continue;
            }
            let first = fact::suspension_history_key(organization_name, agent, 0);
            let word = self.latest::<Suspension>(&first, &mut 0)?;
            // Of two stories, the end of a suspension that one of them has does not count.
            if let Some(word) = word
                && (word.suspended || self.view.is_after_fork(organization_name, word.index)?)
            {
                suspended = suspended.max(Some(word.at));
                continue;
            }
            return Ok(AgentStanding::Active {
                owner: registered.owner,
                organization,
            });
        }
        if let Some(at) = suspended {
            return Ok(AgentStanding::Suspended { at });
        }
        Ok(retired.map_or(AgentStanding::Unknown, |at| AgentStanding::Retired { at }))
    }

    fn ended(&self, organization: &str, agent: &str, registered: &Agent) -> Result<Option<Timestamp>, ReadError> {
        let retired = registered.retired.map(|(_, at)| at).filter(|at| *at <= self.time);
        let succession = self.view.successor(organization, agent)?;
        let succeeded = succession.filter(|said| said.at <= self.time && said.until <= self.time);
        Ok(retired.into_iter().chain(succeeded.map(|said| said.until)).min())
    }

    /// The bit of a status list, as far as that can be told: one of a revocation list that is clear now was never set.
    ///
    /// # Errors
    /// [`PastError::NotKept`] for all others.
    pub fn status(&self, issuer: &str, list: &str, purpose: StatusPurpose, index: u64) -> Result<StatusBit, PastError> {
        if let Some(known) = self.view.status_list(issuer, list)?
            && known.at > self.time
        {
            return Ok(StatusBit::Unknown("the status list was not there then".to_owned()));
        }
        match self.view.status_bit(issuer, list, purpose, index)? {
            StatusBit::Clear if purpose == StatusPurpose::Revocation => Ok(StatusBit::Clear),
            StatusBit::Unknown(why) => Ok(StatusBit::Unknown(why)),
            StatusBit::Clear | StatusBit::Set => Err(PastError::NotKept("the status of a credential")),
        }
    }
}
