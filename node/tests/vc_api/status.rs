//! Revocation, suspension and its end, here and at another node.

use std::collections::BTreeSet;
use std::io::Read as _;

use flate2::read::GzDecoder;
use multibase::Base;
use serde_json::{Value, json};

use crate::harness::{Node, credential, eventually, nodes, usual};

fn both() -> Value {
    json!({ "statusPurposes": ["revocation", "suspension"] })
}

fn change(purpose: &str, status: impl Into<Value>, id: &Value) -> Value {
    json!({
        "credentialId": id,
        "credentialStatus": { "type": "BitstringStatusListEntry", "statusPurpose": purpose },
        "status": status.into(),
    })
}

fn path_of(list: &str) -> String {
    format!("/status-lists/{}", list.rsplit('/').next().unwrap())
}

/// The bit of an entry in the list that strangers fetch.
fn bit(node: &Node, entry: &Value) -> bool {
    let list = node.fetch(&path_of(entry["statusListCredential"].as_str().unwrap()), "*/*");
    assert!(list.cache_control.starts_with("max-age="), "{list:?}");
    let list = list.expect(200, "the list");
    assert_eq!(list["id"], entry["statusListCredential"]);
    assert_eq!(list["credentialSubject"]["type"], "BitstringStatusList");
    assert_eq!(list["credentialSubject"]["statusPurpose"], entry["statusPurpose"]);
    assert!(list["credentialSubject"]["ttl"].as_u64().unwrap() > 0);
    let types = list["type"].as_array().unwrap();
    assert!(types.contains(&json!("BitstringStatusListCredential")), "{types:?}");
    let encoded = list["credentialSubject"]["encodedList"].as_str().unwrap();
    let compressed = Base::Base64Url.decode(encoded.strip_prefix('u').unwrap()).unwrap();
    let mut bits = Vec::new();
    GzDecoder::new(compressed.as_slice()).read_to_end(&mut bits).unwrap();
    assert!(bits.len() * 8 >= 131_072);
    let index: usize = entry["statusListIndex"].as_str().unwrap().parse().unwrap();
    bits[index / 8] & (0x80 >> (index % 8)) != 0
}

#[test]
fn the_status_instance_adds_a_revocation_entry() {
    let node = usual();
    let issued = node.issue("status", credential(&node.did));
    let entry = &issued["credentialStatus"];
    let (list, index) = (
        entry["statusListCredential"].as_str().unwrap(),
        entry["statusListIndex"].as_str().unwrap(),
    );
    assert_eq!(entry["type"], "BitstringStatusListEntry");
    assert_eq!(entry["statusPurpose"], "revocation");
    assert_eq!(entry["id"], format!("{list}#{index}"));
    node.verify(&issued).expect(200, "before");
    assert!(!bit(&node, entry));
    let answer = node
        .admin("/credentials/status", &change("revocation", true, &issued["id"]))
        .expect(200, "revoke");
    assert_eq!(answer["status"], "revoked");
    assert!(bit(&node, entry));
    let refused = node.verify(&issued).expect(400, "after");
    assert_eq!(refused["problemDetails"][0]["code"], "revoked");
    // Said again, nothing changes.
    let again = node
        .admin("/credentials/status", &change("revocation", true, &issued["id"]))
        .expect(200, "again");
    assert_eq!(again["statement"], Value::Null);
}

#[test]
fn entries_are_drawn_at_random_and_once() {
    let node = usual();
    let mut seen = BTreeSet::new();
    let mut ascending = true;
    let mut last = 0;
    for _ in 0..32 {
        let issued = node.issue("status", credential(&node.did));
        let index: u64 = issued["credentialStatus"]["statusListIndex"]
            .as_str()
            .unwrap()
            .parse()
            .unwrap();
        assert!(index < 131_072);
        assert!(seen.insert(index), "an index given twice");
        ascending &= index > last;
        last = index;
    }
    assert!(
        !ascending,
        "thirty-two indices in ascending order are not drawn at random"
    );
}

#[test]
fn what_cannot_be_said() {
    let node = usual();
    let issued = node.issue("status", credential(&node.did));
    let plain = node.issue("eddsa-jcs-2022", credential(&node.did));
    let id = &issued["id"];
    let mut wrong_type = change("revocation", true, id);
    wrong_type["credentialStatus"]["type"] = json!("StatusList2021Entry");
    let mut no_entry = change("revocation", true, id);
    no_entry.as_object_mut().unwrap().remove("credentialStatus");
    for (name, body, status, member) in [
        (
            "a revocation taken back",
            change("revocation", false, id),
            400,
            "/status",
        ),
        ("no status", change("revocation", Value::Null, id), 400, "/status"),
        (
            "a purpose that is none",
            change("refresh", true, id),
            400,
            "/credentialStatus/statusPurpose",
        ),
        (
            "a purpose without an entry",
            change("suspension", true, id),
            400,
            "/credentialStatus/statusPurpose",
        ),
        (
            "a credential without entries",
            change("revocation", true, &plain["id"]),
            400,
            "/credentialStatus/statusPurpose",
        ),
        ("another type", wrong_type, 400, "/credentialStatus/type"),
        ("no entry named", no_entry, 400, "/credentialStatus"),
        ("no id", change("revocation", true, &Value::Null), 400, "/credentialId"),
        (
            "an unknown id",
            change("revocation", true, &json!("urn:uuid:none")),
            404,
            "no credential",
        ),
    ] {
        let problem = node.admin("/credentials/status", &body).expect(status, name);
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.starts_with(member), "{name}: {detail}");
    }
    node.verify(&issued).expect(200, "nothing was said");
    // A revocation is not taken back, and a credential that is revoked stays revoked.
    node.admin("/credentials/status", &change("revocation", true, id))
        .expect(200, "revoke");
    node.admin("/credentials/status", &change("revocation", false, id))
        .expect(400, "taken back");
    node.verify(&issued).expect(400, "still revoked");
}

