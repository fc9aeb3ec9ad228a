//! Columns beside a price that say its period or its factor.

use stoop_sources::text::parse_period;

use super::column::{Column, ratio};
use super::measures::multiplier;

/// The keys above a column.
fn place(column: &Column) -> &str {
    column.name.rsplit_once('/').map_or("", |(above, _)| above)
}

/// Words of a column that names a period, and of one that may.
const PERIODS: [&str; 16] = [
    "frequency",
    "interval",
    "period",
    "periodicity",
    "cadence",
    "cycle",
    "tenure",
    "basis",
    "per",
    "frequence",
    "periode",
    "zeitraum",
    "frequenz",
    "frecuencia",
    "periodo",
    "intervall",
];
const MAYBE_PERIODS: [&str; 8] = ["unit", "suffix", "qualifier", "modifier", "type", "mode", "term", "label"];

/// Words of columns about another amount.
const OF_OTHERS: [&str; 12] = [
    "hoa",
    "fee",
    "fees",
    "association",
    "tax",
    "taxes",
    "maintenance",
    "deposit",
    "mortgage",
    "lease",
    "update",
    "refresh",
];

/// The column beside a price that names its period, and a text of it that names none.
pub(super) fn period_beside<'c>(column: &Column, columns: &'c [Column]) -> Option<(&'c Column, Option<String>)> {
    let beside = columns.iter().filter(|other| {
        place(other) == place(column) && other.name != column.name && other.is_scalar() && !other.words.have(&OF_OTHERS)
    });
    let mut found: Vec<(bool, &Column)> = beside
        .filter_map(|other| {
            let says = |words: &[&str]| other.words.last.iter().any(|word| words.contains(&word.as_str()));
            let share = other.share(|text| parse_period(text).is_some());
            let is_period = (says(&PERIODS) && share >= 0.5) || (says(&MAYBE_PERIODS) && share == 1.0);
            is_period.then_some((!says(&PERIODS), other))
        })
        .collect();
    found.sort_by_key(|(maybe, other)| (*maybe, other.name.len()));
    let (_, other) = found.first()?;
    let unread = other.texts().find(|text| parse_period(text).is_none()).map(str::to_owned);
    Some((other, unread))
}

/// A text beside a price that says for what it is, where that is no time: `per perch`.
pub(super) fn share_beside<'c>(column: &Column, columns: &'c [Column]) -> Option<(&'c Column, &'c str)> {
    let beside = columns.iter().filter(|other| {
        place(other) == place(column) && other.name != column.name && other.is_scalar() && !other.words.have(&OF_OTHERS)
    });
    let is_share = |text: &&str| {
        let text = text.to_lowercase();
        ["per ", "/ ", "/", "por ", "par ", "pro ", "je "].iter().any(|begin| text.starts_with(begin))
            && parse_period(&text).is_none()
    };
    let says = |other: &&Column| {
        let known = |word: &String| PERIODS.contains(&word.as_str()) || MAYBE_PERIODS.contains(&word.as_str());
        other.words.last.iter().any(known)
    };
    beside.filter(says).find_map(|other| Some((other, other.texts().find(is_share)?)))
}

/// The column beside a price that names its multiplier (`Lac`, `Cr`), and the multipliers in it.
pub(super) fn factors_beside<'c>(column: &Column, columns: &'c [Column]) -> Option<(&'c Column, Vec<i64>)> {
    let is_beside = |other: &&Column| place(other) == place(column) && other.name != column.name && other.is_scalar();
    columns.iter().filter(is_beside).find_map(|other| {
        let says = other
            .words
            .last
            .iter()
            .any(|word| matches!(word.as_str(), "unit" | "units" | "scale" | "denomination" | "suffix"));
        let known = ratio(other.texts().filter(|text| multiplier(text).is_some()).count(), other.scalars()) >= 0.99;
        if !says || !known {
            return None;
        }
        let mut factors: Vec<i64> = other.texts().filter_map(multiplier).collect();
        factors.sort_unstable();
        factors.dedup();
        if other.scalars() < column.scalars() {
            factors.push(1);
        }
        Some((other, factors))
    })
}
