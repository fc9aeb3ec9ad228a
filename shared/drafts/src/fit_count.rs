//! Counts of rooms, and years of construction.

use std::sync::LazyLock;

use regex::Regex;

use super::column::Column;
use super::guess::{Fit, Guess, shown};

/// The share of values that must be numbers for a column of counts: others are texts such as `studio`.
const MOST: f64 = 0.75;

/// A small number with up to `digits` decimals, or a text that begins with one.
pub(super) fn count(field: &'static str, column: &Column, digits: u32) -> Option<Fit> {
    let number = |text: &str| {
        let plain = text.strip_suffix('+').unwrap_or(text);
        stoop_domain::parse_decimal(plain, 4).ok().filter(|n| n % 10_i64.pow(4 - digits) == 0).map(|n| n / 10_000)
    };
    let nulls: Vec<String> = column.texts().filter(|text| *text == "-1").take(1).map(str::to_owned).collect();
    let fits = |text: &str| text == "-1" || number(text).is_some_and(|n| (0..=50).contains(&n));
    // The draft makes it lenient if it is chosen.
    let most = column.is_scalar() && column.share(fits) >= MOST;
    if most && column.texts().any(|text| text != "-1" && fits(text)) {
        let high = column.texts().filter_map(number).max().unwrap_or(0);
        let low = column.texts().filter_map(number).filter(|n| *n >= 0).min().unwrap_or(0);
        let why = if low < high { format!("Numbers from {low} to {high}.") } else { format!("{low} in every row.") };
        let guess = Guess::of(field, &column.name, why).with_list("null", &nulls);
        return Fit::of(guess, 4);
    }
    if let Some(fit) = rooms(field, column) {
        return Some(fit);
    }
    let leading = |text: &str| text.split(|c: char| !c.is_ascii_digit()).next().and_then(|n| n.parse::<u8>().ok());
    let hints = |text: &str| text.len() < 40 && leading(text).is_some_and(|n| n <= 50) && !text.contains(['.', ',']);
    if column.all(hints) {
        let first = shown(column.first().unwrap_or_default());
        let guess = Guess::of(field, &column.name, format!("Begins with a number, like {first:?}."));
        return Fit::of(guess.with("regex", "^(\\d+)"), 0);
    }
    None
}

/// Bedrooms in layouts: `3+1` of Turkey (rooms and living rooms), `3LDK` of Japan (rooms, and what the kitchen is).
fn rooms(field: &'static str, column: &Column) -> Option<Fit> {
    static LAYOUTS: LazyLock<Vec<Regex>> = LazyLock::new(|| {
        let all = [r"^(\d+)\s*\+\s*[1-9]\d*$", r"^(\d+)S?(?:LDK|DK|LK|K|R)(?:\s*\+.*)?$"];
        all.iter().filter_map(|pattern| Regex::new(pattern).ok()).collect()
    });
    if field != "bedrooms" {
        return None;
    }
    // A studio has no bedroom of its own: 1+0, 1R, 1K.
    let patterns = [r"^(\d+)\s*\+\s*[1-9]", r"^(\d+)S?L?DK|^([2-9])S?(?:LK|K|R)"];
    let read = |regex: &Regex| column.share(|text| regex.is_match(text) || matches!(text, "1+0" | "1R" | "1K"));
    let at = LAYOUTS.iter().position(|regex| column.is_scalar() && read(regex) >= MOST)?;
    let why = format!("Layouts like {:?}: the number of rooms beside the living room.", shown(column.first()?));
    let guess = Guess::of(field, &column.name, why).with("regex", patterns[at]);
    Fit::of(guess, 4)
}

/// A year and a month: `2010年3月`, `2010-03`, `2010/3`.
const YEAR_AND_MONTH_PATTERN: &str = r"^([0-9]{4})(?:年(?:[0-9]{1,2}月)?|[-/.][0-9]{1,2})(?:築)?$";

static YEAR_AND_MONTH: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(YEAR_AND_MONTH_PATTERN).ok());

/// A year of construction; other values mean "unknown".
pub(super) fn year(field: &'static str, column: &Column) -> Option<Fit> {
    let year = |text: &str| stoop_domain::parse_decimal(text, 0).ok();
    let is_year = |text: &str| year(text).is_some_and(|year| (1_600..=2_100).contains(&year));
    let is_none = |text: &str| matches!(text, "0" | "0.0" | "-1");
    let within = |text: &str| YEAR_AND_MONTH.as_ref()?.captures(text).map(|found| found[1].to_owned());
    // "1981.0" is a year that passed through a spreadsheet.
    let is_plain = column.all(|text| is_year(text) || is_none(text));
    if !is_plain && column.all(|text| within(text).is_some_and(|year| is_year(&year))) {
        let why = format!("Years and months like {:?}.", shown(column.first()?));
        return Fit::of(Guess::of(field, &column.name, why).with("regex", YEAR_AND_MONTH_PATTERN), 4);
    }
    if !is_plain || !column.texts().any(is_year) {
        return None;
    }
    let mut nulls: Vec<String> = column.texts().filter(|text| is_none(text)).map(str::to_owned).collect();
    nulls.sort();
    nulls.dedup();
    Fit::of(Guess::of(field, &column.name, "Years.").with_list("null", &nulls), 5)
}
