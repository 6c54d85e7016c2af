#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use super::{Location, LocationError};
use crate::did::Did;

const SCID: &str = "QmePZQxDW6wr4ohW61LLra4jm8SU3Go6EnCKcVbvzXkNtn";

fn of(text: &str) -> Result<Location, LocationError> {
    Location::of(&Did::parse(text).unwrap())
}

#[test]
fn dids_name_the_files_that_the_methods_say() {
    let cases = [
        ("example.com", "https://example.com/.well-known/did.jsonl"),
        ("issuer.example.com", "https://issuer.example.com/.well-known/did.jsonl"),
        ("example.com:dids:issuer", "https://example.com/dids/issuer/did.jsonl"),
        (
            "example.com%3A3000:dids:issuer",
            "https://example.com:3000/dids/issuer/did.jsonl",
        ),
        ("example.com%3A3000", "https://example.com:3000/.well-known/did.jsonl"),
        (
            "xn--jp-cd2fp15c.xn--fsq.jp:%E7%94%A8%E6%88%B7",
            "https://xn--jp-cd2fp15c.xn--fsq.jp/%E7%94%A8%E6%88%B7/did.jsonl",
        ),
    ];
    for (place, url) in cases {
        let versioned = of(&format!("did:webvh:{SCID}:{place}")).unwrap();
        assert_eq!(versioned.url("did.jsonl"), url);
        assert_eq!(versioned.as_identifier(), place);
        assert_eq!(of(&format!("did:web:{place}")).unwrap(), versioned);
    }
    assert_eq!(of("did:web:example.com:a").unwrap().base(), "https://example.com/a/");
    assert_eq!(
        of("did:web:example.com").unwrap().path("did.json"),
        "/.well-known/did.json"
    );
}

#[test]
fn what_is_no_place_is_refused() {
    let hosts = [
        "localhost",
        "127.0.0.1",
        "10.1",
        "0x7f.1",
        "example.0x7f",
        "example.x",
        "Example.com",
        "-a.com",
        "a-.com",
        "a..com",
        ".com",
        "com.",
        "a_b.com",
        "user%40example.com",
        "example.com%3A0",
        "example.com%3A",
        "example.com%3A65536",
        "example.com%3A080",
        "example.com%3A80a",
        "%5B%3A%3A1%5D",
    ];
    for host in hosts {
        assert!(of(&format!("did:web:{host}")).is_err(), "{host}");
    }
    for path in ["..", ".", "%2e%2E", "a%2Fb", "a%5cb", "a%00", "a::b", "a%3Fb"] {
        assert_eq!(
            of(&format!("did:web:example.com:{path}")),
            Err(LocationError::Path),
            "{path}"
        );
    }
    for did in [
        format!("did:webvh:{}:example.com", &SCID[1..]),
        format!("did:webvh:{SCID}"),
        "did:webvh:example.com:a".to_owned(),
        format!("did:webvh:{}:example.com", SCID.replace('e', "0")),
    ] {
        assert_eq!(of(&did), Err(LocationError::Scid), "{did}");
    }
    assert!(matches!(of("did:key:z6Mk"), Err(LocationError::Method(_))));
}
