use crate::address::Market;
use crate::events::{Event, EventKind, PriceChange, Step};
use crate::history::LISTED_SINCE;
use crate::home::Home;
use crate::listing::Listing;
use crate::observation::Observation;
use crate::price_bounds::price_bounds;
use crate::time::Time;

/// The most told changes that are kept of one listing: the newest.
pub const REPORTED_MAX: usize = 64;

/// A change of the list price that a source tells of by itself (`PreviousListPrice` with `PriceChangeTimestamp`), seen or not.
///
/// Ordered by time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ReportedChange {
    /// When it was, as its source says: from [`LISTED_SINCE`] to the sighting.
    pub at: Time,
    /// The prices, in the currency of the listing that told it. They differ.
    pub change: PriceChange,
}

/// The changes that a source told of one listing: the newest [`REPORTED_MAX`] distinct ones, whatever came first, twice or late.
/// The greatest of a union are the greatest of the greatest, so this is a join semilattice.
///
/// ```
/// use stoop_domain::{Minor, PriceChange, REPORTED_MAX, Time, ReportedChange, ReportedChanges};
/// let change = PriceChange { from: Minor(50_000), to: Minor(48_000) };
/// let mut told = ReportedChanges::default();
/// for day in (0..100).rev() {
///     let at = Time::from_ms(1_700_000_000_000 + day * Time::DAY_MS);
///     assert_eq!(told.take(ReportedChange { at, change }), day >= 36);
/// }
/// assert_eq!(told.as_slice().len(), REPORTED_MAX);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReportedChanges {
    /// In ascending order.
    newest: Vec<ReportedChange>,
}

/// A change of the price that was seen, with the sightings that it lies between.
struct SeenChange {
    change: PriceChange,
    /// The last sighting at the price before.
    after: Time,
    /// The first sighting at the price after.
    by: Time,
}

/// How far a told time may lie outside the sightings of the change that it is of: many sources tell the date alone, in a
/// zone of their own.
const A_DAY_MS: i64 = Time::DAY_MS;

impl ReportedChange {
    /// What an observation tells. `None` where a price or the time is not told, where both prices are one, where one
    /// of them is no price that a home has ([`price_bounds`]), and where the time lies before [`LISTED_SINCE`] or after the
    /// sighting.
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
    /// Takes up a change. Says whether it was neither known nor older than all of [`REPORTED_MAX`] that are.
    pub fn take(&mut self, reported: ReportedChange) -> bool {
        let Err(place) = self.newest.binary_search(&reported) else { return false };
        if self.newest.len() >= REPORTED_MAX {
            if place == 0 {
                return false;
            }
            self.newest.remove(0);
            self.newest.insert(place - 1, reported);
        } else {
            self.newest.insert(place, reported);
        }
        true
    }

    /// The changes, in ascending order.
    #[must_use]
    pub fn as_slice(&self) -> &[ReportedChange] {
        &self.newest
    }

    /// Changes as they were stored; `None` for what could not have come about.
    #[must_use]
    pub fn from_sorted(newest: Vec<ReportedChange>) -> Option<Self> {
        let sound = newest.len() <= REPORTED_MAX
            && newest.iter().all(ReportedChange::is_possible)
            && newest.is_sorted_by(|before, after| before < after);
        sound.then_some(Self { newest })
    }
}

impl Home {
    /// What happened to this home, in order of time: what was seen ([`crate::History::events`]) and, among it, what its source
    /// told of earlier prices and nobody saw.
    ///
    /// A told change is left out where it was seen: a price change to the same price was, from the same price or at about
    /// the time that is told, which is between the last sighting at the price before and the first at the price after, or
    /// a day off. So it is where the change told before it is between the same two prices: a price falls to 480 twice
    /// only if it rises in between.
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
        // Stable: of one moment, what was seen comes first.
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
    let changes = steps.iter().enumerate().filter_map(|(place, step)| {
        let change = step.change?;
        let asked_before =
            steps[..place].iter().rfind(|before| before.interval.facts.list_price == Some(change.from))?;
        Some(SeenChange { change, after: asked_before.interval.last, by: step.interval.sighting.seen })
    });
    changes.collect()
}

/// The market in which the home asked the price after a told change: that of the last interval at this price which had
/// begun by then, else of the first. There is one, because what tells a change also shows the price after it.
fn market_of_price<'a>(steps: &[Step<'a>], at: Time, change: PriceChange) -> Option<&'a Market> {
    let mut found = None;
    for Step { interval, .. } in steps {
        if interval.facts.list_price == Some(change.to) && (found.is_none() || interval.first <= at) {
            found = Some(&interval.facts.market);
        }
    }
    found
}
