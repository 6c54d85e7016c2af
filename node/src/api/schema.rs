//! The shapes of requests and answers, for the OpenAPI document.
//!
//! Nothing is parsed into these types: requests pass the strict reader, and answers are built as JSON. They describe
//! what the handlers do, and the whole of it is held against a running node by the tests.

pub mod decisions;
pub mod keys;
pub mod requests;
pub mod tokens;
pub mod vc;

use serde::Serialize;
use utoipa::openapi::schema::AdditionalProperties;
use utoipa::openapi::{ObjectBuilder, RefOr, Schema};
use utoipa::{IntoResponses, PartialSchema, ToSchema};

/// Any JSON object whose members this interface does not fix: a signed document, a DID document, claims.
#[derive(Debug, Serialize)]
pub struct Document(pub serde_json::Map<String, serde_json::Value>);

impl PartialSchema for Document {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .additional_properties(Some(AdditionalProperties::FreeForm(true)))
            .into()
    }
}

impl ToSchema for Document {}

/// An RFC 9457 problem document.
#[derive(Debug, Serialize, ToSchema)]
pub struct ProblemDocument {
    /// A URL that names the kind of problem; stable.
    #[serde(rename = "type")]
    #[schema(example = "https://syndic.example/problems/bad-request")]
    pub kind: String,
    /// The kind in a few words.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What was wrong this time, and what to do.
    pub detail: String,
}

/// How a request can be refused before anything was decided. None of these changed anything.
#[derive(Debug, IntoResponses)]
pub enum Refused {
    /// The request is malformed; the problem names the member at fault.
    #[response(status = 400, content_type = "application/problem+json")]
    Malformed(ProblemDocument),
    /// A page of another origin asked.
    #[response(status = 403, content_type = "application/problem+json")]
    Origin(ProblemDocument),
    /// There is no such thing.
    #[response(status = 404, content_type = "application/problem+json")]
    Missing(ProblemDocument),
    /// The request did not arrive in time.
    #[response(status = 408, content_type = "application/problem+json")]
    Slow(ProblemDocument),
    /// The body is larger than 1 MiB.
    #[response(status = 413, content_type = "application/problem+json")]
    Large(ProblemDocument),
    /// The body is not `application/json`.
    #[response(status = 415, content_type = "application/problem+json")]
    MediaType(ProblemDocument),
    /// The request names a host that this listener does not answer for.
    #[response(status = 421, content_type = "application/problem+json")]
    Host(ProblemDocument),
    /// More requests than this listener answers from one address; `Retry-After` says when.
    #[response(status = 429, content_type = "application/problem+json")]
    Rate(ProblemDocument),
    /// Not now: the store does not answer, or the node is overloaded. Nothing was acknowledged.
    #[response(status = 503, content_type = "application/problem+json")]
    Unavailable(ProblemDocument),
}

/// How a call of the admin listener can be refused, beside [`Refused`].
#[derive(Debug, IntoResponses)]
pub enum AdminRefused {
    /// No token, or a wrong one.
    #[response(status = 401, content_type = "application/problem+json")]
    Token(ProblemDocument),
    /// The request does not fit what is there: a name or an id is taken, or the thing has ended.
    #[response(status = 409, content_type = "application/problem+json")]
    Conflict(ProblemDocument),
}

/// One reason of a decision.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReasonShape {
    /// A stable code (document 2 lists them).
    #[schema(example = "revoked")]
    pub code: String,
    /// For people: what is wrong and what to do.
    pub message: String,
    /// JSON Pointer to the member at fault.
    pub at: String,
}

/// How old the knowledge about one issuer is.
#[derive(Debug, Serialize, ToSchema)]
pub struct AsOfShape {
    /// The issuer's DID.
    pub issuer: String,
    /// What is known of its log.
    pub head: serde_json::Value,
    /// When that was vouched for.
    pub time: String,
    /// Who else has seen it.
    pub witnessed: WitnessedShape,
}

/// Which other members have lately cosigned what was used.
#[derive(Debug, Serialize, ToSchema)]
pub struct WitnessedShape {
    /// How many have.
    pub by: u32,
    /// How many could have.
    pub of: u32,
    /// How many statements those that are needed have all seen.
    pub size: u64,
    /// Since when those that are needed have all cosigned.
    pub time: Option<String>,
}

/// A decision: allowed or not, why, and how fresh that is.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct DecisionShape {
    /// `allow`, `deny` or `approvalRequired`.
    #[schema(pattern = "^(allow|deny|approvalRequired)$")]
    pub decision: String,
    /// Why not; empty when it is allowed.
    pub reasons: Vec<ReasonShape>,
    /// Whom it is about, if that was established.
    pub subject: Option<String>,
    /// Who answers for it.
    pub owner: Option<Document>,
    /// The credentials it rests on.
    pub chain: Vec<String>,
    /// How old the knowledge about each issuer is.
    pub as_of: Vec<AsOfShape>,
    /// Which steps passed.
    pub checked: Vec<String>,
}

