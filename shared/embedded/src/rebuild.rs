//! Computes a generation from the lake beside the live one: in parts, then compared, then swapped in one transaction
//! (ADR 0039).

use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};
use rustc_hash::FxHashMap;
use stoop_domain::{Home, HomeId, Market, Time};
use stoop_market::{Cells, Horizon, Zones, contribution};
use stoop_pipeline::horizons;
use stoop_pipeline::ports::{FailureKind, HomeImage, PortError};
use stoop_wire::{home_from_bytes, home_to_bytes};

use crate::database::{Database, format};
use crate::error::{BoxError, Result};
use crate::failure::Failure;
use crate::generation::Generation;
use crate::merging::after_swap;
use crate::partitions::{ByMarket, Partitions, sum_up};
use crate::schema::{FORMAT, FROM_6, FROM_8, HOMES_BY_MARKET, REBUILD, ROLL_UP_INDICES, has_table};

/// Homes whose contributions are summed up before they are stored temporarily.
const HOMES_AT_A_TIME: usize = 16_384;

/// The progress of the generation beside the live one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// Homes are being computed, part by part.
    Homes,
    /// All homes are complete; markets are being summed up.
    Markets,
    /// Complete: it can be compared and swapped.
    Ready,
    /// It is the live one; the former one is kept.
    Swapped,
}

const STAGES: [(Stage, &str); 4] =
    [(Stage::Homes, "homes"), (Stage::Markets, "markets"), (Stage::Ready, "ready"), (Stage::Swapped, "swapped")];

/// The row of the table `rebuild`.
pub(crate) struct NextGeneration {
    pub(crate) stage: Stage,
    program: String,
    pub(crate) lake_rows: i64,
    pub(crate) newest: Option<i64>,
    version: i64,
    done: i64,
    /// The format of the live generation when this one was built.
    format: i64,
}

impl Database {
    /// Computes homes, markets and archives anew from the lake. The live ones do not change. Continues what an earlier,
    /// killed call of the same `program` with the same lake has done. Removes any other generation, including a retired
    /// one.
    ///
    /// Only this process may be registered with [`Database::begin_work`]. Takes as much memory as [`Database::verify`].
    ///
    /// # Errors
    /// If the lake cannot be read, if something cannot be stored, or if `stop`, which is called regularly, returns
    /// true.
    pub fn rebuild(&self, program: &str, stop: &dyn Fn() -> bool) -> Result<(), PortError> {
        let doing = || self.doing("rebuild the state from the lake");
        let lake_rows = self.lake_count()?;
        let known = self.next_generation().map_err(doing())?;
        let known = known
            .filter(|known| known.program == program && known.lake_rows == lake_rows && known.stage != Stage::Swapped);
        let next = match known {
            Some(known) => known,
            None => self.begin_generation(program, lake_rows).map_err(doing())?,
        };
        if next.stage == Stage::Homes {
            let from = usize::try_from(next.done).unwrap_or(0);
            let mut lake = Partitions::of_lake(self, from, |_| true, stop)?;
            self.build_homes(&mut lake, from, next.version, stop).map_err(doing())?;
        }
        if matches!(next.stage, Stage::Homes | Stage::Markets) {
            self.build_markets(next.version, stop).map_err(doing())?;
        }
        Ok(())
    }

    /// Makes the generation of [`Database::rebuild`] the live one, in one transaction. Keeps the former one for
    /// [`Database::swap_back`]. A file of an older format then has the current one.
    ///
    /// # Errors
    /// If there is no complete one, if the lake got observations since it was built, or if it cannot be stored. Then
    /// nothing changes.
    pub fn swap(&self) -> Result<(), PortError> {
        self.swap_stages(Stage::Ready).map_err(self.doing("swap the rebuilt state in"))
    }

