//! Many Ed25519 signatures at once, with the verdict of the strict check for each.
//!
//! A signature (R, S) over a message by the key A holds if `[S]B = R + [k]A`, with k the hash of R, A
//! and the message. Many such equations, each multiplied by a random number of 128 bits, are added
//! up; the sum is one multiplication of many points, which costs a fifth of the single ones. The terms
//! of one key are put together.
//!
//! What the strict check refuses before it looks at the equation is refused here too, for each
//! signature: S not below the group order, R no point, not canonical, or of small order. (Weak keys do
//! not exist: [`PublicKey`] refuses them.)
//!
//! # What could go wrong, and how often
//!
//! - A sum of wrong equations vanishes although one is wrong in the group of prime order: 2^-128.
//! - An equation is wrong by a point of small order only. Nobody but the holder of the secret key can
//!   make such a signature, over a message it signs anyway; the strict check refuses it. It means that
//!   R or A is not in the group of prime order. [`TRIALS`] sums of random halves of all R and A are
//!   each tested for that, and each test finds it with probability 1/2 or more; so such a signature
//!   passes with probability 2^-16 at most, once for each time it is put before a verifier. The random
//!   numbers are the verifier's, drawn anew for each batch, so a signer cannot try beforehand.
//!
//! Whenever the sum or a test fails, smaller groups are tried and then each signature by itself, so
//! that a refusal is always the strict check's.

use std::collections::BTreeMap;

use curve25519_dalek::constants::ED25519_BASEPOINT_POINT;
use curve25519_dalek::edwards::{CompressedEdwardsY, EdwardsPoint};
use curve25519_dalek::scalar::Scalar;
use curve25519_dalek::traits::{Identity, IsIdentity, VartimeMultiscalarMul};
use ed25519_dalek::VerifyingKey;
use sha2::{Digest, Sha256, Sha512};

use super::{Kind, PublicKey, Signature, ed25519, is_canonical};

/// A signature that is said to be of a key over a message.
#[derive(Clone, Copy, Debug)]
pub struct Claim<'a> {
    /// The key.
    pub key: &'a PublicKey,
    /// The message.
    pub message: &'a [u8],
    /// The signature.
    pub signature: &'a Signature,
}

/// Fewer signatures than this are checked one by one: the tests for points outside of the group cost
/// the same however many signatures there are, and a batch of sixteen took as long as single checks.
pub const LEAST: usize = 32;

/// When the sum of a larger batch fails, groups of this many are tried, so that one wrong signature
/// among a thousand costs sixty-four single checks and not a thousand.
const GROUP: usize = 64;

/// Random halves of the points that are tested for points outside of the group of prime order. Each
/// test costs a third of a multiplication, and misses with probability 1/2 at most. Sixteen are what
/// a batch of 64 can bear; see the module's text for what a miss means.
const TRIALS: usize = 16;

/// Checks each claim: `true` where [`PublicKey::verify`] would accept.
///
/// `randomness` is from the system's generator, drawn for this batch. What is derived from it also
/// depends on every claim. Keys of other kinds are checked one by one.
#[must_use]
pub fn verify_each(claims: &[Claim<'_>], randomness: &[u8; 32]) -> Vec<bool> {
    let mut verdicts = vec![false; claims.len()];
    let mut terms = Vec::with_capacity(claims.len());
    for (claim, verdict) in claims.iter().zip(&mut verdicts) {
        match &claim.key.0 {
            Kind::Ed25519(key) if claims.len() >= LEAST => {
                terms.extend(Term::of(claim, key, verdict));
            }
            _ => *verdict = claim.holds(),
        }
    }
    settle(&mut terms, randomness);
    verdicts
}

impl Claim<'_> {
    fn holds(&self) -> bool {
        self.key.verify(self.message, self.signature).is_ok()
    }
}

/// One equation.
struct Term<'c, 'v> {
    claim: &'c Claim<'c>,
    verdict: &'v mut bool,
    key: &'c VerifyingKey,
    r: EdwardsPoint,
    s: Scalar,
    /// The hash of R, A and the message, modulo the group order.
    k: Scalar,
}

impl<'c, 'v> Term<'c, 'v> {
    /// `None`: refused whatever the equation says, as RFC 8032 section 5.1.7 and the strict check do.
    fn of(claim: &'c Claim<'c>, key: &'c VerifyingKey, verdict: &'v mut bool) -> Option<Self> {
        let bytes: &[u8; 64] = claim.signature.as_bytes().try_into().ok()?;
        let (r_bytes, s_bytes) = bytes.split_first_chunk::<32>()?;
        let s = Option::from(Scalar::from_canonical_bytes(s_bytes.try_into().ok()?))?;
        if ed25519::is_small_order(bytes) || !is_canonical(r_bytes) {
            return None;
        }
        let r = CompressedEdwardsY(*r_bytes).decompress()?;
        let hash = Sha512::new()
            .chain_update(r_bytes)
            .chain_update(key.as_bytes())
            .chain_update(claim.message);
        Some(Self {
            claim,
            verdict,
            key,
            r,
            s,
            k: Scalar::from_bytes_mod_order_wide(&hash.finalize().into()),
        })
    }
}

