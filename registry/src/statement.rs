//! Statements: what an organization says in its log, one canonical JSON document each.
//!
//! The kinds known here are closed: an unknown member is an error, and a log that holds such a
//! statement is not followed further, since what it meant may have been a revocation. Kinds that
//! are not known are carried along and mean nothing, so that old nodes live with new ones.

use syndic_vc::canonical;
use syndic_vc::capability::{Action, ResourcePattern};
use syndic_vc::did::Did;
use syndic_vc::json::members::{MemberError, Members};
use syndic_vc::json::{self, JsonError, Object, Value};
use syndic_vc::limits::{STATUS_BITS_MAXIMUM, STATUS_BITS_MINIMUM};
use syndic_vc::name;
use syndic_vc::status::StatusPurpose;
use syndic_vc::time::Timestamp;

use crate::charter::{self, Endpoints};
use crate::limits;
use crate::log_keys::Rotation;

mod dids;
mod succession;
mod trust;

pub use dids::DidVersion;
pub use succession::AgentSucceeded;
pub use trust::{BundleFormat, CredentialsAnchored, ForkEvidence, KeyCompromised, TrustBundle};

/// A statement and when it was made, by the organization's own clock.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Statement {
    /// When it was made, in whole seconds.
    pub at: Timestamp,
    /// What is said.
    pub content: Content,
}

/// What an organization can say.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Content {
    /// How the organization calls itself and is reached; replaces what its charter card says.
    Profile(Profile),
    /// An agent works for the organization; said again, name and owner change.
    AgentRegistered(AgentRegistered),
    /// An agent that the organization registered no longer works. Final.
    AgentRetired {
        /// The agent.
        agent: Did,
    },
    /// Another DID takes the place of an agent that the organization registered. Final.
    AgentSucceeded(AgentSucceeded),
    /// An entity may do something, for all that the organization answers for.
    Authorize(Grant),
    /// The organization no longer authorizes exactly this.
    WithdrawAuthorization(Right),
    /// Another authority's word counts for something (ToIP TRQP "recognition").
    Recognize(Grant),
    /// The organization no longer recognizes exactly this.
    WithdrawRecognition(Right),
    /// A status list begins, all bits clear.
    StatusListCreated(StatusListCreated),
    /// Bits of a status list change.
    StatusChanged(StatusChanged),
    /// One more entry of the log of a `did:webvh` DID.
    DidVersion(DidVersion),
    /// A `did:webvh` is the organization's own. It counts if the DID's document says so too.
    OrganizationDid {
        /// The DID.
        did: Did,
    },
    /// Another key signs the heads of this log from here on, as the root key says.
    LogKeyRotated(Box<Rotation>),
    /// An agent that the organization registered must not act for now.
    AgentSuspended {
        /// The agent.
        agent: Did,
    },
    /// It may again.
    AgentResumed {
        /// The agent.
        agent: Did,
    },
    /// What a key of the organization signed counts no more, unless it was anchored before. Final.
    KeyCompromised(KeyCompromised),
    /// These credentials had been issued when this was said.
    CredentialsAnchored(CredentialsAnchored),
    /// Keys of workloads or services that the organization answers for; the latest of a domain counts.
    TrustBundle(TrustBundle),
    /// Another organization told two stories, and this one holds the proof.
    ForkEvidence(ForkEvidence),
    /// A kind that this program does not know.
    Unknown(Unknown),
}

/// See [`Content::Profile`].
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Profile {
    /// The organization's name, as shown to people.
    pub name: String,
    /// Where its nodes are reached.
    pub endpoints: Endpoints,
    /// libp2p peer ids of its nodes.
    pub peer_ids: Vec<String>,
}

/// See [`Content::AgentRegistered`].
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct AgentRegistered {
    /// The agent.
    pub agent: Did,
    /// The agent's name, as shown to people.
    pub name: String,
    /// Who answers for it: a DID or another URI, never a person's name.
    pub owner: String,
}

/// A subject may do an action on a resource.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Right {
    /// The entity or authority spoken of: a DID or another URI.
    pub subject: String,
    /// The action, exactly.
    pub action: String,
    /// The resource; a final `/*` covers everything below, `*` everything.
    pub resource: String,
}

/// A right, and from when to when it holds.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Grant {
    /// What is granted to whom.
    pub right: Right,
    /// First moment; without it, from the beginning.
    pub valid_from: Option<Timestamp>,
    /// First moment after; without it, until withdrawn.
    pub valid_until: Option<Timestamp>,
}

/// See [`Content::StatusListCreated`].
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct StatusListCreated {
    /// The list's URL, byte for byte as credentials name it.
    pub list: String,
    /// What a set bit means. A revocation bit never clears.
    pub purpose: StatusPurpose,
    /// Bits in the list.
    pub length: u64,
}

