use std::borrow::Cow;
use std::sync::Arc;

use csv::ByteRecord;
use stoop_domain::{Observation, Reason, RefusedValue, Time};

use super::cells::{Cells, CsvCells, JsonCells, RowCell, Several, json_cell};
use super::json_path::{self, JsonPath};
use super::plan::Plan;
use super::row::{Pass, RowContent, RowError, Scratch};
use super::target::Target;
use super::trie::Span;
use crate::text::without_bare_nan;

/// Reads rows of one file format with a map. Created by `Map::bind_json` or `Map::bind_csv`. Reuses memory between
/// rows, so that a row allocates little more than its result.
#[derive(Debug)]
pub struct RowReader {
    plan: Arc<Plan>,
    /// For CSV, the index of each slot in a record.
    fields: Option<Vec<Option<usize>>>,
    spans: Vec<Span>,
    /// Values that the map's JSONPaths selected in the row.
    several: Vec<Several>,
    pub(super) scratch: Scratch,
    /// The row without its bare `NaN`s.
    mended: String,
}

/// One row of a file.
#[derive(Clone, Copy, Debug)]
pub enum RowBytes<'a> {
    /// A JSON object, as bytes.
    Json(&'a [u8]),
    /// A CSV record.
    Csv(&'a ByteRecord),
}

/// The result of a row that was not refused.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "nearly every row is an observation; a box would cost each one")]
pub enum RowOutcome {
    /// The row is a listing, without the values of optional fields that cannot be read.
    Observation(Observation, Vec<RefusedValue>),
    /// A `[[skip]]` rule matched.
    Skipped,
}

impl RowReader {
    pub(super) fn new(plan: Arc<Plan>, fields: Option<Vec<Option<usize>>>) -> Self {
        let locations =
            plan.fields.iter().map(|r| r.as_ref()?.regex.as_ref().map(regex::Regex::capture_locations)).collect();
        let scratch = Scratch { locations, file_name: "\0".to_owned(), from_file_name: vec![None; Target::COUNT] };
        let several = plan.paths.iter().map(|(slot, _)| Several { slot: *slot, spans: Vec::new() }).collect();
        Self { spans: vec![Span::default(); plan.columns.len()], several, plan, fields, scratch, mended: String::new() }
    }

    /// Reads one row of the file `file_name`. `now` is the time of observation if the map has no `observed_at`.
    ///
    /// Does not run `Observation::check` (prices, coordinates, currency, future times): the pipeline checks every
    /// source once.
    ///
    /// An unreadable value of an optional field is unknown, and returned beside the listing, so that a change in how a
    /// portal writes areas is noticed. With `lenient = true` it is unknown only.
    ///
    /// # Errors
    /// When the row cannot be read, or what says which home it is, where, when and on which terms.
    pub fn read(&mut self, row: RowBytes<'_>, file_name: &str, now: Time) -> Result<RowOutcome, RowError> {
        Ok(match self.parts(row, file_name, now)? {
            None => RowOutcome::Skipped,
            Some(RowContent { native_id, at, listing, refused }) => {
                let source = Arc::clone(&self.plan.name);
                RowOutcome::Observation(Observation::new(source, native_id, at.unwrap_or(now), listing), refused)
            }
        })
    }

    /// Like [`RowReader::read`], without `now` as the default time; `None` if the row is skipped.
    pub(super) fn parts<'s>(
        &'s mut self,
        row: RowBytes<'s>,
        file_name: &str,
        now: Time,
    ) -> Result<Option<RowContent>, RowError> {
        self.scratch.look_at(file_name, &self.plan);
        match (row, &self.fields) {
            (RowBytes::Json(bytes), None) => {
                let mut row = json_text(bytes).inspect_err(|_| self.spans.fill(Span::default()))?;
                if let Err(error) = self.plan.trie.find(row, &mut self.spans) {
                    // Python writes numbers that are none without quotes. That is no JSON, but the rest of the row is.
                    self.mended = without_bare_nan(row).ok_or_else(|| not_json(&error))?;
                    row = &self.mended;
                    self.plan.trie.find(row, &mut self.spans).map_err(|error| not_json(&error))?;
                }
                if !self.plan.paths.is_empty() {
                    follow(&self.plan.paths, row, &mut self.spans, &mut self.several)?;
                }
                let cells = JsonCells { row, spans: &self.spans, several: &self.several };
                read_with(cells, &self.plan, &mut self.scratch, now)
            }
            (RowBytes::Csv(row), Some(fields)) => {
                let parts = read_with(CsvCells { row, fields }, &self.plan, &mut self.scratch, now)?;
                match parts {
                    // A stray one in an ID makes another home of it.
                    Some(RowContent { native_id, .. }) if native_id.contains(['"', '\n', '\r', '\0']) => {
                        Err(RowError::new(
                            Reason::BadValue,
                            format!("native_id {native_id:?} has a quote or line break, which is no part of an ID"),
                        ))
                    }
                    parts => Ok(parts),
                }
            }
            (RowBytes::Json(_), Some(_)) => Err(RowError::new(Reason::Unreadable, "a JSON row came from a CSV file")),
            (RowBytes::Csv(_), None) => Err(RowError::new(Reason::Unreadable, "a CSV row came from a JSON file")),
        }
    }
}

