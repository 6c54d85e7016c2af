//! Issuing, listing and revoking this organization's credentials.

use std::collections::BTreeMap;
use std::sync::Arc;

use sha2::{Digest, Sha256};
use syndic_registry::limits::STATUS_INDICES;
use syndic_registry::statement::{Content, Statement, StatusChanged};
use syndic_vc::credential::{self, envelope};
use syndic_vc::denial::Reason;
use syndic_vc::did::Did;
use syndic_vc::document::Purpose;
use syndic_vc::json::{Object, Value};
use syndic_vc::key::SignError;
use syndic_vc::object;
use syndic_vc::proof::{self, IssueError, ProofOptions};
use syndic_vc::status::StatusPurpose;
use syndic_vc::time::Timestamp;
use syndic_vc::trust::{Knowledge, StatusBit};

use crate::agents::{self, Agent, AgentError};
use crate::clock;
use crate::engine::{PublishError, Receipt};
use crate::keys::RandomError;
use crate::node::Node;
use crate::records::{self, RecordError};
use crate::status_lists::{self, Entry, StatusListError};
use crate::store::{ApplyError, Batch};
use crate::webvh;

/// Validity of a capability credential when none is asked for, in seconds.
pub const DEFAULT_VALIDITY_SECONDS: i64 = 24 * 3_600;
/// Two issuers drawing the same entry at once is a chance of one in 131,072; three times in a row does not happen.
const MAX_ISSUE_ATTEMPTS: usize = 8;

