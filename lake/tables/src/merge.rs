use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Arc;

use deltalake::arrow::array::{ArrayRef, RecordBatch, new_null_array};
use deltalake::arrow::compute::{cast, interleave_record_batch};
use deltalake::arrow::datatypes::SchemaRef;
use deltalake::arrow::row::{OwnedRow, RowConverter, Rows, SortField};
use deltalake::kernel::LogicalFileView;
use deltalake::parquet::arrow::async_reader::ParquetRecordBatchStream;
use futures_util::TryStreamExt as _;

use crate::error::{Doing, LakeError};
use crate::files::FileReader;
use crate::read::open;
use crate::table::LakeTable;

/// Rows of each file that are in memory.
const BATCH_ROWS: usize = 2_048;
/// Rows that are written at a time.
const OUT_ROWS: usize = 8_192;

/// The rows of several sorted files in one order. Has a batch of each file in memory.
pub(crate) struct Merge {
    inputs: Vec<MergeInput>,
    schema: SchemaRef,
    converter: RowConverter,
    keys: Vec<usize>,
    heap: BinaryHeap<Reverse<(OwnedRow, usize)>>,
    /// Batches that rows of the output are in.
    batches: Vec<RecordBatch>,
    failed: Doing,
}

struct MergeInput {
    stream: ParquetRecordBatchStream<FileReader>,
    rows: Option<Rows>,
    /// The position in `batches`.
    batch: usize,
    next: usize,
}

impl Merge {
    /// `schema` has the columns of the output. `order` are those by which each file is sorted.
    pub(crate) async fn of(
        table: &LakeTable,
        files: &[LogicalFileView],
        schema: SchemaRef,
        order: &[&str],
    ) -> Result<Self, LakeError> {
        let failed = Doing::new(format!("merge files of the table {}", table.name()));
        let keys: Vec<usize> = order.iter().filter_map(|name| schema.index_of(name).ok()).collect();
        let fields = keys.iter().map(|key| SortField::new(schema.field(*key).data_type().clone())).collect();
        let converter = RowConverter::new(fields).map_err(|error| failed.by(error))?;
        let mut merge =
            Self { inputs: Vec::new(), schema, converter, keys, heap: BinaryHeap::new(), batches: Vec::new(), failed };
        for file in files {
            let stream = open(table, file, &[], BATCH_ROWS).await?;
            merge.inputs.push(MergeInput { stream, rows: None, batch: 0, next: 0 });
            merge.advance(merge.inputs.len() - 1).await?;
        }
        Ok(merge)
    }

    /// The next rows. `None` after the last ones.
    pub(crate) async fn next(&mut self) -> Result<Option<RecordBatch>, LakeError> {
        let mut picked = Vec::with_capacity(OUT_ROWS);
        while picked.len() < OUT_ROWS
            && let Some(Reverse((_, at))) = self.heap.pop()
        {
            let input = &mut self.inputs[at];
            picked.push((input.batch, input.next));
            input.next += 1;
            self.advance(at).await?;
        }
        if picked.is_empty() {
            return Ok(None);
        }
        let batches: Vec<&RecordBatch> = self.batches.iter().collect();
        let merged = interleave_record_batch(&batches, &picked).map_err(|error| self.failed.by(error))?;
        self.forget();
        Ok(Some(merged))
    }

    /// Puts the next row of an input into the heap.
    async fn advance(&mut self, at: usize) -> Result<(), LakeError> {
        let input = &mut self.inputs[at];
        if input.rows.as_ref().is_none_or(|rows| input.next >= rows.num_rows()) {
            let Some(batch) = input.stream.try_next().await.map_err(|error| self.failed.by(error))? else {
                input.rows = None;
                return Ok(());
            };
            let batch = aligned(&batch, &self.schema).map_err(|error| self.failed.by(error))?;
            let keys: Vec<ArrayRef> = self.keys.iter().map(|key| Arc::clone(batch.column(*key))).collect();
            input.rows = Some(self.converter.convert_columns(&keys).map_err(|error| self.failed.by(error))?);
            (input.batch, input.next) = (self.batches.len(), 0);
            self.batches.push(batch);
        }
        if let Some(rows) = &input.rows
            && input.next < rows.num_rows()
        {
            self.heap.push(Reverse((rows.row(input.next).owned(), at)));
        }
        Ok(())
    }

    /// Forgets the batches that no input reads any more.
    fn forget(&mut self) {
        let mut kept = Vec::new();
        for input in self.inputs.iter_mut().filter(|input| input.rows.is_some()) {
            kept.push(self.batches[input.batch].clone());
            input.batch = kept.len() - 1;
        }
        self.batches = kept;
    }
}

/// The batch with these columns: those that it lacks are empty.
fn aligned(batch: &RecordBatch, schema: &SchemaRef) -> Result<RecordBatch, deltalake::arrow::error::ArrowError> {
    let columns = schema.fields().iter().map(|field| match batch.column_by_name(field.name()) {
        Some(column) if column.data_type() == field.data_type() => Ok(Arc::clone(column)),
        Some(column) => cast(column, field.data_type()),
        None => Ok(new_null_array(field.data_type(), batch.num_rows())),
    });
    RecordBatch::try_new(Arc::clone(schema), columns.collect::<Result<_, _>>()?)
}
