//! What is verified, and what is refused.

use serde_json::{Value, json};
use syndic_node::clock;
use syndic_vc::did_key;
use syndic_vc::document::Purpose;
use syndic_vc::key::SecretKey;
use syndic_vc::proof::{self, ProofOptions, Suite};

use crate::harness::{Answer, Node, V2, credential, node, usual};

/// A refusal has the form of the VC API, and says why.
#[track_caller]
fn refused(answer: Answer, name: &str) -> Value {
    assert_eq!(answer.status, 400, "{name}: {}", answer.text);
    let body = answer.json();
    assert_eq!(body["verified"], false, "{name}: {body}");
    let details = body["problemDetails"].as_array().unwrap();
    assert!(!details.is_empty(), "{name}: {body}");
    for detail in details {
        assert!(
            detail["type"].as_str().unwrap().starts_with("https://"),
            "{name}: {detail}"
        );
        for member in ["title", "detail"] {
            assert!(!detail[member].as_str().unwrap().is_empty(), "{name}: {detail}");
        }
    }
    body
}

const PROOF_ERROR: &str = "https://w3id.org/security#PROOF_VERIFICATION_ERROR";

#[test]
fn the_request_itself() {
    let node = usual();
    let good = node.issue("eddsa-jcs-2022", credential(&node.did));
    for path in ["/credentials/verify", "/presentations/verify"] {
        let member = if path.starts_with("/c") {
            "verifiableCredential"
        } else {
            "verifiablePresentation"
        };
        for (name, body) in [
            ("nothing in it", json!({})),
            ("a list", json!([])),
            ("a string", json!("x")),
            ("null", json!(null)),
            ("document null", json!({ member: null })),
            ("document a string", json!({ member: "x" })),
            ("document a list", json!({ member: [good] })),
            ("document a number", json!({ member: 4 })),
            ("document empty", json!({ member: {}, "options": { "challenge": "c" } })),
            ("options a list", json!({ member: good, "options": [] })),
        ] {
            refused(node.ask(path, &body), name);
        }
        for text in ["", "{", "{\"a\":1,\"a\":2}"] {
            let body = refused(node.ask_text(path, text), text);
            let parsing = "https://www.w3.org/TR/vc-data-model#PARSING_ERROR";
            assert_eq!(body["problemDetails"][0]["type"], parsing, "{text}");
        }
    }
    for options in [
        json!({}),
        json!({ "checks": ["proof"] }),
        json!({ "checks": [] }),
        json!({ "checks": "none", "unknown": { "x": 1 } }),
    ] {
        let body = json!({ "verifiableCredential": good, "options": options });
        let answer = node.ask("/credentials/verify", &body).expect(200, "options");
        assert_eq!(answer["verified"], true);
    }
}

#[test]
fn checks_asked_for_are_never_the_only_ones() {
    let node = usual();
    let mut document = credential(&node.did);
    document["validFrom"] = json!("2020-01-01T00:00:00Z");
    document["validUntil"] = json!("2020-01-02T00:00:00Z");
    let expired = node.issue("eddsa-jcs-2022", document.clone());
    let body = json!({ "verifiableCredential": expired, "options": { "checks": ["proof"] } });
    let answer = refused(node.ask("/credentials/verify", &body), "expired");
    assert_eq!(answer["problemDetails"][0]["code"], "expired");
    document["validUntil"] = json!("2120-01-02T00:00:00Z");
    node.verify(&node.issue("eddsa-jcs-2022", document))
        .expect(200, "the twin");
}

fn altered(document: &Value, pointer: &str, value: &Value) -> Value {
    let mut altered = document.clone();
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    let members = altered.pointer_mut(parent).unwrap().as_object_mut().unwrap();
    if value == "(left out)" {
        members.remove(name);
    } else {
        members.insert(name.to_owned(), value.clone());
    }
    altered
}

