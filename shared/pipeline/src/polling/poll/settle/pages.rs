//! The end of a run over pages.

use stoop_sources::{Coverage, Cursor};

use super::gone::{ScanContext, do_as_ruled, judge_absent};
use crate::polling::poll::error::PollError;
use crate::polling::poll::page_scan::PageScan;
use crate::polling::poll::polled::Polled;
use crate::polling::poll::{check, common_move};
use crate::ports::{RunOutcome, ScanCheckpoint};
use crate::search::loss::CompleteScan;

/// After this many consecutive polls that began at a page and failed there, the page may no longer exist: a new scan
/// begins.
const TRIES_MAX: u32 = 3;

/// How the pages of a scan ended.
pub(in crate::polling::poll) enum End {
    /// All of them were read.
    All { watermark: Option<String> },
    /// The rest is never read.
    Capped(String),
    /// Too many rows were refused.
    Refused(String),
    /// A later run continues from here.
    Stopped(RunOutcome, String),
}

/// The run ended without a failure: reports what is gone, if the scan proves it, and saves the index.
pub(in crate::polling::poll) async fn ended(
    end: End,
    cursor: Cursor,
    of: &mut PageScan<'_>,
    polled: &mut Polled,
) -> Result<(), PollError> {
    if let End::Stopped(RunOutcome::Skipped, why) = end {
        // No request was made, so there is nothing to save.
        (polled.outcome, polled.message) = (Some(RunOutcome::Skipped), Some(why));
        return Ok(());
    }
    let scan = of.scan;
    let state = &mut of.index.state;
    of.believer.learn(&scan.search.name, &mut state.distrust, polled);
    if matches!(end, End::Capped(_)) {
        state.proves_absence = Some(false);
    }
    state.checkpoint = None;
    let is_end = matches!(end, End::All { .. } | End::Capped(_));
    state.begun |= is_end;
    let (outcome, message) = match end {
        End::Stopped(outcome, why) => {
            state.checkpoint = (polled.pages > 0 || scan.resumed).then(|| scan.checkpoint(cursor));
            (outcome, Some(why))
        }
        End::Capped(why) => (RunOutcome::Partial, Some(why)),
        End::Refused(why) => (RunOutcome::Failed, Some(why)),
        End::All { watermark } => {
            if !common_move::holds_some(scan.began_at, state) {
                state.watermark = watermark;
            }
            check::learn(&mut of.drift, &scan, state, polled);
            if scan.incremental {
                // The next full scan may be a day away: a ruling is applied now.
                do_as_ruled(look(of), &mut of.index, polled).await?;
                (RunOutcome::Complete, None)
            } else {
                full_scan_ended(of, polled).await?
            }
        }
    };
    let state = &mut of.index.state;
    if is_end {
        common_move::end(scan.began_at, outcome == RunOutcome::Complete, state, polled);
    }
    state.pace.learn(of.clock.began_at(), outcome == RunOutcome::Complete, &*polled);
    polled.pace = Some(state.pace);
    polled.outcome = Some(outcome);
    polled.message = message;
    polled.held_back = state.held_back;
    of.index.save().await
}

/// The end of a scan that asked for everything.
async fn full_scan_ended(
    of: &mut PageScan<'_>,
    polled: &mut Polled,
) -> Result<(RunOutcome, Option<String>), PollError> {
    let is_judged = !of.scan.resumed && of.policy.coverage == Coverage::Snapshot;
    let (total, unread_rows) = (of.completeness.total, of.completeness.unread_rows);
    let state = &mut of.index.state;
    if let Some((seen, total)) = of.completeness.lacks().filter(|_| is_judged) {
        // The pages shifted while they were read. The next poll asks for everything again.
        state.proves_absence = Some(false);
        return Ok((RunOutcome::Partial, Some(format!("{seen} of {total} listings were shown"))));
    }
    state.full_scan_at = Some(of.clock.began_at());
    state.proves_absence = Some(is_judged && total.is_some() && unread_rows == 0);
    if is_judged && unread_rows > 0 {
        let why = format!("{unread_rows} rows were not understood: nothing is said to be gone");
        return Ok((RunOutcome::Complete, Some(why)));
    }
    if is_judged && total.is_some() {
        state.scans += 1;
        let look = look(of);
        do_as_ruled(look, &mut of.index, polled).await?;
        judge_absent(CompleteScan::Pages, look, &mut of.index, polled).await?;
    }
    Ok((RunOutcome::Complete, None))
}

/// The run failed. The index keeps what the stream acknowledged, and the next run continues. `resumed` is the
/// checkpoint of this run's beginning.
pub(in crate::polling::poll) async fn broken_off(
    error: &PollError,
    cursor: Cursor,
    resumed: Option<ScanCheckpoint>,
    of: &mut PageScan<'_>,
    polled: &mut Polled,
) {
    let tries = if polled.pages > 0 { 0 } else { resumed.map_or(TRIES_MAX, |checkpoint| checkpoint.tries + 1) };
    let goes_on = tries < TRIES_MAX && !of.course.is_astray && !matches!(error, PollError::Drifted(_));
    let state = &mut of.index.state;
    state.pace.learn(of.clock.began_at(), false, &*polled);
    state.checkpoint = goes_on.then(|| ScanCheckpoint { tries, ..of.scan.checkpoint(cursor) });
    of.index.save_after_failure().await;
}

fn look<'a>(of: &PageScan<'a>) -> ScanContext<'a> {
    let watch = of.scan.watched(of.completeness.total, of.index.state.proves_absence);
    ScanContext { scan: of.scan, at: of.clock.began_at(), watch }
}
