//! Canonical RDF of the W3C's documents, byte for byte, and what safe mode refuses.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
#![allow(clippy::print_stdout)]

mod world;

use std::fs;
use std::path::PathBuf;

use sha2::{Digest, Sha256};
use syndic_vc::credential::KNOWN_CONTEXTS;
use syndic_vc::denial::Reason;
use syndic_vc::json::{self, Object, Value};
use syndic_vc::linked_data::{self, BUNDLED, HashFunction, LinkedDataError, canonical, canonical_with};

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

/// A credential with this subject and these further members.
fn with(members: &str) -> Object {
    object(&format!(
        r#"{{"@context":["https://www.w3.org/ns/credentials/v2","https://www.w3.org/ns/credentials/examples/v2"],
            "type":["VerifiableCredential"],"issuer":"did:example:north",{members}}}"#
    ))
}

fn code_and_place(document: &Object) -> (String, String) {
    match form(document) {
        Ok(found) => ("allowed".to_owned(), found),
        Err(error) => {
            let reason = Reason::from(error);
            (reason.code.to_string(), reason.at)
        }
    }
}

/// What is refused, where; and what differs only in being allowed.
#[test]
fn what_would_not_be_signed_as_it_is_written_is_refused_and_its_twin_is_not() {
    const SUBJECT: &str = "/credentialSubject";
    const TABLE: &[(&str, &str, &str)] = &[
        // refused | where, below the subject | allowed
        (r#"{"note":null}"#, "/note", r#"{"note":"null"}"#),
        (r#"{"note":[]}"#, "/note", r#"{"note":["x"]}"#),
        (r#"{"note":["x",null]}"#, "/note/1", r#"{"note":["x","y"]}"#),
        (r#"{"note":[["x"]]}"#, "/note/0", r#"{"note":["x"]}"#),
        (r#"{"id":"alice"}"#, "/id", r#"{"id":"did:example:alice"}"#),
        (r#"{"id":"_:b0"}"#, "/id", r#"{"id":"urn:b0"}"#),
        (r#"{"id":""}"#, "/id", r#"{"note":""}"#),
        (r#"{"id":"did:example:a b"}"#, "/id", r#"{"id":"did:example:ab"}"#),
        (r#"{"id":["did:example:a"]}"#, "/id", r#"{"id":"did:example:a"}"#),
        (r#"{"type":[]}"#, "/type", r#"{"type":["Person"]}"#),
        (
            r#"{"type":{"id":"urn:x:T"}}"#,
            "/type/0",
            r#"{"type":"https://x.example/T"}"#,
        ),
        (r#"{"type":"id"}"#, "/type/0", r#"{"type":"Id"}"#),
        (
            r#"{"type":"https://www.w3.org/2018/credentials#VerifiableCredential"}"#,
            "/type/0",
            r#"{"type":"https://x.example/VerifiableCredential"}"#,
        ),
        (r#"{"@id":"did:example:a"}"#, "/@id", r#"{"id":"did:example:a"}"#),
        (r#"{"@type":"Person"}"#, "/@type", r#"{"type":"Person"}"#),
        (r#"{"@graph":[{"note":"x"}]}"#, "/@graph", r#"{"graph":[{"note":"x"}]}"#),
        (
            r#"{"@included":[{"note":"x"}]}"#,
            "/@included",
            r#"{"included":[{"note":"x"}]}"#,
        ),
        (
            r#"{"@reverse":{"note":{"id":"urn:x:1"}}}"#,
            "/@reverse",
            r#"{"reverse":{"note":{"id":"urn:x:1"}}}"#,
        ),
        (r#"{"@nest":{"note":"x"}}"#, "/@nest", r#"{"nest":{"note":"x"}}"#),
        (r#"{"@index":"x"}"#, "/@index", r#"{"index":"x"}"#),
        (
            r#"{"@context":{"note":null},"note":"x"}"#,
            "/@context",
            r#"{"note":"x"}"#,
        ),
        (
            r#"{"@context":{"@vocab":"urn:y:"},"note":"x"}"#,
            "/@context",
            r#"{"note":"x"}"#,
        ),
        (
            r#"{"@context":{"@base":"urn:y:"},"note":"x"}"#,
            "/@context",
            r#"{"note":"x"}"#,
        ),
        (
            r#"{"@context":"https://www.w3.org/ns/credentials/v2","note":"x"}"#,
            "/@context",
            r#"{"context":"https://www.w3.org/ns/credentials/v2","note":"x"}"#,
        ),
        (
            r#"{"https://schema.org/name":"x"}"#,
            "/https:~1~1schema.org~1name",
            r#"{"name":"x"}"#,
        ),
        (r#"{"a:b":"x"}"#, "/a:b", r#"{"ab":"x"}"#),
        (r#"{"":"x"}"#, "/", r#"{" ":"x"}"#),
        (r#"{"note":{"@value":"x"}}"#, "/note", r#"{"note":"x"}"#),
        (
            r#"{"note":{"@value":"x","@type":"urn:x:T"}}"#,
            "/note",
            r#"{"note":{"type":"urn:x:T"}}"#,
        ),
        (
            r#"{"note":{"@value":5,"@language":"en"}}"#,
            "/note",
            r#"{"note":{"@value":"5","@language":"en"}}"#,
        ),
        (
            r#"{"note":{"@value":"x","@language":"en us"}}"#,
            "/note",
            r#"{"note":{"@value":"x","@language":"en-US"}}"#,
        ),
        (
            r#"{"note":{"@value":"x","@language":"ar","@direction":"rtl"}}"#,
            "/note",
            r#"{"note":{"@value":"x","@language":"ar"}}"#,
        ),
        (r#"{"note":{"@list":["x"]}}"#, "/note/@list", r#"{"note":["x"]}"#),
        (r#"{"note":{"@set":["x"]}}"#, "/note/@set", r#"{"note":["x"]}"#),
        (r#"{"note":0.30000000000000004}"#, "/note", r#"{"note":0.3}"#),
        (r#"{"note":1e-7}"#, "/note", r#"{"note":1.5e-7}"#),
    ];
    for (refused, place, allowed) in TABLE {
        let document = with(&format!(r#""credentialSubject":{refused}"#));
        assert_eq!(
            code_and_place(&document),
            ("linked-data-unsafe".to_owned(), format!("{SUBJECT}{place}")),
            "{refused}"
        );
        let twin = with(&format!(r#""credentialSubject":{allowed}"#));
        form(&twin).unwrap_or_else(|error| panic!("{allowed}: {error}"));
    }
}

#[test]
fn members_beside_the_subject_follow_the_same_rules() {
    const TABLE: &[(&str, &str, &str)] = &[
        (
            r#""validFrom":5"#,
            "/validFrom",
            r#""validFrom":"2026-01-01T00:00:00Z""#,
        ),
        (
            r#""validFrom":true"#,
            "/validFrom",
            r#""validFrom":"2026-01-01T00:00:00Z""#,
        ),
        (
            r#""https://www.w3.org/2018/credentials#validUntil":"2026-01-01T00:00:00Z""#,
            "/https:~1~1www.w3.org~12018~1credentials#validUntil",
            r#""validUntil":"2026-01-01T00:00:00Z""#,
        ),
        (
            r#""credentialStatus":[]"#,
            "/credentialStatus",
            r#""credentialStatus":{"id":"urn:x:1"}"#,
        ),
        (r#""evidence":"relative""#, "/evidence", r#""evidence":"urn:x:1""#),
        (
            r#""proof":"urn:x:1""#,
            "/proof",
            r#""proof":{"type":"DataIntegrityProof"}"#,
        ),
        (r#""proof":{}"#, "/proof", r#""proof":{"type":"DataIntegrityProof"}"#),
        (
            r#""evidence":[{"id":"urn:x:1","note":"x"},{"id":"urn:x:1","note":"x"}]"#,
            "",
            r#""evidence":[{"id":"urn:x:1","note":"x"},{"id":"urn:x:2","note":"x"}]"#,
        ),
    ];
    for (refused, place, allowed) in TABLE {
        let found = code_and_place(&with(refused));
        assert_eq!(
            found,
            ("linked-data-unsafe".to_owned(), (*place).to_owned()),
            "{refused}"
        );
        form(&with(allowed)).unwrap_or_else(|error| panic!("{allowed}: {error}"));
    }
}

#[test]
fn contexts_are_bundled_ones_named_by_url() {
    let of = |contexts: &str| object(&format!(r#"{{"@context":{contexts},"type":"VerifiableCredential"}}"#));
    for (contexts, place) in [
        (r"[]", "/@context"),
        (r"null", "/@context/0"),
        (r#"{"@vocab":"urn:x:"}"#, "/@context/0"),
        (
            r#"["https://www.w3.org/ns/credentials/v2",{"@protected":false}]"#,
            "/@context/1",
        ),
        (r#"["https://www.w3.org/ns/credentials/v2",null]"#, "/@context/1"),
        (
            r#"["https://www.w3.org/ns/credentials/v2","https://evil.example/v1"]"#,
            "/@context/1",
        ),
        (r#""https://www.w3.org/ns/credentials/v2#""#, "/@context/0"),
        // Both protect the term VerifiableCredential, and do not agree about it.
        (
            r#"["https://www.w3.org/ns/credentials/v2","https://www.w3.org/2018/credentials/v1"]"#,
            "/@context/1",
        ),
    ] {
        assert_eq!(
            code_and_place(&of(contexts)),
            ("context-unknown".to_owned(), place.to_owned()),
            "{contexts}"
        );
    }
    assert_eq!(
        code_and_place(&object(r#"{"type":"VerifiableCredential"}"#)).0,
        "context-unknown"
    );
    for contexts in [
        r#""https://www.w3.org/ns/credentials/v2""#,
        r#"["https://www.w3.org/2018/credentials/v1","https://w3id.org/security/data-integrity/v2"]"#,
    ] {
        form(&of(contexts)).unwrap_or_else(|error| panic!("{contexts}: {error}"));
    }
    for url in KNOWN_CONTEXTS {
        let is_bundled = linked_data::context(url).is_some();
        assert_eq!(is_bundled, *url != "https://www.w3.org/ns/did/v1.1", "{url}");
    }
    assert!(BUNDLED.iter().all(|(url, _)| KNOWN_CONTEXTS.contains(url)));
}

#[test]
fn a_credential_in_a_presentation_brings_its_contexts_and_stays_a_graph_of_its_own() {
    let presentation = |credential: &str| {
        object(&format!(
            r#"{{"@context":"https://www.w3.org/ns/credentials/v2","type":"VerifiablePresentation",
                "verifiableCredential":[{credential}]}}"#
        ))
    };
    let credential = r#"{"@context":["https://www.w3.org/ns/credentials/v2","https://www.w3.org/ns/credentials/examples/v2"],
        "type":["VerifiableCredential"],"issuer":"did:example:north","credentialSubject":{"note":"x"}}"#;
    let found = form(&presentation(credential)).unwrap();
    assert!(
        found.contains(r#"<https://www.w3.org/ns/credentials/examples#note> "x" _:c14n"#),
        "{found}"
    );
    for (refused, code) in [
        (credential.replace("examples/v2", "other/v2"), "context-unknown"),
        (credential.replace(r#""note""#, r#""@note""#), "linked-data-unsafe"),
        (r#"{"type":"VerifiableCredential"}"#.to_owned(), "context-unknown"),
        (
            r#"{"@context":"https://www.w3.org/ns/credentials/v2"}"#.to_owned(),
            "linked-data-unsafe",
        ),
        (r#""urn:x:1""#.to_owned(), "linked-data-unsafe"),
    ] {
        assert_eq!(code_and_place(&presentation(&refused)).0, code, "{refused}");
    }
}

#[test]
fn literals_have_their_canonical_form() {
    let of = |value: &str| {
        let found = form(&with(&format!(
            r#""credentialSubject":{{"id":"urn:x:1","note":{value}}}"#
        )))
        .unwrap();
        let line = found.lines().find(|line| line.contains("#note>")).unwrap();
        let (_, literal) = line.split_once("#note> ").unwrap();
        literal
            .trim_end_matches(" .")
            .replace("http://www.w3.org/2001/XMLSchema#", "xsd:")
    };
    for (value, literal) in [
        (r#""x""#, r#""x""#),
        ("5", r#""5"^^<xsd:integer>"#),
        ("-7", r#""-7"^^<xsd:integer>"#),
        ("9007199254740991", r#""9007199254740991"^^<xsd:integer>"#),
        ("5.5", r#""5.5E0"^^<xsd:double>"#),
        ("0.1", r#""1.0E-1"^^<xsd:double>"#),
        ("1e21", r#""1.0E21"^^<xsd:double>"#),
        ("-2.5e-7", r#""-2.5E-7"^^<xsd:double>"#),
        ("true", r#""true"^^<xsd:boolean>"#),
        (
            r#""a\"b\\c\nd\te\rf\b\f\u0001\u007f\u00e4""#,
            r#""a\"b\\c\nd\te\rf\b\f\u0001\u007Fä""#,
        ),
        (r#"{"@value":"x","@language":"de-AT"}"#, r#""x"@de-at"#),
        (r#""5""#, r#""5""#),
    ] {
        assert_eq!(of(value), literal, "{value}");
    }
}

#[test]
fn json_literals_are_canonical_json() {
    let schema = r#"{"z":[1.0,null,{"@id":"_:b0","a:b":[]}],"a":"\u00e9"}"#;
    let found = form(&object(&format!(
        r#"{{"@context":"https://www.w3.org/ns/credentials/v2","type":["VerifiableCredential"],
            "credentialSchema":{{"id":"urn:x:1","type":"JsonSchema","jsonSchema":{schema}}}}}"#
    )));
    assert!(
        found
            .unwrap()
            .contains(r#""{\"a\":\"é\",\"z\":[1,null,{\"@id\":\"_:b0\",\"a:b\":[]}]}"^^<http://www.w3.org/1999/02/22-rdf-syntax-ns#JSON>"#)
    );
}

#[test]
fn work_is_bounded() {
    let like = |count: usize, inner: &str| {
        let items = vec![inner; count].join(",");
        with(&format!(r#""credentialSubject":[{items}]"#))
    };
    // Two like holders of like things: every order of the things would be tried.
    let things = [r#"{"note":"x"}"#; 8].join(",");
    let document = like(2, &format!(r#"{{"has":[{things}]}}"#));
    assert_eq!(code_and_place(&document).0, "linked-data-too-complex");
    assert_eq!(code_and_place(&like(2, r#"{"has":[{"note":"x"}]}"#)).0, "allowed");
    assert_eq!(code_and_place(&like(500, r#"{"note":"x"}"#)).0, "allowed");
    let long = |count: usize| {
        let texts: Vec<String> = (0..count)
            .map(|number| format!("\"{number}{}\"", "x".repeat(60 << 10)))
            .collect();
        with(&format!(r#""description":[{}]"#, texts.join(",")))
    };
    assert_eq!(code_and_place(&long(5)).0, "linked-data-too-complex");
    assert_eq!(code_and_place(&long(3)).0, "allowed");
    let statements: Vec<String> = (0..10_001).map(|number| number.to_string()).collect();
    let document = with(&format!(r#""credentialSubject":{{"note":[{}]}}"#, statements.join(",")));
    assert_eq!(code_and_place(&document).0, "linked-data-too-complex");
}

/// Random documents, and the digests of what `jsonld` 9.0.0 with `rdf-canonize` 5.0.0 makes of them.
#[test]
fn the_reference_implementation_makes_the_same_of_random_documents() {
    for (document, expected) in RANDOM {
        let found = form(&object(document)).unwrap_or_else(|error| panic!("{document}: {error}"));
        let digest: String = Sha256::digest(&found)
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        assert_eq!(&digest, expected, "{document}\n{found}");
    }
}

#[rustfmt::skip]
const RANDOM: &[(&str, &str)] = &[
        (
            r#"{"@context": ["https://www.w3.org/ns/credentials/v2"], "type": "VerifiablePresentation", "holder": "did:example:h", "verifiableCredential": [{"@context": ["https://www.w3.org/ns/credentials/v2", "https://www.w3.org/ns/credentials/examples/v2"], "type": ["VerifiableCredential"], "issuer": "did:example:i", "credentialSubject": {"id": "did:example:554", "type": ["Bar", "Foo"], "note": [{"@value": "a\"b\\c", "@language": "zh-Hant-TW"}, false], "alpha": [{"id": "did:example:555", "description": [{"@value": "5", "@language": "de-AT"}, "\u00dcn\u00efcode \u00e9", ""], "note": 0, "alpha": {"@value": "\u0001\u007f\u0085\u2028", "@language": "de-AT"}}], "name": 1.5}, "validFrom": "2024-01-01T00:00:00Z", "credentialSchema": {"id": "urn:s:1", "type": "JsonSchema", "jsonSchema": {"a": [100.25, null, {"b": "a\"b\\c"}], "\u00e9": true}}, "credentialStatus": {"type": "BitstringStatusListEntry", "statusPurpose": "revocation", "statusListIndex": "94", "statusListCredential": "https://e.example/s/1"}, "proof": {"type": "DataIntegrityProof", "cryptosuite": "eddsa-rdfc-2022", "created": "2024-01-01T00:00:00Z", "proofPurpose": "assertionMethod", "verificationMethod": "did:example:i#k", "challenge": "c", "domain": ["a", "b"], "proofValue": "z1"}}]}"#,
            "df675baba9402d9135c7110125bce47a3b476424bf2370859d5754957bc566d0",
        ),
        (
            r#"{"@context": ["https://www.w3.org/ns/credentials/v2"], "type": "VerifiablePresentation", "holder": "did:example:h", "verifiableCredential": [{"@context": ["https://www.w3.org/ns/credentials/v2", "https://www.w3.org/ns/credentials/examples/v2"], "type": ["VerifiableCredential", "B", "A"], "issuer": "did:example:i", "credentialSubject": {"type": ["Foo"], "description": ["did:example:x", true], "gamma": {"type": ["Foo", "Person"]}, "beta": [true, false, {"@value": "5", "@language": "en"}]}, "validFrom": "2024-01-01T00:00:00Z", "evidence": [{"id": "urn:x:21229", "gamma": 1.5, "alpha": [false, 0.1, 1e+21], "name": [{"id": "https://e.example/21230#k"}, {"beta": {"@value": "a\"b\\c", "@language": "zh-Hant-TW"}, "note": 5e+300, "description": {"@value": " sp ", "@language": "de-AT"}, "alpha": "a\"b\\c"}, {}]}, {"type": ["Person"]}], "credentialSchema": {"id": "urn:s:1", "type": "JsonSchema", "jsonSchema": {"a": [3.14159, null, {"b": "a\"b\\c"}], "\u00e9": true}}, "relatedResource": [{"id": "https://e.example/r", "digestSRI": "sha384-x", "mediaType": "text/x"}], "termsOfUse": {"type": "Foo", "note": 5e+300}, "proof": {"type": "DataIntegrityProof", "cryptosuite": "eddsa-rdfc-2022", "created": "2024-01-01T00:00:00Z", "proofPurpose": "assertionMethod", "verificationMethod": "did:example:i#k", "challenge": "c", "domain": ["a", "b"], "proofValue": "z1"}}]}"#,
            "6abea158c367239c5cb10671b344a9ade75dfd84f6fb8eb4dfa1db9a9b06c730",
        ),
        (
            r#"{"@context": ["https://www.w3.org/ns/credentials/v2"], "type": "VerifiablePresentation", "holder": "did:example:h", "verifiableCredential": [{"@context": ["https://www.w3.org/ns/credentials/v2", "https://www.w3.org/ns/credentials/examples/v2"], "type": ["VerifiableCredential", "A"], "issuer": {"id": "did:example:i", "name": "I"}, "credentialSubject": [{"id": "urn:x:22605", "note": [{"id": "urn:x:22606", "alpha": true, "note": {"id": "https://e.example/22607#k", "gamma": "5"}, "gamma": [{"type": ["Bar", "Foo"], "note": [0, false]}, {"id": "https://e.example/22608#k", "gamma": "5", "beta": true, "alpha": 9007199254740991}], "description": ["https://e.example/?a=1&b=c#d", false, 1.5]}, {"gamma": ["", true, false]}]}, {"id": "urn:x:22609", "description": {"@value": "line\nbreak\ttab", "@language": "en"}, "name": "\u00dcn\u00efcode \u00e9", "gamma": true}], "credentialSchema": {"id": "urn:s:1", "type": "JsonSchema", "jsonSchema": {"a": [100.25, null, {"b": "a\"b\\c"}], "\u00e9": true}}, "relatedResource": [{"id": "https://e.example/r", "digestSRI": "sha384-x", "mediaType": "text/x"}], "termsOfUse": {"type": "Foo", "note": -2.25e-09}, "proof": {"type": "DataIntegrityProof", "cryptosuite": "eddsa-rdfc-2022", "created": "2024-01-01T00:00:00Z", "proofPurpose": "assertionMethod", "verificationMethod": "did:example:i#k", "challenge": "c", "domain": ["a", "b"], "proofValue": "z1"}}]}"#,
            "71944c63c0ce65782ba0f935ad548cb9e06fb899f67f5a494453436371af7ab9",
        ),
        (
            r#"{"@context": ["https://www.w3.org/ns/credentials/v2"], "type": "VerifiablePresentation", "holder": "did:example:h", "verifiableCredential": [{"@context": ["https://www.w3.org/ns/credentials/v2", "https://www.w3.org/ns/credentials/examples/v2"], "type": ["VerifiableCredential", "A", "B"], "issuer": "did:example:i", "credentialSubject": {}, "validFrom": "2024-01-01T00:00:00Z", "credentialSchema": {"id": "urn:s:1", "type": "JsonSchema", "jsonSchema": {"a": [0.1, null, {"b": "a\"b\\c"}], "\u00e9": true}}, "relatedResource": [{"id": "https://e.example/r", "digestSRI": "sha384-x", "mediaType": "text/x"}], "proof": {"type": "DataIntegrityProof", "cryptosuite": "eddsa-rdfc-2022", "created": "2024-01-01T00:00:00Z", "proofPurpose": "assertionMethod", "verificationMethod": "did:example:i#k", "challenge": "c", "domain": ["a", "b"], "proofValue": "z1"}}, {"@context": ["https://www.w3.org/ns/credentials/v2", "https://www.w3.org/ns/credentials/examples/v2"], "type": ["VerifiableCredential", "B"], "issuer": "did:example:i", "credentialSubject": [{"id": "did:example:51", "type": ["Person"]}, {"beta": true, "note": [true, 5e+300, false], "gamma": 0.1, "description": [{"id": "https://e.example/52#k", "type": ["Foo", "Person"], "name": 9007199254740991, "beta": {"@value": " sp ", "@language": "en"}}, {"type": ["Foo"], "gamma": true}, {"beta": [100.25], "alpha": {"@value": "true", "@language": "de-AT"}, "gamma": {"@value": "true", "@language": "zh-Hant-TW"}}]}], "validFrom": "2024-01-01T00:00:00Z"}]}"#,
            "a2c76cbe1fb518f9986664173221fa43bed10ca75a4ba2eda51a6d04982f1a23",
        ),
];
