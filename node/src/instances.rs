//! Issuing instances: which suites this organization signs credentials with, and with which key (VC API "instances").
//!
//! Ed25519 instances sign with the organization's credential key, so their issuer is the organization. The others have
//! keys of their own, whose `did:key` is the issuer of what they sign: an organization has one identity, and a key of
//! another kind is not it.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use syndic_vc::did::Did;
use syndic_vc::did_key;
use syndic_vc::json::Value;
use syndic_vc::key::{EcdsaSecretKey, KeyKind, Signer};
use syndic_vc::object;
use syndic_vc::proof::Suite;
use syndic_vc::status::StatusPurpose;
use zeroize::Zeroizing;

use crate::keys::RandomError;
use crate::node::{self, Node};
use crate::records::{self, RecordError};
use crate::store::{ApplyError, Batch};
use crate::webvh;

/// Instances of one node. Each costs a route parameter and at most one key; nobody needs more kinds than there are.
pub const MAX_INSTANCES: usize = 64;
/// Longest name of an instance: names stand in paths.
pub const MAX_NAME_BYTES: usize = 64;
/// Binds a sealed instance key to its purpose; kind and name follow.
const KEY_PURPOSE: &str = "syndic instance key v1 ";
/// A scalar is refused by P-256 once in 2^32 draws and by P-384 once in 2^192: four refusals do not happen.
const MAX_KEY_DRAWS: usize = 4;

/// `[[instances]]`: one way of signing credentials.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Instance {
    /// The name in `/issuers/{instance}/credentials/issue`.
    pub name: String,
    /// How it signs.
    pub suite: InstanceSuite,
    /// With which kind of key.
    pub key: InstanceKey,
    /// The status entries that every credential of it gets; none if absent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub status: Vec<EntryPurpose>,
}

/// How an instance signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum InstanceSuite {
    /// Data Integrity, EdDSA over RFC 8785.
    #[serde(rename = "eddsa-jcs-2022")]
    EddsaJcs2022,
    /// Data Integrity, EdDSA over RDF Dataset Canonicalization.
    #[serde(rename = "eddsa-rdfc-2022")]
    EddsaRdfc2022,
    /// Data Integrity, ECDSA over RFC 8785.
    #[serde(rename = "ecdsa-jcs-2019")]
    EcdsaJcs2019,
    /// Data Integrity, ECDSA over RDF Dataset Canonicalization.
    #[serde(rename = "ecdsa-rdfc-2019")]
    EcdsaRdfc2019,
    /// An enveloping `vc+jwt` (EdDSA or ES256).
    #[serde(rename = "jose")]
    Jose,
}

/// The key an instance signs with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum InstanceKey {
    /// The organization's credential key.
    Ed25519,
    /// A P-256 key of this instance.
    P256,
    /// A P-384 key of this instance.
    P384,
}

/// What a status entry can say, as the configuration names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EntryPurpose {
    /// Revoked; never undone.
    Revocation,
    /// Suspended; may be undone.
    Suspension,
}

impl From<EntryPurpose> for StatusPurpose {
    fn from(purpose: EntryPurpose) -> Self {
        match purpose {
            EntryPurpose::Revocation => Self::Revocation,
            EntryPurpose::Suspension => Self::Suspension,
        }
    }
}

