//! The configuration file, `config.toml` in the data folder. Unknown keys are errors: a misspelt limit must not be
//! silently absent.

use std::path::Path;

use serde::{Deserialize, Serialize};
use syndic_registry::charter::Charter;
use syndic_registry::limits::SPARE_WITNESSES;

use crate::instances::{self, Instance};
use crate::outside;
use crate::store::Engine;
use crate::tokens;

/// All that can be configured.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Who this node speaks for.
    pub organization: Organization,
    /// The two HTTP listeners.
    pub http: Http,
    /// The libp2p listener.
    pub peer: Peer,
    /// What the node may do by itself.
    #[serde(default)]
    pub node: Node,
    /// Where data is kept.
    #[serde(default)]
    pub store: Store,
    /// Timers of replication and freshness.
    #[serde(default)]
    pub trust: Trust,
    /// Other hosts that may be asked.
    #[serde(default)]
    pub outside: outside::Settings,
    /// Doors for those who verify.
    #[serde(default)]
    pub verifiers: Verifiers,
    /// What is said about credentials that are issued.
    #[serde(default)]
    pub issue: Issue,
    /// Access tokens for services.
    #[serde(default)]
    pub tokens: tokens::Settings,
    /// The ways of signing credentials; the first one answers at `/credentials/issue`.
    #[serde(default = "instances::defaults", skip_serializing_if = "instances_are_defaults")]
    pub instances: Vec<Instance>,
}

fn instances_are_defaults(instances: &[Instance]) -> bool {
    instances::are_defaults(instances)
}

/// `[verifiers]`
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Verifiers {
    /// Whether `/verifiers/proof-only/credentials/verify` answers. It looks at proofs and not at whose they are, so a
    /// node that is asked for permissions leaves it off.
    pub proof_only: bool,
}

/// `[issue]`
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Issue {
    /// Whether the digest of each credential is in the log before the credential is handed out. Those go on counting
    /// when the key that signed them is compromised later; it costs one entry in the log for each.
    pub anchor: bool,
}

/// `[organization]`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Organization {
    /// The name people see; at most 200 characters.
    pub name: String,
}

/// `[http]`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Http {
    /// Address and port of the public listener.
    pub public: String,
    /// Address and port of the admin listener.
    pub admin: String,
    /// The URL under which strangers reach the public listener; it stands in credentials as the status list's address.
    pub public_url: String,
    /// Host names, besides loopback ones, that requests may name.
    #[serde(default)]
    pub allowed_hosts: Vec<String>,
    /// Verifications a second and address before 429; the burst is twice as many.
    #[serde(default = "default_requests_per_second")]
    pub requests_per_second: u32,
}

/// `[peer]`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Peer {
    /// Multiaddr to listen on.
    pub listen: String,
    /// Multiaddrs told to the other members.
    pub advertise: Vec<String>,
    /// URLs of nodes, or of mirrors, whose files are read as well: where peer-to-peer is blocked.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub follow: Vec<String>,
}

/// `[node]`
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Node {
    /// Sign after a start before any other member has answered. A node whose data folder is an old copy tells two
    /// stories then, and its organization is frozen for good.
    pub sign_alone: bool,
}

/// `[store]`
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Store {
    /// The engine.
    #[serde(default)]
    pub engine: Engine,
}

/// `[trust]`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Trust {
    /// Seconds between two signatures of an unchanged head.
    pub heartbeat_seconds: u32,
    /// Seconds between two comparisons of heads with other members.
    pub anti_entropy_seconds: u32,
    /// How many other members must have cosigned what is known about an issuer; more than the charter asks for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub witnesses: Option<u32>,
    /// Seconds after which what is known about an issuer no longer counts; fewer than the charter allows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_staleness: Option<u32>,
}

impl Default for Trust {
    fn default() -> Self {
        Self {
            heartbeat_seconds: DEFAULT_HEARTBEAT_SECONDS,
            anti_entropy_seconds: DEFAULT_ANTI_ENTROPY_SECONDS,
            witnesses: None,
            max_staleness: None,
        }
    }
}

/// A fifth of the default `maxStaleness` of 300 s: four heartbeats may be lost before anybody fails closed.
pub const DEFAULT_HEARTBEAT_SECONDS: u32 = 60;
/// The longest a lost announcement stays unnoticed.
pub const DEFAULT_ANTI_ENTROPY_SECONDS: u32 = 5;
/// One verification costs about 60 us of a core; this leaves headroom for 300 busy addresses on one core.
pub const DEFAULT_REQUESTS_PER_SECOND: u32 = 50;

fn default_requests_per_second() -> u32 {
    DEFAULT_REQUESTS_PER_SECOND
}

/// Why the configuration could not be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file could not be read.
    #[error("cannot read {path}: {source}; run `syndic init --data DIR` first, or name the right folder with --data")]
    Read {
        /// The file.
        path: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file is not valid.
    #[error("{path} is not a valid configuration: {message}")]
    Invalid {
        /// The file.
        path: String,
        /// What is wrong and where.
        message: String,
    },
}

