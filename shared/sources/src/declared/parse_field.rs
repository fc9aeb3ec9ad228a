//! Compiles one `[fields.NAME]` to a [`Recipe`].

use jiff::tz::TimeZone;
use regex::Regex;
use stoop_domain::AreaUnit;

use super::columns::{Columns, condition, formats};
use super::parse_conversion::conversion;
use super::plan::{FieldOrigin, Lookup, Piece, Recipe, When, Word};
use super::target::{Target, TargetKind};
use super::values;
use crate::settings::{Mistakes, Section, accepted};
use crate::text::{Language, NumberStyle, parse_area_measure};

/// Keys that every field accepts.
const KEYS: [&str; 11] =
    ["from", "template", "constant", "file_name", "only", "null", "replace", "regex", "default", "lookup", "otherwise"];

const ORIGINS: [&str; 4] = ["from", "template", "constant", "file_name"];

const STYLES: [&str; 5] = ["plain", "auto", "de", "en", "fr"];

pub(super) fn recipe(
    section: &Section<'_>,
    target: Target,
    zone: &TimeZone,
    columns: &mut Columns,
    mistakes: &mut Mistakes<'_>,
) -> Option<Recipe> {
    let kind = target.kind();
    let mut known = KEYS.to_vec();
    known.extend(keys_of(kind));
    if !target.is_vital() {
        known.push("lenient");
    }
    section.only(&known, mistakes);
    let number =
        style(section, if matches!(kind, TargetKind::Money | TargetKind::Fee) { "money" } else { "number" }, mistakes);
    let when = when(section, target, mistakes);
    let reading = FieldReading { section, kind, number, when: &when, zone };
    let origin = origin(&reading, columns, mistakes);
    let null = section.texts("null", mistakes).unwrap_or_default();
    let regex =
        section.text("regex", mistakes).and_then(|(text, line)| pattern(section, "regex", text, line, mistakes));
    let replace = replacements(section, mistakes);
    let lookup = lookup(&reading, mistakes);
    // A default is the final value: it does not pass through the lookup.
    let default =
        section.text("default", mistakes).and_then(|(text, line)| reading.word("default", text, line, mistakes));
    let unit = section.text("unit", mistakes).map_or(AreaUnit::SquareMeters.into(), |(text, line)| {
        parse_area_measure(text).unwrap_or_else(|| {
            let units = ["m2", "sqft", "acres", "ha", "sqyd", "marla", "kanal", "tsubo"];
            mistakes.add(line, section.key("unit"), format!("{text:?}; {}", accepted(text, units)));
            AreaUnit::SquareMeters.into()
        })
    });
    let conversion = conversion(section, columns, mistakes);
    let only = section.table("only", mistakes).and_then(|table| condition(&table, columns, mistakes));
    Some(Recipe {
        only,
        null: null.into_iter().map(|(text, _)| text.into()).collect(),
        regex,
        replace,
        default,
        lenient: section.boolean("lenient", mistakes).unwrap_or(false),
        split: section.text("split", mistakes).map(|(text, _)| text.into()),
        origin: origin?,
        lookup,
        number,
        unit,
        conversion,
        when,
    })
}

fn keys_of(kind: TargetKind) -> &'static [&'static str] {
    match kind {
        TargetKind::Money => &["money", "per", "times", "divide", "range"],
        TargetKind::Fee => &["money", "per", "times", "divide"],
        TargetKind::Area => &["unit", "number"],
        TargetKind::Hundredths => &["number"],
        TargetKind::Time | TargetKind::Day => &["date", "relative"],
        TargetKind::List => &["split"],
        TargetKind::Status | TargetKind::Purpose => &["known_words"],
        _ => &[],
    }
}

/// How to read the texts that the map contains for this field.
struct FieldReading<'a, 'd> {
    section: &'a Section<'d>,
    kind: TargetKind,
    number: NumberStyle,
    when: &'a When,
    zone: &'a TimeZone,
}

