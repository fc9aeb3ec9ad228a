//! Prices that cannot belong to their area: a sale in a feed of rents, a night's rent among monthly ones.

use crate::figures::THIN_SAMPLE;
use crate::histogram::Bucket;

/// A price this many times above or below the median of its area is outlying: it is in no mean and no extreme.
pub const OUTLYING_TIMES: f64 = 50.0;

/// The prices of an area that are outlying: their number, and about their sum.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Outlying {
    pub(crate) homes: i64,
    pub(crate) sum: f64,
}

/// The buckets of the lowest and the highest price that are not outlying. `None` if there are too few prices to tell.
pub(crate) fn bounds(median: Option<f64>, homes: i64) -> Option<(i32, i32)> {
    let median = median.filter(|_| homes >= THIN_SAMPLE)?;
    Some((Bucket::of(median / OUTLYING_TIMES)?.0, Bucket::of(median * OUTLYING_TIMES)?.0))
}

impl Outlying {
    /// Of the buckets with their counts that lie outside of these bounds.
    #[expect(clippy::cast_precision_loss, reason = "counts of homes")]
    pub(crate) fn of(buckets: impl Iterator<Item = (i32, i64)>, bounds: Option<(i32, i32)>) -> Self {
        let Some((low, high)) = bounds else { return Self::default() };
        let outside = buckets.filter(|(bucket, _)| !(low..=high).contains(bucket));
        outside.fold(Self::default(), |all, (bucket, count)| Self {
            homes: all.homes + count,
            sum: all.sum + Bucket(bucket).value() * count as f64,
        })
    }

    /// The mean of the other prices, of which there are so many with this sum in all.
    #[expect(clippy::cast_precision_loss, reason = "sums and counts of homes")]
    pub(crate) fn mean_of_others(self, sum: i128, homes: i64) -> Option<f64> {
        let others = homes - self.homes;
        if self.homes == 0 {
            return (others > 0).then(|| sum as f64 / others as f64);
        }
        (others > 0).then(|| (sum as f64 - self.sum) / others as f64)
    }
}
