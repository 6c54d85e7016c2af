//! `did:key`: DIDs that are their own document (the did:key method specification, W3C CCG).

#[cfg_attr(not(feature = "linked-data"), path = "did_key/unusual_absent.rs")]
mod unusual;

use crate::did::Did;
use crate::document::{DidDocument, MultikeyValue, VerificationMethod};
use crate::key::{KeyError, PublicKey, decode_multikey};
use crate::resolve::ResolveError;

const METHOD: &str = "key";

/// The DID of a key.
#[must_use]
pub fn for_key(key: &PublicKey) -> Did {
    Did::from_checked(&format!("did:{METHOD}:{}", key.to_multikey()))
}

/// The document that a `did:key` stands for.
///
/// Ed25519, P-256, P-384 and X25519 need nothing else. secp256k1 is checked by `ssi`, with the
/// feature `linked-data`; without it it is refused as unsupported. No key agreement key is
/// derived from an Ed25519 key (the method makes it optional, and nothing here encrypts).
///
/// # Errors
/// [`ResolveError::MethodUnsupported`] for another method, [`ResolveError::Key`] when there is no
/// acceptable key in the identifier.
pub fn resolve(did: &Did) -> Result<DidDocument, ResolveError> {
    if did.method() != METHOD {
        return Err(ResolveError::MethodUnsupported(did.method().to_owned()));
    }
    let multikey = did.method_specific_id();
    match PublicKey::from_multikey(multikey) {
        Ok(key) => document(did, multikey, MultikeyValue::Multikey(key), Use::Sign),
        Err(KeyError::UnsupportedKind(_)) => unusual_key(did, multikey),
        Err(error) => Err(error.into()),
    }
}

#[derive(Clone, Copy)]
enum Use {
    Sign,
    /// X25519 keys sign nothing.
    Agree,
}

/// The document of a key: one verification method, named by the multikey, for everything the key
/// can do.
fn document(did: &Did, multikey: &str, key: MultikeyValue, for_what: Use) -> Result<DidDocument, ResolveError> {
    // Only a DID that is far too long to hold a key could fail here.
    let id = did.with_fragment(multikey).map_err(|_| KeyError::Malformed)?;
    let mut document = DidDocument::new(did.clone());
    document.verification_method.push(VerificationMethod {
        id: id.clone(),
        controller: did.clone(),
        key,
    });
    match for_what {
        Use::Sign => {
            document.authentication = vec![id.clone()];
            document.assertion_method = vec![id.clone()];
            document.capability_invocation = vec![id.clone()];
            document.capability_delegation = vec![id];
        }
        Use::Agree => document.key_agreement = vec![id],
    }
    Ok(document)
}

/// Keys that sign nothing here: X25519, and what `ssi` knows.
fn unusual_key(did: &Did, multikey: &str) -> Result<DidDocument, ResolveError> {
    let bytes = decode_multikey(multikey)?;
    let for_what = match bytes.split_first_chunk::<2>() {
        // Every 32 bytes are a point for X25519 (RFC 7748 section 5).
        Some((&X25519_MULTICODEC, key)) if key.len() == 32 => Use::Agree,
        _ => {
            unusual::check(&bytes)?;
            Use::Sign
        }
    };
    document(did, multikey, MultikeyValue::Other(multikey.to_owned()), for_what)
}

/// Multicodec `x25519-pub` (0xec) as an unsigned varint.
const X25519_MULTICODEC: [u8; 2] = [0xec, 0x01];

#[cfg(test)]
mod tests;
