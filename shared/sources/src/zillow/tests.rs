use stoop_domain::{Area, AreaUnit, Minor, PropertyType, Reason, Status};

use super::*;
use crate::port::Found;

const NOW: &str = "2025-02-01T15:30:00Z";

fn source(more: &[(&str, &str)]) -> Zillow {
    let mut params = Params::from([("location".into(), "Chicago, IL".into()), ("key".into(), "s3cret".into())]);
    params.extend(more.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())));
    Zillow::from_params(&params).unwrap()
}

fn answer(page: &str, body: &str) -> Result<Page, ReadError> {
    let cursor = Cursor { position: page.into(), ..Cursor::default() };
    let answer = Answer::of(body.as_bytes());
    source(&[]).read(&cursor, &answer, Time::parse(NOW).unwrap())
}

/// The rows of a bare array with one home in it: a plain one with `fields` put over it.
fn rows(fields: &str) -> Vec<Row> {
    let plain = r#""zpid": "7", "address": "12 Elm St, Springfield, IL 62704", "price": 100000"#;
    let sep = if fields.is_empty() { "" } else { "," };
    answer("1", &format!("[{{{plain}{sep} {fields}}}]")).unwrap().rows
}

fn found(fields: &str) -> Found {
    match rows(fields).remove(0) {
        Row::Found(found) => *found,
        Row::Refused { reason, detail, .. } => panic!("refused: {reason} {detail}"),
    }
}

fn building(units: &str) -> Vec<Found> {
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

fn envelope(pages: u32, total: u32, current: u32) -> String {
    format!(
        r#"{{"props": [{{"zpid": "7"}}], "resultsPerPage": 41, "totalPages": {pages}, "totalResultCount": {total},
        "currentPage": {current}, "schools": {{}}}}"#
    )
}

#[test]
fn a_request_carries_the_search_the_page_and_the_key() {
    let source = source(&[("minPrice", "100000"), ("home_type", "Houses,Condos"), ("url", "http://127.0.0.1:9000/")]);
    let request = source.request(&source.begin(None));
    assert_eq!(
        request.url,
        "http://127.0.0.1:9000/propertyExtendedSearch?location=Chicago%2C%20IL&status_type=ForSale\
         &home_type=Houses%2CCondos&minPrice=100000&page=1"
    );
    assert_eq!(request.headers[0], ("x-rapidapi-key".into(), "s3cret".into()));
    assert_eq!(request.headers[1], ("x-rapidapi-host".into(), "zillow-com1.p.rapidapi.com".into()));
}

#[test]
fn pages_are_counted_to_the_last() {
    let Next::Page(next) = answer("1", &envelope(2, 51, 1)).unwrap().next else { panic!() };
    assert_eq!((next.position.as_str(), next.pages_before), ("2", 1));
    let page = answer("2", &envelope(2, 51, 2)).unwrap();
    assert_eq!((page.next, page.total), (Next::End, Some(51)));
}

#[test]
fn the_twentieth_page_of_more_is_capped() {
    assert_eq!(answer("20", &envelope(20, 1_094, 20)).unwrap().next, Next::Capped);
    assert_eq!(answer("20", &envelope(20, 820, 20)).unwrap().next, Next::End);
}

#[test]
fn a_page_that_is_empty_or_another_before_the_last_leaves_the_scan_partial() {
    let empty = r#"{"props": [], "totalPages": 3, "totalResultCount": 100, "currentPage": 2}"#;
    assert_eq!(answer("2", empty).unwrap().next, Next::Capped);
    assert_eq!(answer("2", &envelope(3, 100, 1)).unwrap().next, Next::Capped);
    let nothing = r#"{"props": null, "totalPages": 0, "totalResultCount": 0}"#;
    assert_eq!(answer("1", nothing).unwrap().next, Next::End);
}

#[test]
fn a_bare_array_of_props_is_read_too() {
    let page = answer("1", r#"[{"zpid": "7"}]"#).unwrap();
    assert_eq!((page.rows.len(), page.next, page.total), (1, Next::End, None));
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
    assert_eq!((listing.place.city.as_deref(), listing.place.postal_code.as_deref()), (Some("Redmond"), None));
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
fn a_building_makes_the_count_of_rows_no_count_of_homes() {
    let body = r#"{"props": [{"zpid": "a--b", "isBuilding": true, "units": [{"beds": "1"}, {"beds": "2"}]}],
        "totalPages": 1, "totalResultCount": 1}"#;
    assert_eq!(answer("1", body).unwrap().total, None);
    let coverage = |more: &[(&str, &str)]| source(more).manners().coverage;
    assert_eq!(coverage(&[]), Coverage::Snapshot);
    assert_eq!(coverage(&[("status_type", "ForRent")]), Coverage::Changes);
    assert_eq!(coverage(&[("status_type", "ForRent"), ("home_type", "Houses")]), Coverage::Snapshot);
}

#[test]
fn a_stale_price_change_is_told_but_makes_no_observation() {
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
fn null_and_missing_fields_are_both_unknown() {
    let nulls =
        found(r#""latitude": null, "longitude": null, "hasImage": null, "carouselPhotos": null, "bedrooms": null"#);
    assert_eq!(nulls, found(""));
    assert_eq!((nulls.listing.place.latitude_e6, nulls.listing.bedrooms), (None, None));
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
    assert_eq!(found.listing.place.country.as_deref(), Some("US"));
}

#[test]
fn what_cannot_be_understood_is_refused_by_name_and_value() {
    let refused = |fields: &str| match rows(fields).remove(0) {
        Row::Refused { reason, detail, .. } => (reason, detail),
        Row::Found(found) => panic!("{found:?}"),
    };
    assert_eq!(refused(r#""zpid": null"#), (Reason::MissingField, "zpid".into()));
    assert_eq!(refused(r#""price": "$5""#), (Reason::BadValue, "price is $5".into()));
    assert_eq!(refused(r#""listingStatus": "AUCTION""#), (Reason::BadValue, "listingStatus is AUCTION".into()));
    assert_eq!(
        refused(r#""units": [{"beds": "2", "price": "soon"}]"#),
        (Reason::BadValue, "units.price is soon".into())
    );
    assert_eq!(refused(r#""units": []"#), (Reason::MissingField, "units".into()));
}

#[test]
fn an_answer_without_props_is_named_by_its_message() {
    let told = |body: &str| answer("1", body).unwrap_err().to_string();
    let quota = r#"{"message": "You have exceeded the MONTHLY quota"}"#;
    assert_eq!(told(quota), "expected JSON with props, got the message \"You have exceeded the MONTHLY quota\"");
    assert_eq!(told(r#"{"zpid": 7}"#), "expected JSON with props, got JSON without \"props\"");
    assert!(told("<!DOCTYPE html><title>Blocked</title>").contains("an HTML page titled \"Blocked\""));
    assert!(told(r#"{"props": [{"zpid": "7""#).starts_with("unreadable answer: broken off"));
}
