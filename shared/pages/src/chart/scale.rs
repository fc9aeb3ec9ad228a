/// A linear scale that begins and ends near round numbers.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Scale {
    low: f64,
    high: f64,
    step: f64,
}

/// The steps between ticks, in powers of ten.
const STEPS: [f64; 4] = [1.0, 2.0, 2.5, 5.0];
const TICKS_MAX: f64 = 4.0;

impl Scale {
    /// A scale for these values; `from_zero` includes zero. `least_step` keeps ticks of whole numbers whole.
    pub(super) fn of(values: impl Iterator<Item = f64>, from_zero: bool, least_step: f64) -> Self {
        let zero = from_zero.then_some(0.0);
        let (low, high) = values
            .chain(zero)
            .filter(|value| value.is_finite())
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)));
        let (low, high) = if low <= high { (low, high) } else { (0.0, 1.0) };
        // A flat line lies in the middle.
        let margin = if high > low { (high - low) * 0.04 } else { (high.abs() * 0.05).max(least_step.max(1e-9)) };
        let bottom = if from_zero && low >= 0.0 { 0.0 } else { low - margin };
        let top = if from_zero && high <= 0.0 && low < 0.0 { 0.0 } else { high + margin };
        let rough = ((top - bottom) / TICKS_MAX).max(least_step);
        let power = 10_f64.powf(rough.log10().floor());
        let step = STEPS.into_iter().map(|step| step * power).find(|step| *step >= rough * 0.999);
        let step = step.unwrap_or(10.0 * power);
        let step = if least_step > 0.0 { (step / least_step).round().max(1.0) * least_step } else { step };
        Self { low: bottom, high: top, step }
    }

    /// The round numbers inside the scale, rising.
    pub(super) fn ticks(&self) -> Vec<f64> {
        let first = (self.low / self.step).ceil();
        let values = (0..16).map(|n| (first + f64::from(n)) * self.step);
        // Adding zero makes a negative zero a plain one.
        values.take_while(|value| *value <= self.high).map(|value| value + 0.0).collect()
    }

    /// How far a value lies below the top, as a share of the height.
    pub(super) fn share(&self, value: f64) -> f64 {
        (self.high - value) / (self.high - self.low)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ticks(values: &[f64], from_zero: bool, least_step: f64) -> Vec<f64> {
        Scale::of(values.iter().copied(), from_zero, least_step).ticks()
    }

    #[test]
    fn ticks_are_round_and_inside() {
        assert_eq!(ticks(&[310_000.0, 352_000.0], false, 0.0), [320_000.0, 340_000.0]);
        assert_eq!(ticks(&[0.0, 7.0], true, 1.0), [0.0, 2.0, 4.0, 6.0]);
        assert_eq!(ticks(&[1.0], true, 1.0), [0.0, 1.0]);
        assert_eq!(ticks(&[-4.0, 9.0], true, 1.0), [0.0, 5.0]);
        assert_eq!(ticks(&[], true, 1.0), [0.0, 1.0]);
    }

    #[test]
    fn every_value_lies_on_the_scale_whatever_it_is() {
        for values in [vec![5.0], vec![-3.0, -1.0], vec![1e-9, 2e-9], vec![1e12, 3e12], vec![0.0, 0.0], vec![f64::NAN]]
        {
            for scale in [false, true].map(|from_zero| Scale::of(values.iter().copied(), from_zero, 0.0)) {
                assert!(scale.high > scale.low, "{scale:?}");
            }
            let scale = Scale::of(values.iter().copied(), false, 0.0);
            for value in values.into_iter().filter(|value| value.is_finite()) {
                assert!((0.0..=1.0).contains(&scale.share(value)), "{value} on {scale:?}");
            }
            assert!(scale.ticks().len() <= 7, "{scale:?}: {:?}", scale.ticks());
        }
    }
}
