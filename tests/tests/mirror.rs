//! `syndic mirror`: all public files of a node, checked, in a folder that any file server can serve.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};
use syndic_tests::cluster::Cluster;
use syndic_tests::command::{self, Finished};
use syndic_tests::file_server::FileServer;
use syndic_tests::node::Node;
use syndic_tests::program::syndic;
use syndic_tests::scenario::{issue, register};

const PATIENCE: Duration = Duration::from_secs(120);
/// Two bundles, two tiles of level 0, one of level 1.
const STATEMENTS: usize = 300;

fn speak(node: &Node, what: &str, count: usize) {
    for number in 0..count {
        let resource = format!("{what}/{number}");
        let body = json!({"entity": "did:web:partner.example", "action": "read", "resource": resource});
        let _statement = node.admin().post("/registry/authorize", &body).expect(200);
    }
}

fn mirror(url: &str, folder: &Path, charter: Option<&Path>) -> Finished {
    let mut command = Command::new(syndic());
    command.args(["mirror", "--json", url]).arg(folder);
    if let Some(charter) = charter {
        command.arg("--charter").arg(charter);
    }
    command::run(&mut command, PATIENCE)
}

fn log_holds(folder: &Path, organization: &str, charter: &Path) -> Value {
    let mut command = Command::new(syndic());
    command
        .args(["log", "verify", "--json"])
        .arg(folder.join("logs").join(organization));
    command.arg("--charter").arg(charter);
    command::run(&mut command, PATIENCE)
        .expect_success("syndic log verify")
        .json()
}

/// All files below a folder but those that only the next run needs.
fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut all = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(&next).unwrap() {
            let path = entry.unwrap().path();
            if path.file_name().unwrap() == ".incoming" {
                continue;
            }
            if path.is_dir() {
                folders.push(path);
            } else {
                all.insert(
                    path.strip_prefix(folder).unwrap().to_owned(),
                    std::fs::read(&path).unwrap(),
                );
            }
        }
    }
    all
}

fn copy(from: &Path, to: &Path) {
    let _gone = std::fs::remove_dir_all(to);
    let done = Command::new("cp").arg("-a").arg(from).arg(to).status().unwrap();
    assert!(done.success());
}

