use std::collections::BTreeMap;

use stoop_domain::Day;

use crate::cells::Cells;
use crate::key::Key;

/// Bytes that are no stored market state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CodecError {
    /// Written by a version of Stoop that we do not know.
    #[error("market state of format {0}; this program reads format 1")]
    Version(u8),
    /// Cut short, or not ours.
    #[error("market state is damaged")]
    Damaged,
}

const VERSION: u8 = 1;

impl Cells {
    /// The state as bytes: a format byte, the folded day, the number of coordinates, and for each the
    /// distance from the key before it and its value, all as LEB128 varints (signed ones in zigzag).
    /// Equal states give equal bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let entries = self.entries();
        let mut bytes = Vec::with_capacity(16 + entries.len() * 6);
        bytes.push(VERSION);
        put(&mut bytes, self.folded_to().map_or(0, |Day(day)| zigzag(i64::from(day)) + 1));
        put(&mut bytes, entries.len() as u64);
        let mut before = 0;
        for (Key(key), value) in entries {
            put(&mut bytes, key - before);
            put(&mut bytes, zigzag(value));
            before = key;
        }
        bytes
    }

    /// Reads what [`Cells::to_bytes`] wrote.
    ///
    /// # Errors
    /// On any other bytes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, CodecError> {
        let (&version, mut rest) = bytes.split_first().ok_or(CodecError::Damaged)?;
        if version != VERSION {
            return Err(CodecError::Version(version));
        }
        let folded_to = match take(&mut rest)? {
            0 => None,
            day => Some(Day(i32::try_from(unzigzag(day - 1)).map_err(|_| CodecError::Damaged)?)),
        };
        let count = take(&mut rest)?;
        let mut entries = BTreeMap::new();
        let mut key = 0_u64;
        for i in 0..count {
            let step = take(&mut rest)?;
            if step == 0 && i > 0 {
                return Err(CodecError::Damaged);
            }
            key = key.checked_add(step).ok_or(CodecError::Damaged)?;
            let value = unzigzag(take(&mut rest)?);
            if value == 0 {
                return Err(CodecError::Damaged);
            }
            entries.insert(Key(key), value);
        }
        if !rest.is_empty() {
            return Err(CodecError::Damaged);
        }
        Ok(Self::from_entries(entries, folded_to))
    }
}

fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)).cast_unsigned()
}

fn unzigzag(value: u64) -> i64 {
    (value >> 1).cast_signed() ^ -(value & 1).cast_signed()
}

fn put(bytes: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        bytes.push(value.to_le_bytes()[0] | 0x80);
        value >>= 7;
    }
    bytes.push(value.to_le_bytes()[0]);
}

fn take(bytes: &mut &[u8]) -> Result<u64, CodecError> {
    let mut value = 0_u64;
    for shift in (0..64).step_by(7) {
        let (&byte, rest) = bytes.split_first().ok_or(CodecError::Damaged)?;
        *bytes = rest;
        if shift == 63 && byte > 1 {
            return Err(CodecError::Damaged);
        }
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Ok(value);
        }
    }
    Err(CodecError::Damaged)
}
