//! Decimal numbers as text, compared exactly: no float ever holds an amount.

use std::cmp::Ordering;
use std::fmt;

use crate::limits::DECIMAL_DIGITS;

/// A decimal number, kept as it was written: `-?(0|[1-9][0-9]*)(\.[0-9]+)?`, at most
/// [`DECIMAL_DIGITS`] digits.
///
/// Order and equality are by value: `100.00` equals `100`, and `-0` equals `0`.
#[derive(Clone, Debug)]
pub struct Decimal(String);

impl Decimal {
    /// Reads a decimal number; `None` if the text is anything else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let unsigned = text.strip_prefix('-').unwrap_or(text);
        let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, "0"));
        let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        let canonical = whole == "0" || !whole.starts_with('0');
        let count = unsigned.bytes().filter(u8::is_ascii_digit).count();
        (digits(whole) && digits(fraction) && canonical && count <= DECIMAL_DIGITS).then(|| Self(text.to_owned()))
    }

    /// The number as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Sign, digits before the point, digits after it without trailing zeros.
    pub(super) fn parts(&self) -> (bool, &str, &str) {
        let (negative, unsigned) = match self.0.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, self.0.as_str()),
        };
        let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
        let fraction = fraction.trim_end_matches('0');
        let zero = whole == "0" && fraction.is_empty();
        (negative && !zero, whole, fraction)
    }
}

impl From<i64> for Decimal {
    fn from(number: i64) -> Self {
        Self(number.to_string())
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Ord for Decimal {
    fn cmp(&self, other: &Self) -> Ordering {
        let (negative, whole, fraction) = self.parts();
        let (other_negative, other_whole, other_fraction) = other.parts();
        // No leading zeros: the longer whole part is the larger. No trailing zeros in the
        // fraction: text order is the order of value, a prefix being the smaller.
        let size = whole
            .len()
            .cmp(&other_whole.len())
            .then_with(|| whole.cmp(other_whole))
            .then_with(|| fraction.cmp(other_fraction));
        match (negative, other_negative) {
            (false, false) => size,
            (true, true) => size.reverse(),
            (false, true) => Ordering::Greater,
            (true, false) => Ordering::Less,
        }
    }
}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Decimal {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Decimal {}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]
    use super::*;
    use proptest::prelude::*;

    fn decimal(text: &str) -> Decimal {
        Decimal::parse(text).unwrap_or_else(|| panic!("{text}"))
    }

    #[test]
    fn only_plain_decimals_are_read() {
        for good in [
            "0",
            "-0",
            "7",
            "-7",
            "100.00",
            "0.01",
            "-0.5",
            "12345678901234567890123456789012345678",
        ] {
            assert!(Decimal::parse(good).is_some(), "{good}");
        }
        for bad in [
            "",
            "-",
            ".",
            "1.",
            ".5",
            "+1",
            "00",
            "01",
            "-01",
            "1e3",
            "1E3",
            "0x1",
            "1,000",
            " 1",
            "1 ",
            "--1",
            "1.2.3",
            "NaN",
            "Infinity",
            "\u{661}",
            "1.-2",
            "123456789012345678901234567890123456789",
            "1234567890123456789012345678901234567.89",
        ] {
            assert!(Decimal::parse(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn order_is_by_value() {
        assert_eq!(decimal("100.00"), decimal("100"));
        assert_eq!(decimal("-0.00"), decimal("0"));
        assert!(decimal("100.01") > decimal("100"));
        assert!(decimal("99.999") < decimal("100"));
        assert!(decimal("9") < decimal("10"));
        assert!(decimal("-10") < decimal("-9"));
        assert!(decimal("0.1") > decimal("0.09"));
        assert!(decimal("-0.1") < decimal("0"));
    }

    /// The reference: both numbers scaled to 18 decimal places in an `i128`.
    fn scaled(text: &str) -> i128 {
        let negative = text.starts_with('-');
        let (whole, fraction) = text
            .trim_start_matches('-')
            .split_once('.')
            .unwrap_or((text.trim_start_matches('-'), ""));
        let digits = format!("{whole}{fraction:0<18}");
        let size: i128 = digits.parse().unwrap();
        if negative { -size } else { size }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(20_000))]
        #[test]
        fn comparison_agrees_with_scaled_integers(
            a in "-?(0|[1-9][0-9]{0,4})(\\.[0-9]{1,4})?",
            b in "-?(0|[1-9][0-9]{0,18})(\\.[0-9]{1,18})?",
            c in "-?(0|[1-9][0-9]{0,4})(\\.[0-9]{1,4})?",
        ) {
            for (x, y) in [(&a, &b), (&a, &c), (&b, &b)] {
                prop_assert_eq!(decimal(x).cmp(&decimal(y)), scaled(x).cmp(&scaled(y)));
            }
        }
    }
}
