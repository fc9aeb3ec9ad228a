use std::io::{self, Read};

use csv::ByteRecord;
use memchr::{memchr_iter, memchr2};
use stoop_domain::Reason;

use crate::csv_scan::{QuoteFault, RowScan, Scanned, is_joined};
use crate::input::Input;
use crate::row::{Content, Location, RawRow, ReadOptions, RowFault};

/// The maximum length of a field in bytes. Descriptions have some thousands. A stray quote makes a field of all that
/// follows it.
const FIELD_BYTES_MAX: usize = 1 << 20;

/// The rows of a CSV file.
///
/// A row whose quotes are malformed is a fault, and the next line is read as the next row: so one stray quote costs one
/// row, not all up to the next quote.
pub(crate) struct CsvRows {
    input: Input,
    scan: RowScan,
    row_bytes_max: usize,
    headers: ByteRecord,
    record: ByteRecord,
    /// The last row that was returned, or the header.
    before: ByteRecord,
    over: bool,
    delimiter: u8,
    /// Prefixes of rows that are comments.
    comments: Vec<String>,
    /// The comment that was returned last.
    comment: Vec<u8>,
    /// The number of the line at which the window begins, from 1.
    line: u64,
}

/// What was found at the beginning of the window.
enum WindowStart {
    /// A row of this length, in `record`.
    Row(usize),
    End,
    Fault(QuoteFault),
    TooLong,
    /// The file cannot be read further.
    Broken(Reason, String),
}

impl CsvRows {
    pub(crate) fn new(reader: Box<dyn Read + Send>, delimiter: u8, options: &ReadOptions) -> io::Result<Self> {
        let ReadOptions { row_bytes_max, skip_lines, comments, .. } = options;
        let mut rows = Self {
            input: Input::new(reader),
            scan: RowScan::default(),
            row_bytes_max: *row_bytes_max,
            headers: ByteRecord::new(),
            record: ByteRecord::new(),
            before: ByteRecord::new(),
            over: false,
            delimiter,
            comments: comments.clone(),
            comment: Vec::new(),
            line: u64::from(*skip_lines) + 1,
        };
        rows.input.skip_byte_order_mark();
        rows.headers = rows.read_headers()?;
        Ok(rows)
    }

    fn read_headers(&mut self) -> io::Result<ByteRecord> {
        loop {
            let line = self.skip_breaks();
            let wrong = |problem: &str| io::Error::other(format!("line {line}: {problem}"));
            match self.find() {
                WindowStart::Row(length) => {
                    self.pass(length);
                    if !is_comment(&self.record, self.delimiter, &self.comments) {
                        return Ok(self.record.clone());
                    }
                }
                WindowStart::End => return Ok(ByteRecord::new()),
                WindowStart::Broken(_, detail) => return Err(io::Error::other(detail)),
                WindowStart::Fault(_) if self.is_comment_line() => self.skip_line(),
                WindowStart::TooLong => {
                    return Err(wrong(&format!("the header is longer than {} bytes", self.row_bytes_max)));
                }
                WindowStart::Fault(fault) => return Err(wrong(&format!("the header: {}", self.detail(fault)))),
            }
        }
    }

    pub(crate) fn headers(&self) -> &ByteRecord {
        &self.headers
    }

