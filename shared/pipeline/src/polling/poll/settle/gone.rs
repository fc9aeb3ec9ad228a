//! Listings that a complete scan misses: whether they are gone, and the report.

use stoop_domain::{Listing, Observation, Sighting, Status, Time, Watch};
use stoop_wire::EncodedListing;

use crate::polling::poll::change::Departure;
use crate::polling::poll::error::PollError;
use crate::polling::poll::index::Index;
use crate::polling::poll::polled::Polled;
use crate::polling::poll::publish::put;
use crate::polling::poll::scan::Scan;
use crate::ports::PortError;
use crate::search::loss::{CompleteScan, judge};
use crate::search::ruling::RulingVerdict;
use crate::search::snapshots::leaves_as_it_should;

/// If another search of the source saw a listing before this one missed it, it has this long to scan again. After that
/// it holds nothing: it may have been renamed or removed. By default a search asks for everything once a day.
const OTHERS_LOOK_MS: i64 = 8 * Time::DAY_MS;

/// What other searches of the source know of a listing that this one misses.
#[derive(Clone, Copy, PartialEq, Eq)]
enum InOtherSearches {
    /// No other search has it.
    Nowhere,
    /// Another search has it and has not scanned since, but may.
    Unknown,
    /// Another search has seen it since: it moved into that search.
    Moved,
}

/// A scan that decides what is gone.
#[derive(Clone, Copy)]
pub(in crate::polling::poll) struct ScanContext<'a> {
    pub(in crate::polling::poll) scan: Scan<'a>,
    /// When the scan began, by the clock as it is now set. For a file, its time.
    pub(in crate::polling::poll) at: Time,
    /// How the source is watched.
    pub(in crate::polling::poll) watch: Watch,
}

/// After a complete scan: reports the listings gone that have been missing for long enough. Holds back a loss that is
/// too large.
///
/// A listing that was sold or withdrawn leaves the feed and is not reported gone. Neither is one that another search of
/// the source holds: its price or address moved it from this search into that.
pub(in crate::polling::poll) async fn judge_absent(
    kind: CompleteScan,
    look: ScanContext<'_>,
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
    report_gone(gone, look, index, polled).await
}

/// Reports again what a killed run may not have reported, without a new decision.
pub(in crate::polling::poll) async fn report_gone_again(
    look: ScanContext<'_>,
    index: &mut Index<'_>,
    polled: &mut Polled,
) -> Result<(), PollError> {
    let in_doubt = with_others(index.gone_in_doubt(), look, index).await?;
    report_gone(in_doubt, look, index, polled).await
}

/// Applies a person's ruling on the loss that is held back, except to listings that the scan saw. Returns whether it
/// had an effect.
pub(in crate::polling::poll) async fn do_as_ruled(
    look: ScanContext<'_>,
    index: &mut Index<'_>,
    polled: &mut Polled,
) -> Result<bool, PollError> {
    if index.state.held_back.is_none() {
        return Ok(false);
    }
    let search = index.search();
    let Some(ruling) = index.ruling(polled).await? else { return Ok(false) };
    let ruled = index.rule(ruling);
    if ruled.is_empty() {
        // The ruling is about an earlier loss.
        return Ok(false);
    }
    tracing::info!(search, %ruling, listings = ruled.len(), "as ruled");
    polled.rulings.push(format!("{ruling}: {} listings", ruled.len()));
    index.state.held_back = None;
    if ruling.verdict == RulingVerdict::Release {
        let mut released = with_others(ruled, look, index).await?;
        released.retain(|(_, elsewhere)| *elsewhere != InOtherSearches::Unknown);
        report_gone(released, look, index, polled).await?;
    }
    Ok(true)
}

/// Adds to each listing what other searches of the source know of it.
async fn with_others(
    native_ids: Vec<String>,
    look: ScanContext<'_>,
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
async fn report_gone(
    missed: Vec<(String, InOtherSearches)>,
    look: ScanContext<'_>,
    index: &mut Index<'_>,
    polled: &mut Polled,
) -> Result<(), PollError> {
    let scan = look.scan;
    if !missed.is_empty() {
        index.look_elsewhere().await?;
    }
    let (mut reports, mut gone) = (Vec::new(), Vec::new());
    for (native_id, elsewhere) in missed {
        let moved = elsewhere == InOtherSearches::Moved;
        let Some(departure) = index.depart(&native_id, moved, scan.began_at) else { continue };
        let Departure { until, sighting, listing } = departure;
        let mut report = |sighting: Sighting, listing: Listing| {
            let encoded = EncodedListing::of(&listing);
            let observation = Observation::new(scan.source(), &native_id, sighting.at, listing);
            reports.push((Observation { watch: look.watch, ..observation.with_sighting(sighting) }, encoded));
        };
        if let Some(until) = until {
            report(until, listing.clone());
        }
        report(sighting, Listing { status: Status::Gone, ..listing });
        gone.push(native_id);
    }
    if !gone.is_empty() {
        index.save().await?;
        put(reports.iter().map(|(observation, encoded)| (observation, encoded)), &scan).await?;
        index.departed(&gone);
    }
    index.forget_old(scan.began_at);
    polled.gone += gone.len() as u64;
    polled.sent += (reports.len() - gone.len()) as u64;
    Ok(())
}
