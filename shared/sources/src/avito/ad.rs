use std::borrow::Cow;

use stoop_domain::{Address, Area, AreaUnit, Currency, Details, Listing, Minor, PropertyType, Purpose, Time};

use super::date;
use crate::fields::{FieldRefusal, Fields, RefusedValues, scalar};
use crate::html::words;
use crate::port::SeenListing;

/// Whether an ad is a promotion of new buildings. The site mixes these with the results, but they do not match the
/// search.
pub(crate) fn is_promotion(ad: &Fields<'_>) -> bool {
    ad.flag("isNc") == Some(true)
}

/// Reads one ordinary ad.
pub(crate) fn read(ad: &Fields<'_>, searched: Option<Purpose>, now: Time) -> Result<SeenListing, FieldRefusal> {
    let native_id = native_id(ad)?;
    let mut refused = RefusedValues::default();
    let price = refused.take(money(ad, "price"));
    let old_price = refused.take(money(ad, "oldPrice"));
    let currency = price.or(old_price).map_or(Currency::MAD, |(currency, _)| currency);
    let mut listing = Listing::new(purpose(ad, searched)?, currency, address(ad)?);
    listing.list_price = price.map(|(_, amount)| amount);
    // The previous price may be lower: sellers also raise prices.
    listing.previous_list_price = old_price.filter(|(other, _)| *other == currency).map(|(_, amount)| amount);
    listing.property_type = refused.take(property_type(ad));
    read_params(ad, &mut listing, &mut refused);
    listing.listed_at = refused.take(ad.parsed("date", |text| date::ago(text, now).ok_or(())));
    listing.details = details(ad, &mut refused);
    Ok(SeenListing { refused: refused.0, ..SeenListing::now(native_id, listing) })
}

pub(crate) fn native_id(ad: &Fields<'_>) -> Result<String, FieldRefusal> {
    ad.text("listId")?.ok_or_else(|| FieldRefusal::missing("listId"))
}

/// Reads `{"value": 690000, "currency": "DH"}`; `{}` means that the seller gives no price.
fn money(ad: &Fields<'_>, name: &str) -> Result<Option<(Currency, Minor)>, FieldRefusal> {
    let Some(money) = ad.object(name)? else { return Ok(None) };
    let currency = match money.text("currency")?.as_deref() {
        None | Some("DH" | "DHS" | "MAD") => Currency::MAD,
        Some("EUR" | "€") => Currency::EUR,
        Some(other) => return Err(FieldRefusal::bad(&format!("{name}.currency"), other)),
    };
    Ok(money.price("value", currency)?.map(|amount| (currency, amount)))
}

fn purpose(ad: &Fields<'_>, searched: Option<Purpose>) -> Result<Purpose, FieldRefusal> {
    let key = ad.object("adType")?.map(|kind| kind.text("key")).transpose()?.flatten();
    match key.as_deref() {
        None => searched.ok_or_else(|| FieldRefusal::missing("adType.key")),
        Some("SELL") => Ok(Purpose::Sale),
        Some("RENT" | "LET") => Ok(Purpose::Rent),
        Some(other) => Err(FieldRefusal::bad("adType.key", other)),
    }
}

/// Reads `City, Quarter`, or the city alone.
fn address(ad: &Fields<'_>) -> Result<Address, FieldRefusal> {
    Ok(words::city_and_quarter(&ad.text("location")?.unwrap_or_default()))
}

fn property_type(ad: &Fields<'_>) -> Result<Option<PropertyType>, FieldRefusal> {
    let Some(category) = ad.object("category")? else { return Ok(None) };
    let (id, name) = (category.text("id")?, category.text("name")?);
    if id.is_none() && name.is_none() {
        return Ok(None);
    }
    if id.as_deref() == Some("1010") {
        return Ok(Some(PropertyType::Apartment));
    }
    Ok(Some(property_type_of(&name.unwrap_or_default())))
}

/// Maps the name of an ad's category to a property type.
pub(super) fn property_type_of(category: &str) -> PropertyType {
    let name = category.to_lowercase();
    let by_word = [
        ("appartement", PropertyType::Apartment),
        ("colocation", PropertyType::Room),
        ("villa", PropertyType::SingleFamilyResidence),
        ("riad", PropertyType::SingleFamilyResidence),
        ("maison", PropertyType::SingleFamilyResidence),
        ("ferme", PropertyType::Land),
        ("terrain", PropertyType::Land),
        ("bureau", PropertyType::Commercial),
        ("magasin", PropertyType::Commercial),
        ("commerce", PropertyType::Commercial),
        ("locaux", PropertyType::Commercial),
    ];
    let found = by_word.into_iter().find(|(word, _)| name.contains(word));
    found.map_or(PropertyType::Other, |(_, kind)| kind)
}

/// Reads `params.secondary`, a list of `{key, value, unit}`.
fn read_params(ad: &Fields<'_>, listing: &mut Listing, refused: &mut RefusedValues) {
    let Some(params) = refused.take(ad.object("params")) else { return };
    for raw in params.list("secondary") {
        let read = Fields::parse(raw.get()).and_then(|param| read_param(&param, listing));
        refused.take(read);
    }
}

/// Reads `{key, value, unit}`, any of which may be absent.
fn read_param(param: &Fields<'_>, listing: &mut Listing) -> Result<(), FieldRefusal> {
    let Some(value) = param.text("value")? else { return Ok(()) };
    let bad = |name: &str| FieldRefusal::bad(name, &value);
    match param.text("key")?.as_deref() {
        Some("rooms") => listing.bedrooms = Some(words::count(&value, 0).ok_or_else(|| bad("rooms"))?),
        Some("bathrooms") => {
            listing.bathrooms_hundredths = Some(words::count(&value, 2).ok_or_else(|| bad("bathrooms"))?);
        }
        Some("size") => {
            let area = Area::parse(&value, AreaUnit::SquareMeters).map_err(|_| bad("size"))?;
            let dwelling = listing.property_type != Some(PropertyType::Land);
            listing.living_area = area.filter(|area| dwelling && area.square_metres() >= words::LIVING_AREA_MIN_M2);
            listing.lot_area = area.filter(|_| !dwelling);
        }
        _ => {}
    }
    Ok(())
}

fn details(ad: &Fields<'_>, refused: &mut RefusedValues) -> Details {
    let seller = refused.take(ad.object("seller"));
    let named = |kind: &str| {
        let seller = seller.as_ref()?;
        let is_kind = seller.get("type").and_then(scalar) == Some(Cow::Borrowed(kind));
        seller.prose("name").filter(|_| is_kind)
    };
    Details {
        title: ad.prose("subject"),
        description: ad.prose("description"),
        // Private sellers are people: store that the seller is private, not their name.
        seller: seller.as_ref().and_then(|seller| seller.prose("type")),
        agency: named("STORE"),
        images: ad.texts("images"),
        amenities: Vec::new(),
        url: ad.prose("href"),
    }
}