impl InstanceSuite {
    /// The name in the configuration.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::EddsaJcs2022 => "eddsa-jcs-2022",
            Self::EddsaRdfc2022 => "eddsa-rdfc-2022",
            Self::EcdsaJcs2019 => "ecdsa-jcs-2019",
            Self::EcdsaRdfc2019 => "ecdsa-rdfc-2019",
            Self::Jose => "jose",
        }
    }

    /// The suite of that name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        [
            Self::EddsaJcs2022,
            Self::EddsaRdfc2022,
            Self::EcdsaJcs2019,
            Self::EcdsaRdfc2019,
            Self::Jose,
        ]
        .into_iter()
        .find(|suite| suite.as_str() == name)
    }

    /// The cryptosuite of its proofs; none if it signs an envelope.
    #[must_use]
    pub const fn data_integrity(self) -> Option<Suite> {
        match self {
            Self::EddsaJcs2022 => Some(Suite::EddsaJcs2022),
            Self::EddsaRdfc2022 => Some(Suite::EddsaRdfc2022),
            Self::EcdsaJcs2019 => Some(Suite::EcdsaJcs2019),
            Self::EcdsaRdfc2019 => Some(Suite::EcdsaRdfc2019),
            Self::Jose => None,
        }
    }

    const fn takes(self, key: InstanceKey) -> bool {
        match self {
            Self::EddsaJcs2022 | Self::EddsaRdfc2022 => matches!(key, InstanceKey::Ed25519),
            Self::EcdsaJcs2019 | Self::EcdsaRdfc2019 => matches!(key, InstanceKey::P256 | InstanceKey::P384),
            // ES384 is not among the algorithms that are signed here.
            Self::Jose => matches!(key, InstanceKey::Ed25519 | InstanceKey::P256),
        }
    }
}

impl InstanceKey {
    /// The name in the configuration.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ed25519 => "ed25519",
            Self::P256 => "p256",
            Self::P384 => "p384",
        }
    }
}

/// The instances of a node that is not told otherwise. The first one answers at `/credentials/issue`.
#[must_use]
pub fn defaults() -> Vec<Instance> {
    use InstanceKey::{Ed25519, P256, P384};
    use InstanceSuite::{EcdsaJcs2019, EcdsaRdfc2019, EddsaJcs2022, EddsaRdfc2022, Jose};
    let plain = |name: &str, suite, key| Instance {
        name: name.to_owned(),
        suite,
        key,
        status: Vec::new(),
    };
    let mut status = plain("status", EddsaJcs2022, Ed25519);
    status.status.push(EntryPurpose::Revocation);
    vec![
        plain("eddsa-jcs-2022", EddsaJcs2022, Ed25519),
        plain("eddsa-rdfc-2022", EddsaRdfc2022, Ed25519),
        plain("ecdsa-rdfc-2019-p256", EcdsaRdfc2019, P256),
        plain("ecdsa-rdfc-2019-p384", EcdsaRdfc2019, P384),
        plain("ecdsa-jcs-2019-p256", EcdsaJcs2019, P256),
        plain("ecdsa-jcs-2019-p384", EcdsaJcs2019, P384),
        status,
        plain("jose", Jose, Ed25519),
        plain("jose-p256", Jose, P256),
    ]
}

/// Whether these are the instances of a node that is not told otherwise.
#[must_use]
pub fn are_defaults(instances: &[Instance]) -> bool {
    instances == defaults()
}

/// Checks the configured instances.
///
/// # Errors
/// What is wrong, for whoever wrote the configuration.
pub fn check(instances: &[Instance]) -> Result<(), String> {
    if instances.is_empty() || instances.len() > MAX_INSTANCES {
        return Err(format!("[[instances]] must be 1 to {MAX_INSTANCES}"));
    }
    let mut names = BTreeSet::new();
    for instance in instances {
        let name = instance.name.as_str();
        let fits = (1..=MAX_NAME_BYTES).contains(&name.len())
            && name
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
        if !fits || !names.insert(name) {
            return Err(format!(
                "[[instances]] name = {name:?} must have 1 to {MAX_NAME_BYTES} lower-case letters, digits and \
                dashes, and be there once"
            ));
        }
        if !instance.suite.takes(instance.key) {
            return Err(format!(
                "[[instances]] {name}: suite {} does not sign with key {}",
                instance.suite.as_str(),
                instance.key.as_str()
            ));
        }
        // A list speaks for the credentials of the organization that publishes it, and for no others.
        if !instance.status.is_empty() && instance.key != InstanceKey::Ed25519 {
            return Err(format!(
                "[[instances]] {name}: only credentials signed with key ed25519 can have status entries"
            ));
        }
    }
    Ok(())
}

