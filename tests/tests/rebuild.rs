//! `syndic rebuild`: a node whose store is gone, with its keys, and what nobody may sign meanwhile.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};
use syndic_tests::cluster::Cluster;
use syndic_tests::command::{self, Finished};
use syndic_tests::node::{Node, PASSPHRASE};
use syndic_tests::program::syndic;
use syndic_tests::scenario::{authorize, issue, register, revoke, verify};

const PATIENCE: Duration = Duration::from_secs(120);
const AGENT: &str = "Reader-v1.0";

fn rebuild(node: &Node, charter: &Path, more: &[&str]) -> Finished {
    let mut command = Command::new(syndic());
    command
        .args(["rebuild", "--json"])
        .arg(charter)
        .arg("--data")
        .arg(&node.data);
    command.args(more).env("SYNDIC_PASSPHRASE", PASSPHRASE);
    command::run(&mut command, PATIENCE)
}

fn speak(node: &Node, resource: &str) {
    let body = json!({"entity": "did:web:partner.example", "action": "read", "resource": resource});
    let _statement = node.admin().post("/registry/authorize", &body).expect(200);
}

fn forks(node: &Node) -> Value {
    node.public().get("/forks").expect(200)["forks"].clone()
}

/// What a node has of an organization's log.
fn size(node: &Node, did: &str) -> u64 {
    let checkpoint = node.public().get(&format!("/logs/{did}/checkpoint"));
    assert_eq!(checkpoint.status, 200, "{}", checkpoint.text());
    checkpoint.text().lines().nth(1).unwrap().parse().unwrap()
}

#[test]
fn a_node_that_lost_its_store_fetches_it_and_goes_on_where_it_was() {
    let mut cluster = Cluster::of(3);
    let did = cluster.nodes[0].did.clone();
    let _agent = register(&cluster.nodes[0], AGENT);
    let credential = issue(&cluster.nodes[0], AGENT);
    let other = issue(&cluster.nodes[0], AGENT);
    for verifier in [1, 2] {
        authorize(&cluster.nodes[verifier], &did);
    }
    revoke(&cluster.nodes[0], &credential);
    cluster.settle(&[0, 1, 2]);
    let before = size(&cluster.nodes[0], &did);
    cluster.nodes[0].stop();
    let charter = cluster.charter.clone();

    // While it runs elsewhere, or without a store of its own, nothing is rebuilt or signed behind its back.
    let refused = rebuild(&cluster.nodes[1], &charter, &[]);
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert!(refused.stderr.contains("in use"), "{refused:?}");
    std::fs::remove_dir_all(cluster.nodes[0].data.join("store")).unwrap();

    let report = rebuild(&cluster.nodes[0], &charter, &[])
        .expect_success("syndic rebuild")
        .json();
    assert_eq!(report["logs"][did.as_str()], before, "{report}");
    assert_eq!(report["answered"].as_array().unwrap().len(), 2, "{report}");
    assert_eq!(report["carriedOver"], 0);
    assert!(report.get("oldStore").is_none());
    assert!(
        report["gone"]
            .as_array()
            .unwrap()
            .iter()
            .any(|line| line.as_str().unwrap().contains("secret keys"))
    );

    cluster.nodes[0].start();
    cluster.settle(&[0, 1, 2]);
    speak(&cluster.nodes[0], "goes/on");
    cluster.settle(&[0, 1, 2]);
    for node in &cluster.nodes {
        assert_eq!(size(node, &did), before + 1);
        assert_eq!(forks(node), json!([]));
    }
    verify(&cluster.nodes[1], &credential).expect_refused("revoked");
    verify(&cluster.nodes[1], &other).expect_allowed();

    // A store that is there but not believed: it is kept, and what it knew of the agents is carried over.
    let _agent = register(&cluster.nodes[1], "Writer-v1.0");
    cluster.settle(&[0, 1, 2]);
    let before = size(&cluster.nodes[1], &cluster.nodes[1].did);
    cluster.nodes[1].stop();
    let report = rebuild(&cluster.nodes[1], &charter, &[])
        .expect_success("with a store")
        .json();
    assert_eq!(report["logs"][cluster.nodes[1].did.as_str()], before);
    assert!(report["carriedOver"].as_u64().unwrap() > 0, "{report}");
    assert_eq!(report["damaged"], 0);
    assert!(Path::new(report["oldStore"].as_str().unwrap()).is_dir());
    cluster.nodes[1].start();
    cluster.settle(&[0, 1, 2]);
    let _credential = issue(&cluster.nodes[1], "Writer-v1.0");
    cluster.settle(&[0, 1, 2]);
    for node in &cluster.nodes {
        assert_eq!(forks(node), json!([]));
    }
}

#[test]
fn where_nobody_answers_nothing_is_rebuilt_and_nothing_signed() {
    let mut cluster = Cluster::of(3);
    let did = cluster.nodes[0].did.clone();
    speak(&cluster.nodes[0], "said");
    cluster.settle(&[0, 1, 2]);
    let before = size(&cluster.nodes[1], &did);
    for node in &mut cluster.nodes {
        node.stop();
    }
    let data = cluster.nodes[0].data.clone();
    std::fs::remove_dir_all(data.join("store")).unwrap();
    let charter = cluster.charter.clone();
    let refused = rebuild(&cluster.nodes[0], &charter, &["--timeout", "3s"]);
    assert_eq!(refused.code, Some(5), "{refused:?}");

    // There is no store, so it does not even run; with an empty one of its own making it runs, and signs nothing.
    assert!(cluster.nodes[0].try_start().is_err());
    let joined = cluster.nodes[0].syndic(&["join", &charter.display().to_string()]);
    let _joined = joined.expect_success("syndic join");
    cluster.nodes[0].spawn();
    command::eventually("it runs", PATIENCE, || {
        match cluster.nodes[0].public().try_get("/healthz") {
            Ok(answer) if answer.status == 200 => Ok(()),
            other => Err(format!("{other:?}")),
        }
    });
    let body = json!({"entity": "did:web:partner.example", "action": "read", "resource": "alone"});
    let refused = cluster.nodes[0].admin().post("/registry/authorize", &body);
    assert_eq!(refused.status, 503, "{}", refused.text());
    cluster.nodes[0].stop();

    // Once somebody is there, it can be rebuilt.
    cluster.nodes[1].start();
    let report = rebuild(&cluster.nodes[0], &charter, &[])
        .expect_success("with one other member")
        .json();
    assert_eq!(report["logs"][did.as_str()], before);
    assert_eq!(report["answered"], json!([cluster.nodes[1].did]));
    cluster.nodes[0].start();
    speak(&cluster.nodes[0], "goes/on");
    cluster.settle(&[0, 1]);
    assert_eq!(size(&cluster.nodes[1], &did), before + 1);
    assert_eq!(forks(&cluster.nodes[1]), json!([]));

    // What only the old store knows was said all the same: who signed after less would tell two stories.
    cluster.nodes[1].stop();
    speak(&cluster.nodes[0], "unheard");
    cluster.nodes[0].stop();
    cluster.nodes[1].start();
    let refused = rebuild(&cluster.nodes[0], &charter, &[]);
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert!(refused.stderr.contains("old store has"), "{refused:?}");
    cluster.nodes[0].start();
    cluster.settle(&[0, 1]);
    assert_eq!(size(&cluster.nodes[1], &did), before + 2);
}
