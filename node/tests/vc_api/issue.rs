//! What is issued, and what is refused when it is to be issued.

use serde_json::{Value, json};

use crate::harness::{Node, V1, V2, credential, usual};

/// A member that is left out.
fn gone() -> Value {
    json!("(left out)")
}

/// One line of the contract: the member, a value that is refused, and a value that is taken.
struct Case {
    name: &'static str,
    member: &'static str,
    bad: Value,
    good: Value,
}

fn case(name: &'static str, member: &'static str, bad: Value, good: Value) -> Case {
    Case {
        name,
        member,
        bad,
        good,
    }
}

fn with(mut document: Value, member: &str, value: &Value) -> Value {
    let members = document.as_object_mut().unwrap();
    if *value == gone() {
        members.remove(member);
    } else {
        members.insert(member.to_owned(), value.clone());
    }
    document
}

#[track_caller]
fn check(node: &Node, instance: &str, base: &Value, cases: &[Case]) {
    let path = format!("/issuers/{instance}/credentials/issue");
    for Case {
        name,
        member,
        bad,
        good,
    } in cases
    {
        let refused = node.admin(&path, &json!({ "credential": with(base.clone(), member, bad) }));
        assert_eq!(refused.status, 400, "{instance}: {name}: {}", refused.text);
        assert_eq!(refused.content_type, "application/problem+json", "{name}");
        let detail = refused.json()["detail"].as_str().unwrap().to_owned();
        assert!(
            detail.starts_with(&format!("/credential/{member}")),
            "{instance}: {name}: the detail names another member: {detail}"
        );
        let taken = node.admin(&path, &json!({ "credential": with(base.clone(), member, good) }));
        assert_eq!(taken.status, 201, "{instance}: the twin of {name}: {}", taken.text);
        let issued = &taken.json()["verifiableCredential"];
        assert_eq!(
            node.verify(issued).status,
            200,
            "{instance}: {name}: what was issued does not verify"
        );
    }
}

fn contexts() -> Vec<Case> {
    let good = json!([V2]);
    [
        ("@context missing", gone()),
        ("@context empty", json!([])),
        ("@context a number", json!(4)),
        ("@context null", json!(null)),
        ("@context an object", json!({ "@vocab": "https://example.com/" })),
        (
            "first context is another",
            json!(["https://w3id.org/security/data-integrity/v2", V2]),
        ),
        ("unknown context", json!([V2, "https://example.com/unknown/v1"])),
        ("context is no URL", json!([V2, "not a url"])),
        ("context is a number", json!([V2, 4])),
        (
            "protected term redefined",
            json!([V2, { "type": "https://example.com/type" }]),
        ),
    ]
    .into_iter()
    .map(|(name, bad)| case(name, "@context", bad, good.clone()))
    .collect()
}

fn types() -> Vec<Case> {
    let good = json!("VerifiableCredential");
    [
        ("type missing", gone()),
        ("type a number", json!(4)),
        ("type null", json!(null)),
        ("type an object", json!({})),
        ("type empty", json!([])),
        ("type without VerifiableCredential", json!(["RelationshipCredential"])),
    ]
    .into_iter()
    .map(|(name, bad)| case(name, "type", bad, good.clone()))
    .collect()
}

fn issuers(did: &str) -> Vec<Case> {
    let good = json!({ "id": did, "name": "St. Mary" });
    [
        ("issuer missing", gone()),
        ("issuer a number", json!(4)),
        ("issuer null", json!(null)),
        ("issuer an array", json!([did])),
        ("issuer no URL", json!("not a url")),
        ("issuer an object without id", json!({ "name": "St. Mary" })),
        (
            "issuer an object with an id that is no URL",
            json!({ "id": "not a url" }),
        ),
        (
            "issuer is another",
            json!("did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK"),
        ),
    ]
    .into_iter()
    .map(|(name, bad)| case(name, "issuer", bad, good.clone()))
    .collect()
}

