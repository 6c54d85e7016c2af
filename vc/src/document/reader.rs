//! Documents from JSON. What is used later is checked here; what is not used is ignored, as DID
//! Core 1.0 section 4.1 asks of an open-world format.

use super::{DidDocument, MultikeyValue, Purpose, Service, VerificationMethod};
use crate::did::{Did, DidError, DidUrl};
use crate::json::Value;
use crate::json::members::{MemberError, Members, Path};
use crate::key::{JwkError, KeyError, PublicKey};
use crate::limits::DOCUMENT_ENTRIES;

/// The JSON is no DID document that can be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DocumentError {
    /// A member is missing or of the wrong kind.
    #[error(transparent)]
    Member(#[from] MemberError),
    /// A DID or DID URL is malformed.
    #[error("{path}: {source}")]
    Did {
        /// Where, as a JSON Pointer.
        path: String,
        /// What is wrong with it.
        source: DidError,
    },
    /// A key is malformed or not acceptable.
    #[error("{path}: {source}")]
    Key {
        /// Where, as a JSON Pointer.
        path: String,
        /// What is wrong with it.
        source: KeyError,
    },
    /// A JSON Web Key is malformed or not acceptable.
    #[error("{path}: {source}")]
    Jwk {
        /// Where, as a JSON Pointer.
        path: String,
        /// What is wrong with it.
        source: JwkError,
    },
    /// Two verification methods have the same name.
    #[error("{path}: another verification method has the same id")]
    DuplicateMethod {
        /// Where the second one is, as a JSON Pointer.
        path: String,
    },
}

impl DidDocument {
    /// Reads a document.
    ///
    /// Keys of type `Multikey` and `Ed25519VerificationKey2020` are understood, which hold a multikey,
    /// and `JsonWebKey` and `JsonWebKey2020`, which hold a JSON Web Key. A weak or malformed key refuses the document. DID URLs that begin with `#` are
    /// relative to the document's DID. A verification method that stands inside a relationship is
    /// authorized for that relationship only.
    ///
    /// # Errors
    /// [`DocumentError`] names the member.
    pub fn from_json(value: &Value) -> Result<Self, DocumentError> {
        let members = Members::of(value, Path::ROOT)?;
        let mut document = Self::new(did(members.str("id")?, &members.at("id"))?);
        for (controller, path) in one_or_many(&members, "controller")? {
            document.controller.push(did(controller, &path)?);
        }
        for (name, _) in one_or_many(&members, "alsoKnownAs")? {
            document.also_known_as.push(name.to_owned());
        }
        let at = members.at("verificationMethod");
        for (index, value) in entries(&members, "verificationMethod")?.iter().enumerate() {
            document.add_method(value, &at.item(index))?;
        }
        for purpose in Purpose::ALL {
            document.add_relationship(purpose, &members)?;
        }
        let at = members.at("service");
        for (index, value) in entries(&members, "service")?.iter().enumerate() {
            document.service.push(service(value, at.item(index))?);
        }
        Ok(document)
    }

    fn add_method(&mut self, value: &Value, path: &Path<'_>) -> Result<DidUrl, DocumentError> {
        let method = self.method(value, path)?;
        if self.verification_method.iter().any(|other| other.id == method.id) {
            return Err(DocumentError::DuplicateMethod { path: path.to_string() });
        }
        let id = method.id.clone();
        self.verification_method.push(method);
        Ok(id)
    }

    fn method(&self, value: &Value, path: &Path<'_>) -> Result<VerificationMethod, DocumentError> {
        let members = Members::of(value, path)?;
        let key = match members.str("type")? {
            "Multikey" | "Ed25519VerificationKey2020" => {
                multikey(members.str("publicKeyMultibase")?, &members.at("publicKeyMultibase"))?
            }
            "JsonWebKey" | "JsonWebKey2020" => json_web_key(&members, value)?,
            _ => MultikeyValue::Unsupported(value.clone()),
        };
        Ok(VerificationMethod {
            id: self.url(members.str("id")?, &members.at("id"))?,
            controller: did(members.str("controller")?, &members.at("controller"))?,
            key,
        })
    }

