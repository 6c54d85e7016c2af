//! A `did:webvh` of an organization from its making to its end, between two nodes: what it signed is accepted before,
//! during and after a change of keys, until the old key is retired.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use serde_json::{Value, json};
use syndic_registry::statement::AgentSucceeded;
use syndic_tests::cluster::Cluster;
use syndic_tests::http::Answer;
use syndic_tests::node::Node;
use syndic_tests::scenario::{
    AGENT, OWNER, act, action, authorize, capabilities, challenge, issue, present, presentation, refund, register,
    revoke, verify,
};
use syndic_vc::did::Did;
use syndic_vc::did_key;
use syndic_vc::key::SecretKey;
use syndic_vc::time::Timestamp;

fn create(node: &Node, name: &str) -> String {
    let body = json!({"name": name, "host": "st-mary.example"});
    let answer = node.admin().post("/dids", &body).expect(201);
    answer["did"]["did"].as_str().unwrap().to_owned()
}

fn change(node: &Node, did: &str, what: &str, body: &Value) -> Value {
    node.admin().post(&format!("/dids/{did}/{what}"), body).expect(200)["did"].clone()
}

fn log(node: &Node, name: &str) -> String {
    let answer = node.public().get(&format!("/dids/{name}/did.jsonl"));
    assert_eq!((answer.status, answer.content_type.as_str()), (200, "text/jsonl"));
    String::from_utf8(answer.body).unwrap()
}

fn resolve_text(node: &Node, did: &str, log: &str, options: &Value) -> Answer {
    let body = json!({"did": did, "log": log, "options": options});
    node.public().post("/1.0/webvh/resolve-log", &body)
}

/// A capability credential that the organization signs under its `did:webvh`.
fn issue_as(node: &Node, issuer: &str, agent: &str) -> Value {
    let (from, until) = ("2026-01-01T00:00:00Z", "2099-01-01T00:00:00Z");
    let mut credential = json!({
        "@context": ["https://www.w3.org/ns/credentials/v2", "https://syndic.example/ns/capability/v1"],
        "type": ["VerifiableCredential", "AgentCapabilityCredential"],
        "issuer": issuer,
        "validFrom": from,
        "validUntil": until,
        "credentialSubject": {
            "id": agent, "name": AGENT, "owner": {"id": OWNER}, "capability": capabilities(),
        },
    });
    // The dates and the context are those that the node itself gives.
    let model = node
        .admin()
        .post(
            &format!("/agents/{AGENT}/credentials"),
            &json!({"capability": capabilities()}),
        )
        .expect(201)["verifiableCredential"]
        .clone();
    for member in ["@context", "validFrom", "validUntil"] {
        credential[member] = model[member].clone();
    }
    let answer = node
        .admin()
        .post("/credentials/issue", &json!({"credential": credential}));
    answer.expect(201)["verifiableCredential"].clone()
}

#[test]
fn keys_change_without_a_gap_and_the_did_ends() {
    let cluster = Cluster::of(2);
    let [home, other] = &cluster.nodes[..] else {
        panic!("two nodes")
    };
    let agent = register(home, AGENT);
    let did = create(home, "desk");
    assert!(
        did.starts_with("did:webvh:Qm") && did.ends_with(":st-mary.example:dids:desk"),
        "{did}"
    );
    let before = issue_as(home, &did, &agent);
    authorize(other, &home.did);
    cluster.settle(&[0, 1]);

    let path = format!("/1.0/identifiers/{did}");
    assert_eq!(other.public().get(&path).expect(200)["didDocument"]["id"], did.as_str());
    verify(home, &before).expect_allowed();
    verify(other, &before).expect_allowed();

    let rotated = change(home, &did, "rotate", &json!({}));
    assert_eq!(
        (rotated["versions"].as_u64(), rotated["keys"].as_array().unwrap().len()),
        (Some(2), 2)
    );
    let after = issue_as(home, &did, &agent);
    assert_ne!(
        before["proof"]["verificationMethod"],
        after["proof"]["verificationMethod"]
    );
    cluster.settle(&[0, 1]);
    for credential in [&before, &after] {
        verify(other, credential).expect_allowed();
    }

    let _retired = change(home, &did, "update", &json!({"retirePreviousKeys": true}));
    cluster.settle(&[0, 1]);
    verify(other, &before).expect_refused("verification-method-unknown");
    verify(other, &after).expect_allowed();
    served(home, other, &did);

    let ended = change(home, &did, "deactivate", &json!({}));
    assert_eq!(ended["deactivated"], true);
    cluster.settle(&[0, 1]);
    assert_eq!(other.public().get(&path).status, 410);
    assert_eq!(resolve_text(other, &did, &log(home, "desk"), &json!({})).status, 410);
    assert_eq!(home.public().get("/dids/desk/did.json").status, 410);
    verify(other, &after).expect_refused("verification-method-unresolved");
    assert_eq!(
        home.admin().post(&format!("/dids/{did}/rotate"), &json!({})).status,
        409
    );
}

