//! Counts each home once, though several listings show it (ADR 0078).
//!
//! The state of a market is the sum of what its listings contribute. Where listings are merged, the *corrections* of their homes
//! are added to it: what a home contributes less what its listings do. Listings are compared within a county. A commit of the
//! [`Store`](stoop_pipeline::ports::Store) does not join listings: it marks the counties of its homes, and
//! [`Database::merge_listings`] computes their homes anew, adds the differences between the new corrections and the stored ones
//! to the markets, and stores the new ones, in one transaction for each county. Until then the corrections are those of the
//! listings as they were.

use std::collections::BTreeSet;

use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};
use stoop_domain::{Home, HomeId};
use stoop_identity::{MODEL_VERSION, PairRulings};
use stoop_pipeline::ports::{MergedCounts, PortError};
use stoop_pipeline::{MergedListings, merging_area};
use stoop_serve::COMPARED_LISTINGS_MAX;

use crate::database::Database;
use crate::error::Result;
use crate::failure::Failure;
use crate::generation::Generation;
use crate::home_lists::home_row;
use crate::merged_homes::{StoredHomes, store_homes};
use crate::pair_rulings::rulings;
use crate::rollups::below;
use crate::schema::{MERGING, MERGING_INDICES, has_table};
use crate::unmerged::{Merging, SETTING, check_one_generation, is_merging, mark, merging, store_setting};

/// What [`Database::merge_listings`] did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MergePass {
    /// Counties whose homes were computed anew.
    pub counties: u64,
    /// Those with more than [`COMPARED_LISTINGS_MAX`] listings: there each listing counts.
    pub too_large: Vec<String>,
}

/// A county with changes that are not merged, as of one moment.
struct Waiting {
    county: String,
    /// How often it had changed.
    changes: i64,
    merging: Merging,
    rulings: PairRulings,
    /// `None` if they are too many.
    listings: Option<Vec<(HomeId, Home)>>,
}

