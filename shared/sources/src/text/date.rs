use jiff::civil::DateTime;
use jiff::fmt::strtime::{self, BrokenDownTime};
use jiff::tz::TimeZone;
use stoop_domain::{Time, parse_decimal};

/// One way in which a date may be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DateFormat {
    /// `2026-01-13T10:51:00Z`: with an offset or `Z`, nothing less.
    Rfc3339,
    /// `2026-01-13`, `2026-01-13 10:51`, `2026-01-13T10:51:00.5+01:00`: a zone only where written.
    Iso,
    /// Milliseconds since 1970.
    EpochMs,
    /// Seconds since 1970.
    EpochS,
    /// A format of strptime, such as `%Y-%m-%dT%H-%M`.
    Strptime(Box<str>),
}

/// A text that is no date in the format asked for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is no date like {wanted}")]
pub struct DateTextError {
    /// What was read.
    pub text: String,
    /// What would be understood.
    pub wanted: String,
}

impl DateFormat {
    /// Reads a format's name: `rfc3339`, `iso`, `epoch_ms`, `epoch_s`, or a format of strptime.
    ///
    /// # Errors
    /// Says what is wrong with it.
    pub fn parse(name: &str) -> Result<Self, String> {
        Ok(match name {
            "rfc3339" => Self::Rfc3339,
            "iso" => Self::Iso,
            "epoch_ms" => Self::EpochMs,
            "epoch_s" => Self::EpochS,
            format if format.contains('%') => {
                // Writing a known moment with the format is the one way to learn that it is well formed.
                let known = jiff::Timestamp::UNIX_EPOCH.to_zoned(TimeZone::UTC);
                strtime::format(format, &known).map_err(|error| error.to_string())?;
                Self::Strptime(format.into())
            }
            _ => return Err("is none of rfc3339, iso, epoch_ms, epoch_s and holds no % of strptime".to_owned()),
        })
    }

    /// Reads a date. What is written without a zone is a civil time in `zone`; a date alone is its
    /// midnight there.
    ///
    /// # Errors
    /// When it is not written in this format.
    pub fn read(&self, text: &str, zone: &TimeZone) -> Result<Time, DateTextError> {
        let found = match self {
            // Rows come by the million: this is jiff's grammar without its generality.
            Self::Rfc3339 => match split_iso(text.as_bytes()) {
                Some((civil_ms, Some(offset_ms))) if text.len() > "2026-01-13T".len() => in_range(civil_ms - offset_ms),
                _ => None,
            },
            Self::Iso => return parse_iso(text, zone),
            Self::EpochMs => parse_decimal(text, 0).ok().and_then(in_range),
            Self::EpochS => parse_decimal(text, 3).ok().and_then(in_range),
            Self::Strptime(format) => strtime::parse(&**format, text).ok().and_then(|broken| moment(&broken, zone)),
        };
        found.ok_or_else(|| DateTextError {
            text: text.chars().take(80).collect(),
            wanted: match self {
                Self::Rfc3339 => "2026-01-13T10:51:00Z".to_owned(),
                Self::Iso => "2026-01-13T10:51:00".to_owned(),
                Self::EpochMs => "1768301460000 (milliseconds since 1970)".to_owned(),
                Self::EpochS => "1768301460 (seconds since 1970)".to_owned(),
                Self::Strptime(format) => format.to_string(),
            },
        })
    }
}

fn moment(broken: &BrokenDownTime, zone: &TimeZone) -> Option<Time> {
    if broken.offset().is_some() || broken.timestamp().is_some() {
        return broken.to_timestamp().ok().map(|t| Time::from_ms(t.as_millisecond()));
    }
    let date = broken.to_date().ok()?;
    // An hour without minutes is a whole hour; no hour at all is midnight.
    let (hour, minute, second) =
        (broken.hour().unwrap_or(0), broken.minute().unwrap_or(0), broken.second().unwrap_or(0));
    let nanosecond = broken.subsec_nanosecond().unwrap_or(0);
    let time = broken.to_time().ok().or_else(|| jiff::civil::Time::new(hour, minute, second, nanosecond).ok())?;
    in_zone(date.to_datetime(time), zone)
}

fn in_zone(civil: DateTime, zone: &TimeZone) -> Option<Time> {
    zone.to_timestamp(civil).ok().map(|t| Time::from_ms(t.as_millisecond()))
}

/// A count of milliseconds that lies in the years 0001 to 9999; one that does not is no date.
fn in_range(ms: i64) -> Option<Time> {
    let time = Time::from_ms(ms);
    (time.ms() == ms).then_some(time)
}

