//! Thin figures look thin, and old ones old.

use clap::Parser;
use stoop_serve::Provider;

use super::*;
use crate::args::{Cli, Command};
use crate::show::Page;
use crate::views::compare::ComparedAreas;
use crate::views::definition::Defined;

const COLOURED: Look = Look { colours: true, width: 200 };

/// The words of a page that are not dimmed, without the lowest and the highest price, which have no sample.
fn undimmed(page: &Page) -> String {
    let mut kept = String::new();
    for line in page.as_str().lines().filter_map(|line| line.split("  range  ").next()) {
        for (at, part) in line.split("\u{1b}[2m").enumerate() {
            let rest = if at == 0 { part } else { part.split_once("\u{1b}[0m").map_or("", |(_, rest)| rest) };
            kept += rest;
        }
        kept.push('\n');
    }
    kept
}

/// The words with an amount, a share or a number of days or months.
fn figures(words: &str) -> Vec<&str> {
    let is_digit = |text: &str| text.ends_with(|last: char| last.is_ascii_digit());
    let is_word = |text: &str| text.starts_with(char::is_alphabetic);
    let has = |line: &str, unit: &str| {
        line.match_indices(unit).any(|(at, _)| is_digit(&line[..at]) && !is_word(&line[at + unit.len()..]))
    };
    let is_figure = |line: &&str| line.contains('$') || [" %", " d", " months"].iter().any(|unit| has(line, unit));
    words.lines().filter(is_figure).collect()
}

fn compared(world: &World, options: &str) -> ComparedAreas {
    let words = ["stoop", "compare"].into_iter().chain(options.split_whitespace());
    let Command::Compare(args) = Cli::try_parse_from(words).unwrap().command else { panic!() };
    ComparedAreas::read(&world.database, &args).unwrap()
}

/// The tables of figures of King County.
fn pages(world: &World) -> Vec<Page> {
    let database = &*world.database;
    let wanted = WantedMarkets { change: Some(7), ..WantedMarkets::default() };
    vec![
        AreaView::read(database, "king county", None, 30).unwrap().draw(COLOURED),
        Markets::read(database, None, None, &wanted, 40).unwrap().draw(COLOURED),
        compared(world, "98178 98103").draw(COLOURED),
        compared(world, "98178 98103 --by bedrooms").draw(COLOURED),
        Defined::read(database, "us/wa", Provider::Redfin, None).unwrap().draw(COLOURED),
    ]
}

#[test]
fn figures_of_fewer_than_ten_homes_are_dimmed_in_every_table() {
    for page in pages(&world()) {
        // The names of figures have the days of their window, and headings those of changes.
        let words = undimmed(&page).replace(", 28 d", "");
        let shown: Vec<&str> = figures(&words).into_iter().filter(|line| !line.contains("\u{1b}[1m")).collect();
        assert!(shown.is_empty(), "{shown:#?}\n{page}");
    }
}

#[test]
fn figures_of_ten_homes_are_not_dimmed() {
    let world = world();
    let more = (0..20).flat_map(|n| {
        let home = house(&format!("2{n:03}"), "Seattle", "98178", 3, 1_500, "1 Main St");
        seen(&home, &[("2026-01-03T18:00:00Z", 500_000 + n, Status::Active)])
    });
    block_on(Measurer::new(&*world.database).measure(&more.collect::<Vec<_>>())).unwrap();
    for page in pages(&world) {
        assert!(!figures(&undimmed(&page)).is_empty(), "{page}");
    }
    let area = AreaView::read(&world.database, "98178", None, 30).unwrap().draw(COLOURED);
    let words = undimmed(&area);
    for name in ["median price", "mean price", "median age", "3 bedrooms", "2026-01-12"] {
        let line = words.lines().find(|line| line.contains(name)).unwrap();
        assert!(line.contains('$') || line.contains(" days"), "{name}: {line}\n{area}");
    }
    let bedrooms = words.lines().find(|line| line.starts_with("2 bedrooms")).unwrap();
    assert!(!bedrooms.contains('$'), "of one home: {bedrooms}");
}

/// In 98103 a home was last seen on January 12 at 18:00, and in 98178 at the time of the figures.
#[test]
fn the_age_of_the_newest_observation_is_shown() {
    let world = world();
    let read = |query: &str, as_of| AreaView::read(&world.database, query, as_of, 1).unwrap();
    let old = read("98103", None);
    let json = serde_json::to_value(&old).unwrap()["markets"][0].clone();
    assert_eq!((&json["observed_at"], &json["lag_seconds"]), (&"2026-01-12T18:00:00Z".into(), &88_200.into()));
    let shown = old.draw(SCREEN);
    assert!(shown.as_str().contains("as of 2026-01-13 18:30 UTC, newest observation 1 d 0 h before\n"), "{shown}");
    assert!(!read("98178", None).draw(SCREEN).as_str().contains("newest observation"));
    let past = serde_json::to_value(read("98103", Some(at("2026-01-05T00:00:00Z")))).unwrap();
    assert_eq!(past["markets"][0]["lag_seconds"], serde_json::Value::Null, "it was later");
}
