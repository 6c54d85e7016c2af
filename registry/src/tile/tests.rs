#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use proptest::prelude::*;
use syndic_vc::key::SecretKey;
use syndic_vc::time::Timestamp;

use super::*;
use crate::head::Head;
use crate::log::{Frontier, append, leaf_hash};
use crate::naive;
use crate::store::{self, MemoryStore, Write};

const ORGANIZATION: &str = "did:key:z6MkTest";

/// A log of `stored` entries whose head covers the first `signed`.
fn log(stored: usize, signed: usize) -> (MemoryStore, Vec<Vec<u8>>) {
    let entries = naive::entries(stored);
    let mut store = MemoryStore::default();
    let mut frontier = Frontier::default();
    for piece in entries.chunks(200) {
        let (after, writes) = append(ORGANIZATION, &frontier, piece).unwrap();
        store.write(&writes);
        frontier = after;
    }
    let key = SecretKey::from_seed([7; 32].into());
    let root = proof::root(ORGANIZATION, signed as u64, &store).unwrap().unwrap();
    let time = Timestamp::from_unix_seconds(1_700_000_000).unwrap();
    let head = Head::sign("syndic/zQm/did:key:z6MkTest", signed as u64, &root, &key, time).unwrap();
    let state = LogState {
        frontier,
        head: Some(head),
    };
    store.write(&[Write::put(store::log_state(ORGANIZATION), state.encode())]);
    (store, entries)
}

fn get(path: &str, store: &MemoryStore) -> Option<Vec<u8>> {
    read(
        parse_path(path).unwrap_or_else(|| panic!("{path}")),
        ORGANIZATION,
        store,
    )
    .unwrap()
}

#[test]
fn tiles_hold_what_the_standard_says() {
    let (store, entries) = log(70_000, 70_000);
    let root_of = |from: usize, to: usize| naive::root(&entries[from..to]);
    // The example of tlog-tiles: 273 full tiles and one of 112; one full and one of 17; one of 1.
    let tile = get("tile/0/000", &store).unwrap();
    assert_eq!(tile.len(), 8_192);
    assert_eq!(tile[32..64], leaf_hash(&entries[1]));
    assert_eq!(get("tile/0/272", &store).unwrap()[..32], leaf_hash(&entries[272 * 256]));
    assert_eq!(get("tile/0/273.p/112", &store).unwrap().len(), 112 * 32);
    assert_eq!(get("tile/0/273.p/113", &store), None);
    assert_eq!(get("tile/0/273", &store), None);
    assert_eq!(get("tile/1/000", &store).unwrap()[..32], root_of(0, 256));
    assert_eq!(
        get("tile/1/001.p/17", &store).unwrap()[16 * 32..],
        root_of(272 * 256, 273 * 256)
    );
    assert_eq!(get("tile/1/001.p/18", &store), None);
    assert_eq!(get("tile/2/000.p/1", &store).unwrap(), root_of(0, 65_536));
    assert_eq!(get("tile/2/000.p/2", &store), None);
    assert_eq!(get("tile/3/000.p/1", &store), None);
    assert_eq!(get("tile/63/000.p/1", &store), None);
    assert_eq!(get("tile/0/x999/999", &store), None);

    let mut bundle = get("tile/entries/273.p/112", &store).unwrap();
    for entry in &entries[273 * 256..] {
        let (length, rest) = bundle.split_first_chunk::<2>().unwrap();
        let (found, rest) = rest.split_at(usize::from(u16::from_be_bytes(*length)));
        assert_eq!(found, entry);
        bundle = rest.to_vec();
    }
    assert!(bundle.is_empty());
    assert_eq!(get("tile/entries/273.p/113", &store), None);
}

#[test]
fn nothing_beyond_the_head_is_served() {
    let (store, entries) = log(300, 256);
    assert_eq!(get("tile/0/000", &store).unwrap()[..32], leaf_hash(&entries[0]));
    assert_eq!(get("tile/1/000.p/1", &store).unwrap(), naive::root(&entries[..256]));
    assert_eq!(get("tile/0/001.p/1", &store), None);
    assert_eq!(get("tile/entries/001.p/1", &store), None);
    let checkpoint = String::from_utf8(get("checkpoint", &store).unwrap()).unwrap();
    assert!(checkpoint.starts_with("syndic/zQm/did:key:z6MkTest\n256\n"));

    let nothing = MemoryStore::default();
    for path in ["checkpoint", "tile/0/000", "tile/0/000.p/1", "tile/entries/000.p/1"] {
        assert_eq!(get(path, &nothing), None);
    }
}

#[test]
fn every_file_has_one_name() {
    for good in [
        "checkpoint",
        "tile/0/000",
        "tile/63/999",
        "tile/8/x001/000.p/255",
        "tile/0/x001/x234/067",
        "tile/entries/000.p/1",
        "tile/entries/x012/345",
    ] {
        assert_eq!(parse_path(good).unwrap().to_string(), good);
    }
    for bad in [
        "",
        "/checkpoint",
        "checkpoint/",
        "Checkpoint",
        "tile",
        "tile/",
        "tile/0",
        "tile/0/",
        "tile//000",
        "tile/00/000",
        "tile/64/000",
        "tile/-1/000",
        "tile/+1/000",
        "tile/0/0",
        "tile/0/00",
        "tile/0/0000",
        "tile/0/000.p/0",
        "tile/0/000.p/256",
        "tile/0/000.p/01",
        "tile/0/000.p/",
        "tile/0/000.p/1/",
        "tile/0/000.p/1.p/1",
        "tile/0/x000/001",
        "tile/0/x001",
        "tile/0/001/002",
        "tile/0/X001/002",
        "tile/0/x001/x002",
        "tile/0/x1/002",
        "tile/0/00\u{663}",
        "tile/entry/000",
        "tile/entries",
        "tile/0/../0/000",
        "tile/0/000?x",
        "tile/0/ 00",
        "tile/0/x999/x999/x999/x999/x999/x999/x999/999",
    ] {
        assert_eq!(parse_path(bad), None, "{bad}");
    }
}

proptest! {
    #[test]
    fn what_is_accepted_is_printed_back(path in "(tile/)?(entries|[0-9]{1,3})?(/x?[0-9]{2,4}){0,3}(\\.p/[0-9]{0,3})?") {
        if let Some(parsed) = parse_path(&path) {
            prop_assert_eq!(parsed.to_string(), path);
        }
    }

    #[test]
    fn what_is_printed_is_accepted(level in 0_u8..64, index in 0..limits::LOG_SIZE, width in 1_u16..=256, entries: bool) {
        let path = if entries { TilePath::Entries { index, width } } else { TilePath::Hashes { level, index, width } };
        prop_assert_eq!(parse_path(&path.to_string()), Some(path));
    }

    #[test]
    fn no_text_breaks_the_parser(path in any::<String>()) {
        let _ = parse_path(&path);
    }
}
