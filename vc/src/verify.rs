//! The one verification path.
//!
//! Whether something may be acted on is a function of what was signed, what is asked, what is
//! known ([`Knowledge`]) and what time it is. Nothing else decides, and nobody else builds
//! [`VerifiedCredential`], [`VerifiedPresentation`] and [`AllowedAction`]: holding one is the
//! permission. `Ok` means "you may act on this"; every way of not being sure is an `Err` with a
//! code of [`crate::denial`].
//!
//! The steps, in order: strict reading, proof, validity, status, the agent's and the issuer's
//! standing, who uses it, constraints, freshness, single use. The text is read once; what was
//! hashed is what is handed out.
//!
//! A handler takes one of these types:
//!
//! ```
//! use syndic_vc::action::AgentAction;
//! use syndic_vc::credential::Credential;
//! use syndic_vc::verify::{AllowedAction, VerifiedCredential};
//! fn admit(verified: &VerifiedCredential) -> &Credential {
//!     verified.credential()
//! }
//! fn carry_out(allowed: &AllowedAction) -> &AgentAction {
//!     allowed.action()
//! }
//! ```
//!
//! and cannot be called with what was only parsed:
//!
//! ```compile_fail
//! use syndic_vc::{credential::Credential, verify::VerifiedCredential};
//! fn admit(_: &VerifiedCredential) {}
//! fn handler(parsed: Credential) {
//!     admit(&parsed); // parsed, not verified
//! }
//! ```
//!
//! ```compile_fail
//! use syndic_vc::{action::AgentAction, verify::AllowedAction};
//! fn build(action: AgentAction) -> AllowedAction {
//!     AllowedAction { action } // private fields, and no constructor
//! }
//! ```
//!
//! ```compile_fail
//! use syndic_vc::verify::{ProofChecked, VerifiedCredential};
//! fn promote(checked: ProofChecked) -> VerifiedCredential {
//!     checked.into() // a good signature is not permission
//! }
//! ```

mod action;
mod batch;
mod chain;
mod credential;
mod family;
mod http_action;
mod outcome;
mod presentation;
mod sd_jwt;
mod signature;
mod status_list;
mod token;

use crate::constraint::Quoted;
use crate::decision::{Findings, Step};
use crate::denial::{DenialCode, Denied, Reason};
use crate::did::Did;
use crate::enveloped::Envelope;
use crate::jose::{self, TokenType};
use crate::json::members::Path;
use crate::json::original::Original;
use crate::json::{JsonErrorKind, Value};
use crate::limits::CREDENTIAL_BYTES;
use crate::time::Timestamp;
use crate::trust::{Knowledge, OneTime, Wanted};

use batch::Deferred;
pub use batch::credentials;
pub use outcome::{AllowedAction, ProofChecked, SecuredBy, VerifiedCredential, VerifiedPresentation};
pub use sd_jwt::{HolderProof, VerifiedSdJwt};
pub use status_list::{StatusListRequest, VerifiedStatusList};

/// What a verifier demands of everything it is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Whose word makes an issuer: the DID of the verifying organization, or the id of its
    /// consortium.
    pub authority: String,
    /// How old the knowledge about an issuer may be.
    pub max_staleness_seconds: u32,
    /// How many other members must have cosigned what is known about an issuer, no longer ago than that.
    pub witnesses: u32,
    /// How far a signer's clock may run ahead. Only a beginning may lie that far in the future;
    /// an end is an end.
    pub clock_skew_seconds: u32,
}

impl Policy {
    /// What is asked of witnesses for a decision at `now` that rests on the first `entries` statements of a log.
    #[must_use]
    pub fn wanted(&self, entries: u64, now: Timestamp) -> Wanted {
        // Beyond the ends of time nothing counts.
        let around = |seconds: i64| now.checked_add_seconds(seconds).unwrap_or(now);
        let between = (
            around(-i64::from(self.max_staleness_seconds)),
            around(i64::from(self.clock_skew_seconds)),
        );
        Wanted {
            witnesses: self.witnesses,
            entries,
            between,
        }
    }
}

/// What a presentation must answer.
#[derive(Clone, Copy, Debug)]
pub struct PresentationRequest<'a> {
    /// The challenge that was handed out.
    pub challenge: &'a str,
    /// The verifier's own name, as it told the holder.
    pub domain: &'a str,
}

/// What an action must be addressed to.
#[derive(Clone, Copy, Debug)]
pub struct ActionRequest<'a> {
    /// The verifier.
    pub audience: &'a Did,
}

/// Verifies a credential from its text.
///
/// For a capability credential the issuer must have standing for every capability in it.
///
/// # Errors
/// The first reason not to act on it.
pub fn credential(
    text: &[u8],
    policy: &Policy,
    knowledge: &dyn Knowledge,
    now: Timestamp,
) -> Result<VerifiedCredential, Denied> {
    credential_in(text, &World::new(policy, knowledge, now))
}

