//! `stoop demo`: a simulated portal on loopback, polled live over real HTTP.

mod screen;

use std::path::Path;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use stoop_domain::Time;
use stoop_embedded::{Database, FolderFiles, Keep, Process};
use stoop_pipeline::ports::Browse;
use stoop_pipeline::{Cadence, Clock, Due, Search};
use stoop_rules::Rules;
use stoop_runtime::SystemClock;
use stoop_simulation::{Noise, Portal, PortalConfig, Simulation, SimulationConfig};
use stoop_sources::Params;

use crate::args::{DemoArgs, StoreArgs};
use crate::engine::Engine;
use crate::failure::{not_opened, usage};
use crate::judge::note_rules;
use crate::out::{self, say};
use crate::poll_line::poll_line;
use crate::prune::keep_pruning;
use crate::schedule::Schedule;
use crate::serve::{self, Server};
use crate::simulate::BEGIN;
use crate::stop::{Stop, StoppableHttp};
use crate::views::newest_moment;
use screen::Screen;

/// How often the screen is redrawn.
const FRAME: Duration = Duration::from_millis(1_000);

const MINUTE_MS: u64 = 60_000;

/// A demo fetches thousands of pages an hour, and its market's days pass quickly.
const PRUNE_MS: u64 = 60_000;

/// The portal's token; the demo sends it as a real search would.
const TOKEN: &str = "demo";

/// The states that the demo's searches query.
const REGIONS: [(&str, &str); 4] = [("illinois", "IL"), ("texas", "TX"), ("washington", "WA"), ("massachusetts", "MA")];

pub(crate) async fn demo(store: &StoreArgs, args: &DemoArgs) -> anyhow::Result<ExitCode> {
    let database = Database::open(store.db(), &store.data()).map_err(not_opened)?;
    let others = database.begin_work("stoop demo", SystemClock.now())?;
    if !others.is_empty() {
        return Err(usage(occupied(store.db(), &others)));
    }
    note_rules(&database, &Rules::default(), None)?;
    let begin = Time::parse(BEGIN)?;
    // A demo on a database of an earlier demo continues where that one stopped, not before its last poll.
    let last_poll_at = database.next_polls().await?.into_iter().map(|next| next.sent_at).max();
    let resumed_at = newest_moment(&database)?.max(last_poll_at).filter(|newest| *newest > begin);
    let stop = Stop::on_signals();
    let clock = Arc::new(DemoClock::at(resumed_at.unwrap_or(begin), &stop));
    let simulation = Arc::new(Mutex::new(Simulation::new(SimulationConfig {
        // Homes come on the market again after half a year: with a year, about as many come as go.
        past_ms: 365 * Time::DAY_MS,
        rent_permille: 400,
        noise: Noise { seen_again_permille: 20, cents_permille: 5, slips_permille: 3, ..Noise::default() },
        ..SimulationConfig::new(args.seed, begin, args.homes, (args.homes / 40).clamp(4, 60))
    })));
    let portal_clock = Arc::clone(&clock);
    let portal = Portal::start(
        simulation,
        PortalConfig {
            token: Some(TOKEN.into()),
            follows_clock: true,
            ..PortalConfig::new(move || portal_clock.now())
        },
    )?;
    let engine = Engine {
        database,
        http: Arc::new(StoppableHttp::new(&stop)),
        files: FolderFiles::new(Path::new("")),
        tokens: Arc::default(),
        clock: clock.clone(),
        stop,
    };
    say!("A simulated listing portal answers on {} (RESO Web API).", portal.url());
    say!(
        "One second is {} simulated minutes. Everything lands in {} and {}.",
        args.speed,
        store.db().display(),
        store.data().display()
    );
    let searches = searches(portal.url())?;
    match resumed_at {
        Some(at) => say!("Continuing from {}.", crate::show::time(at)),
        None => live_through(&engine, &clock, &searches, args.history).await?,
    }
    clock.run(i64::from(args.speed) * 60);
    let pages = serve::beside(store, args.pages, &engine.stop);
    say!("Ctrl-C stops.\n");
    let screen = Arc::new(Screen::new());
    let outcome = play(&engine, args, searches, &screen).await;
    screen.close();
    portal.stop();
    engine.stop.set();
    pages.map(Server::join).unwrap_or_default();
    outcome?;
    say!("\nTry: stoop markets, stoop market chicago, stoop alerts, stoop runs, stoop verify");
    Ok(ExitCode::SUCCESS)
}

/// A demo's market has its own clock, and only one program may poll its searches.
fn occupied(db: &Path, others: &[Process]) -> String {
    let one = |Process { command, pid, since }: &Process| {
        format!("{command} (process {pid}) works on {} since {} UTC", db.display(), crate::show::time(*since))
    };
    let others: Vec<String> = others.iter().map(one).collect();
    format!("{}: stop it, or give the demo another database with --db", others.join(", and "))
}

