//! Finds listings that a complete scan lacks, and reports them gone.

use stoop_domain::{Listing, Observation, Sighting, Status, Time, Watch};
use stoop_wire::EncodedListing;

use crate::loss::{CompleteScan, LossVerdict, Ruling, judge};
use crate::poll::error::PollError;
use crate::poll::index::{Departure, Index};
use crate::poll::polled::Polled;
use crate::poll::publish::put;
use crate::poll::scan::Scan;
use crate::ports::PortError;
use crate::snapshots::leaves_as_it_should;

/// How long to wait for another search of the source that saw a listing before this one missed it. A search that has
/// not run since then was renamed or is no longer polled, and holds nothing. By default, searches run a full scan once
/// a day.
const OTHERS_LOOK_MS: i64 = 8 * Time::DAY_MS;

/// What other searches of the source know of a listing that this one lacks.
#[derive(Clone, Copy, PartialEq, Eq)]
enum InOtherSearches {
    /// No other search has it.
    Nowhere,
    /// Another search has it, has not scanned since, and may still do so.
    Unknown,
    /// Another search has seen it since: it moved there.
    Moved,
}

/// A search's check for missing listings.
#[derive(Clone, Copy)]
pub(in crate::poll) struct Look<'a> {
    pub(in crate::poll) scan: Scan<'a>,
    /// When the scan was made: a file has its own time, and clock times are corrected after the clock is set.
    pub(in crate::poll) at: Time,
    /// How sightings of now will be repeated.
    pub(in crate::poll) watch: Watch,
}

/// Handles a complete scan: listings that it lacks, and has lacked for long enough, are reported gone. A loss that is
/// too large is held back until it is confirmed or the listings return.
///
/// Listings that were sold or withdrawn are not reported: they leave the feed as expected. Neither are listings that
/// another search of the source holds: their price or address moved them there.
pub(in crate::poll) async fn judge_absent(
    kind: CompleteScan,
    look: Look<'_>,
    index: &mut Index<'_>,
    polled: &mut Polled,
) -> Result<(), PollError> {
    let missing = index.note_missing(look.scan.began_at, look.at);
    let missing = with_others(missing, look, index).await?;
    let here = missing.iter().filter(|(_, elsewhere)| *elsewhere == InOtherSearches::Nowhere);
    let lost = here.filter_map(|(id, _)| index.get(id)).filter(|entry| !leaves_as_it_should(&entry.listing));
    let missing_since: Vec<Time> = lost.filter_map(|entry| entry.missing_since).collect();
    let decision = judge(&missing_since, index.present(look.scan.began_at), look.at, kind);
    index.state.held_back = decision.held_back;
    let is_gone = |native_id: &String| {
        let since = index.get(native_id).and_then(|entry| entry.missing_since);
        since.is_some_and(|since| decision.is_gone(since))
    };
    let is_settled = |(native_id, elsewhere): &(String, InOtherSearches)| {
        *elsewhere != InOtherSearches::Unknown && is_gone(native_id)
    };
    let mut gone: Vec<_> = missing.into_iter().filter(is_settled).collect();
    gone.extend(with_others(index.gone_in_doubt(), look, index).await?);
    say_gone(gone, look, index, polled).await
}

/// Repeats reports that a killed run may not have sent, without judging again.
pub(in crate::poll) async fn say_gone_again(
    look: Look<'_>,
    index: &mut Index<'_>,
    polled: &mut Polled,
) -> Result<(), PollError> {
    let in_doubt = with_others(index.gone_in_doubt(), look, index).await?;
    say_gone(in_doubt, look, index, polled).await
}

/// Applies a person's ruling on the held-back loss, except to listings that the scan has seen. Returns whether there
/// was anything to do.
pub(in crate::poll) async fn do_as_ruled(
    look: Look<'_>,
    index: &mut Index<'_>,
    polled: &mut Polled,
) -> Result<bool, PollError> {
    if index.state.held_back.is_none() {
        return Ok(false);
    }
    let search = index.search();
    let Some(text) = index.ruling().await? else { return Ok(false) };
    let ruling = match Ruling::parse(&text) {
        Ok(ruling) => ruling,
        Err(error) => {
            tracing::warn!(search, %error, "what is held back stays so");
            polled.rulings.push(error.to_string());
            return Ok(false);
        }
    };
    let ruled = index.rule(ruling);
    if ruled.is_empty() {
        // The ruling is about an earlier loss.
        return Ok(false);
    }
    tracing::info!(search, %ruling, listings = ruled.len(), "as ruled");
    polled.rulings.push(format!("{ruling}: {} listings", ruled.len()));
    index.state.held_back = None;
    if ruling.verdict == LossVerdict::Release {
        let mut released = with_others(ruled, look, index).await?;
        released.retain(|(_, elsewhere)| *elsewhere != InOtherSearches::Unknown);
        say_gone(released, look, index, polled).await?;
    }
    Ok(true)
}

/// Adds to each listing what other searches of the source know of it.
async fn with_others(
    native_ids: Vec<String>,
    look: Look<'_>,
    index: &Index<'_>,
) -> Result<Vec<(String, InOtherSearches)>, PortError> {
    if native_ids.is_empty() {
        return Ok(Vec::new());
    }
    let held = index.held_elsewhere(&native_ids).await?;
    let may_yet_look = |missing_since: Time| missing_since.plus_ms(OTHERS_LOOK_MS) > look.at;
    let with_others = native_ids.into_iter().zip(held).map(|(native_id, seen)| {
        let elsewhere = match (seen, index.missed_since(&native_id)) {
            (None, _) => InOtherSearches::Nowhere,
            (Some(seen), Some(since)) if seen < since && may_yet_look(since) => InOtherSearches::Unknown,
            (Some(seen), Some(since)) if seen < since => InOtherSearches::Nowhere,
            (Some(_), _) => InOtherSearches::Moved,
        };
        (native_id, elsewhere)
    });
    Ok(with_others.collect())
}

/// Reports these listings gone since they were first missed, except those that another search holds or has reported.
async fn say_gone(
    missed: Vec<(String, InOtherSearches)>,
    look: Look<'_>,
    index: &mut Index<'_>,
    polled: &mut Polled,
) -> Result<(), PollError> {
    let scan = look.scan;
    if !missed.is_empty() {
        index.look_elsewhere().await?;
    }
    let (mut said, mut gone) = (Vec::new(), Vec::new());
    for (native_id, elsewhere) in missed {
        let moved = elsewhere == InOtherSearches::Moved;
        let Some(departure) = index.depart(&native_id, moved, scan.began_at) else { continue };
        let Departure { until, sighting, listing } = departure;
        let mut say = |sighting: Sighting, listing: Listing| {
            let encoded = EncodedListing::of(&listing);
            let observation = Observation::new(scan.source(), &native_id, sighting.at, listing);
            said.push((Observation { watch: look.watch, ..observation.with_sighting(sighting) }, encoded));
        };
        if let Some(until) = until {
            say(until, listing.clone());
        }
        say(sighting, Listing { status: Status::Gone, ..listing });
        gone.push(native_id);
    }
    if !gone.is_empty() {
        index.save().await?;
        put(said.iter().map(|(observation, encoded)| (observation, encoded)), &scan).await?;
        index.departed(&gone);
    }
    index.forget_old(scan.began_at);
    polled.gone += gone.len() as u64;
    polled.sent += (said.len() - gone.len()) as u64;
    Ok(())
}