impl Config {
    /// Reads and checks `config.toml`.
    ///
    /// # Errors
    /// [`ConfigError`] names the file and what is wrong with it.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let shown = path.display().to_string();
        let text = std::fs::read_to_string(path).map_err(|source| ConfigError::Read {
            path: shown.clone(),
            source,
        })?;
        let config: Self = toml::from_str(&text).map_err(|error| ConfigError::Invalid {
            path: shown.clone(),
            message: error.to_string(),
        })?;
        config
            .check()
            .map_err(|message| ConfigError::Invalid { path: shown, message })?;
        Ok(config)
    }

    /// The file's text.
    ///
    /// # Errors
    /// [`ConfigError::Invalid`] if a value is outside its bounds.
    pub fn to_toml(&self) -> Result<String, ConfigError> {
        let invalid = |message: String| ConfigError::Invalid {
            path: "config.toml".to_owned(),
            message,
        };
        self.check().map_err(invalid)?;
        toml::to_string_pretty(self).map_err(|error| invalid(error.to_string()))
    }

    /// Whether the own limits on trust are no laxer than those of the charter, and can be met.
    ///
    /// # Errors
    /// What is wrong, for whoever wrote the file.
    pub fn check_under(&self, charter: &Charter) -> Result<(), String> {
        let rules = charter.rules();
        let others = charter.members().len().saturating_sub(2);
        // As many members cosign each log as the charter asks for, and so many more; this node may be one of them.
        let cosign = rules.witnesses as usize + SPARE_WITNESSES - 1;
        let most = cosign.min(others).max(rules.witnesses as usize);
        if let Some(witnesses) = self.trust.witnesses
            && !(rules.witnesses as usize..=most).contains(&(witnesses as usize))
        {
            return Err(format!(
                "[trust] witnesses = {witnesses} must be {} to {most}: the charter asks for {}, and no more than {most} \
                 others cosign a log",
                rules.witnesses, rules.witnesses
            ));
        }
        match self.trust.max_staleness {
            Some(seconds) if seconds == 0 || seconds > rules.max_staleness => Err(format!(
                "[trust] max_staleness = {seconds} must be 1 to {}, the charter's maxStaleness",
                rules.max_staleness
            )),
            _ => Ok(()),
        }
    }

    fn check(&self) -> Result<(), String> {
        if self.organization.name.trim().is_empty() || self.organization.name.chars().count() > 200 {
            return Err("[organization] name must have 1 to 200 characters".to_owned());
        }
        for (key, value) in [("public", &self.http.public), ("admin", &self.http.admin)] {
            value
                .parse::<std::net::SocketAddr>()
                .map_err(|_| format!("[http] {key} = {value:?} is not an address and port such as 127.0.0.1:8440"))?;
        }
        let url = &self.http.public_url;
        if !(url.starts_with("http://") || url.starts_with("https://")) || url.ends_with('/') || url.len() > 1024 {
            return Err(format!(
                "[http] public_url = {url:?} must begin with http:// or https:// and not end with /"
            ));
        }
        self.outside.check()?;
        self.tokens.check()?;
        if self.http.requests_per_second == 0 {
            return Err("[http] requests_per_second must be at least 1".to_owned());
        }
        if self.trust.heartbeat_seconds == 0 || self.trust.anti_entropy_seconds == 0 {
            return Err("[trust] heartbeat_seconds and anti_entropy_seconds must be at least 1".to_owned());
        }
        instances::check(&self.instances)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn sample() -> Config {
        Config {
            organization: Organization {
                name: "St. Mary".to_owned(),
            },
            http: Http {
                public: "127.0.0.1:8440".to_owned(),
                admin: "127.0.0.1:8441".to_owned(),
                public_url: "http://127.0.0.1:8440".to_owned(),
                allowed_hosts: vec![],
                requests_per_second: 50,
            },
            peer: Peer {
                follow: vec![],
                listen: "/ip4/0.0.0.0/tcp/8442".to_owned(),
                advertise: vec![],
            },
            node: Node::default(),
            store: Store::default(),
            trust: Trust::default(),
            outside: outside::Settings::default(),
            verifiers: Verifiers::default(),
            issue: Issue::default(),
            tokens: tokens::Settings::default(),
            instances: instances::defaults(),
        }
    }

    fn read(text: &str) -> Result<Config, ConfigError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.toml");
        std::fs::write(&path, text).unwrap();
        Config::read(&path)
    }

    #[test]
    fn what_is_written_is_read() {
        assert_eq!(read(&sample().to_toml().unwrap()).unwrap(), sample());
    }

    #[test]
    fn an_unknown_key_is_an_error_that_names_it() {
        let text = sample()
            .to_toml()
            .unwrap()
            .replace("[trust]", "[trust]\nhartbeat_seconds = 3");
        assert!(read(&text).unwrap_err().to_string().contains("hartbeat_seconds"));
    }

    #[test]
    fn configured_instances_replace_the_usual_ones_and_are_checked() {
        let one = "[[instances]]\nname = \"ours\"\nsuite = \"ecdsa-jcs-2019\"\nkey = \"p384\"\n";
        let text = sample().to_toml().unwrap() + one;
        let config = read(&text).unwrap();
        assert_eq!(config.instances.len(), 1);
        assert_eq!(read(&config.to_toml().unwrap()).unwrap(), config);
        for (from, to) in [
            ("p384", "ed25519"),
            ("ecdsa-jcs-2019", "rsa"),
            ("name = \"ours\"", "name = \"Ours\""),
            ("key =", "status = [\"revocation\"]\nkey ="),
        ] {
            assert!(one.contains(from), "{from}");
            let text = sample().to_toml().unwrap() + &one.replace(from, to);
            assert!(read(&text).is_err(), "{to}");
        }
    }

    #[test]
    fn values_outside_their_bounds_are_errors() {
        for (from, to) in [
            ("heartbeat_seconds = 60", "heartbeat_seconds = 0"),
            ("public = \"127.0.0.1:8440\"", "public = \"here\""),
            ("\"http://127.0.0.1:8440\"", "\"http://127.0.0.1:8440/\""),
            ("\"St. Mary\"", "\" \""),
        ] {
            let text = sample().to_toml().unwrap();
            assert!(text.contains(from), "{text}");
            assert!(read(&text.replace(from, to)).is_err(), "{to}");
        }
    }
}
