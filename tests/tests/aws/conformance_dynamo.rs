//! The conformance suites on DynamoDB, and the faults that only DynamoDB has.

mod archive;
mod refused;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use crate::dynamo::faults::{Fault, Faults};
use crate::dynamo::{MemoryLake, Tables, Witness};
use stoop_aws::DynamoStore;
use stoop_domain::{Alert, Home, HomeId, Market, Observation, Time, Verdict};
use stoop_embedded::Database;
use stoop_market::{Cells, Delta, Zones, update};
use stoop_pipeline::Measurer;
use stoop_pipeline::ports::{
    Commit, CommitError, FailureKind, Ledger, MarketChange, PlanLedger, RunRecord, Store, Views,
};
use stoop_tests::conformance::{self, StoreWitness};
use stoop_tests::made;

async fn tables() -> Arc<Tables> {
    Arc::new(Tables::new().await)
}

#[tokio::test]
async fn dynamodb_is_a_store() {
    let made = Mutex::new(Vec::new());
    conformance::store_conformance(async || {
        let (tables, lake) = (tables().await, Arc::new(MemoryLake::default()));
        made.lock().unwrap().push(tables.clone());
        let store: Arc<dyn Store> = tables.store(&lake);
        let witness: Arc<dyn StoreWitness> = Arc::new(Witness { tables, lake });
        (store, witness)
    })
    .await;
    for tables in made.into_inner().unwrap() {
        tables.delete().await;
    }
}

#[tokio::test]
async fn dynamodb_says_how_it_fails() {
    use aws_sdk_dynamodb::types::AttributeValue;
    let tables = tables().await;
    let store = tables.store(&Arc::new(MemoryLake::default()));
    let spoil = async |id: &HomeId| {
        let request = tables.client.update_item().table_name(&tables.homes);
        let request = request.key("id", AttributeValue::S(id.to_string())).update_expression("SET body = :body");
        let body = AttributeValue::B(vec![0xff, 0, 0xff].into());
        request.expression_attribute_values(":body", body).send().await.unwrap();
    };
    conformance::store_failures_conformance(&*store, spoil).await;
    tables.delete().await;
    let error = store.homes(&[HomeId("avito/1".into())]).await.unwrap_err();
    assert_eq!(error.kind(), FailureKind::NotFound, "the table is gone: {error:?}");
}

#[tokio::test]
async fn dynamodb_is_a_ledger() {
    let tables = tables().await;
    let read = async || tables.views().alerts(true, 99).await.unwrap();
    let item = async |id: &str| {
        let key = aws_sdk_dynamodb::types::AttributeValue::S(id.to_owned());
        let request = tables.client.get_item().table_name(&tables.alerts).key("id", key).consistent_read(true);
        request.send().await.unwrap().item.unwrap()
    };
    let rules_of = async |id: &str| {
        let rules = item(item(id).await["rules"].as_s().unwrap()).await;
        assert!(!rules.contains_key("day"), "{rules:?} would be listed among the alerts of a day");
        rules["body"].as_s().unwrap().clone()
    };
    conformance::ledger_conformance(Arc::new(tables.ledger()), read, rules_of, &tables.views()).await;
    let scan = tables.client.scan().table_name(&tables.alerts).consistent_read(true).send().await.unwrap();
    assert_eq!(scan.count(), 4 + 2, "alerts, and each set of rules once");
    tables.delete().await;
}

#[tokio::test]
async fn dynamodb_is_a_ledger_of_runs() {
    let tables = tables().await;
    let read = async || -> Vec<RunRecord> {
        let scan = tables.client.scan().table_name(&tables.runs).consistent_read(true).send().await.unwrap();
        let records = scan.items().iter().map(|item| {
            let run: RunRecord = serde_json::from_str(item["body"].as_s().unwrap()).unwrap();
            let expires_at: i64 = item["expires_at"].as_n().unwrap().parse().unwrap();
            assert_eq!(expires_at * 1_000, run.began_at.ms() + 90 * Time::DAY_MS, "kept for ninety days");
            run
        });
        records.collect()
    };
    conformance::run_ledger_conformance(Arc::new(tables.runs()), read).await;
    tables.delete().await;
}

#[tokio::test]
async fn dynamodb_can_be_browsed() {
    let tables = tables().await;
    let store = tables.store(&Arc::new(MemoryLake::default()));
    let keep = async |next| tables.runs().sent(&[next]).await.unwrap();
    conformance::browse_conformance(&*store, &tables.runs(), &tables.browse(), keep).await;
    tables.delete().await;
}

#[tokio::test]
async fn dynamodb_is_a_ledger_of_plans() {
    let tables = tables().await;
    conformance::plan_ledger_conformance(Arc::new(tables.runs())).await;
    tables.delete().await;
}