/// The demo's searches: one for each region.
fn searches(url: &str) -> anyhow::Result<Vec<Search>> {
    let search = |(name, region): (&str, &str)| {
        let params = [
            ("url", format!("{url}/odata")),
            ("name", "demo".into()),
            ("token", TOKEN.into()),
            ("filter", format!("StateOrProvince eq '{region}'")),
            ("top", "200".into()),
        ];
        let params: Params = params.into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
        let source = stoop_sources::build("reso", &params)?;
        Ok(Search { full_scan_every_ms: 7 * Time::DAY_MS, ..Search::new(name, source) })
    };
    REGIONS.into_iter().map(search).collect()
}

/// Polls every region once a day, through the days before the demo begins.
async fn live_through(engine: &Engine, clock: &DemoClock, searches: &[Search], days: u32) -> anyhow::Result<()> {
    if days > 0 {
        say!("Polling through {days} simulated days first, so that figures have a past ...");
    }
    let mut intake = engine.intake(Rules::default(), |_| {});
    let (from, began) = (clock.now(), Instant::now());
    for day in 0..i64::from(days) {
        clock.stand(from.plus_ms(day * Time::DAY_MS));
        for search in searches {
            engine.poll(search).await?;
        }
        engine.drain(&mut intake).await?;
        if engine.stop.is_set() {
            return Ok(());
        }
    }
    if days > 0 {
        engine.roll_up();
        let took = crate::show::span(i64::try_from(began.elapsed().as_millis()).unwrap_or_default());
        say!("... done in {took}.");
    }
    Ok(())
}

async fn play(engine: &Engine, args: &DemoArgs, searches: Vec<Search>, screen: &Arc<Screen>) -> anyhow::Result<()> {
    let mut polls = tokio::task::JoinSet::new();
    for search in searches {
        polls.spawn(keep_polling(engine.clone(), search, u64::from(args.speed) * MINUTE_MS, Arc::clone(screen)));
    }
    tokio::spawn(keep_pruning(engine.clone(), Keep::default(), PRUNE_MS));
    let watcher = Arc::clone(screen);
    let mut intake =
        engine.intake(Rules::default(), move |alert| watcher.alert(&crate::show::alert_line(alert, out::line_width())));
    let began = Instant::now();
    let mut drawn = None::<Instant>;
    loop {
        let measured = engine.drain(&mut intake).await?;
        screen.count(&measured);
        if drawn.is_none_or(|drawn| drawn.elapsed() >= FRAME) {
            screen.draw(&engine.database, engine.clock.now())?;
            drawn = Some(Instant::now());
        }
        if args.seconds.is_some_and(|seconds| began.elapsed() >= Duration::from_secs(seconds)) {
            engine.stop.set();
        }
        while let Some(ended) = polls.try_join_next() {
            ended?;
        }
        if polls.is_empty() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let measured = engine.drain(&mut intake).await?;
    screen.count(&measured);
    engine.roll_up();
    screen.draw(&engine.database, engine.clock.now())
}

/// Polls one region every second, which is `every_ms` of the market's time.
async fn keep_polling(engine: Engine, search: Search, every_ms: u64, screen: Arc<Screen>) {
    let mut schedule = Schedule::of(&engine, &search.name);
    loop {
        schedule.wait(None).await;
        if engine.stop.is_set() {
            break;
        }
        let began = engine.clock.now();
        let outcome = engine.poll(&search).await;
        if outcome.is_err() {
            screen.line(&crate::show::plain(&poll_line(&search.name, &outcome)));
        }
        schedule.keep(&Due::after(&Cadence::steady(every_ms), None, began), began);
        engine.clock.sleep(1_000).await;
    }
}

/// A clock that shows the market's time. It stands still, and waiting takes no time; or it runs fast, and waiting takes real
/// time.
struct DemoClock {
    pace: Mutex<Pace>,
    stop: Stop,
}

#[derive(Clone, Copy)]
struct Pace {
    base: Time,
    began: Instant,
    /// Simulated seconds per second.
    speed: i64,
}

impl DemoClock {
    /// A clock that stands at a time.
    fn at(base: Time, stop: &Stop) -> Self {
        Self { pace: Mutex::new(Pace { base, began: Instant::now(), speed: 0 }), stop: stop.clone() }
    }

    /// Stands at another time.
    fn stand(&self, base: Time) {
        *self.lock() = Pace { base, began: Instant::now(), speed: 0 };
    }

    /// Runs on from where it is.
    fn run(&self, speed: i64) {
        let base = self.now();
        *self.lock() = Pace { base, began: Instant::now(), speed };
    }

    /// Lets this time pass at once, if the clock stands still.
    fn passes(&self, ms: u64) -> bool {
        let mut pace = self.lock();
        let stands = pace.speed == 0;
        if stands {
            pace.base = pace.base.plus_ms(ms.cast_signed());
        }
        stands
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Pace> {
        self.pace.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Clock for DemoClock {
    fn now(&self) -> Time {
        let Pace { base, began, speed } = *self.lock();
        let elapsed_ms = i64::try_from(began.elapsed().as_millis()).unwrap_or(0);
        base.plus_ms(elapsed_ms.saturating_mul(speed))
    }

    async fn sleep(&self, ms: u64) {
        if self.passes(ms) {
            tokio::task::yield_now().await;
        } else {
            let _ = self.stop.unless_set(SystemClock.sleep(ms)).await;
        }
    }
}
