//! A scan under the eyes of [`drift`](super::drift): what is told of it, what is kept, and whether it goes on.

use stoop_domain::{Reason, Reject, Time};

use super::drift::{Drift, OnDrift, Seen, UNDERSTOOD};
use super::scan::Scan;
use super::take::steady_bytes;
use super::{PollError, Polled};

impl Scan<'_> {
    /// Compares a page with the search's past before anything of it is sent. `is_last` tells that the scan ends with
    /// it. An example of what is missing is in quarantine, unless the search takes drift as it comes.
    ///
    /// # Errors
    /// [`PollError::Drifted`] where the search is to be frozen.
    pub(super) async fn watch<'r, R>(
        &mut self,
        rows: &'r [R],
        is_last: bool,
        now: Time,
        polled: &mut Polled,
    ) -> Result<(), PollError>
    where
        Seen<'r>: From<&'r R>,
    {
        let profile = self.state.profiles.of(self.incremental);
        let mut drifts = self.watch.page(rows, profile);
        if is_last {
            drifts.extend(self.watch.last(profile));
        }
        // What was told of an earlier page need not be told again.
        drifts.retain(|drift| !polled.drifts.iter().any(|reported| reported.starts_with(&format!("{}:", drift.field))));
        if drifts.is_empty() {
            return Ok(());
        }
        let (search, source) = (&self.search.name, self.search.source.name());
        let mut rejects = Vec::new();
        for drift in drifts {
            tracing::warn!(search, %drift, "the source drifts");
            let raw = rows.iter().find_map(|row| drift.shown_by(Seen::from(row))).unwrap_or_default();
            let position = format!("{search}, {}", drift.field);
            rejects.push(Reject::new(source, now, position, Reason::Drifted, drift.to_string(), &raw));
            polled.drifts.push(drift.to_string());
        }
        if self.search.on_drift != OnDrift::Evolve {
            self.ports.quarantine.put(&rejects).await?;
        }
        if self.search.on_drift == OnDrift::Freeze {
            return Err(PollError::Drifted(polled.drifts.join("; ")));
        }
        Ok(())
    }

    /// A scan, or a file, that ended well is the past of the next; one that drifted only where that is taken as it
    /// comes.
    pub(super) fn learn(&mut self, polled: &Polled) {
        if polled.drifts.is_empty() || self.search.on_drift == OnDrift::Evolve {
            self.watch.teach(self.state.profiles.of_mut(self.incremental));
        }
    }
}

impl Drift {
    /// The row where it shows it: the listing that lacks the field, as it would be sent, or what was not understood,
    /// as it came.
    fn shown_by(&self, row: Seen<'_>) -> Option<Vec<u8>> {
        match row {
            Seen::Listing { native_id, listing } if self.example.as_deref() == Some(native_id) => {
                Some(steady_bytes(listing.clone()))
            }
            Seen::Refused { raw } if self.field == UNDERSTOOD => Some(raw.to_vec()),
            _ => None,
        }
    }
}