#[tokio::test]
async fn dynamodb_keeps_controls_next_to_the_runs() {
    let tables = tables().await;
    conformance::search_controls_conformance(&tables.controls()).await;
    tables.delete().await;
}

#[tokio::test]
async fn dynamodb_keeps_budgets_next_to_the_runs() {
    let tables = tables().await;
    conformance::budgets_conformance(Arc::new(tables.budgets())).await;
    let scan = tables.client.scan().table_name(&tables.runs).consistent_read(true).send().await.unwrap();
    for item in scan.items() {
        assert!(item["subject"].as_s().unwrap().starts_with("account#api.test:8080#"));
        // The record is of 1970: it is kept for a month and a week after its newest booking.
        let expires_at: i64 = item["expires_at"].as_n().unwrap().parse().unwrap();
        assert_eq!(expires_at, 39 * Time::DAY_MS / 1_000);
    }
    assert_eq!(scan.items().len(), 2);
    tables.delete().await;
}

#[tokio::test]
async fn alerts_of_ninety_days_are_listed_latest_first() {
    let tables = tables().await;
    let alert = |day: i64, minute: i64, verdict: Verdict| {
        let minutes = minute - day * 1_440;
        made::alert(&format!("{day}-{minute}"), minutes, verdict)
    };
    let mut alerts: Vec<Alert> = [-1, 0, 0, 3, 9, 40, 89, 90, 400]
        .into_iter()
        .zip(0..)
        .map(|(day, minute)| alert(day, minute, Verdict::Alert))
        .collect();
    alerts.push(alert(3, 7, Verdict::Suspect("a tenth".into())));
    // More than one page of a day, most of them suspects.
    alerts.extend((0..40).map(|i| alert(9, 100 + i, Verdict::Suspect("a tenth".into()))));
    tables.ledger().record(&alerts, &stoop_rules::Rules::default()).await.unwrap();
    let ids = async |suspects: bool, limit: usize| -> Vec<String> {
        let message = tables.views().alerts(suspects, limit).await.unwrap();
        message.into_iter().map(|alert| alert.id.0).collect()
    };
    assert_eq!(ids(false, 99).await, ["-1-0", "0-2", "0-1", "3-3", "9-4", "40-5", "89-6"]);
    assert_eq!(ids(false, 5).await, ["-1-0", "0-2", "0-1", "3-3", "9-4"]);
    assert_eq!(ids(true, 5).await, ["-1-0", "0-2", "0-1", "3-7", "3-3"]);
    assert_eq!(ids(true, 99).await.len(), 48);
    assert_eq!(ids(true, 0).await, Vec::<String>::new());
    tables.delete().await;
}

#[tokio::test]
async fn the_names_of_all_markets_are_listed_in_order() {
    let (tables, lake) = (tables().await, Arc::new(MemoryLake::default()));
    assert_eq!(tables.views().market_ids().await.unwrap(), []);
    let store = tables.store(&lake);
    let markets: BTreeSet<Market> = (0..230).map(|i| made::market_in(&format!("City {i}"))).collect();
    let cells = Cells::default();
    for some in markets.iter().collect::<Vec<_>>().chunks(store.commit_items_max()) {
        let markets = some.iter().map(|market| change(market, 0, &cells, &[])).collect();
        store.commit(&Commit { markets, ..Commit::default() }).await.unwrap();
    }
    let mut expected: Vec<Market> = markets.into_iter().collect();
    expected.sort_by_key(ToString::to_string);
    assert_eq!(tables.views().market_ids().await.unwrap(), expected);
    tables.delete().await;
}

/// Observations of 60 homes in three cities over five hundred days, some of them twice, in batches.
fn five_hundred_days() -> Vec<Vec<Observation>> {
    let observation = |i: i64| {
        let (city, home, day) = (["Agadir", "Rabat", "Fes"][usize::try_from(i % 3).unwrap()], i % 60, i / 3);
        made::observation_in(city, &home.to_string(), day * 1_440 + i % 700, 400_000 + (i * i * 7_919) % 500_003)
    };
    let all: Vec<Observation> = (0..1_500).map(observation).collect();
    all.chunks(250)
        .enumerate()
        .map(|(at, some)| [&all[(at * 250).saturating_sub(20)..at * 250], some].concat())
        .collect()
}

