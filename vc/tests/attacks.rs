//! Attacks on proofs by their names, each beside a valid twin that must be accepted. More of them
//! stand in `specs/vectors`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod world;

use multibase::Base;
use syndic_vc::denial::{DenialCode, Denied};
use syndic_vc::document::Purpose;
use syndic_vc::json::{self, Object, Value};
use syndic_vc::key::KeyKind;
use syndic_vc::object;
use syndic_vc::proof::{self, IssueError, ProofOptions, Suite};
use syndic_vc::verify::{self, ActionRequest, PresentationRequest};
use world::*;

fn plain(issuer: &str) -> Object {
    let document = object! {
        "@context": vec!["https://www.w3.org/ns/credentials/v2"],
        "type": vec!["VerifiableCredential"],
        "issuer": issuer,
        "credentialSubject": object! { "id": agent().did.as_str(), "level": 3 },
    };
    document.into_object().unwrap()
}

fn options() -> ProofOptions {
    ProofOptions::new(Purpose::AssertionMethod, &north().method(), after(-2))
}

fn signed() -> Value {
    proof::sign(plain(north().did.as_str()), &options(), north().signer()).unwrap()
}

fn verify(document: &[u8]) -> Result<(), Denied> {
    verify::credential(document, &policy(), &Known::new(), now()).map(drop)
}

fn code(outcome: Result<(), Denied>) -> DenialCode {
    outcome.unwrap_err().code()
}

fn refused(outcome: Result<Value, IssueError>) -> DenialCode {
    match outcome {
        Err(IssueError::Refused(reason)) => reason.code,
        other => panic!("{other:?}"),
    }
}

/// S + L, which the equation of Ed25519 does not tell from S.
fn malleated(signature: &[u8]) -> Vec<u8> {
    const ORDER: [u8; 32] = [
        0xED, 0xD3, 0xF5, 0x5C, 0x1A, 0x63, 0x12, 0x58, 0xD6, 0x9C, 0xF7, 0xA2, 0xDE, 0xF9, 0xDE, 0x14, 0, 0, 0, 0, 0,
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
    ];
    let mut bytes = signature.to_vec();
    let mut carry = 0;
    for (at, digit) in ORDER.iter().enumerate() {
        let sum = u16::from(bytes[32 + at]) + u16::from(*digit) + carry;
        bytes[32 + at] = u8::try_from(sum & 0xFF).unwrap();
        carry = sum >> 8;
    }
    assert_eq!(carry, 0);
    bytes
}

#[test]
fn a_signature_cannot_be_written_in_a_second_way() {
    let original = signed();
    verify(&text(&original)).unwrap();
    let value = original.get("proof").unwrap().get("proofValue").unwrap();
    let (_, bytes) = multibase::decode(value.as_str().unwrap()).unwrap();
    let with = |value: String| {
        let mut changed = original.clone();
        let proof = changed.as_object_mut().unwrap().get_mut("proof").unwrap();
        proof.as_object_mut().unwrap().insert("proofValue", value);
        verify(&text(&changed))
    };
    with(multibase::encode(Base::Base58Btc, &bytes)).unwrap();
    let other_s = multibase::encode(Base::Base58Btc, malleated(&bytes));
    assert_eq!(code(with(other_s)), DenialCode::SignatureInvalid);
    for base in [Base::Base64Url, Base::Base64, Base::Base16Lower, Base::Base58Flickr] {
        assert_eq!(code(with(multibase::encode(base, &bytes))), DenialCode::ProofMalformed);
    }
    assert_eq!(code(with(Base::Base58Btc.encode(&bytes))), DenialCode::ProofMalformed);
    assert_eq!(
        code(with(format!("z1{}", Base::Base58Btc.encode(&bytes)))),
        DenialCode::ProofMalformed
    );
}

#[test]
fn text_that_readers_understand_differently_is_not_verified() {
    let text = String::from_utf8(text(&signed())).unwrap();
    verify(text.as_bytes()).unwrap();
    for (from, to) in [
        ("\"level\":3", "\"level\":9007199254740993"),
        ("\"level\":3", "\"level\":3,\"level\":3"),
        ("\"level\":3", "\"level\":\"\\ud800\""),
        ("\"issuer\":", "\"issuer\":\"did:example:mallory\",\"issuer\":"),
    ] {
        assert!(text.contains(from));
        assert_eq!(
            code(verify(text.replacen(from, to, 1).as_bytes())),
            DenialCode::JsonInvalid,
            "{to}"
        );
    }
}

#[test]
fn an_expired_proof_counts_for_nothing_even_beside_a_good_one() {
    let mut until = options();
    until.expires = Some(after(1));
    let lasting = proof::add(signed().into_object().unwrap(), &until, north().signer()).unwrap();
    verify(&text(&lasting)).unwrap();
    until.expires = Some(now());
    let ended = proof::add(signed().into_object().unwrap(), &until, north().signer()).unwrap();
    assert_eq!(code(verify(&text(&ended))), DenialCode::ProofExpired);
}

