use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use stoop_domain::{Day, Time};

use crate::cells::Cells;
use crate::grain::Grain;
use crate::histogram::{Bucket, Histogram, quantile_of};
use crate::key::{Key, Kind, Quantity, Role, Segment};

/// The version of the definitions of figures in `docs/METRICS.md`.
pub const CATALOGUE_VERSION: u32 = 2;

/// A figure of fewer homes is thin: one home more or less may change it a lot.
pub const THIN_SAMPLE: i64 = 10;

/// The length of the warm-up, in days from the first day of a market. Homes that were on offer before are still being
/// found, so figures that include these days are marked as warming up.
pub const WARM_UP_DAYS: i32 = 7;

/// A rolling window by event time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Window {
    /// The current UTC hour and the 23 before it.
    Hours24,
    /// Today and the 6 days before, in the market's time zone.
    Days7,
    /// Today and the 27 days before.
    Days28,
    /// Today and the 89 days before.
    Days90,
}

/// The number of events of each kind in a window. The stock at its end equals the stock before it plus
/// [`Flows::entries`] minus [`Flows::exits`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Flows {
    /// Homes first seen because a search began.
    pub initial: i64,
    /// Homes new on the market.
    pub new: i64,
    /// Homes back after more than 90 days off the market.
    pub relisted: i64,
    /// Homes active again after they were pending, or after at most 90 days off the market.
    pub back_on_market: i64,
    /// Homes whose listing came from another market or segment.
    pub moved_in: i64,
    pub pending: i64,
    /// Active homes that were sold or let.
    pub closed: i64,
    /// Homes off the market without a known sale.
    pub gone: i64,
    /// Homes whose listing moved to another market or segment.
    pub moved_out: i64,
    /// Homes that nobody has shown for a fixed number of days.
    pub expired: i64,
    pub price_cuts: i64,
    pub price_rises: i64,
    /// Homes sold or let, whatever their status before.
    pub sold: i64,
}

/// The figures of one segment of a market. Prices are in minor units. `None` if no home has the value.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Figures {
    /// Active stock.
    pub active: i64,
    /// The part of `active` that is unconfirmed.
    pub unconfirmed: i64,
    /// The part of `active` that has a price.
    pub priced: i64,
    /// Median list price.
    pub median_price: Option<f64>,
    /// Mean list price.
    pub mean_price: Option<f64>,
    /// Lower quartile of list prices.
    pub p25_price: Option<f64>,
    /// Upper quartile of list prices.
    pub p75_price: Option<f64>,
    /// Lowest list price: the lower end of its bucket, at most 0.2 % too low.
    pub min_price: Option<f64>,
    /// Highest list price: the upper end of its bucket, at most 0.2 % too high.
    pub max_price: Option<f64>,
    /// The part of `active` that has a price and a living area.
    pub priced_per_area: i64,
    /// Median list price per living area, in minor units per square metre.
    pub median_price_per_m2: Option<f64>,
    /// Median days since the beginning of the spell.
    pub median_age_days: Option<f64>,
    /// Share (0 to 1) of priced active homes below their original price.
    pub cut_share: Option<f64>,
    /// Number of active homes below their original price.
    pub cut: i64,
    /// Median of those cuts, as a fraction of the original price.
    pub median_cut: Option<f64>,
    /// Events of the last 24 hours. `None` if the state no longer has those hours.
    pub last_24_hours: Option<Flows>,
    /// Events of the last 7 days.
    pub last_7_days: Flows,
    /// Events of the last 28 days.
    pub last_28_days: Flows,
    /// Events of the last 90 days.
    pub last_90_days: Flows,
}

/// The figures of a market at a moment.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Snapshot {
    /// The version of the definitions ([`CATALOGUE_VERSION`]).
    pub catalogue_version: u32,
    pub as_of: Time,
    pub all: Figures,
    /// Each property type and number of bedrooms that the market has or had, by name.
    pub segments: Vec<(String, Figures)>,
}

/// The figures of a market at `now`: a pure function of state and time. The stock is that of the end of the day of
/// `now`, as far as it is known.
#[must_use]
pub fn snapshot(cells: &Cells, now: Time, zone: &TimeZone) -> Snapshot {
    let parts = cells.segments().into_iter();
    Snapshot {
        catalogue_version: CATALOGUE_VERSION,
        as_of: now,
        all: Figures::of(cells, Segment::All, now, zone),
        segments: parts.map(|segment| (segment.label(), Figures::of(cells, segment, now, zone))).collect(),
    }
}

