//! A credential with those it was handed on from: the leaf first, the root last. A credential that
//! was not handed on is a chain of one.

use std::collections::BTreeMap;

use super::credential::Held;
use super::{World, credential};
use crate::credential::{CapabilitySubject, Credential, object_digest};
use crate::decision::{Findings, Step};
use crate::delegation;
use crate::denial::{DenialCode, Reason};
use crate::did::Did;
use crate::enveloped::Envelope;
use crate::jose::TokenType;
use crate::json::members::{Members, Path};
use crate::json::{Object, Value};
use crate::limits::ANCESTORS;
use crate::trust::AgentStanding;

/// One credential of a chain, read.
pub(super) struct Link<'e> {
    /// Where it stands.
    pub(super) at: Path<'e>,
    given: &'e Object,
    envelope: Option<Envelope<'e>>,
    pub(super) credential: Credential,
}

/// What is known of a link once its proof holds.
pub(super) struct Proved {
    pub(super) issuer: Did,
    /// Whose log speaks for the issuer: its own, or that of the organization whose agent it is.
    speaker: Did,
}

impl<'e> Link<'e> {
    pub(super) fn read(value: &'e Value, at: Path<'e>) -> Result<Self, Reason> {
        credential::check_size(value, &at)?;
        let envelope = Envelope::open(value, &at, TokenType::Credential)?;
        let given = Members::of(value, at)?.as_object();
        let object = envelope.as_ref().map_or(given, Envelope::document);
        let credential = Credential::read(object, &at)?;
        Ok(Self {
            at,
            given,
            envelope,
            credential,
        })
    }

    /// The credential, with its proof if it has one.
    fn object(&self) -> &Object {
        self.envelope.as_ref().map_or(self.given, Envelope::document)
    }

    /// What was signed: what digests are of.
    pub(super) fn whole(&self) -> &Object {
        self.envelope.as_ref().map_or(self.given, Envelope::payload)
    }

    /// What held, once everything was checked.
    pub(super) fn into_held(self, issuer: Did, ancestors: Vec<Credential>) -> Held {
        Held {
            credential: self.credential,
            issuer,
            payload: self.envelope.map(Envelope::into_payload),
            ancestors,
        }
    }

    pub(super) fn subject(&self) -> Result<&CapabilitySubject, Reason> {
        self.credential.capability_subject().ok_or_else(|| {
            let expected = "AgentCapabilityCredential: an action is done under one";
            self.at.member("type").error(expected).into()
        })
    }
}

/// Not too many, and each reads.
pub(super) fn read_ancestors<'e>(items: &'e [Value], at: &'e Path<'e>) -> Result<Vec<Link<'e>>, Reason> {
    if items.len() > ANCESTORS {
        let text = format!(
            "{} credentials, and a capability is handed on at most {ANCESTORS} times",
            items.len()
        );
        return Err(Reason::new(DenialCode::ChainTooLong, at.to_string(), text));
    }
    items
        .iter()
        .enumerate()
        .map(|(index, item)| {
            let link = Link::read(item, at.item(index))?;
            link.subject()?;
            Ok(link)
        })
        .collect()
}

/// Each was signed by its own issuer. What they claim counts from here on, and decisions say how
/// old the knowledge about those is who speak for them.
pub(super) fn prove(links: &[Link<'_>], world: &World<'_>, findings: &mut Findings) -> Result<Vec<Proved>, Reason> {
    let mut issuers = Vec::with_capacity(links.len());
    for link in links {
        let (object, envelope) = (link.object(), link.envelope.as_ref());
        let issuer = credential::check_proof(object, envelope, &link.credential, &link.at, world)?;
        issuers.push(issuer);
    }
    findings.passed(Step::Proof);
    for link in links {
        credential::establish(link.whole(), &link.credential, findings);
    }
    let mut proved = Vec::with_capacity(links.len());
    let mut unknown = None;
    for (link, issuer) in links.iter().zip(issuers) {
        let speaker = speaker(&issuer, link, world).unwrap_or_else(|reason| {
            unknown.get_or_insert(reason);
            issuer.clone()
        });
        proved.push(Proved { issuer, speaker });
    }
    let mut lists: BTreeMap<&Did, Vec<&str>> = BTreeMap::new();
    for (link, one) in links.iter().zip(&proved) {
        let named = link.credential.status.iter().map(|entry| entry.list.as_str());
        lists.entry(&one.speaker).or_default().extend(named);
    }
    for one in &proved {
        if let Some(lists) = lists.remove(&one.speaker) {
            credential::note_age(&one.speaker, lists.into_iter(), world, findings);
        }
    }
    unknown.map_or(Ok(proved), Err)
}

/// Whose log speaks for the issuer of a link. Who hands on is an agent and has no log: the
/// organization that has registered it keeps the status of what it issues. One that is not in
/// service hands nothing on.
fn speaker(issuer: &Did, link: &Link<'_>, world: &World<'_>) -> Result<Did, Reason> {
    if link.credential.delegated_from.is_none() {
        return Ok(issuer.clone());
    }
    let standing = world.knowledge.agent(issuer, world.now);
    credential::check_in_service(&standing, &link.at.member("issuer"))?;
    match standing {
        AgentStanding::Active { organization, .. } => Ok(organization),
        _ => Ok(issuer.clone()), // nobody's agent: then it must have a log of its own
    }
}

/// Each is valid now, neither revoked nor suspended, and its agent is in service.
pub(super) fn check_life(
    links: &[Link<'_>],
    proved: &[Proved],
    world: &World<'_>,
    findings: &mut Findings,
) -> Result<(), Reason> {
    let mut common: Option<Vec<Step>> = None;
    for (link, one) in links.iter().zip(proved) {
        let mut own = Findings::default();
        let outcome = credential::check_life(&link.credential, &one.speaker, &link.at, world, &mut own);
        // Only what held for every link looked at counts as checked.
        let mut steps = common.take().unwrap_or_else(|| own.checked.clone());
        steps.retain(|step| own.checked.contains(step));
        if outcome.is_err() {
            steps.iter().for_each(|step| findings.passed(*step));
            return outcome;
        }
        common = Some(steps);
    }
    common.iter().flatten().for_each(|step| findings.passed(*step));
    Ok(())
}

/// Each follows from the next, and the last from none.
pub(super) fn check_links(links: &[Link<'_>], findings: &mut Findings) -> Result<(), Reason> {
    for pair in links.windows(2) {
        if let [child, parent] = pair {
            let digest = || object_digest(parent.whole());
            delegation::check(&child.credential, &child.at, &parent.credential, &digest)?;
        }
    }
    match links.last() {
        Some(root) if root.credential.delegated_from.is_some() => return Err(delegation::parent_missing(&root.at)),
        _ => {}
    }
    if links.len() > 1 {
        findings.passed(Step::Chain);
    }
    Ok(())
}

/// What is known about everybody whose log speaks for a link is young enough.
pub(super) fn check_freshness(
    links: &[Link<'_>],
    proved: &[Proved],
    world: &World<'_>,
    findings: &mut Findings,
) -> Result<(), Reason> {
    for (link, one) in links.iter().zip(proved) {
        credential::check_age(&one.speaker, &link.at, world, findings)?;
    }
    findings.passed(Step::Freshness);
    Ok(())
}
