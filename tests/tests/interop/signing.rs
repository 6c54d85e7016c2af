//! Our side where nothing is asked over HTTP: the library signs as the node does, with keys of the test.

use serde_json::{Value, json};
use syndic_vc::document::Purpose;
use syndic_vc::key::{EcdsaSecretKey, KeyKind, SecretKey, Signer};
use syndic_vc::proof::{self, ProofOptions, Suite};
use syndic_vc::time::Timestamp;
use syndic_vc::{canonical, did_key, json as strict};
use zeroize::Zeroizing;

use crate::random::Random;

/// A key of ours, and the did:key that it makes.
pub(crate) struct OurKey {
    /// Its did:key.
    pub(crate) did: String,
    /// The DID URL of the key.
    pub(crate) method: String,
    /// The key.
    pub(crate) signer: Box<dyn Signer>,
}

/// What a proof of a presentation answers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Answering<'a> {
    /// The verifier's challenge.
    pub(crate) challenge: &'a str,
    /// The verifier's name.
    pub(crate) domain: &'a str,
}

impl OurKey {
    /// A key of this kind; the same for the same state of `random`.
    pub(crate) fn new(kind: &str, random: &mut Random) -> Self {
        let mut bytes = |length: usize| (0..length).map(|_| random.bits().to_le_bytes()[0]).collect::<Vec<u8>>();
        let signer: Box<dyn Signer> = match kind {
            "Ed25519" => Box::new(SecretKey::from_seed(Zeroizing::new(bytes(32).try_into().unwrap()))),
            "P-256" => Box::new(scalar(KeyKind::P256, bytes(32))),
            _ => Box::new(scalar(KeyKind::P384, bytes(48))),
        };
        let did = did_key::for_key(signer.public_key()).to_string();
        let method = format!("{did}#{}", signer.public_key().to_multikey());
        Self { did, method, signer }
    }

    /// The document signed by this key: for a presentation if it answers somebody, else for a credential.
    pub(crate) fn sign(
        &self,
        suite: &str,
        document: &Value,
        answering: Option<Answering<'_>>,
    ) -> Result<Value, String> {
        let suite = Suite::parse(suite).ok_or("no such suite")?;
        let purpose = answering.map_or(Purpose::AssertionMethod, |_| Purpose::Authentication);
        let mut options = ProofOptions::new(purpose, &self.method, now()).in_suite(suite);
        options.challenge = answering.map(|answering| answering.challenge.to_owned());
        options.domain = answering.map(|answering| answering.domain.to_owned());
        let object = to_ours(document).into_object().map_err(|_| "not an object")?;
        let signed = proof::sign(object, &options, self.signer.as_ref()).map_err(|error| error.to_string())?;
        Ok(to_theirs(&signed))
    }
}

fn scalar(kind: KeyKind, mut bytes: Vec<u8>) -> EcdsaSecretKey {
    // Below the order of either group.
    bytes[0] = 0x7F;
    EcdsaSecretKey::from_scalar(kind, &Zeroizing::new(bytes)).unwrap()
}

/// The time that signatures of the test bear.
pub(crate) fn now() -> Timestamp {
    let seconds = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap()
        .as_secs();
    Timestamp::from_unix_seconds(i64::try_from(seconds).unwrap()).unwrap()
}

/// A value as our strict reader has it.
pub(crate) fn to_ours(value: &Value) -> strict::Value {
    strict::parse(value.to_string().as_bytes()).unwrap()
}

/// A value of ours, for the pipe.
pub(crate) fn to_theirs(value: &strict::Value) -> Value {
    serde_json::from_slice(&canonical::to_bytes(value)).unwrap()
}

/// The unsigned credential made ours: its issuer, and for VCDM 1.1 the context of the proofs.
pub(crate) fn issued_by(credential: &Value, did: &str) -> Value {
    let mut credential = credential.clone();
    match &mut credential["issuer"] {
        Value::Object(issuer) => drop(issuer.insert("id".to_owned(), did.into())),
        issuer => *issuer = did.into(),
    }
    name_the_proofs_context(&mut credential);
    credential
}

/// An unsigned presentation.
pub(crate) fn presentation(context: &str, holder: &str, credentials: &[Value]) -> Value {
    let mut document = json!({
        "@context": [context],
        "type": ["VerifiablePresentation"],
        "holder": holder,
        "verifiableCredential": credentials,
    });
    name_the_proofs_context(&mut document);
    document
}

/// VCDM 1.1 does not define the terms of a proof; VCDM 2.0 does.
fn name_the_proofs_context(document: &mut Value) {
    let contexts = document["@context"].as_array_mut().unwrap();
    if contexts[0] == "https://www.w3.org/2018/credentials/v1" {
        contexts.push("https://w3id.org/security/data-integrity/v2".into());
    }
}
