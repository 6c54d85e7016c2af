//! Statements about `did:webvh` DIDs (document 7).

use syndic_vc::did::Did;
use syndic_vc::json::Object;
use syndic_vc::json::members::{MemberError, Members};
use syndic_vc::webvh;

use super::did;

/// One entry of the log of a `did:webvh` DID, so that it resolves without a network. Whoever says it,
/// the entry proves itself or changes nothing.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct DidVersion {
    /// The DID, whose SCID says which log the entry belongs to.
    pub did: Did,
    /// The line of `did.jsonl`.
    pub entry: String,
    /// The text of `did-witness.json`, if the DID has witnesses; the latest counts.
    pub witness: Option<String>,
}

impl DidVersion {
    pub(super) fn read(members: &Members<'_, '_>) -> Result<Self, MemberError> {
        let entry = members.str("entry")?;
        if entry.is_empty() || entry.contains('\n') {
            return Err(members.error("entry", "one line of a did:webvh log"));
        }
        Ok(Self {
            did: webvh_did(members)?,
            entry: entry.to_owned(),
            witness: members.optional_str("witness")?.map(str::to_owned),
        })
    }

    pub(super) fn write(&self, members: &mut Object) {
        members.insert("did", &self.did);
        members.insert("entry", &self.entry);
        if let Some(witness) = &self.witness {
            members.insert("witness", witness);
        }
    }
}

/// A DID with a SCID in it.
pub(super) fn webvh_did(members: &Members<'_, '_>) -> Result<Did, MemberError> {
    let did = did(members, "did")?;
    match webvh::scid(&did) {
        Some(_) => Ok(did),
        None => Err(members.error("did", "a did:webvh of at most 512 bytes")),
    }
}