fn credential_in(text: &[u8], world: &World<'_>) -> Result<VerifiedCredential, Denied> {
    if text.len() > CREDENTIAL_BYTES {
        let message = format!("a credential has at most {CREDENTIAL_BYTES} bytes: issue a smaller one");
        return Err(refuse(Reason::new(DenialCode::DocumentTooLarge, "", message)));
    }
    credential::verify(parse(text)?, world)
}

/// Verifies a credential that [`crate::json`] has read.
///
/// # Errors
/// The first reason not to act on it.
pub fn credential_value(
    document: Value,
    policy: &Policy,
    knowledge: &dyn Knowledge,
    now: Timestamp,
) -> Result<VerifiedCredential, Denied> {
    credential::verify(document.into(), &World::new(policy, knowledge, now))
}

/// Verifies a presentation from its text, and uses up the challenge.
///
/// Every credential in it must hold by itself and have the holder as its subject.
///
/// # Errors
/// The first reason not to act on it. The challenge is used up only when everything else held.
pub fn presentation(
    text: &[u8],
    request: &PresentationRequest<'_>,
    policy: &Policy,
    knowledge: &dyn Knowledge,
    one_time: &dyn OneTime,
    now: Timestamp,
) -> Result<VerifiedPresentation, Denied> {
    let world = World::new(policy, knowledge, now);
    presentation::verify(parse(text)?, request, &world, one_time)
}

/// Verifies a presentation that [`crate::json`] has read, and uses up the challenge.
///
/// # Errors
/// As [`presentation`].
pub fn presentation_value(
    document: Value,
    request: &PresentationRequest<'_>,
    policy: &Policy,
    knowledge: &dyn Knowledge,
    one_time: &dyn OneTime,
    now: Timestamp,
) -> Result<VerifiedPresentation, Denied> {
    presentation::verify(document.into(), request, &World::new(policy, knowledge, now), one_time)
}

/// Judges anew what a presentation showed that was verified before: whether all its credentials still hold and are the
/// holder's. `shown` has its `holder` and `verifiableCredential`. Who presents it is not asked, so the result permits
/// nothing by itself: it keeps a permission that was given before.
///
/// # Errors
/// The first reason why not.
pub fn still_holds(
    shown: &Value,
    policy: &Policy,
    knowledge: &dyn Knowledge,
    now: Timestamp,
) -> Result<Findings, Denied> {
    presentation::still_holds(shown, &World::new(policy, knowledge, now))
}

/// Verifies a signed action together with the credential it is done under, from the text
/// `{"action": {...}, "credential": {...}}`, and uses up its nonce.
///
/// The issuer must have standing for this action on this resource; what else the credential
/// grants is not looked at.
///
/// # Errors
/// The reasons not to carry it out, or that somebody must approve it first. The nonce is used up
/// only when everything else held.
pub fn action(
    text: &[u8],
    request: &ActionRequest<'_>,
    policy: &Policy,
    knowledge: &dyn Knowledge,
    one_time: &dyn OneTime,
    now: Timestamp,
) -> Result<AllowedAction, Denied> {
    action::verify(parse(text)?, request, &World::new(policy, knowledge, now), one_time)
}

/// Verifies a signed action and its credential that [`crate::json`] has read.
///
/// # Errors
/// As [`action`].
pub fn action_value(
    envelope: Value,
    request: &ActionRequest<'_>,
    policy: &Policy,
    knowledge: &dyn Knowledge,
    one_time: &dyn OneTime,
    now: Timestamp,
) -> Result<AllowedAction, Denied> {
    action::verify(envelope.into(), request, &World::new(policy, knowledge, now), one_time)
}

/// Verifies a signed HTTP request as an action, and uses up its nonce: `{"request": {...}, "meaning": {...}}`, where the
/// service that got the request says what it means (document 11 of the specifications). `request.audience` is who judges; that
/// the request was made for this service its signed target URI says, which the service must know to be its own.
///
/// # Errors
/// As [`action`].
pub fn http_request_value(
    body: Value,
    request: &ActionRequest<'_>,
    policy: &Policy,
    knowledge: &dyn Knowledge,
    one_time: &dyn OneTime,
    now: Timestamp,
) -> Result<AllowedAction, Denied> {
    http_action::verify(body, request, &World::new(policy, knowledge, now), one_time)
}

/// What a signed HTTP request encloses, before anything of it is checked: `credential`, `chain`, and as `agent` who is said to
/// have signed. For whoever gathers beforehand what a verification may ask. `None` if it encloses nothing that reads.
#[must_use]
pub fn enclosed_in_request(body: &Value) -> Option<Value> {
    http_action::enclosed(body)
}

/// Verifies an SD-JWT credential (`dc+sd-jwt`) from its text. Its issuer is a DID; it grants no
/// capability, and nothing is asked about the issuer's standing.
///
/// # Errors
/// The first reason not to act on it. A challenge is used up only when everything else held.
pub fn sd_jwt(
    text: &str,
    holder: HolderProof<'_>,
    policy: &Policy,
    knowledge: &dyn Knowledge,
    now: Timestamp,
) -> Result<VerifiedSdJwt, Denied> {
    sd_jwt::verify(text, holder, &World::new(policy, knowledge, now))
}

