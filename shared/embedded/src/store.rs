use async_trait::async_trait;
use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};
use stoop_domain::{Home, HomeId, Market};
use stoop_market::Cells;
use stoop_pipeline::ports::{Commit, CommitError, HomeChange, MarketChange, PortError, Store, Versioned};
use stoop_wire::{home_from_bytes, home_to_bytes};

use crate::database::{Database, Inner};
use crate::error::Result;
use crate::lake;

#[async_trait]
impl Store for Database {
    async fn homes(&self, ids: &[HomeId]) -> Result<Vec<Option<Versioned<Home>>>, PortError> {
        let inner = self.lock();
        let read = |id: &HomeId| home(&inner.connection, id).map_err(self.doing(format!("read the home {id}")));
        ids.iter().map(read).collect()
    }

    async fn markets(&self, ids: &[Market]) -> Result<Vec<Option<Versioned<Cells>>>, PortError> {
        let inner = self.lock();
        let read = |id: &Market| market(&inner.connection, id).map_err(self.doing(format!("read the market {id}")));
        ids.iter().map(read).collect()
    }

    async fn commit(&self, commit: &Commit<'_>) -> Result<(), CommitError> {
        let what = || {
            let (homes, markets) = (commit.homes.len(), commit.markets.len());
            format!("commit {homes} homes and {markets} markets to {}", self.path().display())
        };
        let mut inner = self.lock();
        loop {
            match attempt(&mut inner, self.data(), commit).map_err(|error| self.doing(what())(error))? {
                Attempt::Stored => return Ok(()),
                Attempt::Conflict => return Err(CommitError::Conflict),
                Attempt::IntentLost => {}
            }
        }
    }

    fn commit_items_max(&self) -> usize {
        usize::MAX
    }
}

enum Attempt {
    Stored,
    Conflict,
    /// Another process opened the database between two steps; see [`lake::append`].
    IntentLost,
}

/// One transaction. A transaction that is not committed is rolled back when it is dropped.
fn attempt(inner: &mut Inner, data: &std::path::Path, commit: &Commit<'_>) -> Result<Attempt> {
    let Inner { connection, frame } = inner;
    // Compressing comes before the transaction, so that other processes wait for the writing only.
    let frame = frame.write(&commit.observations)?;
    let intent = match &frame {
        Some(frame) => lake::intend(connection, frame)?,
        None => None,
    };
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    if !(write_homes(&transaction, &commit.homes)? && write_markets(&transaction, &commit.markets)?) {
        transaction.rollback()?;
        if let Some(intent) = intent {
            lake::forget(connection, &intent)?;
        }
        return Ok(Attempt::Conflict);
    }
    // The file comes last: nothing that could still refuse the commit follows it.
    if let Some(frame) = &frame
        && !lake::append(&transaction, data, frame, intent.as_ref())?
    {
        return Ok(Attempt::IntentLost);
    }
    transaction.commit()?;
    Ok(Attempt::Stored)
}

