//! Keys that change, keys that are stolen, and agents that are suspended: clusters of real nodes.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::time::Duration;

use serde_json::{Value, json};
use syndic_tests::cluster::{Cluster, digest};
use syndic_tests::command;
use syndic_tests::node::Node;
use syndic_tests::scenario::{AGENT, authorize, issue, register, revoke, verify};

const HEARD_WITHIN: Duration = Duration::from_secs(20);

fn syndic(node: &Node, arguments: &[&str]) -> Value {
    let arguments = [arguments, &["--json"]].concat();
    node.syndic(&arguments).expect_success(&arguments.join(" ")).json()
}

/// The key of a log's newest checkpoint, as another node serves it.
fn signatures(node: &Node, organization: &str) -> String {
    let note = node.public().get(&format!("/logs/{organization}/checkpoint"));
    assert_eq!(note.status, 200);
    let lines = note.text();
    let own = lines
        .lines()
        .filter(|line| line.starts_with('\u{2014}') && line.contains(organization));
    own.map(str::to_owned).collect::<Vec<_>>().join("\n")
}

/// How many entries of a log a node holds.
fn size(node: &Node, organization: &str) -> u64 {
    let all = digest(node)["organizations"].as_array().unwrap().clone();
    let one = all.iter().find(|one| one["did"] == organization).unwrap();
    one["size"].as_u64().unwrap()
}

/// The first four bytes of a signature line are the id of the key.
fn key_ids(lines: &str) -> Vec<String> {
    let texts = lines.lines().map(|line| line.rsplit(' ').next().unwrap());
    texts.map(|text| text.get(..5).unwrap().to_owned()).collect()
}

#[test]
fn the_log_key_is_rotated_while_all_run_and_everybody_follows() {
    let mut cluster = Cluster::of(3);
    let did = cluster.nodes[0].did.clone();
    let _agent = register(&cluster.nodes[0], AGENT);
    let credential = issue(&cluster.nodes[0], AGENT);
    authorize(&cluster.nodes[1], &did);
    cluster.settle(&[0, 1, 2]);
    let before = syndic(&cluster.nodes[0], &["key", "list"]);
    let signed_before = key_ids(&signatures(&cluster.nodes[1], &did));
    assert_eq!(before["rotations"], json!([]));
    assert!(before["nextLogKey"].is_string(), "{before}");

    let rotated = syndic(&cluster.nodes[0], &["key", "rotate", "log"]);
    assert_eq!(rotated["previous"], before["logKey"]);
    assert_ne!(rotated["logKey"], before["logKey"]);
    let after = syndic(&cluster.nodes[0], &["key", "list"]);
    assert_eq!(after["logKey"], rotated["logKey"]);
    assert_eq!(after["rotations"].as_array().unwrap().len(), 1);
    assert_ne!(after["nextLogKey"], before["nextLogKey"]);

    // The others follow without being told anything: a revocation under the new key is felt.
    verify(&cluster.nodes[1], &credential).expect_allowed();
    revoke(&cluster.nodes[0], &credential);
    cluster.settle(&[0, 1, 2]);
    verify(&cluster.nodes[1], &credential).expect_refused("revoked");
    let signed_after = key_ids(&signatures(&cluster.nodes[1], &did));
    assert!(
        signed_after.iter().all(|id| !signed_before.contains(id)),
        "{signed_before:?} {signed_after:?}"
    );

    // After a restart the new key signs, and once more after a second rotation; who was away learns both.
    cluster.nodes[2].stop();
    cluster.nodes[0].stop();
    cluster.nodes[0].start();
    let _granted = syndic(
        &cluster.nodes[0],
        &[
            "registry",
            "authorize",
            "--entity",
            &cluster.nodes[1].did,
            "--action",
            "read",
            "--resource",
            "charts",
        ],
    );
    assert_eq!(syndic(&cluster.nodes[0], &["key", "list"])["logKey"], rotated["logKey"]);
    let second = syndic(&cluster.nodes[0], &["key", "rotate", "log"]);
    assert_eq!(second["previous"], rotated["logKey"]);
    cluster.nodes[2].start();
    cluster.settle(&[0, 1, 2]);
    let listed = syndic(&cluster.nodes[0], &["key", "list"]);
    assert_eq!(listed["rotations"].as_array().unwrap().len(), 2);
    for node in &cluster.nodes {
        let forks = node.public().get("/forks").expect(200);
        assert_eq!(forks["forks"], json!([]));
    }
}

