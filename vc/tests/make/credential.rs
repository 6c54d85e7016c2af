//! Vectors of credentials.

use std::sync::Arc;

use sha2::{Digest, Sha256};
use syndic_vc::constraint::Constraint;
use syndic_vc::document::Purpose;
use syndic_vc::json::{Object, Value};
use syndic_vc::object;
use syndic_vc::proof::ProofOptions;

use super::*;

fn vector(name: &'static str, input: Value) -> Vector {
    Vector::new("credential", name, input)
}

fn unsigned() -> Value {
    draft().to_document().unwrap().into()
}

/// The article's credential with one member changed before it was signed.
fn issued(path: &[&str], value: impl Into<Value>) -> Value {
    sign_raw(changed(unsigned(), path, value), Purpose::AssertionMethod, &north())
}

fn options() -> ProofOptions {
    ProofOptions::new(Purpose::AssertionMethod, &north().method(), after(-3_600))
}

/// Not about capabilities.
fn plain() -> Value {
    object! {
        "@context": vec!["https://www.w3.org/ns/credentials/v2", "https://www.w3.org/ns/credentials/examples/v2"],
        "type": vec!["VerifiableCredential", "AlumniCredential"],
        "issuer": object! { "id": north().did.as_str(), "name": "North Hospital" },
        "credentialSubject": object! { "id": agent().did.as_str(), "alumniOf": "The School of Examples" },
    }
}

pub(super) fn all() -> Vec<Vector> {
    let mut all = accepted();
    all.extend(malformed());
    all.extend(proofs());
    all.extend(keys());
    all.extend(times_and_status());
    all.extend(standing());
    all
}

fn accepted() -> Vec<Vector> {
    let mut edge = draft();
    edge.valid_from = after(60);
    edge.valid_until = after(90 * 24 * 3_600 + 60);
    let mut ending = draft();
    ending.valid_until = after(1);
    vec![
        vector("allow-capability-credential", credential()),
        vector(
            "allow-plain-credential",
            sign_raw(plain(), Purpose::AssertionMethod, &north()),
        ),
        vector("allow-proof-in-a-list-of-one", {
            let mut credential = credential();
            let proof = credential.get("proof").unwrap().clone();
            set(&mut credential, &["proof"], vec![proof]);
            credential
        }),
        vector("allow-valid-from-within-skew-and-for-90-days", sign(&edge)),
        vector("allow-valid-for-one-more-second", sign(&ending)),
        vector("allow-knowledge-as-old-as-allowed", credential()).known(|known| {
            known.heard.insert(north().did, after(-300));
        }),
        vector("allow-standing-covers-each-capability", credential()).known(|known| {
            let one = |action: &str, resource: &str| (action.to_owned(), pattern(resource));
            let granted = vec![
                one("read", "*"),
                one("write", "ticket_updates"),
                one("call", "*"),
                one("escalate", "to_human"),
            ];
            known.authorized.insert(north().did, granted);
        }),
    ]
}

