use serde_json::value::RawValue;
use stoop_domain::{Currency, Listing, Minor, PropertyType};

use crate::fields::{FieldRefusal, Fields, RefusedValues, scaled};
use crate::port::SeenListing;

/// Returns the kinds of units in a building, each a listing based on `template`. Only the number of bedrooms
/// distinguishes them; of two equal ones, the lower price is the "from" price.
pub(super) fn units(
    row: &Fields<'_>,
    zpid: &str,
    mut template: Listing,
    refused: &RefusedValues,
) -> Result<Vec<Result<SeenListing, FieldRefusal>>, FieldRefusal> {
    template.details.title = row.prose("buildingName");
    let mut units: Vec<Result<SeenListing, FieldRefusal>> = Vec::new();
    for raw in row.list("units") {
        let found = read(raw, zpid, &template, refused);
        let native_id = found.as_ref().ok().map(|found| &found.native_id);
        let alike = units.iter_mut().flatten().find(|other| Some(&other.native_id) == native_id);
        match (alike, found) {
            (Some(other), Ok(found)) => {
                let prices = [other.listing.list_price, found.listing.list_price];
                other.listing.list_price = prices.into_iter().flatten().min();
            }
            (_, found) => units.push(found),
        }
    }
    if units.is_empty() { Err(FieldRefusal::missing("units")) } else { Ok(units) }
}

fn read(raw: &RawValue, zpid: &str, template: &Listing, refused: &RefusedValues) -> Result<SeenListing, FieldRefusal> {
    let unit = Fields::parse(raw.get()).map_err(|_| FieldRefusal::bad("units", raw.get()))?;
    let beds = unit.text("beds")?.ok_or_else(|| FieldRefusal::missing("units.beds"))?;
    let bedrooms = bedrooms(&beds).ok_or_else(|| FieldRefusal::bad("units.beds", &beds))?;
    let (mut listing, mut refused) = (template.clone(), RefusedValues(refused.0.clone()));
    listing.bedrooms = Some(bedrooms);
    let price = unit.text("price").and_then(|text| match text {
        Some(text) => from_price(&text, listing.currency),
        None => Ok(None),
    });
    listing.list_price = refused.take(price);
    // A room in a shared flat is not a flat with that many bedrooms.
    let room = unit.flag("roomForRent") == Some(true);
    listing.property_type = Some(if room { PropertyType::Room } else { PropertyType::Apartment });
    let native_id = if room { format!("{zpid}/{bedrooms}/room") } else { format!("{zpid}/{bedrooms}") };
    Ok(SeenListing { refused: refused.0, ..SeenListing::now(native_id, listing) })
}

/// Parses a whole number of bedrooms, or a studio.
fn bedrooms(text: &str) -> Option<u8> {
    if text.eq_ignore_ascii_case("studio") {
        return Some(0);
    }
    let tenths: u16 = scaled(text, 1).ok()?;
    tenths.is_multiple_of(10).then(|| u8::try_from(tenths / 10).ok())?
}

/// Parses a "from" price: `$2,305+` is 2305 dollars.
fn from_price(text: &str, currency: Currency) -> Result<Option<Minor>, FieldRefusal> {
    let number = text.trim().trim_start_matches("From ").trim_start_matches('$');
    let number = number.trim_end_matches("/mo").trim_end_matches('+').trim_end_matches("/mo").replace(',', "");
    match number.trim() {
        "" | "--" => Ok(None),
        number => Minor::parse_major(number, currency).map(Some).map_err(|_| FieldRefusal::bad("units.price", text)),
    }
}
