//! Partial pooling: an estimate from few homes leans on that of the area around, the more the fewer they are.

use crate::interval::Z95;

/// An estimate of a positive number, on the scale of its logarithm.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LogEstimate {
    /// The natural logarithm of the estimate.
    pub log: f64,
    /// The variance of that logarithm.
    pub variance: f64,
}

/// The standard deviation of the logarithms of prices of one kind of homes in one area, where there are too few homes to
/// measure it. Half as many again is seldom exceeded.
pub(crate) const SPREAD: f64 = 0.4;

/// The variance of a median is larger than that of a mean by this: pi / 2, for a normal distribution.
const OF_MEDIAN: f64 = std::f64::consts::FRAC_PI_2;

/// The standard deviation, between the areas of a county, of what one kind of home costs or earns there, before anything
/// of these areas is known: 15 %.
const BETWEEN: f64 = 0.15;

/// What that is worth, in kinds of homes that are measured.
const BETWEEN_KINDS: f64 = 4.0;

impl LogEstimate {
    /// The estimate of a median, from its value, its 95 % interval (`None` if there are too few homes), and the number of
    /// homes. `None` unless value and number are positive.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "a number of homes")]
    pub fn of_median(median: f64, interval: Option<[f64; 2]>, homes: i64) -> Option<Self> {
        if !(median > 0.0 && median.is_finite() && homes > 0) {
            return None;
        }
        let deviation = match interval {
            Some([low, high]) if low > 0.0 => (high / low).ln() / (2.0 * Z95),
            _ => (OF_MEDIAN / homes as f64).sqrt() * SPREAD,
        };
        Some(Self { log: median.ln(), variance: deviation * deviation })
    }

    /// The quotient of two estimates that know nothing of each other.
    #[must_use]
    pub fn over(self, other: Self) -> Self {
        Self { log: self.log - other.log, variance: self.variance + other.variance }
    }

    /// The estimate times a constant.
    #[must_use]
    pub fn times(self, factor: f64) -> Self {
        Self { log: self.log + factor.ln(), ..self }
    }

    /// The mean of this estimate and one of the area around, weighted by what each of them tells: `between` is the
    /// variance of the true values of areas. Also returns the weight of this one, from 0 to 1.
    #[must_use]
    pub fn pooled(self, around: Self, between: f64) -> (Self, f64) {
        let around = around.as_of_a_part(between);
        let [own, other] = [self.variance, around.variance].map(|variance| 1.0 / variance.max(1e-12));
        let weight = own / (own + other);
        let log = weight * self.log + (1.0 - weight) * around.log;
        (Self { log, variance: 1.0 / (own + other) }, weight)
    }

    /// What an estimate of a whole area says of a part of which nothing else is known.
    #[must_use]
    pub fn as_of_a_part(self, between: f64) -> Self {
        Self { variance: self.variance + between, ..self }
    }

    /// The estimate itself.
    #[must_use]
    pub fn value(self) -> f64 {
        self.log.exp()
    }

    /// Its 95 % interval.
    #[must_use]
    pub fn interval(self) -> [f64; 2] {
        let reach = Z95 * self.variance.sqrt();
        [(self.log - reach).exp(), (self.log + reach).exp()]
    }
}

/// The variance between areas of the true values of a kind, from the differences of an area to the one around it, kind by
/// kind: the mean square of these differences, less what sampling explains (the method of moments of empirical Bayes,
/// *Morris, Journal of the American Statistical Association* 78, 1983). With few kinds it stays near a usual value, 0.15
/// squared, and it is never below 0.03 squared.
#[must_use]
pub fn between_variance(kinds: impl Iterator<Item = (LogEstimate, LogEstimate)>) -> f64 {
    let excess = |(own, around): (LogEstimate, LogEstimate)| {
        let difference = own.log - around.log;
        difference * difference - own.variance - around.variance
    };
    let (count, sum) = kinds.map(excess).fold((0.0, 0.0), |(count, sum), it| (count + 1.0, sum + it));
    ((sum + BETWEEN_KINDS * BETWEEN * BETWEEN) / (count + BETWEEN_KINDS)).max(0.03 * 0.03)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(value: f64, homes: i64) -> LogEstimate {
        LogEstimate::of_median(value, None, homes).unwrap()
    }

    #[test]
    fn few_homes_lean_on_the_area_around_and_many_do_not() {
        let around = of(0.049, 400);
        let weights = [1, 5, 29, 30, 300].map(|homes| of(0.034, homes).pooled(around, 0.15 * 0.15).1);
        assert!(weights.windows(2).all(|pair| pair[0] < pair[1]), "{weights:?}");
        assert!(weights[0] < 0.1 && weights[4] > 0.9, "{weights:?}");
        assert!((weights[3] - weights[2]).abs() < 0.01, "no cliff at a sample of thirty: {weights:?}");
        let (pooled, _) = of(0.034, 29).pooled(around, 0.15 * 0.15);
        let [low, high] = pooled.interval();
        assert!(0.034 < pooled.value() && pooled.value() < 0.049 && low < pooled.value() && pooled.value() < high);
    }

    #[test]
    fn a_median_needs_a_home_and_a_price() {
        for (median, homes) in [(0.0, 3), (-1.0, 3), (1.0, 0), (f64::NAN, 3), (f64::INFINITY, 3)] {
            assert_eq!(LogEstimate::of_median(median, None, homes), None);
        }
        let known = LogEstimate::of_median(100.0, Some([90.0, 110.0]), 50).unwrap();
        let [low, high] = known.interval();
        assert!((high / low - 110.0 / 90.0).abs() < 1e-9, "the interval is kept: {low} {high}");
    }

    /// By hand: differences of 0.3 and -0.1 without sampling error, four kinds of 0.0225 beside them.
    #[test]
    fn the_variance_between_areas_is_measured_where_there_are_kinds() {
        let exact = |log: f64| LogEstimate { log, variance: 0.0 };
        let of = |differences: &[f64]| between_variance(differences.iter().map(|it| (exact(*it), exact(0.0))));
        assert!((of(&[0.3, -0.1]) - (0.09 + 0.01 + 4.0 * 0.0225) / 6.0).abs() < 1e-12);
        assert!((of(&[]) - 0.0225).abs() < 1e-12);
        let noisy = (LogEstimate { log: 0.1, variance: 1.0 }, exact(0.0));
        assert!((between_variance([noisy].into_iter()) - 0.0009).abs() < 1e-12, "sampling explains all of it");
    }
}