fn subjects() -> Vec<Case> {
    let one = json!({ "name": "Alice" });
    let several = json!([{ "id": "did:example:alice", "name": "Alice" }, { "name": "Bob" }]);
    [
        ("credentialSubject missing", gone(), &one),
        ("credentialSubject a number", json!(4), &one),
        ("credentialSubject null", json!(null), &one),
        ("credentialSubject empty", json!({}), &one),
        ("credentialSubject a string", json!("did:example:alice"), &one),
        ("credentialSubject an empty list", json!([]), &several),
        (
            "credentialSubject with an empty item",
            json!([{ "name": "Alice" }, {}]),
            &several,
        ),
    ]
    .into_iter()
    .map(|(name, bad, good)| case(name, "credentialSubject", bad, good.clone()))
    .collect()
}

fn ids(instance: &str) -> Vec<Case> {
    let good = json!(format!("https://example.com/{instance}/1"));
    vec![
        case("id null", "id", json!(null), gone()),
        case("id an array", "id", json!(["urn:uuid:7a6cafb9"]), gone()),
        case("id no URL", "id", json!("not a url"), good),
    ]
}

fn typed_members() -> Vec<Case> {
    let schema = json!({ "id": "https://example.com/schema", "type": "JsonSchema" });
    let mut cases = vec![
        case(
            "credentialSchema without type",
            "credentialSchema",
            json!({ "id": "https://example.com/schema" }),
            schema.clone(),
        ),
        case(
            "credentialSchema without id",
            "credentialSchema",
            json!({ "type": "JsonSchema" }),
            json!([schema]),
        ),
    ];
    for (name, member) in [
        ("refreshService without type", "refreshService"),
        ("termsOfUse without type", "termsOfUse"),
        ("evidence without type", "evidence"),
    ] {
        let bad = json!({ "id": "https://example.com/x" });
        let good = json!({ "id": "https://example.com/x", "type": "VerifiableCredential" });
        cases.push(case(name, member, bad, good));
    }
    cases
}

fn times() -> Vec<Case> {
    let until = json!("2126-01-01T00:00:00Z");
    let from = json!("2026-01-01T00:00:00+01:00");
    [
        (
            "validUntil before validFrom",
            "validUntil",
            json!("2025-01-01T00:00:00Z"),
            &until,
        ),
        ("validUntil no time", "validUntil", json!("tomorrow"), &until),
        (
            "validUntil without offset",
            "validUntil",
            json!("2126-01-01T00:00:00"),
            &until,
        ),
        ("validUntil a number", "validUntil", json!(4), &until),
        ("validFrom no time", "validFrom", json!("2026-13-01T00:00:00Z"), &from),
        ("validFrom a day", "validFrom", json!("2026-01-01"), &from),
    ]
    .into_iter()
    .map(|(name, member, bad, good)| case(name, member, bad, good.clone()))
    .collect()
}

fn language_tagged() -> Vec<Case> {
    let good = json!([{ "@value": "Rettungsdienst", "@language": "de", "@direction": "ltr" }, "Ambulance"]);
    let mut cases = Vec::new();
    for (name, bad) in [
        ("language not a string", json!({ "@value": "x", "@language": 4 })),
        ("language no tag", json!({ "@value": "x", "@language": "not a tag" })),
        ("direction unknown", json!({ "@value": "x", "@direction": "up" })),
        ("value missing", json!({ "@language": "en" })),
        ("value of another kind", json!({ "@value": 4 })),
        ("further member", json!({ "@value": "x", "url": "did:example:x" })),
        ("a number", json!(4)),
    ] {
        cases.push(case(name, "name", bad.clone(), good.clone()));
        cases.push(case(name, "description", bad, good.clone()));
    }
    cases
}

