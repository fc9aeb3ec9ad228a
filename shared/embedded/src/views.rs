//! What people ask of the database: plain reads, for tables and JSON. None of them writes.

use std::collections::BTreeSet;

use async_trait::async_trait;
use rusqlite::{OptionalExtension, Row, params};
use serde::de::DeserializeOwned;
use stoop_domain::{Alert, Home, HomeId, Market, Reject, Time};
use stoop_market::Cells;
use stoop_pipeline::ports::{PortError, RunRecord, ShownWide, Versioned, Views, VisitWide, WideAreas};
use stoop_pipeline::{WideArea, WideLevel};
use stoop_wire::home_from_bytes;

use crate::database::{Database, file_bytes};
use crate::error::Result;
use crate::feed::limit_of;
use crate::store;

/// Which alerts to show.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AlertFilter {
    /// All of them.
    #[default]
    All,
    /// Those that were told.
    Sent,
    /// Those that were held back.
    Suspect,
}

/// How many rejects of one source there are for one reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RejectCount {
    /// The source.
    pub source: String,
    /// The reason's name.
    pub reason: String,
    /// How many.
    pub count: u64,
}

/// How much of everything there is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Homes.
    pub homes: u64,
    /// Markets.
    pub markets: u64,
    /// Observations in the lake.
    pub observations: u64,
    /// Alerts that were told.
    pub alerts: u64,
    /// Alerts that were held back.
    pub suspects: u64,
    /// Rejects in quarantine.
    pub quarantined: u64,
    /// Runs.
    pub runs: u64,
    /// Changes that some consumer has not done with.
    pub changes: u64,
    /// Records on the stream.
    pub records: u64,
    /// Files of the lake.
    pub lake_objects: u64,
    /// The size of the database file, without its write-ahead log.
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

    async fn alerts(&self, suspects: bool, limit: usize) -> Result<Vec<Alert>, PortError> {
        Self::alerts(self, if suspects { AlertFilter::All } else { AlertFilter::Sent }, limit)
    }
}

/// What is read has all in it that was committed: it is never behind.
#[async_trait]
impl WideAreas for Database {
    async fn wide(&self, area: &WideArea, _markets: usize, now: Time) -> Result<Option<ShownWide>, PortError> {
        Ok(Self::wide(self, area, now)?.map(|sum| ShownWide { sum, rolled_up: None }))
    }

    async fn each(
        &self,
        level: WideLevel,
        markets: &[Market],
        now: Time,
        visit: &mut VisitWide<'_>,
    ) -> Result<(), PortError> {
        let areas: BTreeSet<WideArea> = markets.iter().map(|market| WideArea::of(market, level)).collect();
        self.reading(|| {
            for area in &areas {
                let sum = self.wide_now(area, now)?;
                visit(area.clone(), sum.map(|sum| ShownWide { sum, rolled_up: None }));
            }
            Ok(())
        })
    }
}

