#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use proptest::prelude::*;

use super::*;
use crate::example::{at, did};

/// One good statement of each kind, as its log holds it.
const GOOD: [&str; 23] = [
    r#"{"at":"2026-11-24T22:50:53Z","endpoints":{"http":"https://a.example","peer":["/dns/a.example/tcp/8442"]},"kind":"profile","name":"Hospital A","peerIds":[]}"#,
    r#"{"agent":"did:key:z6MkAgent","at":"2026-11-24T22:50:53Z","kind":"agentRegistered","name":"Triage","owner":"did:key:z6MkOwner"}"#,
    r#"{"agent":"did:key:z6MkAgent","at":"2026-11-24T22:50:53Z","kind":"agentRetired"}"#,
    r#"{"action":"read","at":"2026-11-24T22:50:53Z","entity":"did:key:z6MkB","kind":"authorize","resource":"records/*"}"#,
    r#"{"action":"read","at":"2026-11-24T22:50:53Z","entity":"did:key:z6MkB","kind":"authorize","resource":"*","validFrom":"2026-01-01T00:00:00Z","validUntil":"2027-01-01T00:00:00Z"}"#,
    r#"{"action":"read","at":"2026-11-24T22:50:53Z","entity":"did:key:z6MkB","kind":"withdrawAuthorization","resource":"records/*"}"#,
    r#"{"action":"issue","at":"2026-11-24T22:50:53Z","authority":"https://b.example/registry","kind":"recognize","resource":"records/x","validUntil":"2027-01-01T00:00:00Z"}"#,
    r#"{"action":"issue","at":"2026-11-24T22:50:53Z","authority":"https://b.example/registry","kind":"withdrawRecognition","resource":"records/x"}"#,
    r#"{"at":"2026-11-24T22:50:53Z","kind":"statusListCreated","length":131072,"list":"https://a.example/status/1","purpose":"suspension"}"#,
    r#"{"at":"2026-11-24T22:50:53Z","kind":"statusChanged","list":"https://a.example/status/1","set":[0,5,67108863]}"#,
    r#"{"at":"2026-11-24T22:50:53Z","cleared":[7],"kind":"statusChanged","list":"https://a.example/status/1","set":[5]}"#,
    r#"{"at":"2026-11-24T22:50:53Z","did":"did:webvh:QmePZQxDW6wr4ohW61LLra4jm8SU3Go6EnCKcVbvzXkNtn:a.example","entry":"{}","kind":"didVersion","witness":"[]"}"#,
    r#"{"at":"2026-11-24T22:50:53Z","did":"did:webvh:QmePZQxDW6wr4ohW61LLra4jm8SU3Go6EnCKcVbvzXkNtn:a.example","kind":"organizationDid"}"#,
    r#"{"agent":"did:key:z6MkAgent","at":"2026-11-24T22:50:53Z","kind":"agentSucceeded","proof":"z2AXDGYSE4f2sz7tvMMzyHvUfcoJmxudvdhBcmiUSo6ijwfYmfZYsKRxboQMPh3R4kUhXRVdtSXFXMheka4Rc4P2","successor":"did:key:z6MkNew","until":"2026-11-24T23:50:53Z"}"#,
    r#"{"agent":"did:key:z6MkAgent","at":"2026-11-24T22:50:53Z","kind":"agentSuspended"}"#,
    r#"{"agent":"did:key:z6MkAgent","at":"2026-11-24T22:50:53Z","kind":"agentResumed"}"#,
    r#"{"at":"2026-11-24T22:50:53Z","key":"did:web:a.example#key-1","kind":"keyCompromised","since":"2026-11-20T00:00:00Z"}"#,
    r#"{"at":"2026-11-24T22:50:53Z","digests":["zQmY9eggDs67grsSrRft2fCiEiisreFmXvgWU4hBT6BbDei"],"kind":"credentialsAnchored"}"#,
    r#"{"at":"2026-11-24T22:50:53Z","bundle":{"keys":[],"spiffe_sequence":1},"domain":"spiffe://a.example","format":"spiffe","kind":"trustBundle"}"#,
    r#"{"at":"2026-11-24T22:50:53Z","bundle":{"keys":[{"kty":"OKP"}]},"domain":"https://a.example/agents","format":"jwks","kind":"trustBundle"}"#,
    r#"{"at":"2026-11-24T22:50:53Z","digest":"zQmY9eggDs67grsSrRft2fCiEiisreFmXvgWU4hBT6BbDei","kind":"forkEvidence","organization":"did:key:z6MkB"}"#,
    r#"{"at":"2026-11-24T22:50:53Z","from":18,"kind":"logKeyRotated","logKey":"z6MkfDSNRs2i9S6LZ5vd4RbpZ6754H7R3btDqRTeHhamqvuJ","next":"zQmY9eggDs67grsSrRft2fCiEiisreFmXvgWU4hBT6BbDei","previous":"z6MkrJVnaZkeFzdQyMZu1cgjg7k1pZZ6pvBQ7XJPt4swbTQ2","proof":"z2AXDGYSE4f2sz7tvMMzyHvUfcoJmxudvdhBcmiUSo6ijwfYmfZYsKRxboQMPh3R4kUhXRVdtSXFXMheka4Rc4P2"}"#,
    r#"{"at":"2026-11-24T22:50:53Z","kind":"weather","what":{"ever":[1,null]}}"#,
];

