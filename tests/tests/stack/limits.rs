//! An account with few requests, and a search that needs more.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;
use stoop_domain::Time;
use stoop_pipeline::Clock;
use stoop_pipeline::ports::{RunOutcome, RunRecord, SearchIndex};
use stoop_runtime::SystemClock;
use stoop_simulation::{Dialect, Limits, Portal, Quota, Simulation, SimulationConfig, Site, SiteConfig};

use crate::aside::Aside;
use crate::hosted::{Hosted, failures};
use crate::world::World;

const SEARCH: &str = "rationed";
const PAGE: usize = 10;
/// Requests a minute, by the server's count as by ours.
const MOST: u64 = 6;
/// The function's timeout: it stops when half of it is over, long before the minute is.
const TIMEOUT: Duration = Duration::from_secs(40);

/// Later invocations cannot use the requests of an earlier one, because they are recorded in the runs table. They end
/// without a request until the minute is over; then one continues from the checkpoint. The server never has to refuse.
pub(crate) async fn used_up(world: &World) {
    let start = SystemClock.now().plus_ms(-60 * Time::DAY_MS);
    let simulation = Simulation::new(SimulationConfig::new(23, start, 105, 3));
    let mut shown: Vec<String> = simulation.shown_after(None).map(|(home, _)| home.listing_key()).collect();
    shown.sort();
    let pages = shown.len().div_ceil(PAGE) as u64;
    assert!(
        (MOST + 1..2 * MOST).contains(&pages),
        "{pages} pages are not more than one minute bears, and less than two do"
    );
    let quotas = vec![Quota::requests(MOST, 60 * Time::SECOND_MS).sliding()];
    let limits = Limits { quotas, ..Limits::default() };
    let site = Site::new(Arc::new(Mutex::new(simulation)), SiteConfig { limits, ..SiteConfig::new(Dialect::reso()) });
    let ahead_ms = Arc::new(AtomicI64::new(0));
    let of_portal = Arc::clone(&ahead_ms);
    let now = move || SystemClock.now().plus_ms(of_portal.load(Ordering::SeqCst));
    let portal = Portal::serve(Arc::new(site), now).unwrap();
    let text = format!(
        "[[search]]\nname = \"{SEARCH}\"\nsource = \"reso\"\nevery = \"1h\"\nlimits = [\"{MOST}/m\"]\n\n\
         [search.params]\nurl = \"{}/odata\"\nname = \"{SEARCH}\"\ntop = {PAGE}\n",
        portal.url()
    );
    let aside = Aside::make(world, "limits", text).await;
    let (poller, index) = (aside.poller(TIMEOUT).await, aside.index());
    aside.send(SEARCH).await;

    let first = invoked(world, &aside, &poller).await;
    let message = first.message.clone().unwrap_or_default();
    assert_eq!((first.outcome, first.counts["requests"]), (RunOutcome::Partial, MOST), "{first:?}");
    assert!(message.contains(&format!("the limit of {MOST} requests a minute is used up, until ")), "{message}");
    let budgets = world.state.budgets(&portal.address().to_string()).await;
    let [budget] = &budgets[..] else { panic!("one account: {budgets:?}") };
    // What is counted, the limit, the interval, when it was set, and the counts.
    let ring = budget["rings"][0].as_array().unwrap();
    let booked: u64 = ring[5].as_array().unwrap().iter().filter_map(Value::as_u64).sum();
    assert_eq!((ring[1].as_u64(), ring[2].as_u64(), booked), (Some(MOST), Some(60_000), MOST), "{budget}");
    let left = index.load(SEARCH, SEARCH).await.unwrap();
    assert_eq!(left.checkpoint.as_ref().map(|checkpoint| &checkpoint.run), Some(&first.id));
    assert_eq!(left.listings.len() as u64, MOST * PAGE as u64);

    // The minute is not over: the next invocation makes no request, and changes nothing.
    let second = invoked(world, &aside, &poller).await;
    assert_eq!((second.outcome, second.counts["requests"]), (RunOutcome::Partial, 0), "{second:?}");
    assert_eq!(portal.served().requests, MOST);
    let still = index.load(SEARCH, SEARCH).await.unwrap();
    assert_eq!(
        still.checkpoint.map(|checkpoint| checkpoint.cursor),
        left.checkpoint.map(|checkpoint| checkpoint.cursor)
    );

    let until = Time::parse(message.split("until ").nth(1).and_then(|rest| rest.split(';').next()).unwrap()).unwrap();
    assert!(until.ms() - first.began_at.ms() >= 60 * Time::SECOND_MS, "{first:?}");
    // Instead of waiting, the server's clock advances, and the bookings are moved back by the same time.
    ahead_ms.store(world.state.window_goes_by(&portal.address().to_string()).await, Ordering::SeqCst);
    let third = invoked(world, &aside, &poller).await;
    assert_eq!((third.outcome, third.counts["requests"]), (RunOutcome::Complete, pages - MOST), "{third:?}");
    assert!(aside.message().await.is_none(), "it is done with");
    let served = portal.served();
    assert_eq!((served.pages, served.over_quota + served.suspended), (pages, 0), "{served:?}");
    let mut sent = aside.listings().await;
    sent.sort();
    assert_eq!(sent, shown, "each once");
}

/// Invokes the poller with the next message. Returns the run.
async fn invoked(world: &World, aside: &Aside<'_>, poller: &Hosted) -> RunRecord {
    let message = aside.message().await.expect("a message goes on");
    let began = SystemClock.now();
    let response: Value = poller.host.invoke(&message).await.unwrap();
    assert_eq!(failures(&response), Vec::<String>::new());
    let runs = world.runs(SEARCH).await;
    let run = runs.iter().filter(|run| run.began_at >= began).max_by_key(|run| run.began_at);
    run.cloned().unwrap_or_else(|| panic!("no run is recorded: {runs:?}"))
}
