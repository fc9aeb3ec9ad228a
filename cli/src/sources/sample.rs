use std::path::Path;

use csv::ByteRecord;
use serde_json::Value;
use stoop_domain::Time;
use stoop_files::{Content, ReadOptions, open};
use stoop_pipeline::Understood;
use stoop_sources::declared::{self, Map, Outcome};
use stoop_sources::draft::Sample;
use stoop_sources::{Found, Row};

use crate::failure::usage;

/// Rows of a sample that are read: enough to see what is in them.
const ROWS_MAX: usize = 2_000;

/// The longest document, or row of a file.
const BYTES_MAX: usize = 64 << 20;

/// Signs that stand between columns where it is no comma.
const DELIMITERS: [u8; 3] = [b';', b'\t', b'|'];

/// Reads a sample of any format that a map reads.
pub(super) fn read(path: &Path) -> anyhow::Result<Sample> {
    let options = ReadOptions { row_bytes_max: BYTES_MAX, ..ReadOptions::default() };
    let mut rows = open(path, &options).map_err(usage)?;
    let Some(headers) = rows.headers().cloned() else { return json(path, &mut rows) };
    let sign = delimiter(&headers);
    if sign.is_some() {
        rows = open(path, &ReadOptions { delimiter: sign, ..options }).map_err(usage)?;
    }
    let headers = rows.headers().cloned().unwrap_or_default();
    let mut records: Vec<ByteRecord> = Vec::new();
    while let Some(row) = rows.next_row() {
        // What cannot be had is told of when the draft reads the file.
        if let Ok(row) = row
            && let Content::Csv(record) = row.content
        {
            records.push(record.clone());
        }
        if records.len() == ROWS_MAX {
            break;
        }
    }
    Sample::of_csv(&headers, records, sign).map_err(|error| usage(format!("{}: {error}", path.display())))
}

/// The sign that makes more than one column of a header that has none by commas.
fn delimiter(headers: &ByteRecord) -> Option<u8> {
    let only = (headers.len() == 1).then(|| headers.get(0).unwrap_or_default())?;
    DELIMITERS.into_iter().find(|sign| only.contains(sign))
}

fn json(path: &Path, rows: &mut stoop_files::Rows) -> anyhow::Result<Sample> {
    let shown = path.display();
    let mut values: Vec<Value> = Vec::new();
    let mut fault = None;
    while let Some(row) = rows.next_row() {
        match row {
            Ok(row) => {
                if let Content::Json(bytes) = row.content {
                    match serde_json::from_slice(bytes) {
                        Ok(value) => values.push(value),
                        Err(error) => fault = fault.or(Some(format!("{}: no JSON: {error}", row.location))),
                    }
                }
            }
            Err(error) => fault = fault.or(Some(error.to_string())),
        }
        if values.len() == ROWS_MAX {
            break;
        }
    }
    let is_document = !is_lines(path);
    let sample = match (values.pop(), fault) {
        (None, Some(fault)) => return Err(usage(format!("{shown}: {fault}"))),
        (None, None) => return Err(usage(format!("{shown} is empty"))),
        // An object alone is what holds the rows, or a row.
        (Some(only), _) if values.is_empty() && is_document => Sample::of_document(only),
        (Some(last), _) => {
            values.push(last);
            Sample::of_rows(values)
        }
    };
    sample.map_err(|error| usage(format!("{shown}: {error}")))
}

/// Whether a file has a row on each line, by its name.
fn is_lines(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
    [".jsonl", ".ndjson", ".parquet"].iter().any(|part| name.contains(part))
}

/// Reads the file with a map, as `stoop replay` does, and counts what is understood.
pub(super) fn understood(path: &Path, map: &Map, now: Time) -> anyhow::Result<Understood> {
    let options = ReadOptions { row_bytes_max: BYTES_MAX, ..ReadOptions::of(map) };
    let mut rows = open(path, &options).map_err(usage)?;
    let bound = rows.headers().map_or_else(|| Ok(map.bind_json()), |headers| map.bind_csv(headers));
    let mut reader = bound.map_err(usage)?;
    let name = path.display().to_string();
    let mut understood = Understood::default();
    while let Some(row) = rows.next_row() {
        let row = match row {
            Err(fault) => Row::Refused {
                native_id: None,
                reason: fault.reason,
                detail: format!("{}: {}", fault.location, fault.detail),
                raw: String::from_utf8_lossy(&fault.raw).into_owned(),
            },
            Ok(row) => {
                let read = match row.content {
                    Content::Json(bytes) => reader.read(declared::Row::Json(bytes), &name, now),
                    Content::Csv(record) => reader.read(declared::Row::Csv(record), &name, now),
                };
                match read {
                    Ok(Outcome::Skipped) => continue,
                    Ok(Outcome::Observation(seen)) => {
                        let at = (seen.at != now).then_some(seen.at);
                        Row::Found(Box::new(Found { native_id: seen.native_id, at, listing: seen.listing }))
                    }
                    Err(error) => Row::Refused {
                        native_id: None,
                        reason: error.reason,
                        detail: format!("{}: {}", row.location, error.detail),
                        raw: String::from_utf8_lossy(&row.content.raw()).into_owned(),
                    },
                }
            }
        };
        understood.take(map.name(), row, now);
    }
    Ok(understood)
}
