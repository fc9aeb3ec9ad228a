//! Counts each home once, though several listings show it (ADR 0078).
//!
//! The state of a market is the sum of what its listings contribute. Where listings are merged, the *corrections* of their homes
//! are added to it: what a home contributes less what its listings do. Listings are compared within a county. A commit of the
//! [`Store`](stoop_pipeline::ports::Store) does not join listings: it marks the counties of its homes, and
//! [`Database::merge_listings`] computes their homes anew, adds the differences between the new corrections and the stored ones
//! to the markets, and stores the new ones, in one transaction for each county. Until then the corrections are those of the
//! listings as they were.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};
use serde::{Deserialize, Serialize};
use stoop_domain::{Home, HomeId, Market, Time};
use stoop_identity::{MODEL_VERSION, PairRuling, PairRulings};
use stoop_market::{Cells, Delta, DeltaSum};
use stoop_pipeline::ports::{Commit, FailureKind, MarketChange, PortError};
use stoop_pipeline::{MergedListings, merging_area};
use stoop_serve::COMPARED_LISTINGS_MAX;

use crate::database::Database;
use crate::error::Result;
use crate::failure::Failure;
use crate::generation::Generation;
use crate::rollups::below;
use crate::schema::{MERGING, MERGING_INDICES, has_table};
use crate::store::{market_in, write_markets};
use crate::views::home_row;

/// The name of the setting that switches merging on.
const SETTING: &str = "merging";

/// How listings are merged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Merging {
    /// The sources whose listings are never merged with others.
    pub except: BTreeSet<String>,
    /// The version of the weights by which they were merged: with another one all are merged anew.
    #[serde(default)]
    model: u16,
}

impl Default for Merging {
    fn default() -> Self {
        Self::except([])
    }
}

impl Merging {
    /// Merges the listings of all sources but these.
    #[must_use]
    pub fn except(sources: impl IntoIterator<Item = String>) -> Self {
        Self { except: sources.into_iter().collect(), model: MODEL_VERSION }
    }
}

/// What [`Database::merge_listings`] did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MergePass {
    /// Counties whose homes were computed anew.
    pub counties: u64,
    /// Those with more than [`COMPARED_LISTINGS_MAX`] listings: there each listing counts.
    pub too_large: Vec<String>,
}

