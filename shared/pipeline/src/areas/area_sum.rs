//! The sum of a wide area with the sums of its parts, as one object.
//!
//! A part replaces its previous value instead of being added: so repeated or missed updates do no harm. The parts of a
//! county are its markets, those of a region its counties, those of a country its regions.

use std::collections::BTreeMap;
use std::io::{self, Read};

use serde::{Deserialize, Serialize};
use stoop_domain::{Day, Time};
use stoop_market::{CATALOGUE_VERSION, Cells, CodecError, Projection, WIDE_DAYS, Wide};

mod check;

/// The first bytes; the last digit is the format. A projection that keeps more than before is another format, even if
/// the layout is the same.
const MAGIC: [u8; 4] = *b"SUM3";
/// Magic, catalogue, version, days, and the sizes of three blobs.
const PREFIX_BYTES: usize = 4 + 4 + 8 + 4 + 4 + 3 * 4;
/// The compression level: a sum is rewritten whenever one of its parts changes.
const COMPRESSION: i32 = 1;
/// The largest blob, so that damaged bytes cannot claim more memory.
const BLOB_BYTES_MAX: u64 = 1 << 28;

/// A wide area: its sum and its parts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AreaSum {
    version: u64,
    total: Wide,
    parts: BTreeMap<String, AreaPart>,
}

/// A market's state and archive.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WholeMarket {
    /// The version of both.
    pub version: u64,
    /// As from [`crate::ports::Store::markets`].
    pub state: Cells,
    /// As from [`crate::ports::Views::archive`].
    pub archive: Cells,
    /// When that version was committed.
    pub committed: Time,
}

/// One part of an area, compressed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AreaPart {
    /// Grows with each change of the part.
    pub version: u64,
    /// The days that it covers.
    pub covered: DaysCovered,
    /// How many markets are in it.
    pub markets: usize,
    blobs: [Vec<u8>; 2],
}

/// The civil days with figures: none if `from` is after `until`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DaysCovered {
    /// The first.
    pub from: Day,
    /// The last.
    pub until: Day,
}

/// The sum of an area without its parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Total {
    /// See [`AreaSum::version`].
    pub version: u64,
    /// The days that it covers.
    pub covered: DaysCovered,
    /// How many markets are in it.
    pub markets: usize,
    /// The sum.
    pub sum: Wide,
}

