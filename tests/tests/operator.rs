//! What goes wrong at the operator's desk: a clear message that says what to do, an exit code that is not 0, and
//! nothing lost: with the right input all is as it was.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout
)]

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::Value;
use syndic_tests::cluster::{Cluster, Shape, digest};
use syndic_tests::command::{self, Finished};
use syndic_tests::node::{self, Node};
use syndic_tests::program;
use syndic_tests::scenario::{AGENT, issue, register, revoke, verify};

/// Asserts that a command failed with these words on standard error, and that the message is one for people.
fn assert_fails(finished: &Finished, words: &[&str]) {
    assert_eq!(finished.code, Some(1), "{finished:#?}");
    for word in words {
        assert!(
            finished.stderr.contains(word),
            "{word:?} is not in: {}",
            finished.stderr
        );
    }
    assert!(finished.stderr.contains("syndic: "), "{}", finished.stderr);
    for word in ["panicked", "RUST_BACKTRACE", "Err(", "unwrap"] {
        assert!(!finished.stderr.contains(word), "{word:?} is in: {}", finished.stderr);
    }
}

/// `syndic run`, expected to end by itself.
fn run(node: &Node) -> Finished {
    node.syndic(&["run"])
}

/// A node with something to lose: an agent, a valid credential and a revoked one.
struct Desk {
    cluster: Cluster,
    valid: Value,
    revoked: Value,
    known: Value,
}

impl Desk {
    fn new(engine: &'static str) -> Self {
        let mut cluster = Cluster::shaped(Shape {
            nodes: 1,
            running: 1,
            engine,
        });
        let _did = register(&cluster.nodes[0], AGENT);
        let (valid, revoked) = (issue(&cluster.nodes[0], AGENT), issue(&cluster.nodes[0], AGENT));
        revoke(&cluster.nodes[0], &revoked);
        let known = digest(&cluster.nodes[0])["digest"].clone();
        assert_eq!(cluster.nodes[0].stop().code(), Some(0));
        Self {
            cluster,
            valid,
            revoked,
            known,
        }
    }

    fn node(&mut self) -> &mut Node {
        &mut self.cluster.nodes[0]
    }

    /// Starts the node, finds everything, stops it.
    fn assert_nothing_lost(&mut self) {
        self.node().start();
        let node = &self.cluster.nodes[0];
        assert_eq!(digest(node)["digest"], self.known);
        verify(node, &self.valid).expect_allowed();
        verify(node, &self.revoked).expect_refused("revoked");
        let listed = node.admin().get("/credentials").expect(200);
        assert_eq!(listed["credentials"].as_array().unwrap().len(), 2, "{listed}");
        assert_eq!(self.node().stop().code(), Some(0));
    }
}

#[test]
fn a_wrong_passphrase() {
    let mut desk = Desk::new(node::DEFAULT_ENGINE);
    let data = desk.node().data.clone();
    let finished = node::syndic_with(&data, &["run"], "incorrect horse battery staple");
    assert_fails(&finished, &["passphrase", "keys.sealed"]);
    let finished = node::syndic_with(&data, &["run"], "");
    assert_fails(&finished, &["passphrase"]);
    // None at all, and nobody to ask.
    let mut command = Command::new(program::syndic());
    command
        .args(["run", "--data"])
        .arg(&data)
        .env_remove("SYNDIC_PASSPHRASE")
        .env_remove("SYNDIC_PASSPHRASE_FILE");
    let finished = command::run(&mut command, Duration::from_secs(20));
    assert_fails(&finished, &["--passphrase-file", "SYNDIC_PASSPHRASE"]);
    let missing = data.join("no-such-file");
    let finished = desk
        .node()
        .syndic(&["run", "--passphrase-file", &missing.display().to_string()]);
    assert_fails(&finished, &["no-such-file"]);
    desk.assert_nothing_lost();
    // From a file it works as well.
    let file = data.with_extension("passphrase");
    std::fs::write(&file, format!("{}\n", node::PASSPHRASE)).unwrap();
    let finished = node::syndic_with(&data, &["run", "--passphrase-file", "/dev/null"], node::PASSPHRASE);
    assert_fails(&finished, &["empty"]);
    let too_short = node::syndic_with(&data.with_extension("other"), &["init", "--name", "X"], "short");
    assert_fails(&too_short, &["12"]);
    assert!(!data.with_extension("other").join("config.toml").exists());
}

