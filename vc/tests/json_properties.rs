//! The strict reader and the canonical writer, at random and against other implementations.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use proptest::prelude::*;
use syndic_vc::canonical::to_bytes;
use syndic_vc::json::{self, Number, Object, Value};

fn number() -> impl Strategy<Value = Number> {
    prop_oneof![
        (-(1_i64 << 53) + 1..1_i64 << 53).prop_filter_map("range", |n| Number::try_from(n).ok()),
        any::<f64>().prop_filter_map("not held", |d| Number::try_from(d).ok()),
        // Short decimals, as people write them.
        (any::<i32>(), 0_i32..12).prop_filter_map("not held", |(n, e)| Number::try_from(f64::from(n) / 10_f64.powi(e))
            .ok()),
    ]
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z]{0,12}",
        any::<String>(),
        // Both sides of the border where UTF-16 and code point order differ; control characters.
        "[\u{e000}\u{fb33}\u{ffff}\u{10000}\u{1f602}\u{10ffff}\u{0}-\u{1f}\"\\\\/\u{7f}-\u{9f}]{0,6}",
    ]
}

fn value() -> impl Strategy<Value = Value> {
    let scalar = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        number().prop_map(Value::from),
        text().prop_map(Value::from),
    ];
    scalar.prop_recursive(6, 64, 8, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..8).prop_map(Value::Array),
            prop::collection::vec((text(), inner), 0..12)
                .prop_map(|members| Value::Object(members.into_iter().collect::<Object>())),
        ]
    })
}

/// Whether two readers understood the same. Numbers are compared as doubles.
fn same(ours: &Value, theirs: &serde_json::Value) -> bool {
    match (ours, theirs) {
        (Value::Null, serde_json::Value::Null) => true,
        (Value::Bool(a), serde_json::Value::Bool(b)) => a == b,
        (Value::Number(a), serde_json::Value::Number(b)) => Some(a.as_f64()) == b.as_f64(),
        (Value::String(a), serde_json::Value::String(b)) => a.as_str() == b,
        (Value::Array(a), serde_json::Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b))
        }
        (Value::Object(a), serde_json::Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(name, a)| b.get(name).is_some_and(|b| same(a, b)))
        }
        _ => false,
    }
}

/// Whatever we accept, `serde_json` accepts with the same value, and its canonical form is a fixed
/// point. Returns whether it was accepted.
fn accepted_alike(bytes: &[u8]) -> bool {
    let Ok(ours) = json::parse(bytes) else {
        return false;
    };
    let theirs: serde_json::Value =
        serde_json::from_slice(bytes).unwrap_or_else(|error| panic!("{error}: {:?}", String::from_utf8_lossy(bytes)));
    assert!(same(&ours, &theirs), "{ours:?} is not {theirs:?}");
    let canonical = to_bytes(&ours);
    assert_eq!(json::parse(&canonical).unwrap(), ours);
    true
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 1_024,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn canonical_bytes_read_back_as_the_same_value(value in value()) {
        let bytes = to_bytes(&value);
        prop_assert_eq!(&json::parse(&bytes).unwrap(), &value);
        prop_assert_eq!(to_bytes(&json::parse(&bytes).unwrap()), bytes);
    }

    #[test]
    fn canonical_bytes_are_those_of_another_implementation(value in value()) {
        let bytes = to_bytes(&value);
        let theirs: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
        let theirs = serde_json_canonicalizer::to_vec(&theirs).unwrap();
        prop_assert_eq!(String::from_utf8(bytes).unwrap(), String::from_utf8(theirs).unwrap());
    }

    #[test]
    fn what_serde_writes_of_a_value_is_the_value(value in value()) {
        let text = serde_json::to_vec(&value).unwrap();
        prop_assert_eq!(json::parse(&text).unwrap(), value);
    }

    #[test]
    fn a_pretty_text_has_the_same_value(value in value()) {
        let text = serde_json::to_vec_pretty(&value).unwrap();
        prop_assert_eq!(json::parse(&text).unwrap(), value);
    }

    #[test]
    fn random_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        accepted_alike(&bytes);
    }

    #[test]
    fn random_json_like_text_never_panics(
        text in r#"([\[\]{}:,"\\ \n0-9eE.+\-]|true|null|"a"|\\u[0-9a-dD]{4}|é){0,40}"#
    ) {
        accepted_alike(text.as_bytes());
    }

    #[test]
    fn random_numbers_are_read_alike(text in r"-?(0|[1-9][0-9]{0,20})(\.[0-9]{1,20})?([eE][+\-]?[0-9]{1,3})?") {
        accepted_alike(text.as_bytes());
    }

    #[test]
    fn a_mutated_document_never_panics(
        value in value(),
        edits in prop::collection::vec((any::<prop::sample::Index>(), 0_u8..4, any::<u8>()), 1..6),
    ) {
        let mut bytes = to_bytes(&value);
        for (at, kind, byte) in edits {
            let at = at.index(bytes.len() + 1);
            match kind {
                0 => bytes.insert(at, byte),
                1 if at < bytes.len() => drop(bytes.remove(at)),
                2 if at < bytes.len() => bytes[at] ^= 1 << (byte % 8),
                _ => {
                    let copy = bytes[at..].iter().take(usize::from(byte % 16)).copied().collect::<Vec<_>>();
                    bytes.splice(at..at, copy);
                }
            }
        }
        accepted_alike(&bytes);
    }
}

/// All single-bit flips, deletions and doublings of a credential's bytes: what is still accepted is
/// understood alike by both readers.
#[test]
fn every_small_change_of_a_credential_is_read_alike() {
    let text = br#"{"@context":["https://www.w3.org/ns/credentials/v2"],"id":"urn:uuid:58172aac","n":-12.5e-3,
        "credentialSubject":{"id":"did:key:z6Mk","name":"Z\u00fcrich \ud83d\ude02","capability":[{"action":"read"}]}}"#;
    assert!(accepted_alike(text));
    let (mut tried, mut accepted) = (0, 0);
    let mut attempt = |bytes: &[u8]| {
        tried += 1;
        accepted += usize::from(accepted_alike(bytes));
    };
    for at in 0..text.len() {
        for bit in 0..8 {
            let mut flipped = text.to_vec();
            flipped[at] ^= 1 << bit;
            attempt(&flipped);
        }
        let mut deleted = text.to_vec();
        deleted.remove(at);
        attempt(&deleted);
        let mut doubled = text.to_vec();
        doubled.insert(at, text[at]);
        attempt(&doubled);
    }
    // Both outcomes occur, so the test tests something.
    assert!(
        tried > 2_000 && accepted > 500 && accepted < tried,
        "{accepted} of {tried}"
    );
}
