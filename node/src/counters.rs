//! Rows of the counters that `rate` and `budget` need (decision 25). They are written in the batch that uses up the
//! action's nonce, so that either both are on disk or neither; see [`crate::one_time`].

use sha2::{Digest, Sha256};
use syndic_vc::time::Timestamp;
use syndic_vc::trust::{Counted, Tally};

use crate::store::{Batch, Store, StoreError};

/// Counters kept at once. Beyond this an action that needs a new one is refused rather than another forgotten. A counter
/// lives as long as its credential, 90 days at most.
pub const MAX_COUNTERS: u64 = 1_000_000;

pub(crate) const COUNTER: &[u8] = b"n/count/";
pub(crate) const UNTIL: &[u8] = b"n/count-until/";

/// What adding to all counters takes.
pub(crate) struct Addition {
    /// The rows as they must be, and as they become.
    pub batch: Batch,
    /// How many counters are new.
    pub new: u64,
}

/// Why nothing can be added.
pub(crate) enum Refused {
    /// This counter would pass its limit.
    Exceeded(usize),
    /// A row cannot be read.
    Store(StoreError),
    /// A row says what no counter says.
    Damaged,
}

impl From<StoreError> for Refused {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// Reads the counters, and says which rows to write so that all are added to.
pub(crate) fn add(store: &dyn Store, counted: &[Counted]) -> Result<Addition, Refused> {
    let mut addition = Addition {
        batch: Batch::new(),
        new: 0,
    };
    for (index, one) in counted.iter().enumerate() {
        let key = key(&one.counter);
        let row = store.get(&key)?;
        let held = match &row {
            Some(bytes) => Some(read(bytes).ok_or(Refused::Damaged)?),
            None => None,
        };
        let tally = one.added_to(held).ok_or(Refused::Exceeded(index))?;
        if row.is_none() {
            addition.new += 1;
            let mut until = UNTIL.to_vec();
            until.extend_from_slice(&one.until.unix_seconds().max(0).to_be_bytes());
            until.extend_from_slice(&key);
            addition.batch.writes.push((until, Some(key.clone())));
        }
        addition.batch.expectations.push((key.clone(), row));
        addition.batch.writes.push((key, Some(write(tally))));
    }
    Ok(addition)
}

/// The name of a counter is of any length; its digest is not.
fn key(counter: &str) -> Vec<u8> {
    let mut key = COUNTER.to_vec();
    key.extend_from_slice(&Sha256::digest(counter.as_bytes()));
    key
}

/// The beginning of the window in seconds and the sum, both with the highest byte first.
fn write(tally: Tally) -> Vec<u8> {
    let mut row = tally.from.unix_seconds().to_be_bytes().to_vec();
    row.extend_from_slice(&tally.sum.to_be_bytes());
    row
}

fn read(row: &[u8]) -> Option<Tally> {
    let (from, sum) = row.split_first_chunk::<8>()?;
    Some(Tally {
        from: Timestamp::from_unix_seconds(i64::from_be_bytes(*from)).ok()?,
        sum: u128::from_be_bytes(sum.try_into().ok()?),
    })
}
