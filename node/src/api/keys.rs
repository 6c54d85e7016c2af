//! The organization's keys: which sign now, the next log key, and keys that are compromised.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use syndic_registry::log_keys::Rotation;
use syndic_registry::statement::{Content, KeyCompromised, Statement};
use syndic_registry::store;
use syndic_vc::did::DidUrl;
use syndic_vc::json::Value;
use syndic_vc::object;
use syndic_vc::trust::Knowledge as _;

use crate::api::operations::number;
use crate::api::{answer, registry, schema};
use crate::clock;
use crate::engine::Receipt;
use crate::http::problem::Problem;
use crate::http::strict_json::StrictJson;
use crate::node::Node;
use crate::store::Batch;

/// `GET /keys`
///
/// # Errors
/// 503 if the store cannot be read.
#[utoipa::path(
    get,
    path = "/keys",
    tag = "keys",
    responses((status = 200, description = "the organization's public keys", body = schema::keys::Keys), schema::Refused, schema::AdminRefused),
    security(("admin_token" = [])),
)]
pub async fn list(State(node): State<Arc<Node>>) -> Result<Response, Problem> {
    let name = node.organization.as_str();
    let card = node
        .charter()
        .member(name)
        .ok_or_else(|| Problem::not_found("the charter does not name this organization"))?;
    let keys = store::log_keys(&node.consortium, card, node.reader())?;
    let body = object! {
        "credentialKey": object! {
            "key": node.keys.credential_signer().public_key().to_multikey(),
            "verificationMethod": node.issuer_method(),
        },
        "rootKey": card.root_key().to_multikey(),
        "logKey": keys.newest().to_multikey(),
        "nextLogKey": keys.promised().map_or(Value::Null, Value::from),
        "rotations": keys.rotations().iter().map(rotation).collect::<Vec<_>>(),
    };
    Ok(answer::json(StatusCode::OK, &body))
}

fn rotation(rotation: &Rotation) -> Value {
    object! {
        "previous": rotation.previous.to_multikey(),
        "logKey": rotation.key.to_multikey(),
        "from": number(rotation.from),
    }
}

/// `POST /keys/log/rotate`
///
/// # Errors
/// 503 if it could not be made durable; then the log key is the one before.
#[utoipa::path(
    post,
    path = "/keys/log/rotate",
    tag = "keys",
    responses((status = 200, description = "the next log key signs from now on", body = schema::keys::Rotated), schema::Refused, schema::AdminRefused),
    security(("admin_token" = [])),
)]
pub async fn rotate_log(State(node): State<Arc<Node>>) -> Result<Response, Problem> {
    let receipt = node.engine.rotate(node.keys.clone()).await?;
    let said = node.view().statement(node.organization.as_str(), receipt.first)?;
    let mut body = match said.map(|statement| statement.content) {
        Some(Content::LogKeyRotated(said)) => rotation(&said),
        _ => object! {},
    };
    if let Value::Object(members) = &mut body {
        members.insert("statement", registry::place(&node, receipt));
    }
    Ok(answer::json(StatusCode::OK, &body))
}

/// `POST /keys/compromised`
///
/// # Errors
/// 400 that names the member at fault, 503 if it could not be made durable.
#[utoipa::path(
    post,
    path = "/keys/compromised",
    tag = "keys",
    request_body = schema::keys::CompromisedShape,
    responses((status = 200, description = "what this key signed counts no longer, unless it was anchored before", body = schema::keys::Compromised), schema::Refused, schema::AdminRefused),
    security(("admin_token" = [])),
)]
pub async fn compromised(State(node): State<Arc<Node>>, StrictJson(body, _): StrictJson) -> Result<Response, Problem> {
    answer::only(&body, &["key", "since"])?;
    let said = KeyCompromised {
        key: answer::text(&body, "key")?.to_owned(),
        since: answer::optional_time(&body, "since")?,
    };
    let is_known = is_known(&node, &said.key);
    let earlier = node.view().compromise(node.organization.as_str(), &said.key)?;
    let receipt = match earlier {
        // The first word counts, so there is nothing to add to it.
        Some(earlier) => Receipt {
            first: earlier.index,
            count: 1,
        },
        None => {
            let statement = Statement {
                at: clock::now(),
                content: Content::KeyCompromised(said),
            };
            // What others would refuse is the caller's mistake; it must not reach the log.
            statement
                .to_bytes()
                .map_err(|error| Problem::bad_request(error.to_string()))?;
            node.engine.publish(vec![statement], Batch::default()).await?
        }
    };
    Ok(answer::json(
        StatusCode::OK,
        &object! { "statement": registry::place(&node, receipt), "known": is_known },
    ))
}

/// Whether one of the organization's present keys has this name, so that a misspelt one is noticed.
fn is_known(node: &Node, key: &str) -> bool {
    if key == node.keys.credential_signer().public_key().to_multikey() {
        return true;
    }
    let Ok(method) = DidUrl::parse(key) else { return false };
    node.view()
        .document(method.did())
        .is_ok_and(|document| document.verification_method.iter().any(|known| known.id == method))
}
