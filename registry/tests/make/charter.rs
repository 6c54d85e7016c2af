//! Vectors of `specs/vectors/charter`.

use syndic_registry::charter::{Charter, Endpoints, Founding, MemberCard, Rules};
use syndic_vc::json::{self, Object, Value};
use syndic_vc::{did_key, object};

use super::{Made, founded, founding, judged, key, text_vector};

fn value() -> Value {
    json::parse(founded().bytes()).unwrap()
}

fn input(name: &'static str, charter: Value, refused: Option<&str>) -> Made {
    let mut vector = object! { "kind": "charter" };
    vector.as_object_mut().unwrap().insert("input", charter);
    ("charter", name, judged(vector, refused))
}

fn accepted(name: &'static str, charter: &Charter) -> Made {
    let (kind, name, mut vector) = input(name, json::parse(charter.bytes()).unwrap(), None);
    vector.as_object_mut().unwrap().insert("id", charter.id());
    (kind, name, vector)
}

/// Refused with a member of the charter set.
fn set(name: &'static str, member: &str, to: impl Into<Value>, reason: &str) -> Made {
    let mut charter = value();
    charter.as_object_mut().unwrap().insert(member, to);
    input(name, charter, Some(reason))
}

/// Refused with something done to the second card.
fn carded(name: &'static str, change: impl FnOnce(&mut Object), reason: &str) -> Made {
    let mut charter = value();
    let cards = charter.as_object_mut().unwrap().get_mut("members").unwrap();
    change(cards.as_array_mut().unwrap()[1].as_object_mut().unwrap());
    input(name, charter, Some(reason))
}

/// Refused because the second card, well signed, uses what others use.
fn reused(name: &'static str, seeds: [u8; 3], called: &str, peer: Option<&str>, reason: &str) -> Made {
    let [credential, root, log] = seeds;
    let did = did_key::for_key(key(credential).public_key());
    let peers: Vec<String> = peer.into_iter().map(str::to_owned).collect();
    let log = key(log);
    let card = MemberCard::sign(
        &did,
        called,
        log.public_key(),
        &peers,
        &Endpoints::default(),
        &key(root),
    )
    .unwrap();
    let mut charter = value();
    let cards = charter.as_object_mut().unwrap().get_mut("members").unwrap();
    cards.as_array_mut().unwrap()[1] = card.to_value();
    input(name, charter, Some(reason))
}

pub fn all() -> Vec<Made> {
    let alone = Charter::found(&Founding {
        members: founding().members[..1].to_vec(),
        rules: Rules {
            threshold: 1,
            witnesses: 0,
            max_staleness: 5,
            endorsements: 1,
        },
        ..founding()
    });
    let spread = String::from_utf8(founded().bytes().to_vec())
        .unwrap()
        .replace("\",\"", "\",\n  \"");
    let mut spread = judged(text_vector("charter", "text", &spread), None);
    spread.as_object_mut().unwrap().insert("id", founded().id());
    let mut all = vec![
        accepted("three-founders", &founded()),
        accepted("one-founder", &alone.unwrap()),
        ("charter", "white-space-does-not-change-the-id", spread),
    ];
    all.extend(rules());
    all.extend(cards());
    all
}

fn rules() -> Vec<Made> {
    let twice = String::from_utf8(founded().bytes().to_vec()).unwrap();
    let twice = twice.replacen("\"created\"", "\"name\":\"Another\",\"created\"", 1);
    let mut open = value();
    open.as_object_mut().unwrap().remove("threshold");
    vec![
        set("threshold-of-half", "threshold", 1, "/threshold"),
        set("threshold-above-all", "threshold", 4, "/threshold"),
        input("threshold-missing", open, Some("/threshold")),
        set("witnesses-as-many-as-members", "witnesses", 3, "/witnesses"),
        set("endorsements-none", "endorsements", 0, "/endorsements"),
        set("staleness-of-two-days", "maxStaleness", 172_800, "/maxStaleness"),
        set("version-2", "version", 2, "version 2"),
        set("member-unknown", "quorum", 2, "/quorum"),
        set(
            "created-with-a-fraction",
            "created",
            "2026-11-24T22:50:53.5Z",
            "/created",
        ),
        set(
            "created-with-an-offset",
            "created",
            "2026-11-24T23:50:53+01:00",
            "/created",
        ),
        set(
            "name-that-changes-direction",
            "name",
            "Hospitals \u{202e}tsaoc eht fo",
            "/name",
        ),
        set("name-not-composed", "name", "Zoe\u{308}", "/name"),
        set("no-members", "members", Value::Array(Vec::new()), "/members"),
        (
            "charter",
            "member-twice",
            judged(text_vector("charter", "text", &twice), Some("appears twice")),
        ),
    ]
}

