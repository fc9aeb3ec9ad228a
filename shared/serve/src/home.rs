mod fields;
mod summary;

use serde::Serialize;
use stoop_domain::{Currency, Doubt, Event, Home, HomeId, Market, Minor, Step, Time};

pub use self::fields::FieldsView;
pub(super) use self::summary::share_of;
pub use self::summary::{HomeSummary, PriceChangeView};
use super::{Comparables, as_text, as_text_or_null};

/// A home's card and its whole history, ready to be shown. Prices are in major units of the currency, times
/// are RFC 3339.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct HomeView {
    /// Its card.
    #[serde(flatten)]
    pub summary: HomeSummary,
    /// When it was seen first.
    #[serde(serialize_with = "as_text_or_null")]
    pub first_seen: Option<Time>,
    /// When it was seen last.
    #[serde(serialize_with = "as_text_or_null")]
    pub last_seen: Option<Time>,
    /// The earliest date that any observation gave for the listing's beginning.
    #[serde(serialize_with = "as_text_or_null")]
    pub listed_at: Option<Time>,
    /// Times over which nothing changed, oldest first.
    pub intervals: Vec<IntervalView>,
    /// What happened, oldest first: what was seen, and what the source reported of earlier prices.
    pub events: Vec<HappenedView>,
    /// Whether earlier prices and events are in it: see [`HomeView::displayed`].
    #[serde(skip)]
    pub has_history: bool,
}

/// A time over which nothing changed.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct IntervalView {
    /// When it was first seen so.
    #[serde(serialize_with = "as_text")]
    pub first_seen: Time,
    /// When it was last seen so.
    #[serde(serialize_with = "as_text")]
    pub last_seen: Time,
    /// RESO `StandardStatus`, or `Gone`.
    pub status: &'static str,
    /// What was asked.
    pub price: Option<f64>,
    /// The currency of the price.
    pub currency: Currency,
    /// Against the price of the interval before: -0.15 is a cut of 15 %.
    pub change: Option<f64>,
    /// The market it was counted in.
    #[serde(serialize_with = "as_text")]
    pub market: Market,
    /// Why its price is in no figure: see [`stoop_domain::Doubt::as_str`].
    pub doubtful: Option<&'static str>,
    /// `price` in minor units.
    #[serde(skip)]
    pub asked: Option<Minor>,
}

/// One thing that happened to a home.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct HappenedView {
    /// When it was first seen to have happened; for a reported change, when the source says that it did.
    #[serde(serialize_with = "as_text")]
    pub at: Time,
    /// See [`stoop_domain::EventKind::as_str`].
    pub kind: &'static str,
    /// Of a cut or a rise: the price before.
    pub from: Option<f64>,
    /// The price after.
    pub to: Option<f64>,
    /// The change as a share of the price before.
    pub change: Option<f64>,
    /// The market it counts in.
    #[serde(serialize_with = "as_text")]
    pub market: Market,
    /// The event itself.
    #[serde(skip)]
    pub event: Event,
}

impl HomeView {
    /// Reads a home at `now`. `comparables` are those of its market, if it is to be compared. `None` for a home without
    /// observations.
    #[must_use]
    pub fn of(id: HomeId, home: &Home, comparables: Option<&Comparables>, now: Time) -> Option<Self> {
        let seen = home.history.seen();
        Some(Self {
            summary: HomeSummary::of(id, home, now, comparables)?,
            first_seen: seen.map(|(first, _)| first),
            last_seen: seen.map(|(_, last)| last),
            listed_at: home.history.listed_at(),
            intervals: intervals(home),
            events: home.events().into_iter().filter(|event| event.has_come(now)).map(HappenedView::of).collect(),
            has_history: true,
        })
    }

    /// The same for people who may see only what its sources let be shown: perhaps without earlier prices and events.
    #[must_use]
    pub fn displayed(mut self, home: &Home) -> Self {
        if !home.history_may_be_shown() {
            self.intervals.drain(..self.intervals.len().saturating_sub(1));
            self.intervals.iter_mut().for_each(|interval| interval.change = None);
            self.events.clear();
            self.has_history = false;
        }
        Self { summary: self.summary.displayed(home), ..self }
    }
}

impl HappenedView {
    fn of(event: Event) -> Self {
        let change = PriceChangeView::of(&event, event.market.currency);
        Self {
            at: event.at,
            kind: event.kind.as_str(),
            from: change.as_ref().map(|change| change.from),
            to: change.as_ref().map(|change| change.to),
            change: change.map(|change| change.share),
            market: event.market.clone(),
            event,
        }
    }
}

fn intervals(home: &Home) -> Vec<IntervalView> {
    let mut before: Option<(Market, Minor)> = None;
    let mut intervals = Vec::new();
    for Step { interval, doubtful, .. } in home.history.steps() {
        let market = &interval.facts.market;
        // A rent is no change of a sale's price, nor is one in dollars of one in dirhams.
        let comparable =
            |(known, _): &&(Market, Minor)| (known.purpose, known.currency) == (market.purpose, market.currency);
        let from = before.as_ref().filter(comparable).map(|(_, price)| *price);
        let change = from.zip(interval.facts.list_price).filter(|(from, to)| from != to);
        intervals.push(IntervalView {
            first_seen: interval.first,
            last_seen: interval.last,
            status: interval.facts.status.as_str(),
            price: interval.facts.list_price.map(|price| price.major_f64(market.currency)),
            currency: market.currency,
            change: change.map(|(from, to)| share_of(from, to)),
            market: market.clone(),
            doubtful: doubtful.map(Doubt::as_str),
            asked: interval.facts.list_price,
        });
        if let Some(price) = interval.facts.list_price {
            before = Some((market.clone(), price));
        }
    }
    intervals
}
