//! Vectors of suites, proof sets, proof chains, and VCDM 1.1.

use multibase::Base;
use syndic_vc::document::Purpose;
use syndic_vc::json::Value;
use syndic_vc::key::KeyKind;
use syndic_vc::object;
use syndic_vc::proof::{self, ProofOptions, Suite};

use super::*;

const FIRST: &str = "urn:uuid:3f1a9c52-0d7e-4b68-9e21-5c84d2b7a601";
const SECOND: &str = "urn:uuid:8b60e7d4-52c9-4f3a-a1b8-07d96e3f4c12";
const METHOD: &str = "/proof/verificationMethod";
const VALUE: &str = "/proof/proofValue";

fn vector(name: &'static str, input: Value) -> Vector {
    Vector::new("credential", name, input)
}

/// Not about capabilities, and issued by this party.
fn plain(issuer: &str) -> Value {
    object! {
        "@context": vec!["https://www.w3.org/ns/credentials/v2", "https://www.w3.org/ns/credentials/examples/v2"],
        "type": vec!["VerifiableCredential", "AlumniCredential"],
        "issuer": issuer,
        "validFrom": "2026-01-01T00:00:00Z",
        "credentialSubject": object! { "id": agent().did.as_str(), "alumniOf": "The School of Examples" },
    }
}

fn plain_v1(issuer: &str) -> Value {
    object! {
        "@context": vec!["https://www.w3.org/2018/credentials/v1", "https://w3id.org/security/data-integrity/v2"],
        "type": vec!["VerifiableCredential"],
        "issuer": issuer,
        "issuanceDate": "2026-01-01T00:00:00Z",
        "expirationDate": "2027-01-01T00:00:00Z",
        "credentialSubject": object! { "id": agent().did.as_str() },
    }
}

fn by_hardware(kind: KeyKind, suite: Suite) -> Value {
    let party = hardware(kind);
    let options = ProofOptions::new(Purpose::AssertionMethod, &party.method(), after(-2)).in_suite(suite);
    let document = plain(party.did.as_str()).into_object().unwrap();
    proof::sign(document, &options, &party.key).unwrap()
}

fn by_north(document: Value) -> Value {
    sign_raw(document, Purpose::AssertionMethod, &north())
}

fn named(id: Option<&str>, previous: &[&str], seconds: i64) -> ProofOptions {
    let mut options = ProofOptions::new(Purpose::AssertionMethod, &north().method(), after(seconds));
    options.id = id.map(str::to_owned);
    options.previous_proof = previous.iter().map(|name| (*name).to_owned()).collect();
    options
}

fn add(document: Value, options: &ProofOptions, by: &Party) -> Value {
    proof::add(document.into_object().unwrap(), options, by.signer()).unwrap()
}

/// Two proofs of north that know nothing of each other.
fn set_of_two() -> Value {
    let one = add(plain(north().did.as_str()), &named(Some(FIRST), &[], -9), &north());
    add(one, &named(Some(SECOND), &[], -8), &north())
}

/// Two proofs, and a third that builds on both.
fn chain() -> Value {
    add(set_of_two(), &named(None, &[FIRST, SECOND], -7), &north())
}

/// The proof number `index` with one member changed.
fn with(mut document: Value, index: &str, member: &str, value: impl Into<Value>) -> Value {
    set(&mut document, &["proof", index, member], value);
    document
}

fn without(mut document: Value, index: usize) -> Value {
    let Some(Value::Array(proofs)) = document.as_object_mut().unwrap().get_mut("proof") else {
        panic!("several proofs")
    };
    proofs.remove(index);
    document
}

fn swapped(mut document: Value) -> Value {
    let Some(Value::Array(proofs)) = document.as_object_mut().unwrap().get_mut("proof") else {
        panic!("several proofs")
    };
    proofs.swap(0, 1);
    document
}

/// The other valid form of an ECDSA signature, n - s.
fn other_form(document: &Value) -> Value {
    const ORDER: [u8; 32] = [
        0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xBC, 0xE6, 0xFA, 0xAD,
        0xA7, 0x17, 0x9E, 0x84, 0xF3, 0xB9, 0xCA, 0xC2, 0xFC, 0x63, 0x25, 0x51,
    ];
    let mut bytes = signature_of(document);
    let mut borrow = 0;
    for at in (0..32).rev() {
        let digit = i32::from(ORDER[at]) - i32::from(bytes[32 + at]) - borrow;
        borrow = i32::from(digit < 0);
        bytes[32 + at] = u8::try_from(digit.rem_euclid(256)).unwrap();
    }
    resigned(document, Base::Base58Btc, &bytes)
}

