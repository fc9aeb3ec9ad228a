//! Moving averages of list prices over the pooled stock of several days.

use std::collections::VecDeque;
use std::sync::Arc;

use stoop_domain::Day;

use crate::cells::Cells;
use crate::counts::BucketCounts;
use crate::key::Key;
use crate::kind::Quantity;
use crate::segment::Segment;

/// The lengths of the moving averages, in days.
pub const AVERAGE_DAYS: [i32; 3] = [7, 28, 91];

/// The medians of one day: of the list prices on each of the last 7, 28 and 91 days, all homes and days pooled, in
/// minor units. `None` if there were no prices.
pub type PooledMedians = [Option<f64>; 3];

/// The pooled medians of each of the days `from..=until`, in one pass. Prices of days before the state's horizon are
/// unknown; see [`Cells::with_archive`].
#[must_use]
pub fn pooled_medians(cells: &Cells, segment: Segment, from: Day, until: Day) -> Vec<PooledMedians> {
    let longest = AVERAGE_DAYS[AVERAGE_DAYS.len() - 1];
    let first = from.0.saturating_sub(longest - 1);
    let mut changes: Vec<(Key, i64)> =
        cells.of(segment, Quantity::Price).filter(|(key, _)| key.day() <= until.0 && is_stock(*key)).collect();
    changes.sort_unstable_by_key(|(key, _)| key.day());
    let Some(mut stock) = BucketCounts::for_buckets(changes.iter().map(|(key, _)| key.bucket())) else {
        return (from.0..=until.0).map(|_| [None; 3]).collect();
    };
    let mut pools = AVERAGE_DAYS.map(|_| (stock.clone(), None));
    // The stock at the end of each day, with a number that is new after each change: most days of a small area change none.
    let mut past: VecDeque<(u64, Arc<BucketCounts>)> = VecDeque::new();
    let (mut number, mut today) = (0, Arc::new(stock.clone()));
    let mut changes = changes.into_iter().peekable();
    let mut medians = Vec::new();
    for day in first..=until.0 {
        let mut is_changed = false;
        while let Some((key, value)) = changes.next_if(|(key, _)| key.day() <= day) {
            stock.add(key.bucket(), value);
            is_changed = true;
        }
        if is_changed {
            (number, today) = (number + 1, Arc::new(stock.clone()));
        }
        for ((pool, median), days) in pools.iter_mut().zip(AVERAGE_DAYS) {
            let leaving = usize::try_from(days).ok().and_then(|days| past.len().checked_sub(days));
            match leaving.and_then(|at| past.get(at)) {
                // One day leaves that is like the one that comes.
                Some((leaves, _)) if *leaves == number => continue,
                Some((_, leaving)) => pool.add_all(leaving, -1),
                None => {}
            }
            pool.add_all(&today, 1);
            *median = None;
        }
        past.push_back((number, Arc::clone(&today)));
        if past.len() > usize::try_from(longest).unwrap_or_default() {
            past.pop_front();
        }
        if day >= from.0 {
            medians.push(pools.each_mut().map(|(pool, median)| *median.get_or_insert_with(|| pool.median())));
        }
    }
    medians
}

fn is_stock(key: Key) -> bool {
    key.kind().is_some_and(|kind| key.quantity().is_stock(kind))
}
