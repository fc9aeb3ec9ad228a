//! The maps in `maps/` on the real files that they are made for, compared with independently computed counts.

use std::collections::BTreeMap;

use crate::common::{Replay, data, files, map, replay};
use stoop_domain::{AreaUnit, PropertyType, Purpose, Reason, Status};

fn show(name: &str, replay: &Replay) {
    let kinds = replay.observations.iter().filter(|o| o.listing.living_area.is_some()).count();
    eprintln!(
        "{name}: {} rows, {} skipped, {} observations, {} homes, {} without price, {kinds} with area, refused {:?}",
        replay.rows,
        replay.skipped,
        replay.observations.len(),
        replay.homes(),
        replay.without_price(),
        replay.reasons()
    );
    for (location, reason, detail) in replay.refused.iter().take(20) {
        eprintln!("  {location}: {reason}: {detail}");
    }
}

#[test]
fn avito_2024_has_thirty_price_changes() {
    let Some(folder) = data("ma-avito-2024") else { return };
    let replay = replay(&map("avito-2024.toml"), &files(&folder, "avito_"));
    show("avito-2024", &replay);
    assert_eq!((replay.rows, replay.observations.len(), replay.homes()), (1_663, 1_663, 1_184));
    assert_eq!(replay.changes(), [17, 10, 1, 2]);
    assert_eq!(replay.without_price(), 243);
    // "400 DH appartement meublée" is listed for sale, but is the price of a night.
    assert_eq!(replay.refused, []);
    let [(Reason::PriceAbsurd, detail)] = &replay.values[..] else { panic!("{:?}", replay.values) };
    assert!(detail.starts_with("list_price is 40000 minor units"), "{detail}");
    let homes = &replay.observations;
    assert!(homes.iter().all(|o| o.listing.property_type == Some(PropertyType::Apartment)));
    assert!(homes.iter().all(|o| o.listing.listed_at.is_some_and(|at| at < o.at)));
    assert_eq!(homes.iter().filter(|o| o.listing.address.neighbourhood.is_none()).count(), 212 + 137);
    assert_eq!(homes.iter().filter(|o| o.listing.living_area.is_none()).count(), 7);
    assert_eq!(homes.iter().filter(|o| o.listing.association_fee.is_some()).count(), 469);
    let bumped = homes.iter().filter(|o| o.native_id == "54401684").filter_map(|o| o.listing.list_price);
    assert_eq!(bumped.map(|p| p.0 / 100).collect::<std::collections::BTreeSet<_>>(), [1_600_000, 1_700_000].into());
}

#[test]
fn vienna_rents_change_fourteen_times() {
    let Some(folder) = data("at-vienna-rent-2026") else { return };
    let replay = replay(&map("willhaben-vienna-rent.toml"), &files(&folder, "raw_"));
    show("vienna", &replay);
    assert_eq!((replay.rows, replay.observations.len(), replay.homes()), (5_077, 5_077, 2_428));
    assert_eq!(replay.changes(), [8, 6, 0, 0]);
    assert_eq!(replay.without_price(), 0);
    assert_eq!(replay.refused, []);
    let homes = &replay.observations;
    assert!(homes.iter().all(|o| o.listing.purpose == Purpose::Rent));
    assert!(homes.iter().all(|o| {
        let code = o.listing.address.postal_code.as_deref();
        code.is_some_and(|code| code.len() == 4 && code.starts_with('1'))
    }));
    assert_eq!(homes.iter().filter(|o| o.listing.living_area.is_none()).count(), 107);
}

#[test]
fn yakeey_drops_four_prices() {
    let Some(folder) = data("ma-yakeey-2024") else { return };
    let replay = replay(&map("yakeey-2024.toml"), &files(&folder, "yakeey_"));
    show("yakeey", &replay);
    assert_eq!(replay.rows, 1_437);
    assert_eq!(replay.changes(), [4, 0, 0, 0]);
    assert_eq!(replay.without_price(), 0);
    let fees: Vec<i64> =
        replay.observations.iter().filter_map(|o| o.listing.association_fee).map(|fee| fee.0).collect();
    assert!(fees.len() > 500 && fees.contains(&25_000), "3000 DH a year are 250 a month");
    // One of the 739 references is a part of an address, and two rows have no location.
    assert_eq!(replay.homes(), 737);
    assert_eq!(replay.reasons(), BTreeMap::from([(Reason::MissingField, 2)]));
    assert!(replay.refused.iter().all(|(_, _, detail)| detail.contains("city")));
}

