//! `stoop verify`: recomputes everything shown from the stored observations, compares, and records the result as a run.

use std::collections::BTreeMap;
use std::process::ExitCode;

use anyhow::Context;
use futures_util::FutureExt;
use serde_json::json;
use stoop_domain::Time;
use stoop_embedded::{Database, Verified};
use stoop_pipeline::ports::{PortError, RunLedger, RunOutcome, RunRecord};
use stoop_pipeline::{Clock, with_causes};
use stoop_runtime::SystemClock;

use crate::args::{JsonArgs, StoreArgs};
use crate::failure::not_opened;
use crate::out::{self, say};
use crate::show::count;
use crate::stop::Stop;
use crate::views::{plural, warn_of_unread};

/// Differences printed for people.
const SHOWN_MAX: usize = 20;

/// What to do about files of the lake that the database does not name.
const UNKNOWN: &str = "To read files of the lake that the database does not name: move the database away, then \
                       `stoop rebuild --from-lake`";

pub(crate) fn verify(store: &StoreArgs, args: &JsonArgs) -> anyhow::Result<ExitCode> {
    let database = Database::open_read(store.db(), &store.data()).map_err(not_opened)?;
    warn_of_unread(&database);
    let stop = Stop::on_signals();
    let began_at = SystemClock.now();
    let found = database.verify(&|| stop.is_set());
    let is_recorded = record(store, &run_record(&found, began_at, stop.is_set()));
    let found = match found {
        Err(_) if stop.is_set() => return Ok(ExitCode::from(stop.code())),
        found => found?,
    };
    if args.json {
        let summary = json!({
            "equal": found.different == 0, "difference": found.differences.first(),
            "different": found.different, "differences": found.differences,
            "observations": found.observations, "homes": found.homes, "markets": found.markets,
            "areas": found.areas, "merged_homes": found.merged_homes, "counties_unmerged": found.counties_unmerged,
            "files_unknown": found.files_unknown, "alerts": found.alerts, "alerts_unchecked": found.alerts_unchecked,
            "alerts_withdrawn": found.alerts_withdrawn, "alerts_unmarked": found.alerts_unmarked,
            "alerts_complete": found.alerts_complete, "recorded": is_recorded.is_ok(),
        });
        out::json_line(&summary)?;
    } else {
        for difference in found.differences.iter().take(SHOWN_MAX) {
            say!("different: {difference}");
        }
        if found.different > SHOWN_MAX as u64 {
            say!("… and {} more differences", count(found.different - SHOWN_MAX as u64));
        }
        if found.files_unknown > 0 {
            say!("{UNKNOWN}");
        }
        if found.different == 0 {
            let checked = found.alerts - found.alerts_unchecked;
            let [observations, homes, markets, areas, alerts] =
                [found.observations, found.homes, found.markets, found.areas, checked].map(count);
            say!(
                "equal: {observations} observations give the {homes} homes, {markets} markets and {areas} wide areas that are \
                 stored, and account for the {alerts} alerts"
            );
        }
        if found.merged_homes > 0 {
            say!("{} have the listings that joining gives", plural(found.merged_homes, "merged home"));
        }
        if found.counties_unmerged > 0 {
            let wait = if found.counties_unmerged == 1 { "county waits" } else { "counties wait" };
            say!(
                "not checked: {} {wait} to be merged, by `stoop run` or `stoop merge on`",
                count(found.counties_unmerged)
            );
        }
        if found.observations == 0 {
            say!(
                "Nothing is committed in it. A copy of a file in use lacks what is in its log; `stoop backup` copies that, too."
            );
        }
        if found.alerts_unchecked > 0 {
            say!("not checked: {} alerts whose rules are not known", count(found.alerts_unchecked));
        }
        if found.alerts_withdrawn > 0 {
            say!("{} of the alerts are withdrawn", count(found.alerts_withdrawn));
        }
        if found.alerts_unmarked > 0 {
            let unmarked = count(found.alerts_unmarked);
            say!("{unmarked} of the alerts no longer stand and are not marked so: `stoop judge --send` marks them");
        }
        if let Err(error) = is_recorded {
            say!("not recorded as a run: {error:#}");
        }
    }
    Ok(if found.different == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The run of a verification that ended, well or not. Nothing is recorded before: a killed one has no result.
fn run_record(found: &Result<Verified, PortError>, began_at: Time, is_stopped: bool) -> RunRecord {
    let (outcome, message, counts) = match found {
        Ok(found) => {
            let message = found.differences.first().map(|first| match found.different {
                1 => format!("1 difference: {first}"),
                different => format!("{different} differences, the first: {first}"),
            });
            let counts = [
                ("observations", found.observations),
                ("homes", found.homes),
                ("markets", found.markets),
                ("areas", found.areas),
                ("merged_homes", found.merged_homes),
                ("counties_unmerged", found.counties_unmerged),
                ("alerts", found.alerts),
                ("alerts_unchecked", found.alerts_unchecked),
                ("alerts_unmarked", found.alerts_unmarked),
                ("files_unknown", found.files_unknown),
                ("different", found.different),
            ];
            let outcome = if found.different == 0 { RunOutcome::Complete } else { RunOutcome::Failed };
            (outcome, message, BTreeMap::from(counts.map(|(name, count)| (name.to_owned(), count))))
        }
        Err(_) if is_stopped => (RunOutcome::Partial, Some("stopped by the user".to_owned()), BTreeMap::new()),
        Err(error) => (RunOutcome::Failed, Some(with_causes(error)), BTreeMap::new()),
    };
    RunRecord {
        id: format!("verify-{}-{}", began_at.ms(), std::process::id()),
        kind: "verify".to_owned(),
        subject: "the whole state".to_owned(),
        began_at,
        ended_at: Some(SystemClock.now()),
        outcome,
        message,
        counts,
        raw_pages: None,
    }
}

/// Records the run with a handle that writes, which a database that can only be read refuses.
fn record(store: &StoreArgs, run: &RunRecord) -> anyhow::Result<()> {
    let database = Database::open(store.db(), &store.data())?;
    let recorded = RunLedger::record(&*database, run).now_or_never();
    Ok(recorded.context("a write to the database waits for something")??)
}
