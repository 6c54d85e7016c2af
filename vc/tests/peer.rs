//! `eddsa-jcs-2022` as another implementation does it: what one signs, the other verifies.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod world;

use affinidi_data_integrity::crypto_suites::CryptoSuite;
use affinidi_data_integrity::{DataIntegrityProof, VerifyOptions, prepare_sign_input};
use proptest::prelude::*;
use syndic_vc::document::Purpose;
use syndic_vc::json::{self, Value};
use syndic_vc::key::Signer;
use syndic_vc::proof::{self, ProofOptions};
use syndic_vc::verify;
use world::*;

/// Whether the other implementation finds that north signed this text.
fn peer_accepts(text: &[u8]) -> bool {
    let mut document: serde_json::Value = serde_json::from_slice(text).unwrap();
    let proof = document.as_object_mut().unwrap().remove("proof").unwrap();
    let proof: DataIntegrityProof = serde_json::from_value(proof).unwrap();
    let key = north().key.public_key().as_bytes().to_vec();
    proof
        .verify_with_public_key(&document, &key, VerifyOptions::new())
        .is_ok()
}

/// The text as the other implementation signs it (it prepares the bytes, our key signs them).
fn peer_signs(unsigned: &[u8]) -> Vec<u8> {
    let mut document: serde_json::Value = serde_json::from_slice(unsigned).unwrap();
    let proof = |value| {
        let created = after(-2).to_string();
        DataIntegrityProof::new(
            CryptoSuite::EddsaJcs2022,
            north().method(),
            "assertionMethod".to_owned(),
            value,
            Some(created),
            None,
        )
    };
    let bytes = prepare_sign_input(&document, &proof(None), CryptoSuite::EddsaJcs2022).unwrap();
    let signature = north().key.sign(&bytes).unwrap();
    let value = multibase::encode(multibase::Base::Base58Btc, signature.as_bytes());
    document["proof"] = serde_json::to_value(proof(Some(value))).unwrap();
    serde_json::to_vec(&document).unwrap()
}

fn options() -> ProofOptions {
    ProofOptions::new(Purpose::AssertionMethod, &north().method(), after(-2))
}

#[test]
fn a_capability_credential_is_read_by_the_other() {
    let signed = credential();
    assert!(peer_accepts(&text(&signed)));
    let mut changed = signed;
    changed.as_object_mut().unwrap().insert("name", "changed");
    assert!(!peer_accepts(&text(&changed)));
}

/// Documents with everything that canonicalization must get right: escapes, order, numbers.
fn any_json() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        (-9_007_199_254_740_991_i64..=9_007_199_254_740_991).prop_map(Into::into),
        "\\PC{0,12}".prop_map(Into::into),
        "[\\x00-\\x1f\"\\\\\u{e000}\u{10000}é]{0,6}".prop_map(Into::into),
    ];
    leaf.prop_recursive(4, 48, 6, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..6).prop_map(Into::into),
            proptest::collection::hash_map("[a-f\u{e000}\u{10000}\"é]{0,3}", inner, 0..6)
                .prop_map(|members| serde_json::Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]
    #[test]
    fn both_sign_and_verify_alike(claims in any_json()) {
        let unsigned = serde_json::to_vec(&serde_json::json!({ "claims": claims })).unwrap();
        let document: Value = json::parse(&unsigned).unwrap();
        let ours = proof::sign(document.into_object().unwrap(), &options(), north().signer()).unwrap();
        prop_assert!(peer_accepts(&text(&ours)));
        let theirs = peer_signs(&unsigned);
        prop_assert_eq!(&json::parse(&theirs).unwrap(), &ours);
        prop_assert!(verify::proof_only(&theirs, &policy(), &Known::new(), now()).is_ok());
    }
}
