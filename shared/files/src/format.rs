//! Detects the format of a file by its name and first bytes.

use std::io::{self, BufReader, Read};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use stoop_sources::declared::Format;
use stoop_sources::text::{Decoder, Encoding};

/// The accepted names, for messages.
pub(crate) const ACCEPTED: &str = ".csv, .tsv, .json, .jsonl, .ndjson, .parquet, .xlsx, .xml, .html, .blm, each also with .gz or .zst, and .zip of them";

/// The name of bytes without a name, such as those of standard input. Their first bytes determine the format.
pub const NAMELESS: &str = "standard input";

/// The number of first bytes that are used to detect the format.
pub(crate) const DETECTION_BYTES: usize = 64 << 10;

/// The maximum number of bytes that may be unpacked from a file or all files of an archive: this many in any case, or a
/// multiple of the size.
const UNPACKED_FREE: u64 = 64 << 20;
const UNPACKED_TIMES: u64 = 200;

/// The maximum number of rows of a file: this many in any case, or a multiple of the size. Rows with repeated content
/// take almost no bytes when packed.
const ROWS_FREE: u64 = 1_000_000;
const ROWS_PER_BYTE: u64 = 2;

/// The information in the name of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NamedFormat {
    pub(crate) kind: ContentKind,
    /// Whether columns are separated by tabs.
    pub(crate) tabs: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ContentKind {
    Rows(Format),
    Archive,
    /// Bytes without a name: their content determines the format.
    Nameless,
    Unknown,
}

/// Parses a name without the extension of a compression.
pub(crate) fn named(path: &Path) -> NamedFormat {
    let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
    let plain = [".gz", ".zst", ".zstd"].iter().find_map(|end| name.strip_suffix(end)).unwrap_or(&name);
    let extension = plain.rsplit_once('.').map_or("", |(_, extension)| extension);
    let kind = match extension {
        "csv" | "tsv" => ContentKind::Rows(Format::Csv),
        "json" => ContentKind::Rows(Format::Json),
        "jsonl" | "ndjson" => ContentKind::Rows(Format::JsonLines),
        "parquet" => ContentKind::Rows(Format::Parquet),
        "xlsx" | "xlsm" => ContentKind::Rows(Format::Xlsx),
        "xml" => ContentKind::Rows(Format::Xml),
        "html" | "htm" => ContentKind::Rows(Format::Html),
        "blm" => ContentKind::Rows(Format::Blm),
        "zip" => ContentKind::Archive,
        _ if path.as_os_str() == NAMELESS => ContentKind::Nameless,
        _ => ContentKind::Unknown,
    };
    NamedFormat { kind, tabs: extension == "tsv" }
}

/// Guesses the format of bytes. `inside` means that the rows are an array inside a document.
pub(crate) fn guess(beginning: &[u8], inside: bool) -> Format {
    if beginning.starts_with(b"PAR1") {
        return Format::Parquet;
    }
    if beginning.starts_with(b"PK\x03\x04") && memchr::memmem::find(beginning, b"xl/").is_some() {
        return Format::Xlsx;
    }
    let mut text = Vec::new();
    Decoder::new(Encoding::guess(beginning, true)).decode(beginning, &mut text);
    let text = text.strip_prefix("\u{feff}".as_bytes()).unwrap_or(&text).trim_ascii_start();
    let mut lines = text.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii).filter(|line| !line.is_empty());
    let is_object = |line: &[u8]| line.starts_with(b"{") && line.ends_with(b"}");
    match text.first() {
        Some(b'{')
            if !inside && lines.next().is_some_and(is_object) && lines.next().is_some_and(|l| l.starts_with(b"{")) =>
        {
            Format::JsonLines
        }
        Some(b'{' | b'[') => Format::Json,
        Some(b'<') => {
            let first = text[..text.len().min(1_024)].to_ascii_lowercase();
            let is_html = [&b"<html"[..], b"<!doctype html", b"<head", b"<script"];
            match is_html.iter().any(|tag| memchr::memmem::find(&first, tag).is_some()) {
                true => Format::Html,
                false => Format::Xml,
            }
        }
        Some(b'#') if text.starts_with(b"#HEADER#") => Format::Blm,
        _ => Format::Csv,
    }
}

