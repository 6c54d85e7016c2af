//! An organization that tells two stories, and one that only was restored from a backup. The nodes are ordinary ones: a
//! data folder that was copied and run twice is how organizations come to fork.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout
)]

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use syndic_tests::cluster::{Cluster, Shape, digest};
use syndic_tests::command;
use syndic_tests::node::{DEFAULT_ENGINE, Node};
use syndic_tests::program;
use syndic_tests::scenario::{AGENT, agree, authorize, charter, issue, publish_charter, register, revoke, verify};

/// Comparisons of heads are a second apart in a cluster of tests, or five; the rest is for a loaded machine.
const FOUND_WITHIN: Duration = Duration::from_secs(60);

/// Rounds of comparing heads after which all hold the same proof.
const ROUNDS: u64 = 2;

fn speak(node: &Node, what: &str) -> Value {
    let body = json!({"entity": "did:web:partner.example", "action": "read", "resource": what});
    node.admin().post("/registry/authorize", &body).expect(200)
}

fn copy(from: &Path, to: &Path) {
    let _removed = std::fs::remove_dir_all(to);
    let copied = Command::new("cp").arg("-a").arg(from).arg(to).status().unwrap();
    assert!(copied.success());
}

fn forks(node: &Node) -> Vec<Value> {
    let answer = node.public().get("/forks").expect(200);
    answer["forks"].as_array().unwrap().clone()
}

/// How many rounds of comparing heads a node has begun.
fn rounds(node: &Node) -> u64 {
    let metrics = node.admin().get("/metrics").text();
    let mut lines = metrics.lines();
    let line = lines.find_map(|line| line.strip_prefix("syndic_comparison_rounds_total "));
    line.unwrap().parse().unwrap()
}

fn peers(node: &Node) -> usize {
    let status = node.admin().get("/status").expect(200);
    status["peer"]["connected"].as_array().map_or(0, Vec::len)
}

/// The proof, byte for byte, if the node holds one.
fn proof(node: &Node, did: &str) -> Option<String> {
    let file = node.public().get(&format!("/forks/{did}"));
    (file.status == 200).then(|| file.text())
}

