//! `stoop rebuild`: recomputes homes, markets and archives from the stored observations, compares, and swaps them in.

use std::io::{BufRead, IsTerminal, Read};
use std::process::ExitCode;

use anyhow::Context;
use console::Term;
use serde::Serialize;
use stoop_embedded::{Database, Difference, Found};
use stoop_pipeline::Clock;
use stoop_runtime::{SystemClock, read_outline};

use crate::args::{RebuildArgs, StoreArgs};
use crate::failure::{not_opened, usage};
use crate::judge::in_force;
use crate::out::{self, say};
use crate::show::count;
use crate::stop::Stop;

/// The longest accepted answer.
const ANSWER_BYTES_MAX: u64 = 200;

/// The JSON output.
#[derive(Serialize)]
struct View {
    difference: Difference,
    equal: bool,
    swapped: bool,
}

pub(crate) fn rebuild(store: &StoreArgs, args: &RebuildArgs) -> anyhow::Result<ExitCode> {
    let config = in_force(args.config.as_deref()).map(read_outline).transpose().map_err(usage)?;
    let store = config.as_ref().map_or_else(|| store.clone(), |config| store.or(config));
    let rules = config.map(|config| config.alerts.rules).unwrap_or_default();
    let database = Database::open_to_rebuild(store.db(), &store.data()).map_err(not_opened)?;
    let others = database.begin_work("stoop rebuild", SystemClock.now())?;
    if let Some(other) = others.first() {
        let (command, pid) = (&other.command, other.pid);
        return Err(usage(format!("`{command}` (process {pid}) works on {}: end it first", store.db().display())));
    }
    if args.forget {
        let was = database.forget_generations()?;
        say!("{}", if was { "only the live state is kept" } else { "there was none but the live state" });
        return Ok(ExitCode::SUCCESS);
    }
    if args.back {
        database.swap_back()?;
        say!("the state from before is live again; the rebuilt one is kept: `stoop rebuild` swaps it in again");
        return Ok(ExitCode::SUCCESS);
    }
    let stop = Stop::on_signals();
    if let Err(error) = database.rebuild(&this_program()?, &|| stop.is_set()) {
        return if stop.is_set() { Ok(ExitCode::from(stop.code())) } else { Err(error.into()) };
    }
    let difference = database.difference(&rules)?;
    let equal = difference.is_none();
    if !args.json.json {
        in_words(&difference).iter().for_each(|line| say!("{line}"));
    }
    let swaps = !equal && !args.dry_run && (args.yes || (!args.json.json && asked()?));
    if swaps {
        database.swap()?;
    } else if equal {
        database.forget_generations()?;
    }
    if args.json.json {
        out::json(&View { difference, equal, swapped: swaps })?;
    } else if swaps {
        say!("swapped; `stoop rebuild --back` undoes it as long as nothing new comes in, `--forget` gives up the room");
    } else if !equal {
        say!("nothing was swapped; `stoop rebuild --yes` does it, `--forget` removes the rebuilt state");
    }
    // As in other commands, a difference is not a success, unless it was corrected or only shown.
    Ok(if equal || swaps || args.dry_run { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// A hash of this program's file: a state that another build made is not reused.
pub(crate) fn this_program() -> anyhow::Result<String> {
    let path = std::env::current_exe().context("cannot find this program's file")?;
    let bytes = std::fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
    Ok(blake3::hash(&bytes).to_hex().to_string())
}

/// Asks whether to swap, only if there is a terminal to answer from.
fn asked() -> anyhow::Result<bool> {
    if !(std::io::stdin().is_terminal() && Term::stdout().is_term()) {
        return Ok(false);
    }
    say!("Swap it in? (yes or no)");
    let mut answer = String::new();
    std::io::stdin().lock().take(ANSWER_BYTES_MAX).read_line(&mut answer).context("cannot read the answer")?;
    Ok(matches!(answer.trim(), "y" | "yes"))
}

fn in_words(difference: &Difference) -> Vec<String> {
    if difference.is_none() {
        return vec!["equal: the observations give the state that is live".into()];
    }
    let Difference { homes_gone, homes_new, homes_changed, markets, areas, figures, alerts_new, alerts_gone, .. } =
        difference;
    let reported: [(&str, &Found); 8] = [
        ("homes are stored without an observation", homes_gone),
        ("homes are missing", homes_new),
        ("homes differ", homes_changed),
        ("markets differ", markets),
        ("of their figures differ", figures),
        ("sums of wide areas are wrong", areas),
        ("alerts are new and were not sent (`stoop judge` shows them)", alerts_new),
        ("alerts no longer apply", alerts_gone),
    ];
    let mut lines: Vec<String> = reported
        .iter()
        .filter_map(|(what, Found { count: number, first })| {
            first.as_ref().map(|first| format!("{} {what}, the first: {first}", count(*number)))
        })
        .collect();
    if difference.totals {
        lines.push("the totals differ".into());
    }
    if difference.unreadable > 0 {
        lines.push(format!("this program cannot read {} of the stored entries", count(difference.unreadable)));
    }
    if difference.older {
        lines.push("the file is of an older format".into());
    }
    lines
}