fn signature_of(document: &Value) -> Vec<u8> {
    let value = document.get("proof").unwrap().get("proofValue").unwrap();
    multibase::decode(value.as_str().unwrap()).unwrap().1
}

fn resigned(document: &Value, base: Base, bytes: &[u8]) -> Value {
    let mut document = document.clone();
    set(&mut document, &["proof", "proofValue"], multibase::encode(base, bytes));
    document
}

pub(super) fn all() -> Vec<Vector> {
    let mut all = suites();
    all.extend(values());
    all.extend(sets());
    all.extend(chains());
    all.extend(version_1());
    #[cfg(feature = "linked-data")]
    all.extend(linked_data());
    all
}

fn suites() -> Vec<Vector> {
    let p256 = by_hardware(KeyKind::P256, Suite::EcdsaJcs2019);
    let relabelled = |name: &str| changed(p256.clone(), &["proof", "cryptosuite"], name);
    let old_type = changed(
        by_north(plain(north().did.as_str())),
        &["proof", "type"],
        "Ed25519Signature2020",
    );
    vec![
        vector("allow-p256-over-json", p256.clone()),
        vector("allow-p256-signature-in-its-other-form", other_form(&p256)),
        vector("allow-p384-over-json", by_hardware(KeyKind::P384, Suite::EcdsaJcs2019)),
        vector("deny-p256-key-in-an-ed25519-suite", relabelled("eddsa-jcs-2022"))
            .denied("verification-method-unsuitable", METHOD),
        vector(
            "deny-ed25519-key-in-an-ecdsa-suite",
            changed(
                by_north(plain(north().did.as_str())),
                &["proof", "cryptosuite"],
                "ecdsa-jcs-2019",
            ),
        )
        .denied("verification-method-unsuitable", METHOD),
        vector("deny-envelope-with-a-parameter-in-its-url", {
            object! {
                "@context": "https://www.w3.org/ns/credentials/v2",
                "type": "EnvelopedVerifiableCredential",
                "id": "data:application/vc+jwt;charset=utf-8,e30.e30.AA",
            }
        })
        .denied("envelope-malformed", "/id"),
        vector("deny-ecdsa-suite-of-another-year", relabelled("ecdsa-jcs-2022"))
            .denied("proof-unsupported", "/proof/cryptosuite"),
        vector("deny-old-proof-type-with-a-cryptosuite", old_type).denied("proof-malformed", "/proof/cryptosuite"),
    ]
}

fn values() -> Vec<Vector> {
    let signed = by_north(plain(north().did.as_str()));
    let bytes = signature_of(&signed);
    let p256 = by_hardware(KeyKind::P256, Suite::EcdsaJcs2019);
    let p384 = by_hardware(KeyKind::P384, Suite::EcdsaJcs2019);
    vec![
        vector(
            "deny-signature-in-base64url",
            resigned(&signed, Base::Base64Url, &bytes),
        )
        .denied("proof-malformed", VALUE),
        vector("deny-signature-in-hex", resigned(&signed, Base::Base16Lower, &bytes)).denied("proof-malformed", VALUE),
        vector(
            "deny-signature-a-byte-short",
            resigned(&signed, Base::Base58Btc, &bytes[1..]),
        )
        .denied("proof-malformed", VALUE),
        vector(
            "deny-signature-a-byte-long",
            resigned(&signed, Base::Base58Btc, &[&bytes[..], &[0]].concat()),
        )
        .denied("proof-malformed", VALUE),
        vector(
            "deny-p256-signature-of-96-bytes",
            resigned(&p256, Base::Base58Btc, &signature_of(&p384)),
        )
        .denied("signature-invalid", VALUE),
        vector(
            "deny-p384-signature-of-64-bytes",
            resigned(&p384, Base::Base58Btc, &signature_of(&p256)),
        )
        .denied("signature-invalid", VALUE),
        vector(
            "deny-p256-signature-of-zeros",
            resigned(&p256, Base::Base58Btc, &[0; 64]),
        )
        .denied("signature-invalid", VALUE),
    ]
}

