//! The followers of the ledger of alerts, their positions, and their dead letters.

use async_trait::async_trait;
use rusqlite::{OptionalExtension, Row, TransactionBehavior, params};
use stoop_domain::{Alert, AlertId, Time};
use stoop_pipeline::ports::{DeadLetter, DeadLetters, DeliveryCursors, JudgedAlert, LedgerRow, PortError};
use stoop_rules::Rules;

use crate::database::Database;
use crate::error::Result;
use crate::feed::limit_of;
use crate::ledgers::{intact, note_rules, with_position};
use crate::repeats::{add_other_listings, repeated};

const SET_PLACE: &str = "INSERT INTO followers(name, seq, bytes) VALUES(?1, ?2, ?3)
                         ON CONFLICT DO UPDATE SET seq = max(seq, excluded.seq), bytes = excluded.bytes";

const KEEP_LETTER: &str = "INSERT INTO dead_letters(follower, seq, at, why) VALUES(?1, ?2, ?3, ?4)
                           ON CONFLICT DO UPDATE SET at = excluded.at, why = excluded.why";

/// The condition for withdrawn alerts; a damaged one is none.
pub(crate) const IS_WITHDRAWN: &str =
    "CASE WHEN json_valid(body) THEN json_extract(body, '$.withdrawn') END IS NOT NULL";

impl Database {
    /// The first `limit` alerts after position `after` (0: from the beginning), including suspect ones, in the order in
    /// which they were recorded, with their positions. Alerts are never removed.
    ///
    /// # Errors
    /// If they cannot be read.
    pub fn alerts_after(&self, after: i64, limit: usize) -> Result<Vec<LedgerRow>, PortError> {
        let sql = "SELECT seq, body FROM alerts WHERE seq > ?1 ORDER BY seq LIMIT ?2";
        self.rows(sql, params![after, limit_of(limit)], with_position).map_err(self.doing("read the alerts"))
    }

    /// As [`Database::alerts_after`], each with the other listings of its home, without those that repeat one of another listing.
    ///
    /// # Errors
    /// If they cannot be read.
    pub fn news_after(&self, after: i64, limit: usize) -> Result<Vec<LedgerRow>, PortError> {
        let (mut news, mut last) = (Vec::new(), after);
        while news.len() < limit {
            let some = self.alerts_after(last, limit)?;
            let Some((position, _)) = some.last() else { break };
            last = *position;
            let inner = self.lock();
            for (position, alert) in some {
                let alert = match alert {
                    Ok(mut alert) => {
                        let is_repeat = repeated(&inner.connection, position, &alert).map(|other| other.is_some());
                        if is_repeat.map_err(self.doing("look for alerts of the same home"))? {
                            continue;
                        }
                        let added = add_other_listings(&inner.connection, &mut alert);
                        added.map_err(self.doing("read the other listings of homes"))?;
                        Ok(alert)
                    }
                    damaged => damaged,
                };
                news.push((position, alert));
            }
        }
        news.truncate(limit);
        Ok(news)
    }

