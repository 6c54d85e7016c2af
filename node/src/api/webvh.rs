//! `did:webvh`: logs given as text, DIDs that this node controls, and the files of these.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use syndic_vc::did::Did;
use syndic_vc::json::Value;
use syndic_vc::object;
use syndic_vc::time::Timestamp;
use syndic_vc::webvh::{self as log, Which};

use crate::api::{answer, schema};
use crate::clock;
use crate::http::problem::Problem;
use crate::http::strict_json::StrictJson;
use crate::node::Node;
use crate::webvh::{self, DidError, DocumentChange, Hosted, NewDid};

const RESOLUTION: &str = "application/did-resolution";

/// `POST /1.0/webvh/resolve-log`: a log given as text, so that anyone can check one.
#[utoipa::path(
    post,
    path = "/1.0/webvh/resolve-log",
    tag = "identities",
    request_body = schema::Document,
    responses(
        (status = 200, description = "the resolution result", body = schema::Document, content_type = "application/did-resolution"),
        (status = "4XX", description = "the result with its error", content(
            (schema::Document = "application/did-resolution"),
            (schema::Document = "application/problem+json"),
        )),
        (status = 503, description = "not now", body = schema::ProblemDocument, content_type = "application/problem+json"),
    ),
)]
pub async fn resolve_log(StrictJson(body, _): StrictJson) -> Response {
    match asked(&body) {
        Ok((did, text, witness, which)) => result(&log::resolve(&did, text, witness, &which, clock::now())),
        Err((name, detail)) => failure(
            StatusCode::BAD_REQUEST,
            name,
            "the request cannot be understood",
            &detail,
        ),
    }
}

type Asked<'b> = (Did, &'b str, Option<&'b str>, Which);

fn asked(body: &Value) -> Result<Asked<'_>, (&'static str, String)> {
    let options = |problem: Problem| ("INVALID_OPTIONS", problem.detail);
    let did = answer::did(body, "did").map_err(|problem| ("INVALID_DID", problem.detail))?;
    let text = answer::text(body, "log").map_err(options)?;
    let witness = match body.get("witness") {
        Some(Value::Null) | None => None,
        Some(_) => Some(answer::text(body, "witness").map_err(options)?),
    };
    let which = match body.get("options") {
        Some(Value::Null) | None => Which::Latest,
        Some(given) => which(given).map_err(|what| ("INVALID_OPTIONS", what))?,
    };
    Ok((did, text, witness, which))
}

/// The version that options ask for; other options are ignored.
fn which(options: &Value) -> Result<Which, String> {
    if options.as_object().is_none() {
        return Err("/options: must be an object".to_owned());
    }
    let given = |name: &str| options.get(name).filter(|value| !value.is_null());
    let mut asked = Vec::new();
    if let Some(id) = given("versionId") {
        let id = id.as_str().ok_or("/options/versionId: must be a text")?;
        asked.push(Which::Id(id.to_owned()));
    }
    if let Some(number) = given("versionNumber") {
        let read = number.as_i64().or_else(|| number.as_str()?.parse().ok());
        let read = read.and_then(|number| u64::try_from(number).ok());
        asked.push(Which::Number(
            read.ok_or("/options/versionNumber: must be a number from 1")?,
        ));
    }
    if let Some(time) = given("versionTime") {
        let time = time.as_str().ok_or("/options/versionTime: must be a text")?;
        let time = Timestamp::parse(time).map_err(|error| format!("/options/versionTime: {error}"))?;
        asked.push(Which::Time(time));
    }
    match asked.len() {
        0 | 1 => Ok(asked.pop().unwrap_or_default()),
        _ => Err("/options: ask for one of versionId, versionNumber and versionTime".to_owned()),
    }
}

/// A resolution result as DID Resolution has it, and its status.
fn result(resolved: &Result<log::Resolved, log::WebvhError>) -> Response {
    let resolved = match resolved {
        Ok(resolved) => resolved,
        Err(log::WebvhError::NotFound) => {
            return failure(
                StatusCode::NOT_FOUND,
                "NOT_FOUND",
                "no such version",
                "the log has no such version",
            );
        }
        Err(error) => {
            return failure(
                StatusCode::BAD_REQUEST,
                "INVALID_DID",
                "not a valid did:webvh",
                &error.to_string(),
            );
        }
    };
    let status = if resolved.metadata.parameters.deactivated {
        StatusCode::GONE
    } else {
        StatusCode::OK
    };
    let body = object! {
        "didDocument": resolved.document.clone(),
        "didDocumentMetadata": resolved.metadata.to_json(),
        "didResolutionMetadata": object! { "contentType": "application/did" },
    };
    answer::with_type(status, RESOLUTION, crate::records::encode(&body))
}

