use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use deltalake::arrow::datatypes::{Schema, SchemaRef};
use deltalake::kernel::engine::arrow_conversion::TryIntoArrow as _;
use deltalake::kernel::{Action, Add, LogicalFileView};
use deltalake::logstore::object_store::ObjectStoreExt as _;
use deltalake::logstore::object_store::path::Path;
use deltalake::protocol::DeltaOperation;
use stoop_domain::Time;

use crate::error::{Doing, LakeError};
use crate::files::FileWriter;
use crate::maintained::Maintained;
use crate::merge::Merge;
use crate::replace::FILE_BYTES;
use crate::specs::Spec;
use crate::table::{Effect, LakeTable};

/// Files that are merged at a time.
const FILES_MAX: usize = 32;
/// A file of at least this size stays as it is.
const SMALL_BYTES: i64 = (FILE_BYTES / 2) as i64;
/// How often a merge is committed again because another writer was quicker.
const ATTEMPTS_MAX: u32 = 50;

/// Merges the small files of each partition into sorted ones of about 64 MB. Each merge is a version of its own, so that
/// a process that dies loses one. The rows stay the same.
pub(crate) async fn compact(
    table: &mut LakeTable,
    spec: &Spec,
    now: Time,
    stop: &dyn Fn() -> bool,
    done: &mut Maintained,
) -> Result<(), LakeError> {
    while let Some((partition, files)) = next_group(table, spec)?
        && !stop()
    {
        // Each time anew: a newer program may have added a column since.
        let schema = columns_of(table, spec)?;
        let added = merge(table, spec, &schema, partition, &files, now).await?;
        if !commit(table, &files, &added, done).await? {
            // Another process has merged them.
            for add in &added {
                drop(table.log().object_store(None).delete(&Path::from(add.path.as_str())).await);
            }
        }
    }
    Ok(())
}

/// The columns of the table but the one that separates files: also those of a newer program.
fn columns_of(table: &LakeTable, spec: &Spec) -> Result<SchemaRef, LakeError> {
    let failed = Doing::new(format!("read the schema of the table {}", table.name()));
    let schema: Schema = table.state()?.schema().as_ref().try_into_arrow().map_err(|error| failed.by(error))?;
    let fields = schema.fields().iter().filter(|field| Some(field.name().as_str()) != spec.partition);
    // Comments belong into the log.
    Ok(Arc::new(Schema::new(fields.map(|field| field.as_ref().clone().with_metadata([].into())).collect::<Vec<_>>())))
}

/// A partition and its small files.
type SmallFiles = (Option<String>, Vec<LogicalFileView>);

/// Small files of one partition that are worth to be merged.
fn next_group(table: &LakeTable, spec: &Spec) -> Result<Option<SmallFiles>, LakeError> {
    let mut small: BTreeMap<Option<String>, Vec<LogicalFileView>> = BTreeMap::new();
    for file in table.files()? {
        if file.size() < SMALL_BYTES {
            let partition = spec.partition.and_then(|column| file.partition_values_map().remove(column).flatten());
            small.entry(partition).or_default().push(file);
        }
    }
    for (partition, mut files) in small {
        // Of like size, neighbours in time, so that a merged file is of a short time and is not searched for other rows.
        files.sort_by_key(|file| (file.size().max(1).ilog2(), file.modification_time()));
        let sizes: Vec<i64> = files.iter().map(LogicalFileView::size).collect();
        if let Some(group) = group_of(&sizes) {
            return Ok(Some((partition, files.drain(group).collect())));
        }
    }
    Ok(None)
}

/// The first sizes in order, at least two, that are worth to be merged. Each is at most twice those before it together, so
/// that a new row does not make all rows of its month be written again: each row is written a few times until its file is
/// large.
fn group_of(sizes: &[i64]) -> Option<Range<usize>> {
    (0..sizes.len()).find_map(|first| {
        let mut bytes = 0;
        let fits = sizes[first..].iter().take(FILES_MAX).take_while(|size| {
            let is_like = bytes == 0 || **size <= 2 * bytes;
            bytes += **size;
            is_like && bytes <= FILE_BYTES as i64
        });
        let count = fits.count();
        (count >= 2).then(|| first..first + count)
    })
}

