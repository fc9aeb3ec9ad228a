//! Result pages of Mubawab.ma: HTML cards, with `:p:2` in the path for pages.

use stoop_domain::{Currency, PropertyType, Purpose};

use super::words::{grouped, line};
use super::{DialectPage, GARBAGE, OfferRow, Turn};
use crate::exchange::{Answered, decode};
use crate::home::Home;

const ADS_PER_PAGE: usize = 33;

pub(super) fn ad_id(home: &Home) -> u32 {
    8_000_000 + home.index
}

pub(super) fn answer(turn: &Turn<'_>) -> Result<DialectPage, String> {
    let path = decode(turn.asked.path)?;
    let (search, page) = match path.split_once(":p:") {
        Some((search, page)) => (search, page.parse().map_err(|_| format!("{page:?} is not a page"))?),
        None => (&*path, 1_usize),
    };
    let purpose = if search.contains("louer") || search.contains("rent") { Purpose::Rent } else { Purpose::Sale };
    let mut list = turn.newest_first();
    list.retain(|(home, _)| home.purpose == purpose && home.currency() == Currency::MAD);
    let last = list.len().div_ceil(ADS_PER_PAGE).max(1);
    if page == 0 || page > last {
        return Ok(DialectPage {
            answer: Answered { status: 404, ..Answered::html("<!DOCTYPE html><html></html>".into()) },
            shown: Vec::new(),
        });
    }
    let cut = turn.cut(&list, (page - 1) * ADS_PER_PAGE, ADS_PER_PAGE);
    let mut html = String::from(
        "<!DOCTYPE html>\n<html lang=\"fr\"><head><title>Annonces</title></head><body><ul class=\"ulListing\">\n",
    );
    if list.is_empty() {
        html.push_str("<h3 class=\"red\">Aucun résultat</h3>");
    }
    for (position, row) in cut.rows.iter().enumerate() {
        html.push_str(&card(*row, turn.asked.origin, turn.is_garbage(position)));
    }
    html.push_str("</ul><div class=\"paginationDots\">");
    for number in (1..=last).filter(|number| *number != page) {
        let way = if number == 1 { String::new() } else { format!(":p:{number}") };
        html.push_str(&format!("<a href=\"{}{search}{way}\">{number}</a>", turn.asked.origin));
    }
    html.push_str("</div></body></html>\n");
    Ok(DialectPage { answer: Answered::html(html), shown: turn.shown(cut.rows) })
}

fn card((home, offer): OfferRow<'_>, origin: &str, garbage: bool) -> String {
    let kind = if home.kind == PropertyType::SingleFamilyResidence { "Villa" } else { "Appartement" };
    let id = ad_id(home);
    let price = match garbage {
        true => GARBAGE.to_owned(),
        false => format!("{}&nbsp;DH", grouped(offer.list_price, "&nbsp;")),
    };
    let features = [
        format!("{}&nbsp;m²", home.living_area),
        format!("{} Chambres", home.bedrooms),
        format!("{} Salles de bain", home.bathrooms),
    ];
    let features: String = features
        .iter()
        .map(|text| format!("<div class=\"adDetailFeature\"><i></i><span>{text}</span></div>"))
        .collect();
    format!(
        "<li class=\"listingBox w100\" linkRef=\"{origin}/fr/a/{id}/annonce\"><div class=\"contentBox\">\
         <h2 class=\"listingTit\"><a href=\"{origin}/fr/a/{id}/annonce\">\n {kind}, {}</a>\
         </h2><h3 class=\"listingH3\"><i class=\"icon-location\"></i>Secteur {} à\n\t\t\t{}</h3><div>{features}</div>\
         <span class=\"priceTag\">\n\t\t{price}</span></div></li>\n",
        line(home),
        home.area.postal_code,
        home.area.city.name,
    )
}
