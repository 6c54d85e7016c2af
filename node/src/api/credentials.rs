//! Issuing, listing and revoking credentials; the status lists that strangers fetch.

use std::sync::Arc;

use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;
use serde::Deserialize;
use syndic_vc::json::Value;
use syndic_vc::object;
use syndic_vc::status::{self, StatusPurpose};

use crate::api::{answer, registry, schema};
use crate::credentials::{self, Change, CredentialError, Grant, IssueRequest};
use crate::http::problem::Problem;
use crate::http::strict_json::StrictJson;
use crate::instances::{self, Instance};
use crate::node::Node;
use crate::status_lists::{ListForm, ServeError, TTL_SECONDS};
use crate::{agents, clock};

/// The media type of a status list token.
const STATUS_TOKEN: &str = "application/statuslist+jwt";

/// `POST /credentials/issue` (W3C VC API): the first instance, and what may be filled in is.
///
/// # Errors
/// 400 that names the member at fault, 409 if the id is taken, 503 if it could not be made durable.
#[utoipa::path(
    post,
    path = "/credentials/issue",
    tag = "credentials",
    request_body = schema::vc::IssueShape,
    responses((status = 201, description = "signed and stored", body = schema::vc::IssuedShape), schema::Refused, schema::AdminRefused),
    security(("admin_token" = [])),
)]
pub async fn issue(State(node): State<Arc<Node>>, StrictJson(body, _): StrictJson) -> Result<Response, Problem> {
    let instance = instances::first(&node).map_err(CredentialError::from)?;
    issue_with(&node, instance, &body, true).await
}

/// `POST /issuers/{instance}/credentials/issue` (W3C VC API): nothing that a credential must have is filled in.
///
/// # Errors
/// As for `/credentials/issue`; 404 if there is no such instance.
#[utoipa::path(
    post,
    path = "/issuers/{instance}/credentials/issue",
    tag = "credentials",
    params(("instance" = String, Path, description = "the instance's name")),
    request_body = schema::vc::IssueShape,
    responses((status = 201, description = "signed and stored", body = schema::vc::IssuedShape), schema::Refused, schema::AdminRefused),
    security(("admin_token" = [])),
)]
pub async fn issue_by_instance(
    State(node): State<Arc<Node>>,
    Path(name): Path<String>,
    StrictJson(body, _): StrictJson,
) -> Result<Response, Problem> {
    let instance = instances::find(&node, &name).map_err(CredentialError::from)?;
    issue_with(&node, instance, &body, false).await
}

async fn issue_with(
    node: &Arc<Node>,
    instance: &Instance,
    body: &Value,
    fill_issuer: bool,
) -> Result<Response, Problem> {
    let credential = body
        .get("credential")
        .cloned()
        .ok_or_else(|| Problem::bad_request("/credential: is missing; put the credential to sign there".to_owned()))?;
    let request = IssueRequest {
        document: credential,
        status: status_purposes(body.get("options"))?,
        fill_issuer,
    };
    let issued = credentials::issue(node, instance, request, clock::now()).await?;
    Ok(answer::json(
        StatusCode::CREATED,
        &object! { "verifiableCredential": issued.document },
    ))
}

/// `options.statusPurposes`, the one option that is known here. The others are ignored, as the VC API has it.
fn status_purposes(options: Option<&Value>) -> Result<Option<Vec<StatusPurpose>>, Problem> {
    let refuse = |detail: &str| Err(Problem::bad_request(detail.to_owned()));
    let asked = match options {
        None => return Ok(None),
        Some(Value::Object(options)) => options.get("statusPurposes"),
        Some(_) => return refuse("/options: must be an object"),
    };
    let Some(asked) = asked else { return Ok(None) };
    let Some(items) = asked.as_array() else {
        return refuse("/options/statusPurposes: must be an array");
    };
    let mut purposes = Vec::new();
    for item in items {
        match item.as_str().and_then(StatusPurpose::parse) {
            Some(purpose) if !purposes.contains(&purpose) => purposes.push(purpose),
            _ => return refuse("/options/statusPurposes: names revocation and suspension, each once at most"),
        }
    }
    Ok(Some(purposes))
}

