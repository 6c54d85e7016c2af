//! The view: who may do what, whose word counts, what is revoked; as far as the logs are known.
//!
//! A view is a charter and a [`Reader`] over the folded facts; it computes nothing ahead and
//! keeps nothing. It implements [`Knowledge`], so verification can ask it.

use std::sync::Arc;

use sha2::{Digest, Sha256};
use syndic_vc::did::Did;
use syndic_vc::document::DidDocument;
use syndic_vc::key::PublicKey;
use syndic_vc::resolve::ResolveError;
use syndic_vc::status::{StatusList, StatusPurpose};
use syndic_vc::time::Timestamp;
use syndic_vc::trust::{AgentStanding, Freshness, KeyStanding, Knowledge, Standing, StatusBit, Witness};

use crate::charter::{Charter, MemberCard};
use crate::cosignature::{self, Cosignature};
use crate::fact::{self, Agent, ListFact, ProfileFact, RightFact, RightKind};
use crate::fork::Fork;
use crate::fork::salvage::Salvage;
use crate::limits;
use crate::log::{self, Hash, LogState};
use crate::statement::{Content, Profile, Statement};
use crate::store::{self, ReadError, Reader};

mod dids;
mod past;
mod resources;
mod successions;
mod trust;

pub use dids::{DidLog, DidLogError};
pub use past::{Past, PastError};
use resources::covering;

/// What is known, as of one state of the store.
#[derive(Clone, Copy)]
pub struct View<'a> {
    charter: &'a Charter,
    reader: &'a dyn Reader,
    viewer: Option<&'a Did>,
}

/// Somebody whose word can be asked for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Authority<'a> {
    /// The consortium: as many members as the charter asks for must agree.
    Consortium,
    /// One member.
    Member(&'a MemberCard),
}

/// An answer on a right, and the statements it rests on.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Answer {
    /// Whether the right holds.
    pub granted: bool,
    /// Who grants it, one statement each.
    pub vouchers: Vec<Voucher>,
}

/// A statement that grants a right.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Voucher {
    /// Whose log.
    pub organization: Did,
    /// Which entry of it.
    pub index: u64,
}

/// A right that is asked about.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Question<'q> {
    /// The entity or authority asked about.
    pub subject: &'q str,
    /// The action, exactly.
    pub action: &'q str,
    /// The resource; one that ends in `/*` needs a grant of all that is below.
    pub resource: &'q str,
    /// For which moment.
    pub at: Timestamp,
}

impl<'a> View<'a> {
    /// Looks at what a store holds, under a charter.
    #[must_use]
    pub fn new(charter: &'a Charter, reader: &'a dyn Reader) -> Self {
        Self {
            charter,
            reader,
            viewer: None,
        }
    }

    /// The same, as this member looks: it needs no witness for its own log, and is none for itself.
    #[must_use]
    pub fn seen_by(self, viewer: &'a Did) -> Self {
        Self {
            viewer: Some(viewer),
            ..self
        }
    }

    /// The newest cosignatures of an organization's log by other members of the charter.
    ///
    /// # Errors
    /// [`ReadError`] if the store cannot say.
    pub fn cosignatures(&self, organization: &str) -> Result<Vec<Cosignature>, ReadError> {
        let mut all = cosignature::stored(organization, self.reader)?;
        all.retain(|one| {
            let witness = one.witness.as_str();
            witness != organization && self.charter.member(witness).is_some()
        });
        Ok(all)
    }

    /// How old the knowledge of a member's log is, and who else has seen it; `None` if it has said nothing.
    ///
    /// # Errors
    /// [`ReadError`] if the store cannot say.
    pub fn age(&self, organization: &Did) -> Result<Option<Freshness>, ReadError> {
        let Some(head) = self.log(organization.as_str())?.head else {
            return Ok(None);
        };
        let own = self.viewer == Some(organization);
        let views_itself = !own
            && self
                .viewer
                .is_some_and(|viewer| self.charter.member(viewer.as_str()).is_some());
        let others = self
            .charter
            .members()
            .len()
            .saturating_sub(1 + usize::from(views_itself));
        let witnesses = self.cosignatures(organization.as_str())?.into_iter();
        let witnesses = witnesses.filter(|one| Some(&one.witness) != self.viewer);
        Ok(Some(Freshness {
            organization: organization.clone(),
            head_size: head.size(),
            time: head.time(),
            own,
            others: u32::try_from(others).unwrap_or(u32::MAX),
            witnesses: witnesses
                .map(|one| Witness {
                    size: one.size,
                    time: one.time,
                })
                .collect(),
        }))
    }

