//! Compares the pooled medians with sorting the prices of all homes on all days.

use proptest::prelude::*;
use stoop_domain::Day;
use stoop_market::{RELATIVE_ERROR, pooled_medians};

use crate::balance::{parts, segment, states};
use crate::oracle::{Interval, day_of, intervals, on_offer, quantile};
use crate::support::homes_of_a_season;

proptest! {
    #[test]
    fn pooled_medians_are_those_of_all_prices_of_all_days(
        homes in homes_of_a_season(),
        which in any::<prop::sample::Index>(),
        later in -3_i32..100,
        days in 0_i32..40,
    ) {
        let expected: Vec<Vec<Interval>> = homes.iter().map(|home| intervals(home)).collect();
        for (market, cells) in states(&homes) {
            let zone = market.area.country().zone;
            let begins: Vec<i32> = expected.iter().flatten().map(|interval| day_of(interval.at, &zone)).collect();
            let from = begins[which.index(begins.len())] + later;
            let until = from + days;
            for part in parts().into_iter().step_by(6) {
                #[expect(clippy::cast_precision_loss, reason = "known to a thousandth")]
                let prices = |day: i32| -> Vec<f64> {
                    let homes = on_offer(&expected, &market, part, day);
                    homes.iter().filter_map(|home| home.price).map(|price| price as f64).collect()
                };
                let by_day: Vec<Vec<f64>> = (from - 90..=until).map(prices).collect();
                let got = pooled_medians(&cells, segment(part), Day(from), Day(until));
                prop_assert_eq!(got.len(), by_day.len() - 90);
                for (at, got) in got.into_iter().enumerate() {
                    for (got, span) in got.into_iter().zip([7, 28, 91]) {
                        let pool = by_day[at + 91 - span..=at + 90].concat();
                        let want = quantile(pool, 0.5);
                        let is_near = match (got, want) {
                            (Some(got), Some(want)) => (got / want - 1.0).abs() <= RELATIVE_ERROR * 1.000_001,
                            (got, want) => got == want,
                        };
                        prop_assert!(is_near, "{} days of {:?}: {:?} for {:?}", span, part, got, want);
                    }
                }
            }
        }
    }
}