impl Database {
    /// How listings are merged. `None` if each one counts.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn merging(&self) -> Result<Option<Merging>, PortError> {
        merging(&self.lock().connection).map_err(self.doing("read how listings are merged"))
    }

    /// Counts each home once from now on. [`Database::merge_listings`] then merges the listings of all counties.
    ///
    /// # Errors
    /// If there is another generation than the live one, or if it cannot be stored.
    pub fn begin_merging(&self, merging: &Merging) -> Result<(), PortError> {
        let begin = || -> Result<()> {
            let mut inner = self.lock();
            let transaction = inner.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            check_one_generation(&transaction)?;
            create_tables(&transaction, Generation::Live)?;
            store_setting(&transaction, merging)?;
            mark_all(&transaction)?;
            Ok(transaction.commit()?)
        };
        begin().map_err(self.doing("count each home once"))
    }

    /// Counts each listing again: takes all corrections back. Rulings are kept. Returns whether listings were merged.
    ///
    /// # Errors
    /// If there is another generation than the live one, or if it cannot be stored.
    pub fn end_merging(&self) -> Result<bool, PortError> {
        let end = || -> Result<bool> {
            let mut inner = self.lock();
            let transaction = inner.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            if !is_merging(&transaction)? {
                return Ok(false);
            }
            check_one_generation(&transaction)?;
            for county in counties_with_homes(&transaction)? {
                store_homes(&transaction, Generation::Live, &county, &StoredHomes::default())?;
            }
            transaction.execute("DELETE FROM settings WHERE name = ?1", [SETTING])?;
            // The counts of changes stay: a pass that began before must not take later changes for merged.
            transaction
                .execute_batch("DROP TABLE merged_listings; DROP TABLE corrections; DROP INDEX alerts_by_home")?;
            transaction.commit()?;
            Ok(true)
        };
        end().map_err(self.doing("count each listing"))
    }

    /// Merges the listings of the counties that changed since. Does nothing if listings are not merged.
    ///
    /// May be killed, and may run at the same time as other passes and writers.
    ///
    /// # Errors
    /// If something cannot be read or stored; counties that are done are stored. If `stop`, which is called between counties,
    /// returns true, the call ends without an error.
    pub fn merge_listings(&self, stop: &dyn Fn() -> bool) -> Result<MergePass, PortError> {
        self.merge_waiting(stop).map_err(self.doing("merge the listings of homes"))
    }

    fn merge_waiting(&self, stop: &dyn Fn() -> bool) -> Result<MergePass> {
        let (mut pass, mut after) = (MergePass::default(), String::new());
        self.note_weights()?;
        while !stop() {
            let Some(waiting) =
                self.reading(|| self.next_waiting(&after).map_err(self.doing("read the listings of a county")))?
            else {
                break;
            };
            // Others may work meanwhile: what they change is marked again.
            let Waiting { county, changes, merging, rulings, listings } = waiting;
            let found = listings.as_ref().map(|listings| MergedListings::of(listings, &rulings, &merging.except));
            let homes = StoredHomes::of(&found.unwrap_or_default());
            let mut inner = self.lock();
            let transaction = inner.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            // It may be switched off meanwhile, or another pass may have merged as many changes or more.
            if !is_merging(&transaction)? {
                break;
            }
            let sql = "UPDATE county_changes SET merged = ?2 WHERE county = ?1 AND merged < ?2";
            if transaction.prepare_cached(sql)?.execute(params![county, changes])? > 0 {
                store_homes(&transaction, Generation::Live, &county, &homes)?;
                transaction.commit()?;
                inner.after_commit(self.path());
                pass.counties += 1;
                if listings.is_none() {
                    pass.too_large.push(county.clone());
                }
            }
            after = county;
        }
        Ok(pass)
    }

    /// The next county with changes that are not merged, after this one. `None` if there is none, or if each listing counts.
    fn next_waiting(&self, after: &str) -> Result<Option<Waiting>> {
        let inner = self.lock();
        let connection = &inner.connection;
        let Some(merging) = merging(connection)? else { return Ok(None) };
        let sql =
            "SELECT county, changes FROM county_changes WHERE changes > merged AND county > ?1 ORDER BY county LIMIT 1";
        let next =
            connection.prepare_cached(sql)?.query_row([after], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
        let Some((county, changes)): Option<(String, i64)> = next else { return Ok(None) };
        let listings = listings_of(connection, Generation::Live, &county)?;
        Ok(Some(Waiting { county, changes, merging, rulings: rulings(connection)?, listings }))
    }

    /// Marks all counties if they were merged by other weights than those of this program.
    fn note_weights(&self) -> Result<()> {
        let is_other = |merging: &Merging| merging.model != MODEL_VERSION;
        let known = merging(&self.lock().connection)?;
        if !known.as_ref().is_some_and(is_other) {
            return Ok(());
        }
        let mut inner = self.lock();
        let transaction = inner.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        if let Some(merging) = merging(&transaction)?.filter(is_other) {
            mark_all(&transaction)?;
            store_setting(&transaction, &Merging { model: MODEL_VERSION, ..merging })?;
        }
        Ok(transaction.commit()?)
    }

    /// Merges all listings of a generation that is being made, if listings are merged.
    pub(crate) fn merge_generation(&self, generation: Generation, stop: &dyn Fn() -> bool) -> Result<()> {
        let merging = merging(&self.lock().connection)?;
        let Some(merging) = merging else { return Ok(()) };
        let rulings = rulings(&self.lock().connection)?;
        let index = format!("homes{generation}_to_merge");
        {
            let mut inner = self.lock();
            let transaction = inner.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            create_tables(&transaction, generation)?;
            let sql = format!("CREATE INDEX IF NOT EXISTS {index} ON homes{generation}(market)");
            transaction.execute_batch(&sql)?;
            transaction.commit()?;
        }
        let counties = counties(&self.lock().connection, generation)?;
        for county in counties {
            if stop() {
                return Err(Failure::stopped());
            }
            let mut inner = self.lock();
            let transaction = inner.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            if let Some(listings) = listings_of(&transaction, generation, &county)? {
                let found = MergedListings::of(&listings, &rulings, &merging.except);
                store_homes(&transaction, generation, &county, &StoredHomes::of(&found))?;
            }
            transaction.commit()?;
        }
        Ok(self.lock().connection.execute_batch(&format!("DROP INDEX {index}"))?)
    }

    /// How many homes are counted in place of their listings. `None` if each listing counts.
    ///
    /// # Errors
    /// If they cannot be counted.
    pub fn merged_counts(&self) -> Result<Option<MergedCounts>, PortError> {
        if self.merging()?.is_none() {
            return Ok(None);
        }
        let sql = "SELECT count(DISTINCT home), count(*), (SELECT count(*) FROM county_changes WHERE changes > merged)
                   FROM merged_listings";
        let counts = self.rows(sql, [], |row| {
            let count = |column| row.get::<_, i64>(column).map(i64::cast_unsigned);
            Ok(MergedCounts { homes: count(0)?, listings: count(1)?, counties_waiting: count(2)? })
        });
        Ok(counts.map_err(self.doing("count the merged homes"))?.pop())
    }
}

