use stoop_domain::{Area, AreaUnit, Minor, PropertyType, Reason, Status};

use super::*;
use crate::port::Row;
use crate::port::SeenListing;

fn made(more: &[(&str, &str)]) -> Result<Realtor, SearchError> {
    let mut params = Params::from([("key".into(), "s3cret".into())]);
    params.extend(more.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())));
    Realtor::from_params(&params)
}

fn source(more: &[(&str, &str)]) -> Realtor {
    made(more).unwrap()
}

fn by_zip(more: &[(&str, &str)]) -> Realtor {
    source(&[&[("postal_code", "60614")], more].concat())
}

fn read(source: &Realtor, position: &str, body: &str) -> Result<Page, ReadError> {
    let cursor = Cursor { position: position.into(), since: None, pages_before: 3 };
    source.read(&cursor, &SourceAnswer::of(body.as_bytes()), Time::parse("2024-06-03T12:00:00Z").unwrap())
}

/// A plain home, overridden by `fields`, in a bare array.
fn row(fields: &str) -> Row {
    let plain = r#""property_id": "7", "listing_id": "9", "status": "for_sale", "list_price": 500000,
        "location": {"address": {"line": "12 Elm St", "city": "Springfield", "state_code": "IL", "postal_code": "62704"}}"#;
    let sep = if fields.is_empty() { "" } else { "," };
    read(&by_zip(&[]), "0", &format!("[{{{plain}{sep} {fields}}}]")).unwrap().rows.remove(0)
}

fn found(fields: &str) -> SeenListing {
    row(fields).found()
}

fn refused(fields: &str) -> (Reason, String) {
    row(fields).refused()
}

