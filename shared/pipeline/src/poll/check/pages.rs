//! The rows of a page that a server shows.

use stoop_domain::{Observation, Reject, Sighting, Time, Watch};
use stoop_sources::{Found, Page, Row};

use super::{Checked, fits};
use crate::Refusals;
use crate::poll::change::{Shown, raw_of};
use crate::poll::polled::Polled;
use crate::poll::scan::Scan;

/// In a scan for changes, or one that was resumed, fewer refused rows than this never fail the poll at its end.
const FEW_CHANGES: u64 = 10;

/// Checks the page with this number (from 0) and sighting time.
pub(in crate::poll) fn page(
    page: Page,
    number: u32,
    seen: Time,
    watch: Watch,
    scan: &Scan<'_>,
    refusals: &mut Refusals,
    polled: &mut Polled,
) -> Checked {
    let (before, name) = (refusals.refused(), &scan.search.name);
    refusals.pass(page.left_out);
    polled.rows += page.left_out + page.rows.len() as u64;
    let mut checked = Checked::default();
    for (position, row) in page.rows.into_iter().enumerate() {
        match row {
            Row::Refused { native_id, reason, detail, raw } => {
                let location = format!("{name}, page {}, row {}", number + 1, position + 1);
                let reject = Reject::new(scan.source(), seen, location, reason, detail, raw.as_bytes());
                checked.refuse(native_id, reject, refusals);
            }
            Row::Found(found) => {
                let shown = Shown::new(Observation { watch, ..observe(*found, seen, scan) });
                match shown.observation.check(seen).and_then(|()| fits(&shown, scan.ports.stream)) {
                    Ok(()) => checked.accept(shown, refusals),
                    Err((reason, detail)) => {
                        let Observation { native_id, listing, .. } = shown.observation;
                        let location = format!("{name}, listing {native_id}");
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
    checked
}

/// Why too many rows are refused, if they are.
pub(in crate::poll) fn too_many(refusals: &Refusals, scan: &Scan<'_>, is_last: bool) -> Option<String> {
    // A scan for changes, or the rest of a scan, may have only one row. If that is unreadable, it must not fail every
    // poll.
    let is_few = (scan.incremental || scan.resumed) && refusals.refused() < FEW_CHANGES;
    refusals.too_many(scan.search.max_rejects, is_last && !is_few)
}

/// A time of the source that is in the future becomes the sighting time: the source's clock is fast.
fn observe(found: Found, seen: Time, scan: &Scan<'_>) -> Observation {
    let Found { native_id, at, versioned, mut listing } = found;
    scan.search.display.mark(&mut listing);
    let at = at.map_or(seen, |at| at.min(seen));
    let sighting = Sighting { at, seen, seq: 0, versioned, initial: scan.initial };
    Observation::new(scan.source(), native_id, seen, listing).with_sighting(sighting)
}
