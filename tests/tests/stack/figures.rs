//! Figures as JSON, compared with the simulation's exact answer.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::Value;
use stoop_simulation::{Figures, Window};

/// Prices are kept in buckets of this relative width, so that they can be subtracted again; counts and sums are exact.
const BUCKET: f64 = 0.002_01;

/// Panics if a figure differs from the answer.
pub(crate) fn assert_figures(market: &str, message: &Value, want: &Figures) {
    assert_eq!(message["active"].as_u64(), Some(want.active()), "active in {market}: {message}");
    let prices = [
        ("min_price", want.min()),
        ("max_price", want.max()),
        ("median_price", want.median()),
        ("mean_price", want.mean()),
    ];
    for (name, want) in prices {
        let message = message[name].as_f64();
        assert_eq!(message.is_some(), want.is_some(), "{name} in {market}");
        if let (Some(message), Some(want)) = (message, want) {
            let want = want.0 as f64 / 100.0;
            // The answer's mean is rounded down to cents.
            let near = if name == "mean_price" { 0.02 } else { want * BUCKET };
            assert!((message - want).abs() <= near, "{name} in {market}: {message} for {want}");
        }
    }
    let names = ["last_24_hours", "last_7_days", "last_28_days", "last_90_days"];
    for (name, window) in names.into_iter().zip(Window::ALL) {
        for (what, want) in want.counts(window).named() {
            assert_eq!(message[name][what].as_u64(), Some(want), "{what} in the {name} of {market}: {message}");
        }
    }
}

/// An attribute as JSON, numbers as numbers.
pub(crate) fn json_of(value: &AttributeValue) -> Value {
    match value {
        AttributeValue::S(text) => text.as_str().into(),
        AttributeValue::N(number) => serde_json::from_str(number).unwrap(),
        AttributeValue::Bool(bool) => (*bool).into(),
        AttributeValue::Null(_) => Value::Null,
        AttributeValue::L(list) => list.iter().map(json_of).collect(),
        AttributeValue::M(map) => {
            let sorted: BTreeMap<_, _> = map.iter().collect();
            sorted
                .into_iter()
                .map(|(name, value)| (name.clone(), json_of(value)))
                .collect::<serde_json::Map<_, _>>()
                .into()
        }
        AttributeValue::B(bytes) => bytes.as_ref().into(),
        other => panic!("nothing that Stoop writes: {other:?}"),
    }
}
