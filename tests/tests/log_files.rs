//! An organization's log as files: `syndic log verify`, and beside it a check in Python that shares no code with it. Both
//! must come to the same result, on good files and on altered ones, so that the format is the standards' and not ours.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout
)]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};
use syndic_tests::cluster::Cluster;
use syndic_tests::command::{self, Finished};
use syndic_tests::log_files::{tile_path, tiles};
use syndic_tests::node::Node;
use syndic_tests::program::{repository, syndic};

const PATIENCE: Duration = Duration::from_secs(60);
/// Two tiles of level 0 and one of level 1.
const STATEMENTS: usize = 300;

/// Says so much more that the log has `size` entries at least.
fn speak(node: &Node, count: usize) {
    for number in 0..count {
        let body =
            json!({"entity": "did:web:partner.example", "action": "read", "resource": format!("archive/{number}")});
        let _statement = node.admin().post("/registry/authorize", &body).expect(200);
    }
}

fn fetch(node: &Node, path: &str, to: &Path) -> Vec<u8> {
    let answer = node.public().get(path);
    assert_eq!(answer.status, 200, "{path}: {}", answer.text());
    std::fs::create_dir_all(to.parent().unwrap()).unwrap();
    std::fs::write(to, &answer.body).unwrap();
    answer.body
}

/// All files of an organization's log, in a folder.
fn download(node: &Node, organization: &str, folder: &Path) -> Vec<PathBuf> {
    let prefix = format!("/logs/{organization}");
    let checkpoint = fetch(node, &format!("{prefix}/checkpoint"), &folder.join("checkpoint"));
    let text = String::from_utf8(checkpoint).unwrap();
    let mut files = vec![PathBuf::from("checkpoint")];
    let mut in_level: u64 = text.lines().nth(1).unwrap().parse().unwrap();
    let mut kinds = vec!["entries".to_owned()];
    for level in 0.. {
        kinds.push(level.to_string());
        for kind in kinds.drain(..) {
            for (index, width) in tiles(in_level) {
                let path = format!("tile/{kind}/{}", tile_path(index, width));
                let _bytes = fetch(node, &format!("{prefix}/{path}"), &folder.join(&path));
                files.push(PathBuf::from(path));
            }
        }
        in_level /= 256;
        if in_level == 0 {
            break;
        }
    }
    files
}

fn ours(place: &str, charter: &Path, earlier: Option<&Path>) -> Finished {
    let mut command = Command::new(syndic());
    command
        .args(["log", "verify", "--json", place, "--charter"])
        .arg(charter);
    if let Some(earlier) = earlier {
        command.arg("--earlier").arg(earlier);
    }
    command::run(&mut command, PATIENCE)
}

/// The Python check, where it can be installed.
fn theirs() -> Option<PathBuf> {
    let folder = repository().join("tests/python");
    let installed = command::run(&mut Command::new(folder.join("install")), Duration::from_secs(180));
    match installed.code {
        Some(0) => Some(folder),
        Some(3) => {
            println!("the check in Python: {}", installed.stdout.trim());
            None
        }
        _ => panic!("{installed:?}"),
    }
}

fn python(folder: &Path, log: &Path, charter: &Path, earlier: Option<&Path>) -> Finished {
    let mut command = Command::new(folder.join(".venv/bin/python"));
    command
        .arg(folder.join("check_log.py"))
        .arg(log)
        .arg("--charter")
        .arg(charter);
    if let Some(earlier) = earlier {
        command.arg("--earlier").arg(earlier);
    }
    command::run(&mut command, PATIENCE)
}

/// What both say of a log, without the order in which they say it.
fn said(finished: &Finished) -> Value {
    let all = finished.json();
    let mut cosigned: Vec<String> = all["cosigned"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["organization"].as_str().or(one.as_str()).unwrap().to_owned())
        .collect();
    cosigned.sort();
    json!({
        "verified": all["verified"], "origin": all["origin"], "size": all["size"], "root": all["root"],
        "statements": all["statements"], "time": all["time"], "cosigned": cosigned,
    })
}

