//! The metrics function: unreadable records are quarantined once, and affect no others.

use serde_json::{Value, json};
use stoop_domain::{Reject, Status};
use stoop_metrics::MetricsHandler;
use stoop_tests::made::minute;
use stoop_wire::kpl::aggregate;

use super::bench::{Bench, Fault, Scripted, StandingClock, count_of, counted, raw};
use super::events::{kinesis, kinesis_record, line, record, sample, seen, sequence};
use super::metrics::{failures, later, meter};

/// A valid record of its own home.
fn sound(native_id: &str) -> Vec<u8> {
    record(&[seen(native_id, 0, 500_000, Status::Active)])
}

/// Handles an event twice on a new database and returns the rejects. Each time the batch succeeds, nothing is
/// quarantined twice, and the two valid homes are measured.
async fn poisoned(event: &Value) -> Vec<Reject> {
    let bench = Bench::new();
    let (meter, clock) = (meter(), StandingClock::at(minute(60)));
    let app = MetricsHandler::new(&*bench.database, &*bench.database, &clock, &meter);
    let mut rejects = Vec::new();
    for _ in 0..2 {
        let response = app.handle(&raw(event), later()).await.unwrap();
        assert_eq!(failures(&response), [""; 0], "a record in quarantine is done with");
        rejects = bench.database.quarantined(usize::MAX).unwrap();
        let counts = counted(&meter);
        assert_eq!(count_of(&counts, "Quarantined"), rejects.len() as u64);
        assert_eq!((counts["ObservationsMeasured"], count_of(&counts, "RecordsFailed")), (2, 0));
        assert_eq!(bench.homes(), ["reso-actris/after", "reso-actris/before"]);
    }
    rejects.reverse();
    rejects
}

/// [`poisoned`] with a Kinesis record between two valid ones.
async fn poisoned_by(poison: Value) -> Reject {
    let records =
        [kinesis_record(&sequence(0), &sound("before")), poison, kinesis_record(&sequence(2), &sound("after"))];
    let mut rejects = poisoned(&json!({ "Records": records })).await;
    assert_eq!(rejects.len(), 1, "{rejects:?}");
    rejects.remove(0)
}

/// [`poisoned`] with a record of these bytes.
async fn poisoned_by_bytes(data: &[u8]) -> Reject {
    let reject = poisoned_by(kinesis_record(&sequence(1), data)).await;
    let position = format!("stream record {}", sequence(1));
    assert!(reject.location.starts_with(&position), "{}", reject.location);
    assert_eq!(reject.source, "stream");
    reject
}

#[tokio::test]
async fn data_that_is_not_base64() {
    let mut record = kinesis_record(&sequence(1), b"");
    record["kinesis"]["data"] = "no *base64*".into();
    let reject = poisoned_by(record).await;
    assert_eq!((reject.reason.as_str(), reject.location), ("unreadable", format!("stream record {}", sequence(1))));
    assert!(reject.detail.starts_with("not a Kinesis record: "), "{}", reject.detail);
    assert!(reject.raw.contains("no *base64*"), "the delivered text is kept");
}

#[tokio::test]
async fn foreign_bytes() {
    // Brackets nested deeper than any stack.
    let nested = [b'['; 100_000];
    for bytes in [&nested[..], &[0xff; 200], b"hello", b"{}", b"[1,2,3]", b"\0", b"\xf3\x89\x9a\xc2"] {
        let reject = poisoned_by_bytes(bytes).await;
        assert!(["unreadable", "not_utf8"].contains(&reject.reason.as_str()), "{reject:?}");
    }
}

#[tokio::test]
async fn nothing_at_all() {
    assert_eq!(poisoned_by_bytes(b"").await.detail, "no lines");
    assert_eq!(poisoned_by_bytes(&aggregate("k", [])).await.detail, "no user records");
}

