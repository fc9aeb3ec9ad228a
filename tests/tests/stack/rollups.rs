//! The sums of counties, regions and countries: they equal those of their markets, with any faults of the function, of
//! its calls, and of concurrent runs.

use serde_json::{Value, json};
use stoop_aws::StackAreas;
use stoop_domain::{Market, Observation};
use stoop_market::Segment;
use stoop_pipeline::ports::{RollUps, WideAreas};
use stoop_pipeline::{Clock, WideArea, WideLevel};
use stoop_runtime::SystemClock;
use stoop_serve::AddUp;
use stoop_tests::made::observation_in;

use crate::hosted::{Hosted, TIMEOUT, failures, kinesis_batch};
use crate::proxy::{Fate, throttled};
use crate::world::{World, eventually, say};

const LEVELS: [WideLevel; 3] = [WideLevel::County, WideLevel::Region, WideLevel::Country];

fn areas(world: &World) -> StackAreas {
    let (state, clients) = (&world.state, &world.clients);
    StackAreas::new(clients.dynamodb(), clients.s3(), &state.tables.markets, &state.bucket)
}

/// Checks that each sum equals that of its markets; otherwise returns the difference. Counts the homes in areas with
/// this prefix.
async fn are_sums(world: &World) -> Result<usize, String> {
    let (areas, now) = (areas(world), SystemClock.now());
    let waiting = areas.changed().await.map_err(|error| error.to_string())?;
    if !waiting.is_empty() {
        return Err(format!("{} markets wait, {} among them", waiting.len(), waiting[0]));
    }
    let markets = areas.markets().await.unwrap();
    let from = stoop_domain::Day(0);
    let read = areas.whole(&markets, from).await.unwrap();
    let whole: Vec<(Market, _)> =
        markets.iter().cloned().zip(read).map(|(market, whole)| (market, whole.unwrap())).collect();
    let mut homes = 0;
    for level in LEVELS {
        let mut listed = Vec::new();
        areas.each(level, &markets, now, &mut |area, shown| listed.push((area, shown))).await.unwrap();
        for (area, shown) in listed {
            let of = |(market, _): &&(Market, _)| WideArea::of(market, level) == area;
            let mut expected = AddUp::new(&area, now, 0);
            whole.iter().filter(of).for_each(|(_, whole)| expected.add(&whole.state));
            let (expected, _) = expected.sum();
            let zone = area.country().zone;
            let figures = |sum: &stoop_market::Wide| sum.figures(Segment::All, now, &zone);
            let expected = figures(&expected);
            let shown = shown.ok_or_else(|| format!("{area} has no sum"))?;
            let got = figures(&shown.sum);
            if got != expected {
                return Err(format!("{area} is {got:?}, and its markets are {expected:?}"));
            }
            homes += usize::try_from(got.active).unwrap();
        }
    }
    Ok(homes)
}

/// Polled homes are in the sums a minute later by themselves, and the API serves them.
pub(crate) async fn within_a_minute(world: &World) {
    world.polled_once().await;
    if world.kind != stoop_tests::local::EmulatorKind::MiniStack {
        say("the roll-up is invoked: this emulator's schedules do not fire");
        world.raw.invoke(world.output("RollupFunctionName"), &json!({})).await.unwrap();
    }
    let homes = eventually("every area is the sum of its markets", || are_sums(world)).await;
    assert!(homes > 0, "there are homes");
    let secret = world.clients.secrets().get_secret_value().secret_id(world.output("ApiTokenSecretArn"));
    let token = secret.send().await.unwrap().secret_string.unwrap();
    let url = world.function_url();
    let get = async |path: &str| {
        let answer = world.raw.get(&url, path, Some(&token)).await.unwrap();
        assert_eq!(answer.status, 200, "{path}: {}", answer.body);
        answer.body
    };
    let countries = get("/api/v1/markets?level=country&sort=active&desc=true").await;
    let rows = countries["markets"].as_array().unwrap();
    assert!(!rows.is_empty(), "{countries}");
    for row in rows {
        let (path, active) = (row["path"].as_str().unwrap(), row["active"].as_i64().unwrap());
        let (purpose, currency) = (row["purpose"].as_str().unwrap(), row["currency"].as_str().unwrap());
        let country = get(&format!("/api/v1/markets/{path}/?purpose={purpose}&currency={currency}&days=30")).await;
        assert_eq!(country["rolled_up_at"], Value::Null, "nothing waits: {country}");
        assert_eq!(country["markets"][0]["active"].as_i64(), Some(active), "{country}");
        let regions =
            get(&format!("/api/v1/markets?level=region&area={path}/&purpose={purpose}&currency={currency}")).await;
        let sum: i64 = regions["markets"].as_array().unwrap().iter().map(|row| row["active"].as_i64().unwrap()).sum();
        assert_eq!(sum, active, "{regions}");
    }
}

