//! The HTTP contract as files of requests, run against a real node: `tests/http/*.hurl`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout
)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::Value;
use syndic_tests::cluster::Cluster;
use syndic_tests::hurl;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("http")
}

fn variables(cluster: &Cluster) -> BTreeMap<String, Value> {
    let node = &cluster.nodes[0];
    let all = [
        ("public", node.public().url()),
        ("admin", node.admin().url()),
        ("token", node.token()),
        ("organization", &node.did),
        ("consortium", &cluster.consortium),
        ("stranger", "did:key:z6MkrJVnaZkeFzdQyMZu1cgjg7k1pZZ6pvBQ7XJPt4swbTQ2"),
    ];
    all.map(|(name, value)| (name.to_owned(), value.into())).into()
}

#[test]
fn every_request_of_the_files_is_answered_as_they_say() {
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "hurl"))
        .collect();
    files.sort();
    assert!(!files.is_empty());
    for file in files {
        // Each file has a node of its own, so that none leans on what another left.
        let cluster = Cluster::of(1);
        let passed = hurl::run(&file, variables(&cluster)).unwrap_or_else(|error| panic!("{error}"));
        let name = file.file_name().unwrap().to_string_lossy();
        println!(
            "{name}: {} requests, {} of them refusals",
            passed.requests, passed.refusals
        );
        assert!(passed.refusals > 0, "{name} asks for nothing that must be refused");
    }
}

/// A runner that passes everything would prove nothing.
#[test]
fn the_runner_notices_what_is_wrong() {
    let cluster = Cluster::of(1);
    let temporary = tempfile::tempdir().unwrap();
    let attempt = |text: &str| {
        let file = temporary.path().join("one.hurl");
        std::fs::write(&file, text).unwrap();
        hurl::run(&file, variables(&cluster)).map(|passed| passed.requests)
    };
    assert_eq!(
        attempt("GET {{public}}/healthz\nHTTP 200\n[Asserts]\njsonpath \"$.status\" == \"ok\"\n"),
        Ok(1)
    );
    for wrong in [
        "GET {{public}}/healthz\nHTTP 404\n",
        "GET {{public}}/healthz\n",
        "GET {{nobody}}/healthz\nHTTP 200\n",
        "GET {{public}}/healthz\nHTTP 200\n[Asserts]\njsonpath \"$.status\" == \"bad\"\n",
        "GET {{public}}/healthz\nHTTP 200\n[Asserts]\njsonpath \"$.status\" not exists\n",
        "GET {{public}}/healthz\nHTTP 200\n[Asserts]\njsonpath \"$.other\" exists\n",
        "GET {{public}}/healthz\nHTTP 200\n[Asserts]\nheader \"content-type\" contains \"xml\"\n",
        "GET {{public}}/healthz\nHTTP 200\n[Asserts]\nbody contains \"never\"\n",
        "GET {{public}}/healthz\nHTTP 200\n[Captures]\nx: jsonpath \"$.other\"\n",
    ] {
        assert!(attempt(wrong).is_err(), "{wrong}");
    }
}
