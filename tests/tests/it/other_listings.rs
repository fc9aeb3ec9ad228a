//! The other listings of a home, on its page and in the API.

use crate::api_documents::unreported;
use crate::small_town::{Town, at, block_on, header, json, now};
use serde_json::Value;
use stoop_domain::{Address, Area, AreaUnit, Currency, Listing, Minor, Observation, PropertyType, Purpose, Status};
use stoop_pages::{Access, WebRequest};
use stoop_serve::ANSWER_LISTINGS_MAX;
use stoop_serve::api::ApiResponse;

const HEADING: &str = "<h2>Other listings of this home</h2>";
const DOUBTFUL: &str = "<h2>May be the same home</h2>";

/// A condominium in Chicago at thousands of dollars, perhaps without an address.
fn flat(source: &str, id: &str, seen: &str, line: &str, price: i64) -> Observation {
    let text = |text: &str| Some(text.to_owned());
    let address = Address {
        line: text(line).filter(|line| !line.is_empty()),
        city: text("Chicago"),
        region: text("IL"),
        postal_code: text("60614"),
        country: text("US"),
        ..Address::default()
    };
    let mut listing = Listing::new(Purpose::Sale, Currency::USD, address);
    listing.list_price = Some(Minor(price * 100_000));
    listing.property_type = Some(PropertyType::Condominium);
    (listing.bedrooms, listing.bathrooms_hundredths) = (Some(2), Some(200));
    listing.living_area = Some(Area::of(1_037, AreaUnit::SquareFeet));
    listing.details.url = Some(format!("https://{source}.example/{id}"));
    Observation::new(source, id, at(seen), listing)
}

/// The fourth flat of a building on two portals, the fifth on one, and two adverts without an address, as large and about as dear.
fn street() -> Vec<Observation> {
    vec![
        flat("one", "1", "2026-01-05T09:00:00Z", "12 N Main St Apt 4", 450),
        flat("one", "2", "2026-01-05T09:00:00Z", "12 N Main St Apt 5", 451),
        flat("one", "3", "2025-12-20T09:00:00Z", "", 750),
        flat("other", "70", "2026-01-07T09:00:00Z", "12 North Main Street, #4", 449),
        flat("other", "80", "2026-01-13T09:00:00Z", "", 760),
    ]
}

fn town(observations: &[Observation]) -> Town {
    let town = Town::empty();
    town.observe(observations);
    town
}

fn listings(town: &Town, id: &str) -> Value {
    let answer = json(&town.get(&format!("/api/v1/homes/{id}")));
    assert_eq!(unreported("/api/v1/homes/{id}", &answer), None);
    answer["listings"].clone()
}

fn page(town: &Town, id: &str) -> String {
    let path = format!("/homes/{id}");
    let request = WebRequest { method: "GET", path: &path, ..WebRequest::default() };
    let answer = block_on(town.web().answer(request, Access::Everyone, now(), Some(now())));
    assert_eq!(answer.status, 200, "{id}");
    String::from_utf8(answer.body).unwrap()
}

/// What stands from this heading to the end of its section.
fn section<'p>(page: &'p str, heading: &str) -> &'p str {
    let (_, rest) = page.split_once(heading).unwrap_or_else(|| panic!("{heading} is not in {page}"));
    rest.split_once("</section>").unwrap().0
}

fn ids<'v>(list: &'v Value, of: impl Fn(&'v Value) -> &'v Value) -> Vec<&'v str> {
    list.as_array().unwrap().iter().map(|item| of(item)["id"].as_str().unwrap()).collect()
}

