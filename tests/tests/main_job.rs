//! The main job over HTTP: three organizations, an agent of the first one at the doors of the others. Every refusal has
//! its reason, and beside it a twin that differs only in what was wrong and is accepted.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout
)]

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use syndic_tests::cluster::Cluster;
use syndic_tests::command::eventually;
use syndic_tests::scenario::{
    self, AGENT, OWNER, act, action, authorize, issue, issue_with, present, presentation, refund, register, revoke,
    ticket, verify,
};

/// Longest time from an acknowledged revocation to the refusal at another organization (promise P16).
const REVOCATION_FELT: Duration = Duration::from_secs(2);

#[test]
fn three_organizations_and_one_agent() {
    let cluster = Cluster::of(3);
    let [home, second, third] = &cluster.nodes[..] else {
        panic!("three nodes")
    };
    let agent = register(home, AGENT);
    let credential = issue(home, AGENT);
    assert_eq!(credential["credentialSubject"]["id"], agent.as_str());
    assert_eq!(credential["credentialSubject"]["owner"]["id"], OWNER);

    // Nobody but the home itself accepts the issuer yet.
    cluster.settle(&[0, 1, 2]);
    verify(home, &credential).expect_allowed();
    verify(second, &credential).expect_refused("issuer-not-authorized");
    authorize(second, &home.did);
    authorize(third, &home.did);
    verify(second, &credential).expect_allowed();
    verify(third, &credential).expect_allowed();

    presentations(&cluster, &credential);
    actions(&cluster, &credential);
    forged_and_expired(&cluster, &credential);
    revoked_everywhere(&cluster, &credential);
    retired_everywhere(&cluster, &agent);
    withdrawn(&cluster);
}

fn presentations(cluster: &Cluster, credential: &Value) {
    let [home, second, third] = &cluster.nodes[..] else {
        panic!("three nodes")
    };
    let answer = present(home, AGENT, credential, second);
    answer.expect_allowed();
    let decision = &answer.json()["decision"];
    assert_eq!(decision["subject"], credential["credentialSubject"]["id"]);
    assert_eq!(decision["chain"], json!([credential["id"]]));
    assert_eq!(decision["asOf"][0]["issuer"], home.did.as_str());

    // A challenge of another verifier is none of ours, and one of ours works once.
    let (challenge, domain) = scenario::challenge(second);
    let body = presentation(home, AGENT, credential, &challenge, &domain);
    let mut foreign = body.clone();
    foreign["options"]["domain"] = third.did.clone().into();
    assert_eq!(third.public().post("/presentations/verify", &foreign).status, 400);
    second.public().post("/presentations/verify", &body).expect_allowed();
    second
        .public()
        .post("/presentations/verify", &body)
        .expect_refused("challenge-used");

    // Somebody else's credential: the holder signs, but it was issued to another agent.
    let _other = register(home, "Borrower-v1");
    let (challenge, domain) = scenario::challenge(second);
    let body = presentation(home, "Borrower-v1", credential, &challenge, &domain);
    second
        .public()
        .post("/presentations/verify", &body)
        .expect_refused("holder-mismatch");
}

fn actions(cluster: &Cluster, credential: &Value) {
    let [home, second, third] = &cluster.nodes[..] else {
        panic!("three nodes")
    };
    act(home, AGENT, credential, second, &refund("49.99")).expect_allowed();
    act(home, AGENT, credential, second, &refund("100")).expect_allowed();
    act(home, AGENT, credential, second, &refund("100.01")).expect_refused("value-out-of-range");
    let mut nonsense = refund("1e2");
    nonsense["credential"] = credential.clone();
    nonsense["audience"] = second.did.clone().into();
    assert_eq!(
        home.admin().post(&format!("/agents/{AGENT}/actions"), &nonsense).status,
        400,
        "nothing is signed that no verifier takes"
    );
    let mut euros = refund("49.99");
    euros["parameters"]["amount"]["unit"] = "EUR".into();
    act(home, AGENT, credential, second, &euros).expect_refused("unit-mismatch");
    let mut without = refund("49.99");
    without["parameters"] = json!({});
    act(home, AGENT, credential, second, &without).expect_refused("parameter-missing");
    let mut elsewhere = refund("49.99");
    elsewhere["resource"] = "payroll_api".into();
    act(home, AGENT, credential, second, &elsewhere).expect_refused("capability-not-granted");
    let mut wider = refund("49.99");
    wider["scope"] = "refund_under_1000".into();
    act(home, AGENT, credential, second, &wider).expect_refused("capability-not-granted");

    act(home, AGENT, credential, second, &ticket("status_change")).expect_allowed();
    let pending = act(home, AGENT, credential, second, &ticket("account_closure"));
    pending.expect_refused("approval-required");
    assert!(
        pending.text().contains(OWNER),
        "who has to approve is not said: {}",
        pending.text()
    );

    // An action for one verifier is worth nothing at another.
    let body = action(home, AGENT, credential, second, &refund("10"));
    third
        .public()
        .post("/actions/verify", &body)
        .expect_refused("audience-mismatch");
    second.public().post("/actions/verify", &body).expect_allowed();
    second
        .public()
        .post("/actions/verify", &body)
        .expect_refused("action-replayed");
}

