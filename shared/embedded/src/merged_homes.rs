//! The rows of merged homes and of their corrections.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::{Connection, Transaction, params};
use stoop_domain::Market;
use stoop_market::{Cells, DeltaSum};
use stoop_pipeline::MergedListings;
use stoop_pipeline::ports::MarketChange;

use crate::error::Result;
use crate::generation::Generation;
use crate::store::{market_in, write_markets};

/// A stored listing of a merged home.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Member {
    home: String,
    speaks: bool,
}

/// The merged homes of a county, as they are stored.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct StoredHomes {
    /// By listing.
    members: BTreeMap<String, Member>,
    /// States that are the corrections, by home and market.
    corrections: BTreeMap<(String, String), Vec<u8>>,
}

impl StoredHomes {
    pub(crate) fn of(found: &MergedListings) -> Self {
        let mut stored = Self::default();
        for home in &found.homes {
            for listing in &home.listings {
                let member = Member { home: home.id.to_string(), speaks: home.speaker.as_ref() == Some(listing) };
                stored.members.insert(listing.to_string(), member);
            }
            for (market, delta) in &home.corrections {
                let mut cells = Cells::default();
                drop(cells.add(delta));
                stored.corrections.insert((home.id.to_string(), market.to_string()), cells.to_bytes());
            }
        }
        stored
    }

    pub(crate) fn read(connection: &Connection, generation: Generation, county: &str) -> Result<Self> {
        let mut stored = Self::default();
        let sql = format!("SELECT listing, home, speaks FROM merged_listings{generation} WHERE county = ?1");
        let mut statement = connection.prepare_cached(&sql)?;
        let mut rows = statement.query([county])?;
        while let Some(row) = rows.next()? {
            stored.members.insert(row.get(0)?, Member { home: row.get(1)?, speaks: row.get(2)? });
        }
        let sql = format!("SELECT home, market, body FROM corrections{generation} WHERE county = ?1");
        let mut statement = connection.prepare_cached(&sql)?;
        let mut rows = statement.query([county])?;
        while let Some(row) = rows.next()? {
            stored.corrections.insert((row.get(0)?, row.get(1)?), row.get(2)?);
        }
        Ok(stored)
    }

    /// The first difference to what should be stored; in words.
    pub(crate) fn first_difference(&self, expected: &Self) -> Option<String> {
        let listings = self.members.keys().chain(expected.members.keys());
        let differs = |listing: &&String| self.members.get(*listing) != expected.members.get(*listing);
        if let Some(listing) = listings.filter(differs).min() {
            let home = |homes: &Self| homes.members.get(listing).map_or("none", |member| &member.home).to_owned();
            return Some(format!(
                "the merged home of {listing} is stored as {}, expected {}",
                home(self),
                home(expected)
            ));
        }
        let keys = self.corrections.keys().chain(expected.corrections.keys());
        let (home, market) = keys.filter(|key| self.corrections.get(*key) != expected.corrections.get(*key)).min()?;
        Some(format!("the correction of the merged home {home} in {market} differs"))
    }
}

/// Stores the merged homes of a county in place of those before, and adds the differences of their corrections to the markets.
pub(crate) fn store_homes(
    transaction: &Transaction<'_>,
    generation: Generation,
    county: &str,
    homes: &StoredHomes,
) -> Result<()> {
    let before = StoredHomes::read(transaction, generation, county)?;
    let mut changes: BTreeMap<Market, DeltaSum> = BTreeMap::new();
    for key in before.corrections.keys().chain(homes.corrections.keys()).collect::<BTreeSet<_>>() {
        let (old, new) = (before.corrections.get(key), homes.corrections.get(key));
        if old == new {
            continue;
        }
        let (home, market) = key;
        let change = changes.entry(market.parse()?).or_default();
        if let Some(old) = old {
            change.add(&Cells::from_bytes(old)?.as_delta().negated());
        }
        match new {
            Some(new) => {
                change.add(&Cells::from_bytes(new)?.as_delta());
                let sql = format!(
                    "INSERT INTO corrections{generation}(county, home, market, body) VALUES(?1, ?2, ?3, ?4)
                     ON CONFLICT DO UPDATE SET body = excluded.body"
                );
                transaction.prepare_cached(&sql)?.execute(params![county, home, market, new])?;
            }
            None => {
                let sql =
                    format!("DELETE FROM corrections{generation} WHERE county = ?1 AND home = ?2 AND market = ?3");
                transaction.prepare_cached(&sql)?.execute(params![county, home, market])?;
            }
        }
    }
    for listing in before.members.keys().filter(|listing| !homes.members.contains_key(*listing)) {
        let sql = format!("DELETE FROM merged_listings{generation} WHERE county = ?1 AND listing = ?2");
        transaction.prepare_cached(&sql)?.execute([county, listing])?;
    }
    for (listing, member) in
        homes.members.iter().filter(|(listing, member)| before.members.get(*listing) != Some(member))
    {
        let sql = format!(
            "INSERT INTO merged_listings{generation}(county, listing, home, speaks) VALUES(?1, ?2, ?3, ?4)
             ON CONFLICT DO UPDATE SET home = excluded.home, speaks = excluded.speaks"
        );
        transaction.prepare_cached(&sql)?.execute(params![county, listing, member.home, member.speaks])?;
    }
    for (market, change) in changes {
        let delta = change.sum();
        let stored = market_in(transaction, generation, &market)?;
        let (mut cells, version_read) = stored.map_or_else(Default::default, |stored| (stored.value, stored.version));
        let archived = cells.add(&delta);
        let change =
            MarketChange { market: &market, version_read, new: &cells, deltas: vec![&delta], fold_to: None, archived };
        if !write_markets(transaction, generation, &[change])? {
            return Err(format!("the version of the market {market} changed within a transaction").into());
        }
    }
    Ok(())
}
