//! Values inside texts and lists: an area in an address, a price in a line of words, coordinates.

use std::sync::LazyLock;

use regex::Regex;

use super::amounts::amounts;
use super::column::{Cell, Column, ratio};
use super::guess::{Chosen, Guess, shown};
use super::sample::Sample;

/// Patterns of addresses in one text: each field with its pattern.
const ADDRESSES: [&[(&str, &str)]; 4] = [
    // 6828 W Highland Ave, Chicago, IL 60631
    &[
        ("city", r",\s*([^,]+),\s*[A-Z]{2}\b(?:\s+\d{5})?"),
        ("region", r",\s*([A-Z]{2})\b(?:\s+\d{5}(?:-\d{4})?)?\s*$"),
        ("postal_code", r"\b(\d{5})(?:-\d{4})?\s*$"),
    ],
    // 東京都世田谷区三軒茶屋2-1
    &[
        ("region", r"^(?:〒?[\d-]+\s*)?(東京都|北海道|(?:京都|大阪)府|\p{Han}{2,3}県)"),
        ("city", r"(?:東京都|北海道|(?:京都|大阪)府|\p{Han}{2,3}県)(.{1,6}?[市区町村]市?)"),
    ],
    KOREAN,
    // Hießgasse 3, 1030 Wien
    &[("postal_code", r"\b(\d{4,5})\s+[A-ZÀ-Þ]"), ("city", r"\b\d{4,5}\s+([A-ZÀ-Þ][^\d,;|/]*[^\s\d,;|/])")],
];

/// 서울특별시 마포구 아현동, whose parts end with their level.
const KOREAN: &[(&str, &str)] = &[
    ("region", r"^(\p{Hangul}+(?:시|도))\s+\p{Hangul}+(?:시|군|구)(?:\s|$)"),
    ("city", r"^\p{Hangul}+(?:시|도)\s+(\p{Hangul}+(?:시|군|구))(?:\s|$)"),
    ("neighbourhood", r"^\p{Hangul}+(?:시|도)\s(?:.*\s)?(\p{Hangul}+\d*(?:동|읍|면|리|가))(?:\s|$)"),
];

/// Whether most texts of a column are Korean areas from the widest on.
pub(super) fn is_korean_path(column: &Column) -> bool {
    let korean = COMPILED.iter().find(|parts| parts.iter().any(|(_, pattern, _)| *pattern == KOREAN[1].1));
    let city = korean.and_then(|parts| parts.iter().find(|(field, ..)| *field == "city"));
    city.is_some_and(|(.., regex)| column.share(|text| regex.is_match(text)) > 0.5)
}

/// A field, its pattern, and the compiled pattern.
type Part = (&'static str, &'static str, Regex);

/// [`ADDRESSES`], compiled once.
static COMPILED: LazyLock<Vec<Vec<Part>>> = LazyLock::new(|| {
    let compiled =
        |(field, pattern): &(&'static str, &'static str)| Some((*field, *pattern, Regex::new(pattern).ok()?));
    ADDRESSES.iter().map(|parts| parts.iter().filter_map(compiled).collect()).collect()
});

/// Minimum share of rows in which each part must be found.
const PLACED_MIN: f64 = 0.6;

/// Extracts city, region and postal code from the address if no column contains them.
pub(super) fn place(sample: &Sample, chosen: &mut Chosen) {
    chosen.unsure.extend(crumbs(sample));
    let Some(line) = super::vocabulary::field("line") else { return };
    let mut columns: Vec<&Column> =
        sample.columns.iter().filter(|column| column.is_scalar() && column.owner.is_none()).collect();
    columns.sort_by_cached_key(|column| -line.likeness(column));
    for column in columns {
        // Korean parts say their level themselves.
        let is_address = line.likeness(column) >= 40 || is_korean_path(column);
        for parts in &*COMPILED {
            let guesses = parts.iter().filter_map(|(field, pattern, regex)| {
                let found = column.texts().filter(|text| regex.is_match(text)).count();
                let why = format!(
                    "In {} of {} rows {} has something like it.",
                    found,
                    sample.looked_at(),
                    shown(&column.name)
                );
                let enough = ratio(found, sample.looked_at()) >= if is_address { PLACED_MIN } else { 0.9 };
                enough.then(|| Guess::of(field, &column.name, why).with("regex", pattern))
            });
            let guesses: Vec<Guess> = guesses.collect();
            if guesses.iter().any(|guess| guess.field == "city") {
                let fields: Vec<&str> = guesses.iter().map(|guess| guess.field).collect();
                chosen.sure.retain(|guess| !is_address || !fields.contains(&guess.field));
                let chosen = if is_address { &mut chosen.sure } else { &mut chosen.unsure };
                chosen.extend(guesses);
                return;
            }
        }
    }
}

