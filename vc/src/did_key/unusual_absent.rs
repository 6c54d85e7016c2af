//! The lean build, without `ssi`: keys on other curves are refused by name.

use crate::key::{KeyError, multicodec};

/// Refuses every key.
pub(super) fn check(bytes: &[u8]) -> Result<(), KeyError> {
    Err(multicodec(bytes).map_or(KeyError::Malformed, KeyError::UnsupportedKind))
}