/// Verifies a status list credential that was fetched, with a proof or in an envelope. It is read
/// with [`crate::status::document_limits`].
///
/// # Errors
/// Why the list says nothing about this issuer's credentials now.
pub fn status_list(
    document: &Value,
    request: &StatusListRequest<'_>,
    policy: &Policy,
    knowledge: &dyn Knowledge,
    now: Timestamp,
) -> Result<VerifiedStatusList, Denied> {
    status_list::bitstring(document, request, &World::new(policy, knowledge, now))
}

/// Verifies a status list token (`statuslist+jwt`) that was fetched.
///
/// # Errors
/// As [`status_list`].
pub fn status_token(
    text: &str,
    request: &StatusListRequest<'_>,
    policy: &Policy,
    knowledge: &dyn Knowledge,
    now: Timestamp,
) -> Result<VerifiedStatusList, Denied> {
    status_list::of_token(text, request, &World::new(policy, knowledge, now))
}

/// Checks nothing but the proofs of a document, all of them: suite, times, chain, and that the key
/// each names made it for the purpose it names. Not whether those keys are the issuer's, nor
/// anything else; its result permits nothing. For test vectors and for looking at strange documents.
///
/// # Errors
/// What is wrong with the proof.
pub fn proof_only(
    text: &[u8],
    policy: &Policy,
    knowledge: &dyn Knowledge,
    now: Timestamp,
) -> Result<ProofChecked, Denied> {
    proof_only_value(parse(text)?.into_value(), policy, knowledge, now)
}

/// The same for a document that [`crate::json`] has read. For one in an envelope, the signature of
/// its token is checked, and the document is the token's payload.
///
/// # Errors
/// What is wrong with the proof.
pub fn proof_only_value(
    document: Value,
    policy: &Policy,
    knowledge: &dyn Knowledge,
    now: Timestamp,
) -> Result<ProofChecked, Denied> {
    let mut findings = Findings::default();
    let world = World::new(policy, knowledge, now);
    let outcome = match unbound_token(&document, &world) {
        Ok(None) => signature::check_unbound(&document, &world).map(|methods| (document, methods)),
        Ok(Some(checked)) => Ok(checked),
        Err(reason) => Err(reason),
    };
    match outcome {
        Ok((document, verification_methods)) => {
            findings.passed(Step::Proof);
            Ok(ProofChecked::new(document, verification_methods, findings))
        }
        Err(reason) => Err(Denied::new(reason, findings)),
    }
}

/// The payload of an envelope whose signature holds, and the name of the key, alone; `None` if the document
/// is in none.
fn unbound_token(document: &Value, world: &World<'_>) -> Result<Option<(Value, Vec<String>)>, Reason> {
    for token_type in [TokenType::Credential, TokenType::Presentation] {
        if let Some(envelope) = Envelope::open(document, &Path::ROOT, token_type)? {
            let method = token::check_unbound(&envelope, token_type, world)?;
            return Ok(Some((envelope.into_payload(), vec![method])));
        }
    }
    Ok(None)
}

/// What every step needs beside the document.
#[derive(Clone, Copy)]
struct World<'a> {
    policy: &'a Policy,
    knowledge: &'a dyn Knowledge,
    now: Timestamp,
    /// Where signatures wait to be checked together; `None`: each is checked at once.
    deferred: Option<&'a Deferred>,
    /// The document with its text; `None`: what is signed is written from the document.
    original: Option<&'a Original<'a>>,
}

impl<'a> World<'a> {
    const fn new(policy: &'a Policy, knowledge: &'a dyn Knowledge, now: Timestamp) -> Self {
        Self {
            policy,
            knowledge,
            now,
            deferred: None,
            original: None,
        }
    }

    /// The same world, where this document is looked at.
    fn with<'b>(&self, original: &'b Original<'_>) -> World<'b>
    where
        'a: 'b,
    {
        World {
            original: Some(original),
            ..*self
        }
    }

    /// Whether a beginning lies further in the future than a clock may run ahead.
    fn is_future(&self, time: Timestamp) -> bool {
        let skew = i64::from(self.policy.clock_skew_seconds);
        time > self.now.checked_add_seconds(skew).unwrap_or(self.now)
    }
}

/// A refusal before anything was established.
fn refuse(reason: Reason) -> Denied {
    Denied::new(reason, Findings::default())
}

fn parse(text: &[u8]) -> Result<Original<'_>, Denied> {
    Original::parse(text, &jose::document_limits()).map_err(|error| {
        let code = match error.kind {
            JsonErrorKind::BodyTooLarge
            | JsonErrorKind::TooDeep
            | JsonErrorKind::TooManyNodes
            | JsonErrorKind::TooManyMembers
            | JsonErrorKind::StringTooLong => DenialCode::DocumentTooLarge,
            _ => DenialCode::JsonInvalid,
        };
        refuse(Reason::new(code, "", error.to_string()))
    })
}

/// Something could not be asked. Never a permission.
fn unavailable(at: String, what: &str, why: &str) -> Reason {
    let message = format!("{what} cannot be told now ({}): try again later", Quoted(why));
    Reason::new(DenialCode::KnowledgeUnavailable, at, message)
}
