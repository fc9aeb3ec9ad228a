//! A search of every kind of source in one configuration: planner, poller, stream, metrics, tables, lake.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;

use serde_json::Value;
use stoop_aws::S3Index;
use stoop_domain::Time;
use stoop_pipeline::Clock;
use stoop_pipeline::ports::{IndexChanges, RunOutcome, RunRecord, SearchIndex};
use stoop_runtime::SystemClock;
use stoop_simulation::Fault;
use stoop_simulation::country::{Country, EXPORTS, Homes, KEYS};

use crate::state::{Item, number, text};
use crate::world::{World, eventually, say};

/// What each search should know.
type Known = BTreeMap<&'static str, Homes>;

/// The price of a home without one.
const NO_PRICE: i64 = 0;

/// A line that cannot become a listing: even its purpose is unknown.
const BROKEN_LINE: &str = r#"{"ListingKey":"SIM-BROKEN","ListPrice":100000}"#;

/// Stored are first the listings of each source, then their changes, then what is gone. Unreadable rows are in
/// quarantine, and read after a correction.
pub(crate) async fn every_kind(world: &World) {
    let country = Country::start(|| SystemClock.now(), secret).unwrap();
    let keys: BTreeMap<&str, &str> = KEYS.into_iter().collect();
    world.set_secret("sources", &serde_json::to_string(&keys).unwrap()).await;
    world.set_secret("sources/spark", keys["spark"]).await;
    for (name, map) in country.maps() {
        world.upload(name, &map).await;
    }
    let quarantine = rejects(world, &BTreeSet::new()).await.into_keys().collect();

    country.site("declared").faults().plan(Fault::GarbageRow, 1);
    let lines = country.export();
    export(world, "1.jsonl", &format!("{lines}{BROKEN_LINE}\n")).await;
    let runs = polled(world, &country).await;
    let mut known = knows(&country, &Known::new());
    let rejects_first = rejects(world, &quarantine).await;
    let (of_site, of_file) = two_rejects(&rejects_first);
    assert_eq!(of_file["raw"], BROKEN_LINE);
    assert_eq!(of_file["location"], format!("{EXPORTS}1.jsonl: line {}", lines.lines().count() + 1));
    assert!(of_site["detail"].as_str().unwrap().contains("call for price"), "{of_site}");
    let (_, spoiled) = of_site["location"].as_str().unwrap().rsplit_once("listing ").unwrap();
    let spoiled = known.get_mut("declared").unwrap().get_mut(&format!("declared/{spoiled}"));
    spoiled.unwrap_or_else(|| panic!("a home on the market: {of_site}")).0 = NO_PRICE;
    for (name, run) in &runs {
        let rejects = (u64::from(*name == "exports"), u64::from(*name == "declared"));
        let counts = (run.counts["rejects"], run.counts["values_refused"]);
        assert_eq!((run.outcome, counts), (RunOutcome::Complete, rejects), "{name}: {run:?}");
        assert_eq!((run.counts["new"], run.counts["gone"]), (known[name].len() as u64, 0), "{name}: {run:?}");
        assert!(run.counts["pages"] > 1 || *name == "exports", "it has to turn pages: {name}: {run:?}");
    }
    are_stored(world, &country, &known).await;

    // Days pass. A listing missed once may only have moved to another page: a scan on another day has to miss it as
    // well.
    country.move_on(&known);
    for name in ["2.jsonl.gz", "3.jsonl"] {
        export(world, name, &country.export()).await;
        for (name, run) in polled(world, &country).await {
            assert_eq!((run.outcome, run.counts["rejects"]), (RunOutcome::Complete, 0), "{name}: {run:?}");
        }
        missed_a_day_before(world, &country).await;
    }
    known = knows(&country, &known);
    are_stored(world, &country, &known).await;

    assert_eq!(rejects(world, &quarantine).await, rejects_first, "nothing else is in quarantine");
    for (name, served) in country.served() {
        let refused = served.unauthorized + served.bad_requests + served.not_found + served.over_quota;
        assert_eq!(refused, 0, "{name}: {served:?}");
        assert_eq!(served.tokens > 0, name == "trestle", "a client gets tokens: {name}: {served:?}");
    }
    eventually("the state is that of the lake", || async {
        let (lake, ..) = world.state.lake().await;
        let ids: BTreeSet<String> = lake.iter().map(|seen| stoop_domain::home_id(seen).to_string()).collect();
        let missing = known.values().flat_map(|homes| homes.keys()).find(|id| !ids.contains(*id));
        missing.map_or(Ok(()), |id| Err(format!("{id} is not in the lake")))?;
        world.state.check(&world.state.tables, &lake).await
    })
    .await;
    world.upload("stoop.toml", &world.configuration()).await;
    world.tick().await;
}

/// Where the configuration says a key is: nearly all are in one secret, and one has its own.
fn secret(key: &str) -> String {
    match key {
        "spark" => "{ secret = \"sources/spark\" }".to_owned(),
        _ => format!("{{ secret = \"sources\", key = \"{key}\" }}"),
    }
}

