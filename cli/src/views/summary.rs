use serde::Serialize;
use stoop_domain::{Currency, Event, Home, HomeId, Market, Minor, Phase, PriceChange, Time};
use stoop_market::{Figures, Segment};
use stoop_pipeline::serve::unit_name;

use super::{as_text, as_text_or_null, rounded};
use crate::show::Field;

/// The summary of a home in a list. Prices in major units.
#[derive(Clone, Debug, Serialize)]
pub(super) struct HomeSummary {
    pub(super) id: HomeId,
    #[serde(serialize_with = "as_text")]
    pub(super) market: Market,
    pub(super) status: &'static str,
    pub(super) price: Option<f64>,
    pub(super) currency: Currency,
    /// The last price change that was observed.
    pub(super) last_change: Option<Change>,
    pub(super) property_type: Option<&'static str>,
    pub(super) bedrooms: Option<u8>,
    pub(super) living_area: Option<f64>,
    pub(super) area_unit: &'static str,
    pub(super) price_per_area: Option<f64>,
    /// Price per area compared with the median of the home's market: 0.05 is 5 % above it.
    pub(super) versus_market: Option<f64>,
    /// When the current spell began.
    #[serde(serialize_with = "as_text_or_null")]
    pub(super) opened_at: Option<Time>,
    /// Days since then, for an active or pending home.
    pub(super) days_on_market: Option<i32>,
    /// The time of the last event.
    #[serde(serialize_with = "as_text_or_null")]
    pub(super) last_event_at: Option<Time>,
    pub(super) title: Option<String>,
    pub(super) line: Option<String>,
    pub(super) url: Option<String>,
    #[serde(skip)]
    pub(super) phase: Option<Phase>,
    #[serde(skip)]
    pub(super) asked: Option<Minor>,
}

/// A home in CSV.
pub(super) const SUMMARY: [Field; 21] = [
    Field::Plain("id"),
    Field::Plain("market"),
    Field::Plain("status"),
    Field::Money("price"),
    Field::Plain("currency"),
    Field::Plain("last_change.at"),
    Field::Money("last_change.from"),
    Field::Money("last_change.to"),
    Field::Plain("last_change.share"),
    Field::Plain("property_type"),
    Field::Plain("bedrooms"),
    Field::Plain("living_area"),
    Field::Plain("area_unit"),
    Field::Money("price_per_area"),
    Field::Plain("versus_market"),
    Field::Plain("opened_at"),
    Field::Plain("days_on_market"),
    Field::Plain("last_event_at"),
    Field::Plain("title"),
    Field::Plain("line"),
    Field::Plain("url"),
];

/// A price replaced by another.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Change {
    #[serde(serialize_with = "as_text")]
    pub(super) at: Time,
    pub(super) from: f64,
    pub(super) to: f64,
    /// Relative to the previous price: -0.15 is a cut of 15 %.
    pub(super) share: f64,
}

impl HomeSummary {
    /// Reads a home at `now`. `None` for a home without observations.
    pub(super) fn of(id: HomeId, home: &Home, now: Time, median_per_m2: Option<f64>) -> Option<Self> {
        let facts = home.history.current()?;
        let currency = facts.market.currency;
        let country = facts.market.area.country();
        let status = home.history.status_at(now)?;
        let phase = status.phase();
        let has_come = |event: &Event| event.has_come(now);
        let events: Vec<Event> = home.history.events().into_iter().filter(has_come).collect();
        let opened_at = home.history.steps().last().map(|step| step.spell.opened_at);
        let per_m2 = facts.list_price.zip(facts.living_area).map(|(price, area)| {
            #[expect(clippy::cast_precision_loss, reason = "for showing")]
            let price = price.0 as f64;
            price / area.square_metres()
        });
        let versus = per_m2.zip(median_per_m2.filter(|median| *median > 0.0));
        let on_market = matches!(phase, Phase::Active | Phase::Pending);
        let days = |opened: Time| (now.day_in(&country.zone).0 - opened.day_in(&country.zone).0).max(0);
        Some(Self {
            id,
            market: facts.market.clone(),
            status: status.as_str(),
            price: facts.list_price.map(|price| price.major_f64(currency)),
            currency,
            last_change: events.iter().rev().find_map(|event| Change::of(event, currency)),
            property_type: facts.property_type.map(|kind| kind.as_str()),
            bedrooms: facts.bedrooms,
            living_area: facts.living_area.map(|area| (area.in_unit(country.area_unit) * 100.0).round() / 100.0),
            area_unit: unit_name(country.area_unit),
            price_per_area: per_m2.map(|minor| {
                let minor = (minor * country.area_unit.square_metres()).round();
                minor / 10_f64.powi(currency.minor_digits().cast_signed())
            }),
            versus_market: versus.map(|(own, median)| rounded(own / median - 1.0)),
            opened_at: opened_at.filter(|_| on_market),
            days_on_market: opened_at.filter(|_| on_market).map(days),
            last_event_at: events.iter().map(|event| event.at).max(),
            title: home.title().map(str::to_owned),
            line: home.line().map(str::to_owned),
            url: home.url().map(str::to_owned),
            phase: Some(phase),
            asked: facts.list_price,
        })
    }

    /// Whether it is on offer.
    pub(super) fn is_active(&self) -> bool {
        self.phase == Some(Phase::Active)
    }

    /// The home's label: its street, otherwise its title.
    pub(super) fn words(&self) -> Option<&str> {
        self.line.as_deref().or(self.title.as_deref())
    }
}

impl Change {
    pub(super) fn of(event: &Event, currency: Currency) -> Option<Self> {
        let PriceChange { from, to } = event.change?;
        let share = share_of(from, to);
        Some(Self { at: event.at, from: from.major_f64(currency), to: to.major_f64(currency), share })
    }
}

/// The change from one price to another, as a share of the first.
#[expect(clippy::cast_precision_loss, reason = "for showing")]
pub(super) fn share_of(from: Minor, to: Minor) -> f64 {
    if from.0 == 0 { 0.0 } else { rounded((to.0 - from.0) as f64 / from.0 as f64) }
}

/// The median price per square metre of a market, in minor units.
pub(super) fn median_per_m2(
    database: &stoop_embedded::Database,
    market: &Market,
    now: Time,
) -> anyhow::Result<Option<f64>> {
    let zone = market.area.country().zone;
    let cells = database.cells(market)?;
    Ok(cells.and_then(|cells| Figures::of(&cells, Segment::All, now, &zone).median_price_per_m2))
}
