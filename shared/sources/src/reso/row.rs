use serde_json::value::RawValue;
use stoop_domain::{Address, Area, AreaPath, AreaUnit, Currency, Day, Details, Listing, Minor, Status, Time, country};

use super::Terms;
use super::kind;
use crate::fields::{FieldRefusal, Fields, RefusedValues, per_month, scaled, zip_code};
use crate::port::SeenListing;

const IMAGES_MAX: usize = 50;

/// Multi-value fields with a home's features.
const AMENITIES: [&str; 8] = [
    "Appliances",
    "InteriorFeatures",
    "ExteriorFeatures",
    "CommunityFeatures",
    "Cooling",
    "Heating",
    "ParkingFeatures",
    "PoolFeatures",
];

pub(crate) fn native_id(row: &Fields<'_>) -> Result<String, FieldRefusal> {
    match row.text("ListingKey")? {
        Some(key) => Ok(key),
        None => row.text("ListingId")?.ok_or_else(|| FieldRefusal::missing("ListingKey")),
    }
}

/// Reads one `Property` row.
pub(crate) fn read(row: &Fields<'_>, terms: &Terms) -> Result<SeenListing, FieldRefusal> {
    let native_id = native_id(row)?;
    let property_type = row.text("PropertyType")?.ok_or_else(|| FieldRefusal::missing("PropertyType"))?;
    let purpose = kind::purpose(&property_type);
    let mut refused = RefusedValues::default();
    let address = address(row, terms, &mut refused)?;
    let currency = terms.currency;
    // Zero means "none" in past prices. A ListPrice of zero is a mistake and is kept so that it is reported.
    let past_price = |name: &str| row.price(name, currency).map(|price| price.filter(|price| price.0 != 0));

    let mut listing = Listing::new(purpose, currency, address);
    listing.status = status(row)?;
    listing.list_price = refused.take(row.price("ListPrice", currency));
    listing.original_list_price = refused.take(past_price("OriginalListPrice"));
    listing.previous_list_price = refused.take(past_price("PreviousListPrice"));
    if listing.status == Status::Closed {
        // In other rows these belong to an earlier sale or are expected values.
        listing.close_price = refused.take(past_price("ClosePrice"));
        listing.close_date = refused.take(row.date("CloseDate")).map(Day::from_date);
    }
    listing.price_changed_at = refused.take(price_changed_at(row));
    listing.property_type = kind::property_type(&property_type, refused.take(row.text("PropertySubType")).as_deref());
    listing.bedrooms = refused.take(row.number("BedroomsTotal", 0));
    listing.bathrooms_hundredths = refused.take(bathrooms_hundredths(row));
    listing.living_area = refused.take(area(row, "LivingArea", "LivingAreaUnits", Some(terms.living_area_unit)));
    listing.lot_area = refused.take(lot_area(row));
    listing.year_built = row.year("YearBuilt");
    listing.association_fee = association_fee(row, currency);
    listing.display = display(row, terms);
    listing.display_address = allowed(row, "InternetAddressDisplayYN");
    listing.display_estimate = allowed(row, "InternetAutomatedValuationDisplayYN");
    listing.listed_at = refused.take(listed_at(row, &listing.address));
    listing.details = details(row, terms);
    let at = row.time("ModificationTimestamp")?;
    Ok(SeenListing { native_id, at, versioned: at.is_some(), listing, refused: refused.0 })
}

fn status(row: &Fields<'_>) -> Result<Status, FieldRefusal> {
    if row.flag("MlgCanView") == Some(false) {
        return Ok(Status::Delete);
    }
    let name = if row.get("StandardStatus").is_some() { "StandardStatus" } else { "MlsStatus" };
    let text = row.text(name)?.ok_or_else(|| FieldRefusal::missing("StandardStatus"))?;
    Status::parse(&text).ok_or_else(|| FieldRefusal::bad(name, &text))
}

