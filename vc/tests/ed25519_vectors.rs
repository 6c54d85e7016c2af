//! C2SP CCTV: 914 edge cases of Ed25519. Strict verification accepts exactly 43 of them; lax
//! verification, as in most libraries, 208 and more.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::collections::BTreeSet;
use std::path::PathBuf;

use syndic_vc::json::{self, Limits, Value};
use syndic_vc::key::batch::{Claim, LEAST, verify_each};
use syndic_vc::key::{PublicKey, SecretKey, Signature, Signer};
use zeroize::Zeroizing;

fn hex<const N: usize>(text: &str) -> [u8; N] {
    assert_eq!(text.len(), 2 * N);
    let mut bytes = [0; N];
    for (at, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&text[2 * at..2 * at + 2], 16).unwrap();
    }
    bytes
}

/// `None`: absent.
fn vectors() -> Option<Value> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/vectors/ed25519-cctv/ed25519vectors.json");
    let Ok(text) = std::fs::read(&path) else {
        eprintln!("skipped: vectors absent");
        return None;
    };
    let limits = Limits {
        nodes: 100_000,
        ..Limits::default()
    };
    Some(json::parse_with(&text, &limits).unwrap())
}

#[test]
fn strict_verification_accepts_43_of_914() {
    let Some(vectors) = vectors() else { return };
    let vectors = vectors.as_array().unwrap();
    let (mut accepted, mut keys_refused) = (0, 0);
    for vector in vectors {
        let member = |name| vector.get(name).and_then(Value::as_str).unwrap();
        let flags: BTreeSet<&str> = vector
            .get("flags")
            .and_then(Value::as_array)
            .unwrap_or_default()
            .iter()
            .map(|flag| flag.as_str().unwrap())
            .collect();
        let Ok(key) = PublicKey::from_bytes(&hex(member("key"))) else {
            keys_refused += 1;
            continue;
        };
        // Refused when the key is parsed, so that no such key exists anywhere behind.
        assert!(
            !flags.contains("low_order_A") && !flags.contains("non_canonical_A"),
            "{flags:?}"
        );
        let signature = Signature::from_bytes(hex(member("sig")));
        if key.verify(member("msg").as_bytes(), &signature).is_ok() {
            accepted += 1;
            let excluded = ["low_order_R", "non_canonical_R", "low_order_residue"];
            assert!(!excluded.iter().any(|flag| flags.contains(flag)), "{flags:?}");
        }
    }
    assert_eq!((accepted, vectors.len()), (43, 914));
    assert!(keys_refused > 0);
}

/// Each vector among good signatures, in a batch of its own and at every place of it in turn; then
/// all vectors in one batch.
#[test]
fn a_batch_gives_every_vector_the_strict_verdict() {
    let Some(vectors) = vectors() else { return };
    let vectors = vectors.as_array().unwrap();
    let secret = SecretKey::from_seed(Zeroizing::new([9; 32]));
    let good = secret.sign(b"good").unwrap();
    let filler = Claim {
        key: secret.public_key(),
        message: b"good",
        signature: &good,
    };
    let text = |vector: &Value, name: &str| vector.get(name).and_then(Value::as_str).unwrap().to_owned();
    let parsed: Vec<(PublicKey, String, Signature)> = vectors
        .iter()
        .filter_map(|vector| {
            let key = PublicKey::from_bytes(&hex(&text(vector, "key"))).ok()?;
            let signature = Signature::from_bytes(hex(&text(vector, "sig")));
            Some((key, text(vector, "msg"), signature))
        })
        .collect();
    let all: Vec<Claim<'_>> = parsed
        .iter()
        .map(|(key, message, signature)| Claim {
            key,
            message: message.as_bytes(),
            signature,
        })
        .collect();
    let mut accepted = 0;
    for (n, claim) in all.iter().enumerate() {
        let mut batch = vec![filler; LEAST];
        batch[n % LEAST] = *claim;
        let verdicts = verify_each(&batch, &[u8::try_from(n % 256).unwrap(); 32]);
        let strict = claim.key.verify(claim.message, claim.signature).is_ok();
        for (at, verdict) in verdicts.into_iter().enumerate() {
            assert_eq!(verdict, at != n % LEAST || strict, "vector {n}");
        }
        accepted += usize::from(strict);
    }
    assert_eq!(accepted, 43);
    let together = verify_each(&all, &[7; 32]);
    assert_eq!(together.iter().filter(|held| **held).count(), 43);
}
