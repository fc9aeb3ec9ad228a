//! The archive of a market on DynamoDB: writers that die or race, and readers with concurrent writers.

use std::sync::Arc;

use stoop_aws::DynamoStore;
use stoop_domain::Market;
use stoop_market::Cells;
use stoop_pipeline::ports::{Commit, CommitError, MarketChange, Store, Views};
use stoop_tests::made;

use super::{chain, change, tables};
use crate::dynamo::faults::{Fault, Faults};
use crate::dynamo::{MemoryLake, Tables};

/// The archive of this many homes seen on one day.
fn leaving(day: i64, homes: i64) -> Cells {
    let price = |i: i64| 400_000 + (i * i * 7_919 + 104_729 * i) % 5_000_003;
    let seen = |i: i64| made::observation(&i.to_string(), day * 1_440, price(i));
    made::archived(&(0..homes).map(seen).collect::<Vec<_>>())
}

async fn version(store: &DynamoStore, market: &Market) -> u64 {
    store.markets(std::slice::from_ref(market)).await.unwrap().remove(0).map_or(0, |stored| stored.version)
}

async fn try_archive(
    store: &DynamoStore,
    market: &Market,
    version_read: u64,
    archived: &Cells,
) -> Result<(), CommitError> {
    let cells = Cells::default();
    let change = MarketChange { archived: archived.clone(), ..change(market, version_read, &cells, &[]) };
    store.commit(&Commit { markets: vec![change], ..Commit::default() }).await
}

/// Archives, retrying until no other writer interferes.
async fn archive(store: &DynamoStore, market: &Market, archived: &Cells) {
    for _ in 0..1_000 {
        match try_archive(store, market, version(store, market).await, archived).await {
            Ok(()) => return,
            Err(CommitError::Conflict) => {}
            Err(error) => panic!("{error:?}"),
        }
    }
    panic!("a thousand conflicts");
}

fn sum(of: &[&Cells]) -> Cells {
    let mut sum = Cells::default();
    of.iter().for_each(|cells| sum.merge(cells));
    sum
}

async fn assert_archive(tables: &Tables, market: &Market, expected: &Cells, when: &str) {
    let read = tables.views().archive(market).await.unwrap();
    assert_eq!(read.first_difference(expected), None, "{when}");
}

#[tokio::test]
async fn pieces_are_merged_and_replaced_ones_deleted() {
    let (tables, lake) = (tables().await, Arc::new(MemoryLake::default()));
    let (store, market) = (tables.store(&lake), made::market_in("Agadir"));
    let mut all = Vec::new();
    for day in 0..60 {
        all.push(leaving(day, if day % 20 == 0 { 500 } else { 1 + day % 3 }));
        archive(&store, &market, &all[all.len() - 1]).await;
        let parts = tables.archive_parts(&market).await;
        assert!(parts.len() <= 10, "{parts:?}");
    }
    assert_archive(&tables, &market, &sum(&all.iter().collect::<Vec<_>>()), "after sixty commits").await;
    tables.delete().await;
}

/// A refusal that the SDK does not retry.
fn refused() -> Fault {
    let kind = "com.amazonaws.dynamodb.v20120810#ValidationException";
    Fault::Answer(400, serde_json::json!({"__type": kind, "message": "made up"}).to_string())
}

#[tokio::test]
async fn a_writer_killed_before_any_call_loses_nothing_and_counts_nothing_twice() {
    // More than one chunk, so that it can die between two as well.
    let [first, second] = [70_000, 72_000].map(|homes| made::archived(&made::scattered(homes)));
    let calls = [
        ("BatchGetItem", 0, false),
        ("PutItem", 0, false),
        ("PutItem", 1, false),
        ("TransactWriteItems", 0, false),
        // It is stored from here on.
        ("Query", 0, true),
        ("DeleteItem", 0, true),
        ("DeleteItem", 1, true),
    ];
    for (operation, passed, is_stored) in calls {
        let (tables, lake) = (tables().await, Arc::new(MemoryLake::default()));
        let market = made::market_in("Agadir");
        archive(&tables.store(&lake), &market, &first).await;
        let parts = tables.archive_parts(&market).await;
        assert!(parts.len() > 1, "{parts:?}");

        let dies = std::iter::repeat_with(|| Fault::Pass).take(passed).chain(std::iter::repeat_with(refused).take(99));
        let (client, faults) = Faults::on(&tables.client, operation, dies);
        let dying = tables.store_with(client, &lake);
        let when = format!("dead before {operation} {passed}");
        let outcome = try_archive(&dying, &market, 1, &second).await;
        assert!(faults.seen() > passed, "{when}: never called");
        // A missing cleanup is not an error.
        assert_eq!(outcome.is_ok(), is_stored, "{when}: {outcome:?}");
        let now = if is_stored { sum(&[&first, &second]) } else { first.clone() };
        assert_archive(&tables, &market, &now, &when).await;

        let store = tables.store(&lake);
        if !is_stored {
            archive(&store, &market, &second).await;
        }
        assert_eq!(version(&store, &market).await, 2, "{when}");
        assert_archive(&tables, &market, &sum(&[&first, &second]), &when).await;
        // Its remains are deleted by the next commit that merges pieces: here all of them.
        let third = sum(&[&first, &second]);
        archive(&store, &market, &third).await;
        assert_archive(&tables, &market, &sum(&[&third, &third]), &when).await;
        let version_3 = format!("block#{:020}-", 3);
        let parts = tables.archive_parts(&market).await;
        assert!(parts.iter().all(|part| part.starts_with(&version_3)), "{when}: {parts:?}");
        tables.delete().await;
    }
}

