//! What one organization says reaches the others: also those that were dead or not yet born when it was said.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout
)]

use serde_json::json;
use syndic_tests::cluster::{Cluster, Shape, digest};
use syndic_tests::node::Node;
use syndic_tests::scenario::{AGENT, authorize, issue, register, revoke, verify};

/// More than one pull of the anti-entropy: pieces hold 256 entries at most.
const SPOKEN_WHILE_AWAY: usize = 300;

/// Statements about an organization nobody heard of.
fn speak(node: &Node, count: usize) {
    for index in 0..count {
        let body =
            json!({"entity": "did:web:partner.example", "action": "read", "resource": format!("archive/{index}")});
        let _statement = node.admin().post("/registry/authorize", &body).expect(200);
    }
}

fn partner(node: &Node, authority: &Node, index: usize) -> bool {
    let question = json!({
        "entity_id": "did:web:partner.example", "authority_id": authority.did,
        "action": "read", "resource": format!("archive/{index}"),
    });
    node.public().post("/authorization", &question).expect(200)["authorized"] == true
}

#[test]
fn a_node_that_was_killed_catches_up() {
    let mut cluster = Cluster::of(3);
    let _did = register(&cluster.nodes[0], AGENT);
    let credential = issue(&cluster.nodes[0], AGENT);
    let twin = issue(&cluster.nodes[0], AGENT);
    for verifier in [1, 2] {
        authorize(&cluster.nodes[verifier], &cluster.nodes[0].did);
    }
    cluster.settle(&[0, 1, 2]);
    verify(&cluster.nodes[2], &credential).expect_allowed();
    let before = digest(&cluster.nodes[2]);

    cluster.nodes[2].kill();
    revoke(&cluster.nodes[0], &credential);
    speak(&cluster.nodes[0], SPOKEN_WHILE_AWAY);
    speak(&cluster.nodes[1], 3);
    cluster.settle(&[0, 1]);
    cluster.nodes[2].start();
    cluster.settle(&[0, 1, 2]);

    assert_ne!(digest(&cluster.nodes[2])["digest"], before["digest"]);
    for verifier in &cluster.nodes {
        verify(verifier, &credential).expect_refused("revoked");
        verify(verifier, &twin).expect_allowed();
        assert!(partner(verifier, &cluster.nodes[0], SPOKEN_WHILE_AWAY - 1));
        assert!(!partner(verifier, &cluster.nodes[0], SPOKEN_WHILE_AWAY));
        assert!(partner(verifier, &cluster.nodes[1], 2));
    }
    // What the killed one says from now on is heard, too.
    speak(&cluster.nodes[2], 1);
    cluster.settle(&[0, 1, 2]);
    assert!(partner(&cluster.nodes[0], &cluster.nodes[2], 0));
}

#[test]
fn a_node_that_starts_late_learns_what_was_said_before() {
    let mut cluster = Cluster::shaped(Shape {
        nodes: 3,
        running: 2,
        engine: "sled",
    });
    let _did = register(&cluster.nodes[0], AGENT);
    let credential = issue(&cluster.nodes[0], AGENT);
    let twin = issue(&cluster.nodes[0], AGENT);
    revoke(&cluster.nodes[0], &credential);
    speak(&cluster.nodes[1], 5);
    // The one who was there may go: its word lives on with the others.
    cluster.settle(&[0, 1]);
    cluster.nodes[1].kill();
    cluster.nodes[2].start();
    cluster.settle(&[0, 2]);
    assert!(
        partner(&cluster.nodes[2], &cluster.nodes[1], 4),
        "what a dead member said is passed on by others"
    );
    authorize(&cluster.nodes[2], &cluster.nodes[0].did);
    verify(&cluster.nodes[2], &credential).expect_refused("revoked");
    verify(&cluster.nodes[2], &twin).expect_allowed();
    cluster.nodes[1].start();
    cluster.settle(&[0, 1, 2]);
}

#[test]
fn a_node_stops_when_it_is_told_to() {
    let mut cluster = Cluster::of(1);
    let status = cluster.nodes[0].stop();
    assert_eq!(status.code(), Some(0), "{}", cluster.nodes[0].log());
    cluster.nodes[0].start();
    let ready = cluster.nodes[0].public().get("/readyz");
    assert_eq!(ready.status, 200);
}
