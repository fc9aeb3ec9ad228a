use async_trait::async_trait;
use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};
use stoop_domain::{Home, HomeId, Market, Observation};
use stoop_market::Cells;
use stoop_pipeline::ports::{
    Commit, CommitError, Gathers, HomeChange, HomeImage, MarketChange, PortError, Store, Versioned,
};
use stoop_wire::home_from_bytes;

use crate::database::{Database, Inner};
use crate::error::Result;
use crate::frames::HeldObservations;
use crate::generation::Generation;
use crate::lake;
use crate::unmerged::mark_changed;

#[async_trait]
impl Store for Database {
    async fn homes(&self, ids: &[HomeId]) -> Result<Vec<Option<Versioned<Home>>>, PortError> {
        let inner = self.lock();
        // In a first replay all homes are new.
        if is_without_homes(&inner.connection).map_err(self.doing("check for homes"))? {
            return Ok(ids.iter().map(|_| None).collect());
        }
        let read = |id: &HomeId| home(&inner.connection, id).map_err(self.doing(format!("read the home {id}")));
        ids.iter().map(read).collect()
    }

    async fn markets(&self, ids: &[Market]) -> Result<Vec<Option<Versioned<Cells>>>, PortError> {
        let inner = self.lock();
        let read = |id: &Market| market(&inner.connection, id).map_err(self.doing(format!("read the market {id}")));
        ids.iter().map(read).collect()
    }

    async fn commit(&self, commit: &Commit<'_>) -> Result<(), CommitError> {
        let mut held = HeldObservations::default();
        self.hold(&mut held, &commit.observations)?;
        self.commit_held(commit, &mut held).await
    }

    fn commit_items_max(&self) -> usize {
        usize::MAX
    }
}

#[async_trait]
impl Gathers for Database {
    type Held = HeldObservations;

    fn hold(&self, held: &mut HeldObservations, observations: &[&Observation]) -> Result<(), PortError> {
        self.lock().frame.hold(held, observations).map_err(self.doing("compress observations for the lake"))
    }

    fn held_bytes(held: &HeldObservations) -> usize {
        held.memory_bytes()
    }

    fn release(&self, held: &mut HeldObservations) -> Result<Vec<Observation>, PortError> {
        held.release().map_err(self.doing("read back observations for the lake"))
    }

    async fn commit_held(&self, commit: &Commit<'_>, held: &mut HeldObservations) -> Result<(), CommitError> {
        let what = || {
            let (homes, markets) = (commit.homes.len(), commit.markets.len());
            format!("commit {homes} homes and {markets} markets to {}", self.path().display())
        };
        let mut inner = self.lock();
        // Compresses before the transaction, so that other processes wait only for the writes.
        inner.frame.compress(held).map_err(|error| self.doing(what())(error))?;
        loop {
            match attempt(&mut inner, self.data(), commit, held).map_err(|error| self.doing(what())(error))? {
                Attempt::Stored => {
                    inner.after_commit(self.path());
                    return Ok(());
                }
                Attempt::Conflict => return Err(CommitError::Conflict),
                Attempt::IntentLost => {}
            }
        }
    }
}

enum Attempt {
    Stored,
    Conflict,
    /// Another process opened the database between two steps; see [`lake::append`].
    IntentLost,
}

/// One transaction. If it is not committed, it is rolled back on drop.
fn attempt(inner: &mut Inner, data: &std::path::Path, commit: &Commit<'_>, held: &HeldObservations) -> Result<Attempt> {
    let connection = &mut inner.connection;
    let intent = if held.is_empty() { None } else { lake::intend(connection, held)? };
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let is_stored =
        write_homes(&transaction, &commit.homes)? && write_markets(&transaction, Generation::Live, &commit.markets)?;
    if !is_stored {
        transaction.rollback()?;
        if let Some(intent) = intent {
            lake::forget(connection, &intent)?;
        }
        return Ok(Attempt::Conflict);
    }
    mark_changed(&transaction, commit)?;
    // The file is written last: after it nothing can refuse the commit.
    if !held.is_empty() && !lake::append(&transaction, data, held, intent.as_ref())? {
        return Ok(Attempt::IntentLost);
    }
    transaction.commit()?;
    if intent.is_some() {
        lake::seal_committed(connection, data);
    }
    Ok(Attempt::Stored)
}