async fn merge(
    table: &LakeTable,
    spec: &Spec,
    schema: &SchemaRef,
    partition: Option<String>,
    files: &[LogicalFileView],
    now: Time,
) -> Result<Vec<Add>, LakeError> {
    let mut rows = Merge::of(table, files, Arc::clone(schema), spec.order).await?;
    let mut writer: Option<FileWriter> = None;
    let store = table.log().object_store(None);
    let mut added = Vec::new();
    while let Some(batch) = rows.next().await? {
        let mut open = match writer.take() {
            Some(writer) => writer,
            None => {
                let partition = spec.partition.map(str::to_owned).zip(partition.clone());
                FileWriter::new(&batch, spec.key, partition)?
            }
        };
        open.write(&batch)?;
        if open.bytes() >= FILE_BYTES {
            added.push(open.finish(store.as_ref(), now, false).await?);
        } else {
            writer = Some(open);
        }
    }
    if let Some(writer) = writer {
        added.push(writer.finish(store.as_ref(), now, false).await?);
    }
    Ok(added)
}

/// Returns `false` if a file is not in the table any more.
async fn commit(
    table: &mut LakeTable,
    files: &[LogicalFileView],
    added: &[Add],
    done: &mut Maintained,
) -> Result<bool, LakeError> {
    let rows: u64 = files.iter().map(|file| file.num_records().unwrap_or_default() as u64).sum();
    let mut actions: Vec<Action> = files.iter().map(|file| Action::Remove(file.remove_action(false))).collect();
    actions.extend(added.iter().cloned().map(Action::Add));
    let effect = Effect { rows: [rows, rows], files: [added.len() as u64, files.len() as u64] };
    for _ in 0..ATTEMPTS_MAX {
        let operation = DeltaOperation::Optimize { predicate: None, target_size: FILE_BYTES as i64 };
        let is_ours = table.commit(actions.clone(), operation, effect, Vec::new()).await?;
        let paths: Vec<String> = table.files()?.iter().map(|file| file.path().into_owned()).collect();
        if is_ours || added.iter().all(|add| paths.contains(&add.path)) {
            done.files_merged += files.len() as u64;
            done.files_written += added.len() as u64;
            done.rows_written += rows;
            done.bytes_written += added.iter().map(|add| add.size.cast_unsigned()).sum::<u64>();
            return Ok(true);
        }
        done.conflicts += 1;
        if !files.iter().all(|file| paths.iter().any(|path| *path == file.path())) {
            return Ok(false);
        }
    }
    Err(LakeError::Busy { table: table.name().to_owned(), attempts: ATTEMPTS_MAX })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A month of hourly ticks that find a little, and a large file at last.
    #[test]
    fn rows_are_written_a_few_times_and_few_files_stay() {
        let (mut sizes, mut written, mut files_most) = (Vec::new(), 0, 0);
        let total: i64 = (0..720_i64).map(|hour| 30_000 + hour % 24 * 1_000).sum();
        for hour in 0..720_i64 {
            sizes.push(30_000 + hour % 24 * 1_000);
            sizes.sort_unstable();
            while let Some(group) = group_of(&sizes) {
                let merged: i64 = sizes.drain(group).sum();
                written += merged;
                sizes.push(merged);
                sizes.sort_unstable();
            }
            files_most = files_most.max(sizes.len());
        }
        assert_eq!(sizes.iter().sum::<i64>(), total);
        assert!(written < 12 * total && files_most <= 8, "{} times, {files_most} files", written / total);
    }

    #[test]
    fn a_new_row_does_not_make_a_whole_month_be_written_again() {
        assert_eq!(group_of(&[30_000, 30_000_000]), None);
        assert_eq!(group_of(&[30_000, 40_000, 30_000_000]), Some(0..2));
        assert_eq!(group_of(&[1_000, 30_000, 40_000, 50_000, 30_000_000]), Some(1..4));
        assert_eq!(group_of(&[]), None);
    }
}
