use stoop_domain::{Address, Currency, Listing, Minor, Observation, Purpose, Reason, Reject, Time};
use stoop_wire::kpl::aggregate;

use super::{DETAIL_BYTES_MAX, Inbox, LINE_BYTES_MIN};

fn now() -> Time {
    Time::from_ms(1_768_392_000_000)
}

fn seen(native_id: &str) -> Observation {
    let address = Address { city: Some("x".into()), ..Address::default() };
    let listing = Listing::new(Purpose::Sale, Currency::MAD, address);
    Observation::new("", native_id, Time::from_ms(0), listing)
}

fn line(observation: &Observation) -> Vec<u8> {
    let mut line = Vec::new();
    stoop_wire::encode(observation, &mut line);
    line
}

fn lines(native_ids: &[&str]) -> Vec<u8> {
    native_ids.iter().flat_map(|id| [line(&seen(id)), b"\n".to_vec()]).flatten().collect()
}

fn read(records: &[&[u8]]) -> Inbox {
    let mut inbox = Inbox::default();
    for (number, record) in records.iter().enumerate() {
        inbox.read(&format!("stream record {}", 10 + number), record, now());
    }
    inbox
}

fn ids(inbox: &Inbox) -> Vec<&str> {
    inbox.observations.iter().map(|seen| seen.native_id.as_str()).collect()
}

/// The position, reason and detail of each reject.
fn message(inbox: &Inbox) -> Vec<(&str, Reason, &str)> {
    inbox.rejects.iter().map(|reject| (reject.location.as_str(), reject.reason, reject.detail.as_str())).collect()
}

#[test]
fn lines_are_observations() {
    let inbox = read(&[&lines(&["1", "2"]), &lines(&["3"])]);
    assert_eq!(ids(&inbox), ["1", "2", "3"]);
    assert_eq!(inbox.rejects, []);
}

#[test]
fn user_records_are_read_like_records() {
    let (one, two, more) = (line(&seen("1")), lines(&["2", "3"]), lines(&["4"]));
    let inbox = read(&[&more, &aggregate("k", [&*one, &*two])]);
    assert_eq!(ids(&inbox), ["4", "1", "2", "3"]);
    assert_eq!(inbox.rejects, []);
}

#[test]
fn an_unreadable_line_does_not_affect_the_others() {
    let body = [lines(&["1"]), b"x\n\n".to_vec(), lines(&["2"])].concat();
    let inbox = read(&[&body, &aggregate("k", [&*body])]);
    assert_eq!(ids(&inbox), ["1", "2", "1", "2"]);
    let why = "expected value at line 1 column 1";
    let positions = ["stream record 10, line 2", "stream record 11, user record 1, line 2"];
    assert_eq!(message(&inbox), positions.map(|position| (position, Reason::Unreadable, why)));
    let reject = Reject::new("stream", now(), positions[0].into(), Reason::Unreadable, why.into(), b"x");
    assert_eq!(inbox.rejects[0], reject);
}

