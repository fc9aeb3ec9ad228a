use stoop_embedded::Database;
use stoop_lake_tables::{Derived, Ingest, TableCounts, record_versions};
use stoop_pipeline::Clock as _;
use stoop_runtime::SystemClock;
use stoop_show::count;
use tokio::runtime::Runtime;

use crate::args::PlaceArgs;
use crate::ingest::{complain_of_held, ingest_database, report};
use crate::out;

/// Copies what is new of a folder's bronze and writes the tables that come from the database, all as of one moment: the
/// star schema compares the two. Prints the outcome. A bucket has bronze of its own.
pub(crate) fn tables(args: &PlaceArgs, runtime: &Runtime) -> anyhow::Result<()> {
    let database = Database::open_read(&args.database, &args.folder_of_database())?;
    let lake = args.lake()?;
    let derived = Derived { lake: &lake, database: &database, now: SystemClock.now() };
    let written = database.reading(|| -> anyhow::Result<(Option<Ingest>, TableCounts)> {
        let copy = || runtime.block_on(ingest_database(&lake, std::sync::Arc::clone(&database)));
        let ingested = args.folder().map(|_| copy()).transpose()?;
        Ok((ingested, runtime.block_on(derived.write())?))
    });
    let (ingested, counts) = written?;
    runtime.block_on(record_versions(&lake, SystemClock.now()))?;
    if args.json {
        out::line(&serde_json::to_string(&counts)?)?;
    } else {
        ingested.as_ref().map(|ingest| report(ingest.counts())).transpose()?;
        for (table, replaced) in counts {
            let changed = if replaced.changed { "" } else { ", as before" };
            out::line(&format!("{table:16} {:>12} rows{changed}", count(replaced.rows)))?;
        }
    }
    ingested.as_ref().map(complain_of_held).transpose()?;
    Ok(())
}
