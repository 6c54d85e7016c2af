//! Signing for the agents whose keys this node holds: presentations and actions.

use std::sync::Arc;

use multibase::Base;
use syndic_vc::action::{ActionDraft, Parameter, Parameters};
use syndic_vc::canonical;
use syndic_vc::capability::{Action, Resource, Scope};
use syndic_vc::constraint::PurposeOfUse;
use syndic_vc::did::{Did, DidUrl};
use syndic_vc::enveloped::{self, Answer};
use syndic_vc::http_signature::{
    self, CAPABILITY, CONTENT_DIGEST, Content, HttpRequest, RequestError, SIGNATURE, SIGNATURE_INPUT, content_digest,
};
use syndic_vc::json::members::Path;
use syndic_vc::json::{Object, Value};
use syndic_vc::limits::ACTION_WINDOW_SECONDS;
use syndic_vc::presentation::PresentationDraft;
use syndic_vc::proof::IssueError;
use syndic_vc::time::Timestamp;

use crate::agents;
use crate::clock;
use crate::credentials::{self, CredentialError};
use crate::instances::InstanceSuite;
use crate::keys;
use crate::node::Node;

/// How long a signed action may be used when nothing else is asked for, in seconds.
pub const DEFAULT_ACTION_SECONDS: i64 = 300;

/// A credential named by its id here, or given whole.
///
/// # Errors
/// [`CredentialError`] if the id is unknown or the value is neither text nor an object.
pub fn credential_of(node: &Node, given: &Value, at: &'static str) -> Result<Value, CredentialError> {
    match given {
        Value::String(id) => Ok(credentials::find(node, id)?.document),
        Value::Object(_) => Ok(given.clone()),
        _ => Err(CredentialError::Invalid {
            at,
            what: "must be a credential's id or the credential".to_owned(),
        }),
    }
}

/// What an agent is to do.
pub struct ActionRequest {
    /// The credential that allows it.
    pub credential: Value,
    /// The verb.
    pub action: String,
    /// What it is done to.
    pub resource: String,
    /// The scope label of the capability.
    pub scope: Option<String>,
    /// Parameters that constraints speak of.
    pub parameters: Object,
    /// What it is for.
    pub purpose: Option<String>,
    /// Whom it is shown to.
    pub audience: Did,
    /// For how long, in seconds.
    pub seconds: i64,
}

/// Signs an action for an agent.
///
/// # Errors
/// [`CredentialError`].
pub fn sign_action(
    node: &Arc<Node>,
    agent: &str,
    request: ActionRequest,
    now: Timestamp,
) -> Result<Value, CredentialError> {
    let agent = agents::find(node, agent)?;
    let (method, signer) = agents::signer(node, &agent, now)?;
    let invalid = |at: &'static str, what: &str| CredentialError::Invalid {
        at,
        what: what.to_owned(),
    };
    let mut parameters = Parameters::new();
    for (name, value) in request.parameters.iter() {
        let parameter = Parameter::read(value, &Path::ROOT)
            .map_err(|error| invalid("/parameters", &format!("{name}: must be {}", error.expected)))?;
        parameters.insert(name.to_owned(), parameter);
    }
    let draft = ActionDraft {
        id: keys::random_urn_uuid()?,
        action: Action::parse(&request.action)
            .ok_or_else(|| invalid("/action", "must be a lower-case word such as read, write or call"))?,
        resource: Resource::parse(&request.resource).ok_or_else(|| {
            invalid(
                "/resource",
                "must be a path such as tickets/4711, without * and dot segments",
            )
        })?,
        scope: match request.scope {
            Some(scope) => Some(Scope::parse(&scope).ok_or_else(|| invalid("/scope", "must be a label"))?),
            None => None,
        },
        parameters,
        purpose: match request.purpose {
            Some(label) => Some(PurposeOfUse::parse(&label).ok_or_else(|| {
                let labels: Vec<&str> = PurposeOfUse::ALL.iter().map(|one| one.as_str()).collect();
                invalid("/purpose", &format!("must be one of {}", labels.join(", ")))
            })?),
            None => None,
        },
        audience: request.audience,
        created: now,
        expires: clock::later(now, request.seconds),
        nonce: keys::random_base64url::<24>()?,
        credential: &request.credential,
        agent: agent.did.clone(),
    };
    Ok(draft.sign(&method, &signer)?)
}

