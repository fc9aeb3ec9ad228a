//! The poller function: takes a message, polls one search and publishes its observations on the stream.
//!
//! A poll that nears its deadline stops in time, leaves a checkpoint and sends a continuation message, up to a limit. A
//! failure of the source is reported and waits for the next tick of the schedule. A failure of ours is retried soon,
//! and goes to the dead-letter queue after some attempts. A message whose work a later poll has done is dropped.

mod deadline;
mod search;

use std::collections::HashSet;

use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent, SqsMessage};
use stoop_aws::{Meter, PollQueue, Secrets};
use stoop_domain::Time;
use stoop_pipeline::ports::{
    Budgets, Configuration, Files, Http, Pages, PlanLedger, PollTask, PortError, Quarantine, RunLedger, RunOutcome,
    SearchIndex, Stream,
};
use stoop_pipeline::{Clock, LastPoll, Pace, PollError, PollPorts, Polled, Tokens, poll, with_causes};
use tracing::Instrument;

use deadline::DeadlineClock;
pub use search::NotPolled;
use search::Prepared;

/// The function's ports.
pub struct App<'a> {
    /// The accepted configuration.
    pub configuration: &'a dyn Configuration,
    /// Keys and tokens.
    pub secrets: &'a Secrets,
    /// The prefix of the stack's secrets, `stoop/<stack>/`.
    pub secrets_prefix: &'a str,
    /// The queue of poll tasks and their continuations.
    pub queue: &'a PollQueue,
    /// Fetches pages.
    pub http: &'a dyn Http,
    /// Reads files.
    pub files: &'a dyn Files,
    /// Takes observations.
    pub stream: &'a dyn Stream,
    /// What each search has seen.
    pub index: &'a dyn SearchIndex,
    /// Stores raw pages.
    pub pages: &'a dyn Pages,
    /// Stores rejects.
    pub quarantine: &'a dyn Quarantine,
    /// Stores run records.
    pub runs: &'a dyn RunLedger,
    /// The requests of each account.
    pub budgets: &'a dyn Budgets,
    /// The access tokens of this execution environment.
    pub tokens: &'a Tokens,
    /// Shares the outcome of each search's last poll with the planner.
    pub plans: &'a dyn PlanLedger,
    /// The clock.
    pub clock: &'a dyn Clock,
    /// Counts metrics.
    pub meter: &'a Meter,
}

/// Seconds until a failed message is delivered again, for each time that it was received.
const RETRY_STEP_SECONDS: i32 = 30;

/// If an account's limits ask for a wait longer than the time left, a continuation waits up to this long.
const WAIT_MAX_MS: i64 = 120_000;

/// The outcome of a poll.
#[derive(Default)]
struct Outcome {
    /// Whether it ended well; `None` if it asked for nothing.
    well: Option<bool>,
    /// The deadline was near: another message continues.
    continues: bool,
    pace: Option<Pace>,
}

