//! The node's secrets: how they are made, sealed, opened and used.
//!
//! A keystore file is opened once, with a passphrase; from then on the keys live in this process
//! only. They have no `Debug`, are wiped when dropped, and leave through two doors: signing (as
//! [`Signer`]), and [`Keystore::seal_record`] for what must lie in the store.

mod entries;
mod log_keys;
mod random;
mod sealed;
mod service_keys;
mod token;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305, XNonce};
use syndic_vc::key::{SecretKey, Signer};
use syndic_vc::time::Timestamp;
use zeroize::Zeroizing;

use crate::data_dir::write_durably;
use entries::Entries;
pub use random::{RandomError, random_base64url, random_below, random_hex, random_seed, random_u64, random_urn_uuid};
pub use sealed::Cost;
pub use token::{TokenHash, read_admin_token_hash, write_admin_token};

/// Shortest passphrase for keys to be made. Argon2id makes a guess cost 0.1 s of a core; twelve
/// characters, even of poor choice, leave more guesses than that can pay for.
pub const MIN_PASSPHRASE_CHARS: usize = 12;

/// Largest keystore file that is read; today's have about 400 bytes.
const MAX_FILE_BYTES: u64 = 64 << 10;

/// First byte of a sealed record: which layout follows.
const RECORD_VERSION: u8 = 1;
const RECORD_NONCE_BYTES: usize = 24;

/// Every secret of one organization's node.
pub struct Keystore {
    root: Arc<SecretKey>,
    log: Arc<SecretKey>,
    /// What all later log keys are made from.
    successors: Zeroizing<[u8; 32]>,
    credential: SecretKey,
    peer: Zeroizing<[u8; 32]>,
    storage: Zeroizing<[u8; 32]>,
    created: Timestamp,
}

impl Keystore {
    /// Draws new keys.
    ///
    /// # Errors
    /// The system's random source failed.
    pub fn generate(now: Timestamp) -> Result<Self, RandomError> {
        Ok(Self {
            root: Arc::new(SecretKey::from_seed(random_seed()?)),
            successors: random_seed()?,
            log: Arc::new(SecretKey::from_seed(random_seed()?)),
            credential: SecretKey::from_seed(random_seed()?),
            peer: random_seed()?,
            storage: random_seed()?,
            created: now,
        })
    }

    /// Reads a keystore file.
    ///
    /// # Errors
    /// [`KeystoreError`]; a wrong passphrase is told apart from a damaged file.
    pub fn open(path: &Path, passphrase: &str) -> Result<Self, KeystoreError> {
        let io = |source: io::Error| match source.kind() {
            io::ErrorKind::NotFound => KeystoreError::Missing(path.to_path_buf()),
            _ => KeystoreError::Io {
                path: path.to_path_buf(),
                source,
            },
        };
        let length = path.metadata().map_err(io)?.len();
        if length > MAX_FILE_BYTES {
            return Err(KeystoreError::NotAKeystore(path.to_path_buf()));
        }
        let bytes = std::fs::read(path).map_err(io)?;
        let content = sealed::open(&bytes, passphrase).map_err(|error| error.of(path))?;
        Self::from_entries(&content).ok_or_else(|| KeystoreError::Content(path.to_path_buf()))
    }

    /// Seals the keys into a file of mode 0600, replacing what was there only once the new file is
    /// whole on disk.
    ///
    /// # Errors
    /// [`KeystoreError`]; nothing has changed then.
    pub fn save(&self, path: &Path, passphrase: &str) -> Result<(), KeystoreError> {
        self.save_at_cost(path, passphrase, Cost::default())
    }

    /// [`Keystore::save`] with another cost of guessing the passphrase.
    ///
    /// # Errors
    /// As [`Keystore::save`].
    pub fn save_at_cost(&self, path: &Path, passphrase: &str, cost: Cost) -> Result<(), KeystoreError> {
        if passphrase.chars().count() < MIN_PASSPHRASE_CHARS {
            return Err(KeystoreError::ShortPassphrase);
        }
        let bytes = sealed::seal(&self.to_entries(), passphrase, cost).map_err(|error| error.of(path))?;
        write_durably(path, &bytes).map_err(|source| KeystoreError::Io {
            path: path.to_path_buf(),
            source,
        })
    }

    /// The organization's root key, which answers for the others.
    pub fn root_signer(&self) -> &dyn Signer {
        &*self.root
    }

    /// [`Keystore::root_signer`], for whoever must keep it.
    pub fn root_signer_shared(&self) -> Arc<dyn Signer> {
        Arc::clone(&self.root) as Arc<dyn Signer>
    }

    /// The key that signs the heads of the organization's log, before it is ever rotated.
    pub fn log_signer(&self) -> &dyn Signer {
        &*self.log
    }

    /// The key that signs credentials; its `did:key` is the organization's DID.
    pub fn credential_signer(&self) -> &dyn Signer {
        &self.credential
    }

    /// The Ed25519 seed of the node's libp2p identity.
    pub fn peer_seed(&self) -> &Zeroizing<[u8; 32]> {
        &self.peer
    }

    /// When the keys were made.
    pub fn created(&self) -> Timestamp {
        self.created
    }