/// A page of `rows` rows out of `total`.
fn page(total: u64, rows: usize) -> String {
    let rows = vec![r#"{"property_id": "7"}"#; rows].join(",");
    format!(r#"{{"data": {{"home_search": {{"count": 1, "total": {total}, "results": [{rows}]}}}}}}"#)
}

fn body(request: &Request) -> serde_json::Value {
    serde_json::from_slice(request.body.as_deref().unwrap()).unwrap()
}

#[test]
fn realty_in_us_is_requested_with_the_offset_in_the_body() {
    let source = by_zip(&[("status", "for_sale,ready_to_build"), ("price_max", "900000")]);
    let first = source.request(&source.begin(None));
    assert_eq!(
        (first.method, first.url.as_str()),
        (Method::Post, "https://realty-in-us.p.rapidapi.com/properties/v3/list")
    );
    let mut want = serde_json::json!({
        "limit": 200, "offset": 0, "postal_code": "60614", "status": ["for_sale", "ready_to_build"],
        "sort": {"direction": "desc", "field": "list_date"}, "price_max": 900_000,
    });
    assert_eq!(body(&first), want);
    let second = source.request(&Cursor { position: "200".into(), ..Cursor::default() });
    want["offset"] = 200.into();
    assert_eq!(body(&second), want);
    let named: Vec<(&str, &str)> = first.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    assert_eq!(named[0], ("x-rapidapi-key", "s3cret"));
    assert_eq!(named[1], ("x-rapidapi-host", "realty-in-us.p.rapidapi.com"));
    assert!(named.contains(&("Content-Type", "application/json")), "{named:?}");
}

#[test]
fn us_real_estate_is_asked_by_a_query() {
    let address = [("api", "us-real-estate"), ("city", "Detroit Lakes"), ("state_code", "mn")];
    let sale = source(&address);
    let request = sale.request(&Cursor { position: "42".into(), ..Cursor::default() });
    assert_eq!((request.method, &request.body), (Method::Get, &None));
    assert_eq!(
        request.url,
        "https://us-real-estate.p.rapidapi.com/v3/for-sale?state_code=MN&city=Detroit%20Lakes&sort=newest&offset=42&limit=42"
    );
    let rent = source(&[&address[..], &[("purpose", "rent"), ("url", "http://127.0.0.1:9000/")]].concat());
    let url = rent.request(&rent.begin(None)).url;
    assert!(url.starts_with("http://127.0.0.1:9000/v3/for-rent?state_code=MN&city=Detroit%20Lakes&"), "{url}");
}

#[test]
fn mistakes_in_area_and_status_are_reported() {
    let message = |more: &[(&str, &str)]| made(more).err().map(|error| error.to_string()).unwrap_or_default();
    assert!(message(&[]).contains(r#"postal_code = "": accepted is a zip like 60614, or city and state_code"#));
    assert!(message(&[("city", "Chicago")]).contains("a city together with state_code"));
    assert!(message(&[("postal_code", "6061")]).contains("a zip of five digits"));
    assert!(message(&[("postal_code", "60614"), ("state_code", "IL")]).contains("but not both"));
    assert!(message(&[("state_code", "Illinois")]).contains("a state's two letters"));
    let other = [("api", "us-real-estate"), ("postal_code", "60614"), ("status", "sold")];
    assert!(
        message(&other).contains("postal_code = \"60614\": accepted is nothing with us-real-estate"),
        "{}",
        message(&other)
    );
    assert!(message(&other).contains("status = \"sold\": accepted is nothing with us-real-estate"));
    assert!(message(&[("postal_code", "60614"), ("status", "for_sale,rented")]).contains("status = \"rented\""));
    let mixed = [("postal_code", "60614"), ("status", "for_rent")];
    assert!(message(&mixed).contains("for_rent where purpose is rent"), "sales and rents are two searches");
    let many = [("postal_code", "x"), ("limit", "500"), ("price_min", "cheap"), ("api", "other"), ("hst", "y")];
    let Err(SearchError(many)) = made(&many) else { panic!() };
    assert_eq!(many.len(), 5, "{many:#?}");
    assert!(many.iter().all(|mistake| !mistake.contains("s3cret")));
}

#[test]
fn rows_are_counted_to_the_total() {
    let source = by_zip(&[]);
    let Next::Page(next) = read(&source, "0", &page(230, 42)).unwrap().next else { panic!() };
    assert_eq!((next.position.as_str(), next.pages_before), ("42", 4), "as many as came, whatever was asked for");
    let last = read(&source, "210", &page(230, 20)).unwrap();
    assert_eq!((last.next, last.total), (Next::End, Some(230)));
    let nothing = r#"{"data": {"home_search": {"count": 0, "total": 0, "results": null}}}"#;
    let nothing = read(&source, "0", nothing).unwrap();
    assert_eq!((nothing.rows.len(), nothing.next, nothing.total), (0, Next::End, Some(0)));
}

#[test]
fn a_page_that_is_empty_before_the_last_leaves_the_scan_partial() {
    assert_eq!(read(&by_zip(&[]), "200", &page(230, 0)).unwrap().next, Next::Capped);
}

#[test]
fn rows_after_ten_thousand_are_capped_and_never_requested() {
    let source = by_zip(&[("limit", "150")]);
    let Next::Page(next) = read(&source, "9750", &page(12_000, 150)).unwrap().next else { panic!() };
    assert_eq!(body(&source.request(&next))["limit"], 100, "9900 and 100 are 10000");
    assert_eq!(read(&source, "9900", &page(12_000, 100)).unwrap().next, Next::Capped);
    assert_eq!(read(&source, "9900", &page(10_000, 100)).unwrap().next, Next::End);
}

#[test]
fn the_results_are_found_in_every_envelope() {
    let inner = r#"{"home_search": {"total": 1, "count": 1, "results": [{"property_id": "7"}]}}"#;
    for body in [inner.to_owned(), format!(r#"{{"status": 200, "data": {inner}}}"#)] {
        let page = read(&by_zip(&[]), "0", &body).unwrap();
        assert_eq!((page.rows.len(), page.total, page.next), (1, Some(1), Next::End), "{body}");
    }
    let bare = read(&by_zip(&[]), "0", r#"[{"property_id": "7"}]"#).unwrap();
    assert_eq!((bare.rows.len(), bare.total, bare.next), (1, None, Next::End));
    let full = read(&by_zip(&[("limit", "1")]), "0", r#"[{"property_id": "7"}]"#).unwrap();
    assert!(matches!(full.next, Next::Page(next) if next.position == "1"), "a full page of an unknown total");
}

#[test]
fn another_answer_is_named_by_its_message() {
    let message = |body: &str| read(&by_zip(&[]), "0", body).unwrap_err().to_string();
    let quota = r#"{"message": "You have exceeded the MONTHLY quota"}"#;
    assert_eq!(
        message(quota),
        "expected JSON with home_search, got the message \"You have exceeded the MONTHLY quota\""
    );
    assert!(message(r#"{"data": {"home_search": null}}"#).contains("JSON without \"home_search\""));
    assert!(message(r#"{"data": {"home_search": {"total": 3}}}"#).contains("JSON without \"results\""));
    assert!(message("<title>Blocked</title>").contains("an HTML page titled \"Blocked\""));
    assert!(message(r#"{"data": {"home_search""#).starts_with("unreadable answer: broken off"));
}

#[test]
fn a_home_keeps_its_id_from_spell_to_spell() {
    assert_eq!(found("").native_id, "7");
    assert_eq!(found(r#""listing_id": "10""#).native_id, "7", "listed anew");
    assert_eq!(found(r#""status": "for_rent", "list_price": 2500"#).native_id, "7:rent", "the same home to let");
    assert_eq!(found(r#""property_id": null"#).native_id, "listing-9");
    assert_eq!(refused(r#""property_id": null, "listing_id": null"#), (Reason::MissingField, "property_id".into()));
}

#[test]
fn a_cut_is_reported_by_its_amount_and_gets_no_date() {
    let cut = found(r#""price_reduced_amount": 20000, "flags": {"is_price_reduced": true}"#);
    assert_eq!(cut.listing.previous_list_price, Some(Minor(52_000_000)));
    assert_eq!((cut.listing.price_changed_at, cut.at), (None, None));
    let before = |fields: &str| found(fields).listing.previous_list_price;
    assert_eq!(before(r#""price_reduced_amount": null"#), None);
    assert_eq!(before(r#""price_reduced_amount": 0"#), None);
    assert_eq!(before(r#""price_reduced_amount": -5"#), None);
    assert_eq!(before(r#""price_reduced_amount": 20000, "list_price": null"#), None, "no list price to add the cut to");
}

#[test]
fn a_local_time_that_is_called_utc_is_not_the_time_of_the_state() {
    let home = found(r#""list_date": "2024-06-03T03:35:53.000000Z", "last_update_date": "2024-06-02T22:32:58Z""#);
    assert_eq!(home.at, None);
    assert_eq!(home.listing.listed_at.unwrap().to_string(), "2024-06-03T03:35:53Z");
    let rental = found(r#""list_date": "2023-01-18T23:19:09Z""#);
    assert_eq!(rental.listing.listed_at.unwrap().to_string(), "2023-01-18T23:19:09Z");
}

#[test]
fn flags_are_true_false_or_null() {
    let status = |fields: &str| found(fields).listing.status;
    assert_eq!(status(r#""flags": null"#), Status::Active);
    assert_eq!(status(r#""flags": {"is_pending": null, "is_contingent": false}"#), Status::Active);
    assert_eq!(status(r#""flags": {"is_pending": true, "is_contingent": true}"#), Status::Pending);
    assert_eq!(status(r#""flags": {"is_contingent": true}"#), Status::ActiveUnderContract);
    assert_eq!(status(r#""flags": {"is_coming_soon": true, "is_new_listing": true}"#), Status::ComingSoon);
}

#[test]
fn statuses_are_reported_in_reso_s_words() {
    let said = |fields: &str| {
        let listing = found(fields).listing;
        (listing.purpose, listing.status)
    };
    assert_eq!(said(""), (Purpose::Sale, Status::Active));
    assert_eq!(said(r#""status": "for_rent""#), (Purpose::Rent, Status::Active));
    assert_eq!(said(r#""status": "ready_to_build", "flags": {"is_plan": true}"#), (Purpose::Sale, Status::Active));
    assert_eq!(said(r#""status": "sold", "flags": {"is_pending": true}"#), (Purpose::Sale, Status::Closed));
    assert_eq!(said(r#""status": "off_market""#), (Purpose::Sale, Status::Gone));
    assert_eq!(refused(r#""status": "auction""#), (Reason::BadValue, "status is auction".into()));
    assert_eq!(refused(r#""status": null"#), (Reason::MissingField, "status".into()));
}

#[test]
fn the_price_of_an_earlier_sale_is_not_read() {
    let sold = found(r#""list_price": null, "description": {"sold_price": 13200, "sold_date": "2004-01-14"}"#);
    assert_eq!((sold.listing.list_price, sold.listing.previous_list_price), (None, None));
}

#[test]
fn the_sale_of_the_current_status_is_read() {
    let sale = |fields: &str| {
        let sold = found(&format!(r#""status": "sold", "list_date": "2024-03-01T20:00:00Z", {fields}"#)).listing;
        (sold.close_price.map(|price| price.0 / 100), sold.close_date.map(|day| day.to_string()))
    };
    let on = |price: i64, day: &str| (Some(price), Some(day.to_owned()));
    assert_eq!(sale(r#""description": {"sold_price": 480000, "sold_date": "2024-05-20"}"#), on(480_000, "2024-05-20"));
    assert_eq!(sale(r#""last_sold_price": 480000, "last_sold_date": "2024-05-20""#), on(480_000, "2024-05-20"));
    assert_eq!(
        sale(r#""description": {"sold_price": 1, "sold_date": "2024-02-29"}"#),
        on(1, "2024-02-29"),
        "a zone away"
    );
    let nothing = (None, None);
    assert_eq!(sale(r#""description": {"sold_price": 13200, "sold_date": "2004-01-14"}"#), nothing, "an earlier sale");
    assert_eq!(sale(r#""description": {"sold_price": 13200}"#), nothing, "on no day");
    let undisclosed = sale(r#""description": {"sold_price": null, "sold_date": "2024-05-20"}"#);
    assert_eq!(undisclosed, (None, Some("2024-05-20".to_owned())));
    let offered = found(r#""description": {"sold_price": 480000, "sold_date": "2024-06-02"}"#).listing;
    assert_eq!((offered.close_price, offered.close_date), (None, None));
    let asked = found(r#""status": "sold", "list_price": 500000"#).listing;
    assert_eq!(asked.list_price, Some(Minor(50_000_000)), "what was asked stays so");
}

#[test]
fn the_year_and_the_fee_are_reported_where_they_are_known() {
    let known = found(r#""hoa": {"fee": 250}, "description": {"year_built": 1925}"#).listing;
    assert_eq!((known.year_built, known.association_fee), (Some(1925), Some(Minor(25_000))));
    for fields in [r#""hoa": null"#, r#""hoa": {"fee": 0}, "description": {"year_built": null}"#, r#""hoa": 5"#] {
        let listing = found(fields).listing;
        assert_eq!((listing.year_built, listing.association_fee), (None, None), "{fields}");
    }
}

#[test]
fn baths_are_those_of_the_consolidated_text() {
    let baths = |fields: &str| found(&format!("\"description\": {{{fields}}}")).listing.bathrooms_hundredths;
    assert_eq!(baths(r#""baths": 3, "baths_consolidated": "2.5""#), Some(250));
    assert_eq!(baths(r#""baths": 4, "baths_consolidated": "2.5+", "baths_full": 1, "baths_half": 2"#), Some(250));
    assert_eq!(baths(r#""baths": 3, "baths_full": 2, "baths_half": 1"#), Some(250), "a rental has only the parts");
    assert_eq!(baths(r#""baths": 2, "baths_full": null, "baths_3qtr": 2"#), Some(200));
    assert_eq!(baths(r#""baths": 2"#), Some(200));
    assert_eq!(baths(r#""baths": 0, "baths_consolidated": null"#), None);
    let bad = row(r#""description": {"baths_consolidated": "some"}"#).left_out();
    assert_eq!(bad, (Reason::BadValue, "baths_consolidated is some".into()));
}

#[test]
fn land_has_no_beds_baths_or_living_area() {
    let land = found(
        r#""description": {"type": "land", "beds": null, "baths": 0, "baths_consolidated": null, "sqft": null,
        "lot_sqft": 18731}"#,
    );
    let land = land.listing;
    assert_eq!(land.property_type, Some(PropertyType::Land));
    assert_eq!((land.bedrooms, land.bathrooms_hundredths, land.living_area), (None, None, None));
    assert_eq!(land.lot_area, Some(Area::of(18_731, AreaUnit::SquareFeet)));
    let zero = |kind: &str| found(&format!(r#""description": {{"type": "{kind}", "beds": 0}}"#)).listing.bedrooms;
    assert_eq!((zero("land"), zero("apartment")), (None, Some(0)), "a studio has none and is a home");
}

#[test]
fn a_community_is_not_a_home() {
    let range = refused(r#""list_price": null, "list_price_min": 2300, "list_price_max": 4100"#);
    assert_eq!(range, (Reason::BadValue, "list_price is 2300 to 4100: a community is not a home".into()));
    let from = refused(r#""list_price": null, "list_price_min": 2300, "list_price_max": null"#);
    assert_eq!(from.1, "list_price is 2300 to unknown: a community is not a home");
    let units = refused(r#""list_price": null, "units": [{}, {}]"#);
    assert_eq!(units.1, "units has 2 entries: a community is not a home");
    let flag = refused(r#""list_price": null, "flags": {"is_subdivision": true}"#);
    assert_eq!(flag.1, "flags.is_subdivision is true: a community is not a home");
    let plan = found(r#""list_price": 410000, "list_price_min": 410000, "status": "ready_to_build""#);
    assert_eq!(plan.listing.list_price, Some(Minor(41_000_000)), "a price of its own makes it one");
    assert_eq!(found(r#""list_price": null, "list_price_min": null, "units": null"#).listing.list_price, None);
    // The row's ID is still known, so that a scan with communities can still detect what is gone.
    let Row::Refused { native_id, .. } = row(r#""property_id": "77", "units": [{}], "list_price": null"#) else {
        panic!()
    };
    assert_eq!(native_id.as_deref(), Some("77"));
}

#[test]
fn one_word_for_several_kinds_of_home_needs_another() {
    let kind = |kind: &str, sub: &str| {
        found(&format!(r#""description": {{"type": "{kind}", "sub_type": {sub}}}"#)).listing.property_type
    };
    assert_eq!(kind("apartment", "\"condo\""), Some(PropertyType::Apartment));
    assert_eq!(kind("condos", "null"), Some(PropertyType::Condominium));
    assert_eq!(kind("mobile", "null"), Some(PropertyType::ManufacturedHome));
    assert_eq!(kind("condo_townhome", "\"townhouse\""), Some(PropertyType::Townhouse));
    assert_eq!(kind("condo_townhome", "null"), None);
    assert_eq!(kind("other", "null"), Some(PropertyType::Other));
    assert_eq!(found(r#""description": {"type": null}"#).listing.property_type, None);
}

#[test]
fn the_address_has_county_and_coordinates() {
    let home = found(
        r#""location": {"county": {"fips_code": "27005", "name": "Becker"}, "address": {"city": "Richwood", "line": null,
        "state": "Minnesota", "state_code": "MN", "postal_code": "56501-1234", "country": "USA",
        "coordinate": {"lat": 46.926943, "lon": -95.888207}}}"#,
    );
    let address = home.listing.address;
    assert_eq!((address.county.as_deref(), address.region.as_deref()), (Some("Becker"), Some("MN")));
    assert_eq!((address.postal_code.as_deref(), address.country.as_deref()), (Some("56501"), Some("US")));
    assert_eq!((address.latitude_e6, address.longitude_e6), (Some(46_926_943), Some(-95_888_207)));
    let nowhere =
        found(r#""location": {"address": {"city": "Richwood", "coordinate": null}, "county": null}"#).listing.address;
    assert_eq!((nowhere.latitude_e6, nowhere.county), (None, None));
    let abroad = refused(r#""location": {"address": {"country": "CAN"}}"#);
    assert_eq!(abroad, (Reason::BadValue, "location.address.country is CAN".into()));
}

#[test]
fn null_and_missing_parts_are_both_unknown() {
    let nulls = r#""description": null, "flags": null, "tags": null, "photos": null, "primary_photo": null, "products": null,
        "tax_record": null, "open_houses": null, "branding": null, "permalink": null"#;
    assert_eq!(found(nulls), found(""));
}

#[test]
fn pictures_are_reported_once_and_the_page_is_made_absolute() {
    let home = found(
        r#""primary_photo": {"href": "https://p/1.jpg"}, "photos": [{"href": "https://p/1.jpg"}, {"href": "https://p/2.jpg"}],
        "branding": [{"name": "Elm Realty"}], "tags": ["lake"], "permalink": "12-Elm-St_Springfield_IL_62704_M7""#,
    );
    let details = home.listing.details;
    assert_eq!(details.images, ["https://p/1.jpg", "https://p/2.jpg"]);
    assert_eq!(
        (details.agency.as_deref(), details.amenities.as_slice()),
        (Some("Elm Realty"), &["lake".to_owned()][..])
    );
    let page = "https://www.realtor.com/realestateandhomes-detail/12-Elm-St_Springfield_IL_62704_M7";
    assert_eq!(details.url.as_deref(), Some(page));
    let rental = found(r#""branding": [{"name": null}], "advertisers": [{"office": {"name": "Elm Lettings"}}]"#);
    assert_eq!(rental.listing.details.agency.as_deref(), Some("Elm Lettings"));
}
