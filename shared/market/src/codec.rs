use stoop_domain::{Day, varint};

use crate::cells::{Cells, Horizon};
use crate::key::Key;

/// The bytes are not a stored market state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CodecError {
    /// Written by an unknown version of Stoop.
    #[error("market state of format {0}; this program reads format {VERSION}")]
    Version(u8),
    /// Truncated or corrupted.
    #[error("market state is damaged")]
    Damaged,
}

const VERSION: u8 = 4;
const _: () = assert!(crate::CATALOGUE_VERSION == 4, "raise VERSION when contributions change");

impl Cells {
    /// Encodes the state: format version (1 byte), CRC-32 of the rest (4 bytes), horizon, number of coordinates, and
    /// for each coordinate the difference from the key before and the value, all as [`varint`]s. Equal states give
    /// equal bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let entries = self.entries();
        let mut bytes = Vec::with_capacity(24 + entries.len() * 6);
        bytes.extend([VERSION, 0, 0, 0, 0]);
        match self.horizon() {
            None => bytes.push(0),
            Some(Horizon { days, hours }) => {
                bytes.push(1);
                varint::put_signed(&mut bytes, i64::from(days.0));
                varint::put_signed(&mut bytes, i64::from(hours.0));
            }
        }
        varint::put(&mut bytes, entries.len() as u64);
        let mut before = 0;
        for (Key(key), value) in entries {
            varint::put(&mut bytes, key - before);
            varint::put_signed(&mut bytes, value);
            before = key;
        }
        let sum = crc32fast::hash(&bytes[5..]);
        bytes[1..5].copy_from_slice(&sum.to_le_bytes());
        bytes
    }

    /// Decodes the format of [`Cells::to_bytes`].
    ///
    /// # Errors
    /// If the bytes are anything else.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, CodecError> {
        let (&version, rest) = bytes.split_first().ok_or(CodecError::Damaged)?;
        if version != VERSION {
            return Err(CodecError::Version(version));
        }
        let (sum, body) = rest.split_first_chunk::<4>().ok_or(CodecError::Damaged)?;
        if crc32fast::hash(body) != u32::from_le_bytes(*sum) {
            return Err(CodecError::Damaged);
        }
        cells_of(body).ok_or(CodecError::Damaged)
    }
}

fn cells_of(mut bytes: &[u8]) -> Option<Cells> {
    let day = |bytes: &mut &[u8]| Some(Day(i32::try_from(varint::take_signed(bytes)?).ok()?));
    let horizon = match varint::take(&mut bytes)? {
        0 => None,
        1 => Some(Horizon { days: day(&mut bytes)?, hours: day(&mut bytes)? }),
        _ => return None,
    };
    let count = varint::take(&mut bytes)?;
    // Each coordinate takes at least two bytes, which bounds the reservation for a corrupted count.
    let mut entries = Vec::with_capacity(usize::try_from(count).ok()?.min(bytes.len() / 2));
    let mut key = 0_u64;
    for i in 0..count {
        let step = varint::take(&mut bytes)?;
        key = key.checked_add(step).filter(|_| step > 0 || i == 0)?;
        let value = varint::take_signed(&mut bytes).filter(|value| *value != 0)?;
        if value.unsigned_abs() > Key(key).quantity().value_max() {
            return None;
        }
        entries.push((Key(key), value));
    }
    bytes.is_empty().then(|| Cells::from_sorted(entries, horizon))
}
