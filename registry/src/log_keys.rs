//! Which key signs the heads of a log, by their size: the key of the card, and the rotations since.
//!
//! A rotation is signed by the *root key* of the member's card, so it proves itself with the charter alone and travels
//! apart from the entry that says it. It names the key that it replaces, so that the rotations of one card are one chain;
//! the key that follows was promised before, by its hash. Heads of at least `from` entries are signed with the new key
//! only, smaller ones with the old one only: whoever steals the old key can sign nothing that follows.

use sha2::{Digest, Sha256};
use syndic_vc::canonical;
use syndic_vc::did::Did;
use syndic_vc::json::members::{MemberError, Members, Path};
use syndic_vc::json::{self, Object, Value};
use syndic_vc::key::{KeyKind, PublicKey, SignError, Signature, Signer};

use crate::charter::{self, MemberCard};
use crate::head::{Head, HeadError};
use crate::limits;

/// What the root key signs before a rotation, so that the signature is good for nothing else.
const ROTATION_DOMAIN: &[u8] = b"syndic/log-key/v1\n";

/// The keys of one log, as far as they are known.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct LogKeys {
    consortium: String,
    organization: Did,
    root: PublicKey,
    first: PublicKey,
    next: Option<String>,
    rotations: Vec<Rotation>,
}

/// From a size on, another key signs the heads of a log.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Rotation {
    /// The key that is replaced.
    pub previous: PublicKey,
    /// The key that takes its place.
    pub key: PublicKey,
    /// The smallest size of a head that the new key signs: the index of the rotation's own entry, plus one.
    pub from: u64,
    /// Commitment to the key after this one: see [`commitment`].
    pub next: String,
    /// Signature of the organization's root key, in multibase base58btc.
    pub proof: String,
}

/// Why a rotation is not taken.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum RotationError {
    /// It replaces a key that is not the newest one known: the rotations before it are missing, or it is of another card.
    #[error("the key that it replaces is not the newest one known")]
    Unconnected,
    /// The root key signed two successors of one key.
    #[error("the root key signed another successor of the same key")]
    Contradiction,
    /// It does not come after the rotation before it, or brings back a key that was in use.
    #[error("it does not come after the rotation before it, or brings back an old key")]
    Order,
    /// The new key is not the one that was promised.
    #[error("the new key is not the one that was promised by its hash")]
    Commitment,
    /// The root key did not sign it.
    #[error("the root key of the card did not sign it")]
    Proof,
    /// More rotations than are followed.
    #[error("a log has at most {max} keys under one card", max = limits::LOG_KEYS)]
    TooMany,
}

impl RotationError {
    /// Whether no honest node hands on such a rotation, whatever it has heard.
    #[must_use]
    pub fn is_false(self) -> bool {
        matches!(self, Self::Commitment | Self::Proof | Self::Order)
    }
}

/// The hash that promises a key: base58btc (`z`) of the SHA-256 multihash of its multikey text.
#[must_use]
pub fn commitment(key: &PublicKey) -> String {
    charter::identifier(&Sha256::digest(key.to_multikey().as_bytes()).into())
}

/// Whether a text has the form of a [`commitment`].
#[must_use]
pub fn is_commitment(text: &str) -> bool {
    if text.len() > limits::PROOF_BYTES || !text.starts_with('z') {
        return false;
    }
    match multibase::decode(text) {
        Ok((_, bytes)) => bytes
            .strip_prefix(&charter::SHA2_256)
            .and_then(|digest| <[u8; 32]>::try_from(digest).ok())
            .is_some_and(|digest| charter::identifier(&digest) == text),
        Err(_) => false,
    }
}

impl LogKeys {
    /// Begins with the card of the charter's current version.
    #[must_use]
    pub fn new(consortium: &str, card: &MemberCard) -> Self {
        Self {
            consortium: consortium.to_owned(),
            organization: card.did().clone(),
            root: card.root_key().clone(),
            first: card.log_key().clone(),
            next: card.next_log_key().map(str::to_owned),
            rotations: Vec::new(),
        }
    }

