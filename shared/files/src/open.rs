use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use csv::ByteRecord;
use stoop_sources::declared::Format;

use crate::blm_rows::BlmRows;
use crate::bytes::{ByteRange, LocalBytes, RangeReader, ReadAt};
use crate::csv_rows::CsvRows;
use crate::format::{self, Allowance, ContentKind, NamedFormat, Packing};
use crate::html_rows::HtmlRows;
use crate::input::Input;
use crate::json_rows::JsonRows;
use crate::letters;
use crate::line_rows::LineRows;
use crate::made_rows::MadeRows;
use crate::open_error::OpenError;
use crate::parquet_rows::ParquetRows;
use crate::row::{RawRow, ReadOptions, RowFault};
use crate::xlsx_rows::XlsxRows;
use crate::xml_rows::XmlRows;
use crate::xml_text::declared_encoding;
use crate::zip::{Archive, ZipEntry};

/// The maximum size of a workbook inside another file, which is unpacked in memory.
const PACKED_BOOK_MAX: u64 = 64 << 20;

/// An open file of listings.
pub struct Rows {
    inner: FormatRows,
    bytes_read: Arc<AtomicU64>,
    bytes_total: u64,
}

enum FormatRows {
    Csv(Box<CsvRows>),
    Json(JsonRows),
    Lines(LineRows),
    Parquet(Box<ParquetRows>),
    Made(Box<dyn MadeRows>),
}

/// Opens a file of rows. The first bytes determine the compression, the extension or `options` the format. For archives
/// see [`Parts`](crate::Parts).
///
/// # Errors
/// If the file does not exist, is a folder or an archive, has an unknown format, or has a header that cannot be read.
pub fn open(path: &Path, options: &ReadOptions) -> Result<Rows, OpenError> {
    let whole = ByteRange::whole(Arc::new(local(path)?));
    let allowance = Allowance::of(whole.size());
    open_whole(path, &whole, options, &allowance)
}

/// Opens bytes of another source. `path` determines the format and names them in errors.
///
/// # Errors
/// As [`open`].
pub fn open_bytes(path: &Path, bytes: Arc<dyn ReadAt>, options: &ReadOptions) -> Result<Rows, OpenError> {
    let whole = ByteRange::whole(bytes);
    let allowance = Allowance::of(whole.size());
    open_whole(path, &whole, options, &allowance)
}

/// The beginning of a file, unpacked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Beginning {
    /// Not decoded.
    pub bytes: Vec<u8>,
    /// Whether more bytes follow.
    pub cut: bool,
    /// The format by name, or by content if there is no name.
    pub format: Format,
    /// The separator of CSV columns according to the name.
    pub delimiter: u8,
}

/// Reads the beginning of a file that is not an archive, to detect how to open it. If a compressed file is broken, the
/// bytes after the error are left out.
///
/// # Errors
/// As [`open`].
pub fn beginning(path: &Path, bytes: Arc<dyn ReadAt>, most: usize) -> Result<Beginning, OpenError> {
    let whole = ByteRange::whole(bytes);
    let named = format::named(path);
    let mut beginning = unpacked(path, &whole, most + 1)?;
    let format = format_of(path, named, &ReadOptions::default(), &beginning)?;
    let cut = beginning.len() > most;
    beginning.truncate(most);
    Ok(Beginning { bytes: beginning, cut, format, delimiter: if named.tabs { b'\t' } else { b',' } })
}

/// The first bytes, unpacked; at most `most`.
fn unpacked(path: &Path, whole: &ByteRange, most: usize) -> Result<Vec<u8>, OpenError> {
    let packing = Packing::of(&whole.beginning::<4>().map_err(|error| unreadable(path, error))?);
    let reader = RangeReader::new(whole.clone(), Arc::default());
    let reader = packing.unpack(reader, &Allowance::of(whole.size())).map_err(|error| unreadable(path, error))?;
    let mut unpacked = Vec::new();
    // Errors are reported when the rows are read.
    drop(reader.take(most as u64).read_to_end(&mut unpacked));
    Ok(unpacked)
}

/// The bytes of a file on disk.
pub(crate) fn local(path: &Path) -> Result<LocalBytes, OpenError> {
    // Opening a pipe would block, so its type is checked first.
    if std::fs::metadata(path).is_ok_and(|metadata| !metadata.is_file() && !metadata.is_dir()) {
        return Err(OpenError::NoFile(path.to_owned()));
    }
    let file = File::open(path).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => OpenError::Missing(path.to_owned()),
        _ => unreadable(path, error),
    })?;
    if file.metadata().map_err(|error| unreadable(path, error))?.is_dir() {
        return Err(OpenError::Folder(path.to_owned()));
    }
    LocalBytes::new(file).map_err(|error| unreadable(path, error))
}

