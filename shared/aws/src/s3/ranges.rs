use std::io;
use std::sync::{Mutex, PoisonError};

use stoop_files::ReadAt;

/// Bytes to fetch when the access pattern is not known.
const FETCH_MIN: u64 = 1 << 20;
/// The most bytes to fetch at once, for an object that is read sequentially.
const FETCH_MAX: u64 = 8 << 20;
/// The most bytes kept of an object. A Parquet file is read at as many offsets as it has columns.
const KEPT_MAX: usize = 32 << 20;

/// Fetches bytes from one offset to before another.
type Fetch = dyn Fn(u64, u64) -> io::Result<Vec<u8>> + Send + Sync;

/// Random access to an object by ranges. The last used ranges are kept.
pub(super) struct Ranges {
    size: u64,
    fetch: Box<Fetch>,
    kept: Mutex<CachedRange>,
}

#[derive(Default)]
struct CachedRange {
    /// The start of each range, and its bytes; the last used is last.
    ranges: Vec<(u64, Vec<u8>)>,
    bytes: usize,
    /// Where the last fetch ended, and its size.
    end: u64,
    fetched: u64,
}

impl Ranges {
    pub(super) fn new(size: u64, fetch: impl Fn(u64, u64) -> io::Result<Vec<u8>> + Send + Sync + 'static) -> Self {
        Self { size, fetch: Box::new(fetch), kept: Mutex::default() }
    }
}

impl ReadAt for Ranges {
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        if offset >= self.size || buffer.is_empty() {
            return Ok(0);
        }
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(n) = kept.read(offset, buffer) {
            return Ok(n);
        }
        // Sequential reads double the fetch size each time.
        let more = if kept.end == offset { kept.fetched.saturating_mul(2) } else { 0 };
        let length = more.clamp(FETCH_MIN, FETCH_MAX);
        let end = offset.saturating_add(length).min(self.size);
        let bytes = (self.fetch)(offset, end)?;
        if bytes.len() as u64 != end - offset {
            let problem = format!("got {} bytes instead of {}", bytes.len(), end - offset);
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, problem));
        }
        (kept.end, kept.fetched) = (end, length);
        kept.keep(offset, bytes);
        Ok(kept.read(offset, buffer).unwrap_or(0))
    }

    fn size(&self) -> u64 {
        self.size
    }
}

impl CachedRange {
    fn read(&mut self, offset: u64, buffer: &mut [u8]) -> Option<usize> {
        let has = |(from, bytes): &(u64, Vec<u8>)| (*from..*from + bytes.len() as u64).contains(&offset);
        let index = self.ranges.iter().rposition(has)?;
        self.ranges[index..].rotate_left(1);
        let (from, bytes) = self.ranges.last()?;
        let rest = &bytes[usize::try_from(offset - from).ok()?..];
        let n = rest.len().min(buffer.len());
        buffer[..n].copy_from_slice(&rest[..n]);
        Some(n)
    }

    fn keep(&mut self, from: u64, bytes: Vec<u8>) {
        self.bytes += bytes.len();
        self.ranges.push((from, bytes));
        while self.bytes > KEPT_MAX && self.ranges.len() > 1 {
            self.bytes -= self.ranges.remove(0).1.len();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    const MIB: u64 = 1 << 20;

    /// What was fetched, in whole MiB.
    type Asked = Arc<Mutex<Vec<(u64, u64)>>>;

    fn object(size: u64) -> (Ranges, Asked) {
        let asked = Arc::new(Mutex::new(Vec::new()));
        let noted = Arc::clone(&asked);
        let fetch = move |from: u64, to: u64| {
            noted.lock().unwrap().push((from / MIB, to.div_ceil(MIB)));
            Ok((from..to).map(|at| (at % 251) as u8).collect())
        };
        (Ranges::new(size, fetch), asked)
    }

    #[test]
    fn a_sequential_read_fetches_few_pieces() {
        let (object, asked) = object(20 * MIB + 5);
        let mut buffer = vec![0; 100_000];
        let mut at = 0;
        loop {
            let n = object.read_at(at, &mut buffer).unwrap();
            if n == 0 {
                break;
            }
            assert!(buffer[..n].iter().zip(at..).all(|(byte, at)| *byte == (at % 251) as u8));
            at += n as u64;
        }
        assert_eq!(at, object.size());
        assert_eq!(*asked.lock().unwrap(), [(0, 1), (1, 3), (3, 7), (7, 15), (15, 21)]);
    }

    #[test]
    fn ranges_that_are_read_in_turn_are_kept() {
        let (object, asked) = object(100 * MIB);
        let mut buffer = [0; 10];
        for turn in 0..50 {
            for column in 0..30 {
                assert_eq!(object.read_at(column * 3 * MIB + turn * 10, &mut buffer).unwrap(), 10);
            }
        }
        assert_eq!(asked.lock().unwrap().len(), 30);
        let kept = object.kept.lock().unwrap();
        let bytes: usize = kept.ranges.iter().map(|(_, bytes)| bytes.len()).sum();
        assert!(kept.bytes == bytes && bytes <= KEPT_MAX);
    }

    #[test]
    fn failures_and_short_reads_are_errors() {
        let fails = Ranges::new(10, |_, _| Err(io::Error::other("no")));
        assert_eq!(fails.read_at(0, &mut [0; 4]).unwrap_err().to_string(), "no");
        let short = Ranges::new(10, |_, _| Ok(vec![0; 3]));
        assert_eq!(short.read_at(0, &mut [0; 4]).unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
        assert_eq!(short.read_at(10, &mut [0; 4]).unwrap(), 0);
    }
}
