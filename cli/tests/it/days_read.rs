//! What is known of a day does not depend on how many days are read.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::support::{Room, list, number, says, text};

const MAP: &str = r#"
name = "made"
country = "US"
currency = "USD"
purpose = "sale"
[fields]
native_id = { from = "id" }
observed_at = { from = "at", date = "iso" }
status = { from = "status" }
list_price = { from = "price" }
city = { from = "city" }
region = { from = "state" }
postal_code = { from = "zip" }
"#;

/// Three homes on offer one after another, with nearly a year between the first and the second.
const ROWS: [(&str, &str, &str, u32); 7] = [
    ("a", "2024-02-01", "Active", 320_000),
    ("a", "2024-03-05", "Withdrawn", 320_000),
    ("b", "2025-01-20", "Active", 410_000),
    ("b", "2025-09-20", "Withdrawn", 410_000),
    ("c", "2026-06-01", "Active", 530_000),
    ("c", "2026-06-04", "Withdrawn", 530_000),
    ("d", "2026-06-30", "Withdrawn", 610_000),
];

fn by_day(market: &Value) -> BTreeMap<&str, &Value> {
    list(&market["markets"][0]["days"]).iter().map(|day| (text(&day["day"]), day)).collect()
}

#[test]
fn a_day_has_the_same_figures_in_a_short_and_a_long_series() {
    let room = Room::new();
    let row = |(id, at, status, price): &(&str, &str, &str, u32)| {
        let zip = if *id == "d" { "98178" } else { "98101" };
        format!("{id},{at},{status},{price},Seattle,WA,{zip}\n")
    };
    let rows: String = ROWS.iter().map(row).collect();
    room.write("made.toml", MAP);
    room.write("rows.csv", format!("id,at,status,price,city,state,zip\n{rows}"));
    says(&room.replay("made.toml", &["rows.csv"]), &json!({ "homes": 4 }));
    let series = |days: &str| room.json(&["market", "98101", "--days", days, "--as-of", "2026-06-30T12:00:00Z"]);
    let long = series("880");
    let long = by_day(&long);
    // 2025-02-10 is a day of b alone; the 91 days before had a home on 22 of them.
    let pooled = number(&long["2025-02-10"]["median_price_91_days"]);
    assert!((pooled / 410_000.0 - 1.0).abs() < 0.001, "{pooled}");
    for days in ["1", "100", "400", "550", "700"] {
        let short = series(days);
        let short = by_day(&short);
        assert_eq!(short.len(), days.parse::<usize>().unwrap(), "all days are known since 2024-02-01");
        for (day, figures) in short {
            // An index counts from the first day of its series.
            let without_index = |figures: &Value| {
                let mut figures = figures.clone();
                figures.as_object_mut().unwrap().remove("price_index");
                figures
            };
            assert_eq!(without_index(figures), without_index(long[day]), "{day} of {days} days");
        }
    }
}
