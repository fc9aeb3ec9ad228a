//! Rows of files. Unlike a page that a server shows, a file tells of its own time, and files may come in any order.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use stoop_domain::{Listing, Minor, Observation, Reason, Reject, Sighting, Time};
use stoop_sources::Coverage;
use stoop_sources::declared::Order;

use super::confirm::{doubtful_since, is_due, watch_of};
use super::scan::Scan;
use super::take::{Outgoing, content_hash, steady_bytes};
use super::{PollError, Polled};
use crate::ports::{ContentHash, FilePage, FileRow, IndexEntry, OnStream};
use crate::{OneRowPerListing, Ordinals};

/// The file that rows come from.
pub(super) struct SourceFile<'a> {
    pub(super) name: &'a str,
    /// Files of a later time were read before it.
    pub(super) late: bool,
    pub(super) order: Order,
    /// It is a snapshot as of this time and tells no past: all of its rows were seen then, each of another listing.
    /// Others were each seen at their own.
    pub(super) as_of: Option<Time>,
    /// What it proves of listings that are not in it.
    pub(super) coverage: Coverage,
    /// It is the first of a series of snapshots.
    pub(super) initial: bool,
    /// An earlier run has read its beginning.
    pub(super) resumed: bool,
    pub(super) ordinals: Ordinals,
    pub(super) once: OneRowPerListing,
}

/// What is known of a listing while a page is taken.
#[derive(Clone, Copy)]
struct Known {
    on_stream: OnStream,
    /// What was sent last.
    last: Sighting,
    /// The latest row that said the same and was not sent.
    until: Option<Sighting>,
    price: Option<Minor>,
    /// As [`IndexEntry::doubtful`].
    doubtful: Option<Time>,
}

/// What a page of rows comes to.
#[derive(Default)]
struct PageChanges {
    outgoing: Vec<Outgoing>,
    /// Of listings that are in `outgoing`: what the index will know of them.
    known: HashMap<String, Known>,
}

impl Known {
    fn of(entry: &IndexEntry) -> Self {
        let IndexEntry { on_stream, last, until, doubtful, .. } = *entry;
        Self { on_stream, last, until, price: entry.listing.list_price, doubtful }
    }

    /// The latest sighting of the listing as it was sent last.
    fn newest(&self) -> Sighting {
        self.until.map_or(self.last, |until| until.max(self.last))
    }
}

