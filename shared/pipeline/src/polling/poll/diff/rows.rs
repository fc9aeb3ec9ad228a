//! Changes in the rows of files. A file has its own time, and files may come in any order.

use std::collections::HashMap;

use stoop_domain::{Listing, Minor, Observation, Sighting, Time};
use stoop_wire::EncodedListing;

use crate::polling::poll::change::{Cause, OutgoingObservation, ShownListing};
use crate::polling::poll::confirm::{doubtful_since, is_due, watch_of};
use crate::polling::poll::index::Index;
use crate::polling::poll::source_file::SourceFile;
use crate::ports::{IndexEntry, OnStream};

/// What is known of a listing after the earlier rows of a page.
#[derive(Clone, Copy)]
struct KnownListing {
    on_stream: OnStream,
    /// What was sent last.
    last: Sighting,
    /// The sighting of the latest row that repeated it and was not sent.
    until: Option<Sighting>,
    price: Option<Minor>,
    /// As [`IndexEntry::doubtful`].
    doubtful: Option<Time>,
}

/// The changes of a page of rows.
#[derive(Default)]
struct PageChanges {
    changes: Vec<OutgoingObservation>,
    /// What the index will know of the listings in `changes`.
    known: HashMap<String, KnownListing>,
}

/// The changes of a page of rows. A row may be older than what is known of its listing: it is sent, and the index keeps
/// the latest. `scan` is the name of the scan in the index.
pub(in crate::polling::poll) fn rows(
    shown: Vec<ShownListing>,
    scan: Time,
    source_file: &mut SourceFile<'_>,
    index: &mut Index<'_>,
) -> Vec<OutgoingObservation> {
    let mut page = PageChanges::default();
    for shown in shown {
        row(shown, scan, source_file, index, &mut page);
    }
    let PageChanges { mut changes, known } = page;
    for change in &mut changes {
        // A later row of the page may have repeated it.
        change.until = known.get(&change.observation.native_id).and_then(|known| known.until);
    }
    changes
}

fn row(
    mut shown: ShownListing,
    scan: Time,
    source_file: &mut SourceFile<'_>,
    index: &mut Index<'_>,
    page: &mut PageChanges,
) {
    let (native_id, content) = (shown.observation.native_id.as_str(), shown.content);
    let entry = index.get(native_id);
    let (new, is_gone) = (entry.is_none(), entry.is_some_and(|entry| entry.on_stream.gone_at().is_some()));
    let known = page.known.get(native_id).copied().or_else(|| entry.map(KnownListing::of));
    let elsewhere = index.sent_elsewhere(native_id);
    let newest = known.map(|known| (known.newest(), known.on_stream.is(content)));
    source_file.order(&mut shown.observation, newest);
    let sighting = shown.observation.sighting();
    if !source_file.late && !is_gone {
        index.saw(&shown.observation.native_id, scan);
    }
    let Some(known) = known else { return page.send(shown, Cause::Row, new, None) };
    if sighting > known.newest() {
        // Another search may have sent a different listing since.
        let otherwise = elsewhere.filter(|sent| sent.sighting > known.last && sent.sighting < sighting);
        if known.on_stream.is(content) && otherwise.is_none_or(|sent| sent.on_stream.is(content)) {
            let (doubtful, last) = (known.doubtful.is_some(), otherwise.map_or(known.last, |sent| sent.sighting));
            let watch = watch_of(source_file.coverage);
            if is_due(&shown.observation.listing, doubtful, watch, last.seen, sighting.seen) {
                page.send(shown, Cause::Confirmation, new, Some(known));
            } else {
                page.hold(&shown.observation.native_id, sighting, index);
            }
        } else {
            // The last repetition is sent before the index forgets it: an older file may still come.
            if let Some(until) = known.until {
                page.send_as_known(&shown.observation, until, index);
            }
            page.send(shown, Cause::Row, new, Some(known));
        }
    } else if known.on_stream.is(content) && sighting >= known.last {
        // It repeats the known listing, between two sightings of it.
    } else {
        let again = known.until.filter(|_| sighting > known.last);
        let again = again.and_then(|again| Some((again, page.listing_of(&shown.observation.native_id, index)?)));
        let again = again.map(|(again, listing)| known_again(&shown.observation, again, listing));
        page.send_past(shown);
        // The row is between two sightings of the known listing, of which only the first was sent. The second is sent
        // now.
        if let Some(again) = again {
            page.send_again(again, known);
        }
    }
}

