//! The rows of a page that a server shows.

use stoop_domain::{Observation, RefusedValue, Reject, Sighting, Time, Watch};
use stoop_sources::{Page, Row, SeenListing};

use super::{CheckedPage, fits};
use crate::Refusals;
use crate::polling::poll::change::{ShownListing, raw_of};
use crate::polling::poll::polled::Polled;
use crate::polling::poll::scan::Scan;

/// In a scan for changes, or one that was resumed, fewer refused rows than this never fail the poll at its end.
const FEW_CHANGES: u64 = 10;

/// Checks the page with this number (from 0) and sighting time.
pub(in crate::polling::poll) fn page(
    page: Page,
    number: u32,
    seen: Time,
    watch: Watch,
    scan: &Scan<'_>,
    refusals: &mut Refusals,
    polled: &mut Polled,
) -> CheckedPage {
    let (before, values, name) = (refusals.refused(), refusals.values(), &scan.search.name);
    refusals.pass(page.left_out);
    polled.rows += page.left_out + page.rows.len() as u64;
    let mut checked = CheckedPage::default();
    for (row_number, row) in page.rows.into_iter().enumerate() {
        match row {
            Row::Refused { native_id, reason, detail, raw } => {
                let location = format!("{name}, page {}, row {}", number + 1, row_number + 1);
                let reject = Reject::new(scan.source(), seen, location, reason, detail, raw.as_bytes());
                checked.refuse(native_id, reject, refusals);
            }
            Row::Found(found) => {
                let (mut observation, refused) = observe(*found, seen, watch, scan);
                let position = |native_id: &str| format!("{name}, listing {native_id}");
                let valid = observation.check(seen);
                let shown = ShownListing::new(observation);
                match valid.and_then(|more| fits(&shown, scan.ports.stream).map(|()| [refused, more].concat())) {
                    Ok(refused) => {
                        let location = position(&shown.observation.native_id);
                        checked.accept(shown, refused, location, seen, refusals);
                    }
                    Err((reason, detail)) => {
                        let Observation { native_id, listing, .. } = shown.observation;
                        let location = position(&native_id);
                        let reject = Reject::new(scan.source(), seen, location, reason, detail, &raw_of(listing));
                        checked.refuse(Some(native_id), reject, refusals);
                    }
                }
            }
        }
    }
    checked.rejects.extend(refusals.leave(scan.source(), &format!("{name}, page {}", number + 1), seen));
    polled.listings += checked.listings.len() as u64;
    polled.rejects += refusals.refused() - before;
    polled.values_refused += refusals.values() - values;
    checked
}

/// Why too many rows are refused, if they are.
pub(in crate::polling::poll) fn too_many(refusals: &Refusals, scan: &Scan<'_>, is_last: bool) -> Option<String> {
    // A scan for changes, or the rest of a scan, may have only one row. If that is unreadable, it must not fail every
    // poll.
    let is_few = (scan.incremental || scan.resumed) && refusals.refused() < FEW_CHANGES;
    refusals.too_many(scan.search.max_rejects, is_last && !is_few)
}

/// A time of the source that is in the future becomes the sighting time: the source's clock is fast.
fn observe(found: SeenListing, seen: Time, watch: Watch, scan: &Scan<'_>) -> (Observation, Vec<RefusedValue>) {
    let SeenListing { native_id, at, versioned, mut listing, refused } = found;
    scan.search.display.mark(&mut listing);
    let at = at.map_or(seen, |at| at.min(seen));
    let sighting = Sighting { at, seen, seq: 0, versioned, initial: scan.initial };
    let observation = Observation::new(scan.source(), native_id, seen, listing).with_sighting(sighting);
    (Observation { watch, ..observation }, refused)
}
