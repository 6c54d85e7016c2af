//! Numbers that every implementation reads and prints alike.

use std::cmp::Ordering;
use std::fmt;

use crate::limits::JSON_INTEGER;

/// A JSON number: an integer within ±(2^53 − 1), or another finite double.
///
/// An integral double within that range is always held as the integer, and zero has no sign, so
/// equality of numbers is equality of their canonical print (RFC 8785 section 3.2.2.3).
#[derive(Clone, Copy, Debug)]
pub struct Number(Form);

/// Invariant: `Double` is finite, and not an integer that would print as plain digits.
#[derive(Clone, Copy, Debug)]
enum Form {
    Integer(i64),
    Double(f64),
}

/// The number cannot be held.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NumberError {
    /// Beyond ±(2^53 − 1).
    #[error("the integer is beyond ±(2^53 − 1); write it as a string")]
    IntegerTooLarge,
    /// Infinite or not a number.
    #[error("the number is not finite")]
    NotFinite,
}

/// From here on the ECMAScript print of an integral double has an exponent, so that it cannot be
/// taken for an integer that lost its last digits.
const PRINTED_WITH_EXPONENT: f64 = 1e21;

impl Number {
    /// The integer, if this is one.
    #[must_use]
    pub fn as_i64(self) -> Option<i64> {
        match self.0 {
            Form::Integer(n) => Some(n),
            Form::Double(_) => None,
        }
    }

    /// The nearest double: exact, since both forms fit in one.
    #[must_use]
    #[allow(clippy::cast_precision_loss)] // within ±(2^53 − 1)
    pub fn as_f64(self) -> f64 {
        match self.0 {
            Form::Integer(n) => n as f64,
            Form::Double(d) => d,
        }
    }

    /// Appends the canonical print (ECMAScript `Number::toString`).
    pub(crate) fn write(self, out: &mut Vec<u8>) {
        match self.0 {
            Form::Integer(n) => write_integer(n, out),
            Form::Double(d) => {
                out.extend_from_slice(ryu_js::Buffer::new().format_finite(d).as_bytes());
            }
        }
    }
}

fn write_integer(n: i64, out: &mut Vec<u8>) {
    let mut digits = [0_u8; 20];
    let mut rest = n.unsigned_abs();
    let mut from = digits.len();
    for (at, digit) in digits.iter_mut().enumerate().rev() {
        *digit = b'0' + u8::try_from(rest % 10).unwrap_or(0);
        rest /= 10;
        from = at;
        if rest == 0 {
            break;
        }
    }
    if n < 0 {
        out.push(b'-');
    }
    out.extend_from_slice(digits.get(from..).unwrap_or_default());
}

impl From<i32> for Number {
    fn from(n: i32) -> Self {
        Self(Form::Integer(n.into()))
    }
}

impl From<u32> for Number {
    fn from(n: u32) -> Self {
        Self(Form::Integer(n.into()))
    }
}

impl TryFrom<i64> for Number {
    type Error = NumberError;

    fn try_from(n: i64) -> Result<Self, NumberError> {
        if (-JSON_INTEGER..=JSON_INTEGER).contains(&n) {
            Ok(Self(Form::Integer(n)))
        } else {
            Err(NumberError::IntegerTooLarge)
        }
    }
}

impl TryFrom<u64> for Number {
    type Error = NumberError;

    fn try_from(n: u64) -> Result<Self, NumberError> {
        i64::try_from(n).map_err(|_| NumberError::IntegerTooLarge)?.try_into()
    }
}

impl TryFrom<f64> for Number {
    type Error = NumberError;

    #[allow(clippy::cast_possible_truncation, clippy::cast_precision_loss)] // both guarded by the range
    fn try_from(d: f64) -> Result<Self, NumberError> {
        if !d.is_finite() {
            return Err(NumberError::NotFinite);
        }
        if d.fract() != 0.0 || d.abs() >= PRINTED_WITH_EXPONENT {
            return Ok(Self(Form::Double(d)));
        }
        if d.abs() <= JSON_INTEGER as f64 {
            Ok(Self(Form::Integer(d as i64)))
        } else {
            Err(NumberError::IntegerTooLarge)
        }
    }
}

impl PartialEq for Number {
    fn eq(&self, other: &Self) -> bool {
        self.as_f64() == other.as_f64()
    }
}

// Never NaN, so equality is total.
impl Eq for Number {}

impl Ord for Number {
    fn cmp(&self, other: &Self) -> Ordering {
        self.as_f64().total_cmp(&other.as_f64())
    }
}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Form::Integer(n) => write!(f, "{n}"),
            Form::Double(d) => f.write_str(ryu_js::Buffer::new().format_finite(d)),
        }
    }
}

impl serde::Serialize for Number {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Form::Integer(n) => serializer.serialize_i64(n),
            Form::Double(d) => serializer.serialize_f64(d),
        }
    }
}
