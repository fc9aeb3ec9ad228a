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
/// Contract: a record that was accepted is delivered at least once, those of one key in the order in
/// which they were put.
#[async_trait]
pub trait Stream: Send + Sync {
    /// Puts records (partition key, bytes) on the stream. The answer holds the places of those that
    /// were refused and may be put again; an empty one means that all were accepted.
    async fn put(&self, records: &[(String, Vec<u8>)]) -> Result<Vec<usize>, PortError>;

    /// The most bytes that one record may have.
    fn record_bytes_max(&self) -> usize;
}

/// Where the poller fetches from. Contract: does what the request says once; no retries of its own, no
/// redirect to another host, at most [`HttpAnswer::BODY_MAX`] bytes, decompressed.
#[async_trait]
pub trait Http: Send + Sync {
    /// Sends a request.
    async fn send(&self, request: &Request) -> Result<HttpAnswer, HttpError>;
}

/// An HTTP answer of any status.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpAnswer {
    /// The status code.
    pub status: u16,
    /// Header names in lower case and values.
    pub headers: Vec<(String, String)>,
    /// The body, decompressed.
    pub body: Vec<u8>,
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HttpError {
    /// No answer in time, or the connection failed or broke: trying again may help.
    #[error("{0}")]
    Transient(String),
    /// The body is larger than [`HttpAnswer::BODY_MAX`].
    #[error("the answer has more than {} MiB", HttpAnswer::BODY_MAX >> 20)]
    TooLarge,
    /// The address is none, or may not be fetched.
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

/// Raw pages, verbatim, so that a parser's mistake can be repaired by reading them again.
#[async_trait]
pub trait Pages: Send + Sync {
    /// Stores the page `number` (from 0) of a run, compressed. Storing it twice keeps the later.
    async fn put(&self, run: &str, number: u32, body: &[u8]) -> Result<(), PortError>;
}

/// What was refused, kept to be looked at and read again.
#[async_trait]
pub trait Quarantine: Send + Sync {
    /// Keeps rejects. One that is kept already (same source, location, reason and raw) is kept once.
    /// Returns how many were new.
    async fn put(&self, rejects: &[Reject]) -> Result<usize, PortError>;
}

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

/// One listing in a search's index.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IndexEntry {
    /// A hash of the listing as it was last sent to the stream; 0 while it is in doubt whether what was to
    /// be sent has been.
    pub hash: u64,
    /// Where that stands in the order of all that was sent of it. An index of before does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<Sighting>,
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
    /// When it was said to be gone. It is kept all the same, so that its return is noticed.
    #[serde(default)]
    pub gone_at: Option<Time>,
    /// The listing without its details, to say `Gone` with.
    pub listing: Listing,
}

/// What was sent of a listing last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sent {
    /// Where it stands in the order of all that was sent of it.
    pub sighting: Sighting,
    /// As [`IndexEntry::hash`].
    pub hash: u64,
}

/// The index of a search as the other searches of its source read it: without the listings themselves.
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
    /// When a listing was seen last that is held for present: see [`SearchIndex::held_elsewhere`].
    #[must_use]
    pub fn holds(&self, native_id: &str) -> Option<Time> {
        let entry = self.listings.get(native_id).filter(|entry| is_held(entry.missing_since, entry.gone_at));
        entry.map(|entry| entry.seen_in_scan)
    }

    /// Of each listing that any of these have, what was sent last: see [`SearchIndex::sent_elsewhere`].
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
    /// What was sent of it last.
    #[must_use]
    pub fn sent(&self) -> Sent {
        sent(self.hash, self.last, self.seen_in_scan, self.gone_at)
    }
}

/// Of an index of before it is only known that nothing was sent after these times.
fn sent(hash: u64, last: Option<Sighting>, seen_in_scan: Time, gone_at: Option<Time>) -> Sent {
    let sighting =
        last.unwrap_or_else(|| Sighting::at(gone_at.map_or(seen_in_scan, |gone_at| gone_at.max(seen_in_scan))));
    Sent { sighting, hash }
}

fn is_held(missing_since: Option<Time>, gone_at: Option<Time>) -> bool {
    missing_since.is_none() && gone_at.is_none()
}

impl SearchState {
    /// When a listing was seen last that is held for present: see [`SearchIndex::held_elsewhere`].
    #[must_use]
    pub fn holds(&self, native_id: &str) -> Option<Time> {
        let entry = self.listings.get(native_id).filter(|entry| is_held(entry.missing_since, entry.gone_at));
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

/// One run of a search, replay or recomputation, for `stoop runs`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunRecord {
    /// The run's id.
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
    /// Why, where it did not end well.
    pub message: Option<String>,
    /// Counts by name: pages, rows, new, changed, gone, rejects, bytes, requests.
    pub counts: BTreeMap<String, u64>,
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunOutcome {
    /// Not yet.
    Running,
    /// It saw everything.
    Complete,
    /// The source would not show everything, or the run was stopped in time.
    Partial,
    /// It failed.
    Failed,
    /// It asked for nothing: its source is left alone for a while, because polls of it failed.
    Skipped,
    /// Its process ended before it. What it had stored is stored.
    Killed,
}

/// What was asked of each account of a source, shared by everyone who polls it: one record an account, named by
/// [`stoop_sources::Source::account`].
///
/// Contract: [`Budgets::save`] is conditional on the version that was loaded, and atomic; [`Budgets::load`] sees what
/// was saved before it was called, whoever did. So no request is counted by none of two pollers, nor a limit overspent.
#[async_trait]
pub trait Budgets: Send + Sync {
    /// The record of an account and its version; a fresh one with version 0 where there is none.
    async fn load(&self, account: &str) -> Result<(Account, u64), PortError>;

    /// Stores the record of an account if `version` is still that of the stored one; `false` if it is not. The
    /// stored version is one higher.
    async fn save(&self, account: &str, record: &Account, version: u64) -> Result<bool, PortError>;
}

/// The ledger of runs. Contract: recording a run again by its id replaces it.
#[async_trait]
pub trait RunLedger: Send + Sync {
    /// Records the beginning, progress or end of a run.
    async fn record(&self, run: &RunRecord) -> Result<(), PortError>;
}
