//! Capability credentials to be issued.

use super::{CAPABILITY_CONTEXT, CAPABILITY_CREDENTIAL_TYPE, CREDENTIAL_TYPE, CREDENTIALS_CONTEXT, Credential, Owner};
use crate::action::CapabilityReference;
use crate::capability::Capability;
use crate::denial::{DenialCode, Reason};
use crate::did::Did;
use crate::document::Purpose;
use crate::json::members::Path;
use crate::json::{Object, Value};
use crate::key::Signer;
use crate::limits::VALIDITY_SECONDS;
use crate::proof::{self, IssueError, ProofOptions};
use crate::status::StatusEntry;
use crate::time::Timestamp;

/// A capability credential to be issued. What it makes is read back before it is signed, so that
/// nothing is issued that no verifier would take.
#[derive(Clone, Debug)]
pub struct CapabilityCredentialDraft {
    /// Its own name: a fresh UUID URN, or an https URL.
    pub id: String,
    /// Who issues it.
    pub issuer: Did,
    /// From when on it is valid.
    pub valid_from: Timestamp,
    /// Until when it is valid; at most 90 days later.
    pub valid_until: Timestamp,
    /// Where its status is found; a revocation entry is among them.
    pub status: Vec<StatusEntry>,
    /// The agent.
    pub agent: Did,
    /// The agent's name, for people.
    pub agent_name: String,
    /// Who answers for the agent.
    pub owner: Owner,
    /// What the agent may do.
    pub capability: Vec<Capability>,
    /// How many times it may be delegated on: 0 is not at all.
    pub max_depth: u8,
    /// The credential it is handed on from ([`crate::delegation::reference`]); `None`: it is a root.
    pub delegated_from: Option<CapabilityReference>,
}

impl CapabilityCredentialDraft {
    /// The unsigned credential.
    ///
    /// # Errors
    /// Why no verifier would take it.
    pub fn to_document(&self) -> Result<Object, Reason> {
        let mut subject = Object::new();
        subject.insert("id", &self.agent);
        subject.insert("name", self.agent_name.as_str());
        subject.insert("owner", self.owner.to_json());
        subject.insert(
            "capability",
            self.capability.iter().map(Capability::to_json).collect::<Value>(),
        );
        if self.max_depth > 0 {
            subject.insert("delegation", crate::object! { "maxDepth": u32::from(self.max_depth) });
        }
        let mut document = Object::new();
        document.insert("@context", vec![CREDENTIALS_CONTEXT, CAPABILITY_CONTEXT]);
        document.insert("id", self.id.as_str());
        document.insert("type", vec![CREDENTIAL_TYPE, CAPABILITY_CREDENTIAL_TYPE]);
        document.insert("issuer", &self.issuer);
        document.insert("validFrom", self.valid_from);
        document.insert("validUntil", self.valid_until);
        document.insert("credentialStatus", status(&self.status));
        if let Some(from) = &self.delegated_from {
            document.insert("delegatedFrom", from.to_json());
        }
        document.insert("credentialSubject", subject);
        check_validity(&Credential::read(&document, &Path::ROOT)?, &Path::ROOT)?;
        Ok(document)
    }

    /// Signs the credential with the issuer's key, named by `verification_method`.
    ///
    /// # Errors
    /// [`IssueError::Refused`] when no verifier would take it (and why), [`IssueError::Sign`] when
    /// the key cannot be used.
    pub fn sign(
        &self,
        verification_method: &str,
        created: Timestamp,
        signer: &dyn Signer,
    ) -> Result<Value, IssueError> {
        let options = ProofOptions::new(Purpose::AssertionMethod, verification_method, created);
        proof::sign(self.to_document()?, &options, signer)
    }
}

/// One entry stands alone, several in an array.
fn status(entries: &[StatusEntry]) -> Value {
    match entries {
        [only] => only.to_json(),
        _ => entries.iter().map(StatusEntry::to_json).collect(),
    }
}

/// Whether the validity is a time at all, and for a capability credential no longer than allowed.
pub(crate) fn check_validity(credential: &Credential, at: &Path<'_>) -> Result<(), Reason> {
    let (Some(from), Some(until)) = (credential.valid_from, credential.valid_until) else {
        return Ok(());
    };
    let here = at.member(credential.model.ends());
    if until <= from {
        return Err(here.error("a time after the one from which it is valid").into());
    }
    if credential.capability_subject().is_some() && until.seconds_since(from) > VALIDITY_SECONDS {
        let text = "a capability credential is valid for 90 days at most: issue it for a shorter time";
        return Err(Reason::new(DenialCode::ValidityTooLong, here.to_string(), text));
    }
    Ok(())
}