    /// The key that signs heads of this size.
    #[must_use]
    pub fn at(&self, size: u64) -> &PublicKey {
        let covering = self.rotations.iter().rev().find(|rotation| rotation.from <= size);
        covering.map_or(&self.first, |rotation| &rotation.key)
    }

    /// The newest key.
    #[must_use]
    pub fn newest(&self) -> &PublicKey {
        self.rotations.last().map_or(&self.first, |rotation| &rotation.key)
    }

    /// What the next key must hash to, if it was promised: see [`commitment`].
    #[must_use]
    pub fn promised(&self) -> Option<&str> {
        let last = self.rotations.last().map(|rotation| rotation.next.as_str());
        last.or(self.next.as_deref())
    }

    /// The rotations, in order.
    #[must_use]
    pub fn rotations(&self) -> &[Rotation] {
        &self.rotations
    }

    /// Back to the card alone.
    pub(crate) fn forget(&mut self) {
        self.rotations.clear();
    }

    /// Takes a rotation; says whether it is new.
    ///
    /// # Errors
    /// [`RotationError`] says why it is not taken.
    pub fn learn(&mut self, rotation: &Rotation) -> Result<bool, RotationError> {
        if self.rotations.contains(rotation) {
            return Ok(false);
        }
        // The chain first: a signature is checked only of what could be taken.
        let expected = self.before(&rotation.previous).ok_or(RotationError::Unconnected)?;
        if self.rotations.len() >= limits::LOG_KEYS {
            return Err(RotationError::TooMany);
        }
        let earlier = self.rotations.get(..expected).unwrap_or_default();
        let used = rotation.key == self.first || earlier.iter().any(|before| before.key == rotation.key);
        if used || rotation.from <= earlier.last().map_or(0, |before| before.from) {
            return Err(RotationError::Order);
        }
        let promised = match earlier.last() {
            Some(before) => Some(before.next.as_str()),
            None => self.next.as_deref(),
        };
        if promised.is_some_and(|promised| promised != commitment(&rotation.key)) {
            return Err(RotationError::Commitment);
        }
        if !rotation.is_signed_for(self) {
            return Err(RotationError::Proof);
        }
        if expected < self.rotations.len() {
            return Err(RotationError::Contradiction);
        }
        self.rotations.push(rotation.clone());
        Ok(true)
    }

    /// How many rotations had led to this key, if it is one of the log's.
    fn before(&self, key: &PublicKey) -> Option<usize> {
        if *key == self.first {
            return Some(0);
        }
        let at = self.rotations.iter().position(|rotation| rotation.key == *key)?;
        Some(at + 1)
    }

    /// Checks a head against the key for its size: see [`Head::verify`].
    ///
    /// # Errors
    /// [`HeadError`] names the first thing that is wrong; [`HeadError::OtherKey`] may mean that a rotation is not known
    /// yet.
    pub fn verify(&self, note: &str, origin: &str) -> Result<Head, HeadError> {
        Head::verify_by(note, origin, |size| self.at(size))
    }
}

impl Rotation {
    /// Makes and signs a rotation.
    ///
    /// # Errors
    /// [`SignError`] if the root key cannot be used.
    pub fn sign(
        keys: &LogKeys,
        key: &PublicKey,
        from: u64,
        next: &PublicKey,
        root: &dyn Signer,
    ) -> Result<Self, SignError> {
        let mut rotation = Self {
            previous: keys.newest().clone(),
            key: key.clone(),
            from,
            next: commitment(next),
            proof: String::new(),
        };
        let signature = root.sign(&rotation.signed_bytes(&keys.consortium, &keys.organization))?;
        rotation.proof = multibase::encode(multibase::Base::Base58Btc, signature.as_bytes());
        Ok(rotation)
    }

