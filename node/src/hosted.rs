//! The organization's own `did:web`: its keys, published at the host of its public URL.

use syndic_vc::did::Did;
use syndic_vc::did_web::Location;
use syndic_vc::document::{DidDocument, Service};
use syndic_vc::trust::Knowledge as _;

use crate::node::Node;

/// The name of the service that is this node's public listener.
const SERVICE: &str = "node";

/// The document of the organization's `did:web`: the same keys as its `did:key`, which it names as its other name.
/// `None` unless the public URL is an `https` one of a host that a `did:web` can name: without TLS nobody could tell
/// whose document it is.
#[must_use]
pub fn document(node: &Node) -> Option<DidDocument> {
    let did = did(&node.config.http.public_url)?;
    let own = node.view().document(&node.organization).ok()?;
    let mut document = renamed(&own, &did);
    document.service.push(Service {
        id: format!("{did}#{SERVICE}"),
        kind: vec!["SyndicNode".to_owned()],
        endpoint: node.config.http.public_url.as_str().into(),
    });
    Some(document)
}

/// The `did:web` of an `https` URL without a path; `.well-known` is at the root.
#[must_use]
pub fn did(public_url: &str) -> Option<Did> {
    let authority = public_url.strip_prefix("https://")?;
    let identifier = authority.replace(':', "%3A");
    Location::parse(&identifier).ok()?;
    Did::parse(&format!("did:web:{identifier}")).ok()
}

fn renamed(own: &DidDocument, did: &Did) -> DidDocument {
    let mut document = own.clone();
    let rename = |url: &syndic_vc::did::DidUrl| {
        url.fragment()
            .and_then(|fragment| did.with_fragment(fragment).ok())
            .unwrap_or_else(|| url.clone())
    };
    document.id = did.clone();
    document.also_known_as = vec![own.id.as_str().to_owned()];
    for method in &mut document.verification_method {
        method.id = rename(&method.id);
        method.controller = did.clone();
    }
    for list in [
        &mut document.authentication,
        &mut document.assertion_method,
        &mut document.capability_invocation,
        &mut document.capability_delegation,
        &mut document.key_agreement,
    ] {
        list.iter_mut().for_each(|url| *url = rename(url));
    }
    document
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
    use super::*;

    #[test]
    fn only_an_https_url_of_a_whole_host_has_a_did() {
        let named = |url: &str| did(url).map(|did| did.as_str().to_owned());
        assert_eq!(
            named("https://node.example.org").as_deref(),
            Some("did:web:node.example.org")
        );
        assert_eq!(
            named("https://node.example.org:8443").as_deref(),
            Some("did:web:node.example.org%3A8443")
        );
        for url in [
            "http://node.example.org",
            "https://127.0.0.1:8440",
            "https://localhost",
            "https://node.example.org/syndic",
            "https://a@node.example.org",
        ] {
            assert_eq!(named(url), None, "{url}");
        }
    }

    #[test]
    fn the_keys_are_those_of_the_did_key() {
        let key = Did::parse("did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK").unwrap();
        let own = syndic_vc::did_key::resolve(&key).unwrap();
        let web = Did::parse("did:web:node.example.org").unwrap();
        let document = renamed(&own, &web);
        let method = &document.verification_method[0];
        assert_eq!(
            method.id.as_str(),
            format!("did:web:node.example.org#{}", key.method_specific_id())
        );
        assert_eq!(method.controller, web);
        assert_eq!(method.key, own.verification_method[0].key);
        assert_eq!(document.assertion_method, vec![method.id.clone()]);
        assert_eq!(document.also_known_as, vec![key.as_str().to_owned()]);
        // What is written is read again.
        assert_eq!(DidDocument::from_json(&document.to_json()).unwrap(), document);
    }
}
