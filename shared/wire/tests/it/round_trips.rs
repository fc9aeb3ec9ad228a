//! What is written is read back, what is written is what `serde_json` would write, and any bytes at all
//! are read or refused.

use proptest::prelude::*;
use serde_json::{Value, json};
use stoop_domain::{
    Area, AreaUnit, Currency, Details, Facts, Home, Listing, Minor, Observation, Place, PropertyType, Purpose, Status,
    Time,
};
use stoop_wire::{LineError, decode, encode, home_from_bytes, home_to_bytes, lines};

/// Texts with everything that JSON escapes, and much that it does not.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-zA-Z0-9 ]{0,20}",
        prop::collection::vec(any::<char>(), 0..12).prop_map(String::from_iter),
        "[\\x00-\\x1f\"\\\\]{0,8}",
    ]
}

fn texts() -> impl Strategy<Value = Option<String>> {
    prop::option::of(text())
}

fn area() -> impl Strategy<Value = Option<Area>> {
    let unit = prop::sample::select(vec![AreaUnit::SquareMeters, AreaUnit::SquareFeet, AreaUnit::Acres]);
    prop::option::of((1..i64::MAX, unit).prop_map(|(ten_thousandths, unit)| Area { ten_thousandths, unit }))
}

fn place() -> impl Strategy<Value = Place> {
    let degrees = prop::option::of(any::<i32>());
    ((texts(), texts(), texts(), texts()), (texts(), texts(), texts()), degrees.clone(), degrees).prop_map(
        |((line, neighbourhood, city, county), (region, postal_code, country), latitude_e6, longitude_e6)| Place {
            line,
            neighbourhood,
            city,
            county,
            region,
            postal_code,
            country,
            latitude_e6,
            longitude_e6,
        },
    )
}

fn details() -> impl Strategy<Value = Details> {
    let lists = || prop::collection::vec(text(), 0..3);
    (texts(), texts(), texts(), texts(), lists(), lists(), texts()).prop_map(
        |(title, description, seller, agency, images, amenities, url)| Details {
            title,
            description,
            seller,
            agency,
            images,
            amenities,
            url,
        },
    )
}

fn time() -> impl Strategy<Value = Time> {
    (-62_135_596_800_000_i64..=253_402_300_799_999).prop_map(Time::from_ms)
}

prop_compose! {
    fn listing()(
        (purpose, status, currency) in (
            prop::sample::select(vec![Purpose::Sale, Purpose::Rent]),
            prop::sample::select(Status::ALL.to_vec()),
            prop::sample::select(vec![Currency::USD, Currency::MAD, Currency::EUR]),
        ),
        prices in prop::array::uniform3(prop::option::of(any::<i64>().prop_map(Minor))),
        times in prop::array::uniform2(prop::option::of(time())),
        place in place(),
        property_type in prop::option::of(prop::sample::select(PropertyType::ALL.to_vec())),
        (bedrooms, bathrooms_hundredths) in (prop::option::of(any::<u8>()), prop::option::of(any::<u16>())),
        areas in (area(), area()),
        details in details(),
    ) -> Listing {
        Listing {
            purpose, status, currency,
            list_price: prices[0], original_list_price: prices[1], previous_list_price: prices[2],
            price_changed_at: times[0], place, property_type, bedrooms, bathrooms_hundredths,
            living_area: areas.0, lot_area: areas.1, listed_at: times[1], details,
        }
    }
}

fn observation() -> impl Strategy<Value = Observation> {
    (text(), text(), time(), listing())
        .prop_map(|(source, native_id, at, listing)| Observation::new(source, native_id, at, listing))
}

fn line(observation: &Observation) -> Vec<u8> {
    let mut line = Vec::new();
    encode(observation, &mut line);
    line
}

proptest! {
    #[test]
    fn a_line_is_read_back_as_it_was(observation in observation()) {
        let line = line(&observation);
        prop_assert!(!line.contains(&b'\n'), "a line is one line");
        prop_assert_eq!(decode(&line).unwrap(), observation);
    }

    #[test]
    fn a_line_is_what_serde_json_would_write(observation in observation()) {
        let ours: Value = serde_json::from_slice(&line(&observation)).unwrap();
        let mut theirs = json!(observation);
        theirs["v"] = json!(1);
        prop_assert_eq!(ours, theirs);
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        drop(decode(&bytes));
        drop(home_from_bytes(&bytes));
    }

    #[test]
    fn a_damaged_line_is_read_or_refused(observation in observation(), at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut line = line(&observation);
        let at = at.index(line.len());
        line[at] = byte;
        drop(decode(&line));
        prop_assert!(decode(&line[..at]).is_err(), "a line cut short is refused");
    }

    #[test]
    fn a_home_is_read_back_as_it_was(observations in prop::collection::vec(observation(), 1..8), cut in any::<prop::sample::Index>()) {
        let mut home = Home::default();
        for observation in &observations {
            home.apply(observation);
        }
        let bytes = home_to_bytes(&home);
        prop_assert_eq!(home_from_bytes(&bytes).unwrap(), home);
        prop_assert!(home_from_bytes(&bytes[..cut.index(bytes.len())]).is_err());
    }
}

fn plain() -> Observation {
    let place = Place { city: Some("Agadir".into()), ..Place::default() };
    let listing = Listing::new(Purpose::Sale, Currency::MAD, place);
    Observation::new("t", "1", Time::from_ms(5), listing)
}

#[test]
fn the_format_is_pinned() {
    let text = String::from_utf8(line(&plain())).unwrap();
    assert_eq!(
        text,
        r#"{"v":1,"source":"t","native_id":"1","at":5,"listing":{"purpose":"Sale","status":"Active","currency":"MAD","place":{"city":"Agadir"}}}"#
    );
}

#[test]
fn a_newer_version_is_refused_by_name_and_unknown_fields_are_not() {
    let text = String::from_utf8(line(&plain())).unwrap();
    let newer = text.replace(r#""v":1"#, r#""v":2"#);
    assert_eq!(decode(newer.as_bytes()), Err(LineError::NewerVersion(2)));
    let more = text.replace(r#""at":5"#, r#""at":5,"colour":"blue""#);
    assert_eq!(decode(more.as_bytes()), Ok(plain()));
    assert_eq!(decode(b"\xff{}"), Err(LineError::NotUtf8));
    assert!(matches!(decode(br#"{"v":1}"#), Err(LineError::Unreadable(_))));
    assert!(matches!(decode(br#"{"source":"t"}"#), Err(LineError::Unreadable(_))));
}

#[test]
fn a_stored_home_of_a_newer_format_is_refused_by_name() {
    let mut bytes = home_to_bytes(&Home::default());
    bytes[0] = 9;
    assert_eq!(home_from_bytes(&bytes).unwrap_err().to_string(), "home of format 9; this program reads format 1");
}

#[test]
fn a_record_is_its_lines_without_the_empty_ones() {
    assert_eq!(lines(b"a\n\nb\n").collect::<Vec<_>>(), [b"a", b"b"]);
    let facts = Facts::of(&plain().listing).unwrap();
    assert_eq!(facts.market.to_string(), "-/-/-/agadir/-:sale:MAD");
}
