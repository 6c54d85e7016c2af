//! Vectors of what comes in tokens: enveloped credentials and presentations, SD-JWT.

use syndic_vc::enveloped::{Answer, credential_of, sign_credential, sign_presentation};
use syndic_vc::jose::{self, TokenType};
use syndic_vc::json::{Object, Value};
use syndic_vc::sd_jwt::{self, Concealment};

use super::*;

fn signed(document: &Object) -> Value {
    sign_credential(document, &north().method(), north().signer()).unwrap()
}

/// As the issuer would sign it, if it signed anything.
fn raw(token_type: TokenType, change: impl FnOnce(&mut Object)) -> Value {
    let mut document = draft().to_document().unwrap();
    change(&mut document);
    let north = north();
    credential_of(&jose::sign(token_type, Some(&north.method()), &document, north.signer()).unwrap())
}

pub(super) fn all() -> Vec<Vector> {
    let mut all = enveloped();
    all.extend(sd_jwts());
    all
}

fn enveloped() -> Vec<Vector> {
    let credential = |name, input| Vector::new("credential", name, input);
    let good = || signed(&draft().to_document().unwrap());
    let id = good().get("id").and_then(Value::as_str).unwrap().to_owned();
    let presented = {
        let agent = agent();
        let document = presentation_draft(vec![good(), super::credential()])
            .to_document()
            .unwrap();
        let answer = Answer {
            challenge: CHALLENGE,
            domain: DOMAIN,
            created: after(-2),
        };
        sign_presentation(&document, &answer, &agent.method(), agent.signer()).unwrap()
    };
    vec![
        credential("allow-enveloped", good()),
        Vector::new("presentation", "allow-enveloped", presented),
        credential(
            "deny-enveloped-with-parameters-in-the-url",
            changed(good(), &["id"], id.replace("vc+jwt,", "vc+jwt;charset=utf-8,")),
        )
        .denied("envelope-malformed", "/id"),
        credential(
            "deny-enveloped-with-the-older-claim",
            raw(TokenType::Credential, |document| {
                document.insert("vc", Object::new());
            }),
        )
        .denied("envelope-malformed", "/vc"),
        credential("deny-enveloped-as-another-type", raw(TokenType::StatusList, |_| ()))
            .denied("envelope-type-wrong", "/id"),
        credential(
            "deny-enveloped-said-to-be-of-another",
            raw(TokenType::Credential, |document| {
                document.insert("iss", stranger().did.as_str());
            }),
        )
        .denied("claims-disagree", "/iss"),
        credential(
            "deny-enveloped-after-its-signature-expired",
            raw(TokenType::Credential, |document| {
                document.insert("exp", now().unix_seconds());
            }),
        )
        .denied("proof-expired", "/exp"),
    ]
}

fn issued() -> String {
    let (north, agent) = (north(), agent());
    let claims = object! {
        "iss": north.did.as_str(),
        "vct": "https://north.example/types/employee",
        "exp": now().unix_seconds() + 100,
        "cnf": object! { "jwk": agent.key.public_key().to_jwk() },
        "name": "Ana Lima",
        "age": object! { "over18": true, "over65": false },
    };
    let concealment = Concealment {
        hidden: &["/name", "/age", "/age/over18", "/age/over65"],
        decoys: &[("", 1)],
    };
    let mut salts = (0..).map(|n: u32| format!("salt-of-128-bits-------{n}"));
    let claims = claims.into_object().unwrap();
    sd_jwt::issue(&claims, &concealment, &north.method(), &mut salts, north.signer()).unwrap()
}

fn sd_jwts() -> Vec<Vector> {
    let vector = |name, text: String| Vector::new("sd-jwt", name, Value::Null).text(text);
    let shown = sd_jwt::present(&issued(), &["/age/over18"]).unwrap();
    let bind = |text: &str, by: &Party| sd_jwt::bind(text, CHALLENGE, DOMAIN, after(-2), by.signer()).unwrap();
    let twice = {
        let (token, rest) = shown.split_once('~').unwrap();
        let (first, rest) = rest.split_once('~').unwrap();
        format!("{token}~{first}~{first}~{rest}")
    };
    vec![
        vector("allow-part-of-the-claims", bind(&shown, &agent())),
        vector("deny-a-disclosure-twice", bind(&twice, &agent())).denied("disclosure-invalid", ""),
        vector("deny-without-key-binding", shown.clone()).denied("key-binding-missing", ""),
        vector("deny-key-binding-of-another", bind(&shown, &stranger())).denied("key-binding-invalid", ""),
        vector("deny-challenge-not-handed-out", bind(&shown, &agent()))
            .once(|once| once.challenges.borrow_mut().clear())
            .denied("challenge-unknown", ""),
    ]
}
