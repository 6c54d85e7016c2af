//! Documents as JSON.

use super::{DidDocument, MultikeyValue, Purpose, Service, VerificationMethod};
use crate::did::DidUrl;
use crate::json::{Object, Value};

/// The contexts of every document written here: DID Core 1.0, and Multikey.
const CONTEXTS: [&str; 2] = ["https://www.w3.org/ns/did/v1", "https://w3id.org/security/multikey/v1"];

impl DidDocument {
    /// The document as JSON-LD, each key as a `Multikey`. Empty members are left out.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let mut out = Object::new();
        out.insert("@context", Value::from_iter(CONTEXTS));
        out.insert("id", &self.id);
        match self.controller.as_slice() {
            [] => {}
            [one] => drop(out.insert("controller", one)),
            many => drop(out.insert("controller", Value::from_iter(many))),
        }
        insert_list(&mut out, "alsoKnownAs", &self.also_known_as);
        insert_list(&mut out, "verificationMethod", &self.verification_method);
        for purpose in Purpose::ALL {
            let ids: &[DidUrl] = self.relationship(purpose);
            insert_list(&mut out, purpose.as_str(), ids);
        }
        insert_list(&mut out, "service", &self.service);
        Value::Object(out)
    }
}

fn insert_list<'a, T>(out: &mut Object, name: &str, items: &'a [T])
where
    Value: From<&'a T>,
{
    if !items.is_empty() {
        out.insert(name, Value::from_iter(items));
    }
}

impl From<&VerificationMethod> for Value {
    fn from(method: &VerificationMethod) -> Self {
        let key = match &method.key {
            MultikeyValue::Multikey(key) => key.to_multikey(),
            MultikeyValue::Other(multibase) => multibase.clone(),
            MultikeyValue::Jwk(_, jwk) => {
                return crate::object! {
                    "id": &method.id,
                    "type": "JsonWebKey",
                    "controller": &method.controller,
                    "publicKeyJwk": jwk.clone(),
                };
            }
            MultikeyValue::Unsupported(value) => return value.clone(),
        };
        crate::object! {
            "id": &method.id,
            "type": "Multikey",
            "controller": &method.controller,
            "publicKeyMultibase": key,
        }
    }
}

impl From<&Service> for Value {
    fn from(service: &Service) -> Self {
        let kind = match service.kind.as_slice() {
            [one] => Self::from(one),
            many => Self::from_iter(many),
        };
        crate::object! {
            "id": &service.id,
            "type": kind,
            "serviceEndpoint": service.endpoint.clone(),
        }
    }
}