/// This many homes of a city, at their own price.
fn town(city: &str, homes: usize, round: i64) -> Vec<Observation> {
    let seen = |home: usize| {
        let dirhams = 700_000 + 1_000 * i64::try_from(home).unwrap() - 700 * round;
        observation_in(city, &format!("{city}-{home}"), 60 * round, dirhams)
    };
    (0..homes).map(seen).collect()
}

/// The function's calls are refused, lost and never answered, and it is killed at each of them; the next one makes up for it.
#[expect(clippy::too_many_lines, reason = "one scenario, read from top to bottom")]
pub(crate) async fn throttled_and_killed(world: &World) {
    world.polled_once().await;
    let metrics = Hosted::start(world, "metrics", &[], TIMEOUT).await;
    let rollup = Hosted::start(world, "rollup", &[], TIMEOUT).await;
    let cities = ["Kenitra", "Settat", "Nador", "Guercif"];
    let change = async |round: i64| {
        let batch: Vec<Vec<Observation>> = cities.iter().map(|city| town(city, 6, round)).collect();
        let response = metrics.host.invoke(&kinesis_batch(0, &batch)).await.unwrap();
        assert_eq!(failures(&response), Vec::<String>::new());
    };
    let mut round = 0;
    // A parent that is refused, permanently and occasionally; if only the response is lost, the work is found done.
    for (operation, fate) in [
        ("PUT ", throttled()),
        ("PUT ", Fate::ForwardAndFail),
        ("GET ", throttled()),
        ("UpdateItem", throttled()),
        ("UpdateItem", Fate::ForwardAndFail),
        ("BatchGetItem", throttled()),
    ] {
        round += 1;
        change(round).await;
        let of_one = operation == "PUT ";
        rollup.proxy.fail(move |asked, _| {
            let is_it = asked.starts_with(operation) && (!of_one || asked.contains("rollups/"));
            if is_it { fate.clone() } else { Fate::Forward }
        });
        let answer = rollup.host.invoke(&json!({})).await;
        assert!(!rollup.proxy.struck().is_empty(), "{operation} was not called: {answer:?}");
        rollup.proxy.heal();
        let answer = rollup.host.invoke(&json!({})).await.unwrap();
        assert_eq!(answer["left"], 0, "{operation}: {answer}");
        eventually(&format!("the sums are right after {operation}"), || are_sums(world)).await;
    }
    // The query of the waiting markets is refused: nothing is known, and the invocation fails for CloudWatch to see.
    round += 1;
    change(round).await;
    rollup.proxy.fail(|operation, _| if operation == "Query" { throttled() } else { Fate::Forward });
    let answer = rollup.host.invoke(&json!({})).await;
    assert!(answer.is_err(), "{answer:?}");
    rollup.proxy.heal();

    for (operation, nth, fate) in [
        ("Query", 1, Fate::Hang),
        ("BatchGetItem", 1, Fate::Hang),
        ("PUT ", 1, Fate::Hang),
        ("PUT ", 1, Fate::ForwardAndHang),
        ("PUT ", 2, Fate::Hang),
        ("PUT ", 3, Fate::ForwardAndHang),
        ("UpdateItem", 1, Fate::Hang),
        ("UpdateItem", 1, Fate::ForwardAndHang),
        ("UpdateItem", 2, Fate::Hang),
    ] {
        round += 1;
        change(round).await;
        let mut seen = 0;
        rollup.proxy.fail(move |asked, _| {
            seen += usize::from(asked.starts_with(operation));
            if asked.starts_with(operation) && seen == nth { fate.clone() } else { Fate::Forward }
        });
        rollup.invoke_and_kill(&json!({})).await;
        rollup.proxy.heal();
        rollup.host.restart().await.unwrap();
        rollup.host.invoke(&json!({})).await.unwrap();
        eventually(&format!("the sums are right, killed at {operation}{nth}"), || are_sums(world)).await;
    }
    // Twice at the same time, in addition to the schedule's.
    let other = Hosted::start(world, "rollup", &[], TIMEOUT).await;
    for _ in 0..3 {
        round += 1;
        change(round).await;
        let tick = json!({});
        let (one, two) = tokio::join!(rollup.host.invoke(&tick), other.host.invoke(&tick));
        assert!(one.is_ok() && two.is_ok(), "{one:?} {two:?}");
        eventually("the sums are right, rolled up twice at once", || are_sums(world)).await;
    }
}