fn value(text: &str) -> Value {
    json::parse(text.as_bytes()).unwrap()
}

/// Why the statement is refused, with one member set or taken out.
fn told(text: &str, name: &str, member: Option<Value>) -> String {
    let mut value = value(text);
    let object = value.as_object_mut().unwrap();
    match member {
        Some(member) => drop(object.insert(name, member)),
        None => drop(object.remove(name)),
    }
    match Statement::parse(&canonical::to_bytes(&value)) {
        Ok(read) => panic!("{name}: {read:?}"),
        Err(error) => error.to_string(),
    }
}

#[test]
fn every_kind_is_read_and_written_back() {
    for good in GOOD {
        let read = Statement::parse(good.as_bytes()).unwrap();
        assert_eq!(read.to_bytes().unwrap(), good.as_bytes());
        assert_eq!(read.at.to_string(), "2026-11-24T22:50:53Z");
        assert_eq!(value(good).get("kind").unwrap().as_str(), Some(read.content.kind()));
    }
}

#[test]
fn known_kinds_are_closed_and_unknown_ones_are_carried() {
    let (unknown, known) = GOOD.split_last().unwrap();
    for good in known {
        assert_eq!(told(good, "extra", Some(1.into())), "/extra: expected no such member");
        let optional = ["validFrom", "validUntil", "cleared", "witness", "since"];
        for name in value(good).as_object().unwrap().keys() {
            if !optional.contains(&name) && name != "kind" && !(name == "set" && good.contains("cleared")) {
                assert!(told(good, name, None).contains(": expected "), "{name}");
            }
            assert!(told(good, name, Some(Value::Null)).contains(": expected "), "{name}");
            // A rotation may be from size 1 on.
            if name != "from" {
                assert!(told(good, name, Some(Value::from(1))).contains(": expected "), "{name}");
            }
        }
    }
    let read = Statement::parse(unknown.as_bytes()).unwrap();
    assert!(matches!(&read.content, Content::Unknown(unknown) if unknown.kind == "weather"));
    assert!(told(unknown, "kind", None).starts_with("/kind: expected"));
    assert!(told(unknown, "at", None).starts_with("/at: expected"));
    for kind in ["", "a b", "a/b", "\u{e9}", &"x".repeat(65)] {
        assert!(
            told(unknown, "kind", Some(kind.into())).starts_with("/kind: expected"),
            "{kind}"
        );
    }
}

#[test]
fn members_out_of_bounds_are_named() {
    let [
        profile,
        registered,
        retired,
        _,
        authorize,
        withdraw,
        recognize,
        _,
        created,
        changed,
        both,
        _,
        _,
        succeeded,
        ..,
    ] = GOOD;
    let indices = |count: u64| Value::from((0..count).collect::<Vec<_>>());
    for (text, name, member) in [
        (profile, "name", Value::from("a\u{202e}b")),
        (profile, "peerIds", vec!["x"].into()),
        (registered, "agent", "z6MkAgent".into()),
        (registered, "agent", "did:key:z6Mk#key".into()),
        (registered, "agent", format!("did:key:{}", "z".repeat(510)).into()),
        (registered, "owner", "Dr. Ana Maria".into()),
        (registered, "name", "x".repeat(257).into()),
        (retired, "at", "2026-11-24T22:50:53.5Z".into()),
        (retired, "at", "2026-11-24T22:50:53+00:00".into()),
        (retired, "at", "2026-02-30T22:50:53Z".into()),
        (succeeded, "successor", "z6MkNew".into()),
        (succeeded, "until", "2026-11-24".into()),
        (succeeded, "proof", "z1".into()),
        (succeeded, "proof", "z".repeat(134).into()),
        (authorize, "action", "*".into()),
        (authorize, "action", "Read".into()),
        (authorize, "action", "x".repeat(65).into()),
        (authorize, "resource", "a//b".into()),
        (authorize, "resource", "a/../b".into()),
        (authorize, "resource", "a/*/b".into()),
        (authorize, "resource", "/a".into()),
        (authorize, "resource", "a".repeat(513).into()),
        (authorize, "entity", "hospital".into()),
        (authorize, "validUntil", "2026-01-01T00:00:00Z".into()),
        (withdraw, "validUntil", "2027-01-01T00:00:00Z".into()),
        (recognize, "authority", "a b".into()),
        (created, "purpose", "message".into()),
        (created, "length", 131_071.into()),
        (created, "length", 131_073.into()),
        (created, "length", ((1 << 26) + 8).into()),
        (created, "length", (-8).into()),
        (created, "list", "x".into()),
        (created, "list", format!("https://a.example/{}", "x".repeat(500)).into()),
        (changed, "set", Value::Array(Vec::new())),
        (changed, "set", vec![2, 1].into()),
        (changed, "set", vec![1, 1].into()),
        (changed, "set", vec![-1].into()),
        (changed, "set", vec![1 << 26].into()),
        (changed, "set", vec!["1"].into()),
        (changed, "set", indices(1_001)),
        (both, "cleared", vec![5].into()),
    ] {
        let told = told(text, name, Some(member.clone()));
        assert!(told.starts_with(&format!("/{name}")), "{name} {member:?}: {told}");
    }
    assert!(told(changed, "set", None).starts_with("/set: expected at least one index"));
    let most = changed.replace(
        "[0,5,67108863]",
        &String::from_utf8(canonical::to_bytes(&indices(1_000))).unwrap(),
    );
    assert!(Statement::parse(most.as_bytes()).is_ok());
}

