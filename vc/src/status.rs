//! Status of credentials: entries, and the bits they point at (W3C Bitstring Status List 1.0).

use std::fmt;
use std::io::{Read, Write};

use flate2::Compression;
use flate2::bufread::GzDecoder;
use flate2::write::GzEncoder;
use multibase::Base;

use crate::credential::CREDENTIALS_CONTEXT;
use crate::did::Did;
use crate::json::members::{MemberError, Members, Path};
use crate::json::{Object, Value};
use crate::limits::{STATUS_BITS_MAXIMUM, STATUS_BITS_MINIMUM, STATUS_COMPRESSED_BYTES};
use crate::name::is_url;
use crate::time::Timestamp;

mod credential;
pub mod token;

pub use credential::{ListCredential, document_limits};

/// The type of a status list credential, beside that of every credential.
const LIST_CREDENTIAL_TYPE: &str = "BitstringStatusListCredential";

/// The one type of status entry written and read.
pub const ENTRY_TYPE: &str = "BitstringStatusListEntry";

/// What a set bit says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StatusPurpose {
    /// Revoked; never undone.
    Revocation,
    /// Suspended; may be undone.
    Suspension,
}

impl StatusPurpose {
    /// The name in documents.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Revocation => "revocation",
            Self::Suspension => "suspension",
        }
    }

    /// The purpose of that name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Revocation, Self::Suspension]
            .into_iter()
            .find(|purpose| purpose.as_str() == name)
    }
}

/// Where the status of a credential is found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatusEntry {
    /// What a set bit says.
    pub purpose: StatusPurpose,
    /// The URL of the status list credential.
    pub list: String,
    /// Which bit; the first bit is the most significant of the first byte.
    pub index: u64,
}

impl StatusEntry {
    /// Reads an entry. Closed: an entry that says more than is understood here cannot be judged.
    ///
    /// # Errors
    /// The member at fault.
    pub fn read(value: &Value, at: &Path<'_>) -> Result<Self, MemberError> {
        let members = Members::of(value, at)?;
        members.literal("type", ENTRY_TYPE, "BitstringStatusListEntry")?;
        let purpose = StatusPurpose::parse(members.str("statusPurpose")?)
            .ok_or_else(|| members.error("statusPurpose", "revocation or suspension"))?;
        let index = read_index(members.str("statusListIndex")?)
            .ok_or_else(|| members.error("statusListIndex", "an index as a string of digits, below 2^26"))?;
        let list = members.str("statusListCredential")?;
        if !is_url(list) {
            return Err(members.error("statusListCredential", "the URL of a status list"));
        }
        if members.optional_str("id")?.is_some_and(|id| !is_url(id)) {
            return Err(members.error("id", "a URL"));
        }
        // More than one bit says more than set or clear: it is read, and cannot be judged.
        if members.optional_integer("statusSize")?.is_some_and(|size| size != 1) {
            return Err(members.error("statusSize", "1: entries of more than one bit are not judged here"));
        }
        members.optional_array("statusMessage")?;
        if members
            .optional("statusReference")
            .is_some_and(|value| !credential::is_text_or_texts(value))
        {
            return Err(members.error("statusReference", "a URL, or an array of URLs"));
        }
        members.finish_closed()?;
        Ok(Self {
            purpose,
            list: list.to_owned(),
            index,
        })
    }

    /// Reads the `status_list` claim of a token (Token Status List section 6.2): `idx` and `uri`.
    /// Closed. A list of one bit says valid or invalid, which is never undone: revocation.
    pub(crate) fn read_token(members: &Members<'_, '_>) -> Result<Self, MemberError> {
        let index = members.integer("idx")?;
        let index = u64::try_from(index)
            .ok()
            .filter(|index| *index < STATUS_BITS_MAXIMUM)
            .ok_or_else(|| members.error("idx", "an index below 2^26"))?;
        let list = members.str("uri")?;
        if !is_url(list) {
            return Err(members.error("uri", "the URL of a status list"));
        }
        members.finish_closed()?;
        Ok(Self {
            purpose: StatusPurpose::Revocation,
            list: list.to_owned(),
            index,
        })
    }