fn cards() -> Vec<Made> {
    let strange = key(99).public_key().to_multikey();
    let p256 = "zDnaerDaTF5BXEavCrfRZEk316dpbLsfPDZ3WJ5hRTPFU2169";
    let unsigned = "not signed by the root key";
    let first = founding().members[0].clone();
    let peer = first.peer_ids()[0].clone();
    let proof = first.to_value().get("proof").unwrap().clone();
    let other_log = strange.clone();
    vec![
        carded(
            "card-with-another-log-key",
            |c| drop(c.insert("logKey", other_log)),
            unsigned,
        ),
        carded(
            "card-with-another-root-key",
            |c| drop(c.insert("rootKey", strange)),
            unsigned,
        ),
        carded(
            "card-with-another-name",
            |c| drop(c.insert("name", "Hospital D")),
            unsigned,
        ),
        carded(
            "card-with-another-did",
            |c| drop(c.insert("did", &did_key::for_key(key(99).public_key()))),
            unsigned,
        ),
        carded(
            "card-with-another-peer",
            |c| drop(c.insert("peerIds", Value::Array(Vec::new()))),
            unsigned,
        ),
        carded(
            "card-with-another-address",
            |c| drop(c.insert("endpoints", object! { "peer": Value::Array(vec![]) })),
            unsigned,
        ),
        carded(
            "card-with-the-proof-of-another",
            |c| drop(c.insert("proof", proof)),
            unsigned,
        ),
        carded("card-with-an-empty-proof", |c| drop(c.insert("proof", "z")), unsigned),
        carded("card-without-proof", |c| drop(c.remove("proof")), "/members/1/proof"),
        carded(
            "card-with-an-unknown-member",
            |c| drop(c.insert("phone", "1")),
            "/members/1/phone",
        ),
        carded(
            "card-with-a-did-of-another-method",
            |c| drop(c.insert("did", "did:web:b.example")),
            "did:key",
        ),
        carded(
            "card-with-a-did-of-another-key-type",
            |c| drop(c.insert("did", format!("did:key:{p256}"))),
            "did:key",
        ),
        carded(
            "card-with-a-log-key-of-another-type",
            |c| drop(c.insert("logKey", p256)),
            "/members/1/logKey",
        ),
        carded(
            "card-with-a-weak-root-key",
            |c| drop(c.insert("rootKey", weak())),
            "/members/1/rootKey",
        ),
        carded(
            "card-with-a-malformed-peer-id",
            |c| drop(c.insert("peerIds", vec!["QmO0"])),
            "/members/1/peerIds/0",
        ),
        carded(
            "card-with-a-malformed-url",
            |c| {
                drop(c.insert(
                    "endpoints",
                    object! { "http": "https://b.example/", "peer": Value::Array(vec![]) },
                ))
            },
            "/members/1/endpoints/http",
        ),
        reused("root-key-of-another-member", [50, 11, 52], "B", None, "is used twice"),
        reused("log-key-of-another-member", [50, 51, 12], "B", None, "is used twice"),
        reused("did-of-another-member", [10, 51, 52], "B", None, "is used twice"),
        reused("root-key-that-is-a-log-key", [50, 32, 52], "B", None, "is used twice"),
        reused("one-key-for-everything", [50, 50, 50], "B", None, "is used twice"),
        reused(
            "name-of-another-member",
            [50, 51, 52],
            "Hospital A",
            None,
            "is used twice",
        ),
        reused(
            "peer-of-another-member",
            [50, 51, 52],
            "B",
            Some(&peer),
            "is used twice",
        ),
    ]
}

/// The multikey of a point of small order.
fn weak() -> String {
    let mut bytes = vec![0xed, 0x01, 1];
    bytes.resize(34, 0);
    multibase::encode(multibase::Base::Base58Btc, bytes)
}
