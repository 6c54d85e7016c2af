//! A log's files as rows of a store: what proofs and pieces are made from ([`crate::store`]).

use super::check::entries_of;
use super::{TilePath, WIDTH};
use crate::limits;
use crate::log;
use crate::store::{self, ReadError, Reader, Row};

/// Where the files of logs come from.
pub trait Files {
    /// The bytes of a file of an organization's log, at most so many.
    ///
    /// # Errors
    /// [`ReadError::Engine`] if the file is not to be had now.
    fn file(&self, organization: &str, path: TilePath, most: usize) -> Result<Vec<u8>, ReadError>;
}

/// The entries and hashes of one log of so many entries. Nothing is checked: what is made from them is.
pub struct Rows<'f> {
    /// Whose log.
    pub organization: &'f str,
    /// Its entries.
    pub size: u64,
    /// Its files.
    pub files: &'f dyn Files,
}

impl Rows<'_> {
    /// The level and index of a row; level 0 are the entries.
    fn place(&self, key: &[u8]) -> Option<(u8, u64)> {
        let (before, index) = key.split_last_chunk::<8>()?;
        let index = u64::from_be_bytes(*index);
        if store::entry(self.organization, index) == key {
            return Some((0, index));
        }
        let level = *before.last()?;
        (level > 0 && store::hash(self.organization, level, index) == key).then_some((level, index))
    }

    fn key(&self, level: u8, index: u64) -> Vec<u8> {
        match level {
            0 => store::entry(self.organization, index),
            _ => store::hash(self.organization, level, index),
        }
    }

    /// The rows of one tile, all of them.
    fn tile(&self, level: u8, number: u64) -> Result<Vec<Vec<u8>>, ReadError> {
        let in_level = self.size.checked_shr(8 * u32::from(level)).unwrap_or(0);
        let left = in_level.saturating_sub(number.saturating_mul(WIDTH));
        // At most 256.
        let width = left.min(WIDTH) as u16;
        if width == 0 {
            return Ok(Vec::new());
        }
        let strange = || {
            ReadError::damaged(
                format!("the files of {}", self.organization),
                "a file of another length",
            )
        };
        if level > 0 {
            let path = TilePath::Hashes {
                level,
                index: number,
                width,
            };
            let bytes = self.files.file(self.organization, path, usize::from(width) * 32)?;
            if bytes.len() != usize::from(width) * 32 {
                return Err(strange());
            }
            return Ok(bytes.chunks_exact(32).map(<[u8]>::to_vec).collect());
        }
        let path = TilePath::Entries { index: number, width };
        let most = usize::from(width) * (2 + limits::STATEMENT_BYTES);
        let bytes = self.files.file(self.organization, path, most)?;
        let entries = entries_of(&bytes, usize::from(width)).ok_or_else(strange)?;
        let row = |entry: &[u8]| [log::leaf_hash(entry).as_slice(), entry].concat();
        Ok(entries.into_iter().map(row).collect())
    }
}