/// Opens a file that is not an archive.
pub(crate) fn open_whole(
    path: &Path,
    whole: &ByteRange,
    options: &ReadOptions,
    allowance: &Arc<Allowance>,
) -> Result<Rows, OpenError> {
    let bytes_read = Arc::new(AtomicU64::new(0));
    let named = format::named(path);
    let beginning =
        if named.kind == ContentKind::Nameless { unpacked(path, whole, format::DETECTION_BYTES)? } else { Vec::new() };
    let format = format_of(path, named, options, &beginning)?;
    let packing = Packing::of(&whole.beginning::<4>().map_err(|error| unreadable(path, error))?);
    let inner = match (format, packing) {
        (Format::Xlsx, Packing::Zip) => workbook(path, &whole.clone(), &bytes_read, options, allowance)?,
        (Format::Xlsx, Packing::Gzip | Packing::Zstandard) => {
            let reader = packing.unpack(RangeReader::new(whole.clone(), Arc::clone(&bytes_read)), allowance);
            let reader = reader.map_err(|error| unreadable(path, error))?;
            workbook(path, &in_memory(path, reader)?, &Arc::default(), options, allowance)?
        }
        (Format::Xlsx, Packing::None) => {
            return Err(unreadable(path, io::Error::other("it is no Excel workbook, which is a zip archive")));
        }
        (_, Packing::Zip) => return Err(OpenError::Archive(path.to_owned())),
        (Format::Parquet, Packing::None) => parquet(path, whole.clone(), &bytes_read, options, allowance)?,
        (Format::Parquet, _) => return Err(OpenError::CompressedParquet(path.to_owned())),
        _ => {
            let reader = RangeReader::new(whole.clone(), Arc::clone(&bytes_read));
            let reader = packing.unpack(reader, allowance).map_err(|error| unreadable(path, error))?;
            streamed(path, format, named.tabs, reader, options)?
        }
    };
    Ok(Rows { inner, bytes_read, bytes_total: whole.size() })
}

/// Opens a file in an archive. `path` is that of the archive followed by the name of the entry.
pub(crate) fn open_entry(
    path: &Path,
    archive: &Archive,
    entry: &ZipEntry,
    bytes_read: &Arc<AtomicU64>,
    options: &ReadOptions,
    allowance: &Arc<Allowance>,
) -> Result<Rows, OpenError> {
    let named = format::named(path);
    if named.kind == ContentKind::Archive {
        return Err(OpenError::Archive(path.to_owned()));
    }
    let format = format_of(path, named, options, b"")?;
    let packed = archive.locate(entry, path)?;
    let bytes_total = packed.range.size();
    let inner = if format == Format::Parquet {
        if !packed.stored {
            return Err(OpenError::CompressedParquet(path.to_owned()));
        }
        parquet(path, packed.range, &Arc::default(), options, allowance)?
    } else {
        let reader = RangeReader::new(packed.range.clone(), Arc::clone(bytes_read));
        let unpacked = archive.stream(entry, reader, allowance);
        let mut unpacked = unpacked.map_err(|error| unreadable(path, error))?;
        let mut beginning = Vec::with_capacity(4);
        unpacked.by_ref().take(4).read_to_end(&mut beginning).map_err(|error| unreadable(path, error))?;
        let packing = Packing::of(&beginning);
        let unpacked = io::Cursor::new(beginning).chain(unpacked);
        if packing == Packing::Zip && format == Format::Xlsx {
            let whole = in_memory(path, Box::new(unpacked))?;
            let inner = workbook(path, &whole, &Arc::default(), options, allowance)?;
            return Ok(Rows { inner, bytes_read: Arc::clone(bytes_read), bytes_total });
        }
        if packing == Packing::Zip || format == Format::Xlsx {
            return Err(OpenError::Archive(path.to_owned()));
        }
        let reader = packing.unpack(unpacked, allowance).map_err(|error| unreadable(path, error))?;
        streamed(path, format, named.tabs, reader, options)?
    };
    Ok(Rows { inner, bytes_read: Arc::clone(bytes_read), bytes_total })
}

/// The format of a file; for one without a name, by its first bytes.
fn format_of(path: &Path, named: NamedFormat, options: &ReadOptions, beginning: &[u8]) -> Result<Format, OpenError> {
    let by_name = match named.kind {
        ContentKind::Rows(format) => Some(format),
        ContentKind::Nameless => Some(format::guess(beginning, options.rows.is_some())),
        ContentKind::Archive | ContentKind::Unknown => None,
    };
    options.format.or(by_name).ok_or_else(|| OpenError::Format(path.to_owned()))
}

fn parquet(
    path: &Path,
    range: ByteRange,
    bytes_read: &Arc<AtomicU64>,
    options: &ReadOptions,
    allowance: &Arc<Allowance>,
) -> Result<FormatRows, OpenError> {
    let size = range.size();
    let rows = ParquetRows::new(range, size, Arc::clone(bytes_read), options.row_bytes_max);
    let rows = rows.map_err(|error| unreadable(path, io::Error::other(error)))?;
    if !allowance.unpack(rows.bytes_claimed()) {
        return Err(unreadable(path, io::Error::other(allowance.exceeded().unwrap_or_default())));
    }
    Ok(FormatRows::Parquet(Box::new(rows)))
}

