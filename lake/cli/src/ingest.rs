use stoop_embedded::Database;
use stoop_lake_tables::{Bronze, Ingest, Waiting};
use stoop_pipeline::Clock as _;
use stoop_runtime::SystemClock;

use crate::args::IngestArgs;
use crate::out;

/// Copies bronze into tables and prints the outcome.
pub(crate) async fn ingest(args: &IngestArgs) -> anyhow::Result<()> {
    let lake = args.place.lake()?;
    let mut ingest = Ingest::open(&lake, SystemClock.now()).await?;
    let taken = if args.all { Default::default() } else { ingest.taken().await? };
    let mut bronze = match args.place.folder() {
        Some(data) => Bronze::of_database(Database::open_read(&args.place.database, &data)?, taken),
        None => {
            let files = Waiting::list(&lake, &taken).await?;
            Bronze::of_bucket(lake, files)
        }
    };
    while let Some(chunk) = bronze.next().await? {
        ingest.take(&chunk, SystemClock.now()).await?;
    }
    let counts = ingest.counts();
    if args.place.json {
        out::line(&serde_json::to_string(&counts)?)?;
    } else {
        out::line(&format!("{} lines of {} new files of bronze, and of the outbox", counts.lines, counts.objects))?;
        out::line(&format!("{} observations added, {} there already", counts.added, counts.repeated))?;
        out::line(&format!("{} lines in quarantine", counts.quarantined))?;
    }
    let damaged = ingest.damaged().iter().map(|file| format!("{}: {}", file.object, file.why));
    let damaged: Vec<String> = damaged.collect();
    anyhow::ensure!(damaged.is_empty(), "files of bronze cannot be read to their ends: {}", damaged.join("; "));
    Ok(())
}
