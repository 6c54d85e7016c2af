//! Agents of this organization, and signing for those whose keys the node holds.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use syndic_vc::did::Did;
use syndic_vc::json::{Object, Value};
use syndic_vc::object;

use crate::agents::{self, DEFAULT_OVERLAP_SECONDS, Owner, Succeeding};
use crate::api::{answer, schema};
use crate::http::problem::Problem;
use crate::http::strict_json::StrictJson;
use crate::instances::InstanceSuite;
use crate::node::Node;
use crate::wallet::{self, ActionRequest, DEFAULT_ACTION_SECONDS, PresentRequest, RequestToSign};
use crate::webvh::{self, NewDid};
use crate::{clock, credentials};

/// `POST /agents`
///
/// # Errors
/// 400 that names the member at fault, 409 if the name is taken, 503 if it could not be made durable.
#[utoipa::path(
    post,
    path = "/agents",
    tag = "agents",
    request_body = schema::NewAgent,
    responses((status = 201, description = "registered, durable", body = schema::AgentAnswer), schema::Refused, schema::AdminRefused),
    security(("admin_token" = [])),
)]
pub async fn create(State(node): State<Arc<Node>>, StrictJson(body, _): StrictJson) -> Result<Response, Problem> {
    answer::only(&body, &["name", "owner", "did", "method", "host"])?;
    let owner = body.get("owner").ok_or_else(|| {
        Problem::bad_request("/owner: is missing; an agent without a human owner is not registered".to_owned())
    })?;
    answer::only(owner, &["id", "name"]).map_err(|problem| answer::within("/owner", problem))?;
    let owner = Owner {
        id: answer::text(owner, "id")
            .map_err(|problem| answer::within("/owner", problem))?
            .to_owned(),
        name: answer::optional_text(owner, "name")
            .map_err(|problem| answer::within("/owner", problem))?
            .map(str::to_owned),
    };
    let name = answer::text(&body, "name")?;
    let did = identity(&node, &body, name, &owner).await?;
    let agent = agents::create(&node, name, owner, did, clock::now()).await?;
    Ok(answer::json(
        StatusCode::CREATED,
        &object! { "agent": agent.to_json(clock::now()) },
    ))
}

/// The DID that the request gives or asks for; `None` for a `did:key` of the node's making.
async fn identity(node: &Arc<Node>, body: &Value, name: &str, owner: &Owner) -> Result<Option<Did>, Problem> {
    let refused = |text: &str| Err(Problem::bad_request(text.to_owned()));
    let host = answer::optional_text(body, "host")?;
    let method = answer::optional_text(body, "method")?;
    if body.get("did").is_some() {
        return match (method, host) {
            (None, None) => answer::did(body, "did").map(Some),
            _ => refused("/did: says what the agent's DID is; leave `method` and `host` out"),
        };
    }
    match (method, host) {
        (None | Some("did:key"), None) => Ok(None),
        (None | Some("did:key"), Some(_)) => refused("/host: is part of a did:webvh; a did:key has none"),
        (Some("did:webvh"), host) => {
            // What can be refused now must not leave a DID without an agent.
            agents::check_new(node, name, owner)?;
            let new = NewDid {
                name: Some(name.to_ascii_lowercase().replace(['.', '_'], "-")),
                host: host.map(str::to_owned),
                for_agent: true,
                ..NewDid::default()
            };
            Ok(Some(webvh::create(node, new, clock::now()).await?.did))
        }
        _ => refused("/method: must be did:key or did:webvh"),
    }
}

/// `GET /agents`
///
/// # Errors
/// 503 if the store cannot be read.
#[utoipa::path(
    get,
    path = "/agents",
    tag = "agents",
    responses((status = 200, description = "all agents", body = schema::AgentList), schema::Refused, schema::AdminRefused),
    security(("admin_token" = [])),
)]
pub async fn list(State(node): State<Arc<Node>>) -> Result<Response, Problem> {
    let now = clock::now();
    let agents: Vec<Value> = agents::list(&node)?.iter().map(|agent| agent.to_json(now)).collect();
    Ok(answer::json(StatusCode::OK, &object! { "agents": agents }))
}

