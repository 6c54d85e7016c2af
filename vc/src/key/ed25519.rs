//! Strict verification of Ed25519 without work that its outcome does not need.

use ed25519_dalek::{Signature, Verifier, VerifyingKey};

use super::SignatureInvalid;

/// Accepts exactly what `VerifyingKey::verify_strict` accepts for a key that is not weak, a tenth
/// sooner.
///
/// `verify_strict` decompresses R only to see that it is not of small order. `verify` computes the R
/// that the signature should have, writes it canonically and compares the bytes, so a signature that
/// passes it has R in the one canonical form; there are only eight canonical encodings of points of
/// small order, and comparing bytes tells them. (S is below the group order: both check it.)
pub(super) fn verify_strict(key: &VerifyingKey, message: &[u8], bytes: &[u8; 64]) -> Result<(), SignatureInvalid> {
    if is_small_order(bytes) {
        return Err(SignatureInvalid);
    }
    key.verify(message, &Signature::from_bytes(bytes))
        .map_err(|_| SignatureInvalid)
}

/// Whether the first 32 bytes are a canonical encoding of a point of small order.
pub(super) fn is_small_order(bytes: &[u8; 64]) -> bool {
    let Some((y, _)) = bytes.split_first_chunk::<32>() else {
        return true;
    };
    let [rest @ .., last] = y;
    SMALL_ORDER_Y
        .iter()
        .any(|[small @ .., high]| rest == small && last & 0x7F == *high)
}

/// The y coordinates of the eight points of small order; the sign of x is the highest bit of the last
/// byte, and either sign counts.
const SMALL_ORDER_Y: [[u8; 32]; 5] = [
    [0; 32], // order 4
    {
        let mut one = [0; 32]; // order 1
        one[0] = 1;
        one
    },
    {
        let mut minus_one = [0xFF; 32]; // order 2
        minus_one[0] = 0xEC;
        minus_one[31] = 0x7F;
        minus_one
    },
    // Order 8: y and -y.
    [
        0xC7, 0x17, 0x6A, 0x70, 0x3D, 0x4D, 0xD8, 0x4F, 0xBA, 0x3C, 0x0B, 0x76, 0x0D, 0x10, 0x67, 0x0F, 0x2A, 0x20,
        0x53, 0xFA, 0x2C, 0x39, 0xCC, 0xC6, 0x4E, 0xC7, 0xFD, 0x77, 0x92, 0xAC, 0x03, 0x7A,
    ],
    [
        0x26, 0xE8, 0x95, 0x8F, 0xC2, 0xB2, 0x27, 0xB0, 0x45, 0xC3, 0xF4, 0x89, 0xF2, 0xEF, 0x98, 0xF0, 0xD5, 0xDF,
        0xAC, 0x05, 0xD3, 0xC6, 0x33, 0x39, 0xB1, 0x38, 0x02, 0x88, 0x6D, 0x53, 0xFC, 0x05,
    ],
];

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use curve25519_dalek::constants::EIGHT_TORSION;
    use ed25519_dalek::{Signer, SigningKey};
    use proptest::prelude::*;

    #[test]
    fn the_eight_points_of_small_order_are_the_ones_listed() {
        let mut listed = std::collections::BTreeSet::new();
        for point in EIGHT_TORSION {
            let mut bytes = [7; 64];
            let (r, _) = bytes.split_at_mut(32);
            r.copy_from_slice(point.compress().as_bytes());
            assert!(is_small_order(&bytes), "{point:?}");
            let mut y = point.compress().to_bytes();
            *y.last_mut().unwrap() &= 0x7F;
            listed.insert(y);
        }
        assert!(SMALL_ORDER_Y.iter().all(|y| listed.contains(y)) && listed.len() == SMALL_ORDER_Y.len());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]
        /// Signatures with up to two bits changed, and R replaced by points of small order.
        #[test]
        fn it_accepts_what_the_slower_check_accepts(
            seed in any::<[u8; 32]>(), flips in prop::collection::vec(0_usize..512, 0..3), small in 0_usize..24
        ) {
            let key = SigningKey::from_bytes(&seed);
            let mut bytes = key.sign(b"message").to_bytes();
            if let Some(point) = EIGHT_TORSION.get(small) {
                bytes.split_at_mut(32).0.copy_from_slice(point.compress().as_bytes());
            }
            for flip in flips {
                if let Some(byte) = bytes.get_mut(flip / 8) {
                    *byte ^= 1 << (flip % 8);
                }
            }
            let public = key.verifying_key();
            let theirs = public.verify_strict(b"message", &Signature::from_bytes(&bytes)).is_ok();
            prop_assert_eq!(verify_strict(&public, b"message", &bytes).is_ok(), theirs);
        }
    }
}
