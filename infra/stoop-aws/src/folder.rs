//! The folder that a stack is pulled into; `stoop --db FOLDER/stoop.db` reads it.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result, bail, ensure};
use stoop_embedded::Database;
use stoop_pipeline::Clock;
use stoop_runtime::SystemClock;

const DATABASE: &str = "stoop.db";
const DATA: &str = "stoop-data";

/// Opens the folder for writing, and creates it if needed. A folder with other content is refused.
pub(crate) fn open(folder: &Path, command: &str) -> Result<Arc<Database>> {
    let path = folder.join(DATABASE);
    if !path.exists() {
        std::fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
        let mut entries = std::fs::read_dir(folder).with_context(|| format!("cannot list {}", folder.display()))?;
        ensure!(
            entries.next().is_none(),
            "{} has other content; accepted: a new folder, or one that was pulled into",
            folder.display()
        );
    }
    let database = Database::open(&path, &folder.join(DATA))?;
    if let Some(other) = database.begin_work(command, SystemClock.now())?.first() {
        bail!("`{}` (process {}) works on {}: try again when it has ended", other.command, other.pid, path.display());
    }
    database.begin_import()?;
    Ok(database)
}

/// Opens a folder for reading. Any folder of the laptop's `stoop` will do.
pub(crate) fn open_read(folder: &Path) -> Result<Arc<Database>> {
    Ok(Database::open_read(&folder.join(DATABASE), &folder.join(DATA))?)
}
