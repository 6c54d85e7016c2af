//! What messages are made of: cosignatures of a head, where a chain of charters ends, a rotation, a piece of a log.

use super::codec::{Decoder, Encoder};
use super::{MessageError, MessageErrorKind, PIECE, begin, entries, hashes, note, rotation};
use crate::cosignature::Cosignature;
use crate::limits;
use crate::log::Hash;
use crate::log_keys::Rotation;

/// Cosignatures of one head of one log.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Cosigned {
    /// DID of the log's organization.
    pub organization: String,
    /// Number of entries that the head covers.
    pub size: u64,
    /// Root over these entries.
    pub root: Hash,
    /// One or more, ascending by witness; all of this size and root.
    pub lines: Vec<Cosignature>,
}

impl Cosigned {
    /// What one takes in a message beside its DIDs.
    pub(super) const LEAST_BYTES: usize = 44;

    /// What it takes in a message.
    pub(crate) fn bytes(&self) -> usize {
        let lines = self.lines.iter();
        let lines = lines.map(|line| line.witness.as_str().len() + Cosignature::LEAST_BYTES);
        Self::LEAST_BYTES + self.organization.len() + lines.sum::<usize>()
    }

    pub(super) fn write(&self, out: &mut Encoder) {
        out.run(self.organization.as_bytes());
        out.u64(self.size);
        out.hash(&self.root);
        out.count(self.lines.len());
        for line in &self.lines {
            line.write(out);
        }
    }

    pub(super) fn read(from: &mut Decoder<'_>) -> Result<Self, MessageError> {
        let organization = from.text("DID", limits::ORGANIZATION_BYTES)?.to_owned();
        let (size, root) = (from.size()?, from.hash()?);
        let lines = from.list("cosignatures", limits::COSIGNATURES, Cosignature::LEAST_BYTES, |from| {
            Cosignature::read(from, size, root)
        })?;
        if lines.is_empty() || !lines.is_sorted_by(|a, b| a.witness < b.witness) {
            return Err(from.value("no cosignatures, or out of order"));
        }
        Ok(Self {
            organization,
            size,
            root,
            lines,
        })
    }
}

/// Where a chain of charters ends.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct ChainPoint {
    /// Its newest version.
    pub version: u32,
    /// The hash of that.
    pub hash: String,
    /// Whether two versions are known that come next and contradict each other.
    pub conflict: bool,
}

impl ChainPoint {
    pub(super) fn write(&self, out: &mut Encoder) {
        out.u64(u64::from(self.version));
        out.run(self.hash.as_bytes());
        out.byte(u8::from(self.conflict));
    }

    pub(super) fn read(from: &mut Decoder<'_>) -> Result<Self, MessageError> {
        Ok(Self {
            version: version(from)?,
            hash: from.text("bytes in a hash", limits::PROOF_BYTES)?.to_owned(),
            conflict: from.flag()?,
        })
    }
}

pub(super) fn version(from: &mut Decoder<'_>) -> Result<u32, MessageError> {
    u32::try_from(from.u64()?)
        .ok()
        // The number after it must be one, too.
        .filter(|version| *version < u32::MAX)
        .ok_or_else(|| from.fault(MessageErrorKind::TooMuch("charter versions")))
}

/// A rotation, apart from the entry that says it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct KnownRotation {
    /// DID of the log's organization.
    pub organization: String,
    /// What its root key signed.
    pub rotation: Rotation,
}

impl KnownRotation {
    pub(super) fn read(from: &mut Decoder<'_>) -> Result<Self, MessageError> {
        Ok(Self {
            organization: from.text("DID", limits::ORGANIZATION_BYTES)?.to_owned(),
            rotation: rotation(from)?,
        })
    }
}

/// Consecutive entries of one log, tied to a signed head at both ends.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Piece {
    /// That of the question.
    pub id: u64,
    /// A head as a signed note, of at least `from + entries.len()` entries.
    pub note: String,
    /// Index of the first entry below; as asked.
    pub from: u64,
    /// Root of the answerer's log at `from` entries.
    pub start_root: Hash,
    /// Consistency proof from `start_root` to the head.
    pub start_proof: Vec<Hash>,
    /// The entries; none if the head has no more than the asker.
    pub entries: Vec<Vec<u8>>,
    /// Consistency proof from the end of the entries to the head; empty if they end at it.
    pub end_proof: Vec<Hash>,
}

impl Piece {
    pub(super) fn encode(&self) -> Vec<u8> {
        let content: usize = self.entries.iter().map(|e| 2 + e.len()).sum();
        let proofs = 32 * (self.start_proof.len() + self.end_proof.len());
        let mut out = begin(PIECE, self.note.len() + content + proofs);
        out.u64(self.id);
        out.run(self.note.as_bytes());
        out.u64(self.from);
        out.hash(&self.start_root);
        out.hashes(&self.start_proof);
        out.runs(&self.entries);
        out.hashes(&self.end_proof);
        out.finish()
    }

    pub(super) fn read(from: &mut Decoder<'_>) -> Result<Self, MessageError> {
        Ok(Self {
            id: from.u64()?,
            note: note(from)?,
            from: from.size()?,
            start_root: from.hash()?,
            start_proof: hashes(from)?,
            entries: entries(from)?,
            end_proof: hashes(from)?,
        })
    }
}
