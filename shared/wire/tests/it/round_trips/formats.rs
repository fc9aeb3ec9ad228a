//! The formats of this version, older and newer ones, and their sizes.

use super::*;

#[test]
fn the_format_is_pinned() {
    let text = |observation: &Observation| String::from_utf8(line(observation)).unwrap();
    assert_eq!(
        text(&plain()),
        r#"{"v":3,"source":"t","native_id":"1","at":5,"listing":{"purpose":"Sale","status":"Active","currency":"MAD","address":{"city":"Agadir"}}}"#
    );
    let mut sold = plain();
    sold.listing.status = Status::Closed;
    sold.listing.close_price = Some(Minor(70_000_000));
    sold.listing.close_date = Some(Day(20_467));
    sold.listing.year_built = Some(1925);
    sold.listing.association_fee = Some(Minor(25_000));
    let sold = sold.with_sighting(Sighting {
        at: Time::from_ms(5),
        seen: Time::from_ms(7),
        seq: 2,
        versioned: true,
        initial: true,
    });
    assert_eq!(
        text(&sold),
        r#"{"v":3,"source":"t","native_id":"1","at":5,"seen":7,"seq":2,"versioned":true,"initial":true,"listing":{"purpose":"Sale","status":"Closed","currency":"MAD","close_price":70000000,"close_date":20467,"address":{"city":"Agadir"},"year_built":1925,"association_fee":25000}}"#
    );
    assert_eq!(decode(text(&sold).as_bytes()), Ok(sold));
}

#[test]
fn older_versions_are_read() {
    for line in [
        br#"{"v":1,"source":"t","native_id":"1","at":5,"listing":{"purpose":"Sale","status":"Active","currency":"MAD","place":{"city":"Agadir"}}}"#,
        br#"{"v":2,"source":"t","native_id":"1","at":5,"listing":{"purpose":"Sale","status":"Active","currency":"MAD","place":{"city":"Agadir"}}}"#,
    ] {
        let read = decode(line).unwrap();
        assert_eq!(read, plain());
        assert_eq!(read.sighting(), Sighting::at(Time::from_ms(5)), "`seen` equals `at`");
    }
}

#[test]
fn a_newer_version_is_refused_and_unknown_fields_are_ignored() {
    let text = String::from_utf8(line(&plain())).unwrap();
    let newer = text.replace(r#""v":3"#, r#""v":4"#);
    assert_eq!(decode(newer.as_bytes()), Err(LineError::NewerVersion(4)));
    let more = text.replace(r#""at":5"#, r#""at":5,"colour":"blue""#);
    assert_eq!(decode(more.as_bytes()), Ok(plain()));
    assert_eq!(decode(b"\xff{}"), Err(LineError::NotUtf8));
    assert!(matches!(decode(br#"{"v":2}"#), Err(LineError::Unreadable(_))));
    assert!(matches!(decode(br#"{"source":"t"}"#), Err(LineError::Unreadable(_))));
}

#[test]
fn a_stored_home_of_another_format_is_refused_with_its_number() {
    let mut bytes = home_to_bytes(&home_of(&[plain()]));
    for (version, is_newer) in [(1, false), (9, true)] {
        bytes[0] = version;
        let error = home_from_bytes(&bytes).unwrap_err();
        assert_eq!(error.to_string(), format!("home of format {version}; this program reads format 4"));
        assert_eq!(error.is_newer(), is_newer);
    }
}

#[test]
fn an_attribute_of_a_newer_version_is_refused_as_such() {
    let mut bytes = home_to_bytes(&home_of(&[plain()]));
    bytes.push(200);
    let sum = crc32fast::hash(&bytes[5..]);
    bytes[1..5].copy_from_slice(&sum.to_le_bytes());
    let error = home_from_bytes(&bytes).unwrap_err();
    assert_eq!((error, error.is_newer()), (HomeError::Attribute(200), true));
}

#[test]
fn a_reported_change_takes_about_fifteen_bytes() {
    let none = home_to_bytes(&home_of(&[Observation {
        listing: Listing { price_changed_at: None, ..reported_at(0).listing },
        ..reported_at(0)
    }]));
    let size = |count: i64| {
        let home = home_of(&(0..count).map(|n| reported_at(1_700_000_000_000 + n * 1_000_003)).collect::<Vec<_>>());
        assert_eq!(i64::try_from(home.reported.as_slice().len()), Ok(count.min(64)));
        let bytes = home_to_bytes(&home);
        assert_eq!(home_from_bytes(&bytes), Ok(home));
        bytes.len()
    };
    assert_eq!(size(0), home_to_bytes(&Home::default()).len());
    assert!(size(1) < none.len() + 20, "{}", size(1) - none.len());
    assert!(size(64) < none.len() + 64 * 15, "{}", size(64) - none.len());
    assert_eq!(size(100), size(64));
}

/// The size of a stored home that the documentation of `home_to_bytes` states.
#[test]
fn a_home_seen_once_takes_about_eighty_bytes() {
    let mut seen = plain();
    seen.listing.list_price = Some(Minor(50_000_000));
    seen.listing.address.country = Some("MA".into());
    let bytes = home_to_bytes(&home_of(&[seen.clone()]));
    assert!(bytes.len() < 80, "{}", bytes.len());
    let days: Vec<Observation> = (0..30)
        .map(|day| {
            let at = Time::from_ms(day * Time::DAY_MS);
            seen.clone().with_sighting(Sighting::at(at))
        })
        .collect();
    let month = home_to_bytes(&home_of(&days));
    assert!(month.len() < bytes.len() + 30 * 10, "{}", month.len());
}

#[test]
fn the_watch_is_encoded_unless_it_is_once() {
    let watched = |watch| Observation { watch, ..plain() };
    for (watch, name) in [(Watch::Repeated, "repeated"), (Watch::Complete, "complete")] {
        let text = String::from_utf8(line(&watched(watch))).unwrap();
        assert!(text.contains(&format!(r#""watch":"{name}","#)), "{text}");
        let (mut home, once) = (home_of(&[watched(watch)]), home_of(&[plain()]));
        assert_eq!(home.history.watch(), watch);
        assert_eq!(home_to_bytes(&home).len(), home_to_bytes(&once).len());
        assert_eq!(home_from_bytes(&home_to_bytes(&home)).unwrap(), home);
        // The last sighting decides: an earlier observation with another watch changes nothing.
        home.apply(&Observation { at: Time::from_ms(4), seen: Time::from_ms(4), ..plain() });
        assert_eq!(home.history.watch(), watch);
    }
    let text = String::from_utf8(line(&plain())).unwrap();
    assert!(!text.contains("watch"), "{text}");
    assert!(decode(text.replace(r#""at":5"#, r#""at":5,"watch":"sometimes""#).as_bytes()).is_err());
}
