//! Cities, counties, regions and countries.

use std::collections::BTreeMap;

use stoop_market::Cells;
use stoop_pipeline::WideLevel;
use stoop_serve::{MarketView, MergedId, Sum, find_area};

use super::*;

fn of_level(world: &World, level: WideLevel, wanted: &WantedMarkets) -> Markets {
    Markets::read(&world.database, Some(level), None, wanted, 40).unwrap()
}

fn ids(markets: &Markets) -> Vec<String> {
    let json = serde_json::to_value(markets).unwrap();
    let rows = json["markets"].as_array().unwrap().iter();
    rows.map(|row| row["id"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn wide_areas_are_listed_the_same_before_they_are_rolled_up_and_after() {
    let world = world();
    let all = |world: &World| {
        let json = |level| serde_json::to_string(&of_level(world, level, &WantedMarkets::default())).unwrap();
        WideLevel::ALL.map(json)
    };
    let before = all(&world);
    assert!(world.database.roll_up(at("2026-01-14T20:00:00Z"), &|| false).unwrap() > 2);
    assert_eq!(all(&world), before);
    assert_snapshot!("markets_of_cities", of_level(&world, WideLevel::City, &WantedMarkets::default()).draw(SCREEN));
    assert_snapshot!(
        "markets_of_counties",
        of_level(&world, WideLevel::County, &WantedMarkets::default()).draw(NARROW)
    );
    assert_snapshot!("markets_of_regions_json", json(&of_level(&world, WideLevel::Region, &WantedMarkets::default())));
    let csv = of_level(&world, WideLevel::Country, &WantedMarkets::default()).csv().unwrap().text().unwrap();
    assert_eq!(csv.lines().count(), 4, "a header, two purposes in Morocco, one in America: {csv}");
    // For a time too long ago for roll-ups, the markets are added up.
    let past =
        |level| Markets::read(&world.database, level, Some(at("2026-01-08T20:00:00Z")), &WantedMarkets::default(), 40);
    let active = |markets: Markets| {
        let json = serde_json::to_value(&markets).unwrap();
        json["markets"].as_array().unwrap().iter().map(|row| row["active"].as_i64().unwrap()).sum::<i64>()
    };
    let expected = active(past(None).unwrap());
    assert!(expected > 0);
    for level in WideLevel::ALL {
        assert_eq!(active(past(Some(level)).unwrap()), expected, "{level:?}");
    }
}

#[test]
fn markets_are_sorted_by_any_figure_and_left_out_where_they_are_few() {
    let world = world();
    let wanted =
        |sort, desc, min_homes| WantedMarkets { sort: Some(figure(sort).unwrap()), change: None, desc, min_homes };
    let sorted = |level, wanted: &WantedMarkets| ids(&Markets::read(&world.database, level, None, wanted, 40).unwrap());
    let up = sorted(None, &wanted("median_price", false, 0));
    let mut down = sorted(None, &wanted("median_price", true, 0));
    down.reverse();
    assert!(up.len() > 3);
    assert_eq!(up, down, "of those there is none without a price");
    let all = Markets::read(&world.database, None, None, &WantedMarkets::default(), 40).unwrap();
    let json = serde_json::to_value(&all).unwrap();
    let rows = json["markets"].as_array().unwrap();
    let median = |id: &str| rows.iter().find(|row| row["id"] == id).unwrap()["median_price"].as_f64().unwrap();
    assert!(up.windows(2).all(|pair| median(&pair[0]) <= median(&pair[1])), "{up:?}");
    let few = sorted(None, &wanted("last_7_days_new", true, 2));
    let expected = rows.iter().filter(|row| row["priced"].as_i64().unwrap() >= 2).count();
    assert!(expected > 0 && expected < rows.len());
    assert_eq!(few.len(), expected);
    assert!(figure("last_7_days.new").is_err() && figure("price").is_err());
    let cities = sorted(Some(WideLevel::City), &wanted("active", false, 0));
    let largest = sorted(Some(WideLevel::City), &wanted("active", true, 0));
    assert_eq!(cities.last(), largest.first());
    assert_eq!(largest[0], "us/wa/king/seattle:sale:USD");
}

/// An area shows the sum of its markets, to the last digit, from stored sums or without them.
#[test]
fn an_area_shows_what_its_markets_add_up_to() {
    let world = world();
    let known = world.database.market_ids().unwrap();
    for is_rolled in [false, true] {
        for query in ["agadir", "seattle", "us/wa/king", "us/wa", "ma/"] {
            let found = find_area(query, &known).unwrap();
            let shown = AreaView::read(&world.database, query, None, 30).unwrap().view;
            let mut sums: BTreeMap<MergedId, Cells> = BTreeMap::new();
            for market in &found.markets {
                let cells = world.database.cells(market).unwrap().unwrap();
                sums.entry(MergedId::of(market)).or_default().merge(&cells);
            }
            assert_eq!((&shown.path, shown.markets.len()), (&found.path, sums.len()));
            for (shown, (id, sum)) in shown.markets.iter().zip(&sums) {
                let plain = MarketView::of(&found, *id, Sum::Whole(sum), at(&shown.as_of), 30);
                assert_eq!(shown.figures, plain.figures, "{query} {is_rolled}");
                assert_eq!((&shown.days, &shown.changes), (&plain.days, &plain.changes), "{query} {is_rolled}");
                assert_eq!((&shown.watched_since, &shown.unusual), (&plain.watched_since, &plain.unusual));
            }
        }
        world.database.roll_up(at("2026-01-14T20:00:00Z"), &|| false).unwrap();
    }
}
