//! Workbooks, XML, HTML with JSON-LD and BLM: as rows, through maps, and with bounds.

use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use proptest::prelude::*;
use rawzip::{CompressionMethod, ZipArchiveWriter};
use stoop_domain::{Observation, Time};
use stoop_files::{Content, Mapped, MappedFile, NAMELESS, ReadOptions, open_bytes};
use stoop_sources::declared::Map;

/// Rows as text; faults as location and reason.
fn rows(name: &str, bytes: &[u8], options: &ReadOptions) -> Vec<String> {
    let mut rows = match open_bytes(Path::new(name), Arc::new(bytes.to_vec()), options) {
        Ok(rows) => rows,
        Err(error) => return vec![error.to_string()],
    };
    let mut seen = Vec::new();
    while let Some(row) = rows.next_row() {
        seen.push(match row {
            Ok(row) => match row.content {
                Content::Csv(record) => record.iter().map(String::from_utf8_lossy).collect::<Vec<_>>().join("|"),
                Content::Json(json) | Content::Comment(json) => String::from_utf8_lossy(json).into_owned(),
            },
            Err(fault) => format!("{}: {}", fault.location, fault.reason),
        });
        assert!(seen.len() < 100_000, "the file does not end");
    }
    seen
}

fn plainly(name: &str, text: &str) -> Vec<String> {
    rows(name, text.as_bytes(), &ReadOptions::default())
}

fn mapped(name: &str, bytes: &[u8], toml: &str) -> Vec<Observation> {
    let now = Time::from_ms(1_768_392_000_000);
    let map = Map::parse(toml, "m.toml").unwrap();
    let mut file = MappedFile::of(Path::new(name), Arc::new(bytes.to_vec()), &map).unwrap();
    let mut seen = Vec::new();
    while let Some(row) = file.next_row(now, now) {
        match row {
            Mapped::Observation(observation, refused) => {
                assert_eq!(refused, [], "{observation:?}");
                seen.push(observation);
            }
            other => panic!("{other:?}"),
        }
    }
    seen
}

/// A zip archive of these files.
fn zip(files: &[(&str, &str)]) -> Vec<u8> {
    let mut archive = ZipArchiveWriter::new(Vec::new());
    for (name, text) in files {
        let (mut entry, config) =
            archive.new_file(*name).compression_method(CompressionMethod::DEFLATE).start().unwrap();
        let mut writer = config.wrap(flate2::write::DeflateEncoder::new(&mut entry, flate2::Compression::fast()));
        writer.write_all(text.as_bytes()).unwrap();
        let (encoder, descriptor) = writer.finish().unwrap();
        encoder.finish().unwrap();
        entry.finish(descriptor).unwrap();
    }
    archive.finish().unwrap()
}

/// A workbook with this sheet and these shared texts.
fn workbook(sheet: &str, texts: &str) -> Vec<u8> {
    let book = r#"<workbook xmlns:r="x"><sheets><sheet name="old" r:id="r1" state="hidden"/><sheet name="a" r:id="r2"/></sheets></workbook>"#;
    let rels = r#"<Relationships><Relationship Id="r1" Target="worksheets/sheet1.xml"/><Relationship Id="r2" Target="/xl/worksheets/sheet2.xml"/></Relationships>"#;
    let styles = r#"<styleSheet><numFmts><numFmt numFmtId="164" formatCode="dd.mm.yyyy"/></numFmts><cellStyleXfs><xf numFmtId="14"/></cellStyleXfs><cellXfs><xf numFmtId="0"><alignment/></xf><xf numFmtId="164"/><xf numFmtId="22"/></cellXfs></styleSheet>"#;
    zip(&[
        ("[Content_Types].xml", "<Types/>"),
        ("xl/workbook.xml", book),
        ("xl/_rels/workbook.xml.rels", rels),
        ("xl/styles.xml", styles),
        ("xl/sharedStrings.xml", &format!("<sst>{texts}</sst>")),
        ("xl/worksheets/sheet1.xml", "<worksheet><sheetData><row><c><v>1</v></c></row></sheetData></worksheet>"),
        ("xl/worksheets/sheet2.xml", &format!("<worksheet><sheetData>{sheet}</sheetData></worksheet>")),
    ])
}

const TEXTS: &str = "<si><t>id</t></si><si><r><t>Pri</t></r><r><t>ce</t></r><rPh><t>no</t></rPh></si><si><t>seen</t></si><si><t>Wien &amp; mehr</t></si><si/>";
const HEADER: &str = r#"<row r="1"><c r="A1" t="inlineStr"><is><t>Export of May</t></is></c></row><row r="3"><c r="A3" t="s"><v>0</v></c><c r="B3" t="s"><v>1</v></c><c r="C3" t="s"><v>2</v></c><c r="D3" t="str"><v>city</v></c><c r="E3" t="s"><v>4</v></c></row>"#;