/// `GET /agents/{agent}`
///
/// # Errors
/// 404 if there is no such agent.
#[utoipa::path(
    get,
    path = "/agents/{agent}",
    tag = "agents",
    params(("agent" = String, Path, description = "the agent's DID or name")),
    responses((status = 200, description = "the agent", body = schema::AgentWithCredentials), schema::Refused, schema::AdminRefused),
    security(("admin_token" = [])),
)]
pub async fn show(State(node): State<Arc<Node>>, Path(agent): Path<String>) -> Result<Response, Problem> {
    let agent = agents::find(&node, &agent)?;
    let held = credentials::held_by(&node, &agent.did)?;
    let ids: Vec<Value> = held.iter().map(|issued| issued.id.as_str().into()).collect();
    Ok(answer::json(
        StatusCode::OK,
        &object! { "agent": agent.to_json(clock::now()), "credentials": ids },
    ))
}

/// `POST /agents/{agent}/retire`
///
/// # Errors
/// 404 if there is no such agent, 503 if it could not be made durable.
#[utoipa::path(
    post,
    path = "/agents/{agent}/retire",
    tag = "agents",
    params(("agent" = String, Path, description = "the agent's DID or name")),
    responses((status = 200, description = "retired, and its credentials revoked", body = schema::AgentAnswer), schema::Refused, schema::AdminRefused),
    security(("admin_token" = [])),
)]
pub async fn retire(State(node): State<Arc<Node>>, Path(agent): Path<String>) -> Result<Response, Problem> {
    let agent = agents::retire(&node, &agent, clock::now()).await?;
    Ok(answer::json(
        StatusCode::OK,
        &object! { "agent": agent.to_json(clock::now()) },
    ))
}

/// `POST /agents/{agent}/suspend`
///
/// # Errors
/// 404 if there is no such agent, 409 if it is retired, 503 if it could not be made durable.
#[utoipa::path(
    post,
    path = "/agents/{agent}/suspend",
    tag = "agents",
    params(("agent" = String, Path, description = "the agent's DID or name")),
    responses((status = 200, description = "suspended: what it does is refused by all", body = schema::AgentAnswer), schema::Refused, schema::AdminRefused),
    security(("admin_token" = [])),
)]
pub async fn suspend(State(node): State<Arc<Node>>, Path(agent): Path<String>) -> Result<Response, Problem> {
    set_suspended(&node, &agent, true).await
}

/// `POST /agents/{agent}/resume`
///
/// # Errors
/// As for [`suspend`].
#[utoipa::path(
    post,
    path = "/agents/{agent}/resume",
    tag = "agents",
    params(("agent" = String, Path, description = "the agent's DID or name")),
    responses((status = 200, description = "in service again", body = schema::AgentAnswer), schema::Refused, schema::AdminRefused),
    security(("admin_token" = [])),
)]
pub async fn resume(State(node): State<Arc<Node>>, Path(agent): Path<String>) -> Result<Response, Problem> {
    set_suspended(&node, &agent, false).await
}

async fn set_suspended(node: &Arc<Node>, agent: &str, suspended: bool) -> Result<Response, Problem> {
    let agent = agents::set_suspended(node, agent, suspended, clock::now()).await?;
    Ok(answer::json(
        StatusCode::OK,
        &object! { "agent": agent.to_json(clock::now()) },
    ))
}

/// `POST /agents/{agent}/succeed`
///
/// # Errors
/// 400 that names the member at fault, 404 if there is no such agent, 409 if it is retired or succeeded already, 503 if
/// it could not be made durable.
#[utoipa::path(
    post,
    path = "/agents/{agent}/succeed",
    tag = "agents",
    params(("agent" = String, Path, description = "the agent's DID or name")),
    request_body = schema::NewSuccession,
    responses((status = 201, description = "a new DID has the name, and its credentials; both work until the overlap ends", body = schema::SuccessionAnswer), schema::Refused, schema::AdminRefused),
    security(("admin_token" = [])),
)]
pub async fn succeed(
    State(node): State<Arc<Node>>,
    Path(agent): Path<String>,
    StrictJson(body, _): StrictJson,
) -> Result<Response, Problem> {
    answer::only(&body, &["overlapSeconds", "did", "until", "proof"])?;
    let now = clock::now();
    let done = agents::succeed(&node, &agent, succeeding(&body)?, now).await?;
    let again = |reissued: &credentials::Reissued| -> Value {
        object! { "id": reissued.id.as_str(), "replaces": reissued.replaces.as_str() }
    };
    let body = object! {
        "agent": done.successor.to_json(now),
        "predecessor": done.predecessor.to_json(now),
        "credentials": done.reissued.iter().map(again).collect::<Vec<_>>(),
    };
    Ok(answer::json(StatusCode::CREATED, &body))
}

