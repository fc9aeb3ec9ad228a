//! Queries for people: plain reads for tables and JSON.

use async_trait::async_trait;
use rusqlite::{OptionalExtension, Row, params};
use serde::de::DeserializeOwned;
use stoop_domain::{Alert, AlertId, Day, Home, HomeId, Market, ReferenceAround, Reject, Time};
use stoop_identity::PairRulings;
use stoop_market::Cells;
use stoop_pipeline::NextPoll;
use stoop_pipeline::ports::{
    Browse, JudgedAlert, MergedCounts, Polling, PortError, Quarantined, RefusedRows, RunRecord, Versioned, Views,
};

use crate::database::{Database, file_bytes};
use crate::error::Result;
use crate::feed::limit_of;
use crate::followers::IS_WITHDRAWN;
use crate::ledgers::{intact, with_position};
use crate::market_list::TableState;
use crate::repeats::{add_other_listings, repeated};
use crate::store;
use crate::unmerged::is_merging;

/// Selects alerts by verdict.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AlertFilter {
    #[default]
    All,
    /// Alerts that are sent.
    Sent,
    Suspect,
}

/// The number of rejects of one source with one reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RejectCount {
    pub source: String,
    /// The name of the reason.
    pub reason: String,
    pub count: u64,
    /// The number of refused values of rows that were kept. 0 where `count` is that of stored rejects.
    pub values: u64,
}

/// The size of the database.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub homes: u64,
    pub markets: u64,
    /// Observations in the lake.
    pub observations: u64,
    /// Alerts that are sent.
    pub alerts: u64,
    /// Suspect alerts.
    pub suspects: u64,
    /// Alerts that were sent and are withdrawn.
    pub withdrawn: u64,
    pub quarantined: u64,
    pub runs: u64,
    /// Changes that some consumer has not processed yet.
    pub changes: u64,
    /// Records on the stream.
    pub records: u64,
    pub lake_objects: u64,
    /// Bytes of the database file, without its write-ahead log.
    pub file_bytes: u64,
}

#[async_trait]
impl Views for Database {
    async fn market_ids(&self) -> Result<Vec<Market>, PortError> {
        Self::market_ids(self)
    }

    async fn archive(&self, market: &Market) -> Result<Cells, PortError> {
        Self::archive(self, market)
    }

    async fn observed_at(&self, markets: &[Market]) -> Result<Option<Time>, PortError> {
        Self::observed_at(self, markets)
    }

    async fn alerts(&self, suspects: bool, limit: usize) -> Result<Vec<Alert>, PortError> {
        Self::alerts(self, if suspects { AlertFilter::All } else { AlertFilter::Sent }, limit)
    }

    async fn alert(&self, id: &AlertId) -> Result<Option<JudgedAlert>, PortError> {
        let sql = "SELECT alerts.body, rules.body FROM alerts LEFT JOIN rules ON rules.id = alerts.rules WHERE alerts.id = ?1";
        let rows = self.rows(sql, [&id.0], |row| {
            let rules = row.get::<_, Option<String>>(1)?;
            let rules = rules.map(|rules| serde_json::from_str(&rules)).transpose()?;
            Ok(JudgedAlert { alert: json(row)?, rules })
        });
        let mut found = rows.map_err(self.doing(format!("read the alert {id}")))?.pop();
        if let Some(JudgedAlert { alert, .. }) = &mut found {
            let added = add_other_listings(&self.lock().connection, alert);
            added.map_err(self.doing("read the other listings of a home"))?;
        }
        Ok(found)
    }
}

#[async_trait]
impl Browse for Database {
    async fn homes_of(
        &self,
        market: &Market,
        after: Option<&HomeId>,
        limit: usize,
    ) -> Result<Vec<(HomeId, Home)>, PortError> {
        self.open_homes_of(market, after, limit)
    }

    async fn runs(&self, limit: usize) -> Result<Vec<RunRecord>, PortError> {
        Self::runs(self, limit)
    }

    async fn last_run(&self, kind: &str) -> Result<Option<RunRecord>, PortError> {
        let sql = "SELECT body, process FROM runs WHERE json_extract(body, '$.kind') = ?1
                   ORDER BY began_at DESC, rowid DESC LIMIT 1";
        let rows = self.rows(sql, [kind], |row| Ok((json(row)?, row.get(1)?)));
        let last = rows.and_then(|rows| rows.into_iter().next().map(|(run, by)| self.as_it_is(run, by)).transpose());
        last.map_err(self.doing(format!("read the last run of the kind {kind}")))
    }

    async fn next_polls(&self) -> Result<Vec<NextPoll>, PortError> {
        self.all_next_polls()
    }

    async fn polling(&self) -> Result<Option<Polling>, PortError> {
        Ok(Some(Self::polling(self)?))
    }