/// Writes the homes and their changes. Returns `false` if a version differs from the one that was read.
fn write_homes(transaction: &Transaction<'_>, homes: &[HomeChange<'_>]) -> Result<bool> {
    let mut insert = transaction.prepare_cached(
        "INSERT INTO homes(id, version, market, status, list_price, last_seen, body)
         VALUES(?1, 1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT DO NOTHING",
    )?;
    // SQLite updates an index whenever its column is named in the statement. Homes hardly ever change their market.
    let mut update = transaction.prepare_cached(
        "UPDATE homes SET version = version + 1, status = ?3, list_price = ?4, last_seen = ?5, body = ?6
         WHERE id = ?1 AND version = ?2",
    )?;
    let mut update_moved = transaction.prepare_cached(
        "UPDATE homes SET version = version + 1, market = ?7, status = ?3, list_price = ?4, last_seen = ?5, body = ?6
         WHERE id = ?1 AND version = ?2",
    )?;
    let mut feed = transaction.prepare_cached("INSERT INTO changes(home, old, new) VALUES(?1, ?2, ?3)")?;
    for HomeChange { id, version_read, old, new, notable, moved } in homes {
        let HomeImage { bytes: body, market, status, list_price, last_seen } = new;
        let market = || market.as_ref().map(ToString::to_string);
        let (status, list_price) = (status.map(|status| status.as_str()), list_price.map(|price| price.0));
        let last_seen = last_seen.map(|last| last.ms());
        let version = version_read.cast_signed();
        let written = if *version_read == 0 {
            insert.execute(params![id.as_str(), market(), status, list_price, last_seen, body])?
        } else if *moved {
            update_moved.execute(params![id.as_str(), version, status, list_price, last_seen, body, market()])?
        } else {
            update.execute(params![id.as_str(), version, status, list_price, last_seen, body])?
        };
        if written == 0 {
            return Ok(false);
        }
        if *notable {
            feed.execute(params![id.as_str(), old, body])?;
        }
    }
    Ok(true)
}

/// The maximum size of all tails, as a fraction of the size of their base.
const TAIL_PART: i64 = 4;

/// Writes the deltas of markets and archives. Returns `false` if a version differs from the one that was read.
///
/// If a state grew little, only the delta is written, as a tail (ADR 0032).
pub(crate) fn write_markets(
    transaction: &Transaction<'_>,
    generation: Generation,
    markets: &[MarketChange<'_>],
) -> Result<bool> {
    let mut insert = transaction.prepare_cached(&format!(
        "INSERT INTO markets{generation}(id, version, base_bytes, tail_bytes) VALUES(?1, 1, 0, 0) ON CONFLICT DO NOTHING"
    ))?;
    let mut update = transaction.prepare_cached(&format!(
        "UPDATE markets{generation} SET version = version + 1, tail_bytes = tail_bytes + ?3 WHERE id = ?1 AND version = ?2
         RETURNING base_bytes, tail_bytes"
    ))?;
    let sql = format!("INSERT INTO tails{generation}(market, version, body) VALUES(?1, ?2, ?3)");
    let mut add_tail = transaction.prepare_cached(&sql)?;
    for change in markets {
        let MarketChange { market, version_read, new, archived, .. } = change;
        let (id, version) = (market.to_string(), version_read.cast_signed());
        let has_tail = if *version_read == 0 {
            if insert.execute([&id])? == 0 {
                return Ok(false);
            }
            false
        } else {
            let (tail, is_all) = tail_of(change);
            let tail = tail.to_bytes();
            let sizes = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?));
            let found = update.query_row(params![id, version, i64::try_from(tail.len())?], sizes).optional()?;
            let Some((base_bytes, tail_bytes)): Option<(i64, i64)> = found else { return Ok(false) };
            let is_small = tail_bytes.saturating_mul(TAIL_PART) <= base_bytes;
            if is_small {
                add_tail.execute(params![id, version + 1, tail])?;
            }
            if !is_all {
                let sql = format!("UPDATE markets{generation} SET rolled = 0 WHERE id = ?1");
                transaction.prepare_cached(&sql)?.execute([&id])?;
            }
            is_small
        };
        if !has_tail {
            write_base(transaction, generation, &id, version + 1, &new.to_bytes())?;
        }
        add_to_archive(transaction, generation, &id, archived)?;
    }
    Ok(true)
}

/// The delta of a market's state in a commit, and whether that is the whole delta. The part that is folded at once
/// belongs to the archive, not to the state.
fn tail_of(change: &MarketChange<'_>) -> (Cells, bool) {
    let mut tail = Cells::default();
    change.deltas.iter().for_each(|delta| drop(tail.add(delta)));
    let folded = change.fold_to.map(|horizon| tail.fold_to(horizon));
    (tail, folded.is_none_or(|folded| folded.is_empty()))
}

