//! realtor.com and RentCast on real answers, if `../shared/data` exists: compares each field of each row with an
//! independent, simple reading of the answer.

use crate::real::payload;
use serde_json::Value;
use stoop_domain::{Area, AreaUnit, Listing, Minor, Observation, PropertyType, Purpose, Status, Time, market_of};
use stoop_sources::{Cursor, Next, Page, ReadError, Row, SeenListing, Source, SourceAnswer};

fn source(kind: &str, params: &[(&str, &str)]) -> Box<dyn Source> {
    crate::real::source(kind, &[params, &[("key", "s3cret")]].concat())
}

/// Every valid row, with the row of the answer.
fn understood<'v>(page: &Page, rows: &'v Value, now: Time) -> Vec<(SeenListing, &'v Value)> {
    let rows = rows.as_array().unwrap();
    assert_eq!(page.rows.len(), rows.len());
    let found = page.rows.iter().map(|row| match row {
        Row::Found(found) => (**found).clone(),
        Row::Refused { reason, detail, .. } => panic!("refused: {reason} {detail}"),
    });
    let found: Vec<SeenListing> = found.collect();
    for SeenListing { native_id, at, listing, refused: refused_of_row, .. } in &found {
        let (native_id, listing) = (native_id.clone(), listing.clone());
        let refused = Observation::new("t", native_id, at.unwrap_or(now), listing).check(now);
        assert_eq!((refused, refused_of_row), (Ok(Vec::new()), &Vec::new()));
    }
    found.into_iter().zip(rows).collect()
}

fn time(text: &str) -> Time {
    Time::parse(text).unwrap()
}

fn dollars(value: &Value) -> Option<Minor> {
    value.as_i64().map(|dollars| Minor(dollars * 100))
}

fn square_feet(value: &Value) -> Option<Area> {
    value.as_u64().map(|feet| Area::of(u32::try_from(feet).unwrap(), AreaUnit::SquareFeet))
}

/// Degrees rounded to a millionth.
fn point(latitude: &Value, longitude: &Value) -> (Option<i32>, Option<i32>) {
    let e6 = |degrees: &Value| degrees.as_f64().map(|degrees| (degrees * 1e6).round() as i32);
    (e6(latitude), e6(longitude))
}

/// Number of listings with a property.
fn count(all: &[(SeenListing, &Value)], is: impl Fn(&Listing) -> bool) -> usize {
    all.iter().filter(|(found, _)| is(&found.listing)).count()
}

/// Checks shared by both answers of realtor.com, row by row.
fn is_as_realtor_has_it(found: &SeenListing, row: &Value) {
    let (listing, about, address) = (&found.listing, &row["description"], &row["location"]["address"]);
    let id = row["property_id"].as_str().unwrap();
    assert_eq!(found.native_id.strip_suffix(":rent").unwrap_or(&found.native_id), id);
    assert_eq!(found.native_id.ends_with(":rent"), listing.purpose == Purpose::Rent, "{id}");
    assert_eq!((found.at, listing.price_changed_at, listing.original_list_price), (None, None, None), "{id}");
    assert_eq!(listing.list_price, dollars(&row["list_price"]), "{id}");
    let before = row["price_reduced_amount"].as_i64().map(|cut| row["list_price"].as_i64().unwrap() + cut);
    assert_eq!(listing.previous_list_price, before.map(|dollars| Minor(dollars * 100)), "{id}");
    assert_eq!(listing.bedrooms.map(u64::from), about["beds"].as_u64(), "{id}");
    assert_eq!(listing.living_area, square_feet(&about["sqft"]), "{id}");
    assert_eq!(listing.lot_area, square_feet(&about["lot_sqft"]), "{id}");
    assert_eq!(listing.listed_at, Some(time(row["list_date"].as_str().unwrap())), "{id}");
    let found_address = &listing.address;
    assert_eq!(found_address.line.as_deref(), address["line"].as_str(), "{id}");
    assert_eq!(found_address.city.as_deref(), address["city"].as_str(), "{id}");
    assert_eq!(found_address.county.as_deref(), row["location"]["county"]["name"].as_str(), "{id}");
    assert_eq!(found_address.region.as_deref(), address["state_code"].as_str(), "{id}");
    assert_eq!(found_address.postal_code.as_deref(), address["postal_code"].as_str(), "{id}");
    assert_eq!((found_address.country.as_deref(), found_address.neighbourhood.as_deref()), (Some("US"), None), "{id}");
    let coordinate = &address["coordinate"];
    assert_eq!(
        (found_address.latitude_e6, found_address.longitude_e6),
        point(&coordinate["lat"], &coordinate["lon"]),
        "{id}"
    );
    let kind = match about["type"].as_str().unwrap() {
        "single_family" => PropertyType::SingleFamilyResidence,
        "condos" => PropertyType::Condominium,
        "apartment" => PropertyType::Apartment,
        "mobile" => PropertyType::ManufacturedHome,
        "land" => PropertyType::Land,
        other => panic!("{other}"),
    };
    assert_eq!(listing.property_type, Some(kind), "{id}");
    let details = &listing.details;
    assert_eq!(details.agency.as_deref(), row["branding"][0]["name"].as_str(), "{id}");
    assert_eq!(details.images.first().map(String::as_str), row["primary_photo"]["href"].as_str(), "{id}");
    assert!(details.url.as_ref().unwrap().ends_with(row["permalink"].as_str().unwrap()), "{id}");
    assert_eq!(details.amenities.len(), row["tags"].as_array().map_or(0, Vec::len), "{id}");
    assert_eq!((details.title.as_deref(), details.seller.as_deref()), (None, None), "{id}");
}

