//! The table of time zones, held to the gazetteer.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use stoop_domain::country;
use stoop_gazetteer::{Gazetteer, slug};

const TABLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/data/zones.tsv");

/// Every place whose zone differs from that of what is around it, as the table has it. A region that has a code is there
/// under its name as well, as some sources have it.
fn table() -> String {
    let gazetteer = Gazetteer::get();
    let mut reported: BTreeMap<String, &str> = BTreeMap::new();
    let mut named: BTreeMap<String, &str> = BTreeMap::new();
    for path in gazetteer.paths() {
        let Some(zone) = gazetteer.zone(&path) else { continue };
        let path = path.trim_end_matches("/-");
        let around = path.match_indices('/').rev().map(|(end, _)| path[..end].trim_end_matches("/-"));
        let is_known = around.filter_map(|around| reported.get(around)).next() == Some(&zone);
        if let Some((country, code)) = path.split_once('/')
            && !code.contains('/')
        {
            let name = slug(gazetteer.name(path).unwrap_or_default());
            if name != code {
                named.insert(format!("{country}/{name}"), zone);
            }
        }
        if !is_known {
            reported.insert(path.to_owned(), zone);
        }
    }
    named.retain(|path, zone| {
        let country = path.split('/').next().unwrap_or_default();
        !reported.contains_key(path) && reported.get(country) != Some(zone)
    });
    reported.append(&mut named);
    reported.iter().fold(String::new(), |mut table, (path, zone)| {
        writeln!(table, "{path}\t{zone}").unwrap();
        table
    })
}

#[test]
fn the_table_is_what_the_gazetteer_has() {
    let made = table();
    if std::env::var_os("UPDATE_ZONES").is_some() {
        std::fs::write(TABLE, &made).unwrap();
    }
    let stored = std::fs::read_to_string(Path::new(TABLE)).unwrap();
    let differing = made.lines().zip(stored.lines()).find(|(made, stored)| made != stored);
    assert!(made == stored, "make it anew with UPDATE_ZONES=1; first difference: {differing:?}");
}

#[test]
fn every_place_has_the_zone_that_the_gazetteer_has_and_the_database_knows() {
    let gazetteer = Gazetteer::get();
    let wrong: Vec<String> = gazetteer
        .paths()
        .filter(|path| country(path).zone.iana_name() != gazetteer.zone(path).or(Some("UTC")))
        .take(20)
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}
