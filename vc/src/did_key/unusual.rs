//! Keys on other curves, checked by `ssi`. They verify nothing here yet; a document that names one
//! must still be shown, and must not name what is no key.

use ssi::jwk::JWK;
use ssi::multicodec::MultiEncoded;

use crate::key::{KeyError, multicodec};

/// Multicodec names of what is read: `secp256k1-pub`, `p256-pub`, `p384-pub`.
const CURVES: [u64; 3] = [0xe7, 0x1200, 0x1201];

/// Whether the bytes, multicodec first, are a point on one of the curves in its one compressed
/// form.
pub(super) fn check(bytes: &[u8]) -> Result<(), KeyError> {
    let kind = multicodec(bytes).ok_or(KeyError::Malformed)?;
    if !CURVES.contains(&kind) {
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
