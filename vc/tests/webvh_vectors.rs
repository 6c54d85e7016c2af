//! The logs of the public did:webvh test suite, written by five implementations, read where they
//! lie beside the project; skipped where they are absent.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
#![allow(clippy::print_stdout)]

use std::path::{Path, PathBuf};

use syndic_vc::did::Did;
use syndic_vc::json::{self, Value};
use syndic_vc::time::Timestamp;
use syndic_vc::webvh::{Resolved, WebvhError, Which, resolve};

/// A log of the suite: by whom, about what.
struct Case {
    name: String,
    log: String,
    witness: Option<String>,
    did: Did,
    /// The version asked for, and the result that the implementation recorded.
    expected: Vec<(Which, Value)>,
}

fn now() -> Timestamp {
    Timestamp::parse("2026-11-25T00:00:00Z").unwrap()
}

fn subfolders(path: &Path) -> Vec<PathBuf> {
    let mut all: Vec<PathBuf> = std::fs::read_dir(path)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    all.retain(|path| path.is_dir());
    all.sort();
    all
}

fn cases() -> Vec<Case> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/vectors/did-webvh");
    if !folder.is_dir() {
        println!("skipped: {} is absent", folder.display());
        return Vec::new();
    }
    let cases: Vec<Case> = subfolders(&folder)
        .iter()
        .flat_map(|topic| subfolders(topic))
        .map(|path| case(&path))
        .collect();
    assert!(cases.len() >= 50, "{}", cases.len());
    cases
}

fn case(path: &Path) -> Case {
    let read = |file: &str| std::fs::read_to_string(path.join(file)).ok();
    let log = read("did.jsonl").unwrap();
    let results = [
        ("resolutionResult.json", Which::Latest),
        ("resolutionResult.1.json", Which::Number(1)),
        ("resolutionResult.2.json", Which::Number(2)),
    ];
    let expected: Vec<(Which, Value)> = results
        .into_iter()
        .filter_map(|(file, which)| Some((which, json::parse(read(file)?.as_bytes()).unwrap())))
        .collect();
    let id = expected[0]
        .1
        .get("didDocument")
        .unwrap()
        .get("id")
        .unwrap()
        .as_str()
        .unwrap();
    let mut parts = path.components().rev().map(|part| part.as_os_str().to_str().unwrap());
    let (who, topic) = (parts.next().unwrap(), parts.next().unwrap());
    Case {
        name: format!("{topic}/{who}"),
        witness: read("did-witness.json"),
        did: Did::parse(id).unwrap(),
        log,
        expected,
    }
}

fn run(case: &Case, which: &Which) -> Result<Resolved, WebvhError> {
    resolve(&case.did, &case.log, case.witness.as_deref(), which, now())
}

/// Implementations write the implicit services in three ways: with absolute or relative ids, and the
/// endpoint of `#files` with or without its last slash. All are brought to the absolute form.
fn alike(document: &Value, did: &Did) -> Value {
    let mut document = document.clone();
    let services = document
        .as_object_mut()
        .unwrap()
        .remove("service")
        .unwrap_or(Value::Array(Vec::new()));
    let services: Value = services
        .as_array()
        .unwrap()
        .iter()
        .map(|service| {
            let mut service = service.as_object().unwrap().clone();
            let id = service.get("id").unwrap().as_str().unwrap().to_owned();
            let name = id.strip_prefix(did.as_str()).unwrap_or(&id).to_owned();
            if name == "#files" || name == "#whois" {
                service.insert("id", format!("{did}{name}"));
            }
            if name == "#files" {
                let endpoint = service
                    .get("serviceEndpoint")
                    .unwrap()
                    .as_str()
                    .unwrap()
                    .trim_end_matches('/')
                    .to_owned();
                service.insert("serviceEndpoint", format!("{endpoint}/"));
            }
            Value::from(service)
        })
        .collect();
    document.as_object_mut().unwrap().insert("service", services);
    document
}

