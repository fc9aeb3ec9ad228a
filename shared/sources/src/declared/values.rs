//! Parses texts to values of fields, for both maps and rows.

use stoop_domain::{Currency, PropertyType, Purpose, Status, parse_decimal, parse_flag};

use super::plan::{KnownValue, When};
use super::target::TargetKind;
use crate::fields::YEARS_BUILT;
use crate::text::{NumberStyle, parse_area, parse_money, split_number};
use stoop_domain::{AreaUnit, Time};

/// Parses an enum value by its name; `KnownValue::No` for other types of fields.
pub(super) fn known(kind: TargetKind, text: &str) -> Result<KnownValue, String> {
    let names = |names: &[&str]| format!("{text:?} is none of {}", names.join(", "));
    match kind {
        TargetKind::Status => {
            let exact = Status::ALL.into_iter().find(|status| status.as_str() == text);
            let status = exact.or_else(|| Status::parse(text));
            status.map(KnownValue::Status).ok_or_else(|| names(&Status::ALL.map(Status::as_str)))
        }
        TargetKind::PropertyType => {
            let found = PropertyType::parse(text).map(KnownValue::PropertyType);
            found.ok_or_else(|| names(&PropertyType::ALL.map(PropertyType::as_str)))
        }
        TargetKind::Purpose => match text {
            "sale" => Ok(KnownValue::Purpose(Purpose::Sale)),
            "rent" => Ok(KnownValue::Purpose(Purpose::Rent)),
            _ => Err(names(&["sale", "rent"])),
        },
        // The unit of account of Chile, whose code nobody writes.
        TargetKind::Currency if matches!(text.trim(), "UF" | "U.F." | "uf") => {
            Currency::parse("CLF").map(KnownValue::Currency).map_err(|error| error.to_string())
        }
        TargetKind::Currency => Currency::parse(text).map(KnownValue::Currency).map_err(|error| error.to_string()),
        _ => Ok(KnownValue::No),
    }
}

/// Parses the ID of a listing: without the `.0` that a spreadsheet or a data frame adds to a number.
pub(super) fn native_id(text: String) -> Result<String, String> {
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let Some((whole, part)) = text.split_once('.') else { return Ok(text) };
    if is_number(whole) && is_number(part) && part.bytes().all(|byte| byte == b'0') {
        return Ok(whole.to_owned());
    }
    match part.split_once("E+") {
        Some((part, power)) if is_number(whole) && is_number(part) && is_number(power) => {
            Err(format!("{text:?} is rounded: a spreadsheet cut its digits, and other IDs may look the same"))
        }
        _ => Ok(text),
    }
}

/// Parses a small whole number: `3`, `3.0`, `7+`.
pub(super) fn count(text: &str) -> Result<u8, String> {
    let plain = text.strip_suffix('+').unwrap_or(text);
    let whole = parse_decimal(plain, 4).ok().filter(|n| n % 10_000 == 0).map(|n| n / 10_000);
    whole.and_then(|n| u8::try_from(n).ok()).ok_or_else(|| format!("{text:?} is no whole number from 0 to 255"))
}

/// Parses yes or no: `true`, `Y`, `0`.
pub(super) fn flag(text: &str) -> Result<bool, String> {
    parse_flag(text).ok_or_else(|| format!("{text:?} is none of true, false, yes, no, y, n, 1, 0"))
}

/// Parses a year of construction: `1925`, `1925.0`.
pub(super) fn year(text: &str) -> Result<i16, String> {
    let whole = parse_decimal(text, 4).ok().filter(|n| n % 10_000 == 0).and_then(|n| i16::try_from(n / 10_000).ok());
    let (first, last) = (YEARS_BUILT.start(), YEARS_BUILT.end());
    whole.filter(|year| YEARS_BUILT.contains(year)).ok_or_else(|| format!("{text:?} is no year from {first} to {last}"))
}

/// Parses a number in hundredths: `2.5`, `7+`.
pub(super) fn hundredths(text: &str, style: NumberStyle) -> Result<u16, String> {
    let plain = text.strip_suffix('+').unwrap_or(text);
    let found = match style {
        NumberStyle::Plain => parse_decimal(plain, 2).ok(),
        _ => split_number(plain, style).ok().filter(bare).and_then(|n| n.scaled(2).ok()),
    };
    found.and_then(|n| u16::try_from(n).ok()).ok_or_else(|| format!("{text:?} is no number from 0 to 655"))
}

/// Parses degrees to millionths. A comma is always a decimal comma, because degrees have no thousands.
/// `Observation::check` checks the range.
pub(super) fn degrees(text: &str) -> Result<i32, String> {
    let point = text.split_once(',').filter(|_| !text.contains('.')).map(|(whole, part)| format!("{whole}.{part}"));
    let found = parse_decimal(point.as_deref().unwrap_or(text), 6).ok().and_then(|n| i32::try_from(n).ok());
    found.ok_or_else(|| format!("{text:?} is no number of degrees like 48.208174"))
}

