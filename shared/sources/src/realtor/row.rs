use jiff::tz::TimeZone;
use stoop_domain::{
    Address, Area, AreaUnit, Currency, Day, Details, Listing, Minor, PropertyType, Purpose, Reason, Status,
};

use crate::fields::{FieldRefusal, Fields, RefusedValues, scaled, zip_code};
use crate::port::SeenListing;

const IMAGES_MAX: usize = 50;

/// The URL of a home's page is this plus its `permalink`.
const PAGE_OF_HOME: &str = "https://www.realtor.com/realestateandhomes-detail/";

/// Reads one item of `results`.
pub(super) fn read(row: &Fields<'_>, searched: Purpose) -> Result<SeenListing, FieldRefusal> {
    let (purpose, status) = status(row, searched)?;
    let native_id = native_id(row, purpose)?;
    not_a_community(row)?;
    let mut refused = RefusedValues::default();
    let about = part(row, "description")?;
    let mut listing = Listing::new(purpose, Currency::USD, address(row, &mut refused)?);
    listing.status = status;
    listing.list_price = refused.take(row.price("list_price", Currency::USD));
    let cut = refused.take(row.price("price_reduced_amount", Currency::USD));
    listing.previous_list_price = previous_price(listing.list_price, cut);
    if status == Status::Closed {
        (listing.close_price, listing.close_date) = sale(row, &about, &mut refused);
    }
    listing.property_type = refused.take(property_type(&about));
    let land = listing.property_type == Some(PropertyType::Land);
    listing.bedrooms = refused.take(about.number("beds", 0)).filter(|beds| !(land && *beds == 0));
    listing.bathrooms_hundredths = refused.take(bathrooms_hundredths(&about));
    let area = |name: &str| about.parsed(name, |text| Area::parse(text, AreaUnit::SquareFeet)).map(Option::flatten);
    listing.living_area = refused.take(area("sqft"));
    listing.lot_area = refused.take(area("lot_sqft"));
    listing.year_built = about.year("year_built");
    // Per month.
    listing.association_fee = row.object("hoa").ok().flatten().and_then(|hoa| hoa.fee("fee", Currency::USD));
    listing.listed_at = refused.take(row.time("list_date"));
    listing.details = details(row, &about);
    Ok(SeenListing { refused: refused.0, ..SeenListing::now(native_id, listing) })
}

/// Returns a nested object; null or absent counts as empty.
fn part<'a>(row: &Fields<'a>, name: &str) -> Result<Fields<'a>, FieldRefusal> {
    row.object(name)?.map_or_else(|| Fields::parse("{}"), Ok)
}

/// Returns the ID of an item of `results`, also if it is not a home.
pub(super) fn native_id_of(row: &Fields<'_>, searched: Purpose) -> Result<String, FieldRefusal> {
    native_id(row, status(row, searched).map_or(searched, |(purpose, _)| purpose))
}

fn native_id(row: &Fields<'_>, purpose: Purpose) -> Result<String, FieldRefusal> {
    let id = match row.text("property_id")? {
        Some(id) => id,
        None => match row.text("listing_id")? {
            Some(id) => format!("listing-{id}"),
            None => return Err(FieldRefusal::missing("property_id")),
        },
    };
    Ok(if purpose == Purpose::Rent { format!("{id}:rent") } else { id })
}

/// Flags are true, false or null. If several are set, the one furthest towards a sale wins.
fn status(row: &Fields<'_>, searched: Purpose) -> Result<(Purpose, Status), FieldRefusal> {
    let text = row.text("status")?.ok_or_else(|| FieldRefusal::missing("status"))?;
    let purpose = match text.as_str() {
        "for_sale" | "ready_to_build" => Purpose::Sale,
        "for_rent" => Purpose::Rent,
        "sold" => return Ok((Purpose::Sale, Status::Closed)),
        // Sold, withdrawn or expired: the source does not say which.
        "off_market" => return Ok((searched, Status::Gone)),
        other => return Err(FieldRefusal::bad("status", other)),
    };
    let flags = part(row, "flags")?;
    let on = |name: &str| flags.flag(name) == Some(true);
    let status = if on("is_pending") {
        Status::Pending
    } else if on("is_contingent") {
        Status::ActiveUnderContract
    } else if on("is_coming_soon") {
        Status::ComingSoon
    } else {
        Status::Active
    };
    Ok((purpose, status))
}

/// Refuses a community: it has a price range, kinds of units or a flag, and no price of its own.
fn not_a_community(row: &Fields<'_>) -> Result<(), FieldRefusal> {
    if row.get("list_price").is_some() {
        return Ok(());
    }
    let amount = |name: &str| Ok(row.text(name)?.unwrap_or_else(|| "unknown".to_owned()));
    let units = row.list("units").len();
    let why = if row.get("list_price_min").is_some() || row.get("list_price_max").is_some() {
        format!("list_price is {} to {}", amount("list_price_min")?, amount("list_price_max")?)
    } else if units > 0 {
        format!("units has {units} entries")
    } else if part(row, "flags")?.flag("is_subdivision") == Some(true) {
        "flags.is_subdivision is true".to_owned()
    } else {
        return Ok(());
    };
    Err(FieldRefusal { reason: Reason::BadValue, detail: format!("{why}: a community is not a home") })
}

/// `price_reduced_amount` is the amount of the last cut.
fn previous_price(price: Option<Minor>, cut: Option<Minor>) -> Option<Minor> {
    let (price, cut) = (price?.0, cut?.0);
    price.checked_add(cut).filter(|_| cut > 0).map(Minor)
}

