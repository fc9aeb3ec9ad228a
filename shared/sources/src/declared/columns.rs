//! Parts that several tables of a map share: columns, conditions and date formats.

use super::json_path::{self, JsonPath};
use super::plan::{Condition, MapColumn, Rule};
use super::trie;
use crate::settings::{Mistakes, Section};
use crate::text::DateFormat;

/// The columns that a map names, each with its slot, and those columns that are JSONPaths.
#[derive(Default)]
pub(super) struct Columns {
    pub(super) all: Vec<MapColumn>,
    pub(super) paths: Vec<(u16, JsonPath)>,
}

impl Columns {
    /// Returns the slot of a column. The same name always has the same slot.
    pub(super) fn slot(&mut self, name: &str, key: String, line: usize, mistakes: &mut Mistakes<'_>) -> u16 {
        if name.starts_with('/')
            && let Err(problem) = trie::pointer(name)
        {
            mistakes.add(line, &*key, problem);
        }
        let known = self.all.iter().position(|column| *column.name == *name);
        // No real map names 65,536 columns.
        let slot = u16::try_from(known.unwrap_or(self.all.len())).unwrap_or(u16::MAX);
        if json_path::is_path(name) {
            match JsonPath::parse(name) {
                Ok(path) if known.is_none() => self.paths.push((slot, path)),
                Ok(_) => {}
                Err(problem) => mistakes.add(line, &*key, problem),
            }
        }
        if known.is_none() {
            self.all.push(MapColumn { name: name.into(), key, line });
        }
        slot
    }
}

/// Reads `from` with one of `is`, `not` and `absent`.
pub(super) fn condition(
    section: &Section<'_>,
    columns: &mut Columns,
    mistakes: &mut Mistakes<'_>,
) -> Option<Condition> {
    section.only(&["from", "is", "not", "absent"], mistakes);
    let from = section.text("from", mistakes);
    if !section.has("from") {
        mistakes.add(section.line(), section.key("from"), "is missing: the column that the rule looks at");
    }
    let texts = |texts: Vec<(&str, usize)>| texts.into_iter().map(|(text, _)| text.into()).collect();
    let is = section.texts("is", mistakes).map(|t| Rule::Is(texts(t)));
    let not = section.texts("not", mistakes).map(|t| Rule::Not(texts(t)));
    let absent = section.boolean("absent", mistakes).filter(|yes| *yes).map(|_| Rule::Absent);
    let mut rules: Vec<Rule> = is.into_iter().chain(not).chain(absent).collect();
    let (Some(rule), true) = (rules.pop(), rules.is_empty()) else {
        let problem = "accepted: exactly one of is = [...], not = [...] and absent = true";
        mistakes.add(section.line(), section.path(), problem);
        return None;
    };
    let (from, line) = from?;
    Some(Condition { slot: columns.slot(from, section.key("from"), line, mistakes), rule })
}

/// Reads the formats that `date` names; ISO 8601 by default.
pub(super) fn formats(section: &Section<'_>, mistakes: &mut Mistakes<'_>) -> Vec<DateFormat> {
    let mut formats = Vec::new();
    for (text, line) in section.texts("date", mistakes).unwrap_or_default() {
        formats.extend(format(section, "date", text, line, mistakes));
    }
    if formats.is_empty() {
        formats.push(DateFormat::Iso);
    }
    formats
}

/// Parses the name of one date format.
pub(super) fn format(
    section: &Section<'_>,
    key: &str,
    text: &str,
    line: usize,
    mistakes: &mut Mistakes<'_>,
) -> Option<DateFormat> {
    let format = DateFormat::parse(text);
    if let Err(problem) = &format {
        let accepted = "accepted: rfc3339, rfc2822, iso, epoch_ms, epoch_s, excel or a format like \"%Y-%m-%d %H:%M\"";
        mistakes.add(line, section.key(key), format!("{text:?} {problem}; {accepted}"));
    }
    format.ok()
}