fn workbook(
    path: &Path,
    whole: &ByteRange,
    bytes_read: &Arc<AtomicU64>,
    options: &ReadOptions,
    allowance: &Arc<Allowance>,
) -> Result<FormatRows, OpenError> {
    let rows = XlsxRows::new(whole, bytes_read, options, allowance);
    Ok(FormatRows::Made(Box::new(rows.map_err(|problem| unreadable(path, io::Error::other(problem)))?)))
}

/// The bytes of a packed workbook, whose directory is at its end.
fn in_memory(path: &Path, reader: Box<dyn Read + Send>) -> Result<ByteRange, OpenError> {
    let mut bytes = Vec::new();
    reader.take(PACKED_BOOK_MAX + 1).read_to_end(&mut bytes).map_err(|error| unreadable(path, error))?;
    if bytes.len() as u64 > PACKED_BOOK_MAX {
        return Err(unreadable(
            path,
            io::Error::other(format!("a packed workbook of more than {PACKED_BOOK_MAX} bytes")),
        ));
    }
    Ok(ByteRange::whole(Arc::new(bytes)))
}

fn streamed(
    path: &Path,
    format: Format,
    tabs: bool,
    reader: Box<dyn Read + Send>,
    options: &ReadOptions,
) -> Result<FormatRows, OpenError> {
    let max = options.row_bytes_max;
    let made =
        |rows: io::Result<Box<dyn MadeRows>>| rows.map(FormatRows::Made).map_err(|error| unreadable(path, error));
    let (reader, declared): (Box<dyn Read + Send>, _) = if format == Format::Xml && options.encoding.is_none() {
        let mut reader = io::BufReader::new(reader);
        let declared = declared_encoding(&mut reader).map_err(|error| unreadable(path, error))?;
        (Box::new(reader), declared)
    } else {
        (reader, options.encoding)
    };
    let reader = letters::decoded(reader, declared);
    let behind = |reader| letters::behind_lines(reader, options.skip_lines).map_err(|error| unreadable(path, error));
    Ok(match format {
        Format::Csv => {
            let delimiter = options.delimiter.unwrap_or(if tabs { b'\t' } else { b',' });
            let rows = CsvRows::new(behind(reader)?, delimiter, options).map_err(|error| unreadable(path, error))?;
            FormatRows::Csv(Box::new(rows))
        }
        Format::Json => {
            let pointer = match &options.rows {
                Some(text) => pointer(text).ok_or_else(|| OpenError::Pointer(text.clone()))?,
                None => Vec::new(),
            };
            FormatRows::Json(JsonRows::new(Input::new(reader), max, pointer))
        }
        Format::Xml => made(XmlRows::new(reader, options.rows.as_deref(), max).map(|rows| Box::new(rows) as _))?,
        Format::Html => made(HtmlRows::new(reader, max).map(|rows| Box::new(rows) as _))?,
        Format::Blm => made(BlmRows::new(reader, max).map(|rows| Box::new(rows) as _))?,
        Format::JsonLines | Format::Parquet | Format::Xlsx => {
            FormatRows::Lines(LineRows::new(Input::new(behind(reader)?), options))
        }
    })
}

impl Rows {
    /// The next row or fault; `None` after the last one. After a fault that ends the file (such as truncation), the
    /// next call returns `None`.
    pub fn next_row(&mut self) -> Option<Result<RawRow<'_>, RowFault>> {
        match &mut self.inner {
            FormatRows::Csv(rows) => rows.next_row(),
            FormatRows::Json(rows) => rows.next_row(),
            FormatRows::Lines(rows) => rows.next_row(),
            FormatRows::Parquet(rows) => rows.next_row(),
            FormatRows::Made(rows) => rows.next_row(),
        }
    }

    /// The header of a CSV file, workbook or BLM file; `None` for other formats.
    #[must_use]
    pub fn headers(&self) -> Option<&ByteRecord> {
        match &self.inner {
            FormatRows::Csv(rows) => Some(rows.headers()),
            FormatRows::Made(rows) => rows.headers(),
            _ => None,
        }
    }

    /// The number of bytes of the file that were read, as stored.
    #[must_use]
    pub fn bytes_read(&self) -> u64 {
        self.bytes_read.load(Relaxed)
    }

    /// The same count, shared, to be watched while the rows are read.
    #[must_use]
    pub fn progress(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.bytes_read)
    }

    /// The size of the file in bytes, as stored.
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

/// The keys of a JSON Pointer (RFC 6901).
fn pointer(text: &str) -> Option<Vec<String>> {
    if text.is_empty() {
        return Some(Vec::new());
    }
    let rest = text.strip_prefix('/')?;
    Some(rest.split('/').map(|key| key.replace("~1", "/").replace("~0", "~")).collect())
}

fn unreadable(path: &Path, error: io::Error) -> OpenError {
    OpenError::Unreadable { path: path.to_owned(), problem: error.to_string() }
}
