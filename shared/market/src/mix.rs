//! A price index adjusted for the mix of homes: how prices of the same kinds of homes changed.

use std::collections::{BTreeMap, VecDeque};

use stoop_domain::Day;

use crate::cells::Cells;
use crate::histogram::LN_OF_BUCKET;
use crate::key::Key;
use crate::kind::Quantity;
use crate::segment::{Cell, Segment};

/// The days up to and with a day whose prices are compared.
pub const INDEX_DAYS: i32 = 28;

/// The fewest homes of a cell, on average over [`INDEX_DAYS`] days, for its prices to be compared.
const CELL_HOMES: i128 = 5;

/// The least share of home-days in compared cells.
const MATCHED_SHARE: f64 = 0.5;

/// The list prices on the [`INDEX_DAYS`] days that end with a day: for each cell the number of homes with a price, summed
/// over the days (home-days), and the sum of the logarithms of their prices.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogPrices {
    /// In order of cells, without empty ones. The logarithms are numbers of buckets.
    cells: Vec<(u16, Sums)>,
}

/// How the list prices of homes of the same type and number of bedrooms differ between two days.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PriceIndex {
    /// Prices on the later day as a multiple of those on the base day: 1.05 is 5 % more.
    pub value: f64,
    /// The share (0 to 1) of home-days in cells that are compared: on the day with the lower one.
    pub matched_share: f64,
    /// Homes with a price on the base day and on the later day, each a mean over [`INDEX_DAYS`] days.
    pub homes: [f64; 2],
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Sums {
    homes: i128,
    logs: i128,
}

/// The log prices of these days, which must be in order. Prices of days before the state's horizon are unknown; see
/// [`Cells::with_archive`].
#[must_use]
pub fn log_prices(cells: &Cells, days: &[Day]) -> Vec<LogPrices> {
    let prices = cells.of(Segment::All, Quantity::Price);
    let stock = prices.filter(|(key, _)| key.kind().is_some_and(|kind| key.quantity().is_stock(kind)));
    let changes = stock.map(|(key, value)| (key, i128::from(value), i128::from(value) * i128::from(key.bucket())));
    log_prices_of(changes, days)
}

/// The log prices of these days from changes of the stock: the cell and day, homes, and the sum of their logarithms.
pub(crate) fn log_prices_of(changes: impl Iterator<Item = (Key, i128, i128)>, days: &[Day]) -> Vec<LogPrices> {
    let Some((first, last)) = days.first().zip(days.last()) else { return Vec::new() };
    let mut changes: Vec<(Key, i128, i128)> = changes.filter(|(key, ..)| key.day() <= last.0).collect();
    changes.sort_unstable_by_key(|(key, ..)| key.day());
    let mut changes = changes.into_iter().peekable();
    let mut wanted = days.iter().peekable();
    let (mut stock, mut pool) = (BTreeMap::<u16, Sums>::new(), BTreeMap::<u16, Sums>::new());
    let mut past: VecDeque<Vec<(u16, Sums)>> = VecDeque::new();
    let mut found = Vec::with_capacity(days.len());
    for day in first.0.saturating_sub(INDEX_DAYS - 1)..=last.0 {
        while let Some((key, homes, logs)) = changes.next_if(|(key, ..)| key.day() <= day) {
            stock.entry(key.cell_code()).or_default().add(Sums { homes, logs }, 1);
        }
        stock.retain(|_, sums| *sums != Sums::default());
        let today: Vec<(u16, Sums)> = stock.iter().map(|(cell, sums)| (*cell, *sums)).collect();
        today.iter().for_each(|(cell, sums)| pool.entry(*cell).or_default().add(*sums, 1));
        past.push_back(today);
        if past.len() > usize::try_from(INDEX_DAYS).unwrap_or_default() {
            let leaving = past.pop_front().unwrap_or_default();
            leaving.iter().for_each(|(cell, sums)| pool.entry(*cell).or_default().add(*sums, -1));
        }
        while wanted.next_if(|wanted| wanted.0 <= day).is_some() {
            let cells = pool.iter().filter(|(_, sums)| **sums != Sums::default());
            found.push(LogPrices { cells: cells.map(|(cell, sums)| (*cell, *sums)).collect() });
        }
    }
    found
}

impl LogPrices {
    /// The index of these prices against those of a base day: the weighted mean of the changes of the mean logarithms of
    /// all cells with at least five homes, on average, on both days. The weight of a cell is the mean of its shares of
    /// home-days on both days, as in a Törnqvist index, so that swapping the days inverts the index. `None` if less than
    /// half of the home-days of either day are in such cells.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "counts of homes")]
    pub fn index(&self, base: &Self) -> Option<PriceIndex> {
        let matched = self.matched(base);
        let [then, now] = [base.homes(), self.homes()];
        let [matched_then, matched_now] =
            [0, 1].map(|side| matched.iter().map(|(_, sums)| sums[side].homes).sum::<i128>());
        let share = |part: i128, whole: i128| part as f64 / whole as f64;
        let changes = matched.iter().map(|(_, [then, now])| {
            let weight = f64::midpoint(share(then.homes, matched_then), share(now.homes, matched_now));
            weight * (share(now.logs, now.homes) - share(then.logs, then.homes))
        });
        let log: f64 = changes.sum::<f64>() * LN_OF_BUCKET;
        let matched_share = share(matched_then, then.max(1)).min(share(matched_now, now.max(1)));
        let homes = [then, now].map(|homes| homes as f64 / f64::from(INDEX_DAYS));
        (matched_share >= MATCHED_SHARE).then(|| PriceIndex { value: log.exp(), matched_share, homes })
    }

    /// The standard deviation of the logarithm of that index, because the homes of each cell are a sample: from the variance
    /// of log prices within each cell, and the correlation of both samples (0 to 1), which homes in both bring about. `None`
    /// where there is no index.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "counts of homes")]
    pub fn index_deviation(&self, base: &Self, log_variance: impl Fn(Cell) -> f64, correlation: f64) -> Option<f64> {
        self.index(base)?;
        let matched = self.matched(base);
        let [all_then, all_now] = [0, 1].map(|side| matched.iter().map(|(_, sums)| sums[side].homes).sum::<i128>());
        let variance = matched.iter().filter_map(|(cell, [then, now])| {
            let weight = f64::midpoint(then.homes as f64 / all_then as f64, now.homes as f64 / all_now as f64);
            let [then, now] = [then, now].map(|sums| f64::from(INDEX_DAYS) / sums.homes as f64);
            let both = then + now - 2.0 * correlation.clamp(0.0, 1.0) * (then * now).sqrt();
            Some(weight * weight * log_variance(Cell::from_code(*cell)?) * both)
        });
        Some(variance.sum::<f64>().max(0.0).sqrt())
    }

    /// The cells that are compared with those of a base day, and the sums of both, the base day's first.
    fn matched(&self, base: &Self) -> Vec<(u16, [Sums; 2])> {
        let before: BTreeMap<u16, Sums> = base.cells.iter().copied().collect();
        let is_large = |sums: &Sums| sums.homes >= CELL_HOMES * i128::from(INDEX_DAYS);
        let pairs = self.cells.iter().filter_map(|(cell, now)| Some((*cell, [*before.get(cell)?, *now])));
        pairs.filter(|(_, sums)| sums.iter().all(is_large)).collect()
    }

    /// Home-days.
    fn homes(&self) -> i128 {
        self.cells.iter().map(|(_, sums)| sums.homes).sum()
    }
}

impl Sums {
    fn add(&mut self, other: Self, times: i128) {
        self.homes += other.homes * times;
        self.logs += other.logs * times;
    }
}
