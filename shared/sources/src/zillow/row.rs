use serde_json::value::RawValue;
use stoop_domain::{Area, AreaUnit, Currency, Details, Listing, Minor, Place, PropertyType, Purpose, Status, Time};

use super::address;
use crate::fields::{Fields, Refusal, scaled};
use crate::port::Found;

/// Reads one of `props`: a home, or a building that gives one listing for each kind of unit in it.
pub(crate) fn read(row: &Fields<'_>, searched: Purpose, now: Time) -> Result<Vec<Found>, Refusal> {
    let zpid = row.text("zpid")?.ok_or_else(|| Refusal::missing("zpid"))?;
    if row.flag("isBuilding") == Some(true) || row.get("units").is_some() {
        return building(row, &zpid, searched);
    }
    let mut listing = offered(row, searched)?;
    let currency = listing.currency;
    listing.list_price = row.price("price", currency)?;
    let change = row.price("priceChange", currency)?;
    listing.previous_list_price = previous_price(listing.list_price, change);
    // Both may be years old: they are told as the source tells them, and never taken for an event.
    listing.price_changed_at = row.parsed("datePriceChanged", |text| scaled(text, 0).map(Time::from_ms))?;
    listing.property_type = row.text("propertyType")?.as_deref().and_then(property_type);
    listing.bedrooms = row.number("bedrooms", 0)?;
    listing.bathrooms_hundredths = row.number("bathrooms", 2)?;
    listing.living_area = row.parsed("livingArea", |text| Area::parse(text, AreaUnit::SquareFeet))?.flatten();
    listing.lot_area = lot_area(row)?;
    listing.listed_at = row.number("daysOnZillow", 0)?.and_then(|days| listed_at(days, now));
    Ok(vec![Found { native_id: zpid, at: None, listing }])
}

/// Units are told apart by their number of bedrooms alone; of two alike the lower price is the one
/// that "from" speaks of. A room in a shared flat is no flat of so many bedrooms.
fn building(row: &Fields<'_>, zpid: &str, searched: Purpose) -> Result<Vec<Found>, Refusal> {
    let mut template = offered(row, searched)?;
    template.details.title = row.prose("buildingName");
    let mut found: Vec<Found> = Vec::new();
    for unit in row.list("units") {
        let (suffix, listing) = read_unit(unit, &template)?;
        let native_id = format!("{zpid}/{suffix}");
        match found.iter_mut().find(|other| other.native_id == native_id) {
            Some(other) => {
                let prices = [other.listing.list_price, listing.list_price];
                other.listing.list_price = prices.into_iter().flatten().min();
            }
            None => found.push(Found { native_id, at: None, listing }),
        }
    }
    if found.is_empty() { Err(Refusal::missing("units")) } else { Ok(found) }
}

fn read_unit(raw: &RawValue, template: &Listing) -> Result<(String, Listing), Refusal> {
    let unit = Fields::parse(raw.get())?;
    let beds = unit.text("beds")?.ok_or_else(|| Refusal::missing("units.beds"))?;
    let bedrooms = match beds.as_str() {
        "Studio" | "studio" => 0,
        number => scaled(number, 0).map_err(|()| Refusal::bad("units.beds", number))?,
    };
    let mut listing = template.clone();
    listing.bedrooms = Some(bedrooms);
    listing.list_price = match unit.text("price")? {
        Some(text) => from_price(&text, listing.currency)?,
        None => None,
    };
    let room = unit.flag("roomForRent") == Some(true);
    listing.property_type = Some(if room { PropertyType::Room } else { PropertyType::Apartment });
    Ok((if room { format!("{bedrooms}/room") } else { bedrooms.to_string() }, listing))
}

/// `$2,305+` is "from 2305 dollars": the number counts.
fn from_price(text: &str, currency: Currency) -> Result<Option<Minor>, Refusal> {
    let number = text.trim().trim_start_matches("From ").trim_start_matches('$');
    let number = number.trim_end_matches("/mo").trim_end_matches('+').trim_end_matches("/mo").replace(',', "");
    match number.trim() {
        "" | "--" => Ok(None),
        number => Minor::parse_major(number, currency).map(Some).map_err(|_| Refusal::bad("units.price", text)),
    }
}

