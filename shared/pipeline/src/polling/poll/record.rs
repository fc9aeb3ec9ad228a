//! Records the run of a poll in the ledger.

use std::collections::BTreeMap;

use super::context::PollPorts;
use super::error::PollError;
use super::polled::Polled;
use super::search::Search;
use crate::ports::{PortError, RunOutcome, RunRecord};
use crate::with_causes;

/// Records the beginning of a poll.
pub(super) async fn begin(search: &Search, run: &str, ports: PollPorts<'_>) -> Result<RunRecord, PortError> {
    let record = RunRecord {
        id: run.to_owned(),
        kind: "poll".into(),
        subject: search.name.clone(),
        began_at: ports.clock.now(),
        ended_at: None,
        outcome: RunOutcome::Running,
        message: None,
        counts: BTreeMap::new(),
        raw_pages: None,
    };
    ports.runs.record(&record).await?;
    Ok(record)
}

/// Records the end of a poll. Adds everything to report to `polled.message`.
///
/// # Errors
/// The poll's error, otherwise the ledger's: if both failed, the poll failed first and is the cause.
pub(super) async fn end(
    mut record: RunRecord,
    outcome: Result<(), PollError>,
    polled: &mut Polled,
    ports: PollPorts<'_>,
) -> Result<(), PollError> {
    let held_back = polled.held_back.map(|held_back| held_back.to_string());
    let reported = polled.message.iter().chain(&held_back).chain(&polled.held_moves).chain(&polled.rulings);
    let reported = reported.chain(&polled.drifts).chain(&polled.verdicts).chain(&polled.clock_jumps).cloned();
    polled.message = joined(reported);
    record.ended_at = Some(ports.clock.now());
    record.counts = polled.counts();
    record.raw_pages = polled.raw_pages.take();
    (record.outcome, record.message) = match &outcome {
        Ok(()) => (polled.outcome.unwrap_or(RunOutcome::Partial), polled.message.clone()),
        Err(error) => {
            let reported = std::iter::once(with_causes(error)).chain(polled.clock_jumps.iter().cloned());
            (RunOutcome::Failed, joined(reported))
        }
    };
    let recorded = ports.runs.record(&record).await;
    if let (Err(_), Err(second)) = (&outcome, &recorded) {
        tracing::warn!(error = with_causes(second), "the outcome of this poll is not in the ledger");
    }
    outcome?;
    Ok(recorded?)
}

fn joined(reported: impl Iterator<Item = String>) -> Option<String> {
    reported.reduce(|message, more| format!("{message}; {more}"))
}