/// P20: what the old key signs at a higher size is taken by nobody. Its owner runs from a copy made before the rotation:
/// that is what a thief of the log key can do at most.
#[test]
fn the_old_log_key_signs_nothing_that_counts() {
    let mut cluster = Cluster::of(3);
    let did = cluster.nodes[0].did.clone();
    cluster.nodes[0].stop();
    let (data, stolen) = (cluster.nodes[0].data.clone(), cluster.folder().join("stolen"));
    let copy = |from: &std::path::Path, to: &std::path::Path| {
        let _removed = std::fs::remove_dir_all(to);
        let done = std::process::Command::new("cp")
            .arg("-a")
            .arg(from)
            .arg(to)
            .status()
            .unwrap();
        assert!(done.success());
    };
    copy(&data, &stolen);
    cluster.nodes[0].start();
    let rotated = syndic(&cluster.nodes[0], &["key", "rotate", "log"]);
    cluster.settle(&[0, 1, 2]);
    let held = size(&cluster.nodes[1], &did);

    // The thief writes on in secret, longer than the true log, and then meets the others.
    for index in [0, 1, 2] {
        cluster.nodes[index].stop();
    }
    let honest = cluster.folder().join("honest");
    copy(&data, &honest);
    copy(&stolen, &data);
    cluster.nodes[0].configure("sign_alone = false", "sign_alone = true");
    cluster.nodes[0].start();
    for resource in ["one", "two", "three", "four"] {
        let body = json!({"entity": "did:web:thief.example", "action": "read", "resource": resource});
        let _said = cluster.nodes[0].admin().post("/registry/authorize", &body).expect(200);
    }
    assert!(size(&cluster.nodes[0], &did) > held);
    for index in [1, 2] {
        cluster.nodes[index].start();
    }
    std::thread::sleep(Duration::from_secs(4));
    for node in &cluster.nodes[1..] {
        assert_eq!(size(node, &did), held);
        // Nor is it taken for a second story of the true owner.
        assert_eq!(node.public().get("/forks").expect(200)["forks"], json!([]));
    }

    // The true owner goes on where it was.
    cluster.nodes[0].stop();
    copy(&honest, &data);
    cluster.nodes[0].start();
    let body = json!({"entity": "did:web:partner.example", "action": "read", "resource": "charts"});
    command::eventually("the true log goes on", HEARD_WITHIN, || {
        let said = cluster.nodes[0].admin().post("/registry/authorize", &body);
        if said.status == 200 { Ok(()) } else { Err(said.text()) }
    });
    command::eventually("the others hold it", HEARD_WITHIN, || {
        let sizes: Vec<u64> = cluster.nodes.iter().map(|node| size(node, &did)).collect();
        if sizes.iter().all(|size| *size > held) {
            Ok(())
        } else {
            Err(format!("{sizes:?}"))
        }
    });
    assert_eq!(syndic(&cluster.nodes[0], &["key", "list"])["logKey"], rotated["logKey"]);
}

#[test]
fn what_a_compromised_key_signed_counts_only_if_it_was_anchored_before() {
    let mut cluster = Cluster::of(2);
    let did = cluster.nodes[0].did.clone();
    let _agent = register(&cluster.nodes[0], AGENT);
    authorize(&cluster.nodes[1], &did);
    let loose = issue(&cluster.nodes[0], AGENT);
    cluster.nodes[0].stop();
    cluster.nodes[0].configure("anchor = false", "anchor = true");
    cluster.nodes[0].start();
    cluster.settle(&[0, 1]);
    let before = size(&cluster.nodes[0], &did);
    let anchored = issue(&cluster.nodes[0], AGENT);
    assert_eq!(size(&cluster.nodes[0], &did), before + 1);
    cluster.settle(&[0, 1]);
    for credential in [&loose, &anchored] {
        verify(&cluster.nodes[1], credential).expect_allowed();
    }

    let keys = syndic(&cluster.nodes[0], &["key", "list"]);
    let method = keys["credentialKey"]["verificationMethod"].as_str().unwrap().to_owned();
    let said = syndic(&cluster.nodes[0], &["key", "compromised", &method]);
    assert_eq!(said["known"], true);
    // What the thief signs from now on is anchored too late, even if it gets into the log.
    let late = issue(&cluster.nodes[0], AGENT);
    cluster.settle(&[0, 1]);
    for node in &cluster.nodes {
        verify(node, &loose).expect_refused("key-compromised");
        verify(node, &late).expect_refused("key-compromised");
    }
    verify(&cluster.nodes[1], &anchored).expect_allowed();
    // The first word counts; saying it again adds nothing.
    let again = syndic(&cluster.nodes[0], &["key", "compromised", &method]);
    assert_eq!(again["statement"], said["statement"]);
    let misspelt = syndic(&cluster.nodes[0], &["key", "compromised", &format!("{did}#nothing")]);
    assert_eq!(misspelt["known"], false);
    let nonsense = cluster.nodes[0].syndic(&["key", "compromised", "nonsense"]);
    assert_eq!(nonsense.code, Some(1));
}

