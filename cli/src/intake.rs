use std::fs::{File, TryLockError};
use std::time::Duration;

use anyhow::Context;
use stoop_domain::{Alert, HomeId, Observation, Time};
use stoop_embedded::{AlertFile, Database};
use stoop_pipeline::ports::{Change, Quarantine};
use stoop_pipeline::{Alerted, Gatherer, Measured, new_alerts, record_alerts};
use stoop_rules::Rules;

/// The consumer name of the alert rules on the change feed.
const CONSUMER: &str = "alerts";

/// As much is gathered in memory for one commit: homes and the observations for the lake, in bytes. The more, the fewer times a
/// home or market that comes often is written.
const GATHERED_BYTES: usize = 56 << 20;

/// Changes judged at a time.
const CHANGES_MAX: usize = 4_000;

/// How often a lock that another process holds is looked at.
const LOOK: Duration = Duration::from_millis(20);

/// Where observations are taken in: measured, and what they changed judged and told.
pub(crate) struct Intake<'a> {
    database: &'a Database,
    gatherer: Gatherer<'a, Database>,
    /// The latest that any observation gathered was seen.
    seen: Option<Time>,
    rules: Rules,
    file: AlertFile,
    watcher: Box<dyn Fn(&Alert) + Send + Sync>,
}

impl<'a> Intake<'a> {
    /// A intake on a database. `watcher` is called for every alert told, at most once: what a kill keeps from it is
    /// in the file all the same.
    pub(crate) fn new(database: &'a Database, rules: Rules, watcher: impl Fn(&Alert) + Send + Sync + 'static) -> Self {
        let file = AlertFile::new(&database.data().join("alerts.jsonl"));
        Self { database, gatherer: Gatherer::new(database), seen: None, rules, file, watcher: Box::new(watcher) }
    }

    /// Takes in a batch and tells what it gave rise to.
    pub(crate) async fn take(&mut self, observations: &[Observation]) -> anyhow::Result<(Measured, Alerted)> {
        self.gather(observations).await?;
        self.store().await
    }

    /// Takes in a part of a batch. Nothing is stored before [`Intake::store`], and little is lost with it: see
    /// [`Intake::is_full`].
    pub(crate) async fn gather(&mut self, observations: &[Observation]) -> anyhow::Result<()> {
        self.seen = observations.iter().map(|observation| observation.seen).max().max(self.seen);
        self.gatherer.gather(observations).await.context("measuring a batch")
    }

    /// Whether what was gathered takes so much memory that it is time to store it.
    pub(crate) fn is_full(&self) -> bool {
        self.gatherer.bytes() >= GATHERED_BYTES
    }

    /// Stores what was gathered and tells what it gave rise to.
    pub(crate) async fn store(&mut self) -> anyhow::Result<(Measured, Alerted)> {
        let measured = self.gatherer.commit().await.context("measuring a batch")?;
        let overfull = self.gatherer.take_overfull(self.seen.take().unwrap_or_default());
        if !overfull.is_empty() {
            Quarantine::put(self.database, &overfull).await.context("putting listings in quarantine")?;
        }
        Ok((measured, self.tell().await?))
    }

    /// Judges every change that was not judged yet, and tells every alert that was not told yet, those of an earlier,
    /// killed run among them. One process at a time: two that wrote to the same file would mix their lines.
    pub(crate) async fn tell(&self) -> anyhow::Result<Alerted> {
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
            let alerted = record_alerts(&changes, &self.rules, self.database).await.context("recording alerts")?;
            self.database.set_checkpoint(CONSUMER, last)?;
            total.sent.extend(alerted.sent);
            total.suspects.extend(alerted.suspects);
            total.known += alerted.known;
        }
        self.file.follow(self.database, |alert| (self.watcher)(alert)).context("telling alerts")?;
        turn.unlock()?;
        Ok(total)
    }

    /// Judges every home that is stored, whatever was judged before, and calls `each` with how many homes and what they
    /// gave rise to that the ledger does not know. Records and tells that where `tells`, else leaves everything as it is.
    pub(crate) async fn judge_stored(&self, tells: bool, mut each: impl FnMut(usize, Alerted)) -> anyhow::Result<()> {
        if tells {
            // What was stored and not judged yet is no news of these rules.
            self.tell().await?;
        }
        let mut last: Option<HomeId> = None;
        loop {
            let homes = self.database.homes_after(last.as_ref(), CHANGES_MAX)?;
            let Some((id, _)) = homes.last() else { break };
            last = Some(id.clone());
            let count = homes.len();
            let changes: Vec<_> = homes.into_iter().map(|(home, new)| Change { home, old: None, new }).collect();
            let alerted = if tells {
                // Others have their turn between two thousands of homes.
                let turn = self.turn().await?;
                let alerted = record_alerts(&changes, &self.rules, self.database).await.context("recording alerts")?;
                turn.unlock()?;
                alerted
            } else {
                new_alerts(&changes, &self.rules, self.database).await?
            };
            each(count, alerted);
        }
        if tells {
            let turn = self.turn().await?;
            self.file.follow(self.database, |alert| (self.watcher)(alert)).context("telling alerts")?;
            turn.unlock()?;
        }
        Ok(())
    }

    /// Locks a file beside the alerts; whoever waits for it holds up nobody else. The lock goes with the process,
    /// however that ends.
    async fn turn(&self) -> anyhow::Result<File> {
        let folder = self.database.data();
        let open = || {
            std::fs::create_dir_all(folder)?;
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
