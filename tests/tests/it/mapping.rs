//! Effectively once: whatever Lambda's event source mapping and the store do to the function, the final state is that
//! of a clean run.
//!
//! Each case has a seed. A failing one prints it; `STOOP_SEED=7` reruns exactly that one.

mod alerts;

use std::collections::BTreeMap;

use crate::world::{Environments, Fed, Image, World, reshard, seeds};
use serde_json::value::to_raw_value;
use stoop_dice::Dice;
use stoop_domain::{Observation, Time};
use stoop_market::{Snapshot, Window as DaySightings, snapshot};
use stoop_metrics::MetricsHandler;
use stoop_pipeline::Measurer;
use stoop_simulation::{Figures, KnownFigures, Watched, Window};
use stoop_tests::mapping::{Batch, Counters, Mapping, MappingConfig, Mishaps, Outcome, Record, Stream, Stuck};

/// Observations per group, so that a batch can fail midway.
const GROUP: usize = 8;

/// An execution environment of the metrics function: with a cache of what it read and wrote, while others write too.
fn environment(world: &World) -> MetricsHandler<'_> {
    MetricsHandler::new(world, world, &world.clock, &world.meter).with_groups_of(GROUP)
}

/// The function under test: from Lambda's event for a batch to the response that Lambda reads.
async fn function(app: &mut MetricsHandler<'_>, batch: &Batch) -> Outcome {
    let event = to_raw_value(&batch.kinesis_event()).unwrap();
    let later = Time::from_ms(i64::MAX);
    // Unconstrained: the runtime would pause a future that used its budget, and only the seed may decide.
    match tokio::task::unconstrained(app.handle(&event, later)).await {
        Ok(response) => Outcome::Returned(serde_json::to_vec(&response).unwrap()),
        Err(_) => Outcome::Failed,
    }
}

/// All faults of a mapping and a network together.
fn drawn(dice: &mut Dice) -> MappingConfig {
    MappingConfig {
        batch_size: 1 + dice.below(30),
        parallelization_factor: 1 + dice.below(10),
        report_batch_item_failures: true,
        bisect_batch_on_function_error: dice.chance(700),
        retention_ms: 3_650 * Time::DAY_MS,
        stuck: Stuck::Either,
        short_batches: dice.chance(500),
        mishaps: Mishaps {
            killed_permille: 60,
            response_lost_permille: 40,
            again_permille: 40,
            throttled_permille: 40,
        },
        ..MappingConfig::default()
    }
}

/// The state of a clean run: every observation in order, in one batch, without faults.
async fn clean(observations: &[Observation]) -> Image {
    let world = World::new(0, 0, Time::from_ms(0));
    Measurer::new(&world).measure(observations).await.unwrap();
    world.verify();
    world.image()
}

/// A run with all possible faults.
struct Run {
    fed: Fed,
    world: World,
    stream: Stream,
    counters: Counters,
    ended_at: Time,
    poisoned: u64,
    environments_killed: u64,
}

async fn run(seed: u64) -> Run {
    let mut dice = Dice::new(seed);
    let mut fed = Fed::market(&mut dice, 500);
    fed.shuffle(&mut dice);
    let world = World::new(seed, 60, fed.end);
    let mut stream = Stream::new(1 + dice.below(3));
    let mut mapping = Mapping::new(drawn(&mut dice), seed);
    let environments = Environments::new(|| environment(&world));
    let mut poisoned = 0;
    while let Some(some) = fed.take(&mut dice) {
        poisoned += fed.put(&mut dice, &mut stream, &some);
        let most = dice.below(30) as u64;
        mapping.run_some(&stream, most, |batch| environments.invoke(batch, &function)).await;
        reshard(&mut dice, &mut stream);
    }
    mapping.run(&stream, |batch| environments.invoke(batch, &function)).await;
    let (counters, ended_at, environments_killed) = (mapping.counters(), mapping.now(), environments.killed());
    Run { fed, world, stream, counters, ended_at, poisoned, environments_killed }
}

