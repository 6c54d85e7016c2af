//! Cosignatures: the word of other members that they hold a head, and that it extends what they held before.
//!
//! A cosignature is a line of type 0x04 (C2SP tlog-cosignature) by a member's log key, under the origin of the member's
//! own log as key name, over the text of a head of another log. It says: at this time, this was the newest head of that
//! log that I had, and all of its entries. Whoever sees enough of them knows that the log's organization did not make a
//! story for one reader alone.

use sha2::{Digest, Sha256};
use syndic_vc::did::Did;
use syndic_vc::key::{PublicKey, Signature, Signer};
use syndic_vc::time::Timestamp;

use crate::charter::{Charter, MemberCard};
use crate::head::{self, Head, SignHeadError};
use crate::limits;
use crate::log::{self, Hash};
use crate::message::MessageError;
use crate::message::codec::{Decoder, Encoder};
use crate::note::{self, Note, NoteSignature};
use crate::store::{self, ReadError, Reader};

/// One member's cosignature of a head of another member's log; of which log is said beside it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Cosignature {
    /// Who cosigned.
    pub witness: Did,
    /// Number of entries that the head covers.
    pub size: u64,
    /// Root over these entries.
    pub root: Hash,
    /// When, by the witness's clock, in whole seconds.
    pub time: Timestamp,
    /// Id of the key: tells a key that was replaced from a signature that is wrong.
    pub key_id: [u8; 4],
    /// Ed25519 over `cosignature/v1`, the time and the text of the head.
    pub signature: [u8; 64],
}

/// Why a cosignature says nothing.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum CosignatureError {
    /// Made by a key that is not known as the witness's: it may be newer than what is known. Nobody is to blame.
    #[error("the cosignature is by a key that is not known as the witness's")]
    UnknownKey,
    /// The named key did not make it.
    #[error("the cosignature does not verify")]
    Invalid,
    /// An organization cannot be a witness of its own log.
    #[error("a log is cosigned by its own organization")]
    Own,
}

impl Cosignature {
    /// Cosigns a head of the log of `organization`. Whoever calls this holds all entries that it covers.
    ///
    /// # Errors
    /// [`SignHeadError`] if the signer refuses, or a name or the time cannot be written.
    pub fn sign(
        consortium: &str,
        organization: &str,
        (size, root): (u64, &Hash),
        witness: &Did,
        signer: &dyn Signer,
        time: Timestamp,
    ) -> Result<Self, SignHeadError> {
        let name = head::origin(consortium, witness.as_str());
        if !note::is_key_name(&name) {
            return Err(SignHeadError::Origin(name));
        }
        let seconds = time.unix_seconds();
        let time = Timestamp::from_unix_seconds(seconds).map_err(|_| SignHeadError::Time(time))?;
        let stamp = u64::try_from(seconds).map_err(|_| SignHeadError::Time(time))?;
        let text = head::text(&head::origin(consortium, organization), size, root);
        let signature = signer.sign(head::cosigned(&text, stamp).as_bytes())?;
        let signature = signature.as_bytes().try_into();
        Ok(Self {
            witness: witness.clone(),
            size,
            root: *root,
            time,
            key_id: note::key_id(&name, note::TYPE_COSIGNATURE, signer.public_key().as_bytes()),
            // A log key is an Ed25519 key: the charter lets no other be one.
            signature: signature.unwrap_or([0; 64]),
        })
    }

    /// Checks that `key` made it, over a head of the log of `organization`.
    ///
    /// # Errors
    /// [`CosignatureError`] says whether that is a lie or only not known.
    pub fn verify(&self, consortium: &str, organization: &str, key: &PublicKey) -> Result<(), CosignatureError> {
        if self.witness.as_str() == organization {
            return Err(CosignatureError::Own);
        }
        let name = head::origin(consortium, self.witness.as_str());
        if note::key_id(&name, note::TYPE_COSIGNATURE, key.as_bytes()) != self.key_id {
            return Err(CosignatureError::UnknownKey);
        }
        let text = head::text(&head::origin(consortium, organization), self.size, &self.root);
        key.verify(
            head::cosigned(&text, self.stamp()).as_bytes(),
            &Signature::from_bytes(self.signature),
        )
        .map_err(|_| CosignatureError::Invalid)
    }