#[test]
fn a_home_of_two_sources_names_the_other_one_on_page_and_api() {
    let town = town(&street());
    let found = listings(&town, "other/70");
    assert_eq!((&found["compared"], &found["not_compared"]), (&5.into(), &Value::Null));
    assert_eq!(ids(&found["same_home"], |listing| listing), ["one/1"]);
    let evidence = &found["evidence"][0];
    assert_eq!((&evidence["a"], &evidence["b"]), (&"one/1".into(), &"other/70".into()));
    assert!(evidence["findings"].as_array().unwrap().contains(&"same street, number and unit".into()), "{evidence}");

    let page = page(&town, "other/70");
    let section = section(&page, HEADING);
    for part in [
        "<td class=\"l\">one</td><td class=\"l id\"><a href=\"/homes/one/1\">1</a></td>",
        "Active for sale</td><td>$450,000</td><td>9</td>",
        "<a href=\"https://one.example/1\" rel=\"noopener noreferrer nofollow\" aria-label=\"the listing one/1\">the listing</a>",
        &format!("{:.1} bits: same street, number and unit · ", evidence["bits"].as_f64().unwrap()),
    ] {
        assert!(section.contains(part), "{part} is not in {section}");
    }
    assert!(!section.contains("/homes/other/70") && !page.contains(DOUBTFUL), "{page}");
}

#[test]
fn a_home_without_others_shows_nothing_of_them() {
    let town = town(&street());
    let found = listings(&town, "one/2");
    assert_eq!(
        (&found["compared"], &found["same_home"], &found["doubtful"]),
        (&5.into(), &Value::Array(vec![]), &Value::Array(vec![]))
    );
    let page = page(&town, "one/2");
    assert!(!page.contains("Other listings") && !page.contains(DOUBTFUL), "{page}");
}

#[test]
fn what_may_be_the_same_home_stands_apart() {
    let town = town(&street());
    let found = listings(&town, "one/3");
    assert_eq!((&found["same_home"], &found["doubtful_found"]), (&Value::Array(vec![]), &1.into()));
    assert_eq!(ids(&found["doubtful"], |doubtful| &doubtful["listing"]), ["other/80"]);
    let page = page(&town, "one/3");
    let section = section(&page, DOUBTFUL);
    assert!(section.contains("href=\"/homes/other/80\"") && section.contains(" · but: "), "{section}");
    assert!(!page.contains(HEADING), "{page}");
}

#[test]
fn a_home_no_longer_on_offer_names_where_it_is() {
    let mut all = street();
    let mut gone = all[0].clone();
    (gone.at, gone.seen, gone.listing.status) =
        (at("2026-01-12T09:00:00Z"), at("2026-01-12T09:00:00Z"), Status::Withdrawn);
    all.push(gone);
    let town = town(&all);
    assert_eq!(ids(&listings(&town, "one/1")["same_home"], |listing| listing), ["other/70"]);
    assert_eq!(
        listings(&town, "other/70")["same_home"],
        Value::Array(vec![]),
        "only those on offer are listed by market"
    );
}

#[test]
fn words_of_sources_are_text() {
    let mut hostile = flat("other", "<b>\"7", "2026-01-07T09:00:00Z", "12 North Main Street, #4", 449);
    hostile.listing.details.url = Some("javascript:alert(1)".to_owned());
    let town = town(&[street()[0].clone(), hostile]);
    let page = page(&town, "one/1");
    let section = section(&page, HEADING);
    assert!(section.contains("<a href=\"/homes/other/%3Cb%3E%227\">&lt;b&gt;&quot;7</a>"), "{section}");
    assert!(!page.contains("<b>") && !page.contains("javascript:"), "{page}");
}

#[test]
fn a_listing_that_hides_its_address_or_prices_is_beside_no_other() {
    type Hide = fn(&mut Listing);
    let hidden: [Hide; 2] =
        [|listing| listing.display_address = Some(false), |listing| listing.display_history = Some(false)];
    for hide in hidden {
        let mut all = street();
        hide(&mut all[3].listing);
        let town = town(&all);
        let found = listings(&town, "other/70");
        assert_eq!((&found["not_compared"], &found["compared"]), (&"not_displayed".into(), &0.into()));
        assert!(section(&page(&town, "other/70"), HEADING).contains("Not looked for: the source does not let"));
        assert_eq!(listings(&town, "one/1")["same_home"], Value::Array(vec![]));
        assert!(!page(&town, "one/1").contains("other/70"));
    }
    let mut all = street();
    all[3].listing.display = Some(false);
    assert_eq!(listings(&town(&all), "one/1")["same_home"], Value::Array(vec![]));
}

