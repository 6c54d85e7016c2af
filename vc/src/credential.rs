//! Credentials of the W3C Verifiable Credentials Data Model 2.0 and 1.1, and the capability
//! credential.
//!
//! [`Credential`] is what stands in a document, read but not trusted: it can be shown. What may be
//! acted on is [`crate::verify::VerifiedCredential`].

use crate::action::CapabilityReference;
use crate::capability::Capability;
use crate::constraint::Quoted;
use crate::denial::{DenialCode, Reason};
use crate::did::Did;
use crate::json::members::{MemberError, Members, Path};
use crate::json::{Object, Value};
use crate::limits::{CAPABILITIES, CONTEXTS, DELEGATION_DEPTH, STATUS_ENTRIES, TYPES};
use crate::name::{is_https, is_presentable, is_url, is_uuid_urn};
use crate::status::{StatusEntry, StatusPurpose};
use crate::time::Timestamp;

mod digests;
mod draft;
pub mod envelope;

pub use digests::{anchor_digest, digest, token_digest};
pub(crate) use digests::{digest_of, object_digest, unsecured_digest};
pub use draft::CapabilityCredentialDraft;
pub(crate) use draft::check_validity;

/// The context every credential of VCDM 2.0 begins with.
pub const CREDENTIALS_CONTEXT: &str = "https://www.w3.org/ns/credentials/v2";

/// The context every credential of VCDM 1.1 begins with.
pub const CREDENTIALS_V1_CONTEXT: &str = "https://www.w3.org/2018/credentials/v1";

/// The context that defines Data Integrity proofs for documents of VCDM 1.1; that of VCDM 2.0 does
/// so itself.
pub const DATA_INTEGRITY_CONTEXT: &str = "https://w3id.org/security/data-integrity/v2";

/// The context of capability credentials and actions.
pub const CAPABILITY_CONTEXT: &str = "https://syndic.example/ns/capability/v1";

/// The type of a capability credential, beside [`CREDENTIAL_TYPE`].
pub const CAPABILITY_CREDENTIAL_TYPE: &str = "AgentCapabilityCredential";

/// The type every credential has.
pub const CREDENTIAL_TYPE: &str = "VerifiableCredential";

/// The contexts whose terms are known here. A document with another one is refused: nobody here
/// can say what its members mean, and nothing is fetched.
pub const KNOWN_CONTEXTS: &[&str] = &[
    CREDENTIALS_CONTEXT,
    CAPABILITY_CONTEXT,
    CREDENTIALS_V1_CONTEXT,
    "https://www.w3.org/ns/credentials/examples/v2",
    "https://w3id.org/security/data-integrity/v1",
    DATA_INTEGRITY_CONTEXT,
    "https://w3id.org/security/multikey/v1",
    "https://www.w3.org/ns/did/v1",
    "https://www.w3.org/ns/did/v1.1",
    "https://w3id.org/security/suites/ed25519-2020/v1",
    "https://w3id.org/vdl/v1",
    "https://w3id.org/citizenship/v4rc1",
    "https://w3id.org/vc/status-list/2021/v1",
];

/// The version of the Verifiable Credentials Data Model that a document is written in: its first
/// context says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DataModel {
    /// 1.1, for plain credentials and presentations only.
    V1,
    /// 2.0.
    V2,
}

impl DataModel {
    /// The model whose context this is.
    fn of_context(context: &str) -> Option<Self> {
        match context {
            CREDENTIALS_CONTEXT => Some(Self::V2),
            CREDENTIALS_V1_CONTEXT => Some(Self::V1),
            _ => None,
        }
    }

