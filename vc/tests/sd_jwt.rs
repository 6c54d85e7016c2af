//! SD-JWT credentials: issued, shown in part, bound to one verifier.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod world;

use syndic_vc::decision::{Step, Verified};
use syndic_vc::denial::{DenialCode as Code, Denied};
use syndic_vc::did_key;
use syndic_vc::jose::{self, TokenType};
use syndic_vc::json::{self, Object, Value};
use syndic_vc::sd_jwt::{self, Concealment};
use syndic_vc::verify::{self, HolderProof, PresentationRequest, VerifiedSdJwt};
use world::{Known, Once, agent, north, now, policy, stranger};

fn claims() -> Object {
    let agent = agent();
    let seconds = now().unix_seconds();
    syndic_vc::object! {
        "iss": north().did.as_str(),
        "sub": agent.did.as_str(),
        "vct": "https://north.example/types/employee",
        "iat": seconds - 10,
        "nbf": seconds - 10,
        "exp": seconds + 100,
        "cnf": syndic_vc::object! { "jwk": agent.key.public_key().to_jwk() },
        "status": syndic_vc::object! {
            "status_list": syndic_vc::object! { "idx": world::INDEX, "uri": world::LIST },
        },
        "name": "Ana Lima",
        "address": syndic_vc::object! { "street": "Rua A 1", "city": "Porto" },
        "nationalities": vec!["PT", "BR"],
    }
    .into_object()
    .unwrap()
}

const HIDDEN: &[&str] = &[
    "/name",
    "/address",
    "/address/street",
    "/nationalities/0",
    "/nationalities/1",
];

fn salts() -> impl Iterator<Item = String> {
    (0..).map(|n: u32| format!("salt-of-128-bits-------{n}"))
}

fn issue_as(claims: &Object, hidden: &[&str]) -> String {
    let north = north();
    let concealment = Concealment {
        hidden,
        decoys: &[("", 2), ("/nationalities", 1)],
    };
    sd_jwt::issue(claims, &concealment, &north.method(), &mut salts(), north.signer()).unwrap()
}

fn issued() -> String {
    issue_as(&claims(), HIDDEN)
}

fn look(text: &str, known: &Known) -> Result<VerifiedSdJwt, Denied> {
    verify::sd_jwt(text, HolderProof::NotAsked, &policy(), known, now())
}

fn bound(shown: &str) -> String {
    sd_jwt::bind(shown, world::CHALLENGE, world::DOMAIN, now(), agent().signer()).unwrap()
}

fn show(text: &str, once: &Once) -> Result<VerifiedSdJwt, Denied> {
    let request = PresentationRequest {
        challenge: world::CHALLENGE,
        domain: world::DOMAIN,
    };
    verify::sd_jwt(
        text,
        HolderProof::Required(&request, once),
        &policy(),
        &Known::new(),
        now(),
    )
}

#[test]
fn the_holder_shows_what_it_chooses() {
    let text = issued();
    let whole = look(&text, &Known::new()).unwrap();
    assert_eq!(whole.claims(), &claims());
    assert_eq!((whole.issuer(), whole.holder_key()), (&north().did, None));
    let mut shown: Vec<String> = sd_jwt::disclosable(&text).unwrap();
    shown.sort();
    let mut hidden: Vec<&str> = HIDDEN.to_vec();
    hidden.sort_unstable();
    assert_eq!(shown, hidden);
    // The inner takes the outer along; the rest stays hidden.
    let part = sd_jwt::present(&text, &["/address/street", "/nationalities/1"]).unwrap();
    let verified = look(&part, &Known::new()).unwrap();
    let mut expected = claims();
    expected.remove("name");
    expected.insert("nationalities", vec!["BR"]);
    assert_eq!(verified.claims(), &expected);
    assert_eq!(verified.vct(), "https://north.example/types/employee");
    let city = sd_jwt::present(&text, &["/address"]).unwrap();
    let city = look(&city, &Known::new()).unwrap();
    assert_eq!(
        city.claims().get("address"),
        Some(&syndic_vc::object! { "city": "Porto" })
    );
    let nothing = sd_jwt::present(&text, &[]).unwrap();
    assert!(look(&nothing, &Known::new()).unwrap().claims().get("address").is_none());
    assert!(sd_jwt::present(&text, &["/vct"]).is_err());
    assert!(!text.contains("Ana Lima") && nothing.matches('~').count() == 1);
    assert_eq!(issued(), text);
}