#[test]
fn detroit_lakes_forty_two_of_two_hundred_and_thirty() {
    let Some(body) = payload("realtor/us_real_estate_v3_for_sale_p1.json") else { return };
    let now = time("2024-06-03T12:00:00Z");
    let realtor = source("realtor", &[("api", "us-real-estate"), ("city", "Detroit Lakes"), ("state_code", "MN")]);
    let page = realtor.read(&realtor.begin(None), &SourceAnswer::of(&body), now).unwrap();
    assert_eq!(page.total, Some(230));
    assert!(
        matches!(&page.next, Next::Page(next) if next.position == "42" && next.pages_before == 1),
        "{:?}",
        page.next
    );
    let answer: Value = serde_json::from_slice(&body).unwrap();
    let all = understood(&page, &answer["home_search"]["results"], now);
    for (found, row) in &all {
        is_as_realtor_has_it(found, row);
        let listing = &found.listing;
        let on = |flag: &str| row["flags"][flag] == true;
        let status = match (on("is_pending"), on("is_contingent"), on("is_coming_soon")) {
            (true, ..) => Status::Pending,
            (_, true, _) => Status::ActiveUnderContract,
            (_, _, true) => Status::ComingSoon,
            _ => Status::Active,
        };
        assert_eq!((listing.purpose, listing.status), (Purpose::Sale, status), "{}", found.native_id);
        let baths = row["description"]["baths_consolidated"].as_str().map(|text| text.trim_end_matches('+'));
        let baths = baths.map(|text| (text.parse::<f64>().unwrap() * 100.0) as u16);
        assert_eq!(listing.bathrooms_hundredths, baths, "{}", found.native_id);
    }
    let with = |status: Status| count(&all, |listing| listing.status == status);
    assert_eq!(with(Status::Active), 35);
    assert_eq!((with(Status::Pending), with(Status::ActiveUnderContract), with(Status::ComingSoon)), (5, 1, 1));
    let land = |listing: &Listing| listing.property_type == Some(PropertyType::Land);
    assert_eq!(count(&all, land), 10);
    let bare = |listing: &Listing| {
        (listing.bedrooms, listing.bathrooms_hundredths, listing.living_area) == (None, None, None)
            && listing.lot_area.is_some()
    };
    assert_eq!((count(&all, bare), count(&all, |listing| land(listing) && bare(listing))), (10, 10));
    let cuts: Vec<i64> = all.iter().filter_map(|(f, _)| Some(f.listing.previous_list_price?.0 / 100)).collect();
    assert_eq!(cuts, [1_325_000, 759_000, 325_000, 649_900, 725_000]);
    let loring = all.iter().find(|(_, row)| row["description"]["baths_consolidated"] == "2.5+").unwrap();
    assert_eq!((loring.0.native_id.as_str(), loring.0.listing.bathrooms_hundredths), ("7546431803", Some(250)));
    let early =
        |row: &Value| time(row["last_update_date"].as_str().unwrap()) < time(row["list_date"].as_str().unwrap());
    assert_eq!(all.iter().filter(|(_, row)| early(row)).count(), 9, "why last_update_date is no time of a state");
    let market = market_of(&all[0].0.listing).unwrap();
    assert_eq!(market.to_string(), "us/mn/becker/detroit-lakes/56501:sale:USD");
}

