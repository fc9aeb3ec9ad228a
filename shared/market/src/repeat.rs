//! The repeat-listing index: how the first asking prices of the same homes changed from month to month (Bailey, Muth and
//! Nourse, "A regression method for real estate price index construction", *Journal of the American Statistical
//! Association* 58, 1963).

use std::collections::{BTreeMap, BTreeSet};

use stoop_domain::Day;

use crate::cells::Cells;
use crate::key::Key;
use crate::kind::{CounterKind, Quantity};
use crate::month::Month;
use crate::segment::Segment;

/// The fewest pairs for an index.
pub const REPEAT_PAIRS_MIN: i64 = 30;

/// Homes that were listed twice: the number of pairs of first asking prices, and the sum of the logarithms of their ratios
/// in millionths, by the months of both.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RepeatPairs {
    months: BTreeMap<[Month; 2], Pairs>,
}

/// A month of the index.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RepeatMonth {
    /// The month.
    pub month: Month,
    /// 100 in the first month. `None` if no chain of pairs connects both.
    pub index: Option<f64>,
    /// Pairs with a first or second price of this month.
    pub pairs: i64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Pairs {
    count: i64,
    log_millionths: i64,
}

/// The pairs whose second price is of the month of `since` or later, and of the day `until` or earlier. Days before the
/// state's horizon are unknown; see [`Cells::with_archive`].
#[must_use]
pub fn repeat_pairs(cells: &Cells, since: Day, until: Day) -> RepeatPairs {
    repeat_pairs_of(cells.of(Segment::All, Quantity::Repeat), since, until)
}

/// Those of coordinates of [`Quantity::Repeat`].
pub(crate) fn repeat_pairs_of(entries: impl Iterator<Item = (Key, i64)>, since: Day, until: Day) -> RepeatPairs {
    let mut pairs = RepeatPairs::default();
    for (key, value) in entries.filter(|(key, _)| key.day() <= until.0) {
        let second = Month::of(Day(key.day()));
        if second < Month::of(since) || key.bucket() <= 0 {
            continue;
        }
        let sums = pairs.months.entry([Month(second.0 - key.bucket()), second]).or_default();
        match key.kind() {
            Some(CounterKind::Pair) => sums.count += value,
            Some(CounterKind::PairChange) => sums.log_millionths += value,
            _ => {}
        }
    }
    pairs
}

impl RepeatPairs {
    /// Adds pairs with a first and a later month, and the sum of the logarithms of their ratios in millionths.
    pub fn add(&mut self, months: [Month; 2], count: i64, log_millionths: i64) {
        let sums = self.months.entry(months).or_default();
        sums.count += count;
        sums.log_millionths += log_millionths;
    }

    /// The pairs by first and second month: their number, and the sum of the logarithms of their ratios in millionths.
    pub fn iter(&self) -> impl Iterator<Item = ([Month; 2], i64, i64)> + '_ {
        self.months.iter().map(|(months, pairs)| (*months, pairs.count, pairs.log_millionths))
    }

    /// The index of each month with a pair: the least squares fit of one value for each month to the logarithms of all
    /// ratios. The months are those of the largest part that chains of pairs connect; others have no value. Empty if
    /// that part has fewer than [`REPEAT_PAIRS_MIN`] pairs.
    #[must_use]
    pub fn index(&self) -> Vec<RepeatMonth> {
        let connected = self.connected();
        let pairs: i64 =
            self.iter().filter(|([first, _], ..)| connected.contains(first)).map(|(_, count, _)| count).sum();
        if pairs < REPEAT_PAIRS_MIN {
            return Vec::new();
        }
        let logs = self.fit(&connected);
        let mut touching: BTreeMap<Month, i64> = BTreeMap::new();
        for (months, count, _) in self.iter() {
            months.iter().for_each(|month| *touching.entry(*month).or_default() += count);
        }
        let month = |(month, pairs)| RepeatMonth { month, index: logs.get(&month).map(|log| 100.0 * log.exp()), pairs };
        touching.into_iter().map(month).collect()
    }

    /// The months of the connected part with the most pairs; of equal ones the earliest.
    fn connected(&self) -> BTreeSet<Month> {
        let mut parts: Vec<(BTreeSet<Month>, i64)> = Vec::new();
        for (months, count, _) in self.iter() {
            let touches = |(part, _): &mut (BTreeSet<Month>, i64)| months.iter().any(|month| part.contains(month));
            let joined: Vec<(BTreeSet<Month>, i64)> = parts.extract_if(.., touches).collect();
            let mut part = (BTreeSet::from(months), count);
            joined.into_iter().for_each(|(months, count)| {
                part.0.extend(months);
                part.1 += count;
            });
            parts.push(part);
        }
        let largest = parts.into_iter().max_by_key(|(part, count)| (*count, part.first().map(|month| -month.0)));
        largest.map(|(part, _)| part).unwrap_or_default()
    }

    /// The logarithm of the index of each of these connected months, 0 for the first: solves the normal equations
    /// of least squares by Cholesky's method.
    #[expect(clippy::cast_precision_loss, reason = "numbers of pairs")]
    fn fit(&self, connected: &BTreeSet<Month>) -> BTreeMap<Month, f64> {
        let free: Vec<Month> = connected.iter().skip(1).copied().collect();
        let row = |month: Month| free.binary_search(&month).ok();
        let n = free.len();
        let (mut matrix, mut right) = (vec![vec![0.0_f64; n]; n], vec![0.0_f64; n]);
        for ([first, second], count, log_millionths) in self.iter().filter(|([first, _], ..)| connected.contains(first))
        {
            let (count, log) = (count as f64, log_millionths as f64 / 1e6);
            let (first, second) = (row(first), row(second));
            for (at, log) in [(first, -log), (second, log)] {
                if let Some(at) = at {
                    matrix[at][at] += count;
                    right[at] += log;
                }
            }
            if let Some((first, second)) = first.zip(second) {
                matrix[first][second] -= count;
                matrix[second][first] -= count;
            }
        }
        let logs = solve(matrix, right);
        connected.iter().copied().zip([0.0].into_iter().chain(logs)).collect()
    }
}

/// Solves a symmetric positive definite system by Cholesky's method: its factor takes the place of the lower half.
fn solve(mut matrix: Vec<Vec<f64>>, mut right: Vec<f64>) -> Vec<f64> {
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let n = right.len();
    for i in 0..n {
        for j in 0..=i {
            let rest = matrix[i][j] - dot(&matrix[i][..j], &matrix[j][..j]);
            matrix[i][j] = if i == j { rest.sqrt() } else { rest / matrix[j][j] };
        }
        right[i] = (right[i] - dot(&matrix[i][..i], &right[..i])) / matrix[i][i];
    }
    for i in (0..n).rev() {
        let below: f64 = (i + 1..n).map(|j| matrix[j][i] * right[j]).sum();
        right[i] = (right[i] - below) / matrix[i][i];
    }
    right
}
