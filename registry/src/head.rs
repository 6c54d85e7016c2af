//! Heads: the signed state of a log, as C2SP tlog-checkpoint notes.
//!
//! A head carries two signatures by the log key, under the log's origin as key name: a plain one
//! over the text (type 0x01), so that every transparency tool can check it, and a timestamped
//! cosignature (type 0x04, C2SP tlog-cosignature), whose time is the freshness of the head. A
//! heartbeat renews the second without any entry being added. Further signature lines, those of
//! witnesses, are kept as they are.

use multibase::Base;
use syndic_vc::key::{PublicKey, SignError, Signature, Signer};
use syndic_vc::time::Timestamp;

use crate::limits;
use crate::log::Hash;
use crate::note::{self, Note, NoteError, NoteSignature};

/// Origin of an organization's log, which is also the name of its key: it names the consortium,
/// so that a head cannot be carried from one consortium into another.
#[must_use]
pub fn origin(consortium: &str, organization: &str) -> String {
    format!("syndic/{consortium}/{organization}")
}

/// A head whose two signatures were checked (or made, or read back from the own store).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Head {
    origin: String,
    size: u64,
    root: Hash,
    time: Timestamp,
    note: String,
}

/// Why a text is not a head of the log that was asked for.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum HeadError {
    /// Not a signed note at all.
    #[error(transparent)]
    Note(#[from] NoteError),
    /// The text is not origin, size and root (C2SP tlog-checkpoint), or has extension lines.
    #[error("the head does not consist of an origin, a size and a root hash")]
    Malformed,
    /// The head of another log or consortium.
    #[error("the head is of the log {found:?}, not of {expected:?}")]
    WrongOrigin {
        /// The log that was asked for.
        expected: String,
        /// The log that the head speaks of.
        found: String,
    },
    /// The log key's signature line of this type is missing.
    #[error("the head lacks the log key's signature of type {0:#04x}")]
    NotSigned(u8),
    /// Somebody signed under the log's name with another key than the one for this size: a forger, or the organization
    /// itself after a rotation that is not known here yet.
    #[error("the head is signed under the log's name by another key than the one known for its size")]
    OtherKey,
    /// A signature by the log key does not verify.
    #[error("the log key's signature of type {0:#04x} does not verify")]
    SignatureInvalid(u8),
}

/// Why a head was not signed.
#[derive(Debug, thiserror::Error)]
pub enum SignHeadError {
    /// The origin cannot be the name of a key.
    #[error("{0:?} cannot be the origin of a log: no spaces, plus signs or control characters")]
    Origin(String),
    /// The time lies before 1970.
    #[error("the clock says {0}, before 1970; set it right")]
    Time(Timestamp),
    /// The signer refused.
    #[error("the log key did not sign: {0}")]
    Signer(#[from] SignError),
}

impl Head {
    /// Signs the state of a log: twice, as the module says. `time` counts in whole seconds.
    ///
    /// # Errors
    /// [`SignHeadError`] if the signer refuses, or origin or time cannot be written.
    pub fn sign(
        origin: &str,
        size: u64,
        root: &Hash,
        signer: &dyn Signer,
        time: Timestamp,
    ) -> Result<Self, SignHeadError> {
        if !note::is_key_name(origin) {
            return Err(SignHeadError::Origin(origin.to_owned()));
        }
        let seconds = time.unix_seconds();
        let time = Timestamp::from_unix_seconds(seconds).map_err(|_| SignHeadError::Time(time))?;
        let stamp = u64::try_from(seconds).map_err(|_| SignHeadError::Time(time))?;
        let text = text(origin, size, root);
        let key = signer.public_key().as_bytes();
        let plain = signer.sign(text.as_bytes())?;
        let timed = signer.sign(cosigned(&text, stamp).as_bytes())?;
        let note = Note {
            text,
            signatures: vec![
                NoteSignature {
                    name: origin.to_owned(),
                    id: note::key_id(origin, note::TYPE_ED25519, key),
                    signature: plain.as_bytes().to_vec(),
                },
                NoteSignature {
                    name: origin.to_owned(),
                    id: note::key_id(origin, note::TYPE_COSIGNATURE, key),
                    signature: [stamp.to_be_bytes().as_slice(), timed.as_bytes()].concat(),
                },
            ],
        };
        Ok(Self {
            origin: origin.to_owned(),
            size,
            root: *root,
            time,
            note: note.to_string(),
        })
    }

    /// Checks a head: the text is a checkpoint of the log `expected_origin`, and both signatures
    /// of the log key are there and verify. Lines of other keys are kept, unchecked.
    ///
    /// # Errors
    /// [`HeadError`] names the first thing that is wrong.
    pub fn verify(note: &str, expected_origin: &str, log_key: &PublicKey) -> Result<Self, HeadError> {
        Self::verify_by(note, expected_origin, |_| log_key)
    }