fn settle(terms: &mut [Term<'_, '_>], randomness: &[u8; 32]) {
    if terms.len() >= LEAST && hold_together(terms, randomness) {
        terms.iter_mut().for_each(|term| *term.verdict = true);
    } else if terms.len() > GROUP {
        for group in terms.chunks_mut(GROUP) {
            settle(group, randomness);
        }
    } else {
        terms.iter_mut().for_each(|term| *term.verdict = term.claim.holds());
    }
}

/// Whether all equations hold, but for the errors that the module's text names.
fn hold_together(terms: &[Term<'_, '_>], randomness: &[u8; 32]) -> bool {
    let mut random = Random::new(terms, randomness);
    let mut subgroup = SubgroupTest::new();
    let mut keys: BTreeMap<&[u8; 32], (EdwardsPoint, Scalar)> = BTreeMap::new();
    let mut of_base = Scalar::ZERO;
    let mut scalars = Vec::with_capacity(terms.len() + 2);
    let mut points = Vec::with_capacity(terms.len() + 2);
    for term in terms {
        let z = Scalar::from(u128::from_le_bytes(random.take()));
        subgroup.add(&term.r, random.take());
        of_base -= z * term.s;
        let of_key = keys.entry(term.key.as_bytes());
        of_key.or_insert_with(|| (term.key.to_edwards(), Scalar::ZERO)).1 += z * term.k;
        scalars.push(z);
        points.push(term.r);
    }
    for (point, scalar) in keys.into_values() {
        subgroup.add(&point, random.take());
        scalars.push(scalar);
        points.push(point);
    }
    scalars.push(of_base);
    points.push(ED25519_BASEPOINT_POINT);
    EdwardsPoint::vartime_multiscalar_mul(&scalars, &points).is_identity() && subgroup.passes()
}

/// Random bytes that depend on the caller's and on every equation.
struct Random {
    seed: [u8; 32],
    counter: u64,
    block: [u8; 32],
    used: usize,
}

impl Random {
    fn new(terms: &[Term<'_, '_>], randomness: &[u8; 32]) -> Self {
        let mut hasher = Sha256::new();
        hasher.update(b"syndic: a batch of Ed25519 signatures\n");
        hasher.update(randomness);
        for term in terms {
            hasher.update(term.k.as_bytes());
            hasher.update(term.s.as_bytes());
        }
        Self {
            seed: hasher.finalize().into(),
            counter: 0,
            block: [0; 32],
            used: 32,
        }
    }

    fn take<const N: usize>(&mut self) -> [u8; N] {
        if self.used + N > self.block.len() {
            let hash = Sha256::new()
                .chain_update(self.seed)
                .chain_update(self.counter.to_le_bytes());
            self.block = hash.finalize().into();
            self.counter += 1;
            self.used = 0;
        }
        let taken = self.block.get(self.used..).and_then(|rest| rest.first_chunk::<N>());
        self.used += N;
        taken.copied().unwrap_or([0; N])
    }
}

/// Trials are made four at a time: a point goes into one of sixteen sums, by which of the four it
/// takes part in.
const AT_ONCE: usize = 4;

/// Sums of random halves of the points.
struct SubgroupTest {
    sums: [[EdwardsPoint; 1 << AT_ONCE]; TRIALS / AT_ONCE],
}

impl SubgroupTest {
    fn new() -> Self {
        let none = EdwardsPoint::identity();
        Self {
            sums: [[none; 1 << AT_ONCE]; TRIALS / AT_ONCE],
        }
    }

    /// Lets a point take part in the trials that have a bit set.
    fn add(&mut self, point: &EdwardsPoint, trials: [u8; TRIALS / 8]) {
        let mut trials = u16::from_le_bytes(trials);
        for sums in &mut self.sums {
            let place = usize::from(trials & 0xF);
            trials >>= AT_ONCE;
            if place > 0
                && let Some(sum) = sums.get_mut(place)
            {
                *sum += point;
            }
        }
    }

    /// Whether every trial's sum lies in the group of prime order.
    fn passes(&self) -> bool {
        let of_trials = self.sums.iter().flat_map(|sums| {
            (0..AT_ONCE).map(|trial| {
                let chosen = sums.iter().enumerate().filter(|(place, _)| place >> trial & 1 == 1);
                chosen.map(|(_, sum)| sum).sum()
            })
        });
        subgroup::are_of_prime_order(&of_trials.collect::<Vec<_>>())
    }
}

mod field;
mod subgroup;

#[cfg(test)]
mod tests;
