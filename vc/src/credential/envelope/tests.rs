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
