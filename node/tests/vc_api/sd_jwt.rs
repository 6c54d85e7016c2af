//! SD-JWT credentials: issued, shown in part, verified.

use serde_json::{Value, json};
use syndic_node::clock;
use syndic_vc::key::SecretKey;
use syndic_vc::{did_key, sd_jwt};

use crate::harness::{Node, usual};

fn holder() -> SecretKey {
    SecretKey::from_seed(zeroize::Zeroizing::new([9; 32]))
}

fn request() -> Value {
    json!({
        "vct": "https://example.com/nurse",
        "claims": { "name": "Alice", "ward": { "name": "3B", "beds": 12 } },
        "disclosable": ["/name", "/ward/beds"],
        "holder": did_key::for_key(holder().public_key()).as_str(),
    })
}

fn issued(node: &Node) -> String {
    let answer = node.admin("/sd-jwt/issue", &request()).expect(201, "issued");
    answer["sdJwt"].as_str().unwrap().to_owned()
}

#[test]
fn a_part_is_shown_to_one_who_asked() {
    let node = usual();
    let whole = issued(&node);
    let answer = node
        .ask("/sd-jwt/verify", &json!({ "sdJwt": whole }))
        .expect(200, "as it was issued");
    assert_eq!(answer["claims"]["name"], "Alice");
    assert_eq!(answer["claims"]["ward"], json!({ "name": "3B", "beds": 12 }));
    assert_eq!(answer["issuer"], node.did.as_str());
    assert_eq!(answer["holderKey"], Value::Null, "nobody showed it");
    let challenge = node.ask("/challenges", &json!({})).expect(200, "challenge")["challenge"].clone();
    let shown = sd_jwt::present(&whole, &["/name"]).unwrap();
    let bound = sd_jwt::bind(&shown, challenge.as_str().unwrap(), &node.did, clock::now(), &holder()).unwrap();
    let stranger = SecretKey::from_seed(zeroize::Zeroizing::new([8; 32]));
    let stolen = sd_jwt::bind(&shown, challenge.as_str().unwrap(), &node.did, clock::now(), &stranger).unwrap();
    let ask = |text: &str| {
        let body = json!({ "sdJwt": text, "options": { "challenge": challenge } });
        node.ask("/sd-jwt/verify", &body)
    };
    for (name, text) in [
        ("not bound", shown.as_str()),
        ("bound by a stranger", stolen.as_str()),
        ("no SD-JWT", "x"),
    ] {
        let body = ask(text).expect(400, name);
        assert_eq!(body["verified"], false, "{name}");
    }
    let answer = ask(&bound).expect(200, "bound");
    assert_eq!(answer["claims"]["name"], "Alice");
    assert_eq!(
        answer["claims"]["ward"],
        json!({ "name": "3B" }),
        "what was withheld is not there"
    );
    assert_eq!(answer["holderKey"]["crv"], "Ed25519");
    ask(&bound).expect(400, "the challenge is used up");
}

#[test]
fn what_cannot_be_issued() {
    let node = usual();
    for (name, member, value) in [
        ("no type", "vct", json!(null)),
        ("claims no object", "claims", json!([])),
        ("an issuer of its own", "claims", json!({ "iss": "did:key:z6Mk" })),
        ("a pointer to nothing", "disclosable", json!(["/none"])),
        ("pointers no list", "disclosable", json!("/name")),
        ("a holder that is no DID", "holder", json!("alice")),
        ("an end before now", "validUntil", json!("2020-01-01T00:00:00Z")),
        ("an unknown member", "unknown", json!(1)),
    ] {
        let mut body = request();
        body[member] = value;
        node.admin("/sd-jwt/issue", &body).expect(400, name);
    }
    node.admin("/sd-jwt/issue", &request()).expect(201, "the twin");
    for (name, body) in [
        ("nothing", json!({})),
        ("no text", json!({ "sdJwt": 4 })),
        ("options no object", json!({ "sdJwt": "x", "options": [] })),
        (
            "no challenge in them",
            json!({ "sdJwt": issued(&node), "options": { "domain": node.did } }),
        ),
    ] {
        let body = node.ask("/sd-jwt/verify", &body).expect(400, name);
        assert_eq!(body["verified"], false, "{name}");
    }
}
