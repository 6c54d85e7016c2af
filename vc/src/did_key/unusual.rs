//! Keys on curves that verify nothing here, checked by `ssi`: a document that names one must still
//! be shown, and must not name what is no key.

use ssi::jwk::JWK;
use ssi::multicodec::MultiEncoded;

use crate::key::{KeyError, multicodec};

/// Multicodec of what is read: `secp256k1-pub`.
const SECP256K1: u64 = 0xe7;

/// Whether the bytes, multicodec first, are a point on the curve in its one compressed
/// form.
pub(super) fn check(bytes: &[u8]) -> Result<(), KeyError> {
    let kind = multicodec(bytes).ok_or(KeyError::Malformed)?;
    if kind != SECP256K1 {
        return Err(KeyError::UnsupportedKind(kind));
    }
    let encoded = MultiEncoded::new(bytes).map_err(|_| KeyError::Malformed)?;
    let key = JWK::from_multicodec(encoded).map_err(|_| KeyError::NotOnCurve)?;
    // Uncompressed points and long varints would give one key several identifiers.
    match key.to_multicodec() {
        Ok(again) if again.as_bytes() == bytes => Ok(()),
        _ => Err(KeyError::NotCanonical),
    }
}