/// Each changes one thing about a credential that verifies.
fn alterations(other: &str) -> Vec<(&'static str, &'static str, Value)> {
    let gone = json!("(left out)");
    vec![
        ("no proof", "/proof", gone.clone()),
        ("proof null", "/proof", json!(null)),
        ("proof empty", "/proof", json!({})),
        ("proof an empty list", "/proof", json!([])),
        ("proof a string", "/proof", json!("z3MvGX")),
        ("proof type missing", "/proof/type", gone.clone()),
        ("proof type unknown", "/proof/type", json!("UnknownProof")),
        ("cryptosuite missing", "/proof/cryptosuite", gone.clone()),
        ("cryptosuite unknown", "/proof/cryptosuite", json!("eddsa-2099")),
        ("verificationMethod missing", "/proof/verificationMethod", gone.clone()),
        (
            "verificationMethod unknown",
            "/proof/verificationMethod",
            json!("did:key:z6Mk#nothing"),
        ),
        (
            "verificationMethod relative",
            "/proof/verificationMethod",
            json!("#key-1"),
        ),
        ("proofPurpose missing", "/proof/proofPurpose", gone.clone()),
        ("proofPurpose unknown", "/proof/proofPurpose", json!("admiration")),
        ("another purpose", "/proof/proofPurpose", json!("authentication")),
        ("proofValue missing", "/proof/proofValue", gone.clone()),
        ("proofValue a number", "/proof/proofValue", json!(4)),
        ("created no time", "/proof/created", json!("yesterday")),
        ("previousProof unknown", "/proof/previousProof", json!("urn:uuid:none")),
        ("altered claim", "/credentialSubject/name", json!("Mallory")),
        ("claim added", "/credentialSubject/doctor", json!(true)),
        ("term added", "/noSuchTerm", json!("x")),
        ("type added", "/type", json!(["VerifiableCredential", "NoSuchType"])),
        ("relative id", "/id", json!("relative")),
        ("another issuer", "/issuer", json!(other)),
        ("issuer without a key", "/issuer", json!("https://example.com/issuer")),
    ]
}

#[test]
fn what_was_changed_after_signing() {
    let node = usual();
    let other = node.issuer("jose-p256");
    for instance in [
        "eddsa-jcs-2022",
        "eddsa-rdfc-2022",
        "ecdsa-jcs-2019-p256",
        "ecdsa-jcs-2019-p384",
        "ecdsa-rdfc-2019-p256",
        "ecdsa-rdfc-2019-p384",
    ] {
        let good = node.issue(instance, credential(&node.issuer(instance)));
        let answer = node.verify(&good).expect(200, instance);
        assert_eq!(answer["verified"], true);
        let value = good["proof"]["proofValue"].as_str().unwrap().to_owned();
        let mut changes = alterations(&other);
        changes.push(("proofValue without prefix", "/proof/proofValue", json!(&value[1..])));
        changes.push((
            "proofValue of another base",
            "/proof/proofValue",
            json!(format!("u{}", &value[1..])),
        ));
        changes.push(("proofValue cut", "/proof/proofValue", json!(&value[..value.len() - 2])));
        for (name, pointer, value) in changes {
            let body = refused(node.verify(&altered(&good, pointer, &value)), name);
            if pointer.starts_with("/proof") {
                assert_eq!(
                    body["problemDetails"][0]["type"], PROOF_ERROR,
                    "{instance}: {name}: {body}"
                );
            }
        }
    }
}

fn proof_only(node: &Node, credential: &Value) -> Answer {
    let body = json!({ "verifiableCredential": credential });
    node.ask("/verifiers/proof-only/credentials/verify", &body)
}

#[test]
fn the_proof_only_door_is_closed_unless_it_is_opened() {
    let node = usual();
    let issued = node.issue("eddsa-jcs-2022", credential(&node.did));
    let answer = proof_only(&node, &issued);
    assert_eq!(answer.status, 404, "{}", answer.text);
}

