//! Points in time, as they stand in credentials: RFC 3339 with an offset, never a local time.

use std::fmt;

use jiff::civil::DateTime;
use jiff::tz::Offset;

/// A point in time, to the nanosecond, in the years 0000 to 9999 (UTC).
///
/// Prints as `2026-11-24T22:50:53Z`; a fraction only if there is one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Timestamp(jiff::Timestamp);

/// The text is no timestamp, or outside of what can be written as one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TimeError {
    /// Not `YYYY-MM-DDThh:mm:ss`, optionally a fraction of up to nine digits, then `Z` or `±hh:mm`.
    #[error("not a timestamp; write it as 2026-11-24T22:50:53Z (RFC 3339, upper case T and Z, with an offset)")]
    Malformed,
    /// The date or time does not exist (February 30, hour 24, a leap second).
    #[error("there is no such date and time")]
    NoSuchTime,
    /// Before the year 0000 or after the year 9999 in UTC.
    #[error("the time is outside of the years 0000 to 9999")]
    OutOfRange,
}

/// 0000-01-01T00:00:00Z in Unix seconds.
const FIRST: i64 = -62_167_219_200;

impl Timestamp {
    /// Reads an RFC 3339 section 5.6 `date-time`, which is also an XML Schema `dateTimeStamp` as
    /// VCDM 2.0 section 4.9 asks for.
    ///
    /// Stricter than RFC 3339: `T` and `Z` in upper case, no leap second (no clock of ours can
    /// represent it), at most nine digits of fraction, an offset of at most 14 hours (XML Schema).
    ///
    /// # Errors
    /// [`TimeError`] when the text is anything else.
    pub fn parse(text: &str) -> Result<Self, TimeError> {
        let (head, tail) = text.as_bytes().split_first_chunk::<19>().ok_or(TimeError::Malformed)?;
        let &[
            y1,
            y2,
            y3,
            y4,
            b'-',
            o1,
            o2,
            b'-',
            d1,
            d2,
            b'T',
            h1,
            h2,
            b':',
            m1,
            m2,
            b':',
            s1,
            s2,
        ] = head
        else {
            return Err(TimeError::Malformed);
        };
        let (nanos, zone) = fraction(tail)?;
        let offset = offset(zone)?;
        let civil = DateTime::new(
            i16::from(two(y1, y2)?) * 100 + i16::from(two(y3, y4)?),
            two(o1, o2)?,
            two(d1, d2)?,
            two(h1, h2)?,
            two(m1, m2)?,
            two(s1, s2)?,
            nanos,
        )
        .map_err(|_| TimeError::NoSuchTime)?;
        Self::within(offset.to_timestamp(civil).map_err(|_| TimeError::OutOfRange)?)
    }

    fn within(time: jiff::Timestamp) -> Result<Self, TimeError> {
        if time.as_second() < FIRST {
            Err(TimeError::OutOfRange)
        } else {
            Ok(Self(time))
        }
    }

    /// 1970-01-01T00:00:00Z.
    pub const UNIX_EPOCH: Self = Self(jiff::Timestamp::UNIX_EPOCH);

    /// The time so many seconds after 1970-01-01T00:00:00Z.
    ///
    /// # Errors
    /// [`TimeError::OutOfRange`].
    pub fn from_unix_seconds(seconds: i64) -> Result<Self, TimeError> {
        jiff::Timestamp::from_second(seconds)
            .map_err(|_| TimeError::OutOfRange)
            .and_then(Self::within)
    }

    /// The time so many milliseconds after 1970-01-01T00:00:00Z.
    ///
    /// # Errors
    /// [`TimeError::OutOfRange`].
    pub fn from_unix_millis(millis: i64) -> Result<Self, TimeError> {
        jiff::Timestamp::from_millisecond(millis)
            .map_err(|_| TimeError::OutOfRange)
            .and_then(Self::within)
    }

