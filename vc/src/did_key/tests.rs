#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use zeroize::Zeroizing;

use super::{ResolveError, for_key, resolve};
use crate::canonical::to_bytes;
use crate::did::Did;
use crate::document::{DidDocument, MethodError, MultikeyValue, Purpose, VerificationMethod};
use crate::key::{KeyError, SecretKey};

fn did(text: &str) -> Did {
    Did::parse(text).unwrap()
}

fn multikey(prefix: &[u8], key: &[u8]) -> String {
    multibase::encode(multibase::Base::Base58Btc, [prefix, key].concat())
}

#[test]
fn an_ed25519_did_is_its_own_document() {
    let secret = SecretKey::from_seed(Zeroizing::new([1; 32]));
    let did = for_key(secret.public_key());
    let document = resolve(&did).unwrap();
    let name = did.method_specific_id();
    let id = format!("{did}#{name}");
    assert_eq!(
        String::from_utf8(to_bytes(&document.to_json())).unwrap(),
        format!(
            concat!(
                r#"{{"@context":["https://www.w3.org/ns/did/v1","https://w3id.org/security/multikey/v1"],"#,
                r#""assertionMethod":["{id}"],"authentication":["{id}"],"#,
                r#""capabilityDelegation":["{id}"],"capabilityInvocation":["{id}"],"id":"{did}","#,
                r#""verificationMethod":[{{"controller":"{did}","id":"{id}","publicKeyMultibase":"{name}","#,
                r#""type":"Multikey"}}]}}"#
            ),
            id = id,
            did = did,
            name = name,
        )
    );
    assert_eq!(DidDocument::from_json(&document.to_json()).unwrap(), document);
    for purpose in Purpose::ALL {
        let method = document.method_for(&id, purpose);
        if purpose == Purpose::KeyAgreement {
            assert_eq!(method, Err(MethodError::Unauthorized));
        } else {
            let method = method.unwrap();
            assert_eq!(method.key.public_key(), Some(secret.public_key()));
            assert_eq!(method.controller, did);
        }
    }
    assert_eq!(
        document.method_for(did.as_str(), Purpose::Authentication),
        Err(MethodError::Unknown)
    );
}

#[test]
fn refuses_other_methods_and_broken_keys() {
    assert_eq!(
        resolve(&did("did:web:example.com")),
        Err(ResolveError::MethodUnsupported("web".to_owned()))
    );
    let weak = multikey(&[0xed, 1], &[0; 32]);
    for (id, error) in [
        ("z".to_owned(), KeyError::Malformed),
        ("abc".to_owned(), KeyError::Malformed),
        ("z6Mk0".to_owned(), KeyError::Malformed),
        (weak, KeyError::Weak),
        (multikey(&[0xed, 1], &[1; 31]), KeyError::Malformed),
        (multikey(&[0xec, 1], &[1; 31]), KeyError::UnsupportedKind(0xec)),
        (multikey(&[0xeb, 1], &[1; 48]), KeyError::UnsupportedKind(0xeb)), // BLS12-381 G2
        (multikey(&[0x85, 0x24], &[1; 30]), KeyError::UnsupportedKind(0x1205)), // RSA
    ] {
        let error = ResolveError::Key(error);
        assert_eq!(resolve(&did(&format!("did:key:{id}"))), Err(error), "{id}");
    }
    let parts = did("did:key:z6MkrJVnaZkeFzdQyMZu1cgjg7k1pZZ6pvBQ7XJPt4swbTQ2:2");
    assert_eq!(resolve(&parts), Err(ResolveError::Key(KeyError::Malformed)));
}

/// From the did:key method specification, section "X25519".
#[test]
fn an_x25519_did_is_for_key_agreement_only() {
    let did = did("did:key:z6LSeu9HkTHSfLLeUs2nnzUSNedgDUevfNQgQjQC23ZCit6F");
    let document = resolve(&did).unwrap();
    let id = format!("{did}#{}", did.method_specific_id());
    let method = document.method_for(&id, Purpose::KeyAgreement).unwrap();
    assert_eq!(method.key, MultikeyValue::Other(did.method_specific_id().to_owned()));
    assert_eq!(method.key.public_key(), None);
    assert_eq!(
        document.method_for(&id, Purpose::AssertionMethod),
        Err(MethodError::Unauthorized)
    );
}

