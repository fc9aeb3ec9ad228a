use std::collections::HashSet;

use deltalake::checkpoints::{cleanup_metadata, create_checkpoint};
use deltalake::logstore::object_store::path::Path;
use deltalake::logstore::object_store::{Error as StoreError, ObjectStoreExt as _};
use futures_util::TryStreamExt as _;
use serde_json::Value;
use stoop_domain::Time;

use crate::compact::compact;
use crate::error::{Doing, LakeError};
use crate::maintained::Maintained;
use crate::place::Lake;
use crate::specs::{self, Spec};
use crate::table::LakeTable;

/// The days that files stay which no current version has: a reader of an old version needs them.
pub const RETENTION_DAYS: u32 = 7;
/// The longest retention: the log forgets later which files were removed when.
pub const RETENTION_DAYS_MAX: u32 = 30;
/// Versions after the last checkpoint that are read one by one.
const VERSIONS: u64 = 10;

/// Keeps all tables small and quick to read: merges files, writes checkpoints, and removes files that no version of the
/// last `retention_days` days has. It may be stopped or killed at any moment, and goes on next time.
///
/// # Errors
/// If the retention is longer than [`RETENTION_DAYS_MAX`], or a table cannot be read or written.
pub async fn maintain(
    lake: &Lake,
    retention_days: u32,
    now: Time,
    stop: &dyn Fn() -> bool,
) -> Result<Vec<Maintained>, LakeError> {
    if retention_days > RETENTION_DAYS_MAX {
        let detail = format!("a retention of {retention_days} days; at most {RETENTION_DAYS_MAX}");
        return Err(LakeError::Missing(detail));
    }
    let names = lake.tables().await?;
    let mut all = Vec::new();
    for spec in specs::all().into_iter().filter(|spec| names.iter().any(|name| *name == spec.name)) {
        if stop() {
            break;
        }
        all.push(maintain_one(lake, &spec, retention_days, now, stop).await?);
    }
    Ok(all)
}

async fn maintain_one(
    lake: &Lake,
    spec: &Spec,
    retention_days: u32,
    now: Time,
    stop: &dyn Fn() -> bool,
) -> Result<Maintained, LakeError> {
    let mut done = Maintained { table: spec.name.to_string(), ..Maintained::default() };
    let mut table = LakeTable::open(lake, spec, now).await?;
    if spec.key.is_some() {
        compact(&mut table, spec, now, stop, &mut done).await?;
    }
    if stop() {
        return Ok(done);
    }
    let failed = Doing::new(format!("write a checkpoint of the table {}", table.name()));
    if table.version() >= last_checkpoint(&table).await?.map_or(VERSIONS, |last| last + VERSIONS) {
        create_checkpoint(table.delta(), None).await.map_err(|error| failed.by(error))?;
        done.checkpoint = Some(table.version());
        let removed = cleanup_metadata(table.delta(), None).await.map_err(|error| failed.by(error))?;
        done.log_files_removed = removed as u64;
    }
    vacuum(&table, retention_days, now, stop, &mut done).await?;
    Ok(done)
}

/// The version of the newest checkpoint.
async fn last_checkpoint(table: &LakeTable) -> Result<Option<u64>, LakeError> {
    let failed = Doing::new(format!("read the last checkpoint of the table {}", table.name()));
    match table.log().object_store(None).get(&Path::from("_delta_log/_last_checkpoint")).await {
        Ok(found) => {
            let bytes = found.bytes().await.map_err(|error| failed.by(error))?;
            // It is a hint. Where it is unreadable, a new checkpoint makes it anew.
            let last: Value = serde_json::from_slice(&bytes).unwrap_or_default();
            Ok(last["version"].as_u64())
        }
        Err(StoreError::NotFound { .. }) => Ok(None),
        Err(error) => Err(failed.by(error)),
    }
}

/// Removes files that no version of the retention has: those that were removed from the table before, and older ones that
/// no version ever had. A writer may be about to commit one of those, so they stay a day at least.
async fn vacuum(
    table: &LakeTable,
    retention_days: u32,
    now: Time,
    stop: &dyn Fn() -> bool,
    done: &mut Maintained,
) -> Result<(), LakeError> {
    let since = now.plus_ms(-i64::from(retention_days) * Time::DAY_MS);
    let orphans_since = since.min(now.plus_ms(-Time::DAY_MS));
    let failed = Doing::new(format!("remove old files of the table {}", table.name()));
    let mut needed: HashSet<String> = table.files()?.iter().map(|file| file.path().into_owned()).collect();
    let tombstones: Vec<_> =
        table.state()?.all_tombstones(table.log().as_ref()).try_collect().await.map_err(|error| failed.by(error))?;
    let is_recent = |at: Option<i64>| at.is_none_or(|at| at >= since.ms());
    needed.extend(
        tombstones.iter().filter(|file| is_recent(file.deletion_timestamp())).map(|file| file.path().into_owned()),
    );
    let removed: HashSet<String> = tombstones.iter().map(|file| file.path().into_owned()).collect();
    let store = table.log().object_store(None);
    let objects: Vec<_> = store.list(None).try_collect().await.map_err(|error| failed.by(error))?;
    for object in objects {
        let path = object.location.as_ref();
        let is_data = !path.starts_with('_') && path.ends_with(".parquet");
        let since = if removed.contains(path) { since } else { orphans_since };
        if stop() {
            break;
        }
        if is_data && !needed.contains(path) && object.last_modified.timestamp_millis() < since.ms() {
            store.delete(&object.location).await.map_err(|error| failed.by(error))?;
            done.files_removed += 1;
            done.bytes_removed += object.size;
        }
    }
    Ok(())
}
