use stoop_domain::{Area, AreaUnit, Minor, PropertyType, Reason, Status};

use super::row::TYPES;
use super::*;
use crate::port::Row;
use crate::port::SeenListing;

fn made(more: &[(&str, &str)]) -> Result<RentCast, SearchError> {
    let mut params = Params::from([("key".into(), "s3cret".into())]);
    params.extend(more.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())));
    RentCast::from_params(&params)
}

fn source(more: &[(&str, &str)]) -> RentCast {
    made(&[&[("zipCode", "78723")], more].concat()).unwrap()
}

fn read(source: &RentCast, position: &str, answer: &SourceAnswer<'_>) -> Result<Page, ReadError> {
    let cursor = Cursor { position: position.into(), since: None, pages_before: 3 };
    source.read(&cursor, answer, Time::parse("2024-10-01T12:00:00Z").unwrap())
}

fn with_status(status: u16, body: &str) -> Result<Page, ReadError> {
    let source = source(&[]);
    assert!(source.reads(status), "{status}");
    read(&source, "0", &SourceAnswer { status, headers: &[], body: body.as_bytes() })
}

/// A plain home, overridden by `fields`.
fn row(purpose: &str, fields: &str) -> Row {
    let plain = r#""id": "12-Elm-St,-Austin,-TX-78723", "addressLine1": "12 Elm St", "city": "Austin", "state": "TX",
        "zipCode": "78723", "status": "Active", "price": 899000"#;
    let sep = if fields.is_empty() { "" } else { "," };
    let body = format!("[{{{plain}{sep} {fields}}}]");
    read(&source(&[("purpose", purpose)]), "0", &SourceAnswer::of(body.as_bytes())).unwrap().rows.remove(0)
}

fn found(fields: &str) -> SeenListing {
    row("sale", fields).found()
}

fn refused(fields: &str) -> (Reason, String) {
    row("sale", fields).refused()
}

#[test]
fn the_total_is_asked_for_once() {
    let source = source(&[("propertyType", "condo|Single Family"), ("bedrooms", "0")]);
    let first = source.request(&source.begin(None));
    assert_eq!(
        first.url,
        "https://api.rentcast.io/v1/listings/sale?zipCode=78723&propertyType=Condo%7CSingle%20Family&bedrooms=0\
         &status=Active&limit=500&offset=0&includeTotalCount=true"
    );
    assert_eq!((first.method, first.headers[0].clone()), (Method::Get, ("X-Api-Key".into(), "s3cret".into())));
    let second = source.request(&Cursor { position: "500".into(), ..Cursor::default() });
    assert!(second.url.ends_with("&status=Active&limit=500&offset=500"), "{}", second.url);
}

#[test]
fn rents_are_another_list_and_share_the_account() {
    let rent = made(&[("purpose", "rent"), ("city", "San Antonio"), ("state", "tx")]).unwrap();
    let url = rent.request(&rent.begin(None)).url;
    assert!(url.contains("/v1/listings/rental/long-term?city=San%20Antonio&state=TX&status=Active&"), "{url}");
    assert_eq!(rent.account(), source(&[]).account());
}

#[test]
fn mistakes_in_the_area_are_reported() {
    let message = |more: &[(&str, &str)]| made(more).err().map(|error| error.to_string()).unwrap_or_default();
    assert!(message(&[]).contains("one of: zipCode; city and state; state; latitude, longitude and radius"));
    assert!(message(&[("zipCode", "78723"), ("state", "TX")]).contains("one of: zipCode"));
    assert!(message(&[("zipCode", "787")]).contains("a zip of five digits"));
    assert!(message(&[("city", "Austin")]).contains("a city together with state"));
    assert!(
        message(&[("latitude", "30.1"), ("longitude", "-97")])
            .contains("radius = \"\": accepted is a number from 0 to 100")
    );
    let circle = [("latitude", "30.1"), ("longitude", "-97.5"), ("radius", "2.5")];
    let circle = made(&circle).unwrap();
    assert!(circle.request(&circle.begin(None)).url.contains("latitude=30.1&longitude=-97.5&radius=2.5&"));
    let many = [("state", "Texas"), ("limit", "501"), ("propertyType", "Castle"), ("bedrooms", "two"), ("zip", "1")];
    let Err(SearchError(many)) = made(&many) else { panic!() };
    assert_eq!(many.len(), 5, "{many:#?}");
    assert!(many.iter().all(|mistake| !mistake.contains("s3cret")));
}

#[test]
fn the_free_plan_is_kept_to() {
    let message: Vec<String> = source(&[]).crawl_policy().limits.iter().map(ToString::to_string).collect();
    assert_eq!(message, ["20 requests a second", "50 requests in 31 days"]);
}

#[test]
fn only_a_list_of_all_that_is_on_offer_can_tell_what_is_gone() {
    let coverage = |more: &[(&str, &str)]| source(more).crawl_policy().coverage;
    assert_eq!(coverage(&[]), Coverage::Snapshot);
    assert_eq!(coverage(&[("daysOld", "7")]), Coverage::Changes);
    assert_eq!(coverage(&[("status", "Inactive")]), Coverage::Changes);
}