/// The known listing of a row as an observation with another sighting.
fn known_again(row: &Observation, sighting: Sighting, listing: Listing) -> Observation {
    let Observation { source, native_id, watch, .. } = row;
    let again = Observation::new(source.clone(), native_id.clone(), sighting.at, listing);
    Observation { watch: *watch, ..again.with_sighting(sighting) }
}

impl KnownListing {
    fn of(entry: &IndexEntry) -> Self {
        let IndexEntry { on_stream, last, until, doubtful, .. } = *entry;
        Self { on_stream, last, until, price: entry.listing.list_price, doubtful }
    }

    /// The latest sighting of the listing as it was last sent.
    fn newest(&self) -> Sighting {
        self.until.map_or(self.last, |until| until.max(self.last))
    }
}

impl PageChanges {
    /// Sends a row that becomes the latest known.
    fn send(&mut self, shown: ShownListing, cause: Cause, new: bool, before: Option<KnownListing>) {
        let ShownListing { observation, encoded, content } = shown;
        let becomes = OnStream::Listing(content);
        self.latest(
            OutgoingObservation { observation, encoded, becomes, cause, new, until: None, past: false },
            before,
        );
    }

    /// Sends the known listing again for a later time. The index has no details, so the listing is in doubt: the next
    /// row with details is sent.
    fn send_again(&mut self, observation: Observation, before: KnownListing) {
        self.latest(beside(observation, false), Some(before));
    }

    fn latest(&mut self, change: OutgoingObservation, before: Option<KnownListing>) {
        let OutgoingObservation { observation, becomes, .. } = &change;
        let (last, price) = (observation.sighting(), observation.listing.list_price);
        let before = before.map(|known| (known.price, known.doubtful));
        let doubtful = doubtful_since(before, &observation.listing, last.seen);
        let known = KnownListing { on_stream: *becomes, last, until: None, price, doubtful };
        self.known.insert(observation.native_id.clone(), known);
        self.changes.push(change);
    }

    /// Sends a row that is older than the latest known.
    fn send_past(&mut self, shown: ShownListing) {
        let ShownListing { observation, encoded, content } = shown;
        let (becomes, cause) = (OnStream::Listing(content), Cause::Row);
        self.changes.push(OutgoingObservation {
            observation,
            encoded,
            becomes,
            cause,
            new: false,
            until: None,
            past: true,
        });
    }

    /// Sends the known listing with its last repetition.
    fn send_as_known(&mut self, row: &Observation, until: Sighting, index: &Index<'_>) {
        if let Some(listing) = self.listing_of(&row.native_id, index) {
            self.changes.push(beside(known_again(row, until, listing), true));
        }
    }

    /// Notes a row that repeats what was sent and is not sent.
    fn hold(&mut self, native_id: &str, until: Sighting, index: &mut Index<'_>) {
        match self.known.get_mut(native_id) {
            Some(known) => known.until = Some(until),
            None => index.holds_until(native_id, until),
        }
    }

    /// The latest known listing.
    fn listing_of(&self, native_id: &str, index: &Index<'_>) -> Option<Listing> {
        let of_it = |change: &&OutgoingObservation| !change.past && change.observation.native_id == native_id;
        match self.changes.iter().rev().find(of_it) {
            Some(change) => Some(change.observation.listing.clone()),
            None => index.get(native_id).map(|entry| entry.listing.clone()),
        }
    }
}

/// A change that comes from the index and not from a row.
fn beside(observation: Observation, past: bool) -> OutgoingObservation {
    let encoded = EncodedListing::of(&observation.listing);
    let (becomes, cause) = (OnStream::InDoubt, Cause::Beside);
    OutgoingObservation { observation, encoded, becomes, cause, new: false, until: None, past }
}