#[test]
fn who_runs_two_copies_of_a_node_is_found_out_by_all() {
    let shape = Shape {
        nodes: 5,
        running: 5,
        engine: DEFAULT_ENGINE,
    };
    let mut cluster = Cluster::ruled(shape, &[], |node| {
        // As shipped: what is counted below are rounds, and a loaded machine should get something done in one.
        node.configure("anti_entropy_seconds = 1", "anti_entropy_seconds = 5");
    });
    let did = cluster.nodes[0].did.clone();
    let _agent = register(&cluster.nodes[0], AGENT);
    let credential = issue(&cluster.nodes[0], AGENT);
    let revoked = issue(&cluster.nodes[0], AGENT);
    let _agent = register(&cluster.nodes[1], "Twin");
    let twin = issue(&cluster.nodes[1], "Twin");
    for verifier in 1..5 {
        authorize(&cluster.nodes[verifier], &did);
        authorize(&cluster.nodes[verifier], &cluster.nodes[1].did);
    }
    cluster.settle(&[0, 1, 2, 3, 4]);
    verify(&cluster.nodes[1], &credential).expect_allowed();
    assert_eq!(forks(&cluster.nodes[1]), Vec::<Value>::new());
    let size = digest(&cluster.nodes[1])["organizations"]
        .as_array()
        .unwrap()
        .iter()
        .find(|one| one["did"] == did.as_str())
        .unwrap()["size"]
        .as_u64()
        .unwrap();

    // One story for the first half, in the absence of the other.
    for node in [0, 3, 4] {
        cluster.nodes[node].stop();
    }
    let data = cluster.nodes[0].data.clone();
    let backup = cluster.folder().join("backup");
    copy(&data, &backup);
    cluster.nodes[0].start();
    for line in ["one/1", "one/2"] {
        speak(&cluster.nodes[0], line);
    }
    revoke(&cluster.nodes[0], &revoked);
    cluster.settle(&[0, 1, 2]);
    // And another for the second half, whose nodes cannot know better.
    for node in [0, 1, 2] {
        cluster.nodes[node].stop();
    }
    copy(&backup, &data);
    for node in [3, 4, 0] {
        cluster.nodes[node].start();
    }
    speak(&cluster.nodes[0], "other/1");
    cluster.settle(&[0, 3, 4]);
    verify(&cluster.nodes[3], &credential).expect_allowed();
    verify(&cluster.nodes[3], &revoked).expect_allowed();

    let met = Instant::now();
    for node in [1, 2] {
        cluster.nodes[node].start();
    }
    command::eventually("all are connected", FOUND_WITHIN, || {
        let connected: Vec<usize> = cluster.nodes.iter().map(peers).collect();
        if connected == [4; 5] {
            Ok(())
        } else {
            Err(format!("{connected:?}"))
        }
    });
    let up = Instant::now();
    let begun: Vec<u64> = cluster.nodes[1..].iter().map(rounds).collect();
    // One proof and the same at all of them, whichever story they heard first.
    command::eventually("all hold the same proof", FOUND_WITHIN, || {
        let mut held: Vec<Option<String>> = cluster.nodes[1..].iter().map(|node| proof(node, &did)).collect();
        held.dedup();
        match &held[..] {
            [Some(_)] if forks(&cluster.nodes[1])[0]["commonPrefix"] == size => Ok(()),
            other => Err(format!("{other:#?}")),
        }
    });
    let ended: Vec<u64> = cluster.nodes[1..].iter().map(rounds).collect();
    println!(
        "all four hold the same proof {:?} after all were connected ({:?} after the second half began to start); rounds of \
         comparing heads meanwhile: {:?}",
        up.elapsed(),
        met.elapsed(),
        ended
            .iter()
            .zip(&begun)
            .map(|(ended, begun)| ended - begun)
            .collect::<Vec<_>>(),
    );
    for (ended, begun) in ended.iter().zip(&begun) {
        assert!(ended - begun <= ROUNDS, "{begun:?} {ended:?}");
    }

    // They end with the same in all else, too: the place where the stories part, and what counts.
    command::eventually("all hold the same", FOUND_WITHIN, || {
        let held: Vec<Value> = cluster.nodes[1..].iter().map(|node| forks(node)[0].clone()).collect();
        let proofs: Vec<Option<String>> = cluster.nodes[1..].iter().map(|node| proof(node, &did)).collect();
        let digests: Vec<Value> = cluster.nodes[1..]
            .iter()
            .map(|node| digest(node)["digest"].clone())
            .collect();
        let same = digests.windows(2).all(|pair| pair[0] == pair[1]);
        let same = same && proofs.windows(2).all(|pair| pair[0] == pair[1]);
        if same && held.iter().all(|fork| fork["commonPrefix"] == size) {
            Ok(())
        } else {
            Err(format!("{held:?} {digests:?}"))
        }
    });
    println!("all four hold the same {:?} after both halves run", up.elapsed());
    for node in &cluster.nodes[1..] {
        assert_eq!(forks(node)[0]["organization"], did.as_str());
        assert_eq!(forks(node)[0]["commonPrefix"], size);
        verify(node, &credential).expect_refused("issuer-frozen");
        // Revoked in one of the stories is revoked for those who heard the other, as soon as they have heard of it.
        command::eventually("a revocation in either story counts", FOUND_WITHIN, || {
            let codes = verify(node, &revoked).codes();
            if codes.first().is_some_and(|code| code == "revoked") {
                Ok(())
            } else {
                Err(format!("{codes:?}"))
            }
        });
        verify(node, &revoked).expect_refused("revoked");
        // Whoever did not fork is believed as before.
        verify(node, &twin).expect_allowed();
    }
    println!("the log had {size} entries when the stories parted");
    // The one who did it may say nothing more, and hears why.
    let body = json!({"entity": "did:web:partner.example", "action": "read", "resource": "more"});
    let refused = cluster.nodes[0].admin().post("/registry/authorize", &body);
    assert_eq!(refused.status, 503);
    assert!(refused.text().contains("frozen"), "{}", refused.text());

    offline(&cluster, &did);

    // The others deal with it: it is no member any more, and that is what is said of it from then on.
    let proposal = cluster.folder().join("removal.json");
    let by = [&cluster.nodes[1], &cluster.nodes[2], &cluster.nodes[3]];
    agree(&proposal, &["--remove", did.as_str()], &by);
    publish_charter(&cluster.nodes[1], &proposal);
    for node in &cluster.nodes[1..] {
        command::eventually("who forked is removed", FOUND_WITHIN, || {
            let codes = verify(node, &credential).codes();
            if codes == ["issuer-removed"] {
                Ok(())
            } else {
                Err(format!("{codes:?}"))
            }
        });
        verify(node, &twin).expect_allowed();
        // The proof stays.
        assert_eq!(forks(node)[0]["organization"], did.as_str());
    }
    let chain = cluster.folder().join("chain.json");
    let _shown = charter(&cluster.nodes[2], &["show", "--out", &chain.display().to_string()]);
    cluster.charter = chain;
    offline(&cluster, &did);
}

