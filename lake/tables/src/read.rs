use deltalake::arrow::array::{AsArray, RecordBatch};
use deltalake::kernel::LogicalFileView;
use deltalake::parquet::arrow::async_reader::ParquetRecordBatchStream;
use deltalake::parquet::arrow::{ParquetRecordBatchStreamBuilder, ProjectionMask};
use futures_util::TryStreamExt as _;

use crate::error::{Doing, LakeError};
use crate::files::FileReader;
use crate::table::LakeTable;

impl LakeTable {
    /// Passes the rows of this version to `visit`, a batch at a time: these columns, or all of them if there are none.
    /// The column that separates files is not in them, and neither are columns that are younger than a file.
    ///
    /// # Errors
    /// If a file cannot be read.
    pub async fn each_batch(&self, columns: &[&str], mut visit: impl FnMut(&RecordBatch)) -> Result<(), LakeError> {
        for file in self.files()? {
            let failed = Doing::new(format!("read the file {} of the table {}", file.path(), self.name()));
            let mut batches = open(self, &file, columns, 8_192).await?;
            while let Some(batch) = batches.try_next().await.map_err(|error| failed.by(error))? {
                visit(&batch);
            }
        }
        Ok(())
    }
}

/// The rows of a file: these columns, or all of them if there are none.
pub(crate) async fn open(
    table: &LakeTable,
    file: &LogicalFileView,
    columns: &[&str],
    batch_rows: usize,
) -> Result<ParquetRecordBatchStream<FileReader>, LakeError> {
    let failed = Doing::new(format!("read the file {} of the table {}", file.path(), table.name()));
    let size = u64::try_from(file.size()).map_err(|error| failed.by(error))?;
    let reader = FileReader { store: table.log().object_store(None), path: file.object_store_path(), size };
    let builder = ParquetRecordBatchStreamBuilder::new(reader).await.map_err(|error| failed.by(error))?;
    let mask = match columns {
        [] => ProjectionMask::all(),
        _ => ProjectionMask::columns(builder.parquet_schema(), columns.iter().copied()),
    };
    builder.with_projection(mask).with_batch_size(batch_rows).build().map_err(|error| failed.by(error))
}

pub(crate) async fn each_text(
    table: &LakeTable,
    file: &LogicalFileView,
    column: &str,
    mut visit: impl FnMut(&str),
) -> Result<(), LakeError> {
    let failed = Doing::new(format!("read {column} of the file {} of the table {}", file.path(), table.name()));
    let mut batches = open(table, file, &[column], 8_192).await?;
    while let Some(batch) = batches.try_next().await.map_err(|error| failed.by(error))? {
        let texts = batch.column_by_name(column).ok_or_else(|| failed.by("there is no such column"))?;
        let texts = texts.as_string_opt::<i32>().ok_or_else(|| failed.by("the column is no text"))?;
        texts.iter().flatten().for_each(&mut visit);
    }
    Ok(())
}
