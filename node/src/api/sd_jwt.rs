//! SD-JWT credentials (`dc+sd-jwt`): claims of which the holder shows a part. A door of its own, since they are no
//! documents of the VC Data Model.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use syndic_vc::did::Did;
use syndic_vc::document::Purpose;
use syndic_vc::json::{Object, Value};
use syndic_vc::limits::DISCLOSURES;
use syndic_vc::sd_jwt::{self, Concealment};
use syndic_vc::trust::Knowledge as _;
use syndic_vc::verify::{self, HolderProof};
use syndic_vc::{decision, object};

use crate::api::verification::{challenge_and_domain, not_verified, off_the_async_threads, refused};
use crate::api::{answer, schema};
use crate::credentials::{self, CredentialError};
use crate::http::problem::Problem;
use crate::http::strict_json::StrictJson;
use crate::node::Node;
use crate::{clock, keys};

/// Claims that this node writes itself.
const OWN_CLAIMS: [&str; 9] = ["iss", "iat", "nbf", "exp", "cnf", "vct", "status", "_sd", "_sd_alg"];

/// `POST /sd-jwt/issue`: signed by the organization, given out and not kept: it has no status entry, so it ends by its
/// time alone.
///
/// # Errors
/// 400 that names the member at fault.
#[utoipa::path(
    post,
    path = "/sd-jwt/issue",
    tag = "credentials",
    request_body = schema::vc::SdJwtClaims,
    responses((status = 201, description = "signed, with all disclosures", body = schema::vc::SdJwtIssued), schema::Refused, schema::AdminRefused),
    security(("admin_token" = [])),
)]
pub async fn issue(State(node): State<Arc<Node>>, StrictJson(body, _): StrictJson) -> Result<Response, Problem> {
    answer::only(
        &body,
        &["vct", "claims", "disclosable", "holder", "validFrom", "validUntil"],
    )?;
    let claims = claims(&node, &body)?;
    let hidden = disclosable(&body)?;
    let salts = hidden
        .iter()
        .map(|_| keys::random_base64url::<16>())
        .collect::<Result<Vec<_>, _>>()?;
    let concealment = Concealment {
        hidden: &hidden,
        decoys: &[],
    };
    let signer = node.keys.credential_signer();
    let issued = sd_jwt::issue(
        &claims,
        &concealment,
        &node.issuer_method(),
        &mut salts.into_iter(),
        signer,
    )
    .map_err(|error| Problem::from(CredentialError::from(error)))?;
    // What verifiers check the signature of ends at the first disclosure.
    let token = issued.split('~').next().unwrap_or_default();
    credentials::anchor_token(&node, token, clock::now()).await?;
    Ok(answer::json(StatusCode::CREATED, &object! { "sdJwt": issued }))
}

fn claims(node: &Node, body: &Value) -> Result<Object, Problem> {
    let mut claims = match body.get("claims") {
        Some(Value::Object(claims)) => claims.clone(),
        _ => return Err(Problem::bad_request("/claims: must be an object")),
    };
    if let Some(name) = OWN_CLAIMS.iter().find(|name| claims.contains_key(name)) {
        return Err(Problem::bad_request(format!(
            "/claims/{name}: is written by the node; leave it out"
        )));
    }
    let now = clock::now();
    claims.insert("iss", node.organization.as_str());
    claims.insert("vct", answer::text(body, "vct")?);
    claims.insert("iat", now.unix_seconds());
    let (from, until) = (
        answer::optional_time(body, "validFrom")?,
        answer::optional_time(body, "validUntil")?,
    );
    if until.is_some_and(|until| until <= from.unwrap_or(now)) {
        return Err(Problem::bad_request("/validUntil: must be a time after validFrom"));
    }
    for (name, time) in [("nbf", from), ("exp", until)] {
        if let Some(time) = time {
            claims.insert(name, time.unix_seconds());
        }
    }
    if body.get("holder").is_some() {
        let key = holder_key(node, &answer::did(body, "holder")?)?;
        claims.insert("cnf", object! { "jwk": key });
    }
    Ok(claims)
}

/// The key with which the holder will show it.
fn holder_key(node: &Node, holder: &Did) -> Result<Object, Problem> {
    let refuse = |why: String| Problem::bad_request(format!("/holder: {why}"));
    let document = node
        .view()
        .document(holder)
        .map_err(|error| refuse(error.to_string()))?;
    let named = document.relationship(Purpose::Authentication);
    let mut methods = document.verification_method.iter();
    methods
        .find_map(|method| method.key.public_key().filter(|_| named.contains(&method.id)))
        .map(|key| key.to_jwk())
        .ok_or_else(|| refuse("has no key to sign with".to_owned()))
}

fn disclosable(body: &Value) -> Result<Vec<&str>, Problem> {
    let Some(value) = body.get("disclosable") else {
        return Ok(Vec::new());
    };
    let items = value.as_array().filter(|items| items.len() <= DISCLOSURES);
    let pointers = items.and_then(|items| items.iter().map(Value::as_str).collect::<Option<Vec<_>>>());
    pointers.ok_or_else(|| {
        Problem::bad_request(format!(
            "/disclosable: must be an array of at most {DISCLOSURES} JSON Pointers into the claims"
        ))
    })
}

/// `POST /sd-jwt/verify`. With `options.challenge` the holder's key binding must answer it; without, the SD-JWT is looked
/// at as its issuer made it, and the answer names no holder.
///
/// # Errors
/// 400 with the decision if it is refused.
#[utoipa::path(
    post,
    path = "/sd-jwt/verify",
    tag = "verification",
    request_body = schema::vc::SdJwtQuestion,
    responses(schema::Refused, (status = 200, description = "it holds", body = schema::vc::SdJwtVerified), (status = 400, description = "it does not", body = schema::Denial, content_type = "application/problem+json")),
)]
pub async fn verify(State(node): State<Arc<Node>>, body: Result<StrictJson, Problem>) -> Result<Response, Problem> {
    let StrictJson(body, _) = body.map_err(not_verified)?;
    let text = answer::text(&body, "sdJwt").map_err(not_verified)?.to_owned();
    let options = body.get("options").cloned().unwrap_or_else(|| object! {});
    let asked = if options.as_object().is_some_and(Object::is_empty) {
        None
    } else {
        Some(challenge_and_domain(&options, &node).map_err(not_verified)?)
    };
    off_the_async_threads(move || {
        let request = asked
            .as_ref()
            .map(|(challenge, domain)| verify::PresentationRequest { challenge, domain });
        let holder = match &request {
            Some(request) => HolderProof::Required(request, &node.one_time),
            None => HolderProof::NotAsked,
        };
        let verdict = verify::sd_jwt(&text, holder, &node.policy(), &node.view(), clock::now());
        let decision = decision::Decision::of(&verdict);
        match &verdict {
            Ok(verified) => {
                let holder = verified.holder_key().map_or(Value::Null, |key| key.to_jwk().into());
                let body = object! {
                    "verified": true,
                    "issuer": verified.issuer().as_str(),
                    "vct": verified.vct(),
                    "claims": verified.claims().clone(),
                    "holderKey": holder,
                    "decision": Value::Object(decision.to_object()),
                };
                answer::json(StatusCode::OK, &body)
            }
            Err(denied) => refused(denied, &decision),
        }
    })
    .await
}
