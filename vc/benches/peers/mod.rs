//! Other people's libraries doing the nearest thing they do.
//!
//! Neither asks whose key it was, for what, until when, under which limits, nor whether it was
//! revoked: this is their lighter work beside our whole decision.

use std::hint::black_box;

use affinidi_data_integrity::{DataIntegrityProof, VerifyOptions};
use syndic_vc::canonical;
use syndic_vc::json::Value;

use crate::Candidate;

pub(crate) const NAMES: &[&str] = &[AFFINIDI, SSI];
const AFFINIDI: &str = "affinidi-data-integrity 0.8, eddsa-jcs-2022";
const SSI: &str = "ssi 0.16, eddsa-rdfc-2022";

pub(crate) fn all(signed: &Value) -> Vec<Candidate<'static>> {
    std::iter::once(affinidi(signed)).chain(linked_data(signed)).collect()
}

#[cfg(feature = "linked-data")]
fn linked_data(signed: &Value) -> Option<Candidate<'static>> {
    Some(linked_data::candidate(signed))
}

#[cfg(not(feature = "linked-data"))]
fn linked_data(_: &Value) -> Option<Candidate<'static>> {
    println!("skipped: {SSI} (needs --features linked-data)");
    None
}

/// The same signed document, from text to verdict, with the key bytes at hand.
fn affinidi(signed: &Value) -> Candidate<'static> {
    let text = canonical::to_bytes(signed);
    let key: [u8; 32] = crate::north().key.public_key().as_bytes().try_into().unwrap();
    let run = move || {
        let mut document: serde_json::Value = serde_json::from_slice(black_box(&text)).unwrap();
        let proof = document.as_object_mut().unwrap().remove("proof").unwrap();
        let proof: DataIntegrityProof = serde_json::from_value(proof).unwrap();
        proof
            .verify_with_public_key(&document, &key, VerifyOptions::new())
            .unwrap();
    };
    (AFFINIDI, Box::new(run))
}

#[cfg(feature = "linked-data")]
mod linked_data {
    //! RDF canonicalization needs terms for every member, so the context of the examples, which
    //! has a word for everything, stands in for ours; the claims are the same.

    use std::hint::black_box;

    use ssi::claims::VerificationParameters;
    use ssi::claims::data_integrity::{AnySuite, CryptographicSuite, DataIntegrity, ProofOptions, from_json_slice};
    use ssi::claims::vc::v2::JsonCredential;
    use ssi::dids::{DIDKey, DIDResolver};
    use ssi::verification_methods::{AnyMethod, ReferenceOrOwned, SingleSecretSigner};
    use syndic_vc::canonical;
    use syndic_vc::json::Value;

    use crate::Candidate;
    use crate::world::north;

    pub(super) fn candidate(signed: &Value) -> Candidate<'static> {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let resolver = DIDKey.into_vm_resolver::<AnyMethod>();
        let text = runtime.block_on(sign(signed));
        let run = move || {
            let document: DataIntegrity<JsonCredential, AnySuite> = from_json_slice(black_box(&text)).unwrap();
            let parameters = VerificationParameters::from_resolver(&resolver);
            runtime.block_on(document.verify(parameters)).unwrap().unwrap();
        };
        (super::SSI, Box::new(run))
    }

    async fn sign(signed: &Value) -> Vec<u8> {
        let mut document = signed.clone();
        let object = document.as_object_mut().unwrap();
        object.remove("proof");
        object.insert(
            "@context",
            vec![
                "https://www.w3.org/ns/credentials/v2",
                "https://www.w3.org/ns/credentials/examples/v2",
            ],
        );
        let document: JsonCredential = serde_json::from_slice(&canonical::to_bytes(&document)).unwrap();
        let party = north();
        let base64 = |bytes: &[u8]| multibase::Base::Base64Url.encode(bytes);
        let key: ssi::JWK = serde_json::from_value(serde_json::json!({
            "kty": "OKP", "crv": "Ed25519",
            "x": base64(party.key.public_key().as_bytes()), "d": base64(party.key.seed()),
        }))
        .unwrap();
        let method = serde_json::from_value(party.method().into()).unwrap();
        let options = ProofOptions::from_method_and_options(ReferenceOrOwned::Reference(method), Default::default());
        let resolver = DIDKey.into_vm_resolver::<AnyMethod>();
        let signer = SingleSecretSigner::new(key).into_local();
        let signed = AnySuite::EdDsaRdfc2022
            .sign(document, &resolver, &signer, options)
            .await
            .unwrap();
        serde_json::to_vec(&signed).unwrap()
    }
}
