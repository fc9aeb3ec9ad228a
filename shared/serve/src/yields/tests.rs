use stoop_domain::{Address, Day, Facts, History, Listing, Minor, PropertyType, Purpose, Sighting, Time};
use stoop_market::{Cells, Zones, contribution};

use super::*;

/// A kind of home: purpose, type and bedrooms (`None`: unknown), price in dollars, number of homes.
type Kind = (Purpose, PropertyType, Option<u8>, i64, usize);

const TWO: Option<u8> = Some(2);

use PropertyType::{Condominium, Townhouse};
use Purpose::{Rent, Sale};

/// An area with these homes.
fn area(path: &str, kinds: &[Kind]) -> YieldLevel {
    let prices = |purpose: Purpose| {
        let mut cells = Cells::default();
        for (_, property_type, bedrooms, dollars, homes) in kinds.iter().filter(|kind| kind.0 == purpose) {
            let address =
                Address { postal_code: Some("98178".into()), country: Some("US".into()), ..Address::default() };
            let mut listing = Listing::new(purpose, Currency::USD, address);
            (listing.property_type, listing.bedrooms) = (Some(*property_type), *bedrooms);
            // Spread by 20 % to both sides, with the price itself in the middle.
            for n in 0..*homes {
                let share = if *homes == 1 { 0.0 } else { 0.4 * (n as f64 / (*homes - 1) as f64 - 0.5) };
                listing.list_price = Some(Minor(((*dollars * 100) as f64 * (1.0 + share)).round() as i64));
                let mut history = History::default();
                history.apply(Sighting::at(Time::default()), &Facts::of(&listing).unwrap(), None);
                let deltas = contribution(&history, &mut Zones::default()).into_deltas();
                deltas.iter().for_each(|(_, delta)| drop(cells.add(delta)));
            }
        }
        KindPrices::of(&cells, Day(10))
    };
    YieldLevel { area: path.to_owned(), sale: prices(Sale), rent: prices(Rent) }
}

fn of(levels: &[YieldLevel]) -> Vec<YieldView> {
    yields(levels, Currency::USD)
}

fn weights(view: &YieldView) -> Vec<(&str, f64)> {
    view.levels.iter().map(|level| (level.area.as_str(), level.weight)).collect()
}

#[test]
fn a_yield_is_twelve_rents_by_the_price() {
    let here = area("us/wa/king", &[(Sale, Condominium, TWO, 400_000, 31), (Rent, Condominium, TWO, 2_000, 31)]);
    let found = of(&[here]);
    let [all, kind] = &found[..] else { panic!("{found:?}") };
    assert_eq!((kind.label.as_str(), kind.sale_homes, kind.rent_homes), ("Condominium, 2 bedrooms", 31, 31));
    // 12 x 2,000 / 400,000, from buckets of a thousandth.
    assert!((kind.gross_yield - 0.06).abs() < 0.000_2 && (kind.price_to_rent - 16.67).abs() < 0.05, "{kind:?}");
    assert_eq!((all.label.as_str(), all.gross_yield, all.matched_share), ("all", kind.gross_yield, Some(1.0)));
    let ConfidenceInterval { low, high } = kind.gross_yield_interval;
    assert!(low < 0.059 && 0.061 < high && high / low < 1.4, "{kind:?}");
    assert_eq!(weights(kind), [("us/wa/king", 1.0)]);
}

