//! States as bytes.
//!
//! After a header come two columns. The first says which cells, quantities, kinds and days have coordinates, and how many
//! each day has; the second has the buckets and values. Prices of a day lie close together and most coordinates count one
//! home, so most take one byte.

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

const VERSION: u8 = 5;
const _: () = assert!(crate::CATALOGUE_VERSION == 5, "raise VERSION when contributions change");

/// The lowest bits of a step to a bucket say the value; the last code, that it follows.
const VALUES: [i64; 3] = [1, -1, 2];
const CODE_BITS: u32 = 2;
const FOLLOWS: u64 = VALUES.len() as u64;

impl Cells {
    /// Encodes the state, as [`varint`]s after the first bytes. Equal states give equal bytes.
    ///
    /// * Format version (1 byte), CRC-32 of the rest (4 bytes), horizon, number of groups and of coordinates. A group
    ///   is a cell, quantity and kind.
    /// * For each group: the difference from the group before, the number of its days, and for each day the difference
    ///   from the day before (of the first day: from the first one of the group before, signed) and the number of its
    ///   coordinates.
    /// * For each coordinate: the difference of its bucket from the one before (of the first one of a day: from the first
    ///   one of the day before, of whatever group, signed), in the bits above the lowest two, which say a value of 1, -1 or 2; and the value, if it is
    ///   another.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let (mut days, mut coordinates) = (Vec::new(), Vec::with_capacity(self.len() * 2));
        let (mut groups, mut group_before, mut first_day, mut first_bucket) = (0, 0, 0, 0);
        let mut entries = self.entries().peekable();
        while let Some(group) = entries.peek().map(|(key, _)| key.group()) {
            varint::put(&mut days, group - group_before);
            group_before = group;
            groups += 1;
            let (mut of_group, mut count, mut day_before) = (Vec::new(), 0, None);
            while let Some(day) = entries.peek().filter(|(key, _)| key.group() == group).map(|(key, _)| key.time()) {
                let (mut n, mut before) = (0, None);
                while let Some((key, value)) = entries.next_if(|(key, _)| key.group() == group && key.time() == day) {
                    let bucket = key.bucket();
                    let step = match before {
                        Some(before) => u64::from(bucket.abs_diff(before)),
                        None => zigzag(i64::from(bucket) - i64::from(std::mem::replace(&mut first_bucket, bucket))),
                    };
                    before = Some(bucket);
                    put_coordinate(&mut coordinates, step, value);
                    n += 1;
                }
                let step = match day_before.replace(day) {
                    Some(before) => u64::from(day - before),
                    None => zigzag(i64::from(day) - i64::from(std::mem::replace(&mut first_day, day))),
                };
                varint::put(&mut of_group, step);
                varint::put(&mut of_group, n);
                count += 1;
            }
            varint::put(&mut days, count);
            days.extend(of_group);
        }
        let mut bytes = Vec::with_capacity(24 + days.len() + coordinates.len());
        bytes.extend([VERSION, 0, 0, 0, 0]);
        match self.horizon() {
            None => bytes.push(0),
            Some(Horizon { days, hours }) => {
                bytes.push(1);
                varint::put_signed(&mut bytes, i64::from(days.0));
                varint::put_signed(&mut bytes, i64::from(hours.0));
            }
        }
        varint::put(&mut bytes, groups);
        varint::put(&mut bytes, self.len() as u64);
        bytes.extend(days);
        bytes.extend(coordinates);
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

/// A day of a group: the group, the day as keys have it, and the number of its coordinates.
type GroupDay = (u64, u16, u64);

fn cells_of(mut bytes: &[u8]) -> Option<Cells> {
    let day = |bytes: &mut &[u8]| Some(Day(i32::try_from(varint::take_signed(bytes)?).ok()?));
    let horizon = match varint::take(&mut bytes)? {
        0 => None,
        1 => Some(Horizon { days: day(&mut bytes)?, hours: day(&mut bytes)? }),
        _ => return None,
    };
    let (groups, count) = (varint::take(&mut bytes)?, varint::take(&mut bytes)?);
    let days = group_days(&mut bytes, groups)?;
    // Each coordinate takes at least one byte, which bounds the reservation for a corrupted count.
    let mut entries = Vec::with_capacity(usize::try_from(count).ok()?.min(bytes.len()));
    let mut first_bucket = 0;
    for (group, day, n) in days {
        let mut before: Option<i32> = None;
        for _ in 0..n {
            let (step, value) = take_coordinate(&mut bytes)?;
            let bucket = match before {
                Some(before) => i64::from(before).checked_add_unsigned(step).filter(|_| step > 0)?,
                None => i64::from(first_bucket).checked_add(unzigzag(step))?,
            };
            let bucket = i32::try_from(bucket).ok()?;
            if before.replace(bucket).is_none() {
                first_bucket = bucket;
            }
            let key = Key::of_group(group, day, bucket)?;
            if value.unsigned_abs() > key.quantity().value_max() {
                return None;
            }
            entries.push((key, value));
        }
    }
    (bytes.is_empty() && entries.len() as u64 == count).then(|| Cells::from_sorted(entries, horizon))
}

/// The days of every group, in order.
fn group_days(bytes: &mut &[u8], groups: u64) -> Option<Vec<GroupDay>> {
    let (mut all, mut group, mut first_day) = (Vec::new(), 0_u64, 0_i64);
    for at in 0..groups {
        let step = varint::take(bytes)?;
        group = group.checked_add(step).filter(|group| *group <= Key::GROUP_MAX && (step > 0 || at == 0))?;
        let (days, mut day) = (varint::take(bytes)?, first_day);
        for at in 0..days {
            let step = varint::take(bytes)?;
            if at == 0 {
                day = day.checked_add(unzigzag(step))?;
                first_day = day;
            } else {
                day = day.checked_add_unsigned(step).filter(|_| step > 0)?;
            }
            let n = varint::take(bytes).filter(|n| *n > 0)?;
            all.push((group, u16::try_from(day).ok()?, n));
        }
        if days == 0 {
            return None;
        }
    }
    Some(all)
}

fn put_coordinate(bytes: &mut Vec<u8>, step: u64, value: i64) {
    let code = VALUES.iter().position(|known| *known == value).map_or(FOLLOWS, |code| code as u64);
    varint::put(bytes, step << CODE_BITS | code);
    if code == FOLLOWS {
        varint::put_signed(bytes, value);
    }
}

fn take_coordinate(bytes: &mut &[u8]) -> Option<(u64, i64)> {
    let both = varint::take(bytes)?;
    let code = usize::try_from(both & ((1 << CODE_BITS) - 1)).ok()?;
    let value = match VALUES.get(code) {
        Some(value) => *value,
        None => varint::take_signed(bytes).filter(|value| *value != 0 && !VALUES.contains(value))?,
    };
    Some((both >> CODE_BITS, value))
}

fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)).cast_unsigned()
}

fn unzigzag(value: u64) -> i64 {
    (value >> 1).cast_signed() ^ -(value & 1).cast_signed()
}