    /// The member that says from when on a credential is valid.
    #[must_use]
    pub const fn begins(self) -> &'static str {
        match self {
            Self::V1 => "issuanceDate",
            Self::V2 => "validFrom",
        }
    }

    /// The member that says until when a credential is valid.
    #[must_use]
    pub const fn ends(self) -> &'static str {
        match self {
            Self::V1 => "expirationDate",
            Self::V2 => "validUntil",
        }
    }

    /// What only the other version gives a meaning. A verifier that knows both would act on it, and
    /// one that knows this version would not, so it is refused.
    const fn foreign_members(self) -> &'static [&'static str] {
        match self {
            Self::V1 => &[
                "validFrom",
                "validUntil",
                "relatedResource",
                "confidenceMethod",
                "renderMethod",
            ],
            Self::V2 => &["issuanceDate", "expirationDate"],
        }
    }

    /// The times of a credential: from when, and until when.
    fn validity(self, members: &Members<'_, '_>) -> Result<(Option<Timestamp>, Option<Timestamp>), MemberError> {
        if let Some(name) = self
            .foreign_members()
            .iter()
            .find(|name| members.optional(name).is_some())
        {
            return Err(members.error(name, "no member of another version of the data model"));
        }
        let from = time(members, self.begins())?;
        if self == Self::V1 && from.is_none() {
            return Err(members.error(self.begins(), TIME));
        }
        Ok((from, time(members, self.ends())?))
    }
}

/// Makes a document of VCDM 1.1 ready for a Data Integrity proof: its `@context` gets the one that
/// defines such proofs, if it has neither version of it. Any other document is left as it is.
pub fn add_proof_context(document: &mut Object) {
    let Some(context) = document.get("@context") else {
        return;
    };
    let items = context.as_array().unwrap_or(std::slice::from_ref(context));
    let first = items.first().and_then(Value::as_str);
    let defined = |one: &Value| {
        let text = one.as_str();
        text == Some(DATA_INTEGRITY_CONTEXT) || text == Some("https://w3id.org/security/data-integrity/v1")
    };
    if first != Some(CREDENTIALS_V1_CONTEXT) || items.iter().any(defined) {
        return;
    }
    let mut items = items.to_vec();
    items.push(DATA_INTEGRITY_CONTEXT.into());
    document.insert("@context", Value::Array(items));
}

/// A credential as it stands in a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credential {
    /// The version of the data model it is written in.
    pub model: DataModel,
    /// Its own name, a URL.
    pub id: Option<String>,
    /// Its types; [`CREDENTIAL_TYPE`] is among them.
    pub types: Vec<String>,
    /// Who issued it: a URL. Only a DID can be verified.
    pub issuer: String,
    /// From when on it is valid: `validFrom`, or `issuanceDate` in VCDM 1.1.
    pub valid_from: Option<Timestamp>,
    /// Until when it is valid: `validUntil`, or `expirationDate` in VCDM 1.1.
    pub valid_until: Option<Timestamp>,
    /// Where its status is found.
    pub status: Vec<StatusEntry>,
    /// The credential it was handed on from, if it is a capability credential that was.
    pub delegated_from: Option<CapabilityReference>,
    /// Whom and what it is about.
    pub subject: Subject,
}

/// Whom and what a credential is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// An agent and what it may do.
    Capability(Box<CapabilitySubject>),
    /// Anything else; the claims are in the document.
    Other {
        /// The subject's id, if there is exactly one subject and it has one.
        id: Option<String>,
    },
}

/// An agent and what it may do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CapabilitySubject {
    /// The agent.
    pub id: Did,
    /// The agent's name, for people.
    pub name: String,
    /// Who answers for it.
    pub owner: Owner,
    /// What it may do.
    pub capability: Vec<Capability>,
    /// How many times it may be delegated on: 0 is not at all.
    pub max_depth: u8,
}

/// The human or organization that answers for an agent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    /// A DID or URL.
    pub id: String,
    /// A name for people, if the issuer chooses to show one.
    pub name: Option<String>,
}

impl Owner {
    fn read(members: &Members<'_, '_>) -> Result<Self, MemberError> {
        let owner = Self {
            id: members.str("id")?.to_owned(),
            name: members.optional_str("name")?.map(str::to_owned),
        };
        if !is_url(&owner.id) {
            return Err(members.error("id", "the DID or URL of the owner"));
        }
        if owner.name.as_deref().is_some_and(|name| !is_presentable(name)) {
            return Err(members.error("name", NAME));
        }
        members.finish_closed()?;
        Ok(owner)
    }

