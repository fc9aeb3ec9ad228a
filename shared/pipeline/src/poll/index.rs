//! The index of a search: what is known of each listing. Only this file changes its entries.

use std::collections::{BTreeMap, HashMap};

use stoop_domain::{Details, Listing, Sighting, Time};

use super::change::Change;
use super::confirm::doubtful_since;
use super::context::Clock;
use super::error::PollError;
use super::search::Search;
use crate::Ruling;
use crate::loss::LossVerdict;
use crate::ports::{IndexEntry, OnStream, PortError, SearchIndex, SearchState, Sent};
use crate::snapshots::leaves_as_it_should;

/// A checkpoint is saved every so many pages, and at the end of the run.
const PAGES_PER_SAVE: u64 = 10;

/// A checkpoint is also saved after any page if the last save was at least this long ago, and a multiple of how long
/// saving takes: a page that must be fetched again may be one of few that the quota allows.
const SAVE_MS: i64 = 1_000;
const SAVE_TIMES: i64 = 20;

/// How long gone listings are kept, in case they return.
const TOMBSTONE_MS: i64 = 400 * Time::DAY_MS;

/// The index of a search during one poll.
pub(super) struct Index<'a> {
    search: &'a Search,
    port: &'a dyn SearchIndex,
    clock: &'a dyn Clock,
    /// The search's state without its listings, which are moved in only for saving.
    pub(super) state: SearchState,
    entries: BTreeMap<String, IndexEntry>,
    /// The last observations that other searches of the source sent, once loaded.
    elsewhere: Option<HashMap<String, Sent>>,
    /// When it was last saved, and how long that took.
    saved: (Time, i64),
}

impl<'a> Index<'a> {
    /// Loads the index; starts an empty one if the search's parameters changed. Listings reported gone stay, so that
    /// the changed search also notices their return.
    pub(super) async fn load(
        search: &'a Search,
        port: &'a dyn SearchIndex,
        clock: &'a dyn Clock,
    ) -> Result<Self, PortError> {
        let asks = search.source.asks();
        let source = search.source.name().to_owned();
        let mut state = port.load(&search.name, &source).await?;
        let mut entries = std::mem::take(&mut state.listings);
        if state.asks != asks && state.version != 0 {
            tracing::info!(search = search.name, "asks for something else than before and starts afresh");
            // IDs of another source refer to other listings.
            entries.retain(|_, entry| match entry.on_stream.gone_at() {
                Some(at) if state.source == source => {
                    entry.on_stream = OnStream::Gone(at);
                    true
                }
                _ => false,
            });
            let SearchState { version, seen, clock: clock_at, .. } = state;
            state = SearchState { version, seen, clock: clock_at, ..SearchState::default() };
        }
        let state = SearchState { asks, source, ..state };
        let saved = (clock.now(), 0);
        Ok(Self { search, port, clock, state, entries, elsewhere: None, saved })
    }

    /// Whether a save is due after `pages` pages of this run.
    pub(super) fn is_save_due(&self, pages: u64) -> bool {
        let (at, took_ms) = self.saved;
        let since_ms = self.clock.now().ms() - at.ms();
        pages.is_multiple_of(PAGES_PER_SAVE) || since_ms >= SAVE_MS.max(took_ms * SAVE_TIMES)
    }

    /// Saves the index.
    ///
    /// # Errors
    /// [`PollError::Raced`] if another poller saved it since it was loaded.
    pub(super) async fn save(&mut self) -> Result<(), PollError> {
        let began = self.clock.now();
        self.state.listings = std::mem::take(&mut self.entries);
        let saved = self.port.save(&self.search.name, &self.state).await;
        self.entries = std::mem::take(&mut self.state.listings);
        if !saved? {
            return Err(PollError::Raced(self.search.name.clone()));
        }
        self.state.version += 1;
        let now = self.clock.now();
        self.saved = (now, now.ms() - began.ms());
        Ok(())
    }

    /// Saves after a failure; if saving fails as well, the first failure is the one to report.
    pub(super) async fn save_after_failure(&mut self) {
        if let Err(second) = self.save().await {
            tracing::warn!(error = crate::with_causes(&second), "the index could not be saved either");
        }
    }

    /// The search's name.
    pub(super) fn search(&self) -> &'a str {
        &self.search.name
    }

    /// Returns the entry of a listing.
    pub(super) fn get(&self, native_id: &str) -> Option<&IndexEntry> {
        self.entries.get(native_id)
    }

    /// Loads the last observations of other searches of the source, once per poll.
    pub(super) async fn look_elsewhere(&mut self) -> Result<(), PortError> {
        if self.elsewhere.is_none() {
            let (search, source) = (&self.search.name, self.search.source.name());
            self.elsewhere = Some(self.port.sent_elsewhere(search, source).await?);
        }
        Ok(())
    }

    /// The last observation of a listing that another search of the source sent, if loaded.
    pub(super) fn sent_elsewhere(&self, native_id: &str) -> Option<Sent> {
        self.elsewhere.as_ref()?.get(native_id).copied()
    }
}