fn forged_and_expired(cluster: &Cluster, credential: &Value) {
    let [home, second, third] = &cluster.nodes[..] else {
        panic!("three nodes")
    };
    // The agent raises its own limit.
    let mut forged = credential.clone();
    let limit = &mut forged["credentialSubject"]["capability"][1]["constraint"][0]["maximum"];
    assert_eq!(*limit, "100.00");
    *limit = "1000.00".into();
    verify(second, &forged).expect_refused("signature-invalid");
    verify(third, &forged).expect_refused("signature-invalid");
    verify(second, credential).expect_allowed();
    let body = json!({"verifiableCredential": forged});
    home.public()
        .post("/credentials/verify", &body)
        .expect_refused("signature-invalid");

    let past = json!({
        "capability": scenario::capabilities(),
        "validFrom": "2026-01-01T00:00:00Z", "validUntil": "2026-01-02T00:00:00Z",
    });
    let expired = issue_with(home, AGENT, past);
    verify(second, &expired).expect_refused("expired");
    let future = json!({
        "capability": scenario::capabilities(),
        "validFrom": "2126-01-01T00:00:00Z", "validUntil": "2126-01-02T00:00:00Z",
    });
    verify(second, &issue_with(home, AGENT, future)).expect_refused("not-yet-valid");
}

fn revoked_everywhere(cluster: &Cluster, credential: &Value) {
    let [home, second, third] = &cluster.nodes[..] else {
        panic!("three nodes")
    };
    let twin = issue(home, AGENT);
    revoke(home, credential);
    let acknowledged = Instant::now();
    for verifier in [second, third] {
        eventually("the revocation is felt", REVOCATION_FELT, || {
            let answer = verify(verifier, credential);
            if answer.status == 400 {
                Ok(())
            } else {
                Err(answer.text())
            }
        });
        println!(
            "{}: first refusal {:?} after the acknowledgement",
            verifier.name,
            acknowledged.elapsed()
        );
    }
    for verifier in [home, second, third] {
        verify(verifier, credential).expect_refused("revoked");
        present(home, AGENT, credential, verifier).expect_refused("revoked");
        act(home, AGENT, credential, verifier, &refund("1")).expect_refused("revoked");
        verify(verifier, &twin).expect_allowed();
        present(home, AGENT, &twin, verifier).expect_allowed();
    }
    // Revoking twice is the same as once.
    revoke(home, credential);
}

fn retired_everywhere(cluster: &Cluster, agent: &str) {
    let [home, second, third] = &cluster.nodes[..] else {
        panic!("three nodes")
    };
    let credential = issue(home, AGENT);
    let (challenge, domain) = scenario::challenge(second);
    let prepared = presentation(home, AGENT, &credential, &challenge, &domain);
    verify(third, &credential).expect_allowed();
    let retired = home
        .admin()
        .post(&format!("/agents/{AGENT}/retire"), &json!({}))
        .expect(200);
    assert_eq!(retired["agent"]["did"], agent);
    assert!(retired["agent"]["retired"].is_string(), "{retired}");
    cluster.settle(&[0, 1, 2]);
    for verifier in [home, second, third] {
        verify(verifier, &credential).expect_refused("revoked");
    }
    second
        .public()
        .post("/presentations/verify", &prepared)
        .expect_refused("revoked");
    // The home neither signs for it nor gives it anything.
    let body = json!({"capability": scenario::capabilities()});
    assert_eq!(
        home.admin().post(&format!("/agents/{AGENT}/credentials"), &body).status,
        409
    );
    let body = json!({"credentials": [credential], "challenge": challenge, "domain": domain});
    assert_eq!(
        home.admin()
            .post(&format!("/agents/{AGENT}/presentations"), &body)
            .status,
        409
    );
    let answer = home.admin().get(&format!("/credentials?agent={AGENT}")).expect(200);
    let rows = answer["credentials"].as_array().unwrap();
    assert!(rows.iter().all(|row| row["status"] != "valid"), "{answer}");
    // Others work on.
    let credential = issue(home, "Borrower-v1");
    present(home, "Borrower-v1", &credential, second).expect_allowed();
}

fn withdrawn(cluster: &Cluster) {
    let [home, second, third] = &cluster.nodes[..] else {
        panic!("three nodes")
    };
    let credential = issue(home, "Borrower-v1");
    let question = json!({
        "entity_id": home.did, "authority_id": second.did, "action": "call", "resource": "billing_api",
    });
    let asked = |node: &syndic_tests::node::Node| {
        node.public().post("/authorization", &question).expect(200)["authorized"]
            .as_bool()
            .unwrap()
    };
    assert!(asked(second) && asked(third), "{question}");
    let body = json!({"entity": home.did, "action": "call", "resource": "billing_api"});
    let _statement = second.admin().post("/registry/withdraw", &body).expect(200);
    verify(second, &credential).expect_refused("issuer-not-authorized");
    verify(third, &credential).expect_allowed();
    cluster.settle(&[0, 1, 2]);
    assert!(!asked(second) && !asked(third) && !asked(home), "{question}");
}