/// The files, as text resolved elsewhere, by HTTP and by the command line.
fn served(home: &Node, other: &Node, did: &str) {
    let text = log(home, "desk");
    let newest = resolve_text(other, did, &text, &json!({})).expect(200);
    assert_eq!(newest["didDocumentMetadata"]["versionNumber"], 3);
    let first = resolve_text(other, did, &text, &json!({"versionNumber": 1})).expect(200);
    assert_eq!(first["didDocumentMetadata"]["versionNumber"], 1);
    assert_eq!(
        resolve_text(other, did, &text, &json!({"versionNumber": 4})).status,
        404
    );
    assert_eq!(
        resolve_text(other, did, &text, &json!({"versionNumber": "x"})).status,
        400
    );
    let forged = text.replace("st-mary.example", "st-mary.exampie");
    let refused = resolve_text(other, did, &forged, &json!({}));
    assert_eq!(refused.status, 400);
    assert!(refused.json()["didDocument"].is_null());

    let web = home.public().get("/dids/desk/did.json").expect(200);
    assert_eq!(web["id"], "did:web:st-mary.example:dids:desk");
    assert!(web["alsoKnownAs"].as_array().unwrap().contains(&json!(did)));
    assert_eq!(home.public().get("/dids/nobody/did.jsonl").status, 404);
    assert_eq!(home.public().get("/.well-known/did.jsonl").status, 404);

    let file = home.data.join("did.jsonl");
    std::fs::write(&file, &text).unwrap();
    let file = file.to_str().unwrap();
    let shown = home.syndic(&["webvh", "resolve", "--json", "--log", file, did]);
    assert_eq!(shown.expect_success("webvh resolve").json(), newest);
    std::fs::write(file, forged).unwrap();
    assert_eq!(home.syndic(&["webvh", "resolve", "--log", file, did]).code, Some(1));
}

#[test]
fn what_cannot_be_a_did_is_refused() {
    let cluster = Cluster::of(1);
    let [home] = &cluster.nodes[..] else { panic!("one node") };
    let _did = create(home, "desk");
    let refused = [
        (json!({"name": "desk", "host": "st-mary.example"}), 409),
        // The public URL of this node is an address.
        (json!({"name": "other"}), 400),
        (json!({"name": "../x", "host": "st-mary.example"}), 400),
        (json!({"name": "x", "host": "127.0.0.1"}), 400),
        (json!({"name": "x", "host": "st-mary.example", "portabel": true}), 400),
        (json!({"name": "x", "host": "st-mary.example", "service": {}}), 400),
    ];
    for (body, status) in refused {
        assert_eq!(home.admin().post("/dids", &body).status, status, "{body}");
    }
    assert_eq!(home.admin().post("/dids/did:web:x/rotate", &json!({})).status, 404);
    assert_eq!(home.public().post("/dids", &json!({})).status, 404);
    let listed = home.admin().get("/dids").expect(200);
    assert_eq!(listed["dids"].as_array().unwrap().len(), 1);
}