#[test]
fn what_no_verifier_would_take_is_not_signed() {
    let plain = || plain(north().did.as_str());
    let sign = |options: &ProofOptions| proof::sign(plain(), options, north().signer());
    sign(&options()).unwrap();
    assert_eq!(
        refused(sign(&options().in_suite(Suite::EcdsaJcs2019))),
        DenialCode::VerificationMethodUnsuitable
    );
    assert_eq!(
        refused(sign(&options().in_suite(Suite::Ed25519Signature2020))),
        DenialCode::ProofUnsupported
    );
    let mut nowhere = options();
    nowhere.previous_proof = vec!["urn:uuid:1".into()];
    assert_eq!(refused(sign(&nowhere)), DenialCode::ProofChainBroken);
    let mut named = options();
    named.id = Some("urn:uuid:1".into());
    let one = sign(&named).unwrap().into_object().unwrap();
    let mut twice = named.clone();
    twice.created = after(-1);
    assert_eq!(
        refused(proof::add(one.clone(), &twice, north().signer())),
        DenialCode::ProofMalformed
    );
    let chained = proof::add(one, &nowhere, north().signer()).unwrap();
    verify(&text(&chained)).unwrap();
}

/// A presentation by the agent, with further proofs.
fn presented(credentials: Vec<Value>, answers: &[(&str, &str)]) -> Value {
    let document = presentation_draft(credentials).to_document().unwrap();
    answers
        .iter()
        .fold(Value::from(document), |document, (challenge, domain)| {
            let mut options = ProofOptions::new(Purpose::Authentication, &agent().method(), after(-2));
            options.challenge = Some((*challenge).into());
            options.domain = Some((*domain).into());
            options.id = document.get("proof").is_some().then(|| "urn:uuid:2".into());
            proof::add(document.into_object().unwrap(), &options, agent().signer()).unwrap()
        })
}

fn verify_presentation(document: &Value) -> Result<(), Denied> {
    let request = PresentationRequest {
        challenge: CHALLENGE,
        domain: DOMAIN,
    };
    verify::presentation(&text(document), &request, &policy(), &Known::new(), &Once::new(), now()).map(drop)
}

#[test]
fn every_proof_of_a_presentation_answers_the_challenge() {
    let good = (CHALLENGE, DOMAIN);
    verify_presentation(&presented(vec![credential()], &[good, good])).unwrap();
    for (bad, expected) in [
        (("another challenge", DOMAIN), DenialCode::ChallengeMismatch),
        ((CHALLENGE, "north.example"), DenialCode::DomainMismatch),
    ] {
        for answers in [[good, bad], [bad, good]] {
            let denied = verify_presentation(&presented(vec![credential()], &answers)).unwrap_err();
            assert_eq!(denied.code(), expected);
            let index = usize::from(answers[0] == good);
            assert!(denied.first().at.starts_with(&format!("/proof/{index}/")), "{denied}");
        }
    }
}

#[test]
fn a_presentation_may_hold_credentials_of_any_suite_and_version() {
    let party = hardware(KeyKind::P384);
    let options = ProofOptions::new(Purpose::AssertionMethod, &party.method(), after(-2)).in_suite(Suite::EcdsaJcs2019);
    let by_hardware = proof::sign(plain(party.did.as_str()), &options, &party.key).unwrap();
    let mut old = plain(north().did.as_str());
    old.insert("@context", vec!["https://www.w3.org/2018/credentials/v1"]);
    old.insert("issuanceDate", "2026-01-01T00:00:00Z");
    syndic_vc::credential::add_proof_context(&mut old);
    let old = proof::sign(old, &self::options(), north().signer()).unwrap();
    let all = vec![credential(), by_hardware, old];
    verify_presentation(&presented(all, &[(CHALLENGE, DOMAIN)])).unwrap();
}

#[test]
fn a_credential_is_no_larger_inside_than_by_itself() {
    let filled = |bytes: usize| {
        let mut document = plain(north().did.as_str());
        let claims: Vec<String> = (0..bytes / 50_000).map(|_| "x".repeat(50_000)).collect();
        let mut subject = document.remove("credentialSubject").unwrap();
        subject
            .as_object_mut()
            .unwrap()
            .insert("claims", claims.into_iter().map(Value::from).collect::<Value>());
        document.insert("credentialSubject", subject);
        proof::sign(document, &options(), north().signer()).unwrap()
    };
    let (fits, too_large) = (filled(250_000), filled(300_000));
    verify_presentation(&presented(vec![fits], &[(CHALLENGE, DOMAIN)])).unwrap();
    let denied = verify_presentation(&presented(vec![too_large.clone()], &[(CHALLENGE, DOMAIN)])).unwrap_err();
    assert_eq!(denied.code(), DenialCode::DocumentTooLarge);

    let (audience, once) = (south().did, Once::new());
    let request = ActionRequest { audience: &audience };
    let act = |document: &Value| verify::action(&text(document), &request, &policy(), &Known::new(), &once, now());
    let mut enclosed = refund();
    act(&enclosed).unwrap();
    enclosed.as_object_mut().unwrap().insert("credential", too_large);
    assert_eq!(act(&enclosed).unwrap_err().code(), DenialCode::DocumentTooLarge);
}

