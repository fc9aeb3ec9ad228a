//! `stoop rebuild --from-lake`: a database of the lake alone.

use std::process::ExitCode;

use anyhow::Context;
use serde_json::json;
use stoop_embedded::{Database, FromLake, LakeRebuild};
use stoop_pipeline::ports::Change;
use stoop_pipeline::{Clock, record_alerts};
use stoop_rules::Rules;
use stoop_runtime::{SystemClock, read_outline};

use crate::args::{RebuildArgs, StoreArgs};
use crate::failure::{not_copied, usage};
use crate::judge::in_force;
use crate::out::{self, say};
use crate::rebuild::this_program;
use crate::show::count;
use crate::stop::Stop;

/// Homes that are judged at a time.
const HOMES: usize = 4_096;

/// What no file of the lake has.
const LOST: &str = "runs, quarantine, what searches know of their listings, pauses, tokens, reference series, \
                    marks of withdrawn alerts, whether homes are merged and rulings on listings, \
                    observations that were in no file yet";

pub(crate) async fn from_lake(store: &StoreArgs, args: &RebuildArgs) -> anyhow::Result<ExitCode> {
    let config = in_force(args.config.as_deref()).map(read_outline).transpose().map_err(usage)?;
    let store = config.as_ref().map_or_else(|| store.clone(), |config| store.or(config));
    let rules = config.map(|config| config.alerts.rules).unwrap_or_default();
    let (path, data) = (store.db(), store.data());
    let stop = Stop::on_signals();
    let rebuild = match LakeRebuild::begin(path, &data, &this_program()?, &|| stop.is_set()) {
        Err(_) if stop.is_set() => return Ok(ExitCode::from(stop.code())),
        rebuild => rebuild.map_err(not_copied)?,
    };
    let alerts = match judge(rebuild.database(), &rules, &stop).await {
        Ok(Some(alerts)) => alerts,
        unfinished => {
            rebuild.give_up();
            return unfinished.map(|_| ExitCode::from(stop.code()));
        }
    };
    let counts = rebuild.database().counts()?;
    let FromLake { files, observations, missing, aside } = rebuild.finish()?;
    if args.json.json {
        out::json_line(&json!({
            "files": files, "observations": observations, "homes": counts.homes, "markets": counts.markets,
            "alerts": alerts, "missing": missing, "aside": aside,
        }))?;
        return Ok(ExitCode::SUCCESS);
    }
    let [files, observations, homes, markets, alerts] =
        [files, observations, counts.homes, counts.markets, alerts].map(count);
    say!(
        "{} has {observations} observations of {files} files, {homes} homes, {markets} markets and {alerts} alerts",
        path.display()
    );
    if missing > 0 {
        say!("missing: {} observations, by the names of the files after them", count(missing));
    }
    if !aside.is_empty() {
        say!("{} repeat others and are now in lake/aside, the first: {}", count(aside.len() as u64), aside[0]);
    }
    say!("not in the lake, and lost without a backup: {LOST}");
    Ok(ExitCode::SUCCESS)
}

/// Records the alerts of all homes by these rules. Returns their number; `None` if it was stopped.
async fn judge(database: &Database, rules: &Rules, stop: &Stop) -> anyhow::Result<Option<u64>> {
    database.set_rules(rules)?;
    let (mut alerts, mut last) = (0, None);
    loop {
        let homes = database.homes_after(last.as_ref(), HOMES)?;
        let Some((id, _)) = homes.last() else { return Ok(Some(alerts)) };
        if stop.is_set() {
            return Ok(None);
        }
        last = Some(id.clone());
        let changes: Vec<_> = homes.into_iter().map(|(home, new)| Change { home, old: None, new }).collect();
        let alerted = record_alerts(&changes, rules, database, SystemClock.now()).await.context("recording alerts")?;
        alerts += (alerted.sent.len() + alerted.suspects.len()) as u64;
    }
}
