//! Many credentials at once: each goes through every step by itself, and the signatures of all are
//! checked together ([`crate::key::batch`]).

use std::cell::RefCell;
use std::ops::Range;

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
    let deferred = Deferred::for_signatures(texts.len());
    let later = World {
        deferred: Some(&deferred),
        ..world
    };
    // Outcomes are large, so each stays where it was made.
    let mut outcomes = Vec::with_capacity(texts.len());
    let mut signatures = Vec::with_capacity(texts.len());
    for text in texts {
        let from = deferred.len();
        outcomes.push(credential_in(text, &later));
        signatures.push(from..deferred.len());
    }
    let verdicts = deferred.verify(randomness);
    for ((outcome, signatures), text) in outcomes.iter_mut().zip(signatures).zip(texts) {
        let held = verdicts.get(signatures).is_some_and(|all| all.iter().all(|held| *held));
        if !held {
            // What was done under a signature that does not hold is void: again, step by step.
            *outcome = credential_in(text, &world);
        }
    }
    outcomes
}

/// Signatures that are taken to hold until all are checked together.
pub(super) struct Deferred(RefCell<Notes>);

/// All messages are in one piece, and a key stands there once for all signatures in a row that it
/// made: a thousand signatures should not fill the caches.
struct Notes {
    keys: Vec<PublicKey>,
    messages: Vec<u8>,
    signed: Vec<Signed>,
}

/// The last of the keys, and where the message is.
struct Signed {
    key: usize,
    message: Range<usize>,
    signature: Signature,
}

/// A message is two SHA-256 digests in every suite with Ed25519 but one.
const USUAL_MESSAGE: usize = 64;

impl Deferred {
    fn for_signatures(count: usize) -> Self {
        Self(RefCell::new(Notes {
            keys: Vec::new(),
            messages: Vec::with_capacity(count * USUAL_MESSAGE),
            signed: Vec::with_capacity(count),
        }))
    }

    fn len(&self) -> usize {
        self.0.borrow().signed.len()
    }

    fn verify(&self, randomness: &[u8; 32]) -> Vec<bool> {
        let notes = self.0.borrow();
        let claims: Option<Vec<Claim<'_>>> = notes.signed.iter().map(|signed| notes.claim(signed)).collect();
        // All are there, since notes are only added; were one not, nothing would be taken to hold.
        claims.map_or_else(Vec::new, |claims| verify_each(&claims, randomness))
    }
}

impl Notes {
    fn add(&mut self, key: &PublicKey, message: &[u8], signature: &Signature) {
        if self.keys.last() != Some(key) {
            self.keys.push(key.clone());
        }
        let from = self.messages.len();
        self.messages.extend_from_slice(message);
        self.signed.push(Signed {
            key: self.keys.len() - 1,
            message: from..self.messages.len(),
            signature: *signature,
        });
    }

    fn claim<'n>(&'n self, signed: &'n Signed) -> Option<Claim<'n>> {
        Some(Claim {
            key: self.keys.get(signed.key)?,
            message: self.messages.get(signed.message.clone())?,
            signature: &signed.signature,
        })
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
                deferred.0.borrow_mut().add(key, message, signature);
                Ok(())
            }
            _ => key.verify(message, signature),
        }
    }
}
