//! The views of a small handmade market: seven homes in two King County postal codes and three in Agadir, over the
//! first two weeks of 2026.

mod compare;
mod definition;
mod forms;
mod picked;
mod prices;
mod quality;
mod reference;
mod wide;
mod world;

use std::sync::Arc;

use insta::assert_snapshot;
use stoop_domain::{
    Address, Alert, AlertId, Area, AreaUnit, Currency, HomeId, Listing, Minor, Observation, PropertyType, Purpose,
    Reason, Reject, Status, Time, Verdict, Watch,
};
use stoop_embedded::Database;
use stoop_pipeline::Measurer;
use stoop_pipeline::ports::{Ledger, Quarantine, RunLedger, RunOutcome, RunRecord};
use stoop_serve::NotCompared;

use super::View;
use super::alerts::Alerts;
use super::duplicates::{each_listing, too_many};
use super::home::{HomePage, other_listings};
use super::homes::Homes;
use super::market::Area as AreaView;
use super::markets::Markets;
use super::quarantine::Quarantined;
use super::runs::Runs;
use crate::args::{StoreArgs, WantedArgs, WantedMarkets, figure};
use crate::failure::Usage;
use crate::show::Look;

use world::*;

const SCREEN: Look = Look { colours: false, width: 110 };
const NARROW: Look = Look { colours: false, width: 80 };

fn json(value: &impl serde::Serialize) -> String {
    serde_json::to_string_pretty(value).unwrap()
}

/// The keys of an object, which programs depend on.
fn keys(value: &impl serde::Serialize, pointer: &str) -> Vec<String> {
    let value = serde_json::to_value(value).unwrap();
    let mut keys: Vec<String> = value.pointer(pointer).unwrap().as_object().unwrap().keys().cloned().collect();
    keys.sort();
    keys
}

fn is_usage<T>(outcome: anyhow::Result<T>) -> String {
    let error = outcome.err().unwrap();
    assert!(error.downcast_ref::<Usage>().is_some(), "{error}");
    error.to_string()
}

#[test]
fn markets_come_largest_first() {
    let world = world();
    let view = Markets::read(&world.database, None, None, &WantedMarkets::default(), 40).unwrap();
    assert_snapshot!("markets", view.draw(SCREEN));
    assert_snapshot!(
        "markets_narrow",
        Markets::read(&world.database, None, None, &WantedMarkets::default(), 2).unwrap().draw(NARROW)
    );
    assert_snapshot!(
        "markets_json",
        json(&Markets::read(&world.database, None, None, &WantedMarkets::default(), 1).unwrap())
    );
}

#[test]
fn the_past_is_shown_as_it_is_known_now() {
    let world = world();
    let view = AreaView::read(&world.database, "98178", Some(at("2026-01-07T20:00:00Z")), 30).unwrap();
    let value = serde_json::to_value(&view).unwrap();
    assert_eq!(value["markets"][0]["active"], 4);
    assert_eq!(value["markets"][0]["days"].as_array().unwrap().last().unwrap()["day"], "2026-01-07");
}

#[test]
fn an_area_shows_everything() {
    let world = world();
    assert_snapshot!(
        "area_of_two_codes",
        AreaView::read(&world.database, "king county", None, 30).unwrap().draw(SCREEN)
    );
    assert_snapshot!("area_sale_and_rent", AreaView::read(&world.database, "agadir", None, 7).unwrap().draw(NARROW));
    assert_snapshot!("area_json", json(&AreaView::read(&world.database, "haut founty:sale", None, 2).unwrap()));
}

#[test]
fn a_week_is_averaged_once_it_is_known() {
    let world = world();
    let view = AreaView::read(&world.database, "haut founty:sale", None, 30).unwrap();
    let value = serde_json::to_value(&view).unwrap();
    let days = value["markets"][0]["days"].as_array().unwrap();
    assert_eq!(days.len(), 11, "from the first observation on January 3 to 13");
    assert!(days[5]["median_price_7_days"].is_null());
    let week = days[6]["median_price_7_days"].as_f64().unwrap();
    assert!((week / 1_250_000.0 - 1.0).abs() < 0.001, "{week}");
    let pooled = days[10]["median_price_7_days"].as_f64().unwrap();
    assert!(days[10]["median_price"].as_f64().unwrap() < week && (pooled - week).abs() < 1.0, "on most of 7 days");
    assert!(days[10]["median_price_28_days"].is_null());
}

fn active() -> WantedArgs {
    WantedArgs::default()
}

fn every() -> WantedArgs {
    WantedArgs { all: true, ..active() }
}

