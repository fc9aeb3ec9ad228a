//! `cargo xtask bench areas`: what wide areas cost on AWS. A million homes in 40,000 markets (or `-- HOMES CODES`) are
//! put into the tables of a stack on local AWS, the roll-up function computes all sums, and the api function is asked
//! for them.
//!
//! Both are the deployed binaries, in processes of their own. Local AWS is one Python process, and slower than DynamoDB
//! and S3 under many requests; one request takes a few milliseconds.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use stoop_aws::{Clients, DynamoStore, NoLake};
use stoop_domain::{Address, Currency, Home, Listing, Market, Minor, Observation, PropertyType, Purpose, Status, Time};
use stoop_market::{Cells, Delta, DeltaSum, Zones, contribution};
use stoop_pipeline::Clock;
use stoop_pipeline::ports::{Commit, MarketChange, Store};
use stoop_runtime::SystemClock;
use stoop_tests::host::Host;
use stoop_tests::local::LocalAws;
use stoop_tests::stack::{Built, Stack};

/// The states of the homes; postal codes are invented, so the gazetteer knows only the states.
const STATES: [&str; 50] = [
    "AL", "AK", "AZ", "AR", "CA", "CO", "CT", "DE", "FL", "GA", "HI", "ID", "IL", "IN", "IA", "KS", "KY", "LA", "ME",
    "MD", "MA", "MI", "MN", "MS", "MO", "MT", "NE", "NV", "NH", "NJ", "NM", "NY", "NC", "ND", "OH", "OK", "OR", "PA",
    "RI", "SC", "SD", "TN", "TX", "UT", "VT", "VA", "WA", "WV", "WI", "WY",
];

/// The days over which homes are listed, cut and sold.
const DAYS: i64 = 430;

/// How often each question is asked.
const ASKED: usize = 21;

/// Homes that change before each of the last passes of the roll-up, like a poll.
const POLLED: u64 = 30;

const TIMEOUT: Duration = Duration::from_secs(300);
/// A pass that stops early has rolled up hundreds of markets.
const PASSES_MAX: usize = 10_000;

#[expect(clippy::too_many_lines, reason = "one program, read from top to bottom")]
fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().skip(1).filter(|arg| arg != "--bench").collect();
    let number = |address: usize, default: u64| args.get(address).and_then(|arg| arg.parse().ok()).unwrap_or(default);
    let (homes, codes) = (number(0, 1_000_000), number(1, 20_000));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let aws = LocalAws::start()?;
    let folder = tempfile::tempdir()?;
    let built = Built::for_release(&aws, &folder.path().join("built"))?;
    let stack = built.deploy(&aws, "stoop-areas", &[])?;
    let environment = stack.environment(&aws)?;
    let variable = |name: &str| environment.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone());
    let clients = Clients::from_variables(variable)?;
    runtime.block_on(async {
        let (mut markets, put) = (BTreeMap::new(), Instant::now());
        (0..homes).for_each(|home| add(&mut markets, home, codes, 0));
        let store = DynamoStore::new(
            clients.dynamodb(),
            stack.output("HomesTableName")?,
            stack.output("MarketsTableName")?,
            Arc::new(NoLake),
            Arc::new(SystemClock),
        );
        let count = markets.len();
        commit(&store, markets).await?;
        println!("{homes} homes in {count} markets are there after {:.0} s", put.elapsed().as_secs_f64());

        let rollup = Host::start(built.binary("rollup")?, environment.clone(), TIMEOUT).await?;
        let (began, mut passes) = (Instant::now(), 0);
        loop {
            passes += 1;
            anyhow::ensure!(passes <= PASSES_MAX, "{passes} passes, and something is left");
            let answer = rollup.invoke(&json!({})).await.map_err(|error| anyhow::anyhow!("{error:?}"))?;
            if answer["left"] == 0 {
                break;
            }
        }
        println!("all of it rolled up in {passes} passes, {:.0} s; {}", began.elapsed().as_secs_f64(), memory(&rollup));
        let mut took = Vec::new();
        for poll in 0..7 {
            let mut changed = BTreeMap::new();
            (0..POLLED).for_each(|home| add(&mut changed, homes + poll * POLLED + home, codes.min(10), 1));
            commit(&store, changed).await?;
            let began = Instant::now();
            rollup.invoke(&json!({})).await.map_err(|error| anyhow::anyhow!("{error:?}"))?;
            took.push(began.elapsed());
        }
        println!("a pass after a poll of {POLLED} changes in one county: {}", median(&mut took));

        let token = token(&clients, &stack).await?;
        let api = Host::start(built.binary("api")?, environment.clone(), TIMEOUT).await?;
        println!("api function, median of {ASKED} warm answers (min to max):");
        let (state, county) = (STATES[0].to_ascii_lowercase(), "county-0");
        for (path, query) in [
            ("us/".to_owned(), "days=400"),
            (format!("us/{state}"), "days=400"),
            (format!("us/{state}/{county}"), "days=400"),
            (format!("us/{state}/{county}/city-0"), "days=400"),
            (String::new(), "level=country"),
            (String::new(), "level=region&sort=cut_share&desc=true&purpose=sale"),
            (String::new(), "level=county&area=us/al&min_homes=50"),
            (String::new(), "level=city&area=us/al"),
        ] {
            let event = event(&path, query, &token)?;
            let mut took = Vec::new();
            let mut bytes = 0;
            for _ in 0..=ASKED {
                let began = Instant::now();
                let answer = api.invoke(&event).await.map_err(|error| anyhow::anyhow!("{error:?}"))?;
                took.push(began.elapsed());
                ensure!(answer["statusCode"] == 200, "{path}?{query}: {answer}");
                bytes = answer["body"].as_str().unwrap_or_default().len();
            }
            // The first one runs with cold caches.
            took.remove(0);
            println!("  {:<55} {:>7} kB  {}", format!("{path}?{query}"), bytes / 1_000, median(&mut took));
        }
        println!("  {}", memory(&api));
        Ok(())
    })
}

