//! Small values as people type them.

use syndic_vc::json::Value;
use syndic_vc::object;
use syndic_vc::time::Timestamp;

/// Seconds from a span such as `90s`, `30m`, `24h` or `7d`.
///
/// # Errors
/// A sentence for the user.
pub fn span(text: &str) -> Result<u32, String> {
    let wrong = || format!("{text:?} is not a span of time such as 30m, 24h or 7d");
    let unit = text.chars().next_back().ok_or_else(wrong)?;
    let factor = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3600,
        'd' => 86_400,
        _ => return Err(wrong()),
    };
    let number = text
        .strip_suffix(unit)
        .filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()));
    let seconds = number
        .and_then(|digits| digits.parse::<u32>().ok())
        .and_then(|count| count.checked_mul(factor));
    seconds.filter(|seconds| *seconds > 0).ok_or_else(wrong)
}

/// A point in time, RFC 3339.
///
/// # Errors
/// A sentence for the user.
pub fn time(text: &str) -> Result<Timestamp, String> {
    Timestamp::parse(text).map_err(|error| format!("{error}; write it as in 2026-05-01T08:00:00Z"))
}

/// One parameter of an action: its name and its JSON value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// The name.
    pub name: String,
    /// A string, an integer, a truth value, or an object of value and unit.
    pub value: Value,
}

/// Reads `name=value` or `name=value:unit`.
///
/// `true` and `false` are truth values and whole numbers are integers, unless in double quotes; a decimal number
/// followed by a colon and a word has a unit; all else is text.
///
/// # Errors
/// A sentence for the user.
pub fn parameter(text: &str) -> Result<Parameter, String> {
    let (name, value) = text
        .split_once('=')
        .filter(|(name, _)| !name.is_empty())
        .ok_or_else(|| format!("{text:?} is not NAME=VALUE or NAME=VALUE:UNIT, such as amount=49.99:USD"))?;
    Ok(Parameter {
        name: name.to_owned(),
        value: parameter_value(value),
    })
}

fn parameter_value(text: &str) -> Value {
    if let Some(quoted) = text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
        return Value::from(quoted);
    }
    if let Some((number, unit)) = text.rsplit_once(':')
        && is_decimal(number)
        && unit.starts_with(|c: char| c.is_ascii_alphabetic() || c == '%')
    {
        return object! { "value": number, "unit": unit };
    }
    match text {
        "true" => Value::from(true),
        "false" => Value::from(false),
        _ => whole_number(text).unwrap_or_else(|| Value::from(text)),
    }
}

/// An integer in the one way of writing it that survives: no plus sign, no leading zeros.
fn whole_number(text: &str) -> Option<Value> {
    let number = text.parse::<i64>().ok().filter(|number| number.to_string() == text)?;
    Some(Value::from(number)).filter(|value| value.as_i64().is_some())
}

fn is_decimal(text: &str) -> bool {
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    match unsigned.split_once('.') {
        Some((whole, fraction)) => digits(whole) && digits(fraction),
        None => digits(unsigned),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn spans() {
        assert_eq!(span("90s"), Ok(90));
        assert_eq!(span("24h"), Ok(86_400));
        assert_eq!(span("7d"), Ok(604_800));
        for wrong in ["", "h", "24", "-1h", "0s", "1.5h", "99999999d", "5 m", "5ü"] {
            assert!(span(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn parameters() {
        let of = |text| parameter(text).map(|parameter| parameter.value);
        assert_eq!(of("amount=49.99:USD"), Ok(object! { "value": "49.99", "unit": "USD" }));
        assert_eq!(of("amount=-3:kg"), Ok(object! { "value": "-3", "unit": "kg" }));
        assert_eq!(of("level=3"), Ok(Value::from(3)));
        assert_eq!(of("level=03"), Ok(Value::from("03")));
        assert_eq!(of("level=\"3\""), Ok(Value::from("3")));
        assert_eq!(of("amount=49.99"), Ok(Value::from("49.99")));
        assert_eq!(of("urgent=true"), Ok(Value::from(true)));
        assert_eq!(of("at=10:30"), Ok(Value::from("10:30")));
        assert_eq!(of("who=did:key:z6Mk"), Ok(Value::from("did:key:z6Mk")));
        assert_eq!(of("equation=a=b"), Ok(Value::from("a=b")));
        assert_eq!(of("big=9007199254740993"), Ok(Value::from("9007199254740993")));
        assert!(parameter("=3").is_err());
        assert!(parameter("three").is_err());
    }
}
