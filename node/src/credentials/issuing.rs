//! Issuing: what is filled in, what is refused, and that nothing leaves before it is stored.

use std::sync::Arc;

use syndic_vc::credential::{self, envelope};
use syndic_vc::document::Purpose;
use syndic_vc::enveloped;
use syndic_vc::json::{Object, Value};
use syndic_vc::object;
use syndic_vc::proof::{self, IssueError, ProofOptions};
use syndic_vc::status::StatusPurpose;
use syndic_vc::time::Timestamp;

use super::{CredentialError, Issued, anchoring, digest_name};
use crate::agents::{self, Agent, AgentError};
use crate::clock;
use crate::instances::{self, Instance, InstanceKey, IssuerKey};
use crate::node::Node;
use crate::records;
use crate::status_lists;
use crate::store::{ApplyError, Batch};

/// Validity of a capability credential when none is asked for, in seconds.
pub const DEFAULT_VALIDITY_SECONDS: i64 = 24 * 3_600;
/// Two issuers drawing the same entry at once is a chance of one in 131,072; three times in a row does not happen.
pub(super) const MAX_ISSUE_ATTEMPTS: usize = 8;
/// The context every credential of VCDM 1.1 begins with.
const CREDENTIALS_CONTEXT_1: &str = "https://www.w3.org/2018/credentials/v1";
/// What gives a Data Integrity proof its terms in a credential of VCDM 1.1.
const PROOF_CONTEXTS: [&str; 2] = [
    "https://w3id.org/security/data-integrity/v2",
    "https://w3id.org/security/data-integrity/v1",
];

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

/// A credential to be issued.
#[derive(Clone, Debug)]
pub struct IssueRequest {
    /// The document, unsigned.
    pub document: Value,
    /// The status entries it is to get; those of the instance if absent.
    pub status: Option<Vec<StatusPurpose>>,
    /// Whether an `issuer` that is missing is filled in, or is a mistake.
    pub fill_issuer: bool,
}

