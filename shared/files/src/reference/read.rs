use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::Arc;

use csv::ByteRecord;
use stoop_domain::{AreaValues, Day, ReferenceSeries};
use stoop_sources::declared::Format;

use super::map::{AreaKey, ReferenceMap};
use super::place::place;
use crate::bytes::ReadAt;
use crate::open::{Rows, open_bytes};
use crate::row::{Content, ReadOptions};

/// The most values of a series: every ZIP of the United States by month for twenty years. They are held in memory.
const VALUES_MAX: usize = 10_000_000;

/// The most unmatched places that are listed.
const LISTED_MAX: usize = 10;

/// Places that are looked up once.
const CACHED_MAX: usize = 1 << 16;

/// A file of values, read.
#[derive(Clone, Debug, PartialEq)]
pub struct ReadReference {
    /// What its rows say.
    pub series: ReferenceSeries,
    /// The number of rows.
    pub rows: u64,
    /// The number of rows of which nothing was taken.
    pub unmatched: u64,
    /// The first ten places of such rows.
    pub first: Vec<Unmatched>,
}

/// A row whose place is not known or is ambiguous.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unmatched {
    /// Line of the first such row, from 1.
    pub line: u64,
    /// The place in the words of the row.
    pub words: String,
    /// Why nothing was taken.
    pub why: String,
}

/// A file from which nothing was read. Says file, line and what is accepted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ReferenceError(String);

/// The columns that a map names, by their positions.
struct Columns {
    area: Vec<(AreaKey, usize)>,
    values: ValueColumns,
}

enum ValueColumns {
    Long { date: usize, value: usize },
    Wide(Vec<(Day, usize)>),
}

/// The values of a place with their lines.
type Taken = Vec<(Day, u64, f64)>;

struct ReferenceReader<'m> {
    map: &'m ReferenceMap,
    columns: Columns,
    places: HashMap<String, Result<String, String>>,
    taken: BTreeMap<String, Taken>,
    values: usize,
    rows: u64,
    unmatched: u64,
    first: Vec<Unmatched>,
}

impl ReferenceMap {
    /// Reads a CSV file, also compressed. `path` names it.
    ///
    /// # Errors
    /// If the file is not CSV or lacks a column, if a row cannot be read, or if no row has a known place and a value.
    pub fn read(&self, path: &Path, bytes: Arc<dyn ReadAt>) -> Result<ReadReference, ReferenceError> {
        let fail = |problem: String| ReferenceError(format!("{}: {problem}", path.display()));
        // Standard input and files without an extension are CSV, too.
        let format = path.extension().is_none().then_some(Format::Csv);
        let options = ReadOptions { format, ..ReadOptions::default() };
        let mut rows = open_bytes(path, bytes, &options).map_err(|error| ReferenceError(error.to_string()))?;
        let Some(headers) = rows.headers() else {
            return Err(fail("this is not CSV; accepted: a .csv file, also .gz or .zst".to_owned()));
        };
        let columns = Columns::of(self, headers).map_err(fail)?;
        let mut reader = ReferenceReader {
            map: self,
            columns,
            places: HashMap::new(),
            taken: BTreeMap::new(),
            values: 0,
            rows: 0,
            unmatched: 0,
            first: Vec::new(),
        };
        reader.read(&mut rows).map_err(fail)?;
        reader.end().map_err(fail)
    }
}

impl Columns {
    fn of(map: &ReferenceMap, headers: &ByteRecord) -> Result<Self, String> {
        let names: Vec<&str> = headers.iter().map(|name| std::str::from_utf8(name).unwrap_or("").trim()).collect();
        let column = |wanted: &str| {
            let mut found = names.iter().enumerate().filter(|(_, name)| **name == wanted);
            match (found.next(), found.next()) {
                (Some((at, _)), None) => Ok(at),
                (Some(_), Some(_)) => Err(format!("several columns are called {wanted:?}; accepted: one")),
                (None, _) => {
                    let some: Vec<&str> = names.iter().take(12).copied().collect();
                    let more = if names.len() > some.len() { ", ..." } else { "" };
                    Err(format!("no column is called {wanted:?}; accepted: {}{more}", some.join(", ")))
                }
            }
        };
        let area = map.area.iter().map(|(key, name)| Ok((*key, column(name)?))).collect::<Result<Vec<_>, String>>()?;
        if let Some((date, value)) = &map.long {
            return Ok(Self { area, values: ValueColumns::Long { date: column(date)?, value: column(value)? } });
        }
        let mut dates: Vec<(Day, usize)> = Vec::new();
        for (at, name) in names.iter().enumerate().filter(|(at, _)| area.iter().all(|(_, of)| of != at)) {
            let Some(day) = Day::last_of(name) else { continue };
            if dates.iter().any(|(other, _)| *other == day) {
                return Err(format!("several columns are for {day}; accepted: one"));
            }
            dates.push((day, at));
        }
        if dates.is_empty() {
            return Err("no column is a date like 2025-01-31, 2025-01 or 2025; accepted: one for each date, or a map \
                        with values.date and values.value"
                .to_owned());
        }
        dates.sort_unstable();
        Ok(Self { area, values: ValueColumns::Wide(dates) })
    }
}