    /// Whether it tells more than an earlier one of the same witness: later, and of no fewer entries.
    #[must_use]
    pub fn is_newer_than(&self, other: &Self) -> bool {
        self.time > other.time && self.size >= other.size
    }

    /// Whether it is over the text of this head.
    #[must_use]
    pub fn is_of(&self, head: &Head) -> bool {
        self.size == head.size() && self.root == *head.root()
    }

    /// The signature line for a note of the head.
    #[must_use]
    pub fn line(&self, consortium: &str) -> NoteSignature {
        NoteSignature {
            name: head::origin(consortium, self.witness.as_str()),
            id: self.key_id,
            signature: [self.stamp().to_be_bytes().as_slice(), &self.signature].concat(),
        }
    }

    fn stamp(&self) -> u64 {
        u64::try_from(self.time.unix_seconds()).unwrap_or(0)
    }

    /// Without size and root, which a message says once for all.
    pub(crate) fn write(&self, out: &mut Encoder) {
        out.run(self.witness.as_str().as_bytes());
        out.raw(&self.key_id);
        out.u64(self.stamp());
        out.raw(&self.signature);
    }

    pub(crate) fn read(from: &mut Decoder<'_>, size: u64, root: Hash) -> Result<Self, MessageError> {
        let witness = from.text("DID", limits::ORGANIZATION_BYTES)?;
        let witness = Did::parse(witness).map_err(|_| from.value("a witness that is no DID"))?;
        let key_id = from.array()?;
        let stamp = from.u64()?;
        let time = head::time_of(stamp).ok_or_else(|| from.value("a time that is none"))?;
        Ok(Self {
            witness,
            size,
            root,
            time,
            key_id,
            signature: from.array()?,
        })
    }

    /// What a line takes in a message beside the DID.
    pub(crate) const LEAST_BYTES: usize = 78;

    /// The row in the store.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = Encoder::default();
        out.u64(self.size);
        out.hash(&self.root);
        self.write(&mut out);
        out.finish()
    }

    /// The newest cosignature of one witness of a log, as stored.
    ///
    /// # Errors
    /// [`ReadError`] if the store cannot say.
    pub fn of(organization: &str, witness: &str, reader: &dyn Reader) -> Result<Option<Self>, ReadError> {
        let row = reader.get(&store::cosignature(organization, witness))?;
        row.map(|row| Self::decode(&row).ok_or_else(|| damaged(organization)))
            .transpose()
    }

    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        let mut from = Decoder::new(bytes);
        let (size, root) = (from.size().ok()?, from.hash().ok()?);
        let read = Self::read(&mut from, size, root).ok()?;
        from.finish().ok()?;
        Some(read)
    }
}

/// The newest cosignature of each witness of a log, as stored. They were checked before they were stored, and are of
/// the entries that are stored.
///
/// # Errors
/// [`ReadError`] if the store cannot say.
pub fn stored(organization: &str, reader: &dyn Reader) -> Result<Vec<Cosignature>, ReadError> {
    let prefix = store::cosignatures(organization);
    let rows = reader.range(&prefix, &store::after(&prefix), limits::CHARTER_MEMBERS)?;
    rows.iter()
        .map(|(_, row)| Cosignature::decode(row).ok_or_else(|| damaged(organization)))
        .collect()
}

fn damaged(organization: &str) -> ReadError {
    ReadError::damaged(
        format!("a cosignature of the log of {organization}"),
        "it does not decode",
    )
}

/// The members that cosign the heads of an organization's log: the first `witnesses` + 2 others, in the order of
/// SHA-256 over the consortium's id, the organization's DID and the member's, each after its length. All members come
/// to the same ones without asking, each member gets about as many logs, and when one is gone two are left over.
#[must_use]
pub fn appointed<'c>(charter: &'c Charter, organization: &str) -> Vec<&'c MemberCard> {
    let mut ranked: Vec<(Hash, &MemberCard)> = others(charter, organization)
        .map(|card| (rank(charter, organization, card), card))
        .collect();
    ranked.sort_by_key(|(rank, _)| *rank);
    ranked.truncate(places(charter));
    ranked.into_iter().map(|(_, card)| card).collect()
}

