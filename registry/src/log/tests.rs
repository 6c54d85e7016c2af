#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use proptest::prelude::*;

use super::*;
use crate::naive;
use crate::store::MemoryStore;

const ORGANIZATION: &str = "did:key:z6MkTest";

/// A store with these entries, appended in pieces, and the frontier after them.
pub(crate) fn stored(entries: &[Vec<u8>], piece: usize) -> (MemoryStore, Frontier) {
    let mut store = MemoryStore::default();
    let mut frontier = Frontier::default();
    for piece in entries.chunks(piece) {
        let (after, writes) = append(ORGANIZATION, &frontier, piece).unwrap();
        store.write(&writes);
        frontier = after;
    }
    (store, frontier)
}

/// The leaves and roots that certificate transparency software is tested with everywhere.
#[test]
fn roots_are_those_of_certificate_transparency() {
    let leaves: [&[u8]; 8] = [
        b"",
        &[0x00],
        &[0x10],
        &[0x20, 0x21],
        &[0x30, 0x31],
        &[0x40, 0x41, 0x42, 0x43],
        &[0x50, 0x51, 0x52, 0x53, 0x54, 0x55, 0x56, 0x57],
        &[
            0x60, 0x61, 0x62, 0x63, 0x64, 0x65, 0x66, 0x67, 0x68, 0x69, 0x6a, 0x6b, 0x6c, 0x6d, 0x6e, 0x6f,
        ],
    ];
    let roots = [
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    ];
    let mut frontier = Frontier::default();
    assert_eq!(frontier.root(), EMPTY_ROOT);
    for (leaf, root) in leaves.iter().zip(roots) {
        frontier.append(leaf_hash(leaf));
        let hex: String = frontier.root().iter().map(|b| format!("{b:02x}")).collect();
        assert_eq!(hex, root);
    }
}

#[test]
fn the_frontier_has_the_root_of_the_definition_at_every_size_to_300() {
    let entries = naive::entries(300);
    let mut frontier = Frontier::default();
    for size in 0..=entries.len() {
        assert_eq!(frontier.root(), naive::root(&entries[..size]), "size {size}");
        assert_eq!(
            Frontier::decode(&frontier.encode()),
            Some((frontier.clone(), frontier.encode().len()))
        );
        if let Some(entry) = entries.get(size) {
            frontier.append(leaf_hash(entry));
        }
    }
}

#[test]
fn pieces_do_not_matter() {
    let entries = naive::entries(600);
    let whole = stored(&entries, 256);
    for piece in [1, 7, 100, 255] {
        assert_eq!(stored(&entries, piece), whole);
    }
    let mut many = Frontier::default();
    many.append_many(&entries.iter().map(|e| leaf_hash(e)).collect::<Vec<_>>());
    assert_eq!(many, whole.1);
}

#[test]
fn bounds_of_appending_are_kept() {
    let none = Frontier::default();
    let long = vec![0_u8; limits::STATEMENT_BYTES + 1];
    assert_eq!(
        append(ORGANIZATION, &none, &[vec![], long]).unwrap_err(),
        AppendError::TooLong(1)
    );
    let many = naive::entries(limits::APPEND_STATEMENTS + 1);
    assert_eq!(append(ORGANIZATION, &none, &many).unwrap_err(), AppendError::TooMany);
    let full = Frontier {
        size: limits::LOG_SIZE,
        peaks: vec![[0; 32]],
    };
    assert_eq!(append(ORGANIZATION, &full, &[vec![]]).unwrap_err(), AppendError::Full);
    assert!(append(ORGANIZATION, &full, &naive::entries(0)).is_ok());
}

#[test]
fn entries_are_read_in_order_and_within_bounds() {
    let entries = naive::entries(300);
    let (store, _) = stored(&entries, 256);
    let read = |from, to, bytes| read_entries(ORGANIZATION, from, to, bytes, &store).unwrap();
    assert_eq!(read(0, 300, usize::MAX), entries);
    assert_eq!(read(250, 1_000, usize::MAX), entries[250..]);
    assert_eq!(read(300, 301, usize::MAX), Vec::<Vec<u8>>::new());
    assert_eq!(read(9, 3, usize::MAX), Vec::<Vec<u8>>::new());
    // "entry 0" has 7 bytes: two fit 14, the first comes even if it does not fit.
    assert_eq!(read(0, 300, 14), entries[..2]);
    assert_eq!(read(0, 300, 0), entries[..1]);
    assert_eq!(read_entry(ORGANIZATION, 299, &store).unwrap().unwrap(), entries[299]);
    assert_eq!(read_entry(ORGANIZATION, 300, &store).unwrap(), None);
    assert_eq!(read_entry("did:key:z6MkOther", 0, &store).unwrap(), None);
}

#[test]
fn a_rotten_or_missing_entry_is_named() {
    let entries = naive::entries(40);
    let (good, _) = stored(&entries, 256);
    let (_, row) = good
        .rows()
        .find(|(key, _)| *key == store::entry(ORGANIZATION, 17))
        .unwrap();
    for bit in 0..row.len() * 8 {
        let mut rotten = row.to_vec();
        rotten[bit / 8] ^= 1 << (bit % 8);
        let mut store = good.clone();
        store.write(&[Write::put(store::entry(ORGANIZATION, 17), rotten)]);
        let error = read_entries(ORGANIZATION, 0, 40, usize::MAX, &store).unwrap_err();
        assert!(error.to_string().contains("entry 17 of did:key:z6MkTest"), "{error}");
        assert!(read_entry(ORGANIZATION, 17, &store).is_err());
    }
    let mut store = good.clone();
    store.write(&[Write {
        key: store::entry(ORGANIZATION, 17),
        value: None,
    }]);
    assert!(read_entries(ORGANIZATION, 0, 40, usize::MAX, &store).is_err());
}

proptest! {
    #[test]
    fn no_bytes_break_the_decoder(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        if let Some((frontier, taken)) = Frontier::decode(&bytes) {
            prop_assert_eq!(frontier.encode(), &bytes[..taken]);
        }
        let _ = LogState::decode(&bytes);
    }
}