#[test]
fn a_page_with_fewer_rows_than_its_limit_is_the_last() {
    let source = source(&[("limit", "2")]);
    let (full, half) = (br#"[{"id": "a"}, {"id": "b"}]"#, br#"[{"id": "c"}]"#);
    let Next::Page(next) = read(&source, "2", &SourceAnswer::of(full)).unwrap().next else { panic!() };
    assert_eq!((next.position.as_str(), next.pages_before), ("4", 4));
    assert_eq!(read(&source, "4", &SourceAnswer::of(half)).unwrap().next, Next::End);
    assert_eq!(read(&source, "4", &SourceAnswer::of(b"[]")).unwrap().next, Next::End);
}

#[test]
fn the_headers_say_the_total_and_the_limit_that_was_gone_by() {
    let headers = [("x-total-count".to_owned(), "560".to_owned()), ("x-limit".to_owned(), "1".to_owned())];
    let answer = SourceAnswer { status: 200, headers: &headers, body: br#"[{"id": "a"}]"# };
    let page = read(&source(&[]), "0", &answer).unwrap();
    assert_eq!(page.total, Some(560));
    assert!(matches!(page.next, Next::Page(next) if next.position == "1"), "500 were asked for, 1 was granted");
    let page = read(&source(&[]), "0", &SourceAnswer::of(br#"[{"id": "a"}]"#)).unwrap();
    assert_eq!((page.total, page.next), (None, Next::End));
}

#[test]
fn no_results_are_an_answer_that_proves_nothing() {
    let none =
        with_status(404, r#"{"status": 404, "error": "resource/not-found", "message": "No data found"}"#).unwrap();
    assert_eq!((none.rows.len(), none.next, none.total), (0, Next::End, None));
    assert_eq!(with_status(404, "").unwrap().rows, []);
    let wrong = with_status(404, "<html><title>Not Found</title>").unwrap_err().to_string();
    assert_eq!(wrong, "expected a JSON array of listings, got an HTML page titled \"Not Found\"");
}

#[test]
fn a_key_that_is_turned_away_is_reported_from_a_bill_and_never_shown() {
    let message = |status: u16, error: &str| {
        let body = format!(r#"{{"status": {status}, "error": "{error}", "message": "the key s3cret is no good"}}"#);
        match with_status(status, &body) {
            Err(ReadError::Denied(why)) => why,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(message(401, "auth/api-key-invalid"), "RentCast does not know the key (auth/api-key-invalid)");
    for status in [401, 403] {
        let why = message(status, "billing/subscription-inactive");
        assert_eq!(why, "the key's RentCast plan is not active or not paid (billing/subscription-inactive)");
    }
    assert_eq!(message(401, "s3cret"), "status 401: RentCast turns the key away, for itself or for its bill");
    assert!(matches!(with_status(401, "<p>s3cret"), Err(ReadError::Denied(why)) if !why.contains("s3cret")));
}

#[test]
fn a_bad_request_is_reported_in_rentcast_s_words() {
    let body = r#"{"status": 400, "error": "resource/bad-request", "message": "The state 'ZZ' is unknown"}"#;
    let message = with_status(400, body).unwrap_err().to_string();
    assert_eq!(message, "expected a JSON array of listings, got the message \"The state 'ZZ' is unknown\"");
    let quoting = with_status(400, r#"{"message": "s3cret"}"#).unwrap_err().to_string();
    assert_eq!(quoting, "expected a JSON array of listings, got an error that quotes the key");
    assert!(with_status(200, r#"{"listings": []}"#).unwrap_err().to_string().contains("JSON without \"listings\""));
    assert!(!source(&[]).reads(429) && !source(&[]).reads(500), "those are the poller's");
}

#[test]
fn an_address_is_an_id_letter_by_letter() {
    assert_eq!(found("").native_id, "12-Elm-St,-Austin,-TX-78723");
    assert_eq!(found(r##""id": "12-Elm-St,-Apt-#4/B,-Austin""##).native_id, "12-Elm-St,-Apt-#4/B,-Austin");
    let Row::Found(rental) = row("rent", r#""price": 4500"#) else { panic!() };
    assert_eq!(rental.native_id, "12-Elm-St,-Austin,-TX-78723:rent", "the same home, to let");
    assert_eq!((rental.listing.purpose, rental.listing.list_price), (Purpose::Rent, Some(Minor(450_000))));
    assert_eq!(refused(r#""id": null"#), (Reason::MissingField, "id".into()));
}

#[test]
fn a_price_of_another_spell_is_not_the_previous_price() {
    let home = found(
        r#""listedDate": "2024-06-24T00:00:00.000Z", "createdDate": "2021-06-25T00:00:00.000Z", "history": {
        "2021-07-28": {"event": "Sale Listing", "price": 949000, "listedDate": "2021-07-28T00:00:00.000Z"},
        "2024-06-24": {"event": "Sale Listing", "price": 899000, "listedDate": "2024-06-24T00:00:00.000Z"}}"#,
    );
    let listing = home.listing;
    assert_eq!((listing.list_price, listing.previous_list_price), (Some(Minor(89_900_000)), None));
    assert_eq!((listing.original_list_price, listing.price_changed_at), (None, None));
    assert_eq!(
        listing.listed_at.unwrap().to_string(),
        "2024-06-24T00:00:00Z",
        "this spell, not the record's beginning"
    );
}

#[test]
fn a_date_of_creation_says_nothing_of_the_listing() {
    let early = r#""listedDate": "2025-02-20T00:00:00.000Z", "createdDate": "2020-12-05T02:30:34.290Z""#;
    let late = r#""listedDate": "2025-02-20T00:00:00.000Z", "createdDate": "2025-02-21T00:00:00.000Z""#;
    assert_eq!(found(early), found(late));
    assert_eq!(found(r#""createdDate": "2025-02-21T00:00:00.000Z""#).listing.listed_at, None);
}

#[test]
fn what_rentcast_no_longer_sees_is_gone_from_the_time_of_reading() {
    let inactive = found(
        r#""status": "Inactive", "removedDate": "2025-02-07T00:00:00.000Z", "lastSeenDate": "2025-02-06T05:09:03.727Z""#,
    );
    assert_eq!((inactive.listing.status, inactive.at), (Status::Gone, None));
    let seen = found(r#""lastSeenDate": "2024-09-30T13:11:47.157Z", "removedDate": null"#);
    assert_eq!((seen.listing.status, seen.at), (Status::Active, None));
    assert_eq!(seen, found(r#""lastSeenDate": "2024-10-01T13:11:47.157Z""#), "a day later it is the same");
    assert_eq!(refused(r#""status": null"#), (Reason::MissingField, "status".into()));
    assert_eq!(refused(r#""status": "Sold""#), (Reason::BadValue, "status is Sold".into()));
}

#[test]
fn kinds_of_home_are_those_that_rentcast_documents() {
    let kind = |name: &str| found(&format!(r#""propertyType": {name}"#)).listing.property_type;
    let all = TYPES.map(|(name, _)| kind(&format!("\"{name}\"")));
    assert_eq!(all, TYPES.map(|(_, kind)| Some(kind)));
    assert_eq!(kind("\"Manufactured\""), Some(PropertyType::ManufacturedHome));
    assert_eq!(kind("\"Multi-Family\""), Some(PropertyType::MultiFamily));
    assert_eq!(kind("\"Apartament\""), None, "not guessed at");
    assert_eq!(kind("null"), None);
}

#[test]
fn areas_are_in_square_feet_and_absent_ones_unknown() {
    let home = found(r#""squareFootage": 2345, "lotSize": 3284, "bedrooms": 0, "bathrooms": 2.5"#).listing;
    assert_eq!(home.living_area, Some(Area::of(2_345, AreaUnit::SquareFeet)));
    assert_eq!(home.lot_area, Some(Area::of(3_284, AreaUnit::SquareFeet)));
    assert_eq!((home.bedrooms, home.bathrooms_hundredths), (Some(0), Some(250)), "0 is a studio");
    let nulls = r#""squareFootage": null, "lotSize": null, "yearBuilt": null, "addressLine2": null, "hoa": null"#;
    assert_eq!(found(nulls), found(""));
}

#[test]
fn a_unit_is_part_of_the_line() {
    let home = found(
        r#""addressLine2": "Apt 12C", "county": "Travis", "latitude": 30.290643, "longitude": -97.701547,
        "listingOffice": {"name": "Elm Realty"}, "builder": {"name": "Elm Homes"}, "listingAgent": {"name": "Somebody"}"#,
    );
    let (address, details) = (home.listing.address, home.listing.details);
    assert_eq!((address.line.as_deref(), address.county.as_deref()), (Some("12 Elm St, Apt 12C"), Some("Travis")));
    assert_eq!((address.latitude_e6, address.longitude_e6), (Some(30_290_643), Some(-97_701_547)));
    assert_eq!((details.agency.as_deref(), details.seller.as_deref()), (Some("Elm Realty"), Some("Elm Homes")));
}

#[test]
fn a_scan_takes_no_more_than_the_requests_of_a_month_unless_the_user_says_so() {
    assert_eq!(source(&[]).crawl_policy().pages_max, 50);
    assert_eq!(source(&[("pages", "400")]).crawl_policy().pages_max, 400);
    assert!(made(&[("zipCode", "78723"), ("pages", "0")]).is_err());
}

#[test]
fn the_year_and_the_fee_are_reported_where_they_are_known() {
    let known = found(r#""yearBuilt": 1973, "hoa": {"fee": 175}"#).listing;
    assert_eq!((known.year_built, known.association_fee), (Some(1973), Some(Minor(17_500))));
    let none = found(r#""hoa": {}"#).listing;
    assert_eq!((none.year_built, none.association_fee), (None, None));
}
