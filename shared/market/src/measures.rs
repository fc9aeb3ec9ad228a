//! What the figures of a segment are computed from: sums of coordinates, made in one pass.

use stoop_domain::Day;

use crate::cells::Cells;
use crate::flows::{Flows, Window};
use crate::histogram::{Bucket, Histogram};
use crate::key::Key;
use crate::kind::{CounterKind, NO_CUT_BEFORE, Quantity, Role};
use crate::segment::Segment;
use crate::speed::{Speed, Stays};
use crate::stock::Stock;

/// The sums of a segment at the end of a day.
#[derive(Clone, Debug)]
pub(crate) struct Measures {
    pub(crate) today: Day,
    pub(crate) stock: Stock,
    /// Homes under contract.
    pub(crate) pending: i64,
    /// [`Window::OF_DAYS`], short to long.
    pub(crate) windows: [WindowSums; 3],
    /// How fast the homes listed in the last 90 days leave; `None` if these sums do not have them.
    pub(crate) speed: Option<Speed>,
}

/// The events of a window.
#[derive(Clone, Debug)]
pub(crate) struct WindowSums {
    pub(crate) window: Window,
    first: i32,
    pub(crate) flows: Flows,
    /// First prices of new homes.
    pub(crate) asked: Histogram,
    pub(crate) sale_prices: Histogram,
    pub(crate) sale_sum: i128,
    pub(crate) sales_per_area: Histogram,
    /// Closing prices in basis points of the last asking price.
    pub(crate) to_list: Histogram,
    /// Closing prices in basis points of the first asking price.
    pub(crate) to_original: Histogram,
    /// Days since the spell opened, of homes that left the stock other than for another market or cell.
    pub(crate) left: Histogram,
    /// Homes with a cut.
    pub(crate) homes_cut: i64,
    pub(crate) cut_steps: Histogram,
    /// Days from the opening of a spell to its first cut.
    pub(crate) first_cuts: Histogram,
    pub(crate) relisted_lower: i64,
}

/// Which sums a state has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KeptSums {
    /// All: the state of a market, or a sum of states.
    Whole,
    /// Those of a wide area.
    Wide,
}

impl Measures {
    /// The sums of a segment at the end of `today`.
    pub(crate) fn of(cells: &Cells, kept: KeptSums, segment: Segment, today: Day) -> Self {
        let mut sums = Self {
            today,
            stock: Stock::default(),
            pending: 0,
            windows: Window::OF_DAYS.map(|window| WindowSums::new(window, today)),
            speed: None,
        };
        let mut stays = Stays::new(today);
        for quantity in Quantity::OF_DAYS {
            for (key, value) in cells.of(segment, quantity).filter(|(key, _)| key.day() <= today.0) {
                sums.add(&mut stays, segment, key, value);
            }
        }
        if kept == KeptSums::Wide && segment == Segment::All {
            for (key, value) in cells.of_area(Quantity::Age).filter(|(key, _)| key.day() <= today.0) {
                sums.add_age(&mut stays, key.kind(), key.day(), key.bucket(), value);
            }
        }
        sums.speed = (kept == KeptSums::Whole || segment == Segment::All).then(|| stays.speed());
        sums
    }

    fn add(&mut self, stays: &mut Stays, segment: Segment, key: Key, value: i64) {
        self.stock.add(key, value);
        match key.quantity() {
            Quantity::PendingStock => self.pending += value,
            Quantity::Opened if key.kind().is_some_and(|kind| kind.crosses(segment)) => {
                let kind = key.kind().filter(|kind| matches!(kind.role(), Role::Entry | Role::Exit));
                self.add_age(stays, kind, key.day(), key.day().saturating_sub(key.bucket()), value);
            }
            _ => self.windows.iter_mut().filter(|window| key.day() >= window.first).for_each(|window| {
                window.add(segment, key, value);
            }),
        }
    }

    /// Adds homes that enter (`value` above 0) or leave the stock on a day, this long after their spell opened.
    fn add_age(&mut self, stays: &mut Stays, kind: Option<CounterKind>, day: i32, age: i32, value: i64) {
        let Some(kind) = kind else { return };
        stays.add(kind, day, age, value);
        if matches!(kind, CounterKind::Pending | CounterKind::Closed | CounterKind::Gone | CounterKind::Expired) {
            let windows = self.windows.iter_mut().filter(|window| day >= window.first);
            windows.for_each(|window| window.left.add(Bucket(age.max(0)), -value));
        }
    }
}

impl WindowSums {
    fn new(window: Window, today: Day) -> Self {
        Self {
            window,
            first: today.0.saturating_sub(window.span() - 1),
            flows: Flows::default(),
            asked: Histogram::default(),
            sale_prices: Histogram::default(),
            sale_sum: 0,
            sales_per_area: Histogram::default(),
            to_list: Histogram::default(),
            to_original: Histogram::default(),
            left: Histogram::default(),
            homes_cut: 0,
            cut_steps: Histogram::default(),
            first_cuts: Histogram::default(),
            relisted_lower: 0,
        }
    }

    fn add(&mut self, segment: Segment, key: Key, value: i64) {
        let Some(kind) = key.kind() else { return };
        let bucket = Bucket(key.bucket());
        match (key.quantity(), kind) {
            (Quantity::Count, CounterKind::RelistedLower) => self.relisted_lower += value,
            (Quantity::Count, _) => self.flows.add(segment, key, value),
            (Quantity::Price, CounterKind::New | CounterKind::Asked) => self.asked.add(bucket, value),
            (Quantity::Price, CounterKind::Sold) => self.sale_prices.add(bucket, value),
            (Quantity::PriceSum, CounterKind::Sold) => self.sale_sum += i128::from(value),
            (Quantity::PriceSumHigh, CounterKind::Sold) => self.sale_sum += i128::from(value) << 32,
            (Quantity::PricePerArea, CounterKind::Sold) => self.sales_per_area.add(bucket, value),
            (Quantity::Ratio, CounterKind::Sold) => self.to_list.add(bucket, value),
            (Quantity::Ratio, CounterKind::SoldOriginal) => self.to_original.add(bucket, value),
            (Quantity::Cut, CounterKind::CutStep) => self.cut_steps.add(bucket, value),
            // A home is counted at its first cut in the window.
            (Quantity::CutGap, _) if bucket.0 == NO_CUT_BEFORE || key.day() - bucket.0 < self.first => {
                self.homes_cut += value;
            }
            (Quantity::Age, CounterKind::PriceCut) => self.first_cuts.add(bucket, value),
            _ => {}
        }
    }
}
