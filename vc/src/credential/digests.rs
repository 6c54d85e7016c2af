//! The digests by which documents are named.

use multibase::Base;
use sha2::{Digest, Sha256};

use crate::canonical;
use crate::enveloped;
use crate::json::{Object, Value};

/// The digest of a document as it stands, proof included: multibase base58btc of the SHA-256
/// multihash of its canonical bytes (RFC 8785), `zQm...`.
#[must_use]
pub fn digest(document: &Value) -> String {
    digest_of(&canonical::to_bytes(document))
}

/// The same for an object.
pub(crate) fn object_digest(document: &Object) -> String {
    let mut bytes = Vec::with_capacity(2_048);
    canonical::write_without(document, &[], &mut bytes);
    digest_of(&bytes)
}

/// The digest of what a credential says, whoever signed it and how: without its proof.
pub(crate) fn unsecured_digest(document: &Object) -> String {
    let mut bytes = Vec::with_capacity(2_048);
    canonical::write_without(document, &["proof"], &mut bytes);
    digest_of(&bytes)
}

/// The digest under which a secured document is anchored: that of the document as it stands, or of the token in its
/// envelope.
#[must_use]
pub fn anchor_digest(document: &Value) -> String {
    match enveloped::token_of(document) {
        Some(token) => token_digest(token),
        None => digest(document),
    }
}

/// The digest under which a token is anchored: that of its compact form, without what may follow it.
#[must_use]
pub fn token_digest(token: &str) -> String {
    digest_of(token.as_bytes())
}

/// The digest of bytes, in the same form.
pub(crate) fn digest_of(bytes: &[u8]) -> String {
    let mut multihash = vec![0x12, 0x20]; // sha2-256, 32 bytes
    multihash.extend_from_slice(&Sha256::digest(bytes));
    multibase::encode(Base::Base58Btc, multihash)
}