/// Of 29 homes for rent no other one is borrowed from the wide country: the area's own weigh most.
#[test]
fn few_homes_lean_on_the_city_and_county_by_their_number() {
    let county = area("county", &[(Sale, Condominium, TWO, 300_000, 200), (Rent, Condominium, TWO, 2_000, 200)]);
    let city = area("city", &[(Sale, Condominium, TWO, 400_000, 60), (Rent, Condominium, TWO, 2_000, 60)]);
    let own = |rents: usize| {
        let code = area("code", &[(Sale, Condominium, TWO, 600_000, 40), (Rent, Condominium, TWO, 2_000, rents)]);
        of(&[code, city.clone(), county.clone()]).remove(1)
    };
    let weight = |rents: usize| own(rents).levels[0].weight;
    assert!(weight(29) > 0.5 && weight(2) < 0.5 && weight(2) < weight(10) && weight(10) < weight(29));
    assert!((weight(30) - weight(29)).abs() < 0.02, "no cliff at thirty");
    // Own 4 %, city 6 %, county 8 %.
    let (few, many) = (own(2), own(200));
    assert!(0.045 < few.gross_yield && few.gross_yield < 0.062, "{few:?}");
    assert!((many.gross_yield - 0.04).abs() < 0.003, "{many:?}");
    assert!(few.gross_yield_interval.reach() > many.gross_yield_interval.reach());
    let sum: f64 = few.levels.iter().map(|level| level.weight).sum();
    assert!((sum - 1.0).abs() < 0.001, "{few:?}");
    let none = own(0);
    assert_eq!((none.levels[0].weight, none.rent_homes, none.median_rent), (0.0, 0, None));
    assert!(none.gross_yield > 0.055, "it is that of the city: {none:?}");
}

/// The example of METRICS.md.
#[test]
fn two_rents_weigh_a_sixth_of_those_of_the_city() {
    let kinds =
        |sale, rent, dollars| [(Sale, Condominium, TWO, 600_000, sale), (Rent, Condominium, TWO, dollars, rent)];
    let found = of(&[
        area("us/wa/king/seattle/98101", &kinds(40, 2, 2_000)),
        area("us/wa/king/seattle", &kinds(60, 60, 3_000)),
    ]);
    let kind = &found[1];
    assert!((kind.gross_yield - 0.056).abs() < 0.0005, "{kind:?}");
    let weights = weights(kind);
    // The difference of these two areas counts for what is measured between areas.
    assert!((weights[0].1 - 8.0 / 48.8).abs() < 0.02 && (weights[1].1 - 40.8 / 48.8).abs() < 0.02, "{weights:?}");
}

#[test]
fn the_yield_of_an_area_is_weighted_by_its_homes_for_sale() {
    let here = [
        (Sale, Condominium, TWO, 400_000, 31),
        (Rent, Condominium, TWO, 2_000, 31),
        (Sale, Townhouse, TWO, 400_000, 93),
        (Rent, Townhouse, TWO, 4_000, 31),
    ];
    let all = &of(&[area("here", &here)])[0];
    // (31 x 6 % + 93 x 12 %) / 124.
    assert!((all.gross_yield - 0.105).abs() < 0.000_3, "{all:?}");
    assert_eq!((all.sale_homes, all.rent_homes), (124, 62));
}

#[test]
fn homes_of_unknown_bedrooms_and_of_other_types_are_not_matched() {
    let here = [
        (Sale, Condominium, None, 400_000, 50),
        (Rent, Condominium, None, 2_000, 50),
        (Sale, Condominium, TWO, 400_000, 50),
        (Rent, Townhouse, TWO, 2_000, 50),
    ];
    assert!(of(&[area("here", &here)]).is_empty());
}

#[test]
fn a_yield_that_could_be_anything_is_none_and_half_of_the_homes_make_none_of_the_area() {
    let one = area("one", &[(Sale, Condominium, TWO, 400_000, 1), (Rent, Condominium, TWO, 2_000, 1)]);
    assert!(of(&[one]).is_empty(), "one home for sale and one for rent");
    let here = [
        (Sale, Condominium, TWO, 400_000, 40),
        (Rent, Condominium, TWO, 2_000, 40),
        (Sale, Townhouse, TWO, 400_000, 60),
    ];
    let found = of(&[area("here", &here)]);
    let labels: Vec<&str> = found.iter().map(|it| it.label.as_str()).collect();
    assert_eq!(labels, ["Condominium, 2 bedrooms"], "40 of 100 homes are not the area");
}
