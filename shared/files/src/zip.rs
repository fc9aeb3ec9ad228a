//! Reads the directory of a zip archive, and its entries as streams.

use std::io::{self, BufReader, Read};
use std::path::Path;
use std::sync::Arc;

use rawzip::{CompressionMethod, ErrorKind, ZipArchive, ZipArchiveEntryWayfinder, ZipLocator};

use crate::bytes::{ByteRange, RangeReader};
use crate::format::{Allowance, Unpacked};
use crate::open_error::OpenError;

/// The maximum number of files in an archive.
const ENTRIES_MAX: usize = 10_000;

/// The maximum length of a directory record: a head and three texts of 64 KiB each.
const RECORD_BYTES: usize = 46 + 3 * (64 << 10);

/// The minimum length of the header before the bytes of an entry.
const HEAD_BYTES: u64 = 30;

/// A file in an archive.
#[derive(Clone)]
pub(crate) struct ZipEntry {
    pub(crate) name: String,
    method: CompressionMethod,
    encrypted: bool,
    /// The minimum byte range of the entry, according to the directory.
    span: (u64, u64),
    way: ZipArchiveEntryWayfinder,
}

/// The byte range and compression of an entry.
pub(crate) struct Packed {
    pub(crate) range: ByteRange,
    pub(crate) stored: bool,
}

/// An archive with its directory.
#[derive(Clone)]
pub(crate) struct Archive {
    file: Arc<ZipArchive<ByteRange>>,
    pub(crate) entries: Vec<ZipEntry>,
}

impl Archive {
    /// Reads the directory. Leaves out folders and system files (`__MACOSX`, names that begin with a dot). Entries are
    /// ordered by name.
    pub(crate) fn open(path: &Path, whole: &ByteRange) -> Result<Self, OpenError> {
        let broken = |error: rawzip::Error| unreadable(path, words(error));
        let mut buffer = vec![0; RECORD_BYTES];
        let located = ZipLocator::new().locate_in_reader(whole.clone(), &mut buffer, whole.size());
        let file = located.map_err(|(_, error)| broken(error))?;
        let mut entries = Vec::new();
        let mut records = file.entries(&mut buffer);
        let mut count = 0_u64;
        while let Some(record) = records.next_entry().map_err(broken)? {
            count += 1;
            let name = String::from_utf8_lossy(record.file_path().as_bytes()).replace('\\', "/");
            if record.is_dir() || is_junk(&name) {
                continue;
            }
            if entries.len() == ENTRIES_MAX {
                return Err(unreadable(path, format!("more than {ENTRIES_MAX} files in one archive")));
            }
            let encrypted = record.flags().is_encrypted() || record.flags().has_strong_encryption();
            let from = record.local_header_offset();
            let span = (from, from.saturating_add(HEAD_BYTES).saturating_add(record.compressed_size_hint()));
            entries.push(ZipEntry {
                name,
                method: record.compression_method(),
                encrypted,
                span,
                way: record.wayfinder(),
            });
        }
        if count != file.entries_hint() && file.entries_hint() != u64::from(u16::MAX) {
            let expected = file.entries_hint();
            return Err(unreadable(
                path,
                format!("the archive's directory has {count} entries, but its end says {expected}"),
            ));
        }
        if let Some((one, other)) = overlap(&entries) {
            let problem = format!("{one:?} and {other:?} overlap, which is not valid");
            return Err(unreadable(path, problem));
        }
        entries.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(Self { file: Arc::new(file), entries })
    }

    /// Locates the bytes of an entry.
    pub(crate) fn locate(&self, entry: &ZipEntry, path: &Path) -> Result<Packed, OpenError> {
        if entry.encrypted {
            return Err(OpenError::Encrypted(path.to_owned()));
        }
        let stored = match entry.method {
            CompressionMethod::STORE => true,
            CompressionMethod::DEFLATE | CompressionMethod::ZSTD => false,
            other => {
                let problem = format!(
                    "it is compressed by method {}; accepted in an archive: stored, Deflate, Zstandard",
                    other.as_u16()
                );
                return Err(unreadable(path, problem));
            }
        };
        let found = self.file.get_entry(entry.way).map_err(|error| unreadable(path, words(error)))?;
        let (from, to) = found.compressed_data_range();
        let whole = self.file.get_ref();
        if to > whole.size() {
            return Err(unreadable(path, "the archive ends inside it".to_owned()));
        }
        Ok(Packed { range: whole.part(from, to), stored })
    }

    /// The unpacked bytes of an entry. At the end, length and checksum are compared with the directory.
    pub(crate) fn stream(
        &self,
        entry: &ZipEntry,
        reader: RangeReader,
        allowance: &Arc<Allowance>,
    ) -> io::Result<Box<dyn Read + Send>> {
        let unpacked: Box<dyn Read + Send> = match entry.method {
            CompressionMethod::DEFLATE => {
                let reader = BufReader::with_capacity(128 << 10, reader);
                Box::new(Unpacked::new(flate2::bufread::DeflateDecoder::new(reader), allowance))
            }
            CompressionMethod::ZSTD => Box::new(Unpacked::new(zstd::Decoder::new(reader)?, allowance)),
            _ => Box::new(reader),
        };
        let found = self.file.get_entry(entry.way).map_err(|error| io::Error::other(words(error)))?;
        Ok(Box::new(found.verifying_reader(unpacked)))
    }
}

/// Finds two entries with overlapping bytes, which let a small archive unpack to more than any disk holds.
fn overlap(entries: &[ZipEntry]) -> Option<(&str, &str)> {
    let mut by_start: Vec<&ZipEntry> = entries.iter().collect();
    by_start.sort_by_key(|entry| entry.span);
    let pair = by_start.windows(2).find(|pair| pair[1].span.0 < pair[0].span.1)?;
    Some((&pair[0].name, &pair[1].name))
}

fn is_junk(name: &str) -> bool {
    let mut parts = name.split('/');
    parts.any(|part| part.starts_with('.') && part != "." && part != "..")
        || name.starts_with("__MACOSX/")
        || matches!(name.rsplit('/').next(), Some("Thumbs.db" | "desktop.ini"))
}

fn unreadable(path: &Path, problem: String) -> OpenError {
    OpenError::Unreadable { path: path.to_owned(), problem }
}

fn words(error: rawzip::Error) -> String {
    match error.kind() {
        ErrorKind::MissingEndOfCentralDirectory => {
            "it is not a complete zip archive: the directory at its end is missing".to_owned()
        }
        ErrorKind::Eof => "the archive is cut off".to_owned(),
        other => format!("the archive's directory is broken: {other}"),
    }
}
