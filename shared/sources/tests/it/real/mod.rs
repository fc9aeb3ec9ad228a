//! Recorded data of real sources, if it exists.

#![allow(dead_code, reason = "each test file uses its part")]

use std::io::Read;
use std::path::PathBuf;

use stoop_sources::{Params, Source, build};

/// An unpacked data file; `None`, with a note on standard error, if the data is missing.
pub(crate) fn data(name: &str) -> Option<Vec<u8>> {
    let root = std::env::var_os("STOOP_DATA")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"), PathBuf::from);
    if !root.is_dir() {
        eprintln!("skipped: ../shared/data is not here");
        return None;
    }
    let bytes = std::fs::read(root.join(name)).unwrap();
    if !name.ends_with(".gz") {
        return Some(bytes);
    }
    let mut plain = Vec::new();
    flate2::read::GzDecoder::new(&bytes[..]).read_to_end(&mut plain).unwrap();
    Some(plain)
}

/// A recorded answer.
pub(crate) fn payload(name: &str) -> Option<Vec<u8>> {
    data(&format!("payloads/{name}"))
}

/// A source of a built-in kind.
pub(crate) fn source(kind: &str, params: &[(&str, &str)]) -> Box<dyn Source> {
    let params: Params = params.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    build(kind, &params).unwrap()
}
