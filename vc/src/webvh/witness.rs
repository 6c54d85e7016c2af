//! What witnesses approved (section "DID Witnesses"): `did-witness.json`.

use super::log::Log;
use super::proof::LogProof;
use crate::json::members::{MemberError, Members, Path};
use crate::json::{self, JsonError, Object};
use crate::limits::{WEBVH_LOG_BYTES, WEBVH_WITNESS_PROOFS};

/// The witnesses' proofs cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WitnessFault {
    /// Not JSON as the strict reader takes it.
    #[error("{0}")]
    Json(#[from] JsonError),
    /// Not an array of `{versionId, proof}`.
    #[error("{0}")]
    Member(#[from] MemberError),
    /// More than is read.
    #[error("more proofs than are read: keep the newest of each witness")]
    TooMany,
}

/// A witness's approval of a version, and so of all before it.
struct Approval {
    multikey: String,
    /// Which version; the first is 0.
    version: usize,
}

impl Log {
    /// How many versions, from the first on, have the witnesses that they need. Proofs of versions
    /// that are not in the log, and proofs that do not fit, count for nothing, as the method says.
    ///
    /// # Errors
    /// [`WitnessFault`]: witnesses are needed, and the file cannot be read.
    pub fn witnessed(&self, file: Option<&str>) -> Result<usize, WitnessFault> {
        let versions = self.versions();
        if versions.iter().all(|version| version.approval.is_none()) {
            return Ok(versions.len());
        }
        let approvals = file.map_or_else(|| Ok(Vec::new()), |file| self.approvals(file))?;
        let mut good = versions.len();
        // A version that falls takes the proofs of all later ones with it.
        loop {
            let failing = versions.iter().take(good).enumerate().position(|(at, version)| {
                version.approval.as_ref().is_some_and(|rule| {
                    let approved = |witness: &&String| {
                        let key = witness.strip_prefix("did:key:").unwrap_or(witness);
                        let covers = |a: &Approval| (at..good).contains(&a.version) && a.multikey == key;
                        approvals.iter().any(covers)
                    };
                    rule.witnesses.iter().filter(approved).count() < rule.threshold
                })
            });
            match failing {
                Some(at) => good = at,
                None => return Ok(good),
            }
        }
    }

    fn approvals(&self, file: &str) -> Result<Vec<Approval>, WitnessFault> {
        if file.len() > WEBVH_LOG_BYTES {
            return Err(WitnessFault::TooMany);
        }
        let value = json::parse(file.as_bytes())?;
        let items = value.as_array().ok_or_else(|| Path::ROOT.error("an array"))?;
        let mut approvals = Vec::new();
        let mut seen = 0;
        for (index, item) in items.iter().enumerate() {
            let members = Members::of(item, Path::ROOT.item(index))?;
            let id = members.str("versionId")?;
            let proofs = members.array("proof")?;
            members.finish_closed()?;
            let Some(version) = self.versions().iter().position(|version| version.id == id) else {
                continue;
            };
            let mut document = Object::new();
            document.insert("versionId", id);
            let within = members.at("proof");
            for (at, value) in proofs.iter().enumerate() {
                let proof = LogProof::read(value, within.item(at));
                let Some(proof) = proof.ok().filter(|proof| self.is_witness(proof.multikey)) else {
                    continue;
                };
                seen += 1;
                if seen > WEBVH_WITNESS_PROOFS {
                    return Err(WitnessFault::TooMany);
                }
                if proof.verifies(&document) {
                    approvals.push(Approval {
                        multikey: proof.multikey.to_owned(),
                        version,
                    });
                }
            }
        }
        Ok(approvals)
    }

    /// Whether any version asks this key for its approval.
    fn is_witness(&self, multikey: &str) -> bool {
        let rules = self.versions().iter().filter_map(|version| version.approval.as_ref());
        rules.into_iter().any(|rule| rule.has(multikey))
    }
}
