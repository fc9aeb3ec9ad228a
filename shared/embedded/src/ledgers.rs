//! The ledgers: alerts, runs, rejects, and the index of each search.

use std::collections::{BTreeMap, HashMap};

use async_trait::async_trait;
use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};
use serde::Deserialize;
use stoop_domain::{Alert, AlertId, Reject, Time, Verdict};
use stoop_pipeline::ports::{
    IndexOutline, Ledger, PortError, Quarantine, RunLedger, RunOutcome, RunRecord, SearchIndex, SearchState, Sent,
};
use stoop_pipeline::{HeldBack, Ruling};
use stoop_rules::Rules;
use stoop_sources::Distrust;

use crate::database::Database;
use crate::error::Result;
use crate::store::hash;

const LEVEL: i32 = 1;

#[async_trait]
impl Ledger for Database {
    async fn known(&self, ids: &[AlertId]) -> Result<Vec<bool>, PortError> {
        let read = || -> Result<Vec<bool>> {
            let inner = self.lock();
            let mut statement = inner.connection.prepare_cached("SELECT 1 FROM alerts WHERE id = ?1")?;
            Ok(ids.iter().map(|id| statement.exists([&id.0])).collect::<rusqlite::Result<_>>()?)
        };
        read().map_err(self.doing(format!("look up {} alerts", ids.len())))
    }

    async fn record(&self, alerts: &[Alert], rules: &Rules) -> Result<(), PortError> {
        let store = || -> Result<()> {
            let rules = serde_json::to_string(rules)?;
            let mut inner = self.lock();
            let transaction = inner.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            note_rules(&transaction, &rules)?;
            for alert in alerts {
                let sql = "INSERT INTO alerts(id, at, verdict, body, rules)
                           VALUES(?1, ?2, ?3, ?4, (SELECT id FROM rules WHERE body = ?5)) ON CONFLICT DO NOTHING";
                let body = serde_json::to_string(alert)?;
                let verdict = verdict_name(&alert.verdict);
                transaction.prepare_cached(sql)?.execute(params![alert.id.0, alert.at.ms(), verdict, body, rules])?;
            }
            Ok(transaction.commit()?)
        };
        store().map_err(self.doing(format!("record {} alerts", alerts.len())))
    }
}

/// Stores rules as JSON, each once.
pub(crate) fn note_rules(connection: &Connection, rules: &str) -> Result<()> {
    connection.prepare_cached("INSERT INTO rules(body) VALUES(?1) ON CONFLICT DO NOTHING")?.execute([rules])?;
    Ok(())
}

/// The name of a verdict in the table, as in an alert's JSON.
pub(crate) fn verdict_name(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Alert => "alert",
        Verdict::Suspect(_) => "suspect",
    }
}

#[async_trait]
impl RunLedger for Database {
    async fn record(&self, run: &RunRecord) -> Result<(), PortError> {
        let process = self.token().filter(|_| run.outcome == RunOutcome::Running);
        let store = || -> Result<usize> {
            let inner = self.lock();
            let sql = "INSERT INTO runs(id, began_at, body, process) VALUES(?1, ?2, ?3, ?4) ON CONFLICT DO UPDATE
                       SET began_at = excluded.began_at, body = excluded.body, process = excluded.process";
            let body = serde_json::to_string(run)?;
            let row = params![run.id, run.began_at.ms(), body, process];
            Ok(inner.connection.prepare_cached(sql)?.execute(row)?)
        };
        store().map(|_| ()).map_err(self.doing(format!("record the run {}", run.id)))
    }
}

#[async_trait]
impl Quarantine for Database {
    async fn put(&self, rejects: &[Reject]) -> Result<usize, PortError> {
        let store = || -> Result<usize> {
            let mut inner = self.lock();
            let transaction = inner.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let mut new = 0;
            for reject in rejects {
                let reason = reject.reason.as_str();
                let parts = [&reject.source, &reject.location, reason, &reject.raw].map(str::as_bytes);
                let sql = "INSERT INTO quarantine(hash, at, source, reason, body) VALUES(?1, ?2, ?3, ?4, ?5)
                           ON CONFLICT DO NOTHING";
                let body = serde_json::to_string(reject)?;
                let row = params![hash(&parts), reject.at.ms(), reject.source, reason, body];
                new += transaction.prepare_cached(sql)?.execute(row)?;
            }
            transaction.commit()?;
            Ok(new)
        };
        store().map_err(self.doing(format!("put {} rejects into quarantine", rejects.len())))
    }
}

