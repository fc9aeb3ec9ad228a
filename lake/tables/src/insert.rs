use std::collections::HashSet;
use std::ops::Range;
use std::time::Duration;

use deltalake::arrow::array::{Array as _, AsArray, BooleanArray, RecordBatch, UInt32Array};
use deltalake::arrow::compute::{SortColumn, filter_record_batch, lexsort_to_indices, take_record_batch};
use deltalake::arrow::datatypes::TimestampMicrosecondType;
use deltalake::kernel::{Action, Add, LogicalFileView, Transaction};
use deltalake::logstore::object_store::ObjectStoreExt as _;
use deltalake::logstore::object_store::path::Path;
use deltalake::protocol::{DeltaOperation, SaveMode};
use stoop_domain::Time;
use uuid::Uuid;

use crate::error::{Doing, LakeError, doing};
use crate::files::FileWriter;
use crate::ids::{KEPT_MAX, KnownIds, Wanted};
use crate::place::Lake;
use crate::specs::Spec;
use crate::table::{Effect, LakeTable};

/// How often rows are committed until another writer is not quicker. Each attempt reads only what the others added.
const ATTEMPTS_MAX: u32 = 50;
/// The longest pause between two attempts.
const PAUSE_MS_MAX: u64 = 1_000;

/// Adds rows to a table, each once.
pub struct Inserter {
    lake: Lake,
    spec: Spec,
    key: &'static str,
    table: LakeTable,
    known: KnownIds,
}

/// The outcome of some rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Inserted {
    /// Rows that the table did not have.
    pub added: u64,
    /// Rows that it had, or that came twice.
    pub repeated: u64,
    /// Attempts to commit for which another writer was quicker.
    pub conflicts: u64,
}

/// Rows of one partition: which ones of the batch, and the file that has those that the table lacks.
struct PartitionRows {
    partition: String,
    rows: Range<usize>,
    missing: Vec<bool>,
    added: Option<Add>,
}

impl Inserter {
    /// Opens the table, or creates it.
    ///
    /// # Errors
    /// If rows of the table have no key, or see [`LakeTable::open`].
    pub async fn open(lake: &Lake, spec: Spec, now: Time) -> Result<Self, LakeError> {
        let key = spec.key.ok_or_else(|| doing(format!("add rows to {}", spec.name))("its rows have no key"))?;
        let table = LakeTable::open(lake, &spec, now).await?;
        let known = KnownIds::new(key, spec.moment, KEPT_MAX);
        Ok(Self { lake: lake.clone(), spec, key, table, known })
    }

    /// Keeps at most so many names of rows in memory, which are 20 bytes each.
    #[must_use]
    pub fn keeping(self, names: usize) -> Self {
        Self { known: KnownIds::new(self.key, self.spec.moment, names), ..self }
    }

    /// Adds those rows that the table lacks. `ids` are the numbers of their keys.
    ///
    /// # Errors
    /// If the table cannot be read or written, or other writers were quicker too often. Then nothing was added.
    pub async fn insert(&mut self, batch: &RecordBatch, ids: &[u128], now: Time) -> Result<Inserted, LakeError> {
        let count = batch.num_rows() as u64;
        let (batch, ids) = self.sorted(batch, ids)?;
        let mut groups = self.groups(&batch)?;
        let batch = self.without_partition(&batch)?;
        let mut inserted = Inserted::default();
        for attempt in 0..ATTEMPTS_MAX {
            let added = self.write_missing(&batch, &ids, &mut groups, now).await?;
            if added == 0 || self.commit(&groups, added).await? {
                self.remember(&groups, &ids);
                return Ok(Inserted { added, repeated: count - added, ..inserted });
            }
            if self.has_all(&groups)? {
                // Our commit was written and its answer lost, so that the store's client wrote it again.
                return Ok(Inserted { added, repeated: count - added, ..inserted });
            }
            inserted.conflicts += 1;
            tokio::time::sleep(pause(attempt)).await;
            // It may have other columns now.
            self.table = LakeTable::open(&self.lake, &self.spec, now).await?;
        }
        Err(LakeError::Busy { table: self.spec.name.to_string(), attempts: ATTEMPTS_MAX })
    }

