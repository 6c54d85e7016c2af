//! When a capability may be used: days of the week, a window of the day, a time zone.

use jiff::civil::Weekday;
use jiff::tz::{TimeZone, TimeZoneDatabase};

use crate::denial::Reason;
use crate::json::Value;
use crate::json::members::{MemberError, Members};
use crate::time::Timestamp;

/// A weekly window in local time.
///
/// The window opens at `from` and closes before `to`, read on a clock on the wall of the
/// time zone. `to` earlier than `from` spans midnight, and `days` then names the days on
/// which it opens. When clocks are set back the repeated hour counts both times; an hour
/// that is skipped counts not at all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hours {
    days: Days,
    from: Minute,
    to: Minute,
    zone_name: String,
    zone: TimeZone,
}

/// A set of weekdays; bit 0 is Monday.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Days(u8);

/// Minutes since midnight, 0 to 1440.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Minute(u16);

const DAY_NAMES: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
const DAY_END: Minute = Minute(24 * 60);

impl Hours {
    /// Every day, all day (UTC): 24/7.
    #[must_use]
    pub fn always() -> Self {
        Self {
            days: Days(0b111_1111),
            from: Minute(0),
            to: DAY_END,
            zone_name: "UTC".to_owned(),
            zone: TimeZone::UTC,
        }
    }

    /// A window.
    ///
    /// # Errors
    /// Names the member that is wrong: days other than `mon` to `sun` or twice, times other than
    /// `HH:MM` (`24:00` only as the end), an empty window, an unknown IANA time zone.
    pub fn new(days: &[&str], from: &str, to: &str, time_zone: &str) -> Result<Self, MemberError> {
        let value = crate::object! {
            "days": days.iter().copied().collect::<Value>(), "from": from, "to": to, "timeZone": time_zone,
        };
        Self::read(&Members::of(&value, "")?).map_err(|reason| MemberError {
            path: reason.at,
            expected: "days of mon to sun, times HH:MM that differ, and an IANA time zone",
        })
    }

    /// Reads the members of an `hours` constraint, `type` aside.
    pub(super) fn read(members: &Members<'_, '_>) -> Result<Self, Reason> {
        let mut days = Days(0);
        for (index, day) in members.array("days")?.iter().enumerate() {
            let bit = day
                .as_str()
                .and_then(|name| DAY_NAMES.iter().position(|known| *known == name))
                .map(|position| 1_u8 << position)
                .filter(|bit| days.0 & bit == 0);
            let Some(bit) = bit else {
                return Err(members
                    .at("days")
                    .item(index)
                    .error("one of mon, tue, wed, thu, fri, sat, sun, each once")
                    .into());
            };
            days.0 |= bit;
        }
        if days.0 == 0 {
            return Err(members.error("days", "at least one day").into());
        }
        let from = Minute::parse(members.str("from")?)
            .filter(|minute| *minute < DAY_END)
            .ok_or_else(|| members.error("from", "a time of day HH:MM, 00:00 to 23:59"))?;
        let to = Minute::parse(members.str("to")?)
            .filter(|minute| *minute != from && *minute > Minute(0))
            .ok_or_else(|| members.error("to", "a time of day HH:MM, 00:01 to 24:00, other than `from`"))?;
        let zone_name = members.str("timeZone")?;
        let zone = TimeZoneDatabase::bundled()
            .get(zone_name)
            .ok()
            .filter(|zone| !zone.is_unknown())
            .ok_or_else(|| members.error("timeZone", "an IANA time zone, such as Europe/Amsterdam or UTC"))?;
        Ok(Self {
            days,
            from,
            to,
            zone_name: zone_name.to_owned(),
            zone,
        })
    }

    pub(super) fn write(&self, object: &mut crate::json::Object) {
        object.insert("days", self.days.names().collect::<Value>());
        object.insert("from", self.from.to_string());
        object.insert("to", self.to.to_string());
        object.insert("timeZone", self.zone_name.as_str());
    }

    /// Whether the window is open at `now`.
    #[must_use]
    pub fn contains(&self, now: Timestamp) -> bool {
        let local = self.zone.to_datetime(now.instant());
        let minute = Minute(u16::from(local.hour().unsigned_abs()) * 60 + u16::from(local.minute().unsigned_abs()));
        self.is_open(local.weekday(), minute)
    }

    fn is_open(&self, today: Weekday, minute: Minute) -> bool {
        if self.from < self.to {
            self.days.contains(today) && self.from <= minute && minute < self.to
        } else {
            (self.days.contains(today) && self.from <= minute)
                || (self.days.contains(today.previous()) && minute < self.to)
        }
    }

    /// Whether `other` is open whenever this one is. Two zones are compared by name only, so that
    /// no change of their rules makes a difference; a week without a gap is one in every zone.
    pub(super) fn is_within(&self, other: &Self) -> bool {
        // Within a day, windows open and close at these minutes only.
        let edges = [Minute(0), self.from, self.to, other.from, other.to];
        let week = || Weekday::Monday.cycle_forward().take(DAY_NAMES.len());
        let at_edges = |holds: &dyn Fn(Weekday, Minute) -> bool| {
            week().all(|day| {
                edges
                    .iter()
                    .filter(|edge| **edge < DAY_END)
                    .all(|edge| holds(day, *edge))
            })
        };
        at_edges(&|day, minute| other.is_open(day, minute))
            || self.zone_name == other.zone_name
                && at_edges(&|day, minute| !self.is_open(day, minute) || other.is_open(day, minute))
    }
}

