//! Values that work once: challenges and action nonces, and with a nonce the counters of its action. What was used is on
//! disk before anybody is told "allowed", so neither a restart nor a second thread can use it again (promise P12).
//!
//! A challenge costs the node nothing until it is used: it is a sealed expiry time that only this node can open. What is
//! stored is the fact that it was used, until the moment it would have expired anyway.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use sha2::{Digest, Sha256};
use syndic_vc::time::Timestamp;
use syndic_vc::trust::{Counted, OneTime, OneTimeKind, SpendError};

use crate::clock;
use crate::counters::{self, MAX_COUNTERS, Refused};
use crate::keys::Keystore;
use crate::store::{ApplyError, Batch, Store, StoreError};

/// How long a challenge may wait for its presentation, in seconds (reliability, secure defaults).
pub const CHALLENGE_SECONDS: i64 = 120;
/// Used values kept at once. Beyond this the node refuses rather than forgets; at 300 s a value this allows more than
/// 3,000 uses a second, several times what one fsync per use permits.
pub const MAX_REMEMBERED: u64 = 1_000_000;
/// The SHA-256 of a public key as JSON Web Key (RFC 7638).
pub type KeyThumbprint = [u8; 32];

/// Longest challenge that is looked at; the node's own have 98 characters, or 141 with a key.
const MAX_CHALLENGE_BYTES: usize = 256;
/// Rows removed in one batch when expired values are forgotten.
const FORGET_BATCH: usize = 1_000;
/// How often an action is counted anew because others counted on the same counters meanwhile. Each time one of them got
/// through, so as many as this can be at it at once.
const COUNT_ATTEMPTS: usize = 1_024;
/// How long past its expiry a used value is kept: the clock may be set back by this much without reviving it.
const KEEP_AFTER_EXPIRY_SECONDS: i64 = 3_600;

const USED: &[u8] = b"n/once/";
const UNTIL: &[u8] = b"n/once-until/";
const CHALLENGE_PURPOSE: &[u8] = b"syndic challenge v1";

/// A value that works once, and what is to be known of it afterwards.
pub struct Once<'a> {
    /// What kind of value it is: a lower-case word. One value may exist once in each kind.
    pub kind: &'a str,
    /// The value.
    pub value: &'a str,
    /// What is kept with it.
    pub content: Vec<u8>,
    /// Until when it must be remembered.
    pub until: Timestamp,
}

/// Values come from strangers and have any length and content; their digest has neither.
fn used_key(kind: &str, value: &str) -> Vec<u8> {
    let mut key = USED.to_vec();
    key.extend_from_slice(kind.as_bytes());
    key.push(b'/');
    key.extend_from_slice(&Sha256::digest(value.as_bytes()));
    key
}

/// The memory of used values.
pub struct OneTimeStore {
    store: Arc<dyn Store>,
    keys: Arc<Keystore>,
    remembered: AtomicU64,
    counters: AtomicU64,
}

impl OneTimeStore {
    /// Opens the memory and counts what it holds.
    ///
    /// # Errors
    /// [`StoreError`] if the store cannot be read.
    pub fn open(store: Arc<dyn Store>, keys: Arc<Keystore>) -> Result<Self, StoreError> {
        let remembered = count_rows(&*store, UNTIL)?.into();
        let counters = count_rows(&*store, counters::UNTIL)?.into();
        Ok(Self {
            store,
            keys,
            remembered,
            counters,
        })
    }

    /// Makes a challenge and says when it expires. One that is made for a key (its thumbprint, RFC 7638) gives a token
    /// to that key only.
    ///
    /// # Errors
    /// The system's random source failed; nothing can be promised then.
    pub fn challenge(
        &self,
        now: Timestamp,
        key: Option<&KeyThumbprint>,
    ) -> Result<(String, Timestamp), crate::keys::RandomError> {
        let expires = clock::later(now, CHALLENGE_SECONDS);
        let mut content = expires.unix_seconds().to_be_bytes().to_vec();
        content.extend_from_slice(key.map_or(&[], |key| &key[..]));
        let sealed = self.keys.seal_record(CHALLENGE_PURPOSE, &content)?;
        Ok((multibase::encode(multibase::Base::Base64Url, sealed), expires))
    }

