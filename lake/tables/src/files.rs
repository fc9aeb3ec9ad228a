use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use deltalake::arrow::array::{Array, AsArray, RecordBatch};
use deltalake::arrow::compute::{max_string, min_string};
use deltalake::arrow::datatypes::{DataType, TimeUnit, TimestampMicrosecondType};
use deltalake::kernel::Add;
use deltalake::logstore::object_store::path::Path;
use deltalake::logstore::object_store::{ObjectStore, ObjectStoreExt as _};
use deltalake::parquet::arrow::ArrowWriter;
use deltalake::parquet::arrow::arrow_reader::ArrowReaderOptions;
use deltalake::parquet::arrow::async_reader::AsyncFileReader;
use deltalake::parquet::basic::{Compression, ZstdLevel};
use deltalake::parquet::errors::ParquetError;
use deltalake::parquet::file::metadata::{ParquetMetaData, ParquetMetaDataReader};
use deltalake::parquet::file::properties::WriterProperties;
use deltalake::parquet::schema::types::ColumnPath;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use serde_json::{Map, Value, json};
use stoop_domain::Time;
use uuid::Uuid;

use crate::error::{LakeError, doing};

/// Rows of a row group. Engines read a row group at a time, and each one is in memory while it is written.
const GROUP_ROWS: usize = 131_072;
const LEVEL: i32 = 3;
/// Texts longer than this have no bounds in the log.
const BOUND_MAX: usize = 128;

/// The properties of every file.
fn file_properties(key: Option<&str>) -> Result<WriterProperties, LakeError> {
    let level = ZstdLevel::try_new(LEVEL).map_err(doing("set the compression"))?;
    let mut builder = WriterProperties::builder()
        .set_compression(Compression::ZSTD(level))
        .set_max_row_group_row_count(Some(GROUP_ROWS))
        .set_created_by("stoop-lake".to_owned());
    if let Some(key) = key {
        // All values differ.
        builder = builder.set_column_dictionary_enabled(ColumnPath::from(key), false);
    }
    Ok(builder.build())
}

/// Writes one file. Keep its rows sorted.
pub(crate) struct FileWriter {
    writer: ArrowWriter<Vec<u8>>,
    bounds: FileBounds,
    partition: Option<(String, String)>,
}

impl FileWriter {
    /// `partition` is the column and value that all rows share. The batches must not have the column.
    pub(crate) fn new(
        batch: &RecordBatch,
        key: Option<&str>,
        partition: Option<(String, String)>,
    ) -> Result<Self, LakeError> {
        let writer = ArrowWriter::try_new(Vec::new(), batch.schema(), Some(file_properties(key)?));
        Ok(Self { writer: writer.map_err(doing("begin a file"))?, bounds: FileBounds::default(), partition })
    }

    pub(crate) fn write(&mut self, batch: &RecordBatch) -> Result<(), LakeError> {
        self.bounds.take(batch);
        self.writer.write(batch).map_err(doing("write rows to a file"))
    }

    /// The size so far.
    pub(crate) fn bytes(&self) -> usize {
        self.writer.bytes_written() + self.writer.in_progress_size()
    }

    /// Puts the file into the store. It belongs to the table when a version adds it.
    pub(crate) async fn finish(self, store: &dyn ObjectStore, now: Time, data_change: bool) -> Result<Add, LakeError> {
        let Self { writer, bounds, partition } = self;
        let body = writer.into_inner().map_err(doing("end a file"))?;
        let name = format!("part-{}.zstd.parquet", Uuid::new_v4());
        let path = match &partition {
            Some((column, value)) => format!("{column}={value}/{name}"),
            None => name,
        };
        let size = i64::try_from(body.len()).map_err(doing("measure a file"))?;
        store.put(&Path::from(path.as_str()), body.into()).await.map_err(doing(format!("write the file {path}")))?;
        Ok(Add {
            path,
            partition_values: partition.into_iter().map(|(column, value)| (column, Some(value))).collect(),
            size,
            modification_time: now.ms(),
            data_change,
            stats: Some(bounds.stats().to_string()),
            ..Add::default()
        })
    }
}