/// `GET /issuers`: the instances, and whom a credential of each is issued by.
///
/// # Errors
/// 503 if a key cannot be read, or made.
#[utoipa::path(
    get,
    path = "/issuers",
    tag = "credentials",
    responses((status = 200, description = "the instances", body = schema::vc::InstanceList), schema::Refused, schema::AdminRefused),
    security(("admin_token" = [])),
)]
pub async fn issuers(State(node): State<Arc<Node>>) -> Result<Response, Problem> {
    let mut rows = Vec::with_capacity(node.config.instances.len());
    for instance in &node.config.instances {
        let key = instances::key(&node, instance).await.map_err(CredentialError::from)?;
        rows.push(instances::to_json(instance, &key));
    }
    Ok(answer::json(StatusCode::OK, &object! { "issuers": rows }))
}

/// `POST /agents/{agent}/credentials`
///
/// # Errors
/// As for `/credentials/issue`.
#[utoipa::path(
    post,
    path = "/agents/{agent}/credentials",
    tag = "agents",
    params(("agent" = String, Path, description = "the agent's DID or name")),
    request_body = schema::vc::CapabilityShape,
    responses((status = 201, description = "signed and stored", body = schema::vc::IssuedShape), schema::Refused, schema::AdminRefused),
    security(("admin_token" = [])),
)]
pub async fn issue_to_agent(
    State(node): State<Arc<Node>>,
    Path(agent): Path<String>,
    StrictJson(body, _): StrictJson,
) -> Result<Response, Problem> {
    answer::only(
        &body,
        &[
            "capability",
            "delegation",
            "validFrom",
            "validUntil",
            "validForSeconds",
            "instance",
        ],
    )?;
    let instance = match answer::optional_text(&body, "instance")? {
        Some(name) => instances::find(&node, name),
        None => instances::first_of_organization(&node),
    }
    .map_err(|error| Problem::bad_request(format!("/instance: {error}")))?;
    let capability = body
        .get("capability")
        .cloned()
        .ok_or_else(|| Problem::bad_request("/capability: is missing; give an array of capabilities".to_owned()))?;
    let now = clock::now();
    let valid_from = answer::optional_time(&body, "validFrom")?;
    let mut valid_until = answer::optional_time(&body, "validUntil")?;
    if let Some(value) = body.get("validForSeconds") {
        if valid_until.is_some() {
            return Err(Problem::bad_request(
                "/validForSeconds: give either this or validUntil".to_owned(),
            ));
        }
        let until = value
            .as_i64()
            .filter(|seconds| *seconds > 0)
            .and_then(|seconds| valid_from.unwrap_or(now).checked_add_seconds(seconds));
        valid_until =
            Some(until.ok_or_else(|| Problem::bad_request("/validForSeconds: must be a positive integer".to_owned()))?);
    }
    let grant = Grant {
        capability,
        delegation: body.get("delegation").cloned(),
        valid_from,
        valid_until,
    };
    let issued = credentials::issue_to_agent(&node, &agent, grant, instance, now).await?;
    Ok(answer::json(
        StatusCode::CREATED,
        &object! { "verifiableCredential": issued.document },
    ))
}

/// Which credentials are listed.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListQuery {
    /// Only those of this agent, by DID or name.
    pub agent: Option<String>,
}

/// `GET /credentials`
///
/// # Errors
/// 404 for an unknown agent, 503 if the store cannot be read.
#[utoipa::path(
    get,
    path = "/credentials",
    tag = "credentials",
    params(("agent" = Option<String>, Query, description = "only those of this agent, by DID or name")),
    responses((status = 200, description = "what was issued", body = schema::vc::CredentialList), schema::Refused, schema::AdminRefused),
    security(("admin_token" = [])),
)]
pub async fn list(State(node): State<Arc<Node>>, Query(query): Query<ListQuery>) -> Result<Response, Problem> {
    let found = match query.agent {
        Some(agent) => credentials::held_by(&node, &agents::find(&node, &agent)?.did)?,
        None => credentials::list(&node)?,
    };
    let now = clock::now();
    let rows: Vec<Value> = found.iter().map(|issued| issued.to_json(&node, now)).collect();
    Ok(answer::json(StatusCode::OK, &object! { "credentials": rows }))
}

