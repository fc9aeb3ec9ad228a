use std::fs::File;

use anyhow::Context;
use async_trait::async_trait;
use stoop_domain::{Alert, Observation};
use stoop_embedded::{Database, FilePublisher};
use stoop_pipeline::ports::{PortError, Publisher};
use stoop_pipeline::{Alerted, Measured, Measurer, alert};
use stoop_rules::Rules;

/// The consumer name of the alert rules on the change feed.
const CONSUMER: &str = "alerts";

/// Changes judged at a time.
const CHANGES_MAX: usize = 1_000;

/// Where observations are taken in: measured, and what they changed judged and told.
pub(crate) struct Desk<'a> {
    database: &'a Database,
    measurer: Measurer<'a>,
    rules: Rules,
    teller: Teller,
}

/// Tells an alert to `alerts.jsonl` and to whoever watches.
struct Teller {
    file: FilePublisher,
    watcher: Box<dyn Fn(&Alert) + Send + Sync>,
}

impl<'a> Desk<'a> {
    /// A desk on a database. `watcher` is called for every alert told.
    pub(crate) fn new(database: &'a Database, rules: Rules, watcher: impl Fn(&Alert) + Send + Sync + 'static) -> Self {
        let file = FilePublisher::new(&database.data().join("alerts.jsonl"));
        Self { database, measurer: Measurer::new(database), rules, teller: Teller { file, watcher: Box::new(watcher) } }
    }

    /// Takes in a batch and tells what it gave rise to.
    pub(crate) async fn take(&mut self, observations: &[Observation]) -> anyhow::Result<(Measured, Alerted)> {
        let measured = self.measurer.measure(observations).await.context("measuring a batch")?;
        Ok((measured, self.tell().await?))
    }

    /// Judges every change that was not judged yet, those of an earlier, killed run among them. One process
    /// at a time: two that read the same changes would both tell them.
    pub(crate) async fn tell(&self) -> anyhow::Result<Alerted> {
        let mut total = Alerted::default();
        if self.database.changes(self.database.checkpoint(CONSUMER)?, 1)?.is_empty() {
            return Ok(total);
        }
        let turn = self.turn().with_context(|| format!("waiting for a turn at {}", self.database.data().display()))?;
        loop {
            let changes = self.database.changes(self.database.checkpoint(CONSUMER)?, CHANGES_MAX)?;
            let Some((last, _)) = changes.last() else { break };
            let last = *last;
            let changes: Vec<_> = changes.into_iter().map(|(_, change)| change).collect();
            let alerted = alert(&changes, &self.rules, self.database, &self.teller).await.context("telling alerts")?;
            self.database.set_checkpoint(CONSUMER, last)?;
            total.told.extend(alerted.told);
            total.suspects.extend(alerted.suspects);
            total.known += alerted.known;
        }
        turn.unlock()?;
        Ok(total)
    }

    /// Locks a file beside the alerts. The lock goes with the process, however that ends.
    fn turn(&self) -> std::io::Result<File> {
        let folder = self.database.data();
        std::fs::create_dir_all(folder)?;
        let file = File::options().create(true).append(true).open(folder.join("alerts.lock"))?;
        file.lock()?;
        Ok(file)
    }
}

#[async_trait]
impl Publisher for Teller {
    async fn publish(&self, alerts: &[Alert]) -> Vec<Result<(), PortError>> {
        let outcomes = self.file.publish(alerts).await;
        for (alert, _) in alerts.iter().zip(&outcomes).filter(|(_, outcome)| outcome.is_ok()) {
            (self.watcher)(alert);
        }
        outcomes
    }
}
