//! `[keep]`: how long and how much of the removable data is kept.

use stoop_sources::settings::{Mistakes, Section};

use super::values::{bytes, duration_ms};

/// The configured limits; `None` means the default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KeepSettings {
    /// The age of raw pages, in milliseconds.
    pub raw_pages_ms: Option<u64>,
    /// The most bytes of raw pages.
    pub raw_pages_bytes: Option<u64>,
    /// The age of runs, in milliseconds.
    pub runs_ms: Option<u64>,
    /// The age of rejects, in milliseconds.
    pub quarantine_ms: Option<u64>,
    /// The most rejects.
    pub quarantine_rows: Option<u64>,
    /// The most unused bytes of the database file.
    pub free_bytes: Option<u64>,
}

const KEYS: [&str; 6] = ["raw_pages", "raw_pages_size", "runs", "quarantine", "quarantine_rows", "free_size"];

pub(super) fn keep_settings(section: &Section<'_>, mistakes: &mut Mistakes<'_>) -> KeepSettings {
    section.only(&KEYS, mistakes);
    let mut span = |key| section.has(key).then(|| duration_ms(section, key, 0, mistakes));
    let (raw_pages_ms, runs_ms, quarantine_ms) = (span("raw_pages"), span("runs"), span("quarantine"));
    KeepSettings {
        raw_pages_ms,
        raw_pages_bytes: bytes(section, "raw_pages_size", mistakes),
        runs_ms,
        quarantine_ms,
        quarantine_rows: section.count("quarantine_rows", mistakes),
        free_bytes: bytes(section, "free_size", mistakes),
    }
}
