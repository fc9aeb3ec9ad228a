//! Encoded values round-trip, lines equal those of `serde_json`, and any bytes decode or are refused.

mod formats;

use proptest::prelude::*;
use serde_json::{Value, json};
use stoop_domain::{
    Address, Area, AreaUnit, Currency, Day, Details, Facts, Home, Listing, Minor, Observation, PropertyType, Purpose,
    Sighting, Status, Time, Watch,
};
use stoop_wire::{
    EncodedListing, HomeError, LineError, decode, encode, encode_with, encoded_len, home_from_bytes, home_to_bytes,
    lines,
};

/// Texts with every character that JSON escapes, and others.
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

fn address() -> impl Strategy<Value = Address> {
    let degrees = prop::option::of(any::<i32>());
    ((texts(), texts(), texts(), texts()), (texts(), texts(), texts()), degrees.clone(), degrees).prop_map(
        |((line, neighbourhood, city, county), (region, postal_code, country), latitude_e6, longitude_e6)| Address {
            line,
            neighbourhood,
            city,
            county,
            region,
            postal_code,
            country,
            latitude_e6,
            longitude_e6,
            derived: latitude_e6.is_some_and(|degrees| degrees % 2 == 0),
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
        prices in prop::array::uniform5(prop::option::of(any::<i64>().prop_map(Minor))),
        (close_date, year_built) in (prop::option::of(any::<i32>().prop_map(Day)), prop::option::of(any::<i16>())),
        times in prop::array::uniform2(prop::option::of(time())),
        address in address(),
        property_type in prop::option::of(prop::sample::select(PropertyType::ALL.to_vec())),
        (bedrooms, bathrooms_hundredths) in (prop::option::of(any::<u8>()), prop::option::of(any::<u16>())),
        areas in (area(), area()),
        shown in any::<[Option<bool>; 5]>(),
        details in details(),
    ) -> Listing {
        Listing {
            purpose, status, currency,
            list_price: prices[0], original_list_price: prices[1], previous_list_price: prices[2],
            close_price: prices[3], close_date, price_changed_at: times[0], address, property_type, bedrooms,
            bathrooms_hundredths, living_area: areas.0, lot_area: areas.1, year_built, association_fee: prices[4],
            display: shown[0], display_address: shown[1], display_estimate: shown[2], display_history: shown[3],
            display_expired: shown[4], listed_at: times[1], details,
        }
    }
}

fn watch() -> impl Strategy<Value = Watch> {
    prop::sample::select(vec![Watch::Once, Watch::Repeated, Watch::Complete])
}

fn observation() -> impl Strategy<Value = Observation> {
    let seen = (time(), prop::option::of(time()), any::<u32>(), any::<bool>(), any::<bool>(), watch());
    (text(), text(), listing(), seen).prop_map(
        |(source, native_id, listing, (at, seen, seq, versioned, initial, watch))| {
            let seen = seen.unwrap_or(at);
            Observation { seen, seq, versioned, initial, watch, ..Observation::new(source, native_id, at, listing) }
        },
    )
}

/// Observations of one home: a few states, over some days, with every kind of order.
fn seen_of_one_home() -> impl Strategy<Value = Vec<Observation>> {
    let sighting = (0_i64..400, 0_i64..400, 0_u32..3, any::<bool>(), any::<bool>());
    let sighting = sighting.prop_map(|(at, seen, seq, versioned, initial)| {
        let hours = |n: i64| Time::from_ms(1_768_000_000_000 + n * Time::HOUR_MS);
        Sighting { at: hours(at.min(seen)), seen: hours(seen), seq, versioned, initial }
    });
    let one = (sighting, listing(), 0_usize..6, watch());
    prop::collection::vec(one, 1..12).prop_map(|seen| {
        let states: Vec<Listing> = seen.iter().map(|(_, listing, ..)| in_town(listing)).collect();
        let state = |n: usize| states[n % states.len()].clone();
        let observation = |(sighting, _, n, watch): (Sighting, Listing, usize, Watch)| {
            let observation = Observation::new("t", "1", sighting.at, state(n)).with_sighting(sighting);
            Observation { watch, ..observation }
        };
        seen.into_iter().map(observation).collect()
    })
}

/// The same listing at an address that has a market, with possible dates and earlier prices.
fn in_town(listing: &Listing) -> Listing {
    let address = Address { city: Some("Agadir".into()), ..listing.address.clone() };
    let possible = |price: Minor| Minor(50_000_000 + price.0 % 20_000_000);
    Listing {
        address,
        list_price: listing.list_price.map(possible),
        previous_list_price: listing.previous_list_price.map(possible),
        price_changed_at: listing.price_changed_at.map(|at| Time::from_ms(1_700_000_000_000 + at.ms() % 60_000_000)),
        listed_at: listing.listed_at.map(|_| Time::from_ms(1_700_000_000_000)),
        ..listing.clone()
    }
}

fn home_of(observations: &[Observation]) -> Home {
    let mut home = Home::default();
    for observation in observations {
        home.apply(observation);
    }
    home
}

/// Encoded bytes with `body` after a right checksum, so that the decoder itself must refuse it.
fn sealed(version: u8, body: &[u8]) -> Vec<u8> {
    [&[version], &crc32fast::hash(body).to_le_bytes()[..], body].concat()
}

fn line(observation: &Observation) -> Vec<u8> {
    let mut line = Vec::new();
    encode(observation, &mut line);
    line
}

proptest! {
    #[test]
    fn a_line_round_trips(observation in observation()) {
        let line = line(&observation);
        prop_assert!(!line.contains(&b'\n'), "a line has no line break");
        prop_assert_eq!(decode(&line).unwrap(), observation);
    }

    #[test]
    fn a_line_equals_that_of_serde_json(observation in observation()) {
        let ours: Value = serde_json::from_slice(&line(&observation)).unwrap();
        let mut theirs = json!(observation);
        theirs["v"] = json!(stoop_wire::VERSION);
        prop_assert_eq!(ours, theirs);
    }

    #[test]
    fn any_bytes_decode_or_are_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        drop(decode(&bytes));
        drop(home_from_bytes(&bytes));
    }

    #[test]
    fn a_damaged_line_decodes_or_is_refused(observation in observation(), at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut line = line(&observation);
        let at = at.index(line.len());
        line[at] = byte;
        drop(decode(&line));
        prop_assert!(decode(&line[..at]).is_err(), "a line cut short is refused");
    }

    #[test]
    fn a_home_round_trips(seen in seen_of_one_home()) {
        let home = home_of(&seen);
        let bytes = home_to_bytes(&home);
        prop_assert_eq!(home_from_bytes(&bytes).unwrap(), home);
        for cut in 0..bytes.len() {
            prop_assert_eq!(home_from_bytes(&bytes[..cut]), Err(HomeError::Damaged), "cut at {}", cut);
        }
        prop_assert_eq!(home_from_bytes(&[&bytes[..], &[0]].concat()), Err(HomeError::Damaged));
    }

    #[test]
    fn equal_homes_are_equal_bytes(seen in seen_of_one_home()) {
        let backwards: Vec<Observation> = seen.iter().rev().cloned().collect();
        prop_assert_eq!(home_to_bytes(&home_of(&seen)), home_to_bytes(&home_of(&backwards)));
    }

    #[test]
    fn every_flipped_bit_is_detected(seen in seen_of_one_home()) {
        let bytes = home_to_bytes(&home_of(&seen));
        for bit in 0..bytes.len() * 8 {
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            let wrong = if bit < 8 { HomeError::Version(flipped[0]) } else { HomeError::Damaged };
            prop_assert_eq!(home_from_bytes(&flipped), Err(wrong), "bit {}", bit);
        }
    }

    /// A program error could write an invalid body with a right checksum.
    #[test]
    fn a_damaged_body_with_a_right_checksum_decodes_or_is_refused(seen in seen_of_one_home()) {
        let bytes = home_to_bytes(&home_of(&seen));
        let (version, body) = (bytes[0], &bytes[5..]);
        for bit in 0..body.len() * 8 {
            let mut flipped = body.to_vec();
            flipped[bit / 8] ^= 1 << (bit % 8);
            decodes_or_is_refused(&sealed(version, &flipped))?;
            decodes_or_is_refused(&sealed(version, &flipped[..bit / 8]))?;
        }
    }

    #[test]
    fn any_body_with_a_right_checksum_decodes_or_is_refused(body in prop::collection::vec(any::<u8>(), 0..200)) {
        decodes_or_is_refused(&sealed(3, &body))?;
        decodes_or_is_refused(&sealed(3, &[&[0], &body[..]].concat()))?;
    }
}

