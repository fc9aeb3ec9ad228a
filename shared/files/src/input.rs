//! A window on a stream of bytes that grows to the size of one row.

use std::io::{self, Read};

use stoop_domain::Reason;

/// The window has the bytes from `start` on; earlier ones are dropped.
pub(crate) struct Input {
    reader: Box<dyn Read + Send>,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    ended: bool,
    error: Option<io::Error>,
}

const BUFFER_BYTES: usize = 256 << 10;

impl Input {
    pub(crate) fn new(reader: Box<dyn Read + Send>) -> Self {
        Self { reader, buffer: vec![0; BUFFER_BYTES], start: 0, end: 0, ended: false, error: None }
    }

    /// The bytes in the window.
    pub(crate) fn window(&self) -> &[u8] {
        &self.buffer[self.start..self.end]
    }

    /// Drops the first `n` bytes of the window.
    pub(crate) fn consume(&mut self, n: usize) {
        self.start = (self.start + n).min(self.end);
    }

    /// Reads more bytes into the window. Returns `false` at the end of the stream or after an error.
    pub(crate) fn more(&mut self) -> bool {
        if self.ended {
            return false;
        }
        if self.start > 0 {
            self.buffer.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
        }
        if self.end == self.buffer.len() {
            self.buffer.resize(self.buffer.len() * 2, 0);
        }
        loop {
            match self.reader.read(&mut self.buffer[self.end..]) {
                Ok(0) => self.ended = true,
                Ok(n) => {
                    self.end += n;
                    return true;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => {
                    self.ended = true;
                    self.error = Some(error);
                }
            }
            return false;
        }
    }

    /// The first byte of the window; reads one if there is none.
    pub(crate) fn peek(&mut self) -> Option<u8> {
        if self.start == self.end && !self.more() {
            return None;
        }
        Some(self.buffer[self.start])
    }

    pub(crate) fn skip_byte_order_mark(&mut self) {
        while self.window().len() < 3 && self.more() {}
        if self.window().starts_with(b"\xef\xbb\xbf") {
            self.consume(3);
        }
    }

    /// The error that ended the stream. Returned once.
    pub(crate) fn take_error(&mut self) -> Option<(Reason, String)> {
        self.error.take().map(|error| explain(&error))
    }

    pub(crate) fn has_error(&self) -> bool {
        self.error.is_some()
    }
}

/// Distinguishes a truncated file from one that is broken in another way.
pub(crate) fn explain(error: &io::Error) -> (Reason, String) {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => (Reason::Truncated, format!("the compressed file is cut off: {error}")),
        _ => (Reason::Unreadable, format!("the file cannot be read further: {error}")),
    }
}
