//! What is kept of a wide area: a city, a county, a region, a country.
//!
//! The figures of a wide area are those of the sum of its markets, and that sum is large: each home stands in it with the
//! day on which it came, with its price to a thousandth, and with the day on which it will expire. What people ask of a wide area
//! are the figures of now and a daily series, and these follow from much less. A [`Projection`] moves, merges and drops coordinates
//! without regard to their values, so it is linear: the projection of a sum is the sum of the projections, what a market
//! counted before can be taken away again, and an area is the sum of the areas below it.

use jiff::tz::TimeZone;
use stoop_domain::{Day, Time};

use crate::cells::Cells;
use crate::codec::CodecError;
use crate::contribution::sum_up;
use crate::histogram::Bucket;
use crate::key::{Cell, Key, Kind, Quantity, Segment};
use crate::series::{Close, closes, first_day};
use crate::snapshot::{Figures, Window};

/// How many civil days a [`Wide`] tells the figures of: the first one, and those behind it.
pub const WIDE_DAYS: i32 = 10;

/// The longest daily series that a [`Wide`] tells, in days.
pub const WIDE_SERIES_DAYS: u16 = 400;

/// The largest relative error of a price, price per area or cut that is read from coarse buckets ([`Grain::Coarse`]).
pub const COARSE_ERROR: f64 = 0.01;

/// Before the first day of a series lie those whose medians its averages are of.
const BEFORE_SERIES_DAYS: i32 = 28;

/// Fine buckets that are one coarse bucket. An odd number, so that the one in the middle stands for all: nine buckets of 0.2 %
/// reach 0.91 % to either side of its value.
const COARSE: i32 = 9;

/// Entries are summed up when there are so many more than when they were summed up last: memory is bounded by what is kept.
const ENTRIES_MAX: usize = 1 << 20;

/// How finely prices, prices per area and cuts are kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Grain {
    /// In the buckets of a market's state, to within [`crate::RELATIVE_ERROR`].
    #[default]
    Fine,
    /// In buckets that are unions of those, to within [`COARSE_ERROR`].
    Coarse,
}

/// What is kept of a wide area: enough for the figures of [`WIDE_DAYS`] civil days and the daily series that end there.
///
/// A vector of whole numbers like [`Cells`], and like them a group: areas are added and taken away.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wide {
    now: Cells,
    series: Cells,
}

/// Sums markets up to what is kept of the area that they are.
#[derive(Clone, Debug)]
pub struct Projection {
    from: Day,
    grain: Grain,
    now: Vec<(Key, i64)>,
    series: Vec<(Key, i64)>,
    summed: usize,
}

impl Grain {
    /// The bucket that stands for this one.
    fn of(self, bucket: Bucket) -> Bucket {
        match self {
            Self::Fine => bucket,
            Self::Coarse => Bucket(bucket.0.div_euclid(COARSE) * COARSE + COARSE / 2),
        }
    }

    /// The least bucket that this one may stand for.
    pub(crate) fn first_of(self, bucket: Bucket) -> Bucket {
        Bucket(bucket.0.saturating_sub(self.reach()))
    }

    /// The greatest bucket that this one may stand for.
    pub(crate) fn last_of(self, bucket: Bucket) -> Bucket {
        Bucket(bucket.0.saturating_add(self.reach()))
    }

    fn reach(self) -> i32 {
        if self == Self::Coarse { COARSE / 2 } else { 0 }
    }
}

impl Projection {
    /// Of no market yet. `from` is the first of the [`WIDE_DAYS`] civil days that are told, in whichever zone.
    #[must_use]
    pub fn new(from: Day, grain: Grain) -> Self {
        Self { from, grain, now: Vec::new(), series: Vec::new(), summed: 0 }
    }

