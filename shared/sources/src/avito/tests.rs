use stoop_domain::{Area, AreaUnit, Currency, Minor, PropertyType, Reason};

use super::*;
use crate::port::{Coverage, SeenListing};

const NOW: &str = "2024-09-26T13:31:00Z";

fn source(params: &[(&str, &str)]) -> Avito {
    let params = params.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    Avito::from_params(&params).unwrap()
}

fn answer(page: &str, html: &str) -> Result<Page, ReadError> {
    let cursor = Cursor { position: page.into(), ..Cursor::default() };
    let answer = SourceAnswer::of(html.as_bytes());
    source(&[]).read(&cursor, &answer, Time::parse(NOW).unwrap())
}

fn html(ads: &str, all: u32, page: u32) -> String {
    format!(
        r#"<!DOCTYPE html><html><head><title>Appartements</title></head><body><p>690,000 DH</p>
        <script id="__NEXT_DATA__" type="application/json">{{"props": {{"pageProps": {{"lang": "fr", "initialReduxState":
        {{"authentication": {{}}, "ad": {{"view": {{}}, "search": {{"ads": [{ads}], "filters": {{"pageNumber": {page}}},
        "aggregations": {{"all": {all}}}}}}}}}}}}}, "page": "/search"}}</script></body></html>"#
    )
}

/// A page with one row: a plain ad, overridden by `fields`.
fn row(fields: &str) -> Row {
    let plain = r#""id": "1", "listId": "55", "subject": "Joli appartement", "location": "Rabat, Agdal""#;
    let sep = if fields.is_empty() { "" } else { "," };
    answer("1", &html(&format!("{{{plain}{sep} {fields}}}"), 1, 1)).unwrap().rows.remove(0)
}

fn found(fields: &str) -> SeenListing {
    row(fields).found()
}

fn refused(fields: &str) -> (Reason, String) {
    row(fields).refused()
}

const AD: &str = r#"{"listId": "1", "location": "Rabat"}"#;

#[test]
fn the_path_is_encoded_once() {
    let url = |params: &[(&str, &str)]| source(params).request(&source(params).begin(None)).url;
    let want = "https://www.avito.ma/fr/maroc/appartements-%C3%A0_vendre?o=1";
    assert_eq!(url(&[]), want);
    assert_eq!(url(&[("path", "/fr/maroc/appartements-%C3%A0_vendre/")]), want);
}

#[test]
fn the_site_is_scraped_so_it_is_off_and_robots_are_asked() {
    let crawl_policy = source(&[]).crawl_policy();
    assert!(crawl_policy.robots && crawl_policy.off_by_default);
    assert_eq!(crawl_policy.coverage, Coverage::Changes);
}

#[test]
fn the_last_page_is_known_from_the_total() {
    let next = |page: &str, all| answer(page, &html(AD, all, page.parse().unwrap())).unwrap().next;
    assert!(matches!(next("1359", 47_572), Next::Page(cursor) if cursor.position == "1360"));
    assert_eq!(next("1360", 47_572), Next::End);
    assert!(matches!(next("1360", 47_601), Next::Page(_)), "the total is live and shifts");
    assert_eq!(answer("1", &html(AD, 47_573, 1)).unwrap().total, Some(47_573));
}