#[tokio::test]
async fn a_measurer_gives_the_same_as_on_sqlite() {
    let (tables, lake) = (tables().await, Arc::new(MemoryLake::default()));
    let folder = tempfile::TempDir::new().unwrap();
    let sqlite = Database::open(&folder.path().join("stoop.db"), &folder.path().join("stoop-data")).unwrap();
    let dynamodb = tables.store(&lake);
    for batch in five_hundred_days() {
        // A new one each time, so that it has only what it reads.
        let expected = Measurer::new(&*sqlite).measure(&batch).await.unwrap();
        assert_eq!(Measurer::new(&*dynamodb).measure(&batch).await.unwrap(), expected);
    }
    let views = tables.views();
    let markets = views.market_ids().await.unwrap();
    assert_eq!(markets, sqlite.market_ids().unwrap());
    assert_eq!(markets.len(), 3);
    let states = [dynamodb.markets(&markets).await.unwrap(), sqlite.markets(&markets).await.unwrap()];
    for ((market, dynamodb), expected) in markets.iter().zip(&states[0]).zip(&states[1]) {
        let [dynamodb, expected] = [dynamodb, expected].map(|state| &state.as_ref().unwrap().value);
        assert_eq!(dynamodb.first_difference(expected), None, "{market}");
        let archive = views.archive(market).await.unwrap();
        assert!(archive.len() > 50, "a hundred days have left the horizon");
        assert_eq!(archive.first_difference(&sqlite.archive(market).unwrap()), None, "{market}");
    }
    let homes = sqlite.homes_after(None, 99).unwrap();
    let ids: Vec<HomeId> = homes.iter().map(|(id, _)| id.clone()).collect();
    let read = dynamodb.homes(&ids).await.unwrap();
    assert!(homes.iter().zip(&read).all(|((_, home), read)| read.as_ref().is_some_and(|read| read.value == *home)));
    tables.delete().await;
}

/// The contribution of many new homes to the market of Agadir.
fn deltas(names: &str, homes: i64) -> Vec<Delta> {
    // Without a pattern, because that would compress to almost nothing.
    let price = |i: i64| 400_000 + (i * i * 7_919 + 104_729 * i) % 5_000_003;
    let observation = |i: i64| made::observation(&format!("{names}{i}"), i * 7_919 % 40_000, price(i));
    let delta = |observation: Observation| {
        let mut home = Home::default();
        home.apply(&observation);
        update(None, &home.history, &mut Zones::default()).remove(0).1
    };
    (0..homes).map(observation).map(delta).collect()
}

fn change<'a>(market: &'a Market, version_read: u64, new: &'a Cells, deltas: &'a [Delta]) -> MarketChange<'a> {
    MarketChange {
        market,
        version_read,
        new,
        deltas: deltas.iter().collect(),
        fold_to: None,
        archived: Cells::default(),
    }
}

/// Adds homes to the market, retrying until no other writer interferes. Returns the number of conflicts.
async fn add(store: &DynamoStore, market: &Market, deltas: &[Delta]) -> usize {
    for conflicts in 0.. {
        let read = store.markets(std::slice::from_ref(market)).await.unwrap().remove(0);
        let (version, mut cells) = read.map_or((0, Cells::default()), |read| (read.version, read.value));
        deltas.iter().for_each(|delta| drop(cells.add(delta)));
        let commit = Commit { markets: vec![change(market, version, &cells, deltas)], ..Commit::default() };
        match store.commit(&commit).await {
            Ok(()) => return conflicts,
            Err(CommitError::Conflict) => {}
            Err(error) => panic!("{error:?}"),
        }
    }
    unreachable!("it ends with a commit")
}

fn sum(all: &[Vec<Delta>]) -> Cells {
    let mut cells = Cells::default();
    all.iter().flatten().for_each(|delta| drop(cells.add(delta)));
    cells
}

#[tokio::test]
async fn racing_processes_lose_nothing_of_a_market_and_leave_one_base() {
    let (tables, lake) = (tables().await, Arc::new(MemoryLake::default()));
    let market = made::market_in("Agadir");
    // Large commits, so that every few of them write a base and delete the one before.
    let mut all: Vec<Vec<Delta>> = (0..24).map(|i| deltas(&format!("{i}-"), 300)).collect();
    let writers: Vec<_> = (0..3)
        .map(|writer| {
            let (store, market) = (tables.store(&lake), market.clone());
            let mine: Vec<Vec<Delta>> = all.iter().skip(writer).step_by(3).cloned().collect();
            tokio::spawn(async move {
                let mut conflicts = 0;
                for deltas in &mine {
                    conflicts += add(&store, &market, deltas).await;
                }
                conflicts
            })
        })
        .collect();
    let mut conflicts = 0;
    for writer in writers {
        conflicts += writer.await.unwrap();
    }
    assert!(conflicts > 0, "all three began by reading that there was nothing");
    let read = tables.store(&lake).markets(std::slice::from_ref(&market)).await.unwrap().remove(0).unwrap();
    assert_eq!(read.version, 24);
    assert_eq!(read.value.first_difference(&sum(&all)), None, "after {conflicts} conflicts");

    // The remains of the losers are deleted with the next base but one.
    let before = tables.parts(&market).await.remove(0);
    let newest = async || tables.parts(&market).await.into_iter().rev().nth(1).unwrap();
    for i in 0.. {
        all.push(deltas(&format!("more{i}-"), 300));
        add(&tables.store(&lake), &market, &all[all.len() - 1]).await;
        if newest().await[..26] > before[..26] {
            break;
        }
        assert!(i < 20, "no base was written in twenty commits: {before}");
    }
    let parts = tables.parts(&market).await;
    assert_eq!((parts.len(), parts[1].as_str()), (2, "head"), "{parts:?}");
    let read = tables.store(&lake).markets(&[market]).await.unwrap().remove(0).unwrap();
    assert_eq!(read.value.first_difference(&sum(&all)), None);
    tables.delete().await;
}