/// Why an instance cannot sign.
#[derive(Debug, thiserror::Error)]
pub enum InstanceError {
    /// There is none of that name.
    #[error("no issuing instance {0:?}; GET /issuers lists them")]
    Unknown(String),
    /// There is none that could be meant.
    #[error("no issuing instance with key ed25519 is configured; add one to [[instances]]")]
    None,
    /// The random source failed.
    #[error(transparent)]
    Random(#[from] RandomError),
    /// A row could not be read.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// The new key could not be made durable.
    #[error(transparent)]
    Apply(#[from] ApplyError),
}

/// The instance of that name.
///
/// # Errors
/// [`InstanceError::Unknown`].
pub fn find<'n>(node: &'n Node, name: &str) -> Result<&'n Instance, InstanceError> {
    let found = node.config.instances.iter().find(|instance| instance.name == name);
    found.ok_or_else(|| InstanceError::Unknown(name.to_owned()))
}

/// The instance that answers where none is named: the first one.
///
/// # Errors
/// [`InstanceError::None`]; a checked configuration has at least one.
pub fn first(node: &Node) -> Result<&Instance, InstanceError> {
    node.config.instances.first().ok_or(InstanceError::None)
}

/// The first instance that signs as the organization itself.
///
/// # Errors
/// [`InstanceError::None`].
pub fn first_of_organization(node: &Node) -> Result<&Instance, InstanceError> {
    let mut instances = node.config.instances.iter();
    let found = instances.find(|instance| instance.key == InstanceKey::Ed25519);
    found.ok_or(InstanceError::None)
}

/// Who an instance signs as, and with what.
pub struct IssuerKey<'n> {
    /// The issuer.
    pub did: Did,
    /// The verification method it is named by.
    pub method: String,
    /// Whether the organization itself signs, under its own DID or under one that its log says is its own.
    pub is_organization: bool,
    key: Held<'n>,
}

enum Held<'n> {
    Organization(&'n dyn Signer),
    Own(Box<dyn Signer>),
}

impl IssuerKey<'_> {
    /// The key of the organization itself.
    #[must_use]
    pub fn of_organization(node: &Node) -> IssuerKey<'_> {
        IssuerKey {
            did: node.organization.clone(),
            method: node.issuer_method(),
            is_organization: true,
            key: Held::Organization(node.keys.credential_signer()),
        }
    }

    /// The key to sign with.
    #[must_use]
    pub fn signer(&self) -> &dyn Signer {
        match &self.key {
            Held::Organization(signer) => *signer,
            Held::Own(key) => &**key,
        }
    }
}

/// The key of the organization for credentials that name this issuer: its own, or that of a `did:webvh` of this node.
#[must_use]
pub fn key_of_organization<'n>(node: &'n Node, issuer: Option<&str>) -> IssuerKey<'n> {
    let other = issuer.filter(|issuer| *issuer != node.organization.as_str());
    let known =
        other.and_then(|issuer| Some((Did::parse(issuer).ok()?, webvh::organization_signer(node, issuer).ok()?)));
    match known {
        None => IssuerKey::of_organization(node),
        Some((did, (method, key))) => IssuerKey {
            did,
            method,
            is_organization: true,
            key: Held::Own(Box::new(key)),
        },
    }
}

/// The key of an instance. One that is not the organization's is drawn when first asked for, and is on disk, sealed,
/// before this returns: a credential must never outlive its issuer's key.
///
/// # Errors
/// [`InstanceError`].
pub async fn key<'n>(node: &'n Node, instance: &Instance) -> Result<IssuerKey<'n>, InstanceError> {
    let kind = match instance.key {
        InstanceKey::Ed25519 => return Ok(IssuerKey::of_organization(node)),
        InstanceKey::P256 => KeyKind::P256,
        InstanceKey::P384 => KeyKind::P384,
    };
    let row = records::key(
        records::INSTANCE_KEY,
        &format!("{}/{}", instance.key.as_str(), instance.name),
    );
    let purpose = format!("{KEY_PURPOSE}{} {}", instance.key.as_str(), instance.name);
    if let Some(sealed) = node.store.get(&row).map_err(RecordError::from)? {
        return opened(node, kind, &row, &purpose, &sealed);
    }
    let drawn = draw(kind)?;
    let sealed = node.keys.seal_record(purpose.as_bytes(), &drawn.scalar())?;
    let batch = Batch {
        writes: vec![(row.clone(), Some(sealed))],
        expectations: vec![(row.clone(), None)],
    };
    match node.apply(batch).await {
        Ok(()) => Ok(own(drawn)),
        // Another request was first; its key is the one.
        Err(ApplyError::Expectation { .. }) => {
            let sealed = node.store.get(&row).map_err(RecordError::from)?;
            let sealed = sealed.ok_or_else(|| records::damaged(&row, "gone"))?;
            opened(node, kind, &row, &purpose, &sealed)
        }
        Err(error) => Err(error.into()),
    }
}

