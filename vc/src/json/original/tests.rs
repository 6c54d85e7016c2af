#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use proptest::prelude::*;

use super::*;
use crate::canonical;

/// All objects of a value.
fn objects<'v>(value: &'v Value, found: &mut Vec<&'v Object>) {
    match value {
        Value::Object(object) => {
            found.push(object);
            object.iter().for_each(|(_, value)| objects(value, found));
        }
        Value::Array(items) => items.iter().for_each(|value| objects(value, found)),
        _ => {}
    }
}

/// How many pieces were cut out of the text; each is compared with what is written from the value.
fn cut_alike(text: &[u8]) -> usize {
    let original = Original::parse(text, &Limits::default()).unwrap();
    assert_eq!(*original.value(), crate::json::parse(text).unwrap());
    let mut found = Vec::new();
    objects(original.value(), &mut found);
    let mut count = 0;
    for object in found {
        for name in ["proof", "proofValue"] {
            let Some(parts) = original.without(object, name) else {
                continue;
            };
            let mut written = Vec::new();
            canonical::write_without(object, &[name], &mut written);
            assert_eq!(parts.concat(), written, "{}", String::from_utf8_lossy(text));
            count += 1;
        }
    }
    count
}

#[test]
fn a_canonical_text_is_cut() {
    for text in [
        r#"{"proof":1}"#,
        r#"{"a":1,"proof":1}"#,
        r#"{"proof":1,"z":1}"#,
        r#"{"a":[{}],"proof":{"b":{}},"z":-1}"#,
        r#" {"a":1,"proof":1} "#,
        r#"{"x" : {"a":1,"proof":1}}"#,
        r#"{"proofValue":"é"}"#,
    ] {
        assert_eq!(cut_alike(text.as_bytes()), 1, "{text}");
    }
    assert_eq!(
        cut_alike(br#"[{"proof":{"proofValue":1}},{"proof":{"proofValue":1}}]"#),
        4
    );
}

#[test]
fn a_text_that_is_spelled_in_another_way_is_not() {
    for text in [
        r#"{"proof":1 }"#,
        r#"{ "proof":1}"#,
        r#"{"proof": 1}"#,
        r#"{"proof" :1}"#,
        r#"{"z":1,"proof":1}"#,
        r#"{"a":[1 ],"proof":1}"#,
        r#"{"a":"\u0061","proof":1}"#,
        r#"{"a":"\/","proof":1}"#,
        r#"{"a":"\n","proof":1}"#,
        r#"{"\u0061":1,"proof":1}"#,
        r#"{"a":1.0,"proof":1}"#,
        r#"{"a":1e3,"proof":1}"#,
        r#"{"a":{"z":1,"b":1},"proof":1}"#,
        r#"{"a":1}"#,
    ] {
        assert_eq!(cut_alike(text.as_bytes()), 0, "{text}");
    }
}

/// Another document, alike in every byte, is not the one that was read.
#[test]
fn only_its_own_objects_are_known() {
    let text = br#"{"proof":1}"#;
    let (one, other) = (
        Original::parse(text, &Limits::default()).unwrap(),
        Original::parse(text, &Limits::default()).unwrap(),
    );
    assert!(one.without(one.value().as_object().unwrap(), "proof").is_some());
    assert!(one.without(other.value().as_object().unwrap(), "proof").is_none());
    assert!(one.without(&Object::new(), "proof").is_none());
}

/// JSON as many hands would write it: mostly canonical, now and then not.
fn text() -> impl Strategy<Value = String> {
    let space = || prop_oneof![20 => Just(""), 1 => Just(" "), 1 => Just("\n\t")];
    let scalar = prop_oneof![
        12 => prop::sample::select(vec!["0", "-7", "123", "true", "null", "\"\"", "\"read\"", "\"é\u{e000}😀\""]),
        1 => prop::sample::select(vec!["1.0", "2.5", "1e3", "\"\\u0061\"", "\"\\n\"", "\"a\\/b\""]),
    ];
    scalar.prop_map(str::to_owned).prop_recursive(4, 48, 6, move |inner| {
        let name = prop::sample::select(vec![
            "proof",
            "proofValue",
            "a",
            "b",
            "type",
            "z",
            "\u{e000}",
            "😀",
            "\\u0061a",
            "c\\/",
        ]);
        let member = (name, space(), space(), inner.clone(), space());
        prop_oneof![
            (prop::collection::vec((space(), inner, space()), 0..4)).prop_map(|items| {
                let items: Vec<String> = items.into_iter().map(|(a, item, b)| format!("{a}{item}{b}")).collect();
                format!("[{}]", items.join(","))
            }),
            (prop::collection::vec(member, 0..6), 0_u8..8).prop_map(|(mut members, order)| {
                let mut seen = std::collections::BTreeSet::new();
                members.retain(|member| seen.insert(member.0));
                if order > 0 {
                    let units = |name: &str| name.encode_utf16().collect::<Vec<_>>();
                    members.sort_by_key(|member| units(member.0));
                }
                let members: Vec<String> = members
                    .into_iter()
                    .map(|(name, a, b, value, c)| format!("{c}\"{name}\"{a}:{b}{value}{c}"))
                    .collect();
                format!("{{{}}}", members.join(","))
            }),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_096))]
    #[test]
    fn what_is_cut_is_what_would_be_written(text in text()) {
        cut_alike(text.as_bytes());
    }

    #[test]
    fn a_canonical_text_is_always_cut(text in text()) {
        let bytes = canonical::to_bytes(&crate::json::parse(text.as_bytes()).unwrap());
        let mut found = Vec::new();
        let value = crate::json::parse(&bytes).unwrap();
        objects(&value, &mut found);
        let plain = !bytes.iter().any(|byte| matches!(byte, b'\\' | b'.'));
        let signed = found.iter().filter(|object| object.keys().any(is_left_out)).count();
        prop_assert!(!plain || cut_alike(&bytes) == signed);
    }
}
