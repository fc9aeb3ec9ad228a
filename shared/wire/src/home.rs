mod facts;
mod sightings;
mod values;

use std::ops::RangeBounds;

use stoop_domain::{
    Attributes, DaySightings, FACTS_VERSION, Facts, FieldPlace, HOME_FIELDS, History, Home, HomeValue, Last, Minor,
    PriceChange, ReportedChange, ReportedChanges, Sighting, Time, Watch, varint,
};

use facts::{put_facts, take_facts};
use sightings::{put_sighting, take_sighting};
use values::{put_text, put_value, take_text, take_value};

/// The bytes are not a stored home.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HomeError {
    /// Written by an unknown version of Stoop.
    #[error("home of format {0}; this program reads format {VERSION}")]
    Version(u8),
    /// With an attribute that only a newer version of Stoop knows.
    #[error("home has attribute {0}, which this program does not know")]
    Attribute(u8),
    /// Truncated or corrupted.
    #[error("home is damaged")]
    Damaged,
}

/// Raise it when areas change: they belong to one version of the gazetteer, and no home may mix two versions.
const VERSION: u8 = 3 + FACTS_VERSION;
const _: () = assert!(stoop_domain::AREAS_VERSION == 2, "raise VERSION when areas change");

/// The first byte after the checksum: the watch of the home, or that the listing is overfull. Part of the stored
/// format: never reuse a number.
const ONCE: u8 = 0;
const OVERFULL: u8 = 1;
const REPEATED: u8 = 2;
const COMPLETE: u8 = 3;

impl HomeError {
    /// Whether a newer version of Stoop wrote the home.
    #[must_use]
    pub fn is_newer(&self) -> bool {
        match self {
            Self::Version(version) => *version > VERSION,
            Self::Attribute(_) => true,
            Self::Damaged => false,
        }
    }
}

/// Encodes a home: format version (1 byte), CRC-32 of the rest (4 bytes), and the rest. Equal homes give equal bytes.
///
/// Numbers are varints ([`varint`]), and times are differences from the time before. A listing that was seen on one day
/// with one price takes about 80 bytes, plus ten for each further day with a sighting.
#[must_use]
pub fn home_to_bytes(home: &Home) -> Vec<u8> {
    let mut bytes = vec![VERSION, 0, 0, 0, 0];
    if home.history.is_overfull() {
        bytes.push(OVERFULL);
    } else {
        bytes.push(match home.history.watch() {
            Watch::Once => ONCE,
            Watch::Repeated => REPEATED,
            Watch::Complete => COMPLETE,
        });
        put_facts(&mut bytes, home.history.facts());
        let last = put_spans(&mut bytes, home.history.spans());
        put_attributes(&mut bytes, &home.attributes, last);
        put_reported(&mut bytes, &home.reported, last);
    }
    let sum = crc32fast::hash(&bytes[5..]);
    bytes[1..5].copy_from_slice(&sum.to_le_bytes());
    bytes
}

/// Decodes the format of [`home_to_bytes`].
///
/// # Errors
/// If the bytes are anything else.
pub fn home_from_bytes(bytes: &[u8]) -> Result<Home, HomeError> {
    let (&version, rest) = bytes.split_first().ok_or(HomeError::Damaged)?;
    if version != VERSION {
        return Err(HomeError::Version(version));
    }
    let (sum, body) = rest.split_first_chunk::<4>().ok_or(HomeError::Damaged)?;
    if crc32fast::hash(body) != u32::from_le_bytes(*sum) {
        return Err(HomeError::Damaged);
    }
    home_of(body)
}

fn home_of(mut bytes: &[u8]) -> Result<Home, HomeError> {
    let damaged = HomeError::Damaged;
    let (&kind, rest) = bytes.split_first().ok_or(damaged)?;
    bytes = rest;
    let watch = match kind {
        ONCE => Watch::Once,
        OVERFULL => {
            let home = Home { history: History::overfull(), ..Home::default() };
            return bytes.is_empty().then_some(home).ok_or(damaged);
        }
        REPEATED => Watch::Repeated,
        COMPLETE => Watch::Complete,
        _ => return Err(damaged),
    };
    let facts: Vec<Facts> = take_facts(&mut bytes).ok_or(damaged)?;
    let (spans, last) = take_spans(&mut bytes).ok_or(damaged)?;
    let home = Home {
        history: History::from_parts(facts, spans, watch).ok_or(damaged)?,
        attributes: take_attributes(&mut bytes, last)?,
        reported: take_reported(&mut bytes, last).ok_or(damaged)?,
    };
    bytes.is_empty().then_some(home).ok_or(damaged)
}

