//! BLM, in which British agencies send their listings to portals: a head, the names of the fields, and rows between signs
//! that the head names.

use std::io::{self, Read};

use csv::ByteRecord;
use memchr::memmem;
use stoop_domain::Reason;

use crate::input::Input;
use crate::made_rows::MadeRows;
use crate::row::{Content, Location, RawRow, RowFault};

/// The longest head with the names of the fields, in bytes.
const HEAD_BYTES_MAX: usize = 1 << 20;

/// The rows of a BLM file.
pub(crate) struct BlmRows {
    input: Input,
    headers: ByteRecord,
    record: ByteRecord,
    field_end: u8,
    row_end: u8,
    row_bytes_max: usize,
    row: u64,
    over: bool,
}

impl BlmRows {
    pub(crate) fn new(reader: Box<dyn Read + Send>, row_bytes_max: usize) -> io::Result<Self> {
        let mut input = Input::new(reader);
        let data = loop {
            if let Some(at) = memmem::find(input.window(), b"#DATA#") {
                break at;
            }
            if input.window().len() > HEAD_BYTES_MAX || !input.more() {
                return Err(io::Error::other("no #DATA# of a BLM file"));
            }
        };
        let head = String::from_utf8_lossy(&input.window()[..data]).into_owned();
        let sign = |name: &str, usual: u8| {
            let line = head.lines().find(|line| line.trim_start().starts_with(name));
            let quoted = line.and_then(|line| line.split(['\'', '"']).nth(1));
            quoted.and_then(|sign| sign.bytes().next()).unwrap_or(usual)
        };
        let (field_end, row_end) = (sign("EOF", b'^'), sign("EOR", b'~'));
        let definition = head.split_once("#DEFINITION#").map(|(_, names)| names.trim());
        let names = definition.and_then(|names| names.split(char::from(row_end)).next()).unwrap_or_default();
        let mut headers = ByteRecord::new();
        split(names.as_bytes(), field_end, &mut headers);
        if headers.len() < 2 {
            return Err(io::Error::other("no #DEFINITION# of a BLM file"));
        }
        input.consume(data + b"#DATA#".len());
        let record = ByteRecord::new();
        Ok(Self { input, headers, record, field_end, row_end, row_bytes_max, row: 0, over: false })
    }
}

/// Splits a row into trimmed fields. A sign ends a field, also the last.
fn split(row: &[u8], field_end: u8, record: &mut ByteRecord) {
    record.clear();
    let row = row.trim_ascii();
    let row = row.strip_suffix(&[field_end]).unwrap_or(row);
    row.split(|byte| *byte == field_end).for_each(|field| record.push_field(field.trim_ascii()));
}

impl MadeRows for BlmRows {
    fn headers(&self) -> Option<&ByteRecord> {
        Some(&self.headers)
    }

    fn next_row(&mut self) -> Option<Result<RawRow<'_>, RowFault>> {
        if self.over {
            return None;
        }
        self.row += 1;
        let location = Location::Row(self.row);
        let mut searched = 0;
        let length = loop {
            let window = self.input.window();
            if let Some(at) = memchr::memchr(self.row_end, &window[searched..]) {
                break searched + at;
            }
            searched = window.len();
            let is_long = searched > self.row_bytes_max;
            if is_long || !self.input.more() {
                self.over = true;
                let error = self.input.take_error();
                let rest = self.input.window();
                let (reason, detail) = match error {
                    Some(error) => error,
                    None if is_long => (Reason::TooLong, format!("a row of more than {} bytes", self.row_bytes_max)),
                    None if rest.trim_ascii().is_empty() || rest.trim_ascii() == b"#END#" => return None,
                    None => (Reason::Truncated, "the file ends inside the row".to_owned()),
                };
                return Some(Err(RowFault::new(location, reason, detail, self.input.window())));
            }
        };
        let row = &self.input.window()[..length];
        split(row, self.field_end, &mut self.record);
        let has_width = self.record.len() == self.headers.len();
        let fault = (!has_width).then(|| {
            let detail = format!("{} fields, the definition has {}", self.record.len(), self.headers.len());
            RowFault::new(location, Reason::Unreadable, detail, row)
        });
        self.input.consume(length + 1);
        Some(fault.map_or(Ok(RawRow { location, content: Content::Csv(&self.record) }), Err))
    }
}