/// The proof convinces on a machine that has the charter and nothing else; and no byte of it can be changed.
fn offline(cluster: &Cluster, did: &str) {
    let elsewhere = tempfile::tempdir().unwrap();
    let proof = elsewhere.path().join("fork.json");
    let charter = elsewhere.path().join("charter.json");
    std::fs::copy(&cluster.charter, &charter).unwrap();
    let out = proof.display().to_string();
    let _exported = cluster.nodes[4]
        .syndic(&["fork", "export", did, "--out", &out])
        .expect_success("syndic fork export");
    let check = |file: &Path| {
        let mut command = Command::new(program::syndic());
        command
            .args(["fork", "verify", "--json", "--charter"])
            .args([&charter, file])
            .env_clear()
            .current_dir(elsewhere.path());
        command::run(&mut command, Duration::from_secs(20))
    };
    let report = check(&proof).expect_success("syndic fork verify").json();
    assert_eq!(
        (&report["proven"], &report["organization"]),
        (&json!(true), &json!(did))
    );

    let bytes = std::fs::read(&proof).unwrap();
    let changed = elsewhere.path().join("changed.json");
    for at in (0..bytes.len()).step_by(bytes.len() / 40) {
        let mut other = bytes.clone();
        other[at] ^= 1;
        std::fs::write(&changed, other).unwrap();
        assert_eq!(check(&changed).code, Some(1), "byte {at}");
    }
    // Every node has one that holds.
    for node in &cluster.nodes[1..] {
        let file = node.public().get(&format!("/forks/{did}"));
        assert_eq!(file.status, 200);
        std::fs::write(&changed, file.text()).unwrap();
        let _report = check(&changed).expect_success("syndic fork verify");
    }
}

#[test]
fn a_restored_backup_is_no_fork() {
    let mut cluster = Cluster::of(3);
    let did = cluster.nodes[0].did.clone();
    let _agent = register(&cluster.nodes[0], AGENT);
    let credential = issue(&cluster.nodes[0], AGENT);
    authorize(&cluster.nodes[1], &did);
    cluster.settle(&[0, 1, 2]);
    cluster.nodes[0].stop();
    let data = cluster.nodes[0].data.clone();
    let backup = cluster.folder().join("backup");
    copy(&data, &backup);
    cluster.nodes[0].start();
    revoke(&cluster.nodes[0], &credential);
    speak(&cluster.nodes[0], "after/the/backup");
    cluster.settle(&[0, 1, 2]);
    for node in [0, 1, 2] {
        cluster.nodes[node].stop();
    }
    copy(&backup, &data);

    // Alone it says nothing: nobody can tell it whether there is more.
    cluster.nodes[0].start();
    let body = json!({"entity": "did:web:partner.example", "action": "read", "resource": "alone"});
    let refused = cluster.nodes[0].admin().post("/registry/authorize", &body);
    assert_eq!(refused.status, 503);
    assert!(refused.text().contains("sign_alone"), "{}", refused.text());

    // Asked, the others know more; it catches up and goes on.
    for node in [1, 2] {
        cluster.nodes[node].start();
    }
    cluster.settle(&[0, 1, 2]);
    speak(&cluster.nodes[0], "goes/on");
    cluster.settle(&[0, 1, 2]);
    for node in &cluster.nodes {
        assert_eq!(forks(node), Vec::<Value>::new());
    }
    verify(&cluster.nodes[1], &credential).expect_refused("revoked");
}
