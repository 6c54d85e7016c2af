//! A signed action: its proof and window, the credential it is done under, the capability that
//! covers it, its constraints, and its nonce.

use super::outcome::AllowedAction;
use super::{ActionRequest, World, credential, signature, unavailable};
use crate::action::{AgentAction, check_window};
use crate::capability::Capability;
use crate::constraint::Circumstances;
use crate::credential::{CapabilitySubject, Credential, object_digest, unsecured_digest};
use crate::decision::{Findings, Step};
use crate::denial::{DenialCode, Denied, Reason};
use crate::did::Did;
use crate::document::Purpose;
use crate::enveloped::Envelope;
use crate::jose::TokenType;
use crate::json::members::{Members, Path};
use crate::json::original::Original;
use crate::json::{Object, Value};
use crate::trust::{Counted, OneTime, OneTimeKind, SpendError};

/// Why it goes no further.
enum Stop {
    /// For these reasons, first and more.
    Denied(Reason, Vec<Reason>),
    /// Only for want of these approvals, first and more.
    ApprovalRequired(Reason, Vec<Reason>),
}

impl From<Reason> for Stop {
    fn from(reason: Reason) -> Self {
        Self::Denied(reason, Vec::new())
    }
}

/// What an allowed action rests on.
struct Grounds {
    action: AgentAction,
    subject: CapabilitySubject,
    capability: Capability,
    issuer: Did,
}

pub(super) fn verify(
    envelope: Original<'_>,
    request: &ActionRequest<'_>,
    world: &World<'_>,
    one_time: &dyn OneTime,
) -> Result<AllowedAction, Denied> {
    let mut findings = Findings::default();
    match check(
        envelope.value(),
        request,
        &world.with(&envelope),
        one_time,
        &mut findings,
    ) {
        Ok(grounds) => Ok(AllowedAction::new(
            envelope.into_value(),
            grounds.action,
            grounds.capability,
            grounds.subject.owner,
            grounds.issuer,
            findings,
        )),
        Err(Stop::Denied(first, more)) => Err(Denied::new(first, findings).with_more(more)),
        Err(Stop::ApprovalRequired(first, more)) => {
            Err(Denied::new(first, findings).with_more(more).pending_approval())
        }
    }
}

fn check(
    envelope: &Value,
    request: &ActionRequest<'_>,
    world: &World<'_>,
    one_time: &dyn OneTime,
    findings: &mut Findings,
) -> Result<Grounds, Stop> {
    let members = Members::of(envelope, Path::ROOT).map_err(Reason::from)?;
    let signed = members.object("action").map_err(Reason::from)?;
    let under = members.required("credential").map_err(Reason::from)?;
    members.finish_closed().map_err(Reason::from)?;
    let (signed_at, under_at) = (signed.path(), &members.at("credential"));
    credential::check_size(under, under_at)?;
    let enveloped = Envelope::open(under, under_at, TokenType::Credential)?;
    let under = match &enveloped {
        Some(enveloped) => enveloped.document(),
        None => Members::of(under, under_at).map_err(Reason::from)?.as_object(),
    };
    let action = AgentAction::read(signed.as_object(), signed_at)?;
    let credential = Credential::read(under, under_at)?;
    let subject = capability_subject(&credential, under_at)?;
    findings.passed(Step::Syntax);

    let whole = enveloped.as_ref().map_or(under, Envelope::payload);
    signature::check(
        signed.as_object(),
        signed_at,
        Purpose::CapabilityInvocation,
        &action.agent,
        world,
    )?;
    let issuer = credential::check_proof(under, enveloped.as_ref(), &credential, under_at, world)?;
    findings.passed(Step::Proof);
    credential::establish(whole, &credential, &issuer, world, findings);

    check_open(&action, signed_at, world)?;
    credential::check_life(&credential, &issuer, under_at, world, findings)?;
    check_binding(&action, signed_at, request, subject, whole)?;
    findings.passed(Step::Holder);

    let circumstances = Circumstances {
        parameters: &action.parameters,
        parameters_at: signed_at.member("parameters"),
        purpose: action.purpose,
        purpose_at: signed_at.member("purpose"),
        audience: request.audience,
        now: world.now,
    };
    let found = find_capability(&action, signed_at, &circumstances, subject, under_at, &issuer, world);
    let found = match found {
        Err(denied @ Stop::Denied(..)) => return Err(denied),
        allowed_or_pending => allowed_or_pending,
    };
    findings.passed(Step::Standing);
    if found.is_ok() {
        findings.passed(Step::Constraints);
    }
    credential::check_freshness(&issuer, under_at, world, findings)?;
    let (index, capability) = found?;
    let counted = count(index, capability, &circumstances, &credential, whole)?;
    let list_at = under_at.member("credentialSubject");
    let list_at = list_at.member("capability");
    let constraint_at = list_at.item(index);
    let constraint_at = constraint_at.member("constraint");
    findings.counted_here = counted
        .iter()
        .map(|(place, _)| constraint_at.item(*place).to_string())
        .collect();
    let capability = capability.clone();
    spend(&action, counted, &capability, &constraint_at, world, one_time)?;
    findings.passed(Step::SingleUse);
    Ok(Grounds {
        subject: subject.clone(),
        action,
        capability,
        issuer,
    })
}

