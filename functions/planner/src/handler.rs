//! The planner function: on each tick of the schedule, sends one message per due search to the queue.
//!
//! It also takes over uploaded configurations: a valid one applies from then on, for every function; one with mistakes
//! changes nothing, and each tick reports the mistakes until they are fixed.

use std::collections::BTreeSet;

use lambda_runtime::Diagnostic;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use stoop_domain::Time;
use stoop_emf::Meter;
use stoop_pipeline::ports::{Configuration, FailureKind, PlanLedger, PortError, SearchControls, TaskQueue};
use stoop_pipeline::{Clock, ErrorCode, Overdue, TightLimit, plan, with_causes};
use stoop_runtime::Takeover;
use tokio::sync::Mutex;

/// The function's ports.
pub struct PlannerHandler<'a> {
    /// The uploaded and the accepted configuration.
    pub configuration: &'a dyn Configuration,
    /// When each search was last sent.
    pub ledger: &'a dyn PlanLedger,
    /// What people ask of searches.
    pub controls: &'a dyn SearchControls,
    /// The queue of poll tasks.
    pub queue: &'a dyn TaskQueue,
    /// The clock.
    pub clock: &'a dyn Clock,
    /// Counts metrics.
    pub meter: &'a Meter,
    /// The accepted configuration, as this environment knows it.
    pub takeover: Mutex<Takeover>,
    /// The searches for which this environment has logged why they are polled less often than configured.
    pub reported: Mutex<BTreeSet<String>>,
    /// The searches that it has logged as overdue.
    pub reported_overdue: Mutex<BTreeSet<String>>,
}

/// The event of the schedule.
#[derive(Deserialize)]
struct Tick<'e> {
    #[serde(borrow)]
    scheduled_time: Option<&'e str>,
}

/// The function's response, for people who invoke it by hand.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
pub struct PlanResponse {
    /// The searches that were sent.
    pub sent: Vec<String>,
    /// How many were not due.
    pub waiting: usize,
    /// How many are paused.
    pub paused: usize,
    /// How many were overdue before this tick.
    pub overdue: usize,
    /// Why the uploaded configuration was not accepted.
    pub refused_configuration: Option<String>,
}

/// Why a tick failed. The next one catches up.
#[derive(Debug, thiserror::Error)]
pub enum TickError {
    /// A port failed.
    #[error(transparent)]
    Port(#[from] PortError),
    /// The queue refused some searches.
    #[error("the queue refused {0} searches repeatedly")]
    Refused(usize),
}

impl From<TickError> for Diagnostic {
    fn from(error: TickError) -> Self {
        let error_type = match &error {
            TickError::Port(_) => "PortError",
            TickError::Refused(_) => "Refused",
        };
        Self { error_type: error_type.into(), error_message: with_causes(&error) }
    }
}

impl PlannerHandler<'_> {
    /// Sends the searches that are due at the tick's time; an event without a time is a tick now.
    ///
    /// # Errors
    ///
    /// A port fails or the queue refuses searches. They stay due.
    pub async fn handle(&self, event: &RawValue) -> Result<PlanResponse, TickError> {
        let ended = self.tick(event).await;
        if let Err(error) = &ended {
            tracing::error!(error = with_causes(error), kind = FailureKind::word(error), "the next tick catches up");
            self.meter.count("CallsRefused", u64::from(FailureKind::is_lasting(error)));
        }
        ended
    }

    async fn tick(&self, event: &RawValue) -> Result<PlanResponse, TickError> {
        let mut takeover = self.takeover.lock().await;
        let refused = takeover.check(self.configuration).await?;
        if let Some(refused) = &refused {
            self.meter.count("ConfigInvalid", 1);
            tracing::error!(%refused, code = %ErrorCode::ConfigInvalid, "the uploaded configuration is not taken over");
        }
        let mut answer =
            PlanResponse { refused_configuration: refused.map(|why| why.to_string()), ..PlanResponse::default() };
        let Some(config) = takeover.plan() else {
            tracing::warn!("no configuration was ever accepted: nothing is polled");
            return Ok(answer);
        };
        let controls = self.controls.controls().await?;
        let planned = plan(&config.searches, &controls, self.time(event), self.ledger, self.queue, self.clock).await?;
        self.meter.count("SearchesPlanned", planned.sent.len() as u64);
        self.meter.gauge("SearchesOverdue", planned.overdue.len() as u64);
        self.log_slowed(&planned.slowed_by).await;
        self.log_overdue(&planned.overdue).await;
        answer.sent = planned.sent.into_iter().map(|task| task.search).collect();
        answer.waiting = planned.waiting;
        answer.paused = planned.paused;
        answer.overdue = planned.overdue.len();
        if planned.refused.is_empty() { Ok(answer) } else { Err(TickError::Refused(planned.refused.len())) }
    }

    /// Logs each search that its account's limits slow down, once.
    async fn log_slowed(&self, slowed_by: &[(String, TightLimit)]) {
        let mut reported = self.reported.lock().await;
        reported.retain(|search| slowed_by.iter().any(|(name, _)| name == search));
        for (search, limit) in slowed_by {
            if reported.insert(search.clone()) {
                let least_minutes = limit.least_ms.div_ceil(60_000);
                tracing::warn!(search, least_minutes, limit = %limit, "polled less often because of its account's limits");
            }
        }
    }

    /// Logs each overdue search once, and again when it is no longer overdue.
    async fn log_overdue(&self, overdue: &[(String, Overdue)]) {
        let mut reported = self.reported_overdue.lock().await;
        reported.retain(|search| {
            let still = overdue.iter().any(|(name, _)| name == search);
            if !still {
                tracing::info!(search, "no longer overdue");
            }
            still
        });
        for (search, why) in overdue {
            if reported.insert(search.clone()) {
                tracing::error!(search, %why, code = %ErrorCode::SearchesOverdue, "overdue");
            }
        }
    }

    /// The scheduled time of the tick, even if it arrives late.
    fn time(&self, event: &RawValue) -> Time {
        let tick = serde_json::from_str::<Tick<'_>>(event.get()).ok().and_then(|tick| tick.scheduled_time);
        tick.and_then(|text| Time::parse(text).ok()).unwrap_or_else(|| self.clock.now())
    }
}
