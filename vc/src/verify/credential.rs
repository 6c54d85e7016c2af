//! The steps that every credential goes through.

use std::sync::Arc;

use super::outcome::{SecuredBy, VerifiedCredential};
use super::{World, signature, token, unavailable};
use crate::canonical;
use crate::constraint::Quoted;
use crate::credential::{CapabilitySubject, Credential, check_validity, object_digest};
use crate::decision::{AsOf, Findings, Step};
use crate::delegation;
use crate::denial::{DenialCode, Denied, Reason};
use crate::did::Did;
use crate::document::Purpose;
use crate::enveloped::Envelope;
use crate::jose::TokenType;
use crate::json::members::{Members, Path};
use crate::json::original::Original;
use crate::json::{Object, Value};
use crate::limits::CREDENTIAL_BYTES;
use crate::status::{StatusEntry, StatusPurpose};
use crate::trust::{AgentStanding, Standing, StatusBit};

pub(super) fn verify(document: Original<'_>, world: &World<'_>) -> Result<VerifiedCredential, Denied> {
    let mut findings = Findings::default();
    match check(document.value(), &Path::ROOT, &world.with(&document), &mut findings) {
        Ok(held) => Ok(held.into_verified(&Arc::new(document.into_value()), None, findings)),
        Err(reason) => Err(Denied::new(reason, findings)),
    }
}

/// A credential that held.
pub(super) struct Held {
    pub(super) credential: Credential,
    pub(super) issuer: Did,
    /// What was in the envelope, if it came in one.
    pub(super) payload: Option<Value>,
    /// The credentials it was handed on from, up to the root.
    pub(super) ancestors: Vec<Credential>,
}

impl Held {
    /// `whole` is the text it came in, and `index` its place there.
    pub(super) fn into_verified(
        self,
        whole: &Arc<Value>,
        index: Option<usize>,
        findings: Findings,
    ) -> VerifiedCredential {
        let (whole, index, secured_by) = match self.payload {
            Some(payload) => (Arc::new(payload), None, SecuredBy::Token),
            None => (Arc::clone(whole), index, SecuredBy::Proof),
        };
        VerifiedCredential::new(
            whole,
            index,
            secured_by,
            self.credential,
            self.issuer,
            self.ancestors,
            findings,
        )
    }
}

/// All steps of a credential that stands by itself or in a presentation.
pub(super) fn check(
    document: &Value,
    at: &Path<'_>,
    world: &World<'_>,
    findings: &mut Findings,
) -> Result<Held, Reason> {
    let envelope = Envelope::open(document, at, TokenType::Credential)?;
    let object = match &envelope {
        Some(envelope) => envelope.document(),
        None => Members::of(document, at)?.as_object(),
    };
    let credential = Credential::read(object, at)?;
    findings.passed(Step::Syntax);
    let issuer = check_proof(object, envelope.as_ref(), &credential, at, world)?;
    findings.passed(Step::Proof);
    let whole = envelope.as_ref().map_or(object, Envelope::payload);
    establish(whole, &credential, findings);
    // Whatever is decided says how old the knowledge about the issuer is: a refusal too.
    let lists = credential.status.iter().map(|entry| entry.list.as_str());
    note_age(&issuer, lists, world, findings);
    if credential.delegated_from.is_some() {
        return Err(delegation::parent_missing(at));
    }
    check_life(&credential, &issuer, at, world, findings)?;
    if let Some(subject) = credential.capability_subject() {
        check_standing(subject, &issuer, at, world)?;
        findings.passed(Step::Standing);
    }
    if credential.capability_subject().is_some() || !credential.status.is_empty() {
        check_freshness(&issuer, at, world, findings)?;
    }
    Ok(Held {
        credential,
        issuer,
        payload: envelope.map(Envelope::into_payload),
        ancestors: Vec::new(),
    })
}

/// A credential inside something else is no larger than one that is sent by itself.
pub(super) fn check_size(document: &Value, at: &Path<'_>) -> Result<(), Reason> {
    if canonical::is_longer_than(document, CREDENTIAL_BYTES) {
        let text = format!("a credential has at most {CREDENTIAL_BYTES} bytes: issue a smaller one");
        return Err(Reason::new(DenialCode::DocumentTooLarge, at.to_string(), text));
    }
    Ok(())
}

/// The issuer signed it, with a key of its own that is for that.
pub(super) fn check_proof(
    object: &Object,
    envelope: Option<&Envelope<'_>>,
    credential: &Credential,
    at: &Path<'_>,
    world: &World<'_>,
) -> Result<Did, Reason> {
    let issuer = Did::parse(&credential.issuer).map_err(|_| {
        let text = format!(
            "the issuer {} is no DID, so no key can be shown to be its own",
            Quoted(&credential.issuer)
        );
        Reason::new(
            DenialCode::VerificationMethodForeign,
            at.member("issuer").to_string(),
            text,
        )
    })?;
    match envelope {
        Some(envelope) => token::check(envelope, at, Purpose::AssertionMethod, &issuer, world)?,
        None => drop(signature::check(object, at, Purpose::AssertionMethod, &issuer, world)?),
    }
    Ok(issuer)
}