#[test]
fn boston_s_rentals_come_as_a_bare_array() {
    let Some(body) = payload("realtor/real_estate12_listings_rent_boston_part.json") else { return };
    let now = time("2023-01-19T12:00:00Z");
    let address = [("api", "us-real-estate"), ("purpose", "rent"), ("city", "Boston"), ("state_code", "MA")];
    let realtor = source("realtor", &address);
    let page = realtor.read(&realtor.begin(None), &SourceAnswer::of(&body), now).unwrap();
    assert_eq!((page.total, &page.next), (None, &Next::End));
    let answer: Value = serde_json::from_slice(&body).unwrap();
    let all = understood(&page, &answer, now);
    assert_eq!(all.len(), 21);
    for (found, row) in &all {
        is_as_realtor_has_it(found, row);
        let listing = &found.listing;
        assert_eq!((listing.purpose, listing.status), (Purpose::Rent, Status::Active), "{}", found.native_id);
        let part = |name: &str| row["description"][name].as_u64().unwrap_or(0);
        let baths = u16::try_from(part("baths_full") * 100 + part("baths_half") * 50).unwrap();
        assert_eq!(listing.bathrooms_hundredths, Some(baths), "{}", found.native_id);
    }
    assert_eq!(count(&all, |listing| listing.living_area.is_none()), 7);
    assert_eq!(count(&all, |listing| listing.bathrooms_hundredths.is_some_and(|baths| baths % 100 == 50)), 3);
    assert_eq!(count(&all, |listing| listing.property_type == Some(PropertyType::Apartment)), 15);
    assert_eq!(market_of(&all[0].0.listing).unwrap().to_string(), "us/ma/suffolk/brighton/02135:rent:USD");
}

fn is_as_rentcast_has_it(found: &SeenListing, row: &Value, purpose: Purpose) {
    let (id, listing) = (row["id"].as_str().unwrap(), &found.listing);
    let suffix = if purpose == Purpose::Rent { ":rent" } else { "" };
    assert_eq!((found.native_id.as_str(), found.at), (format!("{id}{suffix}").as_str(), None));
    assert_eq!((listing.purpose, listing.status), (purpose, Status::Active), "{id}");
    assert_eq!(listing.list_price, dollars(&row["price"]), "{id}");
    assert_eq!(
        (listing.previous_list_price, listing.original_list_price, listing.price_changed_at),
        (None, None, None)
    );
    let kind = match row["propertyType"].as_str().unwrap() {
        "Single Family" => Some(PropertyType::SingleFamilyResidence),
        "Condo" => Some(PropertyType::Condominium),
        "Apartament" => None,
        other => panic!("{other}"),
    };
    assert_eq!(listing.property_type, kind, "{id}");
    assert_eq!(listing.bedrooms.map(u64::from), row["bedrooms"].as_u64(), "{id}");
    let baths = row["bathrooms"].as_f64().map(|baths| (baths * 100.0) as u16);
    assert_eq!(listing.bathrooms_hundredths, baths, "{id}");
    assert_eq!(listing.living_area, square_feet(&row["squareFootage"]), "{id}");
    assert_eq!(listing.lot_area, square_feet(&row["lotSize"]), "{id}");
    assert_eq!(listing.listed_at, Some(time(row["listedDate"].as_str().unwrap())), "{id}");
    let address = &listing.address;
    let lines = [&row["addressLine1"], &row["addressLine2"]].map(Value::as_str);
    assert_eq!(address.line, Some(lines.into_iter().flatten().collect::<Vec<_>>().join(", ")), "{id}");
    assert_eq!(
        (address.city.as_deref(), address.county.as_deref()),
        (row["city"].as_str(), row["county"].as_str()),
        "{id}"
    );
    assert_eq!(
        (address.region.as_deref(), address.postal_code.as_deref()),
        (row["state"].as_str(), row["zipCode"].as_str())
    );
    assert_eq!((address.latitude_e6, address.longitude_e6), point(&row["latitude"], &row["longitude"]), "{id}");
    let details = &listing.details;
    assert_eq!(details.agency.as_deref(), row["listingOffice"]["name"].as_str(), "{id}");
    assert_eq!(details.seller.as_deref(), row["builder"]["name"].as_str(), "{id}");
}

