//! Refusals of DynamoDB, and responses lost in the network.

use std::sync::Arc;

use stoop_domain::Observation;
use stoop_market::Cells;
use stoop_pipeline::ports::{Commit, CommitError, FailureKind, HomeChange, PortError, Store};
use stoop_tests::made;

use super::{add, chain, change, deltas, sum};
use crate::dynamo::faults::{Fault, Faults};
use crate::dynamo::{MemoryLake, Tables};

/// The response to a transaction that was cancelled for these reasons.
fn cancelled(codes: &[&str]) -> Fault {
    let reasons: Vec<_> =
        codes.iter().map(|code| serde_json::json!({"Code": code, "Message": "Throughput exceeds"})).collect();
    let body = serde_json::json!({
        "__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
        "message": "Transaction cancelled, please refer cancellation reasons for specific reasons",
        "CancellationReasons": reasons,
    });
    Fault::Answer(400, body.to_string())
}

fn in_progress() -> Fault {
    let kind = "com.amazonaws.dynamodb.v20120810#TransactionInProgressException";
    Fault::Answer(400, serde_json::json!({"__type": kind, "Message": "busy"}).to_string())
}

#[tokio::test]
async fn a_throttled_transaction_is_not_a_conflict() {
    let (tables, lake) = (Tables::new().await, Arc::new(MemoryLake::default()));
    let observation = made::observation("1", 0, 1);
    let (id, home) = made::home(&[&observation]);
    let homes = vec![HomeChange::of(&id, 0, None, &home, true)];
    let (market, cells) = (made::market_in("Agadir"), Cells::default());
    let markets = vec![change(&market, 0, &cells, &[])];
    let commit = Commit { homes, markets, observations: vec![&observation] };
    let answers = [
        cancelled(&["None", "ThrottlingError"]),
        cancelled(&["TransactionConflict", "None"]),
        in_progress(),
        in_progress(),
        in_progress(),
    ];
    let (client, faults) = Faults::on(&tables.client, "TransactWriteItems", answers);
    let store = tables.store_with(client, &lake);
    let Err(CommitError::Port(error)) = store.commit(&commit).await else { panic!("it is neither stored nor refused") };
    let expected = format!(
        "TransactWriteItems on the tables {} and {}: the market {market}: ThrottlingError: Throughput exceeds",
        tables.homes, tables.markets
    );
    assert_eq!((chain(&error), error.kind()), (expected, FailureKind::Throttled));
    assert_eq!(faults.seen(), 1, "it is for the caller to try again");
    assert!(matches!(store.commit(&commit).await, Err(CommitError::Conflict)));
    let Err(CommitError::Port(error)) = store.commit(&commit).await else { panic!("it is neither stored nor refused") };
    assert!(chain(&error).ends_with(": TransactionInProgressException: busy"), "{}", chain(&error));
    assert_eq!(faults.seen(), 5, "the SDK's three attempts");
    assert_eq!(store.homes(std::slice::from_ref(&id)).await.unwrap(), [None]);
    assert_eq!(lake.kept().len(), 3, "the lake comes first");
    store.commit(&commit).await.unwrap();
    assert_eq!(store.homes(&[id]).await.unwrap()[0].as_ref().unwrap().value, home);
    tables.delete().await;
}

#[tokio::test]
async fn a_commit_whose_response_was_lost_is_stored_once_without_a_conflict() {
    let (tables, lake) = (Tables::new().await, Arc::new(MemoryLake::default()));
    let (client, faults) = Faults::on(&tables.client, "TransactWriteItems", [Fault::LoseAnswer]);
    let store = tables.store_with(client, &lake);
    let (market, some) = (made::market_in("Agadir"), deltas("a", 3));
    assert_eq!(add(&store, &market, &some).await, 0);
    assert_eq!(faults.seen(), 2, "the SDK asks again, with the same token");
    let read = store.markets(&[market]).await.unwrap().remove(0).unwrap();
    assert_eq!((read.version, read.value.first_difference(&sum(&[some]))), (1, None));
    tables.delete().await;
}