impl ReferenceReader<'_> {
    fn read(&mut self, rows: &mut Rows) -> Result<(), String> {
        while let Some(row) = rows.next_row() {
            let row = row.map_err(|fault| format!("{fault}; accepted: as many columns as the header has"))?;
            let line = match row.location {
                crate::Location::Line(line) | crate::Location::Row(line) | crate::Location::Element(line) => line,
            };
            if let Content::Csv(record) = row.content {
                self.rows += 1;
                self.row(record, line).map_err(|problem| format!("line {line}: {problem}"))?;
                if self.values > VALUES_MAX {
                    return Err(format!("line {line}: there are more than {VALUES_MAX} values; split the file"));
                }
            }
        }
        Ok(())
    }

    fn row(&mut self, record: &ByteRecord, line: u64) -> Result<(), String> {
        let cell = |at: usize| {
            let text = std::str::from_utf8(record.get(at).unwrap_or_default());
            text.map(str::trim).map_err(|_| format!("column {} is not UTF-8; accepted: UTF-8", at + 1))
        };
        let words: Vec<(AreaKey, &str)> =
            self.columns.area.iter().map(|(key, at)| Ok((*key, cell(*at)?))).collect::<Result<_, String>>()?;
        // Values are read first: a corrupt one is an error in any row.
        let mut values: Taken = Vec::new();
        match &self.columns.values {
            ValueColumns::Long { date, value } => {
                let date = cell(*date)?;
                let day = Day::last_of(date)
                    .ok_or_else(|| format!("{date:?} is no date; accepted: 2025-01-31, 2025-01 or 2025"))?;
                values.extend(self.map.value(cell(*value)?)?.map(|value| (day, line, value)));
            }
            ValueColumns::Wide(dates) => {
                for (day, at) in dates {
                    let value = self.map.value(cell(*at)?).map_err(|problem| format!("column {day}: {problem}"))?;
                    values.extend(value.map(|value| (*day, line, value)));
                }
            }
        }
        let is_wide = matches!(self.columns.values, ValueColumns::Wide(_));
        let shown = words.iter().map(|(_, word)| *word).collect::<Vec<_>>().join(", ");
        match self.place(&shown, &words) {
            Err(why) => self.leave_out(line, &shown, why),
            Ok(path) => {
                let taken = self.taken.entry(path).or_default();
                match taken.first() {
                    Some((_, first, _)) if is_wide => {
                        let why = format!("line {first} is for the same place");
                        self.leave_out(line, &shown, why);
                    }
                    _ => {
                        self.values += values.len();
                        taken.append(&mut values);
                    }
                }
            }
        }
        Ok(())
    }

    fn place(&mut self, shown: &str, words: &[(AreaKey, &str)]) -> Result<String, String> {
        if let Some(known) = self.places.get(shown) {
            return known.clone();
        }
        let found = place(self.map.country.as_deref(), words);
        if self.places.len() >= CACHED_MAX {
            self.places.clear();
        }
        self.places.insert(shown.to_owned(), found.clone());
        found
    }

    fn leave_out(&mut self, line: u64, words: &str, why: String) {
        self.unmatched += 1;
        if self.first.len() < LISTED_MAX && self.first.iter().all(|listed| listed.words != words) {
            self.first.push(Unmatched { line, words: words.to_owned(), why });
        }
    }

    /// Orders the values by day. Of rows with different values for one place and day, the first counts.
    fn end(mut self) -> Result<ReadReference, String> {
        let mut areas = Vec::with_capacity(self.taken.len());
        let mut doubled: Vec<(u64, String, String)> = Vec::new();
        for (path, mut taken) in std::mem::take(&mut self.taken) {
            taken.sort_unstable_by_key(|(day, line, _)| (*day, *line));
            let mut values: Vec<(Day, f64)> = Vec::with_capacity(taken.len());
            let mut kept = 0;
            for (day, line, value) in taken {
                match values.last() {
                    Some((last, known)) if *last == day => {
                        if known.to_bits() != value.to_bits() {
                            let why = format!("line {kept} has another value for the same place and day");
                            doubled.push((line, format!("{path}, {day}"), why));
                        }
                    }
                    _ => {
                        kept = line;
                        values.push((day, value));
                    }
                }
            }
            if !values.is_empty() {
                areas.push(AreaValues { path, values });
            }
        }
        doubled.sort_unstable();
        for (line, words, why) in doubled {
            self.leave_out(line, &words, why);
        }
        self.first.sort_by_key(|unmatched| unmatched.line);
        if areas.is_empty() {
            let why = self.first.first().map_or_else(
                || "no row has a value".to_owned(),
                |Unmatched { line, words, why }| format!("no row has a known place; line {line}, {words}: {why}"),
            );
            return Err(why);
        }
        let series = ReferenceSeries { name: self.map.name.clone(), unit: self.map.unit, areas };
        Ok(ReadReference { series, rows: self.rows, unmatched: self.unmatched, first: self.first })
    }
}

impl ReferenceMap {
    /// A value; `None` if it is absent.
    fn value(&self, text: &str) -> Result<Option<f64>, String> {
        if text.is_empty() || self.null.iter().any(|null| null == text) {
            return Ok(None);
        }
        let is_plain = text.bytes().all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte));
        let value: Option<f64> = text.parse().ok().filter(|value: &f64| is_plain && value.is_finite());
        let value = value.ok_or_else(|| {
            format!("{text:?} is no number; accepted: a plain number like 1234.5, nothing, or a text of values.null")
        })?;
        Ok(Some(if self.is_percent { value / 100.0 } else { value }))
    }
}