/// Listings that a page shows, and their state on the stream.
impl Index<'_> {
    /// Notes that a scan has seen a listing.
    pub(super) fn saw(&mut self, native_id: &str, scan: Time) {
        if let Some(entry) = self.entries.get_mut(native_id) {
            entry.seen_in_scan = scan;
            entry.missing_since = None;
        }
    }

    /// Notes a later row that repeats what was sent and is not sent.
    pub(super) fn holds_until(&mut self, native_id: &str, until: Sighting) {
        if let Some(entry) = self.entries.get_mut(native_id) {
            entry.until = Some(until);
        }
    }

    /// Takes over an observation that another search sent and this scan sees.
    pub(super) fn adopt(&mut self, native_id: String, sent: Sent, listing: Listing, scan: Time) {
        let entry = self.entry(&native_id, sent, None, listing, scan);
        self.entries.insert(native_id, entry);
    }

    /// Before changes are sent, saves that the stream's state of these listings is in doubt. Otherwise a kill between
    /// sending and saving would leave the old content: a listing that changed back by the next poll would never be sent
    /// again, and a new one that had left by then would never be missed.
    ///
    /// New listings are saved only after the first complete scan: until then every page is full of them.
    pub(super) async fn doubt(&mut self, changes: &[Change], scan: Time) -> Result<(), PollError> {
        let settled = self.state.full_scan_at.is_some();
        let of_pages = self.search.source.http().is_some();
        let changes = || changes.iter().filter(|change| !change.past);
        if changes().all(|change| change.new && !settled) {
            return Ok(());
        }
        for Change { observation, new, until, .. } in changes() {
            let sighting = observation.sighting();
            match self.entries.get_mut(&observation.native_id) {
                Some(entry) => {
                    (entry.on_stream, entry.missing_since) = (OnStream::InDoubt, None);
                    // Rows of files have their own times: a row that is read again is sent again unchanged.
                    if of_pages {
                        entry.last = sighting;
                    }
                }
                None if *new && settled => {
                    let sent = Sent { sighting, on_stream: OnStream::InDoubt };
                    let listing = observation.listing.clone();
                    let entry = self.entry(&observation.native_id, sent, *until, listing, scan);
                    self.entries.insert(observation.native_id.clone(), entry);
                }
                None => {}
            }
        }
        self.save().await
    }

    /// Notes changes that the stream has acknowledged.
    pub(super) fn published(&mut self, changes: Vec<Change>, scan: Time) {
        for Change { observation, becomes, until, .. } in changes.into_iter().filter(|change| !change.past) {
            let sent = Sent { sighting: observation.sighting(), on_stream: becomes };
            let entry = self.entry(&observation.native_id, sent, until, observation.listing, scan);
            self.entries.insert(observation.native_id, entry);
        }
    }

    /// Number of distinct listings in these changes that are not known yet.
    pub(super) fn unknown(&self, changes: &[Change]) -> u64 {
        let ids = changes.iter().map(|change| change.observation.native_id.as_str());
        let unknown = ids.filter(|native_id| !self.entries.contains_key(*native_id));
        unknown.collect::<std::collections::HashSet<_>>().len() as u64
    }

    /// Creates the entry of a listing that a scan has seen.
    fn entry(&self, native_id: &str, sent: Sent, until: Option<Sighting>, listing: Listing, scan: Time) -> IndexEntry {
        let Sent { sighting: last, on_stream } = sent;
        let before = self.entries.get(native_id).map(|entry| (entry.listing.list_price, entry.doubtful));
        let doubtful = doubtful_since(before, &listing, last.seen);
        let mut listing = Listing { details: Details::default(), ..listing };
        self.state.distrust.drop_from(&mut listing);
        IndexEntry { on_stream, last, doubtful, until, seen_in_scan: scan, missing_since: None, listing }
    }
}