    /// Makes the generation that [`Database::swap`] retired the live one again, in one transaction. Keeps the other
    /// one, which can be swapped in again. A file that had an older format then has it again.
    ///
    /// # Errors
    /// If there is none, if the lake got observations since, which it does not have, or if it cannot be stored. Then
    /// nothing changes.
    pub fn swap_back(&self) -> Result<(), PortError> {
        self.swap_stages(Stage::Swapped).map_err(self.doing("swap the former state back in"))
    }

    /// Removes every generation but the live one. Returns whether there was any.
    ///
    /// # Errors
    /// If that cannot be stored.
    pub fn forget_generations(&self) -> Result<bool, PortError> {
        let forget = || -> Result<bool> {
            let mut inner = self.lock();
            let transaction = inner.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let was = has_table(&transaction, "rebuild")?;
            Generation::Next.remove(&transaction)?;
            Generation::Retired.remove(&transaction)?;
            transaction.execute_batch("DROP TABLE IF EXISTS rebuild")?;
            transaction.commit()?;
            Ok(was)
        };
        forget().map_err(self.doing("remove the generations that are not live"))
    }

    /// The record of the generation beside the live one.
    pub(crate) fn next_generation(&self) -> Result<Option<NextGeneration>> {
        next_generation(&self.lock().connection)
    }

