mod codes;

use std::sync::Arc;

use stoop_domain::{AreaPath, AreaUnit, Currency};

use crate::config::SimulationConfig;
use crate::random::Random;

/// A postal area, in which homes are counted together.
#[derive(Debug)]
pub struct PostalArea {
    /// The five slugs of [`AreaPath`].
    pub path: AreaPath,
    /// `PostalCode`.
    pub postal_code: String,
    pub(crate) city: &'static City,
    pub(crate) latitude_e6: i32,
    pub(crate) longitude_e6: i32,
    /// The price level relative to the city.
    pub(crate) level_percent: i64,
}

/// A city with its prices in major units, its speed and its trend: no two are alike.
#[derive(Debug)]
pub(crate) struct City {
    pub(crate) country: &'static str,
    pub(crate) region: &'static str,
    pub(crate) county: &'static str,
    pub(crate) name: &'static str,
    codes: Codes,
    latitude_e6: i32,
    longitude_e6: i32,
    /// The median list price of homes for sale.
    pub(crate) sale: i64,
    /// The median rent a month.
    pub(crate) rent: i64,
    /// How many days homes for sale need to go under contract, on average.
    pub(crate) days: i64,
    /// The rise of prices and rents in a year, in basis points.
    pub(crate) trend: i64,
    /// The closing price of homes at their worth as a share of the list price, in basis points.
    pub(crate) to_list: i64,
}

/// The postal codes of a city.
#[derive(Debug)]
struct Codes {
    /// The first code; numbers are relative to it.
    first: u32,
    /// The real codes from there on, as ranges.
    real: &'static [(u32, u32)],
    /// The first of the codes that do not exist, for larger markets.
    invented_from: u32,
}

/// The maximum number of postal codes of a city.
const CODES_PER_CITY: u32 = 90;

#[rustfmt::skip]
static AMERICA: [City; 10] = [
    us("IL", "Cook", "Chicago", codes::CHICAGO, 62_100, 41_881_832, -87_623_177, (345_000, 2_000), 64, 450, 9_860),
    us("WA", "King", "Seattle", codes::SEATTLE, 98_690, 47_608_013, -122_335_167, (815_000, 3_150), 58, 150, 10_010),
    us("TX", "Travis", "Austin", codes::AUSTIN, 81_800, 30_266_666, -97_733_330, (525_000, 2_150), 112, -350, 9_610),
    us("MA", "Suffolk", "Boston", codes::BOSTON, 3_115, 42_361_145, -71_057_083, (795_000, 3_400), 66, 250, 9_900),
    us("TX", "Harris", "Houston", codes::HOUSTON, 77_105, 29_749_907, -95_358_421, (315_000, 1_650), 98, 50, 9_640),
    us("FL", "Miami-Dade", "Miami", codes::MIAMI, 34_000, 25_761_681, -80_191_788, (585_000, 2_950), 118, -50, 9_530),
    us("AZ", "Maricopa", "Phoenix", codes::PHOENIX, 84_800, 33_448_376, -112_074_036, (435_000, 1_850), 88, -100, 9_740),
    us("CO", "Denver", "Denver", codes::DENVER, 81_700, 39_742_043, -104_991_531, (565_000, 2_450), 78, 0, 9_820),
    us("GA", "Fulton", "Atlanta", codes::ATLANTA, 26_900, 33_753_746, -84_386_330, (405_000, 1_950), 86, 100, 9_710),
    us("PA", "Philadelphia", "Philadelphia", codes::PHILADELPHIA, 21_300, 39_952_583, -75_165_222, (265_000, 1_550), 70, 350, 9_810),
];

#[rustfmt::skip]
static MOROCCO: [City; 3] = [
    ma("Souss-Massa", "Agadir Ida-Ou Tanane", "Agadir", 80_000, 30_427_755, -9_598_107, (950_000, 4_500), 120, 200, 9_500),
    ma("Casablanca-Settat", "Casablanca", "Casablanca", 20_000, 33_573_110, -7_589_843, (1_450_000, 7_500), 110, 300, 9_500),
    ma("Marrakech-Safi", "Marrakech", "Marrakech", 40_000, 31_629_472, -7_981_084, (1_250_000, 6_500), 130, 100, 9_500),
];

/// The postal areas of a market, in as many cities as can have three each.
pub(crate) fn areas(config: &SimulationConfig) -> Vec<Arc<PostalArea>> {
    let &SimulationConfig { seed, markets, morocco, .. } = config;
    let cities: Vec<&'static City> = if morocco {
        AMERICA.iter().take(3).chain(&MOROCCO).chain(AMERICA.iter().skip(3)).collect()
    } else {
        AMERICA.iter().collect()
    };
    let all = u32::try_from(cities.len()).unwrap_or(1).min(config.cities);
    let used = (markets / 3).max(if morocco { 4.min(markets) } else { 1 }).min(all).max(1);
    (0..markets.clamp(1, used * CODES_PER_CITY))
        .map(|i| Arc::new(area(seed, cities[(i % used) as usize], i / used)))
        .collect()
}

