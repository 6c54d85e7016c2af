#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
use super::*;
use proptest::prelude::*;

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
    gzip.write_all(bytes).unwrap();
    gzip.finish().unwrap()
}

fn encoded(compressed: &[u8]) -> String {
    multibase::encode(Base::Base64Url, compressed)
}

#[test]
fn the_first_bit_is_the_most_significant() {
    let mut list = StatusList::new(131_072).unwrap();
    list.set(0, true).unwrap();
    list.set(9, true).unwrap();
    assert_eq!(list.bytes[..3], [0b1000_0000, 0b0100_0000, 0]);
    assert!(list.get(0).unwrap() && !list.get(1).unwrap() && list.get(9).unwrap());
    list.set(0, false).unwrap();
    assert!(!list.get(0).unwrap());
    assert_eq!(
        list.get(131_072),
        Err(StatusListError::OutOfBounds {
            index: 131_072,
            length: 131_072
        })
    );
    assert!(list.set(u64::MAX, true).is_err());
}

#[test]
fn lengths_are_bounded() {
    for bad in [0, 8, 131_064, 131_073, STATUS_BITS_MAXIMUM + 8, u64::MAX] {
        assert!(StatusList::new(bad).is_err(), "{bad}");
    }
    assert_eq!(StatusList::new(STATUS_BITS_MAXIMUM).unwrap().len(), STATUS_BITS_MAXIMUM);
}

#[test]
fn a_list_of_the_standard_is_read() {
    // Bitstring Status List 1.0, example 12 ("encodedList" of 131,072 clear bits).
    let text = "uH4sIAAAAAAAAA-3BMQEAAADCoPVPbQwfoAAAAAAAAAAAAAAAAAAAAIC3AYbSVKsAQAAA";
    assert_eq!(StatusList::decode(text).unwrap(), StatusList::new(131_072).unwrap());
}

#[test]
fn a_bomb_is_refused_before_it_fills_memory() {
    let bomb = gzip(&vec![0; 64 << 20]);
    assert!(bomb.len() < STATUS_COMPRESSED_BYTES);
    assert!(matches!(
        StatusList::decode(&encoded(&bomb)),
        Err(StatusListError::Length(_))
    ));
    let largest = StatusList::new(STATUS_BITS_MAXIMUM).unwrap();
    assert_eq!(StatusList::decode(&largest.encode()).unwrap(), largest);
}

#[test]
fn what_is_not_exactly_a_list_is_refused() {
    let good = gzip(&[0; 16_384]);
    assert!(StatusList::decode(&encoded(&good)).is_ok());
    let mut trailing = good.clone();
    trailing.push(0);
    let mut twice = good.clone();
    twice.extend_from_slice(&good);
    let mut corrupt = good.clone();
    let crc = corrupt.len() - 6;
    corrupt[crc] ^= 1;
    for (what, bytes) in [
        ("trailing byte", &trailing[..]),
        ("two members", &twice),
        ("bad checksum", &corrupt),
        ("cut short", &good[..good.len() - 9]),
        ("not gzip", b"hello"),
        ("empty", b""),
    ] {
        assert_eq!(
            StatusList::decode(&encoded(bytes)),
            Err(StatusListError::NotGzip),
            "{what}"
        );
    }
    let short = gzip(&[0; 100]);
    assert_eq!(StatusList::decode(&encoded(&short)), Err(StatusListError::Length(800)));
    let base58 = multibase::encode(Base::Base58Btc, &good);
    let padded = multibase::encode(Base::Base64UrlPad, &good);
    for text in ["", "u", "H4sI", &base58, &padded, &encoded(&good)[1..]] {
        let result = StatusList::decode(text);
        assert!(result.is_err(), "{text}");
    }
    assert_eq!(
        StatusList::decode(&"u".repeat(STATUS_COMPRESSED_BYTES * 2)),
        Err(StatusListError::TooLarge)
    );
}

