//! The stored sums of a wide area: a city, county, region or country.
//!
//! The figures of a wide area are those of the sum of its markets, but that sum is large: it has the day of entry, the
//! price to a thousandth and the expiry day of each home. Queries of wide areas need only current figures and a daily
//! series, which require much less: closes of the whole area, and log prices by cell for a price index. A [`Projection`]
//! moves, merges and drops coordinates regardless of their values, so it is linear: the projection of a sum is the sum of
//! the projections, an old contribution of a market can be subtracted, and an area is the sum of the areas below it.

use jiff::tz::TimeZone;
use stoop_domain::{Day, Time};

use crate::asking::{PriceRange, asking_prices};
use crate::cells::Cells;
use crate::codec::CodecError;
use crate::contribution::sum_up;
use crate::figures::Figures;
use crate::flows::Window;
use crate::key::Key;
use crate::kind::{CounterKind, Quantity, Role};
use crate::kinds::KindPrices;
use crate::measures::KeptSums;
use crate::mix::{LogPrices, log_prices_of};
use crate::month::Month;
use crate::moving::{AVERAGE_DAYS, PooledMedians, pooled_medians};
use crate::opened::opened_by;
use crate::repeat::{RepeatPairs, repeat_pairs_of};
use crate::segment::{Cell, Segment};
use crate::series::{Close, closes, first_day};

/// The number of civil days, from the first one on, for which a [`Wide`] has figures.
pub const WIDE_DAYS: i32 = 10;

/// The length of the daily series of a stored [`Wide`], in days.
pub const WIDE_SERIES_DAYS: u16 = 400;

/// Days before the first day of a series whose prices enter its moving averages.
const BEFORE_SERIES_DAYS: i32 = AVERAGE_DAYS[AVERAGE_DAYS.len() - 1];

/// Entries are summed up when this many were added since the last time, which bounds memory by the size of the result.
const ENTRIES_MAX: usize = 1 << 20;

/// The stored sums of a wide area: enough for the figures of [`WIDE_DAYS`] civil days and the daily series that ends
/// there.
///
/// A vector of integers and a group, like [`Cells`]: areas can be added and subtracted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wide {
    now: Cells,
    series: Cells,
}

/// Sums markets into the [`Wide`] of their area.
#[derive(Clone, Debug)]
pub struct Projection {
    from: Day,
    series_days: u16,
    now: Vec<(Key, i64)>,
    series: Vec<(Key, i64)>,
    summed: usize,
}

impl Projection {
    /// An empty projection. `from` is the first of the [`WIDE_DAYS`] civil days, in any time zone.
    #[must_use]
    pub fn new(from: Day) -> Self {
        Self::with_series(from, WIDE_SERIES_DAYS)
    }

    /// The same with a daily series of this many days, if they are more than [`WIDE_SERIES_DAYS`].
    #[must_use]
    pub fn with_series(from: Day, days: u16) -> Self {
        let series_days = days.max(WIDE_SERIES_DAYS);
        Self { from, series_days, now: Vec::new(), series: Vec::new(), summed: 0 }
    }

