//! Reading time is linear: an answer that is eight times as long takes about eight times as long to read, whatever its
//! content, and never the square of that. Compares two measurements of one run, each the minimum of several, in CPU
//! time of this thread: a busy machine causes no failure.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};
use serde_json::Value;
use stoop_domain::Time;
use stoop_sources::{Source, SourceAnswer};

/// Length of the longer answer, relative to the shorter one.
const TIMES: usize = 8;
/// A value between [`TIMES`] and its square.
const GROWTH_MAX: u32 = 24;
/// Shorter times are noise.
const FLOOR: Duration = Duration::from_micros(500);
/// Number of attempts per measurement, of which the minimum counts: other load only adds time.
const ATTEMPTS_MAX: u32 = 20;

fn worked() -> Duration {
    clock_gettime(ClockId::ThreadCPUTime).try_into().unwrap()
}

fn cost(source: &dyn Source, body: &[u8]) -> Duration {
    let began = worked();
    let cursor = source.begin(None);
    // Other tests check whether it is read.
    drop(source.read(&cursor, &SourceAnswer::of(body), Time::parse("2026-01-14T12:00:00Z").unwrap()));
    worked() - began
}

/// Compares the reading times of two answers of one shape.
fn grows_with_its_length(source: &dyn Source, shape: &str, short: &str, long: &str) {
    let (mut least_short, mut least_long) = (Duration::MAX, Duration::MAX);
    for _ in 0..ATTEMPTS_MAX {
        least_short = least_short.min(cost(source, short.as_bytes()));
        least_long = least_long.min(cost(source, long.as_bytes()));
        if least_long <= least_short.max(FLOOR) * GROWTH_MAX {
            return;
        }
    }
    panic!(
        "{}, {shape:.20?}: {} bytes take {least_short:?}, {} bytes {least_long:?}",
        source.name(),
        short.len(),
        long.len()
    );
}

/// Texts that a careless parser rescans repeatedly.
const SHAPES: [&str; 14] =
    ["a", " ", "1", "1 ", "1,", "$1,", "-", "é", "\u{a0}", "\\\"", "{", "il y a ", "2026-01-", "a, "];

fn all_texts(value: &mut Value, text: &str) {
    match value {
        Value::String(old) => *old = text.to_owned(),
        Value::Array(values) => values.iter_mut().for_each(|value| all_texts(value, text)),
        Value::Object(fields) => fields.values_mut().for_each(|value| all_texts(value, text)),
        _ => {}
    }
}

/// The JSON of an answer, and the text before and after it.
fn json_of(body: &str) -> (&str, Value, &str) {
    let start = body.find(">{").map_or(0, |at| at + 1);
    let end = body.rfind("</script>").unwrap_or(body.len());
    (&body[..start], serde_json::from_str(&body[start..end]).unwrap(), &body[end..])
}

/// The longest list of objects: the rows.
fn rows(value: &mut Value) -> Option<&mut Vec<Value>> {
    match value {
        Value::Array(values) if values.first().is_some_and(Value::is_object) => Some(values),
        Value::Object(fields) => fields.values_mut().find_map(rows),
        _ => None,
    }
}

#[test]
fn long_texts() {
    for (source, body) in crate::answers::sources() {
        let (before, json, behind) = json_of(std::str::from_utf8(body).unwrap());
        for shape in SHAPES {
            let [short, long] = [1, TIMES].map(|times| {
                let mut json = json.clone();
                let row = &mut rows(&mut json).unwrap()[0];
                all_texts(row, &shape.repeat(1_000 * times / shape.len()));
                format!("{before}{json}{behind}")
            });
            grows_with_its_length(&*source, shape, &short, &long);
        }
    }
}

#[test]
fn many_rows() {
    for (source, body) in crate::answers::sources() {
        let (before, json, behind) = json_of(std::str::from_utf8(body).unwrap());
        let [short, long] = [1, TIMES].map(|times| {
            let mut json = json.clone();
            let rows = rows(&mut json).unwrap();
            *rows = rows.iter().cycle().take(200 * times).cloned().collect();
            format!("{before}{json}{behind}")
        });
        grows_with_its_length(&*source, "many rows", &short, &long);
    }
}

#[test]
fn cards() {
    let tags = ["<div>", "</div>", "<a><b>", "<li class=listingBox>", "<!--", "<", "&amp;", "<p>x", "<table><tr><td>"];
    for (source, html) in crate::answers::card_sites() {
        for shape in SHAPES.into_iter().chain(tags) {
            for place in ["<body>", "Bel<", "Racine"] {
                let [short, long] = [1, TIMES].map(|times| {
                    let hostile = shape.repeat(8_000 * times / shape.len());
                    html.replacen(place, &format!("{place} {hostile}"), 1)
                });
                grows_with_its_length(&*source, shape, &short, &long);
            }
        }
    }
}