/// Whether this member is one of the [`appointed`], found out without ranking all: as soon as enough others stand before
/// it, it is none. Most members stand far behind, so of 1,000 others about 20 are looked at, where a node asks about each
/// log when it starts.
#[must_use]
pub fn is_appointed(charter: &Charter, organization: &str, member: &str) -> bool {
    let Some(card) = charter.member(member).filter(|_| member != organization) else {
        return false;
    };
    let own = rank(charter, organization, card);
    let before = others(charter, organization).filter(|other| rank(charter, organization, other) < own);
    before.take(places(charter)).count() < places(charter)
}

/// How many members are to cosign each log.
fn places(charter: &Charter) -> usize {
    charter.rules().witnesses as usize + limits::SPARE_WITNESSES
}

fn others<'c>(charter: &'c Charter, organization: &str) -> impl Iterator<Item = &'c MemberCard> {
    let members = charter.members().iter();
    members.filter(move |card| card.did().as_str() != organization)
}

/// The place of a member among those who may cosign a log.
fn rank(charter: &Charter, organization: &str, card: &MemberCard) -> Hash {
    let mut hasher = Sha256::new();
    for part in [charter.id(), organization, card.did().as_str()] {
        hasher.update((part.len() as u64).to_be_bytes());
        hasher.update(part);
    }
    hasher.finalize().into()
}

/// The note of a head with the lines of those cosignatures that are over its text, as many as a note may have.
#[must_use]
pub fn with_lines<'l>(
    consortium: &str,
    head: &Head,
    cosignatures: impl IntoIterator<Item = &'l Cosignature>,
) -> String {
    let Ok(mut note) = Note::parse(head.note()) else {
        return head.note().to_owned();
    };
    for cosignature in cosignatures.into_iter().filter(|cosignature| cosignature.is_of(head)) {
        let line = cosignature.line(consortium);
        let known = note.signature_of(&line.name, line.id).is_some();
        if !known && note.signatures.len() < limits::NOTE_SIGNATURES {
            note.signatures.push(line);
        }
    }
    let text = note.to_string();
    // Longer than readers take: better without witnesses than unreadable.
    if text.len() > limits::NOTE_BYTES {
        return head.note().to_owned();
    }
    text
}

/// The cosignatures in a note of a log of this consortium that members made: each line is checked with the key that
/// `key` gives for its member. Lines that do not verify, and those of others, are left out.
#[must_use]
pub fn in_note(
    charter: &Charter,
    organization: &str,
    note: &str,
    key: impl Fn(&MemberCard) -> PublicKey,
) -> Vec<Cosignature> {
    let Ok(note) = Note::parse(note) else {
        return Vec::new();
    };
    let Some((origin, size, root)) = head::checkpoint(&note.text) else {
        return Vec::new();
    };
    if origin != head::origin(charter.id(), organization) {
        return Vec::new();
    }
    let others = charter
        .members()
        .iter()
        .filter(|card| card.did().as_str() != organization);
    let found = others.filter_map(|card| {
        let name = head::origin(charter.id(), card.did().as_str());
        let key = key(card);
        let key_id = note::key_id(&name, note::TYPE_COSIGNATURE, key.as_bytes());
        let (stamp, signature) = head::split_cosignature(note.signature_of(&name, key_id)?)?;
        let cosignature = Cosignature {
            witness: card.did().clone(),
            size,
            root,
            time: head::time_of(stamp)?,
            key_id,
            signature: signature.try_into().ok()?,
        };
        cosignature.verify(charter.id(), organization, &key).ok()?;
        Some(cosignature)
    });
    found.collect()
}

/// A number that says which cosignatures of a log are held: equal for equal sets. For comparing, not for proving.
#[must_use]
pub(crate) fn fingerprint<'l>(ascending: impl Iterator<Item = &'l Cosignature>) -> u64 {
    let mut ascending = ascending.peekable();
    if ascending.peek().is_none() {
        return 0;
    }
    let mut hasher = Sha256::new();
    for cosignature in ascending {
        hasher.update(log::leaf_hash(&cosignature.encode()));
    }
    let [a, b, c, d, e, f, g, h, ..]: Hash = hasher.finalize().into();
    u64::from_be_bytes([a, b, c, d, e, f, g, h])
}

#[cfg(test)]
mod tests;