/// Reads an ISO 8601 date with or without time, fraction and zone; `T` or a space between them.
/// Without a zone it is a civil time in `zone`. Fractions finer than a millisecond are cut off.
///
/// # Errors
/// When it is anything else.
pub fn parse_iso(text: &str, zone: &TimeZone) -> Result<Time, DateTextError> {
    let bad = || DateTextError { text: text.chars().take(80).collect(), wanted: "2026-01-13T10:51:00".to_owned() };
    let (civil_ms, offset_ms) = split_iso(text.trim().as_bytes()).ok_or_else(bad)?;
    match offset_ms {
        Some(offset_ms) => in_range(civil_ms - offset_ms),
        None if *zone == TimeZone::UTC => in_range(civil_ms),
        None => in_zone(Time::from_ms(civil_ms).timestamp().to_zoned(TimeZone::UTC).datetime(), zone),
    }
    .ok_or_else(bad)
}

/// The civil time as if it were UTC, in milliseconds, and the offset where one is written.
fn split_iso(text: &[u8]) -> Option<(i64, Option<i64>)> {
    let (year, rest) = number(text, 4)?;
    let (month, rest) = number(rest.strip_prefix(b"-")?, 2)?;
    let (day, mut rest) = number(rest.strip_prefix(b"-")?, 2)?;
    let day_of_epoch = days(year, month, day)?;
    let mut ms_of_day = 0;
    if let Some(after) = rest.strip_prefix(b"T").or_else(|| rest.strip_prefix(b" ")).or_else(|| rest.strip_prefix(b"t"))
    {
        let (hour, after) = number(after, 2)?;
        let (minute, after) = number(after.strip_prefix(b":")?, 2)?;
        let (second, after) = match after.strip_prefix(b":") {
            Some(after) => number(after, 2)?,
            None => (0, after),
        };
        // A leap second is counted as the second before it, as everybody does.
        if hour > 23 || minute > 59 || second > 60 {
            return None;
        }
        let (fraction_ms, after) = match after.strip_prefix(b".").or_else(|| after.strip_prefix(b",")) {
            Some(after) => fraction(after)?,
            None => (0, after),
        };
        ms_of_day = ((hour * 60 + minute) * 60 + second.min(59)) * 1_000 + fraction_ms;
        rest = after;
    }
    Some((day_of_epoch * Time::DAY_MS + ms_of_day, offset(rest.trim_ascii_start())?))
}

/// `Some(None)` where no offset is written, `None` where it cannot be read.
#[expect(clippy::option_option, reason = "no offset, no readable offset, an offset: three answers")]
fn offset(text: &[u8]) -> Option<Option<i64>> {
    let (sign, rest) = match text {
        [] => return Some(None),
        b"Z" | b"z" | b"UTC" => return Some(Some(0)),
        [b'+', rest @ ..] => (1, rest),
        [b'-', rest @ ..] => (-1, rest),
        _ => return None,
    };
    let (hours, rest) = number(rest, 2)?;
    let (minutes, rest) = match rest {
        [] => (0, rest),
        _ => number(rest.strip_prefix(b":").unwrap_or(rest), 2)?,
    };
    (rest.is_empty() && hours < 24 && minutes < 60).then(|| Some(sign * (hours * 60 + minutes) * 60_000))
}

fn number(text: &[u8], digits: usize) -> Option<(i64, &[u8])> {
    let (head, rest) = text.split_at_checked(digits)?;
    let mut value = 0;
    for byte in head {
        value = value * 10 + i64::from(byte.checked_sub(b'0').filter(|d| *d <= 9)?);
    }
    Some((value, rest))
}

fn fraction(text: &[u8]) -> Option<(i64, &[u8])> {
    let len = text.iter().take_while(|b| b.is_ascii_digit()).count();
    let (digits, rest) = text.split_at(len);
    let ms = (0..3).fold(0, |ms, i| ms * 10 + digits.get(i).map_or(0, |b| i64::from(b - b'0')));
    (len > 0).then_some((ms, rest))
}