#[test]
fn homes_come_newest_event_first() {
    let world = world();
    assert_snapshot!("homes", Homes::read(&world.database, "us/wa", &active(), 40).unwrap().draw(SCREEN));
    assert_snapshot!("homes_all", Homes::read(&world.database, "98178", &every(), 2).unwrap().draw(SCREEN));
    assert_snapshot!("homes_moroccan", Homes::read(&world.database, "agadir", &active(), 40).unwrap().draw(NARROW));
    assert_snapshot!("homes_json", json(&Homes::read(&world.database, "98178", &active(), 1).unwrap()));
}

#[test]
fn a_home_shows_its_history() {
    let world = world();
    assert_snapshot!("home", HomePage::read(&world.database, "kc/1001").unwrap().draw(SCREEN));
    assert_snapshot!("home_json", json(&HomePage::read(&world.database, "1002").unwrap()));
    let error = is_usage(HomePage::read(&world.database, "kc/9"));
    assert_eq!(error, "there is no home kc/9; `stoop homes AREA` lists those of an area");
    let error = is_usage(HomePage::read(&world.database, "mls/1002"));
    assert!(error.starts_with("there is no home mls/1002; did you mean kc/1002, kc/1001, "), "{error}");
}

#[test]
fn an_area_with_too_many_listings_is_not_read_to_its_end() {
    let world = world();
    let found = super::area(&world.database, "us/wa").unwrap();
    let visited = |most: usize| {
        let mut visited = 0;
        let visit = |_, _| {
            visited += 1;
            visited
        };
        let is_whole = each_listing(&world.database, &found.markets, most, visit).unwrap();
        (is_whole, visited)
    };
    let (is_whole, all) = visited(1_000);
    assert!(is_whole && found.markets.len() > 1);
    assert_eq!(visited(all), (true, all));
    let (is_whole, some) = visited(1);
    assert!(!is_whole && some < all, "{some} of {all}: the markets after are not read");
    let error = is_usage::<()>(Err(too_many("us/wa", 1)));
    assert_eq!(
        error,
        "us/wa has more than 1 listings, the most that are compared with each other; accepted: a smaller area"
    );

    let id = HomeId("kc/1001".into());
    let home = world.database.home(&id).unwrap().unwrap().value;
    let not_compared = |most| other_listings(&world.database, &id, &home, Time::default(), most).unwrap().not_compared;
    assert_eq!((not_compared(1), not_compared(1_000)), (Some(NotCompared::TooManyListings), None));
}

#[test]
fn an_address_finds_a_home() {
    let world = world();
    let id = |text: &str| {
        let view = HomePage::read(&world.database, text).map(|view| serde_json::to_value(view).unwrap()["id"].clone());
        view.map_or_else(|error| error.to_string(), |id| id.as_str().unwrap().to_owned())
    };
    for address in [
        "5500 S Norfolk St, Seattle",
        "5500 south norfolk street",
        "5500 S Norfolk St 98178",
        " 5500 s. norfolk st., king county ",
    ] {
        assert_eq!(id(address), "kc/1001", "{address}");
    }
    // The post office says Renton; the street line does not.
    assert_eq!(id("13006 80th Ave S"), "kc/1004");
    assert_eq!(id("11 Waters Ave S"), "kc/1003", "the only unit there is");
    let accepted = "accepted: SOURCE/ID, the part behind the slash, or an address as its listing has it, like \"5500 S Norfolk \
                    St, Seattle\"; `stoop homes AREA` lists those of an area";
    for nobody in ["5501 S Norfolk St", "5500 S Norfolk St, Agadir", "11 Waters Ave S #5"] {
        assert_eq!(id(nobody), format!("there is no home at {nobody:?} here; {accepted}"));
    }
    let times = [("2026-01-13T00:00:00Z", 1, Status::Active)];
    for twin in [
        house("1", "Seattle", "98178", 2, 700, "11 Waters Ave S #6"),
        house("2", "Seattle", "98103", 2, 700, "11 Waters Ave S #4"),
    ] {
        block_on(Measurer::new(&*world.database).measure(&seen(&twin, &times))).unwrap();
    }
    let both = "2 homes fit \"11 Waters Ave S, 98178\"; say which:
  kc/1  11 Waters Ave S #6, us/wa/king/seattle/98178
  kc/1003  11 Waters Ave S #4, us/wa/king/seattle/98178";
    assert_eq!(id("11 Waters Ave S, 98178"), both);
    assert_eq!(id("11 Waters Avenue South, Apt. 4, 98103"), "kc/2");
    is_usage(HomePage::read(&world.database, "11 Waters Ave S #4"));
    assert_eq!(id("11 Waters Ave S #6"), "kc/1");
}

#[test]
fn a_doubtful_price_shows_its_interval_and_is_not_an_event() {
    let world = world();
    let home = house("1001", "Seattle", "98178", 3, 1_180, "5500 S Norfolk St");
    let slip = seen(&home, &[("2026-01-14T09:00:00Z", 41_990, Status::Active)]);
    block_on(Measurer::new(&*world.database).measure(&slip)).unwrap();
    let view = HomePage::read(&world.database, "kc/1001").unwrap();
    assert_snapshot!("home_doubtful", view.draw(SCREEN));
    assert!(json(&view).contains("\"doubtful\": \"fall\""));
}

