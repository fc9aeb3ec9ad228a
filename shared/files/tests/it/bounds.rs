//! Files that are longer, emptier or more tightly packed than real files of listings.

use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use rawzip::{CompressionMethod, ZipArchiveWriter};
use stoop_domain::{Reason, Time};
use stoop_files::{Mapped, MappedFile, ReadAt, ReadOptions, Stopping};

use crate::common::plain_map;

fn now() -> Time {
    Time::from_ms(1_768_392_000_000)
}

/// A header, and then the same bytes forever.
struct Endless {
    header: &'static [u8],
    rest: u8,
    reads: Arc<AtomicU64>,
}

impl ReadAt for Endless {
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        self.reads.fetch_add(1, Ordering::SeqCst);
        let from = usize::try_from(offset).unwrap().min(self.header.len());
        let header = self.header.len().saturating_sub(from).min(buffer.len());
        buffer[..header].copy_from_slice(&self.header[from..from + header]);
        let n = if header > 0 { header } else { buffer.len().min(64 << 10) };
        buffer[header..n].fill(self.rest);
        Ok(n)
    }

    fn size(&self) -> u64 {
        1 << 50
    }
}

#[test]
fn an_endless_file_without_rows_can_be_stopped() {
    // A line longer than any row is skipped without being kept, which begins after 256 reads.
    for (name, header, rest, reads_max) in [
        ("blank.jsonl", &b""[..], b'\n', 50),
        ("blank.json", b"[", b' ', 50),
        ("blank.csv", b"id,price\n", b'\n', 300),
        ("line.jsonl", b"{", b'x', 300),
        ("value.json", b"[{\"id\": \"", b'x', 300),
        ("line.csv", b"id,price\n", b'x', 300),
    ] {
        let reads = Arc::new(AtomicU64::new(0));
        let endless = Endless { header, rest, reads: Arc::clone(&reads) };
        let stop = Arc::new(AtomicU64::new(u64::MAX));
        let stopping = {
            let (stop, reads) = (Arc::clone(&stop), Arc::clone(&reads));
            Stopping::new(endless, Arc::new(move || reads.load(Ordering::SeqCst) >= stop.load(Ordering::SeqCst)))
        };
        let mut file = MappedFile::of(Path::new(name), Arc::new(stopping), &plain_map()).unwrap();
        stop.store(reads_max, Ordering::SeqCst);
        assert_eq!(file.next_page(1_000, now(), now()).unwrap_err().to_string(), "stopped", "{name}");
        assert_eq!(reads.load(Ordering::SeqCst), reads_max, "{name}: nothing is read after the stop");
    }
}

#[test]
fn blank_lines_are_not_rows() {
    let mut csv = b"id,price\n1,500\n".to_vec();
    csv.resize(csv.len() + (18 << 20), b'\n');
    csv.extend_from_slice(b"2,600\n");
    let mut file = MappedFile::of(Path::new("a.csv"), Arc::new(csv), &plain_map()).unwrap();
    let rows: Vec<Mapped> = std::iter::from_fn(|| file.next_row(now(), now())).collect();
    assert!(matches!(&rows[..], [Mapped::Observation(..), Mapped::Observation(..)]), "{rows:?}");
}

/// An archive of tightly packed files: a hundred bytes unpack to ten megabytes.
fn bombs(count: usize) -> Vec<u8> {
    let blank = vec![b'\n'; 10 << 20];
    let packed = zstd::encode_all(&blank[..], 3).unwrap();
    let mut archive = ZipArchiveWriter::new(Vec::new());
    for i in 0..count {
        let (mut entry, config) =
            archive.new_file(format!("{i:04}.jsonl")).compression_method(CompressionMethod::ZSTD).start().unwrap();
        let mut counted = config.wrap(io::sink());
        counted.write_all(&blank).unwrap();
        let (_, descriptor) = counted.finish().unwrap();
        entry.write_all(&packed).unwrap();
        entry.finish(descriptor).unwrap();
    }
    archive.finish().unwrap()
}

#[test]
fn the_unpacked_size_of_an_archive_is_bounded() {
    let archive = bombs(40);
    let size = archive.len();
    let mut file = MappedFile::of(Path::new("b.zip"), Arc::new(archive), &plain_map()).unwrap();
    let page = file.next_page(1_000, now(), now()).unwrap();
    let most = (64 << 20).max(200 * size);
    let why = format!("{size} bytes unpack to more than {most}; accepted: 200 times as many, and 64 MiB");
    assert_eq!((page.ended, page.cut, page.rows_read), (true, Some(why.clone()), 1));
    let (Mapped::Refused(refusal), location) = &page.rows[0] else { panic!("{:?}", page.rows) };
    assert!(
        refusal.detail.contains(&why) && location.starts_with("b.zip/0006.jsonl"),
        "{location}: {}",
        refusal.detail
    );
    assert_eq!(refusal.reason, Reason::Unreadable);
    assert_eq!(file.next_row(now(), now()), None, "no more rows are read");

    let mut few = MappedFile::of(Path::new("b.zip"), Arc::new(bombs(6)), &plain_map()).unwrap();
    let page = few.next_page(1_000, now(), now()).unwrap();
    assert_eq!((page.ended, page.cut, page.rows_read), (true, None, 0), "60 MiB of blank lines are allowed");
}

#[test]
fn a_page_ends_when_its_rows_reach_some_megabytes() {
    let long = "x".repeat(4 << 20);
    let lines: String = (0..10).map(|i| format!("{{\"id\":\"{i}\",\"price\":1,\"more\":\"{long}\"}}\n")).collect();
    let mut file = MappedFile::of(Path::new("a.jsonl"), Arc::new(lines.into_bytes()), &plain_map()).unwrap();
    let pages =
        std::iter::from_fn(|| Some(file.next_page(1_000, now(), now()).unwrap()).filter(|page| page.rows_read > 0));
    assert_eq!(pages.map(|page| page.rows_read).collect::<Vec<_>>(), [4, 4, 2]);
}

#[test]
#[cfg(unix)]
fn a_pipe_is_refused_without_blocking() {
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("homes.csv");
    let made = stoop_waits::status(std::process::Command::new("mkfifo").arg(&pipe), stoop_waits::PATIENCE);
    assert!(made.unwrap().success());
    let error = stoop_files::open(&pipe, &ReadOptions::default()).unwrap_err();
    assert!(error.to_string().ends_with("this is not a file but a pipe or a device; accepted: a file"), "{error}");
}
