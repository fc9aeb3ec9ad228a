//! The market has the figures that Redfin, Realtor.com, Zillow and others publish of real ones. `docs/SIMULATION.md`
//! names them: change both together.

mod survey;

use std::ops::RangeInclusive;

use stoop_domain::{PropertyType, Purpose, Time};
use stoop_simulation::{Simulation, SimulationConfig, write_row};
use survey::{MONTHS, Survey, YEAR_MS, survey};

/// Sale markets and rental markets by city, three seeds' together.
struct Surveyed {
    sale: Vec<(String, Survey)>,
    rent: Vec<(String, Survey)>,
}

/// Three markets of ten cities over three years, after most of a year in which they fill. All in one test, since it takes
/// seconds to make them.
#[test]
fn a_market_has_the_figures_of_real_ones() {
    let mut surveyed = Surveyed { sale: Vec::new(), rent: Vec::new() };
    for seed in 1..=3 {
        for ((city, purpose), counted) in survey(&market(seed)) {
            let surveys = if purpose == Purpose::Sale { &mut surveyed.sale } else { &mut surveyed.rent };
            match surveys.iter_mut().find(|(known, _)| *known == city) {
                Some((_, survey)) => survey.add(counted),
                None => surveys.push((city, counted)),
            }
        }
    }
    surveyed.cuts_are_as_frequent_and_as_deep_as_published();
    surveyed.drops_of_fifteen_percent_are_rare_and_happen();
    surveyed.supply_and_speed_are_as_published();
    surveyed.homes_close_near_their_list_price();
    surveyed.listings_peak_in_spring_and_sales_are_slow_in_winter();
    surveyed.cities_differ_in_level_speed_and_trend();
    surveyed.rents_yield_four_to_nine_percent();
}

fn market(seed: u64) -> Simulation {
    let start = Time::parse("2026-01-01T00:00:00Z").unwrap();
    Simulation::new(SimulationConfig {
        past_ms: survey::SPAN_MS + YEAR_MS * 2 / 3,
        rent_permille: 300,
        ..SimulationConfig::new(seed, start, 8_000, 40)
    })
}

/// All cities together.
fn country(surveys: &[(String, Survey)]) -> Survey {
    surveys.iter().fold(Survey::default(), |mut all, (_, survey)| {
        all.add(survey.clone());
        all
    })
}

#[track_caller]
fn within(what: &str, range: RangeInclusive<f64>, value: f64) {
    println!("{what}: {value:.4}");
    assert!(range.contains(&value), "{what}: {value:.4} is not within {range:?}");
}

impl Surveyed {
    /// The least and the greatest figure of a city's sale market.
    fn spread(&self, of: impl Fn(&Survey) -> f64) -> (f64, f64) {
        let values = || self.sale.iter().map(|(_, survey)| of(survey));
        (values().fold(f64::INFINITY, f64::min), values().fold(0.0, f64::max))
    }

    fn cuts_are_as_frequent_and_as_deep_as_published(&self) {
        let all = country(&self.sale);
        within("cut within the month", 0.135..=0.20, all.reduced_share());
        within("below the first price", 0.25..=0.40, all.cut_share());
        within("median cut since the first price", 0.03..=0.05, all.median_cut());
        within("median single cut", 0.02..=0.04, all.median_single_cut());
        within("rises for each cut", 0.03..=0.15, all.rises_for_a_cut());
        let (least, most) = self.spread(Survey::reduced_share);
        within("cut within the month where homes sell fastest", 0.10..=0.16, least);
        within("cut within the month where they sell slowest", 0.16..=0.26, most);
        let rents = country(&self.rent);
        within("rents cut within the month", 0.05..=0.20, rents.reduced_share());
    }

    fn drops_of_fifteen_percent_are_rare_and_happen(&self) {
        let a_hundred_homes = 100.0 * country(&self.sale).deep_drops_for_a_home_and_month();
        within("of a hundred homes in a month", 0.1..=0.6, a_hundred_homes);
    }