    /// `{"id": ..., "name": ...}`.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let mut object = Object::new();
        object.insert("id", self.id.as_str());
        if let Some(name) = &self.name {
            object.insert("name", name.as_str());
        }
        object.into()
    }
}

const NAME: &str =
    "a name of at most 256 bytes: Unicode NFC, without control, invisible or direction-changing characters";
const TIME: &str = "a time with an offset, such as 2026-11-24T22:50:53Z";

impl Credential {
    /// Reads a credential; `at` is where it stands. A capability credential is closed: a member
    /// that is not known here refuses it.
    ///
    /// # Errors
    /// The member at fault.
    pub fn read(object: &Object, at: &Path<'_>) -> Result<Self, Reason> {
        let members = Members::of_object(object, at);
        let (model, contexts) = contexts(&members)?;
        let types = types(&members, CREDENTIAL_TYPE)?;
        let is_capability = types.contains(&CAPABILITY_CREDENTIAL_TYPE);
        if is_capability && model != DataModel::V2 {
            let text = format!("a capability credential begins with the context {CREDENTIALS_CONTEXT}");
            return Err(Reason::new(
                DenialCode::ContextUnknown,
                members.at("@context").to_string(),
                text,
            ));
        }
        if is_capability && !contexts.iter().any(|one| one.as_str() == Some(CAPABILITY_CONTEXT)) {
            let text = format!("a capability credential has the context {CAPABILITY_CONTEXT}");
            return Err(Reason::new(
                DenialCode::ContextUnknown,
                members.at("@context").to_string(),
                text,
            ));
        }
        let id = members.optional_str("id")?;
        if id.is_some_and(|id| !is_url(id)) {
            return Err(members.error("id", "a URL").into());
        }
        let (valid_from, valid_until) = model.validity(&members)?;
        let credential = Self {
            model,
            id: id.map(str::to_owned),
            issuer: issuer(&members)?,
            valid_from,
            valid_until,
            status: status(&members, is_capability)?,
            delegated_from: delegated_from(&members, is_capability)?,
            subject: if is_capability {
                Subject::Capability(Box::new(CapabilitySubject::read(
                    &members.object("credentialSubject")?,
                )?))
            } else {
                other_subject(&members)?
            },
            types: types.into_iter().map(str::to_owned).collect(),
        };
        if is_capability {
            credential.require_capability_members(&members)?;
        }
        Ok(credential)
    }

    /// What a capability credential must have, and what it may have at most.
    fn require_capability_members(&self, members: &Members<'_, '_>) -> Result<(), Reason> {
        if !self.id.as_deref().is_some_and(|id| is_uuid_urn(id) || is_https(id)) {
            return Err(members.error("id", "a UUID URN or an https URL").into());
        }
        if self.valid_from.is_none() {
            return Err(members.error("validFrom", TIME).into());
        }
        if self.valid_until.is_none() {
            return Err(members.error("validUntil", TIME).into());
        }
        if !self
            .status
            .iter()
            .any(|entry| entry.purpose == StatusPurpose::Revocation)
        {
            return Err(Reason::new(
                DenialCode::StatusMissing,
                members.at("credentialStatus").to_string(),
                "a capability credential has a revocation entry: issue it again with one",
            ));
        }
        for name in ["name", "description"] {
            if members.optional_str(name)?.is_some_and(|text| !is_presentable(text)) {
                return Err(members.error(name, NAME).into());
            }
        }
        members.optional("proof");
        Ok(members.finish_closed()?)
    }

    /// The agent and what it may do, if this is a capability credential.
    #[must_use]
    pub fn capability_subject(&self) -> Option<&CapabilitySubject> {
        match &self.subject {
            Subject::Capability(subject) => Some(subject),
            Subject::Other { .. } => None,
        }
    }

