//! The part of the protocol buffers encoding that aggregated records need:
//! <https://protobuf.dev/programming-guides/encoding/>.

use super::KplError;

/// The maximum depth of nested groups that are skipped, as in Google's parsers.
const DEPTH_MAX: u32 = 100;

/// The largest field number that the encoding allows.
const NUMBER_MAX: u64 = (1 << 29) - 1;

const VARINT: u8 = 0;
const FIXED64: u8 = 1;
const LEN: u8 = 2;
const GROUP: u8 = 3;
const GROUP_END: u8 = 4;
const FIXED32: u8 = 5;

/// Appends a numeric field. `number` must be below 16, so that its tag is one byte.
pub(super) fn put_number(number: u8, value: u64, out: &mut Vec<u8>) {
    out.push(number << 3 | VARINT);
    put_varint(value, out);
}

/// Appends the tag and length of a field of `len` bytes. The caller appends the bytes.
pub(super) fn put_head(number: u8, len: usize, out: &mut Vec<u8>) {
    out.push(number << 3 | LEN);
    put_varint(len as u64, out);
}

fn put_varint(mut value: u64, out: &mut Vec<u8>) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// The length of a field that [`put_number`] appends.
pub(super) fn number_len(value: u64) -> usize {
    let bits = (u64::BITS - value.leading_zeros()).max(1);
    1 + bits.div_ceil(7) as usize
}

/// The length of a field of `len` bytes, including tag and length.
pub(super) fn bytes_len(len: usize) -> usize {
    number_len(len as u64) + len
}

/// A field's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum WireValue<'a> {
    /// A varint.
    Varint(u64),
    /// Bytes, a string or a message that begins at byte `at`.
    Bytes { at: usize, bytes: &'a [u8] },
    /// A fixed-width number or a group. The format has none, so the field is unknown.
    Other,
}

/// The fields of a message, in order. Ends after an error.
pub(super) struct Fields<'a> {
    rest: &'a [u8],
    /// The position of the message's end, for errors.
    end: usize,
}

impl<'a> Fields<'a> {
    /// Iterates over the fields of a message that begins at byte `at` of the record.
    pub(super) fn new(message: &'a [u8], at: usize) -> Self {
        Self { rest: message, end: at + message.len() }
    }

    fn at(&self) -> usize {
        self.end - self.rest.len()
    }

    fn field(&mut self) -> Result<(u64, WireValue<'a>), KplError> {
        let at = self.at();
        let (number, wire_type) = self.tag()?;
        let value = match wire_type {
            VARINT => WireValue::Varint(self.varint()?),
            LEN => self.bytes()?,
            _ => {
                self.skip(number, wire_type, at, 0)?;
                WireValue::Other
            }
        };
        Ok((number, value))
    }

    /// Skips the value of a field. Its tag at byte `at` was already read, and it is nested in `depth` groups.
    fn skip(&mut self, number: u64, wire_type: u8, at: usize, depth: u32) -> Result<(), KplError> {
        match wire_type {
            VARINT => drop(self.varint()?),
            FIXED64 => drop(self.take(8)?),
            FIXED32 => drop(self.take(4)?),
            LEN => drop(self.bytes()?),
            GROUP if depth == DEPTH_MAX => return Err(KplError::Malformed { at, what: "nests groups too deeply" }),
            GROUP => loop {
                let at = self.at();
                match self.tag()? {
                    (ended, GROUP_END) if ended == number => break,
                    (inner, wire_type) => self.skip(inner, wire_type, at, depth + 1)?,
                }
            },
            GROUP_END => return Err(KplError::Malformed { at, what: "ends a group that has not begun" }),
            _ => return Err(KplError::Malformed { at, what: "begins a field of unknown wire type" }),
        }
        Ok(())
    }

    /// Reads the number and wire type of a field.
    fn tag(&mut self) -> Result<(u64, u8), KplError> {
        let at = self.at();
        let tag = self.varint()?;
        let number = tag >> 3;
        if !(1..=NUMBER_MAX).contains(&number) {
            return Err(KplError::Malformed { at, what: "begins a field with a number out of range" });
        }
        Ok((number, (tag & 7) as u8))
    }

    fn bytes(&mut self) -> Result<WireValue<'a>, KplError> {
        let len = usize::try_from(self.varint()?).unwrap_or(usize::MAX);
        Ok(WireValue::Bytes { at: self.at(), bytes: self.take(len)? })
    }

    fn varint(&mut self) -> Result<u64, KplError> {
        let at = self.at();
        let mut value = 0;
        for shift in (0..u64::BITS).step_by(7) {
            let byte = u64::from(self.take(1)?[0]);
            let bits = byte & 0x7f;
            if bits << shift >> shift != bits {
                break;
            }
            value |= bits << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(KplError::Malformed { at, what: "begins a number with more than 64 bits" })
    }

    fn take(&mut self, len: usize) -> Result<&'a [u8], KplError> {
        let (taken, rest) = self
            .rest
            .split_at_checked(len)
            .ok_or(KplError::Malformed { at: self.at(), what: "is followed by too few bytes" })?;
        self.rest = rest;
        Ok(taken)
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = Result<(u64, WireValue<'a>), KplError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let field = self.field();
        if field.is_err() {
            self.rest = &[];
        }
        Some(field)
    }
}
