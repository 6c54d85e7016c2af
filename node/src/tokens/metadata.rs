//! What services and agents find without being told: the keys (RFC 7517), and where everything is (RFC 8414, OpenID
//! Connect Discovery 1.0).

use syndic_vc::json::{Object, Value};
use syndic_vc::time::Timestamp;
use syndic_vc::token::{details, dpop};

use super::{grant, issuer, signing_keys};
use crate::node::Node;

/// The keys that sign access tokens, or will, or did for tokens that still live.
#[must_use]
pub fn jwks(node: &Node, now: Timestamp) -> Value {
    let keys = signing_keys::published(&node.keys, node.config.tokens.key_generation, now);
    let shown = |key: &syndic_vc::key::PublicKey| -> Value {
        let mut jwk = key.to_jwk();
        jwk.insert("kid", key.jwk_thumbprint());
        jwk.insert("alg", "EdDSA");
        jwk.insert("use", "sig");
        jwk.into()
    };
    syndic_vc::object! { "keys": keys.iter().map(shown).collect::<Value>() }
}

/// Authorization server metadata.
#[must_use]
pub fn server(node: &Node) -> Object {
    let issuer = issuer(node);
    let at = |path: &str| format!("{issuer}{path}");
    let mut metadata = Object::new();
    metadata.insert("issuer", issuer);
    metadata.insert("token_endpoint", at("/token"));
    metadata.insert("jwks_uri", at("/jwks"));
    metadata.insert("introspection_endpoint", at("/introspect"));
    metadata.insert("revocation_endpoint", at("/revoke"));
    // Nobody is sent here with a browser.
    metadata.insert("response_types_supported", Value::Array(Vec::new()));
    metadata.insert("grant_types_supported", vec![grant::GRANT_TYPE]);
    // Who asks for a token shows credentials and a key.
    metadata.insert("token_endpoint_auth_methods_supported", vec!["none"]);
    metadata.insert(
        "introspection_endpoint_auth_methods_supported",
        vec!["client_secret_basic"],
    );
    metadata.insert("revocation_endpoint_auth_methods_supported", vec!["none"]);
    metadata.insert("dpop_signing_alg_values_supported", dpop::ALGORITHMS.to_vec());
    metadata.insert("authorization_details_types_supported", vec![details::CAPABILITY_TYPE]);
    // Our own: where the challenge comes from, and what is taken in exchange.
    metadata.insert("syndic_challenge_endpoint", at("/challenges"));
    metadata.insert("syndic_subject_token_types_supported", vec![grant::PRESENTATION_TYPE]);
    metadata
}

/// The same in the form that federations of workloads look for. No ID tokens are made; the algorithm is that of the
/// access tokens.
#[must_use]
pub fn provider(node: &Node) -> Object {
    let mut metadata = server(node);
    metadata.insert("subject_types_supported", vec!["public"]);
    metadata.insert("id_token_signing_alg_values_supported", vec!["EdDSA"]);
    metadata
}