fn capability_subject<'c>(credential: &'c Credential, at: &Path<'_>) -> Result<&'c CapabilitySubject, Reason> {
    credential.capability_subject().ok_or_else(|| {
        at.member("type")
            .error("AgentCapabilityCredential: an action is done under one")
            .into()
    })
}

/// The action's window is open now.
fn check_open(action: &AgentAction, at: &Path<'_>, world: &World<'_>) -> Result<(), Reason> {
    let refuse = |member, text: String| {
        Err(Reason::new(
            DenialCode::ActionWindow,
            at.member(member).to_string(),
            text,
        ))
    };
    check_window(action, &at.member("expires").to_string())?;
    if world.is_future(action.created) {
        let text = format!(
            "it was created at {}, and it is {}: set the agent's clock",
            action.created, world.now
        );
        return refuse("created", text);
    }
    if action.expires <= world.now {
        let text = format!(
            "it expired at {}, and it is {}: sign it again",
            action.expires, world.now
        );
        return refuse("expires", text);
    }
    Ok(())
}

/// This verifier, this agent, this credential.
fn check_binding(
    action: &AgentAction,
    at: &Path<'_>,
    request: &ActionRequest<'_>,
    subject: &CapabilitySubject,
    credential: &Object,
) -> Result<(), Reason> {
    let refuse = |code, at: Path<'_>, text: String| Err(Reason::new(code, at.to_string(), text));
    if action.audience != *request.audience {
        let text = format!(
            "it is addressed to another verifier than {}: sign it for this one",
            request.audience
        );
        return refuse(DenialCode::AudienceMismatch, at.member("audience"), text);
    }
    if action.agent != subject.id {
        let text = format!(
            "the credential was issued to {}: an agent acts under its own credentials only",
            subject.id
        );
        return refuse(DenialCode::HolderMismatch, at.member("agent"), text);
    }
    let capability_at = at.member("capability");
    if credential.get("id").and_then(Value::as_str) != Some(action.capability.id.as_str()) {
        let text = "the action names another credential than the one enclosed: enclose that one".to_owned();
        return refuse(DenialCode::CapabilityMismatch, capability_at.member("id"), text);
    }
    if object_digest(credential) != action.capability.digest {
        let text = "the enclosed credential is not the one the action was signed under: the digest differs".to_owned();
        return refuse(DenialCode::CapabilityMismatch, capability_at.member("digest"), text);
    }
    Ok(())
}

/// The first capability that covers the action, is the issuer's to grant, and whose constraints
/// hold. If there is none: one that lacks only approval, or else the reasons of the one that came
/// nearest.
fn find_capability<'c>(
    action: &AgentAction,
    at: &Path<'_>,
    circumstances: &Circumstances<'_>,
    subject: &'c CapabilitySubject,
    credential_at: &Path<'_>,
    issuer: &Did,
    world: &World<'_>,
) -> Result<(usize, &'c Capability), Stop> {
    let subject_at = credential_at.member("credentialSubject");
    let list_at = subject_at.member("capability");
    let asked = action.asked();
    let mut nearest: Option<Failure> = None;
    for (index, capability) in subject.capability.iter().enumerate() {
        if !asked.is_covered_by(capability) {
            continue;
        }
        let failure = hold(capability, action, circumstances, &list_at.item(index), issuer, world);
        let Some(failure) = failure else {
            return Ok((index, capability));
        };
        if nearest.as_ref().is_none_or(|best| failure.rank() < best.rank()) {
            nearest = Some(failure);
        }
    }
    Err(match nearest {
        None => asked.not_granted(&subject.capability, at).into(),
        Some(failure) if failure.lacks_only_approval() => Stop::ApprovalRequired(failure.first, failure.more),
        Some(failure) => Stop::Denied(failure.first, failure.more),
    })
}