    /// As [`Database::alerts_after`], each with the rules that it was judged by; `None` for a damaged one.
    ///
    /// # Errors
    /// If they cannot be read.
    pub fn judged_after(&self, after: i64, limit: usize) -> Result<Vec<(i64, Option<JudgedAlert>)>, PortError> {
        let sql = "SELECT seq, alerts.body, rules.body FROM alerts LEFT JOIN rules ON rules.id = alerts.rules
                   WHERE seq > ?1 ORDER BY seq LIMIT ?2";
        let judged = |row: &Row<'_>| {
            let (seq, alert) = with_position(row)?;
            let rules = row.get::<_, Option<String>>(2)?.map(|rules| serde_json::from_str(&rules)).transpose()?;
            Ok((seq, intact(alert).map(|alert| JudgedAlert { alert, rules })))
        };
        self.rows(sql, params![after, limit_of(limit)], judged).map_err(self.doing("read the judged alerts"))
    }

    /// Whether an alert repeats one of another listing of its home.
    pub(crate) fn is_repeat(&self, position: i64, alert: &Alert) -> Result<bool, PortError> {
        let found = repeated(&self.lock().connection, position, alert);
        Ok(found.map_err(self.doing("look for alerts of the same home"))?.is_some())
    }

    /// The position of the alert that was recorded last; 0 if there is none.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn newest_alert(&self) -> Result<i64, PortError> {
        let found = self.rows("SELECT coalesce(max(seq), 0) FROM alerts", [], |row| Ok(row.get(0)?));
        Ok(found.map_err(self.doing("read the position of the newest alert"))?.pop().unwrap_or(0))
    }

    /// The position of a follower in the ledger, and the byte offset that belongs to it. `None` for a new follower.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn place_of(&self, follower: &str) -> Result<Option<(i64, Option<u64>)>, PortError> {
        let sql = "SELECT seq, bytes FROM followers WHERE name = ?1";
        let found = self.rows(sql, [follower], |row| Ok((row.get(0)?, row.get::<_, Option<i64>>(1)?)));
        let found = found.map_err(self.doing(format!("read the position of {follower}")))?.pop();
        Ok(found.map(|(seq, bytes)| (seq, bytes.and_then(|bytes| u64::try_from(bytes).ok()))))
    }

    /// The number of alerts that a follower has yet to send.
    ///
    /// # Errors
    /// If they cannot be counted.
    pub fn waiting_count(&self, follower: &str) -> Result<u64, PortError> {
        let (seq, _) = self.place_of(follower)?.unwrap_or_default();
        let sql = "SELECT count(*) FROM alerts WHERE seq > ?1 AND verdict = 'alert'";
        let found = self.rows(sql, [seq], |row| Ok(row.get::<_, i64>(0)?.cast_unsigned()));
        Ok(found.map_err(self.doing(format!("count the waiting alerts of {follower}")))?.pop().unwrap_or(0))
    }

    /// Stores that a follower has processed every alert up to position `seq`. The position never goes back.
    ///
    /// # Errors
    /// If it cannot be stored.
    pub fn set_place_of(&self, follower: &str, seq: i64, bytes: Option<u64>) -> Result<(), PortError> {
        let bytes = bytes.map(u64::cast_signed);
        self.execute(SET_PLACE, params![follower, seq, bytes])
            .map_err(self.doing(format!("store the position of {follower}")))
    }

    /// Removes a follower. If it returns, it is a new one.
    ///
    /// # Errors
    /// If that cannot be stored.
    pub fn forget_follower(&self, follower: &str) -> Result<(), PortError> {
        let sql = "DELETE FROM followers WHERE name = ?1";
        self.execute(sql, [follower]).map_err(self.doing(format!("forget {follower}")))
    }

    /// The first `limit` dead letters of a follower after position `after`, in the order of the ledger.
    ///
    /// # Errors
    /// If they cannot be read.
    pub fn dead_letters(&self, follower: &str, after: i64, limit: usize) -> Result<Vec<DeadLetter>, PortError> {
        let sql = "SELECT seq, body, dead_letters.at, why FROM dead_letters JOIN alerts USING(seq)
                   WHERE follower = ?1 AND seq > ?2 ORDER BY seq LIMIT ?3";
        let letter = |row: &Row<'_>| {
            let (position, alert) = with_position(row)?;
            let (at, why) = (Time::from_ms(row.get(2)?), row.get(3)?);
            Ok(intact(alert).map(|alert| DeadLetter { position, alert, at, why }))
        };
        let rows = self.rows(sql, params![follower, after, limit_of(limit)], letter);
        Ok(rows.map_err(self.doing("list the dead letters"))?.into_iter().flatten().collect())
    }

    /// The number of dead letters of a follower.
    ///
    /// # Errors
    /// If they cannot be counted.
    pub fn dead_letter_count(&self, follower: &str) -> Result<u64, PortError> {
        let sql = "SELECT count(*) FROM dead_letters WHERE follower = ?1";
        let found = self.rows(sql, [follower], |row| Ok(row.get::<_, i64>(0)?.cast_unsigned()));
        Ok(found.map_err(self.doing("count the dead letters"))?.pop().unwrap_or(0))
    }

    /// The setting with this name.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn setting(&self, name: &str) -> Result<Option<String>, PortError> {
        let found = self.rows("SELECT body FROM settings WHERE name = ?1", [name], |row| Ok(row.get(0)?));
        Ok(found.map_err(self.doing(format!("read the setting {name}")))?.pop())
    }

    /// Stores a setting. Replaces the one with the same name.
    ///
    /// # Errors
    /// If it cannot be stored.
    pub fn set_setting(&self, name: &str, body: &str) -> Result<(), PortError> {
        let sql = "INSERT INTO settings(name, body) VALUES(?1, ?2) ON CONFLICT DO UPDATE SET body = excluded.body";
        self.execute(sql, [name, body]).map_err(self.doing(format!("store the setting {name}")))
    }

    /// Stores the rules by which homes are judged from now on. Returns the rules before.
    ///
    /// # Errors
    /// If they cannot be stored.
    pub fn set_rules(&self, rules: &Rules) -> Result<Option<Rules>, PortError> {
        let store = || -> Result<Option<Rules>> {
            let now = serde_json::to_string(rules)?;
            let mut inner = self.lock();
            let transaction = inner.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let sql = "SELECT body FROM settings WHERE name = 'rules'";
            let before: Option<String> = transaction.query_row(sql, [], |row| row.get(0)).optional()?;
            if before.as_ref() != Some(&now) {
                note_rules(&transaction, &now)?;
                let sql = "INSERT INTO settings(name, body) VALUES('rules', ?1)
                           ON CONFLICT DO UPDATE SET body = excluded.body";
                transaction.execute(sql, [&now])?;
            }
            transaction.commit()?;
            Ok(before.map(|before| serde_json::from_str(&before)).transpose()?)
        };
        store().map_err(self.doing("store the alert rules"))
    }

    /// Writes with one statement, which is its own transaction.
    fn execute(&self, sql: &str, params: impl rusqlite::Params) -> Result<()> {
        self.lock().connection.prepare_cached(sql)?.execute(params)?;
        Ok(())
    }
}

