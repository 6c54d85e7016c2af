//! Random chains of credentials, and actions under them.
#![allow(dead_code, unreachable_pub)]

use std::sync::LazyLock;

use serde_json::{Value, json};
use syndic_vc::capability::Capability;
use syndic_vc::credential::{CapabilityCredentialDraft, Owner};
use syndic_vc::delegation;
use syndic_vc::json::members::Path;
use syndic_vc::json::{self, Value as Document};
use syndic_vc::status::{StatusEntry, StatusPurpose};

use crate::random::{Rng, constraint, narrowed, parameters, widened};
use crate::reference;
use crate::world::chain::{WEST_LIST, index_of};
use crate::world::{LIST, Party, after};

/// Keys made once: the root's issuer, then those between, and the agent who acts.
pub static NORTH: LazyLock<Party> = LazyLock::new(|| Party::new(1));
pub static AGENT: LazyLock<Party> = LazyLock::new(|| Party::new(3));
static HOPS: LazyLock<Vec<Party>> = LazyLock::new(|| (0..9).map(crate::world::chain::hop).collect());

const ACTIONS: [&str; 3] = ["read", "call", "write"];
const RESOURCES: [&str; 7] = ["*", "a/*", "a/b/*", "a/b", "a/b/c", "tickets/*", "ab"];
const OWNERS: [&str; 2] = ["https://north.example/people/ana-lima", "did:example:ben"];

/// One credential of a chain, before it is signed.
#[derive(Clone, Debug)]
pub struct Plan {
    pub capabilities: Vec<Value>,
    /// Seconds from [`crate::world::now`].
    pub from: i64,
    pub until: i64,
    pub max_depth: u8,
    pub owner: Owner,
    /// Who signs it and is named as its issuer, where that is not the subject of the one above.
    pub other_issuer: bool,
    /// It names another digest than its parent's.
    pub other_digest: bool,
    /// Its status is kept by west.
    pub west: bool,
}

/// A chain, the root first.
#[derive(Clone, Debug)]
pub struct Plans(pub Vec<Plan>);

/// Who signs the credential so many steps below the root.
pub fn issuer(step: usize) -> &'static Party {
    if step == 0 { &NORTH } else { &HOPS[step - 1] }
}

pub fn subject(step: usize, last: usize) -> &'static Party {
    if step == last { &AGENT } else { &HOPS[step] }
}

fn root(rng: &mut Rng, depth: usize) -> Plan {
    let count = 1 + rng.below(ACTIONS.len());
    let capability = |rng: &mut Rng, action: &str| {
        let constraints: Vec<Value> = (0..rng.below(3)).map(|_| constraint(rng)).collect();
        let mut capability = json!({"action": action, "resource": rng.pick(&RESOURCES), "constraint": constraints});
        if rng.once_in(3) {
            capability["scope"] = json!("own");
        }
        capability
    };
    let least = u8::try_from(depth).unwrap();
    Plan {
        capabilities: ACTIONS[..count].iter().map(|action| capability(rng, action)).collect(),
        from: -3_600,
        until: 82_800,
        max_depth: least + u8::try_from(rng.below(usize::from(9 - least))).unwrap(),
        owner: Owner {
            id: (*rng.pick(&OWNERS)).to_owned(),
            name: rng.once_in(2).then(|| "Ana Lima".to_owned()),
        },
        other_issuer: false,
        other_digest: false,
        west: false,
    }
}

/// Resources that a pattern covers.
fn covered(pattern: &str) -> Vec<&'static str> {
    RESOURCES
        .into_iter()
        .filter(|one| reference::covers(pattern, one))
        .collect()
}

