use anyhow::bail;
use stoop_lake_tables::{RETENTION_DAYS, maintain};
use stoop_pipeline::Clock as _;
use stoop_runtime::SystemClock;

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
    for done in maintain(&lake, args.retention_days, SystemClock.now(), &|| false).await? {
        if args.place.json {
            out::line(&serde_json::to_string(&done)?)?;
            continue;
        }
        let checkpoint = done.checkpoint.map(|version| format!(", checkpoint {version}")).unwrap_or_default();
        out::line(&format!(
            "{:16} {} files into {} ({} rows, {} bytes){checkpoint}, {} old files removed ({} bytes)",
            done.table,
            done.files_merged,
            done.files_written,
            done.rows_written,
            done.bytes_written,
            done.files_removed,
            done.bytes_removed
        ))?;
    }
    Ok(())
}