    /// Seals something for the store, so that whoever reads the disk learns only its length.
    ///
    /// `purpose` says what it is and where it belongs; it is not stored, and opening needs the same
    /// again, so one record cannot stand in for another.
    ///
    /// # Errors
    /// The system's random source failed.
    pub fn seal_record(&self, purpose: &[u8], content: &[u8]) -> Result<Vec<u8>, RandomError> {
        let nonce = random::bytes::<RECORD_NONCE_BYTES>()?;
        let payload = Payload {
            msg: content,
            aad: purpose,
        };
        let sealed = self
            .record_cipher()
            .encrypt(&XNonce::from(*nonce), payload)
            .map_err(|_| RandomError::new("the record is too long to be sealed"))?;
        Ok([&[RECORD_VERSION][..], &*nonce, &sealed].concat())
    }

    /// Opens what [`Keystore::seal_record`] sealed for the same purpose.
    ///
    /// # Errors
    /// It is not such a record, was changed, or was sealed by other keys.
    pub fn open_record(&self, purpose: &[u8], record: &[u8]) -> Result<Zeroizing<Vec<u8>>, RecordError> {
        let ([RECORD_VERSION], rest) = record.split_first_chunk::<1>().ok_or(RecordError)? else {
            return Err(RecordError);
        };
        let (nonce, sealed) = rest.split_first_chunk::<RECORD_NONCE_BYTES>().ok_or(RecordError)?;
        let payload = Payload {
            msg: sealed,
            aad: purpose,
        };
        self.record_cipher()
            .decrypt(&XNonce::from(*nonce), payload)
            .map(Zeroizing::new)
            .map_err(|_| RecordError)
    }

    fn record_cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new(&(*self.storage).into())
    }

    fn to_entries(&self) -> Zeroizing<Vec<u8>> {
        let mut entries = Entries::default();
        entries.add("created", self.created.to_string().as_bytes());
        entries.add("root", self.root.seed());
        entries.add("log", self.log.seed());
        entries.add("successors", &*self.successors);
        entries.add("credential", self.credential.seed());
        entries.add("peer", &*self.peer);
        entries.add("storage", &*self.storage);
        entries.into_bytes()
    }

    fn from_entries(bytes: &[u8]) -> Option<Self> {
        let mut entries = entries::read(bytes)?;
        let mut seed =
            |name| -> Option<Zeroizing<[u8; 32]>> { Some(Zeroizing::new(entries.remove(name)?.try_into().ok()?)) };
        let (root, log, credential) = (seed("root")?, seed("log")?, seed("credential")?);
        let (peer, storage) = (seed("peer")?, seed("storage")?);
        let successors = seed("successors")?;
        let created = std::str::from_utf8(entries.remove("created")?).ok()?;
        // A key that this program does not know may be one that must not be lost on saving.
        if !entries.is_empty() {
            return None;
        }
        Some(Self {
            root: Arc::new(SecretKey::from_seed(root)),
            successors,
            log: Arc::new(SecretKey::from_seed(log)),
            credential: SecretKey::from_seed(credential),
            peer,
            storage,
            created: Timestamp::parse(created).ok()?,
        })
    }
}

/// The bytes are not a record sealed by these keys for this purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a sealed record does not open: it was changed, or sealed by other keys or for another use")]
pub struct RecordError;

/// Why keys, or the admin token, could not be written or read.
#[derive(Debug, thiserror::Error)]
pub enum KeystoreError {
    /// There is no such file.
    #[error("{0} does not exist; 'syndic init' makes it")]
    Missing(PathBuf),
    /// The file is something else.
    #[error("{0} is not a keystore")]
    NotAKeystore(PathBuf),
    /// A newer program wrote the file.
    #[error("{path} has version {version}, this program knows version 1: use the newer program")]
    NewerVersion {
        /// The keystore.
        path: PathBuf,
        /// Its version.
        version: u16,
    },
    /// Bytes of the file have changed since it was written.
    #[error("{0} is damaged: its checksum does not fit; restore it from a backup")]
    Damaged(PathBuf),
    /// The file asks for more work than any passphrase needs; opening it would stop this machine.
    #[error("{0} asks for too much memory or time to open; it was not written by this program")]
    Cost(PathBuf),
    /// The file is whole, and the passphrase is not the one it was sealed with.
    #[error("the passphrase does not open {0}")]
    WrongPassphrase(PathBuf),
    /// The passphrase opens the file, and what is in it is not a set of keys that this program knows.
    #[error("{0} holds keys that this program does not know: use the program that wrote it")]
    Content(PathBuf),
    /// The passphrase for new keys is too short.
    #[error("the passphrase is too short; choose one of at least {MIN_PASSPHRASE_CHARS} characters")]
    ShortPassphrase,
    /// The admin token's hash is not one.
    #[error("{0} is damaged: it is not the hash of an admin token; restore it from a backup")]
    Token(PathBuf),
    /// The random source failed.
    #[error(transparent)]
    Random(#[from] RandomError),
    /// The operating system refused.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// The reason.
        source: io::Error,
    },
}

#[cfg(test)]
mod tests;