    /// The charter under which it looks.
    #[must_use]
    pub fn charter(&self) -> &'a Charter {
        self.charter
    }

    /// The authority that a DID or a consortium's id names; `None` if it is none here.
    #[must_use]
    pub fn authority(&self, name: &str) -> Option<Authority<'a>> {
        if name == self.charter.id() {
            return Some(Authority::Consortium);
        }
        self.charter.member(name).map(Authority::Member)
    }

    /// Whether an organization was caught telling two stories: its word then counts for nothing.
    ///
    /// # Errors
    /// [`ReadError`] if the store cannot say.
    pub fn is_frozen(&self, organization: &str) -> Result<bool, ReadError> {
        Ok(self.reader.get(&store::evidence(organization))?.is_some())
    }

    /// The proof that an organization told two stories, if there is one.
    ///
    /// # Errors
    /// [`ReadError`] if the store cannot say.
    pub fn fork(&self, organization: &str) -> Result<Option<Fork>, ReadError> {
        Fork::stored(organization, self.reader)
    }

    /// How much of an organization's log is known, and its newest head.
    ///
    /// # Errors
    /// [`ReadError`] if the store cannot say.
    pub fn log(&self, organization: &str) -> Result<LogState, ReadError> {
        LogState::read(organization, self.reader)
    }

    /// What an organization last said of itself; `None` if only its charter card speaks.
    ///
    /// # Errors
    /// [`ReadError`] if the store cannot say.
    pub fn profile(&self, organization: &str) -> Result<Option<Profile>, ReadError> {
        let key = fact::profile_key(organization);
        let Some(ProfileFact { index }) = fact::get(&key, self.reader)? else {
            return Ok(None);
        };
        match self.statement(organization, index)?.map(|statement| statement.content) {
            Some(Content::Profile(profile)) => Ok(Some(profile)),
            _ => Err(ReadError::damaged(
                format!("entry {index} of {organization}"),
                "it is not a profile",
            )),
        }
    }

    /// One statement of an organization's log.
    ///
    /// # Errors
    /// [`ReadError`] if the store cannot say.
    pub fn statement(&self, organization: &str, index: u64) -> Result<Option<Statement>, ReadError> {
        let Some(bytes) = log::read_entry(organization, index, self.reader)? else {
            return Ok(None);
        };
        Statement::parse(&bytes)
            .map(Some)
            .map_err(|_| ReadError::damaged(format!("entry {index} of {organization}"), "it is not a statement"))
    }

    /// Whether an authority authorizes what is asked.
    ///
    /// # Errors
    /// [`ReadError`] if the store cannot say.
    pub fn authorization(&self, authority: Authority<'_>, question: &Question<'_>) -> Result<Answer, ReadError> {
        self.answer(RightKind::Authorization, authority, question)
    }

    /// Whether an authority recognizes what is asked.
    ///
    /// # Errors
    /// [`ReadError`] if the store cannot say.
    pub fn recognition(&self, authority: Authority<'_>, question: &Question<'_>) -> Result<Answer, ReadError> {
        self.answer(RightKind::Recognition, authority, question)
    }

    fn answer(&self, kind: RightKind, authority: Authority<'_>, question: &Question<'_>) -> Result<Answer, ReadError> {
        match authority {
            Authority::Member(member) => {
                let mut vouchers = Vec::new();
                if !self.is_frozen(member.did().as_str())? {
                    vouchers.extend(self.voucher(kind, member.did(), question)?);
                }
                Ok(Answer {
                    granted: !vouchers.is_empty(),
                    vouchers,
                })
            }
            Authority::Consortium => {
                let vouchers = self.endorsements(kind, question)?;
                let enough = self.charter.rules().endorsements as usize;
                Ok(Answer {
                    granted: vouchers.len() >= enough,
                    vouchers,
                })
            }
        }
    }

    /// The member's statement that covers the question, if there is one.
    fn voucher(&self, kind: RightKind, member: &Did, question: &Question<'_>) -> Result<Option<Voucher>, ReadError> {
        for resource in covering(question.resource) {
            let key = fact::right_index_key(
                kind,
                question.subject,
                question.action,
                &resource,
                Some(member.as_str()),
            );
            if let Some(right) = fact::get::<RightFact>(&key, self.reader)?
                && right.grants_at(question.at)
            {
                return Ok(Some(Voucher {
                    organization: member.clone(),
                    index: right.index,
                }));
            }
        }
        Ok(None)
    }

    /// One statement of each member in good standing that vouches for the question. Nobody
    /// vouches for itself.
    fn endorsements(&self, kind: RightKind, question: &Question<'_>) -> Result<Vec<Voucher>, ReadError> {
        let mut found = std::collections::BTreeMap::new();
        for resource in covering(question.resource) {
            let prefix = fact::right_index_key(kind, question.subject, question.action, &resource, None);
            let rows = self
                .reader
                .range(&prefix, &store::after(&prefix), limits::CHARTER_MEMBERS)?;
            for (key, value) in rows {
                let right: RightFact = fact::decoded(&key, &value)?;
                let Some(member) = key
                    .get(prefix.len()..)
                    .and_then(|did| std::str::from_utf8(did).ok())
                    .and_then(|did| self.charter.member(did))
                else {
                    continue;
                };
                let did = member.did();
                if did.as_str() == question.subject
                    || !right.grants_at(question.at)
                    || found.contains_key(did)
                    || self.is_frozen(did.as_str())?
                {
                    continue;
                }
                found.insert(
                    did,
                    Voucher {
                        organization: did.clone(),
                        index: right.index,
                    },
                );
            }
        }
        Ok(found.into_values().collect())
    }

    /// Every organization that registered an agent, and what it says of it.
    ///
    /// # Errors
    /// [`ReadError`] if the store cannot say.
    pub fn registrations(&self, agent: &str) -> Result<Vec<(Did, Agent)>, ReadError> {
        let prefix = fact::agent_index_key(agent, None);
        let rows = self
            .reader
            .range(&prefix, &store::after(&prefix), limits::CHARTER_MEMBERS)?;
        let mut registrations = Vec::new();
        for (key, _) in rows {
            let did = key.get(prefix.len()..).and_then(|did| std::str::from_utf8(did).ok());
            let Some(member) = did.and_then(|did| self.charter.member(did)) else {
                continue;
            };
            let key = fact::agent_key(member.did().as_str(), agent);
            if let Some(agent) = fact::get::<Agent>(&key, self.reader)?
                && !self.is_after_fork(member.did().as_str(), agent.index)?
            {
                registrations.push((member.did().clone(), agent));
            }
        }
        Ok(registrations)
    }

    /// Agents that an organization registered, in order of their DIDs, after the one named.
    ///
    /// # Errors
    /// [`ReadError`] if the store cannot say.
    pub fn agents(
        &self,
        organization: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<(String, Agent)>, ReadError> {
        let prefix = fact::agent_key(organization, "");
        let mut from = fact::agent_key(organization, after.unwrap_or_default());
        if after.is_some() {
            from.push(0);
        }
        let rows = self.reader.range(&from, &store::after(&prefix), limit)?;
        rows.iter()
            .map(|(key, value)| {
                let did = key.get(prefix.len()..).unwrap_or_default();
                Ok((String::from_utf8_lossy(did).into_owned(), fact::decoded(key, value)?))
            })
            .collect()
    }

    /// Status lists that an organization created, in order of their URLs.
    ///
    /// # Errors
    /// [`ReadError`] if the store cannot say.
    pub fn status_lists(&self, organization: &str) -> Result<Vec<(String, ListFact)>, ReadError> {
        let prefix = fact::list_key(organization, "");
        // The fold lets no organization have more.
        let rows = self
            .reader
            .range(&prefix, &store::after(&prefix), limits::STATUS_LISTS as usize)?;
        rows.iter()
            .map(|(key, value)| {
                let url = key.get(prefix.len()..).unwrap_or_default();
                Ok((String::from_utf8_lossy(url).into_owned(), fact::decoded(key, value)?))
            })
            .collect()
    }

    /// One status list of an organization.
    ///
    /// # Errors
    /// [`ReadError`] if the store cannot say.
    pub fn status_list(&self, organization: &str, list: &str) -> Result<Option<ListFact>, ReadError> {
        fact::get(&fact::list_key(organization, list), self.reader)
    }

    /// The bits of a status list, to be served; `None` if the organization has no such list.
    ///
    /// # Errors
    /// [`ReadError`] if the store cannot say.
    pub fn status_bits(&self, organization: &str, list: &str) -> Result<Option<StatusList>, ReadError> {
        let Some(ListFact { length, .. }) = self.status_list(organization, list)? else {
            return Ok(None);
        };
        let damaged = || {
            let place = format!("status list {list} of {organization}");
            ReadError::damaged(place, "its length or its bits are not what was written")
        };
        let mut bits = StatusList::new(length).map_err(|_| damaged())?;
        let from = fact::chunk_key(organization, list, 0);
        let to = fact::chunk_key(organization, list, u32::MAX);
        let chunks = length.div_ceil(limits::STATUS_CHUNK_BITS) as usize;
        for (key, chunk) in self.reader.range(&from, &to, chunks)? {
            let number = key.last_chunk::<4>().map_or(0, |number| u32::from_be_bytes(*number));
            let first = u64::from(number) * limits::STATUS_CHUNK_BITS;
            for (byte, eight) in (0_u64..).zip(chunk) {
                for bit in (0..8).filter(|bit| eight & (0x80 >> bit) != 0) {
                    bits.set(first + 8 * byte + bit, true).map_err(|_| damaged())?;
                }
            }
        }
        Ok(Some(bits))
    }

    fn status_bit(&self, issuer: &str, list: &str, purpose: StatusPurpose, index: u64) -> Result<StatusBit, ReadError> {
        let unknown = |why: &str| Ok(StatusBit::Unknown(why.to_owned()));
        let Some(known) = self.status_list(issuer, list)? else {
            return unknown("the issuer's log names no such status list");
        };
        if purpose == StatusPurpose::Suspension && self.is_frozen(issuer)? {
            // The end of a suspension in one story only does not count, and which ones those are is not kept.
            return unknown("the issuer told two stories");
        }
        if known.purpose != purpose {
            return unknown("the issuer's status list is for another purpose");
        }
        if index >= known.length {
            return unknown("the index is beyond the end of the status list");
        }
        // Below 2^26 bits there are fewer than 2^14 chunks.
        let chunk = (index / limits::STATUS_CHUNK_BITS) as u32;
        let Some(bits) = self.reader.get(&fact::chunk_key(issuer, list, chunk))? else {
            return Ok(StatusBit::Clear);
        };
        let bit = index % limits::STATUS_CHUNK_BITS;
        match bits.get((bit / 8) as usize) {
            Some(byte) if byte & (0x80 >> (bit % 8)) == 0 => Ok(StatusBit::Clear),
            Some(_) => Ok(StatusBit::Set),
            None => Err(ReadError::damaged(
                format!("status list {list} of {issuer}"),
                "bits are missing",
            )),
        }
    }

    fn find_standing(&self, authority: &str, question: &Question<'_>) -> Result<Standing, ReadError> {
        let asked = Did::parse(question.subject).ok();
        let Some(issuer) = asked.map(|did| self.organization_of(&did)).transpose()?.flatten() else {
            if self.charter.removed_by(question.subject).is_some() {
                return Ok(Standing::IssuerRemoved);
            }
            return Ok(Standing::IssuerUnknown);
        };
        // Members authorize each other under the DIDs of the charter.
        let question = &Question {
            subject: issuer.did().as_str(),
            ..*question
        };
        if self.is_frozen(issuer.did().as_str())? {
            return Ok(Standing::IssuerFrozen);
        }
        if authority == question.subject {
            return Ok(Standing::Authorized {
                by: authority.to_owned(),
            });
        }
        let Some(asked) = self.authority(authority) else {
            return Ok(Standing::NotAuthorized);
        };
        // An organization accepts what it authorizes itself, and what the consortium does.
        for asked in [asked, Authority::Consortium] {
            if self.authorization(asked, question)?.granted {
                let by = match asked {
                    Authority::Member(_) => authority,
                    Authority::Consortium => self.charter.id(),
                };
                return Ok(Standing::Authorized { by: by.to_owned() });
            }
        }
        Ok(Standing::NotAuthorized)
    }

    /// Hash over all that is known: equal on nodes that know the same, whatever the order in
    /// which they heard it. Reads all facts, in bounded memory.
    ///
    /// # Errors
    /// [`ReadError`] if the store cannot say.
    pub fn digest(&self) -> Result<Hash, ReadError> {
        let mut hasher = Sha256::new();
        let mut part = |bytes: &[u8]| {
            hasher.update((bytes.len() as u64).to_be_bytes());
            hasher.update(bytes);
        };
        part(b"syndic/registry-digest/v1");
        part(self.charter.id().as_bytes());
        let mut members: Vec<&Did> = self.charter.members().iter().map(MemberCard::did).collect();
        members.sort();
        for did in members {
            let organization = did.as_str();
            let log = self.log(organization)?;
            part(organization.as_bytes());
            if let Some(fork) = self.fork(organization)? {
                // Which of the stories was heard first makes no difference.
                part(&[1]);
                part(&fork.at.saturating_sub(1).to_be_bytes());
                for (index, leaf) in Salvage::stored(organization, self.reader)?.names() {
                    part(&index.to_be_bytes());
                    part(leaf);
                }
                continue;
            }
            part(&log.frontier.size().to_be_bytes());
            part(&log.frontier.root());
            part(&[0]);
            let prefix = store::facts(organization);
            let (mut from, to) = (prefix.clone(), store::after(&prefix));
            loop {
                let rows = self.reader.range(&from, &to, limits::ROWS_AT_ONCE)?;
                for (key, value) in &rows {
                    part(key);
                    part(value);
                }
                match rows.into_iter().last() {
                    Some((last, _)) => from = [last.as_slice(), &[0]].concat(),
                    None => break,
                }
            }
        }
        Ok(hasher.finalize().into())
    }
}

