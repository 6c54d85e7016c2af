//! Agents, the humans who answer for them, whose word counts for what, and what the agents may do.

use syndic_vc::json::{self, Object, Value};
use syndic_vc::object;

use super::error::DemoError;
use super::hospital::{Hospital, as_text, member};
use super::raise;
use super::report::Report;
use super::wait;
use crate::cli::credential;
use crate::client::Client;

const SUPPORT: &str = include_str!("../../../examples/customer-support-agent.json");
const TRIAGE: &str = include_str!("../../../examples/triage-agent.json");

/// The agents of the story.
pub(super) struct Cast {
    pub(super) support: Agent,
    pub(super) triage: Agent,
}

/// One agent with its credential.
pub(super) struct Agent {
    pub(super) name: String,
    pub(super) did: String,
    /// What it is granted, as in the file.
    pub(super) grant: Object,
    pub(super) credential: Value,
    pub(super) credential_id: String,
}

/// Registers the agents, authorizes their issuers, and issues their credentials.
pub(super) fn register(
    mary: &Hospital,
    nordstadt: &Hospital,
    lakeside: &Hospital,
    report: &mut Report,
) -> Result<Cast, DemoError> {
    report.begin("Agents are registered, each with the human who answers for it");
    let dana = object! { "id": "did:web:st-mary.example:staff:4711", "name": "Dana Reyes" };
    let jonas = object! { "id": "did:web:nordstadt.example:staff:204", "name": "Dr. Jonas Weber" };
    let mut support = enroll(mary, SUPPORT, &dana, report)?;
    let mut triage = enroll(nordstadt, TRIAGE, &jonas, report)?;

    report.begin("Each hospital says whose credentials it accepts, and for what");
    authorize(&[nordstadt, lakeside], mary, &support, report)?;
    authorize(&[mary, lakeside], nordstadt, &triage, report)?;

    report.begin("The hospitals issue capability credentials to their agents, valid for 24 hours");
    issue(mary, &mut support, report)?;
    issue(nordstadt, &mut triage, report)?;
    let digest = raise::agree(&[mary, nordstadt, lakeside])?;
    report.note(format!(
        "all three nodes know the same again (digest {}...)",
        raise::head(&digest)
    ));
    seen_by_all(&support, mary, &[nordstadt, lakeside], report)?;
    seen_by_all(&triage, nordstadt, &[mary, lakeside], report)?;
    Ok(Cast { support, triage })
}

/// Waits until those who will decide about an agent know that others have cosigned what its issuer says.
fn seen_by_all(agent: &Agent, issuer: &Hospital, by: &[&Hospital], report: &mut Report) -> Result<(), DemoError> {
    for hospital in by {
        let seen = wait::until(raise::AGREE, || {
            let decision = hospital.verify(&agent.credential).ok()?;
            (!decision.has_reason("not-witnessed")).then_some(decision)
        });
        let decision = seen.ok_or_else(|| {
            let text = format!("nobody cosigned for {} what {} says", hospital.name, issuer.name);
            DemoError::new(text)
        })?;
        if let Some((seen, others)) = decision.as_of.first().map(|known| known.witnessed) {
            report.note(format!(
                "{} knows what {} says as seen by {seen} of {others} others",
                hospital.name, issuer.name
            ));
        }
    }
    Ok(())
}

fn enroll(at: &Hospital, file: &str, owner: &Value, report: &mut Report) -> Result<Agent, DemoError> {
    let document = json::parse(file.as_bytes()).map_err(|error| DemoError::new(error.to_string()))?;
    let name = as_text(member(&document, "name")?, "name")?;
    let did = at.register(&name, owner)?;
    let answers = owner.get("name").and_then(Value::as_str).unwrap_or_default();
    report.note(format!("{name:<26} at {}, owner {answers}", at.name));
    let grant = credential::template(document, std::path::Path::new("the example"))?;
    Ok(Agent {
        name,
        did,
        grant,
        credential: Value::Null,
        credential_id: String::new(),
    })
}

fn capabilities(agent: &Agent) -> &[Value] {
    agent
        .grant
        .get("capability")
        .and_then(Value::as_array)
        .unwrap_or_default()
}

fn authorize(who: &[&Hospital], issuer: &Hospital, agent: &Agent, report: &mut Report) -> Result<(), DemoError> {
    for hospital in who {
        for capability in capabilities(agent) {
            let text = |name| member(capability, name).and_then(|value| as_text(value, name));
            hospital.authorize(&issuer.did, &text("action")?, &text("resource")?)?;
        }
    }
    let names: Vec<&str> = who.iter().map(|hospital| hospital.name.as_str()).collect();
    let count = capabilities(agent).len();
    report.note(format!(
        "{} accept {} as issuer for {count} kinds of action",
        names.join(" and "),
        issuer.name
    ));
    Ok(())
}

fn issue(issuer: &Hospital, agent: &mut Agent, report: &mut Report) -> Result<(), DemoError> {
    agent.credential = issuer.issue(&agent.name, agent.grant.clone())?;
    agent.credential_id = as_text(member(&agent.credential, "id")?, "id")?;
    report.note(format!("{} may", agent.name));
    for capability in capabilities(agent) {
        report.note(describe(capability));
    }
    Ok(())
}

fn describe(capability: &Value) -> String {
    let text = |name| capability.get(name).and_then(Value::as_str).unwrap_or("-");
    let constraints = capability
        .get("constraint")
        .and_then(Value::as_array)
        .unwrap_or_default();
    let kinds: Vec<&str> = constraints
        .iter()
        .filter_map(|limit| limit.get("type")?.as_str())
        .collect();
    let limits = if kinds.is_empty() {
        String::new()
    } else {
        format!("; limits: {}", kinds.join(", "))
    };
    format!(
        "  {} {} (scope {}{limits})",
        text("action"),
        text("resource"),
        text("scope")
    )
}

/// A further client of a node's admin listener, for a thread of its own.
pub(super) fn second_client(hospital: &Hospital) -> Result<Client, DemoError> {
    let token = crate::cli::connect::token(&hospital.data.join("admin.token"))?;
    Ok(Client::admin(hospital.admin.base(), token)?)
}