    fn add_relationship(&mut self, purpose: Purpose, members: &Members<'_, '_>) -> Result<(), DocumentError> {
        let name = purpose.as_str();
        let at = members.at(name);
        for (index, value) in entries(members, name)?.iter().enumerate() {
            let path = at.item(index);
            let id = match value {
                Value::String(reference) => self.url(reference, &path)?,
                Value::Object(_) => self.add_method(value, &path)?,
                _ => return Err(path.error("a DID URL or a verification method").into()),
            };
            self.relationship_mut(purpose).push(id);
        }
        Ok(())
    }

    /// A DID URL, which may be relative to this document.
    fn url(&self, text: &str, path: &Path<'_>) -> Result<DidUrl, DocumentError> {
        let url = match text.strip_prefix('#') {
            Some(fragment) => self.id.with_fragment(fragment),
            None => DidUrl::parse(text),
        };
        url.map_err(|source| DocumentError::Did {
            path: path.to_string(),
            source,
        })
    }
}

fn did(text: &str, path: &Path<'_>) -> Result<Did, DocumentError> {
    Did::parse(text).map_err(|source| DocumentError::Did {
        path: path.to_string(),
        source,
    })
}

fn multikey(text: &str, path: &Path<'_>) -> Result<MultikeyValue, DocumentError> {
    let key = match PublicKey::from_multikey(text) {
        Err(KeyError::UnsupportedKind(_)) => Ok(MultikeyValue::Other(text.to_owned())),
        other => other.map(MultikeyValue::Multikey),
    };
    key.map_err(|source| DocumentError::Key {
        path: path.to_string(),
        source,
    })
}

fn json_web_key(members: &Members<'_, '_>, method: &Value) -> Result<MultikeyValue, DocumentError> {
    let at = members.at("publicKeyJwk");
    let jwk = members.required("publicKeyJwk")?;
    match PublicKey::from_jwk(jwk, &at) {
        Ok(key) => Ok(MultikeyValue::Jwk(key, jwk.clone())),
        Err(JwkError::UnsupportedKind) => Ok(MultikeyValue::Unsupported(method.clone())),
        Err(JwkError::Member(error)) => Err(error.into()),
        Err(source) => Err(DocumentError::Jwk {
            path: at.to_string(),
            source,
        }),
    }
}

/// The items of an array that may be missing, and has few entries.
fn entries<'v>(members: &Members<'v, '_>, name: &str) -> Result<&'v [Value], DocumentError> {
    let items = members.optional_array(name)?.unwrap_or_default();
    if items.len() > DOCUMENT_ENTRIES {
        return Err(members.error(name, "fewer entries").into());
    }
    Ok(items)
}

/// A member that is a string or an array of strings, or missing.
fn one_or_many<'v, 'q>(members: &'q Members<'v, '_>, name: &'q str) -> Result<Vec<(&'v str, Path<'q>)>, DocumentError> {
    match members.optional(name) {
        None => Ok(Vec::new()),
        Some(Value::String(one)) => Ok(vec![(one.as_str(), members.at(name))]),
        Some(_) => entries(members, name)?
            .iter()
            .map(|item| {
                item.as_str()
                    .map(|text| (text, members.at(name)))
                    .ok_or_else(|| members.error(name, "a string or an array of strings").into())
            })
            .collect(),
    }
}

fn service(value: &Value, path: Path<'_>) -> Result<Service, DocumentError> {
    let members = Members::of(value, path)?;
    let kind = one_or_many(&members, "type")?;
    if kind.is_empty() {
        return Err(members.error("type", "a string or an array of strings").into());
    }
    Ok(Service {
        id: members.str("id")?.to_owned(),
        kind: kind.into_iter().map(|(kind, _)| kind.to_owned()).collect(),
        endpoint: members.required("serviceEndpoint")?.clone(),
    })
}
