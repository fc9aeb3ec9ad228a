//! Compares the table of time zones with the gazetteer.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use stoop_domain::country;
use stoop_gazetteer::{Gazetteer, slug};

const TABLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/data/zones.tsv");

/// The expected table: every place whose zone differs from that of the place that contains it. A region with a code is
/// also listed under its name, because some sources use it.
fn table() -> String {
    let gazetteer = Gazetteer::get();
    let mut listed: BTreeMap<String, &str> = BTreeMap::new();
    let mut named: BTreeMap<String, &str> = BTreeMap::new();
    for path in gazetteer.paths() {
        let Some(zone) = gazetteer.zone(&path) else { continue };
        let path = path.trim_end_matches("/-");
        let prefixes = path.match_indices('/').rev().map(|(end, _)| path[..end].trim_end_matches("/-"));
        let is_known = prefixes.filter_map(|prefix| listed.get(prefix)).next() == Some(&zone);
        if let Some((country, code)) = path.split_once('/')
            && !code.contains('/')
        {
            let name = slug(gazetteer.name(path).unwrap_or_default());
            if name != code {
                named.insert(format!("{country}/{name}"), zone);
            }
        }
        if !is_known {
            listed.insert(path.to_owned(), zone);
        }
    }
    named.retain(|path, zone| {
        let country = path.split('/').next().unwrap_or_default();
        !listed.contains_key(path) && listed.get(country) != Some(zone)
    });
    listed.append(&mut named);
    listed.iter().fold(String::new(), |mut table, (path, zone)| {
        writeln!(table, "{path}\t{zone}").unwrap();
        table
    })
}

#[test]
fn the_table_equals_the_gazetteer() {
    let made = table();
    if std::env::var_os("UPDATE_ZONES").is_some() {
        std::fs::write(TABLE, &made).unwrap();
    }
    let stored = std::fs::read_to_string(Path::new(TABLE)).unwrap();
    let differing = made.lines().zip(stored.lines()).find(|(made, stored)| made != stored);
    assert!(made == stored, "update it with UPDATE_ZONES=1; first difference: {differing:?}");
}

#[test]
fn every_place_has_the_zone_of_the_gazetteer_and_iana_knows_it() {
    let gazetteer = Gazetteer::get();
    let wrong: Vec<String> = gazetteer
        .paths()
        .filter(|path| country(path).zone.iana_name() != gazetteer.zone(path).or(Some("UTC")))
        .take(20)
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}
