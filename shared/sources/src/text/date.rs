use jiff::civil::{self, Date, DateTime};
use jiff::fmt::rfc2822::DateTimeParser;
use jiff::fmt::strtime::{self, BrokenDownTime};
use jiff::tz::{Offset, TimeZone};
use stoop_domain::{Time, parse_decimal};

/// A date format.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DateFormat {
    /// `2026-01-13T10:51:00Z`: requires an offset or `Z`.
    Rfc3339,
    /// `2026-01-13`, `2026-01-13 10:51`, `2026-01-13T10:51:00.5+01:00`: the offset is optional.
    Iso,
    /// Milliseconds since 1970; also `/Date(1762160400000)/`.
    EpochMs,
    /// Seconds since 1970.
    EpochS,
    /// `Mon, 03 Nov 2025 10:00:00 +0100`, as feeds and e-mails write it. A wrong or absent day of the week does not count.
    Rfc2822,
    /// Days since 1899-12-30, as spreadsheets count them; a fraction is the time of the day.
    Excel,
    /// A strptime format, such as `%Y-%m-%dT%H-%M`.
    Strptime(Box<str>),
}

/// A text that does not match the requested format.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is no date like {wanted}")]
pub struct DateTextError {
    /// The text.
    pub text: String,
    /// The expected format.
    pub wanted: String,
}

impl DateFormat {
    /// Parses a format's name: `rfc3339`, `iso`, `epoch_ms`, `epoch_s`, `excel`, `rfc2822`, or a strptime format.
    ///
    /// # Errors
    /// Describes why the format is invalid.
    pub fn parse(name: &str) -> Result<Self, String> {
        Ok(match name {
            "rfc3339" => Self::Rfc3339,
            "iso" => Self::Iso,
            "epoch_ms" => Self::EpochMs,
            "epoch_s" => Self::EpochS,
            "excel" => Self::Excel,
            "rfc2822" => Self::Rfc2822,
            format if format.contains('%') => {
                // Formatting a known time is the only way to validate the format.
                let known = jiff::Timestamp::UNIX_EPOCH.to_zoned(TimeZone::UTC);
                strtime::format(format, &known).map_err(|error| error.to_string())?;
                Self::Strptime(format.into())
            }
            _ => {
                return Err(
                    "is none of rfc3339, rfc2822, iso, epoch_ms, epoch_s, excel and holds no % of strptime".to_owned()
                );
            }
        })
    }