fn without_implicit(document: &Value) -> Value {
    let mut document = document.clone();
    let implicit = |service: &Value| {
        let id = service.get("id").unwrap().as_str().unwrap();
        id.ends_with("#files") || id.ends_with("#whois")
    };
    if let Some(services) = document.as_object_mut().unwrap().remove("service") {
        let kept: Value = services
            .as_array()
            .unwrap()
            .iter()
            .filter(|s| !implicit(s))
            .cloned()
            .collect();
        document.as_object_mut().unwrap().insert("service", kept);
    }
    document
}

/// What the recorded metadata leaves out must be a default; what it says must be what we say.
///
/// Where the implementations disagree: `updated` of an earlier version is that of the log's end
/// (the method's text; rust, python) or of the version itself (java, java-eecc, ts); the threshold of
/// witnesses is a string (the method's text) or a number (rust, python); absent members are
/// null, absent, or written out.
fn compare_metadata(name: &str, expected: &Value, ours: &Value) {
    for (member, value) in ours.as_object().unwrap() {
        let default = match member {
            "portable" | "deactivated" => Value::Bool(false),
            "watchers" => Value::Array(Vec::new()),
            "witness" => json::parse(b"{}").unwrap(),
            "ttl" => Value::from("3600"),
            _ => Value::Null,
        };
        match expected.get(member) {
            Some(recorded) if !recorded.is_null() => match member {
                "updated" => assert!(
                    recorded == value || Some(recorded) == ours.get("versionTime"),
                    "{name}: {recorded:?}"
                ),
                "witness" => {
                    let mut recorded = recorded.clone();
                    let object = recorded.as_object_mut().unwrap();
                    if let Some(threshold) = object.remove("threshold") {
                        object.insert("threshold", threshold.as_i64().unwrap().to_string());
                    }
                    assert_eq!(&recorded, value, "{name}");
                }
                _ => assert_eq!(recorded, value, "{name}: {member}"),
            },
            // ts leaves the SCID and portability out, and three leave the witnesses out.
            _ => assert!(
                *value == default || matches!(member, "scid" | "portable" | "witness"),
                "{name}: {member}"
            ),
        }
    }
    for (member, _) in expected.as_object().unwrap() {
        assert!(ours.get(member).is_some(), "{name}: {member} is missing");
    }
}

#[test]
fn every_log_resolves_to_the_recorded_result() {
    let mut results = 0;
    for case in cases() {
        for (which, expected) in &case.expected {
            let name = format!("{} {which:?}", case.name);
            // This implementation recorded the latest version under all three names.
            let which = if case.name == "multi-update/python" {
                &Which::Latest
            } else {
                which
            };
            let resolved = run(&case, which).unwrap_or_else(|error| panic!("{name}: {error}"));
            let mut ours = alike(&resolved.document, &case.did);
            let recorded = alike(expected.get("didDocument").unwrap(), &case.did);
            // One implementation gives an ended DID no implicit services.
            if case.name == "deactivate/java" {
                ours = without_implicit(&ours);
            }
            assert_eq!(ours, recorded, "{name}");
            compare_metadata(
                &name,
                expected.get("didDocumentMetadata").unwrap(),
                &resolved.metadata.to_json(),
            );
            results += 1;
        }
    }
    println!("{results} recorded results");
}

#[test]
fn versions_are_found_by_number_id_and_time() {
    for case in cases().iter().filter(|case| case.name.starts_with("multi-update")) {
        let all: Vec<Resolved> = (1..=3).map(|n| run(case, &Which::Number(n)).unwrap()).collect();
        for one in &all {
            assert_eq!(&run(case, &Which::Id(one.metadata.version_id.clone())).unwrap(), one);
            assert_eq!(&run(case, &Which::Time(one.metadata.version_time)).unwrap(), one);
        }
        assert_eq!(run(case, &Which::Latest).unwrap(), all[2]);
        let early = all[0].metadata.created.checked_add_seconds(-1).unwrap();
        for which in [
            Which::Number(0),
            Which::Number(4),
            Which::Id("2-Qm".to_owned()),
            Which::Time(early),
        ] {
            assert_eq!(run(case, &which), Err(WebvhError::NotFound), "{which:?}");
        }
    }
}

