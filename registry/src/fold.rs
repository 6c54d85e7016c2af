//! The fold: from statements to facts, one statement at a time, in the order of their log.
//!
//! It is pure and touches only facts of the organization whose log it is, so logs may be folded
//! in any interleaving. It is total: a statement that makes no sense where it stands (an agent
//! retired that was never registered, bits of a list that was never created) changes nothing.

use std::collections::BTreeMap;

use syndic_vc::status::StatusPurpose;
use syndic_vc::time::Timestamp;
use syndic_vc::webvh::Log;

use crate::fact::{self, Agent, Fact, ListFact, ListTotals, ProfileFact, RightFact, RightKind, Word};
use crate::limits;
use crate::statement::{AgentRegistered, Content, Grant, Right, Statement, StatusChanged, StatusListCreated};
use crate::store::{ReadError, Reader, Write};

pub(crate) mod dids;
mod successions;
mod trust;

const CHUNK_BYTES: usize = (limits::STATUS_CHUNK_BITS / 8) as usize;

type Chunk = Box<[u8; CHUNK_BYTES]>;

/// Folds statements of one log, beginning with the entry `first`: the rows to write, in the same
/// batch as the entries themselves.
///
/// # Errors
/// [`ReadError`] if the store cannot say what was known before.
pub fn fold(
    organization: &str,
    first: u64,
    statements: &[Statement],
    reader: &dyn Reader,
) -> Result<Vec<Write>, ReadError> {
    let mut fold = Fold::new(organization, reader);
    for (index, statement) in (first..).zip(statements) {
        fold.apply(index, statement)?;
    }
    Ok(fold.finish())
}

/// A fold in progress: what was known, and what changed since.
pub struct Fold<'a> {
    organization: &'a str,
    reader: &'a dyn Reader,
    changed: BTreeMap<Vec<u8>, Vec<u8>>,
    /// Rows that are written once and not read by the fold.
    appended: Vec<Write>,
    lists: BTreeMap<String, List>,
    /// Logs of `did:webvh` DIDs that were looked at, by SCID.
    dids: BTreeMap<String, Log>,
}

/// A status list that was looked at, and those of its chunks that were changed.
struct List {
    fact: Option<ListFact>,
    chunks: BTreeMap<u32, Chunk>,
}

impl<'a> Fold<'a> {
    /// Begins where the store stands.
    #[must_use]
    pub fn new(organization: &'a str, reader: &'a dyn Reader) -> Self {
        Self {
            organization,
            reader,
            changed: BTreeMap::new(),
            appended: Vec::new(),
            lists: BTreeMap::new(),
            dids: BTreeMap::new(),
        }
    }

    /// Folds the statement that is entry `index` of the log.
    ///
    /// # Errors
    /// [`ReadError`] if the store cannot say what was known before.
    pub fn apply(&mut self, index: u64, statement: &Statement) -> Result<(), ReadError> {
        let at = statement.at;
        match &statement.content {
            Content::Profile(_) => {
                self.put(fact::profile_key(self.organization), &ProfileFact { index });
                Ok(())
            }
            Content::AgentRegistered(registered) => self.register(index, at, registered),
            Content::AgentRetired { agent } => self.retire(index, at, agent.as_str()),
            Content::AgentSucceeded(said) => self.succeed(index, at, said),
            Content::Authorize(grant) => self.grant(index, at, RightKind::Authorization, grant),
            Content::WithdrawAuthorization(right) => self.withdraw(index, at, RightKind::Authorization, right),
            Content::Recognize(grant) => self.grant(index, at, RightKind::Recognition, grant),
            Content::WithdrawRecognition(right) => self.withdraw(index, at, RightKind::Recognition, right),
            Content::StatusListCreated(created) => self.create_list(index, at, created),
            Content::StatusChanged(changed) => self.change_bits(changed),
            Content::DidVersion(version) => self.did_version(index, at, version),
            Content::OrganizationDid { did } => {
                self.own_did(did);
                Ok(())
            }
            Content::AgentSuspended { agent } => self.suspend(index, at, agent.as_str(), true),
            Content::AgentResumed { agent } => self.suspend(index, at, agent.as_str(), false),
            Content::KeyCompromised(said) => self.compromise(index, at, said),
            Content::CredentialsAnchored(said) => self.anchor(index, said),
            Content::TrustBundle(said) => {
                self.bundle(index, said);
                Ok(())
            }
            // That another told two stories is proven by the proof, not by who says so; who signs heads is taken before a
            // head is checked: [`crate::log_keys`].
            Content::ForkEvidence(_) | Content::LogKeyRotated(_) | Content::Unknown(_) => Ok(()),
        }
    }

