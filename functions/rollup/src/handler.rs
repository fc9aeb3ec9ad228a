//! The roll-up function: a tick of its schedule in, the sums of counties, regions and countries brought up to the markets
//! that changed.
//!
//! What a tick does not get done the next one does; so does another execution environment at the same time, which costs
//! something and harms nothing. Once a day an environment looks at everything, whether it changed or not.

use std::collections::BTreeMap;

use lambda_runtime::Diagnostic;
use serde::Serialize;
use stoop_aws::Meter;
use stoop_domain::Time;
use stoop_pipeline::ports::{PortError, RollUps};
use stoop_pipeline::{Clock, RolledUp, roll_up, roll_up_all, with_causes};
use tokio::sync::Mutex;

/// No county is begun later than so long after the tick, so that ticks do not overlap, as a rule.
const PASS_MS: i64 = 45_000;

/// Nor when less than this is left of the invocation: what was begun is to be brought to its end.
const MARGIN_MS: i64 = 60_000;

/// The function's ports, made once.
pub struct App<'a> {
    /// The areas of each generation's table of markets, by its name.
    pub tables: Vec<(String, &'a dyn RollUps)>,
    /// The time.
    pub clock: &'a dyn Clock,
    /// What is counted.
    pub meter: &'a Meter,
    /// The day on which everything of a table was looked at, as this environment knows it.
    pub looked_at: Mutex<BTreeMap<String, i64>>,
}

/// What the function answers, for whoever invokes it by hand.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
pub struct Answer {
    /// Markets that are in all their sums now, and were not before.
    pub rolled_up: usize,
    /// Markets that are left to the next tick.
    pub left: usize,
}

/// Why a tick failed, when all that could be rolled up was. The next one makes up for it.
#[derive(Debug, thiserror::Error)]
pub enum TickError {
    /// It is not known what changed.
    #[error("of the table {table} it is not known what is to be rolled up")]
    Unknown {
        /// Where.
        table: String,
        /// Why.
        source: PortError,
    },
    /// Some areas could not be brought up to their markets. The log says which, and why.
    #[error("{failed} areas of the table {table} could not be rolled up")]
    Areas {
        /// Whose.
        table: String,
        /// How many.
        failed: usize,
    },
}

impl From<TickError> for Diagnostic {
    fn from(error: TickError) -> Self {
        let error_type = match &error {
            TickError::Unknown { .. } => "PortError",
            TickError::Areas { .. } => "AreasFailed",
        };
        Self { error_type: error_type.into(), error_message: with_causes(&error) }
    }
}

impl App<'_> {
    /// Rolls up what changed, until the pass has lasted long enough or the invocation's `deadline` is near.
    ///
    /// # Errors
    /// When of a table it is not known what changed, or an area of it could not be rolled up. The others are, first.
    pub async fn handle(&self, deadline: Time) -> Result<Answer, TickError> {
        let end = self.clock.now().plus_ms(PASS_MS).min(deadline.plus_ms(-MARGIN_MS));
        let mut answer = Answer::default();
        let mut failed = None;
        for (place, (table, areas)) in self.tables.iter().enumerate() {
            // What is left is shared with the tables behind it.
            let left_ms = (end.ms() - self.clock.now().ms()).max(0);
            let share_ms = left_ms / i64::try_from(self.tables.len() - place).unwrap_or(1);
            match self.pass(table, *areas, self.clock.now().plus_ms(share_ms)).await {
                Ok(done) => {
                    answer.rolled_up += done.markets;
                    answer.left += done.left;
                    self.tell(table, &done);
                    if done.failed > 0 {
                        failed = failed.or(Some(TickError::Areas { table: table.clone(), failed: done.failed }));
                    }
                }
                Err(source) => failed = failed.or(Some(TickError::Unknown { table: table.clone(), source })),
            }
        }
        failed.map_or(Ok(answer), Err)
    }

    async fn pass(&self, table: &str, areas: &dyn RollUps, until: Time) -> Result<RolledUp, PortError> {
        let now = self.clock.now();
        let stop = || self.clock.now() >= until;
        let today = now.ms().div_euclid(Time::DAY_MS);
        if self.looked_at.lock().await.get(table) == Some(&today) {
            return roll_up(areas, now, &stop).await;
        }
        let done = roll_up_all(areas, now, &stop).await?;
        if done.left == 0 && done.failed == 0 {
            self.looked_at.lock().await.insert(table.to_owned(), today);
        }
        Ok(done)
    }

    fn tell(&self, table: &str, done: &RolledUp) {
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
