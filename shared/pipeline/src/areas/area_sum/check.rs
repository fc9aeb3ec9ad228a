//! Checks the parts of a sum.

use stoop_domain::Day;

use super::{AreaPart, Total, WholeMarket};
use crate::with_causes;

/// Days more than ten thousand years from 1970 are invalid; computing with them could overflow.
const DAYS_MAX: i32 = 3_652_425;

impl AreaPart {
    /// Compares a part of a county with its market, which has the same version.
    ///
    /// # Errors
    ///
    /// They differ, or the part cannot be read; in words.
    pub fn check_market(&self, market: &WholeMarket) -> Result<(), String> {
        let Day(first) = self.covered.from;
        if !(-DAYS_MAX..=DAYS_MAX).contains(&first) {
            return Err(format!("it covers the days from {first} on"));
        }
        self.check(&Total::of(market, self.covered.from))
    }

    /// Compares a part of a region or a country with the sum of that county or region, which has the same version.
    ///
    /// # Errors
    ///
    /// They differ, or the part cannot be read; in words.
    pub fn check(&self, whole: &Total) -> Result<(), String> {
        let beside = |markets: usize, covered: super::DaysCovered| {
            format!("{markets} markets and the days {} to {}", covered.from.0, covered.until.0)
        };
        if (self.markets, self.covered) != (whole.markets, whole.covered) {
            let (stored, recomputed) = (beside(self.markets, self.covered), beside(whole.markets, whole.covered));
            return Err(format!("stored {stored}, recomputed {recomputed}"));
        }
        let sum = self.sum().map_err(|error| with_causes(&error))?;
        sum.first_difference(&whole.sum).map_or(Ok(()), |difference| Err(format!("(stored, recomputed): {difference}")))
    }
}

#[cfg(test)]
mod tests {
    use stoop_market::Wide;

    use super::super::{AreaSum, DaysCovered};
    use super::*;

    fn county(part: &Total) -> AreaSum {
        let mut sum = AreaSum::default();
        sum.put("m", part).unwrap();
        sum.stamp(7);
        sum
    }

    #[test]
    fn all_fields_of_a_part_are_compared() {
        let market = WholeMarket { version: 3, ..WholeMarket::default() };
        let right = Total::of(&market, Day(20_000));
        let check = |part: &Total| county(part).part("m").unwrap().check_market(&market);
        assert_eq!(check(&right), Ok(()));
        let found = check(&Total { markets: 2, ..right.clone() }).unwrap_err();
        assert!(found.starts_with("stored 2 markets and the days 20000 to 20009, recomputed 1 markets"), "{found}");
        let until = DaysCovered { until: Day(20_010), ..right.covered };
        assert!(check(&Total { covered: until, ..right.clone() }).is_err());
        for first in [i32::MIN, i32::MAX] {
            let found = check(&Total { covered: DaysCovered::since(Day(first)), ..right.clone() }).unwrap_err();
            assert_eq!(found, format!("it covers the days from {first} on"));
        }
    }

    #[test]
    fn a_total_with_other_days_or_markets_than_its_parts_is_damaged() {
        let part = Total { version: 1, covered: DaysCovered::since(Day(20_000)), markets: 1, sum: Wide::default() };
        let bytes = county(&part).to_bytes().unwrap();
        assert_eq!(AreaSum::from_bytes(&bytes).unwrap(), county(&part));
        // Magic, catalogue and version come before them; nothing contradicts the version.
        for offset in 16..28 {
            let mut other = bytes.clone();
            other[offset] ^= 1;
            assert!(AreaSum::from_bytes(&other).is_err(), "byte {offset}");
        }
    }
}
