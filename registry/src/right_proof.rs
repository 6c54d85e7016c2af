//! What a registry's answer on a right rests on: the statements that grant it, each with proof that a signed head covers
//! it, for whoever has the charter (document 9).
//!
//! It shows that the right was granted, by whom and when; that it was not withdrawn since, only a whole log shows
//! ([`crate::bundle`]).

use multibase::Base;
use syndic_vc::did::Did;
use syndic_vc::json::members::{MemberError, Members};
use syndic_vc::json::{Object, Value};
use syndic_vc::object;

use crate::charter::CharterChain;
use crate::cosignature;
use crate::head::{self, Head, HeadError};
use crate::limits;
use crate::log::{self, Hash};
use crate::log_keys::{LogKeys, Rotation, RotationError};
use crate::note;
use crate::proof::{self, ProofError};
use crate::statement::{Statement, StatementError};
use crate::store::{self, ReadError, Reader};
use crate::view::{View, Voucher};

/// One statement, with proof that its organization's log says it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RightProof {
    /// Whose log.
    pub organization: Did,
    /// Which entry.
    pub index: u64,
    /// The statement, canonical.
    pub entry: Vec<u8>,
    /// Inclusion proof from the entry to the head (RFC 6962).
    pub inclusion: Vec<Hash>,
    /// The head, with the cosignature lines of other members over the same text.
    pub checkpoint: String,
    /// The rotations of the log's key that the head needs, in order.
    pub rotations: Vec<Rotation>,
}

/// What a proof that holds shows.
#[derive(Clone, Debug, PartialEq)]
pub struct Proven {
    /// What was said.
    pub statement: Statement,
    /// The head that covers it.
    pub head: Head,
    /// How many other members cosigned that head, by the keys of their cards.
    pub cosigned: usize,
}

/// Why a statement is not proven.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum RightProofError {
    /// Of no member of the charter.
    #[error("{0} is no member of this charter")]
    Stranger(Did),
    /// The head is not validly signed.
    #[error("the head does not hold: {0}")]
    Head(#[from] HeadError),
    /// A rotation does not hold.
    #[error("a rotation of the log's key does not hold: {0}")]
    Rotation(#[from] RotationError),
    /// The head does not cover the statement.
    #[error("the head does not cover the statement: {0}")]
    Proof(#[from] ProofError),
    /// The entry is no statement.
    #[error("the entry is no statement: {0}")]
    Statement(#[from] StatementError),
}

impl RightProof {
    /// Collects the proof of a statement that an answer of this view of a store rests on; `None` if the newest head does not cover it yet.
    ///
    /// # Errors
    /// [`ReadError`] if the store cannot say.
    pub fn of(voucher: &Voucher, view: &View<'_>, reader: &dyn Reader) -> Result<Option<Self>, ReadError> {
        let charter = view.charter();
        let (organization, index) = (&voucher.organization, voucher.index);
        let name = organization.as_str();
        let (Some(card), Some(head)) = (charter.member(name), view.log(name)?.head) else {
            return Ok(None);
        };
        let entry = log::read_entry(name, index, reader)?;
        let inclusion = proof::inclusion(name, index, head.size(), reader)?;
        let Some((entry, inclusion)) = entry.zip(inclusion) else {
            return Ok(None);
        };
        let cosignatures = view.cosignatures(name)?;
        Ok(Some(Self {
            organization: organization.clone(),
            index,
            entry,
            inclusion,
            checkpoint: cosignature::with_lines(charter.id(), &head, &cosignatures),
            rotations: store::log_keys(charter.id(), card, reader)?.rotations().to_vec(),
        }))
    }

    /// Checks the proof with the charter alone.
    ///
    /// # Errors
    /// [`RightProofError`] says what does not hold.
    pub fn verify(&self, chain: &CharterChain) -> Result<Proven, RightProofError> {
        let charter = chain.current();
        let name = self.organization.as_str();
        let stranger = || RightProofError::Stranger(self.organization.clone());
        let mut keys = LogKeys::new(charter.id(), charter.member(name).ok_or_else(stranger)?);
        for rotation in &self.rotations {
            keys.learn(rotation)?;
        }
        let head = keys.verify(&self.checkpoint, &head::origin(charter.id(), name))?;
        let leaf = log::leaf_hash(&self.entry);
        proof::verify_inclusion(&leaf, self.index, head.size(), &self.inclusion, head.root())?;
        let key = |card: &crate::charter::MemberCard| card.log_key().clone();
        Ok(Proven {
            statement: Statement::parse(&self.entry)?,
            cosigned: cosignature::in_note(charter, name, &self.checkpoint, key).len(),
            head,
        })
    }

    /// As it stands in answers.
    #[must_use]
    pub fn to_value(&self) -> Value {
        let inclusion = self
            .inclusion
            .iter()
            .map(|hash| Value::from(Base::Base64Pad.encode(hash)));
        let mut members = Object::new();
        members.insert("organization", self.organization.as_str());
        members.insert("index", self.index);
        // Every entry is a statement, which is text.
        members.insert("statement", String::from_utf8_lossy(&self.entry).into_owned());
        members.insert("inclusion", inclusion.collect::<Value>());
        members.insert("checkpoint", self.checkpoint.as_str());
        members.insert(
            "rotations",
            self.rotations.iter().map(Rotation::to_value).collect::<Value>(),
        );
        Value::Object(members)
    }

    /// Reads what [`RightProof::to_value`] wrote. Nothing is checked but the form.
    ///
    /// # Errors
    /// [`MemberError`] names the member that is wrong.
    pub fn from_value(value: &Value) -> Result<Self, MemberError> {
        let members = Members::of(value, "")?;
        let hashes = members.array("inclusion")?;
        let hash = |value: &Value| -> Option<Hash> { note::decode_base64(value.as_str()?)?.try_into().ok() };
        let bounded = hashes.len() <= limits::PROOF_HASHES;
        let inclusion = hashes.iter().map(hash).collect::<Option<Vec<_>>>().filter(|_| bounded);
        let organization = Did::parse(members.str("organization")?);
        let place = members.at("rotations");
        let rotations = members.array("rotations")?.iter().enumerate();
        let proof = Self {
            organization: organization.map_err(|_| members.error("organization", "a DID"))?,
            index: u64::try_from(members.integer("index")?).map_err(|_| members.error("index", "an index"))?,
            entry: members.str("statement")?.as_bytes().to_vec(),
            inclusion: inclusion.ok_or_else(|| members.error("inclusion", "at most 41 SHA-256 hashes in base64"))?,
            checkpoint: members.str("checkpoint")?.to_owned(),
            rotations: rotations
                .map(|(at, rotation)| Rotation::from_value(rotation, place.item(at)))
                .collect::<Result<_, _>>()?,
        };
        members.finish_closed()?;
        Ok(proof)
    }
}

/// The proofs of an answer as JSON, under the charter's name and hash.
#[must_use]
pub fn to_value(proofs: &[RightProof], view: &View<'_>) -> Value {
    let charter = view.charter();
    object! {
        "consortium": charter.id(),
        "charter": object! { "version": charter.version(), "hash": charter.hash() },
        "statements": proofs.iter().map(RightProof::to_value).collect::<Value>(),
    }
}

#[cfg(test)]
mod tests;
