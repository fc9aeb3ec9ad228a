use stoop_domain::{Currency, Details, Listing, PropertyType, Reason, Time};

use super::{Avito, ad, date};
use crate::fields::{FieldRefusal, RefusedValues};
use crate::html::Card;
use crate::html::words;
use crate::port::SeenListing;

/// Reads one ad from its card.
pub(super) fn read(card: &Card, search: &Avito, now: Time) -> Result<SeenListing, FieldRefusal> {
    if card.is_damaged() {
        return Err(FieldRefusal { reason: Reason::NotUtf8, detail: "in the texts of the card".into() });
    }
    let link = search.rules.required(card, "link")?;
    let native_id = card.id.clone().ok_or_else(|| FieldRefusal::bad("link", link))?;
    let purpose =
        search.purpose.ok_or_else(|| FieldRefusal::missing("whether it sells or lets: the path does not say"))?;
    let mut refused = RefusedValues::default();
    let price = refused.take(words::price(search.rules.required(card, "price")?, "price", &search.rules));
    let old = card.one("old_price").map(|text| words::price(text, "old_price", &search.rules)).transpose();
    let old = refused.take(old).flatten();
    let place = words::city_and_quarter(search.rules.required(card, "location")?);
    let currency = price.or(old).map_or(Currency::MAD, |(currency, _)| currency);
    let mut listing = Listing::new(purpose, currency, place);
    listing.list_price = price.map(|(_, amount)| amount);
    listing.previous_list_price = old.filter(|(other, _)| *other == currency).map(|(_, amount)| amount);
    listing.property_type = card.one("category").map(ad::property_type_of);
    listing.bedrooms = refused.take(read_count(card, "bedrooms", 0));
    listing.bathrooms_hundredths = refused.take(read_count(card, "bathrooms", 2));
    let area = card.one("area").and_then(words::area);
    let dwelling = listing.property_type != Some(PropertyType::Land);
    listing.living_area = area.filter(|_| dwelling);
    listing.lot_area = area.filter(|_| !dwelling);
    let listed_at = |text: &str| date::ago(text, now).ok_or_else(|| FieldRefusal::bad("date", text));
    listing.listed_at = refused.take(card.one("date").map(listed_at).transpose());
    listing.details = details(card, search);
    Ok(SeenListing { refused: refused.0, ..SeenListing::now(native_id, listing) })
}

fn read_count<T: TryFrom<i64>>(card: &Card, name: &str, digits: u32) -> Result<Option<T>, FieldRefusal> {
    card.one(name).map(|text| words::count(text, digits).ok_or_else(|| FieldRefusal::bad(name, text))).transpose()
}

fn details(card: &Card, search: &Avito) -> Details {
    let text = |name: &str| card.one(name).map(str::to_owned);
    let shop = card.one("shop").is_some();
    Details {
        title: text("title"),
        description: text("description"),
        // Without a shop badge the seller is a person, or the badge has changed: store no seller.
        seller: shop.then(|| "STORE".to_owned()),
        agency: text("seller").filter(|_| shop),
        images: card.all("images").to_vec(),
        amenities: card.all("amenities").to_vec(),
        url: Some(card.url(&search.base)),
    }
}