/// Whatever decodes from damaged bytes is a valid home that can be read and stored.
fn decodes_or_is_refused(bytes: &[u8]) -> Result<(), TestCaseError> {
    if let Ok(home) = home_from_bytes(bytes) {
        drop(home.history.intervals());
        prop_assert_eq!(home_from_bytes(&home_to_bytes(&home)), Ok(home));
    }
    Ok(())
}

fn plain() -> Observation {
    let address = Address { city: Some("Agadir".into()), ..Address::default() };
    let listing = Listing::new(Purpose::Sale, Currency::MAD, address);
    Observation::new("t", "1", Time::from_ms(5), listing)
}

#[test]
fn an_overfull_home_round_trips() {
    let mut home = Home::default();
    for price in 0..65 {
        let mut seen = plain();
        seen.listing.list_price = Some(Minor(price));
        home.apply(&seen);
    }
    assert!(home.history.is_overfull());
    assert_eq!(home_from_bytes(&home_to_bytes(&home)), Ok(home));
}

/// A home with one listing that reports a price change.
fn reported_at(ms: i64) -> Observation {
    let mut seen = plain().with_sighting(Sighting::at(Time::from_ms(1_768_000_000_000)));
    seen.listing.list_price = Some(Minor(48_000_000));
    seen.listing.previous_list_price = Some(Minor(50_000_000));
    seen.listing.price_changed_at = Some(Time::from_ms(ms));
    seen
}

