//! Keys, signatures, and the one joint where a key may live elsewhere.
//!
//! Ed25519 is verified strictly only: no small-order key, no non-canonical encoding, no cofactor
//! (RFC 8032 leaves these open; the lax form accepts one signature for any message under some
//! keys). ECDSA signatures on P-256 and P-384 have two valid forms each, s and n - s, and both are
//! accepted, because half of what others sign has the larger one: a signature is not a name.

pub mod batch;
mod ecdsa;
mod ed25519;
mod jwk;

use std::cmp::Ordering;
use std::fmt;

use ed25519_dalek::{SigningKey, VerifyingKey};
use multibase::Base;
use zeroize::Zeroizing;

use crate::limits::MULTIKEY_CHARS;

pub use ecdsa::EcdsaSecretKey;
pub use jwk::JwkError;

/// Multicodec `ed25519-pub` (0xed) as an unsigned varint.
pub(crate) const ED25519_MULTICODEC: [u8; 2] = [0xed, 0x01];

/// The kinds of keys that sign here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum KeyKind {
    /// Ed25519 (RFC 8032).
    Ed25519,
    /// ECDSA on P-256 with SHA-256 (FIPS 186-5).
    P256,
    /// ECDSA on P-384 with SHA-384.
    P384,
}

impl KeyKind {
    /// All kinds.
    pub const ALL: [Self; 3] = [Self::Ed25519, Self::P256, Self::P384];

    /// The name for people: `Ed25519`, `P-256`, `P-384`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ed25519 => "Ed25519",
            Self::P256 => "P-256",
            Self::P384 => "P-384",
        }
    }

    /// The multicodec of its public keys, as an unsigned varint.
    const fn multicodec(self) -> [u8; 2] {
        match self {
            Self::Ed25519 => ED25519_MULTICODEC,
            Self::P256 => [0x80, 0x24],
            Self::P384 => [0x81, 0x24],
        }
    }

    /// How many bytes a signature of such a key has.
    #[must_use]
    pub const fn signature_bytes(self) -> usize {
        match self {
            Self::Ed25519 | Self::P256 => 64,
            Self::P384 => 96,
        }
    }
}

/// A public key, decompressed once and kept so.
#[derive(Clone)]
pub struct PublicKey(Kind);

#[derive(Clone)]
enum Kind {
    Ed25519(VerifyingKey),
    Ecdsa(Box<ecdsa::EcdsaPublicKey>),
}

/// The bytes or text are not a key that may be trusted with anything.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// Not a point of its curve.
    #[error("not a public key: there is no such point on its curve")]
    NotOnCurve,
    /// Another encoding of the point than the one that is prescribed (RFC 8032 section 5.1.2; SEC 1
    /// compressed).
    #[error("not a public key in its one canonical form")]
    NotCanonical,
    /// A point of small order: some signatures would be valid for any message.
    #[error("a weak Ed25519 public key (small order); generate a new one")]
    Weak,
    /// Not multibase base58btc.
    #[error("not a multikey; it begins with 'z' and is base58btc, like z6Mk...")]
    Malformed,
    /// A multikey of another kind than those that sign here.
    #[error(
        "a key of an unsupported kind (multicodec 0x{0:x}); Ed25519 keys begin with z6Mk, P-256 with zDna, P-384 with z82L"
    )]
    UnsupportedKind(u64),
}

impl PublicKey {
    /// An Ed25519 public key.
    ///
    /// # Errors
    /// [`KeyError`] when the bytes are no point, not canonical, or of small order.
    pub fn from_bytes(bytes: &[u8; 32]) -> Result<Self, KeyError> {
        if !is_canonical(bytes) {
            return Err(KeyError::NotCanonical);
        }
        let key = VerifyingKey::from_bytes(bytes).map_err(|_| KeyError::NotOnCurve)?;
        if key.is_weak() {
            return Err(KeyError::Weak);
        }
        Ok(Self(Kind::Ed25519(key)))
    }

