//! Whatever the bytes, a source answers with rows, refusals or an error: it never panics.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use proptest::prelude::*;
use stoop_domain::{Reject, Time};
use stoop_sources::{Answer, Cursor, Next, Params, Row, Source, build};

const RESO: &str = r#"{"@odata.context": "x", "@odata.count": 2, "@odata.nextLink": "https://e.example/o/Property?$skip=1",
"value": [{"ListingKey": "K1", "PropertyType": "Residential Lease", "PropertySubType": "Condominium", "StandardStatus":
"Active Under Contract", "ListPrice": 1351.50, "OriginalListPrice": "1400", "PriceChangeTimestamp": "2026-01-02T03:04:05Z",
"ModificationTimestamp": "2026-01-03T03:04:05.6Z", "OnMarketDate": "2025-12-31", "LivingArea": 900, "LivingAreaUnits":
"Square Feet", "LotSizeAcres": 0.25, "BathroomsFull": 1, "BathroomsHalf": 1, "BedroomsTotal": 2, "Latitude": 30.1,
"Longitude": -97.2, "City": "Austin", "StateOrProvince": "TX", "PostalCode": "78704-1", "Country": "US", "UnparsedAddress":
"1  Elm \u00e9 St", "Media": [{"Order": 1, "MediaURL": "https://m/1"}], "Appliances": ["Oven"], "MlgCanView": true},
{"ListingId": 5}]}"#;

const ZILLOW: &str = r#"{"props": [{"zpid": "7", "price": 415900, "priceChange": -104100, "datePriceChanged": 1690786800000,
"daysOnZillow": 24, "bedrooms": 3, "bathrooms": 2.5, "livingArea": 1500, "lotAreaValue": 0.28, "lotAreaUnit": "acres",
"address": "12 Elm St, Springfield, IL 62704", "latitude": 41.8, "longitude": -87.7, "listingStatus": "FOR_SALE",
"propertyType": "CONDO", "currency": "USD", "country": "USA", "detailUrl": "/h/7", "carouselPhotos": [{"url": "https://p"}]},
{"zpid": "47.6--122.1", "isBuilding": true, "units": [{"beds": "2", "price": "$2,305+", "roomForRent": false}]}],
"resultsPerPage": 41, "totalPages": 20, "totalResultCount": 1094, "currentPage": 1}"#;

const AVITO: &str = r#"<!DOCTYPE html><title>Avito</title><script id="__NEXT_DATA__" type="application/json">{"props":
{"pageProps": {"initialReduxState": {"ad": {"search": {"ads": [{"listId": "1", "price": {"value": 690000, "currency": "DH"},
"oldPrice": {}, "date": "il y a 6 minutes", "location": "Fès, Agdal", "category": {"id": "1010", "name": "Appartements"},
"adType": {"key": "SELL"}, "seller": {"type": "STORE", "name": "x"}, "images": ["https://i"], "params": {"secondary":
[{"key": "rooms", "value": "2"}, {"key": "size", "value": 72, "unit": "m²"}]}}, {"isNc": true}], "aggregations": {"all":
47573}, "filters": {"pageNumber": 1}}}}}}}</script>"#;

const REALTOR: &str = r#"{"status": 200, "data": {"home_search": {"total": 230, "count": 2, "results": [{"property_id": "7345",
"listing_id": "2968", "list_price": 480000, "price_reduced_amount": 20000, "status": "for_sale", "list_date":
"2024-06-03T03:35:53.000000Z", "last_update_date": "2024-06-02T22:32:58Z", "flags": {"is_pending": null, "is_contingent": true},
"description": {"type": "condo_townhome", "sub_type": "condo", "beds": 5, "baths": 3, "baths_consolidated": "2.5+", "sqft":
3304, "lot_sqft": 259182}, "location": {"county": {"fips_code": "27005", "name": "Becker"}, "address": {"line": "24405 Elm \u00e9 Rd",
"city": "Richwood", "state_code": "MN", "postal_code": "56501-1", "country": "USA", "coordinate": {"lat": 46.9, "lon": -95.8}}},
"primary_photo": {"href": "https://p/1"}, "photos": [{"href": "https://p/2"}], "branding": [{"name": "x"}], "tags": ["lake"],
"permalink": "24405-Elm-Rd"}, {"property_id": null, "listing_id": "5", "status": "for_rent", "list_price": null, "list_price_min":
2300, "list_price_max": 4100, "units": [{"beds": 1}], "description": {"baths": 3, "baths_full": 2, "baths_half": 1}}]}}}"#;

const RENTCAST: &str = r#"[{"id": "3821-Hargis-St,-Austin,-TX-78723", "addressLine1": "3821 Hargis St", "addressLine2": "Apt 24",
"city": "Austin", "state": "TX", "zipCode": "78723-1", "county": "Travis", "latitude": 30.290643, "longitude": -97.701547,
"propertyType": "Single Family", "bedrooms": 4, "bathrooms": 2.5, "squareFootage": 2345, "lotSize": 3284, "hoa": {"fee": 65},
"status": "Active", "price": 899000, "listedDate": "2024-06-24T00:00:00.000Z", "removedDate": null, "lastSeenDate":
"2024-09-30T13:11:47.157Z", "listingOffice": {"name": "x"}, "builder": {"name": "y"}, "history": {"2024-06-24": {"price":
899000}}}, {"id": "5", "status": "Inactive"}]"#;

