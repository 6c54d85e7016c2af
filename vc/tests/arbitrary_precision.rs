//! `ssi` turns on `serde_json/arbitrary_precision` for the whole build. Nothing of ours may change
//! by that: these results hold with the feature `linked-data` and without it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use syndic_vc::canonical::to_bytes;
use syndic_vc::json::{self, Value};

/// Whether this build has the feature: then a number keeps the digits that a double cannot hold.
fn arbitrary_precision() -> bool {
    let written = "0.1000000000000000000000001";
    let number: serde_json::Value = serde_json::from_str(written).unwrap();
    serde_json::to_string(&number).unwrap() == written
}

#[cfg(feature = "linked-data")]
#[test]
fn this_build_is_the_one_that_is_meant() {
    assert!(arbitrary_precision());
}

#[test]
fn reading_and_writing_do_not_depend_on_it() {
    let text = br#"{"a":1,"b":1.50,"c":1e21,"d":-7,"e":[0.1,1E-7,9007199254740991]}"#;
    let canonical = r#"{"a":1,"b":1.5,"c":1e+21,"d":-7,"e":[0.1,1e-7,9007199254740991]}"#;
    let value = json::parse(text).unwrap();
    assert_eq!(String::from_utf8(to_bytes(&value)).unwrap(), canonical);
    for refused in ["9007199254740993", "0.1000000000000000000000001", "1e400", "-0"] {
        assert!(json::parse(refused.as_bytes()).is_err(), "{refused}");
    }
    eprintln!("arbitrary_precision: {}", arbitrary_precision());
}

#[test]
fn a_value_inside_an_answer_is_written_as_numbers() {
    #[derive(serde::Serialize)]
    struct Answer {
        #[serde(flatten)]
        rest: std::collections::BTreeMap<String, Value>,
        inner: Value,
    }
    let inner = json::parse(br#"{"n":2.5,"i":3}"#).unwrap();
    let answer = Answer {
        rest: [("x".to_owned(), inner.clone())].into(),
        inner,
    };
    let text = serde_json::to_string(&answer).unwrap();
    assert_eq!(text, r#"{"x":{"i":3,"n":2.5},"inner":{"i":3,"n":2.5}}"#);
    // Through serde_json's own tree too, which is where the feature hides its private marker.
    let tree = serde_json::to_value(&answer).unwrap();
    assert_eq!(
        json::parse(tree.to_string().as_bytes()).unwrap().get("x"),
        Some(&answer.inner)
    );
}
