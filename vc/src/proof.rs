//! Data Integrity proofs (W3C Verifiable Credential Data Integrity 1.0) with the cryptosuites of
//! [`Suite`]: one proof, a set of them, or a chain.
//!
//! Making a proof is public. Checking one is not: only [`crate::verify`] does, so that nobody
//! takes a good signature for permission.

mod base58;
mod hash;
mod options;
mod read;
mod set;
mod suite;

use multibase::Base;

use crate::denial::{DenialCode, Reason};
use crate::json::members::Path;
use crate::json::{Object, Value};
use crate::key::{SignError, Signer};

pub(crate) use hash::Places;
pub use options::ProofOptions;
pub(crate) use read::Proof;
pub(crate) use set::Proofs;
pub use suite::Suite;

/// The type of the proofs that are made here (VC Data Integrity 1.0 section 2.1).
pub const PROOF_TYPE: &str = "DataIntegrityProof";

/// Signs a document: the result is the document with its one `proof`.
///
/// Proofs that the document already has are replaced.
///
/// # Errors
/// [`IssueError::Refused`] when the suite does not take the key, makes no proofs any more, or
/// cannot read the document; [`IssueError::Sign`] when the key cannot be used now.
pub fn sign(mut document: Object, options: &ProofOptions, signer: &dyn Signer) -> Result<Value, IssueError> {
    document.remove("proof");
    add(document, options, signer)
}

/// Adds a proof to those that the document has: to a set, or to a chain if
/// [`ProofOptions::previous_proof`] names what it builds on (VC Data Integrity 1.0 section 4.3).
///
/// The proofs that are there are not verified.
///
/// # Errors
/// As [`sign`]; [`IssueError::Refused`] too when a previous proof is not there, a name is taken, or
/// there would be more than 8 proofs.
pub fn add(mut document: Object, options: &ProofOptions, signer: &dyn Signer) -> Result<Value, IssueError> {
    let here = Path::ROOT.member("proof");
    check_signer(options, signer, &here)?;
    let mut proof = options.to_object(document.get("@context"));
    let previous = previous(&document, options);
    let kind = signer.public_key().kind();
    let places = Places {
        document: &Path::ROOT,
        proof: &here,
        original: None,
    };
    let data = hash::hash_data(options.suite, kind, &document, &proof, &previous, places)?;
    let signature = signer.sign(data.as_bytes())?;
    proof.insert("proofValue", multibase::encode(Base::Base58Btc, signature.as_bytes()));
    let proofs = match document.remove("proof") {
        None => Value::Object(proof),
        Some(Value::Array(mut proofs)) => {
            proofs.push(proof.into());
            Value::Array(proofs)
        }
        Some(one) => Value::Array(vec![one, proof.into()]),
    };
    document.insert("proof", proofs);
    // What no verifier would take is not handed out.
    Proofs::read(&document, &Path::ROOT)?;
    Ok(document.into())
}

fn check_signer(options: &ProofOptions, signer: &dyn Signer, here: &Path<'_>) -> Result<(), Reason> {
    let (suite, kind) = (options.suite, signer.public_key().kind());
    if !suite.signs() {
        let text = format!("{} is verified only: sign with eddsa-rdfc-2022", suite.as_str());
        return Err(unsupported(here, &text));
    }
    if !suite.takes(kind) {
        return Err(unsuitable(here, suite, kind.as_str()));
    }
    Ok(())
}

/// The proofs of the document that the new one builds on, in their order. Those that are missing
/// are found when the result is read.
fn previous<'d>(document: &'d Object, options: &ProofOptions) -> Vec<&'d Object> {
    let proofs = document.get("proof");
    let items = proofs.map_or(&[][..], |proofs| {
        proofs.as_array().unwrap_or(std::slice::from_ref(proofs))
    });
    let named = |proof: &&Object| {
        let id = proof.get("id").and_then(Value::as_str);
        id.is_some_and(|id| options.previous_proof.iter().any(|name| name == id))
    };
    items.iter().filter_map(Value::as_object).filter(named).collect()
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

fn missing(at: &Path<'_>, message: &str) -> Reason {
    Reason::new(DenialCode::ProofMissing, at.to_string(), message)
}

fn malformed(at: &Path<'_>, message: &str) -> Reason {
    Reason::new(DenialCode::ProofMalformed, at.to_string(), message)
}

fn unsupported(at: &Path<'_>, message: &str) -> Reason {
    Reason::new(DenialCode::ProofUnsupported, at.to_string(), message)
}

/// The key is of a kind that the suite does not use; `here` is where the proof stands.
pub(crate) fn unsuitable(here: &Path<'_>, suite: Suite, kind: &str) -> Reason {
    let text = format!(
        "the key is {kind}, and {} is for {} keys: use a suite for that key",
        suite.as_str(),
        suite.keys()
    );
    Reason::new(
        DenialCode::VerificationMethodUnsuitable,
        here.member("verificationMethod").to_string(),
        text,
    )
}
