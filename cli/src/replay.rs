//! `stoop replay`: files through the pipeline, in event time.

mod feed;
mod progress;
mod sort;
mod summary;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};

use stoop_domain::{Alert, Time};
use stoop_files::MappedFile;
use stoop_pipeline::ports::{RunLedger, RunOutcome, RunRecord};
use stoop_pipeline::{Clock, with_causes};
use stoop_rules::Rules;
use stoop_runtime::{SystemClock, read_config};
use stoop_sources::declared::{Map, Order};

use crate::args::{ReplayArgs, StoreArgs};
use crate::desk::Desk;
use crate::engine::open_to_work;
use crate::failure::usage;
use crate::stop::Stop;
use feed::{Feed, Halt};
use progress::Progress;
use summary::Summary;

/// Alerts printed while a replay runs; the rest are counted, and in `stoop alerts`.
const ALERTS_PRINTED_MAX: usize = 10;

/// A file that is open, and the map's reader for it.
pub(crate) struct Source {
    name: String,
    /// The map's name: the first half of every home's id.
    source: String,
    rows: MappedFile,
}

pub(crate) async fn replay(store: &StoreArgs, args: &ReplayArgs) -> anyhow::Result<ExitCode> {
    let map = read_map(&args.map)?;
    let rules = match &args.config {
        Some(path) => read_config(path).map_err(usage)?.alerts.rules,
        None => Rules::default(),
    };
    // Every file is opened before anything is written: a wrong name is told at once.
    let sources = open_all(&map, &args.files)?;
    let database = open_to_work(store, "stoop replay", SystemClock.now())?;
    let stop = Stop::on_signals();
    let progress = Arc::new(Progress::new(&sources, args.json.json));
    let printed = Mutex::new(0);
    let bar = Arc::clone(&progress);
    let watcher = move |alert: &Alert| {
        let mut printed = printed.lock().unwrap_or_else(PoisonError::into_inner);
        *printed += 1;
        if *printed <= ALERTS_PRINTED_MAX {
            bar.println(&crate::show::alert_line(alert));
        } else if *printed == ALERTS_PRINTED_MAX + 1 {
            bar.println("… more alerts: stoop alerts");
        }
    };
    let began_at = SystemClock.now();
    let mut record = run_record(args, began_at);
    database.record(&record).await?;

    let mut summary = Summary::default();
    let mut desk = Desk::new(&database, rules, watcher);
    // What an earlier run stored and could not judge any more is judged first, and not counted here.
    let judged = desk.tell().await;
    let mut feed = Feed {
        desk: &mut desk,
        database: &database,
        args,
        stop: &stop,
        progress: &progress,
        summary: &mut summary,
        batch: Vec::new(),
    };
    let outcome = match (judged, map.order()) {
        (Err(error), _) => Err(error),
        (Ok(_), Order::ByTime) => feed.by_time(sources).await,
        (Ok(_), Order::Any) => feed.sorted(sources).await,
    };
    progress.finish();
    record.ended_at = Some(SystemClock.now());
    record.counts = summary.counts();
    (record.outcome, record.message) = match &outcome {
        Ok(Halt::End) => (RunOutcome::Complete, None),
        Ok(Halt::Stopped) => (RunOutcome::Partial, Some("stopped by the user".into())),
        Ok(Halt::TooManyRejects(why)) => (RunOutcome::Failed, Some(why.clone())),
        Err(error) => (RunOutcome::Failed, Some(format!("{error:#}"))),
    };
    let recorded = database.record(&record).await;
    // Where both failed, what failed first is the cause.
    let halt = outcome?;
    recorded?;
    summary.print(args.json.json, &halt)?;
    match halt {
        Halt::End => Ok(ExitCode::SUCCESS),
        Halt::Stopped => Ok(ExitCode::from(stop.code())),
        Halt::TooManyRejects(why) => Err(usage(why)),
    }
}

fn read_map(path: &Path) -> anyhow::Result<Map> {
    let shown = path.display();
    let text =
        std::fs::read_to_string(path).map_err(|error| usage(format!("the map {shown} cannot be read: {error}")))?;
    Map::parse(&text, &shown.to_string()).map_err(usage)
}

/// Opens every file and binds the map to it. All that is wrong is told at once.
fn open_all(map: &Map, files: &[PathBuf]) -> anyhow::Result<Vec<Source>> {
    let mut sources = Vec::new();
    let mut mistakes = Vec::new();
    for file in files {
        mistakes.extend(MappedFile::misfits(file, map).iter().map(ToString::to_string));
        match MappedFile::open(file, map) {
            Err(error) => mistakes.push(with_causes(&error)),
            Ok(rows) => {
                sources.push(Source { name: file.display().to_string(), source: map.name().to_owned(), rows });
            }
        }
    }
    if mistakes.is_empty() { Ok(sources) } else { Err(usage(mistakes.join("\n       "))) }
}

fn run_record(args: &ReplayArgs, began_at: Time) -> RunRecord {
    let names = args.files.iter().map(|file| file.display().to_string()).collect::<Vec<_>>();
    let subject = match &names[..] {
        [name] => name.clone(),
        [first, rest @ ..] => format!("{first} and {} more", rest.len()),
        [] => String::new(),
    };
    RunRecord {
        id: format!("replay-{}-{}", began_at.ms(), std::process::id()),
        kind: "replay".into(),
        subject,
        began_at,
        ended_at: None,
        outcome: RunOutcome::Running,
        message: None,
        counts: BTreeMap::new(),
    }
}
