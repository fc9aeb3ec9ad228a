//! The two queues: the change feed between metrics and alerts, the stream between poller and metrics.

use async_trait::async_trait;
use rusqlite::{Row, TransactionBehavior, params};
use stoop_domain::HomeId;
use stoop_pipeline::ports::{Change, PortError, Stream};
use stoop_wire::home_from_bytes;

use crate::database::Database;
use crate::error::Result;

/// Whose places a checkpoint names.
const CHANGES: &str = "changes";

/// A record of the stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Its place: later records have greater ones.
    pub seq: i64,
    /// The partition key it was put with.
    pub key: String,
    /// Its bytes.
    pub body: Vec<u8>,
}

impl Database {
    /// The first `limit` changes behind the place `after` (0: from the beginning), in the order of the
    /// commits, each with its place.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn changes(&self, after: i64, limit: usize) -> Result<Vec<(i64, Change)>, PortError> {
        let sql = "SELECT seq, home, old, new FROM changes WHERE seq > ?1 ORDER BY seq LIMIT ?2";
        self.rows(sql, params![after, limit_of(limit)], change).map_err(self.doing("read the change feed"))
    }

    /// How far a consumer of the change feed has come; 0 for one that never said.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn checkpoint(&self, consumer: &str) -> Result<i64, PortError> {
        let sql = "SELECT seq FROM checkpoints WHERE feed = ?1 AND consumer = ?2";
        let found = self.rows(sql, [CHANGES, consumer], |row| Ok(row.get(0)?));
        Ok(found.map_err(self.doing(format!("read the checkpoint of {consumer}")))?.pop().unwrap_or(0))
    }

    /// Says that a consumer has done with every change up to the place `seq`, for ever: saying less later
    /// changes nothing. What every consumer has done with is removed from the feed.
    ///
    /// # Errors
    /// When it cannot be stored.
    pub fn set_checkpoint(&self, consumer: &str, seq: i64) -> Result<(), PortError> {
        let store = || -> Result<()> {
            let mut inner = self.lock();
            let transaction = inner.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let sql = "INSERT INTO checkpoints(feed, consumer, seq) VALUES(?1, ?2, ?3)
                       ON CONFLICT DO UPDATE SET seq = max(seq, excluded.seq)";
            transaction.prepare_cached(sql)?.execute(params![CHANGES, consumer, seq])?;
            let trim = "DELETE FROM changes WHERE seq <= (SELECT min(seq) FROM checkpoints WHERE feed = ?1)";
            transaction.prepare_cached(trim)?.execute([CHANGES])?;
            Ok(transaction.commit()?)
        };
        store().map_err(self.doing(format!("store the checkpoint of {consumer}")))
    }

    /// The first `limit` records of the stream behind the place `after`, in the order in which they were put.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn stream_read(&self, after: i64, limit: usize) -> Result<Vec<Record>, PortError> {
        let sql = "SELECT seq, partition_key, body FROM stream WHERE seq > ?1 ORDER BY seq LIMIT ?2";
        let record = |row: &Row<'_>| Ok(Record { seq: row.get(0)?, key: row.get(1)?, body: row.get(2)? });
        self.rows(sql, params![after, limit_of(limit)], record).map_err(self.doing("read the stream"))
    }

    /// Says that every record up to the place `seq` took effect: they are removed.
    ///
    /// # Errors
    /// When that cannot be stored.
    pub fn stream_ack(&self, seq: i64) -> Result<(), PortError> {
        let store = || -> Result<usize> {
            let inner = self.lock();
            let removed = inner.connection.prepare_cached("DELETE FROM stream WHERE seq <= ?1")?.execute([seq])?;
            Ok(removed)
        };
        store().map(|_| ()).map_err(self.doing("remove records from the stream"))
    }
}

/// The stream accepts all records of a put or, with an error, none.
#[async_trait]
impl Stream for Database {
    async fn put(&self, records: &[(String, Vec<u8>)]) -> Result<Vec<usize>, PortError> {
        let max = self.record_bytes_max();
        if let Some((at, (key, body))) = records.iter().enumerate().find(|(_, (_, body))| body.len() > max) {
            let why = format!("record {at} ({key}) has {} bytes; at most {max} are taken", body.len());
            return Err(PortError::new("put records on the stream", why));
        }
        let store = || -> Result<()> {
            let mut inner = self.lock();
            let transaction = inner.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            {
                let sql = "INSERT INTO stream(partition_key, body) VALUES(?1, ?2)";
                let mut insert = transaction.prepare_cached(sql)?;
                for (key, body) in records {
                    insert.execute(params![key, body])?;
                }
            }
            Ok(transaction.commit()?)
        };
        store().map_err(self.doing(format!("put {} records on the stream", records.len())))?;
        Ok(Vec::new())
    }

    fn record_bytes_max(&self) -> usize {
        1 << 20
    }
}

pub(crate) fn change(row: &Row<'_>) -> Result<(i64, Change)> {
    let home = HomeId(row.get_ref(1)?.as_str()?.into());
    let old = row.get_ref(2)?.as_blob_or_null()?.map(home_from_bytes).transpose()?;
    let new = home_from_bytes(row.get_ref(3)?.as_blob()?)?;
    Ok((row.get(0)?, Change { home, old, new }))
}

/// SQLite's LIMIT is signed, and negative means none.
pub(crate) fn limit_of(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}
