//! A naive verifier of actions under chains, written from `specs/02-credentials.md` and sharing no code with the crate:
//! plain JSON in, decision and first code out. It is slow, knows `did:key` with Ed25519 and `eddsa-jcs-2022` only, and
//! takes for granted that documents have the members they should.
#![allow(dead_code, unreachable_pub)]

mod constraints;
mod narrower;
mod proofs;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

pub use constraints::{check, instant};
pub use narrower::{capability as is_narrower, resource as covers};

/// Decision and first code.
pub type Verdict = (&'static str, String);

/// What is asked of the verifier, and what it knows: `knowledge` as vectors write it (2.11).
pub struct Question<'a> {
    pub envelope: &'a Value,
    pub audience: &'a str,
    pub knowledge: &'a Value,
    pub now: i64,
    pub max_staleness: i64,
    pub skew: i64,
}

/// What the verifier remembers: nonces, and counters by what they count.
#[derive(Default)]
pub struct Memory {
    nonces: BTreeSet<String>,
    counters: BTreeMap<String, (i64, i128)>,
}

struct Refused {
    code: String,
    approval: bool,
}

fn refuse<T>(code: &str) -> Result<T, Refused> {
    Err(Refused {
        code: code.to_owned(),
        approval: false,
    })
}

/// Section 2.8, for an action.
pub fn decide(question: &Question<'_>, memory: &mut Memory) -> Verdict {
    match steps(question, memory) {
        Ok(()) => ("allow", String::new()),
        Err(Refused { code, approval: true }) => ("approvalRequired", code),
        Err(Refused { code, approval: false }) => ("deny", code),
    }
}

fn text<'v>(value: &'v Value, name: &str) -> &'v str {
    value[name].as_str().unwrap_or_default()
}

fn steps(question: &Question<'_>, memory: &mut Memory) -> Result<(), Refused> {
    let action = &question.envelope["action"];
    let links: Vec<&Value> = std::iter::once(&question.envelope["credential"])
        .chain(question.envelope["chain"].as_array().into_iter().flatten())
        .collect();
    if links.len() > 9 {
        return refuse("chain-too-long");
    }
    // 2. Proofs.
    let latest = question.now + question.skew;
    proofs::check(action, text(action, "agent"), "capabilityInvocation", latest).or_else(refuse)?;
    for link in &links {
        proofs::check(link, text(link, "issuer"), "assertionMethod", latest).or_else(refuse)?;
    }
    for link in links.iter().filter(|link| !link["delegatedFrom"].is_null()) {
        in_service(question, text(link, "issuer"))?;
    }
    // 3. to 5.
    let (created, expires) = (instant(text(action, "created")), instant(text(action, "expires")));
    let length = expires - created;
    if length <= 0 || length > 900 || created > question.now + question.skew || expires <= question.now {
        return refuse("action-window");
    }
    for link in &links {
        life(question, link)?;
    }
    // 6. Holder, and chain.
    let leaf = links[0];
    if text(action, "audience") != question.audience {
        return refuse("audience-mismatch");
    }
    if text(action, "agent") != text(&leaf["credentialSubject"], "id") {
        return refuse("holder-mismatch");
    }
    if action["capability"]["id"] != leaf["id"] || text(&action["capability"], "digest") != proofs::digest(leaf) {
        return refuse("capability-mismatch");
    }
    for (index, link) in links.iter().enumerate() {
        match links.get(index + 1) {
            Some(parent) => follows(link, parent)?,
            None if !link["delegatedFrom"].is_null() => return refuse("chain-broken"),
            None => {}
        }
    }
    // 7. and 8.
    let mut chosen = Vec::new();
    let mut pending = None;
    for (index, link) in links.iter().enumerate() {
        match allowed_by(question, action, link, index + 1 == links.len()) {
            Ok(capability) => chosen.push((link, capability)),
            Err(refused) if refused.approval => pending = pending.or(Some(refused)),
            Err(refused) => return Err(refused),
        }
    }
    // 9. Freshness.
    for link in &links {
        let heard = &question.knowledge["heard"][speaker(question, link)];
        let fresh = heard.as_str().map(instant).is_some_and(|heard| {
            heard <= question.now + question.skew && question.now - heard <= question.max_staleness
        });
        if !fresh {
            return refuse("knowledge-stale");
        }
    }
    if let Some(pending) = pending {
        return Err(pending);
    }
    spend(question, action, &chosen, memory)
}

