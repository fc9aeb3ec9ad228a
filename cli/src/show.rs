//! Text formats: money, shares, times, sparklines, tables, pages and CSV.

mod csv;
mod page;
mod screen;
mod table;
mod words;

use stoop_domain::{Alert, Currency, Minor, Time};

pub(crate) use csv::{Csv, Field};
pub(crate) use page::Page;
pub(crate) use screen::Look;
pub(crate) use table::{Column, Table};
pub(crate) use words::{SafeText, cut};

/// Printed for unknown values.
pub(crate) const UNKNOWN: &str = "–";

/// A whole number with separators: `1,250,000`.
pub(crate) fn count(number: u64) -> String {
    grouped(&number.to_string())
}

/// Like [`count`], for numbers that may be negative.
pub(crate) fn whole(number: i64) -> String {
    let sign = if number < 0 { "-" } else { "" };
    format!("{sign}{}", count(number.unsigned_abs()))
}

/// An exact amount; minor digits only if they are not zero: `$1,250,000`, `€1,392.85`.
pub(crate) fn money(amount: Minor, currency: Currency) -> String {
    let digits = currency.minor_digits();
    let scale = 10_u64.pow(digits);
    let (whole, rest) = (amount.0.unsigned_abs() / scale, amount.0.unsigned_abs() % scale);
    let sign = if amount.0 < 0 { "-" } else { "" };
    let rest = if rest == 0 { String::new() } else { format!(".{rest:0width$}", width = digits as usize) };
    format!("{sign}{}{}{rest}", symbol(currency), count(whole))
}

/// A statistic in major units. It is exact to a thousandth, so it has four digits, and cents only below a hundred.
pub(crate) fn price(major: f64, currency: Currency) -> String {
    format!("{}{}", symbol(currency), price_digits(major, currency))
}

/// A price per area with its unit: `$243/sqft`, `€14.30/m²`.
pub(crate) fn price_per_area(major: f64, currency: Currency, unit: &str) -> String {
    format!("{}/{}", price(major, currency), unit_sign(unit))
}

/// A price in three digits: `1.25M`, `450k`, `950`.
pub(crate) fn short(major: f64) -> String {
    let three = |value: f64| match value {
        v if v < 9.995 => format!("{v:.2}"),
        v if v < 99.95 => format!("{v:.1}"),
        v => format!("{v:.0}"),
    };
    match major.abs() {
        v if v < 999.5 => format!("{major:.0}"),
        v if v < 999_500.0 => three(major / 1e3) + "k",
        v if v < 999_500_000.0 => three(major / 1e6) + "M",
        _ => three(major / 1e9) + "G",
    }
}

/// A share as a percentage with one digit: `12.3 %`.
pub(crate) fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}

/// A change with its sign, unless it rounds to zero: `-5.2 %`, `+0.3 %`, `0.0 %`.
pub(crate) fn change(share: f64) -> String {
    if share.abs() < 0.000_5 { "0.0 %".to_owned() } else { format!("{:+.1} %", share * 100.0) }
}

/// An area in its unit, without decimals: `1,230 sqft`.
pub(crate) fn area(value: f64, unit: &str) -> String {
    format!("{} {}", grouped(&format!("{value:.0}")), unit_sign(unit))
}

/// The printed unit of area, from its name in JSON.
pub(crate) fn unit_sign(unit: &str) -> &str {
    if unit == "m2" { "m²" } else { unit }
}

/// A time in UTC, to the minute: `2026-01-13 10:51`.
pub(crate) fn time(time: Time) -> String {
    let text = time.to_string();
    match text.split_once('T') {
        Some((day, clock)) => format!("{day} {}", clock.get(..5).unwrap_or(clock)),
        None => text,
    }
}

/// The day of a time, in UTC.
pub(crate) fn date(moment: Time) -> String {
    let text = time(moment);
    text.split(' ').next().unwrap_or("").to_owned()
}