fn malformed() -> Vec<Vector> {
    let subject = "credentialSubject";
    let deep = format!("{{\"credential\":{}{}}}", "[".repeat(40), "]".repeat(40));
    let many: Vec<Value> = vec![draft().capability[0].to_json(); 65];
    vec![
        vector("deny-json-member-twice", Value::Null)
            .text(doubled(&credential(), "issuer"))
            .denied("json-invalid", ""),
        vector("deny-json-cut-short", Value::Null)
            .text("{\"@context\":[".to_owned())
            .denied("json-invalid", ""),
        vector("deny-nested-too-deep", Value::Null)
            .text(deep)
            .denied("document-too-large", ""),
        vector("deny-too-many-capabilities", issued(&[subject, "capability"], many))
            .denied("document-too-large", "/credentialSubject/capability"),
        vector("deny-not-an-object", Value::Array(vec![credential()])).denied("document-malformed", ""),
        vector(
            "deny-subject-with-unknown-member",
            issued(&[subject, "clearance"], "top"),
        )
        .denied("document-malformed", "/credentialSubject/clearance"),
        vector(
            "deny-unknown-member",
            issued(&["termsOfUse"], object! { "type": "Policy" }),
        )
        .denied("document-malformed", "/termsOfUse"),
        vector(
            "deny-resource-with-dot-segment",
            issued(&[subject, "capability", "0", "resource"], "a/../b"),
        )
        .denied("document-malformed", "/credentialSubject/capability/0/resource"),
        vector("deny-range-with-a-binary-fraction", {
            let limit =
                object! { "type": "range", "parameter": "amount", "maximum": syndic_vc::json::parse(b"99.5").unwrap() };
            issued(&[subject, "capability", "0", "constraint"], vec![limit])
        })
        .denied(
            "document-malformed",
            "/credentialSubject/capability/0/constraint/0/maximum",
        ),
        vector(
            "deny-name-that-reads-backwards",
            issued(&[subject, "name"], "agent\u{202e}tpircs"),
        )
        .denied("document-malformed", "/credentialSubject/name"),
        vector(
            "deny-context-of-strangers",
            issued(
                &["@context"],
                vec![
                    "https://www.w3.org/ns/credentials/v2",
                    "https://syndic.example/ns/capability/v1",
                    "https://stranger.example/v1",
                ],
            ),
        )
        .denied("context-unknown", "/@context/2"),
        vector(
            "deny-context-of-capabilities-missing",
            issued(&["@context"], vec!["https://www.w3.org/ns/credentials/v2"]),
        )
        .denied("context-unknown", "/@context"),
        vector("deny-constraint-of-unknown-type", {
            let limit = object! { "type": "weather", "parameter": "sky", "value": "blue" };
            issued(&[subject, "capability", "3", "constraint"], vec![limit])
        })
        .denied(
            "constraint-unknown",
            "/credentialSubject/capability/3/constraint/0/type",
        ),
        vector("deny-constraint-with-unknown-member", {
            let limit = object! { "type": "exact", "parameter": "a", "value": "b", "unless": "c" };
            issued(&[subject, "capability", "3", "constraint"], vec![limit])
        })
        .denied(
            "document-malformed",
            "/credentialSubject/capability/3/constraint/0/unless",
        ),
    ]
}

fn proofs() -> Vec<Vector> {
    let mut expired = options();
    expired.expires = Some(now());
    let mut early = options();
    early.created = after(61);
    let suite = changed(credential(), &["proof", "cryptosuite"], "eddsa-2022");
    let proof = credential().get("proof").unwrap().clone();
    let value = proof.get("proofValue").unwrap().as_str().unwrap();
    vec![
        vector("deny-proof-missing", unsigned()).denied("proof-missing", "/proof"),
        vector("deny-proof-null", changed(credential(), &["proof"], Value::Null)).denied("proof-missing", "/proof"),
        vector("deny-proof-of-another-suite", suite).denied("proof-unsupported", "/proof/cryptosuite"),
        vector(
            "deny-two-proofs",
            changed(credential(), &["proof"], vec![proof.clone(), proof.clone()]),
        )
        .denied("proof-malformed", "/proof/1"),
        vector(
            "deny-proof-in-a-chain",
            changed(credential(), &["proof", "previousProof"], "urn:uuid:1"),
        )
        .denied("proof-chain-broken", "/proof/previousProof"),
        vector(
            "deny-proof-value-without-multibase-prefix",
            changed(credential(), &["proof", "proofValue"], &value[1..]),
        )
        .denied("proof-malformed", "/proof/proofValue"),
        vector(
            "deny-proof-with-unknown-member",
            changed(credential(), &["proof", "note"], "hello"),
        )
        .denied("proof-malformed", "/proof/note"),
        vector("deny-proof-over-a-shorter-context", {
            let shorter = vec!["https://www.w3.org/ns/credentials/v2"];
            changed(credential(), &["proof", "@context"], shorter)
        })
        .denied("proof-malformed", "/proof/@context"),
        vector(
            "deny-proof-for-authentication",
            sign_raw(unsigned(), Purpose::Authentication, &north()),
        )
        .denied("proof-purpose-wrong", "/proof/proofPurpose"),
        vector("deny-proof-from-the-future", sign_with(unsigned(), &early, &north()))
            .denied("proof-from-the-future", "/proof/created"),
        vector("deny-proof-expired", sign_with(unsigned(), &expired, &north()))
            .denied("proof-expired", "/proof/expires"),
        vector(
            "deny-claim-changed",
            changed(credential(), &["credentialSubject", "owner", "name"], "Mallory"),
        )
        .denied("signature-invalid", "/proof/proofValue"),
        vector("deny-limit-raised", {
            changed(
                credential(),
                &["credentialSubject", "capability", "2", "constraint", "0", "maximum"],
                "1000",
            )
        })
        .denied("signature-invalid", "/proof/proofValue"),
        vector(
            "deny-description-added",
            changed(credential(), &["description"], "as agreed"),
        )
        .denied("signature-invalid", "/proof/proofValue"),
        vector(
            "deny-proof-date-changed",
            changed(credential(), &["proof", "created"], "2026-11-24T11:00:01Z"),
        )
        .denied("signature-invalid", "/proof/proofValue"),
        vector(
            "deny-signature-of-another-key-under-the-issuers-name",
            sign_with(unsigned(), &options(), &stranger()),
        )
        .denied("signature-invalid", "/proof/proofValue"),
    ]
}