#[test]
fn the_proof_only_door_says_what_it_did_not_check() {
    let node = node(|text| text.replace("proof_only = false", "proof_only = true"));
    let issued = node.issue("status", credential(&node.did));
    let revoke = json!({
        "credentialId": issued["id"],
        "credentialStatus": { "type": "BitstringStatusListEntry", "statusPurpose": "revocation" },
        "status": true,
    });
    node.admin("/credentials/status", &revoke).expect(200, "revoke");
    refused(node.verify(&issued), "the usual door");
    let answer = proof_only(&node, &issued).expect(200, "the proof holds");
    assert_eq!(answer["verified"], true);
    assert_eq!(answer["permission"], "none");
    let unchecked = answer["notChecked"].as_array().unwrap();
    for what in ["issuerKey", "status", "standing"] {
        assert!(unchecked.contains(&json!(what)), "{answer}");
    }
    assert!(answer.get("decision").is_none(), "no decision was made: {answer}");
    let body = refused(
        proof_only(&node, &altered(&issued, "/credentialSubject/name", &json!("Mallory"))),
        "altered",
    );
    assert_eq!(body["problemDetails"][0]["type"], PROOF_ERROR);
    assert!(!body["notChecked"].as_array().unwrap().is_empty());
}

#[test]
fn a_presentation_and_its_challenge() {
    let node = usual();
    let agent = json!({ "name": "agent", "owner": { "id": "did:web:dana.example" } });
    let agent = node.admin("/agents", &agent).expect(201, "agent");
    let mut document = credential(&node.did);
    document["credentialSubject"]["id"] = agent["agent"]["did"].clone();
    let held = node.issue("eddsa-jcs-2022", document);
    let challenge = || node.ask("/challenges", &json!({})).expect(200, "challenge")["challenge"].clone();
    let present = |challenge: &Value, domain: &str| {
        let body = json!({ "credentials": [held], "challenge": challenge, "domain": domain });
        let path = "/agents/agent/presentations";
        node.admin(path, &body).expect(201, "presentation")["verifiablePresentation"].take()
    };
    let ask = |presentation: &Value, options: Value| {
        let body = json!({ "verifiablePresentation": presentation, "options": options });
        node.ask("/presentations/verify", &body)
    };
    let first = challenge();
    let presentation = present(&first, &node.did);
    refused(ask(&presentation, json!({})), "no challenge");
    refused(
        ask(&presentation, json!({ "challenge": 4 })),
        "a challenge that is no text",
    );
    let body = refused(
        ask(&presentation, json!({ "challenge": challenge() })),
        "another challenge",
    );
    let kind = "https://w3id.org/security#INVALID_CHALLENGE_ERROR";
    assert_eq!(body["problemDetails"][0]["type"], kind);
    let body = refused(
        ask(&present(&first, "did:web:other.example"), json!({ "challenge": first })),
        "made for another",
    );
    let kind = "https://w3id.org/security#INVALID_DOMAIN_ERROR";
    assert_eq!(body["problemDetails"][0]["type"], kind);
    refused(
        ask(
            &presentation,
            json!({ "challenge": first, "domain": "did:web:other.example" }),
        ),
        "asked for another",
    );
    let changed = altered(&presentation, "/proof/created", &json!("2026-01-01T00:00:00Z"));
    refused(ask(&changed, json!({ "challenge": first })), "altered");
    let good = json!({ "challenge": first, "domain": node.did });
    assert_eq!(ask(&presentation, good.clone()).expect(200, "good")["verified"], true);
    refused(ask(&presentation, good), "a challenge used twice");
    let made_up = json!("0123456789abcdef0123456789abcdef");
    refused(
        ask(&present(&made_up, &node.did), json!({ "challenge": made_up })),
        "a challenge that was never handed out",
    );
}

/// A signer of its own, whose proofs stand beside a node's.
fn witness() -> SecretKey {
    SecretKey::from_seed(zeroize::Zeroizing::new([7; 32]))
}

fn options(key: &SecretKey, suite: Suite) -> ProofOptions {
    let did = did_key::for_key(key.public_key());
    let method = format!("{}#{}", did.as_str(), did.method_specific_id());
    ProofOptions::new(Purpose::AssertionMethod, &method, clock::now()).in_suite(suite)
}