#[test]
fn a_port_that_is_taken_and_a_folder_in_use() {
    let mut desk = Desk::new(node::DEFAULT_ENGINE);
    let ports = desk.node().ports;
    for (port, section) in [(ports.public, "public"), (ports.admin, "admin"), (ports.peer, "peer")] {
        let _taken = TcpListener::bind(("127.0.0.1", port)).unwrap();
        let finished = run(desk.node());
        assert_fails(&finished, &[&port.to_string(), "in use", section]);
    }
    desk.assert_nothing_lost();

    desk.node().start();
    let (data, charter) = (desk.node().data.clone(), desk.cluster.charter.display().to_string());
    for arguments in [&["run"][..], &["join", &charter], &["init", "--name", "Again"]] {
        let finished = node::syndic(&data, arguments);
        assert_fails(&finished, &["in use", &data.display().to_string()]);
    }
    // The first one never noticed.
    assert!(desk.node().is_running());
    assert_eq!(desk.node().public().get("/readyz").status, 200);
    assert_eq!(desk.node().stop().code(), Some(0));
    desk.assert_nothing_lost();
}

#[test]
fn a_configuration_that_is_wrong() {
    let mut desk = Desk::new(node::DEFAULT_ENGINE);
    let path = desk.node().data.join("config.toml");
    let good = std::fs::read_to_string(&path).unwrap();
    let public = format!("public = \"127.0.0.1:{}\"", desk.node().ports.public);
    assert!(good.contains(&public));
    for (text, words) in [
        (good.replace("[trust]", "[trust"), vec!["config.toml", "line"]),
        (
            good.replace("[trust]", "[trust]\nhartbeat_seconds = 3"),
            vec!["config.toml", "hartbeat_seconds", "unknown"],
        ),
        (
            format!("{good}\n[dashboard]\non = true\n"),
            vec!["config.toml", "dashboard"],
        ),
        (
            good.replace(&public, "public = \"somewhere\""),
            vec!["config.toml", "somewhere"],
        ),
        (good.replace(&public, "public = 8440"), vec!["config.toml", "public"]),
        (
            good.replace(&public, &public.replace("127.0.0.1", "0.0.0.0")),
            vec!["--behind-proxy", "TLS"],
        ),
        (
            good.replace("\"redb\"", "\"oracle\""),
            vec!["config.toml", "oracle", "sled", "redb"],
        ),
        (String::new(), vec!["config.toml", "organization"]),
    ] {
        assert_ne!(text, good, "{words:?}: the case changes nothing");
        std::fs::write(&path, text).unwrap();
        assert_fails(&run(desk.node()), &words);
    }
    // The other engine finds a store that is not its own, and leaves it alone.
    std::fs::write(&path, good.replace("\"redb\"", "\"sled\"")).unwrap();
    assert_fails(&run(desk.node()), &["redb"]);
    std::fs::remove_file(&path).unwrap();
    assert_fails(&run(desk.node()), &["config.toml", "syndic init"]);
    std::fs::write(&path, good).unwrap();
    desk.assert_nothing_lost();
}