/// Makes two commits, so large that the second writes a base.
async fn add_base(store: &DynamoStore, market: &Market, [first, second]: &[Vec<Delta>; 2]) {
    add(store, market, first).await;
    add(store, market, second).await;
}

#[tokio::test]
async fn a_base_replaced_during_the_read_is_read_again() {
    let (tables, lake) = (tables().await, Arc::new(MemoryLake::default()));
    let market = made::market_in("Agadir");
    let [first, second] = [["a", "b"], ["c", "d"]].map(|pair| pair.map(|names| deltas(names, 2_000)));
    let writer = tables.store(&lake);
    add_base(&writer, &market, &first).await;
    let old = tables.parts(&market).await;
    let overtake = {
        let (writer, market, second) = (writer.clone(), market.clone(), second.clone());
        Fault::After(Box::pin(async move { add_base(&writer, &market, &second).await }))
    };
    // After the head is read and before its base is, another writer replaces the base and deletes it.
    let (client, faults) = Faults::on(&tables.client, "BatchGetItem", [Fault::Pass, overtake]);
    let reader = tables.store_with(client, &lake);
    let read = reader.markets(std::slice::from_ref(&market)).await.unwrap().remove(0).unwrap();
    assert_eq!(faults.seen(), 4, "head, base, and both again");
    assert_ne!(tables.parts(&market).await, old);
    let all = [first, second].concat();
    assert_eq!((read.version, read.value.first_difference(&sum(&all))), (4, None));
    tables.delete().await;
}

#[tokio::test]
async fn a_missing_base_is_an_error_that_names_it() {
    let (tables, lake) = (tables().await, Arc::new(MemoryLake::default()));
    let market = made::market_in("Agadir");
    add_base(&tables.store(&lake), &market, &["a", "b"].map(|names| deltas(names, 2_000))).await;
    let part = tables.parts(&market).await.remove(0);
    let request = tables.client.delete_item().table_name(&tables.markets);
    let text = aws_sdk_dynamodb::types::AttributeValue::S;
    request.key("market", text(market.to_string())).key("part", text(part)).send().await.unwrap();
    let error = tables.store(&lake).markets(&[market]).await.unwrap_err();
    let shown = chain(&error);
    let expected = format!(
        "read the market ma/souss-massa/agadir-ida-ou-tanane/agadir/-:sale:MAD in the table {}: 0 of the 1 chunks",
        tables.markets
    );
    assert!(shown.starts_with(&expected), "{shown}");
    tables.delete().await;
}

#[tokio::test]
async fn a_new_handle_commits_to_the_given_version() {
    let (tables, lake) = (tables().await, Arc::new(MemoryLake::default()));
    let market = made::market_in("Agadir");
    let all = ["a", "b", "c"].map(|names| deltas(names, 3));
    add(&tables.store(&lake), &market, &all[0]).await;
    let stranger = tables.store(&lake);
    let mut cells = sum(&all[..1]);
    all[1].iter().for_each(|delta| drop(cells.add(delta)));
    let commit = |version| Commit { markets: vec![change(&market, version, &cells, &all[1])], ..Commit::default() };
    assert!(matches!(stranger.commit(&commit(2)).await, Err(CommitError::Conflict)));
    stranger.commit(&commit(1)).await.unwrap();
    assert!(matches!(stranger.commit(&commit(1)).await, Err(CommitError::Conflict)));
    let read = stranger.markets(&[market]).await.unwrap().remove(0).unwrap();
    assert_eq!((read.version, read.value.first_difference(&cells)), (2, None));
    tables.delete().await;
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut shown = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        shown = format!("{shown}: {error}");
        cause = error.source();
    }
    shown
}