/// Encodes the spans. Returns the last sighting, on which the next difference is based.
fn put_spans(bytes: &mut Vec<u8>, spans: &[DaySightings]) -> Sighting {
    varint::put(bytes, spans.len() as u64);
    let (mut before, mut date) = (Sighting::default(), Time::default());
    for DaySightings { facts, first, last, listed } in spans {
        varint::put(bytes, u64::from(*facts) << 1 | u64::from(listed.is_some()));
        put_sighting(bytes, first, &before);
        put_sighting(bytes, last, first);
        before = *last;
        if let Some((sighting, time)) = listed {
            put_sighting(bytes, sighting, last);
            varint::put_signed(bytes, time.ms().wrapping_sub(date.ms()));
            date = *time;
        }
    }
    before
}

fn take_spans(bytes: &mut &[u8]) -> Option<(Vec<DaySightings>, Sighting)> {
    let count = varint::take(bytes)?;
    let (mut before, mut date) = (Sighting::default(), Time::default());
    let mut spans = Vec::new();
    for _ in 0..count {
        let head = varint::take(bytes)?;
        let facts = u16::try_from(head >> 1).ok()?;
        let first = take_sighting(bytes, &before)?;
        let last = take_sighting(bytes, &first)?;
        before = last;
        let listed = if head & 1 == 1 {
            let sighting = take_sighting(bytes, &last)?;
            date = sightings::time_after(date, varint::take_signed(bytes)?)?;
            Some((sighting, date))
        } else {
            None
        };
        spans.push(DaySightings { facts, first, last, listed });
    }
    Some((spans, before))
}

/// Encodes an attribute after its mark, if it is known.
fn put_last<T>(bytes: &mut Vec<u8>, mark: u8, known: &Last<T>, last: &Sighting, put: impl Fn(&mut Vec<u8>, &T)) {
    if let Some((sighting, value)) = known {
        bytes.push(mark);
        put_sighting(bytes, sighting, last);
        put(bytes, value);
    }
}

/// Marks of attributes, and of the reported changes after them. The other attributes have theirs in [`HOME_FIELDS`].
/// Part of the stored format: never reuse a number.
mod mark {
    pub(super) const TITLE: u8 = 1;
    pub(super) const LINE: u8 = 2;
    pub(super) const URL: u8 = 3;
    pub(super) const COORDINATES: u8 = 8;
    pub(super) const REPORTED: u8 = 9;
}

fn put_attributes(bytes: &mut Vec<u8>, attributes: &Attributes, last: Sighting) {
    let Attributes { title, line, url, coordinates, others } = attributes;
    put_last(bytes, mark::TITLE, title, &last, |bytes, text| put_text(bytes, text));
    put_last(bytes, mark::LINE, line, &last, |bytes, text| put_text(bytes, text));
    put_last(bytes, mark::URL, url, &last, |bytes, text| put_text(bytes, text));
    put_others(bytes, others, &last, ..mark::COORDINATES);
    put_last(bytes, mark::COORDINATES, coordinates, &last, |bytes, (latitude, longitude)| {
        varint::put_signed(bytes, i64::from(*latitude));
        varint::put_signed(bytes, i64::from(*longitude));
    });
    put_others(bytes, others, &last, mark::COORDINATES..);
}

/// Encodes those of the other attributes whose marks are in `marks`.
fn put_others(bytes: &mut Vec<u8>, others: &[Last<HomeValue>], last: &Sighting, marks: impl RangeBounds<u8>) {
    for (field, known) in HOME_FIELDS.iter().zip(others) {
        match field.kept {
            FieldPlace::Attribute { mark } if marks.contains(&mark) => {
                put_last(bytes, mark, known, last, |bytes, value| put_value(bytes, *value));
            }
            _ => {}
        }
    }
}

