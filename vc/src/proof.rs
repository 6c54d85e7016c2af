//! Data Integrity proofs with the cryptosuite `eddsa-jcs-2022` (W3C Data Integrity EdDSA
//! Cryptosuites 1.0, section 3.3).
//!
//! Making a proof is public. Checking one is not: only [`crate::verify`] does, so that nobody
//! takes a good signature for permission.

mod base58;

use multibase::Base;
use sha2::{Digest, Sha256};

use crate::canonical;
use crate::denial::{DenialCode, Reason};
use crate::document::Purpose;
use crate::json::members::{Members, Path};
use crate::json::{Object, Value};
use crate::key::{SignError, Signature, Signer};
use crate::limits::{DOMAINS, PROOF_VALUE_CHARS};
use crate::time::Timestamp;

/// The one proof type (VC Data Integrity 1.0 section 2.1).
pub const PROOF_TYPE: &str = "DataIntegrityProof";

/// The one cryptosuite made and verified here.
pub const CRYPTOSUITE: &str = "eddsa-jcs-2022";

/// What a proof says beside the signature. All of it is signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProofOptions {
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
}

impl ProofOptions {
    /// A proof that neither expires nor answers anybody.
    #[must_use]
    pub fn new(purpose: Purpose, verification_method: &str, created: Timestamp) -> Self {
        Self {
            purpose,
            verification_method: verification_method.to_owned(),
            created,
            expires: None,
            challenge: None,
            domain: None,
        }
    }

    /// The proof without its value, for a document with this context (section 3.3.1, steps 2 and 3).
    fn to_object(&self, context: Option<&Value>) -> Object {
        let mut proof = Object::new();
        if let Some(context) = context {
            proof.insert("@context", context.clone());
        }
        proof.insert("type", PROOF_TYPE);
        proof.insert("cryptosuite", CRYPTOSUITE);
        proof.insert("created", self.created);
        proof.insert("verificationMethod", self.verification_method.as_str());
        proof.insert("proofPurpose", self.purpose.as_str());
        if let Some(expires) = self.expires {
            proof.insert("expires", expires);
        }
        if let Some(challenge) = &self.challenge {
            proof.insert("challenge", challenge.as_str());
        }
        if let Some(domain) = &self.domain {
            proof.insert("domain", domain.as_str());
        }
        proof
    }
}

/// Signs a document (section 3.3.1): the result is the document with its `proof`.
///
/// A `proof` that the document already has is replaced: one document, one proof.
///
/// # Errors
/// [`SignError`] when the key cannot be used now.
pub fn sign(mut document: Object, options: &ProofOptions, signer: &dyn Signer) -> Result<Value, SignError> {
    let mut proof = options.to_object(document.get("@context"));
    let signature = signer.sign(&hash_data(&document, &proof))?;
    proof.insert("proofValue", multibase::encode(Base::Base58Btc, signature.as_bytes()));
    document.insert("proof", proof);
    Ok(document.into())
}

/// A document could not be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IssueError {
    /// It would not be accepted by anybody.
    #[error("{0}")]
    Refused(Reason),
    /// The key cannot be used now.
    #[error(transparent)]
    Sign(#[from] SignError),
}

impl From<Reason> for IssueError {
    fn from(reason: Reason) -> Self {
        Self::Refused(reason)
    }
}

/// A credential of the usual size is written without growing.
const USUAL_BYTES: usize = 4_096;

/// What is signed (sections 3.3.3 to 3.3.5): the hash of the canonical proof without its value,
/// then the hash of the canonical document without its proof. Neither is copied.
fn hash_data(document: &Object, proof: &Object) -> [u8; 64] {
    let mut bytes = Vec::with_capacity(USUAL_BYTES);
    canonical::write_without(proof, &["proofValue"], &mut bytes);
    let proof_hash = Sha256::digest(&bytes);
    bytes.clear();
    canonical::write_without(document, &["proof"], &mut bytes);
    let mut hashes = [0; 64];
    let (first, second) = hashes.split_at_mut(32);
    first.copy_from_slice(&proof_hash);
    second.copy_from_slice(&Sha256::digest(&bytes));
    hashes
}

/// A proof as it stands in a document: every member known and of its kind, nothing checked.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Proof<'a> {
    object: &'a Object,
    pub(crate) purpose: Purpose,
    pub(crate) verification_method: &'a str,
    pub(crate) created: Option<Timestamp>,
    pub(crate) expires: Option<Timestamp>,
    pub(crate) challenge: Option<&'a str>,
    /// A string or an array of strings.
    domain: Option<&'a Value>,
    pub(crate) signature: Signature,
}

