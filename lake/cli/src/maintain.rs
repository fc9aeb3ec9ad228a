use anyhow::bail;
use stoop_lake_tables::{RETENTION_DAYS, maintain, record_versions};
use stoop_pipeline::Clock as _;
use stoop_runtime::SystemClock;
use stoop_show::{count, plural};

use crate::args::MaintainArgs;
use crate::out;

/// Merges files, writes checkpoints, removes old files, and prints what was done.
pub(crate) async fn run(args: &MaintainArgs) -> anyhow::Result<()> {
    if args.retention_days < RETENTION_DAYS && !args.force {
        bail!(
            "a retention of {} days: who reads an older version for longer loses its files; at least {RETENTION_DAYS}, \
             or say --force",
            args.retention_days
        );
    }
    let lake = args.place.lake()?;
    let maintained = maintain(&lake, args.retention_days, SystemClock.now(), &|| false).await?;
    record_versions(&lake, SystemClock.now()).await?;
    for done in maintained {
        if args.place.json {
            out::line(&serde_json::to_string(&done)?)?;
            continue;
        }
        if done.is_idle() {
            out::line(&format!("{:16} nothing to do", done.table))?;
            continue;
        }
        let checkpoint = done.checkpoint.map(|version| format!(", checkpoint {version}")).unwrap_or_default();
        let (rows, written, removed) = (count(done.rows_written), count(done.bytes_written), count(done.bytes_removed));
        out::line(&format!(
            "{:16} {} into {} ({rows} rows, {written} bytes){checkpoint}, {} removed ({removed} bytes)",
            done.table,
            plural(done.files_merged, "file"),
            count(done.files_written),
            plural(done.files_removed, "old file"),
        ))?;
    }
    Ok(())
}