/// From here on the issuer's words are its own. The first credential of a chain says whom it is about.
pub(super) fn establish(object: &Object, credential: &Credential, findings: &mut Findings) {
    if findings.chain.is_empty() {
        findings.subject = credential.subject_id().map(str::to_owned);
        findings.owner = credential.capability_subject().map(|subject| subject.owner.clone());
    }
    findings
        .chain
        .push(credential.id.clone().unwrap_or_else(|| object_digest(object)));
}

/// Notes how old the knowledge about the issuer is, and who else has seen what is used of it.
pub(super) fn note_age<'l>(
    issuer: &Did,
    lists: impl Iterator<Item = &'l str>,
    world: &World<'_>,
    findings: &mut Findings,
) {
    let Some(freshness) = world.knowledge.freshness(issuer) else {
        return;
    };
    let entries = lists.map(|list| world.knowledge.grounds(issuer, list)).max();
    let wanted = world.policy.wanted(entries.unwrap_or(0), world.now);
    let witnessed = freshness.witnessed(&wanted);
    findings.as_of.push(AsOf {
        issuer: issuer.clone(),
        freshness,
        witnessed,
    });
}

/// Validity, status, and that the agent is in service.
pub(super) fn check_life(
    credential: &Credential,
    issuer: &Did,
    at: &Path<'_>,
    world: &World<'_>,
    findings: &mut Findings,
) -> Result<(), Reason> {
    check_valid_now(credential, at, world)?;
    findings.passed(Step::Validity);
    if !credential.status.is_empty() {
        check_status(credential, issuer, at, world)?;
        findings.passed(Step::Status);
    }
    let subject_at = at.member("credentialSubject");
    if let Some(subject) = credential.subject_id().and_then(|id| Did::parse(id).ok()) {
        check_agent(&subject, &subject_at.member("id"), world)?;
        findings.passed(Step::Agent);
    }
    Ok(())
}

pub(super) fn check_valid_now(credential: &Credential, at: &Path<'_>, world: &World<'_>) -> Result<(), Reason> {
    check_validity(credential, at)?;
    if let Some(from) = credential.valid_from
        && world.is_future(from)
    {
        let text = format!("it is valid from {from}, and it is {}: wait until then", world.now);
        return Err(Reason::new(
            DenialCode::NotYetValid,
            at.member(credential.model.begins()).to_string(),
            text,
        ));
    }
    match credential.valid_until {
        Some(until) if until <= world.now => {
            let text = format!(
                "it was valid until {until}, and it is {}: ask the issuer for a new one",
                world.now
            );
            Err(Reason::new(
                DenialCode::Expired,
                at.member(credential.model.ends()).to_string(),
                text,
            ))
        }
        _ => Ok(()),
    }
}

fn check_status(credential: &Credential, issuer: &Did, at: &Path<'_>, world: &World<'_>) -> Result<(), Reason> {
    let here = at.member("credentialStatus");
    credential
        .status
        .iter()
        .try_for_each(|entry| check_status_entry(entry, issuer, &here, world))
}

/// One entry is known to be clear.
pub(super) fn check_status_entry(
    entry: &StatusEntry,
    issuer: &Did,
    at: &Path<'_>,
    world: &World<'_>,
) -> Result<(), Reason> {
    let refuse = |code, text: String| Err(Reason::new(code, at.to_string(), text));
    match world.knowledge.status(issuer, &entry.list, entry.purpose, entry.index) {
        StatusBit::Clear => Ok(()),
        StatusBit::Set => {
            let (code, text) = match entry.purpose {
                StatusPurpose::Revocation => (DenialCode::Revoked, "revoked by its issuer: ask for a new one"),
                StatusPurpose::Suspension => (DenialCode::Suspended, "suspended by its issuer: ask when that ends"),
            };
            refuse(code, text.to_owned())
        }
        StatusBit::Unknown(why) => {
            let text = format!(
                "entry {} of {} cannot be told ({}), so it counts as revoked",
                entry.index,
                Quoted(&entry.list),
                Quoted(&why)
            );
            refuse(DenialCode::StatusUnknown, text)
        }
    }
}

/// An unknown agent is the issuer's responsibility; a retired one is nobody's any more.
pub(super) fn check_agent(agent: &Did, at: &Path<'_>, world: &World<'_>) -> Result<(), Reason> {
    check_in_service(&world.knowledge.agent(agent, world.now), at)
}

