use anyhow::ensure;
use stoop_embedded::Database;
use stoop_lake_tables::{Bronze, Ingest, IngestCounts, Lake, Waiting, record_versions};
use stoop_pipeline::Clock as _;
use stoop_runtime::SystemClock;
use stoop_show::{count, plural};

use crate::args::IngestArgs;
use crate::out;

/// Copies bronze into tables and prints the outcome.
pub(crate) async fn ingest(args: &IngestArgs) -> anyhow::Result<()> {
    let lake = args.place.lake()?;
    // Before any table is made.
    let folder = args.place.folder();
    let database = folder.map(|data| Database::open_read(&args.place.database, &data)).transpose()?;
    let mut ingest = Ingest::open(&lake, SystemClock.now()).await?;
    let taken = if args.all { Default::default() } else { ingest.taken().await? };
    let bronze = match database {
        Some(database) => Bronze::of_database(database, taken),
        None => Bronze::of_bucket(lake.clone(), Waiting::list(&lake, &taken).await?),
    };
    copy(&mut ingest, bronze).await?;
    record_versions(&lake, SystemClock.now()).await?;
    let counts = ingest.counts();
    if args.place.json {
        out::line(&serde_json::to_string(&counts)?)?;
    } else {
        report(counts)?;
    }
    complain_of_held(&ingest)
}

/// Copies what is new of a laptop's bronze. Inside of [`Database::reading`] it is as of that moment.
pub(crate) async fn ingest_database(lake: &Lake, database: std::sync::Arc<Database>) -> anyhow::Result<Ingest> {
    let mut ingest = Ingest::open(lake, SystemClock.now()).await?;
    let taken = ingest.taken().await?;
    copy(&mut ingest, Bronze::of_database(database, taken)).await?;
    Ok(ingest)
}

async fn copy(ingest: &mut Ingest, mut bronze: Bronze) -> anyhow::Result<()> {
    while let Some(chunk) = bronze.next().await? {
        ingest.take(&chunk, SystemClock.now()).await?;
    }
    Ok(())
}

/// Says what was copied.
pub(crate) fn report(counts: IngestCounts) -> anyhow::Result<()> {
    let (lines, files) = (plural(counts.lines, "line"), plural(counts.objects, "new file"));
    out::line(&format!("{lines} read: {files} of bronze, and what is in no file yet"))?;
    let (added, there) = (plural(counts.added, "observation"), count(counts.repeated));
    out::line(&format!("{added} added, {there} there already; {} in quarantine", plural(counts.quarantined, "line")))?;
    Ok(())
}

/// # Errors
/// If files were not taken as a whole.
pub(crate) fn complain_of_held(ingest: &Ingest) -> anyhow::Result<()> {
    let held: Vec<String> = ingest.held().iter().map(|file| format!("{}: {}", file.object, file.why)).collect();
    ensure!(
        held.is_empty(),
        "files of bronze cannot be taken as a whole, and are read again next time: {}",
        held.join("; ")
    );
    Ok(())
}