    pub(crate) fn begin_generation(&self, program: &str, lake_rows: i64) -> Result<NextGeneration> {
        let mut inner = self.lock();
        let transaction = inner.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        Generation::Next.remove(&transaction)?;
        Generation::Retired.remove(&transaction)?;
        transaction.execute_batch(REBUILD)?;
        Generation::Next.create(&transaction)?;
        // Greater than every version that a process may have read, so that an older read conflicts after the swap.
        let sql = "SELECT 1 + max((SELECT coalesce(max(version), 0) FROM homes),
                                  (SELECT coalesce(max(version), 0) FROM markets))";
        let version = transaction.query_row(sql, [], |row| row.get(0))?;
        let format = format(&transaction)?;
        let sql = "INSERT OR REPLACE INTO rebuild VALUES(1, 'homes', ?1, ?2, NULL, ?3, 0, ?4)";
        transaction.execute(sql, params![program, lake_rows, version, format])?;
        transaction.commit()?;
        Ok(NextGeneration {
            stage: Stage::Homes,
            program: program.into(),
            lake_rows,
            newest: None,
            version,
            done: 0,
            format,
        })
    }

    /// Each part is a transaction.
    fn build_homes(&self, lake: &mut Partitions, from: usize, version: i64, stop: &dyn Fn() -> bool) -> Result<()> {
        for part in from..lake.count() {
            if stop() {
                return Err(stopped());
            }
            let mut indexes: FxHashMap<HomeId, usize> = FxHashMap::default();
            let mut homes: Vec<(HomeId, Home)> = Vec::new();
            lake.take(part, |id, observation| {
                let index = *indexes.entry(id.clone()).or_insert(homes.len());
                if index == homes.len() {
                    homes.push((id, Home::default()));
                }
                homes[index].1.apply(&observation);
                Ok(())
            })?;
            let mut inner = self.lock();
            let transaction = inner.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            for (id, home) in &homes {
                let image = HomeImage::of(home, home_to_bytes(home));
                let sql = "INSERT INTO homes_next(id, version, market, status, list_price, last_seen, body)
                           VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)";
                transaction.prepare_cached(sql)?.execute(params![
                    id.as_str(),
                    version,
                    image.market.map(|market| market.to_string()),
                    image.status.map(|status| status.as_str()),
                    image.list_price.map(|price| price.0),
                    image.last_seen.map(Time::ms),
                    image.bytes
                ])?;
            }
            transaction.execute("UPDATE rebuild SET done = ?1", [i64::try_from(part + 1)?])?;
            transaction.commit()?;
        }
        let sql = "UPDATE rebuild SET stage = 'markets', newest = ?1, done = 0";
        self.lock().connection.execute(sql, [lake.newest.map(Time::ms)])?;
        Ok(())
    }

    /// Sums up the new homes. Restarts if it was killed, because it does not read the lake.
    fn build_markets(&self, version: i64, stop: &dyn Fn() -> bool) -> Result<()> {
        let homes: i64 = self.lock().connection.query_row("SELECT count(*) FROM homes_next", [], |row| row.get(0))?;
        let mut sums = ByMarket::new(self.data(), usize::try_from(homes)? / HOMES_AT_A_TIME)?;
        let horizons = self.put_contributions_aside(&mut sums, stop)?;
        let sql = "DELETE FROM markets_next; DELETE FROM bases_next; DELETE FROM archives_next; DELETE FROM areas_next;
                   DELETE FROM tails_next; DROP TABLE IF EXISTS merged_listings_next; DROP TABLE IF EXISTS corrections_next";
        self.lock().connection.execute_batch(sql)?;
        for bucket in 0..sums.count() {
            if stop() {
                return Err(stopped());
            }
            let markets = sum_up(&mut sums, bucket)?;
            let mut inner = self.lock();
            let transaction = inner.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            for (id, mut cells) in markets {
                let horizon = horizons.get(&id.parse::<Market>()?);
                let leaving = horizon.map(|horizon| cells.fold_to(*horizon)).unwrap_or_default();
                let body = cells.to_bytes();
                let sql = "INSERT INTO markets_next(id, version, base_bytes, tail_bytes) VALUES(?1, ?2, ?3, 0)";
                transaction.prepare_cached(sql)?.execute(params![id, version, i64::try_from(body.len())?])?;
                let sql = "INSERT INTO bases_next(market, version, body) VALUES(?1, ?2, ?3)";
                transaction.prepare_cached(sql)?.execute(params![id, version, body])?;
                for (period, sum) in leaving.into_periods() {
                    let sql = "INSERT INTO archives_next(market, period, body) VALUES(?1, ?2, ?3)";
                    transaction.prepare_cached(sql)?.execute(params![id, period, sum.to_bytes()])?;
                }
            }
            transaction.commit()?;
        }
        self.merge_generation(Generation::Next, stop)?;
        self.roll_up_generation(Generation::Next, Time::default(), stop)?;
        if stop() {
            return Err(stopped());
        }
        self.lock().connection.execute("UPDATE rebuild SET stage = 'ready'", [])?;
        Ok(())
    }

    /// Stores the contributions of the new homes temporarily. Returns the horizon of each market.
    fn put_contributions_aside(
        &self,
        sums: &mut ByMarket,
        stop: &dyn Fn() -> bool,
    ) -> Result<FxHashMap<Market, Horizon>> {
        let (mut zones, mut folded) = (Zones::default(), FxHashMap::<Market, Horizon>::default());
        let mut markets: FxHashMap<Market, Cells> = FxHashMap::default();
        let mut homes = 0;
        let put = |markets: &mut FxHashMap<Market, Cells>, sums: &mut ByMarket| -> Result<()> {
            markets.drain().try_for_each(|(market, cells)| sums.put(&market.to_string(), &cells.to_bytes()))
        };
        self.each_row("SELECT body FROM homes_next ORDER BY rowid", |row| {
            let home = home_from_bytes(row.get_ref(0)?.as_blob()?)?;
            for (market, delta) in contribution(&home.history, &mut zones).into_deltas() {
                drop(markets.entry(market).or_default().add(&delta));
            }
            for (market, Horizon { days, hours }) in horizons(&home, &mut zones) {
                let known = folded.entry(market).or_insert(Horizon { days, hours });
                *known = Horizon { days: known.days.max(days), hours: known.hours.max(hours) };
            }
            homes += 1;
            if homes % HOMES_AT_A_TIME == 0 {
                if stop() {
                    return Err(stopped());
                }
                put(&mut markets, sums)?;
            }
            Ok(())
        })?;
        put(&mut markets, sums)?;
        Ok(folded)
    }

    fn swap_stages(&self, from: Stage) -> Result<()> {
        let lake_rows = self.lake_count()?;
        let mut inner = self.lock();
        let transaction = inner.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let Some(next) = next_generation(&transaction)?.filter(|next| next.stage == from) else {
            return Err(if from == Stage::Ready {
                "there is no complete rebuilt state"
            } else {
                "there is no former state"
            }
            .into());
        };
        if next.lake_rows != lake_rows {
            let more = lake_rows - next.lake_rows;
            let why = format!("it lacks {more} observations that came since: rebuild instead");
            return Err(Failure::boxed(FailureKind::Refused, why));
        }
        transaction.execute_batch(
            "DROP INDEX IF EXISTS homes_by_market;
             DROP INDEX IF EXISTS merged_by_home;
             DROP INDEX IF EXISTS markets_to_roll_up;
             DROP INDEX IF EXISTS areas_by_level",
        )?;
        let (leaves, comes) = if from == Stage::Ready {
            (Generation::Retired, Generation::Next)
        } else {
            (Generation::Next, Generation::Retired)
        };
        Generation::Live.rename(leaves, &transaction)?;
        comes.rename(Generation::Live, &transaction)?;
        transaction.execute_batch(HOMES_BY_MARKET)?;
        after_swap(&transaction)?;
        // A generation of an older format that is swapped back has no roll-ups.
        if from == Stage::Ready || next.format == FORMAT {
            transaction.execute_batch(ROLL_UP_INDICES)?;
        }
        let found = format(&transaction)?;
        if from == Stage::Ready {
            let sql = "UPDATE totals SET lake_rows = ?1, newest = ?2,
                       outbox_bytes = (SELECT coalesce(sum(length(body)), 0) FROM outbox)";
            transaction.execute(sql, params![lake_rows, next.newest])?;
            if found < FORMAT {
                from_older(&transaction)?;
            }
            transaction.execute("UPDATE rebuild SET stage = 'swapped'", [])?;
        } else {
            transaction.pragma_update(None, "user_version", next.format)?;
            transaction.execute("UPDATE rebuild SET stage = 'ready'", [])?;
        }
        Ok(transaction.commit()?)
    }
}