/// A portal that never proves absence is still polled and no longer shows the home.
#[test]
fn an_expired_home_is_not_active_as_of_the_last_poll_that_ended_well() {
    let world = world();
    let home = house("4001", "Seattle", "98178", 3, 1_180, "1 Elm St");
    let mut seen = seen(&home, &[("2026-01-14T09:00:00Z", 500_000, Status::Active)]);
    seen[0].watch = Watch::Repeated;
    block_on(Measurer::new(&*world.database).measure(&seen)).unwrap();
    let shown = || {
        let homes = json(&Homes::read(&world.database, "98178", &active(), 40).unwrap());
        let market = serde_json::to_value(AreaView::read(&world.database, "98178", None, 30).unwrap()).unwrap();
        let figures = ["active", "unconfirmed"].map(|name| market["markets"][0][name].as_i64().unwrap());
        (homes.contains("kc/4001"), figures, json(&HomePage::read(&world.database, "kc/4001").unwrap()))
    };
    let poll = |began: &str, outcome| {
        let run = RunRecord { kind: "poll".into(), ..run(began, began, Some(began), outcome) };
        block_on(RunLedger::record(&*world.database, &run)).unwrap();
    };
    let (is_listed, [before, _], card) = shown();
    assert!(is_listed && !card.contains("\"Expired\""), "{card}");
    poll("2026-02-12T20:00:00Z", RunOutcome::Complete);
    poll("2026-03-13T12:00:00Z", RunOutcome::Failed);
    let (is_listed, figures, card) = shown();
    assert!(is_listed && !card.contains("\"Expired\""), "{card}");
    assert_eq!(figures, [before, 1]);
    // Midnight UTC is still the 13th in Seattle, whose close does not include it.
    poll("2026-02-13T20:00:00Z", RunOutcome::Complete);
    let (is_listed, figures, card) = shown();
    assert!(!is_listed && card.contains("\"status\": \"Expired\"") && card.contains("\"kind\": \"expired\""), "{card}");
    assert_eq!(figures, [before - 1, 0]);
}

#[test]
fn a_home_of_two_sources_is_not_guessed() {
    let world = world();
    let mut twin =
        seen(&house("1001", "Seattle", "98103", 3, 1_000, "2 Elm St"), &[("2026-01-13T00:00:00Z", 1, Status::Active)]);
    twin[0].source = "mls".into();
    block_on(Measurer::new(&*world.database).measure(&twin)).unwrap();
    let error = is_usage(HomePage::read(&world.database, "1001"));
    assert_eq!(error, "several sources have a home 1001; say which: kc/1001, mls/1001");
}

#[test]
fn alerts_are_reported_or_held_back() {
    let world = world();
    assert_snapshot!("alerts", Alerts::read(&world.database, None, false, 1).unwrap().draw(SCREEN));
    assert_snapshot!("alerts_suspect", Alerts::read(&world.database, None, true, 40).unwrap().draw(SCREEN));
    assert_snapshot!("alerts_json", json(&Alerts::read(&world.database, None, true, 40).unwrap()));
}

#[test]
fn alerts_of_an_area_are_those_of_its_homes() {
    let world = world();
    let all = world.database.alerts(stoop_embedded::AlertFilter::All, 100).unwrap();
    let mut found = 0;
    for (query, path) in [("king county", "us/wa/king/"), ("98103", "us/wa/king/seattle/98103"), ("morocco", "ma/")] {
        for suspect in [false, true] {
            let view = Alerts::read(&world.database, Some(query), suspect, 40).unwrap();
            let is_there = |alert: &&Alert| {
                alert.market.area.as_str().starts_with(path) && (alert.verdict != Verdict::Alert) == suspect
            };
            let expected: Vec<&str> = all.iter().filter(is_there).map(|alert| alert.home.as_str()).collect();
            let json = serde_json::to_value(&view).unwrap();
            let homes = json["alerts"].as_array().unwrap().iter().map(|row| row["home"].as_str().unwrap());
            assert_eq!(homes.collect::<Vec<_>>(), expected, "{query}, {suspect}");
            assert_eq!(json["total"], expected.len());
            let message = if suspect { "held back as suspect" } else { "sent" };
            let heading = format!(
                "{} {message} of homes in {}",
                super::plural(expected.len() as u64, "alert"),
                path.trim_end_matches('/')
            );
            assert!(view.draw(SCREEN).as_str().starts_with(&heading), "{heading}: {}", view.draw(SCREEN).as_str());
            found += expected.len();
        }
    }
    assert!(found > 0);
    let error = is_usage(Alerts::read(&world.database, Some("nowhere at all"), false, 40));
    assert!(error.contains("nowhere at all"), "{error}");
}

