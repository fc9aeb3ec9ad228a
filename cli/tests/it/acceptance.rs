//! Replays of real data, with exact numbers; docs/ACCEPTANCE.md describes each.

use std::collections::{BTreeMap, BTreeSet};

use crate::support::real::{csv_rows, replay, replay_with, whole};
use crate::support::{list, text};
use serde_json::{Value, json};

#[test]
fn avito_2024_has_seventeen_drops_and_ten_rises() {
    let Some(replay) = replay("ma-avito-2024", "avito_", "avito-2024.toml") else { return };
    assert_eq!(replay.files.len(), 7);
    replay.says(json!({
        "rows": 1_663, "observations": 1_663, "duplicates": 0, "quarantined": 0, "values_refused": 1, "homes": 1_184,
        "reasons": { "price_absurd": 1 },
        "price_changes": 26, "drops": 17, "rises": 9, "alerts": 0, "suspects": 0,
    }));
    replay.lies_in(302, 87, 60);
    // The reference counts every difference of a home's price text from the one before: thirty. One of them is a rise
    // to more than ten times the price in the last scrape of its home, which no other day confirms.
    let mut latest: BTreeMap<String, Option<i64>> = BTreeMap::new();
    let [mut drops, mut rises, mut withdrawn, mut named] = [0; 4];
    let mut leaps: BTreeMap<String, (i64, u32)> = BTreeMap::new();
    for file in &replay.files {
        let rows: Vec<Value> = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
        for row in &rows {
            let id: String =
                text(&row["url"]).rsplit('_').next().unwrap().chars().filter(char::is_ascii_digit).collect();
            let digits: String = text(&row["price"]).chars().filter(char::is_ascii_digit).collect();
            let price = digits.parse::<i64>().ok();
            let before = latest.get(&id).copied().flatten();
            match (before, price) {
                (Some(from), Some(to)) if to >= from * 4 || to * 4 <= from => drop(leaps.insert(id.clone(), (to, 1))),
                (_, Some(price)) if leaps.get(&id).is_some_and(|leap| leap.0 == price) => {
                    leaps.entry(id.clone()).and_modify(|leap| leap.1 += 1);
                }
                _ => {}
            }
            match (latest.insert(id, price), price) {
                (Some(Some(from)), Some(to)) if to < from => drops += 1,
                (Some(Some(from)), Some(to)) if to > from => rises += 1,
                (Some(Some(_)), None) => withdrawn += 1,
                (Some(None), Some(_)) => named += 1,
                _ => {}
            }
        }
    }
    assert_eq!((latest.len(), drops, rises, withdrawn, named), (1_184, 17, 10, 1, 2));
    assert_eq!(leaps, BTreeMap::from([("55705964".to_owned(), (8_150_000, 1))]));
    let leapt = replay.room.json(&["home", "55705964"]);
    let doubts: Vec<_> = list(&leapt["intervals"]).iter().map(|interval| interval["doubtful"].as_str()).collect();
    assert_eq!(doubts, [None, Some("rise")]);
    let home = replay.room.json(&["home", "54401684"]);
    let cut = list(&home["events"]).iter().find(|event| event["kind"] == "price_cut").unwrap();
    assert_eq!((whole(&cut["from"]), whole(&cut["to"])), (1_700_000, 1_600_000));
    // Fifteen percent is a high bar: the largest drop is 11 %, which SOURCE.md names.
    assert_eq!(replay.drops(&[]), BTreeSet::new());
}

const VIENNA: (&str, &str, &str) = ("at-vienna-rent-2026", "raw_", "willhaben-vienna-rent.toml");