#[test]
fn one_statement_has_one_spelling() {
    let good = GOOD[3];
    for bad in [
        format!(" {good}"),
        format!("{good}\n"),
        good.replace(",\"at\"", ", \"at\""),
        good.replace("read", "r\\u0065ad"),
        r#"{"at":"2026-11-24T22:50:53Z","agent":"did:key:z6MkAgent","kind":"agentRetired"}"#.to_owned(),
        GOOD[9].replace("[0,5", "[0.0,5"),
        GOOD[9].replace("[0,5", "[0,5e0"),
    ] {
        assert_eq!(
            Statement::parse(bad.as_bytes()),
            Err(StatementError::NotCanonical),
            "{bad}"
        );
    }
    for bad in ["", "{", "[]x", r#"{"kind":"a","kind":"b"}"#, "\u{feff}{}"] {
        assert!(
            matches!(Statement::parse(bad.as_bytes()), Err(StatementError::Json(_))),
            "{bad}"
        );
    }
    for bad in ["[]", "1", "null", "\"x\""] {
        assert!(
            matches!(Statement::parse(bad.as_bytes()), Err(StatementError::Member(_))),
            "{bad}"
        );
    }
    let long = format!(
        r#"{{"at":"2026-11-24T22:50:53Z","kind":"x","x":"{}"}}"#,
        "x".repeat(limits::STATEMENT_BYTES)
    );
    assert_eq!(Statement::parse(long.as_bytes()), Err(StatementError::TooLong));
}

#[test]
fn nothing_is_published_that_others_would_refuse() {
    let statement = |name: &str| Statement {
        at: Timestamp::parse("2026-11-24T22:50:53.75+01:00").unwrap(),
        content: Content::AgentRegistered(AgentRegistered {
            agent: did(7),
            name: name.to_owned(),
            owner: "https://a.example/people/7".to_owned(),
        }),
    };
    let bytes = statement("Triage").to_bytes().unwrap();
    let read = Statement::parse(&bytes).unwrap();
    assert_eq!(read.at.to_string(), "2026-11-24T21:50:53Z");
    assert!(
        statement("")
            .to_bytes()
            .unwrap_err()
            .to_string()
            .starts_with("/name: expected")
    );
    let empty = StatusChanged {
        list: "https://a.example/1".to_owned(),
        set: vec![],
        cleared: vec![],
    };
    assert!(
        Statement {
            at: at(0),
            content: Content::StatusChanged(empty)
        }
        .to_bytes()
        .is_err()
    );
    // A kind that is known cannot be passed off as unknown.
    let Content::Unknown(mut unknown) = Statement::parse(GOOD[GOOD.len() - 1].as_bytes()).unwrap().content else {
        panic!()
    };
    unknown.kind = "agentRetired".to_owned();
    assert!(
        Statement {
            at: at(0),
            content: Content::Unknown(unknown)
        }
        .to_bytes()
        .is_err()
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(5_000))]

    #[test]
    fn what_is_accepted_is_written_back(which in 0..GOOD.len(), at in any::<prop::sample::Index>(), with in "[ -~]", how in 0..3_u8) {
        let mut text = GOOD[which].to_owned();
        let at = at.index(text.len());
        match how {
            0 => text.replace_range(at..=at, &with),
            1 => text.insert_str(at, &with),
            _ => drop(text.remove(at)),
        }
        if let Ok(read) = Statement::parse(text.as_bytes()) {
            prop_assert_eq!(read.to_bytes().unwrap(), text.as_bytes());
        }
    }

    #[test]
    fn no_bytes_break_the_reader(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = Statement::parse(&bytes);
    }
}
