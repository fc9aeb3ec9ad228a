//! Archives: complete, broken and malicious ones.

use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use proptest::prelude::*;
use rawzip::{CompressionMethod, ZipArchiveWriter};
use stoop_domain::{Reason, Time};
use stoop_files::{LocalBytes, Mapped, MappedFile, OpenError, Parts, ReadOptions};

use crate::common::plain_map;

fn pack(method: CompressionMethod, bytes: &[u8]) -> Vec<u8> {
    match method {
        CompressionMethod::DEFLATE => {
            let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::fast());
            encoder.write_all(bytes).unwrap();
            encoder.finish().unwrap()
        }
        CompressionMethod::ZSTD => zstd::encode_all(bytes, 1).unwrap(),
        _ => bytes.to_vec(),
    }
}

/// An archive of these files, packed with the given methods.
fn zip(files: &[(&str, CompressionMethod, &[u8])]) -> Vec<u8> {
    let mut archive = ZipArchiveWriter::new(Vec::new());
    for (name, method, bytes) in files {
        if name.ends_with('/') {
            archive.new_dir(*name).create().unwrap();
            continue;
        }
        let (mut entry, config) = archive.new_file(*name).compression_method(*method).start().unwrap();
        // The writer computes count and checksum of the data, and gets the packed bytes at the end.
        let mut counted = config.wrap(std::io::sink());
        counted.write_all(bytes).unwrap();
        let (_, descriptor) = counted.finish().unwrap();
        entry.write_all(&pack(*method, bytes)).unwrap();
        entry.finish(descriptor).unwrap();
    }
    archive.finish().unwrap()
}

const DEFLATE: CompressionMethod = CompressionMethod::DEFLATE;
const STORE: CompressionMethod = CompressionMethod::STORE;

/// Location, reason and detail of a refused row.
type Refused = (String, Reason, String);

/// Reads an archive with the map. Returns IDs and refused rows.
fn read(bytes: Vec<u8>) -> Result<(Vec<String>, Vec<Refused>), OpenError> {
    let now = Time::parse("2026-01-14T12:00:00Z").unwrap();
    let mut file = MappedFile::of(Path::new("in/export.zip"), Arc::new(bytes), &plain_map())?;
    let (mut ids, mut refused) = (Vec::new(), Vec::new());
    while let Some(mapped) = file.next_row(now, now) {
        assert!(ids.len() + refused.len() < 1_000_000, "the file does not end");
        match mapped {
            Mapped::Observation(observation, _) => ids.push(format!("{} at {}", observation.native_id, file.place())),
            Mapped::Skipped => {}
            Mapped::Refused(refusal) => refused.push((file.place(), refusal.reason, refusal.detail)),
        }
    }
    Ok((ids, refused))
}

fn refusals(bytes: Vec<u8>) -> Vec<Refused> {
    read(bytes).unwrap().1
}

#[test]
fn files_of_an_archive_are_read_by_name_with_any_compression() {
    let lines = b"{\"id\":\"3\",\"price\":1000}\n{\"id\":\"4\",\"price\":2000}\n";
    let gz = {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(b"id,price\n5,900\n").unwrap();
        encoder.finish().unwrap()
    };
    let bytes = zip(&[
        ("d.csv.gz", STORE, &gz),
        ("c/", STORE, b""),
        ("c/homes.jsonl", CompressionMethod::ZSTD, lines),
        ("b.tsv", STORE, b"price\tid\n700\t2\n"),
        ("a.csv", DEFLATE, b"id,price\n1,500\n"),
        ("__MACOSX/._a.csv", DEFLATE, b"\0\x05\x16\x07"),
        (".DS_Store", STORE, b"\0\0\0\x01Bud1"),
        ("c/Thumbs.db", STORE, b"\xd0\xcf"),
    ]);
    let (ids, refused) = read(bytes.clone()).unwrap();
    let expected = [
        "1 at in/export.zip/a.csv: line 2",
        "2 at in/export.zip/b.tsv: line 2",
        "3 at in/export.zip/c/homes.jsonl: line 1",
        "4 at in/export.zip/c/homes.jsonl: line 2",
        "5 at in/export.zip/d.csv.gz: line 2",
    ];
    assert_eq!((ids, refused), (expected.map(str::to_owned).to_vec(), vec![]));

    // From disk it gives the same, and everything is read at the end.
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.ZIP");
    std::fs::write(&path, &bytes).unwrap();
    let mut parts = Parts::open(&path, &ReadOptions::default()).unwrap();
    assert!(parts.is_archive());
    let mut rows = 0;
    while let Some(part) = parts.next_part() {
        let mut part = part.unwrap();
        while part.rows.next_row().is_some() {
            rows += 1;
        }
    }
    assert_eq!((rows, parts.bytes_read()), (5, bytes.len() as u64));
    let bytes = LocalBytes::new(std::fs::File::open(&path).unwrap()).unwrap();
    let mut file = MappedFile::of(Path::new("in/export.zip"), Arc::new(bytes), &plain_map()).unwrap();
    assert_eq!((file.skip_rows(3), file.place()), (3, "in/export.zip/c/homes.jsonl".to_owned()));
    let now = Time::from_ms(0);
    assert!(matches!(file.next_row(now, now), Some(Mapped::Observation(found, _)) if found.native_id == "4"));
    assert_eq!((file.skip_rows(9), file.next_row(now, now)), (1, None));
}