#[test]
fn keys_that_are_damaged() {
    let mut desk = Desk::new(node::DEFAULT_ENGINE);
    let path = desk.node().data.join("keys.sealed");
    let good = std::fs::read(&path).unwrap();
    for at in [0, good.len() / 2, good.len() - 1] {
        let mut bad = good.clone();
        bad[at] ^= 1;
        std::fs::write(&path, bad).unwrap();
        assert_fails(&run(desk.node()), &["keys.sealed"]);
    }
    for bad in [&good[..good.len() / 2], b"", &[good.as_slice(), b"more"].concat()] {
        std::fs::write(&path, bad).unwrap();
        assert_fails(&run(desk.node()), &["keys.sealed"]);
    }
    std::fs::remove_file(&path).unwrap();
    assert_fails(&run(desk.node()), &["keys.sealed"]);
    std::fs::write(&path, good).unwrap();
    desk.assert_nothing_lost();
}

/// Every file of the store, with its bytes.
fn store_files(data: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut files = Vec::new();
    let mut folders = vec![data.join("store")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap().flatten() {
            if entry.path().is_dir() {
                folders.push(entry.path())
            } else {
                files.push(entry.path())
            }
        }
    }
    files.sort();
    files
        .into_iter()
        .map(|path| (path.clone(), std::fs::read(path).unwrap()))
        .collect()
}

fn restore(data: &Path, files: &[(PathBuf, Vec<u8>)]) {
    std::fs::remove_dir_all(data.join("store")).unwrap();
    for (path, bytes) in files {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }
}

/// One flipped bit in the store: the node says so and does not start, or answers as before. Never anything else
/// (promise P4).
fn a_damaged_store(engine: &'static str) {
    let mut desk = Desk::new(engine);
    let data = desk.node().data.clone();
    let files = store_files(&data);
    let (largest, bytes) = files.iter().max_by_key(|(_, bytes)| bytes.len()).unwrap();
    let id = desk.valid["id"].as_str().unwrap().as_bytes().to_vec();
    let mut places: Vec<(PathBuf, usize)> = [1, 3, 5]
        .map(|eighth| (largest.clone(), bytes.len() * eighth / 8))
        .to_vec();
    for (path, bytes) in &files {
        let holds_credential = bytes.windows(id.len()).rposition(|window| window == id);
        places.extend(holds_credential.map(|at| (path.clone(), at + id.len() / 2)));
        if !bytes.is_empty() && bytes.len() < 4_096 {
            places.push((path.clone(), bytes.len() / 2));
        }
    }
    let mut refused = 0;
    for (path, at) in &places {
        let mut bad = files.iter().find(|(file, _)| file == path).unwrap().1.clone();
        bad[*at] ^= 0x10;
        std::fs::write(path, bad).unwrap();
        match desk.node().try_start() {
            Ok(()) => {
                // Harmless: it lay in a part that holds nothing any more.
                let node = &desk.cluster.nodes[0];
                assert_eq!(digest(node)["digest"], desk.known, "{} at {at}", path.display());
                verify(node, &desk.valid).expect_allowed();
                verify(node, &desk.revoked).expect_refused("revoked");
                let held = node
                    .admin()
                    .get(&format!("/credentials/{}", desk.valid["id"].as_str().unwrap()));
                assert!([200, 503].contains(&held.status), "{}", held.text());
                assert!(
                    held.status == 503 || held.json()["verifiableCredential"] == desk.valid,
                    "{}",
                    held.text()
                );
                desk.node().kill();
            }
            Err(error) => {
                refused += 1;
                assert!(
                    error.contains("syndic: ") && error.contains("store"),
                    "{}: {error}",
                    path.display()
                );
                assert!(!error.contains("panicked"), "{}: {error}", path.display());
            }
        }
        restore(&data, &files);
    }
    println!(
        "{engine}: of {} flipped bits {refused} were refused at the start",
        places.len()
    );
    assert!(refused > 0, "no damage was noticed");
    desk.assert_nothing_lost();
}

#[test]
fn a_store_that_is_damaged_sled() {
    a_damaged_store("sled");
}

#[test]
fn a_store_that_is_damaged_redb() {
    a_damaged_store("redb");
}