impl Database {
    /// The names of all markets, in order.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn market_ids(&self) -> Result<Vec<Market>, PortError> {
        self.rows("SELECT id FROM markets ORDER BY id", [], |row| Ok(row.get_ref(0)?.as_str()?.parse()?))
            .map_err(self.doing("list the markets"))
    }

    /// The state of a market.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn cells(&self, market: &Market) -> Result<Option<Cells>, PortError> {
        let found = store::market(&self.lock().connection, market);
        Ok(found.map_err(self.doing(format!("read the market {market}")))?.map(|stored| stored.value))
    }

    /// Every market that `keep` says yes to, with its state, in order.
    ///
    /// # Errors
    /// When they cannot be read.
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

    /// The archive of a market: the sum of all that its state was told and tells of no more. Empty where there is none.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn archive(&self, market: &Market) -> Result<Cells, PortError> {
        store::archive(&self.lock().connection, market)
            .map_err(self.doing(format!("read the archive of the market {market}")))
    }

    /// A home.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn home(&self, id: &HomeId) -> Result<Option<Versioned<Home>>, PortError> {
        store::home(&self.lock().connection, id).map_err(self.doing(format!("read the home {id}")))
    }

    /// The first `limit` homes that are now counted in a market, in the order of their ids, behind `after`.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn homes_of(
        &self,
        market: &Market,
        after: Option<&HomeId>,
        limit: usize,
    ) -> Result<Vec<(HomeId, Home)>, PortError> {
        let sql = "SELECT id, body FROM homes INDEXED BY homes_by_market
                   WHERE market = ?1 AND id > ?2 ORDER BY id LIMIT ?3";
        let after = after.map_or("", HomeId::as_str);
        self.rows(sql, params![market.to_string(), after, limit_of(limit)], home_row)
            .map_err(self.doing(format!("list the homes of {market}")))
    }

    /// The first `limit` homes of all, in the order of their ids, behind `after`.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn homes_after(&self, after: Option<&HomeId>, limit: usize) -> Result<Vec<(HomeId, Home)>, PortError> {
        let sql = "SELECT id, body FROM homes WHERE id > ?1 ORDER BY id LIMIT ?2";
        let after = after.map_or("", HomeId::as_str);
        self.rows(sql, params![after, limit_of(limit)], home_row).map_err(self.doing("list the homes"))
    }

    /// The ids of the first `limit` homes of all, in order, behind `after`. Reads nothing else of them.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn home_ids_after(&self, after: Option<&HomeId>, limit: usize) -> Result<Vec<HomeId>, PortError> {
        let sql = "SELECT id FROM homes WHERE id > ?1 ORDER BY id LIMIT ?2";
        let after = after.map_or("", HomeId::as_str);
        let id = |row: &Row<'_>| Ok(HomeId(row.get_ref(0)?.as_str()?.into()));
        self.rows(sql, params![after, limit_of(limit)], id).map_err(self.doing("list the ids of the homes"))
    }

    /// The `limit` newest alerts by the time of their change, the newest first; of one time, the last recorded.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn alerts(&self, filter: AlertFilter, limit: usize) -> Result<Vec<Alert>, PortError> {
        let verdict = match filter {
            AlertFilter::All => "%",
            AlertFilter::Sent => "alert",
            AlertFilter::Suspect => "suspect",
        };
        let sql = "SELECT body FROM alerts WHERE verdict LIKE ?1 ORDER BY at DESC, seq DESC LIMIT ?2";
        self.rows(sql, params![verdict, limit_of(limit)], json).map_err(self.doing("list the alerts"))
    }

    /// How many rejects there are, by source and reason.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn quarantine_counts(&self) -> Result<Vec<RejectCount>, PortError> {
        let sql = "SELECT source, reason, sum(coalesce(json_extract(body, '$.rows'), 1)) FROM quarantine
                   GROUP BY source, reason ORDER BY source, reason";
        let count = |row: &Row<'_>| {
            Ok(RejectCount { source: row.get(0)?, reason: row.get(1)?, count: row.get::<_, i64>(2)?.cast_unsigned() })
        };
        self.rows(sql, [], count).map_err(self.doing("count the quarantine"))
    }

    /// The last `limit` rejects, the last kept first.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn quarantined(&self, limit: usize) -> Result<Vec<Reject>, PortError> {
        let sql = "SELECT body FROM quarantine ORDER BY rowid DESC LIMIT ?1";
        self.rows(sql, [limit_of(limit)], json).map_err(self.doing("list the quarantine"))
    }

    /// The last `limit` runs, the last begun first.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn runs(&self, limit: usize) -> Result<Vec<RunRecord>, PortError> {
        let sql = "SELECT body, process FROM runs ORDER BY began_at DESC, rowid DESC LIMIT ?1";
        let rows = self.rows(sql, [limit_of(limit)], |row| Ok((json(row)?, row.get(1)?)));
        let runs = rows.and_then(|rows| rows.into_iter().map(|(run, process)| self.as_it_is(run, process)).collect());
        runs.map_err(self.doing("list the runs"))
    }

    /// The time of the newest observation in the lake.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn newest_observation(&self) -> Result<Option<Time>, PortError> {
        let newest = self.rows("SELECT newest FROM totals", [], |row| Ok(row.get::<_, Option<i64>>(0)?));
        let newest = newest.map_err(self.doing("read the time of the newest observation"))?;
        Ok(newest.into_iter().flatten().next().map(Time::from_ms))
    }

    /// How much of everything there is.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn counts(&self) -> Result<Counts, PortError> {
        let sql = "SELECT (SELECT count(*) FROM homes), (SELECT count(*) FROM markets), (SELECT lake_rows FROM totals),
                   (SELECT count(*) FROM alerts WHERE verdict = 'alert'),
                   (SELECT count(*) FROM alerts WHERE verdict = 'suspect'), (SELECT count(*) FROM quarantine),
                   (SELECT count(*) FROM runs), (SELECT count(*) FROM changes), (SELECT count(*) FROM stream),
                   (SELECT count(*) FROM lake_objects)";
        let read = || -> Result<Option<Counts>> {
            let inner = self.lock();
            let mut statement = inner.connection.prepare_cached(sql)?;
            let counts = statement.query_row([], |row| {
                let count = |column| row.get::<_, i64>(column).map(i64::cast_unsigned);
                Ok(Counts {
                    homes: count(0)?,
                    markets: count(1)?,
                    observations: count(2)?,
                    alerts: count(3)?,
                    suspects: count(4)?,
                    quarantined: count(5)?,
                    runs: count(6)?,
                    changes: count(7)?,
                    records: count(8)?,
                    lake_objects: count(9)?,
                    file_bytes: file_bytes(self.path()),
                })
            });
            Ok(counts.optional()?)
        };
        Ok(read().map_err(self.doing("count everything"))?.unwrap_or_default())
    }
}

fn home_row(row: &Row<'_>) -> Result<(HomeId, Home)> {
    Ok((HomeId(row.get_ref(0)?.as_str()?.into()), home_from_bytes(row.get_ref(1)?.as_blob()?)?))
}

fn json<T: DeserializeOwned>(row: &Row<'_>) -> Result<T> {
    Ok(serde_json::from_str(row.get_ref(0)?.as_str()?)?)
}