/// Reads latitude and longitude from a list of two numbers.
pub(super) fn point(sample: &Sample, chosen: &mut Chosen) {
    const NAMES: [&str; 11] = [
        "coordinates",
        "coordinate",
        "coords",
        "geo",
        "location",
        "point",
        "position",
        "latlng",
        "latlon",
        "gps",
        "koordinaten",
    ];
    for first in sample
        .columns
        .iter()
        .filter(|column| column.owner.is_none() && column.name.ends_with("/0") && column.words.have(&NAMES))
    {
        let base = first.name.trim_end_matches('0');
        let Some(second) = sample.columns.iter().find(|column| column.name == format!("{base}1")) else { continue };
        let (Some(a), Some(b)) = (first.numbers(), second.numbers()) else { continue };
        let within = |numbers: &[f64], limit: f64| numbers.iter().all(|n| n.abs() <= limit);
        let fractions =
            |numbers: &[f64]| ratio(numbers.iter().filter(|n| n.fract() != 0.0).count(), numbers.len()) > 0.8;
        if !within(&a, 180.0) || !within(&b, 180.0) || !fractions(&a) || !fractions(&b) {
            continue;
        }
        // GeoJSON (RFC 7946) puts longitude first and names its type "Point".
        let above = base.trim_end_matches('/').rsplit_once('/').map_or("", |(above, _)| above);
        let kind = |column: &Column| column.name == format!("{above}/type") && column.all(|text| text == "Point");
        let sign = |numbers: &[f64]| numbers.iter().all(|n| *n < 0.0);
        let longitude_first = match (within(&a, 90.0), within(&b, 90.0)) {
            (false, _) => Some(true),
            (_, false) => Some(false),
            _ if sample.columns.iter().any(kind) => Some(true),
            _ => None,
        };
        let (latitude, longitude) = if longitude_first == Some(true) { (second, first) } else { (first, second) };
        for (field, column) in [("latitude", latitude), ("longitude", longitude)] {
            let why =
                format!("Two numbers at {}{}.", shown(base), if sign(&a) != sign(&b) { ", of two signs" } else { "" });
            let guess = Guess::of(field, &column.name, why);
            if longitude_first.is_some() {
                chosen.sure.push(guess);
            } else {
                chosen.unsure.push(guess.doubted("The order of the two is unknown."));
            }
        }
        return;
    }
}

/// Maximum length of breadcrumbs, wide to narrow.
const CRUMBS_MAX: usize = 7;

/// Areas in the breadcrumbs of a listing's page.
fn crumbs(sample: &Sample) -> Vec<Guess> {
    let mut guesses = Vec::new();
    for column in sample.columns.iter().filter(|column| column.words.have(&["breadcrumb", "breadcrumbs", "ariane"])) {
        for at in 0..CRUMBS_MAX {
            let texts = column.cells.iter().map(|cell| match cell {
                Cell::List(texts) => texts.get(at).map(String::as_str),
                _ => None,
            });
            let mut known: Vec<&str> = texts.flatten().collect();
            let (filled, first) = (known.len(), known.first().copied().unwrap_or_default());
            known.sort_unstable();
            known.dedup();
            if ratio(filled, sample.looked_at()) > 0.8 && known.len() > 2 && known.len() < filled {
                let column =
                    if column.name.starts_with('/') { column.name.clone() } else { format!("/{}", column.name) };
                let why = format!("{} different texts, like {:?}.", known.len(), shown(first));
                guesses.push(Guess::of("city", &format!("{column}/{at}"), why));
            }
        }
    }
    guesses
}