    /// The entry as it stands in a credential.
    #[must_use]
    pub fn to_json(&self) -> Value {
        crate::object! {
            "id": format!("{}#{}", self.list, self.index),
            "type": ENTRY_TYPE,
            "statusPurpose": self.purpose.as_str(),
            "statusListIndex": self.index.to_string(),
            "statusListCredential": self.list.as_str(),
        }
    }
}

/// Digits without a leading zero, one text for one index.
fn read_index(text: &str) -> Option<u64> {
    let canonical = text == "0" || !text.starts_with('0');
    (canonical && text.bytes().all(|b| b.is_ascii_digit()))
        .then(|| text.parse().ok())
        .flatten()
        .filter(|index| *index < STATUS_BITS_MAXIMUM)
}

/// The bits of one list.
#[derive(Clone, PartialEq, Eq)]
pub struct StatusList {
    bytes: Vec<u8>,
}

/// How many bits there are and how many are set; not the bits.
impl fmt::Debug for StatusList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let set: u32 = self.bytes.iter().map(|byte| byte.count_ones()).sum();
        write!(f, "StatusList({} bits, {set} set)", self.len())
    }
}

/// A status list cannot be made, read or changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StatusListError {
    /// Too few or too many entries, or not a multiple of 8.
    #[error("a status list has {STATUS_BITS_MINIMUM} to {STATUS_BITS_MAXIMUM} entries, a multiple of 8, not {0}")]
    Length(u64),
    /// The index lies outside the list.
    #[error("the list has {length} entries, so there is no entry {index}")]
    OutOfBounds {
        /// The index asked for.
        index: u64,
        /// How many entries there are.
        length: u64,
    },
    /// Not multibase base64url (`u...`).
    #[error("the encoded list is not multibase base64url without padding (u...)")]
    NotMultibase,
    /// A token's list of no entries, or of too many.
    #[error("a token's status list has 8 to {STATUS_BITS_MAXIMUM} entries, not {0}")]
    TokenLength(u64),
    /// Not base64url without padding.
    #[error("the list is not base64url without padding")]
    NotBase64url,
    /// Not one zlib stream.
    #[error("the list is not zlib, or something follows it")]
    NotZlib,
    /// Longer than any list that is accepted, before decompression.
    #[error("the encoded list is longer than {STATUS_COMPRESSED_BYTES} bytes")]
    TooLarge,
    /// Not one gzip member.
    #[error("the encoded list is not gzip, or something follows it")]
    NotGzip,
}

impl StatusList {
    /// A list with no bit set.
    ///
    /// # Errors
    /// [`StatusListError::Length`]: fewer than 131,072 entries would give the holder away.
    pub fn new(length: u64) -> Result<Self, StatusListError> {
        let bytes = usize::try_from(length / 8).map_err(|_| StatusListError::Length(length))?;
        check_length(length)?;
        Ok(Self { bytes: vec![0; bytes] })
    }

