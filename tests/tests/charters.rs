//! Who is in a consortium changes while its nodes run: one is admitted, one removed, and two charters that contradict each
//! other are noticed by everybody.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout
)]

use std::path::PathBuf;
use std::time::{Duration, Instant};

use serde_json::Value;
use syndic_tests::cluster::Cluster;
use syndic_tests::command;
use syndic_tests::node::{self, Node};
use syndic_tests::scenario::{AGENT, agree, authorize, charter, issue, publish_charter, register, verify};

/// Comparisons are a second apart in a cluster of tests; the rest is for a loaded machine.
const HEARD_WITHIN: Duration = Duration::from_secs(30);

/// What a command says that fails.
fn refusal(node: &Node, arguments: &[&str]) -> String {
    let finished = node.syndic(arguments);
    assert_eq!(
        finished.code,
        Some(1),
        "{arguments:?}: {}{}",
        finished.stdout,
        finished.stderr
    );
    finished.stderr
}

fn agreed(cluster: &Cluster, name: &str, change: &[&str], by: &[&Node]) -> PathBuf {
    let path = cluster.folder().join(name);
    agree(&path, change, by);
    path
}

/// Peer ids that a node is connected to.
fn connected(node: &Node) -> Vec<Value> {
    let status = node.admin().get("/status").expect(200);
    status["peer"]["connected"].as_array().unwrap().clone()
}

fn peer_id(node: &Node) -> Value {
    node.admin().get("/status").expect(200)["peer"]["id"].clone()
}

fn wait_for_version(nodes: &[&Node], version: u64) {
    command::eventually("all act on the charter", HEARD_WITHIN, || {
        let versions: Vec<Value> = nodes
            .iter()
            .map(|node| charter(node, &["show"])["version"].clone())
            .collect();
        if versions.iter().all(|found| *found == version) {
            Ok(())
        } else {
            Err(format!("{versions:?}, not {version}"))
        }
    });
}

#[test]
fn members_come_and_go_while_the_nodes_run() {
    let mut cluster = Cluster::of(3);
    let newcomer = Node::init(&cluster.folder().join("fourth"), "Hillcrest", node::DEFAULT_ENGINE);
    newcomer.configure("requests_per_second = 50", "requests_per_second = 100000");
    newcomer.configure("anti_entropy_seconds = 5", "anti_entropy_seconds = 1");
    let card = newcomer.data.join("member.json").display().to_string();
    let _agent = register(&cluster.nodes[0], AGENT);
    let credential = issue(&cluster.nodes[0], AGENT);

    // One signature is not enough, nor is it without the newcomer's own.
    let proposal = agreed(&cluster, "admission.json", &["--add", &card], &[&cluster.nodes[0]]);
    let file = proposal.display().to_string();
    let refused = refusal(&cluster.nodes[0], &["charter", "publish", &file]);
    assert!(refused.contains("signed by 1 members"), "{refused}");
    let _signed = charter(&cluster.nodes[1], &["sign", &file]);
    let refused = refusal(&cluster.nodes[0], &["charter", "publish", &file]);
    assert!(refused.contains("did not sign"), "{refused}");
    let _signed = charter(&newcomer, &["sign", &file]);
    publish_charter(&cluster.nodes[0], &proposal);
    wait_for_version(&cluster.nodes.iter().collect::<Vec<_>>(), 2);

    // The invitation is all that it needs.
    let invitation = cluster.folder().join("invitation.json").display().to_string();
    let _shown = charter(&cluster.nodes[2], &["show", "--out", &invitation]);
    let _joined = newcomer.syndic(&["join", &invitation]).expect_success("join");
    cluster.nodes.push(newcomer);
    cluster.nodes[3].start();
    cluster.settle(&[0, 1, 2, 3]);
    let issuer = cluster.nodes[0].did.clone();
    authorize(&cluster.nodes[3], &issuer);
    authorize(&cluster.nodes[1], &issuer);
    verify(&cluster.nodes[3], &credential).expect_allowed();
    verify(&cluster.nodes[1], &credential).expect_allowed();

    // The issuer is removed, by three of four, and refused at once.
    let by = [&cluster.nodes[1], &cluster.nodes[2], &cluster.nodes[3]];
    let proposal = agreed(&cluster, "removal.json", &["--remove", issuer.as_str()], &by);
    let outcast = peer_id(&cluster.nodes[0]);
    assert!(connected(&cluster.nodes[3]).contains(&outcast));
    publish_charter(&cluster.nodes[1], &proposal);
    let published = Instant::now();
    verify(&cluster.nodes[1], &credential).expect_refused("issuer-removed");
    println!("refused where it was published after {:?}", published.elapsed());
    wait_for_version(&by, 3);
    println!("in force at all three after {:?}", published.elapsed());
    for node in by {
        verify(node, &credential).expect_refused("issuer-removed");
    }
    cluster.settle(&[1, 2, 3]);
    // It runs and goes on trying, and nobody lets it in.
    command::eventually("nobody is connected to who was removed", HEARD_WITHIN, || {
        match by.iter().find(|node| connected(node).contains(&outcast)) {
            None => Ok(()),
            Some(node) => Err(format!("{} is", node.did)),
        }
    });
    // The others go on without it.
    let _agent = register(&cluster.nodes[1], "Another");
    let another = issue(&cluster.nodes[1], "Another");
    authorize(&cluster.nodes[3], &cluster.nodes[1].did);
    cluster.settle(&[1, 2, 3]);
    verify(&cluster.nodes[3], &another).expect_allowed();
    assert!(!connected(&cluster.nodes[3]).contains(&outcast));
    // Also after a restart.
    cluster.nodes[3].stop();
    cluster.nodes[3].start();
    verify(&cluster.nodes[3], &credential).expect_refused("issuer-removed");

    // Who was removed is told so by the file, at the latest.
    cluster.nodes[0].stop();
    let chain = cluster.folder().join("chain.json").display().to_string();
    let _shown = charter(&cluster.nodes[1], &["show", "--out", &chain]);
    let refused = refusal(&cluster.nodes[0], &["join", &chain]);
    assert!(refused.contains("does not name this organization"), "{refused}");
}