#[test]
fn a_proof_may_lack_a_date_and_name_several_domains() {
    let mut document = presentation_draft(vec![credential()]).to_document().unwrap();
    let domains = vec!["north.example", DOMAIN];
    let mut proof = object! {
        "type": "DataIntegrityProof",
        "cryptosuite": "eddsa-jcs-2022",
        "proofPurpose": "authentication",
        "verificationMethod": agent().method(),
        "challenge": CHALLENGE,
        "domain": domains,
        "nonce": "q83vEjRWeJCrze8SNFZ4kA",
        "expires": "2026-11-24T12:05:00Z",
    };
    let hash = |value: &Value| syndic_vc::canonical::digest(value);
    let message = [hash(&proof), hash(&Value::from(document.clone()))].concat();
    let signature = agent().signer().sign(&message).unwrap();
    let value = multibase::encode(Base::Base58Btc, signature.as_bytes());
    proof.as_object_mut().unwrap().insert("proofValue", value);
    document.insert("proof", proof);
    let document = Value::from(document);
    assert_eq!(json::parse(&text(&document)).unwrap(), document);
    verify_presentation(&document).unwrap();
    for changed in ["nonce", "domain", "expires"] {
        let mut document = document.clone();
        let proof = document.as_object_mut().unwrap().get_mut("proof").unwrap();
        proof.as_object_mut().unwrap().remove(changed);
        assert!(verify_presentation(&document).is_err(), "{changed}");
    }
}

/// What was shown is judged anew by the same steps, and by what is known then.
#[test]
fn what_was_shown_holds_as_long_as_its_credentials_do() {
    let shown = |holder: &Party, credentials: Vec<Value>| object! { "holder": &holder.did, "verifiableCredential": credentials };
    let holds = |shown: &Value, known: &Known, at| verify::still_holds(shown, &policy(), known, at).map(drop);
    let both = shown(&agent(), vec![credential(), credential()]);
    assert_eq!(holds(&both, &Known::new(), now()), Ok(()));
    let mut revoked = Known::new();
    revoked.set.insert((LIST.to_owned(), revocation().index));
    assert_eq!(code(holds(&both, &revoked, now())), DenialCode::Revoked);
    let mut retired = Known::new();
    retired.retired.insert(agent().did);
    assert_eq!(code(holds(&both, &retired, now())), DenialCode::AgentRetired);
    let mut stale = Known::new();
    stale.heard.insert(north().did, after(-400));
    assert_eq!(code(holds(&both, &stale, now())), DenialCode::KnowledgeStale);
    assert_eq!(
        code(holds(&both, &Known::new(), after(400 * 24 * 3_600))),
        DenialCode::Expired
    );
    let foreign = shown(&stranger(), vec![credential()]);
    assert_eq!(code(holds(&foreign, &Known::new(), now())), DenialCode::HolderMismatch);
    let nothing = shown(&agent(), Vec::new());
    assert_eq!(
        code(holds(&nothing, &Known::new(), now())),
        DenialCode::DocumentMalformed
    );
    let mut altered = credential();
    altered
        .as_object_mut()
        .unwrap()
        .insert("validUntil", "2099-01-01T00:00:00Z");
    assert_eq!(
        code(holds(&shown(&agent(), vec![altered]), &Known::new(), now())),
        DenialCode::SignatureInvalid
    );
}

/// A chain that was shown dies with any of its links, and is none without all of them.
#[test]
fn what_was_handed_on_holds_as_long_as_every_link_does() {
    use world::chain::{handed_on, index_of, registered};
    let all = handed_on(3).sign();
    let holds = |credentials: &[Value], known: &Known| {
        let shown = object! { "holder": &agent().did, "verifiableCredential": Value::Array(credentials.to_vec()) };
        verify::still_holds(&shown, &policy(), known, now()).map(drop)
    };
    let known = |revoked: Option<usize>| {
        let mut known = Known::new();
        registered(&mut known, 3);
        known.set.extend(revoked.map(|step| (LIST.to_owned(), index_of(step))));
        known
    };
    assert_eq!(holds(&all, &known(None)), Ok(()));
    for step in 0..all.len() {
        assert_eq!(code(holds(&all, &known(Some(step)))), DenialCode::Revoked, "{step}");
        let mut without = all.clone();
        without.remove(step);
        assert!(holds(&without, &known(None)).is_err(), "{step}");
    }
}
