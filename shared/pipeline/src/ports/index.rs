use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use stoop_domain::{Listing, Sighting, Time};
use stoop_sources::{Cursor, Distrust};

use crate::Pace;
use crate::search::drift::Profiles;
use crate::search::held_move::HeldMove;
use crate::search::loss::HeldBack;

/// What a search has seen so far.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SearchState {
    /// The version that was loaded.
    #[serde(default)]
    pub version: u64,
    /// The source's name.
    #[serde(default)]
    pub source: String,
    /// A hash of what the search asks for. When it changes, earlier sightings no longer count.
    #[serde(default)]
    pub asks: String,
    /// The newest time of a sighting. No later sighting is before it, whatever the clock says.
    #[serde(default)]
    pub seen: Option<Time>,
    /// The clock's time at the last poll.
    #[serde(default)]
    pub clock: Option<Time>,
    /// Whether its first scan has ended: listings that are new from now on were not there when the search began.
    #[serde(default)]
    pub begun: bool,
    /// Where the next incremental scan starts.
    pub watermark: Option<String>,
    /// An interrupted scan, to be resumed.
    pub checkpoint: Option<ScanCheckpoint>,
    /// How many scans were provably complete.
    pub scans: u64,
    /// When the last full scan began, by the clock.
    #[serde(default)]
    pub full_scan_at: Option<Time>,
    /// Whether its last full scan proved absence; `None` if there was none.
    #[serde(default)]
    pub proves_absence: Option<bool>,
    /// The share of its rows in which each field had a value.
    #[serde(default)]
    pub profiles: Profiles,
    /// The counted contradictions in its listings, and the fields that are distrusted because of them.
    #[serde(default)]
    pub distrust: Distrust,
    /// The loss of its last complete scan that is held back.
    #[serde(default)]
    pub held_back: Option<HeldBack>,
    /// Moves of many prices that are held back.
    #[serde(default)]
    pub held_moves: Vec<HeldMove>,
    /// How often it changes.
    #[serde(default)]
    pub pace: Pace,
    /// For a search that reads files, those it has read.
    #[serde(default)]
    pub files: FilesTaken,
    /// Every listing the search knows, by native ID.
    pub listings: BTreeMap<String, IndexEntry>,
}

/// Which entries of an index changed since it was loaded or last saved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IndexChanges {
    /// Perhaps all of them.
    All,
    /// These.
    Only {
        /// The native IDs of entries that changed, are new or were removed.
        entries: BTreeSet<String>,
        /// The native IDs of other entries that changed only in that a scan saw them: when it began, and that they are
        /// not missing. A scan does this to each entry, so it is stored in fewer bytes.
        seen: BTreeSet<String>,
    },
}

impl IndexChanges {
    /// No changes.
    #[must_use]
    pub fn none() -> Self {
        Self::Only { entries: BTreeSet::new(), seen: BTreeSet::new() }
    }

    /// Notes that an entry changed.
    pub fn note(&mut self, native_id: &str) {
        if let Self::Only { entries, seen } = self {
            seen.remove(native_id);
            entries.insert(native_id.to_owned());
        }
    }

    /// Notes that a scan saw the listing of an entry.
    pub fn note_seen(&mut self, native_id: &str) {
        if let Self::Only { entries, seen } = self
            && !entries.contains(native_id)
        {
            seen.insert(native_id.to_owned());
        }
    }
}

/// The files that a search has read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FilesTaken {
    /// For the existing files, a mark of each version that need not be read again. No more marks than files.
    pub marks: BTreeSet<u64>,
    /// The time of the newest file that was read to its end: from its name, if the map reads that, otherwise its
    /// modification time. Never later than the read.
    pub newest: Option<Time>,
    /// The time that was assigned to it: later, if others have the same time.
    pub as_of: Option<Time>,
}

