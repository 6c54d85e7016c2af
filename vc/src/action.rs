//! Signed actions: what an agent does, once, at one verifier, under one credential.

use std::collections::BTreeMap;
use std::fmt;

use crate::capability::{self, Asked, Resource, Scope};
use crate::constraint::{
    Decimal, Items, PURPOSE, PurposeOfUse, Quoted, Scalar, is_parameter_name, read_decimal, read_unit,
};
use crate::credential::{self, CAPABILITY_CONTEXT};
use crate::denial::{DenialCode, Reason};
use crate::did::Did;
use crate::document::Purpose;
use crate::enveloped;
use crate::json::members::{MemberError, Members, Path};
use crate::json::{Object, Value};
use crate::key::Signer;
use crate::limits::{LIST_ITEMS, NONCE_CHARS, PARAMETERS};
use crate::name::{is_url, is_uuid_urn};
use crate::proof::{self, IssueError, ProofOptions};
use crate::time::Timestamp;

/// The `type` of a signed action.
pub const ACTION_TYPE: &str = "AgentAction";

/// The parameters of an action, by name.
pub type Parameters = BTreeMap<String, Parameter>;

/// One parameter of an action.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Parameter {
    /// A value without unit.
    Plain(Scalar),
    /// An amount in a unit: `{"value": "49.99", "unit": "USD"}`.
    Measure {
        /// The amount.
        value: Decimal,
        /// The unit.
        unit: String,
    },
    /// Several values without unit, in the order in which they were given.
    List(Vec<Scalar>),
}

impl Parameter {
    /// Reads a parameter: a string, an integer, true, false, `{value, unit}`, or a list of at most
    /// 256 plain values.
    ///
    /// # Errors
    /// It is something else; amounts are never binary fractions.
    pub fn read(value: &Value, at: &Path<'_>) -> Result<Self, MemberError> {
        if let Some(items) = value.as_array() {
            if items.len() > LIST_ITEMS {
                return Err(at.error("a list of at most 256 values"));
            }
            let item = |(index, item)| Scalar::read(item, &at.item(index));
            return items
                .iter()
                .enumerate()
                .map(item)
                .collect::<Result<_, _>>()
                .map(Self::List);
        }
        if value.as_object().is_none() {
            return Scalar::read(value, at).map(Self::Plain);
        }
        let members = Members::of(value, at)?;
        let parameter = Self::Measure {
            value: read_decimal(members.required("value")?, &members.at("value"))?,
            unit: read_unit(members.required("unit")?, &members.at("unit"))?,
        };
        members.finish_closed()?;
        Ok(parameter)
    }

    /// The parameter as it stands in an action.
    #[must_use]
    pub fn to_json(&self) -> Value {
        match self {
            Self::Plain(scalar) => scalar.to_json(),
            Self::List(items) => items.iter().map(Scalar::to_json).collect(),
            Self::Measure { value, unit } => {
                crate::object! { "value": value.as_str(), "unit": unit.as_str() }
            }
        }
    }
}

/// For messages.
impl fmt::Display for Parameter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Plain(scalar) => scalar.fmt(f),
            Self::List(items) => Items(items).fmt(f),
            Self::Measure { value, unit } => write!(f, "{value} {unit}"),
        }
    }
}

/// Which credential an action is done under, or another was handed on from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CapabilityReference {
    /// The credential's id.
    pub id: String,
    /// The credential's digest as signed ([`credential::digest`]).
    pub digest: String,
}

/// An action as it stands in a document: every member known and of its kind, nothing checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgentAction {
    /// The action's own name: a UUID URN.
    pub id: String,
    /// Who acts.
    pub agent: Did,
    /// What is done.
    pub action: capability::Action,
    /// What it is done to.
    pub resource: Resource,
    /// The scope it is done under.
    pub scope: Option<Scope>,
    /// With what.
    pub parameters: Parameters,
    /// What it is for, if it says so.
    pub purpose: Option<PurposeOfUse>,
    /// The verifier it is for.
    pub audience: Did,
    /// When it was signed.
    pub created: Timestamp,
    /// From when on it counts for nothing.
    pub expires: Timestamp,
    /// Makes it usable once.
    pub nonce: String,
    /// The credential it is done under.
    pub capability: CapabilityReference,
}

/// What is done, to what, with what, for what: the part of an action that says nothing of who and when.
pub(crate) struct Meaning {
    pub(crate) action: capability::Action,
    pub(crate) resource: Resource,
    pub(crate) scope: Option<Scope>,
    pub(crate) parameters: Parameters,
    pub(crate) purpose: Option<PurposeOfUse>,
}

