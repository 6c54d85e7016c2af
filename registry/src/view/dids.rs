//! What the logs of members say of `did:webvh` DIDs: their logs, and which of them are members.

use syndic_vc::did::Did;
use syndic_vc::document::DidDocument;
use syndic_vc::resolve::{self, ResolveError};
use syndic_vc::time::Timestamp;
use syndic_vc::webvh::{self, Log, Resolved, WebvhError, Which};

use super::View;
use crate::charter::MemberCard;
use crate::fact::{self, DidFork};
use crate::fold::dids;
use crate::limits;
use crate::store::{self, ReadError};

/// The log of a `did:webvh` DID, as members published it: the longest one that any of them told.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct DidLog {
    /// `did.jsonl`.
    pub text: String,
    /// What was published as `did-witness.json`, one text of each member that did.
    pub witnesses: Vec<String>,
    /// Who published it, the longest first.
    pub organizations: Vec<Did>,
    /// Two valid entries of one version exist: whoever controls the DID told two stories, and none
    /// of them is taken.
    pub forked: bool,
}

/// Why a DID's log gives no answer.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum DidLogError {
    /// There are two logs of it.
    #[error("two different entries of one version of this DID exist, both validly signed")]
    Forked,
    /// The log does not answer.
    #[error(transparent)]
    Log(#[from] WebvhError),
}

impl DidLog {
    /// A version of the DID.
    ///
    /// # Errors
    /// [`DidLogError`]: the log is forked, unwitnessed, or has no such version.
    pub fn resolve(&self, did: &Did, which: &Which, now: Timestamp) -> Result<Resolved, DidLogError> {
        if self.forked {
            return Err(DidLogError::Forked);
        }
        let mut answer = webvh::resolve(did, &self.text, None, which, now);
        for witness in &self.witnesses {
            if answer.is_ok() {
                break;
            }
            answer = webvh::resolve(did, &self.text, Some(witness), which, now);
        }
        Ok(answer?)
    }
}

impl<'a> View<'a> {
    /// The log of a `did:webvh` DID; `None` if no member has published any of it.
    ///
    /// # Errors
    /// [`ReadError`] if the store cannot say.
    pub fn did_log(&self, did: &Did) -> Result<Option<DidLog>, ReadError> {
        let Some(scid) = webvh::scid(did) else {
            return Ok(None);
        };
        let mut told = Vec::new();
        let (mut witnesses, mut forked) = (Vec::new(), false);
        for member in self.members_under(&fact::did_index_key(scid, None))? {
            let organization = member.did().as_str();
            told.push((dids::lines(organization, scid, self.reader)?, member.did().clone()));
            forked |= fact::get::<DidFork>(&fact::did_fork_key(organization, scid), self.reader)?.is_some();
            if let Some(text) = self.reader.get(&fact::did_witness_key(organization, scid))? {
                witnesses.push(String::from_utf8_lossy(&text).into_owned());
            }
        }
        // The longest first; of equals, the one whose organization comes first.
        told.sort_by(|(a, by), (b, other)| b.len().cmp(&a.len()).then_with(|| by.cmp(other)));
        let Some((longest, _)) = told.first() else {
            return Ok(None);
        };
        forked |= told.iter().any(|(lines, _)| contradict(longest, lines));
        let mut text = longest.join("\n");
        text.push('\n');
        let organizations = told.into_iter().map(|(_, organization)| organization).collect();
        Ok(Some(DidLog {
            text,
            witnesses,
            organizations,
            forked,
        }))
    }

    /// The member that an issuer is: by its own DID, or by a `did:webvh` that the member's log calls
    /// its own and whose document names the member's DID in `alsoKnownAs`.
    ///
    /// # Errors
    /// [`ReadError`] if the store cannot say.
    pub fn organization_of(&self, issuer: &Did) -> Result<Option<&'a MemberCard>, ReadError> {
        if let Some(member) = self.charter.member(issuer.as_str()) {
            return Ok(Some(member));
        }
        if webvh::scid(issuer).is_none() {
            return Ok(None);
        }
        let claimed = self.members_under(&fact::own_did_index_key(issuer.as_str(), None))?;
        if claimed.is_empty() {
            return Ok(None);
        }
        let Ok(document) = self.webvh_document(issuer) else {
            return Ok(None);
        };
        let mut meant = claimed
            .into_iter()
            .filter(|member| document.also_known_as.iter().any(|name| name == member.did().as_str()));
        // A document that names two members is neither's.
        Ok(meant.next().filter(|_| meant.next().is_none()))
    }

    pub(super) fn document_of(&self, did: &Did) -> Result<DidDocument, ResolveError> {
        match did.method() {
            "webvh" => self.webvh_document(did),
            _ => resolve::self_described(did),
        }
    }

    fn webvh_document(&self, did: &Did) -> Result<DidDocument, ResolveError> {
        let log = self
            .did_log(did)
            .map_err(|error| ResolveError::Unavailable(error.to_string()))?
            .ok_or(ResolveError::NotFound)?;
        // The fold took no entry from the future.
        let document = |error: String| ResolveError::Document(error);
        let resolved = log
            .resolve(did, &Which::Latest, limits::latest_time())
            .map_err(|error| match error {
                DidLogError::Log(WebvhError::OtherDid) => ResolveError::NotFound,
                other => document(other.to_string()),
            })?;
        if resolved.metadata.parameters.deactivated {
            return Err(ResolveError::Deactivated);
        }
        resolved.did_document().map_err(|error| document(error.to_string()))
    }

    /// The members named at the end of the keys with this prefix.
    fn members_under(&self, prefix: &[u8]) -> Result<Vec<&'a MemberCard>, ReadError> {
        let rows = self
            .reader
            .range(prefix, &store::after(prefix), limits::CHARTER_MEMBERS)?;
        Ok(rows
            .iter()
            .filter_map(|(key, _)| std::str::from_utf8(key.get(prefix.len()..)?).ok())
            .filter_map(|did| self.charter.member(did))
            .collect())
    }
}

/// Whether two tellings of a log are not one the beginning of the other. Both are valid, so their
/// last common versions tell, each naming all before it.
fn contradict(longest: &[String], lines: &[String]) -> bool {
    let same = || lines.last() == longest.get(lines.len().saturating_sub(1));
    if lines.is_empty() || same() {
        return false;
    }
    // The texts may differ in what has no meaning: white space, or another proof of the same entry.
    let mut log = Log::new();
    let valid = longest.iter().all(|line| log.append(line).is_ok());
    !valid || lines.iter().any(|line| !log.holds(line))
}
