use stoop_domain::{Address, Area, AreaUnit, Currency, Listing, Minor, Observation, PropertyType, Purpose, home_id};

use super::*;
use crate::join_bits;

/// A condominium in Chicago at thousands of dollars, seen first on a day of March 2026; perhaps without an address.
fn flat(source: &str, id: &str, day: u32, line: Option<&str>, price: i64) -> (HomeId, Home) {
    let address = Address {
        line: line.map(str::to_owned),
        city: Some("Chicago".to_owned()),
        region: Some("IL".to_owned()),
        postal_code: Some("60614".to_owned()),
        country: Some("US".to_owned()),
        ..Address::default()
    };
    let mut listing = Listing::new(Purpose::Sale, Currency::USD, address);
    listing.list_price = Some(Minor(price * 100_000));
    listing.property_type = Some(PropertyType::Condominium);
    listing.bedrooms = Some(2);
    listing.bathrooms_hundredths = Some(200);
    listing.living_area = Some(Area::of(1_037, AreaUnit::SquareFeet));
    let observation = Observation::new(source, id, march(day), listing);
    let mut home = Home::default();
    home.apply(&observation);
    (home_id(&observation), home)
}

fn march(day: u32) -> Time {
    Time::parse(&format!("2026-03-{day:02}T12:00:00Z")).unwrap()
}

fn others(listings: impl IntoIterator<Item = (HomeId, Home)>, id: &str) -> OtherListings {
    let mut all = AreaListings::default();
    for (id, home) in listings {
        all.add(id, home);
    }
    all.others_of(&HomeId(id.into()), march(30))
}

/// The IDs of the listings of the same home, and of those that may be.
fn ids<'o>(others: &'o OtherListings, id: &str) -> (Vec<&'o str>, Vec<&'o str>) {
    let id = HomeId(id.into());
    let same = others.of_the_same_home(&id).map(|listing| listing.id.as_str()).collect();
    (same, others.doubtful.iter().map(|doubtful| doubtful.listing.id.as_str()).collect())
}

#[test]
fn a_home_of_two_sources_has_the_other_one_with_the_evidence() {
    let listings = || {
        [
            flat("one", "1", 1, Some("12 N Main St Apt 4"), 450),
            flat("one", "2", 1, Some("12 N Main St Apt 5"), 450),
            flat("other", "70", 3, Some("12 North Main Street, #4"), 449),
        ]
    };
    let found = others(listings(), "other/70");
    assert_eq!(ids(&found, "other/70"), (vec!["one/1"], vec![]));
    assert_eq!((found.compared, found.not_compared, found.doubtful_found), (3, None, 0));
    let home = found.home.unwrap();
    assert_eq!((home.id.as_str(), home.listings.len()), ("one/1", 2));
    let [pair] = home.surest() else { panic!("{:?}", home.evidence) };
    assert_eq!((pair.a.as_str(), pair.b.as_str()), ("one/1", "other/70"));
    assert!(pair.bits >= join_bits(), "{pair}");
    assert!(pair.to_string().starts_with(&format!("{:.1} bits: same street, number and unit · ", pair.bits)), "{pair}");

    let alone = others(listings(), "one/2");
    assert_eq!((ids(&alone, "one/2"), alone.compared, alone.home.is_none()), ((vec![], vec![]), 3, true));
    let unknown = others(listings(), "one/3");
    assert_eq!((unknown.compared, unknown.home.is_none()), (3, true), "it is not among them");
}

#[test]
fn what_may_be_the_same_home_is_not_said_to_be() {
    // As large and about as dear, three weeks later, and nobody says where.
    let listings = [flat("one", "1", 1, None, 450), flat("other", "7", 25, None, 458)];
    let found = others(listings, "one/1");
    assert_eq!(ids(&found, "one/1"), (vec![], vec!["other/7"]));
    assert!(found.home.is_none() && found.doubtful_found == 1);
    let evidence = &found.doubtful[0].evidence;
    assert!(evidence.bits < join_bits() && evidence.bits >= 5.0, "{evidence}");
    assert!(evidence.to_string().contains(" · but: "), "{evidence}");
}
