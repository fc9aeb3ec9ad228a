//! `stoop run` and `stoop poll`: the configured searches, at their intervals or once.

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::json;
use stoop_embedded::{FolderFiles, failure_kind};
use stoop_pipeline::ports::{FailureKind, RunOutcome};
use stoop_pipeline::{Cadence, Clock, Distance, Due, ErrorCode, LastPoll, Measured, PollEnd, Polled, clock_jump};
use stoop_runtime::{Config, SearchConfig, SystemClock, read_config};
use tokio::task::JoinSet;

use crate::args::{PollArgs, RunArgs, StoreArgs};
use crate::due_times::DueTimes;
use crate::engine::{Engine, open_to_work};
use crate::failure::{report, usage};
use crate::intake::Intake;
use crate::judge::note_rules;
use crate::out::{self, complain, say};
use crate::poll_line::poll_line;
use crate::prune::{self, keep_pruning, kept};
use crate::schedule::Schedule;
use crate::serve::{self, Server};
use crate::show;
use crate::stop::{Stop, StoppableClock, StoppableHttp};
use crate::webhook::WebhookSender;

/// The asker that is no search.
const THIS_PROCESS: &str = "stoop run";

/// How long the intake waits when the stream is empty.
const IDLE: Duration = Duration::from_millis(100);

/// The least time between two roll-ups of wide areas.
const ROLL_EVERY: Duration = Duration::from_secs(10);

/// How long to wait before writing to a full disk again.
const FULL_WAIT_MS: u64 = 5_000;

/// Also wait this many times as long as the last roll-up took. Views stay right meanwhile.
const ROLL_PART: u32 = 10;

pub(crate) async fn run(store: &StoreArgs, args: &RunArgs) -> anyhow::Result<ExitCode> {
    let config = read_config(&args.config).map_err(usage)?;
    for name in &config.switched_off {
        say!("{name} is switched off: `enabled = true` switches it on");
    }
    if config.searches.is_empty() {
        return Err(usage(format!("{}: there is no search to run", args.config.display())));
    }
    let engine = engine(store, &config, &args.config, "stoop run")?;
    let pages = serve::beside(&store.or(&config), args.pages, &engine.due, &engine.stop);
    if let Some(pages) = &pages {
        say!("Pages: {}", pages.url());
    }
    let rules = config.alerts.rules.clone();
    let webhook = WebhookSender::of(&engine, &config.alerts).await?;
    let cadences = config.cadences();
    let mut polls = JoinSet::new();
    for (mut search, cadence) in config.searches.into_iter().zip(cadences) {
        search.search.max_rejects = args.max_rejects.or(search.search.max_rejects);
        polls.spawn(keep_polling(engine.clone(), search, cadence));
    }
    tokio::spawn(keep_pruning(engine.clone(), kept(config.keep), prune::EVERY_MS));
    let telling = webhook.map(WebhookSender::start).transpose()?;
    say!("polling; Ctrl-C finishes running work and stops");
    let intake = || engine.intake(rules.clone(), |alert| say!("{}", show::alert_line(alert, out::line_width())));
    let taken = take_up(&engine, intake, &mut polls).await;
    if taken.is_err() {
        // Polls are not dropped midway: each records in the ledger how it ended.
        engine.stop.leave();
    }
    while let Some(ended) = polls.join_next().await {
        ended?;
    }
    taken?;
    if let Some(telling) = telling {
        engine.stop.unless_leaving(telling.end()).await;
    }
    engine.stop.set();
    pages.map(Server::join).unwrap_or_default();
    Ok(ExitCode::SUCCESS)
}

/// Processes what polls publish until no poll is left. While the disk is full, waits: what was published stays on the
/// stream.
async fn take_up<'a>(
    engine: &Engine,
    new_intake: impl Fn() -> Intake<'a>,
    polls: &mut JoinSet<()>,
) -> anyhow::Result<()> {
    let mut rolling = Rolling::default();
    let mut intake = None;
    let mut is_full = false;
    while !polls.is_empty() {
        let measured = match take_waiting(engine, &new_intake, &mut intake).await {
            Err(error) if failure_kind(&*error) == Some(FailureKind::Full) && !engine.stop.is_set() => {
                if !is_full {
                    complain!("stoop: {error:#}; waits until there is space");
                }
                is_full = true;
                // What it has gathered is still on the stream.
                intake = None;
                engine.clock.sleep(FULL_WAIT_MS).await;
                continue;
            }
            measured => measured?,
        };
        if std::mem::take(&mut is_full) {
            complain!("stoop: there is space again");
        }
        rolling.roll(engine);
        if let Some(jump) = clock_jump(engine.clock.jumped_ms(THIS_PROCESS)) {
            complain!("stoop: {jump}; polls keep their intervals [{}]", ErrorCode::ClockJumped);
        }
        if measured.observations == 0 {
            tokio::time::sleep(IDLE).await;
        }
        while let Some(ended) = polls.try_join_next() {
            ended?;
        }
    }
    take_waiting(engine, &new_intake, &mut intake).await?;
    engine.roll_up();
    Ok(())
}

