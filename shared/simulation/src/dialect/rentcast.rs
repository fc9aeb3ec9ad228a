//! RentCast: a bare array of listings, 404 if there are none, the total in a header on request.

use serde_json::{Value, json};
use stoop_domain::{Currency, PropertyType, Purpose};

use super::words::{degrees, line, price};
use super::{DialectPage, OfferRow, Turn};
use crate::exchange::Answered;
use crate::home::Home;
use crate::render::moment;

const LIMIT_MAX: usize = 500;

/// An address as text: `1204 Fernbank St, Unit 7, Chicago, IL 60601`. Two homes may have the same address by chance;
/// the appended number makes it unique.
pub(super) fn id(home: &Home) -> String {
    let city = home.area.city;
    let line = line(home).replace(' ', "-");
    format!("{line}-{},-{},-{}-{}", home.index, city.name.replace(' ', "-"), city.region, home.area.postal_code)
}

pub(super) fn answer(turn: &Turn<'_>) -> Result<DialectPage, String> {
    let asked = turn.asked;
    let purpose = if asked.path == "/listings/sale" { Purpose::Sale } else { Purpose::Rent };
    let [zip, city, state, status] = ["zipCode", "city", "state", "status"].map(|name| asked.param(name));
    if zip.is_none() && state.is_none() {
        return Err("zipCode, or city and state, or state".into());
    }
    let mut list = turn.on_market();
    // Case-sensitive, as in the real API.
    let is = |wanted: &Option<String>, known: &str| wanted.as_ref().is_none_or(|text| text == known);
    list.retain(|(home, _)| {
        home.purpose == purpose
            && home.currency() == Currency::USD
            && is(&zip, &home.area.postal_code)
            && is(&city, home.area.city.name)
            && is(&state, home.area.city.region)
            && is(&status, "Active")
    });
    let limit = usize::try_from(asked.number("limit").unwrap_or(50)).unwrap_or(LIMIT_MAX).clamp(1, LIMIT_MAX);
    let offset = usize::try_from(asked.number("offset").unwrap_or(0)).unwrap_or(usize::MAX);
    let cut = turn.cut(&list, offset, limit);
    if cut.rows.is_empty() {
        let body = json!({ "error": "resource/not-found", "status": 404, "message": "No results found" });
        return Ok(DialectPage { answer: Answered::json(404, &body), shown: Vec::new() });
    }
    let rows: Vec<Value> = cut.rows.iter().enumerate().map(|(i, row)| listing(*row, turn.is_garbage(i))).collect();
    let mut answer = Answered::json(200, &Value::Array(rows)).with("x-limit", limit.to_string());
    if asked.param("includeTotalCount").as_deref() == Some("true") {
        answer = answer.with("x-total-count", cut.total.to_string());
    }
    Ok(DialectPage { answer, shown: turn.shown(cut.rows) })
}

fn listing((home, offer): OfferRow<'_>, garbage: bool) -> Value {
    let city = home.area.city;
    let time = |at| {
        let mut text = Vec::new();
        moment(&mut text, at);
        String::from_utf8_lossy(&text).into_owned()
    };
    json!({
        "id": id(home),
        "formattedAddress": format!("{}, {}, {} {}", line(home), city.name, city.region, home.area.postal_code),
        "addressLine1": line(home),
        "addressLine2": null,
        "city": city.name,
        "state": city.region,
        "zipCode": home.area.postal_code,
        "county": city.county,
        "latitude": degrees(home.latitude_e6),
        "longitude": degrees(home.longitude_e6),
        "propertyType": match home.kind {
            PropertyType::SingleFamilyResidence => "Single Family",
            PropertyType::Condominium => "Condo",
            PropertyType::Townhouse => "Townhouse",
            _ => "Apartment",
        },
        "bedrooms": home.bedrooms,
        "bathrooms": home.bathrooms,
        "squareFootage": home.living_area,
        "status": "Active",
        "price": price(offer.list_price, garbage),
        "listedDate": time(offer.on_market_at),
        "removedDate": null,
        "lastSeenDate": time(offer.modified_at),
        "daysOnMarket": 1,
    })
}