fn failure(status: StatusCode, name: &str, title: &str, detail: &str) -> Response {
    let body = object! {
        "didDocument": Value::Null,
        "didDocumentMetadata": object! {},
        "didResolutionMetadata": object! {
            "error": object! {
                "type": format!("https://www.w3.org/ns/did#{name}"),
                "title": title,
                "detail": detail,
            },
        },
    };
    answer::with_type(status, RESOLUTION, crate::records::encode(&body))
}

/// `POST /dids`
///
/// # Errors
/// 400 that names the member at fault, 409 if the place is taken, 503 if it could not be made durable.
#[utoipa::path(
    post,
    path = "/dids",
    tag = "identities",
    request_body = schema::Document,
    responses((status = 201, description = "the DID", body = schema::Document), schema::Refused, schema::AdminRefused),
    security(("admin_token" = [])),
)]
pub async fn create(State(node): State<Arc<Node>>, StrictJson(body, _): StrictJson) -> Result<Response, Problem> {
    answer::only(&body, &["name", "host", "service", "portable", "forAgent"])?;
    let new = NewDid {
        name: answer::optional_text(&body, "name")?.map(str::to_owned),
        host: answer::optional_text(&body, "host")?.map(str::to_owned),
        service: service(&body)?,
        portable: flag(&body, "portable")?,
        for_agent: flag(&body, "forAgent")?,
    };
    let hosted = webvh::create(&node, new, clock::now()).await?;
    Ok(answer::json(StatusCode::CREATED, &object! { "did": hosted.to_json() }))
}

/// `GET /dids`
///
/// # Errors
/// 503 if the store cannot be read.
#[utoipa::path(
    get,
    path = "/dids",
    tag = "identities",
    responses((status = 200, description = "the DIDs that this node controls", body = schema::Document), schema::Refused, schema::AdminRefused),
    security(("admin_token" = [])),
)]
pub async fn list(State(node): State<Arc<Node>>) -> Result<Response, Problem> {
    let dids: Vec<Value> = webvh::list(&node)?.iter().map(Hosted::to_json).collect();
    Ok(answer::json(StatusCode::OK, &object! { "dids": dids }))
}

/// `POST /dids/{did}/rotate`
///
/// # Errors
/// 404 for an unknown DID, 409 for one that has ended, 503 if it could not be made durable.
#[utoipa::path(
    post,
    path = "/dids/{did}/rotate",
    tag = "identities",
    params(("did" = String, Path, description = "the DID")),
    request_body = schema::Document,
    responses((status = 200, description = "the DID", body = schema::Document), schema::Refused, schema::AdminRefused),
    security(("admin_token" = [])),
)]
pub async fn rotate(
    State(node): State<Arc<Node>>,
    Path(did): Path<String>,
    StrictJson(body, _): StrictJson,
) -> Result<Response, Problem> {
    answer::only(&body, &[])?;
    shown(&webvh::rotate(&node, &did, clock::now()).await?)
}

/// `POST /dids/{did}/update`
///
/// # Errors
/// 400 that names the member at fault; otherwise as [`rotate`].
#[utoipa::path(
    post,
    path = "/dids/{did}/update",
    tag = "identities",
    params(("did" = String, Path, description = "the DID")),
    request_body = schema::Document,
    responses((status = 200, description = "the DID", body = schema::Document), schema::Refused, schema::AdminRefused),
    security(("admin_token" = [])),
)]
pub async fn update(
    State(node): State<Arc<Node>>,
    Path(did): Path<String>,
    StrictJson(body, _): StrictJson,
) -> Result<Response, Problem> {
    answer::only(&body, &["service", "retirePreviousKeys"])?;
    let wanted = DocumentChange {
        service: service(&body)?,
        retire_previous: flag(&body, "retirePreviousKeys")?,
    };
    shown(&webvh::update(&node, &did, wanted, clock::now()).await?)
}

/// `POST /dids/{did}/deactivate`
///
/// # Errors
/// As [`rotate`].
#[utoipa::path(
    post,
    path = "/dids/{did}/deactivate",
    tag = "identities",
    params(("did" = String, Path, description = "the DID")),
    request_body = schema::Document,
    responses((status = 200, description = "the DID", body = schema::Document), schema::Refused, schema::AdminRefused),
    security(("admin_token" = [])),
)]
pub async fn deactivate(
    State(node): State<Arc<Node>>,
    Path(did): Path<String>,
    StrictJson(body, _): StrictJson,
) -> Result<Response, Problem> {
    answer::only(&body, &[])?;
    shown(&webvh::deactivate(&node, &did, clock::now()).await?)
}

