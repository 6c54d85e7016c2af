#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
use super::*;

const GOOD: &str = r#"{
    "@context": ["https://www.w3.org/ns/credentials/v2", "https://www.w3.org/ns/credentials/examples/v2"],
    "id": "urn:uuid:58172aac-d8ba-11ed-83dd-0b3aef56cc33",
    "type": ["VerifiableCredential", "AlumniCredential"],
    "name": "Alumni Credential",
    "description": [{"@value": "Oud-student", "@language": "nl"}],
    "issuer": "https://vc.example/issuers/5678",
    "validFrom": "2023-01-01T00:00:00Z",
    "validUntil": "2033-01-01T00:00:00Z",
    "credentialSubject": {"id": "did:example:abcdefgh", "alumniOf": "The School of Examples"}
}"#;

fn good() -> Value {
    crate::json::parse(GOOD.as_bytes()).unwrap()
}

/// Replaces one member (or takes it out) and returns where the refusal points.
fn refused(member: &str, text: &str) -> String {
    let mut value = good();
    let object = value.as_object_mut().unwrap();
    if text.is_empty() {
        object.remove(member);
    } else {
        object.insert(member, crate::json::parse(text.as_bytes()).unwrap());
    }
    match check_unsigned(&value) {
        Ok(()) => panic!("accepted {member}: {text}"),
        Err(reason) => reason.at,
    }
}

fn accepted(member: &str, text: &str) {
    let mut value = good();
    value
        .as_object_mut()
        .unwrap()
        .insert(member, crate::json::parse(text.as_bytes()).unwrap());
    check_unsigned(&value).unwrap_or_else(|reason| panic!("{member}: {text}: {reason}"));
}

#[test]
fn a_plain_credential_is_fit_to_be_signed() {
    check_unsigned(&good()).unwrap();
}