fn succeeding(body: &Value) -> Result<Succeeding, Problem> {
    let given = ["did", "until", "proof"].iter().any(|name| body.get(name).is_some());
    match body.get("overlapSeconds") {
        Some(_) if given => Err(Problem::bad_request(
            "/overlapSeconds: is for an agent whose key this node holds; one that holds its own signs `until`"
                .to_owned(),
        )),
        None if given => Ok(Succeeding::ByAgent {
            did: answer::did(body, "did")?,
            until: answer::optional_time(body, "until")?
                .ok_or_else(|| Problem::bad_request("/until: is missing; give the time that was signed".to_owned()))?,
            proof: answer::text(body, "proof")?.to_owned(),
        }),
        None => Ok(Succeeding::ByNode {
            overlap_seconds: DEFAULT_OVERLAP_SECONDS,
        }),
        Some(seconds) => Ok(Succeeding::ByNode {
            overlap_seconds: seconds
                .as_i64()
                .ok_or_else(|| Problem::bad_request("/overlapSeconds: must be an integer".to_owned()))?,
        }),
    }
}

/// `POST /agents/{agent}/presentations`
///
/// # Errors
/// 400 that names the member at fault, 404 for an unknown agent or credential.
#[utoipa::path(
    post,
    path = "/agents/{agent}/presentations",
    tag = "agents",
    params(("agent" = String, Path, description = "the agent's DID or name")),
    request_body = schema::PresentationRequestShape,
    responses((status = 201, description = "signed", body = schema::Presented), schema::Refused, schema::AdminRefused),
    security(("admin_token" = [])),
)]
pub async fn present(
    State(node): State<Arc<Node>>,
    Path(agent): Path<String>,
    StrictJson(body, _): StrictJson,
) -> Result<Response, Problem> {
    answer::only(&body, &["credentials", "challenge", "domain", "suite"])?;
    let Some(Value::Array(given)) = body.get("credentials") else {
        return Err(Problem::bad_request(
            "/credentials: must be an array of ids or credentials".to_owned(),
        ));
    };
    let credentials = given
        .iter()
        .map(|credential| wallet::credential_of(&node, credential, "/credentials"))
        .collect::<Result<Vec<_>, _>>()?;
    let suite = match answer::optional_text(&body, "suite")? {
        None => InstanceSuite::EddsaJcs2022,
        Some(name) => InstanceSuite::parse(name).ok_or_else(|| {
            Problem::bad_request("/suite: must be eddsa-jcs-2022, eddsa-rdfc-2022 or jose".to_owned())
        })?,
    };
    let request = PresentRequest {
        credentials,
        challenge: answer::text(&body, "challenge")?.to_owned(),
        domain: answer::text(&body, "domain")?.to_owned(),
        suite,
    };
    let signed = wallet::present(&node, &agent, request, clock::now())?;
    Ok(answer::json(
        StatusCode::CREATED,
        &object! { "verifiablePresentation": signed },
    ))
}

