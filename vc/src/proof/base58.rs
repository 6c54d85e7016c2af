//! Base58btc for exactly 64 bytes: what every `proofValue` is.
//!
//! A decoder for any length works byte by byte and costs a fortieth of the signature check; for
//! this one length ten characters go at a time.

const ALPHABET: &[u8; 58] = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

/// The digit of each byte; 0xFF: none.
const DIGITS: [u8; 256] = {
    let mut digits = [0xFF; 256];
    let mut digit = 0;
    // In a constant, an index beyond the end is a compile error.
    #[allow(clippy::indexing_slicing)]
    while digit < 58 {
        digits[ALPHABET[digit as usize] as usize] = digit;
        digit += 1;
    }
    digits
};

/// How many characters fit in a `u64`: 58^10 < 2^59.
const AT_ONCE: usize = 10;

/// The 64 bytes that the text stands for; `None` if it stands for anything else. No two texts stand
/// for the same bytes.
pub(super) fn decode(text: &str) -> Option<[u8; 64]> {
    let mut limbs = [0_u64; 8]; // least significant first
    for chunk in text.as_bytes().chunks(AT_ONCE) {
        let (mut factor, mut carry) = (1_u64, 0_u64);
        for byte in chunk {
            let digit = *DIGITS.get(usize::from(*byte))?;
            if digit == 0xFF {
                return None;
            }
            factor *= 58;
            carry = carry * 58 + u64::from(digit);
        }
        for limb in &mut limbs {
            let wide = u128::from(*limb) * u128::from(factor) + u128::from(carry);
            (*limb, carry) = split(wide);
        }
        if carry != 0 {
            return None;
        }
    }
    let mut bytes = [0; 64];
    for (part, limb) in bytes.chunks_exact_mut(8).zip(limbs.iter().rev()) {
        part.copy_from_slice(&limb.to_be_bytes());
    }
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    let ones = text.bytes().take_while(|byte| *byte == b'1').count();
    (zeros == ones).then_some(bytes)
}

/// The low and the high half.
#[allow(clippy::cast_possible_truncation)] // that is what splitting is
const fn split(wide: u128) -> (u64, u64) {
    (wide as u64, (wide >> 64) as u64)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;
    use multibase::Base::Base58Btc;
    use proptest::prelude::*;

    #[test]
    fn only_what_stands_for_64_bytes_is_read() {
        assert_eq!(decode(&"1".repeat(64)), Some([0; 64]));
        let full = Base58Btc.encode([0xFF; 64]);
        assert_eq!(decode(&full), Some([0xFF; 64]));
        let bad = [
            String::new(),
            "1".repeat(63),
            "1".repeat(65),
            "z".repeat(88),
            format!("1{full}"),
            format!("{full}1"),
            Base58Btc.encode([1; 63]),
            Base58Btc.encode([1; 65]),
            full.replacen('5', "0", 1),
            format!("é{}", &full[2..]),
        ];
        for text in bad {
            assert_eq!(decode(&text), None, "{text}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]
        #[test]
        fn agrees_with_the_decoder_for_any_length(
            text in "1{0,3}[1-9A-HJ-NP-Za-km-z]{80,88}", start in 0_usize..70, bytes in any::<[u8; 32]>()
        ) {
            let reference = |text: &str| <[u8; 64]>::try_from(Base58Btc.decode(text).unwrap()).ok();
            prop_assert_eq!(decode(&text), reference(&text));
            let mut padded = [0; 64];
            for (at, byte) in bytes.iter().enumerate() {
                if let Some(place) = padded.get_mut(start + at) {
                    *place = *byte;
                }
            }
            prop_assert_eq!(decode(&Base58Btc.encode(padded)), Some(padded));
        }
    }
}
