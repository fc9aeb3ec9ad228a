//! Detects how numbers, amounts, areas and dates are written in a column, from the values alone.

use std::sync::LazyLock;

use jiff::tz::TimeZone;
use stoop_domain::{AreaUnit, Time};

use super::column::{Column, ratio};
use stoop_sources::text::{
    DateFormat, Language, NumberStyle, parse_area, parse_area_measure, parse_area_unit, parse_relative,
};

/// Maximum number of texts that a map may treat as "no area".
const NULLS_MAX: usize = 5;

/// Format of a column's areas.
pub(super) struct Areas {
    pub(super) style: Option<&'static str>,
    /// The unit in the texts.
    pub(super) unit: Option<AreaUnit>,
    /// Whether the texts contain different units.
    pub(super) mixed: bool,
    pub(super) nulls: Vec<String>,
    pub(super) median: f64,
}

/// Reads a column as areas; `None` if most values are not areas.
pub(super) fn areas(column: &Column) -> Option<Areas> {
    let is_null = |text: &str| matches!(text, "-1" | "-") || text.starts_with('-');
    let texts: Vec<&str> = column.texts().filter(|text| !is_null(text)).collect();
    let mut nulls: Vec<String> = column.texts().filter(|text| is_null(text)).map(str::to_owned).collect();
    nulls.sort();
    nulls.dedup();
    if !column.is_scalar() || texts.is_empty() || nulls.len() > NULLS_MAX {
        return None;
    }
    let read = |style: NumberStyle| {
        let areas = texts.iter().map(move |text| parse_area(text, style, AreaUnit::SquareMeters).ok());
        areas.collect::<Vec<_>>()
    };
    let good = |areas: &[Option<_>]| areas.iter().flatten().count();
    let styles = [(NumberStyle::En, None), (NumberStyle::Fr, Some("fr")), (NumberStyle::De, Some("de"))];
    let mut best = (None, Vec::new());
    for (style, name) in styles {
        let areas = read(style);
        if good(&areas) > good(&best.1) {
            best = (name, areas);
        }
    }
    let (style, areas) = best;
    if ratio(good(&areas), texts.len()) < 0.8 {
        return None;
    }
    let mut values: Vec<f64> = areas.iter().flatten().flatten().map(|area| area.in_unit(area.unit)).collect();
    values.sort_by(f64::total_cmp);
    let units: Vec<Option<AreaUnit>> = texts.iter().map(|text| written_unit(text)).collect();
    let first = units.iter().flatten().next().copied();
    let mixed = units.iter().flatten().any(|unit| Some(*unit) != first);
    Some(Areas { style, unit: first, mixed, nulls, median: values.get(values.len() / 2).copied().unwrap_or(0.0) })
}

/// Returns the unit after a number: `83 m²`.
fn written_unit(text: &str) -> Option<AreaUnit> {
    let at = text.rfind(|c: char| c.is_ascii_digit())?;
    // "m2" contains a digit.
    let after = text.get(at + 1..)?.trim();
    let unit = if after.is_empty() { text.split_whitespace().next_back()? } else { after };
    parse_area_unit(unit.trim_start_matches(|c: char| c.is_ascii_digit() || matches!(c, '.' | ',')))
}

