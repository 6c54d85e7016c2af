//! Section 2.4, constraint by constraint.

use jiff::civil::Weekday;
use jiff::tz::{TimeZone, TimeZoneDatabase};
use serde_json::Value;

/// Seconds since 1970 of a time as documents write it.
pub fn instant(text: &str) -> i64 {
    text.parse::<jiff::Timestamp>().unwrap().as_second()
}

/// A decimal number in units of 10^-18: every number of these tests fits.
pub fn decimal(value: &Value) -> Option<i128> {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.as_i64()?.to_string(),
        _ => return None,
    };
    let digits = text.strip_prefix('-').unwrap_or(&text);
    let (whole, fraction) = match digits.split_once('.') {
        Some((_, "")) => return None,
        Some(parts) => parts,
        None => (digits, ""),
    };
    let plain = |part: &str| part.chars().all(|one| one.is_ascii_digit());
    if whole.is_empty() || !plain(whole) || !plain(fraction) || whole.len() > 1 && whole.starts_with('0') {
        return None;
    }
    let size: i128 = format!("{whole}{fraction:0<18}").parse().unwrap();
    Some(if text.starts_with('-') { -size } else { size })
}

/// The number that a limit with this unit compares, or why there is none.
fn number(parameter: &Value, unit: &Value) -> Result<i128, &'static str> {
    let (value, given) = match parameter {
        Value::Object(measure) => (&measure["value"], &measure["unit"]),
        plain => (plain, &Value::Null),
    };
    let number = decimal(value).ok_or("parameter-malformed")?;
    if given == unit {
        Ok(number)
    } else {
        Err("unit-mismatch")
    }
}

fn one(parameter: &Value) -> Result<&Value, &'static str> {
    match parameter {
        Value::Object(_) => Err("unit-mismatch"),
        Value::Array(_) => Err("parameter-malformed"),
        plain => Ok(plain),
    }
}

fn within(value: &Value, list: &Value) -> bool {
    list.as_array().unwrap().contains(value)
}

/// Whether text follows a prefix (2.4, Prefix).
pub fn follows(text: &str, prefix: &str) -> bool {
    if !text.starts_with(prefix) {
        return false;
    }
    let kept = prefix.matches('/').count();
    let segments: Vec<&str> = text.split('/').skip(kept).collect();
    segments.iter().enumerate().all(|(index, segment)| {
        let plain = segment
            .chars()
            .all(|one| one.is_ascii_alphanumeric() || "_.~:@-".contains(one));
        let last = index + 1 == segments.len();
        plain && *segment != "." && *segment != ".." && (last || !segment.is_empty())
    })
}

/// The minutes of a week, from Monday midnight on, at which a window is open.
pub fn open_week(hours: &Value) -> Vec<bool> {
    const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
    let minutes = |name: &str| {
        let (hour, minute) = hours[name].as_str().unwrap().split_once(':').unwrap();
        60 * hour.parse::<usize>().unwrap() + minute.parse::<usize>().unwrap()
    };
    let (from, to) = (minutes("from"), minutes("to"));
    let length = if to > from { to - from } else { to + 1440 - from };
    let mut week = vec![false; 7 * 1440];
    for (day, name) in DAYS.iter().enumerate() {
        if within(&(*name).into(), &hours["days"]) {
            (0..length).for_each(|minute| week[(1440 * day + from + minute) % (7 * 1440)] = true);
        }
    }
    week
}

/// `Err`: the code.
pub fn check(constraint: &Value, action: &Value, audience: &str, now: i64) -> Result<(), &'static str> {
    let kind = constraint["type"].as_str().unwrap();
    let parameter = || {
        let name = constraint["parameter"].as_str().unwrap();
        action["parameters"].get(name).ok_or("parameter-missing")
    };
    let unless = |holds: bool, code: &'static str| if holds { Ok(()) } else { Err(code) };
    match kind {
        "exact" => unless(*one(parameter()?)? == constraint["value"], "value-not-exact"),
        "oneOf" => unless(within(one(parameter()?)?, &constraint["values"]), "value-not-listed"),
        "notOneOf" => unless(!within(one(parameter()?)?, &constraint["values"]), "value-excluded"),
        "contains" => {
            let list = parameter()?;
            list.as_array().ok_or("parameter-malformed")?;
            let needed = constraint["values"].as_array().unwrap();
            unless(needed.iter().all(|value| within(value, list)), "value-lacking")
        }
        "subset" => {
            let list = parameter()?.as_array().ok_or("parameter-malformed")?;
            unless(
                list.iter().all(|value| within(value, &constraint["values"])),
                "value-not-subset",
            )
        }
        "prefix" => {
            let text = one(parameter()?)?.as_str().ok_or("parameter-malformed")?;
            unless(
                follows(text, constraint["value"].as_str().unwrap()),
                "value-prefix-wrong",
            )
        }
        "range" => {
            let number = number(parameter()?, &constraint["unit"])?;
            let low = decimal(&constraint["minimum"]).is_none_or(|minimum| minimum <= number);
            let high = decimal(&constraint["maximum"]).is_none_or(|maximum| number <= maximum);
            unless(low && high, "value-out-of-range")
        }
        "hours" => {
            let zone = TimeZoneDatabase::bundled()
                .get(constraint["timeZone"].as_str().unwrap())
                .unwrap();
            let local = zone.to_datetime(jiff::Timestamp::from_second(now).unwrap());
            let weekday = usize::try_from(local.weekday().to_monday_zero_offset()).unwrap();
            let minute = usize::try_from(60 * i64::from(local.hour()) + i64::from(local.minute())).unwrap();
            unless(open_week(constraint)[1440 * weekday + minute], "outside-hours")
        }
        "audience" => unless(within(&audience.into(), &constraint["allowed"]), "audience-not-allowed"),
        "purpose" => unless(
            within(&action["purpose"], &constraint["allowed"]),
            "purpose-not-allowed",
        ),
        "rate" => Ok(()),
        "budget" => {
            let number = number(parameter()?, &constraint["unit"])?;
            unless(number >= 0, "parameter-malformed")
        }
        _ => {
            if constraint["parameter"].is_null() {
                return Err("approval-required");
            }
            unless(!within(one(parameter()?)?, &constraint["values"]), "approval-required")
        }
    }
}

/// What a `rate` or `budget` adds, and its limit.
pub fn counted(constraint: &Value, action: &Value) -> (i128, i128) {
    if constraint["type"] == "rate" {
        return (1, constraint["limit"].as_i64().unwrap().into());
    }
    let parameter = &action["parameters"][constraint["parameter"].as_str().unwrap()];
    (
        number(parameter, &constraint["unit"]).unwrap(),
        decimal(&constraint["limit"]).unwrap(),
    )
}

/// When the window of a period began.
pub fn window(period: &str, now: i64) -> i64 {
    let utc = TimeZone::UTC.to_datetime(jiff::Timestamp::from_second(now).unwrap());
    let today = utc.date();
    let begun = match period {
        "minute" => return now - i64::from(utc.second()),
        "hour" => return now - i64::from(utc.second()) - 60 * i64::from(utc.minute()),
        "day" => today,
        "week" if today.weekday() == Weekday::Monday => today,
        "week" => today.nth_weekday(-1, Weekday::Monday).unwrap(),
        _ => today.first_of_month(),
    };
    TimeZone::UTC.to_timestamp(begun.at(0, 0, 0, 0)).unwrap().as_second()
}