/// Why a credential could not be issued, found or revoked.
#[derive(Debug, thiserror::Error)]
pub enum CredentialError {
    /// The document to issue is not valid.
    #[error("/credential{}: {}", .0.at, .0.message)]
    Refused(Reason),
    /// An agent's document is not valid, or its key cannot be used.
    #[error(transparent)]
    Agents(#[from] IssueError),
    /// The organization's key cannot be used now.
    #[error(transparent)]
    Sign(#[from] SignError),
    /// A value of the request is not usable.
    #[error("{at}: {what}")]
    Invalid {
        /// JSON Pointer of the value.
        at: &'static str,
        /// What is wrong and what would be right.
        what: String,
    },
    /// The agent is not there or not in service.
    #[error(transparent)]
    Agent(#[from] AgentError),
    /// No such credential.
    #[error("no credential {0:?} was issued here; `syndic credential list` shows them")]
    Unknown(String),
    /// The id is taken.
    #[error("a credential with id {0:?} was issued already; leave `id` out to get a new one")]
    Taken(String),
    /// No status entry could be given.
    #[error(transparent)]
    StatusList(#[from] StatusListError),
    /// The random source failed.
    #[error(transparent)]
    Random(#[from] RandomError),
    /// A row could not be read.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// The row could not be written.
    #[error("not issued: {0}")]
    Store(#[from] ApplyError),
    /// The statement was not published.
    #[error(transparent)]
    Publish(#[from] PublishError),
}

/// What an agent is to be given.
#[derive(Clone, Debug)]
pub struct Grant {
    /// The `capability` array, as in the credential.
    pub capability: Value,
    /// The `delegation` object, if any.
    pub delegation: Option<Value>,
    /// Beginning of validity; now if absent.
    pub valid_from: Option<Timestamp>,
    /// End of validity; 24 h after the beginning if absent.
    pub valid_until: Option<Timestamp>,
}

/// One issued credential.
#[derive(Clone, Debug)]
pub struct Issued {
    /// Its id.
    pub id: String,
    /// The subject's DID, if it has one.
    pub agent: Option<String>,
    /// When it was issued.
    pub issued: Timestamp,
    /// The signed document.
    pub document: Value,
    /// Its status entry, if it has one of this organization's lists.
    pub entry: Option<Entry>,
}

impl Issued {
    fn to_record(&self) -> Value {
        let mut row = object! {
            "id": self.id.as_str(),
            "issued": self.issued.to_string(),
            "document": self.document.clone(),
        };
        if let Value::Object(members) = &mut row {
            if let Some(agent) = &self.agent {
                members.insert("agent", agent.as_str());
            }
            if let Some(entry) = &self.entry {
                members.insert("list", entry.list.as_str());
                members.insert("index", entry.index.to_string());
            }
        }
        row
    }

    fn from_record(key: &[u8], row: &Value) -> Result<Self, RecordError> {
        let index = row.get("index").and_then(Value::as_str);
        let entry = match (row.get("list").and_then(Value::as_str), index) {
            (Some(list), Some(index)) => Some(Entry {
                list: list.to_owned(),
                index: index
                    .parse()
                    .map_err(|_| records::damaged(key, "index is not a number"))?,
            }),
            _ => None,
        };
        Ok(Self {
            id: records::text(key, row, "id")?.to_owned(),
            agent: row.get("agent").and_then(Value::as_str).map(str::to_owned),
            issued: Timestamp::parse(records::text(key, row, "issued")?)
                .map_err(|error| records::damaged(key, error.to_string()))?,
            document: row
                .get("document")
                .cloned()
                .ok_or_else(|| records::damaged(key, "no document"))?,
            entry,
        })
    }

    /// `valid`, `revoked`, `expired` or `unknown`, as this node knows it.
    #[must_use]
    pub fn status(&self, node: &Node, now: Timestamp) -> &'static str {
        if let Some(entry) = &self.entry {
            match node
                .view()
                .status(&node.organization, &entry.list, StatusPurpose::Revocation, entry.index)
            {
                StatusBit::Set => return "revoked",
                StatusBit::Unknown(_) => return "unknown",
                StatusBit::Clear => {}
            }
        }
        let until = self
            .document
            .get("validUntil")
            .and_then(Value::as_str)
            .map(Timestamp::parse);
        match until {
            Some(Ok(until)) if now >= until => "expired",
            Some(Err(_)) => "unknown",
            _ => "valid",
        }
    }

    /// A line of the list of credentials.
    #[must_use]
    pub fn to_json(&self, node: &Node, now: Timestamp) -> Value {
        object! {
            "id": self.id.as_str(),
            "agent": self.agent.as_deref().map_or(Value::Null, Value::from),
            "issued": self.issued.to_string(),
            "validUntil": self.document.get("validUntil").cloned().unwrap_or(Value::Null),
            "status": self.status(node, now),
        }
    }
}

/// Issues a capability credential to an agent of this organization.
///
/// # Errors
/// [`CredentialError`]; then nothing was issued.
pub async fn issue_to_agent(
    node: &Arc<Node>,
    agent: &str,
    grant: Grant,
    now: Timestamp,
) -> Result<Issued, CredentialError> {
    let agent = agents::find(node, agent)?;
    let valid_from = grant.valid_from.unwrap_or(now);
    let valid_until = grant
        .valid_until
        .unwrap_or_else(|| clock::later(valid_from, DEFAULT_VALIDITY_SECONDS));
    let mut subject = subject_of(&agent);
    subject.insert("capability", grant.capability);
    if let Some(delegation) = grant.delegation {
        subject.insert("delegation", delegation);
    }
    let document = object! {
        "@context": vec![Value::from(credential::CREDENTIALS_CONTEXT), Value::from(credential::CAPABILITY_CONTEXT)],
        "type": vec![Value::from("VerifiableCredential"), Value::from(credential::CAPABILITY_CREDENTIAL_TYPE)],
        "validFrom": valid_from.to_string(),
        "validUntil": valid_until.to_string(),
        "credentialSubject": Value::Object(subject),
    };
    issue(node, document, now).await
}

fn subject_of(agent: &Agent) -> Object {
    let mut owner = Object::new();
    owner.insert("id", agent.owner.id.as_str());
    if let Some(name) = &agent.owner.name {
        owner.insert("name", name.as_str());
    }
    let mut subject = Object::new();
    subject.insert("id", agent.did.as_str());
    subject.insert("name", agent.name.as_str());
    subject.insert("owner", Value::Object(owner));
    subject
}

/// Issues any VCDM 2.0 credential whose issuer is this organization. A capability credential gets a status entry, and
/// its subject must be an agent in service here.
///
/// # Errors
/// [`CredentialError`]; then nothing was issued.
pub async fn issue(node: &Arc<Node>, document: Value, now: Timestamp) -> Result<Issued, CredentialError> {
    let Value::Object(mut document) = document else {
        return Err(CredentialError::Invalid {
            at: "/credential",
            what: "must be an object".to_owned(),
        });
    };
    if !document.contains_key("issuer") {
        document.insert("issuer", node.organization.as_str());
    }
    if !document.contains_key("id") {
        document.insert("id", crate::keys::random_urn_uuid()?);
    }
    let _in_service = node.agents_gate.read().await;
    for _ in 0..MAX_ISSUE_ATTEMPTS {
        match attempt(node, document.clone(), now).await {
            Err(CredentialError::Store(ApplyError::Expectation { key })) => {
                if !key.starts_with(records::STATUS_INDEX.as_bytes()) {
                    return Err(CredentialError::Taken(id_of(&document)));
                }
            }
            other => return other,
        }
    }
    Err(CredentialError::Store(ApplyError::Expectation {
        key: records::STATUS_INDEX.as_bytes().to_vec(),
    }))
}

fn id_of(document: &Object) -> String {
    document
        .get("id")
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned()
}

async fn attempt(node: &Arc<Node>, mut document: Object, now: Timestamp) -> Result<Issued, CredentialError> {
    let capability = is_capability_credential(&document);
    let mut entry = None;
    if capability {
        if document.contains_key("credentialStatus") {
            return Err(CredentialError::Invalid {
                at: "/credential/credentialStatus",
                what: "is chosen by the node for capability credentials; leave it out".to_owned(),
            });
        }
        let drawn = status_lists::draw(node, now).await?;
        document.insert("credentialStatus", status_entry(&drawn));
        entry = Some(drawn);
    }
    let agent = document
        .get("credentialSubject")
        .and_then(|subject| subject.get("id"))
        .and_then(Value::as_str)
        .map(str::to_owned);
    if capability {
        // Whether the subject's name and owner are the registered ones is this node's to say; verifiers rely on it.
        let registered = agents::find(node, agent.as_deref().unwrap_or_default())?;
        if registered.retired.is_some() {
            return Err(AgentError::Retired(registered.name).into());
        }
    }
    let id = id_of(&document);
    let document = sign(node, document, now)?;
    let issued = Issued {
        id,
        agent,
        issued: now,
        document,
        entry,
    };
    store(node, &issued).await?;
    Ok(issued)
}

fn sign(node: &Node, document: Object, now: Timestamp) -> Result<Value, CredentialError> {
    let document = Value::Object(document);
    envelope::check_unsigned(&document).map_err(CredentialError::Refused)?;
    let issuer = document.get("issuer");
    let issuer = issuer
        .and_then(|issuer| issuer.get("id"))
        .or(issuer)
        .and_then(Value::as_str);
    let own = issuer.filter(|issuer| *issuer != node.organization.as_str());
    if let Some(Ok((method, key))) = own.map(|issuer| webvh::signer(node, issuer)) {
        let options = ProofOptions::new(Purpose::AssertionMethod, &method, now);
        let document = document.into_object().unwrap_or_default();
        return Ok(proof::sign(document, &options, &key)?);
    }
    if issuer != Some(node.organization.as_str()) {
        return Err(CredentialError::Invalid {
            at: "/credential/issuer",
            what: format!(
                "this node issues for {} only; name that, or leave issuer out",
                node.organization.as_str()
            ),
        });
    }
    let options = ProofOptions::new(Purpose::AssertionMethod, &node.issuer_method(), now);
    match document {
        Value::Object(document) => Ok(proof::sign(document, &options, node.keys.credential_signer())?),
        _ => Err(CredentialError::Invalid {
            at: "/credential",
            what: "must be an object".to_owned(),
        }),
    }
}

fn is_capability_credential(document: &Object) -> bool {
    match document.get("type") {
        Some(Value::Array(types)) => types
            .iter()
            .any(|name| name.as_str() == Some(credential::CAPABILITY_CREDENTIAL_TYPE)),
        Some(Value::String(name)) => name == credential::CAPABILITY_CREDENTIAL_TYPE,
        _ => false,
    }
}

fn status_entry(entry: &Entry) -> Value {
    object! {
        "id": format!("{}#{}", entry.list, entry.index),
        "type": "BitstringStatusListEntry",
        "statusPurpose": "revocation",
        "statusListIndex": entry.index.to_string(),
        "statusListCredential": entry.list.as_str(),
    }
}

async fn store(node: &Arc<Node>, issued: &Issued) -> Result<(), CredentialError> {
    let key = records::key(records::CREDENTIAL, &digest_name(&issued.id));
    let mut batch = Batch::default();
    batch.expectations.push((key.clone(), None));
    batch.writes.push((key, Some(records::encode(&issued.to_record()))));
    if let Some(agent) = &issued.agent {
        let of = records::key(
            records::CREDENTIAL_OF,
            &format!("{}/{}", digest_name(agent), digest_name(&issued.id)),
        );
        batch.writes.push((of, Some(issued.id.clone().into_bytes())));
    }
    if let Some(entry) = &issued.entry {
        batch.expectations.push((entry.key(), None));
        batch.writes.push((entry.key(), Some(issued.id.clone().into_bytes())));
    }
    node.apply(batch).await?;
    Ok(())
}

/// A name of fixed length for a text of any length and content, for use in keys.
fn digest_name(text: &str) -> String {
    multibase::encode(multibase::Base::Base32Lower, Sha256::digest(text.as_bytes()))
}

/// Finds an issued credential by its id.
///
/// # Errors
/// [`CredentialError::Unknown`], or the store's error.
pub fn find(node: &Node, id: &str) -> Result<Issued, CredentialError> {
    let key = records::key(records::CREDENTIAL, &digest_name(id));
    let row = records::get(node.store.as_ref(), &key)?.ok_or_else(|| CredentialError::Unknown(id.to_owned()))?;
    Ok(Issued::from_record(&key, &row)?)
}

/// All issued credentials, by id.
///
/// # Errors
/// The store's error.
pub fn list(node: &Node) -> Result<Vec<Issued>, CredentialError> {
    let mut found = Vec::new();
    records::walk(node.store.as_ref(), records::CREDENTIAL, |key, bytes| {
        found.push(Issued::from_record(key, &records::decode(key, bytes)?)?);
        Ok(())
    })?;
    Ok(found)
}

/// The credentials issued to one agent.
///
/// # Errors
/// The store's error.
pub fn held_by(node: &Node, agent: &Did) -> Result<Vec<Issued>, CredentialError> {
    let mut ids = Vec::new();
    records::walk(
        node.store.as_ref(),
        &format!("{}{}/", records::CREDENTIAL_OF, digest_name(agent.as_str())),
        |key, bytes| {
            ids.push(String::from_utf8(bytes.to_vec()).map_err(|error| records::damaged(key, error.to_string()))?);
            Ok(())
        },
    )?;
    ids.iter().map(|id| find(node, id)).collect()
}

/// The statements that revoke these credentials, as far as they are not revoked yet.
///
/// # Errors
/// The store's error.
pub fn revocations(node: &Node, credentials: &[Issued], now: Timestamp) -> Result<Vec<Statement>, CredentialError> {
    let mut by_list: BTreeMap<&str, Vec<u64>> = BTreeMap::new();
    for issued in credentials {
        let Some(entry) = &issued.entry else { continue };
        if issued.status(node, now) != "revoked" {
            by_list.entry(&entry.list).or_default().push(entry.index);
        }
    }
    let mut statements = Vec::new();
    for (list, mut indices) in by_list {
        indices.sort_unstable();
        for part in indices.chunks(STATUS_INDICES) {
            statements.push(Statement {
                at: now,
                content: Content::StatusChanged(StatusChanged {
                    list: list.to_owned(),
                    set: part.to_vec(),
                    cleared: Vec::new(),
                }),
            });
        }
    }
    Ok(statements)
}

/// Revokes a credential. Returns where the statement stands, or `None` if it was revoked before.
///
/// # Errors
/// [`CredentialError`]; then nothing was revoked.
pub async fn revoke(node: &Arc<Node>, id: &str, now: Timestamp) -> Result<Option<Receipt>, CredentialError> {
    let issued = find(node, id)?;
    if issued.entry.is_none() {
        return Err(CredentialError::Invalid {
            at: "/credentialId",
            what: "this credential has no status entry, so it cannot be revoked".to_owned(),
        });
    }
    let statements = revocations(node, std::slice::from_ref(&issued), now)?;
    if statements.is_empty() {
        return Ok(None);
    }
    Ok(Some(node.engine.publish(statements, Batch::default()).await?))
}

/// How many credentials were issued here.
///
/// # Errors
/// The store's error.
pub fn count(node: &Node) -> Result<u64, RecordError> {
    let mut count = 0;
    records::walk(node.store.as_ref(), records::CREDENTIAL, |_, _| {
        count += 1;
        Ok(())
    })?;
    Ok(count)
}
