//! For services in Rust: a Tower layer that lets signed requests through only if a node allows them (document 11 of the
//! specifications).
//!
//! The layer holds no keys and knows no registry; it asks a node's public listener, and lets nothing through that the
//! node did not allow in so many words. What a request means only the service can say: it gives a function for that.
//!
//! ```no_run
//! use axum::{Router, routing::post};
//! use syndic_node::client::Client;
//! use syndic_node::service::{Meaning, Received, SignedRequests};
//!
//! fn meaning(request: &Received<'_>) -> Result<Meaning, String> {
//!     let body = syndic_vc::json::parse(request.content).map_err(|error| error.to_string())?;
//!     let amount = body.get("amount").cloned().ok_or("say the amount")?;
//!     Ok(Meaning::new("call", "billing_api").with_parameter("amount", amount))
//! }
//!
//! # fn app() -> Result<Router, Box<dyn std::error::Error>> {
//! let node = Client::public("http://127.0.0.1:8440")?;
//! let layer = SignedRequests::new(node, "https://billing.example", meaning)?;
//! let app = Router::new().route("/refunds", post(|| async { "refunded" })).layer(layer);
//! # Ok(app) }
//! ```

use std::sync::Arc;
use std::task::{Context, Poll};

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::Request;
use axum::http::request::Parts;
use axum::http::{HeaderName, StatusCode};
use axum::response::{IntoResponse, Response};
use futures::future::BoxFuture;
use multibase::Base;
use sha2::{Digest, Sha256};
use syndic_vc::http_signature::{ACTION_TAG, REQUIRED, TargetUri};
use syndic_vc::json::{Object, Value};
use syndic_vc::object;
use tower::{Layer, Service};

use crate::client::decision::{Decision, Outcome};
use crate::client::{CallError, Client};
use crate::http::problem::Problem;

/// Longest content that is read to be judged: all of it is in memory until the node has answered. As much as a node takes.
pub const CONTENT_BYTES: usize = 1 << 20;

/// What a request means, in the words of capabilities.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Meaning(Object);

impl Meaning {
    /// An action on a resource.
    #[must_use]
    pub fn new(action: &str, resource: &str) -> Self {
        let mut members = Object::new();
        members.insert("action", action);
        members.insert("resource", resource);
        Self(members)
    }

    /// In this scope.
    #[must_use]
    pub fn with_scope(mut self, scope: &str) -> Self {
        self.0.insert("scope", scope);
        self
    }

    /// With this parameter: a string, an integer, a truth value, `{value, unit}`, or a list.
    #[must_use]
    pub fn with_parameter(mut self, name: &str, value: impl Into<Value>) -> Self {
        let mut parameters = match self.0.remove("parameters") {
            Some(Value::Object(parameters)) => parameters,
            _ => Object::new(),
        };
        parameters.insert(name, value.into());
        self.0.insert("parameters", parameters);
        self
    }

    /// For this purpose of use.
    #[must_use]
    pub fn with_purpose(mut self, purpose: &str) -> Self {
        self.0.insert("purpose", purpose);
        self
    }
}

/// A request as the service's function sees it.
#[derive(Clone, Copy, Debug)]
pub struct Received<'a> {
    /// Method, path, query and fields.
    pub parts: &'a Parts,
    /// The content.
    pub content: &'a [u8],
}

/// The decision that let a request through: an extension of the request.
#[derive(Clone, Debug)]
pub struct Allowed(pub Arc<Decision>);

/// The layer.
pub struct SignedRequests<M> {
    shared: Arc<Shared<M>>,
}

struct Shared<M> {
    node: Client,
    base: TargetUri,
    meaning: M,
}

impl<M> Clone for SignedRequests<M> {
    fn clone(&self) -> Self {
        Self {
            shared: Arc::clone(&self.shared),
        }
    }
}

/// The address given for the service cannot be used.
#[derive(Debug, thiserror::Error)]
#[error(
    "{0} is not the address of a service: give scheme and host as it is called from outside, such as https://billing.example"
)]
pub struct BaseError(String);

