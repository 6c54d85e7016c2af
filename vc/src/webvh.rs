//! `did:webvh` 1.0: DIDs whose history is a log of signed, chained entries (DIF did:webvh 1.0).
//!
//! Here a log is a text. It is verified to the last byte by the same strict reader and canonical
//! writer as everything else, without a network, and the time of asking is given. Where a log comes from
//! does not matter: its first entry's hash is part of the DID.
//!
//! A log with an entry that fails is answered as the method asks (section "Read (Resolve)", 10 and
//! 11): versions before the failing entry can still be asked for by their id, number or time; the
//! latest version of such a log is an error, never the one before.

mod create;
mod document;
mod entry;
mod log;
mod parameters;
mod proof;
mod witness;

use crate::did::Did;
use crate::did_web::{LocationError, split_scid};
use crate::document::{DidDocument, DocumentError};
use crate::json::{Object, Value};
use crate::limits::{WEBVH_CLOCK_SKEW_SECONDS, WEBVH_LOG_BYTES};
use crate::time::Timestamp;

pub use create::{BuildError, Changes, create, key_hash, moved, template, update, witness_file, witness_proof};
pub use document::parallel_web;
pub use entry::Fault;
pub use log::{Log, Version};
pub use parameters::{Parameters, WitnessRule};
pub use witness::WitnessFault;

/// The value of the parameter `method` that is read and written here.
pub const METHOD: &str = "did:webvh:1.0";

/// What stands for the SCID until it is known.
pub const PLACEHOLDER: &str = "{SCID}";

/// Which version of a DID is asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Which {
    /// The newest.
    #[default]
    Latest,
    /// The one with this `versionId`.
    Id(String),
    /// The one with this number; the first is 1.
    Number(u64),
    /// The one that was active at this time.
    Time(Timestamp),
}

/// A version of a DID, and what its log says about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolved {
    /// The DID document as it stands in the log, with the implicit services added.
    pub document: Value,
    /// What the log says beside.
    pub metadata: Metadata,
}

impl Resolved {
    /// The document as verification uses it.
    ///
    /// # Errors
    /// [`DocumentError`]: the log is good, and the document in it cannot be used.
    pub fn did_document(&self) -> Result<DidDocument, DocumentError> {
        DidDocument::from_json(&self.document)
    }
}

/// What a log says about the version that was asked for, and about the DID.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Metadata {
    /// The `versionId` of the version.
    pub version_id: String,
    /// Its number; the first is 1.
    pub version_number: u64,
    /// When it became active.
    pub version_time: Timestamp,
    /// The time of the first version.
    pub created: Timestamp,
    /// The time of the last valid version of the log.
    pub updated: Timestamp,
    /// The self-certifying identifier.
    pub scid: String,
    /// The parameters after the last valid version: portability, deactivation, witnesses,
    /// watchers, time to live are properties of the DID, not of one version.
    pub parameters: Parameters,
}

impl Metadata {
    /// As DID document metadata (section "Read (Resolve)"): numbers of parameters as strings, as
    /// DID Resolution asks.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let mut object = Object::new();
        object.insert("versionId", self.version_id.as_str());
        object.insert("versionNumber", self.version_number);
        object.insert("versionTime", self.version_time);
        object.insert("created", self.created);
        object.insert("updated", self.updated);
        object.insert("scid", self.scid.as_str());
        object.insert("portable", self.parameters.portable);
        object.insert("deactivated", self.parameters.deactivated);
        object.insert("ttl", self.parameters.ttl.to_string());
        object.insert("watchers", self.parameters.watchers.clone());
        let witness = self.parameters.witness.as_ref().map_or_else(Object::new, |rule| {
            let mut witness = rule.to_json();
            witness.insert("threshold", rule.threshold.to_string());
            witness
        });
        object.insert("witness", witness);
        object.into()
    }
}

/// A version of a DID could not be had from a log.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WebvhError {
    /// The DID itself breaks the rules of the method.
    #[error("not a did:webvh: {0}")]
    Did(#[from] LocationError),
    /// The log is larger than any that is read.
    #[error("the log is larger than {WEBVH_LOG_BYTES} bytes")]
    TooLarge,
    /// An entry is not valid, and with it the version that was asked for.
    #[error("entry {entry} of the log is not valid: {fault}")]
    Entry {
        /// Which entry; the first is 1.
        entry: usize,
        /// What is wrong with it.
        fault: Fault,
    },
    /// The witnesses' proofs cannot be read.
    #[error("the witness proofs: {0}")]
    Witness(#[from] WitnessFault),
    /// The log is valid, and no version of it is of the DID that was asked for.
    #[error("no version in the log is of this DID: ask for the DID that the log is about")]
    OtherDid,
    /// The log is valid and has no such version.
    #[error("the log has no such version")]
    NotFound,
}

/// The self-certifying identifier of a `did:webvh`; `None` for any other DID.
#[must_use]
pub fn scid(did: &Did) -> Option<&str> {
    if did.method() != "webvh" {
        return None;
    }
    split_scid(did.method_specific_id()).ok().map(|(scid, _)| scid)
}

/// The version of `did` that is asked for, from its log (`did.jsonl`) and, where it has witnesses,
/// their proofs (`did-witness.json`), at the time `now`.
///
/// # Errors
/// [`WebvhError`]: nothing that the log does not prove is returned.
pub fn resolve(
    did: &Did,
    log: &str,
    witness: Option<&str>,
    which: &Which,
    now: Timestamp,
) -> Result<Resolved, WebvhError> {
    if did.method() != "webvh" {
        return Err(LocationError::Method(did.method().to_owned()).into());
    }
    crate::did_web::Location::of(did)?;
    let (scid, _) = split_scid(did.method_specific_id())?;
    if log.len() > WEBVH_LOG_BYTES {
        return Err(WebvhError::TooLarge);
    }
    let limit = now.checked_add_seconds(WEBVH_CLOCK_SKEW_SECONDS).unwrap_or(now);
    let mut read = Log::new();
    let mut failed = None;
    for (at, line) in log.strip_suffix('\n').unwrap_or(log).split('\n').enumerate() {
        let appended = read.append(line).and_then(|version| {
            if version.time > limit {
                Err(Fault::Future(version.time))
            } else {
                Ok(())
            }
        });
        if let Err(fault) = appended {
            read.truncate(at);
            failed = Some(WebvhError::Entry { entry: at + 1, fault });
            break;
        }
    }
    if let (Some(own), false) = (read.scid(), read.scid() == Some(scid)) {
        let fault = Fault::Scid(own.to_owned());
        return Err(WebvhError::Entry { entry: 1, fault });
    }
    let witnessed = read.witnessed(witness)?;
    if witnessed < read.versions().len() {
        read.truncate(witnessed);
        failed = Some(WebvhError::Entry {
            entry: witnessed + 1,
            fault: Fault::Unwitnessed,
        });
    }
    read.answer(did, which, failed)
}

#[cfg(test)]
mod tests;