/// The homes that are counted in place of their listings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MergedCounts {
    /// Homes with more than one listing.
    pub homes: u64,
    /// The listings of these.
    pub listings: u64,
    /// Counties with changes that are not merged yet.
    pub counties_waiting: u64,
}

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
    fn of(found: &MergedListings) -> Self {
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

    fn read(connection: &Connection, generation: Generation, county: &str) -> Result<Self> {
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

    /// Counts each listing again: takes all corrections back. PairRulings are kept. Returns whether listings were merged.
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
            transaction.execute_batch(
                "DROP TABLE merged_listings; DROP TABLE corrections; DROP TABLE unmerged; DROP INDEX alerts_by_home",
            )?;
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
        while !stop() {
            let (county, changes, found, is_too_large) = {
                let inner = self.lock();
                let Some(merging) = self.current_merging(&inner.connection)? else { break };
                let sql = "SELECT county, changes FROM unmerged WHERE county > ?1 ORDER BY county LIMIT 1";
                let next: Option<(String, i64)> = inner
                    .connection
                    .prepare_cached(sql)?
                    .query_row([&after], |row| Ok((row.get(0)?, row.get(1)?)))
                    .optional()?;
                let Some((county, changes)) = next else { break };
                let listings = listings_of(&inner.connection, Generation::Live, &county)?;
                let rulings = rulings(&inner.connection)?;
                // Others may work meanwhile: what they change is marked again.
                drop(inner);
                let is_too_large = listings.is_none();
                let found = listings.map(|listings| MergedListings::of(&listings, &rulings, &merging.except));
                (county, changes, StoredHomes::of(&found.unwrap_or_default()), is_too_large)
            };
            let mut inner = self.lock();
            let transaction = inner.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            // Switched off meanwhile.
            if !is_merging(&transaction)? {
                break;
            }
            store_homes(&transaction, Generation::Live, &county, &found)?;
            let sql = "DELETE FROM unmerged WHERE county = ?1 AND changes = ?2";
            transaction.prepare_cached(sql)?.execute(params![county, changes])?;
            transaction.commit()?;
            inner.after_commit(self.path());
            pass.counties += 1;
            if is_too_large {
                pass.too_large.push(county.clone());
            }
            after = county;
        }
        Ok(pass)
    }

    /// The setting. If it is of other weights than those of this program, all counties are marked.
    fn current_merging(&self, connection: &Connection) -> Result<Option<Merging>> {
        let Some(mut merging) = merging(connection)? else { return Ok(None) };
        if merging.model != MODEL_VERSION {
            merging.model = MODEL_VERSION;
            connection.execute_batch("BEGIN IMMEDIATE")?;
            let marked = mark_all(connection).and_then(|()| store_setting(connection, &merging));
            connection.execute_batch(if marked.is_ok() { "COMMIT" } else { "ROLLBACK" })?;
            marked?;
        }
        Ok(Some(merging))
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
        let sql = "SELECT count(DISTINCT home), count(*), (SELECT count(*) FROM unmerged) FROM merged_listings";
        let counts = self.rows(sql, [], |row| {
            let count = |column| row.get::<_, i64>(column).map(i64::cast_unsigned);
            Ok(MergedCounts { homes: count(0)?, listings: count(1)?, counties_waiting: count(2)? })
        });
        Ok(counts.map_err(self.doing("count the merged homes"))?.pop())
    }

    /// What people ruled on pairs of listings.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn pair_rulings(&self) -> Result<PairRulings, PortError> {
        rulings(&self.lock().connection).map_err(self.doing("read the rulings on listings"))
    }

    /// Stores a ruling on two listings, in place of an earlier one; `None` takes it back. Returns whether that changed
    /// anything. A rebuild keeps rulings.
    ///
    /// # Errors
    /// If a listing is not stored, if they are the same one or in two counties, or if it cannot be stored.
    pub fn rule_on_pair(
        &self,
        a: &HomeId,
        b: &HomeId,
        ruling: Option<PairRuling>,
        now: Time,
    ) -> Result<bool, PortError> {
        let rule = || -> Result<bool> {
            let (a, b) = if a < b { (a, b) } else { (b, a) };
            let refused = |why: String| Err(Failure::boxed(FailureKind::Refused, why));
            if a == b {
                return refused(format!("{a} is one listing; accepted: two listings"));
            }
            let mut inner = self.lock();
            let transaction = inner.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let county_of = |id: &HomeId| -> Result<Option<String>> {
                let sql = "SELECT market FROM homes WHERE id = ?1";
                let market: Option<Option<String>> =
                    transaction.prepare_cached(sql)?.query_row([id.as_str()], |row| row.get(0)).optional()?;
                Ok(market.flatten().map(|market| market.parse()).transpose()?.as_ref().map(merging_area))
            };
            let mut counties = BTreeSet::new();
            for id in [a, b] {
                match county_of(id)? {
                    Some(county) => drop(counties.insert(county)),
                    None => return refused(format!("no listing {id} is counted in a market")),
                }
            }
            if let (Some(first), Some(second)) = (counties.first(), counties.last())
                && first != second
            {
                return refused(format!(
                    "they are in two counties, {first} and {second}: listings are merged within one"
                ));
            }
            transaction.execute_batch(crate::schema::RULINGS)?;
            let changed = match ruling {
                Some(ruling) => {
                    let sql = "INSERT INTO pair_rulings(a, b, ruling, at) VALUES(?1, ?2, ?3, ?4)
                               ON CONFLICT DO UPDATE SET ruling = excluded.ruling, at = excluded.at
                               WHERE ruling <> excluded.ruling";
                    transaction.execute(sql, params![a.as_str(), b.as_str(), name_of(ruling), now.ms()])?
                }
                None => {
                    let sql = "DELETE FROM pair_rulings WHERE a = ?1 AND b = ?2";
                    transaction.execute(sql, params![a.as_str(), b.as_str()])?
                }
            };
            if is_merging(&transaction)? {
                counties.iter().try_for_each(|county| mark(&transaction, county))?;
            }
            transaction.commit()?;
            Ok(changed > 0)
        };
        rule().map_err(self.doing("rule on two listings"))
    }
}