fn object(value: &Value) -> syndic_vc::json::Object {
    match syndic_vc::json::parse(value.to_string().as_bytes()).unwrap() {
        syndic_vc::json::Value::Object(object) => object,
        other => panic!("{other:?}"),
    }
}

fn plain(value: &syndic_vc::json::Value) -> Value {
    serde_json::from_slice(&syndic_vc::canonical::to_bytes(value)).unwrap()
}

/// A credential of the witness, with proofs made one after the other.
fn signed(options: &[ProofOptions]) -> Value {
    let key = witness();
    let mut document = object(&credential(did_key::for_key(key.public_key()).as_str()));
    for options in options {
        document = match proof::add(document, options, &key).unwrap() {
            syndic_vc::json::Value::Object(object) => object,
            other => panic!("{other:?}"),
        };
    }
    plain(&document.into())
}

#[test]
fn every_proof_of_a_set_must_hold() {
    let node = usual();
    let key = witness();
    let set = signed(&[options(&key, Suite::EddsaJcs2022), options(&key, Suite::EddsaRdfc2022)]);
    node.verify(&set).expect(200, "a set of two suites");
    for index in 0..2 {
        let mut broken = set.clone();
        let other = set["proof"][1 - index]["proofValue"].clone();
        broken["proof"][index]["proofValue"] = other;
        refused(node.verify(&broken), "one proof of the set does not hold");
    }
    let mut empty = set.clone();
    empty["proof"] = json!([set["proof"][0], {}]);
    refused(node.verify(&empty), "one proof of the set is none");
}

#[test]
fn a_chain_holds_as_a_whole() {
    let node = usual();
    let key = witness();
    let named = |name: &str, previous: &[&str]| {
        let mut options = options(&key, Suite::EddsaJcs2022);
        options.id = Some(name.to_owned());
        options.previous_proof = previous.iter().map(|name| (*name).to_owned()).collect();
        options
    };
    let (first, second, third) = ("urn:uuid:1", "urn:uuid:2", "urn:uuid:3");
    let one = signed(&[named(first, &[]), named(second, &[first])]);
    assert_eq!(one["proof"][1]["previousProof"], first, "one name is a string");
    node.verify(&one).expect(200, "previousProof a string");
    let several = signed(&[named(first, &[]), named(second, &[]), named(third, &[first, second])]);
    assert_eq!(several["proof"][2]["previousProof"], json!([first, second]));
    node.verify(&several).expect(200, "previousProof an array");
    for (name, index, member, value) in [
        ("unknown", 1, "previousProof", json!("urn:uuid:none")),
        ("a number", 1, "previousProof", json!(4)),
        ("an empty list", 1, "previousProof", json!([])),
        ("failing", 0, "proofValue", one["proof"][1]["proofValue"].clone()),
    ] {
        let mut broken = one.clone();
        broken["proof"][index][member] = value;
        refused(node.verify(&broken), name);
    }
    let mut cut = one.clone();
    cut["proof"] = json!([one["proof"][1]]);
    refused(node.verify(&cut), "the previous proof is gone");
}

