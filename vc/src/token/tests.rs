#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use proptest::prelude::*;
use zeroize::Zeroizing;

use super::details::{NotGranted, all, by_scope, narrowed};
use super::dpop::{CheckedProof, DpopError, ProofDraft, ProofRequest, target};
use super::*;
use crate::capability::{Asked, Resource};
use crate::jose::base64url;
use crate::json;
use crate::key::{EcdsaSecretKey, SecretKey};

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

fn draft() -> ProofDraft<'static> {
    ProofDraft {
        id: "e1j3V_bKic8-LAEB",
        method: "POST",
        url: URL,
        issued: at(NOW),
        access_token: None,
        nonce: None,
    }
}

fn request() -> ProofRequest<'static> {
    ProofRequest {
        method: "POST",
        url: URL,
        access_token: None,
        nonce: None,
        clock_skew_seconds: 30,
    }
}

fn prove(draft: &ProofDraft<'_>, request: &ProofRequest<'_>) -> Result<CheckedProof, DpopError> {
    CheckedProof::read(&draft.sign(&key(2)).unwrap(), request, at(NOW))
}

#[test]
fn a_proof_is_for_one_request() {
    let proof = prove(&draft(), &request()).unwrap();
    assert_eq!(proof.key(), key(2).public_key());
    assert_eq!(proof.thumbprint(), key(2).public_key().jwk_thumbprint());
    assert!(proof.one_time().ends_with(" e1j3V_bKic8-LAEB"));
    assert_eq!(proof.until(), at(NOW + 120));
    let p256 = draft().sign(&ecdsa(KeyKind::P256, 32)).unwrap();
    assert!(CheckedProof::read(&p256, &request(), at(NOW)).is_ok());
    let p384 = draft().sign(&ecdsa(KeyKind::P384, 48)).unwrap();
    let refused = CheckedProof::read(&p384, &request(), at(NOW)).unwrap_err();
    assert!(matches!(refused, DpopError::Jose(JoseError::Algorithm(_))));

    assert_eq!(
        prove(
            &ProofDraft {
                method: "GET",
                ..draft()
            },
            &request()
        ),
        Err(DpopError::Method)
    );
    assert_eq!(
        prove(
            &ProofDraft {
                method: "post",
                ..draft()
            },
            &request()
        ),
        Err(DpopError::Method)
    );
    for url in [
        "https://api.example/v1/refund",
        "http://api.example/v1/refunds",
        "https://api.example:8443/v1/refunds",
    ] {
        assert_eq!(
            prove(&ProofDraft { url, ..draft() }, &request()),
            Err(DpopError::Url),
            "{url}"
        );
    }
    for url in [
        "HTTPS://API.example:443/v1/refunds?x=1#y",
        "https://api.example/v1/%72efunds",
    ] {
        assert!(prove(&ProofDraft { url, ..draft() }, &request()).is_ok(), "{url}");
    }
    for (issued, fate) in [
        (NOW - 60, None),
        (NOW - 61, Some(DpopError::Old)),
        (NOW + 30, None),
        (NOW + 31, Some(DpopError::FromTheFuture)),
    ] {
        let outcome = prove(
            &ProofDraft {
                issued: at(issued),
                ..draft()
            },
            &request(),
        );
        assert_eq!(outcome.err(), fate, "{issued}");
    }
    for id in ["short", "has a space in the middle"] {
        assert!(
            matches!(
                prove(&ProofDraft { id, ..draft() }, &request()),
                Err(DpopError::Claim(_))
            ),
            "{id}"
        );
    }
}

#[test]
fn a_proof_goes_with_its_token_and_its_nonce() {
    let with = |token| ProofRequest {
        access_token: token,
        ..request()
    };
    let made = |token| ProofDraft {
        access_token: token,
        ..draft()
    };
    assert!(prove(&made(Some("token")), &with(Some("token"))).is_ok());
    assert_eq!(prove(&made(Some("other")), &with(Some("token"))), Err(DpopError::Token));
    assert_eq!(prove(&made(None), &with(Some("token"))), Err(DpopError::TokenMissing));
    assert_eq!(prove(&made(Some("token")), &with(None)), Err(DpopError::Token));
    let asked = |nonce| ProofRequest { nonce, ..request() };
    let said = |nonce| ProofDraft { nonce, ..draft() };
    assert!(prove(&said(Some("n")), &asked(Some("n"))).is_ok());
    assert!(prove(&said(None), &asked(Some("n"))).is_ok());
    assert_eq!(prove(&said(Some("m")), &asked(Some("n"))), Err(DpopError::Nonce));
}