    /// The table, as of the version that was read last.
    #[must_use]
    pub fn table(&self) -> &LakeTable {
        &self.table
    }

    /// The rows in the order of the table, each key once.
    fn sorted(&self, batch: &RecordBatch, ids: &[u128]) -> Result<(RecordBatch, Vec<u128>), LakeError> {
        let failed = Doing::new(format!("sort rows of {}", self.spec.name));
        let mut seen = HashSet::with_capacity(ids.len());
        let first: BooleanArray = ids.iter().map(|id| Some(seen.insert(*id))).collect();
        let ids: Vec<u128> =
            ids.iter().zip(first.values().iter()).filter(|(_, first)| *first).map(|(id, _)| *id).collect();
        let batch = filter_record_batch(batch, &first).map_err(|error| failed.by(error))?;
        let sorting = |name: &&str| {
            let values = batch.column_by_name(name).cloned().ok_or_else(|| failed.by(format!("no column {name}")))?;
            Ok(SortColumn { values, options: None })
        };
        let order = self.spec.order.iter().map(sorting).collect::<Result<Vec<_>, LakeError>>()?;
        let order: UInt32Array = lexsort_to_indices(&order, None).map_err(|error| failed.by(error))?;
        let ids = order.values().iter().map(|row| ids[*row as usize]).collect();
        Ok((take_record_batch(&batch, &order).map_err(|error| failed.by(error))?, ids))
    }

    /// The rows of each partition.
    fn groups(&self, batch: &RecordBatch) -> Result<Vec<PartitionRows>, LakeError> {
        let group = |partition: &str, rows| PartitionRows {
            partition: partition.to_owned(),
            rows,
            missing: Vec::new(),
            added: None,
        };
        let Some(column) = self.spec.partition else { return Ok(vec![group("", 0..batch.num_rows())]) };
        let failed = Doing::new(format!("separate rows of {}", self.spec.name));
        let values = batch.column_by_name(column).and_then(|array| array.as_string_opt::<i32>());
        let values = values.ok_or_else(|| failed.by(format!("{column} is no column of texts")))?;
        let mut groups: Vec<PartitionRows> = Vec::new();
        for (row, value) in values.iter().enumerate() {
            let value = value.ok_or_else(|| failed.by(format!("row {row} has no {column}")))?;
            match groups.last_mut() {
                Some(last) if last.partition == value => last.rows.end = row + 1,
                _ => groups.push(group(value, row..row + 1)),
            }
        }
        Ok(groups)
    }

    fn without_partition(&self, batch: &RecordBatch) -> Result<RecordBatch, LakeError> {
        let kept: Vec<usize> = (0..self.spec.columns.len())
            .filter(|column| Some(self.spec.columns[*column].name.as_ref()) != self.spec.partition)
            .collect();
        batch.project(&kept).map_err(doing(format!("write rows of {}", self.spec.name)))
    }