fn in_service(question: &Question<'_>, agent: &str) -> Result<(), Refused> {
    let listed = |name: &str| {
        question.knowledge[name]
            .as_array()
            .is_some_and(|list| list.iter().any(|one| one == agent))
    };
    if is_down(question, "agent") {
        refuse("knowledge-unavailable")
    } else if listed("suspended") {
        refuse("agent-suspended")
    } else if listed("retired") {
        refuse("agent-retired")
    } else {
        Ok(())
    }
}

fn is_down(question: &Question<'_>, what: &str) -> bool {
    question.knowledge["unavailable"]
        .as_array()
        .is_some_and(|list| list.iter().any(|one| one == what))
}

/// Whose log speaks for the issuer of a link (2.12, Status).
fn speaker<'a>(question: &Question<'a>, link: &'a Value) -> &'a str {
    let issuer = text(link, "issuer");
    if link["delegatedFrom"].is_null() {
        return issuer;
    }
    question.knowledge["agents"][issuer].as_str().unwrap_or(issuer)
}

/// Validity, status, agent.
fn life(question: &Question<'_>, link: &Value) -> Result<(), Refused> {
    let (from, until) = (instant(text(link, "validFrom")), instant(text(link, "validUntil")));
    if until <= from {
        return refuse("document-malformed");
    }
    if until - from > 90 * 86_400 {
        return refuse("validity-too-long");
    }
    if from > question.now + question.skew {
        return refuse("not-yet-valid");
    }
    if until <= question.now {
        return refuse("expired");
    }
    let entries = match &link["credentialStatus"] {
        Value::Array(entries) => entries.clone(),
        one => vec![one.clone()],
    };
    for entry in &entries {
        status(question, link, entry)?;
    }
    in_service(question, text(&link["credentialSubject"], "id"))
}

fn status(question: &Question<'_>, link: &Value, entry: &Value) -> Result<(), Refused> {
    let list = text(entry, "statusListCredential");
    let index: u64 = text(entry, "statusListIndex").parse().unwrap();
    let speaker = speaker(question, link);
    let lists = &question.knowledge["statusLists"];
    let own = text(lists, "issuer") == speaker && lists["known"].as_array().unwrap().iter().any(|one| one == list);
    let other = question.knowledge["otherLists"][list] == speaker;
    if is_down(question, "status") || !own && !other {
        return refuse("status-unknown");
    }
    let set = lists["set"].as_array().unwrap();
    if !set.iter().any(|one| one["list"] == list && one["index"] == index) {
        return Ok(());
    }
    refuse(if text(entry, "statusPurpose") == "revocation" {
        "revoked"
    } else {
        "suspended"
    })
}

/// The table of 2.12.
fn follows(child: &Value, parent: &Value) -> Result<(), Refused> {
    let from = &child["delegatedFrom"];
    if from.is_null() || from["id"] != parent["id"] || text(from, "digest") != proofs::digest(parent) {
        return refuse("chain-broken");
    }
    let (own, above) = (&child["credentialSubject"], &parent["credentialSubject"]);
    if child["issuer"] != above["id"] {
        return refuse("chain-broken");
    }
    let depth = |subject: &Value| subject["delegation"]["maxDepth"].as_i64().unwrap_or(0);
    if depth(above) < 1 || depth(own) >= depth(above) {
        return refuse("delegation-not-allowed");
    }
    let name = &own["owner"]["name"];
    if own["owner"]["id"] != above["owner"]["id"] || !name.is_null() && *name != above["owner"]["name"] {
        return refuse("owner-changed");
    }
    let time = |link: &Value, name: &str| instant(text(link, name));
    if time(child, "validFrom") < time(parent, "validFrom") || time(child, "validUntil") > time(parent, "validUntil") {
        return refuse("delegation-wider");
    }
    let granted = above["capability"].as_array().unwrap();
    for capability in own["capability"].as_array().unwrap() {
        if !granted.iter().any(|parent| narrower::capability(capability, parent)) {
            return refuse("delegation-wider");
        }
    }
    Ok(())
}

