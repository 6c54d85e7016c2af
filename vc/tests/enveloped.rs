//! Credentials and presentations in a token: the same verification, and no way round it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod world;

use syndic_vc::decision::{Step, Verified};
use syndic_vc::denial::{DenialCode as Code, Denied};
use syndic_vc::did_key;
use syndic_vc::document::Purpose;
use syndic_vc::enveloped::{self, Answer};
use syndic_vc::jose::{self, TokenType};
use syndic_vc::json::members::Path;
use syndic_vc::json::{Object, Value};
use syndic_vc::key::{EcdsaSecretKey, KeyKind, Signer};
use syndic_vc::presentation::Presentation;
use syndic_vc::proof::{self, ProofOptions};
use syndic_vc::verify::{
    self, ActionRequest, PresentationRequest, SecuredBy, VerifiedCredential, VerifiedPresentation,
};
use world::{Known, Once, Party, agent, draft, north, now, policy, stranger};
use zeroize::Zeroizing;

fn unsigned() -> Object {
    draft().to_document().unwrap()
}

fn signed(document: &Object) -> Value {
    let north = north();
    enveloped::sign_credential(document, &north.method(), north.signer()).unwrap()
}

/// Signed by whom and as what it should not be; nothing is checked.
fn token(payload: &Object, kid: Option<&str>, by: &Party) -> Value {
    enveloped::credential_of(&jose::sign(TokenType::Credential, kid, payload, by.signer()).unwrap())
}

fn verify(value: Value, known: &Known) -> Result<VerifiedCredential, Denied> {
    verify::credential(&world::text(&value), &policy(), known, now())
}

fn refused(value: Value, known: &Known) -> (Code, String) {
    let denied = verify(value, known).unwrap_err();
    (denied.code(), denied.first().at.clone())
}

fn with(document: &Object, name: &str, value: impl Into<Value>) -> Object {
    let mut document = document.clone();
    document.insert(name, value);
    document
}

#[test]
fn a_capability_credential_in_an_envelope_is_a_capability_credential() {
    let verified = verify(signed(&unsigned()), &Known::new()).unwrap();
    assert_eq!(verified.secured_by(), SecuredBy::Token);
    assert_eq!(verified.document(), &Value::from(unsigned()));
    assert_eq!(verified.issuer(), &north().did);
    assert_eq!(verified.capabilities().len(), 4);
    let embedded = verify(world::credential(), &Known::new()).unwrap();
    assert_eq!(embedded.secured_by(), SecuredBy::Proof);
    assert_eq!(verified.credential(), embedded.credential());
    assert_eq!(verified.findings(), embedded.findings());
    assert!(verified.findings().checked.contains(&Step::Standing));
}

#[test]
fn everything_that_refuses_a_proof_refuses_an_envelope() {
    let good = || signed(&unsigned());
    let mut known = Known::new();
    known.set.insert((world::LIST.into(), world::INDEX));
    assert_eq!(refused(good(), &known).0, Code::Revoked);
    let mut known = Known::new();
    known.authorized.clear();
    assert_eq!(
        refused(good(), &known),
        (Code::IssuerUnknown, "/credentialSubject/capability/0".into())
    );
    let mut known = Known::new();
    known.heard.clear();
    assert_eq!(refused(good(), &known), (Code::KnowledgeStale, "/issuer".into()));
    let mut known = Known::new();
    known.retired.insert(agent().did);
    assert_eq!(refused(good(), &known).0, Code::AgentRetired);
    let mut known = Known::new();
    known.suspended.insert(agent().did);
    assert_eq!(refused(good(), &known).0, Code::AgentSuspended);
    let mut known = Known::new();
    known.compromise(&north().method(), &[]);
    assert_eq!(refused(good(), &known), (Code::KeyCompromised, "/id".into()));
    let mut expired = draft();
    expired.valid_until = world::after(-1);
    let document = expired.to_document().unwrap();
    assert_eq!(
        refused(signed(&document), &Known::new()),
        (Code::Expired, "/validUntil".into())
    );
    let open = with(&unsigned(), "evidence", "x");
    let north = north();
    assert_eq!(
        refused(token(&open, Some(&north.method()), &north), &Known::new()),
        (Code::DocumentMalformed, "/evidence".into())
    );
}