/// How bytes are compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Packing {
    None,
    Gzip,
    Zstandard,
    /// An archive.
    Zip,
}

impl Packing {
    /// Detects it by the first four bytes.
    pub(crate) fn of(beginning: &[u8]) -> Self {
        match beginning {
            [0x1f, 0x8b, ..] => Self::Gzip,
            [0x28, 0xb5, 0x2f, 0xfd] => Self::Zstandard,
            // An entry, or the end of the directory of an empty archive.
            [b'P', b'K', 3, 4] | [b'P', b'K', 5, 6] => Self::Zip,
            _ => Self::None,
        }
    }

    /// Unpacks bytes within the allowance. Does not unpack an archive.
    pub(crate) fn unpack(
        self,
        reader: impl Read + Send + 'static,
        allowance: &Arc<Allowance>,
    ) -> io::Result<Box<dyn Read + Send>> {
        Ok(match self {
            Self::None | Self::Zip => Box::new(reader),
            Self::Gzip => {
                let reader = BufReader::with_capacity(128 << 10, reader);
                Box::new(Unpacked::new(flate2::bufread::MultiGzDecoder::new(reader), allowance))
            }
            Self::Zstandard => Box::new(Unpacked::new(zstd::Decoder::new(reader)?, allowance)),
        })
    }
}

/// The limits on the bytes and rows of a file, including everything packed in it.
#[derive(Debug)]
pub(crate) struct Allowance {
    size: u64,
    bytes: AtomicU64,
    rows: AtomicU64,
}

impl Allowance {
    /// The limits of a file with `size` bytes.
    pub(crate) fn of(size: u64) -> Arc<Self> {
        Arc::new(Self { size, bytes: AtomicU64::new(0), rows: AtomicU64::new(0) })
    }

    fn bytes_max(&self) -> u64 {
        UNPACKED_FREE.max(self.size.saturating_mul(UNPACKED_TIMES))
    }

    fn rows_max(&self) -> u64 {
        ROWS_FREE.max(self.size.saturating_mul(ROWS_PER_BYTE))
    }

    /// Counts a row.
    pub(crate) fn row(&self) {
        self.rows.fetch_add(1, Relaxed);
    }

    /// Counts bytes that were unpacked, or that the file claims to contain. Returns `false` if they are too many.
    pub(crate) fn unpack(&self, bytes: u64) -> bool {
        let before = self.bytes.fetch_add(bytes.min(1 << 62), Relaxed);
        before.saturating_add(bytes) <= self.bytes_max()
    }

    /// Describes the limit that the file exceeds.
    pub(crate) fn exceeded(&self) -> Option<String> {
        let size = self.size;
        if self.bytes.load(Relaxed) > self.bytes_max() {
            let most = self.bytes_max();
            return Some(format!(
                "{size} bytes unpack to more than {most}; accepted: {UNPACKED_TIMES} times as many, and 64 MiB"
            ));
        }
        (self.rows.load(Relaxed) > self.rows_max()).then(|| {
            let most = self.rows_max();
            format!("{size} bytes have more than {most} rows; accepted: {ROWS_PER_BYTE} for each byte, and {ROWS_FREE}")
        })
    }
}

/// Ends a stream that unpacks to more bytes than allowed. Memory is bounded in any case; this bounds the time.
pub(crate) struct Unpacked<R> {
    reader: R,
    allowance: Arc<Allowance>,
}

impl<R> Unpacked<R> {
    pub(crate) fn new(reader: R, allowance: &Arc<Allowance>) -> Self {
        Self { reader, allowance: Arc::clone(allowance) }
    }
}

impl<R: Read> Read for Unpacked<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.reader.read(buffer)?;
        if self.allowance.unpack(n as u64) {
            return Ok(n);
        }
        Err(io::Error::other(self.allowance.exceeded().unwrap_or_default()))
    }
}
