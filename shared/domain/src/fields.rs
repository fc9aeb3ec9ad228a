use crate::home_field::{HOME_FIELDS, HomeValue};
use crate::listing::Listing;
use crate::money::Minor;
use crate::time::{Day, Time};

/// A value of a listing's field, for those who treat all fields alike.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value<'l> {
    /// In the listing's currency.
    Money(Minor),
    Day(Day),
    Time(Time),
    Home(HomeValue),
    Text(&'l str),
    /// Degrees in millionths.
    Degrees(i32),
    /// Never empty.
    Texts(&'l [String]),
}

/// Every field that a listing may lack, in a fixed order: its name, after that of its parent (`list_price`,
/// `address.city`, `details.title`), and its value.
pub fn fields(listing: &Listing) -> impl Iterator<Item = (&'static str, Option<Value<'_>>)> {
    let (address, details) = (&listing.address, &listing.details);
    let money = |amount: Option<Minor>| amount.map(Value::Money);
    let time = |time: Option<Time>| time.map(Value::Time);
    let degrees = |e6: Option<i32>| e6.map(Value::Degrees);
    let offer = [
        ("list_price", money(listing.list_price)),
        ("original_list_price", money(listing.original_list_price)),
        ("previous_list_price", money(listing.previous_list_price)),
        ("close_price", money(listing.close_price)),
        ("close_date", listing.close_date.map(Value::Day)),
        ("price_changed_at", time(listing.price_changed_at)),
        ("listed_at", time(listing.listed_at)),
    ];
    let home = HOME_FIELDS.iter().map(|field| (field.name, (field.get)(listing).map(Value::Home)));
    let rest = [
        ("address.line", text(&address.line)),
        ("address.neighbourhood", text(&address.neighbourhood)),
        ("address.city", text(&address.city)),
        ("address.county", text(&address.county)),
        ("address.region", text(&address.region)),
        ("address.postal_code", text(&address.postal_code)),
        ("address.country", text(&address.country)),
        ("address.latitude", degrees(address.latitude_e6)),
        ("address.longitude", degrees(address.longitude_e6)),
        ("details.title", text(&details.title)),
        ("details.description", text(&details.description)),
        ("details.seller", text(&details.seller)),
        ("details.agency", text(&details.agency)),
        ("details.images", texts(&details.images)),
        ("details.amenities", texts(&details.amenities)),
        ("details.url", text(&details.url)),
    ];
    offer.into_iter().chain(home).chain(rest)
}

fn text(text: &Option<String>) -> Option<Value<'_>> {
    text.as_deref().map(Value::Text)
}

fn texts(texts: &[String]) -> Option<Value<'_>> {
    (!texts.is_empty()).then_some(Value::Texts(texts))
}
