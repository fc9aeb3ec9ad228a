use std::collections::HashMap;

use stoop_domain::Time;

use crate::polling::poll::change::{Cause, OutgoingObservation, ShownListing};
use crate::polling::poll::confirm::is_due;
use crate::polling::poll::index::Index;
use crate::ports::{IndexEntry, OnStream, Sent};

/// The changes of a page. Listings that the stream already has are noted as seen in this scan.
pub(in crate::polling::poll) fn pages(
    mut shown: Vec<ShownListing>,
    scan: Time,
    index: &mut Index<'_>,
) -> Vec<OutgoingObservation> {
    // If a listing has several rows, the latest time counts; of equal times, the last row.
    shown.sort_by_key(|shown| shown.observation.at);
    let mut on_page: HashMap<String, Sent> = HashMap::new();
    let mut changes = Vec::new();
    for shown in shown {
        let native_id = &shown.observation.native_id;
        let above = on_page.get(native_id).copied();
        if above.is_some_and(|above| above.on_stream.is(shown.content)) {
            continue;
        }
        let before = above.or_else(|| index.sent_elsewhere(native_id));
        if let Some(change) = change(shown, before, scan, index) {
            let sent = Sent { sighting: change.observation.sighting(), on_stream: change.becomes };
            on_page.insert(change.observation.native_id.clone(), sent);
            changes.push(change);
        }
    }
    changes
}

/// The change of a listing; `None` if the stream already has it. `before` is what another search of the source sent, or
/// what is to be sent for an earlier row. The latest of these counts.
fn change(shown: ShownListing, before: Option<Sent>, scan: Time, index: &mut Index<'_>) -> Option<OutgoingObservation> {
    let ShownListing { observation, encoded, content } = shown;
    let known = index.get(&observation.native_id);
    let seen_in_scan = known.map(|entry| entry.seen_in_scan);
    let ours = known.map(IndexEntry::sent);
    let theirs = before.filter(|before| ours.is_none_or(|ours| before.sighting > ours.sighting));
    let doubtful = known.is_some_and(|entry| entry.doubtful.is_some());
    let mut sighting = observation.sighting();
    let mut cause = Cause::Row;
    if let Some(last) = theirs.or(ours) {
        let is_same = last.on_stream.is(content) && ours.is_some();
        if is_same && is_due(&observation.listing, doubtful, observation.watch, last.sighting.seen, sighting.seen) {
            cause = Cause::Confirmation;
        } else if is_same {
            index.saw(&observation.native_id, scan);
            if theirs.is_some() {
                index.adopt(observation.native_id, last, observation.listing, scan);
            }
            return None;
        }
        // The source's time is before the last different sighting, so it does not move with every change. The sighting
        // time replaces it.
        let stands_still = match seen_in_scan {
            _ if cause == Cause::Confirmation => false,
            _ if sighting.versioned => last.on_stream.is_other_than(content) && sighting.at <= last.sighting.at,
            Some(seen_in_scan) => sighting.at <= seen_in_scan,
            None => false,
        };
        if stands_still {
            sighting.at = sighting.seen;
        }
        sighting = sighting.after(&last.sighting);
    }
    let observation = observation.with_sighting(sighting);
    let (becomes, new) = (OnStream::Listing(content), ours.is_none());
    Some(OutgoingObservation { observation, encoded, becomes, cause, new, until: None, past: false })
}
