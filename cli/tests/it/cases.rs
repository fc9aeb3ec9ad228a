//! The inputs of `../shared/cases`, which were read wrong once: what drafts and replays make of them now.

use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use crate::support::{Room, list, number, root, says, text};
use serde_json::{Value, json};

/// A file of a case; `None`, and said so, if the cases are not here.
fn case(name: &str) -> Option<PathBuf> {
    let data = std::env::var_os("STOOP_DATA").map_or_else(|| root().join("../shared/data"), PathBuf::from);
    let file = data.join("../cases").join(name);
    if !file.exists() {
        eprintln!("skipped: ../shared/cases is not here");
        return None;
    }
    Some(file)
}

/// Copies files of a case into a room, each written a week after the one before.
fn room_of(folder: &str, names: &[&str]) -> Option<Room> {
    let room = Room::new();
    for (week, name) in (0..).zip(names) {
        room.write(name, std::fs::read(case(&format!("{folder}/{name}"))?).unwrap());
        let written = SystemTime::UNIX_EPOCH + Duration::from_hours(24 * (20_400 + 7 * week));
        std::fs::File::options().write(true).open(room.path(name)).unwrap().set_modified(written).unwrap();
    }
    Some(room)
}

/// What a draft does with a field: its rule and the first value, or `off`, or why its column is not read.
fn drafted(tried: &Value, field: &str) -> Vec<String> {
    let of_field = |row: &&Value| row["field"] == field;
    let chosen = list(&tried["chosen"]).iter().filter(of_field).map(|row| match row["certain"] == true {
        true => format!("{} => {}", text(&row["rule"]), row["value"].as_str().unwrap_or("-")),
        false => format!("off {}", text(&row["rule"])),
    });
    let unread = list(&tried["not_read"]).iter().filter(of_field);
    chosen.chain(unread.map(|row| format!("not {}: {}", text(&row["column"]), text(&row["why"])))).collect()
}

/// The draft of a case, with its hints, has these decisions.
#[track_caller]
fn drafts(name: &str, hints: &[&str], rows: [u64; 2], expected: &[(&str, &str)]) {
    let Some(file) = case(name) else { return };
    let file = file.display().to_string();
    let tried = Room::new().json(&[&["sources", "try", &file][..], hints].concat());
    assert_eq!([&tried["rows"], &tried["listings"]], rows, "{name}: {tried}");
    for (field, decision) in expected {
        let found = drafted(&tried, field);
        assert!(found.iter().any(|found| found == decision), "{name}: {field}: {decision:?} is not in {found:#?}");
    }
}

#[test]
fn the_values_of_agencies_are_not_those_of_homes() {
    let not_own = |column: &str, word: &str| format!("not {column}: \"{word}\" says that it is not the listing's own.");
    drafts(
        "01-agency-address-as-line/n3.json",
        &["--country", "DE", "--purpose", "sale"],
        [3, 3],
        &[
            ("line", "{ from = \"/location/address/street\" } => Sendlinger Straße 5"),
            ("line", &not_own("/provider/address", "provider")),
            ("images", "{ from = \"/gallery/images/0/url\" } => https://img.example/p1.jpg"),
        ],
    );
    drafts(
        "01-agency-address-as-line/rea.json",
        &["--country", "AU", "--purpose", "sale"],
        [6, 6],
        &[
            ("line", "{ from = \"/address/display/shortAddress\" } => 1 Alder Avenue"),
            ("line", &not_own("/listingCompany/address", "company")),
            ("url", "{ from = \"url\" } => /property/1/"),
            ("url", &not_own("bannerUrl", "banner")),
        ],
    );
}

#[test]
fn words_in_the_names_of_columns_and_beside_them_are_read() {
    let price = "list_price";
    drafts(
        "02-price-cents/lbc.json",
        &["--country", "FR", "--purpose", "sale"],
        [3, 3],
        &[(price, "{ from = \"/price/0\" } => 274000 EUR")],
    );
    drafts(
        "03-rent-period/w2.csv",
        &["--country", "AU"],
        [3, 3],
        &[(price, "{ from = \"weekly_rent\", per = \"week\" } => 2816.67 AUD")],
    );
    drafts(
        "03-rent-period/w4.csv",
        &["--country", "AE", "--purpose", "rent"],
        [3, 3],
        &[(price, "{ from = \"price\", per = { from = \"rent_frequency\" } } => 10000 AED")],
    );
    drafts(
        "04-dollar-sign-in-peso-countries/mx.csv",
        &["--country", "MX"],
        [3, 3],
        &[(price, "{ from = \"precio\", money = \"en\" } => 3500000 MXN")],
    );
    drafts(
        "06-price-column-vanishes/kr.csv",
        &["--country", "SE", "--purpose", "sale"],
        [3, 3],
        &[(price, "{ from = \"price\", money = \"fr\" } => 3495000 SEK")],
    );
    drafts(
        "13-words-in-column-names/pa.csv",
        &["--country", "IN", "--purpose", "sale"],
        [6, 6],
        // 70 marla of 272.25 square feet.
        &[("living_area", "{ from = \"area_marla\", unit = \"marla\" } => 19057.5 sqft")],
    );
}

#[test]
fn nothing_is_left_out_without_a_word() {
    drafts(
        "07-nan-words-drop-columns/pd.csv",
        &["--country", "US", "--purpose", "sale"],
        [100, 100],
        &[
            ("bedrooms", "{ from = \"beds\" } => 2"),
            ("year_built", "{ from = \"year_built\" } => 1981"),
            ("postal_code", "{ from = \"zip_code\", regex = '^(.*?)(?:\\.0)?$' } => 83702"),
            ("latitude", "{ from = \"latitude\" } => 43.6"),
            ("longitude", "{ from = \"longitude\" } => -116.2"),
            ("bathrooms", "not full_baths: \"full\" in its name says something else."),
        ],
    );
}

