//! The one owner of a search's index: what is known of each listing. All changes of an entry are in this file.

use std::collections::BTreeMap;

use stoop_domain::{Details, Listing, Sighting, Time};

use super::change::{Departure, OutgoingObservation};
use super::confirm::doubtful_since;
use super::error::PollError;
use super::polled::Polled;
use super::search::Search;
use crate::ports::Clock;
use crate::ports::{IndexChanges, IndexEntry, OnStream, PortError, SearchIndex, SearchState, Sent, SentElsewhere};
use crate::search::ruling::{Ruling, RulingError, RulingVerdict};
use crate::search::snapshots::leaves_as_it_should;

/// The index is saved after this many pages, and at the end of the run.
const PAGES_PER_SAVE: u64 = 10;

/// It is also saved after any page if the last save is this long ago, and this many times as long as a save takes. A
/// page that is fetched again costs a request, and an account may have few.
const SAVE_MS: i64 = 1_000;
const SAVE_TIMES: i64 = 20;

/// How long a gone listing is kept, in case it comes back.
const TOMBSTONE_MS: i64 = 400 * Time::DAY_MS;

/// The index of a search while one poll uses it.
pub(super) struct Index<'a> {
    search: &'a Search,
    port: &'a dyn SearchIndex,
    clock: &'a dyn Clock,
    /// Everything that the search keeps beside its listings. `listings` is empty here except during a save: the entries
    /// are below, so that no other file can change them.
    pub(super) state: SearchState,
    entries: BTreeMap<String, IndexEntry>,
    /// Which entries changed since the index was loaded or last saved.
    changes: IndexChanges,
    /// What other searches of the source last sent. `None` until it is loaded.
    elsewhere: Option<SentElsewhere>,
    /// When the last save was, and how long it took.
    saved: (Time, i64),
}

impl<'a> Index<'a> {
    /// Loads the index. If the search asks for something else than before, it starts empty, except for gone listings:
    /// the new search notices their return too.
    pub(super) async fn load(
        search: &'a Search,
        port: &'a dyn SearchIndex,
        clock: &'a dyn Clock,
    ) -> Result<Self, PortError> {
        let asks = search.source.asks();
        let source = search.source.name().to_owned();
        let mut state = port.load(&search.name, &source).await?;
        let mut entries = std::mem::take(&mut state.listings);
        let mut changes = IndexChanges::none();
        if state.asks != asks && state.version != 0 {
            tracing::info!(search = search.name, "asks for something else than before and starts afresh");
            // The IDs of another source mean other listings.
            entries.retain(|_, entry| match entry.on_stream.gone_at() {
                Some(at) if state.source == source => {
                    entry.on_stream = OnStream::Gone(at);
                    true
                }
                _ => false,
            });
            changes = IndexChanges::All;
            let SearchState { version, seen, clock: clock_at, .. } = state;
            state = SearchState { version, seen, clock: clock_at, ..SearchState::default() };
        }
        let state = SearchState { asks, source, ..state };
        let saved = (clock.now(), 0);
        Ok(Self { search, port, clock, state, entries, changes, elsewhere: None, saved })
    }

    /// Whether a save is due after this number of pages of the run.
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
        let saved = self.port.save(&self.search.name, &self.state, &self.changes).await;
        self.entries = std::mem::take(&mut self.state.listings);
        if !saved? {
            return Err(PollError::Raced(self.search.name.clone()));
        }
        self.state.version += 1;
        self.changes = IndexChanges::none();
        let now = self.clock.now();
        self.saved = (now, now.ms() - began.ms());
        Ok(())
    }

    /// Saves the index after a failure. If the save fails too, it is only logged: the first failure is the cause.
    pub(super) async fn save_after_failure(&mut self) {
        if let Err(second) = self.save().await {
            tracing::warn!(error = crate::with_causes(&second), "the index could not be saved either");
        }
    }

    /// The search's name.
    pub(super) fn search(&self) -> &'a str {
        &self.search.name
    }

    /// How many listings it has, gone ones included.
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// What is known of a listing.
    pub(super) fn get(&self, native_id: &str) -> Option<&IndexEntry> {
        self.entries.get(native_id)
    }

    /// Loads what other searches of the source last sent, once in a poll.
    pub(super) async fn look_elsewhere(&mut self) -> Result<(), PortError> {
        if self.elsewhere.is_none() {
            let (search, source) = (&self.search.name, self.search.source.name());
            self.elsewhere = Some(self.port.sent_elsewhere(search, source).await?);
        }
        Ok(())
    }

    /// What another search of the source last sent of a listing. `None` before [`Index::look_elsewhere`].
    pub(super) fn sent_elsewhere(&self, native_id: &str) -> Option<Sent> {
        self.elsewhere.as_ref()?.get(native_id)
    }
}

