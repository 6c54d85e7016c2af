//! `eddsa-jcs-2022` by a key in the DID itself.

use ed25519_dalek::{Signature, VerifyingKey};
use serde_json::Value;
use sha2::{Digest, Sha256};

fn jcs(value: &Value) -> String {
    serde_json_canonicalizer::to_string(value).unwrap()
}

/// The canonical text of what a document says.
pub fn without_proof(document: &Value) -> String {
    let mut document = document.clone();
    document.as_object_mut().unwrap().remove("proof");
    jcs(&document)
}

/// `zQm...` (2.6).
pub fn digest(document: &Value) -> String {
    let mut multihash = vec![0x12, 0x20];
    multihash.extend(Sha256::digest(jcs(document)));
    multibase::encode(multibase::Base::Base58Btc, multihash)
}

/// The signer made the proof, for this purpose, no later than this.
pub fn check(document: &Value, signer: &str, purpose: &str, latest: i64) -> Result<(), &'static str> {
    let proof = &document["proof"];
    if proof["proofPurpose"] != purpose {
        return Err("proof-purpose-wrong");
    }
    if super::instant(proof["created"].as_str().unwrap()) > latest {
        return Err("proof-from-the-future");
    }
    let key = signer.strip_prefix("did:key:").unwrap();
    if proof["verificationMethod"] != format!("{signer}#{key}") {
        return Err("verification-method-foreign");
    }
    let (_, key) = multibase::decode(key).unwrap();
    let key = VerifyingKey::from_bytes(key[2..].try_into().unwrap()).unwrap();
    let (_, signature) = multibase::decode(proof["proofValue"].as_str().unwrap()).unwrap();
    let signature = Signature::from_slice(&signature).unwrap();
    let mut options = proof.clone();
    options.as_object_mut().unwrap().remove("proofValue");
    let mut signed = Sha256::digest(jcs(&options)).to_vec();
    signed.extend(Sha256::digest(without_proof(document)));
    key.verify_strict(&signed, &signature).map_err(|_| "signature-invalid")
}
