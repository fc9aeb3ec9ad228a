//! The year of a market: when homes are listed, and when buyers and tenants come.

use stoop_domain::{Purpose, Time};

use crate::random::Random;

/// Percent of the year's mean by month, from January. Lengths of months are ignored: a month is a twelfth of a year.
type Year = [i64; 12];

/// New listings for sale: most in spring, fewest in December, as Realtor.com counts them.
const LISTED_FOR_SALE: Year = [78, 86, 106, 117, 124, 121, 113, 107, 102, 97, 79, 62];
/// New listings for rent: most in summer.
const LISTED_FOR_RENT: Year = [84, 86, 95, 102, 110, 117, 120, 117, 103, 94, 84, 78];
/// How quickly homes find buyers: fastest in spring, slowest around New Year.
const SOLD: Year = [82, 91, 106, 114, 116, 112, 106, 102, 98, 97, 90, 84];
/// How quickly homes find tenants.
const LET: Year = [82, 88, 98, 106, 112, 116, 117, 112, 101, 92, 85, 80];

/// A year of 365.2425 days.
pub(crate) const YEAR_MS: i64 = 31_556_952_000;
const MONTH_MS: i64 = YEAR_MS / 12;

/// The highest value of a [`Year`], rounded up.
const MOST: u64 = 125;

/// A wait longer than this many months ends there. No wait in a market is nearly as long.
const MONTHS_MAX: u32 = 1_200;

/// How many homes are listed at this time, in percent of the mean.
fn listed_percent(purpose: Purpose, at: Time) -> i64 {
    of_month(if purpose == Purpose::Sale { &LISTED_FOR_SALE } else { &LISTED_FOR_RENT }, at)
}

/// How quickly homes find takers at this time, in percent of the mean.
pub(crate) fn demand_percent(purpose: Purpose, at: Time) -> i64 {
    of_month(if purpose == Purpose::Sale { &SOLD } else { &LET }, at)
}

/// A time in `0..=within_ms` after `from`, more often in months in which many homes are listed.
pub(crate) fn listing_within(random: &mut Random, purpose: Purpose, from: Time, within_ms: i64) -> i64 {
    const DRAWS_MAX: u32 = 16;
    let mut drawn = 0;
    for _ in 0..DRAWS_MAX {
        drawn = random.between(0, within_ms.max(1));
        if random.below(MOST) < listed_percent(purpose, from.plus_ms(drawn)).unsigned_abs() {
            break;
        }
    }
    drawn
}

/// When a wait ends that would last `wait_ms` if homes were listed evenly: months in which many are listed shorten it.
pub(crate) fn listing_after(purpose: Purpose, from: Time, wait_ms: i64) -> i64 {
    let (mut left, mut at) = (wait_ms.max(0), from);
    for _ in 0..MONTHS_MAX {
        let percent = listed_percent(purpose, at);
        let until_next = MONTH_MS - at.ms().rem_euclid(MONTH_MS);
        let passes = until_next * percent / 100;
        if left <= passes {
            at = at.plus_ms(left * 100 / percent);
            break;
        }
        left -= passes;
        at = at.plus_ms(until_next);
    }
    at.ms() - from.ms()
}

fn of_month(year: &Year, at: Time) -> i64 {
    let month = at.ms().rem_euclid(YEAR_MS) / MONTH_MS;
    year[usize::try_from(month).unwrap_or(0).min(11)]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Time {
        Time::parse(text).unwrap()
    }

    #[test]
    fn every_year_has_the_same_mean_and_months_agree_with_the_calendar() {
        for year in [LISTED_FOR_SALE, LISTED_FOR_RENT, SOLD, LET] {
            let mean = year.iter().sum::<i64>() * 10 / 12;
            assert!((985..=1_015).contains(&mean), "{mean}");
            assert!(year.iter().all(|percent| (1..=MOST.cast_signed()).contains(percent)));
        }
        for (month, text) in [(0, "2026-01-15T00:00:00Z"), (4, "2026-05-15T00:00:00Z"), (11, "2031-12-15T00:00:00Z")] {
            assert_eq!(listed_percent(Purpose::Sale, at(text)), LISTED_FOR_SALE[month], "{text}");
        }
    }

    #[test]
    fn a_wait_is_longer_in_winter_and_a_whole_year_is_a_year() {
        let month = |text| listing_after(Purpose::Sale, at(text), 10 * Time::DAY_MS);
        assert!(month("2026-12-05T00:00:00Z") > 16 * Time::DAY_MS);
        assert!(month("2026-05-05T00:00:00Z") < 9 * Time::DAY_MS);
        let year = listing_after(Purpose::Sale, at("2026-03-05T00:00:00Z"), YEAR_MS);
        assert!((year - YEAR_MS).abs() < 5 * Time::DAY_MS, "{year}");
        assert_eq!(listing_after(Purpose::Sale, at("2026-03-05T00:00:00Z"), 0), 0);
        let endless = listing_after(Purpose::Rent, at("2026-03-05T00:00:00Z"), i64::MAX);
        assert_eq!(endless / YEAR_MS, 99);
    }
}
