//! The planner function: a tick of the schedule in, one message per due search on the queue out.
//!
//! It also takes over the configuration: what was uploaded is checked, and works from then on, for every
//! function; one with mistakes changes nothing, and is told of at each tick until it is mended.

use std::collections::BTreeSet;

use lambda_runtime::Diagnostic;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use stoop_aws::Meter;
use stoop_domain::Time;
use stoop_pipeline::ports::{Configuration, PlanLedger, PortError, TaskQueue};
use stoop_pipeline::{Clock, Overdue, TightLimit, plan, with_causes};
use stoop_runtime::Takeover;
use tokio::sync::Mutex;

/// The function's ports, made once.
pub struct App<'a> {
    /// What operators upload.
    pub configuration: &'a dyn Configuration,
    /// When each search was sent.
    pub ledger: &'a dyn PlanLedger,
    /// Where searches are sent.
    pub queue: &'a dyn TaskQueue,
    /// The time.
    pub clock: &'a dyn Clock,
    /// What is counted.
    pub meter: &'a Meter,
    /// What is in force, as this environment knows it.
    pub takeover: Mutex<Takeover>,
    /// The searches of which this environment has told why they are polled less often than configured.
    pub reported: Mutex<BTreeSet<String>>,
    /// The searches of which it has told that they are overdue.
    pub reported_overdue: Mutex<BTreeSet<String>>,
}

/// What the schedule sends.
#[derive(Deserialize)]
struct Tick<'e> {
    #[serde(borrow)]
    scheduled_time: Option<&'e str>,
}

/// What the function answers, for whoever invokes it by hand.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
pub struct Answer {
    /// The searches that were sent.
    pub sent: Vec<String>,
    /// How many were not due.
    pub waiting: usize,
    /// How many were not polled as they should be, as it was before this tick.
    pub overdue: usize,
    /// Why the configuration that is uploaded is not in force.
    pub refused_configuration: Option<String>,
}

/// Why a tick failed. The next one makes up for it.
#[derive(Debug, thiserror::Error)]
pub enum TickError {
    /// A port failed.
    #[error(transparent)]
    Port(#[from] PortError),
    /// The queue would not take some searches.
    #[error("the queue refused {0} searches, again and again")]
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

impl App<'_> {
    /// Sends what is due at the tick's time; an event that names none is a tick now.
    ///
    /// # Errors
    /// When a port fails or the queue refuses searches. They stay due.
    pub async fn handle(&self, event: &RawValue) -> Result<Answer, TickError> {
        let mut takeover = self.takeover.lock().await;
        let refused = takeover.look(self.configuration).await?;
        if let Some(refused) = &refused {
            self.meter.count("ConfigInvalid", 1);
            tracing::error!(%refused, "the uploaded configuration is not taken over");
        }
        let mut answer = Answer { refused_configuration: refused.map(|why| why.to_string()), ..Answer::default() };
        let Some(config) = takeover.plan() else {
            tracing::warn!("no configuration was ever accepted: nothing is polled");
            return Ok(answer);
        };
        let planned = plan(&config.searches, self.time(event), self.ledger, self.queue, self.clock).await?;
        self.meter.count("SearchesPlanned", planned.sent.len() as u64);
        self.meter.gauge("SearchesOverdue", planned.overdue.len() as u64);
        self.tell(&planned.slowed_by).await;
        self.tell_overdue(&planned.overdue).await;
        answer.sent = planned.sent.into_iter().map(|task| task.search).collect();
        answer.waiting = planned.waiting;
        answer.overdue = planned.overdue.len();
        if planned.refused.is_empty() { Ok(answer) } else { Err(TickError::Refused(planned.refused.len())) }
    }

    /// Tells of searches that the limits of their account hold back, once each.
    async fn tell(&self, slowed_by: &[(String, TightLimit)]) {
        let mut reported = self.reported.lock().await;
        reported.retain(|search| slowed_by.iter().any(|(name, _)| name == search));
        for (search, limit) in slowed_by {
            if reported.insert(search.clone()) {
                let least_minutes = limit.least_ms.div_ceil(60_000);
                tracing::warn!(search, least_minutes, limit = %limit, "polled less often, for the limits of its account");
            }
        }
    }

    /// Tells of searches that are not polled as they should be, once each; and when they are again.
    async fn tell_overdue(&self, overdue: &[(String, Overdue)]) {
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
                tracing::error!(search, %why, "overdue");
            }
        }
    }

    /// The time that the tick was scheduled for. A tick that comes late counts for its own time.
    fn time(&self, event: &RawValue) -> Time {
        let tick = serde_json::from_str::<Tick<'_>>(event.get()).ok().and_then(|tick| tick.scheduled_time);
        tick.and_then(|text| Time::parse(text).ok()).unwrap_or_else(|| self.clock.now())
    }
}
