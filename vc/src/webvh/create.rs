//! Making logs: the first line, the next line, and the witnesses' proofs. Every line that leaves
//! here has been read back and verified as anybody else's would be.

use super::document::renamed;
use super::entry::{Fault, multihash, text};
use super::log::Log;
use super::parameters::WitnessRule;
use super::{METHOD, PLACEHOLDER, proof};
use crate::canonical;
use crate::did::Did;
use crate::did_web::{Location, LocationError};
use crate::json::{self, Object, Value};
use crate::key::{KeyKind, PublicKey, SignError, Signer};
use crate::time::Timestamp;

/// A line could not be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// The line would not be valid.
    #[error("the entry would not be valid: {0}")]
    Fault(#[from] Fault),
    /// The key cannot be used now.
    #[error(transparent)]
    Sign(#[from] SignError),
    /// The method permits no other keys.
    #[error("entries are signed by Ed25519 keys")]
    KeyKind,
    /// There is no log to continue.
    #[error("the log has no entries")]
    Empty,
}

/// What an entry changes of the parameters; `None`: as before.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// The keys that may sign the next entry (or this one, where the entry before committed to them).
    pub update_keys: Option<Vec<PublicKey>>,
    /// The keys of the next entry, by [`key_hash`]; empty: pre-rotation ends.
    pub next_key_hashes: Option<Vec<String>>,
    /// Who must approve entries; `Some(None)`: nobody any more.
    pub witness: Option<Option<WitnessRule>>,
    /// Who watches the DID.
    pub watchers: Option<Vec<String>>,
    /// Whether the DID may move; only a first entry can say so.
    pub portable: Option<bool>,
    /// Seconds for which a resolved version may be kept.
    pub ttl: Option<u32>,
    /// Ends the DID.
    pub deactivate: bool,
}

impl Changes {
    fn to_json(&self) -> Object {
        let mut object = Object::new();
        if let Some(keys) = &self.update_keys {
            object.insert("updateKeys", keys.iter().map(PublicKey::to_multikey).collect::<Value>());
        }
        if let Some(hashes) = &self.next_key_hashes {
            object.insert("nextKeyHashes", hashes.clone());
        }
        if let Some(witness) = &self.witness {
            object.insert(
                "witness",
                witness.as_ref().map_or_else(Object::new, WitnessRule::to_json),
            );
        }
        if let Some(watchers) = &self.watchers {
            object.insert("watchers", watchers.clone());
        }
        if let Some(portable) = self.portable {
            object.insert("portable", portable);
        }
        if let Some(ttl) = self.ttl {
            object.insert("ttl", ttl);
        }
        if self.deactivate {
            object.insert("deactivated", true);
        }
        object
    }
}

/// The hash by which an entry commits to a key of the next (section "Pre-Rotation Key Hash
/// Generation and Verification").
#[must_use]
pub fn key_hash(key: &PublicKey) -> String {
    multihash(key.to_multikey().as_bytes())
}

/// The DID of a log to be made at this place, with [`PLACEHOLDER`] where the SCID will stand.
#[must_use]
pub fn template(place: &Location) -> String {
    format!("did:webvh:{PLACEHOLDER}:{}", place.as_identifier())
}

/// The first line of a log, and the DID it makes. `state` is the document with [`template`] as its
/// DID; `signer` must be one of the update keys.
///
/// # Errors
/// [`BuildError`]: nothing invalid is made.
pub fn create(
    state: &Value,
    changes: &Changes,
    time: Timestamp,
    signer: &dyn Signer,
) -> Result<(Did, String), BuildError> {
    let mut parameters = changes.to_json();
    parameters.insert("method", METHOD);
    parameters.insert("scid", PLACEHOLDER);
    let draft = entry(PLACEHOLDER, time, parameters, state.clone());
    let draft_text = text(&draft.into())?;
    let scid = multihash(draft_text.as_bytes());
    let value = json::parse(draft_text.replace(PLACEHOLDER, &scid).as_bytes()).map_err(Fault::from)?;
    let object = value.into_object().map_err(|_| BuildError::Empty)?;
    let line = finish(object, &scid, 1, time, signer)?;
    let mut log = Log::new();
    let did = log.append(&line)?.did.clone();
    Ok((did, line))
}

/// The next line of a log. `state` is the whole new document.
///
/// # Errors
/// [`BuildError`]: nothing invalid is made.
pub fn update(
    log: &Log,
    state: &Value,
    changes: &Changes,
    time: Timestamp,
    signer: &dyn Signer,
) -> Result<String, BuildError> {
    let last = log.versions().last().ok_or(BuildError::Empty)?;
    let number = log.versions().len() + 1;
    let object = entry(&last.id, time, changes.to_json(), state.clone());
    let line = finish(object, &last.id, number, time, signer)?;
    log.clone().append(&line)?;
    Ok(line)
}

/// The document of a DID that moves to another place: every mention of the old DID renamed, and the
/// old DID among its other names.
///
/// # Errors
/// [`LocationError`] when the DID is no `did:webvh`.
pub fn moved(did: &Did, state: &Value, to: &Location) -> Result<Value, LocationError> {
    let (scid, _) = crate::did_web::split_scid(did.method_specific_id())?;
    let new = format!("did:webvh:{scid}:{}", to.as_identifier());
    let mut state = renamed(state, did.as_str(), &new);
    if let Some(members) = state.as_object_mut() {
        let mut names = match members.remove("alsoKnownAs") {
            Some(Value::Array(names)) => names,
            _ => Vec::new(),
        };
        names.retain(|name| name.as_str() != Some(new.as_str()));
        names.push(did.into());
        members.insert("alsoKnownAs", names);
    }
    Ok(state)
}

/// A witness's approval of a version, for `did-witness.json`.
///
/// # Errors
/// [`BuildError`] when the key cannot sign.
pub fn witness_proof(version_id: &str, time: Timestamp, witness: &dyn Signer) -> Result<Value, BuildError> {
    require_ed25519(witness)?;
    let mut document = Object::new();
    document.insert("versionId", version_id);
    Ok(proof::sign(&document, witness, time)?)
}

/// The text of `did-witness.json` for these approvals, each a `versionId` and proofs of it.
#[must_use]
pub fn witness_file(approvals: &[(String, Vec<Value>)]) -> String {
    let items: Value = approvals
        .iter()
        .map(|(id, proofs)| crate::object! { "versionId": id.as_str(), "proof": proofs.clone() })
        .collect();
    String::from_utf8_lossy(&canonical::to_bytes(&items)).into_owned()
}

fn entry(version_id: &str, time: Timestamp, parameters: Object, state: Value) -> Object {
    let mut object = Object::new();
    object.insert("versionId", version_id);
    object.insert("versionTime", time);
    object.insert("parameters", parameters);
    object.insert("state", state);
    object
}

/// Names and signs an entry that follows `predecessor`.
fn finish(
    mut object: Object,
    predecessor: &str,
    number: usize,
    time: Timestamp,
    signer: &dyn Signer,
) -> Result<String, BuildError> {
    require_ed25519(signer)?;
    object.insert("versionId", predecessor);
    let hash = multihash(&canonical::to_bytes(&object.clone().into()));
    object.insert("versionId", format!("{number}-{hash}"));
    let proof = proof::sign(&object, signer, time)?;
    object.insert("proof", vec![proof]);
    Ok(text(&object.into())?)
}

fn require_ed25519(signer: &dyn Signer) -> Result<(), BuildError> {
    if signer.public_key().kind() == KeyKind::Ed25519 {
        Ok(())
    } else {
        Err(BuildError::KeyKind)
    }
}
