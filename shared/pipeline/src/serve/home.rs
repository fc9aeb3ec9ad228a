use serde::Serialize;
use stoop_domain::{Currency, Doubt, Event, Home, HomeId, Market, Minor, Phase, PriceChange, Step, Time};
use stoop_market::{Cells, Figures, Segment};

use super::{as_text, as_text_or_null, unit_name};

/// A home's card and its whole history, ready to be shown. Prices are in major units of the currency, times
/// are RFC 3339.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct HomeView {
    /// `source/native id`.
    pub id: HomeId,
    /// The market that the home is counted in.
    #[serde(serialize_with = "as_text")]
    pub market: Market,
    /// RESO `StandardStatus`, or `Gone`; `Expired` also where nobody has seen it for so long that it does not count any more.
    pub status: &'static str,
    /// What is asked for it.
    pub price: Option<f64>,
    /// The currency of all prices.
    pub currency: Currency,
    /// The last change of the price that was seen.
    pub last_change: Option<PriceChangeView>,
    /// RESO `PropertyType` and `PropertySubType` in one, as `Condominium`.
    pub property_type: Option<&'static str>,
    /// Bedrooms.
    pub bedrooms: Option<u8>,
    /// Living area in `area_unit`.
    pub living_area: Option<f64>,
    /// The unit of area of the home's country: `sqft` or `m2`.
    pub area_unit: &'static str,
    /// Price by living area.
    pub price_per_area: Option<f64>,
    /// Price per area against the median of the home's market: 0.05 is 5 % above it.
    pub versus_market: Option<f64>,
    /// When the stay on the market began.
    #[serde(serialize_with = "as_text_or_null")]
    pub opened_at: Option<Time>,
    /// Days since then, of a home that is active or pending.
    pub days_on_market: Option<i32>,
    /// When anything was last seen to happen.
    #[serde(serialize_with = "as_text_or_null")]
    pub last_event_at: Option<Time>,
    /// Headline.
    pub title: Option<String>,
    /// Street, number, unit.
    pub line: Option<String>,
    /// The listing's page.
    pub url: Option<String>,
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
    /// What happened, oldest first: what was seen, and what the source told of earlier prices.
    pub events: Vec<HappenedView>,
}

/// A price replaced by another.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PriceChangeView {
    /// When it was seen first.
    #[serde(serialize_with = "as_text")]
    pub at: Time,
    /// The price before.
    pub from: f64,
    /// The price after.
    pub to: f64,
    /// Of the price before: -0.15 is a cut of 15 %.
    pub share: f64,
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
}

/// One thing that happened to a home.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct HappenedView {
    /// When it was first seen to have happened; of what is told, when the source says that it did.
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
}

impl HomeView {
    /// Reads a home at `now` beside the state of its market. `None` for a home without observations.
    #[must_use]
    pub fn of(id: HomeId, home: &Home, market: Option<&Cells>, now: Time) -> Option<Self> {
        let facts = home.history.current()?;
        let currency = facts.market.currency;
        let country = facts.market.area.country();
        let status = home.history.status_at(now)?;
        let has_come = |event: &Event| event.has_come(now);
        let seen_events: Vec<Event> = home.history.events().into_iter().filter(has_come).collect();
        let opened_at = home.history.steps().last().map(|step| step.spell.opened_at);
        let on_market = matches!(status.phase(), Phase::Active | Phase::Pending);
        let opened_at = opened_at.filter(|_| on_market);
        let days = |opened: Time| (now.day_in(&country.zone).0 - opened.day_in(&country.zone).0).max(0);
        let per_m2 = facts.list_price.zip(facts.living_area).map(|(price, area)| whole(price) / area.square_metres());
        let median = market.and_then(|cells| Figures::of(cells, Segment::All, now, &country.zone).median_price_per_m2);
        let versus = per_m2.zip(median.filter(|median| *median > 0.0));
        let seen = home.history.seen();
        Some(Self {
            id,
            market: facts.market.clone(),
            status: status.as_str(),
            price: facts.list_price.map(|price| price.major_f64(currency)),
            currency,
            last_change: seen_events.iter().rev().find_map(PriceChangeView::of),
            property_type: facts.property_type.map(|kind| kind.as_str()),
            bedrooms: facts.bedrooms,
            living_area: facts.living_area.map(|area| (area.in_unit(country.area_unit) * 100.0).round() / 100.0),
            area_unit: unit_name(country.area_unit),
            price_per_area: per_m2.map(|minor| {
                let minor = (minor * country.area_unit.square_metres()).round();
                minor / 10_f64.powi(currency.minor_digits().cast_signed())
            }),
            versus_market: versus.map(|(own, median)| rounded(own / median - 1.0)),
            opened_at,
            days_on_market: opened_at.map(days),
            last_event_at: seen_events.iter().map(|event| event.at).max(),
            title: home.title().map(str::to_owned),
            line: home.line().map(str::to_owned),
            url: home.url().map(str::to_owned),
            first_seen: seen.map(|(first, _)| first),
            last_seen: seen.map(|(_, last)| last),
            listed_at: home.history.listed_at(),
            intervals: intervals(home),
            events: home.events().iter().filter(|event| event.has_come(now)).map(HappenedView::of).collect(),
        })
    }
}

impl PriceChangeView {
    fn of(event: &Event) -> Option<Self> {
        let PriceChange { from, to } = event.change?;
        let currency = event.market.currency;
        let share = share_of(from, to);
        Some(Self { at: event.at, from: from.major_f64(currency), to: to.major_f64(currency), share })
    }
}

impl HappenedView {
    fn of(event: &Event) -> Self {
        let change = PriceChangeView::of(event);
        Self {
            at: event.at,
            kind: event.kind.as_str(),
            from: change.as_ref().map(|change| change.from),
            to: change.as_ref().map(|change| change.to),
            change: change.map(|change| change.share),
            market: event.market.clone(),
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
        });
        if let Some(price) = interval.facts.list_price {
            before = Some((market.clone(), price));
        }
    }
    intervals
}

/// The change from one price to another, as a share of the first.
fn share_of(from: Minor, to: Minor) -> f64 {
    if from.0 == 0 { 0.0 } else { rounded((whole(to) - whole(from)) / whole(from)) }
}

/// Minor units, for a quotient.
#[expect(clippy::cast_precision_loss, reason = "for showing")]
fn whole(price: Minor) -> f64 {
    price.0 as f64
}

/// A share rounded to a hundredth of a percent.
fn rounded(share: f64) -> f64 {
    // Adding zero makes a negative zero a plain one.
    (share * 10_000.0).round() / 10_000.0 + 0.0
}