/// See [`Content::StatusChanged`].
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct StatusChanged {
    /// The list's URL.
    pub list: String,
    /// Bits to set, ascending.
    pub set: Vec<u64>,
    /// Bits to clear, ascending, none of them in `set`.
    pub cleared: Vec<u64>,
}

/// See [`Content::Unknown`].
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Unknown {
    /// The kind that it names.
    pub kind: String,
    /// All of its members.
    pub members: Object,
}

/// Why bytes are not a statement, for whoever wrote them.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum StatementError {
    /// Longer than [`limits::STATEMENT_BYTES`].
    #[error("the statement is longer than {max} bytes", max = limits::STATEMENT_BYTES)]
    TooLong,
    /// Not JSON as the strict reader takes it.
    #[error("not a readable JSON document: {0}")]
    Json(#[from] JsonError),
    /// Not the canonical form (RFC 8785) of what it says.
    #[error("the statement is not in canonical form (RFC 8785)")]
    NotCanonical,
    /// A member is missing, unknown, of the wrong kind or out of bounds.
    #[error(transparent)]
    Member(#[from] MemberError),
}

impl Statement {
    /// Reads one entry of a log.
    ///
    /// # Errors
    /// [`StatementError`] names what is wrong; a log with such an entry is not followed further.
    pub fn parse(bytes: &[u8]) -> Result<Self, StatementError> {
        if bytes.len() > limits::STATEMENT_BYTES {
            return Err(StatementError::TooLong);
        }
        let value = json::parse(bytes)?;
        if canonical::to_bytes(&value) != bytes {
            return Err(StatementError::NotCanonical);
        }
        let members = Members::of(&value, "")?;
        let kind = members.str("kind")?;
        let at = charter::time(&members, "at")?;
        let content = Content::read(kind, &members)?;
        if !matches!(content, Content::Unknown(_)) {
            members.finish_closed()?;
        }
        Ok(Self { at, content })
    }

    /// The canonical bytes, checked as a receiver would: nothing is published that others would
    /// refuse.
    ///
    /// # Errors
    /// [`StatementError`] names the member that others would refuse.
    pub fn to_bytes(&self) -> Result<Vec<u8>, StatementError> {
        let bytes = canonical::to_bytes(&self.to_value());
        Self::parse(&bytes)?;
        Ok(bytes)
    }

    /// The statement as JSON.
    #[must_use]
    pub fn to_value(&self) -> Value {
        let mut members = self.content.members();
        members.insert("kind", self.content.kind());
        members.insert("at", charter::whole_seconds(self.at));
        Value::Object(members)
    }
}

impl Content {
    /// The name of the kind, as in the statement's member `kind`.
    #[must_use]
    pub fn kind(&self) -> &str {
        match self {
            Self::Profile(_) => "profile",
            Self::AgentRegistered(_) => "agentRegistered",
            Self::AgentRetired { .. } => "agentRetired",
            Self::AgentSucceeded(_) => "agentSucceeded",
            Self::Authorize(_) => "authorize",
            Self::WithdrawAuthorization(_) => "withdrawAuthorization",
            Self::Recognize(_) => "recognize",
            Self::WithdrawRecognition(_) => "withdrawRecognition",
            Self::StatusListCreated(_) => "statusListCreated",
            Self::StatusChanged(_) => "statusChanged",
            Self::DidVersion(_) => "didVersion",
            Self::OrganizationDid { .. } => "organizationDid",
            Self::LogKeyRotated(_) => "logKeyRotated",
            Self::AgentSuspended { .. } => "agentSuspended",
            Self::AgentResumed { .. } => "agentResumed",
            Self::KeyCompromised(_) => "keyCompromised",
            Self::CredentialsAnchored(_) => "credentialsAnchored",
            Self::TrustBundle(_) => "trustBundle",
            Self::ForkEvidence(_) => "forkEvidence",
            Self::Unknown(unknown) => &unknown.kind,
        }
    }

    fn read(kind: &str, members: &Members<'_, '_>) -> Result<Self, MemberError> {
        Ok(match kind {
            "profile" => Self::Profile(Profile::read(members)?),
            "agentRegistered" => Self::AgentRegistered(AgentRegistered::read(members)?),
            "agentRetired" => Self::AgentRetired {
                agent: did(members, "agent")?,
            },
            "agentSucceeded" => Self::AgentSucceeded(AgentSucceeded::read(members)?),
            "authorize" => Self::Authorize(Grant::read(members, "entity")?),
            "withdrawAuthorization" => Self::WithdrawAuthorization(Right::read(members, "entity")?),
            "recognize" => Self::Recognize(Grant::read(members, "authority")?),
            "withdrawRecognition" => Self::WithdrawRecognition(Right::read(members, "authority")?),
            "statusListCreated" => Self::StatusListCreated(StatusListCreated::read(members)?),
            "statusChanged" => Self::StatusChanged(StatusChanged::read(members)?),
            "didVersion" => Self::DidVersion(DidVersion::read(members)?),
            "organizationDid" => Self::OrganizationDid {
                did: dids::webvh_did(members)?,
            },
            "logKeyRotated" => Self::LogKeyRotated(Box::new(Rotation::read(members)?)),
            "agentSuspended" => Self::AgentSuspended {
                agent: did(members, "agent")?,
            },
            "agentResumed" => Self::AgentResumed {
                agent: did(members, "agent")?,
            },
            "keyCompromised" => Self::KeyCompromised(KeyCompromised::read(members)?),
            "credentialsAnchored" => Self::CredentialsAnchored(CredentialsAnchored::read(members)?),
            "trustBundle" => Self::TrustBundle(TrustBundle::read(members)?),
            "forkEvidence" => Self::ForkEvidence(ForkEvidence::read(members)?),
            _ => Self::Unknown(Unknown::read(kind, members)?),
        })
    }

    fn members(&self) -> Object {
        let mut members = Object::new();
        match self {
            Self::Profile(profile) => profile.write(&mut members),
            Self::AgentRegistered(registered) => registered.write(&mut members),
            Self::AgentRetired { agent } | Self::AgentSuspended { agent } | Self::AgentResumed { agent } => {
                drop(members.insert("agent", agent))
            }
            Self::AgentSucceeded(succeeded) => succeeded.write(&mut members),
            Self::Authorize(grant) => grant.write("entity", &mut members),
            Self::WithdrawAuthorization(right) => right.write("entity", &mut members),
            Self::Recognize(grant) => grant.write("authority", &mut members),
            Self::WithdrawRecognition(right) => right.write("authority", &mut members),
            Self::StatusListCreated(created) => created.write(&mut members),
            Self::StatusChanged(changed) => changed.write(&mut members),
            Self::DidVersion(version) => version.write(&mut members),
            Self::OrganizationDid { did } => drop(members.insert("did", did)),
            Self::LogKeyRotated(rotation) => rotation.write(&mut members),
            Self::KeyCompromised(said) => said.write(&mut members),
            Self::CredentialsAnchored(said) => said.write(&mut members),
            Self::TrustBundle(said) => said.write(&mut members),
            Self::ForkEvidence(said) => said.write(&mut members),
            Self::Unknown(unknown) => members.clone_from(&unknown.members),
        }
        members
    }
}

impl Profile {
    fn read(members: &Members<'_, '_>) -> Result<Self, MemberError> {
        Ok(Self {
            name: charter::shown_name(members)?,
            endpoints: Endpoints::from_member(members, "endpoints")?,
            peer_ids: charter::peer_ids(members)?,
        })
    }

    fn write(&self, members: &mut Object) {
        members.insert("name", &self.name);
        members.insert("endpoints", self.endpoints.to_value());
        members.insert("peerIds", Value::from_iter(&self.peer_ids));
    }
}

impl AgentRegistered {
    fn read(members: &Members<'_, '_>) -> Result<Self, MemberError> {
        Ok(Self {
            agent: did(members, "agent")?,
            name: charter::shown_name(members)?,
            owner: identifier(members, "owner")?,
        })
    }

    fn write(&self, members: &mut Object) {
        members.insert("agent", &self.agent);
        members.insert("name", &self.name);
        members.insert("owner", &self.owner);
    }
}

impl Right {
    fn read(members: &Members<'_, '_>, subject: &'static str) -> Result<Self, MemberError> {
        let action = members.str("action")?;
        if Action::parse(action).is_none() {
            return Err(members.error("action", "an action, like read or ticket.close"));
        }
        let resource = members.str("resource")?;
        if ResourcePattern::parse(resource).is_none() {
            return Err(members.error("resource", "a resource, like records/patients/*"));
        }
        Ok(Self {
            subject: identifier(members, subject)?,
            action: action.to_owned(),
            resource: resource.to_owned(),
        })
    }

    fn write(&self, subject: &'static str, members: &mut Object) {
        members.insert(subject, &self.subject);
        members.insert("action", &self.action);
        members.insert("resource", &self.resource);
    }
}

impl Grant {
    fn read(members: &Members<'_, '_>, subject: &'static str) -> Result<Self, MemberError> {
        let right = Right::read(members, subject)?;
        let time = |name| match members.optional(name) {
            None => Ok(None),
            Some(_) => charter::time(members, name).map(Some),
        };
        let (valid_from, valid_until) = (time("validFrom")?, time("validUntil")?);
        if let (Some(from), Some(until)) = (valid_from, valid_until)
            && from >= until
        {
            return Err(members.error("validUntil", "a time after validFrom"));
        }
        Ok(Self {
            right,
            valid_from,
            valid_until,
        })
    }

    fn write(&self, subject: &'static str, members: &mut Object) {
        self.right.write(subject, members);
        for (name, time) in [("validFrom", self.valid_from), ("validUntil", self.valid_until)] {
            if let Some(time) = time {
                members.insert(name, charter::whole_seconds(time));
            }
        }
    }

    /// Whether it holds at a time.
    #[must_use]
    pub fn holds_at(&self, at: Timestamp) -> bool {
        self.valid_from.is_none_or(|from| from <= at) && self.valid_until.is_none_or(|until| at < until)
    }
}

impl StatusListCreated {
    fn read(members: &Members<'_, '_>) -> Result<Self, MemberError> {
        let purpose = StatusPurpose::parse(members.str("purpose")?)
            .ok_or_else(|| members.error("purpose", "\"revocation\" or \"suspension\""))?;
        let length = u64::try_from(members.integer("length")?).unwrap_or(0);
        let bounded = (STATUS_BITS_MINIMUM..=STATUS_BITS_MAXIMUM).contains(&length);
        if !bounded || !length.is_multiple_of(8) {
            return Err(members.error("length", "131072 to 67108864 bits, a multiple of 8"));
        }
        Ok(Self {
            list: identifier(members, "list")?,
            purpose,
            length,
        })
    }

    fn write(&self, members: &mut Object) {
        members.insert("list", &self.list);
        members.insert("purpose", self.purpose.as_str());
        members.insert("length", self.length);
    }
}

impl StatusChanged {
    fn read(members: &Members<'_, '_>) -> Result<Self, MemberError> {
        let (set, cleared) = (indices(members, "set")?, indices(members, "cleared")?);
        if set.is_empty() && cleared.is_empty() {
            return Err(members.error("set", "at least one index in set or cleared"));
        }
        if cleared.iter().any(|index| set.binary_search(index).is_ok()) {
            return Err(members.error("cleared", "no index that is also in set"));
        }
        Ok(Self {
            list: identifier(members, "list")?,
            set,
            cleared,
        })
    }

    fn write(&self, members: &mut Object) {
        members.insert("list", &self.list);
        for (name, indices) in [("set", &self.set), ("cleared", &self.cleared)] {
            if !indices.is_empty() {
                members.insert(name, indices.iter().copied().collect::<Value>());
            }
        }
    }
}

impl Unknown {
    fn read(kind: &str, members: &Members<'_, '_>) -> Result<Self, MemberError> {
        let named = (1..=limits::KIND_BYTES).contains(&kind.len()) && kind.bytes().all(|b| b.is_ascii_alphanumeric());
        if !named {
            return Err(members.error("kind", "a kind of 1 to 64 ASCII letters and digits"));
        }
        Ok(Self {
            kind: kind.to_owned(),
            members: members.as_object().clone(),
        })
    }
}

fn did(members: &Members<'_, '_>, name: &str) -> Result<Did, MemberError> {
    members
        .str(name)?
        .parse()
        .ok()
        .filter(|did: &Did| did.as_str().len() <= limits::ADDRESS_BYTES)
        .ok_or_else(|| members.error(name, "a DID of at most 512 bytes"))
}

fn identifier(members: &Members<'_, '_>, name: &str) -> Result<String, MemberError> {
    let text = members.str(name)?;
    if name::is_url(text) && text.len() <= limits::ADDRESS_BYTES {
        return Ok(text.to_owned());
    }
    Err(members.error(name, "a DID or another URI of at most 512 bytes"))
}

/// Strictly ascending indices; the member is left out if there are none.
fn indices(members: &Members<'_, '_>, name: &str) -> Result<Vec<u64>, MemberError> {
    const EXPECTED: &str = "1 to 1000 indices in ascending order, each below 67108864";
    let Some(values) = members.optional_array(name)? else {
        return Ok(Vec::new());
    };
    if !(1..=limits::STATUS_INDICES).contains(&values.len()) {
        return Err(members.error(name, EXPECTED));
    }
    let mut indices: Vec<u64> = Vec::with_capacity(values.len());
    for value in values {
        match value.as_i64().and_then(|index| u64::try_from(index).ok()) {
            Some(index) if index < STATUS_BITS_MAXIMUM && indices.last().is_none_or(|last| *last < index) => {
                indices.push(index);
            }
            _ => return Err(members.error(name, EXPECTED)),
        }
    }
    Ok(indices)
}

#[cfg(test)]
mod tests;
