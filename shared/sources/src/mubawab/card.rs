use stoop_domain::{Area, Currency, Details, Listing, PropertyType};

use super::{Mubawab, Reason};
use crate::fields::{FieldRefusal, RefusedValues};
use crate::html::Card;
use crate::html::words::{self, Feature};
use crate::port::SeenListing;

/// Reads one card.
pub(super) fn read(card: &Card, search: &Mubawab) -> Result<SeenListing, FieldRefusal> {
    if card.is_damaged() {
        return Err(FieldRefusal { reason: Reason::NotUtf8, detail: "in the texts of the card".into() });
    }
    let link = search.rules.required(card, "link")?;
    let native_id = card.id.clone().ok_or_else(|| FieldRefusal::bad("link", link))?;
    let mut refused = RefusedValues::default();
    let price = refused.take(words::price(search.rules.required(card, "price")?, "price", &search.rules));
    let old = card.one("old_price").map(|text| words::price(text, "old_price", &search.rules)).transpose();
    let old = refused.take(old).flatten();
    let place = words::quarter_and_city(search.rules.required(card, "location")?);
    let currency = price.or(old).map_or(Currency::MAD, |(currency, _)| currency);
    let mut listing = Listing::new(search.purpose, currency, place);
    listing.list_price = price.map(|(_, amount)| amount);
    listing.previous_list_price = old.filter(|(other, _)| *other == currency).map(|(_, amount)| amount);
    listing.property_type = search.property_type;
    listing.details = Details {
        title: card.one("title").map(str::to_owned),
        description: card.one("description").map(str::to_owned),
        images: card.all("images").to_vec(),
        amenities: card.all("amenities").to_vec(),
        url: Some(card.url(&search.base)),
        ..Details::default()
    };
    read_features(card, &mut listing);
    Ok(SeenListing { refused: refused.0, ..SeenListing::now(native_id, listing) })
}

/// Reads `96 m²`, `4 Chambres`, `1 Salle de bain`: optional, in any order.
fn read_features(card: &Card, listing: &mut Listing) {
    let mut areas: Vec<Area> = Vec::new();
    let mut has_rooms = false;
    for text in card.all("features") {
        match words::feature(text) {
            Feature::Area(area) => areas.push(area),
            Feature::Bedrooms(count) => listing.bedrooms = Some(count),
            Feature::Bathrooms(hundredths) => listing.bathrooms_hundredths = Some(hundredths),
            Feature::Rooms => has_rooms = true,
            Feature::Amenity if !listing.details.amenities.contains(text) => {
                listing.details.amenities.push(text.clone())
            }
            Feature::Amenity | Feature::Unknown => {}
        }
    }
    // Of two areas one is the lot, but nothing says which.
    areas.dedup();
    let [area] = areas[..] else { return };
    match listing.property_type {
        Some(PropertyType::Land | PropertyType::Farm) => listing.lot_area = Some(area),
        Some(_) => listing.living_area = Some(area),
        None if has_rooms || listing.bedrooms.is_some() => listing.living_area = Some(area),
        None => {}
    }
}