/// Updates the tables that belong to no generation to the current format.
fn from_older(transaction: &Transaction<'_>) -> Result<()> {
    // They exist already if the generation was swapped in before.
    if !has_table(transaction, "rules")? {
        transaction.execute_batch(FROM_6)?;
    }
    transaction.execute_batch(FROM_8)?;
    // Images of an older format cannot be judged. The homes are judged as they are now instead; alerts that were sent
    // are in the ledger.
    transaction.execute_batch(
        "CREATE TEMP TABLE waiting AS SELECT DISTINCT home FROM changes;
         DELETE FROM changes;
         INSERT INTO changes(home, old, new)
         SELECT homes.id, NULL, homes.body FROM temp.waiting JOIN homes ON homes.id = waiting.home;
         DROP TABLE temp.waiting",
    )?;
    Ok(transaction.pragma_update(None, "user_version", FORMAT)?)
}

fn next_generation(connection: &Connection) -> Result<Option<NextGeneration>> {
    if !has_table(connection, "rebuild")? {
        return Ok(None);
    }
    let sql = "SELECT stage, program, lake_rows, newest, version, done, format FROM rebuild";
    let found = connection.prepare_cached(sql)?.query_row([], |row| {
        let stage: String = row.get(0)?;
        let next = |stage| -> rusqlite::Result<NextGeneration> {
            Ok(NextGeneration {
                stage,
                program: row.get(1)?,
                lake_rows: row.get(2)?,
                newest: row.get(3)?,
                version: row.get(4)?,
                done: row.get(5)?,
                format: row.get(6)?,
            })
        };
        STAGES.iter().find(|(_, name)| *name == stage).map(|(stage, _)| next(*stage)).transpose()
    });
    Ok(found.optional()?.flatten())
}

fn stopped() -> BoxError {
    Failure::boxed(FailureKind::Stopped, "stopped on request; the next rebuild continues from here")
}
