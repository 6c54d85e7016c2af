#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use super::{DidDocument, DocumentError, MethodError, MultikeyValue, Purpose};
use crate::canonical::to_bytes;
use crate::json::{Value, parse};
use crate::key::KeyError;

const KEY: &str = "z6MkrJVnaZkeFzdQyMZu1cgjg7k1pZZ6pvBQ7XJPt4swbTQ2";
const SECP256K1: &str = "zQ3shokFTS3brHcDQrn82RUDfCZESWL1ZdCEJwekUDPQiYBme";

fn read(text: &str) -> Result<DidDocument, DocumentError> {
    DidDocument::from_json(&parse(text.as_bytes()).unwrap())
}

fn full() -> String {
    format!(
        r##"{{"@context":["https://www.w3.org/ns/did/v1","https://w3id.org/security/multikey/v1"],
        "id":"did:web:example.com","controller":["did:ex:a","did:ex:b"],"alsoKnownAs":["https://example.com/"],
        "verificationMethod":[
          {{"id":"#one","type":"Multikey","controller":"did:web:example.com","publicKeyMultibase":"{KEY}"}},
          {{"id":"did:web:example.com#two","type":"Multikey","controller":"did:web:example.com",
            "publicKeyMultibase":"{SECP256K1}"}},
          {{"id":"#jwk","type":"JsonWebKey2020","controller":"did:web:example.com","publicKeyJwk":{{"kty":"OKP"}}}}],
        "assertionMethod":["#one","did:web:example.com#two"],
        "authentication":["#one","#jwk",
          {{"id":"#inside","type":"Ed25519VerificationKey2020","controller":"did:web:example.com",
            "publicKeyMultibase":"{KEY}"}}],
        "service":[{{"id":"#node","type":"Node","serviceEndpoint":"https://example.com/"}},
          {{"id":"#more","type":["A","B"],"serviceEndpoint":[{{"uri":"https://example.com/"}}]}}],
        "unknown":{{"kept":false}}}}"##
    )
}

#[test]
fn reads_a_full_document() {
    let document = read(&full()).unwrap();
    assert_eq!(document.controller.len(), 2);
    assert_eq!(document.also_known_as, ["https://example.com/"]);
    assert_eq!(document.verification_method.len(), 4);
    let one = document
        .method_for("did:web:example.com#one", Purpose::AssertionMethod)
        .unwrap();
    assert_eq!(one.key.public_key().unwrap().to_multikey(), KEY);
    let two = document
        .method_for("did:web:example.com#two", Purpose::AssertionMethod)
        .unwrap();
    assert_eq!(two.key, MultikeyValue::Other(SECP256K1.to_owned()));
    let jwk = document
        .method_for("did:web:example.com#jwk", Purpose::Authentication)
        .unwrap();
    assert!(matches!(jwk.key, MultikeyValue::Unsupported(Value::Object(_))));
    assert_eq!(document.service[1].kind, ["A", "B"]);
    // Written and read again it is the same.
    let again = document.to_json();
    assert_eq!(DidDocument::from_json(&again).unwrap(), document);
    assert_eq!(
        to_bytes(&DidDocument::from_json(&again).unwrap().to_json()),
        to_bytes(&again)
    );
}

#[test]
fn a_key_is_good_only_for_what_names_it() {
    let document = read(&full()).unwrap();
    let inside = "did:web:example.com#inside";
    assert!(document.method_for(inside, Purpose::Authentication).is_ok());
    for purpose in [Purpose::AssertionMethod, Purpose::CapabilityInvocation] {
        assert_eq!(document.method_for(inside, purpose), Err(MethodError::Unauthorized));
    }
    assert_eq!(
        document.method_for("did:web:example.com#none", Purpose::Authentication),
        Err(MethodError::Unknown)
    );
    // Names are compared as they stand: a relative one is none.
    assert_eq!(
        document.method_for("#one", Purpose::AssertionMethod),
        Err(MethodError::Unknown)
    );
}

#[test]
fn names_the_member_that_is_wrong() {
    let full = full();
    for (from, to, place) in [
        (r#""id":"did:web:example.com","#, "", "/id"),
        (r#""id":"did:web:example.com","#, r#""id":"example.com","#, "/id"),
        (
            r#""id":"did:web:example.com","#,
            r#""id":"did:web:example.com#x","#,
            "/id",
        ),
        (r#"["did:ex:a","did:ex:b"]"#, r#"["did:ex:a",5]"#, "/controller"),
        (r#"["did:ex:a","did:ex:b"]"#, r#"["did:ex:a","b"]"#, "/controller"),
        (KEY, "z6Mkr0", "/verificationMethod/0/publicKeyMultibase"),
        (r##""id":"#jwk","##, "", "/verificationMethod/2/id"),
        (r##""id":"#inside""##, r##""id":"#one""##, "/authentication/2"),
        (
            r##"["#one","did:web:example.com#two"]"##,
            r##"["#one",7]"##,
            "/assertionMethod/1",
        ),
        (
            r##"["#one","did:web:example.com#two"]"##,
            r##""#one""##,
            "/assertionMethod",
        ),
        (r#""type":"Node","#, "", "/service/0/type"),
        (
            r#","serviceEndpoint":"https://example.com/""#,
            "",
            "/service/0/serviceEndpoint",
        ),
    ] {
        assert!(full.contains(from), "{from}");
        let error = read(&full.replacen(from, to, 1)).unwrap_err().to_string();
        assert!(error.starts_with(&format!("{place}: ")), "{error}");
    }
    let many = vec!["\"#one\""; 65].join(",");
    let error = read(&full.replacen(r##"["#one","##, &format!("[{many},"), 1)).unwrap_err();
    assert_eq!(error.to_string(), "/assertionMethod: expected fewer entries");
}

#[test]
fn a_weak_key_refuses_the_document() {
    let weak = multibase::encode(multibase::Base::Base58Btc, [&[0xed, 1], [0; 32].as_slice()].concat());
    let error = read(&full().replacen(KEY, &weak, 1)).unwrap_err();
    assert!(
        matches!(
            error,
            DocumentError::Key {
                source: KeyError::Weak,
                ..
            }
        ),
        "{error}"
    );
}

#[test]
fn purposes_have_their_names() {
    for purpose in Purpose::ALL {
        assert_eq!(Purpose::parse(purpose.as_str()), Some(purpose));
    }
    assert_eq!(Purpose::parse("AssertionMethod"), None);
}
