//! Long values, cut into pieces for an engine that does not take long ones well.
//!
//! The first piece lies under the value's own key, with the number of further pieces before it. The
//! further ones lie under keys made from the digest of that key, away from all others. Nothing here
//! needs a checksum of its own: the value put together again has one.

use sha2::{Digest, Sha256};

use super::commit::BackendError;

/// Longest piece. With as many as sled keeps in a page (16, and a few more before it splits), and
/// keys of common length, a page stays below 100 KiB.
const PIECE_BYTES: usize = 3 << 10;

/// First byte of the engine's keys of further pieces; sorts after all others.
const PIECE: u8 = b'z';

/// The first piece with its count, and the further pieces.
pub(super) fn cut(value: &[u8]) -> (Vec<u8>, impl Iterator<Item = &[u8]>) {
    let (first, rest) = value.split_at_checked(PIECE_BYTES).unwrap_or((value, &[]));
    let count = rest.len().div_ceil(PIECE_BYTES) as u32;
    let head = [&count.to_be_bytes(), first].concat();
    (head, rest.chunks(PIECE_BYTES))
}

/// How many further pieces there are.
pub(super) fn count(head: &[u8]) -> u32 {
    head.first_chunk().map_or(0, |count| u32::from_be_bytes(*count))
}

/// The first piece.
pub(super) fn first(head: &[u8]) -> Result<&[u8], BackendError> {
    head.get(size_of::<u32>()..).ok_or_else(missing)
}

/// The engine's key of a further piece of the value under `key`.
pub(super) fn key(key: &[u8], number: u32) -> Vec<u8> {
    /// Two keys share their pieces once in 2^64 pairs of keys.
    const DIGEST_BYTES: usize = 16;
    let digest = Sha256::digest(key);
    let mut out = Vec::with_capacity(1 + DIGEST_BYTES + size_of::<u32>());
    out.push(PIECE);
    out.extend(digest.iter().take(DIGEST_BYTES));
    out.extend_from_slice(&number.to_be_bytes());
    out
}

/// A piece is not there.
pub(super) fn missing() -> BackendError {
    BackendError::Corrupted("a piece of the value is missing".to_owned())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

    use super::*;

    #[test]
    fn pieces_make_the_value_again() {
        for size in [
            0,
            1,
            PIECE_BYTES - 1,
            PIECE_BYTES,
            PIECE_BYTES + 1,
            10 * PIECE_BYTES,
            99_999,
        ] {
            let value: Vec<u8> = (0..size).map(|place| place as u8).collect();
            let (head, rest) = cut(&value);
            let rest: Vec<&[u8]> = rest.collect();
            assert_eq!(count(&head) as usize, rest.len());
            assert!(rest.iter().all(|piece| (1..=PIECE_BYTES).contains(&piece.len())));
            assert_eq!([first(&head).unwrap(), &rest.concat()].concat(), value, "size {size}");
        }
    }

    #[test]
    fn a_head_cut_short_is_an_error() {
        assert!(first(b"").is_err());
        assert_eq!(count(b"\0\0"), 0);
    }
}