#[test]
fn the_first_visible_sheet_of_a_workbook_is_read_with_dates_and_shared_texts() {
    let sheet = HEADER.to_owned()
        + r#"<row r="4"><c r="A4"><v>9001</v></c><c r="B4"><f>1+1</f><v>410000.50000000006</v></c><c r="C4" s="1"><v>46145</v></c><c r="D4" t="s"><v>3</v></c></row>"#
        + r#"<row r="5"/><row r="6"><c r="A6"><v>1.5E3</v></c><c r="C6" s="2"><v>46145.4375</v></c><c r="D6" t="e"><v>#N/A</v></c></row>"#
        + r#"<row r="7"><c><v>1</v></c><c t="b"><v>1</v></c></row><row r="8"><c r="F8"><v>1</v></c></row>"#;
    let seen = rows("a.xlsx", &workbook(&sheet, TEXTS), &ReadOptions::default());
    assert_eq!(
        seen,
        ["9001|410000.5|2026-05-03|Wien & mehr", "1500||2026-05-03T10:30:00|", "1|true||", "row 8: unreadable"]
    );
}

#[test]
fn a_workbook_is_read_through_a_map_wherever_it_is() {
    let sheet = HEADER.to_owned()
        + r#"<row r="4"><c r="A4"><v>7</v></c><c r="B4"><v>410000</v></c><c r="C4" s="1"><v>46020</v></c><c r="D4" t="s"><v>3</v></c></row>"#;
    let book = workbook(&sheet, TEXTS);
    let toml = "name = \"x\"\ncountry = \"AT\"\ncurrency = \"EUR\"\npurpose = \"sale\"\n[fields]\n\
                native_id = { from = \"id\" }\nlist_price = { from = \"Price\" }\nlisted_at = { from = \"seen\" }\n\
                city = { from = \"city\" }\n";
    let packed = zstd::encode_all(&book[..], 1).unwrap();
    for (name, bytes) in [("a.xlsx", &book), (NAMELESS, &book), ("a.xlsx.zst", &packed)] {
        let seen = mapped(name, bytes, toml);
        assert_eq!(seen.len(), 1, "{name}");
        assert_eq!((&*seen[0].native_id, seen[0].listing.list_price.unwrap().0), ("7", 41_000_000));
        assert_eq!(seen[0].listing.listed_at.unwrap().to_string(), "2025-12-29T00:00:00Z");
    }
    assert!(rows("a.xlsx", b"no archive", &ReadOptions::default())[0].contains("no Excel workbook"));
    assert!(rows("a.xlsx", &zip(&[("a.txt", "x")]), &ReadOptions::default())[0].contains("xl/workbook.xml is missing"));
}

#[test]
fn workbooks_are_bounded() {
    let bomb = "<si><t>".to_owned() + &"x".repeat(70 << 20) + "</t></si>";
    let seen = rows("a.xlsx", &workbook(HEADER, &bomb), &ReadOptions::default());
    assert!(seen[0].contains("too long") || seen[0].contains("unpack to more than"), "{}", seen[0]);
    let far = format!(
        "{HEADER}<row r=\"4\"><c r=\"XFD4\"><v>1</v></c></row><row r=\"5\"><c r=\"ZZZZZZ5\"><v>1</v></c></row>"
    );
    let seen = rows("a.xlsx", &workbook(&far, TEXTS), &ReadOptions::default());
    assert_eq!(seen, ["row 4: unreadable"], "a cell beyond the last column of Excel is none");
    let cut = format!("{HEADER}<row r=\"4\"><c r=\"A4\"><v>1");
    assert_eq!(rows("a.xlsx", &workbook(&cut, TEXTS), &ReadOptions::default()).last().unwrap(), "row 4: unreadable");
}

const REAXML: &str = r#"<?xml version="1.0"?><!DOCTYPE propertyList SYSTEM "x.dtd"><propertyList date="2026-05-03">
    <residential status="current"><uniqueID>R1</uniqueID><price display="yes">500000</price>
      <address display="yes"><streetNumber>1</streetNumber><street>Alder Avenue</street><suburb>Brisbane</suburb></address>
      <images><img id="m" url="https://x.example/1.jpg"/><img id="a" url="https://x.example/2.jpg"/></images></residential>
    <rental status="leased"><uniqueID>R2</uniqueID><rent period="weekly">650</rent></rental>
    </propertyList>"#;

