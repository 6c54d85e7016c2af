//! A log as it grows: each entry is checked against all before it, and nothing is kept of one that
//! fails.

use super::entry::{Entry, Fault, multihash, scid_of};
use super::parameters::{Parameters, WitnessRule};
use super::proof::LogProof;
use super::{Metadata, Resolved, WebvhError, Which, document};
use crate::did::Did;
use crate::did_web::{Location, is_scid, split_scid};
use crate::json::Value;
use crate::json::members::Path;
use crate::limits::{WEBVH_ENTRIES, WEBVH_LOG_BYTES, WEBVH_PROOFS};
use crate::time::Timestamp;

/// A log of which every entry is valid, apart from what witnesses must say about it
/// ([`Log::witnessed`]) and from the time of asking.
#[derive(Clone, Debug, Default)]
pub struct Log {
    scid: String,
    bytes: usize,
    versions: Vec<Version>,
}

/// One version of a DID.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    /// Its name: its number, a hyphen, the hash of its entry.
    pub id: String,
    /// From when on it is active.
    pub time: Timestamp,
    /// The DID, which changes when the DID moves.
    pub did: Did,
    /// The DID document as it stands in the log.
    pub state: Value,
    /// The parameters after it.
    pub parameters: Parameters,
    /// Who must approve it.
    pub(super) approval: Option<WitnessRule>,
    /// Bytes of its line.
    bytes: usize,
}

impl Log {
    /// A log without entries.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            scid: String::new(),
            bytes: 0,
            versions: Vec::new(),
        }
    }

    /// The self-certifying identifier; `None` before the first entry.
    #[must_use]
    pub fn scid(&self) -> Option<&str> {
        (!self.versions.is_empty()).then_some(self.scid.as_str())
    }

    /// The versions, the first first.
    #[must_use]
    pub fn versions(&self) -> &[Version] {
        &self.versions
    }

    /// Forgets all versions but the first `keep`.
    pub fn truncate(&mut self, keep: usize) {
        self.versions.truncate(keep);
        self.bytes = self.versions.iter().map(|version| version.bytes).sum();
    }

    /// Checks one more line of the log and appends it (section "Read (Resolve)", steps 1 to 8).
    ///
    /// # Errors
    /// [`Fault`]: the line does not continue this log, which stays as it was.
    pub fn append(&mut self, line: &str) -> Result<&Version, Fault> {
        if self.versions.len() >= WEBVH_ENTRIES || line.len() > WEBVH_LOG_BYTES.saturating_sub(self.bytes) {
            return Err(Fault::TooMany);
        }
        let entry = Entry::parse(line)?;
        let version = self.check(&entry, line.len())?;
        if self.versions.is_empty() {
            split_scid(version.did.method_specific_id())?
                .0
                .clone_into(&mut self.scid);
        }
        self.bytes += line.len();
        self.versions.push(version);
        self.versions.last().ok_or(Fault::TooMany)
    }

    /// Whether a line is the entry of one of the versions, perhaps under another proof.
    #[must_use]
    pub fn holds(&self, line: &str) -> bool {
        self.meant_by(line)
            .is_some_and(|(own, other)| own.is_some_and(|own| own.id == other.version_id))
    }

    /// Whether a line is another, equally valid entry of a version that is here: the proof that
    /// whoever controls the DID told two stories.
    #[must_use]
    pub fn is_contradicted_by(&self, line: &str) -> bool {
        let Some((Some(own), other)) = self.meant_by(line) else {
            return false;
        };
        if own.id == other.version_id {
            return false;
        }
        let before = self
            .versions
            .iter()
            .position(|version| version.id == own.id)
            .unwrap_or(0);
        let mut earlier = self.clone();
        earlier.truncate(before);
        earlier.append(line).is_ok() && earlier.scid() == self.scid()
    }

    /// The version here that has the number of this line, and the line.
    fn meant_by(&self, line: &str) -> Option<(Option<&Version>, Entry)> {
        let entry = Entry::parse(line).ok()?;
        let (number, _) = entry.version_id.split_once('-')?;
        let own = number
            .parse::<usize>()
            .ok()?
            .checked_sub(1)
            .and_then(|at| self.versions.get(at));
        Some((own, entry))
    }

    fn check(&self, entry: &Entry, bytes: usize) -> Result<Version, Fault> {
        let before = self.versions.last();
        if before.is_some_and(|before| before.parameters.deactivated) {
            return Err(Fault::Deactivated);
        }
        let members = entry.parameters()?;
        let initial = Parameters::initial();
        let parameters = before
            .map_or(&initial, |b| &b.parameters)
            .after(&members, before.is_none())?;
        let number = u64::try_from(self.versions.len()).unwrap_or(u64::MAX).saturating_add(1);
        let hash = entry.hash_in_name(number)?;
        if before.is_some_and(|before| entry.time <= before.time) {
            return Err(Fault::Order);
        }
        let scid = match before {
            Some(_) => self.scid.as_str(),
            None => first_scid(entry)?,
        };
        let computed = entry.hash_after(before.map_or(scid, |before| &before.id));
        if computed != hash {
            return Err(Fault::Hash(computed));
        }
        let did = check_state(entry, scid, before, &parameters)?;
        check_proofs(entry, before.map(|before| &before.parameters), &parameters)?;
        let approval = before.and_then(|before| before.parameters.witness.clone());
        Ok(Version {
            id: entry.version_id.clone(),
            time: entry.time,
            did,
            state: entry.signed.get("state").cloned().unwrap_or_default(),
            approval: approval.or_else(|| parameters.witness.clone()),
            parameters,
            bytes,
        })
    }

    /// The version that is asked for; `failed` is why the log ends here, if it does not end by
    /// itself.
    pub(super) fn answer(&self, did: &Did, which: &Which, failed: Option<WebvhError>) -> Result<Resolved, WebvhError> {
        let Some((first, last)) = self.versions.first().zip(self.versions.last()) else {
            return Err(failed.unwrap_or(WebvhError::NotFound));
        };
        let found = match which {
            Which::Latest => self.versions.len().checked_sub(1),
            Which::Id(id) => self.versions.iter().position(|version| version.id == *id),
            Which::Number(number) => usize::try_from(*number).ok().and_then(|number| number.checked_sub(1)),
            Which::Time(time) => self.versions.iter().rposition(|version| version.time <= *time),
        };
        let found = found.and_then(|at| Some((at, self.versions.get(at)?)));
        // An entry that fails may have been meant to replace the last good one, so what was active
        // after that cannot be said.
        let open_end = match which {
            Which::Latest => true,
            Which::Time(_) => found.is_some_and(|(at, _)| at + 1 == self.versions.len()),
            Which::Id(_) | Which::Number(_) => found.is_none(),
        };
        if let Some(error) = failed
            && open_end
        {
            return Err(error);
        }
        if !self.versions.iter().any(|version| version.did == *did) {
            return Err(WebvhError::OtherDid);
        }
        let (at, version) = found.ok_or(WebvhError::NotFound)?;
        Ok(Resolved {
            document: document::with_services(version)?,
            metadata: Metadata {
                version_id: version.id.clone(),
                version_number: u64::try_from(at).unwrap_or(u64::MAX).saturating_add(1),
                version_time: version.time,
                created: first.time,
                updated: last.time,
                scid: self.scid.clone(),
                parameters: last.parameters.clone(),
            },
        })
    }
}

