//! The claims of the "Agent Authorization Profile for OAuth 2.0" (draft-aap-oauth-profile): `aap_agent`, `aap_task`,
//! `aap_capabilities`, `aap_oversight`, `aap_delegation`, `aap_context`, `aap_audit`.
//!
//! `authorization_details` is what counts. `aap_capabilities` says for each of its items, in the same order, the action
//! and where the whole of it stands: a service that knows the profile alone meets a constraint that it does not know, and
//! refuses, instead of taking the action for unconstrained.

use super::AccessClaims;
use crate::constraint::Constraint;
use crate::did::Did;
use crate::json::members::{MemberError, Members};
use crate::json::{Object, Value};
use crate::limits::{CREDENTIALS_PRESENTED, DELEGATION_DEPTH, IDENTIFIER_BYTES, NAME_BYTES, PURPOSE_BYTES, TASK_BYTES};
use crate::time::Timestamp;

/// What the profile's claims say beside the standard ones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    /// `aap_agent.name`: a name for people, as the credential's issuer says.
    pub agent_name: Option<String>,
    /// `aap_agent.operator`: who answers for the agent, as the credential's issuer says.
    pub operator: String,
    /// `aap_task`: what the agent says that the token is for. Nobody vouches for it.
    pub task: Task,
    /// `aap_delegation.chain`: who handed the power on, the first one first and the agent last; `depth` is one less than
    /// there are. Tokens are not delegated: `max_depth` equals `depth`.
    pub chain: Vec<String>,
    /// `aap_context.time_window`: from when and until when the credentials are valid.
    pub window: (Timestamp, Timestamp),
    /// `aap_audit.trace_id`: the request that the token was made in.
    pub trace: Option<String>,
    /// `aap_audit.credentials`: what it rests on, by id or digest.
    pub credentials: Vec<String>,
}

/// What a token is for, in the agent's own words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Task {
    /// Its name.
    pub id: String,
    /// Its purpose.
    pub purpose: String,
}

impl Task {
    /// A task with a name of at most 128 bytes and a purpose of at most 256, neither empty nor with control characters.
    #[must_use]
    pub fn new(id: &str, purpose: &str) -> Option<Self> {
        (is_text(id, TASK_BYTES) && is_text(purpose, PURPOSE_BYTES)).then(|| Self {
            id: id.to_owned(),
            purpose: purpose.to_owned(),
        })
    }
}

fn is_text(text: &str, most: usize) -> bool {
    (1..=most).contains(&text.len()) && !text.chars().any(char::is_control)
}

impl Profile {
    pub(super) fn write(&self, claims: &AccessClaims, payload: &mut Object) {
        let mut agent = Object::new();
        agent.insert("id", &claims.agent);
        agent.insert("type", "agent");
        agent.insert("operator", self.operator.as_str());
        if let Some(name) = &self.agent_name {
            agent.insert("name", name.as_str());
        }
        payload.insert("aap_agent", agent);
        payload.insert(
            "aap_task",
            crate::object! { "id": self.task.id.as_str(), "purpose": self.task.purpose.as_str() },
        );
        payload.insert("aap_capabilities", capabilities(claims));
        payload.insert(
            "aap_oversight",
            crate::object! { "requires_human_approval_for": needing_approval(claims) },
        );
        let depth = self.depth();
        payload.insert(
            "aap_delegation",
            crate::object! {
                "depth": depth,
                "max_depth": depth,
                "chain": self.chain.iter().map(String::as_str).collect::<Value>(),
            },
        );
        let (start, end) = self.window;
        payload.insert(
            "aap_context",
            crate::object! { "time_window": crate::object! { "start": start, "end": end } },
        );
        let mut audit = Object::new();
        if let Some(trace) = &self.trace {
            audit.insert("trace_id", trace.as_str());
        }
        audit.insert(
            "credentials",
            self.credentials.iter().map(String::as_str).collect::<Value>(),
        );
        payload.insert("aap_audit", audit);
    }

