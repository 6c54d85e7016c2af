//! Credentials and presentations in JSON Web Signatures (VC-JOSE-COSE), beside npm's `jose`.

use multibase::Base;
use serde_json::{Value, json};
use syndic_vc::enveloped::{self, Answer};

use crate::claims::{self, SOMEBODY, Version};
use crate::figures::{Figures, Way};
use crate::ours::Ours;
use crate::peer::{Alteration, Key, Peer, with_another_character};
use crate::random::Random;
use crate::signing::{OurKey, issued_by, now, presentation, to_ours, to_theirs};

const KINDS: [&str; 3] = ["Ed25519", "P-256", "P-384"];
const TYPES: [(&str, &str); 2] = [
    ("vc+jwt", "EnvelopedVerifiableCredential"),
    ("vp+jwt", "EnvelopedVerifiablePresentation"),
];

/// A token as it stands in JSON.
fn envelope(token: &str, (typ, name): (&str, &str)) -> Value {
    json!({
        "@context": "https://www.w3.org/ns/credentials/v2",
        "id": format!("data:application/{typ},{token}"),
        "type": name,
    })
}

fn decoded(part: &str) -> Value {
    serde_json::from_slice(&Base::Base64Url.decode(part).unwrap()).unwrap()
}

fn encoded(value: &Value) -> String {
    Base::Base64Url.encode(value.to_string())
}

/// Altered copies of a token, by what was done.
fn altered(token: &str) -> Vec<(&'static str, String)> {
    let parts: Vec<&str> = token.split('.').collect();
    let [header, payload, signature] = parts[..] else {
        panic!("not three parts: {token}")
    };
    let with_header = |name: &str, value: &str| {
        let mut changed = decoded(header);
        changed[name] = value.into();
        format!("{}.{payload}.{signature}", encoded(&changed))
    };
    let with_payload = |change: &dyn Fn(&mut Value)| {
        let mut changed = decoded(payload);
        change(&mut changed);
        format!("{header}.{}.{signature}", encoded(&changed))
    };
    vec![
        (
            "another signature",
            format!("{header}.{payload}.{}", with_another_character(signature)),
        ),
        ("no signature", format!("{header}.{payload}.")),
        ("no algorithm", with_header("alg", "none")),
        ("a symmetric algorithm", with_header("alg", "HS256")),
        ("another type", with_header("typ", "JWT")),
        (
            "another claim",
            with_payload(&|payload| payload["added"] = "claim".into()),
        ),
        (
            "another issuer",
            with_payload(&|payload| {
                let name = if payload["holder"].is_null() {
                    "issuer"
                } else {
                    "holder"
                };
                payload[name] = "did:key:z6MkpTHR8VNsBxYAAWHut2Geadd9jSwuBV8xRoAnwWsdvktH".into();
            }),
        ),
    ]
}

/// A credential of theirs in its envelope.
fn issued_by_them(peer: &mut Peer, key: &Key, credential: &Value) -> String {
    let payload = issued_by(credential, &key.did);
    let request = json!({"did": key.did, "payload": payload, "typ": "vc+jwt", "cty": "vc"});
    peer.made("jws-sign", request, "jwt").as_str().unwrap().to_owned()
}

