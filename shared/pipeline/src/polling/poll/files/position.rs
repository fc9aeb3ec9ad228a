use serde::{Deserialize, Serialize};
use stoop_sources::Cursor;

use crate::ports::{FileVersion, ScanCheckpoint};

/// How far a file was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct FilePosition {
    pub(super) mark: u64,
    pub(super) rows: u64,
    /// Rows without a readable ID.
    pub(super) unread: u64,
    /// The whole file was read, and the listings that it misses are marked.
    pub(super) judged: bool,
}

impl FilePosition {
    pub(super) fn begin(file: &FileVersion) -> Self {
        Self { mark: mark(file), rows: 0, unread: 0, judged: false }
    }

    /// The position in the checkpoint of an earlier run.
    pub(super) fn of(checkpoint: Option<&ScanCheckpoint>) -> Option<Self> {
        serde_json::from_str(&checkpoint?.cursor.position).ok()
    }

    pub(super) fn cursor(self) -> Cursor {
        let position = serde_json::to_string(&self).expect("numbers make JSON");
        Cursor { position, ..Cursor::default() }
    }
}

/// A mark of a version of a file.
pub(super) fn mark(file: &FileVersion) -> u64 {
    let FileVersion { name, size, modified, tag } = file;
    let version = format!("{size}\n{}\n{}\n{name}", modified.ms(), tag.as_deref().unwrap_or_default());
    let hash = blake3::hash(version.as_bytes());
    u64::from_le_bytes(std::array::from_fn(|i| hash.as_bytes()[i]))
}