#[test]
fn a_key_binding_answers_one_verifier_once() {
    let shown = sd_jwt::present(&issued(), &["/name"]).unwrap();
    let once = Once::new();
    let verified = show(&bound(&shown), &once).unwrap();
    assert_eq!(verified.holder_key(), Some(agent().key.public_key()));
    assert!(verified.findings().checked.contains(&Step::Holder));
    assert_eq!(show(&bound(&shown), &once).unwrap_err().code(), Code::ChallengeUsed);
    // Not asked for, and asked for and not there.
    assert_eq!(
        look(&bound(&shown), &Known::new()).unwrap_err().code(),
        Code::KeyBindingInvalid
    );
    assert_eq!(show(&shown, &Once::new()).unwrap_err().code(), Code::KeyBindingMissing);
    let mut unbound = claims();
    unbound.remove("cnf");
    let text = issue_as(&unbound, &["/name"]);
    assert!(look(&text, &Known::new()).is_ok());
    assert_eq!(
        show(&bound(&text), &Once::new()).unwrap_err().code(),
        Code::KeyBindingMissing
    );
    // Made over something else: one disclosure more or fewer than was bound.
    let binding = bound(&shown);
    let binding = binding.rsplit_once('~').unwrap().1;
    for other in [sd_jwt::present(&issued(), &[]).unwrap(), issued()] {
        let denied = show(&format!("{other}{binding}"), &Once::new()).unwrap_err();
        assert_eq!(denied.code(), Code::KeyBindingInvalid);
    }
}

#[test]
fn a_key_binding_is_made_now_by_the_holder_for_this() {
    let shown = issued();
    let agent = agent();
    let make = |change: &dyn Fn(&mut Object), token_type: TokenType, by: &world::Party| {
        let good = bound(&shown);
        let payload = good.rsplit_once('~').unwrap().1.split('.').nth(1).unwrap().to_owned();
        let bytes = multibase::Base::Base64Url.decode(payload).unwrap();
        let mut claims = json::parse(&bytes).unwrap().into_object().unwrap();
        change(&mut claims);
        let token = jose::sign(token_type, None, &claims, by.signer()).unwrap();
        show(&format!("{shown}{token}"), &Once::new())
            .map(drop)
            .map_err(|denied| denied.code())
    };
    let set = |name: &'static str, value: Value| move |claims: &mut Object| drop(claims.insert(name, value.clone()));
    assert_eq!(make(&|_| (), TokenType::KeyBinding, &agent), Ok(()));
    assert_eq!(
        make(&|_| (), TokenType::KeyBinding, &stranger()),
        Err(Code::KeyBindingInvalid)
    );
    assert_eq!(
        make(&|_| (), TokenType::Credential, &agent),
        Err(Code::EnvelopeTypeWrong)
    );
    let seconds = now().unix_seconds();
    for (name, value, code) in [
        ("nonce", Value::from("another"), Code::ChallengeMismatch),
        ("aud", "other.example".into(), Code::DomainMismatch),
        ("aud", vec![world::DOMAIN].into(), Code::KeyBindingInvalid),
        ("iat", (seconds + 61).into(), Code::KeyBindingInvalid),
        ("iat", (seconds - 901).into(), Code::KeyBindingInvalid),
        ("iat", seconds.to_string().into(), Code::KeyBindingInvalid),
        ("exp", seconds.into(), Code::KeyBindingInvalid),
        ("sd_hash", "x".into(), Code::KeyBindingInvalid),
        ("nonce", Value::Null, Code::KeyBindingInvalid),
    ] {
        assert_eq!(
            make(&set(name, value), TokenType::KeyBinding, &agent),
            Err(code),
            "{name}"
        );
    }
    for name in ["nonce", "aud", "iat", "sd_hash"] {
        let without = |claims: &mut Object| drop(claims.remove(name));
        assert_eq!(
            make(&without, TokenType::KeyBinding, &agent),
            Err(Code::KeyBindingInvalid),
            "{name}"
        );
    }
}

#[test]
fn the_claims_decide_when_and_whether_it_counts() {
    let with = |name: &str, value: Value| {
        let mut claims = claims();
        claims.insert(name, value);
        look(&issue_as(&claims, &[]), &Known::new())
            .map(drop)
            .map_err(|denied| denied.code())
    };
    let seconds = now().unix_seconds();
    let by_name = syndic_vc::object! { "kid": agent().method() };
    assert_eq!(with("exp", (seconds + 1).into()), Ok(()));
    assert_eq!(with("nbf", (seconds + 60).into()), Ok(()));
    assert_eq!(with("cnf", by_name), Ok(()));
    let entry = |idx: Value, uri: &str| {
        syndic_vc::object! { "status_list": syndic_vc::object! { "idx": idx, "uri": uri } }
    };
    for (name, value, code) in [
        ("exp", Value::from(seconds), Code::Expired),
        ("exp", (seconds + 1).to_string().into(), Code::DocumentMalformed),
        ("exp", Value::Null, Code::DocumentMalformed),
        ("exp", json::parse(b"1.5").unwrap(), Code::DocumentMalformed),
        ("nbf", (seconds + 61).into(), Code::NotYetValid),
        ("iat", (seconds + 61).into(), Code::ProofFromTheFuture),
        ("sub", 7.into(), Code::DocumentMalformed),
        ("status", Value::from(Object::new()), Code::StatusUnknown),
        ("status", "valid".into(), Code::StatusUnknown),
        ("status", entry("1".into(), world::LIST), Code::StatusUnknown),
        ("status", entry((-1).into(), world::LIST), Code::StatusUnknown),
        ("status", entry(1.into(), "list"), Code::StatusUnknown),
        (
            "status",
            entry(1.into(), "https://stranger.example/1"),
            Code::StatusUnknown,
        ),
    ] {
        assert_eq!(with(name, value.clone()), Err(code), "{name} {value:?}");
    }
    let text = issued();
    let mut known = Known::new();
    known.set.insert((world::LIST.into(), world::INDEX));
    assert_eq!(look(&text, &known).unwrap_err().code(), Code::Revoked);
    let mut known = Known::new();
    known.retired.insert(agent().did);
    assert_eq!(look(&text, &known).unwrap_err().code(), Code::AgentRetired);
    let mut known = Known::new();
    known.compromise(&north().key.public_key().to_multikey(), &[]);
    assert_eq!(look(&text, &known).unwrap_err().code(), Code::KeyCompromised);
    let mut known = Known::new();
    known.heard.clear();
    assert_eq!(look(&text, &known).unwrap_err().code(), Code::KnowledgeStale);
}

