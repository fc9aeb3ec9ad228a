//! How fine the buckets of prices, prices per area and cuts are.

use crate::histogram::Bucket;

/// The maximum relative error of a price, price per area or cut in coarse buckets ([`Grain::Coarse`]).
pub const COARSE_ERROR: f64 = 0.01;

/// Fine buckets per coarse bucket. An odd number, so that the middle one represents all: nine buckets of 0.2 % reach
/// 0.91 % to either side of its value.
const COARSE: i32 = 9;

/// The resolution of prices, prices per area and cuts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Grain {
    /// Buckets as in a market's state, to within [`crate::RELATIVE_ERROR`].
    #[default]
    Fine,
    /// Unions of those buckets, to within [`COARSE_ERROR`].
    Coarse,
}

impl Grain {
    /// The bucket that represents this one.
    pub(crate) fn of(self, bucket: Bucket) -> Bucket {
        match self {
            Self::Fine => bucket,
            Self::Coarse => Bucket(bucket.0.div_euclid(COARSE) * COARSE + COARSE / 2),
        }
    }

    /// The lowest bucket that this one may represent.
    pub(crate) fn first_of(self, bucket: Bucket) -> Bucket {
        Bucket(bucket.0.saturating_sub(self.reach()))
    }

    /// The highest bucket that this one may represent.
    pub(crate) fn last_of(self, bucket: Bucket) -> Bucket {
        Bucket(bucket.0.saturating_add(self.reach()))
    }

    fn reach(self) -> i32 {
        if self == Self::Coarse { COARSE / 2 } else { 0 }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_coarse_bucket_is_within_a_hundredth_of_its_values_and_contains_them(value in 1e-6_f64..1e18) {
            let fine = Bucket::of(value).unwrap();
            let coarse = Grain::Coarse.of(fine);
            prop_assert!((coarse.value() / value - 1.0).abs() <= COARSE_ERROR * 0.92, "{value} in {coarse:?}");
            prop_assert_eq!(Grain::Coarse.of(coarse), coarse);
            prop_assert!((Grain::Coarse.first_of(coarse)..=Grain::Coarse.last_of(coarse)).contains(&fine));
        }
    }
}
