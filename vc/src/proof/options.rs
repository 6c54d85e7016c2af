//! What a proof says beside the signature.

use super::{PROOF_TYPE, Suite};
use crate::document::Purpose;
use crate::json::{Object, Value};
use crate::time::Timestamp;

/// What a proof says beside the signature. All of it is signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProofOptions {
    /// How the document is turned into bytes; must fit the key.
    pub suite: Suite,
    /// The proof's own name, a URL, so that a later one can build on it.
    pub id: Option<String>,
    /// What the proof is for.
    pub purpose: Purpose,
    /// The DID URL of the key, as the signer's DID document names it.
    pub verification_method: String,
    /// When the proof is made.
    pub created: Timestamp,
    /// From when on the proof counts for nothing.
    pub expires: Option<Timestamp>,
    /// The verifier's challenge that the proof answers.
    pub challenge: Option<String>,
    /// The verifier the proof is made for.
    pub domain: Option<String>,
    /// The names of the proofs that this one builds on and signs too.
    pub previous_proof: Vec<String>,
}

impl ProofOptions {
    /// A proof in the default suite that neither expires nor answers anybody.
    #[must_use]
    pub fn new(purpose: Purpose, verification_method: &str, created: Timestamp) -> Self {
        Self {
            suite: Suite::default(),
            id: None,
            purpose,
            verification_method: verification_method.to_owned(),
            created,
            expires: None,
            challenge: None,
            domain: None,
            previous_proof: Vec::new(),
        }
    }

    /// The same in another suite.
    #[must_use]
    pub const fn in_suite(mut self, suite: Suite) -> Self {
        self.suite = suite;
        self
    }

    /// The proof without its value, for a document with this context.
    pub(super) fn to_object(&self, context: Option<&Value>) -> Object {
        let mut proof = Object::new();
        // As RDF, the proof is read with the document's context; as JSON it carries a copy.
        if let Some(context) = context.filter(|_| !self.suite.is_linked_data()) {
            proof.insert("@context", context.clone());
        }
        proof.insert("type", PROOF_TYPE);
        proof.insert("cryptosuite", self.suite.as_str());
        proof.insert("created", self.created);
        proof.insert("verificationMethod", self.verification_method.as_str());
        proof.insert("proofPurpose", self.purpose.as_str());
        if let Some(expires) = self.expires {
            proof.insert("expires", expires);
        }
        for (name, text) in [
            ("id", &self.id),
            ("challenge", &self.challenge),
            ("domain", &self.domain),
        ] {
            if let Some(text) = text {
                proof.insert(name, text.as_str());
            }
        }
        match self.previous_proof.as_slice() {
            [] => {}
            [only] => drop(proof.insert("previousProof", only.as_str())),
            several => {
                let names: Value = several.iter().map(|name| Value::from(name.as_str())).collect();
                proof.insert("previousProof", names);
            }
        }
        proof
    }
}