fn theirs(
    peer: &mut Peer,
    ours: &Ours,
    kind: &str,
    altered: impl Fn(&str) -> Vec<(&'static str, String)>,
    figures: &mut Figures,
) {
    let row = format!("vc+jwt {kind}");
    for (name, credential) in claims::credentials(Version::Two, SOMEBODY) {
        let key = peer.key(kind);
        let token = issued_by_them(peer, &key, &credential);
        figures.judged(&row, Way::Theirs, name, &ours.verify(&envelope(&token, TYPES[0])));
        for (what, copy) in altered(&token) {
            let verdict = ours.verify(&envelope(&copy, TYPES[0]));
            figures.judged(&row, Way::TheirsAltered, &format!("{name}, {what}"), &verdict);
        }
    }
    let row = format!("vp+jwt {kind}");
    for (name, credential) in claims::credentials(Version::Two, "").into_iter().take(3) {
        let (holder, issuer) = (peer.key(kind), peer.key(kind));
        let mut credential = credential;
        credential["credentialSubject"]["id"] = holder.did.clone().into();
        let inner = envelope(&issued_by_them(peer, &issuer, &credential), TYPES[0]);
        let challenge = ours.challenge();
        let mut payload = presentation(Version::Two.context(), &holder.did, &[inner]);
        payload["iss"] = holder.did.clone().into();
        payload["aud"] = ours.domain().into();
        payload["nonce"] = challenge.clone().into();
        payload["iat"] = now().unix_seconds().into();
        let request = json!({"did": holder.did, "payload": payload, "typ": "vp+jwt", "cty": "vp"});
        let token = peer.made("jws-sign", request, "jwt").as_str().unwrap().to_owned();
        let judge = |token: &str| ours.verify_presentation(&envelope(token, TYPES[1]), &challenge, ours.domain());
        for (what, copy) in altered(&token) {
            figures.judged(&row, Way::TheirsAltered, &format!("{name}, {what}"), &judge(&copy));
        }
        figures.judged(&row, Way::Theirs, name, &judge(&token));
    }
}

fn ours_made(peer: &mut Peer, kind: &str, figures: &mut Figures) {
    let mut random = Random::new(7515);
    let mut judge = |row: &str, typ: &str, token: &str, key: &OurKey, document: &Value, name: &str| {
        let jwk = to_theirs(&key.signer.public_key().to_jwk().into());
        let request = json!({"jwt": token, "jwk": jwk, "typ": typ});
        let answer = peer.ask("jws-verify", request);
        let same = answer["verified"] == true && includes(&answer["payload"], document);
        figures.holds(row, Way::Ours, same, || format!("{name}: {answer}, not {document}"));
        for (what, copy) in altered(token) {
            let verdict = peer.judge("jws-verify", json!({"jwt": copy, "jwk": jwk, "typ": typ}));
            figures.judged(row, Way::OursAltered, &format!("{name}, {what}"), &verdict);
        }
    };
    for (name, credential) in claims::credentials(Version::Two, SOMEBODY) {
        let (key, holder) = (OurKey::new(kind, &mut random), OurKey::new(kind, &mut random));
        let document = issued_by(&credential, &key.did);
        let object = to_ours(&document).into_object().unwrap();
        let enveloped = enveloped::sign_credential(&object, &key.method, key.signer.as_ref()).unwrap();
        let token = enveloped::token_of(&enveloped).unwrap();
        judge(&format!("vc+jwt {kind}"), "vc+jwt", token, &key, &document, name);
        let document = presentation(Version::Two.context(), &holder.did, &[to_theirs(&enveloped)]);
        let answer = Answer {
            challenge: "2f1a-challenge",
            domain: "https://verifier.example",
            created: now(),
        };
        let object = to_ours(&document).into_object().unwrap();
        let enveloped = enveloped::sign_presentation(&object, &answer, &holder.method, holder.signer.as_ref()).unwrap();
        let token = enveloped::token_of(&enveloped).unwrap();
        judge(&format!("vp+jwt {kind}"), "vp+jwt", token, &holder, &document, name);
    }
}

/// Whether the payload says all that the document says.
fn includes(payload: &Value, document: &Value) -> bool {
    document
        .as_object()
        .unwrap()
        .iter()
        .all(|(name, value)| payload.get(name) == Some(value))
}

#[test]
fn enveloped_documents_are_read_both_ways() {
    let Some(mut peer) = Peer::start() else { return };
    let ours = Ours::start();
    let mut figures = Figures::new("JOSE envelopes");
    for kind in KINDS {
        theirs(&mut peer, &ours, kind, altered, &mut figures);
        ours_made(&mut peer, kind, &mut figures);
    }
    figures.finish();
}

#[test]
fn an_altered_envelope_is_noticed() {
    let Some(mut peer) = Peer::start_altered(Some(Alteration::Content)) else {
        return;
    };
    let ours = Ours::start();
    let mut figures = Figures::new("altered");
    theirs(&mut peer, &ours, "Ed25519", |_| Vec::new(), &mut figures);
    assert!(figures.disagree(), "an altered envelope went unnoticed");
}

#[test]
fn an_altered_verdict_on_an_envelope_is_noticed() {
    let Some(mut peer) = Peer::start_altered(Some(Alteration::Verdict)) else {
        return;
    };
    let mut figures = Figures::new("altered");
    ours_made(&mut peer, "P-256", &mut figures);
    assert!(figures.disagree(), "an altered verdict went unnoticed");
}
