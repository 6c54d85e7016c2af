//! Agents of this organization: registered with an owner, retired with all they hold.

mod succession;
mod suspension;

use std::sync::Arc;

use syndic_registry::statement::{AgentRegistered, Content, Statement};
use syndic_vc::did::Did;
use syndic_vc::json::Value;
use syndic_vc::key::SecretKey;
use syndic_vc::time::Timestamp;
use syndic_vc::{did_key, object};

use crate::credentials::{self, CredentialError};
use crate::engine::PublishError;
use crate::keys::RandomError;
use crate::node::{Node, key_method};
use crate::records::{self, RecordError};
use crate::store::Batch;
use crate::webvh::{self, DidError};

pub use succession::{DEFAULT_OVERLAP_SECONDS, Succeeded, Succeeding, succeed};
pub use suspension::set_suspended;

/// Longest agent name. Names appear in tables and paths.
pub const MAX_NAME_BYTES: usize = 100;
/// Longest display name of an owner.
pub const MAX_OWNER_NAME_CHARS: usize = 200;
/// Binds a sealed agent key to its purpose; the DID follows.
const AGENT_KEY_PURPOSE: &str = "syndic agent key v1 ";

/// The human (or the role of one) who answers for an agent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    /// The owner's DID or URL. It stands in the log that all members read, so it should not spell out a person's name.
    pub id: String,
    /// A name that the issuer chooses to show in credentials; never in the log.
    pub name: Option<String>,
}

/// One registered agent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Agent {
    /// Its DID.
    pub did: Did,
    /// Its name within the organization.
    pub name: String,
    /// Who answers for it.
    pub owner: Owner,
    /// When it was registered.
    pub created: Timestamp,
    /// When it was retired.
    pub retired: Option<Timestamp>,
    /// Since when it is suspended.
    pub suspended: Option<Timestamp>,
    /// Whether this node holds its secret key.
    pub key_held_by_node: bool,
    /// The DID whose place it took.
    pub predecessor: Option<Did>,
    /// What took its place.
    pub successor: Option<Successor>,
}

/// The DID that takes an agent's place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Successor {
    /// The DID.
    pub did: Did,
    /// From when the agent counts as retired.
    pub until: Timestamp,
}