#[test]
fn an_id_is_that_of_the_home() {
    drafts(
        "17-no-id-dead-end/idn.csv",
        &["--country", "US"],
        [5, 5],
        &[("native_id", "{ from = \"Objekt-Nr\" } => A-10")],
    );
    if let Some(file) = case("10-id-from-url-query/u3.json") {
        let hints = ["--country", "FR", "--purpose", "sale", "--json"];
        let tried = Room::new().stoop(&[&["sources", "try", &file.display().to_string()][..], &hints].concat());
        let id = &drafted(&tried.ok().json(), "native_id")[0];
        assert!(id.ends_with(" => 253811071"), "{id}");
    }
    let Some(room) = room_of("12-relisted-home-counts-twice", &["rf.csv", "r1.csv", "r2.csv"]) else { return };
    room.stoop(&["sources", "new", "rf", "--from", "rf.csv"]).ok();
    let message = room.json(&["replay", "--snapshot", "--map", "rf.toml", "r1.csv", "r2.csv"]);
    says(&message, &json!({ "homes": 1, "new": 1, "changed": 1, "gone": 0, "drops": 1, "quarantined": 0 }));
}

#[test]
fn one_column_may_say_status_purpose_and_what_a_price_is() {
    drafts(
        "11-sold-price-as-asking-price/rs.csv",
        &[],
        [3, 3],
        &[
            ("list_price", "{ from = \"PRICE\", only = { from = \"STATUS\", not = [\"Sold\"] } } => -"),
            ("close_price", "{ from = \"PRICE\" } => 410000 USD"),
            ("close_date", "{ from = \"SOLD DATE\", date = \"%B-%d-%Y\" } => 2024-08-02"),
        ],
    );
    drafts(
        "14-statuses-of-other-countries/uk.csv",
        &[],
        [9, 9],
        &[("status", "{ from = \"availability\" } => Active"), ("purpose", "{ from = \"department\" } => sale")],
    );
    drafts(
        "14-statuses-of-other-countries/so.json",
        &["--country", "GB"],
        [5, 5],
        &[("purpose", "{ from = \"listing_status\" } => sale")],
    );
    drafts(
        "14-statuses-of-other-countries/au.json",
        &["--country", "AU", "--purpose", "sale"],
        [5, 5],
        &[("status", "{ from = \"status\" } => Active"), ("close_price", "{ from = \"soldPrice\" } => 640000 AUD")],
    );
    // A purpose that most rows do not say is asked for.
    if let Some(file) = case("14-statuses-of-other-countries/au.json") {
        let asked = Room::new().stoop(&["sources", "try", &file.display().to_string(), "--country", "AU"]);
        asked.refused(&["no purpose: 3 of 5 rows do not say in status whether", "--purpose"]);
    }
    drafts(
        "18-status-says-the-purpose/hh.csv",
        &["--country", "US"],
        [4, 3],
        &[
            ("purpose", "{ from = \"status\" } => sale"),
            ("list_price", "not list_price_min: \"min\" in its name says something else."),
            ("bathrooms", "not half_baths: \"half\" in its name says something else."),
        ],
    );
}

#[test]
fn a_stray_quote_makes_no_home_gone() {
    let Some(room) = room_of("05-stray-quote-swallows-rows", &["oq.toml", "oq1.csv", "oq2.csv"]) else { return };
    let message = room.json(&["replay", "--snapshot", "--map", "oq.toml", "oq1.csv", "oq2.csv"]);
    says(&message, &json!({ "rows": 80, "homes": 40, "gone": 0, "quarantined": 1, "changed": 0 }));
    let rejects = room.rejects();
    assert_eq!(rejects[0].0, "oq2.csv: line 11");
    assert!(rejects[0].2.starts_with("text after a closing quote"), "{rejects:?}");
}

#[test]
fn spoilt_postal_codes_are_those_of_their_cities() {
    let Some(room) = room_of("08-zip-float-other-state", &["zm.toml", "z5.csv"]) else { return };
    room.json(&["replay", "--map", "zm.toml", "z5.csv"]);
    let hartford = "us/ct/hartford/hartford/06103";
    let expected = [
        [1, 2, 3, 4, 6, 7, 11].map(|id| (id, hartford)).to_vec(),
        // A code of another state loses.
        vec![(5, "us/ct/hartford/hartford/-")],
        vec![(8, "us/ma/middlesex/cambridge/02139"), (9, "us/id/ada/boise/83702")],
        vec![(10, "us/pr/san-juan/san-juan/00907")],
    ];
    for (id, area) in expected.concat() {
        let home = room.json(&["home", &format!("zm/{id}")]);
        assert_eq!(text(&home["market"]), format!("{area}:sale:USD"), "{id}");
    }
}

#[test]
fn a_price_that_cannot_be_read_loses_no_home() {
    let Some(room) = room_of("16-price-words", &["rg.toml", "rg.csv"]) else { return };
    let message = room.json(&["replay", "--map", "rg.toml", "rg.csv", "--max-rejects", "100"]);
    says(&message, &json!({ "homes": 7, "priced": 4, "quarantined": 0, "values_refused": 1 }));
    let prices = [(1, 1_542_000.0), (2, 399_000.0), (5, 840_000.0), (7, 650_000.0)];
    for (id, price) in prices {
        let home = room.json(&["home", &format!("rg/{id}")]);
        assert_eq!(number(&home["price"]), price, "{home}");
    }
}
