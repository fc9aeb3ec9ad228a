use stoop_domain::ReferenceUnit;
use stoop_sources::settings::{MapErrors, Mistakes, Section, parse};

/// Says how a CSV file is a reference series: its name and unit, and which columns name the area, the date and the
/// value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReferenceMap {
    pub(super) name: String,
    pub(super) unit: ReferenceUnit,
    /// The values are percentages, stored as shares.
    pub(super) is_percent: bool,
    /// The country of all rows, as the map names it.
    pub(super) country: Option<String>,
    /// The columns that name the area, wide to narrow; none for the whole country.
    pub(super) area: Vec<(AreaKey, String)>,
    /// The date and value columns of a long file. `None`: a wide file has a column for each date.
    pub(super) long: Option<(String, String)>,
    /// What stands for an absent value.
    pub(super) null: Vec<String>,
}

/// What a column says about the area of its row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum AreaKey {
    Path,
    Country,
    Region,
    County,
    City,
    Neighbourhood,
    PostalCode,
}

impl AreaKey {
    const ALL: [Self; 7] =
        [Self::Path, Self::Country, Self::Region, Self::County, Self::City, Self::Neighbourhood, Self::PostalCode];

    fn key(self) -> &'static str {
        match self {
            Self::Path => "path",
            Self::Country => "country",
            Self::Region => "region",
            Self::County => "county",
            Self::City => "city",
            Self::Neighbourhood => "neighbourhood",
            Self::PostalCode => "postal_code",
        }
    }

    /// The key in words.
    pub(super) fn words(self) -> &'static str {
        if self == Self::PostalCode { "postal code" } else { self.key() }
    }
}

/// The longest name of a series, in letters.
const NAME_MAX: usize = 40;

impl ReferenceMap {
    /// Parses a map. `file` names it in mistakes.
    ///
    /// # Errors
    /// Lists every mistake with its line and what is accepted.
    pub fn parse(text: &str, file: &str) -> Result<Self, MapErrors> {
        let mut mistakes = Mistakes::new(file, text);
        let document = parse(text, &mut mistakes);
        let map = document.as_ref().and_then(|document| walk(&Section::root(document.get_ref()), &mut mistakes));
        match map {
            Some(map) if mistakes.is_empty() => Ok(map),
            _ => Err(mistakes.into_errors()),
        }
    }

    /// The name of the series.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }
}

fn walk(root: &Section<'_>, mistakes: &mut Mistakes<'_>) -> Option<ReferenceMap> {
    root.only(&["name", "unit", "country", "area", "values"], mistakes);
    let name = name(root, mistakes);
    let unit = unit(root, mistakes);
    let country = root.text("country", mistakes).map(|(country, _)| country.to_owned());
    let area = area(root, country.is_some(), mistakes);
    let (long, null) = values(root, mistakes);
    let (unit, is_percent) = unit?;
    Some(ReferenceMap { name: name?, unit, is_percent, country, area, long, null })
}

fn name(root: &Section<'_>, mistakes: &mut Mistakes<'_>) -> Option<String> {
    const WANTED: &str = "a-z, 0-9 and _, beginning with a letter, like \"median_income\"";
    let Some((name, line)) = root.text("name", mistakes) else {
        if !root.has("name") {
            mistakes.add(1, "name", format!("is missing: the name of the series; accepted: {WANTED}"));
        }
        return None;
    };
    let is_sign = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    let is_name = name.starts_with(|c: char| c.is_ascii_lowercase()) && name.chars().all(is_sign);
    if !is_name || name.len() > NAME_MAX {
        mistakes.add(line, "name", format!("{name:?} is no name; accepted: {WANTED}, at most {NAME_MAX} letters"));
    }
    Some(name.to_owned())
}

/// The unit, and whether values are percentages of it.
fn unit(root: &Section<'_>, mistakes: &mut Mistakes<'_>) -> Option<(ReferenceUnit, bool)> {
    const WANTED: &str = "a currency like \"USD\", \"share\", \"percent\", \"persons\" or \"index\"";
    let Some((unit, line)) = root.text("unit", mistakes) else {
        if !root.has("unit") {
            mistakes.add(1, "unit", format!("is missing: the unit of the values; accepted: {WANTED}"));
        }
        return None;
    };
    if unit == "percent" {
        return Some((ReferenceUnit::Share, true));
    }
    let known = ReferenceUnit::parse(unit);
    if known.is_none() {
        mistakes.add(line, "unit", format!("{unit:?} is no unit; accepted: {WANTED}"));
    }
    known.map(|unit| (unit, false))
}

/// The columns of the area, wide to narrow.
fn area(root: &Section<'_>, has_country: bool, mistakes: &mut Mistakes<'_>) -> Vec<(AreaKey, String)> {
    let Some(section) = root.table("area", mistakes) else {
        if !has_country && !root.has("area") {
            let problem = "is missing: [area] names the columns of the area; without it, country is the area";
            mistakes.add(1, "area", problem);
        }
        return Vec::new();
    };
    section.only(&AreaKey::ALL.map(AreaKey::key), mistakes);
    let mut columns = Vec::new();
    for key in AreaKey::ALL {
        if let Some((column, _)) = section.text(key.key(), mistakes) {
            columns.push((key, column.to_owned()));
        }
    }
    let has = |wanted: AreaKey| columns.iter().any(|(key, _)| *key == wanted);
    if columns.is_empty() {
        let keys = AreaKey::ALL.map(AreaKey::key).join(", ");
        mistakes.add(section.line(), "area", format!("names no column; accepted: {keys}"));
    } else if has(AreaKey::Path) && columns.len() > 1 {
        mistakes.add(section.line(), "area.path", "a path names the whole area; leave out the other columns");
    } else if has(AreaKey::Country) && has_country {
        mistakes.add(section.line(), "area.country", "the country is given above; leave out one of both");
    } else if !has(AreaKey::Path) && !has(AreaKey::Country) && !has_country {
        mistakes.add(section.line(), "country", "is missing: a code like \"US\", or a column as area.country");
    }
    columns
}

type Long = Option<(String, String)>;

/// The date and value columns of a long file, and what stands for an absent value.
fn values(root: &Section<'_>, mistakes: &mut Mistakes<'_>) -> (Long, Vec<String>) {
    let Some(section) = root.table("values", mistakes) else { return (None, Vec::new()) };
    const KEYS: [&str; 3] = ["date", "value", "null"];
    section.only(&KEYS, mistakes);
    let null = section.texts("null", mistakes).unwrap_or_default();
    let date = section.text("date", mistakes).map(|(date, _)| date.to_owned());
    let value = section.text("value", mistakes).map(|(value, _)| value.to_owned());
    if section.has("date") != section.has("value") {
        let missing = if section.has("date") { "value" } else { "date" };
        let problem = "is missing: a long file has a date and a value column, a wide file neither";
        mistakes.add(section.line(), section.key(missing), problem);
    }
    (date.zip(value), null.into_iter().map(|(text, _)| text.to_owned()).collect())
}
