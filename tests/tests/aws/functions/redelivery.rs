//! The metrics function: whatever fails in a batch, redelivery from the returned number gives the state of a clean run.

use proptest::prelude::*;
use serde_json::{Value, json};
use stoop_domain::{Applied, Observation, Status, home_id};
use stoop_metrics::MetricsHandler;
use stoop_pipeline::Measurer;
use stoop_tests::made::minute;

use super::bench::{Bench, Fault, Scripted, StandingClock, raw};
use super::events::{kinesis_record, line, record, seen, sequence};
use super::metrics::{failures, later, meter};

/// A record of a batch.
#[derive(Clone, Debug)]
enum Part {
    Sound(Vec<Observation>),
    Poison(u8),
}

impl Part {
    fn to_event(&self, n: u64) -> Value {
        match self {
            Self::Sound(observations) if n.is_multiple_of(2) => kinesis_record(&sequence(n), &record(observations)),
            Self::Sound(observations) => {
                let lines: Vec<Vec<u8>> = observations.iter().map(line).collect();
                kinesis_record(&sequence(n), &lines.join(&b'\n'))
            }
            Self::Poison(byte) => kinesis_record(&sequence(n), &[*byte | 0x80; 3]),
        }
    }
}

fn observation() -> impl Strategy<Value = Observation> {
    (0..8_u8, 0..600_i64, 0..6_i64, 0..4_u8).prop_map(|(home, minutes, step, status)| {
        let status = if status == 0 { Status::Pending } else { Status::Active };
        let mut seen = seen(&format!("h{home}"), minutes, 500_000 - step * 20_000, status);
        // Several markets, so that commits are cut between them.
        seen.listing.address.postal_code = Some(format!("7870{}", home % 3));
        seen
    })
}

fn parts() -> impl Strategy<Value = Vec<Part>> {
    let sound = prop::collection::vec(observation(), 1..5).prop_map(Part::Sound);
    prop::collection::vec(prop_oneof![6 => sound, 1 => any::<u8>().prop_map(Part::Poison)], 1..12)
}

fn script() -> impl Strategy<Value = Vec<Fault>> {
    let fault = prop_oneof![4 => Just(Fault::None), 1 => Just(Fault::Before), 1 => Just(Fault::After), 1 => Just(Fault::Conflict)];
    prop::collection::vec(fault, 0..12)
}

async fn clean(parts: &[Part]) -> Bench {
    let bench = Bench::new();
    let sound = parts.iter().filter_map(|part| if let Part::Sound(seen) = part { Some(seen.clone()) } else { None });
    let observations: Vec<Observation> = sound.flatten().collect();
    Measurer::new(&*bench.database).measure(&observations).await.unwrap();
    bench
}

/// Asserts that everything of the first `done` parts is stored: no early success.
fn check_stored(bench: &Bench, parts: &[Part], done: usize) {
    // Observations that change nothing are not in the lake; all are in the state.
    let is_in = |seen: &Observation| {
        let stored = bench.database.home(&home_id(seen)).unwrap();
        stored.is_some_and(|mut stored| stored.value.apply(seen) == Applied::Duplicate)
    };
    let mut poisoned = 0;
    for part in &parts[..done] {
        match part {
            Part::Sound(observations) => assert!(observations.iter().all(is_in)),
            Part::Poison(_) => poisoned += 1,
        }
    }
    assert!(bench.quarantined() >= poisoned);
}

/// Delivers until no failure is returned, each time from the returned number.
async fn deliver(parts: &[Part], ports: &Scripted, bench: &Bench, group: usize, is_warm: bool) -> usize {
    let events: Vec<Value> = parts.iter().zip(0..).map(|(part, n)| part.to_event(n)).collect();
    let (meter, clock) = (meter(), StandingClock::at(minute(700)));
    let fresh = || MetricsHandler::new(ports, ports, &clock, &meter).with_groups_of(group);
    let (mut app, mut from, mut deliveries) = (fresh(), 0, 0);
    loop {
        deliveries += 1;
        assert!(deliveries < 100, "the script has an end");
        let response = app.handle(&raw(&json!({ "Records": events[from..] })), later()).await.unwrap();
        let failed = failures(&response);
        assert!(failed.len() <= 1, "one number is enough");
        let Some(failed) = failed.first() else { break };
        from = (0..events.len()).find(|n| sequence(*n as u64) == *failed).expect("a number of the batch");
        check_stored(bench, parts, from);
        if !is_warm {
            // Lambda started another environment.
            app = fresh();
        }
    }
    check_stored(bench, parts, parts.len());
    deliveries
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn redelivery_from_the_returned_number_gives_the_state_of_a_clean_run(
        parts in parts(),
        commits in script(),
        reads in script(),
        quarantine in script(),
        group in 1..8_usize,
        is_warm in any::<bool>(),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let bench = Bench::new();
            let ports = Scripted::new(&bench.database).of_items(5).commits(&commits).reads(&reads).quarantine(&quarantine);
            let deliveries = deliver(&parts, &ports, &bench, group, is_warm).await;
            let faults = [&commits, &reads, &quarantine].into_iter().flatten().filter(|fault| **fault != Fault::None).count();
            assert!(deliveries <= faults + 1, "{deliveries} deliveries for {faults} faults");
            assert!(bench.image() == clean(&parts).await.image(), "the state differs");
            let poisoned = parts.iter().filter(|part| matches!(part, Part::Poison(_))).count();
            assert_eq!(bench.quarantined(), poisoned as u64, "each once");
        });
    }
}
