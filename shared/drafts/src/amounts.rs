//! How amounts of money are written in a column.

use std::collections::BTreeMap;

use stoop_domain::Currency;
use stoop_sources::text::{MoneyText, NumberStyle, Period, parse_floor};

use super::column::{Column, ratio};

/// Maximum number of texts without a number that a draft lists as "no price"; further ones are left out and counted.
const NULLS_MAX: usize = 12;

/// Format of a column's amounts.
pub(super) struct Amounts {
    /// The style's name in maps.
    pub(super) style: &'static str,
    /// The amounts in major units.
    pub(super) values: Vec<f64>,
    /// Currencies in the texts, with counts.
    pub(super) currencies: BTreeMap<String, usize>,
    /// Texts that mean "no amount".
    pub(super) nulls: Vec<String>,
    /// An unreadable text, and the number of unreadable texts.
    pub(super) unread: Option<(String, usize)>,
    /// Whether a text names a period: `/mo`, `pw`.
    pub(super) periodic: bool,
    /// The least amount that names no currency.
    pub(super) bare_min: f64,
    /// Number of ranges and minimums, which a map leaves out.
    pub(super) floors: usize,
}

const STYLES: [(NumberStyle, &str); 4] =
    [(NumberStyle::Plain, "plain"), (NumberStyle::Fr, "fr"), (NumberStyle::En, "en"), (NumberStyle::De, "de")];

/// Reads a column as amounts of money; `None` if fewer than half of the values are amounts.
pub(super) fn amounts(column: &Column, default: Option<Currency>) -> Option<Amounts> {
    if !column.is_scalar() || column.cells.iter().any(|cell| matches!(cell, super::column::Cell::Bool(_))) {
        return None;
    }
    let mut nulls: Vec<String> = Vec::new();
    let mut texts = Vec::new();
    for text in column.texts() {
        let none = matches!(text, "0" | "0.0" | "-1") || !text.contains(|c: char| c.is_ascii_digit());
        if !none {
            texts.push(text);
        } else if text.chars().count() <= 40 && nulls.len() < NULLS_MAX && !nulls.iter().any(|null| null == text) {
            nulls.push(text.to_owned());
        }
    }
    if texts.is_empty() {
        return None;
    }
    let readings = STYLES.iter().map(|(style, name)| Reading {
        style: name,
        read: texts.iter().map(|text| amount(text, *style, default)).collect(),
    });
    // An ambiguous separator groups thousands: homes cost thousands.
    let Reading { style, read } = readings.reduce(|best, next| if next.beats(&best) { next } else { best })?;
    if ratio(read.iter().flatten().count(), texts.len()) < 0.5 {
        return None;
    }
    let mut currencies = BTreeMap::new();
    for currency in read.iter().flatten().filter_map(|read| read.currency) {
        *currencies.entry(currency.code().to_owned()).or_default() += 1;
    }
    let bad = texts.iter().zip(&read).filter(|(_, read)| read.is_none()).map(|(text, _)| *text);
    let unread = bad.clone().next().map(|text| (text.to_owned(), bad.count()));
    let floors = read.iter().flatten().filter(|read| read.is_floor).count();
    let periodic = read.iter().flatten().any(|read| read.period.is_some());
    let bare = read.iter().flatten().filter(|read| read.currency.is_none()).map(|read| read.value);
    let bare_min = bare.fold(f64::INFINITY, f64::min);
    let values = read.into_iter().flatten().map(|read| read.value).collect();
    Some(Amounts { style, values, currencies, nulls, unread, periodic, bare_min, floors })
}

/// The texts of a column read in one style.
struct Reading {
    style: &'static str,
    read: Vec<Option<Amount>>,
}

impl Reading {
    /// Whether it reads more texts, or as many with larger amounts.
    fn beats(&self, other: &Self) -> bool {
        let rank = |reading: &Self| {
            let read = reading.read.iter().flatten();
            (read.clone().count(), read.map(|read| read.value).sum::<f64>())
        };
        let ((count, sum), (others, others_sum)) = (rank(self), rank(other));
        count > others || (count == others && sum > others_sum)
    }
}

/// An amount in major units.
#[derive(Clone, Copy)]
struct Amount {
    value: f64,
    currency: Option<Currency>,
    period: Option<Period>,
    is_floor: bool,
}

fn amount(text: &str, style: NumberStyle, default: Option<Currency>) -> Option<Amount> {
    let money = parse_floor(text, style, default).ok()?;
    let MoneyText { currency, period, is_floor, .. } = money;
    let cents = Currency::USD;
    let value = money.minor(cents).ok()?.major_f64(cents);
    Some(Amount { value, currency, period, is_floor })
}

impl Amounts {
    /// The median amount.
    pub(super) fn median(&self) -> f64 {
        let mut sorted = self.values.clone();
        sorted.sort_by(f64::total_cmp);
        sorted.get(sorted.len() / 2).copied().unwrap_or(0.0)
    }

    /// Formats as `from 29900 to 899000`.
    pub(super) fn range(&self) -> String {
        let (low, high) = self.values.iter().fold((f64::INFINITY, 0_f64), |(low, high), v| (low.min(*v), high.max(*v)));
        if low < high { format!("from {low} to {high}") } else { format!("{high} in every row") }
    }

    /// Whether every amount is the same, in more than two rows.
    pub(super) fn is_constant(&self) -> bool {
        self.values.len() > 2 && self.values.iter().all(|value| value.total_cmp(&self.values[0]).is_eq())
    }
}

#[cfg(test)]
mod tests {
    use super::super::column::Cell;
    use super::*;

    fn column(texts: &[&str]) -> Column {
        let cells = texts.iter().map(|text| Cell::Text((*text).to_owned())).collect();
        Column { name: "x".into(), cells, ..Column::default() }
    }

    fn style(texts: &[&str]) -> &'static str {
        amounts(&column(texts), None).unwrap().style
    }

    #[test]
    fn the_style_of_amounts_is_reported_from_all_of_them() {
        assert_eq!(style(&["499000", "3500.5"]), "plain");
        assert_eq!(style(&["1 700 000 DH", "959\u{a0}600 DH"]), "fr");
        assert_eq!(style(&["$690,000", "$1,250,000"]), "en");
        assert_eq!(style(&["690.000 €", "1.392,85 €"]), "de");
        let found = amounts(&column(&["959 600 DH", "Prix non spécifié", "1 000 000 DH"]), None).unwrap();
        assert_eq!((found.nulls, found.currencies["MAD"]), (vec!["Prix non spécifié".to_owned()], 2));
        assert!(amounts(&column(&["$2,305/mo"]), None).unwrap().periodic);
        assert!(amounts(&column(&["Wien", "Graz"]), None).is_none());
    }
}
