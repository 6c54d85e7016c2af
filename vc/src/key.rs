//! Keys, signatures, and the one joint where a key may live elsewhere.
//!
//! Verification is the strict one only: no small-order key, no non-canonical encoding, no cofactor
//! (RFC 8032 leaves these open; the lax form accepts one signature for any message under some
//! keys).

use std::cmp::Ordering;
use std::fmt;

use ed25519_dalek::{SigningKey, VerifyingKey};
use multibase::Base;
use zeroize::Zeroizing;

use crate::limits::MULTIKEY_CHARS;

/// Multicodec `ed25519-pub` (0xed) as an unsigned varint.
pub(crate) const ED25519_MULTICODEC: [u8; 2] = [0xed, 0x01];

/// A public key: Ed25519, decompressed once and kept so.
#[derive(Clone)]
pub struct PublicKey(Kind);

#[derive(Clone)]
enum Kind {
    Ed25519(VerifyingKey),
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
    /// A multikey of another kind than Ed25519.
    #[error("a key of an unsupported kind (multicodec 0x{0:x}); Ed25519 keys begin with z6Mk")]
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

    /// The 32 bytes of the key.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        match &self.0 {
            Kind::Ed25519(key) => key.as_bytes(),
        }
    }

    /// Reads a multikey, as in `publicKeyMultibase` (Controlled Identifiers 1.0 section 2.2.2):
    /// `z6Mk...`.
    ///
    /// # Errors
    /// [`KeyError`] when the text is not one, or the key is not acceptable.
    pub fn from_multikey(text: &str) -> Result<Self, KeyError> {
        let bytes = decode_multikey(text)?;
        match bytes.split_first_chunk::<2>() {
            Some((&ED25519_MULTICODEC, key)) => Self::from_bytes(key.try_into().map_err(|_| KeyError::Malformed)?),
            _ => Err(multicodec(&bytes).map_or(KeyError::Malformed, KeyError::UnsupportedKind)),
        }
    }

    /// The key as a multikey: `z6Mk...`.
    #[must_use]
    pub fn to_multikey(&self) -> String {
        let mut bytes = [0; 34];
        let (prefix, key) = bytes.split_at_mut(2);
        prefix.copy_from_slice(&ED25519_MULTICODEC);
        key.copy_from_slice(self.as_bytes());
        multibase::encode(Base::Base58Btc, bytes)
    }

    /// Checks a signature, strictly.
    ///
    /// # Errors
    /// [`SignatureInvalid`] when it was not made by this key over this message.
    pub fn verify(&self, message: &[u8], signature: &Signature) -> Result<(), SignatureInvalid> {
        match &self.0 {
            Kind::Ed25519(key) => key
                .verify_strict(message, &ed25519_dalek::Signature::from_bytes(&signature.0))
                .map_err(|_| SignatureInvalid),
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
        self.as_bytes() == other.as_bytes()
    }
}

impl Eq for PublicKey {}

impl Ord for PublicKey {
    fn cmp(&self, other: &Self) -> Ordering {
        self.as_bytes().cmp(other.as_bytes())
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

/// An Ed25519 signature, not yet checked against anything.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Signature([u8; 64]);

impl Signature {
    /// Takes the 64 bytes as they are.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 64]) -> Self {
        Self(bytes)
    }

    /// The 64 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 64] {
        &self.0
    }
}

impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signature({})", multibase::encode(Base::Base58Btc, self.0))
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
        Ok(Signature(self.key.sign(message).to_bytes()))
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
