//! The ledgers: alerts, runs, rejects.

use async_trait::async_trait;
use rusqlite::{Connection, Row, TransactionBehavior, params};
use stoop_domain::{Alert, AlertId, Reject, Time, Verdict};
use stoop_pipeline::ports::{Ledger, LedgerRow, PortError, Quarantine, RunLedger, RunOutcome, RunRecord};
use stoop_pipeline::with_causes;
use stoop_rules::Rules;

use crate::database::Database;
use crate::error::{BoxError, Result, doing};
use crate::run_totals::tally;
use crate::store::hash;

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

    async fn mark(&self, marks: &[(AlertId, Option<Time>)]) -> Result<u64, PortError> {
        let store = || -> Result<u64> {
            let mut inner = self.lock();
            let transaction = inner.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let mut changed = 0;
            for (id, at) in marks {
                let sql = match at {
                    Some(_) => {
                        "UPDATE alerts SET body = json_set(body, '$.withdrawn', ?2)
                         WHERE id = ?1 AND json_extract(body, '$.withdrawn') IS NULL"
                    }
                    None => {
                        "UPDATE alerts SET body = json_remove(body, '$.withdrawn')
                         WHERE id = ?1 AND json_extract(body, '$.withdrawn') IS NOT NULL AND ?2 IS NULL"
                    }
                };
                changed += transaction.prepare_cached(sql)?.execute(params![id.0, at.map(Time::ms)])?;
            }
            transaction.commit()?;
            Ok(changed as u64)
        };
        if marks.is_empty() {
            return Ok(0);
        }
        store().map_err(self.doing(format!("mark {} alerts", marks.len())))
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
        let store = || -> Result<()> {
            let mut inner = self.lock();
            let transaction = inner.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            tally(&transaction, run)?;
            let sql = "INSERT INTO runs(id, began_at, body, process) VALUES(?1, ?2, ?3, ?4) ON CONFLICT DO UPDATE
                       SET began_at = excluded.began_at, body = excluded.body, process = excluded.process";
            let body = serde_json::to_string(run)?;
            let row = params![run.id, run.began_at.ms(), body, process];
            transaction.prepare_cached(sql)?.execute(row)?;
            Ok(transaction.commit()?)
        };
        store().map_err(self.doing(format!("record the run {}", run.id)))
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
                let sql = "INSERT INTO quarantine(hash, at, source, reason, body) VALUES(?1, ?2, ?3, ?4, ?5)
                           ON CONFLICT DO NOTHING";
                let body = serde_json::to_string(reject)?;
                let row = params![hash(&reject.identity()), reject.at.ms(), reject.source, reason, body];
                new += transaction.prepare_cached(sql)?.execute(row)?;
            }
            transaction.commit()?;
            Ok(new)
        };
        store().map_err(self.doing(format!("put {} rejects into quarantine", rejects.len())))
    }
}

/// The position and the alert of a row. Damage is an error with the position.
pub(crate) fn with_position(row: &Row<'_>) -> Result<LedgerRow> {
    let position: i64 = row.get(0)?;
    let body = row.get_ref(1)?.as_str().map_err(BoxError::from);
    let alert = body.and_then(|body| Ok(serde_json::from_str(body)?));
    Ok((position, alert.map_err(doing(format!("read the alert at position {position}, which is damaged")))))
}

/// An alert that is not damaged. Damage is logged: it hides no other alert.
pub(crate) fn intact<T>(alert: Result<T, PortError>) -> Option<T> {
    alert.inspect_err(|error| tracing::error!(error = with_causes(error), "an alert is left out")).ok()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
mod tests {
    use std::collections::BTreeMap;
    use std::task::{Context, Poll, Waker};

    use stoop_pipeline::ports::FailureKind;
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
            raw_pages: None,
        };
        let mut recording = RunLedger::record(&*database, &run);
        let Poll::Ready(Err(error)) = recording.as_mut().poll(&mut Context::from_waker(Waker::noop())) else {
            panic!("the run is not refused");
        };
        let reported = format!("record the run r1: {}: database or disk is full", path.display());
        assert_eq!((with_causes(&error), error.kind()), (reported, FailureKind::Full));
    }
}