impl Scan<'_> {
    /// Puts what is new or changed on the stream, then notes it as seen. A row counts as of its own time, also where
    /// that is before what is known of its listing: its history puts it in its place, and the index keeps what is latest.
    /// Where so much of the file is refused that nothing of the page is to be sent, says why.
    pub(super) async fn take_rows(
        &mut self,
        page: FilePage,
        source_file: &mut SourceFile<'_>,
        now: Time,
        polled: &mut Polled,
    ) -> Result<Option<String>, PollError> {
        let FilePage { mut rows, rows_read, ended, .. } = page;
        let (before, listings_before) = (self.refusals.refused(), polled.listings);
        self.refusals.pass(rows_read.saturating_sub(rows.len() as u64));
        polled.rows += rows_read;
        if source_file.order != Order::ByTime && source_file.as_of.is_none() {
            rows.sort_by_key(|row| match row {
                FileRow::Found(observation) => observation.at,
                FileRow::Refused { .. } => Time::default(),
            });
        }
        let mut rejects = Vec::new();
        let mut changes = PageChanges::default();
        self.look_elsewhere().await?;
        for row in rows {
            match row {
                FileRow::Refused { position, reason, detail, raw, native_id } => {
                    match native_id {
                        // It is there, whatever is wrong with it: it must not be taken for gone.
                        Some(native_id) if !source_file.late => self.note_seen(&native_id),
                        Some(_) => {}
                        None => self.unread_rows += 1,
                    }
                    let reject = Reject::new(self.search.source.name(), now, position, reason, detail, &raw);
                    rejects.extend(self.refusals.refuse(reject));
                }
                FileRow::Found(observation) => {
                    match self.fits(&observation).and_then(|()| self.is_once(&observation, source_file)) {
                        Ok(()) => {
                            polled.listings += 1;
                            self.refusals.pass(1);
                            self.take_row(observation, source_file, &mut changes);
                        }
                        Err((reason, detail)) => {
                            if !source_file.late {
                                self.note_seen(&observation.native_id);
                            }
                            let position = format!("{}, listing {}", source_file.name, observation.native_id);
                            let raw = steady_bytes(observation.listing);
                            let reject = Reject::new(&observation.source, now, position, reason, detail, &raw);
                            rejects.extend(self.refusals.refuse(reject));
                        }
                    }
                }
            }
        }
        polled.rejects += self.refusals.refused() - before;
        if let Some(why) = self.refusals.too_many(self.search.max_rejects, ended) {
            polled.not_taken += polled.listings - listings_before;
            self.ports.quarantine.put(&rejects).await?;
            return Ok(Some(why));
        }
        let PageChanges { mut outgoing, known } = changes;
        for out in &mut outgoing {
            // A later row of the page may have said the same once more.
            out.until = known.get(&out.observation.native_id).and_then(|known| known.until);
        }
        self.send(outgoing, &rejects, polled).await?;
        Ok(None)
    }

    /// Refuses a row of a snapshot whose listing had another one there.
    fn is_once(&self, row: &Observation, source_file: &mut SourceFile<'_>) -> Result<(), (Reason, String)> {
        let Some(as_of) = source_file.as_of else { return Ok(()) };
        // Rows that an earlier run took are in the index.
        let taken = self.state.listings.get(&row.native_id).filter(|_| source_file.resumed).map(Known::of);
        if taken.is_some_and(|known| known.newest().seen == as_of && !known.on_stream.is(content_hash(&row.listing))) {
            return Err(OneRowPerListing::repeated());
        }
        source_file.once.refuse(row).map_or(Ok(()), Err)
    }

    fn take_row(&mut self, mut observation: Observation, source_file: &mut SourceFile<'_>, changes: &mut PageChanges) {
        let content = content_hash(&observation.listing);
        let becomes = OnStream::Listing(content);
        let id = observation.native_id.as_str();
        let entry = self.state.listings.get(id);
        let (new, is_gone) = (entry.is_none(), entry.is_some_and(|entry| entry.on_stream.gone_at().is_some()));
        let known = changes.known.get(id).copied().or_else(|| entry.map(Known::of));
        let elsewhere = self.sent_elsewhere(id);
        source_file.place(&mut observation, content, known);
        let sighting = observation.sighting();
        if !source_file.late && !is_gone {
            self.note_seen(&observation.native_id);
        }
        match known {
            None => changes.send(observation, becomes, new, None),
            Some(known) if sighting > known.newest() => {
                // Another search may have sent something else since.
                let otherwise = elsewhere.filter(|sent| sent.sighting > known.last && sent.sighting < sighting);
                if known.on_stream.is(content) && otherwise.is_none_or(|sent| sent.on_stream.is(content)) {
                    let (doubtful, last) =
                        (known.doubtful.is_some(), otherwise.map_or(known.last, |sent| sent.sighting));
                    if is_due(&observation.listing, doubtful, watch_of(source_file.coverage), last.seen, sighting.seen)
                    {
                        changes.send(observation, becomes, new, Some(known));
                        changes.confirms();
                    } else {
                        self.hold(&observation.native_id, sighting, changes);
                    }
                } else {
                    // Before the index forgets how long it was as it was: a file of before may come yet.
                    self.send_as_known(&observation, known.until, changes);
                    changes.send(observation, becomes, new, Some(known));
                }
            }
            // In between it was so without a break.
            Some(known) if known.on_stream.is(content) && sighting >= known.last => {}
            Some(known) => {
                let again = known.until.filter(|_| sighting > known.last);
                let (source, native_id) = (observation.source.clone(), observation.native_id.clone());
                let listing = again.and_then(|_| self.listing_of(&observation, changes));
                changes.send_past(observation, becomes);
                // What held before and after it was sent once, with the earlier time. It is said again for after.
                if let Some((again, listing)) = again.zip(listing) {
                    // The index has no details: in doubt, so that the next row with them is sent.
                    let again = Observation::new(source, native_id, again.at, listing).with_sighting(again);
                    changes.send(again, OnStream::InDoubt, false, Some(known));
                    changes.beside();
                }
            }
        }
    }

    /// Sends a listing as it is known to have been until then.
    fn send_as_known(&self, observation: &Observation, until: Option<Sighting>, changes: &mut PageChanges) {
        if let Some(until) = until
            && let Some(listing) = self.listing_of(observation, changes)
        {
            let (source, native_id) = (observation.source.clone(), observation.native_id.clone());
            let known = Observation::new(source, native_id, until.at, listing).with_sighting(until);
            changes.send_past(known, OnStream::InDoubt);
            changes.beside();
        }
    }

    fn hold(&mut self, native_id: &str, until: Sighting, changes: &mut PageChanges) {
        match changes.known.get_mut(native_id) {
            Some(known) => known.until = Some(until),
            None => {
                if let Some(entry) = self.state.listings.get_mut(native_id) {
                    entry.until = Some(until);
                }
            }
        }
    }

    /// A listing as it is known to be at the latest.
    fn listing_of(&self, observation: &Observation, changes: &PageChanges) -> Option<Listing> {
        let of_it = |out: &&Outgoing| !out.past && out.observation.native_id == observation.native_id;
        match changes.outgoing.iter().rev().find(of_it) {
            Some(out) => Some(out.observation.listing.clone()),
            None => self.state.listings.get(&observation.native_id).map(|entry| entry.listing.clone()),
        }
    }
}