/// Issues a capability credential to an agent of this organization.
///
/// # Errors
/// [`CredentialError`]; then nothing was issued.
pub async fn issue_to_agent(
    node: &Arc<Node>,
    agent: &str,
    grant: Grant,
    instance: &Instance,
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
    let request = IssueRequest {
        document,
        status: None,
        fill_issuer: true,
    };
    issue(node, instance, request, now).await
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

/// Issues any credential of VCDM 2.0 or 1.1 whose issuer is the instance's. A capability credential gets a revocation
/// entry, and its subject must be an agent in service here.
///
/// # Errors
/// [`CredentialError`]; then nothing was issued.
pub async fn issue(
    node: &Arc<Node>,
    instance: &Instance,
    request: IssueRequest,
    now: Timestamp,
) -> Result<Issued, CredentialError> {
    let Value::Object(document) = request.document else {
        return Err(invalid("/credential", "must be an object"));
    };
    let key = match instance.key {
        InstanceKey::Ed25519 => instances::key_of_organization(node, issuer_of(&document)),
        _ => instances::key(node, instance).await?,
    };
    let draft = Draft::new(document, &key, instance, request.status, request.fill_issuer, now)?;
    let _in_service = node.agents_gate.read().await;
    if draft.capability {
        check_agent(node, draft.subject.as_deref().unwrap_or_default(), now)?;
    }
    for _ in 0..MAX_ISSUE_ATTEMPTS {
        match attempt(node, &draft, &key, instance, now).await {
            Err(CredentialError::Store(ApplyError::Expectation { key })) => {
                if !key.starts_with(records::STATUS_INDEX.as_bytes()) {
                    return Err(CredentialError::Taken(draft.id));
                }
            }
            other => return other,
        }
    }
    Err(CredentialError::Store(ApplyError::Expectation {
        key: records::STATUS_INDEX.as_bytes().to_vec(),
    }))
}

pub(super) fn invalid(at: &'static str, what: impl Into<String>) -> CredentialError {
    CredentialError::Invalid { at, what: what.into() }
}

/// Whether the subject's name and owner are the registered ones is this node's to say; verifiers rely on it.
pub(super) fn check_agent(node: &Node, agent: &str, now: Timestamp) -> Result<(), CredentialError> {
    let registered = agents::find(node, agent)?;
    match registered.retired_at(now) {
        Some(_) => Err(AgentError::Retired(registered.name).into()),
        None if registered.suspended.is_some() => Err(AgentError::Suspended(registered.name).into()),
        None => Ok(()),
    }
}

/// A document that was looked at, without its status entries and its proof.
pub(super) struct Draft {
    document: Object,
    id: String,
    subject: Option<String>,
    valid_until: Option<Timestamp>,
    capability: bool,
    status: Vec<StatusPurpose>,
}

impl Draft {
    pub(super) fn new(
        mut document: Object,
        key: &IssuerKey<'_>,
        instance: &Instance,
        status: Option<Vec<StatusPurpose>>,
        fill_issuer: bool,
        now: Timestamp,
    ) -> Result<Self, CredentialError> {
        let capability = is_capability_credential(&document);
        if capability && !key.is_organization {
            return Err(invalid(
                "/credential/type",
                "capability credentials are issued by the organization itself: use an instance with key ed25519",
            ));
        }
        let mut status = status.unwrap_or_else(|| instance.status.iter().copied().map(Into::into).collect());
        if capability && !status.contains(&StatusPurpose::Revocation) {
            status.insert(0, StatusPurpose::Revocation);
        }
        check_status_asked(&document, &status, key)?;
        if fill_issuer && !document.contains_key("issuer") {
            document.insert("issuer", key.did.as_str());
        }
        if !document.contains_key("id") {
            document.insert("id", crate::keys::random_urn_uuid()?);
        }
        if is_version_1(&document) {
            complete_version_1(&mut document, instance, now)?;
        }
        if !capability {
            // A capability credential can only be judged with its status entry. What can be refused now must not cost
            // an entry.
            check_unsigned(&document)?;
        }
        check_issuer(&document, key)?;
        let text = |member: &Value| member.as_str().map(str::to_owned);
        let until = document.get("validUntil").or_else(|| document.get("expirationDate"));
        Ok(Self {
            id: document.get("id").and_then(text).unwrap_or_default(),
            subject: document
                .get("credentialSubject")
                .and_then(|subject| subject.get("id"))
                .and_then(text),
            valid_until: until
                .and_then(Value::as_str)
                .and_then(|text| Timestamp::parse(text).ok()),
            capability,
            status,
            document,
        })
    }
}

fn check_status_asked(document: &Object, status: &[StatusPurpose], key: &IssuerKey<'_>) -> Result<(), CredentialError> {
    if status.is_empty() {
        return Ok(());
    }
    if !key.is_organization {
        return Err(invalid(
            "/options/statusPurposes",
            "only credentials of the organization itself can have status entries: use an instance with key ed25519",
        ));
    }
    if document.contains_key("credentialStatus") {
        return Err(invalid(
            "/credential/credentialStatus",
            "is chosen by the node for this credential; leave it out",
        ));
    }
    Ok(())
}

fn first_context(document: &Object) -> Option<&str> {
    match document.get("@context") {
        Some(Value::Array(contexts)) => contexts.first().and_then(Value::as_str),
        Some(one) => one.as_str(),
        None => None,
    }
}

fn is_version_1(document: &Object) -> bool {
    first_context(document) == Some(CREDENTIALS_CONTEXT_1)
}

/// VCDM 1.1 has no terms for a Data Integrity proof, and asks when the credential was issued.
fn complete_version_1(document: &mut Object, instance: &Instance, now: Timestamp) -> Result<(), CredentialError> {
    if instance.suite.data_integrity().is_none() {
        return Err(invalid(
            "/credential/@context/0",
            format!(
                "a vc+jwt holds credentials of VCDM 2.0 only: use {} or another instance",
                credential::CREDENTIALS_CONTEXT
            ),
        ));
    }
    let mut contexts = match document.get("@context") {
        Some(Value::Array(contexts)) => contexts.clone(),
        Some(one) => vec![one.clone()],
        None => Vec::new(),
    };
    let has_terms = |context: &Value| context.as_str().is_some_and(|text| PROOF_CONTEXTS.contains(&text));
    if !contexts.iter().any(has_terms) {
        contexts.push(PROOF_CONTEXTS[0].into());
        document.insert("@context", contexts);
    }
    if !document.contains_key("issuanceDate") {
        document.insert("issuanceDate", now.to_string());
    }
    Ok(())
}

fn check_unsigned(document: &Object) -> Result<(), CredentialError> {
    envelope::check_unsigned(&Value::Object(document.clone())).map_err(CredentialError::Refused)
}

pub(super) fn issuer_of(document: &Object) -> Option<&str> {
    let issuer = document.get("issuer")?;
    issuer.get("id").unwrap_or(issuer).as_str()
}

fn check_issuer(document: &Object, key: &IssuerKey<'_>) -> Result<(), CredentialError> {
    if issuer_of(document) == Some(key.did.as_str()) {
        return Ok(());
    }
    Err(invalid(
        "/credential/issuer",
        format!(
            "must be {}, the issuer whose key signs here; GET /issuers lists the others",
            key.did.as_str()
        ),
    ))
}

async fn attempt(
    node: &Arc<Node>,
    draft: &Draft,
    key: &IssuerKey<'_>,
    instance: &Instance,
    now: Timestamp,
) -> Result<Issued, CredentialError> {
    let issued = signed(node, draft, key, instance, now).await?;
    anchoring::store(node, &issued, now).await?;
    Ok(issued)
}

/// The credential with entries that are free now; nobody may see it before [`rows`] are stored.
pub(super) async fn signed(
    node: &Arc<Node>,
    draft: &Draft,
    key: &IssuerKey<'_>,
    instance: &Instance,
    now: Timestamp,
) -> Result<Issued, CredentialError> {
    let mut document = draft.document.clone();
    let mut entries = Vec::with_capacity(draft.status.len());
    for purpose in &draft.status {
        entries.push(status_lists::draw(node, *purpose, now).await?);
    }
    match entries.as_slice() {
        [] => {}
        [only] => drop(document.insert("credentialStatus", only.in_credential().to_json())),
        several => {
            let several: Vec<Value> = several.iter().map(|entry| entry.in_credential().to_json()).collect();
            document.insert("credentialStatus", several);
        }
    }
    check_unsigned(&document)?;
    Ok(Issued {
        id: draft.id.clone(),
        agent: draft.subject.clone(),
        issued: now,
        document: sign(document, key, instance, now)?,
        valid_until: draft.valid_until,
        entries,
    })
}

fn sign(document: Object, key: &IssuerKey<'_>, instance: &Instance, now: Timestamp) -> Result<Value, CredentialError> {
    let signed = match instance.suite.data_integrity() {
        None => enveloped::sign_credential(&document, &key.method, key.signer()),
        Some(suite) => {
            let options = ProofOptions::new(Purpose::AssertionMethod, &key.method, now).in_suite(suite);
            proof::sign(document, &options, key.signer())
        }
    };
    signed.map_err(|error| match error {
        IssueError::Refused(reason) => CredentialError::Refused(reason),
        IssueError::Sign(error) => CredentialError::Sign(error),
    })
}

pub(super) fn is_capability_credential(document: &Object) -> bool {
    match document.get("type") {
        Some(Value::Array(types)) => types
            .iter()
            .any(|name| name.as_str() == Some(credential::CAPABILITY_CREDENTIAL_TYPE)),
        Some(Value::String(name)) => name == credential::CAPABILITY_CREDENTIAL_TYPE,
        _ => false,
    }
}

/// What is stored of a credential, its entries with it; each must be free.
pub(super) fn rows(issued: &Issued) -> Batch {
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
    for entry in &issued.entries {
        batch.expectations.push((entry.key(), None));
        batch.writes.push((entry.key(), Some(issued.id.clone().into_bytes())));
    }
    batch
}