fn related_resources() -> Vec<Case> {
    let sri = "sha256-WYHnJLKX8yb9jhR4q5Z5oSYUQfyk9rQvLKrGWj4dGTE=";
    let good = json!({ "id": "https://example.com/image.png", "digestSRI": sri, "mediaType": "image/png" });
    [
        ("relatedResource no object", json!("https://example.com/image.png")),
        ("relatedResource without id", json!({ "digestSRI": sri })),
        ("relatedResource twice the same id", json!([good, good])),
        (
            "relatedResource without digest",
            json!({ "id": "https://example.com/image.png" }),
        ),
        (
            "relatedResource with a digest that is none",
            json!({ "id": "https://example.com/image.png", "digestSRI": "sha256-abc" }),
        ),
    ]
    .into_iter()
    .map(|(name, bad)| case(name, "relatedResource", bad, good.clone()))
    .collect()
}

#[test]
fn what_a_credential_must_be() {
    let node = usual();
    let base = credential(&node.did);
    let groups = [
        contexts(),
        types(),
        issuers(&node.did),
        subjects(),
        ids("eddsa-jcs-2022"),
        typed_members(),
        times(),
        language_tagged(),
        related_resources(),
    ];
    for cases in &groups {
        check(&node, "eddsa-jcs-2022", &base, cases);
    }
}

#[test]
fn what_a_status_entry_must_be() {
    let node = usual();
    let path = "/issuers/eddsa-jcs-2022/credentials/issue";
    let entry = json!({
        "id": "https://example.com/status/3#94567",
        "type": "BitstringStatusListEntry",
        "statusPurpose": "revocation",
        "statusListIndex": "94567",
        "statusListCredential": "https://example.com/status/3",
    });
    // What is not this node's list cannot be judged here, so the twin is only issued.
    for (name, member, bad) in [
        ("credentialStatus without type", "type", gone()),
        (
            "credentialStatus with several ids",
            "id",
            json!(["https://example.com/1", "https://example.com/2"]),
        ),
        ("credentialStatus with an id that is no URL", "id", json!("not a url")),
    ] {
        let document = |entry| with(credential(&node.did), "credentialStatus", &entry);
        let refused = node.admin(
            path,
            &json!({ "credential": document(with(entry.clone(), member, &bad)) }),
        );
        let detail = refused.expect(400, name)["detail"].as_str().unwrap().to_owned();
        assert!(detail.starts_with("/credential/credentialStatus"), "{name}: {detail}");
        node.admin(path, &json!({ "credential": document(entry.clone()) }))
            .expect(201, name);
    }
}

#[test]
fn the_request_itself() {
    let node = usual();
    let document = credential(&node.did);
    for path in ["/credentials/issue", "/issuers/eddsa-jcs-2022/credentials/issue"] {
        for (name, body, member) in [
            ("no credential", json!({}), "/credential"),
            ("credential is null", json!({ "credential": null }), "/credential"),
            ("credential is a list", json!({ "credential": [] }), "/credential"),
            ("credential is a string", json!({ "credential": "x" }), "/credential"),
            (
                "options is a list",
                json!({ "credential": document, "options": [] }),
                "/options",
            ),
            (
                "a purpose that is none",
                json!({ "credential": document, "options": { "statusPurposes": ["refresh"] } }),
                "/options/statusPurposes",
            ),
        ] {
            let problem = node.admin(path, &body).expect(400, name);
            let detail = problem["detail"].as_str().unwrap();
            assert!(detail.starts_with(member), "{name}: {detail}");
        }
        for options in [
            json!({}),
            json!({ "unknown": [1], "credentialStatus": { "type": "x" } }),
        ] {
            node.admin(path, &json!({ "credential": document, "options": options }))
                .expect(201, "unknown options are ignored");
        }
        node.admin(path, &json!({ "credential": document }))
            .expect(201, "options may be absent");
    }
    let problem = node.admin("/issuers/none/credentials/issue", &json!({ "credential": document }));
    assert_eq!(problem.status, 404, "{}", problem.text);
}

