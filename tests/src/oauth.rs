//! Tokens as an agent, a thief and a service use them: forms, DPoP proofs by `syndic token proof`, and HTTP Basic.

use std::path::{Path, PathBuf};

use multibase::Base;
use serde_json::Value;

use crate::http::{Answer, Listener};
use crate::node::Node;
use crate::scenario::{challenge, presentation};

/// The service of the tests.
pub const SERVICE: &str = "https://api.example/billing";
/// What it is called where it asks.
pub const SERVICE_NAME: &str = "billing";
/// Another one.
pub const OTHER_SERVICE: &str = "https://api.example/archive";
/// What that is called.
pub const OTHER_NAME: &str = "archive";
/// A door of the service.
pub const REFUNDS: &str = "https://api.example/billing/refunds";
/// The secret of both.
pub const SECRET: &str = "f1oUqO5oH6mO0mD2mO3i8Yq9Yw4l3fJ1e6cS0kX7b2A";

const GRANT: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const PRESENTATION: &str = "urn:syndic:token-type:presentation";

/// Names the services in a configuration.
pub fn configure(node: &Node) {
    use sha2::{Digest as _, Sha256};
    let hash = Base::Base16Lower.encode(Sha256::digest(SECRET));
    let service = |name: &str, audience: &str| {
        format!("[[tokens.services]]\nname = \"{name}\"\naudience = \"{audience}\"\nsecret_sha256 = \"{hash}\"\n")
    };
    let path = node.data.join("config.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    let more = service(SERVICE_NAME, SERVICE) + &service(OTHER_NAME, OTHER_SERVICE);
    std::fs::write(&path, format!("{text}\n{more}")).unwrap();
}

/// A DPoP key of the agent's.
#[must_use]
pub fn key(folder: &Path, name: &str) -> PathBuf {
    folder.join(format!("{name}.jwk"))
}

/// A proof for one request.
#[must_use]
pub fn proof(node: &Node, key: &Path, method: &str, url: &str, token: Option<&str>) -> String {
    let key = key.display().to_string();
    let mut arguments = vec![
        "token", "proof", "--json", "--key", &key, "--method", method, "--url", url,
    ];
    if let Some(token) = token {
        arguments.extend(["--token", token]);
    }
    let made = node.syndic(&arguments).expect_success("syndic token proof").json();
    made["proof"].as_str().unwrap().to_owned()
}

/// The thumbprint of a key.
#[must_use]
pub fn thumbprint(node: &Node, key: &Path) -> String {
    let key = key.display().to_string();
    let arguments = [
        "token", "proof", "--json", "--key", &key, "--method", "GET", "--url", REFUNDS,
    ];
    let made = node.syndic(&arguments).expect_success("syndic token proof").json();
    made["thumbprint"].as_str().unwrap().to_owned()
}

/// The name of a node's token endpoint in proofs.
#[must_use]
pub fn endpoint(node: &Node) -> String {
    format!("{}/token", node.public().url())
}

/// A request for a token: parameters, and the proof.
#[derive(Clone, Debug)]
pub struct Request {
    /// The form.
    pub form: Vec<(String, String)>,
    /// The header `DPoP`.
    pub proof: Option<String>,
}

impl Request {
    /// A presentation of this credential to `verifier`, for a token of [`SERVICE`], with a new challenge and proof.
    #[must_use]
    pub fn new(home: &Node, agent: &str, credential: &Value, verifier: &Node, key: &Path) -> Self {
        Self::answering(home, agent, credential, verifier, key, challenge(verifier))
    }

    /// The same with a challenge and its domain.
    #[must_use]
    pub fn answering(
        home: &Node,
        agent: &str,
        credential: &Value,
        verifier: &Node,
        key: &Path,
        (challenge, domain): (String, String),
    ) -> Self {
        let shown = presentation(home, agent, credential, &challenge, &domain);
        let form = [
            ("grant_type", GRANT),
            ("subject_token_type", PRESENTATION),
            ("subject_token", &shown["verifiablePresentation"].to_string()),
            ("challenge", &challenge),
            ("audience", SERVICE),
        ];
        Self {
            form: form.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec(),
            proof: Some(proof(verifier, key, "POST", &endpoint(verifier), None)),
        }
    }

    /// The same with a parameter set, or without it.
    #[must_use]
    pub fn with(mut self, name: &str, value: Option<&str>) -> Self {
        self.form.retain(|(other, _)| other != name);
        if let Some(value) = value {
            self.form.push((name.to_owned(), value.to_owned()));
        }
        self
    }

    /// The same with another proof.
    #[must_use]
    pub fn proved(mut self, proof: impl Into<Option<String>>) -> Self {
        self.proof = proof.into();
        self
    }

    /// Sends it.
    #[must_use]
    pub fn send(&self, listener: &Listener) -> Answer {
        self.try_send(listener).unwrap()
    }

    /// Sends it, when it is not certain that somebody answers.
    ///
    /// # Errors
    /// There is no answer.
    pub fn try_send(&self, listener: &Listener) -> Result<Answer, String> {
        let headers: Vec<(&str, &str)> = self.proof.iter().map(|proof| ("DPoP", proof.as_str())).collect();
        listener.try_post_form("/token", &encoded(&self.form), &headers)
    }
}

/// A form as text.
#[must_use]
pub fn encoded(form: &[(String, String)]) -> String {
    let escaped = |text: &str| -> String {
        text.bytes()
            .map(|byte| match byte {
                b if b.is_ascii_alphanumeric() => char::from(b).to_string(),
                b => format!("%{b:02X}"),
            })
            .collect()
    };
    let pairs: Vec<String> = form
        .iter()
        .map(|(name, value)| format!("{}={}", escaped(name), escaped(value)))
        .collect();
    pairs.join("&")
}

/// What a service asks about a token: `name` by HTTP Basic, and with the proof and the request that came with it.
#[must_use]
pub fn introspect(node: &Node, name: &str, token: &str, came_with: Option<(&str, &str, &str)>) -> Answer {
    let mut form = vec![("token".to_owned(), token.to_owned())];
    if let Some((proof, method, url)) = came_with {
        for (name, value) in [("dpop_proof", proof), ("dpop_method", method), ("dpop_url", url)] {
            form.push((name.to_owned(), value.to_owned()));
        }
    }
    let basic = format!("Basic {}", Base::Base64Pad.encode(format!("{name}:{SECRET}")));
    node.public()
        .try_post_form("/introspect", &encoded(&form), &[("Authorization", &basic)])
        .unwrap()
}

/// Why a token is inactive, as the operator is told.
#[must_use]
pub fn why_inactive(node: &Node, token: &str) -> String {
    let form = [("token".to_owned(), token.to_owned())];
    let answer = node
        .admin()
        .try_post_form("/introspect", &encoded(&form), &[])
        .unwrap()
        .expect(200);
    assert_eq!(answer["active"], false, "{answer}");
    answer["reason"].as_str().unwrap().to_owned()
}

impl Answer {
    /// The token of an answer of the token endpoint.
    ///
    /// # Panics
    /// There is none.
    #[must_use]
    pub fn token(&self) -> String {
        let body = self.expect(200);
        assert_eq!(body["token_type"], "DPoP", "{body}");
        assert_eq!(self.cache_control, "no-store");
        body["access_token"].as_str().unwrap().to_owned()
    }

    /// Asserts that an OAuth endpoint said no with this error.
    ///
    /// # Panics
    /// It did not.
    pub fn expect_oauth(&self, error: &str) {
        let body = self.expect(400);
        assert_eq!(self.content_type, "application/json");
        assert_eq!(body["error"], error, "{body}");
        assert!(
            body["error_description"].as_str().is_some_and(|text| !text.is_empty()),
            "{body}"
        );
    }

    /// Asserts that a token holds.
    ///
    /// # Panics
    /// It does not.
    pub fn expect_active(&self) -> Value {
        let body = self.expect(200);
        assert_eq!(body["active"], true, "{body}");
        body
    }

    /// Asserts that a token does not hold, and that nothing else is said of it.
    ///
    /// # Panics
    /// It holds.
    pub fn expect_inactive(&self) {
        assert_eq!(self.expect(200), serde_json::json!({"active": false}));
    }
}
