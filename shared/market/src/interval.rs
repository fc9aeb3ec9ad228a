//! Confidence intervals: how far a figure may lie from that of the market, because the homes on offer are a sample of
//! those that might be.

/// The 0.975 quantile of the normal distribution: intervals are of 95 %.
pub const Z95: f64 = 1.959_963_984_540_054;

/// The ranks (from 1) of the order statistics between which the `q` quantile of the distribution lies with a
/// probability of about 95 %, from a sample of `n`. `None` if the sample is too small for both ends to be in it: of a
/// median, fewer than 6.
///
/// The number of values below the quantile is binomial; the ranks are those of its normal approximation with continuity
/// correction (David and Nagaraja, *Order Statistics*, 3rd ed., 2003, section 7.1). For a median of up to 3,000 values
/// the probability is 94.9 % at least; for a quartile of 16 or more, 93.5 %.
#[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "counts of homes")]
pub(crate) fn order_ranks(n: i64, q: f64) -> Option<[i64; 2]> {
    let mean = n as f64 * q + 0.5;
    let reach = Z95 * (n as f64 * q * (1.0 - q)).sqrt();
    let ranks = [(mean - reach).floor() as i64, (mean + reach).ceil() as i64];
    (ranks[0] >= 1 && ranks[1] <= n).then_some(ranks)
}

/// Wilson's score interval of a share (*Journal of the American Statistical Association* 22, 1927). `None` of nothing.
#[expect(clippy::cast_precision_loss, reason = "counts of homes")]
pub(crate) fn wilson(part: i64, whole: i64) -> Option<[f64; 2]> {
    if whole <= 0 || !(0..=whole).contains(&part) {
        return None;
    }
    let (n, share) = (whole as f64, part as f64 / whole as f64);
    let middle = share + Z95 * Z95 / (2.0 * n);
    let reach = Z95 * (share * (1.0 - share) / n + Z95 * Z95 / (4.0 * n * n)).sqrt();
    let scale = 1.0 + Z95 * Z95 / n;
    Some([((middle - reach) / scale).max(0.0), ((middle + reach) / scale).min(1.0)])
}

/// The interval of a change between two estimates of positive numbers, as a share of the first: 0.05 is 5 % more. Each
/// has its value and its interval. `common` is the number of homes in both samples, whose sizes are `homes`: they move
/// both estimates alike, so that the change is known better than either.
///
/// The logarithms are taken as normal, with the standard errors that the intervals imply and a correlation of the share
/// of common homes, `common / sqrt(homes[0] * homes[1])`. `error` is the relative error of either value that is not one
/// of sampling.
#[expect(clippy::cast_precision_loss, reason = "counts of homes")]
#[must_use]
pub fn change_interval(
    then: (f64, [f64; 2]),
    now: (f64, [f64; 2]),
    homes: [i64; 2],
    common: i64,
    error: f64,
) -> Option<[f64; 2]> {
    let deviation = |[low, high]: [f64; 2]| (high / low).ln() / (2.0 * Z95);
    let [before, after] = [deviation(then.1), deviation(now.1)];
    let both = homes[0] as f64 * homes[1] as f64;
    let correlation = (common.max(0) as f64 / both.sqrt()).clamp(0.0, 1.0);
    let variance = before * before + after * after - 2.0 * correlation * before * after;
    let (log, reach) = ((now.0 / then.0).ln(), Z95 * variance.max(0.0).sqrt() + 2.0 * error);
    let ends = [(log - reach).exp_m1(), (log + reach).exp_m1()];
    ends.iter().all(|end| end.is_finite()).then_some(ends)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The probability of at most `k` of `n`, each of probability `q`.
    fn binomial(n: i64, q: f64, k: i64) -> f64 {
        let (mut term, mut sum) = ((n as f64 * (1.0 - q).ln()).exp(), 0.0);
        for i in 0..=k {
            sum += term;
            term *= (n - i) as f64 / (i + 1) as f64 * q / (1.0 - q);
        }
        sum
    }

    #[test]
    fn the_order_statistics_enclose_the_quantile_in_nineteen_of_twenty_samples() {
        for (q, from, least) in [(0.5, 6, 0.949), (0.25, 16, 0.935), (0.75, 16, 0.935)] {
            assert_eq!(order_ranks(from - 1, q), None, "{q}: too few");
            for n in from..500 {
                let [low, high] = order_ranks(n, q).unwrap_or_else(|| panic!("{q} of {n}"));
                let coverage = binomial(n, q, high - 1) - binomial(n, q, low - 1);
                assert!(coverage >= least && coverage < 0.995, "{q} of {n}: {coverage}");
            }
        }
    }

    /// The example of METRICS.md.
    #[test]
    fn the_median_of_nine_prices_lies_between_the_second_and_the_eighth() {
        assert_eq!(order_ranks(9, 0.5), Some([2, 8]));
        assert_eq!(order_ranks(6, 0.5), Some([1, 6]));
        assert_eq!(order_ranks(5, 0.5), None);
    }

    #[test]
    fn a_share_is_within_its_interval_and_of_few_homes_it_is_wide() {
        let [low, high] = wilson(1, 10).unwrap();
        // R: prop.test(1, 10, correct = FALSE)$conf.int
        assert!((low - 0.017_876).abs() < 1e-6 && (high - 0.404_150).abs() < 1e-6, "{low} {high}");
        assert_eq!(wilson(0, 5).unwrap()[0], 0.0);
        assert_eq!(wilson(5, 5).unwrap()[1], 1.0);
        assert_eq!((wilson(0, 0), wilson(3, 2), wilson(-1, 2)), (None, None, None));
    }

    #[test]
    fn homes_in_both_samples_narrow_the_interval_of_a_change() {
        let (then, now) = ((100.0, [95.0, 106.0]), (110.0, [104.0, 116.0]));
        let reach = |common| {
            let [low, high] = change_interval(then, now, [50, 50], common, 0.001).unwrap();
            assert!(low < 0.1 && 0.1 < high);
            high - low
        };
        assert!(reach(0) > reach(25) && reach(25) > reach(50) && reach(50) == reach(60));
        let same = change_interval(then, then, [50, 50], 50, 0.001).unwrap();
        assert!((same[1] - 0.002).abs() < 1e-5 && (same[0] + 0.002).abs() < 1e-5, "only the buckets: {same:?}");
    }
}