/// Why a message is delivered again.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("the message is not a poll task: {0}; accepted: {{\"search\": \"NAME\", \"due_at\": MILLISECONDS}}")]
    NoTask(String),
    #[error(transparent)]
    Poll(#[from] PollError),
    #[error(transparent)]
    Port(#[from] PortError),
}

impl App<'_> {
    /// Polls the search of each message. After a failed message, no later message of the same search is polled:
    /// messages of a group stay in order.
    pub async fn handle(&self, event: SqsEvent, deadline: Time) -> SqsBatchResponse {
        // While the environment was frozen, only one of the two clocks may have advanced.
        self.clock.jumped_ms();
        let mut response = SqsBatchResponse::default();
        let mut failed_groups = HashSet::new();
        for message in event.records {
            let group = message.attributes.get("MessageGroupId").cloned().unwrap_or_default();
            let outcome = if failed_groups.contains(&group) { None } else { Some(self.take(&message, deadline).await) };
            if let Some(Ok(())) = outcome {
                continue;
            }
            if let Some(Err(error)) = outcome {
                tracing::error!(error = with_causes(&error), group, "the message will be delivered again");
                self.meter.count("PollsFailed", 1);
            }
            // Messages that wait for a failed one as well: while hidden, they would block their group.
            self.bring_back_soon(&message).await;
            failed_groups.insert(group);
            response.add_failure(message.message_id.unwrap_or_default());
        }
        response
    }

    async fn take(&self, message: &SqsMessage, deadline: Time) -> Result<(), Failure> {
        let body = message.body.as_deref().unwrap_or_default();
        let task: PollTask = serde_json::from_str(body).map_err(|error| Failure::NoTask(error.to_string()))?;
        let began_at = self.clock.now();
        let run = format!("{}-{}", task.search, began_at.ms());
        let span = tracing::info_span!("poll", search = task.search, run);
        let id = message.message_id.as_deref().unwrap_or_default();
        self.take_task(&task, id, &run, deadline).instrument(span).await
    }

    async fn take_task(&self, task: &PollTask, id: &str, run: &str, deadline: Time) -> Result<(), Failure> {
        let began_at = self.clock.now();
        let last = self.plans.last_poll(&task.search).await?.unwrap_or_default();
        if let Some(why) = last.stale(task, began_at) {
            tracing::info!(due_at = %task.due_at, %why, "the task is stale");
            self.meter.count("PollsStale", 1);
            return Ok(());
        }
        let outcome = match self.poll(task, run, deadline).await {
            Ok(Some(outcome)) => outcome,
            // There is no such search, so nothing to report.
            Ok(None) => return Ok(()),
            Err(error) => {
                // Not done: the message is delivered again, and must not be stale then.
                self.keep_or_warn(task, &LastPoll { failed: true, ..last }).await;
                return Err(error);
            }
        };
        let next = if outcome.continues { self.next(task) } else { None };
        let last = LastPoll {
            polled_at: Some(began_at),
            succeeded_at: if outcome.well == Some(true) { Some(began_at) } else { last.succeeded_at },
            failed: outcome.well.map_or(last.failed, |well| !well),
            goes_on: next.is_some().then_some(task.due_at),
            pace: outcome.pace.or(last.pace),
            ..last
        };
        let Some(next) = next else {
            self.keep_or_warn(task, &last).await;
            return Ok(());
        };
        // In this order: a continuation without its record would be stale.
        self.plans.keep_last_poll(&task.search, &last).await?;
        Ok(self.queue.continue_later(&next, id).await?)
    }

    /// The task that continues the scan, unless it has continued for too long.
    fn next(&self, task: &PollTask) -> Option<PollTask> {
        let next = task.next(self.clock.now());
        if next.is_none() {
            self.meter.count("ChainsEnded", 1);
            tracing::error!(
                "the scan takes longer than a day or 500 messages: it continues when the search is due again"
            );
        }
        next
    }

    /// Polls a search; `None` if there is no such search.
    async fn poll(&self, task: &PollTask, run: &str, deadline: Time) -> Result<Option<Outcome>, Failure> {
        let mut prepared = match self.prepare(&task.search).await? {
            Ok(prepared) => prepared,
            Err(why) => return Ok(self.not_polled(&why)),
        };
        let clock = DeadlineClock::new(self.clock, deadline);
        let mut polled = self.poll_once(&prepared, run, &clock).await;
        if let Err(PollError::Denied(_)) = polled
            && let Some(renewed) = self.renew(&task.search, &prepared).await?
        {
            tracing::info!("a secret was renewed");
            prepared = renewed;
            // A run of its own, because the first one is closed in the ledger.
            polled = self.poll_once(&prepared, &format!("{run}-renewed"), &clock).await;
        }
        match polled {
            Ok(polled) => {
                self.count(&polled);
                let well = match polled.outcome {
                    Some(RunOutcome::Failed) => Some(false),
                    Some(RunOutcome::Skipped) => None,
                    // If the limits allowed no request, the outcome is unknown.
                    Some(RunOutcome::Partial) => (polled.pages + polled.files > 0).then_some(true),
                    _ => Some(true),
                };
                Ok(Some(Outcome { well, continues: self.continues(&polled, &clock), pace: polled.pace }))
            }
            Err(error @ (PollError::Source(_) | PollError::Denied(_) | PollError::Drifted(_))) => {
                // The source will not recover within a minute: the schedule asks it again.
                tracing::error!(%error, "the source could not be polled");
                self.meter.count("PollsFailed", 1);
                if let PollError::Drifted(_) = error {
                    self.meter.count("FieldsDrifted", 1);
                }
                Ok(Some(Outcome { well: Some(false), ..Outcome::default() }))
            }
            Err(error) => Err(error.into()),
        }
    }

    async fn poll_once(&self, prepared: &Prepared, run: &str, clock: &DeadlineClock<'_>) -> Result<Polled, PollError> {
        let stop = || clock.is_over();
        let ports = PollPorts {
            http: self.http,
            files: self.files,
            stream: self.stream,
            index: self.index,
            pages: self.pages,
            quarantine: self.quarantine,
            runs: self.runs,
            budgets: self.budgets,
            tokens: self.tokens,
            clock,
            deadline: Some(clock.end()),
            stop: &stop,
        };
        poll(&prepared.search, run, ports).await
    }

    /// Whether another message continues: time was over, or would have been before the account's limits allowed the
    /// next request. Longer waits are left to the schedule.
    fn continues(&self, polled: &Polled, clock: &DeadlineClock<'_>) -> bool {
        let soon = self.clock.now().plus_ms(WAIT_MAX_MS);
        let held_briefly = polled.held_until.is_some_and(|until| until > clock.end() && until <= soon);
        match polled.outcome {
            Some(RunOutcome::Partial) => clock.is_over() || held_briefly,
            // The server refused everything so far.
            Some(RunOutcome::Failed) => held_briefly,
            _ => false,
        }
    }

    fn not_polled(&self, why: &NotPolled) -> Option<Outcome> {
        match why {
            NotPolled::Mistakes(_) => {
                self.meter.count("PollsFailed", 1);
                tracing::error!(%why, "not polled");
                Some(Outcome { well: Some(false), ..Outcome::default() })
            }
            NotPolled::NoConfiguration | NotPolled::NoSuchSearch => {
                tracing::warn!(%why, "not polled");
                None
            }
        }
    }

    /// Without it the planner uses the previous outcome; that is no reason to poll again.
    async fn keep_or_warn(&self, task: &PollTask, last: &LastPoll) {
        if let Err(error) = self.plans.keep_last_poll(&task.search, last).await {
            tracing::warn!(error = with_causes(&error), "the outcome of the poll is not stored for the planner");
        }
    }

    fn count(&self, polled: &Polled) {
        let ended = match polled.outcome {
            Some(RunOutcome::Complete) => "PollsComplete",
            Some(RunOutcome::Skipped) => "PollsSkipped",
            Some(RunOutcome::Failed) => "PollsFailed",
            _ => "PollsPartial",
        };
        match &polled.message {
            Some(message) if polled.outcome == Some(RunOutcome::Failed) => {
                tracing::error!(why = message, "the poll failed");
            }
            Some(message) => tracing::info!(ended, why = message, "the poll says why"),
            None => {}
        }
        self.meter.count(ended, 1);
        self.meter.count("ListingsSeen", polled.listings);
        self.meter.count("ObservationsSent", polled.sent + polled.gone);
        self.meter.count("ObservationsConfirming", polled.confirmed);
        self.meter.count("LossesHeld", u64::from(polled.held_back.is_some()));
        self.meter.count("ListingsHeldBack", polled.held_back.map_or(0, |held_back| held_back.listings));
        self.meter.count("Quarantined", polled.rejects);
        self.meter.count("FieldsDrifted", polled.drifts.len() as u64);
        let contradictions = polled.contradictions.counts().map(|count| count.contradict).sum();
        self.meter.count("Contradictions", contradictions);
        self.meter.count("FieldsDistrusted", polled.fields_distrusted);
        self.meter.count("ClockJumps", polled.clock_jumps.len() as u64);
    }

    /// Otherwise a failed message would stay hidden for as long as a poll may take.
    async fn bring_back_soon(&self, message: &SqsMessage) {
        let received = message.attributes.get("ApproximateReceiveCount").and_then(|count| count.parse::<i32>().ok());
        let seconds = RETRY_STEP_SECONDS * received.unwrap_or(1).clamp(1, 10);
        let Some(receipt) = &message.receipt_handle else { return };
        if let Err(error) = self.queue.retry_in(receipt, seconds).await {
            tracing::warn!(error = with_causes(&error), "the message stays hidden for its whole visibility timeout");
        }
    }
}