    /// What is to be written.
    #[must_use]
    pub fn finish(self) -> Vec<Write> {
        let mut writes = self.appended;
        writes.extend(self.changed.into_iter().map(|(key, value)| Write::put(key, value)));
        for (url, list) in &self.lists {
            for (number, chunk) in &list.chunks {
                let key = fact::chunk_key(self.organization, url, *number);
                writes.push(Write::put(key, chunk.to_vec()));
            }
        }
        writes
    }

    fn get<F: Fact>(&self, key: &[u8]) -> Result<Option<F>, ReadError> {
        match self.changed.get(key) {
            Some(bytes) => fact::decoded(key, bytes).map(Some),
            None => fact::get(key, self.reader),
        }
    }

    fn put(&mut self, key: Vec<u8>, fact: &impl Fact) {
        self.changed.insert(key, fact.encode());
    }

    /// Retirement is final: a retired agent is not registered again by the same organization.
    fn register(&mut self, index: u64, at: Timestamp, registered: &AgentRegistered) -> Result<(), ReadError> {
        let agent = registered.agent.as_str();
        let key = fact::agent_key(self.organization, agent);
        match self.get::<Agent>(&key)? {
            Some(known) if known.retired.is_some() => return Ok(()),
            Some(_) => {}
            None => {
                let by_agent = fact::agent_index_key(agent, Some(self.organization));
                self.appended.push(Write::put(by_agent, Vec::new()));
            }
        }
        let agent = Agent {
            index,
            at,
            name: registered.name.clone(),
            owner: registered.owner.clone(),
            retired: None,
        };
        self.put(key, &agent);
        Ok(())
    }

    fn retire(&mut self, index: u64, at: Timestamp, agent: &str) -> Result<(), ReadError> {
        let key = fact::agent_key(self.organization, agent);
        if let Some(mut known) = self.get::<Agent>(&key)?
            && known.retired.is_none()
        {
            known.retired = Some((index, at));
            self.put(key, &known);
        }
        Ok(())
    }

    fn grant(&mut self, index: u64, at: Timestamp, kind: RightKind, grant: &Grant) -> Result<(), ReadError> {
        let word = Word::Granted {
            from: grant.valid_from,
            until: grant.valid_until,
        };
        self.say(kind, &grant.right, &RightFact { index, at, word });
        Ok(())
    }

    /// Only what was granted can be withdrawn.
    fn withdraw(&mut self, index: u64, at: Timestamp, kind: RightKind, right: &Right) -> Result<(), ReadError> {
        let key = fact::right_key(self.organization, kind, right);
        if self
            .get::<RightFact>(&key)?
            .is_some_and(|known| known.word != Word::Withdrawn)
        {
            self.say(
                kind,
                right,
                &RightFact {
                    index,
                    at,
                    word: Word::Withdrawn,
                },
            );
        }
        Ok(())
    }

