//! The roll-up function: on each tick of its schedule, brings the sums of counties, regions and countries up to date
//! with the markets that changed.
//!
//! The next tick does what one tick leaves undone. Two execution environments at the same time cost more and do no
//! harm. Once a day an environment checks everything, changed or not.

use std::collections::BTreeMap;

use lambda_runtime::Diagnostic;
use serde::Serialize;
use stoop_domain::Time;
use stoop_emf::Meter;
use stoop_pipeline::ports::{FailureKind, PortError, RollUps};
use stoop_pipeline::{Clock, RolledUp, roll_up, roll_up_all, with_causes};
use tokio::sync::Mutex;

/// No county is begun later than this after the tick, so that ticks rarely overlap.
const PASS_MS: i64 = 45_000;

/// Nor if less than this is left of the invocation: a county that is begun must be finished.
const MARGIN_MS: i64 = 60_000;

/// The function's ports.
pub struct RollUpHandler<'a> {
    /// The areas of each generation's table of markets, by table name.
    pub tables: Vec<(String, &'a dyn RollUps)>,
    /// The clock.
    pub clock: &'a dyn Clock,
    /// Counts metrics.
    pub meter: &'a Meter,
    /// The day on which everything of a table was last checked, as this environment knows it.
    pub checked_on: Mutex<BTreeMap<String, i64>>,
}

/// The function's response, for people who invoke it by hand.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
pub struct RollUpResponse {
    /// Markets that are now in all their sums, and were not before.
    pub rolled_up: usize,
    /// Markets left to the next tick.
    pub left: usize,
}

/// Why a tick failed, after everything possible was rolled up. The next one catches up.
#[derive(Debug, thiserror::Error)]
pub enum RollUpError {
    /// The list of changed markets could not be read.
    #[error("the changed markets of the table {table} could not be listed")]
    Unknown {
        /// The markets table.
        table: String,
        /// The cause.
        source: PortError,
    },
    /// Some areas could not be updated. The log names them with the reason.
    #[error("{failed} areas of the table {table} could not be rolled up")]
    Areas {
        /// The markets table.
        table: String,
        /// The number of areas.
        failed: usize,
    },
}

impl From<RollUpError> for Diagnostic {
    fn from(error: RollUpError) -> Self {
        let error_type = match &error {
            RollUpError::Unknown { .. } => "PortError",
            RollUpError::Areas { .. } => "AreasFailed",
        };
        Self { error_type: error_type.into(), error_message: with_causes(&error) }
    }
}

impl RollUpHandler<'_> {
    /// Rolls up what changed, until the pass has lasted long enough or the invocation's `deadline` is near.
    ///
    /// # Errors
    ///
    /// The changed markets of a table cannot be listed, or one of its areas cannot be rolled up. Everything else is
    /// rolled up first.
    pub async fn handle(&self, deadline: Time) -> Result<RollUpResponse, RollUpError> {
        let end = self.clock.now().plus_ms(PASS_MS).min(deadline.plus_ms(-MARGIN_MS));
        let mut answer = RollUpResponse::default();
        let mut failed = None;
        for (index, (table, areas)) in self.tables.iter().enumerate() {
            // The remaining time is shared with the tables after this one.
            let left_ms = (end.ms() - self.clock.now().ms()).max(0);
            let share_ms = left_ms / i64::try_from(self.tables.len() - index).unwrap_or(1);
            match self.pass(table, *areas, self.clock.now().plus_ms(share_ms)).await {
                Ok(done) => {
                    answer.rolled_up += done.markets;
                    answer.left += done.left;
                    self.count(table, &done);
                    if done.failed > 0 {
                        failed = failed.or(Some(RollUpError::Areas { table: table.clone(), failed: done.failed }));
                    }
                }
                Err(source) => {
                    let kind = source.kind().as_str();
                    tracing::error!(table, error = with_causes(&source), kind, "the next tick catches up");
                    self.meter.count("CallsRefused", u64::from(FailureKind::is_lasting(&source)));
                    failed = failed.or(Some(RollUpError::Unknown { table: table.clone(), source }));
                }
            }
        }
        failed.map_or(Ok(answer), Err)
    }

    async fn pass(&self, table: &str, areas: &dyn RollUps, until: Time) -> Result<RolledUp, PortError> {
        let now = self.clock.now();
        let stop = || self.clock.now() >= until;
        let today = now.ms().div_euclid(Time::DAY_MS);
        if self.checked_on.lock().await.get(table) == Some(&today) {
            return roll_up(areas, now, &stop).await;
        }
        let done = roll_up_all(areas, now, &stop).await?;
        if done.left == 0 && done.failed == 0 {
            self.checked_on.lock().await.insert(table.to_owned(), today);
        }
        Ok(done)
    }

    fn count(&self, table: &str, done: &RolledUp) {
        if let Some(lag) = done.lag_ms {
            self.meter.milliseconds("RollUpLagMs", u64::try_from(lag).unwrap_or_default());
        }
        let RolledUp { markets, left, written, conflicts, .. } = *done;
        if left > 0 {
            tracing::warn!(table, markets, written, conflicts, left, "markets are left to the next tick");
        } else if markets > 0 || written > 0 {
            tracing::info!(table, markets, written, conflicts, "rolled up");
        }
    }
}
