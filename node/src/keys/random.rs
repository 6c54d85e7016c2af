//! Random values, all from the operating system's generator.

use multibase::Base;
use zeroize::Zeroizing;

/// The system's random source failed. Nothing secret can be made then.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no random values from the system: {0}")]
pub struct RandomError(String);

impl RandomError {
    pub(crate) fn new(why: &str) -> Self {
        Self(why.to_owned())
    }
}

/// `N` random bytes, wiped when dropped.
pub(super) fn bytes<const N: usize>() -> Result<Zeroizing<[u8; N]>, RandomError> {
    let mut bytes = Zeroizing::new([0; N]);
    getrandom::fill(&mut *bytes).map_err(|error| RandomError(error.to_string()))?;
    Ok(bytes)
}

/// The seed of a new key.
///
/// # Errors
/// [`RandomError`].
pub fn random_seed() -> Result<Zeroizing<[u8; 32]>, RandomError> {
    bytes()
}

/// Any number.
///
/// # Errors
/// [`RandomError`].
pub fn random_u64() -> Result<u64, RandomError> {
    Ok(u64::from_le_bytes(*bytes()?))
}

/// A number below `bound`, each equally likely; 0 for a bound of 0.
///
/// # Errors
/// [`RandomError`].
pub fn random_below(bound: u64) -> Result<u64, RandomError> {
    if bound == 0 {
        return Ok(0);
    }
    // Numbers above the last multiple of the bound would favour the small ones.
    let excess = (u64::MAX % bound + 1) % bound;
    loop {
        let number = random_u64()?;
        if number <= u64::MAX - excess {
            return Ok(number % bound);
        }
    }
}

/// `N` random bytes in lower-case hexadecimal.
///
/// # Errors
/// [`RandomError`].
pub fn random_hex<const N: usize>() -> Result<String, RandomError> {
    Ok(Base::Base16Lower.encode(*bytes::<N>()?))
}

/// `N` random bytes in base64url without padding.
///
/// # Errors
/// [`RandomError`].
pub fn random_base64url<const N: usize>() -> Result<String, RandomError> {
    Ok(Base::Base64Url.encode(*bytes::<N>()?))
}

/// A random UUID (RFC 9562 section 5.4) as a URN.
///
/// # Errors
/// [`RandomError`].
pub fn random_urn_uuid() -> Result<String, RandomError> {
    let mut number = u128::from_be_bytes(*bytes()?);
    // Version 4 and variant 10, in their places.
    number = number & !(0xf << 76) | (0x4 << 76);
    number = number & !(0b11 << 62) | (0b10 << 62);
    let part = |shift: u32, digits: u32| (number >> shift) & ((1 << (4 * digits)) - 1);
    Ok(format!(
        "urn:uuid:{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
        part(96, 8),
        part(80, 4),
        part(64, 4),
        part(48, 4),
        part(0, 12)
    ))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

    use super::*;

    #[test]
    fn a_uuid_has_its_version_and_variant() {
        for _ in 0..200 {
            let uuid = random_urn_uuid().unwrap();
            assert_eq!(uuid.len(), 45, "{uuid}");
            let parts: Vec<&str> = uuid.strip_prefix("urn:uuid:").unwrap().split('-').collect();
            assert_eq!(
                parts.iter().map(|part| part.len()).collect::<Vec<_>>(),
                [8, 4, 4, 4, 12]
            );
            assert!(parts[2].starts_with('4'), "{uuid}");
            assert!(parts[3].starts_with(['8', '9', 'a', 'b']), "{uuid}");
        }
    }

    #[test]
    fn numbers_stay_below_their_bound_and_reach_all_of_it() {
        let mut seen = [0; 7];
        for _ in 0..7_000 {
            seen[random_below(7).unwrap() as usize] += 1;
        }
        assert!(seen.iter().all(|count| (700..1300).contains(count)), "{seen:?}");
        assert_eq!(random_below(0).unwrap(), 0);
        assert_eq!(random_below(1).unwrap(), 0);
    }

    #[test]
    fn texts_have_the_length_of_their_bytes() {
        assert_eq!(random_hex::<8>().unwrap().len(), 16);
        assert_eq!(random_base64url::<24>().unwrap().len(), 32);
        assert_ne!(random_u64().unwrap(), random_u64().unwrap());
    }
}