fn area(seed: u64, city: &'static City, nth: u32) -> PostalArea {
    let mut random = Random::new(seed, u64::from(city.codes.first + nth) | 1 << 40);
    let (code, is_real) = city.codes.nth(nth);
    let postal_code = format!("{code:05}");
    // The gazetteer knows the postal codes of the United States; others come from the source only.
    let slug = if is_real { postal_code.clone() } else { format!("~{postal_code}") };
    let names = [Some(city.country), Some(city.region), Some(city.county), Some(city.name), Some(&*slug)];
    let path = AreaPath::of(names).expect("cities have names");
    let mut near = |middle: i32| middle + i32::try_from(random.between(-60_000, 60_000)).unwrap_or(0);
    let (latitude_e6, longitude_e6) = (near(city.latitude_e6), near(city.longitude_e6));
    PostalArea { path, postal_code, city, latitude_e6, longitude_e6, level_percent: random.between(70, 140) }
}

impl Codes {
    /// A code, and whether it exists.
    fn nth(&self, nth: u32) -> (u32, bool) {
        let mut rest = nth;
        for (from, to) in self.real {
            let many = to - from + 1;
            if rest < many {
                return (from + rest, true);
            }
            rest -= many;
        }
        (self.invented_from + rest, false)
    }
}

impl City {
    pub(crate) fn currency(&self) -> Currency {
        if self.is_american() { Currency::USD } else { Currency::MAD }
    }

    pub(crate) fn area_unit(&self) -> AreaUnit {
        if self.is_american() { AreaUnit::SquareFeet } else { AreaUnit::SquareMeters }
    }

    pub(crate) fn is_american(&self) -> bool {
        self.country == "US"
    }
}

#[expect(clippy::too_many_arguments, reason = "the columns of a table")]
const fn us(
    region: &'static str,
    county: &'static str,
    name: &'static str,
    real: &'static [(u32, u32)],
    invented_from: u32,
    latitude_e6: i32,
    longitude_e6: i32,
    (sale, rent): (i64, i64),
    days: i64,
    trend: i64,
    to_list: i64,
) -> City {
    let codes = Codes { first: real[0].0, real, invented_from };
    City { country: "US", region, county, name, codes, latitude_e6, longitude_e6, sale, rent, days, trend, to_list }
}

#[expect(clippy::too_many_arguments, reason = "the columns of a table")]
const fn ma(
    region: &'static str,
    county: &'static str,
    name: &'static str,
    first: u32,
    latitude_e6: i32,
    longitude_e6: i32,
    (sale, rent): (i64, i64),
    days: i64,
    trend: i64,
    to_list: i64,
) -> City {
    let codes = Codes { first, real: &[], invented_from: first };
    City { country: "MA", region, county, name, codes, latitude_e6, longitude_e6, sale, rent, days, trend, to_list }
}

#[cfg(test)]
mod tests {
    use stoop_domain::Time;

    use super::*;

    fn areas_of(markets: u32, morocco: bool) -> Vec<Arc<PostalArea>> {
        areas(&SimulationConfig { morocco, ..SimulationConfig::new(1, Time::default(), 1, markets) })
    }

    #[test]
    fn areas_are_distinct_and_boston_keeps_its_leading_zero() {
        let areas = areas_of(120, true);
        let mut paths: Vec<&str> = areas.iter().map(|area| area.path.as_str()).collect();
        paths.sort_unstable();
        paths.dedup();
        assert_eq!(paths.len(), 120);
        assert!(paths.contains(&"us/ma/suffolk/boston/02108"), "{paths:?}");
        assert!(paths.contains(&"ma/souss-massa/agadir-ida-ou-tanane/agadir/~80000"), "{paths:?}");
    }

    #[test]
    fn markets_are_at_least_one_and_at_most_what_the_country_has() {
        assert_eq!(areas_of(0, false).len(), 1);
        assert_eq!(areas_of(1_000_000, false).len(), 900);
    }

    #[test]
    fn postal_areas_are_in_as_many_cities_as_asked_for() {
        let cities = |cities| {
            let config = SimulationConfig { cities, ..SimulationConfig::new(1, Time::default(), 1, 60) };
            let areas = areas(&config);
            assert_eq!(areas.len(), 60);
            areas.iter().map(|area| area.city.name).collect::<std::collections::BTreeSet<_>>().len()
        };
        assert_eq!([0, 1, 5, u32::MAX].map(cities), [1, 1, 5, 10]);
    }
}