#[test]
fn credentials_in_envelopes() {
    let node = usual();
    for instance in ["jose", "jose-p256"] {
        let issued = node.issue(instance, credential(&node.issuer(instance)));
        assert_eq!(issued["@context"], V2);
        assert_eq!(issued["type"], "EnvelopedVerifiableCredential");
        let token = issued["id"]
            .as_str()
            .unwrap()
            .strip_prefix("data:application/vc+jwt,")
            .unwrap();
        node.verify(&issued).expect(200, instance);
        let renamed = altered(&issued, "/id", &json!(format!("data:application/jwt,{token}")));
        node.verify(&renamed).expect(200, "data:application/jwt");
        let parts: Vec<&str> = token.split('.').collect();
        let payload = base64(&parts, 1);
        let mallory = encode(&payload.replace("Alice", "Mallory"));
        let none = encode(r#"{"alg":"none","typ":"vc+jwt"}"#);
        for (name, token) in [
            ("altered claim", format!("{}.{mallory}.{}", parts[0], parts[2])),
            ("alg none", format!("{none}.{}.", parts[1])),
            ("no signature", format!("{}.{}.", parts[0], parts[1])),
            ("two parts", format!("{}.{}", parts[0], parts[1])),
            ("no token", String::new()),
        ] {
            let altered = altered(&issued, "/id", &json!(format!("data:application/vc+jwt,{token}")));
            let body = refused(node.verify(&altered), name);
            assert_eq!(body["problemDetails"][0]["type"], PROOF_ERROR, "{name}: {body}");
        }
        for (name, pointer, value) in [
            ("no id", "/id", json!("(left out)")),
            (
                "another media type",
                "/id",
                json!(format!("data:application/vp+jwt,{token}")),
            ),
            ("no data URL", "/id", json!(format!("https://example.com/{token}"))),
            ("another type", "/type", json!("VerifiableCredential")),
        ] {
            refused(node.verify(&altered(&issued, pointer, &value)), name);
        }
    }
}

fn base64(parts: &[&str], index: usize) -> String {
    String::from_utf8(multibase::Base::Base64Url.decode(parts[index]).unwrap()).unwrap()
}

fn encode(text: &str) -> String {
    multibase::Base::Base64Url.encode(text)
}

#[test]
fn a_revoked_credential_in_an_envelope() {
    let node = usual();
    let purposes = json!({ "statusPurposes": ["revocation"] });
    let mut document = credential(&node.did);
    document["id"] = json!("urn:uuid:2f1d1c0e-5d1c-4c61-9a55-0a4d1c1e7b52");
    let issued = node.issue_with("jose", document, purposes);
    node.verify(&issued).expect(200, "before");
    let revoke = json!({
        "credentialId": "urn:uuid:2f1d1c0e-5d1c-4c61-9a55-0a4d1c1e7b52",
        "credentialStatus": { "type": "BitstringStatusListEntry", "statusPurpose": "revocation" },
        "status": true,
    });
    node.admin("/credentials/status", &revoke).expect(200, "revoke");
    let body = refused(node.verify(&issued), "after");
    assert_eq!(body["problemDetails"][0]["code"], "revoked");
}

#[test]
fn presentations_of_every_suite() {
    let node = usual();
    let agent = json!({ "name": "agent", "owner": { "id": "did:web:dana.example" } });
    let agent = node.admin("/agents", &agent).expect(201, "agent");
    let mut document = credential(&node.did);
    document["credentialSubject"]["id"] = agent["agent"]["did"].clone();
    let plain = node.issue("eddsa-rdfc-2022", document.clone());
    document["id"] = json!("urn:uuid:2f1d1c0e-5d1c-4c61-9a55-0a4d1c1e7b53");
    let enveloped = node.issue("jose", document);
    for suite in ["eddsa-jcs-2022", "eddsa-rdfc-2022", "jose"] {
        for held in [&plain, &enveloped] {
            let challenge = node.ask("/challenges", &json!({})).expect(200, "challenge")["challenge"].clone();
            let body = json!({ "credentials": [held], "challenge": challenge, "domain": node.did, "suite": suite });
            let made = node.admin("/agents/agent/presentations", &body).expect(201, suite);
            let presentation = &made["verifiablePresentation"];
            let enveloping = presentation["type"] == "EnvelopedVerifiablePresentation";
            assert_eq!(enveloping, suite == "jose");
            let ask = |challenge: &Value| {
                let options = json!({ "challenge": challenge });
                let body = json!({ "verifiablePresentation": presentation, "options": options });
                node.ask("/presentations/verify", &body)
            };
            refused(ask(&json!("another")), suite);
            ask(&challenge).expect(200, suite);
        }
    }
    let body = json!({ "credentials": [plain], "challenge": "c", "domain": "d", "suite": "ecdsa-jcs-2019" });
    node.admin("/agents/agent/presentations", &body)
        .expect(400, "the agent's key is Ed25519");
}
