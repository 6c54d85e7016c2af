//! Canonical RDF of the W3C's documents, byte for byte, and what safe mode refuses.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
#![allow(clippy::print_stdout)]

mod world;

use std::fs;
use std::path::PathBuf;

use syndic_vc::json::{self, Object, Value};
use syndic_vc::linked_data::{HashFunction, LinkedDataError, canonical, canonical_with};

fn vectors() -> Option<PathBuf> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/vectors");
    folder.is_dir().then_some(folder)
}

fn read(path: &str) -> Option<String> {
    let path = vectors()?.join(path);
    Some(fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display())))
}

fn object(text: &str) -> Object {
    let Value::Object(object) = json::parse(text.as_bytes()).unwrap() else {
        panic!("an object: {text}");
    };
    object
}

#[test]
fn documents_and_proof_options_of_the_w3c_canonicalize_byte_for_byte() {
    let folders = [
        ("vc-di-eddsa/eddsa-rdfc-2022", "DataInt"),
        ("vc-di-eddsa/eddsa-rdfc-2022/employ", "DataInt"),
        ("vc-di-eddsa/Ed25519Signature2020", "EdSig"),
        ("vc-di-ecdsa/ecdsa-rdfc-2019-p256", "ECDSAP256"),
        ("vc-di-ecdsa/ecdsa-rdfc-2019-p256/employ", "ECDSAP256"),
        ("vc-di-ecdsa/ecdsa-rdfc-2019-p384", "ECDSAP384"),
        ("vc-di-ecdsa/ecdsa-rdfc-2019-p384/employ", "ECDSAP384"),
    ];
    if vectors().is_none() {
        println!("skipped: no vectors");
        return;
    }
    for (folder, name) in folders {
        // P-384 goes with SHA-384, in the canonicalization too.
        let hash = if name == "ECDSAP384" {
            HashFunction::Sha384
        } else {
            HashFunction::Sha256
        };
        let signed = object(&read(&format!("{folder}/signed{name}.json")).unwrap());
        let found = canonical_with(&signed, &["proof"], hash).unwrap_or_else(|error| panic!("{folder}: {error}"));
        assert_eq!(
            found,
            read(&format!("{folder}/canonDoc{name}.txt")).unwrap(),
            "{folder}"
        );
        let config = object(&read(&format!("{folder}/proofConfig{name}.json")).unwrap());
        let found = canonical_with(&config, &[], hash).unwrap_or_else(|error| panic!("{folder}: {error}"));
        assert_eq!(
            found,
            read(&format!("{folder}/proofCanon{name}.txt")).unwrap(),
            "{folder}"
        );
    }
}

/// Every document that the tests change, without its proof.
fn documents() -> Vec<(&'static str, Object)> {
    let mut documents = Vec::new();
    let mut add = |name, value: Value| {
        let mut object = value.into_object().unwrap();
        object.remove("proof");
        documents.push((name, object));
    };
    add("article", world::credential());
    for (name, path) in [
        ("alumni", "vc-di-eddsa/eddsa-rdfc-2022/signedDataInt.json"),
        ("employment", "vc-di-eddsa/eddsa-rdfc-2022/employ/signedDataInt.json"),
        ("proof options", "vc-di-eddsa/eddsa-rdfc-2022/proofConfigDataInt.json"),
    ] {
        if let Some(text) = read(path) {
            add(name, Value::Object(object(&text)));
        }
    }
    documents
}

/// Calls `visit` with a changed copy of the document for every place in it: `change` gets the value
/// there, and says how many ways it can be changed.
fn each_change(
    document: &Object,
    change: &dyn Fn(&Value, usize) -> Option<Value>,
    visit: &mut dyn FnMut(&str, Object),
) {
    fn places(value: &Value, at: &mut Vec<String>, found: &mut Vec<Vec<String>>) {
        found.push(at.clone());
        let children: Vec<(String, &Value)> = match value {
            Value::Array(items) => items
                .iter()
                .enumerate()
                .map(|(i, item)| (i.to_string(), item))
                .collect(),
            Value::Object(members) => members.iter().map(|(name, value)| (name.to_owned(), value)).collect(),
            _ => Vec::new(),
        };
        for (step, child) in children {
            at.push(step);
            places(child, at, found);
            at.pop();
        }
    }
    fn get<'v>(value: &'v mut Value, steps: &[String]) -> &'v mut Value {
        match steps.split_first() {
            None => value,
            Some((step, rest)) => match value {
                Value::Array(items) => get(&mut items[step.parse::<usize>().unwrap()], rest),
                Value::Object(members) => get(members.get_mut(step).unwrap(), rest),
                _ => panic!("{step}"),
            },
        }
    }
    let whole = Value::Object(document.clone());
    let mut found = Vec::new();
    places(&whole, &mut Vec::new(), &mut found);
    for steps in found {
        if steps.first().is_some_and(|step| step == "@context") {
            continue;
        }
        for way in 0.. {
            let mut changed = whole.clone();
            let place = get(&mut changed, &steps);
            let Some(value) = change(place, way) else { break };
            *place = value;
            if changed != whole
                && changed.get("@context") == whole.get("@context")
                && let Value::Object(changed) = changed
            {
                visit(&format!("/{}", steps.join("/")), changed);
            }
        }
    }
}