    fn supply_and_speed_are_as_published(&self) {
        let all = country(&self.sale);
        within("months of supply", 2.2..=4.7, all.months_of_supply());
        within("median days to a contract", 40.0..=66.0, all.median_days());
        within("median age of the homes on offer", 45.0..=90.0, all.median_age());
        within("broken contracts", 0.13..=0.17, all.broken_contracts());
        for (city, survey) in &self.sale {
            within(&format!("months of supply in {city}"), 1.7..=5.0, survey.months_of_supply());
            within(&format!("median days in {city}"), 30.0..=100.0, survey.median_days());
        }
    }

    fn homes_close_near_their_list_price(&self) {
        let all = country(&self.sale);
        within("mean sale to list", 0.97..=1.0, all.mean_sale_to_list());
        within("sold above list", 0.15..=0.35, all.sold_above_list());
        let (least, most) = self.spread(Survey::mean_sale_to_list);
        within("sale to list where buyers haggle most", 0.94..=0.98, least);
        within("sale to list where they haggle least", 0.99..=1.02, most);
    }

    fn listings_peak_in_spring_and_sales_are_slow_in_winter(&self) {
        let all = country(&self.sale);
        let months = all.listed_by_month();
        let (peak, least) = (months.iter().max().unwrap(), months.iter().min().unwrap());
        let month_of = |count| months.iter().position(|listed| listed == count).unwrap() + 1;
        assert!((4..=6).contains(&month_of(peak)) && month_of(least) == 12, "{months:?}");
        within("listings in the best month for each in the worst", 1.6..=2.5, f64::from(*peak) / f64::from(*least));
        let [winter, summer] = all.median_days_in_winter_and_summer();
        within("days in winter for each in summer", 1.05..=1.6, winter / summer);
        let stock = all.stock_by_year();
        for years in stock.windows(2) {
            within("stock, compared with the year before", 0.95..=1.05, years[1] / years[0]);
        }
    }

    fn cities_differ_in_level_speed_and_trend(&self) {
        let (least, most) = self.spread(Survey::median_price);
        within("median price of the dearest city for each of the cheapest", 2.0..=4.0, most / least);
        let (least, most) = self.spread(Survey::months_of_supply);
        within("supply of the slowest city for each of the fastest", 1.8..=3.0, most / least);
        let growth = |name: &str| {
            let (_, survey) = self.sale.iter().find(|(city, _)| city == name).unwrap();
            survey.yearly_growth()
        };
        within("Chicago's trend", 0.03..=0.06, growth("chicago"));
        within("Denver's trend", -0.01..=0.01, growth("denver"));
        within("Austin's trend", -0.05..=-0.02, growth("austin"));
    }

    fn rents_yield_four_to_nine_percent(&self) {
        let mut compared = 0;
        for ((city, sale), (_, rent)) in self.sale.iter().zip(&self.rent) {
            for kind in [PropertyType::SingleFamilyResidence, PropertyType::Condominium, PropertyType::Townhouse] {
                for bedrooms in 1..=6 {
                    let Some(yearly) = rent.gross_yield(sale, kind, bedrooms) else { continue };
                    within(&format!("yield of {kind:?} with {bedrooms} bedrooms in {city}"), 0.04..=0.09, yearly);
                    compared += 1;
                }
            }
        }
        assert!(compared > 40, "{compared}");
    }
}

#[test]
fn prices_are_round_and_nothing_is_pictured() {
    let simulation = market(4);
    let mut charming = 0;
    for entry in simulation.log() {
        let home = &simulation.all_homes()[entry.home as usize];
        let (price, whole) = (entry.offer.list_price.0 / 100, entry.offer.list_price.0 % 100 == 0);
        let round = match home.purpose {
            Purpose::Sale => price % 1_000 == 0 || price % 1_000 == 900,
            Purpose::Rent => price % 5 == 0 || price % 100 == 99,
        };
        assert!(whole && round, "{price} for {:?}", home.purpose);
        charming += usize::from(price % 5_000 == 4_900 || price % 10_000 == 9_000);
    }
    assert!(charming * 5 > simulation.log().len(), "{charming}");
    let (home, offer) = simulation.homes().next().unwrap();
    let mut row = Vec::new();
    write_row(&mut row, home, offer);
    let row: serde_json::Value = serde_json::from_slice(&row).unwrap();
    assert!(row.get("Media").is_none() && row.get("PhotosCount").is_none(), "{row}");
    assert_eq!(MONTHS, 36);
}
