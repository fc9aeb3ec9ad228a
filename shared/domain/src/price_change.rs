//! A step from one list price to another.

use crate::money::Minor;

/// A change of the list price within one spell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PriceChange {
    pub from: Minor,
    pub to: Minor,
}

impl PriceChange {
    /// The fall in basis points (hundredths of a percent) of `from`, rounded down, so that 15 % is never reached by
    /// rounding. 0 if the price did not fall.
    #[must_use]
    pub fn drop_bp(self) -> u32 {
        let (from, to) = (i128::from(self.from.0), i128::from(self.to.0));
        if from <= 0 || to >= from {
            return 0;
        }
        u32::try_from((from - to) * 10_000 / from).unwrap_or(10_000)
    }
}
