//! Every row of the recorded answers of zillow-com1 and zillow56, field by field, if `../shared/data` exists. The
//! expected values are computed from the JSON independently of the source.

use serde_json::{Map, Value};
use stoop_domain::{
    Address, Area, AreaUnit, Currency, Details, Listing, Minor, Observation, PropertyType, Purpose, Status, Time,
};
use stoop_sources::{Next, Page, Row, Source, SourceAnswer};

const NOW: &str = "2025-03-20T12:00:00Z";

fn payload(name: &str) -> Option<Value> {
    Some(serde_json::from_slice(&crate::real::payload(name)?).unwrap())
}

fn source(api: &str, status_type: &str) -> Box<dyn Source> {
    crate::real::source("zillow", &[("location", "x"), ("key", "x"), ("api", api), ("status_type", status_type)])
}

fn read(source: &dyn Source, body: &Value) -> Page {
    let body = body.to_string();
    source.read(&source.begin(None), &SourceAnswer::of(body.as_bytes()), Time::parse(NOW).unwrap()).unwrap()
}

fn text(row: &Map<String, Value>, name: &str) -> Option<String> {
    row.get(name)?.as_str().map(str::to_owned)
}

fn whole(row: &Map<String, Value>, name: &str) -> Option<i64> {
    row.get(name)?.as_i64()
}

fn e6(row: &Map<String, Value>, name: &str) -> Option<i32> {
    row.get(name)?.as_f64().map(|degrees| (degrees * 1e6).round() as i32)
}

fn kind(name: &str) -> PropertyType {
    match name {
        "SINGLE_FAMILY" => PropertyType::SingleFamilyResidence,
        "TOWNHOUSE" => PropertyType::Townhouse,
        "CONDO" => PropertyType::Condominium,
        "MULTI_FAMILY" => PropertyType::MultiFamily,
        "APARTMENT" => PropertyType::Apartment,
        other => panic!("{other}"),
    }
}

fn lot(row: &Map<String, Value>) -> Option<Area> {
    let unit = match row.get("lotAreaUnit")?.as_str()? {
        "sqft" => AreaUnit::SquareFeet,
        "acres" => AreaUnit::Acres,
        other => panic!("{other}"),
    };
    let ten_thousandths = (row["lotAreaValue"].as_f64()? * 10_000.0).round() as i64;
    Some(Area { ten_thousandths, unit })
}

/// Address and details, which homes and buildings share.
fn common(row: &Map<String, Value>, purpose: Purpose) -> Listing {
    let mut address = Address { country: Some("US".into()), ..Address::default() };
    if let Some(line) = text(row, "address") {
        let mut parts: Vec<&str> = line.split(", ").collect();
        let state: Vec<&str> = parts.pop().unwrap().split(' ').collect();
        address.region = Some(state[0].into());
        address.postal_code = state.get(1).map(|zip| (*zip).into());
        address.city = parts.pop().map(Into::into);
        address.line = Some(parts.join(", ")).filter(|line| !line.starts_with("(undisclosed"));
    } else {
        address.region = text(row, "state");
        address.postal_code = text(row, "zipcode");
        address.city = text(row, "city");
        address.line = text(row, "streetAddress");
    }
    // The two units that are not in the address.
    if let Some(unit) = text(row, "unit").filter(|unit| ["# 3B-2Ba-1416Sqft", "# 53016"].contains(&&**unit)) {
        address.line = address.line.map(|line| format!("{line} {unit}"));
    }
    (address.latitude_e6, address.longitude_e6) = (e6(row, "latitude"), e6(row, "longitude"));
    let mut listing = Listing::new(purpose, Currency::USD, address);
    let photos = row.get("carouselPhotos").and_then(Value::as_array).cloned().unwrap_or_default();
    let mut images: Vec<String> = photos.iter().map(|photo| photo["url"].as_str().unwrap().to_owned()).collect();
    if images.is_empty() {
        images.extend(text(row, "imgSrc"));
    }
    let url = text(row, "detailUrl").map(|path| format!("https://www.zillow.com{path}"));
    listing.details = Details { images, url, title: text(row, "buildingName"), ..Details::default() };
    listing
}

fn home(row: &Map<String, Value>, purpose: Purpose) -> (String, Listing) {
    let mut listing = common(row, purpose);
    let price = whole(row, "price").unwrap();
    listing.list_price = (price > 0).then_some(Minor(price * 100));
    listing.previous_list_price = whole(row, "priceChange").map(|change| Minor((price - change) * 100));
    listing.price_changed_at = whole(row, "datePriceChanged").map(Time::from_ms);
    listing.property_type = Some(kind(&text(row, "propertyType").or(text(row, "homeType")).unwrap()));
    listing.bedrooms = whole(row, "bedrooms").map(|beds| u8::try_from(beds).unwrap());
    listing.bathrooms_hundredths = whole(row, "bathrooms").map(|baths| u16::try_from(baths * 100).unwrap());
    listing.living_area =
        whole(row, "livingArea").map(|sqft| Area::of(u32::try_from(sqft).unwrap(), AreaUnit::SquareFeet));
    listing.lot_area = lot(row);
    let now = Time::parse(NOW).unwrap().ms();
    listing.listed_at = Some(match (whole(row, "daysOnZillow"), whole(row, "timeOnZillow")) {
        (Some(-1), Some(ms)) => Time::from_ms(now - ms),
        (Some(days), _) => Time::from_ms(now - now % 86_400_000 - days * 86_400_000),
        other => panic!("{other:?}"),
    });
    let zpid = text(row, "zpid").unwrap_or_else(|| row["zpid"].as_i64().unwrap().to_string());
    (zpid, listing)
}