    /// A key of a kind: the 32 bytes of RFC 8032, or a point compressed as SEC 1 section 2.3.3 says.
    ///
    /// # Errors
    /// [`KeyError`] when the bytes are not an acceptable key in its one form.
    pub fn of_kind(kind: KeyKind, bytes: &[u8]) -> Result<Self, KeyError> {
        match kind {
            KeyKind::Ed25519 => Self::from_bytes(bytes.try_into().map_err(|_| KeyError::Malformed)?),
            KeyKind::P256 | KeyKind::P384 => {
                ecdsa::EcdsaPublicKey::from_sec1(kind, bytes).map(|key| Self(Kind::Ecdsa(Box::new(key))))
            }
        }
    }

    /// What kind of key it is.
    #[must_use]
    pub fn kind(&self) -> KeyKind {
        match &self.0 {
            Kind::Ed25519(_) => KeyKind::Ed25519,
            Kind::Ecdsa(key) => key.kind(),
        }
    }

    /// The bytes of the key: 32 for Ed25519, the compressed point for the others (33 or 49).
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        match &self.0 {
            Kind::Ed25519(key) => key.as_bytes(),
            Kind::Ecdsa(key) => key.as_bytes(),
        }
    }

    /// Reads a multikey, as in `publicKeyMultibase` (Controlled Identifiers 1.0 section 2.2.2):
    /// `z6Mk...`, `zDna...`, `z82L...`.
    ///
    /// # Errors
    /// [`KeyError`] when the text is not one, or the key is not acceptable.
    pub fn from_multikey(text: &str) -> Result<Self, KeyError> {
        let bytes = decode_multikey(text)?;
        let kind = bytes.split_first_chunk::<2>().and_then(|(prefix, key)| {
            let kind = KeyKind::ALL.into_iter().find(|kind| kind.multicodec() == *prefix)?;
            Some((kind, key))
        });
        match kind {
            Some((kind, key)) => Self::of_kind(kind, key),
            None => Err(multicodec(&bytes).map_or(KeyError::Malformed, KeyError::UnsupportedKind)),
        }
    }

    /// The key as a multikey: `z6Mk...`.
    #[must_use]
    pub fn to_multikey(&self) -> String {
        let mut bytes = Vec::with_capacity(51);
        bytes.extend_from_slice(&self.kind().multicodec());
        bytes.extend_from_slice(self.as_bytes());
        multibase::encode(Base::Base58Btc, bytes)
    }

    /// Checks a signature, strictly.
    ///
    /// # Errors
    /// [`SignatureInvalid`] when it was not made by this key over this message.
    pub fn verify(&self, message: &[u8], signature: &Signature) -> Result<(), SignatureInvalid> {
        match &self.0 {
            Kind::Ed25519(key) => {
                let bytes = signature.as_bytes().try_into().map_err(|_| SignatureInvalid)?;
                ed25519::verify_strict(key, message, bytes)
            }
            Kind::Ecdsa(key) => key.verify(message, signature.as_bytes()),
        }
    }
}

/// The bytes of a multikey with its multicodec prefix.
pub(crate) fn decode_multikey(text: &str) -> Result<Vec<u8>, KeyError> {
    if text.len() > MULTIKEY_CHARS || !text.starts_with('z') {
        return Err(KeyError::Malformed);
    }
    multibase::decode(text)
        .map(|(_, bytes)| bytes)
        .map_err(|_| KeyError::Malformed)
}

/// The multicodec that an unsigned varint at the start of the bytes names.
pub(crate) fn multicodec(bytes: &[u8]) -> Option<u64> {
    let mut code = 0;
    for (at, byte) in bytes.iter().take(9).enumerate() {
        code |= u64::from(byte & 0x7F) << (7 * at);
        if byte & 0x80 == 0 {
            return Some(code);
        }
    }
    None
}

