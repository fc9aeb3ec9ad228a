//! Splits CSV into fields, strictly: a quoted field ends at a delimiter or at the end of its line, as RFC 4180 says.
//! A lenient reader takes one stray quote for the beginning of a text, and swallows the rows up to the next quote.

use csv::ByteRecord;
use memchr::{memchr, memchr3};

const QUOTE: u8 = b'"';

/// How far the scan of a row has come. Positions count from the beginning of the row, which the caller keeps in memory.
#[derive(Debug, Default)]
pub(crate) struct RowScan {
    at: usize,
    /// Where the current field begins, behind its quote if it has one.
    field: usize,
    state: CsvState,
    /// Whether the quoted field has doubled quotes.
    doubled: bool,
    /// Whether a field of the row is quoted.
    pub(crate) has_quotes: bool,
    /// Whether a field without quotes, behind one that has them, has a quote in it.
    pub(crate) has_loose_quote: bool,
    scratch: Vec<u8>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum CsvState {
    #[default]
    Begin,
    Plain,
    Quoted,
    /// Behind a quote, at this position, which ends the field or is the first of a doubled one.
    Closed(usize),
    /// Behind such a quote and blanks.
    Behind(usize),
}

/// What a scan has found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scanned {
    /// The row, with its length without the line break.
    Row(usize),
    /// More bytes are needed.
    More,
    /// The row is malformed.
    Fault(QuoteFault),
}

/// What is wrong with the quotes of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum QuoteFault {
    /// Text between a closing quote and the next delimiter.
    TextBehindQuote,
    /// A field that is longer than a field may be.
    LongField,
    /// The file ends inside a quoted field.
    NeverClosed,
}

impl RowScan {
    /// Begins another row.
    pub(crate) fn begin(&mut self, record: &mut ByteRecord) {
        let scratch = std::mem::take(&mut self.scratch);
        *self = Self { scratch, ..Self::default() };
        record.clear();
    }

    /// Continues in `row`, the bytes from the beginning of the row on. `ended`: no more bytes follow them.
    pub(crate) fn scan(
        &mut self,
        row: &[u8],
        delimiter: u8,
        ended: bool,
        field_max: usize,
        record: &mut ByteRecord,
    ) -> Scanned {
        loop {
            if self.at.saturating_sub(self.field) > field_max && self.state != CsvState::Begin {
                return Scanned::Fault(QuoteFault::LongField);
            }
            let rest = &row[self.at..];
            match self.state {
                CsvState::Begin => match rest.first() {
                    None if !ended => return Scanned::More,
                    Some(&QUOTE) => {
                        (self.at, self.state, self.doubled, self.has_quotes) =
                            (self.at + 1, CsvState::Quoted, false, true);
                        self.field = self.at;
                    }
                    _ => (self.state, self.field) = (CsvState::Plain, self.at),
                },
                CsvState::Plain => match memchr3(delimiter, b'\n', b'\r', rest) {
                    Some(to) => {
                        self.at += to;
                        self.push_plain(&row[self.field..self.at], record);
                        if self.ends_row(row[self.at], delimiter) {
                            return Scanned::Row(self.at);
                        }
                    }
                    None => {
                        self.at = row.len();
                        if !ended {
                            return self.more(field_max);
                        }
                        self.push_plain(&row[self.field..], record);
                        return Scanned::Row(self.at);
                    }
                },
                CsvState::Quoted => match memchr(QUOTE, rest) {
                    Some(to) => {
                        self.state = CsvState::Closed(self.at + to);
                        self.at += to + 1;
                    }
                    None => {
                        self.at = row.len();
                        if ended {
                            return Scanned::Fault(QuoteFault::NeverClosed);
                        }
                        return self.more(field_max);
                    }
                },
                CsvState::Closed(quote) | CsvState::Behind(quote) => match rest.first() {
                    None if !ended => return Scanned::More,
                    None => {
                        self.push_quoted(row, quote, record);
                        return Scanned::Row(self.at);
                    }
                    Some(&QUOTE) if matches!(self.state, CsvState::Closed(_)) => {
                        (self.at, self.state, self.doubled) = (self.at + 1, CsvState::Quoted, true);
                    }
                    Some(&byte) if byte == delimiter || byte == b'\n' || byte == b'\r' => {
                        self.push_quoted(row, quote, record);
                        if self.ends_row(byte, delimiter) {
                            return Scanned::Row(self.at);
                        }
                    }
                    Some(b' ' | b'\t') => (self.at, self.state) = (self.at + 1, CsvState::Behind(quote)),
                    Some(_) => return Scanned::Fault(QuoteFault::TextBehindQuote),
                },
            }
        }
    }

