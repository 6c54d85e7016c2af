//! Statements about keys, credentials and other logs: what a compromised key signed, what was issued before, whose
//! certificates are trusted, who told two stories.

use syndic_vc::did::{Did, DidUrl};
use syndic_vc::json::members::{MemberError, Members};
use syndic_vc::json::{Object, Value};
use syndic_vc::key::PublicKey;
use syndic_vc::time::Timestamp;

use super::{did, identifier};
use crate::charter;
use crate::limits;
use crate::log_keys;

/// See [`super::Content::KeyCompromised`].
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct KeyCompromised {
    /// The key: a verification method (a DID URL with a fragment) or a multikey.
    pub key: String,
    /// Since when, as far as the organization knows. For people: what counts is the place in the log.
    pub since: Option<Timestamp>,
}

/// See [`super::Content::CredentialsAnchored`].
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct CredentialsAnchored {
    /// Digests of secured documents, as multihash text, ascending.
    pub digests: Vec<String>,
}

/// See [`super::Content::TrustBundle`].
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct TrustBundle {
    /// Whose keys they are: a SPIFFE trust domain or another URI.
    pub domain: String,
    /// What kind of keys.
    pub format: BundleFormat,
    /// The JSON Web Key Set, or the SPIFFE bundle, which is one with more members.
    pub bundle: Object,
}

/// Formats of a trust bundle.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum BundleFormat {
    /// SPIFFE Trust Domain and Bundle.
    Spiffe,
    /// JSON Web Key Set (RFC 7517).
    Jwks,
}

/// See [`super::Content::ForkEvidence`].
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ForkEvidence {
    /// Who told two stories.
    pub organization: Did,
    /// Digest of the proof, as multihash text.
    pub digest: String,
}

impl KeyCompromised {
    pub(super) fn read(members: &Members<'_, '_>) -> Result<Self, MemberError> {
        let key = members.str("key")?;
        let method = || DidUrl::parse(key).is_ok_and(|url| url.fragment().is_some_and(|fragment| !fragment.is_empty()));
        if key.len() > limits::ADDRESS_BYTES || (PublicKey::from_multikey(key).is_err() && !method()) {
            return Err(members.error("key", "a verification method (a DID URL with a fragment) or a multikey"));
        }
        let since = members.optional("since").map(|_| charter::time(members, "since"));
        Ok(Self {
            key: key.to_owned(),
            since: since.transpose()?,
        })
    }

    pub(super) fn write(&self, members: &mut Object) {
        members.insert("key", &self.key);
        if let Some(since) = self.since {
            members.insert("since", charter::whole_seconds(since));
        }
    }
}

impl CredentialsAnchored {
    pub(super) fn read(members: &Members<'_, '_>) -> Result<Self, MemberError> {
        const EXPECTED: &str = "1 to 500 SHA-256 multihashes in base58btc (zQm...), in ascending order";
        let values = members.array("digests")?;
        let digests: Option<Vec<String>> = values
            .iter()
            .map(|value| {
                let digest = value.as_str().filter(|digest| log_keys::is_commitment(digest));
                digest.map(str::to_owned)
            })
            .collect();
        digests
            .filter(|digests| (1..=limits::ANCHORS).contains(&digests.len()) && digests.is_sorted_by(|a, b| a < b))
            .map(|digests| Self { digests })
            .ok_or_else(|| members.error("digests", EXPECTED))
    }

    pub(super) fn write(&self, members: &mut Object) {
        members.insert("digests", Value::from_iter(&self.digests));
    }
}

impl TrustBundle {
    pub(super) fn read(members: &Members<'_, '_>) -> Result<Self, MemberError> {
        let format = match members.str("format")? {
            "spiffe" => BundleFormat::Spiffe,
            "jwks" => BundleFormat::Jwks,
            _ => return Err(members.error("format", "\"spiffe\" or \"jwks\"")),
        };
        let domain = identifier(members, "domain")?;
        if format == BundleFormat::Spiffe && !domain.starts_with("spiffe://") {
            return Err(members.error("domain", "a trust domain, like spiffe://hospital.example"));
        }
        let bundle = members.object("bundle")?;
        if bundle.array("keys")?.len() > limits::BUNDLE_KEYS {
            return Err(bundle.error("keys", "at most 64 keys"));
        }
        Ok(Self {
            domain,
            format,
            bundle: bundle.as_object().clone(),
        })
    }

    pub(super) fn write(&self, members: &mut Object) {
        members.insert("domain", &self.domain);
        members.insert(
            "format",
            match self.format {
                BundleFormat::Spiffe => "spiffe",
                BundleFormat::Jwks => "jwks",
            },
        );
        members.insert("bundle", self.bundle.clone());
    }
}

impl ForkEvidence {
    pub(super) fn read(members: &Members<'_, '_>) -> Result<Self, MemberError> {
        let digest = members.str("digest")?;
        if !log_keys::is_commitment(digest) {
            return Err(members.error("digest", "a SHA-256 multihash in base58btc (zQm...)"));
        }
        Ok(Self {
            organization: did(members, "organization")?,
            digest: digest.to_owned(),
        })
    }

    pub(super) fn write(&self, members: &mut Object) {
        members.insert("organization", &self.organization);
        members.insert("digest", &self.digest);
    }
}
