//! Result pages of Avito.ma: data in `__NEXT_DATA__`, and cards.

use serde_json::{Value, json};
use stoop_domain::{Currency, PropertyType, Purpose, Time};

use super::words::{grouped, line, price};
use super::{DialectPage, GARBAGE, OfferRow, Turn};
use crate::exchange::{Answered, decode};
use crate::home::Home;

const ADS_PER_PAGE: usize = 35;

/// The shop of the seller.
const SHOP: &str = "Agence du Phare";

pub(super) fn list_id(home: &Home) -> u32 {
    55_000_000 + home.index
}

pub(super) fn answer(turn: &Turn<'_>, with_data: bool) -> Result<DialectPage, String> {
    let path = decode(turn.asked.path)?;
    let rent = path.contains("louer");
    let purpose = if rent { Purpose::Rent } else { Purpose::Sale };
    let mut list = turn.newest_first();
    list.retain(|(home, _)| home.purpose == purpose && home.currency() == Currency::MAD);
    let last = list.len().div_ceil(ADS_PER_PAGE).max(1);
    // A page after the last shows the last one and its number.
    let page = usize::try_from(turn.asked.number("o").unwrap_or(1)).unwrap_or(1).clamp(1, last);
    let cut = turn.cut(&list, (page - 1) * ADS_PER_PAGE, ADS_PER_PAGE);
    let mut html =
        String::from("<!DOCTYPE html>\n<html lang=\"fr\"><head><title>Annonces</title></head><body><main>\n");
    for (position, row) in cut.rows.iter().enumerate() {
        html.push_str(&card(*row, turn.now, turn.is_garbage(position)));
    }
    html.push_str("<nav>");
    for number in 1..=last {
        html.push_str(&format!("<a href=\"{}?o={number}\">{number}</a>", turn.asked.path));
    }
    html.push_str("</nav></main>\n");
    if with_data {
        let ads: Vec<Value> = cut
            .rows
            .iter()
            .enumerate()
            .map(|(i, row)| ad(*row, turn.now, turn.is_garbage(i), turn.asked.origin))
            .collect();
        let search = json!({
            "ads": ads,
            "aggregations": { "all": cut.total },
            "filters": { "pageNumber": page },
        });
        let data = json!({ "props": { "pageProps": { "initialReduxState": { "ad": { "search": search } } } } });
        html.push_str(&format!("<script id=\"__NEXT_DATA__\" type=\"application/json\">{data}</script>"));
    }
    html.push_str("</body></html>\n");
    Ok(DialectPage { answer: Answered::html(html), shown: turn.shown(cut.rows) })
}

fn ad((home, offer): OfferRow<'_>, now: Time, garbage: bool, origin: &str) -> Value {
    let secondary = json!([
        { "key": "rooms", "value": home.bedrooms.to_string(), "unit": null },
        { "key": "bathrooms", "value": home.bathrooms.to_string(), "unit": null },
        { "key": "size", "value": home.living_area.to_string(), "unit": "m²" },
    ]);
    // The earlier price has no date.
    let old = match offer.price_change {
        Some((before, _)) => json!({ "value": price(before, false), "currency": "DH" }),
        None => json!({}),
    };
    json!({
        "listId": list_id(home).to_string(),
        "subject": title(home),
        "description": format!("{}. À visiter.", line(home)),
        "date": ago(now, offer.on_market_at),
        "price": { "value": price(offer.list_price, garbage), "currency": "DH" },
        "oldPrice": old,
        "location": position(home),
        "adType": { "key": if home.purpose == Purpose::Rent { "RENT" } else { "SELL" } },
        "category": { "id": category(home).0, "name": category(home).1 },
        "params": { "secondary": secondary },
        "seller": { "type": "STORE", "name": SHOP },
        "images": [],
        "href": format!("{origin}{}", path(home)),
        "isNc": false,
    })
}

fn card((home, offer): OfferRow<'_>, now: Time, garbage: bool) -> String {
    // It must look like a price, or the card is refused as a whole: its layout may have changed.
    let price = if garbage { format!("7 DH, {GARBAGE}") } else { format!("{} DH", grouped(offer.list_price, ",")) };
    let title = title(home);
    format!(
        "<a href=\"{}\"><div><p font-weight=\"600\">{SHOP}</p><span>Boutique</span>\
         <p>{}</p></div><p title=\"{title}\">{title}</p><p>{} dans {}</p><div><span title=\"Chambres\">{}</span>\
         <span title=\"Salle de bain\">{}</span><span title=\"Surface totale\">{} m²</span></div><p>{price}</p></a>\n",
        path(home),
        ago(now, offer.on_market_at),
        category(home).1,
        position(home),
        home.bedrooms,
        home.bathrooms,
        home.living_area,
    )
}

fn title(home: &Home) -> String {
    format!(
        "{} {} chambres",
        if home.kind == PropertyType::Apartment { "Appartement" } else { "Bel espace" },
        home.bedrooms
    )
}

fn path(home: &Home) -> String {
    format!("/fr/{}/appartements/annonce_{}.htm", home.area.city.name.to_lowercase(), list_id(home))
}

/// The number and name of the category. Morocco has no condominiums or town houses here.
fn category(home: &Home) -> (&'static str, &'static str) {
    match home.kind {
        PropertyType::SingleFamilyResidence => ("1020", "Villas et Riads"),
        _ => ("1010", "Appartements"),
    }
}

/// `Agadir, Secteur 80000`: the quarter is the postal area.
pub(super) fn position(home: &Home) -> String {
    format!("{}, Secteur {}", home.area.city.name, home.area.postal_code)
}

/// How long ago, in the words of the site.
fn ago(now: Time, at: Time) -> String {
    let minutes = (now.ms() - at.ms()).div_euclid(60_000).max(0);
    let some = |count: i64, unit: &str| format!("il y a {count} {unit}{}", if count > 1 { "s" } else { "" });
    match minutes {
        0 => "il y a quelques instants".to_owned(),
        1..60 => some(minutes, "minute"),
        60..1_440 => some(minutes / 60, "heure"),
        1_440..2_880 => "hier".to_owned(),
        2_880..43_200 => some(minutes / 1_440, "jour"),
        _ => format!("il y a {} mois", minutes / 43_200),
    }
}
