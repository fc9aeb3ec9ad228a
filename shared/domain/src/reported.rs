use crate::address::Market;
use crate::events::{Event, EventKind, PriceChange, Step};
use crate::history::LISTED_SINCE;
use crate::home::Home;
use crate::listing::Listing;
use crate::observation::Observation;
use crate::price_bounds::price_bounds;
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

/// A price change that sightings show, with the sightings before and after it.
struct SeenChange {
    change: PriceChange,
    /// The last sighting at the old price.
    after: Time,
    /// The first sighting at the new price.
    by: Time,
}

/// How far a reported time may lie outside the sightings of its change. Many sources give only a date, in their own
/// time zone.
const A_DAY_MS: i64 = Time::DAY_MS;

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

impl Home {
    /// The events of this home in order of time: those that sightings show ([`crate::History::events`]), and price
    /// changes that only the source reports.
    ///
    /// A reported change is left out if sightings show it: a change to the same price, either from the same price or at
    /// about the reported time. That is between the last sighting at the old price and the first at the new one, plus
    /// or minus a day. It is also left out if the reported change before it has the same prices: a price falls to 480
    /// twice only if it rises in between.
    #[must_use]
    pub fn events(&self) -> Vec<Event> {
        let mut events = self.history.events();
        let reported = self.reported.as_slice();
        if reported.is_empty() {
            return events;
        }
        let steps = self.history.steps();
        let seen = seen_changes(&steps);
        let mut before = None;
        for ReportedChange { at, change } in reported {
            let is_repeated = before.replace(*change) == Some(*change);
            if is_repeated || seen.iter().any(|seen| seen.is(*at, *change)) {
                continue;
            }
            let Some(market) = market_of_price(&steps, *at, *change) else { continue };
            let kind = if change.to < change.from { EventKind::ReportedCut } else { EventKind::ReportedRise };
            events.push(Event { at: *at, kind, market: market.clone(), change: Some(*change) });
        }
        // Stable sort: at the same moment, sighted events come first.
        events.sort_by_key(|event| event.at);
        events
    }
}

impl SeenChange {
    fn is(&self, at: Time, reported: PriceChange) -> bool {
        let about = self.after.plus_ms(-A_DAY_MS)..=self.by.plus_ms(A_DAY_MS);
        self.change.to == reported.to && (self.change.from == reported.from || about.contains(&at))
    }
}

fn seen_changes(steps: &[Step<'_>]) -> Vec<SeenChange> {
    let changes = steps.iter().enumerate().filter_map(|(index, step)| {
        let change = step.change?;
        let asked_before =
            steps[..index].iter().rfind(|before| before.interval.facts.list_price == Some(change.from))?;
        Some(SeenChange { change, after: asked_before.interval.last, by: step.interval.sighting.seen })
    });
    changes.collect()
}

/// The market of a reported change: that of the last interval at the new price that began by `at`, or else of the first
/// one. There is one, because an observation that reports a change also shows the new price.
fn market_of_price<'a>(steps: &[Step<'a>], at: Time, change: PriceChange) -> Option<&'a Market> {
    let mut found = None;
    for Step { interval, .. } in steps {
        if interval.facts.list_price == Some(change.to) && (found.is_none() || interval.first <= at) {
            found = Some(&interval.facts.market);
        }
    }
    found
}
