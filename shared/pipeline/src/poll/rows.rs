//! Rows of files. Unlike a page that a server shows, a file tells of its own time, and files may come in any order.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use stoop_domain::{Listing, Observation, Reject, Time};
use stoop_sources::declared::Order;

use super::scan::Scan;
use super::take::{IN_DOUBT, Outgoing, content_hash, steady_bytes};
use super::{PollError, Polled};
use crate::ports::{FilePage, FileRow, Held};

/// The file that rows come from.
pub(super) struct Sheet<'a> {
    pub(super) name: &'a str,
    /// Files of a later time were read before it.
    pub(super) late: bool,
    pub(super) order: Order,
}

/// What is known of a listing while a page is taken.
#[derive(Clone, Copy)]
struct Known {
    hash: u64,
    held: Option<Held>,
    gone_at: Option<Time>,
}

/// What a page of rows comes to.
#[derive(Default)]
struct Takings {
    outgoing: Vec<Outgoing>,
    /// Of listings that are in `outgoing`: what the index will know of them.
    known: HashMap<String, Known>,
}

impl Scan<'_> {
    /// Puts what is new or changed on the stream, then notes it as seen. A row counts as of its own time, also where
    /// that is before what is known of its listing; the index keeps what is latest. Where so much of the file is
    /// refused that nothing of the page is to be sent, says why.
    pub(super) async fn take_rows(
        &mut self,
        page: FilePage,
        sheet: &Sheet<'_>,
        now: Time,
        polled: &mut Polled,
    ) -> Result<Option<String>, PollError> {
        let FilePage { mut rows, rows_read, ended, .. } = page;
        let (before, listings_before) = (self.refusals.refused(), polled.listings);
        self.refusals.pass(rows_read.saturating_sub(rows.len() as u64));
        polled.rows += rows_read;
        if sheet.order != Order::ByTime {
            rows.sort_by_key(|row| match row {
                FileRow::Found(observation) => observation.at,
                FileRow::Refused { .. } => Time::default(),
            });
        }
        let mut rejects = Vec::new();
        let mut takings = Takings::default();
        for row in rows {
            match row {
                FileRow::Refused { place, reason, detail, raw, native_id } => {
                    match native_id {
                        // It is there, whatever is wrong with it: it must not be taken for gone.
                        Some(native_id) if !sheet.late => self.note_seen(&native_id),
                        Some(_) => {}
                        None => self.unread_rows += 1,
                    }
                    let reject = Reject::new(self.search.source.name(), now, place, reason, detail, &raw);
                    rejects.extend(self.refusals.refuse(reject));
                }
                FileRow::Found(observation) => match self.fits(&observation) {
                    Ok(()) => {
                        polled.listings += 1;
                        self.refusals.pass(1);
                        self.take_row(observation, sheet.late, &mut takings);
                    }
                    Err((reason, detail)) => {
                        if !sheet.late {
                            self.note_seen(&observation.native_id);
                        }
                        let place = format!("{}, listing {}", sheet.name, observation.native_id);
                        let raw = steady_bytes(observation.listing);
                        let reject = Reject::new(&observation.source, now, place, reason, detail, &raw);
                        rejects.extend(self.refusals.refuse(reject));
                    }
                },
            }
        }
        polled.rejects += self.refusals.refused() - before;
        if let Some(why) = self.refusals.too_many(self.search.max_rejects, ended) {
            polled.not_taken += polled.listings - listings_before;
            self.ports.quarantine.put(&rejects).await?;
            return Ok(Some(why));
        }
        let Takings { mut outgoing, known } = takings;
        for out in &mut outgoing {
            // A later row of the page may have said the same once more.
            out.held = known.get(&out.observation.native_id).and_then(|known| known.held);
        }
        self.send(outgoing, &rejects, self.began_at, polled).await?;
        Ok(None)
    }

    fn take_row(&mut self, mut observation: Observation, late: bool, takings: &mut Takings) {
        let hash = content_hash(&observation.listing);
        let at = observation.at;
        let indexed = self.state.listings.get(&observation.native_id);
        let indexed = indexed.map(|entry| Known { hash: entry.hash, held: entry.held, gone_at: entry.gone_at });
        let known = takings.known.get(&observation.native_id).copied().or(indexed);
        if !late && known.is_some_and(|known| known.gone_at.is_none()) {
            self.note_seen(&observation.native_id);
        }
        match known {
            Some(Known { hash: said, held, gone_at: Some(gone_at) }) => {
                if self.began_at > gone_at {
                    // It was said to be gone, later than the row's own time of it: it is back as of this file.
                    observation.at = at.max(self.began_at);
                    takings.send(observation, hash, false);
                } else {
                    self.send_ends(&observation, held.filter(|_| said != hash), takings);
                    takings.send_past(observation, hash);
                }
            }
            Some(Known { hash: same, held: Some(held), .. }) if same == hash && at >= held.since => {
                // Between the two times it held without a break, so that there is nothing to say.
                let held = Held { until: held.until.max(at), ..held };
                self.hold(&observation.native_id, held, takings);
            }
            Some(Known { hash: same, held: Some(held), .. }) if at < held.until => {
                // What held before and after it was sent once, with the earlier time. It is said again for after.
                let split = same != hash && at >= held.since;
                let again = split.then(|| self.listing_of(&observation, takings)).flatten();
                let (source, native_id) = (observation.source.clone(), observation.native_id.clone());
                takings.send_past(observation, hash);
                if let Some(listing) = again {
                    // The index has no details: in doubt, so that the next row with them is sent.
                    let again = Observation::new(source, native_id, held.until, listing);
                    takings.send(again, IN_DOUBT, false);
                    takings.beside();
                }
            }
            // One in doubt may be new to the stream, and then it may have come from another search.
            Some(Known { hash: before, held, .. }) => {
                self.send_ends(&observation, held, takings);
                takings.send(observation, hash, before == IN_DOUBT);
            }
            None => takings.send(observation, hash, true),
        }
    }

    /// Says of what held until now how long it did, before the index forgets: a file of before may come yet.
    fn send_ends(&self, observation: &Observation, held: Option<Held>, takings: &mut Takings) {
        if let Some(held) = held.filter(|held| held.until > held.since)
            && let Some(listing) = self.listing_of(observation, takings)
        {
            let (source, native_id) = (observation.source.clone(), observation.native_id.clone());
            takings.send_past(Observation::new(source, native_id, held.until, listing), IN_DOUBT);
            takings.beside();
        }
    }

    fn hold(&mut self, native_id: &str, held: Held, takings: &mut Takings) {
        match takings.known.get_mut(native_id) {
            Some(known) => known.held = Some(held),
            None => {
                if let Some(entry) = self.state.listings.get_mut(native_id) {
                    entry.held = Some(held);
                }
            }
        }
    }

    /// A listing as it is known to be at the latest.
    fn listing_of(&self, observation: &Observation, takings: &Takings) -> Option<Listing> {
        let of_it = |out: &&Outgoing| !out.past && out.observation.native_id == observation.native_id;
        match takings.outgoing.iter().rev().find(of_it) {
            Some(out) => Some(out.observation.listing.clone()),
            None => self.state.listings.get(&observation.native_id).map(|entry| entry.listing.clone()),
        }
    }
}

impl Takings {
    /// What is the latest that is known.
    fn send(&mut self, observation: Observation, hash: u64, new: bool) {
        let held = Some(Held { since: observation.at, until: observation.at });
        let known = Known { hash, held, gone_at: None };
        match self.known.entry(observation.native_id.clone()) {
            Entry::Occupied(mut before) => drop(before.insert(known)),
            Entry::Vacant(none) => drop(none.insert(known)),
        }
        self.outgoing.push(Outgoing { observation, hash, new, held, past: false, beside: false });
    }

    /// What held before that.
    fn send_past(&mut self, observation: Observation, hash: u64) {
        self.outgoing.push(Outgoing { observation, hash, new: false, held: None, past: true, beside: false });
    }

    /// What was sent last is no row of its own.
    fn beside(&mut self) {
        if let Some(out) = self.outgoing.last_mut() {
            out.beside = true;
        }
    }
}
