//! A signed action: its proof and window, the credential it is done under, the capability that
//! covers it, its constraints, and its nonce.

use super::chain::{self, Link};
use super::outcome::AllowedAction;
use super::{ActionRequest, World, credential, signature, unavailable};
use crate::action::{AgentAction, check_window};
use crate::capability::Capability;
use crate::constraint::{Circumstances, Constraint};
use crate::credential::{CapabilitySubject, Owner, object_digest, unsecured_digest};
use crate::decision::{Findings, Step};
use crate::denial::{DenialCode, Denied, Reason};
use crate::did::Did;
use crate::document::Purpose;
use crate::json::members::{Members, Path};
use crate::json::original::Original;
use crate::json::{Object, Value};
use crate::trust::{Counted, OneTime, OneTimeKind, SpendError};

/// Why it goes no further.
pub(super) enum Stop {
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
pub(super) struct Grounds {
    action: AgentAction,
    owner: Owner,
    capability: Capability,
    issuer: Did,
    root_issuer: Did,
}

pub(super) fn verify(
    envelope: Original<'_>,
    request: &ActionRequest<'_>,
    world: &World<'_>,
    one_time: &dyn OneTime,
) -> Result<AllowedAction, Denied> {
    let mut findings = Findings::default();
    let grounds = check(
        envelope.value(),
        request,
        &world.with(&envelope),
        one_time,
        &mut findings,
    );
    outcome(envelope.into_value(), grounds, findings)
}

/// What becomes of it: `document` is what was given.
pub(super) fn outcome(
    document: Value,
    grounds: Result<Grounds, Stop>,
    findings: Findings,
) -> Result<AllowedAction, Denied> {
    match grounds {
        Ok(grounds) => Ok(AllowedAction::new(
            document,
            grounds.action,
            grounds.capability,
            grounds.owner,
            grounds.issuer,
            grounds.root_issuer,
            findings,
        )),
        Err(Stop::Denied(first, more)) => Err(Denied::new(first, findings).with_more(more)),
        Err(Stop::ApprovalRequired(first, more)) => {
            Err(Denied::new(first, findings).with_more(more).pending_approval())
        }
    }
}

/// Where the parts of an action stand in what was given.
#[derive(Clone, Copy)]
pub(super) struct Places<'p> {
    /// The action, or what a request is said to mean.
    pub(super) action: Path<'p>,
    /// Where time and nonce stand, if not in the action.
    pub(super) signature: Option<&'static str>,
}

impl Places<'_> {
    /// Where a member stands that says when and how often the action may be done.
    fn once(&self, member: &str) -> String {
        match self.signature {
            Some(place) => place.to_owned(),
            None => self.action.member(member).to_string(),
        }
    }
}

/// An action and the chain that it is done under, read.
pub(super) struct Invocation<'e> {
    pub(super) action: AgentAction,
    pub(super) places: Places<'e>,
    /// The leaf first.
    pub(super) links: Vec<Link<'e>>,
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
    let above = members
        .optional_array("chain")
        .map_err(Reason::from)?
        .unwrap_or_default();
    members.finish_closed().map_err(Reason::from)?;
    let (signed_at, chain_at) = (signed.path(), members.at("chain"));
    let action = AgentAction::read(signed.as_object(), signed_at)?;
    let leaf = Link::read(under, members.at("credential"))?;
    leaf.subject()?;
    let mut links = vec![leaf];
    links.extend(chain::read_ancestors(above, &chain_at)?);
    findings.passed(Step::Syntax);

    let agent = action.agent.clone();
    let invocation = Invocation {
        action,
        places: Places {
            action: *signed_at,
            signature: None,
        },
        links,
    };
    let prove = |world: &World<'_>| {
        let purpose = Purpose::CapabilityInvocation;
        signature::check(signed.as_object(), signed_at, purpose, &agent, world).map(drop)
    };
    decide(invocation, prove, request, world, one_time, findings)
}

