use std::sync::Arc;

use csv::ByteRecord;
use stoop_domain::Time;

use super::plan::{FieldOrigin, Order, Piece, Plan, ReadHints};
use super::reader::RowReader;
use super::target::Target;
use super::{json_path, parse, trie};
use crate::settings::{MapErrors, Mistake, accepted};

/// Maps the columns or JSON values of a source to the fields of a listing.
#[derive(Clone, Debug)]
pub struct Map {
    pub(super) plan: Arc<Plan>,
}

impl Map {
    /// Parses a map. Errors use `file_name` as its name.
    ///
    /// # Errors
    /// Returns every error with its line, its key and what would be accepted.
    pub fn parse(toml_text: &str, file_name: &str) -> Result<Self, MapErrors> {
        parse::plan(toml_text, file_name).map(|plan| Self { plan: Arc::new(plan) })
    }

    /// The name of the source, which begins the ID of every home: `source/native ID`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.plan.name
    }

    /// The order of the map's rows.
    #[must_use]
    pub fn order(&self) -> Order {
        self.plan.order
    }

    /// Whether files contain the history of their listings, in several rows each. Each row then has its own time, even
    /// if the file is a snapshot.
    #[must_use]
    pub fn history(&self) -> bool {
        self.plan.history
    }

    /// Whether rows or file names contain the time of observation.
    #[must_use]
    pub fn tells_time(&self) -> bool {
        self.plan.fields[Target::OBSERVED_AT.index()].is_some()
    }

    /// The time of observation of all rows of a file, if its name contains it (`observed_at` with `file_name`).
    /// Relative times count from `now`.
    #[must_use]
    pub fn time_of_file(&self, file_name: &str, now: Time) -> Option<Time> {
        let recipe = self.plan.fields[Target::OBSERVED_AT.index()].as_ref()?;
        recipe.file_name()?;
        self.bind_json().time_of_file(file_name, now)
    }

    /// How to open the source's files.
    #[must_use]
    pub fn hints(&self) -> &ReadHints {
        &self.plan.hints
    }

    /// Whether the map declares an API to poll (`[http]`).
    #[must_use]
    pub fn has_http(&self) -> bool {
        self.plan.http.is_some()
    }

    /// Returns a reader of JSON rows.
    #[must_use]
    pub fn bind_json(&self) -> RowReader {
        RowReader::new(Arc::clone(&self.plan), None)
    }

    /// Returns a reader of CSV rows with this header.
    ///
    /// # Errors
    /// Fails if a required column is missing (for a list of columns, one is enough), or if the header has a column of
    /// the map twice: then nobody knows which one is meant.
    pub fn bind_csv(&self, headers: &ByteRecord) -> Result<RowReader, MapErrors> {
        let plan = &self.plan;
        let names: Vec<String> = headers.iter().map(|name| String::from_utf8_lossy(name).trim().to_owned()).collect();
        let fields: Vec<Option<usize>> =
            plan.columns.iter().map(|column| names.iter().position(|name| *name == *column.name)).collect();
        let mut needed: Vec<Vec<u16>> = plan.skips.iter().map(|skip| vec![skip.slot]).collect();
        for recipe in plan.fields.iter().flatten() {
            needed.extend(recipe.only.iter().map(|condition| vec![condition.slot]));
            match &recipe.origin {
                FieldOrigin::Columns(slots) => needed.push(slots.clone()),
                FieldOrigin::Template(pieces) => needed.extend(pieces.iter().filter_map(|piece| match piece {
                    Piece::Slot(slot) => Some(vec![*slot]),
                    Piece::Text(_) => None,
                })),
                FieldOrigin::Constant(_) | FieldOrigin::FileName(_) => {}
            }
        }
        let mut mistakes: Vec<Mistake> = needed
            .iter()
            .filter(|slots| slots.iter().all(|slot| fields[usize::from(*slot)].is_none()))
            .filter_map(|slots| plan.columns.get(usize::from(*slots.first()?)))
            .map(|column| {
                let quoted: Vec<String> = names.iter().map(|name| format!("{name:?}")).collect();
                let known = accepted(&column.name, names.iter().map(String::as_str));
                let near = known.split_once("? accepted").map(|(near, _)| format!("{near}? "));
                let pointer = match json_path::is_path(&column.name) {
                    true => "; CSV has no JSONPaths",
                    false if trie::pointer(&column.name).is_ok() => "; CSV has no JSON Pointers",
                    false => "",
                };
                Mistake {
                    file: plan.file.clone(),
                    line: column.line,
                    key: column.key.clone(),
                    problem: format!(
                        "the file has no column {:?}; {}its columns: {}{pointer}",
                        column.name,
                        near.unwrap_or_default(),
                        quoted.join(", ")
                    ),
                }
            })
            .collect();
        mistakes.extend(plan.columns.iter().filter_map(|column| {
            let places: Vec<String> = (1..=names.len())
                .filter(|place| *names[place - 1] == *column.name)
                .map(|place| place.to_string())
                .collect();
            (places.len() > 1).then(|| Mistake {
                file: plan.file.clone(),
                line: column.line,
                key: column.key.clone(),
                problem: format!(
                    "the file has {} columns {:?}, its {}; accepted: one",
                    places.len(),
                    column.name,
                    places.join(" and ")
                ),
            })
        }));
        if mistakes.is_empty() {
            return Ok(RowReader::new(Arc::clone(plan), Some(fields)));
        }
        mistakes.sort();
        mistakes.dedup();
        Err(MapErrors(mistakes))
    }
}
