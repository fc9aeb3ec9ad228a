//! Areas side by side, and lists by their change.

use clap::Parser;

use super::*;
use crate::args::{Cli, Command};
use crate::views::compare::ComparedAreas;

fn compared(world: &World, options: &str) -> anyhow::Result<ComparedAreas> {
    let words = ["stoop", "compare"].into_iter().chain(options.split_whitespace());
    let Command::Compare(args) = Cli::try_parse_from(words).unwrap().command else { panic!() };
    ComparedAreas::read(&world.database, &args)
}

fn listed(world: &World, options: &str) -> Markets {
    let words = ["stoop", "markets"].into_iter().chain(options.split_whitespace());
    let Command::Markets(args) = Cli::try_parse_from(words).unwrap().command else { panic!() };
    Markets::read(&world.database, args.level, args.as_of.as_of, &args.wanted, args.limit).unwrap()
}

#[test]
fn areas_stand_side_by_side_with_the_figures_that_one_of_them_has() {
    let world = world();
    assert_snapshot!("compare", compared(&world, "98178 98103 seattle").unwrap().draw(SCREEN));
    assert_snapshot!(
        "compare_asked",
        compared(&world, "98178 98103 --window 7 --figures homes_cut,pending_stock").unwrap().draw(SCREEN)
    );
    assert_snapshot!("compare_bedrooms", compared(&world, "98178 98103 --by bedrooms").unwrap().draw(SCREEN));
}

#[test]
fn areas_that_cannot_be_compared_are_named() {
    let world = world();
    let message = |options| compared(&world, options).err().unwrap().to_string();
    assert!(message("98178 --rent").contains("no home for rent is watched in 98178"), "{}", message("98178 --rent"));
    assert!(message("98178 zzyzxquarry").contains("zzyzxquarry"), "{}", message("98178 zzyzxquarry"));
    let unknown = ["stoop", "compare", "98178", "--figures", "beauty"];
    let refusal = Cli::try_parse_from(unknown).err().unwrap().to_string();
    assert!(refusal.contains("accepted: active, unconfirmed"), "{refusal}");
}

/// In 98178, three homes asked 540,000, 604,000 and 720,000 on January 7, one more 310,000; a week later two of them ask
/// less or more, and one is under contract.
#[test]
fn a_list_shows_and_sorts_by_the_change_since_an_earlier_day() {
    let world = world();
    let list = listed(&world, "--sort median_price_change --change 7");
    assert_snapshot!("markets_by_change", list.draw(SCREEN));
    let json = serde_json::to_value(&list).unwrap();
    let rows = json["markets"].as_array().unwrap();
    let changes: Vec<Option<f64>> = rows.iter().map(|row| row["change"]["median_price_change"].as_f64()).collect();
    let known: Vec<f64> = changes.iter().flatten().copied().collect();
    assert!(known.is_sorted() && changes.iter().skip(known.len()).all(Option::is_none), "{changes:?}");
    let by_mix = listed(&world, "--sort mix_adjusted_change --change 7").draw(SCREEN).to_string();
    assert!(by_mix.contains("mix-adj., 7 d"), "what it is sorted by is shown, if known or not:\n{by_mix}");
    let plain = serde_json::to_value(listed(&world, "")).unwrap();
    assert!(plain["markets"].as_array().unwrap().iter().all(|row| row.get("change").is_none()), "none was asked for");
    // The sum of a wide area, from its series.
    assert!(world.database.roll_up(at("2026-01-14T20:00:00Z"), &|| false).unwrap() > 2);
    let csv = listed(&world, "--level county --change 7").csv().unwrap().text().unwrap();
    let header = csv.lines().next().unwrap();
    assert!(
        header.contains(",change_median_price_change,") && header.contains(",change_mix_adjusted_change,"),
        "{header}"
    );
}