#[test]
fn quarantine_counts_and_quotes() {
    let world = world();
    assert_snapshot!("quarantine", Quarantined::read(&world.database, 2).unwrap().draw(SCREEN));
    let view = Quarantined::read(&world.database, 20).unwrap();
    assert_eq!(keys(&view, ""), ["counts", "kept", "rejects", "total", "values"]);
    assert_eq!(keys(&view, "/counts/0"), ["count", "reason", "source", "values"]);
    assert_eq!(keys(&view, "/rejects/0"), ["at", "detail", "location", "raw", "reason", "rows", "source", "values"]);
}

#[test]
fn runs_come_newest_first() {
    let world = world();
    assert_snapshot!("runs", Runs::read(&world.database, 20).unwrap().draw(SCREEN));
    let view = Runs::read(&world.database, 20).unwrap();
    let names = ["began_at", "counts", "ended_at", "id", "kind", "message", "outcome", "subject"];
    assert_eq!(keys(&view, "/runs/0"), names);
}

#[test]
fn an_empty_database_says_how_it_is_filled() {
    let world = nothing();
    let view = Markets::read(&world.database, None, None, &WantedMarkets::default(), 40).unwrap();
    assert_eq!(serde_json::to_string(&view).unwrap(), r#"{"as_of":null,"total":0,"markets":[]}"#);
    assert!(
        super::empty(&world.database).ends_with(
            "stoop.db is empty: fill it with `stoop demo`, `stoop replay --map MAP FILE...` or `stoop run`."
        )
    );
    assert!(is_usage(AreaView::read(&world.database, "98178", None, 30)).contains("is empty: fill it with"));
    assert!(is_usage(HomePage::read(&world.database, "kc/1")).contains("is empty: fill it with"));
    assert_eq!(Alerts::read(&world.database, None, false, 40).unwrap().draw(SCREEN).as_str(), "0 alerts sent\n");
    assert_eq!(Quarantined::read(&world.database, 40).unwrap().draw(SCREEN).as_str(), "0 rows in quarantine\n");
    assert_eq!(Runs::read(&world.database, 40).unwrap().draw(SCREEN).as_str(), "0 runs\n");
}

#[test]
fn a_missing_database_or_area_is_a_usage_error() {
    let folder = tempfile::tempdir().unwrap();
    let cli: crate::args::Cli =
        clap::Parser::parse_from(["stoop", "--db", folder.path().join("no.db").to_str().unwrap(), "runs"]);
    let store: StoreArgs = cli.store;
    let error = is_usage(super::open(&store));
    assert!(error.contains("no.db: make it and fill it with `stoop demo`"), "{error}");
    let world = world();
    let error = is_usage(Homes::read(&world.database, "98179", &active(), 40));
    assert_eq!(error, r#"there is no area "98179" here; did you mean 98178, 98103?"#);
    let error = is_usage(Homes::read(&world.database, "98104", &active(), 40));
    let known = "no home is watched in 98104, Seattle, King County, Washington, United States; the nearest with homes is Seattle: us/wa/king/seattle";
    assert_eq!(error, known);
    let like =
        "`stoop markets` lists what there is, like ma/souss-massa/agadir-ida-ou-tanane/agadir, us/wa/king/seattle";
    let error = is_usage(Homes::read(&world.database, "xyzzyxyzzy", &active(), 40));
    assert_eq!(error, format!(r#"there is no area "xyzzyxyzzy" here; {like}"#));
    let error = is_usage(Homes::read(&world.database, "madrid", &active(), 40));
    assert_eq!(error, format!("no home is watched in Madrid, Comunidad de Madrid, Spain; {like}"));
}

#[test]
fn areas_of_one_name_are_listed() {
    let world = world();
    for (id, region, postal) in [("2001", "MO", "65802"), ("2002", "IL", "62701"), ("2003", "IL", "62702")] {
        let house = house(id, "Springfield", postal, 3, 900, "1 Elm St");
        let mut seen = seen(&house, &[("2026-01-13T00:00:00Z", 9, Status::Active)]);
        (seen[0].listing.address.region, seen[0].listing.address.county) = (Some(region.to_owned()), None);
        block_on(Measurer::new(&*world.database).measure(&seen)).unwrap();
    }
    let error = is_usage(AreaView::read(&world.database, "springfield", None, 30));
    assert_eq!(
        error,
        "\"springfield\" is the name of several areas; say which:
  us/mo/greene/springfield    Springfield, Greene County, Missouri, United States (1 market)
  us/il/sangamon/springfield  Springfield, Sangamon County, Illinois, United States (2 markets)"
    );
}
