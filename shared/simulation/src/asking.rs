//! Prices as people set them: $525,000, $499,900, $1,895 a month.

use stoop_domain::{Minor, Purpose};

use crate::home::Home;
use crate::random::Random;

/// An asking price near `wanted`.
pub(crate) fn asking(wanted: Minor, home: &Home, random: &mut Random) -> Minor {
    let major = wanted.0 / 100;
    let asked = match (home.purpose, home.area.city.is_american()) {
        (Purpose::Sale, true) => for_sale(major, random),
        (Purpose::Rent, true) => for_rent(major, random),
        (Purpose::Sale, false) => nearest(major, 10_000),
        (Purpose::Rent, false) => nearest(major, 100),
    };
    Minor(asked * 100)
}

/// An asking price below `price`, near `wanted`, which is below it too.
pub(crate) fn asking_less(price: Minor, wanted: Minor, home: &Home, random: &mut Random) -> Minor {
    let asked = asking(wanted, home, random);
    if asked < price { asked } else { Minor(wanted.0 / step(home) * step(home)).max(Minor(100)) }
}

/// An asking price above `price`, near `wanted`, which is above it too.
pub(crate) fn asking_more(price: Minor, wanted: Minor, home: &Home, random: &mut Random) -> Minor {
    let asked = asking(wanted, home, random);
    if asked > price { asked } else { Minor((price.0 / step(home) + 1) * step(home)) }
}

/// The finest steps of prices, in minor units: a thousand for sale, five for rent.
fn step(home: &Home) -> i64 {
    match home.purpose {
        Purpose::Sale => 100_000,
        Purpose::Rent => 500,
    }
}

/// In major units.
fn for_sale(wanted: i64, random: &mut Random) -> i64 {
    let round = match wanted {
        ..500_000 => 5_000,
        500_000..1_000_000 => 10_000,
        _ => 25_000,
    };
    match random.below(100) {
        0..20 => nearest(wanted, round),
        20..40 => nearest(wanted, 5_000),
        40..66 => nearest(wanted, round) - 100,
        66..82 => nearest(wanted, round) - 1_000,
        _ => nearest(wanted, 1_000),
    }
}

/// In major units a month.
fn for_rent(wanted: i64, random: &mut Random) -> i64 {
    match random.below(100) {
        0..38 => nearest(wanted, 50),
        38..66 => nearest(wanted, 50) - 5,
        66..80 => nearest(wanted, 100) - 1,
        _ => nearest(wanted, 25),
    }
}

/// The nearest multiple of `round`, at least one.
fn nearest(wanted: i64, round: i64) -> i64 {
    ((wanted + round / 2) / round).max(1) * round
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prices_have_the_ends_that_people_like() {
        let mut random = Random::new(1, 1);
        let mut ends = [0_u32; 4];
        for _ in 0..1_000 {
            let price = for_sale(523_000, &mut random);
            assert!((515_000..=530_000).contains(&price), "{price}");
            let end = [5_000, 10_000, 10_000, 1_000].iter().zip([0, 9_900, 9_000, 0]);
            let found = end.enumerate().find(|(_, (round, rest))| price % **round == *rest);
            ends[found.unwrap().0] += 1;
        }
        assert!(ends.iter().all(|count| *count > 100), "{ends:?}");
        for _ in 0..1_000 {
            let rent = for_rent(1_897, &mut random);
            assert!(matches!(rent, 1_895 | 1_899 | 1_900), "{rent}");
        }
        assert_eq!(nearest(3, 1_000), 1_000);
    }
}
