//! The quick walk through a JSON row: records the spans of wanted values and skips the rest.
//!
//! As strict as `serde_json` (a property test compares them), but without error messages: if it gives up, the caller
//! runs `serde_json`, whose result is final. Every row of every replay passes through this walk.

use memchr::memchr2;

use super::{Node, Span, Trie};

/// The same limit as `serde_json`.
const DEPTH_MAX: u32 = 128;

/// The row is not JSON, or this walk cannot handle it.
pub(super) struct GaveUp;

type Walked = Result<(), GaveUp>;

pub(super) struct Scan<'t, 'r> {
    trie: &'t Trie,
    row: &'r [u8],
    at: usize,
    depth_left: u32,
    spans: &'t mut [Span],
}

impl<'t, 'r> Scan<'t, 'r> {
    pub(super) fn new(trie: &'t Trie, row: &'r str, spans: &'t mut [Span]) -> Self {
        Self { trie, row: row.as_bytes(), at: 0, depth_left: DEPTH_MAX, spans }
    }

    /// Walks the whole row, which is one value.
    pub(super) fn row(mut self) -> Walked {
        if u32::try_from(self.row.len()).is_err() {
            return Err(GaveUp);
        }
        self.value(Some(self.trie.root()))?;
        self.skip_space();
        if self.at == self.row.len() { Ok(()) } else { Err(GaveUp) }
    }

    fn value(&mut self, node: Option<&'t Node>) -> Walked {
        self.skip_space();
        let start = self.at;
        let mut escaped = false;
        match self.peek().ok_or(GaveUp)? {
            b'"' => escaped = !self.string()?,
            b'{' => self.nested(node, Self::object)?,
            b'[' => self.nested(node, Self::array)?,
            b't' => self.word(b"true")?,
            b'f' => self.word(b"false")?,
            b'n' => self.word(b"null")?,
            _ => self.number()?,
        }
        if let Some(slot) = node.and_then(Node::slot) {
            // The row is shorter than 4 GiB, so that both fit.
            #[expect(clippy::cast_possible_truncation, reason = "checked in `row`")]
            let span = Span { start: start as u32, end: self.at as u32, escaped };
            self.spans[usize::from(slot)] = span;
        }
        Ok(())
    }