/// An agent under a `did:webvh`: what it signs is accepted across a change of its keys, and not after its retirement.
#[test]
fn an_agent_keeps_its_did_when_its_keys_change() {
    let cluster = Cluster::of(2);
    let [home, other] = &cluster.nodes[..] else {
        panic!("two nodes")
    };
    let body = json!({"name": "support", "host": "st-mary.example", "forAgent": true});
    let made = home.admin().post("/dids", &body).expect(201);
    let did = made["did"]["did"].as_str().unwrap();
    let body = json!({"name": AGENT, "owner": {"id": OWNER, "name": "Dana Reyes"}, "did": did});
    let agent = home.admin().post("/agents", &body).expect(201);
    assert_eq!(agent["agent"]["keyHeldBy"], "node");
    let credential = issue(home, AGENT);
    assert_eq!(credential["credentialSubject"]["id"], did);
    authorize(other, &home.did);
    cluster.settle(&[0, 1]);
    present(home, AGENT, &credential, other).expect_allowed();
    act(home, AGENT, &credential, other, &refund("10.00")).expect_allowed();

    let early = action(home, AGENT, &credential, other, &refund("20.00"));
    let _rotated = change(home, did, "rotate", &json!({}));
    cluster.settle(&[0, 1]);
    other.public().post("/actions/verify", &early).expect_allowed();
    act(home, AGENT, &credential, other, &refund("30.00")).expect_allowed();
    // The DID is the agent's and lends it nothing of the organization.
    let forged = json!({"credential": {
        "@context": ["https://www.w3.org/ns/credentials/v2"], "type": ["VerifiableCredential"], "issuer": did,
        "credentialSubject": {"id": did},
    }});
    let issued = home.admin().post("/credentials/issue", &forged);
    if issued.status == 201 {
        verify(other, &issued.json()["verifiableCredential"]).expect_refused("issuer-unknown");
    }
    let _retired = home
        .admin()
        .post(&format!("/agents/{AGENT}/retire"), &json!({}))
        .expect(200);
    cluster.settle(&[0, 1]);
    let body = json!({"credentials": [credential], "challenge": "c", "domain": other.did});
    assert_eq!(
        home.admin()
            .post(&format!("/agents/{AGENT}/presentations"), &body)
            .status,
        409
    );
}

/// For how many seconds an agent and its successor both work in the test below: enough for a slow machine to ask in
/// between, since the test waits for its end.
const OVERLAP_SECONDS: u64 = 20;

/// Presents a credential that was issued again at a verifier.
fn presented(home: &Node, id: &Value, verifier: &Node) -> Answer {
    present(home, AGENT, &reissued(home, id), verifier)
}

/// An agent under a `did:key` gets a new key under a new DID: the other organization accepts the old one before and
/// during the overlap, the new one from the beginning, and the old one no longer.
#[test]
fn an_agent_is_succeeded_without_a_gap() {
    let cluster = Cluster::of(2);
    let [home, other] = &cluster.nodes[..] else {
        panic!("two nodes")
    };
    let old = register(home, AGENT);
    let (credential, revoked) = (issue(home, AGENT), issue(home, AGENT));
    revoke(home, &revoked);
    authorize(other, &home.did);
    cluster.settle(&[0, 1]);
    present(home, AGENT, &credential, other).expect_allowed();

    let overlap = OVERLAP_SECONDS.to_string();
    let shown = home.syndic(&["agent", "succeed", AGENT, "--overlap", &overlap, "--json"]);
    let begun = std::time::Instant::now();
    let done = shown.expect_success("agent succeed").json();
    let new = done["agent"]["did"].as_str().unwrap();
    assert_ne!(new, old);
    assert_eq!(done["agent"]["name"], AGENT);
    assert_eq!(done["predecessor"]["successor"]["did"], new);
    // What was valid is issued again, and nothing else.
    let again = done["credentials"].as_array().unwrap();
    assert_eq!(again.len(), 1);
    assert_eq!(again[0]["replaces"], credential["id"]);
    let id = &again[0]["id"];
    assert_eq!(
        home.admin().get(&format!("/agents/{AGENT}")).expect(200)["agent"]["did"],
        new
    );
    cluster.settle(&[0, 1]);
    present(home, &old, &credential, other).expect_allowed();
    presented(home, id, other).expect_allowed();
    let early = presentation_of(home, &old, &credential, other);
    // A second succession of the same agent, and one of what is not there.
    for (agent, status) in [(old.as_str(), 409), ("nobody", 404)] {
        assert_eq!(
            home.admin()
                .post(&format!("/agents/{agent}/succeed"), &json!({}))
                .status,
            status
        );
    }

    let left = (OVERLAP_SECONDS + 1).saturating_sub(begun.elapsed().as_secs());
    std::thread::sleep(std::time::Duration::from_secs(left));
    other
        .public()
        .post("/presentations/verify", &early)
        .expect_refused("agent-retired");
    verify(other, &credential).expect_refused("agent-retired");
    presented(home, id, other).expect_allowed();
    act(home, AGENT, &reissued(home, id), other, &refund("10.00")).expect_allowed();
    let body = json!({"credentials": [credential], "challenge": "c", "domain": other.did});
    let late = home.admin().post(&format!("/agents/{old}/presentations"), &body);
    assert_eq!(late.status, 409);
    let listed = home.admin().get(&format!("/agents/{old}")).expect(200);
    assert_eq!(listed["agent"]["retired"], listed["agent"]["successor"]["until"]);
}

fn reissued(home: &Node, id: &Value) -> Value {
    let answer = home.admin().get(&format!("/credentials/{}", id.as_str().unwrap()));
    answer.expect(200)["verifiableCredential"].clone()
}