/// What the stream has of a listing, as far as its search knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnStream {
    /// The listing with this content. The stream acknowledged it.
    Listing(ContentHash),
    /// A listing was to be sent. It is unknown whether it arrived, so it is sent again.
    InDoubt,
    /// The report that the listing is gone as of this time. The stream acknowledged it.
    Gone(Time),
    /// A report was to be sent that the listing is gone as of this time. It is unknown whether it arrived, so it is
    /// sent again.
    GoneInDoubt(Time),
}

/// A hash of what a listing says. Two listings with one hash are taken to say the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ContentHash(pub u64);

impl OnStream {
    /// When the listing was reported gone, if that was last sent of it.
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
    /// What was last sent of it. An entry that is gone is kept, so that its return is noticed.
    pub on_stream: OnStream,
    /// The sighting that was last sent.
    pub last: Sighting,
    /// Since when the price last sent is doubtful: until it is sent on another day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub doubtful: Option<Time>,
    /// For rows of files, the latest sighting that repeated it and was not sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Sighting>,
    /// When the scan that saw it last began.
    pub seen_in_scan: Time,
    /// When the first complete scan that missed it began, by the clock, if none has seen it since. For a file, its
    /// time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub missing_since: Option<Time>,
    /// The listing without its details, for reporting `Gone`.
    pub listing: Listing,
}

/// What was last sent of a listing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sent {
    /// Its sighting.
    pub sighting: Sighting,
    /// What the stream has of it since.
    pub on_stream: OnStream,
}

impl Sent {
    /// The later of two; the first if neither is.
    pub(super) fn later(self, other: Self) -> Self {
        if other.sighting > self.sighting { other } else { self }
    }
}

impl IndexEntry {
    /// What was last sent of it.
    #[must_use]
    pub fn sent(&self) -> Sent {
        Sent { sighting: self.last, on_stream: self.on_stream }
    }

    /// The latest sighting of the listing as it was last sent.
    pub(crate) fn newest(&self) -> Sighting {
        self.until.map_or(self.last, |until| until.max(self.last))
    }
}

/// Whether a search holds a listing present.
pub(super) fn is_held(missing_since: Option<Time>, on_stream: OnStream) -> bool {
    missing_since.is_none() && on_stream.gone_at().is_none()
}

impl SearchState {
    /// Everything but the listings.
    pub(super) fn without_listings(&self) -> Self {
        let Self {
            version,
            source,
            asks,
            seen,
            clock,
            begun,
            watermark,
            checkpoint,
            scans,
            full_scan_at,
            proves_absence,
            profiles,
            distrust,
            held_back,
            held_moves,
            pace,
            files,
            listings: _,
        } = self;
        Self {
            version: *version,
            source: source.clone(),
            asks: asks.clone(),
            seen: *seen,
            clock: *clock,
            begun: *begun,
            watermark: watermark.clone(),
            checkpoint: checkpoint.clone(),
            scans: *scans,
            full_scan_at: *full_scan_at,
            proves_absence: *proves_absence,
            profiles: profiles.clone(),
            distrust: distrust.clone(),
            held_back: *held_back,
            held_moves: held_moves.clone(),
            pace: *pace,
            files: files.clone(),
            listings: BTreeMap::new(),
        }
    }

    /// When a listing that is held present was last seen: see [`SearchIndex::held_elsewhere`](super::SearchIndex::held_elsewhere).
    #[must_use]
    pub fn holds(&self, native_id: &str) -> Option<Time> {
        let entry = self.listings.get(native_id).filter(|entry| is_held(entry.missing_since, entry.on_stream));
        entry.map(|entry| entry.seen_in_scan)
    }
}

/// An interrupted scan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScanCheckpoint {
    /// The page to fetch next.
    pub cursor: Cursor,
    /// The run that began the scan.
    pub run: String,
    /// When it began.
    pub began_at: Time,
    /// How many consecutive polls began here and failed before they read a page.
    #[serde(default)]
    pub tries: u32,
}