/// Why a capability that covers the action does not allow it. Approvals come last.
struct Failure {
    first: Reason,
    more: Vec<Reason>,
}

impl Failure {
    fn lacks_only_approval(&self) -> bool {
        self.first.code == DenialCode::ApprovalRequired
    }

    /// Lacking only approval is nearest; then the fewest reasons.
    fn rank(&self) -> (bool, usize) {
        (!self.lacks_only_approval(), self.more.len())
    }
}

fn hold(
    capability: &Capability,
    action: &AgentAction,
    circumstances: &Circumstances<'_>,
    at: &Path<'_>,
    issuer: &Did,
    world: &World<'_>,
) -> Option<Failure> {
    let (name, resource) = (action.action.as_str(), action.resource.as_str());
    if let Err(first) = credential::check_one_standing(issuer, name, resource, at, world) {
        return Some(Failure {
            first,
            more: Vec::new(),
        });
    }
    let constraint_at = at.member("constraint");
    let mut reasons: Vec<Reason> = capability
        .constraint
        .iter()
        .enumerate()
        .filter_map(|(index, constraint)| constraint.check(circumstances, &constraint_at.item(index)).err())
        .collect();
    reasons.sort_by_key(|reason| reason.code == DenialCode::ApprovalRequired);
    let mut reasons = reasons.into_iter();
    reasons.next().map(|first| Failure {
        first,
        more: reasons.collect(),
    })
}

/// What the action adds to the counters of this capability, each with the place of its constraint.
fn count(
    index: usize,
    capability: &Capability,
    circumstances: &Circumstances<'_>,
    credential: &Credential,
    document: &Object,
) -> Result<Vec<(usize, Counted)>, Reason> {
    let mut counted = Vec::new();
    let mut digest = None;
    for (place, constraint) in capability.constraint.iter().enumerate() {
        if let Some(charge) = constraint.charge(circumstances)? {
            let digest = digest.get_or_insert_with(|| unsecured_digest(document));
            let counter = format!("{digest}/{index}/{place}");
            let until = credential.valid_until.unwrap_or(circumstances.now);
            counted.push((place, Counted { counter, charge, until }));
        }
    }
    Ok(counted)
}

/// Uses the nonce up and counts the action, both or neither.
fn spend(
    action: &AgentAction,
    counted: Vec<(usize, Counted)>,
    capability: &Capability,
    constraint_at: &Path<'_>,
    world: &World<'_>,
    one_time: &dyn OneTime,
) -> Result<(), Reason> {
    let at = "/action/nonce".to_owned();
    // Kept beyond the window by twice the skew: a clock set back that far revives nothing.
    let keep = 2 * i64::from(world.policy.clock_skew_seconds);
    let until = action.expires.checked_add_seconds(keep).unwrap_or(action.expires);
    // Agents draw their nonces without knowing of each other; one cannot use up another's.
    let value = format!("{} {}", action.agent, action.nonce);
    let (places, counted): (Vec<usize>, Vec<Counted>) = counted.into_iter().unzip();
    one_time
        .spend_counted(OneTimeKind::ActionNonce, &value, &counted, world.now, until)
        .map_err(|error| match error {
            SpendError::Used => {
                let text = "this action has been carried out: sign a new one with a fresh nonce";
                Reason::new(DenialCode::ActionReplayed, at, text)
            }
            SpendError::Expired => Reason::new(DenialCode::ActionWindow, at, "the action has expired: sign it again"),
            SpendError::Unknown => unavailable(at, "whether the nonce is unused", "the store took it for a challenge"),
            SpendError::Unavailable(why) => unavailable(at, "whether the nonce is unused", &why),
            SpendError::Exceeded(which) => places
                .get(which)
                .and_then(|place| Some((place, capability.constraint.get(*place)?)))
                .map_or_else(
                    || {
                        unavailable(
                            at,
                            "whether a limit is kept",
                            "the store named no counter of this action",
                        )
                    },
                    |(place, constraint)| constraint.exceeded(&constraint_at.item(*place)),
                ),
        })
}
