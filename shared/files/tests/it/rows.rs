//! Rows of complete and broken files of each format.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use stoop_domain::Reason;
use stoop_files::{Content, Format, Location, ReadOptions, open};
use stoop_sources::text::Encoding;
use tempfile::TempDir;

/// Rows as text, faults as location and reason.
type Seen = Vec<Result<(Location, String), (Location, Reason)>>;

struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn file(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.0.path().join(name);
        File::create(&path).unwrap().write_all(bytes).unwrap();
        path
    }
}

fn read(path: &Path, options: &ReadOptions) -> Seen {
    let mut rows = open(path, options).unwrap();
    let mut seen = Vec::new();
    while let Some(row) = rows.next_row() {
        seen.push(match row {
            Ok(row) => Ok((row.location, String::from_utf8_lossy(&row.content.raw()).into_owned())),
            Err(fault) => Err((fault.location, fault.reason)),
        });
        assert!(seen.len() < 100_000, "the file does not end");
    }
    if !seen.iter().any(|row| row.is_err()) && rows.total_bytes() > 0 {
        assert_eq!(rows.bytes_read(), rows.total_bytes());
    }
    seen
}

fn given(name: &str, bytes: &[u8]) -> Seen {
    let folder = Folder::new();
    read(&folder.file(name, bytes), &ReadOptions::default())
}