/// The SCID of a first entry, if it is the hash of the entry.
fn first_scid(entry: &Entry) -> Result<&str, Fault> {
    let scid = entry.parameters()?.str("scid")?;
    if !is_scid(scid) {
        return Err(crate::did_web::LocationError::Scid.into());
    }
    let computed = scid_of(entry, scid)?;
    if computed == scid {
        Ok(scid)
    } else {
        Err(Fault::Scid(computed))
    }
}

/// The document must be of the log's DID, and may move only if the log allows it (section "DID
/// Portability").
fn check_state(entry: &Entry, scid: &str, before: Option<&Version>, parameters: &Parameters) -> Result<Did, Fault> {
    let state = entry.state()?;
    let did = Did::parse(state.str("id")?).map_err(|_| Fault::State)?;
    Location::of(&did)?;
    if did.method() != "webvh" || split_scid(did.method_specific_id())?.0 != scid {
        return Err(Fault::State);
    }
    let Some(before) = before.filter(|before| before.did != did) else {
        return Ok(did);
    };
    if !(parameters.portable && before.parameters.portable) {
        return Err(Fault::NotPortable);
    }
    let names = state.optional_array("alsoKnownAs")?.unwrap_or_default();
    if names.iter().any(|name| name.as_str() == Some(before.did.as_str())) {
        Ok(did)
    } else {
        Err(Fault::FormerDid)
    }
}

/// Every proof of an entry must be by an authorized key, and fit (section "Authorized Keys"): the
/// keys of the entry before, or, where it committed to keys, those of the entry itself.
fn check_proofs(entry: &Entry, before: Option<&Parameters>, now: &Parameters) -> Result<(), Fault> {
    let committed = before.filter(|before| !before.next_key_hashes.is_empty());
    if let Some(before) = committed {
        for (at, key) in now.update_keys.iter().enumerate() {
            if !before.next_key_hashes.contains(&multihash(key.as_bytes())) {
                return Err(Fault::NotCommitted(at));
            }
        }
    }
    let authorized = match before {
        Some(before) if committed.is_none() => &before.update_keys,
        _ => &now.update_keys,
    };
    if entry.proofs.is_empty() {
        return Err(Fault::NoProof);
    }
    if entry.proofs.len() > WEBVH_PROOFS {
        return Err(Fault::TooMany);
    }
    let within = Path::from("/proof");
    for (at, value) in entry.proofs.iter().enumerate() {
        let proof = LogProof::read(value, within.item(at))?;
        if !authorized.iter().any(|key| key == proof.multikey) {
            return Err(Fault::NotAuthorized(at));
        }
        if !proof.verifies(&entry.signed) {
            return Err(Fault::Signature(at));
        }
    }
    Ok(())
}