#[tokio::test]
async fn a_stream_with_all_faults_gives_the_state_of_a_clean_run() {
    let mut total = BTreeMap::<&str, u64>::new();
    for seed in seeds(12) {
        let Run { fed, world, stream, counters, poisoned, environments_killed, .. } = run(seed.0).await;
        assert_eq!((counters.records_processed, counters.records_discarded), (stream.len(), 0), "{counters:?}");
        assert!(world.image() == clean(&fed.observations).await, "the state differs: {counters:?}");
        world.verify();
        let quarantined: u64 = world.database.quarantine_counts().unwrap().iter().map(|kind| kind.count).sum();
        assert_eq!(quarantined, poisoned, "each poison record once");
        check_answer(&world, &fed);

        for (what, count) in [
            ("killed", counters.killed),
            ("again", counters.again),
            ("throttled", counters.throttled),
            ("partial", counters.partial),
            ("retries", counters.retries),
            ("bisects", counters.bisects),
            ("at once", counters.concurrency_max.saturating_sub(1)),
            ("poisoned", poisoned),
            ("reshards", stream.open_shards().last().unwrap().0 as u64),
            ("environments killed", environments_killed),
        ] {
            *total.entry(what).or_default() += count;
        }
    }
    if std::env::var_os("STOOP_SEED").is_none() {
        assert!(total.values().all(|count| *count >= 10), "too little went wrong to prove anything: {total:?}");
    }
}

#[tokio::test]
async fn a_seed_replays_exactly() {
    let (one, two, other) = (run(3).await, run(3).await, run(4).await);
    assert_eq!((one.counters, one.ended_at), (two.counters, two.ended_at));
    assert_ne!(one.counters, other.counters);
}

/// The figures of every market are those that the simulation counted.
fn check_answer(world: &World, fed: &Fed) {
    let answer = KnownFigures::from_log(&fed.homes, &fed.log, fed.end, Watched::Always);
    let stored = world.database.cells_where(|cells| answer.markets.contains_key(cells)).unwrap();
    assert_eq!(stored.len(), answer.markets.len());
    for (market, cells) in stored {
        let zone = market.area.country().zone;
        check_figures(&snapshot(&cells, fed.end, &zone), &answer.markets[&market]);
    }
}

#[expect(clippy::cast_precision_loss, reason = "prices below 2^53 cents")]
fn check_figures(snapshot: &Snapshot, exact: &Figures) {
    let seen = &snapshot.all;
    assert_eq!(u64::try_from(seen.active).unwrap(), exact.active());
    for (span, window) in DaySightings::ALL.into_iter().zip(Window::ALL) {
        let flows = serde_json::to_value(seen.flows(span).unwrap()).unwrap();
        for (name, count) in exact.counts(window).named() {
            assert_eq!(flows[name].as_u64(), Some(count), "{name}, {}", span.label());
        }
    }
    for (seen, exact) in [(seen.min_price, exact.min()), (seen.max_price, exact.max())] {
        assert_eq!(seen.is_some(), exact.is_some());
        if let (Some(seen), Some(exact)) = (seen, exact) {
            // They are the outer ends of buckets.
            assert!((seen / exact.0 as f64 - 1.0).abs() <= 0.002_01, "{seen} for {exact:?}");
        }
    }
    if !exact.prices.is_empty() {
        let mean = exact.sum() as f64 / exact.prices.len() as f64;
        assert!((seen.mean_price.unwrap() / mean - 1.0).abs() < 1e-9);
    }
}

