//! Canonical RDF of the W3C's documents, byte for byte, and what safe mode refuses.
#![cfg(feature = "linked-data")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
#![allow(clippy::print_stdout)]

use std::fs;
use std::path::PathBuf;

use syndic_vc::json::{self, Object, Value};
use syndic_vc::linked_data::{HashFunction, canonical_with};

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
