//! A presentation: the holder's proof, every credential, the binding between them, the challenge.

use std::sync::Arc;

use super::chain::{self, Link};
use super::credential::Held;
use super::family::Family;
use super::outcome::VerifiedPresentation;
use super::{PresentationRequest, World, credential, signature, token, unavailable};
use crate::constraint::Quoted;
use crate::credential::Credential;
use crate::decision::{Findings, Step};
use crate::delegation;
use crate::denial::{DenialCode, Denied, Reason};
use crate::did::Did;
use crate::document::Purpose;
use crate::enveloped::{Claims, Envelope};
use crate::jose::TokenType;
use crate::json::members::{Members, Path};
use crate::json::original::Original;
use crate::json::{Object, Value};
use crate::presentation::{Presentation, credentials};
use crate::proof::Proof;
use crate::trust::{OneTime, OneTimeKind, SpendError};

/// A credential of the presentation that held, its place, and what was found.
struct Found {
    index: usize,
    held: Held,
    findings: Findings,
}

/// What held: the holder, the credentials, and what was in the envelope if it came in one.
struct Whole {
    holder: Did,
    credentials: Vec<Found>,
    payload: Option<Value>,
}

pub(super) fn verify(
    document: Original<'_>,
    request: &PresentationRequest<'_>,
    world: &World<'_>,
    one_time: &dyn OneTime,
) -> Result<VerifiedPresentation, Denied> {
    let mut findings = Findings::default();
    match check(
        document.value(),
        request,
        &world.with(&document),
        one_time,
        &mut findings,
    ) {
        Ok(held) => {
            let whole = Arc::new(held.payload.unwrap_or(document.into_value()));
            let credentials = held
                .credentials
                .into_iter()
                .map(|found| found.held.into_verified(&whole, Some(found.index), found.findings))
                .collect();
            Ok(VerifiedPresentation::new(whole, held.holder, credentials, findings))
        }
        Err(reason) => Err(Denied::new(reason, findings)),
    }
}

/// The credentials of a presentation alone, once more.
pub(super) fn still_holds(shown: &Value, world: &World<'_>) -> Result<Findings, Denied> {
    let mut findings = Findings::default();
    let mut check = || -> Result<(), Reason> {
        let members = Members::of(shown, Path::ROOT)?;
        let holder = Did::parse(members.str("holder")?).map_err(|_| members.error("holder", "a DID"))?;
        if credentials(members.as_object()).is_empty() {
            return Err(members.error("verifiableCredential", "at least one credential").into());
        }
        findings.subject = Some(holder.as_str().to_owned());
        check_credentials(members.as_object(), &holder, world, &mut findings).map(|_| ())
    };
    match check() {
        Ok(()) => Ok(findings),
        Err(reason) => Err(Denied::new(reason, findings)),
    }
}

fn check(
    document: &Value,
    request: &PresentationRequest<'_>,
    world: &World<'_>,
    one_time: &dyn OneTime,
    findings: &mut Findings,
) -> Result<Whole, Reason> {
    let envelope = Envelope::open(document, &Path::ROOT, TokenType::Presentation)?;
    let object = match &envelope {
        Some(envelope) => envelope.document(),
        None => Members::of(document, Path::ROOT)?.as_object(),
    };
    let presentation = Presentation::read(object, &Path::ROOT)?;
    findings.passed(Step::Syntax);
    let holder_at = Path::ROOT.member("holder");
    let holder = Did::parse(&presentation.holder).map_err(|_| {
        let text = format!(
            "the holder {} is no DID, so no key can be shown to be its own",
            Quoted(&presentation.holder)
        );
        Reason::new(DenialCode::VerificationMethodForeign, holder_at.to_string(), text)
    })?;
    check_proof(object, envelope.as_ref(), &holder, request, world, findings)?;
    let credentials = check_credentials(object, &holder, world, findings)?;
    let challenge_at = match &envelope {
        Some(_) => "/nonce",
        None => "/proof/challenge",
    };
    spend_challenge(request, challenge_at, world, one_time)?;
    findings.passed(Step::SingleUse);
    Ok(Whole {
        holder,
        credentials,
        payload: envelope.map(Envelope::into_payload),
    })
}