/// "You may act on this."
#[derive(Debug, Serialize, ToSchema)]
pub struct Allowed {
    /// Always true.
    pub verified: bool,
    /// The decision.
    pub decision: DecisionShape,
}

/// A refusal: a problem document that holds the decision too. The same shape answers a request that could not be
/// understood, without the decision.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Denial {
    /// A URL that names the first reason.
    #[serde(rename = "type")]
    pub kind: String,
    /// The code of the first reason.
    pub title: String,
    /// 400.
    pub status: u16,
    /// The first reason, for people.
    pub detail: String,
    /// Always false, where a decision was made.
    pub verified: Option<bool>,
    /// Every reason.
    pub problem_details: Option<Vec<Document>>,
    /// The decision.
    pub decision: Option<DecisionShape>,
}

/// What a verification answers.
#[derive(Debug, IntoResponses)]
pub enum Verdict {
    /// It may be acted on.
    #[response(status = 200)]
    Allow(Allowed),
    /// It may not, or the request was not understood.
    #[response(status = 400, content_type = "application/problem+json")]
    Deny(Denial),
}

/// Where a statement stands in an organization's log.
#[derive(Debug, Serialize, ToSchema)]
pub struct Place {
    /// The organization's DID.
    pub organization: String,
    /// The index in its log.
    pub index: i64,
}

/// Where the statement that was just published stands.
#[derive(Debug, Serialize, ToSchema)]
pub struct Published {
    /// Its place.
    pub statement: Place,
}

/// Who answers for an agent.
#[derive(Debug, Serialize, ToSchema)]
pub struct OwnerShape {
    /// A DID or URL.
    #[schema(min_length = 1)]
    pub id: String,
    /// A name for people.
    pub name: Option<String>,
}

/// An agent.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AgentShape {
    /// Its DID.
    pub did: String,
    /// Its name, unique in the organization.
    pub name: String,
    /// Who answers for it.
    pub owner: OwnerShape,
    /// When it was registered.
    pub created: String,
    /// When it was retired, if it was.
    pub retired: Option<String>,
    /// Since when it is suspended, if it is.
    pub suspended: Option<String>,
    /// `node` or `agent`.
    pub key_held_by: String,
    /// What took its place, if anything did.
    pub successor: Option<SuccessorShape>,
}

/// The DID that takes an agent's place.
#[derive(Debug, Serialize, ToSchema)]
pub struct SuccessorShape {
    /// The DID.
    pub did: String,
    /// From when the agent counts as retired.
    pub until: String,
}

/// How an agent is to be succeeded: `overlapSeconds` at most if this node holds its key, the others if it does itself.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct NewSuccession {
    /// For how long both work, in seconds; an hour if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0, maximum = 7_776_000)]
    pub overlap_seconds: Option<i64>,
    /// The new `did:key`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub did: Option<String>,
    /// From when the old DID counts as retired, in whole seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
    /// The old key's signature over agent, organization, successor and until (document 7), in multibase base58btc.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proof: Option<String>,
}

/// The agent under its new DID.
#[derive(Debug, Serialize, ToSchema)]
pub struct SuccessionAnswer {
    /// The successor, which has the name now.
    pub agent: AgentShape,
    /// The agent that was succeeded.
    pub predecessor: AgentShape,
    /// Credentials that were issued again.
    pub credentials: Vec<ReissuedShape>,
}

/// A credential that was issued again.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReissuedShape {
    /// Its id.
    pub id: String,
    /// The id of the one it stands beside.
    pub replaces: String,
}

/// One agent.
#[derive(Debug, Serialize, ToSchema)]
pub struct AgentAnswer {
    /// The agent.
    pub agent: AgentShape,
}

/// One agent and the credentials it holds.
#[derive(Debug, Serialize, ToSchema)]
pub struct AgentWithCredentials {
    /// The agent.
    pub agent: AgentShape,
    /// The ids of its credentials.
    pub credentials: Vec<String>,
}

/// All agents.
#[derive(Debug, Serialize, ToSchema)]
pub struct AgentList {
    /// The agents.
    pub agents: Vec<AgentShape>,
}

/// An agent to be registered.
#[derive(Debug, Serialize, ToSchema)]
pub struct NewAgent {
    /// Its name, unique in the organization.
    #[schema(min_length = 1)]
    pub name: String,
    /// Who answers for it; an agent without an owner is not registered.
    pub owner: OwnerShape,
    /// Its DID, if it has one already: a `did:key` whose key it holds, or a `did:webvh` of this node.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub did: Option<String>,
    /// The kind of DID that this node makes for it: `did:key` (default) or `did:webvh`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(pattern = "^did:(key|webvh)$")]
    pub method: Option<String>,
    /// The host in its `did:webvh`; without it, that of the node's public URL.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
}

/// A presentation to be signed for an agent.
#[derive(Debug, Serialize, ToSchema)]
pub struct PresentationRequestShape {
    /// Ids of credentials, or credentials.
    pub credentials: Vec<serde_json::Value>,
    /// The verifier's challenge.
    pub challenge: String,
    /// The verifier's domain.
    pub domain: String,
    /// `eddsa-jcs-2022` (default), `eddsa-rdfc-2022` or `jose`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub suite: Option<String>,
}

