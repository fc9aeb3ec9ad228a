//! `stoop prune`: removes what need not be kept; `stoop run` does the same in the background.

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use serde::Serialize;
use stoop_embedded::{Database, Keep, Pruned, Pruning};
use stoop_pipeline::{Clock, with_causes};
use stoop_runtime::{Config, KeepSettings, SystemClock, read_outline};

use crate::args::{PruneArgs, StoreArgs};
use crate::engine::Engine;
use crate::failure::{not_opened, usage};
use crate::out::{self, say};
use crate::show::count;
use crate::stop::Stop;

/// How often `stoop run` prunes.
pub(crate) const EVERY_MS: u64 = 3_600_000;

const DEFAULT_CONFIG: &str = "stoop.toml";

/// The JSON output.
#[derive(Serialize)]
struct PruneView {
    dry_run: bool,
    raw_pages: PruneCounts,
    runs: PruneCounts,
    quarantine: PruneCounts,
    room: PruneCounts,
    /// Folders of raw pages of runs that this database does not know. They are kept.
    unknown_folders: u64,
    /// Space was not returned to the disk, because another process has the file open.
    in_use: bool,
}

/// What was or would be removed and what stays: bytes for raw pages and space, otherwise counts.
#[derive(Serialize)]
struct PruneCounts {
    removed: u64,
    left: u64,
}

/// `stoop prune`.
pub(crate) fn prune(store: &StoreArgs, args: &PruneArgs) -> anyhow::Result<ExitCode> {
    let named = args.config.as_deref();
    let path = named.or_else(|| Some(Path::new(DEFAULT_CONFIG)).filter(|path| path.exists()));
    let config: Option<Config> = path.map(read_outline).transpose().map_err(usage)?;
    let store = config.as_ref().map_or_else(|| store.clone(), |config| store.or(config));
    let keep = kept(config.map(|config| config.keep).unwrap_or_default());
    // Opening for reading reports a wrong path and creates nothing.
    let database = Database::open_read(store.db(), &store.data()).map_err(not_opened)?;
    let database = if args.dry_run {
        database
    } else {
        let database = Database::open(store.db(), &store.data()).map_err(not_opened)?;
        database.begin_work("stoop prune", SystemClock.now())?;
        database
    };
    let stop = Stop::on_signals();
    let stopped = || stop.is_set();
    let now = SystemClock.now();
    let pruned =
        database.prune(Pruning { keep, now, dry_run: args.dry_run, rewrite: !args.dry_run, stop: &stopped })?;
    if args.json.json {
        out::json(&PruneView::of(&pruned, args.dry_run))?;
    } else {
        say!("{}", in_full(&pruned, args.dry_run).trim_end());
    }
    Ok(if stop.is_set() { ExitCode::from(stop.code()) } else { ExitCode::SUCCESS })
}

/// Prunes at once and then at an interval, until stopped. It blocks nothing; a failure is logged and retried.
pub(crate) async fn keep_pruning(engine: Engine, keep: Keep, every_ms: u64) {
    while !engine.stop.is_set() {
        let (database, stop, now) = (Arc::clone(&engine.database), engine.stop.clone(), engine.clock.now());
        let pruned = tokio::task::spawn_blocking(move || {
            let stopped = || stop.is_set();
            database.prune(Pruning { keep, now, dry_run: false, rewrite: false, stop: &stopped })
        });
        match pruned.await {
            Ok(Ok(pruned)) if pruned.any() => tracing::info!("{}", in_a_line(&pruned)),
            Ok(Ok(_)) => {}
            Ok(Err(error)) => tracing::warn!(error = with_causes(&error), "cannot prune"),
            Err(error) => tracing::warn!(%error, "cannot prune"),
        }
        engine.clock.sleep(every_ms).await;
    }
}

/// The settings of the configuration, and the defaults.
pub(crate) fn kept(settings: KeepSettings) -> Keep {
    let KeepSettings { raw_pages_ms, raw_pages_bytes, runs_ms, quarantine_ms, quarantine_rows, free_bytes } = settings;
    let usual = Keep::default();
    let ms = |ms: Option<u64>, usual: i64| ms.map_or(usual, |ms| i64::try_from(ms).unwrap_or(i64::MAX));
    Keep {
        raw_pages_ms: ms(raw_pages_ms, usual.raw_pages_ms),
        raw_pages_bytes: raw_pages_bytes.unwrap_or(usual.raw_pages_bytes),
        runs_ms: ms(runs_ms, usual.runs_ms),
        quarantine_ms: ms(quarantine_ms, usual.quarantine_ms),
        quarantine_rows: quarantine_rows.unwrap_or(usual.quarantine_rows),
        free_bytes: free_bytes.unwrap_or(usual.free_bytes),
    }
}

impl PruneView {
    fn of(pruned: &Pruned, dry_run: bool) -> Self {
        let part = |removed, left| PruneCounts { removed, left };
        Self {
            dry_run,
            raw_pages: part(pruned.raw_bytes, pruned.raw_bytes_left),
            runs: part(pruned.runs, pruned.runs_left),
            quarantine: part(pruned.rejects, pruned.rejects_left),
            room: part(pruned.given_back_bytes, pruned.free_bytes_left),
            unknown_folders: pruned.unknown_folders,
            in_use: pruned.in_use,
        }
    }
}

fn in_a_line(pruned: &Pruned) -> String {
    let Pruned { raw_bytes, runs, rejects, given_back_bytes, .. } = pruned;
    format!(
        "pruned {} bytes of raw pages, {} runs, {} rejects; {} bytes given back to the disk",
        count(*raw_bytes),
        count(*runs),
        count(*rejects),
        count(*given_back_bytes)
    )
}

fn in_full(pruned: &Pruned, dry_run: bool) -> String {
    let went = if dry_run { "would go" } else { "gone" };
    let line = |what: &str, removed: u64, left: u64, unit: &str| {
        format!("  {what:<11}{} {unit} {went}, {} stay\n", count(removed), count(left))
    };
    let mut text = line("raw pages", pruned.raw_bytes, pruned.raw_bytes_left, "bytes");
    text += &line("runs", pruned.runs, pruned.runs_left, "runs");
    text += &line("quarantine", pruned.rejects, pruned.rejects_left, "rejects");
    text += &line("free room", pruned.given_back_bytes, pruned.free_bytes_left, "bytes");
    if pruned.unknown_folders > 0 {
        let folders = count(pruned.unknown_folders);
        text +=
            &format!("Of the raw pages, {folders} folders are of runs that this database does not know: they stay.\n");
    }
    if pruned.in_use {
        text += "Another process has the database open: its free space is returned to the disk when nobody does.\n";
    }
    text += "Lake, homes, markets, alerts and what searches have seen are kept.\n";
    text
}
