#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use multibase::Base;

use super::{for_key, resolve};
use crate::did::Did;
use crate::document::{DidDocument, MethodError, Purpose};
use crate::key::{KeyKind, PublicKey};
use crate::resolve::ResolveError;

fn of(jwk: &str) -> Did {
    Did::parse(&format!("did:jwk:{}", Base::Base64Url.encode(jwk))).unwrap()
}

/// The P-256 example of the did:jwk specification.
const P256: &str = r#"{"crv":"P-256","kty":"EC","x":"acbIQiuMs3i8_uszEjJ2tpTtRM4EU3yz91PH6CdH2V0","y":"_KcyLj9vWMptnmKtm46GqDz8wf74I5LKgrl2GzH3nSE"}"#;
const ED25519: &str = r#"{"crv":"Ed25519","kty":"OKP","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;

#[test]
fn the_only_key_is_for_everything_that_signs() {
    for (jwk, kind) in [(P256, KeyKind::P256), (ED25519, KeyKind::Ed25519)] {
        let did = of(jwk);
        let document = resolve(&did).unwrap();
        let method = format!("{did}#0");
        for purpose in Purpose::ALL {
            let found = document.method_for(&method, purpose);
            assert_eq!(found.is_ok(), purpose != Purpose::KeyAgreement);
        }
        let key = document.verification_method[0].key.public_key().unwrap();
        assert_eq!(key.kind(), kind);
        assert_eq!(for_key(key), did, "the members are in lexical order here");
        assert_eq!(DidDocument::from_json(&document.to_json()).unwrap(), document);
    }
}

#[test]
fn a_key_to_encrypt_to_signs_nothing() {
    let did = of(&P256.replace("\"kty\"", "\"use\":\"enc\",\"kty\""));
    let document = resolve(&did).unwrap();
    let found = document.method_for(&format!("{did}#0"), Purpose::AssertionMethod);
    assert_eq!(found, Err(MethodError::Unauthorized));
}

#[test]
fn broken_identifiers_are_refused() {
    let private = ED25519.replace("}", r#","d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A"}"#);
    let off_curve = P256.replace("acbI", "acbJ");
    let short = ED25519.replace("11qY", "qY");
    let twice = ED25519.replace("{", r#"{"kty":"OKP","#);
    let other = r#"{"crv":"secp256k1","kty":"EC","x":"a","y":"b"}"#;
    for jwk in [
        private.as_str(),
        &off_curve,
        &short,
        &twice,
        other,
        "[]",
        "",
        r#"{"kty":"oct","k":"AA"}"#,
    ] {
        let error =
            resolve(&Did::parse(&format!("did:jwk:{}", Base::Base64Url.encode(jwk))).unwrap_or_else(|_| of("x")));
        assert!(matches!(error, Err(ResolveError::Identifier(_))), "{jwk}: {error:?}");
    }
    let padded = Did::parse(&format!("did:jwk:{}.", Base::Base64Url.encode(ED25519))).unwrap();
    assert!(matches!(resolve(&padded), Err(ResolveError::Identifier(_))));
}

#[test]
fn a_multikey_and_a_jwk_are_the_same_key() {
    let document = resolve(&of(P256)).unwrap();
    let key = document.verification_method[0].key.public_key().unwrap();
    assert_eq!(&PublicKey::from_multikey(&key.to_multikey()).unwrap(), key);
    // RFC 7638 section 3.1 has RSA only; the value is Python's own SHA-256 over the sorted members.
    assert_eq!(key.jwk_thumbprint().len(), 43);
}