fn address(row: &Fields<'_>, terms: &Terms, refused: &mut RefusedValues) -> Result<Address, FieldRefusal> {
    let line = match refused.take(row.text("UnparsedAddress")) {
        Some(line) => Some(line),
        None => {
            let mut parts = Vec::new();
            for name in ["StreetNumber", "StreetDirPrefix", "StreetName", "StreetSuffix", "UnitNumber"] {
                parts.extend(refused.take(row.text(name)));
            }
            (!parts.is_empty()).then(|| parts.join(" "))
        }
    };
    let country = match row.text("Country")?.as_deref() {
        Some("USA") => "US".to_owned(),
        Some("CAN") => "CA".to_owned(),
        Some(code) if code.len() == 2 => code.to_uppercase(),
        _ => terms.country.clone(),
    };
    let (latitude_e6, longitude_e6) = refused.take(row.coordinates("Latitude", "Longitude"));
    Ok(Address {
        line,
        neighbourhood: row.text("SubdivisionName")?,
        city: row.text("City")?,
        county: row.text("CountyOrParish")?,
        region: row.text("StateOrProvince")?,
        postal_code: row.text("PostalCode")?.map(|code| if country == "US" { zip_code(code) } else { code }),
        country: Some(country),
        latitude_e6,
        longitude_e6,
        derived: false,
    })
}

/// Returns `PriceChangeTimestamp`, or the time of the last major change if that was a price change ("Price Change", or
/// local names such as "Price Decrease").
fn price_changed_at(row: &Fields<'_>) -> Result<Option<Time>, FieldRefusal> {
    if let Some(at) = row.time("PriceChangeTimestamp")? {
        return Ok(Some(at));
    }
    match row.text("MajorChangeType")? {
        Some(what) if what.to_ascii_lowercase().starts_with("price") => row.time("MajorChangeTimestamp"),
        _ => Ok(None),
    }
}

/// Half baths count half. If there is only a total, it is used as is.
fn bathrooms_hundredths(row: &Fields<'_>) -> Result<Option<u16>, FieldRefusal> {
    let count = |name: &str| row.number::<u16>(name, 0);
    let Some(full) = count("BathroomsFull")? else { return row.number("BathroomsTotalInteger", 2) };
    let mut hundredths = full.saturating_mul(100);
    for (name, worth) in [("BathroomsThreeQuarter", 75), ("BathroomsHalf", 50), ("BathroomsOneQuarter", 25)] {
        let part = count(name)?.unwrap_or(0);
        hundredths = hundredths.saturating_add(part.saturating_mul(worth));
    }
    Ok(Some(hundredths))
}

/// Whether the listing may be shown: what the seller says, and whether it may be used as the search declares.
fn display(row: &Fields<'_>, terms: &Terms) -> Option<bool> {
    let display = allowed(row, "InternetEntireListingDisplayYN");
    let Some(used) = &terms.used_for else { return display };
    let uses = row.texts("MlgCanUse");
    let may_be_used = uses.iter().any(|other| other.eq_ignore_ascii_case(used));
    Some(may_be_used && display != Some(false))
}

/// What the seller says; a word that cannot be read is a no.
fn allowed(row: &Fields<'_>, name: &str) -> Option<bool> {
    row.get(name).map(|_| row.flag(name).unwrap_or(false))
}

/// Converts `AssociationFee` to a monthly fee by `AssociationFeeFrequency`. A one-time or seasonal fee, or one without
/// a frequency, is unknown.
fn association_fee(row: &Fields<'_>, currency: Currency) -> Option<Minor> {
    let frequency = row.text("AssociationFeeFrequency").ok()??;
    let (times, months) = kind::frequency(&frequency)?;
    let fee = row.fee("AssociationFee", currency)?;
    per_month(fee, times, months)
}