#[test]
fn two_charters_that_contradict_each_other_are_noticed_by_all() {
    let mut cluster = Cluster::of(3);
    let nodes: Vec<&Node> = cluster.nodes.iter().collect();
    let one = agreed(&cluster, "one.json", &["--max-staleness", "60"], &nodes[..2]);
    let path = cluster.folder().join("other.json").display().to_string();
    let _proposed = charter(nodes[1], &["propose", "--out", &path, "--max-staleness", "90"]);
    // Nobody signs two by mistake.
    let refused = refusal(nodes[1], &["charter", "sign", &path]);
    assert!(refused.contains("has signed another version 2"), "{refused}");
    let _signed = charter(nodes[1], &["sign", "--again", &path]);
    let _signed = charter(nodes[2], &["sign", &path]);

    // Each comes into force where the other is not known.
    cluster.nodes[2].stop();
    publish_charter(&cluster.nodes[0], &one);
    wait_for_version(&[&cluster.nodes[0], &cluster.nodes[1]], 2);
    cluster.nodes[0].stop();
    cluster.nodes[1].stop();
    cluster.nodes[2].start();
    publish_charter(&cluster.nodes[2], std::path::Path::new(&path));
    for node in [0, 1] {
        cluster.nodes[node].start();
    }
    command::eventually("all know of the conflict", HEARD_WITHIN, || {
        let shown: Vec<Value> = cluster.nodes.iter().map(|node| charter(node, &["show"])).collect();
        let known = |shown: &Value| shown["conflict"] == true && shown["version"] == 1;
        if shown.iter().all(known) {
            Ok(())
        } else {
            Err(format!("{shown:#?}"))
        }
    });
    for node in &cluster.nodes {
        let status = node.admin().get("/status").expect(200);
        let warning = status["warnings"][0].as_str().unwrap();
        assert!(warning.starts_with("CHARTER CONFLICT"), "{warning}");
        assert!(warning.contains(cluster.nodes[1].did.as_str()), "{warning}");
        let ready = node.public().get("/readyz").expect(200);
        assert_eq!(ready["warnings"][0], warning);
    }
    // It stays so, and offline too.
    cluster.nodes[0].stop();
    cluster.nodes[0].start();
    assert_eq!(charter(&cluster.nodes[0], &["show"])["conflict"], true);
}

#[test]
fn a_member_is_given_another_card() {
    let mut cluster = Cluster::of(3);
    let did = cluster.nodes[2].did.clone();
    let _agent = register(&cluster.nodes[2], AGENT);
    let credential = issue(&cluster.nodes[2], AGENT);
    authorize(&cluster.nodes[0], &did);
    cluster.settle(&[0, 1, 2]);
    // It is reached by another way, too.
    cluster.nodes[2].stop();
    let before = charter(&cluster.nodes[0], &["show"])["hash"].clone();
    cluster.nodes[2].configure("advertise = [", "advertise = [\"/ip4/127.0.0.1/tcp/9\", ");
    let card = cluster.nodes[2].data.join("member.json").display().to_string();
    let _card = charter(&cluster.nodes[2], &["card", "--out", &card]);
    cluster.nodes[2].start();
    let refused = refusal(
        &cluster.nodes[0],
        &["charter", "propose", "--add", &card, "--out", "unused.json"],
    );
    assert!(refused.contains("say --replace"), "{refused}");
    let proposal = agreed(
        &cluster,
        "card.json",
        &["--replace", &card],
        &[&cluster.nodes[0], &cluster.nodes[1]],
    );
    publish_charter(&cluster.nodes[1], &proposal);
    wait_for_version(&cluster.nodes.iter().collect::<Vec<_>>(), 2);
    for node in &cluster.nodes {
        let file = node.public().get("/charter").expect(200);
        let newest = &file["versions"][1]["charter"];
        assert_eq!(newest["previous"], before);
        let members = newest["members"].as_array().unwrap();
        let moved = members.iter().find(|member| member["did"] == did.as_str()).unwrap();
        assert_eq!(moved["endpoints"]["peer"][0], "/ip4/127.0.0.1/tcp/9");
    }
    // It is the same organization, whose word goes on to count.
    cluster.settle(&[0, 1, 2]);
    verify(&cluster.nodes[0], &credential).expect_allowed();
}
