use std::collections::{BTreeMap, BTreeSet, HashMap};

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use stoop_domain::{Listing, Sighting, Time};
use stoop_sources::{Cursor, Distrust};

use super::PortError;
use crate::loss::HeldBack;
use crate::{Pace, Profiles};

/// What each search has seen.
///
/// Contract: [`SearchIndex::save`] is conditional on the version that was loaded, and atomic.
#[async_trait]
pub trait SearchIndex: Send + Sync {
    /// The state of a search of `source`; a fresh one (version 0) where there is none. Where the search was of another
    /// source before, it may be the state from then.
    async fn load(&self, search: &str, source: &str) -> Result<SearchState, PortError>;

    /// Stores the state of a search of the source that it names, if its version is still the stored one; `false` if it
    /// is not. The stored version is one higher.
    async fn save(&self, search: &str, state: &SearchState) -> Result<bool, PortError>;

    /// Of each of these listings of `source`, when another search than `search` that holds it for present saw it last, by the
    /// beginning of its scan; `None` where none does. It holds what it did not miss in its last complete scan, and did not say to
    /// be gone. A search that has another name now, or is polled no more, holds what it saw last for ever: the time tells.
    async fn held_elsewhere(
        &self,
        search: &str,
        source: &str,
        native_ids: &[String],
    ) -> Result<Vec<Option<Time>>, PortError>;

    /// What other searches of `source` than `search` have sent of its listings, or may have: of each, the latest that any
    /// of them did. Empty, and cheap, where there is no other.
    async fn sent_elsewhere(&self, search: &str, source: &str) -> Result<HashMap<String, Sent>, PortError>;

    /// What a person has said last of a loss of this search that is held back, as it was written ([`crate::Ruling::parse`]);
    /// `None` where nothing was ever said.
    async fn ruling(&self, search: &str, source: &str) -> Result<Option<String>, PortError>;
}

/// What a search has seen so far.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SearchState {
    /// The version that was loaded.
    #[serde(default)]
    pub version: u64,
    /// The source's name.
    #[serde(default)]
    pub source: String,
    /// A hash of what the search asks for. When it changes, what was seen before says nothing any more.
    #[serde(default)]
    pub asks: String,
    /// The newest time at which it saw anything. Nothing is seen before it, whatever the clock says.
    #[serde(default)]
    pub seen: Option<Time>,
    /// What the clock said when the search was polled last.
    #[serde(default)]
    pub clock: Option<Time>,
    /// Its first scan has ended: what is new from now on was not there when the search began.
    #[serde(default)]
    pub begun: bool,
    /// Where the next incremental scan starts.
    pub watermark: Option<String>,
    /// A scan that was broken off, to be resumed.
    pub checkpoint: Option<ScanCheckpoint>,
    /// How many scans were provably complete.
    pub scans: u64,
    /// When the last scan that asked for everything began, by the clock.
    #[serde(default)]
    pub full_scan_at: Option<Time>,
    /// Whether its last scan that asked for everything proved what it lacked; `None` where there was none.
    #[serde(default)]
    pub proves_absence: Option<bool>,
    /// In what share of its rows each field was filled.
    #[serde(default)]
    pub profiles: Profiles,
    /// What was counted of contradictions in its listings, and which fields are distrusted for it.
    #[serde(default)]
    pub distrust: Distrust,
    /// What its last complete scan lacked and what is not said to be gone yet.
    #[serde(default)]
    pub held_back: Option<HeldBack>,
    /// How often it changes.
    #[serde(default)]
    pub pace: Pace,
    /// Of a search that reads files, which it has read.
    #[serde(default)]
    pub files: FilesTaken,
    /// Every listing the search knows, by native id.
    pub listings: BTreeMap<String, IndexEntry>,
}

/// The files that a search has read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FilesTaken {
    /// Of those that are there, a mark of each version that needs no second look. No more than there are files.
    pub marks: BTreeSet<u64>,
    /// The time of the newest file that was read to its end: what its name says, if the map reads that, else when it was written. Never in
    /// the future of when it was read.
    pub newest: Option<Time>,
    /// The time that it was given: later, where others were written in the same moment.
    pub as_of: Option<Time>,
}

/// What the stream has of a listing, as far as its search knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnStream {
    /// The listing with this content. The stream acknowledged it.
    Listing(ContentHash),
    /// A listing was to be sent, and nobody knows whether it arrived. It is sent again.
    InDoubt,
    /// That the listing is gone as of this time. The stream acknowledged it.
    Gone(Time),
    /// It was to be sent that the listing is gone as of this time, and nobody knows whether that arrived. It is sent again.
    GoneInDoubt(Time),
}

