//! Small data for the tests.
#![allow(dead_code, reason = "no test file uses all of it")]

use std::future::Future;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use stoop_dice::Dice;
use stoop_domain::{
    Address, Currency, Home, HomeId, Listing, Market, Minor, Observation, Purpose, Time, home_id, market_of,
};
use stoop_embedded::Database;
use stoop_market::{Cells, Zones, update};
use stoop_pipeline::ports::{Commit, CommitError, HomeChange, MarketChange, PortError, Store, Versioned};

/// The futures of the database are always ready.
pub(crate) fn now<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("SQLite does not wait"),
    }
}

/// The paths of the database file and the data folder in a folder.
pub(crate) fn paths(folder: &Path) -> (PathBuf, PathBuf) {
    (folder.join("stoop.db"), folder.join("stoop-data"))
}

pub(crate) fn open(folder: &Path) -> Arc<Database> {
    let (path, data) = paths(folder);
    Database::open(&path, &data).unwrap()
}

/// A home in Agadir, seen at this minute of 10 January 2026, with `noise` bytes in its title that do not compress well.
pub(crate) fn observation(native_id: &str, minute: i64, noise: usize) -> Observation {
    let address = Address { city: Some("Agadir".into()), country: Some("MA".into()), ..Address::default() };
    let mut listing = Listing::new(Purpose::Sale, Currency::MAD, address);
    listing.list_price = Some(Minor(90_000_000 - minute));
    let mut dice = Dice::new(minute.cast_unsigned() ^ native_id.bytes().map(u64::from).sum::<u64>());
    let hex = (0..noise).map(|_| char::from_digit(dice.below(16), 16).unwrap());
    listing.details.description = Some(hex.collect());
    let at = Time::from_ms(1_768_003_200_000 + minute * 60_000);
    Observation::new("avito", native_id, at, listing)
}

pub(crate) fn market() -> Market {
    market_of(&observation("1", 0, 0).listing).unwrap()
}

/// Reads, applies and commits observations of different homes once, as the pipeline does.
pub(crate) fn try_apply(database: &Database, observations: &[&Observation]) -> Result<(), CommitError> {
    let ids: Vec<HomeId> = observations.iter().map(|observation| home_id(observation)).collect();
    let stored: Vec<Option<Versioned<Home>>> = now(database.homes(&ids))?;
    let market = market();
    let cells = now(database.markets(std::slice::from_ref(&market)))?.remove(0);
    let (market_version, mut cells) = cells.map_or((0, Cells::default()), |cells| (cells.version, cells.value));
    let (mut news, mut archived, mut deltas) = (Vec::new(), Cells::default(), Vec::new());
    for (stored, observation) in stored.iter().zip(observations) {
        let old = stored.as_ref().map(|stored| &stored.value);
        let mut new = old.cloned().unwrap_or_default();
        new.apply(observation);
        for (_, delta) in update(old.map(|old| &old.history), &new.history, &mut Zones::default()) {
            archived.merge(&cells.add(&delta));
            deltas.push(delta);
        }
        news.push(new);
    }
    let homes = ids.iter().zip(&stored).zip(&news).map(|((id, stored), new)| {
        let version_read = stored.as_ref().map_or(0, |stored| stored.version);
        HomeChange::of(id, version_read, stored.as_ref().map(|stored| &stored.value), new, true)
    });
    let markets = vec![MarketChange {
        market: &market,
        version_read: market_version,
        new: &cells,
        deltas: deltas.iter().collect(),
        fold_to: None,
        archived,
    }];
    let commit = Commit { homes: homes.collect(), markets, observations: observations.to_vec() };
    now(database.commit(&commit))
}

/// Retries until there is no conflict.
pub(crate) fn apply(database: &Database, observations: &[&Observation]) {
    for _ in 0..1_000 {
        match try_apply(database, observations) {
            Ok(()) => return,
            Err(CommitError::Conflict) => {}
            Err(error) => panic!("{error}: {:?}", std::error::Error::source(&error)),
        }
    }
    panic!("a thousand conflicts");
}

pub(crate) fn lake(database: &Database) -> Vec<Observation> {
    let mut seen = Vec::new();
    let visit = |line: &[u8]| {
        seen.push(stoop_wire::decode(line).unwrap());
        Ok::<(), PortError>(())
    };
    database.observations(visit).unwrap();
    seen
}

/// Every file below a folder, as relative paths with `/`, in order.
pub(crate) fn files(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        let Ok(entries) = std::fs::read_dir(&next) else { continue };
        for entry in entries {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                found.push(path.strip_prefix(folder).unwrap().to_string_lossy().replace('\\', "/"));
            }
        }
    }
    found.sort();
    found
}