/// The mark is followed by at least one change, in strictly ascending order.
#[test]
fn impossible_reported_changes_are_refused() {
    let bytes = home_to_bytes(&home_of(&[reported_at(1_700_000_000_000)]));
    let start = bytes.len() - 16;
    let found = (start..bytes.len()).find(|at| bytes[*at..*at + 2] == [9, 1]).unwrap();
    let (before, change) = (&bytes[5..found], &bytes[found + 2..]);
    let read = |reported: &[u8]| home_from_bytes(&sealed(4, &[before, reported].concat())).map(|home| home.reported);
    assert_eq!(read(&[&[9, 1], change].concat()).unwrap().as_slice().len(), 1);
    assert_eq!(read(&[]).unwrap().as_slice().len(), 0);
    // No change, a truncated one, a duplicate, one with equal prices, and trailing bytes.
    let no_change = [&change[..change.len() - 4], &change[change.len() - 8..change.len() - 4]].concat();
    let same_twice = [&[9, 2], change, &[0], &change[change.len() - 8..]].concat();
    let behind = [&[9, 1], change, &[8]].concat();
    for reported in
        [&[9, 0][..], &[&[9, 2], change].concat(), &same_twice, &[&[9, 1], &no_change[..]].concat(), &behind]
    {
        assert_eq!(read(reported), Err(HomeError::Damaged), "{reported:?}");
    }
}

#[test]
fn lines_skips_empty_lines() {
    assert_eq!(lines(b"a\n\nb\n").collect::<Vec<_>>(), [b"a", b"b"]);
    let facts = Facts::of(&plain().listing).unwrap();
    assert_eq!(facts.market.to_string(), "-/-/-/~agadir/-:sale:MAD");
}

proptest! {
    #[test]
    fn a_listing_that_is_encoded_once_makes_the_same_line_and_is_steady_without_its_date(observation in observation()) {
        let encoded = EncodedListing::of(&observation.listing);
        let mut with = b"before".to_vec();
        encode_with(&observation, &encoded, &mut with);
        prop_assert_eq!(&with[6..], &line(&observation)[..]);
        prop_assert_eq!(encoded_len(&observation, &encoded), with.len() - 6);
        let dateless = EncodedListing::of(&Listing { listed_at: None, ..observation.listing.clone() });
        prop_assert_eq!(encoded.steady().concat(), dateless.steady().concat());
        let other = EncodedListing::of(&Listing { year_built: Some(1), ..observation.listing.clone() });
        let is_same = observation.listing.year_built == Some(1);
        prop_assert_eq!(other.steady().concat() == encoded.steady().concat(), is_same, "all before the date counts");
        let details = Details { title: Some("another one".into()), ..observation.listing.details.clone() };
        let other = EncodedListing::of(&Listing { details, ..observation.listing.clone() });
        prop_assert_ne!(other.steady().concat(), encoded.steady().concat(), "and all behind it");
    }
}