    /// The id of the subject, if there is one.
    #[must_use]
    pub fn subject_id(&self) -> Option<&str> {
        match &self.subject {
            Subject::Capability(subject) => Some(subject.id.as_str()),
            Subject::Other { id } => id.as_deref(),
        }
    }
}

impl CapabilitySubject {
    fn read(members: &Members<'_, '_>) -> Result<Self, Reason> {
        let items = members.array("capability")?;
        if items.is_empty() {
            return Err(members.error("capability", "at least one capability").into());
        }
        if items.len() > CAPABILITIES {
            let text = format!("{} capabilities, and at most {CAPABILITIES} are read", items.len());
            return Err(Reason::new(
                DenialCode::DocumentTooLarge,
                members.at("capability").to_string(),
                text,
            ));
        }
        let capability = items
            .iter()
            .enumerate()
            .map(|(index, item)| Capability::read(item, &members.at("capability").item(index)))
            .collect::<Result<_, _>>()?;
        let name = members.str("name")?;
        if !is_presentable(name) {
            return Err(members.error("name", NAME).into());
        }
        let subject = Self {
            id: Did::parse(members.str("id")?).map_err(|_| members.error("id", "the agent's DID"))?,
            name: name.to_owned(),
            owner: Owner::read(&members.object("owner")?)?,
            capability,
            max_depth: max_depth(members)?,
        };
        members.finish_closed()?;
        Ok(subject)
    }
}

fn delegated_from(members: &Members<'_, '_>, is_capability: bool) -> Result<Option<CapabilityReference>, MemberError> {
    if !is_capability {
        return Ok(None); // a claim among others
    }
    let from = members.optional_object("delegatedFrom")?;
    from.map(|from| CapabilityReference::read(&from)).transpose()
}

fn max_depth(members: &Members<'_, '_>) -> Result<u8, MemberError> {
    let Some(delegation) = members.optional_object("delegation")? else {
        return Ok(0);
    };
    let depth = delegation.integer("maxDepth")?;
    delegation.finish_closed()?;
    u8::try_from(depth)
        .ok()
        .filter(|_| depth <= DELEGATION_DEPTH)
        .ok_or_else(|| delegation.error("maxDepth", "0 to 8"))
}

/// The contexts of a document, and the data model that the first of them names: known ones only.
pub(crate) fn contexts<'v>(members: &Members<'v, '_>) -> Result<(DataModel, &'v [Value]), Reason> {
    let refuse = |at: &Path<'_>, text: String| Err(Reason::new(DenialCode::ContextUnknown, at.to_string(), text));
    let here = members.at("@context");
    let items = match members.optional("@context") {
        Some(Value::Array(items)) => items.as_slice(),
        Some(one) => std::slice::from_ref(one),
        None => &[],
    };
    if items.len() > CONTEXTS {
        return refuse(
            &here,
            format!("{} contexts, and at most {CONTEXTS} are read", items.len()),
        );
    }
    let first = items.first().and_then(Value::as_str);
    let Some(model) = first.and_then(DataModel::of_context) else {
        let text =
            format!("the first context must be {CREDENTIALS_CONTEXT} or, for VCDM 1.1, {CREDENTIALS_V1_CONTEXT}");
        return refuse(&here, text);
    };
    for (index, item) in items.iter().enumerate() {
        match item.as_str() {
            Some(text) if index > 0 && DataModel::of_context(text).is_some() => {
                let text = "only the first context is one of a version of the data model";
                return refuse(&here.item(index), text.to_owned());
            }
            Some(text) if KNOWN_CONTEXTS.contains(&text) => {}
            Some(text) => {
                return refuse(
                    &here.item(index),
                    format!("the context {} is not known here, and none is fetched", Quoted(text)),
                );
            }
            None => {
                return refuse(
                    &here.item(index),
                    "a context written out in the document is not read".to_owned(),
                );
            }
        }
    }
    Ok((model, items))
}

