//! Proof that an organization told two stories about its log. It convinces a stranger who has
//! nothing but the charter.
//!
//! Honest software never signs what this proves: neither a crash nor a restart, neither a replay
//! nor two answers crossing on the wire leads to two different logs under one key.

mod document;
pub(crate) mod salvage;
#[cfg(test)]
mod tests;

pub use document::ForkFileError;
pub(crate) use document::bare;
pub use salvage::Record;

use sha2::{Digest, Sha256};
use syndic_vc::did::Did;

use crate::charter::{Charter, CharterChain};
use crate::head::{self, Head, HeadError};
use crate::limits;
use crate::log::Hash;
use crate::log_keys::{LogKeys, Rotation, RotationError};
use crate::message::codec::{Decoder, Encoder};
use crate::message::{self, MessageError};
use crate::proof::{self, ProofError};
use crate::store::{self, ReadError, Reader};

/// Two signed heads of one log that disagree about its first entries.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Fork {
    /// The number of entries about which they disagree.
    pub at: u64,
    /// One story.
    pub one: Branch,
    /// The other.
    pub other: Branch,
    /// Proof that they do agree about one entry less, so that it is known where they part.
    pub common: Option<Common>,
    /// The rotations of the log's key that the heads need, in order.
    pub rotations: Vec<Rotation>,
}