#[test]
fn a_log_is_checked_from_its_files_alone_by_us_and_in_python() {
    let cluster = Cluster::of(2);
    let (node, organization) = (&cluster.nodes[0], cluster.nodes[0].did.as_str());
    let (charter, folder) = (
        cluster.folder().join("served-charter.json"),
        cluster.folder().join("log"),
    );
    let _bytes = fetch(node, "/charter", &charter);
    speak(node, 5);
    let earlier = cluster.folder().join("earlier");
    let _bytes = fetch(node, &format!("/logs/{organization}/checkpoint"), &earlier);
    speak(node, STATEMENTS);
    // Another node serves it just as well.
    cluster.settle(&[0, 1]);
    let files = download(&cluster.nodes[1], organization, &folder);
    // Checkpoint, two bundles, two tiles of level 0, one of level 1.
    assert_eq!(files.len(), 6, "{files:?}");
    let place = folder.display().to_string();

    let good = ours(&place, &charter, Some(&earlier)).expect_success("syndic log verify");
    assert!(good.json()["size"].as_u64().unwrap() > 300);
    let url = format!("{}/logs/{organization}", node.public().url());
    let over_http = ours(&url, &charter, Some(&earlier)).expect_success("syndic log verify URL");
    assert_eq!(over_http.json()["size"], good.json()["size"]);
    // Without a charter it says so.
    let unsigned = node
        .syndic(&["log", "verify", "--json", &place])
        .expect_success("without charter");
    assert_eq!(unsigned.json()["signaturesChecked"], false);
    // Nobody there, nothing there.
    assert_eq!(node.syndic(&["log", "verify", "http://127.0.0.1:9"]).code, Some(5));
    assert_eq!(node.syndic(&["log", "verify", &format!("{place}/none")]).code, Some(1));

    let python_folder = theirs();
    if let Some(python_folder) = &python_folder {
        let theirs = python(python_folder, &folder, &charter, Some(&earlier));
        assert_eq!(theirs.code, Some(0), "{theirs:?}");
        assert_eq!(said(&theirs), said(&good));
    }
    let mut altered = 0;
    let mut both_refuse = |what: &str, earlier: Option<&Path>| {
        let refused = ours(&place, &charter, earlier);
        assert_eq!(refused.code, Some(3), "{what}: {refused:?}");
        assert_eq!(refused.json()["verified"], false);
        if let Some(python_folder) = &python_folder {
            let theirs = python(python_folder, &folder, &charter, earlier);
            assert_eq!(theirs.code, Some(3), "{what}: {theirs:?}");
        }
        altered += 1;
    };
    for file in &files {
        let path = folder.join(file);
        let bytes = std::fs::read(&path).unwrap();
        // Somewhere in the middle and at both ends; of the checkpoint, in every line, and there in the signature.
        let places: Vec<usize> = if file == Path::new("checkpoint") {
            let ends = (0..bytes.len()).filter(|at| bytes[*at] == b'\n' && bytes[at - 1] != b'\n');
            ends.map(|end| {
                let length = bytes[..end].iter().rev().take_while(|byte| **byte != b'\n').count();
                end - length.min(20)
            })
            .collect()
        } else {
            vec![0, bytes.len() / 2, bytes.len() - 1]
        };
        for place in places {
            let mut bent = bytes.clone();
            bent[place] = if bent[place] == b'A' { b'B' } else { b'A' };
            std::fs::write(&path, &bent).unwrap();
            both_refuse(&format!("{} at {place}", file.display()), None);
        }
        std::fs::write(&path, &bytes[..bytes.len() - 1]).unwrap();
        both_refuse(&format!("{} cut", file.display()), None);
        std::fs::write(&path, &bytes).unwrap();
    }
    // An earlier checkpoint that this log does not continue: the root is another.
    let text = std::fs::read_to_string(&earlier).unwrap();
    let root = text.lines().nth(2).unwrap();
    let other = format!("{}{}", if root.starts_with('A') { 'B' } else { 'A' }, &root[1..]);
    let forged = cluster.folder().join("forged");
    std::fs::write(&forged, text.replace(root, &other)).unwrap();
    both_refuse("an earlier checkpoint with another root", Some(&forged));
    println!(
        "{} files of {} entries; {altered} alterations, all refused by syndic{}",
        files.len(),
        good.json()["size"],
        if python_folder.is_some() {
            " and in Python"
        } else {
            "; Python was skipped"
        },
    );
    // All is as it was.
    let _again = ours(&place, &charter, Some(&earlier)).expect_success("syndic log verify");
}