fn lot_area(row: &Fields<'_>) -> Result<Option<Area>, FieldRefusal> {
    for (name, unit) in [("LotSizeSquareFeet", AreaUnit::SquareFeet), ("LotSizeAcres", AreaUnit::Acres)] {
        if let Some(area) = row.parsed(name, |text| Area::parse(text, unit))?.flatten() {
            return Ok(Some(area));
        }
    }
    // A bare LotSizeArea may be square feet or acres: unknown, rather than wrong by a factor of 43,560.
    area(row, "LotSizeArea", "LotSizeUnits", None)
}

fn area(row: &Fields<'_>, name: &str, units_name: &str, usual: Option<AreaUnit>) -> Result<Option<Area>, FieldRefusal> {
    let unit = match row.text(units_name)? {
        None => usual,
        Some(units) => match units.replace(' ', "").to_ascii_lowercase().as_str() {
            "squarefeet" | "sqft" => Some(AreaUnit::SquareFeet),
            "squaremeters" | "sqm" => Some(AreaUnit::SquareMeters),
            "acres" => Some(AreaUnit::Acres),
            _ => return Err(FieldRefusal::bad(units_name, &units)),
        },
    };
    let Some(unit) = unit else { return Ok(None) };
    row.parsed(name, |text| Area::parse(text, unit)).map(Option::flatten)
}

/// A date has no zone: it begins at midnight local time of the home.
fn listed_at(row: &Fields<'_>, address: &Address) -> Result<Option<Time>, FieldRefusal> {
    for name in ["OnMarketDate", "ListingContractDate"] {
        if let Some(date) = row.date(name)? {
            let Address { country: code, region, county, city, .. } = address;
            let area = AreaPath::of([code.as_deref(), region.as_deref(), county.as_deref(), city.as_deref(), None]);
            let zone = country(area.as_ref().map_or("", AreaPath::as_str)).zone;
            let midnight = date.to_zoned(zone).map_err(|_| FieldRefusal::bad(name, &date.to_string()))?;
            return Ok(Some(Time::from_ms(midnight.timestamp().as_millisecond())));
        }
    }
    row.time("OriginalEntryTimestamp")
}

fn details(row: &Fields<'_>, terms: &Terms) -> Details {
    Details {
        title: None,
        description: row.prose("PublicRemarks"),
        // Agents are people: store the office, not the agent.
        seller: None,
        agency: row.prose("ListOfficeName"),
        images: if terms.images { images(&row.list("Media")) } else { Vec::new() },
        amenities: AMENITIES.iter().flat_map(|name| choices(row, name)).collect(),
        url: row.prose("ListingURL"),
    }
}

/// Values of a multi-value field: a list, or one text with commas (Trestle).
fn choices(row: &Fields<'_>, name: &str) -> Vec<String> {
    let listed = row.texts(name);
    if !listed.is_empty() {
        return listed;
    }
    let text = row.prose(name).unwrap_or_default();
    text.split(',').map(str::trim).filter(|choice| !choice.is_empty()).map(str::to_owned).collect()
}

/// Whether media is a public picture: media also contains documents, videos, portraits of agents and office-only files.
fn is_picture(media: &Fields<'_>) -> bool {
    let category = media.prose("MediaCategory").unwrap_or_default();
    let home = matches!(kind::plain(&category).as_str(), "" | "photo" | "propertyphoto" | "image" | "floorplan");
    home && !choices(media, "Permission").iter().any(|permission| permission.eq_ignore_ascii_case("private"))
}

fn images(media: &[&RawValue]) -> Vec<String> {
    let mut images: Vec<(i64, String)> = media
        .iter()
        .filter_map(|raw| {
            let media = Fields::parse(raw.get()).ok().filter(is_picture)?;
            let order = media.parsed("Order", |text| scaled(text, 0)).ok().flatten().unwrap_or(i64::MAX);
            Some((order, media.prose("MediaURL")?))
        })
        .collect();
    images.sort_by_key(|(order, _)| *order);
    images.into_iter().map(|(_, url)| url).take(IMAGES_MAX).collect()
}
