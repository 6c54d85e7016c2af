//! A presentation in, an access token out (RFC 8693, RFC 9449, RFC 9396).

use std::borrow::Cow;

use multibase::Base;
use syndic_vc::canonical;
use syndic_vc::capability::Capability;
use syndic_vc::constraint::Constraint;
use syndic_vc::credential::Credential;
use syndic_vc::decision::Verified as _;
use syndic_vc::enveloped;
use syndic_vc::jose;
use syndic_vc::json::members::Path;
use syndic_vc::json::{self, Object, Value};
use syndic_vc::time::Timestamp;
use syndic_vc::token::dpop::{CheckedProof, ProofRequest};
use syndic_vc::token::{AccessClaims, MakeError, Profile, Task, details};
use syndic_vc::trust::SpendError;
use syndic_vc::verify::{self, VerifiedCredential, VerifiedPresentation};

use super::{OAuthError, issuer, signing_keys};
use crate::http::problem::Problem;
use crate::http::strict_form::Form;
use crate::node::{CLOCK_SKEW_SECONDS, Node};
use crate::one_time::Once;
use crate::{clock, keys, knowledge};

/// The one grant (RFC 8693 section 2.1).
pub const GRANT_TYPE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
/// `subject_token_type`: a verifiable presentation made for this node's challenge.
pub const PRESENTATION_TYPE: &str = "urn:syndic:token-type:presentation";
/// What is issued (RFC 8693 section 3).
const ACCESS_TOKEN_TYPE: &str = "urn:ietf:params:oauth:token-type:access_token";
/// The same by its format.
const JWT_TYPE: &str = "urn:ietf:params:oauth:token-type:jwt";

/// Bytes of a presentation: it is kept for as long as its token lives.
const MAX_PRESENTATION_BYTES: usize = 128 << 10;
/// A token that would end sooner than this is not worth a use of the credential's last seconds.
const SHORTEST_SECONDS: i64 = 1;
/// The kind under which tokens are remembered.
pub(super) const TOKEN: &str = "token";
/// The kind under which ids of DPoP proofs are remembered.
pub(super) const PROOF: &str = "dpop";
/// What a token is for if the agent does not say.
const NO_PURPOSE: &str = "unspecified";

/// A request for a token.
pub struct Request<'a> {
    /// The form.
    pub form: &'a Form,
    /// The header `DPoP`.
    pub proof: &'a str,
    /// The id of the request.
    pub trace: &'a str,
}

/// What the form asks for.
struct Wish<'a> {
    audience: &'a str,
    challenge: &'a str,
    less: Less<'a>,
    task: (Option<&'a str>, &'a str),
    client: Option<&'a str>,
}

/// How less than everything is asked for.
enum Less<'a> {
    Everything,
    Scope(&'a str),
    Details(Vec<Capability>),
}

