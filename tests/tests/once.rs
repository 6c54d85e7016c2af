//! What may be used once is used once: by a hundred callers at the same time, and across a crash.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout
)]

use std::sync::Barrier;

use serde_json::{Value, json};
use syndic_tests::cluster::{Cluster, Shape};
use syndic_tests::http::Answer;
use syndic_tests::node::Node;
use syndic_tests::scenario::{self, AGENT, action, issue, presentation, refund, register};

/// One address may hold 64 connections to a listener; the two listeners together take the hundred.
const CALLERS: usize = 100;

/// Sends the same body a hundred times at once and returns the answers.
fn at_once(node: &Node, path: &str, body: &Value) -> Vec<Answer> {
    each_at_once(node, path, &vec![body.clone(); CALLERS])
}

/// Sends all bodies at once and returns the answers.
fn each_at_once(node: &Node, path: &str, bodies: &[Value]) -> Vec<Answer> {
    let start = Barrier::new(bodies.len());
    std::thread::scope(|scope| {
        let callers: Vec<_> = bodies
            .iter()
            .enumerate()
            .map(|(index, body)| {
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

/// How many were allowed; the others were refused for this.
fn allowed(answers: &[Answer], refused: &str) -> usize {
    let (allowed, others): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.status == 200);
    others.iter().for_each(|answer| answer.expect_refused(refused));
    allowed.len()
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

/// A credential that allows refunds of so many dollars in a month.
fn budget(node: &Node, dollars: &str) -> Value {
    let limit = json!({
        "type": "budget", "parameter": "amount", "limit": dollars, "unit": "USD", "period": "month",
    });
    let capability = json!({
        "action": "call", "resource": "billing_api", "scope": "refund_under_100", "constraint": [limit],
    });
    scenario::issue_with(node, AGENT, json!({"capability": [capability]}))
}

/// A budget that allows two: a hundred actions at once, a crash, and crashes while it is spent.
fn budgets(engine: &'static str) {
    let mut cluster = Cluster::shaped(Shape {
        nodes: 1,
        running: 1,
        engine,
    });
    let _did = register(&cluster.nodes[0], AGENT);
    let credential = budget(&cluster.nodes[0], "20.00");
    let sign = |node: &Node, credential: &Value, count: usize| -> Vec<Value> {
        let one = |_| action(node, AGENT, credential, node, &refund("10"));
        (0..count).map(one).collect()
    };
    let node = &cluster.nodes[0];
    let actions = sign(node, &credential, CALLERS);
    let answers = each_at_once(node, "/actions/verify", &actions);
    assert_eq!(allowed(&answers, "budget-exceeded"), 2, "of {CALLERS}");
    let spent = actions
        .iter()
        .zip(&answers)
        .find(|(_, answer)| answer.status == 200)
        .unwrap()
        .0
        .clone();

    cluster.nodes[0].kill();
    cluster.nodes[0].start();
    let node = &cluster.nodes[0];
    node.public()
        .post("/actions/verify", &spent)
        .expect_refused("action-replayed");
    for again in sign(node, &credential, 3) {
        node.public()
            .post("/actions/verify", &again)
            .expect_refused("budget-exceeded");
    }

    // Killed while it is spent: whatever the callers heard, it comes to no more than two.
    for round in 0..4_u64 {
        let node = &cluster.nodes[0];
        let credential = budget(node, "20.00");
        let actions = sign(node, &credential, 8);
        let listener = node.public().clone();
        let sent = actions.clone();
        let caller = std::thread::spawn(move || {
            let post = |body| listener.try_post("/actions/verify", body);
            sent.iter()
                .map(post)
                .filter(|answer| answer.as_ref().is_ok_and(|answer| answer.status == 200))
                .count()
        });
        std::thread::sleep(std::time::Duration::from_millis(3 * round));
        cluster.nodes[0].kill();
        let before = caller.join().unwrap();
        cluster.nodes[0].start();
        let node = &cluster.nodes[0];
        let after = actions
            .iter()
            .filter(|body| node.public().post("/actions/verify", body).status == 200)
            .count();
        assert!(before + after <= 2, "{before} before the crash and {after} after it");
        // What was used up without an answer is used up: the rest of the budget is spent by new actions, and no more.
        let rest = each_at_once(node, "/actions/verify", &sign(node, &credential, 8));
        assert!(before + after + allowed(&rest, "budget-exceeded") <= 2);
    }
}

#[test]
fn budgets_with_sled() {
    budgets("sled");
}

#[test]
fn budgets_with_redb() {
    budgets("redb");
}

#[test]
fn once_with_sled() {
    rounds("sled");
}

#[test]
fn once_with_redb() {
    rounds("redb");
}