    /// What the root key signs: a domain of its own, then the canonical JSON (RFC 8785) of `consortium`, `from`,
    /// `logKey`, `next`, `organization` and `previous`.
    #[must_use]
    pub fn signed_bytes(&self, consortium: &str, organization: &Did) -> Vec<u8> {
        let mut members = Object::new();
        self.write(&mut members);
        members.remove("proof");
        members.insert("consortium", consortium);
        members.insert("organization", organization);
        [ROTATION_DOMAIN, &canonical::to_bytes(&Value::Object(members))].concat()
    }

    fn is_signed_for(&self, keys: &LogKeys) -> bool {
        let said = self.signed_bytes(&keys.consortium, &keys.organization);
        signature(&self.proof).is_some_and(|signature| keys.root.verify(&said, &signature).is_ok())
    }

    /// The rotation as bytes, to be stored and sent apart from its entry: canonical JSON.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        canonical::to_bytes(&self.to_value())
    }

    /// Reads what [`Rotation::encode`] wrote. Nothing is checked but the form.
    #[must_use]
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        if bytes.len() > limits::ROTATION_BYTES {
            return None;
        }
        let value = json::parse(bytes).ok()?;
        let rotation = Self::from_value(&value, "").ok()?;
        (rotation.encode() == bytes).then_some(rotation)
    }

    /// The rotation as JSON.
    #[must_use]
    pub fn to_value(&self) -> Value {
        let mut members = Object::new();
        self.write(&mut members);
        Value::Object(members)
    }

    /// Reads a rotation in JSON, which stands at some place of a document. Nothing is checked but the form.
    ///
    /// # Errors
    /// [`MemberError`] names the member that is wrong.
    pub fn from_value<'p>(value: &Value, at: impl Into<Path<'p>>) -> Result<Self, MemberError> {
        let members = Members::of(value, at)?;
        let rotation = Self::read(&members)?;
        members.finish_closed()?;
        Ok(rotation)
    }

    /// The members, which stand in a statement too.
    pub(crate) fn read(members: &Members<'_, '_>) -> Result<Self, MemberError> {
        const NEXT: &str = "a SHA-256 multihash in base58btc (zQm...)";
        let proof = members.str("proof")?;
        if signature(proof).is_none() {
            return Err(members.error("proof", "an Ed25519 signature in multibase, base58btc"));
        }
        let next = members.str("next")?;
        if !is_commitment(next) {
            return Err(members.error("next", NEXT));
        }
        let from = u64::try_from(members.integer("from")?).unwrap_or(0);
        if !(1..=limits::LOG_SIZE).contains(&from) {
            return Err(members.error("from", "a size of the log, at least 1"));
        }
        Ok(Self {
            previous: ed25519(members, "previous")?,
            key: ed25519(members, "logKey")?,
            from,
            next: next.to_owned(),
            proof: proof.to_owned(),
        })
    }

    pub(crate) fn write(&self, members: &mut Object) {
        members.insert("previous", self.previous.to_multikey());
        members.insert("logKey", self.key.to_multikey());
        members.insert("from", self.from);
        members.insert("next", &self.next);
        members.insert("proof", &self.proof);
    }
}

fn ed25519(members: &Members<'_, '_>, name: &str) -> Result<PublicKey, MemberError> {
    PublicKey::from_multikey(members.str(name)?)
        .ok()
        .filter(|key| key.kind() == KeyKind::Ed25519)
        .ok_or_else(|| members.error(name, "an Ed25519 public key as multikey (z6Mk...)"))
}

/// The 64 bytes of a signature, in the one text that they have.
fn signature(text: &str) -> Option<Signature> {
    if text.len() > limits::PROOF_BYTES || !text.starts_with('z') {
        return None;
    }
    let (base, bytes) = multibase::decode(text).ok()?;
    let bytes = <[u8; 64]>::try_from(bytes).ok()?;
    (multibase::encode(base, bytes) == text).then(|| Signature::from_bytes(bytes))
}

#[cfg(test)]
mod tests;
