//! Succession: a new DID takes the place of an agent under a `did:key`, and both work until the overlap ends.
//!
//! The new key, the new agent, the credentials issued again and the two statements are one batch: after a crash either
//! all of it is there or nothing.

use std::sync::Arc;

use syndic_registry::limits::OVERLAP_SECONDS;
use syndic_registry::statement::{AgentSucceeded, Content, Statement};
use syndic_vc::did::Did;
use syndic_vc::did_key;
use syndic_vc::time::Timestamp;

use super::{Agent, AgentError, Successor, drawn_key, find, registration, signer};
use crate::clock;
use crate::credentials::{self, Reissued};
use crate::node::Node;
use crate::records::{self, RecordError};
use crate::store::Batch;

/// How long both work when nothing else is asked for, in seconds: time to hand the new credentials out.
pub const DEFAULT_OVERLAP_SECONDS: i64 = 3_600;

/// Who has the keys of the agent and of its successor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Succeeding {
    /// The node, which draws the new key and signs with the old one.
    ByNode {
        /// For how many seconds both work.
        overlap_seconds: i64,
    },
    /// The agent, which made a new key and signed with its old one.
    ByAgent {
        /// The new `did:key`.
        did: Did,
        /// From when the old DID counts as retired.
        until: Timestamp,
        /// The old key's signature ([`AgentSucceeded::signed_bytes`]), in multibase base58btc.
        proof: String,
    },
}

/// What a succession came to.
#[derive(Clone, Debug)]
pub struct Succeeded {
    /// The agent that was succeeded.
    pub predecessor: Agent,
    /// The agent that has its name now.
    pub successor: Agent,
    /// Which credentials were issued again.
    pub reissued: Vec<Reissued>,
}

/// Lets a new DID take an agent's place: it gets the name, and every capability credential of this issuer that is
/// valid now is issued to it again, with the same capabilities and the same end.
///
/// # Errors
/// [`AgentError`]; then nothing has changed.
pub async fn succeed(node: &Arc<Node>, agent: &str, how: Succeeding, now: Timestamp) -> Result<Succeeded, AgentError> {
    let _alone = node.agents_gate.write().await;
    let mut predecessor = find(node, agent)?;
    check_can_be_succeeded(&predecessor, now)?;
    let mut batch = Batch::default();
    let (said, key_held_by_node) = match how {
        Succeeding::ByNode { overlap_seconds } => {
            (by_node(node, &predecessor, overlap_seconds, &mut batch, now)?, true)
        }
        Succeeding::ByAgent { did, until, proof } => {
            let said = AgentSucceeded {
                agent: predecessor.did.clone(),
                successor: did,
                until,
                proof,
            };
            check_given(node, &predecessor, &said, now)?;
            (said, false)
        }
    };
    let successor = Agent {
        did: said.successor.clone(),
        name: predecessor.name.clone(),
        owner: predecessor.owner.clone(),
        created: now,
        retired: None,
        suspended: None,
        key_held_by_node,
        predecessor: Some(predecessor.did.clone()),
        successor: None,
    };
    predecessor.successor = Some(Successor {
        did: said.successor.clone(),
        until: said.until,
    });
    rows(node, &predecessor, &successor, &mut batch)?;
    let (reissued, anchors) = credentials::issue_again(node, &predecessor.did, &successor.did, &mut batch, now)
        .await
        .map_err(Box::new)?;
    let mut statements = vec![
        registration(&successor, now),
        Statement {
            at: now,
            content: Content::AgentSucceeded(said),
        },
    ];
    statements.extend(anchors);
    node.engine.publish(statements, batch).await?;
    Ok(Succeeded {
        predecessor,
        successor,
        reissued,
    })
}

fn check_can_be_succeeded(agent: &Agent, now: Timestamp) -> Result<(), AgentError> {
    if agent.retired_at(now).is_some() {
        return Err(AgentError::Retired(agent.name.clone()));
    }
    if agent.suspended.is_some() {
        return Err(AgentError::Suspended(agent.name.clone()));
    }
    if let Some(successor) = &agent.successor {
        return Err(AgentError::Succeeded(successor.did.to_string()));
    }
    if agent.did.method() != "key" {
        return Err(AgentError::Invalid {
            at: "/agent",
            what: "only a did:key is succeeded; a did:webvh keeps its name: POST /dids/{did}/rotate".to_owned(),
        });
    }
    Ok(())
}

fn by_node(
    node: &Node,
    agent: &Agent,
    overlap_seconds: i64,
    batch: &mut Batch,
    now: Timestamp,
) -> Result<AgentSucceeded, AgentError> {
    if !(0..=OVERLAP_SECONDS).contains(&overlap_seconds) {
        return Err(AgentError::Invalid {
            at: "/overlapSeconds",
            what: format!("must be 0 to {OVERLAP_SECONDS} seconds"),
        });
    }
    let (_, old) = signer(node, agent, now)?;
    let successor = drawn_key(node, batch)?;
    let until = clock::later(now, overlap_seconds);
    AgentSucceeded::sign(&node.organization, &agent.did, &successor, until, &old)
        .map_err(|error| AgentError::Credential(Box::new(error.into())))
}

fn check_given(node: &Node, agent: &Agent, said: &AgentSucceeded, now: Timestamp) -> Result<(), AgentError> {
    let invalid = |at: &'static str, what: String| Err(AgentError::Invalid { at, what });
    if agent.key_held_by_node {
        let what = "is for an agent that holds its own key; this node holds this one's: leave it out";
        return invalid("/did", what.to_owned());
    }
    if let Err(error) = did_key::resolve(&said.successor) {
        return invalid("/did", error.to_string());
    }
    if !said.is_timely(now) {
        return invalid(
            "/until",
            format!("must be a time between now and {OVERLAP_SECONDS} seconds from now"),
        );
    }
    if !said.is_signed_for(node.organization.as_str()) {
        let what = "must be the signature of the agent's present key over agent, organization, successor and until";
        return invalid("/proof", format!("{what} (specs, document 7)"));
    }
    Ok(())
}

fn rows(node: &Node, predecessor: &Agent, successor: &Agent, batch: &mut Batch) -> Result<(), AgentError> {
    let old_key = records::key(records::AGENT, predecessor.did.as_str());
    let new_key = records::key(records::AGENT, successor.did.as_str());
    let name_key = records::key(records::AGENT_NAME, &successor.name);
    if node.store.get(&new_key).map_err(RecordError::from)?.is_some() {
        return Err(AgentError::Taken(successor.did.to_string()));
    }
    let name = |agent: &Agent| Some(agent.did.as_str().as_bytes().to_vec());
    batch.expectations.push((new_key.clone(), None));
    batch.expectations.push((name_key.clone(), name(predecessor)));
    batch
        .writes
        .push((old_key, Some(records::encode(&predecessor.to_record()))));
    batch
        .writes
        .push((new_key, Some(records::encode(&successor.to_record()))));
    batch.writes.push((name_key, name(successor)));
    Ok(())
}