#[test]
fn init_found_and_join_out_of_turn() {
    let mut cluster = Cluster::found(Shape {
        nodes: 2,
        running: 0,
        engine: node::DEFAULT_ENGINE,
    });
    let stranger = Node::init(&cluster.folder().join("stranger"), "Hillcrest", node::DEFAULT_ENGINE);
    let charter = cluster.charter.display().to_string();

    assert_fails(
        &stranger.syndic(&["run"]),
        &["no consortium", "syndic found", "syndic join"],
    );
    assert_fails(&stranger.syndic(&["join", &charter]), &["does not name", "member.json"]);
    let text = std::fs::read_to_string(&cluster.charter).unwrap();
    let tampered = cluster.folder().join("tampered.json");
    for (from, to) in [
        ("Nordstadt", "Nordstatt"),
        ("\"threshold\":2", "\"threshold\":0"),
        ("\"version\":1", "\"version\":9"),
        ("{", "["),
    ] {
        assert!(text.contains(from), "{from} is not in {text}");
        std::fs::write(&tampered, text.replacen(from, to, 1)).unwrap();
        assert_fails(
            &cluster.nodes[1].syndic(&["join", &tampered.display().to_string()]),
            &["tampered.json"],
        );
    }
    assert_fails(
        &stranger.syndic(&["join", "no-such-charter.json"]),
        &["no-such-charter.json"],
    );

    // Setting up again what is set up would throw keys away.
    let keys = std::fs::read(stranger.data.join("keys.sealed")).unwrap();
    assert_fails(&stranger.syndic(&["init", "--name", "Again"]), &["already", "--data"]);
    assert_eq!(std::fs::read(stranger.data.join("keys.sealed")).unwrap(), keys);
    // A member of one consortium does not slip into another.
    let own = stranger.data.join("member.json").display().to_string();
    let _founded = stranger
        .syndic(&["found", "--name", "Alone", "--member", &own])
        .expect_success("syndic found");
    let elsewhere = stranger.data.join("charter.json").display().to_string();
    assert_fails(&cluster.nodes[1].syndic(&["join", &elsewhere]), &["does not name"]);
    let other = cluster.nodes[1].data.join("member.json").display().to_string();
    assert_fails(
        &stranger.syndic(&["found", "--name", "Second", "--member", &other]),
        &["already"],
    );
    let mut bad_card = text.clone();
    bad_card.truncate(40);
    std::fs::write(&tampered, bad_card).unwrap();
    assert_fails(
        &stranger.syndic(&["found", "--name", "X", "--member", &tampered.display().to_string()]),
        &["tampered.json"],
    );
    let finished = node::syndic(&cluster.folder().join("nowhere"), &["run"]);
    assert_fails(&finished, &["syndic init"]);
    assert!(!cluster.folder().join("nowhere").exists(), "a failed run makes nothing");

    // Joining again what was joined is no error, and all of them start.
    let _again = cluster.nodes[1]
        .syndic(&["join", &charter])
        .expect_success("join once more");
    for node in &mut cluster.nodes {
        node.start();
    }
    cluster.settle(&[0, 1]);
}

#[test]
fn commands_to_a_node_that_is_not_there() {
    let desk = Cluster::found(Shape {
        nodes: 1,
        running: 0,
        engine: node::DEFAULT_ENGINE,
    });
    for arguments in [&["status"][..], &["agent", "list"], &["registry", "members"]] {
        let finished = desk.nodes[0].syndic(arguments);
        assert_eq!(finished.code, Some(5), "{finished:#?}");
        assert!(finished.stderr.contains("syndic run --data"), "{}", finished.stderr);
    }
    let finished = desk.nodes[0].syndic(&["agent", "create"]);
    assert_eq!(finished.code, Some(2), "{finished:#?}");
    let finished = desk.nodes[0].syndic(&["--json", "status"]);
    assert_eq!(finished.json()["error"]["code"], "unreachable");
}