/// A hash of what a listing says. Two listings with one hash are taken to say the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ContentHash(pub u64);

impl OnStream {
    /// When the listing was said to be gone, if that was the last that was sent of it.
    #[must_use]
    pub fn gone_at(&self) -> Option<Time> {
        match self {
            Self::Gone(at) | Self::GoneInDoubt(at) => Some(*at),
            Self::Listing(_) | Self::InDoubt => None,
        }
    }

    /// Whether the stream has the listing with this content for certain.
    #[must_use]
    pub fn is(&self, content: ContentHash) -> bool {
        *self == Self::Listing(content)
    }

    /// Whether the stream has something else than this content for certain.
    #[must_use]
    pub fn is_other_than(&self, content: ContentHash) -> bool {
        match self {
            Self::Listing(other) => *other != content,
            Self::Gone(_) => true,
            Self::InDoubt | Self::GoneInDoubt(_) => false,
        }
    }
}

/// One listing in a search's index.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IndexEntry {
    /// What was sent of it last. That it is gone is kept, so that its return is noticed.
    pub on_stream: OnStream,
    /// Where that stands in the order of all that was sent of it.
    pub last: Sighting,
    /// Since when its price, as it was sent, is doubtful: until it is sent on another day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub doubtful: Option<Time>,
    /// For rows of files, the latest of those that said the same and were not sent again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Sighting>,
    /// When the scan began that saw it last.
    pub seen_in_scan: Time,
    /// When a complete scan began that missed it, by the clock, where none has seen it since: the first of those. Of a file, its
    /// time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub missing_since: Option<Time>,
    /// The listing without its details, to say `Gone` with.
    pub listing: Listing,
}

/// What was sent of a listing last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sent {
    /// Where it stands in the order of all that was sent of it.
    pub sighting: Sighting,
    /// What the stream has of it since.
    pub on_stream: OnStream,
}

/// The index of a search as the other searches of its source read it: without the listings themselves.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct IndexOutline {
    listings: HashMap<String, EntryOutline>,
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

impl IndexOutline {
    /// When a listing was seen last that is held for present: see [`SearchIndex::held_elsewhere`].
    #[must_use]
    pub fn holds(&self, native_id: &str) -> Option<Time> {
        let entry = self.listings.get(native_id).filter(|entry| is_held(entry.missing_since, entry.on_stream));
        entry.map(|entry| entry.seen_in_scan)
    }

    /// Of each listing that any of these have, what was sent last: see [`SearchIndex::sent_elsewhere`].
    #[must_use]
    pub fn latest<'o>(outlines: impl IntoIterator<Item = &'o Self>) -> HashMap<String, Sent> {
        let mut latest: HashMap<String, Sent> = HashMap::new();
        for (native_id, entry) in outlines.into_iter().flat_map(|outline| &outline.listings) {
            let sent = Sent { sighting: entry.last, on_stream: entry.on_stream };
            match latest.get_mut(native_id) {
                Some(known) if known.sighting >= sent.sighting => {}
                Some(known) => *known = sent,
                None => drop(latest.insert(native_id.clone(), sent)),
            }
        }
        latest
    }
}

impl IndexEntry {
    /// What was sent of it last.
    #[must_use]
    pub fn sent(&self) -> Sent {
        Sent { sighting: self.last, on_stream: self.on_stream }
    }

    /// The latest sighting of the listing as it was sent last.
    pub(crate) fn newest(&self) -> Sighting {
        self.until.map_or(self.last, |until| until.max(self.last))
    }
}

fn is_held(missing_since: Option<Time>, on_stream: OnStream) -> bool {
    missing_since.is_none() && on_stream.gone_at().is_none()
}

impl SearchState {
    /// When a listing was seen last that is held for present: see [`SearchIndex::held_elsewhere`].
    #[must_use]
    pub fn holds(&self, native_id: &str) -> Option<Time> {
        let entry = self.listings.get(native_id).filter(|entry| is_held(entry.missing_since, entry.on_stream));
        entry.map(|entry| entry.seen_in_scan)
    }
}

/// A scan that was broken off.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScanCheckpoint {
    /// The page to fetch next.
    pub cursor: Cursor,
    /// The run that began the scan.
    pub run: String,
    /// When it began.
    pub began_at: Time,
    /// How many polls in a row began here and failed before they had read a page.
    #[serde(default)]
    pub tries: u32,
}
