//! Numbers, percentages and durations as people write them.

use stoop_domain::Time;
use stoop_sources::settings::{Mistakes, Section};

pub(super) const HOUR_MS: u64 = Time::HOUR_MS.cast_unsigned();

/// A required text.
pub(super) fn required(
    section: &Section<'_>,
    key: &str,
    accepted: &str,
    mistakes: &mut Mistakes<'_>,
) -> Option<String> {
    if !section.has(key) {
        mistakes.add(section.line(), section.key(key), format!("missing; accepted: {accepted}"));
    }
    section.text(key, mistakes).map(|(text, _)| text.to_owned())
}

/// A percentage from 0 to 100, in basis points.
pub(super) fn percent_bp(section: &Section<'_>, key: &str, mistakes: &mut Mistakes<'_>) -> Option<u32> {
    let line = section.value(key, mistakes)?.line;
    let text = number_text(section, key, mistakes).unwrap_or_default();
    let bp =
        stoop_domain::parse_decimal(&text, 2).ok().and_then(|bp| u32::try_from(bp).ok()).filter(|bp| *bp <= 10_000);
    if bp.is_none() {
        mistakes.add(line, section.key(key), format!("{text} is not a percentage; accepted: a number from 0 to 100"));
    }
    bp
}

/// A number as written, without its underscores.
pub(super) fn number_text(section: &Section<'_>, key: &str, mistakes: &Mistakes<'_>) -> Option<String> {
    let value = section.value(key, mistakes)?.value;
    let text =
        value.as_integer().map(|n| n.as_str().to_owned()).or_else(|| value.as_float().map(|n| n.as_str().to_owned()));
    text.map(|text| text.replace('_', ""))
}

/// A duration like `90s`, `15m`, `6h`, `2d`, in milliseconds.
pub(super) fn duration_ms(section: &Section<'_>, key: &str, default: u64, mistakes: &mut Mistakes<'_>) -> u64 {
    let Some((text, line)) = section.text(key, mistakes) else { return default };
    let units = [("s", 1_000), ("m", 60_000), ("h", HOUR_MS), ("d", 24 * HOUR_MS)];
    let parsed = units.iter().find_map(|(unit, ms)| {
        let count: u64 = text.strip_suffix(unit)?.trim().parse().ok()?;
        count.checked_mul(*ms).filter(|ms| (1_000..=366 * 24 * HOUR_MS).contains(ms))
    });
    parsed.unwrap_or_else(|| {
        mistakes.add(line, section.key(key), format!("{text:?} is not a time span; accepted: 90s, 15m, 6h, 2d"));
        default
    })
}

/// A size like `500MB`, `10GB`, `1TB`, in bytes.
pub(super) fn bytes(section: &Section<'_>, key: &str, mistakes: &mut Mistakes<'_>) -> Option<u64> {
    let (text, line) = section.text(key, mistakes)?;
    let units = [("MB", 1_000_000), ("GB", 1_000_000_000), ("TB", 1_000_000_000_000)];
    let parsed = units.iter().find_map(|(unit, bytes)| {
        let count: u64 = text.strip_suffix(unit)?.trim().parse().ok()?;
        count.checked_mul(*bytes).filter(|bytes| i64::try_from(*bytes).is_ok())
    });
    if parsed.is_none() {
        mistakes.add(line, section.key(key), format!("{text:?} is not a size; accepted: 500MB, 10GB, 1TB"));
    }
    parsed
}

/// The longest poll interval, if there is one: not shorter than `every`.
pub(super) fn every_max_ms(section: &Section<'_>, every_ms: u64, mistakes: &mut Mistakes<'_>) -> Option<u64> {
    let (text, line) = section.text("every_max", mistakes)?;
    let before = mistakes.len();
    let every_max_ms = duration_ms(section, "every_max", every_ms, mistakes);
    if every_max_ms < every_ms && mistakes.len() == before {
        let every = section.text("every", mistakes).map_or("1h, its default", |(text, _)| text);
        let problem = format!("{text:?} is shorter than `every`; accepted: a time span not shorter than {every}");
        mistakes.add(line, section.key("every_max"), problem);
    }
    Some(every_max_ms)
}
