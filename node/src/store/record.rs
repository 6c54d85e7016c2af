//! How one value lies in an engine: its checksum before it.
//!
//! The checksum covers the key as well, so a value that turns up under another key is noticed. All
//! checksums together, added up, are kept beside the data (see [`Totals`]): a record that vanished
//! or came back from the dead changes the sum.

use sha2::{Digest, Sha256};

use super::StoreError;

/// Bytes of the checksum before every value: enough that damage passes once in 2^64.
const CHECK_BYTES: usize = 8;

/// First byte of the engine's keys that hold the caller's data.
const DATA: u8 = b'd';

/// The engine's key of the totals.
pub(super) const TOTALS_KEY: &[u8] = b"t";

/// The engine's key for a caller's key.
pub(super) fn engine_key(key: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(key.len() + 1);
    out.push(DATA);
    out.extend_from_slice(key);
    out
}

/// The engine's key that ends all of the caller's data.
pub(super) fn engine_end() -> Vec<u8> {
    vec![DATA + 1]
}

/// The caller's key, from the engine's.
pub(super) fn caller_key(engine_key: &[u8]) -> &[u8] {
    engine_key.get(1..).unwrap_or_default()
}

/// A key as people can read it, shortened: for messages.
pub(super) fn show_key(key: &[u8]) -> String {
    const SHOWN: usize = 96;
    let shown = key.get(..SHOWN).unwrap_or(key);
    let mut out = format!("key \"{}\"", shown.escape_ascii());
    if key.len() > SHOWN {
        out.push_str("...");
    }
    out
}

/// The checksum of a value under its engine's key.
pub(super) fn check(engine_key: &[u8], value: &[u8]) -> u64 {
    let mut hash = Sha256::new();
    hash.update((engine_key.len() as u64).to_be_bytes());
    hash.update(engine_key);
    hash.update(value);
    let digest = hash.finalize();
    digest
        .iter()
        .take(CHECK_BYTES)
        .fold(0, |sum, byte| (sum << 8) | u64::from(*byte))
}

/// The stored form of `value`, and its checksum.
pub(super) fn encode(engine_key: &[u8], value: &[u8]) -> (Vec<u8>, u64) {
    let check = check(engine_key, value);
    let mut out = Vec::with_capacity(CHECK_BYTES + value.len());
    out.extend_from_slice(&check.to_be_bytes());
    out.extend_from_slice(value);
    (out, check)
}

/// The value and its checksum, from the stored form.
pub(super) fn decode<'a>(engine_key: &[u8], stored: &'a [u8]) -> Result<(&'a [u8], u64), StoreError> {
    let damaged = |problem: &str| StoreError::Corrupted {
        place: show_key(caller_key(engine_key)),
        problem: problem.to_owned(),
    };
    let Some((found, value)) = stored.split_first_chunk::<CHECK_BYTES>() else {
        return Err(damaged("the record is too short"));
    };
    let check = check(engine_key, value);
    if check == u64::from_be_bytes(*found) {
        Ok((value, check))
    } else {
        Err(damaged("the checksum does not fit the value"))
    }
}

/// What the data as a whole must come to; written with every commit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Totals {
    /// Commits so far.
    pub(super) commits: u64,
    /// Records present.
    pub(super) records: u64,
    /// Sum of the checksums of all records present, modulo 2^64.
    pub(super) sum: u64,
}

impl Totals {
    pub(super) fn add(&mut self, check: u64) {
        self.records = self.records.wrapping_add(1);
        self.sum = self.sum.wrapping_add(check);
    }

    pub(super) fn subtract(&mut self, check: u64) {
        self.records = self.records.wrapping_sub(1);
        self.sum = self.sum.wrapping_sub(check);
    }

    pub(super) fn encode(self) -> Vec<u8> {
        let mut value = Vec::with_capacity(24);
        for number in [self.commits, self.records, self.sum] {
            value.extend_from_slice(&number.to_be_bytes());
        }
        encode(TOTALS_KEY, &value).0
    }

    pub(super) fn decode(stored: &[u8]) -> Result<Self, StoreError> {
        let damaged = || StoreError::Corrupted {
            place: "the totals".to_owned(),
            problem: "the checksum does not fit the value".to_owned(),
        };
        let (value, _) = decode(TOTALS_KEY, stored).map_err(|_| damaged())?;
        let (numbers, rest) = value.as_chunks::<8>();
        match (numbers, rest) {
            ([commits, records, sum], []) => Ok(Self {
                commits: u64::from_be_bytes(*commits),
                records: u64::from_be_bytes(*records),
                sum: u64::from_be_bytes(*sum),
            }),
            _ => Err(damaged()),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

    use super::*;

    #[test]
    fn every_flipped_bit_is_noticed() {
        let key = engine_key(b"r/key");
        let (stored, _) = encode(&key, b"some value");
        assert_eq!(decode(&key, &stored).unwrap().0, b"some value");
        for bit in 0..stored.len() * 8 {
            let mut damaged = stored.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert!(decode(&key, &damaged).is_err(), "bit {bit}");
        }
    }

    #[test]
    fn a_value_under_another_key_is_noticed() {
        let (stored, _) = encode(&engine_key(b"a"), b"value");
        assert!(decode(&engine_key(b"b"), &stored).is_err());
    }

    #[test]
    fn a_record_cut_short_is_noticed() {
        let key = engine_key(b"a");
        let (stored, _) = encode(&key, b"value");
        for length in 0..stored.len() {
            assert!(decode(&key, &stored[..length]).is_err(), "length {length}");
        }
    }

    #[test]
    fn totals_come_back_as_written() {
        let totals = Totals {
            commits: 7,
            records: 3,
            sum: u64::MAX - 1,
        };
        assert_eq!(Totals::decode(&totals.encode()).unwrap(), totals);
        assert!(Totals::decode(b"").is_err());
    }
}
