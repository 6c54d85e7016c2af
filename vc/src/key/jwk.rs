//! Public keys as JSON Web Keys (RFC 7517, RFC 7518 section 6.2, RFC 8037 section 2).

use multibase::Base;
use sha2::{Digest, Sha256};

use super::{KeyError, KeyKind, Kind, PublicKey, ecdsa::EcdsaPublicKey};
use crate::canonical;
use crate::json::members::{MemberError, Members, Path};
use crate::json::{Object, Value};

/// The JSON is no public key that signs here.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum JwkError {
    /// A member is missing or of the wrong kind.
    #[error(transparent)]
    Member(#[from] MemberError),
    /// The key itself is not acceptable.
    #[error("the JSON Web Key: {0}")]
    Key(#[from] KeyError),
    /// Another type of key, or another curve.
    #[error("the JSON Web Key is neither OKP Ed25519 nor EC P-256 or P-384")]
    UnsupportedKind,
    /// It holds a secret: whoever published it must make a new key.
    #[error("the JSON Web Key holds its private part: this key is burnt, make a new one")]
    Private,
}

impl PublicKey {
    /// Reads a public JSON Web Key. Coordinates have their full length, base64url without padding.
    /// Members that do not make the key (`kid`, `use`, `alg`) are not looked at.
    ///
    /// # Errors
    /// [`JwkError`]; a key that holds its private part is refused too.
    pub fn from_jwk(value: &Value, at: &Path<'_>) -> Result<Self, JwkError> {
        let members = Members::of(value, at)?;
        if ["d", "k", "p", "q"]
            .iter()
            .any(|name| members.as_object().contains_key(name))
        {
            return Err(JwkError::Private);
        }
        let curve = (members.str("kty")?, members.optional_str("crv")?);
        let (kind, length) = match curve {
            ("OKP", Some("Ed25519")) => (KeyKind::Ed25519, 32),
            ("EC", Some("P-256")) => (KeyKind::P256, 32),
            ("EC", Some("P-384")) => (KeyKind::P384, 48),
            _ => return Err(JwkError::UnsupportedKind),
        };
        let x = coordinate(&members, "x", length)?;
        if kind == KeyKind::Ed25519 {
            return Ok(Self::of_kind(kind, &x)?);
        }
        let y = coordinate(&members, "y", length)?;
        let key = EcdsaPublicKey::from_coordinates(kind, &x, &y)?;
        Ok(Self(Kind::Ecdsa(Box::new(key))))
    }

    /// The key as a JSON Web Key with no other members than make the key.
    #[must_use]
    pub fn to_jwk(&self) -> Object {
        let base64url = |bytes: &[u8]| Base::Base64Url.encode(bytes);
        let mut jwk = Object::new();
        jwk.insert("crv", self.kind().as_str());
        match &self.0 {
            Kind::Ed25519(key) => {
                jwk.insert("kty", "OKP");
                jwk.insert("x", base64url(key.as_bytes()));
            }
            Kind::Ecdsa(key) => {
                let (x, y) = key.coordinates();
                jwk.insert("kty", "EC");
                jwk.insert("x", base64url(&x));
                jwk.insert("y", base64url(&y));
            }
        }
        jwk
    }

    /// The thumbprint of the key (RFC 7638, SHA-256), base64url.
    #[must_use]
    pub fn jwk_thumbprint(&self) -> String {
        // The required members in lexical order are the canonical form of the object.
        let mut bytes = Vec::new();
        canonical::write_without(&self.to_jwk(), &[], &mut bytes);
        Base::Base64Url.encode(Sha256::digest(&bytes))
    }
}

fn coordinate(members: &Members<'_, '_>, name: &str, length: usize) -> Result<Vec<u8>, MemberError> {
    let text = members.str(name)?;
    Base::Base64Url
        .decode(text)
        .ok()
        .filter(|bytes| bytes.len() == length)
        .ok_or_else(|| members.error(name, "a coordinate of full length in base64url without padding"))
}