/// Refuses if there is another generation than the live one: it would count otherwise when it is swapped in.
fn check_one_generation(connection: &Connection) -> Result<()> {
    if has_table(connection, "rebuild")? {
        let why = "a rebuild has made another state beside the live one; `stoop rebuild --forget` removes it";
        return Err(Failure::boxed(FailureKind::Refused, why));
    }
    Ok(())
}

/// Marks the counties of a commit's homes and markets as unmerged, if listings are merged.
pub(crate) fn mark_changed(transaction: &Transaction<'_>, commit: &Commit<'_>) -> Result<()> {
    if !is_merging(transaction)? {
        return Ok(());
    }
    let of_homes = commit.homes.iter().filter_map(|home| home.new.market.as_ref());
    let markets: BTreeSet<&Market> = of_homes.chain(commit.markets.iter().map(|market| market.market)).collect();
    let counties: BTreeSet<String> = markets.into_iter().map(merging_area).collect();
    counties.iter().try_for_each(|county| mark(transaction, county))
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
    if connection.prepare_cached("SELECT 1 FROM unmerged WHERE county = ?1")?.exists([county])? {
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

/// Whether each home counts once.
pub(crate) fn is_merging(connection: &Connection) -> Result<bool> {
    Ok(connection.prepare_cached("SELECT 1 FROM settings WHERE name = ?1")?.exists([SETTING])?)
}

pub(crate) fn merging(connection: &Connection) -> Result<Option<Merging>> {
    let sql = "SELECT body FROM settings WHERE name = ?1";
    let body: Option<String> = connection.prepare_cached(sql)?.query_row([SETTING], |row| row.get(0)).optional()?;
    Ok(body.map(|body| serde_json::from_str(&body)).transpose()?)
}

fn store_setting(connection: &Connection, merging: &Merging) -> Result<()> {
    let sql = "INSERT INTO settings(name, body) VALUES(?1, ?2) ON CONFLICT DO UPDATE SET body = excluded.body";
    connection.execute(sql, params![SETTING, serde_json::to_string(merging)?])?;
    Ok(())
}

fn create_tables(connection: &Connection, generation: Generation) -> Result<()> {
    connection.execute_batch(&MERGING.replace("{generation}", &generation.to_string()))?;
    if generation == Generation::Live {
        connection.execute_batch(MERGING_INDICES)?;
    }
    Ok(())
}

fn mark(connection: &Connection, county: &str) -> Result<()> {
    let sql = "INSERT INTO unmerged(county, changes) VALUES(?1, 1) ON CONFLICT DO UPDATE SET changes = changes + 1";
    connection.prepare_cached(sql)?.execute([county])?;
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

/// Stores the merged homes of a county in place of those before, and adds the differences of their corrections to the markets.
fn store_homes(transaction: &Transaction<'_>, generation: Generation, county: &str, homes: &StoredHomes) -> Result<()> {
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
            change.add(&Delta::of_cells(&Cells::from_bytes(old)?).negated());
        }
        match new {
            Some(new) => {
                change.add(&Delta::of_cells(&Cells::from_bytes(new)?));
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

fn rulings(connection: &Connection) -> Result<PairRulings> {
    let mut rulings = PairRulings::default();
    if !has_table(connection, "pair_rulings")? {
        return Ok(rulings);
    }
    let mut statement = connection.prepare_cached("SELECT a, b, ruling FROM pair_rulings")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let name = row.get_ref(2)?.as_str()?;
        let ruling = [PairRuling::OneHome, PairRuling::TwoHomes].into_iter().find(|ruling| name_of(*ruling) == name);
        let ruling = ruling.ok_or_else(|| format!("{name:?} is no ruling"))?;
        rulings.rule(HomeId(row.get_ref(0)?.as_str()?.into()), HomeId(row.get_ref(1)?.as_str()?.into()), ruling);
    }
    Ok(rulings)
}

/// The name of a ruling in the table.
fn name_of(ruling: PairRuling) -> &'static str {
    match ruling {
        PairRuling::OneHome => "one home",
        PairRuling::TwoHomes => "two homes",
    }
}
