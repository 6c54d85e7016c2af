//! What the view should say, worked out from scratch: all statements of all logs, kept in plain
//! maps, each question answered by looking at everything. Slow, short, and nothing of it shared
//! with the fold.

use std::collections::{BTreeMap, BTreeSet};

use syndic_vc::capability::ResourcePattern;
use syndic_vc::status::StatusPurpose;
use syndic_vc::time::Timestamp;

use crate::example::{did, key};
use crate::limits;
use crate::statement::{AgentSucceeded, Content, Grant, Right, Statement, TrustBundle};

#[derive(Debug)]
enum Paper {
    Lost(String),
    Seen(Vec<String>),
}

#[derive(Debug, Default)]
pub(crate) struct Model {
    /// (organization, agent) to (first registered, owner, retired at).
    agents: BTreeMap<(String, String), (Timestamp, String, Option<Timestamp>)>,
    /// (organization, agent) to until when it works beside its successor, and that.
    successions: BTreeMap<(String, String), (Timestamp, String)>,
    /// (organization, recognition?, subject, action, resource) to the latest grant.
    rights: BTreeMap<(String, bool, String, String, String), Option<Grant>>,
    /// (organization, list) to what was created and which bits are set.
    lists: BTreeMap<(String, String), (StatusPurpose, u64, BTreeSet<u64>)>,
    /// (organization, agent) to since when.
    suspended: BTreeMap<(String, String), Timestamp>,
    /// What each organization said of keys and credentials, in order.
    papers: BTreeMap<String, Vec<Paper>>,
    bundles: BTreeMap<(String, String), TrustBundle>,
    pub(crate) frozen: BTreeSet<String>,
    pub(crate) members: BTreeSet<String>,
    pub(crate) consortium: String,
    pub(crate) endorsements: usize,
}

impl Model {
    pub(crate) fn tell(&mut self, organization: &str, statement: &Statement) {
        let us = || organization.to_owned();
        let right = |recognition, right: &Right| {
            let Right {
                subject,
                action,
                resource,
            } = right.clone();
            (us(), recognition, subject, action, resource)
        };
        match &statement.content {
            Content::Profile(_)
            | Content::DidVersion(_)
            | Content::OrganizationDid { .. }
            | Content::LogKeyRotated(_)
            | Content::ForkEvidence(_)
            | Content::Unknown(_) => {}
            Content::AgentRegistered(registered) => {
                let agent = (us(), registered.agent.to_string());
                let known = self.agents.entry(agent).or_insert((statement.at, String::new(), None));
                if known.2.is_none() {
                    (known.0, known.1) = (statement.at, registered.owner.clone());
                }
            }
            Content::AgentRetired { agent } => {
                if let Some(known) = self.agents.get_mut(&(us(), agent.to_string())) {
                    known.2.get_or_insert(statement.at);
                }
            }
            Content::AgentSuspended { agent } | Content::AgentResumed { agent } => {
                let whose = (us(), agent.to_string());
                let on = matches!(statement.content, Content::AgentSuspended { .. });
                if matches!(self.agents.get(&whose), Some((_, _, None))) {
                    let was = self.suspended.remove(&whose);
                    if on {
                        self.suspended.insert(whose, was.unwrap_or(statement.at));
                    }
                }
            }
            Content::KeyCompromised(said) => self.papers.entry(us()).or_default().push(Paper::Lost(said.key.clone())),
            Content::CredentialsAnchored(said) => {
                let paper = Paper::Seen(said.digests.clone());
                self.papers.entry(us()).or_default().push(paper);
            }
            Content::TrustBundle(said) => drop(self.bundles.insert((us(), said.domain.clone()), said.clone())),
            Content::AgentSucceeded(said) => {
                let agent = (us(), said.agent.to_string());
                let works = matches!(self.agents.get(&agent), Some((_, _, None)));
                let wait = said.until.unix_seconds() - statement.at.unix_seconds();
                let timely = (0..=limits::OVERLAP_SECONDS).contains(&wait);
                if works && timely && said.agent != said.successor && signed(organization, said) {
                    let what = (said.until, said.successor.to_string());
                    self.successions.entry(agent).or_insert(what);
                }
            }
            Content::Authorize(grant) => {
                drop(self.rights.insert(right(false, &grant.right), Some(grant.clone())));
            }
            Content::WithdrawAuthorization(what) => drop(self.rights.insert(right(false, what), None)),
            Content::Recognize(grant) => {
                drop(self.rights.insert(right(true, &grant.right), Some(grant.clone())));
            }
            Content::WithdrawRecognition(what) => drop(self.rights.insert(right(true, what), None)),
            Content::StatusListCreated(created) => {
                let list = (us(), created.list.clone());
                self.lists
                    .entry(list)
                    .or_insert((created.purpose, created.length, BTreeSet::new()));
            }
            Content::StatusChanged(changed) => {
                let Some((purpose, length, bits)) = self.lists.get_mut(&(us(), changed.list.clone())) else {
                    return;
                };
                bits.extend(changed.set.iter().filter(|bit| *bit < length));
                if *purpose == StatusPurpose::Suspension {
                    bits.retain(|bit| !changed.cleared.contains(bit));
                }
            }
        }
    }

