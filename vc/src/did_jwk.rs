//! `did:jwk`: a JSON Web Key that is its own DID document (the did:jwk method specification).

use multibase::Base;

use crate::did::Did;
use crate::document::{DidDocument, MultikeyValue, VerificationMethod};
use crate::json::members::{Members, Path};
use crate::json::{self, Value};
use crate::key::{JwkError, PublicKey};
use crate::limits::DID_BYTES;
use crate::resolve::ResolveError;

const METHOD: &str = "jwk";

/// The fragment that names the only key.
const FRAGMENT: &str = "0";

/// The DID of a key.
#[must_use]
pub fn for_key(key: &PublicKey) -> Did {
    let jwk = crate::canonical::to_bytes(&Value::Object(key.to_jwk()));
    Did::from_checked(&format!("did:{METHOD}:{}", Base::Base64Url.encode(jwk)))
}

/// The document that a `did:jwk` stands for: one verification method, `#0`. A key whose `use` is
/// `enc` signs nothing, and one whose `use` is `sig` is not encrypted to.
///
/// # Errors
/// [`ResolveError::MethodUnsupported`] for another method, [`ResolveError::Identifier`] when the
/// identifier holds no acceptable JSON Web Key.
pub fn resolve(did: &Did) -> Result<DidDocument, ResolveError> {
    if did.method() != METHOD {
        return Err(ResolveError::MethodUnsupported(did.method().to_owned()));
    }
    let broken = |why: String| ResolveError::Identifier(why);
    let text = Base::Base64Url
        .decode(did.method_specific_id())
        .map_err(|_| broken("did:jwk is base64url without padding".to_owned()))?;
    debug_assert!(text.len() < DID_BYTES, "the DID itself is bounded");
    let jwk = json::parse(&text).map_err(|error| broken(error.to_string()))?;
    let key = match PublicKey::from_jwk(&jwk, &Path::ROOT) {
        Ok(key) => MultikeyValue::Jwk(key, jwk.clone()),
        Err(JwkError::UnsupportedKind) => return Err(broken(JwkError::UnsupportedKind.to_string())),
        Err(error) => return Err(broken(error.to_string())),
    };
    let members = Members::of(&jwk, Path::ROOT).map_err(|error| broken(error.to_string()))?;
    let intended = members.optional_str("use").map_err(|error| broken(error.to_string()))?;
    let id = did
        .with_fragment(FRAGMENT)
        .map_err(|_| broken("the DID is too long".to_owned()))?;
    let mut document = DidDocument::new(did.clone());
    document.verification_method.push(VerificationMethod {
        id: id.clone(),
        controller: did.clone(),
        key,
    });
    if intended != Some("enc") {
        document.authentication = vec![id.clone()];
        document.assertion_method = vec![id.clone()];
        document.capability_invocation = vec![id.clone()];
        document.capability_delegation = vec![id];
    }
    Ok(document)
}

#[cfg(test)]
mod tests;