/// Processes what is on the stream, with an intake that has sent the alerts that an earlier one has left.
async fn take_waiting<'a>(
    engine: &Engine,
    new_intake: impl Fn() -> Intake<'a>,
    intake: &mut Option<Intake<'a>>,
) -> anyhow::Result<Measured> {
    let intake = match intake {
        Some(intake) => intake,
        None => {
            let new = intake.insert(new_intake());
            new.send_alerts().await?;
            new
        }
    };
    engine.drain(intake).await
}

/// When wide areas were last rolled up, and how long it took.
#[derive(Default)]
struct Rolling(Option<(Instant, Duration)>);

impl Rolling {
    /// Rolls them up, at intervals that keep it a small part of the time.
    fn roll(&mut self, engine: &Engine) {
        if self.0.is_some_and(|(ended, took)| ended.elapsed() < ROLL_EVERY.max(took * ROLL_PART)) {
            return;
        }
        let began = Instant::now();
        engine.roll_up();
        self.0 = Some((Instant::now(), began.elapsed()));
    }
}

pub(crate) async fn poll_once(store: &StoreArgs, args: &PollArgs) -> anyhow::Result<ExitCode> {
    let mut config = read_config(&args.config).map_err(usage)?;
    let names = config.searches.iter().map(|config| config.search.name.as_str()).collect::<Vec<_>>().join(", ");
    let Some(index) = config.searches.iter().position(|config| config.search.name == args.search) else {
        let off = if config.switched_off.contains(&args.search) { "is switched off" } else { "is not configured" };
        return Err(usage(format!("the search {:?} {off}; there are: {names}", args.search)));
    };
    let mut search = config.searches.swap_remove(index).search;
    search.max_rejects = args.max_rejects.or(search.max_rejects);
    let engine = engine(store, &config, &args.config, &format!("stoop poll {}", search.name))?;
    let quiet = args.json.json;
    let mut intake = engine.intake(config.alerts.rules.clone(), move |alert| {
        if !quiet {
            say!("{}", show::alert_line(alert, out::line_width()));
        }
    });
    let outcome = engine.poll(&search).await;
    // Published records are measured, however the poll ended.
    let measured = engine.drain(&mut intake).await;
    engine.roll_up();
    if let (Err(_), Err(second)) = (&outcome, &measured) {
        report(second);
    }
    let (polled, measured) = (outcome?, measured?);
    let stopped = engine.stop.is_set() && polled.outcome == Some(RunOutcome::Partial);
    let failed = polled.outcome == Some(RunOutcome::Failed);
    if quiet {
        let mut counts = json!(polled.counts());
        counts["outcome"] = json!(polled.outcome);
        counts["message"] = json!(polled.message);
        counts["price_changes"] = json!(measured.price_cuts + measured.price_rises);
        out::json_line(&counts)?;
    } else {
        say!("{}", show::plain(&poll_line(&search.name, &Ok(polled))));
    }
    Ok(match (failed, stopped) {
        (true, _) => ExitCode::FAILURE,
        (_, true) => ExitCode::from(engine.stop.code()),
        _ => ExitCode::SUCCESS,
    })
}

fn engine(store: &StoreArgs, config: &Config, config_path: &Path, command: &str) -> anyhow::Result<Engine> {
    let store = store.or(config);
    let database = open_to_work(&store, command, SystemClock.now())?;
    note_rules(&database, &config.alerts.rules, Some(config_path))?;
    let stop = Stop::on_signals();
    let clock = Arc::new(StoppableClock(stop.clone()));
    let stopping = stop.clone();
    let files = FolderFiles::beside(config_path).until(move || stopping.is_set());
    let http = Arc::new(StoppableHttp::new(&stop));
    Ok(Engine { database, http, files, tokens: Arc::default(), clock, due: DueTimes::default(), stop })
}

/// Polls one search at its interval until stopped. Searches do not wait for each other.
async fn keep_polling(engine: Engine, config: SearchConfig, cadence: Cadence) {
    let SearchConfig { search, every_ms, .. } = config;
    let mut schedule = Schedule::of(&engine, &search.name);
    let mut last = LastPoll::default();
    let mut reported = false;
    let mut due = None;
    loop {
        schedule.wait(due.as_ref()).await;
        if engine.stop.is_set() {
            break;
        }
        let began = engine.clock.now();
        let outcome = engine.poll(&search).await;
        last = last.after(began, outcome.as_ref().map_or(PollEnd::FAILED, Polled::end), None);
        let next_due = Due::after(&cadence, last.pace.as_ref(), began);
        let Distance { ms, slowed_by } = &next_due.distance;
        let next = if *ms == every_ms { String::new() } else { format!("; next in {}", show::span(ms.cast_signed())) };
        let line = show::plain(&poll_line(&search.name, &outcome));
        say!("{}  {line}{next}", show::time(engine.clock.now()));
        if let Some(limit) = slowed_by.as_ref().filter(|_| !reported) {
            say!("{} is polled less often than `every` says: its account has {limit}", search.name);
        }
        reported = slowed_by.is_some();
        schedule.keep(&next_due, began);
        due = Some(next_due);
    }
}