#[test]
fn an_issuer_is_filled_in_where_no_instance_is_named() {
    let node = usual();
    let document = with(credential(&node.did), "issuer", &gone());
    let answer = node
        .admin("/credentials/issue", &json!({ "credential": document }))
        .expect(201, "filled in");
    assert_eq!(answer["verifiableCredential"]["issuer"], node.did.as_str());
}

#[test]
fn an_id_is_given_once() {
    let node = usual();
    let document = with(credential(&node.did), "id", &json!("https://example.com/credentials/1"));
    node.issue("eddsa-jcs-2022", document.clone());
    let path = "/issuers/eddsa-jcs-2022/credentials/issue";
    node.admin(path, &json!({ "credential": document }))
        .expect(409, "the id again");
}

#[test]
fn a_credential_of_version_1() {
    let node = usual();
    let mut document = json!({
        "@context": [V1],
        "id": "https://example.com/credentials/1",
        "type": ["VerifiableCredential"],
        "issuer": node.did,
        "issuanceDate": "2026-01-01T00:00:00Z",
        "credentialSubject": { "id": "did:example:alice" },
    });
    let issued = node.issue("eddsa-jcs-2022", document.clone());
    assert_eq!(
        issued["@context"],
        json!([V1, "https://w3id.org/security/data-integrity/v2"])
    );
    node.verify(&issued).expect(200, "version 1.1");
    document["id"] = json!("https://example.com/credentials/2");
    document["issuanceDate"] = json!("yesterday");
    let path = "/issuers/eddsa-jcs-2022/credentials/issue";
    let problem = node
        .admin(path, &json!({ "credential": document }))
        .expect(400, "issuanceDate");
    let detail = problem["detail"].as_str().unwrap();
    assert!(detail.starts_with("/credential/issuanceDate"), "{detail}");
}

#[test]
fn terms_without_a_meaning() {
    let node = usual();
    for instance in ["eddsa-rdfc-2022", "ecdsa-rdfc-2019-p256", "ecdsa-rdfc-2019-p384"] {
        let base = credential(&node.issuer(instance));
        let path = format!("/issuers/{instance}/credentials/issue");
        let subject = |member: &str| json!({ "id": "did:example:alice", member: "x" });
        for (name, member, bad, good) in [
            (
                "an undefined term",
                "credentialSubject",
                subject("noSuchTerm"),
                subject("name"),
            ),
            ("an undefined term of the credential", "noSuchTerm", json!("x"), gone()),
            (
                "an undefined type",
                "type",
                json!(["VerifiableCredential", "NoSuchType"]),
                json!(["VerifiableCredential", "BitstringStatusListCredential"]),
            ),
            (
                "a relative id",
                "id",
                json!("relative"),
                json!("urn:uuid:9a6cafb9-6d1c-4c61-9a55-0a4d1c1e7b52"),
            ),
        ] {
            let refused = node.admin(&path, &json!({ "credential": with(base.clone(), member, &bad) }));
            let detail = refused.expect(400, name)["detail"].as_str().unwrap().to_owned();
            assert!(detail.starts_with("/credential/"), "{instance}: {name}: {detail}");
            let good = with(with(base.clone(), member, &good), "description", &json!(instance));
            let good = if member == "id" {
                with(good, "id", &json!(format!("urn:example:{instance}")))
            } else {
                good
            };
            let taken = node.admin(&path, &json!({ "credential": good }));
            let issued = &taken.expect(201, name)["verifiableCredential"];
            node.verify(issued).expect(200, name);
        }
    }
}

#[test]
fn every_instance_refuses_what_is_none() {
    let node = usual();
    for instance in [
        "eddsa-rdfc-2022",
        "ecdsa-rdfc-2019-p256",
        "ecdsa-rdfc-2019-p384",
        "ecdsa-jcs-2019-p256",
        "ecdsa-jcs-2019-p384",
        "status",
        "jose",
        "jose-p256",
    ] {
        let did = node.issuer(instance);
        let base = credential(&did);
        for cases in [contexts(), types(), issuers(&did), subjects(), ids(instance)] {
            check(&node, instance, &base, &cases);
        }
    }
}
