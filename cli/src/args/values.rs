//! Values of options, and what is reported as accepted in their place.

use stoop_domain::Time;

/// The most lines of a list.
const LINES_MAX: usize = 1_000_000;

/// Parses an RFC 3339 time, or a date, which means its midnight in UTC.
pub(super) fn moment(text: &str) -> Result<Time, String> {
    let accepted = "accepted: a date like 2026-01-13 or a moment like 2026-01-13T10:51:00Z";
    Time::parse_moment(text).map_err(|_| accepted.to_owned())
}

pub(super) fn lines(text: &str) -> Result<usize, String> {
    let lines = text.parse().ok().filter(|lines| (1..=LINES_MAX).contains(lines));
    lines.ok_or_else(|| format!("accepted: a whole number from 1 to {LINES_MAX}"))
}

pub(super) fn percent(text: &str) -> Result<f64, String> {
    let value: Option<f64> = text.parse().ok().filter(|value| (0.0..=100.0).contains(value));
    value.ok_or_else(|| "accepted: a number from 0 to 100".to_owned())
}