impl FieldReading<'_, '_> {
    fn word(&self, key: &str, text: &str, line: usize, mistakes: &mut Mistakes<'_>) -> Option<Word> {
        match values::check(self.kind, text, self.number, self.when, self.zone) {
            Ok(known) => Some(Word { text: text.into(), known }),
            Err(problem) => {
                mistakes.add(line, self.section.key(key), problem);
                None
            }
        }
    }
}

fn origin(reading: &FieldReading<'_, '_>, columns: &mut Columns, mistakes: &mut Mistakes<'_>) -> Option<FieldOrigin> {
    let section = reading.section;
    let given: Vec<&str> = ORIGINS.into_iter().filter(|key| section.has(key)).collect();
    let [key] = given[..] else {
        let problem = match given[..] {
            [] => "says nowhere where its text comes from; accepted: one of from, template, constant, file_name".into(),
            _ => format!("has {} at once; accepted: one of them", given.join(" and ")),
        };
        mistakes.add(section.line(), section.path(), problem);
        return None;
    };
    match key {
        "from" => {
            let names = section.texts("from", mistakes)?;
            if names.is_empty() {
                mistakes.add(section.line(), section.key("from"), "an empty list; accepted: at least one column");
            }
            let mut slot = |(name, line)| columns.slot(name, section.key("from"), line, mistakes);
            Some(FieldOrigin::Columns(names.into_iter().map(&mut slot).collect()))
        }
        "template" => {
            let (text, line) = section.text("template", mistakes)?;
            template(section, text, line, columns, mistakes).map(FieldOrigin::Template)
        }
        "constant" => {
            let (text, line) = section.text("constant", mistakes)?;
            reading.word("constant", text, line, mistakes).map(FieldOrigin::Constant)
        }
        _ => {
            let (text, line) = section.text("file_name", mistakes)?;
            pattern(section, "file_name", text, line, mistakes).map(FieldOrigin::FileName)
        }
    }
}

fn template(
    section: &Section<'_>,
    text: &str,
    line: usize,
    columns: &mut Columns,
    mistakes: &mut Mistakes<'_>,
) -> Option<Vec<Piece>> {
    let key = section.key("template");
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        let Some((name, after)) = after.split_once('}') else {
            mistakes.add(line, key, format!("{text:?} has a {{ without its }}; accepted: texts and {{column}}s"));
            return None;
        };
        if !before.is_empty() {
            pieces.push(Piece::Text(before.into()));
        }
        pieces.push(Piece::Slot(columns.slot(name, key.clone(), line, mistakes)));
        rest = after;
    }
    if !rest.is_empty() {
        pieces.push(Piece::Text(rest.into()));
    }
    if !pieces.iter().any(|piece| matches!(piece, Piece::Slot(_))) {
        mistakes.add(line, key, format!("{text:?} names no {{column}}; accepted: a template that does, or constant"));
        return None;
    }
    Some(pieces)
}

fn lookup(reading: &FieldReading<'_, '_>, mistakes: &mut Mistakes<'_>) -> Option<Lookup> {
    let section = reading.section;
    let otherwise =
        section.text("otherwise", mistakes).and_then(|(text, line)| reading.word("otherwise", text, line, mistakes));
    let known_words = section.boolean("known_words", mistakes).unwrap_or(false);
    let Some(table) = section.table("lookup", mistakes) else {
        if known_words {
            return Some(Lookup { entries: Vec::new(), known_words, otherwise });
        }
        if section.has("otherwise") && !section.has("lookup") {
            mistakes.add(section.line(), section.key("otherwise"), "there is no lookup that it could be of");
        }
        return None;
    };
    let mut entries = Vec::new();
    for (from, _) in table.keys(mistakes) {
        if let Some((to, line)) = table.text(from, mistakes)
            && let Some(word) = reading.word(&format!("lookup.{from:?}"), to, line, mistakes)
        {
            entries.push((from.into(), word));
        }
    }
    Some(Lookup { entries, known_words, otherwise })
}

