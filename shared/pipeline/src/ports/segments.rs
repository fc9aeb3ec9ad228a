//! How an index is stored: a manifest, and segments that are written once and never changed (ADR 0048).

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;
use std::{fmt, io};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use stoop_domain::Time;

use super::index::{IndexChanges, IndexEntry, SearchState};

/// About how many bytes an entry takes when it is stored, and a mark that a scan saw an entry.
const ENTRY_BYTES: u64 = 100;
const MARK_BYTES: u64 = 10;

/// With more segments than this, all are merged into one: each is a request when the index is loaded.
const SEGMENTS_MAX: usize = 32;

/// They are also merged if what changed since the first one is more than this part of it.
const CHANGED_PART_MAX: u64 = 2;

const LEVEL: i32 = 1;

/// A part of a stored index: what some saves changed. The first segment of an index has everything.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Segment<E = IndexEntry> {
    listings: BTreeMap<String, E>,
    /// Entries that no longer exist.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    removed: BTreeSet<String>,
    /// For entries that have changed only in that a scan saw them, when that scan began.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    seen: BTreeMap<String, Time>,
}

impl<E> Default for Segment<E> {
    fn default() -> Self {
        Self { listings: BTreeMap::new(), removed: BTreeSet::new(), seen: BTreeMap::new() }
    }
}

/// What a scan that sees a listing changes in its entry.
pub(super) trait Seen {
    fn see(&mut self, scan: Time);
}

impl Seen for IndexEntry {
    fn see(&mut self, scan: Time) {
        (self.seen_in_scan, self.missing_since) = (scan, None);
    }
}

impl<E: Seen> Segment<E> {
    /// The first segment of an index, which has all of it.
    pub(super) fn first(listings: BTreeMap<String, E>) -> Self {
        Self { listings, ..Self::default() }
    }

    /// Adds what a later segment has.
    fn add(&mut self, later: Self) {
        for native_id in later.removed {
            self.listings.remove(&native_id);
            self.seen.remove(&native_id);
            self.removed.insert(native_id);
        }
        for (native_id, entry) in later.listings {
            self.seen.remove(&native_id);
            self.removed.remove(&native_id);
            self.listings.insert(native_id, entry);
        }
        for (native_id, scan) in later.seen {
            match self.listings.get_mut(&native_id) {
                Some(entry) => entry.see(scan),
                None => drop(self.seen.insert(native_id, scan)),
            }
        }
    }

    /// All entries of an index, from its segments in order.
    pub(super) fn merged(segments: impl IntoIterator<Item = io::Result<Self>>) -> io::Result<BTreeMap<String, E>> {
        let mut segments = segments.into_iter();
        let mut whole = segments.next().transpose()?.unwrap_or_default();
        for segment in segments {
            whole.add(segment?);
        }
        Ok(whole.listings)
    }

    fn bytes(&self) -> u64 {
        let entries = self.listings.len() as u64;
        let marks = (self.seen.len() + self.removed.len()) as u64;
        entries * ENTRY_BYTES + marks * MARK_BYTES
    }
}

impl Segment {
    /// What changed, with the entries as they are now.
    fn of(listings: &BTreeMap<String, IndexEntry>, changes: &IndexChanges) -> Self {
        let mut segment = Self::default();
        match changes {
            IndexChanges::All => segment.listings.clone_from(listings),
            IndexChanges::Only { entries, seen } => {
                for native_id in entries {
                    match listings.get(native_id) {
                        Some(entry) => drop(segment.listings.insert(native_id.clone(), entry.clone())),
                        None => drop(segment.removed.insert(native_id.clone())),
                    }
                }
                let marked = seen.iter().filter_map(|native_id| Some((native_id, listings.get(native_id)?)));
                segment.seen.extend(marked.map(|(native_id, entry)| (native_id.clone(), entry.seen_in_scan)));
            }
        }
        segment
    }
}

/// The name of a stored segment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SegmentName {
    /// The version of the index with which it was stored. Numbers ascend.
    pub number: u64,
    /// Who stored it: distinguishes segments of one number.
    pub writer: String,
    /// About its size, in bytes.
    bytes: u64,
}

/// The number with leading zeros, so that names are in the order of their numbers, and the writer.
impl fmt::Display for SegmentName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:020}-{}", self.number, self.writer)
    }
}

/// What is stored of an index beside its segments.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct IndexManifest {
    /// The state without its listings.
    state: SearchState,
    /// What changed since the last segment.
    recent: Segment,
    segments: Vec<SegmentName>,
}

/// What a save stores: a segment if there is one, and then the manifest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IndexSave {
    /// The manifest.
    pub manifest: IndexManifest,
    /// The name and the bytes of a new segment.
    pub segment: Option<(SegmentName, Vec<u8>)>,
    /// The new segment has the whole index: the manifest names no other. Segments with a smaller number than this were
    /// replaced by an earlier save, or belong to saves that were refused or killed. Nobody reads them.
    pub unused_before: Option<u64>,
}

impl IndexManifest {
    /// Decodes a stored manifest, or an index as it was stored before there were segments.
    ///
    /// # Errors
    /// If it is damaged.
    pub fn decode(bytes: &[u8]) -> io::Result<Self> {
        let text = zstd::decode_all(bytes)?;
        let damaged = match serde_json::from_slice(&text) {
            Ok(manifest) => return Ok(manifest),
            Err(damaged) => damaged,
        };
        let mut state: SearchState = serde_json::from_slice(&text).map_err(|_| damaged)?;
        let listings = std::mem::take(&mut state.listings);
        Ok(Self { state, recent: Segment::first(listings), segments: Vec::new() })
    }

