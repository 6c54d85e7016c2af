//! Status lists that were fetched: whose, which, and until when.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod world;

use syndic_vc::denial::{DenialCode as Code, Denied};
use syndic_vc::document::Purpose;
use syndic_vc::jose::{self, TokenType};
use syndic_vc::json::{Object, Value};
use syndic_vc::proof::{self, ProofOptions};
use syndic_vc::status::token::{StatusTokenDraft, encode, sign};
use syndic_vc::status::{StatusList, StatusListDraft, StatusPurpose};
use syndic_vc::time::Timestamp;
use syndic_vc::verify::{self, StatusListRequest, VerifiedStatusList};
use syndic_vc::{enveloped, object};
use world::{Known, Party, north, now, policy, stranger};

fn bits() -> StatusList {
    let mut list = StatusList::new(131_072).unwrap();
    list.set(world::INDEX, true).unwrap();
    list
}

fn document() -> Object {
    StatusListDraft {
        id: world::LIST,
        issuer: &north().did,
        purpose: StatusPurpose::Revocation,
        list: &bits(),
        valid_from: world::after(-100),
        valid_until: world::after(1_000),
        time_to_live_seconds: 300,
    }
    .to_document()
}

fn proved(document: &Object, by: &Party) -> Value {
    let options = ProofOptions::new(Purpose::AssertionMethod, &by.method(), world::after(-100));
    proof::sign(document.clone(), &options, by.signer()).unwrap()
}

fn fetched(value: &Value, url: &str, purpose: StatusPurpose) -> Result<VerifiedStatusList, Denied> {
    let issuer = north().did;
    let request = StatusListRequest {
        url,
        issuer: &issuer,
        purpose,
    };
    verify::status_list(value, &request, &policy(), &Known::new(), now())
}

fn code(value: &Value) -> Code {
    fetched(value, world::LIST, StatusPurpose::Revocation)
        .unwrap_err()
        .code()
}

#[test]
fn a_list_of_the_issuer_tells_its_bits_for_a_while() {
    let north = north();
    let enveloped = enveloped::sign_credential(&document(), &north.method(), north.signer()).unwrap();
    for value in [proved(&document(), &north), enveloped] {
        let list = fetched(&value, world::LIST, StatusPurpose::Revocation).unwrap();
        assert_eq!((list.get(world::INDEX), list.get(0)), (Ok(true), Ok(false)));
        assert!(list.get(131_072).is_err());
        assert_eq!(list.entries(), 131_072);
        assert_eq!(list.usable_until(), Some(world::after(300)));
    }
    let mut both = document();
    both.get_mut("credentialSubject")
        .and_then(Value::as_object_mut)
        .unwrap()
        .insert("statusPurpose", vec!["revocation", "suspension"]);
    assert!(fetched(&proved(&both, &north), world::LIST, StatusPurpose::Suspension).is_ok());
}

#[test]
fn another_list_says_nothing() {
    let north = north();
    let good = proved(&document(), &north);
    assert!(fetched(&good, world::LIST, StatusPurpose::Revocation).is_ok());
    for (url, purpose) in [
        (world::SUSPENSIONS, StatusPurpose::Revocation),
        (world::LIST, StatusPurpose::Suspension),
    ] {
        assert_eq!(fetched(&good, url, purpose).unwrap_err().code(), Code::StatusUnknown);
    }
    let thief = stranger();
    let mut stolen = document();
    stolen.insert("issuer", thief.did.as_str());
    assert_eq!(code(&proved(&stolen, &thief)), Code::StatusUnknown);
    assert_eq!(code(&proved(&document(), &thief)), Code::VerificationMethodForeign);
    let changed = |name: &str, value: Value| {
        let mut document = document();
        document.insert(name, value);
        code(&proved(&document, &north))
    };
    assert_eq!(changed("validUntil", now().into()), Code::Expired);
    assert_eq!(changed("validFrom", world::after(61).into()), Code::NotYetValid);
    assert_eq!(
        changed("type", vec!["VerifiableCredential"].into()),
        Code::StatusUnknown
    );
    assert_eq!(
        changed("credentialStatus", world::suspension().to_json()),
        Code::StatusUnknown
    );
    let subject = |name: &str, value: Value| {
        let mut document = document();
        document
            .get_mut("credentialSubject")
            .and_then(Value::as_object_mut)
            .unwrap()
            .insert(name, value);
        code(&proved(&document, &north))
    };
    assert_eq!(subject("type", "StatusList2021".into()), Code::StatusUnknown);
    assert_eq!(subject("statusPurpose", "message".into()), Code::StatusUnknown);
    assert_eq!(subject("statusPurpose", Value::Array(Vec::new())), Code::StatusUnknown);
    assert_eq!(subject("ttl", "300".into()), Code::StatusUnknown);
    assert_eq!(subject("ttl", (-1).into()), Code::StatusUnknown);
    assert_eq!(subject("encodedList", "uH4sI".into()), Code::StatusUnknown);
    assert_eq!(subject("encodedList", encode(&bits()).into()), Code::StatusUnknown);
    let mut unsigned = good.into_object().unwrap();
    unsigned.remove("proof");
    assert_eq!(code(&unsigned.into()), Code::ProofMissing);
}