    /// The same, with a key that depends on the size that the head claims.
    ///
    /// # Errors
    /// [`HeadError`] names the first thing that is wrong.
    pub fn verify_by<'k>(
        note: &str,
        expected_origin: &str,
        log_key: impl FnOnce(u64) -> &'k PublicKey,
    ) -> Result<Self, HeadError> {
        let parsed = Note::parse(note)?;
        let (origin, size, root) = checkpoint(&parsed.text).ok_or(HeadError::Malformed)?;
        if origin != expected_origin {
            return Err(HeadError::WrongOrigin {
                expected: expected_origin.to_owned(),
                found: origin.to_owned(),
            });
        }
        let log_key = log_key(size);
        let key = log_key.as_bytes();
        let ids = [note::TYPE_ED25519, note::TYPE_COSIGNATURE].map(|kind| note::key_id(origin, kind, key));
        let mut named = parsed.signatures.iter().filter(|line| line.name == origin).peekable();
        if named.peek().is_some() && named.all(|line| !ids.contains(&line.id)) {
            return Err(HeadError::OtherKey);
        }
        let line = |kind| {
            parsed
                .signature_of(origin, note::key_id(origin, kind, key))
                .ok_or(HeadError::NotSigned(kind))
        };
        let plain = line(note::TYPE_ED25519)?;
        let (stamp, timed) = split_cosignature(line(note::TYPE_COSIGNATURE)?)
            .ok_or(HeadError::SignatureInvalid(note::TYPE_COSIGNATURE))?;
        let time = time_of(stamp).ok_or(HeadError::Malformed)?;
        let check = |kind, message: &[u8], signature: &[u8]| {
            <[u8; 64]>::try_from(signature)
                .ok()
                .and_then(|bytes| log_key.verify(message, &Signature::from_bytes(bytes)).ok())
                .ok_or(HeadError::SignatureInvalid(kind))
        };
        check(note::TYPE_ED25519, parsed.text.as_bytes(), plain)?;
        check(note::TYPE_COSIGNATURE, cosigned(&parsed.text, stamp).as_bytes(), timed)?;
        Ok(Self {
            origin: origin.to_owned(),
            size,
            root,
            time,
            note: note.to_owned(),
        })
    }

    /// The log's name: see [`origin`].
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// Number of entries it covers.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Root of the tree over these entries.
    #[must_use]
    pub fn root(&self) -> &Hash {
        &self.root
    }

    /// When the log key last said that this is its newest head.
    #[must_use]
    pub fn time(&self) -> Timestamp {
        self.time
    }

    /// The signed note as it was received.
    #[must_use]
    pub fn note(&self) -> &str {
        &self.note
    }

    /// Whether the log's own lines name this key. Of a head that was checked it says which key signed it.
    pub(crate) fn is_labelled_with(&self, key: &PublicKey) -> bool {
        let id = note::key_id(&self.origin, note::TYPE_ED25519, key.as_bytes());
        Note::parse(&self.note).is_ok_and(|note| note.signature_of(&self.origin, id).is_some())
    }

    /// Whether the two together prove that the log told two stories: one size, two roots.
    #[must_use]
    pub fn contradicts(&self, other: &Self) -> bool {
        self.origin == other.origin && self.size == other.size && self.root != other.root
    }

    /// For the own store: the time (i64, big-endian seconds), then the note.
    pub(crate) fn encode(&self) -> Vec<u8> {
        [self.time.unix_seconds().to_be_bytes().as_slice(), self.note.as_bytes()].concat()
    }

    /// Reads what [`Head::encode`] wrote. Signatures are not checked again: the own store is
    /// trusted to hold what was put there.
    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        let (seconds, note) = bytes.split_first_chunk::<8>()?;
        let time = Timestamp::from_unix_seconds(i64::from_be_bytes(*seconds)).ok()?;
        let note = std::str::from_utf8(note).ok()?;
        let (text, _) = note.rsplit_once("\n\n")?;
        let (origin, size, root) = checkpoint(&format!("{text}\n")).map(|(o, s, r)| (o.to_owned(), s, r))?;
        Some(Self {
            origin,
            size,
            root,
            time,
            note: note.to_owned(),
        })
    }
}

/// Text of a checkpoint: origin, size, root (C2SP tlog-checkpoint).
pub(crate) fn text(origin: &str, size: u64, root: &Hash) -> String {
    format!("{origin}\n{size}\n{}\n", Base::Base64Pad.encode(root))
}

/// Origin, size and root of a checkpoint text without extension lines.
pub(crate) fn checkpoint(text: &str) -> Option<(&str, u64, Hash)> {
    let mut lines = text.strip_suffix('\n')?.split('\n');
    let (origin, size, root) = (lines.next()?, lines.next()?, lines.next()?);
    if lines.next().is_some() || !note::is_key_name(origin) {
        return None;
    }
    let digits = size.bytes().all(|b| b.is_ascii_digit());
    if !digits || (size.len() > 1 && size.starts_with('0')) {
        return None;
    }
    let size = size.parse().ok().filter(|size| *size <= limits::LOG_SIZE)?;
    let root = note::decode_base64(root)?.try_into().ok()?;
    Some((origin, size, root))
}

/// What a cosignature signs (C2SP tlog-cosignature, Ed25519).
pub(crate) fn cosigned(text: &str, stamp: u64) -> String {
    format!("cosignature/v1\ntime {stamp}\n{text}")
}

pub(crate) fn split_cosignature(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let (stamp, signature) = bytes.split_first_chunk::<8>()?;
    Some((u64::from_be_bytes(*stamp), signature))
}

pub(crate) fn time_of(stamp: u64) -> Option<Timestamp> {
    Timestamp::from_unix_seconds(i64::try_from(stamp).ok()?).ok()
}

#[cfg(test)]
mod tests;