fn median(took: &mut [Duration]) -> String {
    took.sort_unstable();
    let ms = |address: usize| took[address].as_secs_f64() * 1_000.0;
    format!("{:.0} ms ({:.0} to {:.0})", ms(took.len() / 2), ms(0), ms(took.len() - 1))
}

fn memory(host: &Host) -> String {
    host.peak_memory_kb().map_or_else(String::new, |kb| format!("{} MB of memory at the most", kb / 1_000))
}

/// Adds a home's contribution to its market: it was listed some time in the last days, perhaps cut, perhaps sold.
/// `later` is for homes that come now.
fn add(markets: &mut BTreeMap<Market, DeltaSum>, home: u64, codes: u64, later: i64) {
    let random = home.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 11;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "a share")]
    let code = {
        let share = random as f64 / (1_u64 << 53) as f64;
        (share * share * codes as f64) as u64
    };
    let (city, county) = (code / 10, code / 40);
    let address = Address {
        postal_code: Some(format!("{:05}", 10_000 + code)),
        city: Some(format!("City {city}")),
        county: Some(format!("County {county}")),
        region: Some(STATES[usize::try_from(county).expect("few") % STATES.len()].to_owned()),
        country: Some("US".into()),
        ..Address::default()
    };
    let purpose = if random.is_multiple_of(4) { Purpose::Rent } else { Purpose::Sale };
    let mut listing = Listing::new(purpose, Currency::USD, address);
    listing.property_type = Some(PropertyType::SingleFamilyResidence).filter(|_| !random.is_multiple_of(3));
    listing.bedrooms = u8::try_from(random % 6).ok();
    let dollars = i64::try_from(100_000 + random % 900_000).expect("few");
    listing.list_price = Some(Minor(dollars * 100));
    let ago = |days: u64| SystemClock.now().plus_ms(-i64::try_from(days).expect("few") * Time::DAY_MS + later);
    let listed = if later == 0 { random % DAYS.cast_unsigned() } else { 0 };
    let mut found = Home::default();
    let mut seen = |days: u64, listing: &Listing| {
        found.apply(&Observation::new("bench", home.to_string(), ago(days), listing.clone()));
    };
    seen(listed, &listing);
    if random.is_multiple_of(5) {
        listing.list_price = Some(Minor(dollars * 93));
        seen(listed / 2, &listing);
    }
    if listed > 60 && random.is_multiple_of(2) {
        listing.status = Status::Closed;
        seen(listed / 3, &listing);
    } else {
        seen(0, &listing);
    }
    for (market, delta) in contribution(&found.history, &mut Zones::default()).into_deltas() {
        markets.entry(market).or_default().add(&delta);
    }
}

/// Adds these to the markets in the tables.
async fn commit(store: &DynamoStore, markets: BTreeMap<Market, DeltaSum>) -> Result<()> {
    let all: Vec<(Market, Delta)> = markets.into_iter().map(|(market, sum)| (market, sum.sum())).collect();
    for some in all.chunks(store.commit_items_max()) {
        let ids: Vec<Market> = some.iter().map(|(market, _)| market.clone()).collect();
        let stored = store.markets(&ids).await?;
        let states = stored.into_iter().map(|stored| stored.map_or((0, Cells::default()), |it| (it.version, it.value)));
        let states: Vec<(u64, Cells)> = states
            .zip(some)
            .map(|((version, mut state), (_, delta))| {
                drop(state.add(delta));
                (version, state)
            })
            .collect();
        let mut commit = Commit::default();
        for ((market, delta), (version_read, new)) in some.iter().zip(&states) {
            let (version_read, deltas) = (*version_read, vec![delta]);
            let change = MarketChange { market, version_read, new, deltas, fold_to: None, archived: Cells::default() };
            commit.markets.push(change);
        }
        store.commit(&commit).await?;
    }
    Ok(())
}

async fn token(clients: &Clients, stack: &Stack) -> Result<String> {
    let secret = clients.secrets().get_secret_value().secret_id(stack.output("ApiTokenSecretArn")?).send().await?;
    secret.secret_string.context("the secret has no text")
}

/// A request in the form that a function URL passes on.
fn event(path: &str, query: &str, token: &str) -> Result<Value> {
    let mut event: Value = serde_json::from_str(include_str!("../../events/api-function-url.json"))?;
    let path = format!("/api/v1/markets/{path}");
    event["rawPath"] = path.clone().into();
    event["rawQueryString"] = query.into();
    event["requestContext"]["http"]["path"] = path.into();
    event["headers"]["authorization"] = format!("Bearer {token}").into();
    Ok(event)
}
