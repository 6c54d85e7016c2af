#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use proptest::prelude::*;
use syndic_vc::json::Object;
use syndic_vc::key::Signer;
use syndic_vc::object;

use super::card::CARD_DOMAIN;
use super::*;
use crate::example::{at, card, charter, did, founding, key};

fn parse(value: &Value) -> Result<Charter, CharterError> {
    Charter::parse(&canonical::to_bytes(value))
}

fn value() -> Value {
    json::parse(charter().bytes()).unwrap()
}

/// The charter with a member of its object set, or taken out.
fn with(name: &str, member: Option<Value>) -> Value {
    let mut charter = value();
    let object = charter.as_object_mut().unwrap();
    match member {
        Some(member) => drop(object.insert(name, member)),
        None => drop(object.remove(name)),
    }
    charter
}

/// The charter with something done to its second card.
fn with_card(change: impl FnOnce(&mut Object)) -> Value {
    let mut charter = value();
    let cards = charter.as_object_mut().unwrap().get_mut("members").unwrap();
    change(cards.as_array_mut().unwrap()[1].as_object_mut().unwrap());
    charter
}

#[test]
fn a_charter_says_what_the_founders_agreed_on() {
    let charter = charter();
    assert_eq!(charter.name(), "Hospitals of the coast");
    assert_eq!(charter.members().len(), 3);
    assert_eq!(*charter.rules(), founding(3).rules);
    assert_eq!(charter.created(), at(0));
    let second = charter.member(did(2).as_str()).unwrap();
    assert_eq!(second, &card(2));
    assert_eq!(second.log_key(), key(22).public_key());
    assert_eq!(charter.member_of_peer(&second.peer_ids()[0]), Some(second));
    assert_eq!(charter.member(did(4).as_str()), None);
    assert_eq!(charter.member_of_peer("12D3KooW"), None);
    assert_eq!(parse(&value()).unwrap(), *charter);
}

#[test]
fn the_id_is_over_the_canonical_form() {
    let id = charter().id();
    assert!(id.starts_with("zQm") && id.len() == 47, "{id}");
    let multihash = multibase::decode(id).unwrap().1;
    assert_eq!(multihash[..2], SHA2_256);
    let text = String::from_utf8(charter().bytes().to_vec()).unwrap();
    let spread = text.replace("\",\"", "\" ,\n\t\"");
    assert_ne!(spread, text);
    assert_eq!(Charter::parse(spread.as_bytes()).unwrap(), *charter());
    let other = with("name", Some("Hospitals of the hills".into()));
    assert_ne!(parse(&other).unwrap().id(), id);
}

#[test]
fn one_founder_is_enough_to_begin_with() {
    let mut alone = founding(1);
    alone.rules = Rules {
        threshold: 1,
        witnesses: 0,
        max_staleness: 5,
        endorsements: 1,
    };
    assert!(Charter::found(&alone).is_ok());
    assert!(
        Charter::found(&Founding {
            members: Vec::new(),
            ..founding(1)
        })
        .is_err()
    );
}

/// What is wrong, as the founder is told it.
fn told(value: &Value) -> String {
    parse(value).unwrap_err().to_string()
}

#[test]
fn what_a_charter_may_not_say_is_named() {
    for name in [
        "type",
        "version",
        "name",
        "members",
        "threshold",
        "witnesses",
        "maxStaleness",
        "endorsements",
        "created",
    ] {
        assert!(
            told(&with(name, None)).starts_with(&format!("/{name}: expected")),
            "{name}"
        );
        assert!(parse(&with(name, Some(Value::Null))).is_err(), "{name}");
    }
    for (name, member) in [
        ("extra", Value::from(1)),
        ("type", "SyndicMember".into()),
        ("threshold", 1.into()),
        ("threshold", 4.into()),
        ("threshold", "2".into()),
        ("witnesses", 3.into()),
        ("witnesses", (-1).into()),
        ("maxStaleness", 4.into()),
        ("maxStaleness", 86_401.into()),
        ("endorsements", 0.into()),
        ("endorsements", 4.into()),
        ("name", "".into()),
        ("name", " a".into()),
        ("name", "a\u{202e}b".into()),
        ("name", "a\nb".into()),
        ("name", "x".repeat(257).into()),
        ("created", "2026-11-24T22:50:53.5Z".into()),
        ("created", "2026-11-24T23:50:53+01:00".into()),
        ("created", "2026-11-24".into()),
        ("created", 1.into()),
        ("members", object! {}),
    ] {
        let told = told(&with(name, Some(member.clone())));
        assert!(
            told.starts_with(&format!("/{name}: expected")),
            "{name} {member:?}: {told}"
        );
    }
    assert!(told(&with("version", Some(2.into()))).contains("version 2 counts only together"));
    assert!(matches!(Charter::parse(b"{").unwrap_err(), CharterError::Json(_)));
    assert!(matches!(
        Charter::parse(&[b' '; limits::CHARTER_BYTES + 1]),
        Err(CharterError::Json(_))
    ));
}