/// The same of what is known about it.
pub(super) fn check_in_service(standing: &AgentStanding, at: &Path<'_>) -> Result<(), Reason> {
    match standing {
        AgentStanding::Unknown | AgentStanding::Active { .. } => Ok(()),
        AgentStanding::Suspended { at: since } => {
            let text = format!("the agent has been suspended since {since}: ask its organization when that ends");
            Err(Reason::new(DenialCode::AgentSuspended, at.to_string(), text))
        }
        AgentStanding::Retired { at: since } => {
            let text = format!("the agent was retired at {since}: register a new agent");
            Err(Reason::new(DenialCode::AgentRetired, at.to_string(), text))
        }
        AgentStanding::Unavailable(why) => Err(unavailable(at.to_string(), "whether the agent is in service", why)),
    }
}

/// The issuer may grant everything that the credential grants.
pub(super) fn check_standing(
    subject: &CapabilitySubject,
    issuer: &Did,
    at: &Path<'_>,
    world: &World<'_>,
) -> Result<(), Reason> {
    let subject_at = at.member("credentialSubject");
    let list_at = subject_at.member("capability");
    for (index, capability) in subject.capability.iter().enumerate() {
        let (action, resource) = (capability.action.as_str(), capability.resource.as_str());
        check_one_standing(issuer, action, resource, &list_at.item(index), world)?;
    }
    Ok(())
}

/// The issuer may grant this action on this resource.
pub(super) fn check_one_standing(
    issuer: &Did,
    action: &str,
    resource: &str,
    at: &Path<'_>,
    world: &World<'_>,
) -> Result<(), Reason> {
    let authority = world.policy.authority.as_str();
    let refuse = |code, text: String| Err(Reason::new(code, at.to_string(), text));
    match world.knowledge.standing(authority, issuer, action, resource, world.now) {
        Standing::Authorized { .. } => Ok(()),
        Standing::NotAuthorized => {
            let text = format!("{authority} does not authorize {issuer} to grant {action} on {resource}: ask it to");
            refuse(DenialCode::IssuerNotAuthorized, text)
        }
        Standing::IssuerUnknown => refuse(
            DenialCode::IssuerUnknown,
            format!("{issuer} is no member that is known here: it must join first"),
        ),
        Standing::IssuerRemoved => {
            let text = format!("{issuer} was removed from the consortium by its charter: it can be admitted again");
            refuse(DenialCode::IssuerRemoved, text)
        }
        Standing::IssuerFrozen => {
            let text = format!("{issuer} told two stories and is frozen until its consortium settles it");
            refuse(DenialCode::IssuerFrozen, text)
        }
        Standing::Unavailable(why) => Err(unavailable(at.to_string(), "the issuer's standing", &why)),
    }
}

/// What is known about the issuer is young enough to decide on, and others have seen it, too.
pub(super) fn check_freshness(
    issuer: &Did,
    at: &Path<'_>,
    world: &World<'_>,
    findings: &mut Findings,
) -> Result<(), Reason> {
    check_age(issuer, at, world, findings)?;
    findings.passed(Step::Freshness);
    Ok(())
}

/// The same, without noting that the step is done.
pub(super) fn check_age(issuer: &Did, at: &Path<'_>, world: &World<'_>, findings: &Findings) -> Result<(), Reason> {
    let stale = |text: String| {
        Err(Reason::new(
            DenialCode::KnowledgeStale,
            at.member("issuer").to_string(),
            text,
        ))
    };
    let known = findings.as_of.iter().find(|known| known.issuer == *issuer);
    let Some(time) = known.map(|known| known.freshness.time) else {
        return stale(format!(
            "nothing has been heard from {issuer}: connect to its node or another member's"
        ));
    };
    let (age, bound) = (
        world.now.seconds_since(time),
        i64::from(world.policy.max_staleness_seconds),
    );
    if world.is_future(time) {
        return stale(format!(
            "the newest word of {issuer} is dated in the future: one of the two clocks is wrong"
        ));
    }
    if age > bound {
        return stale(format!(
            "nothing has been heard from {issuer} for {age} s, and {bound} s are allowed: reconnect, then try again"
        ));
    }
    if let Some(seen) = known.map(|known| known.witnessed).filter(|seen| !seen.enough) {
        let needed = world.policy.witnesses.min(seen.of);
        let text = format!(
            "{} of {} other members have cosigned in the last {bound} s what is used of {issuer}, and {needed} must: \
             connect to more of them, then try again",
            seen.by, seen.of
        );
        return Err(Reason::new(
            DenialCode::NotWitnessed,
            at.member("issuer").to_string(),
            text,
        ));
    }
    Ok(())
}