fn sources() -> Vec<(Box<dyn Source>, &'static [u8])> {
    let make = |kind: &str, params: &[(&str, &str)]| {
        let params: Params = params.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        build(kind, &params).unwrap()
    };
    let reso = |dialect: &str, replication: &str| {
        let at = ("url", "https://e.example/o");
        let filter = ("filter", "OriginatingSystemName eq 'actris'");
        make("reso", &[at, ("dialect", dialect), ("token", "x"), filter, ("replication", replication)])
    };
    vec![
        (make("reso", &[("url", "https://e.example/o")]), RESO.as_bytes()),
        (reso("trestle", "true"), RESO.as_bytes()),
        (reso("mlsgrid", "false"), RESO.as_bytes()),
        (reso("bridge", "true"), RESO.as_bytes()),
        (reso("spark", "false"), RESO.as_bytes()),
        (make("zillow", &[("location", "x"), ("key", "x")]), ZILLOW.as_bytes()),
        (make("realtor", &[("postal_code", "56501"), ("key", "x")]), REALTOR.as_bytes()),
        (make("rentcast", &[("zipCode", "78723"), ("key", "x"), ("limit", "2")]), RENTCAST.as_bytes()),
        (make("avito", &[]), AVITO.as_bytes()),
    ]
}

/// Reads one answer, as that to an incremental and to a full scan, and checks what holds of every page. Says whether
/// there was one.
fn read(source: &dyn Source, body: &[u8], now: Time) -> bool {
    let pages = [Some("2026-01-01T00:00:00.000Z"), None].map(|since| {
        let cursor = source.begin(since);
        let refused = Answer { status: 400, ..Answer::of(body) };
        if source.reads(refused.status) {
            check(source, &cursor, &refused, now);
        }
        check(source, &cursor, &Answer::of(body), now)
    });
    assert_eq!(pages[0], pages[1]);
    pages[0]
}

fn check(source: &dyn Source, cursor: &Cursor, answer: &Answer<'_>, now: Time) -> bool {
    let Ok(page) = source.read(cursor, answer, now) else { return false };
    for row in &page.rows {
        match row {
            Row::Found(found) => assert!(!found.native_id.is_empty()),
            Row::Refused { raw, detail, .. } => {
                assert!(raw.len() <= Reject::RAW_MAX && !detail.is_empty() && detail.len() < 1_000);
            }
        }
    }
    if let Next::Page(next) = &page.next {
        assert_ne!(next.position, cursor.position);
        assert_eq!(next.since, cursor.since);
        source.request(next);
    }
    true
}

fn now() -> Time {
    Time::parse("2026-01-14T12:00:00Z").unwrap()
}

#[test]
fn the_answers_that_are_spoilt_below_are_good_ones() {
    for (source, body) in sources() {
        assert!(read(&*source, body, now()), "{}", source.name());
    }
}

#[test]
fn an_answer_cut_anywhere_is_no_panic_and_no_page() {
    for (source, body) in sources() {
        let end = body.windows(9).rposition(|w| w == b"</script>").unwrap_or(body.len() - 1);
        for cut in 0..=end {
            assert!(!read(&*source, &body[..cut], now()), "{} cut at {cut}", source.name());
        }
    }
}

#[test]
fn deep_nesting_is_no_stack_overflow() {
    for (source, body) in sources() {
        let text = std::str::from_utf8(body).unwrap();
        for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
            let deep = format!("{}1{}", open.repeat(200_000), close.repeat(200_000));
            let spoilt = text.replacen("24", &deep, 1).replacen("\"x\"", &deep, 1).replacen("690000", &deep, 1);
            assert_ne!(spoilt, text);
            read(&*source, spoilt.as_bytes(), now());
            read(&*source, deep.as_bytes(), now());
        }
    }
}

fn values() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("null".to_owned()),
        Just("{}".to_owned()),
        Just("[]".to_owned()),
        Just("\"\"".to_owned()),
        Just("\"\\ud800\"".to_owned()),
        Just("-1".to_owned()),
        Just("1e400".to_owned()),
        Just("9223372036854775808".to_owned()),
        any::<i64>().prop_map(|n| n.to_string()),
        any::<f64>().prop_filter("JSON has no infinities", |n| n.is_finite()).prop_map(|n| n.to_string()),
        "\"[ -!#-\\[\\]-~éßم€]{0,12}\"",
    ]
}

proptest! {
    #[test]
    fn spoilt_bytes_are_no_panic(
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0..3_u8), 1..8),
        ms in any::<i64>(),
    ) {
        for (source, body) in sources() {
            let mut body = body.to_vec();
            for (at, byte, edit) in &edits {
                let at = at.index(body.len());
                match edit {
                    0 => body[at] = *byte,
                    1 => body.insert(at, *byte),
                    _ => { body.remove(at); }
                }
            }
            read(&*source, &body, Time::from_ms(ms));
        }
    }

    #[test]
    fn any_value_in_place_of_another_is_no_panic(
        (at, value) in (any::<prop::sample::Index>(), values()),
        ms in any::<i64>(),
    ) {
        for (source, body) in sources() {
            let text = std::str::from_utf8(body).unwrap();
            let starts: Vec<usize> = text.match_indices(": ").map(|(at, _)| at + 2).collect();
            let start = starts[at.index(starts.len())];
            let end = start + text[start..].find([',', '}', ']']).unwrap();
            let spoilt = format!("{}{value}{}", &text[..start], &text[end..]);
            read(&*source, spoilt.as_bytes(), Time::from_ms(ms));
        }
    }

    #[test]
    fn any_bytes_at_all_are_no_panic(body in prop::collection::vec(any::<u8>(), 0..400)) {
        for (source, _) in sources() {
            read(&*source, &body, now());
        }
    }
}