#[test]
fn context_type_issuer_subject_and_id() {
    for text in [
        "",
        "[]",
        "null",
        "7",
        "{}",
        r#""https://www.w3.org/ns/did/v1""#,
        r#"["https://www.w3.org/ns/did/v1"]"#,
    ] {
        assert_eq!(refused("@context", text), "/@context", "{text}");
    }
    let second = |text: &str| format!(r#"["https://www.w3.org/ns/credentials/v2", {text}]"#);
    for text in [r#""https://unknown.example/v1""#, r#""not a url""#, "{}", "null"] {
        assert_eq!(refused("@context", &second(text)), "/@context/1", "{text}");
    }
    for text in [
        "",
        "null",
        "[]",
        "{}",
        r#""AlumniCredential""#,
        r#"["AlumniCredential"]"#,
        r#"["VerifiableCredential", 1]"#,
    ] {
        assert!(refused("type", text).starts_with("/type"), "{text}");
    }
    for text in [
        "",
        "null",
        "7",
        "[]",
        r#""issuer""#,
        "{}",
        r#"{"id": "x"}"#,
        r#"{"id": null}"#,
    ] {
        assert_eq!(refused("issuer", text), "/issuer", "{text}");
    }
    for text in ["", "null", r#""did:example:a""#, "{}", "[]", "[{}]"] {
        assert_eq!(refused("credentialSubject", text), "/credentialSubject", "{text}");
    }
    for text in ["null", "[]", r#""x""#, r#"["urn:uuid:1"]"#] {
        assert_eq!(refused("id", text), "/id", "{text}");
    }
    accepted("issuer", r#"{"id": "did:example:issuer", "name": "Issuer"}"#);
    accepted("credentialSubject", r#"[{"id": "did:example:a"}, {"claim": 1}]"#);
}

#[test]
fn dates() {
    for text in [
        r#""2023-01-01""#,
        r#""2023-02-30T00:00:00Z""#,
        "7",
        r#""2023-01-01T00:00:00""#,
    ] {
        assert_eq!(refused("validFrom", text), "/validFrom", "{text}");
    }
    assert_eq!(refused("validUntil", r#""2022-01-01T00:00:00Z""#), "/validUntil");
    accepted("validUntil", r#""2023-01-01T00:00:01+00:00""#);
}

#[test]
fn members_with_a_type() {
    for name in [
        "credentialStatus",
        "credentialSchema",
        "refreshService",
        "termsOfUse",
        "evidence",
    ] {
        assert_eq!(
            refused(name, r#"{"id": "https://a.example/1"}"#),
            format!("/{name}/type")
        );
        assert_eq!(refused(name, r#"[{"type": "X", "id": "x"}]"#), format!("/{name}/0/id"));
        assert_eq!(
            refused(
                name,
                r#"{"type": "X", "id": ["https://a.example", "https://b.example"]}"#
            ),
            format!("/{name}/id")
        );
        assert_eq!(refused(name, r#""X""#), format!("/{name}"));
        assert_eq!(refused(name, "[]"), format!("/{name}"));
        accepted(name, r#"{"type": "X", "id": "https://a.example/1"}"#);
    }
    assert_eq!(
        refused("credentialSchema", r#"{"type": "JsonSchema"}"#),
        "/credentialSchema/id"
    );
}

#[test]
fn names_and_descriptions() {
    for name in ["name", "description"] {
        for text in [
            "7",
            "null",
            "[]",
            r#"{"@language": "en"}"#,
            r#"{"@value": 1}"#,
            r#"{"@value": "a", "@language": "e n"}"#,
            r#"{"@value": "a", "@direction": "up"}"#,
            r#"{"@value": "a", "url": "x"}"#,
        ] {
            assert!(refused(name, text).starts_with(&format!("/{name}")), "{text}");
        }
        accepted(name, r#"{"@value": "a", "@language": "en-GB", "@direction": "ltr"}"#);
    }
}

#[test]
fn related_resources_are_pinned() {
    let one = r#"{"id": "https://a.example/1", "digestSRI": "sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="}"#;
    accepted("relatedResource", &format!("[{one}]"));
    assert_eq!(
        refused("relatedResource", &format!("[{one}, {one}]")),
        "/relatedResource/1/id"
    );
    assert_eq!(
        refused("relatedResource", r#"["https://a.example/1"]"#),
        "/relatedResource/0"
    );
    assert_eq!(
        refused("relatedResource", r#"[{"digestSRI": "sha256-x"}]"#),
        "/relatedResource/0/id"
    );
    assert_eq!(
        refused("relatedResource", r#"[{"id": "https://a.example/1"}]"#),
        "/relatedResource/0/digestSRI"
    );
    assert_eq!(
        refused(
            "relatedResource",
            r#"[{"id": "https://a.example/1", "digestSRI": "sha256-x"}]"#
        ),
        "/relatedResource/0/digestSRI"
    );
    assert_eq!(
        refused(
            "relatedResource",
            r#"[{"id": "https://a.example/1", "digestMultibase": "x"}]"#
        ),
        "/relatedResource/0/digestMultibase"
    );
}

#[test]
fn a_digest_is_written_in_one_way_only() {
    let pinned = |member: &str, text: &str| format!(r#"{{"id": "https://a.example/1", "{member}": "{text}"}}"#);
    let sri = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";
    accepted("relatedResource", &pinned("digestSRI", &format!("sha256-{sri}")));
    for text in [
        "sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFV=",
        "sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU",
        "sha256-47DEQpj8HBSa+/TI=mW+5JCeuQeRkm5NMpJWZG3hSuFU",
        "sha384-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
        "md5-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
    ] {
        assert_eq!(
            refused("relatedResource", &pinned("digestSRI", text)),
            "/relatedResource/digestSRI",
            "{text}"
        );
    }
    accepted(
        "relatedResource",
        &pinned("digestMultibase", "uEiBZlVztZpfWHgPyslVv6-UwirFoQoRvW1htfx963sknNA"),
    );
    for text in ["uWZVc7WaX1h4D8rJVb-vlMIqxaEKEb1tYbX8fet7JJzQ", "uEiBZlVzt", "f1220"] {
        assert!(
            refused("relatedResource", &pinned("digestMultibase", text)).ends_with("digestMultibase"),
            "{text}"
        );
    }
}

#[test]
fn the_digest_of_a_context_that_is_known_is_checked() {
    let context =
        |digest: &str| format!(r#"[{{"id": "https://www.w3.org/ns/credentials/v2", "digestMultibase": "{digest}"}}]"#);
    accepted(
        "relatedResource",
        &context("uEiBZlVztZpfWHgPyslVv6-UwirFoQoRvW1htfx963sknNA"),
    );
    let other = multibase::encode(multibase::Base::Base64Url, [&[0x12, 32][..], &[7; 32]].concat());
    assert_eq!(
        refused("relatedResource", &context(&other)),
        "/relatedResource/0/digestMultibase"
    );
}

const VERSION_1: &str = r#"{
    "@context": ["https://www.w3.org/2018/credentials/v1"],
    "type": ["VerifiableCredential"],
    "issuer": "https://vc.example/issuers/5678",
    "issuanceDate": "2023-01-01T00:00:00Z",
    "credentialSubject": {"id": "did:example:abcdefgh"}
}"#;

fn version_1(member: &str, value: &str) -> Result<(), Reason> {
    let mut document = crate::json::parse(VERSION_1.as_bytes()).unwrap();
    document
        .as_object_mut()
        .unwrap()
        .insert(member, crate::json::parse(value.as_bytes()).unwrap());
    check_unsigned(&document)
}

#[test]
fn a_credential_of_version_1_has_the_members_of_version_1() {
    version_1("expirationDate", r#""2024-01-01T00:00:00Z""#).unwrap();
    for (member, value) in [
        ("issuanceDate", "null"),
        ("issuanceDate", r#""yesterday""#),
        ("expirationDate", r#""2023-01-01T00:00:00Z""#),
        ("validFrom", r#""2023-01-01T00:00:00Z""#),
        ("validUntil", r#""2033-01-01T00:00:00Z""#),
        ("relatedResource", "[]"),
    ] {
        assert_eq!(
            version_1(member, value).unwrap_err().at,
            format!("/{member}"),
            "{value}"
        );
    }
    for member in ["issuanceDate", "expirationDate"] {
        assert_eq!(refused(member, r#""2023-01-01T00:00:00Z""#), format!("/{member}"));
    }
}

#[test]
fn a_document_of_version_1_gets_the_context_of_its_proof() {
    let contexts = |text: &str| {
        let mut document = crate::json::parse(text.as_bytes()).unwrap().into_object().unwrap();
        super::super::add_proof_context(&mut document);
        document.get("@context").unwrap().clone()
    };
    let added = contexts(VERSION_1);
    assert_eq!(
        added.as_array().unwrap()[1].as_str(),
        Some("https://w3id.org/security/data-integrity/v2")
    );
    assert_eq!(contexts(GOOD), *good().get("@context").unwrap());
    let has = VERSION_1.replace("v1\"]", "v1\", \"https://w3id.org/security/data-integrity/v1\"]");
    assert_eq!(contexts(&has).as_array().unwrap().len(), 2);
}

#[test]
fn every_subject_has_a_url_or_no_id() {
    assert_eq!(
        refused("credentialSubject", r#"[{"id": "did:example:a"}, {"id": 7}]"#),
        "/credentialSubject/1/id"
    );
    assert_eq!(
        refused("credentialSubject", r#"{"id": ["did:example:a"]}"#),
        "/credentialSubject/id"
    );
}

#[test]
fn signed_or_not_an_object() {
    assert_eq!(refused("proof", r#"{"type": "DataIntegrityProof"}"#), "/proof");
    for text in ["null", "[]", "7", r#""x""#] {
        assert!(check_unsigned(&crate::json::parse(text.as_bytes()).unwrap()).is_err());
    }
}

#[test]
fn a_capability_credential_is_held_to_what_verifiers_ask() {
    let types = r#"["VerifiableCredential", "AgentCapabilityCredential"]"#;
    assert_eq!(refused("type", types), "/@context");
}
