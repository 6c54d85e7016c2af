//! What a node counts about itself, and what it is bound by: one signature check for a statement, however many send it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout
)]

use serde_json::json;
use syndic_tests::cluster::Cluster;
use syndic_tests::node::Node;

const STATEMENTS: u64 = 30;
/// Heads that are signed for other reasons meanwhile: one a minute and organization, and what the start left behind.
const OTHER_HEADS: u64 = 10;

/// The sum of all samples of a metric.
fn metric(node: &Node, name: &str) -> u64 {
    let answer = node.admin().get("/metrics").text();
    assert!(answer.ends_with("# EOF\n"), "{answer}");
    let samples = answer
        .lines()
        .filter(|line| line.strip_prefix(name).is_some_and(|rest| rest.starts_with([' ', '{'])));
    let values: Vec<u64> = samples
        .map(|line| line.rsplit(' ').next().unwrap().parse().unwrap())
        .collect();
    assert!(!values.is_empty(), "{name} is not in\n{answer}");
    values.iter().sum()
}

#[test]
fn a_statement_costs_one_signature_check_however_many_copies_come() {
    let cluster = Cluster::of(5);
    let figures = |node: &Node| {
        [
            "syndic_statements_taken_total",
            "syndic_head_signature_checks_total",
            "libp2p_gossipsub_topic_msg_recv_counts_unfiltered_total",
        ]
        .map(|name| metric(node, name))
    };
    let before: Vec<[u64; 3]> = cluster.nodes.iter().map(figures).collect();
    for index in 0..STATEMENTS {
        let body =
            json!({"entity": "did:web:partner.example", "action": "read", "resource": format!("archive/{index}")});
        let _statement = cluster.nodes[0].admin().post("/registry/authorize", &body).expect(200);
    }
    cluster.settle(&[0, 1, 2, 3, 4]);
    for (node, before) in cluster.nodes.iter().zip(before).skip(1) {
        let after = figures(node);
        let [taken, checks, copies] = [0, 1, 2].map(|at| after[at] - before[at]);
        println!(
            "{}: {taken} statements, {checks} signatures of heads checked, {copies} messages of gossip",
            node.name
        );
        assert_eq!(taken, STATEMENTS);
        assert!((1..=STATEMENTS + OTHER_HEADS).contains(&checks), "{checks} checks");
        assert!(copies > checks, "no copies came, so nothing was tried");
    }
    assert_eq!(metric(&cluster.nodes[1], "syndic_peers_connected"), 4);
    assert_eq!(metric(&cluster.nodes[1], "syndic_store_writable"), 1);
    assert_eq!(metric(&cluster.nodes[1], "syndic_log_frozen"), 0);
}

#[test]
fn figures_are_for_those_who_hold_the_token() {
    let cluster = Cluster::of(1);
    let node = &cluster.nodes[0];
    assert_eq!(node.public().get("/metrics").status, 404);
    let stranger = syndic_tests::http::Listener::new(node.ports.admin, None);
    assert_eq!(stranger.get("/metrics").status, 401);
    let text = node.admin().get("/metrics").text();
    for secret in [node.token(), "partner.example", "PRIVATE"] {
        assert!(!text.contains(secret));
    }
    assert!(text.contains("syndic_build{version=\""), "{text}");
}
