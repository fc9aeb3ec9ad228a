use serde::{Deserialize, Serialize};
use stoop_sources::Cursor;

use crate::ports::{FileVersion, ScanCheckpoint};

/// How far a file was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct FilePosition {
    pub(super) mark: u64,
    pub(super) rows: u64,
    /// Rows with an unreadable ID.
    pub(super) unread: u64,
    /// Whether it was read to its end, and its missing listings are noted.
    pub(super) judged: bool,
}

impl FilePosition {
    pub(super) fn begin(file: &FileVersion) -> Self {
        Self { mark: mark(file), rows: 0, unread: 0, judged: false }
    }

    /// Parses the position in an earlier run's checkpoint.
    pub(super) fn of(checkpoint: Option<&ScanCheckpoint>) -> Option<Self> {
        serde_json::from_str(&checkpoint?.cursor.position).ok()
    }

    pub(super) fn cursor(self) -> Cursor {
        let position = serde_json::to_string(&self).expect("numbers make JSON");
        Cursor { position, ..Cursor::default() }
    }
}

/// Returns the mark of a file's version.
pub(super) fn mark(file: &FileVersion) -> u64 {
    let FileVersion { name, size, modified, tag } = file;
    let version = format!("{size}\n{}\n{}\n{name}", modified.ms(), tag.as_deref().unwrap_or_default());
    let hash = blake3::hash(version.as_bytes());
    u64::from_le_bytes(std::array::from_fn(|i| hash.as_bytes()[i]))
}
