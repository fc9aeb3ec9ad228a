//! One commit: writes before the transaction, the transaction, and the cleanup after it.

use std::ops::Range;

use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{AttributeValue, CancellationReason, Put, TransactWriteItem};
use stoop_domain::{Market, Time};
use stoop_pipeline::ports::{
    Commit, CommitError, FailureKind, HomeChange, HomeImage, MarketChange, MergedMarket, PortError,
};
use stoop_pipeline::with_causes;

use super::archive::Piece;
use super::attributes::{Item, bytes, item, number, text, text_of};
use super::block::parts_of;
use super::head::{Head, HeadStep, archive_partition, merged_partition};
use super::market::read_heads;
use super::merged::merged_block;
use super::store::DynamoStore;
use crate::chance::random;
use crate::error::{because, failed, reason};
use crate::failure::of_code;

/// DynamoDB's limit for the actions of one transaction.
pub(super) const ACTIONS_MAX: usize = 100;
/// The most bytes of a home: an item may have 400 KB, and the other attributes take less than ten.
const HOME_BYTES_MAX: usize = 390 << 10;
/// DynamoDB's limit for all items of one transaction, less a margin for small attributes.
const COMMIT_BYTES_MAX: usize = (4 << 20) - (256 << 10);

/// The change of one market.
struct MarketStep<'a> {
    change: &'a MarketChange<'a>,
    step: HeadStep,
    /// The addition to the archive.
    piece: Option<Piece>,
}

pub(super) async fn commit(store: &DynamoStore, commit: &Commit<'_>) -> Result<(), CommitError> {
    check_homes(&commit.homes)?;
    let markets = market_steps(store, &commit.markets).await?;
    store_steps(store, commit, markets).await
}

/// Stores a market with its merged homes.
pub(super) async fn commit_merged(
    store: &DynamoStore,
    change: &MarketChange<'_>,
    merged: &MergedMarket,
) -> Result<(), CommitError> {
    let commit = Commit { markets: vec![change.clone()], ..Commit::default() };
    let mut markets = market_steps(store, &commit.markets).await?;
    let mut replaced = 0..0;
    for step in &mut markets {
        let block = merged_block(merged, step.step.head.version, change.market)?;
        for item in block.iter().flat_map(|block| block.items(&merged_partition(change.market))) {
            put(store, item, || format!("a chunk of the merged homes of {}", change.market)).await?;
        }
        replaced = 0..step.step.head.version;
        step.step.head.merged = block.map(|block| block.reference);
    }
    store_steps(store, &commit, markets).await?;
    clear_blocks(store, &merged_partition(change.market), replaced).await;
    Ok(())
}

async fn store_steps(
    store: &DynamoStore,
    commit: &Commit<'_>,
    markets: Vec<MarketStep<'_>>,
) -> Result<(), CommitError> {
    check_size(store, &commit.homes, &markets)?;
    if !commit.observations.is_empty() {
        store.lake.keep(&commit.observations).await?;
    }
    if commit.homes.is_empty() && markets.is_empty() {
        return Ok(());
    }
    for MarketStep { change: MarketChange { market, .. }, step, piece } in &markets {
        let base = step.base.iter().flat_map(|base| base.items(&market.to_string()));
        for item in base {
            put(store, item, || format!("a chunk of the base of {market}")).await?;
        }
        for item in piece.iter().flat_map(|piece| piece.items(market)) {
            put(store, item, || format!("a chunk of the archive of {market}")).await?;
        }
    }
    if let Err(error) = transact(store, commit, &markets).await {
        // The stored version is now unknown, or known to differ.
        markets.iter().for_each(|market| store.heads.remove(market.change.market));
        return Err(error);
    }
    for MarketStep { change: MarketChange { market, .. }, step, piece } in markets {
        let replaced_bases = step.base.map(|_| 0..step.head.version);
        store.heads.put(market, step.head);
        if let Some(versions) = replaced_bases {
            clear_blocks(store, &market.to_string(), versions).await;
        }
        if let Some(versions) = piece.and_then(|piece| piece.replaces()) {
            clear_blocks(store, &archive_partition(market), versions).await;
        }
    }
    Ok(())
}