/// Makes a generation that became the live one count what the setting says.
pub(crate) fn after_swap(transaction: &Transaction<'_>) -> Result<()> {
    if is_merging(transaction)? {
        let has_homes = has_table(transaction, "corrections")?;
        create_tables(transaction, Generation::Live)?;
        if !has_homes {
            mark_all(transaction)?;
        }
    }
    Ok(())
}

/// What should be stored of a county, and what is; `None` if it waits to be merged.
pub(crate) fn expected_and_stored(
    connection: &Connection,
    merging: &Merging,
    county: &str,
) -> Result<Option<(StoredHomes, StoredHomes)>> {
    if connection
        .prepare_cached("SELECT 1 FROM county_changes WHERE county = ?1 AND changes > merged")?
        .exists([county])?
    {
        return Ok(None);
    }
    let listings = listings_of(connection, Generation::Live, county)?.unwrap_or_default();
    let found = MergedListings::of(&listings, &rulings(connection)?, &merging.except);
    Ok(Some((StoredHomes::of(&found), StoredHomes::read(connection, Generation::Live, county)?)))
}

/// The counties that have homes or merged homes.
pub(crate) fn all_counties(connection: &Connection) -> Result<BTreeSet<String>> {
    let mut all = counties(connection, Generation::Live)?;
    all.extend(counties_with_homes(connection)?);
    Ok(all)
}

fn create_tables(connection: &Connection, generation: Generation) -> Result<()> {
    connection.execute_batch(&MERGING.replace("{generation}", &generation.to_string()))?;
    if generation == Generation::Live {
        connection.execute_batch(MERGING_INDICES)?;
    }
    Ok(())
}

fn mark_all(connection: &Connection) -> Result<()> {
    all_counties(connection)?.iter().try_for_each(|county| mark(connection, county))
}

/// The counties that have homes.
fn counties(connection: &Connection, generation: Generation) -> Result<BTreeSet<String>> {
    let sql = format!("SELECT DISTINCT market FROM homes{generation} WHERE market IS NOT NULL");
    let mut statement = connection.prepare(&sql)?;
    let mut rows = statement.query([])?;
    let mut counties = BTreeSet::new();
    while let Some(row) = rows.next()? {
        counties.insert(merging_area(&row.get_ref(0)?.as_str()?.parse()?));
    }
    Ok(counties)
}

fn counties_with_homes(connection: &Connection) -> Result<BTreeSet<String>> {
    let mut statement = connection
        .prepare("SELECT DISTINCT county FROM corrections UNION SELECT DISTINCT county FROM merged_listings")?;
    let counties = statement.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
    Ok(counties)
}

/// The listings of a county, by market and ID. `None` if there are too many to compare them.
fn listings_of(connection: &Connection, generation: Generation, county: &str) -> Result<Option<Vec<(HomeId, Home)>>> {
    let sql = format!("SELECT id, body FROM homes{generation} WHERE market >= ?1 AND market < ?2 LIMIT ?3");
    let (from, until) = below(county);
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query(params![from, until, i64::try_from(COMPARED_LISTINGS_MAX + 1)?])?;
    let mut listings = Vec::new();
    while let Some(row) = rows.next()? {
        listings.push(home_row(row)?);
    }
    if listings.len() > COMPARED_LISTINGS_MAX {
        return Ok(None);
    }
    listings.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
    Ok(Some(listings))
}