/// Changes of single entries.
impl Index<'_> {
    /// An entry that is about to change.
    fn change(&mut self, native_id: &str) -> Option<&mut IndexEntry> {
        let entry = self.entries.get_mut(native_id)?;
        self.changes.note(native_id);
        Some(entry)
    }

    fn put(&mut self, native_id: String, entry: IndexEntry) {
        self.changes.note(&native_id);
        self.entries.insert(native_id, entry);
    }

    fn remove(&mut self, native_id: &str) {
        self.changes.note(native_id);
        self.entries.remove(native_id);
    }

    /// Changes each of these entries that `change` is `true` for.
    fn change_each(&mut self, mut change: impl FnMut(&mut IndexEntry) -> bool) {
        for (native_id, entry) in &mut self.entries {
            if change(entry) {
                self.changes.note(native_id);
            }
        }
    }
}

/// Listings that a page shows.
impl Index<'_> {
    /// Notes that a scan saw a listing, even if its row was refused.
    pub(super) fn saw(&mut self, native_id: &str, scan: Time) {
        let Some(entry) = self.entries.get_mut(native_id) else { return };
        if (entry.seen_in_scan, entry.missing_since) != (scan, None) {
            (entry.seen_in_scan, entry.missing_since) = (scan, None);
            self.changes.note_seen(native_id);
        }
    }

    /// Notes a later row that repeats what was sent and is not sent.
    pub(super) fn holds_until(&mut self, native_id: &str, until: Sighting) {
        if let Some(entry) = self.change(native_id) {
            entry.until = Some(until);
        }
    }

    /// Notes that another search sent what this scan sees.
    pub(super) fn adopt(&mut self, native_id: String, sent: Sent, listing: Listing, scan: Time) {
        let entry = self.entry(&native_id, sent, None, listing, scan);
        self.put(native_id, entry);
    }

    /// Marks the listings of these changes as in doubt and saves the index, before the changes are sent. Otherwise a
    /// kill between sending and saving leaves the old content in the index. A listing that changes back before the next
    /// poll is then never sent again, and a new one that leaves before it is never missed.
    ///
    /// New listings are marked only after the first complete scan. In the first scan every page is full of them.
    pub(super) async fn doubt(&mut self, changes: &[OutgoingObservation], scan: Time) -> Result<(), PollError> {
        let settled = self.state.full_scan_at.is_some();
        let of_pages = self.search.source.http().is_some();
        let changes = || changes.iter().filter(|change| !change.past);
        if changes().all(|change| change.new && !settled) {
            return Ok(());
        }
        for OutgoingObservation { observation, new, until, .. } in changes() {
            let sighting = observation.sighting();
            match self.change(&observation.native_id) {
                Some(entry) => {
                    (entry.on_stream, entry.missing_since) = (OnStream::InDoubt, None);
                    // Rows of files have their own times, so a row that is read again has the same sighting.
                    if of_pages {
                        entry.last = sighting;
                    }
                }
                None if *new && settled => {
                    let sent = Sent { sighting, on_stream: OnStream::InDoubt };
                    let listing = observation.listing.clone();
                    let entry = self.entry(&observation.native_id, sent, *until, listing, scan);
                    self.put(observation.native_id.clone(), entry);
                }
                None => {}
            }
        }
        self.save().await
    }

    /// Notes changes that the stream acknowledged.
    pub(super) fn published(&mut self, changes: Vec<OutgoingObservation>, scan: Time) {
        for OutgoingObservation { observation, becomes, until, .. } in changes.into_iter().filter(|change| !change.past)
        {
            let sent = Sent { sighting: observation.sighting(), on_stream: becomes };
            let entry = self.entry(&observation.native_id, sent, until, observation.listing, scan);
            self.put(observation.native_id, entry);
        }
    }

    /// How many listings of these changes are not in the index. Each listing counts once.
    pub(super) fn unknown(&self, changes: &[OutgoingObservation]) -> u64 {
        let ids = changes.iter().map(|change| change.observation.native_id.as_str());
        let unknown = ids.filter(|native_id| !self.entries.contains_key(*native_id));
        unknown.collect::<std::collections::HashSet<_>>().len() as u64
    }

    /// The entry of a listing that a scan saw.
    fn entry(&self, native_id: &str, sent: Sent, until: Option<Sighting>, listing: Listing, scan: Time) -> IndexEntry {
        let Sent { sighting: last, on_stream } = sent;
        let before = self.entries.get(native_id).map(|entry| (entry.listing.list_price, entry.doubtful));
        let doubtful = doubtful_since(before, &listing, last.seen);
        let mut listing = Listing { details: Details::default(), ..listing };
        self.state.distrust.drop_from(&mut listing);
        IndexEntry { on_stream, last, doubtful, until, seen_in_scan: scan, missing_since: None, listing }
    }
}

