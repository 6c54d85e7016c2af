#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::collections::BTreeSet;

use super::{Did, DidError, DidUrl};

#[test]
fn reads_dids_of_the_grammar() {
    for (text, method, id) in [
        (
            "did:key:z6MkrJVnaZkeFzdQyMZu1cgjg7k1pZZ6pvBQ7XJPt4swbTQ2",
            "key",
            "z6MkrJVnaZkeFzdQyMZu1cgjg7k1pZZ6pvBQ7XJPt4swbTQ2",
        ),
        (
            "did:web:example.com%3A3000:user:alice",
            "web",
            "example.com%3A3000:user:alice",
        ),
        ("did:webvh:QmX:example.com", "webvh", "QmX:example.com"),
        ("did:0a:a..b-_", "0a", "a..b-_"),
        ("did:ex:a::b", "ex", "a::b"),
        ("did:ex::b", "ex", ":b"),
    ] {
        let did = Did::parse(text).unwrap();
        assert_eq!(
            (did.as_str(), did.method(), did.method_specific_id()),
            (text, method, id)
        );
        assert_eq!(text.parse::<Did>().unwrap(), did);
    }
}

#[test]
fn refuses_what_is_no_did() {
    for (text, error) in [
        ("", DidError::NoScheme),
        ("DID:key:z", DidError::NoScheme),
        ("https://example.com", DidError::NoScheme),
        ("did:", DidError::Method),
        ("did:key", DidError::Method),
        ("did::z", DidError::Method),
        ("did:Key:z", DidError::Method),
        ("did:k-y:z", DidError::Method),
        ("did:é:z", DidError::Method),
        ("did:key:", DidError::Identifier),
        ("did:key:a:", DidError::Identifier),
        ("did:key:a b", DidError::Identifier),
        ("did:key:a%", DidError::Identifier),
        ("did:key:a%4", DidError::Identifier),
        ("did:key:a%4g", DidError::Identifier),
        ("did:key:a~b", DidError::Identifier),
        ("did:key:é", DidError::Identifier),
        ("did:key:a\n", DidError::Identifier),
        ("did:key:a\0", DidError::Identifier),
        (" did:key:a", DidError::NoScheme),
        ("did:key:a#b", DidError::NotBare),
        ("did:key:a/b", DidError::NotBare),
        ("did:key:a?b", DidError::NotBare),
        ("did:key:/b", DidError::Identifier),
    ] {
        assert_eq!(Did::parse(text), Err(error), "{text:?}");
    }
    let longest = format!("did:ex:{}", "a".repeat(2_048 - 7));
    assert!(Did::parse(&longest).is_ok());
    assert_eq!(Did::parse(&(longest + "a")), Err(DidError::TooLong));
}

#[test]
fn takes_did_urls_apart() {
    for (text, path, query, fragment) in [
        ("did:ex:a", "", None, None),
        ("did:ex:a#key-1", "", None, Some("key-1")),
        ("did:ex:a#", "", None, Some("")),
        ("did:ex:a/p/q?x=1&y#f?g/h", "/p/q", Some("x=1&y"), Some("f?g/h")),
        (
            "did:ex:a?service=files&relativeRef=/a%20b",
            "",
            Some("service=files&relativeRef=/a%20b"),
            None,
        ),
        ("did:ex:a/", "/", None, None),
        ("did:ex:a??", "", Some("?"), None),
    ] {
        let url = DidUrl::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(url.did().as_str(), "did:ex:a");
        assert_eq!(
            (url.path(), url.query(), url.fragment()),
            (path, query, fragment),
            "{text}"
        );
        assert_eq!(url.to_string(), text);
    }
    for text in [
        "did:ex:a#b#c",
        "did:ex:a#b c",
        "did:ex:a#%",
        "did:ex:a/\u{e9}",
        "did:ex:a?<x>",
        "did:ex:a#\"",
        "did:ex:a/[x]",
    ] {
        assert_eq!(DidUrl::parse(text), Err(DidError::UrlPart), "{text}");
    }
    assert_eq!(DidUrl::parse("#key-1"), Err(DidError::NoScheme));
    let did = Did::parse("did:ex:a").unwrap();
    assert_eq!(did.with_fragment("k").unwrap().as_str(), "did:ex:a#k");
    assert_eq!(did.with_fragment("a#b"), Err(DidError::UrlPart));
}

#[test]
fn sets_of_dids_can_be_asked_with_text() {
    let set: BTreeSet<Did> = ["did:ex:b", "did:ex:a"].map(|text| Did::parse(text).unwrap()).into();
    assert!(set.contains("did:ex:a"));
    assert_eq!(set.first().unwrap().as_str(), "did:ex:a");
}

proptest::proptest! {
    #[test]
    fn no_text_panics(text in "(did:[a-z%:/?#é]{0,30}|.{0,60})") {
        let (did, url) = (Did::parse(&text), DidUrl::parse(&text));
        // A DID is a DID URL, and what was read is what was written.
        if let Ok(did) = did {
            assert_eq!(did.as_str(), text);
            assert_eq!(url.as_ref().map(|url| url.did().clone()), Ok(did));
        }
        if let Ok(url) = url {
            assert_eq!(url.as_str(), text);
            assert_eq!(Did::parse(url.did().as_str()).as_ref(), Ok(url.did()));
        }
    }
}
