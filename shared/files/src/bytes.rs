//! The bytes of a file, wherever it lies.

use std::fs::File;
use std::io::{self, Read};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use parquet::errors::ParquetError;
use parquet::file::reader::{ChunkReader, Length};

/// The bytes of a file, from any place in it: on a disk, or in a store that is asked for ranges.
///
/// Contract: the bytes are those of one version of the file. A read may block. It gives 0 only behind the end.
pub trait ReadAt: Send + Sync {
    /// Reads from `offset` on into `buffer`, as much as is convenient; the number of bytes read.
    ///
    /// # Errors
    /// When the bytes cannot be had.
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize>;

    /// How many bytes the file has.
    fn size(&self) -> u64;
}

/// A file on a disk.
#[derive(Debug)]
pub struct LocalBytes {
    file: File,
    size: u64,
}

impl LocalBytes {
    /// The bytes of an open file, as many as it has now.
    ///
    /// # Errors
    /// When the file cannot be asked for its size.
    pub fn new(file: File) -> io::Result<Self> {
        let size = file.metadata()?.len();
        Ok(Self { file, size })
    }

    /// The file itself, to ask whether it is still what it was.
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

/// Bytes that are not to be had any more once somebody says stop: so a file that has nothing but blank lines, or that
/// comes slowly, holds nobody up.
pub struct Stopping<B> {
    bytes: B,
    stop: Arc<dyn Fn() -> bool + Send + Sync>,
}

impl<B: ReadAt> Stopping<B> {
    /// Reads fail from when `stop` says so.
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

/// Remembers why bytes could not be had, which says nothing of what is in the file.
pub(crate) struct Watched {
    bytes: Arc<dyn ReadAt>,
    failure: Failure,
}

/// The first failure of [`Watched`] bytes.
pub(crate) type Failure = Arc<Mutex<Option<io::Error>>>;

impl Watched {
    pub(crate) fn new(bytes: Arc<dyn ReadAt>) -> (Self, Failure) {
        let failure = Failure::default();
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

    /// The part of it from one offset of the file to another, as far as there is one.
    pub(crate) fn part(&self, from: u64, to: u64) -> Self {
        let to = to.clamp(self.from, self.to);
        Self { bytes: Arc::clone(&self.bytes), from: from.clamp(self.from, to), to }
    }

    pub(crate) fn size(&self) -> u64 {
        self.to - self.from
    }

    /// Its first bytes, at most `N`.
    pub(crate) fn beginning<const N: usize>(&self) -> io::Result<Vec<u8>> {
        let mut beginning = Vec::with_capacity(N);
        Reader::new(self.clone(), Arc::default()).take(N as u64).read_to_end(&mut beginning)?;
        Ok(beginning)
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let at = self.from.saturating_add(offset);
        let left = usize::try_from(self.to.saturating_sub(at)).unwrap_or(usize::MAX).min(buffer.len());
        if left == 0 { Ok(0) } else { self.bytes.read_at(at, &mut buffer[..left]) }
    }
}

/// Reads a range from its beginning and counts the bytes.
pub(crate) struct Reader {
    range: ByteRange,
    offset: u64,
    count: Arc<AtomicU64>,
}

impl Reader {
    pub(crate) fn new(range: ByteRange, count: Arc<AtomicU64>) -> Self {
        Self { range, offset: 0, count }
    }
}

impl Read for Reader {
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
    type T = io::BufReader<Reader>;

    fn get_read(&self, start: u64) -> Result<Self::T, ParquetError> {
        let rest = self.part(self.from.saturating_add(start), self.to);
        Ok(io::BufReader::new(Reader::new(rest, Arc::default())))
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes, ParquetError> {
        // What a broken footer claims is not allocated before it is known to be there.
        if start.checked_add(length as u64).is_none_or(|end| end > self.size()) {
            return Err(ParquetError::EOF(format!("{length} bytes at {start} are behind the end of the file")));
        }
        let mut bytes = vec![0; length];
        let part = self.part(self.from + start, self.to);
        Reader::new(part, Arc::default()).read_exact(&mut bytes)?;
        Ok(bytes.into())
    }
}
