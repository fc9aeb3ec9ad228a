//! The events of a home: what sightings show, and what only the source reports.

use super::Home;
use crate::events::{Event, EventKind};
use crate::market::Market;
use crate::price_change::PriceChange;
use crate::reported::ReportedChange;
use crate::steps::Step;
use crate::time::Time;

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