#[test]
fn an_unreadable_file_in_an_archive_is_named_and_the_others_are_read() {
    let inner = zip(&[("a.csv", STORE, b"id,price\n8,1\n")]);
    let bytes = zip(&[
        ("README.txt", DEFLATE, b"hello"),
        ("a.csv", DEFLATE, b"id,price\n1,500\n\xff,2\n"),
        ("inner.csv", STORE, &inner),
        ("inner.zip", STORE, &inner),
        ("other.csv", DEFLATE, b"nummer,preis\n1,2\n"),
        ("rare.csv", CompressionMethod::BZIP2, b"BZh9"),
        ("z.csv", DEFLATE, b"id,price\n9,500\n"),
    ]);
    let (ids, refused) = read(bytes).unwrap();
    assert_eq!(ids, ["1 at in/export.zip/a.csv: line 2", "9 at in/export.zip/z.csv: line 2"]);
    let faults: Vec<(&str, &str)> = refused.iter().map(|(location, _, detail)| (&**location, &**detail)).collect();
    let check = |n: usize, location: &str, words: &str| {
        assert_eq!(faults[n].0, location);
        assert!(faults[n].1.contains(words), "{:?}", faults[n]);
    };
    assert_eq!(faults.len(), 6, "{faults:#?}");
    check(0, "in/export.zip/README.txt", "the name does not give the format; accepted: .csv, ");
    check(1, "in/export.zip/a.csv: line 3", "");
    check(2, "in/export.zip/inner.csv", "an archive is not read here");
    check(3, "in/export.zip/inner.zip", "an archive is not read here");
    check(4, "in/export.zip/other.csv", "no column \"id\"");
    check(5, "in/export.zip/rare.csv", "method 12; accepted in an archive: stored, Deflate, Zstandard");
}

#[test]
fn an_encrypted_file_is_refused() {
    let mut bytes = zip(&[("a.csv", STORE, b"id,price\n1,500\n")]);
    let directory = bytes.windows(4).position(|window| window == b"PK\x01\x02").unwrap();
    bytes[6] |= 1;
    bytes[directory + 8] |= 1;
    let [(location, _, detail)] = &refusals(bytes)[..] else { panic!() };
    assert_eq!(location, "in/export.zip/a.csv");
    assert!(detail.contains("encrypted; accepted: archives without a password"), "{detail}");
}

#[test]
fn an_archive_without_a_complete_directory_cannot_be_opened() {
    let bytes = zip(&[("a.csv", DEFLATE, b"id,price\n1,500\n"), ("b.csv", DEFLATE, b"id,price\n2,500\n")]);
    assert_eq!(read(bytes.clone()).unwrap().0.len(), 2);
    for cut in 0..bytes.len() {
        let error = read(bytes[..cut].to_vec()).unwrap_err();
        assert!(error.to_string().starts_with("in/export.zip: "), "{error}");
    }
    let end = bytes.len() - 22;
    let directory = bytes.windows(4).position(|window| window == b"PK\x01\x02").unwrap();
    for (at, what) in [(directory, "the directory's beginning"), (end + 10, "the number of entries")] {
        let mut broken = bytes.clone();
        broken[at] ^= 1;
        let error = read(broken).expect_err(what);
        assert!(matches!(error, OpenError::Unreadable { .. }), "{what}: {error}");
    }
    let error = read(b"id,price\n1,2\n".to_vec()).unwrap_err();
    assert!(error.to_string().contains("not a complete zip archive"), "{error}");
}

#[test]
fn bytes_that_contradict_the_directory_are_a_fault_of_their_file_only() {
    let bytes = zip(&[("a.csv", STORE, b"id,price\n1,500\n"), ("b.csv", STORE, b"id,price\n2,500\n")]);
    let mut broken = bytes.clone();
    let at = broken.windows(5).position(|window| window == b"1,500").unwrap();
    broken[at + 2] = b'9';
    let (ids, refused) = read(broken).unwrap();
    assert_eq!(ids, ["2 at in/export.zip/b.csv: line 2"]);
    assert!(refused[0].0.starts_with("in/export.zip/a.csv") && refused[0].2.contains("checksum"), "{refused:?}");
}