fn sets() -> Vec<Vector> {
    let with_stranger = {
        let options = ProofOptions::new(Purpose::AssertionMethod, &stranger().method(), after(-7));
        add(set_of_two(), &options, &stranger())
    };
    let with_other_purpose = {
        let options = ProofOptions::new(Purpose::Authentication, &north().method(), after(-7));
        add(set_of_two(), &options, &north())
    };
    let eight = (0..6).fold(set_of_two(), |document, at| {
        add(document, &named(None, &[], -20 - at), &north())
    });
    let mut nine = eight.clone();
    if let Some(Value::Array(proofs)) = nine.as_object_mut().unwrap().get_mut("proof") {
        let one_more = add(plain(north().did.as_str()), &named(None, &[], -30), &north());
        proofs.push(one_more.get("proof").unwrap().clone());
    }
    vec![
        vector("allow-set-of-two-proofs", set_of_two()),
        vector("allow-set-in-another-order", swapped(set_of_two())),
        vector("allow-set-of-eight-proofs", eight),
        vector("deny-set-of-nine-proofs", nine).denied("proof-unsupported", "/proof"),
        vector(
            "deny-set-with-a-changed-proof",
            with(set_of_two(), "1", "created", "2026-11-24T11:59:51Z"),
        )
        .denied("signature-invalid", "/proof/1/proofValue"),
        vector("deny-set-with-a-proof-of-a-stranger", with_stranger)
            .denied("verification-method-foreign", "/proof/2/verificationMethod"),
        vector("deny-set-with-a-proof-for-another-purpose", with_other_purpose)
            .denied("proof-purpose-wrong", "/proof/2/proofPurpose"),
        vector(
            "deny-set-with-a-proof-in-an-unknown-suite",
            with(set_of_two(), "1", "cryptosuite", "x-2030"),
        )
        .denied("proof-unsupported", "/proof/1/cryptosuite"),
        vector("deny-set-with-one-name-twice", with(set_of_two(), "1", "id", FIRST))
            .denied("proof-malformed", "/proof/1/id"),
        vector(
            "deny-proof-with-a-relative-name",
            with(set_of_two(), "1", "id", "second"),
        )
        .denied("proof-malformed", "/proof/1/id"),
        vector(
            "deny-empty-list-of-proofs",
            changed(set_of_two(), &["proof"], Vec::<Value>::new()),
        )
        .denied("proof-missing", "/proof"),
        vector(
            "deny-text-among-the-proofs",
            changed(set_of_two(), &["proof", "1"], "proof"),
        )
        .denied("proof-malformed", "/proof/1"),
    ]
}

fn chains() -> Vec<Vector> {
    let circle = with(
        with(set_of_two(), "0", "previousProof", SECOND),
        "1",
        "previousProof",
        FIRST,
    );
    let one_fewer = with(chain(), "2", "previousProof", FIRST);
    let on_itself = with(set_of_two(), "1", "previousProof", SECOND);
    let next = format!("{}1", &SECOND[..SECOND.len() - 1]);
    vec![
        vector("allow-chain-of-proofs", chain()),
        vector("allow-chain-without-its-last-proof", without(chain(), 2)),
        vector("deny-chain-without-a-previous-proof", without(chain(), 0))
            .denied("proof-chain-broken", "/proof/1/previousProof"),
        vector(
            "deny-chain-with-a-previous-proof-renamed",
            with(chain(), "1", "id", next),
        )
        .denied("proof-chain-broken", "/proof/2/previousProof"),
        vector("deny-chain-with-previous-proofs-exchanged", swapped(chain()))
            .denied("signature-invalid", "/proof/2/proofValue"),
        vector("deny-chain-that-builds-on-fewer", one_fewer).denied("signature-invalid", "/proof/2/proofValue"),
        vector("deny-chain-in-a-circle", circle).denied("proof-chain-broken", "/proof/0/previousProof"),
        vector("deny-proof-that-builds-on-itself", on_itself).denied("proof-chain-broken", "/proof/1/previousProof"),
        vector(
            "deny-chain-with-a-number-for-a-name",
            with(chain(), "2", "previousProof", 1),
        )
        .denied("proof-malformed", "/proof/2/previousProof"),
    ]
}

