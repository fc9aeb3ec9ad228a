use jiff::tz::TimeZone;
use stoop_domain::{Area, AreaUnit, Currency, Day, Details, Listing, Minor, PropertyType, Purpose, Status, Time};

use super::address::{self, ZillowAddress};
use super::api::ZillowApi;
use super::building;
use crate::fields::{FieldRefusal, Fields, RefusedValues, scaled};
use crate::port::SeenListing;

/// Reads a row: a home, or a building with one listing per kind of unit, each of which may be refused.
pub(super) fn read(
    row: &Fields<'_>,
    api: &ZillowApi,
    searched: Purpose,
    now: Time,
) -> Result<Vec<Result<SeenListing, FieldRefusal>>, FieldRefusal> {
    let zpid = native_id(row)?;
    let mut refused = RefusedValues::default();
    let listing = offered(row, api, searched, &mut refused)?;
    if is_building(row) {
        return building::units(row, &zpid, listing, &refused);
    }
    let listing = home(row, api, listing, now, &mut refused);
    Ok(vec![Ok(SeenListing { refused: refused.0, ..SeenListing::now(zpid, listing) })])
}

pub(super) fn native_id(row: &Fields<'_>) -> Result<String, FieldRefusal> {
    row.text("zpid")?.ok_or_else(|| FieldRefusal::missing("zpid"))
}

pub(super) fn is_building(row: &Fields<'_>) -> bool {
    row.flag("isBuilding") == Some(true) || row.get("units").is_some()
}

fn home(row: &Fields<'_>, api: &ZillowApi, mut listing: Listing, now: Time, refused: &mut RefusedValues) -> Listing {
    let currency = listing.currency;
    // A price of 0 means that the price is unknown.
    let price = refused.take(known(row, "price", |name| row.price(name, currency))).filter(|price| price.0 != 0);
    if listing.status == Status::Closed {
        // The only price of a sold home is its sale price.
        listing.close_price = price;
        listing.close_date = refused.take(close_date(row));
        return described(row, api, listing, now, refused);
    }
    listing.list_price = price;
    listing.previous_list_price = match refused.take(row.price("priceChange", currency)) {
        Some(change) => price.and_then(|price| before_change(price, change)),
        None => price.and_then(|price| before_cut(price, &row.prose("priceReduction")?, currency)),
    };
    // Both may be years old: shown with the home, but in no figure.
    let changed = known(row, "datePriceChanged", |name| row.parsed(name, |text| scaled(text, 0).map(Time::from_ms)));
    listing.price_changed_at = refused.take(changed);
    described(row, api, listing, now, refused)
}

/// Adds the property type and the listing date.
fn described(
    row: &Fields<'_>,
    api: &ZillowApi,
    mut listing: Listing,
    now: Time,
    refused: &mut RefusedValues,
) -> Listing {
    listing.property_type = refused.take(row.text(api.kind)).as_deref().and_then(property_type);
    listing.bedrooms = refused.take(known(row, "bedrooms", |name| row.number(name, 0)));
    listing.bathrooms_hundredths = refused.take(known(row, "bathrooms", |name| row.number(name, 2)));
    listing.living_area =
        refused.take(row.parsed("livingArea", |text| Area::parse(text, AreaUnit::SquareFeet))).flatten();
    listing.lot_area = refused.take(lot_area(row));
    listing.year_built = row.year("yearBuilt");
    listing.association_fee = row.fee("monthlyHoaFee", listing.currency);
    listing.listed_at = match refused.take(row.number("daysOnZillow", 0)) {
        // After a sale the days count from the sale.
        _ if listing.status == Status::Closed => None,
        Some(days) if days >= 0 => Some(days_before(days, now)),
        _ => refused.take(row.number("timeOnZillow", 0)).and_then(|ms| before(ms, now)),
    };
    listing
}

/// `dateSold` is a date, or midnight of UTC or Los Angeles in milliseconds, both of which are on the same UTC day.
fn close_date(row: &Fields<'_>) -> Result<Option<Day>, FieldRefusal> {
    known(row, "dateSold", |name| {
        row.parsed(name, |text| match scaled::<i64>(text, 0) {
            Ok(ms) => Ok(Time::from_ms(ms).day_in(&TimeZone::UTC)),
            Err(()) => text.get(..10).unwrap_or(text).parse().map(Day::from_date).map_err(|_| ()),
        })
    })
}

