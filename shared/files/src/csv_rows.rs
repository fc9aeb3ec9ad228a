use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

use csv::ByteRecord;
use stoop_domain::Reason;

use crate::input::explain;
use crate::row::{Content, Location, RawRow, ReadOptions, RowFault};

/// The rows of a CSV file.
pub(crate) struct CsvRows {
    reader: csv::Reader<Guard>,
    bounds: Arc<Bounds>,
    row_bytes_max: u64,
    headers: ByteRecord,
    record: ByteRecord,
    over: bool,
    delimiter: u8,
    /// Prefixes of rows that are comments.
    comments: Vec<String>,
    /// The comment that was returned last.
    comment: Vec<u8>,
    /// Lines that were skipped before the reader began to count.
    skipped: u64,
}

impl CsvRows {
    pub(crate) fn new(reader: Box<dyn Read + Send>, delimiter: u8, options: &ReadOptions) -> io::Result<Self> {
        let row_bytes_max = options.row_bytes_max as u64;
        let bounds = Arc::new(Bounds { limit: AtomicU64::new(row_bytes_max), cut: AtomicBool::new(false) });
        let guard = Guard { reader, bounds: Arc::clone(&bounds), given: 0, pending: io::Cursor::default() };
        let mut reader = csv::ReaderBuilder::new()
            .delimiter(delimiter)
            .flexible(true)
            .has_headers(false)
            .buffer_capacity(128 << 10)
            .from_reader(guard);
        let comments = options.comments.clone();
        let mut headers = ByteRecord::new();
        loop {
            reader.read_byte_record(&mut headers).map_err(io_error)?;
            if bounds.cut.swap(false, Relaxed) {
                return Err(io::Error::other(format!("the header is longer than {row_bytes_max} bytes")));
            }
            if headers.is_empty() || !is_comment(&headers, delimiter, &comments) {
                break;
            }
            bounds.limit.store(reader.position().byte().saturating_add(row_bytes_max), Relaxed);
        }
        let (record, comment, skipped) = (ByteRecord::new(), Vec::new(), u64::from(options.skip_lines));
        Ok(Self { reader, bounds, row_bytes_max, headers, record, over: false, delimiter, comments, comment, skipped })
    }

    pub(crate) fn headers(&self) -> &ByteRecord {
        &self.headers
    }

    pub(crate) fn next_row(&mut self) -> Option<Result<RawRow<'_>, RowFault>> {
        if self.over {
            return None;
        }
        let (start, read) = loop {
            let start = self.reader.position().byte();
            self.bounds.limit.store(start.saturating_add(self.row_bytes_max), Relaxed);
            let read = self.reader.read_byte_record(&mut self.record);
            let cut_alone = self.record.len() == 1 && &self.record[0] == CUT_ALONE;
            if !(matches!(read, Ok(true)) && cut_alone && self.bounds.cut.swap(false, Relaxed)) {
                break (start, read);
            }
            // Only blank lines came before the cut. They are not a row.
        };
        let line = self.record.position().map_or(0, csv::Position::line);
        let location = Location::Line(self.skipped + line.max(1));
        match read {
            Ok(false) => None,
            Ok(true)
                if self.bounds.cut.swap(false, Relaxed)
                    || self.reader.position().byte() - start > self.row_bytes_max =>
            {
                let raw = Content::Csv(&self.record).raw();
                let detail = format!("a row of more than {} bytes; it is skipped", self.row_bytes_max);
                Some(Err(RowFault::new(location, Reason::TooLong, detail, &raw)))
            }
            Ok(true) if is_comment(&self.record, self.delimiter, &self.comments) => {
                self.comment = Content::Csv(&self.record).raw();
                Some(Ok(RawRow { location, content: Content::Comment(&self.comment) }))
            }
            Ok(true) if self.record.len() != self.headers.len() => {
                let raw = Content::Csv(&self.record).raw();
                let mut detail = format!("{} columns, the header has {}", self.record.len(), self.headers.len());
                if self.record.len() == 1 {
                    detail += "; if it is a notice: add its beginning to [read] comment of the map";
                }
                Some(Err(RowFault::new(location, Reason::Unreadable, detail, &raw)))
            }
            Ok(true) => Some(Ok(RawRow { location, content: Content::Csv(&self.record) })),
            Err(error) => {
                self.over = true;
                let (reason, detail) = explain(&io_error(error));
                let location = Location::Line(self.skipped + self.reader.position().line().max(line));
                Some(Err(RowFault::new(location, reason, detail, b"")))
            }
        }
    }
}

/// Whether a row begins with one of the prefixes, before it is split into columns.
fn is_comment(record: &ByteRecord, delimiter: u8, comments: &[String]) -> bool {
    let sign = [delimiter];
    let begins = |comment: &String| {
        let mut left = comment.as_bytes();
        for (at, field) in record.iter().enumerate() {
            let field = if at == 0 { field.trim_ascii_start() } else { field };
            for part in [if at == 0 { &[][..] } else { &sign[..] }, field] {
                let Some(rest) = left.strip_prefix(part) else { return part.starts_with(left) };
                left = rest;
            }
        }
        left.is_empty()
    };
    comments.iter().any(begins)
}

fn io_error(error: csv::Error) -> io::Error {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => error,
        other => io::Error::other(format!("{other:?}")),
    }
}

/// State shared by the rows and the guard below the CSV reader.
struct Bounds {
    /// The byte that the current row must not reach.
    limit: AtomicU64,
    /// Whether it did, and was cut.
    cut: AtomicBool,
}

/// A filter below the CSV reader, which would keep a row of any length in memory. Cuts a row at the limit, skips the
/// rest of its line and ends it for the reader.
struct Guard {
    reader: Box<dyn Read + Send>,
    bounds: Arc<Bounds>,
    given: u64,
    /// Bytes to return before anything else is read.
    pending: io::Cursor<Vec<u8>>,
}

/// Ends a row in any state of the reader: inside quotes, after a quote that may close them, or outside.
const ROW_END: &[u8] = b"x\"\n";
/// What the reader makes of it if no row was begun.
const CUT_ALONE: &[u8] = b"x\"";

impl Read for Guard {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.given > self.bounds.limit.load(Relaxed) {
            self.skip_line(buffer)?;
        }
        let n = match self.pending.read(buffer)? {
            0 => self.reader.read(buffer)?,
            n => n,
        };
        self.given += n as u64;
        Ok(n)
    }
}

impl Guard {
    fn skip_line(&mut self, buffer: &mut [u8]) -> io::Result<()> {
        let mut pending = ROW_END.to_vec();
        loop {
            let n = match self.pending.read(buffer)? {
                0 => self.reader.read(buffer)?,
                n => n,
            };
            if let Some(newline) = memchr::memchr(b'\n', &buffer[..n]) {
                pending.extend_from_slice(&buffer[newline + 1..n]);
                break;
            }
            if n == 0 {
                break;
            }
        }
        pending.extend_from_slice(self.pending.get_ref().get(self.position()..).unwrap_or_default());
        self.pending = io::Cursor::new(pending);
        self.bounds.cut.store(true, Relaxed);
        // The row has ended for the reader. The next one is measured from here.
        self.bounds.limit.store(u64::MAX, Relaxed);
        Ok(())
    }

    fn position(&self) -> usize {
        usize::try_from(self.pending.position()).unwrap_or(usize::MAX)
    }
}
