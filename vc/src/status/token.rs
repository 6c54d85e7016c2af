//! The same bits as a Token Status List (IETF OAuth Token Status List, `statuslist+jwt`).
//!
//! Three things differ from the Bitstring Status List: the first bit is the least significant one of
//! the first byte, the compression is zlib, and a list may be short.

use std::io::{Read, Write};

use flate2::Compression;
use flate2::bufread::ZlibDecoder;
use flate2::write::ZlibEncoder;

use super::{StatusList, StatusListError};
use crate::did::Did;
use crate::jose::{self, TokenType, base64url, from_base64url};
use crate::json::Object;
use crate::key::{SignError, Signer};
use crate::limits::{STATUS_BITS_MAXIMUM, STATUS_COMPRESSED_BYTES};
use crate::time::Timestamp;

/// The bits in the order of tokens, and back.
fn mirrored(bytes: &[u8]) -> Vec<u8> {
    bytes.iter().map(|byte| byte.reverse_bits()).collect()
}

/// The `lst` of a list with one bit for each entry: zlib, then base64url without padding. Equal bits
/// give equal text.
#[must_use]
pub fn encode(list: &StatusList) -> String {
    // Writing to memory does not fail.
    let mut zlib = ZlibEncoder::new(Vec::new(), Compression::best());
    let compressed = zlib
        .write_all(&mirrored(&list.bytes))
        .and_then(|()| zlib.finish())
        .unwrap_or_default();
    base64url(&compressed)
}

/// Reads a `lst` of one bit for each entry. No more is decompressed than the largest list holds.
///
/// # Errors
/// [`StatusListError`]; never a shortened list.
pub fn decode(text: &str) -> Result<StatusList, StatusListError> {
    if text.len() > STATUS_COMPRESSED_BYTES / 3 * 4 {
        return Err(StatusListError::TooLarge);
    }
    let compressed = from_base64url(text).ok_or(StatusListError::NotBase64url)?;
    let mut rest = compressed.as_slice();
    let mut bytes = Vec::new();
    ZlibDecoder::new(&mut rest)
        .take(STATUS_BITS_MAXIMUM / 8 + 1)
        .read_to_end(&mut bytes)
        .map_err(|_| StatusListError::NotZlib)?;
    let length = bytes.len() as u64 * 8;
    if !(8..=STATUS_BITS_MAXIMUM).contains(&length) {
        return Err(StatusListError::TokenLength(length));
    }
    if rest.is_empty() {
        Ok(StatusList {
            bytes: mirrored(&bytes),
        })
    } else {
        Err(StatusListError::NotZlib)
    }
}

/// A status list token, to be signed by its issuer and served at its own URL.
#[derive(Clone, Debug)]
pub struct StatusTokenDraft<'a> {
    /// The URL it is served at: the claim `sub`.
    pub uri: &'a str,
    /// The issuer: the same as that of the tokens in the list.
    pub issuer: &'a Did,
    /// The bits.
    pub list: &'a StatusList,
    /// Now.
    pub issued: Timestamp,
    /// Until when.
    pub expires: Timestamp,
    /// How long a copy may be used, in seconds.
    pub time_to_live_seconds: u32,
}

/// Signs a status list token with the issuer's key, named by `kid` (a DID URL).
///
/// # Errors
/// [`SignError`] when the key cannot be used now.
pub fn sign(draft: &StatusTokenDraft<'_>, kid: &str, signer: &dyn Signer) -> Result<String, SignError> {
    let mut claims = Object::new();
    claims.insert("sub", draft.uri);
    claims.insert("iss", draft.issuer);
    claims.insert("iat", draft.issued.unix_seconds());
    claims.insert("exp", draft.expires.unix_seconds());
    claims.insert("ttl", draft.time_to_live_seconds);
    claims.insert("status_list", crate::object! { "bits": 1, "lst": encode(draft.list) });
    jose::sign(TokenType::StatusList, Some(kid), &claims, signer)
}

#[cfg(test)]
mod tests;