#[test]
fn avito_and_mubawab_2025_are_read_or_refused_with_reasons() {
    let Some(folder) = data("ma-avito-mubawab-2025") else { return };
    let avito = replay(&map("avito-2025.toml"), &files(&folder, "avito_ventes"));
    show("avito-2025", &avito);
    assert_eq!((avito.rows, avito.homes(), avito.without_price()), (38, 38, 7));
    assert!(avito.observations.iter().all(|o| o.listing.purpose == Purpose::Sale));
    let doubtful = ["14\\u{202f}500", "7\\u{202f}200", "8\\u{202f}500", "7\\u{202f}000"];
    for ((reason, detail), price) in avito.values.iter().zip(doubtful) {
        assert_eq!(*reason, Reason::BadValue);
        assert!(detail.contains(&format!("{price} DH for a sale: perhaps a rent")), "{detail}");
    }
    assert_eq!((avito.refused.len(), avito.values.len()), (0, doubtful.len()));
    assert!(avito.observations.iter().all(|o| o.listing.listed_at.unwrap() < o.at));
    let flats = avito.observations.iter().filter(|o| o.listing.property_type == Some(PropertyType::Apartment));
    let areas = flats.map(|o| (o.listing.living_area.is_some(), o.listing.lot_area.is_some())).collect::<Vec<_>>();
    assert_eq!((areas.len(), areas.iter().filter(|areas| **areas == (true, false)).count()), (19, 17));

    let sale = replay(&map("mubawab-sale-2025.toml"), &files(&folder, "mubawab_ventes"));
    show("mubawab-sale", &sale);
    assert_eq!((sale.rows, sale.homes(), sale.without_price()), (33, 32, 4));
    assert_eq!(sale.reasons(), BTreeMap::from([(Reason::ForeignCurrency, 1)]));

    let rent = replay(&map("mubawab-rent-2025.toml"), &files(&folder, "mubawab_locations"));
    show("mubawab-rent", &rent);
    assert_eq!((rent.rows, rent.homes(), rent.without_price()), (33, 33, 0));
    assert_eq!(rent.refused, []);
    assert!(rent.observations.iter().all(|o| o.listing.address.city.is_some() && o.listing.living_area.is_some()));
    assert_eq!(rent.observations.iter().filter(|o| o.listing.address.neighbourhood.is_none()).count(), 3);
    assert_eq!(rent.observations.iter().filter(|o| o.listing.bedrooms.is_some()).count(), 27);
}

#[test]
fn zillow_price_history_keeps_sale_and_rent_apart() {
    let Some(folder) = data("us-zillow-1000-price-history") else { return };
    let replay = replay(&map("zillow-price-history.toml"), &files(&folder, "price_history"));
    show("zillow-price-history", &replay);
    assert_eq!((replay.rows, replay.homes()), (4_707, 911));
    assert_eq!(replay.refused, []);
    assert_eq!(replay.without_price(), 1_670 + 110 + 13, "a sale is not an offer");
    let homes = &replay.observations;
    let sales: Vec<_> = homes.iter().filter(|o| o.listing.status == Status::Closed).collect();
    assert_eq!(sales.iter().filter(|o| o.listing.close_price.is_none()).count(), 130);
    assert!(sales.iter().all(|o| o.listing.close_date.is_some_and(|day| i64::from(day.0) * 86_400_000 == o.at.ms())));
    assert!(homes.iter().all(|o| o.listing.status == Status::Closed || o.listing.close_date.is_none()));
    let of = |status: Status| homes.iter().filter(|o| o.listing.status == status).count();
    assert_eq!(of(Status::Active), 938 + 842 + 227);
    assert_eq!(of(Status::Pending), 443);
    assert_eq!(of(Status::ActiveUnderContract), 59);
    assert_eq!(of(Status::Closed), 1_670);
    assert_eq!(of(Status::Withdrawn), 528);
    assert_eq!(homes.iter().filter(|o| o.listing.purpose == Purpose::Rent).count(), 583);
    assert!(homes.iter().all(|o| o.native_id.ends_with(":rent") == (o.listing.purpose == Purpose::Rent)));
}