/// Verifies the presentation and makes the token. Blocks; the token and the proof's id are durable before it returns.
///
/// # Errors
/// [`OAuthError`]. The challenge is used up once the presentation holds, whatever follows.
pub fn exchange(node: &Node, request: &Request<'_>) -> Result<Value, OAuthError> {
    let (wish, presentation) = wish(node, request.form)?;
    let proof = check_proof(node, request.proof, wish.challenge, clock::now())?;
    let known = knowledge::gather(node, &presentation);
    // Other hosts may have been waited for.
    let now = clock::now();
    let asked = verify::PresentationRequest {
        challenge: wish.challenge,
        domain: node.organization.as_str(),
    };
    let policy = node.policy();
    let verified = verify::presentation_value(presentation, &asked, &policy, &known, &node.one_time, now);
    let verified = verified.map_err(|denied| OAuthError::Grant(Box::new(denied)))?;
    let holder = verified.holder();
    if wish.client.is_some_and(|client| client != holder.as_str()) {
        return Err(OAuthError::Request(
            "client_id is another than the holder of the presentation".to_owned(),
        ));
    }
    let grants = match &wish.less {
        Less::Everything => {
            details::all(&usable(node, &verified)).map_err(|error| OAuthError::Details(error.to_string()))
        }
        Less::Scope(scope) => {
            details::by_scope(&usable(node, &verified), scope).map_err(|error| OAuthError::Scope(error.to_string()))
        }
        Less::Details(asked) => {
            details::narrowed(&usable(node, &verified), asked).map_err(|error| OAuthError::Details(error.to_string()))
        }
    }?;
    let id = keys::random_base64url::<24>()?;
    let claims = claims(node, &verified, grants, (id, &wish), (&proof, request.trace), now)?;
    let token = claims
        .sign(&signing_keys::signing(
            &node.keys,
            node.config.tokens.key_generation,
            now,
        ))
        .map_err(|error| match error {
            MakeError::TooLarge(_) => OAuthError::Details(error.to_string()),
            _ => Problem::unavailable("the key for access tokens cannot be used now").into(),
        })?;
    remember(node, &claims, &proof, kept(&verified), now)?;
    Ok(answer(&claims, &token, request.form.get("scope"), now))
}

/// What is asked for, and the presentation.
fn wish<'a>(node: &Node, form: &'a Form) -> Result<(Wish<'a>, Value), OAuthError> {
    let needed = |name: &str| {
        form.get(name)
            .ok_or_else(|| OAuthError::Request(format!("the parameter {name} is missing")))
    };
    if needed("grant_type")? != GRANT_TYPE {
        return Err(OAuthError::GrantType);
    }
    if needed("subject_token_type")? != PRESENTATION_TYPE {
        return Err(OAuthError::Request(format!(
            "subject_token_type must be {PRESENTATION_TYPE}"
        )));
    }
    if form
        .get("requested_token_type")
        .is_some_and(|kind| ![ACCESS_TOKEN_TYPE, JWT_TYPE].contains(&kind))
    {
        return Err(OAuthError::Request(format!(
            "requested_token_type must be {ACCESS_TOKEN_TYPE}"
        )));
    }
    if form.get("actor_token").is_some() || form.get("actor_token_type").is_some() {
        return Err(OAuthError::Request(
            "actor_token: nobody acts for an agent here".to_owned(),
        ));
    }
    let audience = match (form.get("audience"), form.get("resource")) {
        (Some(one), None) | (None, Some(one)) => one,
        (None, None) => {
            return Err(OAuthError::Target(
                "name the one service, by audience or resource".to_owned(),
            ));
        }
        (Some(_), Some(_)) => {
            return Err(OAuthError::Target(
                "name one service, by audience or resource".to_owned(),
            ));
        }
    };
    if !super::is_service(node, audience) {
        return Err(OAuthError::Target(
            "no tokens are made here for this service; its organization can name it in [[tokens.services]]".to_owned(),
        ));
    }
    let less = match (form.get("scope"), form.get("authorization_details")) {
        (None, None) => Less::Everything,
        (Some(scope), None) => Less::Scope(scope),
        (None, Some(text)) => Less::Details(asked_details(text)?),
        (Some(_), Some(_)) => {
            return Err(OAuthError::Request(
                "ask by scope or by authorization_details, not by both".to_owned(),
            ));
        }
    };
    let (task, purpose) = (form.get("task_id"), form.get("task_purpose").unwrap_or(NO_PURPOSE));
    // Refused before the challenge is used up.
    named(task.unwrap_or(NO_PURPOSE), purpose)?;
    let wish = Wish {
        audience,
        challenge: needed("challenge")?,
        less,
        task: (task, purpose),
        client: form.get("client_id"),
    };
    Ok((wish, presentation(needed("subject_token")?)?))
}

fn named(task: &str, purpose: &str) -> Result<Task, OAuthError> {
    Task::new(task, purpose).ok_or_else(|| OAuthError::Request("task_id and task_purpose are short texts".to_owned()))
}