/// What the two stories have in common: everything but the last of the entries that are disagreed about.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Common {
    /// Root of the first [`Fork::at`] - 1 entries.
    pub root: Hash,
    /// Consistency proof from there to the one head.
    pub one: Vec<Hash>,
    /// Consistency proof from there to the other head.
    pub other: Vec<Hash>,
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
    /// A rotation of the log's key does not hold.
    #[error("a rotation of the log's key does not hold: {0}")]
    Rotation(#[from] RotationError),
    /// A proof does not lead to its head.
    #[error("a head does not imply what is said: {0}")]
    Proof(#[from] ProofError),
    /// What is said to be common is nothing.
    #[error("what is said to be common is no part of it")]
    Common,
    /// The two agree.
    #[error("the two heads do not disagree")]
    Agreement,
}

impl ForkError {
    /// Whether no honest node hands on such a proof, whatever it has heard: one that another key signed may just have
    /// been overtaken by a rotation.
    #[must_use]
    pub fn is_false(&self) -> bool {
        match self {
            Self::Head(HeadError::OtherKey) => false,
            Self::Rotation(error) => error.is_false(),
            _ => true,
        }
    }
}

impl Fork {
    /// Checks the proof against a chain of charters: the newest version by which it holds, and who told two stories. Of an
    /// organization that was removed, or was given other keys, that is one before.
    ///
    /// # Errors
    /// [`ForkError`] by the current version, if it holds by none.
    pub fn verify_by_chain(&self, chain: &CharterChain) -> Result<(Charter, Did), ForkError> {
        let current = chain.current();
        match self.verify(current) {
            Ok(accused) => Ok((current.clone(), accused)),
            Err(error) => chain
                .history()
                .into_iter()
                .find_map(|charter| self.verify(&charter).ok().map(|accused| (charter, accused)))
                .ok_or(error),
        }
    }

    /// Checks the proof against the charter, and says who told two stories.
    ///
    /// # Errors
    /// [`ForkError`] if it proves nothing.
    pub fn verify(&self, charter: &Charter) -> Result<Did, ForkError> {
        let organization = organization_of(charter.id(), &self.one.note).ok_or(ForkError::Stranger)?;
        let card = charter.member(organization).ok_or(ForkError::Stranger)?;
        self.verify_knowing(charter, &LogKeys::new(charter.id(), card))
    }

    /// The keys that are known, and those that the proof tells of.
    fn keys(&self, known: &LogKeys) -> Result<LogKeys, RotationError> {
        let mut keys = known.clone();
        for rotation in &self.rotations {
            keys.learn(rotation)?;
        }
        Ok(keys)
    }

    /// The same for who knows keys of the log: what a key signs that was replaced before proves nothing.
    ///
    /// # Errors
    /// [`ForkError`] if it proves nothing.
    pub fn verify_knowing(&self, charter: &Charter, known: &LogKeys) -> Result<Did, ForkError> {
        Ok(self.check(charter, known)?.0)
    }

    /// The same, and the one form of the proof that all write who hold these two heads against each other: with the
    /// signatures and rotations that count and no others, and the branch with the lesser root first.
    ///
    /// # Errors
    /// [`ForkError`] if it proves nothing.
    pub(crate) fn settled(self, charter: &Charter, known: &LogKeys) -> Result<(Self, Did), ForkError> {
        let (organization, keys, size) = self.check(charter, known)?;
        let origin = head::origin(charter.id(), organization.as_str());
        let settle = |branch: Branch| Branch {
            note: bare(&branch.note, &origin, &keys),
            ..branch
        };
        let mut fork = Self {
            at: self.at,
            one: settle(self.one),
            other: settle(self.other),
            common: self.common,
            rotations: keys.rotations().to_vec(),
        };
        fork.rotations.retain(|rotation| rotation.from <= size);
        if fork.one.root > fork.other.root {
            std::mem::swap(&mut fork.one, &mut fork.other);
            if let Some(common) = &mut fork.common {
                std::mem::swap(&mut common.one, &mut common.other);
            }
        }
        Ok((fork, organization))
    }

    /// Who told two stories, the keys of that log, and the size of the longer head.
    fn check(&self, charter: &Charter, known: &LogKeys) -> Result<(Did, LogKeys, u64), ForkError> {
        let organization = organization_of(charter.id(), &self.one.note).ok_or(ForkError::Stranger)?;
        let card = charter.member(organization).ok_or(ForkError::Stranger)?;
        let origin = head::origin(charter.id(), organization);
        let mut heads = Vec::with_capacity(2);
        let keys = self.keys(known)?;
        for branch in [&self.one, &self.other] {
            let head = keys.verify(&branch.note, &origin)?;
            proof::verify_consistency(self.at, &branch.root, head.size(), head.root(), &branch.proof)?;
            heads.push(head);
        }
        self.verify_common(&heads)?;
        if self.one.root == self.other.root {
            return Err(ForkError::Agreement);
        }
        let longest = heads.iter().map(Head::size).max().unwrap_or(0);
        Ok((card.did().clone(), keys, longest))
    }

    fn verify_common(&self, heads: &[Head]) -> Result<(), ForkError> {
        let Some(common) = &self.common else { return Ok(()) };
        let size = self
            .at
            .checked_sub(1)
            .filter(|size| *size > 0)
            .ok_or(ForkError::Common)?;
        for (head, proof) in heads.iter().zip([&common.one, &common.other]) {
            proof::verify_consistency(size, &common.root, head.size(), head.root(), proof)?;
        }
        Ok(())
    }

    /// How many entries the two stories have in common, if the proof says; otherwise it is less than [`Fork::at`].
    #[must_use]
    pub fn common_prefix(&self) -> Option<u64> {
        (self.at <= 1 || self.common.is_some()).then(|| self.at.saturating_sub(1))
    }

    /// Whether this is to be held in place of the other proof: it says that the stories part earlier, or as early and for
    /// certain; of two that say the same the one with the lesser digest, so that all come to hold one.
    #[must_use]
    pub fn supersedes(&self, other: &Self) -> bool {
        let rank = |fork: &Self| (fork.at, fork.common_prefix().is_none(), fork.digest());
        rank(self) < rank(other)
    }

    /// SHA-256 of [`Fork::encode`].
    #[must_use]
    pub fn digest(&self) -> Hash {
        Sha256::digest(self.encode()).into()
    }

    /// The proof against an organization that a store holds, if it holds one.
    ///
    /// # Errors
    /// [`ReadError`] if the store cannot say.
    pub fn stored(organization: &str, reader: &dyn Reader) -> Result<Option<Self>, ReadError> {
        let damaged = |_| ReadError::damaged(format!("the evidence against {organization}"), "it does not decode");
        let bytes = reader.get(&store::evidence(organization))?;
        bytes.map(|bytes| Self::decode(&bytes).map_err(damaged)).transpose()
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
        out.byte(u8::from(self.common.is_some()));
        if let Some(common) = &self.common {
            out.hash(&common.root);
            out.hashes(&common.one);
            out.hashes(&common.other);
        }
        out.count(self.rotations.len());
        for rotation in &self.rotations {
            out.run(&rotation.encode());
        }
    }

    pub(crate) fn read(from: &mut Decoder<'_>) -> Result<Self, MessageError> {
        Ok(Self {
            at: from.size()?,
            one: Branch::read(from)?,
            other: Branch::read(from)?,
            common: from.flag()?.then(|| Common::read(from)).transpose()?,
            rotations: from.list("rotations", limits::LOG_KEYS, 2, message::rotation)?,
        })
    }
}

impl Common {
    fn read(from: &mut Decoder<'_>) -> Result<Self, MessageError> {
        Ok(Self {
            root: from.hash()?,
            one: message::hashes(from)?,
            other: message::hashes(from)?,
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
