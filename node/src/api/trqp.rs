//! ToIP Trust Registry Query Protocol, version 2: is this entity authorized, is this authority recognized?

use std::sync::Arc;

use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::response::Response;
use syndic_registry::right_proof::{self, RightProof};
use syndic_registry::view::{Answer, Authority, PastError, Question};
use syndic_vc::decision::AsOf;
use syndic_vc::json::{Object, Value};
use syndic_vc::time::Timestamp;

use crate::api::{answer, schema};
use crate::clock;
use crate::http::problem::Problem;
use crate::http::strict_json::StrictJson;
use crate::node::Node;

struct Asked {
    entity: String,
    authority: String,
    action: String,
    resource: String,
    context: Option<Value>,
    requested: Option<Timestamp>,
}

impl Asked {
    fn authority<'n>(&self, node: &'n Node) -> Result<Authority<'n>, Problem> {
        node.view().authority(&self.authority).ok_or_else(|| {
            Problem::not_found(format!(
                "authority {:?} is neither this consortium ({}) nor one of its members; GET /charter lists them",
                self.authority, node.consortium
            ))
        })
    }

    /// The time asked about, if it has passed: then what was said since does not count.
    fn past(&self, now: Timestamp) -> Option<Timestamp> {
        self.requested.filter(|time| *time < now)
    }

    fn asked(&self, now: Timestamp) -> Question<'_> {
        Question {
            subject: &self.entity,
            action: &self.action,
            resource: &self.resource,
            at: self.requested.unwrap_or(now),
        }
    }
}

/// `POST /authorization`
///
/// # Errors
/// 400 for a question that is not well formed, 404 for an authority that is not known here.
#[utoipa::path(
    post,
    path = "/authorization",
    tag = "registry",
    params(("proof" = Option<u8>, Query, description = "1: with proof of the statements that the answer rests on")),
    request_body = schema::TrustQuestion,
    responses((status = 200, description = "the answer", body = schema::TrustAnswer), schema::Refused),
)]
pub async fn authorization(
    State(node): State<Arc<Node>>,
    RawQuery(query): RawQuery,
    StrictJson(body, _): StrictJson,
) -> Result<Response, Problem> {
    let prove = wants_proof(query.as_deref())?;
    let now = clock::now();
    let question = question(&body)?;
    let (authority, asked) = (question.authority(&node)?, question.asked(now));
    let answer = match question.past(now) {
        None => node.view().authorization(authority, &asked)?,
        Some(time) => node.view().at(time).authorization(authority, &asked).map_err(past)?,
    };
    respond(&node, &question, "authorized", &answer, (now, prove))
}

/// `POST /recognition`
///
/// # Errors
/// As for `/authorization`.
#[utoipa::path(
    post,
    path = "/recognition",
    tag = "registry",
    params(("proof" = Option<u8>, Query, description = "1: with proof of the statements that the answer rests on")),
    request_body = schema::TrustQuestion,
    responses((status = 200, description = "the answer", body = schema::TrustAnswer), schema::Refused),
)]
pub async fn recognition(
    State(node): State<Arc<Node>>,
    RawQuery(query): RawQuery,
    StrictJson(body, _): StrictJson,
) -> Result<Response, Problem> {
    let prove = wants_proof(query.as_deref())?;
    let now = clock::now();
    let question = question(&body)?;
    let (authority, asked) = (question.authority(&node)?, question.asked(now));
    let answer = match question.past(now) {
        None => node.view().recognition(authority, &asked)?,
        Some(time) => node.view().at(time).recognition(authority, &asked).map_err(past)?,
    };
    respond(&node, &question, "recognized", &answer, (now, prove))
}

fn past(error: PastError) -> Problem {
    match error {
        PastError::Read(inner) => inner.into(),
        PastError::NotKept(_) | PastError::TooMuch => Problem::bad_request(format!("/context/time: {error}")),
    }
}

fn question(body: &Value) -> Result<Asked, Problem> {
    let entity = answer::text(body, "entity_id")?.to_owned();
    let authority = answer::text(body, "authority_id")?.to_owned();
    let action = answer::text(body, "action")?.to_owned();
    let resource = answer::text(body, "resource")?.to_owned();
    let context = body.get("context").cloned();
    let requested = match &context {
        None => None,
        Some(context @ Value::Object(_)) => {
            answer::optional_time(context, "time").map_err(|problem| answer::within("/context", problem))?
        }
        Some(_) => return Err(Problem::bad_request("/context: must be an object".to_owned())),
    };
    Ok(Asked {
        entity,
        authority,
        action,
        resource,
        context,
        requested,
    })
}

/// How old the knowledge of each log is that the answer rests on, and who else has seen what was used of it: of those
/// who grant what is asked, or of the one who was asked and does not.
fn as_of(node: &Node, question: &Asked, answer: &Answer, now: Timestamp) -> Result<Value, Problem> {
    let (view, policy) = (node.view(), node.policy());
    let asked = match question.authority(node)? {
        Authority::Member(member) if answer.vouchers.is_empty() => Some((member.did(), 0)),
        _ => None,
    };
    let used = answer.vouchers.iter().map(|used| (&used.organization, used.index + 1));
    let mut all = Vec::new();
    for (organization, entries) in used.chain(asked) {
        if let Some(freshness) = view.age(organization)? {
            let witnessed = freshness.witnessed(&policy.wanted(entries, now));
            let issuer = organization.clone();
            all.push(AsOf {
                issuer,
                freshness,
                witnessed,
            });
        }
    }
    Ok(all.iter().map(AsOf::to_json).collect())
}

/// `proof=1` asks for proof; other parameters say nothing.
fn wants_proof(query: Option<&str>) -> Result<bool, Problem> {
    let asked = query
        .unwrap_or_default()
        .split('&')
        .find_map(|part| part.strip_prefix("proof="));
    match asked {
        None | Some("0") => Ok(false),
        Some("1") => Ok(true),
        Some(_) => Err(Problem::bad_request("?proof: must be 1 or 0")),
    }
}

/// Each statement that the answer rests on, with proof that a signed head covers it.
fn proof(node: &Node, answer: &Answer) -> Result<Value, Problem> {
    let view = node.view();
    let mut proofs = Vec::new();
    for voucher in &answer.vouchers {
        proofs.extend(RightProof::of(voucher, &view, node.reader())?);
    }
    Ok(right_proof::to_value(&proofs, &view))
}

fn respond(
    node: &Node,
    question: &Asked,
    member: &str,
    full: &Answer,
    (now, prove): (Timestamp, bool),
) -> Result<Response, Problem> {
    let answer = full.granted;
    let mut body = Object::new();
    body.insert("entity_id", question.entity.as_str());
    body.insert("authority_id", question.authority.as_str());
    body.insert("action", question.action.as_str());
    body.insert("resource", question.resource.as_str());
    body.insert(member, answer);
    body.insert("time_evaluated", now.to_string());
    if let Some(requested) = question.requested {
        body.insert("time_requested", requested.to_string());
    }
    if let Some(context) = &question.context {
        body.insert("context", context.clone());
    }
    let message = format!(
        "{} is {}{member} by {} for {} on {}",
        question.entity.as_str(),
        if answer { "" } else { "not " },
        question.authority,
        question.action,
        question.resource
    );
    body.insert("message", message);
    body.insert("asOf", as_of(node, question, full, now)?);
    if prove {
        body.insert("proof", proof(node, full)?);
    }
    Ok(answer::json(StatusCode::OK, &Value::Object(body)))
}
