#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::os::unix::fs::PermissionsExt;

use super::*;
use crate::data_dir::DataDir;

const PASSPHRASE: &str = "correct horse battery";

/// Cheap, for tests that seal often.
const CHEAP: Cost = Cost {
    memory_kib: 64,
    passes: 1,
    lanes: 1,
};

fn keystore() -> Keystore {
    Keystore::generate(Timestamp::from_unix_seconds(1_795_000_000).unwrap()).unwrap()
}

fn same(a: &Keystore, b: &Keystore) -> bool {
    let public = |keys: &Keystore| {
        [keys.root_signer(), keys.log_signer(), keys.credential_signer()].map(|signer| signer.public_key().clone())
    };
    public(a) == public(b)
        && a.successors == b.successors
        && a.peer == b.peer
        && a.storage == b.storage
        && a.created() == b.created()
}

#[test]
fn keys_come_back_with_the_real_cost() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("keys.sealed");
    let keys = keystore();
    keys.save(&path, PASSPHRASE).unwrap();
    assert!(same(&keys, &Keystore::open(&path, PASSPHRASE).unwrap()));
    assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    let wrong = Keystore::open(&path, "correct horse battery ").err().unwrap();
    assert!(matches!(wrong, KeystoreError::WrongPassphrase(_)), "{wrong}");
}

#[test]
fn no_secret_is_in_the_file() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("keys.sealed");
    let keys = keystore();
    keys.save_at_cost(&path, PASSPHRASE, CHEAP).unwrap();
    let bytes = std::fs::read(&path).unwrap();
    for seed in [
        keys.root.seed(),
        keys.log.seed(),
        keys.log_key(1).seed(),
        keys.credential.seed(),
        &keys.successors,
        &keys.peer,
        &keys.storage,
    ] {
        assert!(!bytes.windows(8).any(|window| window == &seed[..8]));
    }
}

#[test]
fn every_flipped_bit_is_damage_and_not_a_wrong_passphrase() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("keys.sealed");
    keystore().save_at_cost(&path, PASSPHRASE, CHEAP).unwrap();
    let whole = std::fs::read(&path).unwrap();
    for bit in 0..whole.len() * 8 {
        let mut damaged = whole.clone();
        damaged[bit / 8] ^= 1 << (bit % 8);
        std::fs::write(&path, damaged).unwrap();
        let error = Keystore::open(&path, PASSPHRASE).err().unwrap();
        if bit < 64 {
            assert!(matches!(error, KeystoreError::NotAKeystore(_)), "bit {bit}: {error}");
        } else {
            assert!(matches!(error, KeystoreError::Damaged(_)), "bit {bit}: {error}");
        }
    }
    for length in 0..whole.len() {
        std::fs::write(&path, &whole[..length]).unwrap();
        assert!(Keystore::open(&path, PASSPHRASE).is_err(), "length {length}");
    }
}

/// A file with `change` applied and the checksum made to fit again.
fn forged(change: impl FnOnce(&mut Vec<u8>)) -> Result<(), KeystoreError> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("keys.sealed");
    keystore().save_at_cost(&path, PASSPHRASE, CHEAP).unwrap();
    let mut bytes = std::fs::read(&path).unwrap();
    bytes.truncate(bytes.len() - 8);
    change(&mut bytes);
    let digest: [u8; 32] = sha2::Digest::finalize(<sha2::Sha256 as sha2::Digest>::new_with_prefix(&bytes)).into();
    bytes.extend_from_slice(&digest[..8]);
    std::fs::write(&path, bytes).unwrap();
    Keystore::open(&path, PASSPHRASE).map(|_| ())
}

#[test]
fn a_hostile_file_cannot_ask_for_more_than_the_bounds() {
    for (offset, number) in [
        (10, u32::MAX),
        (10, (1 << 20) + 1),
        (14, 17),
        (14, 0),
        (18, 17),
        (18, 0),
    ] {
        let outcome = forged(|bytes| bytes[offset..offset + 4].copy_from_slice(&number.to_be_bytes()));
        assert!(
            matches!(outcome, Err(KeystoreError::Cost(_))),
            "{offset} {number}: {outcome:?}"
        );
    }
}

