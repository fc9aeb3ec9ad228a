//! A poll that needs more time than it has.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use stoop_domain::Time;
use stoop_pipeline::Clock;
use stoop_pipeline::ports::{RunOutcome, SearchIndex};
use stoop_runtime::SystemClock;
use stoop_simulation::{Portal, PortalConfig, Simulation, SimulationConfig};

use crate::aside::Aside;
use crate::hosted::failures;
use crate::world::World;

const SEARCH: &str = "long";
const SOURCE: &str = "aside";
const PAGE: usize = 10;
/// The function's timeout: it stops when half of it is over.
const TIMEOUT: Duration = Duration::from_secs(8);
/// Each message reads some pages; a machine that reads none in four seconds would never finish.
const MESSAGES_MAX: usize = 60;

/// The poller stops in time, leaves a checkpoint and sends a continuation; the next message continues there. In the end
/// every listing was sent once, and no page was requested twice.
pub(crate) async fn carried_on(world: &World) {
    let start = SystemClock.now().plus_ms(-60 * Time::DAY_MS);
    let simulation = Simulation::new(SimulationConfig::new(21, start, 250, 3));
    let mut shown: Vec<String> = simulation.shown_after(None).map(|(home, _)| home.listing_key()).collect();
    shown.sort();
    assert!(shown.len() > 12 * PAGE, "{} listings are too few pages for half of {TIMEOUT:?}", shown.len());
    let portal = Portal::start(Arc::new(Mutex::new(simulation)), PortalConfig::new(|| SystemClock.now())).unwrap();
    let text = format!(
        "[[search]]\nname = \"{SEARCH}\"\nsource = \"reso\"\nevery = \"1h\"\n\n[search.params]\nurl = \"{}/odata\"\nname = \"{SOURCE}\"\ntop = {PAGE}\n",
        portal.url()
    );
    let aside = Aside::make(world, "deadline", text).await;
    let (poller, index) = (aside.poller(TIMEOUT).await, aside.index());
    aside.send(SEARCH).await;
    let mut messages = 0;
    let mut event = aside.message().await;
    while let Some(message) = event {
        messages += 1;
        assert!(messages <= MESSAGES_MAX, "{messages} messages, {} listings", aside.listings().await.len());
        let began = SystemClock.now();
        let response = poller.host.invoke(&message).await.unwrap();
        assert_eq!(failures(&response), Vec::<String>::new());
        assert!(SystemClock.now().ms() - began.ms() < TIMEOUT.as_millis() as i64, "it stops before its deadline");
        event = aside.message().await;
        let state = index.load(SEARCH, SOURCE).await.unwrap();
        assert_eq!(state.checkpoint.is_some(), event.is_some(), "a checkpoint and a message to use it, or neither");
    }
    assert!(messages > 1, "half of {TIMEOUT:?} was enough for all: nothing is shown");
    let mut sent = aside.listings().await;
    sent.sort();
    assert_eq!(sent, shown);
    let pages = shown.len().div_ceil(PAGE) as u64;
    // The last page of a portal that links pages may be empty.
    assert!((pages..=pages + 1).contains(&portal.served().pages), "{pages} pages in {:?}", portal.served());
    let state = index.load(SEARCH, SOURCE).await.unwrap();
    assert_eq!(state.listings.len(), shown.len());
    assert!(state.full_scan_at.is_some() && state.watermark.is_some(), "the next poll asks for changes");
    let runs = world.runs(SEARCH).await;
    let outcomes: Vec<_> = runs.iter().map(|run| run.outcome).collect();
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == RunOutcome::Partial).count(), messages - 1, "{runs:?}");
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == RunOutcome::Complete).count(), 1, "{runs:?}");
}
