//! The registry as plain files: what a stranger with an HTTP client and SHA-256 can check alone.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout
)]

use serde_json::{Value, json};
use syndic_tests::cluster::Cluster;
use syndic_tests::log_files::{self, Hash};
use syndic_tests::scenario::{AGENT, issue, register, revoke};

/// Enough for a full tile and a partial one.
const SPOKEN: usize = 270;

#[test]
fn checkpoint_tiles_and_entries_fit_each_other() {
    let cluster = Cluster::of(2);
    let [home, other] = &cluster.nodes[..] else {
        panic!("two nodes")
    };
    let agent = register(home, AGENT);
    let credential = issue(home, AGENT);
    revoke(home, &credential);
    for index in 0..SPOKEN {
        let body = json!({"entity": other.did, "action": "read", "resource": format!("archive/{index}")});
        let _statement = home.admin().post("/registry/authorize", &body).expect(200);
    }
    cluster.settle(&[0, 1]);

    let (own, entries) = log_files::checked_entries(home, &home.did);
    let (copy, copied) = log_files::checked_entries(other, &home.did);
    assert_eq!(own.origin, format!("syndic/{}/{}", cluster.consortium, home.did));
    assert_eq!(
        (own.size, own.root, &entries),
        (copy.size, copy.root, &copied),
        "two members, two stories"
    );
    assert!(own.size > SPOKEN as u64);
    // Two lines by the log key: the signature of the checkpoint, and the cosignature that says when.
    for checkpoint in [&own, &copy] {
        let own_lines: Vec<_> = checkpoint
            .signatures
            .iter()
            .filter(|(name, _)| *name == own.origin)
            .collect();
        let mut lengths: Vec<usize> = own_lines.iter().map(|(_, bytes)| bytes.len()).collect();
        lengths.sort_unstable();
        assert_eq!(
            lengths,
            [4 + 64, 4 + 8 + 64],
            "key id and signature; key id, time and signature"
        );
    }
    statements(&entries, &agent, &credential);
    tiles(&cluster, own.size, &entries);
    refusals(&cluster, own.size);
}

/// The entries are JSON that says what happened.
fn statements(entries: &[Vec<u8>], agent: &str, credential: &Value) {
    let statements: Vec<Value> = entries
        .iter()
        .map(|entry| serde_json::from_slice(entry).unwrap())
        .collect();
    let of = |kind: &str| {
        statements
            .iter()
            .filter(|one| one["kind"] == kind)
            .cloned()
            .collect::<Vec<_>>()
    };
    assert_eq!(statements[0]["kind"], "profile");
    assert_eq!(of("agentRegistered")[0]["agent"], agent);
    let status = &credential["credentialStatus"];
    let index: u64 = status["statusListIndex"].as_str().unwrap().parse().unwrap();
    let changed = of("statusChanged");
    assert_eq!(changed[0]["list"], status["statusListCredential"]);
    assert_eq!(changed[0]["set"], json!([index]));
    // A log is for everybody: no person's name, and no credential, stands in it.
    let all = String::from_utf8(entries.concat()).unwrap();
    assert!(!all.contains("Dana Reyes") && !all.contains(credential["id"].as_str().unwrap()));
}

/// The hash tiles are the hashes of the entries.
fn tiles(cluster: &Cluster, size: u64, entries: &[Vec<u8>]) {
    let leaves: Vec<Hash> = entries.iter().map(|entry| log_files::leaf(entry)).collect();
    let home = &cluster.nodes[0];
    for (index, width) in log_files::tiles(size) {
        let path = format!("/logs/{}/tile/0/{}", home.did, log_files::tile_path(index, width));
        let answer = home.public().get(&path);
        assert_eq!(answer.status, 200, "{path}");
        let from = usize::try_from(index * 256).unwrap();
        let expected = leaves[from..from + usize::try_from(width).unwrap()].concat();
        assert_eq!(answer.body, expected, "{path}");
    }
    let above = home
        .public()
        .get(&format!("/logs/{}/tile/1/{}", home.did, log_files::tile_path(0, 1)));
    assert_eq!(above.status, 200, "{}", above.text());
    assert_eq!(above.body, log_files::root(&leaves[..256]));
    assert!(above.body.len() == 32 && size < 512);
}

/// Nothing is served that no head covers, and no file has two names.
fn refusals(cluster: &Cluster, size: u64) {
    let home = &cluster.nodes[0];
    let beyond = log_files::tile_path(size / 256, size % 256 + 1);
    for path in [
        format!("tile/entries/{beyond}"),
        format!("tile/0/{beyond}"),
        "tile/entries/002".to_owned(),
    ] {
        assert_eq!(
            home.public().get(&format!("/logs/{}/{path}", home.did)).status,
            404,
            "{path}"
        );
    }
    for path in [
        "tile/entries/0",
        "tile/entries/000.p/256",
        "tile/entries/x000/000",
        "checkpoint/",
        "tile/0/000.p/0",
    ] {
        let status = home.public().get(&format!("/logs/{}/{path}", home.did)).status;
        assert!((400..500).contains(&status), "{path}: {status}");
    }
}

#[test]
fn the_charter_is_a_file_that_names_itself() {
    let cluster = Cluster::of(2);
    let answer = cluster.nodes[1].public().get("/charter");
    assert_eq!(answer.status, 200);
    // The consortium's id is the hash of these very bytes: multibase, multihash, SHA-256.
    let digest: Hash = sha2::Digest::finalize(<sha2::Sha256 as sha2::Digest>::new_with_prefix(&answer.body)).into();
    let id = multibase::encode(multibase::Base::Base58Btc, [&[0x12, 0x20], &digest[..]].concat());
    assert_eq!(id, cluster.consortium);
    assert_eq!(answer.body, std::fs::read(&cluster.charter).unwrap());
    let members = answer.json()["members"].as_array().unwrap().len();
    assert_eq!(members, 2);
}

#[test]
fn did_documents_and_status_lists_are_files_too() {
    let cluster = Cluster::of(1);
    let node = &cluster.nodes[0];
    let agent = register(node, AGENT);
    let credential = issue(node, AGENT);
    let result = node.public().get(&format!("/1.0/identifiers/{agent}"));
    assert_eq!(
        (result.status, result.content_type.as_str()),
        (200, "application/did-resolution")
    );
    assert_eq!(result.json()["didDocument"]["id"], agent.as_str());
    // The percent-encoded form is the same resource.
    assert_eq!(
        node.public()
            .get(&format!("/1.0/identifiers/{}", agent.replace(':', "%3A")))
            .json(),
        result.json()
    );

    let list = credential["credentialStatus"]["statusListCredential"].as_str().unwrap();
    let path = list
        .strip_prefix(node.public().url())
        .expect("the list lies at the node's public URL");
    let document = node.public().get(path).expect(200);
    assert_eq!(
        document["type"],
        json!(["VerifiableCredential", "BitstringStatusListCredential"])
    );
    assert_eq!(document["issuer"], node.did.as_str());
    assert_eq!(document["credentialSubject"]["type"], "BitstringStatusList");
    assert_eq!(document["credentialSubject"]["statusPurpose"], "revocation");
    let before = document["credentialSubject"]["encodedList"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(before.starts_with('u'));
    let verified = node
        .public()
        .post("/credentials/verify", &json!({"verifiableCredential": document}));
    verified.expect_allowed();
    revoke(node, &credential);
    let after = node.public().get(path).expect(200);
    assert_ne!(
        after["credentialSubject"]["encodedList"],
        before.as_str(),
        "a revocation must show in the list"
    );
}