fn keys() -> Vec<Vector> {
    let method = "/proof/verificationMethod";
    let other = format!("{}#key-2", north().did);
    let nowhere = {
        let document = changed(unsigned(), &["issuer"], "did:example:north");
        sign_with(
            document,
            &ProofOptions::new(Purpose::AssertionMethod, "did:example:north#1", after(-2)),
            &north(),
        )
    };
    vec![
        vector(
            "deny-signed-by-a-stranger",
            sign_raw(unsigned(), Purpose::AssertionMethod, &stranger()),
        )
        .denied("verification-method-foreign", method),
        vector("deny-issuer-is-no-did", issued(&["issuer"], "https://north.example"))
            .denied("verification-method-foreign", "/issuer"),
        vector("deny-key-controlled-by-a-stranger", credential())
            .known(|known| {
                let mut document = syndic_vc::did_key::resolve(&north().did).unwrap();
                document.verification_method[0].controller = stranger().did;
                known.documents.insert(north().did, Arc::new(document));
            })
            .denied("verification-method-foreign", method),
        vector("deny-issuer-of-an-unknown-method", nowhere).denied("verification-method-unresolved", method),
        vector("deny-issuer-with-a-weak-key", {
            // The point of order 1: some signatures would fit every document.
            let mut identity = vec![0xed, 0x01, 0x01];
            identity.resize(34, 0);
            let weak = format!("did:key:{}", multibase::encode(multibase::Base::Base58Btc, identity));
            let document = changed(unsigned(), &["issuer"], weak.as_str());
            let name = format!("{weak}#{}", &weak[8..]);
            sign_with(
                document,
                &ProofOptions::new(Purpose::AssertionMethod, &name, after(-2)),
                &north(),
            )
        })
        .denied("verification-method-unresolved", method),
        vector("deny-key-not-in-the-document", {
            sign_with(
                unsigned(),
                &ProofOptions::new(Purpose::AssertionMethod, &other, after(-2)),
                &north(),
            )
        })
        .denied("verification-method-unknown", method),
        vector("deny-key-not-for-assertions", credential())
            .known(|known| {
                known
                    .documents
                    .insert(north().did, document_without(&north(), Purpose::AssertionMethod));
            })
            .denied("verification-method-unauthorized", method),
        vector("deny-document-cannot-be-asked", credential())
            .known(|known| {
                known.down.insert("document".into());
            })
            .denied("knowledge-unavailable", method),
    ]
}

fn times_and_status() -> Vec<Vector> {
    let mut early = draft();
    early.valid_from = after(61);
    let mut late = draft();
    late.valid_until = now();
    let long = after(90 * 24 * 3_600 - 3_600 + 1).to_string();
    let status = "/credentialStatus";
    let entry = |member: &str, value: &str| issued(&["credentialStatus", "0", member], value);
    vec![
        vector("deny-not-yet-valid", sign(&early)).denied("not-yet-valid", "/validFrom"),
        vector("deny-expired", sign(&late)).denied("expired", "/validUntil"),
        vector("deny-valid-for-longer-than-90-days", issued(&["validUntil"], long))
            .denied("validity-too-long", "/validUntil"),
        vector(
            "deny-ends-before-it-begins",
            issued(&["validUntil"], "2026-11-24T10:00:00Z"),
        )
        .denied("document-malformed", "/validUntil"),
        vector("deny-no-status", {
            let mut document = unsigned();
            take(&mut document, "credentialStatus");
            sign_raw(document, Purpose::AssertionMethod, &north())
        })
        .denied("status-missing", status),
        vector(
            "deny-suspension-list-only",
            issued(&["credentialStatus"], suspension().to_json()),
        )
        .denied("status-missing", status),
        vector("deny-status-of-another-kind", entry("type", "StatusList2021Entry"))
            .denied("status-unknown", "/credentialStatus/0/type"),
        vector("deny-status-index-with-leading-zero", entry("statusListIndex", "007"))
            .denied("status-unknown", "/credentialStatus/0/statusListIndex"),
        vector("deny-status-list-not-known", credential())
            .known(|known| {
                known.lists.remove(LIST);
            })
            .denied("status-unknown", status),
        vector("deny-revoked", credential())
            .known(|known| {
                known.set.insert((LIST.into(), INDEX));
            })
            .denied("revoked", status),
        vector("deny-suspended", credential())
            .known(|known| {
                known.set.insert((SUSPENSIONS.into(), INDEX));
            })
            .denied("suspended", status),
        vector("deny-plain-credential-with-a-list-of-strangers", {
            let mut document = plain();
            let entry = changed(
                revocation().to_json(),
                &["statusListCredential"],
                "https://stranger.example/1",
            );
            set(&mut document, &["credentialStatus"], entry);
            sign_raw(document, Purpose::AssertionMethod, &north())
        })
        .denied("status-unknown", status),
    ]
}

