//! The built-in sources on real answers, if `../shared/data` exists.

use crate::real::{payload, source};
use stoop_domain::{Currency, Minor, Observation, PropertyType, Purpose, Reason, Status, Time, home_id, market_of};
use stoop_sources::{Cursor, Next, Page, ReadError, Row, SeenListing, Source, SourceAnswer};

fn read(source: &dyn Source, position: &str, body: &[u8], now: &str) -> Result<Page, ReadError> {
    let mut cursor = source.begin(None);
    if !position.is_empty() {
        cursor = Cursor { position: position.into(), ..cursor };
    }
    source.read(&cursor, &SourceAnswer::of(body), Time::parse(now).unwrap())
}

fn found(page: &Page) -> Vec<&SeenListing> {
    page.rows.iter().filter_map(|row| if let Row::Found(found) = row { Some(&**found) } else { None }).collect()
}

fn refused(page: &Page) -> Vec<(Reason, &str)> {
    let of =
        |row| if let &Row::Refused { reason, ref detail, .. } = row { Some((reason, detail.as_str())) } else { None };
    page.rows.iter().filter_map(of).collect()
}

/// Errors of the pipeline's first check for the rows that were read.
fn checked(page: &Page, now: &str) -> Vec<String> {
    let now = Time::parse(now).unwrap();
    let check = |found: &SeenListing| {
        let (native_id, listing) = (found.native_id.clone(), found.listing.clone());
        let mut observation = Observation::new("t", native_id, found.at.unwrap_or(now), listing);
        let checked = observation.check(now);
        let refused = match checked {
            Ok(values) => values.into_iter().map(|value| (value.reason, value.detail)).collect(),
            Err(refused) => vec![refused],
        };
        let id = home_id(&observation);
        refused.into_iter().map(move |(reason, detail)| format!("{id}: {reason} {detail}")).collect::<Vec<_>>()
    };
    found(page).into_iter().flat_map(check).collect()
}

/// A listing in one line: the fields that enter figures.
fn line(found: &SeenListing) -> String {
    let l = &found.listing;
    let or_dash = |text: Option<String>| text.unwrap_or_else(|| "-".into());
    format!(
        "{} {} {} {} was {} {} beds {} baths {} area {} lot {} at {},{} listed {}",
        found.native_id,
        l.status.as_str(),
        market_of(l).map_or("-".into(), |market| market.to_string()),
        or_dash(l.list_price.map(|price| price.0.to_string())),
        or_dash(l.previous_list_price.map(|price| price.0.to_string())),
        or_dash(l.property_type.map(|kind| kind.as_str().to_owned())),
        or_dash(l.bedrooms.map(|beds| beds.to_string())),
        or_dash(l.bathrooms_hundredths.map(|baths| baths.to_string())),
        or_dash(l.living_area.map(|area| format!("{}{:?}", area.ten_thousandths, area.unit))),
        or_dash(l.lot_area.map(|area| format!("{}{:?}", area.ten_thousandths, area.unit))),
        or_dash(l.address.latitude_e6.map(|e6| e6.to_string())),
        or_dash(l.address.longitude_e6.map(|e6| e6.to_string())),
        or_dash(l.listed_at.map(|at| at.to_string())),
    )
}

const RESO_NOW: &str = "2026-06-01T00:00:00Z";

fn trestle() -> Box<dyn Source> {
    source("reso", &[("url", "https://api-prod.corelogic.com/trestle/odata")])
}

#[test]
fn trestle_rows_of_nothing_but_a_price_are_refused_for_their_missing_key() {
    for (name, next) in [("ge", "$filter=ListPrice+ge+100000&$skip=10"), ("lt", "$filter=ListPrice+lt+100000&$skip=10")]
    {
        let Some(body) = payload(&format!("reso/trestle_property_filter_{name}_100000_p1.json")) else { return };
        let page = read(&*trestle(), "", &body, RESO_NOW).unwrap();
        assert_eq!(refused(&page), [(Reason::MissingField, "ListingKey"); 10]);
        let Next::Page(cursor) = page.next else { panic!("{:?}", page.next) };
        assert_eq!(cursor.position, format!("https://api-prod.corelogic.com/trestle/odata/Property?{next}"));
    }
}