#[test]
fn a_bomb_is_not_unpacked() {
    // A few kilobytes that unpack to many megabytes of one line.
    let zeros = vec![b'0'; 8 << 20];
    let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(b"id,price\n1,500\n").unwrap();
    for _ in 0..9 {
        encoder.write_all(&zeros).unwrap();
    }
    let packed = encoder.finish().unwrap();
    assert!(packed.len() < 100 << 10);
    let mut archive = ZipArchiveWriter::new(Vec::new());
    let (mut entry, config) = archive.new_file("a.csv").compression_method(DEFLATE).start().unwrap();
    let (_, descriptor) = config.wrap(std::io::sink()).finish().unwrap();
    entry.write_all(&packed).unwrap();
    entry.finish(descriptor).unwrap();
    let mut bytes = archive.finish().unwrap();
    // The directory claims that length, so that the length does not reveal the bomb.
    let directory = bytes.windows(4).position(|window| window == b"PK\x01\x02").unwrap();
    bytes[directory + 24..directory + 28].copy_from_slice(&u32::MAX.to_le_bytes()[..4]);
    bytes[directory + 27] = 0x7f;
    let (ids, refused) = read(bytes).unwrap();
    assert_eq!(ids, ["1 at in/export.zip/a.csv: line 2"], "what came before");
    assert!(refused.iter().any(|(.., detail)| detail.contains("unpack to more than")), "{refused:?}");
}

#[test]
fn overlapping_entries_are_refused() {
    let mut bytes = zip(&[("a.csv", STORE, b"id,price\n1,500\n"), ("b.csv", STORE, b"id,price\n2,500\n")]);
    let second = bytes.windows(4).rposition(|window| window == b"PK\x01\x02").unwrap();
    bytes[second + 42..second + 46].fill(0);
    let error = read(bytes).unwrap_err();
    assert!(error.to_string().contains("\"a.csv\" and \"b.csv\" overlap"), "{error}");
}

#[test]
fn an_archive_with_the_name_of_another_format_is_not_an_archive() {
    let bytes: Arc<Vec<u8>> = Arc::new(zip(&[("a.csv", STORE, b"id\n1\n")]));
    let open = |name: &str| Parts::of(Path::new(name), bytes.clone(), &ReadOptions::default());
    assert!(matches!(open("homes.ods"), Err(OpenError::Format(_))));
    assert!(matches!(open("homes.xlsx"), Err(OpenError::Unreadable { .. })));
    assert!(open("homes.csv").unwrap().is_archive(), "a portal that names what it zips wrong");
    assert!(open("homes.zip").unwrap().is_archive());
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("homes.csv");
    std::fs::write(&path, bytes.as_slice()).unwrap();
    assert!(matches!(stoop_files::open(&path, &ReadOptions::default()), Err(OpenError::Archive(_))));
}

#[test]
fn an_archive_of_another_program_is_read() {
    // Built by hand as Info-ZIP's `zip -` writes to a pipe: sizes after the data, in 32 bits, and an extra field.
    let data = pack(DEFLATE, b"id,price\n1,500\n");
    let (size, crc) = (15_u32, rawzip::crc32(b"id,price\n1,500\n"));
    let extra = b"UT\x05\0\x03\0\0\0\0";
    let mut bytes = b"PK\x03\x04\x14\0\x08\0\x08\0\0\0\x21\0".to_vec();
    bytes.extend([0; 12]);
    bytes.extend([5, 0, extra.len() as u8, 0]);
    bytes.extend(b"a.csv");
    bytes.extend(extra);
    bytes.extend(&data);
    bytes.extend(b"PK\x07\x08");
    let sizes = [crc.to_le_bytes(), (data.len() as u32).to_le_bytes(), size.to_le_bytes()].concat();
    bytes.extend(&sizes);
    let directory = bytes.len() as u32;
    bytes.extend(b"PK\x01\x02\x1e\x03\x14\0\x08\0\x08\0\0\0\x21\0");
    bytes.extend(&sizes);
    bytes.extend([5, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    bytes.extend(b"a.csv");
    let length = bytes.len() as u32 - directory;
    bytes.extend(b"PK\x05\x06\0\0\0\0\x01\0\x01\0");
    bytes.extend(length.to_le_bytes());
    bytes.extend(directory.to_le_bytes());
    bytes.extend(b"\x03\0bye");
    assert_eq!(read(bytes).unwrap(), (vec!["1 at in/export.zip/a.csv: line 2".to_owned()], vec![]));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn mutated_archives_end_in_rows_and_faults(
        edits in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..12),
        cut in proptest::option::of(any::<prop::sample::Index>()),
        zstandard in any::<bool>(),
    ) {
        let method = if zstandard { CompressionMethod::ZSTD } else { DEFLATE };
        let lines = "{\"id\":\"3\",\"price\":1000}\n".repeat(40);
        let mut bytes = zip(&[
            ("a.csv", method, b"id,price\n1,500\n2,600\n"),
            ("b/c.jsonl", method, lines.as_bytes()),
            ("d.json", STORE, b"[{\"id\":\"4\",\"price\":1000},{\"id\":\"5\"}]"),
        ]);
        for (at, byte) in edits {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        if let Ok((ids, _)) = read(bytes) {
            prop_assert!(ids.len() <= 60);
        }
    }
}