/// Bytes that are not a sum.
#[derive(Debug, thiserror::Error)]
pub enum SumError {
    /// From another program, or another version of this one.
    #[error("it begins with {0:?}, not like the sum of an area of this version")]
    Format(Vec<u8>),
    /// Truncated, or altered.
    #[error("it is damaged")]
    Damaged,
    /// A blob cannot be unpacked.
    #[error("it cannot be unpacked")]
    Packed(#[from] io::Error),
    /// A blob is not a vector of coordinates.
    #[error("its coordinates cannot be read")]
    Cells(#[from] CodecError),
}

/// How a part is stored: the ends of its blobs follow from the blobs before it.
#[derive(Serialize, Deserialize)]
struct PartEntry {
    name: String,
    version: u64,
    covered: [i32; 2],
    markets: usize,
    bytes: [usize; 2],
}

impl DaysCovered {
    /// The days of a projection that begins on a day.
    #[must_use]
    pub fn since(first: Day) -> Self {
        Self { from: first, until: Day(first.0.saturating_add(WIDE_DAYS - 1)) }
    }

    /// Whether it includes a day.
    #[must_use]
    pub fn has(self, day: Day) -> bool {
        (self.from..=self.until).contains(&day)
    }

    fn and(self, other: Self) -> Self {
        Self { from: self.from.max(other.from), until: self.until.min(other.until) }
    }

    /// All days.
    const ALL: Self = Self { from: Day(i32::MIN), until: Day(i32::MAX) };
}

impl AreaSum {
    /// The time up to which every commit is included, in milliseconds; each write increases it by at least one. 0 if it
    /// was never written.
    #[must_use]
    pub fn version(&self) -> u64 {
        self.version
    }

    /// Its parts by name.
    pub fn parts(&self) -> impl Iterator<Item = (&str, &AreaPart)> {
        self.parts.iter().map(|(name, part)| (name.as_str(), part))
    }

    /// The part of this name.
    #[must_use]
    pub fn part(&self, name: &str) -> Option<&AreaPart> {
        self.parts.get(name)
    }

    /// The sum, without its parts.
    #[must_use]
    pub fn total(&self) -> Total {
        Total { version: self.version, covered: self.covered(), markets: self.markets(), sum: self.total.clone() }
    }

    /// The days that all parts cover.
    #[must_use]
    pub fn covered(&self) -> DaysCovered {
        self.parts.values().fold(DaysCovered::ALL, |covered, part| covered.and(part.covered))
    }

    fn markets(&self) -> usize {
        self.parts.values().map(|part| part.markets).sum()
    }

    /// Replaces a part; call [`AreaSum::stamp`] afterwards. If the previous part is unreadable, the parts are added up
    /// again, without unreadable ones.
    ///
    /// # Errors
    ///
    /// The part cannot be compressed; then nothing is changed.
    pub fn put(&mut self, name: &str, part: &Total) -> Result<(), SumError> {
        let blobs = pack(&part.sum)?;
        self.remove(name);
        self.total.add(&part.sum);
        let part = AreaPart { version: part.version, covered: part.covered, markets: part.markets, blobs };
        self.parts.insert(name.to_owned(), part);
        Ok(())
    }

    /// Removes a part; call [`AreaSum::stamp`] afterwards. `false` if there is none of this name.
    pub fn remove(&mut self, name: &str) -> bool {
        match self.parts.remove(name).map(|old| old.sum()) {
            None => return false,
            Some(Ok(old)) => self.total.subtract(&old),
            Some(Err(_)) => self.add_up_anew(),
        }
        true
    }

    fn add_up_anew(&mut self) {
        let mut total = Wide::default();
        self.parts.retain(|_, part| part.sum().map(|sum| total.add(&sum)).is_ok());
        self.total = total;
    }

    /// Sets the time up to which every commit is included. The version always grows.
    pub fn stamp(&mut self, until_ms: u64) {
        self.version = until_ms.max(self.version + 1);
    }

    /// Encodes the sum: the total first, so that it can be read without the parts.
    ///
    /// # Errors
    ///
    /// Compression fails.
    pub fn to_bytes(&self) -> Result<Vec<u8>, SumError> {
        let entry = |(name, part): (&String, &AreaPart)| PartEntry {
            name: name.clone(),
            version: part.version,
            covered: [part.covered.from.0, part.covered.until.0],
            markets: part.markets,
            bytes: [part.blobs[0].len(), part.blobs[1].len()],
        };
        let entries: Vec<PartEntry> = self.parts.iter().map(entry).collect();
        let entries = serde_json::to_vec(&entries).map_err(io::Error::from)?;
        let entries = zstd::bulk::compress(&entries, COMPRESSION)?;
        let [now, series] = pack(&self.total)?;
        let covered = self.covered();
        let mut bytes = signature().to_vec();
        bytes.extend(self.version.to_le_bytes());
        bytes.extend(covered.from.0.to_le_bytes());
        bytes.extend(covered.until.0.to_le_bytes());
        bytes.extend(u32::try_from(self.markets()).unwrap_or(u32::MAX).to_le_bytes());
        for blob in [&now, &series] {
            bytes.extend(u32::try_from(blob.len()).map_err(|_| SumError::Damaged)?.to_le_bytes());
        }
        debug_assert_eq!(bytes.len(), PREFIX_BYTES);
        bytes.extend(now);
        bytes.extend(series);
        bytes.extend(u32::try_from(entries.len()).map_err(|_| SumError::Damaged)?.to_le_bytes());
        bytes.extend(entries);
        bytes.extend(self.parts.values().flat_map(|part| part.blobs.iter().flatten()));
        Ok(bytes)
    }

    /// Reads what [`AreaSum::to_bytes`] wrote.
    ///
    /// # Errors
    ///
    /// Any other bytes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, SumError> {
        let mut rest = bytes;
        let total = read_total(&mut rest, true)?.ok_or(SumError::Damaged)?;
        let entries = u32::from_le_bytes(take_array(&mut rest)?) as usize;
        let entries = unpacked(take(&mut rest, entries)?)?;
        let entries: Vec<PartEntry> = serde_json::from_slice(&entries).map_err(|_| SumError::Damaged)?;
        let mut parts = BTreeMap::new();
        for PartEntry { name, version, covered: [from, until], markets, bytes: [now, series] } in entries {
            let blobs = [take(&mut rest, now)?.to_vec(), take(&mut rest, series)?.to_vec()];
            parts.insert(
                name,
                AreaPart { version, covered: DaysCovered { from: Day(from), until: Day(until) }, markets, blobs },
            );
        }
        let sum = Self { version: total.version, total: total.sum, parts };
        // The total's header is read without the parts.
        if !rest.is_empty() || (total.covered, total.markets) != (sum.covered(), sum.markets()) {
            return Err(SumError::Damaged);
        }
        Ok(sum)
    }

    /// The first difference between the total and the sum of the parts, in words; `None` if there is none.
    ///
    /// # Errors
    ///
    /// A part cannot be read.
    pub fn first_difference(&self) -> Result<Option<String>, SumError> {
        let mut sum = Wide::default();
        for part in self.parts.values() {
            sum.add(&part.sum()?);
        }
        Ok(self.total.first_difference(&sum))
    }
}

impl AreaPart {
    /// The sum.
    ///
    /// # Errors
    ///
    /// It cannot be read.
    pub fn sum(&self) -> Result<Wide, SumError> {
        let [now, series] = &self.blobs;
        unpack(now, Some(series))
    }

