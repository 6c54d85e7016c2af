//! Issuing again what an agent holds, to the DID that takes its place.

use std::collections::BTreeSet;
use std::sync::Arc;

use syndic_registry::statement::Statement;
use syndic_vc::credential::anchor_digest;
use syndic_vc::did::Did;
use syndic_vc::enveloped;
use syndic_vc::json::{Object, Value};
use syndic_vc::time::Timestamp;

use super::issuing::{self, Draft, invalid, is_capability_credential, issuer_of};
use super::{CredentialError, anchoring, held_by};
use crate::instances::{self, Instance, InstanceKey, InstanceSuite};
use crate::node::Node;
use crate::store::Batch;

/// Most credentials issued again at once: each costs a signature, and all of them are one batch.
const MAX_REISSUED: usize = 1_000;
/// What is chosen anew for a credential that is issued again.
const OWN_MEMBERS: [&str; 3] = ["id", "credentialStatus", "proof"];

/// A credential that was issued again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reissued {
    /// Its id.
    pub id: String,
    /// The id of the one it stands beside.
    pub replaces: String,
}

/// Signs the capability credentials of an agent that are valid now once more, for its successor: the same capabilities
/// and the same end, another id and other status entries. Their rows are added to the batch; none is there before it is.
/// The statements that anchor them, if this node anchors, are to be published with it.
///
/// The caller holds the gate of the agents, so nobody else takes the entries that are drawn here.
///
/// # Errors
/// [`CredentialError`]; then the batch must not be applied.
pub async fn issue_again(
    node: &Arc<Node>,
    agent: &Did,
    successor: &Did,
    batch: &mut Batch,
    now: Timestamp,
) -> Result<(Vec<Reissued>, Vec<Statement>), CredentialError> {
    let mut valid = Vec::new();
    for issued in held_by(node, agent)? {
        let document = enveloped::document_of(&issued.document).map_err(CredentialError::Refused)?;
        if issued.status(node, now) == "valid"
            && let Value::Object(document) = document.into_owned()
            && is_capability_credential(&document)
        {
            valid.push((issued, document));
        }
    }
    if valid.len() > MAX_REISSUED {
        return Err(invalid(
            "/agent",
            format!("holds more than {MAX_REISSUED} valid credentials: revoke those that it does not need"),
        ));
    }
    let mut taken = BTreeSet::new();
    let mut reissued = Vec::with_capacity(valid.len());
    let mut digests = Vec::new();
    for (old, document) in valid {
        let instance = instance_of(node, &document, &old.document)?;
        let document = for_successor(&document, successor);
        let key = instances::key_of_organization(node, issuer_of(&document));
        if issuer_of(&document) != Some(key.did.as_str()) {
            // It was issued under a DID that has ended since, so nobody accepts it any more.
            continue;
        }
        let draft = Draft::new(document, &key, &instance, Some(purposes(&old)), false, now)?;
        let new = loop {
            let new = issuing::signed(node, &draft, &key, &instance, now).await?;
            // Those of one batch do not see each other in the store.
            if new.entries.iter().all(|entry| !taken.contains(&entry.key())) {
                break new;
            }
        };
        taken.extend(new.entries.iter().map(crate::status_lists::Entry::key));
        digests.push(anchor_digest(&new.document));
        let rows = issuing::rows(&new);
        batch.expectations.extend(rows.expectations);
        batch.writes.extend(rows.writes);
        reissued.push(Reissued {
            id: new.id,
            replaces: old.id,
        });
    }
    let anchors = match node.config.issue.anchor {
        true => anchoring::statements(digests, now),
        false => Vec::new(),
    };
    Ok((reissued, anchors))
}

fn purposes(old: &super::Issued) -> Vec<syndic_vc::status::StatusPurpose> {
    old.entries.iter().map(|entry| entry.purpose).collect()
}

fn for_successor(document: &Object, successor: &Did) -> Object {
    let mut again = Object::new();
    for (name, value) in document.iter() {
        if OWN_MEMBERS.contains(&name) {
            continue;
        }
        let mut value = value.clone();
        if name == "credentialSubject"
            && let Value::Object(subject) = &mut value
        {
            subject.insert("id", successor.as_str());
        }
        again.insert(name, value);
    }
    again
}

/// An instance that signs as this credential was signed; if the configuration has none any more, the first one of the
/// organization.
fn instance_of(node: &Node, document: &Object, given: &Value) -> Result<Instance, CredentialError> {
    let suite = match document.get("proof").and_then(|proof| proof.get("cryptosuite")) {
        _ if enveloped::token_of(given).is_some() => Some(InstanceSuite::Jose),
        Some(name) => name.as_str().and_then(InstanceSuite::parse),
        None => None,
    };
    let mut instances = node.config.instances.iter();
    let same = instances.find(|instance| instance.key == InstanceKey::Ed25519 && Some(instance.suite) == suite);
    match same {
        Some(instance) => Ok(instance.clone()),
        None => Ok(instances::first_of_organization(node)?.clone()),
    }
}
