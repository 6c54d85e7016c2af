//! Vectors of presentations.

use syndic_vc::document::Purpose;
use syndic_vc::json::Value;
use syndic_vc::proof::ProofOptions;

use super::*;

fn vector(name: &'static str, input: Value) -> Vector {
    Vector::new("presentation", name, input)
}

fn options(by: &Party) -> ProofOptions {
    let mut options = ProofOptions::new(Purpose::Authentication, &by.method(), after(-2));
    options.challenge = Some(CHALLENGE.into());
    options.domain = Some(DOMAIN.into());
    options
}

fn unsigned() -> Value {
    presentation_draft(vec![credential()]).to_document().unwrap().into()
}

/// A credential of somebody else.
fn of_a_stranger() -> Value {
    let mut draft = draft();
    draft.id = "urn:uuid:0d9f3a52-7e1b-4b60-8c35-94d2a1e6f7b8".into();
    draft.agent = stranger().did;
    sign(&draft)
}

pub(super) fn all() -> Vec<Vector> {
    let mut all = accepted();
    all.extend(challenge_and_domain());
    all.extend(holder());
    all.extend(credentials());
    all
}

fn accepted() -> Vec<Vector> {
    let mut second = draft();
    second.id = "urn:uuid:4a8e2f60-1c7d-4d38-b5e9-6f0a3b2c1d8e".into();
    vec![
        vector("allow-one-credential", present(vec![credential()])),
        vector("allow-two-credentials", present(vec![credential(), sign(&second)])),
        vector("allow-credential-outside-an-array", {
            let document = changed(unsigned(), &["verifiableCredential"], credential());
            sign_with(document, &options(&agent()), &agent())
        }),
    ]
}

fn challenge_and_domain() -> Vec<Vector> {
    let state = |once: &mut Once, state: &'static str| {
        once.challenges.borrow_mut().insert(CHALLENGE.into(), state);
    };
    let mut silent = options(&agent());
    silent.challenge = None;
    let mut other = vector("deny-challenge-of-another-session", present(vec![credential()]));
    other.challenge = "bm90IHRoZSBvbmUgYXNrZWQ";
    let mut elsewhere = vector("deny-made-for-another-verifier", present(vec![credential()]));
    elsewhere.domain = "east.example";
    vec![
        other.denied("challenge-mismatch", "/proof/challenge"),
        vector("deny-no-challenge", sign_with(unsigned(), &silent, &agent()))
            .denied("challenge-mismatch", "/proof/challenge"),
        elsewhere.denied("domain-mismatch", "/proof/domain"),
        vector("deny-challenge-not-issued-here", present(vec![credential()]))
            .once(|once| once.challenges.borrow_mut().clear())
            .denied("challenge-unknown", "/proof/challenge"),
        vector("deny-challenge-used", present(vec![credential()]))
            .once(|once| state(once, "used"))
            .denied("challenge-used", "/proof/challenge"),
        vector("deny-challenge-expired", present(vec![credential()]))
            .once(|once| state(once, "expired"))
            .denied("challenge-expired", "/proof/challenge"),
    ]
}

fn holder() -> Vec<Vector> {
    vec![
        vector(
            "deny-signed-by-another-than-the-holder",
            sign_with(unsigned(), &options(&stranger()), &stranger()),
        )
        .denied("verification-method-foreign", "/proof/verificationMethod"),
        vector("deny-stolen-credential", {
            let mut draft = presentation_draft(vec![credential()]);
            draft.holder = stranger().did;
            sign_with(draft.to_document().unwrap().into(), &options(&stranger()), &stranger())
        })
        .denied("holder-mismatch", "/verifiableCredential/0/credentialSubject/id"),
        vector(
            "deny-one-credential-of-somebody-else",
            present(vec![credential(), of_a_stranger()]),
        )
        .denied("holder-mismatch", "/verifiableCredential/1/credentialSubject/id"),
        vector("deny-proof-for-assertion", {
            let mut options = options(&agent());
            options.purpose = Purpose::AssertionMethod;
            sign_with(unsigned(), &options, &agent())
        })
        .denied("proof-purpose-wrong", "/proof/proofPurpose"),
        vector("deny-holder-key-not-for-authentication", present(vec![credential()]))
            .known(|known| {
                known
                    .documents
                    .insert(agent().did, document_without(&agent(), Purpose::Authentication));
            })
            .denied("verification-method-unauthorized", "/proof/verificationMethod"),
        vector("deny-credential-swapped-after-signing", {
            let mut second = draft();
            second.agent_name = "CustomerSupportAgent-v2.4".into();
            changed(
                present(vec![credential()]),
                &["verifiableCredential"],
                vec![sign(&second)],
            )
        })
        .denied("signature-invalid", "/proof/proofValue"),
    ]
}

fn credentials() -> Vec<Vector> {
    let forged = changed(credential(), &["validUntil"], "2026-12-31T00:00:00Z");
    vec![
        vector("deny-nothing-presented", {
            let document = changed(unsigned(), &["verifiableCredential"], Value::Array(Vec::new()));
            sign_with(document, &options(&agent()), &agent())
        })
        .denied("document-malformed", "/verifiableCredential"),
        vector("deny-seventeen-credentials", {
            let document = changed(unsigned(), &["verifiableCredential"], vec![credential(); 17]);
            sign_with(document, &options(&agent()), &agent())
        })
        .denied("document-too-large", "/verifiableCredential"),
        vector("deny-presentation-with-unknown-member", {
            sign_with(changed(unsigned(), &["note"], "please"), &options(&agent()), &agent())
        })
        .denied("document-malformed", "/note"),
        vector("deny-forged-credential-inside", present(vec![credential(), forged]))
            .denied("signature-invalid", "/verifiableCredential/1/proof/proofValue"),
        vector("deny-revoked-credential-inside", present(vec![credential()]))
            .known(|known| {
                known.set.insert((LIST.into(), INDEX));
            })
            .denied("revoked", "/verifiableCredential/0/credentialStatus"),
        vector("deny-a-credential-in-place-of-a-presentation", credential()).denied("document-malformed", "/type"),
    ]
}