/// `POST /agents/{agent}/actions`
///
/// # Errors
/// 400 that names the member at fault, 404 for an unknown agent or credential.
#[utoipa::path(
    post,
    path = "/agents/{agent}/actions",
    tag = "agents",
    params(("agent" = String, Path, description = "the agent's DID or name")),
    request_body = schema::NewAction,
    responses((status = 201, description = "signed", body = schema::ActionEnvelope), schema::Refused, schema::AdminRefused),
    security(("admin_token" = [])),
)]
pub async fn sign_action(
    State(node): State<Arc<Node>>,
    Path(agent): Path<String>,
    StrictJson(body, _): StrictJson,
) -> Result<Response, Problem> {
    answer::only(
        &body,
        &[
            "credential",
            "action",
            "resource",
            "scope",
            "parameters",
            "purpose",
            "chain",
            "audience",
            "expiresInSeconds",
        ],
    )?;
    let given = body.get("credential").ok_or_else(|| {
        Problem::bad_request("/credential: is missing; give the id or the credential that allows this".to_owned())
    })?;
    let credential = wallet::credential_of(&node, given, "/credential")?;
    let parameters = match body.get("parameters") {
        None => Object::new(),
        Some(Value::Object(parameters)) => parameters.clone(),
        Some(_) => return Err(Problem::bad_request("/parameters: must be an object".to_owned())),
    };
    let seconds = seconds(&body)?;
    let request = ActionRequest {
        credential: credential.clone(),
        action: answer::text(&body, "action")?.to_owned(),
        resource: answer::text(&body, "resource")?.to_owned(),
        scope: answer::optional_text(&body, "scope")?.map(str::to_owned),
        parameters,
        purpose: answer::optional_text(&body, "purpose")?.map(str::to_owned),
        audience: answer::did(&body, "audience")?,
        seconds,
    };
    let action = wallet::sign_action(&node, &agent, request, clock::now())?;
    let mut envelope = Object::new();
    envelope.insert("action", action);
    envelope.insert("credential", credential);
    if let Some(chain) = chain(&body)? {
        envelope.insert("chain", chain);
    }
    Ok(answer::json(StatusCode::CREATED, &Value::Object(envelope)))
}

fn seconds(body: &Value) -> Result<i64, Problem> {
    match body.get("expiresInSeconds") {
        None => Ok(DEFAULT_ACTION_SECONDS),
        Some(value) => value
            .as_i64()
            .filter(|seconds| *seconds > 0)
            .ok_or_else(|| Problem::bad_request("/expiresInSeconds: must be a positive integer".to_owned())),
    }
}

fn chain(body: &Value) -> Result<Option<Value>, Problem> {
    match body.get("chain") {
        Some(chain) if chain.as_array().is_none() => Err(Problem::bad_request(
            "/chain: must be an array of credentials".to_owned(),
        )),
        chain => Ok(chain.cloned()),
    }
}

/// `POST /agents/{agent}/requests`: the fields by which an HTTP request of the agent becomes a signed one (document 11 of the
/// specifications).
///
/// # Errors
/// 400 that names the member at fault, 404 for an unknown agent or credential.
#[utoipa::path(
    post,
    path = "/agents/{agent}/requests",
    tag = "agents",
    params(("agent" = String, Path, description = "the agent's DID or name")),
    request_body = schema::requests::NewRequest,
    responses((status = 201, description = "the fields to send", body = schema::requests::RequestFields), schema::Refused, schema::AdminRefused),
    security(("admin_token" = [])),
)]
pub async fn sign_request(
    State(node): State<Arc<Node>>,
    Path(agent): Path<String>,
    StrictJson(body, _): StrictJson,
) -> Result<Response, Problem> {
    let known = ["credential", "chain", "method", "target", "content", "expiresInSeconds"];
    answer::only(&body, &known)?;
    let given = body.get("credential").ok_or_else(|| {
        Problem::bad_request("/credential: is missing; give the id or the credential that allows this".to_owned())
    })?;
    let content = match answer::optional_text(&body, "content")? {
        None => Vec::new(),
        Some(text) => multibase::Base::Base64Url
            .decode(text)
            .map_err(|_| Problem::bad_request("/content: must be base64url without padding".to_owned()))?,
    };
    let request = RequestToSign {
        credential: wallet::credential_of(&node, given, "/credential")?,
        chain: chain(&body)?,
        method: answer::text(&body, "method")?.to_owned(),
        target: answer::text(&body, "target")?.to_owned(),
        content,
        seconds: seconds(&body)?,
    };
    let fields = wallet::sign_request(&node, &agent, &request, clock::now())?;
    let fields: Value = fields
        .iter()
        .map(|(name, value)| [*name, value.as_str()].into_iter().collect::<Value>())
        .collect();
    Ok(answer::json(StatusCode::CREATED, &object! { "fields": fields }))
}
