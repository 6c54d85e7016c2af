//! The test vectors of W3C Data Integrity EdDSA Cryptosuites, read where they lie beside the
//! project; skipped where they are absent.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
#![allow(clippy::print_stdout)]

mod world;

use std::cell::RefCell;
use std::path::PathBuf;
use std::sync::Mutex;

use syndic_vc::document::Purpose;
use syndic_vc::json::{self, Value};
use syndic_vc::key::{PublicKey, SecretKey, SignError, Signature, Signer};
use syndic_vc::proof::{self, ProofOptions};
use syndic_vc::verify;
use world::*;
use zeroize::Zeroizing;

fn folder() -> Option<PathBuf> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/vectors/vc-di-eddsa");
    if path.is_dir() {
        return Some(path);
    }
    println!("skipped: {} is absent", path.display());
    None
}

fn read(path: &str) -> Option<String> {
    Some(std::fs::read_to_string(folder()?.join(path)).unwrap())
}

fn parse(text: &str) -> Value {
    json::parse(text.as_bytes()).unwrap()
}

fn key_pair() -> SecretKey {
    let pair = parse(&read("keyPair.json").unwrap());
    let text = pair
        .get("privateKeyMultibase")
        .or_else(|| pair.get("secretKeyMultibase"))
        .unwrap();
    let (_, bytes) = multibase::decode(text.as_str().unwrap()).unwrap();
    let seed: [u8; 32] = bytes[2..].try_into().unwrap();
    let key = SecretKey::from_seed(Zeroizing::new(seed));
    let public = pair.get("publicKeyMultibase").unwrap().as_str().unwrap();
    assert_eq!(key.public_key().to_multikey(), public);
    key
}

/// Signs, and remembers what it signed.
struct Recorder {
    key: SecretKey,
    message: Mutex<RefCell<Vec<u8>>>,
}

impl Signer for Recorder {
    fn public_key(&self) -> &PublicKey {
        self.key.public_key()
    }

    fn sign(&self, message: &[u8]) -> Result<Signature, SignError> {
        self.message.lock().unwrap().replace(message.to_vec());
        self.key.sign(message)
    }
}

#[test]
fn the_signed_document_is_reproduced_byte_for_byte() {
    let Some(unsigned) = read("unsigned.json") else {
        return;
    };
    let config = parse(&read("eddsa-jcs-2022/proofConfigJCS.json").unwrap());
    let recorder = Recorder {
        key: key_pair(),
        message: Mutex::default(),
    };
    let options = ProofOptions::new(
        Purpose::AssertionMethod,
        config.get("verificationMethod").unwrap().as_str().unwrap(),
        at(config.get("created").unwrap().as_str().unwrap()),
    );
    let document = parse(&unsigned).into_object().unwrap();
    let signed = proof::sign(document, &options, &recorder).unwrap();

    let hex: String = recorder
        .message
        .lock()
        .unwrap()
        .borrow()
        .iter()
        .map(|b| format!("{b:02x}"))
        .collect();
    assert_eq!(hex, read("eddsa-jcs-2022/combinedHashJCS.txt").unwrap().trim());
    let value = signed
        .get("proof")
        .unwrap()
        .get("proofValue")
        .unwrap()
        .as_str()
        .unwrap();
    assert_eq!(value, read("eddsa-jcs-2022/sigBTC58JCS.txt").unwrap().trim());
    assert_eq!(signed, parse(&read("eddsa-jcs-2022/signedJCS.json").unwrap()));
}

#[test]
fn the_signed_document_verifies_and_no_single_bit_can_change() {
    let Some(signed) = read("eddsa-jcs-2022/signedJCS.json") else {
        return;
    };
    let original = parse(&signed);
    let check = |text: &[u8]| verify::proof_only(text, &policy(), &Known::new(), now());
    let checked = check(signed.as_bytes()).unwrap();
    assert_eq!(*checked.document(), original);
    let mut refused = 0_u32;
    for byte in 0..signed.len() {
        for bit in 0..8 {
            let mut text = signed.clone().into_bytes();
            text[byte] ^= 1 << bit;
            match check(&text) {
                Ok(checked) => {
                    assert_eq!(*checked.document(), original, "bit {bit} of byte {byte}")
                }
                Err(_) => refused += 1,
            }
        }
    }
    assert!(refused > 8_000, "{refused}");
    println!("{refused} changed documents refused");
}

#[test]
fn the_strict_door_refuses_an_issuer_that_is_no_did() {
    let Some(signed) = read("eddsa-jcs-2022/signedJCS.json") else {
        return;
    };
    let denied = verify::credential(signed.as_bytes(), &policy(), &Known::new(), now()).unwrap_err();
    assert_eq!(denied.code().as_str(), "verification-method-foreign");
}

#[test]
fn documents_of_other_suites_are_refused_by_name() {
    for path in [
        "eddsa-rdfc-2022/signedDataInt.json",
        "Ed25519Signature2020/signedEdSig.json",
        "proof-set-chain/signedProofSet2.json",
        "proof-set-chain/signedProofChain2.json",
    ] {
        let Some(signed) = read(path) else { return };
        let denied = verify::proof_only(signed.as_bytes(), &policy(), &Known::new(), now()).unwrap_err();
        assert_eq!(denied.code().as_str(), "proof-unsupported", "{path}");
    }
}
