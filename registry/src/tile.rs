//! A log as cacheable files (C2SP tlog-tiles): `checkpoint`, `tile/<L>/<N>[.p/<W>]` and
//! `tile/entries/<N>[.p/<W>]`.
//!
//! Only what the newest head covers is served, so whatever a stranger fetches can be proven.

pub mod check;
pub mod rows;

use crate::limits;
use crate::log::{self, LogState};
use crate::proof;
use crate::store::{ReadError, Reader};

/// Hashes in a full tile, entries in a full bundle.
pub const WIDTH: u64 = 256;

/// One of the files of a log.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum TilePath {
    /// The newest head, as `text/plain; charset=utf-8`; changes.
    Checkpoint,
    /// Hashes of one level, as `application/octet-stream`; never changes.
    Hashes {
        /// 0 for leaf hashes; a hash of level `l` covers 256^l entries. At most 63.
        level: u8,
        /// Number of the tile in its level.
        index: u64,
        /// Hashes in the tile, 1 to 256.
        width: u16,
    },
    /// Entries, each after its length (u16, big-endian), as `application/octet-stream`; never
    /// changes.
    Entries {
        /// Number of the bundle.
        index: u64,
        /// Entries in the bundle, 1 to 256.
        width: u16,
    },
}

/// Reads a path below the log's prefix, without a leading slash. Strict: what is accepted is
/// exactly what [`TilePath`] displays, so that no file has two names.
#[must_use]
pub fn parse_path(path: &str) -> Option<TilePath> {
    if path == "checkpoint" {
        return Some(TilePath::Checkpoint);
    }
    let (level, rest) = path.strip_prefix("tile/")?.split_once('/')?;
    let (number, width) = match rest.split_once(".p/") {
        None => (rest, WIDTH as u16),
        Some((number, width)) => (number, decimal(width, 255).filter(|w| *w > 0)? as u16),
    };
    let index = tile_number(number)?;
    if level == "entries" {
        return Some(TilePath::Entries { index, width });
    }
    Some(TilePath::Hashes {
        level: decimal(level, 63)? as u8,
        index,
        width,
    })
}

/// A decimal number without leading zeroes, at most `max` (below 1,000).
fn decimal(text: &str, max: u64) -> Option<u64> {
    let plain = (1..=3).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_digit())
        && (text == "0" || !text.starts_with('0'));
    if plain {
        text.parse().ok().filter(|n| *n <= max)
    } else {
        None
    }
}

/// A tile number: groups of three digits, all but the last after an `x`, no leading group of
/// zeroes: `x001/x234/067` is 1,234,067.
fn tile_number(text: &str) -> Option<u64> {
    let mut groups = text.split('/').peekable();
    let mut number = 0_u64;
    let mut first = true;
    while let Some(group) = groups.next() {
        let last = groups.peek().is_none();
        let digits = if last { group } else { group.strip_prefix('x')? };
        if digits.len() != 3 || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        if first && !last && digits == "000" {
            return None;
        }
        first = false;
        number = number.checked_mul(1_000)?.checked_add(digits.parse().ok()?)?;
        if number > limits::LOG_SIZE {
            return None;
        }
    }
    Some(number)
}

impl std::fmt::Display for TilePath {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (index, width) = match self {
            Self::Checkpoint => return f.write_str("checkpoint"),
            Self::Hashes { level, index, width } => {
                write!(f, "tile/{level}/")?;
                (*index, *width)
            }
            Self::Entries { index, width } => {
                f.write_str("tile/entries/")?;
                (*index, *width)
            }
        };
        write_number(f, index)?;
        if u64::from(width) < WIDTH {
            write!(f, ".p/{width}")
        } else {
            Ok(())
        }
    }
}

fn write_number(f: &mut std::fmt::Formatter<'_>, number: u64) -> std::fmt::Result {
    let mut groups = vec![number % 1_000];
    let mut rest = number / 1_000;
    while rest > 0 {
        groups.push(rest % 1_000);
        rest /= 1_000;
    }
    for (left, group) in groups.iter().enumerate().rev() {
        if left > 0 {
            write!(f, "x{group:03}/")?
        } else {
            write!(f, "{group:03}")?
        }
    }
    Ok(())
}

/// The bytes of a file of the organization's log; `None` if it does not exist (yet).
///
/// # Errors
/// [`ReadError`] if the store cannot say, or is damaged.
pub fn read(path: TilePath, organization: &str, reader: &dyn Reader) -> Result<Option<Vec<u8>>, ReadError> {
    let Some(head) = LogState::read(organization, reader)?.head else {
        return Ok(None);
    };
    match path {
        TilePath::Checkpoint => Ok(Some(head.note().as_bytes().to_vec())),
        TilePath::Hashes { level, index, width } => {
            let Some((from, to)) = span(level, index, width, head.size()) else {
                return Ok(None);
            };
            let hashes = proof::hashes(organization, level, from, to - from, reader)?;
            Ok(hashes.map(|hashes| hashes.concat()))
        }
        TilePath::Entries { index, width } => {
            let Some((from, to)) = span(0, index, width, head.size()) else {
                return Ok(None);
            };
            let entries = log::read_entries(organization, from, to, usize::MAX, reader)?;
            if entries.len() as u64 != to - from {
                return Ok(None);
            }
            Ok(Some(bundle(&entries)))
        }
    }
}

/// First and last-but-one index, in its level, of what a tile holds; `None` if the tree of
/// `size` entries does not reach that far.
fn span(level: u8, index: u64, width: u16, size: u64) -> Option<(u64, u64)> {
    let in_level = size.checked_shr(8 * u32::from(level)).unwrap_or(0);
    let from = index.checked_mul(WIDTH)?;
    let to = from.checked_add(u64::from(width))?;
    (to <= in_level).then_some((from, to))
}

/// Entries, each after its length as u16. No entry is longer than a u16 can say: appending
/// refuses those over [`limits::STATEMENT_BYTES`].
fn bundle(entries: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(entries.iter().map(|e| 2 + e.len()).sum());
    for entry in entries {
        bytes.extend_from_slice(&(entry.len() as u16).to_be_bytes());
        bytes.extend_from_slice(entry);
    }
    bytes
}

#[cfg(test)]
mod tests;
