//! The poller function: takes a message, polls one search and publishes its observations on the stream.
//!
//! A poll that nears its deadline stops in time, leaves a checkpoint and sends a continuation message, up to a limit. A
//! failure of the source is reported and waits for the next tick of the schedule. A failure of ours is retried soon,
//! and goes to the dead-letter queue after some attempts. A message whose work a later poll has done is dropped.

mod search;

use std::collections::HashSet;

use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent, SqsMessage};
use stoop_aws::{PollQueue, Secrets};
use stoop_domain::Time;
use stoop_emf::Meter;
use stoop_pipeline::ports::{Configuration, FailureKind, PlanLedger, PollTask, RunOutcome};
use stoop_pipeline::{
    ErrorCode, NotPolled, PollError, PollPorts, Polled, TaskPorts, TaskReport, retry_after_seconds, take_task,
    with_causes,
};
use tracing::Instrument;

/// The function's ports.
pub struct PollerHandler<'a> {
    /// The accepted configuration.
    pub configuration: &'a dyn Configuration,
    /// Keys and tokens.
    pub secrets: &'a Secrets,
    /// The prefix of the stack's secrets, `stoop/<stack>/`.
    pub secrets_prefix: &'a str,
    /// The queue of poll tasks and their continuations.
    pub queue: &'a PollQueue,
    /// What a poll needs; the deadline is that of each invocation.
    pub poll: PollPorts<'a>,
    /// Shares the outcome of each search's last poll with the planner.
    pub plans: &'a dyn PlanLedger,
    /// Counts metrics.
    pub meter: &'a Meter,
}

/// Why a message is delivered again.
#[derive(Debug, thiserror::Error)]
enum PollerFailure {
    #[error("the message is not a poll task: {0}; accepted: {{\"search\": \"NAME\", \"due_at\": MILLISECONDS}}")]
    NoTask(String),
    #[error(transparent)]
    Poll(#[from] PollError),
}

impl PollerHandler<'_> {
    /// Polls the search of each message. After a failed message, no later message of the same search is polled:
    /// messages of a group stay in order.
    pub async fn handle(&self, event: SqsEvent, deadline: Time) -> SqsBatchResponse {
        let mut response = SqsBatchResponse::default();
        let mut failed_groups = HashSet::new();
        for message in event.records {
            let group = message.attributes.get("MessageGroupId").cloned().unwrap_or_default();
            let outcome = if failed_groups.contains(&group) { None } else { Some(self.take(&message, deadline).await) };
            if let Some(Ok(())) = outcome {
                continue;
            }
            if let Some(Err(error)) = outcome {
                let kind = FailureKind::word(&error);
                tracing::error!(error = with_causes(&error), kind, group, "the message will be delivered again");
                self.meter.count("PollsFailed", 1);
                self.meter.count("CallsRefused", u64::from(FailureKind::is_lasting(&error)));
            }
            // Messages that wait for a failed one as well: while hidden, they would block their group.
            self.bring_back_soon(&message).await;
            failed_groups.insert(group);
            response.add_failure(message.message_id.unwrap_or_default());
        }
        response
    }

    async fn take(&self, message: &SqsMessage, deadline: Time) -> Result<(), PollerFailure> {
        let body = message.body.as_deref().unwrap_or_default();
        let task: PollTask = serde_json::from_str(body).map_err(|error| PollerFailure::NoTask(error.to_string()))?;
        // While the environment was frozen, only one of the two clocks may have advanced.
        self.poll.clock.jumped_ms(&task.search);
        let run = format!("{}-{}", task.search, self.poll.clock.now().ms());
        let span = tracing::info_span!("poll", search = task.search, run);
        let id = message.message_id.as_deref().unwrap_or_default();
        let report = |report: &TaskReport<'_>| self.report(&task, report);
        let (searches, plans, queue) = (self, self.plans, self.queue);
        let ports = TaskPorts { poll: self.poll, searches, plans, queue, report: &report };
        Ok(take_task(&task, id, &run, deadline, ports).instrument(span).await?)
    }

    /// Logs and counts what happens to a task.
    fn report(&self, task: &PollTask, report: &TaskReport<'_>) {
        match report {
            TaskReport::Stale(why) => {
                tracing::info!(due_at = %task.due_at, %why, "the task is stale");
                self.meter.count("PollsStale", 1);
            }
            TaskReport::NotPolled(why @ NotPolled::Mistakes(_)) => {
                self.meter.count("PollsFailed", 1);
                tracing::error!(%why, "not polled");
            }
            TaskReport::NotPolled(why) => tracing::warn!(%why, "not polled"),
            TaskReport::Renewed => tracing::info!("a secret was renewed"),
            TaskReport::Polled(polled) => self.count(polled),
            TaskReport::SourceFailed(error) => {
                let code = error.code().map(ErrorCode::as_str);
                tracing::error!(%error, code, "the source could not be polled");
                self.meter.count("PollsFailed", 1);
                if let PollError::Drifted(_) = error {
                    self.meter.count("FieldsDrifted", 1);
                }
            }
            TaskReport::ScanEnded => {
                self.meter.count("ChainsEnded", 1);
                tracing::error!(
                    "the scan takes longer than a day or 500 messages: it continues when the search is due again"
                );
            }
            TaskReport::NotKept(error) => {
                tracing::warn!(error = with_causes(error), "the outcome of the poll is not stored for the planner");
            }
        }
    }

    fn count(&self, polled: &Polled) {
        let ended = match polled.outcome {
            Some(RunOutcome::Complete) => "PollsComplete",
            Some(RunOutcome::Skipped) => "PollsSkipped",
            Some(RunOutcome::Failed) => "PollsFailed",
            _ => "PollsPartial",
        };
        let codes = polled.codes().iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        match &polled.message {
            Some(message) if polled.outcome == Some(RunOutcome::Failed) => {
                tracing::error!(why = message, codes, "the poll failed");
            }
            Some(message) => tracing::info!(ended, why = message, codes, "the poll ended"),
            None => {}
        }
        self.meter.count(ended, 1);
        self.meter.count("ListingsSeen", polled.listings);
        self.meter.count("ObservationsSent", polled.sent + polled.gone);
        self.meter.count("ObservationsConfirming", polled.confirmed);
        self.meter.count("LossesHeld", u64::from(polled.held_back.is_some()));
        self.meter.count("ListingsHeldBack", polled.held_back.map_or(0, |held_back| held_back.listings));
        self.meter.count("Quarantined", polled.rejects);
        self.meter.count("ValuesRefused", polled.values_refused);
        self.meter.count("FieldsDrifted", polled.drifts.len() as u64);
        let contradictions = polled.contradictions.counts().map(|count| count.contradict).sum();
        self.meter.count("Contradictions", contradictions);
        self.meter.count("FieldsDistrusted", polled.fields_distrusted);
        self.meter.count("PricesHeld", polled.prices_held);
        self.meter.count("ClockJumps", polled.clock_jumps.len() as u64);
    }

    /// Otherwise a failed message would stay hidden for as long as a poll may take.
    async fn bring_back_soon(&self, message: &SqsMessage) {
        let received = message.attributes.get("ApproximateReceiveCount").and_then(|count| count.parse().ok());
        let seconds = retry_after_seconds(received.unwrap_or(1));
        let Some(receipt) = &message.receipt_handle else { return };
        if let Err(error) = self.queue.retry_in(receipt, seconds).await {
            tracing::warn!(error = with_causes(&error), "the message stays hidden for its whole visibility timeout");
        }
    }
}