#[test]
fn zillow_listings_leave_out_what_is_not_on_the_market() {
    let Some(folder) = data("us-zillow-1000-price-history") else { return };
    let replay = replay(&map("zillow-listings.toml"), &files(&folder, "listings"));
    show("zillow-listings", &replay);
    assert_eq!((replay.rows, replay.skipped), (807, 649));
    assert_eq!(replay.observations.len() + replay.refused.len(), 106 + 45 + 7);
    assert_eq!(replay.refused, []);
    assert!(replay.observations.iter().all(|o| o.listing.address.postal_code.as_ref().is_some_and(|z| z.len() == 5)));
    assert!(replay.observations.iter().all(|o| o.listing.living_area.is_none_or(|a| a.unit == AreaUnit::SquareFeet)));
    let sold: Vec<_> = replay.observations.iter().filter(|o| o.listing.status == Status::Closed).collect();
    assert_eq!((sold.len(), sold.iter().filter(|o| o.listing.close_price.is_some()).count()), (151, 127));
    assert!(sold.iter().all(|o| o.listing.list_price.is_none() && o.listing.close_date.is_some()));
    assert_eq!(replay.observations.iter().filter(|o| o.listing.list_price.is_some()).count(), 7);
}

#[test]
fn king_county_sales_keep_their_zips_and_quarters_of_a_bath() {
    let Some(folder) = data("us-kc-house-sales-2014") else { return };
    let replay = replay(&map("kc-house-sales.toml"), &files(&folder, "kc_house"));
    show("kc", &replay);
    assert_eq!((replay.rows, replay.observations.len(), replay.homes()), (21_612, 21_612, 21_435));
    assert_eq!(replay.refused, []);
    let homes = &replay.observations;
    let zips: std::collections::BTreeSet<_> = homes.iter().map(|o| o.listing.address.postal_code.clone()).collect();
    assert_eq!(zips.len(), 70);
    assert!(
        homes.iter().all(|o| o.listing.status == Status::Closed && o.listing.list_price.is_none()),
        "sold, not offered"
    );
    let mut prices: Vec<i64> = homes.iter().filter_map(|o| o.listing.close_price).map(|p| p.0).collect();
    prices.sort_unstable();
    assert_eq!(prices.len(), homes.len());
    let days = homes.iter().filter_map(|o| o.listing.close_date).map(|day| day.to_string());
    let days: std::collections::BTreeSet<_> = days.collect();
    assert_eq!((days.first().unwrap().as_str(), days.last().unwrap().as_str()), ("2014-05-02", "2015-05-27"));
    let years: std::collections::BTreeSet<_> = homes.iter().filter_map(|o| o.listing.year_built).collect();
    assert_eq!((years.first(), years.last()), (Some(&1900), Some(&2015)));
    assert_eq!(prices[prices.len() / 2] / 100, 450_000);
    assert_eq!(homes.iter().filter(|o| o.listing.bedrooms == Some(0)).count(), 13);
    assert_eq!(homes.iter().filter(|o| o.listing.bathrooms_hundredths == Some(225)).count(), 2_047);
    let first = homes.iter().find(|o| o.native_id == "7129300520").unwrap();
    assert_eq!(first.at.to_string(), "2014-10-13T07:00:00Z");
    assert_eq!(first.listing.close_date.unwrap().to_string(), "2014-10-13");
    assert_eq!(first.listing.close_price.map(|price| price.0), Some(22_190_000));
}
