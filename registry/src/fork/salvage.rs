//! What is honoured of a log that told two stories: whatever takes something back, on either branch.
//!
//! Each such statement is a record that proves itself: the entry, where it stands, and that a signed head covers it. The
//! records are kept in order, and no more than fit a bound: the first ones, so that all nodes keep the same.

use sha2::{Digest, Sha256};

use crate::head::Head;
use crate::limits;
use crate::log::{self, Hash};
use crate::message::codec::{Decoder, Encoder};
use crate::message::{self, MessageError};
use crate::proof::{self, ProofError};
use crate::statement::{Content, Statement, StatementError, StatusChanged};
use crate::store::{self, ReadError, Reader};

/// A statement of a frozen log, with proof that the log says it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Record {
    /// Where it stands in its branch.
    pub index: u64,
    /// The statement, canonical.
    pub entry: Vec<u8>,
    /// A head of that branch, as a signed note.
    pub note: String,
    /// Inclusion proof from the entry to the head.
    pub proof: Vec<Hash>,
}

/// Which record: the index, and the hash of the entry. Two branches have two entries of one index.
pub(crate) type Name = (u64, Hash);

/// Why a record is not honoured.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub(crate) enum RecordError {
    #[error("the entry is not proven: {0}")]
    Proof(#[from] ProofError),
    #[error("the entry is no statement: {0}")]
    Statement(#[from] StatementError),
    #[error("the statement takes nothing back")]
    Harmless,
}

impl Record {
    pub(crate) fn name(&self) -> Name {
        (self.index, log::leaf_hash(&self.entry))
    }

    /// Checks the record against a head whose signatures were checked, and gives what is to be honoured of it.
    pub(crate) fn verify(&self, head: &Head) -> Result<Statement, RecordError> {
        let leaf = log::leaf_hash(&self.entry);
        proof::verify_inclusion(&leaf, self.index, head.size(), &self.proof, head.root())?;
        restriction(&Statement::parse(&self.entry)?).ok_or(RecordError::Harmless)
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = Encoder::default();
        self.write(&mut out);
        out.finish()
    }

    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, MessageError> {
        let mut from = Decoder::new(bytes);
        let record = Self::read(&mut from)?;
        from.finish()?;
        Ok(record)
    }

    pub(crate) fn write(&self, out: &mut Encoder) {
        out.u64(self.index);
        out.run(&self.entry);
        out.run(self.note.as_bytes());
        out.hashes(&self.proof);
    }

    pub(crate) fn read(from: &mut Decoder<'_>) -> Result<Self, MessageError> {
        Ok(Self {
            index: from.size()?,
            entry: from.run("bytes in an entry", limits::STATEMENT_BYTES)?.to_vec(),
            note: from.text("bytes in a head", limits::NOTE_BYTES)?.to_owned(),
            proof: message::hashes(from)?,
        })
    }
}

/// What a statement takes back, if it does: a retirement or a suspension of an agent, a withdrawal, a key that is
/// compromised, bits that are set (and none that are cleared).
/// Kinds that only give are not among them, nor are successions, which give as much as they take.
pub(crate) fn restriction(statement: &Statement) -> Option<Statement> {
    let content = match &statement.content {
        Content::AgentRetired { .. }
        | Content::AgentSuspended { .. }
        | Content::KeyCompromised(_)
        | Content::WithdrawAuthorization(_)
        | Content::WithdrawRecognition(_) => statement.content.clone(),
        Content::StatusChanged(change) if !change.set.is_empty() => Content::StatusChanged(StatusChanged {
            cleared: Vec::new(),
            ..change.clone()
        }),
        _ => return None,
    };
    Some(Statement {
        content,
        ..statement.clone()
    })
}

/// The names of the records that are kept of one log, in order, with what each counts against the bound.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Salvage {
    names: std::collections::BTreeMap<Name, usize>,
    bytes: usize,
}

impl Salvage {
    /// Those in the store.
    pub(crate) fn stored(organization: &str, reader: &dyn Reader) -> Result<Self, ReadError> {
        let prefix = store::salvaged_all(organization);
        let (mut from, to) = (prefix.clone(), store::after(&prefix));
        let mut salvage = Self::default();
        loop {
            let rows = reader.range(&from, &to, limits::SALVAGE_ROWS_AT_ONCE)?;
            for (key, value) in &rows {
                let damaged = || ReadError::damaged(format!("what is salvaged of {organization}"), "a record");
                let record = Record::decode(value).map_err(|_| damaged())?;
                if *key != store::salvaged(organization, &record.name()) {
                    return Err(damaged());
                }
                salvage.insert(record.name(), record.entry.len());
            }
            match rows.into_iter().last() {
                Some((last, _)) => from = [last.as_slice(), &[0]].concat(),
                None => return Ok(salvage),
            }
        }
    }

    /// Whether a record would be kept.
    pub(crate) fn wants(&self, name: &Name, entry: usize) -> bool {
        let full = self.bytes + cost(entry) > limits::SALVAGE_BYTES;
        let last = self.names.last_key_value().map(|(last, _)| last);
        !self.names.contains_key(name) && (!full || last.is_some_and(|last| name < last))
    }

    /// Keeps a record, and gives the names of those that no longer fit.
    pub(crate) fn insert(&mut self, name: Name, entry: usize) -> Vec<Name> {
        if self.names.insert(name, cost(entry)).is_none() {
            self.bytes += cost(entry);
        }
        let mut dropped = Vec::new();
        while self.bytes > limits::SALVAGE_BYTES
            && let Some((last, cost)) = self.names.pop_last()
        {
            self.bytes -= cost;
            dropped.push(last);
        }
        dropped
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &Name> {
        self.names.keys()
    }

    /// Equal for those who keep the same.
    pub(crate) fn digest(&self) -> Hash {
        let mut hasher = Sha256::new();
        for (index, leaf) in self.names.keys() {
            hasher.update(index.to_be_bytes());
            hasher.update(leaf);
        }
        hasher.finalize().into()
    }
}

/// The entry, and room for any head of two signatures and any proof: the same on all nodes, whatever head they have.
fn cost(entry: usize) -> usize {
    entry + limits::SALVAGE_OVERHEAD
}
