use serde::Serialize;

/// A 95 % interval: in 19 of 20 cases the value of the market lies in it, of which the homes on offer are a sample.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct ConfidenceInterval {
    /// Its lower end.
    pub low: f64,
    /// Its upper end.
    pub high: f64,
}

impl ConfidenceInterval {
    /// The interval with each end as `shown`.
    #[must_use]
    pub fn of([low, high]: [f64; 2], shown: impl Fn(f64) -> f64) -> Self {
        Self { low: shown(low), high: shown(high) }
    }

    /// Whether a value lies in it. A change whose interval contains 0 may be none.
    #[must_use]
    pub fn contains(self, value: f64) -> bool {
        (self.low..=self.high).contains(&value)
    }

    /// How far it reaches to either side of its middle.
    #[must_use]
    pub fn reach(self) -> f64 {
        (self.high - self.low) / 2.0
    }
}