#[test]
fn the_actris_record_is_understood() {
    let Some(record) = payload("reso/mlsgrid_actris_property.json") else { return };
    let body = [b"{\"value\": [".as_slice(), &record, b"]}"].concat();
    let reso = source("reso", &[("url", "https://api-demo.mlsgrid.com/v2")]);
    let page = read(&*reso, "", &body, RESO_NOW).unwrap();
    assert_eq!(checked(&page, RESO_NOW), [""; 0]);
    assert_eq!(page.watermark.as_deref(), Some("2021-12-09T00:11:06.174Z"));
    let found = found(&page)[0];
    assert_eq!(
        line(found),
        "ACT107472571 Active us/tx/williamson/georgetown/78626:sale:USD 47480000 was 47980000 \
         SingleFamilyResidence beds 4 baths 300 area 24000000SquareFeet lot 97138800SquareFeet at \
         30630497,-97680934 listed 2020-10-10T05:00:00Z"
    );
    assert_eq!(found.listing.original_list_price, Some(Minor(49_000_000)));
    assert_eq!(found.listing.price_changed_at.unwrap().to_string(), "2020-12-05T21:32:42Z");
    assert_eq!(found.listing.address.line.as_deref(), Some("1506 Timber St"));
}

#[test]
fn the_mls_grid_page_is_understood_and_leads_on() {
    let Some(body) = payload("reso/mlsgrid_illustrative_page.json") else { return };
    let reso = source("reso", &[("url", "https://api.mlsgrid.com/v2")]);
    let page = read(&*reso, "", &body, RESO_NOW).unwrap();
    assert_eq!(found(&page)[0].listing.details.images.len(), 1);
    assert!(
        matches!(page.next, Next::Page(cursor) if cursor.position.ends_with("/v2/Property?$skiptoken=actris-7654321"))
    );
    let elsewhere = read(&*trestle(), "", &body, RESO_NOW);
    assert!(matches!(elsewhere, Err(ReadError::BadLink(_))), "{elsewhere:?}");
}

/// The rows of a table, without its header.
fn table(csv: &[u8]) -> Vec<Vec<String>> {
    let text = std::str::from_utf8(csv).unwrap();
    text.lines().skip(1).map(|line| line.split(',').map(str::to_owned).collect()).collect()
}

