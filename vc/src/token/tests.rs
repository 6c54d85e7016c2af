#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use proptest::prelude::*;
use zeroize::Zeroizing;

use super::dpop::{CheckedProof, target};
use super::*;
use crate::jose::base64url;
use crate::json;
use crate::key::{EcdsaSecretKey, SecretKey};

mod dpop;
mod less;

use dpop::{draft, request};

const ISSUER: &str = "https://node.example";
const SERVICE: &str = "https://api.example/v1";
const URL: &str = "https://api.example/v1/refunds";
const NOW: i64 = 1_790_000_000;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_unix_seconds(seconds).unwrap()
}

fn key(seed: u8) -> SecretKey {
    SecretKey::from_seed(Zeroizing::new([seed; 32]))
}

fn ecdsa(kind: KeyKind, length: usize) -> EcdsaSecretKey {
    EcdsaSecretKey::from_scalar(kind, &Zeroizing::new(vec![7; length])).unwrap()
}

fn capability(text: &str) -> Capability {
    Capability::read(&json::parse(text.as_bytes()).unwrap(), &Path::ROOT).unwrap()
}

fn granted() -> Vec<Capability> {
    vec![
        capability(
            r#"{"action":"call","resource":"billing_api","scope":"refund","constraint":[{"type":"range","parameter":"amount","maximum":"100","unit":"USD"}]}"#,
        ),
        capability(r#"{"action":"read","resource":"tickets/*"}"#),
        capability(
            r#"{"action":"write","resource":"tickets/*","constraint":[{"type":"approval","approver":"did:example:boss"}]}"#,
        ),
    ]
}

fn claims() -> AccessClaims {
    let agent = crate::did_key::for_key(key(3).public_key());
    AccessClaims {
        id: "0123456789abcdef".to_owned(),
        issuer: ISSUER.to_owned(),
        audience: SERVICE.to_owned(),
        issued: at(NOW),
        expires: at(NOW + 300),
        key_thumbprint: key(2).public_key().jwk_thumbprint(),
        grants: granted(),
        profile: Profile {
            agent_name: Some("Helper".to_owned()),
            operator: "https://hospital.example/people/7".to_owned(),
            task: Task::new("task-1", "answer tickets").unwrap(),
            chain: vec![agent.as_str().to_owned()],
            window: (at(NOW - 60), at(NOW + 3_600)),
            trace: Some("4bf92f3577b34da6".to_owned()),
            credentials: vec!["urn:uuid:1".to_owned()],
        },
        agent,
    }
}

fn expected() -> Expected<'static> {
    Expected {
        issuer: ISSUER,
        audience: Some(SERVICE),
        clock_skew_seconds: 30,
    }
}

fn read_at(text: &str, now: i64) -> Result<AccessClaims, TokenError> {
    let keys = [key(9).public_key().clone(), key(1).public_key().clone()];
    CheckedToken::read(text, &expected(), &keys, at(now)).map(|token| token.claims().clone())
}

fn read(text: &str) -> Result<AccessClaims, TokenError> {
    read_at(text, NOW)
}

/// A text with the right signature for whatever stands in it.
fn forged(header: &Value, payload: &Value, signer: &dyn Signer) -> String {
    let part = |value: &Value| base64url(&crate::canonical::to_bytes(value));
    let signed = format!("{}.{}", part(header), part(payload));
    let signature = signer.sign(signed.as_bytes()).unwrap();
    format!("{signed}.{}", base64url(signature.as_bytes()))
}

fn payload_with(change: impl Fn(&mut Object)) -> Value {
    let mut payload = claims().to_payload();
    change(&mut payload);
    payload.into()
}

fn header() -> Value {
    crate::object! { "alg": "EdDSA", "typ": "at+jwt", "kid": key(1).public_key().jwk_thumbprint() }
}

#[test]
fn what_is_signed_is_read() {
    let token = claims().sign(&key(1)).unwrap();
    assert_eq!(read(&token), Ok(claims()));
    assert_eq!(read_at(&token, NOW + 299), Ok(claims()));
    assert_eq!(read_at(&token, NOW - 30), Ok(claims()));
    // The helper of the forgeries below makes what the signer makes.
    assert_eq!(forged(&header(), &payload_with(|_| ()), &key(1)), token);
}