/// Returns price and day of the sale that the status refers to. A sale before the listing date is the previous sale,
/// and so may be a price without a day.
fn sale(row: &Fields<'_>, about: &Fields<'_>, refused: &mut RefusedValues) -> (Option<Minor>, Option<Day>) {
    for (fields, price, date) in [(about, "sold_price", "sold_date"), (row, "last_sold_price", "last_sold_date")] {
        let Some(day) = refused.take(fields.date(date)).map(Day::from_date) else { continue };
        let listed = row.time("list_date").ok().flatten().map(|at| at.day_in(&TimeZone::UTC));
        // The listing date is in UTC and may be one day after the local date.
        if listed.is_none_or(|listed| day.0 >= listed.0 - 1) {
            return (refused.take(fields.price(price, Currency::USD)).filter(|price| price.0 != 0), Some(day));
        }
    }
    (None, None)
}

fn address(row: &Fields<'_>, refused: &mut RefusedValues) -> Result<Address, FieldRefusal> {
    let location = part(row, "location")?;
    let address = part(&location, "address")?;
    let coordinates = part(&address, "coordinate").and_then(|part| part.coordinates("lat", "lon"));
    let (latitude_e6, longitude_e6) = refused.take(coordinates);
    let country = match address.text("country")?.as_deref() {
        None | Some("USA" | "US") => "US".to_owned(),
        Some(other) => return Err(FieldRefusal::bad("location.address.country", other)),
    };
    let region = match address.text("state_code")? {
        Some(code) => Some(code),
        None => address.text("state")?,
    };
    Ok(Address {
        line: refused.take(address.text("line")),
        neighbourhood: None,
        city: address.text("city")?,
        county: part(&location, "county")?.text("name")?,
        region,
        postal_code: address.text("postal_code")?.map(zip_code),
        country: Some(country),
        latitude_e6,
        longitude_e6,
        derived: false,
    })
}

fn property_type(about: &Fields<'_>) -> Result<Option<PropertyType>, FieldRefusal> {
    let Some(name) = about.text("type")? else { return Ok(None) };
    Ok(Some(match name.as_str() {
        "single_family" => PropertyType::SingleFamilyResidence,
        "condos" | "condo" | "coop" | "condop" => PropertyType::Condominium,
        "townhomes" | "townhouse" => PropertyType::Townhouse,
        // One name for several types: the narrower field distinguishes them, if present.
        "condo_townhome" | "condo_townhome_rowhome_coop" => match about.text("sub_type")?.as_deref() {
            Some("condo" | "coop") => PropertyType::Condominium,
            Some("townhouse" | "townhome") => PropertyType::Townhouse,
            _ => return Ok(None),
        },
        "multi_family" | "duplex_triplex" => PropertyType::MultiFamily,
        "apartment" => PropertyType::Apartment,
        "mobile" | "manufactured" => PropertyType::ManufacturedHome,
        "land" => PropertyType::Land,
        "farm" => PropertyType::Farm,
        "commercial" | "industrial" => PropertyType::Commercial,
        _ => PropertyType::Other,
    }))
}

/// Reads `baths_consolidated`; `2.5+` counts as 2.5. Rentals lack it: their parts are added up, and a three-quarter
/// bath counts as a whole one, as realtor.com does. 0 means none, for land.
fn bathrooms_hundredths(about: &Fields<'_>) -> Result<Option<u16>, FieldRefusal> {
    let consolidated = about.parsed("baths_consolidated", |text| scaled(text.trim_end_matches('+'), 2))?;
    if consolidated.is_some() {
        return Ok(consolidated);
    }
    let mut parts: Option<u16> = None;
    for (name, worth) in [("baths_full", 100_u16), ("baths_3qtr", 100), ("baths_half", 50), ("baths_1qtr", 25)] {
        if let Some(count) = about.number::<u16>(name, 0)? {
            parts = Some(parts.unwrap_or(0).saturating_add(count.saturating_mul(worth)));
        }
    }
    let baths = if parts.is_some() { parts } else { about.number("baths", 2)? };
    Ok(baths.filter(|baths| *baths > 0))
}

fn details(row: &Fields<'_>, about: &Fields<'_>) -> Details {
    let inside = |name: &str, field: &str| row.object(name).ok()??.prose(field);
    let first = inside("primary_photo", "href");
    let photos = row.list("photos").into_iter().filter_map(|photo| Fields::parse(photo.get()).ok()?.prose("href"));
    let more: Vec<String> = photos.filter(|href| Some(href) != first.as_ref()).take(IMAGES_MAX).collect();
    let mut images: Vec<String> = first.into_iter().chain(more).collect();
    images.truncate(IMAGES_MAX);
    let office = |name: &str, field: fn(&Fields<'_>) -> Option<String>| {
        row.list(name).first().and_then(|raw| field(&Fields::parse(raw.get()).ok()?))
    };
    let agency = office("branding", |brand| brand.prose("name"))
        .or_else(|| office("advertisers", |advertiser| advertiser.object("office").ok()??.prose("name")));
    let page = row.prose("href").filter(|href| href.starts_with("https://"));
    Details {
        title: about.prose("name"),
        description: about.prose("text"),
        seller: None,
        agency,
        images,
        amenities: row.texts("tags"),
        url: page.or_else(|| row.prose("permalink").map(|link| format!("{PAGE_OF_HOME}{link}"))),
    }
}