fn take_attributes(bytes: &mut &[u8], last: Sighting) -> Result<Attributes, HomeError> {
    let mut attributes = Attributes::default();
    let mut before = 0;
    while let Some((&mark, rest)) = bytes.split_first() {
        if mark == mark::REPORTED {
            break;
        }
        // Marks must ascend, so that equal homes give equal bytes.
        if mark <= before {
            return Err(HomeError::Damaged);
        }
        before = mark;
        *bytes = rest;
        let other = HOME_FIELDS.iter().position(|field| field.kept == FieldPlace::Attribute { mark });
        match (mark, other) {
            (_, Some(row)) => {
                attributes.others[row] = take_last(bytes, &last, |b| take_value(b, HOME_FIELDS[row].kind))?
            }
            (mark::TITLE, _) => attributes.title = take_last(bytes, &last, take_owned)?,
            (mark::LINE, _) => attributes.line = take_last(bytes, &last, take_owned)?,
            (mark::URL, _) => attributes.url = take_last(bytes, &last, take_owned)?,
            (mark::COORDINATES, _) => attributes.coordinates = take_last(bytes, &last, take_coordinates)?,
            _ => return Err(HomeError::Attribute(mark)),
        }
    }
    Ok(attributes)
}

/// Decodes an attribute after its mark.
fn take_last<T>(
    bytes: &mut &[u8],
    last: &Sighting,
    take: impl Fn(&mut &[u8]) -> Option<T>,
) -> Result<Last<T>, HomeError> {
    let sighting = take_sighting(bytes, last).ok_or(HomeError::Damaged)?;
    Ok(Some((sighting, take(bytes).ok_or(HomeError::Damaged)?)))
}

fn take_owned(bytes: &mut &[u8]) -> Option<String> {
    take_text(bytes).map(str::to_owned)
}

fn take_coordinates(bytes: &mut &[u8]) -> Option<(i32, i32)> {
    let latitude = i32::try_from(varint::take_signed(bytes)?).ok()?;
    let longitude = i32::try_from(varint::take_signed(bytes)?).ok()?;
    Some((latitude, longitude))
}

/// Encodes changes in order after their mark and count. Times are differences; the first one is relative to `last`.
fn put_reported(bytes: &mut Vec<u8>, reported: &ReportedChanges, last: Sighting) {
    let reported = reported.as_slice();
    if reported.is_empty() {
        return;
    }
    bytes.push(mark::REPORTED);
    varint::put(bytes, reported.len() as u64);
    let mut before = last.seen;
    for ReportedChange { at, change } in reported {
        varint::put_signed(bytes, at.ms().wrapping_sub(before.ms()));
        varint::put_signed(bytes, change.from.0);
        varint::put_signed(bytes, change.to.0);
        before = *at;
    }
}

fn take_reported(bytes: &mut &[u8], last: Sighting) -> Option<ReportedChanges> {
    let Some((&mark::REPORTED, rest)) = bytes.split_first() else { return Some(ReportedChanges::default()) };
    *bytes = rest;
    let count = varint::take(bytes)?;
    let mut before = last.seen;
    let mut reported = Vec::new();
    for _ in 0..count {
        before = sightings::time_after(before, varint::take_signed(bytes)?)?;
        let mut price = || varint::take_signed(bytes).map(Minor);
        let change = PriceChange { from: price()?, to: price()? };
        reported.push(ReportedChange { at: before, change });
    }
    // An empty list has no mark.
    ReportedChanges::from_sorted(reported).filter(|_| count > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_ascend_and_none_is_used_twice() {
        let marks = HOME_FIELDS.iter().filter_map(|field| match field.kept {
            FieldPlace::Attribute { mark } => Some(mark),
            FieldPlace::Fact => None,
        });
        let marks: Vec<u8> = marks.collect();
        assert!(marks.is_sorted_by(|a, b| a < b), "{marks:?}");
        for taken in [0, mark::TITLE, mark::LINE, mark::URL, mark::COORDINATES, mark::REPORTED] {
            assert!(!marks.contains(&taken), "{taken}");
        }
    }
}
