use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use parquet::errors::ParquetError;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::reader::RowIter;
use stoop_domain::Reason;

use crate::bytes::ByteRange;
use crate::parquet_json::{TimestampForm, clocks, write_row};
use crate::row::{Content, Location, RawRow, RowFault};

/// The rows of a Parquet file, as JSON.
pub(crate) struct ParquetRows {
    rows: RowIter<'static>,
    clocks: Vec<TimestampForm>,
    json: Vec<u8>,
    row: u64,
    rows_total: u64,
    bytes_total: u64,
    bytes_read: Arc<AtomicU64>,
    row_bytes_max: usize,
    over: bool,
    bytes_claimed: u64,
}

impl ParquetRows {
    pub(crate) fn new(
        file: ByteRange,
        bytes_total: u64,
        bytes_read: Arc<AtomicU64>,
        row_bytes_max: usize,
    ) -> Result<Self, ParquetError> {
        let reader = guarded(|| SerializedFileReader::new(file))?;
        let meta = reader.metadata().file_metadata();
        let of_groups = reader.metadata().row_groups().iter().map(|group| group.total_byte_size());
        let bytes_claimed = of_groups.map(|bytes| u64::try_from(bytes).unwrap_or(0)).fold(0, u64::saturating_add);
        let (clocks, rows_total) = (clocks(meta.schema_descr()), u64::try_from(meta.num_rows()).unwrap_or(0));
        let rows = RowIter::from_file_into(Box::new(reader));
        Ok(Self {
            rows,
            clocks,
            json: Vec::new(),
            row: 0,
            rows_total,
            bytes_total,
            bytes_read,
            row_bytes_max,
            over: false,
            bytes_claimed,
        })
    }

    /// The unpacked size that the file claims.
    pub(crate) fn bytes_claimed(&self) -> u64 {
        self.bytes_claimed
    }

    pub(crate) fn next_row(&mut self) -> Option<Result<RawRow<'_>, RowFault>> {
        if self.over {
            return None;
        }
        let rows = &mut self.rows;
        let row = guarded(|| rows.next().transpose());
        self.row += 1;
        let location = Location::Row(self.row);
        // Columns are read a page at a time, so the share of rows is the best measure of progress.
        let done = u128::from(self.bytes_total) * u128::from(self.row) / u128::from(self.rows_total.max(1));
        self.bytes_read.store(u64::try_from(done).unwrap_or(u64::MAX).min(self.bytes_total), Relaxed);
        match row {
            Ok(None) => {
                self.over = true;
                None
            }
            Ok(Some(row)) => {
                self.json.clear();
                write_row(&mut self.json, &row, &self.clocks);
                if self.json.len() > self.row_bytes_max {
                    let detail = format!("a row of {} bytes; at most {} are read", self.json.len(), self.row_bytes_max);
                    return Some(Err(RowFault::new(location, Reason::TooLong, detail, &self.json)));
                }
                Some(Ok(RawRow { location, content: Content::Json(&self.json) }))
            }
            Err(error) => {
                self.over = true;
                Some(Err(RowFault::new(location, Reason::Unreadable, error.to_string(), b"")))
            }
        }
    }
}

/// Converts panics to errors: the library panics on unknown types and on some broken files.
fn guarded<T>(read: impl FnOnce() -> Result<T, ParquetError>) -> Result<T, ParquetError> {
    catch_unwind(AssertUnwindSafe(read)).unwrap_or_else(|panic| {
        let words =
            panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
        Err(ParquetError::General(format!("broken, or of a type not known here: {}", words.unwrap_or("no words"))))
    })
}
