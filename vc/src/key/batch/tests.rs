#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use curve25519_dalek::constants::EIGHT_TORSION;
use proptest::prelude::*;
use zeroize::Zeroizing;

use super::*;
use crate::key::{SecretKey, Signer};

/// Whether the group order times the point is nothing.
fn is_of_prime_order(point: &EdwardsPoint) -> bool {
    EdwardsPoint::vartime_multiscalar_mul([-Scalar::ONE], [point]) == -point
}

/// The subgroup test is a homomorphism's kernel, so these points show it for all.
#[test]
fn the_group_of_prime_order_is_told_from_the_rest() {
    for n in 0_u64..20 {
        let point = EdwardsPoint::mul_base(&Scalar::from(n));
        for (at, small) in EIGHT_TORSION.iter().enumerate() {
            let point = point + small;
            assert_eq!(subgroup::are_of_prime_order(&[point]), at == 0, "{n} {at}");
            assert_eq!(is_of_prime_order(&point), at == 0, "{n} {at}");
        }
    }
    assert!(subgroup::are_of_prime_order(&[]));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]
    /// Points from all of the curve, by their encodings, against the multiplication by the order.
    #[test]
    fn the_subgroup_test_agrees_with_the_multiplication_by_the_order(bytes in any::<[u8; 32]>(), scalar in any::<[u8; 32]>()) {
        let inside = EdwardsPoint::mul_base(&Scalar::from_bytes_mod_order(scalar));
        let anywhere = CompressedEdwardsY(bytes).decompress().unwrap_or(inside);
        for point in [inside, anywhere, anywhere.mul_by_cofactor()] {
            for small in &EIGHT_TORSION {
                let point = point + small;
                prop_assert_eq!(subgroup::are_of_prime_order(&[point]), is_of_prime_order(&point));
            }
        }
        // One that is not among many that are.
        let outside = inside + EIGHT_TORSION[1 + usize::from(bytes[0] % 7)];
        prop_assert!(subgroup::are_of_prime_order(&[inside; 5]));
        prop_assert!(!subgroup::are_of_prime_order(&[inside, inside, outside, inside]));
    }
}

/// A signature by the holder of the secret key whose R has a part of small order. The lax equation of
/// RFC 8032, with the cofactor, holds for it; the strict one does not.
fn bent(secret: u64, small: &EdwardsPoint, message: &[u8]) -> (PublicKey, Signature) {
    let a = Scalar::from(secret);
    let nonce = Scalar::from(secret + 1);
    let key = EdwardsPoint::mul_base(&a).compress().to_bytes();
    let r = (EdwardsPoint::mul_base(&nonce) + small).compress().to_bytes();
    let hash = Sha512::new().chain_update(r).chain_update(key).chain_update(message);
    let k = Scalar::from_bytes_mod_order_wide(&hash.finalize().into());
    let s = (nonce + k * a).to_bytes();
    let mut bytes = [0; 64];
    bytes[..32].copy_from_slice(&r);
    bytes[32..].copy_from_slice(&s);
    (PublicKey::from_bytes(&key).unwrap(), Signature::from_bytes(bytes))
}

/// Sixty-four batches, each with one bent signature by a point of small order; then the same with the
/// part of small order left away, which is good. By chance one of a million such runs would fail.
#[test]
fn a_part_of_small_order_in_r_is_found() {
    let good = SecretKey::from_seed(Zeroizing::new([3; 32]));
    let message = b"message";
    let signature = good.sign(message).unwrap();
    for n in 0..64_u8 {
        let small = &EIGHT_TORSION[usize::from(n % 8)];
        let (key, odd) = bent(1_000 + u64::from(n), small, message);
        let mut claims = vec![
            Claim {
                key: good.public_key(),
                message,
                signature: &signature,
            };
            LEAST
        ];
        claims[usize::from(n) % LEAST] = Claim {
            key: &key,
            message,
            signature: &odd,
        };
        let strict: Vec<bool> = claims.iter().map(Claim::holds).collect();
        assert_eq!(strict.iter().filter(|held| !**held).count(), usize::from(n % 8 != 0));
        assert_eq!(verify_each(&claims, &[n; 32]), strict, "{n}");
    }
}

/// Two errors of small order that cancel in a plain sum, and two of prime order that do.
#[test]
fn errors_do_not_cancel() {
    let half = &EIGHT_TORSION[4];
    let message = b"message";
    let pairs: Vec<_> = (0..LEAST).map(|n| bent(2_000 + n as u64, half, message)).collect();
    let claims: Vec<Claim<'_>> = pairs
        .iter()
        .map(|(key, signature)| Claim {
            key,
            message,
            signature,
        })
        .collect();
    assert_eq!(verify_each(&claims, &[1; 32]), vec![false; LEAST]);
    let secret = SecretKey::from_seed(Zeroizing::new([5; 32]));
    let signature = secret.sign(message).unwrap();
    let moved = |by: Scalar| {
        let mut bytes: [u8; 64] = signature.as_bytes().try_into().unwrap();
        let s: Scalar = Option::from(Scalar::from_canonical_bytes(bytes[32..].try_into().unwrap())).unwrap();
        bytes[32..].copy_from_slice((s + by).as_bytes());
        Signature::from_bytes(bytes)
    };
    let signatures: Vec<Signature> = (0..LEAST)
        .map(|n| moved(if n % 2 == 0 { Scalar::ONE } else { -Scalar::ONE }))
        .collect();
    let claims: Vec<Claim<'_>> = signatures
        .iter()
        .map(|signature| Claim {
            key: secret.public_key(),
            message,
            signature,
        })
        .collect();
    assert_eq!(verify_each(&claims, &[1; 32]), vec![false; LEAST]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]
    /// Batches of few keys with random bits of keys' messages and signatures flipped.
    #[test]
    fn a_batch_gives_each_the_strict_verdict(
        count in 1_usize..150, seed in any::<[u8; 32]>(),
        flips in prop::collection::vec((any::<prop::sample::Index>(), 0_usize..520), 0..6),
    ) {
        let secrets: Vec<SecretKey> = (0..3).map(|n| SecretKey::from_seed(Zeroizing::new([n; 32]))).collect();
        let mut signed: Vec<(Vec<u8>, [u8; 64])> = (0..count)
            .map(|n| {
                let message = format!("message {n}").into_bytes();
                let signature = secrets[n % 3].sign(&message).unwrap();
                (message, signature.as_bytes().try_into().unwrap())
            })
            .collect();
        for (which, bit) in flips {
            let (message, signature) = &mut signed[which.index(count)];
            signature.get_mut(bit / 8).unwrap_or(&mut message[0]).clone_from(&((bit % 251) as u8));
        }
        let signatures: Vec<Signature> = signed.iter().map(|(_, bytes)| Signature::from_bytes(*bytes)).collect();
        let claims: Vec<Claim<'_>> = signed
            .iter()
            .zip(&signatures)
            .enumerate()
            .map(|(n, ((message, _), signature))| Claim { key: secrets[n % 3].public_key(), message, signature })
            .collect();
        let strict: Vec<bool> = claims.iter().map(Claim::holds).collect();
        prop_assert_eq!(verify_each(&claims, &seed), strict);
    }
}