fn own(key: EcdsaSecretKey) -> IssuerKey<'static> {
    let did = did_key::for_key(key.public_key());
    IssuerKey {
        method: node::key_method(&did),
        did,
        is_organization: false,
        key: Held::Own(Box::new(key)),
    }
}

fn opened(
    node: &Node,
    kind: KeyKind,
    row: &[u8],
    purpose: &str,
    sealed: &[u8],
) -> Result<IssuerKey<'static>, InstanceError> {
    let scalar = node
        .keys
        .open_record(purpose.as_bytes(), sealed)
        .map_err(|error| records::damaged(row, error.to_string()))?;
    let key = EcdsaSecretKey::from_scalar(kind, &scalar).map_err(|error| records::damaged(row, error.to_string()))?;
    Ok(own(key))
}

fn draw(kind: KeyKind) -> Result<EcdsaSecretKey, RandomError> {
    for _ in 0..MAX_KEY_DRAWS {
        let mut scalar = Zeroizing::new(Vec::with_capacity(64));
        scalar.extend_from_slice(&*crate::keys::random_seed()?);
        if kind == KeyKind::P384 {
            scalar.extend_from_slice(&*crate::keys::random_seed()?);
            scalar.truncate(48);
        }
        if let Ok(key) = EcdsaSecretKey::from_scalar(kind, &scalar) {
            return Ok(key);
        }
    }
    Err(RandomError::new("no usable secret scalar"))
}

/// An instance as `GET /issuers` shows it.
#[must_use]
pub fn to_json(instance: &Instance, key: &IssuerKey<'_>) -> Value {
    let status: Vec<Value> = instance
        .status
        .iter()
        .map(|purpose| StatusPurpose::from(*purpose).as_str().into())
        .collect();
    object! {
        "name": instance.name.as_str(),
        "suite": instance.suite.as_str(),
        "key": instance.key.as_str(),
        "did": key.did.as_str(),
        "verificationMethod": key.method.as_str(),
        "status": status,
        "path": format!("/issuers/{}/credentials/issue", instance.name),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
    use super::*;

    #[test]
    fn the_defaults_are_valid_and_each_fault_is_found() {
        type Fault = (&'static str, fn(&mut Vec<Instance>));
        check(&defaults()).unwrap();
        let faults: [Fault; 6] = [
            ("none", Vec::clear),
            ("a name twice", |all| all[1].name = all[0].name.clone()),
            ("a name that is no path segment", |all| all[0].name = "a/b".to_owned()),
            ("a suite with another key", |all| all[0].key = InstanceKey::P256),
            ("ES384", |all| all[8].key = InstanceKey::P384),
            ("status without the organization", |all| {
                all[2].status.push(EntryPurpose::Revocation);
            }),
        ];
        for (name, break_it) in faults {
            let mut all = defaults();
            break_it(&mut all);
            assert!(check(&all).is_err(), "{name}");
        }
    }

    #[test]
    fn drawn_keys_are_of_their_kind_and_new_each_time() {
        for kind in [KeyKind::P256, KeyKind::P384] {
            let (one, other) = (draw(kind).unwrap(), draw(kind).unwrap());
            assert_eq!(one.public_key().kind(), kind);
            assert_ne!(one.public_key().to_multikey(), other.public_key().to_multikey());
        }
    }
}