    /// How many entries there are.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.bytes.len() as u64 * 8
    }

    /// Never: a list has at least 8 entries.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Whether the bit is set.
    ///
    /// # Errors
    /// [`StatusListError::OutOfBounds`]; that is not the same as "clear".
    pub fn get(&self, index: u64) -> Result<bool, StatusListError> {
        let (at, mask) = place(index);
        at.and_then(|at| self.bytes.get(at))
            .map(|byte| byte & mask != 0)
            .ok_or_else(|| self.out_of_bounds(index))
    }

    /// Sets or clears the bit.
    ///
    /// # Errors
    /// [`StatusListError::OutOfBounds`].
    pub fn set(&mut self, index: u64, to: bool) -> Result<(), StatusListError> {
        let outside = self.out_of_bounds(index);
        let (at, mask) = place(index);
        let byte = at.and_then(|at| self.bytes.get_mut(at)).ok_or(outside)?;
        if to {
            *byte |= mask;
        } else {
            *byte &= !mask;
        }
        Ok(())
    }

    const fn out_of_bounds(&self, index: u64) -> StatusListError {
        StatusListError::OutOfBounds {
            index,
            length: self.bytes.len() as u64 * 8,
        }
    }

    /// The `encodedList`: gzip, then multibase base64url without padding. Equal bits give equal
    /// text.
    #[must_use]
    pub fn encode(&self) -> String {
        // Writing to memory does not fail.
        let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
        let compressed = gzip
            .write_all(&self.bytes)
            .and_then(|()| gzip.finish())
            .unwrap_or_default();
        multibase::encode(Base::Base64Url, compressed)
    }

    /// Reads an `encodedList`. No more is decompressed than the largest list holds.
    ///
    /// # Errors
    /// [`StatusListError`]; never a shortened list.
    pub fn decode(text: &str) -> Result<Self, StatusListError> {
        if text.len() > STATUS_COMPRESSED_BYTES / 3 * 4 {
            return Err(StatusListError::TooLarge);
        }
        let compressed = match multibase::decode(text) {
            Ok((Base::Base64Url, bytes)) => bytes,
            _ => return Err(StatusListError::NotMultibase),
        };
        let mut rest = compressed.as_slice();
        let mut bytes = Vec::new();
        let bound = STATUS_BITS_MAXIMUM / 8;
        // Over a slice, the decoder leaves in it what follows the first member.
        GzDecoder::new(&mut rest)
            .take(bound + 1)
            .read_to_end(&mut bytes)
            .map_err(|_| StatusListError::NotGzip)?;
        check_length(bytes.len() as u64 * 8)?;
        if rest.is_empty() {
            Ok(Self { bytes })
        } else {
            Err(StatusListError::NotGzip)
        }
    }
}

fn check_length(length: u64) -> Result<(), StatusListError> {
    if (STATUS_BITS_MINIMUM..=STATUS_BITS_MAXIMUM).contains(&length) && length.is_multiple_of(8) {
        Ok(())
    } else {
        Err(StatusListError::Length(length))
    }
}

/// Byte and mask of a bit: the first bit is the most significant one of the first byte.
fn place(index: u64) -> (Option<usize>, u8) {
    (usize::try_from(index / 8).ok(), 0b1000_0000 >> (index % 8))
}

/// A status list credential, to be signed by its issuer and served at its own URL.
#[derive(Clone, Debug)]
pub struct StatusListDraft<'a> {
    /// The URL it is served at, and the credential's id.
    pub id: &'a str,
    /// The issuer: the same as that of the credentials in the list.
    pub issuer: &'a Did,
    /// What a set bit says.
    pub purpose: StatusPurpose,
    /// The bits.
    pub list: &'a StatusList,
    /// From when on.
    pub valid_from: Timestamp,
    /// Until when.
    pub valid_until: Timestamp,
    /// How long a copy may be used, in seconds.
    pub time_to_live_seconds: u32,
}

impl StatusListDraft<'_> {
    /// The unsigned credential.
    #[must_use]
    pub fn to_document(&self) -> Object {
        let subject = crate::object! {
            "id": format!("{}#list", self.id),
            "type": "BitstringStatusList",
            "statusPurpose": self.purpose.as_str(),
            "encodedList": self.list.encode(),
            "ttl": u64::from(self.time_to_live_seconds) * 1_000, // the standard counts milliseconds
        };
        let mut document = Object::new();
        document.insert("@context", vec![CREDENTIALS_CONTEXT]);
        document.insert("id", self.id);
        document.insert("type", vec!["VerifiableCredential", LIST_CREDENTIAL_TYPE]);
        document.insert("issuer", self.issuer);
        document.insert("validFrom", self.valid_from);
        document.insert("validUntil", self.valid_until);
        document.insert("credentialSubject", subject);
        document
    }
}

#[cfg(test)]
mod tests;