#[tokio::test]
async fn a_writer_without_a_response_has_archived_once() {
    let (tables, lake) = (tables().await, Arc::new(MemoryLake::default()));
    let market = made::market_in("Agadir");
    let (first, second) = (leaving(0, 3), leaving(40, 3));
    archive(&tables.store(&lake), &market, &first).await;
    let (client, _) = Faults::on(&tables.client, "TransactWriteItems", [Fault::LoseAnswer, refused()]);
    let store = tables.store_with(client, &lake);
    let outcome = try_archive(&store, &market, 1, &second).await;
    assert!(matches!(outcome, Err(CommitError::Port(_))), "{outcome:?}");
    assert_archive(&tables, &market, &sum(&[&first, &second]), "stored, as the measurer finds out").await;
    assert!(matches!(try_archive(&store, &market, 1, &second).await, Err(CommitError::Conflict)));
    assert_archive(&tables, &market, &sum(&[&first, &second]), "and refused").await;
    tables.delete().await;
}

#[tokio::test]
async fn an_archive_replaced_during_the_read_is_read_again() {
    let (tables, lake) = (tables().await, Arc::new(MemoryLake::default()));
    let market = made::market_in("Agadir");
    let (first, second) = (leaving(0, 30), leaving(40, 30));
    let writer = tables.store(&lake);
    archive(&writer, &market, &first).await;
    let old = tables.archive_parts(&market).await;
    let overtake = {
        let (writer, market, second) = (writer.clone(), market.clone(), second.clone());
        Fault::After(Box::pin(async move { archive(&writer, &market, &second).await }))
    };
    // After the head is read and before its piece is, another writer replaces that.
    let (client, faults) = Faults::on(&tables.client, "BatchGetItem", [Fault::Pass, overtake]);
    let read = tables.views_with(client).archive(&market).await.unwrap();
    assert_eq!(faults.seen(), 4, "head, piece, and both again");
    assert!(tables.archive_parts(&market).await.iter().all(|part| !old.contains(part)));
    assert_eq!(read.first_difference(&sum(&[&first, &second])), None);
    tables.delete().await;
}

#[tokio::test]
async fn a_writer_whose_piece_was_replaced_has_a_conflict() {
    let (tables, lake) = (tables().await, Arc::new(MemoryLake::default()));
    let market = made::market_in("Agadir");
    let [first, second, third] = [0, 40, 80].map(|day| leaving(day, 30));
    let (slow, fast) = (tables.store(&lake), tables.store(&lake));
    archive(&slow, &market, &first).await;
    archive(&fast, &market, &second).await;
    // It has the head of version 1 in its cache.
    assert!(matches!(try_archive(&slow, &market, 1, &third).await, Err(CommitError::Conflict)));
    assert_archive(&tables, &market, &sum(&[&first, &second]), "refused").await;
    archive(&slow, &market, &third).await;
    assert_archive(&tables, &market, &sum(&[&first, &second, &third]), "tried again").await;
    tables.delete().await;
}

#[tokio::test]
async fn a_missing_piece_is_an_error_that_names_it() {
    let (tables, lake) = (tables().await, Arc::new(MemoryLake::default()));
    let market = made::market_in("Agadir");
    let store = tables.store(&lake);
    archive(&store, &market, &leaving(0, 30)).await;
    let part = tables.archive_parts(&market).await.remove(0);
    let request = tables.client.delete_item().table_name(&tables.markets);
    let text = aws_sdk_dynamodb::types::AttributeValue::S;
    request.key("market", text(format!("archive:{market}"))).key("part", text(part)).send().await.unwrap();
    let shown = chain(&tables.views().archive(&market).await.unwrap_err());
    let what = format!(
        "the archive of ma/souss-massa/agadir-ida-ou-tanane/agadir/-:sale:MAD in the table {}: 0 of the 1 chunks",
        tables.markets
    );
    assert!(shown.starts_with(&format!("read {what}")), "{shown}");
    let error = try_archive(&store, &market, 1, &leaving(40, 30)).await.unwrap_err();
    assert!(matches!(error, CommitError::Port(_)), "no conflict: reading again would not help");
    let shown = chain(&error);
    assert!(shown.starts_with(&format!("add to {what}")), "{shown}");
    tables.delete().await;
}

#[tokio::test]
async fn racing_processes_lose_nothing_of_an_archive() {
    let (tables, lake) = (tables().await, Arc::new(MemoryLake::default()));
    let market = made::market_in("Agadir");
    let all: Vec<Cells> = (0..30).map(|i| leaving(i % 7 * 40, 1 + i % 4 * 30)).collect();
    let writers: Vec<_> = (0..3)
        .map(|writer| {
            let (store, market) = (tables.store(&lake), market.clone());
            let mine: Vec<Cells> = all.iter().skip(writer).step_by(3).cloned().collect();
            tokio::spawn(async move {
                for cells in &mine {
                    archive(&store, &market, cells).await;
                }
            })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap();
    }
    assert_eq!(version(&tables.store(&lake), &market).await, 30);
    assert_archive(&tables, &market, &sum(&all.iter().collect::<Vec<_>>()), "after a race of three").await;
    tables.delete().await;
}