/// A duration in its two largest units: `0.4 s`, `3 min 20 s`, `2 h 5 min`, `3 d 4 h`.
pub(crate) fn span(ms: i64) -> String {
    let s = ms.max(0) / 1_000;
    match s {
        0..10 => format!("{}.{} s", s, ms.max(0) % 1_000 / 100),
        10..60 => format!("{s} s"),
        60..3_600 => format!("{} min {} s", s / 60, s % 60),
        3_600..86_400 => format!("{} h {} min", s / 3_600, s % 3_600 / 60),
        _ => format!("{} d {} h", s / 86_400, s % 86_400 / 3_600),
    }
}

pub(crate) fn or_unknown(text: Option<String>) -> String {
    text.unwrap_or_else(|| UNKNOWN.to_owned())
}

/// Text from outside on one line, without whitespace used for layout.
pub(crate) fn plain(text: &str) -> String {
    let blanked = stoop_runtime::plain(text);
    blanked.split(' ').filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

/// A series as one line of bars from its least to its greatest value; a gap for unknown values. A series longer than
/// `width` is thinned by averaging neighbours.
pub(crate) fn sparkline(series: &[Option<f64>], width: usize) -> String {
    const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let chunk = series.len().div_ceil(width.max(1)).max(1);
    let points: Vec<Option<f64>> = series.chunks(chunk).map(mean).collect();
    let known = || points.iter().flatten().copied();
    let (low, high) = (known().fold(f64::INFINITY, f64::min), known().fold(f64::NEG_INFINITY, f64::max));
    let bar = |value: f64| {
        if high <= low {
            return BARS[3];
        }
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and 7")]
        let at = ((value - low) / (high - low) * 7.0).round() as usize;
        BARS[at.min(7)]
    };
    points.iter().map(|point| point.map_or(' ', bar)).collect()
}

/// An alert on one line of at most this width. A home's title is cut if it is too long.
pub(crate) fn alert_line(alert: &Alert, wide: usize) -> String {
    let currency = alert.market.currency;
    let drop = f64::from(alert.drop_bp) / 10_000.0;
    let mut line = format!(
        "▼ {:>6}  {} → {}  {}",
        percent(drop),
        money(alert.from, currency),
        money(alert.to, currency),
        alert.market.area.name()
    );
    if let Some(words) = alert.line.as_ref().or(alert.title.as_ref()) {
        line = cut(&format!("{line}  {}", plain(words)), wide);
    }
    match alert.url.as_deref().map(|url| format!("{line}  {}", plain(url))) {
        Some(whole) if cut(&whole, wide) == whole => whole,
        _ => line,
    }
}

fn mean(values: &[Option<f64>]) -> Option<f64> {
    let (sum, n) = values.iter().flatten().fold((0.0, 0.0), |(sum, n), value| (sum + value, n + 1.0));
    (n > 0.0).then_some(sum / n)
}

/// The sign before an amount. Currencies that share a sign use their code.
fn symbol(currency: Currency) -> String {
    match currency.code() {
        "USD" => "$".to_owned(),
        "EUR" => "€".to_owned(),
        "GBP" => "£".to_owned(),
        code => format!("{code} "),
    }
}

/// Like [`price`], without the currency.
pub(crate) fn price_digits(major: f64, currency: Currency) -> String {
    let step = 10_f64.powf((major.abs().max(1.0).log10().floor() - 3.0).max(0.0));
    let major = if step > 1.0 { (major / step).round() * step } else { major };
    let digits = if major.abs() < 99.995 { currency.minor_digits() as usize } else { 0 };
    let text = format!("{major:.digits$}");
    match text.split_once('.') {
        Some((whole, rest)) if rest.bytes().all(|digit| digit == b'0') => grouped(whole),
        Some((whole, rest)) => format!("{}.{rest}", grouped(whole)),
        None => grouped(&text),
    }
}

fn grouped(digits: &str) -> String {
    let (sign, digits) = digits.strip_prefix('-').map_or(("", digits), |rest| ("-", rest));
    let mut text = sign.to_owned();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests;
