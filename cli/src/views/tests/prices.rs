//! Price indices of homes in one postal code that are all on offer for months, or listed twice.

use clap::Parser;

use super::*;
use crate::args::{Cli, Command};

fn measure(observations: &[Observation]) -> World {
    let world = nothing();
    block_on(Measurer::new(&*world.database).measure(observations)).unwrap();
    world
}

fn market(world: &World, options: &str) -> AreaView {
    let words = ["stoop", "market"].into_iter().chain(options.split_whitespace());
    let Command::Market(args) = Cli::try_parse_from(words).unwrap().command else { panic!() };
    AreaView::asked(&world.database, &args).unwrap()
}

/// The example of `docs/METRICS.md`: twelve homes each of three kinds.
fn listed_twice() -> World {
    use Status::{Active, Closed};
    let kinds: [[(&str, i64, Status); 3]; 3] = [
        [("2026-01-05", 400_000, Active), ("2026-01-20", 0, Closed), ("2026-02-10", 420_000, Active)],
        [("2026-02-03", 400_000, Active), ("2026-02-20", 0, Closed), ("2026-03-10", 420_000, Active)],
        [("2026-01-07", 400_000, Active), ("2026-02-20", 0, Closed), ("2026-03-20", 450_000, Active)],
    ];
    let homes = kinds.iter().enumerate().flat_map(|(kind, times)| {
        (0..12).flat_map(move |home| {
            let house = house(&format!("{kind}-{home}"), "Seattle", "98178", 3, 1_200, "5500 S Norfolk St");
            let times = times.map(|(date, price, status)| (format!("{date}T20:00:00Z"), price, status));
            times.iter().flat_map(|(at, price, status)| seen(&house, &[(at, *price, *status)])).collect::<Vec<_>>()
        })
    });
    measure(&homes.collect::<Vec<_>>())
}

#[test]
fn an_area_has_a_repeat_listing_index_if_it_is_asked_for() {
    let world = listed_twice();
    let of = |area: &str| serde_json::to_value(market(&world, area)).unwrap()["markets"][0]["repeat_index"].clone();
    let expected = serde_json::json!([
        {"month": "2026-01", "index": 100.0, "pairs": 24, "thin": false},
        {"month": "2026-02", "index": 105.71, "pairs": 24, "thin": false},
        {"month": "2026-03", "index": 111.74, "pairs": 24, "thin": false},
    ]);
    for area in ["98178 --index", "king --index", "king --index --days 900", "us/ --index --as-of 2026-03-21"] {
        assert_eq!(of(area), expected, "{area}");
    }
    assert!(world.database.roll_up(at("2026-03-20T20:00:00Z"), &|| false).unwrap() > 0);
    assert_eq!(of("king --index"), expected, "from the stored sum");
    assert!(of("king").is_null(), "not asked for");
    assert_eq!(of("98178 --index --as-of 2026-03-09").as_array().unwrap().len(), 0, "12 pairs so far");
    let page = market(&world, "98178 --index").draw(NARROW).to_string();
    let index = page.lines().skip_while(|line| *line != "First asking prices of homes listed again").take(7);
    assert_snapshot!("repeat_index", index.collect::<Vec<_>>().join("\n"));
    let page = market(&world, "98178 --index --as-of 2026-03-09").draw(NARROW).to_string();
    assert!(page.contains("fewer than 30 homes were listed again: no index"), "{page}");
    let csv = market(&world, "king --index").csv().unwrap().text().unwrap();
    let row = "us/wa/king:sale:USD,sale,USD,2026-02,105.71,24,false";
    assert_eq!(csv.lines().next(), Some("market,purpose,currency,month,index,pairs,thin"));
    assert!(csv.lines().any(|line| line == row), "{csv}");
    for other in ["--as-known 2026-03-01", "--definition redfin"] {
        let words = format!("stoop market 98178 --index {other}");
        assert!(Cli::try_parse_from(words.split_whitespace()).is_err(), "{other}");
    }
}

/// Ten condominiums that get a tenth dearer, and ten houses, on offer from January on.
#[test]
fn changes_show_prices_at_the_same_mix_once_they_are_known() {
    use Status::Active;
    let homes = (0..20).flat_map(|home| {
        let bedrooms = if home % 2 == 0 { 2 } else { 4 };
        let house = house(&home.to_string(), "Seattle", "98178", bedrooms, 1_200, "5500 S Norfolk St");
        let (first, then) = if home % 2 == 0 { (400_000, 440_000) } else { (900_000, 900_000) };
        seen(&house, &[("2026-01-02T20:00:00Z", first, Active), ("2026-02-01T20:00:00Z", then, Active)])
    });
    let world = measure(&homes.collect::<Vec<_>>());
    let shown = market(&world, "98178 --as-of 2026-03-02T20:00:00Z");
    let page = shown.draw(SCREEN).to_string();
    let changes = page.lines().skip_while(|line| *line != "Change").take(7);
    assert_snapshot!("mix_adjusted_changes", changes.collect::<Vec<_>>().join("\n"));
    let csv = shown.csv().unwrap().text().unwrap();
    let header: Vec<&str> = csv.lines().next().unwrap().split(',').collect();
    let column = header.iter().position(|name| *name == "price_index").unwrap();
    let last = csv.lines().last().unwrap().split(',').nth(column).unwrap();
    assert!((last.parse::<f64>().unwrap() - 104.9).abs() < 0.4, "half of the homes, a tenth dearer: {last}");
}