/// No wider than the parent, with at least so many handings on left.
fn narrower(rng: &mut Rng, parent: &Plan, left: usize) -> Plan {
    let mut child = parent.clone();
    loop {
        child.capabilities.retain(|_| !rng.once_in(5));
        if !child.capabilities.is_empty() {
            break;
        }
        child.capabilities.clone_from(&parent.capabilities);
    }
    for capability in &mut child.capabilities {
        if rng.once_in(3) {
            let below = covered(capability["resource"].as_str().unwrap());
            capability["resource"] = json!(rng.pick(&below));
        }
        let kept: Vec<Value> = capability["constraint"].as_array().unwrap().clone();
        let mut own: Vec<Value> = kept.iter().map(|one| narrowed(rng, one)).collect();
        if rng.once_in(6) && own.len() < 8 {
            own.insert(rng.below(own.len() + 1), constraint(rng));
        }
        capability["constraint"] = own.into();
    }
    child.from += i64::try_from(rng.below(3)).unwrap() * 60;
    child.until -= i64::try_from(rng.below(3)).unwrap() * 60;
    let (least, most) = (u8::try_from(left).unwrap(), parent.max_depth - 1);
    child.max_depth = least + u8::try_from(rng.below(usize::from(most - least) + 1)).unwrap();
    if rng.once_in(6) {
        child.owner.name = None;
    }
    child.west = rng.once_in(8);
    child
}

/// A chain in which each is no wider than the one above.
pub fn chain(rng: &mut Rng, depth: usize) -> Plans {
    let mut plans = vec![root(rng, depth)];
    for step in 1..=depth {
        let next = narrower(rng, &plans[step - 1], depth - step);
        plans.push(next);
    }
    Plans(plans)
}

/// The same chain with one link that says more than the one above it; those below are no wider than it. Says which link,
/// and how.
pub fn widen(rng: &mut Rng, plans: &Plans) -> (Plans, usize, &'static str) {
    loop {
        let mut plans = plans.0.clone();
        let depth = plans.len() - 1;
        let step = 1 + rng.below(depth);
        let (above, below) = plans.split_at_mut(step);
        let Some(how) = wider(rng, &mut above[step - 1], &mut below[0]) else {
            continue;
        };
        for next in step + 1..=depth {
            let left = depth - next;
            if usize::from(plans[next - 1].max_depth) <= left {
                return (Plans(plans), step, how); // the depth itself was what is wide
            }
            plans[next] = narrower(rng, &plans[next - 1], left);
        }
        return (Plans(plans), step, how);
    }
}

/// `None`: this time it came out no wider.
fn wider(rng: &mut Rng, parent: &mut Plan, child: &mut Plan) -> Option<&'static str> {
    let which = rng.below(child.capabilities.len());
    let capability = &mut child.capabilities[which];
    let above = parent
        .capabilities
        .iter()
        .find(|one| one["action"] == capability["action"])
        .unwrap()
        .clone();
    let how = match rng.below(16) {
        0..=6 => {
            let kept = above["constraint"].as_array().unwrap();
            if kept.is_empty() {
                return None;
            }
            let place = rng.below(kept.len());
            let changed = kept.iter().enumerate().filter_map(|(index, one)| {
                if index == place {
                    widened(rng, one)
                } else {
                    Some(one.clone())
                }
            });
            capability["constraint"] = changed.collect();
            "constraint"
        }
        7 => {
            capability["resource"] = json!(rng.pick(&RESOURCES));
            "resource"
        }
        8 => {
            capability["scope"] = if above.get("scope").is_none() {
                json!("own")
            } else {
                json!("all")
            };
            "scope"
        }
        9 => {
            let added = json!({"action": "delete", "resource": "a/b", "constraint": []});
            child.capabilities.push(added);
            return Some("capability");
        }
        10 => {
            child.until = parent.until + 1;
            return Some("until");
        }
        11 => {
            child.from = parent.from - 1;
            return Some("from");
        }
        12 => {
            child.max_depth = parent.max_depth;
            return Some("depth");
        }
        13 => {
            child.owner.id.push_str("-lima");
            return Some("owner");
        }
        14 => {
            child.owner.name = Some("Somebody else".to_owned());
            return Some("owner name");
        }
        _ if rng.once_in(2) => {
            child.other_issuer = true;
            return Some("issuer");
        }
        _ => {
            child.other_digest = true;
            return Some("digest");
        }
    };
    let is_wider = !parent
        .capabilities
        .iter()
        .any(|one| reference::is_narrower(&child.capabilities[which], one));
    is_wider.then_some(how)
}

