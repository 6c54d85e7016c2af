//! The file format of sealed keys, version 1. All numbers are big-endian.
//!
//! | bytes | what |
//! |---|---|
//! | 8 | `SYNDICKS` |
//! | 2 | version, 1 |
//! | 4, 4, 4 | Argon2id (RFC 9106): memory in KiB, passes, lanes |
//! | 16 | salt |
//! | 24 | nonce |
//! | n | XChaCha20-Poly1305 of the content; everything before it is authenticated too |
//! | 8 | the first bytes of SHA-256 over everything before |
//!
//! The checksum at the end keeps nothing secret and proves nothing: it tells a damaged file from a
//! wrong passphrase, which look the same to the cipher.

use std::path::Path;

use argon2::{Algorithm, Argon2, Params, Version};
use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305, XNonce};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::{KeystoreError, RandomError, random};

const MAGIC: &[u8; 8] = b"SYNDICKS";
const VERSION: u16 = 1;
const SALT_BYTES: usize = 16;
const NONCE_BYTES: usize = 24;
const HEADER_BYTES: usize = 8 + 2 + 12 + SALT_BYTES + NONCE_BYTES;
const CHECK_BYTES: usize = 8;

/// What it costs to try one passphrase (Argon2id, RFC 9106).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cost {
    /// Memory in KiB.
    pub memory_kib: u32,
    /// Passes over that memory.
    pub passes: u32,
    /// Lanes; this program computes them one after the other.
    pub lanes: u32,
}

impl Default for Cost {
    /// The second recommended option of RFC 9106 section 4 with one lane: 64 MiB, 3 passes.
    fn default() -> Self {
        Self {
            memory_kib: 64 << 10,
            passes: 3,
            lanes: 1,
        }
    }
}

impl Cost {
    /// A file may ask for no more than this: opening it must not exhaust the machine. 1 GiB.
    const MAX_MEMORY_KIB: u32 = 1 << 20;
    /// Most passes; with the memory at its most these take about a minute.
    const MAX_PASSES: u32 = 16;
    /// Most lanes.
    const MAX_LANES: u32 = 16;

    fn params(self) -> Option<Params> {
        let fits =
            self.memory_kib <= Self::MAX_MEMORY_KIB && self.passes <= Self::MAX_PASSES && self.lanes <= Self::MAX_LANES;
        let params = Params::new(self.memory_kib, self.passes, self.lanes, Some(32)).ok()?;
        fits.then_some(params)
    }
}

/// What is wrong with a file; the caller knows which.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum SealError {
    NotAKeystore,
    NewerVersion(u16),
    Damaged,
    Cost,
    WrongPassphrase,
    Random(RandomError),
}

impl From<RandomError> for SealError {
    fn from(error: RandomError) -> Self {
        Self::Random(error)
    }
}

impl SealError {
    /// With the file's name.
    pub(super) fn of(self, path: &Path) -> KeystoreError {
        let path = path.to_path_buf();
        match self {
            Self::NotAKeystore => KeystoreError::NotAKeystore(path),
            Self::NewerVersion(version) => KeystoreError::NewerVersion { path, version },
            Self::Damaged => KeystoreError::Damaged(path),
            Self::Cost => KeystoreError::Cost(path),
            Self::WrongPassphrase => KeystoreError::WrongPassphrase(path),
            Self::Random(error) => KeystoreError::Random(error),
        }
    }
}

/// The whole file for `content`.
pub(super) fn seal(content: &[u8], passphrase: &str, cost: Cost) -> Result<Vec<u8>, SealError> {
    let salt = random::bytes::<SALT_BYTES>()?;
    let nonce = random::bytes::<NONCE_BYTES>()?;
    let mut file = Vec::with_capacity(HEADER_BYTES + content.len() + 16 + CHECK_BYTES);
    file.extend_from_slice(MAGIC);
    file.extend_from_slice(&VERSION.to_be_bytes());
    for number in [cost.memory_kib, cost.passes, cost.lanes] {
        file.extend_from_slice(&number.to_be_bytes());
    }
    file.extend_from_slice(&*salt);
    file.extend_from_slice(&*nonce);
    let cipher = cipher(passphrase, &*salt, cost)?;
    let sealed = cipher
        .encrypt(
            &XNonce::from(*nonce),
            Payload {
                msg: content,
                aad: &file,
            },
        )
        .map_err(|_| SealError::Cost)?;
    file.extend_from_slice(&sealed);
    let check = check(&file);
    file.extend_from_slice(&check);
    Ok(file)
}

/// The content of a file.
pub(super) fn open(file: &[u8], passphrase: &str) -> Result<Zeroizing<Vec<u8>>, SealError> {
    let after_magic = file.strip_prefix(MAGIC).ok_or(SealError::NotAKeystore)?;
    let (version, _) = after_magic.split_first_chunk::<2>().ok_or(SealError::Damaged)?;
    let version = u16::from_be_bytes(*version);
    // The end is where every version has its checksum, so damage is not taken for a newer version.
    let (body, found) = file.split_last_chunk::<CHECK_BYTES>().ok_or(SealError::Damaged)?;
    if check(body) != *found {
        return Err(SealError::Damaged);
    }
    if version != VERSION {
        return Err(SealError::NewerVersion(version));
    }
    let (header, sealed) = body.split_at_checked(HEADER_BYTES).ok_or(SealError::Damaged)?;
    let (cost, salt, nonce) = read_header(header).ok_or(SealError::Damaged)?;
    cipher(passphrase, &salt, cost)?
        .decrypt(
            &XNonce::from(nonce),
            Payload {
                msg: sealed,
                aad: header,
            },
        )
        .map(Zeroizing::new)
        .map_err(|_| SealError::WrongPassphrase)
}

fn read_header(header: &[u8]) -> Option<(Cost, [u8; SALT_BYTES], [u8; NONCE_BYTES])> {
    let rest = header.get(MAGIC.len() + 2..)?;
    let (memory, rest) = rest.split_first_chunk::<4>()?;
    let (passes, rest) = rest.split_first_chunk::<4>()?;
    let (lanes, rest) = rest.split_first_chunk::<4>()?;
    let (salt, rest) = rest.split_first_chunk::<SALT_BYTES>()?;
    let cost = Cost {
        memory_kib: u32::from_be_bytes(*memory),
        passes: u32::from_be_bytes(*passes),
        lanes: u32::from_be_bytes(*lanes),
    };
    Some((cost, *salt, rest.try_into().ok()?))
}

fn cipher(passphrase: &str, salt: &[u8], cost: Cost) -> Result<XChaCha20Poly1305, SealError> {
    let params = cost.params().ok_or(SealError::Cost)?;
    let mut key = Zeroizing::new([0; 32]);
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into(passphrase.as_bytes(), salt, &mut *key)
        .map_err(|_| SealError::Cost)?;
    Ok(XChaCha20Poly1305::new(&(*key).into()))
}

fn check(body: &[u8]) -> [u8; CHECK_BYTES] {
    let digest = Sha256::digest(body);
    let mut check = [0; CHECK_BYTES];
    for (to, from) in check.iter_mut().zip(digest) {
        *to = from;
    }
    check
}
