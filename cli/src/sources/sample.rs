use std::path::Path;

use csv::ByteRecord;
use serde_json::Value;
use stoop_domain::Time;
use stoop_drafts::{Layout, Sample};
use stoop_files::{Beginning, Content, Format, ReadOptions, Rows, open_bytes};
use stoop_pipeline::ParseReport;
use stoop_sources::declared::{self, Map, RowOutcome};
use stoop_sources::text::without_bare_nan;
use stoop_sources::{Row, SeenListing};

use crate::failure::usage;
use crate::input::Input;

/// Rows read from a sample.
const ROWS_MAX: usize = 2_000;

/// The longest document, or row of a file, in bytes.
const BYTES_MAX: usize = 64 << 20;

/// Bytes at the beginning of a sample that show its layout.
const PROBED_BYTES: usize = 4 << 20;

/// Reads a sample in any format that a map can read.
pub(super) fn read(input: &Input) -> anyhow::Result<Sample> {
    let path = &input.name;
    let beginning = stoop_files::beginning(path, input.bytes(), PROBED_BYTES).map_err(usage)?;
    let Beginning { bytes, cut, format, delimiter } = beginning;
    let layout = match format {
        Format::Csv => Layout::of_csv(&bytes, cut, delimiter),
        Format::Json | Format::JsonLines => Layout::of_text(&bytes, cut),
        Format::Parquet | Format::Xlsx | Format::Xml | Format::Html | Format::Blm => Layout::default(),
    };
    let Layout { encoding, delimiter, skip_lines, comments } = layout.clone();
    let options =
        ReadOptions { encoding, delimiter, skip_lines, comments, row_bytes_max: BYTES_MAX, ..ReadOptions::default() };
    let mut rows = open_bytes(path, input.bytes(), &options).map_err(usage)?;
    let Some(headers) = rows.headers().cloned() else {
        return Ok(json(path, matches!(format, Format::Json), &mut rows)?.opened(layout));
    };
    let mut records: Vec<ByteRecord> = Vec::new();
    while let Some(row) = rows.next_row() {
        // The draft reports unreadable rows when it reads the file.
        if let Ok(row) = row
            && let Content::Csv(record) = row.content
        {
            records.push(record.clone());
        }
        if records.len() == ROWS_MAX {
            break;
        }
    }
    let sample = Sample::of_csv(&headers, records).map_err(|error| usage(format!("{}: {error}", path.display())))?;
    Ok(sample.opened(layout))
}

fn json(path: &Path, is_document: bool, rows: &mut Rows) -> anyhow::Result<Sample> {
    let shown = path.display();
    let mut values: Vec<Value> = Vec::new();
    let mut fault = None;
    while let Some(row) = rows.next_row() {
        match row {
            Ok(row) => {
                if let Content::Json(bytes) = row.content {
                    match parsed(bytes) {
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
    let sample = match (values.pop(), fault) {
        (None, Some(fault)) => return Err(usage(format!("{shown}: {fault}"))),
        (None, None) => return Err(usage(format!("{shown} is empty"))),
        // A single object either holds the rows or is a row.
        (Some(only), _) if values.is_empty() && is_document => Sample::of_document(only),
        (Some(last), _) => {
            values.push(last);
            Sample::of_rows(values)
        }
    };
    sample.map_err(|error| usage(format!("{shown}: {error}")))
}

/// Parses a row or a document, as maps read it: a bare `NaN` is no value.
fn parsed(bytes: &[u8]) -> serde_json::Result<Value> {
    serde_json::from_slice(bytes).or_else(|error| {
        let mended = std::str::from_utf8(bytes).ok().and_then(without_bare_nan);
        mended.map_or(Err(error), |mended| serde_json::from_str(&mended))
    })
}

/// Reads the file with a map, as `stoop replay` does, and counts what is understood.
pub(super) fn understood(input: &Input, map: &Map, now: Time) -> anyhow::Result<ParseReport> {
    let options = ReadOptions { row_bytes_max: BYTES_MAX, ..ReadOptions::of(map) };
    let mut rows = open_bytes(&input.name, input.bytes(), &options).map_err(usage)?;
    let bound = rows.headers().map_or_else(|| Ok(map.bind_json()), |headers| map.bind_csv(headers));
    let mut reader = bound.map_err(usage)?;
    let name = input.name.display().to_string();
    let mut understood = ParseReport::default();
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
                    Content::Json(bytes) => reader.read(declared::RowBytes::Json(bytes), &name, now),
                    Content::Csv(record) => reader.read(declared::RowBytes::Csv(record), &name, now),
                    Content::Comment(_) => continue,
                };
                match read {
                    Ok(RowOutcome::Skipped) => continue,
                    Ok(RowOutcome::Observation(seen, refused)) => {
                        let at = (seen.at != now).then_some(seen.at);
                        Row::Found(Box::new(SeenListing {
                            at,
                            refused,
                            ..SeenListing::now(seen.native_id, seen.listing)
                        }))
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
