//! What is known of each listing of a search. Everything that changes an entry of the index is in this file.

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

/// A checkpoint is saved every so many pages, beside the end of the run.
const PAGES_PER_SAVE: u64 = 10;

/// And after any page, where the last was saved so long ago, and so many times as long as saving takes: each page that has
/// to be asked for again may be one of few.
const SAVE_MS: i64 = 1_000;
const SAVE_TIMES: i64 = 20;

/// What was said to be gone is kept for so long, in case it comes back.
const TOMBSTONE_MS: i64 = 400 * Time::DAY_MS;

/// The index of a search, in the hands of one poll.
pub(super) struct Index<'a> {
    search: &'a Search,
    port: &'a dyn SearchIndex,
    clock: &'a dyn Clock,
    /// What the search keeps beside its listings. The listings in it are empty but while it is saved.
    pub(super) state: SearchState,
    entries: BTreeMap<String, IndexEntry>,
    /// What other searches of the source have sent last, once that was asked for.
    elsewhere: Option<HashMap<String, Sent>>,
    /// When it was saved last, and how long that took.
    saved: (Time, i64),
}

impl<'a> Index<'a> {
    /// What the search knows; nothing, where it has come to ask for something else since. What was said to be gone stays
    /// said, so that its return is noticed by the new search as well.
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
            // Of another source, the ids mean other listings.
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

    /// Whether saving is due after so many pages of this run.
    pub(super) fn is_save_due(&self, pages: u64) -> bool {
        let (at, took_ms) = self.saved;
        let since_ms = self.clock.now().ms() - at.ms();
        pages.is_multiple_of(PAGES_PER_SAVE) || since_ms >= SAVE_MS.max(took_ms * SAVE_TIMES)
    }

    /// Saves the index.
    ///
    /// # Errors
    /// [`PollError::Raced`] where another poller saved it since it was loaded.
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

    /// The same after a failure, which is the one to report should saving fail too.
    pub(super) async fn save_after_failure(&mut self) {
        if let Err(second) = self.save().await {
            tracing::warn!(error = crate::with_causes(&second), "the index could not be saved either");
        }
    }

    /// The search's name.
    pub(super) fn search(&self) -> &'a str {
        &self.search.name
    }

    /// What is known of a listing.
    pub(super) fn get(&self, native_id: &str) -> Option<&IndexEntry> {
        self.entries.get(native_id)
    }

    /// Asks what other searches of the source have sent last, unless this poll knows it already.
    pub(super) async fn look_elsewhere(&mut self) -> Result<(), PortError> {
        if self.elsewhere.is_none() {
            let (search, source) = (&self.search.name, self.search.source.name());
            self.elsewhere = Some(self.port.sent_elsewhere(search, source).await?);
        }
        Ok(())
    }

    /// What another search of the source has sent of a listing last, as far as that was asked for.
    pub(super) fn sent_elsewhere(&self, native_id: &str) -> Option<Sent> {
        self.elsewhere.as_ref()?.get(native_id).copied()
    }
}

/// What a page shows, and what becomes of it on the stream.
impl Index<'_> {
    /// A scan has seen a listing. It is there, whatever else is known of it.
    pub(super) fn saw(&mut self, native_id: &str, scan: Time) {
        if let Some(entry) = self.entries.get_mut(native_id) {
            entry.seen_in_scan = scan;
            entry.missing_since = None;
        }
    }

    /// A later row says what was sent, and is not sent.
    pub(super) fn holds_until(&mut self, native_id: &str, until: Sighting) {
        if let Some(entry) = self.entries.get_mut(native_id) {
            entry.until = Some(until);
        }
    }

    /// Another search has sent what this scan sees.
    pub(super) fn adopt(&mut self, native_id: String, sent: Sent, listing: Listing, scan: Time) {
        let entry = self.entry(&native_id, sent, None, listing, scan);
        self.entries.insert(native_id, entry);
    }

    /// Notes and saves, before changes are sent, that what the stream has of these listings is in doubt. Without it, a
    /// kill between sending and saving would leave the old content, and a listing that went back to what it was by the next
    /// poll would never be sent again; one that was new and left by then would never be missed.
    ///
    /// New ones are noted only once a scan has seen everything: until then every page is full of them.
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
                    // A file's rows have a time of their own: what is read again is sent again as it was.
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

    /// Notes what the stream has acknowledged.
    pub(super) fn published(&mut self, changes: Vec<Change>, scan: Time) {
        for Change { observation, becomes, until, .. } in changes.into_iter().filter(|change| !change.past) {
            let sent = Sent { sighting: observation.sighting(), on_stream: becomes };
            let entry = self.entry(&observation.native_id, sent, until, observation.listing, scan);
            self.entries.insert(observation.native_id, entry);
        }
    }

    /// How many listings of these changes are not known yet, each counted once.
    pub(super) fn unknown(&self, changes: &[Change]) -> u64 {
        let ids = changes.iter().map(|change| change.observation.native_id.as_str());
        let unknown = ids.filter(|native_id| !self.entries.contains_key(*native_id));
        unknown.collect::<std::collections::HashSet<_>>().len() as u64
    }

    /// An entry of a listing that a scan has seen.
    fn entry(&self, native_id: &str, sent: Sent, until: Option<Sighting>, listing: Listing, scan: Time) -> IndexEntry {
        let Sent { sighting: last, on_stream } = sent;
        let before = self.entries.get(native_id).map(|entry| (entry.listing.list_price, entry.doubtful));
        let doubtful = doubtful_since(before, &listing, last.seen);
        let mut listing = Listing { details: Details::default(), ..listing };
        self.state.distrust.drop_from(&mut listing);
        IndexEntry { on_stream, last, doubtful, until, seen_in_scan: scan, missing_since: None, listing }
    }
}