impl<M> SignedRequests<M>
where
    M: Fn(&Received<'_>) -> Result<Meaning, String> + Send + Sync + 'static,
{
    /// Lets through what `node` allows. `base` is the scheme and host by which agents call the service; `meaning` says
    /// what a request means, or in words for the caller why it means nothing.
    ///
    /// # Errors
    /// [`BaseError`]
    pub fn new(node: Client, base: &str, meaning: M) -> Result<Self, BaseError> {
        let parsed = TargetUri::parse(base).filter(TargetUri::is_origin);
        let base = parsed.ok_or_else(|| BaseError(base.to_owned()))?;
        Ok(Self {
            shared: Arc::new(Shared { node, base, meaning }),
        })
    }
}

impl<S, M> Layer<S> for SignedRequests<M> {
    type Service = SignedService<S, M>;

    fn layer(&self, inner: S) -> Self::Service {
        SignedService {
            inner,
            shared: Arc::clone(&self.shared),
        }
    }
}

/// The service behind the layer.
pub struct SignedService<S, M> {
    inner: S,
    shared: Arc<Shared<M>>,
}

impl<S: Clone, M> Clone for SignedService<S, M> {
    fn clone(&self) -> Self {
        Self {
            inner: self.inner.clone(),
            shared: Arc::clone(&self.shared),
        }
    }
}

impl<S, M> Service<Request> for SignedService<S, M>
where
    S: Service<Request, Response = Response> + Clone + Send + 'static,
    S::Future: Send + 'static,
    M: Fn(&Received<'_>) -> Result<Meaning, String> + Send + Sync + 'static,
{
    type Response = Response;
    type Error = S::Error;
    type Future = BoxFuture<'static, Result<Response, S::Error>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        // The one that was ready is the one that is called.
        let fresh = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, fresh);
        let shared = Arc::clone(&self.shared);
        Box::pin(async move {
            match judge(shared, request).await {
                Ok(request) => inner.call(request).await,
                Err(problem) => Ok(problem.into_response()),
            }
        })
    }
}

/// The request, if it is allowed.
async fn judge<M>(shared: Arc<Shared<M>>, request: Request) -> Result<Request, Problem>
where
    M: Fn(&Received<'_>) -> Result<Meaning, String> + Send + Sync + 'static,
{
    let (mut parts, body) = request.into_parts();
    let content = to_bytes(body, CONTENT_BYTES).await.map_err(|_| {
        let detail =
            format!("content of at most {CONTENT_BYTES} bytes is read, and all of it: send less, or send it again");
        Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too-large", detail)
    })?;
    let question = question(&shared, &parts, &content)?;
    let asked = tokio::task::spawn_blocking(move || shared.node.decide("/actions/verify", &question)).await;
    let decision = match asked {
        Ok(Ok(decision)) => decision,
        // 429 is about the service and not about its caller.
        Ok(Err(CallError::Refused(problem))) if problem.status < 500 && problem.status != 429 => {
            return Err(Problem::bad_request(problem.to_string()));
        }
        Ok(Err(error)) => {
            tracing::warn!(%error, "a node could not be asked about a request");
            return Err(unavailable());
        }
        Err(error) => {
            tracing::error!(%error, "a question to a node did not end");
            return Err(unavailable());
        }
    };
    if decision.outcome != Outcome::Allow {
        return Err(refused(&decision));
    }
    parts.extensions.insert(Allowed(Arc::new(decision)));
    Ok(Request::from_parts(parts, Body::from(content)))
}

fn question<M>(shared: &Shared<M>, parts: &Parts, content: &Bytes) -> Result<Value, Problem>
where
    M: Fn(&Received<'_>) -> Result<Meaning, String>,
{
    let mut fields = Vec::with_capacity(parts.headers.len());
    for (name, value) in &parts.headers {
        let text = value.to_str().map_err(|_| {
            Problem::bad_request(format!(
                "the field {name} is not in ASCII: it cannot be part of a signed request"
            ))
        })?;
        fields.push([name.as_str(), text].into_iter().collect::<Value>());
    }
    let target = shared.base.with_path(parts.uri.path(), parts.uri.query());
    let mut request = Object::new();
    request.insert("method", parts.method.as_str());
    request.insert("target", target.to_string());
    request.insert("fields", fields.into_iter().collect::<Value>());
    if !content.is_empty() {
        // The content itself is no business of the node's.
        request.insert("contentSha256", Base::Base64Url.encode(Sha256::digest(content)));
    }
    let meaning = (shared.meaning)(&Received { parts, content }).map_err(Problem::bad_request)?;
    Ok(object! { "request": Value::from(request), "meaning": Value::from(meaning.0) })
}

fn unavailable() -> Problem {
    let detail = "whether this is allowed cannot be told now: try again later";
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, "knowledge-unavailable", detail)
}

fn refused(decision: &Decision) -> Problem {
    let first = decision.reasons.first();
    let (code, message) = first.map_or(("denied", "denied"), |reason| (&reason.code, &reason.message));
    let unsigned = code == "request-unsigned";
    let status = match code {
        "request-unsigned" => StatusCode::UNAUTHORIZED,
        "knowledge-unavailable" => StatusCode::SERVICE_UNAVAILABLE,
        _ => StatusCode::FORBIDDEN,
    };
    let problem = Problem::new(status, code, message)
        .titled(code)
        .with("decision", serde_json::json!(decision.document.get("decision")));
    if unsigned {
        let covered: Vec<String> = REQUIRED.iter().map(|name| format!("\"{name}\"")).collect();
        let wanted = format!(
            "action=({});created;expires;nonce;keyid;tag=\"{ACTION_TAG}\"",
            covered.join(" ")
        );
        return problem.header(HeaderName::from_static("accept-signature"), &wanted);
    }
    problem
}