/// Checks that each home fits into an item.
fn check_homes(homes: &[HomeChange<'_>]) -> Result<(), CommitError> {
    match homes.iter().find(|change| change.new.bytes.len() > HOME_BYTES_MAX) {
        Some(change) => Err(CommitError::TooLarge { home: change.id.clone(), bytes: change.new.bytes.len() }),
        None => Ok(()),
    }
}

/// The new head of each market. The old heads are those of the versions that were changed; a head that is not cached is
/// read, and a different stored version is a conflict.
async fn market_steps<'a>(
    store: &DynamoStore,
    changes: &'a [MarketChange<'a>],
) -> Result<Vec<MarketStep<'a>>, CommitError> {
    let remembered = |change: &MarketChange<'_>| match change.version_read {
        0 => Some(Head::default()),
        version => store.heads.get(change.market, version),
    };
    let heads: Vec<Option<Head>> = changes.iter().map(remembered).collect();
    let unknown = changes.iter().zip(&heads).filter(|(_, head)| head.is_none());
    let unknown: Vec<Market> = unknown.map(|(change, _)| change.market.clone()).collect();
    let mut read = read_heads(&store.client, &store.markets, &unknown).await?;
    let mut steps = Vec::with_capacity(changes.len());
    for (change, head) in changes.iter().zip(heads) {
        let old = match head.or_else(|| read.remove(change.market)) {
            Some(head) if head.version == change.version_read => head,
            _ => return Err(CommitError::Conflict),
        };
        let mut step = old.step(change, random()).map_err(|error| {
            let what = format!("change the market {} in the table {}", change.market, store.markets);
            PortError::damaged(what, error)
        })?;
        let piece = if change.archived.is_empty() {
            None
        } else {
            Some(Piece::of(&store.client, &store.markets, change.market, &old, &change.archived).await?)
        };
        if let Some(piece) = &piece {
            step.head.archive = Some(piece.block.reference.clone());
        }
        steps.push(MarketStep { change, step, piece });
    }
    Ok(steps)
}

fn check_size(store: &DynamoStore, homes: &[HomeChange<'_>], markets: &[MarketStep<'_>]) -> Result<(), PortError> {
    let actions = homes.len() + markets.len();
    let tails = markets.iter().map(|market| market.step.head.tail.len());
    let bytes = homes.iter().map(|change| change.new.bytes.len()).chain(tails).sum::<usize>();
    let refuse = |why: String| Err(PortError::refused(transaction(store), why));
    if actions > ACTIONS_MAX {
        return refuse(format!("{actions} homes and markets, at most {ACTIONS_MAX} go into one"));
    }
    if bytes > COMMIT_BYTES_MAX {
        return refuse(format!("its items have {bytes} bytes, at most {COMMIT_BYTES_MAX} go into one"));
    }
    Ok(())
}

async fn put(store: &DynamoStore, item: Item, what: impl Fn() -> String) -> Result<(), PortError> {
    let request = store.client.put_item().table_name(&store.markets).set_item(Some(item));
    let what = || format!("PutItem of {} into the table {}", what(), store.markets);
    request.send().await.map(|_| ()).map_err(failed(what))
}

/// The transaction. The SDK adds a `ClientRequestToken`, so that a retry after a lost response is not a conflict with
/// itself.
async fn transact(store: &DynamoStore, commit: &Commit<'_>, markets: &[MarketStep<'_>]) -> Result<(), CommitError> {
    let now = store.clock.now();
    let homes = commit.homes.iter().map(|change| home_put(&store.homes, change, change.notable && !store.is_quiet));
    let markets = markets.iter().map(|market| market_put(&store.markets, market, now));
    let mut actions = Vec::with_capacity(ACTIONS_MAX);
    for put in homes.chain(markets) {
        let put = put.build().map_err(|error| PortError::refused(transaction(store), error))?;
        actions.push(TransactWriteItem::builder().put(put).build());
    }
    match store.client.transact_write_items().set_transact_items(Some(actions)).send().await {
        Ok(_) => Ok(()),
        Err(error) => Err(refusal(store, commit, &error)),
    }
}

