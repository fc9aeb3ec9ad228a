use stoop_domain::{Address, Facts, History, Listing, Minor, PropertyType, Purpose, Sighting, Time};
use stoop_market::{Cells, Zones, contribution};

use super::*;
use crate::serve::{find_area, merged};

/// A kind of home: purpose, type and bedrooms (`None`: unknown), price in dollars, number of homes.
type Kind = (Purpose, PropertyType, Option<u8>, i64, usize);

const TWO: Option<u8> = Some(2);

/// The view of a path, over homes in Seattle, 98178, and in Spokane, all in Washington.
fn area(path: &str, in_seattle: &[Kind], in_spokane: &[Kind]) -> AreaView {
    let at = Time::parse("2026-03-02T20:00:00Z").unwrap();
    let mut states: Vec<(stoop_domain::Market, Cells)> = Vec::new();
    for (postal_code, kinds) in [("98178", in_seattle), ("99201", in_spokane)] {
        for (purpose, property_type, bedrooms, dollars, homes) in kinds {
            let address = Address {
                postal_code: Some(postal_code.into()),
                region: Some("WA".into()),
                country: Some("US".into()),
                ..Address::default()
            };
            let mut listing = Listing::new(*purpose, Currency::USD, address);
            listing.property_type = Some(*property_type);
            listing.bedrooms = *bedrooms;
            listing.list_price = Some(Minor(dollars * 100));
            let mut history = History::default();
            history.apply(Sighting::at(at), &Facts::of(&listing).unwrap(), None);
            for (market, delta) in contribution(&history, &mut Zones::default()).into_deltas() {
                let mut cells = Cells::default();
                (0..*homes).for_each(|_| drop(cells.add(&delta)));
                states.push((market, cells));
            }
        }
    }
    let known: Vec<_> = states.iter().map(|(market, _)| market.clone()).collect();
    let found = find_area(path, &known).unwrap();
    let states = states.into_iter().filter(|(market, _)| found.markets.contains(market));
    AreaView::of(&found, &merged(states), at, 0)
}

/// The views of the postal code and of the region around it.
fn levels(in_seattle: &[Kind], in_spokane: &[Kind]) -> [AreaView; 2] {
    ["98178", "us/wa"].map(|path| area(path, in_seattle, in_spokane))
}

use PropertyType::{Condominium, Townhouse};
use Purpose::{Rent, Sale};

#[test]
fn both_medians_are_of_the_first_area_with_thirty_homes_of_the_kind_on_both_sides() {
    let here = [(Sale, Condominium, TWO, 400_000, 30), (Rent, Condominium, TWO, 2_000, 30)];
    let elsewhere = [(Rent, Condominium, TWO, 9_000, 500)];
    let found = yields(&levels(&here, &elsewhere));
    let [all, kind] = &found[..] else { panic!("{found:?}") };
    assert_eq!((kind.label.as_str(), kind.sale_homes, kind.rent_homes), ("Condominium, 2 bedrooms", 30, 30));
    assert!(kind.matched_in.as_deref().unwrap().ends_with("/98178"), "{kind:?}");
    // 12 x 2,000 / 400,000, from buckets of a thousandth.
    assert!((kind.gross_yield - 0.06).abs() < 0.000_2 && (kind.price_to_rent - 16.67).abs() < 0.05, "{kind:?}");
    assert_eq!((all.label.as_str(), all.gross_yield, all.sale_homes), ("all", kind.gross_yield, 30));
    assert!(!needs_wider(&levels(&here, &elsewhere)[..1]), "the region need not be read");
}

#[test]
fn with_fewer_homes_the_area_around_is_used() {
    let here = [(Sale, Condominium, TWO, 400_000, 5), (Rent, Condominium, TWO, 2_000, 29)];
    let elsewhere = [(Sale, Condominium, TWO, 200_000, 40), (Rent, Condominium, TWO, 1_500, 40)];
    let levels = levels(&here, &elsewhere);
    assert!(needs_wider(&levels[..1]) && yields(&levels[..1]).is_empty());
    let found = yields(&levels);
    let kind = &found[1];
    assert_eq!((kind.matched_in.as_deref(), kind.sale_homes, kind.rent_homes), (Some("us/wa"), 45, 69));
    // Of 45 homes the median asks 200,000, of 69 rents it is 1,500.
    assert!((kind.gross_yield - 0.09).abs() < 0.003, "{kind:?}");
    assert_eq!((found[0].sale_homes, found[0].rent_homes), (5, 69), "weighted by the homes for sale here");
}

#[test]
fn the_yield_of_an_area_is_weighted_by_its_homes_for_sale() {
    let here = [
        (Sale, Condominium, TWO, 400_000, 30),
        (Rent, Condominium, TWO, 2_000, 30),
        (Sale, Townhouse, TWO, 400_000, 90),
        (Rent, Townhouse, TWO, 4_000, 30),
    ];
    let all = &yields(&levels(&here, &[]))[0];
    // (30 x 6 % + 90 x 12 %) / 120.
    assert!((all.gross_yield - 0.105).abs() < 0.000_3, "{all:?}");
}

#[test]
fn homes_of_unknown_bedrooms_and_of_other_types_are_not_matched() {
    let here = [
        (Sale, Condominium, None, 400_000, 50),
        (Rent, Condominium, None, 2_000, 50),
        (Sale, Condominium, TWO, 400_000, 50),
        (Rent, Townhouse, TWO, 2_000, 50),
    ];
    let levels = levels(&here, &[]);
    assert!(yields(&levels).is_empty(), "{:?}", yields(&levels));
    assert!(needs_wider(&levels), "condominiums with two bedrooms have no rents anywhere");
}