/// Patterns of amounts within other text.
const AMOUNTS: [&str; 3] = [
    r"((?:€|\$|£|CHF|EUR|USD|MAD)\s?\d[\d.,\x{27}\x{a0}\x{202f}]*)",
    r"(\d[\d.,\x{27}\x{a0}\x{202f} ]*\s?(?:€|\$|£|CHF|EUR|USD|MAD|DH))",
    r"(\d[\d.,]*\s?/\s?(?:mo|month|mois|Monat|mes))",
];

static AMOUNT_PATTERNS: LazyLock<Vec<Regex>> =
    LazyLock::new(|| AMOUNTS.iter().filter_map(|pattern| Regex::new(pattern).ok()).collect());

/// Extracts a price from a text if no column contains only the price.
pub(super) fn price(sample: &Sample) -> Option<Guess> {
    let texts = sample.columns.iter().filter(|column| column.is_scalar() && column.owner.is_none());
    texts.filter_map(|column| priced(column, sample.looked_at())).max_by_key(|guess| guess.score)
}

fn priced(column: &Column, rows: usize) -> Option<Guess> {
    AMOUNT_PATTERNS.iter().zip(AMOUNTS).find_map(|(regex, pattern)| {
        let found = column.cells.iter().map(|cell| {
            let text = regex.captures(cell.text()?)?.get(1)?.as_str().trim_end_matches(['.', ',']);
            Some(Cell::Text(text.to_owned()))
        });
        let cells: Vec<Cell> = found.map(Option::unwrap_or_default).collect();
        let filled = cells.iter().filter(|cell| **cell != Cell::Absent).count();
        let inside = Column { cells, ..column.clone() };
        let found = amounts(&inside, None).filter(|found| ratio(filled, rows) >= 0.8 && !found.is_constant())?;
        let why = format!("Amounts among other words in {filled} rows, {}.", found.range());
        let guess = Guess::of("list_price", &column.name, why).with("regex", pattern).with("money", found.style);
        #[expect(clippy::cast_possible_truncation, reason = "a share of 50")]
        let score = (50.0 * ratio(filled, rows)) as i32;
        Some(Guess { score, ..guess })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pattern_compiles() {
        assert_eq!(COMPILED.iter().map(Vec::len).sum::<usize>(), 10);
        assert_eq!(AMOUNT_PATTERNS.len(), AMOUNTS.len());
    }

    #[test]
    fn the_area_is_found_in_addresses_of_three_kinds() {
        let found = |kind: usize, text: &str| -> Vec<(&str, String)> {
            let parts = COMPILED[kind]
                .iter()
                .filter_map(|(field, _, regex)| Some((*field, regex.captures(text)?[1].to_owned())));
            parts.collect()
        };
        let american = |text: &str| found(0, text).into_iter().map(|(_, text)| text).collect::<Vec<_>>();
        assert_eq!(american("6828 W Highland Ave, Chicago, IL 60631"), ["Chicago", "IL", "60631"]);
        assert_eq!(american("4850 156th Ave NE, Redmond, WA"), ["Redmond", "WA"]);
        assert_eq!(found(3, "Hießgasse 3, 1030 Wien"), [("postal_code", "1030".into()), ("city", "Wien".into())]);
        let japanese = |text: &str| found(1, text).into_iter().map(|(_, text)| text).collect::<Vec<_>>();
        assert_eq!(japanese("東京都世田谷区三軒茶屋2-1"), ["東京都", "世田谷区"]);
        assert_eq!(japanese("三重県四日市市諏訪町1"), ["三重県", "四日市市"]);
        assert_eq!(japanese("千葉県市川市八幡3"), ["千葉県", "市川市"]);
        assert_eq!(japanese("愛知県知多郡東浦町1"), ["愛知県", "知多郡東浦町"]);
        assert!(japanese("三軒茶屋2-1").is_empty());
        let korean = |text: &str| found(2, text).into_iter().map(|(_, text)| text).collect::<Vec<_>>();
        assert_eq!(korean("서울특별시 마포구 아현동"), ["서울특별시", "마포구", "아현동"]);
        assert_eq!(korean("경기도 성남시 분당구 정자동 178"), ["경기도", "성남시", "정자동"]);
        assert_eq!(korean("부산광역시 수영구 광안해변로 300"), ["부산광역시", "수영구"]);
        assert!(korean("송파구").is_empty());
    }
}