/// Section 2.6, "What allows an action": the capability of this credential, by its index.
fn allowed_by(question: &Question<'_>, action: &Value, link: &Value, is_root: bool) -> Result<usize, Refused> {
    let capabilities = link["credentialSubject"]["capability"].as_array().unwrap();
    let mut failures: Vec<Vec<String>> = Vec::new();
    for (index, capability) in capabilities.iter().enumerate() {
        if capability["action"] != action["action"]
            || capability["scope"] != action["scope"]
            || !narrower::resource(text(capability, "resource"), text(action, "resource"))
        {
            continue;
        }
        let mut reasons = Vec::new();
        if is_root {
            reasons.extend(standing(question, text(link, "issuer"), action).err());
        }
        if reasons.is_empty() {
            let constraints = capability["constraint"].as_array().into_iter().flatten();
            reasons = constraints
                .filter_map(|one| constraints::check(one, action, question.audience, question.now).err())
                .map(str::to_owned)
                .collect();
        }
        if reasons.is_empty() {
            return Ok(index);
        }
        // Approvals last.
        let (approvals, mut others): (Vec<_>, Vec<_>) =
            reasons.into_iter().partition(|code| code == "approval-required");
        others.extend(approvals);
        failures.push(others);
    }
    let lacks_approval_only = |reasons: &Vec<String>| reasons[0] == "approval-required";
    if failures.is_empty() {
        return refuse("capability-not-granted");
    }
    if let Some(reasons) = failures
        .iter()
        .filter(|one| lacks_approval_only(one))
        .min_by_key(|one| one.len())
    {
        return Err(Refused {
            code: reasons[0].clone(),
            approval: true,
        });
    }
    let fewest = failures.iter().min_by_key(|reasons| reasons.len()).unwrap();
    refuse(&fewest[0])
}

fn standing(question: &Question<'_>, issuer: &str, action: &Value) -> Result<(), String> {
    let listed = |name: &str| {
        question.knowledge[name]
            .as_array()
            .is_some_and(|list| list.iter().any(|one| one == issuer))
    };
    let code = if is_down(question, "standing") {
        "knowledge-unavailable"
    } else if listed("removed") {
        "issuer-removed"
    } else if listed("frozen") {
        "issuer-frozen"
    } else {
        match question.knowledge["authorized"][issuer].as_array() {
            None => "issuer-unknown",
            Some(granted) => {
                let covers = |one: &Value| {
                    (one["action"] == "*" || one["action"] == action["action"])
                        && narrower::resource(text(one, "resource"), text(action, "resource"))
                };
                if granted.iter().any(covers) {
                    return Ok(());
                }
                "issuer-not-authorized"
            }
        }
    };
    Err(code.to_owned())
}

/// Step 10: all or nothing.
fn spend(
    question: &Question<'_>,
    action: &Value,
    chosen: &[(&&Value, usize)],
    memory: &mut Memory,
) -> Result<(), Refused> {
    let nonce = format!("{} {}", text(action, "agent"), text(action, "nonce"));
    if memory.nonces.contains(&nonce) {
        return refuse("action-replayed");
    }
    let mut counters = memory.counters.clone();
    for (link, index) in chosen {
        let said = proofs::without_proof(link);
        let list = link["credentialSubject"]["capability"][*index]["constraint"].as_array();
        for (place, constraint) in list.into_iter().flatten().enumerate() {
            let kind = text(constraint, "type");
            if kind != "rate" && kind != "budget" {
                continue;
            }
            let (amount, limit) = constraints::counted(constraint, action);
            let begun = constraints::window(text(constraint, "period"), question.now);
            let counter = counters.entry(format!("{said} {index} {place}")).or_insert((begun, 0));
            if counter.0 < begun {
                *counter = (begun, 0);
            }
            counter.1 += amount;
            if counter.1 > limit {
                return refuse(&format!("{kind}-exceeded"));
            }
        }
    }
    memory.counters = counters;
    memory.nonces.insert(nonce);
    Ok(())
}
