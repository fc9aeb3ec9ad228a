//! `[http.watermark]`: request only what changed after the last scan.

use jiff::fmt::strtime;
use jiff::tz::TimeZone;
use stoop_domain::Time;

use crate::text::DateFormat;

/// The value of a row that contains its modification time, and how the next scan requests later rows.
#[derive(Debug)]
pub(super) struct Watermark {
    /// The column that contains the time.
    pub(super) slot: u16,
    /// Formats of the column.
    pub(super) formats: Vec<DateFormat>,
    /// Format in the request.
    pub(super) sent_as: DateFormat,
    /// The query parameter of the watermark; if there is none, `{since}` carries it.
    pub(super) param: Option<String>,
    /// The value of `{since}` in a full scan.
    pub(super) full: Option<String>,
    pub(super) look_back_ms: i64,
}

/// Maximum time that a server's clock may run ahead of ours for its times to become a watermark.
const CLOCK_SKEW_MS: i64 = 15 * 60 * Time::SECOND_MS;

impl Watermark {
    /// Parses the time of a row. Times ahead of the clock return `None`: such a watermark would hide all changes until
    /// then.
    pub(super) fn read(&self, text: &str, zone: &TimeZone, now: Time) -> Option<Time> {
        let time = self.formats.iter().find_map(|format| format.read(text, zone).ok())?;
        (time <= now.plus_ms(CLOCK_SKEW_MS)).then_some(time)
    }

    /// Formats a watermark for storage: UTC with three decimals, so that watermarks sort as text.
    pub(super) fn kept(time: Time) -> String {
        format!("{:.3}", time.timestamp())
    }

    /// Formats a stored watermark for a request; `None` if no scan can have stored it.
    pub(super) fn sent(&self, kept: &str, zone: &TimeZone) -> Option<String> {
        let kept = Time::parse(kept).ok()?;
        let since = Time::from_ms(kept.ms().saturating_sub(self.look_back_ms));
        Some(match &self.sent_as {
            DateFormat::Rfc3339 | DateFormat::Iso => {
                Time::from_ms(since.ms().div_euclid(1_000) * 1_000).timestamp().to_string()
            }
            DateFormat::EpochMs => since.ms().to_string(),
            DateFormat::EpochS => since.ms().div_euclid(1_000).to_string(),
            DateFormat::Excel => {
                let civil = since.timestamp().to_zoned(zone.clone()).datetime();
                let days =
                    civil.duration_since(jiff::civil::date(1899, 12, 30).at(0, 0, 0, 0)).as_secs_f64() / 86_400.0;
                format!("{days:.5}")
            }
            DateFormat::Rfc2822 => {
                strtime::format("%a, %d %b %Y %H:%M:%S GMT", &since.timestamp().to_zoned(TimeZone::UTC)).ok()?
            }
            DateFormat::Strptime(format) => {
                strtime::format(&**format, &since.timestamp().to_zoned(zone.clone())).ok()?
            }
        })
    }
}
