//! Checks the rows of a page.

use stoop_domain::{Observation, Reject, Sighting, Time, Watch};
use stoop_sources::{Found, Page, Row};

use super::{Checked, fits};
use crate::Refusals;
use crate::poll::change::{Shown, raw_of};
use crate::poll::polled::Polled;
use crate::poll::scan::Scan;

/// A scan that is incremental or resumed is not judged at its end if it has fewer refused rows than this.
const FEW_CHANGES: u64 = 10;

/// Checks the page with this number (from 0), received at `seen`. `watch` is how its listings will be polled again.
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
                match native_id {
                    Some(native_id) => checked.refused_ids.push(native_id),
                    None => checked.unread_rows += 1,
                }
                let location = format!("{name}, page {}, row {}", number + 1, position + 1);
                let reject = Reject::new(scan.source(), seen, location, reason, detail, raw.as_bytes());
                checked.rejects.extend(refusals.refuse(reject));
            }
            Row::Found(found) => {
                let shown = Shown::new(Observation { watch, ..observe(*found, seen, scan) });
                match shown.observation.check(seen).and_then(|()| fits(&shown, scan.ports.stream)) {
                    Ok(()) => {
                        refusals.pass(1);
                        checked.listings.push(shown);
                    }
                    Err((reason, detail)) => {
                        let Observation { native_id, listing, .. } = shown.observation;
                        let location = format!("{name}, listing {native_id}");
                        let reject = Reject::new(scan.source(), seen, location, reason, detail, &raw_of(listing));
                        checked.rejects.extend(refusals.refuse(reject));
                        checked.refused_ids.push(native_id);
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

/// Returns a message if too many rows were refused so far.
pub(in crate::poll) fn too_many(refusals: &Refusals, scan: &Scan<'_>, is_last: bool) -> Option<String> {
    // Recent changes, or the rest of a scan, may be a single unreadable row: it must not fail the poll every hour.
    let is_few = (scan.incremental || scan.resumed) && refusals.refused() < FEW_CHANGES;
    refusals.too_many(scan.search.max_rejects, is_last && !is_few)
}

/// Creates the observation. A source's time in the future is replaced by the time of the sighting: its clock is fast.
fn observe(found: Found, seen: Time, scan: &Scan<'_>) -> Observation {
    let Found { native_id, at, versioned, listing } = found;
    let at = at.map_or(seen, |at| at.min(seen));
    let sighting = Sighting { at, seen, seq: 0, versioned, initial: scan.initial };
    Observation::new(scan.source(), native_id, seen, listing).with_sighting(sighting)
}