    /// The key that a challenge of ours was made for, if it was made for one.
    #[must_use]
    pub fn key_of_challenge(&self, challenge: &str) -> Option<KeyThumbprint> {
        self.opened(challenge)?.1
    }

    fn challenge_expiry(&self, challenge: &str) -> Option<Timestamp> {
        Some(self.opened(challenge)?.0)
    }

    fn opened(&self, challenge: &str) -> Option<(Timestamp, Option<KeyThumbprint>)> {
        if challenge.len() > MAX_CHALLENGE_BYTES {
            return None;
        }
        let (base, bytes) = multibase::decode(challenge).ok()?;
        if base != multibase::Base::Base64Url || multibase::encode(base, &bytes) != challenge {
            return None;
        }
        let opened = self.keys.open_record(CHALLENGE_PURPOSE, &bytes).ok()?;
        let (seconds, key) = opened.split_first_chunk::<8>()?;
        let expires = Timestamp::from_unix_seconds(i64::from_be_bytes(*seconds)).ok()?;
        let key = match key {
            [] => None,
            key => Some(key.try_into().ok()?),
        };
        Some((expires, key))
    }

    /// Forgets what expired long enough ago. Returns how many values and counters went.
    ///
    /// # Errors
    /// [`ForgetError`] if the store fails; nothing is lost then.
    pub fn forget_expired(&self, now: Timestamp) -> Result<u64, ForgetError> {
        let limit = now.unix_seconds().saturating_sub(KEEP_AFTER_EXPIRY_SECONDS).max(0);
        Ok(self.forget(UNTIL, limit, &self.remembered)? + self.forget(counters::UNTIL, limit, &self.counters)?)
    }

    /// Removes the rows that ended before `limit`, with those that they name.
    fn forget(&self, until: &[u8], limit: i64, kept: &AtomicU64) -> Result<u64, ForgetError> {
        let mut end = until.to_vec();
        end.extend_from_slice(&limit.to_be_bytes());
        let mut gone = 0;
        loop {
            let rows = self.store.range(until, &end, FORGET_BATCH)?;
            if rows.is_empty() {
                return Ok(gone);
            }
            let mut batch = Batch::default();
            for (key, named) in rows {
                gone += 1;
                batch.writes.push((key, None));
                batch.writes.push((named, None));
            }
            let count = batch.writes.len() as u64 / 2;
            self.store.apply(batch)?;
            kept.fetch_sub(count, Ordering::Relaxed);
        }
    }

