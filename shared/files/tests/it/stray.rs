//! Files with a stray character: what cannot be read is refused with its line, and no home seems to be missing.

use std::collections::BTreeSet;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use proptest::prelude::*;
use stoop_domain::{Reason, Time};
use stoop_files::{Content, Format, Mapped, MappedFile, ReadOptions, open_bytes};
use stoop_sources::declared::Map;

/// Rows as text, and faults with their lines.
fn rows(text: &str) -> Vec<String> {
    rows_with(text, &ReadOptions { format: Some(Format::Csv), ..ReadOptions::default() })
}

fn rows_with(text: &str, options: &ReadOptions) -> Vec<String> {
    let mut rows = open_bytes(Path::new("a.csv"), Arc::new(text.as_bytes().to_vec()), options).unwrap();
    let mut seen = Vec::new();
    while let Some(row) = rows.next_row() {
        seen.push(match row {
            Ok(row) => match row.content {
                Content::Csv(record) => record.iter().map(String::from_utf8_lossy).collect::<Vec<_>>().join("|"),
                _ => "comment".to_owned(),
            },
            Err(fault) => {
                assert!([Reason::Unreadable, Reason::TooLong].contains(&fault.reason));
                format!("{}: {:.28}", fault.location, fault.detail)
            }
        });
    }
    seen
}

const BEHIND: &str = "text after a closing quote; ";
const NEVER: &str = "a quote that is never closed";
const JOINED: &str = "a quoted text that has whole";

#[test]
fn quoted_fields_are_read_as_rfc_4180_says() {
    let text = "id,note\n1,\"a, \"\"b\"\"\nc\"\n2,\"\"\n\"3\" ,\"\"\"\"\t\r\n4,5\" pipe\r5,x\n\n6,\"y\"";
    assert_eq!(rows(text), ["1|a, \"b\"\nc", "2|", "3|\"", "4|5\" pipe", "5|x", "6|y"]);
}

#[test]
fn text_after_a_closing_quote_costs_its_row_and_no_other() {
    let text = "id,note\n1,a\n2,\"b\n3,c\n4,\"d\"\n5,\"e\"e\n6,f\n";
    assert_eq!(rows(text), ["1|a", &format!("line 3: {BEHIND}"), "3|c", "4|d", &format!("line 6: {BEHIND}"), "6|f"]);
}

#[test]
fn a_quote_that_is_never_closed_costs_its_row_and_no_other() {
    assert_eq!(rows("id,note\n1,\"a\n2,b\n3,c"), [&format!("line 2: {NEVER}"), "2|b", "3|c"]);
    assert_eq!(rows("id,note\n1,a\n2,\""), ["1|a", &format!("line 3: {NEVER}")]);
}

#[test]
fn rows_that_a_sign_for_inches_would_close_are_not_swallowed() {
    let text = "id,price,note\n1,500,a\n2,600,\"b\n3,700,c\n4,800,a TV of 55\"\n5,900,e\n";
    assert_eq!(rows(text), ["1|500|a", &format!("line 3: {JOINED}"), "3|700|c", "4|800|a TV of 55\"", "5|900|e"]);
    // The field of the row that closes the text begins with a delimiter.
    let row = "id,price,note\n1,500,a\n2,\"600,b\n3,700,\",c\"\n";
    assert_eq!(rows(row), ["1|500|a", &format!("line 3: {JOINED}"), "3|700|,c"]);
    let inside = "id,note,price\n1,a,500\n2,\"b,600\n3,5\",700\n4,d,800\n";
    assert_eq!(rows(inside), ["1|a|500", &format!("line 3: {JOINED}"), "3|5\"|700", "4|d|800"]);
}

#[test]
fn texts_of_several_lines_are_texts() {
    for text in [
        "id,price,note\n1,500,\"a\nb, c, d\n\n3, 4 rooms\"\n2,600,x\n",
        "note,id,price\n\"a\nb\",1,500\n\"2, or 3\nrooms\",2,600\n",
        "id,note,price\n1,\"5 rooms\n3 baths\",500\n2,\"\"\"a\"\"\n\n\n4\",600\n",
    ] {
        let seen = rows(text);
        assert!(seen.len() == 2 && !seen.iter().any(|row| row.starts_with("line")), "{seen:?}");
    }
}

#[test]
fn a_field_over_the_bound_is_refused_and_the_lines_in_it_are_read() {
    let long = "2,c\n".repeat(300_000);
    let seen = rows(&format!("id,note\n1,\"a\n{long}"));
    assert_eq!((seen.len(), &*seen[0], &*seen[1]), (300_001, "line 2: a field of more than 1048576", "2|c"));
    let seen = rows(&format!("id,note\n1,{}\n2,b\n", "x".repeat(1 << 21)));
    assert_eq!(seen, ["line 2: a field of more than 1048576", "2|b"]);
}

#[test]
fn lines_are_counted_through_texts_and_faults() {
    let text = "id,note\r\n1,\"a\r\nb\"\r\n2\r\n\r\n3,\"x\"y\r\n4,a,b\r\n";
    let lines: Vec<String> = rows(text).into_iter().filter(|row| row.starts_with("line")).collect();
    assert_eq!(lines.iter().map(|row| &row[..7]).collect::<Vec<_>>(), ["line 4:", "line 6:", "line 7:"]);
}