/// Format of a column's dates.
pub(super) struct Dates {
    /// `date` or `relative`, and its value.
    pub(super) key: (&'static str, &'static str),
    /// Whether they lack a zone.
    pub(super) zoneless: bool,
    /// If day and month could be swapped: the swapped format, and whether the dates are sorted in it.
    pub(super) swapped: Option<(&'static str, bool)>,
    /// Whether dates never decrease from row to row.
    pub(super) sorted: bool,
    /// An unreadable text, and the number of unreadable texts.
    pub(super) unread: Option<(String, usize)>,
}

const FORMATS: [&str; 46] = [
    "rfc3339",
    "rfc2822",
    "iso",
    "epoch_ms",
    "epoch_s",
    "%Y%m%dT%H%M%S",
    "%Y%m%d",
    "%d/%m/%Y",
    "%m/%d/%Y",
    "%d.%m.%Y",
    "%d-%m-%Y",
    "%Y/%m/%d",
    "%d/%m/%Y %H:%M",
    "%m/%d/%Y %H:%M",
    "%d.%m.%Y %H:%M",
    "%d/%m/%Y %H:%M:%S",
    "%m/%d/%Y %H:%M:%S",
    "%d/%m/%Y %I:%M %p",
    "%m/%d/%Y %I:%M %p",
    "%m/%d/%Y %I:%M:%S %p",
    "%B-%d-%Y",
    "%b %d, %Y",
    "%B %d, %Y",
    "%d %b %Y",
    "%d %b, %Y",
    "%d %B, %Y",
    "%d %B %Y",
    "%Y-%m-%d-%H:%M:%S",
    "%Y-%m-%d-%H:%M",
    "%Y/%m/%d %H:%M:%S",
    "%Y/%m/%d %H:%M",
    "%Y.%m.%d",
    "%d-%m-%Y %H:%M",
    "%d-%m-%Y %H:%M:%S",
    "%d.%m.%Y %H:%M:%S",
    "%d %b %Y %H:%M",
    "%b %d %Y",
    "%d-%b-%Y",
    "%d-%b-%y",
    "%B %d %Y",
    "%A, %B %d, %Y",
    "%d/%m/%y",
    "%m/%d/%y",
    "%d.%m.%y",
    "%d-%m-%y",
    "excel",
];

/// [`FORMATS`], parsed once.
static PARSED: LazyLock<Vec<DateFormat>> =
    LazyLock::new(|| FORMATS.iter().filter_map(|name| DateFormat::parse(name).ok()).collect());

/// Reads a column as dates; `None` if most values are not dates.
pub(super) fn dates(column: &Column) -> Option<Dates> {
    if !column.is_scalar() {
        return None;
    }
    let now = Time::parse("2020-06-15T12:00:00Z").ok()?;
    let texts: Vec<&str> = column.texts().collect();
    let mut best: Option<(Dates, usize)> = None;
    let mut offer = |key: (&'static str, &'static str), read: Vec<Option<Time>>| {
        let good = read.iter().flatten().count();
        if ratio(good, texts.len()) < 0.8 || best.as_ref().is_some_and(|(_, most)| *most >= good) {
            return;
        }
        let bad = texts.iter().zip(&read).filter(|(_, read)| read.is_none()).map(|(text, _)| *text);
        let unread = bad.clone().next().map(|text| (text.to_owned(), bad.count()));
        let known: Vec<Time> = read.into_iter().flatten().collect();
        let zoneless = matches!(key.1, "iso" | "excel") || (key.1.contains('%') && !key.1.contains("%z"));
        let sorted = known.is_sorted();
        best = Some((Dates { key, zoneless, swapped: None, sorted, unread }, good));
    };
    for (name, format) in FORMATS.into_iter().zip(&*PARSED) {
        offer(
            ("date", name),
            texts.iter().map(|text| plausible(name, format.read(text, &TimeZone::UTC).ok()?)).collect(),
        );
    }
    for (language, name) in [(Language::Fr, "fr"), (Language::En, "en")] {
        offer(("relative", name), texts.iter().map(|text| parse_relative(text, language, now)).collect());
    }
    let (mut dates, _) = best?;
    let of_months = dates.key.1.strip_prefix("%d/%m/").map(|rest| (rest, PARSED.iter().zip(FORMATS)));
    if let Some((rest, mut formats)) = of_months
        && let Some((format, name)) = formats.find(|(_, name)| name.strip_prefix("%m/%d/") == Some(rest))
        && let Some(read) =
            texts.iter().map(|text| format.read(text, &TimeZone::UTC).ok()).collect::<Option<Vec<Time>>>()
    {
        dates.swapped = Some((name, read.is_sorted()));
    }
    Some(dates)
}

/// Share of rows in which two date columns are equal to the minute.
pub(super) fn same_moment(a: &Column, b: &Column) -> f64 {
    let times = |column: &Column| -> Vec<Option<i64>> {
        let read = dates(column).filter(|found| found.key.0 == "date").and_then(|f| DateFormat::parse(f.key.1).ok());
        let minute = |text: &str| Some(read.as_ref()?.read(text, &TimeZone::UTC).ok()?.ms() / 60_000);
        column.cells.iter().map(|cell| cell.text().and_then(minute)).collect()
    };
    let (a, b) = (times(a), times(b));
    let known = a.iter().flatten().count();
    ratio(a.iter().zip(&b).filter(|(a, b)| a.is_some() && a == b).count(), known)
}

/// Returns a time at which a home may have been listed. Any number is a valid count of seconds, so only recent ones are
/// accepted for epoch formats.
fn plausible(format: &str, time: Time) -> Option<Time> {
    let year = time.timestamp().to_zoned(TimeZone::UTC).year();
    let (first, last) = match format {
        "epoch_ms" | "epoch_s" => (1990, 2100),
        "excel" => (2000, 2050),
        // A year of two digits read as one of four.
        _ => (1900, 2100),
    };
    (first..=last).contains(&year).then_some(time)
}

/// The unit column next to this one, with its distinct texts: `lotAreaUnit` for `lotAreaValue`, `/landArea/unit` for
/// `/landArea/value`.
pub(super) fn unit_beside<'c>(column: &Column, columns: &'c [Column]) -> Option<(&'c Column, Vec<&'c str>)> {
    const OF_VALUES: [&str; 7] = ["value", "amount", "size", "number", "quantity", "area", "total"];
    let place = |name: &str| name.rsplit_once('/').map_or(String::new(), |(above, _)| above.to_owned());
    let is_unit = |other: &&Column| {
        let words = &other.words.last;
        let says = words.iter().any(|word| matches!(word.as_str(), "unit" | "units" | "unitcode" | "unittext"));
        let shares = words.first() == column.words.last.first();
        let of_value = !place(&column.name).is_empty()
            && column.words.last.iter().all(|word| OF_VALUES.contains(&word.as_str()))
            && words.first().is_some_and(|word| word.starts_with("unit"));
        says && (shares || of_value) && place(&other.name) == place(&column.name) && other.is_scalar()
    };
    // Beside areas, a unit that every row knows is theirs, whatever is before it in its name: `sizeUnit`.
    let is_only_unit = |other: &&Column| {
        // That of the lot is named so: `lotAreaUnit`.
        const UNITS: [&str; 9] = ["unit", "units", "unidad", "unite", "einheit", "size", "area", "measure", "of"];
        let says = other.words.last.iter().all(|word| UNITS.contains(&word.as_str()));
        says && place(&other.name) == place(&column.name) && other.all(|text| parse_area_measure(text).is_some())
    };
    let other = columns.iter().find(is_unit).or_else(|| columns.iter().find(is_only_unit))?;
    let mut units: Vec<&str> = other.texts().collect();
    units.sort_unstable();
    units.dedup();
    Some((other, units))
}

