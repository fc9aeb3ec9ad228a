use std::collections::HashSet;

use deltalake::kernel::{Action, Add, Transaction};
use deltalake::logstore::object_store::ObjectStoreExt as _;
use deltalake::logstore::object_store::path::Path;
use deltalake::protocol::{DeltaOperation, SaveMode};
use serde::Serialize;
use stoop_domain::Time;

use crate::cells::{RowBuilder, TableCell};
use crate::error::{LakeError, doing};
use crate::files::FileWriter;
use crate::place::Lake;
use crate::specs::Spec;
use crate::table::{Effect, LakeTable};

/// Rows that are collected before they are written.
const ROWS: usize = 32_768;
/// The size at which a file ends.
pub(crate) const FILE_BYTES: usize = 64 << 20;
/// Names the hash of all rows in the log.
const CONTENT: &str = "stoop-lake/content";
const ATTEMPTS_MAX: u32 = 10;

/// Writes all rows of a table anew. Readers see the old rows until it ends.
pub struct Replacement {
    spec: Spec,
    table: LakeTable,
    rows: RowBuilder,
    writer: Option<FileWriter>,
    added: Vec<Add>,
    hasher: blake3::Hasher,
    count: u64,
    now: Time,
}

/// What a replacement did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Replaced {
    /// The rows of the table.
    pub rows: u64,
    /// Whether they differ from those before. If not, there is no new version.
    pub changed: bool,
}

impl Replacement {
    /// Opens the table, or creates it.
    ///
    /// # Errors
    /// See [`LakeTable::open`].
    pub async fn begin(lake: &Lake, spec: Spec, now: Time) -> Result<Self, LakeError> {
        let table = LakeTable::open(lake, &spec, now).await?;
        let rows = RowBuilder::new(&spec.columns);
        let hasher = blake3::Hasher::new();
        Ok(Self { spec, table, rows, writer: None, added: Vec::new(), hasher, count: 0, now })
    }

    /// Adds a row.
    ///
    /// # Errors
    /// If it does not fit the columns or cannot be written.
    pub async fn push(&mut self, cells: &[TableCell<'_>]) -> Result<(), LakeError> {
        cells.iter().for_each(|cell| cell.hash(&mut self.hasher));
        self.rows.push(cells)?;
        self.count += 1;
        if self.rows.len() >= ROWS { self.write().await } else { Ok(()) }
    }

    /// Puts the rows in the place of those before, unless they are the same in the same order.
    ///
    /// # Errors
    /// If the table cannot be read or written. Then it is as before.
    pub async fn end(mut self) -> Result<Replaced, LakeError> {
        self.write().await?;
        self.end_file().await?;
        // Columns are part of what is there.
        self.spec.columns.iter().for_each(|column| TableCell::Text(&column.name).hash(&mut self.hasher));
        let hash = self.hasher.finalize();
        let content = hash.as_bytes().iter().take(8).fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
        let content = content.cast_signed() & i64::MAX;
        let mut replaced = Replaced { rows: self.count, changed: false };
        for _ in 0..ATTEMPTS_MAX {
            if self.is_there()? {
                // Our commit was written and its answer lost, so that the store's client wrote it again.
                replaced.changed = true;
                return Ok(replaced);
            }
            let log = self.table.log().clone();
            let known = self.table.state()?.transaction_version(log.as_ref(), CONTENT).await;
            if known.map_err(doing(format!("read the table {}", self.spec.name)))? == Some(content) {
                self.discard().await;
                return Ok(replaced);
            }
            if self.commit(content).await? {
                replaced.changed = true;
                return Ok(replaced);
            }
        }
        Err(LakeError::Busy { table: self.spec.name.to_string(), attempts: ATTEMPTS_MAX })
    }

    async fn commit(&mut self, content: i64) -> Result<bool, LakeError> {
        let removed = self.table.files()?;
        let rows_removed = self.table.rows()?;
        let mut actions: Vec<Action> = removed.iter().map(|file| Action::Remove(file.remove_action(true))).collect();
        actions.extend(self.added.iter().cloned().map(Action::Add));
        let effect =
            Effect { rows: [self.count, rows_removed], files: [self.added.len() as u64, removed.len() as u64] };
        let operation = DeltaOperation::Write { mode: SaveMode::Overwrite, partition_by: None, predicate: None };
        self.table.commit(actions, operation, effect, vec![Transaction::new(CONTENT, content)]).await
    }

    /// Whether the table has the files that were written.
    fn is_there(&self) -> Result<bool, LakeError> {
        let paths: HashSet<String> = self.table.files()?.iter().map(|file| file.path().into_owned()).collect();
        Ok(!self.added.is_empty() && self.added.iter().all(|add| paths.contains(&add.path)))
    }

    async fn write(&mut self) -> Result<(), LakeError> {
        if self.rows.is_empty() {
            return Ok(());
        }
        let batch = self.rows.take()?;
        let writer = match self.writer.take() {
            Some(writer) => writer,
            None => FileWriter::new(&batch, None, None)?,
        };
        let writer = self.writer.insert(writer);
        writer.write(&batch)?;
        if writer.bytes() >= FILE_BYTES { self.end_file().await } else { Ok(()) }
    }

    async fn end_file(&mut self) -> Result<(), LakeError> {
        if let Some(writer) = self.writer.take() {
            self.added.push(writer.finish(self.table.log().object_store(None).as_ref(), self.now, true).await?);
        }
        Ok(())
    }

    /// Removes files that no version has. If this fails, `maintain` removes them later.
    async fn discard(&self) {
        for add in &self.added {
            drop(self.table.log().object_store(None).delete(&Path::from(add.path.as_str())).await);
        }
    }
}
