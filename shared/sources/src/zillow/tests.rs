use super::*;

mod rows;

const NOW: &str = "2025-02-01T15:30:00Z";

fn source(more: &[(&str, &str)]) -> Zillow {
    let mut params = Params::from([("location".into(), "Chicago, IL".into()), ("key".into(), "s3cret".into())]);
    params.extend(more.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())));
    Zillow::from_params(&params).unwrap()
}

fn answer(page: &str, body: &str) -> Result<Page, ReadError> {
    answer_to(&source(&[]), page, body)
}

fn answer_to(source: &Zillow, page: &str, body: &str) -> Result<Page, ReadError> {
    let cursor = Cursor { position: page.into(), ..Cursor::default() };
    source.read(&cursor, &SourceAnswer::of(body.as_bytes()), Time::parse(NOW).unwrap())
}

/// The rows of a bare array with one plain home, overridden by `fields`.
fn rows(fields: &str) -> Vec<Row> {
    let plain = r#""zpid": "7", "address": "12 Elm St, Springfield, IL 62704", "price": 100000"#;
    let sep = if fields.is_empty() { "" } else { "," };
    answer("1", &format!("[{{{plain}{sep} {fields}}}]")).unwrap().rows
}

fn found(fields: &str) -> SeenListing {
    rows(fields).remove(0).found()
}

fn envelope(pages: u32, total: u32, current: u32) -> String {
    format!(
        r#"{{"props": [{{"zpid": "7"}}], "resultsPerPage": 41, "totalPages": {pages}, "totalResultCount": {total},
        "currentPage": {current}, "schools": {{}}}}"#
    )
}

#[test]
fn a_request_carries_the_search_the_page_and_the_key() {
    let source = source(&[("minPrice", "100000"), ("home_type", "Houses,Condos"), ("url", "http://127.0.0.1:9000/")]);
    let request = source.request(&source.begin(None));
    assert_eq!(
        request.url,
        "http://127.0.0.1:9000/propertyExtendedSearch?location=Chicago%2C%20IL&status_type=ForSale\
         &home_type=Houses%2CCondos&minPrice=100000&page=1"
    );
    assert_eq!(request.headers[0], ("x-rapidapi-key".into(), "s3cret".into()));
    assert_eq!(request.headers[1], ("x-rapidapi-host".into(), "zillow-com1.p.rapidapi.com".into()));
}

#[test]
fn pages_are_counted_to_the_last() {
    let Next::Page(next) = answer("1", &envelope(2, 51, 1)).unwrap().next else { panic!() };
    assert_eq!((next.position.as_str(), next.pages_before), ("2 t51", 1));
    let page = answer("2", &envelope(2, 51, 2)).unwrap();
    assert_eq!((page.next, page.total), (Next::End, Some(51)));
}

/// Where a page leads: a position, or how the scan ends.
fn leads(page: &Page) -> &str {
    match &page.next {
        Next::Page(cursor) => &cursor.position,
        Next::End => "end",
        Next::Capped => "capped",
    }
}

#[test]
fn a_search_with_more_than_twenty_pages_is_split_by_price() {
    let to = |source: &Zillow, page: &str, body: &str| leads(&answer_to(source, page, body).unwrap()).to_owned();
    let sale = source(&[]);
    assert_eq!(to(&sale, "1", &envelope(20, 1_094, 1)), "1 t1094 -300000 300000-");
    assert_eq!(to(&sale, "20", &envelope(20, 820, 20)), "end");
    assert_eq!(to(&sale, "20", &envelope(20, 821, 20)), "1 t821 -300000 300000-", "one came while it was read");
    assert_eq!(to(&sale, "1 t1094 -300000 300000-", &envelope(14, 544, 1)), "2 t1094 -300000 300000-");
    assert_eq!(to(&sale, "14 t1094 -300000 300000-", &envelope(14, 544, 14)), "1 t1094 300000-");
    assert_eq!(to(&sale, "14 t1094 300000-", &envelope(14, 550, 14)), "end");
    let rent = source(&[("status_type", "ForRent"), ("rentMinPrice", "500")]);
    assert_eq!(to(&rent, "1", &envelope(20, 900, 1)), "1 t900 500-2000 2000-");
    let url = rent.request(&Cursor { position: "2 t900 500-2000 2000-".into(), ..Cursor::default() }).url;
    assert!(url.ends_with("&status_type=ForRent&rentMinPrice=500&rentMaxPrice=2000&page=2"), "{url}");
}

