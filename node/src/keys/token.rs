//! The admin token: what whoever may change anything presents.
//!
//! It is written once, in clear, for the operator to read or move away; the node itself keeps only
//! its SHA-256. Its 256 random bits need no slow hash.

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::{KeystoreError, random_base64url};
use crate::data_dir::{DataDir, write_durably};

const TOKEN_BYTES: usize = 32;

/// The hash of an admin token.
#[derive(Clone)]
pub struct TokenHash([u8; 32]);

impl TokenHash {
    /// The hash of a token.
    pub fn of(token: &str) -> Self {
        Self(Sha256::digest(token.as_bytes()).into())
    }

    /// Whether `presented` is the token. Takes the same time wherever they differ.
    pub fn matches(&self, presented: &str) -> bool {
        Self::of(presented).0.ct_eq(&self.0).into()
    }
}

/// Draws an admin token and writes it, and its hash, into the data folder. A former one is void
/// from the next start on.
///
/// # Errors
/// [`KeystoreError`].
pub fn write_admin_token(data: &DataDir) -> Result<(), KeystoreError> {
    let token = Zeroizing::new(random_base64url::<TOKEN_BYTES>()?);
    let line = Zeroizing::new(format!("{}\n", *token));
    let hash = format!("{}\n", multibase::Base::Base16Lower.encode(TokenHash::of(&token).0));
    for (path, content) in [
        (data.token_path(), line.as_bytes()),
        (data.token_hash_path(), hash.as_bytes()),
    ] {
        write_durably(&path, content).map_err(|source| KeystoreError::Io { path, source })?;
    }
    Ok(())
}

/// Reads the hash of the admin token.
///
/// # Errors
/// [`KeystoreError`]; without the hash nobody may be let in, so the node does not start.
pub fn read_admin_token_hash(data: &DataDir) -> Result<TokenHash, KeystoreError> {
    let path = data.token_hash_path();
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Err(KeystoreError::Missing(path));
        }
        Err(source) => return Err(KeystoreError::Io { path, source }),
    };
    let bytes = multibase::Base::Base16Lower.decode(text.trim_end()).ok();
    match bytes.and_then(|bytes| <[u8; 32]>::try_from(bytes).ok()) {
        Some(hash) => Ok(TokenHash(hash)),
        None => Err(KeystoreError::Token(path)),
    }
}