#[test]
fn vienna_rents_drop_eight_times_and_three_drops_are_reported() {
    let Some(replay) = replay(VIENNA.0, VIENNA.1, VIENNA.2) else { return };
    assert_eq!(replay.files.len(), 17);
    replay.says(json!({
        "rows": 5_077, "observations": 5_077, "duplicates": 0, "quarantined": 0, "homes": 2_428,
        "price_changes": 14, "drops": 8, "rises": 6, "alerts": 3, "suspects": 0,
    }));
    replay.lies_in(23, 0, 1);
    let message = replay.drops(&[]);
    assert_eq!(message.len(), 3);
    assert!(message.contains(&("willhaben/805268699".into(), 2_150, 1_800)), "{message:?}");
    assert!(message.contains(&("willhaben/1021318640".into(), 800, 600)), "{message:?}");
    assert!(message.iter().all(|(_, from, to)| to * 100 <= from * 85), "{message:?}");
}

#[test]
fn a_drop_by_cents_is_never_reported_however_low_the_bar() {
    for percent in ["1", "0"] {
        let config = format!("[alerts]\ndrop_percent = {percent}\n");
        let Some(replay) = replay_with(VIENNA.0, VIENNA.1, VIENNA.2, Some(&config), &[]) else { return };
        replay.says(json!({ "drops": 8, "suspects": 0 }));
        let message = replay.drops(&[]);
        assert!(message.len() > 3, "a lower bar sends more: {message:?}");
        assert!(message.iter().all(|(_, from, to)| from - to > 1), "{message:?}");
    }
    // Without the noise floor it would be sent: only the floor holds it back.
    let config = "[alerts]\ndrop_percent = 0\nnoise_percent = 0\n";
    let Some(replay) = replay_with(VIENNA.0, VIENNA.1, VIENNA.2, Some(config), &[]) else { return };
    replay.says(json!({ "drops": 8, "alerts": 8 }));
}

#[test]
fn only_zillow_rows_that_are_listings_are_read() {
    let Some(replay) = replay("us-zillow-1000-price-history", "listings", "zillow-listings.toml") else { return };
    replay
        .says(json!({ "rows": 807, "skipped": 649, "observations": 158, "homes": 158, "quarantined": 0, "alerts": 0 }));
    replay.lies_in(156, 0, 146);
}

#[test]
fn king_county_sales_match_a_plain_count_and_none_is_an_offer() {
    let Some(replay) = replay("us-kc-house-sales-2014", "kc_house", "kc-house-sales.toml") else { return };
    replay.says(json!({
        "rows": 21_612, "observations": 21_612, "duplicates": 0, "quarantined": 0, "homes": 21_435,
        "price_changes": 0, "drops": 0, "rises": 0, "alerts": 0, "suspects": 0,
    }));
    replay.lies_in(70, 0, 25);
    // A sale is a home and a day: 20140502T000000. Two of one home within a month count as one, corrected.
    let mut sales: BTreeMap<(String, i32), String> = BTreeMap::new();
    for row in csv_rows(&replay.files[0]) {
        let date = |from: usize, to: usize| row["date"][from..to].parse::<i16>().unwrap();
        let day = jiff::civil::date(date(0, 4), date(4, 6) as i8, date(6, 8) as i8);
        let day = day.duration_since(jiff::civil::date(2014, 1, 1)).as_hours() as i32 / 24;
        sales.insert((row["id"].clone(), day), row["zipcode"].clone());
    }
    let mut days: BTreeMap<&str, Vec<(i32, &str)>> = BTreeMap::new();
    for ((id, day), zip) in &sales {
        let known = days.entry(id).or_default();
        if known.last().is_none_or(|(before, _)| day - before > 30) {
            known.push((*day, zip));
        }
    }
    let last = sales.keys().map(|(_, day)| *day).max().unwrap();
    let mut zips: BTreeMap<&str, [i64; 3]> = BTreeMap::new();
    for (day, zip) in days.into_values().flatten() {
        for (count, within) in zips.entry(zip).or_default().iter_mut().zip([7, 28, 90]) {
            *count += i64::from(last - day < within);
        }
    }
    assert_eq!(zips.len(), 70);
    let as_of = jiff::civil::date(2014, 1, 1) + jiff::Span::new().days(last);
    for (zip, counts) in &zips {
        let message = replay.room.json(&["market", zip, "--as-of", &format!("{as_of}T20:00:00Z")]);
        let [market] = list(&message["markets"]) else { panic!("one market: {message}") };
        assert_eq!((&market["active"], &market["median_price"]), (&json!(0), &Value::Null));
        let windows = ["last_7_days", "last_28_days", "last_90_days"];
        assert_eq!(windows.map(|window| market[window]["sold"].as_i64().unwrap()), *counts, "{zip}");
    }
}