    async fn quarantine(&self, newest: usize) -> Result<Option<Quarantined>, PortError> {
        let sql = "SELECT source, json_quote(reason),
                   sum(coalesce(json_extract(body, '$.rows'), 1)), sum(coalesce(json_extract(body, '$.values'), 0))
                   FROM quarantine GROUP BY source, reason ORDER BY source, reason";
        let counts = self.rows(sql, [], |row| {
            let reason = serde_json::from_str(row.get_ref(1)?.as_str()?)?;
            let count = |column| row.get::<_, i64>(column).map(i64::cast_unsigned);
            Ok(RefusedRows { source: row.get(0)?, reason, rows: count(2)?, values: count(3)? })
        });
        let counts = counts.map_err(self.doing("count the quarantine"))?;
        Ok(Some(Quarantined { counts, newest: self.quarantined(newest)? }))
    }

    async fn listings_of(
        &self,
        market: &Market,
        after: Option<&HomeId>,
        limit: usize,
    ) -> Result<Vec<(HomeId, Home)>, PortError> {
        self.open_listings_of(market, after, limit)
    }

    async fn pair_rulings(&self) -> Result<PairRulings, PortError> {
        Self::pair_rulings(self)
    }

    async fn merges(&self) -> Result<bool, PortError> {
        Ok(self.merging()?.is_some())
    }

    async fn merged(&self) -> Result<Option<MergedCounts>, PortError> {
        self.merged_counts()
    }

    async fn reference(&self, path: &str, first: Day, last: Day) -> Result<Vec<ReferenceAround>, PortError> {
        self.reference_around(path, first, last)
    }
}

impl Database {
    /// The names of all markets, in order.
    ///
    /// # Errors
    /// If they cannot be read.
    pub fn market_ids(&self) -> Result<Vec<Market>, PortError> {
        let state = || TableState::of(&self.lock().connection);
        let listed = self.market_list().known(state, || {
            self.rows("SELECT id FROM markets ORDER BY id", [], |row| Ok(row.get_ref(0)?.as_str()?.parse()?))
        });
        listed.map_err(self.doing("list the markets"))
    }