#[test]
fn an_area_with_too_many_listings_is_said_to_have_them() {
    let mut all = street();
    let more = (all.len()..ANSWER_LISTINGS_MAX)
        .map(|n| flat("many", &n.to_string(), "2026-01-06T09:00:00Z", &format!("{n} Elm St"), 300));
    all.extend(more);
    let town = town(&all);
    let whole = listings(&town, "one/1");
    assert_eq!((&whole["compared"], &whole["not_compared"]), (&ANSWER_LISTINGS_MAX.into(), &Value::Null));
    assert_eq!(ids(&whole["same_home"], |listing| listing), ["other/70"]);
    town.observe(&[flat("many", "last", "2026-01-06T09:00:00Z", "9 Birch St", 300)]);
    let none = listings(&town, "one/1");
    assert_eq!((&none["compared"], &none["not_compared"]), (&0.into(), &"too_many_listings".into()));
    let page = page(&town, "one/1");
    assert!(section(&page, HEADING).contains("its area has more than 1,000 listings on offer"), "{page}");
}

/// Sends the form of a button on the page of a home, as a browser on this computer does.
fn rule(town: &Town, id: &str, word: &str, other: &str, fetch_site: Option<&str>) -> ApiResponse {
    let (path, body) = (format!("/homes/{id}/{word}"), format!("other={other}"));
    let request =
        WebRequest { method: "POST", path: &path, fetch_site, body: body.as_bytes(), ..WebRequest::default() };
    let web = town.web().with_rulings(&*town.database);
    block_on(web.answer(request, Access::Everyone, now(), Some(now())))
}

#[test]
fn a_button_on_the_page_rules_on_two_listings() {
    let town = town(&street());
    let here = Some("same-origin");
    let shown = |id: &str| {
        let path = format!("/homes/{id}");
        let request = WebRequest { method: "GET", path: &path, ..WebRequest::default() };
        let web = town.web().with_rulings(&*town.database);
        String::from_utf8(block_on(web.answer(request, Access::Everyone, now(), Some(now()))).body).unwrap()
    };
    assert!(!page(&town, "one/1").contains("<form method=\"post\""), "a server that only reads has no buttons");
    let (joined, doubtful) = (shown("one/1"), shown("one/3"));
    assert!(section(&joined, HEADING).contains("action=\"/homes/one/1/different\""), "{joined}");
    assert!(section(&doubtful, DOUBTFUL).contains("action=\"/homes/one/3/same\""), "{doubtful}");

    let answer = rule(&town, "one/1", "different", "other/70", here);
    assert_eq!((answer.status, header(&answer, "location")), (303, Some("/homes/one/1")));
    assert_eq!(listings(&town, "one/1")["same_home"], Value::Array(vec![]));
    assert!(!shown("one/1").contains(HEADING));
    assert_eq!(rule(&town, "one/1", "same", "other%2F70", here).status, 303);
    let found = listings(&town, "one/1");
    assert_eq!(ids(&found["same_home"], |listing| listing), ["other/70"]);
    assert_eq!(found["evidence"][0]["ruled"], true);
    // What is no form of this server, names no listing, or an unknown one, changes nothing.
    for (other, fetch_site, status) in
        [("other/70", Some("cross-site"), 403), ("other/70", None, 403), ("other/99", here, 400), ("one/1", here, 400)]
    {
        assert_eq!(rule(&town, "one/1", "different", other, fetch_site).status, status, "{other} {fetch_site:?}");
    }
    assert_eq!(listings(&town, "one/1")["evidence"][0]["ruled"], true);
    let path = "/homes/one/1/different";
    let request =
        WebRequest { method: "POST", path, fetch_site: here, body: b"other=other/70", ..WebRequest::default() };
    let reads_only = block_on(town.web().answer(request, Access::Everyone, now(), Some(now())));
    assert_eq!(reads_only.status, 405, "a server without rulings");
}
