//! `stoop reference`: series are loaded as a whole or not at all, listed, shown and removed.

use serde_json::json;

use crate::support::real::data;
use crate::support::{MAP, Room, list, map, number, says};

const INCOME: &str = "name = \"income\"\nunit = \"USD\"\ncountry = \"US\"\n[area]\nregion = \"state\"\ncounty = \"county\"\n\
                      [values]\ndate = \"year\"\nvalue = \"median\"\n";

fn room() -> Room {
    let room = Room::new();
    room.write("made.toml", MAP);
    room.write("homes.csv", "id,seen,price,city\na,2026-03-01,500000,Reno\nb,2026-03-01,300000,Sparks\n");
    room.replay("made.toml", &["homes.csv"]);
    room.write("income.toml", INCOME);
    room.write("income.csv", "state,county,year,median\nNV,Washoe,2023,80000\nNV,Washoe,2024,\nNV,Nowhere,2024,1\n");
    room
}

#[test]
fn a_series_is_loaded_shown_and_removed() {
    let room = room();
    let load = ["reference", "load", "income.csv", "--map", "income.toml"];
    let shown = room.stoop(&load).ok().stdout;
    let expected = "income: 1 area, 1 value in USD\nnothing was taken of 1 row, first:\n  line 4, NV, Nowhere: no county of \
                    United States is called \"Nowhere\", or several are\n";
    assert_eq!(shown, expected);
    let loaded = json!({ "name": "income", "unit": "USD", "areas": 1, "values": 1, "rows": 3, "unmatched": 1 });
    says(&room.json(&load), &loaded);
    let listed = || {
        let mut listed = room.json(&["reference", "list"])["series"].clone();
        listed.as_array_mut().unwrap().iter_mut().for_each(|series| drop(series["loaded_at"].take()));
        listed
    };
    let before = listed();
    says(&before[0], &json!({ "name": "income", "from": "2023-12-31", "to": "2023-12-31", "source": "income.csv" }));
    room.json(&load);
    assert_eq!(listed(), before, "the same file again");
    let market = room.json(&["market", "reno"]);
    let reference = json!({ "value": 80_000.0, "date": "2023-12-31", "of": "us/nv/washoe", "price_ratio": 6.25 });
    says(&market["markets"][0]["reference"][0], &reference);

    room.write("broken.csv", "state,county,year,median\nNV,Washoe,2024,90000\nNV,Washoe,2025,9o000\n");
    let refused = room.stoop(&["reference", "load", "broken.csv", "--map", "income.toml"]);
    refused.refused(&["broken.csv: line 3: \"9o000\" is no number; accepted: a plain number like 1234.5"]);
    assert_eq!(listed(), before, "nothing of a corrupt file is loaded");
    assert_eq!(room.is_equal()["homes"], 2);

    room.stoop(&["reference", "remove", "zhvi"]).refused(&["there is no reference series \"zhvi\"; accepted: income"]);
    assert_eq!(room.stoop(&["reference", "remove", "income"]).ok().stdout, "removed income\n");
    assert!(room.json(&["market", "reno"])["markets"][0].get("reference").is_none());
    assert_eq!(listed(), json!([]));
    room.stoop(&["reference", "remove", "income"]).refused(&["none is loaded"]);
}

#[test]
fn a_wrong_map_file_or_database_is_refused() {
    let room = room();
    room.write("bad.toml", "name = \"income\"\nunit = \"gold\"\ncountry = \"US\"\n");
    let load = |file, map| room.stoop(&["reference", "load", file, "--map", map]);
    load("income.csv", "bad.toml")
        .refused(&["bad.toml:2: unit: \"gold\" is no unit; accepted: a currency like \"USD\""]);
    load("income.csv", "none.toml").refused(&["the map none.toml cannot be read"]);
    load("none.csv", "income.toml").refused(&["none.csv: there is no such file"]);
    room.write("rows.jsonl", "{}\n");
    load("rows.jsonl", "income.toml").refused(&["rows.jsonl: this is not CSV; accepted: a .csv file"]);
    Room::new().stoop(&["reference", "remove", "income"]).refused(&["there is no database"]);
    Room::new().stoop(&["reference", "list"]).refused(&["there is no database"]);
}

/// Homes sold in King County, with an index that has no ZIP there, and homes in a ZIP that it has.
#[test]
fn the_zillow_home_value_index_stands_beside_homes_of_its_zips() {
    let Some(files) = data("us-zhvi-zip-sample", ".csv") else { return };
    let room = Room::new();
    let fields = MAP.replace("city = { from = \"city\" }", "postal_code = { from = \"zip\" }");
    room.write("made.toml", fields);
    room.write("homes.csv", "id,seen,price,zip\na,2025-05-15,450000,78660\nb,2025-05-16,450000,78660\n");
    room.replay("made.toml", &["homes.csv"]);
    let loaded = room.json(&["reference", "load", &files[0], "--map", &map("reference/zhvi.toml")]);
    says(&loaded, &json!({ "name": "zhvi", "areas": 10, "values": 3_070, "unmatched": 0 }));
    let market = room.json(&["market", "78660"]);
    let zhvi = &list(&market["markets"][0]["reference"])[0];
    // April's value in the file; that of May 31 is not known on May 16.
    let expected =
        json!({ "value": 397_578.352_782_661_5, "date": "2025-04-30", "of": "us/tx/travis/pflugerville/78660" });
    says(zhvi, &expected);
    let ratio = number(&market["markets"][0]["median_price"]) / 397_578.352_8;
    assert!((number(&zhvi["price_ratio"]) - ratio).abs() < 0.000_1, "{zhvi}");
    assert!(room.json(&["market", "us/tx/travis"])["markets"][0].get("reference").is_none(), "a ZIP is not its county");
}