/// Whether y < 2^255 − 19. (A point with x = 0 and the sign bit set is the other non-canonical
/// form; both such points are of small order, so they are refused as weak.)
fn is_canonical(bytes: &[u8; 32]) -> bool {
    let [low, middle @ .., high] = bytes;
    *low < 0xED || high & 0x7F != 0x7F || middle.iter().any(|b| *b != 0xFF)
}

impl PartialEq for PublicKey {
    fn eq(&self, other: &Self) -> bool {
        self.kind() == other.kind() && self.as_bytes() == other.as_bytes()
    }
}

impl Eq for PublicKey {}

impl Ord for PublicKey {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.kind(), self.as_bytes()).cmp(&(other.kind(), other.as_bytes()))
    }
}

impl PartialOrd for PublicKey {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// The multikey.
impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_multikey())
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({self})")
    }
}

/// Bytes of the longest signature: P-384.
const SIGNATURE_BYTES: usize = 96;

/// A signature, not yet checked against anything: 64 bytes, or 96 for P-384 (r and s as in IEEE
/// P1363).
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Signature {
    bytes: [u8; SIGNATURE_BYTES],
    length: u8,
}

impl Signature {
    /// Takes 64 bytes as they are.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 64]) -> Self {
        let mut all = [0; SIGNATURE_BYTES];
        let (used, _) = all.split_at_mut(64);
        used.copy_from_slice(&bytes);
        Self { bytes: all, length: 64 }
    }

    /// Takes 64 or 96 bytes as they are; `None` for any other number.
    #[must_use]
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        if let Ok(bytes) = bytes.try_into() {
            return Some(Self::from_bytes(bytes));
        }
        let bytes = bytes.try_into().ok()?;
        Some(Self { bytes, length: 96 })
    }

    /// The 64 or 96 bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..usize::from(self.length)).unwrap_or_default()
    }
}

impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signature({})", multibase::encode(Base::Base58Btc, self.as_bytes()))
    }
}

/// The signature was not made by this key over this message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the signature does not verify")]
pub struct SignatureInvalid;

/// Something that signs: a key in memory, or one that never leaves its hardware.
pub trait Signer: Send + Sync {
    /// The public half.
    fn public_key(&self) -> &PublicKey;

    /// Signs a message.
    ///
    /// # Errors
    /// [`SignError`] when the key cannot be used now.
    fn sign(&self, message: &[u8]) -> Result<Signature, SignError>;
}

/// The signer could not sign.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("could not sign: {0}")]
pub struct SignError(pub String);

/// An Ed25519 secret key in memory. Wiped when dropped; shown by nothing.
pub struct SecretKey {
    key: SigningKey,
    public: PublicKey,
}

impl SecretKey {
    /// The key of a seed (RFC 8032 section 5.1.5). The caller draws the seed from the system's
    /// generator.
    #[must_use]
    pub fn from_seed(seed: Zeroizing<[u8; 32]>) -> Self {
        let key = SigningKey::from_bytes(&seed);
        // Not of small order: the secret scalar is a multiple of 8 that is not one of the group
        // order.
        let public = PublicKey(Kind::Ed25519(key.verifying_key()));
        Self { key, public }
    }

    /// The seed, to be sealed for storage. Copies are the caller's to wipe.
    #[must_use]
    pub fn seed(&self) -> &[u8; 32] {
        self.key.as_bytes()
    }

    /// The public half.
    #[must_use]
    pub const fn public_key(&self) -> &PublicKey {
        &self.public
    }
}

impl Signer for SecretKey {
    fn public_key(&self) -> &PublicKey {
        &self.public
    }

    fn sign(&self, message: &[u8]) -> Result<Signature, SignError> {
        use ed25519_dalek::Signer as _;
        Ok(Signature::from_bytes(self.key.sign(message).to_bytes()))
    }
}

/// The public half only.
impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecretKey(of {})", self.public)
    }
}

#[cfg(test)]
mod tests;