/// What a scan lacks, and what was said of it.
impl Index<'_> {
    /// Notes what a complete scan lacks as missing since `now`, unless it was missing before. Gives all that is missing and
    /// was not said to be gone, by native ID.
    pub(super) fn note_missing(&mut self, scan: Time, now: Time) -> Vec<String> {
        let lacks = |entry: &IndexEntry| entry.seen_in_scan != scan && entry.on_stream.gone_at().is_none();
        let missing = self.entries.iter_mut().filter(|(_, entry)| lacks(entry));
        let noted = missing.map(|(native_id, entry)| {
            entry.missing_since.get_or_insert(now);
            native_id.clone()
        });
        noted.collect()
    }

    /// What an older scan was the last to see, a newer one lacks.
    pub(super) fn note_overtaken(&mut self, scan: Time, newest: Option<Time>) {
        let last_seen_here = self.entries.values_mut().filter(|entry| entry.seen_in_scan == scan);
        last_seen_here.for_each(|entry| entry.missing_since = newest);
    }

    /// Moves all absences by so much: the clock was set.
    pub(super) fn shift_absences(&mut self, jumped_ms: i64) {
        if jumped_ms == 0 {
            return;
        }
        for since in self.entries.values_mut().filter_map(|entry| entry.missing_since.as_mut()) {
            *since = since.plus_ms(jumped_ms);
        }
    }

    /// Whether a scan has seen any listing that is known.
    pub(super) fn has_any_of(&self, scan: Time) -> bool {
        self.entries.values().any(|entry| entry.seen_in_scan == scan)
    }

    /// How many listings on the market a scan has seen.
    pub(super) fn present(&self, scan: Time) -> u64 {
        let on_market =
            |entry: &&IndexEntry| entry.on_stream.gone_at().is_none() && !leaves_as_it_should(&entry.listing);
        let seen = self.entries.values().filter(|entry| entry.seen_in_scan == scan);
        seen.filter(on_market).count() as u64
    }

    /// Listings of which a run that was killed may not have said that they are gone.
    pub(super) fn gone_in_doubt(&self) -> Vec<String> {
        let in_doubt = |entry: &IndexEntry| matches!(entry.on_stream, OnStream::GoneInDoubt(_));
        let listings = self.entries.iter().filter(|(_, entry)| in_doubt(entry));
        listings.map(|(native_id, _)| native_id.clone()).collect()
    }

    /// Since when a listing is missing, or gone.
    pub(super) fn missed_since(&self, native_id: &str) -> Option<Time> {
        let entry = self.entries.get(native_id)?;
        entry.missing_since.or(entry.on_stream.gone_at())
    }

    /// Listings that a ruling is about, by native ID. Those of a rejected loss count as never missed.
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

    /// Notes, before it is sent, that a listing is gone as of when it was missed first. `None` for a listing that moved into
    /// another search, or of which another search has said it, or that leaves as it should: that one is forgotten.
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
            // It is said again as it may have been said.
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

    /// Notes that the stream has acknowledged that these are gone.
    pub(super) fn departed(&mut self, native_ids: &[String]) {
        for native_id in native_ids {
            if let Some(entry) = self.entries.get_mut(native_id) {
                entry.on_stream = OnStream::Gone(entry.last.at);
                entry.until = None;
            }
        }
    }

    /// Forgets what was said to be gone long ago.
    pub(super) fn forget_old(&mut self, now: Time) {
        let is_old = |at: Time| now.ms() - at.ms() >= TOMBSTONE_MS;
        self.entries.retain(|_, entry| !entry.on_stream.gone_at().is_some_and(is_old));
    }

    /// When other searches of the source that hold these listings saw each of them last.
    pub(super) async fn held_elsewhere(&self, native_ids: &[String]) -> Result<Vec<Option<Time>>, PortError> {
        self.port.held_elsewhere(&self.search.name, self.search.source.name(), native_ids).await
    }

    /// What a person has said last of a loss of this search.
    pub(super) async fn ruling(&self) -> Result<Option<String>, PortError> {
        self.port.ruling(&self.search.name, self.search.source.name()).await
    }
}

/// What is to be said of a listing that is gone.
pub(super) struct Departure {
    /// How long it was as it was, where a file says so: a file of before may come yet.
    pub(super) until: Option<Sighting>,
    /// When it is gone.
    pub(super) sighting: Sighting,
    /// As it was last.
    pub(super) listing: Listing,
}

#[cfg(test)]
mod tests;
