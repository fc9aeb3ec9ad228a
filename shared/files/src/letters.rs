//! Decodes text to UTF-8 and skips lines before the rows.

use std::io::{self, Cursor, Read};

use stoop_sources::text::{Decoder, Encoding};

/// Bytes that are decoded at a time.
const CHUNK: usize = 32 << 10;

/// Text as UTF-8. A byte order mark determines the encoding, otherwise `declared` does.
pub(crate) fn decoded(mut reader: Box<dyn Read + Send>, declared: Option<Encoding>) -> Box<dyn Read + Send> {
    let mut beginning = Vec::with_capacity(4);
    if let Err(error) = reader.by_ref().take(3).read_to_end(&mut beginning) {
        // The reader of the rows reports the position of the error.
        return Box::new(Cursor::new(beginning).chain(BrokenReader(Some(error))));
    }
    let encoding = Encoding::of_mark(&beginning);
    let mark = match encoding {
        Some(Encoding::Utf8) => 3,
        Some(_) => 2,
        None => 0,
    };
    let encoding = encoding.or(declared).unwrap_or_default();
    let mut whole = Cursor::new(beginning);
    whole.set_position(mark);
    let whole = whole.chain(reader);
    if encoding == Encoding::Utf8 {
        return Box::new(whole);
    }
    let decoder = Decoder::new(encoding);
    Box::new(Decoding { reader: whole, decoder, raw: vec![0; CHUNK], text: Cursor::default(), ended: false })
}

/// Returns its error once.
struct BrokenReader(Option<io::Error>);

impl Read for BrokenReader {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        self.0.take().map_or(Ok(0), Err)
    }
}

struct Decoding<R> {
    reader: R,
    decoder: Decoder,
    raw: Vec<u8>,
    /// Decoded text that was not returned yet.
    text: Cursor<Vec<u8>>,
    ended: bool,
}

impl<R: Read> Read for Decoding<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let given = self.text.read(buffer)?;
            if given > 0 || self.ended || buffer.is_empty() {
                return Ok(given);
            }
            let n = self.reader.read(&mut self.raw)?;
            let text = self.text.get_mut();
            text.clear();
            self.decoder.decode(&self.raw[..n], text);
            if n == 0 {
                self.ended = true;
                self.decoder.finish(text);
            }
            self.text.set_position(0);
        }
    }
}

/// The text after `lines` lines, which are not kept.
pub(crate) fn behind_lines(mut reader: Box<dyn Read + Send>, lines: u32) -> io::Result<Box<dyn Read + Send>> {
    let mut left = lines;
    let mut buffer = vec![0; if lines == 0 { 0 } else { CHUNK }];
    while left > 0 {
        let n = match reader.read(&mut buffer) {
            Ok(0) => return Ok(reader),
            Ok(n) => n,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        let mut from = 0;
        while left > 0
            && let Some(at) = memchr::memchr(b'\n', &buffer[from..n])
        {
            from += at + 1;
            left -= 1;
        }
        if left == 0 {
            return Ok(Box::new(Cursor::new(buffer[from..n].to_vec()).chain(reader)));
        }
    }
    Ok(reader)
}