    /// The state of a market.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn cells(&self, market: &Market) -> Result<Option<Cells>, PortError> {
        let found = store::market(&self.lock().connection, market);
        Ok(found.map_err(self.doing(format!("read the market {market}")))?.map(|stored| stored.value))
    }

    /// The markets that `keep` selects, with their states, in order.
    ///
    /// # Errors
    /// If they cannot be read.
    pub fn cells_where(&self, keep: impl Fn(&Market) -> bool) -> Result<Vec<(Market, Cells)>, PortError> {
        let mut found = Vec::new();
        for market in self.market_ids()? {
            if keep(&market)
                && let Some(cells) = self.cells(&market)?
            {
                found.push((market, cells));
            }
        }
        Ok(found)
    }

    /// The archive of a market: the sum of everything that was folded out of its state. Empty if there is none.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn archive(&self, market: &Market) -> Result<Cells, PortError> {
        store::archive(&self.lock().connection, market)
            .map_err(self.doing(format!("read the archive of the market {market}")))
    }

    /// A home with its version.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn home(&self, id: &HomeId) -> Result<Option<Versioned<Home>>, PortError> {
        store::home(&self.lock().connection, id).map_err(self.doing(format!("read the home {id}")))
    }

    /// The `limit` newest alerts by the time of their change, newest first; with equal times, the last recorded first. If
    /// listings are merged, without alerts that repeat those of another listing of the home.
    ///
    /// # Errors
    /// If they cannot be read.
    pub fn alerts(&self, filter: AlertFilter, limit: usize) -> Result<Vec<Alert>, PortError> {
        let verdict = match filter {
            AlertFilter::All => "%",
            AlertFilter::Sent => "alert",
            AlertFilter::Suspect => "suspect",
        };
        let sql = "SELECT seq, body FROM alerts WHERE verdict LIKE ?1 ORDER BY at DESC, seq DESC LIMIT ?2 OFFSET ?3";
        let read = || -> Result<Vec<Alert>> {
            let (mut alerts, mut offset) = (Vec::new(), 0);
            while alerts.len() < limit {
                // Those that repeat others are left out: then further ones are read.
                let rows = self.rows(sql, params![verdict, limit_of(limit), limit_of(offset)], with_position)?;
                let is_last = rows.len() < limit;
                offset += rows.len();
                let inner = self.lock();
                for (position, alert) in rows {
                    if let Some(mut alert) = intact(alert)
                        && repeated(&inner.connection, position, &alert)?.is_none()
                    {
                        add_other_listings(&inner.connection, &mut alert)?;
                        alerts.push(alert);
                    }
                }
                if is_last || !is_merging(&inner.connection)? {
                    break;
                }
            }
            alerts.truncate(limit);
            Ok(alerts)
        };
        read().map_err(self.doing("list the alerts"))
    }

    /// The number of refused rows and values by source and reason.
    ///
    /// # Errors
    /// If they cannot be read.
    pub fn quarantine_counts(&self) -> Result<Vec<RejectCount>, PortError> {
        let sql = "SELECT source, reason, sum(coalesce(json_extract(body, '$.rows'), 1)),
                   sum(coalesce(json_extract(body, '$.values'), 0)) FROM quarantine
                   GROUP BY source, reason ORDER BY source, reason";
        let count = |row: &Row<'_>| {
            let count = |column| row.get::<_, i64>(column).map(i64::cast_unsigned);
            Ok(RejectCount { source: row.get(0)?, reason: row.get(1)?, count: count(2)?, values: count(3)? })
        };
        self.rows(sql, [], count).map_err(self.doing("count the quarantine"))
    }

    /// The last `limit` rejects, newest first.
    ///
    /// # Errors
    /// If they cannot be read.
    pub fn quarantined(&self, limit: usize) -> Result<Vec<Reject>, PortError> {
        let sql = "SELECT body FROM quarantine ORDER BY rowid DESC LIMIT ?1";
        self.rows(sql, [limit_of(limit)], json).map_err(self.doing("list the quarantine"))
    }

    /// The last `limit` runs, by their beginning, newest first.
    ///
    /// # Errors
    /// If they cannot be read.
    pub fn runs(&self, limit: usize) -> Result<Vec<RunRecord>, PortError> {
        let sql = "SELECT body, process FROM runs ORDER BY began_at DESC, rowid DESC LIMIT ?1";
        let rows = self.rows(sql, [limit_of(limit)], |row| Ok((json(row)?, row.get(1)?)));
        let runs = rows.and_then(|rows| rows.into_iter().map(|(run, process)| self.as_it_is(run, process)).collect());
        runs.map_err(self.doing("list the runs"))
    }

    /// When a home that is counted in one of these markets was last seen; `None` if there is no such home.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn observed_at(&self, markets: &[Market]) -> Result<Option<Time>, PortError> {
        let mut newest: Option<i64> = None;
        for market in markets {
            let sql = "SELECT max(last_seen) FROM homes WHERE market = ?1";
            let seen = self.rows(sql, [market.to_string()], |row| Ok(row.get::<_, Option<i64>>(0)?));
            let seen = seen.map_err(self.doing(format!("read when homes of {market} were seen")))?;
            newest = seen.into_iter().flatten().chain(newest).max();
        }
        Ok(newest.map(Time::from_ms))
    }

    /// The time of the newest observation in the lake.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn newest_observation(&self) -> Result<Option<Time>, PortError> {
        let newest = self.rows("SELECT newest FROM totals", [], |row| Ok(row.get::<_, Option<i64>>(0)?));
        let newest = newest.map_err(self.doing("read the time of the newest observation"))?;
        Ok(newest.into_iter().flatten().next().map(Time::from_ms))
    }

    /// A number that changes when another handle commits, and means nothing else (SQLite's `PRAGMA data_version`).
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn data_version(&self) -> Result<i64, PortError> {
        let version = self.rows("PRAGMA data_version", [], |row| Ok(row.get(0)?));
        Ok(version.map_err(self.doing("read the version of the data"))?.into_iter().next().unwrap_or_default())
    }

    /// The size of the database.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn counts(&self) -> Result<Counts, PortError> {
        let sql = format!(
            "SELECT (SELECT count(*) FROM homes), (SELECT count(*) FROM markets), (SELECT lake_rows FROM totals),
                   (SELECT count(*) FROM alerts WHERE verdict = 'alert'),
                   (SELECT count(*) FROM alerts WHERE verdict = 'suspect'),
                   (SELECT count(*) FROM alerts WHERE {IS_WITHDRAWN} AND verdict = 'alert'),
                   (SELECT count(*) FROM quarantine),
                   (SELECT count(*) FROM runs), (SELECT count(*) FROM changes), (SELECT count(*) FROM stream),
                   (SELECT count(*) FROM lake_objects)"
        );
        let read = || -> Result<Option<Counts>> {
            let inner = self.lock();
            let mut statement = inner.connection.prepare_cached(&sql)?;
            let counts = statement.query_row([], |row| {
                let count = |column| row.get::<_, i64>(column).map(i64::cast_unsigned);
                Ok(Counts {
                    homes: count(0)?,
                    markets: count(1)?,
                    observations: count(2)?,
                    alerts: count(3)?,
                    suspects: count(4)?,
                    withdrawn: count(5)?,
                    quarantined: count(6)?,
                    runs: count(7)?,
                    changes: count(8)?,
                    records: count(9)?,
                    lake_objects: count(10)?,
                    file_bytes: file_bytes(self.path()),
                })
            });
            Ok(counts.optional()?)
        };
        Ok(read().map_err(self.doing("count everything"))?.unwrap_or_default())
    }
}

fn json<T: DeserializeOwned>(row: &Row<'_>) -> Result<T> {
    Ok(serde_json::from_str(row.get_ref(0)?.as_str()?)?)
}