/// Polls each search once. All are due at one tick, ours or an earlier one of the schedule, and none after that: an
/// unexpected poll would produce a scenario's result too early.
async fn polled(world: &World, country: &Country) -> BTreeMap<&'static str, RunRecord> {
    are_due_again(world, country).await;
    let began = SystemClock.now();
    for every in ["10s", "1d"] {
        world.upload("stoop.toml", &country.configuration(every)).await;
        let answer = world.tick().await;
        assert!(answer["refused_configuration"].is_null(), "{answer}");
    }
    let mut ended = BTreeMap::new();
    for search in &country.searches {
        let run = eventually(&format!("a poll of {} ends", search.name), || async {
            let runs = world.runs(search.name).await;
            let run = runs.iter().find(|run| run.began_at >= began && run.outcome != RunOutcome::Running);
            run.cloned().ok_or_else(|| format!("{runs:?}"))
        })
        .await;
        ended.insert(search.name, run);
    }
    say(&format!("{} kinds of searches polled in {} s", ended.len(), (SystemClock.now().ms() - began.ms()) / 1_000));
    ended
}

/// Moves the times of all missed listings back by a day, so that the scenario need not wait.
async fn missed_a_day_before(world: &World, country: &Country) {
    let index = S3Index::new(world.clients.s3(), world.output("BucketName"));
    for search in &country.searches {
        let mut state = index.load(search.name, search.source).await.unwrap();
        assert!(state.version > 0, "{}: no index", search.name);
        for since in state.listings.values_mut().filter_map(|entry| entry.missing_since.as_mut()) {
            *since = since.plus_ms(-Time::DAY_MS);
        }
        assert!(
            index.save(search.name, &state, &IndexChanges::All).await.unwrap(),
            "{}: a poll is running",
            search.name
        );
    }
}

/// Polls take less than the ten seconds after which each may be repeated, in its own second.
async fn are_due_again(world: &World, country: &Country) {
    let mut latest = world.began;
    for search in &country.searches {
        latest = world.runs(search.name).await.iter().map(|run| run.began_at).fold(latest, Time::max);
    }
    eventually("every search is due again", || async {
        let now = SystemClock.now();
        (now >= latest.plus_ms(25 * Time::SECOND_MS)).then_some(()).ok_or_else(|| now.to_string())
    })
    .await;
}

/// Uploads an export as a user would: under `files/` in the data bucket.
async fn export(world: &World, name: &str, lines: &str) {
    let body = match name.ends_with(".gz") {
        true => {
            let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            packed.write_all(lines.as_bytes()).unwrap();
            packed.finish().unwrap()
        }
        false => lines.as_bytes().to_vec(),
    };
    let request = world.clients.s3().put_object().bucket(world.output("BucketName"));
    request.key(format!("files/{EXPORTS}{name}")).body(body.into()).send().await.unwrap();
}

fn knows(country: &Country, before: &Known) -> Known {
    let nothing = Homes::new();
    let of = |name| before.get(name).unwrap_or(&nothing);
    country.searches.iter().map(|search| (search.name, country.knows(search, of(search.name)))).collect()
}

/// The homes table has exactly what the searches know, with price and status.
async fn are_stored(world: &World, country: &Country, known: &Known) {
    let mut sources: BTreeMap<&str, (BTreeSet<String>, Homes)> = BTreeMap::new();
    for search in &country.searches {
        let (ids, homes) = sources.entry(search.source).or_default();
        ids.extend(country.ids(search));
        homes.extend(known[search.name].clone());
    }
    for (source, (ids, homes)) in sources {
        let wanted: BTreeMap<&str, (i64, String)> =
            homes.iter().map(|(id, (price, status))| (&**id, (*price, status.as_str().to_owned()))).collect();
        eventually(&format!("the homes of {source} are stored"), || async {
            let stored = world.state.homes_of(source).await;
            // Other scenarios have homes under some of these names.
            let stored = stored.iter().filter(|(id, _)| ids.contains(*id));
            let stored: BTreeMap<&str, (i64, String)> =
                stored.map(|(id, item)| (&**id, (price(item), text(item, "status")))).collect();
            let other = wanted.keys().chain(stored.keys()).find(|id| wanted.get(*id) != stored.get(*id));
            other.map_or(Ok(()), |id| Err(format!("{id}: {:?}, not {:?}", stored.get(id), wanted.get(id))))
        })
        .await;
    }
}

/// A home's price; [`NO_PRICE`] if it is unknown.
fn price(item: &Item) -> i64 {
    item.get("list_price").map_or(NO_PRICE, |_| number(item, "list_price"))
}

/// The rejects except the known ones, by key.
async fn rejects(world: &World, but: &BTreeSet<String>) -> BTreeMap<String, Value> {
    let objects = world.state.objects("quarantine/").await.into_iter().filter(|(key, _)| !but.contains(key));
    objects.map(|(key, body)| (key, serde_json::from_slice(&body).unwrap())).collect()
}

/// The reject of the declared site, and that of the exported file.
fn two_rejects(rejects: &BTreeMap<String, Value>) -> (&Value, &Value) {
    let of = |source: &str| rejects.values().find(|reject| reject["source"] == source);
    match (of("declared"), of("exports")) {
        (Some(site), Some(file)) if rejects.len() == 2 => (site, file),
        _ => panic!("one of a site and one of a file: {rejects:?}"),
    }
}
