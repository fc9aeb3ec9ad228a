//! A file of rows: any bytes under any name are refused, or give rows and faults in the order of the file, of which JSON is
//! JSON.
#![no_main]

use std::path::Path;
use std::sync::Arc;

use libfuzzer_sys::fuzz_target;
use stoop_files::{Content, ReadOptions, open_bytes};

const NAMES: [&str; 8] = ["x.csv", "x.tsv", "x.json", "x.jsonl", "x.xml", "x.html", "x.blm", "x.xlsx"];

/// More rows than any input has, packed ones included.
const ROWS_MAX: usize = 1 << 20;

fuzz_target!(|input: &[u8]| {
    let Some((name, bytes)) = input.split_first() else { return };
    let path = Path::new(NAMES[usize::from(*name) % NAMES.len()]);
    let is_made = ["x.xml", "x.html", "x.xlsx"].iter().any(|made| path == Path::new(made));
    let options = ReadOptions { row_bytes_max: 1 << 16, ..ReadOptions::default() };
    let Ok(mut rows) = open_bytes(path, Arc::new(bytes.to_vec()), &options) else { return };
    let mut count = 0;
    let mut last = None;
    while let Some(row) = rows.next_row() {
        let location = match &row {
            Ok(row) => row.location,
            Err(fault) => fault.location,
        };
        assert!(last <= Some(location), "{last:?} before {location:?}");
        last = Some(location);
        if let Ok(row) = row
            && let Content::Json(json) = row.content
            && is_made
        {
            serde_json::from_slice::<serde_json::Value>(json).unwrap();
        }
        count += 1;
        assert!(count < ROWS_MAX, "no end");
    }
});