/// From the did:key method specification's examples.
const OTHER_CURVES: [&str; 6] = [
    "did:key:zDnaerDaTF5BXEavCrfRZEk316dpbLsfPDZ3WJ5hRTPFU2169", // P-256
    "did:key:zDnaerx9CtbPJ1q36T5Ln5wYt3MQYeGRG5ehnPAmxcf5mDZpv",
    "did:key:z82Lm1MpAkeJcix9K8TMiLd5NMAhnwkjjCBeWHXyu3U4oT2MVJJKXkcVBgjGhnLBn2Kaau9", // P-384
    "did:key:z82LkvCwHNreneWpsgPEbV3gu1C6NFJEBg4srfJ5gdxEsMGRJUz2sG9FE42shbn2xkZJh54",
    "did:key:zQ3shokFTS3brHcDQrn82RUDfCZESWL1ZdCEJwekUDPQiYBme", // secp256k1
    "did:key:zQ3shtxV1FrJfhqE1dvxYRcCknWNjHc3c5X1y3ZSoPDi2aur2",
];

#[test]
fn keys_on_other_curves_are_shown() {
    let (nist, secp256k1) = OTHER_CURVES.split_at(4);
    let read = if cfg!(feature = "linked-data") { secp256k1 } else { &[] };
    for text in nist.iter().chain(read) {
        let did = did(text);
        let document = resolve(&did).unwrap_or_else(|error| panic!("{text}: {error}"));
        let id = format!("{did}#{}", did.method_specific_id());
        for purpose in Purpose::ALL {
            assert_eq!(
                document.method_for(&id, purpose).is_ok(),
                purpose != Purpose::KeyAgreement
            );
        }
        let method = document.method_for(&id, Purpose::AssertionMethod).unwrap();
        // secp256k1 is shown, and verifies nothing here.
        assert_eq!(method.key.public_key().is_some(), nist.contains(text));
        assert_eq!(for_key_text(method), did.method_specific_id());
        assert_eq!(DidDocument::from_json(&document.to_json()).unwrap(), document);
    }
}

fn for_key_text(method: &VerificationMethod) -> String {
    match &method.key {
        MultikeyValue::Multikey(key) => key.to_multikey(),
        MultikeyValue::Other(text) => text.clone(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn keys_on_other_curves_are_checked() {
    let all = [([0x80, 0x24], 33), ([0x81, 0x24], 49), ([0xe7, 0x01], 33)];
    let read = if cfg!(feature = "linked-data") { 3 } else { 2 };
    for (prefix, length) in all.into_iter().take(read) {
        let no_point = multikey(&prefix, &vec![0xff; length]);
        let cut = multikey(&prefix, &vec![0x02; length - 1]);
        for id in [no_point, cut] {
            let error = resolve(&did(&format!("did:key:{id}"))).unwrap_err();
            assert_eq!(error, ResolveError::Key(KeyError::NotOnCurve), "{id}");
        }
    }
    // The generator of P-256, uncompressed: a point, but not its one form.
    let g = [
        0x04, 0x6b, 0x17, 0xd1, 0xf2, 0xe1, 0x2c, 0x42, 0x47, 0xf8, 0xbc, 0xe6, 0xe5, 0x63, 0xa4, 0x40, 0xf2, 0x77,
        0x03, 0x7d, 0x81, 0x2d, 0xeb, 0x33, 0xa0, 0xf4, 0xa1, 0x39, 0x45, 0xd8, 0x98, 0xc2, 0x96, 0x4f, 0xe3, 0x42,
        0xe2, 0xfe, 0x1a, 0x7f, 0x9b, 0x8e, 0xe7, 0xeb, 0x4a, 0x7c, 0x0f, 0x9e, 0x16, 0x2b, 0xce, 0x33, 0x57, 0x6b,
        0x31, 0x5e, 0xce, 0xcb, 0xb6, 0x40, 0x68, 0x37, 0xbf, 0x51, 0xf5,
    ];
    let error = resolve(&did(&format!("did:key:{}", multikey(&[0x80, 0x24], &g)))).unwrap_err();
    assert_eq!(error, ResolveError::Key(KeyError::NotCanonical));
}

#[cfg(not(feature = "linked-data"))]
#[test]
fn the_lean_build_names_the_keys_it_does_not_read() {
    for text in &OTHER_CURVES[4..] {
        let error = resolve(&did(text)).unwrap_err();
        assert_eq!(error, ResolveError::Key(KeyError::UnsupportedKind(0xe7)));
    }
}

proptest::proptest! {
    #[test]
    fn every_key_resolves_to_itself(seed: [u8; 32]) {
        let secret = SecretKey::from_seed(Zeroizing::new(seed));
        let document = resolve(&for_key(secret.public_key())).unwrap();
        assert_eq!(document.verification_method[0].key.public_key(), Some(secret.public_key()));
    }

    #[test]
    fn no_identifier_panics(id in "[zZu1-9A-HJ-NP-Za-km-z]{1,80}") {
        let _ = resolve(&did(&format!("did:key:{id}")));
    }
}
