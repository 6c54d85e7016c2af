//! The OAuth doors: tokens for services, and what services ask about them (`specs/10-tokens.md`).

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use syndic_vc::json::Value;

use crate::api::verification::off_the_async_threads;
use crate::api::{answer, schema};
use crate::clock;
use crate::http::guard::RequestId;
use crate::http::problem::Problem;
use crate::http::strict_form::{Form, FormBody};
use crate::node::Node;
use crate::tokens::grant::{self, Request};
use crate::tokens::introspection::{self, Asker};
use crate::tokens::{OAuthError, metadata};

/// In the extensions of a request that showed the admin token.
#[derive(Clone, Copy, Debug)]
pub struct Operator;

/// How long the keys and the metadata may be used again, in seconds. The key that signs next is told for 30 days before.
const FRESH_SECONDS: u32 = 300;

/// `POST /token` (RFC 8693): a presentation in, an access token out.
///
/// # Errors
/// 400 with an OAuth error; it holds the decision if the presentation was refused.
#[utoipa::path(
    post,
    path = "/token",
    tag = "tokens",
    params(("DPoP" = String, Header, description = "a DPoP proof for this request (RFC 9449)")),
    request_body(content = schema::tokens::TokenRequest, content_type = "application/x-www-form-urlencoded"),
    responses((status = 200, description = "the token", body = schema::tokens::TokenAnswer), schema::tokens::OAuthRefused),
)]
pub async fn token(
    State(node): State<Arc<Node>>,
    Extension(id): Extension<RequestId>,
    headers: HeaderMap,
    FormBody(body): FormBody,
) -> Result<Response, Problem> {
    off_the_async_threads(move || {
        let exchanged = || -> Result<Value, OAuthError> {
            let form = Form::parse(&body)?;
            let request = Request {
                form: &form,
                proof: proof(&headers)?,
                trace: id.as_str(),
            };
            grant::exchange(&node, &request)
        };
        respond(exchanged())
    })
    .await
}

/// The one header `DPoP`.
fn proof(headers: &HeaderMap) -> Result<&str, OAuthError> {
    let mut all = headers.get_all("dpop").iter();
    match (all.next().map(|value| value.to_str()), all.next()) {
        (Some(Ok(proof)), None) => Ok(proof),
        _ => Err(OAuthError::Dpop(
            "send one header DPoP with a proof for this request".to_owned(),
        )),
    }
}

fn respond(outcome: Result<Value, OAuthError>) -> Response {
    match outcome {
        Ok(value) => answer::json(StatusCode::OK, &value),
        Err(error) => error.into_response(),
    }
}

/// `POST /introspect` (RFC 7662): whether a token holds now. Services ask by HTTP Basic about tokens for themselves; on the
/// admin listener the admin token asks about any.
///
/// # Errors
/// 400 with an OAuth error, 401 if no service asks.
#[utoipa::path(
    post,
    path = "/introspect",
    tag = "tokens",
    request_body(content = schema::tokens::IntrospectionRequest, content_type = "application/x-www-form-urlencoded"),
    responses(
        (status = 200, description = "whether it holds", body = schema::tokens::IntrospectionAnswer),
        (status = 401, description = "no service asks, or with a wrong secret", body = schema::tokens::OAuthErrorShape),
        schema::tokens::OAuthRefused,
    ),
)]
pub async fn introspect(
    State(node): State<Arc<Node>>,
    operator: Option<Extension<Operator>>,
    headers: HeaderMap,
    FormBody(body): FormBody,
) -> Result<Response, Problem> {
    off_the_async_threads(move || {
        let answered = || -> Result<Value, OAuthError> {
            let asker = match operator {
                Some(_) => Asker::Operator,
                None => asker(&node, &headers).ok_or(OAuthError::Client)?,
            };
            introspection::introspect(&node, &Form::parse(&body)?, &asker)
        };
        respond(answered())
    })
    .await
}

fn asker(node: &Node, headers: &HeaderMap) -> Option<Asker> {
    let mut all = headers.get_all(AUTHORIZATION).iter();
    let (Some(only), None) = (all.next(), all.next()) else {
        return None;
    };
    Asker::by_basic(node, only.to_str().ok()?)
}

/// `POST /revoke` (RFC 7009): ends a token early. Whoever has it may.
///
/// # Errors
/// 400 with an OAuth error, 503 if it could not be made durable.
#[utoipa::path(
    post,
    path = "/revoke",
    tag = "tokens",
    request_body(content = schema::tokens::RevocationRequest, content_type = "application/x-www-form-urlencoded"),
    responses((status = 200, description = "it holds no longer, if it ever did"), schema::tokens::OAuthRefused),
)]
pub async fn revoke(State(node): State<Arc<Node>>, FormBody(body): FormBody) -> Result<Response, Problem> {
    off_the_async_threads(move || {
        let revoked = || -> Result<(), OAuthError> { introspection::revoke(&node, &Form::parse(&body)?, clock::now()) };
        match revoked() {
            Ok(()) => StatusCode::OK.into_response(),
            Err(error) => error.into_response(),
        }
    })
    .await
}

/// `GET /jwks` (RFC 7517)
#[utoipa::path(
    get,
    path = "/jwks",
    tag = "tokens",
    responses((status = 200, description = "the keys of access tokens", body = schema::tokens::KeySet), schema::Refused),
)]
pub async fn jwks(State(node): State<Arc<Node>>) -> Response {
    answer::cached(
        answer::json(StatusCode::OK, &metadata::jwks(&node, clock::now())),
        FRESH_SECONDS,
    )
}

/// `GET /.well-known/oauth-authorization-server` (RFC 8414)
#[utoipa::path(
    get,
    path = "/.well-known/oauth-authorization-server",
    tag = "tokens",
    responses((status = 200, description = "where everything is", body = schema::Document), schema::Refused),
)]
pub async fn server(State(node): State<Arc<Node>>) -> Response {
    answer::cached(
        answer::json(StatusCode::OK, &metadata::server(&node).into()),
        FRESH_SECONDS,
    )
}

/// `GET /.well-known/openid-configuration` (OpenID Connect Discovery 1.0): so that others can federate with the node.
#[utoipa::path(
    get,
    path = "/.well-known/openid-configuration",
    tag = "tokens",
    responses((status = 200, description = "where everything is", body = schema::Document), schema::Refused),
)]
pub async fn provider(State(node): State<Arc<Node>>) -> Response {
    answer::cached(
        answer::json(StatusCode::OK, &metadata::provider(&node).into()),
        FRESH_SECONDS,
    )
}