/// Reads the fields that homes and buildings share.
fn offered(
    row: &Fields<'_>,
    api: &ZillowApi,
    searched: Purpose,
    refused: &mut RefusedValues,
) -> Result<Listing, FieldRefusal> {
    let currency = match row.text("currency")? {
        Some(code) => Currency::parse(&code).map_err(|_| FieldRefusal::bad("currency", &code))?,
        None => Currency::USD,
    };
    let country = match row.text("country")?.as_deref() {
        None | Some("USA" | "US") => "US",
        Some("CAN" | "CA") => "CA",
        Some(other) => return Err(FieldRefusal::bad("country", other)),
    };
    let parts = match row.text("address")? {
        Some(address) => address::parts(&address),
        None => ZillowAddress {
            street: refused.take(row.text("streetAddress")),
            city: row.text("city")?,
            state: row.text("state")?,
            zip: row.text("zipcode")?,
        },
    };
    let address = address::address(parts, refused.take(row.text("unit")).as_deref(), country);
    let (purpose, status) = status(row, api, searched)?;
    let mut listing = Listing::new(purpose, currency, address);
    listing.status = status;
    let coordinates = refused.take(row.coordinates("latitude", "longitude"));
    (listing.address.latitude_e6, listing.address.longitude_e6) = coordinates;
    listing.details = Details { images: images(row), url: row.prose("detailUrl").map(absolute), ..Details::default() };
    Ok(listing)
}

fn status(row: &Fields<'_>, api: &ZillowApi, searched: Purpose) -> Result<(Purpose, Status), FieldRefusal> {
    let status = row.text(api.status)?;
    let (purpose, status) = match status.as_deref() {
        None => (searched, Status::Active),
        Some("FOR_SALE") => (Purpose::Sale, Status::Active),
        Some("FOR_RENT") => (Purpose::Rent, Status::Active),
        Some("PENDING") => (searched, Status::Pending),
        Some("SOLD" | "RECENTLY_SOLD") => (Purpose::Sale, Status::Closed),
        Some(other) => return Err(FieldRefusal::bad(api.status, other)),
    };
    let contingent = status == Status::Active && row.get("contingentListingType").is_some();
    Ok((purpose, if contingent { Status::ActiveUnderContract } else { status }))
}

/// Reads a field with `read`; -1 means "unknown" in these APIs.
fn known<T>(
    row: &Fields<'_>,
    name: &'static str,
    read: impl FnOnce(&'static str) -> Result<Option<T>, FieldRefusal>,
) -> Result<Option<T>, FieldRefusal> {
    let unknown = row.get(name).is_some_and(|raw| raw.get().trim_matches('"') == "-1");
    if unknown { Ok(None) } else { read(name) }
}

/// `priceChange` is signed: the current price minus the previous one.
fn before_change(price: Minor, change: Minor) -> Option<Minor> {
    price.0.checked_sub(change.0).filter(|before| *before > 0 && change.0 != 0).map(Minor)
}

/// Returns the price before a cut written as text: `$36,001 (Mar 4)`. The day has no year and is ignored.
fn before_cut(price: Minor, words: &str, currency: Currency) -> Option<Minor> {
    let (amount, day) = words.split_once(' ').unwrap_or((words, ""));
    if !(day.is_empty() || (day.starts_with('(') && day.ends_with(')'))) {
        return None;
    }
    let digits = amount.strip_prefix('$')?.replace(',', "");
    let plain = digits.bytes().all(|byte| byte.is_ascii_digit());
    let cut = Minor::parse_major(&digits, currency).ok().filter(|cut| plain && cut.0 > 0)?;
    price.0.checked_add(cut.0).map(Minor)
}

fn lot_area(row: &Fields<'_>) -> Result<Option<Area>, FieldRefusal> {
    let unit = match row.text("lotAreaUnit")?.as_deref() {
        Some("sqft") => AreaUnit::SquareFeet,
        Some("acres") => AreaUnit::Acres,
        None => return Ok(None),
        Some(other) => return Err(FieldRefusal::bad("lotAreaUnit", other)),
    };
    row.parsed("lotAreaValue", |text| Area::parse(text, unit)).map(Option::flatten)
}

/// Midnight UTC of the day that many days ago.
fn days_before(days: i64, now: Time) -> Time {
    Time::from_ms(now.ms().div_euclid(Time::DAY_MS).saturating_sub(days).saturating_mul(Time::DAY_MS))
}

/// The time that many milliseconds ago; `None` for negative numbers.
fn before(ms: i64, now: Time) -> Option<Time> {
    (ms >= 0).then(|| Time::from_ms(now.ms().saturating_sub(ms)))
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
