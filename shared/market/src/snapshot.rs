use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use stoop_domain::{EventKind, Time};

use crate::cells::Cells;
use crate::histogram::{Bucket, Histogram, quantile_of};
use crate::key::{Measure, Segment, event_of};

/// The version of the catalogue of figures in `docs/METRICS.md`.
pub const CATALOGUE_VERSION: u32 = 1;

/// A rolling window by event time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Window {
    /// The current hour of UTC and the 23 before it.
    Hours24,
    /// Today and the 6 days before, in the market's time zone.
    Days7,
    /// Today and the 27 days before.
    Days28,
    /// Today and the 89 days before.
    Days90,
}

/// How often each thing happened in a window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Flows {
    /// Homes that came on the market.
    pub new: i64,
    /// Homes that came back to it.
    pub back_on_market: i64,
    /// Price cuts.
    pub price_cuts: i64,
    /// Price rises.
    pub price_rises: i64,
    /// Homes that went under contract.
    pub pending: i64,
    /// Homes sold or let.
    pub closed: i64,
    /// Homes that left without a known sale.
    pub gone: i64,
}

/// The figures of one segment of a market. Prices in minor units; `None` where no home tells.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Figures {
    /// Active inventory.
    pub active: i64,
    /// How many of them have a price.
    pub priced: i64,
    /// Median list price.
    pub median_price: Option<f64>,
    /// Mean list price.
    pub mean_price: Option<f64>,
    /// Lower quartile of list prices.
    pub p25_price: Option<f64>,
    /// Upper quartile of list prices.
    pub p75_price: Option<f64>,
    /// Lowest list price, to within a thousandth.
    pub min_price: Option<f64>,
    /// Highest list price, to within a thousandth.
    pub max_price: Option<f64>,
    /// Median of list price by living area, in minor units per square metre.
    pub median_price_per_m2: Option<f64>,
    /// Median days since the spell on the market opened.
    pub median_age_days: Option<f64>,
    /// Share, 0 to 1, of priced active homes that ask less than their first price.
    pub cut_share: Option<f64>,
    /// Median of those cuts, as a fraction of the first price.
    pub median_cut: Option<f64>,
    /// What happened in the last 24 hours, 7, 28 and 90 days.
    pub last_24_hours: Flows,
    /// See `last_24_hours`.
    pub last_7_days: Flows,
    /// See `last_24_hours`.
    pub last_28_days: Flows,
    /// See `last_24_hours`.
    pub last_90_days: Flows,
}

/// The figures of a market at a moment.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Snapshot {
    /// Which definitions the figures follow.
    pub catalogue_version: u32,
    /// The moment.
    pub as_of: Time,
    /// The whole market.
    pub all: Figures,
    /// Each property type and each bedroom count that the market has or had, by name.
    pub segments: Vec<(String, Figures)>,
}

/// Reads the figures of a market at `now`: a pure function of the state and the time. Stock is that of
/// the close of the day of `now`, so far as it is known.
#[must_use]
pub fn snapshot(cells: &Cells, now: Time, zone: &TimeZone) -> Snapshot {
    let parts = cells.segments().into_iter().filter(|segment| *segment != Segment::All);
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

    /// The number of hours (of [`Window::Hours24`]) or days that the window spans.
    #[must_use]
    pub fn span(self) -> i32 {
        match self {
            Self::Hours24 => 24,
            Self::Days7 => 7,
            Self::Days28 => 28,
            Self::Days90 => 90,
        }
    }

    /// The name as in headings: `24 h`, `7 d`.
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
    /// Adds a count that stands in a flow's bucket.
    pub(crate) fn add(&mut self, bucket: i32, count: i64) {
        let slot = match event_of(bucket) {
            Some(EventKind::New) => &mut self.new,
            Some(EventKind::BackOnMarket) => &mut self.back_on_market,
            Some(EventKind::PriceCut) => &mut self.price_cuts,
            Some(EventKind::PriceRise) => &mut self.price_rises,
            Some(EventKind::Pending) => &mut self.pending,
            Some(EventKind::Closed) => &mut self.closed,
            Some(EventKind::Gone) => &mut self.gone,
            None => return,
        };
        *slot += count;
    }

    fn of(cells: &Cells, segment: Segment, window: Window, now: Time, zone: &TimeZone) -> Self {
        let (measure, last) = match window {
            Window::Hours24 => (Measure::FlowHour, now.hour().0),
            _ => (Measure::FlowDay, now.day_in(zone).0),
        };
        let mut flows = Self::default();
        for (key, count) in cells.range_between(segment, measure, last - window.span() + 1, last) {
            flows.add(key.bucket(), count);
        }
        flows
    }
}

impl Figures {
    /// The flows of a window.
    #[must_use]
    pub fn flows(&self, window: Window) -> &Flows {
        match window {
            Window::Hours24 => &self.last_24_hours,
            Window::Days7 => &self.last_7_days,
            Window::Days28 => &self.last_28_days,
            Window::Days90 => &self.last_90_days,
        }
    }

    /// Reads one segment.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "counts of homes")]
    pub fn of(cells: &Cells, segment: Segment, now: Time, zone: &TimeZone) -> Self {
        let today = now.day_in(zone).0;
        let histogram = |measure| {
            let mut histogram = Histogram::default();
            for (key, count) in cells.range(segment, measure, today) {
                histogram.add(Bucket(key.bucket()), count);
            }
            histogram
        };
        let sum = |measure| cells.range(segment, measure, today).fold(0_i64, |sum, (_, v)| sum.wrapping_add(v));
        let prices = histogram(Measure::Price);
        let cuts = histogram(Measure::Cut);
        let priced = prices.count();
        let price_sum = sum(Measure::PriceSum);
        let opened = histogram(Measure::Opened);
        let ages = opened.buckets().rev().map(|(day, count)| (f64::from((today - day.0).max(0)), count));
        let flows = |window| Flows::of(cells, segment, window, now, zone);
        Self {
            active: sum(Measure::Active),
            priced,
            median_price: prices.quantile(0.5),
            mean_price: (priced > 0).then(|| price_sum as f64 / priced as f64),
            p25_price: prices.quantile(0.25),
            p75_price: prices.quantile(0.75),
            min_price: prices.quantile(0.0),
            max_price: prices.quantile(1.0),
            median_price_per_m2: histogram(Measure::PricePerArea).quantile(0.5),
            median_age_days: quantile_of(ages, opened.count(), 0.5),
            cut_share: (priced > 0).then(|| cuts.count() as f64 / priced as f64),
            median_cut: cuts.quantile(0.5).map(|bp| bp / 10_000.0),
            last_24_hours: flows(Window::Hours24),
            last_7_days: flows(Window::Days7),
            last_28_days: flows(Window::Days28),
            last_90_days: flows(Window::Days90),
        }
    }
}
