//! The proofs in logs and witness files: Data Integrity, `eddsa-jcs-2022`, by the key that a
//! `did:key` is. Nothing else is permitted by version 1.0 of the method.

use multibase::Base;
use sha2::{Digest, Sha256};

use crate::canonical;
use crate::json::members::{MemberError, Members, Path};
use crate::json::{Object, Value};
use crate::key::{KeyKind, PublicKey, SignError, Signature, Signer};
use crate::limits::PROOF_VALUE_CHARS;
use crate::time::Timestamp;

/// A proof as it stands: of the one kind there is, nothing checked.
pub(super) struct LogProof<'a> {
    object: &'a Object,
    /// The multikey of the `did:key` that is said to have signed.
    pub(super) multikey: &'a str,
    signature: Signature,
}

impl<'a> LogProof<'a> {
    pub(super) fn read(value: &'a Value, at: Path<'_>) -> Result<Self, MemberError> {
        let members = Members::of(value, at)?;
        members.literal("type", "DataIntegrityProof", "\"DataIntegrityProof\"")?;
        members.literal("cryptosuite", "eddsa-jcs-2022", "\"eddsa-jcs-2022\"")?;
        members.literal("proofPurpose", "assertionMethod", "\"assertionMethod\"")?;
        let method = members.str("verificationMethod")?;
        let multikey = method
            .strip_prefix("did:key:")
            .and_then(|rest| rest.split_once('#'))
            .and_then(|(did, fragment)| (did == fragment).then_some(did))
            .ok_or_else(|| members.error("verificationMethod", "a key of a did:key: did:key:z6Mk...#z6Mk..."))?;
        let signature = members
            .optional("proofValue")
            .and_then(Value::as_str)
            .and_then(signature)
            .ok_or_else(|| members.error("proofValue", "a signature of 64 bytes as multibase base58btc (z...)"))?;
        if let Some(created) = members.optional_str("created")? {
            Timestamp::parse(created).map_err(|_| members.error("created", "a timestamp (RFC 3339)"))?;
        }
        // Signed like the rest, and without meaning here. A proof in a log does not expire, and
        // answers nobody: `expires`, `challenge` and `domain` are refused.
        members.optional_str("id")?;
        members.optional_str("nonce")?;
        members.finish_closed()?;
        let object = members.as_object();
        Ok(Self {
            object,
            multikey,
            signature,
        })
    }

    /// Whether the key it names signed this document.
    pub(super) fn verifies(&self, document: &Object) -> bool {
        PublicKey::from_multikey(self.multikey).is_ok_and(|key| {
            key.kind() == KeyKind::Ed25519 && key.verify(&hash_data(document, self.object), &self.signature).is_ok()
        })
    }
}

fn signature(text: &str) -> Option<Signature> {
    let base58 = text.strip_prefix('z').filter(|_| text.len() <= PROOF_VALUE_CHARS)?;
    let bytes = <[u8; 64]>::try_from(Base::Base58Btc.decode(base58).ok()?).ok()?;
    Some(Signature::from_bytes(bytes))
}

/// A proof over the document, by this Ed25519 key.
pub(super) fn sign(document: &Object, signer: &dyn Signer, created: Timestamp) -> Result<Value, SignError> {
    let multikey = signer.public_key().to_multikey();
    let mut proof = Object::new();
    proof.insert("type", "DataIntegrityProof");
    proof.insert("cryptosuite", "eddsa-jcs-2022");
    proof.insert("verificationMethod", format!("did:key:{multikey}#{multikey}"));
    proof.insert("created", created);
    proof.insert("proofPurpose", "assertionMethod");
    let signature = signer.sign(&hash_data(document, &proof))?;
    proof.insert("proofValue", multibase::encode(Base::Base58Btc, signature.as_bytes()));
    Ok(proof.into())
}

/// What is signed (vc-di-eddsa 1.0, sections 3.3.3 to 3.3.5). A log entry has no context, so the
/// proof has none.
fn hash_data(document: &Object, proof: &Object) -> [u8; 64] {
    let mut bytes = Vec::new();
    canonical::write_without(proof, &["proofValue"], &mut bytes);
    let proof_hash = Sha256::digest(&bytes);
    bytes.clear();
    canonical::write_without(document, &["proof"], &mut bytes);
    let mut hashes = [0; 64];
    let (first, second) = hashes.split_at_mut(32);
    first.copy_from_slice(&proof_hash);
    second.copy_from_slice(&Sha256::digest(&bytes));
    hashes
}
