//! Suspending an agent and ending that. Its credentials stay as they are; nobody accepts what it does meanwhile.

use std::sync::Arc;

use syndic_registry::statement::{Content, Statement};
use syndic_vc::time::Timestamp;

use super::{Agent, AgentError, find};
use crate::node::Node;
use crate::records;
use crate::store::Batch;

/// Suspends an agent, or lets it work again, with those whose place it took and that still work. What is so already is
/// answered and not said again.
///
/// # Errors
/// [`AgentError::Retired`] if it is retired; otherwise nothing was changed.
pub async fn set_suspended(
    node: &Arc<Node>,
    agent: &str,
    suspended: bool,
    now: Timestamp,
) -> Result<Agent, AgentError> {
    let _alone = node.agents_gate.write().await;
    let mut answer = find(node, agent)?;
    if answer.retired_at(now).is_some() {
        return Err(AgentError::Retired(answer.name));
    }
    let (mut statements, mut batch) = (Vec::new(), Batch::default());
    let mut next = Some(answer.did.clone());
    while let Some(did) = next.take() {
        let mut agent = find(node, did.as_str())?;
        next.clone_from(&agent.predecessor);
        if agent.retired_at(now).is_none() && agent.suspended.is_some() != suspended {
            agent.suspended = suspended.then_some(now);
            let named = agent.did.clone();
            statements.push(Statement {
                at: now,
                content: match suspended {
                    true => Content::AgentSuspended { agent: named },
                    false => Content::AgentResumed { agent: named },
                },
            });
            let key = records::key(records::AGENT, agent.did.as_str());
            batch.writes.push((key, Some(records::encode(&agent.to_record()))));
        }
        if agent.did == answer.did {
            answer = agent;
        }
    }
    if !statements.is_empty() {
        node.engine.publish(statements, batch).await?;
    }
    Ok(answer)
}
