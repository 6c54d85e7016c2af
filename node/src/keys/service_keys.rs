//! The keys that sign access tokens.
//!
//! Like the later log keys they are made from the keystore's secret and numbers: nothing is written when one takes the
//! place of another, so no crash loses one that is published, and all processes of an organization have the same.

use sha2::{Digest, Sha256};
use syndic_vc::key::SecretKey;
use zeroize::Zeroizing;

use super::Keystore;

/// Keeps these keys apart from whatever else is made from the secret.
const DOMAIN: &[u8] = b"syndic/access-token-key/v1\n";

impl Keystore {
    /// The key of a period of time. Another generation has other keys, whatever the period.
    pub fn service_key(&self, generation: u32, period: i64) -> SecretKey {
        // All inputs are equally long, so none is the beginning of another.
        let mut hasher = Sha256::new();
        hasher.update(DOMAIN);
        hasher.update(*self.successors);
        hasher.update(generation.to_be_bytes());
        hasher.update(period.to_be_bytes());
        SecretKey::from_seed(Zeroizing::new(hasher.finalize().into()))
    }
}
