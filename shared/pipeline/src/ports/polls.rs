use std::collections::{BTreeMap, BTreeSet, HashMap};

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use stoop_domain::{Listing, Reject, Sighting, Time};
use stoop_sources::{Cursor, Distrust, Request};

use super::PortError;
use crate::loss::HeldBack;
use crate::poll::Account;
use crate::{Pace, Profiles};

/// The stream between poller and metrics.
///
/// Contract: an accepted record is delivered at least once, those of one key in the order in which they were put.
#[async_trait]
pub trait Stream: Send + Sync {
    /// Puts records (partition key, bytes) on the stream. Returns the indexes of those that were refused and may be put
    /// again; empty if all were accepted.
    async fn put(&self, records: &[(String, Vec<u8>)]) -> Result<Vec<usize>, PortError>;

    /// The most bytes of one record.
    fn record_bytes_max(&self) -> usize;
}

/// Fetches for the poller. Contract: sends the request once; no retries, no redirect to another host, at most
/// [`HttpAnswer::BODY_MAX`] bytes, decompressed.
#[async_trait]
pub trait Http: Send + Sync {
    /// Sends a request.
    async fn send(&self, request: &Request) -> Result<HttpAnswer, HttpError>;
}

/// An HTTP response of any status.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpAnswer {
    /// The status code.
    pub status: u16,
    /// Header names in lower case and values.
    pub headers: Vec<(String, String)>,
    /// The body, decompressed.
    pub body: Vec<u8>,
}

/// Why there is no response.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HttpError {
    /// No response in time, or the connection failed or broke: retrying may help.
    #[error("{0}")]
    Transient(String),
    /// The body is larger than [`HttpAnswer::BODY_MAX`].
    #[error("the answer has more than {} MiB", HttpAnswer::BODY_MAX >> 20)]
    TooLarge,
    /// The URL is invalid, or may not be fetched.
    #[error("{0}")]
    Refused(String),
}

impl HttpAnswer {
    /// The largest body that is read: 32 MiB.
    pub const BODY_MAX: usize = 32 << 20;

    /// The value of a header by its lower-case name.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// Raw pages, verbatim, so that a parser's mistake can be corrected by reading them again.
#[async_trait]
pub trait Pages: Send + Sync {
    /// Stores the page `number` (from 0) of a run, compressed. Storing it again keeps the later one.
    async fn put(&self, run: &str, number: u32, body: &[u8]) -> Result<(), PortError>;
}

/// Rejects, kept for inspection and reprocessing.
#[async_trait]
pub trait Quarantine: Send + Sync {
    /// Stores rejects, each once (by source, location, reason and raw text). Returns how many were new.
    async fn put(&self, rejects: &[Reject]) -> Result<usize, PortError>;
}

/// What each search has seen.
///
/// Contract: [`SearchIndex::save`] is conditional on the version that was loaded, and atomic.
#[async_trait]
pub trait SearchIndex: Send + Sync {
    /// The state of a search of `source`; a new one (version 0) if there is none. If the search had another source
    /// before, it may be the state from then.
    async fn load(&self, search: &str, source: &str) -> Result<SearchState, PortError>;

    /// Stores the state of a search of the source that it names, if its version is still the stored one; `false` if
    /// not. The stored version is one higher.
    async fn save(&self, search: &str, state: &SearchState) -> Result<bool, PortError>;

    /// For each of these listings of `source`, when another search than `search` that holds it present last saw it, by
    /// the beginning of its scan; `None` if none does. A search holds present what its last complete scan did not miss
    /// and it did not report gone. A search that was renamed or is no longer polled holds its listings for ever: the
    /// time shows that.
    async fn held_elsewhere(
        &self,
        search: &str,
        source: &str,
        native_ids: &[String],
    ) -> Result<Vec<Option<Time>>, PortError>;

    /// The last observation of each listing that other searches of `source` have sent, or may have. Empty, and cheap,
    /// if there is no other.
    async fn sent_elsewhere(&self, search: &str, source: &str) -> Result<HashMap<String, Sent>, PortError>;

    /// The last ruling of a person on a loss of this search that is held back, as written ([`crate::Ruling::parse`]);
    /// `None` if there never was one.
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
    /// How often it changes.
    #[serde(default)]
    pub pace: Pace,
    /// For a search that reads files, those it has read.
    #[serde(default)]
    pub files: FilesTaken,
    /// Every listing the search knows, by native ID.
    pub listings: BTreeMap<String, IndexEntry>,
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

/// One listing in a search's index.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IndexEntry {
    /// A hash of the listing as last sent to the stream; 0 while it is unknown whether it was sent.
    pub hash: u64,
    /// The sighting that was last sent. Older indexes do not have it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<Sighting>,
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
    /// When it was reported gone. It is kept, so that its return is noticed.
    #[serde(default)]
    pub gone_at: Option<Time>,
    /// The listing without its details, for reporting `Gone`.
    pub listing: Listing,
}

/// What was last sent of a listing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sent {
    /// Its sighting.
    pub sighting: Sighting,
    /// As in [`IndexEntry::hash`].
    pub hash: u64,
}