impl Reader for Rows<'_> {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, ReadError> {
        let Some((level, index)) = self.place(key) else {
            return Ok(None);
        };
        let mut rows = self.tile(level, index / WIDTH)?;
        let at = (index % WIDTH) as usize;
        Ok((at < rows.len()).then(|| rows.swap_remove(at)))
    }

    fn range(&self, from: &[u8], to: &[u8], limit: usize) -> Result<Vec<Row>, ReadError> {
        let mut found = Vec::new();
        let (Some((level, mut next)), Some((same, end))) = (self.place(from), self.place(to)) else {
            return Ok(found);
        };
        while level == same && next < end && found.len() < limit {
            let rows = self.tile(level, next / WIDTH)?;
            let first = next % WIDTH;
            if first as usize >= rows.len() {
                break;
            }
            for row in rows.into_iter().skip(first as usize) {
                if next == end || found.len() == limit {
                    break;
                }
                found.push((self.key(level, next), row));
                next += 1;
            }
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

    use std::cell::Cell;
    use std::collections::BTreeMap;

    use super::*;
    use crate::log::Frontier;
    use crate::proof;

    const DID: &str = "did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK";

    /// The files of a log that lies in a map, and how many were read.
    struct FromMap(BTreeMap<Vec<u8>, Vec<u8>>, u64, Cell<usize>);

    impl Reader for FromMap {
        fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, ReadError> {
            Ok(self.0.get(key).cloned())
        }

        fn range(&self, from: &[u8], to: &[u8], limit: usize) -> Result<Vec<Row>, ReadError> {
            let rows = self.0.range(from.to_vec()..to.to_vec()).take(limit);
            Ok(rows.map(|(key, value)| (key.clone(), value.clone())).collect())
        }
    }

    impl Files for FromMap {
        fn file(&self, organization: &str, path: TilePath, most: usize) -> Result<Vec<u8>, ReadError> {
            self.2.set(self.2.get() + 1);
            let bytes = match path {
                TilePath::Checkpoint => panic!("checkpoints are no rows"),
                TilePath::Hashes { level, index, width } => {
                    let hashes = proof::hashes(organization, level, index * WIDTH, u64::from(width), self);
                    hashes.unwrap().unwrap().concat()
                }
                TilePath::Entries { index, width } => {
                    let from = index * WIDTH;
                    let to = from + u64::from(width);
                    let entries = log::read_entries(organization, from, to, usize::MAX, self).unwrap();
                    super::super::bundle(&entries)
                }
            };
            assert!(bytes.len() <= most);
            Ok(bytes)
        }
    }

    fn log_of(size: u64) -> FromMap {
        let (mut frontier, mut rows) = (Frontier::default(), BTreeMap::new());
        for number in 0..size {
            let (grown, writes) = log::append(DID, &frontier, &[format!("entry {number}")]).unwrap();
            frontier = grown;
            rows.extend(writes.into_iter().map(|write| (write.key, write.value.unwrap())));
        }
        FromMap(rows, size, Cell::new(0))
    }

    #[test]
    fn files_and_rows_say_the_same() {
        for size in [0, 1, 2, 255, 256, 257, 513, 700] {
            let map = log_of(size);
            let rows = Rows {
                organization: DID,
                size: map.1,
                files: &map,
            };
            let from_files = |from, to| log::read_entries(DID, from, to, usize::MAX, &rows).unwrap();
            for (from, to) in [
                (0, size),
                (size / 2, size),
                (size.saturating_sub(1), size + 9),
                (3, 300),
            ] {
                assert_eq!(
                    from_files(from, to),
                    log::read_entries(DID, from, to, usize::MAX, &map).unwrap()
                );
            }
            for first in [0, 1, size / 3, size / 2, size] {
                let (ours, theirs) = (proof::root(DID, first, &rows), proof::root(DID, first, &map));
                assert_eq!(ours.unwrap(), theirs.unwrap(), "{first} of {size}");
                let ours = proof::consistency(DID, first, size, &rows).unwrap();
                assert_eq!(
                    ours,
                    proof::consistency(DID, first, size, &map).unwrap(),
                    "{first} of {size}"
                );
            }
            assert_eq!(rows.get(&store::entry(DID, size)).unwrap(), None);
            for (key, value) in &map.0 {
                assert_eq!(rows.get(key).unwrap().as_ref(), Some(value));
            }
            assert!(size == 0 || map.2.get() > 0);
        }
    }

    #[test]
    fn a_file_of_another_length_is_no_row() {
        struct Cut(FromMap);
        impl Files for Cut {
            fn file(&self, organization: &str, path: TilePath, most: usize) -> Result<Vec<u8>, ReadError> {
                let mut bytes = self.0.file(organization, path, most)?;
                bytes.pop();
                Ok(bytes)
            }
        }
        let files = Cut(log_of(300));
        let rows = Rows {
            organization: DID,
            size: 300,
            files: &files,
        };
        for key in [store::entry(DID, 7), store::hash(DID, 1, 0)] {
            assert!(matches!(rows.get(&key), Err(ReadError::Damaged { .. })));
        }
    }
}
