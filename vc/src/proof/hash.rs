//! The bytes that a signature is over: the hash of the canonical proof without its value, then the
//! hash of the canonical document without its proofs.

use sha2::{Digest, Sha256, Sha384};

use super::Suite;
use crate::canonical;
use crate::denial::Reason;
use crate::json::members::Path;
use crate::json::original::Original;
use crate::json::{Object, Value};
use crate::key::KeyKind;
use crate::linked_data::{self, HashFunction};

/// A credential of the usual size is written without growing.
const USUAL_BYTES: usize = 4_096;

/// Two hashes: 64 bytes, or 96 for P-384.
pub(crate) struct HashData {
    bytes: [u8; 96],
    half: usize,
}

impl HashData {
    const fn new(kind: KeyKind) -> Self {
        let half = match kind {
            KeyKind::Ed25519 | KeyKind::P256 => 32,
            KeyKind::P384 => 48,
        };
        Self { bytes: [0; 96], half }
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..2 * self.half).unwrap_or_default()
    }

    /// The hash of the canonical proof, which comes in pieces.
    fn set_proof(&mut self, canonical: &[&[u8]]) {
        self.set(0, canonical);
    }

    /// The hash of the canonical document.
    fn set_document(&mut self, canonical: &[&[u8]]) {
        self.set(self.half, canonical);
    }

    fn set(&mut self, from: usize, canonical: &[&[u8]]) {
        let (_, place) = self.bytes.split_at_mut(from);
        let hash = |place: &mut [u8], hash: &[u8]| {
            if let Some((place, _)) = place.split_at_mut_checked(hash.len()) {
                place.copy_from_slice(hash);
            }
        };
        if self.half == 48 {
            hash(place, &digest_of::<Sha384>(canonical));
        } else {
            hash(place, &digest_of::<Sha256>(canonical));
        }
    }
}

fn digest_of<D: Digest>(pieces: &[&[u8]]) -> sha2::digest::Output<D> {
    let mut digest = D::new();
    pieces.iter().for_each(|piece| digest.update(piece));
    digest.finalize()
}

/// Where a document and its proof stand: for what is wrong with either, and for their text.
#[derive(Clone, Copy)]
pub(crate) struct Places<'a> {
    pub(crate) document: &'a Path<'a>,
    pub(crate) proof: &'a Path<'a>,
    /// The text that both were read from, if it is at hand.
    pub(crate) original: Option<&'a Original<'a>>,
}

/// What a key of this kind signs. `previous` are the proofs that this one builds on: they stay in
/// the document, in their order (VC Data Integrity 1.0, sections 4.3 and 4.5).
pub(super) fn hash_data(
    suite: Suite,
    kind: KeyKind,
    document: &Object,
    proof: &Object,
    previous: &[&Object],
    places: Places<'_>,
) -> Result<HashData, Reason> {
    if previous.is_empty() && !suite.is_linked_data() {
        return Ok(jcs(kind, document, &["proof"], proof, places.original));
    }
    let mut with_previous = Object::new();
    let (document, left_out): (_, &[&str]) = if previous.is_empty() {
        (document, &["proof"])
    } else {
        with_previous.clone_from(document);
        let previous = previous.iter().map(|proof| Value::Object((*proof).clone()));
        with_previous.insert("proof", previous.collect::<Value>());
        (&with_previous, &[])
    };
    if suite.is_linked_data() {
        rdfc(kind, document, left_out, proof, places)
    } else {
        Ok(jcs(kind, document, left_out, proof, None))
    }
}

/// As JSON (RFC 8785). Neither is copied, and what stands in the text in this form is not written
/// again.
fn jcs(
    kind: KeyKind,
    document: &Object,
    left_out: &[&str],
    proof: &Object,
    original: Option<&Original<'_>>,
) -> HashData {
    let mut hashes = HashData::new(kind);
    let mut bytes = Vec::new();
    let mut write = |object: &Object, left_out: &[&str], set: &mut dyn FnMut(&[&[u8]])| {
        let parts = match left_out {
            [one] => original.and_then(|original| original.without(object, one)),
            _ => None,
        };
        if let Some(parts) = parts {
            set(&parts);
        } else {
            bytes.clear();
            bytes.reserve(USUAL_BYTES);
            canonical::write_without(object, left_out, &mut bytes);
            set(&[&bytes]);
        }
    };
    write(proof, &["proofValue"], &mut |parts| hashes.set_proof(parts));
    write(document, left_out, &mut |parts| hashes.set_document(parts));
    hashes
}

/// As RDF (RDFC-1.0): the proof is read with the context of its document.
fn rdfc(
    kind: KeyKind,
    document: &Object,
    left_out: &[&str],
    proof: &Object,
    places: Places<'_>,
) -> Result<HashData, Reason> {
    let function = match kind {
        KeyKind::Ed25519 | KeyKind::P256 => HashFunction::Sha256,
        KeyKind::P384 => HashFunction::Sha384,
    };
    let canonical = |object: &Object, left_out: &[&str], at: &Path<'_>| {
        linked_data::canonical_with(object, left_out, function).map_err(|error| {
            let mut reason = Reason::from(error);
            reason.at.insert_str(0, &at.to_string());
            reason
        })
    };
    let mut configuration = proof.clone();
    if let Some(context) = document.get("@context") {
        configuration.insert("@context", context.clone());
    }
    let mut hashes = HashData::new(kind);
    hashes.set_proof(&[canonical(&configuration, &["proofValue"], places.proof)?.as_bytes()]);
    hashes.set_document(&[canonical(document, left_out, places.document)?.as_bytes()]);
    Ok(hashes)
}