    /// Parses a date. A date without an offset is civil time in `zone`; a date without a time is midnight there.
    ///
    /// # Errors
    /// Fails if the text does not match the format.
    pub fn read(&self, text: &str, zone: &TimeZone) -> Result<Time, DateTextError> {
        let found = match self {
            Self::Rfc3339 => match split_iso(text.as_bytes()) {
                Some((civil, Some(offset))) if text.len() > "2026-01-13T".len() => at_offset(civil, offset),
                _ => None,
            },
            Self::Iso => return parse_iso(text, zone),
            Self::EpochMs => parse_decimal(epoch_of_dot_net(text), 0).ok().and_then(in_range),
            Self::EpochS => parse_decimal(text, 3).ok().and_then(in_range),
            Self::Excel => excel(text, zone),
            Self::Rfc2822 => rfc2822(text),
            Self::Strptime(format) => strtime::parse(&**format, text).ok().and_then(|broken| moment(&broken, zone)),
        };
        found.ok_or_else(|| DateTextError {
            text: text.chars().take(80).collect(),
            wanted: match self {
                Self::Rfc3339 => "2026-01-13T10:51:00Z".to_owned(),
                Self::Iso => "2026-01-13T10:51:00".to_owned(),
                Self::EpochMs => "1768301460000 (milliseconds since 1970)".to_owned(),
                Self::EpochS => "1768301460 (seconds since 1970)".to_owned(),
                Self::Rfc2822 => "Tue, 13 Jan 2026 10:51:00 +0000".to_owned(),
                Self::Excel => "46035.5 (days since 1899-12-30)".to_owned(),
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
    // An hour without minutes is a full hour; no hour is midnight.
    let (hour, minute, second) =
        (broken.hour().unwrap_or(0), broken.minute().unwrap_or(0), broken.second().unwrap_or(0));
    let nanosecond = broken.subsec_nanosecond().unwrap_or(0);
    let time = broken.to_time().ok().or_else(|| jiff::civil::Time::new(hour, minute, second, nanosecond).ok())?;
    in_zone(date.to_datetime(time), zone)
}

/// The milliseconds in `/Date(1762160400000+0100)/`, as .NET writes times; the offset says only how to show them.
fn epoch_of_dot_net(text: &str) -> &str {
    let inside = text.trim().strip_prefix("/Date(").and_then(|rest| rest.strip_suffix(")/"));
    inside.map_or(text, |inside| {
        inside.get(1..).and_then(|rest| rest.find(['+', '-'])).map_or(inside, |at| &inside[..=at])
    })
}

/// Reads a date of RFC 2822. `UTC` is no zone there, and common.
fn rfc2822(text: &str) -> Option<Time> {
    static PARSER: DateTimeParser = DateTimeParser::new().relaxed_weekday(true);
    let text = text.trim();
    let universal = text.strip_suffix("UTC").or_else(|| text.strip_suffix('Z')).map(|rest| format!("{rest}GMT"));
    let found = PARSER.parse_timestamp(universal.as_deref().unwrap_or(text)).ok()?;
    in_range(found.as_millisecond())
}

/// Reads a spreadsheet's count of days. Seconds are rounded: a day has more of them than a fraction shows.
fn excel(text: &str, zone: &TimeZone) -> Option<Time> {
    let days = parse_decimal(text, 9).ok().filter(|days| (1..=2_958_466_000_000_000).contains(days))?;
    let seconds = (i128::from(days) * 86_400 + 500_000_000) / 1_000_000_000;
    let since = jiff::SignedDuration::from_secs(i64::try_from(seconds).ok()?);
    in_zone(civil::date(1899, 12, 30).at(0, 0, 0, 0).checked_add(since).ok()?, zone)
}

fn in_zone(civil: DateTime, zone: &TimeZone) -> Option<Time> {
    if *zone == TimeZone::UTC {
        return at_offset(civil, Offset::UTC);
    }
    zone.to_timestamp(civil).ok().and_then(|t| in_range(t.as_millisecond()))
}

const EPOCH: DateTime = civil::date(1970, 1, 1).at(0, 0, 0, 0);

/// Accepts times up to the end of the year 9999, which many sources write for "never"; `jiff::Timestamp` ends two days
/// earlier.
fn at_offset(civil: DateTime, offset: Offset) -> Option<Time> {
    let since = civil.duration_since(EPOCH);
    let seconds = since.as_secs() - i64::from(offset.seconds());
    in_range(seconds * 1_000 + i64::from(since.subsec_millis()))
}

/// Accepts milliseconds within the years 0001 to 9999; others are not dates.
fn in_range(ms: i64) -> Option<Time> {
    let time = Time::from_ms(ms);
    (time.ms() == ms).then_some(time)
}

/// Parses an ISO 8601 date with optional time, fraction and offset, separated by `T` or a space. Without an offset it
/// is civil time in `zone`. Fractions are truncated to milliseconds.
///
/// # Errors
/// Fails for any other text.
pub fn parse_iso(text: &str, zone: &TimeZone) -> Result<Time, DateTextError> {
    let bad = || DateTextError { text: text.chars().take(80).collect(), wanted: "2026-01-13T10:51:00".to_owned() };
    let (civil, offset) = split_iso(text.trim().as_bytes()).ok_or_else(bad)?;
    match offset {
        Some(offset) => at_offset(civil, offset),
        None => in_zone(civil, zone),
    }
    .ok_or_else(bad)
}

/// Returns the civil time, and the offset if there is one. The syntax is our own, because sources write dates that
/// jiff's parser refuses; the calendar is jiff's.
fn split_iso(text: &[u8]) -> Option<(DateTime, Option<Offset>)> {
    let (year, rest) = number(text, 4)?;
    let (month, rest) = small(rest.strip_prefix(b"-")?)?;
    let (day, mut rest) = small(rest.strip_prefix(b"-")?)?;
    let date = Date::new(year, month, day).ok().filter(|_| year > 0)?;
    let mut time = civil::Time::midnight();
    if let Some(after) = rest.strip_prefix(b"T").or_else(|| rest.strip_prefix(b" ")).or_else(|| rest.strip_prefix(b"t"))
    {
        let (hour, after) = small(after)?;
        let (minute, after) = small(after.strip_prefix(b":")?)?;
        let (second, after) = match after.strip_prefix(b":") {
            Some(after) => small(after)?,
            None => (0, after),
        };
        let (fraction_ms, after) = match after.strip_prefix(b".").or_else(|| after.strip_prefix(b",")) {
            Some(after) => fraction(after)?,
            None => (0, after),
        };
        // A leap second counts as the second before it, as is usual.
        let second = if second == 60 { 59 } else { second };
        time = civil::Time::new(hour, minute, second, fraction_ms * 1_000_000).ok()?;
        rest = after;
    }
    Some((date.to_datetime(time), offset(rest.trim_ascii_start())?))
}

/// `Some(None)` if there is no offset, `None` if it is invalid.
#[expect(clippy::option_option, reason = "no offset, no readable offset, an offset: three answers")]
fn offset(text: &[u8]) -> Option<Option<Offset>> {
    let (sign, rest) = match text {
        [] => return Some(None),
        b"Z" | b"z" | b"UTC" => return Some(Some(Offset::UTC)),
        [b'+', rest @ ..] => (1, rest),
        [b'-', rest @ ..] => (-1, rest),
        _ => return None,
    };
    let (hours, rest) = number(rest, 2)?;
    let (minutes, rest) = match rest {
        [] => (0, rest),
        _ => number(rest.strip_prefix(b":").unwrap_or(rest), 2)?,
    };
    let seconds = sign * (i32::from(hours) * 60 + i32::from(minutes)) * 60;
    let offset = Offset::from_seconds(seconds).ok()?;
    (rest.is_empty() && hours < 24 && minutes < 60).then_some(Some(offset))
}

fn number(text: &[u8], digits: usize) -> Option<(i16, &[u8])> {
    let (head, rest) = text.split_at_checked(digits)?;
    let mut value = 0;
    for byte in head {
        value = value * 10 + i16::from(byte.checked_sub(b'0').filter(|d| *d <= 9)?);
    }
    Some((value, rest))
}

/// Parses a two-digit number.
fn small(text: &[u8]) -> Option<(i8, &[u8])> {
    let (value, rest) = number(text, 2)?;
    Some((i8::try_from(value).ok()?, rest))
}

/// Parses a fraction of any length to milliseconds.
fn fraction(text: &[u8]) -> Option<(i32, &[u8])> {
    let len = text.iter().take_while(|b| b.is_ascii_digit()).count();
    let (digits, rest) = text.split_at(len);
    let ms = (0..3).fold(0, |ms, i| ms * 10 + digits.get(i).map_or(0, |b| i32::from(b - b'0')));
    (len > 0).then_some((ms, rest))
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
        assert_eq!(iso("2024-08-02T10:11:12,5 UTC", "UTC").as_deref(), Some("2024-08-02T10:11:12.5Z"));
        assert_eq!(iso("2024-08-02t10:11z", "UTC").as_deref(), Some("2024-08-02T10:11:00Z"));
        assert_eq!(iso("2024-08-02T10:11:12.12345678901+01", "UTC").as_deref(), Some("2024-08-02T09:11:12.123Z"));
        assert_eq!(iso("2024-12-31T23:59:60Z", "UTC").as_deref(), Some("2024-12-31T23:59:59Z"));
        assert_eq!(iso("2024-02-29T00:00+23:59", "UTC").as_deref(), Some("2024-02-28T00:01:00Z"));
        let never = parse_iso("9999-12-31T23:59:59.999Z", &TimeZone::UTC).unwrap();
        assert_eq!(never.ms(), 253_402_300_799_999, "what many write for never is a time");
    }

    #[test]
    fn invalid_dates_are_refused() {
        for text in [
            "",
            "2026",
            "2026-13-01",
            "2026-02-29",
            "2026-01-13T25:00",
            "2026-01-13X",
            "0000-01-01",
            "0000-01-01T00:00Z",
            "0001-01-01T00:00+01:00",
            "9999-12-31T23:59:59-01:00",
            "2100-02-29",
            "2026-04-31",
            "2026-01-00",
            "2026-01-13T24:00",
            "2026-01-13T10:60",
            "2026-01-13T10:00:61",
            "2026-01-13T10:00:00.",
            "2026-01-13T10:00+99",
            "2026-01-13T10:00+24:00",
            "2026-01-13T10:00+01:60",
            "2026-01-13T10:00+01:00x",
            "20260113T105100Z",
            "+002026-01-13",
            "2026-01-13T10:00Z[Europe/Vienna]",
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
        fn what_is_written_is_read_again(ms in -62_135_596_800_000_i64..253_402_300_799_999) {
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

    #[test]
    fn feeds_write_dates_of_rfc_2822() {
        let read = |text: &str| {
            DateFormat::parse("rfc2822").unwrap().read(text, &TimeZone::UTC).map(|time| time.to_string()).ok()
        };
        for text in [
            "Mon, 03 Nov 2025 10:00:00 +0100",
            "Tue, 03 Nov 2025 10:00:00 +0100",
            "3 Nov 2025 10:00 +0100",
            "Mon, 3 Nov 2025 09:00:00 GMT",
            "Mon, 03 Nov 2025 09:00:00 UTC",
            "Mon, 03 Nov 2025 09:00:00 Z",
            "Mon, 03 Nov 2025 04:00:00 EST",
            "Mon, 03 Nov 2025 10:00:00 +0100 (CET)",
        ] {
            assert_eq!(read(text).as_deref(), Some("2025-11-03T09:00:00Z"), "{text}");
        }
        for text in [
            "",
            "UTC",
            "Mon, 03 Nov 2025",
            "Mon, 31 Nov 2025 10:00:00 GMT",
            "2025-11-03T10:00:00Z",
            "Montag, 3 Nov 2025 10:00",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
        let sent = DateFormat::Rfc2822.read("soon", &TimeZone::UTC).unwrap_err().to_string();
        assert_eq!(sent, "\"soon\" is no date like Tue, 13 Jan 2026 10:51:00 +0000");
    }

    #[test]
    fn dot_net_writes_milliseconds() {
        let read = |text: &str| DateFormat::EpochMs.read(text, &TimeZone::UTC).map(|time| time.to_string()).ok();
        assert_eq!(read("/Date(1762160400000)/").as_deref(), Some("2025-11-03T09:00:00Z"));
        assert_eq!(read("/Date(1762160400000+0100)/").as_deref(), Some("2025-11-03T09:00:00Z"));
        assert_eq!(read("/Date(-94694400000)/").as_deref(), Some("1967-01-01T00:00:00Z"));
        assert_eq!((read("/Date()/"), read("/Date(soon)/"), read("/Date(1")), (None, None, None));
    }

    #[test]
    fn a_spreadsheet_counts_days() {
        let read = |text: &str| DateFormat::Excel.read(text, &TimeZone::UTC).map(|time| time.to_string()).ok();
        assert_eq!(read("46035").as_deref(), Some("2026-01-13T00:00:00Z"));
        assert_eq!(read("46035.5").as_deref(), Some("2026-01-13T12:00:00Z"));
        assert_eq!(read("46035.4520833333").as_deref(), Some("2026-01-13T10:51:00Z"));
        assert_eq!((read("0"), read("99999999999"), read("soon")), (None, None, None));
    }
}
