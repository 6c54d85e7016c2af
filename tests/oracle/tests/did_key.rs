//! Identifiers and key bytes of `did:key` (Ed25519), ours and crate `did-key`'s. The documents
//! differ by design: that crate writes the older `Ed25519VerificationKey2018` form, we write
//! `Multikey`.

use did_key::{Config, CoreSign, DIDCore, Ed25519KeyPair, Fingerprint, KeyMaterial};
use syndic_vc::did::Did;
use syndic_vc::did_key as ours;
use syndic_vc::document::Purpose;
use syndic_vc::key::{SecretKey, Signature, Signer};
use zeroize::Zeroizing;

/// Seeds at the borders, and 64 with no pattern (a linear congruential generator).
fn seeds() -> Vec<[u8; 32]> {
    let mut seeds = [0x00, 0x01, 0x7f, 0x80, 0xff].map(|byte| [byte; 32]).to_vec();
    let mut state: u64 = 0x5eed;
    for _ in 0..64 {
        seeds.push(std::array::from_fn(|_| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            state.to_be_bytes()[0]
        }));
    }
    seeds
}

#[test]
fn identifiers_and_key_bytes_are_equal() {
    for seed in seeds() {
        let secret = SecretKey::from_seed(Zeroizing::new(seed));
        let key = secret.public_key();
        let theirs = did_key::generate::<Ed25519KeyPair>(Some(&seed));
        assert_eq!(theirs.public_key_bytes(), key.as_bytes());
        assert_eq!(theirs.fingerprint(), key.to_multikey());

        let did = ours::for_key(key);
        let their_document = theirs.get_did_document(Config::default());
        assert_eq!(their_document.id, did.as_str());

        // Each reads the other's.
        let resolved = did_key::resolve(did.as_str()).expect("the oracle reads ours");
        assert_eq!(resolved.public_key_bytes(), key.as_bytes());
        let theirs_read = Did::parse(&their_document.id).expect("theirs is a DID");
        let document = ours::resolve(&theirs_read).expect("we read theirs");
        let id = format!("{did}#{}", did.method_specific_id());
        let method = document
            .method_for(&id, Purpose::AssertionMethod)
            .expect("there is a key");
        assert_eq!(method.key.public_key(), Some(key));
    }
}

#[test]
fn signatures_are_equal() {
    for (at, seed) in seeds().into_iter().enumerate() {
        let secret = SecretKey::from_seed(Zeroizing::new(seed));
        let theirs = did_key::generate::<Ed25519KeyPair>(Some(&seed));
        let message = format!("message {at}");
        let signature = secret.sign(message.as_bytes()).expect("a key in memory signs");
        let their_bytes = theirs.sign(message.as_bytes());
        assert_eq!(their_bytes, signature.as_bytes());
        let again: [u8; 64] = their_bytes.try_into().expect("64 bytes");
        let verdict = secret
            .public_key()
            .verify(message.as_bytes(), &Signature::from_bytes(again));
        assert_eq!(verdict, Ok(()));
    }
}
