//! What was fetched lately, so that one host is not asked the same thing again and again.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long an answer is used again. Short beside the 300 s that knowledge may be old by default, since a key that was
/// taken out of a document must not sign for long.
const KEPT: Duration = Duration::from_secs(60);
/// How long a failure is.
const FAILURE_KEPT: Duration = Duration::from_secs(30);
/// Entries, failures included. A caller can name many paths below an allowed host.
const ENTRIES: usize = 1_024;
/// Bytes of all answers together: sixteen of the largest.
const BYTES: usize = 16 << 20;

/// A cache of the results of one operation, bounded in entries, bytes and time.
pub(super) struct Cache<T, E> {
    entries: BTreeMap<String, Entry<T, E>>,
    bytes: usize,
}

struct Entry<T, E> {
    result: Result<Arc<T>, E>,
    bytes: usize,
    until: Instant,
}

impl<T, E: Clone> Cache<T, E> {
    pub(super) const fn new() -> Self {
        Self {
            entries: BTreeMap::new(),
            bytes: 0,
        }
    }

    /// What is known under a key and not too old.
    pub(super) fn get(&self, key: &str, now: Instant) -> Option<Result<Arc<T>, E>> {
        let entry = self.entries.get(key)?;
        (entry.until > now).then(|| entry.result.clone())
    }

    /// Keeps a result of `bytes` bytes, and lets go of what ends first if there is no room.
    pub(super) fn put(&mut self, key: &str, result: Result<Arc<T>, E>, bytes: usize, now: Instant) {
        self.remove(key);
        let bytes = bytes + key.len();
        let kept = if result.is_ok() { KEPT } else { FAILURE_KEPT };
        self.entries.retain(|_, entry| {
            let stays = entry.until > now;
            self.bytes -= if stays { 0 } else { entry.bytes };
            stays
        });
        while self.entries.len() >= ENTRIES || (self.bytes + bytes > BYTES && !self.entries.is_empty()) {
            let first = self.entries.iter().min_by_key(|(_, entry)| entry.until);
            let Some(first) = first.map(|(key, _)| key.clone()) else {
                break;
            };
            self.remove(&first);
        }
        self.bytes += bytes;
        let until = now + kept;
        self.entries.insert(key.to_owned(), Entry { result, bytes, until });
    }

    fn remove(&mut self, key: &str) {
        if let Some(entry) = self.entries.remove(key) {
            self.bytes -= entry.bytes;
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
    use super::*;

    #[test]
    fn answers_are_kept_a_minute_and_failures_half_of_it() {
        let mut cache: Cache<u8, &str> = Cache::new();
        let now = Instant::now();
        cache.put("good", Ok(Arc::new(1)), 1, now);
        cache.put("bad", Err("no"), 0, now);
        let after = |seconds| now + Duration::from_secs(seconds);
        assert_eq!(cache.get("good", after(59)), Some(Ok(Arc::new(1))));
        assert_eq!(cache.get("good", after(60)), None);
        assert_eq!(cache.get("bad", after(29)), Some(Err("no")));
        assert_eq!(cache.get("bad", after(30)), None);
        assert_eq!(cache.get("other", now), None);
    }

    #[test]
    fn it_is_bounded_in_entries_and_bytes() {
        let mut cache: Cache<usize, ()> = Cache::new();
        let now = Instant::now();
        for n in 0..2 * ENTRIES {
            cache.put(
                &n.to_string(),
                Ok(Arc::new(n)),
                1,
                now + Duration::from_millis(n as u64),
            );
        }
        assert_eq!(cache.entries.len(), ENTRIES);
        assert!(cache.get("0", now).is_none() && cache.get("2047", now).is_some());
        for n in 0..40 {
            cache.put(
                &format!("large {n}"),
                Ok(Arc::new(n)),
                1 << 20,
                now + Duration::from_secs(5),
            );
            assert!(cache.bytes <= BYTES);
        }
        assert!(cache.get("large 39", now).is_some());
        let sum: usize = cache.entries.values().map(|entry| entry.bytes).sum();
        assert_eq!(sum, cache.bytes);
    }
}