    /// Uses values up, all of them or none, and keeps what is given with each until its time. Durable when it returns.
    ///
    /// # Errors
    /// [`SpendError::Used`] if any of them was used before.
    pub fn remember(&self, values: &[Once<'_>], now: Timestamp) -> Result<(), SpendError> {
        match self.store.apply(self.batch_of(values, now)?) {
            Ok(()) => {
                self.remembered.fetch_add(values.len() as u64, Ordering::Relaxed);
                Ok(())
            }
            Err(ApplyError::Expectation { .. }) => Err(SpendError::Used),
            Err(other) => Err(SpendError::Unavailable(other.to_string())),
        }
    }

    /// What is kept with a value that was used; `None` if it was not, or was forgotten.
    ///
    /// # Errors
    /// [`StoreError`] if the store cannot be read.
    pub fn kept(&self, kind: &str, value: &str) -> Result<Option<Vec<u8>>, StoreError> {
        self.store.get(&used_key(kind, value))
    }

    /// The batch that uses values up if none of them was used before.
    fn batch_of(&self, values: &[Once<'_>], now: Timestamp) -> Result<Batch, SpendError> {
        if values.iter().any(|once| now >= once.until) {
            return Err(SpendError::Expired);
        }
        if self.remembered.load(Ordering::Relaxed) >= MAX_REMEMBERED {
            return Err(SpendError::Unavailable(format!(
                "{MAX_REMEMBERED} used values are remembered already; try again in a few minutes"
            )));
        }
        let mut batch = Batch::default();
        for once in values {
            let used_key = used_key(once.kind, once.value);
            let mut until_key = UNTIL.to_vec();
            until_key.extend_from_slice(&once.until.unix_seconds().max(0).to_be_bytes());
            until_key.extend_from_slice(&used_key);
            batch.writes.push((used_key.clone(), Some(once.content.clone())));
            batch.writes.push((until_key, Some(used_key.clone())));
            batch.expectations.push((used_key, None));
        }
        Ok(batch)
    }

    /// The batch that uses a value up, and the key of the row that says so.
    fn use_up(
        &self,
        kind: OneTimeKind,
        value: &str,
        now: Timestamp,
        expires: Timestamp,
    ) -> Result<(Batch, Vec<u8>), SpendError> {
        let (name, expires) = match kind {
            OneTimeKind::Challenge => ("challenge", self.challenge_expiry(value).ok_or(SpendError::Unknown)?),
            OneTimeKind::ActionNonce => ("nonce", expires),
        };
        let once = Once {
            kind: name,
            value,
            content: Vec::new(),
            until: expires,
        };
        let batch = self.batch_of(&[once], now)?;
        let used_key = used_key(name, value);
        Ok((batch, used_key))
    }

    /// Adds the rows of the counters to a batch; says how many are new.
    fn add_counters(&self, batch: &mut Batch, counted: &[Counted]) -> Result<u64, SpendError> {
        let addition = counters::add(&*self.store, counted).map_err(|refused| match refused {
            Refused::Exceeded(which) => SpendError::Exceeded(which),
            Refused::Store(error) => SpendError::Unavailable(error.to_string()),
            Refused::Damaged => SpendError::Unavailable("a counter cannot be read".to_owned()),
        })?;
        if addition.new > 0 && self.counters.load(Ordering::Relaxed) + addition.new > MAX_COUNTERS {
            return Err(SpendError::Unavailable(format!(
                "{MAX_COUNTERS} counters are kept already"
            )));
        }
        batch.writes.extend(addition.batch.writes);
        batch.expectations.extend(addition.batch.expectations);
        Ok(addition.new)
    }
}

fn count_rows(store: &dyn Store, prefix: &[u8]) -> Result<u64, StoreError> {
    let mut count = 0u64;
    let mut from = prefix.to_vec();
    let end = after_prefix(prefix);
    loop {
        let rows = store.range(&from, &end, FORGET_BATCH)?;
        let Some((last, _)) = rows.last() else { return Ok(count) };
        count += rows.len() as u64;
        from.clone_from(last);
        from.push(0);
    }
}

/// Why expired values could not be forgotten.
#[derive(Debug, thiserror::Error)]
pub enum ForgetError {
    /// Reading failed.
    #[error(transparent)]
    Read(#[from] StoreError),
    /// Writing failed.
    #[error(transparent)]
    Write(#[from] ApplyError),
}

impl OneTime for OneTimeStore {
    fn spend(&self, kind: OneTimeKind, value: &str, now: Timestamp, expires: Timestamp) -> Result<(), SpendError> {
        self.spend_counted(kind, value, &[], now, expires)
    }

    fn spend_counted(
        &self,
        kind: OneTimeKind,
        value: &str,
        counted: &[Counted],
        now: Timestamp,
        expires: Timestamp,
    ) -> Result<(), SpendError> {
        let (once, used_key) = self.use_up(kind, value, now, expires)?;
        for _ in 0..COUNT_ATTEMPTS {
            // A value that is used up says so, whatever the counters would say.
            let used = self.store.get(&used_key);
            if used
                .map_err(|error| SpendError::Unavailable(error.to_string()))?
                .is_some()
            {
                return Err(SpendError::Used);
            }
            let mut batch = once.clone();
            let new = self.add_counters(&mut batch, counted)?;
            match self.store.apply(batch) {
                Ok(()) => {
                    self.remembered.fetch_add(1, Ordering::Relaxed);
                    self.counters.fetch_add(new, Ordering::Relaxed);
                    return Ok(());
                }
                Err(ApplyError::Expectation { key }) if key == used_key => return Err(SpendError::Used),
                // Somebody else counted first: again, from what the counters show now.
                Err(ApplyError::Expectation { .. }) => {}
                Err(other) => return Err(SpendError::Unavailable(other.to_string())),
            }
        }
        Err(SpendError::Unavailable(
            "too many actions are counted at once; try again".to_owned(),
        ))
    }
}

/// The first key after all keys that begin with `prefix`, which ends in a byte below 0xff.
pub(crate) fn after_prefix(prefix: &[u8]) -> Vec<u8> {
    let mut end = prefix.to_vec();
    if let Some(last) = end.last_mut() {
        *last = last.saturating_add(1);
    }
    end
}
