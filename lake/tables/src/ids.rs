use std::collections::{HashMap, HashSet};

use deltalake::kernel::LogicalFileView;
use serde_json::Value;
use stoop_domain::Time;

use crate::error::LakeError;
use crate::observation::hash_of;
use crate::read::each_text;
use crate::table::LakeTable;

/// Names of rows that are kept in memory: about 70 MB.
pub(crate) const KEPT_MAX: usize = 3_600_000;

/// Rows that are looked for.
#[derive(Clone, Copy)]
pub(crate) struct Wanted<'a> {
    /// The numbers of their names.
    pub(crate) ids: &'a [u128],
    /// Their moments ([`Spec::moment`](crate::specs::Spec::moment)) in milliseconds, if the table has such a column.
    pub(crate) moments: Option<&'a [i64]>,
}

/// The names of the rows of a table, as far as they are needed and fit in memory. Files whose moments are all before or
/// after those of the rows that are looked for are not read.
pub(crate) struct KnownIds {
    key: &'static str,
    moment: Option<&'static str>,
    by_partition: HashMap<String, PartitionIds>,
    /// The least and greatest moment of each file. `None` if the log does not tell.
    bounds: HashMap<String, Option<(i64, i64)>>,
    kept: usize,
    kept_max: usize,
}

#[derive(Default)]
struct PartitionIds {
    ids: HashSet<u128>,
    /// The files whose names are in `ids`. A file never changes, and no row leaves the table.
    files: HashSet<String>,
}

/// The number that stands for a name: itself, if it is a hash.
pub(crate) fn number_of(name: &str) -> u128 {
    match name.len() {
        32 => u128::from_str_radix(name, 16).unwrap_or_else(|_| hash_of(name.as_bytes())),
        _ => hash_of(name.as_bytes()),
    }
}

impl KnownIds {
    /// `kept_max` is the number of names to keep in memory.
    pub(crate) fn new(key: &'static str, moment: Option<&'static str>, kept_max: usize) -> Self {
        Self { key, moment, by_partition: HashMap::new(), bounds: HashMap::new(), kept: 0, kept_max }
    }

    /// Which of these rows the partition has.
    pub(crate) async fn present(
        &mut self,
        table: &LakeTable,
        partition: &str,
        mut files: Vec<LogicalFileView>,
        wanted: Wanted<'_>,
    ) -> Result<Vec<bool>, LakeError> {
        self.keep_possible(&mut files, wanted.moments);
        let is_unread = |file: &LogicalFileView, part: &PartitionIds| !part.files.contains(file.path().as_ref());
        let mut part = self.by_partition.remove(partition).unwrap_or_default();
        let unread = files.iter().filter(|file| is_unread(file, &part));
        if self.kept + unread.map(rows_of).sum::<usize>() > self.kept_max {
            // Simple rather than clever: the files that are needed are read again.
            (part, self.kept) = (PartitionIds::default(), 0);
            self.by_partition.clear();
            if files.iter().map(rows_of).sum::<usize>() > self.kept_max {
                return self.scan(table, &files, wanted.ids).await;
            }
        }
        for file in files.iter().filter(|file| is_unread(file, &part)).cloned().collect::<Vec<_>>() {
            let before = part.ids.len();
            let ids = &mut part.ids;
            each_id(table, self.key, &file, |id| {
                ids.insert(id);
            })
            .await?;
            self.kept += part.ids.len() - before;
            part.files.insert(file.path().into_owned());
        }
        let present = wanted.ids.iter().map(|id| part.ids.contains(id)).collect();
        self.by_partition.insert(partition.to_owned(), part);
        Ok(present)
    }

    /// Remembers the rows of a file that this process has added.
    pub(crate) fn add(&mut self, partition: &str, file: String, ids: impl Iterator<Item = u128>) {
        if let Some(part) = self.by_partition.get_mut(partition) {
            let before = part.ids.len();
            part.ids.extend(ids);
            self.kept += part.ids.len() - before;
            part.files.insert(file);
        }
    }

    /// Leaves out the files that can have none of the rows of these moments.
    fn keep_possible(&mut self, files: &mut Vec<LogicalFileView>, moments: Option<&[i64]>) {
        let (Some(column), Some(moments)) = (self.moment, moments) else { return };
        let mut moments = moments.to_vec();
        moments.sort_unstable();
        files.retain(|file| {
            let bounds = *self.bounds.entry(file.path().into_owned()).or_insert_with(|| bounds_of(file, column));
            let Some((from, to)) = bounds else { return true };
            let first = moments.partition_point(|moment| *moment < from);
            moments.get(first).is_some_and(|moment| *moment <= to)
        });
    }

    async fn scan(
        &self,
        table: &LakeTable,
        files: &[LogicalFileView],
        wanted: &[u128],
    ) -> Result<Vec<bool>, LakeError> {
        let positions: HashMap<u128, usize> = wanted.iter().enumerate().map(|(at, id)| (*id, at)).collect();
        let mut found = vec![false; wanted.len()];
        for file in files {
            each_id(table, self.key, file, |id| {
                if let Some(at) = positions.get(&id) {
                    found[*at] = true;
                }
            })
            .await?;
        }
        Ok(found)
    }
}

fn rows_of(file: &LogicalFileView) -> usize {
    file.num_records().unwrap_or_default()
}

/// The least and greatest value of a column of times, in milliseconds, as the log has them.
fn bounds_of(file: &LogicalFileView, column: &str) -> Option<(i64, i64)> {
    let stats: Value = serde_json::from_str(&file.stats()?).ok()?;
    let of = |bound: &str| Some(Time::parse(stats[bound][column].as_str()?).ok()?.ms());
    Some((of("minValues")?, of("maxValues")?))
}

async fn each_id(
    table: &LakeTable,
    key: &str,
    file: &LogicalFileView,
    mut visit: impl FnMut(u128),
) -> Result<(), LakeError> {
    each_text(table, file, key, |name| visit(number_of(name))).await
}
