//! Reference series beside the small market.

use clap::Parser;
use stoop_domain::{AreaValues, Day, ReferenceSeries, ReferenceUnit};

use super::*;
use crate::args::{Cli, Command};
use crate::views::compare::ComparedAreas;
use crate::views::reference::References;

fn store(world: &World, name: &str, unit: ReferenceUnit, areas: &[(&str, &[(&str, f64)])]) {
    let area = |(path, values): &(&str, &[(&str, f64)])| AreaValues {
        path: (*path).to_owned(),
        values: values.iter().map(|(of, value)| (Day::last_of(of).unwrap(), *value)).collect(),
    };
    let series = ReferenceSeries { name: name.to_owned(), unit, areas: areas.iter().map(area).collect() };
    world.database.store_reference(&series, &format!("{name}.csv"), at("2026-01-14T08:00:00Z")).unwrap();
}

/// The market with four series: prices of one postal code that change within the days shown, and wider ones.
fn with_series() -> World {
    let world = world();
    let usd = ReferenceUnit::Money(Currency::USD);
    let zip: &[(&str, f64)] = &[("2025-12-31", 500_000.0), ("2026-01-08", 512_345.67), ("2026-01-31", 1.0)];
    store(&world, "zhvi", usd, &[("us/wa/king/seattle/98178", zip), ("us/wa", &[("2025-11", 600_000.0)])]);
    store(&world, "income", usd, &[("us/wa/king", &[("2024", 122_148.0)]), ("us", &[("2025", 83_730.0)])]);
    store(&world, "rate", ReferenceUnit::Share, &[("us", &[("2026-01-08", 0.0616)])]);
    store(&world, "people", ReferenceUnit::Persons, &[("us/wa/king", &[("2024", 2_340_211.0)])]);
    world
}

fn market(world: &World, options: &str) -> AreaView {
    let words = ["stoop", "market"].into_iter().chain(options.split_whitespace());
    let Command::Market(args) = Cli::try_parse_from(words).unwrap().command else { panic!() };
    AreaView::asked(&world.database, &args).unwrap()
}

fn compared(world: &World, options: &str) -> ComparedAreas {
    let words = ["stoop", "compare"].into_iter().chain(options.split_whitespace());
    let Command::Compare(args) = Cli::try_parse_from(words).unwrap().command else { panic!() };
    ComparedAreas::read(&world.database, &args).unwrap()
}

/// The section of a page that begins with this heading.
fn section(page: &str, heading: &str) -> String {
    let lines = page.lines().skip_while(|line| *line != heading);
    lines.take_while(|line| !line.starts_with("By ")).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_market_shows_the_series_of_its_area_or_the_nearest_around_it() {
    let world = with_series();
    let view = market(&world, "98178");
    assert_snapshot!("reference_of_a_market", section(&view.draw(SCREEN).to_string(), "Reference"));
    let value = serde_json::to_value(&view).unwrap();
    assert_snapshot!("reference_json", json(&value["markets"][0]["reference"]));
    for width in [40, 60] {
        let page = view.draw(Look { colours: false, width }).to_string();
        assert!(page.lines().all(|line| line.chars().count() <= usize::from(width)), "{page}");
    }
    let other = market(&world, "98103");
    let other = serde_json::to_value(&other).unwrap();
    let zhvi = other["markets"][0]["reference"].as_array().unwrap().iter().find(|it| it["name"] == "zhvi").unwrap();
    assert_eq!(
        (&zhvi["of"], &zhvi["date"], &zhvi["value"]),
        (&"us/wa".into(), &"2025-11-30".into(), &600_000.0.into())
    );
}

#[test]
fn each_day_has_the_value_that_held_on_it() {
    let world = with_series();
    let view = market(&world, "98178");
    let value = serde_json::to_value(&view).unwrap();
    let of = |day: &str| {
        let days = value["markets"][0]["days"].as_array().unwrap();
        days.iter().find(|it| it["day"] == day).unwrap()["reference"].clone()
    };
    let before = serde_json::json!({ "zhvi": 500_000.0, "income": 122_148.0, "people": 2_340_211.0 });
    let after = serde_json::json!({ "zhvi": 512_345.67, "income": 122_148.0, "people": 2_340_211.0, "rate": 0.0616 });
    assert_eq!((of("2026-01-07"), of("2026-01-08")), (before, after));
    let csv = view.csv().unwrap().text().unwrap();
    let mut lines = csv.lines();
    assert!(lines.next().unwrap().ends_with(",sold,reference_income,reference_people,reference_rate,reference_zhvi"));
    assert!(lines.next().unwrap().ends_with(",122148.0,2340211.0,,500000.0"), "{csv}");
}

#[test]
fn rents_other_currencies_and_the_past_have_no_ratio_or_no_series() {
    let world = with_series();
    let usd = ReferenceUnit::Money(Currency::USD);
    store(&world, "gdp", usd, &[("ma", &[("2024", 4_000.0)])]);
    store(&world, "salary", ReferenceUnit::Money(Currency::MAD), &[("ma", &[("2024", 60_000.0), ("2026-02", 1.0)])]);
    let value = serde_json::to_value(market(&world, "agadir")).unwrap();
    let ratios = |market: usize| {
        let series = value["markets"][market]["reference"].as_array().unwrap();
        series.iter().map(|it| (it["name"].clone(), it["price_ratio"].as_f64().is_some())).collect::<Vec<_>>()
    };
    assert_eq!(ratios(0), [("gdp".into(), false), ("salary".into(), true)], "for sale in MAD");
    assert_eq!(ratios(1), [("gdp".into(), false), ("salary".into(), false)], "for rent");
    let past = serde_json::to_value(market(&world, "agadir --as-known 2026-01-10")).unwrap();
    assert!(past["markets"][0].get("reference").is_none(), "when a series was known is not stored");
    let none = serde_json::to_value(market(&super::world(), "98178")).unwrap();
    assert!(none["markets"][0].get("reference").is_none() && none["markets"][0]["days"][0].get("reference").is_none());
}

#[test]
fn compared_areas_have_a_row_for_each_series() {
    let world = with_series();
    assert_snapshot!("reference_compared", compared(&world, "98178 98103").draw(SCREEN));
    let value = serde_json::to_value(compared(&world, "98178 98103")).unwrap();
    assert_eq!(value["areas"][1]["reference"][3]["of"], "us/wa");
    let csv = compared(&world, "98178 98103").csv().unwrap().text().unwrap();
    assert!(csv.lines().next().unwrap().ends_with("reference_income,reference_people,reference_rate,reference_zhvi"));
    assert!(csv.lines().nth(1).unwrap().ends_with(",122148.0,2340211.0,0.0616,512345.67"), "{csv}");
    let asked = compared(&world, "98178 98103 --figures active").draw(SCREEN).to_string();
    assert!(!asked.contains("zhvi"), "{asked}");
}

#[test]
fn the_series_are_listed() {
    assert_snapshot!("references_none", References::read(&world().database).unwrap().draw(SCREEN));
    let world = with_series();
    let view = References::read(&world.database).unwrap();
    assert_snapshot!("references", view.draw(SCREEN));
    assert_snapshot!("references_csv", view.csv().unwrap().text().unwrap());
}
