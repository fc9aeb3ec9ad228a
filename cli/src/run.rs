//! `stoop run` and `stoop poll`: the configured searches, on their cadence or once.

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use serde_json::json;
use stoop_domain::Time;
use stoop_embedded::{Database, FolderFiles};
use stoop_pipeline::ports::RunOutcome;
use stoop_pipeline::{Cadence, Clock, PollError, Polled};
use stoop_runtime::{Config, HttpClient, SearchConfig, SystemClock, Webhook, read_config};

use crate::args::{PollArgs, RunArgs, StoreArgs};
use crate::engine::Engine;
use crate::failure::usage;
use crate::out::{self, complain, say};
use crate::show;
use crate::stop::Stop;

/// How long the desk waits when the stream is empty.
const IDLE: Duration = Duration::from_millis(100);

/// The webhook's name among the consumers of the alert ledger.
const WEBHOOK: &str = "webhook";

pub(crate) async fn run(store: &StoreArgs, args: &RunArgs) -> anyhow::Result<ExitCode> {
    let config = read_config(&args.config).map_err(usage)?;
    for name in &config.switched_off {
        say!("{name} is switched off: `enabled = true` switches it on");
    }
    if config.searches.is_empty() {
        return Err(usage(format!("{}: there is no search to run", args.config.display())));
    }
    let engine = engine(store, &config, &args.config)?;
    let rules = config.alerts.rules.clone();
    let webhook = config.alerts.webhook.clone();
    let cadences = config.cadences();
    let mut polls = tokio::task::JoinSet::new();
    for (search, cadence) in config.searches.into_iter().zip(cadences) {
        polls.spawn(keep_polling(engine.clone(), search, cadence));
    }
    let telling = webhook.map(|url| tokio::spawn(keep_telling(engine.clone(), url)));
    say!("polling; Ctrl-C finishes what is in hand and stops");
    let mut desk = engine.desk(rules, |alert| say!("{}", show::alert_line(alert, out::line_width())));
    desk.tell().await?;
    while !polls.is_empty() {
        let measured = engine.drain(&mut desk).await?;
        if measured.observations == 0 {
            tokio::time::sleep(IDLE).await;
        }
        while let Some(ended) = polls.try_join_next() {
            ended?;
        }
    }
    engine.drain(&mut desk).await?;
    if let Some(telling) = telling {
        telling.await?;
    }
    Ok(ExitCode::SUCCESS)
}

pub(crate) async fn poll_once(store: &StoreArgs, args: &PollArgs) -> anyhow::Result<ExitCode> {
    let mut config = read_config(&args.config).map_err(usage)?;
    let names = config.searches.iter().map(|config| config.search.name.as_str()).collect::<Vec<_>>().join(", ");
    let Some(place) = config.searches.iter().position(|config| config.search.name == args.search) else {
        let off = if config.switched_off.contains(&args.search) { "is switched off" } else { "is not configured" };
        return Err(usage(format!("the search {:?} {off}; there are: {names}", args.search)));
    };
    let chosen = config.searches.swap_remove(place);
    let engine = engine(store, &config, &args.config)?;
    let quiet = args.json.json;
    let mut desk = engine.desk(config.alerts.rules.clone(), move |alert| {
        if !quiet {
            say!("{}", show::alert_line(alert, out::line_width()));
        }
    });
    let search = chosen.search;
    let outcome = engine.poll(&search).await;
    // What was put on the stream is measured, however the poll ended.
    let measured = engine.drain(&mut desk).await?;
    let polled = outcome?;
    if quiet {
        let mut counts = json!(polled.counts());
        counts["outcome"] = json!(polled.outcome);
        counts["message"] = json!(polled.message);
        counts["price_changes"] = json!(measured.price_cuts + measured.price_rises);
        out::json_line(&counts)?;
    } else {
        say!("{}", show::plain(&poll_line(&search.name, &Ok(polled))));
    }
    Ok(ExitCode::SUCCESS)
}

fn engine(store: &StoreArgs, config: &Config, config_path: &Path) -> anyhow::Result<Engine> {
    let store = store.or(config);
    let database = Database::open(store.db(), &store.data()).map_err(usage)?;
    let stop = Stop::on_signals();
    let clock = Arc::new(StoppableClock(stop.clone()));
    let files = FolderFiles::beside(config_path);
    Ok(Engine { database, http: Arc::new(HttpClient::new()), files, tokens: Arc::default(), clock, stop })
}