fn read(capability: &Value) -> Capability {
    let value = json::parse(capability.to_string().as_bytes()).unwrap();
    Capability::read(&value, &Path::ROOT).unwrap_or_else(|reason| panic!("{capability}: {reason}"))
}

impl Plans {
    /// The signed credentials, the leaf first.
    pub fn sign(&self) -> Vec<Document> {
        let last = self.0.len() - 1;
        let mut signed: Vec<Document> = Vec::new();
        for (step, plan) in self.0.iter().enumerate() {
            let signer = if plan.other_issuer { &*NORTH } else { issuer(step) };
            let mut from = signed.first().map(|parent| delegation::reference(parent).unwrap());
            if let Some(from) = from.as_mut().filter(|_| plan.other_digest) {
                from.digest = "zQmNone".to_owned();
            }
            let draft = CapabilityCredentialDraft {
                id: format!("urn:uuid:6f1c2a3e-8d4b-4c59-9a27-{step:012x}"),
                issuer: signer.did.clone(),
                valid_from: after(plan.from),
                valid_until: after(plan.until),
                status: vec![StatusEntry {
                    purpose: StatusPurpose::Revocation,
                    list: if plan.west { WEST_LIST } else { LIST }.into(),
                    index: index_of(step),
                }],
                agent: subject(step, last).did.clone(),
                agent_name: "Helper".into(),
                owner: plan.owner.clone(),
                capability: plan.capabilities.iter().map(read).collect(),
                max_depth: plan.max_depth,
                delegated_from: from,
            };
            let credential = draft.sign(&signer.method(), after(-3_600), signer.signer()).unwrap();
            signed.insert(0, credential);
        }
        signed
    }
}

/// What is asked of a chain: often something that its leaf allows, as far as one can tell by trying.
#[derive(Clone, Debug)]
pub struct Asked {
    pub action: String,
    pub resource: String,
    pub scope: Option<String>,
    pub parameters: Value,
    pub purpose: Option<Value>,
}

pub fn asked(rng: &mut Rng, leaf: &Plan, audience: &str, now: i64) -> Asked {
    let capability = rng.pick(&leaf.capabilities).clone();
    let tries = if rng.once_in(4) { 1 } else { 40 };
    let mut last = None;
    for _ in 0..tries {
        let wanted = ["a/b", "a/b/c", "tickets/42", "ab", "a", "a/b/c/d"];
        let covered: Vec<&&str> = wanted
            .iter()
            .filter(|one| reference::covers(capability["resource"].as_str().unwrap(), one))
            .collect();
        let anything = rng.once_in(12) || covered.is_empty();
        let asked = Asked {
            action: if rng.once_in(20) {
                "delete".to_owned()
            } else {
                capability["action"].as_str().unwrap().to_owned()
            },
            resource: if anything {
                *rng.pick(&wanted)
            } else {
                **rng.pick(&covered)
            }
            .to_owned(),
            scope: match capability["scope"].as_str() {
                Some(scope) if !rng.once_in(20) => Some(scope.to_owned()),
                None if rng.once_in(20) => Some("own".to_owned()),
                _ => None,
            },
            parameters: parameters(rng),
            purpose: crate::random::purpose(rng),
        };
        let mut action = json!({"parameters": asked.parameters});
        if let Some(purpose) = &asked.purpose {
            action["purpose"] = purpose.clone();
        }
        let holds = capability["constraint"]
            .as_array()
            .unwrap()
            .iter()
            .all(|one| reference::check(one, &action, audience, now).is_ok());
        last = Some(asked);
        if holds {
            break;
        }
    }
    last.unwrap()
}
