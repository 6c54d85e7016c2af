//! Which instances there are, and whom their credentials are issued by.

use serde_json::{Value, json};

use crate::harness::{credential, node, usual};

#[test]
fn every_kind_there_is() {
    let node = usual();
    let issuers = node.look("/issuers").expect(200, "issuers");
    let rows = issuers["issuers"].as_array().unwrap();
    let shown: Vec<[&str; 3]> = rows
        .iter()
        .map(|row| ["name", "suite", "key"].map(|name| row[name].as_str().unwrap()))
        .collect();
    assert_eq!(
        shown,
        [
            ["eddsa-jcs-2022", "eddsa-jcs-2022", "ed25519"],
            ["eddsa-rdfc-2022", "eddsa-rdfc-2022", "ed25519"],
            ["ecdsa-rdfc-2019-p256", "ecdsa-rdfc-2019", "p256"],
            ["ecdsa-rdfc-2019-p384", "ecdsa-rdfc-2019", "p384"],
            ["ecdsa-jcs-2019-p256", "ecdsa-jcs-2019", "p256"],
            ["ecdsa-jcs-2019-p384", "ecdsa-jcs-2019", "p384"],
            ["status", "eddsa-jcs-2022", "ed25519"],
            ["jose", "jose", "ed25519"],
            ["jose-p256", "jose", "p256"],
        ]
    );
    for row in rows {
        let did = row["did"].as_str().unwrap();
        let (prefix, of_organization) = match row["key"].as_str().unwrap() {
            "ed25519" => ("did:key:z6Mk", true),
            "p256" => ("did:key:zDn", false),
            _ => ("did:key:z82", false),
        };
        assert!(did.starts_with(prefix), "{row}");
        assert_eq!(did == node.did, of_organization, "{row}");
    }
    // A key is drawn once.
    assert_eq!(node.look("/issuers").expect(200, "again"), issuers);
    let dids: std::collections::BTreeSet<&str> = rows.iter().map(|row| row["did"].as_str().unwrap()).collect();
    assert_eq!(dids.len(), 6, "one of the organization, and one for each other key");
}

#[test]
fn each_instance_signs_and_what_it_signs_verifies() {
    let node = usual();
    for (instance, suite) in [
        ("eddsa-jcs-2022", "eddsa-jcs-2022"),
        ("eddsa-rdfc-2022", "eddsa-rdfc-2022"),
        ("ecdsa-rdfc-2019-p256", "ecdsa-rdfc-2019"),
        ("ecdsa-rdfc-2019-p384", "ecdsa-rdfc-2019"),
        ("ecdsa-jcs-2019-p256", "ecdsa-jcs-2019"),
        ("ecdsa-jcs-2019-p384", "ecdsa-jcs-2019"),
    ] {
        let did = node.issuer(instance);
        let issued = node.issue(instance, credential(&did));
        let proof = &issued["proof"];
        assert_eq!(proof["type"], "DataIntegrityProof", "{instance}");
        assert_eq!(proof["cryptosuite"], suite, "{instance}");
        assert_eq!(proof["proofPurpose"], "assertionMethod", "{instance}");
        let key = did.strip_prefix("did:key:").unwrap();
        assert_eq!(proof["verificationMethod"], format!("{did}#{key}"), "{instance}");
        assert!(proof["proofValue"].as_str().unwrap().starts_with('z'), "{instance}");
        assert!(proof["created"].as_str().unwrap().ends_with('Z'), "{instance}");
        node.verify(&issued).expect(200, instance);
        let mut altered = issued.clone();
        altered["credentialSubject"]["name"] = json!("Mallory");
        node.verify(&altered).expect(400, instance);
        // Another instance's issuer is not this one's.
        let path = format!("/issuers/{instance}/credentials/issue");
        let other = node.issuer(if suite.starts_with("eddsa") {
            "jose-p256"
        } else {
            "status"
        });
        let problem = node
            .admin(&path, &json!({ "credential": credential(&other) }))
            .expect(400, instance);
        assert!(
            problem["detail"].as_str().unwrap().starts_with("/credential/issuer"),
            "{problem}"
        );
    }
}

#[test]
fn an_agent_s_powers_come_from_the_organization() {
    let node = usual();
    let agent = json!({ "name": "agent", "owner": { "id": "did:web:dana.example" } });
    let agent = node.admin("/agents", &agent).expect(201, "agent");
    let subject = json!({
        "id": agent["agent"]["did"],
        "name": "agent",
        "owner": { "id": "did:web:dana.example" },
        "capability": [{ "action": "read", "resource": "tickets/*" }],
    });
    let document = |issuer: &str| {
        json!({
            "@context": ["https://www.w3.org/ns/credentials/v2", "https://syndic.example/ns/capability/v1"],
            "type": ["VerifiableCredential", "AgentCapabilityCredential"],
            "issuer": issuer,
            "validFrom": "2026-01-01T00:00:00Z",
            "validUntil": "2026-02-01T00:00:00Z",
            "credentialSubject": subject,
        })
    };
    for instance in ["eddsa-jcs-2022", "eddsa-rdfc-2022", "status", "jose"] {
        let issued = node.issue(instance, document(&node.did));
        assert_ne!(issued, Value::Null);
    }
    for instance in ["ecdsa-jcs-2019-p256", "ecdsa-rdfc-2019-p384", "jose-p256"] {
        let path = format!("/issuers/{instance}/credentials/issue");
        let body = json!({ "credential": document(&node.issuer(instance)) });
        let problem = node.admin(&path, &body).expect(400, instance);
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.starts_with("/credential/type"), "{detail}");
    }
}

#[test]
fn instances_are_what_is_configured() {
    let node = node(|text| {
        text + "\n[[instances]]\nname = \"ours\"\nsuite = \"ecdsa-jcs-2019\"\nkey = \"p256\"\n\
                \n[[instances]]\nname = \"other\"\nsuite = \"eddsa-jcs-2022\"\nkey = \"ed25519\"\n\
                status = [\"suspension\"]\n"
    });
    let issued = node.issue("other", credential(&node.did));
    assert_eq!(issued["credentialStatus"]["statusPurpose"], "suspension");
    let did = node.issuer("ours");
    // The first one answers where none is named.
    let body = json!({ "credential": credential(&did) });
    let first = node.admin("/credentials/issue", &body).expect(201, "the first");
    assert_eq!(first["verifiableCredential"]["issuer"], did.as_str());
    let gone = node.admin("/issuers/eddsa-jcs-2022/credentials/issue", &body);
    assert_eq!(gone.status, 404, "{}", gone.text);
}
