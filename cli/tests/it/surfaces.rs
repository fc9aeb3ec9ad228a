//! The same question has the same answer everywhere: commands, API, CSV, lists and pages, to the last digit.

use serde_json::{Map, Value};
use stoop_domain::Currency;

use crate::pages::served::RunningServer;
use crate::support::{Room, list, number, text};

/// What the command line has and the API does not, or under another name: they are no figures.
const NOT_FIGURES: [&str; 3] = ["yields", "consists_of", "consists_of_total"];

/// A simulated market of some months in several states, with homes for sale and for rent.
fn room() -> Room {
    let room = Room::new();
    let simulated = room.stoop(&["simulate", "--rows", "60000", "--homes", "3000"]).ok().stdout;
    room.write("updates.jsonl", simulated);
    let map = concat!(env!("CARGO_MANIFEST_DIR"), "/../maps/simulated.toml");
    room.replay(map, &["updates.jsonl"]);
    room
}

fn without(answer: &Value, names: &[&str]) -> Map<String, Value> {
    let members = answer.as_object().unwrap().iter();
    members
        .filter(|(name, _)| !names.contains(&name.as_str()))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

/// The days before the newest one, with areas of each level: ten of each that has so many.
#[test]
fn every_surface_says_the_same_of_fifty_areas_and_moments() {
    let room = room();
    let served = RunningServer::start(&room);
    let newest = text(&room.json(&["markets", "--limit", "1"])["as_of"]).to_owned();
    let newest = stoop_domain::Time::parse(&newest).unwrap();
    let mut asked = 0;
    for (level, areas) in [("country", 2), ("region", 4), ("county", 4), ("city", 4), ("market", 6)] {
        let listed: Vec<&str> = if level == "market" { vec!["markets"] } else { vec!["markets", "--level", level] };
        let rows = room.json(&[listed.as_slice(), &["--limit", "40"]].concat());
        let ids: Vec<&str> = list(&rows["markets"]).iter().map(|row| text(&row["id"])).collect();
        let step = (ids.len() / areas).max(1);
        for days_before in [0, 1, 9, 40] {
            let as_of = newest.plus_ms(-days_before * 86_400_000).to_string();
            let rows = room.json(&[listed.as_slice(), &["--limit", "400", "--as-of", &as_of]].concat());
            for id in ids.iter().step_by(step).take(areas) {
                let row = list(&rows["markets"]).iter().find(|row| text(&row["id"]) == *id);
                let row = row.unwrap_or_else(|| panic!("{id} is not listed as of {as_of}"));
                alike(&room, &served, id, &as_of, row);
                asked += 1;
            }
        }
    }
    assert!(asked >= 50, "{asked} areas and moments");
}

/// Compares all surfaces for one market, or one sum of markets, at a moment.
#[track_caller]
fn alike(room: &Room, served: &RunningServer, id: &str, as_of: &str, row: &Value) {
    let (path, terms) = id.split_once(':').unwrap();
    let path = if path.contains('/') { path.to_owned() } else { format!("{path}/") };
    let query = format!("{path}:{terms}");
    let shown = room.json(&["market", &query, "--as-of", as_of, "--days", "60", "--index"]);
    let what = format!("{id} as of {as_of}");

    let address = query.replace(':', "%3A");
    let api = served.json(&format!("/api/v1/markets/{address}?as_of={as_of}&days=60&index=true&yields=true"));
    assert_eq!(without(&shown, &NOT_FIGURES), without(&api, &NOT_FIGURES), "{what}: command and API");
    let is_sale = terms.starts_with("sale");
    if is_sale {
        assert_eq!(shown["yields"], api["yields"], "{what}");
    }

    let market = &shown["markets"][0];
    for (name, value) in row.as_object().unwrap().iter().filter(|(name, _)| *name != "change") {
        assert_eq!(value, &market[name], "{what}: {name} in the list");
    }

    let csv = room.stoop(&["market", &query, "--as-of", as_of, "--days", "60", "--csv"]).ok().stdout;
    let of_api = served.get_with(&format!("/api/v1/markets/{address}?as_of={as_of}&days=60"), "Accept: text/csv\r\n");
    assert_eq!(csv, of_api.body, "{what}: CSV of command and API");
    let (purpose, currency) = terms.split_once(':').unwrap();
    let page = format!("/areas/{}?for={purpose}&currency={currency}&days=60&as_of={as_of}", path.trim_end_matches('/'));
    let of_page = served.get(&page.replacen('?', "/days.csv?", 1));
    assert_eq!(csv, of_page.body, "{what}: CSV behind the charts");

    let page = served.page(&page);
    let currency = Currency::parse(currency).unwrap();
    let median = market["median_price"].as_f64().map(|median| stoop_show::price(median, currency));
    assert!(
        page.contains(&format!(">{}</dd>", median.unwrap_or_else(|| "–".to_owned()))),
        "{what}: median on the page"
    );
    assert!(
        page.contains(&format!(">{}</dd>", stoop_show::whole(market["active"].as_i64().unwrap()))),
        "{what}: homes"
    );
    for change in list(&market["changes"]) {
        for name in ["median_price_change", "mix_adjusted_change"] {
            if !change[name].is_null() {
                let shown = stoop_show::change(number(&change[name])).replace('-', "−");
                assert!(
                    page.contains(&format!(">{shown}</span>")),
                    "{what}: {name} of {} days on the page",
                    change["days"]
                );
            }
        }
    }
}