#[tokio::test]
async fn a_redrive_recovers_what_an_outage_sent_to_the_destination() {
    let mut discarded = 0;
    for seed in seeds(6) {
        let mut dice = Dice::new(seed.0);
        let mut fed = Fed::hours(&mut dice, 300);
        let mut stream = Stream::new(2);
        while let Some(some) = fed.take(&mut dice) {
            fed.put(&mut dice, &mut stream, &some);
        }
        // More faults than two retries can handle.
        let config = MappingConfig { maximum_retry_attempts: Some(2), ..drawn(&mut dice) };
        let mut mapping = Mapping::new(config, seed.0);
        let world = World::new(seed.0, 300, fed.end);
        let environments = Environments::new(|| environment(&world));
        mapping.run(&stream, |batch| environments.invoke(batch, &function)).await;
        let counters = mapping.counters();
        assert_eq!(counters.records_processed + counters.records_discarded, stream.len());
        discarded += counters.records_discarded;

        world.calm();
        let mut redriven = Stream::new(1);
        for record in mapping.discarded().iter().flat_map(|discarded| &discarded.batch.records) {
            redriven.put(mapping.now(), &record.partition_key, record.data.clone());
        }
        let mut redrive = Mapping::new(MappingConfig::default(), seed.0);
        redrive.run(&redriven, |batch| environments.invoke(batch, &function)).await;
        assert!(world.image() == clean(&fed.observations).await, "the state differs: {counters:?}");
        world.verify();
    }
    assert!(discarded > 50 || std::env::var_os("STOOP_SEED").is_some(), "{discarded} records prove little");
}

#[tokio::test]
async fn a_record_that_always_kills_the_function_is_isolated_and_the_rest_measured() {
    const BOMB: &[u8] = b"bomb";
    let is_bomb = |record: &Record| record.data == BOMB;
    for seed in seeds(6) {
        let mut dice = Dice::new(seed.0);
        let mut fed = Fed::market(&mut dice, 200);
        let mut stream = Stream::new(2);
        let mut bombs = 0;
        while let Some(some) = fed.take(&mut dice) {
            fed.put(&mut dice, &mut stream, &some);
            stream.put(fed.clock(), &dice.below(9).to_string(), BOMB);
            bombs += 1;
        }
        let config = MappingConfig {
            bisect_batch_on_function_error: true,
            maximum_retry_attempts: Some(2),
            mishaps: Mishaps::default(),
            ..drawn(&mut dice)
        };
        let mut mapping = Mapping::new(config, seed.0);
        let world = World::new(seed.0, 0, fed.end);
        let environments = Environments::new(|| environment(&world));
        let deadly = async |app: &mut MetricsHandler<'_>, batch: &Batch| {
            let end = batch.records.iter().position(|record| is_bomb(record));
            let until =
                Batch { records: batch.records[..end.unwrap_or(batch.records.len())].to_vec(), ..batch.clone() };
            let outcome = function(app, &until).await;
            if end.is_some() { Outcome::TimedOut } else { outcome }
        };
        mapping.run(&stream, |batch| environments.invoke(batch, &deadly)).await;
        let discarded: Vec<&Record> =
            mapping.discarded().iter().flat_map(|discarded| &discarded.batch.records).map(|record| &**record).collect();
        assert_eq!(discarded.len(), bombs);
        assert!(discarded.iter().all(|record| is_bomb(record)));
        assert!(world.image() == clean(&fed.observations).await, "the state differs: {:?}", mapping.counters());
    }
}

#[tokio::test]
async fn a_function_that_returns_success_too_early_is_detected() {
    let careless = async |app: &mut MetricsHandler<'_>, batch: &Batch| match function(app, batch).await {
        Outcome::Failed => Outcome::Failed,
        _ => Outcome::success(),
    };
    let mut found_out = 0;
    for seed in 0..4 {
        let mut dice = Dice::new(seed);
        let mut fed = Fed::market(&mut dice, 200);
        let mut stream = Stream::new(1);
        while let Some(some) = fed.take(&mut dice) {
            fed.put(&mut dice, &mut stream, &some);
        }
        let world = World::new(seed, 60, fed.end);
        let environments = Environments::new(|| environment(&world));
        Mapping::new(drawn(&mut dice), seed).run(&stream, |batch| environments.invoke(batch, &careless)).await;
        found_out += u64::from(world.image() != clean(&fed.observations).await);
    }
    assert_eq!(found_out, 4);
}