#[test]
fn a_mirror_is_whole_goes_on_where_it_stopped_and_takes_nothing_that_does_not_hold() {
    let cluster = Cluster::of(2);
    let (node, did) = (&cluster.nodes[0], cluster.nodes[0].did.as_str());
    let other = cluster.nodes[1].did.as_str();
    let place = |name: &str| cluster.folder().join(name);
    let (first, second, third) = (place("first"), place("second"), place("third"));
    let _agent = register(node, "Reader-v1.0");
    let _credential = issue(node, "Reader-v1.0");
    speak(node, "archive", STATEMENTS);
    cluster.settle(&[0, 1]);

    // The first time the server is believed, which is said.
    let url = node.public().url();
    let copied = mirror(url, &first, None);
    assert!(copied.stderr.contains("WARNING"), "{copied:?}");
    let copied = copied.expect_success("syndic mirror").json();
    assert_eq!(copied["whole"], true);
    assert_eq!(copied["consortium"], cluster.consortium.as_str());
    assert_eq!(copied["logs"][other]["state"], "whole");
    let lists = copied["files"].as_array().unwrap().iter();
    assert!(
        lists
            .clone()
            .any(|file| file.as_str().unwrap().starts_with("status-lists/")),
        "{copied}"
    );
    let size = log_holds(&first, did, &cluster.charter)["size"].as_u64().unwrap();
    assert!(size > 300);
    let again = mirror(url, &first, None).expect_success("again").json();
    // The charter, two checkpoints, one list.
    assert_eq!(again["fetchedFiles"], 4, "{again}");
    assert_eq!(again["believedAtFirstUse"], false);

    // A copy of the copy, from a server that knows nothing but files.
    let server = FileServer::of(&first);
    let copied = mirror(server.url(), &second, Some(&cluster.charter)).expect_success("a copy of the copy");
    assert!(!copied.stderr.contains("WARNING"), "{copied:?}");
    assert_eq!(files(&first), files(&second));

    // What rotted or vanished is fetched again, and no more than that.
    let bundle = first.join(format!("logs/{did}/tile/entries/000"));
    let whole = std::fs::read(&bundle).unwrap();
    std::fs::remove_file(&bundle).unwrap();
    let again = mirror(url, &first, None).expect_success("with a file gone").json();
    assert_eq!(again["fetchedFiles"], 5, "{again}");
    let mut bent = whole.clone();
    bent[100] ^= 1;
    std::fs::write(&bundle, &bent).unwrap();
    let _again = mirror(url, &first, None).expect_success("with a file bent").json();
    assert_eq!(std::fs::read(&bundle).unwrap(), whole);

    // A server with one altered byte is refused; what was there before stays.
    std::fs::write(&bundle, &bent).unwrap();
    speak(node, "more", 3);
    let refused = mirror(server.url(), &third, Some(&cluster.charter));
    assert_eq!(refused.code, Some(3), "{refused:?}");
    assert_eq!(refused.json()["logs"][did]["state"], "refused");
    assert!(!third.join(format!("logs/{did}/checkpoint")).exists());
    assert_eq!(refused.json()["logs"][other]["state"], "whole");
    let _untouched = mirror(url, &second, None).expect_success("from the node").json();
    assert_eq!(log_holds(&second, did, &cluster.charter)["size"], size + 3);

    // A server that is slow contradicts nothing.
    std::fs::write(&bundle, &whole).unwrap();
    let slow = mirror(server.url(), &second, None)
        .expect_success("from a slow copy")
        .json();
    assert_eq!(slow["logs"][did]["state"], "ahead", "{slow}");
    assert_eq!(log_holds(&second, did, &cluster.charter)["size"], size + 3);

    // Another consortium, nobody there, no node.
    let stranger = Cluster::of(1);
    let refused = mirror(stranger.nodes[0].public().url(), &second, None);
    assert_eq!(refused.code, Some(3), "{refused:?}");
    assert_eq!(mirror("http://127.0.0.1:9", &second, None).code, Some(5));
    let empty = place("empty");
    std::fs::create_dir(&empty).unwrap();
    assert_eq!(mirror(FileServer::of(&empty).url(), &place("none"), None).code, Some(1));
}

#[test]
fn a_mirror_keeps_both_of_two_stories() {
    let mut cluster = Cluster::of(1);
    let did = cluster.nodes[0].did.clone();
    let url = cluster.nodes[0].public().url().to_owned();
    let folder = cluster.folder().join("copy");
    let (data, backup) = (cluster.nodes[0].data.clone(), cluster.folder().join("backup"));
    speak(&cluster.nodes[0], "common", 3);
    cluster.nodes[0].stop();
    copy(&data, &backup);
    cluster.nodes[0].start();
    speak(&cluster.nodes[0], "one", 2);
    let _copied = mirror(&url, &folder, Some(&cluster.charter)).expect_success("the one story");
    let before = files(&folder);
    cluster.nodes[0].stop();
    copy(&backup, &data);
    cluster.nodes[0].start();

    // Fewer entries, but the same: no accusation.
    let slow = mirror(&url, &folder, None).expect_success("an old state").json();
    assert_eq!(slow["logs"][did.as_str()]["state"], "ahead");
    // Fewer, as many and more entries of another story.
    for (what, entries) in [("other", 1), ("same", 1), ("more", 1)] {
        speak(&cluster.nodes[0], what, entries);
        let forked = mirror(&url, &folder, None);
        assert_eq!(forked.code, Some(3), "{what}: {forked:?}");
        let outcome = forked.json()["logs"][did.as_str()].clone();
        assert_eq!(outcome["state"], "fork", "{what}: {outcome}");
        let evidence = folder.join(outcome["evidence"].as_str().unwrap());
        let evidence: Value = serde_json::from_slice(&std::fs::read(evidence).unwrap()).unwrap();
        let checkpoint = std::fs::read_to_string(folder.join(format!("logs/{did}/checkpoint"))).unwrap();
        assert_eq!(evidence["held"], checkpoint.as_str());
        assert_ne!(evidence["served"], checkpoint.as_str());
    }
    let mut after = files(&folder);
    after.retain(|path, _| !path.starts_with("evidence"));
    assert_eq!(after, before);
}
