//! Whom this organization trusts for what, and what the registry holds.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use syndic_registry::head::Head;
use syndic_registry::log::Hash;
use syndic_registry::statement::{Content, Grant, Right, Statement};
use syndic_registry::store::ReadError;
use syndic_vc::json::Value;
use syndic_vc::object;

use crate::api::operations::number;
use crate::api::{answer, schema};
use crate::clock;
use crate::engine::Receipt;
use crate::http::problem::Problem;
use crate::http::strict_json::StrictJson;
use crate::node::Node;
use crate::store::Batch;

/// `POST /registry/authorize`
///
/// # Errors
/// 400 that names the member at fault, 503 if it could not be made durable.
#[utoipa::path(
    post,
    path = "/registry/authorize",
    tag = "registry",
    request_body = schema::GrantShape,
    responses((status = 200, description = "published, durable", body = schema::Published), schema::Refused, schema::AdminRefused),
    security(("admin_token" = [])),
)]
pub async fn authorize(State(node): State<Arc<Node>>, StrictJson(body, _): StrictJson) -> Result<Response, Problem> {
    answer::only(&body, &["entity", "action", "resource", "validFrom", "validUntil"])?;
    let grant = Grant {
        right: right(&body, "entity")?,
        valid_from: answer::optional_time(&body, "validFrom")?,
        valid_until: answer::optional_time(&body, "validUntil")?,
    };
    publish(&node, Content::Authorize(grant)).await
}

/// `POST /registry/withdraw`
///
/// # Errors
/// As for `/registry/authorize`.
#[utoipa::path(
    post,
    path = "/registry/withdraw",
    tag = "registry",
    request_body = schema::WithdrawalShape,
    responses((status = 200, description = "published, durable", body = schema::Published), schema::Refused, schema::AdminRefused),
    security(("admin_token" = [])),
)]
pub async fn withdraw(State(node): State<Arc<Node>>, StrictJson(body, _): StrictJson) -> Result<Response, Problem> {
    answer::only(&body, &["entity", "action", "resource"])?;
    publish(&node, Content::WithdrawAuthorization(right(&body, "entity")?)).await
}

/// `POST /registry/recognize`
///
/// # Errors
/// As for `/registry/authorize`.
#[utoipa::path(
    post,
    path = "/registry/recognize",
    tag = "registry",
    request_body = schema::RecognitionShape,
    responses((status = 200, description = "published, durable", body = schema::Published), schema::Refused, schema::AdminRefused),
    security(("admin_token" = [])),
)]
pub async fn recognize(State(node): State<Arc<Node>>, StrictJson(body, _): StrictJson) -> Result<Response, Problem> {
    answer::only(&body, &["authority", "action", "resource", "validFrom", "validUntil"])?;
    let grant = Grant {
        right: right(&body, "authority")?,
        valid_from: answer::optional_time(&body, "validFrom")?,
        valid_until: answer::optional_time(&body, "validUntil")?,
    };
    publish(&node, Content::Recognize(grant)).await
}

/// `POST /registry/withdraw-recognition`
///
/// # Errors
/// As for `/registry/authorize`.
#[utoipa::path(
    post,
    path = "/registry/withdraw-recognition",
    tag = "registry",
    request_body = schema::RecognitionWithdrawal,
    responses((status = 200, description = "published, durable", body = schema::Published), schema::Refused, schema::AdminRefused),
    security(("admin_token" = [])),
)]
pub async fn withdraw_recognition(
    State(node): State<Arc<Node>>,
    StrictJson(body, _): StrictJson,
) -> Result<Response, Problem> {
    answer::only(&body, &["authority", "action", "resource"])?;
    publish(&node, Content::WithdrawRecognition(right(&body, "authority")?)).await
}

fn right(body: &Value, subject: &'static str) -> Result<Right, Problem> {
    Ok(Right {
        subject: answer::did(body, subject)?.as_str().to_owned(),
        action: answer::text(body, "action")?.to_owned(),
        resource: answer::text(body, "resource")?.to_owned(),
    })
}

