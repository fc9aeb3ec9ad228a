use std::fs::{File, TryLockError};
use std::time::Duration;

use anyhow::Context;
use stoop_domain::{Alert, HomeId, Observation, Time};
use stoop_embedded::{AlertFile, Database};
use stoop_pipeline::ports::{Change, Ledger, Quarantine};
use stoop_pipeline::{Alerted, Clock, Gatherer, Measured, marks_due, new_alerts, record_alerts};
use stoop_rules::Rules;
use stoop_runtime::SystemClock;

/// The consumer name of the alert rules on the change feed.
const CONSUMER: &str = "alerts";

/// Bytes of homes and lake observations to gather for one commit. The larger, the fewer times a frequent home or market
/// is written.
const GATHERED_BYTES: usize = 56 << 20;

/// Changes judged at a time.
const CHANGES_MAX: usize = 4_000;

/// Alerts compared with their homes at a time.
const ALERTS_MAX: usize = 1_000;

/// How often to retry a lock that another process holds.
const LOOK: Duration = Duration::from_millis(20);

/// Processes observations: measures them, judges the changes and sends the alerts.
pub(crate) struct Intake<'a> {
    database: &'a Database,
    gatherer: Gatherer<'a, Database>,
    /// The latest sighting of the gathered observations.
    seen: Option<Time>,
    rules: Rules,
    file: AlertFile,
    watcher: Box<dyn Fn(&Alert) + Send + Sync>,
}

impl<'a> Intake<'a> {
    /// An intake on a database. It calls `watcher` at most once for each alert sent. After a kill it may miss one; the
    /// file has it anyway.
    pub(crate) fn new(database: &'a Database, rules: Rules, watcher: impl Fn(&Alert) + Send + Sync + 'static) -> Self {
        let file = AlertFile::new(&database.data().join("alerts.jsonl"));
        Self { database, gatherer: Gatherer::new(database), seen: None, rules, file, watcher: Box::new(watcher) }
    }

    /// Processes a batch and sends the alerts that result.
    pub(crate) async fn take(&mut self, observations: &[Observation]) -> anyhow::Result<(Measured, Alerted)> {
        self.gather(observations).await?;
        self.store().await
    }

    /// Gathers a part of a batch. Nothing is stored before [`Intake::store`]; [`Intake::is_full`] bounds what a kill
    /// can lose.
    pub(crate) async fn gather(&mut self, observations: &[Observation]) -> anyhow::Result<()> {
        self.seen = observations.iter().map(|observation| observation.seen).max().max(self.seen);
        self.gatherer.gather(observations).await.context("measuring a batch")
    }

    /// Whether enough is gathered to store it.
    pub(crate) fn is_full(&self) -> bool {
        self.gatherer.bytes() >= GATHERED_BYTES
    }

    /// Stores what was gathered and sends the alerts that result.
    pub(crate) async fn store(&mut self) -> anyhow::Result<(Measured, Alerted)> {
        let measured = self.gatherer.commit().await.context("measuring a batch")?;
        let overfull = self.gatherer.take_overfull(self.seen.take().unwrap_or_default());
        if !overfull.is_empty() {
            Quarantine::put(self.database, &overfull).await.context("putting listings in quarantine")?;
        }
        Ok((measured, self.send_alerts().await?))
    }