#[test]
fn the_key_is_the_issuers_own_and_for_that() {
    let (north, stranger) = (north(), stranger());
    let known = Known::new();
    let good = token(&unsigned(), Some(&north.method()), &north);
    assert!(verify(good, &known).is_ok());
    // Another's key under its own name, and under the issuer's.
    assert_eq!(
        refused(token(&unsigned(), Some(&stranger.method()), &stranger), &known),
        (Code::VerificationMethodForeign, "/id".into())
    );
    assert_eq!(
        refused(token(&unsigned(), Some(&north.method()), &stranger), &known).0,
        Code::SignatureInvalid
    );
    // A name that begins like the issuer's.
    for kid in [
        format!("{}x#{}", north.did, north.did.method_specific_id()),
        format!("{}#{}", stranger.did, north.did.method_specific_id()),
    ] {
        assert_eq!(
            refused(token(&unsigned(), Some(&kid), &north), &known).0,
            Code::VerificationMethodForeign
        );
    }
    for kid in [
        None,
        Some(north.did.as_str()),
        Some("key-1"),
        Some("#key-1"),
        Some("https://north.example/keys/1#a"),
    ] {
        assert_eq!(
            refused(token(&unsigned(), kid, &north), &known).0,
            Code::EnvelopeMalformed,
            "{kid:?}"
        );
    }
    let unknown = format!("{}#other", north.did);
    assert_eq!(
        refused(token(&unsigned(), Some(&unknown), &north), &known).0,
        Code::VerificationMethodUnknown
    );
    // Listed, but not to sign credentials.
    let mut known = Known::new();
    let mut document = did_key::resolve(&north.did).unwrap();
    document.assertion_method.clear();
    known.documents.insert(north.did.clone(), document.into());
    assert_eq!(
        refused(token(&unsigned(), Some(&north.method()), &north), &known).0,
        Code::VerificationMethodUnauthorized
    );
    let mut known = Known::new();
    known.down.insert("document".into());
    assert_eq!(
        refused(token(&unsigned(), Some(&north.method()), &north), &known).0,
        Code::KnowledgeUnavailable
    );
}

#[test]
fn a_fragment_belongs_to_the_one_who_is_said_to_sign() {
    let north = north();
    let fragment = format!("#{}", north.did.method_specific_id());
    let known = Known::new();
    let said = with(&unsigned(), "iss", north.did.as_str());
    let verified = verify(token(&said, Some(&fragment), &north), &known).unwrap();
    // What was signed is handed out: the claim too.
    assert_eq!(verified.document(), &Value::from(said));
    assert_eq!(
        refused(token(&unsigned(), Some(&fragment), &north), &known).0,
        Code::EnvelopeMalformed
    );
    let stranger = stranger();
    let fragment = format!("#{}", stranger.did.method_specific_id());
    let lied = with(&unsigned(), "iss", stranger.did.as_str());
    assert_eq!(
        refused(token(&lied, Some(&fragment), &stranger), &known),
        (Code::ClaimsDisagree, "/iss".into())
    );
}

