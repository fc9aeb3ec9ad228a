//! The two queues: the change feed between metrics and alerts, and the stream between poller and metrics.

use async_trait::async_trait;
use rusqlite::{Row, TransactionBehavior, params};
use stoop_domain::{HomeId, Time};
use stoop_pipeline::ports::{Change, PortError, Stream, StreamReader};
use stoop_wire::home_from_bytes;

use crate::database::Database;
use crate::error::Result;

/// The feed to which a checkpoint belongs.
const CHANGES: &str = "changes";

/// The setting with the time of the newest sighting that was processed, in milliseconds.
const NEWEST_SIGHTING: &str = "newest sighting";

/// A record of the stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// The position. Later records have greater ones.
    pub seq: i64,
    /// The partition key.
    pub key: String,
    /// The content.
    pub body: Vec<u8>,
}

impl Database {
    /// The first `limit` changes after position `after` (0: from the beginning), in the order of the commits, with
    /// their positions.
    ///
    /// # Errors
    /// If they cannot be read.
    pub fn changes(&self, after: i64, limit: usize) -> Result<Vec<(i64, Change)>, PortError> {
        let sql = "SELECT seq, home, old, new FROM changes WHERE seq > ?1 ORDER BY seq LIMIT ?2";
        self.rows(sql, params![after, limit_of(limit)], change).map_err(self.doing("read the change feed"))
    }

    /// The position up to which a consumer has processed the change feed. 0 if it has no checkpoint.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn checkpoint(&self, consumer: &str) -> Result<i64, PortError> {
        let sql = "SELECT seq FROM checkpoints WHERE feed = ?1 AND consumer = ?2";
        let found = self.rows(sql, [CHANGES, consumer], |row| Ok(row.get(0)?));
        Ok(found.map_err(self.doing(format!("read the checkpoint of {consumer}")))?.pop().unwrap_or(0))
    }

    /// Stores that a consumer has processed all changes up to position `seq`. A checkpoint never goes back. Changes
    /// that all consumers have processed are removed.
    ///
    /// # Errors
    /// If it cannot be stored.
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

    /// The first `limit` records of the stream after position `after`, in the order in which they were put.
    ///
    /// # Errors
    /// If they cannot be read.
    pub fn stream_read(&self, after: i64, limit: usize) -> Result<Vec<Record>, PortError> {
        let sql = "SELECT seq, partition_key, body FROM stream WHERE seq > ?1 ORDER BY seq LIMIT ?2";
        let record = |row: &Row<'_>| Ok(Record { seq: row.get(0)?, key: row.get(1)?, body: row.get(2)? });
        self.rows(sql, params![after, limit_of(limit)], record).map_err(self.doing("read the stream"))
    }

    /// Removes all records up to position `seq`, which have been processed.
    ///
    /// # Errors
    /// If that cannot be stored.
    pub fn stream_ack(&self, seq: i64) -> Result<(), PortError> {
        let store = || -> Result<usize> {
            let inner = self.lock();
            let removed = inner.connection.prepare_cached("DELETE FROM stream WHERE seq <= ?1")?.execute([seq])?;
            Ok(removed)
        };
        store().map(|_| ()).map_err(self.doing("remove records from the stream"))
    }
}

/// A put stores all records or, with an error, none.
#[async_trait]
impl Stream for Database {
    async fn put(&self, records: &[(String, Vec<u8>)]) -> Result<Vec<usize>, PortError> {
        let max = self.record_bytes_max();
        if let Some((at, (key, body))) = records.iter().enumerate().find(|(_, (_, body))| body.len() > max) {
            let why = format!("record {at} ({key}) has {} bytes; the maximum is {max}", body.len());
            return Err(PortError::refused("put records on the stream", why));
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

#[async_trait]
impl StreamReader for Database {
    async fn records(&self, limit: usize) -> Result<Vec<(i64, Vec<u8>)>, PortError> {
        Ok(self.stream_read(0, limit)?.into_iter().map(|record| (record.seq, record.body)).collect())
    }

    async fn remove(&self, position: i64) -> Result<(), PortError> {
        self.stream_ack(position)
    }

    async fn newest_sighting(&self) -> Result<Option<Time>, PortError> {
        Ok(self.setting(NEWEST_SIGHTING)?.and_then(|ms| ms.parse().ok()).map(Time::from_ms))
    }

    async fn keep_newest_sighting(&self, seen: Time) -> Result<(), PortError> {
        self.set_setting(NEWEST_SIGHTING, &seen.ms().to_string())
    }
}

pub(crate) fn change(row: &Row<'_>) -> Result<(i64, Change)> {
    let home = HomeId(row.get_ref(1)?.as_str()?.into());
    let old = row.get_ref(2)?.as_blob_or_null()?.map(home_from_bytes).transpose()?;
    let new = home_from_bytes(row.get_ref(3)?.as_blob()?)?;
    Ok((row.get(0)?, Change { home, old, new }))
}

/// SQLite's LIMIT is signed; a negative value means no limit.
pub(crate) fn limit_of(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}