/// The number of rows, and the least and greatest value of the columns that queries select by.
#[derive(Default)]
struct FileBounds {
    rows: usize,
    nulls: HashMap<String, usize>,
    /// `None` if a value is too long.
    texts: HashMap<String, Option<(String, String)>>,
    times: HashMap<String, (i64, i64)>,
}

impl FileBounds {
    fn take(&mut self, batch: &RecordBatch) {
        self.rows += batch.num_rows();
        for (field, array) in batch.schema().fields().iter().zip(batch.columns()) {
            match field.data_type() {
                DataType::Utf8 => self.take_texts(field.name(), array),
                DataType::Timestamp(TimeUnit::Microsecond, _) => self.take_times(field.name(), array),
                _ => continue,
            }
            *self.nulls.entry(field.name().clone()).or_default() += array.null_count();
        }
    }

    fn take_texts(&mut self, name: &str, array: &dyn Array) {
        let texts = array.as_string::<i32>();
        let (Some(least), Some(greatest)) = (min_string(texts), max_string(texts)) else { return };
        let is_short = least.len() <= BOUND_MAX && greatest.len() <= BOUND_MAX;
        match self.texts.entry(name.to_owned()).or_insert_with(|| Some((least.to_owned(), greatest.to_owned()))) {
            Some((from, to)) if is_short => {
                if least < from.as_str() {
                    least.clone_into(from);
                }
                if greatest > to.as_str() {
                    greatest.clone_into(to);
                }
            }
            bounds => *bounds = None,
        }
    }

    fn take_times(&mut self, name: &str, array: &dyn Array) {
        let times = array.as_primitive::<TimestampMicrosecondType>();
        let ms = |us: i64| us.div_euclid(1_000);
        let values = || times.iter().flatten().map(ms);
        if let (Some(least), Some(greatest)) = (values().min(), values().max()) {
            let (from, to) = self.times.entry(name.to_owned()).or_insert((least, greatest));
            (*from, *to) = (least.min(*from), greatest.max(*to));
        }
    }

    fn stats(&self) -> Value {
        let (mut least, mut greatest) = (Map::new(), Map::new());
        for (name, bounds) in &self.texts {
            if let Some((from, to)) = bounds {
                least.insert(name.clone(), json!(from));
                greatest.insert(name.clone(), json!(to));
            }
        }
        for (name, (from, to)) in &self.times {
            // Our times are whole milliseconds, so nothing is cut off.
            least.insert(name.clone(), json!(Time::from_ms(*from).to_string()));
            greatest.insert(name.clone(), json!(Time::from_ms(*to).to_string()));
        }
        json!({ "numRecords": self.rows, "minValues": least, "maxValues": greatest, "nullCount": self.nulls })
    }
}

/// Reads the columns of a Parquet file by ranges.
pub(crate) struct FileReader {
    pub(crate) store: Arc<dyn ObjectStore>,
    pub(crate) path: Path,
    pub(crate) size: u64,
}

impl AsyncFileReader for FileReader {
    fn get_bytes(&mut self, range: Range<u64>) -> BoxFuture<'_, Result<Bytes, ParquetError>> {
        let read = async move { self.store.get_range(&self.path, range).await };
        read.map(|read| read.map_err(|error| ParquetError::External(error.into()))).boxed()
    }

    fn get_byte_ranges(&mut self, ranges: Vec<Range<u64>>) -> BoxFuture<'_, Result<Vec<Bytes>, ParquetError>> {
        let read = async move { self.store.get_ranges(&self.path, &ranges).await };
        read.map(|read| read.map_err(|error| ParquetError::External(error.into()))).boxed()
    }

    fn get_metadata<'a>(
        &'a mut self,
        _options: Option<&'a ArrowReaderOptions>,
    ) -> BoxFuture<'a, Result<Arc<ParquetMetaData>, ParquetError>> {
        let size = self.size;
        async move { ParquetMetaDataReader::new().load_and_finish(self, size).await.map(Arc::new) }.boxed()
    }
}
