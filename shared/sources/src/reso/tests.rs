use stoop_domain::{AreaUnit, Minor, PropertyType, Purpose, Reason, Status};

use super::*;
use crate::port::{Params, SeenListing};

const NOW: &str = "2026-01-14T12:00:00Z";
const BASE: &str = "https://mls.example.com/odata";

fn source(more: &[(&str, &str)]) -> Reso {
    let mut params = Params::from([("url".to_owned(), BASE.to_owned())]);
    params.extend(more.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())));
    Reso::from_params(&params).unwrap()
}

fn answer(cursor: &Cursor, body: &str) -> Result<Page, ReadError> {
    let answer = SourceAnswer::of(body.as_bytes());
    source(&[]).read(cursor, &answer, Time::parse(NOW).unwrap())
}

fn page(body: &str) -> Result<Page, ReadError> {
    answer(&source(&[]).begin(None), body)
}

/// A page with one row: a plain sale, overridden by `fields`.
pub(super) fn row(fields: &str) -> Row {
    let plain = r#""ListingKey": "K1", "PropertyType": "Residential", "StandardStatus": "Active", "City": "Austin",
        "StateOrProvince": "TX", "PostalCode": "78704", "ModificationTimestamp": "2026-01-13T10:00:00.250Z""#;
    let sep = if fields.is_empty() { "" } else { "," };
    page(&format!("{{\"value\": [{{{plain}{sep} {fields}}}]}}")).unwrap().rows.remove(0)
}

pub(super) fn found(fields: &str) -> SeenListing {
    row(fields).found()
}

pub(super) fn refused(fields: &str) -> (Reason, String) {
    row(fields).refused()
}

#[test]
fn a_first_scan_asks_for_everything_in_the_order_of_change() {
    let cursor = source(&[("top", "200")]).begin(None);
    assert_eq!(
        cursor.position,
        "https://mls.example.com/odata/Property?$orderby=ModificationTimestamp&$top=200&$count=true"
    );
}

#[test]
fn an_incremental_scan_asks_for_what_came_after_within_the_filter() {
    let source = source(&[
        ("filter", "City eq 'Sant''Ana' or City eq 'B+C'"),
        ("select", "ListingKey, PropertyType,ModificationTimestamp,StandardStatus"),
    ]);
    let cursor = source.begin(Some("2026-01-13T10:00:00.250Z"));
    assert_eq!(
        cursor.position,
        "https://mls.example.com/odata/Property?$filter=ModificationTimestamp%20ge%202026-01-13T09%3A55%3A00.25Z\
         %20and%20%28City%20eq%20%27Sant%27%27Ana%27%20or%20City%20eq%20%27B%2BC%27%29\
         &$select=ListingKey,PropertyType,ModificationTimestamp,StandardStatus\
         &$orderby=ModificationTimestamp&$top=1000&$count=true"
    );
    assert_eq!(cursor.since.as_deref(), Some("2026-01-13T10:00:00.250Z"));
}

#[test]
fn the_token_goes_to_the_searched_host_and_to_no_other() {
    let source = source(&[("token", "s3cret")]);
    let authorization =
        |cursor: &Cursor| source.request(cursor).headers.iter().any(|(_, value)| value == "Bearer s3cret");
    let mut cursor = source.begin(None);
    assert!(authorization(&cursor));
    cursor.position = "https://evil.example/Property".into();
    assert!(!authorization(&cursor));
    assert!(!format!("{source:?}").contains("s3cret"));
}