    /// Members that grant it.
    fn vouchers(
        &self,
        recognition: bool,
        subject: &str,
        action: &str,
        resource: &str,
        at: Timestamp,
    ) -> BTreeSet<&str> {
        let asked = ResourcePattern::parse(resource);
        self.rights
            .iter()
            .filter(|((organization, kind, of, what, pattern), grant)| {
                let covered = || {
                    asked.as_ref().is_some_and(|asked| {
                        ResourcePattern::parse(pattern).is_some_and(|pattern| pattern.covers_pattern(asked))
                    })
                };
                let holds = grant.as_ref().is_some_and(|grant| {
                    grant.valid_from.is_none_or(|from| at >= from) && grant.valid_until.is_none_or(|until| at < until)
                });
                *kind == recognition
                    && of == subject
                    && what == action
                    && holds
                    && !self.frozen.contains(organization)
                    && covered()
            })
            .map(|((organization, ..), _)| organization.as_str())
            .collect()
    }

    /// `None`: there is no such authority.
    pub(crate) fn granted(
        &self,
        recognition: bool,
        authority: &str,
        subject: &str,
        action: &str,
        resource: &str,
        at: Timestamp,
    ) -> Option<bool> {
        let vouchers = self.vouchers(recognition, subject, action, resource, at);
        if authority == self.consortium {
            let others = vouchers.iter().filter(|organization| **organization != subject).count();
            return Some(others >= self.endorsements);
        }
        self.members.contains(authority).then(|| vouchers.contains(authority))
    }

    /// The name of the standing, and who gives it.
    pub(crate) fn standing(
        &self,
        authority: &str,
        issuer: &str,
        action: &str,
        resource: &str,
        at: Timestamp,
    ) -> String {
        if !self.members.contains(issuer) {
            return "unknown".to_owned();
        }
        if self.frozen.contains(issuer) {
            return "frozen".to_owned();
        }
        if authority == issuer {
            return format!("authorized by {authority}");
        }
        let consortium = self.consortium.as_str();
        match self.granted(false, authority, issuer, action, resource, at) {
            None => "not authorized".to_owned(),
            Some(true) => format!("authorized by {authority}"),
            Some(false) if self.granted(false, consortium, issuer, action, resource, at) == Some(true) => {
                format!("authorized by {consortium}")
            }
            Some(false) => "not authorized".to_owned(),
        }
    }

    pub(crate) fn agent(&self, agent: &str, asked: Timestamp) -> String {
        let known = self.agents.iter().filter(|((_, of), _)| of == agent);
        let known: Vec<_> = known
            .map(|(whose, (at, owner, retired))| {
                let over = self.successions.get(whose).map(|(until, _)| *until);
                let over = over.filter(|until| *until <= asked);
                let ended = match (*retired, over) {
                    (Some(one), Some(other)) => Some(one.min(other)),
                    (one, other) => one.or(other),
                };
                let works = ended.is_none();
                let suspended = self.suspended.get(whose).copied().filter(|_| works);
                (at, &whose.0, owner, ended, suspended)
            })
            .collect();
        let active = known
            .iter()
            .filter(|(.., ended, suspended)| ended.is_none() && suspended.is_none());
        match active.min_by_key(|(at, organization, ..)| (*at, *organization)) {
            Some((_, organization, owner, ..)) => format!("{owner} at {organization}"),
            None => match (
                known.iter().filter_map(|(.., suspended)| *suspended).max(),
                known.iter().filter_map(|(.., ended, _)| *ended).max(),
            ) {
                (Some(at), _) => format!("suspended {at}"),
                (None, Some(at)) => format!("retired {at}"),
                (None, None) => "unknown".to_owned(),
            },
        }
    }

    /// Whether what one of a key's names signed counts: it was seen before any of them was lost.
    pub(crate) fn key_is_good(&self, organization: &str, names: [&str; 2], digest: &str) -> bool {
        for paper in self.papers.get(organization).into_iter().flatten() {
            match paper {
                Paper::Lost(key) if names.contains(&key.as_str()) => return false,
                Paper::Seen(digests) if digests.iter().any(|seen| seen == digest) => return true,
                _ => {}
            }
        }
        true
    }

    pub(crate) fn bundle(&self, organization: &str, domain: &str) -> Option<&TrustBundle> {
        let bundle = self.bundles.get(&(organization.to_owned(), domain.to_owned()));
        bundle.filter(|_| !self.frozen.contains(organization))
    }

    pub(crate) fn successor(&self, organization: &str, agent: &str) -> Option<(Timestamp, String)> {
        let whose = (organization.to_owned(), agent.to_owned());
        self.successions.get(&whose).cloned()
    }

    /// `None`: cannot be told.
    pub(crate) fn status(&self, issuer: &str, list: &str, purpose: StatusPurpose, index: u64) -> Option<bool> {
        let (what, length, bits) = self.lists.get(&(issuer.to_owned(), list.to_owned()))?;
        let withheld = purpose == StatusPurpose::Suspension && self.frozen.contains(issuer);
        (*what == purpose && index < *length && !withheld).then(|| bits.contains(&index))
    }

    pub(crate) fn bits(&self, organization: &str, list: &str) -> Option<&BTreeSet<u64>> {
        self.lists
            .get(&(organization.to_owned(), list.to_owned()))
            .map(|(_, _, bits)| bits)
    }
}

/// Whether it is what the agent's key would have signed: Ed25519 signs the same thing the same way.
fn signed(organization: &str, said: &AgentSucceeded) -> bool {
    let organization = (1..4).map(did).find(|did| did.as_str() == organization);
    let seed = (20..24).find(|seed| did(*seed) == said.agent);
    organization.zip(seed).is_some_and(|(organization, seed)| {
        let AgentSucceeded {
            agent,
            successor,
            until,
            ..
        } = said;
        AgentSucceeded::sign(&organization, agent, successor, *until, &key(10 * seed)).is_ok_and(|good| good == *said)
    })
}