/// The canonical form, or why there is none.
fn form(document: &Object) -> Result<String, LinkedDataError> {
    canonical(document, &[])
}

#[test]
fn no_member_can_be_added_without_changing_the_canonical_form() {
    const NAMES: &[&str] = &[
        "",
        "x",
        "name",
        "description",
        "id",
        "type",
        "validUntil",
        "credentialStatus",
        "issuer",
        "capability",
        "owner",
        "proof",
        "holder",
        "created",
        "expires",
        "digestMultibase",
        "verifiableCredential",
        "@id",
        "@type",
        "@context",
        "@graph",
        "@included",
        "@reverse",
        "@nest",
        "@index",
        "@language",
        "@direction",
        "@base",
        "@vocab",
        "@import",
        "@propagate",
        "@version",
        "@set",
        "@list",
        "@value",
        "@json",
        "@none",
        "https://www.w3.org/2018/credentials#validUntil",
        "cred:validUntil",
        "schema:name",
        "_:b0",
        ":",
        "a:b",
    ];
    const VALUES: &[&str] = &[
        "null",
        "[]",
        "{}",
        "\"\"",
        "\"x\"",
        "0",
        "true",
        "[null]",
        "[[]]",
        r#"{"@value":null}"#,
        r#"{"@value":"x"}"#,
        r#"{"@list":[]}"#,
        r#"{"@set":[]}"#,
        r#"{"@id":"_:b0"}"#,
        r#"{"id":"urn:x:1"}"#,
        r#"{"type":"https://x.example/T"}"#,
        r#""https://www.w3.org/ns/credentials/v2""#,
        r#"["https://www.w3.org/ns/credentials/v2"]"#,
        r#"{"@context":{}}"#,
        r#""2030-01-01T00:00:00Z""#,
    ];
    let values: Vec<Value> = VALUES
        .iter()
        .map(|text| json::parse(text.as_bytes()).unwrap())
        .collect();
    for (name, document) in documents() {
        let original = form(&document).unwrap_or_else(|error| panic!("{name}: {error}"));
        let mut tried = 0;
        let change = |value: &Value, way: usize| {
            let mut object = value.as_object()?.clone();
            object.insert(*NAMES.get(way / values.len())?, values[way % values.len()].clone());
            Some(Value::Object(object))
        };
        each_change(&document, &change, &mut |at, changed| {
            tried += 1;
            if let Ok(found) = form(&changed) {
                assert_ne!(found, original, "{name}: {at}: {changed:?}");
            }
        });
        assert!(tried > 500, "{name}: {tried}");
    }
}

#[test]
fn no_value_can_be_changed_without_changing_the_canonical_form() {
    for (name, document) in documents() {
        let original = form(&document).unwrap();
        let mut tried = 0;
        let change = |value: &Value, way: usize| {
            let text = |text: String| Value::String(text.into());
            let ways = match value {
                Value::String(old) => vec![
                    text(format!("{old}x")),
                    text(old.to_uppercase()),
                    text(format!(" {old}")),
                    text(old.replace("https://", "HTTPS://")),
                    text(old.replace("https://www.w3.org/2018/credentials#", "cred:")),
                    text(String::new()),
                    Value::Null,
                    Value::Bool(true),
                    Value::from(5),
                    Value::Array(vec![]),
                    Value::Object(Object::new()),
                    Value::Array(vec![value.clone(), value.clone()]),
                    Value::Array(vec![value.clone(), Value::Null]),
                ],
                Value::Number(_) | Value::Bool(_) => vec![
                    text(value.as_i64().map_or_else(|| "true".to_owned(), |n| n.to_string())),
                    Value::from(77),
                    Value::Bool(false),
                    Value::Null,
                ],
                Value::Array(items) => {
                    let mut ways = Vec::new();
                    for index in 0..items.len() {
                        let mut fewer = items.clone();
                        fewer.remove(index);
                        ways.push(Value::Array(fewer));
                        let mut more = items.clone();
                        more.push(items[index].clone());
                        ways.push(Value::Array(more));
                    }
                    ways
                }
                Value::Object(object) => {
                    let mut ways = Vec::new();
                    for name in object.keys() {
                        let mut fewer = object.clone();
                        fewer.remove(name);
                        ways.push(Value::Object(fewer));
                        let mut renamed = object.clone();
                        let value = renamed.remove(name).unwrap();
                        renamed.insert(format!("https://www.w3.org/2018/credentials#{name}"), value);
                        ways.push(Value::Object(renamed));
                    }
                    ways
                }
                Value::Null => vec![Value::Bool(true)],
            };
            ways.into_iter().nth(way)
        };
        each_change(&document, &change, &mut |at, changed| {
            tried += 1;
            if let Ok(found) = form(&changed) {
                assert_ne!(found, original, "{name}: {at}: {changed:?}");
            }
        });
        assert!(tried > 50, "{name}: {tried}");
    }
}
