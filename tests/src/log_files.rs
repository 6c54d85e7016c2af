//! An organization's log as a stranger reads it: checkpoint and entries over HTTP, checked in a few lines that share no
//! code with the node (C2SP tlog-checkpoint, tlog-tiles; RFC 6962 section 2.1).

use multibase::Base;
use sha2::{Digest, Sha256};

use crate::node::Node;

/// A hash of the tree.
pub type Hash = [u8; 32];

/// What a checkpoint says; its signatures are not checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// The log's name.
    pub origin: String,
    /// How many entries.
    pub size: u64,
    /// The root over them.
    pub root: Hash,
    /// Key name and bytes (four of key id, then the signature) of each signature line.
    pub signatures: Vec<(String, Vec<u8>)>,
}

/// Fetches and takes apart the checkpoint of an organization's log.
///
/// # Panics
/// It is not of the form C2SP describes.
#[must_use]
pub fn checkpoint(node: &Node, organization: &str) -> Checkpoint {
    let answer = node.public().get(&format!("/logs/{organization}/checkpoint"));
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert!(answer.content_type.starts_with("text/plain"), "{}", answer.content_type);
    let text = String::from_utf8(answer.body).unwrap();
    let (head, signatures) = text.split_once("\n\n").expect("a blank line before the signatures");
    let lines: Vec<&str> = head.lines().collect();
    assert_eq!(lines.len(), 3, "{text}");
    let signatures = signatures
        .lines()
        .map(|line| {
            let (name, base64) = line.strip_prefix("\u{2014} ").unwrap().split_once(' ').unwrap();
            (name.to_owned(), Base::Base64Pad.decode(base64).unwrap())
        })
        .collect();
    Checkpoint {
        origin: lines[0].to_owned(),
        size: lines[1].parse().unwrap(),
        root: Base::Base64Pad.decode(lines[2]).unwrap().try_into().unwrap(),
        signatures,
    }
}

/// Fetches all entries that a tree of `size` covers.
///
/// # Panics
/// One is missing.
#[must_use]
pub fn entries(node: &Node, organization: &str, size: u64) -> Vec<Vec<u8>> {
    let mut entries = Vec::new();
    for (index, width) in tiles(size) {
        let path = format!("/logs/{organization}/tile/entries/{}", tile_path(index, width));
        let answer = node.public().get(&path);
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        assert!(
            width < 256 || answer.cache_control.contains("immutable"),
            "{path}: {}",
            answer.cache_control
        );
        let before = entries.len();
        let mut rest = answer.body.as_slice();
        while let Some((length, more)) = rest.split_first_chunk::<2>() {
            let (entry, more) = more.split_at(usize::from(u16::from_be_bytes(*length)));
            entries.push(entry.to_vec());
            rest = more;
        }
        assert!(
            rest.is_empty() && entries.len() as u64 - before as u64 == width,
            "{path}"
        );
    }
    entries
}

/// Number and width of every tile of a level with `size` hashes.
#[must_use]
pub fn tiles(size: u64) -> Vec<(u64, u64)> {
    (0..size.div_ceil(256))
        .map(|index| (index, (size - index * 256).min(256)))
        .collect()
}

/// The path of a tile below its level.
#[must_use]
pub fn tile_path(index: u64, width: u64) -> String {
    assert!(index < 1_000, "the tests write no log that long");
    if width == 256 {
        format!("{index:03}")
    } else {
        format!("{index:03}.p/{width}")
    }
}

/// Hash of one entry.
#[must_use]
pub fn leaf(entry: &[u8]) -> Hash {
    Sha256::new_with_prefix([0]).chain_update(entry).finalize().into()
}

/// Root of the tree over leaf hashes (RFC 6962 section 2.1), by the definition itself.
#[must_use]
pub fn root(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => Sha256::digest([]).into(),
        [only] => *only,
        _ => {
            let (left, right) = leaves.split_at(leaves.len().next_power_of_two() / 2);
            Sha256::new_with_prefix([1])
                .chain_update(root(left))
                .chain_update(root(right))
                .finalize()
                .into()
        }
    }
}

/// Fetches checkpoint and entries, and asserts that they fit.
///
/// # Panics
/// They do not.
#[must_use]
pub fn checked_entries(node: &Node, organization: &str) -> (Checkpoint, Vec<Vec<u8>>) {
    let checkpoint = checkpoint(node, organization);
    let entries = entries(node, organization, checkpoint.size);
    assert_eq!(entries.len() as u64, checkpoint.size);
    let leaves: Vec<Hash> = entries.iter().map(|entry| leaf(entry)).collect();
    assert_eq!(
        root(&leaves),
        checkpoint.root,
        "the entries are not those that were signed"
    );
    (checkpoint, entries)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_root_is_that_of_rfc_6962() {
        let leaves: Vec<Hash> = (0..3_u8).map(|byte| leaf(&[byte])).collect();
        let pair: Hash = Sha256::new_with_prefix([1])
            .chain_update(leaves[0])
            .chain_update(leaves[1])
            .finalize()
            .into();
        let all: Hash = Sha256::new_with_prefix([1])
            .chain_update(pair)
            .chain_update(leaves[2])
            .finalize()
            .into();
        assert_eq!(root(&leaves), all);
        assert_eq!(root(&leaves[..2]), pair);
    }

    #[test]
    fn tiles_cover_a_size() {
        assert_eq!(tiles(0), []);
        assert_eq!(tiles(256), [(0, 256)]);
        assert_eq!(tiles(600), [(0, 256), (1, 256), (2, 88)]);
        assert_eq!(tile_path(2, 88), "002.p/88");
    }
}
