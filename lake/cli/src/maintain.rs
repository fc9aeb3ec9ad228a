use anyhow::bail;
use stoop_lake_tables::{Maintained, RETENTION_DAYS, maintain, record_versions};
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
        out::line(&format!("{:16} {}", done.table, parts(&done).join(", ")))?;
    }
    Ok(())
}

fn parts(done: &Maintained) -> Vec<String> {
    let mut parts = Vec::new();
    if done.files_merged > 0 {
        let (rows, bytes) = (plural(done.rows_written, "row"), count(done.bytes_written));
        let files = plural(done.files_merged, "file");
        parts.push(format!("{files} merged into {} ({rows}, {bytes} bytes)", count(done.files_written)));
    }
    parts.extend(done.checkpoint.map(|version| format!("checkpoint {version}")));
    if done.files_removed > 0 {
        let (files, bytes) = (plural(done.files_removed, "old file"), count(done.bytes_removed));
        parts.push(format!("{files} removed ({bytes} bytes)"));
    }
    if done.log_files_removed > 0 {
        parts.push(format!("{} of the log removed", plural(done.log_files_removed, "file")));
    }
    if done.conflicts > 0 {
        parts.push(plural(done.conflicts, "conflict"));
    }
    parts
}