fn asked_details(text: &str) -> Result<Vec<Capability>, OAuthError> {
    let value = json::parse(text.as_bytes()).map_err(|error| OAuthError::Details(error.to_string()))?;
    let items = value
        .as_array()
        .ok_or_else(|| OAuthError::Details("must be an array".to_owned()))?;
    details::read(items, &Path::ROOT).map_err(|reason| OAuthError::Details(reason.to_string()))
}

/// JSON, a compact `vp+jwt`, or JSON in base64url.
fn presentation(text: &str) -> Result<Value, OAuthError> {
    let malformed = |what: &str| OAuthError::Request(format!("subject_token: {what}"));
    if text.len() > MAX_PRESENTATION_BYTES {
        return Err(malformed("larger than 128 KiB; present fewer credentials"));
    }
    let json = if text.starts_with('{') {
        Cow::Borrowed(text.as_bytes())
    } else if text.contains('.') {
        return Ok(enveloped::presentation_of(text));
    } else {
        let decoded = Base::Base64Url.decode(text);
        Cow::Owned(decoded.map_err(|_| malformed("neither JSON, nor a vp+jwt, nor JSON in base64url"))?)
    };
    let value = json::parse_with(&json, &jose::document_limits()).map_err(|error| malformed(&error.to_string()))?;
    match value {
        Value::Object(_) => Ok(value),
        _ => Err(malformed("must be an object")),
    }
}

/// The URL of the token endpoint, as proofs name it.
fn endpoint(node: &Node) -> String {
    format!("{}/token", issuer(node))
}

fn check_proof(node: &Node, proof: &str, challenge: &str, now: Timestamp) -> Result<CheckedProof, OAuthError> {
    let request = ProofRequest {
        method: "POST",
        url: &endpoint(node),
        access_token: None,
        nonce: Some(challenge),
        clock_skew_seconds: CLOCK_SKEW_SECONDS,
    };
    let proof = CheckedProof::read(proof, &request, now).map_err(|error| OAuthError::Dpop(error.to_string()))?;
    match node.one_time.key_of_challenge(challenge) {
        Some(key) if Base::Base64Url.encode(key) != proof.thumbprint() => Err(OAuthError::Dpop(
            "the challenge was made for another key than this proof's".to_owned(),
        )),
        _ => Ok(proof),
    }
}

/// What verification established that the holder may do, as far as it may be used at this organization.
fn usable(node: &Node, verified: &VerifiedPresentation) -> Vec<Capability> {
    let here = |capability: &&Capability| {
        capability.constraint.iter().all(|constraint| match constraint {
            Constraint::Audience { allowed } => allowed.contains(&node.organization),
            _ => true,
        })
    };
    verified
        .credentials()
        .iter()
        .filter(|credential| credential.credential().subject_id() == Some(verified.holder().as_str()))
        .flat_map(|credential| credential.capabilities().iter().filter(here).cloned())
        .collect()
}