impl Window {
    /// Every window, short to long.
    pub const ALL: [Self; 4] = [Self::Hours24, Self::Days7, Self::Days28, Self::Days90];

    /// The length of the window in hours ([`Window::Hours24`]) or days.
    #[must_use]
    pub fn span(self) -> i32 {
        match self {
            Self::Hours24 => 24,
            Self::Days7 => 7,
            Self::Days28 => 28,
            Self::Days90 => 90,
        }
    }

    /// The name in headings: `24 h`, `7 d`.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Hours24 => "24 h",
            Self::Days7 => "7 d",
            Self::Days28 => "28 d",
            Self::Days90 => "90 d",
        }
    }
}

impl Flows {
    /// The number of homes that entered the active stock.
    #[must_use]
    pub fn entries(&self) -> i64 {
        self.initial + self.new + self.relisted + self.back_on_market + self.moved_in
    }

    /// The number of homes that left the active stock.
    #[must_use]
    pub fn exits(&self) -> i64 {
        self.pending + self.closed + self.gone + self.moved_out + self.expired
    }

    /// Adds a coordinate to the flows of a segment. Exits have negative values.
    pub(crate) fn add(&mut self, segment: Segment, key: Key, value: i64) {
        let Some(kind) = key.kind().filter(|kind| kind.crosses(segment)) else { return };
        let is_step_down = key.quantity() == Quantity::Count && kind.role() == Role::Exit;
        let count = if is_step_down { -value } else { value };
        let slot = match kind {
            Kind::Initial => &mut self.initial,
            Kind::New => &mut self.new,
            Kind::Relisted => &mut self.relisted,
            Kind::BackOnMarket => &mut self.back_on_market,
            Kind::MovedIn | Kind::TypeIn | Kind::BedroomsIn | Kind::CellIn => &mut self.moved_in,
            Kind::Pending => &mut self.pending,
            Kind::Closed => &mut self.closed,
            Kind::Gone => &mut self.gone,
            Kind::MovedOut | Kind::TypeOut | Kind::BedroomsOut | Kind::CellOut => &mut self.moved_out,
            Kind::Expired => &mut self.expired,
            Kind::PriceCut => &mut self.price_cuts,
            Kind::PriceRise => &mut self.price_rises,
            Kind::Sold => &mut self.sold,
            Kind::Opening | Kind::Amended => return,
        };
        *slot += count;
    }
}

impl Figures {
    /// The flows of a window. `None` if the state no longer has them.
    #[must_use]
    pub fn flows(&self, window: Window) -> Option<&Flows> {
        match window {
            Window::Hours24 => self.last_24_hours.as_ref(),
            Window::Days7 => Some(&self.last_7_days),
            Window::Days28 => Some(&self.last_28_days),
            Window::Days90 => Some(&self.last_90_days),
        }
    }

    /// The figures of one segment.
    #[must_use]
    pub fn of(cells: &Cells, segment: Segment, now: Time, zone: &TimeZone) -> Self {
        Self::of_grain(Grain::Fine, cells, segment, now, zone)
    }

    /// The figures of one segment of a state with prices of this grain.
    pub(crate) fn of_grain(grain: Grain, cells: &Cells, segment: Segment, now: Time, zone: &TimeZone) -> Self {
        let today = now.day_in(zone).0;
        let mut stock = Stock::default();
        let mut days =
            [Window::Days7, Window::Days28, Window::Days90].map(|window| (today - window.span(), Flows::default()));
        for quantity in Quantity::OF_STOCK {
            for (key, value) in cells.of(segment, quantity).filter(|(key, _)| key.day() <= today) {
                stock.add(key, value);
                if quantity == Quantity::Count {
                    let within = days.iter_mut().filter(|(before, _)| key.day() > *before);
                    within.for_each(|(_, flows)| flows.add(segment, key, value));
                }
            }
        }
        let [last_7_days, last_28_days, last_90_days] = days.map(|(_, flows)| flows);
        let figures = Self { last_7_days, last_28_days, last_90_days, ..stock.figures(Day(today), grain) };
        Self { last_24_hours: hours_24(cells, segment, now), ..figures }
    }
}