    fn nested(&mut self, node: Option<&'t Node>, inside: fn(&mut Self, Option<&'t Node>) -> Walked) -> Walked {
        self.depth_left = self.depth_left.checked_sub(1).filter(|left| *left > 0).ok_or(GaveUp)?;
        self.at += 1;
        inside(self, node)?;
        self.depth_left += 1;
        Ok(())
    }

    fn object(&mut self, node: Option<&'t Node>) -> Walked {
        self.skip_space();
        if self.eat(b'}') {
            return Ok(());
        }
        loop {
            self.skip_space();
            if self.peek() != Some(b'"') {
                return Err(GaveUp);
            }
            let key = self.at + 1;
            let plain = self.string()?;
            let child = match node {
                Some(node) if plain => self.trie.inside(node, self.row.get(key..self.at - 1).ok_or(GaveUp)?),
                // A wanted key may contain escapes. That is rare: leave it to `serde_json`.
                Some(_) => return Err(GaveUp),
                None => None,
            };
            self.skip_space();
            if !self.eat(b':') {
                return Err(GaveUp);
            }
            self.value(child)?;
            self.skip_space();
            if self.eat(b'}') {
                return Ok(());
            }
            if !self.eat(b',') {
                return Err(GaveUp);
            }
        }
    }

    fn array(&mut self, node: Option<&'t Node>) -> Walked {
        self.skip_space();
        if self.eat(b']') {
            return Ok(());
        }
        let mut position = 0_u32;
        loop {
            let child = node.and_then(|node| self.trie.at_position(node, position));
            self.value(child)?;
            position += 1;
            self.skip_space();
            if self.eat(b']') {
                return Ok(());
            }
            if !self.eat(b',') {
                return Err(GaveUp);
            }
        }
    }

    /// Skips a string; returns whether it contains no escapes.
    fn string(&mut self) -> Result<bool, GaveUp> {
        self.at += 1;
        let mut plain = true;
        loop {
            self.at += plain_bytes(self.row.get(self.at..).ok_or(GaveUp)?);
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(plain);
                }
                Some(b'\\') => self.escape()?,
                // A control character, or the end of the row.
                _ => return Err(GaveUp),
            }
            plain = false;
        }
    }

    fn escape(&mut self) -> Walked {
        self.at += 1;
        match self.peek() {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => self.at += 1,
            Some(b'u') => {
                let digits = self.row.get(self.at + 1..self.at + 5).ok_or(GaveUp)?;
                if !digits.iter().all(u8::is_ascii_hexdigit) {
                    return Err(GaveUp);
                }
                self.at += 5;
            }
            _ => return Err(GaveUp),
        }
        Ok(())
    }

    /// Skips a number that certainly fits a double: `serde_json` refuses larger ones.
    fn number(&mut self) -> Walked {
        const DIGITS_MAX: usize = 200;
        const EXPONENT_DIGITS_MAX: usize = 2;
        let begin = self.at;
        self.eat(b'-');
        match self.peek() {
            Some(b'0') => self.at += 1,
            Some(b'1'..=b'9') => self.digits()?,
            _ => return Err(GaveUp),
        }
        if self.eat(b'.') {
            self.digits()?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            let exponent = self.at;
            self.digits()?;
            if self.at - exponent > EXPONENT_DIGITS_MAX {
                return Err(GaveUp);
            }
        }
        if self.at - begin > DIGITS_MAX { Err(GaveUp) } else { Ok(()) }
    }

    fn digits(&mut self) -> Walked {
        let before = self.at;
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        if self.at > before { Ok(()) } else { Err(GaveUp) }
    }

    fn word(&mut self, word: &[u8]) -> Walked {
        if !self.row[self.at..].starts_with(word) {
            return Err(GaveUp);
        }
        self.at += word.len();
        Ok(())
    }

    fn skip_space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\n' | b'\t' | b'\r')) {
            self.at += 1;
        }
    }

    fn eat(&mut self, byte: u8) -> bool {
        let there = self.peek() == Some(byte);
        self.at += usize::from(there);
        there
    }

    fn peek(&self) -> Option<u8> {
        self.row.get(self.at).copied()
    }
}

/// Number of bytes before a quote, a backslash or a control character. Starts with eight bytes at a time: most strings
/// are keys and short texts, which end before a vector search pays off.
fn plain_bytes(rest: &[u8]) -> usize {
    const WORDS: usize = 4;
    let mut at = 0;
    for _ in 0..WORDS {
        let Some(word) = rest.get(at..).and_then(|rest| rest.first_chunk::<8>()) else {
            return at + rest[at..].iter().take_while(|byte| !is_special(**byte)).count();
        };
        let special = special_bytes(u64::from_le_bytes(*word));
        if special != 0 {
            return at + special.trailing_zeros() as usize / 8;
        }
        at += 8;
    }
    let end = memchr2(b'"', b'\\', &rest[at..]).map_or(rest.len(), |found| at + found);
    let control = rest[at..end].iter().fold(false, |any, byte| any | (*byte < 0x20));
    if control { at + rest[at..end].iter().take_while(|byte| !is_special(**byte)).count() } else { end }
}

fn is_special(byte: u8) -> bool {
    byte < 0x20 || byte == b'"' || byte == b'\\'
}

/// Sets the high bit of the first (lowest) special byte; bytes after it may be set wrongly (Lamport, "Multiple byte
/// processing with full-word instructions", 1975).
fn special_bytes(word: u64) -> u64 {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x8080_8080_8080_8080;
    let zero_in = |word: u64| word.wrapping_sub(ONES) & !word;
    let quote = zero_in(word ^ (ONES * b'"' as u64));
    let backslash = zero_in(word ^ (ONES * b'\\' as u64));
    let control = word.wrapping_sub(ONES * 0x20) & !word;
    (quote | backslash | control) & HIGH
}
