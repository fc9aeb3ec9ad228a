use stoop_domain::{Address, Area, AreaUnit, Currency, Details, Listing, PropertyType, Purpose, Status};

use crate::fields::{FieldRefusal, Fields, RefusedValues, zip_code};
use crate::port::SeenListing;

/// RentCast's names of property types.
pub(super) const TYPES: [(&str, PropertyType); 7] = [
    ("Single Family", PropertyType::SingleFamilyResidence),
    ("Condo", PropertyType::Condominium),
    ("Townhouse", PropertyType::Townhouse),
    ("Manufactured", PropertyType::ManufacturedHome),
    ("Multi-Family", PropertyType::MultiFamily),
    ("Apartment", PropertyType::Apartment),
    ("Land", PropertyType::Land),
];

/// Reads one listing. For rentals, `price` is the rent.
pub(super) fn read(row: &Fields<'_>, purpose: Purpose) -> Result<SeenListing, FieldRefusal> {
    let native_id = native_id(row, purpose)?;
    let mut refused = RefusedValues::default();
    let mut listing = Listing::new(purpose, Currency::USD, address(row, &mut refused)?);
    listing.status = match row.text("status")?.as_deref() {
        Some("Active") => Status::Active,
        Some("Inactive") => Status::Gone,
        Some(other) => return Err(FieldRefusal::bad("status", other)),
        None => return Err(FieldRefusal::missing("status")),
    };
    listing.list_price = refused.take(row.price("price", Currency::USD));
    let kind = refused.take(row.text("propertyType"));
    listing.property_type =
        TYPES.iter().find(|(name, _)| Some(*name) == kind.as_deref()).map(|(_, property_type)| *property_type);
    listing.bedrooms = refused.take(row.number("bedrooms", 0));
    listing.bathrooms_hundredths = refused.take(row.number("bathrooms", 2));
    let area = |name: &str| row.parsed(name, |text| Area::parse(text, AreaUnit::SquareFeet)).map(Option::flatten);
    listing.living_area = refused.take(area("squareFootage"));
    listing.lot_area = refused.take(area("lotSize"));
    listing.year_built = row.year("yearBuilt");
    // Per month.
    listing.association_fee = row.object("hoa").ok().flatten().and_then(|hoa| hoa.fee("fee", Currency::USD));
    listing.listed_at = refused.take(row.time("listedDate"));
    let name_of = |who: &str| row.object(who).ok()??.prose("name");
    listing.details = Details { seller: name_of("builder"), agency: name_of("listingOffice"), ..Details::default() };
    Ok(SeenListing { refused: refused.0, ..SeenListing::now(native_id, listing) })
}

pub(super) fn native_id(row: &Fields<'_>, purpose: Purpose) -> Result<String, FieldRefusal> {
    let id = row.text("id")?.ok_or_else(|| FieldRefusal::missing("id"))?;
    Ok(if purpose == Purpose::Rent { format!("{id}:rent") } else { id })
}

fn address(row: &Fields<'_>, refused: &mut RefusedValues) -> Result<Address, FieldRefusal> {
    let (latitude_e6, longitude_e6) = refused.take(row.coordinates("latitude", "longitude"));
    let lines = ["addressLine1", "addressLine2"].map(|name| refused.take(row.text(name)));
    let line = lines.into_iter().flatten().collect::<Vec<_>>().join(", ");
    Ok(Address {
        line: (!line.is_empty()).then_some(line),
        neighbourhood: None,
        city: row.text("city")?,
        county: row.text("county")?,
        region: row.text("state")?,
        postal_code: row.text("zipCode")?.map(zip_code),
        country: Some("US".to_owned()),
        latitude_e6,
        longitude_e6,
        derived: false,
    })
}