fn texts(seen: Seen) -> Vec<String> {
    seen.into_iter().map(|row| row.unwrap().1).collect()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn short() -> ReadOptions {
    ReadOptions { row_bytes_max: 20, ..ReadOptions::default() }
}

#[test]
fn lines_are_rows_and_blank_lines_are_not() {
    let seen = given("a.jsonl", b"\xef\xbb\xbf{\"a\":1}\r\n\n   \n{\"a\":2}");
    assert_eq!(
        seen,
        [Ok((Location::Line(1), "{\"a\":1}\r".to_owned())), Ok((Location::Line(4), "{\"a\":2}".to_owned()))]
    );
    assert_eq!(given("a.ndjson", b""), []);
}

#[test]
fn elements_of_an_array_are_rows_with_any_text() {
    let json = br#" [ {"a": "],}\"\\"}, {"b": [1, {"c": "["}]} , 7, "x", null ] "#;
    let rows = texts(given("a.json", json));
    assert_eq!(rows, [r#"{"a": "],}\"\\"}"#, r#"{"b": [1, {"c": "["}]}"#, "7", "\"x\"", "null"]);
    assert_eq!(given("a.json", b"[]"), []);
}

#[test]
fn objects_in_sequence_are_rows() {
    assert_eq!(texts(given("a.json", b"{\"a\":1}\n{\"a\":2}")), ["{\"a\":1}", "{\"a\":2}"]);
}

#[test]
fn rows_inside_an_object_are_found_by_their_pointer() {
    let folder = Folder::new();
    let path =
        folder.file("a.json", br#"{"x": {"rows": [0]}, "da\u0074a": {"n": [9], "rows": [1, 2], "z": 3}, "y": 4}"#);
    let options = ReadOptions { rows: Some("/data/rows".into()), ..ReadOptions::default() };
    let mut rows = open(&path, &options).unwrap();
    let mut seen = Vec::new();
    while let Some(row) = rows.next_row() {
        seen.push(String::from_utf8(row.unwrap().content.raw()).unwrap());
    }
    assert_eq!(seen, ["1", "2"]);
    for (pointer, says) in
        [("/data/rowz", "no key \"rowz\" in \"/data\""), ("/y", "is not an array"), ("/x/rows/0", "x")]
    {
        let options = ReadOptions { rows: Some(pointer.into()), ..ReadOptions::default() };
        let mut rows = open(&path, &options).unwrap();
        let fault = rows.next_row().unwrap().unwrap_err();
        assert_eq!(fault.reason, Reason::Unreadable);
        assert!(fault.detail.contains(says), "{fault}");
        assert!(rows.next_row().is_none());
    }
}

#[test]
fn a_truncated_array_gives_its_complete_rows() {
    let seen = given("a.json", br#"[{"a":1},{"a":2"#);
    assert_eq!(seen[0], Ok((Location::Element(1), "{\"a\":1}".to_owned())));
    assert_eq!(seen[1..], [Err((Location::Element(2), Reason::Truncated))]);
    assert_eq!(given("a.json", b"[{},")[1..], [Err((Location::Element(2), Reason::Truncated))]);
    assert_eq!(given("a.json", b"[1 2]")[1..], [Err((Location::Element(2), Reason::Unreadable))]);
    assert_eq!(given("a.json", b"<html>"), [Err((Location::Element(1), Reason::Unreadable))]);
}

#[test]
fn csv_rows_of_another_width_are_faults_and_the_others_are_read() {
    let folder = Folder::new();
    let path = folder.file("a.csv", b"\xef\xbb\xbfid,title\n1,a\n2\n3,\"x\ny\"\n4,a,b\n5,e\n");
    let rows = open(&path, &ReadOptions::default()).unwrap();
    assert_eq!(rows.headers().unwrap(), &csv::ByteRecord::from(vec!["id", "title"]));
    assert_eq!(
        read(&path, &ReadOptions::default()),
        [
            Ok((Location::Line(2), "1,a".to_owned())),
            Err((Location::Line(3), Reason::Unreadable)),
            Ok((Location::Line(4), "3,x\ny".to_owned())),
            Err((Location::Line(6), Reason::Unreadable)),
            Ok((Location::Line(7), "5,e".to_owned())),
        ]
    );
    assert_eq!(given("empty.csv", b""), []);
}

#[test]
fn name_or_caller_determine_the_separator() {
    assert_eq!(texts(given("a.tsv", b"a\tb\n1\t2\n")), ["1,2"]);
    let folder = Folder::new();
    let options = ReadOptions { delimiter: Some(b';'), ..ReadOptions::default() };
    assert_eq!(texts(read(&folder.file("a.csv", b"a;b\n1;2\n"), &options)), ["1,2"]);
    let options = ReadOptions { format: Some(Format::JsonLines), ..ReadOptions::default() };
    assert_eq!(texts(read(&folder.file("a.log", b"{}\n"), &options)), ["{}"]);
}

/// An export of an old computer: its own encoding, lines before the header, a notice between rows.
const EXPORT: &str = "Export of 3 May\n\nid;straße;preis\n1;Hießgasse 3;600 €\n\"In accordance with rules; some are left out\"\n\
                      2;Am Ring;5\nIn accordance with rules; all;the;same\n3;in accordance;7\n";

fn export_options(encoding: Option<Encoding>) -> ReadOptions {
    let comments = vec!["In accordance with rules; ".to_owned(), "#".to_owned()];
    ReadOptions { delimiter: Some(b';'), encoding, skip_lines: 2, comments, ..ReadOptions::default() }
}

#[test]
fn comments_and_lines_before_the_header_are_not_rows() {
    let folder = Folder::new();
    let line = |line: u64, text: &str| Ok((Location::Line(line), text.to_owned()));
    let path = folder.file("a.csv", EXPORT.as_bytes());
    let notice = "In accordance with rules; some are left out";
    assert_eq!(
        read(&path, &export_options(None)),
        [
            line(4, "1,Hießgasse 3,600 €"),
            line(5, notice),
            line(6, "2,Am Ring,5"),
            line(7, "In accordance with rules, all,the,same"),
            line(8, "3,in accordance,7"),
        ]
    );
    let comments = |path: &Path, options: &ReadOptions| {
        let mut rows = open(path, options).unwrap();
        let (mut comments, mut others) = (0, 0);
        while let Some(row) = rows.next_row() {
            *(if matches!(row.unwrap().content, Content::Comment(_)) { &mut comments } else { &mut others }) += 1;
        }
        (comments, others)
    };
    assert_eq!(comments(&path, &export_options(None)), (2, 3));
    // Comments before the header are not the header.
    let path = folder.file("b.csv", b"# one\n # two, three\nid,price\n1,2\n#3,4\n");
    let options = ReadOptions { comments: vec!["#".into()], ..ReadOptions::default() };
    assert_eq!(open(&path, &options).unwrap().headers().unwrap(), &csv::ByteRecord::from(vec!["id", "price"]));
    assert_eq!(comments(&path, &options), (1, 1));
    let lines = folder.file("c.jsonl", b"made by hand\n{\"a\":1}\n  # {\n{\"a\":2}\n");
    assert_eq!(comments(&lines, &ReadOptions { skip_lines: 1, ..options }), (1, 2));
    // Skipping more lines than there are leaves nothing.
    assert_eq!(read(&lines, &ReadOptions { skip_lines: 9, ..ReadOptions::default() }), []);
}

#[test]
fn text_in_any_encoding_is_equal() {
    let folder = Folder::new();
    let options = |encoding| export_options(encoding);
    let expected = read(&folder.file("a.csv", EXPORT.as_bytes()), &options(None));
    let windows: Vec<u8> = EXPORT.chars().map(|c| if c == '€' { 0x80 } else { u8::try_from(c).unwrap() }).collect();
    let utf16 = |order: fn(u16) -> [u8; 2], text: &str| text.encode_utf16().flat_map(order).collect::<Vec<u8>>();
    let marked = format!("\u{feff}{EXPORT}");
    for (encoding, bytes) in [
        (Some(Encoding::Windows1252), windows.clone()),
        (Some(Encoding::Utf16Le), utf16(u16::to_le_bytes, EXPORT)),
        (Some(Encoding::Utf16Be), gzip(&utf16(u16::to_be_bytes, EXPORT))),
        // A mark overrides the declared encoding.
        (None, utf16(u16::to_le_bytes, &marked)),
        (Some(Encoding::Windows1252), utf16(u16::to_be_bytes, &marked)),
        (Some(Encoding::Windows1252), marked.clone().into_bytes()),
    ] {
        assert_eq!(read(&folder.file("b.csv", &bytes), &options(encoding)), expected, "{encoding:?}");
    }
    let json = utf16(u16::to_le_bytes, "\u{feff}[{\"a\": \"ß\"}]");
    assert_eq!(texts(given("a.json", &json)), ["{\"a\": \"ß\"}"]);
    assert_eq!(texts(given("a.jsonl", &json[..json.len() - 2]))[..], ["[{\"a\": \"ß\"}"]);
    // Long enough to be split within a character.
    let long: String = (0..9_000).map(|n| format!("{{\"n\":{n},\"t\":\"€🏠\"}}\n")).collect();
    let path = folder.file("long.jsonl", &utf16(u16::to_be_bytes, &long));
    let rows = texts(read(&path, &ReadOptions { encoding: Some(Encoding::Utf16Be), ..ReadOptions::default() }));
    assert_eq!(rows.join("\n") + "\n", long);
}

#[test]
fn the_first_bytes_determine_the_compression() {
    let two_members = [gzip(b"{\"a\":1}\n"), gzip(b"{\"a\":2}\n")].concat();
    assert_eq!(texts(given("a.jsonl.gz", &two_members)).len(), 2);
    assert_eq!(texts(given("a.jsonl", &two_members)).len(), 2);
    assert_eq!(texts(given("a.jsonl.gz", b"{\"a\":1}\n")).len(), 1);
    let zstd = zstd::encode_all(&b"a,b\n1,2\n"[..], 1).unwrap();
    assert_eq!(texts(given("a.csv.zst", &zstd)), ["1,2"]);
}

#[test]
fn a_truncated_gzip_gives_its_complete_rows_and_one_fault() {
    let whole = gzip(&b"{\"a\":1}\n".repeat(50_000));
    let seen = given("a.jsonl.gz", &whole[..whole.len() / 2]);
    let last = seen.len();
    assert!(last > 1_000);
    assert_eq!(seen[last - 1], Err((Location::Line(last as u64), Reason::Truncated)));
    assert!(seen[..last - 1].iter().all(Result::is_ok));

    let whole = gzip(&[&b"a,b\n"[..], &b"1,2\n".repeat(50_000)].concat());
    let seen = given("a.csv.gz", &whole[..whole.len() / 2]);
    assert!(matches!(seen.last(), Some(Err((Location::Line(line), Reason::Truncated))) if *line > 1_000));
    assert_eq!(seen.iter().filter(|row| row.is_err()).count(), 1);

    let whole = gzip(&[&b"["[..], &b"{\"a\":1},".repeat(50_000)].concat());
    let seen = given("a.json.gz", &whole[..whole.len() / 2]);
    assert!(matches!(seen.last(), Some(Err((Location::Element(_), Reason::Truncated)))));
    assert_eq!(seen.iter().filter(|row| row.is_err()).count(), 1);
}

#[test]
fn a_row_that_is_too_long_is_skipped() {
    let folder = Folder::new();
    let long = "x".repeat(300_000);
    let lines = folder.file("a.jsonl", format!("1\n\"{long}\"\n\"{}\"\n4\n", "y".repeat(30)).as_bytes());
    let locations = |seen: &Seen| seen.iter().map(|row| row.as_ref().map_or_else(|e| e.0, |r| r.0)).collect::<Vec<_>>();
    let seen = read(&lines, &short());
    assert_eq!(locations(&seen), [1, 2, 3, 4].map(Location::Line));
    assert_eq!(seen.iter().filter(|row| **row == Err((Location::Line(2), Reason::TooLong))).count(), 1);
    assert!(seen[3].is_ok());

    let array = folder.file("a.json", format!("[1, [\"{long}\", {{}}], \"{}\", 4]", "y".repeat(30)).as_bytes());
    let seen = read(&array, &short());
    assert_eq!(locations(&seen), [1, 2, 3, 4].map(Location::Element));
    assert_eq!(seen[1], Err((Location::Element(2), Reason::TooLong)));
    assert_eq!(seen[3], Ok((Location::Element(4), "4".to_owned())));

    for quote in ["", "\""] {
        let text = format!("a,b\n1,2\n3,{quote}{long}{quote}\n5,{}\n7,8\n", "y".repeat(30));
        let seen = read(&folder.file("a.csv", text.as_bytes()), &short());
        assert_eq!(locations(&seen), [2, 3, 4, 5].map(Location::Line));
        assert_eq!(seen[1], Err((Location::Line(3), Reason::TooLong)));
        assert_eq!(seen[2], Err((Location::Line(4), Reason::TooLong)));
        assert_eq!(seen[3], Ok((Location::Line(5), "7,8".to_owned())));
    }
}

#[test]
fn a_line_of_two_hundred_megabytes_is_skipped() {
    let folder = Folder::new();
    for (name, head, rows) in [("a.jsonl", "", 2), ("a.csv", "a,b\n", 2)] {
        let path = folder.0.path().join(name);
        let mut file = File::create(&path).unwrap();
        let row = if head.is_empty() { "{}" } else { "1,2" };
        writeln!(file, "{head}{row}").unwrap();
        // A sparse file: zeros that take no space on disk.
        let long = 200 << 20;
        file.set_len(long).unwrap();
        std::io::Seek::seek(&mut file, std::io::SeekFrom::Start(long)).unwrap();
        writeln!(file, "\n{row}").unwrap();
        let seen = read(&path, &ReadOptions::default());
        assert_eq!(seen.iter().filter(|row| row.is_ok()).count(), rows);
        assert_eq!(seen.iter().filter(|row| matches!(row, Err((_, Reason::TooLong)))).count(), 1);
    }
}

#[test]
fn open_errors_contain_what_is_accepted() {
    let folder = Folder::new();
    let says = |path: &Path| open(path, &ReadOptions::default()).unwrap_err().to_string();
    assert!(says(&folder.0.path().join("none.csv")).contains("none.csv: there is no such file"));
    assert!(says(folder.0.path()).contains("folder"));
    let unknown = says(&folder.file("a.doc", b"PK"));
    assert!(unknown.contains("a.doc") && unknown.contains(".csv, .tsv, .json, .jsonl"), "{unknown}");
    assert!(says(&folder.file("a.parquet", b"PAR1")).contains("a.parquet"));
    let packed = says(&folder.file("a.parquet.gz", &gzip(b"PAR1")));
    assert!(packed.contains("unpack the file itself"), "{packed}");
    let options = ReadOptions { rows: Some("rows".into()), ..ReadOptions::default() };
    assert!(open(&folder.file("a.json", b"{}"), &options).unwrap_err().to_string().contains("/data/results"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn any_bytes_are_read_to_the_end(
        bytes in prop_oneof![
            prop::collection::vec(any::<u8>(), 0..400),
            "[\\[\\]{}\",:\\\\ \n0-9a\r]{0,200}".prop_map(String::into_bytes),
        ],
        max in 1_usize..60,
        skip_lines in 0_u32..3,
        encoding in prop::option::of(prop::sample::select(vec![Encoding::Windows1252, Encoding::Utf16Le])),
        comments in prop::collection::vec("[0a\"{]{1,2}", 0..2),
    ) {
        let folder = Folder::new();
        for name in ["a.json", "a.jsonl", "a.csv", "a.json.gz", "a.parquet"] {
            let path = folder.file(name, &bytes);
            for rows in [None, Some("/a/0".to_owned())] {
                let comments = comments.clone();
                let options =
                    ReadOptions { rows, row_bytes_max: max, skip_lines, encoding, comments, ..ReadOptions::default() };
                if let Ok(mut rows) = open(&path, &options) {
                    let mut seen = 0;
                    while let Some(row) = rows.next_row() {
                        if let Ok(row) = row {
                            let Content::Json(json) = row.content else { seen += 1; continue };
                            prop_assert!(json.len() <= max);
                        }
                        seen += 1;
                        prop_assert!(seen <= 3 * bytes.len() + 5);
                    }
                }
            }
        }
    }

    #[test]
    fn arrays_of_serde_are_read_element_by_element(values in prop::collection::vec("\\PC{0,20}", 0..20)) {
        let elements: Vec<serde_json::Value> =
            values.iter().map(|text| serde_json::json!({"t": text, "n": [text, {text: 1}]})).collect();
        let rows = texts(given("a.json", &serde_json::to_vec_pretty(&elements).unwrap()));
        let back: Vec<serde_json::Value> = rows.iter().map(|row| serde_json::from_str(row).unwrap()).collect();
        prop_assert_eq!(back, elements);
    }
}