/// The index of a search as other searches of its source read it: without the listings themselves.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct IndexOutline {
    listings: HashMap<String, EntryOutline>,
}

/// An [`IndexEntry`] without its listing.
#[derive(Clone, Debug, Deserialize)]
struct EntryOutline {
    hash: u64,
    #[serde(default)]
    last: Option<Sighting>,
    seen_in_scan: Time,
    #[serde(default)]
    missing_since: Option<Time>,
    #[serde(default)]
    gone_at: Option<Time>,
}

impl IndexOutline {
    /// When a listing that is held present was last seen: see [`SearchIndex::held_elsewhere`].
    #[must_use]
    pub fn holds(&self, native_id: &str) -> Option<Time> {
        let entry = self.listings.get(native_id).filter(|entry| is_held(entry.missing_since, entry.gone_at));
        entry.map(|entry| entry.seen_in_scan)
    }

    /// The last observation sent of each listing in these: see [`SearchIndex::sent_elsewhere`].
    #[must_use]
    pub fn latest<'o>(outlines: impl IntoIterator<Item = &'o Self>) -> HashMap<String, Sent> {
        let mut latest: HashMap<String, Sent> = HashMap::new();
        for (native_id, entry) in outlines.into_iter().flat_map(|outline| &outline.listings) {
            let sent = sent(entry.hash, entry.last, entry.seen_in_scan, entry.gone_at);
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
    /// What was last sent of it.
    #[must_use]
    pub fn sent(&self) -> Sent {
        sent(self.hash, self.last, self.seen_in_scan, self.gone_at)
    }
}

/// For an older index it is only known that nothing was sent after these times.
fn sent(hash: u64, last: Option<Sighting>, seen_in_scan: Time, gone_at: Option<Time>) -> Sent {
    let sighting =
        last.unwrap_or_else(|| Sighting::at(gone_at.map_or(seen_in_scan, |gone_at| gone_at.max(seen_in_scan))));
    Sent { sighting, hash }
}

fn is_held(missing_since: Option<Time>, gone_at: Option<Time>) -> bool {
    missing_since.is_none() && gone_at.is_none()
}

impl SearchState {
    /// When a listing that is held present was last seen: see [`SearchIndex::held_elsewhere`].
    #[must_use]
    pub fn holds(&self, native_id: &str) -> Option<Time> {
        let entry = self.listings.get(native_id).filter(|entry| is_held(entry.missing_since, entry.gone_at));
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

/// One run of a search, replay or recomputation, for `stoop runs`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunRecord {
    /// The run's ID.
    pub id: String,
    /// `poll`, `replay`, ...
    pub kind: String,
    /// The search's name, or the files.
    pub subject: String,
    /// When it began.
    pub began_at: Time,
    /// When it ended; `None` while it runs, and if it was killed.
    pub ended_at: Option<Time>,
    /// How it ended.
    pub outcome: RunOutcome,
    /// Why it did not end well, if so.
    pub message: Option<String>,
    /// Counts by name: pages, rows, new, changed, gone, rejects, bytes, requests.
    pub counts: BTreeMap<String, u64>,
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunOutcome {
    /// Not ended yet.
    Running,
    /// It saw everything.
    Complete,
    /// The source did not show everything, or the run was stopped.
    Partial,
    /// It failed.
    Failed,
    /// It asked for nothing: the source's circuit breaker is open.
    Skipped,
    /// Its process ended before it did. What it stored stays.
    Killed,
}

/// The requests of each account, shared by all who poll it: one record per account, named by
/// [`stoop_sources::Source::account`].
///
/// Contract: [`Budgets::save`] is conditional on the version that was loaded, and atomic; [`Budgets::load`] sees
/// everything saved before, by anybody. So two pollers count every request and exceed no limit.
#[async_trait]
pub trait Budgets: Send + Sync {
    /// The record of an account and its version; a new one with version 0 if there is none.
    async fn load(&self, account: &str) -> Result<(Account, u64), PortError>;

    /// Stores the record of an account if `version` is still the stored one; `false` if not. The stored version is one
    /// higher.
    async fn save(&self, account: &str, record: &Account, version: u64) -> Result<bool, PortError>;
}

/// The ledger of runs. Contract: recording a run with the same ID replaces it.
#[async_trait]
pub trait RunLedger: Send + Sync {
    /// Records the beginning, progress or end of a run.
    async fn record(&self, run: &RunRecord) -> Result<(), PortError>;
}