/// A unit's name in maps.
pub(super) fn unit_name(unit: AreaUnit) -> &'static str {
    match unit {
        AreaUnit::SquareMeters => "m2",
        AreaUnit::SquareFeet => "sqft",
        AreaUnit::Acres => "acres",
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

    #[test]
    fn units_are_read_from_the_values() {
        let found = areas(&column(&["83 m²", "134m2", "m²"])).unwrap();
        assert_eq!((found.unit, found.mixed), (Some(AreaUnit::SquareMeters), false));
        assert!(areas(&column(&["0.2 acres", "8000 sqft"])).unwrap().mixed);
        assert_eq!(areas(&column(&["1820"])).unwrap().unit, None);
        assert_eq!(areas(&column(&["68,5 m²"])).unwrap().style, Some("fr"));
    }

    #[test]
    fn dates_are_known_by_their_format() {
        assert_eq!(PARSED.len(), FORMATS.len());
        let key = |texts: &[&str]| dates(&column(texts)).map(|found| found.key.1);
        assert_eq!(key(&["2024-06-02T22:32:58Z"]), Some("rfc3339"));
        assert_eq!(key(&["2024-06-02", "2024-06-02 10:00"]), Some("iso"));
        assert_eq!(key(&["Mon, 03 Nov 2025 10:00:00 +0100", "Sat, 1 Nov 2025 09:30:00 GMT"]), Some("rfc2822"));
        assert_eq!(key(&["1741075200000"]), Some("epoch_ms"));
        assert_eq!(key(&["/Date(1741075200000)/"]), Some("epoch_ms"));
        assert_eq!(key(&["1741075200"]), Some("epoch_s"));
        assert_eq!(key(&["20141013T000000"]), Some("%Y%m%dT%H%M%S"));
        assert_eq!(key(&["il y a 4 minutes", "hier"]), Some("fr"));
        assert_eq!(key(&["13/02/2024"]), Some("%d/%m/%Y"));
        assert_eq!(key(&["02/13/2024"]), Some("%m/%d/%Y"));
        assert_eq!(dates(&column(&["01/02/2024"])).unwrap().swapped, Some(("%m/%d/%Y", true)));
        assert_eq!(dates(&column(&["1/2/2024 3:04 PM"])).unwrap().swapped, Some(("%m/%d/%Y %I:%M %p", true)));
        assert_eq!(dates(&column(&["13/02/2024"])).unwrap().swapped, None);
        assert_eq!(key(&["January-5-2026"]), Some("%B-%d-%Y"));
        assert_eq!(key(&["499000"]), None);
    }
}