impl<'a> Proof<'a> {
    /// Reads the one proof of a document; `at` is where the document stands.
    pub(crate) fn read(document: &'a Object, at: &Path<'_>) -> Result<Self, Reason> {
        let here = at.member("proof");
        let object = match document.get("proof") {
            None | Some(Value::Null) => {
                return Err(missing(&here, "the document has no proof: sign it"));
            }
            Some(Value::Object(object)) => object,
            Some(Value::Array(proofs)) => match proofs.as_slice() {
                [] => {
                    return Err(missing(&here, "the list of proofs is empty: sign the document"));
                }
                [Value::Object(object)] => object,
                [_] => return Err(malformed(&here, "a proof is an object")),
                _ => {
                    return Err(unsupported(&here, "several proofs: send the document with one"));
                }
            },
            Some(_) => return Err(malformed(&here, "a proof is an object")),
        };
        let members = Members::of_object(object, here);
        let proof = Self::members(object, &members).map_err(|error| match error {
            Fault::Reason(reason) => reason,
            Fault::Member(error) => Reason::new(
                DenialCode::ProofMalformed,
                error.path,
                format!("expected {}", error.expected),
            ),
        })?;
        same_context(document, &members)?;
        Ok(proof)
    }

    fn members(object: &'a Object, members: &Members<'a, '_>) -> Result<Self, Fault> {
        if members.str("type")? != PROOF_TYPE {
            return Err(unsupported(&members.at("type"), "only DataIntegrityProof is verified here").into());
        }
        if members.str("cryptosuite")? != CRYPTOSUITE {
            return Err(unsupported(&members.at("cryptosuite"), "only eddsa-jcs-2022 is verified here").into());
        }
        if members.optional("previousProof").is_some() {
            return Err(unsupported(&members.at("previousProof"), "proof chains are not verified here").into());
        }
        let purpose = Purpose::parse(members.str("proofPurpose")?)
            .ok_or_else(|| members.error("proofPurpose", "a verification relationship, such as assertionMethod"))?;
        let proof = Self {
            object,
            purpose,
            verification_method: members.str("verificationMethod")?,
            created: time(members, "created")?,
            expires: time(members, "expires")?,
            challenge: members.optional_str("challenge")?,
            domain: domain(members)?,
            signature: signature(members)?,
        };
        // Signed like the rest, and without meaning here.
        members.optional_str("id")?;
        members.optional_str("nonce")?;
        members.optional("@context");
        members.finish_closed()?;
        Ok(proof)
    }

    /// The bytes that the signature is over.
    pub(crate) fn hash_data(&self, document: &Object) -> [u8; 64] {
        hash_data(document, self.object)
    }

    /// Whether the proof was made for this verifier.
    pub(crate) fn is_for_domain(&self, domain: &str) -> bool {
        match self.domain {
            Some(Value::Array(domains)) => domains.iter().any(|one| one.as_str() == Some(domain)),
            Some(one) => one.as_str() == Some(domain),
            None => false,
        }
    }
}

enum Fault {
    Reason(Reason),
    Member(crate::json::members::MemberError),
}

impl From<Reason> for Fault {
    fn from(reason: Reason) -> Self {
        Self::Reason(reason)
    }
}

impl From<crate::json::members::MemberError> for Fault {
    fn from(error: crate::json::members::MemberError) -> Self {
        Self::Member(error)
    }
}

fn missing(at: &Path<'_>, message: &str) -> Reason {
    Reason::new(DenialCode::ProofMissing, at.to_string(), message)
}

fn malformed(at: &Path<'_>, message: &str) -> Reason {
    Reason::new(DenialCode::ProofMalformed, at.to_string(), message)
}

fn unsupported(at: &Path<'_>, message: &str) -> Reason {
    Reason::new(DenialCode::ProofUnsupported, at.to_string(), message)
}

/// Section 3.3.2 lets the document's context be longer than the proof's. Here they are equal:
/// what was added afterwards was not signed.
fn same_context(document: &Object, proof: &Members<'_, '_>) -> Result<(), Reason> {
    match proof.optional("@context") {
        Some(context) if document.get("@context") != Some(context) => Err(malformed(
            &proof.at("@context"),
            "the proof was made over another @context than the document's",
        )),
        _ => Ok(()),
    }
}

fn time(members: &Members<'_, '_>, name: &str) -> Result<Option<Timestamp>, Fault> {
    members
        .optional_str(name)?
        .map(|text| Timestamp::parse(text).map_err(|error| malformed(&members.at(name), &error.to_string()).into()))
        .transpose()
}

fn domain<'a>(members: &Members<'a, '_>) -> Result<Option<&'a Value>, Fault> {
    let Some(value) = members.optional("domain") else {
        return Ok(None);
    };
    let listed = value
        .as_array()
        .is_some_and(|items| (1..=DOMAINS).contains(&items.len()) && items.iter().all(|item| item.as_str().is_some()));
    if listed || value.as_str().is_some() {
        Ok(Some(value))
    } else {
        Err(members
            .error("domain", "a string, or an array of at most 8 strings")
            .into())
    }
}

fn signature(members: &Members<'_, '_>) -> Result<Signature, Fault> {
    let text = members.str("proofValue")?;
    let base58 = text.strip_prefix('z').filter(|_| text.len() <= PROOF_VALUE_CHARS);
    let bytes = base58.and_then(base58::decode);
    bytes.map(Signature::from_bytes).ok_or_else(|| {
        members
            .error("proofValue", "a signature of 64 bytes as multibase base58btc (z...)")
            .into()
    })
}
