//! Handing on: an agent of this organization issues, under a credential that it holds, another one with no more in it
//! (document 2, section 2.12). Its status is kept in a list of this organization.

use std::sync::Arc;

use syndic_vc::capability::Capability;
use syndic_vc::credential::{self, CapabilityCredentialDraft, Credential};
use syndic_vc::delegation;
use syndic_vc::did::Did;
use syndic_vc::enveloped;
use syndic_vc::json::Value;
use syndic_vc::json::members::Path;
use syndic_vc::status::StatusPurpose;
use syndic_vc::time::Timestamp;

use super::issuing::{DEFAULT_VALIDITY_SECONDS, MAX_ISSUE_ATTEMPTS, check_agent, invalid};
use super::{CredentialError, Issued, anchoring};
use crate::agents::{self, AgentError};
use crate::clock;
use crate::node::Node;
use crate::records;
use crate::status_lists;
use crate::store::ApplyError;

/// What is handed on, and to whom.
#[derive(Clone, Debug)]
pub struct Delegation {
    /// The credential that the agent holds, as it was signed.
    pub parent: Value,
    /// The agent that gets it; of any organization, or of none.
    pub to: Did,
    /// Its name, for people; the parent's if absent.
    pub name: Option<String>,
    /// What of it; all if absent.
    pub capability: Option<Vec<Capability>>,
    /// How many times it may be handed on again.
    pub max_depth: u8,
    /// End of validity; 24 h from now if absent, and never later than the parent's.
    pub valid_until: Option<Timestamp>,
}

/// Issues a credential in the name of an agent whose key this node holds.
///
/// # Errors
/// [`CredentialError`]; then nothing was issued. [`CredentialError::Refused`] if it says more than its parent: no verifier
/// would take it.
pub async fn delegate(
    node: &Arc<Node>,
    agent: &str,
    asked: Delegation,
    now: Timestamp,
) -> Result<Issued, CredentialError> {
    let agent = agents::find(node, agent)?;
    let (method, signer) = agents::signer(node, &agent, now)?;
    let opened = enveloped::document_of(&asked.parent).map_err(CredentialError::Refused)?;
    let object = opened
        .as_object()
        .ok_or_else(|| invalid("/credential", "must be a credential"))?;
    let parent = Credential::read(object, &Path::ROOT).map_err(CredentialError::Refused)?;
    let Some(held) = parent.capability_subject() else {
        return Err(invalid("/credential", "must be a capability credential"));
    };
    if held.id != agent.did {
        return Err(invalid("/credential", format!("must be one that {} holds", agent.did)));
    }
    let _in_service = node.agents_gate.read().await;
    match check_agent(node, asked.to.as_str(), now) {
        // Agents of others are theirs to know.
        Ok(()) | Err(CredentialError::Agent(AgentError::Unknown(_))) => {}
        Err(error) => return Err(error),
    }
    let latest = asked
        .valid_until
        .unwrap_or_else(|| clock::later(now, DEFAULT_VALIDITY_SECONDS));
    let mut draft = CapabilityCredentialDraft {
        id: crate::keys::random_urn_uuid()?,
        issuer: agent.did.clone(),
        valid_from: parent.valid_from.map_or(now, |from| from.max(now)),
        // Who names no time gets what is left; who names a later one is told.
        valid_until: match (asked.valid_until, parent.valid_until) {
            (None, Some(until)) => until.min(latest),
            _ => latest,
        },
        status: Vec::new(),
        agent: asked.to,
        agent_name: asked.name.unwrap_or_else(|| held.name.clone()),
        owner: held.owner.clone(),
        capability: asked.capability.unwrap_or_else(|| held.capability.clone()),
        max_depth: asked.max_depth,
        delegated_from: Some(delegation::reference(&asked.parent).map_err(CredentialError::Refused)?),
    };
    for _ in 0..MAX_ISSUE_ATTEMPTS {
        let entry = status_lists::draw(node, StatusPurpose::Revocation, now).await?;
        draft.status = vec![entry.in_credential()];
        let document = draft.to_document().map_err(CredentialError::Refused)?;
        let child = Credential::read(&document, &Path::ROOT).map_err(CredentialError::Refused)?;
        let digest = || credential::digest(&opened);
        delegation::check(&child, &Path::ROOT, &parent, &digest).map_err(CredentialError::Refused)?;
        let issued = Issued {
            id: draft.id.clone(),
            agent: Some(draft.agent.as_str().to_owned()),
            issued: now,
            document: draft.sign(&method, now, &signer)?,
            valid_until: Some(draft.valid_until),
            entries: vec![entry],
        };
        match anchoring::store(node, &issued, now).await {
            Err(CredentialError::Store(ApplyError::Expectation { .. })) => {} // the entry was taken meanwhile
            Err(error) => return Err(error),
            Ok(()) => return Ok(issued),
        }
    }
    Err(CredentialError::Store(ApplyError::Expectation {
        key: records::STATUS_INDEX.as_bytes().to_vec(),
    }))
}