#[test]
fn entries_are_read_strictly() {
    let good = StatusEntry {
        purpose: StatusPurpose::Revocation,
        list: "https://a.example/s/1".into(),
        index: 94_567,
    };
    assert_eq!(StatusEntry::read(&good.to_json(), &Path::ROOT).unwrap(), good);
    for (member, value) in [
        ("type", Value::from("StatusList2021Entry")),
        ("statusPurpose", "message".into()),
        ("statusListIndex", 94_567.into()),
        ("statusListIndex", "094567".into()),
        ("statusListIndex", "-1".into()),
        ("statusListIndex", "".into()),
        ("statusListIndex", "67108864".into()),
        ("statusListIndex", "99999999999999999999999".into()),
        ("statusListCredential", "list".into()),
        ("id", "x".into()),
        ("statusSize", 2.into()),
    ] {
        let mut entry = good.to_json();
        entry.as_object_mut().unwrap().insert(member, value);
        let error = StatusEntry::read(&entry, &Path::ROOT).unwrap_err();
        assert_eq!(error.path, format!("/{member}"));
    }
}

/// The optional fields of a gzip header are read over, and bounded by the bound of the whole text.
#[test]
fn a_header_with_fields_is_read_and_never_grows_the_list() {
    let with_fields = |flags: u8, fields: &[u8]| {
        let plain = gzip(&[0; 16_384]);
        let mut bytes = plain[..10].to_vec();
        bytes[3] = flags;
        bytes.extend_from_slice(fields);
        bytes.extend_from_slice(&plain[10..]);
        encoded(&bytes)
    };
    let name = [vec![b'n'; 1_000], vec![0]].concat();
    assert!(StatusList::decode(&with_fields(0x08, &name)).is_ok());
    let extra = [&[0xFF, 0xFF][..], &[7; 0xFFFF]].concat();
    assert!(StatusList::decode(&with_fields(0x04, &extra)).is_ok());
    // A field that never ends, or one longer than what is there.
    assert!(StatusList::decode(&with_fields(0x08, &[1; 20])).is_err());
    assert!(StatusList::decode(&with_fields(0x04, &[0xFF, 0xFF, 1])).is_err());
    assert!(StatusList::decode(&with_fields(0xE0, &[])).is_err());
    let huge = with_fields(0x08, &vec![b'n'; STATUS_COMPRESSED_BYTES]);
    assert_eq!(StatusList::decode(&huge), Err(StatusListError::TooLarge));
}

#[test]
fn an_entry_may_say_that_it_has_one_bit() {
    let good = StatusEntry {
        purpose: StatusPurpose::Suspension,
        list: "https://a.example/s/1".into(),
        index: 0,
    };
    let with = |name: &str, value: Value| {
        let mut entry = good.to_json();
        entry.as_object_mut().unwrap().insert(name, value);
        StatusEntry::read(&entry, &Path::ROOT)
    };
    assert_eq!(with("statusSize", 1.into()).unwrap(), good);
    assert_eq!(with("statusReference", "https://a.example/why".into()).unwrap(), good);
    assert_eq!(with("statusMessage", Value::Array(Vec::new())).unwrap(), good);
    for (name, value) in [
        ("statusSize", Value::from(0)),
        ("statusSize", "1".into()),
        ("statusReference", 7.into()),
        ("statusMessage", "x".into()),
        ("statusUnheardOf", 1.into()),
    ] {
        assert!(with(name, value).is_err(), "{name}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(50))]
    #[test]
    fn what_is_encoded_is_decoded(set in proptest::collection::btree_set(0_u64..131_072, 0..500)) {
        let mut list = StatusList::new(131_072).unwrap();
        for &index in &set {
            list.set(index, true).unwrap();
        }
        let read = StatusList::decode(&list.encode()).unwrap();
        prop_assert_eq!(&read, &list);
        for index in (0..131_072).step_by(997).chain(set.iter().copied()) {
            prop_assert_eq!(read.get(index).unwrap(), set.contains(&index));
        }
    }
}