#[test]
fn every_kind_of_key_secures_an_envelope() {
    for (kind, length) in [(KeyKind::P256, 32), (KeyKind::P384, 48)] {
        let key = EcdsaSecretKey::from_scalar(kind, &Zeroizing::new(vec![9; length])).unwrap();
        let did = did_key::for_key(key.public_key());
        let kid = format!("{did}#{}", did.method_specific_id());
        let mut document = syndic_vc::object! {
            "@context": vec!["https://www.w3.org/ns/credentials/v2"],
            "type": vec!["VerifiableCredential"],
            "issuer": &did,
            "credentialSubject": syndic_vc::object! { "id": "did:example:somebody", "degree": "PhD" },
        }
        .into_object()
        .unwrap();
        let good = enveloped::sign_credential(&document, &kid, &key).unwrap();
        assert_eq!(verify(good.clone(), &Known::new()).unwrap().issuer(), &did);
        document.insert("issuer", north().did.as_str());
        let stolen = enveloped::sign_credential(&document, &kid, &key).unwrap();
        assert_eq!(refused(stolen, &Known::new()).0, Code::VerificationMethodForeign);
        // The same bytes say nothing with one bit of the payload changed.
        let text = enveloped::token_of(&good).unwrap();
        let (head, rest) = text.split_once('.').unwrap();
        let mut rest = rest.to_owned();
        let swapped = if rest.as_bytes()[9] == b'A' { "B" } else { "A" };
        rest.replace_range(9..10, swapped);
        assert!(verify(enveloped::credential_of(&format!("{head}.{rest}")), &Known::new()).is_err());
    }
}

#[test]
fn claims_say_what_the_document_says_and_times_are_the_signatures() {
    let north = north();
    let known = Known::new();
    let seconds = now().unix_seconds();
    let signed = |name: &str, value: Value| token(&with(&unsigned(), name, value), Some(&north.method()), &north);
    for (name, value) in [
        ("iss", Value::from(north.did.as_str())),
        ("sub", agent().did.as_str().into()),
        ("jti", world::CREDENTIAL_ID.into()),
        ("iat", (seconds + 59).into()),
        ("iat", 0.into()),
        ("nbf", seconds.into()),
        ("exp", (seconds + 1).into()),
    ] {
        assert!(verify(signed(name, value.clone()), &known).is_ok(), "{name} {value:?}");
    }
    let malformed = Code::DocumentMalformed;
    for (name, value, code) in [
        ("iss", Value::from(stranger().did.as_str()), Code::ClaimsDisagree),
        ("sub", stranger().did.as_str().into(), Code::ClaimsDisagree),
        ("jti", "urn:uuid:another".into(), Code::ClaimsDisagree),
        ("iss", 7.into(), malformed),
        ("iss", Value::Null, malformed),
        ("sub", Value::Array(vec![agent().did.as_str().into()]), malformed),
        ("jti", true.into(), malformed),
        ("iat", (seconds + 61).into(), Code::ProofFromTheFuture),
        ("nbf", (seconds + 61).into(), Code::ProofFromTheFuture),
        ("exp", seconds.into(), Code::ProofExpired),
        ("exp", 0.into(), Code::ProofExpired),
        ("exp", "2030-01-01T00:00:00Z".into(), malformed),
        ("exp", (seconds + 1).to_string().into(), malformed),
        ("exp", Value::Null, malformed),
        ("exp", syndic_vc::json::parse(b"1.5").unwrap(), malformed),
        ("exp", 9_007_199_254_740_991_i64.into(), malformed),
        ("nbf", false.into(), malformed),
        ("aud", world::DOMAIN.into(), Code::ProofUnsupported),
        ("vc", Value::from(Object::new()), Code::EnvelopeMalformed),
        ("vp", Value::Null, Code::EnvelopeMalformed),
        ("proof", Value::from(Object::new()), Code::ProofUnsupported),
    ] {
        assert_eq!(
            refused(signed(name, value.clone()), &known),
            (code, format!("/{name}")),
            "{value:?}"
        );
    }
}

