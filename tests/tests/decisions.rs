//! A decision that is shown elsewhere: a node makes the bundle, and a machine that has nothing but it and the charter comes
//! to the same decision.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout
)]

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};
use syndic_tests::cluster::Cluster;
use syndic_tests::command::{self, Finished};
use syndic_tests::node::Node;
use syndic_tests::program::syndic;
use syndic_tests::scenario::{AGENT, action, authorize, issue, refund, register, revoke, verify};

const PATIENCE: Duration = Duration::from_secs(60);

/// The program on another machine: no environment, and a folder with nothing but the two files.
fn elsewhere(folder: &Path, at: Option<&str>) -> Finished {
    let mut command = Command::new(syndic());
    command.env_clear().current_dir(folder);
    command.args([
        "verify",
        "--json",
        "--offline",
        "bundle.json",
        "--charter",
        "charter.json",
    ]);
    if let Some(at) = at {
        command.args(["--at", at]);
    }
    let finished = command::run(&mut command, PATIENCE);
    let mut left: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    left.sort();
    assert_eq!(left, ["bundle.json", "charter.json"]);
    finished
}

/// Lets the node decide about a file, and gives the bundle.
fn decide(node: &Node, document: &Value, exit: i32) -> Vec<u8> {
    let (file, out) = (node.data.join("asked.json"), node.data.join("bundle.json"));
    std::fs::write(&file, document.to_string()).unwrap();
    let (file, out_text) = (file.display().to_string(), out.display().to_string());
    let finished = node.syndic(&["verify", "--json", &file, "--bundle-out", &out_text]);
    assert_eq!(finished.code, Some(exit), "{}\n{}", finished.stdout, finished.stderr);
    std::fs::read(out).unwrap()
}

fn time_of(bundle: &[u8]) -> String {
    let bundle: Value = serde_json::from_slice(bundle).unwrap();
    bundle["time"].as_str().unwrap().to_owned()
}

/// A day later than a time of this year's writing.
fn a_day_later(time: &str) -> String {
    let time = syndic_vc::time::Timestamp::parse(time).unwrap();
    time.checked_add_seconds(86_400).unwrap().to_string()
}

#[test]
fn a_decision_is_shown_with_the_charter_alone() {
    let mut cluster = Cluster::of(3);
    let _agent = register(&cluster.nodes[0], AGENT);
    let credential = issue(&cluster.nodes[0], AGENT);
    let taken_back = issue(&cluster.nodes[0], AGENT);
    authorize(&cluster.nodes[1], &cluster.nodes[0].did);
    cluster.settle(&[0, 1, 2]);
    command::eventually("the credential is witnessed", PATIENCE, || {
        let answer = verify(&cluster.nodes[1], &credential);
        (answer.status == 200).then_some(()).ok_or_else(|| answer.text())
    });
    let verifier = &cluster.nodes[1];
    let done = action(&cluster.nodes[0], AGENT, &credential, verifier, &refund("9.50"));
    let allowed = decide(verifier, &done, 0);
    // The nonce is used up, and a second bundle says so.
    let replayed = decide(verifier, &done, 3);
    revoke(&cluster.nodes[0], &taken_back);
    command::eventually("the revocation is known", PATIENCE, || {
        let answer = verify(verifier, &taken_back);
        (answer.status == 400).then_some(()).ok_or_else(|| answer.text())
    });
    let denied = decide(verifier, &taken_back, 3);
    println!("a bundle of three hospitals: {} bytes", allowed.len());

    // What the endpoint refuses to decide, it refuses without a bundle.
    let admin = verifier.admin();
    for body in [json!({}), json!({"verifiablePresentation": {}}), json!([])] {
        let answer = admin.post("/decisions", &body).expect(400);
        assert_eq!(
            (&answer["verified"], answer.get("bundle")),
            (&json!(false), None),
            "{answer}"
        );
    }
    assert_eq!(verifier.public().post("/decisions", &done).status, 404);

    let charter = std::fs::read(&cluster.charter).unwrap();
    for node in &mut cluster.nodes {
        node.stop();
    }
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("charter.json"), charter).unwrap();
    let place = folder.path().join("bundle.json");

    for (bundle, exit, said, code) in [
        (&allowed, 0, "allow", None),
        (&replayed, 3, "deny", Some("action-replayed")),
        (&denied, 3, "deny", Some("revoked")),
    ] {
        std::fs::write(&place, bundle).unwrap();
        let shown = elsewhere(folder.path(), Some(&time_of(bundle)));
        assert_eq!(shown.code, Some(exit), "{}\n{}", shown.stdout, shown.stderr);
        let shown = shown.json();
        assert_eq!(shown["decision"]["decision"], said, "{shown}");
        assert_eq!(shown["decision"]["reasons"][0]["code"].as_str(), code, "{shown}");
        assert_eq!(shown["holds"], true);
    }

    std::fs::write(&place, &allowed).unwrap();
    let late = elsewhere(folder.path(), Some(&a_day_later(&time_of(&allowed))));
    assert_eq!(late.code, Some(1), "{}", late.stdout);
    assert!(late.stdout.contains("held at"), "{}", late.stdout);

    // Every hundredth byte; the unit tests alter each one.
    for byte in (0..allowed.len() - 1).step_by(allowed.len() / 100) {
        let mut altered = allowed.clone();
        altered[byte] ^= 1;
        std::fs::write(&place, &altered).unwrap();
        let refused = elsewhere(folder.path(), Some(&time_of(&allowed)));
        assert_eq!(refused.code, Some(1), "byte {byte}: {}", refused.stdout);
    }
    std::fs::write(&place, &allowed).unwrap();
    assert_eq!(elsewhere(folder.path(), Some(&time_of(&allowed))).code, Some(0));
}