    /// Whole seconds since 1970-01-01T00:00:00Z, rounded down.
    #[must_use]
    pub fn unix_seconds(self) -> i64 {
        self.0.as_second() - i64::from(self.0.subsec_nanosecond() < 0)
    }

    /// Whole milliseconds since 1970-01-01T00:00:00Z, rounded down.
    #[must_use]
    pub fn unix_millis(self) -> i64 {
        self.0.as_millisecond() - i64::from(self.0.subsec_nanosecond() % 1_000_000 < 0)
    }

    /// So many seconds later, or earlier if negative; `None` outside of the years 0000 to 9999.
    #[must_use]
    pub fn checked_add_seconds(self, seconds: i64) -> Option<Self> {
        let later = self.0.checked_add(jiff::SignedDuration::from_secs(seconds)).ok()?;
        Self::within(later).ok()
    }

    /// Whole seconds from `earlier` to this time, rounded down; negative if `earlier` is later.
    #[must_use]
    pub fn seconds_since(self, earlier: Self) -> i64 {
        let span = self.0.duration_since(earlier.0);
        span.as_secs() - i64::from(span.subsec_nanos() < 0)
    }

    /// The same time for `jiff`, to look at in a time zone.
    pub(crate) const fn instant(self) -> jiff::Timestamp {
        self.0
    }
}

fn two(tens: u8, ones: u8) -> Result<i8, TimeError> {
    if tens.is_ascii_digit() && ones.is_ascii_digit() {
        i8::try_from((tens - b'0') * 10 + (ones - b'0')).map_err(|_| TimeError::Malformed)
    } else {
        Err(TimeError::Malformed)
    }
}

/// Nanoseconds from an optional `.digits`, and what follows.
fn fraction(text: &[u8]) -> Result<(i32, &[u8]), TimeError> {
    let Some((b'.', rest)) = text.split_first() else {
        return Ok((0, text));
    };
    let count = rest.iter().take_while(|b| b.is_ascii_digit()).count();
    if !(1..=9).contains(&count) {
        return Err(TimeError::Malformed);
    }
    let (digits, zone) = rest.split_at(count);
    let mut nanos = digits.iter().fold(0, |n, d| n * 10 + i32::from(d - b'0'));
    for _ in count..9 {
        nanos *= 10;
    }
    Ok((nanos, zone))
}

fn offset(zone: &[u8]) -> Result<Offset, TimeError> {
    let (east, h1, h2, m1, m2) = match *zone {
        [b'Z'] => return Ok(Offset::UTC),
        [b'+', h1, h2, b':', m1, m2] => (1, h1, h2, m1, m2),
        [b'-', h1, h2, b':', m1, m2] => (-1, h1, h2, m1, m2),
        _ => return Err(TimeError::Malformed),
    };
    let (hours, minutes) = (i32::from(two(h1, h2)?), i32::from(two(m1, m2)?));
    if minutes > 59 || hours * 60 + minutes > 14 * 60 {
        return Err(TimeError::NoSuchTime);
    }
    Offset::from_seconds(east * (hours * 3_600 + minutes * 60)).map_err(|_| TimeError::NoSuchTime)
}

impl std::str::FromStr for Timestamp {
    type Err = TimeError;

    fn from_str(text: &str) -> Result<Self, TimeError> {
        Self::parse(text)
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let t = Offset::UTC.to_datetime(self.0);
        write!(
            f,
            "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}",
            t.year(),
            t.month(),
            t.day(),
            t.hour(),
            t.minute(),
            t.second()
        )?;
        if t.subsec_nanosecond() != 0 {
            let fraction = format!("{:09}", t.subsec_nanosecond());
            write!(f, ".{}", fraction.trim_end_matches('0'))?;
        }
        f.write_str("Z")
    }
}

/// The text, as in a document.
impl From<Timestamp> for crate::json::Value {
    fn from(time: Timestamp) -> Self {
        Self::String(time.to_string().into())
    }
}

#[cfg(test)]
mod tests;