/// What homes and buildings have in common.
fn offered(row: &Fields<'_>, searched: Purpose) -> Result<Listing, Refusal> {
    let currency = match row.text("currency")? {
        Some(code) => Currency::parse(&code).map_err(|_| Refusal::bad("currency", &code))?,
        None => Currency::USD,
    };
    let country = match row.text("country")?.as_deref() {
        None | Some("USA" | "US") => "US".to_owned(),
        Some("CAN" | "CA") => "CA".to_owned(),
        Some(other) => return Err(Refusal::bad("country", other)),
    };
    let place = match row.text("address")? {
        Some(address) => address::place(&address, &country),
        None => Place { country: Some(country), ..Place::default() },
    };
    let (purpose, status) = status(row, searched)?;
    let mut listing = Listing::new(purpose, currency, place);
    listing.status = status;
    (listing.place.latitude_e6, listing.place.longitude_e6) = row.coordinates("latitude", "longitude")?;
    listing.details = Details { images: images(row), url: row.prose("detailUrl").map(absolute), ..Details::default() };
    Ok(listing)
}

fn status(row: &Fields<'_>, searched: Purpose) -> Result<(Purpose, Status), Refusal> {
    let status = row.text("listingStatus")?;
    let (purpose, status) = match status.as_deref() {
        None => (searched, Status::Active),
        Some("FOR_SALE") => (Purpose::Sale, Status::Active),
        Some("FOR_RENT") => (Purpose::Rent, Status::Active),
        Some("PENDING") => (searched, Status::Pending),
        Some("SOLD" | "RECENTLY_SOLD") => (Purpose::Sale, Status::Closed),
        Some(other) => return Err(Refusal::bad("listingStatus", other)),
    };
    let contingent = status == Status::Active && row.get("contingentListingType").is_some();
    Ok((purpose, if contingent { Status::ActiveUnderContract } else { status }))
}

/// `priceChange` is signed: what is asked now less what was asked before.
fn previous_price(price: Option<Minor>, change: Option<Minor>) -> Option<Minor> {
    let (price, change) = (price?.0, change?.0);
    price.checked_sub(change).filter(|before| *before > 0 && change != 0).map(Minor)
}

fn lot_area(row: &Fields<'_>) -> Result<Option<Area>, Refusal> {
    let unit = match row.text("lotAreaUnit")?.as_deref() {
        Some("sqft") => AreaUnit::SquareFeet,
        Some("acres") => AreaUnit::Acres,
        None => return Ok(None),
        Some(other) => return Err(Refusal::bad("lotAreaUnit", other)),
    };
    row.parsed("lotAreaValue", |text| Area::parse(text, unit)).map(Option::flatten)
}

/// Coarse: the midnight, in UTC, of the day so many days ago. -1 stands for "unknown".
fn listed_at(days: i64, now: Time) -> Option<Time> {
    let midnight = now.ms().div_euclid(Time::DAY_MS).saturating_sub(days).saturating_mul(Time::DAY_MS);
    (days >= 0).then(|| Time::from_ms(midnight))
}

fn property_type(name: &str) -> Option<PropertyType> {
    Some(match name {
        "SINGLE_FAMILY" => PropertyType::SingleFamilyResidence,
        "CONDO" => PropertyType::Condominium,
        "TOWNHOUSE" => PropertyType::Townhouse,
        "MULTI_FAMILY" => PropertyType::MultiFamily,
        "APARTMENT" => PropertyType::Apartment,
        "MANUFACTURED" => PropertyType::ManufacturedHome,
        "LOT" | "LAND" => PropertyType::Land,
        "HOME_TYPE_UNKNOWN" => return None,
        _ => PropertyType::Other,
    })
}

fn images(row: &Fields<'_>) -> Vec<String> {
    let photos = row.list("carouselPhotos");
    let urls = photos.iter().filter_map(|photo| Fields::parse(photo.get()).ok()?.prose("url"));
    let urls: Vec<String> = urls.collect();
    if urls.is_empty() { row.prose("imgSrc").into_iter().collect() } else { urls }
}

fn absolute(url: String) -> String {
    if url.starts_with('/') { format!("https://www.zillow.com{url}") } else { url }
}