#[test]
fn elements_of_xml_are_rows_with_attributes_beside_their_texts() {
    let seen = plainly("a.xml", REAXML);
    assert_eq!(seen.len(), 2);
    let home: serde_json::Value = serde_json::from_str(&seen[0]).unwrap();
    assert_eq!(
        (&home["@element"], &home["@status"], &home["price"]),
        (&"residential".into(), &"current".into(), &"500000".into())
    );
    assert_eq!((&home["price@display"], &home["address"]["suburb"]), (&"yes".into(), &"Brisbane".into()));
    assert_eq!(
        (&home["address"]["@display"], &home["images"]["img"][1]["@url"]),
        (&"yes".into(), &"https://x.example/2.jpg".into())
    );
    let toml = "name = \"x\"\ncountry = \"AU\"\ncurrency = \"AUD\"\n[fields]\nnative_id = { from = \"uniqueID\" }\n\
                purpose = { from = \"@element\", lookup = { residential = \"sale\", rental = \"rent\" } }\n\
                status = { from = \"@status\", lookup = { current = \"Active\", leased = \"Closed\" } }\n\
                list_price = { from = \"price\" }\ncity = { from = \"/address/suburb\", default = \"Brisbane\" }\n\
                images = { from = \"$.images.img[*]['@url']\" }\n";
    let seen = mapped("a.xml", REAXML.as_bytes(), toml);
    assert_eq!(
        (seen.len(), seen[0].listing.list_price.unwrap().0, seen[0].listing.details.images.len()),
        (2, 50_000_000, 2)
    );
}