#[test]
fn rentcast_s_examples_of_a_sale_and_a_new_home() {
    let Some(body) = payload("rentcast/docs_examples_sale_standard_and_new_construction.json") else { return };
    let now = time("2024-10-01T12:00:00Z");
    let rentcast = source("rentcast", &[("city", "Austin"), ("state", "TX")]);
    let page = rentcast.read(&rentcast.begin(None), &SourceAnswer::of(&body), now).unwrap();
    assert_eq!((page.total, &page.next), (None, &Next::End));
    let answer: Value = serde_json::from_slice(&body).unwrap();
    let all = understood(&page, &answer, now);
    assert_eq!(all.len(), 2);
    all.iter().for_each(|(found, row)| is_as_rentcast_has_it(found, row, Purpose::Sale));
    assert_eq!(all[0].0.native_id, "3821-Hargis-St,-Austin,-TX-78723");
    assert_eq!(market_of(&all[0].0.listing).unwrap().to_string(), "us/tx/travis/austin/78723:sale:USD");
    assert_eq!(all[0].1["history"].as_object().unwrap().len(), 2, "an earlier spell, of which nothing is made");
}

#[test]
fn new_york_s_five_rents() {
    let Some(body) = payload("rentcast/rental_long_term_new_york.json") else { return };
    let now = time("2025-03-10T12:00:00Z");
    let rentcast = source("rentcast", &[("purpose", "rent"), ("city", "New York"), ("state", "NY"), ("limit", "5")]);
    let page = rentcast.read(&rentcast.begin(None), &SourceAnswer::of(&body), now).unwrap();
    assert!(
        matches!(&page.next, Next::Page(Cursor { position, .. }) if position == "5"),
        "a full page: {:?}",
        page.next
    );
    let answer: Value = serde_json::from_slice(&body).unwrap();
    let all = understood(&page, &answer, now);
    assert_eq!(all.len(), 5);
    all.iter().for_each(|(found, row)| is_as_rentcast_has_it(found, row, Purpose::Rent));
    assert_eq!(count(&all, |listing| listing.property_type.is_none()), 1, "Apartament");
    assert_eq!(count(&all, |listing| listing.living_area.is_none()), 1);
    assert_eq!(count(&all, |listing| listing.lot_area.is_none()), 2);
    assert_eq!(market_of(&all[0].0.listing).unwrap().to_string(), "us/ny/new-york/new-york/10023:rent:USD");
}

#[test]
fn rentcast_s_errors() {
    let Some(bad) = payload("rentcast/error_400.json") else { return };
    let Some(many) = payload("rentcast/error_429.json") else { return };
    let rentcast = source("rentcast", &[("zipCode", "78723")]);
    let read = |status: u16, body: &[u8]| {
        rentcast.read(&rentcast.begin(None), &SourceAnswer { status, headers: &[], body }, time("2025-03-10T12:00:00Z"))
    };
    let Err(error @ ReadError::NotOurs { .. }) = read(400, &bad) else { panic!() };
    assert!(error.to_string().contains("'1234 Main St.' could not be parsed"), "{error}");
    assert!(!rentcast.reads(429), "the poller waits and asks again");
    assert!(matches!(read(200, &many), Err(ReadError::NotOurs { .. })), "an error with another status is no page");
}
