//! What may be used once is used once: by a hundred callers at the same time, and across a crash.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout
)]

use std::sync::Barrier;

use serde_json::Value;
use syndic_tests::cluster::{Cluster, Shape};
use syndic_tests::http::Answer;
use syndic_tests::node::Node;
use syndic_tests::scenario::{self, AGENT, action, issue, presentation, refund, register};

/// One address may hold 64 connections to a listener; the two listeners together take the hundred.
const CALLERS: usize = 100;

/// Sends the same body a hundred times at once and returns the answers.
fn at_once(node: &Node, path: &str, body: &Value) -> Vec<Answer> {
    let start = Barrier::new(CALLERS);
    std::thread::scope(|scope| {
        let callers: Vec<_> = (0..CALLERS)
            .map(|index| {
                let (start, listener) = (&start, if index % 2 == 0 { node.public() } else { node.admin() });
                scope.spawn(move || {
                    start.wait();
                    listener.post(path, body)
                })
            })
            .collect();
        callers.into_iter().map(|caller| caller.join().unwrap()).collect()
    })
}

fn exactly_one(answers: &[Answer], refused: &str) {
    let allowed = answers.iter().filter(|answer| answer.status == 200).count();
    assert_eq!(allowed, 1, "of {} uses", answers.len());
    for answer in answers {
        if answer.status == 200 {
            answer.expect_allowed()
        } else {
            answer.expect_refused(refused)
        }
    }
}

fn rounds(engine: &'static str) {
    let mut cluster = Cluster::shaped(Shape {
        nodes: 1,
        running: 1,
        engine,
    });
    let node = &cluster.nodes[0];
    let _did = register(node, AGENT);
    let credential = issue(node, AGENT);

    let (challenge, domain) = scenario::challenge(node);
    let shown = presentation(node, AGENT, &credential, &challenge, &domain);
    exactly_one(&at_once(node, "/presentations/verify", &shown), "challenge-used");
    let done = action(node, AGENT, &credential, node, &refund("10"));
    exactly_one(&at_once(node, "/actions/verify", &done), "action-replayed");

    // Another presentation for the used challenge is refused as well: the challenge is what works once.
    let again = presentation(node, AGENT, &credential, &challenge, &domain);
    node.public()
        .post("/presentations/verify", &again)
        .expect_refused("challenge-used");

    // Not yet used when the node dies: usable once afterwards.
    let (challenge, domain) = scenario::challenge(node);
    let unused_presentation = presentation(node, AGENT, &credential, &challenge, &domain);
    let unused_action = action(node, AGENT, &credential, node, &refund("11"));

    cluster.nodes[0].kill();
    cluster.nodes[0].start();
    let node = &cluster.nodes[0];
    node.public()
        .post("/presentations/verify", &shown)
        .expect_refused("challenge-used");
    node.public()
        .post("/actions/verify", &done)
        .expect_refused("action-replayed");
    exactly_one(
        &at_once(node, "/presentations/verify", &unused_presentation),
        "challenge-used",
    );
    exactly_one(&at_once(node, "/actions/verify", &unused_action), "action-replayed");

    // Killed in the very moment of use: whatever the caller heard, it works at most once in all.
    for amount in 20..24 {
        let body = action(
            &cluster.nodes[0],
            AGENT,
            &credential,
            &cluster.nodes[0],
            &refund(&amount.to_string()),
        );
        let listener = cluster.nodes[0].public().clone();
        let sent = body.clone();
        let caller = std::thread::spawn(move || listener.try_post("/actions/verify", &sent));
        std::thread::sleep(std::time::Duration::from_millis(2 * (amount - 20)));
        cluster.nodes[0].kill();
        let first = caller.join().unwrap().is_ok_and(|answer| answer.status == 200);
        cluster.nodes[0].start();
        let second = cluster.nodes[0].public().post("/actions/verify", &body).status == 200;
        assert!(
            !(first && second),
            "one action was allowed twice, before and after the crash"
        );
    }
}

#[test]
fn once_with_sled() {
    rounds("sled");
}

#[test]
fn once_with_redb() {
    rounds("redb");
}
