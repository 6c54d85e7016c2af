//! The vectors of `specs/vectors/{credential,presentation,action,sd-jwt}`: each file names a property,
//! and holds everything a verifier of any language needs to check it.
//!
//! `SYNDIC_VECTORS=write` writes them anew, `SYNDIC_VECTORS=check` compares what would be written
//! with what is there. Otherwise the files are taken as they are and verified.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
#![allow(clippy::print_stdout)]

mod make;
mod world;

use std::collections::BTreeSet;
use std::path::PathBuf;

use syndic_vc::canonical;
use syndic_vc::decision::Decision;
use syndic_vc::denial::DenialCode;
use syndic_vc::json::{self, Value};
use syndic_vc::verify::{self, ActionRequest, HolderProof, Policy, PresentationRequest};
use world::{Known, Once, at};

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../specs/vectors")
}

fn str<'v>(value: &'v Value, path: &[&str]) -> &'v str {
    let end = path.iter().try_fold(value, |value, name| value.get(name));
    end.and_then(Value::as_str)
        .unwrap_or_else(|| panic!("{path:?} in {value:?}"))
}

/// Decision, first code, where.
fn decide(folder: &str, vector: &Value) -> (String, String, String) {
    let text = match vector.get("text") {
        Some(text) => text.as_str().unwrap().as_bytes().to_vec(),
        None => canonical::to_bytes(vector.get("input").unwrap()),
    };
    let number =
        |name: &str| u32::try_from(vector.get("policy").unwrap().get(name).unwrap().as_i64().unwrap()).unwrap();
    let policy = Policy {
        authority: str(vector, &["policy", "authority"]).to_owned(),
        max_staleness_seconds: number("maxStalenessSeconds"),
        witnesses: 0,
        clock_skew_seconds: number("clockSkewSeconds"),
    };
    let now = at(str(vector, &["now"]));
    let known = Known::from_json(vector.get("knowledge").unwrap());
    let once = Once::from_json(vector.get("knowledge").unwrap());
    let rendered = match folder {
        "credential" => canonical_decision(&verify::credential(&text, &policy, &known, now)),
        "presentation" => {
            let request = PresentationRequest {
                challenge: str(vector, &["request", "challenge"]),
                domain: str(vector, &["request", "domain"]),
            };
            canonical_decision(&verify::presentation(&text, &request, &policy, &known, &once, now))
        }
        "sd-jwt" => {
            let request = PresentationRequest {
                challenge: str(vector, &["request", "challenge"]),
                domain: str(vector, &["request", "domain"]),
            };
            let text = std::str::from_utf8(&text).unwrap();
            let holder = HolderProof::Required(&request, &once);
            canonical_decision(&verify::sd_jwt(text, holder, &policy, &known, now))
        }
        "action" => {
            let audience = str(vector, &["request", "audience"]).parse().unwrap();
            let request = ActionRequest { audience: &audience };
            canonical_decision(&verify::action(&text, &request, &policy, &known, &once, now))
        }
        other => panic!("{other}"),
    };
    let first = rendered.get("reasons").unwrap().as_array().unwrap().first();
    let member = |name| first.map_or("", |reason| str(reason, &[name])).to_owned();
    (str(&rendered, &["decision"]).to_owned(), member("code"), member("at"))
}

fn canonical_decision<T: syndic_vc::decision::Verified>(outcome: &Result<T, syndic_vc::denial::Denied>) -> Value {
    Decision::of(outcome).to_object().into()
}

/// Codes that other tests show: of canonical RDF (`linked_data.rs`), of envelopes and SD-JWT
/// (`enveloped.rs`, `sd_jwt.rs`), of witnesses (`witnessed.rs`).
const SHOWN_ELSEWHERE: &[DenialCode] = &[
    DenialCode::LinkedDataTooComplex,
    DenialCode::EnvelopeTypeWrong,
    DenialCode::ClaimsDisagree,
    DenialCode::DisclosureInvalid,
    DenialCode::KeyBindingMissing,
    DenialCode::KeyBindingInvalid,
    DenialCode::NotWitnessed,
    // tests/http_action.rs: a vector would hold a request of HTTP.
    DenialCode::RequestUnsigned,
    DenialCode::RequestComponentMissing,
    DenialCode::ContentDigestMismatch,
];

/// Whether the vector needs what this build lacks.
fn is_beyond_this_build(vector: &Value) -> bool {
    vector.get("needs").is_some() && !cfg!(feature = "linked-data")
}

#[test]
fn every_vector_decides_as_it_says() {
    let (mut allowed, mut refused) = (0, 0);
    let mut codes = BTreeSet::new();
    for kind in ["credential", "presentation", "action", "sd-jwt"] {
        for entry in std::fs::read_dir(folder().join(kind)).unwrap() {
            let path = entry.unwrap().path();
            let vector = json::parse(&std::fs::read(&path).unwrap()).unwrap();
            if is_beyond_this_build(&vector) {
                continue;
            }
            let name = path.file_stem().unwrap().to_str().unwrap();
            let expect = |member| str(&vector, &["expect", member]).to_owned();
            let expected = (expect("decision"), expect("code"), expect("at"));
            assert_eq!(decide(kind, &vector), expected, "{kind}/{name}");
            let prefix = match expected.0.as_str() {
                "allow" => "allow-",
                "deny" => "deny-",
                _ => "approval-",
            };
            assert!(name.starts_with(prefix), "{kind}/{name} is {}", expected.0);
            *(if expected.1.is_empty() {
                &mut allowed
            } else {
                &mut refused
            }) += 1;
            codes.insert(expected.1);
        }
    }
    println!("{allowed} allowed, {refused} refused, {} codes", codes.len() - 1);
    assert!(allowed + refused >= 30 && refused > 2 * allowed);
    for code in DenialCode::ALL {
        if SHOWN_ELSEWHERE.contains(code) || !cfg!(feature = "linked-data") && *code == DenialCode::LinkedDataUnsafe {
            continue;
        }
        assert!(codes.contains(code.as_str()), "no vector shows {code}");
    }
}

#[test]
fn the_files_are_what_would_be_written() {
    let Ok(mode) = std::env::var("SYNDIC_VECTORS") else {
        println!("skipped: set SYNDIC_VECTORS=check or write");
        return;
    };
    let mut expected = BTreeSet::new();
    for vector in make::all() {
        let path = folder().join(vector.folder).join(format!("{}.json", vector.name));
        let text = format!("{}\n", serde_json::to_string_pretty(&vector.to_json()).unwrap());
        assert!(expected.insert(path.clone()), "{} twice", path.display());
        if mode == "write" {
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, text).unwrap();
        } else {
            assert_eq!(std::fs::read_to_string(&path).unwrap(), text, "{}", path.display());
        }
    }
    for kind in ["credential", "presentation", "action", "sd-jwt"] {
        for entry in std::fs::read_dir(folder().join(kind)).unwrap() {
            let path = entry.unwrap().path();
            let vector = json::parse(&std::fs::read(&path).unwrap()).unwrap();
            let made = expected.contains(&path) || is_beyond_this_build(&vector);
            assert!(made, "{} is not made by anything", path.display());
        }
    }
}