#[test]
fn a_line_of_a_newer_version_is_refused_as_newer() {
    let newer = String::from_utf8(line(&seen("1"))).unwrap().replace(r#""v":3"#, r#""v":4"#);
    let inbox = read(&[newer.as_bytes(), b"{\"v\":7}"]);
    let address = "stream record 10, line 1";
    assert_eq!(message(&inbox)[0], (address, Reason::NewerVersion, "a line of format 4; this program reads up to 3"));
    assert_eq!(inbox.rejects[0].raw, newer, "it can be read again");
    let longer = newer.replace(r#""native_id":"1""#, &format!(r#""native_id":"{}""#, "1".repeat(9_000)));
    assert_eq!(read(&[longer.as_bytes()]).rejects[0].raw, longer, "whole");
    assert_eq!(inbox.rejects[1].reason, Reason::NewerVersion);
}

#[test]
fn a_record_without_lines_is_refused() {
    let (nothing, empty) = (aggregate("k", []), aggregate("k", [b"".as_slice()]));
    let inbox = read(&[b"", b"\n", &vec![b'\n'; 1 << 20], &nothing, &empty]);
    let expected = [
        ("stream record 10", Reason::Unreadable, "no lines"),
        ("stream record 11", Reason::Unreadable, "no lines"),
        ("stream record 12", Reason::Unreadable, "no lines"),
        ("stream record 13", Reason::Unreadable, "no user records"),
        ("stream record 14, user record 1", Reason::Unreadable, "no lines"),
    ];
    assert_eq!(message(&inbox), expected);
    assert_eq!((inbox.rejects[0].raw.as_str(), inbox.rejects[1].raw.as_str()), ("", "\n"));
}

#[test]
fn a_line_that_is_not_utf8_is_refused_as_not_utf8() {
    let mut bytes = line(&seen("é"));
    bytes.retain(|byte| *byte != "é".as_bytes()[1]);
    let inbox = read(&[&bytes]);
    assert_eq!(message(&inbox), [("stream record 10, line 1", Reason::NotUtf8, "not UTF-8")]);
}

#[test]
fn sightings_before_the_clock_was_set_back_are_not_in_the_future() {
    let ahead = |hours: i64| {
        let seen_at = now().plus_ms(hours * Time::HOUR_MS);
        line(&Observation { at: seen_at, seen: seen_at, ..seen("1") })
    };
    assert_eq!(ids(&read(&[&ahead(1), &ahead(26)])), ["1", "1"]);
    assert_eq!(read(&[&ahead(27)]).rejects[0].reason, Reason::DateInFuture);
}

#[test]
fn an_observation_that_may_not_be_counted_is_refused() {
    let future = Observation { at: now().plus_ms(86_400_000), ..seen("1") };
    let inbox = read(&[&line(&future), &line(&seen(""))]);
    let expected = [
        ("stream record 10, line 1", Reason::DateInFuture, "observed at 2026-01-15T12:00:00Z"),
        ("stream record 11, line 1", Reason::MissingField, "native_id"),
    ];
    assert_eq!(message(&inbox), expected);
    assert_eq!(inbox.rejects[0].raw.as_bytes(), line(&future), "it can be read again");
}

#[test]
fn a_damaged_record_is_one_reject() {
    let mut flipped = aggregate("k", [&*lines(&["1", "2"]), &*lines(&["3"])]);
    flipped[9] ^= 1;
    let cut = &aggregate("k", [&*lines(&["1", "2"])])[..200];
    let inbox = read(&[&flipped, cut]);
    assert_eq!(ids(&inbox), [""; 0]);
    let why = "it begins as a KPL-aggregated record does, and does not end with the MD5 of the rest";
    assert_eq!(message(&inbox), ["stream record 10", "stream record 11"].map(|at| (at, Reason::Unreadable, why)));
}

#[test]
fn a_megabyte_of_garbage_is_a_reject_of_a_few_kilobytes() {
    let letters = vec![b'x'; 1 << 20];
    let bytes: Vec<u8> = (0..1_u32 << 20).map(|i| 128 | (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    // A parser that quotes unexpected input quotes all of it.
    let quoted = String::from_utf8(line(&seen("1"))).unwrap().replace("Active", &"é".repeat(1 << 19));
    let inbox = read(&[&letters, &bytes, quoted.as_bytes(), &aggregate("k", [&*letters])]);
    assert_eq!(inbox.rejects.len(), 4);
    for Reject { raw, detail, location, .. } in &inbox.rejects {
        assert!(detail.len() <= DETAIL_BYTES_MAX, "{location}: {detail}");
        assert!((Reject::RAW_MAX - 1..=3 * Reject::RAW_MAX).contains(&raw.len()), "{location}: {}", raw.len());
    }
    assert!(inbox.rejects[2].detail.starts_with("unknown variant `éé"), "{}", inbox.rejects[2].detail);
    assert!(inbox.rejects[2].detail.ends_with("é…"));
}

#[test]
fn short_lines_share_a_reject_and_are_counted() {
    let body = [lines(&["1"]), b"x\ny\n".repeat(1 << 18), lines(&["2"]), b"{}\n".to_vec()].concat();
    let inbox = read(&[&body, b"x\n"]);
    assert_eq!(ids(&inbox), ["1", "2"]);
    let more = "expected value at line 1 column 1; so are 524288 more lines, too short or too many for a reject each";
    let one = "expected value at line 1 column 1";
    let expected =
        [("stream record 10, line 2", Reason::Unreadable, more), ("stream record 11, line 1", Reason::Unreadable, one)];
    assert_eq!(message(&inbox), expected);
    assert_eq!(inbox.rejects[0].raw.len(), Reject::RAW_MAX);
    assert!(inbox.rejects[0].raw.starts_with("x\ny\nx\ny\n"));
}

#[test]
fn long_lines_of_noise_share_a_reject_from_the_thirty_third_on() {
    let noise = [b"n".repeat(200), b"\n".to_vec()].concat();
    let body = [lines(&["1"]), noise.repeat(1_000), lines(&["2"])].concat();
    let inbox = read(&[&body]);
    assert_eq!(ids(&inbox), ["1", "2"]);
    assert_eq!(inbox.rejects.len(), 33);
    assert!(inbox.rejects[32].detail.contains("so are 967 more lines"), "{}", inbox.rejects[32].detail);
}

#[test]
fn a_line_too_long_for_later_services_is_refused() {
    let mut huge = seen("1");
    huge.listing.details.description = Some("x".repeat(256 << 10));
    let inbox = read(&[&line(&huge), &lines(&["2"])]);
    assert_eq!(ids(&inbox), ["2"]);
    assert_eq!((inbox.rejects[0].reason, inbox.rejects.len()), (Reason::TooLong, 1));
}

#[test]
fn a_hundred_thousand_empty_user_records_share_a_reject() {
    let inbox = read(&[&aggregate("k", std::iter::repeat_n(b"".as_slice(), 100_000))]);
    let why = "no lines; so are 99999 more lines, too short or too many for a reject each";
    assert_eq!(message(&inbox), [("stream record 10, user record 1", Reason::Unreadable, why)]);
}

#[test]
fn a_line_is_taken_without_its_impossible_values() {
    let priced = |id: &str, price: i64| {
        let mut seen = seen(id);
        seen.listing.list_price = Some(Minor(price));
        [line(&seen), b"\n".to_vec()].concat()
    };
    let inbox = read(&[&[priced("1", 50_000_000), priced("2", 0)].concat()]);
    let prices: Vec<_> = inbox.observations.iter().map(|seen| seen.listing.list_price).collect();
    assert_eq!(prices, [Some(Minor(50_000_000)), None]);
    let expected = ("stream record 10, line 2", Reason::PriceNotPositive, "list_price is 0 minor units");
    assert_eq!(message(&inbox), [expected]);
    assert_eq!((inbox.rejects[0].rows, inbox.rejects[0].values), (0, 1));
    // However many there are, few rejects are made, and all are counted.
    let many: Vec<u8> = (0..5_000).flat_map(|id| priced(&id.to_string(), -1)).collect();
    let inbox = read(&[&many]);
    assert_eq!(inbox.observations.len(), 5_000);
    assert!(inbox.rejects.len() <= 1_000, "{}", inbox.rejects.len());
    assert_eq!(inbox.rejects.iter().map(|reject| reject.values).sum::<u64>(), 5_000);
}

#[test]
fn every_observation_has_a_line_of_the_minimum_length() {
    let mut shortest = seen("1");
    assert_eq!(shortest.check(now()), Ok(Vec::new()));
    assert!(line(&shortest).len() >= LINE_BYTES_MIN, "{}", line(&shortest).len());
}

#[test]
fn a_record_with_a_line_of_a_newer_version_can_be_left_unread() {
    let mut inbox = Inbox::default();
    let newer = String::from_utf8(lines(&["2", "3"])).unwrap().replacen(r#""v":3"#, r#""v":4"#, 1);
    assert_eq!(inbox.read_known("record 1", &[&lines(&["1"])[..], b"noise"].concat(), now()), Ok(()));
    let before = (ids(&inbox).len(), inbox.rejects.clone());
    assert_eq!((before.0, before.1.len()), (1, 1));
    let why = inbox.read_known("record 2", &[newer.as_bytes(), b"noise"].concat(), now()).unwrap_err();
    assert_eq!(why.to_string(), "record 2, line 1: a line of format 4; this program reads up to 3");
    assert_eq!((ids(&inbox).len(), &inbox.rejects), (before.0, &before.1), "nothing of it");
    assert_eq!(inbox.read_known("record 3", &lines(&["3"]), now()), Ok(()));
    assert_eq!(ids(&inbox), ["1", "3"]);
}