/// Listings that a scan lacks, and reports that they are gone.
impl Index<'_> {
    /// Marks listings that a complete scan lacks as missing since `now`, unless they already are. Returns the native
    /// IDs of all that are missing and not yet reported gone.
    pub(super) fn note_missing(&mut self, scan: Time, now: Time) -> Vec<String> {
        let lacks = |entry: &IndexEntry| entry.seen_in_scan != scan && entry.on_stream.gone_at().is_none();
        let missing = self.entries.iter_mut().filter(|(_, entry)| lacks(entry));
        let noted = missing.map(|(native_id, entry)| {
            entry.missing_since.get_or_insert(now);
            native_id.clone()
        });
        noted.collect()
    }

    /// Marks listings last seen by an older scan as missing from a newer one.
    pub(super) fn note_overtaken(&mut self, scan: Time, newest: Option<Time>) {
        let last_seen_here = self.entries.values_mut().filter(|entry| entry.seen_in_scan == scan);
        last_seen_here.for_each(|entry| entry.missing_since = newest);
    }

    /// Shifts the times of all absences after the clock was set.
    pub(super) fn shift_absences(&mut self, jumped_ms: i64) {
        if jumped_ms == 0 {
            return;
        }
        for since in self.entries.values_mut().filter_map(|entry| entry.missing_since.as_mut()) {
            *since = since.plus_ms(jumped_ms);
        }
    }

    /// Whether a scan has seen any known listing.
    pub(super) fn has_any_of(&self, scan: Time) -> bool {
        self.entries.values().any(|entry| entry.seen_in_scan == scan)
    }

    /// Number of listings on the market that a scan has seen.
    pub(super) fn present(&self, scan: Time) -> u64 {
        let on_market =
            |entry: &&IndexEntry| entry.on_stream.gone_at().is_none() && !leaves_as_it_should(&entry.listing);
        let seen = self.entries.values().filter(|entry| entry.seen_in_scan == scan);
        seen.filter(on_market).count() as u64
    }

    /// Listings that a killed run may not have reported gone.
    pub(super) fn gone_in_doubt(&self) -> Vec<String> {
        let in_doubt = |entry: &IndexEntry| matches!(entry.on_stream, OnStream::GoneInDoubt(_));
        let listings = self.entries.iter().filter(|(_, entry)| in_doubt(entry));
        listings.map(|(native_id, _)| native_id.clone()).collect()
    }

    /// Since when a listing is missing or gone.
    pub(super) fn missed_since(&self, native_id: &str) -> Option<Time> {
        let entry = self.entries.get(native_id)?;
        entry.missing_since.or(entry.on_stream.gone_at())
    }

    /// Listings that a ruling covers, by native ID. Those of a rejected loss count as never missed.
    pub(super) fn rule(&mut self, ruling: Ruling) -> Vec<String> {
        let is_meant = |entry: &IndexEntry| {
            entry.on_stream.gone_at().is_none() && entry.missing_since.is_some_and(|since| since < ruling.until)
        };
        let meant = self.entries.iter_mut().filter(|(_, entry)| is_meant(entry));
        let ruled = meant.map(|(native_id, entry)| {
            if ruling.verdict == LossVerdict::Reject {
                entry.missing_since = None;
            }
            native_id.clone()
        });
        ruled.collect()
    }

    /// Before the report is sent, notes that a listing is gone since it was first missed. Returns `None` for a listing
    /// that moved to another search, that another search has reported, or that left as expected: its entry is removed.
    pub(super) fn depart(&mut self, native_id: &str, moved: bool, scan: Time) -> Option<Departure> {
        let theirs = self.sent_elsewhere(native_id);
        let missed = self.missed_since(native_id);
        let entry = self.entries.get_mut(native_id)?;
        let is_said = theirs.is_some_and(|sent| {
            let is_gone = matches!(sent.on_stream, OnStream::Gone(_));
            is_gone && missed.is_some_and(|missed| sent.sighting.seen >= missed)
        });
        if moved || is_said || leaves_as_it_should(&entry.listing) {
            self.entries.remove(native_id);
            return None;
        }
        let sighting = match entry.on_stream.gone_at() {
            // Repeats the report that may have been sent.
            Some(_) => entry.last,
            None => {
                let last = theirs.map_or(entry.last, |sent| sent.sighting.max(entry.last));
                let at = entry.missing_since.map_or(scan, |since| since.min(scan));
                Sighting { at, ..Sighting::at(scan) }.after(&entry.until.map_or(last, |until| until.max(last)))
            }
        };
        entry.on_stream = OnStream::GoneInDoubt(sighting.at);
        entry.last = sighting;
        Some(Departure { until: entry.until, sighting, listing: entry.listing.clone() })
    }

    /// Notes that the stream has acknowledged the reports of these gone listings.
    pub(super) fn departed(&mut self, native_ids: &[String]) {
        for native_id in native_ids {
            if let Some(entry) = self.entries.get_mut(native_id) {
                entry.on_stream = OnStream::Gone(entry.last.at);
                entry.until = None;
            }
        }
    }

    /// Removes listings that were reported gone long ago.
    pub(super) fn forget_old(&mut self, now: Time) {
        let is_old = |at: Time| now.ms() - at.ms() >= TOMBSTONE_MS;
        self.entries.retain(|_, entry| !entry.on_stream.gone_at().is_some_and(is_old));
    }

    /// When other searches of the source that hold these listings last saw each of them.
    pub(super) async fn held_elsewhere(&self, native_ids: &[String]) -> Result<Vec<Option<Time>>, PortError> {
        self.port.held_elsewhere(&self.search.name, self.search.source.name(), native_ids).await
    }

    /// A person's last ruling on a loss of this search.
    pub(super) async fn ruling(&self) -> Result<Option<String>, PortError> {
        self.port.ruling(&self.search.name, self.search.source.name()).await
    }
}

/// The report that a listing is gone.
pub(super) struct Departure {
    /// For files: how long the last state is known to have lasted, because earlier files may still arrive.
    pub(super) until: Option<Sighting>,
    /// When it is gone.
    pub(super) sighting: Sighting,
    /// Its last state.
    pub(super) listing: Listing,
}

#[cfg(test)]
mod tests;