/// A signed presentation.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Presented {
    /// The presentation.
    pub verifiable_presentation: Document,
}

/// An action to be signed for an agent.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct NewAction {
    /// The id of the credential that allows it, or the credential.
    pub credential: serde_json::Value,
    /// What is done.
    pub action: String,
    /// To what.
    pub resource: String,
    /// The scope of the capability, if it has one.
    pub scope: Option<String>,
    /// The credentials that one was handed on from: its parent first, the root last.
    pub chain: Option<Vec<Document>>,
    /// The parameters.
    pub parameters: Option<Document>,
    /// What it is for: a purpose of use of specs/02, section 2.4.
    pub purpose: Option<String>,
    /// The verifier's DID.
    pub audience: String,
    /// How long the action may be carried out.
    pub expires_in_seconds: Option<i64>,
}

/// What an agent hands on.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct NewDelegation {
    /// The id of the credential that the agent holds, or the credential.
    pub credential: serde_json::Value,
    /// The credentials that one was handed on from: its parent first, the root last.
    pub chain: Option<Vec<Document>>,
    /// The DID of the agent that gets it.
    pub to: String,
    /// What is shown to people as that agent's name.
    pub name: Option<String>,
    /// What of it is handed on; all if absent.
    pub capability: Option<Vec<Document>>,
    /// As in a credential; `maxDepth` goes before it.
    pub delegation: Option<Document>,
    /// How many times it may be handed on again; 0 if absent.
    pub max_depth: Option<i64>,
    /// How long it is valid; 24 h if absent, or as long as the credential.
    pub valid_for_seconds: Option<i64>,
}

/// What was handed on, with all above it.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Delegated {
    /// The new credential.
    pub verifiable_credential: Document,
    /// The credentials it was handed on from: its parent first, the root last.
    pub chain: Vec<Document>,
}

/// A signed action and its credential: the body of `/actions/verify`.
#[derive(Debug, Serialize, ToSchema)]
pub struct ActionEnvelope {
    /// The action.
    pub action: Document,
    /// The credential it is done under.
    pub credential: Document,
    /// The credentials that one was handed on from: its parent first, the root last.
    pub chain: Option<Vec<Document>>,
}

/// A right that is granted.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct GrantShape {
    /// The DID of who may.
    pub entity: String,
    /// The action, exactly.
    pub action: String,
    /// The resource; a final `/*` covers what is below.
    pub resource: String,
    /// From when on.
    pub valid_from: Option<String>,
    /// Until when.
    pub valid_until: Option<String>,
}

/// A right that is taken back.
#[derive(Debug, Serialize, ToSchema)]
pub struct WithdrawalShape {
    /// The DID of who no longer may.
    pub entity: String,
    /// The action, exactly.
    pub action: String,
    /// The resource, exactly as granted.
    pub resource: String,
}

/// Another authority that is recognized.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RecognitionShape {
    /// The authority's DID.
    pub authority: String,
    /// The action, exactly.
    pub action: String,
    /// The resource.
    pub resource: String,
    /// From when on.
    pub valid_from: Option<String>,
    /// Until when.
    pub valid_until: Option<String>,
}

/// A recognition that is taken back.
#[derive(Debug, Serialize, ToSchema)]
pub struct RecognitionWithdrawal {
    /// The authority's DID.
    pub authority: String,
    /// The action, exactly.
    pub action: String,
    /// The resource, exactly as recognized.
    pub resource: String,
}

/// A question of the ToIP Trust Registry Query Protocol, version 2.
#[derive(Debug, Serialize, ToSchema)]
pub struct TrustQuestion {
    /// Whom it is about.
    #[schema(min_length = 1)]
    pub entity_id: String,
    /// Whose word is asked for: a member's DID or the consortium's id.
    #[schema(min_length = 1)]
    pub authority_id: String,
    /// The action.
    #[schema(min_length = 1)]
    pub action: String,
    /// The resource.
    #[schema(min_length = 1)]
    pub resource: String,
    /// `time` asks about another moment; other members are echoed.
    pub context: Option<Document>,
}

/// The answer to it.
#[derive(Debug, Serialize, ToSchema)]
pub struct TrustAnswer {
    /// As asked.
    pub entity_id: String,
    /// As asked.
    pub authority_id: String,
    /// As asked.
    pub action: String,
    /// As asked.
    pub resource: String,
    /// The answer to `/authorization`.
    pub authorized: Option<bool>,
    /// The answer to `/recognition`.
    pub recognized: Option<bool>,
    /// When it was answered.
    pub time_evaluated: String,
    /// About which moment, if one was asked for.
    pub time_requested: Option<String>,
    /// As asked.
    pub context: Option<Document>,
    /// For people.
    pub message: String,
    /// How old the knowledge of each log is that the answer rests on, and who else has seen it.
    #[serde(rename = "asOf")]
    pub as_of: Vec<AsOfShape>,
    /// With `?proof=1`: the statements that the answer rests on, each with an inclusion proof to a signed head (document 9).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proof: Option<Document>,
}