#[test]
fn entries_are_for_credentials_of_the_organization() {
    let node = usual();
    let path = "/issuers/ecdsa-jcs-2019-p256/credentials/issue";
    let document = credential(&node.issuer("ecdsa-jcs-2019-p256"));
    let problem = node
        .admin(path, &json!({ "credential": document, "options": both() }))
        .expect(400, "a list speaks for its organization");
    assert!(
        problem["detail"]
            .as_str()
            .unwrap()
            .starts_with("/options/statusPurposes")
    );
    let mut chosen = credential(&node.did);
    chosen["credentialStatus"] = json!({ "type": "BitstringStatusListEntry" });
    let problem = node
        .admin("/issuers/status/credentials/issue", &json!({ "credential": chosen }))
        .expect(400, "the node chooses");
    assert!(
        problem["detail"]
            .as_str()
            .unwrap()
            .starts_with("/credential/credentialStatus")
    );
}

#[test]
fn suspended_and_resumed_at_another_node() {
    let nodes = nodes(&["St. Mary", "Nordstadt"], |text| text);
    let (here, there) = (&nodes[0], &nodes[1]);
    let issued = here.issue_with("status", credential(&here.did), both());
    let entries = issued["credentialStatus"].as_array().unwrap();
    assert_eq!(entries.len(), 2);
    assert_eq!(entries[0]["statusPurpose"], "revocation");
    assert_eq!(entries[1]["statusPurpose"], "suspension");
    assert_ne!(entries[0]["statusListCredential"], entries[1]["statusListCredential"]);
    let becomes = |what: &str, status: u16, code: Option<&str>| {
        eventually(what, || {
            let answer = there.verify(&issued);
            let found = serde_json::from_str::<Value>(&answer.text).unwrap()["problemDetails"][0]["code"].clone();
            let fits = answer.status == status && code.is_none_or(|code| found == code);
            if fits { Ok(()) } else { Err(answer.text) }
        });
    };
    let say = |purpose: &str, status: bool| {
        let answer = here.admin("/credentials/status", &change(purpose, status, &issued["id"]));
        answer.expect(200, purpose)["status"].as_str().unwrap().to_owned()
    };
    becomes("known there", 200, None);
    assert_eq!(say("suspension", true), "suspended");
    assert!(bit(here, &entries[1]) && !bit(here, &entries[0]));
    becomes("suspended there", 400, Some("suspended"));
    assert_eq!(say("suspension", false), "valid");
    assert!(!bit(here, &entries[1]));
    becomes("resumed there", 200, None);
    assert_eq!(say("suspension", true), "suspended");
    assert_eq!(say("revocation", true), "revoked");
    becomes("revoked there", 400, Some("revoked"));
    // The end of the suspension is not the end of the revocation.
    assert_eq!(say("suspension", false), "revoked");
    becomes("revoked for good", 400, Some("revoked"));
}

#[test]
fn the_same_bits_as_a_token() {
    let node = usual();
    let issued = node.issue("status", credential(&node.did));
    let entry = &issued["credentialStatus"];
    let list = entry["statusListCredential"].as_str().unwrap();
    let index: u64 = entry["statusListIndex"].as_str().unwrap().parse().unwrap();
    let token_bit = || {
        let answer = node.fetch(&path_of(list), "application/statuslist+jwt");
        assert_eq!(answer.status, 200, "{answer:?}");
        assert_eq!(answer.content_type, "application/statuslist+jwt");
        let payload = answer.text.split('.').nth(1).unwrap();
        let claims: Value = serde_json::from_slice(&Base::Base64Url.decode(payload).unwrap()).unwrap();
        assert_eq!(claims["sub"], list);
        assert_eq!(claims["status_list"]["bits"], 1);
        let bits = syndic_vc::status::token::decode(claims["status_list"]["lst"].as_str().unwrap()).unwrap();
        bits.get(index).unwrap()
    };
    assert!(!token_bit());
    node.admin("/credentials/status", &change("revocation", true, &issued["id"]))
        .expect(200, "revoke");
    assert!(token_bit() && bit(&node, entry));
}