#[tokio::test]
async fn a_record_with_a_line_of_a_newer_version_is_returned_with_all_after_it() {
    let newer = br#"{"v":99,"what":"a later Stoop writes"}"#;
    let mixed = aggregate("k", [&line(&seen("beside", 0, 500_000, Status::Active))[..], newer]);
    for (poison, groups_of) in [(newer.to_vec(), 1), (newer.to_vec(), 1_000), (mixed, 1_000)] {
        let bench = Bench::new();
        let (meter, clock) = (meter(), StandingClock::at(minute(60)));
        let app = MetricsHandler::new(&*bench.database, &*bench.database, &clock, &meter).with_groups_of(groups_of);
        let event = kinesis(&[sound("before"), b"poison".to_vec(), poison.clone(), sound("after")]);
        for round in 0..2 {
            let response = app.handle(&raw(&event), later()).await.unwrap();
            assert_eq!(failures(&response), [sequence(2)], "it is redelivered, until this function is updated");
            assert_eq!(bench.homes(), ["reso-actris/before"], "{round}");
            assert_eq!(bench.quarantined(), 1, "only the poison before it, not the newer line");
            assert_eq!(counted(&meter)["RecordsNewer"], 1);
        }
        let alone = app.handle(&raw(&kinesis(&[poison])), later()).await.unwrap();
        assert_eq!(failures(&alone), [sequence(0)], "nothing is before it");
    }
}

