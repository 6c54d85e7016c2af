//! Following files: a node that no peer can reach knows what the others say all the same, from a member's node or a mirror.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::net::TcpListener;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};
use syndic_tests::cluster::{Cluster, Shape, digest};
use syndic_tests::command;
use syndic_tests::file_server::FileServer;
use syndic_tests::node::{DEFAULT_ENGINE, Node, PASSPHRASE};
use syndic_tests::program::syndic;
use syndic_tests::scenario::{agree, authorize, issue, publish_charter, register, revoke, verify};

const PATIENCE: Duration = Duration::from_secs(60);
const AGENT: &str = "Reader-v1.0";

/// From now on nobody reaches the node at the address of its card, and it reaches nobody who did the same.
fn hide(node: &Node) {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let listen = |port: u16| format!("listen = \"/ip4/127.0.0.1/tcp/{port}\"");
    node.configure(&listen(node.ports.peer), &listen(free));
}

fn follow(node: &Node, from: &str, to: &str) {
    let line = |url: &str| {
        if url.is_empty() {
            "[peer]\n".to_owned()
        } else {
            format!("[peer]\nfollow = [\"{url}\"]\n")
        }
    };
    node.configure(&line(from), &line(to));
}

fn mirror(node: &Node, folder: &Path) {
    let mut command = Command::new(syndic());
    command.args(["mirror", "--json", node.public().url()]).arg(folder);
    let _copied = command::run(&mut command, PATIENCE).expect_success("syndic mirror");
}

/// Whether the node publishes, that is, signs.
fn speak(node: &Node, resource: &str) -> u16 {
    let body = json!({"entity": "did:web:partner.example", "action": "read", "resource": resource});
    node.admin().post("/registry/authorize", &body).status
}

fn allows(node: &Node, credential: &Value) -> bool {
    verify(node, credential).json()["verified"] == true
}

fn eventually_refused(node: &Node, credential: &Value) {
    command::eventually("the revocation is felt", PATIENCE, || {
        let codes = verify(node, credential).codes();
        if codes.iter().any(|code| code == "revoked") {
            Ok(())
        } else {
            Err(format!("{codes:?}\n{}", node.log()))
        }
    });
}

