//! ECDSA on P-256 and P-384: the keys that hardware and public-sector rules ask for.

use p256::ecdsa::signature::{Signer as _, Verifier as _};
use zeroize::Zeroizing;

use super::{KeyError, KeyKind, Kind, PublicKey, SignError, Signature, SignatureInvalid, Signer};

/// A point on one of the two curves, with its one compressed form.
#[derive(Clone)]
pub(super) enum EcdsaPublicKey {
    P256 {
        key: p256::ecdsa::VerifyingKey,
        compressed: [u8; 33],
    },
    P384 {
        key: p384::ecdsa::VerifyingKey,
        compressed: [u8; 49],
    },
}

impl EcdsaPublicKey {
    /// Reads a compressed point. An uncompressed one would give one key two names.
    pub(super) fn from_sec1(kind: KeyKind, bytes: &[u8]) -> Result<Self, KeyError> {
        let compressed = matches!(bytes.first(), Some(2 | 3));
        match kind {
            KeyKind::P256 => {
                let key = p256::ecdsa::VerifyingKey::from_sec1_bytes(bytes).map_err(|_| KeyError::NotOnCurve)?;
                let compressed = bytes.try_into().ok().filter(|_| compressed);
                compressed.map(|compressed| Self::P256 { key, compressed })
            }
            _ => {
                let key = p384::ecdsa::VerifyingKey::from_sec1_bytes(bytes).map_err(|_| KeyError::NotOnCurve)?;
                let compressed = bytes.try_into().ok().filter(|_| compressed);
                compressed.map(|compressed| Self::P384 { key, compressed })
            }
        }
        .ok_or(KeyError::NotCanonical)
    }

    /// The point with these coordinates.
    pub(super) fn from_coordinates(kind: KeyKind, x: &[u8], y: &[u8]) -> Result<Self, KeyError> {
        let uncompressed = [&[4], x, y].concat();
        match kind {
            KeyKind::P256 => p256::ecdsa::VerifyingKey::from_sec1_bytes(&uncompressed)
                .map(Self::p256)
                .map_err(|_| KeyError::NotOnCurve)?,
            _ => p384::ecdsa::VerifyingKey::from_sec1_bytes(&uncompressed)
                .map(Self::p384)
                .map_err(|_| KeyError::NotOnCurve)?,
        }
        .ok_or(KeyError::NotOnCurve)
    }

    fn p256(key: p256::ecdsa::VerifyingKey) -> Option<Self> {
        let compressed = key.to_sec1_point(true).as_bytes().try_into().ok()?;
        Some(Self::P256 { key, compressed })
    }

    fn p384(key: p384::ecdsa::VerifyingKey) -> Option<Self> {
        let compressed = key.to_sec1_point(true).as_bytes().try_into().ok()?;
        Some(Self::P384 { key, compressed })
    }

    /// Both coordinates, x first.
    pub(super) fn coordinates(&self) -> (Vec<u8>, Vec<u8>) {
        let uncompressed = match self {
            Self::P256 { key, .. } => key.to_sec1_point(false).as_bytes().to_vec(),
            Self::P384 { key, .. } => key.to_sec1_point(false).as_bytes().to_vec(),
        };
        let both = uncompressed.get(1..).unwrap_or_default();
        let (x, y) = both.split_at(both.len() / 2);
        (x.to_vec(), y.to_vec())
    }

    pub(super) const fn kind(&self) -> KeyKind {
        match self {
            Self::P256 { .. } => KeyKind::P256,
            Self::P384 { .. } => KeyKind::P384,
        }
    }

    pub(super) const fn as_bytes(&self) -> &[u8] {
        match self {
            Self::P256 { compressed, .. } => compressed,
            Self::P384 { compressed, .. } => compressed,
        }
    }

    pub(super) fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), SignatureInvalid> {
        match self {
            Self::P256 { key, .. } => p256::ecdsa::Signature::from_slice(signature)
                .and_then(|signature| key.verify(message, &signature))
                .map_err(|_| SignatureInvalid),
            Self::P384 { key, .. } => p384::ecdsa::Signature::from_slice(signature)
                .and_then(|signature| key.verify(message, &signature))
                .map_err(|_| SignatureInvalid),
        }
    }
}

/// A P-256 or P-384 secret key in memory. Signs deterministically (RFC 6979). Wiped when dropped;
/// shown by nothing.
pub struct EcdsaSecretKey {
    key: Secret,
    public: PublicKey,
}

enum Secret {
    P256(p256::ecdsa::SigningKey),
    P384(Box<p384::ecdsa::SigningKey>),
}

impl EcdsaSecretKey {
    /// The key of a secret scalar: 32 bytes for P-256, 48 for P-384, big-endian. The caller draws it
    /// from the system's generator, and draws again in the rare case that it is refused.
    ///
    /// # Errors
    /// [`KeyError`]: no ECDSA kind, another length, zero, or not below the group's order.
    pub fn from_scalar(kind: KeyKind, scalar: &Zeroizing<Vec<u8>>) -> Result<Self, KeyError> {
        if scalar.len() * 2 != kind.signature_bytes() {
            return Err(KeyError::Malformed);
        }
        let (key, public) = match kind {
            KeyKind::Ed25519 => return Err(KeyError::UnsupportedKind(0xed)),
            KeyKind::P256 => {
                let key = p256::ecdsa::SigningKey::from_slice(scalar).map_err(|_| KeyError::NotCanonical)?;
                let public = EcdsaPublicKey::p256(*key.verifying_key());
                (Secret::P256(key), public)
            }
            KeyKind::P384 => {
                let key = p384::ecdsa::SigningKey::from_slice(scalar).map_err(|_| KeyError::NotCanonical)?;
                let public = EcdsaPublicKey::p384(*key.verifying_key());
                (Secret::P384(Box::new(key)), public)
            }
        };
        let public = public.ok_or(KeyError::NotOnCurve)?;
        Ok(Self {
            key,
            public: PublicKey(Kind::Ecdsa(Box::new(public))),
        })
    }

    /// The secret scalar, to be sealed for storage. Copies are the caller's to wipe.
    #[must_use]
    pub fn scalar(&self) -> Zeroizing<Vec<u8>> {
        match &self.key {
            Secret::P256(key) => Zeroizing::new(key.to_bytes().to_vec()),
            Secret::P384(key) => Zeroizing::new(key.to_bytes().to_vec()),
        }
    }
}

impl Signer for EcdsaSecretKey {
    fn public_key(&self) -> &PublicKey {
        &self.public
    }

    fn sign(&self, message: &[u8]) -> Result<Signature, SignError> {
        let bytes = match &self.key {
            Secret::P256(key) => {
                let signature: Result<p256::ecdsa::Signature, _> = key.try_sign(message);
                signature.map(|signature| signature.to_bytes().to_vec())
            }
            Secret::P384(key) => {
                let signature: Result<p384::ecdsa::Signature, _> = key.try_sign(message);
                signature.map(|signature| signature.to_bytes().to_vec())
            }
        };
        bytes
            .ok()
            .and_then(|bytes| Signature::from_slice(&bytes))
            .ok_or_else(|| SignError("the ECDSA signature could not be made".to_owned()))
    }
}

/// The public half only.
impl std::fmt::Debug for EcdsaSecretKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "EcdsaSecretKey(of {})", self.public)
    }
}