#[test]
fn an_envelope_has_one_form() {
    let good = signed(&unsigned());
    let known = Known::new();
    assert!(verify(good.clone(), &known).is_ok());
    let url = good.get("id").unwrap().as_str().unwrap().to_owned();
    let token = enveloped::token_of(&good).unwrap().to_owned();
    let changed = |name: &str, value: Value| {
        let mut object = good.clone().into_object().unwrap();
        object.insert(name, value);
        Value::from(object)
    };
    // The general media type, the context in an array, the type in an array.
    for (name, value) in [
        ("id", Value::from(format!("data:application/jwt,{token}"))),
        ("@context", vec!["https://www.w3.org/ns/credentials/v2"].into()),
        ("type", vec!["EnvelopedVerifiableCredential"].into()),
    ] {
        assert!(verify(changed(name, value), &known).is_ok(), "{name}");
    }
    for (name, value, code) in [
        ("id", Value::from(token.as_str()), Code::EnvelopeMalformed),
        (
            "id",
            format!("data:application/vc+jwt;base64,{token}").into(),
            Code::EnvelopeMalformed,
        ),
        (
            "id",
            format!("data:application/vc+jwt;charset=utf-8,{token}").into(),
            Code::EnvelopeMalformed,
        ),
        (
            "id",
            format!("data:application/vc%2Bjwt,{token}").into(),
            Code::EnvelopeMalformed,
        ),
        (
            "id",
            format!("data:application/vc+ld+jwt,{token}").into(),
            Code::EnvelopeMalformed,
        ),
        (
            "id",
            format!("data:application/vp+jwt,{token}").into(),
            Code::EnvelopeMalformed,
        ),
        (
            "id",
            format!("data:APPLICATION/vc+jwt,{token}").into(),
            Code::EnvelopeMalformed,
        ),
        (
            "id",
            format!("DATA:application/vc+jwt,{token}").into(),
            Code::EnvelopeMalformed,
        ),
        ("id", format!("data:text/plain,{token}").into(), Code::EnvelopeMalformed),
        (
            "id",
            format!("https://a.example/{token}").into(),
            Code::EnvelopeMalformed,
        ),
        (
            "id",
            format!("data:application/vc+jwt, {token}").into(),
            Code::EnvelopeMalformed,
        ),
        ("id", url.replace('.', "%2E").into(), Code::EnvelopeMalformed),
        ("id", format!("{url}#x").into(), Code::EnvelopeMalformed),
        ("id", format!("{url}.").into(), Code::EnvelopeMalformed),
        ("id", format!("{url}~").into(), Code::EnvelopeMalformed),
        ("id", 7.into(), Code::DocumentMalformed),
        (
            "@context",
            "https://www.w3.org/2018/credentials/v1".into(),
            Code::ContextUnknown,
        ),
        ("@context", Value::Null, Code::ContextUnknown),
        (
            "type",
            vec!["EnvelopedVerifiableCredential", "VerifiableCredential"].into(),
            Code::DocumentMalformed,
        ),
        (
            "type",
            vec!["EnvelopedVerifiableCredential", "Other"].into(),
            Code::DocumentMalformed,
        ),
        ("proof", Value::from(Object::new()), Code::DocumentMalformed),
        ("credentialSubject", Value::from(Object::new()), Code::DocumentMalformed),
    ] {
        assert_eq!(
            refused(changed(name, value.clone()), &known),
            (code, format!("/{name}")),
            "{value:?}"
        );
    }
    // A presentation is no credential, and a credential signed as a presentation is none either.
    let north = north();
    let other = jose::sign(
        TokenType::Presentation,
        Some(&north.method()),
        &unsigned(),
        north.signer(),
    )
    .unwrap();
    assert_eq!(
        refused(enveloped::credential_of(&other), &known).0,
        Code::EnvelopeTypeWrong
    );
}

// Presentations.

fn request() -> PresentationRequest<'static> {
    PresentationRequest {
        challenge: world::CHALLENGE,
        domain: world::DOMAIN,
    }
}

fn answer() -> Answer<'static> {
    Answer {
        challenge: world::CHALLENGE,
        domain: world::DOMAIN,
        created: world::after(-2),
    }
}

fn presented(credentials: Vec<Value>) -> Value {
    let agent = agent();
    let document = world::presentation_draft(credentials).to_document().unwrap();
    enveloped::sign_presentation(&document, &answer(), &agent.method(), agent.signer()).unwrap()
}

fn show(value: Value, once: &Once) -> Result<VerifiedPresentation, Denied> {
    verify::presentation(&world::text(&value), &request(), &policy(), &Known::new(), once, now())
}

