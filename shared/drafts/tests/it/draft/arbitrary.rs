//! Drafts from arbitrary JSON and tables.

use super::*;

/// Keys with a meaning, mixed with keys without.
fn key() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => prop::sample::select(vec![
            "id", "price", "list_price", "prix", "currency", "city", "lat", "lng", "status", "type", "area", "lotSize", "lotSizeUnit",
            "beds", "baths", "url", "images", "title", "description", "date", "updated_at", "listed_at", "purpose", "zip", "country",
            "amenities", "coordinates", "total", "next", "results", "address", "oldPrice", "state", "rent",
        ]).prop_map(str::to_owned),
        1 => "[a-z/~@.{}\"'\\\\\u{7}é# -]{0,8}",
    ]
}

fn scalar() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (0..2_000_000_i64).prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        (-180.0..180.0).prop_map(Value::from),
        ".{0,20}".prop_map(Value::from),
        prop::sample::select(vec![
            "USD",
            "EUR",
            "MA",
            "1 700 000 DH",
            "€ 1.392,85",
            "$2,305/mo",
            "for sale",
            "FOR_RENT",
            "Active",
            "sold",
            "83 m²",
            "0.2 acres",
            "sqft",
            "https://x.ma/12345.htm",
            "/a/b",
            "2026-01-13T10:51:00Z",
            "13/02/2026",
            "il y a 5 heures",
            "apartment",
            "62701",
            "-1",
            "7+",
            "1 Elm St, Ely, MN 55731",
            "https://x.com/1.jpg, https://x.com/2.jpg",
            "a;b",
            "\u{2028}\u{202e}",
            "'\"\\\n",
        ])
        .prop_map(Value::from),
    ]
}

fn value() -> impl Strategy<Value = Value> {
    scalar().prop_recursive(4, 60, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::btree_map(key(), inner, 0..8).prop_map(object),
        ]
    })
}

fn object(map: BTreeMap<String, Value>) -> Value {
    Value::Object(map.into_iter().collect())
}

/// Rows with an ID and a price, so that many give a draft.
fn rows() -> impl Strategy<Value = Value> {
    let row = prop::collection::btree_map(key(), value(), 0..10);
    prop::collection::vec(row, 1..8).prop_map(|rows| {
        let with_id = |(nth, mut row): (usize, BTreeMap<String, Value>)| {
            row.insert("id".to_owned(), json!(nth));
            row.insert("price".to_owned(), json!(100_000 + nth));
            object(row)
        };
        Value::from(rows.into_iter().enumerate().map(with_id).collect::<Vec<_>>())
    })
}

/// Checks that a draft parses and was tested with its sample, and that an error has a message.
fn holds(sample: Result<Sample, stoop_drafts::DraftError>, hints: &DraftHints) {
    let made = sample.and_then(|sample| draft(&sample, hints));
    match made {
        Ok(made) => {
            let map = Map::parse(&made.toml, "x.toml").unwrap_or_else(|errors| panic!("{errors}\n{}", made.toml));
            assert_eq!(map.name(), "x");
            assert!(made.proof.understood <= made.proof.read && made.proof.read <= made.proof.rows);
        }
        Err(error) => assert!(!error.0.is_empty() && error.0.iter().all(|what| !what.is_empty())),
    }
}

proptest! {
    #[test]
    fn any_json_gives_a_draft_that_parses_or_says_what_is_missing(document in value()) {
        holds(Sample::of_document(document), &DraftHints::new("x", "x.json"));
    }

    #[test]
    fn rows_of_any_shape_do_too(rows in rows(), country in prop::option::of(Just("US".to_owned())), polled in any::<bool>()) {
        let url = polled.then(|| "https://api.example.com/x?page=1".to_owned());
        let currency = Some("USD".to_owned());
        let hints = DraftHints { country, currency, url, purpose: Some(stoop_domain::Purpose::Sale), ..DraftHints::new("x", "x.json") };
        let sample = Sample::of_document(json!({"results": rows}));
        holds(sample, &hints);
    }

    #[test]
    fn tables_of_any_texts_do_too(
        header in prop::collection::vec(key(), 1..6),
        rows in prop::collection::vec(prop::collection::vec(".{0,12}", 1..6), 1..6),
    ) {
        let headers = ByteRecord::from(header);
        let rows: Vec<ByteRecord> = rows.into_iter().map(ByteRecord::from).collect();
        holds(Sample::of_csv(&headers, rows), &DraftHints::new("x", "x.csv"));
    }
}