/// Listings that a scan misses, and listings that are gone.
impl Index<'_> {
    /// Marks the listings that a complete scan misses as missing since `now`, unless they were missing before. Returns
    /// the native IDs of all missing listings that are not gone.
    pub(super) fn note_missing(&mut self, scan: Time, now: Time) -> Vec<String> {
        let lacks = |entry: &IndexEntry| entry.seen_in_scan != scan && entry.on_stream.gone_at().is_none();
        let missing = self.entries.iter_mut().filter(|(_, entry)| lacks(entry));
        let noted = missing.map(|(native_id, entry)| {
            if entry.missing_since.is_none() {
                entry.missing_since = Some(now);
                self.changes.note(native_id);
            }
            native_id.clone()
        });
        noted.collect()
    }

    /// Marks the listings that an older scan was the last to see as missing since the newest one.
    pub(super) fn note_overtaken(&mut self, scan: Time, newest: Option<Time>) {
        self.change_each(|entry| {
            let is_last_seen_here = entry.seen_in_scan == scan;
            if is_last_seen_here {
                entry.missing_since = newest;
            }
            is_last_seen_here
        });
    }

    /// Moves all absences, because the clock was set.
    pub(super) fn shift_absences(&mut self, jumped_ms: i64) {
        if jumped_ms == 0 {
            return;
        }
        self.change_each(|entry| {
            entry.missing_since = entry.missing_since.map(|since| since.plus_ms(jumped_ms));
            entry.missing_since.is_some()
        });
    }

    /// Whether a scan saw any listing of the index.
    pub(super) fn has_any_of(&self, scan: Time) -> bool {
        self.entries.values().any(|entry| entry.seen_in_scan == scan)
    }

    /// How many listings on the market a scan saw.
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

    /// The native IDs of the listings that a ruling is about. If it rejects the loss, they are no longer missing.
    pub(super) fn rule(&mut self, ruling: Ruling) -> Vec<String> {
        let is_meant = |entry: &IndexEntry| {
            entry.on_stream.gone_at().is_none() && entry.missing_since.is_some_and(|since| since < ruling.until)
        };
        let meant = self.entries.iter_mut().filter(|(_, entry)| is_meant(entry));
        let ruled = meant.map(|(native_id, entry)| {
            if ruling.verdict == RulingVerdict::Reject {
                entry.missing_since = None;
                self.changes.note(native_id);
            }
            native_id.clone()
        });
        ruled.collect()
    }

    /// Marks a listing as gone since it was first missed, before that is sent. Forgets the listing and returns `None`
    /// if it moved into another search, if another search reported it gone, or if it was sold or withdrawn.
    pub(super) fn depart(&mut self, native_id: &str, moved: bool, scan: Time) -> Option<Departure> {
        let theirs = self.sent_elsewhere(native_id);
        let missed = self.missed_since(native_id);
        let entry = self.change(native_id)?;
        let is_said = theirs.is_some_and(|sent| {
            let is_gone = matches!(sent.on_stream, OnStream::Gone(_));
            is_gone && missed.is_some_and(|missed| sent.sighting.seen >= missed)
        });
        if moved || is_said || leaves_as_it_should(&entry.listing) {
            self.remove(native_id);
            return None;
        }
        let sighting = match entry.on_stream.gone_at() {
            // A killed run may have sent this sighting: it is sent again as it was.
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

    /// Notes that the stream acknowledged that these listings are gone.
    pub(super) fn departed(&mut self, native_ids: &[String]) {
        for native_id in native_ids {
            if let Some(entry) = self.change(native_id) {
                entry.on_stream = OnStream::Gone(entry.last.at);
                entry.until = None;
            }
        }
    }

    /// Forgets listings that have been gone for long.
    pub(super) fn forget_old(&mut self, now: Time) {
        let is_old = |at: Time| now.ms() - at.ms() >= TOMBSTONE_MS;
        let old = self.entries.extract_if(.., |_, entry| entry.on_stream.gone_at().is_some_and(is_old));
        old.for_each(|(native_id, _)| self.changes.note(&native_id));
    }

    /// For each of these listings, when another search of the source that holds it saw it last.
    pub(super) async fn held_elsewhere(&self, native_ids: &[String]) -> Result<Vec<Option<Time>>, PortError> {
        self.port.held_elsewhere(&self.search.name, self.search.source.name(), native_ids).await
    }

    /// The last ruling of a person on what this search holds back. One that cannot be read is reported, and is none.
    pub(super) async fn ruling(&self, polled: &mut Polled) -> Result<Option<Ruling>, PortError> {
        let text = self.port.ruling(&self.search.name, self.search.source.name()).await?;
        let refused = |error: &RulingError| {
            tracing::warn!(search = self.search(), %error, "what is held back stays so");
            polled.rulings.push(error.to_string());
        };
        Ok(text.and_then(|text| Ruling::parse(&text).inspect_err(refused).ok()))
    }
}

#[cfg(test)]
mod tests;
