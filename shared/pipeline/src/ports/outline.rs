//! What other searches of a source read of an index.

use std::collections::HashMap;
use std::io;
use std::sync::Arc;

use rustc_hash::FxHashMap;
use serde::Deserialize;
use stoop_domain::{Sighting, Time};

use super::index::{OnStream, Sent, is_held};
use super::segments::{Seen, Segment, SegmentName, decoded};

/// The index of a search as other searches of its source read it: without the listings themselves.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct IndexOutline {
    listings: FxHashMap<String, EntryOutline>,
}

/// An [`IndexEntry`] without its listing.
#[derive(Clone, Debug, Deserialize)]
struct EntryOutline {
    on_stream: OnStream,
    last: Sighting,
    seen_in_scan: Time,
    #[serde(default)]
    missing_since: Option<Time>,
}

impl Seen for EntryOutline {
    fn see(&mut self, scan: Time) {
        (self.seen_in_scan, self.missing_since) = (scan, None);
    }
}

/// An [`IndexManifest`](super::IndexManifest) without its state.
#[derive(Debug, Deserialize)]
pub struct ManifestOutline {
    recent: Segment<EntryOutline>,
    segments: Vec<SegmentName>,
}

impl ManifestOutline {
    /// Decodes what [`IndexManifest::decode`](super::IndexManifest::decode) decodes.
    ///
    /// # Errors
    /// If it is damaged.
    pub fn decode(bytes: &[u8]) -> io::Result<Self> {
        let text = zstd::decode_all(bytes)?;
        let damaged = match serde_json::from_slice(&text) {
            Ok(manifest) => return Ok(manifest),
            Err(damaged) => damaged,
        };
        let IndexOutline { listings } = serde_json::from_slice(&text).map_err(|_| damaged)?;
        let listings = listings.into_iter().collect();
        Ok(Self { recent: Segment::first(listings), segments: Vec::new() })
    }

    /// The names of the segments, in order.
    #[must_use]
    pub fn segments(&self) -> &[SegmentName] {
        &self.segments
    }

    /// All entries. `segments` has the bytes of each segment, in order.
    ///
    /// # Errors
    /// If a segment is damaged.
    pub fn whole<'b>(self, segments: impl IntoIterator<Item = &'b [u8]>) -> io::Result<IndexOutline> {
        let segments = decoded(&self.segments, segments).chain([Ok(self.recent)]);
        Ok(IndexOutline { listings: Segment::merged(segments)?.into_iter().collect() })
    }
}

impl IndexOutline {
    /// When a listing that is held present was last seen: see [`SearchIndex::held_elsewhere`].
    ///
    /// [`SearchIndex::held_elsewhere`]: super::SearchIndex::held_elsewhere
    #[must_use]
    pub fn holds(&self, native_id: &str) -> Option<Time> {
        let entry = self.listings.get(native_id).filter(|entry| is_held(entry.missing_since, entry.on_stream));
        entry.map(|entry| entry.seen_in_scan)
    }

    /// The last observation sent of a listing: see [`SearchIndex::sent_elsewhere`].
    ///
    /// [`SearchIndex::sent_elsewhere`]: super::SearchIndex::sent_elsewhere
    fn sent(&self, native_id: &str) -> Option<Sent> {
        self.listings.get(native_id).map(EntryOutline::sent)
    }

    /// How many listings it has.
    #[must_use]
    pub fn len(&self) -> usize {
        self.listings.len()
    }

    /// Whether it has no listing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.listings.is_empty()
    }
}

impl EntryOutline {
    fn sent(&self) -> Sent {
        Sent { sighting: self.last, on_stream: self.on_stream }
    }
}

/// What other searches of a source have sent: see [`SearchIndex::sent_elsewhere`]. Nothing is copied to look it up, because
/// most polls ask for few of many listings.
///
/// [`SearchIndex::sent_elsewhere`]: super::SearchIndex::sent_elsewhere
#[derive(Clone, Debug, Default)]
pub struct SentElsewhere(Vec<Arc<IndexOutline>>);

impl SentElsewhere {
    /// What the searches with these indexes have sent.
    #[must_use]
    pub fn of(indexes: Vec<Arc<IndexOutline>>) -> Self {
        Self(indexes)
    }

    /// The last observation of a listing that any of them has sent, or may have.
    #[must_use]
    pub fn get(&self, native_id: &str) -> Option<Sent> {
        self.0.iter().filter_map(|index| index.sent(native_id)).reduce(Sent::later)
    }

    /// The last observation of every listing.
    #[must_use]
    pub fn all(&self) -> HashMap<String, Sent> {
        let mut all: HashMap<String, Sent> = HashMap::new();
        for (native_id, entry) in self.0.iter().flat_map(|index| &index.listings) {
            let sent = all.get(native_id).map_or(entry.sent(), |known| known.later(entry.sent()));
            all.insert(native_id.clone(), sent);
        }
        all
    }
}

/// As of one search, which holds all of them.
impl FromIterator<(String, Sent)> for SentElsewhere {
    fn from_iter<I: IntoIterator<Item = (String, Sent)>>(sent: I) -> Self {
        let entry = |Sent { sighting, on_stream }| EntryOutline {
            on_stream,
            last: sighting,
            seen_in_scan: Time::default(),
            missing_since: None,
        };
        let listings = sent.into_iter().map(|(native_id, sent)| (native_id, entry(sent))).collect();
        Self(vec![Arc::new(IndexOutline { listings })])
    }
}