fn bare(number: &crate::text::NumberText<'_>) -> bool {
    number.before.is_empty() && number.after.is_empty()
}

/// Parses a date in the first format that fits, or relative to `seen`.
pub(super) fn time(text: &str, when: &When, zone: &jiff::tz::TimeZone, seen: Time) -> Result<Time, String> {
    match when {
        When::Relative(language) => crate::text::parse_relative(text, *language, seen)
            .ok_or_else(|| format!("{text:?} is no relative time like \"il y a 5 heures\" or \"5 hours ago\"")),
        When::Formats(formats) => {
            let mut wanted = Vec::new();
            for format in formats {
                match format.read(text, zone) {
                    Ok(time) => return Ok(time),
                    Err(error) => wanted.push(error.wanted),
                }
            }
            Err(format!("{text:?} is no date like {}", wanted.join(" or ")))
        }
    }
}

/// Checks that a text of the map can be parsed, before any row is read.
pub(super) fn check(
    kind: TargetKind,
    text: &str,
    style: NumberStyle,
    when: &When,
    zone: &jiff::tz::TimeZone,
) -> Result<KnownValue, String> {
    match kind {
        TargetKind::Text | TargetKind::List => Ok(KnownValue::No),
        TargetKind::Money | TargetKind::Fee => {
            parse_money(text, style, None).map(|_| KnownValue::No).map_err(|error| error.to_string())
        }
        TargetKind::Area => {
            parse_area(text, style, AreaUnit::SquareMeters).map(|_| KnownValue::No).map_err(|error| error.to_string())
        }
        TargetKind::Time | TargetKind::Day => time(text, when, zone, Time::from_ms(0)).map(|_| KnownValue::No),
        TargetKind::Year => year(text).map(|_| KnownValue::No),
        TargetKind::Count => count(text).map(|_| KnownValue::No),
        TargetKind::Hundredths => hundredths(text, style).map(|_| KnownValue::No),
        TargetKind::Degrees => degrees(text).map(|_| KnownValue::No),
        TargetKind::Flag => flag(text).map(|_| KnownValue::No),
        TargetKind::Status | TargetKind::PropertyType | TargetKind::Purpose | TargetKind::Currency => known(kind, text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_whole_and_small() {
        assert_eq!(count("3"), Ok(3));
        assert_eq!(count("3.0"), Ok(3));
        assert_eq!(count("7+"), Ok(7));
        for text in ["2.5", "256", "-1", "beaucoup", ""] {
            assert!(count(text).is_err(), "{text}");
        }
    }

    #[test]
    fn an_id_loses_what_a_spreadsheet_added() {
        let id = |text: &str| native_id(text.to_owned());
        for (text, right) in [
            ("9001001.0", "9001001"),
            ("7.000", "7"),
            ("7", "7"),
            ("24-5555.0", "24-5555.0"),
            ("1.10", "1.10"),
            ("a.0", "a.0"),
            ("7.", "7."),
            ("1.5E", "1.5E"),
            ("007.0", "007"),
        ] {
            assert_eq!(id(text).as_deref(), Ok(right));
        }
        assert!(id("9.00E+14").is_err());
    }

    #[test]
    fn years_are_whole_and_of_buildings() {
        assert_eq!(
            (year("1925"), year("1925.0"), year("1000"), year("2100")),
            (Ok(1925), Ok(1925), Ok(1000), Ok(2100))
        );
        for text in ["0", "999", "2101", "1925.5", "25", "années 1920", "99999", ""] {
            assert!(year(text).is_err(), "{text}");
        }
    }

    #[test]
    fn baths_are_kept_in_hundredths() {
        assert_eq!(hundredths("2.25", NumberStyle::Plain), Ok(225));
        assert_eq!(hundredths("2,5", NumberStyle::De), Ok(250));
        assert!(hundredths("2 baths", NumberStyle::En).is_err());
        assert!(hundredths("656", NumberStyle::Plain).is_err());
    }

    #[test]
    fn degrees_are_exact_to_a_millionth() {
        assert_eq!(degrees("-7.675495147705078"), Ok(-7_675_495));
        assert_eq!(degrees("47.5112"), Ok(47_511_200));
        assert_eq!(degrees("48,2082"), Ok(48_208_200));
        assert_eq!(degrees("-7,5"), Ok(-7_500_000));
        assert!(["north", "1,234.5", "48,20,82", ","].into_iter().filter(|text| degrees(text).is_ok()).count() == 0);
        assert!(degrees("99999").is_err());
    }
}