#[test]
fn the_issuer_signed_it_with_a_key_for_that() {
    let (north, stranger) = (north(), stranger());
    let sign = |claims: &Object, token_type: TokenType, kid: &str, by: &world::Party| {
        let token = jose::sign(token_type, Some(kid), claims, by.signer()).unwrap();
        look(&format!("{token}~"), &Known::new())
            .map(drop)
            .map_err(|denied| denied.code())
    };
    let fragment = format!("#{}", north.did.method_specific_id());
    assert_eq!(sign(&claims(), TokenType::SdJwt, &north.method(), &north), Ok(()));
    assert_eq!(sign(&claims(), TokenType::SdJwt, &fragment, &north), Ok(()));
    for (kid, by, code) in [
        (stranger.method(), &stranger, Code::VerificationMethodForeign),
        (north.method(), &stranger, Code::SignatureInvalid),
        (fragment, &stranger, Code::SignatureInvalid),
    ] {
        assert_eq!(sign(&claims(), TokenType::SdJwt, &kid, by), Err(code));
    }
    let other = sign(&claims(), TokenType::Credential, &north.method(), &north);
    assert_eq!(other, Err(Code::EnvelopeTypeWrong));
    for (name, code) in [("iss", Code::DocumentMalformed), ("vct", Code::DocumentMalformed)] {
        let mut claims = claims();
        claims.remove(name);
        assert_eq!(sign(&claims, TokenType::SdJwt, &north.method(), &north), Err(code));
    }
    let mut on_the_web = claims();
    on_the_web.insert("iss", "https://north.example");
    let denied = sign(&on_the_web, TokenType::SdJwt, &north.method(), &north);
    assert_eq!(denied, Err(Code::VerificationMethodForeign));
    let mut known = Known::new();
    let mut document = did_key::resolve(&north.did).unwrap();
    document.assertion_method.clear();
    known.documents.insert(north.did.clone(), document.into());
    assert_eq!(
        look(&issued(), &known).unwrap_err().code(),
        Code::VerificationMethodUnauthorized
    );
}

#[test]
fn no_changed_character_is_accepted() {
    let text = bound(&sd_jwt::present(&issued(), &["/name", "/nationalities/0"]).unwrap());
    assert!(show(&text, &Once::new()).is_ok());
    for at in 0..text.len() {
        let mut changed = text.clone().into_bytes();
        changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
        let changed = String::from_utf8(changed).unwrap();
        assert!(show(&changed, &Once::new()).is_err(), "at {at}");
    }
    for changed in [
        format!("{text}~"),
        format!("{text} "),
        format!(" {text}"),
        text.replacen('~', "~~", 1),
    ] {
        assert!(show(&changed, &Once::new()).is_err());
    }
}

#[test]
fn what_cannot_be_hidden_is_not_issued() {
    let north = north();
    let issue = |claims: &Object, hidden: &[&str]| {
        let concealment = Concealment { hidden, decoys: &[] };
        sd_jwt::issue(claims, &concealment, &north.method(), &mut salts(), north.signer())
    };
    assert!(issue(&claims(), HIDDEN).is_ok());
    for hidden in [
        "/iss",
        "/vct",
        "/cnf",
        "/exp",
        "/status",
        "/nothing",
        "",
        "name",
        "/nationalities/7",
        "/name/x",
    ] {
        assert!(issue(&claims(), &[hidden]).is_err(), "{hidden}");
    }
    assert!(issue(&claims(), &["/name", "/name"]).is_err());
    for name in ["_sd", "...", "_sd_alg"] {
        let mut claims = claims();
        claims.insert(name, "x");
        assert!(issue(&claims, &[]).is_err(), "{name}");
    }
    let concealment = Concealment {
        hidden: &["/name"],
        decoys: &[],
    };
    let mut short = std::iter::repeat("short".to_owned());
    assert!(sd_jwt::issue(&claims(), &concealment, &north.method(), &mut short, north.signer()).is_err());
}