/// Days since 1970-01-01 in the proleptic Gregorian calendar (Hinnant's `days_from_civil`).
fn days(year: i64, month: i64, day: i64) -> Option<i64> {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let last = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 => 28 + i64::from(leap),
        _ => return None,
    };
    if year < 1 || !(1..=last).contains(&day) {
        return None;
    }
    let y = if month <= 2 { year - 1 } else { year };
    let (era, month_from_march) = (y.div_euclid(400), (month + 9) % 12);
    let year_of_era = y - era * 400;
    let day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
    Some(era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn iso(text: &str, zone: &str) -> Option<String> {
        parse_iso(text, &TimeZone::get(zone).unwrap()).ok().map(|t| t.to_string())
    }

    #[test]
    fn iso_dates_are_read_with_and_without_zone() {
        assert_eq!(iso("2026-01-13T10:50:17.340876", "UTC").as_deref(), Some("2026-01-13T10:50:17.34Z"));
        assert_eq!(iso("2025-11-25 00:16:12", "Africa/Casablanca").as_deref(), Some("2025-11-24T23:16:12Z"));
        assert_eq!(iso("2025-11-24T22:59:18.000Z", "Africa/Casablanca").as_deref(), Some("2025-11-24T22:59:18Z"));
        assert_eq!(iso("2024-08-02", "America/Chicago").as_deref(), Some("2024-08-02T05:00:00Z"));
        assert_eq!(iso("2024-08-02 10:11 +02:00", "UTC").as_deref(), Some("2024-08-02T08:11:00Z"));
        assert_eq!(iso("2024-08-02T10:11:12-0430", "UTC").as_deref(), Some("2024-08-02T14:41:12Z"));
    }

    #[test]
    fn what_is_no_date_is_refused() {
        for text in [
            "",
            "2026",
            "2026-13-01",
            "2026-02-29",
            "2026-01-13T25:00",
            "2026-01-13X",
            "0000-01-01",
            "2026-01-13T10:00+99",
        ] {
            assert_eq!(iso(text, "UTC"), None, "{text}");
        }
    }

    #[test]
    fn other_formats_are_named() {
        let utc = TimeZone::UTC;
        let read = |name: &str, text: &str| {
            DateFormat::parse(name).unwrap().read(text, &utc).map(|t| t.to_string()).map_err(|e| e.to_string())
        };
        assert_eq!(read("%Y-%m-%dT%H-%M", "2024-11-30T14-44").as_deref(), Ok("2024-11-30T14:44:00Z"));
        assert_eq!(read("%Y-%m-%d", "2024-11-14").as_deref(), Ok("2024-11-14T00:00:00Z"));
        assert_eq!(read("%Y%m%dT%H%M%S", "20141013T000000").as_deref(), Ok("2014-10-13T00:00:00Z"));
        assert_eq!(read("%d.%m.%Y %H:%M %z", "13.10.2014 02:00 +0200").as_deref(), Ok("2014-10-13T00:00:00Z"));
        assert_eq!(read("epoch_ms", "1722470400000").as_deref(), Ok("2024-08-01T00:00:00Z"));
        assert_eq!(read("epoch_ms", "-94694400000").as_deref(), Ok("1967-01-01T00:00:00Z"));
        assert_eq!(read("epoch_s", "1722470400").as_deref(), Ok("2024-08-01T00:00:00Z"));
        assert_eq!(read("rfc3339", "2024-08-01T00:00:00Z").as_deref(), Ok("2024-08-01T00:00:00Z"));
        assert_eq!(read("rfc3339", "2024-08-01T02:00:00.5+02:00").as_deref(), Ok("2024-08-01T00:00:00.5Z"));
        for text in ["2024-08-01", "2024-08-01Z", "2024-08-01T10:00:00", "soon"] {
            assert!(read("rfc3339", text).is_err(), "{text}");
        }
        assert!(read("epoch_ms", "999999999999999999").is_err());
        assert_eq!(read("%Y", "x").unwrap_err(), "\"x\" is no date like %Y");
    }

    #[test]
    fn a_format_that_is_none_is_found_before_the_first_row() {
        assert!(DateFormat::parse("%Y-%Q-%!").is_err());
        assert!(DateFormat::parse("yyyy-mm-dd").is_err());
    }

    proptest! {
        #[test]
        fn our_days_are_jiffs(ms in -62_135_596_800_000_i64..253_402_300_799_999) {
            let time = Time::from_ms(ms);
            prop_assert_eq!(parse_iso(&time.to_string(), &TimeZone::UTC), Ok(time));
        }

        #[test]
        fn any_text_is_read_or_refused(text in "\\PC*") {
            drop(parse_iso(&text, &TimeZone::UTC));
            drop(crate::text::parse_money(&text, crate::text::NumberStyle::Auto, None).map(drop));
            drop(crate::text::parse_area(&text, crate::text::NumberStyle::De, stoop_domain::AreaUnit::Acres));
            prop_assert!(crate::text::parse_relative(&text, crate::text::Language::Fr, Time::from_ms(0)) <= Some(Time::from_ms(0)));
        }
    }
}
