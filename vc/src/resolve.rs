//! DIDs that need nothing but themselves to be resolved: `did:key` and `did:jwk`.

use crate::did::Did;
use crate::document::DidDocument;
use crate::key::KeyError;
use crate::{did_jwk, did_key};

/// The DID could not be resolved.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ResolveError {
    /// Nobody here resolves this method.
    #[error("the DID method {0:?} is not resolved here")]
    MethodUnsupported(String),
    /// The method is known, the DID is not.
    #[error("the DID is not known")]
    NotFound,
    /// The DID's subject has ended it.
    #[error("the DID is deactivated")]
    Deactivated,
    /// The identifier does not hold an acceptable key.
    #[error("the identifier does not hold a key: {0}")]
    Key(#[from] KeyError),
    /// The identifier breaks the rules of its method.
    #[error("the identifier breaks the rules of its method: {0}")]
    Identifier(String),
    /// What was found for the DID is not its document: malformed, forged or of another DID.
    #[error("what was found for the DID is not its document: {0}")]
    Document(String),
    /// The answer cannot be had now; asking again may help.
    #[error("the DID cannot be resolved now: {0}")]
    Unavailable(String),
}

/// The document of a DID that is its own document.
///
/// # Errors
/// [`ResolveError::MethodUnsupported`] for a DID whose document must be looked up,
/// [`ResolveError::Key`] when there is no acceptable key in the identifier.
pub fn self_described(did: &Did) -> Result<DidDocument, ResolveError> {
    match did.method() {
        "key" => did_key::resolve(did),
        "jwk" => did_jwk::resolve(did),
        other => Err(ResolveError::MethodUnsupported(other.to_owned())),
    }
}
