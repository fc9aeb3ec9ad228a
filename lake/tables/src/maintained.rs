use serde::Serialize;

/// What was done to a table.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Maintained {
    /// The name of the table.
    pub table: String,
    /// Small files that were merged.
    pub files_merged: u64,
    /// The files that they became.
    pub files_written: u64,
    /// Rows that were written to other files.
    pub rows_written: u64,
    /// The size of the files that were written.
    pub bytes_written: u64,
    /// Commits that were repeated because another writer was quicker.
    pub conflicts: u64,
    /// The version of the checkpoint that was written, if one was.
    pub checkpoint: Option<u64>,
    /// Entries of the log that were removed.
    pub log_files_removed: u64,
    /// Files that were removed from the folder.
    pub files_removed: u64,
    /// Their size.
    pub bytes_removed: u64,
}

impl Maintained {
    /// Whether there was nothing to do.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        *self == Self { table: self.table.clone(), ..Self::default() }
    }
}