#[tokio::test]
async fn a_failure_before_a_newer_record_is_the_first() {
    let bench = Bench::new();
    let ports = Scripted::new(&bench.database).commits(&[Fault::Before]);
    let (meter, clock) = (meter(), StandingClock::at(minute(60)));
    let app = MetricsHandler::new(&ports, &ports, &clock, &meter);
    let event = kinesis(&[sound("before"), br#"{"v":3}"#.to_vec(), sound("after")]);
    assert_eq!(failures(&app.handle(&raw(&event), later()).await.unwrap()), [sequence(0)]);
    assert_eq!(counted(&meter)["RecordsFailed"], 3);
}

#[tokio::test]
async fn a_megabyte_of_garbage() {
    let noise: Vec<u8> = (0..1_u32 << 20).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    // One shared reject per kind for short lines, and one for each line as long as an observation.
    let records = [sound("before"), noise, sound("after")];
    let rejects = poisoned(&kinesis(&records)).await;
    assert!(!rejects.is_empty());
    for reject in &rejects {
        assert!(reject.location.starts_with(&format!("stream record {}", sequence(1))));
        assert!(reject.raw.chars().count() <= Reject::RAW_MAX, "an excerpt is enough");
    }
    let one_line = poisoned_by_bytes(&[b'x'; 1 << 20]).await;
    assert_eq!(one_line.raw.len(), Reject::RAW_MAX);
}

#[tokio::test]
async fn a_kpl_record_that_is_damaged() {
    let mut cut = sound("damaged");
    cut.pop();
    let mut flipped = sound("damaged");
    flipped[40] ^= 1;
    for damaged in [cut, flipped] {
        let reject = poisoned_by_bytes(&damaged).await;
        assert_eq!(reject.reason.as_str(), "unreadable");
        assert!(reject.detail.contains("MD5"), "{}", reject.detail);
    }
}

#[tokio::test]
async fn a_bad_line_does_not_affect_the_good_ones_of_its_record() {
    let good = line(&seen("neighbour", 0, 500_000, Status::Active));
    let future = line(&seen("from the future", 100_000, 500_000, Status::Active));
    let mut free = seen("free", 0, 500_000, Status::Active);
    free.listing.list_price = Some(stoop_domain::Minor(0));
    let lines = [&good[..], b"{\"v\":1,\"source\":", &future, &line(&free)];
    let bench = Bench::new();
    let (meter, clock) = (meter(), StandingClock::at(minute(60)));
    let app = MetricsHandler::new(&*bench.database, &*bench.database, &clock, &meter);
    let response = app.handle(&raw(&kinesis(&[aggregate("k", lines)])), later()).await.unwrap();
    assert_eq!(
        (failures(&response), bench.homes()),
        (Vec::new(), vec!["reso-actris/free".to_owned(), "reso-actris/neighbour".to_owned()])
    );
    let mut message: Vec<_> = bench.database.quarantined(10).unwrap();
    message.sort_by(|a, b| a.location.cmp(&b.location));
    let message: Vec<(&str, &str)> = message
        .iter()
        .map(|reject| (reject.location.rsplit_once(", user").unwrap().1, reject.reason.as_str()))
        .collect();
    let expected = [
        (" record 2, line 1", "unreadable"),
        (" record 3, line 1", "date_in_future"),
        (" record 4, line 1", "price_not_positive"),
    ];
    assert_eq!(message, expected);
}

#[tokio::test]
async fn a_record_of_another_shape() {
    for poison in [json!(null), json!(7), json!({}), json!({ "kinesis": {} }), json!({ "Sns": { "Message": "hello" } })]
    {
        let reject = poisoned_by(poison.clone()).await;
        assert_eq!(reject.raw, poison.to_string());
        assert_eq!(reject.location, "stream record without a sequence number");
    }
    let mut record = kinesis_record(&sequence(1), b"");
    record["kinesis"].as_object_mut().unwrap().remove("data");
    let reject = poisoned_by(record).await;
    assert!(reject.detail.contains("missing field `data`"), "{}", reject.detail);
}

#[tokio::test]
async fn a_record_without_a_sequence_number_is_measured_and_on_failure_all_are_returned() {
    let mut event = kinesis(&[sound("before"), sound("after")]);
    event["Records"][0]["kinesis"].as_object_mut().unwrap().remove("sequenceNumber");
    assert_eq!(poisoned(&event).await, []);

    // Lambda treats an empty identifier as a complete failure.
    let bench = Bench::new();
    let ports = Scripted::new(&bench.database).commits(&[Fault::Before]);
    let (meter, clock) = (meter(), StandingClock::at(minute(60)));
    let app = MetricsHandler::new(&ports, &ports, &clock, &meter);
    assert_eq!(failures(&app.handle(&raw(&event), later()).await.unwrap()), [""]);
}

#[tokio::test]
async fn the_sample_of_poison() {
    let bench = Bench::new();
    let (meter, clock) = (meter(), StandingClock::at(minute(60)));
    let app = MetricsHandler::new(&*bench.database, &*bench.database, &clock, &meter);
    let response = app.handle(&raw(&sample("kinesis-poison.json")), later()).await.unwrap();
    assert_eq!((failures(&response), bench.homes()), (Vec::new(), vec!["reso-actris/ACT7310442".to_owned()]));
    let mut message: Vec<(String, &str)> = bench
        .database
        .quarantined(10)
        .unwrap()
        .into_iter()
        .map(|reject| (reject.location, reject.reason.as_str()))
        .collect();
    message.sort();
    let expected =
        [(0, ", line 1", "not_utf8"), (1, "", "unreadable"), (2, ", line 1", "unreadable"), (3, "", "unreadable")];
    assert_eq!(message, expected.map(|(n, line, reason)| (format!("stream record {}{line}", sequence(n)), reason)));
    let counts = counted(&meter);
    assert_eq!((counts["Quarantined"], counts["ObservationsMeasured"]), (4, 1));
}

#[tokio::test]
async fn a_failing_quarantine_returns_the_first_record_and_measures_nothing_after_it() {
    for fault in [Fault::Before, Fault::After] {
        let bench = Bench::new();
        let ports = Scripted::new(&bench.database).quarantine(&[fault]);
        let (meter, clock) = (meter(), StandingClock::at(minute(60)));
        let app = MetricsHandler::new(&ports, &ports, &clock, &meter).with_groups_of(1);
        let event = kinesis(&[sound("before"), b"poison".to_vec(), sound("after")]);
        // The poison is in the group of the next record.
        let response = app.handle(&raw(&event), later()).await.unwrap();
        assert_eq!((failures(&response), bench.homes()), (vec![&*sequence(1)], vec!["reso-actris/before".to_owned()]));
        let counts = counted(&meter);
        assert_eq!((counts["RecordsFailed"], count_of(&counts, "Quarantined")), (2, 0));

        let response = app.handle(&raw(&event), later()).await.unwrap();
        assert_eq!((failures(&response), bench.homes().len(), bench.quarantined()), (Vec::new(), 2, 1));
        assert_eq!(counted(&meter)["Quarantined"], 1);
    }

    let bench = Bench::new();
    let ports = Scripted::new(&bench.database).quarantine(&[Fault::Before]);
    let (meter, clock) = (self::meter(), StandingClock::at(minute(60)));
    let app = MetricsHandler::new(&ports, &ports, &clock, &meter);
    let response = app.handle(&raw(&sample("kinesis-poison.json")), later()).await.unwrap();
    assert_eq!((failures(&response), bench.homes()), (vec![&*sequence(0)], Vec::new()));
}
