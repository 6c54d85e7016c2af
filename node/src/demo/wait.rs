//! Waiting for what is to happen, but not for ever.

use std::time::{Duration, Instant};

/// Between two looks. Short, because what is waited for is measured.
const PAUSE: Duration = Duration::from_millis(5);

/// Looks until there is something or the time is over.
pub(super) fn until<T>(limit: Duration, mut look: impl FnMut() -> Option<T>) -> Option<T> {
    let end = Instant::now() + limit;
    loop {
        if let Some(found) = look() {
            return Some(found);
        }
        if Instant::now() >= end {
            return None;
        }
        std::thread::sleep(PAUSE);
    }
}

/// Milliseconds, for figures.
pub(super) fn milliseconds(duration: Duration) -> u32 {
    u32::try_from(duration.as_millis()).unwrap_or(u32::MAX)
}
