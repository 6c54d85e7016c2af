//! How far nodes are in a log, and what is said of one that told two stories, while it is looked for where they part.

use super::codec::{Decoder, Encoder};
use super::{MessageError, ROOTS, begin, hashes, note};
use crate::limits;
use crate::log::Hash;

/// How far a node is in one log.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Standpoint {
    /// DID of the log's organization.
    pub organization: String,
    /// Size of the newest head whose entries it has; 0 if it has none.
    pub size: u64,
    /// Root of that head.
    pub root: Hash,
    /// Time of that head in seconds since 1970; 0 if it has none.
    pub time: u64,
    /// What it knows of a fork, if it holds evidence.
    pub fork: Option<Parting>,
    /// Says which cosignatures of this log it holds: equal for equal sets, 0 for none.
    pub cosigned: u64,
    /// How many rotations of the log's key it knows.
    pub rotations: u16,
}

/// What a node knows of a fork.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Parting {
    /// [`Fork::at`] of its proof.
    pub at: u64,
    /// Whether the proof says that the stories agree up to there.
    pub certain: bool,
    /// [`Fork::digest`] of its proof.
    pub proof: Hash,
    /// Digest of the records that it honours.
    pub salvaged: Hash,
}

/// Roots of one branch of a log, tied to its head.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Roots {
    /// That of the question.
    pub id: u64,
    /// The head of the branch as a signed note.
    pub note: String,
    /// For each size asked for: the root, and the consistency proof from it to the head.
    pub roots: Vec<(Hash, Vec<Hash>)>,
}

impl Standpoint {
    /// What one takes in a message beside the DID, at least and at most.
    pub(crate) const LEAST_BYTES: usize = 61;
    pub(crate) const MOST_BYTES: usize = 134;

    pub(crate) fn write(&self, out: &mut Encoder) {
        out.run(self.organization.as_bytes());
        out.u64(self.size);
        out.hash(&self.root);
        out.u64(self.time);
        out.byte(u8::from(self.fork.is_some()));
        if let Some(fork) = &self.fork {
            fork.write(out);
        }
        out.u64(self.cosigned);
        out.count(usize::from(self.rotations));
    }

    pub(super) fn read(from: &mut Decoder<'_>) -> Result<Self, MessageError> {
        Ok(Self {
            organization: from.text("DID", limits::ORGANIZATION_BYTES)?.to_owned(),
            size: from.size()?,
            root: from.hash()?,
            time: from.u64()?,
            fork: from.flag()?.then(|| Parting::read(from)).transpose()?,
            cosigned: from.u64()?,
            // Both bounds are far below 2^16.
            rotations: from.count("rotations", limits::LOG_KEYS)? as u16,
        })
    }
}

impl Parting {
    pub(super) fn write(&self, out: &mut Encoder) {
        out.u64(self.at);
        out.byte(u8::from(self.certain));
        out.hash(&self.proof);
        out.hash(&self.salvaged);
    }

    pub(super) fn read(from: &mut Decoder<'_>) -> Result<Self, MessageError> {
        Ok(Self {
            at: from.size()?,
            certain: from.flag()?,
            proof: from.hash()?,
            salvaged: from.hash()?,
        })
    }
}

impl Roots {
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut out = begin(ROOTS, self.note.len() + self.roots.len() * 34);
        out.u64(self.id);
        out.run(self.note.as_bytes());
        out.count(self.roots.len());
        for (root, proof) in &self.roots {
            out.hash(root);
            out.hashes(proof);
        }
        out.finish()
    }

    pub(super) fn read(from: &mut Decoder<'_>) -> Result<Self, MessageError> {
        Ok(Self {
            id: from.u64()?,
            note: note(from)?,
            roots: from.list("roots", limits::PROBE_SIZES, 34, |from| {
                Ok((from.hash()?, hashes(from)?))
            })?,
        })
    }
}