/// Writes the whole state of a market. Replaces its base and its tails.
fn write_base(
    transaction: &Transaction<'_>,
    generation: Generation,
    market: &str,
    version: i64,
    body: &[u8],
) -> Result<()> {
    let sql = format!(
        "INSERT INTO bases{generation}(market, version, body) VALUES(?1, ?2, ?3)
         ON CONFLICT DO UPDATE SET version = excluded.version, body = excluded.body"
    );
    transaction.prepare_cached(&sql)?.execute(params![market, version, body])?;
    transaction.prepare_cached(&format!("DELETE FROM tails{generation} WHERE market = ?1"))?.execute([market])?;
    let sql = format!("UPDATE markets{generation} SET base_bytes = ?2, tail_bytes = 0 WHERE id = ?1");
    transaction.prepare_cached(&sql)?.execute(params![market, i64::try_from(body.len())?])?;
    Ok(())
}

/// Adds to the archive of a market. Reads and writes only the affected periods.
fn add_to_archive(transaction: &Transaction<'_>, generation: Generation, market: &str, archived: &Cells) -> Result<()> {
    if archived.is_empty() {
        return Ok(());
    }
    let sql = format!("SELECT body FROM archives{generation} WHERE market = ?1 AND period = ?2");
    let mut read = transaction.prepare_cached(&sql)?;
    let mut write = transaction.prepare_cached(&format!(
        "INSERT INTO archives{generation}(market, period, body) VALUES(?1, ?2, ?3)
         ON CONFLICT(market, period) DO UPDATE SET body = excluded.body"
    ))?;
    for (period, more) in archived.clone().into_periods() {
        let stored: Option<Vec<u8>> = read.query_row(params![market, period], |row| row.get(0)).optional()?;
        let mut sum = stored.map(|body| Cells::from_bytes(&body)).transpose()?.unwrap_or_default();
        sum.merge(&more);
        write.execute(params![market, period, sum.to_bytes()])?;
    }
    Ok(())
}

fn is_without_homes(connection: &Connection) -> Result<bool> {
    Ok(!connection.prepare_cached("SELECT 1 FROM homes LIMIT 1")?.exists([])?)
}

pub(crate) fn home(connection: &Connection, id: &HomeId) -> Result<Option<Versioned<Home>>> {
    let mut statement = connection.prepare_cached("SELECT version, body FROM homes WHERE id = ?1")?;
    let mut rows = statement.query([id.as_str()])?;
    let Some(row) = rows.next()? else { return Ok(None) };
    let value = home_from_bytes(row.get_ref(1)?.as_blob()?)?;
    Ok(Some(Versioned { value, version: row.get::<_, i64>(0)?.cast_unsigned() }))
}

pub(crate) fn market(connection: &Connection, id: &Market) -> Result<Option<Versioned<Cells>>> {
    market_in(connection, Generation::Live, id)
}

pub(crate) fn market_in(
    connection: &Connection,
    generation: Generation,
    id: &Market,
) -> Result<Option<Versioned<Cells>>> {
    // One statement gives a consistent snapshot. The newest part has the version of the state, and the parts can be
    // added in any order.
    let sql = format!(
        "SELECT version, body FROM bases{generation} WHERE market = ?1
         UNION ALL SELECT version, body FROM tails{generation} WHERE market = ?1"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query([id.to_string()])?;
    let mut found: Option<Versioned<Cells>> = None;
    while let Some(row) = rows.next()? {
        let version = row.get::<_, i64>(0)?.cast_unsigned();
        let value = Cells::from_bytes(row.get_ref(1)?.as_blob()?)?;
        match &mut found {
            None => found = Some(Versioned { value, version }),
            Some(sum) => {
                sum.value.merge(&value);
                sum.version = sum.version.max(version);
            }
        }
    }
    Ok(found)
}

pub(crate) fn archive(connection: &Connection, market: &Market) -> Result<Cells> {
    let mut statement = connection.prepare_cached("SELECT body FROM archives WHERE market = ?1 ORDER BY period")?;
    let mut rows = statement.query([market.to_string()])?;
    let mut sum = Cells::default();
    while let Some(row) = rows.next()? {
        sum.merge(&Cells::from_bytes(row.get_ref(0)?.as_blob()?)?);
    }
    Ok(sum)
}

/// A content hash: 128 bits of BLAKE3 over the parts and their lengths.
pub(crate) fn hash(parts: &[&[u8]]) -> [u8; 16] {
    let mut hasher = blake3::Hasher::new();
    for part in parts {
        hasher.update(&(part.len() as u64).to_le_bytes());
        hasher.update(part);
    }
    let mut hash = [0; 16];
    hash.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
    hash
}
