//! Access tokens for services that know OAuth and no credentials (`specs/10-tokens.md`).
//!
//! An agent presents its credentials and gets a token that says no more than they do, for one service, bound to a key
//! of its own. What the token rests on is kept until the token ends, and judged anew whenever its service asks: a token
//! dies with its credentials.

pub mod grant;
pub mod introspection;
pub mod metadata;
mod refusal;
mod signing_keys;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use syndic_vc::limits::{ACCESS_TOKEN_SECONDS, IDENTIFIER_BYTES};

use crate::node::Node;

pub use refusal::OAuthError;

/// How long a token lives where nothing else is configured, in seconds: no longer than `maxStaleness` usually is, so
/// that a service which never asks hears of a revocation as late as a member that is cut off.
const DEFAULT_LIFETIME_SECONDS: u32 = 300;
/// A token must outlive the request that it was got for.
const SHORTEST_LIFETIME_SECONDS: u32 = 30;
/// Services of one node; each is looked through for every request.
const MAX_SERVICES: usize = 256;
/// Bytes of the name of a service.
const MAX_NAME_BYTES: usize = 64;

/// `[tokens]`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// How long a token lives, in seconds; 30 to 3600.
    pub lifetime_seconds: u32,
    /// Another number makes other keys at once, and all tokens void: for keys that may have been stolen.
    pub key_generation: u32,
    /// The services that tokens are made for, beside this organization itself.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub services: Vec<Service>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            lifetime_seconds: DEFAULT_LIFETIME_SECONDS,
            key_generation: 0,
            services: Vec::new(),
        }
    }
}

/// `[[tokens.services]]`: a service of this organization, or one that believes its tokens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Service {
    /// Its name when it asks about tokens: `a-z`, `0-9` and `-`.
    pub name: String,
    /// What `audience` or `resource` asks for, to the letter: a URL or DID.
    pub audience: String,
    /// SHA-256 of the secret with which it may ask about its tokens, in hexadecimal; without it, it may not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_sha256: Option<String>,
}

impl Service {
    /// Whether this is its secret. Takes the same time wherever they differ.
    fn is_its_secret(&self, presented: &str) -> bool {
        let hash = secret_hash(presented);
        self.secret_sha256
            .as_ref()
            .is_some_and(|known| known.as_bytes().ct_eq(hash.as_bytes()).into())
    }
}

/// What is kept of a service's secret, which has 256 random bits and needs no slow hash.
#[must_use]
pub fn secret_hash(secret: &str) -> String {
    multibase::Base::Base16Lower.encode(Sha256::digest(secret.as_bytes()))
}

impl Settings {
    /// Whether the values are within their bounds.
    ///
    /// # Errors
    /// What is wrong, for whoever wrote the configuration.
    pub fn check(&self) -> Result<(), String> {
        let lifetimes = i64::from(SHORTEST_LIFETIME_SECONDS)..=ACCESS_TOKEN_SECONDS;
        if !lifetimes.contains(&i64::from(self.lifetime_seconds)) {
            return Err(format!(
                "[tokens] lifetime_seconds must be {SHORTEST_LIFETIME_SECONDS} to {ACCESS_TOKEN_SECONDS}"
            ));
        }
        if self.services.len() > MAX_SERVICES {
            return Err(format!("[[tokens.services]] must be at most {MAX_SERVICES}"));
        }
        for (index, service) in self.services.iter().enumerate() {
            let Service { name, audience, .. } = service;
            let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
            if !(1..=MAX_NAME_BYTES).contains(&name.len()) || !name.bytes().all(plain) {
                return Err(format!(
                    "[[tokens.services]] name = {name:?} must be 1 to {MAX_NAME_BYTES} of a-z, 0-9 and -"
                ));
            }
            if !is_audience(audience) {
                return Err(format!(
                    "[[tokens.services]] audience = {audience:?} must be a URL or DID"
                ));
            }
            let hash = |text: &String| {
                text.len() == 64 && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
            };
            if service.secret_sha256.as_ref().is_some_and(|text| !hash(text)) {
                return Err(format!(
                    "[[tokens.services]] secret_sha256 of {name} must be 64 hexadecimal digits in lower case"
                ));
            }
            let earlier = self.services.get(..index).unwrap_or_default();
            if earlier
                .iter()
                .any(|other| other.name == *name || other.audience == *audience)
            {
                return Err(format!(
                    "[[tokens.services]] {name}: the name or the audience is there twice"
                ));
            }
        }
        Ok(())
    }
}

fn is_audience(text: &str) -> bool {
    text.len() <= IDENTIFIER_BYTES
        && text.bytes().all(|byte| byte.is_ascii_graphic())
        && !text.contains('#')
        && text
            .split_once(':')
            .is_some_and(|(scheme, rest)| !scheme.is_empty() && !rest.is_empty())
}

/// The name of this authorization server: `iss`.
#[must_use]
pub fn issuer(node: &Node) -> &str {
    &node.config.http.public_url
}

/// Whether tokens for this service are made here.
fn is_service(node: &Node, audience: &str) -> bool {
    audience == node.organization.as_str()
        || audience == issuer(node)
        || node
            .config
            .tokens
            .services
            .iter()
            .any(|service| service.audience == audience)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn service(name: &str, audience: &str) -> Service {
        Service {
            name: name.to_owned(),
            audience: audience.to_owned(),
            secret_sha256: Some(secret_hash("secret")),
        }
    }

    fn check(services: Vec<Service>) -> Result<(), String> {
        Settings {
            services,
            ..Settings::default()
        }
        .check()
    }

    #[test]
    fn services_have_names_and_audiences_of_their_own() {
        let billing = service("billing", "https://api.example/billing");
        assert_eq!(
            check(vec![billing.clone(), service("tickets", "did:example:t")]),
            Ok(())
        );
        for bad in [
            service("", "https://a.example"),
            service("Billing", "https://a.example"),
            service("a", "a.example"),
            service("a", "https://a.example/#x"),
            service("a", "https://a.example/x y"),
            service("billing", "https://other.example"),
            service("other", "https://api.example/billing"),
            Service {
                secret_sha256: Some("ab".to_owned()),
                ..service("a", "https://a.example")
            },
        ] {
            assert!(check(vec![billing.clone(), bad.clone()]).is_err(), "{bad:?}");
        }
        for lifetime_seconds in [0, 29, 3_601] {
            let settings = Settings {
                lifetime_seconds,
                ..Settings::default()
            };
            assert!(settings.check().is_err(), "{lifetime_seconds}");
        }
    }

    #[test]
    fn only_the_secret_itself_is_the_secret() {
        let service = service("a", "https://a.example");
        assert!(service.is_its_secret("secret"));
        assert!(!service.is_its_secret("Secret") && !service.is_its_secret(""));
        let open = Service {
            secret_sha256: None,
            ..service
        };
        assert!(!open.is_its_secret("secret") && !open.is_its_secret(""));
    }
}