#[test]
fn a_suspended_agent_is_refused_until_it_is_resumed() {
    let cluster = Cluster::of(2);
    let agent = register(&cluster.nodes[0], AGENT);
    let credential = issue(&cluster.nodes[0], AGENT);
    authorize(&cluster.nodes[1], &cluster.nodes[0].did);
    cluster.settle(&[0, 1]);
    verify(&cluster.nodes[1], &credential).expect_allowed();

    let suspended = syndic(&cluster.nodes[0], &["agent", "suspend", AGENT]);
    assert!(suspended["agent"]["suspended"].is_string(), "{suspended}");
    let again = syndic(&cluster.nodes[0], &["agent", "suspend", &agent]);
    assert_eq!(again["agent"]["suspended"], suspended["agent"]["suspended"]);
    cluster.settle(&[0, 1]);
    verify(&cluster.nodes[1], &credential).expect_refused("agent-suspended");
    let body = json!({"capability": [{"action": "read", "resource": "charts"}]});
    let refused = cluster.nodes[0]
        .admin()
        .post(&format!("/agents/{AGENT}/credentials"), &body);
    assert_eq!(refused.status, 409, "{}", refused.text());

    let resumed = syndic(&cluster.nodes[0], &["agent", "resume", AGENT]);
    assert_eq!(resumed["agent"]["suspended"], Value::Null);
    cluster.settle(&[0, 1]);
    verify(&cluster.nodes[1], &credential).expect_allowed();
}

#[test]
fn a_trust_bundle_is_read_where_it_was_not_published() {
    let cluster = Cluster::of(2);
    let did = cluster.nodes[0].did.clone();
    let domain = "spiffe://st-mary.example";
    let file = cluster.folder().join("bundle.json");
    for sequence in [1, 2] {
        let bundle = json!({"keys": [{"kty": "OKP", "crv": "Ed25519", "x": "AAAA", "use": "jwt-svid"}], "spiffe_sequence": sequence});
        std::fs::write(&file, bundle.to_string()).unwrap();
        let path = file.display().to_string();
        let _said = syndic(
            &cluster.nodes[0],
            &["bundle", "publish", &path, "--domain", domain, "--format", "spiffe"],
        );
        cluster.settle(&[0, 1]);
        let show = ["bundle", "show", "--organization", &did, "--domain", domain];
        assert_eq!(syndic(&cluster.nodes[1], &show), bundle);
    }
    let path = file.display().to_string();
    let refused = cluster.nodes[0].syndic(&["bundle", "publish", &path, "--domain", "urn:x", "--format", "spiffe"]);
    assert_eq!(refused.code, Some(1));
    let none = cluster.nodes[1].syndic(&[
        "bundle",
        "show",
        "--organization",
        &did,
        "--domain",
        "spiffe://other.example",
    ]);
    assert_eq!(none.code, Some(1));
}

#[test]
fn the_registry_is_asked_about_the_past() {
    let cluster = Cluster::of(2);
    let (authority, entity) = (cluster.nodes[1].did.clone(), cluster.nodes[0].did.clone());
    let body = json!({"entity": entity, "action": "read", "resource": "charts/*"});
    let node = &cluster.nodes[1];
    let ask = |time: Option<&str>| {
        let mut question =
            json!({"entity_id": entity, "authority_id": authority, "action": "read", "resource": "charts/7"});
        if let Some(time) = time {
            question["context"] = json!({"time": time});
        }
        node.public().post("/authorization", &question).expect(200)
    };
    let _said = node.admin().post("/registry/authorize", &body).expect(200);
    let granted = ask(None);
    assert_eq!(granted["authorized"], true);
    let then = granted["time_evaluated"].as_str().unwrap().to_owned();
    std::thread::sleep(Duration::from_millis(2_100));
    let _said = node.admin().post("/registry/withdraw", &body).expect(200);
    assert_eq!(ask(None)["authorized"], false);
    // Then it was granted, by what had been said; before it was said it was not.
    assert_eq!(ask(Some(&then))["authorized"], true);
    assert_eq!(ask(Some("2020-01-01T00:00:00Z"))["authorized"], false);
}
