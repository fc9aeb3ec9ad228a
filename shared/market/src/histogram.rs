use crate::interval::order_ranks;

/// The maximum relative error of a value read from a bucket.
pub const RELATIVE_ERROR: f64 = 0.001;

/// A bucket of the logarithmic histogram: all values in `[lower, lower * gamma)` with `gamma = (1 + a) / (1 - a)` and
/// `a` = [`RELATIVE_ERROR`].
///
/// The mapping is that of `DDSketch` with cubic interpolation of the logarithm (Masson, Rim, Lee: "DDSketch", VLDB
/// 2019; interpolation as in the authors' sketches libraries). It uses only bit operations, additions and
/// multiplications, so every platform computes the same bucket; a library logarithm does not guarantee that. It needs 1
/// % more buckets than the exact logarithm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Bucket(pub i32);

/// A multiset of positive values, each known to within [`RELATIVE_ERROR`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Histogram {
    /// The non-empty buckets with their counts, in order.
    counts: Vec<(i32, i64)>,
}

// Coefficients of the cubic in s, the significand less 1. It runs from 0 to 1, and its slope against the logarithm is
// at least C, so that no bucket is wider than gamma.
const A: f64 = 6.0 / 35.0;
const B: f64 = -3.0 / 5.0;
const C: f64 = 10.0 / 7.0;
/// ln(gamma) for a = 0.001: ln(1.001 / 0.999).
const LN_GAMMA: f64 = 0.002_000_000_666_667_067;
const BUCKETS_PER_DOUBLING: f64 = 1.0 / (C * LN_GAMMA);

/// The natural logarithm by which prices of neighbouring buckets differ, on average over a doubling.
pub(crate) const LN_OF_BUCKET: f64 = std::f64::consts::LN_2 / BUCKETS_PER_DOUBLING;

impl Bucket {
    /// The bucket of `value`. `None` unless the value is positive and normal.
    #[must_use]
    pub fn of(value: f64) -> Option<Self> {
        if !(value.is_normal() && value > 0.0) {
            return None;
        }
        let index = (log2_like(value) * BUCKETS_PER_DOUBLING).floor();
        #[expect(clippy::cast_possible_truncation, reason = "at most 1,024 doublings of 350 buckets")]
        Some(Self(index as i32))
    }

    /// The bucket of an integer. `None` unless it is positive.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "2^53 is far finer than a bucket")]
    pub fn of_whole(value: i64) -> Option<Self> {
        Self::of(value as f64)
    }

    /// The representative value of the bucket: within [`RELATIVE_ERROR`] of every value in it.
    #[must_use]
    pub fn value(self) -> f64 {
        self.lower() * (1.0 + RELATIVE_ERROR)
    }

    /// The upper end of the bucket, up to rounding.
    #[must_use]
    pub fn upper(self) -> f64 {
        Self(self.0.saturating_add(1)).lower()
    }

    /// The lower end of the bucket, up to rounding.
    #[must_use]
    pub fn lower(self) -> f64 {
        let log = f64::from(self.0) / BUCKETS_PER_DOUBLING;
        let exponent = log.floor();
        let target = log - exponent;
        // Solves ((A s + B) s + C) s = target. The slope is at least 5/7 in [0, 1], so Newton's method converges in a
        // few steps.
        let mut s = target;
        for _ in 0..6 {
            let f = ((A * s + B) * s + C) * s - target;
            let slope = (3.0 * A * s + 2.0 * B) * s + C;
            s -= f / slope;
        }
        #[expect(clippy::cast_possible_truncation, reason = "an exponent of a normal number")]
        let exponent = exponent as i32;
        (1.0 + s) * 2_f64.powi(exponent)
    }
}

/// Grows by one per doubling, like the base-2 logarithm, and nearly as smoothly.
fn log2_like(value: f64) -> f64 {
    let bits = value.to_bits();
    #[expect(clippy::cast_precision_loss, reason = "an exponent of eleven bits")]
    let exponent = ((bits >> 52) as i64 - 1023) as f64;
    let s = f64::from_bits((bits & ((1 << 52) - 1)) | (1023 << 52)) - 1.0;
    ((A * s + B) * s + C) * s + exponent
}

impl Histogram {
    /// Adds `count` values to a bucket; a negative count removes values.
    pub fn add(&mut self, bucket: Bucket, count: i64) {
        // Most are added in order.
        let at = match self.counts.last() {
            Some((last, _)) if *last >= bucket.0 => self.counts.partition_point(|(known, _)| *known < bucket.0),
            _ => self.counts.len(),
        };
        match self.counts.get_mut(at).filter(|(known, _)| *known == bucket.0) {
            Some((_, known)) if *known + count == 0 => drop(self.counts.remove(at)),
            Some((_, known)) => *known += count,
            None if count != 0 => self.counts.insert(at, (bucket.0, count)),
            None => {}
        }
    }

    /// The number of values.
    #[must_use]
    pub fn count(&self) -> i64 {
        self.counts.iter().map(|(_, count)| count).sum()
    }

    /// The number of values in buckets above this one.
    pub(crate) fn above(&self, bucket: i32) -> i64 {
        let from = self.counts.partition_point(|(known, _)| *known <= bucket);
        self.counts[from..].iter().map(|(_, count)| count).sum()
    }

