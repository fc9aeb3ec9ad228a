//! Cards of the scraped sites, from real pages and rows if `../shared/data` exists.

use crate::real::{data, source};
use serde_json::Value;
use stoop_domain::{AreaUnit, Currency, Details, Listing, Observation, Purpose, Reason, Time};
use stoop_sources::{Cursor, Next, Page, Row, SeenListing, Source, SourceAnswer};

const AVITO_NOW: &str = "2024-09-26T13:31:00Z";

fn read(source: &dyn Source, position: &str, html: &str, now: &str) -> Page {
    let cursor = Cursor { position: position.into(), ..Cursor::default() };
    source.read(&cursor, &SourceAnswer::of(html.as_bytes()), Time::parse(now).unwrap()).unwrap()
}

fn found(page: &Page) -> Vec<&SeenListing> {
    let mut understood = Vec::new();
    for row in &page.rows {
        match row {
            Row::Found(found) => understood.push(&**found),
            Row::Refused { reason, detail, raw, .. } => panic!("{reason} {detail}\n{raw}"),
        }
    }
    understood
}

/// The page without its `__NEXT_DATA__`.
fn without_data(html: &str) -> String {
    let start = html.find("<script id=\"__NEXT_DATA__\"").unwrap();
    let end = start + html[start..].find("</script>").unwrap();
    format!("{}{}", &html[..start], &html[end..])
}

/// The fields that cards contain: all except prose and the previous price.
fn bare(listing: &Listing) -> Listing {
    Listing { details: Details::default(), previous_list_price: None, ..listing.clone() }
}

#[test]
fn avito_cards_agree_with_its_json() {
    for (page, name, ads) in
        [("1", "search_o1", 35), ("2", "search_o2", 35), ("1000", "search_o1000", 35), ("1360", "search_o1360_last", 7)]
    {
        let Some(body) = data(&format!("payloads/avito/{name}_2024-09-26T1331.html.gz")) else { return };
        let html = String::from_utf8(body).unwrap();
        let avito = source("avito", &[]);
        let by_data = read(&*avito, page, &html, AVITO_NOW);
        let by_cards = read(&*avito, page, &without_data(&html), AVITO_NOW);
        assert_eq!((found(&by_data).len(), found(&by_cards).len()), (ads, ads), "{name}");
        for (data, card) in found(&by_data).into_iter().zip(found(&by_cards)) {
            assert_eq!(data.native_id, card.native_id, "{name}");
            assert_eq!(bare(&data.listing), bare(&card.listing), "{name} {}", data.native_id);
            let (message, shown) = (&data.listing.details, &card.listing.details);
            let words = |text: &Option<String>| {
                text.clone().unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" ")
            };
            assert_eq!(words(&message.title), words(&shown.title), "{name} {}", data.native_id);
            assert_eq!(words(&message.agency), words(&shown.agency), "{name} {}", data.native_id);
            assert_eq!(message.url, shown.url, "{name} {}", data.native_id);
        }
        assert_eq!(matches!(by_data.next, Next::End), matches!(by_cards.next, Next::End), "{name}");
        assert_eq!(matches!(by_cards.next, Next::End), name == "search_o1360_last");
    }
}

#[test]
fn avito_s_pages_of_one_ad_have_no_cards() {
    for name in ["detail_0", "detail_2", "detail_7"] {
        let Some(body) = data(&format!("payloads/avito/{name}.html.gz")) else { return };
        let html = without_data(&String::from_utf8(body).unwrap());
        let answer = SourceAnswer::of(html.as_bytes());
        let read = source("avito", &[]).read(&Cursor::default(), &answer, Time::parse(AVITO_NOW).unwrap());
        assert!(read.unwrap_err().to_string().contains("got an HTML page titled"), "{name}");
    }
}

/// A real row as a card: the texts are the site's, the tags are ours.
fn card(row: &Value) -> String {
    let text = |name: &str| row[name].as_str().unwrap().replace('&', "&amp;").replace('<', "&lt;");
    let counts = row["attributes"].as_object().unwrap().iter();
    let counts = counts.filter(|(key, _)| key.ends_with("Chambre") || key.ends_with("Chambres"));
    let texts = ["Surface", "Pièces", "Salle de bain"].into_iter().map(|key| &row["attributes"][key]);
    let features: String = texts
        .chain(counts.map(|(_, value)| value))
        .filter_map(Value::as_str)
        .map(|text| format!("<div class=\"adDetailFeature\"><i></i><span>{text}</span></div>"))
        .collect();
    format!(
        "<li class=\"listingBox\"><h2 class=\"listingTit\"><a href=\"{}\">{}</a></h2><span class=\"priceTag\">{}</span>\
         <span class=\"listingH3\">{}</span>{features}</li>",
        text("url"),
        text("title"),
        text("price_text"),
        text("location"),
    )
}