// Tokens.

fn token(by: &Party) -> String {
    let draft = StatusTokenDraft {
        uri: world::LIST,
        issuer: &north().did,
        list: &bits(),
        issued: world::after(-100),
        expires: world::after(1_000),
        time_to_live_seconds: 300,
    };
    sign(&draft, &by.method(), by.signer()).unwrap()
}

fn claims() -> Object {
    object! {
        "sub": world::LIST,
        "iat": now().unix_seconds() - 100,
        "status_list": object! { "bits": 1, "lst": encode(&bits()) },
    }
    .into_object()
    .unwrap()
}

fn read(text: &str, purpose: StatusPurpose, now: Timestamp) -> Result<VerifiedStatusList, Denied> {
    let issuer = north().did;
    let request = StatusListRequest {
        url: world::LIST,
        issuer: &issuer,
        purpose,
    };
    verify::status_token(text, &request, &policy(), &Known::new(), now)
}

#[test]
fn a_token_says_the_same_bits() {
    let north = north();
    let list = read(&token(&north), StatusPurpose::Revocation, now()).unwrap();
    assert_eq!((list.get(world::INDEX), list.get(0)), (Ok(true), Ok(false)));
    assert_eq!(list.usable_until(), Some(world::after(300)));
    assert_eq!(token(&north), token(&north));
    let late = read(&token(&north), StatusPurpose::Revocation, world::after(1_000)).unwrap_err();
    assert_eq!(late.code(), Code::ProofExpired);
    let purpose = read(&token(&north), StatusPurpose::Suspension, now()).unwrap_err();
    assert_eq!(purpose.code(), Code::StatusUnknown);
    assert_eq!(
        read(&token(&stranger()), StatusPurpose::Revocation, now())
            .unwrap_err()
            .code(),
        Code::VerificationMethodForeign
    );
}

#[test]
fn a_token_is_read_strictly() {
    let north = north();
    let fate = |claims: &Object, token_type: TokenType| {
        let text = jose::sign(token_type, Some(&north.method()), claims, north.signer()).unwrap();
        read(&text, StatusPurpose::Revocation, now())
            .map(drop)
            .map_err(|denied| denied.code())
    };
    assert_eq!(fate(&claims(), TokenType::StatusList), Ok(()));
    assert_eq!(fate(&claims(), TokenType::SdJwt), Err(Code::EnvelopeTypeWrong));
    let list = |bits: u32, lst: &str| object! { "bits": bits, "lst": lst };
    let lst = encode(&bits());
    for (name, value, code) in [
        ("sub", Value::from(world::SUSPENSIONS), Code::StatusUnknown),
        ("iss", stranger().did.as_str().into(), Code::StatusUnknown),
        ("iss", 7.into(), Code::StatusUnknown),
        ("iat", Value::Null, Code::StatusUnknown),
        ("iat", (now().unix_seconds() + 61).into(), Code::ProofFromTheFuture),
        ("exp", now().unix_seconds().into(), Code::ProofExpired),
        ("exp", "never".into(), Code::StatusUnknown),
        ("ttl", 0.into(), Code::StatusUnknown),
        ("ttl", "300".into(), Code::StatusUnknown),
        ("status_list", list(2, &lst), Code::StatusUnknown),
        ("status_list", list(1, "eNrb"), Code::StatusUnknown),
        ("status_list", list(1, &format!("u{lst}")), Code::StatusUnknown),
        ("status_list", bits().encode().into(), Code::StatusUnknown),
    ] {
        let mut claims = claims();
        claims.insert(name, value.clone());
        assert_eq!(fate(&claims, TokenType::StatusList), Err(code), "{name} {value:?}");
    }
    for name in ["sub", "iat", "status_list"] {
        let mut claims = claims();
        claims.remove(name);
        assert_eq!(fate(&claims, TokenType::StatusList), Err(Code::StatusUnknown), "{name}");
    }
}