/// `GET /credentials/{id}`
///
/// # Errors
/// 404 if it was not issued here.
#[utoipa::path(
    get,
    path = "/credentials/{id}",
    tag = "credentials",
    params(("id" = String, Path, description = "the credential's id")),
    responses((status = 200, description = "the credential", body = schema::vc::CredentialShown), schema::Refused, schema::AdminRefused),
    security(("admin_token" = [])),
)]
pub async fn show(State(node): State<Arc<Node>>, Path(id): Path<String>) -> Result<Response, Problem> {
    let issued = credentials::find(&node, &id)?;
    let status = issued.status(&node, clock::now());
    Ok(answer::json(
        StatusCode::OK,
        &object! { "verifiableCredential": issued.document, "status": status },
    ))
}

/// `POST /credentials/status` (W3C VC API)
///
/// # Errors
/// 400 that names the member at fault, 404 for an unknown credential, 503 if it could not be made durable.
#[utoipa::path(
    post,
    path = "/credentials/status",
    tag = "credentials",
    request_body = schema::vc::StatusChangeShape,
    responses((status = 200, description = "said, durable", body = schema::vc::StatusChanged), schema::Refused, schema::AdminRefused),
    security(("admin_token" = [])),
)]
pub async fn set_status(State(node): State<Arc<Node>>, StrictJson(body, _): StrictJson) -> Result<Response, Problem> {
    let id = answer::text(&body, "credentialId")?;
    let change = change_asked(&body)?;
    let now = clock::now();
    let receipt = credentials::change_status(&node, id, change, now).await?;
    let answer = object! {
        "credentialId": id,
        "status": credentials::find(&node, id)?.status(&node, now),
        "statement": receipt.map_or(Value::Null, |receipt| registry::place(&node, receipt)),
        "acknowledged": clock::now().to_string(),
    };
    Ok(answer::json(StatusCode::OK, &answer))
}

fn change_asked(body: &Value) -> Result<Change, Problem> {
    let entry = body
        .get("credentialStatus")
        .ok_or_else(|| Problem::bad_request("/credentialStatus: is missing; give {type, statusPurpose}".to_owned()))?;
    let within = |problem| answer::within("/credentialStatus", problem);
    if answer::text(entry, "type").map_err(within)? != status::ENTRY_TYPE {
        return Err(Problem::bad_request(
            "/credentialStatus/type: must be BitstringStatusListEntry".to_owned(),
        ));
    }
    let purpose = StatusPurpose::parse(answer::text(entry, "statusPurpose").map_err(within)?).ok_or_else(|| {
        Problem::bad_request("/credentialStatus/statusPurpose: must be revocation or suspension".to_owned())
    })?;
    match (purpose, body.get("status").and_then(Value::as_bool)) {
        (StatusPurpose::Revocation, Some(true)) => Ok(Change::Revoke),
        (StatusPurpose::Suspension, Some(true)) => Ok(Change::Suspend),
        (StatusPurpose::Suspension, Some(false)) => Ok(Change::Resume),
        (StatusPurpose::Revocation, Some(false)) => Err(Problem::bad_request(
            "/status: must be true; a revocation is never taken back".to_owned(),
        )),
        (_, None) => Err(Problem::bad_request("/status: must be true or false".to_owned())),
    }
}

/// `GET /status-lists/{name}`
///
/// # Errors
/// 404 for a list that this organization never made.
#[utoipa::path(
    get,
    path = "/status-lists/{name}",
    tag = "credentials",
    params(("name" = String, Path, description = "the list's name")),
    responses((status = 200, description = "a `BitstringStatusListCredential`", body = schema::Document), schema::Refused),
)]
pub async fn status_list(
    State(node): State<Arc<Node>>,
    Path(name): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let wants_token = headers
        .get_all(header::ACCEPT)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|one| one.split(';').next().map(str::trim) == Some(STATUS_TOKEN));
    let (form, media_type) = if wants_token {
        (ListForm::Token, STATUS_TOKEN)
    } else {
        (ListForm::Bitstring, "application/json")
    };
    match node.signed_lists.serve(&node, &name, form, clock::now()) {
        Ok(text) => {
            let mut response = answer::cached(
                answer::with_type(StatusCode::OK, media_type, text.to_vec()),
                TTL_SECONDS,
            );
            let vary = HeaderValue::from_static("accept");
            response.headers_mut().insert(header::VARY, vary);
            Ok(response)
        }
        Err(error @ ServeError::Unknown(_)) => Err(Problem::not_found(error.to_string())),
        Err(error) => Err(Problem::unavailable(error.to_string())),
    }
}

impl From<Box<CredentialError>> for Problem {
    fn from(error: Box<CredentialError>) -> Self {
        (*error).into()
    }
}
