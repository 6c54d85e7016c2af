//! Limits on what is done in a period of time: how often, and how much in all.
//!
//! Nothing is counted here. Verification says what an action would add to which counter
//! ([`crate::trust::Counted`]), and the verifier's store adds all of it, or refuses.

use std::fmt;

use super::range::{amount, unit};
use super::{Circumstances, Decimal, parameter_name, read_decimal};
use crate::denial::{DenialCode, Reason};
use crate::json::Object;
use crate::json::members::{MemberError, Members};
use crate::limits::{AMOUNT_FRACTION_DIGITS, AMOUNT_WHOLE_DIGITS, RATE_LIMIT};
use crate::time::Timestamp;

/// How long is counted before counting begins anew: aligned windows of UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Period {
    /// From second 0 of a minute.
    Minute,
    /// From minute 0 of an hour.
    Hour,
    /// From midnight.
    Day,
    /// From Monday, midnight.
    Week,
    /// From the first of a month, midnight.
    Month,
}

impl Period {
    /// Every period.
    pub const ALL: [Self; 5] = [Self::Minute, Self::Hour, Self::Day, Self::Week, Self::Month];

    /// The word in documents.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Minute => "minute",
            Self::Hour => "hour",
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
        }
    }

    /// When the window began that `now` lies in. Leap seconds are not counted, as everywhere.
    #[must_use]
    pub fn start(self, now: Timestamp) -> Timestamp {
        const DAY: i64 = 86_400;
        let seconds = now.unix_seconds();
        // 1 January 1970 was a Thursday; the Monday after it lies four days on.
        let aligned = |length: i64, from: i64| (seconds - from).div_euclid(length) * length + from;
        let start = match self {
            Self::Minute => aligned(60, 0),
            Self::Hour => aligned(3_600, 0),
            Self::Day => aligned(DAY, 0),
            Self::Week => aligned(7 * DAY, 4 * DAY),
            Self::Month => {
                let days = i64::from(jiff::tz::TimeZone::UTC.to_datetime(now.instant()).day()) - 1;
                aligned(DAY, 0) - days * DAY
            }
        };
        // Before the first moment that can be written there is nothing.
        Timestamp::from_unix_seconds(start).unwrap_or(now)
    }

    /// Whether every window of this period is made of whole windows of `other`.
    #[must_use]
    pub const fn is_made_of(self, other: Self) -> bool {
        match (self, other) {
            (Self::Week, Self::Month) | (Self::Month, Self::Week) => false,
            (longer, shorter) => longer as u8 >= shorter as u8,
        }
    }

    fn read(members: &Members<'_, '_>) -> Result<Self, MemberError> {
        let word = members.str("period")?;
        Self::ALL
            .into_iter()
            .find(|one| one.as_str() == word)
            .ok_or_else(|| members.error("period", "minute, hour, day, week or month"))
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// At most so many actions in a period.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// How many: 1 to 1,000,000,000.
    pub limit: u32,
    /// In which time.
    pub period: Period,
}

impl Rate {
    pub(super) fn read(members: &Members<'_, '_>) -> Result<Self, MemberError> {
        let limit = u32::try_from(members.integer("limit")?)
            .ok()
            .filter(|limit| (1..=RATE_LIMIT).contains(limit))
            .ok_or_else(|| members.error("limit", "1 to 1000000000"))?;
        Ok(Self {
            limit,
            period: Period::read(members)?,
        })
    }

    pub(super) fn write(self, object: &mut Object) {
        object.insert("limit", self.limit);
        object.insert("period", self.period.as_str());
    }
}

/// At most so much of a parameter in a period, over all actions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Budget {
    /// Name of the action's parameter: an amount, not negative.
    pub parameter: String,
    /// How much in all.
    pub limit: Decimal,
    /// The unit of both; `None`: they have none.
    pub unit: Option<String>,
    /// In which time.
    pub period: Period,
}

impl Budget {
    pub(super) fn read(members: &Members<'_, '_>) -> Result<Self, Reason> {
        let limit = read_decimal(members.required("limit")?, &members.at("limit"))?;
        if fixed(&limit).is_none() {
            let expected = "an amount that is not negative, of at most 18 digits and 18 decimals";
            return Err(members.error("limit", expected).into());
        }
        Ok(Self {
            parameter: parameter_name(members)?,
            limit,
            unit: unit(members)?,
            period: Period::read(members)?,
        })
    }

    pub(super) fn write(&self, object: &mut Object) {
        object.insert("parameter", self.parameter.as_str());
        object.insert("limit", self.limit.as_str());
        if let Some(unit) = &self.unit {
            object.insert("unit", unit.as_str());
        }
        object.insert("period", self.period.as_str());
    }

    /// The limit, as it is counted.
    pub(super) fn limit(&self) -> u128 {
        fixed(&self.limit).unwrap_or(0) // one that cannot be counted allows nothing
    }

    /// What the action adds, as it is counted.
    pub(super) fn amount(&self, circumstances: &Circumstances<'_>) -> Result<u128, Reason> {
        let parameter = self.parameter.as_str();
        let (given, amount) = amount(circumstances, parameter, self.unit.as_deref())?;
        fixed(&amount).ok_or_else(|| {
            let text = format!(
                "{parameter} is {given}: a budget counts amounts that are not negative, of at most 18 digits and 18 decimals"
            );
            circumstances.reason(DenialCode::ParameterMalformed, parameter, text)
        })
    }
}

/// The number in units of 10^-18; `None` if it is negative, larger than counters hold, or finer.
pub(super) fn fixed(number: &Decimal) -> Option<u128> {
    let (negative, whole, fraction) = number.parts();
    if negative || whole.len() > AMOUNT_WHOLE_DIGITS || fraction.len() > AMOUNT_FRACTION_DIGITS {
        return None;
    }
    format!("{whole}{fraction:0<AMOUNT_FRACTION_DIGITS$}").parse().ok()
}