    /// Adds a market: its state, and of its archive at least the periods that have days since [`Projection::first_day`].
    /// More of the archive changes nothing.
    pub fn add(&mut self, cells: &Cells, archive: &Cells) {
        for (key, value) in cells.entries() {
            self.put(key, value);
        }
        // What the archive tells of is in the opening of the state as well.
        if let Some(horizon) = cells.horizon() {
            for (key, value) in archive.entries().filter(|(key, _)| key.day() < horizon.days.0) {
                self.put(key, value);
                if key.kind().is_some_and(|kind| key.quantity().is_stock(kind)) {
                    self.put(key.opening(horizon.days.0 - 1), value.wrapping_neg());
                }
            }
        }
        if self.now.len() + self.series.len() > self.summed + ENTRIES_MAX {
            sum_up(&mut self.now);
            sum_up(&mut self.series);
            self.summed = self.now.len() + self.series.len();
        }
    }

    /// The first day that is told by itself, in the series. What was before is the opening of that day.
    #[must_use]
    pub fn first_day(&self) -> Day {
        Day(self.from.0.saturating_sub(i32::from(WIDE_SERIES_DAYS) + BEFORE_SERIES_DAYS))
    }

    /// The sum of all that was added.
    #[must_use]
    pub fn sum(mut self) -> Wide {
        sum_up(&mut self.now);
        sum_up(&mut self.series);
        Wide { now: Cells::from_sorted(self.now, None), series: Cells::from_sorted(self.series, None) }
    }

    fn put(&mut self, key: Key, value: i64) {
        let Some(kind) = key.kind() else { return };
        // What is scheduled for later days is left out: nearly every home has its expiry there, which each sighting moves.
        if kind != Kind::Opening && key.day() >= self.from.0.saturating_add(WIDE_DAYS) {
            return;
        }
        self.now.extend(self.in_now(key, kind).map(|key| (key, value)));
        self.series.extend(self.in_series(key, kind).map(|key| (key, value)));
    }

    /// Where a coordinate stands in what the figures of some days are read from.
    fn in_now(&self, key: Key, kind: Kind) -> Option<Key> {
        let (quantity, from) = (key.quantity(), self.from.0);
        match quantity {
            // A civil day begins up to a day before that of UTC, and the window spans one more.
            Quantity::Hour => (key.day() >= from - 2).then_some(key),
            Quantity::Count => since(key, kind, from - Window::Days90.span() + 1),
            _ => {
                let bucket = if quantity.is_of_prices() { self.grain.of(Bucket(key.bucket())).0 } else { key.bucket() };
                let cell = key.cell()?;
                since(Key::new(cell, quantity, Kind::Amended, Day(key.day()), bucket), kind, from)
            }
        }
    }

    /// Where a coordinate stands in what the series is read from, which is of the whole area.
    fn in_series(&self, key: Key, kind: Kind) -> Option<Key> {
        const WHOLE: Cell = Cell { property_type: None, bedrooms: None };
        let (quantity, day) = (key.quantity(), Day(key.day()));
        let (reported_as, bucket) = match quantity {
            Quantity::Hour | Quantity::PricePerArea | Quantity::Opened | Quantity::Cut => return None,
            Quantity::Count if kind.crosses(Segment::All) => (kind, 0),
            // A home that changes its cell leaves one and enters another on the same day: to the whole, nothing.
            Quantity::Count => (Kind::CellIn, 0),
            Quantity::Price => (Kind::Amended, Grain::Coarse.of(Bucket(key.bucket())).0),
            Quantity::PriceSum | Quantity::PriceSumHigh | Quantity::Unconfirmed => (Kind::Amended, 0),
        };
        since(Key::new(WHOLE, quantity, reported_as, day, bucket), kind, self.first_day().0)
    }
}

/// A coordinate that is told by its day since a day; before, stock is in the opening, and events are forgotten. The opening of a
/// state is before everything that its archive tells of those days.
fn since(key: Key, kind: Kind, first: i32) -> Option<Key> {
    if key.day() >= first && kind != Kind::Opening {
        return Some(key);
    }
    key.quantity().is_stock(kind).then(|| key.opening(first - 1))
}

impl Wide {
    /// Adds another area, or another part of this one.
    pub fn add(&mut self, other: &Self) {
        self.now.add_times(&other.now, 1);
        self.series.add_times(&other.series, 1);
    }

