//! Succession: an agent under a `did:key` cannot change its key, so a new DID takes its place, and the old key says so.

use syndic_vc::canonical;
use syndic_vc::did::Did;
use syndic_vc::json::Object;
use syndic_vc::json::Value;
use syndic_vc::json::members::{MemberError, Members};
use syndic_vc::key::{PublicKey, SignError, Signature, Signer};
use syndic_vc::time::Timestamp;

use super::did;
use crate::charter;
use crate::limits;

/// What the agent's key signs before a succession, so that the signature is good for nothing else.
const SUCCESSION_DOMAIN: &[u8] = b"syndic/agent-succession/v1\n";

/// See [`super::Content::AgentSucceeded`].
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct AgentSucceeded {
    /// The agent that is succeeded: a `did:key`.
    pub agent: Did,
    /// The DID that takes its place.
    pub successor: Did,
    /// From this moment the agent counts as retired; before it, both are in service.
    pub until: Timestamp,
    /// Signature of the agent's key over [`AgentSucceeded::signed_bytes`], in multibase base58btc.
    pub proof: String,
}

impl AgentSucceeded {
    /// Makes and signs a succession within one organization.
    ///
    /// # Errors
    /// [`SignError`] if the agent's key cannot be used.
    pub fn sign(
        organization: &Did,
        agent: &Did,
        successor: &Did,
        until: Timestamp,
        key: &dyn Signer,
    ) -> Result<Self, SignError> {
        let mut said = Self {
            agent: agent.clone(),
            successor: successor.clone(),
            until,
            proof: String::new(),
        };
        let signature = key.sign(&said.signed_bytes(organization.as_str()))?;
        said.proof = multibase::encode(multibase::Base::Base58Btc, signature.as_bytes());
        Ok(said)
    }

    /// What the agent's key signs: a domain of its own, then the canonical JSON (RFC 8785) of `agent`, `organization`,
    /// `successor` and `until`. Nobody can say it in another organization's log, or with another end.
    #[must_use]
    pub fn signed_bytes(&self, organization: &str) -> Vec<u8> {
        let mut members = Object::new();
        members.insert("agent", &self.agent);
        members.insert("organization", organization);
        members.insert("successor", &self.successor);
        members.insert("until", charter::whole_seconds(self.until));
        [SUCCESSION_DOMAIN, &canonical::to_bytes(&Value::Object(members))].concat()
    }

    /// Whether the agent's own key signed this for an organization. Only a `did:key` says what its key is for ever.
    #[must_use]
    pub fn is_signed_for(&self, organization: &str) -> bool {
        let key = match self.agent.method() {
            "key" => PublicKey::from_multikey(self.agent.method_specific_id()).ok(),
            _ => None,
        };
        key.zip(signature(&self.proof))
            .is_some_and(|(key, signature)| key.verify(&self.signed_bytes(organization), &signature).is_ok())
    }

    /// Whether it can be said at a time: it ends then or later, and not later than overlaps may last.
    #[must_use]
    pub fn is_timely(&self, at: Timestamp) -> bool {
        (0..=limits::OVERLAP_SECONDS).contains(&self.until.seconds_since(at))
    }

    pub(super) fn read(members: &Members<'_, '_>) -> Result<Self, MemberError> {
        let proof = members.str("proof")?;
        if signature(proof).is_none() {
            return Err(members.error("proof", "a signature in multibase, base58btc"));
        }
        Ok(Self {
            agent: did(members, "agent")?,
            successor: did(members, "successor")?,
            until: charter::time(members, "until")?,
            proof: proof.to_owned(),
        })
    }

    pub(super) fn write(&self, members: &mut Object) {
        members.insert("agent", &self.agent);
        members.insert("successor", &self.successor);
        members.insert("until", charter::whole_seconds(self.until));
        members.insert("proof", self.proof.as_str());
    }
}

fn signature(text: &str) -> Option<Signature> {
    if text.len() > limits::PROOF_BYTES {
        return None;
    }
    match multibase::decode(text) {
        Ok((multibase::Base::Base58Btc, bytes)) => Signature::from_slice(&bytes),
        _ => None,
    }
}