fn home_put(table: &str, change: &HomeChange<'_>, notable: bool) -> aws_sdk_dynamodb::types::builders::PutBuilder {
    let HomeImage { bytes: body, market, status, list_price, last_seen } = &change.new;
    let open_in = change.new.open_in();
    let mut item = item([
        ("id", text(change.id.as_str())),
        ("version", number(change.version_read + 1)),
        ("body", bytes(body.to_vec())),
        ("notable", AttributeValue::Bool(notable)),
    ]);
    let mut put = |name: &str, value: Option<AttributeValue>| value.map(|value| item.insert(name.to_owned(), value));
    put("market", market.as_ref().map(|market| text(market.to_string())));
    put("open_in", open_in.map(|market| text(market.to_string())));
    put("status", status.map(|status| text(status.as_str())));
    put("list_price", list_price.map(|price| number(price.0)));
    put("seen_at", last_seen.map(|last| number(last.ms())));
    conditional(table, item, "id", change.version_read)
}

fn market_put(table: &str, market: &MarketStep<'_>, now: Time) -> aws_sdk_dynamodb::types::builders::PutBuilder {
    let MarketChange { market: id, version_read, new, .. } = market.change;
    conditional(table, market.step.head.to_item(id, new, now), "part", *version_read)
}

/// A put on condition that the stored version is the one that was read; 0 means that nothing is stored.
fn conditional(table: &str, item: Item, key: &str, version_read: u64) -> aws_sdk_dynamodb::types::builders::PutBuilder {
    let put = Put::builder().table_name(table).set_item(Some(item));
    match version_read {
        0 => put.condition_expression("attribute_not_exists(#key)").expression_attribute_names("#key", key),
        version => put
            .condition_expression("#version = :read")
            .expression_attribute_names("#version", "version")
            .expression_attribute_values(":read", number(version)),
    }
}

fn transaction(store: &DynamoStore) -> String {
    format!("TransactWriteItems on the tables {} and {}", store.homes, store.markets)
}

/// What a refused transaction means. The reasons are in the order of the actions.
fn refusal(store: &DynamoStore, commit: &Commit<'_>, error: &SdkError<TransactWriteItemsError>) -> CommitError {
    let cancelled = match error.as_service_error() {
        Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) => cancelled,
        _ => return because(transaction(store), reason(error)).into(),
    };
    match verdict(cancelled.cancellation_reasons()) {
        CommitFailure::Conflict => CommitError::Conflict,
        CommitFailure::Refused { address, kind, why } => {
            let homes = commit.homes.iter().map(|change| format!("the home {}", change.id));
            let markets = commit.markets.iter().map(|change| format!("the market {}", change.market));
            let which = homes.chain(markets).nth(address).unwrap_or_else(|| format!("action {address}"));
            PortError::new(kind, transaction(store), format!("{which}: {why}")).into()
        }
        CommitFailure::Unknown => because(transaction(store), reason(error)).into(),
    }
}

#[derive(Debug, PartialEq, Eq)]
enum CommitFailure {
    /// An item has another version than was read, or is in another transaction.
    Conflict,
    /// The action at this index was refused for another reason.
    Refused { address: usize, kind: FailureKind, why: String },
    /// No reason is given.
    Unknown,
}

fn verdict(reasons: &[CancellationReason]) -> CommitFailure {
    let code = |reason: &CancellationReason| reason.code().unwrap_or("None").to_owned();
    // A changed version is final, so it takes precedence.
    if reasons.iter().any(|reason| code(reason) == "ConditionalCheckFailed") {
        return CommitFailure::Conflict;
    }
    let other = |reason: &&CancellationReason| !["None", "TransactionConflict"].contains(&&*code(reason));
    if let Some((address, reason)) = reasons.iter().enumerate().find(|(_, reason)| other(reason)) {
        let why = format!("{}: {}", code(reason), reason.message().unwrap_or("no message"));
        let kind = of_code(&code(reason)).unwrap_or(FailureKind::Refused);
        return CommitFailure::Refused { address, kind, why };
    }
    if reasons.iter().any(|reason| code(reason) == "TransactionConflict") {
        CommitFailure::Conflict
    } else {
        CommitFailure::Unknown
    }
}

/// Deletes the blocks of a partition that were written for these versions, which no head will name any more: replaced
/// ones, and those of writers that died or lost. A failure here costs only storage.
async fn clear_blocks(store: &DynamoStore, partition: &str, versions: Range<u64>) {
    if let Err(error) = try_clear_blocks(store, partition, &versions).await {
        tracing::warn!(partition, error = with_causes(&error), "old blocks of a market were not deleted");
    }
}

