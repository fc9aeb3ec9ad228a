//! What follows when a source drifts: a report, an example in quarantine, or the end of the scan.

use stoop_domain::{Reason, Reject, Time};

use crate::error_code::ErrorCode;
use crate::polling::poll::change::raw_of;
use crate::polling::poll::error::PollError;
use crate::polling::poll::polled::Polled;
use crate::polling::poll::scan::Scan;
use crate::polling::poll::search::OnDrift;
use crate::ports::{FileRow, SearchState};
use crate::search::drift::{Drift, DriftCheck, SeenRow, UNDERSTOOD};

/// Compares a page with the search's past, before any of its rows is sent. `is_last` is whether the scan ends with it.
/// Puts an example of a drift in quarantine, unless the search accepts drift.
///
/// # Errors
/// [`PollError::Drifted`] if the search is to stop.
pub(in crate::polling::poll) async fn watch<'r, R>(
    rows: &'r [R],
    is_last: bool,
    now: Time,
    scan: &Scan<'_>,
    check: &mut DriftCheck,
    state: &SearchState,
    polled: &mut Polled,
) -> Result<(), PollError>
where
    SeenRow<'r>: From<&'r R>,
{
    let profile = state.profiles.of(scan.incremental);
    let mut drifts = check.page(rows, profile);
    if is_last {
        drifts.extend(check.last(profile));
    }
    // A field is reported once in a poll.
    drifts.retain(|drift| !polled.drifts.iter().any(|reported| reported.starts_with(&format!("{}:", drift.field))));
    if drifts.is_empty() {
        return Ok(());
    }
    let search = &scan.search.name;
    let mut rejects = Vec::new();
    for drift in drifts {
        tracing::warn!(search, %drift, code = %ErrorCode::FieldsDrifted, "the source drifts");
        let raw = rows.iter().find_map(|row| drift.shown_by(SeenRow::from(row))).unwrap_or_default();
        let position = format!("{search}, {}", drift.field);
        rejects.push(Reject::new(scan.source(), now, position, Reason::Drifted, drift.to_string(), &raw));
        polled.drifts.push(drift.to_string());
    }
    if scan.search.on_drift != OnDrift::Evolve {
        scan.ports.quarantine.put(&rejects).await?;
    }
    if scan.search.on_drift == OnDrift::Freeze {
        return Err(PollError::Drifted(polled.drifts.join("; ")));
    }
    Ok(())
}

/// Learns from a scan, or a file, that ended well. One that drifted is compared with later only if the search accepts
/// drift; which fields it had is noted anyway.
pub(in crate::polling::poll) fn learn(
    check: &mut DriftCheck,
    scan: &Scan<'_>,
    state: &mut SearchState,
    polled: &Polled,
) {
    check.note_shares(state.profiles.of_mut(scan.incremental));
    if polled.drifts.is_empty() || scan.search.on_drift == OnDrift::Evolve {
        check.teach(state.profiles.of_mut(scan.incremental));
    }
}

impl Drift {
    /// The row as an example, if it is one: a listing without the field, or a row that was refused.
    fn shown_by(&self, row: SeenRow<'_>) -> Option<Vec<u8>> {
        match row {
            SeenRow::Listing { native_id, listing } if self.example.as_deref() == Some(native_id) => {
                Some(raw_of(listing.clone()))
            }
            SeenRow::Refused { raw } if self.field == UNDERSTOOD => Some(raw.to_vec()),
            _ => None,
        }
    }
}

impl<'a> From<&'a FileRow> for SeenRow<'a> {
    fn from(row: &'a FileRow) -> Self {
        match row {
            FileRow::Found(found, _) => Self::Listing { native_id: &found.native_id, listing: &found.listing },
            FileRow::Refused { raw, .. } => Self::Refused { raw },
        }
    }
}
