//! Dereferencing of DID URLs (W3C DID Resolution section 5): which part of a document, or which address, a DID URL
//! names. Pure: the document is given.

mod parameters;
mod reference;

pub use parameters::{ParameterError, Parameters, Version, percent_decoded};
pub use reference::{HttpsUrl, ReferenceError};

use crate::did::{Did, DidUrl};
use crate::document::Purpose;
use crate::json::Value;

/// What a DID URL names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target<'d> {
    /// The whole document.
    Document(&'d Value),
    /// The verification method or service whose id is the DID URL, as it stands in the document.
    Part(&'d Value),
    /// The address of a service: an `https` URL or a DID, of characters that a header may carry.
    Address(String),
}

/// The DID URL names nothing that can be given.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DereferenceError {
    /// The document has no such verification method or service.
    #[error("the DID document has no part whose id is {0:?}")]
    NoSuchPart(String),
    /// The document has no service of that name.
    #[error("the DID document has no service {0:?}")]
    NoSuchService(String),
    /// A path means nothing without a method that gives it a meaning.
    #[error("a DID URL with a path is not dereferenced here; name a service with ?service=")]
    Path,
    /// The service is no single `https` URL or DID.
    #[error("service {name:?} cannot be redirected to: {why}")]
    Endpoint {
        /// The service.
        name: String,
        /// What its endpoint is, or what is wrong with it.
        why: &'static str,
    },
    /// `relativeRef` is no reference within the service.
    #[error("relativeRef: {0}")]
    Reference(#[from] ReferenceError),
}

/// Finds what `url` and its parameters name in the document of its DID.
///
/// A service's address is taken from the document and from nowhere else: `relativeRef` can move within the service's
/// host, and not to another one.
///
/// # Errors
/// [`DereferenceError`].
pub fn dereference<'d>(
    document: &'d Value,
    url: &DidUrl,
    parameters: &Parameters,
) -> Result<Target<'d>, DereferenceError> {
    if !url.path().is_empty() {
        return Err(DereferenceError::Path);
    }
    if let Some(name) = parameters.service.as_deref() {
        return address(document, url, name, parameters.relative_ref.as_deref()).map(Target::Address);
    }
    match url.fragment() {
        None => Ok(Target::Document(document)),
        Some(fragment) => part(document, url.did(), fragment)
            .map(Target::Part)
            .ok_or_else(|| DereferenceError::NoSuchPart(format!("{}#{fragment}", url.did()))),
    }
}

/// The verification method or service of that fragment. A method may stand inside a relationship.
fn part<'d>(document: &'d Value, did: &Did, fragment: &str) -> Option<&'d Value> {
    let lists = ["verificationMethod", "service"].into_iter();
    lists
        .chain(Purpose::ALL.into_iter().map(Purpose::as_str))
        .filter_map(|name| document.get(name)?.as_array())
        .flatten()
        .find(|item| is_named(item, did, fragment))
}

/// Whether an item's id is this fragment of the document, in full or relative to it.
fn is_named(item: &Value, did: &Did, fragment: &str) -> bool {
    let id = item.get("id").and_then(Value::as_str);
    let own = id.and_then(|id| id.strip_prefix(did.as_str()).or(Some(id)));
    own.and_then(|id| id.strip_prefix('#')) == Some(fragment)
}

fn address(document: &Value, url: &DidUrl, name: &str, relative_ref: Option<&str>) -> Result<String, DereferenceError> {
    let refuse = |why| DereferenceError::Endpoint {
        name: name.to_owned(),
        why,
    };
    let services = document.get("service").and_then(Value::as_array).unwrap_or_default();
    let service = services
        .iter()
        .find(|service| is_named(service, url.did(), name))
        .ok_or_else(|| DereferenceError::NoSuchService(name.to_owned()))?;
    let endpoint = match service.get("serviceEndpoint") {
        Some(Value::String(endpoint)) => endpoint.as_str(),
        _ => return Err(refuse("its endpoint is not one URL")),
    };
    if DidUrl::parse(endpoint).is_ok() {
        return if relative_ref.is_none() && url.fragment().is_none() {
            Ok(endpoint.to_owned())
        } else {
            Err(refuse(
                "its endpoint is a DID, which has no place for relativeRef or a fragment",
            ))
        };
    }
    let endpoint = HttpsUrl::parse(endpoint).map_err(|_| refuse("its endpoint is neither an https URL nor a DID"))?;
    let place = match relative_ref {
        Some(reference) => endpoint.join(reference)?,
        None => endpoint.as_str().to_owned(),
    };
    match url.fragment() {
        None => Ok(place),
        Some(_) if place.contains('#') => Err(refuse("both the DID URL and the service's URL have a fragment")),
        Some(fragment) => Ok(format!("{place}#{fragment}")),
    }
}

#[cfg(test)]
mod tests;
