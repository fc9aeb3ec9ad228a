use crate::listing::{LISTED_SINCE, Listing};
use crate::observation::Observation;
use crate::price_bounds::price_bounds;
use crate::price_change::PriceChange;
use crate::time::Time;

/// The maximum number of reported changes that are kept of one listing: the newest.
pub const REPORTED_MAX: usize = 64;

/// A change of the list price that the source itself dates (`PreviousListPrice` with `PriceChangeTimestamp`), whether
/// or not a sighting shows it.
///
/// Ordered by time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ReportedChange {
    /// When the price changed according to the source. Between [`LISTED_SINCE`] and the sighting.
    pub at: Time,
    /// The prices, in the currency of the listing. They differ.
    pub change: PriceChange,
}

/// The newest [`REPORTED_MAX`] distinct changes that a source reports of one listing, in whatever order and however
/// often they arrive. Taking the greatest elements of a union is a join, so this is a join semilattice.
///
/// ```
/// use stoop_domain::{Minor, PriceChange, REPORTED_MAX, ReportedChange, ReportedChanges, Time};
/// let change = PriceChange { from: Minor(50_000), to: Minor(48_000) };
/// let mut changes = ReportedChanges::default();
/// for day in (0..100).rev() {
///     let at = Time::from_ms(1_700_000_000_000 + day * Time::DAY_MS);
///     assert_eq!(changes.take(ReportedChange { at, change }), day >= 36);
/// }
/// assert_eq!(changes.as_slice().len(), REPORTED_MAX);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReportedChanges {
    /// In ascending order.
    newest: Vec<ReportedChange>,
}

impl ReportedChange {
    /// The change that an observation reports. `None` if a price or the time is missing, if both prices are equal, if
    /// one is outside [`price_bounds`], or if the time is before [`LISTED_SINCE`] or after the sighting.
    #[must_use]
    pub fn of(observation: &Observation) -> Option<Self> {
        let Listing { list_price, previous_list_price, price_changed_at, purpose, currency, .. } = &observation.listing;
        let (at, from, to) = ((*price_changed_at)?, (*previous_list_price)?, (*list_price)?);
        let reported = Self { at, change: PriceChange { from, to } };
        let bounds = price_bounds(*currency, *purpose);
        let prices_are_possible = bounds.contains(&from) && bounds.contains(&to);
        (prices_are_possible && reported.is_possible() && at <= observation.seen).then_some(reported)
    }

    fn is_possible(&self) -> bool {
        self.change.from != self.change.to && self.at >= LISTED_SINCE
    }
}

impl ReportedChanges {
    /// Adds a change. Returns whether it was added: it was not known, and not older than all of [`REPORTED_MAX`] known
    /// ones.
    pub fn take(&mut self, reported: ReportedChange) -> bool {
        let Err(index) = self.newest.binary_search(&reported) else { return false };
        if self.newest.len() >= REPORTED_MAX {
            if index == 0 {
                return false;
            }
            self.newest.remove(0);
            self.newest.insert(index - 1, reported);
        } else {
            self.newest.insert(index, reported);
        }
        true
    }

    /// The changes, in ascending order.
    #[must_use]
    pub fn as_slice(&self) -> &[ReportedChange] {
        &self.newest
    }

    /// Restores stored changes. Returns `None` if no set of observations produces them.
    #[must_use]
    pub fn from_sorted(newest: Vec<ReportedChange>) -> Option<Self> {
        let sound = newest.len() <= REPORTED_MAX
            && newest.iter().all(ReportedChange::is_possible)
            && newest.is_sorted_by(|before, after| before < after);
        sound.then_some(Self { newest })
    }
}
