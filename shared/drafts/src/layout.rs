//! Layout of a text sample: its encoding, the separator of columns, and the lines that are not rows.

use std::collections::{BTreeMap, HashMap};

use csv::{ByteRecord, ReaderBuilder};

use stoop_sources::text::{Decoder, Encoding};

/// How to open a file, detected from its beginning.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Layout {
    /// Encoding, if not UTF-8.
    pub encoding: Option<Encoding>,
    /// Separator, unless it is a comma, or a tab in a file named `.tsv`.
    pub delimiter: Option<u8>,
    /// Lines before the header.
    pub skip_lines: u32,
    /// Prefixes of rows that are not listings.
    pub comments: Vec<String>,
}

/// Maximum number of rows to read.
const ROWS_MAX: usize = 2_000;

/// Maximum number of lines before a header.
const HEADER_MAX: usize = 30;

/// Maximum number of distinct comments; more are broken rows.
const COMMENTS_MAX: usize = 4;

/// Maximum length of a comment's prefix, in characters.
const COMMENT_MAX: usize = 40;

/// Usual comment prefixes.
const SIGNS: [&str; 3] = ["#", "//", "--"];

impl Layout {
    /// Detects the layout of JSON text, which is only its encoding. `cut`: the file continues after `beginning`.
    #[must_use]
    pub fn of_text(beginning: &[u8], cut: bool) -> Self {
        // A byte order mark needs no `encoding`.
        let unmarked = Encoding::of_mark(beginning).is_none();
        let encoding = Some(Encoding::guess(beginning, cut)).filter(|encoding| unmarked && *encoding != Encoding::Utf8);
        Self { encoding, ..Self::default() }
    }

    /// Detects the layout of a CSV file; `usual` is the separator that its name suggests.
    #[must_use]
    pub fn of_csv(beginning: &[u8], cut: bool, usual: u8) -> Self {
        let layout = Self::of_text(beginning, cut);
        let text = decoded(beginning, cut);
        let Some(table) = DelimitedTable::best(&text, usual) else { return layout };
        let (header, skip_lines, mut comments) = table.header();
        comments.extend(table.comments(header));
        comments.sort();
        comments.dedup();
        let delimiter = Some(table.delimiter).filter(|sign| *sign != usual);
        Self { delimiter, skip_lines, comments, ..layout }
    }
}

/// Decodes the complete lines of the beginning to UTF-8.
fn decoded(beginning: &[u8], cut: bool) -> Vec<u8> {
    let mut decoder = Decoder::new(Encoding::guess(beginning, cut));
    let mut text = Vec::with_capacity(beginning.len());
    decoder.decode(beginning, &mut text);
    if cut && let Some(last) = text.iter().rposition(|byte| *byte == b'\n') {
        text.truncate(last + 1);
    }
    let mark = if text.starts_with("\u{feff}".as_bytes()) { 3 } else { 0 };
    text.split_off(mark)
}

/// Records split by one separator.
struct DelimitedTable {
    delimiter: u8,
    /// Records with the lines on which they begin.
    records: Vec<(u64, ByteRecord)>,
    /// Number of columns in most records.
    width: usize,
    /// Number of records with that many columns.
    regular: usize,
}

impl DelimitedTable {
    /// Picks the separator with the most regular table; the usual one wins if it is nearly as good.
    fn best(text: &[u8], usual: u8) -> Option<Self> {
        let others = [b',', b';', b'\t', b'|'].into_iter().filter(|sign| *sign != usual);
        let tables = std::iter::once(usual).chain(others).map(|sign| Self::cut(text, sign));
        let mut best: Option<Self> = None;
        for table in tables.filter(|table| table.width > 1) {
            let good = |table: &Self| table.regular * 10 >= table.records.len() * 9;
            // A decimal comma in every row looks like a table, but its header has none.
            let has_header = |table: &Self| table.records.first().is_some_and(|(_, first)| first.len() == table.width);
            let better = |best: &Self| match good(best) {
                true => !has_header(best) && good(&table) && has_header(&table),
                false => (table.regular, table.width) > (best.regular, best.width),
            };
            if best.as_ref().is_none_or(better) {
                best = Some(table);
            }
        }
        best
    }