/// One sale of a home, with the two given fields.
fn reso_row(fields: [(&str, &str); 2]) -> Page {
    let [(a, a_is), (b, b_is)] = fields;
    let more = if a == "PropertyType" || b == "PropertyType" { "" } else { r#""PropertyType": "Residential", "# };
    let status = if a == "StandardStatus" || b == "StandardStatus" { "" } else { r#""StandardStatus": "Active", "# };
    let body = format!(r#"{{"value": [{{"ListingKey": "K", {more}{status}"{a}": "{a_is}", "{b}": "{b_is}"}}]}}"#);
    read(&*trestle(), "", body.as_bytes(), RESO_NOW).unwrap()
}

#[test]
fn every_lookup_of_the_data_dictionary_is_understood_with_and_without_spaces() {
    let Some(csv) = payload("reso/dd-2.0-lookups.csv") else { return };
    let mut rows = 0;
    for row in table(&csv) {
        let [lookup, value, standard_name] = &row[..] else { panic!("{row:?}") };
        rows += 1;
        let read = |as_written: &str| {
            let page = match lookup.as_str() {
                "AreaUnits" => reso_row([("LivingAreaUnits", as_written), ("LivingArea", "90")]),
                "LotSizeUnits" => reso_row([("LotSizeUnits", as_written), ("LotSizeArea", "90")]),
                "ChangeType" => {
                    reso_row([("MajorChangeType", as_written), ("MajorChangeTimestamp", "2026-01-02T00:00:00Z")])
                }
                field => reso_row([(field, as_written), ("ListPrice", "750")]),
            };
            assert_eq!(refused(&page), [], "{lookup} {as_written}");
            let listing = found(&page)[0].listing.clone();
            match lookup.as_str() {
                "AreaUnits" => assert_eq!(format!("{:?}", listing.living_area.unwrap().unit), *value),
                "LotSizeUnits" => assert_eq!(format!("{:?}", listing.lot_area.unwrap().unit), *value),
                "ChangeType" => assert_eq!(listing.price_changed_at.is_some(), value == "PriceChange", "{value}"),
                "StandardStatus" => assert_eq!(listing.status.as_str(), value),
                "PropertyType" => assert_eq!(listing.purpose == Purpose::Rent, value.ends_with("Lease"), "{value}"),
                "PropertySubType" => assert!(listing.property_type.is_some(), "{value}"),
                other => panic!("a lookup that no field is read by: {other}"),
            }
            listing
        };
        assert_eq!(read(value), read(standard_name), "{lookup} {value}");
    }
    assert_eq!(rows, 69);
}

/// The fields that the reader uses, except those of MLS Grid and Bridge.
const RESO_FIELDS: &str = "ListingKey ListingId PropertyType PropertySubType StandardStatus MlsStatus ListPrice \
    OriginalListPrice PreviousListPrice PriceChangeTimestamp MajorChangeType MajorChangeTimestamp ModificationTimestamp \
    BedroomsTotal BathroomsFull BathroomsThreeQuarter BathroomsHalf BathroomsOneQuarter BathroomsTotalInteger LivingArea \
    LivingAreaUnits LotSizeSquareFeet LotSizeAcres LotSizeArea LotSizeUnits OnMarketDate ListingContractDate \
    OriginalEntryTimestamp UnparsedAddress StreetNumber StreetDirPrefix StreetName StreetSuffix UnitNumber SubdivisionName \
    City CountyOrParish StateOrProvince PostalCode Country Latitude Longitude PublicRemarks ListOfficeName ListingURL Media \
    Appliances InteriorFeatures ExteriorFeatures CommunityFeatures Cooling Heating ParkingFeatures PoolFeatures";

#[test]
fn every_field_that_is_read_is_one_of_the_data_dictionary() {
    let Some(csv) = payload("reso/dd-2.0-property-fields.csv") else { return };
    let source = include_str!("../../src/reso/row.rs");
    let standard = table(&csv);
    assert_eq!(standard.len(), 652);
    for name in RESO_FIELDS.split_whitespace() {
        assert!(standard.iter().any(|field| field[0] == name), "{name} is not in the Data Dictionary");
        assert!(source.contains(&format!("\"{name}\"")), "{name} is not read any more");
    }
}

#[test]
fn the_mls_grid_page_in_its_own_dialect_leads_on_by_its_token_and_has_no_pictures_to_show() {
    let Some(body) = payload("reso/mlsgrid_illustrative_page.json") else { return };
    let params = [("url", "https://api.mlsgrid.com/v2"), ("dialect", "mlsgrid"), ("token", "x")];
    let reso = source("reso", &[&params[..], &[("filter", "OriginatingSystemName eq 'actris'")]].concat());
    let page = read(&*reso, "", &body, RESO_NOW).unwrap();
    assert_eq!(
        line(found(&page)[0]),
        "actris-1234567 Active us/tx/travis/austin/78704:sale:USD 57500000 was - SingleFamilyResidence beds 3 baths 200 \
         area 18200000SquareFeet lot - at 30247000,-97762000 listed -"
    );
    assert_eq!(found(&page)[0].listing.details.images, [""; 0]);
    assert_eq!(page.watermark.as_deref(), Some("2026-05-24T18:42:11.000Z"));
    assert!(matches!(page.next, Next::Page(next) if next.position.ends_with("?$skiptoken=actris-7654321")));
}

fn zillow(status_type: &str) -> Box<dyn Source> {
    source("zillow", &[("location", "x"), ("key", "x"), ("status_type", status_type)])
}

#[test]
fn chicago_s_first_page_of_twenty() {
    let Some(body) = payload("zillow-com1/search_forsale_chicago_p1_of_20.json") else { return };
    let now = "2025-02-01T12:00:00Z";
    let page = read(&*zillow("ForSale"), "1", &body, now).unwrap();
    assert_eq!((page.rows.len(), found(&page).len(), page.total), (41, 41, Some(1_094)));
    assert_eq!(checked(&page, now), [""; 0]);
    let next = "1 t1094 -300000 300000-";
    assert!(matches!(&page.next, Next::Page(cursor) if cursor.position == next), "it is split by price");
    let before: Vec<i64> = found(&page)
        .iter()
        .filter_map(|found| Some(found.listing.previous_list_price?.0 - found.listing.list_price?.0))
        .collect();
    assert_eq!(before, [10_410_000, 2_490_000, 4_000_000, 2_510_000]);
    let stale = found(&page).into_iter().find_map(|found| found.listing.price_changed_at).unwrap();
    assert_eq!(stale.to_string(), "2023-07-31T07:00:00Z");
    let acres =
        found(&page).into_iter().filter(|f| f.listing.lot_area.is_some_and(|a| format!("{:?}", a.unit) == "Acres"));
    assert_eq!(acres.count(), 4);
    assert_eq!(found(&page).iter().filter(|found| found.listing.lot_area.is_none()).count(), 1);
    assert!(found(&page).iter().all(|f| f.listing.address.postal_code.as_ref().is_some_and(|zip| zip.len() == 5)));
    assert!(found(&page).iter().all(|f| f.listing.property_type == Some(PropertyType::SingleFamilyResidence)));
}

#[test]
fn a_search_of_a_single_page_ends_there() {
    let Some(body) = payload("zillow-com1/search_forsale_chicago_single_page.json") else { return };
    let now = "2025-02-03T12:00:00Z";
    let page = read(&*zillow("ForSale"), "1", &body, now).unwrap();
    assert_eq!((page.rows.len(), found(&page).len(), page.total, &page.next), (18, 18, Some(18), &Next::End));
    assert_eq!(checked(&page, now), [""; 0]);
    assert_eq!(found(&page).iter().filter(|found| found.listing.list_price.is_none()).count(), 1, "of 0 dollars");
    assert_eq!(
        line(found(&page)[0]),
        "3811218 Active us/il/cook/chicago/60612:sale:USD 10000000 was 11000000 SingleFamilyResidence beds 2 baths 100 \
         area 9200000SquareFeet lot 31363200SquareFeet at 41876710,-87702644 listed 2024-11-02T00:00:00Z"
    );
}

#[test]
fn redmond_s_houses_for_rent() {
    let Some(body) = payload("zillow-com1/search_forrent_redmond_houses_p1_of_2.json") else { return };
    let now = "2025-01-22T12:00:00Z";
    let page = read(&*zillow("ForRent"), "1", &body, now).unwrap();
    assert_eq!((found(&page).len(), page.total), (41, Some(51)));
    assert_eq!(checked(&page, now), [""; 0]);
    assert!(found(&page).iter().all(|f| f.listing.purpose == Purpose::Rent && f.listing.previous_list_price.is_none()));
    assert_eq!(found(&page).iter().filter(|f| f.listing.price_changed_at.is_some()).count(), 16);
    assert_eq!(found(&page).iter().filter(|f| f.listing.address.latitude_e6.is_none()).count(), 1);
}

#[test]
fn redmond_s_apartments_are_thirteen_homes_and_the_units_of_twenty_eight_buildings() {
    let Some(body) = payload("zillow-com1/props_only_forrent_redmond_apartments.json") else { return };
    let now = "2025-01-28T12:00:00Z";
    let page = read(&*zillow("ForRent"), "1", &body, now).unwrap();
    assert_eq!((refused(&page), &page.next, page.total), (vec![], &Next::End, None));
    assert_eq!(checked(&page, now), [""; 0]);
    let (units, homes): (Vec<&SeenListing>, Vec<&SeenListing>) =
        found(&page).into_iter().partition(|f| f.native_id.contains('/'));
    let mut buildings: Vec<&str> = units.iter().filter_map(|f| f.native_id.split('/').next()).collect();
    buildings.dedup();
    assert_eq!((homes.len(), buildings.len(), units.len()), (13, 28, 41));
    assert_eq!(
        line(units[0]),
        "47.65236--122.13126/2 Active us/wa/king/redmond/-:rent:USD 230500 was - Apartment beds 2 baths - area - lot - \
         at 47652360,-122131260 listed -"
    );
    assert_eq!(units[0].listing.details.title.as_deref(), Some("The Onyx"));
}

const AVITO_NOW: &str = "2024-09-26T13:31:00Z";

fn avito_page(o: &str, name: &str) -> Option<Page> {
    let body = payload(&format!("avito/{name}.html.gz"))?;
    Some(read(&*source("avito", &[]), o, &body, AVITO_NOW).unwrap())
}

fn without_price(page: &Page) -> usize {
    found(page).iter().filter(|found| found.listing.list_price.is_none()).count()
}

#[test]
fn avito_s_first_page_holds_35_ads_of_which_3_name_no_price() {
    let Some(page) = avito_page("1", "search_o1_2024-09-26T1331") else { return };
    assert_eq!((page.rows.len(), found(&page).len(), without_price(&page)), (35, 35, 3));
    assert_eq!(page.total, Some(47_573));
    assert!(matches!(&page.next, Next::Page(cursor) if cursor.position == "2"));
    assert_eq!(checked(&page, AVITO_NOW), [""; 0]);
    let changes: Vec<(i64, i64)> = found(&page)
        .iter()
        .filter_map(|f| Some((f.listing.previous_list_price?.0 / 100, f.listing.list_price?.0 / 100)))
        .collect();
    assert_eq!(changes.len(), 3);
    assert!(changes.contains(&(720_000, 690_000)), "{changes:?}");
    let all = |is: fn(&SeenListing) -> bool| found(&page).into_iter().all(is);
    assert!(all(|f| f.listing.currency == Currency::MAD && f.listing.property_type == Some(PropertyType::Apartment)));
    assert!(all(|f| f.listing.purpose == Purpose::Sale && f.listing.status == Status::Active));
    let day_of_reading =
        |f: &SeenListing| f.listing.listed_at.is_some_and(|at| at.to_string().starts_with("2024-09-26T1"));
    assert!(found(&page).into_iter().all(day_of_reading));
}

#[test]
fn avito_s_second_page_has_8_ads_without_price_and_a_rise() {
    let Some(page) = avito_page("2", "search_o2_2024-09-26T1331") else { return };
    assert_eq!((found(&page).len(), without_price(&page), page.total), (35, 8, Some(47_572)));
    let rise = found(&page).into_iter().find(|f| f.listing.previous_list_price.is_some()).unwrap();
    assert_eq!(rise.listing.previous_list_price, Some(Minor(79_000_000)));
    assert_eq!(rise.listing.list_price, Some(Minor(87_000_000)));
}

#[test]
fn avito_s_thousandth_page_is_eight_months_old() {
    let Some(page) = avito_page("1000", "search_o1000_2024-09-26T1331") else { return };
    assert_eq!((found(&page).len(), without_price(&page)), (35, 8));
    assert!(found(&page).iter().all(|f| f.listing.listed_at.unwrap().to_string() == "2024-01-30T00:00:00Z"));
}

#[test]
fn avito_s_last_page_ends_the_scan() {
    let Some(page) = avito_page("1360", "search_o1360_last_2024-09-26T1331") else { return };
    assert_eq!((found(&page).len(), &page.next), (7, &Next::End));
    assert_eq!(found(&page).iter().filter(|f| f.listing.living_area.is_none()).count(), 1, "the ad of 1 m²");
    assert_eq!(
        line(found(&page)[6]),
        "37310991 Active ma/fes-meknes/fes/fes/oued-fes:sale:MAD 28000000 was - Apartment beds 3 baths 200 \
         area 830000SquareMeters lot - at -,- listed 2019-09-28T00:00:00Z"
    );
}

#[test]
fn an_avito_page_of_one_ad_is_not_a_page_of_results() {
    let Some(body) = payload("avito/detail_0.html.gz") else { return };
    let error = read(&*source("avito", &[]), "1", &body, AVITO_NOW).unwrap_err();
    assert!(matches!(error, ReadError::NotOurs { .. }), "{error}");
}