#[test]
fn what_a_card_may_not_say_is_named_with_its_place() {
    for name in [
        "type",
        "did",
        "name",
        "rootKey",
        "logKey",
        "peerIds",
        "endpoints",
        "proof",
    ] {
        let told = told(&with_card(|card| drop(card.remove(name))));
        assert!(told.starts_with(&format!("/members/1/{name}: expected")), "{told}");
    }
    let p256 = "did:key:zDnaerDaTF5BXEavCrfRZEk316dpbLsfPDZ3WJ5hRTPFU2169";
    for (name, member, told_as) in [
        ("extra", Value::Null, "/members/1/extra: expected no such member"),
        (
            "did",
            "did:web:hospital.example".into(),
            "is not a did:key of an Ed25519 key",
        ),
        ("did", p256.into(), "is not a did:key of an Ed25519 key"),
        ("did", "hospital".into(), "is not a did:key of an Ed25519 key"),
        (
            "rootKey",
            "z6Mk".into(),
            "/members/1/rootKey: expected an Ed25519 public key",
        ),
        (
            "logKey",
            p256.into(),
            "/members/1/logKey: expected an Ed25519 public key",
        ),
        ("peerIds", "12D3KooW".into(), "/members/1/peerIds: expected an array"),
        (
            "peerIds",
            vec!["12D3KooW"].into(),
            "/members/1/peerIds/0: expected a libp2p peer id",
        ),
        (
            "peerIds",
            vec!["1".repeat(52); 17].into(),
            "/members/1/peerIds: expected at most 16",
        ),
        (
            "endpoints",
            object! { "peer": vec!["/a b"] },
            "/members/1/endpoints/peer/0: expected a multiaddr",
        ),
        (
            "endpoints",
            object! { "peer": vec!["/ip4/1.2.3.4"; 33] },
            "/members/1/endpoints/peer: expected at most 32",
        ),
        (
            "endpoints",
            object! { "http": "ftp://x", "peer": Value::Array(vec![]) },
            "/members/1/endpoints/http: expected",
        ),
        (
            "endpoints",
            object! { "http": "https://x/", "peer": Value::Array(vec![]) },
            "/members/1/endpoints/http: expected",
        ),
        (
            "endpoints",
            object! { "peer": Value::Array(vec![]), "quic": 1 },
            "/members/1/endpoints/quic: expected no such",
        ),
    ] {
        let told = told(&with_card(|card| drop(card.insert(name, member.clone()))));
        assert!(told.contains(told_as), "{name} {member:?}: {told}");
    }
}

/// Every change of what a member says of itself takes its proof away.
#[test]
fn nobody_puts_words_into_a_members_mouth() {
    let strange = key(99).public_key().to_multikey();
    let proof_of = |n: u8| Value::from(card(n).proof);
    let short = multibase::encode(Base::Base58Btc, [1_u8; 63]);
    let spelled = format!("z1{}", &card(2).proof[1..]);
    for (name, member) in [
        ("did", Value::from(&did(9))),
        ("name", "Hospital two".into()),
        ("rootKey", strange.clone().into()),
        ("logKey", strange.into()),
        ("peerIds", Value::Array(Vec::new())),
        ("endpoints", object! { "peer": Value::Array(Vec::new()) }),
        ("proof", proof_of(1)),
        ("proof", "".into()),
        ("proof", "z".into()),
        ("proof", "z0".into()),
        ("proof", "uAAAA".into()),
        ("proof", "z".repeat(10_000).into()),
        ("proof", short.into()),
        ("proof", spelled.into()),
    ] {
        let error = parse(&with_card(|card| drop(card.insert(name, member.clone())))).unwrap_err();
        assert_eq!(
            error,
            CharterError::CardProof(match name {
                "did" => did(9).to_string(),
                _ => did(2).to_string(),
            }),
            "{name}"
        );
    }
}