impl Meaning {
    /// Reads its members; the caller closes the object.
    pub(crate) fn read(members: &Members<'_, '_>) -> Result<Self, Reason> {
        Ok(Self {
            action: capability::Action::member(members)?,
            resource: Resource::parse(members.str("resource")?)
                .ok_or_else(|| members.error("resource", "a resource such as customer_records or tickets/42"))?,
            scope: Scope::member(members)?,
            parameters: parameters(members)?,
            purpose: purpose(members)?,
        })
    }
}

impl AgentAction {
    /// Reads an action; closed.
    ///
    /// # Errors
    /// The member at fault.
    pub fn read(object: &Object, at: &Path<'_>) -> Result<Self, Reason> {
        let members = Members::of_object(object, at);
        let contexts = members.array("@context")?;
        if !matches!(contexts, [only] if only.as_str() == Some(CAPABILITY_CONTEXT)) {
            let text = format!("an action has the one context {CAPABILITY_CONTEXT}");
            return Err(Reason::new(
                DenialCode::ContextUnknown,
                members.at("@context").to_string(),
                text,
            ));
        }
        members.literal("type", ACTION_TYPE, "AgentAction")?;
        members.optional("proof");
        let (id, agent) = (
            text(&members, "id", is_uuid_urn, "a UUID URN in lower case: urn:uuid:...")?,
            did(&members, "agent")?,
        );
        let meaning = Meaning::read(&members)?;
        let action = Self {
            id,
            agent,
            action: meaning.action,
            resource: meaning.resource,
            scope: meaning.scope,
            parameters: meaning.parameters,
            purpose: meaning.purpose,
            audience: did(&members, "audience")?,
            created: time(&members, "created")?,
            expires: time(&members, "expires")?,
            nonce: text(
                &members,
                "nonce",
                is_nonce,
                "a nonce: at least 128 random bits in base64url, 22 to 86 characters",
            )?,
            capability: CapabilityReference::read(&members.object("capability")?)?,
        };
        members.finish_closed()?;
        Ok(action)
    }

    /// What the action asks of a capability.
    #[must_use]
    pub fn asked(&self) -> Asked<'_> {
        Asked {
            action: &self.action,
            resource: &self.resource,
            scope: self.scope.as_ref(),
        }
    }

    /// The unsigned document.
    #[must_use]
    pub fn to_document(&self) -> Object {
        let mut document = Object::new();
        document.insert("@context", vec![CAPABILITY_CONTEXT]);
        document.insert("id", self.id.as_str());
        document.insert("type", ACTION_TYPE);
        document.insert("agent", &self.agent);
        document.insert("action", self.action.as_str());
        document.insert("resource", self.resource.as_str());
        if let Some(scope) = &self.scope {
            document.insert("scope", scope.as_str());
        }
        if !self.parameters.is_empty() {
            let parameters: Object = self
                .parameters
                .iter()
                .map(|(name, value)| (name.as_str(), value.to_json()))
                .collect();
            document.insert("parameters", parameters);
        }
        if let Some(purpose) = self.purpose {
            document.insert("purpose", purpose.as_str());
        }
        document.insert("audience", &self.audience);
        document.insert("created", self.created);
        document.insert("expires", self.expires);
        document.insert("nonce", self.nonce.as_str());
        document.insert("capability", self.capability.to_json());
        document
    }
}

/// For people: `call:billing_api (refund_under_100)`.
impl fmt::Display for AgentAction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.action, self.resource)?;
        match &self.scope {
            Some(scope) => write!(f, " ({scope})"),
            None => Ok(()),
        }
    }
}

impl CapabilityReference {
    /// `{"id": ..., "digest": ...}`.
    #[must_use]
    pub fn to_json(&self) -> Value {
        crate::object! { "id": self.id.as_str(), "digest": self.digest.as_str() }
    }

    pub(crate) fn read(members: &Members<'_, '_>) -> Result<Self, MemberError> {
        let reference = Self {
            id: text(members, "id", is_url, "the credential's id")?,
            digest: members.str("digest")?.to_owned(),
        };
        members.finish_closed()?;
        Ok(reference)
    }
}

fn text(
    members: &Members<'_, '_>,
    name: &str,
    fits: impl Fn(&str) -> bool,
    expected: &'static str,
) -> Result<String, MemberError> {
    let text = members.str(name)?;
    if fits(text) {
        Ok(text.to_owned())
    } else {
        Err(members.error(name, expected))
    }
}

fn did(members: &Members<'_, '_>, name: &str) -> Result<Did, MemberError> {
    Did::parse(members.str(name)?).map_err(|_| members.error(name, "a DID"))
}

