use std::fmt;

use jiff::{Timestamp, tz::TimeZone};
use serde::{Deserialize, Serialize};

/// A moment in UTC, in milliseconds since the Unix epoch.
///
/// Formatted and parsed as RFC 3339 (`2026-01-13T10:51:00Z`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Time(i64);

/// The text is not an RFC 3339 moment in the years 0001 to 9999.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a moment like 2026-01-13T10:51:00Z")]
pub struct TimeError(pub String);

/// A civil day in the time zone of a market, in days since 1970-01-01.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Day(pub i32);

/// An hour of UTC, in hours since the Unix epoch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hour(pub i32);

const MS_MIN: i64 = -62_135_596_800_000;
const MS_MAX: i64 = 253_402_300_799_999;
const MS_PER_DAY: i64 = 86_400_000;

impl Time {
    /// Milliseconds per second.
    pub const SECOND_MS: i64 = 1_000;
    /// Milliseconds per hour.
    pub const HOUR_MS: i64 = 3_600_000;
    /// Milliseconds per day.
    pub const DAY_MS: i64 = MS_PER_DAY;

    /// The moment `ms` milliseconds after the Unix epoch, clamped to the years 0001 to 9999.
    #[must_use]
    pub fn from_ms(ms: i64) -> Self {
        Self(ms.clamp(MS_MIN, MS_MAX))
    }

    /// Like [`Time::from_ms`], for constants. Does not clamp: `ms` must be in range.
    pub(crate) const fn from_known_ms(ms: i64) -> Self {
        Self(ms)
    }

    /// Milliseconds since the Unix epoch.
    #[must_use]
    pub fn ms(self) -> i64 {
        self.0
    }

    /// This moment moved by `ms` milliseconds (negative: earlier), clamped like [`Time::from_ms`].
    #[must_use]
    pub fn plus_ms(self, ms: i64) -> Self {
        Self::from_ms(self.0.saturating_add(ms))
    }

    /// Parses RFC 3339, with an offset or `Z`. Fractions finer than a millisecond are truncated.
    ///
    /// # Errors
    /// If the text is anything else.
    pub fn parse(text: &str) -> Result<Self, TimeError> {
        let parsed: Timestamp = text.trim().parse().map_err(|_| TimeError(text.to_owned()))?;
        Ok(Self::from_ms(parsed.as_millisecond()))
    }

    /// Parses RFC 3339, or a date, which means its midnight in UTC.
    ///
    /// # Errors
    /// If the text is anything else.
    pub fn parse_moment(text: &str) -> Result<Self, TimeError> {
        Self::parse(text).or_else(|error| Self::parse(&format!("{}T00:00:00Z", text.trim())).map_err(|_| error))
    }

    /// The civil day of this moment in `zone`.
    #[must_use]
    pub fn day_in(self, zone: &TimeZone) -> Day {
        let offset_s = i64::from(zone.to_offset(self.timestamp()).seconds());
        let local_ms = self.0 + offset_s * Self::SECOND_MS;
        Day(i32::try_from(local_ms.div_euclid(MS_PER_DAY)).unwrap_or(i32::MAX))
    }

    /// The UTC hour that contains this moment.
    #[must_use]
    pub fn hour(self) -> Hour {
        Hour(i32::try_from(self.0.div_euclid(Self::HOUR_MS)).unwrap_or(i32::MAX))
    }

    /// Converts to a jiff timestamp.
    #[must_use]
    pub fn timestamp(self) -> Timestamp {
        Timestamp::from_millisecond(self.0).unwrap_or(Timestamp::UNIX_EPOCH)
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.timestamp())
    }
}

impl Day {
    /// The day of a civil date.
    #[must_use]
    pub fn from_date(date: jiff::civil::Date) -> Self {
        let epoch = jiff::civil::date(1970, 1, 1);
        Self((date - epoch).get_days())
    }

    /// The civil date of this day, clamped to the range of jiff.
    #[must_use]
    pub fn date(self) -> jiff::civil::Date {
        let epoch = jiff::civil::date(1970, 1, 1);
        epoch.saturating_add(jiff::Span::new().days(self.0.clamp(-700_000, 2_900_000)))
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.date())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_begins_at_local_midnight() {
        let zone = TimeZone::get("America/Chicago").unwrap();
        let before = Time::parse("2026-01-14T05:59:59Z").unwrap();
        let after = Time::parse("2026-01-14T06:00:00Z").unwrap();
        assert_eq!(before.day_in(&zone).to_string(), "2026-01-13");
        assert_eq!(after.day_in(&zone).to_string(), "2026-01-14");
    }

    #[test]
    fn days_before_the_epoch_count_down() {
        assert_eq!(Time::parse("1969-12-31T23:00:00Z").unwrap().day_in(&TimeZone::UTC), Day(-1));
        assert_eq!(Day(-1).to_string(), "1969-12-31");
    }

    #[test]
    fn a_time_round_trips_as_text() {
        let time = Time::parse("2026-01-13T10:51:00.125Z").unwrap();
        assert_eq!(Time::parse(&time.to_string()).unwrap(), time);
        assert!(Time::parse("2026-01-13").is_err());
    }
}
