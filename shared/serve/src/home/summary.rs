use serde::Serialize;
use stoop_domain::{Currency, Event, Home, HomeId, Market, Minor, Phase, PriceChange, PropertyType, Time};
use stoop_market::Cell;

use super::super::{ComparableView, Comparables, as_text, as_text_or_null, unit_name, web_address};
use super::fields::{FieldsView, area_in};

/// A home in a list. Prices are in major units of the currency, times are RFC 3339.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct HomeSummary {
    /// `source/native ID`.
    pub id: HomeId,
    /// The market that counts the home.
    #[serde(serialize_with = "as_text")]
    pub market: Market,
    /// RESO `StandardStatus`, or `Gone`; `Expired` also where nobody has shown the home for 30 days.
    pub status: &'static str,
    /// List price.
    pub price: Option<f64>,
    /// The currency of all prices.
    pub currency: Currency,
    /// The last change of the price that was seen.
    pub last_change: Option<PriceChangeView>,
    /// What describes the home itself: a member for each of [`HOME_FIELDS`](stoop_domain::HOME_FIELDS).
    #[serde(flatten)]
    pub fields: FieldsView,
    /// The unit of area of the home's country: `sqft` or `m2`.
    pub area_unit: &'static str,
    /// Price by living area.
    pub price_per_area: Option<f64>,
    /// Price per area against what homes of its type and number of bedrooms ask: 0.05 is 5 % above it. `None` if too few
    /// are known.
    pub versus_market: Option<f64>,
    /// The homes that it is compared with.
    pub compared_with: Option<ComparableView>,
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
    /// Latitude and longitude, in millionths of a degree.
    #[serde(skip)]
    pub coordinates: Option<(i32, i32)>,
    /// The phase of `status`.
    #[serde(skip)]
    pub phase: Option<Phase>,
    /// `price` in minor units.
    #[serde(skip)]
    pub asked: Option<Minor>,
    /// One of the `fields`.
    #[serde(skip)]
    pub property_type: Option<PropertyType>,
    /// One of the `fields`.
    #[serde(skip)]
    pub bedrooms: Option<u8>,
    /// One of the `fields`, in `area_unit`.
    #[serde(skip)]
    pub living_area: Option<f64>,
}

/// A change of the list price.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PriceChangeView {
    #[serde(serialize_with = "as_text")]
    pub at: Time,
    /// The price before.
    pub from: f64,
    /// The price after.
    pub to: f64,
    /// Of the price before: -0.15 is a cut of 15 %.
    pub share: f64,
}

impl HomeSummary {
    /// The same for people who may see only what its sources let be shown: perhaps without its last change of price and the
    /// time of its last event.
    #[must_use]
    pub fn displayed(self, home: &Home) -> Self {
        match home.history_may_be_shown() {
            true => self,
            false => Self { last_change: None, last_event_at: None, ..self },
        }
    }

    /// Reads a home at `now`. `comparables` are those of its market, if it is to be compared. `None` for a home without
    /// observations.
    #[must_use]
    pub fn of(id: HomeId, home: &Home, now: Time, comparables: Option<&Comparables>) -> Option<Self> {
        let facts = home.history.current()?;
        let currency = facts.market.currency;
        let country = facts.market.area.country();
        let status = home.history.status_at(now)?;
        let phase = status.phase();
        let has_come = |event: &Event| event.has_come(now);
        let events: Vec<Event> = home.history.events().into_iter().filter(has_come).collect();
        let opened_at = home.history.steps().last().map(|step| step.spell.opened_at);
        let per_m2 = facts.list_price.zip(facts.living_area).map(|(price, area)| whole(price) / area.square_metres());
        let is_doubtful = home.history.steps().last().is_some_and(|step| step.doubtful.is_some());
        let counted = per_m2.filter(|_| phase == Phase::Active && !is_doubtful);
        let comparables = comparables.filter(|_| home.estimate_may_be_shown());
        let compared_with = per_m2.zip(comparables).and_then(|(_, all)| all.like(Cell::of(facts), counted));
        let on_market = matches!(phase, Phase::Active | Phase::Pending);
        let days = |opened: Time| (now.day_in(&country.zone).0 - opened.day_in(&country.zone).0).max(0);
        Some(Self {
            id,
            market: facts.market.clone(),
            status: status.as_str(),
            price: facts.list_price.map(|price| price.major_f64(currency)),
            currency,
            last_change: events.iter().rev().find_map(|event| PriceChangeView::of(event, currency)),
            fields: FieldsView::of(home, currency, country.area_unit),
            area_unit: unit_name(country.area_unit),
            price_per_area: per_m2.map(|minor| {
                let minor = (minor * country.area_unit.square_metres()).round();
                minor / 10_f64.powi(currency.minor_digits().cast_signed())
            }),
            versus_market: per_m2.zip(compared_with.as_ref()).map(|(own, like)| rounded(own / like.per_m2 - 1.0)),
            compared_with,
            opened_at: opened_at.filter(|_| on_market),
            days_on_market: opened_at.filter(|_| on_market).map(days),
            last_event_at: events.iter().map(|event| event.at).max(),
            title: home.title().map(str::to_owned),
            line: home.line().map(str::to_owned),
            url: home.url().and_then(web_address),
            coordinates: home.coordinates(),
            phase: Some(phase),
            asked: facts.list_price,
            property_type: facts.property_type,
            bedrooms: facts.bedrooms,
            living_area: facts.living_area.map(|area| area_in(area, country.area_unit)),
        })
    }

    /// Whether it is on offer.
    #[must_use]
    pub fn is_active(&self) -> bool {
        self.phase == Some(Phase::Active)
    }

    /// What the home is called: its street, else its headline.
    #[must_use]
    pub fn words(&self) -> Option<&str> {
        self.line.as_deref().or(self.title.as_deref())
    }
}

impl PriceChangeView {
    pub(super) fn of(event: &Event, currency: Currency) -> Option<Self> {
        let PriceChange { from, to } = event.change?;
        let share = share_of(from, to);
        Some(Self { at: event.at, from: from.major_f64(currency), to: to.major_f64(currency), share })
    }
}

/// The change from one price to another, as a share of the first.
pub(crate) fn share_of(from: Minor, to: Minor) -> f64 {
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