/// Why an agent could not be registered, found or retired.
#[derive(Debug, thiserror::Error)]
pub enum AgentError {
    /// A value of the request is not usable.
    #[error("{at}: {what}")]
    Invalid {
        /// JSON Pointer of the value.
        at: &'static str,
        /// What is wrong and what would be right.
        what: String,
    },
    /// The name or DID is taken.
    #[error("an agent {0:?} is registered already; choose another name")]
    Taken(String),
    /// No such agent.
    #[error("no agent {0:?} here; `syndic agent list` shows them")]
    Unknown(String),
    /// The agent is retired.
    #[error("agent {0:?} is retired; a retired agent gets no credentials and signs nothing")]
    Retired(String),
    /// The agent is suspended.
    #[error("agent {0:?} is suspended; it gets no credentials and signs nothing until `syndic agent resume`")]
    Suspended(String),
    /// The agent has a successor.
    #[error("the agent was succeeded by {0}; ask for that one, or for the agent by its name")]
    Succeeded(String),
    /// The agent holds its key itself.
    #[error("agent {0:?} holds its own key, so this node cannot sign for it; sign with the agent's own software")]
    KeyElsewhere(String),
    /// The random source failed.
    #[error(transparent)]
    Random(#[from] RandomError),
    /// A row could not be read.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// The statement was not published.
    #[error(transparent)]
    Publish(#[from] PublishError),
    /// Its credentials could not be revoked.
    #[error(transparent)]
    Credential(#[from] Box<CredentialError>),
}

impl Agent {
    /// The row in the store.
    fn to_record(&self) -> Value {
        let mut row = object! {
            "did": self.did.as_str(),
            "name": self.name.as_str(),
            "owner": self.owner.id.as_str(),
            "created": self.created.to_string(),
            "keyHeldBy": if self.key_held_by_node { "node" } else { "agent" },
        };
        if let Value::Object(members) = &mut row {
            if let Some(name) = &self.owner.name {
                members.insert("ownerName", name.as_str());
            }
            if let Some(at) = self.retired {
                members.insert("retired", at.to_string());
            }
            if let Some(at) = self.suspended {
                members.insert("suspended", at.to_string());
            }
            if let Some(did) = &self.predecessor {
                members.insert("predecessor", did.as_str());
            }
            if let Some(successor) = &self.successor {
                members.insert("successor", successor.did.as_str());
                members.insert("until", successor.until.to_string());
            }
        }
        row
    }

    fn from_record(key: &[u8], row: &Value) -> Result<Self, RecordError> {
        let did = |member: &str| {
            records::text(key, row, member)
                .and_then(|text| Did::parse(text).map_err(|error| records::damaged(key, error.to_string())))
        };
        let time = |text: &str| Timestamp::parse(text).map_err(|error| records::damaged(key, error.to_string()));
        Ok(Self {
            did: did("did")?,
            name: records::text(key, row, "name")?.to_owned(),
            owner: Owner {
                id: records::text(key, row, "owner")?.to_owned(),
                name: row.get("ownerName").and_then(Value::as_str).map(str::to_owned),
            },
            created: time(records::text(key, row, "created")?)?,
            retired: row.get("retired").and_then(Value::as_str).map(time).transpose()?,
            suspended: row.get("suspended").and_then(Value::as_str).map(time).transpose()?,
            key_held_by_node: records::text(key, row, "keyHeldBy")? == "node",
            predecessor: row.get("predecessor").map(|_| did("predecessor")).transpose()?,
            successor: match row.get("successor") {
                None => None,
                Some(_) => Some(Successor {
                    did: did("successor")?,
                    until: time(records::text(key, row, "until")?)?,
                }),
            },
        })
    }

    /// Since when it is out of service at a time: retired, or its overlap with a successor over.
    #[must_use]
    pub fn retired_at(&self, now: Timestamp) -> Option<Timestamp> {
        let over = self.successor.as_ref().map(|successor| successor.until);
        self.retired.into_iter().chain(over.filter(|until| *until <= now)).min()
    }

    /// As the HTTP interface shows it.
    #[must_use]
    pub fn to_json(&self, now: Timestamp) -> Value {
        let mut owner = object! { "id": self.owner.id.as_str() };
        if let (Value::Object(members), Some(name)) = (&mut owner, &self.owner.name) {
            members.insert("name", name.as_str());
        }
        object! {
            "did": self.did.as_str(),
            "name": self.name.as_str(),
            "owner": owner,
            "created": self.created.to_string(),
            "retired": self.retired_at(now).map_or(Value::Null, |at| at.to_string().into()),
            "suspended": self.suspended.map_or(Value::Null, |at| at.to_string().into()),
            "keyHeldBy": if self.key_held_by_node { "node" } else { "agent" },
            "successor": self.successor.as_ref().map_or(Value::Null, |successor| object! {
                "did": successor.did.as_str(),
                "until": successor.until.to_string(),
            }),
        }
    }
}

/// Registers an agent. Without `did` the node makes its key and keeps it sealed.
///
/// # Errors
/// [`AgentError`]; then the agent is not registered.
pub async fn create(
    node: &Arc<Node>,
    name: &str,
    owner: Owner,
    did: Option<Did>,
    now: Timestamp,
) -> Result<Agent, AgentError> {
    check_new(node, name, &owner)?;
    let mut batch = Batch::default();
    let (did, key_held_by_node) = match did {
        Some(did) if did.method() == "webvh" => {
            // One of this node's own, so that it can sign for the agent.
            webvh::signer(node, did.as_str()).map_err(|error| AgentError::Invalid {
                at: "/did",
                what: error.to_string(),
            })?;
            (did, true)
        }
        Some(did) => {
            did_key::resolve(&did).map_err(|error| AgentError::Invalid {
                at: "/did",
                what: error.to_string(),
            })?;
            (did, false)
        }
        None => {
            let did = drawn_key(node, &mut batch)?;
            (did, true)
        }
    };
    let agent = Agent {
        did,
        name: name.to_owned(),
        owner,
        created: now,
        retired: None,
        suspended: None,
        key_held_by_node,
        predecessor: None,
        successor: None,
    };
    let record_key = records::key(records::AGENT, agent.did.as_str());
    let name_key = records::key(records::AGENT_NAME, name);
    let _alone = node.agents_gate.write().await;
    for key in [&record_key, &name_key] {
        if node.store.get(key).map_err(RecordError::from)?.is_some() {
            return Err(AgentError::Taken(name.to_owned()));
        }
        batch.expectations.push((key.clone(), None));
    }
    batch
        .writes
        .push((record_key, Some(records::encode(&agent.to_record()))));
    batch
        .writes
        .push((name_key, Some(agent.did.as_str().as_bytes().to_vec())));
    node.engine.publish(vec![registration(&agent, now)], batch).await?;
    Ok(agent)
}

/// Whether an agent of that name and owner can be registered, whatever its DID is to be.
///
/// # Errors
/// [`AgentError::Invalid`], [`AgentError::Taken`], or the store's error.
pub fn check_new(node: &Node, name: &str, owner: &Owner) -> Result<(), AgentError> {
    check_name(name)?;
    if let Some(shown) = &owner.name
        && (shown.is_empty() || shown.chars().count() > MAX_OWNER_NAME_CHARS || shown.chars().any(char::is_control))
    {
        return Err(AgentError::Invalid {
            at: "/owner/name",
            what: format!("must have 1 to {MAX_OWNER_NAME_CHARS} characters and no control characters"),
        });
    }
    let name_key = records::key(records::AGENT_NAME, name);
    if node.store.get(&name_key).map_err(RecordError::from)?.is_some() {
        return Err(AgentError::Taken(name.to_owned()));
    }
    // What others would refuse is the caller's mistake; it must not reach the log.
    let said = AgentRegistered {
        agent: node.organization.clone(),
        name: name.to_owned(),
        owner: owner.id.clone(),
    };
    let statement = Statement {
        at: Timestamp::UNIX_EPOCH,
        content: Content::AgentRegistered(said),
    };
    statement.to_bytes().map_err(|error| AgentError::Invalid {
        at: "/owner/id",
        what: error.to_string(),
    })?;
    Ok(())
}

/// A new key for an agent, sealed in the batch, and its `did:key`.
fn drawn_key(node: &Node, batch: &mut Batch) -> Result<Did, AgentError> {
    let secret = SecretKey::from_seed(crate::keys::random_seed()?);
    let did = did_key::for_key(secret.public_key());
    let purpose = format!("{AGENT_KEY_PURPOSE}{}", did.as_str());
    let sealed = node.keys.seal_record(purpose.as_bytes(), secret.seed())?;
    batch
        .writes
        .push((records::key(records::AGENT_KEY, did.as_str()), Some(sealed)));
    Ok(did)
}

fn registration(agent: &Agent, now: Timestamp) -> Statement {
    Statement {
        at: now,
        content: Content::AgentRegistered(AgentRegistered {
            agent: agent.did.clone(),
            name: agent.name.clone(),
            owner: agent.owner.id.clone(),
        }),
    }
}

fn check_name(name: &str) -> Result<(), AgentError> {
    let fits = !name.is_empty()
        && name.len() <= MAX_NAME_BYTES
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte));
    if fits {
        return Ok(());
    }
    Err(AgentError::Invalid {
        at: "/name",
        what: format!("must have 1 to {MAX_NAME_BYTES} letters, digits, dots, dashes or underscores"),
    })
}

/// Finds an agent by DID or name.
///
/// # Errors
/// [`AgentError::Unknown`] if there is none; [`AgentError::Record`] if the store fails.
pub fn find(node: &Node, agent: &str) -> Result<Agent, AgentError> {
    let did = if agent.starts_with("did:") {
        agent.to_owned()
    } else {
        let key = records::key(records::AGENT_NAME, agent);
        let found = node.store.get(&key).map_err(RecordError::from)?;
        let found = found.ok_or_else(|| AgentError::Unknown(agent.to_owned()))?;
        String::from_utf8(found).map_err(|error| records::damaged(&key, error.to_string()))?
    };
    let key = records::key(records::AGENT, &did);
    let row = records::get(node.store.as_ref(), &key)?.ok_or_else(|| AgentError::Unknown(agent.to_owned()))?;
    Ok(Agent::from_record(&key, &row)?)
}

/// All agents, by DID.
///
/// # Errors
/// [`RecordError`] if the store fails.
pub fn list(node: &Node) -> Result<Vec<Agent>, RecordError> {
    let mut agents = Vec::new();
    records::walk(node.store.as_ref(), records::AGENT, |key, bytes| {
        agents.push(Agent::from_record(key, &records::decode(key, bytes)?)?);
        Ok(())
    })?;
    Ok(agents)
}

/// The key to sign with for an agent in service, and its name in the agent's DID document.
///
/// # Errors
/// [`AgentError::Retired`], [`AgentError::Suspended`], [`AgentError::KeyElsewhere`], or the store's error.
pub fn signer(node: &Node, agent: &Agent, now: Timestamp) -> Result<(String, SecretKey), AgentError> {
    if agent.retired_at(now).is_some() {
        return Err(AgentError::Retired(agent.name.clone()));
    }
    if agent.suspended.is_some() {
        return Err(AgentError::Suspended(agent.name.clone()));
    }
    if agent.did.method() == "webvh" {
        return webvh::signer(node, agent.did.as_str()).map_err(|error| match error {
            DidError::Record(inner) => inner.into(),
            DidError::Deactivated(_) => AgentError::Retired(agent.name.clone()),
            _ => AgentError::KeyElsewhere(agent.name.clone()),
        });
    }
    let key = records::key(records::AGENT_KEY, agent.did.as_str());
    let sealed = node.store.get(&key).map_err(RecordError::from)?;
    let sealed = sealed.ok_or_else(|| AgentError::KeyElsewhere(agent.name.clone()))?;
    let purpose = format!("{AGENT_KEY_PURPOSE}{}", agent.did.as_str());
    let seed = node
        .keys
        .open_record(purpose.as_bytes(), &sealed)
        .map_err(|error| records::damaged(&key, error.to_string()))?;
    let seed = <[u8; 32]>::try_from(&seed[..]).map_err(|_| records::damaged(&key, "not a 32-byte seed"))?;
    let secret = SecretKey::from_seed(zeroize::Zeroizing::new(seed));
    Ok((key_method(&agent.did), secret))
}

/// Retires an agent: it signs nothing more, and every credential of this issuer that it holds is revoked, all in one
/// batch. Whom it succeeded goes with it: whoever ends an agent by its name means all that goes by this name. Retiring
/// twice is answered as the first time.
///
/// # Errors
/// [`AgentError`]; then nothing was retired.
pub async fn retire(node: &Arc<Node>, agent: &str, now: Timestamp) -> Result<Agent, AgentError> {
    let _alone = node.agents_gate.write().await;
    let asked = find(node, agent)?;
    let (mut statements, mut batch) = (Vec::new(), Batch::default());
    let mut next = Some(asked.did.clone());
    let mut answer = asked;
    while let Some(did) = next.take() {
        let mut agent = find(node, did.as_str())?;
        next.clone_from(&agent.predecessor);
        if agent.retired_at(now).is_none() {
            agent.retired = Some(now);
            retire_one(node, &agent, now, &mut statements, &mut batch)?;
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

fn retire_one(
    node: &Node,
    agent: &Agent,
    now: Timestamp,
    statements: &mut Vec<Statement>,
    batch: &mut Batch,
) -> Result<(), AgentError> {
    let held = credentials::held_by(node, &agent.did).map_err(Box::new)?;
    statements.extend(credentials::revocations(node, &held, now).map_err(Box::new)?);
    statements.push(Statement {
        at: now,
        content: Content::AgentRetired {
            agent: agent.did.clone(),
        },
    });
    batch.writes.push((
        records::key(records::AGENT, agent.did.as_str()),
        Some(records::encode(&agent.to_record())),
    ));
    // The key goes with the agent: nobody can sign for it any more.
    batch
        .writes
        .push((records::key(records::AGENT_KEY, agent.did.as_str()), None));
    Ok(())
}
