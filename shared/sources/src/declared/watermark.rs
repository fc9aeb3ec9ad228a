//! `[http.watermark]`: asking only for what came after the last scan.

use jiff::fmt::strtime;
use jiff::tz::TimeZone;
use stoop_domain::Time;

use crate::text::DateFormat;

/// Which value of a row tells when it changed, and how the next scan asks for later ones.
#[derive(Debug)]
pub(super) struct Watermark {
    /// The column that holds the time.
    pub(super) slot: u16,
    /// How the column is written.
    pub(super) formats: Vec<DateFormat>,
    /// How the request wants it.
    pub(super) sent_as: DateFormat,
    /// The query parameter that carries it; `{since}` does where there is none.
    pub(super) param: Option<String>,
    /// What `{since}` is in a scan that asks for everything.
    pub(super) full: Option<String>,
    pub(super) look_back_ms: i64,
}

/// How far a server's clock may run ahead of ours before its time is no watermark.
const CLOCK_SKEW_MS: i64 = 15 * 60 * Time::SECOND_MS;

impl Watermark {
    /// The time that a row's value tells, unless it lies ahead of the clock: it would hide everything until then.
    pub(super) fn read(&self, text: &str, zone: &TimeZone, now: Time) -> Option<Time> {
        let time = self.formats.iter().find_map(|format| format.read(text, zone).ok())?;
        (time <= now.plus_ms(CLOCK_SKEW_MS)).then_some(time)
    }

    /// How a watermark is kept: in UTC with three decimals, so that watermarks order as text.
    pub(super) fn kept(time: Time) -> String {
        format!("{:.3}", time.timestamp())
    }

    /// What the request says for a watermark that was kept; nothing for one that no scan can have left.
    pub(super) fn sent(&self, kept: &str, zone: &TimeZone) -> Option<String> {
        let kept = Time::parse(kept).ok()?;
        let since = Time::from_ms(kept.ms().saturating_sub(self.look_back_ms));
        Some(match &self.sent_as {
            DateFormat::Rfc3339 | DateFormat::Iso => {
                Time::from_ms(since.ms().div_euclid(1_000) * 1_000).timestamp().to_string()
            }
            DateFormat::EpochMs => since.ms().to_string(),
            DateFormat::EpochS => since.ms().div_euclid(1_000).to_string(),
            DateFormat::Strptime(format) => {
                strtime::format(&**format, &since.timestamp().to_zoned(zone.clone())).ok()?
            }
        })
    }
}