/// The holder signed it, in answer to this verifier.
fn check_proof(
    object: &Object,
    envelope: Option<&Envelope<'_>>,
    holder: &Did,
    request: &PresentationRequest<'_>,
    world: &World<'_>,
    findings: &mut Findings,
) -> Result<(), Reason> {
    let mut signed = || {
        findings.passed(Step::Proof);
        findings.subject = Some(holder.as_str().to_owned());
    };
    match envelope {
        Some(envelope) => {
            token::check(envelope, &Path::ROOT, Purpose::Authentication, holder, world)?;
            signed();
            check_token_answer(&envelope.claims, request)
        }
        None => {
            let proofs = signature::check(object, &Path::ROOT, Purpose::Authentication, holder, world)?;
            signed();
            proofs.try_each(&Path::ROOT, |proof, here| check_answer(proof, here, request))
        }
    }
}

/// The same as [`check_answer`], of a token: `nonce` is the challenge, `aud` the verifier.
fn check_token_answer(claims: &Claims, request: &PresentationRequest<'_>) -> Result<(), Reason> {
    if claims.nonce.as_deref() != Some(request.challenge) {
        let text = "the nonce is not the challenge that was handed out: sign the presentation with it";
        return Err(Reason::new(DenialCode::ChallengeMismatch, "/nonce", text));
    }
    if !claims.aud.iter().any(|one| one == request.domain) {
        let text = format!("the aud is not {}: sign the presentation for it", request.domain);
        return Err(Reason::new(DenialCode::DomainMismatch, "/aud", text));
    }
    Ok(())
}

/// A proof answers this verifier's question and was made for this verifier.
fn check_answer(proof: &Proof<'_>, here: &Path<'_>, request: &PresentationRequest<'_>) -> Result<(), Reason> {
    if proof.challenge != Some(request.challenge) {
        let text = "the proof does not answer the challenge that was handed out: sign the presentation with it";
        return Err(Reason::new(
            DenialCode::ChallengeMismatch,
            here.member("challenge").to_string(),
            text,
        ));
    }
    if !proof.is_for_domain(request.domain) {
        let text = format!(
            "the proof was not made for {}: sign the presentation for it",
            request.domain
        );
        return Err(Reason::new(
            DenialCode::DomainMismatch,
            here.member("domain").to_string(),
            text,
        ));
    }
    Ok(())
}

fn check_credentials(
    object: &Object,
    holder: &Did,
    world: &World<'_>,
    findings: &mut Findings,
) -> Result<Vec<Found>, Reason> {
    let items = credentials(object);
    let listed = object
        .get("verifiableCredential")
        .is_some_and(|value| value.as_array().is_some());
    let list_at = Path::ROOT.member("verifiableCredential");
    let mut family = Family::of(items, holder);
    let mut held: Vec<Found> = Vec::with_capacity(items.len());
    for (index, item) in items.iter().enumerate() {
        if family.is_ancestor(index) {
            continue; // judged with the credential that was handed on from it
        }
        let item_at = list_at.item(index);
        let at = if listed { &item_at } else { &list_at };
        let mut own = Findings::default();
        let outcome = if family.is_delegated(index) {
            let place = |index: usize| list_at.item(index);
            check_delegated(&family.chain(index), items, &place, world, &mut own)
        } else {
            credential::check_size(item, at).and_then(|()| credential::check(item, at, world, &mut own))
        };
        let outcome = outcome.and_then(|found| check_holder(&found.credential, holder, at).map(|()| found));
        findings.chain.extend_from_slice(&own.chain);
        merge_as_of(findings, &own);
        match outcome {
            Ok(found) => {
                own.passed(Step::Holder);
                findings.owner = findings.owner.take().or_else(|| own.owner.clone());
                held.push(Found {
                    index,
                    held: found,
                    findings: own,
                });
            }
            Err(reason) => {
                // Only what held for every credential looked at counts as checked.
                findings.checked = own.checked;
                findings
                    .checked
                    .retain(|step| held.iter().all(|other| other.findings.checked.contains(step)));
                return Err(reason);
            }
        }
    }
    if let Some(index) = family.unused() {
        // Somebody else's, and no credential here was handed on from it.
        return Err(of_another(holder, &list_at.item(index)));
    }
    for found in &held {
        found.findings.checked.iter().for_each(|step| findings.passed(*step));
    }
    findings.checked.sort_unstable();
    Ok(held)
}

