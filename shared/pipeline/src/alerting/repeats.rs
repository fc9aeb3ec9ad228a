//! Alerts that repeat one of another listing of the same home.

use stoop_domain::{Alert, AlertId, AlertListing};
use stoop_rules::Rules;

use crate::ports::{Ledger, OtherListings, PortError};

/// An alert that says something new.
pub(super) struct NewAlert {
    /// The index of its change.
    pub(super) change: usize,
    /// As it is recorded.
    pub(super) alert: Alert,
    /// As it is sent: with the other listings of its home.
    pub(super) message: Alert,
}

/// New alerts, and those that repeat one that is recorded, or an earlier one of the batch.
#[derive(Default)]
pub(super) struct SortedAlerts {
    pub(super) new: Vec<NewAlert>,
    /// Each with the alert of the batch that it repeats; `None` if that one is recorded.
    pub(super) repeated: Vec<(Option<AlertId>, Alert)>,
}

impl SortedAlerts {
    /// Sorts alerts, each with the index of its change.
    pub(super) async fn of(
        alerts: Vec<(usize, Alert)>,
        rules: &Rules,
        ledger: &dyn Ledger,
        listings: &dyn OtherListings,
    ) -> Result<Self, PortError> {
        let mut sorted = Self::default();
        for (change, alert) in alerts {
            let others = listings.others(&alert.home, &alert.market).await?;
            let standing = others.iter().flat_map(|(id, home)| rules.standing(id, home));
            let saying: Vec<Alert> = standing.filter(|other| alert.is_said_by(other)).collect();
            let ids: Vec<_> = saying.iter().map(|other| other.id.clone()).collect();
            if !ids.is_empty() && ledger.known(&ids).await?.contains(&true) {
                sorted.repeated.push((None, alert));
                continue;
            }
            if let Some(first) = sorted.new.iter().find(|new| ids.contains(&new.alert.id)) {
                sorted.repeated.push((Some(first.alert.id.clone()), alert));
                continue;
            }
            let mut message = alert.clone();
            let named = others.iter().filter_map(|(id, home)| AlertListing::of(id, home, alert.market.currency));
            message.other_listings.extend(named);
            sorted.new.push(NewAlert { change, alert, message });
        }
        Ok(sorted)
    }
}
