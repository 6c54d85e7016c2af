//! The content of a keystore: names with their bytes.
//!
//! Each entry is one byte for the length of the name, the name, two bytes (big-endian) for the
//! length of the value, the value. Names may be added later without a new file version.

use std::collections::BTreeMap;

use zeroize::Zeroizing;

/// Room for the keys of a node, so that growing does not leave copies behind in freed memory.
const ROOM: usize = 4096;

/// Entries being written.
pub(super) struct Entries(Zeroizing<Vec<u8>>);

impl Default for Entries {
    fn default() -> Self {
        Self(Zeroizing::new(Vec::with_capacity(ROOM)))
    }
}

impl Entries {
    /// Adds an entry. Names and values are the program's own, far below the limits of their lengths.
    pub(super) fn add(&mut self, name: &str, value: &[u8]) {
        debug_assert!(name.len() <= usize::from(u8::MAX) && value.len() <= usize::from(u16::MAX));
        self.0.push(name.len() as u8);
        self.0.extend_from_slice(name.as_bytes());
        self.0.extend_from_slice(&(value.len() as u16).to_be_bytes());
        self.0.extend_from_slice(value);
    }

    pub(super) fn into_bytes(self) -> Zeroizing<Vec<u8>> {
        self.0
    }
}

/// Reads all entries; `None` if the bytes are not whole entries, or a name comes twice.
pub(super) fn read(mut bytes: &[u8]) -> Option<BTreeMap<&str, &[u8]>> {
    let mut entries = BTreeMap::new();
    while let Some((length, rest)) = bytes.split_first() {
        let (name, rest) = rest.split_at_checked(usize::from(*length))?;
        let (length, rest) = rest.split_first_chunk::<2>()?;
        let (value, rest) = rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
        if entries.insert(std::str::from_utf8(name).ok()?, value).is_some() {
            return None;
        }
        bytes = rest;
    }
    Some(entries)
}