impl SourceFile<'_> {
    /// Gives a row its place in the order of all that was seen of its listing.
    fn place(&mut self, row: &mut Observation, content: ContentHash, known: Option<Known>) {
        row.seen = self.as_of.unwrap_or(row.at);
        row.at = row.at.min(row.seen);
        row.initial = self.initial;
        let before = known.filter(|_| self.resumed).map(|known| (known.newest(), known.on_stream.is(content)));
        self.ordinals.give_after(row, before);
    }
}

impl PageChanges {
    /// What is the latest that is known.
    fn send(&mut self, observation: Observation, becomes: OnStream, new: bool, before: Option<Known>) {
        let (last, price) = (observation.sighting(), observation.listing.list_price);
        let doubtful =
            doubtful_since(before.map(|known| (known.price, known.doubtful)), &observation.listing, last.seen);
        let known = Known { on_stream: becomes, last, until: None, price, doubtful };
        match self.known.entry(observation.native_id.clone()) {
            Entry::Occupied(mut before) => drop(before.insert(known)),
            Entry::Vacant(none) => drop(none.insert(known)),
        }
        let (past, confirms, beside) = (false, false, false);
        self.outgoing.push(Outgoing { observation, becomes, new, until: None, past, confirms, beside });
    }

    /// What held before that.
    fn send_past(&mut self, observation: Observation, becomes: OnStream) {
        let (new, past, confirms, beside) = (false, true, false, false);
        self.outgoing.push(Outgoing { observation, becomes, new, until: None, past, confirms, beside });
    }

    /// What was sent last says what was sent before.
    fn confirms(&mut self) {
        if let Some(out) = self.outgoing.last_mut() {
            out.confirms = true;
        }
    }

    /// What was sent last is no row of its own.
    fn beside(&mut self) {
        if let Some(out) = self.outgoing.last_mut() {
            out.beside = true;
        }
    }
}