#[test]
fn yakeey_drops_four_prices() {
    let Some(replay) = replay("ma-yakeey-2024", "yakeey_", "yakeey-2024.toml") else { return };
    replay.says(json!({
        "rows": 1_437, "observations": 1_435, "duplicates": 0, "quarantined": 2, "reasons": { "missing_field": 2 },
        "homes": 737, "price_changes": 4, "drops": 4, "rises": 0, "alerts": 0, "suspects": 0,
    }));
    replay.lies_in(176, 69, 17);
    let drops = [
        ("CA002956", 3_900_000, 3_700_000),
        ("BA008101", 2_100_000, 1_900_000),
        ("BA008089", 3_000_000, 2_900_000),
        ("BA008097", 1_800_000, 1_600_000),
    ];
    for (id, from, to) in drops {
        let home = replay.room.json(&["home", id]);
        let cuts: Vec<&Value> = list(&home["events"]).iter().filter(|event| event["kind"] == "price_cut").collect();
        let [cut] = cuts[..] else { panic!("one cut: {home}") };
        assert_eq!((whole(&cut["from"]), whole(&cut["to"]), whole(&home["price"])), (from, to, to));
    }
    let rejects = replay.room.rejects();
    assert_eq!(rejects.len(), 2);
    for ((position, reason, detail), row) in rejects.iter().zip(["element 134", "element 89"]) {
        assert!(position.ends_with(&format!("yakeey_2024-10-12.json: {row}")), "{position}");
        assert_eq!((&**reason, &**detail), ("missing_field", "postal_code, neighbourhood or city"));
    }
}

#[test]
fn one_page_of_avito_and_mubawab_is_read_except_a_price_in_euros_and_four_prices_that_may_be_rents() {
    let folder = "ma-avito-mubawab-2025";
    // More than a tenth of its sales have a price that may be a rent.
    let options = ["--max-rejects", "15"];
    let Some(avito) = replay_with(folder, "avito_ventes", "avito-2025.toml", None, &options) else { return };
    avito.says(json!({
        "rows": 38, "observations": 38, "homes": 38, "quarantined": 0, "values_refused": 4, "reasons": { "bad_value": 4 },
        "price_changes": 0, "alerts": 0,
    }));
    avito.lies_in(27, 4, 13);

    let Some(rent) = replay(folder, "mubawab_locations", "mubawab-rent-2025.toml") else { return };
    rent.says(
        json!({ "rows": 33, "observations": 33, "homes": 33, "quarantined": 0, "price_changes": 0, "alerts": 0 }),
    );

    let Some(sale) = replay(folder, "mubawab_ventes", "mubawab-sale-2025.toml") else { return };
    sale.says(json!({
        "rows": 33, "observations": 32, "homes": 32, "quarantined": 1, "reasons": { "foreign_currency": 1 },
        "price_changes": 0, "alerts": 0,
    }));
    sale.lies_in(29, 11, 12);
    rent.lies_in(26, 12, 13);
    let rejects = sale.room.rejects();
    let [(position, reason, detail)] = &rejects[..] else { panic!("{rejects:?}") };
    assert!(position.ends_with("mubawab_ventes.jsonl: line 15"), "{position}");
    assert_eq!((&**reason, &**detail), ("foreign_currency", "EUR in MA, where homes are priced in MAD"));
}