fn version_1() -> Vec<Vector> {
    let issuer = north();
    let issuer = issuer.did.as_str();
    let issued = |path: &[&str], value: &str| by_north(changed(plain_v1(issuer), path, value));
    let mut undated = plain_v1(issuer);
    take(&mut undated, "issuanceDate");
    let both = vec![
        "https://www.w3.org/2018/credentials/v1",
        "https://www.w3.org/ns/credentials/v2",
    ];
    vec![
        vector("allow-version-1-credential", by_north(plain_v1(issuer))),
        vector("deny-version-1-expired", issued(&["expirationDate"], NOW)).denied("expired", "/expirationDate"),
        vector(
            "deny-version-1-not-yet-valid",
            issued(&["issuanceDate"], "2026-12-01T00:00:00Z"),
        )
        .denied("not-yet-valid", "/issuanceDate"),
        vector("deny-version-1-without-a-date", by_north(undated)).denied("document-malformed", "/issuanceDate"),
        vector(
            "deny-version-1-with-an-end-of-version-2",
            issued(&["validUntil"], "2026-11-01T00:00:00Z"),
        )
        .denied("document-malformed", "/validUntil"),
        vector(
            "deny-version-2-with-an-end-of-version-1",
            by_north(changed(plain(issuer), &["expirationDate"], "2026-11-01T00:00:00Z")),
        )
        .denied("document-malformed", "/expirationDate"),
        vector(
            "deny-both-versions-in-one",
            by_north(changed(plain_v1(issuer), &["@context"], both)),
        )
        .denied("context-unknown", "/@context/1"),
        vector("deny-capability-credential-of-version-1", {
            let contexts = vec![
                "https://www.w3.org/2018/credentials/v1",
                "https://syndic.example/ns/capability/v1",
            ];
            let document: Value = draft().to_document().unwrap().into();
            by_north(changed(document, &["@context"], contexts))
        })
        .denied("context-unknown", "/@context"),
    ]
}

#[cfg(feature = "linked-data")]
fn linked_data() -> Vec<Vector> {
    let options = |by: &str| ProofOptions::new(Purpose::AssertionMethod, by, after(-2));
    let north = north();
    let method = north.method();
    let rdfc = options(&method).in_suite(Suite::EddsaRdfc2022);
    let document = plain(north.did.as_str()).into_object().unwrap();
    let signed = proof::sign(document, &rdfc, north.signer()).unwrap();
    let mut undefined = {
        let mut document = plain(north.did.as_str());
        set(
            &mut document,
            &["@context"],
            vec!["https://www.w3.org/ns/credentials/v2"],
        );
        set(&mut document, &["type"], vec!["VerifiableCredential"]);
        set(
            &mut document,
            &["credentialSubject"],
            object! { "id": agent().did.as_str() },
        );
        proof::sign(document.into_object().unwrap(), &rdfc, north.signer()).unwrap()
    };
    set(&mut undefined, &["credentialSubject", "clearance"], "top");
    let changed_claim = changed(signed.clone(), &["credentialSubject", "alumniOf"], "Another School");
    let v1 = plain_v1(north.did.as_str()).into_object().unwrap();
    let v1 = proof::sign(v1, &rdfc, north.signer()).unwrap();
    let needed = |vector: Vector| vector.needs("linked-data");
    vec![
        needed(vector("allow-ed25519-over-rdf", signed.clone())),
        needed(vector("allow-version-1-over-rdf", v1)),
        needed(vector(
            "allow-p256-over-rdf",
            by_hardware(KeyKind::P256, Suite::EcdsaRdfc2019),
        )),
        needed(vector(
            "allow-p384-over-rdf",
            by_hardware(KeyKind::P384, Suite::EcdsaRdfc2019),
        )),
        needed(vector("deny-member-without-a-definition-over-rdf", undefined))
            .denied("linked-data-unsafe", "/credentialSubject/clearance"),
        needed(vector("deny-claim-changed-over-rdf", changed_claim)).denied("signature-invalid", VALUE),
        needed(vector(
            "deny-json-proof-relabelled-rdf",
            changed(
                by_north(plain(north.did.as_str())),
                &["proof", "cryptosuite"],
                "eddsa-rdfc-2022",
            ),
        ))
        .denied("signature-invalid", VALUE),
        needed(vector(
            "deny-rdf-proof-relabelled-json",
            changed(signed, &["proof", "cryptosuite"], "eddsa-jcs-2022"),
        ))
        .denied("signature-invalid", VALUE),
    ]
}