#[test]
fn what_cannot_be_split_is_read_to_its_last_page_and_the_scan_is_capped() {
    let fixed = source(&[("minPrice", "5000"), ("maxPrice", "5000")]);
    let to = |page: &str, body: &str| leads(&answer_to(&fixed, page, body).unwrap()).to_owned();
    assert_eq!(to("1", &envelope(20, 1_094, 1)), "2 t1094 lost");
    assert_eq!(to("20 t1094 lost", &envelope(20, 1_094, 20)), "capped");
    let position = "20 t2000 lost 200000-200000 200001-300000";
    let next = answer(position, &envelope(20, 900, 20)).map(|page| leads(&page).to_owned());
    assert!(next.is_err(), "it does not lead to the end of the search: {next:?}");
    let next = answer("20 t2000 200000-200000 200001-", &envelope(20, 900, 20)).unwrap();
    assert_eq!(leads(&next), "1 t2000 lost 200001-", "the rest is read all the same");
}

#[test]
fn the_total_is_that_of_the_whole_search_and_of_no_part() {
    assert_eq!(answer("3 t1094 -300000 300000-", &envelope(14, 544, 3)).unwrap().total, Some(1_094));
    assert_eq!(answer("3 t1094 -300000 300000-", &envelope(20, 1_200, 3)).unwrap().total, Some(1_200));
}

#[test]
fn a_page_that_is_empty_or_another_before_the_last_leaves_the_scan_partial() {
    let empty = r#"{"props": [], "totalPages": 3, "totalResultCount": 100, "currentPage": 2}"#;
    assert_eq!(answer("2", empty).unwrap().next, Next::Capped);
    assert_eq!(answer("2", &envelope(3, 100, 1)).unwrap().next, Next::Capped);
    let nothing = r#"{"props": null, "totalPages": 0, "totalResultCount": 0}"#;
    assert_eq!(answer("1", nothing).unwrap().next, Next::End);
}

#[test]
fn a_bare_array_of_props_is_read_too() {
    let page = answer("1", r#"[{"zpid": "7"}]"#).unwrap();
    assert_eq!((page.rows.len(), page.next, page.total), (1, Next::End, None));
}

#[test]
fn a_building_is_as_many_homes_as_it_has_kinds_of_units() {
    let body = r#"{"props": [{"zpid": "a--b", "isBuilding": true, "units": [{"beds": "1"}, {"beds": "2"}]}],
        "totalPages": 2, "totalResultCount": 42}"#;
    let page = answer("1", body).unwrap();
    assert_eq!((page.total, leads(&page)), (Some(43), "2 t42 x1"));
    let last = r#"{"props": [{"zpid": "7"}], "totalPages": 2, "totalResultCount": 42}"#;
    assert_eq!(answer("2 t42 x1", last).unwrap().total, Some(43));
    let split = body.replace("42", "900").replace("\"totalPages\": 2", "\"totalPages\": 20");
    assert_eq!(leads(&answer("1", &split).unwrap()), "1 t900 -300000 300000-", "its units come again");
    let coverage = |more: &[(&str, &str)]| source(more).crawl_policy().coverage;
    assert_eq!(coverage(&[]), Coverage::Snapshot);
    assert_eq!(coverage(&[("status_type", "ForRent")]), Coverage::Changes);
    assert_eq!(coverage(&[("status_type", "ForRent"), ("home_type", "Houses")]), Coverage::Snapshot);
}