/// Writes the homes and their changes; `false` if one has another version than was read.
fn write_homes(transaction: &Transaction<'_>, homes: &[HomeChange<'_>]) -> Result<bool> {
    let mut insert = transaction.prepare_cached(
        "INSERT INTO homes(id, version, market, status, list_price, last_seen, body)
         VALUES(?1, 1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT DO NOTHING",
    )?;
    // SQLite maintains an index when its column is named, changed or not. Homes hardly ever move.
    let mut update = transaction.prepare_cached(
        "UPDATE homes SET version = version + 1, status = ?3, list_price = ?4, last_seen = ?5, body = ?6
         WHERE id = ?1 AND version = ?2",
    )?;
    let mut update_moved = transaction.prepare_cached(
        "UPDATE homes SET version = version + 1, market = ?7, status = ?3, list_price = ?4, last_seen = ?5, body = ?6
         WHERE id = ?1 AND version = ?2",
    )?;
    let mut feed = transaction.prepare_cached("INSERT INTO changes(home, old, new) VALUES(?1, ?2, ?3)")?;
    for HomeChange { id, version_read, old, new, notable } in homes {
        let body = home_to_bytes(new);
        let facts = new.history.current();
        let status = facts.map(|facts| facts.status.as_str());
        let list_price = facts.and_then(|facts| facts.list_price).map(|price| price.0);
        let last_seen = new.history.seen().map(|(_, last)| last.ms());
        let version = version_read.cast_signed();
        let market = || facts.map(|facts| facts.market.to_string());
        let before = old.and_then(|old| old.history.current());
        let written = if *version_read == 0 {
            insert.execute(params![id.as_str(), market(), status, list_price, last_seen, body])?
        } else if !notable || before.map(|facts| &facts.market) == facts.map(|facts| &facts.market) {
            update.execute(params![id.as_str(), version, status, list_price, last_seen, body])?
        } else {
            update_moved.execute(params![id.as_str(), version, status, list_price, last_seen, body, market()])?
        };
        if written == 0 {
            return Ok(false);
        }
        if *notable {
            feed.execute(params![id.as_str(), old.map(home_to_bytes), body])?;
        }
    }
    Ok(true)
}

/// Writes the markets and adds to their archives; `false` if one has another version than was read.
fn write_markets(transaction: &Transaction<'_>, markets: &[MarketChange<'_>]) -> Result<bool> {
    let mut insert = transaction
        .prepare_cached("INSERT INTO markets(id, version, body) VALUES(?1, 1, ?2) ON CONFLICT DO NOTHING")?;
    let mut update = transaction
        .prepare_cached("UPDATE markets SET version = version + 1, body = ?3 WHERE id = ?1 AND version = ?2")?;
    for MarketChange { market, version_read, new, archived, .. } in markets {
        let id = market.to_string();
        let body = new.to_bytes();
        let written = if *version_read == 0 {
            insert.execute(params![id, body])?
        } else {
            update.execute(params![id, version_read.cast_signed(), body])?
        };
        if written == 0 {
            return Ok(false);
        }
        add_to_archive(transaction, &id, archived)?;
    }
    Ok(true)
}

/// Adds to the archive of a market. Only the periods that are told of are read and written.
fn add_to_archive(transaction: &Transaction<'_>, market: &str, archived: &Cells) -> Result<()> {
    if archived.is_empty() {
        return Ok(());
    }
    let mut read = transaction.prepare_cached("SELECT body FROM archives WHERE market = ?1 AND period = ?2")?;
    let mut write = transaction.prepare_cached(
        "INSERT INTO archives(market, period, body) VALUES(?1, ?2, ?3)
         ON CONFLICT(market, period) DO UPDATE SET body = excluded.body",
    )?;
    for (period, more) in archived.clone().into_periods() {
        let stored: Option<Vec<u8>> = read.query_row(params![market, period], |row| row.get(0)).optional()?;
        let mut sum = stored.map(|body| Cells::from_bytes(&body)).transpose()?.unwrap_or_default();
        sum.merge(&more);
        write.execute(params![market, period, sum.to_bytes()])?;
    }
    Ok(())
}

pub(crate) fn home(connection: &Connection, id: &HomeId) -> Result<Option<Versioned<Home>>> {
    let mut statement = connection.prepare_cached("SELECT version, body FROM homes WHERE id = ?1")?;
    let mut rows = statement.query([id.as_str()])?;
    let Some(row) = rows.next()? else { return Ok(None) };
    let value = home_from_bytes(row.get_ref(1)?.as_blob()?)?;
    Ok(Some(Versioned { value, version: row.get::<_, i64>(0)?.cast_unsigned() }))
}

pub(crate) fn market(connection: &Connection, id: &Market) -> Result<Option<Versioned<Cells>>> {
    let mut statement = connection.prepare_cached("SELECT version, body FROM markets WHERE id = ?1")?;
    let found = statement
        .query_row([id.to_string()], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, Vec<u8>>(1)?)))
        .optional()?;
    let Some((version, body)) = found else { return Ok(None) };
    Ok(Some(Versioned { value: Cells::from_bytes(&body)?, version: version.cast_unsigned() }))
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

/// Names content: 128 bits of BLAKE3 over the parts and their lengths.
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