    /// The non-empty buckets with their counts, in order of value.
    pub fn buckets(&self) -> impl DoubleEndedIterator<Item = (Bucket, i64)> + '_ {
        self.counts.iter().map(|(bucket, count)| (Bucket(*bucket), *count))
    }

    /// The 95 % interval of the quantile `q`, by order statistics: the outer ends of their buckets. `None` if there are
    /// too few values.
    #[must_use]
    pub fn interval(&self, q: f64) -> Option<[f64; 2]> {
        let [low, high] = self.order_interval(q)?;
        Some([low.lower(), high.upper()])
    }

    /// The buckets of the order statistics of that interval.
    pub(crate) fn order_interval(&self, q: f64) -> Option<[Bucket; 2]> {
        let [low, high] = order_ranks(self.count(), q)?;
        let (mut seen, mut first) = (0, None);
        for (bucket, count) in self.buckets() {
            seen += count;
            if seen >= low {
                first.get_or_insert(bucket);
            }
            if seen >= high {
                return Some([first?, bucket]);
            }
        }
        None
    }

    /// The quantile `q` in `[0, 1]`, to within [`RELATIVE_ERROR`]. Definition: Hyndman and Fan, type 7.
    #[must_use]
    pub fn quantile(&self, q: f64) -> Option<f64> {
        quantile_of(self.buckets().map(|(bucket, count)| (bucket.0, count)), self.count(), q, |it| Bucket(it).value())
    }

    /// The median of whole numbers that are their own buckets: days, or basis points.
    pub(crate) fn median_number(&self) -> Option<f64> {
        quantile_of(self.buckets().map(|(bucket, count)| (bucket.0, count)), self.count(), 0.5, f64::from)
    }
}

/// The quantile `q` of `n` values, given by buckets in ascending order with their numbers of values. Hyndman and Fan's
/// type 7, the default of R and `NumPy`: interpolates between the two order statistics around `1 + (n - 1) q`. The result
/// has the relative error of `value`, which stands for a bucket. `None` if there are no values.
#[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "counts of homes")]
pub(crate) fn quantile_of(
    buckets: impl Iterator<Item = (i32, i64)>,
    n: i64,
    q: f64,
    value: impl Fn(i32) -> f64,
) -> Option<f64> {
    if n <= 0 {
        return None;
    }
    let rank = (n - 1) as f64 * q.clamp(0.0, 1.0);
    let (low_rank, high_rank) = (rank.floor() as i64, rank.ceil() as i64);
    let (mut seen, mut low) = (0, None);
    for (bucket, count) in buckets {
        seen += count;
        if seen > low_rank {
            low.get_or_insert(bucket);
        }
        if seen > high_rank {
            let low = value(low?);
            return Some(low + (value(bucket) - low) * (rank - rank.floor()));
        }
    }
    low.map(value)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn ln_gamma_is_correct() {
        let gamma: f64 = (1.0 + RELATIVE_ERROR) / (1.0 - RELATIVE_ERROR);
        assert!((gamma.ln() - LN_GAMMA).abs() < 1e-15);
    }

    proptest! {
        #[test]
        fn a_bucket_is_within_a_thousandth_of_its_values(value in 1e-6_f64..1e18) {
            let back = Bucket::of(value).unwrap().value();
            prop_assert!((back / value - 1.0).abs() <= RELATIVE_ERROR * 1.000_001, "{value} -> {back}");
        }

        #[test]
        fn buckets_keep_the_order_of_values(a in 1e-6_f64..1e18, b in 1e-6_f64..1e18) {
            let (low, high) = (a.min(b), a.max(b));
            prop_assert!(Bucket::of(low) <= Bucket::of(high));
        }

        #[test]
        fn counts_that_come_and_go_are_those_of_a_map(
            changes in prop::collection::vec((0_i32..8, -2_i64..=2), 0..30),
            bucket in -1_i32..9,
        ) {
            let (mut histogram, mut map) = (Histogram::default(), std::collections::BTreeMap::new());
            for (bucket, count) in changes {
                histogram.add(Bucket(bucket), count);
                *map.entry(bucket).or_insert(0) += count;
            }
            map.retain(|_, count| *count != 0);
            prop_assert_eq!(histogram.above(bucket), map.range(bucket + 1..).map(|(_, count)| count).sum::<i64>());
            prop_assert_eq!(histogram.counts, map.into_iter().collect::<Vec<_>>());
        }

        #[test]
        fn quantiles_are_within_a_thousandth_of_the_exact_ones(
            mut values in prop::collection::vec(1_i64..1_000_000_000_000, 1..200),
            q in 0.0_f64..=1.0,
        ) {
            let mut histogram = Histogram::default();
            for value in &values {
                histogram.add(Bucket::of_whole(*value).unwrap(), 1);
            }
            values.sort_unstable();
            let rank = (values.len() - 1) as f64 * q;
            let (low, high) = (values[rank.floor() as usize] as f64, values[rank.ceil() as usize] as f64);
            let exact = low + (high - low) * rank.fract();
            let got = histogram.quantile(q).unwrap();
            prop_assert!((got / exact - 1.0).abs() <= RELATIVE_ERROR * 1.000_001, "{got} for {exact}");
        }
    }

    #[test]
    fn an_empty_histogram_has_no_median_and_zero_has_no_bucket() {
        assert_eq!(Histogram::default().quantile(0.5), None);
        assert_eq!(Bucket::of(0.0), None);
        assert_eq!(Bucket::of(-1.0), None);
        assert_eq!(Bucket::of(f64::NAN), None);
    }
}
