//! The one place where the node reads the clock.

use std::time::{SystemTime, UNIX_EPOCH};

use syndic_vc::time::Timestamp;

/// The present moment, to the second. A clock outside the years that RFC 3339 can write reads as their beginning, which
/// fails closed: nothing is valid then.
#[must_use]
pub fn now() -> Timestamp {
    let seconds = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |elapsed| i64::try_from(elapsed.as_secs()).unwrap_or(0));
    at(seconds)
}

/// A moment in Unix seconds; the epoch if RFC 3339 cannot write it.
fn at(seconds: i64) -> Timestamp {
    Timestamp::from_unix_seconds(seconds).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// `seconds` after `from`; `from` itself if that is beyond all calendars, so that what was to last for ever lasts not at
/// all.
#[must_use]
pub fn later(from: Timestamp, seconds: i64) -> Timestamp {
    from.checked_add_seconds(seconds).unwrap_or(from)
}
