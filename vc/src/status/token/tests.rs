#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
use proptest::prelude::*;

use super::*;

fn zlib(bytes: &[u8]) -> Vec<u8> {
    let mut zlib = ZlibEncoder::new(Vec::new(), Compression::best());
    zlib.write_all(bytes).unwrap();
    zlib.finish().unwrap()
}

/// Token Status List section 4.1: sixteen entries of one bit.
#[test]
fn the_example_of_the_standard_is_read_and_made() {
    let statuses = [1, 0, 0, 1, 1, 1, 0, 1, 1, 1, 0, 0, 0, 1, 0, 1];
    let list = decode("eNrbuRgAAhcBXQ").unwrap();
    assert_eq!(list.len(), 16);
    for (index, status) in (0_u64..).zip(statuses) {
        assert_eq!(list.get(index).unwrap(), status == 1, "{index}");
    }
    assert!(list.get(16).is_err());
    assert_eq!(encode(&list), "eNrbuRgAAhcBXQ");
    assert_eq!(mirrored(&list.bytes), [0xB9, 0xA3]);
}

/// Token Status List appendix, test vector for one bit: 2^20 entries, eleven of them set.
#[test]
fn the_long_vector_of_the_standard_is_read() {
    let mut list = StatusList::new(1 << 20).unwrap();
    for index in [
        0, 1993, 25_460, 159_495, 495_669, 554_353, 645_645, 723_232, 854_545, 934_534, 1_000_345,
    ] {
        list.set(index, true).unwrap();
    }
    let text = concat!(
        "eNrt3AENwCAMAEGogklACtKQPg9LugC9k_ACvreiogEAAKkeCQAAAAAAAAAAAAAAAAAAAIBylgQAAAAAAAAAAAAAAAAAAAAAAAAAA",
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAXG9IAAAAAAAAAPwsJAAAAAAAAAAAAAAAvhsSAAAAAAAAAAAA7KpLAAAAAAAAAAAAAAAAAAAAAJ",
        "sLCQAAAAAAAAAAADjelAAAAAAAAAAAKjDMAQAAAACAZC8L2AEb"
    );
    assert_eq!(decode(text).unwrap(), list);
    assert_eq!(decode(&encode(&list)).unwrap(), list);
}

#[test]
fn what_is_not_exactly_a_list_is_refused() {
    let good = zlib(&[0; 16_384]);
    assert!(decode(&base64url(&good)).is_ok());
    let mut trailing = good.clone();
    trailing.push(0);
    let twice = [good.clone(), good.clone()].concat();
    let mut corrupt = good.clone();
    *corrupt.last_mut().unwrap() ^= 1;
    for (what, bytes) in [
        ("trailing byte", &trailing[..]),
        ("two streams", &twice),
        ("bad checksum", &corrupt),
        ("cut short", &good[..good.len() - 5]),
        ("not zlib", b"hello"),
        ("empty", b""),
    ] {
        assert_eq!(decode(&base64url(bytes)), Err(StatusListError::NotZlib), "{what}");
    }
    assert_eq!(decode(&base64url(&zlib(b""))), Err(StatusListError::TokenLength(0)));
    let bomb = zlib(&vec![0; 64 << 20]);
    assert!(bomb.len() < STATUS_COMPRESSED_BYTES);
    assert!(matches!(
        decode(&base64url(&bomb)),
        Err(StatusListError::TokenLength(_))
    ));
    for text in [
        "eNrbuRgAAhcBXQ==",
        "eNrbuRgAAhcBXR",
        "ueNrbuRgAAhcBXQ",
        "eNrbuRgAAhcB XQ",
    ] {
        assert!(decode(text).is_err(), "{text}");
    }
    assert_eq!(
        decode(&"A".repeat(STATUS_COMPRESSED_BYTES * 2)),
        Err(StatusListError::TooLarge)
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(50))]
    #[test]
    fn both_encodings_say_the_same(set in proptest::collection::btree_set(0_u64..131_072, 0..500)) {
        let mut list = StatusList::new(131_072).unwrap();
        for &index in &set {
            list.set(index, true).unwrap();
        }
        let of_token = decode(&encode(&list)).unwrap();
        let of_bitstring = StatusList::decode(&list.encode()).unwrap();
        prop_assert_eq!(&of_token, &of_bitstring);
        for index in (0..131_072).step_by(997).chain(set.iter().copied()) {
            prop_assert_eq!(of_token.get(index).unwrap(), set.contains(&index));
        }
    }
}
