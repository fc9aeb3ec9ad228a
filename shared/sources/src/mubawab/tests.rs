use stoop_domain::{AreaUnit, Minor};

use super::*;
use crate::port::{Coverage, Next, SeenListing};

fn source(params: &[(&str, &str)]) -> Mubawab {
    let params = params.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    Mubawab::from_params(&params).unwrap()
}

fn mistakes(params: &[(&str, &str)]) -> String {
    let params = params.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    Mubawab::from_params(&params).map(drop).unwrap_err().to_string()
}

fn read_at(source: &Mubawab, position: &str, html: &str) -> Result<Page, ReadError> {
    let cursor = Cursor { position: position.into(), ..Cursor::default() };
    source.read(&cursor, &SourceAnswer::of(html.as_bytes()), Time::from_ms(0))
}

fn answer(html: &str) -> Result<Page, ReadError> {
    read_at(&source(&[]), "1", html)
}

/// A result page that matches the selectors.
fn page(cards: &str, links_to_pages: &[u32]) -> String {
    let links: String = links_to_pages
        .iter()
        .map(|page| format!(r#"<a href="https://www.mubawab.ma/fr/sc/appartements-a-vendre:p:{page}">{page}</a>"#))
        .collect();
    format!(
        "<!DOCTYPE html>\n<html lang=\"fr\"><head><title>Appartements à vendre</title>\
         <link rel=\"next\" href=\"/fr/sc/appartements-a-vendre:p:2\"></head>\
         <body><ul class=\"ulListing\">{cards}</ul><div class=\"paginationDots\">{links}</div></body></html>\n"
    )
}

fn card(id: u32, price: &str, location: &str, features: &[&str]) -> String {
    let features: String = features
        .iter()
        .map(|text| format!("<div class=\"adDetailFeature\">\n\t<i></i><span>{text}</span></div>"))
        .collect();
    format!(
        "<li class=\"listingBox w100\" linkRef=\"https://www.mubawab.ma/fr/a/{id}/autre-mot\">\
         <img src=\"https://media.example/{id}.avif\" alt=\"\"><div class=\"contentBox\">\
         <h2 class=\"listingTit\"><a href=\"https://www.mubawab.ma/fr/a/{id}/un-mot\">\n Bel appartement,\n 2 faces</a></h2>\
         <h3 class=\"listingH3\"><i class=\"icon-location\"></i>{location}</h3><div>{features}</div>\
         <span class=\"priceTag\">\n\t\t{price}</span></div>"
    )
}

fn usual(id: u32) -> String {
    card(
        id,
        "1&nbsp;250&nbsp;000 DH",
        "Racine à\n\t\t\tCasablanca",
        &["96&nbsp;m²", "3 Pièces", "2 Chambres", "1 Salle de bain"],
    )
}

fn row(card: &str) -> Row {
    answer(&page(&format!("{card}{}", usual(7)), &[])).unwrap().rows.remove(0)
}

fn found(card: &str) -> SeenListing {
    row(card).found()
}

#[test]
fn a_card_is_read_field_by_field() {
    let found = found(&usual(8_257_931));
    assert_eq!((found.native_id.as_str(), found.at), ("8257931", None));
    let listing = found.listing;
    assert_eq!((listing.list_price, listing.currency), (Some(Minor(125_000_000)), stoop_domain::Currency::MAD));
    assert_eq!(listing.address.neighbourhood.as_deref(), Some("Racine"));
    assert_eq!((listing.address.city.as_deref(), listing.address.country.as_deref()), (Some("Casablanca"), Some("MA")));
    assert_eq!((listing.bedrooms, listing.bathrooms_hundredths), (Some(2), Some(100)));
    assert_eq!(listing.living_area, Some(stoop_domain::Area::of(96, AreaUnit::SquareMeters)));
    assert_eq!((listing.purpose, listing.property_type), (Purpose::Sale, Some(PropertyType::Apartment)));
    assert_eq!((listing.listed_at, listing.previous_list_price), (None, None));
    assert_eq!(listing.details.title.as_deref(), Some("Bel appartement, 2 faces"));
    assert_eq!(listing.details.url.as_deref(), Some("https://www.mubawab.ma/fr/a/8257931/un-mot"));
    assert_eq!(listing.details.images, ["https://media.example/8257931.avif"]);
}

#[test]
fn the_site_is_scraped_so_it_is_off_and_robots_are_asked() {
    let crawl_policy = source(&[("pages", "3")]).crawl_policy();
    assert!(crawl_policy.robots && crawl_policy.off_by_default);
    assert_eq!((crawl_policy.coverage, crawl_policy.pages_max), (Coverage::Changes, 3));
}

#[test]
fn pages_after_the_first_are_numbered_in_the_path() {
    let url = |path: &str, position: &str| {
        let cursor = Cursor { position: position.into(), ..Cursor::default() };
        source(&[("path", path)]).request(&cursor).url
    };
    assert_eq!(url("/fr/sc/appartements-a-vendre/", "1"), "https://www.mubawab.ma/fr/sc/appartements-a-vendre");
    assert_eq!(
        url("fr/cc/immobilier-a-vendre-all:o:n:sc:apartment-sale,house-sale", "12:ab"),
        "https://www.mubawab.ma/fr/cc/immobilier-a-vendre-all:o:n:sc:apartment-sale,house-sale:p:12"
    );
    assert_eq!(url("fr/st/F%C3%A8s/villas-a-louer", "1"), "https://www.mubawab.ma/fr/st/F%C3%A8s/villas-a-louer");
}

#[test]
fn a_path_must_say_sale_or_rent_and_not_holidays() {
    assert_eq!(source(&[("path", "fr/st/rabat/appartements-a-louer")]).purpose, Purpose::Rent);
    for path in ["fr/st/rabat/appartements", "fr/cc/immobilier-vacational", "fr/sc/a-vendre?x=1", "fr/sc/a-vendre:p:2"]
    {
        assert!(mistakes(&[("path", path)]).starts_with(&format!("path = {path:?}: accepted is a path ")), "{path}");
    }
}

#[test]
fn both_kinds_of_addresses_hold_the_id_and_words_in_arabic_are_kept() {
    let arabic = usual(5).replace("/fr/a/5/un-mot", "/fr/pa/5/%D8%B4%D9%82%D8%A9-%D9%84%D9%84%D8%A8%D9%8A%D8%B9");
    let found = found(&arabic);
    assert_eq!(found.native_id, "5");
    assert!(found.listing.details.url.unwrap().ends_with("/fr/pa/5/%D8%B4%D9%82%D8%A9-%D9%84%D9%84%D8%A8%D9%8A%D8%B9"));
    let relative = usual(5).replace("https://www.mubawab.ma/fr/a/5/un-mot", "/fr/a/5/un-mot");
    assert_eq!(self::found(&relative).listing.details.url.unwrap(), "https://www.mubawab.ma/fr/a/5/un-mot");
}

#[test]
fn an_older_card_has_its_address_in_linkref() {
    let older = usual(5).replace("<a href=\"https://www.mubawab.ma/fr/a/5/un-mot\">", "<b>");
    assert_eq!(found(&older).listing.details.url.unwrap(), "https://www.mubawab.ma/fr/a/5/autre-mot");
}

#[test]
fn prices_are_read_in_dirhams_and_euros_or_not_at_all() {
    let price = |text: &str| found(&card(1, text, "Asilah", &[])).listing;
    assert_eq!(price("15\u{a0}000\u{a0}000 DH").list_price, Some(Minor(1_500_000_000)));
    assert_eq!(price("<b>8</b>\u{202f}<b>500</b> <em>DH</em>").list_price, Some(Minor(850_000)));
    assert_eq!(price("480 000 EUR").currency, stoop_domain::Currency::EUR);
    assert_eq!(price("Prix à consulter").list_price, None);
    assert_eq!(price("Prix &agrave; consulter").list_price, None);
}

#[test]
fn a_price_that_is_none_of_a_home_s_is_left_out() {
    let refusal = |text: &str| match row(&card(1, text, "Asilah", &[])) {
        row @ Row::Found(_) => row.left_out(),
        Row::Refused { reason, detail, raw, .. } => {
            assert!(raw.contains("link: https://www.mubawab.ma/fr/a/"), "{raw}");
            (reason, detail)
        }
    };
    assert_eq!(refusal("700 DH <em>par nuit</em>"), (Reason::BadValue, "price is 700 DH par nuit".into()));
    assert_eq!(refusal("À partir de 590 000 DH"), (Reason::BadValue, "price is À partir de 590 000 DH".into()));
    assert_eq!(refusal("590 000"), (Reason::BadValue, "price is 590 000, in no currency".into()));
    assert_eq!(refusal(""), (Reason::MissingField, r#"fields.price = ".priceTag": nothing found"#.into()));
}

#[test]
fn an_old_price_is_read_where_a_user_says_where_it_stands() {
    let source = source(&[(
        "selectors",
        "[fields]\nold_price = { select = \".priceTag s\" }\nprice = { select = \".priceTag b\" }",
    )]);
    let before = |old: &str| {
        let page = page(&card(1, &format!("<s>{old}</s> <b>870 000 DH</b>"), "Asilah", &[]), &[]);
        let Row::Found(found) = read_at(&source, "1", &page).unwrap().rows.remove(0) else { panic!() };
        (found.listing.list_price, found.listing.previous_list_price)
    };
    assert_eq!(before("900 000 DH"), (Some(Minor(87_000_000)), Some(Minor(90_000_000))));
    assert_eq!(before("790 000 DH"), (Some(Minor(87_000_000)), Some(Minor(79_000_000))));
    assert_eq!(before("79 000 EUR"), (Some(Minor(87_000_000)), None));
}

#[test]
fn an_area_of_one_square_metre_is_unknown_and_one_of_two_is_too() {
    let area = |features: &[&str]| found(&card(1, "1 DH", "Asilah", features)).listing.living_area;
    assert_eq!((area(&["1 m²"]), area(&["0 m²"]), area(&[])), (None, None, None));
    assert!(area(&["5 m²"]).is_some() && area(&["40\n\t\t\tm²"]).is_some());
    assert_eq!(area(&["360 m²", "240 m²"]), None);
}

#[test]
fn what_square_metres_are_of_is_known_from_the_search_or_the_rooms() {
    let areas = |path: &str, features: &[&str]| {
        let page = page(&card(1, "1 DH", "Asilah", features), &[]);
        let Row::Found(found) = read_at(&source(&[("path", path)]), "1", &page).unwrap().rows.remove(0) else {
            panic!()
        };
        (found.listing.living_area.is_some(), found.listing.lot_area.is_some())
    };
    assert_eq!(areas("fr/sc/terrains-a-vendre", &["500 m²"]), (false, true));
    assert_eq!(areas("fr/cc/immobilier-a-vendre", &["500 m²"]), (false, false));
    assert_eq!(areas("fr/cc/immobilier-a-vendre", &["500 m²", "4 Pièces"]), (true, false));
    assert_eq!(areas("fr/cc/immobilier-a-vendre", &["500 m²", "2 Chambres"]), (true, false));
}

#[test]
fn a_project_of_new_buildings_is_left_out_without_a_reject() {
    let project = "<li class=\"listingBox feat\"><h2 class=\"listingTit\"><a href=\"/fr/p/2755/une-plage\">Plage</a></h2>\
                   <span class=\"priceTag\">À partir de 590 000 DH</span><h3 class=\"listingH3\">Tanger</h3></li>";
    assert_eq!(answer(&page(&format!("{project}{}", usual(1)), &[])).unwrap().rows.len(), 1);
    let only = answer(&page(project, &[2])).unwrap();
    assert_eq!((only.rows.len(), only.next), (0, Next::End));
}

#[test]
fn bytes_that_are_not_utf8_cost_only_their_card() {
    let html = page(&format!("{}{}", usual(1).replace("2 faces", "caf\u{1}"), usual(2)), &[]);
    let bytes: Vec<u8> = html.bytes().map(|byte| if byte == 1 { 0xe9 } else { byte }).collect();
    let page = source(&[]).read(&Cursor::default(), &SourceAnswer::of(&bytes), Time::from_ms(0)).unwrap();
    assert!(matches!(&page.rows[0], Row::Refused { reason: Reason::NotUtf8, .. }), "{:?}", page.rows[0]);
    assert!(matches!(&page.rows[1], Row::Found(_)));
}

#[test]
fn a_scan_ends_where_no_page_is_linked_after_this_one() {
    let next = |position: &str, links: &[u32]| read_at(&source(&[]), position, &page(&usual(1), links)).unwrap().next;
    assert!(matches!(next("1", &[1, 2, 3]), Next::Page(cursor) if cursor.position.starts_with("2:")));
    assert_eq!(next("3:x", &[1, 2, 3]), Next::End);
    assert_eq!(next("1", &[]), Next::End, "half a page and no link to another");
}

#[test]
fn a_full_page_that_links_to_no_page_is_followed_by_one() {
    let full: String = (0..33).map(usual).collect();
    let first = answer(&page(&full, &[])).unwrap();
    let Next::Page(second) = first.next else { panic!() };
    assert_eq!(second.pages_before, 1);
    // The site repeats its last page.
    let again = source(&[]).read(&second, &SourceAnswer::of(page(&full, &[]).as_bytes()), Time::from_ms(0)).unwrap();
    assert_eq!(again.next, Next::End);
}

/// During a scan, a new ad shifts the last ad of each page to the top of the next.
#[test]
fn pages_that_shift_show_an_ad_twice_and_the_scan_goes_on() {
    let first: String = (1..=33).map(usual).collect();
    let Next::Page(cursor) = answer(&page(&first, &[2, 3])).unwrap().next else { panic!() };
    let second: String = (33..=65).map(usual).collect();
    let page =
        source(&[]).read(&cursor, &SourceAnswer::of(page(&second, &[2, 3]).as_bytes()), Time::from_ms(0)).unwrap();
    assert!(matches!(page.next, Next::Page(_)));
    assert!(matches!(&page.rows[0], Row::Found(found) if found.native_id == "33"));
}

#[test]
fn a_status_of_404_is_the_end_except_on_the_first_page() {
    let read = |position: &str| {
        let cursor = Cursor { position: position.into(), ..Cursor::default() };
        let answer = SourceAnswer { status: 404, headers: &[], body: b"" };
        source(&[]).read(&cursor, &answer, Time::from_ms(0))
    };
    assert!(source(&[]).reads(404) && !source(&[]).reads(403));
    assert_eq!(read("9:x"), Ok(Page::default()));
    assert!(read("1").unwrap_err().to_string().contains("status 404: there is no page at fr/sc/appartements-a-vendre"));
}

#[test]
fn a_page_without_ads_is_the_end_only_where_it_says_so() {
    let none = "<h3 class=\"red\">Aucun résultat</h3>";
    assert_eq!(answer(&page(none, &[])).unwrap(), Page::default());
    assert_eq!(read_at(&source(&[]), "4:x", &page("", &[2, 3])).unwrap(), Page::default());
    for (position, links) in [("1", &[][..]), ("1", &[2]), ("2:x", &[]), ("2:x", &[3])] {
        let message = read_at(&source(&[]), position, &page("", links)).unwrap_err().to_string();
        assert!(message.ends_with("an HTML page titled \"Appartements à vendre\", without ads"), "{message}");
    }
}

#[test]
fn drifted_names_are_an_error_that_says_which_selector_found_nothing() {
    let two = format!("{}{}", usual(1), usual(2));
    for (from, to, want) in [
        (
            "listingBox",
            "x",
            r#"links to 2 ads, in which the selector card = "li.listingBox, div.listingBox" found nothing"#,
        ),
        ("priceTag", "x", r#"a page of 2 cards, in which fields.price = ".priceTag" found nothing"#),
        ("listingH3", "x", r#"a page of 2 cards, in which fields.location = ".listingH3" found nothing"#),
        (
            "/fr/a/",
            "/fr/annonce-",
            r#"in which id = "/p?a/(\\d+)(?:/|$)" found nothing in the addresses; the first is "https://www.mubawab.ma/fr/annonce-1/un-mot""#,
        ),
        ("un-mot\"", "un-mot\" data-x=\"/fr/p/\"><a href=\"/fr/p/1/x\"", "leaves out every card"),
    ] {
        let message = answer(&page(&two.replace(from, to), &[2])).unwrap_err().to_string();
        assert!(
            message.starts_with("expected a Mubawab page of search results, got ") && message.contains(want),
            "{message}"
        );
    }
    let links = two.replace("listingTit\"", "x\"").replace("linkRef", "data-l");
    let message = answer(&page(&links, &[])).unwrap_err().to_string();
    assert!(message.contains(r#"fields.link = ".listingTit a" or "[linkref]" found nothing"#), "{message}");
}

#[test]
fn a_selector_that_finds_few_of_the_ads_is_an_error_too() {
    let cards: String = (1..=7).map(usual).collect();
    let message = answer(&page(&cards.replacen("listingBox", "x", 5), &[])).unwrap_err().to_string();
    assert!(message.contains("links to 7 ads, of which the selector card = "), "{message}");
    assert!(message.ends_with(" found 2"), "{message}");
}

#[test]
fn a_user_mends_a_changed_name_in_a_text() {
    let changed = page(&usual(1).replace("priceTag", "newPrice"), &[]);
    assert!(answer(&changed).is_err());
    let mended = source(&[("selectors", "[fields]\nprice = { select = \".newPrice\" }\n")]);
    assert_eq!(read_at(&mended, "1", &changed).unwrap().rows.len(), 1);
    let message = mistakes(&[("selectors", "[fields]\nprize = { select = \"a:b\" }\n")]);
    assert!(
        message.starts_with("selectors:2: fields.prize: there is no such key; did you mean \"price\"?"),
        "{message}"
    );
}

#[test]
fn another_page_is_named_and_one_that_breaks_off_is_unreadable() {
    let message = |html: &str| answer(html).unwrap_err().to_string();
    assert_eq!(
        message("<html><head><title>Just a moment...</title></head></html>"),
        "expected a Mubawab page of search results, got an HTML page titled \"Just a moment...\", without ads"
    );
    assert!(message("{}").ends_with("got no HTML page"));
    assert_eq!(message(" "), "unreadable answer: it is empty");
    let whole = page(&usual(1), &[]);
    assert!(message(&whole[..whole.len() - 9]).starts_with("unreadable answer: broken off"));
}
