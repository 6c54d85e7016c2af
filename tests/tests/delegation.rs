//! Agents hand on across organizations: one hospital issues, its agent hands on to an agent of another, and a third decides.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use serde_json::{Value, json};
use syndic_tests::cluster::{Cluster, Shape};
use syndic_tests::http::Answer;
use syndic_tests::node::Node;
use syndic_tests::scenario::{AGENT, authorize, capabilities, issue_with, refund, register, revoke};

const HELPER: &str = "Helper";

/// What an agent hands on; the answer has the credential and all above it.
fn hand_on(node: &Node, agent: &str, request: Value) -> Answer {
    node.admin().post(&format!("/agents/{agent}/delegations"), &request)
}

/// Signs an action at the agent's home, under what it was handed.
fn sign(home: &Node, agent: &str, handed: &Value, verifier: &Node, amount: &str) -> Value {
    let mut body = refund(amount);
    body["credential"] = handed["verifiableCredential"].clone();
    body["chain"] = handed["chain"].clone();
    body["audience"] = verifier.did.clone().into();
    home.admin()
        .post(&format!("/agents/{agent}/actions"), &body)
        .expect(201)
}

fn act(home: &Node, agent: &str, handed: &Value, verifier: &Node, amount: &str) -> Answer {
    verifier
        .public()
        .post("/actions/verify", &sign(home, agent, handed, verifier, amount))
}

#[test]
fn an_agent_hands_on_to_another_organization_and_it_ends_with_what_it_came_from() {
    let cluster = Cluster::shaped(Shape {
        nodes: 3,
        running: 3,
        engine: "redb",
    });
    let [first, second, third] = &cluster.nodes[..] else {
        panic!()
    };
    let _agent = register(first, AGENT);
    let helper = register(second, HELPER);
    authorize(third, &first.did);
    let root = issue_with(
        first,
        AGENT,
        json!({"capability": capabilities(), "delegation": {"maxDepth": 2}}),
    );
    cluster.settle(&[0, 1, 2]);

    // Refunds of up to 50, for half an hour.
    let capability = json!([{
        "action": "call", "resource": "billing_api", "scope": "refund_under_100",
        "constraint": [{"type": "range", "parameter": "amount", "maximum": "50", "unit": "USD"}],
    }]);
    let request = json!({
        "credential": root["id"], "to": helper, "name": "Helper", "capability": capability, "maxDepth": 1,
        "validForSeconds": 1800,
    });
    let handed = hand_on(first, AGENT, request.clone()).expect(201);
    assert_eq!(handed["chain"], json!([root]));
    act(second, HELPER, &handed, third, "49.99").expect_allowed();
    act(second, HELPER, &handed, third, "50.01").expect_refused("value-out-of-range");
    // Without what is above it, it is worth nothing.
    let mut alone = sign(second, HELPER, &handed, third, "1");
    alone.as_object_mut().unwrap().remove("chain");
    third
        .public()
        .post("/actions/verify", &alone)
        .expect_refused("chain-broken");

    // The helper hands on to one that nobody has registered: its own node keeps the status.
    let stray = "did:key:z6MkiTBz1ymuepAQ4HEHYSF1H8quG5GLVVQR3djdX3mDooWp";
    let further = json!({
        "credential": handed["verifiableCredential"], "chain": handed["chain"], "to": stray, "validForSeconds": 600,
    });
    let further = hand_on(second, HELPER, further).expect(201);
    assert_eq!(further["chain"].as_array().unwrap().len(), 2);

    // Nothing that says more is signed.
    let more = |changes: Value| {
        let mut body = request.clone();
        body.as_object_mut()
            .unwrap()
            .extend(changes.as_object().unwrap().clone());
        hand_on(first, AGENT, body)
    };
    let anything = json!([{"action": "call", "resource": "billing_api", "scope": "refund_under_100"}]);
    let wider = [
        (json!({"capability": anything}), "delegation-wider"),
        (json!({"maxDepth": 2}), "delegation-not-allowed"),
        (json!({"validForSeconds": 100_000}), "delegation-wider"),
    ];
    for (changes, code) in wider {
        let answer = more(changes);
        assert_eq!(answer.status, 400);
        assert!(answer.text().contains(code), "{}", answer.text());
    }
    // Not by another agent than the holder.
    let _other = register(first, "Other");
    assert_eq!(hand_on(first, "Other", request.clone()).status, 400);

    // Revoking the root ends what was handed on, at a node that neither issued nor handed on.
    let again = hand_on(first, AGENT, request).expect(201);
    cluster.settle(&[0, 1, 2]);
    act(second, HELPER, &again, third, "1").expect_allowed();
    revoke(first, &again["verifiableCredential"]);
    cluster.settle(&[0, 1, 2]);
    act(second, HELPER, &again, third, "2").expect_refused("revoked");
    act(second, HELPER, &handed, third, "3").expect_allowed();
    revoke(first, &root);
    cluster.settle(&[0, 1, 2]);
    act(second, HELPER, &handed, third, "4").expect_refused("revoked");
}
