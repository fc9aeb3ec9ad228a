use std::fs::File;
use std::io::{self, BufReader, Read, Seek};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use csv::ByteRecord;

use crate::csv_rows::CsvRows;
use crate::input::Input;
use crate::json_rows::JsonRows;
use crate::line_rows::LineRows;
use crate::parquet_rows::ParquetRows;
use crate::row::{Format, RawRow, ReadOptions, RowFault};

/// An open file of listings.
pub struct Rows {
    inner: Inner,
    bytes_read: Arc<AtomicU64>,
    bytes_total: u64,
}

enum Inner {
    Csv(Box<CsvRows>),
    Json(JsonRows),
    Lines(LineRows),
    Parquet(Box<ParquetRows>),
}

/// Why a file could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// There is no such file.
    #[error("{}: there is no such file", .0.display())]
    Missing(PathBuf),
    /// It is a folder.
    #[error("{}: this is a folder; give the files in it", .0.display())]
    Folder(PathBuf),
    /// Its extension says nothing.
    #[error("{}: the format cannot be told from the name; accepted: {ACCEPTED}; or name the format", .0.display())]
    Format(PathBuf),
    /// A pointer to the rows that is none.
    #[error("rows = {0:?} is no JSON Pointer like /data/results")]
    Pointer(String),
    /// Parquet inside gzip or Zstandard.
    #[error("{}: Parquet is compressed inside; decompress the file itself first", .0.display())]
    CompressedParquet(PathBuf),
    /// It cannot be read as what it should be.
    #[error("{}: {problem}", .path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        problem: String,
    },
}

const ACCEPTED: &str = ".csv, .tsv, .json, .jsonl, .ndjson, .parquet, each also with .gz or .zst";

/// Opens a file. Compression is told by its first bytes, the format by its extension or `options`.
///
/// # Errors
/// When it is not there, is a folder, is of a format that cannot be told, or its header cannot be read.
pub fn open(path: &Path, options: &ReadOptions) -> Result<Rows, OpenError> {
    let unreadable = |error: io::Error| OpenError::Unreadable { path: path.to_owned(), problem: error.to_string() };
    let mut file = File::open(path).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => OpenError::Missing(path.to_owned()),
        _ => unreadable(error),
    })?;
    let metadata = file.metadata().map_err(unreadable)?;
    if metadata.is_dir() {
        return Err(OpenError::Folder(path.to_owned()));
    }
    let (format, tabs) = format_of(path, options.format)?;
    let pointer = match &options.rows {
        Some(text) => pointer(text).ok_or_else(|| OpenError::Pointer(text.clone()))?,
        None => Vec::new(),
    };
    let bytes_read = Arc::new(AtomicU64::new(0));
    let bytes_total = metadata.len();
    let compression = sniff(&mut file).map_err(unreadable)?;
    let inner = if format == Format::Parquet {
        if compression != Compression::None {
            return Err(OpenError::CompressedParquet(path.to_owned()));
        }
        let rows = ParquetRows::new(file, bytes_total, Arc::clone(&bytes_read), options.row_bytes_max);
        Inner::Parquet(Box::new(rows.map_err(|error| unreadable(io::Error::other(error)))?))
    } else {
        let counted = Counted { file, bytes_read: Arc::clone(&bytes_read) };
        let reader = compression.decode(counted).map_err(unreadable)?;
        match format {
            Format::Csv => {
                let delimiter = options.delimiter.unwrap_or(if tabs { b'\t' } else { b',' });
                let rows = CsvRows::new(reader, delimiter, options.row_bytes_max).map_err(unreadable)?;
                Inner::Csv(Box::new(rows))
            }
            Format::Json => Inner::Json(JsonRows::new(Input::new(reader), options.row_bytes_max, pointer)),
            Format::JsonLines | Format::Parquet => {
                Inner::Lines(LineRows::new(Input::new(reader), options.row_bytes_max))
            }
        }
    };
    Ok(Rows { inner, bytes_read, bytes_total })
}

impl Rows {
    /// The next row, or why it cannot be had; `None` behind the last. After a fault from which there is
    /// no going on (the file is cut off), the next call gives `None`.
    pub fn next_row(&mut self) -> Option<Result<RawRow<'_>, RowFault>> {
        match &mut self.inner {
            Inner::Csv(rows) => rows.next_row(),
            Inner::Json(rows) => rows.next_row(),
            Inner::Lines(rows) => rows.next_row(),
            Inner::Parquet(rows) => rows.next_row(),
        }
    }

    /// The header of a CSV file; `None` for other formats.
    #[must_use]
    pub fn headers(&self) -> Option<&ByteRecord> {
        match &self.inner {
            Inner::Csv(rows) => Some(rows.headers()),
            _ => None,
        }
    }

    /// How many bytes of the file, as it lies on the disk, have been read.
    #[must_use]
    pub fn bytes_read(&self) -> u64 {
        self.bytes_read.load(Relaxed)
    }

    /// The same count, to be watched from elsewhere while the rows are read.
    #[must_use]
    pub fn progress(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.bytes_read)
    }

    /// How many bytes the file has on the disk.
    #[must_use]
    pub fn total_bytes(&self) -> u64 {
        self.bytes_total
    }
}

impl std::fmt::Debug for Rows {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Rows({} of {} bytes)", self.bytes_read(), self.bytes_total)
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Compression {
    None,
    Gzip,
    Zstandard,
}

fn sniff(file: &mut File) -> io::Result<Compression> {
    let mut magic = Vec::with_capacity(4);
    file.by_ref().take(4).read_to_end(&mut magic)?;
    file.rewind()?;
    Ok(match magic[..] {
        [0x1f, 0x8b, ..] => Compression::Gzip,
        [0x28, 0xb5, 0x2f, 0xfd] => Compression::Zstandard,
        _ => Compression::None,
    })
}

impl Compression {
    fn decode(self, file: Counted) -> io::Result<Box<dyn Read + Send>> {
        Ok(match self {
            Self::None => Box::new(file),
            Self::Gzip => Box::new(flate2::bufread::MultiGzDecoder::new(BufReader::with_capacity(128 << 10, file))),
            Self::Zstandard => Box::new(zstd::Decoder::new(file)?),
        })
    }
}

/// Counts the bytes that are taken from the file.
struct Counted {
    file: File,
    bytes_read: Arc<AtomicU64>,
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.file.read(buffer)?;
        self.bytes_read.fetch_add(n as u64, Relaxed);
        Ok(n)
    }
}

/// The format, and whether the name says that tabs stand between columns.
fn format_of(path: &Path, given: Option<Format>) -> Result<(Format, bool), OpenError> {
    let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
    let plain = [".gz", ".zst", ".zstd"].iter().find_map(|end| name.strip_suffix(end)).unwrap_or(&name);
    let extension = plain.rsplit_once('.').map_or("", |(_, extension)| extension);
    let by_name = match extension {
        "csv" => Some(Format::Csv),
        "tsv" => Some(Format::Csv),
        "json" => Some(Format::Json),
        "jsonl" | "ndjson" => Some(Format::JsonLines),
        "parquet" => Some(Format::Parquet),
        _ => None,
    };
    let format = given.or(by_name).ok_or_else(|| OpenError::Format(path.to_owned()))?;
    Ok((format, extension == "tsv"))
}

/// The keys of a JSON Pointer (RFC 6901).
fn pointer(text: &str) -> Option<Vec<String>> {
    if text.is_empty() {
        return Some(Vec::new());
    }
    let rest = text.strip_prefix('/')?;
    Some(rest.split('/').map(|key| key.replace("~1", "/").replace("~0", "~")).collect())
}