#[test]
fn the_profile_names_approvals_and_never_an_action_without_its_constraints() {
    let payload = claims().to_payload();
    let text = String::from_utf8(crate::canonical::to_bytes(&payload.into())).unwrap();
    assert!(
        text.contains(r#""aap_oversight":{"requires_human_approval_for":["write"]}"#),
        "{text}"
    );
    assert!(
        text.contains(r#"{"action":"call","constraints":{"authorization_details":0}}"#),
        "{text}"
    );
    assert!(text.contains(r#""aap_delegation":{"chain":["did:key:"#), "{text}");
    assert!(text.contains(r#""depth":0,"max_depth":0"#), "{text}");
}

#[test]
fn a_token_ends_and_is_for_one_service_of_one_issuer() {
    let token = claims().sign(&key(1)).unwrap();
    assert_eq!(read_at(&token, NOW + 300), Err(TokenError::Expired(at(NOW + 300))));
    assert_eq!(read_at(&token, NOW - 31), Err(TokenError::FromTheFuture));
    let keys = [key(1).public_key().clone()];
    let refused = |expected: Expected<'_>| CheckedToken::read(&token, &expected, &keys, at(NOW)).unwrap_err();
    let other = "https://api.example/v2";
    assert_eq!(
        refused(Expected {
            audience: Some(other),
            ..expected()
        }),
        TokenError::Audience
    );
    assert_eq!(
        refused(Expected {
            issuer: other,
            ..expected()
        }),
        TokenError::Issuer
    );
    let any = Expected {
        audience: None,
        ..expected()
    };
    assert!(CheckedToken::read(&token, &any, &keys, at(NOW)).is_ok());
    let strangers = [key(9).public_key().clone()];
    let unknown = CheckedToken::read(&token, &expected(), &strangers, at(NOW));
    assert_eq!(unknown.unwrap_err(), TokenError::KeyUnknown);
    let long = payload_with(|payload| drop(payload.insert("exp", NOW + 3_601)));
    assert_eq!(read(&forged(&header(), &long, &key(1))), Err(TokenError::Life));
    let backwards = payload_with(|payload| drop(payload.insert("exp", NOW)));
    assert_eq!(read(&forged(&header(), &backwards, &key(1))), Err(TokenError::Life));
}

#[test]
fn headers_choose_nothing() {
    let payload = payload_with(|_| ());
    let with = |name: &str, value: Value| {
        let mut changed = header();
        changed.as_object_mut().unwrap().insert(name, value);
        read(&forged(&changed, &payload, &key(1))).unwrap_err()
    };
    assert!(matches!(
        with("alg", "none".into()),
        TokenError::Jose(JoseError::Algorithm(_))
    ));
    assert!(matches!(
        with("alg", "HS256".into()),
        TokenError::Jose(JoseError::Algorithm(_))
    ));
    assert!(matches!(
        with("alg", "ES256".into()),
        TokenError::Jose(JoseError::Algorithm(_))
    ));
    for typ in ["JWT", "vc+jwt", "dpop+jwt", "AT+JWT", "application/at+jwt"] {
        assert!(
            matches!(with("typ", typ.into()), TokenError::Jose(JoseError::Type { .. })),
            "{typ}"
        );
    }
    let crit: Value = vec!["exp"].into();
    assert_eq!(with("crit", crit), TokenError::Jose(JoseError::Parameter("crit")));
    let jwk: Value = key(1).public_key().to_jwk().into();
    assert_eq!(with("jwk", jwk), TokenError::Jose(JoseError::Parameter("jwk")));
    assert_eq!(with("kid", "other".into()), TokenError::KeyUnknown);
    assert!(matches!(
        with("cty", "vc".into()),
        TokenError::Jose(JoseError::Type { .. })
    ));
    // Without a signature, as `alg: none` has it.
    let token = claims().sign(&key(1)).unwrap();
    let unsigned = token.rsplit_once('.').unwrap().0;
    assert!(read(&format!("{unsigned}.")).is_err());
    // By another key under the right name.
    let stolen_name = forged(&header(), &payload, &key(4));
    assert_eq!(read(&stolen_name), Err(TokenError::Jose(JoseError::Signature)));
}

#[test]
fn every_claim_is_needed_and_of_its_kind() {
    for name in [
        "iss",
        "sub",
        "client_id",
        "aud",
        "iat",
        "exp",
        "jti",
        "cnf",
        "authorization_details",
        "aap_agent",
        "aap_task",
        "aap_delegation",
        "aap_context",
        "aap_audit",
    ] {
        let without = payload_with(|payload| assert!(payload.remove(name).is_some(), "{name}"));
        assert!(read(&forged(&header(), &without, &key(1))).is_err(), "{name}");
        let number = payload_with(|payload| drop(payload.insert(name, true)));
        assert!(read(&forged(&header(), &number, &key(1))).is_err(), "{name}");
    }
    // A claim that is not known is read over (RFC 7519 section 4).
    let more = payload_with(|payload| drop(payload.insert("more", 1)));
    assert_eq!(read(&forged(&header(), &more, &key(1))), Ok(claims()));
    for details in [
        r#"[]"#,
        r#"[{"type":"other","action":"read","resource":"a"}]"#,
        r#"[{"action":"read","resource":"a"}]"#,
        r#"[{"type":"syndic_capability","action":"read","resource":"a","more":1}]"#,
        r#"[{"type":"syndic_capability","action":"read","resource":"a","constraint":[{"type":"mystery"}]}]"#,
    ] {
        let value = json::parse(details.as_bytes()).unwrap();
        let changed = payload_with(|payload| drop(payload.insert("authorization_details", value.clone())));
        assert!(
            matches!(read(&forged(&header(), &changed, &key(1))), Err(TokenError::Details(_))),
            "{details}"
        );
    }
    let chain = payload_with(|payload| {
        let chain = payload.get_mut("aap_delegation").unwrap().as_object_mut().unwrap();
        chain.insert("depth", 1);
    });
    assert!(matches!(
        read(&forged(&header(), &chain, &key(1))),
        Err(TokenError::Claim(_))
    ));
}

#[test]
fn a_token_that_fits_no_header_line_is_not_made() {
    let mut large = claims();
    large.profile.credentials = vec!["urn:uuid:".to_owned() + &"1".repeat(ACCESS_TOKEN_BYTES)];
    assert!(matches!(large.sign(&key(1)), Err(MakeError::TooLarge(_))));
    assert!(matches!(
        claims().sign(&ecdsa(KeyKind::P256, 32)),
        Err(MakeError::Sign(_))
    ));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3_000))]

    /// A token with one character changed is no token.
    #[test]
    fn no_character_can_be_changed(place in any::<prop::sample::Index>(), other in "[A-Za-z0-9_.-]") {
        let token = claims().sign(&key(1)).unwrap();
        let mut changed: Vec<char> = token.chars().collect();
        let place = place.index(changed.len());
        changed[place] = other.chars().next().unwrap();
        let changed: String = changed.into_iter().collect();
        if changed != token {
            prop_assert!(read(&changed).is_err());
        }
        let proof = draft().sign(&key(2)).unwrap();
        let mut changed: Vec<char> = proof.chars().collect();
        let place = place % changed.len();
        changed[place] = other.chars().next().unwrap();
        let changed: String = changed.into_iter().collect();
        if changed != proof {
            prop_assert!(CheckedProof::read(&changed, &request(), at(NOW)).is_err());
        }
    }

    /// Texts of any kind are read to an end.
    #[test]
    fn any_text_is_judged(text in "\\PC{0,80}", url in "\\PC{0,40}") {
        prop_assert!(read(&text).is_err());
        prop_assert!(CheckedProof::read(&text, &request(), at(NOW)).is_err());
        if let Some(form) = target(&url) {
            prop_assert_eq!(target(&form), Some(form.clone()));
        }
    }
}
