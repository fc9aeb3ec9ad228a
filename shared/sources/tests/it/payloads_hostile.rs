//! For any bytes, a source returns rows, refusals or an error, and never panics.

use crate::answers::sources;
use crate::hostile::{edits, spoilt, with_value};
use proptest::prelude::*;
use stoop_domain::Time;
use stoop_sources::{Cursor, Source, SourceAnswer};

/// Reads one answer, for an incremental and a full scan, and checks the invariants of every page. Returns whether there
/// was a page.
fn read(source: &dyn Source, body: &[u8], now: Time) -> bool {
    let pages = [Some("2026-01-01T00:00:00.000Z"), None].map(|since| {
        let cursor = source.begin(since);
        let refused = SourceAnswer { status: 400, ..SourceAnswer::of(body) };
        if source.reads(refused.status) {
            check(source, &cursor, &refused, now);
        }
        check(source, &cursor, &SourceAnswer::of(body), now)
    });
    assert_eq!(pages[0], pages[1]);
    pages[0]
}

fn check(source: &dyn Source, cursor: &Cursor, answer: &SourceAnswer<'_>, now: Time) -> bool {
    let Ok(page) = source.read(cursor, answer, now) else { return false };
    crate::hostile::check(source, cursor, &page);
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
        edits in edits(),
        ms in any::<i64>(),
    ) {
        for (source, body) in sources() {
            read(&*source, &spoilt(body, &edits), Time::from_ms(ms));
        }
    }

    #[test]
    fn any_value_instead_of_another_causes_no_panic(
        (at, value) in (any::<prop::sample::Index>(), values()),
        ms in any::<i64>(),
    ) {
        for (source, body) in sources() {
            let spoilt = with_value(std::str::from_utf8(body).unwrap(), at, &value);
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