    /// The bytes of the manifest.
    ///
    /// # Errors
    /// None is known.
    pub fn encode(&self) -> io::Result<Vec<u8>> {
        encode(self)
    }

    /// The version of the index.
    #[must_use]
    pub fn version(&self) -> u64 {
        self.state.version
    }

    /// What the search keeps beside its listings; its `listings` are empty.
    #[must_use]
    pub fn state(&self) -> &SearchState {
        &self.state
    }

    /// The names of the segments, in order.
    #[must_use]
    pub fn segments(&self) -> &[SegmentName] {
        &self.segments
    }

    /// The state with all listings. `segments` has the bytes of each segment, in order.
    ///
    /// # Errors
    /// If a segment is damaged.
    pub fn whole<'b>(&self, segments: impl IntoIterator<Item = &'b [u8]>) -> io::Result<SearchState> {
        let segments = decoded(&self.segments, segments).chain([Ok(self.recent.clone())]);
        Ok(SearchState { listings: Segment::merged(segments)?, ..self.state.clone() })
    }

    /// What to store so that the index is `state`, after `changes` of what this manifest has. The version becomes one
    /// higher than that of `state`.
    ///
    /// Each save writes the manifest. Changes stay in it up to about `1 / SEGMENTS_MAX` of the index, in bytes within
    /// `recent`. An index smaller than that has no segments.
    ///
    /// # Errors
    /// None is known.
    pub fn next(
        &self,
        state: &SearchState,
        changes: &IndexChanges,
        writer: String,
        recent: &RangeInclusive<u64>,
    ) -> io::Result<IndexSave> {
        let mut next = self.state_of(state);
        let number = next.version();
        let name = |bytes| SegmentName { number, writer, bytes };
        let whole = self.segments.first().map_or(0, |first| first.bytes);
        let recent_max = (whole / SEGMENTS_MAX as u64).clamp(*recent.start(), *recent.end());
        if *changes != IndexChanges::All {
            let recent = self.recent_with(state, changes);
            if recent.bytes() <= recent_max {
                next.recent = recent;
                return Ok(IndexSave { manifest: next, segment: None, unused_before: None });
            }
            if self.has_room_for(&recent) {
                let name = name(recent.bytes());
                next.segments.push(name.clone());
                return Ok(IndexSave { manifest: next, segment: Some((name, encode(&recent)?)), unused_before: None });
            }
        }
        let unused_before = self.segments.first().map(|first| first.number);
        let bytes = state.listings.len() as u64 * ENTRY_BYTES;
        if bytes <= recent_max {
            next.recent = Segment::of(&state.listings, &IndexChanges::All);
            next.segments.clear();
            return Ok(IndexSave { manifest: next, segment: None, unused_before });
        }
        let name = name(bytes);
        next.segments = vec![name.clone()];
        let segment = encode(&Whole { listings: &state.listings })?;
        Ok(IndexSave { manifest: next, segment: Some((name, segment)), unused_before })
    }

    /// A manifest of the next version of this state, with the segments of this one.
    fn state_of(&self, state: &SearchState) -> Self {
        let state = SearchState { version: state.version + 1, ..state.without_listings() };
        Self { state, recent: Segment::default(), segments: self.segments.clone() }
    }

    /// What changed since the last segment.
    fn recent_with(&self, state: &SearchState, changes: &IndexChanges) -> Segment {
        let mut recent = self.recent.clone();
        recent.add(Segment::of(&state.listings, changes));
        if self.segments.is_empty() {
            recent.removed.clear();
        }
        recent
    }

    /// Whether these changes become a segment of their own. Otherwise all segments are merged.
    fn has_room_for(&self, recent: &Segment) -> bool {
        let Some((first, rest)) = self.segments.split_first() else { return false };
        let changed = rest.iter().map(|segment| segment.bytes).sum::<u64>() + recent.bytes();
        self.segments.len() < SEGMENTS_MAX && changed <= first.bytes / CHANGED_PART_MAX
    }
}

/// An [`Segment`] of all listings.
#[derive(Serialize)]
struct Whole<'a> {
    listings: &'a BTreeMap<String, IndexEntry>,
}

fn encode(value: &impl Serialize) -> io::Result<Vec<u8>> {
    let mut encoder = zstd::Encoder::new(Vec::new(), LEVEL)?;
    serde_json::to_writer(&mut encoder, value)?;
    encoder.finish()
}

fn decode<T: DeserializeOwned>(bytes: &[u8]) -> io::Result<T> {
    Ok(serde_json::from_slice(&zstd::decode_all(bytes)?)?)
}

/// Decodes segments one by one. An error names the segment.
pub(super) fn decoded<'b, E: DeserializeOwned>(
    names: &[SegmentName],
    segments: impl IntoIterator<Item = &'b [u8]>,
) -> impl Iterator<Item = io::Result<Segment<E>>> {
    let named = |name: &SegmentName, error: io::Error| io::Error::new(error.kind(), format!("segment {name}: {error}"));
    names.iter().zip(segments).map(move |(name, bytes)| decode(bytes).map_err(|error| named(name, error)))
}

#[cfg(test)]
mod tests;
