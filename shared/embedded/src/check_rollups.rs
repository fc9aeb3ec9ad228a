//! Checks that the sums of wide areas equal the sums of their parts.

use std::collections::BTreeMap;

use rusqlite::Connection;
use stoop_domain::{Day, Market};
use stoop_market::Wide;
use stoop_pipeline::{WideArea, WideLevel};

use crate::error::Result;
use crate::generation::Generation;
use crate::rollups::{project, wide_area};
use crate::stored_sums::{Parts, depth, read};

/// The markets of a city.
#[derive(Default)]
struct Markets {
    /// Whether a market changed since it was rolled up. Then the stored sum of the city is outdated and not used.
    waits: bool,
    /// Whether a market is in the sum of the city.
    is_rolled: bool,
}

/// Compares every area of the live generation with its parts, and passes each result to `note`. A city is compared with
/// its stored markets, unless one of them waits to be rolled up; an area above with the stored areas one level below.
/// Markets are compared with the lake elsewhere, so together all sums are checked.
pub(crate) fn check_areas(connection: &Connection, note: &mut dyn FnMut(Result<(), String>)) -> Result<()> {
    let mut cities = cities(connection, note)?;
    let mut levels: BTreeMap<WideLevel, BTreeMap<WideArea, Option<i32>>> = BTreeMap::new();
    let mut statement = connection.prepare("SELECT path, terms, level, first FROM areas ORDER BY path, terms")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let (level, first): (i64, Option<i32>) = (row.get(2)?, row.get(3)?);
        match wide_area(row) {
            Ok(area) => {
                let right = (depth(area.level()), area.level() == WideLevel::City);
                if (level, first.is_some()) != right {
                    note(Err(format!("the columns of the area {area} differ: level {level}, first day {first:?}")));
                }
                levels.entry(area.level()).or_default().insert(area, first);
            }
            Err(error) => note(Err(format!("an area cannot be read: {error}"))),
        }
    }
    for (city, first) in levels.get(&WideLevel::City).into_iter().flatten() {
        match cities.remove(city) {
            None => note(Err(format!("the area {city} is stored, but has no markets"))),
            Some(Markets { waits: false, .. }) => {
                let sum = project(connection, Generation::Live, city, Day(first.unwrap_or(0)));
                compare(connection, city, sum, note);
            }
            Some(Markets { waits: true, .. }) => {}
        }
    }
    for (city, _) in cities.iter().filter(|(_, markets)| markets.is_rolled) {
        note(Err(format!("the area {city} has markets that are rolled up, but is not stored")));
    }
    let none = BTreeMap::new();
    for below in WideLevel::ALL.into_iter().filter(|level| *level != WideLevel::Country) {
        let mut parts: BTreeMap<WideArea, Vec<&WideArea>> = BTreeMap::new();
        for area in levels.get(&below).unwrap_or(&none).keys() {
            parts.entry(area.parent().ok_or("only a country has no parent")?).or_default().push(area);
        }
        let above = parts.keys().next().map(WideArea::level);
        let stored = above.and_then(|level| levels.get(&level)).unwrap_or(&none);
        for (area, parts) in &parts {
            if stored.contains_key(area) {
                compare(connection, area, sum_of(connection, parts), note);
            } else {
                note(Err(format!("the area {area} has parts that are rolled up, but is not stored")));
            }
        }
        for area in stored.keys().filter(|area| !parts.contains_key(area)) {
            note(Err(format!("the area {area} is stored, but has no markets")));
        }
    }
    Ok(())
}

/// The cities that contain markets.
fn cities(connection: &Connection, note: &mut dyn FnMut(Result<(), String>)) -> Result<BTreeMap<WideArea, Markets>> {
    let mut cities: BTreeMap<WideArea, Markets> = BTreeMap::new();
    let mut statement = connection.prepare("SELECT id, version, rolled FROM markets ORDER BY id")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let (id, version, rolled): (String, i64, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
        // Unreadable markets are reported by the check of markets.
        let Ok(market) = id.parse::<Market>() else { continue };
        if !(0..=version).contains(&rolled) {
            note(Err(format!("market {id} has version {version}, but is marked as rolled up with version {rolled}")));
        }
        let known = cities.entry(WideArea::of(&market, WideLevel::City)).or_default();
        known.waits |= rolled != version;
        known.is_rolled |= rolled == version;
    }
    Ok(cities)
}

fn sum_of(connection: &Connection, parts: &[&WideArea]) -> Result<Wide> {
    let mut sum = Wide::default();
    for part in parts {
        let part = read(connection, Generation::Live, part, Parts::All)?.unwrap_or_default();
        sum.add(&part);
    }
    Ok(sum)
}

fn compare(connection: &Connection, area: &WideArea, expected: Result<Wide>, note: &mut dyn FnMut(Result<(), String>)) {
    let stored = read(connection, Generation::Live, area, Parts::All)
        .and_then(|stored| Ok((stored.unwrap_or_default(), expected?)));
    note(match stored {
        Ok((stored, expected)) => match stored.first_difference(&expected) {
            Some(difference) => Err(format!("the area {area} differs (stored, recomputed): {difference}")),
            None => Ok(()),
        },
        Err(error) => Err(format!("the area {area} cannot be read: {error}")),
    });
}