    /// Writes a file for each partition that lacks rows. Returns how many rows are missing.
    async fn write_missing(
        &mut self,
        batch: &RecordBatch,
        ids: &[u128],
        groups: &mut [PartitionRows],
        now: Time,
    ) -> Result<u64, LakeError> {
        let files = self.table.files()?;
        let moments = self.moments(batch)?;
        let mut added = 0;
        for group in groups {
            let of_partition: Vec<LogicalFileView> =
                files.iter().filter(|file| self.is_in(file, &group.partition)).cloned().collect();
            let moments = moments.as_ref().map(|moments| &moments[group.rows.clone()]);
            let wanted = Wanted { ids: &ids[group.rows.clone()], moments };
            let present = self.known.present(&self.table, &group.partition, of_partition, wanted).await?;
            let missing: Vec<bool> = present.iter().map(|present| !present).collect();
            added += missing.iter().filter(|missing| **missing).count() as u64;
            if missing == group.missing {
                // The file of the attempt before is right.
                continue;
            }
            if let Some(add) = group.added.take() {
                self.discard(&add).await;
            }
            group.missing = missing;
            if group.missing.contains(&true) {
                let rows = batch.slice(group.rows.start, group.rows.len());
                let rows = filter_record_batch(&rows, &BooleanArray::from(group.missing.clone()));
                let rows = rows.map_err(doing(format!("select rows of {}", self.spec.name)))?;
                let partition = self.spec.partition.map(|column| (column.to_owned(), group.partition.clone()));
                let mut writer = FileWriter::new(&rows, Some(self.key), partition)?;
                writer.write(&rows)?;
                group.added = Some(writer.finish(self.table.log().object_store(None).as_ref(), now, true).await?);
            }
        }
        Ok(added)
    }

    /// The moments of the rows in milliseconds, if the table has such a column.
    fn moments(&self, batch: &RecordBatch) -> Result<Option<Vec<i64>>, LakeError> {
        let Some(column) = self.spec.moment else { return Ok(None) };
        let times = batch.column_by_name(column).and_then(|array| array.as_primitive_opt::<TimestampMicrosecondType>());
        let times = times.filter(|times| times.null_count() == 0);
        let times =
            times.ok_or_else(|| doing(format!("add rows to {}", self.spec.name))(format!("{column} has no times")))?;
        Ok(Some(times.values().iter().map(|us| us.div_euclid(1_000)).collect()))
    }

    fn is_in(&self, file: &LogicalFileView, partition: &str) -> bool {
        let Some(column) = self.spec.partition else { return true };
        file.partition_values_map().get(column).and_then(Option::as_deref) == Some(partition)
    }

    /// Removes a file that no version has. If this fails, `maintain` removes it later.
    async fn discard(&self, add: &Add) {
        drop(self.table.log().object_store(None).delete(&Path::from(add.path.as_str())).await);
    }

    async fn commit(&mut self, groups: &[PartitionRows], added: u64) -> Result<bool, LakeError> {
        let adds: Vec<Action> = groups.iter().filter_map(|group| group.added.clone()).map(Action::Add).collect();
        let version = i64::try_from(self.table.version() + 1).map_err(doing("count versions"))?;
        // Tells other programs which version last touched a partition, and lets them conflict.
        let touched = groups.iter().filter(|group| group.added.is_some());
        let transactions =
            touched.map(|group| Transaction::new(format!("stoop-lake/{}", group.partition), version)).collect();
        let effect = Effect { rows: [added, 0], files: [adds.len() as u64, 0] };
        let partition_by = self.spec.partition.map(|column| vec![column.to_owned()]);
        let operation = DeltaOperation::Write { mode: SaveMode::Append, partition_by, predicate: None };
        self.table.commit(adds, operation, effect, transactions).await
    }

    /// Whether the table has the files that were to be added.
    fn has_all(&self, groups: &[PartitionRows]) -> Result<bool, LakeError> {
        let paths: HashSet<String> = self.table.files()?.iter().map(|file| file.path().into_owned()).collect();
        Ok(groups.iter().filter_map(|group| group.added.as_ref()).all(|add| paths.contains(&add.path)))
    }

    fn remember(&mut self, groups: &[PartitionRows], ids: &[u128]) {
        for group in groups {
            if let Some(add) = &group.added {
                self.known.add(&group.partition, add.path.clone(), ids[group.rows.clone()].iter().copied());
            }
        }
    }
}

/// Longer with each attempt, and different for each writer.
fn pause(attempt: u32) -> Duration {
    let longest = (10_u64 << attempt.min(7)).min(PAUSE_MS_MAX);
    Duration::from_millis(u64::from(Uuid::new_v4().as_bytes()[0]) * longest / 255)
}