#[test]
fn zillow56_is_asked_in_its_own_words() {
    let source = source(&[
        ("api", "zillow56"),
        ("home_type", "Houses, Apartments_Condos_Co-ops"),
        ("sort", "pricea"),
        ("listing_type", "by_owner_other"),
        ("maxPrice", "900000"),
        ("bathsMin", "1"),
        ("daysOn", "6m"),
    ]);
    let request = source.request(&source.begin(None));
    assert_eq!(
        request.url,
        "https://zillow56.p.rapidapi.com/search?location=Chicago%2C%20IL&output=json&status=forSale\
         &isSingleFamily=true&isTownhouse=false&isCondo=true&isApartment=true&isMultiFamily=false\
         &isManufactured=false&isLotLand=false&sortSelection=pricea&listing_type=by_owner_other&baths_min=1\
         &doz=6m&price_max=900000"
    );
    assert_eq!(request.headers[0], ("x-rapidapi-key".into(), "s3cret".into()));
    assert_eq!(request.headers[1], ("x-rapidapi-host".into(), "zillow56.p.rapidapi.com".into()));
    let second = source.request(&Cursor { position: "2 t900 450000-900000".into(), ..Cursor::default() });
    assert!(second.url.ends_with("&price_min=450000&price_max=900000&page=2"), "{}", second.url);
}

#[test]
fn an_answer_of_the_other_api_is_not_ours() {
    let error = answer_to(&source(&[("api", "zillow56")]), "1", &envelope(1, 1, 1)).unwrap_err();
    assert_eq!(error.to_string(), "expected JSON with results, got JSON without \"results\"");
}

#[test]
fn what_an_api_cannot_do_is_said_at_once() {
    let mistakes = |more: &[(&str, &str)]| {
        let mut params = Params::from([("location".into(), "x".into()), ("key".into(), "s3cret".into())]);
        params.extend(more.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())));
        Zillow::from_params(&params).err().map(|error| error.0.join("\n")).unwrap_or_default()
    };
    assert_eq!(mistakes(&[("api", "zillow57")]), "api = \"zillow57\": accepted is zillow-com1 or zillow56");
    assert_eq!(
        mistakes(&[("api", "zillow56"), ("soldInLast", "7"), ("home_type", "Castles")]),
        "home_type = \"Castles\": accepted is some of Houses, Townhomes, Condos, Apartments, \
         Apartments_Condos_Co-ops, Multi-family, Manufactured, LotsLand, parted by commas\n\
         soldInLast = \"7\": accepted is nothing with api = \"zillow56\": it has no such filter"
    );
    assert_eq!(
        mistakes(&[("minPrice", "9"), ("status_type", "ForRent")]),
        "minPrice = \"9\": accepted is nothing in a search of this status_type: use rentMinPrice"
    );
    assert_eq!(
        mistakes(&[("minPrice", "100,000"), ("maxPrice", "0")]),
        "minPrice = \"100,000\": accepted is a whole number from 0 to 1000000000\n\
         maxPrice = \"0\": accepted is a whole number from 1 to 1000000000"
    );
    assert_eq!(
        mistakes(&[("minPrice", "9"), ("maxPrice", "8")]),
        "minPrice = \"9\": accepted is no more than maxPrice = 8"
    );
    assert!(mistakes(&[("pages", "0")]).starts_with("pages = \"0\""));
    assert_eq!(source(&[("pages", "20")]).crawl_policy().pages_max, 20);
}

#[test]
fn an_answer_without_props_is_named_by_its_message() {
    let message = |body: &str| answer("1", body).unwrap_err().to_string();
    let quota = r#"{"message": "You have exceeded the MONTHLY quota"}"#;
    assert_eq!(message(quota), "expected JSON with props, got the message \"You have exceeded the MONTHLY quota\"");
    assert_eq!(message(r#"{"zpid": 7}"#), "expected JSON with props, got JSON without \"props\"");
    assert!(message("<!DOCTYPE html><title>Blocked</title>").contains("an HTML page titled \"Blocked\""));
    assert!(message(r#"{"props": [{"zpid": "7""#).starts_with("unreadable answer: broken off"));
}