#[test]
fn a_comment_may_have_any_quotes() {
    let comments = vec!["#".to_owned(), "\"Note".to_owned()];
    let options = ReadOptions { format: Some(Format::Csv), comments, ..ReadOptions::default() };
    let text = "#,\"a\"b\nid,note\n1,a\n# \"x\n#,\"y\"z\n\"Note\" that\n2,b\n";
    assert_eq!(rows_with(text, &options), ["1|a", "comment", "comment", "comment", "2|b"]);
}

#[test]
fn a_header_that_cannot_be_split_is_an_error_with_its_line() {
    let options = ReadOptions { format: Some(Format::Csv), skip_lines: 1, ..ReadOptions::default() };
    let bytes = Arc::new(b"Export\nid,\"no\"te\n1,a\n".to_vec());
    let error = open_bytes(Path::new("a.csv"), bytes, &options).unwrap_err().to_string();
    assert!(error.contains("line 2: the header: text after a closing quote"), "{error}");
}

fn map(comment: &str) -> Map {
    let toml = format!(
        "name = \"s\"\ncurrency = \"USD\"\npurpose = \"sale\"\n{comment}[fields]\nnative_id = {{ from = \"id\" }}\n\
         list_price = {{ from = \"price\" }}\ncity = {{ from = \"city\" }}\ndescription = {{ from = \"note\" }}\n"
    );
    Map::parse(&toml, "s.toml").unwrap()
}

/// The IDs that a file shows; `None` if it has a row whose ID is unknown, or does not open: then it proves no absence.
fn shown(name: &str, bytes: &[u8], map: &Map) -> Option<BTreeSet<String>> {
    let now = Time::from_ms(1_768_392_000_000);
    let mut file = MappedFile::of(Path::new(name), Arc::new(bytes.to_vec()), map).ok()?;
    let mut ids = BTreeSet::new();
    while let Some(row) = file.next_row(now, now) {
        match row {
            Mapped::Observation(observation, _) => drop(ids.insert(observation.native_id)),
            Mapped::Refused(refusal) => drop(ids.insert(refusal.native_id?)),
            Mapped::Skipped => {}
        }
    }
    Some(ids)
}

/// An export in one of several styles, and where the texts of its IDs are.
fn export(style: usize, notes: &[(String, bool)]) -> (&'static str, String, Vec<Range<usize>>) {
    let mut text = match style {
        0..4 => "id,price,city,note\n".to_owned(),
        4 => "[".to_owned(),
        _ => String::new(),
    };
    let mut ids = Vec::new();
    for (n, (note, quoted)) in notes.iter().enumerate() {
        let id = format!("{}", n + 10);
        let quote = |field: &str| format!("\"{}\"", field.replace('"', "\"\""));
        let plain = note.replace([',', '"', '\n', '\r'], " ");
        let before = match style {
            0 | 1 => String::new(),
            2 | 3 => "\"".to_owned(),
            4 if n > 0 => ",{\"id\":\"".to_owned(),
            _ => "{\"id\":\"".to_owned(),
        };
        text += &before;
        ids.push(text.len()..text.len() + id.len());
        text += &id;
        text += &match style {
            0 if *quoted => format!(",{},Austin,{}\n", 300_000 + n, quote(note)),
            0 => format!(",{},Austin,{plain}\n", 300_000 + n),
            1 => format!(",{},Austin,{plain}\n", 300_000 + n),
            2 => format!("\",\"{}\",\"Austin\",{}\n", 300_000 + n, quote(note)),
            3 => format!("\",\"\",\"Austin\",{}\r\n", quote(note)),
            _ => format!(
                "\",\"price\":{},\"city\":\"Austin\",\"note\":{}}}\n",
                300_000 + n,
                serde_json::Value::from(&**note)
            ),
        };
    }
    if style == 4 {
        text += "]";
    }
    (["a.csv", "a.csv", "a.csv", "a.csv", "a.json", "a.jsonl"][style], text, ids)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3_000))]

    #[test]
    fn a_stray_character_never_makes_a_home_missing(
        style in 0_usize..6,
        notes in prop::collection::vec(("[a-c ,\"\n0-9]{0,9}", any::<bool>()), 1..9),
        at in any::<prop::sample::Index>(),
        stray in prop::sample::select(vec!['"', '"', '"', ',', '\n', '\r', ';', '\t', ' ', '\\', '#', '0', 'x', 'é', '\0', '{', '}', '[', ']', ':']),
        comment in any::<bool>(),
    ) {
        let (name, mut text, ids) = export(style, &notes);
        let map = map(if comment { "[read]\ncomment = \"#\"\n" } else { "" });
        let whole = shown(name, text.as_bytes(), &map);
        // A text with lines that look like rows is refused.
        prop_assume!(whole.as_ref().map(BTreeSet::len) == Some(notes.len()));
        let at = at.index(text.len() + 1);
        // Another ID is another home, which nobody can know better; and the map says that a line with `#` is no row.
        let is_in_id = ids.iter().any(|id| id.start <= at && at <= id.end) && !"\"\n\r\0".contains(stray);
        let is_comment = comment && stray == '#' && (at == 0 || text.as_bytes()[at - 1] == b'\n');
        let stray = if is_in_id || is_comment { '"' } else { stray };
        text.insert(at, stray);
        if let Some(shown) = shown(name, text.as_bytes(), &map) {
            prop_assert!(shown.is_superset(&whole.unwrap()), "{text:?}");
        }
    }
}
