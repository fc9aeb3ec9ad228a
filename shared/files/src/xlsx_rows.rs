//! The rows of the first sheet of an Excel workbook, which is a zip archive of XML.

use std::io::Read;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use csv::ByteRecord;
use stoop_domain::Reason;

use crate::bytes::ByteRange;
use crate::format::Allowance;
use crate::made_rows::MadeRows;
use crate::row::{Content, Location, RawRow, ReadOptions, RowFault};
use crate::xlsx_book::Book;
use crate::xml_text::{DEPTH_MAX, XmlEvent, XmlEvents};

/// The columns of a sheet, as Excel has them.
const COLUMNS_MAX: usize = 16_384;
/// Rows in which the header must come: the first with two values.
const HEADER_ROWS_MAX: usize = 1_000;

/// The rows of a sheet.
pub(crate) struct XlsxRows {
    book: Book,
    events: XmlEvents<Box<dyn Read + Send>>,
    headers: ByteRecord,
    record: ByteRecord,
    /// The cells of the current row, by column.
    cells: Vec<String>,
    row: u64,
    row_bytes_max: usize,
    over: bool,
}

/// What the sheet has next.
enum SheetStep {
    Row,
    TooLong,
    End,
}

impl XlsxRows {
    pub(crate) fn new(
        whole: &ByteRange,
        bytes_read: &Arc<AtomicU64>,
        options: &ReadOptions,
        allowance: &Arc<Allowance>,
    ) -> Result<Self, String> {
        let (book, sheet) = Book::open(whole, bytes_read, allowance)?;
        let row_bytes_max = options.row_bytes_max;
        let events = XmlEvents::new(sheet, row_bytes_max);
        let (headers, record) = (ByteRecord::new(), ByteRecord::new());
        let mut rows = Self { book, events, headers, record, cells: Vec::new(), row: 0, row_bytes_max, over: false };
        for _ in 0..HEADER_ROWS_MAX {
            match rows.read()? {
                SheetStep::End => return Ok(rows),
                SheetStep::TooLong => return Err(format!("row {}: longer than {row_bytes_max} bytes", rows.row)),
                SheetStep::Row if rows.row <= u64::from(options.skip_lines) => {}
                SheetStep::Row if rows.cells.iter().filter(|cell| !cell.is_empty()).count() < 2 => {}
                SheetStep::Row => {
                    while rows.cells.last().is_some_and(String::is_empty) {
                        rows.cells.pop();
                    }
                    rows.headers = rows.cells.iter().collect();
                    return Ok(rows);
                }
            }
        }
        Err(format!("no header in the first {HEADER_ROWS_MAX} rows of the sheet"))
    }

    /// Reads the cells of the next row.
    fn read(&mut self) -> Result<SheetStep, String> {
        self.cells.clear();
        let mut in_row = false;
        let (mut bytes, mut column) = (0, 0);
        let (mut kind, mut style, mut text) = (String::new(), String::new(), String::new());
        // The open elements inside a cell: its value is in `v`, or in `t` if it is a text of its own.
        let mut open: Vec<String> = Vec::new();
        while let Some(event) = self.events.next()? {
            match event {
                XmlEvent::Begin { name, attributes, ended } => {
                    let get =
                        |key: &str| attributes.iter().find(|(name, _)| name == key).map(|(_, value)| value.clone());
                    match name.as_str() {
                        "row" => {
                            in_row = true;
                            self.row = get("r").and_then(|row| row.parse().ok()).unwrap_or(self.row + 1);
                            column = 0;
                            if ended {
                                return Ok(SheetStep::Row);
                            }
                        }
                        "c" if in_row => {
                            column = get("r").and_then(|at| column_of(&at)).unwrap_or(column);
                            (kind, style) = (get("t").unwrap_or_default(), get("s").unwrap_or_default());
                            text.clear();
                            if ended {
                                column += 1;
                            } else {
                                open.push(name);
                            }
                        }
                        _ if open.len() > DEPTH_MAX => return Err("a cell is nested too deep".to_owned()),
                        _ if !open.is_empty() && !ended => open.push(name),
                        _ => {}
                    }
                }
                XmlEvent::Text(more) => {
                    let is_value = open.last().is_some_and(|name| name == "v" || name == "t");
                    if is_value && !open.iter().any(|name| name == "rPh") {
                        bytes += more.len();
                        if bytes <= self.row_bytes_max {
                            text.push_str(&more);
                        }
                    }
                }
                XmlEvent::End => match open.pop() {
                    Some(name) if name == "c" => {
                        let value = self.book.value(&kind, &style, &text);
                        bytes += value.len();
                        if column < COLUMNS_MAX && bytes <= self.row_bytes_max && !value.is_empty() {
                            if self.cells.len() <= column {
                                self.cells.resize(column + 1, String::new());
                            }
                            self.cells[column] = value;
                        }
                        column += 1;
                    }
                    Some(_) => {}
                    None if in_row => {
                        return Ok(if bytes > self.row_bytes_max { SheetStep::TooLong } else { SheetStep::Row });
                    }
                    None => {}
                },
            }
        }
        if in_row { Err("the sheet ends inside a row".to_owned()) } else { Ok(SheetStep::End) }
    }
}

impl MadeRows for XlsxRows {
    fn headers(&self) -> Option<&ByteRecord> {
        Some(&self.headers)
    }

    fn next_row(&mut self) -> Option<Result<RawRow<'_>, RowFault>> {
        loop {
            if self.over {
                return None;
            }
            let read = self.read();
            let location = Location::Row(self.row);
            match read {
                Ok(SheetStep::End) => self.over = true,
                Ok(SheetStep::TooLong) => {
                    let detail = format!("a row of more than {} bytes", self.row_bytes_max);
                    return Some(Err(RowFault::new(location, Reason::TooLong, detail, b"")));
                }
                Ok(SheetStep::Row) if self.cells.is_empty() => {}
                Ok(SheetStep::Row) => {
                    let width = self.headers.len();
                    if self.cells.len() > width {
                        let detail = format!("{} columns, the header has {width}", self.cells.len());
                        let raw = self.cells.join(",");
                        return Some(Err(RowFault::new(location, Reason::Unreadable, detail, raw.as_bytes())));
                    }
                    self.cells.resize(width, String::new());
                    self.record.clear();
                    self.cells.iter().for_each(|cell| self.record.push_field(cell.as_bytes()));
                    return Some(Ok(RawRow { location, content: Content::Csv(&self.record) }));
                }
                Err(problem) => {
                    self.over = true;
                    let detail = format!("the sheet cannot be read further: {problem}");
                    return Some(Err(RowFault::new(location, Reason::Unreadable, detail, b"")));
                }
            }
        }
    }
}

/// The column of a cell like `AB12`, from 0.
fn column_of(cell: &str) -> Option<usize> {
    let letters = cell.bytes().take_while(u8::is_ascii_uppercase);
    let column = letters.take(4).fold(0, |column, letter| column * 26 + usize::from(letter - b'A') + 1);
    column.checked_sub(1)
}
