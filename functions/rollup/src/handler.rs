//! The roll-up function: on each tick of its schedule, brings the sums of counties, regions and countries up to date with the markets
//! that changed, and merges the listings of homes in counties that changed, if homes shall count once.
//!
//! The next tick does what one tick leaves undone. Two execution environments at the same time cost more and do no
//! harm. Once a day an environment checks everything, changed or not.

use std::collections::BTreeMap;

use lambda_runtime::Diagnostic;
use serde::Serialize;
use stoop_domain::Time;
use stoop_emf::Meter;
use stoop_pipeline::ports::{FailureKind, MergedMarkets, MergingTerms, PortError, RollUps};
use stoop_pipeline::{
    Clock, MergeRequest, MergedCounties, RolledUp, merge_counties, roll_up, roll_up_all, with_causes,
};
use tokio::sync::Mutex;

mod marking;

use marking::MarkingRollUps;

/// No county is begun later than this after the tick, so that ticks rarely overlap.
const PASS_MS: i64 = 45_000;

/// Nor if less than this is left of the invocation: a county that is begun must be finished.
const MARGIN_MS: i64 = 60_000;

/// The most listings of a county that are compared: the function's memory holds all of them.
const LISTINGS_MAX: usize = 50_000;

/// The tables of one generation.
pub struct Generation<'a> {
    /// The name of the table of markets.
    pub table: String,
    /// Its areas.
    pub areas: &'a dyn RollUps,
    /// Its merged homes.
    pub merged: &'a dyn MergedMarkets,
}

/// The function's ports.
pub struct RollUpHandler<'a> {
    /// The existing generations.
    pub tables: Vec<Generation<'a>>,
    /// How listings are merged; `None` if each one counts.
    pub terms: Option<MergingTerms>,
    /// The clock.
    pub clock: &'a dyn Clock,
    /// Counts metrics.
    pub meter: &'a Meter,
    /// The day on which everything of a table was last checked, as this environment knows it.
    pub checked_on: Mutex<BTreeMap<String, i64>>,
    /// The day on which all counties of a table were last marked.
    pub marked_on: Mutex<BTreeMap<String, i64>>,
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
    /// The listings of some counties could not be merged. The log names them with the reason.
    #[error("the listings of {failed} counties of the table {table} could not be merged")]
    Counties {
        /// The markets table.
        table: String,
        /// The number of counties.
        failed: u64,
    },
}

impl From<RollUpError> for Diagnostic {
    fn from(error: RollUpError) -> Self {
        let error_type = match &error {
            RollUpError::Unknown { .. } => "PortError",
            RollUpError::Areas { .. } => "AreasFailed",
            RollUpError::Counties { .. } => "CountiesFailed",
        };
        Self { error_type: error_type.into(), error_message: with_causes(&error) }
    }
}

impl RollUpHandler<'_> {
    /// Rolls up and merges what changed, until the pass has lasted long enough or the invocation's `deadline` is near.
    ///
    /// # Errors
    ///
    /// The changed markets of a table cannot be listed, one of its areas cannot be rolled up, or a county cannot be merged.
    /// Everything else is done first.
    pub async fn handle(&self, deadline: Time) -> Result<RollUpResponse, RollUpError> {
        let end = self.clock.now().plus_ms(PASS_MS).min(deadline.plus_ms(-MARGIN_MS));
        let mut answer = RollUpResponse::default();
        let mut failed = None;
        for (index, generation) in self.tables.iter().enumerate() {
            let table = &generation.table;
            // The remaining time is shared with the tables after this one.
            let left_ms = (end.ms() - self.clock.now().ms()).max(0);
            let share_ms = left_ms / i64::try_from(self.tables.len() - index).unwrap_or(1);
            let begin = self.clock.now();
            // Counties are marked before their markets are noted as rolled up.
            let Generation { areas, merged, .. } = *generation;
            let marking = MarkingRollUps { areas, merged, terms: self.terms.as_ref() };
            // Part of the time is for merging.
            let rolled_up = self.pass(table, &marking, begin.plus_ms(share_ms * 2 / 3)).await;
            failed = failed.or(self.merge(generation, begin.plus_ms(share_ms)).await);
            match rolled_up {
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

    /// Merges listings. What fails is tried again by the next tick, and stops no roll-up.
    async fn merge(&self, generation: &Generation<'_>, until: Time) -> Option<RollUpError> {
        let Generation { table, areas, merged } = generation;
        let now = self.clock.now();
        let all = self.marked_on.lock().await.get(table) != Some(&day_of(now));
        let request = MergeRequest { terms: self.terms.as_ref(), now, all, listings_max: LISTINGS_MAX };
        match merge_counties(*areas, *merged, request, &|| self.clock.now() >= until).await {
            Ok(MergedCounties { counties, written, waiting, too_large, failed }) => {
                self.marked_on.lock().await.insert(table.clone(), day_of(now));
                if counties > 0 || waiting > 0 {
                    tracing::info!(table, counties, written, waiting, "merged");
                }
                for county in too_large {
                    let most = LISTINGS_MAX;
                    tracing::warn!(
                        table,
                        county,
                        most,
                        "a county has too many listings to compare: each of them counts"
                    );
                }
                (failed > 0).then(|| RollUpError::Counties { table: table.clone(), failed })
            }
            Err(source) => {
                let kind = source.kind().as_str();
                tracing::error!(table, error = with_causes(&source), kind, "listings are merged by the next tick");
                self.meter.count("CallsRefused", u64::from(FailureKind::is_lasting(&source)));
                Some(RollUpError::Unknown { table: table.clone(), source })
            }
        }
    }

    async fn pass(&self, table: &str, areas: &dyn RollUps, until: Time) -> Result<RolledUp, PortError> {
        let now = self.clock.now();
        let stop = || self.clock.now() >= until;
        let today = day_of(now);
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

/// The day of a moment, in UTC.
fn day_of(now: Time) -> i64 {
    now.ms().div_euclid(Time::DAY_MS)
}
