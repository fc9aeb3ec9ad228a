//! zillow-com1's search: `{"props": [...], "totalResultCount": n, ...}`, pages from 1 to 20.

use serde_json::{Value, json};
use stoop_domain::{Currency, PropertyType, Purpose, Status, Time};

use super::words::{degrees, lies_in, line, price};
use super::{Page, Row, Turn};
use crate::home::Home;
use crate::site::exchange::Answered;

/// So many pages are shown of any search.
const PAGES_MAX: usize = 20;

pub(super) fn zpid(home: &Home) -> u32 {
    20_000_000 + home.index
}

pub(super) fn answer(turn: &Turn<'_>, page_size: usize) -> Result<Page, String> {
    let asked = turn.asked;
    let place = asked.param("location").ok_or("location is required")?;
    let rent = asked.param("status_type").as_deref() == Some("ForRent");
    let purpose = if rent { Purpose::Rent } else { Purpose::Sale };
    let bounds = if rent { ["rentMinPrice", "rentMaxPrice"] } else { ["minPrice", "maxPrice"] };
    let [least, most] =
        bounds.map(|name| asked.number(name).map(|bound| i64::try_from(bound).unwrap_or(i64::MAX / 100) * 100));
    let page = usize::try_from(asked.number("page").unwrap_or(1)).unwrap_or(1).max(1);
    let mut list = turn.newest_first();
    list.retain(|(home, offer)| {
        home.purpose == purpose
            && home.currency() == Currency::USD
            && lies_in(home, &place)
            && least.is_none_or(|least| offer.list_price.0 >= least)
            && most.is_none_or(|most| offer.list_price.0 <= most)
    });
    // A page beyond the last shown is answered with the last one's number, and without rows.
    let from = if page > PAGES_MAX { list.len() } else { (page - 1) * page_size };
    let cut = turn.cut(&list, from, page_size);
    let props: Vec<Value> =
        cut.rows.iter().enumerate().map(|(place, row)| prop(*row, turn.now, turn.is_garbage(place))).collect();
    let pages = cut.total.div_ceil(page_size.max(1)).min(PAGES_MAX);
    let body = json!({
        "props": props, "resultsPerPage": page_size, "totalPages": pages, "totalResultCount": cut.total,
        "currentPage": page,
    });
    Ok(Page { answer: Answered::json(200, &body), shown: turn.shown(cut.rows) })
}

fn prop((home, offer): Row<'_>, now: Time, garbage: bool) -> Value {
    let city = home.area.city;
    let days = (now.ms() - offer.on_market_at.ms()).div_euclid(Time::DAY_MS);
    let mut prop = json!({
        "zpid": zpid(home).to_string(),
        "address": format!("{}, {}, {} {}", line(home), city.name, city.region, home.area.postal_code),
        "price": price(offer.list_price, garbage),
        "currency": "USD",
        "country": "USA",
        "listingStatus": match (offer.status, home.purpose) {
            (Status::Pending, _) => "PENDING",
            (_, Purpose::Sale) => "FOR_SALE",
            (_, Purpose::Rent) => "FOR_RENT",
        },
        "propertyType": match home.kind {
            PropertyType::SingleFamilyResidence => "SINGLE_FAMILY",
            PropertyType::Condominium => "CONDO",
            PropertyType::Townhouse => "TOWNHOUSE",
            _ => "APARTMENT",
        },
        "bedrooms": home.bedrooms,
        "bathrooms": home.bathrooms,
        "livingArea": home.living_area,
        "lotAreaValue": -1,
        "latitude": degrees(home.latitude_e6),
        "longitude": degrees(home.longitude_e6),
        "daysOnZillow": days,
        "timeOnZillow": now.ms() - offer.on_market_at.ms(),
        "detailUrl": format!("/homedetails/{}_zpid/", zpid(home)),
        "priceChange": null,
        "datePriceChanged": null,
        "contingentListingType": null,
    });
    if let Some((before, at)) = offer.price_change {
        prop["priceChange"] = price(stoop_domain::Minor(offer.list_price.0 - before.0), false);
        prop["datePriceChanged"] = at.ms().into();
    }
    if offer.status == Status::ActiveUnderContract {
        prop["contingentListingType"] = "UNDER_CONTRACT".into();
    }
    prop
}
