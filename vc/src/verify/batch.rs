//! Many credentials at once: each goes through every step by itself, and the signatures of all are
//! checked together ([`crate::key::batch`]).

use std::cell::RefCell;

use super::outcome::VerifiedCredential;
use super::{Policy, World, credential_in};
use crate::denial::Denied;
use crate::key::batch::{Claim, verify_each};
use crate::key::{KeyKind, PublicKey, Signature, SignatureInvalid};
use crate::time::Timestamp;
use crate::trust::Knowledge;

/// Verifies credentials from their texts: for each what [`super::credential`] says of it, sooner from
/// [`LEAST`](crate::key::batch::LEAST) on.
///
/// `randomness` is from the system's generator, drawn for this call and used for no other. The one way
/// in which a verdict can differ from that of [`super::credential`], and how improbable it is, stands
/// in [`crate::key::batch`]: it takes the issuer's secret key, and a signature that the issuer made so
/// that strict verification refuses it.
#[must_use]
pub fn credentials(
    texts: &[&[u8]],
    policy: &Policy,
    knowledge: &dyn Knowledge,
    now: Timestamp,
    randomness: &[u8; 32],
) -> Vec<Result<VerifiedCredential, Denied>> {
    let world = World::new(policy, knowledge, now);
    let deferred = Deferred::default();
    let later = World {
        deferred: Some(&deferred),
        ..world
    };
    let items: Vec<_> = texts
        .iter()
        .map(|text| {
            let from = deferred.len();
            let outcome = credential_in(text, &later);
            (*text, from..deferred.len(), outcome)
        })
        .collect();
    let verdicts = deferred.verify(randomness);
    let held = |range: std::ops::Range<usize>| verdicts.get(range).is_some_and(|all| all.iter().all(|held| *held));
    items
        .into_iter()
        .map(|(text, signatures, outcome)| {
            if held(signatures) {
                outcome
            } else {
                // What was done under a signature that does not hold is void: again, step by step.
                credential_in(text, &world)
            }
        })
        .collect()
}

/// Signatures that are taken to hold until all are checked together.
#[derive(Default)]
pub(super) struct Deferred(RefCell<Vec<Signed>>);

struct Signed {
    key: PublicKey,
    message: Vec<u8>,
    signature: Signature,
}

impl Deferred {
    fn len(&self) -> usize {
        self.0.borrow().len()
    }

    fn verify(&self, randomness: &[u8; 32]) -> Vec<bool> {
        let signed = self.0.borrow();
        let claims: Vec<Claim<'_>> = signed.iter().map(Signed::claim).collect();
        verify_each(&claims, randomness)
    }
}

impl Signed {
    fn claim(&self) -> Claim<'_> {
        Claim {
            key: &self.key,
            message: &self.message,
            signature: &self.signature,
        }
    }
}

impl World<'_> {
    /// Checks a signature now, or notes it to be checked with others.
    pub(super) fn verify_signature(
        &self,
        key: &PublicKey,
        message: &[u8],
        signature: &Signature,
    ) -> Result<(), SignatureInvalid> {
        match self.deferred {
            Some(deferred) if key.kind() == KeyKind::Ed25519 => {
                deferred.0.borrow_mut().push(Signed {
                    key: key.clone(),
                    message: message.to_vec(),
                    signature: *signature,
                });
                Ok(())
            }
            _ => key.verify(message, signature),
        }
    }
}
