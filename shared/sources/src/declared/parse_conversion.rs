//! Compiles the keys of a field that convert its amount: `times`, `divide`, `per` and `range`.

use super::columns::Columns;
use super::plan::{Conversion, Per};
use crate::settings::{Mistakes, Section, accepted};
use crate::text::{Period, parse_period};

/// Periods that a map can name. A day is none of them: homes let by the day have no rent by the month.
pub(super) const PERIODS: [Period; 6] =
    [Period::Week, Period::Fortnight, Period::Month, Period::Quarter, Period::HalfYear, Period::Year];

/// The greatest factor: more is a mistake.
const FACTOR_MAX: u64 = 1_000_000_000;

pub(super) fn conversion(section: &Section<'_>, columns: &mut Columns, mistakes: &mut Mistakes<'_>) -> Conversion {
    let takes_floor = match section.text("range", mistakes) {
        None => false,
        Some(("minimum", _)) => true,
        Some((text, line)) => {
            mistakes.add(line, section.key("range"), format!("{text:?}; {}", accepted(text, ["minimum"])));
            false
        }
    };
    Conversion {
        times: factor(section, "times", mistakes),
        divisor: factor(section, "divide", mistakes),
        per: per(section, columns, mistakes).unwrap_or(Per::Always(Period::Month)),
        takes_floor,
    }
}

fn factor(section: &Section<'_>, key: &str, mistakes: &mut Mistakes<'_>) -> i64 {
    let Some(factor) = section.count(key, mistakes) else { return 1 };
    if !(1..=FACTOR_MAX).contains(&factor) {
        mistakes.add(section.line(), section.key(key), format!("is {factor}; accepted: from 1 to {FACTOR_MAX}"));
    }
    i64::try_from(factor).unwrap_or(1).max(1)
}

/// Reads the name of a period, or a table that names a column.
fn per(section: &Section<'_>, columns: &mut Columns, mistakes: &mut Mistakes<'_>) -> Option<Per> {
    let value = section.value("per", mistakes)?;
    if let Some(text) = value.value.as_str() {
        return period(section, "per", text, value.line, mistakes).map(Per::Always);
    }
    let table = section.table("per", mistakes)?;
    table.only(&["from", "lookup"], mistakes);
    let Some((from, line)) = table.text("from", mistakes) else {
        mistakes.add(table.line(), table.key("from"), "is missing: the column that names the period");
        return None;
    };
    let slot = columns.slot(from, table.key("from"), line, mistakes);
    let mut entries = Vec::new();
    if let Some(lookup) = table.table("lookup", mistakes) {
        for (word, _) in lookup.keys(mistakes) {
            if let Some((text, line)) = lookup.text(word, mistakes)
                && let Some(period) = period(&lookup, word, text, line, mistakes)
            {
                entries.push((word.into(), period));
            }
        }
    }
    Some(Per::Column { slot, lookup: entries })
}

fn period(section: &Section<'_>, key: &str, text: &str, line: usize, mistakes: &mut Mistakes<'_>) -> Option<Period> {
    let known = parse_period(text).filter(|period| PERIODS.contains(period));
    if known.is_none() {
        let names = PERIODS.map(Period::as_str);
        mistakes.add(line, section.key(key), format!("{text:?}; {}", accepted(text, names)));
    }
    known
}