    /// Takes away what was added.
    pub fn subtract(&mut self, other: &Self) {
        self.now.add_times(&other.now, -1);
        self.series.add_times(&other.series, -1);
    }

    /// The same with prices as coarse as that: what projecting its markets so had given.
    #[must_use]
    pub fn of_grain(&self, grain: Grain) -> Self {
        if grain == Grain::Fine {
            return self.clone();
        }
        let coarser = |(key, value): (Key, i64)| {
            let bucket = grain.of(Bucket(key.bucket())).0;
            (if key.quantity().is_of_prices() { key.in_bucket(bucket) } else { key }, value)
        };
        let mut now: Vec<(Key, i64)> = self.now.entries().map(coarser).collect();
        sum_up(&mut now);
        Self { now: Cells::from_sorted(now, None), series: self.series.clone() }
    }

    /// The figures of a segment at a moment whose civil day is one of those that are told. `grain` is what it was projected to.
    #[must_use]
    pub fn figures(&self, grain: Grain, segment: Segment, now: Time, zone: &TimeZone) -> Figures {
        Figures::of_grain(grain, &self.now, segment, now, zone)
    }

    /// The closes of the days `from..=until` of the whole area: `until` is told, `from` at most [`WIDE_SERIES_DAYS`] and the days
    /// that an average spans before it.
    #[must_use]
    pub fn closes(&self, from: Day, until: Day) -> Vec<Close> {
        closes(&self.series, Segment::All, from, until)
    }

    /// See [`first_day`].
    #[must_use]
    pub fn first_day(&self) -> Option<Day> {
        first_day(&self.series)
    }

    /// The cells that have homes, or had any within 90 days, in order.
    #[must_use]
    pub fn cells(&self) -> Vec<Cell> {
        self.now.cells()
    }

    /// Every property type and every number of bedrooms that has homes, or had any within 90 days, in order.
    #[must_use]
    pub fn segments(&self) -> Vec<Segment> {
        self.now.segments()
    }

    /// Whether every coordinate is zero.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.now.is_empty() && self.series.is_empty()
    }

    /// How many coordinates are not zero.
    #[must_use]
    pub fn len(&self) -> usize {
        self.now.len() + self.series.len()
    }

    /// The first coordinate in which two differ, in words, or `None` where they are equal.
    #[must_use]
    pub fn first_difference(&self, other: &Self) -> Option<String> {
        let now = self.now.first_difference(&other.now);
        now.or_else(|| Some(format!("in its series: {}", self.series.first_difference(&other.series)?)))
    }

    /// As bytes: what the figures are read from, and what the series is read from, each like [`Cells::to_bytes`].
    #[must_use]
    pub fn to_bytes(&self) -> [Vec<u8>; 2] {
        [self.now.to_bytes(), self.series.to_bytes()]
    }

    /// Reads what [`Wide::to_bytes`] wrote. Without the second part there is no series.
    ///
    /// # Errors
    /// On any other bytes.
    pub fn from_bytes(now: &[u8], series: Option<&[u8]>) -> Result<Self, CodecError> {
        let part = |bytes: &[u8]| {
            let cells = Cells::from_bytes(bytes)?;
            if cells.horizon().is_some() { Err(CodecError::Damaged) } else { Ok(cells) }
        };
        Ok(Self { now: part(now)?, series: series.map(part).transpose()?.unwrap_or_default() })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_coarse_bucket_knows_its_values_to_a_hundredth_and_holds_them(value in 1e-6_f64..1e18) {
            let fine = Bucket::of(value).unwrap();
            let coarse = Grain::Coarse.of(fine);
            prop_assert!((coarse.value() / value - 1.0).abs() <= COARSE_ERROR * 0.92, "{value} in {coarse:?}");
            prop_assert_eq!(Grain::Coarse.of(coarse), coarse);
            prop_assert!((Grain::Coarse.first_of(coarse)..=Grain::Coarse.last_of(coarse)).contains(&fine));
        }
    }
}
