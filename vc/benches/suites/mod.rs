//! Every suite, on the same plain credential, beside the bare signature check of its kind of key.

use std::hint::black_box;
use std::sync::Arc;

use syndic_vc::credential::CREDENTIALS_CONTEXT;
use syndic_vc::did::Did;
use syndic_vc::did_key;
use syndic_vc::document::Purpose;
use syndic_vc::enveloped;
use syndic_vc::json::{Object, Value};
use syndic_vc::key::{EcdsaSecretKey, KeyKind, SecretKey, Signer};
use syndic_vc::proof::{self, ProofOptions, Suite};
use syndic_vc::verify;
use zeroize::Zeroizing;

use crate::measure::paired;
use crate::setup::Cached;
use crate::world::{after, now, policy, text};

const SUITES: [(Suite, KeyKind); 6] = [
    (Suite::EddsaJcs2022, KeyKind::Ed25519),
    (Suite::EcdsaJcs2019, KeyKind::P256),
    (Suite::EcdsaJcs2019, KeyKind::P384),
    (Suite::EddsaRdfc2022, KeyKind::Ed25519),
    (Suite::EcdsaRdfc2019, KeyKind::P256),
    (Suite::EcdsaRdfc2019, KeyKind::P384),
];

pub(crate) fn report() {
    println!("\nSuites, a plain credential with cached keys:");
    for (suite, kind) in SUITES {
        if suite.is_linked_data() && !cfg!(feature = "linked-data") {
            println!("  skipped: {} (needs --features linked-data)", suite.as_str());
            continue;
        }
        let party = Party::new(kind);
        let options = ProofOptions::new(Purpose::AssertionMethod, &party.method(), after(-60)).in_suite(suite);
        let signed = proof::sign(party.document(), &options, &*party.signer).unwrap();
        party.measure(suite.as_str(), &signed);
    }
    for kind in KeyKind::ALL {
        let party = Party::new(kind);
        let enveloped = enveloped::sign_credential(&party.document(), &party.method(), &*party.signer).unwrap();
        party.measure("vc+jwt", &enveloped);
    }
}

struct Party {
    signer: Box<dyn Signer>,
    did: Did,
}

impl Party {
    fn new(kind: KeyKind) -> Self {
        let secret = |length| Zeroizing::new(vec![7; length]);
        let signer: Box<dyn Signer> = match kind {
            KeyKind::Ed25519 => Box::new(SecretKey::from_seed(Zeroizing::new([7; 32]))),
            KeyKind::P256 => Box::new(EcdsaSecretKey::from_scalar(kind, &secret(32)).unwrap()),
            KeyKind::P384 => Box::new(EcdsaSecretKey::from_scalar(kind, &secret(48)).unwrap()),
        };
        let did = did_key::for_key(signer.public_key());
        Self { signer, did }
    }

    fn method(&self) -> String {
        format!("{}#{}", self.did, self.did.method_specific_id())
    }

    fn document(&self) -> Object {
        let value = syndic_vc::object! {
            "@context": vec![CREDENTIALS_CONTEXT, "https://www.w3.org/ns/credentials/examples/v2"],
            "id": "urn:uuid:58172aac-d8ba-11ed-83dd-0b3aef56cc33",
            "type": vec!["VerifiableCredential", "AlumniCredential"],
            "name": "Alumni Credential",
            "description": "A minimum viable example of an Alumni Credential.",
            "issuer": self.did.as_str(),
            "validFrom": after(-3_600),
            "validUntil": after(3_600),
            "credentialSubject": syndic_vc::object! {
                "id": "did:example:abcdefgh",
                "alumniOf": "The School of Examples",
            },
        };
        value.into_object().unwrap()
    }

    fn measure(&self, name: &str, signed: &Value) {
        let mut known = Cached::new();
        let document = Arc::new(did_key::resolve(&self.did).unwrap());
        known.documents.insert(self.did.clone(), document);
        let (policy, now, text) = (policy(), now(), text(signed));
        let key = self.signer.public_key();
        let message = [7; 64];
        let signature = self.signer.sign(&message).unwrap();
        let mut bare = || key.verify(black_box(&message), black_box(&signature)).unwrap();
        let mut run = || {
            verify::credential(black_box(&text), &policy, &known, now).unwrap();
        };
        let (seconds, ratio) = paired(&mut bare, &mut run, 16);
        println!(
            "  {:<24} {:>9.2} us {:>8.0} per CPU second   / bare {} check = {ratio:.2}",
            format!("{name} {}", key.kind().as_str()),
            seconds * 1e6,
            1.0 / seconds,
            key.kind().as_str()
        );
    }
}
