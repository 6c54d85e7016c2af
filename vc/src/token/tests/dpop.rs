//! Proofs of possession.

use super::*;
use crate::token::dpop::{DpopError, ProofDraft, ProofRequest};

pub(super) fn draft() -> ProofDraft<'static> {
    ProofDraft {
        id: "e1j3V_bKic8-LAEB",
        method: "POST",
        url: URL,
        issued: at(NOW),
        access_token: None,
        nonce: None,
    }
}

pub(super) fn request() -> ProofRequest<'static> {
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