fn units(row: &Map<String, Value>) -> Vec<(String, Listing)> {
    let unit = |unit: &Value| {
        let beds = unit["beds"].as_str().unwrap();
        let price: String = unit["price"].as_str().unwrap().chars().filter(char::is_ascii_digit).collect();
        let mut listing = common(row, Purpose::Rent);
        listing.bedrooms = beds.parse().ok();
        listing.list_price = Some(Minor(price.parse::<i64>().unwrap() * 100));
        listing.property_type = Some(PropertyType::Apartment);
        assert!(!unit["roomForRent"].as_bool().unwrap());
        (format!("{}/{beds}", text(row, "zpid").unwrap()), listing)
    };
    row["units"].as_array().unwrap().iter().map(unit).collect()
}

/// The expected result of each row, in page order.
fn expected(rows: &[Value], purpose: Purpose) -> Vec<(String, Listing)> {
    let rows = rows.iter().map(|row| row.as_object().unwrap());
    rows.flat_map(|row| if row.contains_key("units") { units(row) } else { vec![home(row, purpose)] }).collect()
}

fn compare(page: &Page, rows: &[Value], purpose: Purpose) {
    let want = expected(rows, purpose);
    assert_eq!(page.rows.len(), want.len());
    for (row, (id, listing)) in page.rows.iter().zip(want) {
        let Row::Found(found) = row else { panic!("{row:?}") };
        assert_eq!((&found.native_id, found.at, &found.listing), (&id, None, &listing));
        assert_eq!(found.listing.status, Status::Active);
        let now = Time::parse(NOW).unwrap();
        let mut observation = Observation::new("zillow", id, now, listing);
        assert_eq!(observation.check(now), Ok(Vec::new()));
    }
}

#[test]
fn every_row_of_zillow_com1_is_understood_in_every_field() {
    for (name, status_type, count, total) in [
        ("search_forsale_chicago_p1_of_20", "ForSale", 41, Some(1_094)),
        ("search_forsale_chicago_single_page", "ForSale", 18, Some(18)),
        ("search_forrent_redmond_houses_p1_of_2", "ForRent", 41, Some(51)),
    ] {
        let Some(body) = payload(&format!("zillow-com1/{name}.json")) else { return };
        let page = read(&*source("zillow-com1", status_type), &body);
        let rows = body["props"].as_array().unwrap();
        assert_eq!((rows.len(), page.total), (count, total), "{name}");
        compare(&page, rows, if status_type == "ForRent" { Purpose::Rent } else { Purpose::Sale });
    }
    let Some(body) = payload("zillow-com1/props_only_forrent_redmond_apartments.json") else { return };
    let page = read(&*source("zillow-com1", "ForRent"), &body);
    compare(&page, body.as_array().unwrap(), Purpose::Rent);
    assert_eq!((page.total, page.next), (None, Next::End));
}

#[test]
fn every_row_of_zillow56_is_understood_in_every_field() {
    let Some(body) = payload("zillow56/search_houston_p1_of_20.json") else { return };
    let page = read(&*source("zillow56", "ForSale"), &body);
    let rows = body["results"].as_array().unwrap();
    compare(&page, rows, Purpose::Sale);
    assert_eq!((rows.len(), page.total), (41, Some(12_665)));
    let Next::Page(next) = &page.next else { panic!("{:?}", page.next) };
    assert_eq!(next.position, "1 t12665 -300000 300000-");
}

/// The price of a zpid before its last change.
fn before(page: &Page, zpid: &str) -> Option<i64> {
    let found = page.rows.iter().find_map(|row| match row {
        Row::Found(found) if found.native_id == zpid => Some(found),
        _ => None,
    });
    found.unwrap().listing.previous_list_price.map(|price| price.0 / 100)
}

#[test]
fn houston_s_price_changes_are_those_of_price_change_and_noise_is_kept_as_reported() {
    let Some(mut body) = payload("zillow56/search_houston_p1_of_20.json") else { return };
    let page = read(&*source("zillow56", "ForSale"), &body);
    assert_eq!(before(&page, "339418728"), Some(536_000), "$36,001 (Mar 4)");
    assert_eq!(before(&page, "28189367"), Some(250_000), "a cut of a dollar");
    assert_eq!(before(&page, "329225124"), Some(415_000), "an older cut has no words");
    assert_eq!(before(&page, "28500718"), None);
    // The text alone gives the same result where present; another price change takes precedence.
    let all: Vec<Option<i64>> = body["results"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| {
            let worded = row["priceReduction"].as_str().is_some_and(|words| !words.is_empty());
            worded.then(|| before(&page, &row["zpid"].to_string())).flatten()
        })
        .collect();
    assert_eq!(all.iter().flatten().count(), 18);
    let rows = body["results"].as_array_mut().unwrap();
    rows.iter_mut().for_each(|row| _ = row.as_object_mut().unwrap().remove("priceChange"));
    let zpids: Vec<String> = rows.iter().map(|row| row["zpid"].to_string()).collect();
    let page = read(&*source("zillow56", "ForSale"), &body);
    let worded: Vec<Option<i64>> = zpids.iter().map(|zpid| before(&page, zpid)).collect();
    assert_eq!(worded, all);
}