    fn say(&mut self, kind: RightKind, right: &Right, fact: &RightFact) {
        let organization = self.organization;
        self.put(fact::right_key(organization, kind, right), fact);
        let history = fact::right_history_key(organization, kind, right, fact.index);
        self.appended.push(Write::put(history, fact.encode()));
        let Right {
            subject,
            action,
            resource,
        } = right;
        self.put(
            fact::right_index_key(kind, subject, action, resource, Some(organization)),
            fact,
        );
    }

    /// The first creation counts; a list beyond the organization's quota does not exist, and
    /// credentials that name it are refused.
    fn create_list(&mut self, index: u64, at: Timestamp, created: &StatusListCreated) -> Result<(), ReadError> {
        let key = fact::list_key(self.organization, &created.list);
        if self.get::<ListFact>(&key)?.is_some() {
            return Ok(());
        }
        let totals_key = fact::totals_key(self.organization);
        let before: ListTotals = self.get(&totals_key)?.unwrap_or_default();
        let totals = ListTotals {
            lists: before.lists + 1,
            bits: before.bits.saturating_add(created.length),
        };
        if totals.lists > limits::STATUS_LISTS || totals.bits > limits::STATUS_BITS {
            return Ok(());
        }
        let list = ListFact {
            index,
            at,
            purpose: created.purpose,
            length: created.length,
        };
        self.put(key, &list);
        self.put(totals_key, &totals);
        if let Some(known) = self.lists.get_mut(&created.list) {
            known.fact = Some(list);
        }
        Ok(())
    }

    fn change_bits(&mut self, changed: &StatusChanged) -> Result<(), ReadError> {
        self.look_at(&changed.list)?;
        let (organization, reader) = (self.organization, self.reader);
        let Some(List {
            fact: Some(fact),
            chunks,
        }) = self.lists.get_mut(&changed.list)
        else {
            return Ok(());
        };
        let mut write = |bit: u64, set: bool| {
            if bit >= fact.length {
                return Ok(());
            }
            // Below 2^26 bits there are fewer than 2^14 chunks.
            let number = (bit / limits::STATUS_CHUNK_BITS) as u32;
            let chunk = match chunks.entry(number) {
                std::collections::btree_map::Entry::Occupied(known) => known.into_mut(),
                std::collections::btree_map::Entry::Vacant(free) => {
                    free.insert(stored_chunk(organization, &changed.list, number, reader)?)
                }
            };
            set_bit(chunk, bit % limits::STATUS_CHUNK_BITS, set);
            Ok(())
        };
        changed.set.iter().try_for_each(|bit| write(*bit, true))?;
        // A revocation is for ever.
        if fact.purpose == StatusPurpose::Suspension {
            changed.cleared.iter().try_for_each(|bit| write(*bit, false))?;
        }
        Ok(())
    }

    fn look_at(&mut self, list: &str) -> Result<(), ReadError> {
        if !self.lists.contains_key(list) {
            let fact = self.get(&fact::list_key(self.organization, list))?;
            self.lists.insert(
                list.to_owned(),
                List {
                    fact,
                    chunks: BTreeMap::new(),
                },
            );
        }
        Ok(())
    }
}

fn stored_chunk(organization: &str, list: &str, number: u32, reader: &dyn Reader) -> Result<Chunk, ReadError> {
    match reader.get(&fact::chunk_key(organization, list, number))? {
        None => Ok(Box::new([0; CHUNK_BYTES])),
        Some(bytes) => <[u8; CHUNK_BYTES]>::try_from(bytes.as_slice())
            .map(Box::new)
            .map_err(|_| {
                ReadError::damaged(
                    format!("status list {list} of {organization}"),
                    "bits of the wrong number",
                )
            }),
    }
}

/// Bit 0 is the highest bit of the first byte (W3C Bitstring Status List 1.0, section 3.3).
fn set_bit(chunk: &mut Chunk, bit: u64, set: bool) {
    let mask = 0x80 >> (bit % 8);
    if let Some(byte) = chunk.get_mut((bit / 8) as usize) {
        if set { *byte |= mask } else { *byte &= !mask }
    }
}