    pub(crate) fn next_row(&mut self) -> Option<Result<RawRow<'_>, RowFault>> {
        if self.over {
            return None;
        }
        let location = Location::Line(self.skip_breaks());
        let length = match self.find() {
            WindowStart::End => return None,
            WindowStart::Row(length) => length,
            WindowStart::Broken(reason, detail) => {
                self.over = true;
                return Some(Err(RowFault::new(location, reason, detail, self.input.window())));
            }
            WindowStart::Fault(_) if self.is_comment_line() => {
                let line = self.input.window();
                self.comment = line[..memchr2(b'\n', b'\r', line).unwrap_or(line.len())].to_vec();
                self.skip_line();
                return Some(Ok(RawRow { location, content: Content::Comment(&self.comment) }));
            }
            WindowStart::Fault(fault) => {
                let reason = if fault == QuoteFault::LongField { Reason::TooLong } else { Reason::Unreadable };
                return Some(Err(self.refuse(location, reason, &self.detail(fault))));
            }
            WindowStart::TooLong => {
                let detail = format!("a row of more than {} bytes; it is skipped", self.row_bytes_max);
                return Some(Err(self.refuse(location, Reason::TooLong, &detail)));
            }
        };
        if is_comment(&self.record, self.delimiter, &self.comments) {
            self.pass(length);
            self.comment = Content::Csv(&self.record).raw();
            return Some(Ok(RawRow { location, content: Content::Comment(&self.comment) }));
        }
        let row = &self.input.window()[..length];
        let before = if self.before.is_empty() { &self.record } else { &self.before };
        if is_joined(row, self.delimiter, &self.scan, &self.record, before) {
            let detail = "a quoted text that has whole rows in it, or a stray quote behind it; its first line \
                          is refused, the others are read as rows";
            return Some(Err(self.refuse(location, Reason::Unreadable, detail)));
        }
        self.pass(length);
        if self.record.len() != self.headers.len() {
            let raw = Content::Csv(&self.record).raw();
            let mut detail = format!("{} columns, the header has {}", self.record.len(), self.headers.len());
            if self.record.len() == 1 {
                detail += "; if it is a notice: add its beginning to [read] comment of the map";
            }
            return Some(Err(RowFault::new(location, Reason::Unreadable, detail, &raw)));
        }
        std::mem::swap(&mut self.record, &mut self.before);
        Some(Ok(RawRow { location, content: Content::Csv(&self.before) }))
    }

    /// Drops line breaks before the next row. Returns the number of its line.
    fn skip_breaks(&mut self) -> u64 {
        while let Some(byte) = self.input.peek() {
            if !matches!(byte, b'\n' | b'\r') {
                break;
            }
            self.line += u64::from(byte == b'\n');
            self.input.consume(1);
        }
        self.line
    }

    /// Finds the row at the beginning of the window.
    fn find(&mut self) -> WindowStart {
        self.scan.begin(&mut self.record);
        let field_max = FIELD_BYTES_MAX.min(self.row_bytes_max);
        let mut ended = self.input.peek().is_none();
        if ended && !self.input.has_error() {
            return WindowStart::End;
        }
        loop {
            if let (true, Some((reason, detail))) = (ended, self.input.take_error()) {
                return WindowStart::Broken(reason, detail);
            }
            let window = self.input.window();
            match self.scan.scan(window, self.delimiter, ended, field_max, &mut self.record) {
                Scanned::Row(length) if length > self.row_bytes_max => return WindowStart::TooLong,
                Scanned::Row(length) => return WindowStart::Row(length),
                Scanned::More if window.len() > self.row_bytes_max => return WindowStart::TooLong,
                Scanned::More => ended = !self.input.more(),
                Scanned::Fault(QuoteFault::LongField) if field_max == self.row_bytes_max => {
                    return WindowStart::TooLong;
                }
                Scanned::Fault(fault) => return WindowStart::Fault(fault),
            }
        }
    }

    fn detail(&self, fault: QuoteFault) -> String {
        match fault {
            QuoteFault::TextBehindQuote => "text after a closing quote; accepted: a delimiter or the end of the line, \
                                            and \"\" for a quote in a quoted text; the next line is read as a row"
                .to_owned(),
            QuoteFault::LongField => {
                let most = FIELD_BYTES_MAX.min(self.row_bytes_max);
                format!("a field of more than {most} bytes; the next line is read as a row")
            }
            QuoteFault::NeverClosed => {
                "a quote that is never closed: the file ends in the text; the next line is read as a row".to_owned()
            }
        }
    }

    /// Refuses the row at the beginning of the window: its first line. The next row begins at the next line.
    fn refuse(&mut self, location: Location, reason: Reason, detail: &str) -> RowFault {
        let window = self.input.window();
        let line = &window[..memchr2(b'\n', b'\r', window).unwrap_or(window.len())];
        let mut fault = RowFault::new(location, reason, detail, line);
        self.skip_line();
        if let Some((reason, detail)) = self.input.take_error() {
            self.over = true;
            (fault.reason, fault.detail) = (reason, detail);
        }
        fault
    }

    /// Drops a row that was read, without the line break behind it.
    fn pass(&mut self, length: usize) {
        if self.scan.has_quotes {
            let row = &self.input.window()[..length];
            self.line += memchr_iter(b'\n', row).count() as u64;
        }
        self.input.consume(length);
    }

    /// Drops the first line of the window, however long it is, without keeping it.
    fn skip_line(&mut self) {
        loop {
            let window = self.input.window();
            if let Some(to) = memchr2(b'\n', b'\r', window) {
                return self.input.consume(to);
            }
            let all = window.len();
            self.input.consume(all);
            if !self.input.more() {
                return;
            }
        }
    }

    /// Whether the first line of the window, as it is, begins with one of the prefixes of comments.
    fn is_comment_line(&self) -> bool {
        let line = self.input.window().trim_ascii_start();
        self.comments.iter().any(|comment| line.starts_with(comment.as_bytes()))
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