fn time(members: &Members<'_, '_>, name: &str) -> Result<Timestamp, MemberError> {
    Timestamp::parse(members.str(name)?).map_err(|_| members.error(name, "a time such as 2026-11-24T22:50:53Z"))
}

fn purpose(members: &Members<'_, '_>) -> Result<Option<PurposeOfUse>, MemberError> {
    members
        .optional_str("purpose")?
        .map(|label| PurposeOfUse::parse(label).ok_or_else(|| members.error("purpose", PURPOSE)))
        .transpose()
}

pub(crate) fn is_nonce(text: &str) -> bool {
    NONCE_CHARS.contains(&text.len())
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
}

fn parameters(members: &Members<'_, '_>) -> Result<Parameters, Reason> {
    let mut parameters = Parameters::new();
    let Some(object) = members.optional_object("parameters")? else {
        return Ok(parameters);
    };
    let at = *object.path();
    let object = object.as_object();
    if object.len() > PARAMETERS {
        let text = format!("{} parameters, and at most {PARAMETERS} are read", object.len());
        return Err(Reason::new(DenialCode::DocumentTooLarge, at.to_string(), text));
    }
    for (name, value) in object {
        let here = at.member(name);
        if !is_parameter_name(name) {
            let text = format!(
                "{} is no parameter name: a letter, then letters, digits, `_`, `-` or `.`, at most 64",
                Quoted(name)
            );
            return Err(Reason::new(DenialCode::ParameterMalformed, here.to_string(), text));
        }
        let parameter = Parameter::read(value, &here).map_err(|error| {
            let text = format!(
                "expected {}, {{\"value\": ..., \"unit\": ...}} or a list; an amount is text, never a binary fraction",
                error.expected
            );
            Reason::new(DenialCode::ParameterMalformed, error.path, text)
        })?;
        parameters.insert(name.to_owned(), parameter);
    }
    Ok(parameters)
}

/// An action to be signed.
#[derive(Clone, Debug)]
pub struct ActionDraft<'a> {
    /// The action's own name: a fresh UUID URN.
    pub id: String,
    /// Who acts.
    pub agent: Did,
    /// What is done.
    pub action: capability::Action,
    /// What it is done to.
    pub resource: Resource,
    /// The scope it is done under.
    pub scope: Option<Scope>,
    /// With what.
    pub parameters: Parameters,
    /// What it is for, if it says so.
    pub purpose: Option<PurposeOfUse>,
    /// The verifier it is for.
    pub audience: Did,
    /// Now.
    pub created: Timestamp,
    /// At most 900 seconds after `created`; 300 is usual.
    pub expires: Timestamp,
    /// At least 128 fresh random bits in base64url.
    pub nonce: String,
    /// The signed credential it is done under, in its envelope if it has one; needs an `id`.
    pub credential: &'a Value,
}

impl ActionDraft<'_> {
    /// Signs the action with the agent's key, named by `verification_method`.
    ///
    /// # Errors
    /// [`IssueError::Refused`] when no verifier would take it (and why), [`IssueError::Sign`] when
    /// the key cannot be used.
    pub fn sign(self, verification_method: &str, signer: &dyn Signer) -> Result<Value, IssueError> {
        let credential = enveloped::document_of(self.credential)?;
        let id = credential.get("id").and_then(Value::as_str).unwrap_or_default();
        let action = AgentAction {
            capability: CapabilityReference {
                id: id.to_owned(),
                digest: credential::digest(&credential),
            },
            id: self.id,
            agent: self.agent,
            action: self.action,
            resource: self.resource,
            scope: self.scope,
            parameters: self.parameters,
            purpose: self.purpose,
            audience: self.audience,
            created: self.created,
            expires: self.expires,
            nonce: self.nonce,
        };
        let document = action.to_document();
        if AgentAction::read(&document, &Path::ROOT)? != action {
            // Names that do not survive being written cannot be judged either.
            return Err(Reason::new(
                DenialCode::DocumentMalformed,
                "",
                "the action does not read back as written",
            )
            .into());
        }
        check_window(&action, "/expires")?;
        let options = ProofOptions::new(Purpose::CapabilityInvocation, verification_method, action.created);
        proof::sign(document, &options, signer)
    }
}

/// Whether the window is one at all, whatever the time is now.
pub(crate) fn check_window(action: &AgentAction, at: &str) -> Result<(), Reason> {
    let seconds = action.expires.seconds_since(action.created);
    if action.expires > action.created && seconds <= crate::limits::ACTION_WINDOW_SECONDS {
        return Ok(());
    }
    let text = format!(
        "an action expires after it was created and within {} seconds: sign it with such a window",
        crate::limits::ACTION_WINDOW_SECONDS
    );
    Err(Reason::new(DenialCode::ActionWindow, at, text))
}