#[test]
fn the_key_of_a_proof_is_public_whole_and_the_one_that_signed() {
    let payload =
        json::parse(format!(r#"{{"htm":"POST","htu":"{URL}","iat":{NOW},"jti":"e1j3V_bKic8-LAEB"}}"#).as_bytes());
    let payload = payload.unwrap();
    let judged = |change: &dyn Fn(&mut Object), signer: &dyn Signer| {
        let mut header = Object::new();
        header.insert("alg", "EdDSA");
        header.insert("typ", "dpop+jwt");
        header.insert("jwk", key(2).public_key().to_jwk());
        change(&mut header);
        CheckedProof::read(&forged(&header.into(), &payload, signer), &request(), at(NOW)).map(|_| ())
    };
    assert_eq!(judged(&|_| (), &key(2)), Ok(()));
    assert_eq!(judged(&|_| (), &key(4)), Err(DpopError::Jose(JoseError::Signature)));
    let private = |header: &mut Object| {
        let jwk = header.get_mut("jwk").unwrap().as_object_mut().unwrap();
        jwk.insert("d", base64url(key(2).seed()));
    };
    assert!(matches!(
        judged(&private, &key(2)),
        Err(DpopError::Jose(JoseError::EmbeddedKey(_)))
    ));
    type Change = fn(&mut Object);
    let changes: [(&str, Change); 7] = [
        ("no key", |header| drop(header.remove("jwk"))),
        ("a symmetric key", |header| {
            drop(header.insert("jwk", crate::object! { "kty": "oct", "k": "AAAA" }));
        }),
        ("no algorithm", |header| drop(header.insert("alg", "none"))),
        ("the algorithm of another key", |header| {
            drop(header.insert("alg", "ES256"))
        }),
        ("another type", |header| drop(header.insert("typ", "JWT"))),
        ("an extension", |header| drop(header.insert("crit", vec!["exp"]))),
        ("a key elsewhere", |header| {
            drop(header.insert("jku", "https://evil.example"))
        }),
    ];
    for (what, change) in changes {
        assert!(matches!(judged(&change, &key(2)), Err(DpopError::Jose(_))), "{what}");
    }
}

/// RFC 9449 section 4.1: the example proof and the thumbprint of its key (section 6.1).
#[test]
fn the_example_of_the_standard_is_read() {
    let proof = "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZOXpDa0RscEJoRjQyVVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JEQSIsImNydiI6IlAtMjU2In19.eyJqdGkiOiItQndDM0VTYzZhY2MybFRjIiwiaHRtIjoiUE9TVCIsImh0dSI6Imh0dHBzOi8vc2VydmVyLmV4YW1wbGUuY29tL3Rva2VuIiwiaWF0IjoxNTYyMjYyNjE2fQ.2-GxA6T8lP4vfrg8v-FdWP0A0zdrj8igiMLvqRMUvwnQg4PtFLbdLXiOSsX0x7NVY-FNyJK70nfbV37xRZT3Lg";
    let request = ProofRequest {
        url: "https://server.example.com/token",
        ..request()
    };
    let checked = CheckedProof::read(proof, &request, at(1_562_262_616)).unwrap();
    assert_eq!(checked.thumbprint(), "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I");
}

#[test]
fn urls_have_one_form() {
    for (url, form) in [
        ("https://a.example", Some("https://a.example/")),
        ("http://A.example:80/x", Some("http://a.example/x")),
        ("http://a.example:443/x", Some("http://a.example:443/x")),
        ("https://a.example/x%2fy?q#f", Some("https://a.example/x%2Fy")),
        ("https://a.example/%41", Some("https://a.example/A")),
        ("https://[::1]:8443/x", Some("https://[::1]:8443/x")),
        ("https://u@a.example/", None),
        ("https://a.example/%2e%2e/x", None),
        ("https://a.example/../x", None),
        ("https://a.example/%4", None),
        ("https://a.example/\u{e9}", None),
        ("https://a.example\\x", None),
        ("ftp://a.example/", None),
        ("https://", None),
        ("a.example/x", None),
    ] {
        assert_eq!(target(url).as_deref(), form, "{url}");
    }
}

#[test]
fn less_is_given_and_more_is_refused() {
    let granted = granted();
    assert_eq!(all(&granted).unwrap(), granted);
    assert_eq!(all(&[]), Err(NotGranted::Nothing));
    let one = |text: &str| narrowed(&granted, &[capability(text)]);
    let narrow = one(r#"{"action":"read","resource":"tickets/42"}"#).unwrap();
    assert_eq!(narrow, [capability(r#"{"action":"read","resource":"tickets/42"}"#)]);
    for more in [
        r#"{"action":"read","resource":"*"}"#,
        r#"{"action":"read","resource":"tickets"}"#,
        r#"{"action":"delete","resource":"tickets/42"}"#,
        r#"{"action":"read","resource":"tickets/42","scope":"any"}"#,
        r#"{"action":"call","resource":"billing_api"}"#,
    ] {
        assert_eq!(one(more), Err(NotGranted::Item(0)), "{more}");
    }
    // Constraints are added to those that were granted, and take none away.
    let tighter = one(
        r#"{"action":"call","resource":"billing_api","scope":"refund","constraint":[{"type":"range","parameter":"amount","maximum":"500","unit":"USD"}]}"#,
    );
    assert_eq!(tighter.unwrap()[0].constraint.len(), 2);
    let same = one(r#"{"action":"call","resource":"billing_api","scope":"refund"}"#).unwrap();
    assert_eq!(same, [granted[0].clone()]);

    assert_eq!(by_scope(&granted, "read:tickets/42 call:billing_api").unwrap().len(), 2);
    assert_eq!(by_scope(&granted, "call:billing_api").unwrap(), [granted[0].clone()]);
    assert_eq!(by_scope(&granted, "read:*"), Err(NotGranted::Item(0)));
    assert_eq!(
        by_scope(&granted, "read:tickets/1  read:tickets/2"),
        Err(NotGranted::Scope(1))
    );
    assert_eq!(by_scope(&granted, "openid"), Err(NotGranted::Scope(0)));
}

/// Few names, so that related capabilities are likely.
fn any_capability() -> impl Strategy<Value = Capability> {
    let constraint = prop_oneof![
        Just(String::new()),
        "[12]".prop_map(|n| format!(r#","constraint":[{{"type":"exact","parameter":"p","value":"{n}"}}]"#)),
    ];
    let scope = prop_oneof![Just(String::new()), Just(r#","scope":"s""#.to_owned())];
    let resource = proptest::sample::select(vec!["*", "a", "a/*", "a/b", "a/b/*", "b"]);
    ("read|write", resource, scope, constraint).prop_map(|(action, resource, scope, constraint)| {
        capability(&format!(
            r#"{{"action":"{action}","resource":"{resource}"{scope}{constraint}}}"#
        ))
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3_000))]

    /// Whatever a narrowed grant covers, some granted capability covers with no constraint that the grant lacks, and the
    /// item that was asked for covers it too.
    #[test]
    fn asking_only_narrows(
        granted in proptest::collection::vec(any_capability(), 0..5),
        asked in proptest::collection::vec(any_capability(), 1..4),
        path in "(a|b)(/(a|b)){0,2}",
        scoped in any::<bool>(),
    ) {
        let resource = Resource::parse(&path).unwrap();
        let label = crate::capability::Scope::parse("s");
        let Ok(grants) = narrowed(&granted, &asked) else { return Ok(()) };
        for grant in &grants {
            let what = Asked { action: &grant.action, resource: &resource, scope: if scoped { label.as_ref() } else { None } };
            if what.is_covered_by(grant) {
                let keeps = |one: &Capability| one.constraint.iter().all(|c| grant.constraint.contains(c));
                prop_assert!(granted.iter().any(|one| what.is_covered_by(one) && keeps(one)));
                prop_assert!(asked.iter().any(|one| what.is_covered_by(one) && keeps(one)));
            }
        }
    }

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
