//! Numbers: the grammar of RFC 8259 section 6, and no loss of precision.

use super::{Kind, Number};
use crate::limits::JSON_INTEGER;

/// Reads the number that begins at `at`, and moves `at` behind it (or to the offending byte).
pub(super) fn read(bytes: &[u8], at: &mut usize) -> Result<Number, Kind> {
    let start = *at;
    let negative = bytes.get(*at) == Some(&b'-');
    *at += usize::from(negative);
    let integer = match digits(bytes, at)? {
        [b'0', _, ..] => return Err(Kind::InvalidNumber),
        digits => digits,
    };
    let mut fraction: &[u8] = &[];
    let mut exponent = 0;
    let plain = !matches!(bytes.get(*at), Some(b'.' | b'e' | b'E'));
    if plain {
        return plain_integer(negative, integer);
    }
    if bytes.get(*at) == Some(&b'.') {
        *at += 1;
        fraction = digits(bytes, at)?;
    }
    if let Some(b'e' | b'E') = bytes.get(*at) {
        *at += 1;
        exponent = read_exponent(bytes, at)?;
    }
    let written = Decimal::new(integer, fraction, exponent);
    if written.is_zero() {
        return if negative {
            Err(Kind::NegativeZero)
        } else {
            Ok(Number::from(0))
        };
    }
    let text = bytes.get(start..*at).unwrap_or_default();
    let double = std::str::from_utf8(text).ok().and_then(|t| t.parse::<f64>().ok());
    let number = double
        .and_then(|d| Number::try_from(d).ok())
        .ok_or(Kind::NumberNotExact)?;
    if written.is_printed_as(number) {
        Ok(number)
    } else {
        Err(Kind::NumberNotExact)
    }
}

fn digits<'b>(bytes: &'b [u8], at: &mut usize) -> Result<&'b [u8], Kind> {
    let rest = bytes.get(*at..).unwrap_or_default();
    let count = rest.iter().take_while(|b| b.is_ascii_digit()).count();
    *at += count;
    match rest.get(..count) {
        Some(digits) if count > 0 => Ok(digits),
        _ => Err(Kind::InvalidNumber),
    }
}

fn plain_integer(negative: bool, digits: &[u8]) -> Result<Number, Kind> {
    let mut n: i64 = 0;
    for digit in digits {
        n = n * 10 + i64::from(digit - b'0');
        if n > JSON_INTEGER {
            return Err(Kind::IntegerTooLarge);
        }
    }
    if negative && n == 0 {
        return Err(Kind::NegativeZero);
    }
    Number::try_from(if negative { -n } else { n }).map_err(|_| Kind::IntegerTooLarge)
}

/// The exponent; saturated, since no number with an exponent of more than three digits fits in a
/// double.
fn read_exponent(bytes: &[u8], at: &mut usize) -> Result<i64, Kind> {
    let negative = match bytes.get(*at) {
        Some(b'-') => true,
        Some(b'+') => false,
        _ => {
            return digits(bytes, at).map(saturated);
        }
    };
    *at += 1;
    let exponent = saturated(digits(bytes, at)?);
    Ok(if negative { -exponent } else { exponent })
}

fn saturated(digits: &[u8]) -> i64 {
    digits
        .iter()
        .fold(0_i64, |n, d| n.saturating_mul(10).saturating_add(i64::from(d - b'0')))
        .min(i64::MAX / 4)
}

/// A decimal as written: `0.d1d2d3... * 10^point`, the digits without zeros at either end.
struct Decimal<'b> {
    integer: &'b [u8],
    fraction: &'b [u8],
    point: i64,
}

impl<'b> Decimal<'b> {
    fn new(integer: &'b [u8], fraction: &'b [u8], exponent: i64) -> Self {
        let integer = trim_start(integer);
        let mut point = exponent.saturating_add(length(integer));
        let (mut head, mut tail) = (integer, fraction);
        if head.is_empty() {
            tail = trim_start(fraction);
            point = point.saturating_sub(length(fraction) - length(tail));
        }
        tail = trim_end(tail);
        if tail.is_empty() {
            head = trim_end(head);
        }
        Self {
            integer: head,
            fraction: tail,
            point,
        }
    }

    const fn is_zero(&self) -> bool {
        self.integer.is_empty() && self.fraction.is_empty()
    }

    /// Whether the canonical print of the number has exactly this value (signs are equal by
    /// construction).
    fn is_printed_as(&self, number: Number) -> bool {
        let mut print = Vec::with_capacity(32);
        number.write(&mut print);
        let print = print.strip_prefix(b"-").unwrap_or(&print);
        let mut at = 0;
        let Ok(integer) = digits(print, &mut at) else {
            return false;
        };
        let mut fraction: &[u8] = &[];
        if print.get(at) == Some(&b'.') {
            at += 1;
            let Ok(read) = digits(print, &mut at) else {
                return false;
            };
            fraction = read;
        }
        let mut exponent = 0;
        if print.get(at) == Some(&b'e') {
            at += 1;
            let Ok(read) = read_exponent(print, &mut at) else {
                return false;
            };
            exponent = read;
        }
        let printed = Decimal::new(integer, fraction, exponent);
        self.point == printed.point
            && self
                .integer
                .iter()
                .chain(self.fraction)
                .eq(printed.integer.iter().chain(printed.fraction))
    }
}

fn length(digits: &[u8]) -> i64 {
    i64::try_from(digits.len()).unwrap_or(i64::MAX / 4)
}

fn trim_start(digits: &[u8]) -> &[u8] {
    let zeros = digits.iter().take_while(|d| **d == b'0').count();
    digits.get(zeros..).unwrap_or_default()
}

fn trim_end(digits: &[u8]) -> &[u8] {
    let zeros = digits.iter().rev().take_while(|d| **d == b'0').count();
    digits.get(..digits.len() - zeros).unwrap_or_default()
}