#[async_trait]
impl DeliveryCursors for Database {
    async fn is_known(&self, follower: &str) -> Result<bool, PortError> {
        Ok(self.place_of(follower)?.is_some())
    }

    async fn newest(&self) -> Result<i64, PortError> {
        self.newest_alert()
    }

    async fn waiting(&self, follower: &str, limit: usize) -> Result<Vec<LedgerRow>, PortError> {
        let (seq, _) = self.place_of(follower)?.unwrap_or_default();
        let mut waiting = self.alerts_after(seq, limit)?;
        let inner = self.lock();
        for alert in waiting.iter_mut().filter_map(|(_, alert)| alert.as_mut().ok()) {
            let added = add_other_listings(&inner.connection, alert);
            added.map_err(self.doing("read the other listings of homes"))?;
        }
        Ok(waiting)
    }

    async fn repeated(&self, position: i64, alert: &Alert) -> Result<Option<AlertId>, PortError> {
        repeated(&self.lock().connection, position, alert).map_err(self.doing("look for alerts of the same home"))
    }

    async fn done(&self, follower: &str, position: i64) -> Result<(), PortError> {
        self.set_place_of(follower, position, None)
    }

    async fn refused(&self, follower: &str, position: i64, at: Time, why: &str) -> Result<(), PortError> {
        let store = || -> Result<()> {
            let mut inner = self.lock();
            let transaction = inner.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            transaction.prepare_cached(KEEP_LETTER)?.execute(params![follower, position, at.ms(), why])?;
            transaction.prepare_cached(SET_PLACE)?.execute(params![follower, position, None::<i64>])?;
            Ok(transaction.commit()?)
        };
        store().map_err(self.doing("store a dead letter"))
    }
}

#[async_trait]
impl DeadLetters for Database {
    async fn list(&self, follower: &str, after: i64, limit: usize) -> Result<Vec<DeadLetter>, PortError> {
        self.dead_letters(follower, after, limit)
    }

    async fn keep(&self, follower: &str, position: i64, at: Time, why: &str) -> Result<(), PortError> {
        self.execute(KEEP_LETTER, params![follower, position, at.ms(), why]).map_err(self.doing("store a dead letter"))
    }

    async fn remove(&self, follower: &str, position: i64) -> Result<(), PortError> {
        let sql = "DELETE FROM dead_letters WHERE follower = ?1 AND seq = ?2";
        self.execute(sql, params![follower, position]).map_err(self.doing("remove a dead letter"))
    }
}