fn merge_as_of(findings: &mut Findings, own: &Findings) {
    for known in &own.as_of {
        if !findings.as_of.contains(known) {
            findings.as_of.push(known.clone());
        }
    }
}

/// The holder is the one the credential was issued to.
fn check_holder(credential: &Credential, holder: &Did, at: &Path<'_>) -> Result<(), Reason> {
    if credential.subject_id() == Some(holder.as_str()) {
        return Ok(());
    }
    Err(of_another(holder, at))
}

fn of_another(holder: &Did, at: &Path<'_>) -> Reason {
    let subject_at = at.member("credentialSubject");
    let text = format!("it was issued to another subject than {holder}: a holder presents its own credentials only");
    Reason::new(DenialCode::HolderMismatch, subject_at.member("id").to_string(), text)
}

/// All steps of a credential that was handed on, with those above it; `chain` says where they stand.
fn check_delegated<'e>(
    chain: &[usize],
    items: &'e [Value],
    place: &dyn Fn(usize) -> Path<'e>,
    world: &World<'_>,
    findings: &mut Findings,
) -> Result<Held, Reason> {
    let read = |index: &usize| Some((items.get(*index)?, place(*index)));
    let links = chain.iter().filter_map(read).map(|(item, at)| Link::read(item, at));
    let mut links = links.collect::<Result<Vec<_>, _>>()?;
    for link in &links {
        link.subject()?;
    }
    findings.passed(Step::Syntax);
    let proved = chain::prove(&links, world, findings)?;
    chain::check_life(&links, &proved, world, findings)?;
    chain::check_links(&links, findings)?;
    let (Some(leaf), Some(of_leaf), Some(of_root)) = (links.first(), proved.first(), proved.last()) else {
        return Err(delegation::parent_missing(&place(0))); // there is always a leaf
    };
    // What the root grants beyond the leaf is not relied on here.
    credential::check_standing(leaf.subject()?, &of_root.issuer, &leaf.at, world)?;
    findings.passed(Step::Standing);
    let issuer = of_leaf.issuer.clone();
    chain::check_freshness(&links, &proved, world, findings)?;
    let leaf = links.remove(0);
    let ancestors = links.into_iter().map(|link| link.credential).collect();
    Ok(leaf.into_held(issuer, ancestors))
}

pub(super) fn spend_challenge(
    request: &PresentationRequest<'_>,
    at: &str,
    world: &World<'_>,
    one_time: &dyn OneTime,
) -> Result<(), Reason> {
    one_time
        .spend(OneTimeKind::Challenge, request.challenge, world.now, world.now)
        .map_err(|error| {
            let at = at.to_owned();
            let code = match &error {
                SpendError::Unknown => DenialCode::ChallengeUnknown,
                SpendError::Used => DenialCode::ChallengeUsed,
                SpendError::Expired => DenialCode::ChallengeExpired,
                SpendError::Exceeded(_) => {
                    return unavailable(at, "whether the challenge is unused", "the store took it for a counter");
                }
                SpendError::Unavailable(why) => {
                    return unavailable(at, "whether the challenge is unused", why);
                }
            };
            Reason::new(code, at, format!("the challenge: {error}"))
        })
}
