//! Documents around the log: the services that every `did:webvh` has, and the parallel `did:web`.

use super::log::Version;
use crate::did::Did;
use crate::did_web::{Location, LocationError, split_scid};
use crate::json::{Object, Value};

/// The document of a version with its implicit services (sections "DID URL Path Resolution" and
/// "whois LinkedVP Service"); one that the document names itself is left as it is.
pub(super) fn with_services(version: &Version) -> Result<Value, LocationError> {
    let base = Location::of(&version.did)?.base();
    let mut document = version.state.clone();
    let Some(members) = document.as_object_mut() else {
        return Ok(document);
    };
    let mut services = match members.remove("service") {
        Some(Value::Array(services)) => services,
        None => Vec::new(),
        // Malformed as it is in the log: for the reader of documents to refuse.
        Some(other) => {
            members.insert("service", other);
            return Ok(document);
        }
    };
    let named = |services: &[Value], fragment: &str| {
        services
            .iter()
            .filter_map(|service| service.get("id")?.as_str())
            .any(|id| id.strip_prefix(version.did.as_str()).unwrap_or(id).strip_prefix('#') == Some(fragment))
    };
    if !named(&services, "files") {
        services.push(crate::object! {
            "id": format!("{}#files", version.did),
            "type": "relativeRef",
            "serviceEndpoint": base.as_str(),
        });
    }
    if !named(&services, "whois") {
        services.push(crate::object! {
            "@context": "https://identity.foundation/linked-vp/contexts/v1",
            "id": format!("{}#whois", version.did),
            "type": "LinkedVerifiablePresentation",
            "serviceEndpoint": format!("{base}whois.vp"),
        });
    }
    members.insert("service", services);
    Ok(document)
}

/// The parallel `did:web` document of a resolved `did:webvh` document (section "Publishing a
/// Parallel did:web DID").
///
/// # Errors
/// [`LocationError`] when the DID is no `did:webvh`.
pub fn parallel_web(did: &Did, document: &Value) -> Result<Value, LocationError> {
    let (scid, place) = split_scid(did.method_specific_id())?;
    let mut document = renamed(document, &format!("did:webvh:{scid}:"), "did:web:");
    let own = format!("did:web:{place}");
    if let Some(members) = document.as_object_mut() {
        let mut names = vec![Value::from(did)];
        if let Some(Value::Array(old)) = members.remove("alsoKnownAs") {
            for name in old {
                if name.as_str() != Some(own.as_str()) && !names.contains(&name) {
                    names.push(name);
                }
            }
        }
        members.insert("alsoKnownAs", names);
    }
    Ok(document)
}

/// The value with one text for another in every string and name.
pub(super) fn renamed(value: &Value, from: &str, to: &str) -> Value {
    match value {
        Value::String(text) => Value::from(text.replace(from, to)),
        Value::Array(items) => items.iter().map(|item| renamed(item, from, to)).collect(),
        Value::Object(members) => members
            .iter()
            .map(|(name, value)| (name.replace(from, to), renamed(value, from, to)))
            .collect::<Object>()
            .into(),
        other => other.clone(),
    }
}