/// An HTTP request that an agent is to send.
pub struct RequestToSign {
    /// The credential that allows it.
    pub credential: Value,
    /// The credentials that one was handed on from: its parent first, the root last.
    pub chain: Option<Value>,
    /// The method.
    pub method: String,
    /// The absolute URI.
    pub target: String,
    /// The content.
    pub content: Vec<u8>,
    /// For how long, in seconds.
    pub seconds: i64,
}

/// Signs an HTTP request for an agent (RFC 9421). Gives the fields to send, with their names.
///
/// # Errors
/// [`CredentialError`].
pub fn sign_request(
    node: &Arc<Node>,
    agent: &str,
    request: &RequestToSign,
    now: Timestamp,
) -> Result<Vec<(&'static str, String)>, CredentialError> {
    let agent = agents::find(node, agent)?;
    let (method, signer) = agents::signer(node, &agent, now)?;
    let invalid = |at: &'static str, what: String| CredentialError::Invalid { at, what };
    if !(1..=ACTION_WINDOW_SECONDS).contains(&request.seconds) {
        let what = format!("must be at most {ACTION_WINDOW_SECONDS}");
        return Err(invalid("/expiresInSeconds", what));
    }
    let mut enclosed = Object::new();
    enclosed.insert("credential", request.credential.clone());
    if let Some(chain) = &request.chain {
        enclosed.insert("chain", chain.clone());
    }
    let enclosed = canonical::to_bytes(&enclosed.into());
    let mut fields = vec![(CAPABILITY, format!(":{}:", Base::Base64Pad.encode(enclosed)))];
    if !request.content.is_empty() {
        fields.push((CONTENT_DIGEST, content_digest(&request.content)));
    }
    let named = fields.iter().map(|(name, value)| (*name, value.as_str()));
    let content = Content::of(&request.content);
    let received = HttpRequest::new(&request.method, &request.target, named, content).map_err(|error| {
        let at = match error {
            RequestError::Method => "/method",
            RequestError::Target => "/target",
            // The only fields are the credential and a digest.
            RequestError::Fields | RequestError::Field => "/credential",
        };
        invalid(at, format!("cannot be sent: {error}"))
    })?;
    let parameters = http_signature::Parameters {
        created: now,
        expires: clock::later(now, request.seconds),
        nonce: keys::random_base64url::<24>()?,
        key_id: DidUrl::parse(&method).map_err(|error| invalid("/agent", error.to_string()))?,
    };
    let signed = http_signature::sign(&received, &parameters, &signer).map_err(IssueError::Sign)?;
    fields.push((SIGNATURE_INPUT, signed.0));
    fields.push((SIGNATURE, signed.1));
    Ok(fields)
}

/// What an agent is to present, and to whom.
pub struct PresentRequest {
    /// The signed credentials.
    pub credentials: Vec<Value>,
    /// The verifier's challenge.
    pub challenge: String,
    /// The verifier's name.
    pub domain: String,
    /// How it is signed; the agent's key is Ed25519.
    pub suite: InstanceSuite,
}

/// Signs a presentation for an agent.
///
/// # Errors
/// [`CredentialError`].
pub fn present(
    node: &Arc<Node>,
    agent: &str,
    request: PresentRequest,
    now: Timestamp,
) -> Result<Value, CredentialError> {
    let agent = agents::find(node, agent)?;
    let (method, signer) = agents::signer(node, &agent, now)?;
    let draft = PresentationDraft {
        id: Some(keys::random_urn_uuid()?),
        holder: agent.did,
        credentials: request.credentials,
    };
    let (challenge, domain) = (request.challenge.as_str(), request.domain.as_str());
    let Some(suite) = request.suite.data_integrity() else {
        let document = draft.to_document().map_err(IssueError::Refused)?;
        let answer = Answer {
            challenge,
            domain,
            created: now,
        };
        return Ok(enveloped::sign_presentation(&document, &answer, &method, &signer)?);
    };
    Ok(draft.sign_in(suite, challenge, domain, &method, now, &signer)?)
}