/// Says something now, and answers where it stands.
pub(super) async fn publish(node: &Arc<Node>, content: Content) -> Result<Response, Problem> {
    let statement = Statement {
        at: clock::now(),
        content,
    };
    // What others would refuse is the caller's mistake; it must not reach the log.
    statement
        .to_bytes()
        .map_err(|error| Problem::bad_request(error.to_string()))?;
    let receipt = node.engine.publish(vec![statement], Batch::default()).await?;
    Ok(answer::json(
        StatusCode::OK,
        &object! { "statement": place(node, receipt) },
    ))
}

/// A hash, as checkpoints write it: base64 (RFC 4648 section 4).
#[must_use]
pub fn hash(hash: &Hash) -> Value {
    let text = multibase::encode(multibase::Base::Base64Pad, hash);
    // Without the letter that names the base.
    text.get(1..).unwrap_or_default().into()
}

/// Where a statement stands.
#[must_use]
pub fn place(node: &Node, receipt: Receipt) -> Value {
    object! { "organization": node.organization.as_str(), "index": number(receipt.first) }
}

/// `GET /registry/members`
///
/// # Errors
/// 503 if the store cannot be read.
#[utoipa::path(
    get,
    path = "/registry/members",
    tag = "registry",
    responses((status = 200, description = "every member and how old its word is", body = schema::Document), schema::Refused, schema::AdminRefused),
    security(("admin_token" = [])),
)]
pub async fn members(State(node): State<Arc<Node>>) -> Result<Response, Problem> {
    let body = object! {
        "consortium": object! { "id": node.consortium.as_str(), "name": node.charter().name() },
        "members": organizations(&node)?,
    };
    Ok(answer::json(StatusCode::OK, &body))
}

/// Every member with what is known of its log and how old that is.
///
/// # Errors
/// The store's.
pub fn organizations(node: &Node) -> Result<Vec<Value>, ReadError> {
    let view = node.view();
    let now = clock::now();
    let mut rows = Vec::new();
    for member in node.charter().members() {
        let head = view.log(member.did().as_str())?.head;
        let endpoints = object! {
            "http": member.endpoints().http.as_deref().map_or(Value::Null, Value::from),
            "peer": member.endpoints().peer.iter().map(|address| address.as_str().into()).collect::<Vec<Value>>(),
        };
        rows.push(object! {
            "did": member.did().as_str(),
            "name": member.name(),
            "endpoints": endpoints,
            "size": number(head.as_ref().map_or(0, Head::size)),
            "time": head.as_ref().map_or(Value::Null, |head| head.time().to_string().into()),
            "ageSeconds": head
                .as_ref()
                .map_or(Value::Null, |head| now.seconds_since(head.time()).max(0).into()),
            "frozen": view.is_frozen(member.did().as_str())?,
        });
    }
    Ok(rows)
}

/// `GET /registry/digest`
///
/// # Errors
/// 503 if the store cannot be read.
#[utoipa::path(
    get,
    path = "/registry/digest",
    tag = "registry",
    responses((status = 200, description = "what this node holds, to compare", body = schema::Document), schema::Refused, schema::AdminRefused),
    security(("admin_token" = [])),
)]
pub async fn digest(State(node): State<Arc<Node>>) -> Result<Response, Problem> {
    let view = node.view();
    let mut organizations = Vec::new();
    for member in node.charter().members() {
        let head = view.log(member.did().as_str())?.head;
        organizations.push(object! {
            "did": member.did().as_str(),
            "size": number(head.as_ref().map_or(0, Head::size)),
            "root": head.as_ref().map_or(Value::Null, |head| hash(head.root())),
        });
    }
    let body = object! { "digest": hash(&view.digest()?), "organizations": organizations };
    Ok(answer::json(StatusCode::OK, &body))
}
