//! For any answer and position, the source `zillow` returns rows, refusals or an error.

use crate::hostile::{check_rows, edits, spoilt, with_value};
use proptest::prelude::*;
use stoop_domain::Time;
use stoop_sources::{Cursor, Next, Params, Source, SourceAnswer, build};

const ZILLOW56: &str = r##"{"results": [{"zpid": 7, "price": 499999, "priceChange": -36001, "priceReduction": "$36,001 (Mar 4)",
"datePriceChanged": 1741075200000, "daysOnZillow": -1, "timeOnZillow": 4057545000, "bedrooms": 3, "bathrooms": 2.5,
"livingArea": 2078, "lotAreaUnit": "sqft", "lotAreaValue": 3049.2, "streetAddress": "12 Elm St #34", "unit": "# 34",
"city": "Springfield", "state": "IL", "zipcode": "62704", "homeStatus": "FOR_SALE", "homeType": "CONDO", "country": "USA",
"currency": "USD", "latitude": 29.7, "longitude": -95.5, "imgSrc": "https://p", "listing_sub_type": {"is_newHome": true}},
{"zpid": "47.6--122.1", "units": [{"beds": "2", "price": "$2,305+", "roomForRent": false}, {"beds": "Studio"}]}],
"resultsPerPage": 41, "totalPages": 20, "totalResultCount": 12665}"##;

const POSITIONS: [&str; 4] = ["1", "20 t12665 lost", "3 t12665 x2 -150000 150000-300000 300000-", "1 t9 400000000-"];

fn source() -> Box<dyn Source> {
    let params = [("location", "x"), ("key", "s3cret"), ("api", "zillow56")];
    let params: Params = params.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    build("zillow", &params).unwrap()
}

/// Reads one answer and checks the invariants of every page. Returns whether there was a page.
fn read(source: &dyn Source, position: &str, body: &[u8], now: Time) -> bool {
    let cursor = Cursor { position: position.into(), since: None, pages_before: 5 };
    let Ok(page) = source.read(&cursor, &SourceAnswer::of(body), now) else { return false };
    check_rows(&page);
    if let Next::Page(next) = &page.next {
        assert_ne!(next.position, cursor.position);
        assert!(next.position.len() < 1_000);
        // The source accepts its own next position.
        let empty = format!("{{\"results\": [], \"totalResultCount\": 0, \"page\": {position:?}}}");
        assert!(source.read(next, &SourceAnswer::of(empty.as_bytes()), now).is_ok(), "{}", next.position);
    }
    true
}

fn now() -> Time {
    Time::parse("2026-01-14T12:00:00Z").unwrap()
}

#[test]
fn the_answer_that_is_spoilt_below_is_a_good_one_and_cut_anywhere_it_is_none() {
    for position in POSITIONS {
        assert!(read(&*source(), position, ZILLOW56.as_bytes(), now()), "{position}");
        for cut in 0..ZILLOW56.len() {
            assert!(!read(&*source(), position, &ZILLOW56.as_bytes()[..cut], now()), "cut at {cut}");
        }
    }
}

#[test]
fn the_greatest_numbers_are_no_overflow() {
    let most = u64::MAX.to_string();
    for name in ["totalPages", "totalResultCount", "resultsPerPage", "currentPage"] {
        for number in ["0", "1", "9999999", "9223372036854775807", most.as_str(), "-1", "1e30", "null"] {
            for position in POSITIONS {
                let body = ZILLOW56.replace("\"resultsPerPage\"", &format!("\"{name}\": {number}, \"x\""));
                read(&*source(), position, body.as_bytes(), now());
                let body = format!("{{\"results\": [], \"totalResultCount\": {most}, \"{name}\": {number}}}");
                read(&*source(), position, body.as_bytes(), now());
            }
        }
    }
}

fn values() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("null".to_owned()),
        Just("{}".to_owned()),
        Just("[[]]".to_owned()),
        Just("\"\\ud800\"".to_owned()),
        Just("-1".to_owned()),
        Just("1e400".to_owned()),
        any::<i64>().prop_map(|n| n.to_string()),
        any::<f64>().prop_filter("JSON has no infinities", |n| n.is_finite()).prop_map(|n| n.to_string()),
        "\"[$#(), 0-9A-Za-z+-]{0,16}\"",
        "\"[ -!#-\\[\\]-~éßم€]{0,12}\"",
    ]
}

proptest! {
    #[test]
    fn any_value_instead_of_another_causes_no_panic(
        (at, value) in (any::<prop::sample::Index>(), values()),
        position in prop::sample::select(&POSITIONS[..]),
        ms in any::<i64>(),
    ) {
        read(&*source(), position, with_value(ZILLOW56, at, &value).as_bytes(), Time::from_ms(ms));
    }

    #[test]
    fn spoilt_bytes_are_no_panic(
        edits in edits(),
        ms in any::<i64>(),
    ) {
        read(&*source(), "1", &spoilt(ZILLOW56.as_bytes(), &edits), Time::from_ms(ms));
    }

    #[test]
    fn any_position_makes_a_request_of_this_search(position in "[0-9tx lost&=#%-]{0,40}|\\PC{0,40}") {
        let cursor = Cursor { position: position.clone(), since: None, pages_before: 0 };
        let request = source().request(&cursor);
        prop_assert!(request.url.starts_with("https://zillow56.p.rapidapi.com/search?location=x&output=json&status=forSale"));
        prop_assert!(request.url.bytes().all(|byte| byte.is_ascii_graphic()), "{}", request.url);
        read(&*source(), &position, ZILLOW56.as_bytes(), now());
    }
}