fn rows(name: &str) -> Option<Vec<Value>> {
    let bytes = data(&format!("ma-avito-mubawab-2025/{name}"))?;
    let text = String::from_utf8(bytes).unwrap();
    Some(text.lines().map(|line| serde_json::from_str(line).unwrap()).collect())
}

#[test]
fn mubawab_s_real_texts_are_understood_in_cards() {
    for (name, path, purpose, without_price) in [
        ("mubawab_ventes.jsonl", "fr/cc/immobilier-a-vendre", Purpose::Sale, 4),
        ("mubawab_locations.jsonl", "fr/cc/immobilier-a-louer", Purpose::Rent, 0),
    ] {
        let Some(rows) = rows(name) else { return };
        let cards: String = rows.iter().map(card).collect();
        let html = format!("<html><body><ul>{cards}</ul></body></html>");
        let now = "2025-11-25T00:15:00Z";
        let page = read(&*source("mubawab", &[("path", path)]), "1", &html, now);
        assert_eq!((rows.len(), page.rows.len()), (33, 33));
        let mut foreign = 0;
        for (row, found) in rows.iter().zip(found(&page)) {
            let listing = &found.listing;
            assert_eq!((found.native_id.as_str(), listing.purpose), (row["id"].as_str().unwrap(), purpose));
            assert_eq!(listing.details.url.as_deref(), row["url"].as_str());
            let digits: String = row["price_text"].as_str().unwrap().chars().filter(char::is_ascii_digit).collect();
            let price = listing.list_price.map(|price| (price.0 / 100).to_string());
            assert_eq!(price.unwrap_or_default(), digits);
            assert_place(row, listing);
            assert_size(row, listing);
            let at = Time::parse(now).unwrap();
            let mut observation = Observation::new("mubawab", found.native_id.clone(), at, listing.clone());
            match observation.check(at) {
                Ok(refused) => assert_eq!((refused, listing.currency), (Vec::new(), Currency::MAD)),
                Err((reason, _)) => {
                    assert_eq!((reason, listing.currency), (Reason::ForeignCurrency, Currency::EUR));
                    foreign += 1;
                }
            }
        }
        let unpriced = found(&page).iter().filter(|found| found.listing.list_price.is_none()).count();
        assert_eq!((unpriced, foreign), (without_price, usize::from(purpose == Purpose::Sale)));
        assert!(matches!(page.next, Next::Page(_)), "33 ads are a full page");
    }
}

fn assert_place(row: &Value, listing: &Listing) {
    let words: Vec<&str> = row["location"].as_str().unwrap().split_whitespace().collect();
    let message = match &listing.address.neighbourhood {
        Some(quarter) => format!("{quarter} à {}", listing.address.city.as_deref().unwrap()),
        None => listing.address.city.clone().unwrap(),
    };
    assert_eq!(message, words.join(" "));
}

fn assert_size(row: &Value, listing: &Listing) {
    let attributes = row["attributes"].as_object().unwrap();
    let bedrooms = attributes.keys().find(|key| key.ends_with("Chambre") || key.ends_with("Chambres"));
    let bedrooms = bedrooms.map(|key| key.split(' ').next().unwrap().parse::<u8>().unwrap());
    assert_eq!(listing.bedrooms, bedrooms);
    let baths = attributes.get("Salle de bain").map(|text| text.as_str().unwrap().split(' ').next().unwrap());
    assert_eq!(listing.bathrooms_hundredths, baths.map(|count| count.parse::<u16>().unwrap() * 100));
    // A mixed search also shows land and offices, whose square metres are not a living area.
    let home = bedrooms.is_some() || attributes.contains_key("Pièces");
    let surface = attributes["Surface"].as_str().unwrap().split_whitespace().next().unwrap().parse::<u32>().unwrap();
    let area = home.then(|| stoop_domain::Area::of(surface, AreaUnit::SquareMeters));
    assert_eq!((listing.living_area, listing.lot_area), (area, None));
}
