//! `stoop demo`: a simulated portal on loopback, polled live over real HTTP.

mod clock;
mod past;
mod screen;

use std::path::Path;
use std::process::ExitCode;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use stoop_domain::Time;
use stoop_embedded::{Database, FolderFiles, Keep, Process};
use stoop_pipeline::ports::Browse;
use stoop_pipeline::{Cadence, Clock, Due, Search};
use stoop_rules::Rules;
use stoop_runtime::SystemClock;
use stoop_simulation::{Noise, Portal, PortalConfig, Simulation, SimulationConfig};
use stoop_sources::Params;

use crate::args::{DemoArgs, StoreArgs};
use crate::browser;
use crate::due_times::DueTimes;
use crate::engine::Engine;
use crate::failure::{not_opened, usage};
use crate::judge::note_rules;
use crate::out::say;
use crate::poll_line::poll_line;
use crate::prune::keep_pruning;
use crate::schedule::Schedule;
use crate::serve::{self, Server};
use crate::stop::{Stop, StoppableHttp};
use crate::views::newest_moment;
use clock::DemoClock;
use past::Past;
use screen::Screen;

/// Every demo begins at this moment of its market's time.
const BEGIN: &str = "2026-01-05T00:00:00Z";

/// How often the screen is redrawn.
const FRAME: Duration = Duration::from_millis(1_000);

const MINUTE_MS: u64 = 60_000;

/// A demo fetches thousands of pages an hour, and its market's days pass quickly.
const PRUNE_MS: u64 = 60_000;

/// The portal's token; the demo sends it as a real search would.
const TOKEN: &str = "demo";

const FULL_SCAN_EVERY_MS: i64 = 7 * Time::DAY_MS;

/// The cities of the market: those of [`REGIONS`].
const CITIES: u32 = 5;
/// The least and the most postal codes, of all cities.
const MARKETS_MIN: u32 = 3 * CITIES;
const MARKETS_MAX: u32 = 60;

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
    let portal = portal(args, begin, &clock)?;
    let engine = Engine {
        database,
        http: Arc::new(StoppableHttp::new(&stop)),
        files: FolderFiles::new(Path::new("")),
        tokens: Arc::default(),
        clock: clock.clone(),
        due: DueTimes::default(),
        stop,
    };
    say!("A simulated listing portal answers on {} (RESO Web API).", portal.url());
    say!(
        "One second is {} simulated minutes. Everything lands in {} and {}.",
        args.speed,
        store.db().display(),
        store.data().display()
    );
    // Pages show what is there already, while more of the past is polled.
    let pages = serve::beside(store, args.pages, &engine.due, &engine.stop);
    let url = pages.as_ref().map(Server::url);
    let screen = Arc::new(Screen::new(url.clone()));
    let demo = Demo { engine, clock, portal: portal.url().to_owned(), screen, url, args };
    let outcome = demo.live(begin, resumed_at).await;
    demo.screen.close();
    portal.stop();
    demo.engine.stop.set();
    pages.map(Server::join).unwrap_or_default();
    outcome?;
    say!("\nTry: stoop markets, stoop market chicago, stoop alerts, stoop runs, stoop verify");
    Ok(ExitCode::SUCCESS)
}

/// The portal, with a market that has lived for a year. Homes come on the market again after half a year: with a year, about
/// as many come as go.
fn portal(args: &DemoArgs, begin: Time, clock: &Arc<DemoClock>) -> anyhow::Result<Portal> {
    let markets = (args.homes / 40).clamp(MARKETS_MIN, MARKETS_MAX);
    let simulation = Simulation::new(SimulationConfig {
        past_ms: 365 * Time::DAY_MS,
        cities: CITIES,
        rent_permille: 400,
        noise: Noise { seen_again_permille: 20, slips_permille: 3, ..Noise::default() },
        ..SimulationConfig::new(args.seed, begin, args.homes, markets)
    });
    let clock = Arc::clone(clock);
    let config =
        PortalConfig { token: Some(TOKEN.into()), follows_clock: true, ..PortalConfig::new(move || clock.now()) };
    Ok(Portal::start(Arc::new(Mutex::new(simulation)), config)?)
}

/// A demo's market has its own clock, and only one program may poll its searches.
fn occupied(db: &Path, others: &[Process]) -> String {
    let one = |Process { command, pid, since }: &Process| {
        format!("{command} (process {pid}) works on {} since {} UTC", db.display(), crate::show::time(*since))
    };
    let others: Vec<String> = others.iter().map(one).collect();
    format!("{}: stop it, or give the demo another database with --db", others.join(", and "))
}

/// The demo's searches: one for each region. All that was ever listed is read again at this interval.
fn searches(url: &str, full_scan_every_ms: i64) -> anyhow::Result<Vec<Search>> {
    let search = |(name, region): (&str, &str)| {
        let params = [
            ("url", format!("{url}/odata")),
            // A source each: searches of one source also compare with what the others have sent.
            ("name", name.into()),
            ("token", TOKEN.into()),
            ("filter", format!("StateOrProvince eq '{region}'")),
            ("top", "200".into()),
        ];
        let params: Params = params.into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
        let source = stoop_sources::build("reso", &params)?;
        Ok(Search { full_scan_every_ms, ..Search::new(name, source) })
    };
    REGIONS.into_iter().map(search).collect()
}

/// A running demo.
struct Demo<'a> {
    engine: Engine,
    clock: Arc<DemoClock>,
    /// The URL of the portal.
    portal: String,
    screen: Arc<Screen>,
    /// The address of the pages, if they are served.
    url: Option<String>,
    args: &'a DemoArgs,
}

impl Demo<'_> {
    /// Fills the past, as far as it is not there yet, and goes on from its end until it is stopped.
    async fn live(&self, begin: Time, resumed_at: Option<Time>) -> anyhow::Result<()> {
        if let Some(at) = resumed_at {
            say!("Continuing from {}.", crate::show::time(at));
        }
        let until = begin.plus_ms(i64::from(self.args.history) * Time::DAY_MS);
        if self.clock.now() < until {
            let searches: Vec<_> =
                searches(&self.portal, past::FULL_SCAN_EVERY_MS)?.into_iter().map(Arc::new).collect();
            let past = Past { engine: &self.engine, clock: &self.clock, searches: &searches, screen: &self.screen };
            past.fill(until, || self.open()).await?;
            if self.engine.stop.is_set() {
                self.screen.clear();
                say!("Stopped at {}: the next demo goes on from there.", crate::show::time(self.clock.now()));
                return Ok(());
            }
        } else {
            self.open();
        }
        self.clock.run(i64::from(self.args.speed) * 60);
        match &self.url {
            Some(url) => say!("Pages: {url}  Ctrl-C stops."),
            None => say!("Ctrl-C stops."),
        }
        self.play().await
    }

    /// Opens the pages in a browser, if that was asked for.
    fn open(&self) {
        if let (true, Some(url)) = (self.args.open, &self.url) {
            browser::open(url);
        }
    }

    async fn play(&self) -> anyhow::Result<()> {
        let Self { engine, screen, args, .. } = self;
        let mut polls = tokio::task::JoinSet::new();
        for search in searches(&self.portal, FULL_SCAN_EVERY_MS)? {
            polls.spawn(keep_polling(engine.clone(), search, u64::from(args.speed) * MINUTE_MS, Arc::clone(screen)));
        }
        tokio::spawn(keep_pruning(engine.clone(), Keep::default(), PRUNE_MS));
        let watcher = Arc::clone(screen);
        let mut intake = engine.intake(Rules::default(), move |alert| watcher.alert(alert));
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