impl RowReader {
    /// Returns `observed_at` if it comes only from the file's name.
    pub(super) fn time_of_file(&mut self, file_name: &str, now: Time) -> Option<Time> {
        self.scratch.look_at(file_name, &self.plan);
        let cells = JsonCells { row: "{}", spans: &self.spans, several: &self.several };
        Pass { cells, plan: &self.plan, scratch: &mut self.scratch, now, refused: Vec::new() }
            .observed_at()
            .ok()
            .flatten()
    }

    /// Returns a column of the row that was read last; `row` is that row.
    pub(super) fn text_of<'s>(&'s self, row: &'s str, slot: u16) -> Option<Cow<'s, str>> {
        match (JsonCells { row, spans: &self.spans, several: &self.several }).cell(slot) {
            Ok(RowCell::Text(text)) => Some(text),
            Ok(RowCell::Plain(text)) => Some(Cow::Borrowed(text)),
            _ => None,
        }
    }
}

/// Applies the map's JSONPaths to a row: stores all selected values, and the first one as the span.
fn follow(paths: &[(u16, JsonPath)], row: &str, spans: &mut [Span], several: &mut [Several]) -> Result<(), RowError> {
    several.iter_mut().for_each(|several| several.spans.clear());
    let following: Vec<&JsonPath> = paths.iter().map(|(_, path)| path).collect();
    let selected = json_path::select(&following, row).map_err(|error| not_json(&error))?;
    for (several, selected) in several.iter_mut().zip(selected) {
        for raw in selected.values {
            let escaped = raw.starts_with('"') && raw.contains('\\');
            if matches!(json_cell(raw, escaped), Ok(RowCell::Absent)) {
                continue;
            }
            let start = raw.as_ptr().addr() - row.as_ptr().addr();
            let (Ok(start), Ok(end)) = (u32::try_from(start), u32::try_from(start + raw.len())) else {
                return Err(RowError::new(Reason::Unreadable, "the row is longer than 4 GiB"));
            };
            several.spans.push(Span { start, end, escaped });
        }
        spans[usize::from(several.slot)] = several.spans.first().copied().unwrap_or_default();
    }
    Ok(())
}

fn read_with<'s>(
    cells: impl Cells<'s>,
    plan: &'s Plan,
    scratch: &mut Scratch,
    now: Time,
) -> Result<Option<RowContent>, RowError> {
    let mut pass = Pass { cells, plan, scratch, now, refused: Vec::new() };
    if pass.is_skipped()? { Ok(None) } else { pass.parts().map(Some) }
}

fn json_text(bytes: &[u8]) -> Result<&str, RowError> {
    let row = std::str::from_utf8(bytes).map_err(|error| {
        RowError::new(Reason::NotUtf8, format!("bytes that are no UTF-8 at byte {} of the row", error.valid_up_to()))
    })?;
    match row.trim_start().bytes().next() {
        Some(b'{') => Ok(row),
        None => Err(RowError::new(Reason::Truncated, "the row is empty")),
        Some(_) => {
            Err(RowError::new(Reason::Unreadable, format!("a row is an object {{...}}, not {:.40}", row.trim_start())))
        }
    }
}

fn not_json(error: &serde_json::Error) -> RowError {
    let reason = if error.is_eof() { Reason::Truncated } else { Reason::Unreadable };
    RowError::new(reason, format!("no JSON object: {error}"))
}