/// Polls one search on its cadence until stopped. Searches do not wait for each other.
async fn keep_polling(engine: Engine, config: SearchConfig, cadence: Cadence) {
    let SearchConfig { search, every_ms, .. } = config;
    let mut pace = None;
    let mut told = false;
    while !engine.stop.is_set() {
        let began = engine.clock.now();
        let outcome = engine.poll(&search).await;
        // A poll that failed or was skipped leaves what was known before.
        pace = outcome.as_ref().ok().and_then(|polled| polled.pace).or(pace);
        let distance = cadence.distance(pace.as_ref());
        let next = if distance.ms == every_ms {
            String::new()
        } else {
            format!("; next in {}", show::span(distance.ms.cast_signed()))
        };
        let line = show::plain(&poll_line(&search.name, &outcome));
        say!("{}  {line}{next}", show::time(engine.clock.now()));
        if let Some(stretch) = distance.stretched.as_ref().filter(|_| !told) {
            say!("{} is polled less often than `every` says: its account has {stretch}", search.name);
        }
        told = distance.stretched.is_some();
        let took = u64::try_from(engine.clock.now().ms() - began.ms()).unwrap_or(0);
        engine.clock.sleep(distance.ms.saturating_sub(took)).await;
    }
}

/// What a poll did, in a line.
pub(crate) fn poll_line(name: &str, outcome: &Result<Polled, PollError>) -> String {
    match outcome {
        Err(error) => format!("{name}: failed: {error}"),
        Ok(polled) if polled.outcome == Some(RunOutcome::Skipped) => {
            format!("{name}: skipped: {}", polled.message.as_deref().unwrap_or_default())
        }
        Ok(polled) => {
            let ended = match polled.outcome {
                Some(RunOutcome::Complete) | None => String::new(),
                Some(_) => " (partial)".to_owned(),
            };
            let message = polled.message.as_ref().map(|message| format!("; {message}")).unwrap_or_default();
            let rejects = if polled.rejects > 0 { format!(", refused {}", polled.rejects) } else { String::new() };
            format!(
                "{name}: {} listings on {} pages: new {}, changed {}, gone {}{rejects}{ended}{message}",
                polled.listings, polled.pages, polled.new, polled.changed, polled.gone,
            )
        }
    }
}

/// Posts every alert of the ledger to the webhook, in order, each until it is taken; a webhook that is
/// down delays nothing but itself. Alerts that were told before the webhook was configured are posted too.
async fn keep_telling(engine: Engine, url: String) {
    let clock = &engine.clock;
    let webhook = Webhook::new(HttpClient::new(), url);
    let mut wait_ms = 1_000;
    loop {
        let stopping = engine.stop.is_set();
        match tell_webhook(&engine.database, &webhook).await {
            Ok(0) if stopping => return,
            Ok(_) => wait_ms = 1_000,
            Err(error) => {
                complain!("stoop: {error:#}; trying again in {} s", wait_ms / 1_000);
                wait_ms = (wait_ms * 2).min(300_000);
                if stopping {
                    return;
                }
            }
        }
        clock.sleep(wait_ms).await;
    }
}

async fn tell_webhook(database: &Database, webhook: &Webhook) -> anyhow::Result<usize> {
    let alerts = database.alerts_after(database.alert_checkpoint(WEBHOOK)?, 100)?;
    for (seq, alert) in &alerts {
        if alert.verdict == stoop_domain::Verdict::Alert {
            webhook.post(alert).await?;
        }
        database.set_alert_checkpoint(WEBHOOK, *seq)?;
    }
    Ok(alerts.len())
}

/// The computer's clock, whose sleepers wake when the program is to stop.
pub(crate) struct StoppableClock(pub(crate) Stop);

#[async_trait]
impl Clock for StoppableClock {
    fn now(&self) -> Time {
        SystemClock.now()
    }

    async fn sleep(&self, ms: u64) {
        const SLICE_MS: u64 = 100;
        let mut left = ms;
        while left > 0 && !self.0.is_set() {
            SystemClock.sleep(left.min(SLICE_MS)).await;
            left -= left.min(SLICE_MS);
        }
    }
}