#[test]
fn presentations_and_credentials_combine_in_every_way() {
    let both = || vec![world::credential(), signed(&unsigned())];
    for document in [
        presented(both()),
        world::present(both()),
        presented(vec![signed(&unsigned())]),
    ] {
        let once = Once::new();
        let verified = show(document.clone(), &once).unwrap();
        assert_eq!(verified.holder(), &agent().did);
        let last = verified.credentials().last().unwrap();
        assert_eq!(last.secured_by(), SecuredBy::Token);
        assert_eq!(last.document(), &Value::from(unsigned()));
        let first = verified.credentials().first().unwrap();
        assert_eq!(first.capabilities().len(), 4);
        if first.secured_by() == SecuredBy::Proof {
            assert_eq!(first.document(), &world::credential());
        }
        // Once.
        assert_eq!(show(document, &once).unwrap_err().code(), Code::ChallengeUsed);
    }
    let payload = show(presented(both()), &Once::new()).unwrap();
    assert_eq!(
        payload.document().get("nonce").and_then(Value::as_str),
        Some(world::CHALLENGE)
    );
    assert!(show(presented(vec![signed(&unsigned()); 16]), &Once::new()).is_ok());
    // The draft refuses to hold more; a token by hand does not get past the verifier either.
    let agent = agent();
    let mut document = world::presentation_draft(vec![signed(&unsigned())])
        .to_document()
        .unwrap();
    document.insert("verifiableCredential", vec![signed(&unsigned()); 17]);
    assert!(Presentation::read(&document, &Path::ROOT).is_err());
    for (name, value) in [("nonce", world::CHALLENGE), ("aud", world::DOMAIN)] {
        document.insert(name, value);
    }
    let text = jose::sign(
        TokenType::Presentation,
        Some(&agent.method()),
        &document,
        agent.signer(),
    )
    .unwrap();
    let code = show(enveloped::presentation_of(&text), &Once::new())
        .unwrap_err()
        .code();
    assert_eq!(code, Code::DocumentTooLarge);
}

#[test]
fn a_presentation_answers_this_verifier_in_this_conversation() {
    let agent = agent();
    let document = world::presentation_draft(vec![signed(&unsigned())])
        .to_document()
        .unwrap();
    let sign = |claims: &[(&str, Value)], by: &Party| {
        let mut payload = document.clone();
        for (name, value) in [("nonce", world::CHALLENGE), ("aud", world::DOMAIN)] {
            payload.insert(name, value);
        }
        for (name, value) in claims {
            payload.insert(name, value.clone());
        }
        let token = jose::sign(TokenType::Presentation, Some(&by.method()), &payload, by.signer()).unwrap();
        enveloped::presentation_of(&token)
    };
    assert!(show(sign(&[], &agent), &Once::new()).is_ok());
    let several = Value::from(vec!["other.example", world::DOMAIN]);
    assert!(show(sign(&[("aud", several)], &agent), &Once::new()).is_ok());
    for (claims, code, at) in [
        (
            vec![("nonce", Value::from("another"))],
            Code::ChallengeMismatch,
            "/nonce",
        ),
        (vec![("nonce", 7.into())], Code::DocumentMalformed, "/nonce"),
        (vec![("aud", "other.example".into())], Code::DomainMismatch, "/aud"),
        (vec![("aud", Value::Array(Vec::new()))], Code::DocumentMalformed, "/aud"),
        (vec![("aud", Value::Null)], Code::DocumentMalformed, "/aud"),
        (vec![("iss", north().did.as_str().into())], Code::ClaimsDisagree, "/iss"),
        (
            vec![("exp", (now().unix_seconds() - 1).into())],
            Code::ProofExpired,
            "/exp",
        ),
        (
            vec![("iat", (now().unix_seconds() + 61).into())],
            Code::ProofFromTheFuture,
            "/iat",
        ),
        (vec![("vp", Value::from(Object::new()))], Code::EnvelopeMalformed, "/vp"),
        (
            vec![("holder", north().did.as_str().into())],
            Code::VerificationMethodForeign,
            "/id",
        ),
        (vec![("note", "x".into())], Code::DocumentMalformed, "/note"),
    ] {
        let denied = show(sign(&claims, &agent), &Once::new()).unwrap_err();
        assert_eq!((denied.code(), denied.first().at.as_str()), (code, at), "{claims:?}");
    }
    // Somebody else presents, under its own name.
    let thief = stranger();
    let claims = [("holder", Value::from(thief.did.as_str()))];
    let code = show(sign(&claims, &thief), &Once::new()).unwrap_err().code();
    assert_eq!(code, Code::HolderMismatch);
    // Without a claim that binds it.
    let mut payload = document.clone();
    payload.insert("aud", world::DOMAIN);
    let token = jose::sign(TokenType::Presentation, Some(&agent.method()), &payload, agent.signer()).unwrap();
    let denied = show(enveloped::presentation_of(&token), &Once::new()).unwrap_err();
    assert_eq!(denied.code(), Code::ChallengeMismatch);
    // A refused presentation leaves the challenge as it was.
    let once = Once::new();
    let mut bad = signed(&unsigned()).into_object().unwrap();
    bad.insert("id", "data:application/vc+jwt,a.b.c");
    assert!(show(presented(vec![bad.into()]), &once).is_err());
    assert!(show(presented(vec![signed(&unsigned())]), &once).is_ok());
}