/// The types of a document; `required` must be among them.
pub(crate) fn types<'v>(members: &Members<'v, '_>, required: &'static str) -> Result<Vec<&'v str>, Reason> {
    let value = members.required("type")?;
    let items = value.as_array().unwrap_or(std::slice::from_ref(value));
    if items.len() > TYPES {
        let text = format!("{} types, and at most {TYPES} are read", items.len());
        return Err(Reason::new(
            DenialCode::DocumentTooLarge,
            members.at("type").to_string(),
            text,
        ));
    }
    let mut types: Vec<&str> = Vec::with_capacity(items.len());
    for (index, item) in items.iter().enumerate() {
        match item.as_str() {
            Some(text) if !text.is_empty() && !types.contains(&text) => types.push(text),
            _ => {
                return Err(members.at("type").item(index).error("a type, each once").into());
            }
        }
    }
    if types.contains(&required) {
        Ok(types)
    } else {
        Err(members.error("type", required).into())
    }
}

/// `issuer` or `holder`: a URL, or an object with such an `id`.
pub(crate) fn party(members: &Members<'_, '_>, name: &'static str) -> Result<String, MemberError> {
    let value = members.required(name)?;
    value
        .as_str()
        .or_else(|| value.get("id")?.as_str())
        .filter(|text| is_url(text))
        .map(str::to_owned)
        .ok_or_else(|| members.error(name, "a DID or URL, or an object with one as its id"))
}

fn issuer(members: &Members<'_, '_>) -> Result<String, MemberError> {
    party(members, "issuer")
}

fn time(members: &Members<'_, '_>, name: &str) -> Result<Option<Timestamp>, MemberError> {
    members
        .optional_str(name)?
        .map(|text| Timestamp::parse(text).map_err(|_| members.error(name, TIME)))
        .transpose()
}

/// The status entries. One that is not understood makes the status unknown, which is a refusal.
fn status(members: &Members<'_, '_>, required: bool) -> Result<Vec<StatusEntry>, Reason> {
    let Some(value) = members.optional("credentialStatus") else {
        return Ok(Vec::new());
    };
    let here = members.at("credentialStatus");
    let listed = value.as_array();
    let items = listed.unwrap_or(std::slice::from_ref(value));
    if items.len() > STATUS_ENTRIES {
        let text = format!("{} status entries, and at most {STATUS_ENTRIES} are read", items.len());
        return Err(Reason::new(DenialCode::DocumentTooLarge, here.to_string(), text));
    }
    if items.is_empty() && !required {
        return Err(members.error("credentialStatus", "at least one entry").into());
    }
    items
        .iter()
        .enumerate()
        .map(|(index, item)| {
            let item_at = here.item(index);
            let at = if listed.is_some() { &item_at } else { &here };
            StatusEntry::read(item, at).map_err(|error| {
                let text = format!("the status cannot be judged: expected {}", error.expected);
                Reason::new(DenialCode::StatusUnknown, error.path, text)
            })
        })
        .collect()
}

fn other_subject(members: &Members<'_, '_>) -> Result<Subject, MemberError> {
    let value = members.required("credentialSubject")?;
    let subjects = value.as_array().unwrap_or(std::slice::from_ref(value));
    if subjects.is_empty()
        || !subjects
            .iter()
            .all(|one| one.as_object().is_some_and(|object| !object.is_empty()))
    {
        return Err(members.error("credentialSubject", "an object with members, or an array of such"));
    }
    let listed = value.as_array().is_some();
    let here = members.at("credentialSubject");
    for (index, subject) in subjects.iter().enumerate() {
        let item = here.item(index);
        let at = if listed { &item } else { &here };
        if subject.get("id").is_some_and(|id| !id.as_str().is_some_and(is_url)) {
            return Err(at.member("id").error("a URL"));
        }
    }
    let id = match subjects {
        [only] => only.get("id").and_then(Value::as_str),
        _ => None,
    };
    Ok(Subject::Other {
        id: id.map(str::to_owned),
    })
}
