//! Where a command finds the database and the data.

use std::path::{Path, PathBuf};

use clap::Args;

/// Where the database and the data are.
#[derive(Args, Clone)]
pub(crate) struct StoreArgs {
    /// The database file [default: stoop.db]
    #[arg(long, global = true, value_name = "FILE", help_heading = "Everywhere")]
    db: Option<PathBuf>,
    /// The folder of the lake, raw pages and alerts.jsonl [default: stoop-data next to the database]
    #[arg(long, global = true, value_name = "DIR", help_heading = "Everywhere")]
    data: Option<PathBuf>,
}

impl StoreArgs {
    /// The database file: as named, otherwise `stoop.db`.
    pub(crate) fn db(&self) -> &Path {
        self.db.as_deref().unwrap_or(Path::new("stoop.db"))
    }

    /// The data folder: as named, otherwise `stoop-data` next to the database.
    pub(crate) fn data(&self) -> PathBuf {
        self.data.clone().unwrap_or_else(|| self.db().with_file_name("stoop-data"))
    }

    /// Fills in from a configuration what the command line leaves open. A data folder of the configuration belongs to
    /// its database, not to one that the command line names.
    pub(crate) fn or(&self, config: &stoop_runtime::Config) -> Self {
        let data = self.data.clone().or_else(|| config.data.clone().filter(|_| self.db.is_none()));
        Self { db: self.db.clone().or_else(|| config.database.clone()), data }
    }
}
