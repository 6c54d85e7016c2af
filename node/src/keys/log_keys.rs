//! The log keys that follow the first one.
//!
//! They are made from one secret of the keystore and a number, not drawn when they are needed: so nothing has to be
//! written when the log key is rotated, no crash can lose a key that the log already names, and a node that lost its
//! store finds the key in force again by comparing.

use std::sync::Arc;

use sha2::{Digest, Sha256};
use syndic_vc::key::{PublicKey, SecretKey, Signer};
use zeroize::Zeroizing;

use super::Keystore;

/// Keeps these keys apart from whatever else may be made from a secret.
const DOMAIN: &[u8] = b"syndic/log-key-successor/v1\n";
/// Log keys that one keystore has: 20 cards with 48 rotations each, and a hundredth of a second to look through.
const LOG_KEYS: u32 = 1_024;

impl Keystore {
    /// A log key: 0 is the first one, each rotation takes the next.
    pub fn log_key(&self, number: u32) -> Arc<SecretKey> {
        if number == 0 {
            return Arc::clone(&self.log);
        }
        // All inputs are equally long, so none is the beginning of another.
        let mut hasher = Sha256::new();
        hasher.update(DOMAIN);
        hasher.update(*self.successors);
        hasher.update(number.to_be_bytes());
        let seed = Zeroizing::new(hasher.finalize().into());
        Arc::new(SecretKey::from_seed(seed))
    }

    /// Which of this keystore's log keys this is.
    pub fn log_key_number(&self, key: &PublicKey) -> Option<u32> {
        (0..LOG_KEYS).find(|number| self.log_key(*number).public_key() == key)
    }

    /// The key of this number, and those that may be in force instead because it was rotated since.
    pub fn log_signers(&self, number: u32, rotations: u32) -> (Arc<dyn Signer>, Vec<Arc<dyn Signer>>) {
        let later = number.saturating_add(1)..=number.saturating_add(rotations);
        let later = later.map(|number| self.log_key(number) as Arc<dyn Signer>).collect();
        (self.log_key(number), later)
    }
}