fn replacements(section: &Section<'_>, mistakes: &mut Mistakes<'_>) -> Vec<(Regex, Box<str>)> {
    let mut pairs = Vec::new();
    let Some(value) = section.value("replace", mistakes) else { return pairs };
    let shape = "accepted: a list of pairs, [[\"regex\", \"replacement\"]]";
    let Some(array) = value.value.as_array() else {
        mistakes.add(value.line, section.key("replace"), format!("is {}; {shape}", value.value.type_str()));
        return pairs;
    };
    for element in array.iter() {
        let line = mistakes.line(element.span());
        let pair: Vec<Option<&str>> =
            element.get_ref().as_array().map(|a| a.iter().map(|t| t.get_ref().as_str()).collect()).unwrap_or_default();
        match pair[..] {
            [Some(from), Some(to)] => {
                pairs.extend(pattern(section, "replace", from, line, mistakes).map(|regex| (regex, to.into())));
            }
            _ => mistakes.add(line, section.key("replace"), format!("not a pair of texts; {shape}")),
        }
    }
    pairs
}

fn when(section: &Section<'_>, target: Target, mistakes: &mut Mistakes<'_>) -> When {
    if section.has("date") && section.has("relative") {
        mistakes.add(section.line(), section.path(), "has date and relative at once; accepted: one of them");
    }
    if let Some((text, line)) = section.text("relative", mistakes) {
        if target == Target::OBSERVED_AT {
            mistakes.add(line, section.key("relative"), "relative times count from observed_at, which this is");
        }
        match text {
            "fr" => return When::Relative(Language::Fr),
            "en" => return When::Relative(Language::En),
            _ => mistakes.add(line, section.key("relative"), format!("{text:?}; {}", accepted(text, ["fr", "en"]))),
        }
    }
    When::Formats(formats(section, mistakes))
}

fn style(section: &Section<'_>, key: &str, mistakes: &mut Mistakes<'_>) -> NumberStyle {
    let Some((text, line)) = section.text(key, mistakes) else { return NumberStyle::Plain };
    NumberStyle::parse(text).unwrap_or_else(|| {
        mistakes.add(line, section.key(key), format!("{text:?}; {}", accepted(text, STYLES)));
        NumberStyle::Plain
    })
}

fn pattern(section: &Section<'_>, key: &str, text: &str, line: usize, mistakes: &mut Mistakes<'_>) -> Option<Regex> {
    match Regex::new(text) {
        Ok(regex) => Some(regex),
        Err(error) => {
            let problem = error.to_string().split_whitespace().collect::<Vec<_>>().join(" ");
            mistakes.add(line, section.key(key), format!("{text:?} is no regular expression: {problem}"));
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::parse_conversion::PERIODS;
    use super::*;
    use crate::text::Period;

    /// The guide for authors of maps.
    const GUIDE: &str = include_str!("../../../../docs/GUIDE.md");

    #[test]
    fn the_guide_documents_every_field_and_key() {
        let kinds = [
            TargetKind::Money,
            TargetKind::Fee,
            TargetKind::Area,
            TargetKind::Hundredths,
            TargetKind::Time,
            TargetKind::List,
        ];
        let own = kinds.into_iter().flat_map(keys_of).chain(&["lenient"]).copied();
        let read = super::super::parse_read::KEYS.into_iter().chain(super::super::parse::KEYS);
        let read = read.filter(|key| !["read", "skip", "fields", "http"].contains(key));
        for name in KEYS.into_iter().chain(own).chain(read).chain(Target::names()) {
            assert!(GUIDE.contains(&format!("`{name}`")), "{name} is not in docs/GUIDE.md");
        }
        for section in ["[read]", "[[skip]]", "[fields]", "[http]"] {
            assert!(GUIDE.contains(&format!("`{section}`")), "{section}");
        }
        for period in PERIODS.map(Period::as_str) {
            assert!(GUIDE.contains(&format!("`{period}`")), "{period}");
        }
        for style in STYLES {
            assert!(GUIDE.contains(&format!("`{style}`")), "{style}");
        }
    }
}