/// The digest by which a document is anchored.
fn digest(document: &Value) -> String {
    let digest = Sha256::digest(canonical::to_bytes(document));
    multibase::encode(multibase::Base::Base58Btc, [[0x12, 0x20].as_slice(), &digest].concat())
}

fn standing() -> Vec<Vector> {
    let first = "/credentialSubject/capability/0";
    vec![
        vector("deny-agent-retired", credential())
            .known(|known| {
                known.retired.insert(agent().did);
            })
            .denied("agent-retired", "/credentialSubject/id"),
        vector("deny-agent-suspended", credential())
            .known(|known| {
                known.suspended.insert(agent().did);
            })
            .denied("agent-suspended", "/credentialSubject/id"),
        vector("deny-key-compromised-by-its-name", credential())
            .known(|known| known.compromise(&north().method(), &[]))
            .denied("key-compromised", "/proof/verificationMethod"),
        vector("deny-key-compromised-by-what-it-is", credential())
            .known(|known| known.compromise(&north().key.public_key().to_multikey(), &[]))
            .denied("key-compromised", "/proof/verificationMethod"),
        vector("deny-key-compromised-and-another-document-anchored", credential())
            .known(|known| known.compromise(&north().method(), &[digest(&plain())]))
            .denied("key-compromised", "/proof/verificationMethod"),
        vector("allow-key-compromised-after-the-document-was-anchored", credential())
            .known(|known| known.compromise(&north().method(), &[digest(&credential())])),
        vector("allow-another-key-compromised", credential()).known(|known| known.compromise(&agent().method(), &[])),
        vector("deny-key-standing-not-known-now", credential())
            .known(|known| {
                known.down.insert("keys".to_owned());
            })
            .denied("knowledge-unavailable", "/proof/verificationMethod"),
        vector("deny-issuer-unknown", credential())
            .known(|known| known.authorized.clear())
            .denied("issuer-unknown", first),
        vector("deny-issuer-removed", credential())
            .known(|known| {
                known.removed.insert(north().did);
            })
            .denied("issuer-removed", first),
        vector("deny-issuer-frozen", credential())
            .known(|known| {
                known.frozen.insert(north().did);
            })
            .denied("issuer-frozen", first),
        vector("deny-issuer-authorized-for-a-part", credential())
            .known(|known| {
                known
                    .authorized
                    .insert(north().did, vec![("read".into(), pattern("*"))]);
            })
            .denied("issuer-not-authorized", "/credentialSubject/capability/1"),
        vector("deny-issuer-authorized-for-one-resource-of-all", {
            let mut draft = draft();
            draft.capability = vec![capability("read", "records/*", "", Vec::<Constraint>::new())];
            sign(&draft)
        })
        .known(|known| {
            known
                .authorized
                .insert(north().did, vec![("read".into(), pattern("records/a"))]);
        })
        .denied("issuer-not-authorized", first),
        vector("deny-standing-cannot-be-asked", credential())
            .known(|known| {
                known.down.insert("standing".into());
            })
            .denied("knowledge-unavailable", first),
        vector("deny-issuer-not-heard-for-too-long", credential())
            .known(|known| {
                known.heard.insert(north().did, after(-301));
            })
            .denied("knowledge-stale", "/issuer"),
        vector("deny-issuer-never-heard", credential())
            .known(|known| known.heard.clear())
            .denied("knowledge-stale", "/issuer"),
        vector("deny-issuer-heard-in-the-future", credential())
            .known(|known| {
                known.heard.insert(north().did, after(61));
            })
            .denied("knowledge-stale", "/issuer"),
        vector("deny-empty-object", Object::new().into()).denied("context-unknown", "/@context"),
    ]
}
