//! The searches of zillow-com1 (`{"props": [...], "totalResultCount": n, ...}`) and zillow56 (`{"results": [...],
//! ...}`): pages 1 to 20.

use serde_json::{Value, json};
use stoop_domain::{Currency, PropertyType, Purpose, Status, Time};

use super::words::{degrees, lies_in, line, price};
use super::{DialectPage, OfferRow, Turn};
use crate::exchange::Answered;
use crate::home::Home;

/// The endpoint of zillow56.
pub(super) const SEARCH56: &str = "/search";

/// The maximum number of pages of any search.
const PAGES_MAX: usize = 20;

pub(super) fn zpid(home: &Home) -> u32 {
    20_000_000 + home.index
}

pub(super) fn answer(turn: &Turn<'_>, page_size: usize) -> Result<DialectPage, String> {
    let asked = turn.asked;
    let position = asked.param("location").ok_or("location is required")?;
    let is_56 = asked.path == SEARCH56;
    let rent = match is_56 {
        true => asked.param("status").as_deref() == Some("forRent"),
        false => asked.param("status_type").as_deref() == Some("ForRent"),
    };
    let purpose = if rent { Purpose::Rent } else { Purpose::Sale };
    let bounds = match (is_56, rent) {
        (false, false) => ["minPrice", "maxPrice"],
        (false, true) => ["rentMinPrice", "rentMaxPrice"],
        (true, false) => ["price_min", "price_max"],
        (true, true) => ["monthlyPayment_min", "monthlyPayment_max"],
    };
    let [least, most] =
        bounds.map(|name| asked.number(name).map(|bound| i64::try_from(bound).unwrap_or(i64::MAX / 100) * 100));
    let page = usize::try_from(asked.number("page").unwrap_or(1)).unwrap_or(1).max(1);
    let mut list = turn.newest_first();
    list.retain(|(home, offer)| {
        home.purpose == purpose
            && home.currency() == Currency::USD
            && lies_in(home, &position)
            && least.is_none_or(|least| offer.list_price.0 >= least)
            && most.is_none_or(|most| offer.list_price.0 <= most)
    });
    // A page beyond the last one has the number of the last one and no rows.
    let from = if page > PAGES_MAX { list.len() } else { (page - 1) * page_size };
    let cut = turn.cut(&list, from, page_size);
    let write = if is_56 { result } else { prop };
    let rows: Vec<Value> =
        cut.rows.iter().enumerate().map(|(position, row)| write(*row, turn.now, turn.is_garbage(position))).collect();
    let pages = cut.total.div_ceil(page_size.max(1)).min(PAGES_MAX);
    let mut body = json!({ "resultsPerPage": page_size, "totalPages": pages, "totalResultCount": cut.total });
    if is_56 {
        // It does not contain the page number.
        body["results"] = rows.into();
    } else {
        body["props"] = rows.into();
        body["currentPage"] = page.into();
    }
    Ok(DialectPage { answer: Answered::json(200, &body), shown: turn.shown(cut.rows) })
}

/// A row of zillow-com1.
fn prop(row: OfferRow<'_>, now: Time, garbage: bool) -> Value {
    let (home, offer) = row;
    let city = home.area.city;
    let mut prop = common(row, now, garbage);
    prop["zpid"] = zpid(home).to_string().into();
    prop["address"] = format!("{}, {}, {} {}", line(home), city.name, city.region, home.area.postal_code).into();
    prop["listingStatus"] = status(row).into();
    prop["propertyType"] = kind(home).into();
    prop["lotAreaValue"] = (-1).into();
    prop["daysOnZillow"] = (now.ms() - offer.on_market_at.ms()).div_euclid(Time::DAY_MS).into();
    prop["detailUrl"] = format!("/homedetails/{}_zpid/", zpid(home)).into();
    prop
}

/// A row of zillow56: the same with other names, a numeric ID and no days.
fn result(row: OfferRow<'_>, now: Time, garbage: bool) -> Value {
    let (home, _) = row;
    let city = home.area.city;
    let mut result = common(row, now, garbage);
    result["zpid"] = zpid(home).into();
    result["streetAddress"] = line(home).into();
    result["city"] = city.name.into();
    result["state"] = city.region.into();
    result["zipcode"] = home.area.postal_code.as_str().into();
    result["homeStatus"] = status(row).into();
    result["homeType"] = kind(home).into();
    result["daysOnZillow"] = (-1).into();
    result
}

/// Fields with the same names in both.
fn common((home, offer): OfferRow<'_>, now: Time, garbage: bool) -> Value {
    let mut row = json!({
        "price": price(offer.list_price, garbage),
        "currency": "USD",
        "country": "USA",
        "bedrooms": home.bedrooms,
        "bathrooms": home.bathrooms,
        "livingArea": home.living_area,
        "latitude": degrees(home.latitude_e6),
        "longitude": degrees(home.longitude_e6),
        "timeOnZillow": now.ms() - offer.on_market_at.ms(),
        "priceChange": null,
        "datePriceChanged": null,
        "contingentListingType": null,
    });
    if let Some((before, at)) = offer.price_change {
        row["priceChange"] = price(stoop_domain::Minor(offer.list_price.0 - before.0), false);
        row["datePriceChanged"] = at.ms().into();
    }
    if offer.status == Status::ActiveUnderContract {
        row["contingentListingType"] = "UNDER_CONTRACT".into();
    }
    row
}

fn status((home, offer): OfferRow<'_>) -> &'static str {
    match (offer.status, home.purpose) {
        (Status::Pending, _) => "PENDING",
        (_, Purpose::Sale) => "FOR_SALE",
        (_, Purpose::Rent) => "FOR_RENT",
    }
}

fn kind(home: &Home) -> &'static str {
    match home.kind {
        PropertyType::SingleFamilyResidence => "SINGLE_FAMILY",
        PropertyType::Condominium => "CONDO",
        PropertyType::Townhouse => "TOWNHOUSE",
        _ => "APARTMENT",
    }
}
