//! The poller function: a message in, one search polled, its observations on the stream.
//!
//! A poll that meets its deadline stops in good time, leaves a checkpoint and sends itself on in another message, so many
//! times and no more. What fails on the source's side is told and left to the next tick of the schedule; what fails on
//! ours is tried again soon, and lies in the dead-letter queue after some attempts. A message of which a later poll has
//! done the work is dropped.

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

/// The function's ports, made once.
pub struct App<'a> {
    /// What is in force.
    pub configuration: &'a dyn Configuration,
    /// Keys and tokens.
    pub secrets: &'a Secrets,
    /// What the names of the stack's secrets begin with, `stoop/<stack>/`.
    pub secrets_prefix: &'a str,
    /// Where messages come from and polls are sent on.
    pub queue: &'a PollQueue,
    /// Where to fetch from.
    pub http: &'a dyn Http,
    /// Where files are read from.
    pub files: &'a dyn Files,
    /// Where observations go.
    pub stream: &'a dyn Stream,
    /// What each search has seen.
    pub index: &'a dyn SearchIndex,
    /// Where raw pages go.
    pub pages: &'a dyn Pages,
    /// Where rejects go.
    pub quarantine: &'a dyn Quarantine,
    /// Where runs are told of.
    pub runs: &'a dyn RunLedger,
    /// What each account of a source has left.
    pub budgets: &'a dyn Budgets,
    /// The tokens of this execution environment.
    pub tokens: &'a Tokens,
    /// Where planner and poller learn what became of a search's last poll.
    pub plans: &'a dyn PlanLedger,
    /// The time.
    pub clock: &'a dyn Clock,
    /// What is counted.
    pub meter: &'a Meter,
}

/// A failed message comes again after so many seconds for each time that it was received.
const RETRY_STEP_SECONDS: i32 = 30;

/// The next message waits so long for the limits of an account, where this one has no time to.
const WAIT_MAX_MS: i64 = 120_000;

/// What became of a poll.
#[derive(Default)]
struct Outcome {
    /// Whether it ended well; `None` where it asked for nothing.
    well: Option<bool>,
    /// The deadline was near: the rest is for another message.
    goes_on: bool,
    pace: Option<Pace>,
}

/// Why a message is to come again.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("the message is no poll task: {0}; accepted: {{\"search\": \"NAME\", \"due_at\": MILLISECONDS}}")]
    NoTask(String),
    #[error(transparent)]
    Poll(#[from] PollError),
    #[error(transparent)]
    Port(#[from] PortError),
}

impl App<'_> {
    /// Polls the search of each message. Of one search, nothing is polled after a message that failed: messages
    /// of a group stay in order.
    pub async fn handle(&self, event: SqsEvent, deadline: Time) -> SqsBatchResponse {
        // While the environment was frozen, the one clock may have stood still and the other not.
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
                tracing::error!(error = with_causes(&error), group, "the message is to come again");
                self.meter.count("PollsFailed", 1);
            }
            // Those that wait for a failed one too: hidden, they would hold up their group.
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
            // There is no such search: nothing is to be told of it.
            Ok(None) => return Ok(()),
            Err(error) => {
                // Not done with: it comes again, and is no stale task then.
                self.keep_or_warn(task, &LastPoll { failed: true, ..last }).await;
                return Err(error);
            }
        };
        let next = if outcome.goes_on { self.next(task) } else { None };
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
        // In this order: a continuation that nobody knows of would be taken for a stale one.
        self.plans.keep_last_poll(&task.search, &last).await?;
        Ok(self.queue.continue_later(&next, id).await?)
    }

    /// The task in which the scan goes on, unless it has gone on for too long.
    fn next(&self, task: &PollTask) -> Option<PollTask> {
        let next = task.next(self.clock.now());
        if next.is_none() {
            self.meter.count("ChainsEnded", 1);
            tracing::error!(
                "the scan takes longer than a day or 500 messages: it goes on when the search is due again"
            );
        }
        next
    }

    /// `None` where there is no such search.
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
            // A run of its own, for the first has its end in the ledger.
            polled = self.poll_once(&prepared, &format!("{run}-renewed"), &clock).await;
        }
        match polled {
            Ok(polled) => {
                self.tell(&polled);
                let well = match polled.outcome {
                    Some(RunOutcome::Failed) => Some(false),
                    Some(RunOutcome::Skipped) => None,
                    // Of a limit's rest, which let it ask for nothing, one can't say.
                    Some(RunOutcome::Partial) => (polled.pages + polled.files > 0).then_some(true),
                    _ => Some(true),
                };
                Ok(Some(Outcome { well, goes_on: self.goes_on(&polled, &clock), pace: polled.pace }))
            }
            Err(error @ (PollError::Source(_) | PollError::Denied(_) | PollError::Drifted(_))) => {
                // The source will be no better in a minute: the schedule asks it again in its own time.
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

    /// Whether the rest is for another message: time was over, or would have been before the account's limits let
    /// it go on. What they hold for longer waits for the schedule.
    fn goes_on(&self, polled: &Polled, clock: &DeadlineClock<'_>) -> bool {
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

    /// Without it the planner goes by what it knows, which is no reason to poll again.
    async fn keep_or_warn(&self, task: &PollTask, last: &LastPoll) {
        if let Err(error) = self.plans.keep_last_poll(&task.search, last).await {
            tracing::warn!(error = with_causes(&error), "the planner does not learn what became of the poll");
        }
    }

    fn tell(&self, polled: &Polled) {
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

    /// Without this a failed message would stay hidden for as long as a poll may take.
    async fn bring_back_soon(&self, message: &SqsMessage) {
        let received = message.attributes.get("ApproximateReceiveCount").and_then(|count| count.parse::<i32>().ok());
        let seconds = RETRY_STEP_SECONDS * received.unwrap_or(1).clamp(1, 10);
        let Some(receipt) = &message.receipt_handle else { return };
        if let Err(error) = self.queue.retry_in(receipt, seconds).await {
            tracing::warn!(error = with_causes(&error), "the message stays hidden for its whole time");
        }
    }
}
