//! `stoop replay`: feeds files through the pipeline, in event time.

mod alike;
mod feed;
mod halt;
mod input;
mod progress;
mod sort;
mod summary;

use std::collections::BTreeMap;
use std::path::Path;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};

use stoop_domain::{Alert, Time};
use stoop_files::MappedFile;
use stoop_pipeline::ports::{RunLedger, RunOutcome, RunRecord};
use stoop_pipeline::{Clock, Snapshots};
use stoop_runtime::{SystemClock, read_outline};
use stoop_sources::declared::{Map, Order};

use crate::args::{ReplayArgs, StoreArgs};
use crate::engine::{open_to_work, roll_up};
use crate::failure::usage;
use crate::intake::Intake;
use crate::judge::{in_force, note_rules};
use crate::out::complain;
use crate::stop::Stop;
use alike::Alike;
use feed::Feed;
use halt::Halt;
use progress::Progress;
use summary::Summary;

/// Alerts printed during a replay; the rest are counted, and `stoop alerts` lists them.
const ALERTS_PRINTED_MAX: usize = 10;

/// An open file, and the map's reader for it.
pub(crate) struct Source {
    name: String,
    /// The map's name: the first half of every home ID.
    source: String,
    rows: MappedFile,
    /// The time of rows that have none.
    as_of: Time,
}

pub(crate) async fn replay(store: &StoreArgs, args: &ReplayArgs) -> anyhow::Result<ExitCode> {
    let map = read_map(&args.map)?;
    let config = in_force(args.config.as_deref());
    let rules =
        config.map(read_outline).transpose().map_err(usage)?.map(|config| config.alerts.rules).unwrap_or_default();
    // Open every file before writing anything: a wrong name is reported at once.
    let stop = Stop::on_signals();
    let Some(sources) = input::open_all(&map, args, SystemClock.now(), &stop)? else {
        return Ok(ExitCode::from(stop.code()));
    };
    let database = open_to_work(store, "stoop replay", SystemClock.now())?;
    note_rules(&database, &rules, config)?;
    let progress = Arc::new(Progress::new(&sources, args.json.json));
    let printed = Mutex::new(0);
    let bar = Arc::clone(&progress);
    let watcher = move |alert: &Alert| {
        let mut printed = printed.lock().unwrap_or_else(PoisonError::into_inner);
        *printed += 1;
        if *printed <= ALERTS_PRINTED_MAX {
            bar.println(&crate::show::alert_line(alert, crate::out::line_width()));
        } else if *printed == ALERTS_PRINTED_MAX + 1 {
            bar.println("… more alerts: stoop alerts");
        }
    };
    let began_at = SystemClock.now();
    let mut record = run_record(args, began_at);
    database.record(&record).await?;

    let mut summary = Summary::default();
    let mut intake = Intake::new(&database, rules, watcher);
    // Judge first what an earlier run stored and did not judge; it is not counted here.
    let judged = intake.send_alerts().await;
    let mut feed = Feed {
        intake: &mut intake,
        database: &database,
        args,
        stop: &stop,
        progress: &progress,
        summary: &mut summary,
        batch: Vec::new(),
        history: map.history(),
        newest_first: map.order() == Order::NewestFirst,
        snapshots: args.snapshot.then(Snapshots::default),
        alike: Alike::of(args.files.len()),
    };
    let outcome = match (judged, map.order()) {
        (Err(error), _) => Err(error),
        (Ok(_), Order::ByTime) => feed.by_time(sources).await,
        (Ok(_), Order::Any | Order::NewestFirst) => feed.sorted(sources).await,
    };
    let warning = feed.alike.warning().filter(|_| !args.snapshot);
    progress.finish();
    roll_up(&database, &|| stop.is_set());
    record.ended_at = Some(SystemClock.now());
    record.counts = summary.counts();
    (record.outcome, record.message) = match &outcome {
        Ok(Halt::End) => (RunOutcome::Complete, None),
        Ok(Halt::Stopped) => (RunOutcome::Partial, Some("stopped by the user".into())),
        Ok(Halt::Cut(why)) => (RunOutcome::Partial, Some(why.clone())),
        Ok(Halt::TooManyRejects(why)) => (RunOutcome::Failed, Some(why.clone())),
        Err(error) => (RunOutcome::Failed, Some(format!("{error:#}"))),
    };
    let recorded = database.record(&record).await;
    // If both failed, the first failure is the cause.
    let halt = outcome?;
    recorded?;
    summary.print(args.json.json, &halt)?;
    for note in summary.notes.iter().chain(&warning) {
        complain!("stoop: {note}");
    }
    match halt {
        Halt::End => Ok(ExitCode::SUCCESS),
        Halt::Stopped => Ok(ExitCode::from(stop.code())),
        Halt::TooManyRejects(why) | Halt::Cut(why) => Err(usage(why)),
    }
}

fn read_map(path: &Path) -> anyhow::Result<Map> {
    let shown = path.display();
    let text =
        std::fs::read_to_string(path).map_err(|error| usage(format!("the map {shown} cannot be read: {error}")))?;
    Map::parse(&text, &shown.to_string()).map_err(usage)
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
        raw_pages: None,
    }
}