fn shown(hosted: &Hosted) -> Result<Response, Problem> {
    Ok(answer::json(StatusCode::OK, &object! { "did": hosted.to_json() }))
}

/// `GET /dids/{did}/{file}`, where `{did}` is the DID's name: `did.jsonl`, `did-witness.json`, `did.json`.
///
/// # Errors
/// 404 if there is no such DID or file, 410 for the `did.json` of one that has ended.
#[utoipa::path(
    get,
    path = "/dids/{did}/{file}",
    tag = "identities",
    params(("did" = String, Path, description = "the DID's name"), ("file" = String, Path, description = "did.jsonl, did-witness.json or did.json")),
    responses(
        (status = 200, description = "the file", content(
            (String = "text/jsonl"),
            (schema::Document = "application/json"),
            (schema::Document = "application/did+json"),
        )),
        (status = 410, description = "the DID has ended", body = schema::ProblemDocument, content_type = "application/problem+json"),
        schema::Refused,
    ),
)]
pub async fn file(
    State(node): State<Arc<Node>>,
    Path((name, file)): Path<(String, String)>,
) -> Result<Response, Problem> {
    serve(&node, &format!("/dids/{name}/"), &file)
}

/// `GET /.well-known/{file}`: the same for the DID that is the host itself.
///
/// # Errors
/// As [`file`].
#[utoipa::path(
    get,
    path = "/.well-known/{file}",
    tag = "identities",
    params(("file" = String, Path, description = "did.jsonl, did-witness.json or did.json")),
    responses(
        (status = 200, description = "the file", content(
            (String = "text/jsonl"),
            (schema::Document = "application/json"),
            (schema::Document = "application/did+json"),
        )),
        (status = 410, description = "the DID has ended", body = schema::ProblemDocument, content_type = "application/problem+json"),
        schema::Refused,
    ),
)]
pub async fn well_known(State(node): State<Arc<Node>>, Path(file): Path<String>) -> Result<Response, Problem> {
    serve(&node, "/.well-known/", &file)
}

fn serve(node: &Node, path: &str, file: &str) -> Result<Response, Problem> {
    if !matches!(file, "did.jsonl" | "did-witness.json" | "did.json") {
        return Err(Problem::not_found(format!("nothing is served at {path}{file}")));
    }
    let hosted = webvh::at(node, path)?;
    match file {
        "did.jsonl" => Ok(answer::with_type(
            StatusCode::OK,
            "text/jsonl",
            hosted.text().into_bytes(),
        )),
        // No DID of this node has witnesses.
        "did-witness.json" => Ok(answer::json(StatusCode::OK, &Value::Array(Vec::new()))),
        _ => parallel(&hosted),
    }
}

/// The parallel `did:web` document.
fn parallel(hosted: &Hosted) -> Result<Response, Problem> {
    let damaged = |error: &dyn std::fmt::Display| Problem::unavailable(format!("{}: {error}", hosted.did));
    let resolved = hosted.resolved(clock::now()).map_err(|error| damaged(&error))?;
    if resolved.metadata.parameters.deactivated {
        let detail = format!("{} is deactivated", hosted.did);
        return Err(Problem::new(StatusCode::GONE, "deactivated", detail));
    }
    let document = log::parallel_web(&hosted.did, &resolved.document).map_err(|error| damaged(&error))?;
    Ok(answer::with_type(
        StatusCode::OK,
        "application/did+json",
        crate::records::encode(&document),
    ))
}

fn service(body: &Value) -> Result<Option<Value>, Problem> {
    match body.get("service") {
        None => Ok(None),
        Some(Value::Array(services)) if services.iter().all(|service| service.as_object().is_some()) => {
            Ok(Some(Value::Array(services.clone())))
        }
        Some(_) => Err(Problem::bad_request("/service: must be an array of objects".to_owned())),
    }
}

fn flag(body: &Value, member: &str) -> Result<bool, Problem> {
    match body.get(member) {
        None => Ok(false),
        Some(Value::Bool(truth)) => Ok(*truth),
        Some(_) => Err(Problem::bad_request(format!("/{member}: must be true or false"))),
    }
}

impl From<DidError> for Problem {
    fn from(error: DidError) -> Self {
        match error {
            DidError::Invalid { .. } => Self::bad_request(error.to_string()),
            DidError::Taken(_) | DidError::Deactivated(_) => {
                Self::new(StatusCode::CONFLICT, "conflict", error.to_string())
            }
            DidError::Unknown(_) => Self::not_found(error.to_string()),
            DidError::Build(_) => Self::bad_request(error.to_string()),
            DidError::Random(inner) => inner.into(),
            DidError::Record(inner) => inner.into(),
            DidError::Publish(inner) => inner.into(),
        }
    }
}