    fn cut(text: &[u8], delimiter: u8) -> Self {
        let mut reader = ReaderBuilder::new().delimiter(delimiter).flexible(true).has_headers(false).from_reader(text);
        let mut records = Vec::new();
        let mut widths: HashMap<usize, usize> = HashMap::new();
        let mut record = ByteRecord::new();
        while records.len() < ROWS_MAX && reader.read_byte_record(&mut record).unwrap_or(false) {
            if sign(&record).is_none() {
                *widths.entry(record.len()).or_default() += 1;
            }
            records.push((record.position().map_or(1, csv::Position::line), record.clone()));
        }
        let most = widths.into_iter().max_by_key(|(width, count)| (*count, *width));
        let (width, regular) = most.unwrap_or_default();
        Self { delimiter, records, width, regular }
    }

    /// Finds the header: its index, the number of lines before it, and which of those are comments by prefix.
    fn header(&self) -> (usize, u32, Vec<String>) {
        let looks = |record: &ByteRecord| {
            record.len() == self.width && filled(record) * 2 > self.width && sign(record).is_none()
        };
        let at = self.records.iter().take(HEADER_MAX).position(|(_, record)| looks(record));
        let Some(at) = at.filter(|at| *at > 0) else { return (0, 0, Vec::new()) };
        let signs: Option<Vec<String>> = self.records[..at].iter().map(|(_, record)| sign(record)).collect();
        match signs {
            Some(signs) => (at, 0, signs),
            None => (at, u32::try_from(self.records[at].0 - 1).unwrap_or(0), Vec::new()),
        }
    }

    /// Prefixes of rows after the header that are not listings.
    fn comments(&self, header: usize) -> Vec<String> {
        let rows = self.records.get(header + 1..).unwrap_or_default();
        let mut found: BTreeMap<String, usize> = BTreeMap::new();
        for (_, record) in rows {
            if let Some(sign) = sign(record) {
                *found.entry(sign).or_default() += 1;
            } else if filled(record) == 1 && self.width > 2 || record.len() != self.width {
                // A row that contains only words in one field, where others have columns.
                if let Some(words) = words(record) {
                    *found.entry(words).or_default() += 1;
                }
            }
        }
        let few = found.values().sum::<usize>() * 50 <= rows.len().max(150);
        let found: Vec<String> = found.into_keys().collect();
        if found.len() <= COMMENTS_MAX && few { found } else { Vec::new() }
    }
}

/// Number of columns that are not empty.
fn filled(record: &ByteRecord) -> usize {
    record.iter().filter(|field| !field.trim_ascii().is_empty()).count()
}

fn sign(record: &ByteRecord) -> Option<String> {
    let first = record.get(0)?.trim_ascii_start();
    let alone = first.iter().any(u8::is_ascii_alphabetic);
    SIGNS.into_iter().find(|sign| first.starts_with(sign.as_bytes()) && alone).map(str::to_owned)
}

