//! Rows of Parquet files, written with the same library.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use parquet::data_type::{ByteArray, ByteArrayType, DoubleType, Int32Type, Int64Type};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;
use stoop_domain::{Reason, Time};
use stoop_files::{Content, ReadOptions, open};
use stoop_sources::declared::{Map, RowBytes, RowOutcome};

const SCHEMA: &str = "message listing {
  required binary id (UTF8);
  required int32 price (DECIMAL(9, 2));
  optional double area;
  required int64 seen (TIMESTAMP(MICROS, true));
  required int64 local (TIMESTAMP(MILLIS, false));
  required int64 fine (TIMESTAMP(NANOS, true));
  required int32 day (DATE);
}";

fn write(path: &Path, compression: parquet::basic::Compression) {
    let schema = Arc::new(parse_message_type(SCHEMA).unwrap());
    let properties = Arc::new(WriterProperties::builder().set_compression(compression).build());
    let mut writer = SerializedFileWriter::new(File::create(path).unwrap(), schema, properties).unwrap();
    let mut group = writer.next_row_group().unwrap();
    let moment = 1_768_301_460_250_i64;
    let mut number = 0;
    while let Some(mut column) = group.next_column().unwrap() {
        match number {
            0 => {
                let ids = [ByteArray::from("a\"1"), ByteArray::from("é2")];
                column.typed::<ByteArrayType>().write_batch(&ids, None, None).unwrap();
            }
            1 => {
                column.typed::<Int32Type>().write_batch(&[139_285, 65_000], None, None).unwrap();
            }
            2 => {
                column.typed::<DoubleType>().write_batch(&[58.5], Some(&[1, 0]), None).unwrap();
            }
            6 => {
                column.typed::<Int32Type>().write_batch(&[20_466, 0], None, None).unwrap();
            }
            n => {
                let scale = [1_000, 1, 1_000_000][n - 3];
                column.typed::<Int64Type>().write_batch(&[moment * scale, 0], None, None).unwrap();
            }
        }
        column.close().unwrap();
        number += 1;
    }
    group.close().unwrap();
    writer.close().unwrap();
}

#[test]
fn times_and_decimals_are_exact() {
    use parquet::basic::{Compression, GzipLevel, ZstdLevel};
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.parquet");
    for compression in [
        Compression::UNCOMPRESSED,
        Compression::SNAPPY,
        Compression::ZSTD(ZstdLevel::default()),
        Compression::GZIP(GzipLevel::default()),
    ] {
        write(&path, compression);
        let mut rows = open(&path, &ReadOptions::default()).unwrap();
        let mut seen = Vec::new();
        while let Some(row) = rows.next_row() {
            let row = row.unwrap();
            let Content::Json(json) = row.content else { panic!() };
            seen.push(format!("{}: {}", row.location, String::from_utf8(json.to_vec()).unwrap()));
        }
        assert_eq!(
            seen,
            [
                r#"row 1: {"id":"a\"1","price":1392.85,"area":58.5,"seen":"2026-01-13T10:51:00.250Z","local":"2026-01-13T10:51:00.250","fine":"2026-01-13T10:51:00.250Z","day":"2026-01-13"}"#,
                r#"row 2: {"id":"é2","price":650.00,"area":null,"seen":"1970-01-01T00:00:00.000Z","local":"1970-01-01T00:00:00.000","fine":"1970-01-01T00:00:00.000Z","day":"1970-01-01"}"#,
            ]
        );
        assert_eq!(rows.bytes_read(), rows.total_bytes());
    }
}

#[test]
fn a_map_reads_parquet_like_json() {
    let map = r#"
        name = "p"
        country = "AT"
        currency = "EUR"
        purpose = "rent"
        time_zone = "Europe/Vienna"
        [fields]
        native_id = { from = "id" }
        observed_at = { from = "local", date = "iso" }
        list_price = { from = "price" }
        living_area = { from = "area", unit = "m2" }
        city = { constant = "Wien" }
    "#;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.parquet");
    write(&path, parquet::basic::Compression::SNAPPY);
    let mut reader = Map::parse(map, "p.toml").unwrap().bind_json();
    let mut rows = open(&path, &ReadOptions::default()).unwrap();
    let Content::Json(json) = rows.next_row().unwrap().unwrap().content else { panic!() };
    let Ok(RowOutcome::Observation(first, _)) = reader.read(RowBytes::Json(json), "a.parquet", Time::from_ms(0)) else {
        panic!()
    };
    assert_eq!(first.at.to_string(), "2026-01-13T09:51:00.25Z");
    assert_eq!(first.listing.list_price.unwrap().0, 139_285);
    assert_eq!(first.listing.living_area.unwrap().ten_thousandths, 585_000);
}

#[test]
fn a_broken_file_is_a_fault_or_cannot_be_opened() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.parquet");
    write(&path, parquet::basic::Compression::SNAPPY);
    let whole = std::fs::read(&path).unwrap();
    for at in 0..whole.len() {
        let mut broken = whole.clone();
        broken[at] ^= 0x55;
        std::fs::write(&path, &broken).unwrap();
        let Ok(mut rows) = open(&path, &ReadOptions::default()) else { continue };
        let mut seen = 0;
        while let Some(row) = rows.next_row() {
            if let Err(fault) = row {
                assert_eq!(fault.reason, Reason::Unreadable);
            }
            seen += 1;
            assert!(seen <= 4, "the file does not end");
        }
    }
}