    /// Judges every change not judged yet and sends every alert not sent yet, including those of an earlier, killed
    /// run. One process at a time: two writers would mix their lines in the file.
    pub(crate) async fn send_alerts(&self) -> anyhow::Result<Alerted> {
        let mut total = Alerted::default();
        let is_judged = self.database.changes(self.database.checkpoint(CONSUMER)?, 1)?.is_empty();
        if is_judged && self.file.is_in_step(self.database)? {
            return Ok(total);
        }
        let turn = self.turn().await?;
        loop {
            let changes = self.database.changes(self.database.checkpoint(CONSUMER)?, CHANGES_MAX)?;
            let Some((last, _)) = changes.last() else { break };
            let last = *last;
            let changes: Vec<_> = changes.into_iter().map(|(_, change)| change).collect();
            let alerted = record_alerts(&changes, &self.rules, self.database, SystemClock.now())
                .await
                .context("recording alerts")?;
            self.database.set_checkpoint(CONSUMER, last)?;
            total.sent.extend(alerted.sent);
            total.suspects.extend(alerted.suspects);
            total.known += alerted.known;
            total.withdrawn += alerted.withdrawn;
        }
        self.file.follow(self.database, |alert| (self.watcher)(alert)).context("telling alerts")?;
        turn.unlock()?;
        Ok(total)
    }

    /// Judges every stored home, whatever was judged before. Calls `each` with the number of homes and the alerts that
    /// the ledger does not know. If `sends` is set, records and sends them; otherwise changes nothing.
    pub(crate) async fn judge_stored(&self, sends: bool, mut each: impl FnMut(usize, Alerted)) -> anyhow::Result<()> {
        if sends {
            // Changes stored but not judged yet belong to the normal flow: judge them first.
            self.send_alerts().await?;
        }
        let mut last: Option<HomeId> = None;
        loop {
            // Homes are read in the turn in which they are judged. Other processes get a turn between two batches.
            let turn = if sends { Some(self.turn().await?) } else { None };
            let homes = self.database.homes_after(last.as_ref(), CHANGES_MAX)?;
            let Some((id, _)) = homes.last() else { break };
            last = Some(id.clone());
            let count = homes.len();
            let changes: Vec<_> = homes.into_iter().map(|(home, new)| Change { home, old: None, new }).collect();
            let alerted = match turn {
                Some(_) => record_alerts(&changes, &self.rules, self.database, SystemClock.now())
                    .await
                    .context("recording alerts")?,
                None => new_alerts(&changes, &self.rules, self.database).await?,
            };
            drop(turn);
            each(count, alerted);
        }
        if sends {
            let turn = self.turn().await?;
            self.file.follow(self.database, |alert| (self.watcher)(alert)).context("telling alerts")?;
            turn.unlock()?;
        }
        Ok(())
    }

    /// Compares the alerts of the ledger with the homes as they are known now. Returns how many are withdrawn by that, and
    /// how many are no longer. If `marks` is set, marks them; otherwise changes nothing.
    pub(crate) async fn compare_ledger(&self, marks: bool) -> anyhow::Result<(u64, u64)> {
        let (mut withdrawn, mut standing) = (0, 0);
        let mut last = 0;
        loop {
            let turn = if marks { Some(self.turn().await?) } else { None };
            let judged = self.database.judged_after(last, ALERTS_MAX)?;
            let Some((seq, _)) = judged.last() else { break };
            last = *seq;
            let judged: Vec<_> = judged.into_iter().filter_map(|(_, judged)| judged).collect();
            let due =
                marks_due(&judged, &self.rules, self.database, SystemClock.now()).await.context("comparing alerts")?;
            withdrawn += due.iter().filter(|(_, at)| at.is_some()).count() as u64;
            standing += due.iter().filter(|(_, at)| at.is_none()).count() as u64;
            if turn.is_some() {
                self.database.mark(&due).await.context("marking alerts")?;
            }
        }
        Ok((withdrawn, standing))
    }

    /// Locks a file next to the alerts. Waiting for it blocks no other task. The lock ends with the process.
    async fn turn(&self) -> anyhow::Result<File> {
        let folder = self.database.data();
        let open = || {
            stoop_embedded::make_folder(folder)?;
            File::options().create(true).append(true).open(folder.join("alerts.lock"))
        };
        let what = || format!("waiting for a turn at {}", folder.display());
        let file = open().with_context(what)?;
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(file),
                Err(TryLockError::WouldBlock) => tokio::time::sleep(LOOK).await,
                Err(TryLockError::Error(error)) => return Err(error).with_context(what),
            }
        }
    }
}