#[test]
fn the_element_that_is_a_row_is_found() {
    let id = |text: &str| -> Vec<String> {
        let get = |row: &String| serde_json::from_str::<serde_json::Value>(row).unwrap()["id"].to_string();
        plainly("a.xml", text).iter().map(get).collect()
    };
    // Kyero, OpenImmo with one home, a name that nobody knows, namespaces.
    assert_eq!(id("<root><kyero><v>3</v></kyero><property><id>1</id></property></root>"), ["\"1\""]);
    assert_eq!(
        id(
            "<openimmo><uebertragung a=\"1\"/><anbieter><firma>x</firma><immobilie><id>1</id></immobilie></anbieter></openimmo>"
        ),
        ["\"1\""]
    );
    assert_eq!(id("<a><b><wohnung><id>1</id></wohnung><wohnung><id>2</id></wohnung></b></a>"), ["\"1\"", "\"2\""]);
    // Elements called like rows that are parts of rows (CREA's DDF).
    let land = |id: u8| format!("<PropertyDetails><id>{id}</id><Land><Size>1</Size></Land></PropertyDetails>");
    assert_eq!(id(&format!("<a><b>{}{}</b></a>", land(1), land(2))), ["\"1\"", "\"2\""]);
    assert_eq!(id("<n:a xmlns:n='u'><n:property><n:id>1</n:id></n:property></n:a>"), ["\"1\""]);
    let none = plainly("a.xml", "<a><b>1</b></a>");
    assert!(none[0].contains("no element is repeated"), "{none:?}");
    let options = ReadOptions { rows: Some("/a/b".into()), ..ReadOptions::default() };
    assert_eq!(rows("a.xml", b"<a><b id='7'>x</b><c/></a>", &options), [r##"{"#text":"x","@element":"b","@id":"7"}"##]);
}

#[test]
fn texts_of_xml_are_decoded_and_entities_are_not_expanded() {
    let text = "<?xml version='1.0' encoding='ISO-8859-1'?><l><ad><a>K\u{f6}ln &amp; &#233;&lt;</a><b><![CDATA[<x>]]></b></ad></l>";
    let latin: Vec<u8> = text.chars().map(|letter| u8::try_from(u32::from(letter)).unwrap()).collect();
    let seen = rows("a.xml", &latin, &ReadOptions::default());
    assert_eq!(seen, [r#"{"@element":"ad","a":"Köln & é<","b":"<x>"}"#]);
    let laughs = "<!DOCTYPE l [<!ENTITY a \"ha\"><!ENTITY b \"&a;&a;&a;\">]><l><ad><a>&b;</a></ad></l>";
    assert_eq!(plainly("a.xml", laughs), [r#"{"@element":"ad","a":"&b;"}"#]);
}

#[test]
fn xml_is_bounded_and_what_cannot_be_read_is_reported() {
    let deep = format!("<l><ad><id>1</id>{}{}</ad><ad><id>2</id></ad></l>", "<x>".repeat(300), "</x>".repeat(300));
    let seen = plainly("a.xml", &deep);
    assert_eq!((seen.len(), &*seen[0]), (2, "element 1: unreadable"));
    let short = ReadOptions { row_bytes_max: 1_000, ..ReadOptions::default() };
    let long = format!("<l><ad>{}</ad><ad><id>2</id></ad></l>", "<x>y</x>".repeat(500));
    assert_eq!(rows("a.xml", long.as_bytes(), &short)[0], "element 1: too_long");
    let endless = format!("<l><ad><id>1</id></ad><ad>{}", "x".repeat(300_000));
    assert_eq!(rows("a.xml", endless.as_bytes(), &short)[1], "element 2: unreadable");
    assert_eq!(plainly("a.xml", "<l><ad><id>1</id></ad><ad><id>2")[1], "element 2: truncated");
    assert_eq!(plainly("a.xml", "<l><ad><id>1</id></ad></x>")[1], "element 2: unreadable");
}

#[test]
fn listings_of_an_html_page_are_rows() {
    let page = r##"<!DOCTYPE html><script type="application/ld+json">{"@graph": [
        {"@type": "RealEstateListing", "@id": "#l", "url": "https://x.example/homes/71", "mainEntity": {"@id": "#h"},
         "offers": [{"@type": "Offer", "price": "410000", "priceCurrency": "EUR"}]},
        {"@type": "Place", "@id": "#h", "address": {"addressLocality": "Graz"}, "numberOfRooms": 3}]}</script>"##;
    let toml = "name = \"x\"\ncountry = \"AT\"\npurpose = \"sale\"\n[fields]\nnative_id = { from = \"url\", regex = '/(\\d+)$' }\n\
                list_price = { from = \"/offers/price\" }\ncurrency = { from = \"/offers/priceCurrency\" }\n\
                city = { from = \"/mainEntity/address/addressLocality\" }\n";
    for name in ["a.html", NAMELESS] {
        let seen = mapped(name, page.as_bytes(), toml);
        assert_eq!((seen.len(), &*seen[0].native_id, seen[0].listing.list_price.unwrap().0), (1, "71", 41_000_000));
    }
    assert_eq!(plainly("a.htm", "<html><p>no listings"), ["element 1: unreadable"]);
    let broken = "<script type=\"application/ld+json\">{\"@type\": \"House\"</script><script type=\"application/ld+json\">{\"@type\": \"House\"}</script>";
    assert_eq!(plainly("a.html", broken), ["element 1: unreadable", r#"{"@type":"House"}"#]);
    let short = ReadOptions { row_bytes_max: 10, ..ReadOptions::default() };
    assert!(rows("a.html", page.as_bytes(), &short)[0].contains("more than 10 bytes"));
}

#[test]
fn blm_is_read_with_the_signs_that_it_names() {
    let text = "#HEADER#\r\nVersion : 3\r\nEOF : '|'\r\nEOR : '~'\r\n\r\n#DEFINITION#\r\nAGENT_REF|PRICE|TOWN|~\r\n\r\n#DATA#\r\nA1|250000|Leeds|~\r\nA2|1|~\r\nA3|5|York\nto|~\r\n#END#\r\n";
    for name in ["a.blm", NAMELESS] {
        assert_eq!(plainly(name, text), ["A1|250000|Leeds", "row 2: unreadable", "A3|5|York\nto"]);
    }
    assert_eq!(plainly("a.blm", &text[..text.len() - 14]).last().unwrap(), "row 3: truncated");
    assert!(plainly("a.blm", "#HEADER#")[0].contains("no #DATA#"));
    assert!(plainly("a.blm", "#DATA#")[0].contains("no #DEFINITION#"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn any_bytes_are_read_to_the_end(
        text in prop_oneof![
            "[<>/a-c =\"'&;#!?\\[\\]\n]{0,120}",
            "(<ad>|</ad>|<l>|</l>|<a b='c'>|</a>|x|&amp;|<!--|-->|<!\\[CDATA\\[|\\]\\]>|<script type=ld\\+json>|</script>|\\{\"@type\":\"House\"\\}|#DATA#|#DEFINITION#|\\^|~){0,30}",
        ],
        max in 1_usize..60,
    ) {
        for name in ["a.xml", "a.html", "a.blm", "a.xlsx"] {
            for rows_at in [None, Some("/l/ad".to_owned())] {
                let options = ReadOptions { row_bytes_max: max, rows: rows_at, ..ReadOptions::default() };
                prop_assert!(rows(name, text.as_bytes(), &options).len() <= text.len() + 2);
            }
        }
        let book = workbook(&text, &text);
        prop_assert!(rows("a.xlsx", &book, &ReadOptions::default()).len() <= text.len() + 2);
    }

    #[test]
    fn a_truncated_document_is_reported(at in 0_usize..REAXML.len()) {
        let seen = plainly("a.xml", &REAXML[..REAXML.floor_char_boundary(at)]);
        let is_whole = seen.len() == 2 && !seen.iter().any(|row| row.starts_with("element"));
        prop_assert!(!seen.is_empty() && !is_whole || at > REAXML.rfind("</propertyList>").unwrap_or(0), "{at}: {seen:?}");
    }
}
