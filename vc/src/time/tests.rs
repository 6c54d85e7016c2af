#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use super::{TimeError, Timestamp};

fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

#[test]
fn reads_and_prints_rfc3339() {
    for (text, printed, seconds) in [
        ("1970-01-01T00:00:00Z", "1970-01-01T00:00:00Z", 0),
        ("2026-11-24T22:50:53Z", "2026-11-24T22:50:53Z", 1_795_560_653),
        ("2026-11-24T22:50:53+00:00", "2026-11-24T22:50:53Z", 1_795_560_653),
        ("2026-11-25T00:20:53+01:30", "2026-11-24T22:50:53Z", 1_795_560_653),
        ("2026-11-24T14:50:53-08:00", "2026-11-24T22:50:53Z", 1_795_560_653),
        ("2024-02-29T23:59:59.500Z", "2024-02-29T23:59:59.5Z", 1_709_251_199),
        (
            "2024-02-29T23:59:59.000000001Z",
            "2024-02-29T23:59:59.000000001Z",
            1_709_251_199,
        ),
        ("2024-02-29T23:59:59.000Z", "2024-02-29T23:59:59Z", 1_709_251_199),
        ("1969-12-31T23:59:59.5Z", "1969-12-31T23:59:59.5Z", -1),
        ("0000-01-01T00:00:00Z", "0000-01-01T00:00:00Z", -62_167_219_200),
        ("9999-12-30T22:00:00Z", "9999-12-30T22:00:00Z", 253_402_207_200),
        ("0001-01-01T14:00:00+14:00", "0001-01-01T00:00:00Z", -62_135_596_800),
    ] {
        let time = at(text);
        assert_eq!(time.to_string(), printed);
        assert_eq!(time.unix_seconds(), seconds, "{text}");
        assert_eq!(at(printed), time);
    }
}

#[test]
fn refuses_everything_looser() {
    for text in [
        "",
        "2026-11-24",
        "2026-11-24T22:50:53",
        "2026-11-24t22:50:53Z",
        "2026-11-24T22:50:53z",
        "2026-11-24 22:50:53Z",
        "2026-11-24T22:50Z",
        "2026-11-24T22:50:53.Z",
        "2026-11-24T22:50:53,5Z",
        "2026-11-24T22:50:53.0000000001Z",
        "2026-11-24T22:50:53+0100",
        "2026-11-24T22:50:53+01",
        "2026-11-24T22:50:53Z ",
        " 2026-11-24T22:50:53Z",
        "2026-11-24T22:50:53Z[UTC]",
        "+2026-11-24T22:50:53Z",
        "12026-11-24T22:50:53Z",
        "-001-11-24T22:50:53Z",
        "20261124T225053Z",
        "2026-W48-2T22:50:53Z",
        "２０２６-11-24T22:50:53Z",
    ] {
        assert_eq!(Timestamp::parse(text), Err(TimeError::Malformed), "{text:?}");
    }
    for text in [
        "2026-13-01T00:00:00Z",
        "2026-00-01T00:00:00Z",
        "2025-02-29T00:00:00Z",
        "2026-04-31T00:00:00Z",
        "2026-11-24T24:00:00Z",
        "2026-11-24T23:60:00Z",
        "2016-12-31T23:59:60Z",
        "2026-11-24T22:50:53+14:01",
        "2026-11-24T22:50:53+10:60",
    ] {
        assert_eq!(Timestamp::parse(text), Err(TimeError::NoSuchTime), "{text:?}");
    }
    assert_eq!(
        Timestamp::parse("0000-01-01T00:00:00+00:01"),
        Err(TimeError::OutOfRange)
    );
}

#[test]
fn counts_in_unix_time() {
    let time = Timestamp::from_unix_seconds(1_795_560_653).unwrap();
    assert_eq!(time.to_string(), "2026-11-24T22:50:53Z");
    assert_eq!(time.checked_add_seconds(-60).unwrap().unix_seconds(), 1_795_560_593);
    assert_eq!(time.checked_add_seconds(i64::MAX), None);
    assert_eq!(time.seconds_since(time.checked_add_seconds(90).unwrap()), -90);
    let half = Timestamp::from_unix_millis(-500).unwrap();
    assert_eq!((half.unix_seconds(), half.unix_millis()), (-1, -500));
    assert_eq!(at("1969-12-31T23:59:59.9999Z").unix_millis(), -1);
    assert_eq!(half.seconds_since(at("1970-01-01T00:00:00Z")), -1);
    assert!(half < at("1970-01-01T00:00:00Z"));
    for out in [i64::MIN, i64::MAX, -62_167_219_201, 253_402_300_800] {
        assert_eq!(Timestamp::from_unix_seconds(out), Err(TimeError::OutOfRange));
    }
}

proptest::proptest! {
    #[test]
    fn every_time_survives_its_print(millis in -62_167_219_200_000_i64..253_402_207_200_000) {
        let time = Timestamp::from_unix_millis(millis).unwrap();
        assert_eq!(time.unix_millis(), millis);
        assert_eq!(Timestamp::parse(&time.to_string()), Ok(time));
    }

    #[test]
    fn no_text_panics(text in "[0-9TZ:.+\\- é]{0,40}") {
        let _ = Timestamp::parse(&text);
    }
}