#[test]
fn a_newer_version_is_named_and_every_header_byte_is_authenticated() {
    let newer = forged(|bytes| bytes[9] = 2);
    assert!(
        matches!(newer, Err(KeystoreError::NewerVersion { version: 2, .. })),
        "{newer:?}"
    );
    assert!(forged(|_| ()).is_ok());
    // Salt, nonce, content: whoever changes them and fits the checksum has not the passphrase.
    for offset in 22..62 {
        let outcome = forged(|bytes| bytes[offset] ^= 1);
        assert!(
            matches!(outcome, Err(KeystoreError::WrongPassphrase(_))),
            "{offset}: {outcome:?}"
        );
    }
    // Another cost that is allowed gives another key.
    let outcome = forged(|bytes| bytes[17] = 2);
    assert!(matches!(outcome, Err(KeystoreError::WrongPassphrase(_))), "{outcome:?}");
}

#[test]
fn short_passphrases_are_refused_for_new_keys() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("keys.sealed");
    let error = keystore().save(&path, "hunter2").unwrap_err();
    assert!(error.to_string().contains("at least 12 characters"), "{error}");
    assert!(!path.exists());
    let missing = Keystore::open(&path, PASSPHRASE).err().unwrap();
    assert!(matches!(missing, KeystoreError::Missing(_)));
    std::fs::write(&path, "{}").unwrap();
    assert!(matches!(
        Keystore::open(&path, PASSPHRASE),
        Err(KeystoreError::NotAKeystore(_))
    ));
}

#[test]
fn content_of_a_newer_program_is_not_half_read() {
    let keys = keystore();
    let mut bytes = keys.to_entries().to_vec();
    assert!(Keystore::from_entries(&bytes).is_some());
    bytes.extend_from_slice(b"\x04next\x00\x01x");
    assert!(Keystore::from_entries(&bytes).is_none());
    for length in 0..bytes.len() - 9 {
        assert!(Keystore::from_entries(&bytes[..length]).is_none(), "length {length}");
    }
    let twice = [&keys.to_entries()[..], &keys.to_entries()[..]].concat();
    assert!(Keystore::from_entries(&twice).is_none());
}

#[test]
fn records_open_for_their_own_purpose_and_keys_only() {
    let keys = keystore();
    let sealed = keys.seal_record(b"agent key 1", b"seed").unwrap();
    assert_eq!(&*keys.open_record(b"agent key 1", &sealed).unwrap(), b"seed");
    assert_ne!(keys.seal_record(b"agent key 1", b"seed").unwrap(), sealed);
    assert_eq!(keys.open_record(b"agent key 2", &sealed), Err(RecordError));
    assert_eq!(keystore().open_record(b"agent key 1", &sealed), Err(RecordError));
    for bit in 0..sealed.len() * 8 {
        let mut damaged = sealed.clone();
        damaged[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(
            keys.open_record(b"agent key 1", &damaged),
            Err(RecordError),
            "bit {bit}"
        );
    }
    for length in 0..sealed.len() {
        assert_eq!(keys.open_record(b"agent key 1", &sealed[..length]), Err(RecordError));
    }
}

#[test]
fn the_admin_token_is_kept_as_its_hash() {
    let dir = tempfile::tempdir().unwrap();
    let data = DataDir::create(dir.path()).unwrap();
    assert!(matches!(read_admin_token_hash(&data), Err(KeystoreError::Missing(_))));
    write_admin_token(&data).unwrap();
    let token = std::fs::read_to_string(data.token_path()).unwrap();
    let token = token.trim_end();
    assert_eq!(token.len(), 43);
    for path in [data.token_path(), data.token_hash_path()] {
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    }
    let hash = read_admin_token_hash(&data).unwrap();
    assert!(hash.matches(token));
    assert!(!hash.matches(&token[..42]));
    assert!(!hash.matches(&format!("{token}A")));
    assert!(!hash.matches(""));
    assert!(!std::fs::read_to_string(data.token_hash_path()).unwrap().contains(token));
    std::fs::write(data.token_hash_path(), "00").unwrap();
    assert!(matches!(read_admin_token_hash(&data), Err(KeystoreError::Token(_))));
}

#[test]
fn each_log_key_is_found_again_and_is_of_one_keystore_only() {
    let (keys, others) = (keystore(), keystore());
    let public = |keys: &Keystore, number| keys.log_key(number).public_key().clone();
    assert_eq!(public(&keys, 0), *keys.log_signer().public_key());
    for number in [0, 1, 2, 49] {
        assert_eq!(keys.log_key_number(&public(&keys, number)), Some(number));
        assert_eq!(others.log_key_number(&public(&keys, number)), None);
    }
    let (first, later) = keys.log_signers(1, 3);
    let all: Vec<_> = std::iter::once(&first)
        .chain(&later)
        .map(|key| key.public_key().clone())
        .collect();
    assert_eq!(all, [1, 2, 3, 4].map(|number| public(&keys, number)));
}
