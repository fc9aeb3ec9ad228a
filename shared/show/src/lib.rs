//! Numbers, amounts, shares and times as text for people: the same in terminals and on pages; and tables as CSV.

mod csv;
mod plain;
#[cfg(test)]
mod tests;

use stoop_domain::{Currency, Minor, Time};

pub use csv::{Csv, CsvError, Field};
pub use plain::{colours, plain, plain_coloured, plain_json, plain_lines, steers};

/// Shown for unknown values.
pub const UNKNOWN: &str = "–";

/// A whole number with separators: `1,250,000`.
#[must_use]
pub fn count(number: u64) -> String {
    grouped(&number.to_string())
}

/// A number of things: `1 home`, `2 homes`, `1,250 homes`.
#[must_use]
pub fn plural(number: u64, one: &str) -> String {
    format!("{} {one}{}", count(number), if number == 1 { "" } else { "s" })
}

/// Like [`count`], for numbers that may be negative.
#[must_use]
pub fn whole(number: i64) -> String {
    let sign = if number < 0 { "-" } else { "" };
    format!("{sign}{}", count(number.unsigned_abs()))
}

/// An exact amount; minor digits only if they are not zero: `$1,250,000`, `€1,392.85`.
#[must_use]
pub fn money(amount: Minor, currency: Currency) -> String {
    let digits = currency.minor_digits();
    let scale = 10_u64.pow(digits);
    let (whole, rest) = (amount.0.unsigned_abs() / scale, amount.0.unsigned_abs() % scale);
    let sign = if amount.0 < 0 { "-" } else { "" };
    let rest = if rest == 0 { String::new() } else { format!(".{rest:0width$}", width = digits as usize) };
    format!("{sign}{}{}{rest}", symbol(currency), count(whole))
}

/// A statistic in major units, which is known to a thousandth: rounded to 1, 2 or 5 times a power of ten, of at most two
/// thousandths of it. Cents only below a hundred.
#[must_use]
pub fn price(major: f64, currency: Currency) -> String {
    format!("{}{}", symbol(currency), price_digits(major, currency))
}

/// A single amount in major units, unlike [`price`] to the last minor unit: `$1,203,250`, `$3.75`.
#[must_use]
pub fn amount(major: f64, currency: Currency) -> String {
    #[expect(clippy::cast_possible_truncation, reason = "an amount of money, in minor units")]
    let minor = (major * 10_f64.powi(currency.minor_digits().cast_signed())).round() as i64;
    money(Minor(minor), currency)
}

/// A price per area with its unit: `$243/sqft`, `€14.30/m²`.
#[must_use]
pub fn price_per_area(major: f64, currency: Currency, unit: &str) -> String {
    format!("{}/{}", price(major, currency), unit_sign(unit))
}

/// A price in three digits: `1.25M`, `450k`, `950`.
#[must_use]
pub fn short(major: f64) -> String {
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
#[must_use]
pub fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}

/// A share as whole percents: 100 only for all, 0 only for none.
#[must_use]
pub fn whole_percent(share: f64) -> String {
    match share {
        s if s >= 1.0 => "100 %".to_owned(),
        s if s > 0.99 => "99 %".to_owned(),
        s if s > 0.0 && s < 0.01 => "1 %".to_owned(),
        s => format!("{:.0} %", s * 100.0),
    }
}

/// A change with its sign, unless it rounds to zero: `-5.2 %`, `+0.3 %`, `0.0 %`.
#[must_use]
pub fn change(share: f64) -> String {
    if share.abs() < 0.000_5 { "0.0 %".to_owned() } else { format!("{:+.1} %", share * 100.0) }
}

/// An area in its unit, without decimals: `1,230 sqft`.
#[must_use]
pub fn area(value: f64, unit: &str) -> String {
    format!("{} {}", grouped(&format!("{value:.0}")), unit_sign(unit))
}

/// The printed unit of area, from its name in JSON.
#[must_use]
pub fn unit_sign(unit: &str) -> &str {
    if unit == "m2" { "m²" } else { unit }
}

/// A time in UTC, to the minute: `2026-01-13 10:51`.
#[must_use]
pub fn time(time: Time) -> String {
    let text = time.to_string();
    match text.split_once('T') {
        Some((day, clock)) => format!("{day} {}", clock.get(..5).unwrap_or(clock)),
        None => text,
    }
}

/// The day of a time, in UTC.
#[must_use]
pub fn date(moment: Time) -> String {
    let text = time(moment);
    text.split(' ').next().unwrap_or("").to_owned()
}

/// A duration in its two largest units: `0.4 s`, `3 min 20 s`, `2 h 5 min`, `3 d 4 h`.
#[must_use]
pub fn span(ms: i64) -> String {
    let s = ms.max(0) / 1_000;
    match s {
        0..10 => format!("{}.{} s", s, ms.max(0) % 1_000 / 100),
        10..60 => format!("{s} s"),
        60..3_600 => format!("{} min {} s", s / 60, s % 60),
        3_600..86_400 => format!("{} h {} min", s / 3_600, s % 3_600 / 60),
        _ => format!("{} d {} h", s / 86_400, s % 86_400 / 3_600),
    }
}

/// An interval of whole seconds, like [`span`] without a part that is zero: `15 min`, `2 h`, `1 h 30 min`.
#[must_use]
pub fn interval(seconds: u64) -> String {
    let text = span(i64::try_from(seconds.saturating_mul(1_000)).unwrap_or(i64::MAX));
    match text.rsplit_once(' ').and_then(|(rest, unit)| Some((rest.strip_suffix(" 0")?, unit))) {
        Some((whole, _)) => whole.to_owned(),
        None => text.replace(".0 s", " s"),
    }
}

/// The text, or [`UNKNOWN`].
#[must_use]
pub fn or_unknown(text: Option<String>) -> String {
    text.unwrap_or_else(|| UNKNOWN.to_owned())
}

/// `yes` or `no`.
#[must_use]
pub fn yes_or_no(flag: bool) -> &'static str {
    if flag { "yes" } else { "no" }
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

/// The largest step between two shown statistics, as a share of them.
const RESOLUTION: f64 = 0.002;

/// The largest of 1, 2 and 5 times a power of ten that is at most this much.
fn step(most: f64) -> f64 {
    let power = 10_f64.powf(most.max(f64::MIN_POSITIVE).log10().floor());
    // A power of ten may be rounded to a little more than it is.
    [5.0, 2.0].into_iter().map(|step| step * power).find(|step| *step <= most * 1.000_000_1).unwrap_or(power)
}

/// Like [`price`], without the currency.
#[must_use]
pub fn price_digits(major: f64, currency: Currency) -> String {
    let step = step(major.abs() * RESOLUTION);
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
