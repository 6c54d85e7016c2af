//! The programs of examples/ do what they say, the second one with a credential of a real node.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout
)]

use std::process::Command;
use std::time::Duration;

use syndic_tests::cluster::Cluster;
use syndic_tests::command::{self, Finished};
use syndic_tests::program;
use syndic_tests::scenario::{AGENT, issue, register};

fn example(name: &str, arguments: &[&str]) -> Finished {
    command::run(
        Command::new(program::example(name)).args(arguments),
        Duration::from_secs(20),
    )
}

#[test]
fn issue_and_verify() {
    let finished = example("issue_and_verify", &[]).expect_success("the example");
    for words in [
        "as issued              allowed",
        "with a higher limit    denied: signature-invalid",
        "a day later            denied: expired",
        "after its revocation   denied: revoked",
    ] {
        assert!(
            finished.stdout.contains(words),
            "{words:?} is not in\n{}",
            finished.stdout
        );
    }
}

#[test]
fn verify_credential() {
    let cluster = Cluster::of(1);
    let node = &cluster.nodes[0];
    let _did = register(node, AGENT);
    let credential = issue(node, AGENT);
    let file = cluster.folder().join("support.json");
    std::fs::write(&file, credential.to_string()).unwrap();
    let file = file.display().to_string();
    let allowed = example("verify_credential", &[&file, &node.did]).expect_success("the example");
    assert_eq!(allowed.json()["decision"], "allow");
    let index = credential["credentialStatus"]["statusListIndex"].as_str().unwrap();
    let revoked = example("verify_credential", &[&file, &node.did, index]);
    assert_eq!(
        (revoked.code, &revoked.json()["reasons"][0]["code"]),
        (Some(3), &"revoked".into())
    );
    let agent = credential["credentialSubject"]["id"].as_str().unwrap();
    let untrusted = example("verify_credential", &[&file, agent]);
    assert_eq!(untrusted.code, Some(3), "{untrusted:?}");
}
