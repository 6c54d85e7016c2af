//! Proof that an organization told two stories about its log. It convinces a stranger who has
//! nothing but the charter.
//!
//! Honest software never signs what this proves: neither a crash nor a restart, neither a replay
//! nor two answers crossing on the wire leads to two different logs under one key.

use syndic_vc::did::Did;

use crate::charter::Charter;
use crate::head::{self, Head, HeadError};
use crate::limits;
use crate::log::Hash;
use crate::message::codec::{Decoder, Encoder};
use crate::message::{self, MessageError};
use crate::proof::{self, ProofError};

/// Two signed heads of one log that disagree about its first entries.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Fork {
    /// The number of entries about which they disagree.
    pub at: u64,
    /// One story.
    pub one: Branch,
    /// The other.
    pub other: Branch,
}

/// One of the two stories.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Branch {
    /// A head as a signed note.
    pub note: String,
    /// What it implies as root of the first [`Fork::at`] entries.
    pub root: Hash,
    /// Consistency proof from that root to the head; empty if the head has just that size.
    pub proof: Vec<Hash>,
}

/// Why it is no proof of a fork. Nobody is accused.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum ForkError {
    /// The heads name no log of a member of this charter.
    #[error("the heads are not of a log of this consortium")]
    Stranger,
    /// One of the heads is not validly signed by that log's key.
    #[error("a head does not hold: {0}")]
    Head(#[from] HeadError),
    /// A proof does not lead to its head.
    #[error("a head does not imply what is said: {0}")]
    Proof(#[from] ProofError),
    /// The two agree.
    #[error("the two heads do not disagree")]
    Agreement,
}

impl Fork {
    /// Checks the proof against the charter, and says who told two stories.
    ///
    /// # Errors
    /// [`ForkError`] if it proves nothing.
    pub fn verify(&self, charter: &Charter) -> Result<Did, ForkError> {
        let organization = organization_of(charter.id(), &self.one.note).ok_or(ForkError::Stranger)?;
        let card = charter.member(organization).ok_or(ForkError::Stranger)?;
        let origin = head::origin(charter.id(), organization);
        for branch in [&self.one, &self.other] {
            let head = Head::verify(&branch.note, &origin, card.log_key())?;
            proof::verify_consistency(self.at, &branch.root, head.size(), head.root(), &branch.proof)?;
        }
        if self.one.root == self.other.root {
            return Err(ForkError::Agreement);
        }
        Ok(card.did().clone())
    }

    /// The proof as bytes, as it is stored and sent.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Encoder::default();
        self.write(&mut out);
        out.finish()
    }

    /// Reads what [`Fork::encode`] wrote.
    ///
    /// # Errors
    /// [`MessageError`] if the bytes are not exactly one.
    pub fn decode(bytes: &[u8]) -> Result<Self, MessageError> {
        let mut from = Decoder::new(bytes);
        let fork = Self::read(&mut from)?;
        from.finish()?;
        Ok(fork)
    }

    pub(crate) fn write(&self, out: &mut Encoder) {
        out.u64(self.at);
        for branch in [&self.one, &self.other] {
            out.run(branch.note.as_bytes());
            out.hash(&branch.root);
            out.hashes(&branch.proof);
        }
    }

    pub(crate) fn read(from: &mut Decoder<'_>) -> Result<Self, MessageError> {
        Ok(Self {
            at: from.size()?,
            one: Branch::read(from)?,
            other: Branch::read(from)?,
        })
    }
}

impl Branch {
    fn read(from: &mut Decoder<'_>) -> Result<Self, MessageError> {
        Ok(Self {
            note: from.text("bytes in a head", limits::NOTE_BYTES)?.to_owned(),
            root: from.hash()?,
            proof: message::hashes(from)?,
        })
    }
}

/// The DID of the organization whose log a note claims to speak of, if it is one of this
/// consortium's logs. Nothing is checked but the first line.
pub(crate) fn organization_of<'n>(consortium: &str, note: &'n str) -> Option<&'n str> {
    let (origin, _) = note.split_once('\n')?;
    origin
        .strip_prefix("syndic/")?
        .strip_prefix(consortium)?
        .strip_prefix('/')
}