#[tokio::test]
async fn a_home_larger_than_an_item_is_refused_before_anything_is_written() {
    let (tables, lake) = (Tables::new().await, Arc::new(MemoryLake::default()));
    let store = tables.store(&lake);
    let observation = made::observation("1", 0, 1);
    let (id, home) = made::home(&[&observation]);
    let mut large = made::observation("2", 0, 1);
    large.listing.details.title = Some("é".repeat(200_000));
    let (large_id, large_home) = made::home(&[&large]);
    let (market, cells) = (made::market_in("Agadir"), Cells::default());
    let of = |id, new| HomeChange::of(id, 0, None, new, true);
    let commit = Commit {
        homes: vec![of(&id, &home), of(&large_id, &large_home)],
        markets: vec![change(&market, 0, &cells, &[])],
        observations: vec![&observation, &large],
    };
    match store.commit(&commit).await {
        Err(CommitError::TooLarge { home, bytes }) => assert_eq!((&home, bytes > 400_000), (&large_id, true)),
        other => panic!("{other:?}"),
    }
    assert_eq!(lake.kept(), []);
    assert_eq!(store.homes(std::slice::from_ref(&id)).await.unwrap(), [None]);

    large.listing.details.title = Some("é".repeat(199_000));
    let (large_id, large_home) = made::home(&[&large]);
    let fits = Commit { homes: vec![of(&large_id, &large_home)], ..Commit::default() };
    store.commit(&fits).await.unwrap();
    let read = store.homes(&[id, large_id]).await.unwrap();
    assert_eq!(read[1].as_ref().unwrap().value, large_home, "a home just below the bound is stored");
    tables.delete().await;
}

#[tokio::test]
async fn a_commit_larger_than_a_transaction_says_so() {
    let (tables, lake) = (Tables::new().await, Arc::new(MemoryLake::default()));
    let mut observations: Vec<Observation> = (0..11).map(|i| made::observation(&i.to_string(), 0, 1)).collect();
    for observation in &mut observations {
        observation.listing.details.title = Some("x".repeat(390_000));
    }
    let homes: Vec<_> = observations.iter().map(|observation| made::home(&[observation])).collect();
    let change = |(id, new)| HomeChange::of(id, 0, None, new, true);
    let commit = Commit { homes: homes.iter().map(|(id, home)| change((id, home))).collect(), ..Commit::default() };
    let Err(CommitError::Port(error)) = tables.store(&lake).commit(&commit).await else { panic!("it does not fit") };
    assert!(chain(&error).ends_with("at most 3932160 go into one"), "{}", chain(&error));
    tables.delete().await;
}

/// A response to `BatchGetItem` with everything unprocessed.
fn unprocessed(table: &str, ids: &[&str]) -> Fault {
    let keys: Vec<_> = ids.iter().map(|id| serde_json::json!({"id": {"S": id}})).collect();
    let left = serde_json::json!({table: {"Keys": keys, "ConsistentRead": true}});
    Fault::Answer(200, serde_json::json!({"Responses": {}, "UnprocessedKeys": left}).to_string())
}

#[tokio::test]
async fn unprocessed_keys_are_read_again_but_not_for_ever() {
    let (tables, lake) = (Tables::new().await, Arc::new(MemoryLake::default()));
    let observation = made::observation("1", 0, 1);
    let (id, home) = made::home(&[&observation]);
    let homes = vec![HomeChange::of(&id, 0, None, &home, true)];
    tables.store(&lake).commit(&Commit { homes, ..Commit::default() }).await.unwrap();
    let ids = ["avito/1"];

    let twice = [unprocessed(&tables.homes, &ids), unprocessed(&tables.homes, &ids)];
    let (client, _) = Faults::on(&tables.client, "BatchGetItem", twice);
    let read = tables.store_with(client, &lake).homes(std::slice::from_ref(&id)).await.unwrap();
    assert_eq!(read[0].as_ref().unwrap().value, home);

    let always = std::iter::repeat_with(|| unprocessed(&tables.homes, &ids)).take(100);
    let (client, faults) = Faults::on(&tables.client, "BatchGetItem", always);
    let error: PortError = tables.store_with(client, &lake).homes(&[id]).await.unwrap_err();
    let shown = chain(&error);
    assert!(shown.contains(&tables.homes) && shown.contains("1 of them were still unprocessed"), "{shown}");
    assert_eq!(faults.seen(), 7);
    tables.delete().await;
}
