//! What organizations, agents and verifiers do with running nodes.

use std::path::Path;

use serde_json::{Value, json};

use crate::http::Answer;
use crate::node::Node;

/// The agent of most tests.
pub const AGENT: &str = "CustomerSupportAgent-v2.3";
/// The human who answers for it.
pub const OWNER: &str = "https://st-mary.example/staff/dana-reyes";

/// What the agent of most tests may do: read customer records, refund up to 100 USD, and update tickets, but close an
/// account only if a human approves.
#[must_use]
pub fn capabilities() -> Value {
    json!([
        {"action": "read", "resource": "customer_records", "scope": "assigned_tickets_only"},
        {
            "action": "call", "resource": "billing_api", "scope": "refund_under_100",
            "constraint": [{"type": "range", "parameter": "amount", "maximum": "100.00", "unit": "USD"}],
        },
        {
            "action": "write", "resource": "ticket_updates", "scope": "own_tickets",
            "constraint": [{"type": "approval", "approver": OWNER, "parameter": "kind", "values": ["account_closure"]}],
        },
    ])
}

/// Registers an agent and returns its DID.
#[must_use]
pub fn register(node: &Node, name: &str) -> String {
    let body = json!({"name": name, "owner": {"id": OWNER, "name": "Dana Reyes"}});
    let answer = node.admin().post("/agents", &body).expect(201);
    assert_eq!(answer["agent"]["name"], name);
    answer["agent"]["did"].as_str().unwrap().to_owned()
}

/// Issues a credential with [`capabilities`] to an agent of the node.
#[must_use]
pub fn issue(node: &Node, agent: &str) -> Value {
    issue_with(node, agent, json!({"capability": capabilities()}))
}

/// Issues a credential as the request says.
#[must_use]
pub fn issue_with(node: &Node, agent: &str, request: Value) -> Value {
    let answer = node
        .admin()
        .post(&format!("/agents/{agent}/credentials"), &request)
        .expect(201);
    answer["verifiableCredential"].clone()
}

/// Says that the node's organization accepts credentials of another one for all that [`capabilities`] grants.
pub fn authorize(node: &Node, entity: &str) {
    for capability in capabilities().as_array().unwrap() {
        let body = json!({"entity": entity, "action": capability["action"], "resource": capability["resource"]});
        let _statement = node.admin().post("/registry/authorize", &body).expect(200);
    }
}

/// Asks a verifier for a challenge.
#[must_use]
pub fn challenge(verifier: &Node) -> (String, String) {
    let answer = verifier.public().post("/challenges", &json!({})).expect(200);
    let text = |name: &str| answer[name].as_str().unwrap().to_owned();
    (text("challenge"), text("domain"))
}

/// Has an agent's home sign a presentation; the whole body for `/presentations/verify`.
#[must_use]
pub fn presentation(home: &Node, agent: &str, credential: &Value, challenge: &str, domain: &str) -> Value {
    let body = json!({"credentials": [credential], "challenge": challenge, "domain": domain});
    let answer = home
        .admin()
        .post(&format!("/agents/{agent}/presentations"), &body)
        .expect(201);
    json!({
        "verifiablePresentation": answer["verifiablePresentation"],
        "options": {"challenge": challenge, "domain": domain},
    })
}

/// Presents a credential to a verifier for a fresh challenge.
#[must_use]
pub fn present(home: &Node, agent: &str, credential: &Value, verifier: &Node) -> Answer {
    let (challenge, domain) = challenge(verifier);
    verifier.public().post(
        "/presentations/verify",
        &presentation(home, agent, credential, &challenge, &domain),
    )
}

/// Shows a credential to a verifier.
#[must_use]
pub fn verify(verifier: &Node, credential: &Value) -> Answer {
    verifier
        .public()
        .post("/credentials/verify", &json!({"verifiableCredential": credential}))
}

/// Has an agent's home sign an action for a verifier; the whole body for `/actions/verify`. `what` holds action,
/// resource, scope and parameters.
#[must_use]
pub fn action(home: &Node, agent: &str, credential: &Value, verifier: &Node, what: &Value) -> Value {
    let mut body = what.clone();
    body["credential"] = credential.clone();
    body["audience"] = verifier.did.clone().into();
    home.admin()
        .post(&format!("/agents/{agent}/actions"), &body)
        .expect(201)
}

/// Signs an action and lets the verifier decide.
#[must_use]
pub fn act(home: &Node, agent: &str, credential: &Value, verifier: &Node, what: &Value) -> Answer {
    verifier
        .public()
        .post("/actions/verify", &action(home, agent, credential, verifier, what))
}

/// A refund of so many dollars.
#[must_use]
pub fn refund(amount: &str) -> Value {
    json!({
        "action": "call", "resource": "billing_api", "scope": "refund_under_100",
        "parameters": {"amount": {"value": amount, "unit": "USD"}},
    })
}

/// An update of a ticket.
#[must_use]
pub fn ticket(kind: &str) -> Value {
    json!({
        "action": "write", "resource": "ticket_updates", "scope": "own_tickets", "parameters": {"kind": kind},
    })
}

/// The body that revokes a credential.
#[must_use]
pub fn revocation(credential: &Value) -> Value {
    json!({
        "credentialId": credential["id"],
        "credentialStatus": {"type": "BitstringStatusListEntry", "statusPurpose": "revocation"},
        "status": true,
    })
}

/// Revokes a credential.
pub fn revoke(node: &Node, credential: &Value) {
    let answer = node
        .admin()
        .post("/credentials/status", &revocation(credential))
        .expect(200);
    assert_eq!(answer["status"], "revoked");
    assert_eq!(answer["credentialId"], credential["id"]);
}

/// `syndic charter ...`, with what it says.
#[must_use]
pub fn charter(node: &Node, arguments: &[&str]) -> Value {
    let all = [&["charter"], arguments, &["--json"]].concat();
    node.syndic(&all).expect_success(arguments[0]).json()
}

/// A change of the charter, proposed by the first of these nodes and signed by all of them, not published yet.
pub fn agree(proposal: &Path, change: &[&str], by: &[&Node]) {
    let file = proposal.display().to_string();
    let _proposed = charter(by[0], &[&["propose", "--out", &file], change].concat());
    for node in by {
        let _signed = charter(node, &["sign", &file]);
    }
}

/// Puts a charter that enough members have signed in force.
pub fn publish_charter(node: &Node, proposal: &Path) {
    let _published = charter(node, &["publish", &proposal.display().to_string()]);
}