fn claims(
    node: &Node,
    verified: &VerifiedPresentation,
    grants: Vec<Capability>,
    (id, wish): (String, &Wish<'_>),
    (proof, trace): (&CheckedProof, &str),
    now: Timestamp,
) -> Result<AccessClaims, OAuthError> {
    let shown = verified.credentials();
    let credentials = shown
        .iter()
        .flat_map(|one| std::iter::once(one.credential()).chain(one.ancestors()));
    let from = credentials.clone().filter_map(|one| one.valid_from).max();
    let until = credentials.clone().filter_map(|one| one.valid_until).min();
    let expires = clock::later(now, node.config.tokens.lifetime_seconds.into());
    let expires = until.map_or(expires, |until| until.min(expires));
    // Whole seconds; what a credential's end has beyond them is lost to the token, and never won.
    let expires = Timestamp::from_unix_seconds(expires.unix_seconds()).unwrap_or(now);
    if expires.seconds_since(now) < SHORTEST_SECONDS {
        return Err(OAuthError::Request(
            "the credential ends within this second: renew it".to_owned(),
        ));
    }
    let mut subjects = shown.iter().filter_map(|one| one.credential().capability_subject());
    let subject = subjects
        .next()
        .ok_or_else(|| OAuthError::Details(details::NotGranted::Nothing.to_string()))?;
    if subjects.any(|other| other.owner.id != subject.owner.id) {
        return Err(OAuthError::Request(
            "the credentials name different owners of the agent: a token names one, so present them apart".to_owned(),
        ));
    }
    let mut chains = shown
        .iter()
        .filter(|one| one.credential().capability_subject().is_some())
        .map(hands);
    let chain = chains.next().unwrap_or_default();
    if chains.any(|other| other != chain) {
        return Err(OAuthError::Request(
            "the credentials came through different hands: a token names one chain, so present them apart".to_owned(),
        ));
    }
    let (task, purpose) = (wish.task.0.unwrap_or(&id), wish.task.1);
    let task = named(task, purpose)?;
    Ok(AccessClaims {
        issuer: issuer(node).to_owned(),
        audience: wish.audience.to_owned(),
        agent: verified.holder().clone(),
        issued: now,
        expires,
        key_thumbprint: proof.thumbprint().to_owned(),
        grants,
        profile: Profile {
            agent_name: Some(subject.name.clone()),
            operator: subject.owner.id.clone(),
            task,
            chain,
            window: (from.unwrap_or(now), until.unwrap_or(expires)),
            trace: Some(trace.to_owned()),
            credentials: verified.findings().chain.clone(),
        },
        id,
    })
}

/// Through whose hands a credential came: the first agent's first, its own subject's last.
fn hands(credential: &VerifiedCredential) -> Vec<String> {
    let all = credential
        .ancestors()
        .iter()
        .rev()
        .chain(std::iter::once(credential.credential()));
    all.filter_map(Credential::subject_id).map(str::to_owned).collect()
}

/// What is judged anew when somebody asks about the token: the credentials as they were shown.
fn kept(verified: &VerifiedPresentation) -> Vec<u8> {
    let mut shown = Object::new();
    shown.insert("holder", verified.holder());
    if let Some(credentials) = verified.document().get("verifiableCredential") {
        shown.insert("verifiableCredential", credentials.clone());
    }
    canonical::to_bytes(&shown.into())
}

fn remember(
    node: &Node,
    claims: &AccessClaims,
    proof: &CheckedProof,
    kept: Vec<u8>,
    now: Timestamp,
) -> Result<(), OAuthError> {
    let used = proof.one_time();
    let rows = [
        Once {
            kind: PROOF,
            value: &used,
            content: Vec::new(),
            until: proof.until(),
        },
        Once {
            kind: TOKEN,
            value: &claims.id,
            content: kept,
            until: claims.expires,
        },
    ];
    node.one_time.remember(&rows, now).map_err(|error| match error {
        SpendError::Unavailable(why) => {
            Problem::unavailable(format!("the token cannot be remembered now: {why}")).into()
        }
        _ => OAuthError::Dpop("the DPoP proof was used before: make one for each request".to_owned()),
    })
}

fn answer(claims: &AccessClaims, token: &str, scope: Option<&str>, now: Timestamp) -> Value {
    let mut answer = Object::new();
    answer.insert("access_token", token);
    answer.insert("issued_token_type", ACCESS_TOKEN_TYPE);
    answer.insert("token_type", "DPoP");
    answer.insert("expires_in", claims.expires.seconds_since(now));
    answer.insert(
        "authorization_details",
        claims.grants.iter().map(details::to_json).collect::<Value>(),
    );
    if let Some(scope) = scope {
        answer.insert("scope", scope);
    }
    answer.into()
}