#[async_trait]
impl SearchIndex for Database {
    async fn load(&self, search: &str, _source: &str) -> Result<SearchState, PortError> {
        let read = || -> Result<SearchState> {
            let inner = self.lock();
            let mut statement =
                inner.connection.prepare_cached("SELECT version, body FROM searches WHERE search = ?1")?;
            let found = statement.query_row([search], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, Vec<u8>>(1)?)));
            let Some((version, body)) = found.optional()? else { return Ok(SearchState::default()) };
            let mut state: SearchState = serde_json::from_slice(&zstd::decode_all(body.as_slice())?)?;
            state.version = version.cast_unsigned();
            Ok(state)
        };
        read().map_err(self.doing(format!("load the state of the search {search}")))
    }

    async fn save(&self, search: &str, state: &SearchState) -> Result<bool, PortError> {
        let store = || -> Result<bool> {
            let body = zstd::encode_all(serde_json::to_vec(state)?.as_slice(), LEVEL)?;
            let sql = if state.version == 0 {
                "INSERT INTO searches(search, version, body, source) VALUES(?1, ?2 + 1, ?3, ?4) ON CONFLICT DO NOTHING"
            } else {
                "UPDATE searches SET version = version + 1, body = ?3, source = ?4 WHERE search = ?1 AND version = ?2"
            };
            let inner = self.lock();
            let row = params![search, state.version.cast_signed(), body, state.source];
            Ok(inner.connection.prepare_cached(sql)?.execute(row)? == 1)
        };
        store().map_err(self.doing(format!("save the state of the search {search}")))
    }

    async fn held_elsewhere(
        &self,
        search: &str,
        source: &str,
        native_ids: &[String],
    ) -> Result<Vec<Option<Time>>, PortError> {
        let others = self.others(search, source)?;
        let held = |id: &String| others.iter().filter_map(|outline| outline.holds(id)).max();
        Ok(native_ids.iter().map(held).collect())
    }

    async fn sent_elsewhere(&self, search: &str, source: &str) -> Result<HashMap<String, Sent>, PortError> {
        Ok(IndexOutline::latest(&self.others(search, source)?))
    }

    async fn ruling(&self, search: &str, source: &str) -> Result<Option<String>, PortError> {
        self.setting(&ruling_of(search, source))
    }
}

/// The setting with the last ruling about a loss of a search.
fn ruling_of(search: &str, source: &str) -> String {
    format!("ruling/{source}/{search}")
}

/// What the polls of a search found out about its source.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Findings {
    /// Contradictions in its listings.
    #[serde(default)]
    pub distrust: Distrust,
    /// A loss that is held back because it is too large.
    #[serde(default)]
    pub held_back: Option<HeldBack>,
}

impl Database {
    /// What the polls of each search found out about its source, by the name of the search.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn findings(&self) -> Result<BTreeMap<String, Findings>, PortError> {
        let all = self.rows("SELECT search, body FROM searches", [], |row| {
            Ok((row.get(0)?, serde_json::from_slice(&zstd::decode_all(row.get_ref(1)?.as_blob()?)?)?))
        });
        let all: Vec<(String, Findings)> = all.map_err(self.doing("read the findings of polls"))?;
        Ok(all.into_iter().collect())
    }

    /// Rules whether a loss that is held back for a search of `source` is real. The next poll follows the last ruling.
    ///
    /// # Errors
    /// If it cannot be stored.
    pub fn rule(&self, search: &str, source: &str, ruling: Ruling) -> Result<(), PortError> {
        self.set_setting(&ruling_of(search, source), &ruling.to_string())
    }

    /// The indexes of the other searches of a source.
    fn others(&self, search: &str, source: &str) -> Result<Vec<IndexOutline>, PortError> {
        let sql = "SELECT body FROM searches WHERE search <> ?1 AND source = ?2";
        let others = self.rows(sql, [search, source], |row| {
            let outline: IndexOutline = serde_json::from_slice(&zstd::decode_all(row.get_ref(0)?.as_blob()?)?)?;
            Ok(outline)
        });
        others.map_err(self.doing("read the indexes of other searches"))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
mod tests {
    use std::task::{Context, Poll, Waker};

    use stoop_domain::Time;
    use stoop_pipeline::with_causes;

    use super::*;

    #[test]
    fn a_full_disk_is_reported_once_with_the_file() {
        let folder = tempfile::TempDir::new().unwrap();
        let path = folder.path().join("stoop.db");
        let database = Database::open(&path, &folder.path().join("stoop-data")).unwrap();
        // SQLite returns the same error for a full disk and for a file that may not grow.
        database.lock().connection.pragma_update(None, "max_page_count", 1).unwrap();
        let run = RunRecord {
            id: "r1".into(),
            kind: "poll".into(),
            subject: "agadir".into(),
            began_at: Time::from_ms(0),
            ended_at: None,
            outcome: RunOutcome::Failed,
            message: Some("x".repeat(1 << 20)),
            counts: BTreeMap::new(),
        };
        let mut recording = RunLedger::record(&*database, &run);
        let Poll::Ready(Err(error)) = recording.as_mut().poll(&mut Context::from_waker(Waker::noop())) else {
            panic!("the run is not refused");
        };
        let reported = format!("record the run r1: {}: database or disk is full", path.display());
        assert_eq!(with_causes(&error), reported);
    }
}