/// For people: `mon tue wed thu fri 08:00-18:00 Europe/Amsterdam`.
impl std::fmt::Display for Hours {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for name in self.days.names() {
            write!(f, "{name} ")?;
        }
        write!(f, "{}-{} {}", self.from, self.to, self.zone_name)
    }
}

impl Days {
    fn contains(self, day: Weekday) -> bool {
        self.0 >> day.to_monday_zero_offset().unsigned_abs() & 1 == 1
    }

    fn names(self) -> impl Iterator<Item = &'static str> {
        DAY_NAMES
            .into_iter()
            .enumerate()
            .filter(move |(bit, _)| self.0 >> bit & 1 == 1)
            .map(|(_, name)| name)
    }
}

impl Minute {
    /// `HH:MM`, 00:00 to 24:00.
    fn parse(text: &str) -> Option<Self> {
        let &[h1, h2, b':', m1, m2] = text.as_bytes() else {
            return None;
        };
        let two = |tens: u8, ones: u8| {
            (tens.is_ascii_digit() && ones.is_ascii_digit())
                .then(|| u16::from(tens - b'0') * 10 + u16::from(ones - b'0'))
        };
        let (hour, minute) = (two(h1, h2)?, two(m1, m2)?);
        let total = Self(hour * 60 + minute);
        (minute < 60 && total <= DAY_END).then_some(total)
    }
}

impl std::fmt::Display for Minute {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:02}:{:02}", self.0 / 60, self.0 % 60)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const WORKDAYS: &[&str] = &["mon", "tue", "wed", "thu", "fri"];

    fn open(hours: &Hours, at: &str) -> bool {
        hours.contains(Timestamp::parse(at).unwrap())
    }

    #[test]
    fn a_day_window_is_half_open_and_local() {
        let hours = Hours::new(WORKDAYS, "08:00", "18:00", "Europe/Amsterdam").unwrap();
        // 2026-11-23 is a Monday; Amsterdam is at +01:00.
        assert!(!open(&hours, "2026-11-23T06:59:59Z"));
        assert!(open(&hours, "2026-11-23T07:00:00Z"));
        assert!(open(&hours, "2026-11-23T16:59:59Z"));
        assert!(!open(&hours, "2026-11-23T17:00:00Z"));
        assert!(!open(&hours, "2026-11-22T10:00:00Z"), "Sunday");
        // In July Amsterdam is at +02:00.
        assert!(open(&hours, "2026-07-06T06:00:00Z"));
        assert!(!open(&hours, "2026-07-06T16:00:00Z"));
    }

    #[test]
    fn an_overnight_window_belongs_to_the_day_it_opens() {
        let hours = Hours::new(&["fri"], "22:00", "06:00", "UTC").unwrap();
        assert!(!open(&hours, "2026-11-27T21:59:59Z"));
        assert!(open(&hours, "2026-11-27T22:00:00Z"), "Friday night");
        assert!(open(&hours, "2026-11-28T05:59:59Z"), "Saturday before six");
        assert!(!open(&hours, "2026-11-28T06:00:00Z"));
        assert!(
            !open(&hours, "2026-11-27T05:00:00Z"),
            "Friday morning belongs to Thursday"
        );
        assert!(!open(&hours, "2026-11-28T23:00:00Z"), "Saturday night");
    }

    #[test]
    fn clock_changes_follow_the_wall() {
        // 2026-10-25: 03:00 CEST becomes 02:00 CET, so 02:30 comes twice.
        let hours = Hours::new(&["sun"], "02:00", "03:00", "Europe/Amsterdam").unwrap();
        assert!(open(&hours, "2026-10-25T00:30:00Z"), "first 02:30");
        assert!(open(&hours, "2026-10-25T01:30:00Z"), "second 02:30");
        assert!(!open(&hours, "2026-10-25T02:00:00Z"), "03:00");
        // 2026-03-29: 02:00 CET becomes 03:00 CEST, so 02:30 never comes.
        assert!(!open(&hours, "2026-03-29T00:59:59Z"), "01:59:59");
        assert!(!open(&hours, "2026-03-29T01:00:00Z"), "03:00");
    }

    #[test]
    fn always_is_always() {
        for at in ["2026-01-01T00:00:00Z", "2026-11-28T23:59:59Z", "2026-03-29T01:00:00Z"] {
            assert!(open(&Hours::always(), at));
        }
    }

    #[test]
    fn what_is_not_a_window_is_refused() {
        let wrong = |days: &[&str], from, to, zone| Hours::new(days, from, to, zone).unwrap_err().path;
        assert_eq!(wrong(&[], "08:00", "18:00", "UTC"), "/days");
        assert_eq!(wrong(&["mon", "mon"], "08:00", "18:00", "UTC"), "/days/1");
        assert_eq!(wrong(&["Mon"], "08:00", "18:00", "UTC"), "/days/0");
        assert_eq!(wrong(&["mon"], "8:00", "18:00", "UTC"), "/from");
        assert_eq!(wrong(&["mon"], "24:00", "18:00", "UTC"), "/from");
        assert_eq!(wrong(&["mon"], "08:60", "18:00", "UTC"), "/from");
        assert_eq!(wrong(&["mon"], "08:00", "08:00", "UTC"), "/to");
        assert_eq!(wrong(&["mon"], "08:00", "00:00", "UTC"), "/to");
        assert_eq!(wrong(&["mon"], "08:00", "24:01", "UTC"), "/to");
        assert_eq!(wrong(&["mon"], "08:00", "18:00", "Europe/Atlantis"), "/timeZone");
        assert_eq!(wrong(&["mon"], "08:00", "18:00", "Etc/Unknown"), "/timeZone");
        assert_eq!(wrong(&["mon"], "08:00", "18:00", "+01:00"), "/timeZone");
    }
}