/// Every step after reading. `prove` checks that the agent signed it.
pub(super) fn decide(
    invocation: Invocation<'_>,
    prove: impl FnOnce(&World<'_>) -> Result<(), Reason>,
    request: &ActionRequest<'_>,
    world: &World<'_>,
    one_time: &dyn OneTime,
    findings: &mut Findings,
) -> Result<Grounds, Stop> {
    let Invocation { action, places, links } = invocation;
    let signed_at = &places.action;
    let subject = links.first().map(Link::subject).transpose()?.cloned();
    prove(world)?;
    let proved = chain::prove(&links, world, findings)?;

    check_open(&action, &places, world)?;
    chain::check_life(&links, &proved, world, findings)?;
    let (Some(leaf), Some(subject), Some(of_leaf), Some(of_root)) =
        (links.first(), subject, proved.first(), proved.last())
    else {
        // There is always a leaf; were there none, nothing would allow the action.
        let reason = action.asked().not_granted(&[], signed_at);
        return Err(reason.into());
    };
    check_binding(&action, signed_at, request, &subject, leaf.whole())?;
    findings.passed(Step::Holder);
    chain::check_links(&links, findings)?;

    let circumstances = Circumstances {
        parameters: &action.parameters,
        parameters_at: signed_at.member("parameters"),
        purpose: action.purpose,
        purpose_at: signed_at.member("purpose"),
        audience: request.audience,
        now: world.now,
    };
    let found = find_capabilities(&action, signed_at, &circumstances, &links, &of_root.issuer, world);
    let found = match found {
        Err(denied @ Stop::Denied(..)) => return Err(denied),
        allowed_or_pending => allowed_or_pending,
    };
    findings.passed(Step::Standing);
    if found.is_ok() {
        findings.passed(Step::Constraints);
    }
    chain::check_freshness(&links, &proved, world, findings)?;
    let found = found?;
    let charges = count(&links, &found, &circumstances)?;
    findings.counted_here = charges.iter().map(|charge| charge.at.clone()).collect();
    spend(&action, charges, places.once("nonce"), world, one_time)?;
    findings.passed(Step::SingleUse);
    let capability = found.first().map(|(_, capability)| (*capability).clone());
    let capability = capability.ok_or_else(|| action.asked().not_granted(&[], signed_at))?;
    Ok(Grounds {
        owner: subject.owner,
        capability,
        issuer: of_leaf.issuer.clone(),
        root_issuer: of_root.issuer.clone(),
        action,
    })
}

/// The action's window is open now.
fn check_open(action: &AgentAction, places: &Places<'_>, world: &World<'_>) -> Result<(), Reason> {
    let refuse = |member, text: String| Err(Reason::new(DenialCode::ActionWindow, places.once(member), text));
    check_window(action, &places.once("expires"))?;
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

/// In each link of the chain the capability that allows the action, the leaf's first. That the leaf
/// grants no more than the others was checked before; that each of them allows this action is asked
/// all the same, so that no fault in that comparison lets more pass than the root does.
fn find_capabilities<'c>(
    action: &AgentAction,
    at: &Path<'_>,
    circumstances: &Circumstances<'_>,
    links: &'c [Link<'_>],
    root_issuer: &Did,
    world: &World<'_>,
) -> Result<Vec<(usize, &'c Capability)>, Stop> {
    let mut found = Vec::with_capacity(links.len());
    let mut pending: Option<(Reason, Vec<Reason>)> = None;
    for (index, link) in links.iter().enumerate() {
        // Only the root's issuer needs standing: who hands on has what it was given.
        let authority = (index + 1 == links.len()).then_some(root_issuer);
        match find_capability(action, at, circumstances, link, authority, world) {
            Ok(one) => found.push(one),
            Err(denied @ Stop::Denied(..)) => return Err(denied),
            Err(Stop::ApprovalRequired(first, more)) => match &mut pending {
                None => pending = Some((first, more)),
                Some((_, others)) => others.extend(std::iter::once(first).chain(more)),
            },
        }
    }
    match pending {
        None => Ok(found),
        Some((first, more)) => Err(Stop::ApprovalRequired(first, more)),
    }
}

/// The first capability that covers the action, is the issuer's to grant, and whose constraints
/// hold. If there is none: one that lacks only approval, or else the reasons of the one that came
/// nearest.
fn find_capability<'c>(
    action: &AgentAction,
    at: &Path<'_>,
    circumstances: &Circumstances<'_>,
    link: &'c Link<'_>,
    issuer: Option<&Did>,
    world: &World<'_>,
) -> Result<(usize, &'c Capability), Stop> {
    let subject = link.subject()?;
    let subject_at = link.at.member("credentialSubject");
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
    issuer: Option<&Did>,
    world: &World<'_>,
) -> Option<Failure> {
    let (name, resource) = (action.action.as_str(), action.resource.as_str());
    let standing = issuer.map(|issuer| credential::check_one_standing(issuer, name, resource, at, world));
    if let Some(Err(first)) = standing {
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

/// What the action adds to one counter.
struct Charged<'c> {
    /// Where the constraint stands.
    at: String,
    constraint: &'c Constraint,
    counted: Counted,
}

/// What the action adds to the counters of the capabilities it rests on, those of the leaf first. A
/// limit that was handed on is counted where it was set, for all below together, and wherever it is
/// repeated.
fn count<'c>(
    links: &[Link<'_>],
    found: &[(usize, &'c Capability)],
    circumstances: &Circumstances<'_>,
) -> Result<Vec<Charged<'c>>, Reason> {
    let mut charges = Vec::new();
    for (link, (index, capability)) in links.iter().zip(found) {
        let mut digest = None;
        for (place, constraint) in capability.constraint.iter().enumerate() {
            let Some(charge) = constraint.charge(circumstances)? else {
                continue;
            };
            let digest = digest.get_or_insert_with(|| unsecured_digest(link.whole()));
            charges.push(Charged {
                at: format!("{}/credentialSubject/capability/{index}/constraint/{place}", link.at),
                constraint,
                counted: Counted {
                    counter: format!("{digest}/{index}/{place}"),
                    charge,
                    until: link.credential.valid_until.unwrap_or(circumstances.now),
                },
            });
        }
    }
    Ok(charges)
}

/// Uses the nonce up and counts the action, both or neither. `at` is where the nonce stands.
fn spend(
    action: &AgentAction,
    charges: Vec<Charged<'_>>,
    at: String,
    world: &World<'_>,
    one_time: &dyn OneTime,
) -> Result<(), Reason> {
    // Kept beyond the window by twice the skew: a clock set back that far revives nothing.
    let keep = 2 * i64::from(world.policy.clock_skew_seconds);
    let until = action.expires.checked_add_seconds(keep).unwrap_or(action.expires);
    // Agents draw their nonces without knowing of each other; one cannot use up another's.
    let value = format!("{} {}", action.agent, action.nonce);
    let counted: Vec<Counted> = charges.iter().map(|one| one.counted.clone()).collect();
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
            SpendError::Exceeded(which) => charges.get(which).map_or_else(
                || {
                    unavailable(
                        at,
                        "whether a limit is kept",
                        "the store named no counter of this action",
                    )
                },
                |one| one.constraint.exceeded(&one.at),
            ),
        })
}