/// Whether a state still has the hours of the 24 hours before `now`.
#[must_use]
pub fn tells_hours(cells: &Cells, now: Time) -> bool {
    let first = now.hour().0 - Window::Hours24.span() + 1;
    cells.horizon().is_none_or(|horizon| first >= horizon.hours.0.saturating_mul(24))
}

/// Events of the current UTC hour and the 23 before it.
fn hours_24(cells: &Cells, segment: Segment, now: Time) -> Option<Flows> {
    if !tells_hours(cells, now) {
        return None;
    }
    let last = now.hour().0;
    let first = last - Window::Hours24.span() + 1;
    let mut flows = Flows::default();
    for (key, value) in cells.of(segment, Quantity::Hour).filter(|(key, _)| (first..=last).contains(&key.hour_of())) {
        flows.add(segment, key, value);
    }
    Some(flows)
}

/// The stock at the end of a day: a sum of coordinates.
#[derive(Clone, Debug, Default)]
pub(crate) struct Stock {
    active: i64,
    unconfirmed: i64,
    prices: Histogram,
    price_sum: i128,
    per_area: Histogram,
    opened: Histogram,
    cuts: Histogram,
}

impl Stock {
    /// Adds a coordinate if it belongs to the stock.
    pub(crate) fn add(&mut self, key: Key, value: i64) {
        let quantity = key.quantity();
        if !key.kind().is_some_and(|kind| quantity.is_stock(kind)) {
            return;
        }
        let bucket = Bucket(key.bucket());
        match quantity {
            Quantity::Count => self.active += value,
            Quantity::Unconfirmed => self.unconfirmed += value,
            Quantity::Price => self.prices.add(bucket, value),
            Quantity::PriceSum => self.price_sum += i128::from(value),
            Quantity::PriceSumHigh => self.price_sum += i128::from(value) << 32,
            Quantity::PricePerArea => self.per_area.add(bucket, value),
            Quantity::Opened => self.opened.add(bucket, value),
            Quantity::Cut => self.cuts.add(bucket, value),
            Quantity::Hour => {}
        }
    }

    /// Active stock.
    pub(crate) fn active(&self) -> i64 {
        self.active
    }

    /// The unconfirmed part of the stock.
    pub(crate) fn unconfirmed(&self) -> i64 {
        self.unconfirmed
    }

    /// The median list price. For a single home it is the price itself, not that of its bucket.
    pub(crate) fn median_price(&self) -> Option<f64> {
        self.price(0.5)
    }

    #[expect(clippy::cast_precision_loss, reason = "for display")]
    pub(crate) fn mean_price(&self) -> Option<f64> {
        let priced = self.prices.count();
        (priced > 0).then(|| self.price_sum as f64 / priced as f64)
    }

    fn price(&self, quantile: f64) -> Option<f64> {
        if self.prices.count() == 1 { self.mean_price() } else { self.prices.quantile(quantile) }
    }

    #[expect(clippy::cast_precision_loss, reason = "counts of homes")]
    fn figures(&self, today: Day, grain: Grain) -> Figures {
        let priced = self.prices.count();
        let ages = self.opened.buckets().rev().map(|(day, count)| (f64::from((today.0 - day.0).max(0)), count));
        let end = |bucket: Option<(Bucket, i64)>, end: fn(Bucket) -> f64, outermost: fn(Grain, Bucket) -> Bucket| {
            if priced == 1 { self.mean_price() } else { bucket.map(|(bucket, _)| end(outermost(grain, bucket))) }
        };
        Figures {
            active: self.active,
            unconfirmed: self.unconfirmed,
            priced,
            median_price: self.median_price(),
            mean_price: self.mean_price(),
            p25_price: self.price(0.25),
            p75_price: self.price(0.75),
            min_price: end(self.prices.buckets().next(), Bucket::lower, Grain::first_of),
            max_price: end(self.prices.buckets().next_back(), Bucket::upper, Grain::last_of),
            priced_per_area: self.per_area.count(),
            median_price_per_m2: self.per_area.quantile(0.5),
            median_age_days: quantile_of(ages, self.opened.count(), 0.5),
            cut_share: (priced > 0).then(|| self.cuts.count() as f64 / priced as f64),
            cut: self.cuts.count(),
            median_cut: self.cuts.quantile(0.5).map(|bp| bp / 10_000.0),
            ..Figures::default()
        }
    }
}
