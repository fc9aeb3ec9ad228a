//! Rows: their fields and refusals.

use stoop_domain::{Area, AreaUnit, Minor, PropertyType, Reason, Status};

use super::*;

fn building(units: &str) -> Vec<SeenListing> {
    let found = rows(&format!(
        r#""zpid": "47.6--122.1", "isBuilding": true, "buildingName": null, "price": null, "listingStatus": "FOR_RENT",
        "address": "4850 1st Ave, Redmond, WA", "units": {units}"#
    ));
    let found = found.into_iter().map(|row| match row {
        Row::Found(found) => *found,
        Row::Refused { reason, detail, .. } => panic!("refused: {reason} {detail}"),
    });
    found.collect()
}

#[test]
fn each_kind_of_unit_in_a_building_is_a_listing() {
    let units =
        building(r#"[{"beds": "2", "price": "$2,305+", "roomForRent": false}, {"beds": "Studio", "price": "$1,900"}]"#);
    let ids: Vec<&str> = units.iter().map(|unit| unit.native_id.as_str()).collect();
    assert_eq!(ids, ["47.6--122.1/2", "47.6--122.1/0"]);
    let listing = &units[0].listing;
    assert_eq!((listing.purpose, listing.list_price, listing.bedrooms), (Purpose::Rent, Some(Minor(230_500)), Some(2)));
    assert_eq!(listing.property_type, Some(PropertyType::Apartment));
    assert_eq!((listing.address.city.as_deref(), listing.address.postal_code.as_deref()), (Some("Redmond"), None));
    assert_eq!(listing.details.title, None);
}

#[test]
fn a_room_for_rent_is_no_flat() {
    let units = building(r#"[{"beds": "2", "price": "$2,305+"}, {"beds": "2", "price": "$900", "roomForRent": true}]"#);
    assert_eq!(units[1].listing.property_type, Some(PropertyType::Room));
    assert_ne!(units[0].native_id, units[1].native_id);
}

#[test]
fn of_two_units_alike_the_lower_price_is_the_from_price() {
    let units = building(r#"[{"beds": "2", "price": "$2,305+"}, {"beds": "2", "price": "$2,100"}, {"beds": "3"}]"#);
    assert_eq!(units.len(), 2);
    assert_eq!(units[0].listing.list_price, Some(Minor(210_000)));
    assert_eq!(units[1].listing.list_price, None);
}

#[test]
fn a_unit_that_is_not_understood_costs_only_itself() {
    let rows = rows(r#""units": [{"beds": "2", "price": "ask"}, {"beds": 3, "price": "$2,900"}, 5, {"price": "$1"}]"#);
    let message = rows.iter().map(|row| match row {
        Row::Found(found) => found.native_id.clone(),
        Row::Refused { detail, .. } => detail.clone(),
    });
    assert_eq!(message.collect::<Vec<_>>(), ["7/2", "7/3", "units is 5", "units.beds"]);
}

#[test]
fn prices_and_bedrooms_of_units_are_texts() {
    let prices = ["$2,305+", "$2,305", "From $2,305+", "$2,305+/mo", "$2,305/mo", "2305", "--", ""];
    let message =
        prices.map(|price| building(&format!(r#"[{{"beds": "1", "price": {price:?}}}]"#))[0].listing.list_price);
    assert_eq!(message[..6], [Some(Minor(230_500)); 6]);
    assert_eq!(message[6..], [None, None]);
    for (beds, rooms) in [("\"0\"", 0), ("\"Studio\"", 0), ("2", 2), ("\"2\"", 2), ("\"2.0\"", 2)] {
        assert_eq!(building(&format!(r#"[{{"beds": {beds}}}]"#))[0].listing.bedrooms, Some(rooms), "{beds}");
    }
}

#[test]
fn a_building_is_called_by_its_name_where_it_has_one() {
    let title = |name: &str| {
        let fields = format!(r#""isBuilding": true, "buildingName": {name}, "units": [{{"beds": "1"}}]"#);
        found(&fields).listing.details.title
    };
    assert_eq!(title("\"Oak House\"").as_deref(), Some("Oak House"));
    assert_eq!(title("null"), None);
    assert_eq!(title("\" \""), None);
}

#[test]
fn a_stale_price_change_is_reported_but_makes_no_observation() {
    let found =
        found(r#""price": 415900, "priceChange": -104100, "datePriceChanged": 1690786800000, "daysOnZillow": 24"#);
    assert_eq!(found.at, None);
    assert_eq!(found.listing.list_price, Some(Minor(41_590_000)));
    assert_eq!(found.listing.previous_list_price, Some(Minor(52_000_000)));
    assert_eq!(found.listing.price_changed_at.unwrap().to_string(), "2023-07-31T07:00:00Z");
}

#[test]
fn a_price_change_may_be_a_rise_or_unknown() {
    let before = |fields: &str| found(fields).listing.previous_list_price;
    assert_eq!(before(r#""priceChange": 5000"#), Some(Minor(9_500_000)));
    assert_eq!(before(r#""priceChange": null, "datePriceChanged": 1738051200000"#), None);
    assert_eq!(before(r#""priceChange": 0"#), None);
    assert_eq!(before(r#""priceChange": 100000"#), None, "nothing was asked before");
}

#[test]
fn a_reduction_in_words_counts_only_where_no_change_is_reported() {
    let before = |fields: &str| found(fields).listing.previous_list_price;
    assert_eq!(before(r#""priceReduction": "$36,001 (Mar 4)""#), Some(Minor(13_600_100)));
    assert_eq!(before(r#""priceReduction": "$1""#), Some(Minor(10_000_100)));
    assert_eq!(before(r#""priceChange": -1, "priceReduction": "$36,001 (Mar 4)""#), Some(Minor(10_000_100)));
    assert_eq!(before(r#""priceChange": 0, "priceReduction": "$36,001 (Mar 4)""#), None);
    assert_eq!(before(r#""priceChange": -5000, "priceReduction": """#), Some(Minor(10_500_000)));
    for words in ["", "36,001", "$", "$36k", "$-5", "$0", "$5 off", "($5)", "$99999999999999999999"] {
        assert_eq!(before(&format!("\"priceReduction\": {words:?}")), None, "{words}");
    }
    assert_eq!(found(r#""priceReduction": "$36,001 (Mar 4)""#).listing.price_changed_at, None, "no year");
}

#[test]
fn null_and_missing_fields_are_both_unknown() {
    let nulls =
        found(r#""latitude": null, "longitude": null, "hasImage": null, "carouselPhotos": null, "bedrooms": null"#);
    assert_eq!(nulls, found(""));
    assert_eq!((nulls.listing.address.latitude_e6, nulls.listing.bedrooms), (None, None));
    assert!(nulls.listing.details.images.is_empty());
}

#[test]
fn lots_are_in_square_feet_or_acres() {
    let lot = |fields: &str| found(fields).listing.lot_area;
    assert_eq!(lot(r#""lotAreaValue": 3125, "lotAreaUnit": "sqft""#), Some(Area::of(3_125, AreaUnit::SquareFeet)));
    let acres = lot(r#""lotAreaValue": 0.28099173553719, "lotAreaUnit": "acres""#).unwrap();
    assert_eq!((acres.ten_thousandths, acres.unit), (2_810, AreaUnit::Acres));
    assert_eq!(lot(r#""lotAreaValue": null, "lotAreaUnit": null"#), None);
}

#[test]
fn days_on_zillow_are_counted_back_to_midnight() {
    let listed = |days: &str| found(&format!("\"daysOnZillow\": {days}")).listing.listed_at.map(|at| at.to_string());
    assert_eq!(listed("24").as_deref(), Some("2025-01-08T00:00:00Z"));
    assert_eq!(listed("0").as_deref(), Some("2025-02-01T00:00:00Z"));
    assert_eq!(listed("-1"), None);
    assert_eq!(listed("-1, \"timeOnZillow\": 5400000").as_deref(), Some("2025-02-01T14:00:00Z"));
    assert_eq!(listed("24, \"timeOnZillow\": 5400000").as_deref(), Some("2025-01-08T00:00:00Z"));
    assert_eq!(listed("-1, \"timeOnZillow\": -1"), None);
}

#[test]
fn minus_one_is_unknown() {
    let fields = ["price", "bedrooms", "bathrooms", "livingArea", "datePriceChanged", "daysOnZillow", "timeOnZillow"];
    let all: Vec<String> = fields.iter().map(|name| format!("\"{name}\": -1")).collect();
    let unknown = found(&all.join(", "));
    assert_eq!(unknown.listing.list_price, None);
    let mut plain = found("");
    plain.listing.list_price = None;
    assert_eq!(unknown, plain);
    assert_eq!(found(r#""lotAreaValue": -1, "lotAreaUnit": "sqft""#).listing.lot_area, None);
    assert_eq!(found(r#""price": 0"#), unknown, "and so is a price of nothing");
}

#[test]
fn a_home_under_contract_is_not_active() {
    let status = |fields: &str| found(fields).listing.status;
    assert_eq!(status(r#""listingStatus": "PENDING""#), Status::Pending);
    assert_eq!(
        status(r#""listingStatus": "FOR_SALE", "contingentListingType": "UNDER_CONTRACT""#),
        Status::ActiveUnderContract
    );
    assert_eq!(status(r#""listingStatus": "FOR_SALE", "contingentListingType": null"#), Status::Active);
}

#[test]
fn links_are_made_absolute_and_half_baths_kept() {
    let found = found(r#""detailUrl": "/homedetails/7_zpid/", "bathrooms": 2.5, "country": "USA", "currency": "USD""#);
    assert_eq!(found.listing.details.url.as_deref(), Some("https://www.zillow.com/homedetails/7_zpid/"));
    assert_eq!(found.listing.bathrooms_hundredths, Some(250));
    assert_eq!(found.listing.address.country.as_deref(), Some("US"));
}

#[test]
fn unreadable_values_are_refused_with_name_and_value() {
    let refused = |fields: &str| match rows(fields).remove(0) {
        Row::Refused { reason, detail, .. } => (reason, detail),
        Row::Found(found) => panic!("{found:?}"),
    };
    assert_eq!(refused(r#""zpid": null"#), (Reason::MissingField, "zpid".into()));
    assert_eq!(refused(r#""listingStatus": "AUCTION""#), (Reason::BadValue, "listingStatus is AUCTION".into()));
    assert_eq!(refused(r#""units": []"#), (Reason::MissingField, "units".into()));
    for beds in ["\"2.5\"", "\"some\"", "-1", "300"] {
        let (reason, detail) = refused(&format!(r#""units": [{{"beds": {beds}}}]"#));
        assert_eq!((reason, detail), (Reason::BadValue, format!("units.beds is {}", beds.trim_matches('"'))));
    }
    // A home is kept without what is not needed to know which home it is.
    for (fields, detail) in [
        (r#""price": "$5""#, "price is $5"),
        (r#""units": [{"beds": "2", "price": "soon"}]"#, "units.price is soon"),
        (r#""bedrooms": "many""#, "bedrooms is many"),
        (r#""priceChange": "some""#, "priceChange is some"),
        (r#""lotAreaValue": 2, "lotAreaUnit": "rods""#, "lotAreaUnit is rods"),
        (r#""daysOnZillow": "long""#, "daysOnZillow is long"),
        (r#""latitude": "north""#, "latitude is north"),
    ] {
        assert_eq!(rows(fields).remove(0).left_out(), (Reason::BadValue, detail.into()));
    }
}

fn zillow56(fields: &str) -> SeenListing {
    let source = source(&[("api", "zillow56")]);
    let body = format!(r#"{{"results": [{{"zpid": 7, {fields}}}], "totalPages": 1, "totalResultCount": 1}}"#);
    let mut page = answer_to(&source, "1", &body).unwrap();
    assert_eq!((page.total, leads(&page)), (Some(1), "end"));
    match page.rows.remove(0) {
        Row::Found(found) => *found,
        Row::Refused { reason, detail, .. } => panic!("refused: {reason} {detail}"),
    }
}

#[test]
fn zillow56_says_the_same_in_other_words() {
    let other = zillow56(
        r#""streetAddress": "12 Elm St APT 4", "city": "Springfield", "state": "IL", "zipcode": "62704-1234",
        "unit": "Apt 4", "price": 100000, "homeStatus": "FOR_SALE", "homeType": "CONDO", "daysOnZillow": -1"#,
    );
    let one = found(
        r#""address": "12 Elm St APT 4, Springfield, IL 62704", "unit": "Apt 4", "listingStatus": "FOR_SALE",
        "propertyType": "CONDO""#,
    );
    assert_eq!(other, one, "one home, one id");
    assert_eq!(zillow56(r#""homeStatus": "PENDING""#).listing.status, Status::Pending);
}

#[test]
fn a_sale_price_is_not_an_offer() {
    // The days count from the sale.
    let sold = found(
        r#""listingStatus": "RECENTLY_SOLD", "price": 415900, "priceChange": -5000, "dateSold": 1719990000000,
        "daysOnZillow": 21"#,
    );
    let listing = sold.listing;
    assert_eq!((listing.status, listing.close_price), (Status::Closed, Some(Minor(41_590_000))));
    assert_eq!((listing.list_price, listing.previous_list_price, listing.listed_at), (None, None, None));
    assert_eq!(listing.close_date.unwrap().to_string(), "2024-07-03");
    let day = |date: &str| {
        let fields = format!(r#""listingStatus": "SOLD", "dateSold": {date}"#);
        found(&fields).listing.close_date.map(|day| day.to_string())
    };
    assert_eq!(day("1719964800000").as_deref(), Some("2024-07-03"), "midnight in UTC");
    assert_eq!(day("\"2024-07-03T00:00:00.000Z\"").as_deref(), Some("2024-07-03"));
    assert_eq!((day("null"), day("-1")), (None, None));
    let undated = rows(r#""listingStatus": "SOLD", "dateSold": "soon""#).remove(0);
    assert_eq!(undated.left_out(), (Reason::BadValue, "dateSold is soon".into()));
    let unknown = found(r#""listingStatus": "SOLD", "price": 0"#).listing;
    assert_eq!((unknown.list_price, unknown.close_price), (None, None));
    let offered = found(r#""price": 475000, "dateSold": 1617000000000"#).listing;
    assert_eq!((offered.list_price, offered.close_price, offered.close_date), (Some(Minor(47_500_000)), None, None));
}

#[test]
fn the_year_and_the_fee_are_reported_where_they_are_known() {
    let known = found(r#""yearBuilt": 1925, "monthlyHoaFee": 250"#).listing;
    assert_eq!((known.year_built, known.association_fee), (Some(1925), Some(Minor(25_000))));
    for fields in [r#""yearBuilt": 0, "monthlyHoaFee": 0"#, r#""yearBuilt": "old", "monthlyHoaFee": "none""#, ""] {
        let listing = found(fields).listing;
        assert_eq!((listing.year_built, listing.association_fee), (None, None), "{fields}");
    }
}