async fn try_clear_blocks(store: &DynamoStore, partition: &str, versions: &Range<u64>) -> Result<(), PortError> {
    let table = &store.markets;
    let [from, until] = parts_of(versions);
    let request = store
        .client
        .query()
        .table_name(table)
        .key_condition_expression("#market = :market AND #part BETWEEN :from AND :until")
        .expression_attribute_names("#market", "market")
        .expression_attribute_names("#part", "part")
        .expression_attribute_values(":market", text(partition))
        .expression_attribute_values(":from", text(from))
        .expression_attribute_values(":until", text(until))
        .projection_expression("#part");
    let mut pages = request.into_paginator().send();
    while let Some(page) = pages.next().await {
        let page = page.map_err(failed(|| format!("Query of the old blocks of {partition} in the table {table}")))?;
        for chunk in page.items() {
            let what = || format!("DeleteItem of an old block of {partition} from the table {table}");
            let part = text_of(chunk, "part").map_err(|error| PortError::damaged(what(), error))?;
            let key = item([("market", text(partition)), ("part", text(part))]);
            store.client.delete_item().table_name(table).set_key(Some(key)).send().await.map_err(failed(what))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use stoop_domain::{Address, Currency, Home, HomeId, Listing, Minor, Observation, Purpose};

    use super::*;

    fn reasons(codes: &[&str]) -> Vec<CancellationReason> {
        codes.iter().map(|code| CancellationReason::builder().code(*code).message("why").build()).collect()
    }

    #[test]
    fn a_conflict_can_be_resolved_by_reading_again() {
        let of = |codes: &[&str]| verdict(&reasons(codes));
        let refused = |address, kind, why: &str| CommitFailure::Refused { address, kind, why: why.into() };
        assert_eq!(of(&["None", "ConditionalCheckFailed"]), CommitFailure::Conflict);
        assert_eq!(of(&["TransactionConflict", "None"]), CommitFailure::Conflict);
        assert_eq!(of(&["ThrottlingError", "ConditionalCheckFailed"]), CommitFailure::Conflict);
        assert_eq!(of(&["None", "ThrottlingError"]), refused(1, FailureKind::Throttled, "ThrottlingError: why"));
        let both = of(&["TransactionConflict", "ProvisionedThroughputExceeded"]);
        assert_eq!(both, refused(1, FailureKind::Throttled, "ProvisionedThroughputExceeded: why"));
        assert_eq!(of(&["ValidationError"]), refused(0, FailureKind::Refused, "ValidationError: why"));
        assert_eq!(of(&[]), CommitFailure::Unknown);
        assert_eq!(of(&["None"]), CommitFailure::Unknown);
    }

    #[test]
    fn a_home_is_stored_with_its_queryable_attributes() {
        let address = Address { city: Some("Agadir".into()), country: Some("MA".into()), ..Address::default() };
        let mut listing = Listing::new(Purpose::Sale, Currency::MAD, address);
        listing.list_price = Some(Minor(90_000_000));
        let at = Time::from_ms(1_768_392_000_000);
        let mut home = Home::default();
        home.apply(&Observation::new("avito", "1", at, listing));
        let id = HomeId("avito/1".into());
        let change = HomeChange::of(&id, 6, None, &home, true);
        let change = HomeChange { new: HomeImage { bytes: vec![7].into(), ..change.new }, ..change };
        let put = home_put("homes", &change, true).build().unwrap();
        let expected = item([
            ("id", text("avito/1")),
            ("version", number(7)),
            ("body", bytes(vec![7])),
            ("notable", AttributeValue::Bool(true)),
            ("market", text("ma/souss-massa/agadir-ida-ou-tanane/agadir/-:sale:MAD")),
            ("open_in", text("ma/souss-massa/agadir-ida-ou-tanane/agadir/-:sale:MAD")),
            ("status", text("Active")),
            ("list_price", number(90_000_000)),
            ("seen_at", number(1_768_392_000_000_i64)),
        ]);
        assert_eq!(put.item(), &expected);
        assert_eq!(put.condition_expression(), Some("#version = :read"));
        let new = HomeChange { version_read: 0, ..change };
        let put = home_put("homes", &new, false).build().unwrap();
        assert_eq!(put.item()["notable"], AttributeValue::Bool(false));
        assert_eq!(put.condition_expression(), Some("attribute_not_exists(#key)"));
    }
}