    fn more(&self, field_max: usize) -> Scanned {
        if self.at - self.field > field_max { Scanned::Fault(QuoteFault::LongField) } else { Scanned::More }
    }

    /// After a field: whether this byte ends the row. Otherwise the next field begins behind it.
    fn ends_row(&mut self, byte: u8, delimiter: u8) -> bool {
        if byte != delimiter {
            return true;
        }
        (self.at, self.state) = (self.at + 1, CsvState::Begin);
        self.field = self.at;
        false
    }

    fn push_plain(&mut self, field: &[u8], record: &mut ByteRecord) {
        self.has_loose_quote |= self.has_quotes && memchr(QUOTE, field).is_some();
        record.push_field(field);
    }

    fn push_quoted(&mut self, row: &[u8], quote: usize, record: &mut ByteRecord) {
        let field = &row[self.field..quote];
        if !self.doubled {
            return record.push_field(field);
        }
        self.scratch.clear();
        let mut rest = field;
        while let Some(to) = memchr(QUOTE, rest) {
            self.scratch.extend_from_slice(&rest[..=to]);
            rest = rest.get(to + 2..).unwrap_or_default();
        }
        self.scratch.extend_from_slice(rest);
        record.push_field(&self.scratch);
    }
}

/// Whether a stray quote joins rows to this one. In an export without mistakes each line has an even number of quotes, or
/// is in a text of several lines; one quote more makes them odd, so that a row that ends well has a loose one.
///
/// Exports that have loose quotes anyway (`5" pipe`) are judged by the lines of the text: one that looks like a row itself
/// has as many fields, and numbers where `before`, another row, has numbers.
pub(crate) fn is_joined(row: &[u8], delimiter: u8, scan: &RowScan, record: &ByteRecord, before: &ByteRecord) -> bool {
    if !scan.has_quotes || memchr(b'\n', row).is_none() {
        return false;
    }
    let width = record.len();
    if scan.has_loose_quote {
        return true;
    }
    if width < 2 {
        return false;
    }
    // The field that has the line breaks.
    let Some(joined) = record.iter().position(|field| memchr(b'\n', field).is_some()) else { return false };
    let lines: Vec<&[u8]> = row.split(|byte| *byte == b'\n').skip(1).collect();
    lines.iter().enumerate().any(|(n, line)| {
        // In the last line what follows the text are fields of the row. They prove nothing.
        let judged = if n + 1 == lines.len() { joined } else { width };
        let (mut fields, mut numbers, mut filled, mut filled_before) = (0, 0, 0, 0);
        for (column, field) in line.split(|byte| *byte == delimiter).enumerate() {
            fields += 1;
            let usual = before.get(column).filter(|_| column < judged).unwrap_or_default();
            let (usual_number, number, is_empty) = (is_number(usual), is_number(field), field.trim_ascii().is_empty());
            if usual_number && !number && !is_empty {
                return false;
            }
            numbers += usize::from(usual_number && number);
            filled += usize::from(!usual.is_empty() && !is_empty);
            filled_before += usize::from(!usual.is_empty());
        }
        fields == width && numbers > 0 && 2 * filled > filled_before
    })
}

/// Whether a field is rather a number than a text.
fn is_number(field: &[u8]) -> bool {
    let digits = field.iter().filter(|byte| byte.is_ascii_digit()).count();
    let others = field.iter().filter(|byte| byte.is_ascii_alphabetic() || !byte.is_ascii()).count();
    digits > 0 && digits >= others
}
