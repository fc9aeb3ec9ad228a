//! realtor.com's `home_search`, as realty-in-us and us-real-estate serve it.

use serde_json::{Value, json};
use stoop_domain::{Currency, PropertyType, Purpose, Status};

use super::words::{degrees, line, price};
use super::{DialectPage, OfferRow, Turn};
use crate::exchange::Answered;
use crate::home::Home;
use crate::render::moment;

/// The first row that no offset reaches.
const WINDOW: u64 = 10_000;

const LIMIT_MAX: u64 = 200;

pub(super) fn property_id(home: &Home) -> String {
    (3_000_000_000 + u64::from(home.index)).to_string()
}

/// The parameters of a request.
struct RequestParams {
    postal_code: Option<String>,
    city: Option<String>,
    state: Option<String>,
    purpose: Purpose,
    bounds: [Option<u64>; 2],
    offset: u64,
    limit: u64,
}

pub(super) fn answer(turn: &Turn<'_>) -> Result<DialectPage, String> {
    let wanted = if turn.asked.method == "POST" { by_body(turn.asked.body)? } else { by_query(turn)? };
    if wanted.offset >= WINDOW {
        return Err(format!("offset={}: must be below {WINDOW}", wanted.offset));
    }
    let mut list = turn.newest_first();
    list.retain(|(home, offer)| {
        let (area, price) = (&home.area, u64::try_from(offer.list_price.0 / 100).unwrap_or(0));
        let is =
            |wanted: &Option<String>, known: &str| wanted.as_ref().is_none_or(|text| text.eq_ignore_ascii_case(known));
        home.currency() == Currency::USD
            && home.purpose == wanted.purpose
            && is(&wanted.postal_code, &area.postal_code)
            && is(&wanted.city, area.city.name)
            && is(&wanted.state, area.city.region)
            && wanted.bounds[0].is_none_or(|least| price >= least)
            && wanted.bounds[1].is_none_or(|most| price <= most)
    });
    let number = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
    let cut = turn.cut(&list, number(wanted.offset), number(wanted.limit));
    let results: Vec<Value> = cut.rows.iter().enumerate().map(|(i, row)| result(*row, turn.is_garbage(i))).collect();
    let body = json!({
        "status": 200,
        "data": { "home_search": { "count": results.len(), "total": cut.total, "results": results } },
    });
    Ok(DialectPage { answer: Answered::json(200, &body), shown: turn.shown(cut.rows) })
}

fn by_body(body: &[u8]) -> Result<RequestParams, String> {
    let body: Value = serde_json::from_slice(body).map_err(|error| format!("the body is not JSON: {error}"))?;
    let text = |name: &str| body[name].as_str().map(str::to_owned);
    let rent = body["status"].as_array().is_some_and(|all| all.iter().any(|status| status == "for_rent"));
    Ok(RequestParams {
        postal_code: text("postal_code"),
        city: text("city"),
        state: text("state_code"),
        purpose: if rent { Purpose::Rent } else { Purpose::Sale },
        bounds: ["price_min", "price_max"].map(|name| body[name].as_u64()),
        offset: body["offset"].as_u64().unwrap_or(0),
        limit: body["limit"].as_u64().unwrap_or(42).clamp(1, LIMIT_MAX),
    })
}

fn by_query(turn: &Turn<'_>) -> Result<RequestParams, String> {
    let asked = turn.asked;
    let state = asked.param("state_code").ok_or("state_code is required")?;
    Ok(RequestParams {
        postal_code: None,
        city: asked.param("city"),
        state: Some(state),
        purpose: if asked.path == "/v3/for-rent" { Purpose::Rent } else { Purpose::Sale },
        bounds: ["price_min", "price_max"].map(|name| asked.number(name)),
        offset: asked.number("offset").unwrap_or(0),
        limit: asked.number("limit").unwrap_or(42).clamp(1, LIMIT_MAX),
    })
}

fn result((home, offer): OfferRow<'_>, garbage: bool) -> Value {
    let mut listed = Vec::new();
    moment(&mut listed, offer.on_market_at);
    let city = home.area.city;
    // Flags are true or null, as often in the real API. A cut has its amount; a rise is not shown.
    let flag = |on: bool| if on { Value::Bool(true) } else { Value::Null };
    let cut = offer.price_change.map(|(before, _)| before.0 - offer.list_price.0).filter(|cut| *cut > 0);
    json!({
        "property_id": property_id(home),
        "listing_id": (2_900_000_000_u64 + u64::from(home.index)).to_string(),
        "status": if home.purpose == Purpose::Rent { "for_rent" } else { "for_sale" },
        "list_price": price(offer.list_price, garbage),
        "price_reduced_amount": cut.map(|cut| price(stoop_domain::Minor(cut), false)),
        "list_date": String::from_utf8_lossy(&listed),
        "flags": {
            "is_pending": flag(offer.status == Status::Pending),
            "is_contingent": flag(offer.status == Status::ActiveUnderContract),
            "is_coming_soon": null,
            "is_new_construction": null,
        },
        "description": {
            "type": match home.kind {
                PropertyType::SingleFamilyResidence => "single_family",
                PropertyType::Condominium => "condos",
                PropertyType::Townhouse => "townhomes",
                _ => "apartment",
            },
            "beds": home.bedrooms,
            "baths": home.bathrooms,
            "baths_consolidated": home.bathrooms.to_string(),
            "sqft": home.living_area,
            "lot_sqft": null,
            "sold_price": null,
        },
        "location": {
            "address": {
                "line": line(home),
                "city": city.name,
                "state_code": city.region,
                "postal_code": home.area.postal_code,
                "country": "USA",
                "coordinate": { "lat": degrees(home.latitude_e6), "lon": degrees(home.longitude_e6) },
            },
            "county": { "name": city.county },
        },
        "permalink": format!("{}_M{}", line(home).replace(' ', "-"), home.index),
    })
}