#[test]
fn a_next_link_is_followed_letter_by_letter() {
    let link = "https://mls.example.com/odata/Property?$filter=ListPrice+ge+100000&$skip=10";
    let cursor = Cursor { since: Some("2026-01-01T00:00:00.000Z".into()), ..source(&[]).begin(None) };
    let page =
        answer(&cursor, &format!(r#"{{"@odata.nextLink": "{link}", "@odata.count": 11, "value": []}}"#)).unwrap();
    let Next::Page(next) = page.next else { panic!("{:?}", page.next) };
    assert_eq!(source(&[]).request(&next).url, link);
    assert_eq!((next.pages_before, next.since), (1, cursor.since));
    assert_eq!(page.total, Some(11));
}

#[test]
fn a_next_link_keeps_its_blanks_and_is_a_text() {
    let link = "https://mls.example.com/odata/Property?$filter=City eq 'A  B'&$skip=1";
    let next = page(&format!(r#"{{"@odata.nextLink": "{link}", "value": []}}"#)).unwrap().next;
    assert!(matches!(next, Next::Page(cursor) if cursor.position == link));
    assert!(matches!(page(r#"{"@odata.nextLink": {}, "value": []}"#), Err(ReadError::BadLink(_))));
}

#[test]
fn the_last_page_has_no_next_link() {
    assert_eq!(page(r#"{"value": []}"#).unwrap().next, Next::End);
    assert_eq!(page(r#"{"value": [], "@odata.nextLink": null}"#).unwrap().next, Next::End);
}

#[test]
fn a_next_link_to_another_host_or_to_itself_is_refused() {
    let here = source(&[]).begin(None).position;
    for link in ["https://evil.example/Property?$skip=10", "http://mls.example.com/odata/Property?$skip=10", &here] {
        let error = page(&format!(r#"{{"@odata.nextLink": "{link}", "value": []}}"#)).unwrap_err();
        assert!(matches!(error, ReadError::BadLink(_)), "{link}: {error}");
    }
}

#[test]
fn the_watermark_is_the_latest_change_and_never_goes_back() {
    let at = |times: &[&str], since: Option<&str>| {
        let rows: Vec<String> = times.iter().map(|t| format!(r#"{{"ModificationTimestamp": "{t}"}}"#)).collect();
        let cursor = Cursor { since: since.map(str::to_owned), ..Cursor::default() };
        answer(&cursor, &format!("{{\"value\": [{}]}}", rows.join(","))).unwrap().watermark
    };
    let (early, late) = ("2026-01-13T10:00:00Z", "2026-01-13T12:00:00.174123+01:00");
    assert_eq!(at(&[late, early], None).as_deref(), Some("2026-01-13T11:00:00.174Z"));
    assert_eq!(at(&[early], Some("2026-01-14T00:00:00.000Z")).as_deref(), Some("2026-01-14T00:00:00.000Z"));
    assert_eq!(at(&[], Some("2026-01-14T00:00:00.000Z")), None, "an empty last page takes nothing back");
    assert_eq!(at(&[], None), None);
}

#[test]
fn a_timestamp_in_the_future_is_no_watermark() {
    let body = r#"{"value": [{"ModificationTimestamp": "2099-01-01T00:00:00Z"},
        {"ModificationTimestamp": "2026-01-14T11:00:00Z"}]}"#;
    assert_eq!(page(body).unwrap().watermark.as_deref(), Some("2026-01-14T11:00:00.000Z"));
    // A clock slightly ahead may be corrected: later changes then have earlier times.
    let ahead = Time::parse(NOW).unwrap().plus_ms(600_000);
    let body = format!(r#"{{"value": [{{"ModificationTimestamp": "{ahead}"}}]}}"#);
    let watermark = page(&body).unwrap().watermark.unwrap();
    assert_eq!(Time::parse(&watermark).unwrap(), Time::parse(NOW).unwrap());
}

#[test]
fn property_type_distinguishes_rents_from_sales() {
    assert_eq!(found(r#""ListPrice": 1351, "PropertyType": "Residential Lease""#).listing.purpose, Purpose::Rent);
    assert_eq!(found(r#""ListPrice": 14, "PropertyType": "CommercialLease""#).listing.purpose, Purpose::Rent);
    assert_eq!(found(r#""ListPrice": 1351"#).listing.purpose, Purpose::Sale);
    assert_eq!(refused(r#""ListPrice": 750, "PropertyType": null"#), (Reason::MissingField, "PropertyType".into()));
}

#[test]
fn land_and_shops_are_listings_too() {
    assert_eq!(found(r#""PropertyType": "Land""#).listing.property_type, Some(PropertyType::Land));
    assert_eq!(found(r#""PropertyType": "Commercial Sale""#).listing.property_type, Some(PropertyType::Commercial));
}

#[test]
fn statuses_are_read_in_both_spellings() {
    let status = |text: &str| found(&format!(r#""StandardStatus": "{text}""#)).listing.status;
    assert_eq!(status("ActiveUnderContract"), Status::ActiveUnderContract);
    assert_eq!(status("Active Under Contract"), Status::ActiveUnderContract);
    assert_eq!(status("Coming Soon"), Status::ComingSoon);
    assert_eq!(found(r#""StandardStatus": null, "MlsStatus": "Pending""#).listing.status, Status::Pending);
    assert_eq!(refused(r#""StandardStatus": "Sleeping""#), (Reason::BadValue, "StandardStatus is Sleeping".into()));
    assert_eq!(refused(r#""StandardStatus": null"#), (Reason::MissingField, "StandardStatus".into()));
}

#[test]
fn what_the_seller_lets_be_shown_is_read() {
    let read = |row: &str| {
        let listing = found(row).listing;
        (listing.display, listing.display_address)
    };
    let row = r#""InternetEntireListingDisplayYN": false, "InternetAddressDisplayYN": true"#;
    assert_eq!(read(row), (Some(false), Some(true)));
    assert_eq!(read(r#""InternetEntireListingDisplayYN": "Y", "InternetAddressDisplayYN": null"#), (Some(true), None));
    assert_eq!(
        read(r#""InternetEntireListingDisplayYN": "ask", "InternetAddressDisplayYN": 7"#),
        (Some(false), Some(false))
    );
    let estimate =
        |word: &str| found(&format!(r#""InternetAutomatedValuationDisplayYN": {word}"#)).listing.display_estimate;
    assert_eq!([estimate("false"), estimate("true"), estimate("null")], [Some(false), Some(true), None]);
    // Without a declared use, MlgCanUse decides nothing.
    assert_eq!(read(r#""MlgCanUse": ["BO"]"#), (None, None));
}

#[test]
fn a_row_that_may_not_be_shown_any_more_is_deleted() {
    assert_eq!(found(r#""MlgCanView": false"#).listing.status, Status::Delete);
    assert_eq!(found(r#""MlgCanView": true"#).listing.status, Status::Active);
}

#[test]
fn a_row_without_a_key_is_refused_and_the_listing_id_stands_in() {
    assert_eq!(refused(r#""ListingKey": null, "ListPrice": 10"#), (Reason::MissingField, "ListingKey".into()));
    assert_eq!(found(r#""ListingKey": null, "ListingId": "A7""#).native_id, "A7");
    assert_eq!(found(r#""ListingKey": 107472571"#).native_id, "107472571");
}

#[test]
fn prices_are_exact_whether_number_text_or_null() {
    let price = |json: &str| found(&format!("\"ListPrice\": {json}")).listing.list_price;
    assert_eq!(price("474800"), Some(Minor(47_480_000)));
    assert_eq!(price("474800.10"), Some(Minor(47_480_010)));
    assert_eq!(price("999999999999.99"), Some(Minor(99_999_999_999_999)));
    assert_eq!(price("\"4934.00\""), Some(Minor(493_400)));
    assert_eq!(price("null"), None);
    assert_eq!(price("0"), Some(Minor(0)));
    let left_out = row(r#""ListPrice": "on request""#).left_out();
    assert_eq!(left_out, (Reason::BadValue, "ListPrice is on request".into()));
}

#[test]
fn the_prices_before_are_kept_and_zero_means_none() {
    let listing = found(r#""ListPrice": 474800, "OriginalListPrice": 490000, "PreviousListPrice": 479800"#).listing;
    assert_eq!(listing.original_list_price, Some(Minor(49_000_000)));
    assert_eq!(listing.previous_list_price, Some(Minor(47_980_000)));
    assert_eq!(found(r#""PreviousListPrice": 0"#).listing.previous_list_price, None);
}

#[test]
fn the_price_changed_long_before_the_row_was_modified() {
    let found = found(
        r#""ModificationTimestamp": "2025-12-09T00:11:06.174Z", "MajorChangeType": "Price Decrease",
        "MajorChangeTimestamp": "2024-12-05T21:32:42.000Z", "ACT_LastChangeTimestamp": "2024-12-05T15:32:42.710""#,
    );
    assert_eq!(found.at.unwrap().to_string(), "2025-12-09T00:11:06.174Z");
    assert_eq!(found.listing.price_changed_at.unwrap().to_string(), "2024-12-05T21:32:42Z");
}

#[test]
fn a_major_change_of_something_else_is_no_change_of_price() {
    let listing = found(r#""MajorChangeType": "Pending", "MajorChangeTimestamp": "2024-12-05T21:32:42Z""#).listing;
    assert_eq!(listing.price_changed_at, None);
}

#[test]
fn double_spaces_in_an_address_are_made_one() {
    let line = |fields: &str| found(fields).listing.address.line;
    assert_eq!(line(r#""UnparsedAddress": "1506  Timber St  ""#).as_deref(), Some("1506 Timber St"));
    assert_eq!(
        line(r#""StreetNumber": "12", "StreetName": "Elm", "StreetSuffix": "ST", "UnitNumber": 4"#).as_deref(),
        Some("12 Elm ST 4")
    );
    assert_eq!(line(""), None);
}

#[test]
fn zip_plus_four_is_counted_in_its_zip() {
    assert_eq!(found(r#""PostalCode": "78704-1234""#).listing.address.postal_code.as_deref(), Some("78704"));
    assert_eq!(found(r#""PostalCode": "08701""#).listing.address.postal_code.as_deref(), Some("08701"));
}

#[test]
fn coordinates_keep_six_decimals() {
    let place = found(r#""Latitude": 30.63049749, "Longitude": "-97.68093400""#).listing.address;
    assert_eq!((place.latitude_e6, place.longitude_e6), (Some(30_630_497), Some(-97_680_934)));
}

#[test]
fn areas_keep_their_unit_and_take_the_country_s_where_none_is_named() {
    let listing = found(r#""LivingArea": 2400, "LotSizeAcres": 0.223"#).listing;
    assert_eq!(listing.living_area.unwrap(), stoop_domain::Area::of(2_400, AreaUnit::SquareFeet));
    assert_eq!(listing.lot_area.unwrap().unit, AreaUnit::Acres);
    let listing = found(r#""LivingArea": 90, "LivingAreaUnits": "Square Meters", "LotSizeArea": 3.5"#).listing;
    assert_eq!(listing.living_area.unwrap().unit, AreaUnit::SquareMeters);
    assert_eq!(listing.lot_area, None, "a lot of 3.5 of an unknown unit");
    let listing = found(r#""LivingArea": 0, "LotSizeArea": 3.5, "LotSizeUnits": "Acres""#).listing;
    assert_eq!((listing.living_area, listing.lot_area.unwrap().unit), (None, AreaUnit::Acres));
    assert_eq!(row(r#""LivingAreaUnits": "Tatami""#).left_out().1, "LivingAreaUnits is Tatami");
}

#[test]
fn half_baths_count_half() {
    let baths = |fields: &str| found(fields).listing.bathrooms_hundredths;
    assert_eq!(baths(r#""BathroomsFull": 2, "BathroomsHalf": 1, "BathroomsTotalInteger": 3"#), Some(250));
    assert_eq!(baths(r#""BathroomsTotalInteger": 3"#), Some(300));
    assert_eq!(baths(""), None);
}

#[test]
fn a_listing_date_begins_at_midnight_where_the_home_stands() {
    let listed = |fields: &str| found(fields).listing.listed_at.map(|at| at.to_string()).unwrap_or_default();
    assert_eq!(listed(r#""OnMarketDate": "2025-10-12", "ListingContractDate": "2025-10-10""#), "2025-10-12T05:00:00Z");
    assert_eq!(listed(r#""ListingContractDate": "2025-12-10""#), "2025-12-10T06:00:00Z");
    assert_eq!(listed(r#""OriginalEntryTimestamp": "2025-10-10T16:11:01.000Z""#), "2025-10-10T16:11:01Z");
}

#[test]
fn pictures_come_in_their_order_and_agents_are_not_named() {
    let found = found(
        r#""Media": [{"Order": 2, "MediaURL": "https://m/2.jpg"}, {"Order": 1, "MediaURL": "https://m/1.jpg"}, 7],
        "Appliances": ["Oven", "", null], "ListAgentFullName": "Jo", "ListOfficeName": "Example Realty""#,
    );
    assert_eq!(found.listing.details.images, ["https://m/1.jpg", "https://m/2.jpg"]);
    assert_eq!(found.listing.details.amenities, ["Oven"]);
    assert_eq!((found.listing.details.seller, found.listing.details.agency.as_deref()), (None, Some("Example Realty")));
}

#[test]
fn media_that_are_no_pictures_or_not_for_all_are_left_out() {
    let found = found(
        r#""Media": [{"MediaURL": "https://m/1", "MediaCategory": "Photo", "Permission": ["Public"]},
        {"MediaURL": "https://m/2", "MediaCategory": "Document"}, {"MediaURL": "https://m/3", "Permission": "Private"},
        {"MediaURL": "https://m/4", "MediaCategory": "Floor Plan"}, {"MediaURL": null}]"#,
    );
    assert_eq!(found.listing.details.images, ["https://m/1", "https://m/4"]);
}

#[test]
fn choices_come_as_a_list_or_as_one_text_with_commas() {
    let found = found(r#""Appliances": "Dishwasher, Gas Range,,", "Cooling": ["Central Air"], "Heating": """#);
    assert_eq!(found.listing.details.amenities, ["Dishwasher", "Gas Range", "Central Air"]);
}

#[test]
fn fields_of_one_system_never_stand_in_for_the_standard_s() {
    let found = found(
        r#""ACT_ListPrice": "4934.00", "ACT_StandardStatus": "Closed", "ACT_ModificationTimestamp": "2026-01-13T04:00:00",
        "ACT_PropertyType": "Residential Lease", "ACT_PriceChangeTimestamp": "2026-01-01T00:00:00Z""#,
    );
    assert_eq!((found.listing.status, found.listing.purpose), (Status::Active, Purpose::Sale));
    assert_eq!((found.listing.list_price, found.listing.price_changed_at), (None, None));
    assert_eq!(found.at.unwrap().to_string(), "2026-01-13T10:00:00.25Z");
}

#[test]
fn a_row_that_does_not_say_when_it_changed_is_of_the_time_of_reading_and_no_watermark() {
    for time in ["null", "\"2026-01-13T04:00:00\""] {
        assert_eq!(found(&format!("\"ModificationTimestamp\": {time}")).at, None, "{time}");
        let body = format!("{{\"value\": [{{\"ListingKey\": \"K\", \"ModificationTimestamp\": {time}}}]}}");
        assert_eq!(page(&body).unwrap().watermark, None, "{time}");
    }
}

#[test]
fn a_price_changed_at_a_local_time_is_reported_by_the_one_with_a_zone() {
    let listing = found(
        r#""PriceChangeTimestamp": "2026-01-05T15:32:42.710", "MajorChangeType": "PriceChange",
        "MajorChangeTimestamp": "2026-01-05T21:32:42Z""#,
    );
    assert_eq!(listing.listing.price_changed_at.unwrap().to_string(), "2026-01-05T21:32:42Z");
}

#[test]
fn a_row_that_a_page_repeats_is_one_and_two_states_of_one_listing_are_two() {
    let row = |price: u32| {
        format!(r#"{{"ListingKey": "K", "PropertyType": "Land", "StandardStatus": "Active", "ListPrice": {price}}}"#)
    };
    let rows = |prices: &[u32]| {
        let rows: Vec<String> = prices.iter().map(|price| row(*price)).collect();
        page(&format!("{{\"value\": [{}]}}", rows.join(","))).unwrap().rows.len()
    };
    assert_eq!(rows(&[5, 5, 5]), 1);
    assert_eq!(rows(&[5, 6]), 2);
}

#[test]
fn the_count_may_be_a_text_and_nonsense_is_none() {
    let total = |count: &str| page(&format!(r#"{{"@odata.count": {count}, "value": []}}"#)).unwrap().total;
    assert_eq!((total("\"1234\""), total("1234"), total("0")), (Some(1_234), Some(1_234), Some(0)));
    assert_eq!((total("\"many\""), total("-1"), total("null"), total("{}")), (None, None, None, None));
}

#[test]
fn one_bad_row_does_not_cost_the_page() {
    let body = r#"{"value": [42, {"ListingKey": "K", "PropertyType": "Land", "StandardStatus": "Active"}, null]}"#;
    let rows = page(body).unwrap().rows;
    assert!(matches!(&rows[0], Row::Refused { reason: Reason::Unreadable, raw, .. } if raw == "42"));
    assert!(matches!(&rows[1], Row::Found(_)));
    assert!(matches!(&rows[2], Row::Refused { .. }));
}

#[test]
fn an_answer_that_is_no_collection_is_named() {
    let message = |body: &str| page(body).unwrap_err().to_string();
    assert_eq!(
        message(r#"{"error": {"code": "401", "message": "Token  expired"}}"#),
        "expected JSON of an OData collection, got the message \"Token expired\""
    );
    assert_eq!(message("{}"), "expected JSON of an OData collection, got JSON without \"value\"");
    assert!(message("[]").starts_with("expected JSON of an OData collection, got other JSON"));
    assert!(message("<html><title>Sign in</title>").ends_with("got an HTML page titled \"Sign in\""));
    assert!(message(r#"{"value": [{"ListingKey": "#).starts_with("unreadable answer: broken off"));
}

#[test]
fn another_country_brings_its_currency_and_unit() {
    let params = [("url", BASE), ("country", "at"), ("name", "reso-wien")];
    let params = params.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    let source = Reso::from_params(&params).unwrap();
    assert_eq!(source.name(), "reso-wien");
    assert_eq!((source.terms.currency, source.terms.living_area_unit), (Currency::EUR, AreaUnit::SquareMeters));
}

#[test]
fn a_selection_must_name_what_no_row_can_do_without() {
    let params = [("url", BASE), ("select", "ListPrice,ListingKey")];
    let params = params.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    assert_eq!(Reso::from_params(&params).unwrap_err().0.len(), 3);
}
