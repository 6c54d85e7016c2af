//! Linked data: a JSON-LD document as canonical RDF, the bytes that the `rdfc` suites sign.
//!
//! JSON-LD drops what its contexts do not define, and reads several texts alike. Here a document is
//! processed only if every one of its members reaches the canonical form and no other text of it
//! would (`specs/06-linked-data.md`): what JSON-LD would leave out is refused, so that nothing
//! unsigned stands in a signed document. Contexts are bundled; nothing is ever fetched.

use crate::denial::{DenialCode, Reason};
use crate::json::Object;

mod contexts;
mod processor;

pub use contexts::{BUNDLED, context};

/// Why a document has no canonical form here.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LinkedDataError {
    /// A context is missing, not a text, or not one of the bundled ones.
    #[error("{at}: {message}")]
    Context {
        /// JSON Pointer to the context.
        at: String,
        /// What is wrong with it, and what to do.
        message: String,
    },
    /// A member would not be signed, or JSON-LD reads it another way than its text.
    #[error("{at}: {message}")]
    Unsafe {
        /// JSON Pointer to the member, as near as it is known.
        at: String,
        /// What is wrong with it, and what to do.
        message: String,
    },
    /// The work to canonicalize the document exceeds the stated bounds.
    #[error("{0}")]
    TooComplex(&'static str),
}

/// The hash function inside RDFC-1.0 (its section 4.4.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum HashFunction {
    /// For every suite but the next.
    #[default]
    Sha256,
    /// For `ecdsa-rdfc-2019` with a P-384 key (Data Integrity ECDSA Cryptosuites section 3.2.3).
    Sha384,
}

impl From<LinkedDataError> for Reason {
    fn from(error: LinkedDataError) -> Self {
        match error {
            LinkedDataError::Context { at, message } => Self::new(DenialCode::ContextUnknown, at, message),
            LinkedDataError::Unsafe { at, message } => Self::new(DenialCode::LinkedDataUnsafe, at, message),
            LinkedDataError::TooComplex(message) => Self::new(DenialCode::LinkedDataTooComplex, "", message),
        }
    }
}

/// The canonical N-Quads (RDFC-1.0) of a JSON-LD document without its top-level members in
/// `left_out`: what an `rdfc` suite hashes of a document (without `proof`) and of a proof's options.
///
/// # Errors
/// [`LinkedDataError`]: the document is not safe to sign in this form, or too costly. Pointers count
/// from this document.
pub fn canonical(document: &Object, left_out: &[&str]) -> Result<String, LinkedDataError> {
    canonical_with(document, left_out, HashFunction::Sha256)
}

/// The same with another hash function inside RDFC-1.0, which decides the order of blank nodes.
///
/// # Errors
/// As [`canonical`].
pub fn canonical_with(document: &Object, left_out: &[&str], hash: HashFunction) -> Result<String, LinkedDataError> {
    processor::canonical(document, left_out, hash)
}

/// Whether a document can be signed with an `rdfc` suite: that it has a canonical form, which
/// covers every member.
///
/// # Errors
/// As [`canonical`].
pub fn check(document: &Object) -> Result<(), LinkedDataError> {
    canonical(document, &["proof"]).map(|_| ())
}
