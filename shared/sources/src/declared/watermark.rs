//! `[http.watermark]`: asking only for what came after the last scan.

use jiff::fmt::strtime;
use jiff::tz::TimeZone;
use stoop_domain::Time;

use super::parse::Columns;
use super::parse_field::{format, formats};
use crate::settings::{Mistakes, Section};
use crate::text::DateFormat;

/// Which value of a row tells when it changed, and how the next scan asks for later ones.
#[derive(Debug)]
pub(super) struct Watermark {
    /// The column that holds the time.
    pub(super) slot: u16,
    /// How the column is written.
    formats: Vec<DateFormat>,
    /// How the request wants it.
    sent_as: DateFormat,
    /// The query parameter that carries it; `{since}` does where there is none.
    pub(super) param: Option<String>,
    /// What `{since}` is in a scan that asks for everything.
    pub(super) full: Option<String>,
    look_back_ms: i64,
}

/// How far a server's clock may run ahead of ours before its time is no watermark.
const CLOCK_SKEW_MS: i64 = 15 * 60 * Time::SECOND_MS;

/// Rows may appear under a time that was read past already: a clock of whole seconds, a transaction that was slow to
/// commit. What is read again is known by its content and costs nothing.
const LOOK_BACK_S: u64 = 300;

pub(super) fn walk(
    section: &Section<'_>,
    placed: bool,
    columns: &mut Columns,
    mistakes: &mut Mistakes<'_>,
) -> Option<Watermark> {
    section.only(&["from", "date", "sent_as", "param", "full", "look_back_s"], mistakes);
    let from = section.text("from", mistakes);
    if !section.has("from") {
        mistakes.add(section.line(), section.key("from"), "is missing: the value of a row that tells when it changed");
    }
    let formats = formats(section, mistakes);
    let sent_as = section.text("sent_as", mistakes);
    let sent_as = sent_as.and_then(|(text, line)| format(section, "sent_as", text, line, mistakes));
    let param = section.text("param", mistakes).map(|(text, _)| text.to_owned());
    match (&param, placed) {
        (None, false) if !section.has("param") => {
            let problem =
                "no request asks for it; accepted: param = \"updated_since\", or {since} in url, headers or body";
            mistakes.add(section.line(), section.path(), problem);
        }
        (Some(_), true) => {
            let problem = "stands beside a {since}; accepted: one of them";
            mistakes.add(section.line(), section.key("param"), problem);
        }
        _ => {}
    }
    let look_back_s = section.count("look_back_s", mistakes).unwrap_or(LOOK_BACK_S);
    let full = section.text("full", mistakes).map(|(text, _)| text.to_owned());
    if full.is_some() && param.is_some() {
        let problem = "a scan that asks for everything leaves param away; accepted: full beside {since} alone";
        mistakes.add(section.line(), section.key("full"), problem);
    }
    let (from, line) = from?;
    Some(Watermark {
        slot: columns.slot(from, section.key("from"), line, mistakes),
        sent_as: sent_as.or_else(|| formats.first().cloned())?,
        formats,
        param,
        full,
        look_back_ms: i64::try_from(look_back_s.saturating_mul(1_000)).unwrap_or(i64::MAX),
    })
}

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