#[test]
fn a_signature_for_something_else_is_no_card() {
    let mut card = card(1);
    let signature = key(11).sign(&card.signed_bytes()[CARD_DOMAIN.len()..]).unwrap();
    card.proof = multibase::encode(Base::Base58Btc, signature.as_bytes());
    assert!(matches!(
        MemberCard::from_value(&card.to_value()),
        Err(CharterError::CardProof(_))
    ));
}

#[test]
fn a_card_is_not_signed_unless_others_accept_it() {
    let log = key(1);
    let sign = |name: &str, peers: &[String]| {
        MemberCard::sign(&did(1), name, log.public_key(), peers, &Endpoints::default(), &key(2))
    };
    assert!(sign("Hospital", &[]).is_ok());
    assert!(
        sign("a\u{202e}b", &[])
            .unwrap_err()
            .to_string()
            .starts_with("/name: expected")
    );
    assert!(sign("Hospital", &["x".to_owned()]).is_err());
    let good = sign("Hospital", &[]).unwrap();
    assert_eq!(MemberCard::parse(&canonical::to_bytes(&good.to_value())).unwrap(), good);
    assert!(MemberCard::parse(b"[]").is_err());
}

/// A charter whose second member was made anew with these seeds and this name.
fn second(did_seed: u8, root: u8, log: u8, name: &str, peer: &str) -> CharterError {
    let did = syndic_vc::did_key::for_key(key(did_seed).public_key());
    let log = key(log);
    let peers = [peer.to_owned()];
    let card = MemberCard::sign(&did, name, log.public_key(), &peers, &Endpoints::default(), &key(root));
    let mut founding = founding(3);
    founding.members[1] = card.unwrap();
    Charter::found(&founding).unwrap_err()
}

#[test]
fn nothing_is_used_twice() {
    let fresh = format!("12D3KooW{}", "z".repeat(44));
    let taken = &card(3).peer_ids[0].clone();
    for (error, what) in [
        (second(10, 51, 52, "B", &fresh), "the key z6Mk"),
        (second(50, 11, 52, "B", &fresh), "the key z6Mk"),
        (second(50, 51, 12, "B", &fresh), "the key z6Mk"),
        (second(50, 10, 52, "B", &fresh), "the key z6Mk"),
        (second(50, 50, 52, "B", &fresh), "the key z6Mk"),
        (second(50, 51, 51, "B", &fresh), "the key z6Mk"),
        (second(50, 51, 52, "Hospital 3", &fresh), "the name Hospital 3"),
        (second(50, 51, 52, "B", taken), "the peer id 12D3KooW"),
    ] {
        let told = error.to_string();
        assert!(told.starts_with(what) && told.contains("is used twice"), "{told}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    /// Whatever byte is changed: refused, or another charter with another id, or the same one.
    #[test]
    fn a_changed_charter_is_not_the_same_consortium(at in any::<prop::sample::Index>(), with in any::<u8>(), how in 0..3_u8) {
        let mut bytes = charter().bytes().to_vec();
        let at = at.index(bytes.len());
        match how {
            0 => bytes[at] = with,
            1 => bytes.insert(at, with),
            _ => drop(bytes.remove(at)),
        }
        if let Ok(read) = Charter::parse(&bytes) {
            prop_assert_eq!(read.id() == charter().id(), read == *charter());
            prop_assert_eq!(read.members(), charter().members());
        }
    }

    #[test]
    fn no_bytes_break_the_reader(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(Charter::parse(&bytes).is_err());
        prop_assert!(MemberCard::parse(&bytes).is_err());
    }
}