/// The beginning of a row that is a sentence: whole words of its first field.
fn words(record: &ByteRecord) -> Option<String> {
    let first = String::from_utf8_lossy(record.get(0)?).trim().to_owned();
    let sentence = first.split_whitespace().filter(|word| word.chars().any(char::is_alphabetic)).count() >= 3;
    if !sentence || first.contains(char::REPLACEMENT_CHARACTER) {
        return None;
    }
    if first.chars().count() <= COMMENT_MAX {
        return Some(first);
    }
    let cut: String = first.chars().take(COMMENT_MAX).collect();
    Some(cut.rsplit_once(' ').map_or(cut.clone(), |(whole, _)| whole.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn csv(text: &str) -> Layout {
        Layout::of_csv(text.as_bytes(), false, b',')
    }

    #[test]
    fn a_notice_among_the_rows_is_a_comment() {
        let notice = "\"In accordance with local MLS rules, some MLS listings are not included in the download\"";
        for notice in [notice.to_owned(), format!("{notice},,"), notice.replace('"', "")] {
            let layout =
                csv(&format!("SALE TYPE,PRICE,CITY\n{notice}\nMLS Listing,500000,Seattle\nMLS Listing,600000,Kent\n"));
            let [comment] = &layout.comments[..] else { panic!("{layout:?}") };
            assert!(comment.starts_with("In accordance with local MLS rules"), "{comment}");
            assert_eq!((layout.skip_lines, layout.delimiter), (0, None));
        }
        assert_eq!(csv("id,price\n1,2\n3,4\n"), Layout::default());
        assert_eq!(csv("id,title,x\n1,a,b\n3,,\n4,\"a, b c d\",\n").comments, [""; 0], "rows with gaps are rows");
        let broken: String = (0..50).map(|n| format!("some words of row {n}\n1,2,3\n")).collect();
        assert_eq!(csv(&format!("a,b,c\n{broken}")).comments, [""; 0], "so many are broken rows");
    }

    #[test]
    fn a_decimal_comma_in_every_row_separates_nothing() {
        for count in [1, 8, 9, 40] {
            for (sign, row) in [
                (';', "1;100001;Gdynia;41,50"),
                ('\t', "1\t100001\tFlat, 41 m2\t41"),
                (';', "\"1\";\"100001\";\"Gdynia\";\"41,50\""),
            ] {
                let header = ["id", "price", "city", "living_area"].join(&sign.to_string());
                let layout = csv(&format!("{header}\n{}", format!("{row}\n").repeat(count)));
                assert_eq!(layout.delimiter, Some(sign as u8), "{count} rows of {row}");
            }
        }
    }

    #[test]
    fn lines_before_the_header_are_counted_or_are_comments() {
        // Blank lines are never records.
        assert_eq!(csv("Listings of May\n\nid,price,city\n1,2,Kent\n").skip_lines, 1);
        assert_eq!(csv("Listings of May,,\nid,price,city\n1,2,Kent\n").skip_lines, 1);
        let signs = csv("# made by hand\n# in May\nid,price,city\n1,2,Kent\n# the end\n");
        assert_eq!((signs.skip_lines, &signs.comments[..]), (0, &["#".to_owned()][..]));
        assert_eq!(csv("# made, by hand\nid,price\n1,2\n").comments, ["#"]);
    }

    #[test]
    fn the_sign_between_columns_is_the_one_that_makes_a_table() {
        assert_eq!(csv("id;price\n1;2,5\n").delimiter, Some(b';'));
        assert_eq!(csv("id;price;city\n1;600,50;Wien, 3.\n2;5;Graz\n").delimiter, Some(b';'));
        assert_eq!(csv("id\tprice\n1\t2\n").delimiter, Some(b'\t'));
        assert_eq!(Layout::of_csv(b"id\tprice\n1\t2\n", false, b'\t').delimiter, None);
        assert_eq!(csv("id,text\n1,a;b\n2,c;d\n").delimiter, None);
        assert_eq!(csv("").delimiter, None);
    }

    #[test]
    fn the_letters_are_reported() {
        let windows = Layout::of_csv(b"id;stra\xdfe\n1;Hie\xdfgasse\n", false, b',');
        assert_eq!((windows.encoding, windows.delimiter), (Some(Encoding::Windows1252), Some(b';')));
        let utf16: Vec<u8> = "\u{feff}id;straße\n1;b\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
        let marked = Layout::of_csv(&utf16, false, b',');
        assert_eq!((marked.encoding, marked.delimiter), (None, Some(b';')), "the mark says it in each file");
        assert_eq!(Layout::of_text(&utf16[2..], true).encoding, Some(Encoding::Utf16Le));
    }
}
