//! Who is cut off, from an issuer or from those who cosign, refuses in time, and says why.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout
)]

use std::time::{Duration, Instant};

use serde_json::Value;
use syndic_tests::cluster::{Cluster, Shape};
use syndic_tests::command::eventually;
use syndic_tests::node::{self, Node};
use syndic_tests::scenario::{AGENT, authorize, issue, register, revoke, verify};

/// Seconds: the charter's `maxStaleness`.
const STALENESS: u64 = 10;

/// For what needs two or three rounds of messages on a loaded machine.
const SOON: Duration = Duration::from_secs(20);

fn allowed(verifier: &Node, credential: &Value) -> Result<Value, String> {
    let answer = verify(verifier, credential);
    match answer.codes().as_slice() {
        [] => Ok(answer.json()),
        codes => Err(format!("{codes:?}")),
    }
}

/// Seconds until the verifier refuses with this code, and never with another.
fn refused(verifier: &Node, credential: &Value, code: &str) -> Duration {
    let since = Instant::now();
    loop {
        let codes = verify(verifier, credential).codes();
        match codes.as_slice() {
            [] => {}
            [only] if only == code => return since.elapsed(),
            other => panic!("{other:?} where {code} was awaited"),
        }
        assert!(
            since.elapsed() < Duration::from_secs(STALENESS + 10),
            "still allowed after {:?}",
            since.elapsed()
        );
        std::thread::sleep(Duration::from_millis(100));
    }
}

#[test]
fn a_verifier_that_is_cut_off_refuses_and_recovers() {
    let shape = Shape {
        nodes: 4,
        running: 4,
        engine: node::DEFAULT_ENGINE,
    };
    let staleness = STALENESS.to_string();
    let rules = ["--witnesses", "1", "--max-staleness", &staleness];
    let mut cluster = Cluster::ruled(shape, &rules, |node| {
        node.configure("heartbeat_seconds = 60", "heartbeat_seconds = 2");
    });
    let issuer = cluster.nodes[0].did.clone();
    let _agent = register(&cluster.nodes[0], AGENT);
    let (credential, other) = (issue(&cluster.nodes[0], AGENT), issue(&cluster.nodes[0], AGENT));
    authorize(&cluster.nodes[1], &issuer);
    cluster.settle(&[0, 1, 2, 3]);

    // Seen by others, and the decision says so.
    let decision = eventually("a witnessed head", SOON, || allowed(&cluster.nodes[1], &credential));
    let seen = &decision["decision"]["asOf"][0]["witnessed"];
    assert!(seen["by"].as_u64().unwrap() >= 1 && seen["of"] == 2, "{seen}");
    assert!(
        seen["time"].is_string() && seen["size"].as_u64().unwrap() >= 1,
        "{seen}"
    );
    // The checkpoint carries the lines: two of the issuer, and those of the witnesses.
    let path = format!("/logs/{issuer}/checkpoint");
    eventually("a checkpoint with all cosignatures", SOON, || {
        let note = cluster.nodes[1].public().get(&path).text();
        let lines = note.lines().filter(|line| line.starts_with('\u{2014}')).count();
        if lines == 5 { Ok(()) } else { Err(note) }
    });

    // A revocation refuses at once.
    revoke(&cluster.nodes[0], &other);
    eventually("the revocation", SOON, || {
        match verify(&cluster.nodes[1], &other).codes().as_slice() {
            [code] if code == "revoked" => Ok(()),
            codes => Err(format!("{codes:?}")),
        }
    });

    // The witnesses are gone, the issuer is not.
    eventually("the other credential", SOON, || allowed(&cluster.nodes[1], &credential));
    cluster.nodes[2].kill();
    eventually("one witness is enough", SOON, || {
        allowed(&cluster.nodes[1], &credential)
    });
    cluster.nodes[3].kill();
    let after = refused(&cluster.nodes[1], &credential, "not-witnessed");
    println!("without witnesses: refused after {after:?}");
    assert!(after < Duration::from_secs(STALENESS + 5), "{after:?}");
    cluster.nodes[3].start();
    eventually("a witness is back", SOON, || allowed(&cluster.nodes[1], &credential));

    // The issuer is silent.
    cluster.nodes[0].kill();
    let after = refused(&cluster.nodes[1], &credential, "knowledge-stale");
    println!("without the issuer: refused after {after:?}");
    assert!(after < Duration::from_secs(STALENESS + 5), "{after:?}");
    cluster.nodes[0].start();
    eventually("the issuer is back", SOON, || allowed(&cluster.nodes[1], &credential));
}
