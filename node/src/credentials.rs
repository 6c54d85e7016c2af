//! Credentials of this organization: what was issued, and what became of it.

use sha2::{Digest, Sha256};
use syndic_vc::denial::Reason;
use syndic_vc::did::Did;
use syndic_vc::json::Value;
use syndic_vc::key::SignError;
use syndic_vc::object;
use syndic_vc::proof::IssueError;
use syndic_vc::status::StatusPurpose;
use syndic_vc::time::Timestamp;
use syndic_vc::trust::StatusBit;

use crate::agents::AgentError;
use crate::engine::PublishError;
use crate::instances::InstanceError;
use crate::keys::RandomError;
use crate::node::Node;
use crate::records::{self, RecordError};
use crate::status_lists::{Entry, StatusListError};
use crate::store::ApplyError;

mod again;
mod anchoring;
mod changing;
mod delegating;
mod issuing;

pub use again::{Reissued, issue_again};
pub use anchoring::{Claims, anchor_token};
pub use changing::{Change, change_status, revocations};
pub use delegating::{Delegation, delegate};
pub use issuing::{DEFAULT_VALIDITY_SECONDS, Grant, IssueRequest, issue, issue_to_agent};

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
    /// The instance cannot sign.
    #[error(transparent)]
    Instance(#[from] InstanceError),
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
    /// Until when it is valid, as it says itself.
    pub valid_until: Option<Timestamp>,
    /// Its entries in status lists of this organization.
    pub entries: Vec<Entry>,
}

impl Issued {
    fn to_record(&self) -> Value {
        let mut row = object! {
            "id": self.id.as_str(),
            "issued": self.issued.to_string(),
            "document": self.document.clone(),
            "entries": self.entries.iter().map(Entry::to_record).collect::<Vec<_>>(),
        };
        if let Value::Object(members) = &mut row {
            if let Some(agent) = &self.agent {
                members.insert("agent", agent.as_str());
            }
            if let Some(until) = self.valid_until {
                members.insert("validUntil", until.to_string());
            }
        }
        row
    }

    fn from_record(key: &[u8], row: &Value) -> Result<Self, RecordError> {
        let time = |text: &str| Timestamp::parse(text).map_err(|error| records::damaged(key, error.to_string()));
        let entries = row.get("entries").and_then(Value::as_array);
        Ok(Self {
            id: records::text(key, row, "id")?.to_owned(),
            agent: row.get("agent").and_then(Value::as_str).map(str::to_owned),
            issued: time(records::text(key, row, "issued")?)?,
            valid_until: row.get("validUntil").and_then(Value::as_str).map(time).transpose()?,
            document: row
                .get("document")
                .cloned()
                .ok_or_else(|| records::damaged(key, "no document"))?,
            entries: entries
                .ok_or_else(|| records::damaged(key, "no entries"))?
                .iter()
                .map(|entry| Entry::from_record(key, entry))
                .collect::<Result<_, _>>()?,
        })
    }

    /// The entry for a purpose.
    #[must_use]
    pub fn entry(&self, purpose: StatusPurpose) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.purpose == purpose)
    }

    /// `valid`, `revoked`, `suspended`, `expired` or `unknown`, as this node knows it. What cannot be undone is said
    /// first.
    #[must_use]
    pub fn status(&self, node: &Node, now: Timestamp) -> &'static str {
        for (purpose, word) in [
            (StatusPurpose::Revocation, "revoked"),
            (StatusPurpose::Suspension, "suspended"),
        ] {
            match self.entry(purpose).map(|entry| entry.bit(node)) {
                Some(StatusBit::Set) => return word,
                Some(StatusBit::Unknown(_)) => return "unknown",
                Some(StatusBit::Clear) | None => {}
            }
        }
        match self.valid_until {
            Some(until) if now >= until => "expired",
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
            "validUntil": self.valid_until.map_or(Value::Null, |until| until.to_string().into()),
            "status": self.status(node, now),
        }
    }
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
