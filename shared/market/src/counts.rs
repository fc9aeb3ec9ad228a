use crate::histogram::{Bucket, quantile_of};
use crate::interval::order_ranks;
use crate::outlying::{Outlying, bounds};

/// A histogram of price buckets that changes often: an array of all buckets in a range.
#[derive(Clone, Debug)]
pub(crate) struct BucketCounts {
    low: i32,
    counts: Vec<i64>,
    total: i64,
}

impl BucketCounts {
    /// An empty histogram for these buckets. `None` if there are none.
    pub(crate) fn for_buckets(buckets: impl Iterator<Item = i32>) -> Option<Self> {
        let (low, high) = buckets.fold(None, |ends, bucket| {
            let (low, high) = ends.unwrap_or((bucket, bucket));
            Some((bucket.min(low), bucket.max(high)))
        })?;
        let buckets = usize::try_from(high.checked_sub(low)?).ok()?;
        Some(Self { low, counts: vec![0; buckets + 1], total: 0 })
    }

    /// Adds to the count of a bucket, which must be one of those it was made for.
    pub(crate) fn add(&mut self, bucket: i32, count: i64) {
        if let Some(slot) = usize::try_from(bucket - self.low).ok().and_then(|index| self.counts.get_mut(index)) {
            *slot += count;
            self.total += count;
        }
    }

    /// Adds `times` times the counts of another histogram for the same buckets.
    pub(crate) fn add_all(&mut self, other: &Self, times: i64) {
        self.counts.iter_mut().zip(&other.counts).for_each(|(sum, count)| *sum += count * times);
        self.total += other.total * times;
    }

    /// The number of values.
    pub(crate) fn total(&self) -> i64 {
        self.total
    }

    /// The median, as [`Histogram::quantile`](crate::Histogram::quantile).
    pub(crate) fn median(&self) -> Option<f64> {
        quantile_of(self.buckets(), self.total, 0.5, |bucket| Bucket(bucket).value())
    }

    /// Its 95 % interval, as [`Histogram::interval`](crate::Histogram::interval).
    pub(crate) fn median_interval(&self) -> Option<[f64; 2]> {
        let [low, high] = order_ranks(self.total, 0.5)?;
        let (mut seen, mut first) = (0, None);
        for (bucket, count) in self.buckets() {
            seen += count;
            if seen >= low {
                first.get_or_insert(bucket);
            }
            if seen >= high {
                return Some([Bucket(first?).lower(), Bucket(bucket).upper()]);
            }
        }
        None
    }

    /// The prices that cannot belong here, given the median.
    pub(crate) fn outlying(&self, median: Option<f64>) -> Outlying {
        Outlying::of(self.buckets(), bounds(median, self.total))
    }

    fn buckets(&self) -> impl Iterator<Item = (i32, i64)> + '_ {
        (self.low..).zip(self.counts.iter().copied()).filter(|(_, count)| *count > 0)
    }
}