/// The end of a log that fails may change what is said of the whole DID, not of a version.
fn same_version(a: &Resolved, b: &Resolved) -> bool {
    let of = |r: &Resolved| {
        (
            r.document.clone(),
            r.metadata.version_id.clone(),
            r.metadata.version_time,
        )
    };
    of(a) == of(b)
}

/// A changed byte makes the log invalid from the entry it stands in; what is still answered is what
/// the unchanged log answers.
#[test]
fn no_changed_byte_gives_another_document() {
    let (mut tried, mut refused) = (0_u32, 0_u32);
    for case in cases() {
        let good: Vec<Resolved> = [Which::Latest, Which::Number(1)]
            .iter()
            .map(|w| run(&case, w).unwrap())
            .collect();
        for at in (0..case.log.len()).step_by(5) {
            let mut bytes = case.log.clone().into_bytes();
            bytes[at] ^= 1 << (at % 7);
            let Ok(log) = String::from_utf8(bytes) else { continue };
            for (which, good) in [Which::Latest, Which::Number(1)].iter().zip(&good) {
                tried += 1;
                match resolve(&case.did, &log, case.witness.as_deref(), which, now()) {
                    Ok(resolved) => assert!(same_version(&resolved, good), "{} byte {at}", case.name),
                    Err(_) => refused += 1,
                }
            }
        }
    }
    println!("{tried} answers asked of changed logs, {refused} refused, the rest unchanged");
}

/// Lines left out, repeated, swapped, added, cut: the latest version is never given.
#[test]
fn no_rearranged_log_is_answered() {
    for case in cases() {
        let lines: Vec<&str> = case.log.trim_end().split('\n').collect();
        let mut bad = vec![
            String::new(),
            "\n".to_owned(),
            format!("{}\n\n", lines.join("\n")),
            "{}".to_owned(),
        ];
        bad.push([lines.clone(), vec![lines[lines.len() - 1]]].concat().join("\n"));
        bad.push(case.log.trim_end()[..case.log.trim_end().len() - 1].to_owned());
        if lines.len() > 1 {
            bad.push(lines[1..].join("\n"));
            bad.push(lines.iter().rev().copied().collect::<Vec<_>>().join("\n"));
        }
        for log in bad {
            let answer = resolve(&case.did, &log, case.witness.as_deref(), &Which::Latest, now());
            assert!(answer.is_err(), "{}: {log:.80}", case.name);
        }
        if case.witness.is_some() {
            for witness in [None, Some("[]"), Some("{}"), Some("")] {
                let answer = resolve(&case.did, &case.log, witness, &Which::Latest, now());
                assert!(answer.is_err(), "{}", case.name);
            }
        }
    }
}

/// A log cut at its end is a valid log of an earlier time; nothing in the log itself can tell.
#[test]
fn a_shorter_log_is_an_earlier_version() {
    for case in cases().iter().filter(|case| case.name.starts_with("multi-update")) {
        let first = case.log.split('\n').next().unwrap();
        let resolved = resolve(&case.did, first, None, &Which::Latest, now()).unwrap();
        assert_eq!(resolved.metadata.version_number, 1);
        let other = Did::parse(&case.did.as_str().replace("example.com", "example.net")).unwrap();
        assert_eq!(
            resolve(&other, first, None, &Which::Latest, now()),
            Err(WebvhError::OtherDid)
        );
        let early = resolved.metadata.created.checked_add_seconds(-100).unwrap();
        assert!(matches!(
            resolve(&case.did, first, None, &Which::Latest, early),
            Err(WebvhError::Entry { entry: 1, .. })
        ));
    }
}