impl Knowledge for View<'_> {
    fn document(&self, did: &Did) -> Result<Arc<DidDocument>, ResolveError> {
        self.document_of(did).map(Arc::new)
    }

    fn standing(&self, authority: &str, issuer: &Did, action: &str, resource: &str, at: Timestamp) -> Standing {
        let question = Question {
            subject: issuer.as_str(),
            action,
            resource,
            at,
        };
        self.find_standing(authority, &question)
            .unwrap_or_else(|error| Standing::Unavailable(error.to_string()))
    }

    fn status(&self, issuer: &Did, list: &str, purpose: StatusPurpose, index: u64) -> StatusBit {
        self.organization_of(issuer)
            .and_then(|member| {
                let speaker = member.map_or(issuer, MemberCard::did);
                self.status_bit(speaker.as_str(), list, purpose, index)
            })
            .unwrap_or_else(|error| StatusBit::Unknown(error.to_string()))
    }

    fn agent(&self, did: &Did, at: Timestamp) -> AgentStanding {
        self.agent_standing(did.as_str(), at)
            .unwrap_or_else(|error| AgentStanding::Unavailable(error.to_string()))
    }

    fn key_standing(&self, issuer: &Did, method: &str, key: &PublicKey, digest: &dyn Fn() -> String) -> KeyStanding {
        self.find_key_standing(issuer, method, key, digest)
            .unwrap_or_else(|error| KeyStanding::Unavailable(error.to_string()))
    }

    fn freshness(&self, issuer: &Did) -> Option<Freshness> {
        // A store that cannot be read knows nothing, which is a refusal.
        let member = self.organization_of(issuer).ok()??;
        self.age(member.did()).ok()?
    }

    fn grounds(&self, issuer: &Did, list: &str) -> u64 {
        let member = self.organization_of(issuer).ok().flatten();
        let speaker = member.map_or(issuer, MemberCard::did);
        // What cannot be read is refused when its bit is asked for.
        let list = self.status_list(speaker.as_str(), list).ok().flatten();
        list.map_or(0, |list| list.index + 1)
    }
}

#[cfg(test)]
mod model;
#[cfg(test)]
mod tests;
