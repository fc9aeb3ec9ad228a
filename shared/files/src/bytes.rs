//! Random access to the bytes of a file.

use std::fs::File;
use std::io::{self, Read};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use parquet::errors::ParquetError;
use parquet::file::reader::{ChunkReader, Length};

/// Random access to the bytes of a file on disk or in a store with range requests.
///
/// Contract: all bytes are those of one version of the file. A read may block. It returns 0 only at the end.
pub trait ReadAt: Send + Sync {
    /// Reads up to `buffer.len()` bytes from `offset` on. Returns the number of bytes read.
    ///
    /// # Errors
    /// If the bytes cannot be read.
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize>;

    /// The size of the file in bytes.
    fn size(&self) -> u64;
}

/// A file on disk.
#[derive(Debug)]
pub struct LocalBytes {
    file: File,
    size: u64,
}

impl LocalBytes {
    /// The bytes of an open file, with its current size.
    ///
    /// # Errors
    /// If the size cannot be read.
    pub fn new(file: File) -> io::Result<Self> {
        let size = file.metadata()?.len();
        Ok(Self { file, size })
    }

    /// The file, for checking whether it has changed.
    #[must_use]
    pub fn file(&self) -> &File {
        &self.file
    }
}

impl ReadAt for LocalBytes {
    #[cfg(unix)]
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        std::os::unix::fs::FileExt::read_at(&self.file, buffer, offset)
    }

    #[cfg(windows)]
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        std::os::windows::fs::FileExt::seek_read(&self.file, buffer, offset)
    }

    fn size(&self) -> u64 {
        self.size
    }
}

impl<B: ReadAt + ?Sized> ReadAt for Arc<B> {
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        (**self).read_at(offset, buffer)
    }

    fn size(&self) -> u64 {
        (**self).size()
    }
}

impl ReadAt for Vec<u8> {
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let from = usize::try_from(offset).unwrap_or(usize::MAX).min(self.len());
        let n = buffer.len().min(self.len() - from);
        buffer[..n].copy_from_slice(&self[from..from + n]);
        Ok(n)
    }

    fn size(&self) -> u64 {
        self.len() as u64
    }
}

/// Bytes that cannot be read any more once `stop` returns true, so that a file of blank lines or a slow file does not
/// block the program.
pub struct Stopping<B> {
    bytes: B,
    stop: Arc<dyn Fn() -> bool + Send + Sync>,
}

impl<B: ReadAt> Stopping<B> {
    /// Reads fail once `stop` returns true.
    pub fn new(bytes: B, stop: Arc<dyn Fn() -> bool + Send + Sync>) -> Self {
        Self { bytes, stop }
    }
}

impl<B: ReadAt> ReadAt for Stopping<B> {
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        if (self.stop)() { Err(io::Error::other("stopped")) } else { self.bytes.read_at(offset, buffer) }
    }

    fn size(&self) -> u64 {
        self.bytes.size()
    }
}

/// Remembers why bytes could not be read, which is not an error in the content of the file.
pub(crate) struct Watched {
    bytes: Arc<dyn ReadAt>,
    failure: ReadFailure,
}

/// The first error of [`Watched`] bytes.
pub(crate) type ReadFailure = Arc<Mutex<Option<io::Error>>>;

impl Watched {
    pub(crate) fn new(bytes: Arc<dyn ReadAt>) -> (Self, ReadFailure) {
        let failure = ReadFailure::default();
        (Self { bytes, failure: Arc::clone(&failure) }, failure)
    }
}

impl ReadAt for Watched {
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        self.bytes.read_at(offset, buffer).map_err(|error| {
            if error.kind() == io::ErrorKind::Interrupted {
                return error;
            }
            let shown = io::Error::new(error.kind(), error.to_string());
            self.failure.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
            shown
        })
    }

    fn size(&self) -> u64 {
        self.bytes.size()
    }
}

/// A range of a file.
#[derive(Clone)]
pub(crate) struct ByteRange {
    bytes: Arc<dyn ReadAt>,
    from: u64,
    to: u64,
}

impl ByteRange {
    pub(crate) fn whole(bytes: Arc<dyn ReadAt>) -> Self {
        let to = bytes.size();
        Self { bytes, from: 0, to }
    }

    /// The sub-range between two offsets of the file, clipped to this range.
    pub(crate) fn part(&self, from: u64, to: u64) -> Self {
        let to = to.clamp(self.from, self.to);
        Self { bytes: Arc::clone(&self.bytes), from: from.clamp(self.from, to), to }
    }

    pub(crate) fn size(&self) -> u64 {
        self.to - self.from
    }

    /// The first bytes, at most `N`.
    pub(crate) fn beginning<const N: usize>(&self) -> io::Result<Vec<u8>> {
        let mut beginning = Vec::with_capacity(N);
        RangeReader::new(self.clone(), Arc::default()).take(N as u64).read_to_end(&mut beginning)?;
        Ok(beginning)
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let at = self.from.saturating_add(offset);
        let left = usize::try_from(self.to.saturating_sub(at)).unwrap_or(usize::MAX).min(buffer.len());
        if left == 0 { Ok(0) } else { self.bytes.read_at(at, &mut buffer[..left]) }
    }
}

/// Reads a range from its beginning and counts the bytes.
pub(crate) struct RangeReader {
    range: ByteRange,
    offset: u64,
    count: Arc<AtomicU64>,
}

impl RangeReader {
    pub(crate) fn new(range: ByteRange, count: Arc<AtomicU64>) -> Self {
        Self { range, offset: 0, count }
    }
}

impl Read for RangeReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.range.read_at(self.offset, buffer)?;
        self.offset += n as u64;
        self.count.fetch_add(n as u64, Relaxed);
        Ok(n)
    }
}

impl rawzip::ReaderAt for ByteRange {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        Self::read_at(self, offset, buffer)
    }
}

impl Length for ByteRange {
    fn len(&self) -> u64 {
        self.size()
    }
}

impl ChunkReader for ByteRange {
    type T = io::BufReader<RangeReader>;

    fn get_read(&self, start: u64) -> Result<Self::T, ParquetError> {
        let rest = self.part(self.from.saturating_add(start), self.to);
        Ok(io::BufReader::new(RangeReader::new(rest, Arc::default())))
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes, ParquetError> {
        // Checks the length, which a broken footer may overstate, before it allocates.
        if start.checked_add(length as u64).is_none_or(|end| end > self.size()) {
            return Err(ParquetError::EOF(format!("{length} bytes at {start} are beyond the end of the file")));
        }
        let mut bytes = vec![0; length];
        let part = self.part(self.from + start, self.to);
        RangeReader::new(part, Arc::default()).read_exact(&mut bytes)?;
        Ok(bytes.into())
    }
}