#[test]
fn a_node_that_no_peer_reaches_follows_files_and_takes_none_that_lie() {
    let mut cluster = Cluster::found(Shape {
        nodes: 2,
        running: 0,
        engine: DEFAULT_ENGINE,
    });
    cluster.nodes.iter().for_each(hide);
    let did = cluster.nodes[0].did.clone();
    cluster.nodes[0].start();
    let member = cluster.nodes[0].public().url().to_owned();
    follow(&cluster.nodes[1], "", &member);
    cluster.nodes[1].start();
    let _agent = register(&cluster.nodes[0], AGENT);
    let credentials: Vec<Value> = (0..4).map(|_| issue(&cluster.nodes[0], AGENT)).collect();
    authorize(&cluster.nodes[1], &did);
    command::eventually("what a member's files say is known", PATIENCE, || {
        if allows(&cluster.nodes[1], &credentials[0]) {
            Ok(())
        } else {
            Err(cluster.nodes[1].log())
        }
    });
    let status = cluster.nodes[1].admin().get("/status").expect(200);
    assert_eq!(
        status["peer"]["connected"].as_array().map_or(0, Vec::len),
        0,
        "{status}"
    );
    revoke(&cluster.nodes[0], &credentials[0]);
    eventually_refused(&cluster.nodes[1], &credentials[0]);

    // Started again, it signs once that member's files have told what they know of its own log.
    cluster.nodes[1].stop();
    cluster.nodes[1].start();
    command::eventually("it may sign", PATIENCE, || match speak(&cluster.nodes[1], "settled") {
        200 => Ok(()),
        status => Err(format!("{status}\n{}", cluster.nodes[1].log())),
    });

    // A mirror tells the same, but nothing is signed on its word.
    let folder = cluster.folder().join("mirror");
    mirror(&cluster.nodes[0], &folder);
    let server = FileServer::of(&folder);
    cluster.nodes[1].stop();
    follow(&cluster.nodes[1], &member, server.url());
    cluster.nodes[1].start();
    revoke(&cluster.nodes[0], &credentials[1]);
    assert!(allows(&cluster.nodes[1], &credentials[1]));
    mirror(&cluster.nodes[0], &folder);
    eventually_refused(&cluster.nodes[1], &credentials[1]);
    assert_eq!(speak(&cluster.nodes[1], "unsettled"), 503);

    // One altered byte: refused, loudly, and what was known stays known.
    cluster.nodes[1].stop();
    revoke(&cluster.nodes[0], &credentials[2]);
    mirror(&cluster.nodes[0], &folder);
    let log = folder.join(format!("logs/{did}"));
    let checkpoint = std::fs::read_to_string(log.join("checkpoint")).unwrap();
    let size = checkpoint.lines().nth(1).unwrap();
    let bundle = log.join(format!("tile/entries/000.p/{size}"));
    let whole = std::fs::read(&bundle).unwrap();
    let mut bent = whole.clone();
    let last = bent.len() - 3;
    bent[last] ^= 1;
    std::fs::write(&bundle, &bent).unwrap();
    cluster.nodes[1].start();
    command::eventually("the lie is noticed", PATIENCE, || {
        let said = cluster.nodes[1].log();
        if said.contains("LIE") && said.contains(server.url()) {
            Ok(())
        } else {
            Err(said)
        }
    });
    let before = digest(&cluster.nodes[1]);
    assert!(allows(&cluster.nodes[1], &credentials[2]));
    verify(&cluster.nodes[1], &credentials[1]).expect_refused("revoked");
    assert!(!cluster.nodes[1].log().contains("kept out"));

    // Honest again, it is believed again.
    std::fs::write(&bundle, &whole).unwrap();
    eventually_refused(&cluster.nodes[1], &credentials[2]);
    assert_ne!(digest(&cluster.nodes[1]), before);
    assert!(allows(&cluster.nodes[1], &credentials[3]));

    // Another log key, and another version of the charter: both are in the files.
    let _rotated = cluster.nodes[0]
        .syndic(&["key", "rotate", "log"])
        .expect_success("syndic key rotate");
    let proposal = cluster.folder().join("proposal.json");
    let both = [&cluster.nodes[0], &cluster.nodes[1]];
    agree(&proposal, &["--max-staleness", "200"], &both);
    publish_charter(&cluster.nodes[0], &proposal);
    revoke(&cluster.nodes[0], &credentials[3]);
    mirror(&cluster.nodes[0], &folder);
    eventually_refused(&cluster.nodes[1], &credentials[3]);
    command::eventually("the charter has come", PATIENCE, || {
        let [here, there] = both.map(|node| node.public().get("/charter").text());
        if here == there { Ok(()) } else { Err(there) }
    });
}

#[test]
fn a_lost_store_is_rebuilt_from_a_members_files() {
    let mut cluster = Cluster::found(Shape {
        nodes: 2,
        running: 0,
        engine: DEFAULT_ENGINE,
    });
    cluster.nodes.iter().for_each(hide);
    let urls: Vec<String> = cluster
        .nodes
        .iter()
        .map(|node| node.public().url().to_owned())
        .collect();
    follow(&cluster.nodes[0], "", &urls[1]);
    follow(&cluster.nodes[1], "", &urls[0]);
    for node in &mut cluster.nodes {
        node.start();
    }
    assert_eq!(speak(&cluster.nodes[1], "said"), 200);
    cluster.settle(&[0, 1]);
    let folder = cluster.folder().join("mirror");
    mirror(&cluster.nodes[0], &folder);
    let copy = FileServer::of(&folder);
    let data = cluster.nodes[1].data.clone();
    cluster.nodes[1].stop();
    std::fs::remove_dir_all(data.join("store")).unwrap();
    let rebuild = |url: &str| {
        let mut command = Command::new(syndic());
        command.args(["rebuild", "--json", "--timeout", "5s", "--from", url]);
        command
            .arg(&cluster.charter)
            .arg("--data")
            .arg(&data)
            .env("SYNDIC_PASSPHRASE", PASSPHRASE);
        command::run(&mut command, PATIENCE)
    };
    // A mirror may hide the newest: it alone is nobody's answer.
    assert_eq!(rebuild(copy.url()).code, Some(5));
    let report = rebuild(&urls[0]).expect_success("syndic rebuild").json();
    assert_eq!(report["answered"], json!([cluster.nodes[0].did]));
    cluster.nodes[1].start();
    command::eventually("it may sign", PATIENCE, || match speak(&cluster.nodes[1], "goes/on") {
        200 => Ok(()),
        status => Err(format!("{status}\n{}", cluster.nodes[1].log())),
    });
    cluster.settle(&[0, 1]);
    for node in &cluster.nodes {
        assert_eq!(node.public().get("/forks").expect(200)["forks"], json!([]));
    }
}