    /// Adds a market: its state, and at least those periods of its archive that have days since
    /// [`Projection::first_day`]. More of the archive makes no difference.
    pub fn add(&mut self, cells: &Cells, archive: &Cells) {
        for (key, value) in cells.entries() {
            self.put(key, value);
        }
        // The opening of the state also contains the days of the archive.
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

    /// The first single day of the series. Everything before is in the opening of that day.
    #[must_use]
    pub fn first_day(&self) -> Day {
        Day(self.from.0.saturating_sub(i32::from(self.series_days) + BEFORE_SERIES_DAYS))
    }

    /// The sum of all added markets.
    #[must_use]
    pub fn sum(mut self) -> Wide {
        sum_up(&mut self.now);
        sum_up(&mut self.series);
        Wide { now: Cells::from_sorted(self.now, None), series: Cells::from_sorted(self.series, None) }
    }

    fn put(&mut self, key: Key, value: i64) {
        let Some(kind) = key.kind() else { return };
        // Leaves out what is scheduled for later days: nearly every home has an expiry there, which each sighting
        // moves.
        // West of Greenwich, a civil day ends on the next UTC day, by which hours are kept.
        let more = i32::from(key.quantity() == Quantity::Hour);
        if kind != CounterKind::Opening && key.day() >= self.from.0.saturating_add(WIDE_DAYS + more) {
            return;
        }
        self.now.extend(self.in_now(key, kind).into_iter().chain(self.event_in_now(key, kind)).map(|key| (key, value)));
        self.series.extend(self.in_series(key, kind).map(|key| (key, value)));
        self.series.extend(self.price_in_series(key, kind, value).into_iter().flatten());
    }

    /// The coordinate for the current figures that `key` is projected to.
    fn in_now(&self, key: Key, kind: CounterKind) -> Option<Key> {
        let (quantity, from) = (key.quantity(), self.from.0);
        match quantity {
            // A civil day begins up to a day before the UTC day, and the window adds one more.
            Quantity::Hour => (key.day() >= from - 2).then_some(key),
            Quantity::Count => since(key, kind, self.first_event()),
            Quantity::Repeat => None,
            _ if quantity.is_stock(kind) => {
                let cell = key.cell()?;
                since(Key::new(cell, quantity, CounterKind::Amended, Day(key.day()), key.bucket()), kind, from)
            }
            _ => (key.day() >= self.first_event()).then_some(key),
        }
    }

    /// The coordinate for the events of the windows that `key`, a change of the stock, is projected to as well.
    fn event_in_now(&self, key: Key, kind: CounterKind) -> Option<Key> {
        if key.day() < self.first_event() {
            return None;
        }
        match (key.quantity(), kind.role()) {
            (Quantity::Price, _) if kind == CounterKind::New => {
                Some(Key::new(key.cell()?, Quantity::Price, CounterKind::Asked, Day(key.day()), key.bucket()))
            }
            (Quantity::Opened, Role::Entry | Role::Exit) if kind.crosses(Segment::All) => {
                let age = key.day().saturating_sub(key.bucket());
                // An entry long after the opening is in no estimate.
                let is_read = kind.role() == Role::Exit || key.bucket() >= self.first_event();
                let kind = if kind.role() == Role::Entry { CounterKind::New } else { kind };
                is_read.then(|| Key::of_area(Quantity::Age, kind, Day(key.day()), age))
            }
            _ => None,
        }
    }

    /// The first day of the longest window.
    fn first_event(&self) -> i32 {
        self.from.0 - Window::Days90.span() + 1
    }

    /// The coordinate for the series, which covers the whole area, that `key` is projected to.
    fn in_series(&self, key: Key, kind: CounterKind) -> Option<Key> {
        const WHOLE: Cell = Cell { property_type: None, bedrooms: None };
        let (quantity, day) = (key.quantity(), Day(key.day()));
        let (reported_as, bucket) = match quantity {
            Quantity::Count if matches!(kind, CounterKind::RelistedLower) => return None,
            Quantity::Count if kind.crosses(Segment::All) => (kind, 0),
            // A home that changes its cell leaves one and enters another on the same day: no change for the whole area.
            Quantity::Count => (CounterKind::CellIn, 0),
            Quantity::Repeat => return self.pair_in_series(key, kind),
            _ if !quantity.is_stock(kind) => return None,
            Quantity::Price => (CounterKind::Amended, key.bucket()),
            Quantity::PriceSum | Quantity::PriceSumHigh | Quantity::Unconfirmed => (CounterKind::Amended, 0),
            _ => return None,
        };
        since(Key::new(WHOLE, quantity, reported_as, day, bucket), kind, self.first_day().0)
    }

    /// The coordinate for the repeat-listing index, which is one of months: pairs before the civil days with figures are
    /// moved to the first day of their month.
    fn pair_in_series(&self, key: Key, kind: CounterKind) -> Option<Key> {
        let day = Day(key.day());
        let moved = if day < self.from { Month::of(day).first() } else { day };
        (day >= self.first_day()).then(|| Key::of_area(Quantity::Repeat, kind, moved, key.bucket()))
    }

    /// The number of priced homes and the sum of the logarithms of their prices, for the series of a cell, that `key`, a
    /// price, is projected to.
    fn price_in_series(&self, key: Key, kind: CounterKind, value: i64) -> Option<[(Key, i64); 2]> {
        if key.quantity() != Quantity::Price || !key.quantity().is_stock(kind) {
            return None;
        }
        let cell = key.cell()?;
        let put = |bucket, value| {
            let key = Key::new(cell, Quantity::PriceLog, CounterKind::Amended, Day(key.day()), bucket);
            Some((since(key, kind, self.first_day().0)?, value))
        };
        Some([put(0, value)?, put(1, value.wrapping_mul(i64::from(key.bucket())))?])
    }
}

/// Keeps a coordinate on or after the day `first`. Before, stock moves to the opening and events are dropped. The
/// opening of a state precedes all days of its archive.
fn since(key: Key, kind: CounterKind, first: i32) -> Option<Key> {
    if key.day() >= first && kind != CounterKind::Opening {
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

    /// Subtracts what was added before.
    pub fn subtract(&mut self, other: &Self) {
        self.now.add_times(&other.now, -1);
        self.series.add_times(&other.series, -1);
    }

    /// The figures of a segment at `now`, which must lie on one of the [`WIDE_DAYS`] days.
    #[must_use]
    pub fn figures(&self, segment: Segment, now: Time, zone: &TimeZone) -> Figures {
        Figures::of_sums(KeptSums::Wide, &self.now, segment, now, zone)
    }

    /// The list prices at the end of `today`, as [`asking_prices`](crate::asking_prices): for the days of [`Wide::figures`].
    #[must_use]
    pub fn asking_prices(&self, today: Day) -> Vec<PriceRange> {
        asking_prices(&self.now, today)
    }

    /// The homes on offer at the end of `today` whose spell opened by each of these days, as [`opened_by`]: for the days of
    /// [`Wide::figures`].
    #[must_use]
    pub fn opened_by(&self, today: Day, days: &[Day]) -> Vec<i64> {
        opened_by(&self.now, today, days)
    }

    /// The list prices by kind of home at the end of `today`: for the days of [`Wide::figures`].
    #[must_use]
    pub fn kind_prices(&self, today: Day) -> KindPrices {
        KindPrices::of(&self.now, today)
    }

    /// The list prices per square metre by kind of home, likewise.
    #[must_use]
    pub fn kind_prices_per_m2(&self, today: Day) -> KindPrices {
        KindPrices::per_m2(&self.now, today)
    }

    /// The closes of the days `from..=until` of the whole area. `until` must be one of the [`WIDE_DAYS`] days; `from`
    /// may lie as many days before it as the series has, [`WIDE_SERIES_DAYS`], plus those of a moving average.
    #[must_use]
    pub fn closes(&self, from: Day, until: Day) -> Vec<Close> {
        closes(&self.series, Segment::All, from, until)
    }

    /// The pooled medians of the days `from..=until` of the whole area, for the days of [`Wide::closes`].
    #[must_use]
    pub fn pooled_medians(&self, from: Day, until: Day) -> Vec<PooledMedians> {
        pooled_medians(&self.series, Segment::All, from, until)
    }

    /// The log prices of these days, in order, as `log_prices`: for the days of [`Wide::closes`].
    #[must_use]
    pub fn log_prices(&self, days: &[Day]) -> Vec<LogPrices> {
        let entries = self.series.of(Segment::All, Quantity::PriceLog);
        let changes = entries.map(|(key, value)| {
            let value = i128::from(value);
            let [homes, logs] = if key.bucket() == 0 { [value, 0] } else { [0, value] };
            (key, homes, logs)
        });
        log_prices_of(changes, days)
    }

    /// The pairs of first asking prices since the month of `since`, as `repeat_pairs`: for days of [`Wide::closes`].
    #[must_use]
    pub fn repeat_pairs(&self, since: Day, until: Day) -> RepeatPairs {
        repeat_pairs_of(self.series.of_area(Quantity::Repeat), since, until)
    }

    /// The first day with a change, as [`first_day`].
    #[must_use]
    pub fn first_day(&self) -> Option<Day> {
        first_day(&self.series)
    }

    /// The cells with homes now or within the last 90 days, in order.
    #[must_use]
    pub fn cells(&self) -> Vec<Cell> {
        self.now.cells()
    }

    /// The property types and numbers of bedrooms with homes now or within the last 90 days, in order.
    #[must_use]
    pub fn segments(&self) -> Vec<Segment> {
        self.now.segments()
    }

    /// Whether every coordinate is zero.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.now.is_empty() && self.series.is_empty()
    }

    /// The number of coordinates that are not zero.
    #[must_use]
    pub fn len(&self) -> usize {
        self.now.len() + self.series.len()
    }

    /// Describes the first coordinate that differs. `None` if both are equal.
    #[must_use]
    pub fn first_difference(&self, other: &Self) -> Option<String> {
        let now = self.now.first_difference(&other.now);
        now.or_else(|| Some(format!("in its series: {}", self.series.first_difference(&other.series)?)))
    }

    /// Encodes the sums for figures and the sums for the series, each like [`Cells::to_bytes`].
    #[must_use]
    pub fn to_bytes(&self) -> [Vec<u8>; 2] {
        [self.now.to_bytes(), self.series.to_bytes()]
    }

    /// Decodes the format of [`Wide::to_bytes`]. Without `series` there is no series.
    ///
    /// # Errors
    /// If the bytes are anything else.
    pub fn from_bytes(now: &[u8], series: Option<&[u8]>) -> Result<Self, CodecError> {
        let part = |bytes: &[u8]| {
            let cells = Cells::from_bytes(bytes)?;
            if cells.horizon().is_some() { Err(CodecError::Damaged) } else { Ok(cells) }
        };
        Ok(Self { now: part(now)?, series: series.map(part).transpose()?.unwrap_or_default() })
    }
}