#[test]
fn a_page_without_ordinary_ads_or_with_another_number_is_the_end() {
    assert_eq!(answer("3", &html("", 500, 3)).unwrap().next, Next::End);
    assert_eq!(answer("3", &html(r#"{"isNc": true, "id": "https://x"}"#, 500, 3)).unwrap().next, Next::End);
    assert_eq!(answer("3", &html(AD, 500, 1)).unwrap().next, Next::End);
}

#[test]
fn promotions_are_left_out_without_a_reject() {
    let promotion = r#"{"isNc": true, "id": "https://immoneuf.example/9WH", "subject": "Riad", "location": "Casablanca",
        "price": {"value": 250000, "currency": "DH"}, "category": {"formatted": "Immobilier neuf"}}"#;
    assert_eq!(answer("1", &html(&format!("{AD}, {promotion}"), 1, 1)).unwrap().rows.len(), 1);
}

#[test]
fn the_number_in_the_address_is_the_id() {
    assert_eq!(found(r#""id": "73125731", "listId": "54420226""#).native_id, "54420226");
    assert_eq!(refused(r#""listId": null"#), (Reason::MissingField, "listId".into()));
}

#[test]
fn an_empty_price_is_unknown_and_dh_are_dirhams() {
    let listing = found(r#""price": {}, "oldPrice": {}"#).listing;
    assert_eq!((listing.list_price, listing.currency), (None, Currency::MAD));
    let listing = found(r#""price": {"value": 690000, "currency": "DH"}"#).listing;
    assert_eq!((listing.list_price, listing.currency), (Some(Minor(69_000_000)), Currency::MAD));
    let listing =
        found(r#""price": {"value": 90000, "currency": "EUR"}, "oldPrice": {"value": 1, "currency": "DH"}"#).listing;
    assert_eq!((listing.currency, listing.previous_list_price), (Currency::EUR, None));
    let left_out = row(r#""price": {"value": 5, "currency": "BTC"}"#).left_out();
    assert_eq!(left_out, (Reason::BadValue, "price.currency is BTC".into()));
}

#[test]
fn the_old_price_may_be_lower() {
    let before = |old: u32, new: u32| {
        let listing = found(&format!(
            r#""price": {{"value": {new}, "currency": "DH"}}, "oldPrice": {{"value": {old}, "currency": "DH"}}"#
        ));
        listing.listing.previous_list_price
    };
    assert_eq!(before(720_000, 690_000), Some(Minor(72_000_000)));
    assert_eq!(before(790_000, 870_000), Some(Minor(79_000_000)));
}

#[test]
fn a_monthly_rent_among_sales_is_read_as_it_stands() {
    let listing = found(r#""price": {"value": 19000, "currency": "DH"}, "adType": {"key": "SELL"}"#).listing;
    assert_eq!((listing.purpose, listing.list_price), (Purpose::Sale, Some(Minor(1_900_000))));
}

#[test]
fn the_ad_says_whether_it_sells_and_else_the_path_does() {
    assert_eq!(found(r#""adType": {"key": "LET"}"#).listing.purpose, Purpose::Rent);
    assert_eq!(found(r#""adType": {"key": "RENT"}"#).listing.purpose, Purpose::Rent);
    assert_eq!(found("").listing.purpose, Purpose::Sale);
    assert_eq!(source(&[("path", "fr/maroc/appartements-à_louer")]).purpose, Some(Purpose::Rent));
    assert_eq!(refused(r#""adType": {"key": "SWAP"}"#), (Reason::BadValue, "adType.key is SWAP".into()));
}

#[test]
fn a_location_is_a_city_and_perhaps_a_quarter() {
    let address = |location: &str| {
        let address = found(&format!(r#""location": "{location}""#)).listing.address;
        (address.city.unwrap_or_default(), address.neighbourhood)
    };
    assert_eq!(
        address("Casablanca, Casablanca Finance City"),
        ("Casablanca".into(), Some("Casablanca Finance City".into()))
    );
    assert_eq!(address("Sidi Allal El Bahraoui"), ("Sidi Allal El Bahraoui".into(), None));
    assert_eq!(address("Fès, Autre secteur"), ("Fès".into(), None));
    assert_eq!(address("Berkane, Toute la ville"), ("Berkane".into(), None));
}

#[test]
fn any_of_rooms_baths_and_size_may_be_absent() {
    let listing = found(
        r#""params": {"secondary": [{"key": "rooms", "value": "2"}, {"key": "size", "value": 72, "unit": "m²"},
        {"key": "bathrooms"}, {"key": "floor", "value": "3"}]}"#,
    )
    .listing;
    assert_eq!((listing.bedrooms, listing.bathrooms_hundredths), (Some(2), None));
    assert_eq!(listing.living_area, Some(Area::of(72, AreaUnit::SquareMeters)));
    assert_eq!(found(r#""params": {"secondary": null}"#), found(""));
    let more =
        found(r#""params": {"secondary": [{"key": "rooms", "value": "7+"}, {"key": "bathrooms", "value": "1"}]}"#);
    assert_eq!((more.listing.bedrooms, more.listing.bathrooms_hundredths), (Some(7), Some(100)));
}

#[test]
fn a_home_of_one_square_metre_has_no_known_area() {
    let area = |size: u32| {
        found(&format!(r#""params": {{"secondary": [{{"key": "size", "value": {size}}}]}}"#)).listing.living_area
    };
    assert_eq!((area(0), area(1), area(4)), (None, None, None));
    assert!(area(5).is_some());
}

#[test]
fn a_date_is_relative_to_the_reading() {
    let found = found(r#""date": "il y a 6 minutes""#);
    assert_eq!(found.listing.listed_at.unwrap().to_string(), "2024-09-26T13:25:00Z");
    assert_eq!(found.at, None);
    assert_eq!(row(r#""date": "bientôt""#).left_out(), (Reason::BadValue, "date is bientôt".into()));
    // Of several parameters only the unreadable one is unknown.
    let params = r#"[{"key": "rooms", "value": "beaucoup"}, {"key": "bathrooms", "value": "2"}, 5]"#;
    let found = self::found(&format!(r#""params": {{"secondary": {params}}}"#));
    let details: Vec<&str> = found.refused.iter().map(|value| value.detail.as_str()).collect();
    assert_eq!((found.listing.bathrooms_hundredths, details[0], details.len()), (Some(200), "rooms is beaucoup", 2));
}

#[test]
fn categories_become_kinds_of_homes() {
    let kind = |id: &str, name: &str| {
        found(&format!(r#""category": {{"id": "{id}", "name": "{name}"}}"#)).listing.property_type
    };
    assert_eq!(kind("1010", "Appartements"), Some(PropertyType::Apartment));
    assert_eq!(kind("9", "Maisons et Villas"), Some(PropertyType::SingleFamilyResidence));
    assert_eq!(kind("9", "Terrains et Fermes"), Some(PropertyType::Land));
    assert_eq!(kind("9", "Caravanes"), Some(PropertyType::Other));
    assert_eq!(found(r#""category": {"id": null, "name": null}"#).listing.property_type, None);
}

#[test]
fn private_sellers_are_not_named() {
    let private = found(r#""seller": {"type": "PRIVATE", "name": "Someone"}"#).listing.details;
    assert_eq!((private.seller.as_deref(), private.agency), (Some("PRIVATE"), None));
    let store = found(r#""seller": {"type": "STORE", "name": "Immo Exemple"}"#).listing.details;
    assert_eq!(store.agency.as_deref(), Some("Immo Exemple"));
}

#[test]
fn a_page_without_the_data_is_named_by_its_title() {
    let message = |html: &str| answer("1", html).unwrap_err().to_string();
    assert_eq!(
        message("<html><head><title>Attention Required! | Cloudflare</title>"),
        "expected an Avito page of search results, got an HTML page titled \"Attention Required! | Cloudflare\""
    );
    assert!(message("{}").ends_with("got no HTML page"));
    let page = html(AD, 1, 1);
    let cut = &page[..page.len() - 60];
    assert_eq!(message(cut), "unreadable answer: broken off in __NEXT_DATA__");
    let detail =
        r#"<script id="__NEXT_DATA__">{"props": {"pageProps": {"initialReduxState": {"ad": {"view": {}}}}}}</script>"#;
    assert!(message(detail).contains("missing field `search`"), "{}", message(detail));
}

/// One ad's card as the page shows it. Class names are generated, so the rules use none.
fn card(id: u32, price: &str, date: &str) -> String {
    format!(
        "<a href=\"https://www.avito.ma/fr/agdal/appartements/شقة_للبيع__{id}.htm\" class=\"sc-1 eT\"><div><p class=\"sc-2\" \
         font-weight=\"600\">12 mois dans Rabat</p><p>{date}</p></div><img src=\"https://content.example/images/{id}?t=images\"/>\
         <span><span>Boutique</span></span><div><p>Appartements dans Rabat, Agdal</p></div><p title=\"Bel appartement dans une \
         résidence\">Bel appartement dans une résidence</p><span><div title=\"Chambres\"><span>2<!-- --> </span></div></span>\
         <span><div title=\"Surface totale\"><span>70<!-- --> <!-- -->m²</span></div></span><div><span>Prix à la baisse</span>\
         <p class=\"sc-3\">{price}</p></div></a>"
    )
}

const DH: &str = "<span><span dir=\"auto\">690,000</span> <span>DH</span></span>";
const PROMOTION: &str = "<a href=\"https://immoneuf.avito.ma/fr/unite/jhm?utm_source=x\" class=\"sc-1 eT\"><p>Immobilier neuf dans \
                         Casablanca</p><p title=\"Tours\">Tours</p><p>600,000 DH</p></a>";

fn cards(cards: &str, pages: &[u32]) -> String {
    let links: String =
        pages.iter().map(|page| format!("<a href=\"https://www.avito.ma/fr/maroc/x?o={page}\">{page}</a>")).collect();
    format!("<!DOCTYPE html><html><head><title>Appartements</title></head><body>{cards}{links}</body></html>")
}

fn card_row(params: &[(&str, &str)], card: &str) -> Row {
    let html = cards(card, &[]);
    let cursor = Cursor { position: "1".into(), ..Cursor::default() };
    source(params).read(&cursor, &SourceAnswer::of(html.as_bytes()), Time::parse(NOW).unwrap()).unwrap().rows.remove(0)
}

#[test]
fn without_its_data_a_page_is_read_by_its_cards() {
    let page =
        answer("2", &cards(&format!("{}{PROMOTION}{}", card(5, DH, "il y a 6 minutes"), card(6, DH, "hier")), &[1, 3]));
    let page = page.unwrap();
    assert_eq!(page.rows.len(), 2, "the promotion is left out");
    assert!(matches!(page.next, Next::Page(cursor) if cursor.position.starts_with("3:")));
    let Row::Found(found) = &page.rows[0] else { panic!("{:?}", page.rows[0]) };
    assert_eq!(found.native_id, "5");
    let listing = &found.listing;
    assert_eq!((listing.list_price, listing.currency), (Some(Minor(69_000_000)), Currency::MAD));
    assert_eq!(
        (listing.address.city.as_deref(), listing.address.neighbourhood.as_deref()),
        (Some("Rabat"), Some("Agdal"))
    );
    assert_eq!((listing.bedrooms, listing.bathrooms_hundredths), (Some(2), None));
    assert_eq!(listing.living_area, Some(Area::of(70, AreaUnit::SquareMeters)));
    assert_eq!(listing.property_type, Some(PropertyType::Apartment));
    assert_eq!(listing.listed_at.unwrap().to_string(), "2024-09-26T13:25:00Z");
    assert_eq!(listing.details.title.as_deref(), Some("Bel appartement dans une résidence"));
    assert_eq!(listing.details.agency.as_deref(), Some("12 mois dans Rabat"));
    let Row::Found(second) = &page.rows[1] else { panic!("{:?}", page.rows[1]) };
    assert_eq!(second.listing.listed_at.unwrap().to_string(), "2024-09-25T00:00:00Z");
}

#[test]
fn data_of_another_shape_or_without_ads_gives_way_to_the_cards() {
    let script = |data: &str| format!("<script id=\"__NEXT_DATA__\" type=\"application/json\">{data}</script>");
    let empty = html("", 0, 1);
    let empty = &empty[empty.find("<script").unwrap()..empty.find("</body>").unwrap()];
    for data in [script(r#"{"props": {}}"#), script("{not json"), script("[1,"), empty.to_owned()] {
        let page = answer("1", &cards(&format!("{}{data}", card(5, DH, "hier")), &[])).unwrap();
        assert_eq!((page.rows.len(), page.next), (1, Next::End), "{data}");
    }
}

#[test]
fn a_card_s_price_is_there_or_said_not_to_be() {
    let price = |text: &str| match card_row(&[], &format!("{}{}", card(5, text, "hier"), card(6, DH, "hier"))) {
        Row::Found(found) if !found.refused.is_empty() => Err(Row::Found(found).left_out()),
        Row::Found(found) => Ok(found.listing.list_price.map(|price| price.0 / 100)),
        Row::Refused { reason, detail, .. } => Err((reason, detail)),
    };
    assert_eq!(price("Prix non spécifié"), Ok(None));
    assert_eq!(price("1\u{202f}400\u{202f}000 DH"), Ok(Some(1_400_000)));
    assert_eq!(price("700 DH / nuit"), Err((Reason::BadValue, "price is 700 DH / nuit".into())));
    assert!(
        matches!(price("Contactez-nous"), Err((Reason::MissingField, detail)) if detail.starts_with("fields.price = "))
    );
}

#[test]
fn a_card_does_not_say_whether_it_sells_so_the_path_must() {
    let purpose = |path: &str| match card_row(&[("path", path)], &card(5, DH, "hier")) {
        Row::Found(found) => Some(found.listing.purpose),
        Row::Refused { .. } => None,
    };
    assert_eq!(purpose("fr/maroc/appartements-à_vendre"), Some(Purpose::Sale));
    assert_eq!(purpose("fr/maroc/appartements-à_louer"), Some(Purpose::Rent));
    assert_eq!(purpose("fr/maroc/appartements"), None);
    let holidays = Params::from([("path".to_owned(), "fr/maroc/locations_de_vacances".to_owned())]);
    assert!(Avito::from_params(&holidays).map(drop).unwrap_err().to_string().contains("by the month"));
}

#[test]
fn a_private_seller_is_not_named_by_a_card_either() {
    let Row::Found(found) = card_row(&[], &card(5, DH, "hier").replace("Boutique", "8")) else { panic!() };
    assert_eq!((found.listing.details.seller, found.listing.details.agency), (None, None));
}

#[test]
fn cards_that_are_not_understood_are_an_error_that_names_the_selector() {
    let message = |html: &str| answer("1", html).unwrap_err().to_string();
    let drifted =
        card(5, DH, "hier").replace("<p class=\"sc-3\">", "<div>").replace("</p></div></a>", "</div></div></a>");
    let want = "expected an Avito page of search results, got an HTML page titled \"Appartements\"; and by its cards a page of \
                1 cards, in which fields.price = \"p:not([title]):not([font-weight])\" found nothing";
    assert_eq!(message(&cards(&drifted, &[])), want);
    let drifted = format!("{}{}", card(5, DH, "hier"), card(6, DH, "hier")).replace(".htm\"", ".htm?from=list\"");
    let want = r#"; and by its cards a page with links to 2 ads, in which the selector card = "a[href*=\"/fr/\"]"#;
    assert!(message(&cards(&drifted, &[2])).contains(want), "{}", message(&cards(&drifted, &[2])));
}

#[test]
fn a_first_page_without_ads_is_not_believed_when_it_counts_some() {
    let message = answer("1", &html("", 500, 1)).unwrap_err().to_string();
    assert!(message.contains("got data without ads, though it counts 500"), "{message}");
    assert_eq!(answer("1", &html("", 0, 1)).unwrap().next, Next::End);
}
