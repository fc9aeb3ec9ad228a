use stoop_embedded::Database;
use stoop_lake_tables::{Derived, TableCounts};
use stoop_pipeline::Clock as _;
use stoop_runtime::SystemClock;
use tokio::runtime::Runtime;

use crate::args::PlaceArgs;
use crate::out;

/// Writes the tables that come from the database, all as of one moment, and prints the outcome.
pub(crate) fn tables(args: &PlaceArgs, runtime: &Runtime) -> anyhow::Result<()> {
    let database = Database::open_read(&args.database, &args.folder_of_database())?;
    let lake = args.lake()?;
    let derived = Derived { lake: &lake, database: &database, now: SystemClock.now() };
    let counts = database.reading(|| -> anyhow::Result<TableCounts> { Ok(runtime.block_on(derived.write())?) })?;
    if args.json {
        out::line(&serde_json::to_string(&counts)?)?;
        return Ok(());
    }
    for (table, replaced) in counts {
        let changed = if replaced.changed { "" } else { ", as before" };
        out::line(&format!("{table:16} {:>10} rows{changed}", replaced.rows))?;
    }
    Ok(())
}