    /// The sum without its series.
    ///
    /// # Errors
    ///
    /// It cannot be read.
    pub fn now(&self) -> Result<Wide, SumError> {
        unpack(&self.blobs[0], None)
    }
}

impl Total {
    /// Of a single market: the covered days begin with `first`.
    #[must_use]
    pub fn of(market: &WholeMarket, first: Day) -> Self {
        let mut projection = Projection::new(first);
        projection.add(&market.state, &market.archive);
        Self { version: market.version, covered: DaysCovered::since(first), markets: 1, sum: projection.sum() }
    }

    /// Reads the total from the beginning of what [`AreaSum::to_bytes`] wrote, with or without its series; `None` if it
    /// extends beyond these bytes.
    ///
    /// # Errors
    ///
    /// Any other bytes.
    pub fn from_beginning(mut bytes: &[u8], with_series: bool) -> Result<Option<Self>, SumError> {
        read_total(&mut bytes, with_series)
    }
}

/// The first bytes. During a deployment the old program rolls up the markets of both; its sums of the new one's
/// markets, whose figures may differ, are not what this program computes.
fn signature() -> [u8; 8] {
    let (mut signature, catalogue) = ([0; 8], CATALOGUE_VERSION.to_le_bytes());
    signature[..4].copy_from_slice(&MAGIC);
    signature[4..].copy_from_slice(&catalogue);
    signature
}

fn read_total(bytes: &mut &[u8], with_series: bool) -> Result<Option<Total>, SumError> {
    let signature = signature();
    if !bytes.starts_with(&signature) {
        return Err(SumError::Format(bytes.iter().copied().take(signature.len()).collect()));
    }
    take(bytes, signature.len())?;
    let version = u64::from_le_bytes(take_array(bytes)?);
    let [from, until] = [i32::from_le_bytes(take_array(bytes)?), i32::from_le_bytes(take_array(bytes)?)];
    let markets = u32::from_le_bytes(take_array(bytes)?) as usize;
    let [now, series] = [u32::from_le_bytes(take_array(bytes)?), u32::from_le_bytes(take_array(bytes)?)];
    if bytes.len() < now as usize + if with_series { series as usize } else { 0 } {
        return Ok(None);
    }
    let now = take(bytes, now as usize)?;
    let series = if with_series { Some(take(bytes, series as usize)?) } else { None };
    let covered = DaysCovered { from: Day(from), until: Day(until) };
    Ok(Some(Total { version, covered, markets, sum: unpack(now, series)? }))
}

fn pack(sum: &Wide) -> io::Result<[Vec<u8>; 2]> {
    let [now, series] = sum.to_bytes().map(|bytes| zstd::bulk::compress(&bytes, COMPRESSION));
    Ok([now?, series?])
}

fn unpack(now: &[u8], series: Option<&[u8]>) -> Result<Wide, SumError> {
    let series = series.map(unpacked).transpose()?;
    Ok(Wide::from_bytes(&unpacked(now)?, series.as_deref())?)
}

fn unpacked(blob: &[u8]) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    zstd::stream::read::Decoder::new(blob)?.take(BLOB_BYTES_MAX).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn take<'b>(bytes: &mut &'b [u8], count: usize) -> Result<&'b [u8], SumError> {
    let (taken, rest) = bytes.split_at_checked(count).ok_or(SumError::Damaged)?;
    *bytes = rest;
    Ok(taken)
}

fn take_array<const N: usize>(bytes: &mut &[u8]) -> Result<[u8; N], SumError> {
    take(bytes, N)?.try_into().map_err(|_| SumError::Damaged)
}