#[test]
fn an_action_under_an_enveloped_credential() {
    let credential = signed(&unsigned());
    let action = |credential: &Value| {
        let draft = world::action_draft(
            credential,
            "call",
            "billing_api",
            "refund_under_100",
            r#"{"amount": {"value": "49.99", "unit": "USD"}}"#,
        );
        world::sign_action(draft)
    };
    let run = |action: Value, credential: Value| {
        let south = world::south();
        let text = world::text(&world::envelope(action, credential));
        let request = ActionRequest { audience: &south.did };
        verify::action(&text, &request, &policy(), &Known::new(), &Once::new(), now())
    };
    assert_eq!(
        run(action(&credential), credential.clone()).unwrap().issuer(),
        &north().did
    );
    // One signed for the same document with a proof names other bytes.
    let other = run(action(&world::credential()), credential.clone()).unwrap_err();
    assert_eq!(other.code(), Code::CapabilityMismatch);
    let mut changed = unsigned();
    changed.insert("name", "another text");
    let other = run(action(&credential), signed(&changed)).unwrap_err();
    assert_eq!(other.code(), Code::CapabilityMismatch);
}

#[test]
fn proof_only_looks_at_the_token() {
    let check = |value: &Value| verify::proof_only(&world::text(value), &policy(), &Known::new(), now());
    let good = check(&signed(&unsigned())).unwrap();
    assert_eq!(good.document(), &Value::from(unsigned()));
    assert!(check(&presented(vec![signed(&unsigned())])).is_ok());
    let token = jose::sign(
        TokenType::Credential,
        Some(&north().method()),
        &unsigned(),
        stranger().signer(),
    )
    .unwrap();
    let denied = check(&enveloped::credential_of(&token)).unwrap_err();
    assert_eq!(denied.code(), Code::SignatureInvalid);
    let expired = with(&unsigned(), "exp", 1);
    let denied = check(&self::token(&expired, Some(&north().method()), &north())).unwrap_err();
    assert_eq!(denied.code(), Code::ProofExpired);
}

#[test]
fn what_no_verifier_would_take_is_not_signed() {
    let north = north();
    let sign = |document: &Object| enveloped::sign_credential(document, &north.method(), north.signer());
    assert!(sign(&unsigned()).is_ok());
    assert!(sign(&with(&unsigned(), "extra", 1)).is_err());
    assert!(sign(&world::credential().into_object().unwrap()).is_err());
    let options = ProofOptions::new(Purpose::AssertionMethod, &north.method(), now());
    let proved = proof::sign(unsigned(), &options, north.signer()).unwrap();
    assert!(sign(&proved.into_object().unwrap()).is_err());
}
