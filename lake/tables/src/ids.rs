use std::collections::{HashMap, HashSet};

use deltalake::kernel::LogicalFileView;

use crate::error::LakeError;
use crate::observation::hash_of;
use crate::read::each_text;
use crate::table::Table;

/// Names of rows that are kept in memory: about 70 MB.
pub(crate) const KEPT_MAX: usize = 3_600_000;

/// The names of the rows of a table, as far as they fit in memory. A partition with more is read again for each chunk.
pub(crate) struct KnownIds {
    key: &'static str,
    by_partition: HashMap<String, Part>,
    kept: usize,
    kept_max: usize,
}

#[derive(Default)]
struct Part {
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
    pub(crate) fn new(key: &'static str, kept_max: usize) -> Self {
        Self { key, by_partition: HashMap::new(), kept: 0, kept_max }
    }

    /// Which of these names the partition has.
    pub(crate) async fn present(
        &mut self,
        table: &Table,
        partition: &str,
        files: &[LogicalFileView],
        wanted: &[u128],
    ) -> Result<Vec<bool>, LakeError> {
        let rows: usize = files.iter().map(|file| file.num_records().unwrap_or_default()).sum();
        if rows > self.kept_max {
            return self.scan(table, files, wanted).await;
        }
        let part = self.by_partition.entry(partition.to_owned()).or_default();
        let unread: Vec<&LogicalFileView> =
            files.iter().filter(|file| !part.files.contains(file.path().as_ref())).collect();
        let added: usize = unread.iter().map(|file| file.num_records().unwrap_or_default()).sum();
        if self.kept + added > self.kept_max {
            // Simple rather than clever: the partitions that are needed are read again.
            let part = std::mem::take(part);
            self.kept = part.ids.len();
            self.by_partition = HashMap::from([(partition.to_owned(), part)]);
            if self.kept + added > self.kept_max {
                return self.scan(table, files, wanted).await;
            }
        }
        let part = self.by_partition.entry(partition.to_owned()).or_default();
        for file in unread {
            let before = part.ids.len();
            let ids = &mut part.ids;
            each_id(table, self.key, file, |id| {
                ids.insert(id);
            })
            .await?;
            self.kept += part.ids.len() - before;
            part.files.insert(file.path().into_owned());
        }
        Ok(wanted.iter().map(|id| part.ids.contains(id)).collect())
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

    async fn scan(&self, table: &Table, files: &[LogicalFileView], wanted: &[u128]) -> Result<Vec<bool>, LakeError> {
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

async fn each_id(
    table: &Table,
    key: &str,
    file: &LogicalFileView,
    mut visit: impl FnMut(u128),
) -> Result<(), LakeError> {
    each_text(table, file, key, |name| visit(number_of(name))).await
}
