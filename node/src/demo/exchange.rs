//! Agents show what they may do to other organizations, and do it.

use syndic_registry::bundle::Bundle;
use syndic_registry::charter::CharterChain;
use syndic_vc::canonical;
use syndic_vc::json::{Object, Value};
use syndic_vc::object;

use super::agents::{Agent, Cast};
use super::decisions::{ALLOW, APPROVAL, Expected, deny};
use super::error::DemoError;
use super::hospital::{Hospital, member};
use super::report::Report;
use crate::client::decision::Decision;

/// Presents each agent's credential at the two other hospitals.
pub(super) fn present(
    cast: &Cast,
    mary: &Hospital,
    nordstadt: &Hospital,
    lakeside: &Hospital,
    report: &mut Report,
) -> Result<(), DemoError> {
    report.begin("The agents present their credentials at the other hospitals, signed for a fresh challenge");
    for (agent, home, others) in [
        (&cast.support, mary, [nordstadt, lakeside]),
        (&cast.triage, nordstadt, [mary, lakeside]),
    ] {
        for other in others {
            let decision = home.present_to(&agent.name, &agent.credential, other)?;
            report.judge(other, &format!("{} of {}", agent.name, home.name), &decision, ALLOW)?;
        }
    }
    Ok(())
}

/// An action of the support agent at another hospital.
struct Deed {
    action: &'static str,
    resource: &'static str,
    scope: &'static str,
    parameters: Value,
}

impl Deed {
    fn refund(amount: &str) -> Self {
        let parameters = object! { "amount": object! { "value": amount, "unit": "USD" } };
        Self {
            action: "call",
            resource: "billing_api",
            scope: "refund_under_100",
            parameters,
        }
    }

    fn request(&self, agent: &Agent, audience: &Hospital) -> Object {
        Object::from_iter([
            ("credential", Value::from(agent.credential_id.as_str())),
            ("action", self.action.into()),
            ("resource", self.resource.into()),
            ("scope", self.scope.into()),
            ("parameters", self.parameters.clone()),
            ("audience", audience.did.as_str().into()),
        ])
    }
}

/// Comes to a decision again from its bundle and the charter, without asking any node; gives the bundle's size.
fn prove(decision: &Decision, charter: &Value) -> Result<usize, DemoError> {
    let failed = |error: String| DemoError::new(error).while_doing("verifying a decision offline");
    let chain = CharterChain::parse(&canonical::to_bytes(charter)).map_err(|error| failed(error.to_string()))?;
    let bytes = canonical::to_bytes(member(&decision.document, "bundle")?);
    let bundle = Bundle::parse(&bytes).map_err(|error| failed(error.to_string()))?;
    let shown = bundle
        .verify(&chain, bundle.time)
        .map_err(|error| failed(error.to_string()))?;
    if shown.outcome.as_str() == decision.outcome.as_str() {
        Ok(bytes.len())
    } else {
        Err(failed("another decision follows from the bundle".to_owned()))
    }
}

/// Signs actions and lets the other hospital decide about them.
pub(super) fn act(
    cast: &Cast,
    mary: &Hospital,
    nordstadt: &Hospital,
    lakeside: &Hospital,
    report: &mut Report,
) -> Result<(), DemoError> {
    let agent = &cast.support;
    let perform = |report: &mut Report, what: &str, deed: &Deed, expected: Expected| {
        let signed = mary.sign(&agent.name, deed.request(agent, nordstadt))?;
        let decision = nordstadt.decide(&signed)?;
        report.judge(nordstadt, what, &decision, expected).map(|()| signed)
    };
    report.begin("The support agent signs an action: a refund within its limit of 100 USD");
    let refund = mary.sign(&agent.name, Deed::refund("49.99").request(agent, nordstadt))?;
    let decision = nordstadt.decide_and_show(&refund)?;
    report.judge(nordstadt, "refund 49.99 USD", &decision, ALLOW)?;
    let bytes = prove(&decision, &lakeside.public.get("/charter")?)?;
    report.note(format!(
        "proved offline with the charter alone: the decision and all that it rests on are {bytes} bytes"
    ));

    report.begin("A refund one cent over the limit");
    perform(
        report,
        "refund 100.01 USD",
        &Deed::refund("100.01"),
        deny("value-out-of-range"),
    )?;

    report.begin("An action for which a human has to be asked first");
    let closure = Deed {
        action: "write",
        resource: "ticket_updates",
        scope: "own_tickets",
        parameters: object! { "operation": "account_closure" },
    };
    perform(report, "close an account", &closure, APPROVAL)?;

    report.begin("Somebody sends the first refund a second time");
    let decision = nordstadt.decide(&refund)?;
    report.judge(
        nordstadt,
        "refund 49.99 USD, the same message again",
        &decision,
        deny("action-replayed"),
    )
}