    fn depth(&self) -> u32 {
        u32::try_from(self.chain.len().saturating_sub(1)).unwrap_or(u32::MAX)
    }

    /// Reads the claims. `aap_capabilities` and `aap_oversight` repeat what `authorization_details` says and are not
    /// looked at: what counts is read once.
    pub(super) fn read(members: &Members<'_, '_>, bearer: &Did) -> Result<Self, MemberError> {
        let agent = members.object("aap_agent")?;
        agent.literal("id", bearer.as_str(), "the same as sub")?;
        let task = members.object("aap_task")?;
        let task = Task::new(task.str("id")?, task.str("purpose")?)
            .ok_or_else(|| members.error("aap_task", "a task with a short id and purpose"))?;
        let delegation = members.object("aap_delegation")?;
        let chain = texts(&delegation, "chain", DELEGATION_DEPTH as usize + 1)?;
        let depth = delegation.integer("depth")?;
        if chain.last().map(String::as_str) != Some(bearer.as_str()) || i64::try_from(chain.len()) != Ok(depth + 1) {
            return Err(delegation.error("chain", "one more than depth, and sub at its end"));
        }
        if delegation.integer("max_depth")? < depth {
            return Err(delegation.error("max_depth", "at least depth"));
        }
        let context = members.object("aap_context")?;
        let window = context.object("time_window")?;
        let time = |name| {
            let text = window.str(name)?;
            Timestamp::parse(text).map_err(|_| window.error(name, "a time"))
        };
        let audit = members.object("aap_audit")?;
        let name = agent.optional_str("name")?;
        if name.is_some_and(|name| name.len() > NAME_BYTES) {
            return Err(agent.error("name", "a short name"));
        }
        Ok(Self {
            agent_name: name.map(str::to_owned),
            operator: short(&agent, "operator", IDENTIFIER_BYTES)?,
            task,
            chain,
            window: (time("start")?, time("end")?),
            trace: match audit.optional_str("trace_id")? {
                Some(_) => Some(short(&audit, "trace_id", TASK_BYTES)?),
                None => None,
            },
            credentials: texts(&audit, "credentials", CREDENTIALS_PRESENTED)?,
        })
    }
}

fn short(members: &Members<'_, '_>, name: &str, most: usize) -> Result<String, MemberError> {
    let text = members.str(name)?;
    (1..=most)
        .contains(&text.len())
        .then(|| text.to_owned())
        .ok_or_else(|| members.error(name, "a text of usual length"))
}

/// 1 to `most` texts.
fn texts(members: &Members<'_, '_>, name: &str, most: usize) -> Result<Vec<String>, MemberError> {
    let items = members.array(name)?;
    let texts: Option<Vec<String>> = items.iter().map(|item| item.as_str().map(str::to_owned)).collect();
    texts
        .filter(|texts| (1..=most).contains(&texts.len()))
        .ok_or_else(|| members.error(name, "a short list of texts"))
}

fn capabilities(claims: &AccessClaims) -> Value {
    let one = |(index, grant): (usize, &crate::capability::Capability)| {
        let index = u32::try_from(index).unwrap_or(u32::MAX);
        crate::object! {
            "action": grant.action.as_str(),
            "constraints": crate::object! { "authorization_details": index },
        }
    };
    claims.grants.iter().enumerate().map(one).collect()
}

/// The actions that some grant allows only with somebody's approval.
fn needing_approval(claims: &AccessClaims) -> Value {
    let mut actions: Vec<&str> = Vec::new();
    for grant in &claims.grants {
        let asks = grant
            .constraint
            .iter()
            .any(|one| matches!(one, Constraint::Approval(_)));
        if asks && !actions.contains(&grant.action.as_str()) {
            actions.push(grant.action.as_str());
        }
    }
    actions.into_iter().collect()
}