fn presentation_of(home: &Node, agent: &str, credential: &Value, verifier: &Node) -> Value {
    let (challenge, domain) = challenge(verifier);
    presentation(home, agent, credential, &challenge, &domain)
}

/// An agent that holds its own key signs its succession itself; what another key signed changes nothing.
#[test]
fn an_agent_with_its_own_key_names_its_successor() {
    let cluster = Cluster::of(1);
    let [home] = &cluster.nodes[..] else { panic!("one node") };
    let key = |seed: u8| SecretKey::from_seed([seed; 32].into());
    let did = |seed: u8| did_key::for_key(key(seed).public_key());
    let body = json!({"name": AGENT, "owner": {"id": OWNER}, "did": did(1).as_str()});
    let _agent = home.admin().post("/agents", &body).expect(201);
    let _credential = issue(home, AGENT);
    let seconds = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap()
        .as_secs();
    let until = Timestamp::from_unix_seconds(i64::try_from(seconds).unwrap() + 600).unwrap();
    let organization = Did::parse(&home.did).unwrap();
    let signed = |organization: &Did, seed: u8| {
        let said = AgentSucceeded::sign(organization, &did(1), &did(2), until, &key(seed)).unwrap();
        json!({"did": did(2).as_str(), "until": until.to_string(), "proof": said.proof})
    };
    let path = format!("/agents/{AGENT}/succeed");
    let good = signed(&organization, 1);
    let mut later = good.clone();
    later["until"] = Timestamp::from_unix_seconds(until.unix_seconds() + 1)
        .unwrap()
        .to_string()
        .into();
    let mut past = good.clone();
    past["until"] = "2020-01-01T00:00:00Z".into();
    let mut both = good.clone();
    both["overlapSeconds"] = 60.into();
    let refused = [
        signed(&organization, 2),
        signed(&did(3), 1),
        later,
        past,
        both,
        json!({"overlapSeconds": 60}),
    ];
    for body in refused {
        assert_eq!(home.admin().post(&path, &body).status, 400, "{body}");
    }
    let done = home.admin().post(&path, &good).expect(201);
    assert_eq!(done["agent"]["did"], did(2).as_str());
    assert_eq!(
        (
            &done["agent"]["keyHeldBy"],
            done["credentials"].as_array().unwrap().len()
        ),
        (&json!("agent"), 1)
    );
    // The name is the successor's, and ending it ends both.
    let retired = home
        .admin()
        .post(&format!("/agents/{AGENT}/retire"), &json!({}))
        .expect(200);
    assert_eq!(retired["agent"]["did"], did(2).as_str());
    let old = home.admin().get(&format!("/agents/{}", did(1))).expect(200);
    assert!(old["agent"]["retired"].is_string());
}

/// An agent that asks for a `did:webvh` when it is registered gets one of this node.
#[test]
fn an_agent_is_registered_under_a_webvh_in_one_call() {
    let cluster = Cluster::of(1);
    let [home] = &cluster.nodes[..] else { panic!("one node") };
    let body =
        json!({"name": "triage-agent", "owner": {"id": OWNER}, "method": "did:webvh", "host": "st-mary.example"});
    let made = home.admin().post("/agents", &body).expect(201);
    let did = made["agent"]["did"].as_str().unwrap();
    assert!(
        did.starts_with("did:webvh:Qm") && did.ends_with(":st-mary.example:dids:triage-agent"),
        "{did}"
    );
    assert_eq!(issue(home, "triage-agent")["credentialSubject"]["id"], did);
    assert_eq!(home.admin().post("/agents", &body).status, 409);
    // The DID is the agent's, so it is rotated and not succeeded.
    assert_eq!(
        home.admin().post("/agents/triage-agent/succeed", &json!({})).status,
        400
    );
    for wrong in [
        json!({"name": "b", "owner": {"id": OWNER}, "method": "did:web"}),
        json!({"name": "b", "owner": {"id": OWNER}, "method": "did:key", "host": "st-mary.example"}),
        json!({"name": "b", "owner": {"id": OWNER}, "method": "did:webvh", "did": did}),
    ] {
        assert_eq!(home.admin().post("/agents", &wrong).status, 400, "{wrong}");
    }
    let plain = json!({"name": "b", "owner": {"id": OWNER}, "method": "did:key"});
    let plain = home.admin().post("/agents", &plain).expect(201);
    assert!(plain["agent"]["did"].as_str().unwrap().starts_with("did:key:z6Mk"));
}
