//! One entry of a log: reading it, and the hashes that its name and the DID are made of.

use multibase::Base;
use sha2::{Digest, Sha256};

use super::PLACEHOLDER;
use crate::canonical;
use crate::did_web::LocationError;
use crate::json::members::{MemberError, Members, Path};
use crate::json::{self, JsonError, Object, Value};
use crate::time::{TimeError, Timestamp};

/// What is wrong with an entry of a log.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// Not JSON as the strict reader takes it.
    #[error("{0}")]
    Json(#[from] JsonError),
    /// A member is missing, of the wrong kind, or not known.
    #[error("{0}")]
    Member(#[from] MemberError),
    /// The versions are not numbered from 1 upwards.
    #[error("/versionId: the version must be number {0}, a hyphen, and the hash of the entry")]
    Number(u64),
    /// The entry is not what its name says.
    #[error("/versionId: the entry has the hash {0}: it was changed, or follows another entry")]
    Hash(String),
    /// The time is no time in UTC.
    #[error("/versionTime: {0}")]
    Time(#[from] TimeError),
    /// Not written in UTC.
    #[error("/versionTime: write it in UTC, ending with Z")]
    NotUtc,
    /// Not later than the entry before.
    #[error("/versionTime: it must be later than that of the entry before")]
    Order,
    /// Later than the time of asking.
    #[error("/versionTime: {0} is still to come")]
    Future(Timestamp),
    /// The first entry has another hash than the DID says.
    #[error("/parameters/scid: the first entry belongs to {0}")]
    Scid(String),
    /// The first entry still has a placeholder.
    #[error("the first entry still has the text {{SCID}} in it")]
    Placeholder,
    /// The document's id is no `did:webvh`.
    #[error("/state/id: {0}")]
    Location(#[from] LocationError),
    /// The document is of another DID.
    #[error("/state/id: the document is not of this log's DID")]
    State,
    /// The DID changed without being portable.
    #[error("/state/id: the DID moved, and its log does not allow that")]
    NotPortable,
    /// The DID moved without naming where it was.
    #[error("/state/alsoKnownAs: a DID that moved names its former DID here")]
    FormerDid,
    /// A key was not committed to.
    #[error("/parameters/updateKeys/{0}: the entry before did not commit to this key in nextKeyHashes")]
    NotCommitted(usize),
    /// No proof.
    #[error("/proof: the entry has no proof")]
    NoProof,
    /// The key of a proof may not sign this entry.
    #[error("/proof/{0}/verificationMethod: this key may not sign this entry; those in updateKeys may")]
    NotAuthorized(usize),
    /// A signature does not fit.
    #[error("/proof/{0}/proofValue: the signature does not fit the entry")]
    Signature(usize),
    /// The DID had ended.
    #[error("the entry before ended the DID: nothing may follow")]
    Deactivated,
    /// More entries than are read.
    #[error("the log has more entries than are read")]
    TooMany,
    /// Too few witnesses approved it.
    #[error("fewer witnesses than the threshold have approved it")]
    Unwitnessed,
}

/// An entry as it stands: nothing checked but its form.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    /// All members but the proof.
    pub(super) signed: Object,
    pub(super) version_id: String,
    pub(super) time: Timestamp,
    pub(super) proofs: Vec<Value>,
}

impl Entry {
    pub(super) fn parse(line: &str) -> Result<Self, Fault> {
        let value = json::parse(line.as_bytes())?;
        let members = Members::of(&value, Path::ROOT)?;
        let version_id = members.str("versionId")?.to_owned();
        let text = members.str("versionTime")?;
        let time = Timestamp::parse(text)?;
        if !text.ends_with('Z') {
            return Err(Fault::NotUtc);
        }
        members.object("parameters")?;
        members.object("state")?;
        let proofs = match members.optional("proof") {
            None => Vec::new(),
            Some(Value::Array(proofs)) => proofs.clone(),
            Some(one) => vec![one.clone()],
        };
        members.finish_closed()?;
        let mut signed = members.as_object().clone();
        signed.remove("proof");
        Ok(Self {
            signed,
            version_id,
            time,
            proofs,
        })
    }

    pub(super) fn parameters(&self) -> Result<Members<'_, 'static>, Fault> {
        let value = self.signed.get("parameters").unwrap_or(&Value::Null);
        Ok(Members::of(value, "/parameters")?)
    }

    pub(super) fn state(&self) -> Result<Members<'_, 'static>, Fault> {
        Ok(Members::of(self.signed.get("state").unwrap_or(&Value::Null), "/state")?)
    }

    /// The number in the name, if the name is `number-hash` with this number.
    pub(super) fn hash_in_name(&self, number: u64) -> Result<&str, Fault> {
        self.version_id
            .strip_prefix(&format!("{number}-"))
            .ok_or(Fault::Number(number))
    }

    /// The hash of the entry, following an entry (or SCID) of this name (section "Entry Hash
    /// Generation and Verification").
    pub(super) fn hash_after(&self, predecessor: &str) -> String {
        let mut object = self.signed.clone();
        object.insert("versionId", predecessor);
        multihash(&canonical::to_bytes(&object.into()))
    }
}

/// The SCID that a first entry gives (section "Verify SCID"): the entry without its proof, under a
/// placeholder's name, with a placeholder wherever the SCID stands.
pub(super) fn scid_of(entry: &Entry, scid: &str) -> Result<String, Fault> {
    let mut object = entry.signed.clone();
    object.insert("versionId", PLACEHOLDER);
    let bare = Value::from(object.clone());
    object.remove("versionId");
    // A placeholder left in the text would let two different first entries have one SCID.
    if text(&object.into())?.contains(PLACEHOLDER) {
        return Err(Fault::Placeholder);
    }
    let replaced = text(&bare)?.replace(scid, PLACEHOLDER);
    // Names may have changed with it, and with them their order.
    let value = json::parse(replaced.as_bytes())?;
    Ok(multihash(&canonical::to_bytes(&value)))
}

/// The canonical text of a value.
pub(super) fn text(value: &Value) -> Result<String, Fault> {
    String::from_utf8(canonical::to_bytes(value)).map_err(|_| Fault::Placeholder)
}

/// `base58btc(multihash(bytes))` with SHA-256, without the multibase letter.
pub(super) fn multihash(bytes: &[u8]) -> String {
    let mut hash = vec![0x12, 0x20];
    hash.extend_from_slice(&Sha256::digest(bytes));
    Base::Base58Btc.encode(hash)
}
